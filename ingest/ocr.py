"""INTERFACE EXPECTED BY ingest/arrivals.py and ingest/pipeline.py: to be written by the owner of OCR."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recognised:
    number: int
    text: str
    confidence: float


class Recogniser:
    def recognise(
        self,
        original: Path,
        sha256: str,
        numbers: Sequence[int],
        media_type: str,
        beat: Callable[[int, int], None] | None = None,
    ) -> Iterator[Recognised]:
        raise NotImplementedError


@contextmanager
def opened(folder: Path) -> Iterator[Recogniser | None]:
    """A recogniser that keeps its results in ``folder``; None where tesseract is not installed."""
    yield None
