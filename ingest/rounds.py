"""One harvest, from its beginning or from where it was cut short to its end, and what is noted of it.

Hides leases, tokens that expired, the records that vanish from repositories which tell of no deletion, and
what a trouble leads to. A harvest that fails is tried again later from the page where it was: nothing is
taken twice, and nothing that was taken is lost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from ingest import harvest
from ingest.harvest import Batch, Get, Wanted
from ingest.mirroring import CARBET, Giver, Received, Receiver
from ingest.oai_reading import Identity, moment
from kb.centres import Centre, Centres
from kb.errors import ConnectionFailed, HarvestError, StorageError, Trouble
from kb.mirrors import Mirrors, Origin
from kb.runs import Ending, Run, Runs
from kb.sources import Source, Sources

log = structlog.get_logger()

WHOLE_AGAIN = timedelta(days=7)
"""How often all is asked anew of a repository that tells of no deletion: what it has no more is dropped
then."""

_WHOLE = "whole"
_FRESH = (Trouble.BAD_TOKEN, Trouble.CLOCK)
"""Troubles that a second try from the date, or from the beginning, may mend at once."""

Progress = Callable[[Received, int | None], None]
"""Told after each page: what came so far, and how many the repository says there are."""


@dataclass(slots=True)
class _Course:
    """Where one harvest is: ``asked`` the time of its first page, there; ``seen`` the identifiers of a
    harvest that runs from the very beginning."""

    source: Source
    giver: Giver
    received: Received = field(default_factory=Received)
    asked: str | None = None
    seen: set[str] | None = None
    pages: int = 0


class Harvester:
    """Harvests sources, one at a time."""

    def __init__(
        self,
        *,
        centres: Centres,
        sources: Sources,
        runs: Runs,
        mirrors: Mirrors,
        receiver: Callable[[], Receiver],
        get: Get,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        stopped: Callable[[], bool] = lambda: False,
        progress: Progress = lambda received, size: None,
        patience: harvest.Patience = harvest.USUAL,
    ) -> None:
        self._centres = centres
        self._sources = sources
        self._runs = runs
        self._mirrors = mirrors
        self._make = receiver
        self._receiver: Receiver | None = None
        self._get = get
        self._clock = clock
        self._stopped = stopped
        self._progress = progress
        self._patience = patience

    def harvest_due(self) -> Run | None:
        """Harvest one source that is due; None when none is, or others have them."""
        source = self._sources.take(self._clock())
        return None if source is None else self._harvest(source)

    def harvest_one(self, id: int) -> Run | None:
        """Harvest that source now; None when somebody does already. Raises NotFound."""
        self._sources.get(id)
        source = self._sources.take(self._clock(), id)
        return None if source is None else self._harvest(source)

    def _harvest(self, source: Source) -> Run:
        run = self._runs.open(source=source.id, centre=source.centre, way="oai", now=self._clock())
        course = _Course(source, self._giver(source))
        try:
            ended = self._follow(course, run)
        except (HarvestError, ConnectionFailed, StorageError) as error:
            self._sources.fail(source.id, self._clock())
            return self._close(run, course, Ending.FAILED, error)
        if not ended:
            self._sources.release(source.id)
            return self._close(run, course, Ending.STOPPED)
        self._sources.succeed(source.id, since=course.asked, now=self._clock())
        return self._close(run, course, Ending.DONE)

    def _giver(self, source: Source) -> Giver:
        centre = self._centres.get(source.centre)
        return Giver(
            centre=source.centre,
            source=source.id,
            prefix=source.prefix,
            relays=source.relays,
            site=centre.url,
        )

    def _follow(self, course: _Course, run: int) -> bool:
        """Whether the end of the list was reached; False when somebody asked to stop."""
        for attempt in (1, 2):
            try:
                return self._pages(course, run)
            except HarvestError as error:
                if error.trouble not in _FRESH or attempt == 2:
                    raise
                log.info("harvest.again", source=course.source.id, why=error.trouble)
                self._sources.restart(course.source.id)
                since = course.source.since if error.trouble is Trouble.BAD_TOKEN else None
                course.source = _from(self._sources.get(course.source.id), since)
                course.asked = None
        raise AssertionError("unreachable")

    def _pages(self, course: _Course, run: int) -> bool:
        source, headers = course.source, self._headers(course.source)
        token, granularity = source.token, None
        course.asked = source.asked if token else None
        since = moment(source.since) if source.since and not token else None
        if not token:
            identity = harvest.identify(self._get, source.url, headers=headers, patience=self._patience)
            granularity = identity.granularity
            course.received.notes += _stranger(source, identity)
            since = self._since(source, identity, since)
            course.seen = set() if since is None and identity.deleted == "no" else None
        wanted = Wanted(source.prefix, asked_set(source), since)
        for batch in harvest.batches(
            self._get,
            source.url,
            wanted,
            token=token,
            headers=headers,
            patience=self._patience,
            granularity=granularity,
        ):
            self._take(course, batch, run)
            if not self._sources.renew(source.id, self._clock()) or self._stopped():
                return False
        self._drop_vanished(course)
        return True

    def _since(self, source: Source, identity: Identity, since: datetime | None) -> datetime | None:
        """From when to ask; from the beginning at times, where nobody tells of deletions."""
        if since is None or identity.deleted != "no":
            return since
        limit = self._clock() - WHOLE_AGAIN
        recent = self._runs.all(source=source.id, limit=100)
        if any(run.counts.get(_WHOLE) and run.ended and run.ended > limit for run in recent):
            return since
        return None

    def _headers(self, source: Source) -> Mapping[str, str]:
        secret = self._sources.secret(source.id)
        return {"Authorization": f"Bearer {secret}"} if secret else {}

    def _take(self, course: _Course, batch: Batch, run: int) -> None:
        if course.asked is None:
            course.asked = batch.at.isoformat()
        if course.seen is not None:
            course.seen |= {item.identifier for item in batch.items}
            if batch.skipped:
                course.seen = None  # what could not be read has not vanished
        course.received.notes += batch.skipped
        course.received.counts["unreadable"] += len(batch.skipped)
        if self._receiver is None:
            self._receiver = self._make()
        self._receiver.receive_items(
            batch.items,
            course.giver,
            course.received,
            lambda: self._sources.mark(course.source.id, token=batch.token, asked=course.asked),
        )
        course.pages += 1
        self._runs.note(run, course.received.counts, course.received.notes)
        self._progress(course.received, batch.size)

    def _drop_vanished(self, course: _Course) -> None:
        """After a list from the very beginning: what a repository without deletions has no more is gone."""
        if not course.seen:  # a list of nothing is more likely a fault there than the end of a fund
            return
        course.received.counts[_WHOLE] = 1
        for id, origin in self._kept(course.source):
            if origin.identifier not in course.seen:
                taken = self._mirrors.drop(id, origin, relayed=course.giver.relays)
                course.received.counts[taken] += 1

    def _kept(self, source: Source) -> Iterator[tuple[str, Origin]]:
        after = ""
        while ids := self._mirrors.of(source.centre, after):
            after = ids[-1]
            for id, origin in self._mirrors.origins(ids).items():
                if origin.source == source.id:
                    yield id, origin

    def _close(self, run: int, course: _Course, state: Ending, error: Exception | None = None) -> Run:
        trouble = getattr(error, "trouble", None) or getattr(error, "fault", None)
        counts = {name: count for name, count in course.received.counts.items() if count}
        log.info("harvest.ended", source=course.source.id, state=state, trouble=trouble, **counts)
        return self._runs.close(
            run,
            state,
            counts,
            now=self._clock(),
            trouble=str(trouble) if trouble else ("storage" if error else None),
            detail=str(error) if error else "",
            notes=course.received.notes,
        )


def asked_set(source: Source) -> str | None:
    """The set to ask for: of a Carbet that may speak for itself alone, its own records."""
    if source.set is None and source.prefix == CARBET and not source.relays:
        return f"centre:{source.centre}"
    return source.set


def _stranger(source: Source, identity: Identity) -> list[str]:
    """What is to be said when another Carbet answers than the one that was added."""
    if source.prefix != CARBET or identity.centre in (None, source.centre):
        return []
    return [
        f"ce site dit être le centre « {identity.centre} », et non « {source.centre} » : vérifiez l’adresse"
    ]


def _from(source: Source, since: str | None) -> Source:
    return dataclasses.replace(source, since=since, token=None, asked=None)


def centre_of(identity: Identity, site: str) -> Centre:
    """What a repository says of its centre, to be looked at before it is kept."""
    code = identity.centre or ""
    return Centre(
        code=code,
        name=identity.name,
        about=identity.description,
        url=site,
        contact=identity.emails[0] if identity.emails else "",
        public_key=identity.public_key,
    )
