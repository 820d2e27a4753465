"""Two records of one work made one, or kept apart: what follows from a librarian's decision on a pair.

Hides what each field keeps of both sides and where old addresses lead. Everything happens in one transaction,
and originals stay. There is no way back by one step yet: what it needs is kept. ``kb.versions`` has both
records as they were, the line of the trail names the parts that changed their host, and the text of the one
that went is read again from its original.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from kb.audit import Action
from kb.connection import Database
from kb.database import Store
from kb.doubts import Decision, Doubt, Doubts
from kb.errors import InvalidRecord
from kb.french import fold
from kb.records import Evidence, Origin, Page, Record, State, Subject
from kb.sketches import Sketches
from kb.tables import redirects

T = TypeVar("T")

_STRICTEST = ("staff", "onsite", "network", "public")
"""Kinds of access, the one that shows least first: what the team keeps to itself is not even found."""

_EITHER = (
    *("subtitle", "agents", "date", "publisher", "place", "series", "issue", "extent", "abstract"),
    *("call_number", "host_pages", "source"),
)
"""Fields that one side gives whole: what two say of one date or abstract cannot be joined."""

_NOTHING: tuple[object, ...] = (None, "", ())


def merge(store: Store, kept: str, gone: str, *, replace: bool = False) -> Record:
    """Make two records one, under the number ``kept``; the record as it is then.

    What ``kept`` says stays and ``gone`` fills the gaps; with ``replace``, ``gone`` is the newer text: its
    fields, pages and file come first and what was there fills the gaps. Either way files, copies, key words,
    notes and identifiers of both stay, the decisions of people on subjects win, the stricter access holds,
    parts get the new host, and the old address leads here. Raises NotFound, InvalidRecord.
    """
    if kept == gone:
        raise InvalidRecord("id", "a record cannot be merged into itself")
    with store.transaction():
        first, second = _Side.of(store, kept), _Side.of(store, gone)
        lead, rest = (second, first) if replace else (first, second)
        written = lead if lead.pages else rest
        record = dataclasses.replace(
            _joined(lead, rest, written), id=kept, host=_host(store, first.record, second.record)
        )
        Doubts(store.database, store.trail).pass_on(gone, kept)
        if written is second:
            sketches = Sketches(store.database)
            sketches.keep(kept, sketches.of(gone))
        parts = _parts(store, gone)
        store.save(record, written.pages)
        for part in parts:
            if part.id != kept and not store.is_mirrored(part.id):
                store.save(dataclasses.replace(part, host=kept))
        _redirect(store, gone, kept)
        store.delete(gone)
        told = {"into": kept, "replaces": replace, "parts": [part.id for part in parts]}
        store.trail.note(Action.RECORD_MERGED, f"notice:{gone}", None, told)
    return store.get(kept)


def decide(
    store: Store,
    doubt: Doubt,
    decision: Decision,
    *,
    kept: str | None = None,
    newer: str | None = None,
    note: str | None = None,
) -> Record:
    """Settle a pair and do what follows; the record that stays, or the later one of both.

    ``kept`` is the number that stays, by default the older. For a replacement ``newer`` is the record whose
    text and fields are the new ones, whichever number stays: by default the one of the later date or, where
    dates do not tell, the one that came in later. When both are kept, ``note`` (« Autre édition ») is written
    on each with the number of the other. Raises NotFound, Conflict, InvalidRecord.
    """
    both = (doubt.other, doubt.record)
    stays = kept or doubt.other
    if stays not in both or newer not in (None, *both):
        raise InvalidRecord("id", f"{stays} or {newer} is not of this pair")
    goes = doubt.record if stays == doubt.other else doubt.other
    with store.transaction():
        Doubts(store.database, store.trail).settle(doubt.id, decision)
        if decision is Decision.REPLACE:
            lead = newer or newer_of(store.get(doubt.record), store.get(doubt.other)).id
            return merge(store, stays, goes, replace=lead == goes)
        if decision is Decision.ATTACH:
            return merge(store, stays, goes)
        if note:
            _note_on(store, doubt.other, note, doubt.record)
            _note_on(store, doubt.record, note, doubt.other)
        return store.get(doubt.record)


def newer_of(later: Record, earlier: Record) -> Record:
    """The newer text of two editions of which one came in later. Old editions come in after new ones when a
    centre digitises its shelves: dates tell first."""
    here, there = later.date or "", earlier.date or ""
    if here.startswith(there) or there.startswith(here):
        return later
    return later if here > there else earlier


def make_part(store: Store, part: str, host: str, pages: str | None = None) -> Record:
    """Say that a record is a part of another one, on these printed pages of it ("11-27"), if told. Raises
    NotFound; InvalidRecord when the host is itself a part of that part."""
    with store.transaction():
        record, whole = store.get(part), store.get(host)
        if part in line_of(store, whole):
            raise InvalidRecord("host", f"{host} is a part of {part}")
        changed = dataclasses.replace(record, host=host, host_pages=pages or record.host_pages)
        store.save(changed)
    return changed


def redirected(database: Database, id: str) -> str | None:
    """Number of the record into which this one was merged; None when it was not."""
    with database.reading() as connection:
        return connection.scalar(sa.select(redirects.c.new).where(redirects.c.old == id))


# -- what each field keeps


@dataclass(frozen=True, slots=True)
class _Side:
    record: Record
    pages: tuple[Page, ...]

    @classmethod
    def of(cls, store: Store, id: str) -> _Side:
        return cls(store.get(id), store.pages(id))


def _joined(lead: _Side, rest: _Side, written: _Side) -> Record:
    """One record of two: ``lead`` says what both say, ``written`` is the side whose text stays."""
    first, second = lead.record, rest.record
    filled: dict[str, Any] = {
        name: getattr(second, name) for name in _EITHER if getattr(first, name) in _NOTHING
    }
    if first.type == "document":
        filled["type"] = second.type
    if first.language == "und":
        filled["language"] = second.language
    files = (*written.record.files, *first.files, *second.files)
    record = dataclasses.replace(
        first,
        **filled,
        files=_first_of(files, lambda file: file.sha256),
        copies=_first_of(first.copies + second.copies, lambda copy: copy),
        keywords=_first_of((*first.keywords, *second.keywords), fold),
        notes=_first_of((*first.notes, *second.notes, *_other_numbers(first, second)), str),
        identifiers={**second.identifiers, **first.identifiers},
        access=_stricter(first.access, second.access),
        created=None,
        updated=None,
    )
    return dataclasses.replace(record, subjects=_subjects(record, lead, rest, written))


def _stricter(one: str, other: str) -> str:
    """What neither of both forbids: who may read on the spot only, and who in the network only, are not the
    same people, so that only the team may do both."""
    if {one, other} == {"network", "onsite"}:
        return "staff"
    return min(one, other, key=_STRICTEST.index)


def _first_of(values: Iterable[T], key: Callable[[T], Hashable]) -> tuple[T, ...]:
    """The first value of each key, in order."""
    found: dict[Hashable, T] = {}
    for value in values:
        found.setdefault(key(value), value)
    return tuple(found.values())


def _other_numbers(first: Record, second: Record) -> list[str]:
    """Identifiers that only one number has room for, as notes: nothing is lost."""
    return [
        f"Autre {kind.upper()}\u00a0: {value}"
        for kind, value in second.identifiers.items()
        if first.identifiers.get(kind, value) != value
    ]


def _subjects(record: Record, lead: _Side, rest: _Side, written: _Side) -> tuple[Subject, ...]:
    """The subjects of both, each once: what a person decided before what the machine proposes, then the side
    that leads. Evidence stays only where its words still stand."""
    found: dict[str, Subject] = {}
    for side in (lead, rest):
        for subject in side.record.subjects:
            evidence = tuple(e for e in subject.evidence if _stands(e, record, side, written))
            given = dataclasses.replace(subject, evidence=evidence)
            held = found.get(subject.concept)
            if held is None or (_decided(given) and not _decided(held)):
                found[subject.concept] = given
    return tuple(found.values())


def _decided(subject: Subject) -> bool:
    return subject.origin is Origin.LIBRARIAN or subject.state is not State.PROPOSED


def _stands(evidence: Evidence, record: Record, side: _Side, written: _Side) -> bool:
    """Page 0 is title, abstract and key words in that order: the same before, the same places."""
    if evidence.page:
        return side is written
    return all(
        getattr(record, name) == getattr(side.record, name)
        for name in ("title", "subtitle", "abstract", "keywords")
    )


# -- where it hangs


def _host(store: Store, kept: Record, gone: Record) -> str | None:
    """The host of one or of the other, unless it would then be a part of itself."""
    both = {kept.id, gone.id}
    for host in (kept.host, gone.host):
        found = store.get_many([host]) if host else {}
        if host and host not in both and not (host in found and both & line_of(store, found[host])):
            return host
    return None


def line_of(store: Store, record: Record) -> set[str]:
    """Numbers of the record, its host, the host of that one, and so on: it can be host to none of them."""
    line: set[str] = set()
    above: Record | None = record
    while above is not None and above.id not in line:
        line.add(above.id)
        above = store.get_many([above.host]).get(above.host) if above.host else None
    return line


def _parts(store: Store, host: str) -> tuple[Record, ...]:
    return tuple(store.get_many(store.find("host", host)).values())


def _redirect(store: Store, gone: str, kept: str) -> None:
    """Let the old address lead to the new one, and those that led to it too: one step, never a loop."""
    with store.database.writing() as connection:
        connection.execute(redirects.delete().where(redirects.c.old == kept))
        connection.execute(redirects.update().where(redirects.c.new == gone).values(new=kept))
        at = datetime.now(UTC).isoformat()
        connection.execute(redirects.insert().values(old=gone, new=kept, at=at))


def _note_on(store: Store, id: str, note: str, other: str) -> None:
    record = store.get(id)
    said = f"{note}\u00a0: notice n°\u00a0{other.partition(':')[2]}"
    store.save(dataclasses.replace(record, notes=_first_of((*record.notes, said), str)))
