"""Which reader reads a file, and the table of readers.

Hides how a format is recognised: by the first bytes, by the members of a zip file, and by the name only among
texts, which look alike. To add a format: one function that takes a path and yields drafts, one row in
``READERS``, and, if its content shows it, one test in ``_by_content``.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from ingest import html, marc, office, pdf, tables, text
from ingest.drafts import Draft, to_wire
from kb.errors import Reason, UnreadableDocument, UnsupportedFormat

Reader = Callable[[Path], Iterator[Draft]]
"""A plain function: the drafts of one file. Raises UnreadableDocument, UnsupportedFormat or OSError."""

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "pdf": pdf.read,
        "html": html.read,
        "docx": office.read_docx,
        "odt": office.read_odt,
        "text": text.read,
        "markdown": text.read_markdown,
        "csv": tables.read,
        "unimarc": marc.read,
    }
)
"""The table of readers: name of a format -> what reads it."""

CATALOGUE_TYPES = frozenset((tables.MEDIA_TYPE, marc.MEDIA_TYPE))
"""Media types of files that hold records, not a document."""

_EXTENSIONS = {
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".txt", ".text", ".log", ""), "text"),
    **dict.fromkeys((".md", ".markdown"), "markdown"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".mrc", ".pan", ".iso2709", ".iso", ".unimarc", ".marc"), "unimarc"),
    ".pdf": "pdf",
    ".docx": "docx",
    ".odt": "odt",
}
_OPEN_DOCUMENTS = {b"application/vnd.oasis.opendocument.text": "odt"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LEADER = re.compile(rb"\d{5}[\x20-\x7e]{5}[\x20-\x7e]{2}\d{5}[\x20-\x7e]{3}[\x20-\x7e]{4}")
_HEAD = 2048
_OTHERS = (
    (b"{\\rtf", "rich text"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"II*\0", "an image"),
    (b"MM\0*", "an image"),
    (b"\x1f\x8b", "compressed"),
    (b"Rar!", "compressed"),
    (b"7z\xbc\xaf", "compressed"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database"),
)


def format_of(path: Path) -> str:
    """Name of the format of a file, a key of ``READERS``. Raises UnsupportedFormat; UnreadableDocument for
    an empty or locked file; OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise UnreadableDocument(Reason.EMPTY, "no bytes, or blanks only")
    if (found := _by_content(head, path)) is not None:
        return found
    if path.suffix.lower() not in _EXTENSIONS:
        raise UnsupportedFormat(Reason.UNSUPPORTED, f"no reader for {path.suffix!r}")
    return _EXTENSIONS[path.suffix.lower()]


def _by_content(head: bytes, path: Path) -> str | None:
    """The format that the bytes show; None for texts, which only the name tells apart."""
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(path)
    if head.startswith(_OLE):
        raise _old_office(path)
    for mark, kind in _OTHERS:
        if head.startswith(mark):
            raise UnsupportedFormat(Reason.UNSUPPORTED, kind)
    if _LEADER.match(head.lstrip()):
        return "unimarc"
    return "html" if path.suffix.lower() not in _NEVER_HTML and html.starts_like(head) else None


_NEVER_HTML = (".md", ".markdown", ".txt")  # a text about HTML may begin with a tag


def _zipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as package:
            names = set(package.namelist())
            if "word/document.xml" in names or ("[Content_Types].xml" in names and path.suffix == ".docx"):
                return "docx"
            kind = package.read("mimetype")[:100].strip() if "mimetype" in names else b""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise UnreadableDocument(Reason.DAMAGED, str(error)) from error
    if kind not in _OPEN_DOCUMENTS:
        raise UnsupportedFormat(Reason.UNSUPPORTED, f"a zip file {kind.decode('latin-1')}".strip())
    return _OPEN_DOCUMENTS[kind]


def _old_office(path: Path) -> UnsupportedFormat | UnreadableDocument:
    """The old container of Office: .doc and the like, or a DOCX under a password."""
    with path.open("rb") as file:
        content = file.read(10_000_000)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return UnreadableDocument(Reason.LOCKED, "an encrypted package of Office")
    return UnsupportedFormat(Reason.UNSUPPORTED, "a file of Office 97-2003")


def read(path: Path) -> Iterator[Draft]:
    """The drafts of a file, whatever its format. Raises UnreadableDocument, UnsupportedFormat, OSError."""
    yield from READERS[format_of(path)](path)


def warm() -> None:
    """Read a little of what is most common from memory: patterns get compiled and libraries bound once, and
    not in each child (it saves a quarter of the time of a PDF of six pages)."""
    page = "<title>Guide</title><p>Les habitants de la commune, par Léa Roy, en juin 2011.</p>"
    html.draft_of(page, "guide.html")
    pdf.warm()


def emit(path: str) -> Iterator[str]:
    """The task of ``ingest.isolation`` that reads a file: each draft as it crosses."""
    for draft in read(Path(path)):
        yield to_wire(draft)
