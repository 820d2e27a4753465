"""Where the rows of a table stand in a spreadsheet, whatever sort of table it is, and what its columns hold.

Hides which sheet and which line hold the headings, and how rows cross the border of the sandbox.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest import sheets
from ingest.isolation import Sandbox
from ingest.sheets import LONGEST_CELL, MOST_COLUMNS, Row, Sheet
from kb.errors import Reason, UnreadableDocument
from kb.headings import CATALOGUE, Columns, ColumnSet, guess, known_headings
from kb.question_columns import QUESTIONS

SETS = {"catalogue": CATALOGUE, "questions": QUESTIONS}
"""Sorts of tables by the name that a task of the sandbox is told."""

_TITLE_LINES = 30  # lines at the head of a sheet among which the headings stand: a title, an address, a date
_SAMPLE = 100  # rows by whose cells columns are guessed


@dataclass(frozen=True, slots=True)
class Table:
    """The sheet that holds what is wanted, and the line of its headings. ``others``: names of other sheets
    that say something."""

    sheet: Sheet
    line: int
    columns: Columns
    others: tuple[str, ...]
    media_type: str

    def rows(self) -> Iterator[Row]:
        """Those below the headings; headings said again at the head of a printed page are no row."""
        again = tuple(map(str.strip, self.columns.headings))
        for row in self.sheet.rows():
            if row.line > self.line and tuple(map(str.strip, row.cells)) != again:
                yield row


def located(path: Path, columns: Columns | None, held: ColumnSet = CATALOGUE) -> Table:
    """The table of a file: with headings that a person gave, the one that has them; else as ``_heading_row``
    ranks them, the first of the best. Raises UnreadableDocument."""
    found = [(sheet, head) for sheet in sheets.sheets(path) if (head := _head(sheet))]
    if not found:
        raise UnreadableDocument(Reason.BAD_RECORDS, "no row")
    if columns is not None and columns.headings:
        sheet, row = _with_headings(found, columns.headings)
    else:
        ranked = [(*_heading_row(head, held), sheet) for sheet, head in found]
        _, row, sheet = max(ranked, key=lambda one: one[0])
        columns = _columns(sheet, row, columns, held)
    others = tuple(other.name for other, _ in found if other is not sheet)
    return Table(sheet, row.line, columns, others, sheets.media_type(path))


def _head(sheet: Sheet) -> list[Row]:
    return list(itertools.islice(sheet.rows(), _TITLE_LINES))


def _columns(sheet: Sheet, row: Row, given: Columns | None, held: ColumnSet) -> Columns:
    """Columns below this row of headings: those that a person gave, else guessed."""
    below = (other.cells for other in sheet.rows() if other.line > row.line)
    sample = list(itertools.islice(below, _SAMPLE))
    headings = _padded(row.cells, sample)
    return guess(headings, sample, held) if given is None else Columns(given.names, headings)


def _heading_row(head: Sequence[Row], held: ColumnSet) -> tuple[int, Row]:
    """The row that tells most of what columns hold, and its rank: 2 if it tells of all that is needed and
    something more, 1 of what is needed, 0 when no row does and the first is taken."""
    needed, told = set(held.needed), [known_headings(row.cells, held) for row in head]
    credits = [1 + len(known - needed) if needed <= known else 0 for known in told]
    best = credits.index(max(credits))
    return min(credits[best], 2), head[best]


def _with_headings(found: list[tuple[Sheet, list[Row]]], headings: Sequence[str]) -> tuple[Sheet, Row]:
    wanted = [heading.strip() for heading in headings]
    for sheet, head in found:
        for row in head:
            if [cell.strip() for cell in _padded(row.cells, [headings])] == wanted:
                return sheet, row
    raise UnreadableDocument(Reason.BAD_RECORDS, "the headings that were given are not in the file")


def _padded(headings: Sequence[str], sample: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Headings for as many columns as half the rows have: the last ones may have none."""
    widths = sorted(map(len, sample))
    width = widths[len(widths) // 2] if widths else 0
    return (*headings, *("",) * (width - len(headings)))


# -- across the border


@dataclass(frozen=True, slots=True)
class Rows:
    """A table as the parent has it: the name of its sheet ("" in a CSV file), its columns, its rows."""

    sheet: str
    columns: Columns
    others: tuple[str, ...]
    rows: tuple[Row, ...]


def emit(path: str, columns: str, sort: str) -> Iterator[str]:
    """The task of ``ingest.isolation`` that gives the rows of a table: a line about the table, then one for
    each row. ``columns`` is the JSON of ``Columns``, "" to guess them; ``sort`` a key of ``SETS``."""
    held = SETS[sort]
    table = located(Path(path), Columns.from_json(columns, held) if columns else None, held)
    yield json.dumps([table.sheet.name, table.columns.to_json(), table.others])
    for row in table.rows():
        yield json.dumps([row.line, row.cells, row.fault])


def read(sandbox: Sandbox, path: Path, columns: Columns | None, sort: str, most: int) -> Rows:
    """The rows of a table, read in a child. Raises UnreadableDocument; TOO_LARGE for more than ``most``."""
    given = columns.to_json() if columns else ""
    frames = sandbox.run("ingest.table_rows:emit", str(path), given, sort)
    try:
        sheet, told, others = json.loads(next(frames))
        rows = tuple(_rows(itertools.islice(frames, most + 1)))
        found = Rows(
            _text(sheet), Columns.from_json(_text(told), SETS[sort]), tuple(map(_text, others)), rows
        )
    except (ValueError, TypeError, StopIteration, RecursionError) as error:
        raise UnreadableDocument(Reason.CRASHED, f"what the reader said cannot be read: {error}") from error
    if len(found.rows) > most:
        raise UnreadableDocument(Reason.TOO_LARGE, f"more than {most} rows")
    return found


def _rows(frames: Iterable[bytes]) -> Iterator[Row]:
    for frame in frames:
        line, cells, fault = json.loads(frame)
        if type(line) is not int or not isinstance(cells, list) or len(cells) > MOST_COLUMNS:
            raise ValueError("no row")
        yield Row(line, tuple(_text(cell)[:LONGEST_CELL] for cell in cells), _text(fault))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not text")
    return value.encode("utf-8", "replace").decode("utf-8")
