"""What goes on behind the pages: the index kept up with the database, mail sent, what is old swept away.

Each serving process runs these threads, and ``kb worker`` runs them alone. Several may run at once: the
engine lets one at a time write, a message is leased by one at a time.
"""

from __future__ import annotations

import threading
import time

import structlog

from kb import mail
from web.parts import Parts

log = structlog.get_logger()

KEEP_UP_SECONDS = 0.4
"""Between two looks at the change feed: what is saved can be found within the second."""

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
        while not self._stop_asked.wait(self._seconds):
            try:
                self.once()
            except Exception as error:  # an edge: whatever failed, the next round is tried
                log.error(f"{self.name}.failed", why=repr(error), exc_info=error)

    def once(self) -> None:
        """One round."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask it to end and wait until it has."""
        self._stop_asked.set()
        self.join()


class KeepUp(_Round):
    """Watches the change feed and brings the index up to it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, "keep-up", KEEP_UP_SECONDS)

    def once(self) -> None:
        """Take in what changed, if anything did."""
        if self._parts.store.position() != self._parts.engine.position():
            self._parts.sync()


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


def sweep(parts: Parts) -> None:
    """Throw away sessions, links and tries that have ended, and the lines of mail that left long ago."""
    parts.sessions.sweep()
    parts.credentials.sweep()
    parts.limits.sweep(time.time() - _DAY)
    mail.Spool(parts.config.spool).forget(parts.outbox.sweep())


def work_alone(parts: Parts) -> None:
    """Run all rounds until interrupted."""
    rounds = [KeepUp(parts), Postman(parts)]
    for one in rounds:
        one.start()
    try:
        for one in rounds:
            one.join()
    finally:
        for one in rounds:
            one.stop()
