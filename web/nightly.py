"""What is done once a day behind the pages: forgetting what is due, noticing what grew old, reminding,
proposing what the key words of other centres mean.

Hides which process does it (the first that looks), at what hour, and that a task which fails keeps no other
from its turn. Nothing that a failure says is logged but its kind and place: it may hold words of somebody.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import structlog

from ingest.aligning import propose_together
from kb.publishing import after_months
from web import desk_letters, kept_log, kept_mail, reviewing_answers
from web.parts import Parts

log = structlog.get_logger()

HOUR = 2
"""Of the centre's clock, from which the day's tasks are done: nobody waits for a page then. A machine that is
off at night does them when it is on again."""

Task = Callable[[Parts, datetime], int | None]
"""Does something; tells how much of it, for the log."""


def _forget_askers(parts: Parts, now: datetime) -> int:
    return parts.privacy.expire(now=now)


def _sweep_letters(parts: Parts, _: datetime) -> int:
    return parts.privacy.sweep_letters()


def _forget_misses(parts: Parts, now: datetime) -> None:
    today = now.astimezone(parts.calendar.zone).date()
    parts.misses.forget(after_months(today, -parts.config.retention_months))


def _restrict_answers(parts: Parts, _: datetime) -> int:
    return parts.publications.restrict()


def _drop_waiting(parts: Parts, now: datetime) -> None:
    kept_mail.sweep(parts, now.timestamp())
    kept_log.sweep(parts, now.timestamp())


def _propose_words(parts: Parts, _: datetime) -> int:
    return propose_together(parts.store, parts.alignments)


def _spread_words(parts: Parts, now: datetime) -> int:
    return parts.alignments.spread(now)


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "forget-askers": _forget_askers,
        "sweep-letters": _sweep_letters,
        "forget-misses": _forget_misses,
        "review-answers": reviewing_answers.notice_all,
        "propose-words": _propose_words,
    }
)
"""Each at most once a day, whichever process looks first."""

LOOKS: Mapping[str, Task] = MappingProxyType(
    {
        "remind-overdue": desk_letters.remind_overdue,
        "drop-waiting": _drop_waiting,
        "restrict-answers": _restrict_answers,
        "spread-words": _spread_words,
    }
)
"""Done at each look: they know by themselves what is due."""


def nightly(parts: Parts, now: datetime | None = None) -> None:
    """Do what is due by now; asked again, it does nothing twice. What failed is tried again the next day."""
    now = now or datetime.now(UTC)
    local = now.astimezone(parts.calendar.zone)
    for name, look in LOOKS.items():
        _do(parts, name, look, now)
    if local.hour >= HOUR:
        for name, task in TASKS.items():
            if parts.store.database.once(f"nightly:{name}:{local.date().isoformat()}"):
                _do(parts, name, task, now)


def _do(parts: Parts, name: str, task: Task, now: datetime) -> None:
    try:
        done = task(parts, now)
    except Exception as error:  # an edge: one task never stops the others
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        log.error("nightly.failed", task=name, why=type(error).__name__, where=where)
    else:
        if done:
            log.info("nightly.done", task=name, count=done)
