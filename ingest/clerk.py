"""The clerk: takes jobs from the queue and brings each to its end.

Hides how it stays alive in the eyes of others while it works, what is tried again, and what is given up.
A job's end is written in the transaction that saves its document (``kb.jobs``).
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import structlog

from ingest.arrivals import Beat, Found, Reader, Reading, previewed, recognised_again
from ingest.isolation import Sandbox
from ingest.ocr import Recogniser
from ingest.outcomes import Outcome, Status, refused
from ingest.pipeline import log_outcome
from ingest.saving import Desk, Suggests
from ingest.tables import SPREADSHEETS
from kb.audit import acting
from kb.database import Store
from kb.errors import Conflict, IngestError, NotFound, Reason, StorageError, UnreadableDocument
from kb.jobs import DELAYS, ORDINARY, SLOW, URGENT, Job, Jobs
from kb.mappings import Mappings
from kb.reception import Reception
from kb.records import Page, Record

log = structlog.get_logger()

READ, RECOGNISE, REREAD = "read", "recognise", "reread"
"""Kinds of jobs: a file that came in; one whose pages are pictures, which takes long; pages of a record whose
pictures are to be recognised again."""

BEAT_SECONDS = 5.0

_DONE = (Status.PUBLISHED, Status.UPDATED, Status.UNCHANGED)
_LONGEST_NAME = 200  # characters: file systems take 255 bytes


class Interrupted(Exception):
    """The deposit was stopped or cancelled, or the lease is lost: the work ends here."""


class Clerk:
    """Works on one job at a time; several clerks may work side by side."""

    def __init__(
        self,
        store: Store,
        tagger: Suggests,
        sandbox: Sandbox,
        recogniser: Recogniser | None,
        *,
        centre: str,
        reception: Reception,
    ) -> None:
        self._store = store
        self._jobs = Jobs(store.database, store.trail)
        self._desk = Desk(store, tagger, centre, group_seconds=0)
        self._sandbox = sandbox
        self._reader = Reader(store, sandbox, reception.folder, recogniser)
        self._recogniser = recogniser
        self._reception = reception
        self._stopped = threading.Event()
        self._at_hand: Job | None = None
        self._holder = f"{os.uname().nodename[:30]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    def stop(self) -> None:
        """From another thread: take no more, and give the job at hand back at once, so that another worker
        may have it; a reading that goes on here saves nothing."""
        self._stopped.set()
        job = self._at_hand
        if job is not None:
            self._jobs.release(job)

    def work_once(self) -> bool:
        """Take the next job that is due and do it; False when there is none, or once stopped.
        Raises StorageError."""
        job = None if self._stopped.is_set() else self._jobs.take(self._holder)
        if job is None:
            return False
        self._at_hand = job
        try:
            # Looked at again: who stops the clerk sees the job at hand, or the clerk sees that it is stopped.
            if self._stopped.is_set():
                self._jobs.release(job)
                return False
            with acting(self._jobs.batch(job.batch).actor):
                self._work(job)
        finally:
            self._at_hand = None
        return True

    def _work(self, job: Job) -> None:
        """Do a job that may be lost to another worker, or interrupted, at any step."""
        try:
            if job.attempts > len(DELAYS) + 1:
                self._give_up(job)  # it took its workers with it each time
            else:
                self._attempt(job)
        except Interrupted:
            self._jobs.release(job)
        except Conflict as error:
            log.warning("job.lost", job=job.id, why=str(error))
        except StorageError:
            self._jobs.release(job)
            raise

    def _attempt(self, job: Job) -> None:
        """The edge where whatever goes wrong with one job stays with it."""
        try:
            with self._alive(job) as beat:
                self._do(job, beat)
        except (Interrupted, Conflict, StorageError):
            raise
        except Exception as error:
            log.error("job.failed", job=job.id, attempt=job.attempts, why=repr(error), exc_info=error)
            if not self._jobs.postpone(job):
                self._give_up(job)

    def _give_up(self, job: Job) -> None:
        path = self._reception.path(str(job.payload.get("place", "")))
        outcome = Outcome(path=path, status=Status.REFUSED, reason=Reason.CRASHED)
        self._jobs.finish(job, outcome.status, outcome.told())
        log_outcome(outcome)

    @contextmanager
    def _alive(self, job: Job) -> Iterator[Beat]:
        """Beats while the work goes on; what is yielded tells how far it is, and may end it."""
        ended, lost = threading.Event(), threading.Event()
        told = [0, 0]

        def beat_on() -> None:
            while not (ended.wait(BEAT_SECONDS) or lost.is_set()):
                try:
                    if not self._jobs.beat(job, *told):
                        lost.set()
                except Exception as error:  # an edge: a beat that fails is not the end of the work
                    log.warning("job.beat.failed", job=job.id, why=repr(error))

        def beat(done: int, total: int) -> None:
            told[:] = done, total
            if lost.is_set() or self._stopped.is_set() or not self._jobs.beat(job, done, total):
                raise Interrupted

        thread = threading.Thread(target=beat_on, name=f"job-{job.id}", daemon=True)
        thread.start()
        try:
            yield beat
        finally:
            ended.set()
            thread.join()

    def _do(self, job: Job, beat: Beat) -> None:
        if job.kind == REREAD:
            self._reread(job, beat)
        else:
            self._read(job, beat)

    def _reread(self, job: Job, beat: Beat) -> None:
        """Recognise some pages of a record again; those that nobody wrote by hand meanwhile."""

        def seal(outcome: Outcome) -> None:
            self._jobs.finish(job, outcome.status, outcome.told())

        id, marks = str(job.payload["record"]), dict(job.payload["marks"])
        try:
            if self._recogniser is None:
                raise UnreadableDocument(Reason.NO_TEXT, "no recogniser")
            before = self._store.pages(id)
            numbers = [page.number for page in before if marks.get(str(page.number)) == _mark(page)]
            pages = recognised_again(self._store, self._recogniser, id, numbers, beat)
        except (IngestError, NotFound) as error:
            told = error if isinstance(error, IngestError) else UnreadableDocument(Reason.MISSING, str(error))
            seal(refused(Path(id), told))
            return
        log_outcome(self._desk.repage(id, before, pages, seal))

    def _read(self, job: Job, beat: Beat) -> None:
        recognises = job.kind == RECOGNISE or self._recogniser is None
        reading = self._reader.read(self._found(job), beat, recognises=recognises)
        if self._asks_for_columns(job, reading) and self._settle_columns(job, reading):
            return
        beat(1, 1)
        if reading.scanned and not recognises:
            self._jobs.defer(job, RECOGNISE, SLOW)
            return
        log_outcome(self._saved(job, reading))
        if not reading.is_catalogue and _is_done_with(self._jobs.job(job.id)):
            self._reception.drop(job.payload["place"])

    def _asks_for_columns(self, job: Job, reading: Reading) -> bool:
        """Whether it is a spreadsheet of records and nobody has said what its columns hold."""
        if "columns" in job.payload or "place" not in job.payload:
            return False
        unknown = reading.problem is not None and reading.problem.reason is Reason.BAD_RECORDS
        return unknown or (reading.is_catalogue and reading.drafts[0].media_type in SPREADSHEETS)

    def _settle_columns(self, job: Job, reading: Reading) -> bool:
        """Take the columns that were saved for the same headings, and read it again; else ask a person. False
        for what is no table at all."""
        try:
            seen = previewed(reading.found.path, self._sandbox, limit=0)
        except IngestError:
            return False
        if not seen.count:
            return False
        if (saved := Mappings(self._store.database, self._store.trail).matching(seen.headings)) is not None:
            with self._jobs.together():
                self._jobs.amend(job.id, {"columns": saved[1].to_json()})
                self._jobs.defer(job, READ, URGENT)
            return True
        error = UnreadableDocument(Reason.COLUMNS, f"{seen.count} rows")
        log_outcome(self._saved(job, dataclasses.replace(reading, drafts=(), problem=error)))
        return True

    def _found(self, job: Job) -> Found:
        place, source = job.payload["place"], job.payload.get("source", "")
        # With its folder, which is its own: two files of one name are not one that was changed.
        own = Path(place).parent.as_posix()
        return Found(
            path=self._reception.path(place),
            name=source or f"depot/{own}/{job.name}",
            depth=job.payload.get("depth", 0),
            batch=job.batch,
            columns=job.payload.get("columns", ""),
        )

    def _saved(self, job: Job, reading: Reading) -> Outcome:
        """What came of it, once that is on disk."""

        def seal(outcome: Outcome) -> None:
            for member in reading.members or ():
                self._queue(job, reading, member)
            self._jobs.finish(job, outcome.status, outcome.told())

        self._desk.take(reading)
        [outcome] = self._desk.flush(seal)
        return outcome

    def _queue(self, job: Job, container: Reading, member: Found) -> None:
        place = member.path.relative_to(self._reception.folder).as_posix()
        name = f"{job.name}/{member.path.name}"
        payload = {"place": place, "depth": member.depth}
        told = f"{job.batch} {container.sha256} {place}"
        key = f"member:{hashlib.sha256(told.encode()).hexdigest()}"
        self._jobs.add(job.batch, READ, name, payload, key=key, priority=ORDINARY)


def reread(jobs: Jobs, record: Record, pages: Sequence[Page]) -> int:
    """Queue the recognition of some pages of a record, unless their text changes first; the number of its
    deposit."""
    with jobs.together():
        batch = jobs.open_batch(f"Relecture de « {record.title[:80]} »", "reread")
        payload = {"record": record.id, "marks": {str(page.number): _mark(page) for page in pages}}
        jobs.add(batch, REREAD, record.title[:200], payload, key=f"reread:{batch}", priority=SLOW)
    return batch


def _mark(page: Page) -> str:
    """What a page says, in short."""
    return hashlib.sha256(page.text.encode()).hexdigest()[:16]


def accept(
    jobs: Jobs, reception: Reception, batch: int, stream: IO[bytes], name: str, source: str = ""
) -> int:
    """Take a file into a deposit and queue its job; the job's number. The same bytes under the same name,
    sent again, are the same job. ``source`` names the place that a newer file will replace it from.
    Raises StorageError, Conflict when the deposit was given up."""
    received = reception.receive(stream, batch, name)
    payload = {"place": received.place, "size": received.size, "source": source}
    key = f"place:{Path(received.place).parent.as_posix()}"  # unique for a deposit, bytes and a name
    try:
        id = jobs.add(batch, READ, legible(name), payload, key=key)
    except Conflict:
        reception.drop(received.place)
        raise
    if _is_done_with(jobs.job(id)):
        reception.drop(received.place)
    return id


def legible(name: str) -> str:
    """A name from elsewhere as lists show it: on one line, in the order of its letters, at most 200."""
    plain = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in name)
    return " ".join(plain.split())[:_LONGEST_NAME] or "sans nom"


def tidy(jobs: Jobs, reception: Reception) -> None:
    """Take away the files of documents that are in the fund, left by a worker that was killed just then."""
    left = frozenset(reception)
    if not left:
        return
    for job in jobs.every():
        if job.payload.get("place") in left and _is_done_with(job):
            reception.drop(str(job.payload["place"]))


def _is_done_with(job: Job) -> bool:
    """Whether the file serves no more: it is kept as an original, or all that it held came out. That of a
    catalogue is not kept elsewhere, and may be read with other columns."""
    if job.result == Status.OPENED:
        return not job.outcome.get("warnings")
    document = job.outcome.get("pages") or job.result == Status.UNCHANGED
    return job.result in _DONE and bool(document) and "place" in job.payload and "columns" not in job.payload
