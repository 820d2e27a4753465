"""What the files of word processors, slides and sheets share: zip files of XML, with properties.

Hides how their parts are opened with limits (a few kilobytes may hold gigabytes), parsed without entities and
found by their relations, and how paragraphs become pages. Formats are read with lxml alone (decision 5);
``word``, ``opendocument``, ``slides`` and ``sheets`` know one each.
"""

from __future__ import annotations

import dataclasses
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from ingest.cleaning import clean, clean_pages, has_text
from ingest.drafts import Draft, Heading
from ingest.frontmatter import Line, Metadata, completed
from ingest.isolation import beat
from kb.errors import Reason, UnreadableDocument
from kb.french import passages
from kb.records import Page, regular_date

_LARGEST_PART = 100_000_000  # bytes of XML once inflated: 1,000 pages make 20 MB
_LONGEST_PAGE = (
    8_000  # characters: longer "pages" are whole chapters between two breaks, and are cut into passages
)
_FRONT_LINES = 40

DC = "{http://purl.org/dc/elements/1.1/}"
_CP = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
_DCTERMS = "{http://purl.org/dc/terms/}"
_RELATION = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}id",
)
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""What older programs show instead of what stands beside it: the same text again."""


class Package:
    """A zip file of XML parts, read with limits."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
            raise UnreadableDocument(Reason.DAMAGED, str(error)) from error

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def names(self) -> list[str]:
        """The parts that there are."""
        return self._zip.namelist()

    def main_part(self, otherwise: str) -> str:
        """Where an OOXML file keeps its text: where its relations say, mostly ``otherwise``."""
        for relation in self.xml("_rels/.rels"):
            if relation.get("Type") in _MAIN_PART:
                return (relation.get("Target") or "").lstrip("/")
        return otherwise

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What an OOXML part points to in the package: id -> (last word of its kind, name of the part)."""
        folder, name = posixpath.split(part)
        root = self.xml_or_none(posixpath.join(folder, "_rels", f"{name}.rels"))
        found = {}
        for relation in root if root is not None else ():
            if relation.get("TargetMode") != "External" and isinstance(relation.tag, str):
                target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target") or ""))
                kind = (relation.get("Type") or "").rpartition("/")[2]
                found[relation.get("Id") or ""] = kind, target.lstrip("/")
        return found

    def content(self, part: str) -> bytes:
        """A part's bytes. Raises UnreadableDocument."""
        return self._inflated(part)

    def content_or_none(self, part: str) -> bytes:
        """A part's bytes; none when it is not there."""
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
class Walk:
    """Paragraphs met so far, by page; the last page is being filled."""

    pages: list[list[str]] = field(default_factory=lambda: [[]])
    headings: list[Heading] = field(default_factory=list)
    title: str = ""
    rendered: bool = False  # whether the word processor noted where its pages ended
    notes: dict[str, str] = field(default_factory=dict)  # footnotes by their ids
    pictured: bool = False  # whether there are pictures, which may be pages that were scanned
    _line: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """More of the paragraph that is open."""
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


def draft_of_walk(walk: Walk, metadata: Metadata, media_type: str, name: str) -> Draft:
    """The draft of a text, by the pages of the word processor if it noted them, else cut into passages.
    Raises as ``draft_of_pages``."""
    texts = ["\n\n".join(page) for page in walk.pages]
    first = [line for line in clean(texts[0] or "".join(texts[1:2])).split("\n") if line]
    # Breaks put in by hand between chapters are no pages; the word processor's own are, and are kept.
    paged = len(walk.pages) > 1 and max(map(len, texts)) <= _LONGEST_PAGE
    outline: tuple[Heading, ...] = ()
    if walk.rendered or paged:
        kept = texts if texts[-1] else texts[:-1]
        outline = tuple(walk.headings)
    else:
        kept = [cut for text in texts for cut in passages(clean(text))]
    title = walk.title or next((h.title for h in walk.headings if h.level == 1 and h.page == 1), "")
    draft = Draft(pages=_numbered(kept), outline=outline, media_type=media_type)
    return draft_of_pages(draft, metadata, name, title=title, first=first, pictured=walk.pictured)


def draft_of_pages(
    draft: Draft, metadata: Metadata, name: str, *, title: str, first: Sequence[str], pictured: bool
) -> Draft:
    """The draft with its pages cleaned and its fields found; ``title`` is what its styles say, ``first`` the
    first lines. Raises UnreadableDocument: EMPTY; NO_TEXT if it has pictures only."""
    pages = clean_pages(draft.pages)
    if pictured and not any(has_text(page.text) for page in pages):
        raise UnreadableDocument(Reason.NO_TEXT, "pictures only")
    if not any(page.text for page in pages):
        raise UnreadableDocument(Reason.EMPTY, "no words")
    lines = [Line(line) for line in first[:_FRONT_LINES]]
    if title:
        lines = [Line(title, 2.0), *(Line(line, 1.0) for line in first)]
    return completed(dataclasses.replace(draft, pages=pages), metadata, lines, name)


def _numbered(texts: Sequence[str]) -> tuple[Page, ...]:
    return tuple(Page(number, text) for number, text in enumerate(texts, start=1))


def said_by(root: etree._Element | None) -> Callable[[str], str]:
    """What the elements of a tag say below ``root``, joined; "" for none."""

    def text(tag: str) -> str:
        elements = root.iter(tag) if root is not None else ()
        return clean("; ".join(element.text for element in elements if element.text))

    return text


def has_any(root: etree._Element, *tags: str) -> bool:
    """Whether there is an element of one of these tags."""
    return next(root.iter(*tags), None) is not None


def ooxml_metadata(package: Package) -> Metadata:
    """The core properties of an OOXML file (ECMA-376 part 2, 11)."""
    said = said_by(package.xml_or_none("docProps/core.xml"))
    return Metadata(
        title=said(DC + "title"),
        authors=said(DC + "creator"),
        subject=said(DC + "subject") or said(DC + "description"),
        keywords=said(_CP + "keywords"),
        made=regular_date((said(_DCTERMS + "modified") or said(_DCTERMS + "created"))[:10]),
        language=said(DC + "language") or None,
    )


def relation_of(element: etree._Element) -> str:
    """The id of the relation that an OOXML element names; "" for none."""
    return next((value for name, value in element.attrib.items() if name in _RELATION), "")
