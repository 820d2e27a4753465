"""Spreadsheets of catalogue records to drafts, one a row.

Hides how a bad row is told without losing the others. What the columns hold is guessed, or said by a person
who looked at a ``preview``.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import sheets
from ingest.drafts import Draft, from_wire, to_wire
from ingest.sheets import Row
from ingest.table_rows import Table, located
from kb.errors import InvalidRecord, Reason, UnreadableDocument
from kb.rows import SURE, Columns, from_row, guarded

MEDIA_TYPE = sheets.CSV
XLSX, ODS = sheets.XLSX, sheets.ODS
SPREADSHEETS = frozenset((MEDIA_TYPE, XLSX, ODS))
"""Media types of tables whose columns a person can settle."""

PREVIEWED = 20
"""Rows that a person looks at before the columns are settled."""

REASON_HEADING = "Motif du rejet"

_MOST_TOLD = 200  # warnings about rows; the rest is counted
_OTHERS = 2  # columns beside that of titles which make a table a catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a person needs to settle the columns of a spreadsheet: the first rows and what they would become.

    ``columns`` says what is used, with its guesses when nobody gave them. ``drafts`` go with ``rows``; one
    without a title is of a row that would be left out, its warning says why. ``count`` is the number of rows
    of the sheet, ``sheet`` its name, "" in a CSV file.
    """

    sheet: str
    headings: tuple[str, ...]
    columns: Columns
    rows: tuple[tuple[str, ...], ...]
    drafts: tuple[Draft, ...]
    count: int


def _draft(table: Table, row: Row) -> Draft:
    """Raises InvalidRecord, whose ``why`` is in French."""
    if row.fault:
        raise InvalidRecord("row", row.fault)
    fields, warnings = from_row(table.columns, row.cells)
    place = f"ligne {row.line}"
    told = tuple(f"{place} : {warning}" for warning in warnings)
    return Draft(**fields, media_type=table.media_type, place_in_file=place, warnings=told)


# -- where the records are


def is_catalogue(path: Path) -> bool:
    """Whether a spreadsheet holds records, and is not a document of its own: a line of headings that tells
    surely of titles and of two things more, and a row below it. Raises UnreadableDocument, OSError."""
    table = located(path, None)
    sure = {one.name for one in table.columns.guesses if one.name and one.confidence >= SURE}
    return "title" in sure and len(sure) > _OTHERS and next(table.rows(), None) is not None


# -- what a reader gives


def read(path: Path, columns: Columns | None = None) -> Iterator[Draft]:
    """A draft for each row that has a title. The last draft carries the warnings about the rows, columns and
    sheets that were left out. ``columns`` None: they are guessed. Raises UnreadableDocument: BAD_RECORDS when
    no column holds titles or no row is good; DAMAGED, TOO_LARGE."""
    table = _checked(located(path, columns))
    unknown = table.columns.unknown(table.columns.headings)
    faults = [f"colonne « {name} » non reconnue : laissée de côté" for name in unknown]
    faults += [f"feuille « {name} » laissée de côté" for name in table.others]
    held: Draft | None = None
    for row in table.rows():
        try:
            draft = _draft(table, row)
        except InvalidRecord as error:
            faults.append(f"ligne {row.line} : {error.why}")
            continue
        if held is not None:
            yield held
        held = draft
    if held is None:
        raise UnreadableDocument(Reason.BAD_RECORDS, "; ".join(faults[:3]) or "no row")
    told = faults[:_MOST_TOLD]
    if len(faults) > _MOST_TOLD:
        told.append(f"et {len(faults) - _MOST_TOLD} autres lignes fautives")
    yield dataclasses.replace(held, warnings=(*held.warnings, *told))


def _checked(table: Table) -> Table:
    try:
        table.columns.checked()
    except InvalidRecord as error:
        raise UnreadableDocument(Reason.BAD_RECORDS, str(error)) from error
    return table


def rejected(path: Path, columns: Columns | None = None) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """The rows that make no draft: line, reason in French, cells. Raises UnreadableDocument."""
    yield from _rejected(_checked(located(path, columns)))


def _rejected(table: Table) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    for row in table.rows():
        try:
            _draft(table, row)
        except InvalidRecord as error:
            yield row.line, error.why, row.cells


def rejected_csv(path: Path, columns: Columns | None = None) -> Iterator[bytes]:
    """The rows that make no draft as a CSV file to mend and bring again: UTF-8 with its mark and ";", as
    French Excel opens it; the reason in a last column. Raises UnreadableDocument."""
    table = _checked(located(path, columns))
    headings = table.columns.headings
    yield "\ufeff".encode() + csv_line((*headings, REASON_HEADING))
    for _, reason, cells in _rejected(table):
        yield csv_line((*cells, *("",) * (len(headings) - len(cells)), reason))


def csv_line(cells: Sequence[str]) -> bytes:
    """One row of a CSV file as French Excel opens it, without its beginning's mark; no cell is a formula."""
    written = io.StringIO()
    csv.writer(written, delimiter=";", quoting=csv.QUOTE_MINIMAL).writerow(map(guarded, cells))
    return written.getvalue().encode()


# -- before the columns are settled


def preview(path: Path, columns: Columns | None = None, limit: int = PREVIEWED) -> Preview:
    """The first rows and what they would become. Raises UnreadableDocument; a table without a column of
    titles is shown all the same, for a person to say which one holds them."""
    table = located(path, columns)
    rows: list[Row] = []
    count = 0
    for row in table.rows():
        count += 1
        if len(rows) < limit:
            rows.append(row)
    return Preview(
        sheet=table.sheet.name,
        headings=table.columns.headings,
        columns=table.columns,
        rows=tuple(row.cells for row in rows),
        drafts=tuple(_tried(table, row) for row in rows),
        count=count,
    )


def _tried(table: Table, row: Row) -> Draft:
    try:
        return _draft(table, row)
    except InvalidRecord as error:
        return Draft(place_in_file=f"ligne {row.line}", warnings=(f"ligne {row.line} : {error.why}",))


def emit_preview(path: str, columns: str = "", limit: int = PREVIEWED) -> Iterator[str]:
    """The task of ``ingest.isolation`` that previews a file: one line, for ``preview_from_wire``. ``columns``
    is the JSON of ``Columns``, "" to guess them."""
    shown = preview(Path(path), Columns.from_json(columns) if columns else None, limit)
    yield json.dumps(
        {
            "sheet": shown.sheet,
            "columns": shown.columns.to_json(),
            "rows": shown.rows,
            "drafts": [to_wire(draft) for draft in shown.drafts],
            "count": shown.count,
        }
    )


def preview_from_wire(line: str | bytes) -> Preview:
    """What ``emit_preview`` said. Raises ValueError on anything that it could not have said."""
    try:
        raw = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(raw, dict) or set(raw) != {"sheet", "columns", "rows", "drafts", "count"}:
        raise ValueError("no preview")
    count, rows, drafts = raw["count"], raw["rows"], raw["drafts"]
    if type(count) is not int or not isinstance(rows, list) or not isinstance(drafts, list):
        raise ValueError("no preview")
    if len(rows) != len(drafts) or not all(isinstance(row, list) for row in rows):
        raise ValueError("rows and drafts do not go together")
    columns = Columns.from_json(_text(raw["columns"]))
    return Preview(
        sheet=_text(raw["sheet"]),
        headings=columns.headings,
        columns=columns,
        rows=tuple(tuple(map(_text, row)) for row in rows),
        drafts=tuple(from_wire(_text(draft)) for draft in drafts),
        count=count,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is not text")
    return value.encode("utf-8", "replace").decode("utf-8")


def emit_rejected(path: str, columns: str = "") -> Iterator[bytes]:
    """The task of ``ingest.isolation`` that gives the rows left out as a CSV file, in pieces."""
    yield from rejected_csv(Path(path), Columns.from_json(columns) if columns else None)


def emit(path: str, columns: str) -> Iterator[str]:
    """The task of ``ingest.isolation`` that reads a file whose columns a person settled."""
    for draft in read(Path(path), Columns.from_json(columns)):
        yield to_wire(draft)
