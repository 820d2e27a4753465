"""CSV files of catalogue records to drafts, one a row.

Hides the separator, the character set, and how a bad row is told without losing the others.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

from ingest.drafts import Draft
from ingest.isolation import beat
from ingest.text import decoded
from kb import rows as crosswalk
from kb.errors import InvalidRecord, Reason, UnreadableDocument

MEDIA_TYPE = "text/csv"

_SEPARATORS = (";", "\t", ",", "|")
_MOST_TOLD = 200  # warnings about rows; the rest is counted


def read(path: Path) -> Iterator[Draft]:
    """A draft for each row that has a title; the first line holds the headings. The last draft carries the
    warnings about the rows that were left out. Raises UnreadableDocument: BAD_RECORDS."""
    text = decoded(path.read_bytes())
    rows = _rows(text)
    headings = next((row for _, row in rows if any(cell.strip() for cell in row)), [])
    try:
        columns = crosswalk.Columns.of(headings)
    except InvalidRecord as error:
        raise UnreadableDocument(Reason.BAD_RECORDS, str(error)) from error
    faults = [f"colonne « {name} » non reconnue : laissée de côté" for name in columns.unknown(headings)]
    held: Draft | None = None
    for line, cells in rows:
        beat()
        if not any(cell.strip() for cell in cells):
            continue
        try:
            draft = _draft(columns, cells, line)
        except InvalidRecord as error:
            faults.append(f"ligne {line} : {error.why}")
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


def _draft(columns: crosswalk.Columns, cells: list[str], line: int) -> Draft:
    fields, warnings = crosswalk.from_row(columns, cells)
    told = tuple(f"ligne {line} : {warning}" for warning in warnings)
    return Draft(**fields, media_type=MEDIA_TYPE, place_in_file=f"ligne {line}", warnings=told)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line on which each begins."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text.replace("\0", "")), delimiter=separator)
    start = 1
    try:
        for row in reader:
            yield start, row
            start = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableDocument(Reason.BAD_RECORDS, f"line {start}: {error}") from error
