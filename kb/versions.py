"""What records said before each change: their history, and the way back.

Hides the table. A version is the whole record without the evidence of its subjects, which a new tagging
finds again.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kb import records
from kb.audit import actor
from kb.connection import Database
from kb.errors import NotFound
from kb.records import Record
from kb.tables import versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A record as it was until ``at`` (UTC), when ``actor`` changed it. ``number`` counts from 1."""

    number: int
    at: datetime
    actor: str
    record: Record


def keep(connection: sa.Connection, before: Record) -> None:
    """Note what a record said, in the transaction that changes it."""
    ours = versions.c.record == before.id
    last = connection.scalar(sa.select(sa.func.max(versions.c.number)).where(ours)) or 0
    bare = tuple(dataclasses.replace(subject, evidence=()) for subject in before.subjects)
    body = json.dumps(records.to_json(dataclasses.replace(before, subjects=bare)), ensure_ascii=False)
    at = datetime.now(UTC).isoformat()
    values = {"record": before.id, "number": last + 1, "at": at, "actor": actor(), "body": body}
    connection.execute(versions.insert().values(values))


class Versions:
    """The history of records."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, record: str, limit: int = 100) -> tuple[Version, ...]:
        """Former versions of a record, the newest first; those of a deleted record stay."""
        query = sa.select(versions).where(versions.c.record == record)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(versions.c.number.desc()).limit(limit))
            return tuple(_version(row) for row in found)

    def get(self, record: str, number: int) -> Version:
        """One version. Raises NotFound."""
        one = sa.select(versions).where(versions.c.record == record, versions.c.number == number)
        with self._database.reading() as connection:
            row = connection.execute(one).first()
        if row is None:
            raise NotFound("version", f"{record} {number}")
        return _version(row)


def _version(row: Any) -> Version:
    return Version(
        number=row.number,
        at=datetime.fromisoformat(row.at),
        actor=row.actor,
        record=records.from_json(json.loads(row.body)),
    )
