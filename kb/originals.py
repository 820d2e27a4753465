"""Originals kept under the SHA-256 of their bytes: the same file is kept once, and never changes.

Hides how the folder is laid out and how a copy survives a cut of power: written beside, flushed to
disk, then renamed into place.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from kb.errors import NotFound

_CHUNK = 1 << 20


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Originals:
    """The folder of originals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, path: Path) -> str:
        """Keep a copy of the file; returns its SHA-256. Safe to repeat and to interrupt."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="arriving-", dir=self.folder)
        arriving = Path(name)
        try:
            sha256 = _copy(path, handle)
            kept = self._place(sha256)
            if not kept.exists():
                kept.parent.mkdir(exist_ok=True)
                arriving.replace(kept)
                kept.chmod(0o440)
                _flush_folder(kept.parent)
        finally:
            arriving.unlink(missing_ok=True)
        return sha256

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


def _copy(path: Path, handle: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source, os.fdopen(handle, "wb") as target:
        while block := source.read(_CHUNK):
            digest.update(block)
            target.write(block)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
