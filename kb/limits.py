"""How often something may be tried, counted in the database so that all processes count together.

Hides how tries are counted: one line each, under a blinded name, thrown away once it is too old to count.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from kb.connection import Database
from kb.errors import TooManyTries
from kb.secret import Keyring
from kb.tables import attempts


@dataclass(frozen=True, slots=True)
class Limit:
    """``most`` tries in any ``seconds``; ``name`` keeps limits apart."""

    name: str
    most: int
    seconds: int


class Limits:
    """Tries, by limit and by who tries. ``who`` is blinded: no address is kept."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def take(self, limit: Limit, who: str, *, now: float | None = None) -> int:
        """Count a try; its number is for ``give_back``. Raises TooManyTries, and counts nothing, when there
        were enough."""
        at = time.time() if now is None else now
        with self._database.writing() as connection:
            self._check(limit, who, at)
            values = {"bucket": self._bucket(limit, who), "at": at}
            inserted = connection.execute(attempts.insert().values(values)).inserted_primary_key
        return int(inserted[0]) if inserted else 0

    def give_back(self, tries: Iterable[int]) -> None:
        """These tries were no failures after all: they do not count."""
        with self._database.writing() as connection:
            connection.execute(attempts.delete().where(attempts.c.id.in_(list(tries))))

    def _check(self, limit: Limit, who: str, at: float) -> None:
        query = (
            sa.select(attempts.c.at)
            .where(attempts.c.bucket == self._bucket(limit, who), attempts.c.at > at - limit.seconds)
            .order_by(attempts.c.at.desc())
            .offset(limit.most - 1)
            .limit(1)
        )
        with self._database.reading() as connection:
            oldest = connection.scalar(query)
        if oldest is not None:
            raise TooManyTries(max(1, round(oldest + limit.seconds - at)))

    def sweep(self, older: float) -> None:
        """Throw away tries made before ``older`` (seconds since 1970)."""
        with self._database.writing() as connection:
            connection.execute(attempts.delete().where(attempts.c.at < older))

    def _bucket(self, limit: Limit, who: str) -> str:
        return self._keyring.blind(f"{limit.name}\n{who}")
