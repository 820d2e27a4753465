"""Views of the figures of the service: by month, theme, territory, and the report.

Hides what a page of figures is put together from: cases of the log, what the fund holds, searches in vain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from flask import Blueprint, Response, request

from kb import activity
from kb.accounts import Right
from kb.activity import Case, Figures
from kb.desk import Wanted
from kb.errors import InvalidValue, NotFound
from kb.misses import Miss
from web import activity_charts, activity_holdings, activity_period, activity_words
from web.activity_holdings import Columns, Held, Thin
from web.activity_period import Period
from web.activity_words import Tile
from web.figures import Cell, Chart, as_csv
from web.figures import Figures as Table
from web.guard import EXPORTS, fund, needs
from web.notices import Link, record_url
from web.rendering import parts, shown

views = Blueprint("activity", __name__)

_MISSES = 40  # searches in vain that are looked at: what was sought most
_MISSES_SHOWN = 15
_MISSING_SHOWN = 20
_REPORTED = ("mois", "theme", "acteur", "canal", "effort", "territoire")
"""The charts in the order that leaves least of each sheet of a report empty."""

_REPORTED_FROM = 2
"""How often words were sought in vain before a report that leaves the centre shows them: what one person
typed once may be a name."""


@dataclass(frozen=True, slots=True)
class MissingView:
    """A question whose answer is missing."""

    reference: str
    received: date
    themes: str
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """The figures of a time; ``ever``: whether anybody has ever asked anything. ``charts`` stand with the
    addresses of their CSV."""

    period: Period
    ever: bool
    fault: tuple[str, str] | None
    choices: tuple[Link, ...]
    some: Figures
    tiles: tuple[Tile, ...]
    charts: tuple[tuple[Chart, str], ...]
    grid: Chart
    small_grid: Chart
    grid_csv: str
    thin: tuple[Thin, ...]
    misses: tuple[Miss, ...]
    misses_csv: str
    missing: tuple[MissingView, ...]
    missing_count: int
    report_url: str
    cases_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """The report of a time, for those who fund the service."""

    period: Period
    today: date
    some: Figures
    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
    charts: tuple[Chart, ...]
    grid: Chart
    thin: tuple[Thin, ...]
    misses: tuple[Miss, ...]
    published: tuple[tuple[Link, date], ...]
    back_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The figures for programs: days in ISO 8601, codes, minutes, shares from 0 to 1. ``before`` is of the
    time that this one is compared with; ``holdings`` are records by theme and year, ``missing`` questions
    whose answer is missing by theme and year, ``misses`` searches in vain."""

    period: Mapping[str, str]
    figures: Figures
    before: Figures
    holdings: Mapping[str, Mapping[str, int]]
    missing: Mapping[str, Mapping[str, int]]
    misses: tuple[Miss, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A time as it was read: its cases and figures, those of the time before, what the fund holds."""

    period: Period
    today: date
    cases: tuple[Case, ...]
    some: Figures
    before: Figures
    held: tuple[Held, ...]
    misses: Sequence[Miss]

    @property
    def missing(self) -> Mapping[tuple[str, int], int]:
        return activity.missing(self.cases, self.today)

    def charts(self) -> tuple[Chart, ...]:
        return tuple(draw(self.some, fund().labels) for draw in activity_charts.DRAWN.values())

    def grid(self, by: Columns) -> Chart:
        return activity_holdings.grid(self.held, self.missing, self.today.year, by)

    def thin(self, misses: Sequence[Miss]) -> tuple[Thin, ...]:
        year = self.today.year
        return activity_holdings.thinnest(self.held, self.missing, misses, fund().thesaurus, year)


def _today() -> date:
    return datetime.now(UTC).astimezone(parts().calendar.zone).date()


def _read(period: Period, today: date) -> _Reading:
    some = _cases(period.first, period.last)
    return _Reading(
        period=period,
        today=today,
        cases=some,
        some=_figures(some, period.first, period.last, today),
        before=_figures(
            _cases(period.before_first, period.before_last), period.before_first, period.before_last, today
        ),
        held=activity_holdings.held(fund()),
        misses=parts().misses.most(period.first, period.last, _MISSES),
    )


def _cases(first: date, last: date) -> tuple[Case, ...]:
    return activity.cases(parts().store.database, parts().calendar, first, last)


def _figures(some: Sequence[Case], first: date, last: date, today: date) -> Figures:
    return activity.figures(some, parts().config.answer_days, first, last, today=today)


@views.get("/activite")
@views.get("/activite.json")
@needs(Right.READ_ACTIVITY)
def figures() -> Response:
    """The figures of a time: key figures, charts, what the fund lacks."""
    today, fault = _today(), None
    try:
        period = activity_period.read(request.args, today)
    except InvalidValue as error:
        if request.path.endswith(".json"):
            raise
        period, fault = activity_period.of_year(today.year, today), (error.field, error.why)
    reading = _read(period, today)
    if request.path.endswith(".json"):
        return shown("", _numbers(reading))
    page = _page(reading, fault)
    return shown("activity.html", page, section="activite", status=400 if fault else 200)


def _page(reading: _Reading, fault: tuple[str, str] | None) -> ActivityPage:
    period, query = reading.period, reading.period.query
    missing = [case for case in reversed(reading.cases) if case.is_missing(reading.today)]
    return ActivityPage(
        period=period,
        ever=bool(reading.cases) or parts().desk.count(Wanted(states=())) > 0,
        fault=fault,
        choices=tuple(
            Link(name, f"/activite{given}", current=current)
            for name, given, current in activity_period.choices(period, reading.today)
        ),
        some=reading.some,
        tiles=activity_words.tiles(reading.some, reading.before, period),
        charts=tuple((chart, f"/activite/{chart.ident}.csv{query}") for chart in reading.charts()),
        grid=reading.grid(activity_holdings.OF_PAGE),
        small_grid=reading.grid(activity_holdings.OF_PHONE),
        grid_csv=f"/activite/fonds.csv{query}",
        thin=reading.thin(reading.misses),
        misses=tuple(reading.misses[:_MISSES_SHOWN]),
        misses_csv=f"/activite/recherches.csv{query}",
        missing=tuple(map(_missing_view, missing[:_MISSING_SHOWN])),
        missing_count=len(missing),
        report_url=f"/activite/rapport{query}",
        cases_url=f"/activite/questions.csv{query}",
    )


def _missing_view(case: Case) -> MissingView:
    themes = ", ".join(activity_words.label("theme", code, fund().labels) for code in case.themes)
    return MissingView(case.reference, case.received, themes, case.is_closed_without)


def _numbers(reading: _Reading) -> Numbers:
    period = reading.period
    missing: dict[str, dict[str, int]] = {}
    for (theme, year), n in reading.missing.items():
        missing.setdefault(theme, {})[str(year)] = n
    return Numbers(
        period={
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "before_first": period.before_first.isoformat(),
            "before_last": period.before_last.isoformat(),
        },
        figures=reading.some,
        before=reading.before,
        holdings={one.code: {str(year): n for year, n in one.years.items()} for one in reading.held},
        missing=missing,
        misses=tuple(reading.misses),
    )


@views.get("/activite/rapport")
@needs(Right.READ_ACTIVITY)
def report() -> Response:
    """The report of a time, to be printed."""
    today = _today()
    reading = _read(activity_period.read(request.args, today), today)
    period, told = reading.period, _published(reading.period)
    misses = [miss for miss in reading.misses if miss.count >= _REPORTED_FROM]
    page = ReportPage(
        period=period,
        today=today,
        some=reading.some,
        sentences=activity_words.sentences(
            reading.some, reading.before, period, fund().labels, published=len(told)
        ),
        tiles=activity_words.tiles(reading.some, reading.before, period),
        charts=tuple(sorted(reading.charts(), key=lambda chart: _REPORTED.index(chart.ident))),
        grid=reading.grid(activity_holdings.OF_REPORT),
        thin=reading.thin(misses),
        misses=tuple(misses[:_MISSES_SHOWN]),
        published=told,
        back_url=f"/activite{period.query}",
    )
    return shown("activity-report.html", page, section="activite")


def _published(period: Period) -> tuple[tuple[Link, date], ...]:
    """The answers made public in this time that everybody may read: a report leaves the house."""
    found = activity.published(parts().store.database, parts().calendar.zone, period.first, period.last)
    seen = fund().store.get_many([one.record for one in found])
    return tuple(
        (Link(one.title, record_url(one.record)), one.day)
        for one in found
        if one.record in seen and seen[one.record].access == "public"
    )


@views.get("/activite/<parameter>.csv")
@needs(Right.READ_ACTIVITY, limit=EXPORTS)
def table(parameter: str) -> Response:
    """The figures of one chart, or the list of questions, as a file for a spreadsheet."""
    today = _today()
    period = activity_period.read(request.args, today)
    response = Response(as_csv(_table(parameter, period, today)), mimetype="text/csv")
    name = f"{parameter}-{period.file_name}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _table(what: str, period: Period, today: date) -> Table:
    """Raises NotFound."""
    if what == "recherches":
        misses = parts().misses.most(period.first, period.last, _MISSES * 10)
        rows = tuple((Cell(miss.text), Cell(str(miss.count), miss.count)) for miss in misses)
        return Table(("Recherche sans résultat", "Fois"), rows)
    if what not in (*activity_charts.DRAWN, "questions", "fonds"):
        raise NotFound("figures", what)
    some = _cases(period.first, period.last)
    if what == "questions":
        return activity_charts.listed(some, fund().labels)
    if what == "fonds":
        missing = activity.missing(some, today)
        held = activity_holdings.held(fund())
        return activity_holdings.table(held, missing)
    return activity_charts.table(what, _figures(some, period.first, period.last, today), fund().labels)
