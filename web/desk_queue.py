"""The queue of the desk as its address says it: which questions are looked at, and how each reads in a line.

Hides the names of the address's parameters. Every filter is a link to the same state with one thing changed;
who asked stands there as a number, never as an address of theirs.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from kb.accounts import Person
from kb.desk import Wanted
from kb.questions import DONE, OPEN, Question, QuestionState
from kb.servicelog import StepKind
from web.desk_words import CHANNELS, STATES, delay, opening, written_day
from web.notices import Link
from web.parts import Parts
from web.typography import written_date

SIZE = 25
"""Questions of one page: what a centre of three has open fits on one."""

_LAST_PAGE = 10_000
_LONGEST_WORDS = 200
_FIRST_WORDS = 170  # characters of a question in its line: two lines of text at 1280 pixels

NAMES: Mapping[str, QuestionState] = MappingProxyType(
    {
        "recue": QuestionState.RECEIVED,
        "en-cours": QuestionState.IN_HAND,
        "en-attente": QuestionState.WAITING,
        "repondue": QuestionState.ANSWERED,
        "publiee": QuestionState.PUBLISHED,
        "close": QuestionState.CLOSED,
    }
)
"""Value of ``etat`` in the address -> state."""

_CODE = re.compile(r"[A-Za-z0-9-]{1,40}")
MINE, NOBODY = "moi", "personne"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """What is looked at; as a value that makes addresses. ``who`` is "moi", "personne" or a number. Of one
    asker, all questions are shown, open and done."""

    done: bool = False
    state: str = ""
    who: str = ""
    theme: str = ""
    territory: str = ""
    asker: int | None = None
    late: bool = False
    unseen: bool = False
    words: str = ""
    page: int = 1

    @classmethod
    def from_args(cls, args: MultiDict[str, str]) -> QueueState:
        """The state that a query string says; whatever makes no sense there is left out."""
        state = args.get("etat", "")
        known = NAMES.get(state)
        done = known in DONE if known else args.get("vue", "") == "faites"
        unseen = args.get("message", "") == "nouveau" and done
        who, asker = args.get("qui", ""), _number(args.get("demandeur", ""))
        return cls(
            done=done,
            state=state if known else "",
            who=who if who in (MINE, NOBODY) or _number(who) else "",
            theme=_code(args.get("theme", "")),
            territory=_code(args.get("territoire", "")),
            asker=asker or None,
            late=args.get("retard", "") == "1" and not done,
            unseen=unseen,
            words=" ".join(args.get("mots", "")[:_LONGEST_WORDS].split()),
            page=min(_number(args.get("page", "")) or 1, _LAST_PAGE),
        )

    def changed(self, **fields: object) -> QueueState:
        """With other fields; back on the first page unless ``page`` is given."""
        return dataclasses.replace(self, **({"page": 1} | fields))  # type: ignore[arg-type]

    def pairs(self) -> list[tuple[str, str]]:
        """The state as parameters, what is usual left out."""
        said = (
            ("vue", "faites" if self.done and not self.state else ""),
            ("etat", self.state),
            ("qui", self.who),
            ("theme", self.theme),
            ("territoire", self.territory),
            ("demandeur", str(self.asker or "")),
            ("retard", "1" if self.late else ""),
            ("message", "nouveau" if self.unseen else ""),
            ("mots", self.words),
            ("page", str(self.page) if self.page > 1 else ""),
        )
        return [(name, value) for name, value in said if value]

    def url(self) -> str:
        """Its address."""
        return "/guichet" + (f"?{urlencode(self.pairs())}" if self.pairs() else "")

    @property
    def is_filtered(self) -> bool:
        """Whether it shows less than the whole of its view."""
        bare = QueueState(done=self.done, page=self.page)
        return self != bare

    def wanted(self, me: int | None, parts: Parts, now: datetime) -> Wanted:
        """The same, as it is asked of the desk."""
        people = {MINE: me, NOBODY: 0, "": None}
        one = NAMES.get(self.state)
        return Wanted(
            states=(one,) if one else () if self.asker else DONE if self.done else OPEN,
            assignee=people[self.who] if self.who in people else int(self.who),
            theme=self.theme or None,
            territory=self.territory or None,
            asker=self.asker,
            words=self.words,
            overdue_on=now.astimezone(parts.calendar.zone).date() if self.late else None,
            unseen=self.unseen,
        )


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,8}", text) else 0


def _code(text: str) -> str:
    return text if _CODE.fullmatch(text) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A question of the list. ``delay`` says how its deadline stands, ``overdue`` that it is behind us;
    ``since`` is the day on which it came, ``held_since`` the one on which somebody took it; ``unseen`` that
    the asker wrote since it was done."""

    reference: str
    url: str
    opening: str
    state: str
    state_name: str
    due: str
    delay: str
    overdue: bool
    today: bool
    wanted_by: str
    actor: str
    territory: Link | None
    themes: tuple[Link, ...]
    channel: str
    who: str
    mine: bool
    free: bool
    unseen: bool
    held_since: str
    since: str


class Lines:
    """Makes lines of questions, for one person at one moment."""

    def __init__(self, parts: Parts, state: QueueState, me: int | None, now: datetime | None = None) -> None:
        self._parts = parts
        self._state = state
        self._me = me
        self.now = now or datetime.now(UTC)
        self._names = {person.id: person.name for person in parts.people.all()}

    def all_of(self, questions: Sequence[Question]) -> tuple[Line, ...]:
        """The lines of some questions, with since when each is somebody's and what is new of it."""
        ids = [question.id for question in questions]
        taken = self._parts.desk.log.latest(StepKind.TAKEN, ids)
        new = self._parts.desk.unseen(ids)
        return tuple(self.of(one, taken.get(one.id), unseen=one.id in new) for one in questions)

    def of(self, question: Question, taken: datetime | None = None, *, unseen: bool = False) -> Line:
        """The line of a question."""
        calendar = self._parts.calendar
        today = self.now.astimezone(calendar.zone).date()
        return Line(
            reference=question.reference,
            url=f"/guichet/{question.reference}",
            opening=opening(question.text, _FIRST_WORDS),
            state=STATES[question.state],
            state_name=str(question.state),
            due=written_day(question.due, year=question.due.year != today.year),
            delay=delay(question, calendar, self.now),
            overdue=question.is_overdue(today),
            today=question.state in (QuestionState.RECEIVED, QuestionState.IN_HAND) and question.due == today,
            wanted_by=written_day(question.wanted_by) if question.wanted_by and question.is_open else "",
            actor=self.label(question.actor),
            territory=self._filter("territory", question.territory),
            themes=tuple(link for code in question.themes if (link := self._filter("theme", code))),
            channel=CHANNELS[question.channel],
            who=self._names.get(question.assignee or 0, ""),
            mine=question.assignee is not None and question.assignee == self._me,
            free=question.is_open and question.assignee is None,
            unseen=unseen,
            held_since=self._day(taken) if taken and question.assignee is not None else "",
            since=self._day(question.received),
        )

    def _day(self, moment: datetime) -> str:
        """A day of this year without its year."""
        zone = self._parts.calendar.zone
        day = moment.astimezone(zone).date()
        words = written_date(day.isoformat())
        return words.rpartition(" ")[0] if day.year == self.now.astimezone(zone).year else words

    def label(self, code: str | None) -> str:
        """The words of a code; the code itself when the vocabulary has it no more."""
        concept = self._parts.labels.concept(code) if code else None
        return concept.label if concept else code or ""

    def name(self, person: int | None) -> str:
        """What somebody of the staff is called."""
        return self._names.get(person or 0, "")

    def _filter(self, field: str, code: str | None) -> Link | None:
        if not code:
            return None
        chosen = getattr(self._state, field) == code
        return Link(self.label(code), self._state.changed(**{field: code}).url(), current=chosen)


_TALLIED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "recue": ("reçue", "reçues"),
        "en-cours": ("en cours", "en cours"),
        "en-attente": ("en attente du demandeur", "en attente du demandeur"),
        "repondue": ("répondue", "répondues"),
        "publiee": ("publiée", "publiées"),
        "close": ("close", "closes"),
    }
)
"""Value of ``etat`` -> what is said of one and of several."""


def tallies(parts: Parts, state: QueueState, me: int | None, now: datetime) -> Iterator[Link]:
    """How many questions stand where, each a link."""
    counts = parts.desk.counts()
    for name in (name for name, one in NAMES.items() if (one in DONE) == state.done):
        count, current = counts[NAMES[name]], state.state == name
        address = QueueState(done=state.done, state="" if current else name).url()
        yield Link(_TALLIED[name][count > 1], address, count, current)
    yield _unseen_tally(parts, state)
    if state.done:
        return
    for label, one in (("en retard", QueueState(late=True)), ("à moi", QueueState(who=MINE))):
        count = parts.desk.count(one.wanted(me, parts, now))
        current = state.late if one.late else state.who == MINE
        yield Link(label, QueueState().url() if current else one.url(), count, current)


def _unseen_tally(parts: Parts, state: QueueState) -> Link:
    """Those that are done and whose asker wrote again; told beside the open ones too, lest they be missed."""
    count = parts.desk.count(Wanted(states=DONE, unseen=True))
    address = QueueState(done=True, unseen=not state.unseen).url()
    return Link("avec un nouveau message", address, count, state.unseen)


def loads(parts: Parts, state: QueueState, staff: tuple[Person, ...], me: int | None) -> Iterator[Link]:
    """Open questions per person, each a link; nobody's first."""
    load = parts.desk.load()
    known = [(NOBODY, "à personne", 0)]
    known += [(MINE if p.id == me else str(p.id), "moi" if p.id == me else p.name, p.id) for p in staff]
    gone = set(load) - {id for _, _, id in known}  # those who answer no more, and still have some
    known += [(str(id), parts.people.get(id).name, id) for id in sorted(gone)]
    for who, label, id in known:
        current = state.who == who
        url = state.changed(who="" if current else who).url()
        yield Link(label, url, load.get(id, 0), current)


def chips(state: QueueState, lines: Lines) -> Iterator[Link]:
    """What the list is narrowed to, each a link that lets go of it."""
    who = {MINE: "à moi", NOBODY: "à personne"}
    said: tuple[tuple[str, str, object], ...] = (
        ("state", STATES[NAMES[state.state]] if state.state else "", ""),
        ("late", "en retard" if state.late else "", False),
        ("unseen", "avec un nouveau message" if state.unseen else "", False),
        ("who", who.get(state.who) or (lines.name(int(state.who)) if state.who else ""), ""),
        ("theme", lines.label(state.theme), ""),
        ("territory", lines.label(state.territory), ""),
        ("asker", f"demandeur n° {state.asker}" if state.asker else "", None),
        ("words", f"« {state.words} »" if state.words else "", ""),
    )
    for field, label, nothing in said:
        if label:
            yield Link(label, state.changed(**{field: nothing}).url())
