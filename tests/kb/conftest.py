"""One database a test, of the present schema, and what stands on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from kb import passwords, tables
from kb.accounts import People
from kb.audit import Trail
from kb.connection import Database
from kb.credentials import Credentials
from kb.limits import Limits
from kb.secret import Keyring


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the present schema, to be copied: migrating each time would cost more than most tests."""
    path = tmp_path_factory.mktemp("empty") / "kb.sqlite"
    Database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(empty_database, tmp_path / "kb.sqlite")
    opened = Database(f"sqlite:///{tmp_path / 'kb.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def trail(database: Database) -> Trail:
    return Trail(database)


@pytest.fixture
def people(database: Database, trail: Trail) -> People:
    return People(database, trail)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path)


@pytest.fixture
def limits(database: Database, keyring: Keyring) -> Limits:
    return Limits(database, keyring)


@pytest.fixture
def credentials(
    database: Database, trail: Trail, people: People, limits: Limits, keyring: Keyring
) -> Credentials:
    return Credentials(database, trail, people, limits, keyring)


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """argon2id as ever, but with parameters that cost next to nothing."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords._nobody.cache_clear()
    monkeypatch.setattr(passwords, "_hasher", quick)
    yield
    passwords._nobody.cache_clear()


@pytest.fixture
def stored(database: Database) -> Callable[[], str]:
    """Everything that stands in the tables, as one text."""

    def read() -> str:
        with database.reading() as connection:
            rows = [
                row for table in tables.metadata.tables.values() for row in connection.execute(table.select())
            ]
        return "\n".join(str(value) for row in rows for value in row)

    return read


@pytest.fixture
def on_disk(tmp_path: Path) -> Callable[[], bytes]:
    """The bytes of the database's files, what was deleted and not yet overwritten included."""
    return lambda: b"".join(path.read_bytes() for path in sorted(tmp_path.glob("kb.sqlite*")))


@pytest.fixture
def later(database: Database) -> Callable[[float], None]:
    """Lets so many seconds pass for the tries that were counted."""

    def pass_by(seconds: float) -> None:
        with database.writing() as connection:
            connection.execute(sa.update(tables.attempts).values(at=tables.attempts.c.at - seconds))

    return pass_by
