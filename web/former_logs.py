"""A log of questions read for the page and for the command: its rows, what each becomes, what is left out.

Hides that the file is read in the sandbox, and puts the vocabulary and the people of the centre together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingest import table_rows
from ingest.sheets import Row
from ingest.table_rows import Rows
from ingest.tables import REASON_HEADING, csv_line
from kb.errors import InvalidRecord
from kb.former_log import FormerLog
from kb.headings import Columns
from kb.mappings import Mappings
from kb.question_columns import QUESTIONS
from kb.question_rows import Entry, Reading, Terms, staff_by_name
from kb.questions import Channel
from web.parts import Parts

MOST_ROWS = 20_000
"""Rows of one log: fifty years of a desk that answers a question and a half each working day."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row: what it becomes, or why it cannot (``fault``, French); ``words`` are those of the question."""

    row: Row
    words: str
    entry: Entry | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A log as it would come in. ``unknown``: how often (name of the column, what a cell said) could not be
    taken."""

    columns: Columns
    lines: tuple[Line, ...]
    unknown: Mapping[tuple[str, str], int]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What can come in."""
        return tuple(line.entry for line in self.lines if line.entry is not None)

    @property
    def rejected(self) -> tuple[Line, ...]:
        """What cannot."""
        return tuple(line for line in self.lines if line.entry is None)

    @property
    def undated(self) -> int:
        """How many are answered on nobody knows which day."""
        return sum(not entry.dated for entry in self.entries if entry.state == "answered")


def read(parts: Parts, path: Path, columns: Columns | None) -> Rows:
    """The rows of a log; columns that nobody gave are those of a saved mapping with these headings, else
    guessed. Raises UnreadableDocument."""
    found = table_rows.read(parts.sandbox, path, columns, "questions", MOST_ROWS)
    if columns is None and (known := mappings(parts).matching(found.columns.headings)):
        return Rows(found.sheet, known[1], found.others, found.rows)
    return found


def mappings(parts: Parts) -> Mappings:
    """What the columns of logs hold, as people saved it."""
    return Mappings(parts.store.database, parts.trail, QUESTIONS)


def former_log(parts: Parts) -> FormerLog:
    """Where rows come in."""
    return FormerLog(parts.store.database, parts.desk, parts.answers)


def terms(parts: Parts, channel: Channel, *, identities: bool) -> Terms:
    """By what a log is read today."""
    zone = parts.calendar.zone
    return Terms(
        thesaurus=parts.thesaurus,
        staff=staff_by_name((person.id, person.name, person.email) for person in parts.people.all()),
        zone=zone,
        today=datetime.now(UTC).astimezone(zone).date(),
        channel=channel,
        identities=identities,
    )


def planned(rows: Rows, known: Terms) -> Plan:
    """What each row becomes."""
    reading = Reading(rows.columns, known)
    lines = tuple(_line(reading, row) for row in rows.rows)
    entries = (line.entry for line in lines if line.entry is not None)
    unknown = Counter(pair for entry in entries for pair in entry.unknown)
    return Plan(rows.columns, lines, dict(unknown.most_common()))


def _line(reading: Reading, row: Row) -> Line:
    said = zip(reading.columns.names, row.cells, strict=False)
    words = next((cell for name, cell in said if name == "text"), "")
    if row.fault:
        return Line(row, words, None, row.fault)
    try:
        return Line(row, words, reading.entry(row.cells))
    except InvalidRecord as error:
        return Line(row, words, None, error.why)


def rejected_csv(plan: Plan) -> Iterator[bytes]:
    """The rows that cannot come in, to mend and bring again, as French Excel opens it; the reason of each in
    a last column."""
    headings = plan.columns.headings
    yield "\ufeff".encode() + csv_line((*headings, REASON_HEADING))
    for line in plan.rejected:
        cells = line.row.cells
        yield csv_line((*cells, *("",) * (len(headings) - len(cells)), line.fault))
