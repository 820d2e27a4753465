"""Documents that were asked of other centres: which ones, of whom, on what day.

Hides the table. Who asked is not kept, nor what they wrote: only their letter to the holder has it.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from kb.connection import Database, next_value
from kb.network_tables import requests


class Requests:
    """The requests of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, centre: str, record: str, day: date) -> None:
        """Count a record that was asked of a centre, in the transaction that is open if there is one."""
        with self._database.writing() as connection:
            values = {
                "id": next_value(connection, "request"),
                "day": day.isoformat(),
                "centre": centre,
                "record": record,
            }
            connection.execute(requests.insert().values(values))

    def counts(self, since: date) -> dict[str, int]:
        """How many were asked of each centre from that day on, the most asked first."""
        times = sa.func.count()
        query = (
            sa.select(requests.c.centre, times)
            .where(requests.c.day >= since.isoformat())
            .group_by(requests.c.centre)
            .order_by(times.desc(), requests.c.centre)
        )
        with self._database.reading() as connection:
            return {centre: int(count) for centre, count in connection.execute(query)}
