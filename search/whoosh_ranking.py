"""A request answered: hits, total and facet counts out of the masks of all segments.

Hides how scores of units become scores of records, how the best few are picked and how facets are counted,
from the engine. Work goes from what is cheap to what is dear: units that match (a byte each), their scores,
records by ``reduceat``, filters and facets over records, the order and the pages of the best few only.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, assert_never

import numpy as np

from search.engine import FACETS, Hit, Results
from search.query import And, Between, Everything, Fuzzy, Not, Or, Phrase, Prefix, Query, Request, Sort, Words
from search.whoosh_files import Array
from search.whoosh_query import Leaf, LeafQuery, Matching, Snapshot
from search.whoosh_segment import Segment, firsts, ranges

_SPAN = re.compile(r"(\d*)-(\d*)")
_FEW = (
    8  # records of a segment per record found: with fewer found, going to their codes is quicker than a mask
)
_UNDATED = 9999_00_00  # where undated records stand, oldest first: last


def answer(snapshot: Snapshot, request: Request) -> Results:
    """What the contract promises for ``request``."""
    leaves = {query: snapshot.leaf(query) for query in _leaves(request.query, negated=True)}
    found = [_Found(snapshot, segment, request, leaves) for segment in snapshot.segments]
    wanted = request.offset + request.limit
    best = sorted((item for part in found for item in part.best(wanted)), key=lambda item: item[0])
    hits = tuple(part.hit(place) for _, part, place in best[request.offset : wanted])
    counts = {name: _summed(part.count(name) for part in found) for name in request.facets}
    return Results(hits, sum(part.total for part in found), counts)


def _leaves(query: Query, *, negated: bool) -> Iterator[LeafQuery]:
    """The leaves of a tree; without those under Not unless ``negated``."""
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _leaves(part, negated=negated)
        case Not(part):
            if negated:
                yield from _leaves(part, negated=True)
        case Words() | Phrase() | Prefix() | Fuzzy():
            yield query
        case Everything() | Between():
            return
        case _:
            assert_never(query)


def _all_true(query: Query) -> bool:
    """Whether all scoring leaves are true wherever the query is."""
    match query:
        case And(parts):
            return all(_all_true(part) for part in parts)
        case Or(parts):
            return len(parts) == 1 and _all_true(parts[0])
        case _:
            return True


def _summed(counts: Iterator[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return dict(total)


class _Found:
    """What a request finds in one segment. ``records``: numbers of those that match before filters;
    a *place* is an index in it."""

    def __init__(
        self, snapshot: Snapshot, segment: Segment, request: Request, leaves: Mapping[LeafQuery, Leaf]
    ) -> None:
        self._segment = segment
        self._request = request
        self._leaves = leaves
        self._matching = Matching(snapshot, segment, leaves)
        mask = self._matching.mask(request.query)
        if segment.live_units is not None:
            mask = mask & segment.live_units
        self._units = mask.nonzero()[0]
        owners = segment.unit_record[self._units]
        self._starts = firsts(owners)
        self.records = owners[self._starts]
        self._passing = [self._passes(facet, codes) for facet, codes in request.filters]

    # -- filters and facets

    def _passes(self, facet: str, codes: Sequence[str]) -> Array:
        """Which places have one of the codes."""
        columns = self._segment.facet(facet)
        numbers = {columns.number[code] for code in codes if code in columns.number}
        if facet == "year":
            for span in filter(None, map(_SPAN.fullmatch, codes)):
                low, high = int(span[1] or 0), int(span[2] or 9999)
                numbers |= {n for year, n in columns.number.items() if low <= int(year) <= high}
        wanted = np.zeros(len(columns.values), dtype=bool)
        wanted[list(numbers)] = True
        held = np.zeros(self._segment.records, dtype=bool)
        held[columns.owners[wanted[columns.codes]]] = True
        return held[self.records]

    def _kept(self, without: str | None = None) -> Array | None:
        """Which places pass all filters but those of one facet; None: all."""
        kept: Array | None = None
        for (facet, _), passing in zip(self._request.filters, self._passing, strict=True):
            if facet != without:
                kept = passing if kept is None else kept & passing
        return kept

    @cached_property
    def _places(self) -> Array:
        kept = self._kept()
        return np.arange(len(self.records)) if kept is None else np.flatnonzero(kept)

    @property
    def total(self) -> int:
        """How many records pass."""
        return len(self._places)

    def count(self, facet: str) -> dict[str, int]:
        """Code -> number of records, the facet's own filter left out."""
        if facet not in FACETS or not len(self.records):
            return {}
        columns, kept = self._segment.facet(facet), self._kept(facet)
        records = self.records if kept is None else self.records[kept]
        if len(records) * _FEW > self._segment.records:
            held = np.zeros(self._segment.records, dtype=bool)
            held[records] = True
            codes = columns.codes[held[columns.owners]]
        else:
            first = columns.first[records]
            codes = columns.codes[ranges(first, columns.first[records + 1] - first)]
        counts = np.bincount(codes).tolist()
        return {value: count for value, count in zip(columns.values, counts, strict=False) if count}

    # -- scores

    @cached_property
    def _scores(self) -> tuple[Array, Array]:
        """Of each matching unit: what its page's text scores, and what the unit does."""
        query, segment, units = self._request.query, self._segment, self._units
        owners = segment.unit_record[units]
        if _all_true(query):
            by_unit, by_record = self._summed([self._leaves[leaf] for leaf in _leaves(query, negated=False)])
            pages, records = by_unit[units], by_record[owners]
        else:
            pages = np.zeros(len(units), dtype=np.float32)
            records = np.zeros(len(units), dtype=np.float32)
            for leaf in _leaves(query, negated=False):
                by_unit, by_record = self._summed([self._leaves[leaf]])
                true = self._matching.mask(leaf)[units]
                pages += by_unit[units] * true
                records += by_record[owners] * true
        return pages, pages * segment.page_weight[units] + records

    def _summed(self, leaves: Sequence[Leaf]) -> tuple[Array, Array]:
        """What all units and all records score for the words of ``leaves``, true of them or not."""
        by_unit = np.zeros(self._segment.units, dtype=np.float32)
        by_record = np.zeros(self._segment.records, dtype=np.float32)
        for leaf in leaves:
            for slot in leaf.slots:
                if slot:
                    held = self._matching.held(leaf.fields, slot)
                    by_unit[held.units] += held.unit_scores
                    by_record[held.records] += held.record_scores
        return by_unit, by_record

    @cached_property
    def _record_scores(self) -> Array:
        both = self._scores[1]
        return np.maximum.reduceat(both, self._starts) if len(both) else both

    # -- the best

    def best(self, wanted: int) -> list[tuple[Any, _Found, int]]:
        """Up to ``wanted`` places with what orders them over all segments, best first."""
        segment, places = self._segment, self._places
        if not len(places) or wanted <= 0:
            return []
        records = self.records[places]
        first = self._order(places, records)
        chosen = _smallest(first, segment.id_rank[records], wanted)
        keys: list[Any]
        if self._request.sort is Sort.TITLE:
            keys = [segment.titles[record] for record in records[chosen].tolist()]
        else:
            keys = first[chosen].tolist()
        ids = [segment.ids[record] for record in records[chosen].tolist()]
        return [
            ((key, id), self, int(place)) for key, id, place in zip(keys, ids, places[chosen], strict=True)
        ]

    def _order(self, places: Array, records: Array) -> Array:
        """What comes first is smaller."""
        segment = self._segment
        match self._request.sort:
            case Sort.RELEVANCE:
                return -self._record_scores[places]
            case Sort.NEWEST:
                return -segment.dates[records]
            case Sort.OLDEST:
                dates = segment.dates[records]
                return np.where(dates == 0, _UNDATED, dates)
            case Sort.TITLE:
                return segment.title_rank[records]
            case _:
                assert_never(self._request.sort)

    def hit(self, place: int) -> Hit:
        """The hit at one place."""
        start = int(self._starts[place])
        end = int(self._starts[place + 1]) if place + 1 < len(self._starts) else len(self._units)
        scores = self._scores[0][start:end].tolist()
        numbers = self._segment.page[self._units[start:end]].tolist()
        scored = ((-score, number) for score, number in zip(scores, numbers, strict=True) if score > 0)
        pages = tuple(number for _, number in heapq.nsmallest(self._request.pages, scored))
        id = self._segment.ids.text(int(self.records[place]))
        return Hit(id, float(self._record_scores[place]), pages)


def _smallest(first: Array, then: Array, wanted: int) -> Array:
    """Indexes of the ``wanted`` smallest, in order of ``first``, then of ``then``."""
    if len(first) <= wanted:
        return np.lexsort((then, first))
    if wanted <= 0:
        return np.zeros(0, dtype=np.intp)
    limit = np.partition(first, wanted - 1)[wanted - 1]
    sure, ties = np.flatnonzero(first < limit), np.flatnonzero(first == limit)
    room = wanted - len(sure)
    if room < len(ties):
        ties = ties[np.argpartition(then[ties], room - 1)[:room]]
    chosen = np.concatenate((sure, ties))
    return chosen[np.lexsort((then[chosen], first[chosen]))]
