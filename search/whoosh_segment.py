"""One segment, read where it lies: postings, lengths, facets and dates as arrays of a mapped file.

Hides how a segment's columns are found, and which of its records are dead, from those who ask and those who
merge. The postings of a term are slices: nothing is unpickled, nothing copied, nothing decoded.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from search.engine import FIELDS, FIRST
from search.whoosh_files import Array, ArrayFile, SegmentNote
from search.whoosh_lexicon import Lexicon


def ranges(starts: Array, counts: Array) -> Array:
    """The numbers ``starts[i] .. starts[i] + counts[i] - 1`` for each i, on end."""
    ends = np.cumsum(counts)
    numbers: Array = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - counts), counts)
    return numbers


def firsts(numbers: Array) -> Array:
    """Where each run of equal numbers begins."""
    fresh = np.ones(len(numbers), dtype=bool)
    np.not_equal(numbers[1:], numbers[:-1], out=fresh[1:])
    return fresh.nonzero()[0]


@dataclass(frozen=True, slots=True)
class FieldColumns:
    """The postings of one field; see ``whoosh_build`` for what each column is."""

    terms: Array
    starts: Array
    docs: Array
    freqs: Array
    places: Array
    positions: Array
    lengths: Array


@dataclass(frozen=True, slots=True)
class TermPostings:
    """The postings of one term in one field. ``docs`` grow; ``positions`` of all docs on end."""

    docs: Array
    freqs: Array
    positions: Array


@dataclass(frozen=True)
class FacetColumns:
    """Codes of the records: those of record i are ``codes[first[i]:first[i + 1]]``, numbers in ``values``."""

    values: list[str]
    codes: Array
    first: Array

    @cached_property
    def number(self) -> dict[str, int]:
        """Code -> its number."""
        return {value: number for number, value in enumerate(self.values)}

    @cached_property
    def owners(self) -> Array:
        """The record of each code."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))


class Segment:
    """A segment opened: arrays mapped, living records known. Raises IndexOutdated if its file is damaged."""

    def __init__(self, folder: Path, note: SegmentNote) -> None:
        arrays = ArrayFile(folder / note.file.name)
        dead = ArrayFile(folder / note.deletions.name)["dead"] if note.deletions else None
        self._set(note, arrays, None if dead is None else ~dead)

    def _set(self, note: SegmentNote, arrays: ArrayFile, live: Array | None) -> None:
        self.note = note
        self.arrays = arrays
        self.ids = arrays.strings("id")
        self.titles = arrays.strings("title_key")
        self.terms = arrays.strings("term")
        self.dates = arrays["date"]
        self.first = arrays["first"]
        self.page = arrays["page"]
        self.records = len(self.dates)
        self.units = len(self.page)
        self.live = live
        self.lexicon = Lexicon(arrays, self.terms, live)
        self._fields: dict[str, FieldColumns] = {}
        self._facets: dict[str, FacetColumns] = {}

    def with_dead(self, records: Iterable[int]) -> Segment:
        """The same segment with these records dead as well."""
        live = np.ones(self.records, dtype=bool) if self.live is None else self.live.copy()
        live[list(records)] = False
        other = Segment.__new__(Segment)
        other._set(self.note, self.arrays, live)
        return other

    def field(self, name: str) -> FieldColumns:
        """The columns of a field."""
        if name not in self._fields:
            columns = (self.arrays[f"{name}.{column}"] for column in FieldColumns.__slots__)
            self._fields[name] = FieldColumns(*columns)
        return self._fields[name]

    def facet(self, name: str) -> FacetColumns:
        """The columns of a facet."""
        if name not in self._facets:
            key = f"facet.{name}"
            values = self.arrays.strings(key).texts()
            self._facets[name] = FacetColumns(
                values, self.arrays[f"{key}.codes"], self.arrays[f"{key}.first"]
            )
        return self._facets[name]

    def docs(self, name: str) -> int:
        """How many documents a field has: units for the text of pages, else records."""
        return self.units if name == "text" else self.records

    @cached_property
    def unit_record(self) -> Array:
        """Record number of each unit."""
        return np.repeat(np.arange(self.records), np.diff(self.first))

    @cached_property
    def live_units(self) -> Array | None:
        """Which units belong to a living record; None: all."""
        return None if self.live is None else self.live[self.unit_record]

    @property
    def living_units(self) -> int:
        """How many units belong to a living record."""
        return self.units if self.live_units is None else int(np.count_nonzero(self.live_units))

    @cached_property
    def page_weight(self) -> Array:
        """FIRST for the first page of each record, 1 for all other units."""
        weight = np.ones(self.units, dtype=np.float32)
        weight[self.first[:-1][np.diff(self.first) > 1] + 1] = FIRST
        return weight

    def living(self, name: str) -> Array | None:
        """Which documents of a field live; None: all."""
        return self.live_units if name == "text" else self.live

    def units_of(self, records: Array) -> Array:
        """All units of some records."""
        starts = self.first[records]
        return ranges(starts, self.first[records + 1] - starts)

    @cached_property
    def id_rank(self) -> Array:
        """Place of each record in the order of ids."""
        rank = np.empty(self.records, dtype=np.int64)
        rank[self.arrays["order"]] = np.arange(self.records)
        return rank

    @cached_property
    def title_rank(self) -> Array:
        """Place of each record in the order of titles; equal titles have equal places."""
        titles = list(self.titles)
        place = {title: number for number, title in enumerate(sorted(set(titles)))}
        return np.array([place[title] for title in titles], dtype=np.int64)

    def find(self, id: str) -> int:
        """Record number of an id, living or not; -1 if it is not here. Of several the last, since a writer
        that puts an entry twice kills the first."""
        order, wanted = self.arrays["order"], id.encode()
        at = bisect.bisect_right(order, wanted, key=self.ids.__getitem__) - 1
        return int(order[at]) if at >= 0 and self.ids[order[at]] == wanted else -1

    @cached_property
    def _term_numbers(self) -> dict[str, int]:
        return {term: number for number, term in enumerate(self.terms.texts())}

    def term_number(self, term: str) -> int:
        """Number of a term; -1 if it is not here."""
        return self._term_numbers.get(term, -1)

    def row(self, name: str, term: str) -> int:
        """Row of a term in the columns of a field; -1 if it does not occur there."""
        if (number := self.term_number(term)) < 0:
            return -1
        terms = self.field(name).terms
        at = int(np.searchsorted(terms, number))
        return at if at < len(terms) and terms[at] == number else -1

    def rows(self, name: str, start: str) -> tuple[int, int]:
        """First row, and row after the last, of the terms of a field that begin with ``start``."""
        low = bisect.bisect_left(self.terms, start.encode())
        high = bisect.bisect_left(self.terms, start.encode() + b"\xff")  # no byte of UTF-8 is greater
        first, last = np.searchsorted(self.field(name).terms, (low, high)).tolist()
        return first, last

    def postings(self, name: str, row: int) -> TermPostings:
        """The postings in one row of a field."""
        field = self.field(name)
        a, b = field.starts[row : row + 2].tolist()
        p, q = field.places[row : row + 2].tolist()
        return TermPostings(field.docs[a:b], field.freqs[a:b], field.positions[p:q])

    def lengths(self, kind: str) -> Array:
        """Words of each document of a field; of each record's whole text for "whole"."""
        return self._whole_lengths if kind == "whole" else self.field(kind).lengths

    @cached_property
    def _whole_lengths(self) -> Array:
        return np.add.reduceat(self.field("text").lengths, self.first[:-1])

    def size(self, kind: str) -> tuple[int, int]:
        """How many living documents have words (see ``lengths``), and how many words these are."""
        lengths, living = self.lengths(kind), self.living(kind)
        kept = lengths if living is None else lengths[living]
        return int(np.count_nonzero(kept)), int(kept.sum(dtype=np.int64))

    @cached_property
    def term_units(self) -> Array:
        """How many living units (pages, own fields of a record) hold each term; exact fields left out."""
        if self.live is None:
            return self.arrays["term.units"]
        counts = np.zeros(len(self.terms), dtype=np.int64)
        own = [np.zeros(0, dtype=np.int64)]
        for name, kind in FIELDS.items():
            if not kind.exact:
                field, living = self.field(name), self.living(name)
                assert living is not None
                kept = living[field.docs]
                terms = np.repeat(field.terms, np.diff(field.starts))[kept].astype(np.int64)
                if name == "text":
                    counts += np.bincount(terms, minlength=len(counts))
                else:
                    own.append(terms * self.records + field.docs[kept])
        pairs = np.unique(np.concatenate(own)) // self.records
        return counts + np.bincount(pairs, minlength=len(counts))
