"""Records of other centres, kept here as their owners say them.

Hides how a record that comes in gets its id, which of two ways it may come by counts, and where it came from.
An id stays that of its owner ("labo-cites:12"); a record whose owner gives no such id gets one here, always
the same. A centre is believed about its own records; about those of a third one only while that one is not
heard directly. Records of our own that come back from others are left alone: here, we are the owner.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb import records
from kb.database import Store
from kb.errors import Mirrored
from kb.network_tables import origins
from kb.record_rows import Mirror, with_local, write_pages, write_record
from kb.records import Subject
from kb.sharing import Shared
from kb.tables import records as rows

ENVELOPE = 0
"""The source of what came in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a record came from. ``centre`` is who gave it, which need not be its owner; ``identifier`` and
    ``datestamp`` are as they were said there, ``url`` where it is read there, "" when it was not said."""

    centre: str
    source: int
    identifier: str
    datestamp: str
    url: str = ""


class Taken(StrEnum):
    """What became of a record that came."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    DELETED = "deleted"
    OURS = "ours"  # a record of our own that came back: left alone
    OLDER = "older"  # its owner, or a later word of it, was heard already
    FOREIGN = "foreign"  # of a third centre, which this one may not speak for


class Mirrors:
    """The records of others in one store; ``centre`` is our own code."""

    def __init__(self, store: Store, centre: str) -> None:
        self._store = store
        self._centre = centre

    def id_of(self, source: int, identifier: str, centre: str = "") -> str | None:
        """The id under which a record of that source is kept, or was; else that of another source of the same
        centre: one that was taken away and added again doubles nothing."""
        same = sa.select(origins.c.record).where(origins.c.identifier == identifier)
        with self._store.database.reading() as connection:
            found = connection.scalar(same.where(origins.c.source == source))
            return found or connection.scalar(same.where(origins.c.centre == centre))

    def origins(self, ids: Sequence[str]) -> dict[str, Origin]:
        """Where these records came from; our own ones are left out."""
        query = sa.select(origins).where(origins.c.record.in_(list(ids)), ~origins.c.deleted)
        with self._store.database.reading() as connection:
            return {row.record: _origin(row) for row in connection.execute(query)}

    def refused(self, id: str, origin: Origin, *, relayed: bool = False) -> Taken | None:
        """Why a record from there would be left alone as things are, or None: spares the work on it."""
        return self._refused(id, origin, relayed)

    def keep(
        self, shared: Shared, origin: Origin, *, local: Sequence[Subject] = (), relayed: bool = False
    ) -> Taken:
        """Keep a record as it came, with our own subjects beside it, in the transaction that is open if there
        is one. ``relayed``: the one who gives it may speak for others. Raises InvalidRecord."""
        record = records.validate(shared.record)
        with self._store.transaction():
            if (refused := self._refused(record.id, origin, relayed)) is not None:
                return refused
            taken = self._write(shared, origin, local)
            self._note_origin(record.id, origin, deleted=False)
        return taken

    def drop(self, id: str, origin: Origin, *, relayed: bool = False) -> Taken:
        """Its owner has the record no more."""
        with self._store.transaction():
            if (refused := self._refused(id, origin, relayed)) is not None:
                return refused
            self._note_origin(id, origin, deleted=True)
            if not self._store.is_mirrored(id):
                return Taken.SAME
            self._store.remove(id)
        return Taken.DELETED

    def retag(self, id: str, local: Sequence[Subject]) -> bool:
        """Put other subjects of ours on a record; False when they are the same or it is gone."""
        told = _told(local)
        with self._store.database.writing() as connection:
            mine = sa.and_(rows.c.id == id, rows.c.source.is_not(None))
            held = connection.execute(sa.select(rows.c.body, rows.c.local).where(mine)).first()
            if held is None or held.local == told:
                return False
            connection.execute(rows.update().where(mine).values(local=told))
            record = with_local(records.from_json(json.loads(held.body)), local)
            self._store.feed.note(record, self._store.thesaurus())
        return True

    def local(self, ids: Sequence[str]) -> dict[str, tuple[Subject, ...]]:
        """The subjects that we put on these records."""
        query = sa.select(rows.c.id, rows.c.local).where(rows.c.id.in_(list(ids)), rows.c.local.is_not(None))
        with self._store.database.reading() as connection:
            return {
                row.id: tuple(map(records.subject_from_json, json.loads(row.local)))
                for row in connection.execute(query)
            }

    def of(self, centre: str, after: str = "", limit: int = 500) -> tuple[str, ...]:
        """Ids of the records that came from a centre, in order."""
        wanted = (origins.c.centre == centre, ~origins.c.deleted, origins.c.record > after)
        query = sa.select(origins.c.record).where(*wanted).order_by(origins.c.record).limit(limit)
        with self._store.database.reading() as connection:
            return tuple(connection.scalars(query))

    def forget(self, ids: Iterable[str]) -> int:
        """Take these records away, since their centre is no more asked; number of those that were here."""
        count = 0
        with self._store.database.writing() as connection:
            for id in ids:
                connection.execute(origins.delete().where(origins.c.record == id))
                if self._store.is_mirrored(id):
                    self._store.remove(id)
                    count += 1
        return count

    # -- inside a transaction

    def _refused(self, id: str, origin: Origin, relayed: bool) -> Taken | None:
        owner = id.partition(":")[0]
        if owner == self._centre or (self._exists(id) and not self._store.is_mirrored(id)):
            return Taken.OURS
        if owner != origin.centre and not relayed:
            return Taken.FOREIGN
        held = self._line(id)
        if held is None or (owner == origin.centre != held.centre):
            return None
        if held.centre == owner != origin.centre:
            return Taken.OLDER  # its owner is heard directly
        same_way = (held.centre, held.source) == (origin.centre, origin.source)
        # Another relay, or an envelope that was on its way while something later was heard.
        in_order = same_way and origin.source != ENVELOPE
        return Taken.OLDER if not in_order and held.datestamp > origin.datestamp else None

    def _exists(self, id: str) -> bool:
        with self._store.database.reading() as connection:
            return connection.scalar(sa.select(rows.c.id).where(rows.c.id == id)) is not None

    def _line(self, id: str) -> Any:
        with self._store.database.reading() as connection:
            return connection.execute(sa.select(origins).where(origins.c.record == id)).first()

    def _write(self, shared: Shared, origin: Origin, local: Sequence[Subject]) -> Taken:
        record, told = shared.record, _told(local)
        with self._store.database.writing() as connection:
            query = sa.select(rows.c.fingerprint, rows.c.source, rows.c.local, rows.c.body)
            held = connection.execute(query.where(rows.c.id == record.id)).first()
            if held is not None and held.source is None:
                raise Mirrored(record.id)  # pragma: no cover - ``_refused`` looked
            fingerprint = records.fingerprint(record, shared.pages)
            if held is not None and (held.fingerprint, held.local) == (fingerprint, told):
                return Taken.SAME
            now = datetime.now(UTC)
            created = now if held is None else records.from_json(json.loads(held.body)).created
            dated = dataclasses.replace(record, created=created, updated=now)
            mirror = Mirror(origin.source, told)
            write_record(connection, dated, fingerprint, replaces=held is not None, mirrored=mirror)
            if held is None or held.fingerprint != fingerprint:
                write_pages(connection, record.id, shared.pages)
            self._store.feed.note(with_local(record, local), self._store.thesaurus())
        return Taken.NEW if held is None else Taken.CHANGED

    def _note_origin(self, id: str, origin: Origin, *, deleted: bool) -> None:
        values = dataclasses.asdict(origin) | {"deleted": deleted}
        with self._store.database.writing() as connection:
            if not connection.execute(origins.update().where(origins.c.record == id).values(values)).rowcount:
                connection.execute(origins.insert().values(record=id, **values))


def _told(local: Sequence[Subject]) -> str | None:
    return json.dumps([records.subject_to_json(s) for s in local], ensure_ascii=False) if local else None


def _origin(row: Any) -> Origin:
    return Origin(
        centre=row.centre,
        source=row.source,
        identifier=row.identifier,
        datestamp=row.datestamp,
        url=row.url,
    )
