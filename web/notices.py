"""How a record is told in short: its addresses, authors, tags, where it stands, its card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, urlencode

from kb import records
from kb.records import File, Record, State, Subject
from kb.thesaurus import FACET_SCHEMES
from web.labels import Labels
from web.state import SearchState
from web.typography import counted

SHOWN_AUTHORS = 3
STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "available": "disponible",
        "lent": "en prêt",
        "onsite": "à consulter sur place",
        "missing": "manquant",
    }
)
"""Status of a copy -> its French words."""
_WITH_IMAGE = "application/pdf"
_PICTURED = (_WITH_IMAGE, "image/png", "image/jpeg", "image/tiff", "image/webp")


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere to go."""

    label: str
    url: str
    count: int = 0
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A record in a line or on a shelf."""

    id: str
    url: str
    title: str
    kind: str
    year: int | None
    authors: str
    thumb: str | None


def record_url(id: str, q: str = "") -> str:
    """Address of a record; with the search that led there, so that its pages stay lit."""
    return f"/notice/{quote(id)}" + (f"?{urlencode({'q': q})}" if q else "")


def page_url(id: str, number: int, q: str = "") -> str:
    """Address of one page of a record."""
    return f"/notice/{quote(id)}/page/{number}" + (f"?{urlencode({'q': q})}" if q else "")


def image_url(record: Record, number: int, width: int) -> str | None:
    """Address of the picture of a page; None when the record has no file with pictures."""
    file = pictured(record)
    return f"/notice/{quote(record.id)}/image/{number}/{width}" if file and number <= file.pages else None


def pictured(record: Record) -> File | None:
    """The file whose pages can be drawn."""
    found = next((file for file in record.files if file.media_type in _PICTURED), None)
    # The pages are those of the first file: another one is theirs in another form only if it has as many.
    return found if found is None or found.pages == record.files[0].pages else None


def authors(record: Record, most: int = SHOWN_AUTHORS) -> str:
    """Names in reading order, "Prénom Nom"; more than ``most`` end in "et autres"."""
    names = [natural(a.name) for a in record.agents if a.role != "publisher"]
    return ", ".join(names[:most]) + (" et autres" if len(names) > most else "")


def natural(name: str) -> str:
    """ "Nom, Prénom" -> "Prénom Nom"."""
    family, comma, given = name.partition(", ")
    return f"{given} {family}" if comma else name


def availability(record: Record) -> str:
    """What the shelves say of a paper work."""
    copies = record.copies
    free = sum(copy.status == "available" for copy in copies)
    if len(copies) == 1:
        return STATUSES.get(copies[0].status, copies[0].status)
    if copies:
        return f"{counted(free, 'exemplaire disponible', 'exemplaires disponibles')} sur {len(copies)}"
    return "au centre"


def card(record: Record, width: int = 200) -> Card:
    """The record in short."""
    return Card(
        id=record.id,
        url=record_url(record.id),
        title=record.title,
        kind=records.TYPES[record.type],
        year=record.year,
        authors=authors(record),
        thumb=image_url(record, 1, width),
    )


def tag_links(record: Record, labels: Labels, most: int = 6) -> tuple[Link, ...]:
    """The tags that count most, as searches."""
    known = [s for s in ranked(record.live_subjects) if s.concept in labels.thesaurus]
    found = []
    for subject in known:
        concept = labels.thesaurus.get(subject.concept)
        if facet := facet_of(concept.scheme):
            found.append(Link(concept.label, SearchState().toggled(facet, concept.code).url()))
    return tuple(found[:most])


def facet_of(scheme: str) -> str | None:
    """The facet that counts the concepts of a scheme."""
    return next((facet for facet, schemes in FACET_SCHEMES.items() if scheme in schemes), None)


def ranked(subjects: Iterable[Subject]) -> list[Subject]:
    """Accepted subjects first, then the surest."""
    return sorted(subjects, key=lambda s: (s.state is not State.ACCEPTED, -s.score))


def file_url(record: Record, number: int = 1) -> str | None:
    """Address of the first original; a PDF opens at page ``number``."""
    if not record.files:
        return None
    file = record.files[0]
    place = f"#page={number}" if file.media_type == _WITH_IMAGE else ""
    return f"/notice/{quote(record.id)}/fichier/0/{quote(file.name)}{place}"
