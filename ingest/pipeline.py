"""From files to the fund: read, recognise, tag, save; one outcome a file, whatever happens to it.

Hides how files are read two at a time in children and saved in groups: what is saved together is on disk
together, so that a process killed at any moment leaves whole documents, and running again adds the rest.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import nullcontext
from pathlib import Path

import structlog

from ingest import ocr
from ingest.arrivals import Found, Reader, Reading, find
from ingest.isolation import Sandbox
from ingest.outcomes import Outcome
from ingest.saving import Desk, Suggests
from kb.database import Store
from kb.errors import StorageError

log = structlog.get_logger()

_AHEAD = 2  # files read ahead for each worker: enough to keep it busy while others are tagged


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
    recognises: bool = True,
) -> Iterator[Outcome]:
    """Take files and whole folders into the fund, in order of name; an outcome for each file found, and for
    each file that came inside another one.

    ``progress`` is told how many files are done, of how many; ``after_commit`` is called each time that
    documents have been saved. ``sandbox`` is where files are read, one of our own if None. ``recognises``
    False leaves pages that are pictures to somebody else, since each takes seconds. Safe to run again: what
    is known is left as it is. Raises StorageError when the fund cannot be written: the outcomes given before
    are of files that stay in it.
    """
    waiting = deque(find(paths))
    total = len(waiting)
    ours = nullcontext(sandbox) if sandbox is not None else Sandbox()
    with (
        ours as sandbox,
        ocr.opened(store.folder / "cache" / "ocr") as recogniser,
        ThreadPoolExecutor(workers, "reader") as pool,
    ):
        opened = store.folder / "cache" / f"opened-{os.getpid()}"
        reader = Reader(store, sandbox, opened, recogniser if recognises else None)
        desk = Desk(store, tagger, centre, after_commit)
        try:
            for done, outcome in enumerate(_outcomes(waiting, reader, pool, desk, workers), start=1):
                total = max(total, done + len(waiting))
                log_outcome(outcome)
                if progress is not None:
                    progress(done, total)
                yield outcome
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            shutil.rmtree(opened, ignore_errors=True)


def _outcomes(
    waiting: deque[Found], reader: Reader, pool: ThreadPoolExecutor, desk: Desk, workers: int
) -> Iterator[Outcome]:
    """Outcomes in the order of ``waiting``, which takes up the files that come out of others; documents that
    were read wait a moment for others."""
    running: deque[Future[Reading]] = deque()

    def fill() -> None:
        while waiting and len(running) < workers * (1 + _AHEAD):
            running.append(pool.submit(reader.read, waiting.popleft()))

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
        waiting.extendleft(reversed(reading.members or ()))
        fill()
        desk.take(reading)
        if desk.patience() == 0:
            yield from desk.flush()
    yield from desk.flush()


def log_outcome(outcome: Outcome) -> None:
    """One line of the log for a file."""
    log.info(
        "ingest.file",
        path=str(outcome.path),
        status=str(outcome.status),
        pages=outcome.pages,
        **({"reason": str(outcome.reason), "detail": outcome.detail} if outcome.reason else {}),
    )
