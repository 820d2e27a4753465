"""The report of the week: what came in, what waits for somebody, what was read badly.

Hides when it is due: once a week, on the first look of Monday in the centre's time, by whichever process
looks first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from ingest.clerk import REREAD
from kb.audit import Action
from kb.config import Config
from kb.errors import InvalidValue, Reason
from kb.jobs import Job
from kb.records import Quality
from web.messages import STATUSES, STATUSES_OF_MANY, reason_in_full
from web.parts import Parts
from web.typography import counted, spaced, written_date

log = structlog.get_logger()

_WEEK = timedelta(days=7)
_NAMED = 5  # files named of a reason: the page of the deposit has them all


_POOR = (Quality.SCAN, Quality.GARBLED, Quality.SPLIT)


@dataclass(frozen=True, slots=True)
class Week:
    """What the report says of the time from ``since`` to ``until`` (UTC), and of what waits now."""

    since: datetime
    until: datetime
    records: int
    files: Mapping[str, int]
    refused: tuple[Job, ...]
    reviews: int
    doubts: int
    poor: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing came in and nothing waits for anybody: pages that were read badly long ago are no
        news."""
        return not (self.records or self.files or self.reviews or self.doubts)


def of_week(parts: Parts, now: datetime) -> Week:
    """The seven days before ``now`` (UTC)."""
    since = now - _WEEK
    ended = [job for job in parts.jobs.ended_since(since) if job.kind != REREAD]
    qualities = parts.store.page_qualities()
    return Week(
        since=since,
        until=now,
        records=parts.trail.count(Action.RECORD_CREATED, since),
        files=Counter(str(job.result) for job in ended),
        refused=tuple(job for job in ended if job.result in ("refused", "waiting")),
        reviews=parts.reviews.count(),
        doubts=parts.doubts.open(1)[1],
        poor=sum(qualities.get(quality, 0) for quality in _POOR),
    )


def written(week: Week, config: Config) -> str:
    """The report as the text of a letter."""
    zone = ZoneInfo(config.time_zone)
    first, last = (written_date(day.astimezone(zone).date().isoformat()) for day in (week.since, week.until))
    lines = ["Bonjour,", "", f"Voici ce qui s’est passé dans le fonds du {first} au {last}.", ""]
    lines.append(f"{counted(week.records, 'notice entrée', 'notices entrées')}.")
    lines += [_files(name, count) for name, count in week.files.items()]
    lines += [*_refused(week.refused), "", *_waiting(week, config.public_url.rstrip("/"))]
    return spaced("\n".join(lines) + "\n")


def _files(name: str, count: int) -> str:
    words = STATUSES if count < 2 else STATUSES_OF_MANY
    return f"- {counted(count, 'fichier')} : {words.get(name, name)}"


def _refused(jobs: Sequence[Job]) -> Iterator[str]:
    if not jobs:
        return
    yield from ("", "Fichiers qui ne sont pas encore dans le fonds :")
    for code, count in Counter(job.outcome["reason"] for job in jobs).most_common():
        names = [job.name for job in jobs if job.outcome["reason"] == code][:_NAMED]
        others = f" et {counted(count - _NAMED, 'autre')}" if count > _NAMED else ""
        yield f"- {', '.join(names)}{others}. {reason_in_full(Reason(code))}"


def _waiting(week: Week, root: str) -> Iterator[str]:
    """What somebody should see to, with links when the public address is known."""
    asked = (
        (counted(week.reviews, "notice à valider", "notices à valider"), week.reviews, "/a-valider"),
        (counted(week.doubts, "doublon possible", "doublons possibles"), week.doubts, "/doublons"),
        (counted(week.poor, "page mal lue", "pages mal lues"), week.poor, "/etat-de-lecture"),
    )
    if not any(count for _, count, _ in asked):
        yield "Rien ne vous attend. Bonne semaine."
        return
    yield "Ce qui vous attend :"
    for words, count, path in asked:
        if count:
            yield f"- {words}" + (f" : {root}{path}" if root else "")


def send_weekly(parts: Parts, now: datetime | None = None) -> int:
    """Queue the report for those who are to have it, if that of this week has not been and there is
    something to say; letters queued."""
    now = now or datetime.now(UTC)
    given = parts.config.report_to.split(",")
    addresses = dict.fromkeys(address.strip() for address in given if address.strip())
    if not addresses:
        return 0
    year, number, _ = now.astimezone(ZoneInfo(parts.config.time_zone)).isocalendar()
    with parts.store.transaction():
        if not parts.store.database.once(f"report:{year}-{number:02}"):
            return 0
        week = of_week(parts, now)
        return 0 if week.is_empty else sum(_put(parts, address, week) for address in addresses)


def _put(parts: Parts, address: str, week: Week) -> bool:
    """Whether it could be queued; one address that is wrong does not keep it from the others."""
    try:
        title = f"{parts.config.centre_name} : la semaine du fonds"
        parts.outbox.put(address, spaced(title), written(week, parts.config))
    except InvalidValue as error:
        log.error("report.address", address=address, why=str(error))
        return False
    return True
