"""What is forgotten of the persons who ask, when, and with what proof.

Hides what personal data the desk holds and where: the asker's row, the words of questions, exchanges and
notes, files that came with mails, mail that waits in the queue and in the spool, copies that were never
published. What stays is what the service accounts for: references, dates, themes, the service log, the
answer without who it was written to, and what was published. Each time something is forgotten the *ledger*
gains a line that says how much of what, for which questions, and never whose.

Rows and ledger are one transaction. Letters of the spool are files: they go after it, and those that a
killed process left go with the next ``sweep_letters``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb import forgetting
from kb.askers import Askers
from kb.audit import Action, Trail, actor
from kb.connection import Database, next_value
from kb.desk import Desk
from kb.desk_rows import as_question
from kb.desk_tables import answers, askers, drafts, erasures, exchanges, notes, publications, questions, steps
from kb.forgetting import Anonymise
from kb.mail import Mailed, Spool
from kb.publishing import after_months
from kb.questions import DONE, OPEN, Question, QuestionState
from kb.servicelog import StepKind
from kb.tables import messages, records
from kb.traces import Traces

_AT_ONCE = 10
"""Questions of one transaction, in which others wait: looking for names takes some 15 ms a page of text."""

_READ_AT_ONCE = 500
_ALONE = timedelta(days=1)
"""How long a person without a question is kept: whoever is typing it in has done so by then."""

_REFERENCE = re.compile(r"\b\d{4}-\d{3,7}\b")


class Cause(StrEnum):
    """Why something was forgotten."""

    REQUEST = "request"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One line of the ledger: ``questions`` are references, ``counts`` rows that were taken away or
    anonymised, by kind."""

    id: int
    at: datetime
    actor: str
    why: Cause
    questions: tuple[str, ...]
    counts: Mapping[str, int]


class Privacy:
    """Forgetting, in one database and its spool. ``months`` after a question's end, nothing of who asked it
    is left."""

    def __init__(
        self,
        database: Database,
        trail: Trail,
        desk: Desk,
        anonymise: Anonymise,
        *,
        months: int,
        spool: Spool,
    ) -> None:
        self._database = database
        self._trail = trail
        self._desk = desk
        self._askers = Askers(database)
        self._anonymise = anonymise
        self._spool = spool
        self.months = months

    # -- what is held of a person

    def questions_of(self, asker: int) -> tuple[Question, ...]:
        """All that they asked, the latest first; those that became a part of another one too."""
        query = sa.select(questions).where(questions.c.asker == asker).order_by(questions.c.id.desc())
        with self._database.reading() as connection:
            return tuple(as_question(row) for row in connection.execute(query))

    def everything(self, asker: int) -> dict[str, Any]:
        """All that is held of a person, as plain values to be handed to them; notes of the staff left out.
        Leaves a line in the trail. Raises NotFound."""
        person = self._askers.get(asker)
        held = self.questions_of(asker)
        self._trail.note(Action.ASKER_EXPORTED, f"demandeur:{asker}", None, {"questions": len(held)})
        return {
            "email": person.email,
            "name": person.name,
            "phone": person.phone,
            "since": person.created.isoformat(),
            "questions": [self._told(question) for question in held],
        }

    def _told(self, question: Question) -> dict[str, Any]:
        sent = sa.and_(answers.c.question == question.id, answers.c.sent.is_not(None))
        with self._database.reading() as connection:
            answer = connection.scalar(sa.select(answers.c.body).where(sent))
        return {
            "reference": question.reference,
            "received": question.received.isoformat(),
            "channel": str(question.channel),
            "state": str(question.state),
            "question": question.text,
            "context": question.context,
            "actor": question.actor,
            "territory": question.territory,
            "themes": list(question.themes),
            "wanted_by": question.wanted_by.isoformat() if question.wanted_by else None,
            "consent": question.consent,
            "answer": answer,
            "exchanges": [
                {
                    "at": said.at.isoformat(),
                    "from": "asker" if said.incoming else "centre",
                    "channel": str(said.channel),
                    "subject": said.subject,
                    "text": said.text,
                    "files": list(said.enclosures),
                }
                for said in self._desk.exchanges(question.id)
            ],
        }

    def named_in(self, asker: int) -> tuple[str, ...]:
        """References of published answers that name this person: what is public is taken away or mended by
        somebody, not by ``erase``. Raises NotFound."""
        traces = Traces(self._askers.get(asker))
        p = publications.c
        query = sa.select(questions.c.reference, records.c.body, p.shown)
        query = query.select_from(publications).join(questions, questions.c.id == p.question)
        query = query.join(records, records.c.id == p.record)
        with self._database.reading() as connection:
            found = connection.execute(query.where(questions.c.asker == asker).order_by(p.question)).all()
        return tuple(row.reference for row in found if traces.stand_in(_public_words(row)))

    # -- forgetting

    def erase(self, asker: int, *, now: datetime | None = None) -> None:
        """Forget a person who asks for it, and whatever they said. Raises NotFound."""
        now = now or datetime.now(UTC)
        with self._database.transaction():
            person = self._askers.get(asker)
            mine = self._ids(sa.select(questions.c.id).where(questions.c.asker == asker))
            counts, references = self._forget(mine, now)
            elsewhere = self._forget_elsewhere(mine, Traces(person))
            letters = self._letters_about(references, now) + self._forget_person(asker)
            counts.update(elsewhere | {"askers": 1, "messages": len(letters)})
            self._note(Cause.REQUEST, references, counts, now)
            self._trail.note(Action.ASKER_ERASED, f"demandeur:{asker}", None, {"why": str(Cause.REQUEST)})
        self._spool.forget(letters)
        self._database.settle()

    def expire(self, *, now: datetime | None = None) -> int:
        """Forget who asked the questions that ended too long ago, and then the persons who have no other
        question; how many questions. In portions: what was interrupted goes on next time."""
        now = now or datetime.now(UTC)
        done = 0
        while True:
            with self._database.transaction():  # looked for in it: a question taken up meanwhile is kept
                ids = self._ids(self._overdue(now).limit(_AT_ONCE))
                if not ids:
                    break
                counts, references = self._forget([*ids, *self._parts_of(ids)], now)
                letters = self._letters_about(references, now)
                counts["messages"] = len(letters)
                self._note(Cause.RETENTION, references, counts, now)
            self._spool.forget(letters)
            done += counts["questions"]
        self._expire_persons(now)
        self._database.settle()
        return done

    def _expire_persons(self, now: datetime) -> None:
        """Forget the persons who have no question (any more)."""
        asked = sa.select(questions.c.asker).where(questions.c.asker.is_not(None))
        alone = sa.select(askers.c.id).where(
            askers.c.id.not_in(asked), askers.c.created < (now - _ALONE).isoformat()
        )
        while True:
            with self._database.transaction():  # looked for in it: who asks meanwhile is kept
                some = self._ids(alone.order_by(askers.c.id).limit(_READ_AT_ONCE))
                if not some:
                    break
                letters = tuple(letter for id in some for letter in self._forget_person(id))
                counts = {"askers": len(some), "messages": len(letters)}
                self._note(Cause.RETENTION, (), counts, now)
                for id in some:
                    why = {"why": str(Cause.RETENTION)}
                    self._trail.note(Action.ASKER_ERASED, f"demandeur:{id}", None, why)
            self._spool.forget(letters)

    def overdue(self, *, now: datetime | None = None) -> int:
        """How many questions should have been forgotten by now: 0 once ``expire`` has been through."""
        late = self._overdue(now or datetime.now(UTC)).subquery()
        with self._database.reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(late)) or 0

    def forgotten_on(self, ids: Sequence[int]) -> dict[int, date]:
        """The first day on which who asked these questions is forgotten; those where an answer is owed are
        left out."""
        q = questions.c
        query = sa.select(q.id, _ended().label("ended")).where(q.id.in_(ids), q.state.in_(DONE))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        ends = {row.id: datetime.fromisoformat(row.ended).date() for row in rows if row.ended}
        return {id: self._first_day_after(day) for id, day in ends.items()}

    def _first_day_after(self, ended: date) -> date:
        """The first day from which ``months`` back is after the one on which a question ended. A month that
        is shorter has no such day: it is one of the next."""
        day = after_months(ended + timedelta(1), self.months)
        while after_months(day, -self.months) <= ended:
            day += timedelta(1)
        return day

    def ledger(self, limit: int = 100, offset: int = 0) -> tuple[Erasure, ...]:
        """What was forgotten, the latest first."""
        query = sa.select(erasures).order_by(erasures.c.id.desc()).limit(limit).offset(offset)
        with self._database.reading() as connection:
            return tuple(_erasure(row) for row in connection.execute(query))

    def sweep_letters(self) -> int:
        """Take away the letters of the spool that are in the queue no more; how many."""
        there = {int(path.stem) for path in self._spool.folder.glob("*.eml") if path.stem.isdecimal()}
        with self._database.reading() as connection:
            left = sorted(there - set(connection.scalars(sa.select(messages.c.id)))) if there else []
        self._spool.forget(left)
        return len(left)

    # -- which

    def _overdue(self, now: datetime) -> sa.Select[Any]:
        """Questions with something left of who asked though they ended long ago; parts of another one go
        with it. What was added after the words were forgotten (a note, another asker) counts as well."""
        last = after_months(now.astimezone(UTC).date(), -self.months)
        q, ended = questions.c, _ended()
        tables = (exchanges, notes, drafts)
        added = [sa.exists().where(t.c.question == q.id) for t in tables]
        left = sa.or_(q.anonymised.is_(None), q.asker.is_not(None), ended > q.anonymised, *added)
        wanted = (q.state.in_(DONE), q.merged_into.is_(None), ended < last.isoformat(), left)
        return sa.select(q.id).where(*wanted).order_by(q.id)

    def _parts_of(self, ids: Sequence[int]) -> list[int]:
        """The questions that became a part of these, and those that had become a part of them."""
        found: list[int] = []
        while ids := self._ids(sa.select(questions.c.id).where(questions.c.merged_into.in_(ids))):
            found += ids
        return found

    def _ids(self, query: sa.Select[Any]) -> list[int]:
        with self._database.reading() as connection:
            return [id for id in connection.scalars(query) if id is not None]

    # -- how

    def _forget(self, ids: Sequence[int], now: datetime) -> tuple[Counter[str], list[str]]:
        """Take what is personal out of these questions; how much of what, and their references."""
        counts: Counter[str] = Counter()
        references = []
        with self._database.writing() as connection:
            query = sa.select(questions).where(questions.c.id.in_(ids)).with_for_update()
            for question in [as_question(row) for row in connection.execute(query)]:
                traces = self._traces(question)
                clean = self._cleaner(traces)
                this = questions.update().where(questions.c.id == question.id)
                connection.execute(this.values(forgetting.question_values(question, clean, now)))
                references.append(question.reference)
                counts["questions"] += 1
                counts["answers"] += forgetting.in_answer(connection, question.id, clean)
                counts["copies"] += forgetting.in_copy(connection, question.id, clean)
                counts["versions"] += forgetting.in_versions(connection, question, traces)
            counts.update(forgetting.exchanges_where(connection, exchanges.c.question.in_(ids)))
            for name, table in (("notes", notes), ("drafts", drafts)):
                counts[name] += connection.execute(table.delete().where(table.c.question.in_(ids))).rowcount
        return counts, references

    def _traces(self, question: Question) -> Traces | None:
        return None if question.asker is None else Traces(self._askers.get(question.asker))

    def _cleaner(self, traces: Traces | None) -> Anonymise:
        """Takes out of a text what looks personal, and what is known to be the asker's."""
        if traces is None:
            return self._anonymise
        return lambda text: self._anonymise(traces.removed(text))

    def _forget_elsewhere(self, ids: Sequence[int], traces: Traces) -> Counter[str]:
        """What these questions left in those of others that they became a part of: their words, and what
        else was said there that names the person."""
        query = sa.select(questions.c.merged_into).where(questions.c.id.in_(ids))
        wholes = [id for id in self._ids(query) if id not in ids]
        mine = self._ids(sa.select(questions.c.reference).where(questions.c.id.in_(ids)))
        counts: Counter[str] = Counter()
        with self._database.writing() as connection:
            said = sa.select(exchanges).where(exchanges.c.question.in_(wholes))
            gone = [
                row.id
                for row in connection.execute(said).all()
                if row.subject in mine or traces.stand_in(f"{row.subject}\n{row.text}\n{row.quoted}")
            ]
            counts.update(forgetting.exchanges_where(connection, exchanges.c.id.in_(gone)))
            noted = sa.select(notes.c.id, notes.c.text).where(notes.c.question.in_(wholes))
            for row in connection.execute(noted).all():
                if traces.stand_in(row.text):
                    counts["notes"] += connection.execute(notes.delete().where(notes.c.id == row.id)).rowcount
        return counts

    def _forget_person(self, asker: int) -> tuple[int, ...]:
        """Their row and the mail to their address; the numbers of the letters."""
        person = self._askers.get(asker)
        with self._database.writing() as connection:
            letters: tuple[int, ...] = ()
            if person.email:
                mine = messages.delete().where(messages.c.recipient == person.email)
                letters = tuple(connection.scalars(mine.returning(messages.c.id)))
            connection.execute(askers.delete().where(askers.c.id == asker))
        return letters

    def _letters_about(self, references: Sequence[str], now: datetime) -> tuple[int, ...]:
        """Take the mail away that tells of these questions, to whomever: it shows some of their words."""
        wanted, m = frozenset(references), messages.c
        found: list[int] = []
        with self._database.writing() as connection:
            rows = connection.execute(sa.select(m.id, m.subject, m.source, m.state)).all() if wanted else []
            for row in rows:
                said = (row.subject, *self._letter(row))
                if any(wanted.intersection(_REFERENCE.findall(text)) for text in said):
                    found.append(row.id)
            connection.execute(messages.delete().where(m.id.in_(found)))
        return tuple(found)

    def _letter(self, row: Any) -> Iterator[str]:
        """What is kept of the text of a message; long lines of mail are cut by "=" (RFC 2045, 6.7)."""
        if row.source is not None:
            yield row.source.replace("=\r\n", "").replace("=\n", "")
        elif row.state == Mailed.SPOOLED:
            path = self._spool.folder / f"{row.id:06d}.eml"
            if path.is_file():
                yield path.read_bytes().replace(b"=\r\n", b"").decode("ascii", "replace")

    def _note(self, why: Cause, references: Iterable[str], counts: Mapping[str, int], now: datetime) -> None:
        values = {"at": now.isoformat(), "actor": actor(), "why": why}
        values |= {"questions": json.dumps(sorted(references))}
        values |= {"counts": json.dumps({name: count for name, count in counts.items() if count})}
        with self._database.writing() as connection:
            connection.execute(erasures.insert().values(id=next_value(connection, "erasure"), **values))


def _ended() -> sa.ColumnElement[str]:
    """When the question last ended: the last time that an answer was owed no more, or that its asker was
    heard since: what they say to a question that is done may wait for somebody to read it, and must not go
    before. The first answer says nothing of it, somebody may have written again since; closing what was
    answered long ago adds nothing."""
    s, done = steps.c, (QuestionState.ANSWERED, QuestionState.CLOSED)
    last = sa.or_(sa.and_(s.before.in_(OPEN), s.after.in_(done)), s.kind == StepKind.HEARD)
    lately = sa.select(sa.func.max(s.at)).where(s.question == questions.c.id, last)
    return sa.func.coalesce(lately.scalar_subquery(), questions.c.ended, questions.c.answered)


def _public_words(row: Any) -> str:
    """What everybody reads of a published answer, whatever copy of it is being prepared."""
    record = json.loads(row.body)
    return "\n".join((record["title"], record.get("abstract") or "", row.shown or ""))


def _erasure(row: Any) -> Erasure:
    return Erasure(
        id=row.id,
        at=datetime.fromisoformat(row.at),
        actor=row.actor,
        why=Cause(row.why),
        questions=tuple(json.loads(row.questions)),
        counts=json.loads(row.counts),
    )
