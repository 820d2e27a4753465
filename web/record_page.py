"""The page of a record: what it is, where it stands, what it is about and why, its parts and pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from kb import records
from kb.records import Evidence, Origin, Page, Record, State, Subject
from search.engine import FACETS
from search.snippets import Piece
from web import notices
from web.fund import Shelves
from web.holders import CopyView, Holder, copies
from web.labels import LANGUAGES, Labels
from web.notices import Card, Link
from web.outputs import ForTools, for_tools
from web.state import SearchState
from web.typography import NBSP, counted, spaced, written_date, written_size

STRIP = 24
"""Page thumbnails on a record before "toutes les pages"."""

_CONTEXT = 90  # characters shown on each side of the words that made a tag
_REASONS = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the description: texts, each with a way to more of the same if there is one."""

    name: str
    texts: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Words that made a tag, with some text around them; ``url`` opens their page."""

    page: int
    url: str | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectView:
    """A tag of the record, with its reasons."""

    facet: str
    label: str
    url: str
    standing: str
    reasons: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Thumb:
    """A page in a strip; ``lit`` when the words looked for are on it. Pages without image show some text."""

    number: int
    url: str
    image: str | None
    text: str
    lit: bool


@dataclass(frozen=True, slots=True)
class Part:
    """An article of a Cahier, an issue of a review."""

    title: str
    url: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """All that the page of a record shows. ``centre`` is the name of the one that it belongs to, "" for ours,
    and ``came`` since when it is known here; ``holders`` are all that hold the work, () when that is us
    alone."""

    id: str
    title: str
    subtitle: str | None
    kind: str
    authors: str
    creators: tuple[str, ...]
    date: str | None
    written_date: str
    language_code: str
    abstract: str | None
    cover: str | None
    open_url: str | None
    open_label: str
    files: tuple[Link, ...]
    copies: tuple[CopyView, ...]
    facts: tuple[Fact, ...]
    subjects: tuple[SubjectView, ...]
    parts: tuple[Part, ...]
    parts_label: str
    strip: tuple[Thumb, ...]
    strip_label: str
    strip_more: Link | None
    alike: tuple[Card, ...]
    crumbs: tuple[Link, ...]
    on_the_spot: bool
    centre: str
    came: str
    holders: tuple[Holder, ...]
    tools: ForTools


class Teller:
    """Tells records from the shelves of one reader and one vocabulary."""

    def __init__(self, store: Shelves, labels: Labels) -> None:
        self.store = store
        self.labels = labels

    def page(
        self,
        record: Record,
        *,
        q: str,
        lit: Sequence[int],
        alike: Sequence[Record],
        holders: Sequence[Holder] = (),
    ) -> RecordPage:
        """The page of a record; ``lit`` are the numbers of the pages where ``q`` was found, best first."""
        pages = self.store.pages(record.id)
        first = lit[0] if lit else 1
        more = Link(
            f"Toutes les pages, à partir de la {STRIP + 1}", notices.page_url(record.id, STRIP + 1, q)
        )
        return RecordPage(
            id=record.id,
            title=record.title,
            subtitle=record.subtitle,
            kind=records.TYPES[record.type],
            authors=notices.authors(record, most=12),
            creators=tuple(a.name for a in record.agents if a.role != "publisher"),
            date=record.date,
            written_date=written_date(record.date),
            language_code=record.language,
            abstract=record.abstract,
            cover=notices.image_url(record, 1, 440),
            open_url=notices.page_url(record.id, first, q) if pages else None,
            open_label=spaced(f"Lire le passage, page {first}") if lit else "Lire",
            files=tuple(_files(record)),
            copies=tuple(copies(record)),
            facts=tuple(self._facts(record)),
            subjects=tuple(self._subjects(record, pages, q)),
            parts=self._parts(record),
            parts_label="Articles" if record.type in ("cahier", "numero") else "Parties",
            strip=strip(record, pages[:STRIP], q, lit),
            strip_label="Pages" if notices.pictured(record) else "Passages",
            strip_more=more if len(pages) > STRIP else None,
            alike=tuple(map(notices.card, alike)),
            crumbs=(Link("Résultats", SearchState(q=q).url()) if q else Link("Fonds", "/recherche"),),
            on_the_spot=self.store.on_the_spot(record.id),
            centre=self._owner(record),
            came=next((one.came for one in holders if one.notice_url is None), ""),
            holders=tuple(holders),
            tools=for_tools(record.id),
        )

    def _owner(self, record: Record) -> str:
        return self.labels.of("centre", record.centre) if self.store.elsewhere(record.id) else ""

    def _parts(self, record: Record) -> tuple[Part, ...]:
        held = self.store.get_many(self.store.find("host", record.id)).values()
        return tuple(_part(part) for part in sorted(held, key=_number))

    def facts(self, record: Record) -> tuple[Fact, ...]:
        """The lines of the description."""
        return tuple(self._facts(record))

    def _facts(self, record: Record) -> Iterator[Fact]:
        if record.host and (host := self.store.get_many([record.host]).get(record.host)):
            where = f"{host.title}, p. {record.host_pages}" if record.host_pages else host.title
            yield Fact("Dans", (Link(where, notices.record_url(host.id)),))
        for role, name in _ROLES.items():
            if agents := [agent.name for agent in record.agents if agent.role == role]:
                yield Fact(name, tuple(Link(notices.natural(a), _by(a)) for a in agents))
        published = ", ".join(filter(None, (record.place, record.publisher, written_date(record.date))))
        series = ", ".join(filter(None, (record.series, record.issue)))
        texts = (
            ("Publication", published),
            ("Collection", series),
            ("Description matérielle", record.extent or self._length(record)),
            ("Langue", LANGUAGES.get(record.language, record.language)),
            *((name.upper(), value) for name, value in record.identifiers.items() if name in _SHOWN),
            ("Mots-clés", ", ".join(record.keywords)),
            *(("Note", note) for note in record.notes),
            ("Entrée au fonds", self._came(record)),
            ("Numéro de notice", record.id),
        )
        yield from (Fact(name, (Link(text, ""),)) for name, text in texts if text)

    def _came(self, record: Record) -> str:
        if record.created is None or self.store.elsewhere(record.id):
            return ""
        return written_date(record.created.date().isoformat())

    @staticmethod
    def _length(record: Record) -> str:
        return counted(record.files[0].pages, "page") if record.files and record.files[0].pages else ""

    def _subjects(self, record: Record, pages: Sequence[Page], q: str) -> Iterator[SubjectView]:
        texts = {page.number: page.text for page in pages}
        title = " : ".join(filter(None, (record.title, record.subtitle)))
        texts[0] = "\n".join(filter(None, (title, record.abstract, " ; ".join(record.keywords))))
        for subject in notices.ranked(record.live_subjects):
            if subject.concept not in self.labels.thesaurus:
                continue
            concept = self.labels.thesaurus.get(subject.concept)
            if facet := notices.facet_of(concept.scheme):
                yield SubjectView(
                    facet=FACETS[facet].label,
                    label=concept.label,
                    url=SearchState().toggled(facet, concept.code).url(),
                    standing=_standing(subject),
                    reasons=tuple(_reasons(record, subject, texts)),
                )


def _standing(subject: Subject) -> str:
    """What a reader must know of a tag that nobody has confirmed yet."""
    if subject.state is not State.PROPOSED:
        return ""
    if subject.origin is Origin.SOURCE:
        return "d’après les mots-clés du fichier"
    return f"proposé automatiquement, sûr à {round(100 * subject.score)}{NBSP}%"


_ROLES = {"author": "Auteurs", "editor": "Direction", "publisher": "Éditeur", "contributor": "Contributions"}
_SHOWN = ("isbn", "issn", "doi")


def strip(record: Record, pages: Sequence[Page], q: str, lit: Sequence[int]) -> tuple[Thumb, ...]:
    """Pages as small pictures, those where ``q`` was found lit."""
    return tuple(
        Thumb(
            page.number,
            notices.page_url(record.id, page.number, q),
            notices.image_url(record, page.number, 208),
            page.text[:300],
            page.number in lit,
        )
        for page in pages
    )


def _files(record: Record) -> Iterator[Link]:
    for place, file in enumerate(record.files):
        kind = file.name.rpartition(".")[2].upper()[:5]
        label = f"Fichier d’origine ({kind}, {written_size(file.size)})"
        yield Link(label, f"/notice/{quote(record.id)}/fichier/{place}/{quote(file.name)}")


def _by(name: str) -> str:
    return SearchState(q=f'auteur:"{name}"').url()


def _part(record: Record) -> Part:
    pages = f"p. {record.host_pages}" if record.host_pages else ""
    detail = ", ".join(filter(None, (notices.authors(record), pages, written_date(record.date))))
    return Part(record.title, notices.record_url(record.id), detail)


def _number(record: Record) -> int:
    return int(record.id.partition(":")[2])


def _reasons(record: Record, subject: Subject, texts: dict[int, str]) -> Iterator[Why]:
    for evidence in subject.evidence[:_REASONS]:
        pieces = around(evidence, texts.get(evidence.page, ""))
        url = notices.page_url(record.id, evidence.page, evidence.text) if evidence.page else None
        yield Why(evidence.page, url, pieces)


def around(evidence: Evidence, text: str) -> tuple[Piece, ...]:
    """The words with some text on each side; the words alone if the page has changed since."""
    if text[evidence.start : evidence.end] != evidence.text:
        return (Piece(evidence.text, True),)
    start, end = max(0, evidence.start - _CONTEXT), min(len(text), evidence.end + _CONTEXT)
    before, after = text[start : evidence.start], text[evidence.end : end]
    if start:
        before = "… " + before.partition(" ")[2]
    if end < len(text):
        after = after.rpartition(" ")[0] + " …"
    said = ((before, False), (evidence.text, True), (after, False))
    return tuple(Piece(re.sub(r"\s+", " ", words), marked) for words, marked in said if words)
