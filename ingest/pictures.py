"""Pictures of pages: drawn once by a child that can do no harm, kept in a bounded folder.

Hides pdfium's drawing, how pictures are named on disk, and which are dropped when there are too many.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
from PIL import Image

from ingest import scans
from ingest.isolation import Limits, Sandbox
from kb.errors import NotFound, Reason, UnreadableDocument

MEDIA_TYPE = "image/webp"

_QUALITY = 80  # WebP: text stays sharp; a page 900 pixels wide takes 40 to 90 kB
_TALLEST = 3.0  # height over width above which a picture is cut: no page of a document, but of a hostile file
_KEPT = 0.8  # share of the limit that is left after a cleaning, so that cleanings are rare
_LIMITS = Limits(idle_seconds=20, total_seconds=20, output_bytes=10_000_000)


class PagePictures:
    """Pictures of pages of PDFs and images, in a folder that never holds much more than ``limit`` bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._size: int | None = None
        self._sandbox = Sandbox(_LIMITS)

    def picture(self, original: Path, sha256: str, number: int, width: int) -> Path:
        """A WebP picture of page ``number`` (from 1), ``width`` pixels wide. Raises NotFound for a page that
        is not there, UnreadableDocument."""
        if not re.fullmatch(r"[0-9a-f]{64}", sha256) or number < 1 or not 1 <= width <= 4000:
            raise NotFound("page", f"{sha256} {number}")
        kept = self._folder / sha256[:2] / f"{sha256}-{number}-{width}.webp"
        if kept.exists():
            os.utime(kept)  # the least recently shown are dropped first
            return kept
        drawn = b"".join(self._sandbox.run("ingest.pictures:emit", str(original), number, width))
        if not drawn:
            raise NotFound("page", f"{sha256} {number}")
        self._keep(kept, drawn)
        return kept

    def close(self) -> None:
        """End the process that draws."""
        self._sandbox.close()

    def _keep(self, place: Path, drawn: bytes) -> None:
        """Written beside and renamed: another process never reads half a picture."""
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="drawing-", dir=place.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(drawn)
        Path(name).replace(place)
        with self._lock:
            self._size = self._measured() if self._size is None else self._size + len(drawn)
            if self._size > self._limit:
                self._size = self._clean(keep=place)

    def _measured(self) -> int:
        return sum(size for _, size, _ in _pictures(self._folder))

    def _clean(self, keep: Path) -> int:
        """Drop the least recently shown; the bytes that are left."""
        pictures = sorted(_pictures(self._folder))
        size = sum(one for _, one, _ in pictures)
        for _, one, path in pictures:
            if size <= self._limit * _KEPT:
                break
            if path != keep:
                path.unlink(missing_ok=True)
                size -= one
        return size


def _pictures(folder: Path) -> list[tuple[float, int, Path]]:
    """(when last shown, bytes, path) of each; those that another process drops meanwhile are left out."""
    found = []
    for path in folder.glob("*/*"):
        try:
            about = path.stat()
        except FileNotFoundError:
            continue
        found.append((about.st_mtime, about.st_size, path))
    return found


def emit(path: str, number: int, width: int) -> Iterator[bytes]:
    """The task of ``ingest.isolation`` that draws a page: the bytes of a WebP picture; nothing for a page
    that is not there. Raises UnreadableDocument."""
    with open(path, "rb") as file:
        is_pdf = b"%PDF-" in file.read(1024)
    if not is_pdf:
        image = scans.shown(Path(path), number, width)
        if image is not None:
            yield _written(image.crop((0, 0, width, min(image.height, round(width * _TALLEST)))))
        return
    try:
        with pypdfium2.PdfDocument(path) as document:
            if number > len(document):
                return
            yield _drawn(document[number - 1], width)
    except pypdfium2.PdfiumError as error:
        raise UnreadableDocument(Reason.DAMAGED, str(error)) from error


def _drawn(page: pypdfium2.PdfPage, width: int) -> bytes:
    wide, tall = page.get_size()
    if tall > wide * _TALLEST:
        page.set_cropbox(0, tall - wide * _TALLEST, wide, tall)
        wide, tall = page.get_size()
    return _written(page.render(scale=width / wide).to_pil().convert("RGB"))


def _written(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=_QUALITY, method=2)
    return written.getvalue()
