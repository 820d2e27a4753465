"""What goes on behind the pages: the index kept up with the database, mail sent, files that came in read,
other centres harvested, what is old swept away.

Each serving process keeps the index and the mail; files are read, and centres harvested, by a process of
their own, since that takes the processor from pages. ``kb worker`` does all of it alone. Several may run at
once: the engine lets one at a time write, a message, a job or a source is leased by one at a time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import structlog

from ingest import ocr
from ingest.aligning import Proposer
from ingest.clerk import Clerk, tidy
from ingest.duplicates import sketch_missing
from ingest.isolation import Sandbox
from ingest.mirroring import Receiver
from ingest.rounds import Harvester
from ingest.tagging import Suggestion, Text
from kb import mail
from kb.alignments import Words
from kb.config import Config
from web import report
from web.nightly import nightly
from web.parts import Parts

log = structlog.get_logger()

KEEP_UP_SECONDS = 0.4
"""Between two looks at the change feed: what is saved can be found within the second."""

FILES_SECONDS = 0.5
HARVEST_SECONDS = 3.0
"""Between two looks for a source that is due: whoever asks for a harvest looks at the page meanwhile."""

RESTART_SECONDS = 5.0
MOST_WAIT_SECONDS = 60.0
"""Between two rounds that fail, as each does while the disk is full: the wait doubles up to this."""

END_SECONDS = 5.0
"""How long the work of a process may take to end: what it was at has been given back by then."""

STOP_SECONDS = 10.0
_SAMPLED_AT_ONCE = 20  # records, some 10 ms each: a file that comes in meanwhile waits no longer
POST_SECONDS = 2.0
SWEEP_SECONDS = 3600.0
_DAY = 86_400


class _Round(threading.Thread):
    """Does the same thing again and again until stopped; a failure is logged and tried again."""

    def __init__(self, parts: Parts, name: str, seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._parts = parts
        self._seconds = seconds
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Look, work, wait."""
        wait = self._seconds
        while not self._stop_asked.wait(wait):
            try:
                self.once()
                wait = self._seconds
            except Exception as error:  # an edge: whatever failed, the next round is tried
                log.error(f"{self.name}.failed", why=repr(error), exc_info=error)
                wait = min(2 * wait, MOST_WAIT_SECONDS)

    def once(self) -> None:
        """One round."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask it to end."""
        self._stop_asked.set()


class KeepUp(_Round):
    """Watches the change feed and brings the index up to it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, "keep-up", KEEP_UP_SECONDS)

    def once(self) -> None:
        """Take in what changed, if anything did."""
        self._parts.keep_up()


class Postman(_Round):
    """Sends the mail that is due, and once an hour sweeps away what is old."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, "postman", POST_SECONDS)
        self._way = mail.way_out(parts.config)
        self._swept = 0.0

    def once(self) -> None:
        """One walk to the post."""
        if left := self._parts.outbox.deliver(self._way):
            log.info("mail.left", messages=left)
        if time.monotonic() - self._swept > SWEEP_SECONDS or not self._swept:
            self._swept = time.monotonic()
            sweep(self._parts)
            report.send_weekly(self._parts)
            nightly(self._parts)


def sweep(parts: Parts) -> None:
    """Throw away sessions, links and tries that have ended, and the lines of mail that left long ago."""
    parts.sessions.sweep()
    parts.credentials.sweep()
    parts.limits.sweep(time.time() - _DAY)
    tidy(parts.jobs, parts.reception)
    mail.Spool(parts.config.spool).forget(parts.outbox.sweep())


class _OneAtATime:
    """The tagger in force, used by one thread at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()

    def suggest(self, texts: Iterable[Text]) -> list[list[Suggestion]]:
        """For each document, its concepts."""
        with self._lock:
            return self._parts.tagger.suggest(texts)


class FileWork(_Round):
    """Reads the files that came in, one after the other."""

    def __init__(self, parts: Parts, clerk: Clerk, number: int) -> None:
        super().__init__(parts, f"files-{number}", FILES_SECONDS)
        self._clerk = clerk
        self._unsampled: str | None = "" if number == 1 else None

    def once(self) -> None:
        """All that is due; and in idle time, samples of records that a former version took in."""
        while not self._stop_asked.is_set() and self._clerk.work_once():
            pass
        if self._unsampled is not None and not self._stop_asked.is_set():
            self._unsampled = sketch_missing(self._parts.store, self._unsampled, _SAMPLED_AT_ONCE)

    def stop(self) -> None:
        """Ask it to end; what is half done is given back to the queue at once."""
        super().stop()
        self._clerk.stop()


class Harvesting(_Round):
    """Harvests the sources that are due, one after the other; asked to end, it does so after the page it is
    at, and another process goes on there."""

    def __init__(self, parts: Parts, tagger: _OneAtATime) -> None:
        super().__init__(parts, "harvesting", HARVEST_SECONDS)
        self._tagger = tagger

    def once(self) -> None:
        """All that is due."""
        while not self._stop_asked.is_set() and self._harvester().harvest_due() is not None:
            pass

    def _harvester(self) -> Harvester:
        parts = self._parts
        return Harvester(
            centres=parts.centres,
            sources=parts.sources,
            runs=parts.runs,
            mirrors=parts.mirrors,
            receiver=self._receiver,
            get=parts.connector.get,
            stopped=self._stop_asked.is_set,
        )

    def _receiver(self) -> Receiver:
        """As that of the parts, with the tagger that the clerks use too: one thread at a time."""
        words = Words(self._parts.store, Proposer(self._parts.thesaurus).propose)
        return Receiver(self._parts.store, self._parts.mirrors, self._tagger, words)


@contextmanager
def _clerks(parts: Parts) -> Iterator[list[_Round]]:
    """As many clerks as the settings say, and who harvests."""
    tagger, config = _OneAtATime(parts), parts.config
    with Sandbox() as sandbox, ocr.opened(config.recognised) as recogniser:
        clerks = [
            FileWork(
                parts,
                Clerk(
                    parts.store,
                    tagger,
                    sandbox,
                    recogniser,
                    centre=config.centre,
                    reception=parts.reception,
                ),
                number,
            )
            for number in range(1, config.workers + 1)
        ]
        yield [*clerks, Harvesting(parts, tagger)]


def work_alone(parts: Parts, *, files_only: bool = False) -> None:
    """Run all rounds until told to end by SIGTERM or Ctrl+C; those of files and harvests also until the
    process that asked is gone. What is half done is given back."""
    parent, told = os.getppid(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    with _clerks(parts) as rounds:
        if not files_only:
            rounds += [KeepUp(parts), Postman(parts)]
        for one in rounds:
            one.start()
        while not told.wait(1) and (not files_only or os.getppid() == parent):
            pass
        for one in rounds:
            one.stop()
    # The children that read are gone now, and so whoever waits for them goes on.
    deadline = time.monotonic() + END_SECONDS
    for one in rounds:
        one.join(max(0.0, deadline - time.monotonic()))


class FileProcess(threading.Thread):
    """The process that reads files beside the serving ones; started again when it dies."""

    def __init__(self, config: Config) -> None:
        super().__init__(name="file-process", daemon=True)
        self._command = [sys.executable, "-m", "web.cli", "--data", str(config.data), "worker", "--files"]
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start it, wait for its end, again."""
        while (running := self._begun()) is not None:
            code = running.wait()
            if not self._ended.is_set():
                log.warning("files.process.ended", code=code)
            self._ended.wait(RESTART_SECONDS)

    def _begun(self) -> subprocess.Popen[bytes] | None:
        """A new process; None once it shall end."""
        with self._lock:
            if self._ended.is_set():
                return None
            # A group of its own: Ctrl+C in a terminal is for the one that serves, which ends this one.
            self._running = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, process_group=0)
            return self._running

    def stop(self) -> None:
        """End it, and wait until it has."""
        with self._lock:
            self._ended.set()
        if self._running is not None:
            self._running.terminate()
            try:
                self._running.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._running.kill()  # its lease runs out, and another one takes the job
                self._running.wait()
