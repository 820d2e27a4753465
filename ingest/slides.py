"""PPTX files to drafts (PresentationML and DrawingML, ECMA-376 part 1, 19 and 21): a page for each slide.

Hides its XML: shapes, tables and drawn diagrams in the order in which they lie, the title first, the
speaker's notes last; numbers, dates and footers of slides are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingest.cleaning import clean
from ingest.drafts import Draft, Heading
from ingest.isolation import beat
from ingest.office import FALLBACK, Package, draft_of_pages, has_any, ooxml_metadata, relation_of
from kb.errors import Reason, UnreadableDocument
from kb.records import Page

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

_FURNITURE = ("sldNum", "dt", "ftr", "hdr", "sldImg")
_TITLES = ("title", "ctrTitle")


def read(path: Path) -> Iterator[Draft]:
    """One draft of a PPTX file. Raises UnreadableDocument: DAMAGED, LOCKED, TOO_LARGE, EMPTY; NO_TEXT if it
    has pictures only."""
    pages, outline, pictured = [], [], False
    with Package(path) as package:
        for number, part in enumerate(_slides(package), start=1):
            beat()
            slide = package.xml(part)
            title, paragraphs = _said(slide)
            pages.append(Page(number, "\n\n".join([*paragraphs, *_beside(package, part)])))
            pictured = pictured or has_any(slide, "{*}blip")
            if title:
                outline.append(Heading(title, number))
        metadata = ooxml_metadata(package)
    draft = Draft(pages=tuple(pages), outline=tuple(outline), media_type=MEDIA_TYPE)
    first = clean(pages[0].text).split("\n") if pages else []
    yield draft_of_pages(
        draft,
        metadata,
        path.name,
        title=outline[0].title if outline and outline[0].page == 1 else "",
        first=[line for line in first if line],
        pictured=pictured,
    )


def _slides(package: Package) -> list[str]:
    """The parts of the slides in the order in which they are shown."""
    main = package.main_part("ppt/presentation.xml")
    targets = package.relations(main)
    asked = [relation_of(slide) for slide in package.xml(main).iter("{*}sldId")]
    found = [targets[id][1] for id in asked if id in targets]
    if asked and not found:
        raise UnreadableDocument(Reason.DAMAGED, "no slide is where it should be")
    return found


def _beside(package: Package, part: str) -> Iterator[str]:
    """What stands in other parts: diagrams, then notes."""
    targets = sorted(package.relations(part).values())
    for kind, target in targets:
        if kind == "diagramData" and (root := package.xml_or_none(target)) is not None:
            yield from (text for paragraph in root.iter("{*}p") if (text := _text(paragraph)))
    for kind, target in targets:
        if kind == "notesSlide" and (root := package.xml_or_none(target)) is not None:
            yield from _said(root)[1]


def _said(root: etree._Element) -> tuple[str, list[str]]:
    """The title of a slide, and its paragraphs with the title first."""
    titles: list[str] = []
    others: list[str] = []
    for body in root.iter("{*}txBody", "{*}tbl"):
        if next(body.iterancestors("{*}tbl", FALLBACK), None) is not None:
            continue  # a cell of a table is read with its table
        role = _role(body)
        if role in _FURNITURE:
            continue
        if body.tag.endswith("}tbl"):
            others += _rows(body)
        else:
            into = titles if role in _TITLES else others
            into += [text for paragraph in body.iterchildren("{*}p") if (text := _text(paragraph))]
    title = clean(" ".join(titles)).replace("\n", " ")
    return title, [title, *others] if title else others


def _role(body: etree._Element) -> str:
    """What the shape of a text is for ("title", "body", "sldNum"...); "" if it does not say."""
    shape = body.getparent()
    place = shape.find("{*}nvSpPr/{*}nvPr/{*}ph") if shape is not None else None
    return (place.get("type") or "body") if place is not None else ""


def _rows(table: etree._Element) -> Iterator[str]:
    for row in table.iterchildren("{*}tr"):
        cells = (" ".join(filter(None, map(_text, cell.iter("{*}p")))) for cell in row.iterchildren("{*}tc"))
        if text := " | ".join(cells).strip(" |"):
            yield text


def _text(paragraph: etree._Element) -> str:
    parts = paragraph.iter("{*}t", "{*}br")
    return "".join("\n" if part.tag.endswith("}br") else part.text or "" for part in parts).strip()
