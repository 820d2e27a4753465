"""The figures of the service, counted from its log.

Hides how a question's log becomes one *case*: how long it took in working days, less those that the desk
waited for the asker, how much work it was, whether a past answer served. Every figure of a report is a count
of cases, so that it can be counted again. What is kept of a question after its asker is forgotten is enough
for all of them. The log is added up by the database, and no word of a question is read.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kb.connection import Database
from kb.desk_tables import publications, questions, steps
from kb.questions import OPEN, Channel, QuestionState
from kb.servicelog import StepKind
from kb.workdays import Calendar

_S = QuestionState
_READ_AT_ONCE = 500

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question as the figures see it. ``received`` and ``answered`` are days in the centre's time, that
    of the first answer; ``days`` the working days that it took; ``due`` the day on which it is owed;
    ``minutes`` and ``effort``, the highest level of the READ scale, are of all that was noted, for the
    questions that were merged into it too."""

    question: int
    reference: str
    received: date
    channel: Channel
    actor: str | None
    territory: str | None
    themes: tuple[str, ...]
    state: QuestionState
    due: date
    answered: date | None
    days: int | None
    minutes: int
    effort: int | None
    reused: bool

    @property
    def month(self) -> str:
        """Month of reception, "2026-03"."""
        return f"{self.received:%Y-%m}"

    @property
    def top_themes(self) -> tuple[str, ...]:
        """The broadest themes, each once: "T03" for "T03-02"."""
        return tuple(dict.fromkeys(code.partition("-")[0] for code in self.themes))

    @property
    def is_open(self) -> bool:
        """Whether its first answer is still owed."""
        return self.answered is None and self.state in OPEN

    @property
    def is_closed_without(self) -> bool:
        """Whether it ended without an answer."""
        return self.answered is None and self.state not in OPEN

    def is_overdue(self, today: date) -> bool:
        """Whether its first answer is still owed, its deadline is over, and nobody waits for the asker."""
        return self.answered is None and self.state in (_S.RECEIVED, _S.IN_HAND) and self.due < today

    def is_missing(self, today: date) -> bool:
        """Whether an answer is missing: it ended without one, or it is overdue."""
        return self.is_closed_without or self.is_overdue(today)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month: questions that came, how many of them were answered, and how many within the promised
    days."""

    name: str
    received: int
    answered: int
    in_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a report says of the questions received in a time.

    ``received`` is ``answered`` + ``open`` + ``closed_without``; ``overdue`` of the open ones are late today,
    ``again`` of the answered ones are in hand once more. ``in_time`` answers left within ``promised`` working
    days, and ``within`` is their share (0 to 1) of the answers; ``median_days`` and ``days_90`` are the
    working days by which half and nine in ten of them had left; None without any. ``timed`` questions have a
    time noted, ``minutes`` together. ``saved_minutes`` is an estimate, see ``saved``. Counts by code are
    largest first; a question without a code is in none of them, one with several themes in each; themes are
    the broadest ones.
    """

    promised: int
    received: int
    answered: int
    open: int
    overdue: int
    closed_without: int
    again: int
    in_time: int
    median_days: float | None
    days_90: int | None
    within: float | None
    minutes: int
    timed: int
    reused: int
    saved_minutes: int | None
    months: tuple[Month, ...]
    channels: Mapping[str, int]
    actors: Mapping[str, int]
    territories: Mapping[str, int]
    themes: Mapping[str, int]
    without_theme: int
    efforts: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published answer: its record, its title, and the day on which it was made public."""

    record: str
    title: str
    day: date


# -- reading the log


def cases(database: Database, calendar: Calendar, since: date, until: date) -> tuple[Case, ...]:
    """The questions received from ``since`` to ``until`` (days in the centre's time, both included), in
    order; those merged into another one are that one's."""
    first, last = _moments(since, until, calendar.zone)
    s = steps.c
    came = sa.select(s.question).where(s.kind == StepKind.RECEIVED, s.at >= first, s.at < last)
    totals = _totals(came)
    query = sa.select(
        *(questions.c[name] for name in ("id", "reference", "actor", "territory", "themes", "state", "due")),
        *(c for c in totals.c if c.name != "question"),
    ).join(totals, totals.c.question == questions.c.id)
    with database.reading() as connection:
        rows = connection.execute(query.where(questions.c.merged_into.is_(None))).all()
        parts = _parts(connection)
        waiting = [row.id for row in rows if row.waited and row.answered]
        waited = _waited(connection, waiting, calendar)
    found = (_case(row, parts.get(row.id, ()), waited[row.id], calendar) for row in rows)
    return tuple(sorted(found, key=lambda case: (case.received, case.question)))


def _moments(since: date, until: date, zone: ZoneInfo) -> tuple[str, str]:
    """When these days begin and have ended, as the log writes it."""
    ends = (datetime.combine(day, time(), zone) for day in (since, until + timedelta(1)))
    first, last = (moment.astimezone(UTC).isoformat() for moment in ends)
    return first, last


def _totals(of: sa.Select[Any]) -> sa.Subquery:
    """The log of these questions, added up for each."""
    s = steps.c
    received = s.kind == StepKind.RECEIVED
    query = sa.select(
        s.question,
        sa.func.min(sa.case((received, s.at))).label("received"),
        sa.func.max(sa.case((received, s.channel))).label("channel"),
        sa.func.min(sa.case((s.after == _S.ANSWERED, s.at))).label("answered"),
        sa.func.max(sa.case((s.after == _S.WAITING, 1), else_=0)).label("waited"),
        sa.func.coalesce(sa.func.sum(s.minutes), 0).label("minutes"),
        sa.func.max(s.effort).label("effort"),
        sa.func.max(sa.case((s.kind == StepKind.REUSED, 1), else_=0)).label("reused"),
    )
    return query.where(s.question.in_(of)).group_by(s.question).subquery()


def _parts(connection: sa.Connection) -> Mapping[int, Sequence[Any]]:
    """What the log adds up to for the questions that were merged, by the one that each is a part of now."""
    gone = questions.c.merged_into.is_not(None)
    into: dict[int, int] = {
        row.id: row.merged_into
        for row in connection.execute(sa.select(questions.c.id, questions.c.merged_into).where(gone))
    }
    if not into:
        return {}
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(sa.select(_totals(sa.select(questions.c.id).where(gone)))):
        whole = row.question
        while whole in into:
            whole = into[whole]
        found[whole].append(row)
    return found


def _waited(connection: sa.Connection, ids: Sequence[int], calendar: Calendar) -> Counter[int]:
    """Working days that the desk waited for the asker, until the first answer."""
    s = steps.c
    days: Counter[int] = Counter()
    for start in range(0, len(ids), _READ_AT_ONCE):
        these = s.question.in_(ids[start : start + _READ_AT_ONCE])
        query = sa.select(s.question, s.at, s.before, s.after).where(these, s.after.is_not(None))
        since: dict[int, datetime] = {}
        done: set[int] = set()
        for row in connection.execute(query.order_by(s.id)):
            if row.question in done:
                continue
            at = datetime.fromisoformat(row.at)
            if row.after == _S.WAITING:
                since[row.question] = at
            elif row.before == _S.WAITING and (began := since.pop(row.question, None)):
                days[row.question] += calendar.between(began, at)
            if row.after == _S.ANSWERED:
                done.add(row.question)
    return days


def _case(row: Any, parts: Sequence[Any], waited: int, calendar: Calendar) -> Case:
    came = datetime.fromisoformat(row.received).astimezone(calendar.zone)
    answered = datetime.fromisoformat(row.answered).astimezone(calendar.zone) if row.answered else None
    efforts = [one.effort for one in (row, *parts) if one.effort is not None]
    return Case(
        question=row.id,
        reference=row.reference,
        received=came.date(),
        channel=Channel(row.channel),
        actor=row.actor,
        territory=row.territory,
        themes=tuple(row.themes.split()),
        state=_S(row.state),
        due=date.fromisoformat(row.due),
        answered=answered.date() if answered else None,
        days=max(0, calendar.between(came, answered) - waited) if answered else None,
        minutes=sum(int(one.minutes) for one in (row, *parts)),
        effort=max(efforts, default=None),
        reused=any(one.reused for one in (row, *parts)),
    )


def published(database: Database, zone: ZoneInfo, since: date, until: date) -> tuple[Published, ...]:
    """The answers made public from one day to another, both included, and still public, newest first."""
    first, last = _moments(since, until, zone)
    p = publications.c
    query = sa.select(p.record, p.title, p.published)
    query = query.where(p.record.is_not(None), p.published >= first, p.published < last)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(p.published.desc(), p.question.desc())).all()
    days = [datetime.fromisoformat(row.published).astimezone(zone).date() for row in rows]
    return tuple(
        Published(record=row.record, title=row.title, day=day) for row, day in zip(rows, days, strict=True)
    )


# -- counting


def figures(some: Sequence[Case], promised: int, since: date, until: date, *, today: date) -> Figures:
    """The figures of these cases, received from ``since`` to ``until``; ``promised`` is within how many
    working days the centre says to answer, ``today`` the day on which what is open is late or not."""
    days = sorted(case.days for case in some if case.days is not None)
    in_time = sum(n <= promised for n in days)
    return Figures(
        promised=promised,
        received=len(some),
        answered=len(days),
        open=sum(case.is_open for case in some),
        overdue=sum(case.is_overdue(today) for case in some),
        closed_without=sum(case.is_closed_without for case in some),
        again=sum(case.answered is not None and case.state in OPEN for case in some),
        in_time=in_time,
        median_days=float(median(days)) if days else None,
        days_90=days[math.ceil(0.9 * len(days)) - 1] if days else None,
        within=in_time / len(days) if days else None,
        minutes=sum(case.minutes for case in some),
        timed=sum(case.minutes > 0 for case in some),
        reused=sum(case.reused for case in some),
        saved_minutes=saved(some),
        months=tuple(_months(some, promised, since, until)),
        channels=_counted(str(case.channel) for case in some),
        actors=_counted(case.actor for case in some if case.actor),
        territories=_counted(case.territory for case in some if case.territory),
        themes=_counted(theme for case in some for theme in case.top_themes),
        without_theme=sum(not case.themes for case in some),
        efforts=_counted(case.effort for case in some if case.effort is not None),
    )


def _counted(values: Iterable[Key]) -> Mapping[Key, int]:
    counts = Counter(values)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0]))))


def saved(some: Iterable[Case]) -> int | None:
    """Minutes that past answers saved, estimated: for each answer that reused one, the median time of the
    answers of the same time that did not, less its own; never less than nothing. None when no time was noted
    for one kind or the other."""
    timed = [case for case in some if case.minutes and case.answered is not None]
    alone = [case.minutes for case in timed if not case.reused]
    again = [case.minutes for case in timed if case.reused]
    if not alone or not again:
        return None
    usual = median(alone)
    return round(sum(max(0.0, usual - minutes) for minutes in again))


def _months(some: Sequence[Case], promised: int, since: date, until: date) -> Iterator[Month]:
    """Every month, those without a question too."""
    by_month: defaultdict[str, list[Case]] = defaultdict(list)
    for case in some:
        by_month[case.month].append(case)
    year, month = since.year, since.month
    while (year, month) <= (until.year, until.month):
        these = by_month[f"{year}-{month:02}"]
        yield Month(
            name=f"{year}-{month:02}",
            received=len(these),
            answered=sum(case.days is not None for case in these),
            in_time=sum(case.days is not None and case.days <= promised for case in these),
        )
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def missing(some: Iterable[Case], today: date) -> Counter[tuple[str, int]]:
    """Questions whose answer is missing by (theme, year of reception): where the fund may be thin."""
    return Counter(
        (theme, case.received.year) for case in some if case.is_missing(today) for theme in case.top_themes
    )
