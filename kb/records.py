"""What the centre holds, as frozen values: one ``Record`` a notice, its pages apart.

Hides how identifiers and dates are made regular, what a valid record is, and its JSON form (the
one form in which the database, the exports and the network see a record).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from kb.errors import InvalidRecord

TYPES: Mapping[str, str] = MappingProxyType(
    {
        "ouvrage": "Ouvrage",
        "chapitre": "Chapitre",
        "guide": "Guide méthodologique",
        "cahier": "Cahier",
        "article-cahier": "Article de Cahier",
        "article": "Article de revue",
        "fiche": "Fiche d’expérience",
        "etude": "Étude",
        "rapport": "Rapport",
        "diagnostic": "Diagnostic territorial",
        "concertation": "Document de concertation",
        "actes": "Actes de rencontre",
        "compte-rendu": "Compte rendu",
        "formation": "Support de formation",
        "cahier-des-charges": "Cahier des charges",
        "convention": "Convention, contrat, avenant",
        "texte-officiel": "Texte officiel",
        "appel": "Appel à projets",
        "lettre": "Lettre d’information",
        "presse": "Dossier ou revue de presse",
        "donnees": "Données statistiques",
        "these": "Mémoire, thèse",
        "carte": "Carte, plan",
        "audiovisuel": "Audiovisuel",
        "page-web": "Page web",
        "periodique": "Périodique",
        "numero": "Numéro de périodique",
        "materiel": "Notice de matériel",
        "question": "Question/réponse",
        "document": "Document",
    }
)
"""Code of a document type -> its French name. ``document`` is what is not known yet."""

PAPER, ELECTRONIC = "paper", "electronic"
ACCESS = ("public", "network", "staff", "onsite")
_DATE = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


class State(StrEnum):
    """What people have said of a proposed subject."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Origin(StrEnum):
    """Who put a subject on a record."""

    MACHINE = "machine"
    SOURCE = "source"
    LIBRARIAN = "librarian"


@dataclass(frozen=True, slots=True)
class Agent:
    """A person or a body and what it did. ``name`` is "Family, Given" or the body's own name."""

    name: str
    role: str = "author"  # author, editor, publisher, contributor
    kind: str = "person"  # person, body


@dataclass(frozen=True, slots=True)
class Copy:
    """One paper copy on a shelf. ``status``: available, lent, onsite, missing."""

    call_number: str | None = None
    barcode: str | None = None
    location: str | None = None
    status: str = "available"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One original, kept under the SHA-256 of its bytes. ``size`` in bytes, ``pages`` as read."""

    sha256: str
    name: str
    media_type: str
    size: int
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that made a subject. ``page`` 0 is the record's own fields (title, abstract...);
    ``start`` and ``end`` count characters in that page's text."""

    page: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A concept on a record: its URI, who put it there, how sure (0 to 1), and on what words."""

    concept: str
    origin: Origin = Origin.MACHINE
    score: float = 1.0
    state: State = State.PROPOSED
    evidence: tuple[Evidence, ...] = ()


class Quality(StrEnum):
    """How well a page could be read, the worst first."""

    EMPTY = "empty"  # nothing is printed there
    SCAN = "scan"  # a picture whose text nobody has read yet
    GARBLED = "garbled"  # noise instead of words: a font without its table, a poor recognition
    SPLIT = "split"  # words cut by blanks in many places
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Page:
    """The text of one page (NFC). ``number`` counts from 1 in file order, ``label`` is what is
    printed on it if known, ``grade`` its legibility from 0 to 1. ``raw`` is the text as it was read, None
    when cleaning changed nothing or when it was not asked for. ``recognised`` is how sure (0 to 1) the
    recognition of characters was; None for a page whose file holds its text."""

    number: int
    text: str
    label: str | None = None
    grade: float = 1.0
    quality: Quality = Quality.GOOD
    raw: str | None = None
    recognised: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One notice: a paper work, an electronic document, or both for one work.

    ``id`` is "centre:number", never reused. ``date`` is ISO 8601, as precise as known. ``host`` is
    the record that this one is a part of. ``updated`` (UTC) is set by the store and takes no part
    in comparison of content.
    """

    id: str
    title: str
    type: str = "document"
    subtitle: str | None = None
    agents: tuple[Agent, ...] = ()
    date: str | None = None
    language: str = "fr"
    publisher: str | None = None
    place: str | None = None
    series: str | None = None
    issue: str | None = None
    extent: str | None = None
    abstract: str | None = None
    notes: tuple[str, ...] = ()
    call_number: str | None = None
    copies: tuple[Copy, ...] = ()
    files: tuple[File, ...] = ()
    host: str | None = None
    host_pages: str | None = None
    subjects: tuple[Subject, ...] = ()
    keywords: tuple[str, ...] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    access: str = "public"
    created: datetime | None = None
    updated: datetime | None = None

    @property
    def support(self) -> frozenset[str]:
        """On paper, in files, both, or neither known."""
        paper = {PAPER} if self.copies or self.call_number else set()
        return frozenset(paper | ({ELECTRONIC} if self.files else set()))

    @property
    def year(self) -> int | None:
        """Year of publication."""
        return int(self.date[:4]) if self.date else None

    @property
    def centre(self) -> str:
        """Code of the centre that holds the record."""
        return self.id.partition(":")[0]

    @property
    def live_subjects(self) -> tuple[Subject, ...]:
        """Subjects that count: all but the refused ones."""
        return tuple(s for s in self.subjects if s.state is not State.REFUSED)


def validate(record: Record) -> Record:
    """The record itself, if it keeps the rules; raises InvalidRecord naming the first field that does not."""
    if not re.fullmatch(r"[a-z0-9-]+:\d+", record.id):
        raise InvalidRecord("id", f"{record.id!r} is not centre:number")
    if not record.title.strip():
        raise InvalidRecord("title", "is empty")
    if record.type not in TYPES:
        raise InvalidRecord("type", f"unknown code {record.type!r}")
    if record.date is not None and not _DATE.match(record.date):
        raise InvalidRecord("date", f"{record.date!r} is not ISO 8601")
    if record.access not in ACCESS:
        raise InvalidRecord("access", f"unknown code {record.access!r}")
    if record.host == record.id:
        raise InvalidRecord("host", "a record cannot be a part of itself")
    return record


def to_json(record: Record) -> dict[str, Any]:
    """The record as plain JSON values; empty fields are left out."""
    raw = dataclasses.asdict(record)
    for key in ("created", "updated"):
        if raw[key] is not None:
            raw[key] = raw[key].isoformat()
    raw["identifiers"] = dict(record.identifiers)
    return {key: value for key, value in raw.items() if value not in (None, (), [], {})}


def from_json(raw: Mapping[str, Any]) -> Record:
    """Inverse of ``to_json``; unknown keys raise TypeError."""
    values = dict(raw)
    values["agents"] = tuple(Agent(**a) for a in values.get("agents", ()))
    values["copies"] = tuple(Copy(**c) for c in values.get("copies", ()))
    values["files"] = tuple(File(**f) for f in values.get("files", ()))
    values["subjects"] = tuple(subject_from_json(s) for s in values.get("subjects", ()))
    for key in ("notes", "keywords"):
        values[key] = tuple(values.get(key, ()))
    for key in ("created", "updated"):
        if values.get(key):
            values[key] = datetime.fromisoformat(values[key])
    return Record(**values)


def subject_to_json(subject: Subject) -> dict[str, Any]:
    """A subject as plain JSON values."""
    return dataclasses.asdict(subject)


def subject_from_json(raw: Mapping[str, Any]) -> Subject:
    """Inverse of ``subject_to_json``."""
    values = dict(raw)
    values["origin"] = Origin(values.get("origin", "machine"))
    values["state"] = State(values.get("state", "proposed"))
    values["evidence"] = tuple(Evidence(**e) for e in values.get("evidence", ()))
    return Subject(**values)


def fingerprint(record: Record, pages: Iterable[Page] = ()) -> str:
    """SHA-256 of what the record and its pages say, times left out: equal means nothing changed."""
    content = to_json(dataclasses.replace(record, created=None, updated=None))
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode())
    for page in pages:
        digest.update(f"\f{page.number}\t{page.label}\t{page.grade:.3f}\t{page.text}".encode())
        if page.quality is not Quality.GOOD or page.recognised is not None:
            digest.update(f"\t{page.quality}\t{page.recognised}".encode())
    return digest.hexdigest()


def regular_isbn(text: str) -> str | None:
    """The ISBN-13 in ``text``, digits only (ISO 2108); None if there is none with a right check digit."""
    digits = re.sub(r"[\s-]", "", text).upper()
    if match := re.search(r"97[89]\d{10}", digits):
        isbn = match.group()
        return isbn if _isbn13_check(isbn[:12]) == isbn[12] else None
    if match := re.search(r"\d{9}[\dX]", digits):
        isbn = match.group()
        total = sum((10 - i) * (10 if c == "X" else int(c)) for i, c in enumerate(isbn))
        return None if total % 11 else (stem := "978" + isbn[:9]) + _isbn13_check(stem)
    return None


def _isbn13_check(twelve: str) -> str:
    return str(-sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(twelve)) % 10)


def regular_issn(text: str) -> str | None:
    """The ISSN in ``text`` as "1234-567X" (ISO 3297); None if there is none with a right check digit."""
    match = re.search(r"(\d{4})[\s-]?(\d{3}[\dXx])(?!\w)", text)
    if not match:
        return None
    digits = (match[1] + match[2]).upper()
    total = sum((8 - i) * (10 if c == "X" else int(c)) for i, c in enumerate(digits))
    return None if total % 11 else f"{digits[:4]}-{digits[4:]}"


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("janvier janv jan", "fevrier fevr fev", "mars", "avril avr", "mai", "juin", "juillet juil"),
            *("aout", "septembre sept sep", "octobre oct", "novembre nov", "decembre dec"),
        ),
        start=1,
    )
    for name in names.split()
}


def regular_date(text: str) -> str | None:
    """The first date in ``text`` as ISO 8601, as precise as it is said there; None if there is none.

    Reads "2010-03-12", "12/03/2010", "20100312", "12 mars 2010", "mars 2010", "cop. 2010", "DL 2010",
    "1er mars 2010". Years from 1500 to next year only.
    """
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    for pattern, order in _DATE_FORMS:
        for match in re.finditer(pattern, plain):
            parts = dict(zip(order, match.groups(), strict=True))
            if date := _date_of(parts.get("y"), parts.get("m"), parts.get("d")):
                return date
    return None


_DATE_FORMS = (
    (r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)", "ymd"),
    (r"(?<!\d)(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?!\d)", "dmy"),
    (r"(?<!\d)(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?!\d)", "ymd"),
    (r"(?<!\d)(\d{1,2})(?:er)?\s+([a-z]+)\.?\s+(\d{4})(?!\d)", "dmy"),
    (r"(?<!\d)(\d{4})(\d{2})(\d{2})(?!\d)", "ymd"),
    (r"(?<![a-z])([a-z]+)\.?\s+(\d{4})(?!\d)", "my"),
    (r"(?<!\d)(\d{4})-(\d{2})(?![\d])", "ym"),
    (r"(?<!\d)(\d{4})(?!\d)", "y"),
)


def _date_of(year: str | None, month: str | None, day: str | None) -> str | None:
    if year is None or not 1500 <= int(year) <= datetime.now(UTC).year + 1:
        return None
    if month is None:
        return year
    number = int(month) if month.isdigit() else _MONTHS.get(month, 0)
    if not 1 <= number <= 12:
        return None
    if day is None:
        return f"{year}-{number:02d}"
    try:
        return datetime(int(year), number, int(day)).date().isoformat()
    except ValueError:
        return None
