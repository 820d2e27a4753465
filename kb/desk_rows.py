"""Rows of the desk's tables as values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from kb.questions import Channel, Exchange, Note, Question, QuestionState


def as_question(row: Any) -> Question:
    """A row of ``questions``."""
    return Question(
        id=row.id,
        reference=row.reference,
        follow=row.follow,
        text=row.text,
        context=row.context,
        channel=Channel(row.channel),
        actor=row.actor,
        territory=row.territory,
        themes=tuple(row.themes.split()),
        wanted_by=_day(row.wanted_by),
        state=QuestionState(row.state),
        asker=row.asker,
        assignee=row.assignee,
        received=datetime.fromisoformat(row.received),
        due=date.fromisoformat(row.due),
        answered=moment(row.answered),
        ended=moment(row.ended),
        waiting_since=moment(row.waiting_since),
        waited=row.waited,
        consent=row.consent,
        merged_into=row.merged_into,
        anonymised=moment(row.anonymised),
        version=row.version,
    )


def as_exchange(row: Any, files: Sequence[str]) -> Exchange:
    """A row of ``exchanges`` with the names of its enclosures."""
    return Exchange(
        id=row.id,
        question=row.question,
        incoming=row.direction == "in",
        channel=Channel(row.channel),
        at=datetime.fromisoformat(row.at),
        person=row.person,
        subject=row.subject,
        text=row.text,
        quoted=row.quoted,
        message_id=row.message_id,
        references=tuple(row.references.split()),
        enclosures=tuple(files),
    )


def as_note(row: Any) -> Note:
    """A row of ``notes``."""
    return Note(
        id=row.id,
        question=row.question,
        at=datetime.fromisoformat(row.at),
        person=row.person,
        text=row.text,
    )


def stamp(now: datetime | None) -> str:
    """A moment as it is kept: in UTC, so that texts compare as times do; None is now."""
    return (now or datetime.now(UTC)).astimezone(UTC).isoformat()


def moment(text: str | None) -> datetime | None:
    """A time as it is kept, read."""
    return None if text is None else datetime.fromisoformat(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
