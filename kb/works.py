"""Which records of several centres tell of one work.

Hides how the records to compare are found (by the marks that they share), how pairs that are alike become
works, and how the index learns that a work has grown or come apart. What two records are to each other is
said by others: a function that gives a number, at least ``SAME`` for one work and at most ``APART`` when
something sets them apart for certain, the same both ways round.

A work has one record of each centre at most: what a centre has twice is its own business. Pairs are joined
the surest first, and two works become one only where nothing sets apart any of their records: A, B and C are
not one work because B is like both. So which records are one work follows from what they are, not from the
order in which they came.

What the index must take in anew has a line in a list of its own, whose places are drawn with those of the
change feed: other centres, who are told of that feed, are not told of what did not change.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import sqlalchemy as sa

from kb.connection import next_value
from kb.database import Store
from kb.network_tables import likenesses, marks, origins, regathered, works
from kb.records import Record
from kb.tables import changes, counters, pages
from kb.tables import records as rows

SAME, APART = 0.5, 0.1
"""From which likeness on two records tell of one work; up to which one something sets them apart."""

Like = Callable[[Record, Record], float]

MOST_SHARING = 200
"""Records of others looked at for one mark: a mark that more have in common says little of any."""

MOST_COMPARED = 60
"""Records compared with one: those that share most marks with it. A comparison takes some 0.1 ms."""

MOST_JOINED = 200
"""Records looked at again when one of them is touched: a work has one of each centre, so that more hang
together only through titles that say nothing."""

_FEED = "feed"  # the counter of the change feed
_REACHED = "works"  # the line of the change feed up to which records were placed
_IN_BATCH = 500  # values in one IN (...)


@dataclass(frozen=True, slots=True)
class Standing:
    """What tells which record of a work speaks for it: whether it has pages here, and is our own."""

    text: bool
    ours: bool


class Works:
    """The works of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._database = store.database

    # -- reading

    def members(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """For each of these ids, those of all records of its work in order; of one that stands alone, itself.
        What was deleted may still be among them until it is forgotten."""
        found: dict[str, tuple[str, ...]] = {id: (id,) for id in ids}
        with self._database.reading() as connection:
            for batch in _batches(ids):
                for group in _groups(connection, batch):
                    found |= {id: group for id in group if id in found}
        return found

    def gathered(self, after: str = "", limit: int = _IN_BATCH) -> tuple[str, ...]:
        """The next ids of records that share a work with others, in order."""
        query = sa.select(works.c.record).where(works.c.record > after).order_by(works.c.record).limit(limit)
        with self._database.reading() as connection:
            return tuple(connection.scalars(query))

    def standings(self, ids: Sequence[str]) -> dict[str, Standing]:
        """What speaks for each of the records that exist."""
        text = sa.select(pages.c.record).where(pages.c.record == rows.c.id).exists().label("text")
        found: dict[str, Standing] = {}
        with self._database.reading() as connection:
            for batch in _batches(ids):
                query = sa.select(rows.c.id, rows.c.source, text).where(rows.c.id.in_(batch))
                found |= {
                    row.id: Standing(bool(row.text), row.source is None) for row in connection.execute(query)
                }
        return found

    # -- what the index must take in

    def changes(self, since: int, limit: int = 1000) -> list[tuple[int, str]]:
        """The next (place, id) after ``since`` of records that changed or whose work did, oldest first."""
        lists = (
            sa.select(table.c.seq, table.c.record).where(table.c.seq > since).order_by(table.c.seq)
            for table in (changes, regathered)
        )
        with self._database.reading() as connection:
            found = [tuple(row) for one in lists for row in connection.execute(one.limit(limit))]
        return sorted(found)[:limit]

    def position(self) -> int:
        """The last place that ``changes`` tells of; 0 when nothing ever happened."""
        query = sa.select(sa.func.max(regathered.c.seq))
        with self._database.reading() as connection:
            return max(self._store.position(), connection.scalar(query) or 0)

    # -- following the change feed

    def wanted(self) -> bool:
        """Whether there are, or were, records of others, so that works must be looked for."""
        with self._database.reading() as connection:
            return bool(connection.scalar(sa.select(sa.literal(1)).select_from(origins).limit(1))) or bool(
                self.reached()
            )

    def reached(self) -> int:
        """The line of the change feed up to which records were placed or forgotten."""
        query = sa.select(counters.c.value).where(counters.c.name == _REACHED)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def reach(self, seq: int) -> None:
        """Say that all up to this line was placed or forgotten; in the transaction that did."""
        with self._database.writing() as connection:
            mine = counters.c.name == _REACHED
            if not connection.execute(counters.update().where(mine).values(value=seq)).rowcount:
                connection.execute(counters.insert().values(name=_REACHED, value=seq))

    def place(self, record: Record, keys: Iterable[str], like: Like) -> bool:
        """Find again with which records of other centres this one tells of one work, by its marks; whether
        any work changed."""
        with self._database.writing() as connection:
            mine = frozenset(keys)
            _write_marks(connection, record.id, mine)
            before = _neighbours(connection, [record.id])
            near = self._store.get_many(_candidates(connection, record, mine))
            found = {other.id: like(record, other) for other in near.values()}
            alike = {id: score for id, score in found.items() if score >= SAME}
            _write_likenesses(connection, record.id, alike)
            return self._regroup(connection, {record.id, *before, *alike}, like)

    def forget(self, id: str, like: Like) -> bool:
        """The record is no more; whether any work changed."""
        with self._database.writing() as connection:
            _write_marks(connection, id, frozenset())
            before = _neighbours(connection, [id])
            _write_likenesses(connection, id, {})
            return self._regroup(connection, {id, *before}, like)

    def _regroup(self, connection: sa.Connection, touched: Collection[str], like: Like) -> bool:
        """Make the works anew of all that hang together with these records."""
        reach = _reached_from(connection, touched)
        held = {group for group in _groups(connection, sorted(reach)) if len(group) > 1}
        if len(reach) == 1 and not held:
            return False
        reach |= {id for group in held for id in group}
        living = self._store.get_many(sorted(reach))
        made = _joined(living, _pairs(connection, sorted(reach)), like)
        if changed := held ^ made:
            _write_works(connection, held - made, made - held)
            touched = {id for group in changed for id in group}
            _write_regathered(connection, sorted(touched))
        return bool(changed)


# -- which records are one work


def _joined(
    living: Mapping[str, Record], pairs: Mapping[tuple[str, str], float], like: Like
) -> set[tuple[str, ...]]:
    """Works of two records and more, each in order: pairs joined the surest first."""
    group: dict[str, tuple[str, ...]] = {id: (id,) for id in living}
    for one, other in sorted(pairs, key=lambda pair: (-pairs[pair], pair)):
        if one not in group or other not in group or group[one] is group[other]:
            continue
        left, right = group[one], group[other]
        if all(_may_meet(living[a], living[b], pairs, like) for a, b in product(left, right)):
            whole = tuple(sorted((*left, *right)))
            group |= dict.fromkeys(whole, whole)
    return {ids for ids in group.values() if len(ids) > 1}


def _may_meet(a: Record, b: Record, pairs: Mapping[tuple[str, str], float], like: Like) -> bool:
    """Whether two records may be of one work, for what they are to a third."""
    if a.centre == b.centre:
        return False
    return (min(a.id, b.id), max(a.id, b.id)) in pairs or like(a, b) > APART


# -- rows


def _batches(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _IN_BATCH] for start in range(0, len(values), _IN_BATCH))


def _groups(connection: sa.Connection, ids: Sequence[str]) -> set[tuple[str, ...]]:
    """The works in which these records stand, each in order."""
    mine = sa.select(works.c.work).where(works.c.record.in_(ids))
    query = sa.select(works).where(works.c.work.in_(mine)).order_by(works.c.record)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.work].append(row.record)
    return {tuple(group) for group in found.values()}


def _candidates(connection: sa.Connection, record: Record, keys: Collection[str]) -> list[str]:
    """Records of other centres that share most marks with this one."""
    # "ville-caraibe:" to "ville-caraibe;": what begins with the code of its centre.
    own = sa.and_(marks.c.record > f"{record.centre}:", marks.c.record < f"{record.centre};")
    each = (
        sa.select(marks.c.record).where(marks.c.mark == key, ~own).order_by(marks.c.record)
        for key in sorted(keys)
    )
    some = [sa.select(one.limit(MOST_SHARING).subquery()) for one in each]
    shared = Counter(connection.scalars(sa.union_all(*some))) if some else Counter[str]()
    return sorted(shared, key=lambda id: (-shared[id], id))[:MOST_COMPARED]


def _reached_from(connection: sa.Connection, ids: Collection[str]) -> set[str]:
    """These records and all that hang together with them through pairs, the nearest first."""
    found, edge = set(ids), set(ids)
    while edge and len(found) < MOST_JOINED:
        edge = set(_neighbours(connection, sorted(edge))) - found
        found |= edge
    return found


def _neighbours(connection: sa.Connection, ids: Sequence[str]) -> list[str]:
    """Records that are like one of these."""
    ways = ((likenesses.c.record, likenesses.c.other), (likenesses.c.other, likenesses.c.record))
    return [
        id
        for mine, other in ways
        for batch in _batches(ids)
        for id in connection.scalars(sa.select(other).where(mine.in_(batch)))
    ]


def _pairs(connection: sa.Connection, ids: Sequence[str]) -> dict[tuple[str, str], float]:
    """The pairs that are alike among these records."""
    query = sa.select(likenesses).where(likenesses.c.record.in_(ids), likenesses.c.other.in_(ids))
    return {(row.record, row.other): row.score for row in connection.execute(query)}


def _write_marks(connection: sa.Connection, id: str, keys: frozenset[str]) -> None:
    held = set(connection.scalars(sa.select(marks.c.mark).where(marks.c.record == id)))
    if gone := sorted(held - keys):
        connection.execute(marks.delete().where(marks.c.record == id, marks.c.mark.in_(gone)))
    if new := sorted(keys - held):
        connection.execute(marks.insert(), [{"mark": key, "record": id} for key in new])


def _write_likenesses(connection: sa.Connection, id: str, alike: Mapping[str, float]) -> None:
    mine = sa.or_(likenesses.c.record == id, likenesses.c.other == id)
    connection.execute(likenesses.delete().where(mine))
    if alike:
        lines = [
            {"record": min(id, other), "other": max(id, other), "score": score}
            for other, score in alike.items()
        ]
        connection.execute(likenesses.insert(), lines)


def _write_works(
    connection: sa.Connection, gone: Iterable[tuple[str, ...]], new: Iterable[tuple[str, ...]]
) -> None:
    """A work is called by the first of its records."""
    former = [id for group in gone for id in group]
    connection.execute(works.delete().where(works.c.record.in_(former)))
    if lines := [{"record": id, "work": group[0]} for group in new for id in group]:
        connection.execute(works.insert(), lines)


def _write_regathered(connection: sa.Connection, ids: Sequence[str]) -> None:
    connection.execute(regathered.delete().where(regathered.c.record.in_(ids)))
    lines = [{"seq": next_value(connection, _FEED), "record": id} for id in ids]
    connection.execute(regathered.insert(), lines)
