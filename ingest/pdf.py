"""PDF files to drafts: text, titles, outline and page labels by pdfium; pypdf where pdfium gives up.

Hides both libraries. pypdf is 16 times slower and spoils some fonts in silence, so it reads again only what
pdfium cannot open, or pages whose text is noise.
"""

from __future__ import annotations

import ctypes
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pypdfium2
from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError, PyPdfError
from pypdfium2 import raw

from ingest.cleaning import clean, clean_pages, grade, has_text
from ingest.drafts import Draft, Heading
from ingest.frontmatter import Line, Metadata, completed
from ingest.isolation import beat
from kb.errors import Reason, UnreadableDocument
from kb.records import Page, Quality, regular_date

MEDIA_TYPE = "application/pdf"

_POOR = 0.5  # grade below which a page is read again by pypdf: running text has 0.95 and more
_MOST_REREAD = 20  # pages read again at most: pypdf reads some 19 a second
_FRONT_PAGES = 3  # where a title is looked for, when the first page is only a picture
_COVERED = 0.05  # share of a page that pictures cover, from which they may show text: a logo covers 1 to 2 %
_CURVES = 100  # paths on a page: letters drawn as curves are at least so many, frames and lines far fewer
_FORMS = 5  # forms inside forms that are looked into
_MOST_OBJECTS = 5_000
_SAMPLES = 7  # letters measured a line: their median stands above one odd glyph


def read(path: Path) -> Iterator[Draft]:
    """One draft of a PDF; its pages without text are of quality SCAN where something is drawn, else EMPTY.
    Raises UnreadableDocument: LOCKED, DAMAGED; EMPTY when nothing is drawn on any page; NO_TEXT when there is
    no text and nobody can tell what is drawn."""
    nothing = Reason.EMPTY
    try:
        with _opened(path) as document:
            draft, lines, metadata = _by_pdfium(document)
    except pypdfium2.PdfiumError as error:
        if _is_locked(error):
            raise UnreadableDocument(Reason.LOCKED, str(error)) from error
        draft, lines, metadata = _by_pypdf(path, error)
        nothing = Reason.NO_TEXT  # there may be pictures, which nobody can draw
    if not draft.pages:
        raise UnreadableDocument(Reason.EMPTY, "no page")
    draft = dataclasses.replace(draft, pages=clean_pages(_read_again(path, draft.pages)))
    if not any(page.text or page.quality is Quality.SCAN for page in draft.pages):
        raise UnreadableDocument(nothing, f"nothing on {len(draft.pages)} pages")
    blank = [page.number for page in draft.pages if not has_text(page.text)]
    warnings = (f"{len(blank)} page(s) sans texte sur {len(draft.pages)}",) if blank else ()
    yield dataclasses.replace(completed(draft, metadata, lines, path.name), warnings=warnings)


@contextmanager
def _opened(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(path)
    try:
        yield document
    finally:
        document.close()


def _is_locked(error: pypdfium2.PdfiumError) -> bool:
    return getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower()


def _by_pdfium(document: pypdfium2.PdfDocument) -> tuple[Draft, list[Line], Metadata]:
    pages: list[Page] = []
    lines: list[Line] = []
    for index in range(len(document)):
        beat()
        page, front = _page(document, index, wants_lines=not lines and index < _FRONT_PAGES)
        lines = lines or front
        pages.append(page)
    draft = Draft(pages=tuple(pages), outline=tuple(_outline(document)), media_type=MEDIA_TYPE)
    return draft, lines, _metadata(document.get_metadata_dict())


def _page(document: pypdfium2.PdfDocument, index: int, *, wants_lines: bool) -> tuple[Page, list[Line]]:
    """A page, without text if it cannot be loaded: the others still can; and its lines if asked."""
    number, label = index + 1, document.get_page_label(index) or None
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return Page(number, "", label, 0.0, Quality.EMPTY), []
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range()
        if not has_text(text) and _is_scan(page):
            # A page number beside the picture is left out: recognition reads the whole page.
            return Page(number, "", label, 0.0, Quality.SCAN), []
        return Page(number, text, label), _lines(text_page, text) if wants_lines else []
    finally:
        text_page.close()
        page.close()


def _is_scan(page: pypdfium2.PdfPage) -> bool:
    """Whether what is drawn on a page without text may hold some: pictures over a part of it, or letters
    drawn as curves."""
    wide, tall = page.get_size()
    covered, curves = 0.0, 0
    for count, thing in enumerate(page.get_objects(max_depth=_FORMS)):
        if thing.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            covered += max(0.0, right - left) * max(0.0, top - bottom)
        curves += thing.type in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_TEXT)
        if covered >= _COVERED * wide * tall or curves >= _CURVES:
            return True
        if count > _MOST_OBJECTS:
            return False
    return False


def _lines(text_page: pypdfium2.PdfTextPage, text: str) -> list[Line]:
    """The lines of a page with the height of their letters in points."""
    lines, start = [], 0
    # Past U+FFFF pdfium counts two units a character and heights would slip: none in French.
    for line in text.split("\r\n"):
        if cleaned := clean(line):
            lines.append(Line(cleaned, _height(text_page, line, start)))
        start += len(line) + 2
    return lines


def _height(text_page: pypdfium2.PdfTextPage, line: str, start: int) -> float:
    letters = [start + i for i, character in enumerate(line) if character.isalnum()]
    box, heights = raw.FS_RECTF(), []
    for index in letters[:: max(1, len(letters) // _SAMPLES)]:
        if raw.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(box)):
            heights.append(abs(box.top - box.bottom))
    return round(median(heights), 1) if heights else 0.0


def _outline(document: pypdfium2.PdfDocument) -> Iterator[Heading]:
    for bookmark in document.get_toc(max_depth=6):
        title, target = clean(bookmark.get_title()), bookmark.get_dest()
        index = target.get_index() if target else None
        if title and index is not None and index >= 0:
            yield Heading(title, index + 1, bookmark.level + 1)


def _metadata(info: dict[str, Any]) -> Metadata:
    def said(key: str) -> str:
        return clean(str(info.get(key) or ""))

    made = [date for key in ("CreationDate", "ModDate") if (date := _date(said(key)))]
    return Metadata(
        title=said("Title"),
        authors=said("Author"),
        subject=said("Subject"),
        keywords=said("Keywords"),
        made=made[0] if made else None,
    )


def _date(text: str) -> str | None:
    """The day in a PDF date such as "D:20110615091200-04'00'" (ISO 32000-1, 7.9.4)."""
    return regular_date(text.removeprefix("D:")[:8])


def warm() -> None:
    """Bind the functions of pdfium, on an empty page."""
    with pypdfium2.PdfDocument.new() as document:
        document.new_page(9, 9)
        _by_pdfium(document)


# -- pypdf


def _by_pypdf(path: Path, first_error: Exception) -> tuple[Draft, list[Line], Metadata]:
    """The second reading of a file that pdfium cannot open."""
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            raise UnreadableDocument(Reason.LOCKED, "encrypted")
        pages = tuple(Page(i, _pypdf_text(page)) for i, page in enumerate(reader.pages, start=1))
        info = {str(key).lstrip("/"): value for key, value in (reader.metadata or {}).items()}
    except (PyPdfError, DependencyError, ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise UnreadableDocument(Reason.DAMAGED, f"{first_error}; then {error}") from error
    lines = [Line(line) for line in clean(pages[0].text).split("\n") if line] if pages else []
    return Draft(pages=pages, media_type=MEDIA_TYPE), lines, _metadata(info)


def _pypdf_text(page: Any) -> str:
    beat()
    return str(page.extract_text())


def _read_again(path: Path, pages: tuple[Page, ...]) -> tuple[Page, ...]:
    """Pages whose text is noise, as pypdf reads them where that is better."""
    poor = [page for page in pages if has_text(page.text) and grade(clean(page.text)) < _POOR]
    if not poor:
        return pages
    better: dict[int, Page] = {}
    try:
        reader = PdfReader(path)
        if reader.is_encrypted:
            reader.decrypt("")
        for page in poor[:_MOST_REREAD]:
            text = _pypdf_text(reader.pages[page.number - 1])
            if grade(clean(text)) > grade(clean(page.text)):
                better[page.number] = dataclasses.replace(page, text=text)
    except (PyPdfError, DependencyError, ValueError, TypeError, KeyError, AttributeError, OSError):
        # The first reading stands, and its grade says how poor it is.
        return tuple(better.get(page.number, page) for page in pages)
    return tuple(better.get(page.number, page) for page in pages)
