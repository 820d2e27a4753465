"""Which reader reads a file, and the table of readers.

Hides how a format is recognised: by the first bytes, by the members of a zip file, and by the name only among
texts, which look alike. To add a format: one function that takes a path and yields drafts, one row in
``READERS``, and, if its content shows it, one test in ``_by_content``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from ingest import (
    citations,
    epub,
    html,
    mail_file,
    marc,
    old_word,
    opendocument,
    pdf,
    rtf,
    scans,
    slides,
    tables,
    text,
    word,
    workbook,
    zips,
)
from ingest.cleaning import clean_pages
from ingest.drafts import Draft, to_wire
from kb.errors import Reason, UnreadableDocument, UnsupportedFormat
from kb.records import Page

Reader = Callable[[Path], Iterator[Draft]]
"""A plain function: the drafts of one file. Raises UnreadableDocument, UnsupportedFormat or OSError."""


def _read_spreadsheet(path: Path) -> Iterator[Draft]:
    try:
        holds_records = tables.is_catalogue(path)
    except UnreadableDocument as error:
        if error.reason is not Reason.BAD_RECORDS:
            raise
        holds_records = False  # no row at all
    return tables.read(path) if holds_records else workbook.read(path)


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "pdf": pdf.read,
        "html": html.read,
        "docx": word.read,
        "doc": old_word.read,
        "odt": opendocument.read_text,
        "rtf": rtf.read,
        "pptx": slides.read,
        "odp": opendocument.read_slides,
        "xlsx": _read_spreadsheet,
        "ods": _read_spreadsheet,
        "epub": epub.read,
        "eml": mail_file.read,
        "image": scans.read,
        "text": text.read,
        "markdown": text.read_markdown,
        "csv": tables.read,
        "unimarc": marc.read,
        "marcxml": marc.read_xml,
        "ris": citations.read_ris,
        "bibtex": citations.read_bibtex,
        "csl": citations.read_csl_json,
        "dublincore": citations.read_dublin_core,
    }
)
"""The table of readers: name of a format -> what reads it."""

CONTAINER = zips.ARCHIVE
"""The format of a file that holds others, and that no reader reads: ``ingest.containers`` opens it."""

CATALOGUE_TYPES = frozenset(
    (
        *(tables.MEDIA_TYPE, marc.MEDIA_TYPE, marc.MARCXML_TYPE),
        *(citations.RIS, citations.BIBTEX, citations.CSL_JSON, citations.DUBLIN_CORE),
    )
)
"""Media types of files that always hold records; a spreadsheet may, as ``is_catalogue`` tells."""

_EXTENSIONS = {
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".txt", ".text", ".log", ""), "text"),
    **dict.fromkeys((".md", ".markdown"), "markdown"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".mrc", ".pan", ".iso2709", ".iso", ".unimarc", ".marc"), "unimarc"),
    **dict.fromkeys((".eml", ".mht", ".mhtml"), "eml"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"), "image"),
    **dict.fromkeys((".pdf", ".docx", ".doc", ".odt", ".rtf", ".pptx", ".odp", ".xlsx", ".ods", ".epub")),
    ".ris": "ris",
    ".bib": "bibtex",
    ".zip": CONTAINER,
}
_LEADER = re.compile(rb"\d{5}[\x20-\x7e]{5}[\x20-\x7e]{2}\d{5}[\x20-\x7e]{3}[\x20-\x7e]{4}")
_HEAD = 2048
_MARKS = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "doc"),
    (b"{\\rtf", "rtf"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
)
_OTHERS = (
    (b"GIF8", "an image"),
    (b"\x1f\x8b", "compressed"),
    (b"Rar!", "compressed"),
    (b"7z\xbc\xaf", "compressed"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database"),
)


def is_catalogue(draft: Draft) -> bool:
    """Whether a draft is a record of a catalogue, which says where in the file it is, and not a document."""
    return bool(draft.place_in_file)


def format_of(path: Path) -> str:
    """Name of the format of a file, a key of ``READERS`` or CONTAINER. Raises UnsupportedFormat;
    UnreadableDocument for an empty file or a damaged zip file; OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise UnreadableDocument(Reason.EMPTY, "no bytes, or blanks only")
    if (found := _by_content(head, path)) is not None:
        return found
    suffix = path.suffix.lower()
    if suffix not in _EXTENSIONS:
        raise UnsupportedFormat(Reason.UNSUPPORTED, f"no reader for {path.suffix!r}")
    return _EXTENSIONS[suffix] or suffix.removeprefix(".")


def _by_content(head: bytes, path: Path) -> str | None:
    """The format that the bytes show; None for texts, which only the name tells apart."""
    if zips.starts_like(head):
        return _zipped(path)
    for mark, kind in _MARKS:
        if head.startswith(mark):
            return kind
    for mark, what in _OTHERS:
        if head.startswith(mark):
            raise UnsupportedFormat(Reason.UNSUPPORTED, what)
    return _by_shape(head, path)


def _by_shape(head: bytes, path: Path) -> str | None:
    """The format of bytes that no mark begins."""
    suffix = path.suffix.lower()
    tests: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("image", lambda: head.startswith(b"RIFF") and head[8:12] == b"WEBP"),
        ("eml", lambda: mail_file.is_message(head, path.name)),
        ("pdf", lambda: b"%PDF-" in head[:1024]),
        ("unimarc", lambda: _LEADER.match(head.lstrip()) is not None),
        ("marcxml", lambda: marc.is_marcxml(head)),
        ("dublincore", lambda: citations.is_dublin_core(head)),
        ("html", lambda: suffix not in _TEXTS and html.starts_like(head)),
        ("ris", lambda: suffix not in _MARKDOWN and citations.is_ris(head)),
        ("bibtex", lambda: suffix not in _TEXTS and citations.is_bibtex(head)),
        ("csl", lambda: suffix not in _TEXTS and citations.is_csl_json(head)),
    )
    return next((kind for kind, holds in tests if holds()), None)


_MARKDOWN = (".md", ".markdown")
_TEXTS = (*_MARKDOWN, ".txt")  # a text about HTML may begin with a tag; references in RIS are often in .txt


def _zipped(path: Path) -> str:
    kind = zips.format_of(path)
    if kind not in READERS and kind != CONTAINER:
        raise UnsupportedFormat(Reason.UNSUPPORTED, f"a zip file: {kind}")
    return kind


def read(path: Path) -> Iterator[Draft]:
    """The drafts of a file, whatever its format. Raises UnreadableDocument, UnsupportedFormat (a container,
    too), OSError."""
    kind = format_of(path)
    if kind == CONTAINER:
        raise UnsupportedFormat(Reason.UNSUPPORTED, "a file that holds others")
    yield from READERS[kind](path)


def warm() -> None:
    """Read a little of what is most common from memory: patterns get compiled and libraries bound once, and
    not in each child (it saves a quarter of the time of a PDF of six pages)."""
    page = "<title>Guide</title><p>Les habitants de la commune, par Léa Roy, en juin 2011.</p>"
    html.draft_of(page, "guide.html")
    clean_pages([Page(1, "Les habitants de la commune ont été consul-\ntés.")])  # loads the lexicon
    pdf.warm()


def emit(path: str) -> Iterator[str]:
    """The task of ``ingest.isolation`` that reads a file: each draft as it crosses."""
    for draft in read(Path(path)):
        yield to_wire(draft)
