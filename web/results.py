"""The page of results: hits with their passages, facets, what to do when there is nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb import records
from kb.records import Record
from search import finder, snippets, suggest
from search.engine import FACETS, Hit
from search.finder import Found
from search.snippets import Piece
from web import facets, notices
from web.facets import Chip, FacetView
from web.labels import Labels
from web.notices import Link
from web.parts import Parts
from web.state import SIZES, SORTS, SearchState

PASSAGES = 3
_SORT_LABELS = {"pertinence": "pertinence", "recent": "plus récents", "ancien": "plus anciens", "titre": "titre"}
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
