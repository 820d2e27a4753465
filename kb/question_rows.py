"""Rows of a former log to questions: what each row will be, and how it is known again.

Hides how the words of a service become codes of the thesaurus and people of the staff. A row that cannot be a
question is told with its reason; a word that is not known leaves the question without it, and is told too.
How an ``Entry`` comes in is ``kb.former_log``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo

from kb.errors import InvalidRecord, InvalidValue
from kb.french import fold
from kb.headings import Columns
from kb.question_columns import IDENTITY, QUESTIONS
from kb.questions import LONGEST, LONGEST_ANSWER, Asked, Channel, QuestionState, regular_text
from kb.row_values import CHANNELS, STATES, YES, Told, effort_said, minutes_said, moment_said
from kb.rows import unguarded
from kb.thesaurus import Thesaurus

_S = QuestionState
_FIRST_YEAR = 1980  # before, no log was kept in a table: it is a slip of the keys
_MOST_THEMES = 10
_SHOWN = 60  # characters of a cell in a reason

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row as it will come in. Moments are UTC; ``ended`` is when it was answered or closed; ``person`` is
    a number of somebody of the staff; ``asker`` (address, name, telephone) is empty unless identities are
    taken. ``unknown``: (name of the column, what the cell said) that could not be taken. ``former``: the
    number that it had. ``key`` is how the row is known again."""

    key: str
    asked: Asked
    received: datetime
    state: QuestionState
    ended: datetime | None
    dated: bool
    answer: str
    minutes: int | None
    effort: int | None
    person: int | None
    asker: tuple[str, str, str]
    former: str
    unknown: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """By what a log is read: the vocabulary, people of the staff by folded name and address, the centre's
    zone and day, the channel of rows that tell of none, and whether the askers' identities are taken."""

    thesaurus: Thesaurus
    staff: Mapping[str, int]
    zone: ZoneInfo
    today: date
    channel: Channel = Channel.EMAIL
    identities: bool = False


@dataclass(slots=True)
class Reading:
    """Reads the rows of one log, in their order: equal rows are told apart by how many came before."""

    columns: Columns
    terms: Terms
    _seen: dict[str, int] = field(default_factory=dict)
    _codes: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def entry(self, cells: Sequence[str]) -> Entry:
        """The row as it will come in. Raises InvalidRecord, whose ``why`` is French, for one that cannot."""
        row = _Row(_said(self.columns, cells))
        received = self._moment("received", row)
        if received is None:
            _refuse("received", "pas de date de réception")
        text = row.text("text", LONGEST) or _refuse("text", "pas de question")
        ended, answer = self._moment("answered", row), row.text("answer", LONGEST_ANSWER)
        if ended is not None and self._day(ended) < self._day(received):
            _refuse("answered", "la date de réponse est avant celle de réception")
        asked, person = self._asked(row, text), self._person(row)
        state = _state(row, ended is not None, bool(answer), person is not None)
        done = state in (_S.ANSWERED, _S.CLOSED)
        return Entry(
            key=self._key(received, text),
            asked=asked,
            received=received,
            state=state,
            ended=max(ended or received, received) if done else None,
            dated=ended is not None,
            answer=answer,
            minutes=row.known("minutes", minutes_said(row.cell("minutes"))),
            effort=row.known("effort", effort_said(row.cell("effort"))),
            person=person,
            asker=self._asker(row),
            former=row.cell("reference")[:_SHOWN],
            unknown=tuple(row.unknown),
        )

    def _moment(self, name: str, row: _Row) -> datetime | None:
        said, what = row.cell(name), QUESTIONS.names[name].lower()
        if not said:
            return None
        found = moment_said(said, self.terms.zone)
        if found is None:
            _refuse(name, f"{what} non reconnue : « {said[:_SHOWN]} »")
        if self._day(found).year < _FIRST_YEAR or self._day(found) > self.terms.today:
            _refuse(name, f"{what} impossible : « {said[:_SHOWN]} »")
        return found

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.terms.zone).date()

    def _asked(self, row: _Row, text: str) -> Asked:
        themes = (row.known("themes", self._code(said, "themes"), said) for said in self._themes(row))
        channel = CHANNELS.get(fold(row.cell("channel")).strip(" ."))
        return Asked(
            text=text,
            context=row.text("context", LONGEST),
            channel=row.known("channel", channel) or self.terms.channel,
            actor=row.known("actor", self._code(row.cell("actor"), "actors")),
            territory=row.known("territory", self._code(row.cell("territory"), "territories")),
            themes=tuple(dict.fromkeys(filter(None, themes)))[:_MOST_THEMES],
            consent=fold(row.cell("consent")) in YES,
        )

    def _themes(self, row: _Row) -> Iterator[str]:
        """The themes of a cell: a label may hold a comma, so commas part only what is no label."""
        for value in (part.strip() for part in re.split(r"[;|\n]|\s/\s", row.cell("themes"))):
            parts = [part.strip() for part in value.split(",") if part.strip()]
            yield from (value,) if value and self._code(value, "themes") else parts

    def _code(self, said: str, scheme: str) -> str | None:
        """The code that words tell: a label, a code, or « T03 - Réussite éducative »."""
        if not said:
            return None
        if (said, scheme) not in self._codes:
            head, dash, rest = said.partition(" - ")
            words = (said, head, rest) if dash else (said,)
            self._codes[said, scheme] = next(
                filter(None, (self._coded(word, scheme) for word in words)), None
            )
        return self._codes[said, scheme]

    def _coded(self, words: str, scheme: str) -> str | None:
        """By any label of a concept, by its code, or by one part of a label that lists (« Chercheur,
        étudiant »), if no other concept has it."""
        concepts, said = self.terms.thesaurus.concepts(scheme), fold(words).strip()
        found = [c.code for c in self.terms.thesaurus.lookup(words) if c.scheme == scheme]
        found += [c.code for c in concepts if fold(c.code) == said]
        if not found:
            listed = [c.code for c in concepts if said in map(str.strip, fold(c.label).split(","))]
            found = listed if len(listed) == 1 else []
        return found[0] if found else None

    def _person(self, row: _Row) -> int | None:
        said = " ".join(fold(row.cell("person")).split())
        return row.known("person", self.terms.staff.get(said))

    def _asker(self, row: _Row) -> tuple[str, str, str]:
        if not self.terms.identities:
            return "", "", ""
        name, email, phone = (" ".join(row.cell(key).split()) for key in IDENTITY)
        return email, name, phone

    def _key(self, received: datetime, text: str) -> str:
        """Its day, its words, and which one it is of those that are equal: no other column changes it."""
        said = f"{self._day(received)}\n{fold(text)}"
        number = self._seen[said] = self._seen.get(said, 0) + 1
        return hashlib.sha256(f"{said}\n{number}".encode()).hexdigest()[:40]


def staff_by_name(people: Iterable[tuple[int, str, str]]) -> dict[str, int]:
    """Number of each person by what a log may call them: name in either order, address; those of two persons
    are left out. ``people``: number, name, address."""
    found: dict[str, set[int]] = {}
    for id, name, email in people:
        words = fold(name).split()
        for said in (" ".join(words), " ".join(words[::-1]), " ".join((*words[1:], *words[:1])), fold(email)):
            found.setdefault(said, set()).add(id)
    return {said: ids.pop() for said, ids in found.items() if said and len(ids) == 1}


@dataclass(slots=True)
class _Row:
    """What one row says, by name; and what of it was not understood."""

    cells: Mapping[str, str]
    unknown: list[tuple[str, str]] = field(default_factory=list)

    def cell(self, name: str) -> str:
        return self.cells.get(name, "").strip()

    def text(self, name: str, longest: int) -> str:
        try:
            return regular_text(name, self.cell(name), needed=False, longest=longest)
        except InvalidValue as error:
            _refuse(name, f"{QUESTIONS.names[name].lower()} : {error.why}")

    def known(self, name: str, found: T | None, said: str | None = None) -> T | None:
        """What was found; noted when a cell said something and nothing was."""
        said = self.cell(name) if said is None else said
        if said and found is None:
            self.unknown.append((name, said[:_SHOWN]))
        return found


def _said(columns: Columns, cells: Sequence[str]) -> dict[str, str]:
    if any(cell.strip() for cell in cells[len(columns.names) :]):
        _refuse("row", f"{len(cells)} cellules pour {len(columns.names)} colonnes")
    row: dict[str, str] = {}
    for name, cell in zip(columns.names, cells, strict=False):
        if name and (said := unguarded(cell).strip()):
            row[name] = f"{row[name]}\n{said}" if name in row else said
    return row


def _state(row: _Row, dated: bool, written: bool, staffed: bool) -> QuestionState:
    """Where it stands: what the log says, unless an answer tells more. A question without a word of its end
    is an old one that nobody owes anything any more."""
    told = row.known("state", STATES.get(fold(row.cell("state")).strip(" .")))
    if told is Told.ANSWERED or ((dated or written) and told in (None, Told.ENDED)):
        return _S.ANSWERED
    if told is Told.NEW or (told in (Told.IN_HAND, Told.WAITING) and not staffed):
        return _S.ANSWERED if dated else _S.RECEIVED
    if told in (Told.IN_HAND, Told.WAITING):
        return _S.ANSWERED if dated else _S(str(told))
    return _S.CLOSED


def _refuse(name: str, why: str) -> NoReturn:
    raise InvalidRecord(name, why)
