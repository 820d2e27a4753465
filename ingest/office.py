"""DOCX and ODT files to drafts.

Hides their XML: both are zip files that are opened with limits (a few kilobytes may hold gigabytes), parsed
without entities, and walked once in document order; headers, footers and deleted text are left out. Both are
read with lxml alone: odfpy takes 0.5 to 2 s for documents that this reads in 0.05 s, and python-docx skips
text boxes, content controls and insertions.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from ingest.cleaning import clean, clean_pages, grade, has_text
from ingest.drafts import Draft, Heading
from ingest.frontmatter import Line, Metadata, completed
from ingest.isolation import beat
from kb.errors import Reason, UnreadableDocument
from kb.french import passages
from kb.records import Page, regular_date

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"

_LARGEST_PART = 100_000_000  # bytes of XML once inflated: 1,000 pages make 20 MB
_LONGEST_PAGE = (
    8_000  # characters: longer "pages" are whole chapters between two breaks, and are cut into passages
)

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_T = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_TITLES = ("Title", "Titre")
_DC = "{http://purl.org/dc/elements/1.1/}"
_CP = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
_DCTERMS = "{http://purl.org/dc/terms/}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"


def read_docx(path: Path) -> Iterator[Draft]:
    """One draft of a DOCX file. Raises UnreadableDocument: DAMAGED, LOCKED, TOO_LARGE, EMPTY; NO_TEXT if
    it has pictures only."""
    with _Package(path) as package:
        body = package.xml(package.main_part())
        styles = _word_styles(package.xml_or_none("word/styles.xml"))
        notes = _word_notes(package.xml_or_none("word/footnotes.xml"))
        properties = package.xml_or_none("docProps/core.xml")
    walk = _Walk(notes=notes, pictured=_has_any(body, "{*}blip", "{*}imagedata"))
    _walk_word(body, walk, styles)
    yield _draft(walk, _word_metadata(properties), DOCX, path.name)


def read_odt(path: Path) -> Iterator[Draft]:
    """One draft of an ODT file. Raises as ``read_docx``."""
    with _Package(path) as package:
        if b"encryption-data" in package.bytes_or_none("META-INF/manifest.xml"):
            raise UnreadableDocument(Reason.LOCKED, "encrypted parts")
        content = package.xml("content.xml")
        properties = package.xml_or_none("meta.xml")
    walk = _Walk(pictured=_has_any(content, "{*}image"))
    levels = _open_styles(content)
    for body in content.iter(_OFFICE + "text"):
        _walk_open(body, walk, levels)
    yield _draft(walk, _open_metadata(properties), ODT, path.name)


def _has_any(root: etree._Element, *tags: str) -> bool:
    return next(root.iter(*tags), None) is not None


class _Package:
    """A zip file of XML parts, read with limits."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
            raise UnreadableDocument(Reason.DAMAGED, str(error)) from error

    def __enter__(self) -> _Package:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def main_part(self) -> str:
        """Where a DOCX keeps its text: where its relations say, mostly word/document.xml."""
        for relation in self.xml("_rels/.rels"):
            if relation.get("Type") in _MAIN_PART:
                return (relation.get("Target") or "").lstrip("/")
        return "word/document.xml"

    def bytes_or_none(self, part: str) -> bytes:
        """A part's content; empty when it is not there."""
        return self._inflated(part) if part in self._zip.namelist() else b""

    def xml_or_none(self, part: str) -> etree._Element | None:
        """A part that readers can do without: None when it is not there."""
        return self.xml(part) if part in self._zip.namelist() else None

    def xml(self, part: str) -> etree._Element:
        """A part's root element. Raises UnreadableDocument."""
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True
        )
        try:
            return etree.fromstring(self._inflated(part), parser)
        except etree.XMLSyntaxError as error:
            raise UnreadableDocument(Reason.DAMAGED, f"{part}: {error}") from error

    def _inflated(self, part: str) -> bytes:
        """A part's bytes; no more is inflated than may be held, whatever the zip file announces."""
        beat()
        try:
            with self._zip.open(part) as file:
                content = file.read(_LARGEST_PART + 1)
        except (
            KeyError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            OSError,
        ) as error:
            locked = isinstance(error, RuntimeError) and "encrypted" in str(error)
            raise UnreadableDocument(
                Reason.LOCKED if locked else Reason.DAMAGED, f"{part}: {error}"
            ) from error
        if len(content) > _LARGEST_PART:
            raise UnreadableDocument(Reason.TOO_LARGE, f"{part} inflates to more than {_LARGEST_PART} bytes")
        return content


_MAIN_PART = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument",
    "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
)


@dataclass(slots=True)
class _Walk:
    """Paragraphs met so far, by page; the last page is being filled."""

    pages: list[list[str]] = field(default_factory=lambda: [[]])
    headings: list[Heading] = field(default_factory=list)
    title: str = ""
    rendered: bool = False  # whether the word processor noted where its pages ended
    notes: dict[str, str] = field(default_factory=dict)  # footnotes by their ids
    pictured: bool = False  # whether there are pictures, which may be pages that were scanned
    _line: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self._line.append(text)

    def paragraph(self, *, level: int = 0) -> None:
        """End of a paragraph; ``level`` 1 and more for a heading, -1 for the document's title."""
        text = "".join(self._line).strip(" \n\t|")
        self._line.clear()
        if not text:
            return
        self.pages[-1].append(text)
        if level == -1 and not self.title:
            self.title = clean(text).replace("\n", " ")
        elif level > 0:
            self.headings.append(Heading(clean(text).replace("\n", " "), len(self.pages), level))

    def page(self, *, rendered: bool = False) -> None:
        """End of a page, inside a paragraph or between two. Two breaks with nothing between are one."""
        self.rendered = self.rendered or rendered
        if self.pages[-1] or any(part.strip() for part in self._line):
            if text := "".join(self._line).strip():
                self.pages[-1].append(text)
            self._line.clear()
            self.pages.append([])
            beat()


def _draft(walk: _Walk, metadata: Metadata, media_type: str, name: str) -> Draft:
    texts = ["\n\n".join(page) for page in walk.pages]
    first = [Line(line) for line in clean(texts[0] or "".join(texts[1:2])).split("\n") if line]
    # Breaks put in by hand between chapters are no pages; the word processor's own are, and are kept.
    paged = len(walk.pages) > 1 and max(map(len, texts)) <= _LONGEST_PAGE
    outline: tuple[Heading, ...] = ()
    if walk.rendered or paged:
        kept = texts if texts[-1] else texts[:-1]
        pages = clean_pages([Page(i, text) for i, text in enumerate(kept, start=1)])
        outline = tuple(walk.headings)
    else:
        pages = _cut(texts)
    if walk.pictured and not any(has_text(page.text) for page in pages):
        raise UnreadableDocument(Reason.NO_TEXT, "pictures only")
    if not any(grade(page.text) for page in pages):
        raise UnreadableDocument(Reason.EMPTY, "no words")
    title = walk.title or next((h.title for h in walk.headings if h.level == 1 and h.page == 1), "")
    lines = [Line(title, 2.0), *(Line(line.text, 1.0) for line in first)] if title else first[:_FRONT_LINES]
    return completed(Draft(pages=pages, outline=outline, media_type=media_type), metadata, lines, name)


_FRONT_LINES = 40


def _cut(texts: list[str]) -> tuple[Page, ...]:
    cuts = [cut for text in texts for cut in passages(clean(text))]
    return clean_pages([Page(i, cut) for i, cut in enumerate(cuts, start=1)])


# -- WordprocessingML (ECMA-376 part 1, 17)

_LEFT_OUT = {
    _W + "del",
    _W + "instrText",
    _W + "delText",
    _W + "moveFrom",
    _W + "rPr",
    _W + "pPr",
    _W + "sectPr",
}
_LEFT_OUT.add("{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback")


def _walk_word(root: etree._Element, walk: _Walk, levels: dict[str, int]) -> None:
    """Document order without recursion: a hostile file may nest a million deep."""
    stack: list[tuple[etree._Element, bool]] = [(root, False)]
    while stack:
        element, leaving = stack.pop()
        tag = element.tag
        if leaving:
            _leave_word(element, walk, levels)
        elif tag not in _LEFT_OUT and isinstance(tag, str):
            _enter_word(element, walk)
            if tag in _WORD_LEAVES:
                stack.append((element, True))
            stack.extend((child, False) for child in reversed(element))


_WORD_LEAVES = {_W + "p", _W + "tc", _W + "tr"}


def _enter_word(element: etree._Element, walk: _Walk) -> None:
    match element.tag.removeprefix(_W):
        case "t":
            walk.say(element.text or "")
        case "tab":
            walk.say("\t")
        case "footnoteReference" if note := walk.notes.get(element.get(_W + "id") or ""):
            walk.say(f" ({note})")
        case "noBreakHyphen":
            walk.say("-")
        case "cr":
            walk.say("\n")
        case "br" if element.get(_W + "type") in (None, "textWrapping"):
            walk.say("\n")
        case "br" if element.get(_W + "type") == "page":
            walk.page()
        case "lastRenderedPageBreak":
            walk.page(rendered=True)
        case "p" if element.find(f"{_W}pPr/{_W}pageBreakBefore") is not None:
            walk.page()


def _leave_word(element: etree._Element, walk: _Walk, levels: dict[str, int]) -> None:
    in_cell = next(element.iterancestors(_W + "tc"), None) is not None
    match element.tag.removeprefix(_W):
        case "p" if in_cell:
            walk.say(" ")
        case "tc":
            walk.say("| ")
        case "tr" if not in_cell:
            walk.paragraph()
        case "p":
            style = element.find(f"{_W}pPr/{_W}pStyle")
            walk.paragraph(level=levels.get(style.get(_W + "val") or "", 0) if style is not None else 0)


def _word_notes(root: etree._Element | None) -> dict[str, str]:
    """Footnotes by their ids, as one line each; separators have no text and are left out."""
    notes = root.iter(_W + "footnote") if root is not None else ()
    said = {note.get(_W + "id") or "": " ".join(t.text or "" for t in note.iter(_W + "t")) for note in notes}
    return {id: " ".join(text.split()) for id, text in said.items() if text.strip()}


def _word_styles(root: etree._Element | None) -> dict[str, int]:
    """Style id -> level of heading; -1 for the style of titles. By the style's own name, which Word keeps
    in English whatever the language ("heading 1", "Title")."""
    levels: dict[str, int] = {}
    for style in root.iter(_W + "style") if root is not None else ():
        name = style.find(_W + "name")
        said = (name.get(_W + "val") or "").lower() if name is not None else ""
        match = re.fullmatch(r"(?:heading|titre) (\d)", said)
        if match or said in ("title", "titre"):
            levels[style.get(_W + "styleId") or ""] = int(match[1]) if match else -1
    return levels


def _word_metadata(root: etree._Element | None) -> Metadata:
    said = _said(root)
    return Metadata(
        title=said(_DC + "title"),
        authors=said(_DC + "creator"),
        subject=said(_DC + "subject") or said(_DC + "description"),
        keywords=said(_CP + "keywords"),
        made=regular_date((said(_DCTERMS + "modified") or said(_DCTERMS + "created"))[:10]),
        language=said(_DC + "language") or None,
    )


def _said(root: etree._Element | None) -> Callable[[str], str]:
    def text(tag: str) -> str:
        elements = root.iter(tag) if root is not None else ()
        return clean("; ".join(element.text for element in elements if element.text))

    return text


# -- OpenDocument (ISO/IEC 26300)

_OPEN_OUT = {
    _T + "tracked-changes",
    _T + "note-citation",
    _T + "sequence-decls",
    _OFFICE + "annotation",
    _OFFICE + "forms",
}
_PARAGRAPHS = (_T + "p", _T + "h")
_CELL, _ROW = _TABLE + "table-cell", _TABLE + "table-row"


def _open_styles(content: etree._Element) -> dict[str, int]:
    """Styles of paragraphs that are titles, those derived from them included."""
    derived = {
        style.get(_STYLE + "name") or "": -1
        for style in content.iter(_STYLE + "style")
        if style.get(_STYLE + "parent-style-name") in _TITLES
    }
    return derived | dict.fromkeys(_TITLES, -1)


def _walk_open(root: etree._Element, walk: _Walk, levels: dict[str, int]) -> None:
    """As ``_walk_word``; text stands in the elements and after them."""
    stack: list[tuple[etree._Element, bool]] = [(root, False)]
    while stack:
        element, leaving = stack.pop()
        if not isinstance(element.tag, str):
            continue
        if leaving:
            _leave_open(element, walk, levels)
            if element is not root and element.getparent().tag.startswith(_T):
                walk.say(re.sub(r"\s+", " ", element.tail or ""))
            continue
        stack.append((element, True))
        if element.tag not in _OPEN_OUT:
            _enter_open(element, walk)
            stack.extend((child, False) for child in reversed(element))


def _enter_open(element: etree._Element, walk: _Walk) -> None:
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


def _leave_open(element: etree._Element, walk: _Walk, levels: dict[str, int]) -> None:
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


def _open_metadata(root: etree._Element | None) -> Metadata:
    said = _said(root)
    return Metadata(
        title=said(_DC + "title"),
        authors=said(_META + "initial-creator") or said(_DC + "creator"),
        subject=said(_DC + "subject") or said(_DC + "description"),
        keywords=said(_META + "keyword"),
        made=regular_date((said(_DC + "date") or said(_META + "creation-date"))[:10]),
        language=said(_DC + "language") or None,
    )
