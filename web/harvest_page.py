"""How the sources of the network stand, as the pages of the administrator show it.

Hides how it is found out that nobody harvests, and how far back the runs are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kb.runs import Run
from kb.signing import fingerprint
from kb.sources import Source
from web.harvest_words import (
    ENDINGS,
    FORMATS,
    HOURS,
    Standing,
    said_counts,
    said_progress,
    said_trouble,
    standing,
)
from web.parts import Parts

_UNATTENDED = timedelta(minutes=2)
"""That a source may be due while nothing is harvested: a worker looks every few seconds."""
_RUNS_READ, _RUNS_SHOWN = 100, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One harvest in words."""

    began: datetime
    ended: datetime | None
    state: str
    kind: str
    counts: str
    whole: bool
    trouble: str
    detail: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source in the list, and at the head of its page."""

    id: int
    centre: str
    name: str
    url: str
    standing: Standing
    progress: str
    last: RunView | None
    next: datetime | None
    held: int


@dataclass(frozen=True, slots=True)
class SourcesPage:
    """All sources; ``unattended`` when some are due and nobody harvests."""

    sources: tuple[SourceView, ...]
    live: bool
    unattended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """One source with its last harvests."""

    source: SourceView
    format: str
    set: str
    often: str
    has_secret: bool
    relays: bool
    contact: str
    site: str
    fingerprint: str
    running: bool
    paused: bool
    resumes: bool
    unattended: bool
    runs: tuple[RunView, ...]


def sources_page(parts: Parts, now: datetime) -> SourcesPage:
    """Every source, the oldest first."""
    names, held = parts.centres.names(), parts.store.counts()
    every = parts.sources.all()
    told = [(one, parts.runs.all(source=one.id, limit=_RUNS_READ)) for one in every]
    found = tuple(source_view(one, runs, now, names, held) for one, runs in told)
    live = any(view.standing.live for view in found)
    return SourcesPage(found, live, any(_unattended(one, every, now) for one in every))


def source_page(parts: Parts, id: int, now: datetime) -> SourcePage:
    """One source with the report of its harvests. Raises NotFound."""
    held = parts.sources.get(id)
    centre, runs = parts.centres.get(held.centre), parts.runs.all(source=id, limit=_RUNS_READ)
    return SourcePage(
        source=source_view(held, runs, now, {centre.code: centre.name}, parts.store.counts()),
        format=FORMATS.get(held.prefix, held.prefix),
        set=held.set or "",
        often=HOURS.get(held.hours, f"toutes les {held.hours} heures"),
        has_secret=held.has_secret,
        relays=held.relays,
        contact=centre.contact,
        site=centre.url,
        fingerprint=fingerprint(centre.public_key) if centre.public_key else "",
        running=held.running,
        paused=held.paused,
        resumes=held.token is not None,
        unattended=_unattended(held, parts.sources.all(), now),
        runs=tuple(map(run_view, runs[:_RUNS_SHOWN])),
    )


def source_view(
    source: Source, runs: Sequence[Run], now: datetime, names: Mapping[str, str], held: Mapping[str, int]
) -> SourceView:
    """A source by its runs, the newest first; ``held`` counts records by centre."""
    stands = standing(source, runs, now)
    waits = stands.kind in ("good", "bad")
    return SourceView(
        id=source.id,
        centre=source.centre,
        name=names.get(source.centre, source.centre),
        url=source.url,
        standing=stands,
        progress=said_progress(runs[0].counts) if source.running and runs else "",
        last=next((run_view(run) for run in runs if run.ended), None),
        next=source.due if waits else None,
        held=held.get(source.centre, 0),
    )


def run_view(run: Run) -> RunView:
    """One harvest in words."""
    word, kind = ENDINGS[run.state]
    return RunView(
        began=run.began,
        ended=run.ended,
        state=word,
        kind=kind,
        counts=said_counts(run.counts),
        whole=bool(run.counts.get("whole")),
        trouble=said_trouble(run.trouble),
        detail=run.detail,
        notes=run.notes,
    )


def _unattended(source: Source, others: Sequence[Source], now: datetime) -> bool:
    late = not source.paused and source.due < now - _UNATTENDED
    return late and not any(one.running for one in others)
