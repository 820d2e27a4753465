"""A former log taken in: each row becomes a question with its own times, once, whoever imports it again.

Hides by which moves a question comes to its state, and how a row is remembered. Nobody is written to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from kb.answers import Answers
from kb.askers import Askers
from kb.connection import Database
from kb.desk import Desk
from kb.errors import InvalidValue
from kb.question_columns import QUESTIONS
from kb.question_rows import Entry
from kb.questions import Question, QuestionState
from kb.servicelog import StepKind
from kb.tables import counters

_S = QuestionState
_PREFIX = "question-row:"
_READ_AT_ONCE = 500
_PORTION = (
    25  # rows of one transaction: others wait a quarter of a second at most, and a sync of the disk is shared
)
WITHOUT_SOURCE = "réponse reprise d’un registre antérieur"
"""Why an answer of a former log cites nothing."""


class FormerLog:
    """The rows that came into one database."""

    def __init__(self, database: Database, desk: Desk, answers: Answers) -> None:
        self._database = database
        self._desk = desk
        self._answers = answers
        self._askers = Askers(database)

    def known(self, keys: Sequence[str]) -> frozenset[str]:
        """Those of these rows that have come in."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for start in range(0, len(keys), _READ_AT_ONCE):
                names = [_PREFIX + key for key in keys[start : start + _READ_AT_ONCE]]
                query = sa.select(counters.c.name).where(counters.c.name.in_(names))
                found.update(name.removeprefix(_PREFIX) for name in connection.scalars(query))
        return frozenset(found)

    def take(
        self,
        entries: Sequence[Entry],
        *,
        person: int,
        more: Callable[[int], bool] = lambda done: True,
    ) -> int:
        """Let rows come in, typed by ``person``; how many had not yet. What came in stays when it is
        interrupted; it ends early when ``more``, told how many rows are done, says so."""
        taken = 0
        for start in range(0, len(entries), _PORTION):
            with self._database.transaction():
                portion = entries[start : start + _PORTION]
                taken += sum(self._one(entry, person) is not None for entry in portion)
            if not more(min(start + _PORTION, len(entries))):
                break
        return taken

    def _one(self, entry: Entry, person: int) -> Question | None:
        """The new question; None for a row that has come in already."""
        if not self._database.once(_PREFIX + entry.key):
            return None
        asker, unfit = self._asker(entry)
        desk, received = self._desk, entry.received
        id = desk.receive(entry.asked, asker, person=person, now=received).id
        if told := "\n".join(_remarks(entry, unfit)):
            desk.note(id, told, person=person, now=received)
        if entry.state is not _S.RECEIVED:
            self._bring(id, entry, person)
        if entry.state is not _S.ANSWERED and (entry.minutes is not None or entry.effort is not None):
            at = entry.ended or received
            spent, effort = entry.minutes, entry.effort
            desk.log.add(id, StepKind.SPENT, person=entry.person, minutes=spent, effort=effort, now=at)
        return desk.get(id)

    def _bring(self, id: int, entry: Entry, typist: int) -> None:
        """From its reception to its state."""
        desk, at = self._desk, entry.ended or entry.received
        if entry.person is not None:
            desk.assign(id, entry.person, person=entry.person, now=at)
        elif entry.state is not _S.CLOSED:
            desk.move(id, _S.IN_HAND, now=at)
        if entry.answer:
            writer = typist if entry.person is None else entry.person
            self._answers.save(id, entry.answer, 0, person=writer, without_source=WITHOUT_SOURCE, now=at)
        if entry.state is _S.ANSWERED:
            told = {"minutes": entry.minutes, "effort": entry.effort, "channel": entry.asked.channel}
            desk.move(id, _S.ANSWERED, person=entry.person, kind=StepKind.ANSWERED, now=at, **told)
            if entry.answer:
                self._answers.mark_sent(id, now=at)
        elif entry.state is not _S.IN_HAND:
            desk.move(id, entry.state, person=entry.person, now=at)

    def _asker(self, entry: Entry) -> tuple[int | None, list[str]]:
        """The number of who asked, and what of them could not be kept: an address with a slip in it."""
        given = dict(zip(("email", "name", "phone"), entry.asker, strict=True))
        unfit: list[str] = []
        while any(given.values()):
            try:
                return self._askers.known(**given, now=entry.received), unfit
            except InvalidValue as error:
                unfit.append(QUESTIONS.names[f"asker_{error.field}"])
                given[error.field] = ""
        return None, unfit


def _remarks(entry: Entry, unfit: Sequence[str]) -> list[str]:
    """What colleagues are told of a row, in a note."""
    found = [f"{QUESTIONS.names[name]} : « {said} »" for name, said in entry.unknown]
    lines = [f"Reprise d’un registre antérieur, sous le numéro {entry.former}."] if entry.former else []
    if found:
        lines.append(f"Non repris, faute d’être reconnu. {' ; '.join(found)}")
    if unfit:
        lines.append(f"Mal écrit, non repris : {', '.join(unfit)}.")
    if entry.state is _S.ANSWERED and not entry.dated:
        lines.append("Sans date de réponse : comptée le jour de la réception.")
    return lines
