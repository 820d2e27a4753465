"""The time that figures are about, as the address says it: a year, a month, twelve months, from one day to
another.

Hides the names of the parameters, which time it is compared with, and how both are said in French. A time
that is not over yet is compared with as much of the one before: a year begun in January, on 10 March, with
the first ten weeks of the last one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from kb.errors import InvalidValue
from web.typography import counted, spaced, written_date

LONGEST = 3660
"""Days of a period, ten years: as many months as a chart has room for."""

EARLIEST = 1990
_TWELVE = "12-mois"
_DAY = timedelta(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days in the centre's time, both included. ``name`` is its title ("2026", "mars 2026"), ``during`` how a
    sentence begins ("En mars 2026"), ``than`` what it is compared with ("qu’en 2025"), from
    ``before_first`` to ``before_last``; ``earlier`` and ``later`` are the addresses of its neighbours."""

    first: date
    last: date
    name: str
    during: str
    than: str
    before_first: date
    before_last: date
    given: tuple[tuple[str, str], ...]
    earlier: tuple[str, str] | None = None
    later: tuple[str, str] | None = None

    @property
    def query(self) -> str:
        """The period as a query string, with its question mark."""
        return f"?{urlencode(self.given)}"

    @property
    def file_name(self) -> str:
        """The period in the name of a file: "2026-01-01-2026-03-31"."""
        return f"{self.first}-{self.last}"


def of_year(year: int, today: date) -> Period:
    """A year, or what there is of it. Raises InvalidValue."""
    if not EARLIEST <= year <= today.year:
        raise InvalidValue("annee", f"choisissez une année de {EARLIEST} à {today.year}")
    first, last = date(year, 1, 1), min(date(year, 12, 31), today)
    whole = last == date(year, 12, 31)
    return Period(
        first=first,
        last=last,
        name=str(year),
        during=f"En {year}",
        than=f"qu’en {year - 1}" if whole else f"qu’aux mêmes dates de {year - 1}",
        before_first=date(year - 1, 1, 1),
        before_last=date(year - 1, 12, 31) if whole else _same_day(last, year - 1, last.month),
        given=(("annee", str(year)),),
        earlier=(str(year - 1), f"?annee={year - 1}") if year > EARLIEST else None,
        later=(str(year + 1), f"?annee={year + 1}") if year < today.year else None,
    )


def of_month(year: int, month: int, today: date) -> Period:
    """A month, or what there is of it. Raises InvalidValue."""
    if not (1 <= month <= 12 and (EARLIEST, 1) <= (year, month) <= (today.year, today.month)):
        raise InvalidValue("mois", "choisissez un mois qui a commencé, comme 2026-03")
    first = date(year, month, 1)
    end = _next(first) - _DAY
    last = min(end, today)
    before = (first - _DAY).replace(day=1)
    than = _month(before)
    return Period(
        first=first,
        last=last,
        name=_month(first),
        during=f"En {_month(first)}",
        than=f"qu’en {than}" if last == end else f"qu’aux mêmes dates {_of(than)}",
        before_first=before,
        before_last=first - _DAY if last == end else _same_day(last, before.year, before.month),
        given=(("mois", f"{first:%Y-%m}"),),
        earlier=(_month(before), f"?mois={before:%Y-%m}") if before.year >= EARLIEST else None,
        later=(_month(_next(first)), f"?mois={_next(first):%Y-%m}") if last == end and end < today else None,
    )


def of_twelve_months(today: date) -> Period:
    """The present month, as far as it is, and the eleven before."""
    first = date(today.year - 1, today.month, 1)
    first = _next(first)
    return Period(
        first=first,
        last=today,
        name="douze derniers mois",
        during=f"Depuis {_month(first)}",
        than="que les douze mois d’avant",
        before_first=date(first.year - 1, first.month, 1),
        before_last=_same_day(today, today.year - 1, today.month),
        given=(("periode", _TWELVE),),
    )


def of_days(first: date, last: date, today: date) -> Period:
    """From one day to another. Raises InvalidValue."""
    if first > today:
        raise InvalidValue("de", "cette période n’a pas encore commencé")
    if last < first:
        raise InvalidValue("a", "le dernier jour vient avant le premier")
    if first.year < EARLIEST or (last - first).days >= LONGEST:
        raise InvalidValue("de", f"choisissez une période de dix ans au plus, depuis {EARLIEST}")
    last = min(last, today)
    length = (last - first).days + 1
    span = f"du {written_date(first.isoformat())} au {written_date(last.isoformat())}"
    day = f"le {written_date(first.isoformat())}"
    return Period(
        first=first,
        last=last,
        name=span if length > 1 else day,
        during=(span if length > 1 else day).capitalize(),
        than=f"que les {counted(length, 'jour')} d’avant" if length > 1 else "que la veille",
        before_first=first - length * _DAY,
        before_last=first - _DAY,
        given=(("de", first.isoformat()), ("a", last.isoformat())),
    )


def read(args: MultiDict[str, str], today: date) -> Period:
    """The period that an address asks for; the present year when it asks for none. Raises InvalidValue, of
    the parameter that makes no sense."""
    given = {name: args.get(name, "").strip() for name in ("annee", "mois", "periode", "de", "a")}
    if given["de"] or given["a"]:
        first = _as_day("de", given["de"])
        return of_days(first, _as_day("a", given["a"]) if given["a"] else max(first, today), today)
    for name, reads in _READS.items():
        if given[name]:
            return reads(given[name], today)
    return of_year(today.year, today)


def _as_year(text: str, today: date) -> Period:
    if not re.fullmatch("[0-9]{4}", text):
        raise InvalidValue("annee", "écrivez une année comme 2026")
    return of_year(int(text), today)


def _as_month(text: str, today: date) -> Period:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}", text):
        raise InvalidValue("mois", "écrivez un mois comme 2026-03")
    return of_month(int(text[:4]), int(text[5:]), today)


def _as_twelve(text: str, today: date) -> Period:
    if text != _TWELVE:
        raise InvalidValue("periode", "cette période n’est pas connue")
    return of_twelve_months(today)


_READS: Mapping[str, Callable[[str, date], Period]] = {
    "annee": _as_year,
    "mois": _as_month,
    "periode": _as_twelve,
}


def _as_day(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        which = "premier" if field == "de" else "dernier"
        raise InvalidValue(field, spaced(f"indiquez le {which} jour, comme 2026-03-31")) from None


def choices(period: Period, today: date) -> tuple[tuple[str, str, bool], ...]:
    """The periods that are asked for most: label, address from its question mark on, whether it is this
    one."""
    month = today.replace(day=1)
    usual = [of_year(today.year, today), of_twelve_months(today), of_month(today.year, today.month, today)]
    last_month = month - _DAY
    usual += [of_month(last_month.year, last_month.month, today), of_year(today.year - 1, today)]
    return tuple((one.name, one.query, one.given == period.given) for one in usual)


def _next(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _same_day(day: date, year: int, month: int) -> date:
    """The same day of another month, or its last one when it is shorter."""
    last = _next(date(year, month, 1)) - _DAY
    return date(year, month, min(day.day, last.day))


def _month(day: date) -> str:
    return written_date(f"{day:%Y-%m}")


def _of(month: str) -> str:
    return f"d’{month}" if month[0] in "ao" else f"de {month}"
