"""Segments made: entries inverted, several segments merged, both by sorting whole arrays.

Hides how a segment's arrays come to be. No line of Python runs per posting: words become numbers as they
are read, and one stable sort by term leaves postings in the order of documents and positions.

Arrays of a segment. A *record* number counts the records from 0; a *unit* number counts their units, own
fields (page 0) first, then pages, records in order. ``docs`` of ``text`` are units, of other fields records.

- ``id``, ``title_key`` (strings), ``order`` (records by id), ``date`` (yyyymmdd, 0 unknown), ``first`` (first
  unit of each record, then the end), ``page`` (page number of each unit, 0 for own fields);
- ``term`` (strings, sorted), ``term.units`` (how many units hold it, exact fields left out);
- ``FIELD.terms`` (terms that occur in a field), ``.starts`` (first posting of each), ``.docs``, ``.freqs``,
  ``.places`` (first position of each), ``.positions``, ``.lengths`` (words of each doc);
- ``form``, ``squeezed`` and the like: see ``whoosh_lexicon``;
- ``facet.NAME`` (strings: codes), ``.codes`` and ``.first`` (codes of each record).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kb import french
from search.engine import FACETS, FIELDS, Entry
from search.whoosh_files import Array, string_arrays
from search.whoosh_lexicon import lexicon_arrays
from search.whoosh_segment import Segment, ranges

OWN = tuple(name for name in FIELDS if name != "text")
"""The fields that are a record's own."""


_APART = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_NUMBERS = re.compile(r"\d\s+\d")  # "10 000" is one word


def chunks(text: str) -> list[str]:
    """``text`` cut at white space where no word of the analysis goes on, so that the words of a text are
    those of its chunks: most chunks of a page were met before, and need no analysis again."""
    return _APART.split(text) if _NUMBERS.search(text) else text.split()


class Builder:
    """Entries on their way into one segment, kept as numbers: some 4 bytes a word."""

    def __init__(self) -> None:
        self._forms: dict[str, int] = {"": 0}  # number 0: a stop word
        self._form_terms = [""]
        self._chunks: dict[str, list[int]] = {}
        self._keys: dict[str, int] = {}
        self._streams = {name: _Stream() for name in FIELDS}
        self._ids: list[str] = []
        self._titles: list[str] = []
        self._dates: list[int] = []
        self._first = array("I", [0])
        self._page = array("I")
        self._record_forms = array("I")
        self._record_forms_first = array("Q", [0])
        self._facets = {name: _Codes() for name in FACETS}

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def pages(self) -> int:
        """Number of pages taken in."""
        return len(self._page) - len(self._ids)

    @property
    def words(self) -> int:
        """Number of words taken in: what memory and time go with."""
        return sum(len(stream.words) for stream in self._streams.values())

    def add(self, entry: Entry) -> int:
        """The record number that the entry now has."""
        record = len(self._ids)
        seen: set[int] = set()
        for name in OWN:
            text = entry.fields.get(name, "")
            numbers = self._exact(text) if FIELDS[name].exact else self._plain(text)
            self._streams[name].add(record, numbers)
            if not FIELDS[name].exact:
                seen.update(numbers)
        self._page.append(0)
        for number, text in entry.pages:
            numbers = self._plain(text)
            self._streams["text"].add(len(self._page), numbers)
            self._page.append(number)
            seen.update(numbers)
        self._first.append(len(self._page))
        self._ids.append(entry.id)
        self._titles.append(entry.title_key)
        self._dates.append(date_number(entry.date))
        self._record_forms.extend(seen - {0})
        self._record_forms_first.append(len(self._record_forms))
        for name, codes in self._facets.items():
            codes.add(entry.facets.get(name, ()))
        return record

    def _plain(self, text: str) -> list[int]:
        known, numbers = self._chunks, []
        for chunk in chunks(text):
            found = known.get(chunk)
            numbers += self._analysed(chunk) if found is None else found
        return numbers

    def _analysed(self, chunk: str) -> list[int]:
        """Numbers of the forms in a chunk that was not met yet."""
        numbers = []
        for form, term, _, _ in french.tokens(chunk):
            if term and form not in self._forms:
                self._forms[form] = len(self._forms)
                self._form_terms.append(term)
            numbers.append(self._forms[form] if term else 0)
        self._chunks[chunk] = numbers
        return numbers

    def _exact(self, text: str) -> list[int]:
        known = self._keys
        return [known.setdefault(key, len(known) + 1) for key in french.exact(text)]

    def arrays(self) -> dict[str, Array]:
        """All arrays of the segment."""
        terms = sorted({*self._form_terms, *self._keys} - {""})
        number = {term: i for i, term in enumerate(terms)}
        form_terms = np.array([number.get(term, -1) for term in self._form_terms], dtype=np.int64)
        key_terms = np.array([-1, *(number[key] for key in self._keys)], dtype=np.int64)
        fields = {
            name: stream.postings(key_terms if FIELDS[name].exact else form_terms)
            for name, stream in self._streams.items()
        }
        pairs = np.frombuffer(self._record_forms, dtype=np.uint32).astype(np.int64) - 1
        first = np.array(self._record_forms_first, dtype=np.int64)
        return (
            self._records()
            | _word_arrays(terms, fields, len(self._ids), len(self._page))
            | lexicon_arrays(list(self._forms)[1:], form_terms[1:], terms, _keys(fields), pairs, first)
        )

    def _records(self) -> dict[str, Array]:
        found = _record_arrays(
            self._ids, self._titles, np.array(self._dates), np.array(self._first), np.array(self._page)
        )
        for name, codes in self._facets.items():
            found |= codes.arrays(name)
        return found


class _Stream:
    """The words of one field, run after run."""

    def __init__(self) -> None:
        self.words = array("I")
        self._docs = array("I")
        self._runs = array("I")

    def add(self, doc: int, numbers: Sequence[int]) -> None:
        if numbers:
            self.words.extend(numbers)
            self._docs.append(doc)
            self._runs.append(len(numbers))

    def postings(self, terms_of: Array) -> Postings:
        """The words inverted; ``terms_of`` says the term of each number, -1 for none."""
        terms = terms_of[np.frombuffer(self.words, dtype=np.uint32)]
        runs = np.frombuffer(self._runs, dtype=np.uint32).astype(np.int64)
        kept = np.flatnonzero(terms >= 0)
        order = kept[np.argsort(terms[kept], kind="stable")]
        terms = terms[order]
        docs = np.repeat(np.frombuffer(self._docs, dtype=np.uint32), runs)[order].astype(np.int64)
        positions = order - np.repeat(np.cumsum(runs) - runs, runs)[order]
        fresh = np.flatnonzero((np.diff(terms, prepend=-1) != 0) | (np.diff(docs, prepend=-1) != 0))
        freqs = np.diff(fresh, append=len(terms))
        return Postings(terms[fresh], docs[fresh], freqs, positions)


@dataclass(frozen=True, slots=True)
class Postings:
    """All postings of a field, by term, then document: one row each, and their positions on end."""

    terms: Array
    docs: Array
    freqs: Array
    positions: Array


class _Codes:
    """The codes of one facet, record after record."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._codes = array("I")
        self._first = array("Q", [0])

    def add(self, codes: Iterable[str]) -> None:
        numbers = self._numbers
        self._codes.extend(numbers.setdefault(code, len(numbers)) for code in dict.fromkeys(codes))
        self._first.append(len(self._codes))

    def arrays(self, name: str) -> dict[str, Array]:
        codes, first = np.array(self._codes, dtype=np.int32), np.array(self._first, dtype=np.int64)
        return _facet_arrays(name, list(self._numbers), codes, first)


def date_number(date: str | None) -> int:
    """An ISO 8601 date as yyyymmdd, 0 for what is not known: in the order of the dates as text."""
    return int((date or "").replace("-", "").ljust(8, "0"))


def merged(segments: Sequence[Segment]) -> dict[str, Array]:
    """All arrays of one segment with the living records of ``segments``, in their order."""
    records = [np.arange(s.records) if s.live is None else np.flatnonzero(s.live) for s in segments]
    units = [s.units_of(kept) for s, kept in zip(segments, records, strict=True)]
    terms, term_maps = _united([segment.terms.texts() for segment in segments])
    fields = {
        name: _joined_postings(name, segments, units if name == "text" else records, term_maps)
        for name in FIELDS
    }
    found = _joined_records(segments, records, units)
    found |= _word_arrays(terms, fields, sum(map(len, records)), sum(map(len, units)))
    forms, form_maps = _united([segment.lexicon.forms.texts() for segment in segments])
    form_terms = np.zeros(len(forms), dtype=np.int64)
    for segment, form_map, term_map in zip(segments, form_maps, term_maps, strict=True):
        form_terms[form_map] = term_map[segment.lexicon.form_terms]
    pairs, first = _joined_lists([segment.lexicon.record_forms for segment in segments], records, form_maps)
    used, pairs = np.unique(pairs, return_inverse=True)
    forms = [forms[form] for form in used.tolist()]
    return found | lexicon_arrays(forms, form_terms[used], terms, _keys(fields), pairs, first)


def _united(tables: Sequence[list[str]]) -> tuple[list[str], list[Array]]:
    """All strings of ``tables`` sorted, and for each table where its own strings are in them."""
    strings = sorted(set().union(*tables))
    number = {string: i for i, string in enumerate(strings)}
    return strings, [np.array([number[s] for s in table], dtype=np.int64) for table in tables]


def _joined_postings(
    name: str, segments: Sequence[Segment], docs: Sequence[Array], term_maps: Sequence[Array]
) -> Postings:
    parts, base = [], 0
    for segment, kept, term_map in zip(segments, docs, term_maps, strict=True):
        number = np.full(segment.docs(name), -1, dtype=np.int64)
        number[kept] = np.arange(base, base + len(kept))
        base += len(kept)
        parts.append(_kept_postings(segment, name, number, term_map))
    terms = np.concatenate([part.terms for part in parts])
    freqs = np.concatenate([part.freqs for part in parts])
    order = np.argsort(terms, kind="stable")
    ends = np.cumsum(freqs)
    return Postings(
        terms[order],
        np.concatenate([part.docs for part in parts])[order],
        freqs[order],
        np.concatenate([part.positions for part in parts])[ranges((ends - freqs)[order], freqs[order])],
    )


def _kept_postings(segment: Segment, name: str, number: Array, term_map: Array) -> Postings:
    field = segment.field(name)
    terms = np.repeat(term_map[field.terms], np.diff(field.starts))
    docs = number[field.docs]
    living = docs >= 0
    if living.all():
        return Postings(terms, docs, field.freqs.astype(np.int64), field.positions)
    positions = field.positions[np.repeat(living, field.freqs)]
    return Postings(terms[living], docs[living], field.freqs[living].astype(np.int64), positions)


def _joined_records(
    segments: Sequence[Segment], records: Sequence[Array], units: Sequence[Array]
) -> dict[str, Array]:
    both = list(zip(segments, records, strict=True))
    ids = [segment.ids.text(r) for segment, kept in both for r in kept.tolist()]
    titles = [segment.titles.text(r) for segment, kept in both for r in kept.tolist()]
    sizes = np.concatenate([np.diff(segment.first)[kept] for segment, kept in both])
    found = _record_arrays(
        ids,
        titles,
        np.concatenate([segment.dates[kept] for segment, kept in both]),
        np.concatenate(([0], np.cumsum(sizes))),
        np.concatenate([segment.page[kept] for segment, kept in zip(segments, units, strict=True)]),
    )
    for name in FACETS:
        facets = [segment.facet(name) for segment in segments]
        values, maps = _united([facet.values for facet in facets])
        lists = [(facet.codes, facet.first) for facet in facets]
        found |= _facet_arrays(name, values, *_joined_lists(lists, records, maps))
    return found


def _joined_lists(
    lists: Sequence[tuple[Array, Array]], records: Sequence[Array], maps: Sequence[Array]
) -> tuple[Array, Array]:
    """Lists of numbers, one a record, of the records kept, in new numbers; and where each begins."""
    items, sizes = [], [np.zeros(1, dtype=np.int64)]
    for (flat, first), kept, number in zip(lists, records, maps, strict=True):
        counts = np.diff(first)[kept]
        items.append(number[flat[ranges(first[kept], counts)]])
        sizes.append(counts)
    return np.concatenate(items), np.cumsum(np.concatenate(sizes))


def _keys(fields: dict[str, Postings]) -> Array:
    """Terms of exact fields."""
    exact = [fields[name].terms for name, field in FIELDS.items() if field.exact]
    return np.unique(np.concatenate(exact))


def _record_arrays(
    ids: Sequence[str], titles: Sequence[str], dates: Array, first: Array, page: Array
) -> dict[str, Array]:
    order = sorted(range(len(ids)), key=lambda i: ids[i].encode())
    return {
        **string_arrays("id", ids),
        **string_arrays("title_key", titles),
        "order": np.array(order, dtype=np.int32),
        "date": dates.astype(np.int32),
        "first": first.astype(np.int64),
        "page": page.astype(np.int32),
    }


def _facet_arrays(name: str, values: Sequence[str], codes: Array, first: Array) -> dict[str, Array]:
    key = f"facet.{name}"
    return {
        **string_arrays(key, values),
        f"{key}.codes": codes.astype(np.int32),
        f"{key}.first": first.astype(np.int64),
    }


def _word_arrays(
    terms: Sequence[str], fields: dict[str, Postings], records: int, units: int
) -> dict[str, Array]:
    found = string_arrays("term", terms)
    held = np.zeros(len(terms), dtype=np.int64)
    own = []
    for name, postings in fields.items():
        found |= _field_arrays(name, postings, units if name == "text" else records)
        if name == "text":
            held += np.bincount(postings.terms, minlength=len(terms))
        elif not FIELDS[name].exact:
            own.append(postings.terms * records + postings.docs)
    pairs = np.unique(np.concatenate(own)) // max(records, 1)
    return found | {"term.units": (held + np.bincount(pairs, minlength=len(terms))).astype(np.uint32)}


def _field_arrays(name: str, postings: Postings, docs: int) -> dict[str, Array]:
    first = np.flatnonzero(np.diff(postings.terms, prepend=-1))
    ends = np.concatenate(([0], np.cumsum(postings.freqs)))
    starts = np.concatenate((first, [len(postings.terms)]))
    lengths = np.bincount(postings.docs, weights=postings.freqs, minlength=docs)
    return {
        f"{name}.terms": postings.terms[first].astype(np.uint32),
        f"{name}.starts": starts.astype(np.int64),
        f"{name}.docs": narrow(postings.docs),
        f"{name}.freqs": narrow(postings.freqs),
        f"{name}.places": ends[starts].astype(np.int64),
        f"{name}.positions": narrow(postings.positions),
        f"{name}.lengths": lengths.astype(np.uint32),
    }


def narrow(numbers: Array) -> Array:
    """``numbers`` in the smallest unsigned type that holds them all."""
    top = int(numbers.max()) if len(numbers) else 0
    kind = np.uint8 if top < 1 << 8 else np.uint16 if top < 1 << 16 else np.uint32
    return numbers.astype(kind)
