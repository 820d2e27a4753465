"""The page of results: hits with their passages, facets, what to do when there is nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.finder import Found
from search.snippets import Piece

from search import finder
from search.engine import FACETS
from web import facets
from web.facets import Chip, FacetView
from web.labels import Labels
from web.notices import Link
from web.parts import Parts
from web.state import SIZES, SORTS, SearchState

PASSAGES = 3
_SORT_LABELS = {
    "pertinence": "pertinence",
    "recent": "plus récents",
    "ancien": "plus anciens",
    "titre": "titre",
}
_ABSTRACT = 280  # characters of an abstract shown when no passage is


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words of a page; ``url`` opens it with them marked."""

    page: int
    url: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HitView:
    """One record found."""

    id: str
    url: str
    title: str
    kind: str
    year: int | None
    series: str | None
    authors: str
    passages: tuple[Passage, ...]
    abstract: tuple[Piece, ...]
    tags: tuple[Link, ...]
    call_number: str | None
    availability: str
    thumb: str | None
    score: float


@dataclass(frozen=True, slots=True)
class Nothing:
    """What to try when nothing was found: searches with something dropped, terms near."""

    drops: tuple[Link, ...] = ()
    near: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsPage:
    """All that the page of results shows."""

    state: SearchState
    heading: str
    total: int
    took: float
    relaxed: bool
    expanded: tuple[str, ...]
    hits: tuple[HitView, ...]
    facets: tuple[FacetView, ...]
    chips: tuple[Chip, ...]
    clear_url: str
    sorts: tuple[Link, ...]
    sizes: tuple[Link, ...]
    number: int
    of: int
    previous_url: str | None
    next_url: str | None
    suggestion: Link | None
    nothing: Nothing


def results_page(parts: Parts, state: SearchState) -> ResultsPage:
    """Asks once and tells all: the one call behind ``/recherche``."""
    began = time.perf_counter()
    found = ask(parts, state)
    took = time.perf_counter() - began
    total, last = found.results.total, -(-found.results.total // state.size)
    return ResultsPage(
        state=state,
        heading=f"Résultats pour « {state.q} »" if state.q else "Tout le fonds",
        total=total,
        took=took,
        relaxed=found.relaxed,
        expanded=found.expanded,
        hits=_hits(parts, state, found),
        facets=tuple(_facets(found.results.facets, state, parts.labels)),
        chips=facets.chips(state, parts.labels),
        clear_url=state.without_filters().url(),
        sorts=tuple(
            Link(label, state.changed(sort=name).url(), current=state.sort == name)
            for name, label in _SORT_LABELS.items()
        ),
        sizes=tuple(Link(str(n), state.changed(size=n).url(), current=state.size == n) for n in SIZES),
        number=state.page,
        of=max(last, 1),
        previous_url=state.changed(page=state.page - 1).url() if state.page > 1 else None,
        next_url=state.changed(page=state.page + 1).url() if state.page < last else None,
        suggestion=_suggestion(parts, state, found),
        nothing=_nothing(parts, state) if total == 0 else Nothing(),
    )


def ask(parts: Parts, state: SearchState, *, counted: Sequence[str] = tuple(FACETS)) -> Found:
    """The search of this state."""
    return finder.find(
        state.q,
        engine=parts.engine,
        thesaurus=parts.thesaurus,
        filters=state.filters,
        facets=tuple(counted),
        sort=SORTS[state.sort],
        offset=state.offset,
        limit=state.size,
        pages=PASSAGES,
    )


def _facets(
    counts: Mapping[str, Mapping[str, int]], state: SearchState, labels: Labels
) -> Sequence[FacetView]:
    shown = [name for name in FACETS if counts.get(name) or state.chosen(name)]
    return [facets.view(name, counts.get(name, {}), state, labels) for name in shown]
