"""ZIP files, told apart: which are documents, and which are archives of documents.

Hides how a ZIP file is looked at without trusting it: its list of members is read only if it is short.
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import Reason, UnreadableDocument

ARCHIVE = "zip"
"""The format of a ZIP file that is no document."""

_OPEN_DOCUMENTS = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.text-template": "odt",
    b"application/vnd.oasis.opendocument.presentation": "odp",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/epub+zip": "epub",
}
_PARTS = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "xlsx"))
_END = struct.Struct("<4sHHHHIIH")  # end of central directory record (APPNOTE.TXT, 4.3.16)
_END_64 = 76  # bytes of the ZIP64 record and of its locator, which stand before that end (4.3.14, 4.3.15)
_LONGEST_LIST = 4_000_000  # bytes: 40,000 members of an ordinary name
_FAULTS = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError),
    *(struct.error, zlib.error, lzma.LZMAError),
)


def starts_like(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a ZIP file."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The ZIP file. Raises UnreadableDocument (DAMAGED) if it is none; OSError if it cannot be opened."""
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except (*_FAULTS, OSError) as error:  # it seeks where it is told to
            raise UnreadableDocument(Reason.DAMAGED, str(error)) from error
        with archive:
            yield archive


def is_archive(path: Path) -> bool:
    """Whether a ZIP file is no document; False for one that is damaged, which its reader then says."""
    if _length_of_list(path) > _LONGEST_LIST:
        return True
    try:
        return format_of(path) == ARCHIVE
    except UnreadableDocument:
        return False


def format_of(path: Path) -> str:
    """ "docx", "odt", "epub"..., or "zip" for an archive; the name of the type for an OpenDocument of
    another kind. Raises UnreadableDocument (DAMAGED)."""
    with opened(path) as archive:
        names = archive.namelist()
        try:
            kind = _start_of(archive, "mimetype").strip() if "mimetype" in names else b""
        except (*_FAULTS, OSError) as error:  # bz2 says so of damaged bytes
            raise UnreadableDocument(Reason.DAMAGED, str(error)) from error
    if kind in _OPEN_DOCUMENTS:
        return _OPEN_DOCUMENTS[kind]
    if kind.startswith(b"application/vnd."):
        return kind.decode("latin-1")
    if "[Content_Types].xml" in names or "_rels/.rels" in names:
        return _ooxml(names, path)
    if "META-INF/container.xml" in names:
        return "epub"
    return ARCHIVE


def _start_of(archive: zipfile.ZipFile, name: str) -> bytes:
    """The first 100 bytes of a member: no more is inflated, since this may happen outside of a child."""
    with archive.open(name) as member:
        return member.read(100)


def _ooxml(names: list[str], path: Path) -> str:
    for folder, kind in _PARTS:
        if any(name.startswith(folder) for name in names):
            return kind
    kind = path.suffix.lower().removeprefix(".")
    return kind if kind in ("docx", "pptx", "xlsx") else "an Office file"


def name_of(entry: zipfile.ZipInfo) -> str:
    """The name of a member. One that does not say that it is UTF-8 is taken for UTF-8 where it is (Mac OS
    does not say so), else for the code page of Windows archives in France."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        raw = name.encode("cp437", "replace")
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            name = raw.decode("cp850", "replace")
    return name.replace("\\", "/")


def _length_of_list(path: Path) -> int:
    """Bytes of the list of members, as the end of the file announces them where ``zipfile`` looks; 0 if it
    does not."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - (1 << 16) - _END.size - _END_64))
        tail = file.read()
    # A mark too near the end is no record, but a number inside of the one before it.
    place = tail.rfind(b"PK\x05\x06", 0, len(tail) - _END.size + 4)
    if place < 0:
        return 0
    if place >= _END_64 and tail[place - 20 :].startswith(b"PK\x06\x07"):
        return int.from_bytes(tail[place - _END_64 + 40 : place - _END_64 + 48], "little")
    return int(_END.unpack_from(tail, place)[5])
