"""The facets of a results page: values as links, trees, the years as a histogram, chosen values as chips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kb.french import fold
from search.engine import FACETS
from web.labels import EVER, FOREVER, Labels, Node
from web.state import PARAMETERS, SearchState

OPEN_VALUES = 6
"""Values shown before "plus de valeurs"."""

_BARS = 9  # as many as stay 24 px wide in the column, the smallest target of WCAG 2.2
_WIDTH, _HEIGHT = 260, 70


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet; ``url`` adds it, or takes it away when it is ``chosen``."""

    code: str
    label: str
    count: int
    url: str
    chosen: bool
    below: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """Some years of the histogram, in SVG units."""

    label: str
    caption: str
    count: int
    url: str
    chosen: bool
    x: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Years:
    """The histogram and the form beside it; ``hidden`` carries the rest of the state."""

    bars: tuple[Bar, ...]
    first: str
    last: str
    hidden: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FacetView:
    """A facet as it is shown: its first values, how many there are, where the others are."""

    name: str
    label: str
    values: tuple[Value, ...]
    size: int
    more_url: str | None = None
    years: Years | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    """A chosen value; ``url`` takes it away."""

    facet: str
    label: str
    url: str


def view(
    name: str, counts: Mapping[str, int], state: SearchState, labels: Labels, *, every: bool = False
) -> FacetView:
    """One facet; with ``every`` all its values and no histogram, as its own page shows them."""
    if name == "year" and not every:
        return FacetView(name, FACETS[name].label, (), len(counts), years=_years(counts, state))
    chosen = state.chosen(name)
    counted = dict(counts) | {code: 0 for code in chosen if code not in counts}
    if FACETS[name].tree and not every:
        nodes = _opened(labels.tree(counted), chosen)
        values = tuple(_branch(name, node, state, labels) for node in nodes)
    else:
        values = tuple(_value(name, code, count, state, labels) for code, count in counted.items())
    ranked = sorted(values, key=lambda v: (not _holds_choice(v), -v.count, fold(v.label)))
    if every:
        return FacetView(name, FACETS[name].label, tuple(sorted(ranked, key=_alphabet)), len(ranked))
    shown = max(OPEN_VALUES, sum(map(_holds_choice, ranked)))
    more = f"/facette/{PARAMETERS[name]}{state.query_string()}" if len(counts) > shown else None
    return FacetView(name, FACETS[name].label, tuple(ranked[:shown]), len(counts), more)


def chips(state: SearchState, labels: Labels) -> tuple[Chip, ...]:
    """The chosen values, in the order of the facets."""
    return tuple(
        Chip(FACETS[facet].label, labels.of(facet, code), state.toggled(facet, code).url())
        for facet, codes in state.filters
        for code in codes
    )


def containing(values: Iterable[Value], text: str) -> tuple[Value, ...]:
    """The values whose label contains the text, case and accents aside."""
    wanted = fold(text)
    return tuple(value for value in values if wanted in fold(value.label))


def _alphabet(value: Value) -> str:
    return fold(value.label)


def _holds_choice(value: Value) -> bool:
    return value.chosen or any(map(_holds_choice, value.below))


def _value(name: str, code: str, count: int, state: SearchState, labels: Labels) -> Value:
    chosen = code in state.chosen(name)
    return Value(code, labels.of(name, code), count, state.toggled(name, code).url(), chosen)


def _branch(name: str, node: Node, state: SearchState, labels: Labels) -> Value:
    """A node with what is below it, opened only where something is chosen."""
    value = _value(name, node.code, node.count, state, labels)
    if not _leads_to(node, state.chosen(name)):
        return value
    return replace(value, below=tuple(_branch(name, child, state, labels) for child in node.below))


def _opened(nodes: tuple[Node, ...], chosen: tuple[str, ...]) -> tuple[Node, ...]:
    """The nodes, or those below the commonest one where that still fits: a line that says "Martinique" of
    nearly everything is worth less than its communes. What leads to a chosen value stays as it is."""
    while closed := [node for node in nodes if node.below and not _leads_to(node, chosen)]:
        first = max(closed, key=_apart)
        others = tuple(node for node in nodes if node is not first)
        if len(others) + min(len(first.below), OPEN_VALUES) > OPEN_VALUES or _small(first, others):
            break
        nodes = (*others, *first.below)
    return nodes


def _small(node: Node, others: tuple[Node, ...]) -> bool:
    """Whether opening it would hide that there is anything else."""
    return any(node.count < 2 * _apart(other) for other in others)


def _apart(node: Node) -> int:
    """About how many records it holds that stand nowhere else in the tree."""
    return min(node.count, sum(child.count for child in node.below)) if node.below else node.count


def _leads_to(node: Node, chosen: tuple[str, ...]) -> bool:
    return bool(chosen) and (node.code in chosen or any(_leads_to(child, chosen) for child in node.below))


def _years(counts: Mapping[str, int], state: SearchState) -> Years:
    years = {int(code): count for code, count in counts.items()}
    span = state.chosen("year")
    first, _, last = span[0].partition("-") if len(span) == 1 else ("", "", "")
    last = last or first
    hidden = tuple(state.with_facet("year", ()).pairs())
    return Years(_bars(years, state), "" if first == EVER else first, "" if last == FOREVER else last, hidden)


def _bars(years: Mapping[int, int], state: SearchState) -> tuple[Bar, ...]:
    if not years:
        return ()
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 1000) if _count(years, s) <= _BARS)
    start = min(years) // step * step
    totals = [
        sum(years.get(y, 0) for y in range(low, low + step)) for low in range(start, max(years) + 1, step)
    ]
    width, most = min(_WIDTH // len(totals), 64), max(totals)
    bars = []
    for place, total in enumerate(totals):
        low = start + place * step
        code = str(low) if step == 1 else f"{low}-{low + step - 1}"
        chosen = code in state.chosen("year")
        url = state.with_facet("year", () if chosen else (code,)).url()
        height = max(2, round(_HEIGHT * total / most)) if total else 0
        caption = str(low) if len(totals) <= 5 or place % 2 == 0 else ""
        bars.append(Bar(code.replace("-", "–"), caption, total, url, chosen, place * width, width, height))
    return tuple(bars)


def _count(years: Mapping[int, int], step: int) -> int:
    return max(years) // step - min(years) // step + 1
