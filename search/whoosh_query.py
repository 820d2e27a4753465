"""The query tree over whole arrays: which units of a segment match, and what the postings of words score.

Hides what words stand for in this fund, how postings become masks of units, and the cache of what was
worked out. ``search.query`` says what a tree means, ``search.engine`` how a term scores.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, assert_never

import numpy as np

from kb import french
from search.engine import FIELDS, K1, KIN, PAGE, PAGE_B, B, kin_start
from search.query import (
    And,
    Between,
    Everything,
    Fuzzy,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Words,
    least,
)
from search.whoosh_files import Array
from search.whoosh_lexicon import squeezed
from search.whoosh_segment import Segment, TermPostings, firsts, ranges

LeafQuery: TypeAlias = Words | Phrase | Prefix | Fuzzy


@dataclass(frozen=True, slots=True)
class Slot:
    """One word of a query: what may stand for it in plain fields, and what in exact ones."""

    terms: tuple[str, ...]
    keys: tuple[str, ...]
    kin: str = ""
    """What its kin begin with; "" for none."""

    def tokens(self, field: str) -> tuple[str, ...]:
        """What may stand for it in ``field``."""
        return self.keys if FIELDS[field].exact else self.terms


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the tree made ready. In a phrase, None is any word; no slots: true of everything."""

    fields: tuple[str, ...]
    slots: tuple[Slot | None, ...]
    need: int


@dataclass(frozen=True, slots=True)
class Held:
    """Where one word of a query stands in a segment, and what it scores there. Units and records grow."""

    units: Array
    """Pages whose text holds it."""
    unit_scores: Array
    own: Array
    """Records that hold it in an own field; one may stand here for each field."""
    records: Array
    """Records that hold it, or its kin, anywhere."""
    record_scores: Array

    @property
    def bytes(self) -> int:
        """Memory taken, with the objects around the arrays."""
        return 1000 + sum(int(getattr(self, name).nbytes) for name in self.__slots__)


class Cache:
    """What was worked out of postings, the oldest dropped when it takes more than ``limit`` bytes. For all
    threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[object, tuple[int, Held]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: object, generation: int) -> Held | None:
        """What is kept under ``key``, if it was worked out in this generation of the index."""
        with self._lock:
            if (found := self._kept.get(key)) is None or found[0] != generation:
                return None
            self._kept.move_to_end(key)
            return found[1]

    def put(self, key: object, generation: int, held: Held) -> None:
        """Keep ``held``, whose arrays nobody may change."""
        with self._lock:
            if (old := self._kept.pop(key, None)) is not None:
                self._size -= old[1].bytes
            self._kept[key] = generation, held
            self._size += held.bytes
            while self._size > self._limit:
                self._size -= self._kept.popitem(last=False)[1][1].bytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._size = 0


_LEAVES = 1_000  # leaves kept ready: more than the queries of a minute


class Snapshot:
    """All segments of one generation of the index, and what is counted over all of them."""

    def __init__(self, segments: Sequence[Segment], generation: int, cache: Cache) -> None:
        self.segments = tuple(segments)
        self.generation = generation
        self.cache = cache
        self._idf: dict[tuple[str, str], float] = {}
        self._leaves: dict[LeafQuery, Leaf] = {}

    @cached_property
    def units(self) -> int:
        """How many living units there are."""
        return sum(segment.living_units for segment in self.segments)

    @cached_property
    def means(self) -> Mapping[str, float]:
        """Mean number of words of fields, of pages ("text") and of whole texts ("whole") that have any."""
        found = {}
        for name in (*FIELDS, "whole"):
            sizes = [segment.size(name) for segment in self.segments]
            number, words = sum(n for n, _ in sizes), sum(w for _, w in sizes)
            found[name] = words / number if number else 1.0
        return found

    def idf(self, field: str, token: str) -> float:
        """How rare a token is: in an exact field, among its records; else among all units."""
        key = (field if FIELDS[field].exact else "", token)
        if key not in self._idf:
            if FIELDS[field].exact:
                holders = sum(_holders(segment, field, token) for segment in self.segments)
            else:
                holders = self.held(token)
            self._idf[key] = math.log(1 + (self.units - holders + 0.5) / (holders + 0.5))
        return self._idf[key]

    def held(self, term: str) -> int:
        """How many living units hold a term."""
        numbers = ((segment, segment.term_number(term)) for segment in self.segments)
        return sum(int(segment.term_units[number]) for segment, number in numbers if number >= 0)

    def leaf(self, query: LeafQuery) -> Leaf:
        """The leaf made ready, with the words that it stands for in this fund."""
        if (found := self._leaves.get(query)) is None:
            if len(self._leaves) >= _LEAVES:
                self._leaves.clear()
            found = self._leaves[query] = self._ready(query)
        return found

    def forget(self) -> None:
        """Drop what was worked out for single queries."""
        self.cache.clear()
        self._leaves.clear()
        self._idf.clear()

    def _ready(self, query: LeafQuery) -> Leaf:
        fields = query.fields or tuple(FIELDS)
        match query:
            case Words(text, _, need):
                slots = _distinct(_slots(text, fields))
                return Leaf(fields, slots, least(need, len(slots)))
            case Phrase(text):
                return Leaf(fields, _trimmed(_slots(text, fields)), 1)
            case Prefix(text):
                return Leaf(fields, (self._beginning(squeezed(text)),), 1)
            case Fuzzy(text):
                return Leaf(fields, (self._near(squeezed(text)),), 1)
            case _:
                assert_never(query)

    def _beginning(self, start: str) -> Slot:
        terms: set[str] = set()
        keys: set[str] = set()
        for segment in self.segments:
            terms.update(_terms(segment, segment.lexicon.beginning(start)))
            keys.update(segment.lexicon.keys_beginning(start))
        return Slot(tuple(sorted(terms)), tuple(sorted(keys)))

    def _near(self, word: str) -> Slot:
        terms: set[str] = set()
        keys: set[str] = set()
        for segment in self.segments:
            forms, found = segment.lexicon.within(word)
            terms.update(_terms(segment, forms))
            keys.update(found)
        return Slot(tuple(sorted(terms)), tuple(sorted(keys)))


def _terms(segment: Segment, forms: Array) -> list[str]:
    numbers = np.unique(segment.lexicon.form_terms[forms])
    return [segment.terms.text(number) for number in numbers.tolist()]


def _holders(segment: Segment, field: str, token: str) -> int:
    if (row := segment.row(field, token)) < 0:
        return 0
    docs, living = segment.postings(field, row).docs, segment.living(field)
    return len(docs) if living is None else int(np.count_nonzero(living[docs]))


def _slots(text: str, fields: Sequence[str]) -> list[Slot | None]:
    if all(FIELDS[name].exact for name in fields):
        return [Slot((), (piece,)) for piece in french.pieces(text)]
    return [
        Slot((token.term,), (squeezed(token.form),)) if token.term else None for token in french.tokens(text)
    ]


def _distinct(slots: Iterable[Slot | None]) -> tuple[Slot, ...]:
    """One slot a term: forms of one word are one word."""
    merged: dict[tuple[str, ...], Slot] = {}
    for slot in slots:
        if slot:
            name = slot.terms or slot.keys
            known = merged.get(name, slot)
            keys = tuple(dict.fromkeys(known.keys + slot.keys))
            merged[name] = Slot(slot.terms, keys, "".join(map(kin_start, slot.terms)))
    return tuple(merged.values())


def _trimmed(slots: list[Slot | None]) -> tuple[Slot | None, ...]:
    real = [i for i, slot in enumerate(slots) if slot]
    return tuple(slots[real[0] : real[-1] + 1]) if real else ()


class Matching:
    """The query tree over one segment."""

    def __init__(self, snapshot: Snapshot, segment: Segment, leaves: Mapping[LeafQuery, Leaf]) -> None:
        self._snapshot = snapshot
        self._segment = segment
        self._leaves = leaves
        self._masks: dict[LeafQuery, Array] = {}

    def mask(self, query: Query) -> Array:
        """Which units the query is true of."""
        segment = self._segment
        match query:
            case Everything():
                return np.ones(segment.units, dtype=bool)
            case Between(first, last):
                years = segment.dates // 10_000
                low, high = (1 if first is None else first), (9999 if last is None else last)
                return ((years >= max(low, 1)) & (years <= high))[segment.unit_record]
            case And(parts):
                return self._all(parts)
            case Or(parts):
                found = np.zeros(segment.units, dtype=bool)
                for part in parts:
                    found |= self.mask(part)
                return found
            case Not(part):
                held = np.zeros(segment.records, dtype=bool)
                held[segment.unit_record[self.mask(part).nonzero()[0]]] = True
                return ~held[segment.unit_record]
            case Words() | Phrase() | Prefix() | Fuzzy():
                return self._leaf(query)
            case _:
                assert_never(query)

    def _all(self, parts: Sequence[Query]) -> Array:
        if not parts:
            return np.ones(self._segment.units, dtype=bool)
        found = self.mask(parts[0])
        for part in parts[1:]:
            found = found & self.mask(part)
        return found

    def _leaf(self, query: LeafQuery) -> Array:
        if query not in self._masks:
            leaf = self._leaves[query]
            if not leaf.slots:
                self._masks[query] = np.ones(self._segment.units, dtype=bool)
            elif isinstance(query, Phrase):
                self._masks[query] = self._phrase(leaf)
            else:
                self._masks[query] = self._words(leaf)
        return self._masks[query]

    def _words(self, leaf: Leaf) -> Array:
        masks = [self._slot(leaf.fields, slot) for slot in leaf.slots if slot]
        if leaf.need == len(masks):
            found = masks[0]
            for mask in masks[1:]:
                found &= mask
            return found
        held = np.zeros(self._segment.units, dtype=np.uint16)
        for mask in masks:
            held += mask
        return held >= leaf.need

    def _slot(self, fields: tuple[str, ...], slot: Slot) -> Array:
        held = self.held(fields, slot)
        return self._spread(held.units, held.own)

    def _spread(self, units: Array, records: Array) -> Array:
        """These units, and all units of these records."""
        mask = np.zeros(self._segment.units, dtype=bool)
        mask[units] = True
        if len(records):
            mask[self._segment.units_of(records)] = True
        return mask

    def held(self, fields: tuple[str, ...], slot: Slot) -> Held:
        """Where a word stands and what it scores, kept for the next time."""
        key = (self._segment.note.file.name, fields, slot)
        generation = self._snapshot.generation
        if (found := self._snapshot.cache.get(key, generation)) is None:
            found = self._work_out(fields, slot)
            self._snapshot.cache.put(key, generation, found)
        return found

    def _work_out(self, fields: tuple[str, ...], slot: Slot) -> Held:
        own = {name: self._own(name, slot) for name in fields if name != "text"}
        units, unit_scores, best = _NONE, _NO_SCORES, dict(own)
        if "text" in fields and (rows := self._rows("text", slot)):
            units, unit_scores, best["text"] = self._text(rows)
        if slot.kin:
            for name in fields:
                if not FIELDS[name].exact:
                    best[name] = _both(best.get(name, (_NONE, _NO_SCORES)), self._kin(name, slot))
        records, record_scores = _best(list(best.values()))
        own_records = np.concatenate([_NONE, *(docs for docs, _ in own.values())])
        return Held(units, unit_scores, own_records, records, record_scores)

    def _rows(self, field: str, slot: Slot) -> _Rows | None:
        """All postings of the tokens of a word in a field."""
        segment = self._segment
        rows = [(t, row) for t in slot.tokens(field) if (row := segment.row(field, t)) >= 0]
        if not rows:
            return None
        found = [segment.postings(field, row) for _, row in rows]
        sizes = [len(postings.docs) for postings in found]
        weights = [FIELDS[field].weight * (K1 + 1) * self._snapshot.idf(field, token) for token, _ in rows]
        docs = np.concatenate([postings.docs for postings in found]).astype(np.intp)
        freqs = np.concatenate([postings.freqs for postings in found])
        return _Rows(docs, freqs, np.repeat(np.array(weights, dtype=np.float32), sizes), sizes)

    def _own(self, field: str, slot: Slot) -> tuple[Array, Array]:
        if (rows := self._rows(field, slot)) is None:
            return _NONE, _NO_SCORES
        lengths = self._segment.lengths(field)[rows.docs]
        return _added(rows.docs, self._bm25(field, rows.freqs, lengths, rows.weights), len(rows.sizes))

    def _kin(self, field: str, slot: Slot) -> tuple[Array, Array]:
        """Records that hold kin of a word in a field, and what these score together."""
        segment, (term,) = self._segment, slot.terms
        first, last = segment.rows(field, slot.kin)
        own = segment.row(field, term)
        cut = (first, last, last, last) if own < 0 else (first, own, own + 1, last)
        columns = segment.field(field)
        a, b, c, d = columns.starts[list(cut)].tolist()
        if b - a + d - c == 0:
            return _NONE, _NO_SCORES
        docs = np.concatenate((columns.docs[a:b], columns.docs[c:d]))
        many = np.concatenate((columns.freqs[a:b], columns.freqs[c:d]))
        kind = field
        if field == "text":
            docs, kind = segment.unit_record[docs], "whole"
        dense = np.bincount(docs, weights=many)
        records = dense.nonzero()[0]
        weight = FIELDS[field].weight * KIN * (K1 + 1) * self._snapshot.idf(field, term)
        lengths = segment.lengths(kind)[records]
        return records, self._bm25(
            kind, dense[records], lengths, np.full(len(records), weight, dtype=np.float32)
        )

    def _text(self, rows: _Rows) -> tuple[Array, Array, tuple[Array, Array]]:
        """Pages and what they score; records and what their whole text scores."""
        segment = self._segment
        lengths = segment.lengths("text")[rows.docs]
        units, scores = _added(
            rows.docs, self._bm25("text", rows.freqs, lengths, rows.weights), len(rows.sizes)
        )
        owners = segment.unit_record[rows.docs]
        starts = firsts(owners)
        if len(rows.sizes) > 1:  # the same record at the end of one token and the start of the next
            starts = np.union1d(starts, np.cumsum(rows.sizes[:-1]))
        records = owners[starts]
        freqs = np.add.reduceat(rows.freqs, starts, dtype=np.uint32)
        lengths = segment.lengths("whole")[records]
        whole = self._bm25("whole", freqs, lengths, rows.weights[starts])
        return units, scores * np.float32(PAGE), _added(records, whole, len(rows.sizes))

    def _bm25(self, kind: str, freqs: Array, lengths: Array, weights: Array) -> Array:
        many = freqs.astype(np.float32)
        b = PAGE_B if kind == "text" else B
        slope = np.float32(K1 * b / self._snapshot.means[kind])
        return weights * many / (many + np.float32(K1 * (1 - b)) + lengths * slope)

    def _phrase(self, leaf: Leaf) -> Array:
        wanted = [(offset, slot) for offset, slot in enumerate(leaf.slots) if slot]
        own = [self._side_by_side(name, wanted) for name in leaf.fields if name != "text"]
        units = self._side_by_side("text", wanted) if "text" in leaf.fields else _NONE
        return self._spread(units, np.concatenate(own) if own else _NONE)

    def _side_by_side(self, field: str, wanted: Sequence[tuple[int, Slot]]) -> Array:
        """Documents of a field where the tokens stand at these distances from each other."""
        segment = self._segment
        found: list[tuple[int, TermPostings]] = []
        for offset, slot in wanted:
            rows = [row for token in slot.tokens(field) if (row := segment.row(field, token)) >= 0]
            if not rows:
                return _NONE
            found.append((offset, segment.postings(field, rows[0])))
        found.sort(key=lambda item: len(item[1].docs))
        docs = found[0][1].docs.astype(np.intp)
        for _, postings in found[1:]:
            docs = docs[_where(postings.docs, docs)[0]]
        places = None
        for offset, postings in found:
            here = _places(postings, docs) - offset
            places = here if places is None else places[_where(here, places)[0]]
        return np.unique(docs[places >> 33]) if places is not None else _NONE


@dataclass(frozen=True, slots=True)
class _Rows:
    """Postings of some tokens on end; ``sizes``: how many each token has."""

    docs: Array
    freqs: Array
    weights: Array
    sizes: list[int]


_NONE = np.zeros(0, dtype=np.intp)
_NO_SCORES = np.zeros(0, dtype=np.float32)


def _added(docs: Array, scores: Array, tokens: int) -> tuple[Array, Array]:
    """What documents score for all tokens together. One token has each document once."""
    if tokens == 1:
        return docs, scores
    dense = np.bincount(docs, weights=scores)
    found = dense.nonzero()[0]
    return found, dense[found].astype(np.float32)


def _both(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    """What documents score in two parts together."""
    if not len(one[0]) or not len(other[0]):
        return one if len(one[0]) else other
    return _added(np.concatenate((one[0], other[0])), np.concatenate((one[1], other[1])), 2)


def _best(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """The best that each document scores in any part."""
    parts = [part for part in parts if len(part[0])]
    if len(parts) < 2:
        return parts[0] if parts else (_NONE, _NO_SCORES)
    docs = np.concatenate([part[0] for part in parts])
    order = np.argsort(docs, kind="stable")
    docs, scores = docs[order], np.concatenate([part[1] for part in parts])[order]
    starts = firsts(docs)
    return docs[starts], np.maximum.reduceat(scores, starts)


def _where(table: Array, wanted: Array) -> tuple[Array, Array]:
    """Which of ``wanted`` are in the sorted ``table``, and where they would be."""
    if not len(table):
        return np.zeros(len(wanted), dtype=bool), np.zeros(len(wanted), dtype=np.intp)
    at = np.searchsorted(table, wanted.astype(table.dtype))
    return table[np.minimum(at, len(table) - 1)] == wanted, at


def _places(postings: TermPostings, docs: Array) -> Array:
    """(Index in ``docs``, position) of a term as one number each, growing; positions shifted so that an
    offset can be taken off."""
    at = np.searchsorted(postings.docs, docs.astype(postings.docs.dtype))
    ends = np.cumsum(postings.freqs, dtype=np.int64)[at]
    counts = postings.freqs[at].astype(np.int64)
    positions = postings.positions[ranges(ends - counts, counts)].astype(np.int64)
    return (np.repeat(np.arange(len(docs), dtype=np.int64), counts) << 33) + positions + (1 << 31)
