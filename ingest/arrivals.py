"""Files that come in: which there are, and what each of them says.

Hides how folders are walked, how a file is read in a child, kept as an original, opened when it holds others,
and recognised when its pages are pictures. Whatever goes wrong with one file stays with that file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import containers
from ingest.cleaning import clean_pages, has_text
from ingest.drafts import Draft, from_wire
from ingest.frontmatter import FILE_NAME, Line, Metadata, completed
from ingest.isolation import Sandbox
from ingest.lexicon import Lexicon
from ingest.ocr import Recogniser
from ingest.readers import is_catalogue
from ingest.rejoining import rejoined
from ingest.tables import PREVIEWED, Preview, preview_from_wire
from kb.database import Store
from kb.errors import IngestError, Reason, UnreadableDocument, UnsupportedFormat
from kb.originals import digest
from kb.records import Page, Quality

LARGEST_FILE = 500_000_000
"""Bytes: the whole of a text is held several times over, within 1 GiB."""

_MOST_OPENED = 20_000_000_000
"""Bytes out of archives, of one deposit, past which archives that came in others stay closed: a few kilobytes
of archives in one another would fill any disk. Ten times what one archive may hold."""

_SOUND = 0.95  # grade from which a page has no cut words that matter
_SAMPLED = 2000  # pages of the fund whose words are known: half a second, once, and the words of a field

Beat = Callable[[int, int], None]
"""Told how many pages are done, of how many; may raise to end the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file to read, or one that will not be and why. ``name`` is where it comes from as people know it,
    the path if ""; ``depth`` counts the containers that it came in; ``batch`` is its deposit; ``columns``
    (JSON of ``kb.rows.Columns``) says what the columns of a spreadsheet hold."""

    path: Path
    problem: IngestError | None = None
    name: str = ""
    depth: int = 0
    batch: int | None = None
    columns: str = ""

    @property
    def source(self) -> str:
        """Where it comes from as text that a database keeps, even if the file's name is not UTF-8."""
        return self.name or os.fsencode(self.path).decode("utf-8", "replace")


def find(paths: Iterable[Path]) -> Iterator[Found]:
    """The files of paths and folders, each once, in order of name. Hidden files, links to folders and what
    is no file come with their problem: nothing is left out in silence."""
    seen: set[str] = set()
    for path in paths:
        for found in _below(Path(os.path.abspath(path)), asked=True):
            key = os.path.realpath(found.path)
            if key not in seen:
                seen.add(key)
                yield found


def _below(path: Path, *, asked: bool = False) -> Iterator[Found]:
    try:
        kind = path.stat().st_mode
        if path.name.startswith(".") and not asked:
            yield Found(path=path, problem=UnsupportedFormat(Reason.UNSUPPORTED, "hidden"))
        elif stat.S_ISDIR(kind):
            if path.is_symlink() and not asked:
                yield Found(path=path, problem=UnsupportedFormat(Reason.UNSUPPORTED, "a link to a folder"))
                return
            for name in sorted(os.listdir(path)):
                yield from _below(path / name)
        elif not stat.S_ISREG(kind):
            yield Found(path=path, problem=UnsupportedFormat(Reason.UNSUPPORTED, "not a file"))
        else:
            yield Found(path=path)
    except OSError as error:
        yield Found(path=path, problem=problem_of(error))


def problem_of(error: OSError) -> UnreadableDocument:
    """Why the system would not let a file be read."""
    if isinstance(error, PermissionError):
        return UnreadableDocument(Reason.NOT_ALLOWED, str(error))
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    return UnreadableDocument(Reason.MISSING if missing else Reason.DAMAGED, str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A file as far as it came: its drafts, or the records that have it already, or the files that it holds,
    or its problem. ``scanned`` when its pages are pictures that nobody has recognised yet."""

    found: Found
    sha256: str = ""
    size: int = 0
    drafts: tuple[Draft, ...] = ()
    known: tuple[str, ...] = ()
    members: tuple[Found, ...] | None = None
    warnings: tuple[str, ...] = ()
    problem: IngestError | None = None

    @property
    def path(self) -> Path:
        """The file as its outcome names it: by where it came from, not by where it was opened."""
        return Path(self.found.name) if self.found.name else self.found.path

    @property
    def is_catalogue(self) -> bool:
        """Whether it holds records and not a document."""
        return bool(self.drafts) and is_catalogue(self.drafts[0])

    @property
    def scanned(self) -> bool:
        """Whether some of its pages are pictures without text."""
        return any(page.quality is Quality.SCAN for draft in self.drafts for page in draft.pages)


def read(path: Path, sandbox: Sandbox, columns: str = "") -> list[Draft]:
    """The drafts of one file, read in a child; ``columns`` (JSON of ``kb.rows.Columns``) says what those of a
    spreadsheet of records hold. Raises UnreadableDocument, UnsupportedFormat."""
    drafts = []
    task = ("ingest.tables:emit", str(path), columns) if columns else ("ingest.readers:emit", str(path))
    try:
        for line in sandbox.run(*task):
            drafts.append(from_wire(line))
    except (ValueError, TypeError) as error:
        raise UnreadableDocument(Reason.CRASHED, f"what the reader said cannot be read: {error}") from error
    if not drafts:
        raise UnreadableDocument(Reason.EMPTY, "no draft")
    return drafts


def previewed(path: Path, sandbox: Sandbox, columns: str = "", limit: int = PREVIEWED) -> Preview:
    """The first rows of a spreadsheet and what they would become. Raises UnreadableDocument."""
    try:
        lines = list(sandbox.run("ingest.tables:emit_preview", str(path), columns, limit))
        return preview_from_wire(lines[0])
    except (ValueError, TypeError, IndexError) as error:
        raise UnreadableDocument(Reason.CRASHED, f"what the reader said cannot be read: {error}") from error


class Reader:
    """Reads files, one a call; serves several threads. ``recogniser`` None leaves pictures of pages as they
    are. Files that come out of others are written below ``folder``."""

    def __init__(self, store: Store, sandbox: Sandbox, folder: Path, recogniser: Recogniser | None) -> None:
        self._store = store
        self._sandbox = sandbox
        self._folder = folder
        self._recogniser = recogniser
        self._lexicon: Lexicon | None = None
        self._lock = threading.Lock()

    def read(self, found: Found, beat: Beat | None = None, *, recognises: bool = True) -> Reading:
        """The file as far as it comes. Raises StorageError, and what ``beat`` raises."""
        try:
            if found.problem is not None:
                raise found.problem
            return self._read(found, beat, recognises=recognises)
        except IngestError as error:
            return Reading(found=found, problem=error)
        except OSError as error:
            return Reading(found=found, problem=problem_of(error))

    def _read(self, found: Found, beat: Beat | None, *, recognises: bool) -> Reading:
        size = found.path.stat().st_size
        if size > LARGEST_FILE:
            raise UnreadableDocument(Reason.TOO_LARGE, f"{size} bytes")
        sha256 = digest(found.path)
        if known := self._store.find("sha256", sha256):
            return Reading(found=found, sha256=sha256, known=known)
        if containers.is_container(found.path):
            return self._opened(found, sha256)
        reading = Reading(
            found=found,
            sha256=sha256,
            size=size,
            drafts=tuple(read(found.path, self._sandbox, found.columns)),
        )
        if reading.is_catalogue:
            return reading
        # Kept before it is judged: a document without text can still be recognised one day.
        if self._store.originals.put(found.path) != sha256:
            raise UnreadableDocument(Reason.DAMAGED, "it changed while it was read")
        if reading.scanned and recognises and self._recogniser is not None:
            reading = self._recognised(reading, self._recogniser, beat)
        if not reading.scanned or recognises:
            _check_text(reading)
        return self._mended(reading)

    def _mended(self, reading: Reading) -> Reading:
        """The reading with words joined that blanks had cut, by the words that the fund writes."""
        draft = reading.drafts[0]
        if all(page.grade >= _SOUND or not page.text for page in draft.pages):
            return reading
        with self._lock:
            if self._lexicon is None:
                self._lexicon = Lexicon.of(self._store.good_texts(_SAMPLED))
        mended = dataclasses.replace(draft, pages=rejoined(draft.pages, self._lexicon))
        return dataclasses.replace(reading, drafts=(mended,))

    def _opened(self, found: Found, sha256: str) -> Reading:
        deposit = () if found.batch is None else (str(found.batch), "opened")
        opened = self._folder.joinpath(*deposit)
        if found.depth and (held := _bytes_below(opened)) > _MOST_OPENED:
            raise UnreadableDocument(Reason.TOO_LARGE, f"{held} bytes came out of archives already")
        members = containers.unpack(found.path, self._sandbox, opened / sha256, depth=found.depth)
        inside = tuple(
            dataclasses.replace(
                found, path=member.path, name=f"{found.source}/{member.name}", depth=found.depth + 1
            )
            for member in members.members
        )
        return Reading(found=found, sha256=sha256, members=inside, warnings=members.left_out)

    def _recognised(self, reading: Reading, recogniser: Recogniser, beat: Beat | None) -> Reading:
        draft = reading.drafts[0]
        numbers = [page.number for page in draft.pages if page.quality is Quality.SCAN]
        original = self._store.originals.path(reading.sha256)
        said: dict[int, Page] = {}
        for one in recogniser.recognise(original, reading.sha256, numbers, draft.media_type, beat):
            said[one.number] = Page(one.number, one.text, recognised=one.confidence)
        pages = [said.get(page.number, page) for page in draft.pages]
        cleaned = {page.number: page for page in clean_pages(list(said.values()))}
        whole = tuple(cleaned.get(page.number, page) for page in pages)
        return dataclasses.replace(reading, drafts=(_told_again(draft, whole, reading.found),))


def _bytes_below(folder: Path) -> int:
    """Bytes of the files in a folder and those below it; others may take some away meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def recognised_again(
    store: Store, recogniser: Recogniser, id: str, numbers: Sequence[int], beat: Beat | None
) -> tuple[Page, ...]:
    """All pages of a record, some of them recognised from their pictures. Raises NotFound; UnreadableDocument
    when it has no file with pages."""
    record = store.get(id)
    file = next((file for file in record.files if file.pages and _has_pictures(file.media_type)), None)
    if file is None:
        raise UnreadableDocument(Reason.UNSUPPORTED, "no file with pictures of pages")
    original = store.originals.path(file.sha256)
    said = [
        Page(one.number, one.text, recognised=one.confidence)
        for one in recogniser.recognise(original, file.sha256, numbers, file.media_type, beat)
    ]
    cleaned = {page.number: page for page in clean_pages(said)}
    return tuple(
        dataclasses.replace(cleaned[page.number], label=page.label, raw=page.raw or page.text or None)
        if page.number in cleaned
        else page
        for page in store.pages(id)
    )


def _has_pictures(media_type: str) -> bool:
    return media_type == "application/pdf" or media_type.startswith("image/")


def _told_again(draft: Draft, pages: tuple[Page, ...], found: Found) -> Draft:
    """The draft with its recognised pages, from which it takes what only the file's name had told."""
    title = "" if draft.found.get("title") == FILE_NAME else draft.title
    bare = dataclasses.replace(draft, pages=pages, title=title, warnings=())
    lines = [Line(line) for line in pages[0].text.split("\n") if line]
    return completed(bare, Metadata(), lines, Path(found.source).name)


def _check_text(reading: Reading) -> None:
    """Raises UnreadableDocument (NO_TEXT) for a document of which not one page has words."""
    pages = reading.drafts[0].pages
    if not any(has_text(page.text) for page in pages):
        raise UnreadableDocument(Reason.NO_TEXT, f"{len(pages)} pages without text")
