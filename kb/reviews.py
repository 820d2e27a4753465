"""Records that the machine filled in and that wait for a librarian.

Hides the table. A record waits from the moment when its file was read until somebody has looked at what was
found in it; it can be found and read meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kb.connection import Database
from kb.tables import reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A record that waits. ``found`` tells for a field where it was read; ``batch`` is its deposit."""

    record: str
    since: datetime
    batch: int | None
    found: Mapping[str, str]


class Reviews:
    """What waits, the oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, record: str, found: Mapping[str, str], batch: int | None = None) -> None:
        """Let a record wait; one that waits already keeps its place."""
        body = json.dumps(dict(found), ensure_ascii=False)
        with self._database.writing() as connection:
            known = reviews.c.record == record
            if connection.execute(reviews.update().where(known).values(found=body, batch=batch)).rowcount:
                return
            at = datetime.now(UTC).isoformat()
            values = {"record": record, "since": at, "batch": batch, "found": body}
            connection.execute(reviews.insert().values(values))

    def close(self, record: str) -> bool:
        """A librarian has looked at it; False when it did not wait."""
        with self._database.writing() as connection:
            gone = reviews.delete().where(reviews.c.record == record)
            return bool(connection.execute(gone).rowcount)

    def get(self, record: str) -> Review | None:
        """What waits for this record; None when nothing does."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(reviews).where(reviews.c.record == record)).first()
        return None if row is None else _review(row)

    def waiting(self, limit: int, offset: int = 0, batch: int | None = None) -> tuple[Review, ...]:
        """Records that wait, of one deposit only if asked."""
        query = _of(sa.select(reviews), batch).order_by(reviews.c.since, reviews.c.record)
        with self._database.reading() as connection:
            return tuple(_review(row) for row in connection.execute(query.limit(limit).offset(offset)))

    def count(self, batch: int | None = None) -> int:
        """How many wait."""
        query = _of(sa.select(sa.func.count()).select_from(reviews), batch)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0


def _of(query: sa.Select[Any], batch: int | None) -> sa.Select[Any]:
    return query if batch is None else query.where(reviews.c.batch == batch)


def _review(row: Any) -> Review:
    return Review(
        record=row.record,
        since=datetime.fromisoformat(row.since),
        batch=row.batch,
        found=json.loads(row.found),
    )
