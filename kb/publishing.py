"""Answers made public: the anonymised copy of a question and its answer, who read it again, and the record by
which it is found like any document.

Hides the table of publications and how a copy becomes a record. The copy is a text of its own: what a person
of the desk accepted of it is all that ever leaves, and the question itself may be forgotten while the copy
stays. What looks personal and was kept on purpose is remembered by a digest, never by its words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb.database import Store
from kb.desk import Desk
from kb.desk_rows import moment
from kb.desk_tables import publications, questions
from kb.errors import Conflict, InvalidValue, NotFound
from kb.french import single_spaced
from kb.questions import LONGEST, LONGEST_ANSWER, QuestionState, check_move, regular_text
from kb.records import Agent, Origin, Page, Record, State, Subject
from kb.servicelog import StepKind
from kb.tables import changes
from kb.tables import records as rows

REVIEW_MONTHS = 24
"""Months after which a published answer is looked at again."""

TYPE = "question"
"""The type of the records of published answers."""

LONGEST_TITLE = 200

ACCESS = ("public", "network", "staff")
"""Who a published answer may be for: it is nothing that is read on the spot only."""


NO_CONSENT = "la personne n’a pas donné son accord à la publication : choisissez « L’équipe seulement »"


class Stage(StrEnum):
    """Where a publication stands."""

    DRAFT = "draft"
    TO_READ = "to_read"  # waits for its second reader
    READ = "read"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Why(StrEnum):
    """Why a published answer should be looked at again."""

    OLD = "old"
    SOURCE_GONE = "source_gone"  # a cited record was deleted or replaced by another one
    QUOTE_GONE = "quote_gone"  # words that are quoted are not in their page any more
    SCHEME_ENDED = "scheme_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The copy of one question and its answer. ``text`` is the question, ``body`` the answer in Markdown,
    ``themes`` codes of concepts; ``kept``: digests (``digest``) of what looks personal and stays; ``person``
    prepared it, ``reader`` read it again; ``review_on`` is a day, ``review_why`` what was noticed since.
    ``shown`` is the answer that is public under ``record``, while another one may be prepared."""

    question: int
    title: str
    text: str
    body: str
    access: str = "public"
    themes: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()
    record: str | None = None
    shown: str | None = None
    stage: Stage = Stage.DRAFT
    person: int | None = None
    reader: int | None = None
    at: datetime | None = None
    published: datetime | None = None
    review_on: date | None = None
    review_why: tuple[Why, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What somebody of the desk makes of a question and its answer, to be published."""

    title: str
    text: str
    body: str
    access: str = "public"
    themes: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()


def digest(kind: str, words: str) -> str:
    """How a decision about words that look personal is remembered."""
    return hashlib.sha256(f"{kind}\n{words}".encode()).hexdigest()[:24]


class Publications:
    """The publications of one fund. ``second_reader``: nothing is published that one person alone has
    read."""

    def __init__(self, store: Store, desk: Desk, *, centre: str, name: str, second_reader: bool) -> None:
        self._store = store
        self._database = store.database
        self._desk = desk
        self._centre = centre
        self._name = name
        self.second_reader = second_reader

    # -- reading

    def get(self, question: int) -> Publication:
        """The copy of this question. Raises NotFound."""
        found = self._where(publications.c.question == question)
        if not found:
            raise NotFound("publication", str(question))
        return found[0]

    def of_record(self, record: str) -> Publication:
        """The publication that is found by this record. Raises NotFound."""
        found = self._where(publications.c.record == record)
        if not found:
            raise NotFound("publication", record)
        return found[0]

    def of_records(self, ids: Sequence[str]) -> dict[str, Publication]:
        """The publications of several records, by record."""
        return {p.record: p for p in self._where(publications.c.record.in_(ids)) if p.record}

    def published(self) -> Iterator[Publication]:
        """All that are public, in order; memory stays flat."""
        last = 0
        while some := self._where(
            sa.and_(publications.c.record.is_not(None), publications.c.question > last), limit=200
        ):
            yield from some
            last = some[-1].question

    def to_review(self, today: date, limit: int, offset: int = 0) -> tuple[Publication, ...]:
        """Published answers that should be looked at again, the longest overdue first."""
        order = (publications.c.review_on, publications.c.question)
        return tuple(self._where(_due(today), limit=limit, offset=offset, order=order))

    def count_to_review(self, today: date) -> int:
        """How many there are."""
        query = sa.select(sa.func.count()).select_from(publications).where(_due(today))
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def to_read(self, limit: int) -> tuple[Publication, ...]:
        """Copies that wait for their second reader, the oldest first."""
        return tuple(
            self._where(publications.c.state == Stage.TO_READ, limit=limit, order=(publications.c.at,))
        )

    def _where(
        self,
        condition: sa.ColumnElement[bool],
        *,
        limit: int | None = None,
        offset: int = 0,
        order: Sequence[Any] = (publications.c.question,),
    ) -> list[Publication]:
        query = sa.select(publications).where(condition).order_by(*order).limit(limit).offset(offset)
        with self._database.reading() as connection:
            return [_publication(row) for row in connection.execute(query)]

    # -- preparing

    def prepare(
        self, question: int, copy: Copy, version: int, *, person: int, now: datetime | None = None
    ) -> Publication:
        """Keep the copy in the place of ``version`` (0: there was none). One that was read again must be read
        once more when it changes; a published one stays as it was until it is published again.

        Raises NotFound, InvalidValue, Conflict when somebody has changed it since.
        """
        values = _columns(copy) | {"person": person, "at": (now or datetime.now(UTC)).isoformat()}
        with self._database.writing() as connection:
            self._desk.get(question)
            this = publications.c.question == question
            held = connection.execute(sa.select(publications).where(this)).first()
            if (held.version if held else 0) != version:
                raise Conflict(f"publication {question} is not at version {version}")
            values |= {"version": version + 1, "reader": None, "state": Stage.DRAFT}
            if held is None:
                connection.execute(publications.insert().values(question=question, **values))
            else:
                connection.execute(publications.update().where(this).values(values))
            self._desk.log.add(question, StepKind.PREPARED, person=person, now=now)
        return self.get(question)

    def submit(self, question: int, version: int) -> Publication:
        """Ask for the second reading. Raises NotFound, Conflict, MoveRefused before the answer has left."""
        asked = self._desk.get(question)
        if asked.state is not QuestionState.PUBLISHED:
            check_move(asked.state, QuestionState.PUBLISHED)
        self._turn(question, version, (Stage.DRAFT,), {"state": Stage.TO_READ})
        return self.get(question)

    def read(self, question: int, version: int, *, reader: int, now: datetime | None = None) -> Publication:
        """Somebody else has read it and finds it good. Raises NotFound, Conflict, InvalidValue for who
        prepared it."""
        with self._database.writing():
            if self.get(question).person == reader:
                raise InvalidValue("reader", "la seconde lecture revient à une autre personne")
            self._turn(question, version, (Stage.TO_READ,), {"state": Stage.READ, "reader": reader})
            self._desk.log.add(question, StepKind.READ, person=reader, now=now)
        return self.get(question)

    def send_back(
        self, question: int, version: int, why: str, *, reader: int, now: datetime | None = None
    ) -> Publication:
        """The second reader wants something changed; ``why`` is kept as a note of the desk. Raises NotFound,
        Conflict, InvalidValue for no reason."""
        with self._database.transaction():
            self._turn(question, version, (Stage.TO_READ,), {"state": Stage.DRAFT})
            self._desk.note(question, why, person=reader, now=now)
        return self.get(question)

    def _turn(self, question: int, version: int, before: Iterable[Stage], values: dict[str, Any]) -> None:
        p = publications.c
        this = sa.and_(p.question == question, p.version == version, p.state.in_(tuple(before)))
        with self._database.writing() as connection:
            self.get(question)
            if not connection.execute(publications.update().where(this).values(values)).rowcount:
                raise Conflict(f"publication {question} has gone on since")

    # -- publishing

    def publish(
        self,
        question: int,
        version: int,
        pages: Sequence[Page],
        subjects: Iterable[str],
        *,
        person: int,
        review_on: date | None = None,
        now: datetime | None = None,
    ) -> str:
        """Make the copy public as a record; its id. ``pages`` are its text without Markdown, ``subjects``
        URIs of concepts. The question becomes PUBLISHED.

        Raises NotFound, Conflict, MoveRefused; InvalidValue when a second reading is wanted and has not been,
        or when who asked did not agree to more than the staff reading it.
        """
        now = now or datetime.now(UTC)
        day = now.astimezone(self._desk.calendar.zone).date()
        with self._database.transaction():
            held, asked = self.get(question), self._desk.get(question)
            self._check_ready(held, consent=asked.consent)
            id = self._id(held)
            values: dict[str, Any] = {
                "state": Stage.PUBLISHED,
                "record": id,
                "published": now.isoformat(),
                "review_why": None,
                "shown": held.body,
            }
            values["review_on"] = (review_on or after_months(day, REVIEW_MONTHS)).isoformat()
            self._turn(question, version, (Stage.DRAFT, Stage.READ, Stage.WITHDRAWN), values)
            self._store.save(self._record(id, held, asked.reference, day, subjects), pages)
            if asked.state is QuestionState.PUBLISHED:
                self._desk.log.add(question, StepKind.PUBLISHED, person=person, now=now)
            else:
                self._desk.move(
                    question, QuestionState.PUBLISHED, person=person, kind=StepKind.PUBLISHED, now=now
                )
        return id

    def _check_ready(self, held: Publication, *, consent: bool) -> None:
        if self.second_reader and held.stage is not Stage.READ:
            raise InvalidValue("reader", "une autre personne doit relire cette réponse avant sa publication")
        if held.access != "staff" and not consent:
            raise InvalidValue("access", NO_CONSENT)

    def _id(self, held: Publication) -> str:
        """Where it is found: where it was, unless somebody deleted or merged that record since."""
        if held.record and self._store.get_many([held.record]):
            return held.record
        return self._store.new_id(self._centre)

    def _record(
        self, id: str, held: Publication, reference: str, day: date, subjects: Iterable[str]
    ) -> Record:
        return Record(
            id=id,
            title=held.title,
            type=TYPE,
            agents=(Agent(self._name, "author", "body"),),
            date=day.isoformat(),
            abstract=held.text,
            identifiers={"question": reference},
            access=held.access,
            subjects=tuple(
                Subject(concept=uri, origin=Origin.LIBRARIAN, state=State.ACCEPTED)
                for uri in dict.fromkeys(subjects)
            ),
        )

    def withdraw(self, question: int, *, person: int, now: datetime | None = None) -> None:
        """Take the record away; the copy stays, as something to prepare again. Raises NotFound, Conflict."""
        with self._database.transaction():
            held = self.get(question)
            if held.record is None:
                raise Conflict(f"publication {question} is not published")
            values = {"state": Stage.WITHDRAWN, "record": None, "shown": None}
            self._turn(question, held.version, tuple(Stage), values)
            if self._store.get_many([held.record]):  # a cataloguer may have deleted it already
                self._store.delete(held.record)
            move = self._desk.get(question).state is QuestionState.PUBLISHED
            if move:
                self._desk.move(
                    question, QuestionState.ANSWERED, person=person, kind=StepKind.WITHDRAWN, now=now
                )
            else:
                self._desk.log.add(question, StepKind.WITHDRAWN, person=person, now=now)

    def restrict(self) -> int:
        """Show to the staff only what more people see than who asked agrees to (any more); how many."""
        query = (
            sa.select(rows.c.id)
            .join(publications, publications.c.record == rows.c.id)
            .join(questions, questions.c.id == publications.c.question)
            .where(questions.c.consent.is_(False), rows.c.access != "staff")
        )
        with self._database.reading() as connection:
            if not (found := connection.scalars(query).all()):
                return 0
        with self._database.transaction():
            for record in self._store.get_many(found).values():
                self._store.save(replace(record, access="staff"))
        return len(found)

    # -- looking again

    def changed_since(self, ids: Sequence[str], moment: datetime) -> frozenset[str]:
        """Those of the records that were saved, deleted or merged after a moment (UTC)."""
        c = changes.c
        query = sa.select(c.record).where(c.record.in_(ids), c.at > moment.astimezone(UTC).isoformat())
        with self._database.reading() as connection:
            return frozenset(connection.scalars(query))

    def last_review(self, question: int) -> datetime | None:
        """When somebody last looked at a published answer again (UTC); None: never."""
        looked = (step.at for step in self._desk.log.of(question) if step.kind is StepKind.REVIEWED)
        return max(looked, default=None)

    def notice(self, question: int, reasons: Iterable[Why]) -> None:
        """Note why a published answer should be looked at again, beside what was noted before."""
        with self._database.writing() as connection:
            held = self.get(question)
            both = sorted({*held.review_why, *reasons})
            values = {"review_why": json.dumps(both) if both else None}
            this = publications.c.question == question
            connection.execute(publications.update().where(this).values(values))

    def reviewed(
        self, question: int, *, person: int, review_on: date | None = None, now: datetime | None = None
    ) -> None:
        """Somebody has looked at it again and it holds. Raises NotFound."""
        now = now or datetime.now(UTC)
        day = now.astimezone(self._desk.calendar.zone).date()
        values = {
            "review_why": None,
            "review_on": (review_on or after_months(day, REVIEW_MONTHS)).isoformat(),
        }
        with self._database.writing() as connection:
            self.get(question)
            this = publications.c.question == question
            connection.execute(publications.update().where(this).values(values))
            self._desk.log.add(question, StepKind.REVIEWED, person=person, now=now)


def after_months(day: date, months: int) -> date:
    """The same day so many months later; the last one of a month that is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _due(today: date) -> sa.ColumnElement[bool]:
    p = publications.c
    old = sa.or_(p.review_on <= today.isoformat(), p.review_why.is_not(None))
    return sa.and_(p.record.is_not(None), old)


def _columns(copy: Copy) -> dict[str, Any]:
    if copy.access not in ACCESS:
        raise InvalidValue("access", "choisissez qui peut lire cette réponse")
    title = single_spaced(regular_text("title", copy.title, needed=True, longest=LONGEST_TITLE))
    return {
        "title": title,
        "text": regular_text("text", copy.text, needed=True, longest=LONGEST),
        "body": regular_text("body", copy.body, needed=True, longest=LONGEST_ANSWER),
        "access": copy.access,
        "themes": " ".join(copy.themes),
        "decisions": json.dumps(sorted(copy.kept)),
    }


def _publication(row: Any) -> Publication:
    return Publication(
        question=row.question,
        record=row.record,
        shown=row.shown,
        stage=Stage(row.state),
        title=row.title,
        text=row.text,
        body=row.body,
        access=row.access,
        themes=tuple(row.themes.split()),
        kept=frozenset(json.loads(row.decisions)),
        person=row.person,
        reader=row.reader,
        at=moment(row.at),
        published=moment(row.published),
        review_on=date.fromisoformat(row.review_on) if row.review_on else None,
        review_why=tuple(Why(why) for why in json.loads(row.review_why or "[]")),
        version=row.version,
    )
