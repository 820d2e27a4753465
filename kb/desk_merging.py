"""Questions that were asked twice: which look alike, and making one of two.

Hides when two questions are taken for one: the same person, lately, in nearly the same words. Nothing is
merged without somebody of the desk.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from rapidfuzz import fuzz

from kb.answers import Answers
from kb.connection import Database
from kb.desk import Desk, Wanted
from kb.desk_tables import answers, exchanges, notes, questions
from kb.errors import Conflict
from kb.french import terms
from kb.questions import Question, QuestionState, Said
from kb.servicelog import StepKind

LATELY = timedelta(days=90)
NEAR = 65.0
"""Likeness (rapidfuzz, of 100) of the words from which two questions of one person are offered as one. Of the
40 questions of the demonstration fund, each sent again with one of four sentences more, the least alike is at
67; the two that tell of one matter are at 69; of the 779 other pairs, whoever asked, the most alike is at
64.7."""

_MOST_COMPARED = 50


def alike(question: Question, desk: Desk) -> tuple[Question, ...]:
    """Other questions of the same person in nearly the same words, the nearest first."""
    if question.asker is None or question.merged_into is not None:
        return ()
    wanted = Wanted(states=(), asker=question.asker)
    others = [
        other
        for other in desk.listed(wanted, _MOST_COMPARED)
        if other.id != question.id and abs(other.received - question.received) <= LATELY
    ]
    rated = sorted(((_likeness(question, other), other.id, other) for other in others), reverse=True)
    return tuple(other for score, _, other in rated if score >= NEAR)


def order(one: Question, other: Question, held: Answers) -> tuple[Question, Question] | None:
    """Which of two becomes a part of which, as (part, whole): the later one of the earlier one, unless an
    answer to it was begun; None when they cannot be merged."""
    later, earlier = (one, other) if one.id > other.id else (other, one)
    for gone, kept in ((later, earlier), (earlier, later)):
        free = gone.answered is None and not held.get(gone.id).version
        if free and gone.merged_into is None and kept.merged_into is None and gone.id != kept.id:
            return gone, kept
    return None


def _likeness(one: Question, other: Question) -> float:
    return fuzz.token_sort_ratio(_words(one), _words(other))


def _words(question: Question) -> str:
    return " ".join(term for term in terms(question.text) if term)


def merge(
    id: int,
    into: int,
    *,
    desk: Desk,
    database: Database,
    person: int | None = None,
    now: datetime | None = None,
) -> Question:
    """Make ``id`` a part of ``into``: its words become an exchange there, its exchanges, notes and drafts
    follow, and it ends.

    Raises NotFound, Conflict when either was merged already, or when an answer to ``id`` was begun.
    """
    with database.writing() as connection:
        # Of two merges at once, the second one sees what the first one wrote.
        both = sa.select(questions.c.id).where(questions.c.id.in_((id, into))).order_by(questions.c.id)
        connection.execute(both.with_for_update()).all()
        gone, kept = desk.get(id), desk.get(into)
        if (
            id == into
            or gone.merged_into is not None
            or kept.merged_into is not None
            or gone.answered is not None
            or connection.scalar(sa.select(answers.c.version).where(answers.c.question == id))
        ):
            raise Conflict(f"question {id} cannot become a part of {into}")
        now = now or datetime.now(UTC)
        words = f"{gone.text}\n\n{gone.context}".strip()
        said = Said(text=words, channel=gone.channel, subject=gone.reference)
        desk.hear(into, said, person=person, now=gone.received)
        for table in (exchanges, notes):
            connection.execute(table.update().where(table.c.question == id).values(question=into))
        Answers(database, desk.log).carry_drafts(id, into)
        if gone.state is not QuestionState.CLOSED:
            desk.move(id, QuestionState.CLOSED, person=person, now=now)
        connection.execute(questions.update().where(questions.c.id == id).values(merged_into=into))
        desk.log.add(id, StepKind.MERGED, person=person, now=now)
        desk.log.add(into, StepKind.MERGED, person=person, now=now)
    return desk.get(into)
