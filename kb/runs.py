"""How each harvest and each envelope went: what came, what did not, and why.

Hides the table, and that old runs are let go of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb.audit import Action, Trail
from kb.connection import Database, next_value
from kb.network_tables import runs

_MOST_NOTES = 50
_KEPT_RUNS = 100  # of a source; older ones are let go of


class Ending(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A harvest or an envelope. ``counts``: how many records were new, changed, same, deleted, refused...;
    ``trouble`` is a code of what ended it, ``detail`` its English words; ``notes`` French sentences."""

    id: int
    source: int
    centre: str
    way: str
    began: datetime
    ended: datetime | None
    state: Ending
    counts: Mapping[str, int] = field(default_factory=dict)
    trouble: str | None = None
    detail: str = ""
    notes: tuple[str, ...] = ()


class Runs:
    """The runs of one database."""

    def __init__(self, database: Database, trail: Trail) -> None:
        self._database = database
        self._trail = trail

    def open(self, *, source: int, centre: str, way: str, now: datetime) -> int:
        """Begin a run; its number."""
        with self._database.writing() as connection:
            id = next_value(connection, "run")
            values = {"id": id, "source": source, "centre": centre, "way": way, "began": now.isoformat()}
            values |= {"state": Ending.RUNNING, "counts": "{}", "detail": "", "notes": "[]"}
            # One that was killed never said how it ended.
            left = sa.and_(runs.c.source == source, runs.c.centre == centre, runs.c.state == Ending.RUNNING)
            connection.execute(runs.update().where(left).values(state=Ending.STOPPED, ended=now.isoformat()))
            connection.execute(runs.insert().values(values))
            old = sa.select(runs.c.id).where(runs.c.source == source, runs.c.centre == centre)
            old = old.order_by(runs.c.id.desc()).offset(_KEPT_RUNS)
            connection.execute(runs.delete().where(runs.c.id.in_(list(connection.scalars(old)))))
        return id

    def note(self, id: int, counts: Mapping[str, int], notes: Iterable[str] = ()) -> None:
        """How far a run is."""
        told = {"counts": json.dumps(dict(counts)), "notes": _notes(notes)}
        with self._database.writing() as connection:
            connection.execute(runs.update().where(runs.c.id == id).values(told))

    def close(
        self,
        id: int,
        state: Ending,
        counts: Mapping[str, int],
        *,
        now: datetime,
        trouble: str | None = None,
        detail: str = "",
        notes: Iterable[str] = (),
    ) -> Run:
        """End a run; it leaves one line in the trail, for all its records together."""
        values = {
            "state": state,
            "ended": now.isoformat(),
            "counts": json.dumps(dict(counts)),
            "trouble": trouble,
            "detail": detail[:500],
            "notes": _notes(notes),
        }
        with self._database.writing() as connection:
            connection.execute(runs.update().where(runs.c.id == id).values(values))
            row = connection.execute(sa.select(runs).where(runs.c.id == id)).one()
            told = {"centre": row.centre, "way": row.way, "state": state, **counts}
            self._trail.note(Action.HARVESTED, f"moisson:{id}", None, told)
        return _run(row)

    def all(
        self, *, source: int | None = None, centre: str | None = None, limit: int = 20
    ) -> tuple[Run, ...]:
        """The last runs, the newest first."""
        query = sa.select(runs).order_by(runs.c.id.desc()).limit(limit)
        if source is not None:
            query = query.where(runs.c.source == source)
        if centre is not None:
            query = query.where(runs.c.centre == centre)
        with self._database.reading() as connection:
            return tuple(_run(row) for row in connection.execute(query))

    def last(self) -> dict[str, Run]:
        """The last run of each centre, by its code."""
        newest = sa.select(sa.func.max(runs.c.id)).group_by(runs.c.centre)
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(runs).where(runs.c.id.in_(newest)))
            return {row.centre: _run(row) for row in rows}

    def heard(self) -> dict[str, datetime]:
        """When each centre was last heard to the end, by its code."""
        query = sa.select(runs.c.centre, sa.func.max(runs.c.ended)).where(runs.c.state == Ending.DONE)
        with self._database.reading() as connection:
            found = connection.execute(query.group_by(runs.c.centre)).all()
        return {row[0]: datetime.fromisoformat(row[1]) for row in found}


def _notes(notes: Iterable[str]) -> str:
    kept = list(notes)
    left = len(kept) - _MOST_NOTES
    told = kept[:_MOST_NOTES] + ([f"et {left} autres remarques"] if left > 0 else [])
    return json.dumps(told, ensure_ascii=False)


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        source=row.source,
        centre=row.centre,
        way=row.way,
        began=datetime.fromisoformat(row.began),
        ended=datetime.fromisoformat(row.ended) if row.ended else None,
        state=Ending(row.state),
        counts=json.loads(row.counts),
        trouble=row.trouble,
        detail=row.detail,
        notes=tuple(json.loads(row.notes)),
    )
