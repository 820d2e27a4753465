"""What the page of two records that may be one work shows: both sides, what can be done, where they differ.

Hides how a decision is worded for the pair at hand: which number stays, which text is the newer one, which
record would be a part of which.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from ingest import differences, duplicates
from ingest.differences import Difference, Passage, Piece
from ingest.duplicates import Kind, Likeness
from kb import merging, records
from kb.database import Store
from kb.doubts import Decision, Doubt
from kb.records import Page, Record
from web import notices
from web.fund import Fund
from web.labels import LANGUAGES
from web.messages import ACCESS
from web.notices import Card, Link
from web.record_page import Fact, Teller
from web.typography import counted, spaced, written_date, written_size

PART, PART_INSIDE_OUT = "part", "part-inverse"
"""Decisions beside those of ``kb.doubts``: the smaller text is a part of the larger one, or the reverse."""

_PASSAGES = 12  # places of the texts that are shown; how many there are is told

KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        Kind.SAME_TEXT: (
            "Presque le même texte",
            "Sans doute deux fichiers d’un même document : une seule notice suffit.",
        ),
        Kind.EDITION: (
            "Deux versions",
            "Sans doute le même document, revu : remplacez l’ancienne version, ou gardez les deux si elles "
            "servent l’une et l’autre.",
        ),
        Kind.PART: (
            "L’un contient l’autre",
            "Sans doute un extrait ou un article : dites duquel il fait partie.",
        ),
        Kind.PAPER: (
            "Le même ouvrage, sur papier et en fichier",
            "Sans doute deux supports d’un même ouvrage : une seule notice suffit.",
        ),
        Kind.NONE: (
            "Rapprochées à la main",
            "Rien dans leurs textes ni leurs titres ne dit que c’est le même document.",
        ),
    }
)
"""Kind of likeness -> its words, and what to do."""

SETTLED: Mapping[str, str] = MappingProxyType(
    {
        Decision.ATTACH: "Les deux notices n’en font plus qu’une.",
        Decision.REPLACE: "La nouvelle version a remplacé l’autre ; les deux fichiers sont gardés.",
        Decision.KEEP_BOTH: "Les deux notices sont gardées ; la question ne reviendra pas.",
        PART: "C’est noté : l’une fait partie de l’autre.",
        PART_INSIDE_OUT: "C’est noté : l’une fait partie de l’autre.",
    }
)
"""Decision -> what has been done."""

_BEST: Mapping[str, str] = MappingProxyType(
    {
        Kind.SAME_TEXT: Decision.ATTACH,
        Kind.PAPER: Decision.ATTACH,
        Kind.EDITION: Decision.REPLACE,
        Kind.PART: PART,
        Kind.NONE: Decision.KEEP_BOTH,
    }
)
"""Kind -> the decision that most often follows; it comes first."""

_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "title": "Titre",
        "subtitle": "Sous-titre",
        "type": "Type",
        "agents": "Auteurs",
        "date": "Date",
        "language": "Langue",
        "publisher": "Éditeur",
        "place": "Lieu",
        "series": "Collection",
        "issue": "Numéro",
        "extent": "Description matérielle",
        "abstract": "Résumé",
        "notes": "Notes",
        "call_number": "Cote",
        "copies": "Exemplaires",
        "keywords": "Mots-clés",
        "identifiers": "Identifiants",
        "host_pages": "Pages dans l’ensemble",
    }
)


_THEN = "\u00a0; "  # between the sentences of a reason
_DATE = re.compile(r"\b\d{4}-\d{2}(?:-\d{2})?\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two records; ``short`` is what tells it from the other at a glance."""

    card: Card
    number: str
    entered: str
    cover: str | None
    short: tuple[str, ...]
    files: tuple[Link, ...]
    access: str
    facts: tuple[Fact, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be done with the pair, and what comes of it."""

    code: str
    label: str
    outcome: str
    best: bool


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """A field that does not say the same on both sides."""

    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class PassageView:
    """A place where the texts part: the page of each side that has something there."""

    places: tuple[Link, ...]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPage:
    """Two records side by side: ``here`` came in after ``there``. ``seen`` is how both were when shown."""

    id: int
    url: str
    kind: str
    advice: str
    reason: str
    here: Side
    there: Side
    kept: str
    newer: str
    choices: tuple[Choice, ...]
    differences: tuple[DifferenceView, ...]
    passages: tuple[PassageView, ...]
    more_passages: int
    settled: str
    seen: str


def number_of(id: str) -> str:
    """The number as people say it, without the centre."""
    return id.partition(":")[2]


def stamp(store: Store, doubt: Doubt) -> str:
    """What both records are now: another one later means that a decision was made on something else."""
    both = f"{store.fingerprint(doubt.record)} {store.fingerprint(doubt.other)}"
    return hashlib.sha256(both.encode()).hexdigest()[:20]


def inner(doubt: Doubt, likeness: Likeness) -> tuple[str, str]:
    """(the record that would be a part, its host): the text that is more in the other one is the part."""
    here_inside = likeness.inside >= likeness.around
    return (doubt.record, doubt.other) if here_inside else (doubt.other, doubt.record)


class Pair:
    """A pair, its records and their texts."""

    def __init__(self, doubt: Doubt, store: Store) -> None:
        self.doubt = doubt
        self.here, self.there = store.get(doubt.record), store.get(doubt.other)
        self.pages = store.pages(doubt.record, raw=False)
        self.other_pages = store.pages(doubt.other, raw=False)
        self.likeness = duplicates.compare(self.here, self.pages, self.there, self.other_pages)
        self.seen = stamp(store, doubt)

    def shown(self, fund: Fund, waiting: frozenset[str]) -> PairPage:
        """Its page; ``waiting`` are the records that nobody has validated yet."""
        words, advice = KINDS[self.doubt.kind]
        told, count = self._passages()
        settled = self.doubt.decision
        return PairPage(
            id=self.doubt.id,
            url=f"/doublons/{self.doubt.id}",
            kind=words,
            advice=spaced(advice),
            reason=spaced(self._reason()),
            here=self._side(fund, self.here, self.pages, waiting),
            there=self._side(fund, self.there, self.other_pages, waiting),
            kept=self.there.id,
            newer=merging.newer_of(self.here, self.there).id,
            choices=() if settled else self._choices(),
            differences=tuple(map(_difference, differences.differences(self.here, self.there))),
            passages=tuple(map(self._passage, told)),
            more_passages=count - len(told),
            settled=spaced(SETTLED[settled]) if settled else "",
            seen=self.seen,
        )

    def _passages(self) -> tuple[tuple[Passage, ...], int]:
        if not (self.pages and self.other_pages) or self.doubt.kind == Kind.NONE:
            return (), 0  # texts that have nothing in common differ everywhere
        return differences.passages(self.pages, self.other_pages, _PASSAGES)

    def _reason(self) -> str:
        """Why they are alike, with their numbers: « ce document » would be either here."""
        found = self.likeness
        if not found.reason:
            shared = int(found.resemblance * 100)
            return f"{shared}\u00a0% des passages sont communs" if found.resemblance else ""
        first, rest = found.reason.partition(_THEN)[::2]
        if found.kind is Kind.PART:
            part, host = map(number_of, inner(self.doubt, found))
            share = int(max(found.inside, found.around) * 100)
            first = f"{share}\u00a0% des passages du n° {part} sont dans le n° {host}, plus long"
        return _DATE.sub(lambda date: written_date(date[0]), _THEN.join(filter(None, (first, rest))))

    def _choices(self) -> tuple[Choice, ...]:
        part, host = map(number_of, inner(self.doubt, self.likeness))
        newer = merging.newer_of(self.here, self.there)
        dated = f" ({written_date(newer.date)})" if newer.date else ""
        best = _BEST[self.doubt.kind]
        told = (
            (
                Decision.ATTACH,
                "N’en faire qu’une notice",
                "Fichiers, exemplaires, mots-clés et notes des deux y sont réunis, sous le n° "
                f"{number_of(self.there.id)} à moins de préciser.",
            ),
            (
                Decision.REPLACE,
                f"Remplacer par le n° {number_of(newer.id)}",
                f"Son texte et sa description{dated} passent devant ; le fichier de l’autre est gardé.",
            ),
            (Decision.KEEP_BOTH, "Garder les deux", "Ce sont deux documents : la question ne reviendra pas."),
            (
                PART,
                f"Le n° {part} fait partie du n° {host}",
                "Les deux notices restent ; l’une se trouve parmi les parties de l’autre.",
            ),
            (PART_INSIDE_OUT, f"Le n° {host} fait partie du n° {part}", "Dans l’autre sens."),
        )
        found = (Choice(code, spaced(label), spaced(outcome), code == best) for code, label, outcome in told)
        return tuple(sorted(found, key=lambda choice: not choice.best))

    def _side(self, fund: Fund, record: Record, pages: tuple[Page, ...], waiting: frozenset[str]) -> Side:
        length = counted(len(pages), "page") if pages else "sans texte"
        date = written_date(record.date) if record.date else "sans date"
        cotes = [copy.call_number or "" for copy in record.copies] or [record.call_number or ""]
        return Side(
            card=notices.card(record),
            number=number_of(record.id),
            entered="entrée la première" if record is self.there else "entrée la dernière",
            cover=notices.image_url(record, 1, 440),
            short=tuple(filter(None, (records.TYPES[record.type], date, length, *cotes[:2]))),
            files=tuple(_files(record)),
            access="" if record.access == "public" else spaced(ACCESS[record.access]),
            facts=Teller(fund.store, fund.labels).facts(record),
            waits=record.id in waiting,
        )

    def _passage(self, passage: Passage) -> PassageView:
        sides = ((self.there.id, passage.other_page), (self.here.id, passage.page))
        places = (
            Link(f"n° {number_of(id)}, p. {page}", notices.page_url(id, page)) for id, page in sides if page
        )
        return PassageView(tuple(places), passage.pieces)


def _files(record: Record) -> Iterator[Link]:
    for place, file in enumerate(record.files):
        url = f"/notice/{quote(record.id)}/fichier/{place}/{quote(file.name)}"
        yield Link(f"{file.name}, {written_size(file.size)}", url)


_WORDS = MappingProxyType(
    {
        "type": lambda code: records.TYPES.get(code, code),
        "language": lambda code: LANGUAGES.get(code, code),
        "date": written_date,
    }
)
"""Field -> how its code is said."""


def _difference(told: Difference) -> DifferenceView:
    label = _FIELDS.get(told.field, told.field)
    if (words := _WORDS.get(told.field)) is not None:
        return DifferenceView(label, (Piece(words(told.here), words(told.there), same=False),))
    return DifferenceView(label, told.pieces)
