"""Work on files that came in: what waits, who works on what, and how each ended.

Hides the leases. A worker *takes* a job for a time and says again and again that it is alive; when it dies,
the lease runs out and another one takes the job. What the work saves and the job's end are one transaction
(``finish`` raises Conflict for who lost the lease), so that a job runs at least once and is stored once. The
same key is never queued twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb.audit import Action, Trail, actor
from kb.connection import Database, next_value
from kb.errors import Conflict, NotFound
from kb.tables import batches, jobs

LEASE_SECONDS = 30.0
"""How long a worker may say nothing: beats come every 5 s, and a killed one's work is taken up soon."""

DELAYS = (5.0, 60.0, 600.0)
"""Seconds before each further attempt; a job that failed once more than there are delays has failed."""

URGENT, ORDINARY, SLOW = 0, 10, 20
"""Priorities: what a person watches, the rest, recognition of characters."""


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class BatchState(StrEnum):
    """Where a deposit stands: its jobs are taken, are left for now, or never will be."""

    OPEN = "open"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Files that came in together. ``source``: deposit, watch. ``actor`` as in the audit trail."""

    id: int
    name: str
    source: str
    actor: str
    state: BatchState
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work on one file. ``payload`` is what the worker needs; ``done`` of ``total`` steps are made;
    ``result`` and ``outcome`` are known once it is done. ``holder`` is the worker that has it, until
    ``lease`` (seconds since 1970) unless it says that it lives."""

    id: int
    batch: int
    kind: str
    name: str
    payload: Mapping[str, Any]
    state: JobState
    priority: int
    attempts: int
    holder: str | None
    lease: float | None
    done: int
    total: int
    result: str | None
    outcome: Mapping[str, Any]
    created: datetime
    finished: datetime | None


class Jobs:
    """The queue. One object serves all threads of a process; several processes may share the database."""

    def __init__(self, database: Database, trail: Trail) -> None:
        self._database = database
        self._trail = trail

    def together(self) -> AbstractContextManager[None]:
        """What is queued inside is queued together or not at all."""
        return self._database.transaction()

    # -- deposits

    def open_batch(self, name: str, source: str) -> int:
        """A deposit of whoever acts now, without jobs yet; its number."""
        with self._database.writing() as connection:
            id = next_value(connection, "batches")
            connection.execute(
                batches.insert().values(
                    id=id, name=name, source=source, actor=actor(), state=BatchState.OPEN, created=_now()
                )
            )
            self._trail.note(Action.DEPOSIT_OPENED, f"depot:{id}", None, {"name": name, "source": source})
        return id

    def batch(self, id: int) -> Batch:
        """A deposit. Raises NotFound."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(batches).where(batches.c.id == id)).first()
        if row is None:
            raise NotFound("deposit", str(id))
        return _batch(row)

    def batches(self, limit: int, offset: int = 0) -> tuple[Batch, ...]:
        """Deposits, the newest first."""
        query = sa.select(batches).order_by(batches.c.id.desc()).limit(limit).offset(offset)
        with self._database.reading() as connection:
            return tuple(_batch(row) for row in connection.execute(query))

    def stop(self, id: int) -> None:
        """Leave the jobs of a deposit for now; those that run go back to wait. Raises NotFound, Conflict."""
        self._turn(id, BatchState.OPEN, BatchState.STOPPED, Action.DEPOSIT_STOPPED)

    def resume(self, id: int) -> None:
        """Go on with a deposit that was stopped. Raises NotFound, Conflict."""
        self._turn(id, BatchState.STOPPED, BatchState.OPEN, Action.DEPOSIT_RESUMED)

    def cancel(self, id: int) -> None:
        """Give up what is not done yet; what is done stays. Who works on it loses the lease, so that a worker
        that has died holds nothing up. Raises NotFound, Conflict."""
        left = sa.and_(jobs.c.batch == id, jobs.c.state.in_((JobState.WAITING, JobState.RUNNING)))
        with self._database.writing() as connection:
            state = self.batch(id).state
            self._turn(id, state, BatchState.CANCELLED, Action.DEPOSIT_CANCELLED)
            gone = {"state": JobState.CANCELLED, "finished": _now(), "lease": None, "holder": None}
            connection.execute(jobs.update().where(left).values(gone))

    def _turn(self, id: int, before: BatchState, after: BatchState, action: Action) -> None:
        with self._database.writing() as connection:
            if self.batch(id).state is not before or before is BatchState.CANCELLED:
                raise Conflict(f"deposit {id} is not {before}")
            connection.execute(batches.update().where(batches.c.id == id).values(state=after))
            self._trail.note(action, f"depot:{id}")

    # -- the queue

    def add(
        self,
        batch: int,
        kind: str,
        name: str,
        payload: Mapping[str, Any],
        *,
        key: str,
        priority: int = ORDINARY,
    ) -> int:
        """Queue a job; its number. One that has this key already is left as it is, and its number given.

        Raises NotFound, Conflict when the deposit was cancelled.
        """
        with self._database.writing() as connection:
            known = connection.scalar(sa.select(jobs.c.id).where(jobs.c.key == key))
            if known is not None:
                return int(known)
            self._refuse_cancelled(batch)
            id = next_value(connection, "jobs")
            values = {"id": id, "batch": batch, "kind": kind, "key": key, "name": name, "created": _now()}
            values |= {"state": JobState.WAITING, "priority": priority, "attempts": 0, "due": time.time()}
            body = json.dumps(dict(payload), ensure_ascii=False)
            connection.execute(jobs.insert().values(**values, payload=body, done=0, total=0))
        return id

    def take(self, holder: str, *, now: float | None = None) -> Job | None:
        """The next job that is due, leased to ``holder``; None when there is none.

        ``attempts`` counts this one. Jobs whose worker has died are due again.
        """
        now = time.time() if now is None else now
        # Looked for without the lock of a writer first: most looks find nothing.
        if self._due(now, lock=False) is None:
            return None
        with self._database.writing() as connection:
            row = self._due(now, lock=True)
            if row is None:
                return None
            values = {"state": JobState.RUNNING, "holder": holder, "lease": now + LEASE_SECONDS}
            values |= {"attempts": row.attempts + 1, "done": 0, "total": 0}
            connection.execute(jobs.update().where(jobs.c.id == row.id).values(values))
            return self.job(row.id)

    def _due(self, now: float, *, lock: bool) -> Any:
        waits = sa.and_(jobs.c.state == JobState.WAITING, jobs.c.due <= now)
        left = sa.and_(jobs.c.state == JobState.RUNNING, jobs.c.lease < now)
        query = (
            sa.select(jobs.c.id, jobs.c.attempts)
            .join(batches, batches.c.id == jobs.c.batch)
            .where(sa.or_(waits, left), batches.c.state == BatchState.OPEN)
            .order_by(jobs.c.priority, jobs.c.due, jobs.c.id)
            .limit(1)
        )
        with self._database.reading() as connection:
            return connection.execute(
                query.with_for_update(skip_locked=True, of=jobs) if lock else query
            ).first()

    def beat(self, job: Job, done: int = 0, total: int = 0, *, now: float | None = None) -> bool:
        """Say that the worker lives, and how far it is; False when it shall stop: the lease is lost, or the
        deposit was stopped or cancelled."""
        now = time.time() if now is None else now
        values = {"lease": now + LEASE_SECONDS} | ({"done": done, "total": total} if total else {})
        with self._database.writing() as connection:
            ours = connection.execute(jobs.update().where(_held(job)).values(values)).rowcount
            return bool(ours) and self.batch(job.batch).state is BatchState.OPEN

    def finish(self, job: Job, result: str, outcome: Mapping[str, Any]) -> None:
        """Note how a job ended, in the transaction of what it saved. Raises Conflict when the lease is lost:
        then nothing of that transaction may stay."""
        values = {"state": JobState.DONE, "result": result, "finished": _now(), "lease": None, "holder": None}
        body = json.dumps(dict(outcome), ensure_ascii=False)
        self._settle(job, values | {"outcome": body})

    def defer(self, job: Job, kind: str, priority: int) -> None:
        """Queue a job again as another kind of work on the same file. Raises Conflict."""
        again = {"state": JobState.WAITING, "kind": kind, "priority": priority, "attempts": 0}
        self._settle(job, again | {"due": time.time(), "lease": None, "holder": None, "done": 0, "total": 0})

    def release(self, job: Job) -> None:
        """Give a job back that was interrupted through no fault of its own; nothing when it was lost."""
        values = {"state": JobState.WAITING, "attempts": job.attempts - 1, "due": time.time()}
        with self._database.writing() as connection:
            connection.execute(
                jobs.update().where(_held(job)).values(values | {"lease": None, "holder": None})
            )

    def postpone(self, job: Job, *, now: float | None = None) -> bool:
        """Try again later after a failure; False when it was tried often enough. Raises Conflict."""
        if job.attempts > len(DELAYS):
            return False
        due = (time.time() if now is None else now) + DELAYS[job.attempts - 1]
        self._settle(job, {"state": JobState.WAITING, "due": due, "lease": None, "holder": None})
        return True

    def retry(self, id: int) -> None:
        """Do a job that has ended once more. Raises NotFound, Conflict when it has not ended or when its
        deposit was cancelled."""
        again = {"state": JobState.WAITING, "attempts": 0, "due": time.time(), "priority": URGENT}
        again |= {"result": None, "outcome": None, "finished": None, "done": 0, "total": 0}
        with self._database.writing() as connection:
            # Looked at inside: asked twice at once, the second would take it from who works on it by then.
            job = self.job(id)
            if job.state not in (JobState.DONE, JobState.CANCELLED):
                raise Conflict(f"job {id} is {job.state}")
            self._refuse_cancelled(job.batch)
            connection.execute(jobs.update().where(jobs.c.id == id).values(again))

    def _refuse_cancelled(self, batch: int) -> None:
        if self.batch(batch).state is BatchState.CANCELLED:
            raise Conflict(f"deposit {batch} was cancelled")

    def amend(self, id: int, payload: Mapping[str, Any]) -> None:
        """Add to what the worker is told of a job. Raises NotFound."""
        with self._database.writing() as connection:
            body = json.dumps({**self.job(id).payload, **payload}, ensure_ascii=False)
            connection.execute(jobs.update().where(jobs.c.id == id).values(payload=body))

    def _settle(self, job: Job, values: Mapping[str, Any]) -> None:
        with self._database.writing() as connection:
            if not connection.execute(jobs.update().where(_held(job)).values(values)).rowcount:
                raise Conflict(f"job {job.id} is not {job.holder}'s any more")

    # -- looking

    def job(self, id: int) -> Job:
        """One job. Raises NotFound."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.id == id)).first()
        if row is None:
            raise NotFound("job", str(id))
        return _job(row)

    def of(
        self, batch: int, *, results: Sequence[str] = (), limit: int = 100, offset: int = 0
    ) -> tuple[Job, ...]:
        """Jobs of a deposit in the order in which they came; only those that ended so, if asked."""
        query = sa.select(jobs).where(jobs.c.batch == batch)
        if results:
            query = query.where(jobs.c.result.in_(results))
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(jobs.c.id).limit(limit).offset(offset))
            return tuple(_job(row) for row in found)

    def running(self, batch: int) -> tuple[Job, ...]:
        """Jobs of a deposit that are worked on."""
        query = sa.select(jobs).where(jobs.c.batch == batch, jobs.c.state == JobState.RUNNING)
        with self._database.reading() as connection:
            return tuple(_job(row) for row in connection.execute(query.order_by(jobs.c.id)))

    def counts(self, batch: int | None = None) -> dict[str, int]:
        """Jobs by how they ended, or by state (queued, running, cancelled) when they have not. ``waiting``
        is an end: a document that waits to be read."""
        stands = sa.func.coalesce(jobs.c.result, jobs.c.state)
        query = sa.select(stands, sa.func.count()).group_by(stands)
        if batch is not None:
            query = query.where(jobs.c.batch == batch)
        with self._database.reading() as connection:
            return {str(name): int(count) for name, count in connection.execute(query)}

    def rate(self, batch: int, seconds: float) -> float:
        """Jobs of a deposit that ended in the last ``seconds``, a second."""
        since = datetime.now(UTC) - timedelta(seconds=seconds)
        ended = sa.and_(jobs.c.batch == batch, jobs.c.finished >= since.isoformat())
        query = sa.select(sa.func.count(), sa.func.min(jobs.c.finished)).where(ended)
        with self._database.reading() as connection:
            count, first = connection.execute(query).one()
        if not count:
            return 0.0
        taken = (datetime.now(UTC) - datetime.fromisoformat(first)).total_seconds()
        return float(count / max(taken, 1.0))

    def oldest_due(self, *, now: float | None = None) -> float | None:
        """Seconds for which the first job of an open deposit has been due, while none runs; else None."""
        now = time.time() if now is None else now
        running = sa.select(jobs.c.id).where(jobs.c.state == JobState.RUNNING, jobs.c.lease >= now)
        query = (
            sa.select(sa.func.min(jobs.c.due))
            .join(batches, batches.c.id == jobs.c.batch)
            .where(jobs.c.state == JobState.WAITING, batches.c.state == BatchState.OPEN)
        )
        with self._database.reading() as connection:
            due = connection.scalar(query)
            if due is None or due > now or connection.scalar(running.limit(1)) is not None:
                return None
            return now - float(due)

    def ended_since(self, since: datetime) -> tuple[Job, ...]:
        """Jobs that were done since then (UTC), in the order of their coming."""
        query = sa.select(jobs).where(jobs.c.state == JobState.DONE, jobs.c.finished >= since.isoformat())
        with self._database.reading() as connection:
            return tuple(_job(row) for row in connection.execute(query.order_by(jobs.c.id)))

    def knows(self, key: str) -> bool:
        """Whether a job has this key."""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(jobs.c.id).where(jobs.c.key == key)) is not None

    def every(self) -> tuple[Job, ...]:
        """All jobs, for the doctor."""
        with self._database.reading() as connection:
            return tuple(_job(row) for row in connection.execute(sa.select(jobs).order_by(jobs.c.id)))


def _held(job: Job) -> sa.ColumnElement[bool]:
    # The attempt too: who lost a lease and took the job again must not settle it with what it held before.
    ours = sa.and_(jobs.c.holder == job.holder, jobs.c.attempts == job.attempts)
    return sa.and_(jobs.c.id == job.id, jobs.c.state == JobState.RUNNING, ours)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _batch(row: Any) -> Batch:
    return Batch(
        id=row.id,
        name=row.name,
        source=row.source,
        actor=row.actor,
        state=BatchState(row.state),
        created=datetime.fromisoformat(row.created),
    )


def _job(row: Any) -> Job:
    return Job(
        id=row.id,
        batch=row.batch,
        kind=row.kind,
        name=row.name,
        payload=json.loads(row.payload),
        state=JobState(row.state),
        priority=row.priority,
        attempts=row.attempts,
        holder=row.holder,
        lease=row.lease,
        done=row.done,
        total=row.total,
        result=row.result,
        outcome=json.loads(row.outcome) if row.outcome else {},
        created=datetime.fromisoformat(row.created),
        finished=datetime.fromisoformat(row.finished) if row.finished else None,
    )
