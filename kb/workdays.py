"""Deadlines in working days of the place where a centre stands.

Hides which days are worked: weekends, the public holidays of a country or of a part of it (the library
``holidays``, loaded at the first question), the days on which the centre itself is closed, and where a
day begins and ends. Days are those of the centre's clock, never of UTC: a question received at 22:30 in
Martinique came that evening, though UTC is at the next day.

**Counting.** A question counts as received on the local day of its moment or, when nobody works on that
day, on the next working day. The deadline is the n-th working day after it, and lasts until that day
ends. With three days: received Monday or on the Saturday before, due Thursday; received Friday, due
Wednesday.

**Which holidays.** For the overseas places that the Code du travail names, those of its articles L3133-1
and L3422-2 only. The library also gives days kept there by custom (Good Friday and Mi-Carême in
Guadeloupe, 21 July in Martinique); others it does not know (Carnival, Ash Wednesday, 2 November). Each
centre says in its settings which of these it keeps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kb.errors import ConfigError
from kb.french import fold

MOST_DAYS = 2500
"""Working days that may be asked for at once, about ten years: a typing mistake ends soon."""

_LONGEST_REST = 400
"""Days without work after which no working day is looked for: more than a year closed is a mistake."""

_MOVABLE: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "lundi gras": ("Lundi gras", -48),
        "mardi gras": ("Mardi gras", -47),
        "mercredi des cendres": ("Mercredi des Cendres", -46),
        "mi-careme": ("Mi-Carême", -24),
        "vendredi saint": ("Vendredi saint", -2),
    }
)
"""Days that a centre may close on by custom, as they are written in the settings without accents, with
their distance from Easter in days."""

_MONTHS = (
    *("janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre"),
    *("octobre", "novembre", "decembre"),
)
"""Months as they are written in the settings, without accents."""

_YEARLY: Mapping[str, str] = MappingProxyType(
    {"07-21": "Fête de Victor Schœlcher", "11-02": "Jour des défunts"}
)
"""What people in the French Caribbean call two days that centres close on by custom."""

_MARTINIQUE = ZoneInfo("America/Martinique")
_CLOSED = "Fermeture du centre"

_CUSTOMARY = frozenset({"Mi-Carême", "Vendredi saint", "Fête de Victor Schoelcher"})
_UNDER_L3422_2 = frozenset({"971", "972", "973", "974", "976", "BL", "MF"})
"""Where the names above are in the library and not in the law; Good Friday is one in Moselle, Alsace and
Polynésie française."""

_ISO_PLACES: Mapping[str, str] = MappingProxyType({"GF": "973"})
"""ISO 3166 codes that the library does not take."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days worked at a centre: Monday to Friday without holidays and without its own days off.

    ``place`` is a part of ``country`` (ISO 3166-2, "MQ" or "972"; "" for the country as such, metropolitan
    France). ``closed`` holds dates, "MM-DD" for a day of every year, or the French name of a day that
    moves with Easter ("mardi gras"). Raises ConfigError when a place or a day is not one.
    """

    country: str = "FR"
    place: str = "MQ"
    closed: frozenset[date | str] = frozenset()
    zone: ZoneInfo = _MARTINIQUE

    def __post_init__(self) -> None:
        for day in self.closed:
            if isinstance(day, str) and fold(day) not in _MOVABLE and not _is_day_of_year(day):
                raise ConfigError(_not_a_day(day))
        folded = frozenset(fold(day) if isinstance(day, str) else day for day in self.closed)
        object.__setattr__(self, "closed", folded)
        _holidays(self.country, self.place, 2026)  # any year tells whether the place is known

    def is_working(self, day: date) -> bool:
        """Whether people work at the centre on ``day``."""
        return day.weekday() < 5 and self.name_of(day) is None

    def name_of(self, day: date) -> str | None:
        """French name of the holiday, or why the centre is closed; None for any other day, weekends too."""
        by_law = _holidays(self.country, self.place, day.year).get(day)
        return by_law or (self._closing(day) if self.closed else None)

    def after(self, start: datetime | date, days: int) -> date:
        """The date ``days`` working days after what came at ``start`` (see the module); 0 gives the day on
        which it counts as received.

        A moment must know its zone. Raises ValueError when it does not, or when ``days`` is below 0 or
        above MOST_DAYS.
        """
        if not 0 <= days <= MOST_DAYS:
            raise ValueError(f"days must be 0 to {MOST_DAYS}, not {days}")
        day = self._worked_from(self._local(start))
        for _ in range(days):
            day = self._worked_from(day + timedelta(1))
        return day

    def between(self, start: datetime | date, end: datetime | date) -> int:
        """Working days elapsed at ``end`` for what came at ``start``; 0 when ``end`` is not later.

        ``between(start, after(start, n)) == n``. Something answered on the day on which it counts as
        received, or before, took 0 days.
        """
        received, last = self._worked_from(self._local(start)), self._local(end)
        later = (received + timedelta(n) for n in range(1, (last - received).days + 1))
        return sum(self.is_working(day) for day in later)

    def days_left(self, deadline: date, now: datetime | date) -> int:
        """Working days from today to ``deadline``: 0 until the end of that day, then -1 and lower.

        It says -1 from the first day after the deadline, worked or not, and -2 from the second working
        day after it.
        """
        today = self._local(now)
        if today <= deadline:
            return self.between(today, deadline)
        return -max(1, self.between(deadline, today))

    def _closing(self, day: date) -> str | None:
        moving = _moving(day.year).get(day, "")
        if moving in self.closed:
            return _MOVABLE[moving][0]
        yearly = f"{day:%m-%d}"
        if yearly in self.closed:
            return _YEARLY.get(yearly, _CLOSED)
        return _CLOSED if day in self.closed else None

    def _local(self, moment: datetime | date) -> date:
        if not isinstance(moment, datetime):
            return moment
        if moment.tzinfo is None:
            raise ValueError("a moment must know its time zone")
        return moment.astimezone(self.zone).date()

    def _worked_from(self, day: date) -> date:
        """``day``, or the first working day after it."""
        for _ in range(_LONGEST_REST):
            if self.is_working(day):
                return day
            day += timedelta(1)
        raise ConfigError(
            f"closed_days : il ne reste aucun jour ouvré dans les {_LONGEST_REST} jours avant le {day}"
        )


def from_config(place: str, closed: str, zone: str) -> Calendar:
    """The calendar that the settings ``holidays`` ("FR-MQ"), ``closed_days`` and ``time_zone`` describe.

    ``closed`` holds, with commas between them, days of every year ("12-24", "24 décembre"), dates
    ("2027-02-08"), spans of dates ("2027-08-02/2027-08-13", both included) and names ("mardi gras"). Raises
    ConfigError, which says in French what was not understood.
    """
    country, _, part = place.strip().upper().partition("-")
    if not re.fullmatch("[A-Z]{2}", country):
        raise ConfigError(
            f"holidays : « {place} » n’est pas connu ; écrivez un pays, ou un pays et un territoire (FR-MQ)"
        )
    try:
        clock = ZoneInfo(zone)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ConfigError(f"time_zone: {error}") from error
    entries = (entry.strip() for entry in closed.split(","))
    days = frozenset(day for entry in entries if entry for day in _days(entry))
    return Calendar(country, part, days, clock)


def _days(entry: str) -> Iterator[date | str]:
    """The days that one entry of ``closed_days`` names."""
    if not re.match(r"[0-9]{4}-", entry):
        yield _in_figures(entry)
        return
    first, slash, last = entry.partition("/")
    try:
        start = date.fromisoformat(first.strip())
        end = date.fromisoformat(last.strip()) if slash else start
    except ValueError as error:
        raise ConfigError(_not_a_day(entry)) from error
    if not 0 <= (end - start).days < 366:
        raise ConfigError(f"closed_days : « {entry} » doit finir après son début, et durer un an au plus")
    for n in range((end - start).days + 1):
        yield start + timedelta(n)


def _in_figures(entry: str) -> str:
    """ "24 décembre" and "1er mai" as "12-24" and "05-01"; anything else as it is."""
    said = re.fullmatch(r"([0-9]{1,2})(?:er)?\s+([a-z]+)", fold(entry))
    if said is None or said[2] not in _MONTHS:
        return entry
    day_of_year = f"{_MONTHS.index(said[2]) + 1:02}-{int(said[1]):02}"
    return day_of_year if _is_day_of_year(day_of_year) else entry


def _is_day_of_year(text: str) -> bool:
    if not re.fullmatch("[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(f"2000-{text}")  # a leap year: "02-29" is a day
    except ValueError:
        return False
    return True


def _not_a_day(text: str) -> str:
    names = (name for name, _ in _MOVABLE.values())
    ways = ("24 décembre", "12-24", "2027-02-08", "2027-08-02/2027-08-13", *names)
    return f"closed_days : « {text} » n’est pas un jour ; écrivez-le comme {', '.join(ways)}"


@lru_cache(maxsize=256)
def _holidays(country: str, place: str, year: int) -> Mapping[date, str]:
    """The public holidays of a year with their French names; raises ConfigError for an unknown place."""
    import holidays as library  # a tenth of a second that most commands do not need
    from holidays.countries.france import France

    french = country == "FR"
    part = _ISO_PLACES.get(place, place) if french else place
    try:
        found = library.country_holidays(
            country, subdiv=part or None, years=year, language=_language(country)
        )
    except NotImplementedError as error:
        said = f"{country}{'-' if place else ''}{place}"
        raise ConfigError(
            f"holidays : « {said} » n’est pas connu ; écrivez par exemple FR-MQ ou FR"
        ) from error
    if isinstance(found, France) and not french:
        raise ConfigError(f"holidays : écrivez FR-{country}, et non {country}")
    code = France.subdivisions_aliases.get(part, part) if french else ""
    aside = _CUSTOMARY if code in _UNDER_L3422_2 else frozenset()
    named = {day: [name for name in names.split("; ") if name not in aside] for day, names in found.items()}
    return MappingProxyType({day: ", ".join(n).replace("'", "’") for day, n in named.items() if n})


def _language(country: str) -> str | None:
    """French as the library calls it there ("fr", "fr_HT"); None, its own first language, if it has none."""
    import holidays as library

    known = library.country_holidays(country).supported_languages
    return next((language for language in known if language.split("_")[0] == "fr"), None)


@lru_cache(maxsize=64)
def _moving(year: int) -> Mapping[date, str]:
    easter = easter_of(year)
    return MappingProxyType({easter + timedelta(away): key for key, (_, away) in _MOVABLE.items()})


def easter_of(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm printed in Nature, 20 April 1876)."""
    golden, century, rest = year % 19, year // 100, year % 100
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
