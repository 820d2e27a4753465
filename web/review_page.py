"""What is shown of a record that waits for a librarian, and before it is taken out of the fund.

Hides which pages of its text have to be read for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kb.records import TYPES, Record, State
from kb.reviews import Review
from web import curation_forms as forms
from web import notices, proposals
from web.curation_forms import NOTHING_ADDED, Added
from web.messages import ACCESS
from web.notices import Link
from web.parts import Parts
from web.proposals import Doubt, Group, Term
from web.typography import counted, spaced
from web.waiting import Line, Scope


@dataclass(frozen=True, slots=True)
class Undoable:
    """The last thing done, which a button takes back."""

    key: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """A record with what the machine found: fields with their sources, themes with their reasons; ``notes``
    tell what somebody else changed meanwhile, ``place`` how many wait up to here."""

    id: str
    title: str
    kind: str
    access: str
    url: str
    cover: str | None
    first_page: str | None
    excerpt: str
    files: tuple[Link, ...]
    state: str
    waits: bool
    place: int
    total: int
    batch: int | None
    doubts: tuple[Doubt, ...]
    fields: Mapping[str, str]
    sources: Mapping[str, str]
    groups: tuple[Group, ...]
    added: tuple[Term, ...]
    candidates: tuple[Term, ...]
    notes: Mapping[str, str]
    left: int
    here: str
    listed: str
    skip: str
    remove: str
    undo: Undoable | None


@dataclass(frozen=True, slots=True)
class RemovalPage:
    """What is lost and what stays when a record is taken out."""

    id: str
    title: str
    lost: tuple[str, ...]
    kept: tuple[str, ...]
    state: str
    here: str
    back: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A record as it is asked about: states chosen, themes added, notes on what changed meanwhile."""

    record: Record
    states: Mapping[str, State] = field(default_factory=dict)
    added: Added = NOTHING_ADDED
    notes: Mapping[str, str] = field(default_factory=dict)


def page(sheet: Sheet, line: Line, parts: Parts, undo: Undoable | None) -> ReviewPage:
    """The page on which a record is asked about; only the pages that its themes quote are read."""
    record, store, thesaurus, scope = sheet.record, parts.store, parts.thesaurus, line.scope
    held = parts.reviews.get(record.id)
    found = held.found if held else {}
    texts = {p.number: p.text for p in store.some_pages(record.id, {1, *proposals.pages_quoted(record)})}
    return ReviewPage(
        id=record.id,
        title=record.title,
        kind=TYPES[record.type],
        access=ACCESS[record.access],
        url=notices.record_url(record.id),
        cover=notices.image_url(record, 1, 440),
        first_page=notices.page_url(record.id, 1) if texts else None,
        excerpt=texts.get(1, "")[:700],
        files=_files(record),
        state=forms.stamp(record),
        waits=held is not None,
        place=_place(line, held),
        total=len(line),
        batch=scope.batch,
        doubts=line.told(held, record).doubts if held else (),
        fields=forms.told(record),
        sources={name: spaced(proposals.source(record, found, name)) for name in forms.FIELDS},
        groups=proposals.groups(record, thesaurus, texts, sheet.states),
        added=tuple(proposals.term(thesaurus.get(uri), thesaurus) for uri in sheet.added.concepts),
        candidates=sheet.added.candidates,
        notes=sheet.notes,
        left=proposals.waiting(record),
        here=scope.record_url(record.id),
        listed=scope.url(),
        skip=scope.record_url(record.id, "/suivante"),
        remove=scope.record_url(record.id, "/retirer"),
        undo=undo,
    )


def _place(line: Line, held: Review | None) -> int:
    """Its number in the line, from 1; 0 when it does not wait there."""
    return line.place(held) + 1 if held and line.scope.batch in (None, held.batch) else 0


def _files(record: Record) -> tuple[Link, ...]:
    url = notices.file_url(record)
    return tuple(
        Link(file.name, url if place == 0 and url else "", file.pages)
        for place, file in enumerate(record.files)
    )


def removal(record: Record, scope: Scope, parts: Parts) -> RemovalPage:
    """The page that asks whether a record shall go."""
    return RemovalPage(
        id=record.id,
        title=record.title,
        lost=_lost(record, parts),
        kept=_kept(record),
        state=forms.stamp(record),
        here=scope.record_url(record.id, "/retirer"),
        back=scope.record_url(record.id),
    )


def _lost(record: Record, parts: Parts) -> tuple[str, ...]:
    pages, themes = parts.store.last_page(record.id), len(record.live_subjects)
    held = len(parts.store.find("host", record.id))
    told = [
        "la notice : elle ne sera plus trouvée, ni dans la recherche ni à son adresse",
        f"le texte lu, {counted(pages, 'page')}" if pages else "",
        f"{counted(themes, 'thème')} et ce que vous en avez décidé" if themes else "",
        f"{counted(len(record.copies), 'exemplaire')} sur papier" if record.copies else "",
        f"le lien avec {counted(held, 'partie')} : elles restent, sans document d’ensemble" if held else "",
    ]
    return tuple(spaced(line) for line in told if line)


def _kept(record: Record) -> tuple[str, ...]:
    files = [f"le fichier d’origine « {file.name} », tel quel" for file in record.files]
    history = "ce que disait la notice, dans son histoire ; et qui l’a retirée, dans le journal"
    again = ["de quoi recommencer : redéposez le fichier, il aura une nouvelle notice"] if files else []
    return tuple(spaced(line) for line in [*files, history, *again])
