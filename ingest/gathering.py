"""Records of several centres that tell of one work, found as records change.

Hides the place in the change feed up to which works are known. Whoever saves a record needs to say nothing:
all that leaves a line in the feed is looked at, before the index is brought up to it. Where there is no
record of another centre nothing is done; with the first one that comes, all records are looked at once.
"""

from __future__ import annotations

from ingest.same_work import likeness, marks
from kb.database import Store
from kb.records import Record
from kb.works import Works

BATCH = 25
"""Records placed in one transaction, some 5 ms each: others who write wait meanwhile."""


def gather(store: Store, works: Works, *, most: int | None = None) -> int:
    """Find the works of what changed since last time, of about ``most`` records at most; number of records
    looked at. Several processes may do so at once: they take turns, and what is cut short goes on where it
    was."""
    done = 0
    while works.wanted() and works.reached() < store.position() and (most is None or done < most):
        done += _gather_some(store, works)
    return done


def _gather_some(store: Store, works: Works) -> int:
    with store.transaction():
        # The place is read again, now that nobody else writes.
        changes = store.changes(works.reached(), BATCH)
        held = store.as_received([change.id for change in changes])
        for change in changes:
            if (record := held.get(change.id)) is not None:
                works.place(record, marks(record), _like)
            else:
                works.forget(change.id, _like)
        if changes:
            works.reach(changes[-1].seq)
    return len(changes)


def _like(record: Record, other: Record) -> float:
    return likeness(record, other).score
