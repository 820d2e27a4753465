"""Samples of what records say, by which those that share passages are found among tens of thousands.

Hides the table and how it is asked. What a hash stands for is the affair of ``ingest.duplicates``: here they
are numbers of 64 bits, and those below zero are counted apart from the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from kb.connection import Database
from kb.tables import records as rows
from kb.tables import sketches

_IN_BATCH = 500  # values in one IN (...): below every database's limit of bound parameters
_COMMON = 300
"""Records past which a hash tells nothing: a set phrase of the house, or a word of many titles. Counted on
what is asked, so that one document full of set phrases costs no more than another."""


class Sketches:
    """The samples of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, record: str, hashes: Iterable[int]) -> None:
        """Keep these for a record that exists, instead of those that were kept before."""
        with self._database.writing() as connection:
            self.drop(record)
            if found := sorted(set(hashes)):
                connection.execute(sketches.insert(), [{"record": record, "hash": hash} for hash in found])

    def drop(self, record: str) -> None:
        """Forget a record's sample; needed before the record itself can go."""
        with self._database.writing() as connection:
            connection.execute(sketches.delete().where(sketches.c.record == record))

    def of(self, record: str) -> list[int]:
        """The sample of a record, in order; [] when none is kept."""
        query = sa.select(sketches.c.hash).where(sketches.c.record == record).order_by(sketches.c.hash)
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def missing(self, after: str, most: int) -> list[str]:
        """Ids of our own records, in order and past the id ``after``, of which no sample is kept."""
        kept = sa.select(sketches.c.record).where(sketches.c.record == rows.c.id)
        query = sa.select(rows.c.id).where(rows.c.id > after, rows.c.source.is_(None), ~kept.exists())
        query = query.order_by(rows.c.id).limit(most)
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def sharing(self, hashes: Sequence[int], limit: int) -> list[tuple[str, int, int]]:
        """(record, how many of these hashes it has, how many it has in all of the same sign), those that
        share most first, at equality the smallest; ``hashes`` are of one sign."""
        asked = sorted(set(hashes))
        shared: Counter[str] = Counter()
        with self._database.reading() as connection:
            for start in range(0, len(asked), _IN_BATCH):
                shared.update(_holders(connection, asked[start : start + _IN_BATCH]))
            # The smallest of those that share as much must be among those whose size is asked.
            least = sorted(shared.values(), reverse=True)[:limit][-1:]
            likely = [record for record, count in shared.items() if least and count >= least[0]]
            sizes = _sizes(connection, likely, negative=bool(asked) and asked[0] < 0)
        found = [(record, shared[record], sizes[record]) for record in likely]
        return sorted(found, key=lambda row: (-row[1], row[2], row[0]))[:limit]


def _holders(connection: sa.Connection, batch: Sequence[int]) -> Counter[str]:
    """How many of these hashes each record has, those that are too common left out."""
    counted = sa.select(sketches.c.hash).where(sketches.c.hash.in_(batch)).group_by(sketches.c.hash)
    telling = list(connection.scalars(counted.having(sa.func.count() <= _COMMON)))
    query = sa.select(sketches.c.record).where(sketches.c.hash.in_(telling))
    return Counter(connection.scalars(query))


def _sizes(connection: sa.Connection, some: Sequence[str], *, negative: bool) -> dict[str, int]:
    same_sign = sketches.c.hash < 0 if negative else sketches.c.hash >= 0
    sizes: dict[str, int] = {}
    for start in range(0, len(some), _IN_BATCH):
        ids = some[start : start + _IN_BATCH]
        query = sa.select(sketches.c.record, sa.func.count()).where(sketches.c.record.in_(ids), same_sign)
        for row in connection.execute(query.group_by(sketches.c.record)):
            sizes[row[0]] = row[1]
    return sizes
