"""What a page starts and does not wait for: terms for a record typed by hand, the text of one that came back.

Hides the thread. One a process, made when first needed, does one thing after the other. What is lost with its
process leaves no half: the record waits to be looked at without proposals, or shows that its text is missing
and offers to read it again.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Queue

import structlog

from ingest import arrivals, holdings
from ingest.isolation import Sandbox
from kb.audit import acting, actor
from kb.errors import IngestError
from kb.records import Record, State
from web.parts import Parts

log = structlog.get_logger()

Act = Callable[[], None]


class Afterwards:
    """A queue and the thread that empties it."""

    def __init__(self) -> None:
        self._queue: Queue[tuple[str, str, Act]] = Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, name: str, act: Act) -> None:
        """Do it soon, in the name of who acts now."""
        self._queue.put((name, actor(), act))
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="afterwards", daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Until all that was put is done."""
        self._queue.join()

    def _work(self) -> None:
        while True:
            name, who, act = self._queue.get()
            try:
                with acting(who):
                    act()
            except Exception as error:  # an edge: whatever failed, the next thing is done
                log.error("afterwards.failed", what=name, why=repr(error), exc_info=error)
            finally:
                self._queue.task_done()


SOON = Afterwards()


def tag(parts: Parts, id: str) -> None:
    """Propose terms for a record by its own words; it waits for a librarian only if there are any.

    The language model takes seconds to load and, once loaded, hundredths of a second to answer.
    """
    suggestions = parts.tagger.suggest([holdings.text_of(parts.store.get(id))])[0]
    proposed = holdings.subjects_proposed(suggestions)
    with parts.store.transaction():
        held = parts.store.get_many([id]).get(id)
        if held is None:
            return
        tagged = holdings.with_subjects(held, parts.thesaurus, proposed, catalogued=True)
        parts.store.save(tagged)
        if all(subject.state is not State.PROPOSED for subject in tagged.subjects):
            parts.reviews.close(id)


def can_reread(parts: Parts, record: Record) -> bool:
    """Whether the record has a text that is not here although its original is."""
    return any(f.pages and f.sha256 in parts.store.originals for f in record.files) and not (
        parts.store.last_page(record.id)
    )


def reread(parts: Parts, id: str) -> None:
    """Read the pages of a record again from its original, if it still has none. Pages that are pictures stay
    without text: recognising them is the work of deposits."""
    record = parts.store.get(id)
    if not can_reread(parts, record):
        return
    file = next(f for f in record.files if f.pages and f.sha256 in parts.store.originals)
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        named = Path(folder) / f"original{Path(file.name).suffix}"  # some formats show by their name only
        shutil.copyfile(parts.store.originals.path(file.sha256), named)
        try:
            [draft, *_] = arrivals.read(named, sandbox)
        except IngestError as error:
            log.warning("afterwards.unread", record=id, why=str(error))
            return
    with parts.store.transaction():
        held = parts.store.get_many([id]).get(id)
        if held is not None and not parts.store.last_page(id):
            parts.store.save(held, draft.pages)
