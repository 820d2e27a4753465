"""The folder of files that came in and are not done with: each is on disk, whole, before anybody is told so.

Hides how names from elsewhere become names of files, and how a cut of power leaves no half of one.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kb.errors import StorageError

_CHUNK = 1 << 20
_LONGEST = 180  # bytes of a name: file systems take 255, and an extension must stay


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

    def receive(self, stream: BinaryIO, batch: int, name: str) -> Received:
        """Write what comes to its place, flushed to disk. The same bytes under the same name are written
        once. Raises StorageError."""
        folder = self.folder / str(batch)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, arriving = tempfile.mkstemp(prefix="arriving-", dir=folder)
            try:
                sha256, size = _copy(stream, handle)
                place = folder / sha256[:16] / safe_name(name)
                place.parent.mkdir(exist_ok=True)
                Path(arriving).replace(place)
                _flush(place.parent)
            finally:
                Path(arriving).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(str(error)) from error
        return Received(place.relative_to(self.folder).as_posix(), sha256, size)

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

    def opened(self, batch: int) -> Path:
        """The folder for the files that come out of others of a deposit."""
        return self.folder / str(batch) / "opened"

    def forget(self, batch: int) -> None:
        """Take all files of a deposit away."""
        shutil.rmtree(self.folder / str(batch), ignore_errors=True)

    def __iter__(self) -> Iterator[str]:
        """Places of all files."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(self.folder).as_posix()


def safe_name(name: str) -> str:
    """The last part of a name, without what a file system or a terminal would take amiss; its extension
    stays. Never "" nor hidden."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join("_" if unicodedata.category(c)[0] == "C" else c for c in last).strip(" .")
    stem, dot, extension = plain.rpartition(".")
    extension = dot + extension if stem and len(extension) <= 10 else ""
    stem = plain.removesuffix(extension)
    room = _LONGEST - len(extension.encode())
    return (stem.encode()[:room].decode("utf-8", "ignore") or "sans-nom") + extension


def _copy(stream: BinaryIO, handle: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(handle, "wb") as file:
        while block := stream.read(_CHUNK):
            digest.update(block)
            file.write(block)
            size += len(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
