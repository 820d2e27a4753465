"""One database for all that is kept: connecting, transactions, counters, locking.

Hides how SQLite is made safe (WAL, synchronous FULL, writes begin IMMEDIATE so that they wait their turn
instead of failing half-way) and what a refusing disk looks like. Nothing here is SQLite's own but the
pragmas. Only modules of ``kb`` that own tables come here.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError, OperationalError

from kb import migrations
from kb.errors import StorageError
from kb.tables import counters

log = structlog.get_logger()

BUSY_SECONDS = 30.0
"""How long a write waits for another one before giving up."""


POOL = 32
"""Connections that are kept, and as many again when needed: each request that is held may need one. What is
sent to the database is hidden from errors, since they go to the log."""


class Database:
    """Connections and transactions; one object serves all threads of a process."""

    def __init__(self, url: str) -> None:
        self.engine = _connect(url)
        self._local = threading.local()
        migrations.upgrade(self.engine)

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything written inside is kept together or not at all. Nests: the outermost one commits."""
        if getattr(self._local, "connection", None) is not None:
            yield
            return
        with self._begin() as connection:
            self._local.connection, self._local.endings = connection, {}
            try:
                yield
                for act in self._local.endings.values():
                    act(connection)
            finally:
                self._local.connection = None

    def at_commit(self, name: str, act: Callable[[sa.Connection], None]) -> None:
        """Have something done as the last thing of the transaction that is open; of several under one name,
        the first one is."""
        self._local.endings.setdefault(name, act)

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with self.engine.connect().execution_options(writes=True) as connection:
            _patiently(connection.begin)
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection inside a transaction: the open one of this thread, or one of its own."""
        with self.transaction():
            yield self._local.connection

    def once(self, name: str) -> bool:
        """Whether this is the first time that somebody asks so; in the transaction that does it."""
        with self.writing() as connection:
            return next_value(connection, name) == 1

    def best_effort(self, statement: sa.Executable) -> None:
        """Write something that may as well not be written: when somebody else writes, or nothing can be, it
        is left. A page that is only read must not wait for it."""
        with self.engine.connect().execution_options(writes=True, impatient=True) as connection:
            try:
                with connection.begin():
                    connection.execute(statement)
            except (OperationalError, StorageError) as error:
                log.info("database.left", why=type(error).__name__)
            finally:
                if self.engine.dialect.name == "sqlite":
                    _set_patience(connection.connection.driver_connection, BUSY_SECONDS)

    def settle(self) -> None:
        """Write what was committed to its place and empty the journal: what was deleted is then in neither.
        Best effort: who reads meanwhile keeps their part of the journal."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """The open transaction if this thread has one, so that it sees what it has just written."""
        if (connection := getattr(self._local, "connection", None)) is not None:
            yield connection
        else:
            with self.engine.connect() as connection:
                yield connection


def next_value(connection: sa.Connection, name: str) -> int:
    """The next value of a counter. Its row stays locked to the end of the transaction, so that lines of a
    feed become visible in their order on every database."""
    query = counters.update().where(counters.c.name == name).values(value=counters.c.value + 1)
    value = connection.scalar(query.returning(counters.c.value))
    if value is None:
        with suppress(IntegrityError), connection.begin_nested():  # another process may be as quick
            connection.execute(counters.insert().values(name=name, value=0))
        value = connection.scalar(query.returning(counters.c.value))
    return int(value or 0)


def _connect(url: str) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=POOL, max_overflow=POOL, hide_parameters=True)
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
    _set_patience(connection, BUSY_SECONDS)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        _patiently(partial(connection.execute, f"PRAGMA {pragma}"))


def _patiently(act: Callable[[], object]) -> None:
    """Do it, trying again while another process holds the database: the change to WAL of a new one and the
    recovery of WAL answer "locked" at once, whatever the busy timeout."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            act()
            return
        except (OperationalError, sqlite3.OperationalError) as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _set_patience(connection: Any, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if options.get("impatient"):
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    writes = options.get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
