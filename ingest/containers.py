"""Files that hold other files: ZIP archives, and messages with what is attached to them.

Hides how members come out of a child that nobody trusts (as frames, each told by its first byte), what is
left out and why, and under which names the others are written: each in a folder of its own, so that two of
one name stay apart. An archive inside an archive is a member; it is opened when its own turn comes.
"""

from __future__ import annotations

import contextlib
import json
import lzma
import os
import re
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ingest import mail_file, zips
from ingest.isolation import Limits, Sandbox
from kb.errors import Reason, StorageError, UnreadableDocument

DEEPEST = 3
"""Containers one in the other that are opened: an archive sent in an archive attached to a message."""

_MOST_MEMBERS = 2_000
_LARGEST_MEMBER = 500_000_000  # bytes: what may be deposited by itself
_LARGEST = 2_000_000_000  # bytes of all members of one container
_RESERVE = 1_000_000_000  # bytes of the disk that are left to the database and the index, whatever comes
_RATIO = 100  # times its size that a member may inflate to: text of an office file reaches 20, blank scans 60
_INNOCENT = 1_000_000  # bytes below which the ratio does not matter
_CHUNK = 1 << 20
_LONGEST_NAME = 120  # characters of the name on disk
_LIMITS = Limits(output_bytes=_LARGEST + (1 << 26))

_NAME, _BYTES, _LEFT = b"n", b"b", b"x"
_SERVICE = "service"
_WHY = {
    "locked": "protégé par un mot de passe",
    "link": "c’est un lien, et non un fichier",
    "outside": "son nom désigne un endroit hors de l’archive",
    "damaged": "endommagé",
    "method": "comprimé par un procédé inconnu",
    "large": "trop volumineux (plus de 500 Mo)",
    "full": "l’archive dépasse 2 Go une fois ouverte",
    "bomb": "il grossirait de plus de cent fois une fois ouvert",
    "many": "l’archive contient plus de 2 000 fichiers",
    "empty": "vide",
    _SERVICE: "fichier de service du système",
}
_GATHERED = ("many", _SERVICE)  # told once for all, with their number


@dataclass(frozen=True, slots=True)
class Member:
    """A file that came out: where it is now, and its name inside ("dossier/rapport.pdf"), which no other
    member has."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The files that came out of a container, and a French sentence on each that did not."""

    members: tuple[Member, ...]
    left_out: tuple[str, ...]


def is_container(path: Path) -> bool:
    """Whether a file holds others, by its content: a ZIP file that is no document, or a message with
    attachments. Looks at a few bytes, or for a mark in all of a message. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(2048)
    if zips.starts_like(head):
        return zips.is_archive(path)
    return mail_file.is_message(head, path.name) and mail_file.has_attachments(path)


def unpack(path: Path, sandbox: Sandbox, folder: Path, *, depth: int = 0) -> Opened:
    """Write the members of a container below ``folder``; they are on disk at the end. ``depth`` is how many
    containers ``path`` itself came in.

    Raises UnreadableDocument: TOO_DEEP, DAMAGED, LOCKED when all members are, EMPTY when there is none;
    StorageError when the folder or its disk refuses, or has hardly any room left.
    """
    if depth >= DEEPEST:
        raise UnreadableDocument(Reason.TOO_DEEP, f"{depth} containers one in the other")
    arrival = _Arrival(folder)
    with _storing(), contextlib.closing(_frames(path, sandbox)) as frames:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for frame in frames:
                arrival.take(frame)
        finally:
            arrival.close()
    if not arrival.members and not arrival.left:
        raise UnreadableDocument(Reason.EMPTY, "no member")
    if not arrival.members and all(why == "locked" for _, why in arrival.left):
        raise UnreadableDocument(Reason.LOCKED, f"{len(arrival.left)} encrypted members")
    return Opened(tuple(arrival.members), tuple(_told(arrival.left)))


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    """What the system refuses here is the disk's fault, never that of the file that comes in."""
    try:
        yield
    except OSError as error:
        raise StorageError(str(error)) from error


def _frames(path: Path, sandbox: Sandbox) -> Generator[bytes]:
    yield from sandbox.run("ingest.containers:emit", str(path), limits=_LIMITS)


def _told(left: list[tuple[str, str]]) -> Iterator[str]:
    for name, why in left:
        if why not in _GATHERED:
            yield f"« {name} » laissé de côté : {_WHY[why]}"
    for why in _GATHERED:
        if count := sum(one == why for _, one in left):
            yield f"{count} fichier(s) laissé(s) de côté : {_WHY[why]}"


@dataclass(slots=True)
class _Arrival:
    """What has come out so far. The child's word is taken for nothing but bytes: names are made safe here,
    and sizes counted again. What is in its place is never cut: the same member may be read there meanwhile,
    when its archive came twice, and then the same bytes are written over themselves."""

    folder: Path
    members: list[Member] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    _file: BinaryIO | None = None
    _size: int = 0

    def take(self, frame: bytes) -> None:
        """One frame of the child. Raises UnreadableDocument for one that it had no right to send."""
        kind, body = frame[:1], frame[1:]
        if kind == _BYTES and self._file is not None and self._size + len(body) <= _LARGEST_MEMBER:
            self._file.write(body)
            self._size += len(body)
        elif kind == _NAME and len(self.members) < _MOST_MEMBERS:
            self._begin(body.decode("utf-8", "replace"))
        elif kind == _LEFT:
            self._leave(body)
        else:
            raise UnreadableDocument(Reason.CRASHED, f"an unexpected frame {kind!r}")

    def close(self) -> None:
        """Put the last file on disk."""
        if self._file is not None:
            self._file.truncate()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        self._file = None

    def _begin(self, name: str) -> None:
        self.close()
        if shutil.disk_usage(self.folder).free < _RESERVE:
            raise StorageError("too little room left to open archives")
        place = self.folder / f"{len(self.members) + 1:04d}"
        place.mkdir(exist_ok=True)
        shown = self._apart("/".join(filter(None, map(_printable, name.split("/")))) or "sans nom")
        path = place / _short(shown.rpartition("/")[2])
        self.members.append(Member(path, shown))
        self._size = 0
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb")

    def _apart(self, name: str) -> str:
        """The name, or « plan (2).pdf » for the second of one name: it is the source of a document."""
        taken = {member.name for member in self.members}
        folder, slash, last = name.rpartition("/")
        stem, dot, suffix = last.rpartition(".") if "." in last[1:] else (last, "", "")
        number = 2
        while name in taken:
            name = f"{folder}{slash}{stem} ({number}){dot}{suffix}"
            number += 1
        return name

    def _leave(self, body: bytes) -> None:
        """A member that does not come out, or not whole: the one that is open, if it has its name."""
        try:
            name, why, is_open = json.loads(body)
            known = _WHY[why] and isinstance(name, str)
        except (ValueError, TypeError, KeyError):
            known = False
        if not known:
            raise UnreadableDocument(Reason.CRASHED, "a reason that cannot be read")
        if is_open and self._file is not None:
            self.close()
            self.members.pop().path.unlink()
        self.left.append((_printable(name)[:200], why))


def _printable(name: str) -> str:
    """A name that is shown and written: NFC, without control characters, never a place."""
    kept = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", name))
    kept = kept.replace("\\", " ").encode("utf-8", "replace").decode("utf-8").strip()
    return "" if kept in (".", "..") else kept


def _short(name: str) -> str:
    """A name that every disk takes, its end kept since it tells the format; not hidden."""
    name = name.replace("/", " ").lstrip(".") or "sans nom"
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 10:
        stem, dot, suffix = name, "", ""
    while len(f"{stem}{dot}{suffix}".encode()) > _LONGEST_NAME:
        stem = stem[:-1]
    return f"{stem}{dot}{suffix}"


# -- in the child


def emit(path: str) -> Iterator[bytes]:
    """The task of ``ingest.isolation`` that opens a container: frames of names, bytes and what is left out.
    Raises UnreadableDocument."""
    place = Path(path)
    with place.open("rb") as file:
        zipped = zips.starts_like(file.read(2048))
    yield from _of_zip(place) if zipped else _of_message(place)


def _left(name: str, why: str, *, is_open: bool = False) -> bytes:
    return _LEFT + json.dumps([name, why, is_open]).encode()


def _of_message(path: Path) -> Iterator[bytes]:
    room = _LARGEST
    for number, (name, content) in enumerate(mail_file.parts(path)):
        if number >= _MOST_MEMBERS:
            yield _left(name, "many")
        elif not content:
            yield _left(name, "empty")
        elif len(content) > min(_LARGEST_MEMBER, room):
            yield _left(name, "large")
        else:
            room -= len(content)
            yield _NAME + name.encode("utf-8", "replace")
            for start in range(0, len(content), _CHUNK):
                yield _BYTES + content[start : start + _CHUNK]


def _of_zip(path: Path) -> Iterator[bytes]:
    with zips.opened(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        # One stretch of bytes behind many names inflates to anything (D. Fifield, 2019).
        if sum(entry.compress_size for entry in entries) > path.stat().st_size:
            raise UnreadableDocument(Reason.DAMAGED, "members overlap")
        count, room = 0, _LARGEST
        for entry in entries:
            name = zips.name_of(entry)
            why = "many" if count >= _MOST_MEMBERS else _objection(entry, name, room)
            if why is not None:
                yield _left(name, why)
                continue
            count += 1
            room -= entry.file_size
            yield _NAME + name.encode("utf-8", "replace")
            yield from _inflated(archive, entry, name)


def _objection(entry: zipfile.ZipInfo, name: str, room: int) -> str | None:
    """Why a member is left out, by what the archive says of it."""
    steps = name.split("/")
    checks = (
        (_SERVICE, bool(_SERVICE_NAMES.search(name))),
        ("locked", bool(entry.flag_bits & 1)),
        ("link", stat.S_ISLNK(entry.external_attr >> 16)),
        ("outside", name.startswith("/") or ".." in steps or bool(re.match(r"[a-zA-Z]:", name))),
        ("empty", entry.file_size == 0),
        ("large", entry.file_size > _LARGEST_MEMBER),
        ("bomb", entry.file_size > max(_INNOCENT, _RATIO * entry.compress_size)),
        ("full", entry.file_size > room),
    )
    return next((why for why, holds in checks if holds), None)


_SERVICE_NAMES = re.compile(r"(?:^|/)(?:__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)


_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, RuntimeError, OSError, ValueError),
)


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    try:
        with archive.open(entry) as file:  # gives no more bytes than were announced
            while chunk := file.read(_CHUNK):
                yield _BYTES + chunk
    except NotImplementedError:
        yield _left(name, "method", is_open=True)
    except _FAULTS:
        yield _left(name, "damaged", is_open=True)
