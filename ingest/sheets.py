"""Spreadsheets as rows of text: CSV and TSV, XLSX, ODS.

Hides separators and character sets, quotes that were never closed, how Excel and OpenDocument keep cells, and
how little a file may say to make a reader work for ever: all that comes out is bounded by constants.
"""

from __future__ import annotations

import csv
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from lxml import etree
from openpyxl.utils.exceptions import InvalidFileException

from ingest.isolation import beat
from ingest.text import decoded
from kb.errors import Reason, UnreadableDocument
from kb.headings import known_headings

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODS = "application/vnd.oasis.opendocument.spreadsheet"

MOST_ROWS = 200_000
"""Rows that say something in one sheet: four times the largest catalogue of a centre that we know of."""
MOST_COLUMNS = 500
LONGEST_CELL = 32_767
"""Characters of one cell: the limit of Excel."""
LARGEST_UNCOMPRESSED = 300_000_000
"""Bytes of the members of a zip file together, as it declares them; no more is read of any."""

_MOST_LINES = 1_048_576  # lines of a sheet, empty ones with them: the limit of Excel
_MOST_SHEETS = 100
_QUOTED_LINES = 200  # lines of one quoted cell above which its quote was never closed
_SAMPLE = 60  # lines by which separators are compared
_SEPARATORS = (";", "\t", ",", "|")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, and the number of its line, from 1. ``fault`` says, in French, why its cells
    cannot be believed."""

    line: int
    cells: tuple[str, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: ``rows`` reads it from its beginning, rows without a word left out, each time it is called,
    and raises UnreadableDocument: TOO_LARGE, DAMAGED."""

    name: str
    rows: Callable[[], Iterator[Row]]


def media_type(path: Path) -> str:
    """Which kind of spreadsheet it is, by its bytes. Raises UnreadableDocument for a zip file of another."""
    with path.open("rb") as file:
        if not file.read(4).startswith(b"PK"):
            return CSV
    try:
        with zipfile.ZipFile(path) as package:
            names = set(package.namelist())
            _check_size(package)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise UnreadableDocument(Reason.DAMAGED, str(error)) from error
    if "xl/workbook.xml" in names:
        return XLSX
    if "content.xml" in names:
        return ODS
    raise UnreadableDocument(Reason.DAMAGED, "a zip file that is no spreadsheet")


def _check_size(package: zipfile.ZipFile) -> None:
    # What a member holds beyond the size that it declares is not read by zipfile.
    size = sum(member.file_size for member in package.infolist())
    if size > LARGEST_UNCOMPRESSED:
        raise UnreadableDocument(Reason.TOO_LARGE, f"{size} bytes uncompressed")


def sheets(path: Path) -> list[Sheet]:
    """The tables of a file, in their order. Raises UnreadableDocument: DAMAGED, TOO_LARGE, LOCKED."""
    return _SHEETS[media_type(path)](path)


def _bounded(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows that say something, as long as they are no more than is allowed."""
    count = 0
    for row in rows:
        beat()
        if row.line > _MOST_LINES:
            raise UnreadableDocument(Reason.TOO_LARGE, f"more than {_MOST_LINES} lines")
        cells = _trimmed(row.cells)
        if not cells:
            continue
        count += 1
        if count > MOST_ROWS or len(cells) > MOST_COLUMNS:
            raise UnreadableDocument(Reason.TOO_LARGE, f"line {row.line}: {count} rows, {len(cells)} columns")
        if any(len(cell) > LONGEST_CELL for cell in cells):
            cut = tuple(cell[:LONGEST_CELL] for cell in cells)
            yield Row(row.line, cut, row.fault or "cellule de plus de 32 767 caractères")
        else:
            yield Row(row.line, cells, row.fault)


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    """Without the empty cells at the end."""
    last = next((i for i in range(len(cells), 0, -1) if cells[i - 1].strip()), 0)
    return tuple(cells[:last])


# -- CSV


def _csv_sheets(path: Path) -> list[Sheet]:
    text = decoded(path.read_bytes()).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    # Not splitlines: a cell may hold the other ends of lines that Unicode knows.
    lines = [f"{line}\n" for line in text.split("\n")]
    first = lines[0].strip(' "\n')
    told = first[4:5] if first.lower().startswith("sep=") else ""  # a line that Excel writes and reads
    separator, start = (told, 1) if told else (_separator(lines), 0)
    return [Sheet("", lambda: _bounded(_csv_rows(lines, separator, start)))]


def _separator(lines: Sequence[str]) -> str:
    """What parts the cells: under which the most headings are known, then the most rows are equally wide."""
    return max(_SEPARATORS, key=lambda separator: _credit(lines[:_SAMPLE], separator))


def _credit(lines: Sequence[str], separator: str) -> tuple[int, int, int]:
    rows = [_trimmed(row.cells) for row in _csv_rows(lines, separator, 0)]
    widths = [len(row) for row in rows if len(row) > 1]
    headings = max((len(known_headings(row)) for row in rows[:20]), default=0)
    common = max(set(widths), key=widths.count) if widths else 0
    return headings, widths.count(common), common


def _csv_rows(lines: Sequence[str], separator: str, start: int) -> Iterator[Row]:
    """Rows with the number of the line on which each begins. A line with a quote that no cell's end closes
    is a row of its own with its fault, so that it does not swallow the rest."""
    while start < len(lines):
        most = _QUOTED_LINES if '"' in lines[start] else 1
        reader = csv.reader(lines[start : start + most], delimiter=separator)
        try:
            cells, used = next(reader), reader.line_num
            fault = ""
            if used > 1 and not _is_regular(lines[start : start + used], separator):
                cells, used, fault = _bare(lines[start], separator), 1, "guillemet jamais refermé"
        except csv.Error as error:
            cells, used, fault = _bare(lines[start], separator), 1, f"ligne illisible ({error})"
        yield Row(start + 1, tuple(cells), fault)
        start += used


def _is_regular(lines: Sequence[str], separator: str) -> bool:
    """Whether a quote is closed where a cell ends."""
    try:
        list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error:
        return False
    return True


def _bare(line: str, separator: str) -> list[str]:
    return [cell[:LONGEST_CELL] for cell in line.rstrip("\r\n").split(separator)]


# -- XLSX


_XLSX_ERRORS = (
    *(zipfile.BadZipFile, InvalidFileException, ParseError, etree.XMLSyntaxError, zlib.error),
    *(KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError, NotImplementedError),
)
"""What openpyxl raises on files that are not as they should be: it reads without checking."""


def _xlsx_sheets(path: Path) -> list[Sheet]:
    with _opened(path) as book:
        names = [sheet.title for sheet in book.worksheets[:_MOST_SHEETS]]
    return [Sheet(name, partial(_xlsx_rows, path, number)) for number, name in enumerate(names)]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A workbook. What openpyxl remarks about styles and validation is of no concern."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except _XLSX_ERRORS as error:
        raise UnreadableDocument(Reason.DAMAGED, f"{type(error).__name__}: {error}") from error
    try:
        yield book
    finally:
        book.close()


def _xlsx_rows(path: Path, number: int) -> Iterator[Row]:
    with _opened(path) as book:
        yield from _bounded(_xlsx_lines(book.worksheets[number]))


def _xlsx_lines(sheet: Any) -> Iterator[Row]:
    sheet.reset_dimensions()  # what a file says of its size is often wrong
    lines = enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1), start=1)
    while True:
        try:
            line, values = next(lines)
        except StopIteration:
            return
        except _XLSX_ERRORS as error:
            raise UnreadableDocument(Reason.DAMAGED, f"{type(error).__name__}: {error}") from error
        yield Row(line, tuple(map(_shown, values)))


def _shown(value: object) -> str:
    """A cell as a person would write it: whole numbers without a point, dates in ISO 8601."""
    if value is None or (isinstance(value, str) and value in _ERRORS):
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


_ERRORS = frozenset(("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"))


# -- ODS

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_A_TABLE, _A_ROW = f"{_TABLE}table", f"{_TABLE}table-row"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")


def _ods_sheets(path: Path) -> list[Sheet]:
    names = [table.get(f"{_TABLE}name", "") for event, table in _events(path) if event == "start"]
    some = names[:_MOST_SHEETS]
    return [Sheet(name, partial(_ods_rows, path, number)) for number, name in enumerate(some)]


def _events(path: Path) -> Iterator[tuple[str, Any]]:
    """The tables of content.xml at their start and their rows at their end; those within cells are left out,
    and rows are let go of afterwards. Entities are not resolved."""
    try:
        with zipfile.ZipFile(path) as package, package.open("content.xml") as content:
            walk = etree.iterparse(
                content, events=("start", "end"), tag=(_A_TABLE, _A_ROW), resolve_entities=False
            )
            depth = 0
            for event, element in walk:
                is_table = element.tag == _A_TABLE
                depth += is_table and event == "start"
                if depth == 1 and is_table == (event == "start"):
                    yield event, element
                    if not is_table:
                        _forget(element)
                depth -= is_table and event == "end"
    except (zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, EOFError, NotImplementedError) as error:
        raise UnreadableDocument(Reason.DAMAGED, f"{type(error).__name__}: {error}") from error
    except KeyError as error:
        raise UnreadableDocument(Reason.DAMAGED, str(error)) from error
    except RuntimeError as error:  # zipfile has no error of its own for it
        raise UnreadableDocument(Reason.LOCKED, str(error)) from error


def _forget(row: Any) -> None:
    row.clear()
    while (before := row.getprevious()) is not None:
        before.getparent().remove(before)


def _ods_rows(path: Path, number: int) -> Iterator[Row]:
    yield from _bounded(_ods_lines(path, number))


def _ods_lines(path: Path, number: int) -> Iterator[Row]:
    """Rows of one table. A row said to repeat is given as often as counts, an empty one never."""
    line, sheet = 1, -1
    for event, element in _events(path):
        if event == "start":
            sheet += 1
            if sheet > number:
                return
        elif sheet == number:
            cells = tuple(_ods_cells(element))
            repeated = _number(element.get(f"{_TABLE}number-rows-repeated"))
            for copy in range(min(repeated, MOST_ROWS + 1) if any(cells) else 0):
                yield Row(line + copy, cells)
            line += repeated


def _ods_cells(row: Any) -> Iterator[str]:
    """Texts of the cells, repeated ones as often as they are said to be, within what counts."""
    room = MOST_COLUMNS + 1
    for cell in row.iterchildren(*_CELLS):
        said = _ods_cell(cell)
        repeated = min(_number(cell.get(f"{_TABLE}number-columns-repeated")), room)
        room -= repeated
        yield from (said,) * repeated


def _number(said: str | None) -> int:
    return int(said) if said and said.isdecimal() and len(said) < 8 else 1


def _ods_cell(cell: Any) -> str:
    kind, value = cell.get(f"{_OFFICE}value-type"), cell.get(f"{_OFFICE}value", "")
    if kind == "float" and value:
        return _float(value)
    if kind == "date":
        return str(cell.get(f"{_OFFICE}date-value", "")).removesuffix("T00:00:00")
    return "\n".join(_ods_text(line) for line in cell.iterchildren(f"{_TEXT}p", f"{_TEXT}h"))


def _float(value: str) -> str:
    """A number is told whole, whatever its format shows: « 9,78E+12 » is an ISBN."""
    try:
        return _shown(float(value))
    except ValueError:
        return value


def _ods_text(paragraph: Any) -> str:
    parts: list[str] = []
    for event, element in etree.iterwalk(paragraph, events=("start", "end")):
        if not isinstance(element.tag, str):  # a comment, an entity
            parts.append(element.tail or "" if event == "end" else "")
        elif event == "end":
            parts.append(element.tail or "" if element is not paragraph else "")
        elif element.tag in _BLANKS:
            parts.append(_BLANKS[element.tag])
        else:
            parts.append(element.text or "")
    return "".join(parts)


_BLANKS = {f"{_TEXT}s": " ", f"{_TEXT}tab": " ", f"{_TEXT}line-break": "\n"}

_SHEETS = {CSV: _csv_sheets, XLSX: _xlsx_sheets, ODS: _ods_sheets}
