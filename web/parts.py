"""The parts of Carbet, opened together from the settings: store, engine, vocabulary, tagger.

Hides when each is opened (the tagger loads a language model: only who tags pays for it) and how the
index keeps up with the database while pages are served.
"""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

import structlog

from ingest.pictures import PagePictures
from ingest.tagging import Tagger
from kb.config import Config
from kb.database import Store
from kb.errors import IndexOutdated, KBError
from kb.thesaurus import Thesaurus
from search import indexing
from search.whoosh_engine import WhooshEngine
from web.labels import Labels

if TYPE_CHECKING:
    from ingest.tagging import Tagger

log = structlog.get_logger()

KEEP_UP_SECONDS = 0.4
"""Between two looks at the change feed: what is saved can be found within the second."""


class Parts:
    """One of each, for one process."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = Store.open(config)
        self._labels: Labels | None = None

    @cached_property
    def engine(self) -> WhooshEngine:
        """The index; rebuilt from the database when it is missing, damaged or of another version."""
        engine = WhooshEngine(self.config.index, cache_bytes=self.config.cache_mb << 20)
        try:
            engine.position()
        except IndexOutdated as error:
            log.warning("index.rebuild", why=str(error))
            indexing.rebuild(self.store, engine)
        return engine

    @property
    def thesaurus(self) -> Thesaurus:
        """The vocabulary in force."""
        return self.store.thesaurus()

    @property
    def labels(self) -> Labels:
        """Words for facet codes, by the vocabulary in force."""
        thesaurus = self.thesaurus
        if self._labels is None or self._labels.thesaurus is not thesaurus:
            self._labels = Labels(thesaurus)
        return self._labels

    @cached_property
    def tagger(self) -> Tagger:
        """Proposes subjects by the vocabulary that was in force when first asked for."""
        from ingest.tagging import Tagger

        return Tagger(self.thesaurus)

    @cached_property
    def pictures(self) -> PagePictures:
        """Images of pages, drawn once and kept."""
        return PagePictures(self.config.pictures, self.config.pictures_mb << 20)

    def sync(self) -> int:
        """Bring the index up to the database; number of changes taken in."""
        return indexing.sync(self.store, self.engine)

    def close(self) -> None:
        """Let go of files and connections."""
        for opened in ("engine", "pictures"):
            if opened in self.__dict__:
                getattr(self, opened).close()
        self.store.close()


class KeepUp(threading.Thread):
    """Watches the change feed and brings the index up to it, until stopped.

    Each serving process has one; the engine lets one at a time write, and the others then find
    nothing left to do.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(name="keep-up", daemon=True)
        self._parts = parts
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Look, sync, wait; a failure is logged and tried again."""
        while not self._stop_asked.wait(KEEP_UP_SECONDS):
            try:
                if self._parts.store.position() != self._parts.engine.position():
                    self._parts.sync()
            except KBError as error:
                log.error("index.sync", why=str(error))

    def stop(self) -> None:
        """Ask it to end and wait until it has."""
        self._stop_asked.set()
        self.join()
