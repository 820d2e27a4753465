"""Originals kept under the SHA-256 of their bytes: the same file is kept once, and never changes.

Hides how the folder is laid out and how a copy survives a cut of power: written beside, flushed to
disk, then renamed into place; what a killed process left beside is swept a day later.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kb.errors import NotFound, StorageError

_CHUNK = 1 << 20
_ARRIVING = "arriving-"
_LONGEST_COPY = 86_400.0
"""Seconds after which a half-written copy is nobody's: the largest original is copied in a minute."""


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Originals:
    """The folder of originals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, path: Path) -> str:
        """Keep a copy of the file; returns its SHA-256. Safe to repeat and to interrupt.

        Raises OSError when ``path`` cannot be read, StorageError when the copy cannot be written.
        """
        with path.open("rb") as source:
            with _storing():
                self.folder.mkdir(parents=True, exist_ok=True)
                self._sweep()
                handle, name = tempfile.mkstemp(prefix=_ARRIVING, dir=self.folder)
            arriving = Path(name)
            try:
                sha256 = _copy(source, handle)
                with _storing():
                    self._settle(arriving, sha256)
            finally:
                with _storing():
                    arriving.unlink(missing_ok=True)
        return sha256

    def _settle(self, arriving: Path, sha256: str) -> None:
        kept = self._place(sha256)
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            arriving.replace(kept)
            kept.chmod(0o440)
            _flush_folder(kept.parent)

    def _sweep(self) -> None:
        """Remove copies that a killed process never finished."""
        for left in self.folder.glob(_ARRIVING + "*"):
            with suppress(FileNotFoundError):  # its writer may just have ended
                if time.time() - left.stat().st_mtime > _LONGEST_COPY:
                    left.unlink()

    def path(self, sha256: str) -> Path:
        """Where the original is. Raises NotFound."""
        place = self._place(sha256)
        if not place.is_file():
            raise NotFound("original", sha256)
        return place

    def __contains__(self, sha256: str) -> bool:
        return self._place(sha256).is_file()

    def _place(self, sha256: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise NotFound("original", sha256)
        return self.folder / sha256[:2] / sha256


@contextmanager
def _storing() -> Iterator[None]:
    """What the system refuses here is the folder's fault, never that of the file that comes in."""
    try:
        yield
    except OSError as error:
        raise StorageError(str(error)) from error


def _copy(source: BinaryIO, handle: int) -> str:
    digest = hashlib.sha256()
    try:
        while block := source.read(_CHUNK):
            digest.update(block)
            with _storing():
                _write_all(handle, block)
        with _storing():
            os.fsync(handle)
    finally:
        os.close(handle)
    return digest.hexdigest()


def _write_all(handle: int, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[os.write(handle, left) :]


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
