"""DOCX files to drafts (WordprocessingML, ECMA-376 part 1, 17).

Hides its XML, walked once in document order; headers, footers and deleted text are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingest.drafts import Draft
from ingest.office import FALLBACK, Package, Walk, draft_of_walk, has_any, ooxml_metadata

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def read(path: Path) -> Iterator[Draft]:
    """One draft of a DOCX file. Raises UnreadableDocument: DAMAGED, LOCKED, TOO_LARGE, EMPTY; NO_TEXT if
    it has pictures only."""
    with Package(path) as package:
        body = package.xml(package.main_part("word/document.xml"))
        styles = _styles(package.xml_or_none("word/styles.xml"))
        notes = _notes(package.xml_or_none("word/footnotes.xml"))
        metadata = ooxml_metadata(package)
    walk = Walk(notes=notes, pictured=has_any(body, "{*}blip", "{*}imagedata"))
    _walk(body, walk, styles)
    yield draft_of_walk(walk, metadata, MEDIA_TYPE, path.name)


_LEFT_OUT = {
    _W + "del",
    _W + "instrText",
    _W + "delText",
    _W + "moveFrom",
    _W + "rPr",
    _W + "pPr",
    _W + "sectPr",
    FALLBACK,
}


def _walk(root: etree._Element, walk: Walk, levels: dict[str, int]) -> None:
    """Document order without recursion: a hostile file may nest a million deep."""
    stack: list[tuple[etree._Element, bool]] = [(root, False)]
    while stack:
        element, leaving = stack.pop()
        tag = element.tag
        if leaving:
            _leave(element, walk, levels)
        elif tag not in _LEFT_OUT and isinstance(tag, str):
            _enter(element, walk)
            if tag in _LEAVES:
                stack.append((element, True))
            stack.extend((child, False) for child in reversed(element))


_LEAVES = {_W + "p", _W + "tc", _W + "tr"}


def _enter(element: etree._Element, walk: Walk) -> None:
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


def _leave(element: etree._Element, walk: Walk, levels: dict[str, int]) -> None:
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


def _notes(root: etree._Element | None) -> dict[str, str]:
    """Footnotes by their ids, as one line each; separators have no text and are left out."""
    notes = root.iter(_W + "footnote") if root is not None else ()
    said = {note.get(_W + "id") or "": " ".join(t.text or "" for t in note.iter(_W + "t")) for note in notes}
    return {id: " ".join(text.split()) for id, text in said.items() if text.strip()}


def _styles(root: etree._Element | None) -> dict[str, int]:
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
