"""From files to the fund: read, recognise, tag, save; one outcome a file, whatever happens to it.

Hides how files are found, read two at a time in children, and saved in groups: what is saved together is on
disk together, so that a process killed at any moment leaves whole documents, and running again adds the rest.
"""

from __future__ import annotations

import dataclasses
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import structlog

from ingest import holdings
from ingest.drafts import Draft, from_wire
from ingest.isolation import Sandbox
from ingest.readers import CATALOGUE_TYPES
from ingest.tagging import Suggestion, Text
from kb.database import Store
from kb.errors import IngestError, InvalidRecord, Reason, StorageError, UnreadableDocument, UnsupportedFormat
from kb.originals import digest
from kb.records import File, Page, Record

log = structlog.get_logger()

GROUP_SECONDS = 0.5
"""Longest time that a read document waits for others to be saved with: it must be found within the second."""

_LARGEST_FILE = 500_000_000  # bytes; the whole of a text is held several times over, within 1 GiB
_AHEAD = 2  # files read ahead for each worker: enough to keep it busy while others are tagged
_ROWS = 500  # works of a catalogue saved in one transaction: about a second, so that other writers get in


class Status(StrEnum):
    """How a file ended."""

    PUBLISHED = "published"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file: the records that it made or is in, French warnings, and for ``waiting`` and
    ``refused`` the reason, with the reader's English words in ``detail``. ``pages`` counts those read."""

    path: Path
    status: Status
    ids: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: Reason | None = None
    detail: str = ""
    pages: int = 0


class Suggests(Protocol):
    """What proposes subjects: an ``ingest.tagging.Tagger``."""

    def suggest(self, texts: Iterable[Text]) -> list[list[Suggestion]]:
        """For each document, its concepts."""
        ...


def ingest(
    paths: Iterable[Path],
    store: Store,
    tagger: Suggests,
    *,
    centre: str,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
    after_commit: Callable[[], object] | None = None,
    sandbox: Sandbox | None = None,
) -> Iterator[Outcome]:
    """Take files and whole folders into the fund, in order of name; an outcome for each file found.

    ``progress`` is told how many files are done, of how many; ``after_commit`` is called each time that
    documents have been saved. ``sandbox`` is where files are read, one of our own if None. Safe to run
    again: what is known is left as it is. Raises StorageError when the fund cannot be written: the outcomes
    given before are of files that stay in it.
    """
    found = list(find(paths))
    ours = nullcontext(sandbox) if sandbox is not None else Sandbox()
    with ours as sandbox, ThreadPoolExecutor(workers, "reader") as pool:
        desk = _Desk(store, tagger, centre, after_commit)
        try:
            for done, outcome in enumerate(_outcomes(found, sandbox, pool, desk, workers), start=1):
                _log(outcome)
                if progress is not None:
                    progress(done, len(found))
                yield outcome
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def read(path: Path, sandbox: Sandbox) -> list[Draft]:
    """The drafts of one file, read in a child. Raises UnreadableDocument, UnsupportedFormat."""
    drafts = []
    try:
        for line in sandbox.run("ingest.readers:emit", str(path)):
            drafts.append(from_wire(line))
    except (ValueError, TypeError) as error:
        raise UnreadableDocument(Reason.CRASHED, f"what the reader said cannot be read: {error}") from error
    if not drafts:
        raise UnreadableDocument(Reason.EMPTY, "no draft")
    return drafts


# -- finding files


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read, or one that will not be and why."""

    path: Path
    problem: IngestError | None = None


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
            yield Found(path, UnsupportedFormat(Reason.UNSUPPORTED, "hidden"))
        elif stat.S_ISDIR(kind):
            if path.is_symlink() and not asked:
                yield Found(path, UnsupportedFormat(Reason.UNSUPPORTED, "a link to a folder"))
                return
            for name in sorted(os.listdir(path)):
                yield from _below(path / name)
        elif not stat.S_ISREG(kind):
            yield Found(path, UnsupportedFormat(Reason.UNSUPPORTED, "not a file"))
        else:
            yield Found(path)
    except OSError as error:
        yield Found(path, problem_of(error))


def problem_of(error: OSError) -> UnreadableDocument:
    """Why the system would not let a file be read."""
    if isinstance(error, PermissionError):
        return UnreadableDocument(Reason.NOT_ALLOWED, str(error))
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    return UnreadableDocument(Reason.MISSING if missing else Reason.DAMAGED, str(error))


# -- reading, several at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A file as far as it came: its drafts, or the records that have it already, or its problem."""

    path: Path
    sha256: str = ""
    size: int = 0
    drafts: tuple[Draft, ...] = ()
    known: tuple[str, ...] = ()
    problem: IngestError | None = None

    @property
    def is_catalogue(self) -> bool:
        return self.drafts[0].media_type in CATALOGUE_TYPES

    @property
    def source(self) -> str:
        """The path as text that a database keeps, even if the file's name is not UTF-8."""
        return os.fsencode(self.path).decode("utf-8", "replace")


def _read_one(found: Found, store: Store, sandbox: Sandbox) -> _Reading:
    """The edge where whatever goes wrong with one file stays with that file."""
    path = found.path
    try:
        if found.problem is not None:
            raise found.problem
        size = path.stat().st_size
        if size > _LARGEST_FILE:
            raise UnreadableDocument(Reason.TOO_LARGE, f"{size} bytes")
        sha256 = digest(path)
        if known := store.find("sha256", sha256):
            return _Reading(path=path, sha256=sha256, known=known)
        drafts = _drafts_kept(path, sha256, store, sandbox)
        return _Reading(path=path, sha256=sha256, size=size, drafts=drafts)
    except IngestError as error:
        return _Reading(path=path, problem=error)
    except OSError as error:
        return _Reading(path=path, problem=problem_of(error))


def _drafts_kept(path: Path, sha256: str, store: Store, sandbox: Sandbox) -> tuple[Draft, ...]:
    """The drafts of a file, whose original is kept first; that of a document without text too, since
    recognition of characters can still read it."""
    try:
        drafts = tuple(read(path, sandbox))
    except UnreadableDocument as error:
        if error.reason is Reason.NO_TEXT:
            store.originals.put(path)
        raise
    if drafts[0].media_type not in CATALOGUE_TYPES and store.originals.put(path) != sha256:
        raise UnreadableDocument(Reason.DAMAGED, "it changed while it was read")
    return drafts


def _outcomes(
    found: Sequence[Found], sandbox: Sandbox, pool: ThreadPoolExecutor, desk: _Desk, workers: int
) -> Iterator[Outcome]:
    """Outcomes in the order of ``found``; documents that were read wait a moment for others."""
    waiting = iter(found)
    running: deque[Future[_Reading]] = deque()

    def fill() -> None:
        while len(running) < workers * (1 + _AHEAD) and (following := next(waiting, None)):
            running.append(pool.submit(_read_one, following, desk.store, sandbox))

    fill()
    while running:
        try:
            reading = running[0].result(timeout=desk.patience())
        except NotYet:
            yield from desk.flush()
            continue
        except StorageError:
            yield from desk.flush()  # the last original had no room; records may still have some
            raise
        running.popleft()
        fill()
        desk.take(reading)
        if desk.patience() == 0:
            yield from desk.flush()
    yield from desk.flush()


# -- saving


class _Desk:
    """Where readings wait to be tagged and saved together."""

    def __init__(
        self, store: Store, tagger: Suggests, centre: str, after_commit: Callable[[], object] | None
    ) -> None:
        self.store = store
        self._tagger = tagger
        self._centre = centre
        self._after_commit = after_commit
        self._held: list[tuple[_Reading, list[Suggestion]]] = []
        self._since = 0.0

    def take(self, reading: _Reading) -> None:
        """Tag a document now, while the next ones are read."""
        if not self._held:
            self._since = time.monotonic()
        suggestions: list[Suggestion] = []
        if reading.drafts and not reading.is_catalogue:
            draft = reading.drafts[0]
            suggestions = self._suggest(draft, draft.pages)
        self._held.append((reading, suggestions))

    def patience(self) -> float | None:
        """Seconds that what is held may still wait; None when nothing is."""
        return max(0.0, self._since + GROUP_SECONDS - time.monotonic()) if self._held else None

    def flush(self) -> list[Outcome]:
        """Save all that is held; the outcomes, in order, once they are on disk."""
        held, self._held = self._held, []
        outcomes: list[Outcome] = []
        together: list[tuple[_Reading, list[Suggestion]]] = []
        for reading, suggestions in held:
            if reading.drafts and reading.is_catalogue:
                outcomes += [*self._save_documents(together), self._save_catalogue(reading)]
                together = []
            else:
                together.append((reading, suggestions))
        outcomes += self._save_documents(together)
        saved = (Status.PUBLISHED, Status.UPDATED)
        if self._after_commit is not None and any(outcome.status in saved for outcome in outcomes):
            self._after_commit()
        return outcomes

    def _suggest(self, told: Draft | Record, pages: Iterable[Page]) -> list[Suggestion]:
        # One document a call: a batch would make its tags hang on which others came with it.
        return self._tagger.suggest([holdings.text_of(told, pages)])[0]

    def _save_documents(self, held: Sequence[tuple[_Reading, list[Suggestion]]]) -> list[Outcome]:
        if all(reading.problem or reading.known for reading, _ in held):
            return [_without_drafts(reading) for reading, _ in held]
        with self.store.transaction():
            return [
                self._save_document(reading, suggestions) if reading.drafts else _without_drafts(reading)
                for reading, suggestions in held
            ]

    def _save_document(self, reading: _Reading, suggestions: list[Suggestion]) -> Outcome:
        draft = reading.drafts[0]
        # Another file of this run may have the same bytes.
        if known := self.store.find("sha256", reading.sha256):
            return Outcome(path=reading.path, status=Status.UNCHANGED, ids=known)
        held = self._held_from(reading.source)
        paper = holdings.paper_work(draft, self.store, self._centre) if held is None else None
        try:
            if paper is not None:
                record = self._attached(reading, paper)
            else:
                record = self._document(reading, draft, held, suggestions)
            self.store.save(record, draft.pages)
        except InvalidRecord as error:
            return _refused(reading.path, UnreadableDocument(Reason.DAMAGED, str(error)))
        return Outcome(
            path=reading.path,
            status=Status.PUBLISHED if held is paper is None else Status.UPDATED,
            ids=(record.id,),
            warnings=draft.warnings
            if paper is None
            else (*draft.warnings, f"fichier rattaché à la notice de l’ouvrage papier {_named(paper)}"),
            pages=len(draft.pages),
        )

    def _held_from(self, source: str) -> Record | None:
        """The document that came from this path before."""
        held = self.store.get_many(list(self.store.find("source", source)))
        return next((record for record in held.values() if record.files), None)

    def _document(
        self, reading: _Reading, draft: Draft, held: Record | None, suggestions: list[Suggestion]
    ) -> Record:
        id = self.store.new_id(self._centre) if held is None else held.id
        record = holdings.record_of(draft, held, id=id, source=reading.source)
        file = _file(reading)
        replaced = next((f.sha256 for f in held.files if f.name == file.name), None) if held else None
        record = holdings.with_file(record, file, replaced)
        if held is not None:  # what it was tagged with ahead is not all that the record says
            suggestions = self._suggest(record, draft.pages)
        return self._with_subjects(record, suggestions)

    def _attached(self, reading: _Reading, paper: Record) -> Record:
        """The record of a paper work with its file: what the catalogue says stays, and is tagged with it."""
        draft = reading.drafts[0]
        record = holdings.with_file(holdings.completed(paper, draft), _file(reading))
        return self._with_subjects(record, self._suggest(record, draft.pages))

    def _with_subjects(self, record: Record, suggestions: list[Suggestion]) -> Record:
        proposed = holdings.subjects_proposed(suggestions)
        return holdings.with_subjects(record, self.store.thesaurus(), proposed, catalogued=False)

    # -- catalogues

    def _save_catalogue(self, reading: _Reading) -> Outcome:
        """Rows in groups, then the links between them; what is known already is left as it is."""
        catalogue = holdings.Catalogue(reading.drafts, reading.source)
        statuses: set[Status] = set()
        faults: list[str] = []
        for start in range(0, len(catalogue.entries), _ROWS):
            with self.store.transaction():
                for entry in catalogue.entries[start : start + _ROWS]:
                    try:
                        statuses.add(self._save_entry(catalogue, entry))
                    except InvalidRecord as error:
                        faults.append(f"{entry.draft.place_in_file} : {error}")
        with self.store.transaction():
            for id, host in catalogue.hosts(self.store):
                if self._link(id, host):
                    statuses.add(Status.UPDATED)
        ids = tuple(entry.id for entry in catalogue.entries if entry.id)
        warnings = [warning for entry in catalogue.entries for warning in entry.draft.warnings]
        if not ids:
            return _refused(reading.path, UnreadableDocument(Reason.BAD_RECORDS, "; ".join(faults[:3])))
        order = (Status.PUBLISHED, Status.UPDATED, Status.UNCHANGED)
        status = next(status for status in order if status in statuses)
        return Outcome(path=reading.path, status=status, ids=ids, warnings=(*warnings, *faults))

    def _save_entry(self, catalogue: holdings.Catalogue, entry: holdings.Entry) -> Status:
        catalogue.find(entry, self.store)
        held = entry.held
        if held is not None and holdings.came_from_file(held):
            return self._join(entry, held)
        id = held.id if held is not None else self.store.new_id(self._centre)
        record = holdings.record_of(entry.draft, held, id=id, source=catalogue.source)
        if record == held:
            return Status.UNCHANGED
        pages = self.store.pages(id) if record.files else ()
        proposed = holdings.subjects_proposed(self._suggest(record, pages))
        thesaurus = self.store.thesaurus()
        self.store.save(holdings.with_subjects(record, thesaurus, proposed, catalogued=True))
        catalogue.settle(entry, id)
        return Status.PUBLISHED if held is None else Status.UPDATED

    def _join(self, entry: holdings.Entry, held: Record) -> Status:
        """Give the record of a file what the catalogue knows of the same work on paper."""
        keywords = tuple(dict.fromkeys((*held.keywords, *entry.draft.keywords)))
        record = dataclasses.replace(holdings.completed(held, entry.draft), keywords=keywords)
        if record == held:
            return Status.UNCHANGED
        record = self._with_subjects(record, self._suggest(record, self.store.pages(held.id)))
        self.store.save(holdings.with_catalogued(record, self.store.thesaurus(), entry.draft.keywords))
        told = f"{entry.draft.place_in_file} : ajouté à la notice du document {_named(held)}"
        entry.draft = dataclasses.replace(entry.draft, warnings=(*entry.draft.warnings, told))
        return Status.UPDATED

    def _link(self, id: str, host: str) -> bool:
        return self.store.save(dataclasses.replace(self.store.get(id), host=host))


def _file(reading: _Reading) -> File:
    draft = reading.drafts[0]
    return File(
        sha256=reading.sha256,
        name=Path(reading.source).name,
        media_type=draft.media_type,
        size=reading.size,
        pages=len(draft.pages),
    )


def _named(record: Record) -> str:
    """A record as people name it: its number and its title."""
    return f"n° {record.id.partition(':')[2]}, « {record.title} »"


def _without_drafts(reading: _Reading) -> Outcome:
    if reading.problem is not None:
        return _refused(reading.path, reading.problem)
    return Outcome(path=reading.path, status=Status.UNCHANGED, ids=reading.known)


def _refused(path: Path, error: IngestError) -> Outcome:
    """``waiting`` for what can still be read one day without the person doing anything."""
    status = Status.WAITING if error.reason is Reason.NO_TEXT else Status.REFUSED
    return Outcome(path=path, status=status, reason=error.reason, detail=error.detail)


def _log(outcome: Outcome) -> None:
    log.info(
        "ingest.file",
        path=str(outcome.path),
        status=str(outcome.status),
        pages=outcome.pages,
        **({"reason": str(outcome.reason), "detail": outcome.detail} if outcome.reason else {}),
    )
