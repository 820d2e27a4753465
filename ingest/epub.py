"""EPUB files to drafts (EPUB 3.3; EPUB 2 with its NCX).

Hides the package: metadata, reading order, table of contents. Each chapter is an HTML page, read as one, cut
into passages that are the pages of the draft.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree

from ingest import html
from ingest.cleaning import clean
from ingest.drafts import Draft, Heading
from ingest.frontmatter import Line, Metadata, completed, regular_language
from ingest.isolation import beat
from ingest.office import DC, Package, said_by
from kb.errors import Reason, UnreadableDocument
from kb.records import Page, regular_date, regular_isbn

MEDIA_TYPE = "application/epub+zip"

_DECLARATION = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\?>")
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
_DEEPEST = 6  # levels of contents that are followed


def read(path: Path) -> Iterator[Draft]:
    """One draft of a book. Raises UnreadableDocument: DAMAGED, LOCKED when its text is encrypted, EMPTY,
    TOO_LARGE; NO_TEXT if it has pictures only."""
    with Package(path) as package:
        main = _main(package)
        root = package.xml(main)
        book = _Book(root, posixpath.dirname(main))
        chapters = book.chapters()
        _check_lock(package, chapters)
        pages, starts, pictured = _pages(package, chapters)
        contents = _contents(package, book)
    if not pages:
        reason = Reason.NO_TEXT if pictured else Reason.EMPTY
        raise UnreadableDocument(reason, f"no text in {len(chapters)} chapters")
    outline = tuple(_outline(contents, starts, pages))
    draft = Draft(pages=tuple(pages), outline=outline, media_type=MEDIA_TYPE, **_fields(root))
    first = [Line(line) for line in pages[0].text.split("\n")[:40] if line]
    yield completed(draft, _metadata(root), first, path.name)


def _main(package: Package) -> str:
    """Where the package document is (Open Container Format, 4.2.6.3.1)."""
    for found in package.xml("META-INF/container.xml").iter("{*}rootfile"):
        if place := found.get("full-path"):
            return str(place)
    raise UnreadableDocument(Reason.DAMAGED, "no package document")


class _Book:
    """The package document: which parts there are, and in what order they are read."""

    def __init__(self, root: etree._Element, folder: str) -> None:
        self._root = root
        self._folder = folder
        self._items = {item.get("id") or "": item for item in root.iter("{*}item")}

    def place(self, item: etree._Element) -> str:
        """The part that an item of the manifest names."""
        return _joined(self._folder, item.get("href") or "")

    def chapters(self) -> list[str]:
        """The parts that are read, in order, each once."""
        named = (self._items.get(item.get("idref") or "") for item in self._root.iter("{*}itemref"))
        return list(dict.fromkeys(self.place(item) for item in named if item is not None))

    def contents(self) -> str | None:
        """The part that holds the table of contents: that of EPUB 3, else the NCX."""
        for item in self._items.values():
            if "nav" in (item.get("properties") or "").split():
                return self.place(item)
        for item in self._items.values():
            if item.get("media-type") == "application/x-dtbncx+xml":
                return self.place(item)
        return None


def _joined(folder: str, href: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder, unquote(href.partition("#")[0]))).lstrip("/")


def _check_lock(package: Package, chapters: Sequence[str]) -> None:
    """Fonts are often obfuscated, which locks nothing; a chapter that is encrypted cannot be read."""
    encryption = package.xml_or_none("META-INF/encryption.xml")
    for found in encryption.iter("{*}CipherReference") if encryption is not None else ():
        if _joined("", found.get("URI") or "") in chapters:
            raise UnreadableDocument(Reason.LOCKED, "encrypted chapters")


def _pages(package: Package, chapters: Sequence[str]) -> tuple[list[Page], dict[str, int], bool]:
    """The pages of all chapters; chapter -> number of its first page; whether some held pictures only."""
    pages: list[Page] = []
    starts: dict[str, int] = {}
    pictured = False
    for chapter in chapters:
        beat()
        starts[chapter] = len(pages) + 1
        # The declaration is off so that what follows is read with the leniency of HTML.
        markup = _DECLARATION.sub(b"", package.content_or_none(chapter))
        try:
            found = html.draft_of(markup, chapter).pages
        except UnreadableDocument as error:  # a cover, a blank leaf
            pictured = pictured or error.reason is Reason.NO_TEXT
            continue
        for page in found:
            pages.append(dataclasses.replace(page, number=len(pages) + 1))
    return pages, starts, pictured


def _contents(package: Package, book: _Book) -> list[tuple[str, str, int]]:
    """(title, part, level) of each entry of the table of contents."""
    place = book.contents()
    content = package.content_or_none(place) if place else b""
    if place is None or not content:
        return []
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(content, parser)
    if root is None:
        return []
    folder = posixpath.dirname(place)
    return [
        (title, _joined(folder, target), depth)
        for title, target, depth in (_of_ncx(root) if root.tag.endswith("}ncx") else _of_nav(root))
        if title and target and depth <= _DEEPEST
    ]


def _of_ncx(root: etree._Element) -> Iterator[tuple[str, str, int]]:
    for point in root.iter("{*}navPoint"):
        label, target = point.find("{*}navLabel"), point.find("{*}content")
        if label is not None and target is not None:
            depth = 1 + sum(1 for _ in point.iterancestors("{*}navPoint"))
            yield _line(label), target.get("src") or "", depth


def _of_nav(root: etree._Element) -> Iterator[tuple[str, str, int]]:
    navs = list(root.iter("{*}nav"))
    tables = [nav for nav in navs if "toc" in (nav.get(_EPUB_TYPE) or "").split()] or navs[:1]
    for link in tables[0].iter("{*}a") if tables else ():
        depth = max(1, sum(1 for _ in link.iterancestors("{*}ol")))
        yield _line(link), link.get("href") or "", depth


def _line(element: etree._Element) -> str:
    return clean(" ".join("".join(element.itertext()).split()))


def _outline(
    contents: Sequence[tuple[str, str, int]], starts: dict[str, int], pages: Sequence[Page]
) -> Iterator[Heading]:
    """Each entry at the page of its chapter that says its title, else at the first."""
    ends = dict(zip(starts, [*list(starts.values())[1:], len(pages) + 1], strict=True))
    for title, part, depth in contents:
        if (start := starts.get(part, len(pages) + 1)) <= len(pages):
            said = (n for n in range(start, ends[part]) if title in pages[n - 1].text)
            yield Heading(title, next(said, start), depth)


# -- metadata (EPUB 3.3, 5.5)


def _metadata(root: etree._Element) -> Metadata:
    said = said_by(root)
    dates = [date for element in root.iter(DC + "date") if (date := regular_date(element.text or ""))]
    return Metadata(
        title=said(DC + "title").partition("; ")[0],
        authors=said(DC + "creator"),
        subject=said(DC + "description"),
        date=min(dates) if dates else None,
    )


def _fields(root: etree._Element) -> dict[str, Any]:
    said = said_by(root)
    isbn = next(filter(None, (regular_isbn(e.text or "") for e in root.iter(DC + "identifier"))), None)
    subjects = (clean(element.text or "") for element in root.iter(DC + "subject"))
    return {
        "publisher": said(DC + "publisher") or None,
        "language": regular_language(said(DC + "language")),
        "keywords": tuple(dict.fromkeys(filter(None, subjects))),
        "identifiers": {"isbn": isbn} if isbn else {},
    }
