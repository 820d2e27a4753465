"""French typography for what people read: numbers, dates, plurals, lists, sizes."""

from __future__ import annotations

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

NBSP, NNBSP = "\u00a0", "\u202f"
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre"),
    *("octobre", "novembre", "décembre"),
)


def number(value: int) -> str:
    """1234 -> "1 234" with a narrow no-break space."""
    return f"{value:,}".replace(",", NNBSP)


def decimal(value: float, digits: int = 1) -> str:
    """0.25 -> "0,3"."""
    return f"{value:.{digits}f}".replace(".", ",")


def counted(value: int, one: str, many: str | None = None) -> str:
    """2, "document" -> "2 documents"; zero and one are singular in French."""
    word = one if abs(value) < 2 else (many or one + "s")
    return f"{number(value)}{NBSP}{word}"


def written_date(iso: str | None) -> str:
    """ "2010-03-12" -> "12 mars 2010"; "2010-03" -> "mars 2010"; "" for None."""
    if not iso:
        return ""
    year, *rest = iso[:10].split("-")
    if not rest:
        return year
    month = _MONTHS[int(rest[0]) - 1]
    if len(rest) == 1:
        return f"{month} {year}"
    day = date.fromisoformat(iso[:10]).day
    return f"{'1er' if day == 1 else day} {month} {year}"


def written_moment(moment: datetime, zone: str) -> str:
    """A UTC moment -> "12 mars 2010 à 14 h 05", at the clock of ``zone`` (a name of the tz database)."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{written_date(local.date().isoformat())} à {local.hour}{NBSP}h{NBSP}{local.minute:02d}"


def written_size(size: int) -> str:
    """Bytes -> "812 ko", "1,4 Mo" or "83,6 Go"."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))}{NBSP}ko"
    if size >= 1_000_000_000:
        return f"{decimal(size / 1_000_000_000)}{NBSP}Go"
    return f"{decimal(size / 1_000_000)}{NBSP}Mo"


def duration(seconds: float) -> str:
    """12.3 ms -> "0,012 s", as a status line says it."""
    return f"{decimal(seconds, 3 if seconds < 0.1 else 2)}{NBSP}s"


_SPACED = (
    (re.compile(r"[ \u00a0](?=[;!?](?:\s|<|$))"), NNBSP),
    (re.compile(r"[ ](?=:(?:\s|<|$))"), NBSP),
    (re.compile(r"(?<=«)[ ]|[ ](?=»)"), NBSP),
)


def spaced(text: str) -> str:
    """The no-break spaces that French wants before ; ! ? : and inside « », in place of plain ones."""
    for pattern, space in _SPACED:
        text = pattern.sub(space, text)
    return text
