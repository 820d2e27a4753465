"""Two people who change one record at the same time: what each changed since, and the record of both.

Hides how the state that somebody began with is found again: the form carries its moment, the history has it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from kb.records import Record, State, Subject
from kb.versions import Version, Versions

FIELDS = (
    *("title", "subtitle", "type", "agents", "date", "language", "publisher", "place", "series", "issue"),
    *("extent", "abstract", "notes", "call_number", "copies", "host", "host_pages", "keywords"),
    *("identifiers", "access"),
)
"""Fields of which one side is kept whole; terms are joined one by one instead."""

MINE, THEIRS = "mien", "sien"
_LOOKED_AT = 200  # versions among which the beginning is looked for: a form is open for a day at most


@dataclass(frozen=True, slots=True)
class Since:
    """What somebody began with, and who changed it since, the first one first."""

    base: Record | None
    actors: tuple[str, ...]


def stamp(record: Record) -> str:
    """The moment of a record's last change, as forms carry it."""
    return record.updated.isoformat() if record.updated else ""


def since(history: Versions, id: str, begun: str) -> Since:
    """The state that had this stamp, and who changed it; unknown if no such state is in the history."""
    later: list[Version] = []
    for version in history.of(id, _LOOKED_AT):
        later.append(version)
        if stamp(version.record) == begun:
            return Since(version.record, tuple(dict.fromkeys(v.actor for v in reversed(later))))
    return Since(None, tuple(dict.fromkeys(v.actor for v in later[:1])))


def clashing(base: Record | None, mine: Record, theirs: Record) -> tuple[str, ...]:
    """Fields that the others changed, to something else than what is mine."""
    return tuple(
        name
        for name in FIELDS
        if getattr(mine, name) != getattr(theirs, name)
        and (base is None or getattr(base, name) != getattr(theirs, name))
    )


def usual(base: Record | None, mine: Record, name: str) -> str:
    """Which side to keep of a field unless somebody says otherwise: mine only if I changed it."""
    untouched = base is not None and getattr(base, name) == getattr(mine, name)
    return THEIRS if untouched else MINE


def joined(base: Record | None, mine: Record, theirs: Record, kept: Mapping[str, str]) -> Record:
    """The record of both; ``kept`` says for a field which side is wanted."""
    fields = {name: getattr(mine, name) for name in FIELDS if kept.get(name, usual(base, mine, name)) == MINE}
    subjects = _subjects(base.subjects if base else (), mine.subjects, theirs.subjects)
    return dataclasses.replace(theirs, **fields, subjects=subjects)


def _subjects(
    base: tuple[Subject, ...], mine: tuple[Subject, ...], theirs: tuple[Subject, ...]
) -> tuple[Subject, ...]:
    """Their terms with my decisions: what I accepted, refused, added or took out."""
    begun: dict[str, State] = {s.concept: s.state for s in base}
    own = {s.concept: s for s in mine}
    gone = {concept for concept in begun if concept not in own}
    found = {s.concept: s for s in theirs if s.concept not in gone}
    for concept, subject in own.items():
        if begun.get(concept) != subject.state or (concept in found and concept not in begun):
            held = found.get(concept, subject)
            found[concept] = dataclasses.replace(held, state=subject.state, origin=subject.origin)
    return tuple(found.values())
