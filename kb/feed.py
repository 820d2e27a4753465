"""The change feed: one line a record, the last thing that happened to it, in the order in which things
happened.

Hides who may be told of a line, the sets in which it stands, and how times are kept true. The index reads the
feed by ``seq``; other centres read it by time (OAI-PMH). A deleted record keeps its line for ever, and so
does one that may no more be shown to those who were told of it: for them it is deleted.

Times. ``at`` is when the change became visible, not when it was made: it is written as the transaction ends,
never before the line above it. Writers take turns, so who reads everything up to a moment, then everything
since that moment less ``SETTLING``, has missed nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kb.connection import Database, next_value
from kb.errors import NotFound
from kb.french import fold
from kb.network_tables import memberships, set_names
from kb.records import TYPES, Record
from kb.sharing import Audience, audience_of, widest
from kb.tables import changes, counters
from kb.thesaurus import FACET_SCHEMES, Thesaurus

SETTLING = timedelta(seconds=2)
"""The longest that a line may take from its time to being seen: the end of a commit, on a slow disk."""

SET_KINDS = {
    "theme": "Thème",
    "type": "Type de document",
    "collection": "Collection",
    "centre": "Centre",
}
"""What a set gathers by -> its French name."""

_COUNTER = "feed"
_FORMER = "feed-sets"  # counted once the lines of a former version have their sets
_LONGEST_SET = 120
_TOGETHER = 500  # former lines that get their sets at once: others wait to write meanwhile


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the change feed. ``seq`` grows; ``at`` is UTC."""

    seq: int
    id: str
    deleted: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A line as one audience is told of it, with the sets in which the record stands."""

    seq: int
    id: str
    deleted: bool
    at: datetime
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Lines that one audience is told of: those after ``after`` up to ``last``, of one set or of all. What
    changes later leaves the window, since its line moves on: none is in it twice."""

    audience: Audience
    after: int
    last: int
    set: str | None = None


class Feed:
    """The feed of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- writing: by the store alone

    def note(self, record: Record, thesaurus: Thesaurus) -> None:
        """The record was saved."""
        audience = audience_of(record)
        # The sets of a record that nobody may see would tell of it: its collection, its themes.
        self._line(record.id, audience, sets_of(record, thesaurus) if audience else {}, deleted=False)

    def note_deleted(self, id: str) -> None:
        """The record is no more."""
        self._line(id, Audience.NOBODY, {}, deleted=True)

    def _line(self, id: str, audience: Audience, sets: dict[str, str], *, deleted: bool) -> None:
        with self._database.writing() as connection:
            told = connection.scalar(sa.select(changes.c.told).where(changes.c.record == id)) or ""
            connection.execute(changes.delete().where(changes.c.record == id))
            seq = next_value(connection, _COUNTER)
            # Before anything that may fail: who catches what fails inside keeps the lines, which need a time.
            self._database.at_commit(_COUNTER, lambda ending: _date(ending, seq))
            values = {
                "seq": seq,
                "record": id,
                "deleted": deleted,
                "at": datetime.now(UTC).isoformat(),
                "audience": audience,
                "told": widest(Audience(told), audience),
            }
            connection.execute(changes.insert().values(values))
            if values["told"]:
                _place(connection, seq, id, sets)

    def place_former(self, some: Iterable[Record], thesaurus: Callable[[], Thesaurus]) -> None:
        """Give lines that a former version wrote their sets; once. From then on this only looks: who opens a
        fund waits for nobody who writes."""
        with self._database.reading() as connection:
            if connection.scalar(sa.select(counters.c.value).where(counters.c.name == _FORMER)):
                return
        with self._database.writing() as connection:
            if next_value(connection, _FORMER) > 1:
                return
            rest = iter(some)
            while batch := list(itertools.islice(rest, _TOGETHER)):
                _place_former(connection, batch, thesaurus())

    # -- reading

    def changes(self, since: int, limit: int = 1000) -> list[Change]:
        """The next lines after ``since``, oldest first: each record once, its last change."""
        query = sa.select(changes).where(changes.c.seq > since).order_by(changes.c.seq).limit(limit)
        with self._database.reading() as connection:
            return [
                Change(row.seq, row.record, row.deleted, datetime.fromisoformat(row.at))
                for row in connection.execute(query)
            ]

    def position(self) -> int:
        """The last line; 0 when nothing ever happened."""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(sa.func.max(changes.c.seq))) or 0

    def earliest(self) -> datetime | None:
        """The time of the first line; None when nothing ever happened."""
        with self._database.reading() as connection:
            first = connection.scalar(sa.select(changes.c.at).order_by(changes.c.seq).limit(1))
        return datetime.fromisoformat(first) if first else None

    def window(
        self,
        audience: Audience,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        set: str | None = None,
    ) -> Window:
        """The lines there are now, of times from ``since`` on and before ``before`` (UTC, whole seconds)."""
        with self._database.reading() as connection:
            last = connection.scalar(sa.select(sa.func.max(changes.c.seq))) or 0
            after = 0
            if since is not None:
                first = sa.select(sa.func.min(changes.c.seq)).where(changes.c.at >= _second(since))
                after = (connection.scalar(first) or last + 1) - 1
            if before is not None:
                ending = sa.select(sa.func.max(changes.c.seq)).where(changes.c.at < _second(before))
                last = connection.scalar(ending) or 0
        return Window(audience=audience, after=after, last=last, set=set)

    def count(self, window: Window) -> int:
        """How many lines are in the window."""
        query = sa.select(sa.func.count()).select_from(_joined(window)).where(*_inside(window))
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def page(self, window: Window, limit: int) -> tuple[Listed, ...]:
        """The first lines of the window; the rest is the window after the last of them."""
        gone = memberships.c.gone if window.set else sa.false().label("gone")
        query = sa.select(changes, gone).select_from(_joined(window)).where(*_inside(window))
        place = memberships.c.seq if window.set else changes.c.seq
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(place).limit(limit)).all()
            sets = _sets_of(connection, [row.record for row in rows])
        return tuple(_listed(row, window.audience, sets) for row in rows)

    def get(self, id: str, audience: Audience) -> Listed:
        """The line of one record. Raises NotFound when this audience never was told of it."""
        query = sa.select(changes, sa.false().label("gone")).where(changes.c.record == id, _told(audience))
        with self._database.reading() as connection:
            row = connection.execute(query).first()
            if row is None:
                raise NotFound("record", id)
            return _listed(row, audience, _sets_of(connection, [row.record]))

    def sets(self, audience: Audience) -> tuple[tuple[str, str], ...]:
        """The sets that hold something which the audience may see now, as (code, name), in order."""
        member = sa.select(sa.literal(1)).select_from(
            memberships.join(changes, changes.c.seq == memberships.c.seq)
        )
        here = (memberships.c.set == set_names.c.set, ~memberships.c.gone)
        held = member.where(*here, changes.c.audience.in_(_audiences(audience))).exists()
        query = sa.select(set_names.c.set, set_names.c.name).where(held).order_by(set_names.c.set)
        with self._database.reading() as connection:
            return tuple((row.set, row.name) for row in connection.execute(query))


def sets_of(record: Record, thesaurus: Thesaurus) -> dict[str, str]:
    """The sets in which the record stands, by code, with their names; broader themes included."""
    found = {f"centre:{record.centre}": record.centre, f"type:{record.type}": TYPES[record.type]}
    if record.series and (slug := _slug(record.series)):
        found[f"collection:{slug}"] = record.series
    known = [s.concept for s in record.live_subjects if s.concept in thesaurus]
    for uri in thesaurus.with_ancestors(known):
        if uri in thesaurus and (concept := thesaurus.get(uri)).scheme in FACET_SCHEMES["theme"]:
            found[f"theme:{concept.code}"] = concept.label
    return {code[:_LONGEST_SET]: name for code, name in found.items()}


def _slug(text: str) -> str:
    """What a set may be called (OAI-PMH 2.0, 2.6: unreserved characters of an address)."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")


def _place(connection: sa.Connection, seq: int, id: str, sets: dict[str, str]) -> None:
    """Put a line into its sets; where the record was before and is no more, it is told as gone."""
    mine = memberships.c.record == id
    former = set(connection.scalars(sa.select(memberships.c.set).where(mine)))
    connection.execute(memberships.delete().where(mine))
    lines = [{"set": code, "seq": seq, "record": id, "gone": code not in sets} for code in former | set(sets)]
    if lines:
        connection.execute(memberships.insert(), lines)
    _name(connection, {code: name for code, name in sets.items() if code not in former})


def _place_former(connection: sa.Connection, some: Sequence[Record], thesaurus: Thesaurus) -> None:
    """Put the lines of these records, which are in no set yet, into theirs."""
    ids = [record.id for record in some if audience_of(record)]
    placed = set(connection.scalars(sa.select(memberships.c.record).where(memberships.c.record.in_(ids))))
    query = sa.select(changes.c.record, changes.c.seq).where(changes.c.record.in_(ids))
    seqs = {row.record: row.seq for row in connection.execute(query) if row.record not in placed}
    sets = {record.id: sets_of(record, thesaurus) for record in some if record.id in seqs}
    if lines := [
        {"set": code, "seq": seqs[id], "record": id, "gone": False}
        for id, codes in sets.items()
        for code in codes
    ]:
        connection.execute(memberships.insert(), lines)
    _name(connection, {code: name for codes in sets.values() for code, name in codes.items()})


def _name(connection: sa.Connection, names: Mapping[str, str]) -> None:
    """Keep the names of sets that have none yet."""
    query = sa.select(set_names.c.set).where(set_names.c.set.in_(names))
    new = names.keys() - set(connection.scalars(query)) if names else ()
    if lines := [{"set": code, "name": names[code]} for code in sorted(new)]:
        connection.execute(set_names.insert(), lines)


def _date(connection: sa.Connection, first: int) -> None:
    """Give all lines of a transaction the time at which it ends, never earlier than the line before them."""
    above = sa.select(changes.c.at).where(changes.c.seq < first).order_by(changes.c.seq.desc()).limit(1)
    now = max(datetime.now(UTC).isoformat(), connection.scalar(above) or "")
    connection.execute(changes.update().where(changes.c.seq >= first).values(at=now))


def _second(moment: datetime) -> str:
    """A moment as the beginning of the times that are written in that second: they sort after it."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()


def _told(audience: Audience) -> sa.ColumnElement[bool]:
    return changes.c.told.in_(_audiences(audience))


def _audiences(audience: Audience) -> tuple[Audience, ...]:
    """What is for these may be told to who asks."""
    return (Audience.PUBLIC, Audience.NETWORK) if audience is Audience.NETWORK else (Audience.PUBLIC,)


def _joined(window: Window) -> sa.FromClause:
    if window.set is None:
        return changes
    return memberships.join(changes, changes.c.seq == memberships.c.seq)


def _inside(window: Window) -> list[sa.ColumnElement[bool]]:
    place = memberships.c.seq if window.set else changes.c.seq
    rules = [place > window.after, place <= window.last, _told(window.audience)]
    return [*rules, memberships.c.set == window.set] if window.set else rules


def _sets_of(connection: sa.Connection, ids: Sequence[str]) -> dict[int, list[str]]:
    """The sets of the lines of these records, by ``seq``. Asked by record: that has an index."""
    held = sa.select(memberships.c.seq, memberships.c.set).where(
        memberships.c.record.in_(ids), ~memberships.c.gone
    )
    found: dict[int, list[str]] = {}
    for row in connection.execute(held.order_by(memberships.c.set)):
        found.setdefault(row.seq, []).append(row.set)
    return found


def _listed(row: Any, audience: Audience, sets: dict[int, list[str]]) -> Listed:
    seen = row.audience in _audiences(audience)
    at, places = datetime.fromisoformat(row.at), tuple(sets.get(row.seq, ()))
    return Listed(row.seq, row.record, bool(row.gone) or not seen, at, places if seen else ())
