"""Recognition of characters on pages that are pictures, by tesseract.

Hides tesseract, the child in which it runs, and what is kept of each page, so that a recognition that was
killed goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ingest import scans
from ingest.isolation import Limits, Sandbox, run_program
from kb.errors import Reason, UnreadableDocument, UnsupportedFormat

LIMITS = Limits(idle_seconds=150, total_seconds=3600)
"""What one document may take: a page of A3 in small print takes some 20 s on a slow machine."""

_PAGE_SECONDS = 120
_LANGUAGE = "fra"  # with "eng" beside it, no more of French pages is read, in 1.7 times the time
_VERSION = 1  # of what is kept: to be raised when pages would be read better than before
_MOST_FAILURES = 3  # pages of one document that may each end a child before it is given up
# Below these a word is noise more often than not, on the pages of which ``scans`` speaks: a symbol; a word of
# few letters or of three that are the same; any other.
_SYMBOL, _DOUBTFUL, _LEAST = 0.6, 0.25, 0.1
_SHORT = 3
_DOTS = "...."
_LETTER = re.compile(r"[^\W_]")
_MUMBLED = re.compile(r"([^\W\d_])\1\1", re.IGNORECASE)
_LEADER = re.compile(r"([^\W_][\w'’-]*)?[.…·_]{3,}\D*(\d*)")  # « Contexte......8 »
_WORD = "5"  # level of a row of tesseract's table
_LAYOUT = (
    "1"  # columns are told apart, as by "3", and pages that lie on their side turned; "4", "6" mix columns
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """The text of one page: lines as they are printed, paragraphs apart by an empty line; how sure it is,
    from 0 (nothing was read) to 1, as the mean of its letters."""

    number: int
    text: str
    confidence: float


@functools.cache
def available() -> bool:
    """Whether tesseract is installed with French; looked up once."""
    try:
        listed = subprocess.run(
            ["tesseract", "--list-langs"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return _LANGUAGE in (listed.stdout + listed.stderr).split()


@contextmanager
def opened(folder: Path) -> Iterator[Recogniser | None]:
    """A recogniser that keeps its results in ``folder``; None where tesseract is not installed."""
    if not available():
        yield None
        return
    with Sandbox(LIMITS, programs=True, preloaded=("ingest.ocr",)) as sandbox:
        yield Recogniser(folder, sandbox)


class Recogniser:
    """Recognises pages in children of ``sandbox``, which may start programs; serves several threads."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self._folder = folder
        self._sandbox = sandbox

    def recognise(
        self,
        original: Path,
        sha256: str,
        numbers: Sequence[int],
        media_type: str,
        beat: Callable[[int, int], None] | None = None,
    ) -> Iterator[Recognised]:
        """The text of these pages, from 1, in order. What was recognised before, under the same ``sha256``,
        is not done again. A page that cannot be recognised has no text and confidence 0.

        ``beat`` is told how many pages are done, of how many; what it raises ends the work. Raises
        UnsupportedFormat for a file of which no pictures of pages can be made; UnreadableDocument: TOO_SLOW
        when the document takes too long, the last reason when several pages end the child; OSError.
        """
        if media_type not in scans.MEDIA_TYPES:
            raise UnsupportedFormat(Reason.UNSUPPORTED, f"no pictures of pages of {media_type}")
        folder = self._folder / sha256[:2] / sha256
        pages = self._pages(original, folder, numbers, media_type)
        for done, recognised in enumerate(pages, start=1):
            if beat is not None:
                beat(done, len(numbers))
            yield recognised

    def forget(self, sha256: str) -> None:
        """Drop what is kept of a document, once it is saved."""
        folder = self._folder / sha256[:2] / sha256
        for kept in folder.glob("*.json"):
            kept.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()

    def _pages(
        self, original: Path, folder: Path, numbers: Sequence[int], media_type: str
    ) -> Iterator[Recognised]:
        kept = {number: _kept(folder, number) for number in numbers}
        fresh = self._fresh(original, [number for number in numbers if kept[number] is None], media_type)
        with contextlib.closing(fresh):
            for number in numbers:
                if (page := kept[number]) is None:
                    page = next(fresh)
                    if page.confidence:
                        _keep(folder, page)
                yield page

    def _fresh(self, original: Path, numbers: list[int], media_type: str) -> Generator[Recognised]:
        """Pages one by one; one that ends its child is left without text, and another child goes on."""
        started, failures = time.monotonic(), 0
        while numbers:
            try:
                yield from self._in_one_child(original, numbers, media_type)
            except UnreadableDocument:
                failures += 1
                late = time.monotonic() - started > self._sandbox.limits.total_seconds
                if late or failures > _MOST_FAILURES or not numbers:
                    raise
                yield Recognised(numbers.pop(0), "", 0.0)

    def _in_one_child(self, original: Path, numbers: list[int], media_type: str) -> Generator[Recognised]:
        """Takes off ``numbers`` what is done."""
        listed = ",".join(map(str, numbers))
        for told in self._sandbox.run("ingest.ocr:emit", str(original), media_type, listed):
            recognised = _from_json(told, numbers[0] if numbers else 0)
            numbers.pop(0)
            yield recognised
        if numbers:
            raise UnreadableDocument(Reason.CRASHED, f"page {numbers[0]} was left out")


def _kept(folder: Path, number: int) -> Recognised | None:
    try:
        return _from_json((folder / f"{number}.json").read_bytes(), number)
    except (FileNotFoundError, UnreadableDocument):
        return None  # never recognised, by an older version, or cut short by a full disk: done again


def _keep(folder: Path, recognised: Recognised) -> None:
    """Written beside and renamed: a process that is killed leaves no half of a page."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="page-", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_to_json(recognised))
    Path(name).replace(folder / f"{recognised.number}.json")


def _to_json(recognised: Recognised) -> str:
    return json.dumps([_VERSION, recognised.number, recognised.text, recognised.confidence])


def _from_json(told: bytes, number: int) -> Recognised:
    """Raises UnreadableDocument for anything but page ``number`` in the form of today."""
    try:
        version, said, text, confidence = json.loads(told)
        sound = (version, said) == (_VERSION, number) and isinstance(text, str)
        if sound and isinstance(confidence, float) and 0 <= confidence <= 1:
            return Recognised(number, text, confidence)
    except (ValueError, TypeError):
        pass
    raise UnreadableDocument(Reason.CRASHED, "what was recognised cannot be read")


# -- in the child


def emit(path: str, media_type: str, listed: str) -> Iterator[str]:
    """The task of ``ingest.isolation`` that recognises pages ("3,4,8"), each as JSON. Wants a sandbox with
    programs. A page on which tesseract fails has no text."""
    for number in map(int, listed.split(",")):
        picture = scans.picture(Path(path), media_type, number)
        try:
            told = _by_tesseract(picture)
        except UnreadableDocument:
            yield _to_json(Recognised(number, "", 0.0))
            continue
        yield _to_json(_page_of(number, told))


def _by_tesseract(picture: Image.Image) -> str:
    """The words on a picture as tesseract's table (TSV)."""
    os.environ["OMP_THREAD_LIMIT"] = "1"  # two threads take one and a half times the processor time of one
    written = io.BytesIO()
    picture.save(written, "PNG", compress_level=1)
    command = ["tesseract", "stdin", "stdout", "-l", _LANGUAGE, "--psm", _LAYOUT, "--dpi", "300", "tsv"]
    return run_program(command, written.getvalue(), _PAGE_SECONDS).decode("utf-8", "replace")


def _page_of(number: int, table: str) -> Recognised:
    lines: dict[tuple[str, str, str], list[str]] = {}
    letters = sure = 0.0
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] != _WORD:
            continue
        confidence = float(row["conf"]) / 100
        word = _sound(row["text"] or "", confidence)
        if not word:
            continue
        lines.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(word)
        if _DOTS not in word:  # how sure tesseract is of a row of dots says nothing of the page
            letters += len(word)
            sure += len(word) * confidence
    text, before = "", ("", "")
    for (block, paragraph, _), words in lines.items():
        text += ("\n" if (block, paragraph) == before else "\n\n") + " ".join(words)
        before = block, paragraph
    return Recognised(number, text.strip(), round(sure / letters, 3) if letters else 0.0)


def _sound(word: str, confidence: float) -> str:
    """A word without the dots that lead to a page number; "" for a spot, the edge of a frame, a piece of a
    picture."""
    if leader := _LEADER.fullmatch(word.strip()):
        return f"{leader[1] or ''} {_DOTS} {leader[2]}".strip()
    letters = len(_LETTER.findall(word))
    if not letters:
        least = _SYMBOL
    elif letters <= _SHORT or _MUMBLED.search(word):
        least = _DOUBTFUL
    else:
        least = _LEAST
    return word.strip() if confidence >= least else ""
