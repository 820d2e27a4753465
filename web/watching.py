"""A watched folder: what is put there comes in by itself.

Hides when a file is *stable*: its size and its time have not moved over two looks and for a few seconds, so
that nothing is read while it is still being copied. What was taken stays where it is; a newer file in its
place replaces the text of its record. Nothing that goes wrong with a folder or a file ends the watch, and it
is said once.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from ingest.arrivals import find
from ingest.clerk import READ, legible
from kb.errors import StorageError, UnsupportedFormat
from kb.jobs import BatchState, Jobs
from kb.reception import Reception
from web.typography import spaced

log = structlog.get_logger()

LOOK_SECONDS = 10.0
STABLE_SECONDS = 5.0
_SEARCHED = 100  # latest deposits among which that of today is looked for
_UNFINISHED = (".part", ".crdownload", ".tmp", ".partial", ".download")
"""How browsers and office programs name what they are still writing."""

Mark = tuple[int, int]
"""Size and time of the last change (nanoseconds): a file that was changed has another one."""


@dataclass(slots=True)
class Watch:
    """One folder, and what was seen there at the last look. ``zone`` names the centre's time zone."""

    folder: Path
    jobs: Jobs
    reception: Reception
    zone: str = "UTC"
    _seen: dict[Path, Mark] = field(default_factory=dict)
    _known: dict[Path, Mark] = field(default_factory=dict)  # taken, so that nobody has to be asked again
    _told: dict[Path, str] = field(default_factory=dict)
    _batch: tuple[str, int] | None = None

    def look(self, now: float | None = None) -> int:
        """Take in what is new and stable; how many files were. Raises StorageError when what was taken in
        cannot be kept: the next look tries again."""
        now = time.time() if now is None else now
        before, self._seen = self._seen, {}
        faults = self._told
        self._told = {}
        taken = 0
        for path, mark in self._files(faults):
            self._seen[path] = mark
            if before.get(path) == mark and _settled(mark, now) and self._known.get(path) != mark:
                taken += self._take(path, mark, faults)
        return taken

    def _files(self, faults: dict[Path, str]) -> Iterator[tuple[Path, Mark]]:
        for found in find([self.folder]):
            path = found.path
            if isinstance(found.problem, UnsupportedFormat) or _is_unfinished(path):
                continue  # hidden, no file: no business of this folder
            if found.problem is not None:
                self._tell(path, found.problem.detail, faults)
                continue
            if not self._is_inside(path):
                self._tell(path, "a link that leads out of the folder", faults)
                continue
            try:
                yield path, _mark(path)
            except OSError:
                continue  # gone since: the next look tells

    def _is_inside(self, path: Path) -> bool:
        """Whether the file is in the folder in truth: who may write there may not read all that we may."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.folder))

    def _take(self, path: Path, mark: Mark, faults: dict[Path, str]) -> bool:
        """Whether it was taken: a file that may not be read, or that is being changed, is looked at again."""
        key = _key(path, mark)
        if self.jobs.knows(key):
            self._known[path] = mark
            return False
        try:
            with path.open("rb") as stream:
                batch = self._batch_of_today()
                received = self.reception.receive(stream, batch, path.name)
            changed = _mark(path) != mark
        except OSError as error:
            self._tell(path, str(error), faults)
            return False
        if changed:
            self.reception.drop(received.place)
            return False
        payload = {"place": received.place, "size": received.size, "source": _text(path)}
        name = legible(_text(path.relative_to(self.folder)))
        self.jobs.add(batch, READ, name, payload, key=key)
        self._known[path] = mark
        log.info("watch.taken", path=_text(path))
        return True

    def _tell(self, path: Path, why: str, faults: dict[Path, str]) -> None:
        """Once, as long as it goes on."""
        self._told[path] = why
        if faults.get(path) != why:
            log.warning("watch.left", path=_text(path), why=why)

    def _batch_of_today(self) -> int:
        today = f"{datetime.now(ZoneInfo(self.zone)):%d/%m/%Y}"
        name = spaced(f"Dossier surveillé « {legible(_text(Path(self.folder.name)))} », {today}")
        if self._batch is None or self._batch[0] != name or self._is_given_up(self._batch[1]):
            self._batch = name, self._begun(name) or self.jobs.open_batch(name, "watch")
        return self._batch[1]

    def _begun(self, name: str) -> int | None:
        """The deposit of that name that a watch began which has ended since."""
        found = self.jobs.batches(_SEARCHED)
        same = (b.id for b in found if (b.source, b.name) == ("watch", name))
        return next((id for id in same if not self._is_given_up(id)), None)

    def _is_given_up(self, batch: int) -> bool:
        return self.jobs.batch(batch).state is BatchState.CANCELLED


def _is_unfinished(path: Path) -> bool:
    return path.suffix.lower() in _UNFINISHED or path.name.startswith("~$")


def _settled(mark: Mark, now: float) -> bool:
    """Whether its last change is some time ago; that of a file server whose clock is ahead is unknown."""
    since = now - mark[1] / 1e9
    return since >= STABLE_SECONDS or since < 0


def _mark(path: Path) -> Mark:
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def _text(path: Path) -> str:
    """A path as text that a database keeps, even if its name is not UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def _key(path: Path, mark: Mark) -> str:
    """The same file, unchanged, is never taken twice, whenever the watch starts again."""
    told = f"{os.fsencode(path)!r} {mark}"
    return "watch:" + hashlib.sha256(told.encode()).hexdigest()


def watch(
    folders: tuple[Path, ...],
    jobs: Jobs,
    reception: Reception,
    zone: str,
    *,
    wait: Callable[[float], object] = time.sleep,
) -> None:
    """Look again and again until interrupted, whatever the disk or the database refuse meanwhile."""
    watches = [Watch(folder, jobs, reception, zone) for folder in folders]
    while True:
        for one in watches:
            try:
                one.look()
            except Exception as error:  # an edge: a look that failed is made again
                cause = None if isinstance(error, StorageError) else error
                log.error("watch.failed", folder=str(one.folder), why=repr(error), exc_info=cause)
        wait(LOOK_SECONDS)
