"""A grid of counts, such as themes by years, whose cells are darker where there is more.

Hides the steps of the shade, and how a grid that is too broad goes on below itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from web.figures import (
    BROAD,
    NARROW,
    NOTHING,
    WIDE,
    Cell,
    Chart,
    Drawn,
    Figures,
    Key,
    Size,
    assembled,
    check,
    said,
    sentence,
    short,
    swatch,
)
from web.svg import LINE, element, group, text, width_of, wrapped
from web.typography import NBSP, counted, number

STEPS = 5
"""Shades, beside the one of empty cells."""

_NARROWEST = 30  # units: 24 for a finger (WCAG 2.2, 2.5.8), the gap and the edge
_WIDEST = 64
_NAMES = 184  # units for the longest names at the left, where it is not narrow


class _Grid(NamedTuple):
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[int]]
    urls: Mapping[tuple[int, int], str]
    marks: Mapping[tuple[int, int], int]
    mark: str
    unit: str
    limits: Sequence[int]
    shared: str


def heat(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[int]],
    title: str,
    *,
    ident: str,
    unit: str = "",
    along: str = "Thème",
    urls: Mapping[tuple[int, int], str] | None = None,
    marks: Mapping[tuple[int, int], int] | None = None,
    mark: str = "",
    broad: bool = False,
    summary: str = "",
    shared: str = "",
) -> Chart:
    """The grid of ``values[row][column]``; arguments as for ``web.charts.columns``.

    ``urls`` and ``marks`` are by (row, column) from 0; a mark is a small circle with a number over its
    cell, and ``mark`` names what it counts. ``broad`` is for a page that gives it its whole width.
    ``shared`` says that one thing may count in several rows: it stands in the place of their sums. Raises
    ValueError when the shape is not that of the names, or a value is negative.
    """
    if len(values) != len(rows) or any(len(line) != len(columns) for line in values):
        raise ValueError(f"values must be {len(rows)} rows of {len(columns)}")
    over = {at: many for at, many in (marks or {}).items() if many}
    check(value for line in (*values, tuple(over.values())) for value in line)
    limits = steps(max((value for line in values for value in line), default=0))
    grid = _Grid(rows, columns, values, urls or {}, over, mark, unit, limits, shared)
    keys = [Key(swatch(f"chart-cell heat-{n}"), span) for n, span in enumerate(_spans(limits))]
    if over:
        keys.append(Key(swatch("mark"), mark))
    figures = _figures(grid, along) if columns else Figures((along,), ())
    named = (ident, title, summary or _told(grid))
    return assembled(named, lambda size: _drawn(grid, size), keys, figures, BROAD if broad else WIDE)


def steps(highest: int) -> tuple[int, ...]:
    """The highest count of each shade, at most STEPS of them, rising as squares: counts by theme and year
    lie mostly near zero, and equal steps would leave most of a fund in the palest one."""
    return tuple(sorted({-(-highest * n * n // (STEPS * STEPS)) for n in range(1, STEPS + 1)} - {0}))


def _spans(limits: Sequence[int]) -> list[str]:
    firsts = [1, *(limit + 1 for limit in limits[:-1])][: len(limits)]
    pairs = zip(firsts, limits, strict=True)
    return ["0", *(number(a) if a == b else f"{number(a)} à {number(b)}" for a, b in pairs)]


def _drawn(grid: _Grid, size: Size) -> Drawn:
    """As many columns as have room, the others in grids below."""
    beside = size is not NARROW
    broken = [wrapped(label, _NAMES if beside else size.width, 2) for label in grid.rows]
    names = max(width_of(line) for lines in broken for line in lines) + 12 if beside else 0
    counts = [short(value, "") for line in (*grid.values, list(grid.marks.values())) for value in line]
    need = max(_NARROWEST, *(width_of(word) + 6 for word in grid.columns), *map(_pill, counts))
    room = size.width - names
    many = max(1, min(len(grid.columns), int(room // need)))
    wide = min(room / many, _WIDEST)
    body, y = Markup(), 0.0
    for start in range(0, len(grid.columns), many):
        chosen = range(start, min(start + many, len(grid.columns)))
        block, y = _block(grid, chosen, broken, (names, wide, y))
        body += block
    return Drawn(body, y - 14, bool(grid.urls))


def _block(
    grid: _Grid, chosen: range, broken: Sequence[Sequence[str]], place: tuple[float, float, float]
) -> tuple[Markup, float]:
    """The grid of some columns and where it ends; ``place`` is the room for names, the width of a cell,
    and where it begins."""
    names, wide, y = place
    tall = 38 if grid.marks else 34
    body = Markup()
    for n, column in enumerate(chosen):
        body += text(grid.columns[column], names + wide * (n + 0.5), y + 14, "chart-tick", "middle")
    y += 22
    for row, lines in enumerate(broken):
        written = LINE * len(lines)
        first = y + (tall - written) / 2 + 12 if names else y + 15
        for n, line in enumerate(lines):
            body += text(line, max(0, names - 12), first + n * LINE, "chart-name", "end" if names else None)
        y += 0 if names else written + 4
        for n, column in enumerate(chosen):
            body += _square(grid, (row, column), names + wide * n, y, wide, tall)
        y += tall if names else tall + 4
    return body, y + 18


def _square(grid: _Grid, at: tuple[int, int], x: float, y: float, wide: float, tall: float) -> Markup:
    value, marked = grid.values[at[0]][at[1]], grid.marks.get(at, 0)
    step = next((n for n, limit in enumerate(grid.limits, 1) if value <= limit), 0) if value else 0
    body = element("rect", class_="chart-square", x=x + 1.5, y=y + 1.5, width=wide - 3, height=tall - 3)
    baseline = y + tall / 2 + (12 if marked else 4.5)
    body += text(short(value, ""), x + wide / 2, baseline, "chart-count", "middle")
    if marked:
        pill = _pill(short(marked, "")) - 6
        left = x + wide - 3 - pill
        body += element("rect", class_="chart-mark", x=left, y=y + 2.5, width=pill, height=15, rx=7.5)
        body += text(short(marked, ""), left + pill / 2, y + 14, "chart-marked", "middle")
    return group(body, _hint(grid, at, value, marked), grid.urls.get(at), f"chart-cell heat-{step}")


def _pill(count: str) -> float:
    """The room that a count needs in a cell, round edges and gaps included."""
    return max(15, width_of(count)) + 6


def _hint(grid: _Grid, at: tuple[int, int], value: int, marked: int) -> str:
    told = f"{grid.rows[at[0]]}, {grid.columns[at[1]]}{NBSP}: {said(value, grid.unit)}"
    return f"{told}, {grid.mark}{NBSP}: {number(marked)}" if marked else told


def _told(grid: _Grid) -> str:
    cells = [
        (value, f"{grid.rows[r]}, {grid.columns[c]}")
        for r, line in enumerate(grid.values)
        for c, value in enumerate(line)
    ]
    total, empty = sum(value for value, _ in cells), sum(not value for value, _ in cells)
    if not total:
        return NOTHING
    most, place = max(cells, key=lambda cell: cell[0])
    if (equal := sum(value == most for value, _ in cells)) > 1:
        place = f"{number(equal)} cases à égalité"
    told = f"{grid.shared or f'{said(total, grid.unit)} en tout'} ; le plus, {number(most)}, pour {place}"
    return sentence(f"{told} ; {counted(empty, 'case')} à zéro" if empty else told)


def _figures(grid: _Grid, along: str) -> Figures:
    """The counts with their sums, and the marks in words beside their counts."""
    rows = []
    for r, (label, line) in enumerate(zip(grid.rows, grid.values, strict=True)):
        cells = [_cell(grid, (r, c), value) for c, value in enumerate(line)]
        rows.append((Cell(label), *cells, Cell(number(sum(line)), sum(line))))
    head = (along, *grid.columns, "Total")
    if grid.shared:
        return Figures(head, tuple(rows))
    sums = [sum(column) for column in zip(*grid.values, strict=True)]
    total = (Cell("Total"), *(Cell(number(s), s) for s in (*sums, sum(sums))))
    return Figures(head, tuple(rows), total)


def _cell(grid: _Grid, at: tuple[int, int], value: int) -> Cell:
    marked = grid.marks.get(at, 0)
    note = f" ({grid.mark}{NBSP}: {number(marked)})" if marked else ""
    return Cell(f"{number(value)}{note}", value, grid.urls.get(at))
