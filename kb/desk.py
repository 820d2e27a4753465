"""The desk: questions from their reception to their end, what is said to the asker, and what the staff note.

Hides the tables of questions, exchanges and notes, how references and deadlines are made, and that each
change is a line of the service log in the same transaction. Two persons at once: who writes from an older
``version`` gets Conflict, and nothing of the other's is lost.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from kb.audit import Trail
from kb.connection import Database, next_value
from kb.desk_rows import as_exchange, as_note, as_question, stamp
from kb.desk_tables import enclosures, exchanges, notes, questions
from kb.errors import Conflict, InvalidValue, NotFound
from kb.french import fold
from kb.questions import (
    DONE,
    LONGEST_ANSWER,
    OPEN,
    Asked,
    Enclosure,
    Exchange,
    Note,
    Question,
    QuestionState,
    Said,
    check_move,
    regular_text,
)
from kb.servicelog import ServiceLog, StepKind
from kb.workdays import Calendar

_S = QuestionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which questions to list; None or () is any. ``assignee`` 0 is nobody; ``words`` are sought folded in
    what is asked and in the reference; ``overdue_on`` keeps those that are late on that day, ``unseen`` those
    that are done and whose asker has said something since that nobody has read."""

    states: tuple[QuestionState, ...] = OPEN
    assignee: int | None = None
    theme: str | None = None
    territory: str | None = None
    asker: int | None = None
    words: str = ""
    overdue_on: date | None = None
    unseen: bool = False


class Desk:
    """The questions of one database. ``days`` is how many working days an answer is promised in."""

    def __init__(self, database: Database, trail: Trail, calendar: Calendar, days: int) -> None:
        self._database = database
        self.log = ServiceLog(database, trail)
        self.calendar = calendar
        self.days = days

    # -- reading

    def get(self, id: int) -> Question:
        """The question. Raises NotFound."""
        return self._one(questions.c.id == id, str(id))

    def by_reference(self, reference: str) -> Question:
        """The question that people call so. Raises NotFound."""
        return self._one(questions.c.reference == reference, reference)

    def by_follow(self, follow: str) -> Question:
        """The question whose asker has this secret. Raises NotFound, which does not tell the secret."""
        return self._one(questions.c.follow == follow, "…")

    def _held(self, id: int) -> Question:
        """The same, to be written on: whoever comes second in a transaction waits, and sees what the first
        one wrote."""
        return self._one(questions.c.id == id, str(id), lock=True)

    def _one(self, condition: sa.ColumnElement[bool], key: str, *, lock: bool = False) -> Question:
        query = sa.select(questions).where(condition)
        with self._database.reading() as connection:
            row = connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("question", key)
        return as_question(row)

    def get_many(self, ids: Sequence[int]) -> dict[int, Question]:
        """The questions that exist, by id."""
        query = sa.select(questions).where(questions.c.id.in_(ids))
        with self._database.reading() as connection:
            return {row.id: as_question(row) for row in connection.execute(query)}

    def listed(self, wanted: Wanted, limit: int, offset: int = 0) -> tuple[Question, ...]:
        """The questions wanted: open ones by what is due first, then those that wait for their asker, to
        whom nothing is due; the others by what came last."""
        opened = bool(wanted.states) and set(wanted.states) <= set(OPEN)
        waits = sa.case((questions.c.state == _S.WAITING, 1), else_=0)
        order = (waits, questions.c.due, questions.c.id) if opened else (questions.c.id.desc(),)
        query = sa.select(questions).where(*_conditions(wanted)).order_by(*order).limit(limit).offset(offset)
        with self._database.reading() as connection:
            return tuple(as_question(row) for row in connection.execute(query))

    def count(self, wanted: Wanted) -> int:
        """How many there are."""
        query = sa.select(sa.func.count()).select_from(questions).where(*_conditions(wanted))
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def unseen(self, ids: Sequence[int]) -> frozenset[int]:
        """Those of these questions that are done, and whose asker has said something since that nobody has
        read."""
        query = sa.select(questions.c.id).where(questions.c.id.in_(ids), _unseen())
        with self._database.reading() as connection:
            return frozenset(connection.scalars(query))

    def counts(self) -> dict[QuestionState, int]:
        """Questions by state; those merged into another one left out."""
        query = sa.select(questions.c.state, sa.func.count()).where(questions.c.merged_into.is_(None))
        with self._database.reading() as connection:
            found = {_S(state): n for state, n in connection.execute(query.group_by(questions.c.state))}
        return {state: found.get(state, 0) for state in _S}

    def load(self) -> dict[int, int]:
        """Open questions by assignee; 0 is nobody."""
        person = sa.func.coalesce(questions.c.assignee, 0)
        query = sa.select(person, sa.func.count()).where(questions.c.state.in_(OPEN)).group_by(person)
        with self._database.reading() as connection:
            return {int(id): count for id, count in connection.execute(query)}

    def exchanges(self, id: int) -> tuple[Exchange, ...]:
        """What the desk and the asker said, oldest first."""
        query = (
            sa.select(exchanges).where(exchanges.c.question == id).order_by(exchanges.c.at, exchanges.c.id)
        )
        names = (
            sa.select(enclosures.c.exchange, enclosures.c.name)
            .join(exchanges)
            .where(exchanges.c.question == id)
        )
        with self._database.reading() as connection:
            files: dict[int, list[str]] = {}
            for row in connection.execute(names.order_by(enclosures.c.exchange, enclosures.c.number)):
                files.setdefault(row.exchange, []).append(row.name)
            return tuple(as_exchange(row, files.get(row.id, ())) for row in connection.execute(query))

    def enclosure(self, question: int, exchange: int, number: int) -> Enclosure:
        """A file that came with a message of that question; counted from 0. Raises NotFound."""
        query = sa.select(enclosures).join(exchanges).where(exchanges.c.question == question)
        query = query.where(enclosures.c.exchange == exchange, enclosures.c.number == number)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound("enclosure", f"{exchange}/{number}")
        return Enclosure(name=row.name, media_type=row.media_type, content=row.content)

    def notes(self, id: int) -> tuple[Note, ...]:
        """What the staff noted, oldest first. For the desk only."""
        query = sa.select(notes).where(notes.c.question == id).order_by(notes.c.id)
        with self._database.reading() as connection:
            return tuple(as_note(row) for row in connection.execute(query))

    def of_message(self, message_id: str) -> int | None:
        """The question of which this message is an exchange."""
        query = sa.select(exchanges.c.question).where(exchanges.c.message_id == message_id).limit(1)
        with self._database.reading() as connection:
            found = connection.scalar(query)
        return None if found is None else self.current(found)

    def current(self, id: int) -> int:
        """The question itself, or the one that it was merged into. Raises NotFound."""
        while (into := self.get(id).merged_into) is not None:
            id = into
        return id

    # -- receiving

    def receive(
        self, asked: Asked, asker: int | None, *, person: int | None = None, now: datetime | None = None
    ) -> Question:
        """Keep a new question of ``asker``; ``person`` is who typed it for them. Raises InvalidValue."""
        now = now or datetime.now(UTC)
        text = regular_text("text", asked.text, needed=True)
        context = regular_text("context", asked.context, needed=False)
        with self._database.writing() as connection:
            reference = self._new_reference(connection, now)
            id, due = next_value(connection, "question"), self._due(now, 0, asked.wanted_by, now)
            values = {"id": id, "reference": reference, "follow": secrets.token_urlsafe(24), "asker": asker}
            values |= {"state": _S.RECEIVED, "received": stamp(now), "due": due.isoformat()}
            values |= {"waited": 0, "version": 1} | _put(reference, text, context, asked)
            connection.execute(questions.insert().values(values))
            self.log.add(
                id, StepKind.RECEIVED, person=person, channel=asked.channel, after=_S.RECEIVED, now=now
            )
        return self.get(id)

    def _new_reference(self, connection: sa.Connection, now: datetime) -> str:
        year = now.astimezone(self.calendar.zone).year
        return f"{year}-{next_value(connection, f'question:{year}'):03}"

    def _due(self, received: datetime, waited: int, wanted_by: date | None, known: datetime) -> date:
        """The day that the desk owes: what it promises, or sooner when the asker needs it sooner, but never
        before the working day after the desk had (``known``) what it needs."""
        promised = self.calendar.after(received, self.days + waited)
        if wanted_by is None:
            return promised
        return min(promised, max(wanted_by, self.calendar.after(known, 1)))

    def _owed(self, held: Question, wanted_by: date | None, now: datetime) -> date:
        """The same for a question that has a history: the promise counts from when it was last taken up
        again, if it was, and leaves out the days that it has waited for the asker since."""
        start = known = held.received
        waited, since = 0, None
        for step in self.log.of(held.id):
            if since is not None and step.before is _S.WAITING and step.after is not None:
                waited, known, since = waited + self.calendar.between(since, step.at), step.at, None
            if step.after is _S.WAITING:
                since = step.at
            elif step.before in DONE and step.after is _S.IN_HAND:
                start, known, waited = step.at, step.at, 0
        if since is not None:
            waited, known = waited + self.calendar.between(since, now), now
        if wanted_by is not None and held.received < start and wanted_by < self.calendar.after(start, 0):
            wanted_by = None  # it was wished of the first answer
        return self._due(start, waited, wanted_by, known)

    # -- changing

    def move(
        self,
        id: int,
        after: QuestionState,
        *,
        person: int | None = None,
        kind: StepKind = StepKind.MOVED,
        now: datetime | None = None,
        **told: Any,
    ) -> Question:
        """Go to another state; ``told`` is what the service log has besides (channel, minutes, effort).
        Raises NotFound, MoveRefused, Conflict for one that was merged into another."""
        now = now or datetime.now(UTC)
        with self._database.writing():
            held = self._held(id)
            if held.merged_into is not None:
                raise Conflict(f"question {id} is a part of another one")
            check_move(held.state, after)
            self._write(held, self._moved(held, after, now))
            self.log.add(id, kind, person=person, before=held.state, after=after, now=now, **told)
        return self.get(id)

    def _moved(self, held: Question, after: QuestionState, now: datetime) -> dict[str, Any]:
        values: dict[str, Any] = {"state": after}
        if after is _S.WAITING:
            values["waiting_since"] = stamp(now)
        elif held.waiting_since is not None:
            waited = held.waited + max(0, self.calendar.between(held.waiting_since, now))
            due = self._owed(held, held.wanted_by, now)
            values |= {"waiting_since": None, "waited": waited, "due": due.isoformat()}
        if after in (_S.ANSWERED, _S.PUBLISHED):
            values["answered"] = stamp(held.answered or now)
        if after is _S.IN_HAND and held.state in DONE:  # taken up again: the promise begins anew
            values["due"] = self._due(now, 0, None, now).isoformat()
        values["ended"] = stamp(now) if after is _S.CLOSED else None
        return values

    def assign(
        self, id: int, assignee: int | None, *, person: int | None = None, now: datetime | None = None
    ) -> Question:
        """Give a question to somebody, or to nobody; who has it, has it in hand. A done one may be passed on
        too. Raises NotFound."""
        with self._database.writing():
            held = self._held(id)
            if held.assignee == assignee:
                return held
            self._write(held, {"assignee": assignee})
            if assignee is None:
                self.log.add(id, StepKind.LEFT, person=person, now=now)
                if held.state is _S.IN_HAND:
                    self.move(id, _S.RECEIVED, person=person, now=now)
            else:
                self.log.add(id, StepKind.TAKEN, person=assignee, now=now)
                if held.state is _S.RECEIVED:
                    self.move(id, _S.IN_HAND, person=person, now=now)
        return self.get(id)

    def claim(self, id: int, person: int, *, now: datetime | None = None) -> Question:
        """Take a question that nobody has. Raises NotFound, Conflict when somebody was quicker."""
        with self._database.writing():
            if self._held(id).assignee not in (None, person):
                raise Conflict(f"question {id} is somebody's already")
            return self.assign(id, person, person=person, now=now)

    def release(self, assignee: int, *, person: int | None = None) -> None:
        """Give all open questions of somebody back to the queue."""
        for held in self.listed(Wanted(assignee=assignee), 10_000):
            self.assign(held.id, None, person=person)

    def change(
        self,
        id: int,
        version: int,
        asked: Asked,
        *,
        person: int | None = None,
        now: datetime | None = None,
    ) -> Question:
        """Put what is asked otherwise; ``version`` is the one that was looked at. Raises NotFound,
        InvalidValue, Conflict when somebody has changed it since."""
        text = regular_text("text", asked.text, needed=True)
        context = regular_text("context", asked.context, needed=False)
        with self._database.writing():
            held = self._held(id)
            if held.version != version:
                raise Conflict(f"question {id} is at version {held.version}, not {version}")
            values = _put(held.reference, text, context, asked) | {"version": version + 1}
            if held.is_open and asked.wanted_by != held.wanted_by:
                values["due"] = self._owed(held, asked.wanted_by, now or datetime.now(UTC)).isoformat()
            self._write(held, values)
            self.log.add(id, StepKind.CHANGED, person=person, now=now)
        return self.get(id)

    def set_asker(self, id: int, asker: int | None) -> None:
        """Say whose question it is. Raises NotFound."""
        with self._database.writing():
            self._write(self.get(id), {"asker": asker})

    def _write(self, held: Question, values: Mapping[str, Any]) -> None:
        with self._database.writing() as connection:
            connection.execute(questions.update().where(questions.c.id == held.id).values(dict(values)))

    def spend(self, id: int, minutes: int | None, effort: int | None, *, person: int | None = None) -> None:
        """Note time and effort apart from any step. Raises NotFound, InvalidValue."""
        if minutes is None and effort is None:
            raise InvalidValue("minutes", "indiquez un temps, un niveau, ou les deux")
        self.log.add(self.get(id).id, StepKind.SPENT, person=person, minutes=minutes, effort=effort)

    # -- what is said

    def hear(
        self, id: int, said: Said, *, person: int | None = None, now: datetime | None = None
    ) -> int | None:
        """The asker said something; the number of the exchange. A question that waited for it is in
        hand again; one that is done stays so, and is ``unseen`` until somebody has read it. What is said to a
        merged one is said to the one that it is a part of. None when this very message is there already.
        Raises NotFound, InvalidValue."""
        with self._database.writing() as connection:
            id = self.current(id)
            held = self._held(id)
            if said.message_id and self.of_message(said.message_id) is not None:
                return None
            number = self._keep(held, said, incoming=True, person=person, now=now)
            rows = [
                {"exchange": number, "number": n, **dataclasses.asdict(file)}
                for n, file in enumerate(said.enclosures)
            ]
            if rows:
                connection.execute(enclosures.insert(), rows)
            self.log.add(id, StepKind.HEARD, person=person, channel=said.channel, now=now)
            if held.state is _S.WAITING:
                # Written before that perhaps, but it is not taken up before it was let go.
                at = max(now or datetime.now(UTC), held.waiting_since or held.received)
                self.move(id, _S.IN_HAND, person=person, now=at)
        return number

    def see(self, id: int, *, person: int | None = None, now: datetime | None = None) -> None:
        """Somebody has read what the asker said since a question was done, and nothing needs to be answered.
        Changes nothing when there is nothing to read. Raises NotFound."""
        with self._database.writing():
            held = self._held(self.current(id))
            if self.unseen((held.id,)):
                self.log.add(held.id, StepKind.SEEN, person=person, now=now)

    def write(
        self,
        id: int,
        said: Said,
        *,
        kind: StepKind = StepKind.WROTE,
        person: int | None = None,
        now: datetime | None = None,
    ) -> int:
        """The desk told the asker something; the number of the exchange. Of a merged one it is an exchange of
        the whole. The message itself is sent by who calls, in the same transaction. Raises NotFound,
        InvalidValue."""
        with self._database.writing():
            id = self.current(id)
            number = self._keep(self.get(id), said, incoming=False, person=person, now=now)
            self.log.add(id, kind, person=person, channel=said.channel, now=now)
        return number

    def _keep(
        self, held: Question, said: Said, *, incoming: bool, person: int | None, now: datetime | None
    ) -> int:
        text = regular_text("text", said.text, needed=not said.enclosures, longest=4 * LONGEST_ANSWER)
        with self._database.writing() as connection:
            id = next_value(connection, "exchange")
            direction = "in" if incoming else "out"
            values: dict[str, Any] = {"id": id, "question": held.id, "direction": direction}
            values |= {"person": person, "channel": said.channel, "text": text, "subject": said.subject}
            values |= {"at": stamp(now), "quoted": said.quoted}
            values |= {"message_id": said.message_id, "references": " ".join(said.references)}
            connection.execute(exchanges.insert().values(values))
        return id

    def note(self, id: int, text: str, *, person: int | None = None, now: datetime | None = None) -> int:
        """Note something for the staff; the number of the note. Raises NotFound, InvalidValue."""
        kept = regular_text("note", text, needed=True)
        with self._database.writing() as connection:
            held = self.get(self.current(id))
            number = next_value(connection, "note")
            at = stamp(now)
            values = {"id": number, "question": held.id, "at": at, "person": person, "text": kept}
            connection.execute(notes.insert().values(values))
            self.log.add(held.id, StepKind.NOTED, person=person, now=now)
        return number


def _unseen() -> sa.ColumnElement[bool]:
    """Done, and its asker was heard since; of one that was anonymised, what they said is gone."""
    q = questions.c
    return sa.and_(q.state.in_(DONE), q.anonymised.is_(None), ServiceLog.unheeded(q.id))


def _conditions(wanted: Wanted) -> Iterable[sa.ColumnElement[bool]]:
    q = questions.c
    yield q.merged_into.is_(None)
    if wanted.states:
        yield q.state.in_(wanted.states)
    if wanted.assignee is not None:
        yield q.assignee == wanted.assignee if wanted.assignee else q.assignee.is_(None)
    if wanted.theme:
        padded = sa.literal(" ") + q.themes + sa.literal(" ")
        yield padded.contains(f" {wanted.theme}", autoescape=True)  # a theme and those below it: T03, T03-02
    if wanted.territory:
        yield q.territory == wanted.territory
    if wanted.asker is not None:
        yield q.asker == wanted.asker
    for word in fold(wanted.words).split()[:8]:
        yield q.folded.contains(word, autoescape=True)
    if wanted.overdue_on:
        yield sa.and_(q.state.in_((_S.RECEIVED, _S.IN_HAND)), q.due < wanted.overdue_on.isoformat())
    if wanted.unseen:
        yield _unseen()


def _put(reference: str, text: str, context: str, asked: Asked) -> dict[str, Any]:
    """What is asked, as its columns."""
    return {
        "text": text,
        "context": context,
        "folded": fold(f"{reference} {text} {context}"),
        "channel": asked.channel,
        "actor": asked.actor,
        "territory": asked.territory,
        "themes": " ".join(asked.themes),
        "wanted_by": None if asked.wanted_by is None else asked.wanted_by.isoformat(),
        "consent": asked.consent,
    }
