"""The answer to a question while it is written: one text, each writer's draft, and the pages that it cites.

Hides how nobody's text is lost when two write at once. The answer has a version; who saves from an older one
gets Conflict while their words stay in their draft, which only they take away. What an answer cites is read
from its text each time it is saved (``kb.quoting``), so that text and sources cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kb import quoting
from kb.connection import Database
from kb.desk_rows import moment
from kb.desk_tables import answers, citations, drafts, publications, questions
from kb.errors import Conflict, NotFound
from kb.questions import LONGEST_ANSWER, regular_text
from kb.servicelog import ServiceLog, StepKind

PRESENT = timedelta(minutes=5)
"""How long after the last sign of life somebody counts as writing: drafts are kept every few seconds."""

LONGEST_REASON = 500
"""Characters of why an answer cites nothing: a sentence or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The text of an answer (Markdown). Version 0 was never saved. ``without_source`` says why it cites
    nothing; ``sent_version`` is the one that the asker has."""

    question: int
    body: str = ""
    without_source: str | None = None
    version: int = 0
    at: datetime | None = None
    person: int | None = None
    sent: datetime | None = None
    sent_version: int | None = None

    @property
    def is_sent(self) -> bool:
        """Whether the asker has the text as it is now."""
        return self.sent is not None and self.sent_version == self.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What one person is writing, begun from version ``base`` of the answer."""

    question: int
    person: int
    body: str
    base: int
    at: datetime


class Answers:
    """The answers of one database. ``site`` is the public address, by which links to the fund may begin."""

    def __init__(self, database: Database, log: ServiceLog, *, site: str = "") -> None:
        self._database = database
        self._log = log
        self._site = site

    def get(self, question: int) -> Answer:
        """The answer as it was last saved; an empty one of version 0 when there is none."""
        query = sa.select(answers).where(answers.c.question == question)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return Answer(question=question) if row is None else _answer(row)

    def save(
        self,
        question: int,
        body: str,
        version: int,
        *,
        person: int,
        without_source: str = "",
        now: datetime | None = None,
    ) -> Answer:
        """Keep the text in the place of ``version``, and let go of this person's draft. What is kept already,
        sent twice or from an older version, changes nothing.

        Raises InvalidValue, NotFound, Conflict when another version was saved since, or the question was
        merged into another: then the text is kept as the draft of this person, unless who calls undoes it
        with a transaction of its own.
        """
        kept = regular_text("body", body, needed=False, longest=LONGEST_ANSWER)
        reason = regular_text("without_source", without_source, needed=False, longest=LONGEST_REASON) or None
        with self._database.writing() as connection:
            merged = _hold(connection, question) is not None
            held = self.get(question)
            same = (kept, reason) == (held.body, held.without_source)
            if not merged and (same or held.version == version):
                if not same:
                    self._put(held, kept, reason, person, now or datetime.now(UTC))
                self.drop_draft(question, person)
                return self.get(question)
            self.keep_draft(question, person, kept, version, now=now)
        why = "its question is a part of another one" if merged else f"is at version {held.version}"
        raise Conflict(f"answer {question}, written from version {version}: {why}")

    def _put(self, held: Answer, body: str, reason: str | None, person: int, now: datetime) -> None:
        values: dict[str, Any] = {"body": body, "without_source": reason, "version": held.version + 1}
        values |= {"at": now.isoformat(), "person": person}
        with self._database.writing() as connection:
            if held.version:
                connection.execute(answers.update().where(answers.c.question == held.question).values(values))
            else:
                connection.execute(answers.insert().values(question=held.question, **values))
            connection.execute(citations.delete().where(citations.c.question == held.question))
            cited = {
                (source.record, page)
                for source in quoting.sources(body, self._site)
                if source.record
                for page in source.pages or (0,)
            }
            rows = [{"question": held.question, "record": r, "page": p} for r, p in sorted(cited)]
            if rows:
                connection.execute(citations.insert(), rows)
            self._log.add(held.question, StepKind.SAVED, person=person, now=now)

    def mark_sent(self, question: int, *, now: datetime | None = None) -> None:
        """The asker has the text as it is now. Raises NotFound."""
        held = self.get(question)
        if not held.version:
            raise NotFound("answer", str(question))
        values = {"sent": (now or datetime.now(UTC)).isoformat(), "sent_version": held.version}
        with self._database.writing() as connection:
            connection.execute(answers.update().where(answers.c.question == question).values(values))

    def needs_reason(self, answer: Answer) -> bool:
        """Whether it cites nothing and does not say why."""
        return not answer.without_source and not quoting.sources(answer.body, self._site)

    # -- drafts

    def draft(self, question: int, person: int) -> Draft | None:
        """What this person was writing."""
        mine = sa.and_(drafts.c.question == question, drafts.c.person == person)
        with self._database.reading() as connection:
            row = connection.execute(sa.select(drafts).where(mine)).first()
        return None if row is None else _draft(row)

    def keep_draft(
        self, question: int, person: int, body: str, base: int, *, now: datetime | None = None
    ) -> None:
        """Keep what somebody is writing. Raises NotFound, InvalidValue when it is too long."""
        kept = regular_text("body", body, needed=False, longest=LONGEST_ANSWER)
        values = {"body": kept, "base": base, "at": (now or datetime.now(UTC)).isoformat()}
        mine = sa.and_(drafts.c.question == question, drafts.c.person == person)
        with self._database.writing() as connection:
            _hold(connection, question)
            if not connection.execute(drafts.update().where(mine).values(values)).rowcount:
                connection.execute(drafts.insert().values(question=question, person=person, **values))

    def drop_draft(self, question: int, person: int) -> None:
        """Let go of it; nothing when there is none."""
        mine = sa.and_(drafts.c.question == question, drafts.c.person == person)
        with self._database.writing() as connection:
            connection.execute(drafts.delete().where(mine))

    def carry_drafts(self, question: int, into: int) -> None:
        """What persons were writing on a question goes to the one that it was merged into, after what they
        were writing there. They begin from version 0 then: where an answer is saved, both are shown them."""
        with self._database.writing() as connection:
            for row in connection.execute(sa.select(drafts).where(drafts.c.question == question)).all():
                there = self.draft(into, row.person)
                body = f"{there.body}\n\n{row.body}".strip() if there else row.body
                values = {"question": into, "person": row.person, "body": body, "base": 0, "at": row.at}
                self.drop_draft(into, row.person)
                connection.execute(drafts.insert().values(values))
                self.drop_draft(question, row.person)

    def others_writing(self, question: int, person: int, *, now: datetime | None = None) -> tuple[Draft, ...]:
        """Drafts of other persons who gave a sign of life lately, the latest first."""
        since = ((now or datetime.now(UTC)) - PRESENT).isoformat()
        theirs = sa.and_(drafts.c.question == question, drafts.c.person != person, drafts.c.at >= since)
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(drafts).where(theirs).order_by(drafts.c.at.desc()))
            return tuple(map(_draft, rows))

    # -- what is cited

    def citing(self, record: str, page: int | None = None) -> tuple[str, ...]:
        """The records of the published answers that cite this one, or this page of it, newest first."""
        query = (
            sa.select(publications.c.record)
            .join(citations, citations.c.question == publications.c.question)
            .where(citations.c.record == record, publications.c.record.is_not(None))
            .group_by(publications.c.record)
            .order_by(sa.func.max(publications.c.published).desc(), publications.c.record)
        )
        if page is not None:
            query = query.where(citations.c.page == page)
        with self._database.reading() as connection:
            return tuple(connection.scalars(query))

    def cited(self, question: int) -> tuple[tuple[str, int], ...]:
        """(record, page) that an answer cites; page 0 is the whole work."""
        query = sa.select(citations.c.record, citations.c.page).where(citations.c.question == question)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(citations.c.record, citations.c.page))
            return tuple((row.record, row.page) for row in rows)


def _hold(connection: sa.Connection, question: int) -> int | None:
    """The question that this one was merged into. Whoever comes second in a transaction waits, so that of two
    who save at once one is told."""
    query = sa.select(questions.c.merged_into).where(questions.c.id == question).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("question", str(question))
    into: int | None = row.merged_into
    return into


def _answer(row: Any) -> Answer:
    return Answer(
        question=row.question,
        body=row.body,
        without_source=row.without_source,
        version=row.version,
        at=moment(row.at),
        person=row.person,
        sent=moment(row.sent),
        sent_version=row.sent_version,
    )


def _draft(row: Any) -> Draft:
    return Draft(
        question=row.question,
        person=row.person,
        body=row.body,
        base=row.base,
        at=datetime.fromisoformat(row.at),
    )
