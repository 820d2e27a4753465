"""The only truth: records, their pages, what changed, and the vocabulary.

Hides SQLAlchemy, the tables and the locking from everybody else. SQLite by default (WAL, synchronous
FULL, writes begin IMMEDIATE so that they wait their turn instead of failing half-way); nothing here is
SQLite's own but the pragmas.

The *change feed* has one line a record, the last thing that happened to it, in the order in which
things happened. The index and the network read it; a deleted record keeps its line for ever.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from kb import migrations, records
from kb.config import Config
from kb.errors import NotFound, StorageError
from kb.french import fold
from kb.originals import Originals
from kb.records import Page, Record
from kb.tables import changes, counters, keys, pages, thesauri
from kb.tables import records as rows
from kb.thesaurus import Thesaurus

BUSY_SECONDS = 30.0
"""How long a write waits for another one before giving up."""

_IN_BATCH = 500  # values in one IN (...): below every database's limit of bound parameters


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the change feed. ``seq`` grows; ``at`` is UTC."""

    seq: int
    id: str
    deleted: bool
    at: datetime


class Store:
    """Records and all that hangs on them. One object serves all threads of a process."""

    def __init__(self, url: str, folder: Path) -> None:
        self._engine = _connect(url)
        self._local = threading.local()
        self._thesaurus: tuple[int, Thesaurus] | None = None
        self.originals = Originals(folder / "originals")
        migrations.upgrade(self._engine)

    @classmethod
    def open(cls, config: Config) -> Store:
        """The store of a data folder, made or brought to the present schema if need be.

        Raises StorageError, as all that writes, when the folder or its disk refuses.
        """
        try:
            config.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(str(error)) from error
        return cls(config.database, config.data)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # -- transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything saved inside is kept together or not at all. Nests: the outermost one commits."""
        if getattr(self._local, "connection", None) is not None:
            yield
            return
        with self._begin() as connection:
            self._local.connection = connection
            try:
                yield
            finally:
                self._local.connection = None

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with self._engine.connect().execution_options(writes=True) as connection:
            _begin_patiently(connection)
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self.transaction():
            yield self._local.connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """The open transaction if this thread has one, so that it sees what it has just written."""
        if (connection := getattr(self._local, "connection", None)) is not None:
            yield connection
        else:
            with self._engine.connect() as connection:
                yield connection

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
        with self._reading() as connection:
            for batch in _batches(ids):
                query = sa.select(rows.c.id, rows.c.body).where(rows.c.id.in_(batch))
                found |= {
                    row.id: records.from_json(json.loads(row.body)) for row in connection.execute(query)
                }
        return {id: found[id] for id in ids if id in found}

    def pages(self, id: str) -> tuple[Page, ...]:
        """All pages of a record, in order; () if it has none or does not exist."""
        query = sa.select(pages).where(pages.c.record == id).order_by(pages.c.number)
        with self._reading() as connection:
            return tuple(_page(row) for row in connection.execute(query))

    def page(self, id: str, number: int) -> Page:
        """One page. Raises NotFound."""
        query = sa.select(pages).where(pages.c.record == id, pages.c.number == number)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound("page", f"{id} {number}")
        return _page(row)

    def some_pages(self, id: str, numbers: Iterable[int]) -> tuple[Page, ...]:
        """Those of a record's pages that have these numbers, in order."""
        query = sa.select(pages).where(pages.c.record == id, pages.c.number.in_(list(numbers)))
        with self._reading() as connection:
            return tuple(_page(row) for row in connection.execute(query.order_by(pages.c.number)))

    def last_page(self, id: str) -> int:
        """Number of the record's last page; 0 when it has none."""
        query = sa.select(sa.func.max(pages.c.number)).where(pages.c.record == id)
        with self._reading() as connection:
            return connection.scalar(query) or 0

    def page_texts(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        """Texts of some pages, by (record id, page number); what does not exist is left out."""
        numbers: dict[str, list[int]] = {}
        for id, number in wanted:
            numbers.setdefault(id, []).append(number)
        one = [sa.and_(pages.c.record == id, pages.c.number.in_(some)) for id, some in numbers.items()]
        found: dict[tuple[str, int], str] = {}
        with self._reading() as connection:
            for batch in _batches(one, 50):
                query = sa.select(pages.c.record, pages.c.number, pages.c.text).where(sa.or_(*batch))
                found |= {(row.record, row.number): row.text for row in connection.execute(query)}
        return found

    def find(self, kind: str, value: str) -> tuple[str, ...]:
        """Ids of the records that have this key. Kinds: sha256, source, host, title (folded), call_number,
        and those of ``Record.identifiers`` (isbn, issn, doi...)."""
        query = sa.select(keys.c.record).where(keys.c.kind == kind, keys.c.value == _key(kind, value))
        with self._reading() as connection:
            return tuple(connection.scalars(query.order_by(keys.c.record)))

    def latest(self, limit: int, types: Sequence[str] = ()) -> tuple[Record, ...]:
        """The records that came in last, newest first, parts of others left out."""
        query = (
            sa.select(rows.c.body).where(rows.c.host.is_(None)).order_by(rows.c.number.desc()).limit(limit)
        )
        if types:
            query = query.where(rows.c.type.in_(types))
        with self._reading() as connection:
            return tuple(records.from_json(json.loads(body)) for body in connection.scalars(query))

    def ids(self) -> Iterator[str]:
        """Ids of all records, in order; memory stays flat."""
        last = ""
        while True:
            query = sa.select(rows.c.id).where(rows.c.id > last).order_by(rows.c.id).limit(1000)
            with self._reading() as connection:
                batch = list(connection.scalars(query))
            if not batch:
                return
            yield from batch
            last = batch[-1]

    def __len__(self) -> int:
        with self._reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(rows)) or 0

    # -- writing

    def new_id(self, centre: str) -> str:
        """An id never given before. Given back only if the transaction fails."""
        with self._writing() as connection:
            return f"{centre}:{_next(connection, 'number:' + centre)}"

    def save(self, record: Record, pages: Sequence[Page] | None = None) -> bool:
        """Keep the record, its pages and a line in the feed, together; False when nothing changed.

        ``pages`` None leaves the pages as they are, () removes them. Raises InvalidRecord.
        """
        records.validate(record)
        with self._writing() as connection:
            held = connection.execute(
                sa.select(rows.c.fingerprint, rows.c.body).where(rows.c.id == record.id)
            ).first()
            kept = self.pages(record.id) if pages is None else tuple(pages)
            fingerprint = records.fingerprint(record, kept)
            if held is not None and held.fingerprint == fingerprint:
                return False
            now = datetime.now(UTC)
            created = now if held is None else records.from_json(json.loads(held.body)).created
            dated = dataclasses.replace(record, created=created, updated=now)
            _write_record(connection, dated, fingerprint, replaces=held is not None)
            if pages is not None:
                _write_pages(connection, record.id, pages)
            _note_change(connection, record.id, now, deleted=False)
        return True

    def delete(self, id: str) -> None:
        """Remove the record and its pages; the feed keeps a line that says so. Raises NotFound.

        Its originals stay: another record may have them, and nothing is lost by mistake.
        """
        with self._writing() as connection:
            for table in (pages, keys):
                connection.execute(table.delete().where(table.c.record == id))
            if not connection.execute(rows.delete().where(rows.c.id == id)).rowcount:
                raise NotFound("record", id)
            _note_change(connection, id, datetime.now(UTC), deleted=True)

    # -- change feed

    def changes(self, since: int, limit: int = 1000) -> list[Change]:
        """The next lines of the feed after ``since``, oldest first: each record once, its last change."""
        query = sa.select(changes).where(changes.c.seq > since).order_by(changes.c.seq).limit(limit)
        with self._reading() as connection:
            return [
                Change(row.seq, row.record, row.deleted, datetime.fromisoformat(row.at))
                for row in connection.execute(query)
            ]

    def position(self) -> int:
        """The last line of the feed; 0 when nothing ever happened."""
        with self._reading() as connection:
            return connection.scalar(sa.select(sa.func.max(changes.c.seq))) or 0

    # -- vocabulary

    def thesaurus(self) -> Thesaurus:
        """The vocabulary in force; an empty one if none was imported. Read again only when it changed."""
        with self._reading() as connection:
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
        with self._writing() as connection:
            version, now = _next(connection, "thesaurus"), datetime.now(UTC)
            body = thesaurus.to_json()
            connection.execute(thesauri.insert().values(version=version, body=body, at=now.isoformat()))
            for id in self.ids():
                _note_change(connection, id, now, deleted=False)
        return True


def _connect(url: str) -> sa.Engine:
    engine = sa.create_engine(url)
    sa.event.listen(engine, "handle_error", _blame_disk)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


_REFUSALS = (
    *("disk is full", "readonly database", "unable to open database", "disk i/o error"),
    *("no space left", "disk full", "read-only transaction"),
)
"""What SQLite, then PostgreSQL, say when their files cannot be written; a full disk may come out as an I/O
error, when it is the shared memory beside the database that cannot grow."""


def _blame_disk(context: sa.engine.ExceptionContext) -> None:
    """Says what the disk refuses in our words, wherever it happens: connecting, writing, committing."""
    said = str(context.original_exception)
    if any(refusal in said.lower() for refusal in _REFUSALS):
        raise StorageError(said) from context.original_exception


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver leaves BEGIN to us
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={int(BUSY_SECONDS * 1000)}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_patiently(connection: sa.Connection) -> None:
    """Begin, trying again while another writer holds the database: WAL recovery answers "locked" at once,
    whatever the busy timeout."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.begin()
            return
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _next(connection: sa.Connection, name: str) -> int:
    """The next value of a counter. Its row stays locked to the end of the transaction, so that lines of
    the feed become visible in their order on every database."""
    query = counters.update().where(counters.c.name == name).values(value=counters.c.value + 1)
    value = connection.scalar(query.returning(counters.c.value))
    if value is None:
        with suppress(IntegrityError), connection.begin_nested():  # another process may be as quick
            connection.execute(counters.insert().values(name=name, value=0))
        value = connection.scalar(query.returning(counters.c.value))
    return int(value or 0)


def _write_record(connection: sa.Connection, record: Record, fingerprint: str, *, replaces: bool) -> None:
    values = {
        "centre": record.centre,
        "number": int(record.id.partition(":")[2]),
        "type": record.type,
        "title": record.title,
        "host": record.host,
        "fingerprint": fingerprint,
        "updated": record.updated.isoformat() if record.updated else None,
        "body": json.dumps(records.to_json(record), ensure_ascii=False),
    }
    if replaces:
        connection.execute(rows.update().where(rows.c.id == record.id).values(values))
        connection.execute(keys.delete().where(keys.c.record == record.id))
    else:
        connection.execute(rows.insert().values(id=record.id, **values))
    if found := sorted(_keys_of(record)):
        connection.execute(keys.insert(), [{"kind": k, "value": v, "record": record.id} for k, v in found])


def _keys_of(record: Record) -> set[tuple[str, str]]:
    found = {("title", record.title), *record.identifiers.items()}
    found |= {("sha256", file.sha256) for file in record.files}
    found |= {("call_number", copy.call_number) for copy in record.copies if copy.call_number}
    for kind, value in (
        ("source", record.source),
        ("host", record.host),
        ("call_number", record.call_number),
    ):
        if value:
            found.add((kind, value))
    return {(kind, _key(kind, value)) for kind, value in found}


def _key(kind: str, value: str) -> str:
    return fold(value)[:500] if kind in ("title", "call_number") else value


def _write_pages(connection: sa.Connection, id: str, some: Sequence[Page]) -> None:
    connection.execute(pages.delete().where(pages.c.record == id))
    if some:
        connection.execute(
            pages.insert(),
            [
                {"record": id, "number": p.number, "label": p.label, "grade": p.grade, "text": p.text}
                for p in some
            ],
        )


def _note_change(connection: sa.Connection, id: str, at: datetime, *, deleted: bool) -> None:
    connection.execute(changes.delete().where(changes.c.record == id))
    seq = _next(connection, "feed")
    connection.execute(changes.insert().values(seq=seq, record=id, deleted=deleted, at=at.isoformat()))


def _page(row: Any) -> Page:
    return Page(row.number, row.text, row.label, row.grade)


def _batches(values: Sequence[Any], size: int = _IN_BATCH) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
