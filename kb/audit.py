"""The audit trail: who did what, to what, when, and what it was before and after.

Hides how lines are chained: each carries the SHA-256 of the line before it and of its own words, so that a
line that is changed, taken out or put in shows (``verify``). What was cut off at the end shows against the
counter of lines, and against a head that somebody noted elsewhere. The database itself refuses to change a
line. Who acts is told once, by ``acting``, at the edge: a request, a command.

Lines name people by number: no address of theirs or of askers is in the trail, since nothing can be taken
out of it again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb.connection import Database, next_value
from kb.tables import counters, trail

SYSTEM = "systeme"
"""The actor when nobody said who acts: the program itself."""

_COUNTER = "trail"
_BEGINNING = "0" * 64
_READ_AT_ONCE = 2000

_actor: ContextVar[str] = ContextVar("actor", default=SYSTEM)


class Action(StrEnum):
    """What can be done that leaves a line. ``web.trail_page`` says each in French."""

    RECORD_CREATED = "record.created"
    RECORD_CHANGED = "record.changed"
    RECORD_DELETED = "record.deleted"
    RECORD_MERGED = "record.merged"
    DOUBT_SETTLED = "doubt.settled"
    THESAURUS_CHANGED = "thesaurus.changed"
    PERSON_INVITED = "person.invited"
    PERSON_CHANGED = "person.changed"
    PERSON_ERASED = "person.erased"
    PASSWORD_SET = "password.set"
    PASSWORD_LINK = "password.link"
    SIGNED_IN = "session.opened"
    SIGN_IN_REFUSED = "session.refused"
    SIGNED_OUT = "session.closed"
    SECOND_FACTOR_SET = "second-factor.set"
    SECOND_FACTOR_REMOVED = "second-factor.removed"
    RECOVERY_CODE_USED = "second-factor.recovery"
    KEY_MADE = "key.made"
    KEY_REVOKED = "key.revoked"
    MESSAGE_READ = "message.read"
    MESSAGE_RETRIED = "message.retried"
    DEPOSIT_OPENED = "deposit.opened"
    DEPOSIT_STOPPED = "deposit.stopped"
    DEPOSIT_RESUMED = "deposit.resumed"
    DEPOSIT_CANCELLED = "deposit.cancelled"
    MAPPING_SAVED = "mapping.saved"
    MAPPING_DELETED = "mapping.deleted"
    QUESTION_STEP = "question.step"
    ASKER_EXPORTED = "asker.exported"
    ASKER_ERASED = "asker.erased"
    CENTRE_ADDED = "centre.added"
    CENTRE_CHANGED = "centre.changed"
    SOURCE_ADDED = "source.added"
    SOURCE_CHANGED = "source.changed"
    SOURCE_PAUSED = "source.paused"
    SOURCE_RESUMED = "source.resumed"
    SOURCE_REMOVED = "source.removed"
    HARVESTED = "harvest.ended"
    ENVELOPE_WRITTEN = "envelope.written"
    WORD_ALIGNED = "word.aligned"
    DOCUMENT_REQUESTED = "document.requested"
    TRAIL_EXPORTED = "trail.exported"
    SECRET_ROTATED = "secret.rotated"


@contextmanager
def acting(actor: str) -> Iterator[None]:
    """Whatever is noted inside, ``actor`` did."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def actor() -> str:
    """Who acts now."""
    return _actor.get()


def acts(actor: str) -> None:
    """From here on in this context (a request), ``actor`` acts."""
    _actor.set(actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. ``object`` is "kind:id"; ``before`` and ``after`` hold what changed, only; ``at`` is UTC."""

    seq: int
    at: datetime
    actor: str
    action: str
    object: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines to show; None is any. ``object`` may end in ``*``. ``since`` and ``until`` are UTC,
    ``until`` excluded; ``below`` keeps the lines before that one."""

    actor: str | None = None
    action: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    below: int | None = None


class Trail:
    """The lines of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(
        self,
        action: Action,
        object: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a line, in the transaction that is open if there is one: what is done and its line stand or
        fall together."""
        with self._database.writing() as connection:
            seq = next_value(connection, _COUNTER)  # locks the counter: nobody else adds a line until commit
            values: dict[str, Any] = {
                "seq": seq,
                "at": datetime.now(UTC).isoformat(),
                "actor": _actor.get(),
                "action": str(action),
                "object": object,
                "before": _text(before),
                "after": _text(after),
            }
            last = connection.scalar(sa.select(trail.c.hash).where(trail.c.seq == seq - 1))
            connection.execute(trail.insert().values(values | {"hash": _hash(last or _BEGINNING, values)}))

    def lines(self, wanted: Wanted, limit: int = 50) -> list[Line]:
        """The lines wanted, newest first."""
        query = sa.select(trail).where(*_conditions(wanted)).order_by(trail.c.seq.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_line(row) for row in connection.execute(query)]

    def count(self, action: Action, since: datetime) -> int:
        """How often this was done since then (UTC)."""
        lines = sa.select(sa.func.count()).select_from(trail)
        wanted = lines.where(trail.c.action == action, trail.c.at >= since.isoformat())
        with self._database.reading() as connection:
            return connection.scalar(wanted) or 0

    def every(self, wanted: Wanted) -> Iterator[Line]:
        """All the lines wanted, newest first; memory stays flat."""
        below = wanted.below
        while batch := self.lines(dataclasses.replace(wanted, below=below), _READ_AT_ONCE):
            yield from batch
            below = batch[-1].seq

    def actors(self) -> list[str]:
        """All who ever acted."""
        with self._database.reading() as connection:
            return list(connection.scalars(sa.select(trail.c.actor).distinct().order_by(trail.c.actor)))

    def head(self) -> tuple[int, str]:
        """Number and hash of the last line: what to note elsewhere; (0, zeros) when there is none."""
        query = sa.select(trail.c.seq, trail.c.hash).order_by(trail.c.seq.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return (row.seq, row.hash) if row else (0, _BEGINNING)

    def verify(self, noted: str | None = None) -> tuple[int, list[int]]:
        """Number of lines read, and the numbers of those where the chain breaks ([] when it is whole).

        A break is a line that does not say what its hash says, or that does not follow the one before it; one
        past the last line means that the end is missing, by the counter or because ``noted``, the hash of a
        line that was seen before, is not in the chain any more.
        """
        counted = self._counter()  # before the lines are read: others may come while they are
        previous, count, last, broken, met = _BEGINNING, 0, 0, [], noted in (None, _BEGINNING)
        for row in self._rows():
            if row.seq != last + 1 or row.hash != _hash(previous, row._mapping):
                broken.append(row.seq)
            met = met or row.hash == noted
            previous, last, count = row.hash, row.seq, count + 1
        if counted > last or not met:
            broken.append(last + 1)
        elif last > self._counter():
            broken.append(last)
        return count, broken

    def _counter(self) -> int:
        """How many lines were ever added."""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(counters.c.value).where(counters.c.name == _COUNTER)) or 0

    def _rows(self) -> Iterator[Any]:
        last = 0
        while True:
            query = sa.select(trail).where(trail.c.seq > last).order_by(trail.c.seq).limit(_READ_AT_ONCE)
            with self._database.reading() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            yield from rows
            last = rows[-1].seq


def difference(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What differs between two states, field by field, as a line keeps it; None is "was not there"."""
    if before is None or after is None:
        return (None if before is None else dict(before), None if after is None else dict(after))
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: before.get(key) for key in changed}, {key: after.get(key) for key in changed}


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


_HASHED = ("seq", "at", "actor", "action", "object", "before", "after")


def _hash(previous: str, values: Mapping[Any, Any]) -> str:
    said = json.dumps([values[name] for name in _HASHED], ensure_ascii=False)
    return hashlib.sha256(f"{previous}\n{said}".encode()).hexdigest()


def _conditions(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.actor:
        yield trail.c.actor == wanted.actor
    if wanted.action:
        yield trail.c.action == wanted.action
    if wanted.object and wanted.object.endswith("*"):
        yield trail.c.object.startswith(wanted.object[:-1], autoescape=True)
    elif wanted.object:
        yield trail.c.object == wanted.object
    if wanted.since:
        yield trail.c.at >= wanted.since.isoformat()
    if wanted.until:
        yield trail.c.at < wanted.until.isoformat()
    if wanted.below is not None:
        yield trail.c.seq < wanted.below


def _line(row: Any) -> Line:
    return Line(
        seq=row.seq,
        at=datetime.fromisoformat(row.at),
        actor=row.actor,
        action=row.action,
        object=row.object,
        before=None if row.before is None else json.loads(row.before),
        after=None if row.after is None else json.loads(row.after),
        hash=row.hash,
    )
