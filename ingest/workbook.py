"""Spreadsheets that are no catalogue to drafts (XLSX, ODS): the text of each sheet, row by row.

Hides how sheets become pages: the cells of a row on one line, rows cut into passages, the sheet's name as the
label of its pages and as a heading. ``ingest.sheets`` knows the formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest import office, opendocument, sheets
from ingest.cleaning import clean
from ingest.drafts import Draft, Heading
from ingest.frontmatter import Metadata
from ingest.isolation import beat
from kb.french import passages
from kb.records import Page

_MOST_TEXT = 20_000_000  # characters of one file: 8,000 pages, of which nobody reads the rest


def read(path: Path) -> Iterator[Draft]:
    """One draft of a spreadsheet. Raises UnreadableDocument: DAMAGED, LOCKED, TOO_LARGE, EMPTY."""
    kind = sheets.media_type(path)
    pages: list[Page] = []
    outline: list[Heading] = []
    left = _MOST_TEXT
    for sheet in sheets.sheets(path):
        text = _text(sheet, left)
        left -= len(text)
        for number, cut in enumerate(passages(clean(text))):
            pages.append(Page(len(pages) + 1, cut, sheet.name[:40] or None))
            if number == 0 and sheet.name:
                outline.append(Heading(sheet.name, len(pages)))
    draft = Draft(pages=tuple(pages), outline=tuple(outline), media_type=kind, type="donnees")
    first = pages[0].text.split("\n") if pages else []
    yield office.draft_of_pages(
        draft, _metadata(path, kind), path.name, title="", first=first, pictured=False
    )


def _text(sheet: sheets.Sheet, most: int) -> str:
    lines: list[str] = []
    for row in sheet.rows():
        beat()
        if most <= 0:
            break
        cells = [" ".join(cell.split()) for cell in row.cells]
        lines.append(" | ".join(filter(None, cells)))
        most -= len(lines[-1])
    return "\n".join(lines)


def _metadata(path: Path, kind: str) -> Metadata:
    with office.Package(path) as package:
        if kind == sheets.XLSX:
            return office.ooxml_metadata(package)
        return opendocument.metadata_of(package.xml_or_none("meta.xml"))
