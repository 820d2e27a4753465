"""Pairs of records that may tell of one work, for a librarian to settle, each pair once.

Hides the table and the order in which a pair is kept: the record that came in later first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb.audit import Action, Trail
from kb.connection import Database, next_value
from kb.errors import Conflict, NotFound
from kb.tables import doubts

_OPEN = "open"
_NUMBER = "doubt"  # name of the counter of lines


class Decision(StrEnum):
    """What a librarian says of a pair: two forms of one work, a newer text of it, or two works."""

    ATTACH = "attach"
    REPLACE = "replace"
    KEEP_BOTH = "keep-both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A pair. ``kind`` is a code of ``ingest.duplicates.Kind``, ``score`` 0 to 1; ``record`` came in after
    ``other``; ``decision`` None until a person has decided; ``created`` is UTC."""

    id: int
    kind: str
    record: str
    other: str
    score: float
    decision: Decision | None
    created: datetime


class Doubts:
    """The pairs of one database."""

    def __init__(self, database: Database, trail: Trail) -> None:
        self._database = database
        self._trail = trail

    def add(self, kind: str, record: str, other: str, score: float) -> int | None:
        """Ask about a pair; the number of its line. A pair that waits already is told anew; None for one that
        a person has settled: nobody is asked twice. ValueError for a record and itself."""
        if record == other:
            raise ValueError(f"{record} cannot be its own double")
        record, other = sorted((record, other), key=_age, reverse=True)
        with self._database.writing() as connection:
            held = connection.execute(sa.select(doubts).where(_pair(record, other))).first()
            if held is None:
                return _insert(connection, {"kind": kind, "record": record, "other": other, "score": score})
            if held.state != _OPEN:
                return None
            again = doubts.update().where(doubts.c.id == held.id)
            connection.execute(again.values(kind=kind, score=score))
            return int(held.id)

    def open(self, limit: int, offset: int = 0) -> tuple[tuple[Doubt, ...], int]:
        """Pairs that wait, the likeliest first, and how many wait in all."""
        waits = doubts.c.state == _OPEN
        query = sa.select(doubts).where(waits).order_by(doubts.c.score.desc(), doubts.c.id)
        with self._database.reading() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(doubts).where(waits)) or 0
            found = connection.execute(query.limit(limit).offset(offset))
            return tuple(_doubt(row) for row in found), total

    def about(self, records: Sequence[str]) -> tuple[Doubt, ...]:
        """Pairs that wait and have one of these records, the likeliest first."""
        either = sa.or_(doubts.c.record.in_(records), doubts.c.other.in_(records))
        query = sa.select(doubts).where(either, doubts.c.state == _OPEN)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(doubts.c.score.desc(), doubts.c.id))
            return tuple(_doubt(row) for row in found)

    def get(self, id: int) -> Doubt:
        """One pair, settled or not. Raises NotFound."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(doubts).where(doubts.c.id == id)).first()
        if row is None:
            raise NotFound("doubt", str(id))
        return _doubt(row)

    def between(self, one: str, other: str) -> Doubt | None:
        """The pair of these two records, settled or not; None when nobody has asked about it."""
        pair = _pair(*sorted((one, other), key=_age, reverse=True))
        with self._database.reading() as connection:
            row = connection.execute(sa.select(doubts).where(pair)).first()
        return None if row is None else _doubt(row)

    def settle(self, id: int, decision: Decision) -> Doubt:
        """Note what a person decided; the pair, settled. Raises NotFound; Conflict when somebody has decided
        otherwise in between. What follows from it is done by ``kb.merging``."""
        with self._database.writing() as connection:
            held = self.get(id)
            if held.decision is not None and held.decision is not decision:
                raise Conflict(f"doubt {id} was settled: {held.decision}")
            if held.decision is None:
                settled = doubts.update().where(doubts.c.id == id)
                connection.execute(settled.values(state=str(decision)))
                told = {"record": held.record, "other": held.other, "decision": str(decision)}
                self._trail.note(Action.DOUBT_SETTLED, f"doute:{id}", None, told)
            return self.get(id)

    def reopen(self, id: int) -> Doubt:
        """Ask again about a pair whose records were both kept; nothing else is undone. Raises NotFound."""
        with self._database.writing() as connection:
            held = self.get(id)
            if held.decision is not None:
                connection.execute(doubts.update().where(doubts.c.id == id).values(state=_OPEN))
                told = {"record": held.record, "other": held.other}
                before, after = told | {"decision": str(held.decision)}, told | {"decision": _OPEN}
                self._trail.note(Action.DOUBT_SETTLED, f"doute:{id}", before, after)
            return self.get(id)

    def forget(self, record: str) -> None:
        """Drop all pairs of a record that goes, settled ones too: its id never comes back."""
        with self._database.writing() as connection:
            connection.execute(doubts.delete().where(_has(record)))

    def pass_on(self, gone: str, kept: str) -> None:
        """Give the pairs of a record to the one that it is merged into: who keeps two works apart keeps
        them apart under the new number too. Where both have a pair with one other, the decided one stays."""
        with self._database.writing() as connection:
            rows = [_doubt(row) for row in connection.execute(sa.select(doubts).where(_has(gone)))]
            self.forget(gone)
            for row in rows:
                third = row.other if row.record == gone else row.record
                if third != kept:
                    _pass_on(connection, row, *sorted((third, kept), key=_age, reverse=True))


def _pass_on(connection: sa.Connection, given: Doubt, record: str, other: str) -> None:
    held = connection.execute(sa.select(doubts).where(_pair(record, other))).first()
    state = _OPEN if given.decision is None else str(given.decision)
    if held is None:
        values = {"kind": given.kind, "record": record, "other": other, "score": given.score}
        _insert(connection, values, state)
    elif held.state == _OPEN != state:
        connection.execute(doubts.update().where(doubts.c.id == held.id).values(state=state))


def _insert(connection: sa.Connection, values: dict[str, Any], state: str = _OPEN) -> int:
    id = next_value(connection, _NUMBER)
    at = datetime.now(UTC).isoformat()
    connection.execute(doubts.insert().values(values | {"id": id, "state": state, "created": at}))
    return id


def _age(record: str) -> tuple[int, str]:
    centre, _, number = record.partition(":")
    return int(number), centre


def _pair(record: str, other: str) -> sa.ColumnElement[bool]:
    return sa.and_(doubts.c.record == record, doubts.c.other == other)


def _has(record: str) -> sa.ColumnElement[bool]:
    return sa.or_(doubts.c.record == record, doubts.c.other == record)


def _doubt(row: Any) -> Doubt:
    return Doubt(
        id=row.id,
        kind=row.kind,
        record=row.record,
        other=row.other,
        score=row.score,
        decision=None if row.state == _OPEN else Decision(row.state),
        created=datetime.fromisoformat(row.created),
    )
