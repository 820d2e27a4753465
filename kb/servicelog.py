"""The service log: each step of each question, with who, when, by which channel, for how long.

Hides how steps are kept. No line holds a word of what was asked, nor anything of who asked, so that the log
stays when the rest is forgotten, and the figures of the service can always be counted again from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb.audit import Action, Trail
from kb.connection import Database, next_value
from kb.desk_rows import stamp
from kb.desk_tables import steps
from kb.errors import InvalidValue
from kb.questions import Channel, QuestionState

_READ_AT_ONCE = 2000
MOST_MINUTES = 2_000
"""Of one step: four days of work. More is a slip of the keys."""


class StepKind(StrEnum):
    """What happened."""

    RECEIVED = "received"
    TAKEN = "taken"  # somebody has it: claimed, assigned, passed on
    LEFT = "left"  # nobody has it any more
    MOVED = "moved"  # from one state to another
    CHANGED = "changed"  # what is asked was put otherwise: words, theme, territory
    HEARD = "heard"  # the asker said something
    SEEN = "seen"  # what the asker said was read, and needs no answer
    WROTE = "wrote"  # the desk wrote to the asker
    NOTED = "noted"
    SAVED = "saved"  # the answer was written on
    ANSWERED = "answered"  # the answer left
    REUSED = "reused"  # a past answer served
    PREPARED = "prepared"  # the copy to publish
    READ = "read"  # second reading
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    REVIEWED = "reviewed"  # a published answer was looked at again
    MERGED = "merged"
    SPENT = "spent"  # time, told apart from a step


_HEEDED = (StepKind.SEEN, StepKind.WROTE, StepKind.ANSWERED, StepKind.MOVED)
"""What shows that somebody has read what the asker said before: they said so, wrote, or moved the question
themselves. A publication and its withdrawal show nothing of the kind."""

EFFORTS = range(1, 7)
"""The READ scale (Reference Effort Assessment Data, B. G. Gerlich and G. L. Berard): 1 to 6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line. ``person`` is a number, None for the asker and the program; ``reused`` the record of the past
    answer that served."""

    id: int
    question: int
    kind: StepKind
    at: datetime
    person: int | None = None
    channel: Channel | None = None
    before: QuestionState | None = None
    after: QuestionState | None = None
    minutes: int | None = None
    effort: int | None = None
    reused: str | None = None


class ServiceLog:
    """The lines of one database."""

    def __init__(self, database: Database, trail: Trail) -> None:
        self._database = database
        self._trail = trail

    def add(
        self,
        question: int,
        kind: StepKind,
        *,
        person: int | None = None,
        channel: Channel | None = None,
        before: QuestionState | None = None,
        after: QuestionState | None = None,
        minutes: int | None = None,
        effort: int | None = None,
        reused: str | None = None,
        now: datetime | None = None,
    ) -> None:
        """Add a line, in the transaction of what it tells. Raises InvalidValue for minutes or an effort that
        cannot be."""
        if minutes is not None and not 0 <= minutes <= MOST_MINUTES:
            raise InvalidValue("minutes", f"indiquez un nombre de minutes entre 0 et {MOST_MINUTES}")
        if effort is not None and effort not in EFFORTS:
            raise InvalidValue("effort", "choisissez un niveau de 1 à 6")
        values: dict[str, Any] = {
            "question": question,
            "kind": kind,
            "at": stamp(now),
        }
        values |= {"person": person, "channel": channel, "before": before, "after": after}
        values |= {"minutes": minutes, "effort": effort, "reused": reused}
        with self._database.writing() as connection:
            connection.execute(steps.insert().values(id=next_value(connection, "step"), **values))
            told = {"step": str(kind)} | ({"state": str(after)} if after else {})
            self._trail.note(Action.QUESTION_STEP, f"question:{question}", None, told)

    def of(self, question: int) -> tuple[Step, ...]:
        """The lines of one question, oldest first."""
        query = sa.select(steps).where(steps.c.question == question).order_by(steps.c.id)
        with self._database.reading() as connection:
            return tuple(_step(row) for row in connection.execute(query))

    def latest(self, kind: StepKind, ids: Sequence[int]) -> dict[int, datetime]:
        """When a step of this kind happened last to each of these questions, if it did."""
        query = sa.select(steps.c.question, sa.func.max(steps.c.at)).group_by(steps.c.question)
        query = query.where(steps.c.question.in_(ids), steps.c.kind == kind)
        with self._database.reading() as connection:
            return {id: datetime.fromisoformat(at) for id, at in connection.execute(query)}

    @staticmethod
    def unheeded(question: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
        """The condition that the asker of ``question`` (a column of its numbers) said something since the
        desk did anything that shows that it was read."""

        def last(*kinds: StepKind) -> sa.ColumnElement[int]:
            found = sa.select(sa.func.coalesce(sa.func.max(steps.c.id), 0)).select_from(steps)
            return found.where(steps.c.question == question, steps.c.kind.in_(kinds)).scalar_subquery()

        return last(StepKind.HEARD) > last(*_HEEDED)

    def every(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Step]:
        """All lines of a time (UTC; ``until`` excluded) in the order in which they were written; memory stays
        flat."""
        last = 0
        while True:
            query = sa.select(steps).where(steps.c.id > last).order_by(steps.c.id).limit(_READ_AT_ONCE)
            if since:
                query = query.where(steps.c.at >= since.astimezone(UTC).isoformat())
            if until:
                query = query.where(steps.c.at < until.astimezone(UTC).isoformat())
            with self._database.reading() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            yield from map(_step, rows)
            last = rows[-1].id


def _step(row: Any) -> Step:
    return Step(
        id=row.id,
        question=row.question,
        kind=StepKind(row.kind),
        at=datetime.fromisoformat(row.at),
        person=row.person,
        channel=Channel(row.channel) if row.channel else None,
        before=QuestionState(row.before) if row.before else None,
        after=QuestionState(row.after) if row.after else None,
        minutes=row.minutes,
        effort=row.effort,
        reused=row.reused,
    )
