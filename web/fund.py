"""The fund as one person may see it: records, pages and search, cut to that person's rights.

Hides every check of ``Record.access`` from the views: what may not be seen does not exist for them, and of
what may only be read on the spot there is the notice, without text, pictures or files. The files of another
centre's record are there, not here: it is shown without them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.pictures import PagePictures
from kb import records
from kb.accounts import Right, may_read, may_see, seen_with
from kb.config import Config
from kb.database import Store
from kb.errors import Mirrored, NotFound, OnTheSpot
from kb.mirrors import Mirrors, Origin
from kb.records import File, Page, Record
from kb.thesaurus import Thesaurus
from kb.works import Works
from search.engine import Engine
from search.restricted import Restricted
from web.labels import Labels
from web.parts import Parts

EVERYTHING = frozenset(Right)
"""The rights of whoever runs commands on the machine: the files are theirs to read anyway."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where the record of another centre came from, and the files that it tells of, which are there."""

    origin: Origin
    files: tuple[File, ...]


class Shelves:
    """What may be read of the database with some rights; ``centre`` is our own code."""

    def __init__(self, store: Store, rights: frozenset[Right], mirrors: Mirrors, centre: str) -> None:
        self._store = store
        self._rights = rights
        self._mirrors = mirrors
        self._centre = centre
        self._held: dict[str, Record] = {}  # read once a request: hits, their passages and their notices
        self._elsewhere: dict[str, Elsewhere] = {}

    def get(self, id: str) -> Record:
        """The notice; without files and quoted words when the text may not be read. Raises NotFound."""
        return self._shown(self._seen(id))

    def _seen(self, id: str) -> Record:
        record = self._read([id]).get(id)
        if record is None or not may_see(record, self._rights):
            raise NotFound("record", id)
        return record

    def _read(self, ids: Iterable[str]) -> dict[str, Record]:
        wanted = list(dict.fromkeys(ids))
        new = self._store.get_many([id for id in wanted if id not in self._held])
        self._held |= new | self._without_files([r for r in new.values() if r.centre != self._centre])
        return {id: self._held[id] for id in wanted if id in self._held}

    def _without_files(self, some: Sequence[Record]) -> dict[str, Record]:
        """Those that came from other centres, as they are shown here."""
        origins = self._mirrors.origins([record.id for record in some]) if some else {}
        theirs = {record.id: record for record in some if record.id in origins}
        self._elsewhere |= {id: Elsewhere(origins[id], record.files) for id, record in theirs.items()}
        return {id: dataclasses.replace(record, files=()) for id, record in theirs.items()}

    def elsewhere(self, id: str) -> Elsewhere | None:
        """What is known of the place of another centre's record; None for our own. Raises NotFound."""
        seen = self._seen(id)
        told = self._elsewhere.get(id)
        return told if told is None or may_read(seen, self._rights) else dataclasses.replace(told, files=())

    def own(self, id: str) -> Record:
        """The notice of a record that is ours to change. Raises NotFound, Mirrored."""
        record = self.get(id)
        if id in self._elsewhere:
            raise Mirrored(id)
        return record

    def _shown(self, record: Record) -> Record:
        if may_read(record, self._rights):
            return record
        silent = tuple(dataclasses.replace(subject, evidence=()) for subject in record.subjects)
        return dataclasses.replace(record, files=(), subjects=silent)

    def on_the_spot(self, id: str) -> bool:
        """Whether the document is only read at the centre, and not by this person. Raises NotFound."""
        return not may_read(self._seen(id), self._rights)

    def get_many(self, ids: Sequence[str]) -> dict[str, Record]:
        """The notices that may be seen, by id, in the order asked for."""
        held = self._read(ids)
        return {id: self._shown(record) for id, record in held.items() if may_see(record, self._rights)}

    def _readable(self, id: str) -> bool:
        return may_read(self._seen(id), self._rights)

    def pages(self, id: str) -> tuple[Page, ...]:
        """All pages; () when there are none to read. Raises NotFound."""
        return self._store.pages(id, raw=False) if self._readable(id) else ()

    def page(self, id: str, number: int) -> Page:
        """One page. Raises NotFound, OnTheSpot."""
        if not self._readable(id):
            raise OnTheSpot(id)
        return self._store.page(id, number)

    def some_pages(self, id: str, numbers: Iterable[int]) -> tuple[Page, ...]:
        """Those of the pages that have these numbers. Raises NotFound."""
        return self._store.some_pages(id, numbers) if self._readable(id) else ()

    def last_page(self, id: str) -> int:
        """Number of the last page; 0 when there are none to read. Raises NotFound."""
        return self._store.last_page(id) if self._readable(id) else 0

    def page_texts(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Texts of the pages that may be read."""
        asked = list(wanted)
        held = self._read(id for id, _ in asked)
        open_ids = {id for id, record in held.items() if may_read(record, self._rights)}
        return self._store.page_texts((id, number) for id, number in asked if id in open_ids)

    def find(self, kind: str, value: str) -> tuple[str, ...]:
        """Ids that have this key, as ``Store.find``; ``get_many`` leaves out what may not be seen."""
        return self._store.find(kind, value)

    def latest(self, limit: int, types: Sequence[str] = ()) -> tuple[Record, ...]:
        """What came in last, of what may be seen."""
        found = self._store.latest(limit, types, seen_with(self._rights))
        return tuple(map(self._shown, found))

    def original(self, sha256: str) -> Path:
        """Where a file is; its digest comes from a record that was read here. Raises NotFound."""
        return self._store.originals.path(sha256)


class Fund:
    """The parts that serve a reader, with the rights of one."""

    def __init__(self, parts: Parts, rights: frozenset[Right] = EVERYTHING) -> None:
        self._parts = parts
        self.rights = rights
        self.store = Shelves(parts.store, rights, parts.mirrors, parts.config.centre)

    @property
    def config(self) -> Config:
        """The settings."""
        return self._parts.config

    @property
    def engine(self) -> Engine:
        """The search, through what may be found."""
        seen = seen_with(self.rights)
        return (
            self._parts.engine if set(seen) == set(records.ACCESS) else Restricted(self._parts.engine, seen)
        )

    @property
    def works(self) -> Works:
        """Which records of several centres tell of one work."""
        return self._parts.works

    @property
    def ours(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The filter that leaves what our centre holds; none while it knows no other."""
        return (("centre", (self.config.centre,)),) if self.works.wanted() else ()

    def contact(self, centre: str) -> str:
        """Where another centre is asked for documents; "" when it does not say."""
        try:
            return self._parts.centres.get(centre).contact
        except NotFound:
            return ""

    @property
    def thesaurus(self) -> Thesaurus:
        """The vocabulary in force."""
        return self._parts.thesaurus

    @property
    def labels(self) -> Labels:
        """Words for facet codes."""
        return self._parts.labels

    @property
    def pictures(self) -> PagePictures:
        """Images of pages."""
        return self._parts.pictures
