"""One signed file of records, deletions and thesaurus, that goes from centre to centre by mail or USB stick.

Hides the zip, its manifest and its signature. The file holds five members: ``manifest.json`` (who sends,
what, and the SHA-256 of the others), ``manifest.sig`` (Ed25519 over the exact bytes of the manifest, after a
prefix that no other message has), ``records.jsonl``, ``deletions.jsonl`` and ``thesaurus.jsonl``. Nothing in
it is believed before the signature is that of a trusted key and each hash is right, and nothing in it is ever
run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

from kb import envelope_lines as lines
from kb.envelope_lines import Alignment, Deletion, SharedConcept
from kb.envelope_manifest import (
    CONTENT,
    DELETIONS,
    MANIFEST,
    RECORDS,
    SIGNATURE,
    THESAURUS,
    Content,
    Counts,
    EnvelopeError,
    Head,
    Kind,
    Manifest,
    Position,
    Refusal,
    Sender,
    sealed,
    unsealed,
)
from kb.errors import StorageError
from kb.sharing import Shared
from kb.signing import SIGNATURE_BYTES

__all__ = [
    "Alignment",
    "Counts",
    "Deletion",
    "EnvelopeError",
    "Head",
    "Kind",
    "Opened",
    "Position",
    "Refusal",
    "Sender",
    "SharedConcept",
    "open_envelope",
    "write",
]

T = TypeVar("T")

EXTENSION = ".carbet"
LARGEST_FILE = 2**31 - 1
"""Bytes of an envelope: what a zip holds without its 64-bit form, some 60,000 documents of 40 pages."""

LONGEST_LINE = 1 << 26
"""Bytes of a record with its pages: 20,000 full pages."""

_MEMBERS = frozenset((MANIFEST, SIGNATURE, *CONTENT))
_LARGEST_MANIFEST = 1 << 16
_LARGEST_CONTENT = 1 << 33  # bytes of a member once inflated: French text shrinks to a third
_BLOCK = 1 << 18
_END = struct.Struct("<4sHHHHIIH")  # end of central directory record (APPNOTE.TXT, 4.3.16)
_LOCATOR = 20  # bytes of what leads to the 64-bit form of that record, just before it (4.3.15)
_LONGEST_LIST = 4096  # bytes of the list of five members: 400 as we write it
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # bits of the flags (APPNOTE.TXT, 4.4.4)
_FAULTS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    struct.error,
    zlib.error,
)


# -- writing


def write(
    target: Path | BinaryIO,
    head: Head,
    items: Iterable[Shared],
    deletions: Iterable[Deletion] = (),
    thesaurus: Iterable[SharedConcept | Alignment] = (),
    *,
    sign: Callable[[bytes], bytes],
) -> Counts:
    """Write an envelope; ``sign`` signs by the key that ``head`` names (``CentreKey.sign``). Memory stays
    flat.

    A file is there whole or not at all, and nothing goes into a stream before the whole is made. Raises
    InvalidRecord for a record that nobody would take (``carbetxml.checked``), EnvelopeError (TOO_LARGE),
    StorageError when a file cannot be written, ValueError when the key is another.
    """
    if isinstance(target, Path):
        return _write_file(target, lambda file: _write(file, head, items, deletions, thesaurus, sign))
    with tempfile.TemporaryFile() as whole:
        counts = _write(whole, head, items, deletions, thesaurus, sign)
        whole.seek(0)
        shutil.copyfileobj(whole, target, _BLOCK)
    return counts


def _write_file(target: Path, write_into: Callable[[Any], Counts]) -> Counts:
    try:
        handle, name = tempfile.mkstemp(prefix=target.name, dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                counts = write_into(file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(str(error)) from error
    return counts


def _write(
    file: Any,
    head: Head,
    items: Iterable[Shared],
    deletions: Iterable[Deletion],
    thesaurus: Iterable[SharedConcept | Alignment],
    sign: Callable[[bytes], bytes],
) -> Counts:
    with zipfile.ZipFile(file, "w") as archive:
        content = {
            RECORDS: _put(archive, RECORDS, map(lines.item_line, items)),
            DELETIONS: _put(archive, DELETIONS, map(lines.deletion_line, deletions)),
            THESAURUS: _put(archive, THESAURUS, map(lines.thesaurus_line, thesaurus)),
        }
        counts = Counts(*(content[name].lines for name in CONTENT))
        manifest, signature = sealed(Manifest(head, counts, content), sign)
        archive.writestr(_info(MANIFEST), manifest)
        archive.writestr(_info(SIGNATURE), signature)
    if file.tell() > LARGEST_FILE:
        raise EnvelopeError(Refusal.TOO_LARGE, f"more than {LARGEST_FILE} bytes")
    return counts


def _put(archive: zipfile.ZipFile, name: str, some: Iterable[bytes]) -> Content:
    digest, size, number = hashlib.sha256(), 0, 0
    with archive.open(_info(name), "w", force_zip64=True) as member:
        for number, line in enumerate(some, start=1):
            size += len(line)
            if len(line) > LONGEST_LINE or size > _LARGEST_CONTENT:
                raise EnvelopeError(Refusal.TOO_LARGE, f"{len(line)} bytes of {size}", name, number)
            digest.update(line)
            member.write(line)
    return Content(digest.hexdigest(), size, number)


def _info(name: str) -> zipfile.ZipInfo:
    """A plain file of no date: the same content makes the same bytes."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (stat.S_IFREG | 0o600) << 16
    return info


# -- reading


class Opened:
    """An envelope of a trusted sender whose signature and hashes are right. Close it, or use it in ``with``.

    Iterators hash what they read once more: EnvelopeError (DAMAGED) at the end of one tells that the file was
    changed since. BAD_CONTENT, on the way, tells that the sender signed what may not be in an envelope. Keep
    all of it or nothing.
    """

    def __init__(self, stack: ExitStack, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.head = manifest.head
        self.counts = manifest.counts
        self._stack = stack
        self._archive = archive
        self._content = manifest.content

    def items(self) -> Iterator[Shared]:
        """The records with their pages, as the sender gave them."""
        return self._values(RECORDS, lines.item)

    def deletions(self) -> Iterator[Deletion]:
        """What the sender tells as deleted."""
        return self._values(DELETIONS, lines.deletion)

    def concepts(self) -> Iterator[SharedConcept]:
        """The concepts of the sender."""
        entries = self._values(THESAURUS, lines.thesaurus_entry)
        return (entry for entry in entries if isinstance(entry, SharedConcept))

    def alignments(self) -> Iterator[Alignment]:
        """What the sender decided on key words of others."""
        entries = self._values(THESAURUS, lines.thesaurus_entry)
        return (entry for entry in entries if isinstance(entry, Alignment))

    def _values(self, name: str, read: Callable[[bytes], T]) -> Iterator[T]:
        content, number = self._content[name], 0
        for number, line in enumerate(_lines(_blocks(self._archive, name, content), name), start=1):
            try:
                value = read(line)
            except ValueError as error:
                raise EnvelopeError(Refusal.BAD_CONTENT, str(error), name, number) from error
            yield value
        if number != content.lines:
            raise EnvelopeError(Refusal.BAD_CONTENT, f"{content.lines} lines were told", name, number)

    def close(self) -> None:
        """Let go of the file."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_envelope(source: Path | BinaryIO, trusted: Mapping[str, str]) -> Opened:
    """The envelope in a file, or in a stream that can seek, once everything in it is verified. ``trusted``:
    code of a centre -> its public key.

    Raises EnvelopeError, with its ``sender`` for UNKNOWN_SENDER and OTHER_KEY so that a person can decide;
    OSError when the file cannot be read. Memory stays flat, and nothing is written.
    """
    with ExitStack() as stack:
        file = stack.enter_context(source.open("rb")) if isinstance(source, Path) else source
        archive = stack.enter_context(_archive(file))
        raw = _small(archive, MANIFEST, _LARGEST_MANIFEST)
        manifest = unsealed(raw, _small(archive, SIGNATURE, SIGNATURE_BYTES), trusted)
        for name, promised in manifest.content.items():
            _check_size(archive, name, promised)
            for _ in _blocks(archive, name, promised):
                pass
        return Opened(stack.pop_all(), archive, manifest)


def _archive(file: BinaryIO) -> zipfile.ZipFile:
    """The zip, if it is one of just our members, each a plain file. Its list is read only if it is short."""
    size = file.seek(0, os.SEEK_END)
    if size > LARGEST_FILE:
        raise EnvelopeError(Refusal.TOO_LARGE, f"{size} bytes")
    file.seek(0)
    if file.read(4) != b"PK\3\4":
        raise EnvelopeError(Refusal.NOT_AN_ENVELOPE, "not a zip file")
    file.seek(max(0, size - _LOCATOR - _END.size))
    tail = file.read()
    end = tail[_LOCATOR:]
    if len(end) < _END.size or not end.startswith(b"PK\5\6"):
        raise EnvelopeError(Refusal.DAMAGED, "ends before its end")
    if tail.startswith(b"PK\6\7"):  # the list that ``zipfile`` then reads may be of any length
        raise EnvelopeError(Refusal.NOT_AN_ENVELOPE, "a list of members in the 64-bit form")
    _, disk, start_disk, here, entries, length, start, comment = _END.unpack(end)
    if (disk, start_disk, here, entries, comment) != (0, 0, len(_MEMBERS), len(_MEMBERS), 0):
        raise EnvelopeError(Refusal.NOT_AN_ENVELOPE, f"{entries} members, or a comment")
    if length > _LONGEST_LIST or start + length + _END.size != size:
        raise EnvelopeError(Refusal.NOT_AN_ENVELOPE, "a list of members that is too long or elsewhere")
    try:
        archive = zipfile.ZipFile(file)
    except _FAULTS as error:
        raise EnvelopeError(Refusal.DAMAGED, str(error)) from error
    _check_members(archive.infolist())
    return archive


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    names = sorted(member.orig_filename for member in members)
    if names != sorted(_MEMBERS):
        raise EnvelopeError(Refusal.NOT_AN_ENVELOPE, f"members {names!r:.200}")
    for member in members:
        if member.flag_bits & _ENCRYPTED:
            raise EnvelopeError(Refusal.NOT_AN_ENVELOPE, "is encrypted", member.filename)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise EnvelopeError(Refusal.NOT_AN_ENVELOPE, "is neither stored nor deflated", member.filename)
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise EnvelopeError(Refusal.NOT_AN_ENVELOPE, "is not a plain file", member.filename)


def _small(archive: zipfile.ZipFile, name: str, largest: int) -> bytes:
    """A member of which nothing is known yet: no more than ``largest`` bytes are inflated."""
    if archive.getinfo(name).file_size > largest:
        raise EnvelopeError(Refusal.TOO_LARGE, f"more than {largest} bytes", name)
    try:
        with archive.open(name) as member:
            return member.read()
    except _FAULTS as error:
        raise EnvelopeError(Refusal.DAMAGED, str(error), name) from error


def _check_size(archive: zipfile.ZipFile, name: str, promised: Content) -> None:
    if promised.size > _LARGEST_CONTENT:
        raise EnvelopeError(Refusal.TOO_LARGE, f"{promised.size} bytes", name)
    if archive.getinfo(name).file_size != promised.size:
        raise EnvelopeError(Refusal.DAMAGED, "is not of the size that was signed", name)


def _blocks(archive: zipfile.ZipFile, name: str, promised: Content) -> Iterator[bytes]:
    """The bytes of a member; at their end they were those that were signed. The list of the zip has its size,
    past which ``zipfile`` inflates nothing."""
    digest = hashlib.sha256()
    try:
        with archive.open(name) as member:
            while block := member.read(_BLOCK):
                digest.update(block)
                yield block
    except _FAULTS as error:
        raise EnvelopeError(Refusal.DAMAGED, str(error), name) from error
    if digest.hexdigest() != promised.sha256:
        raise EnvelopeError(Refusal.DAMAGED, "is not what was signed", name)


def _lines(blocks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Lines without their ends, however many blocks one takes."""
    parts: list[bytes] = []
    length = number = 0
    for block in blocks:
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            yield b"".join((*parts, block[start:end]))
            parts, length, number, start = [], 0, number + 1, end + 1
        parts.append(block[start:])
        length += len(parts[-1])
        if length > LONGEST_LINE:
            raise EnvelopeError(
                Refusal.TOO_LARGE, f"a line of more than {LONGEST_LINE} bytes", name, number + 1
            )
    if length:
        raise EnvelopeError(Refusal.BAD_CONTENT, "the last line does not end", name, number + 1)
