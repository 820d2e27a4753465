"""What a chart is once made: two drawings, a legend, a sentence and the table of the same figures.

Hides how figures are said in French and written for spreadsheets. ``web.charts`` and ``web.heat`` make
charts, ``_charts.html`` shows them.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from web.svg import element, hatch
from web.typography import NBSP, counted, decimal, number, spaced

PERCENT = "%"
"""The unit of shares: values are not summed, and the axis goes to 100."""

NOTHING = "Aucune valeur pour le moment."


class Size(NamedTuple):
    """A place to draw in, in units; ``charts.css`` shows the drawing that fits the page."""

    name: str
    width: int
    height: int


WIDE, NARROW, BROAD = Size("wide", 640, 248), Size("narrow", 304, 232), Size("broad", 1080, 300)
"""640 is about half a page at 1280 px, 1080 a whole one; 304 is what a panel leaves of 360 px."""


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a legend."""

    swatch: Markup
    label: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table; ``value`` is its number for programs, None when it is words."""

    text: str
    value: float | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a chart; the first cell of each row names it, ``total`` is the row of sums if any."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as ``_charts.html`` shows it; without any value both drawings are empty."""

    ident: str
    title: str
    summary: str
    wide: Markup
    narrow: Markup
    keys: tuple[Key, ...]
    figures: Figures


class Drawn(NamedTuple):
    """The inside of a drawing; a linked one is a group for screen readers and not one picture."""

    body: Markup
    height: float
    linked: bool


def assembled(
    named: tuple[str, str, str],
    draw: Callable[[Size], Drawn],
    keys: Sequence[Key],
    figures: Figures,
    largest: Size = WIDE,
) -> Chart:
    """The chart with its ident, title and summary and both of its drawings, none when its table is empty.

    The ident must be the only one of its page: letters, digits and hyphens.
    """
    ident, title, summary = named
    if not figures.rows:
        return Chart(ident, title, summary, Markup(), Markup(), (), figures)
    wide, narrow = (_svg(draw(size), size, ident, title, summary) for size in (largest, NARROW))
    return Chart(ident, title, summary, wide, narrow, tuple(keys), figures)


def _svg(drawn: Drawn, size: Size, ident: str, title: str, summary: str) -> Markup:
    named, told = f"{ident}-{size.name}-title", f"{ident}-{size.name}-desc"
    head = element("title", title, id=named) + element("desc", summary, id=told)
    return element(
        "svg",
        head + drawn.body,
        class_=f"chart-{size.name}",
        viewBox=f"0 0 {size.width} {drawn.height:.0f}",
        role="group" if drawn.linked else "img",
        aria_labelledby=named,
        aria_describedby=told,
    )


def swatch(kind: str, hatched: str = "") -> Markup:
    """The small sample of a legend; ``hatched`` is the id of its own pattern."""
    if kind == "target":
        body = element("line", class_="chart-target", x1=0, x2=22, y1=7, y2=7)
    elif kind == "mark":
        body = element("rect", class_="chart-mark", x=4, y=1, width=12, height=12, rx=6)
    elif hatched:
        sample = element("rect", class_="chart-rest", x=1, y=1, width=20, height=12, fill=f"url(#{hatched})")
        body = hatch(hatched) + sample
    else:
        body = element("rect", class_=kind, x=1, y=1, width=20, height=12)
    return element("svg", body, class_="chart-swatch", viewBox="0 0 22 14", aria_hidden="true")


def check(values: Iterable[float]) -> None:
    """Raises ValueError when a value is negative or not finite."""
    for value in values:
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"a chart shows finite values from 0 on, not {value}")


def shown(value: float, unit: str) -> str:
    """The number alone, with its sign of percent: "1 234", "2,5", "87 %"."""
    written = number(int(value)) if value == int(value) else decimal(value)
    return f"{written}{NBSP}%" if unit == PERCENT else written


def said(value: float, unit: str) -> str:
    """The number with its noun: "1 234 questions"; ``unit`` is a singular that takes an s, or none."""
    if not unit or unit == PERCENT:
        return shown(value, unit)
    if value == int(value):
        return counted(int(value), unit)
    return f"{decimal(value)}{NBSP}{unit if value < 2 else unit + 's'}"


def short(value: float, unit: str) -> str:
    """A number as an axis has room for: "250", "2,5 M", "1 Md", "50 %"; exact below a million."""
    for size, letters in ((10**9, "Md"), (10**6, "M")):
        if value >= size:
            return f"{shown(round(value / size, 1), '')}{NBSP}{letters}"
    return shown(value, unit)


def heading(unit: str) -> str:
    """The head of a column of values."""
    return "Part" if unit == PERCENT else f"{unit.capitalize()}s" if unit else "Nombre"


def sentence(text: str) -> str:
    """A sentence with the spaces that French wants."""
    return spaced(f"{text[:1].upper()}{text[1:]}.")


def as_csv(figures: Figures) -> str:
    """The figures as CSV with semicolons and a byte order mark, as spreadsheets in French read it; numbers
    without spaces.

    Words that a spreadsheet would take for a formula get an apostrophe before them (OWASP, CSV injection).
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow([_harmless(name) for name in figures.head])
    for row in (*figures.rows, figures.total):
        if row:
            writer.writerow([_harmless(c.text) if c.value is None else _plain(c.value) for c in row])
    return f"\ufeff{out.getvalue()}"


def _harmless(words: str) -> str:
    return f"'{words}" if words.startswith(("=", "+", "-", "@", "\t", "\r")) else words


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value).replace(".", ",")
