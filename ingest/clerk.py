"""The clerk: takes jobs from the queue and brings each to its end.

Hides how it stays alive in the eyes of others while it works, what is tried again, and what is given up.
A job's end is written in the transaction that saves its document (``kb.jobs``).
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import structlog

from ingest.arrivals import Beat, Found, Reader, Reading
from ingest.isolation import Sandbox
from ingest.ocr import Recogniser
from ingest.outcomes import Outcome, Status
from ingest.pipeline import log_outcome
from ingest.saving import Desk, Suggests
from kb.audit import acting
from kb.database import Store
from kb.errors import Conflict, Reason, StorageError
from kb.jobs import DELAYS, ORDINARY, SLOW, Job, Jobs
from kb.reception import Reception

log = structlog.get_logger()

READ, RECOGNISE = "read", "recognise"
"""Kinds of jobs: a file that came in; one whose pages are pictures, which takes long."""

BEAT_SECONDS = 5.0

_DONE = (Status.PUBLISHED, Status.UPDATED, Status.UNCHANGED)


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
        self._recogniser = recogniser
        self._reception = reception
        self._holder = f"{os.uname().nodename[:30]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    def work_once(self) -> bool:
        """Take the next job that is due and do it; False when there is none. Raises StorageError."""
        job = self._jobs.take(self._holder)
        if job is None:
            return False
        with acting(self._jobs.batch(job.batch).actor):
            self._work(job)
        return True

    def _work(self, job: Job) -> None:
        """The edge where whatever goes wrong with one job stays with it."""
        try:
            if job.attempts > len(DELAYS) + 1:
                self._give_up(job)  # it took its workers with it each time
                return
            with self._alive(job) as beat:
                self._do(job, beat)
        except Interrupted:
            self._jobs.release(job)
        except Conflict as error:
            log.warning("job.lost", job=job.id, why=str(error))
        except StorageError:
            self._jobs.release(job)
            raise
        except Exception as error:
            log.error("job.failed", job=job.id, attempt=job.attempts, why=repr(error), exc_info=error)
            if not self._jobs.postpone(job):
                self._give_up(job)

    def _give_up(self, job: Job) -> None:
        path = self._reception.path(job.payload["place"])
        outcome = Outcome(path=path, status=Status.REFUSED, reason=Reason.CRASHED)
        self._jobs.finish(job, outcome.status, outcome.told())
        log_outcome(outcome)

    @contextmanager
    def _alive(self, job: Job) -> Iterator[Beat]:
        """Beats while the work goes on; what is yielded tells how far it is, and ends it when it shall end."""
        ended, lost = threading.Event(), threading.Event()
        told = [0, 0]

        def beat_on() -> None:
            while not ended.wait(BEAT_SECONDS):
                if not self._jobs.beat(job, *told):
                    lost.set()
                    return

        def beat(done: int, total: int) -> None:
            told[:] = done, total
            if lost.is_set() or not self._jobs.beat(job, done, total):
                raise Interrupted

        thread = threading.Thread(target=beat_on, name=f"job-{job.id}", daemon=True)
        thread.start()
        try:
            yield beat
        finally:
            ended.set()
            thread.join()

    def _do(self, job: Job, beat: Beat) -> None:
        recognises = job.kind == RECOGNISE or self._recogniser is None
        opened = self._reception.opened(job.batch)
        reader = Reader(self._store, self._sandbox, opened, self._recogniser)
        reading = reader.read(self._found(job), beat, recognises=recognises)
        if reading.scanned and not recognises:
            self._jobs.defer(job, RECOGNISE, SLOW)
            return
        beat(1, 1)
        outcome = self._saved(job, reading)
        log_outcome(outcome)
        if outcome.status in _DONE and not reading.is_catalogue:
            self._reception.drop(job.payload["place"])

    def _found(self, job: Job) -> Found:
        place, source = job.payload["place"], job.payload.get("source", "")
        return Found(
            path=self._reception.path(place),
            name=source or f"depot/{job.batch}/{job.name}",
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
        key = f"{job.batch}:{container.sha256[:32]}:{place}"[-200:]
        self._jobs.add(job.batch, READ, name, payload, key=key, priority=ORDINARY)


def accept(
    jobs: Jobs, reception: Reception, batch: int, stream: BinaryIO, name: str, source: str = ""
) -> int:
    """Take a file into a deposit and queue its job; the job's number. The same bytes under the same name,
    sent again, are the same job. ``source`` names the place that a newer file will replace it from.
    Raises StorageError."""
    received = reception.receive(stream, batch, name)
    payload = {"place": received.place, "size": received.size, "source": source}
    key = f"{batch}:{received.sha256[:32]}:{name}"[:200]
    return jobs.add(batch, READ, name, payload, key=key)
