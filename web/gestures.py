"""What a librarian does with records that wait, and how it is taken back.

Hides what is kept to undo the last gesture: in the signed cookie of the forms, for half an hour, by whom it
was done.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import session

from kb.errors import Conflict
from kb.records import Record, State
from web.curation_forms import changed, settled, stamp
from web.parts import Parts
from web.proposals import PERSON
from web.typography import counted, spaced

_KEPT = "dernier geste"
_SECONDS = 30 * 60  # that a gesture can be undone: later, nobody remembers what it was

VERDICTS: Mapping[str, State | None] = {"accept": State.ACCEPTED, "refuse": State.REFUSED, "seen": None}
"""What can be done with several records at once -> what becomes of themes left to decide."""


@dataclass(frozen=True, slots=True)
class Done:
    """A record that was looked at: its former version (0 when nothing changed), its state since, and what its
    review was."""

    record: str
    version: int
    state: str
    batch: int | None
    found: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gesture:
    """The last thing done, in words; ``key`` tells it from others."""

    key: str
    words: str
    done: tuple[Done, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a gesture on several records: those done, titles of those left since they had changed."""

    done: tuple[Done, ...]
    left: tuple[str, ...]


# -- doing


def keep(parts: Parts, before: Record, after: Record) -> None:
    """Save a record that goes on waiting; what was corrected by hand is doubtful no more. Inside a
    transaction."""
    parts.store.save(after)
    review = parts.reviews.get(after.id)
    if review is not None and (fields := changed(before, after)):
        found = {**review.found, **dict.fromkeys(fields, PERSON)}
        parts.reviews.open(after.id, found, review.batch)


def close(parts: Parts, after: Record) -> Done:
    """Save a record as it was decided and let it wait no more. Inside a transaction."""
    review = parts.reviews.get(after.id)
    saved = parts.store.save(after)
    version = parts.versions.of(after.id, 1)[0].number if saved else 0
    parts.reviews.close(after.id)
    batch, found = (review.batch, review.found) if review else (None, {})
    return Done(after.id, version, stamp(parts.store.get(after.id)), batch, found)


def settle(parts: Parts, shown: Mapping[str, str], verdict: str) -> Settled:
    """Do one thing with several records, each ``shown`` in a state; those that changed since are left."""
    state = VERDICTS[verdict]
    done, left = [], []
    with parts.store.transaction():
        held = parts.store.get_many(list(shown))
        for id, record in held.items():
            if stamp(record) != shown[id] or parts.reviews.get(id) is None:
                left.append(record.title)
            else:
                done.append(close(parts, settled(record, state) if state else record))
    return Settled(tuple(done), tuple(left))


# -- undoing


def remember(by: str, words: str, done: Iterable[Done]) -> None:
    """Keep what was done, so that it can be undone."""
    rows = [dataclasses.astuple(one) for one in done]
    session[_KEPT] = {
        "key": secrets.token_hex(4),
        "by": by,
        "at": int(time.time()),
        "words": words,
        "rows": rows,
    }


def last(by: str) -> Gesture | None:
    """What this person did last in this browser, if it can still be undone."""
    kept: dict[str, Any] | None = session.get(_KEPT)
    if kept is None or kept["by"] != by or time.time() - kept["at"] > _SECONDS:
        return None
    done = tuple(Done(*row) for row in kept["rows"])
    return Gesture(key=kept["key"], words=kept["words"], done=done)


def undo(parts: Parts, gesture: Gesture) -> None:
    """Bring records back to what they said before, and let them wait again. Raises Conflict, and changes
    nothing, when somebody has changed or deleted one since."""
    session.pop(_KEPT, None)
    with parts.store.transaction():
        held = parts.store.get_many([one.record for one in gesture.done])
        for one in gesture.done:
            record = held.get(one.record)
            if record is None or stamp(record) != one.state:
                raise Conflict
            if one.version:
                parts.store.save(_former(parts, record, one.version))
            parts.reviews.open(one.record, one.found, one.batch)


def _former(parts: Parts, record: Record, version: int) -> Record:
    """A version with the evidence that versions do not keep."""
    former = parts.versions.get(record.id, version).record
    evidence = {subject.concept: subject.evidence for subject in record.subjects}
    subjects = (dataclasses.replace(s, evidence=evidence.get(s.concept, ())) for s in former.subjects)
    return dataclasses.replace(former, subjects=tuple(subjects))


def words_of(settled_ones: Settled, verdict: str) -> str:
    """What was done with several records, in words."""
    number = len(settled_ones.done)
    what = {
        "accept": "acceptée, avec ce qui était proposé"
        if number == 1
        else "acceptées, avec ce qui était proposé",
        "refuse": "validée sans les thèmes restants" if number == 1 else "validées sans les thèmes restants",
        "seen": "marquée comme vue" if number == 1 else "marquées comme vues",
    }[verdict]
    return spaced(f"{counted(number, 'notice')} {what}.")
