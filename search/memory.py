"""The engine that is plainly right: a few dictionaries in memory, every record looked at for every query.

It is the oracle of the tests (what another engine answers must be what this one answers) and serves small
funds and trials. It hides nothing that ``search.query`` and ``search.engine`` do not say.
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import assert_never

from rapidfuzz.distance import OSA

from kb import french
from search.engine import FIELDS, FIRST, K1, KIN, PAGE, PAGE_B, B, Entry, Hit, Results, kin_start
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
    Request,
    Sort,
    Words,
    least,
)

_OWN = tuple(name for name in FIELDS if name != "text")


class MemoryEngine:
    """An index in this process only; see ``search.engine.Engine`` for what its methods promise."""

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self._state = _State({}, 0)

    @contextmanager
    def writer(self, *, fresh: bool = False) -> Iterator[MemoryWriter]:
        """All changes become visible at a clean exit, none after an error."""
        with self._writing:
            writer = MemoryWriter({} if fresh else dict(self._state.texts), self._state.position)
            yield writer
            self._state = _State(writer.texts, writer.position)

    def search(self, request: Request) -> Results:
        """Hits of one page of results, exact total and facet counts."""
        state = self._state
        units = {text: state.units(request.query, text) for text in state.texts.values()}
        found = [text for text in units if units[text]]
        chosen = [text for text in found if _passes(text, request.filters)]
        scores = {text: max(state.score(request.query, text, u) for u in units[text]) for text in chosen}
        ordered = _sorted(chosen, scores, request.sort)[request.offset : request.offset + request.limit]
        hits = (
            Hit(text.entry.id, scores[text], state.best_pages(request.query, text, request.pages))
            for text in ordered
        )
        counts = {facet: _counted(facet, request, found) for facet in request.facets}
        return Results(tuple(hits), len(chosen), counts)

    def forms(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Forms that begin with ``prefix`` once both are folded, commonest first."""
        start, state = _squeezed(prefix), self._state
        fitting = (pair for pair in state.lexicon if _squeezed(pair[0]).startswith(start))
        found = [(form, state.unit_counts[term]) for form, term in fitting]
        return sorted(found, key=lambda item: (-item[1], item[0]))[:limit]

    def near(self, word: str, limit: int) -> list[tuple[str, int]]:
        """Forms at one letter from ``word`` (two if it has 8 or more), nearest first, then commonest."""
        folded, state = _squeezed(word), self._state
        reach = 2 if len(folded) >= 8 else 1
        found = []
        for form, term in state.lexicon:
            if 0 < (distance := OSA.distance(folded, _squeezed(form), score_cutoff=reach)) <= reach:
                found.append((distance, -state.unit_counts[term], form))
        return [(form, -count) for _, count, form in sorted(found)[:limit]]

    def spellings(self, terms: Iterable[str]) -> list[str]:
        """All forms of the fund that stand for one of ``terms``."""
        wanted = set(terms)
        return sorted({form for form, term in self._state.lexicon if term in wanted})

    def held(self, terms: Iterable[str]) -> dict[str, int]:
        """Number of units that hold each term; of all under ""."""
        state = self._state
        return {"": state.unit_number} | {term: state.unit_counts[term] for term in terms if term}

    def position(self) -> int:
        """The place in the change feed that the index has reached; 0 when empty."""
        return self._state.position

    def ids(self) -> Iterable[str]:
        """Ids of all entries."""
        return tuple(self._state.texts)

    def __len__(self) -> int:
        return len(self._state.texts)

    def close(self) -> None:
        """Nothing to let go of."""


class MemoryWriter:
    """The changes of one ``MemoryEngine.writer`` context."""

    def __init__(self, texts: dict[str, _Text], position: int) -> None:
        self.texts = texts
        self.position = position

    def put(self, entry: Entry) -> None:
        """Add the entry, in place of the one with the same id if there is one."""
        self.texts[entry.id] = _Text(entry)

    def delete(self, id: str) -> None:
        """Remove the entry; unknown ids are no error."""
        self.texts.pop(id, None)

    def mark(self, position: int) -> None:
        """The place in the change feed that these changes reach."""
        self.position = position


class _Words:
    """The words of one field of one record, or of one page: where they stand and how often."""

    def __init__(self, name: str, text: str) -> None:
        self.tokens = french.exact(text) if FIELDS[name].exact else french.terms(text)
        self.counts = Counter(token for token in self.tokens if token)
        self.length = self.counts.total()


class _Text:
    """One entry, analysed. Compared by identity."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.own = {name: _Words(name, entry.fields.get(name, "")) for name in _OWN}
        self.pages = {number: _Words("text", text) for number, text in entry.pages}
        self.first = entry.pages[0][0] if entry.pages else None
        self.whole = _Words("text", "\n".join(text for _, text in entry.pages))
        self.units = frozenset({0, *self.pages})

    def forms(self) -> Iterator[tuple[str, str]]:
        """(form, term) of each word that is not a stop word, exact fields left out."""
        own = (text for name, text in self.entry.fields.items() if not FIELDS[name].exact)
        for text in (*own, *(page for _, page in self.entry.pages)):
            yield from ((token.form, token.term) for token in french.tokens(text) if token.term)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One word of a query: what may stand for it in plain fields, and what in exact ones."""

    terms: frozenset[str]
    keys: frozenset[str]
    kin: str = ""

    def tokens(self, field: str) -> frozenset[str]:
        return self.keys if FIELDS[field].exact else self.terms


@dataclass(frozen=True, slots=True)
class _Leaf:
    """``Words``, ``Phrase``, ``Prefix`` or ``Fuzzy`` made ready. In a phrase, None is any word."""

    fields: tuple[str, ...]
    slots: tuple[_Slot | None, ...]
    need: int
    side_by_side: bool = False

    def units(self, text: _Text) -> frozenset[int]:
        """The units of ``text`` that this leaf is true of."""
        if not self.slots:
            return text.units
        if self.side_by_side:
            return self._units_with(text, self._has_phrase)
        held: Counter[int] = Counter()
        for slot in self.slots:
            if slot:
                held.update(self._units_with(text, partial(_has, slot)))
        return frozenset(unit for unit, count in held.items() if count >= self.need)

    def _units_with(self, text: _Text, is_true: Callable[[str, _Words], bool]) -> frozenset[int]:
        """All units if ``is_true`` of an own field, else those of the pages that it is true of."""
        if any(is_true(name, text.own[name]) for name in self.fields if name != "text"):
            return text.units
        pages = text.pages.items() if "text" in self.fields else ()
        return frozenset(number for number, words in pages if is_true("text", words))

    def _has_phrase(self, name: str, words: _Words) -> bool:
        wanted = [slot.tokens(name) if slot else None for slot in self.slots]
        starts = range(len(words.tokens) - len(wanted) + 1)
        return any(
            all(any_of is None or words.tokens[start + i] in any_of for i, any_of in enumerate(wanted))
            for start in starts
        )


def _has(slot: _Slot, name: str, words: _Words) -> bool:
    return any(token in words.counts for token in slot.tokens(name))


class _State:
    """What is visible between two commits; all that is derived from it is worked out when asked for."""

    def __init__(self, texts: dict[str, _Text], position: int) -> None:
        self.texts = texts
        self.position = position
        self._leaves: dict[Query, _Leaf] = {}

    @cached_property
    def lexicon(self) -> frozenset[tuple[str, str]]:
        return frozenset(pair for text in self.texts.values() for pair in text.forms())

    @cached_property
    def unit_counts(self) -> Counter[str]:
        """Term -> number of units (pages, own fields of a record) that hold it."""
        counts: Counter[str] = Counter()
        for text in self.texts.values():
            counts.update(
                {token for name in _OWN if not FIELDS[name].exact for token in text.own[name].counts}
            )
            for page in text.pages.values():
                counts.update(page.counts.keys())
        return counts

    @cached_property
    def unit_number(self) -> int:
        return sum(len(text.units) for text in self.texts.values())

    @cached_property
    def key_counts(self) -> Counter[tuple[str, str]]:
        """(Exact field, key) -> number of records."""
        exact = [name for name in _OWN if FIELDS[name].exact]
        return Counter((n, key) for text in self.texts.values() for n in exact for key in text.own[n].counts)

    @cached_property
    def mean_lengths(self) -> Mapping[str, float]:
        """Mean number of words of fields, of pages ("text") and of whole texts ("whole") that have any."""
        kinds: dict[str, list[int]] = {name: [] for name in (*FIELDS, "whole")}
        for text in self.texts.values():
            kinds["text"] += [page.length for page in text.pages.values() if page.length]
            for name, words in (*text.own.items(), ("whole", text.whole)):
                kinds[name] += [words.length] if words.length else []
        return {name: sum(lengths) / len(lengths) for name, lengths in kinds.items() if lengths}

    def units(self, query: Query, text: _Text) -> frozenset[int]:
        """The units of ``text`` that ``query`` is true of."""
        match query:
            case Everything():
                return text.units
            case Between(first, last):
                return text.units if _in_span(_year(text), first, last) else frozenset()
            case And(parts):
                return text.units.intersection(*(self.units(part, text) for part in parts))
            case Or(parts):
                return frozenset().union(*(self.units(part, text) for part in parts))
            case Not(part):
                return frozenset() if self.units(part, text) else text.units
            case Words() | Phrase() | Prefix() | Fuzzy():
                return self.leaf(query).units(text)
            case _:
                assert_never(query)

    def score(self, query: Query, text: _Text, unit: int, *, page_only: bool = False) -> float:
        """What the leaves that are true of ``unit`` score, for its record and its page."""
        match query:
            case And(parts) | Or(parts):
                return sum(self.score(part, text, unit, page_only=page_only) for part in parts)
            case Words() | Phrase() | Prefix() | Fuzzy():
                leaf = self.leaf(query)
                if unit not in leaf.units(text):
                    return 0.0
                words = [slot for slot in leaf.slots if slot]
                page = sum(self._page_score(slot, leaf.fields, text, unit) for slot in words)
                if page_only:
                    return page
                first = FIRST if unit == text.first else 1.0
                return first * page + sum(self._record_score(slot, leaf.fields, text) for slot in words)
            case Everything() | Between() | Not():
                return 0.0
            case _:
                assert_never(query)

    def _page_score(self, slot: _Slot, fields: Sequence[str], text: _Text, unit: int) -> float:
        if "text" not in fields or unit not in text.pages:
            return 0.0
        return PAGE * self._field_score(slot, "text", text.pages[unit], "text")

    def _record_score(self, slot: _Slot, fields: Sequence[str], text: _Text) -> float:
        places = (("text", text.whole, "whole") if n == "text" else (n, text.own[n], n) for n in fields)
        return max(
            (self._field_score(slot, *place) + self._kin_score(slot, *place) for place in places), default=0.0
        )

    def _kin_score(self, slot: _Slot, name: str, words: _Words, kind: str) -> float:
        if not slot.kin or FIELDS[name].exact:
            return 0.0
        others = (
            n for term, n in words.counts.items() if term.startswith(slot.kin) and term not in slot.terms
        )
        (term,) = slot.terms
        return FIELDS[name].weight * KIN * self._idf(name, term) * self._saturated(sum(others), words, kind)

    def _field_score(self, slot: _Slot, name: str, words: _Words, kind: str) -> float:
        """BM25 of the tokens of ``slot`` in ``words``, times the weight of the field."""
        total = 0.0
        for token in slot.tokens(name) & words.counts.keys():
            total += self._idf(name, token) * self._saturated(words.counts[token], words, kind)
        return FIELDS[name].weight * total

    def _saturated(self, frequency: int, words: _Words, kind: str) -> float:
        if not frequency:
            return 0.0
        b = PAGE_B if kind == "text" else B
        norm = K1 * (1 - b + b * words.length / self.mean_lengths[kind])
        return frequency * (K1 + 1) / (frequency + norm)

    def _idf(self, name: str, token: str) -> float:
        number = self.unit_number
        holders = self.key_counts[name, token] if FIELDS[name].exact else self.unit_counts[token]
        return math.log(1 + (number - holders + 0.5) / (holders + 0.5))

    def best_pages(self, query: Query, text: _Text, wanted: int) -> tuple[int, ...]:
        """Numbers of the matching pages whose own text scores, best first."""
        scored = ((self.score(query, text, unit, page_only=True), unit) for unit in self.units(query, text))
        return tuple(unit for score, unit in sorted(scored, key=lambda s: (-s[0], s[1])) if score > 0)[
            :wanted
        ]

    def leaf(self, query: Words | Phrase | Prefix | Fuzzy) -> _Leaf:
        """The leaf made ready, with the words that it stands for in this fund."""
        if query not in self._leaves:
            fields = query.fields or tuple(FIELDS)
            match query:
                case Words(text, _, need):
                    slots = _distinct(_slots(text, fields))
                    self._leaves[query] = _Leaf(fields, slots, least(need, len(slots)))
                case Phrase(text):
                    self._leaves[query] = _Leaf(fields, _trimmed(_slots(text, fields)), 1, side_by_side=True)
                case Prefix(text):
                    start = _squeezed(text)
                    self._leaves[query] = _Leaf(fields, (self._slot(lambda form: form.startswith(start)),), 1)
                case Fuzzy(text):
                    word = _squeezed(text)
                    near = self._slot(lambda form: OSA.distance(word, form, score_cutoff=1) <= 1)
                    self._leaves[query] = _Leaf(fields, (near,), 1)
        return self._leaves[query]

    def _slot(self, fits: Callable[[str], bool]) -> _Slot:
        terms = frozenset(term for form, term in self.lexicon if fits(_squeezed(form)))
        return _Slot(terms, frozenset(key for _, key in self.key_counts if fits(key)))


def _slots(text: str, fields: Sequence[str]) -> list[_Slot | None]:
    """The words of a query in order; None for a stop word. Exact fields have no stop words."""
    if all(FIELDS[name].exact for name in fields):
        return [_Slot(frozenset(), frozenset({piece})) for piece in french.pieces(text)]
    return [
        _Slot(frozenset({token.term}), frozenset({_squeezed(token.form)})) if token.term else None
        for token in french.tokens(text)
    ]


def _distinct(slots: Iterable[_Slot | None]) -> tuple[_Slot, ...]:
    """One slot a term: forms of one word are one word."""
    merged: dict[frozenset[str], _Slot] = {}
    for slot in slots:
        if slot:
            name = slot.terms or slot.keys
            known = merged.get(name, slot)
            merged[name] = _Slot(slot.terms, slot.keys | known.keys, "".join(map(kin_start, slot.terms)))
    return tuple(merged.values())


def _trimmed(slots: list[_Slot | None]) -> tuple[_Slot | None, ...]:
    """Without the stop words at both ends."""
    real = [i for i, slot in enumerate(slots) if slot]
    return tuple(slots[real[0] : real[-1] + 1]) if real else ()


def _squeezed(word: str) -> str:
    return "".join(french.pieces(word))


def _year(text: _Text) -> int | None:
    return int(text.entry.date[:4]) if text.entry.date else None


def _in_span(year: int | None, first: int | None, last: int | None) -> bool:
    return year is not None and (first is None or first <= year) and (last is None or year <= last)


def _fits(text: _Text, facet: str, codes: Iterable[str]) -> bool:
    own = text.entry.facets.get(facet, ())
    spans = (code.split("-") for code in codes if facet == "year" and re.fullmatch(r"\d*-\d*", code))
    return not set(own).isdisjoint(codes) or any(
        _in_span(int(year), int(first) if first else None, int(last) if last else None)
        for first, last in spans
        for year in own
    )


def _counted(facet: str, request: Request, found: Iterable[_Text]) -> dict[str, int]:
    others = [item for item in request.filters if item[0] != facet]
    kept = (text for text in found if _passes(text, others))
    return dict(Counter(code for text in kept for code in set(text.entry.facets.get(facet, ()))))


def _passes(text: _Text, filters: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
    return all(_fits(text, facet, codes) for facet, codes in filters)


def _sorted(found: Iterable[_Text], scores: Mapping[_Text, float], sort: Sort) -> list[_Text]:
    by_id = sorted(found, key=lambda text: text.entry.id)
    match sort:
        case Sort.RELEVANCE:
            return sorted(by_id, key=lambda text: -scores[text])
        case Sort.TITLE:
            return sorted(by_id, key=lambda text: text.entry.title_key)
        case Sort.OLDEST:
            return sorted(by_id, key=lambda text: text.entry.date or "9999")
        case Sort.NEWEST:
            return sorted(by_id, key=lambda text: text.entry.date or "", reverse=True)
        case _:
            assert_never(sort)
