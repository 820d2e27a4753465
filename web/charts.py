"""Charts of one series, drawn on the server as SVG: columns, horizontal bars, a small line.

Hides geometry: scales, which labels have room, how long French labels break. Each chart is drawn twice,
for a wide and for a narrow place, so that letters keep their size on a phone. Colours and strokes are in
``charts.css``: the policy of the pages forbids inline style. Nothing is told by colour alone: numbers are
written, and the rest of a column is hatched.

All text is escaped. Values are finite and not negative; ValueError says which one is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from web.figures import (
    NOTHING,
    PERCENT,
    WIDE,
    Cell,
    Chart,
    Drawn,
    Figures,
    Key,
    Size,
    assembled,
    check,
    heading,
    said,
    sentence,
    short,
    shown,
    swatch,
)
from web.heat import heat
from web.svg import LINE, element, group, hatch, text, ticks, width_of, wrapped
from web.typography import NBSP

__all__ = ["Bar", "bars", "columns", "heat", "month", "spark"]

TARGET = 24
"""Units: what is narrower is no link in a drawing (WCAG 2.2, 2.5.8); the table has it."""

_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_DATED = re.compile(r"(.+)[ \u00a0](\d{4})")
_HEADROOM, _FOOTROOM = 22, 42  # above the highest column, its value; below, two lines of names
_NAMES = 216  # units for the longest names beside horizontal bars, a third of a wide place
_WIDEST_SLOT = 80  # few columns stand together at the left rather than far apart


@dataclass(frozen=True, slots=True)
class Bar:
    """One value; ``part`` is how much of it ``columns`` draws solid, ``note`` goes into the table."""

    label: str
    value: float
    note: str = ""
    url: str | None = None
    part: float | None = None


def month(iso: str) -> str:
    """ "2026-01" -> "janv. 2026"."""
    return f"{_MONTHS[int(iso[5:7]) - 1]}{NBSP}{iso[:4]}"


def columns(
    series: Sequence[Bar],
    title: str,
    *,
    ident: str,
    unit: str = "",
    along: str = "Mois",
    parts: tuple[str, str] | None = None,
    target: tuple[float, str] | None = None,
    summary: str = "",
) -> Chart:
    """Vertical columns in the order given, as for months (``month`` writes their labels).

    ``unit`` is a French noun in the singular ("question") or PERCENT. ``along`` heads the labels in the
    table. ``parts`` names the solid and the hatched piece of each column (``Bar.part`` and the rest);
    ``target`` is a line across with its name. ``summary`` replaces the sentence made of the figures.
    """
    check([b.value for b in series] + [b.part for b in series if b.part is not None])
    goal = target[0] if target else 0.0
    highest = max((b.value for b in series), default=0.0)
    axis = ticks(max(highest, goal, 100 if unit == PERCENT else 0))

    def draw(size: Size) -> Drawn:
        frame = _Frame(series, size, unit, axis, f"{ident}-{size.name}-hatch")
        return frame.drawn(goal if target else None)

    keys = []
    if parts:
        keys = [Key(swatch("chart-bar"), parts[0]), Key(swatch("chart-rest", f"{ident}-key"), parts[1])]
    if target:
        keys.append(Key(swatch("target"), f"{target[1]}{NBSP}: {said(goal, unit)}"))
    figures = _figures(series, unit, along, parts[0] if parts else "")
    return assembled((ident, title, summary or _told(series, unit, in_order=True)), draw, keys, figures)


def bars(
    values: Sequence[Bar],
    title: str,
    *,
    ident: str,
    unit: str = "",
    along: str = "Valeur",
    ranked: bool = True,
    summary: str = "",
) -> Chart:
    """Horizontal bars, the longest first unless ``ranked`` is false; arguments as for ``columns``."""
    check(b.value for b in values)
    order = sorted(values, key=lambda b: -b.value) if ranked else list(values)
    figures = _figures(order, unit, along, "")
    told = summary or _told(order, unit, in_order=False)
    return assembled((ident, title, told), lambda size: _rows(order, size, unit), (), figures)


def spark(values: Sequence[float], title: str) -> Markup:
    """A small line of values in order from zero on, the last one dotted; ``title`` says what it shows."""
    check(values)
    top = max(values, default=0) or 1
    step = 92 / max(1, len(values) - 1)
    first = 4.0 if len(values) > 1 else 96.0
    points = [(first + step * n, 25 - 20 * value / top) for n, value in enumerate(values)]
    body = element("title", title) + element("line", class_="chart-base", x1=2, x2=98, y1=27, y2=27)
    if points:
        body += element(
            "polyline", class_="chart-line", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        )
        body += element("circle", class_="chart-dot", cx=points[-1][0], cy=points[-1][1], r=3)
    return element("svg", body, class_="chart-spark", viewBox="0 0 100 30", role="img", aria_label=title)


class _Frame:
    """Where columns stand in a drawing of some size, and how high."""

    def __init__(
        self, series: Sequence[Bar], size: Size, unit: str, axis: Sequence[int], hatched: str
    ) -> None:
        self.series, self.unit, self.axis, self.hatched = series, unit, axis, hatched
        self.right = float(size.width)
        self.left = max(width_of(short(tick, unit)) for tick in axis) + 8
        self.slot = min((self.right - self.left) / len(series), _WIDEST_SLOT)
        self.wide = max(1.5, min(self.slot * 0.7, 44))
        self.height = float(size.height if axis[-1] else _HEADROOM + _FOOTROOM)
        self.base = self.height - _FOOTROOM
        self.linked = self.slot >= TARGET and any(b.url for b in series)

    def level(self, value: float) -> float:
        """The height in the drawing at which ``value`` stands."""
        return self.base - (self.base - _HEADROOM) * value / max(self.axis[-1], 1)

    def drawn(self, goal: float | None) -> Drawn:
        body = hatch(self.hatched) + self._scale()
        for n, bar in enumerate(self.series):
            x = self.left + self.slot * n
            piece = element("rect", class_="chart-back", x=x, y=0, width=self.slot, height=self.base)
            piece += self._column(bar, x + (self.slot - self.wide) / 2)
            body += group(piece, _hint(bar, self.unit), bar.url if self.linked else None)
        if goal is not None:
            y = self.level(goal)
            body += element("line", class_="chart-target", x1=self.left, x2=self.right, y1=y, y2=y)
        names = _names([b.label for b in self.series], self.left, self.slot, self.base + 17)
        return Drawn(body + self._values() + names, self.height, self.linked)

    def _values(self) -> Markup:
        """The values over the columns: all when there is room, else the highest and the last."""
        words = [short(b.value, self.unit) for b in self.series]
        widths = [width_of(word) for word in words]
        last = len(words) - 1
        highest = max(range(len(words)), key=lambda n: self.series[n].value)
        apart = (widths[highest] + widths[last]) / 2 + 4
        written = {highest, last} if (last - highest) * self.slot >= apart else {highest}
        if max(widths) <= self.slot + 2:
            written = set(range(len(words)))
        drawn = Markup()
        for n in sorted(written):
            x = min(self.left + self.slot * (n + 0.5), self.right - widths[n] / 2)
            drawn += text(words[n], x, self.level(self.series[n].value) - 6, "chart-value", "middle")
        return drawn

    def _scale(self) -> Markup:
        drawn = Markup()
        for tick in self.axis:
            y, kind = self.level(tick), "chart-grid" if tick else "chart-base"
            drawn += element("line", class_=kind, x1=self.left, x2=self.right, y1=y, y2=y)
            drawn += text(short(tick, self.unit), self.left - 6, y + 4, "chart-tick", "end")
        return drawn

    def _column(self, bar: Bar, x: float) -> Markup:
        solid = bar.value if bar.part is None else min(bar.part, bar.value)
        drawn = Markup()
        for kind, low, high in (("chart-rest", solid, bar.value), ("chart-bar", 0.0, solid)):
            if high > low:
                top, bottom = min(self.level(high), self.level(low) - 1.5), self.level(low)
                fill = f"url(#{self.hatched})" if kind == "chart-rest" else None
                tall = bottom - top
                drawn += element("rect", class_=kind, x=x, y=top, width=self.wide, height=tall, fill=fill)
        return drawn


def _names(labels: Sequence[str], left: float, slot: float, y: float) -> Markup:
    """The names under the columns: as many as have room; of months, the year under the first of each."""
    dated = [_DATED.fullmatch(label) for label in labels]
    years = [match[2] for match in dated if match]
    if len(years) < len(labels):
        years = []
    tops = [match[1] if match and years else label for match, label in zip(dated, labels, strict=True)]
    need = max(width_of(top) for top in tops) + 4
    every = next((k for k in (1, 2, 3, 4, 6, 12, 24) if k * slot >= need), len(labels))
    start = tops.index(_MONTHS[0]) % every if years and _MONTHS[0] in tops else 0
    drawn, seen = Markup(), ""
    for n in range(start, len(labels), every):
        x = left + slot * (n + 0.5)
        drawn += text(tops[n], x, y, "chart-tick", "middle")
        if years and years[n] != seen:
            seen = years[n]
            drawn += text(seen, x, y + LINE, "chart-tick", "middle")
    return drawn


def _rows(order: Sequence[Bar], size: Size, unit: str) -> Drawn:
    """Names beside the bars, or above them where it is narrow."""
    broken = [wrapped(bar.label, _NAMES if size is WIDE else size.width, 2) for bar in order]
    names = max(width_of(line) for lines in broken for line in lines) if size is WIDE else 0
    left = names + 12 if names else 1
    room = size.width - left - max(width_of(shown(b.value, unit)) for b in order) - 8
    top, y, body = max(b.value for b in order) or 1, 2.0, Markup()
    for bar, lines in zip(order, broken, strict=True):
        written = LINE * len(lines)
        tall = max(26, written + 8) if names else written + 26
        first, bar_y = (
            (y + (tall - written) / 2 + 12, y + tall / 2 - 7) if names else (y + 13, y + written + 3)
        )
        piece = element("rect", class_="chart-back", x=0, y=y, width=size.width, height=tall)
        for n, line in enumerate(lines):
            piece += text(line, names, first + n * LINE, "chart-name", "end" if names else None)
        long = max(1.5, room * bar.value / top) if bar.value else 0.0
        piece += element("rect", class_="chart-bar", x=left, y=bar_y, width=long, height=14)
        piece += element("line", class_="chart-base", x1=left, x2=left, y1=bar_y - 3, y2=bar_y + 17)
        piece += text(shown(bar.value, unit), left + long + 6, bar_y + 12, "chart-value")
        body += group(piece, _hint(bar, unit), bar.url)
        y += tall
    return Drawn(body, y + 2, any(b.url for b in order))


def _hint(bar: Bar, unit: str) -> str:
    note = f" ({bar.note})" if bar.note else ""
    return f"{bar.label}{NBSP}: {said(bar.value, unit)}{note}"


def _told(series: Sequence[Bar], unit: str, *, in_order: bool) -> str:
    """The sentence that says the main fact."""
    if not series:
        return NOTHING
    most, total = max(series, key=lambda b: b.value), sum(b.value for b in series)
    if len(series) == 1:
        return sentence(f"{most.label} : {said(most.value, unit)}")
    span = f"de {series[0].label} à {series[-1].label} : " if in_order else ""
    if not total:
        return sentence(f"{span}aucune valeur au-dessus de zéro")
    sums = "" if unit == PERCENT else f"{said(total, unit)} en tout ; "
    return sentence(f"{span}{sums}le plus, {shown(most.value, unit)}, pour {most.label}")


def _figures(series: Sequence[Bar], unit: str, along: str, part: str) -> Figures:
    noted = any(b.note for b in series)
    head = (along, heading(unit), *([part.capitalize()] if part else []), *(["Note"] if noted else []))
    rows = tuple(
        (
            Cell(b.label, url=b.url),
            Cell(shown(b.value, unit), b.value),
            *([Cell("" if b.part is None else shown(b.part, unit), b.part)] if part else []),
            *([Cell(b.note)] if noted else []),
        )
        for b in series
    )
    if unit == PERCENT or len(series) < 2:
        return Figures(head, rows)
    sums = [sum(b.value for b in series), *([sum(b.part or 0 for b in series)] if part else [])]
    total = (Cell("Total"), *(Cell(shown(s, unit), s) for s in sums), *([Cell("")] if noted else []))
    return Figures(head, rows, total)
