"""The only truth: records, their pages, what changed, and the vocabulary.

Hides SQLAlchemy and the tables of the fund from everybody else. Each change of a record leaves a line in the
audit trail too, in the same transaction.

A record of another centre is *mirrored*: kept as its owner says it, with the subjects that we put on it
beside, and changed by nothing but what comes from there (``kb.mirrors``).
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kb import records, versions
from kb.audit import Action, Trail, difference
from kb.config import Config
from kb.connection import Database, next_value
from kb.errors import Mirrored, NotFound, StorageError
from kb.feed import Change, Feed
from kb.originals import Originals
from kb.record_rows import SHOWN, key_of, of_ours, page_of, record_of, write_pages, write_record
from kb.records import Page, Quality, Record
from kb.tables import changes, doubts, keys, pages, redirects, reviews, sketches, thesauri
from kb.tables import records as rows
from kb.thesaurus import Thesaurus

_IN_BATCH = 500  # values in one IN (...): below every database's limit of bound parameters


class Store:
    """Records and all that hangs on them. One object serves all threads of a process."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = Database(url)
        self.trail = Trail(self.database)
        self._thesaurus: tuple[int, Thesaurus] | None = None
        self.feed = Feed(self.database)
        self.folder = folder
        self.originals = Originals(folder / "originals")

    @classmethod
    def open(cls, config: Config) -> Store:
        """The store of a data folder, made or brought to the present schema if need be.

        Raises StorageError, as all that writes, when the folder or its disk refuses.
        """
        try:
            config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(str(error)) from error
        store = cls(config.database, config.data)
        store.feed.place_former(store._all(), store.thesaurus)
        return store

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Everything saved inside is kept together or not at all. Nests: the outermost one commits."""
        return self.database.transaction()

    # -- reading

    def get(self, id: str) -> Record:
        """The record. Raises NotFound."""
        found = self.get_many([id])
        if id not in found:
            raise NotFound("record", id)
        return found[id]

    def get_many(self, ids: Sequence[str]) -> dict[str, Record]:
        """The records that exist, by id, in the order asked for."""
        found: dict[str, Record] = {}
        with self.database.reading() as connection:
            for batch in _batches(ids):
                query = sa.select(rows.c.id, rows.c.body, rows.c.local).where(rows.c.id.in_(batch))
                found |= {row.id: record_of(row) for row in connection.execute(query)}
        return {id: found[id] for id in ids if id in found}

    def as_received(self, ids: Sequence[str]) -> dict[str, Record]:
        """Records as their owners say them, without the subjects that we put on those of others, by id."""
        found: dict[str, Record] = {}
        with self.database.reading() as connection:
            for batch in _batches(ids):
                query = sa.select(rows.c.id, rows.c.body).where(rows.c.id.in_(batch))
                found |= {
                    row.id: records.from_json(json.loads(row.body)) for row in connection.execute(query)
                }
        return {id: found[id] for id in ids if id in found}

    def pages(self, id: str, *, raw: bool = True) -> tuple[Page, ...]:
        """All pages of a record, in order; () if it has none or does not exist. Their raw text takes as much
        again: who only shows them does without."""
        columns = pages.c if raw else SHOWN
        query = sa.select(*columns).where(pages.c.record == id).order_by(pages.c.number)
        with self.database.reading() as connection:
            return tuple(page_of(row) for row in connection.execute(query))

    def page(self, id: str, number: int) -> Page:
        """One page. Raises NotFound."""
        query = sa.select(*pages.c).where(pages.c.record == id, pages.c.number == number)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound("page", f"{id} {number}")
        return page_of(row)

    def some_pages(self, id: str, numbers: Iterable[int]) -> tuple[Page, ...]:
        """Those of a record's pages that have these numbers, in order."""
        query = sa.select(*pages.c).where(pages.c.record == id, pages.c.number.in_(list(numbers)))
        with self.database.reading() as connection:
            return tuple(page_of(row) for row in connection.execute(query.order_by(pages.c.number)))

    def last_page(self, id: str) -> int:
        """Number of the record's last page; 0 when it has none."""
        query = sa.select(sa.func.max(pages.c.number)).where(pages.c.record == id)
        with self.database.reading() as connection:
            return connection.scalar(query) or 0

    def page_texts(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Texts of some pages, by (record id, page number); what does not exist is left out."""
        numbers: dict[str, list[int]] = {}
        for id, number in wanted:
            numbers.setdefault(id, []).append(number)
        one = [sa.and_(pages.c.record == id, pages.c.number.in_(some)) for id, some in numbers.items()]
        found: dict[tuple[str, int], str] = {}
        with self.database.reading() as connection:
            for batch in _batches(one, 50):
                query = sa.select(pages.c.record, pages.c.number, pages.c.text).where(sa.or_(*batch))
                found |= {(row.record, row.number): row.text for row in connection.execute(query)}
        return found

    def find(self, kind: str, value: str) -> tuple[str, ...]:
        """Ids of the records that have this key. Kinds: sha256, source, host, title (folded), call_number,
        those of ``Record.identifiers`` (isbn, issn, doi...), and keyword (folded) of other centres'
        records."""
        query = sa.select(keys.c.record).where(keys.c.kind == kind, keys.c.value == key_of(kind, value))
        with self.database.reading() as connection:
            return tuple(connection.scalars(query.order_by(keys.c.record)))

    def latest(
        self, limit: int, types: Sequence[str] = (), access: Sequence[str] = records.ACCESS
    ) -> tuple[Record, ...]:
        """Our own records of these kinds of access that came in last, newest first, parts of others left
        out."""
        ours = (rows.c.host.is_(None), rows.c.source.is_(None), rows.c.access.in_(access))
        query = sa.select(rows.c.body).where(*ours).order_by(rows.c.number.desc()).limit(limit)
        if types:
            query = query.where(rows.c.type.in_(types))
        with self.database.reading() as connection:
            return tuple(records.from_json(json.loads(body)) for body in connection.scalars(query))

    def fingerprint(self, id: str) -> str:
        """What the record and its pages were when they were saved, as one number; "" for no record."""
        with self.database.reading() as connection:
            return connection.scalar(sa.select(rows.c.fingerprint).where(rows.c.id == id)) or ""

    def keys(self, id: str) -> set[tuple[str, str]]:
        """By what else than its id a record is found, as (kind, value)."""
        query = sa.select(keys.c.kind, keys.c.value).where(keys.c.record == id)
        with self.database.reading() as connection:
            return {(row.kind, row.value) for row in connection.execute(query)}

    def good_texts(self, limit: int) -> tuple[str, ...]:
        """Texts of some pages that were read well, of records all over the fund, those of others included."""
        query = sa.select(pages.c.text).where(pages.c.quality == Quality.GOOD).limit(limit)
        with self.database.reading() as connection:
            return tuple(connection.scalars(query.order_by(pages.c.number, pages.c.record)))

    def worst_pages(
        self, qualities: Sequence[Quality], limit: int, offset: int = 0
    ) -> tuple[tuple[str, Page], ...]:
        """Pages of our own that were read no better than that, with the ids of their records, worst first."""
        if not qualities:
            return ()
        # Sorted without their texts, and no more of each quality than the answer may take: an index has them.
        order = (pages.c.grade, pages.c.record, pages.c.number)
        each = (
            sa.select(*order).where(pages.c.quality == quality, of_ours()).order_by(*order)
            for quality in qualities
        )
        some = sa.union_all(*(sa.select(one.limit(limit + offset).subquery()) for one in each)).subquery()
        wanted = sa.select(some).order_by(*some.c).limit(limit).offset(offset).subquery()
        ours = sa.and_(pages.c.record == wanted.c.record, pages.c.number == wanted.c.number)
        query = sa.select(pages).join(wanted, ours).order_by(*order)
        with self.database.reading() as connection:
            return tuple((row.record, page_of(row)) for row in connection.execute(query))

    def save_page(self, id: str, page: Page) -> bool:
        """Keep another text of one page; False when it is the same. Raises NotFound."""
        with self.database.transaction():
            self.page(id, page.number)
            held = self.pages(id)
            return self.save(self.get(id), [page if p.number == page.number else p for p in held])

    def page_qualities(self) -> dict[Quality, int]:
        """How many pages of our own were read how well."""
        query = sa.select(pages.c.quality, sa.func.count()).where(of_ours()).group_by(pages.c.quality)
        with self.database.reading() as connection:
            return {Quality(quality): count for quality, count in connection.execute(query)}

    def was_deleted(self, id: str) -> bool:
        """Whether there was such a record once, and it was deleted or merged into another one."""
        query = sa.select(changes.c.deleted).where(changes.c.record == id)
        with self.database.reading() as connection:
            return bool(connection.scalar(query))

    def ids(self, *, ours: bool = False) -> Iterator[str]:
        """Ids of all records, or of our own ones, in order; memory stays flat."""
        last = ""
        while True:
            query = sa.select(rows.c.id).where(rows.c.id > last).order_by(rows.c.id).limit(1000)
            if ours:
                query = query.where(rows.c.source.is_(None))
            with self.database.reading() as connection:
                batch = list(connection.scalars(query))
            if not batch:
                return
            yield from batch
            last = batch[-1]

    def _all(self) -> Iterator[Record]:
        rest = self.ids()
        while batch := list(itertools.islice(rest, _IN_BATCH)):
            yield from self.get_many(batch).values()

    def batch(self, after: str, limit: int, access: Sequence[str] = records.ACCESS) -> tuple[Record, ...]:
        """Our own records of these kinds of access whose ids come after that one, in the order of ids."""
        wanted = (rows.c.id > after, rows.c.source.is_(None), rows.c.access.in_(access))
        query = (
            sa.select(rows.c.id, rows.c.body, rows.c.local).where(*wanted).order_by(rows.c.id).limit(limit)
        )
        with self.database.reading() as connection:
            return tuple(map(record_of, connection.execute(query)))

    def is_mirrored(self, id: str) -> bool:
        """Whether the record is another centre's, which only that centre changes."""
        query = sa.select(rows.c.id).where(rows.c.id == id, rows.c.source.is_not(None))
        with self.database.reading() as connection:
            return connection.scalar(query) is not None

    def counts(self) -> dict[str, int]:
        """How many records each centre has here, by its code."""
        query = sa.select(rows.c.centre, sa.func.count()).group_by(rows.c.centre)
        with self.database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def __len__(self) -> int:
        with self.database.reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(rows)) or 0

    # -- writing

    def new_id(self, centre: str) -> str:
        """An id never given before. Given back only if the transaction fails."""
        with self.database.writing() as connection:
            return f"{centre}:{next_value(connection, 'number:' + centre)}"

    def save(self, record: Record, pages: Sequence[Page] | None = None) -> bool:
        """Keep the record, its pages and a line in the feed, together; False when nothing changed.

        ``pages`` None leaves the pages as they are, () removes them. Raises InvalidRecord, and Mirrored for a
        record that is another centre's.
        """
        records.validate(record)
        with self.database.writing() as connection:
            held = connection.execute(
                sa.select(rows.c.fingerprint, rows.c.body, rows.c.source).where(rows.c.id == record.id)
            ).first()
            if held is not None and held.source is not None:
                raise Mirrored(record.id)
            kept = self.pages(record.id) if pages is None else tuple(pages)
            fingerprint = records.fingerprint(record, kept)
            if held is not None and held.fingerprint == fingerprint:
                return False
            now = datetime.now(UTC)
            created = now if held is None else records.from_json(json.loads(held.body)).created
            if held is not None:
                versions.keep(connection, records.from_json(json.loads(held.body)))
            dated = dataclasses.replace(record, created=created, updated=now)
            write_record(connection, dated, fingerprint, replaces=held is not None)
            before = None if held is None else _traced(json.loads(held.body), self.pages(record.id))
            if pages is not None:
                write_pages(connection, record.id, pages)
            self.feed.note(record, self.thesaurus())
            after = _traced(records.to_json(record), kept)
            action = Action.RECORD_CREATED if held is None else Action.RECORD_CHANGED
            self.trail.note(action, f"notice:{record.id}", *difference(before, after))
        return True

    def delete(self, id: str) -> None:
        """Remove the record and its pages; the feed keeps a line that says so. Raises NotFound, Mirrored.

        Its originals stay: another record may have them, and nothing is lost by mistake.
        """
        with self.database.writing() as connection:
            held = connection.execute(sa.select(rows.c.body, rows.c.source).where(rows.c.id == id)).first()
            if held is None:
                raise NotFound("record", id)
            if held.source is not None:
                raise Mirrored(id)
            before = _traced(json.loads(held.body), self.pages(id))
            versions.keep(connection, records.from_json(json.loads(held.body)))
            self.remove(id)
            self.trail.note(Action.RECORD_DELETED, f"notice:{id}", before)

    def remove(self, id: str) -> None:
        """Take a record away with all that hangs on it, whosever it is: ``delete`` and ``kb.mirrors`` do."""
        with self.database.writing() as connection:
            for table in (pages, keys, reviews, sketches):
                connection.execute(table.delete().where(table.c.record == id))
            pair = sa.or_(doubts.c.record == id, doubts.c.other == id)
            connection.execute(doubts.delete().where(pair))
            connection.execute(redirects.delete().where(redirects.c.new == id))
            connection.execute(rows.delete().where(rows.c.id == id))
            self.feed.note_deleted(id)

    # -- change feed

    def changes(self, since: int, limit: int = 1000) -> list[Change]:
        """The next lines of the feed after ``since``, oldest first: each record once, its last change."""
        return self.feed.changes(since, limit)

    def position(self) -> int:
        """The last line of the feed; 0 when nothing ever happened."""
        return self.feed.position()

    # -- vocabulary

    def thesaurus(self) -> Thesaurus:
        """The vocabulary in force; an empty one if none was imported. Read again only when it changed."""
        with self.database.reading() as connection:
            version = connection.scalar(sa.select(sa.func.max(thesauri.c.version))) or 0
            if self._thesaurus is None or self._thesaurus[0] != version:
                body = connection.scalar(sa.select(thesauri.c.body).where(thesauri.c.version == version))
                self._thesaurus = (version, Thesaurus.from_json(body) if body else Thesaurus(()))
        return self._thesaurus[1]

    def save_thesaurus(self, thesaurus: Thesaurus) -> bool:
        """Put a vocabulary in force; False when it is the present one. Former versions are kept.

        Every record gets a new line in the feed, since its tags may read otherwise now.
        """
        if thesaurus == self.thesaurus():
            return False
        with self.database.writing() as connection:
            version, now = next_value(connection, "thesaurus"), datetime.now(UTC)
            body = thesaurus.to_json()
            connection.execute(thesauri.insert().values(version=version, body=body, at=now.isoformat()))
            for record in self._all():
                self.feed.note(record, thesaurus)
            self.trail.note(
                Action.THESAURUS_CHANGED, f"thesaurus:{version}", None, {"concepts": len(thesaurus)}
            )
        return True


def _traced(raw: dict[str, Any], pages: Sequence[Page]) -> dict[str, Any]:
    """A record as the audit trail keeps it: subjects without their evidence, pages as their number and a
    digest of their text; times left out."""
    told = {key: value for key, value in raw.items() if key not in ("created", "updated")}
    if subjects := told.get("subjects"):
        told["subjects"] = [f"{s['concept']} {s['origin']} {s['state']}" for s in subjects]
    if told.get("type") == "question":  # its words are somebody's, and no line can be taken out again
        for name in ("title", "abstract"):
            if told.get(name):
                told[name] = "sha256:" + hashlib.sha256(told[name].encode()).hexdigest()[:16]
    if pages:
        digest = hashlib.sha256("\f".join(page.text for page in pages).encode()).hexdigest()
        told["pages"] = f"{len(pages)} sha256:{digest[:16]}"
    return json.loads(json.dumps(told))  # type: ignore[no-any-return]  # tuples become lists, as in what is held


def _batches(values: Sequence[Any], size: int = _IN_BATCH) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
