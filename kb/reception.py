"""The folder of files that came in and are not done with: each is on disk, whole, before anybody is told so.

Hides how names from elsewhere become names of files, and how a cut of power leaves no half of one.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kb.errors import StorageError

_CHUNK = 1 << 20
_LONGEST = 180  # bytes of a name: file systems take 255, and an extension must stay
_ARRIVING = "arriving-"
_LONGEST_COPY = 86_400.0  # seconds after which a half-written file is nobody's, as in kb.originals
_TRIES = 20  # times that a folder may be taken away, empty, before its file is in it: rare even once

_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories: controls, formats (text from right to left), half of a pair, unassigned, line ends."""

_RESERVED = re.compile(r"\A(con|prn|aux|nul|com\d|lpt\d)(?=\s*(\.|$))", re.IGNORECASE)
_ENDS = "." + "".join(c for c in map(chr, range(0x3001)) if c.isspace())
"""What hides a name when it begins so, and what Windows leaves out at its end; U+3000 is the last blank."""
"""Names of devices under Windows, whatever the extension; the folder may be on a share of such a system
(Microsoft, "Naming Files, Paths, and Namespaces")."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file that was taken in: where it is below the folder, the SHA-256 of its bytes, and their number."""

    place: str
    sha256: str
    size: int


class Reception:
    """The folder, one folder a deposit below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def receive(self, stream: IO[bytes], batch: int, name: str) -> Received:
        """Write what comes to its place, flushed to disk. The same bytes under the same name have one place,
        under another name another one: each file is done with on its own.

        Raises StorageError when the folder refuses, and what ``stream`` raises.
        """
        with _storing():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()
            number, arriving = tempfile.mkstemp(prefix=_ARRIVING, dir=self.folder)
        try:
            sha256, size = _copy(stream, number)
            told = hashlib.sha256(f"{sha256}\n{name}".encode("utf-8", "surrogatepass")).hexdigest()
            place = self.folder / str(batch) / told[:16] / safe_name(name)
            with _storing():
                _settle(Path(arriving), place)
                _flush(place.parent, self.folder)
        finally:
            with _storing():
                Path(arriving).unlink(missing_ok=True)
        return Received(place.relative_to(self.folder).as_posix(), sha256, size)

    def _sweep(self) -> None:
        """Remove files that a killed process never finished."""
        for left in self.folder.glob(_ARRIVING + "*"):
            with suppress(FileNotFoundError):  # its writer may just have ended
                if time.time() - left.stat().st_mtime > _LONGEST_COPY:
                    left.unlink()

    def path(self, place: str) -> Path:
        """Where a file is; it may be gone."""
        return self.folder / place

    def drop(self, place: str) -> None:
        """Take a file away that is done with; one that is gone already is no error."""
        path = self.path(place)
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == self.folder or not _remove_empty(parent):
                break

    def forget(self, batch: int) -> None:
        """Take all files of a deposit away."""
        shutil.rmtree(self.folder / str(batch), ignore_errors=True)

    def __iter__(self) -> Iterator[str]:
        """Places of all files, in order. Others may come and go meanwhile."""
        found = [Path(folder, name) for folder, _, names in os.walk(self.folder) for name in names]
        yield from sorted(path.relative_to(self.folder).as_posix() for path in found)


def safe_name(name: str) -> str:
    """The last part of a name, without what a file system or a terminal would take amiss; its extension
    stays. Never "" nor hidden, and the same when it is made safe again."""
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(c for c in last if unicodedata.category(c) not in _INVISIBLE)
    plain = re.sub(r'[<>:"|?*]', "_", unicodedata.normalize("NFC", seen)).strip(_ENDS)
    stem, dot, extension = plain.rpartition(".")
    extension = dot + extension if stem and len(extension) <= 10 else ""
    room = _LONGEST - len(extension.encode())
    stem = plain.removesuffix(extension).encode()[:room].decode("utf-8", "ignore")
    free = _RESERVED.sub(lambda device: device[0][:-1] + "_", stem.strip(_ENDS))
    return (free or "sans-nom") + extension


@contextmanager
def _storing() -> Iterator[None]:
    """What the system refuses here is the folder's fault, never that of the file that comes in."""
    try:
        yield
    except OSError as error:
        raise StorageError(str(error)) from error


def _copy(stream: IO[bytes], number: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    try:
        while block := stream.read(_CHUNK):
            digest.update(block)
            size += len(block)
            with _storing():
                _write_all(number, block)
        with _storing():
            os.fsync(number)
    finally:
        os.close(number)
    return digest.hexdigest(), size


def _write_all(number: int, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[os.write(number, left) :]


def _settle(arriving: Path, place: Path) -> None:
    """Put a file in its place. ``drop`` takes empty folders away, and may do so before the file is in."""
    for tries_left in reversed(range(_TRIES)):
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            arriving.replace(place)
            return
        except (FileNotFoundError, FileExistsError):  # mkdir says the second when it goes while it looks
            if not tries_left:
                raise


def _flush(folder: Path, top: Path) -> None:
    """Bring a folder's entries to disk, and its own in those above it up to ``top``."""
    while True:
        # The file may be done with already, when the same one was sent twice.
        with suppress(FileNotFoundError):
            _flush_one(folder)
        if folder == top:
            return
        folder = folder.parent


def _flush_one(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
