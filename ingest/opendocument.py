"""ODT and ODP files to drafts (OpenDocument, ISO/IEC 26300).

Hides their XML, walked once in document order; headers, footers and deleted text are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingest.cleaning import clean
from ingest.drafts import Draft, Heading
from ingest.frontmatter import Metadata
from ingest.office import DC, Package, Walk, draft_of_pages, draft_of_walk, has_any, said_by
from kb.errors import Reason, UnreadableDocument
from kb.records import Page, regular_date

TEXT = "application/vnd.oasis.opendocument.text"
SLIDES = "application/vnd.oasis.opendocument.presentation"

_T = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_PRESENTATION = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"
_TITLES = ("Title", "Titre")


def read_text(path: Path) -> Iterator[Draft]:
    """One draft of an ODT file. Raises UnreadableDocument: DAMAGED, LOCKED, TOO_LARGE, EMPTY; NO_TEXT if
    it has pictures only."""
    content, properties = opened(path)
    walk = Walk(pictured=has_any(content, "{*}image"))
    levels = _styles(content)
    for body in content.iter(_OFFICE + "text"):
        _walk(body, walk, levels)
    yield draft_of_walk(walk, metadata_of(properties), TEXT, path.name)


def read_slides(path: Path) -> Iterator[Draft]:
    """One draft of an ODP file, a page for each slide, with its notes. Raises as ``read_text``."""
    content, properties = opened(path)
    pages, outline = [], []
    for number, slide in enumerate(content.iter(_DRAW + "page"), start=1):
        walk = Walk()
        _walk(slide, walk, {})
        walk.paragraph()
        pages.append(Page(number, "\n\n".join(text for page in walk.pages for text in page)))
        if title := _slide_title(slide):
            outline.append(Heading(title, number))
    draft = Draft(pages=tuple(pages), outline=tuple(outline), media_type=SLIDES)
    first = clean(pages[0].text).split("\n") if pages else []
    yield draft_of_pages(
        draft,
        metadata_of(properties),
        path.name,
        title=outline[0].title if outline and outline[0].page == 1 else "",
        first=[line for line in first if line],
        pictured=has_any(content, "{*}image"),
    )


def _slide_title(slide: etree._Element) -> str:
    for frame in slide.iterchildren(_DRAW + "frame"):
        if frame.get(_PRESENTATION + "class") == "title":
            return clean(" ".join(frame.itertext())).replace("\n", " ")
    return ""


def opened(path: Path) -> tuple[etree._Element, etree._Element | None]:
    """The content of an OpenDocument file and its properties. Raises UnreadableDocument: LOCKED, DAMAGED,
    TOO_LARGE."""
    with Package(path) as package:
        if b"encryption-data" in package.content_or_none("META-INF/manifest.xml"):
            raise UnreadableDocument(Reason.LOCKED, "encrypted parts")
        return package.xml("content.xml"), package.xml_or_none("meta.xml")


_LEFT_OUT = {
    _T + "tracked-changes",
    _T + "note-citation",
    _T + "sequence-decls",
    _T + "page-number",
    _OFFICE + "annotation",
    _OFFICE + "forms",
}
_PARAGRAPHS = (_T + "p", _T + "h")
_CELL, _ROW = _TABLE + "table-cell", _TABLE + "table-row"


def _styles(content: etree._Element) -> dict[str, int]:
    """Styles of paragraphs that are titles, those derived from them included."""
    derived = {
        style.get(_STYLE + "name") or "": -1
        for style in content.iter(_STYLE + "style")
        if style.get(_STYLE + "parent-style-name") in _TITLES
    }
    return derived | dict.fromkeys(_TITLES, -1)


def _walk(root: etree._Element, walk: Walk, levels: dict[str, int]) -> None:
    """As ``ingest.word``; text stands in the elements and after them."""
    stack: list[tuple[etree._Element, bool]] = [(root, False)]
    while stack:
        element, leaving = stack.pop()
        if not isinstance(element.tag, str):
            continue
        if leaving:
            _leave(element, walk, levels)
            if element is not root and element.getparent().tag.startswith(_T):
                walk.say(re.sub(r"\s+", " ", element.tail or ""))
            continue
        stack.append((element, True))
        if element.tag not in _LEFT_OUT:
            _enter(element, walk)
            stack.extend((child, False) for child in reversed(element))


def _enter(element: etree._Element, walk: Walk) -> None:
    match element.tag.removeprefix(_T):
        case "s":
            walk.say(" ")
        case "tab":
            walk.say("\t")
        case "line-break":
            walk.say("\n")
        case "soft-page-break":
            walk.page(rendered=True)
        case "note-body":
            walk.say(" (")
        case _ if element.text and element.tag.startswith(_T):
            walk.say(re.sub(r"\s+", " ", element.text))


def _leave(element: etree._Element, walk: Walk, levels: dict[str, int]) -> None:
    tag = element.tag
    inside = next(element.iterancestors(_CELL, _T + "note-body"), None) is not None
    if tag in _PARAGRAPHS and inside:
        walk.say(" ")
    elif tag == _T + "note-body":
        walk.say(") ")
    elif tag == _CELL:
        walk.say("| ")
    elif tag == _T + "h":
        walk.paragraph(level=_level(element.get(_T + "outline-level")))
    elif tag == _T + "p":
        walk.paragraph(level=levels.get(element.get(_T + "style-name") or "", 0))
    elif tag == _ROW and not inside:
        walk.paragraph()


def _level(said: str | None) -> int:
    return int(said) if said and said.isdigit() else 1


def metadata_of(root: etree._Element | None) -> Metadata:
    """What meta.xml says (part 3, 4.3)."""
    said = said_by(root)
    return Metadata(
        title=said(DC + "title"),
        authors=said(_META + "initial-creator") or said(DC + "creator"),
        subject=said(DC + "subject") or said(DC + "description"),
        keywords=said(_META + "keyword"),
        made=regular_date((said(DC + "date") or said(_META + "creation-date"))[:10]),
        language=said(DC + "language") or None,
    )
