"""The words of a segment as they are written: forms by beginning, by likeness, by term.

Hides from the engine how forms are found fast: a table sorted by the squeezed form (folded, letters and
digits only) for beginnings, and an index of one-letter deletions for likeness. Two words at one letter from
each other share a deletion (a letter dropped from either, or from neither), so candidates are found by
hash and then measured.

Arrays: ``form`` and ``squeezed`` (strings, both in order of the squeezed form), ``form.term``; ``key.terms``
(terms of exact fields, which are words as well); ``near.hash`` (sorted) and ``near.word`` (form number, or
number of forms + place in ``key.terms``), ``near.long`` (words too long for that), ``near.letters`` and
``near.length`` of each form; ``record.forms`` and
``record.forms.first``: the distinct forms of each record, so that a form dies with its last record.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from rapidfuzz.distance import OSA

from kb import french
from search.whoosh_files import Array, ArrayFile, Strings, string_arrays

_LONGEST = 40  # letters: longer "words" are strings of a machine, few, and compared one by one
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, bits well spread (golden ratio): hashes are verified anyway
_LAST = "\U0010ffff".encode()


def squeezed(word: str) -> str:
    """``word`` as beginnings and likeness see it: folded, letters and digits only."""
    return "".join(french.pieces(word))


def lexicon_arrays(
    forms: Sequence[str],
    form_terms: Array,
    terms: Sequence[str],
    keys: Array,
    record_forms: Array,
    first: Array,
) -> dict[str, Array]:
    """The arrays of a lexicon. ``keys``: numbers of the terms of exact fields; ``record_forms``: forms of
    the records on end, those of record i from ``first[i]``."""
    plain = [squeezed(form) for form in forms]
    order = sorted(range(len(forms)), key=lambda i: (plain[i].encode(), forms[i]))
    place = np.zeros(len(forms), dtype=np.uint32)
    place[order] = np.arange(len(forms), dtype=np.uint32)
    words = [*(plain[i] for i in order), *(terms[key] for key in keys.tolist())]
    hashes, numbers, long = _deletions(words)
    return {
        **string_arrays("form", (forms[i] for i in order)),
        **string_arrays("squeezed", (plain[i] for i in order)),
        "form.term": form_terms[order].astype(np.int32),
        "key.terms": keys.astype(np.int32),
        "near.hash": hashes,
        "near.word": numbers,
        "near.long": long,
        "near.letters": np.array([_letters(plain[i]) for i in order], dtype=np.uint32),
        "near.length": np.array([len(plain[i]) for i in order], dtype=np.uint32),
        "record.forms": place[record_forms],
        "record.forms.first": first.astype(np.int64),
    }


_BITS = np.array([number.bit_count() for number in range(1 << 16)], dtype=np.uint8)
"""How many bits are set in each number of 16."""


def _letters(word: str) -> int:
    """Which letters a word has, a bit each; letters of one bit are rarely both in French words."""
    found = 0
    for letter in word:
        found |= 1 << (ord(letter) & 31)
    return found


def _deletions(words: Sequence[str]) -> tuple[Array, Array, Array]:
    """Hashes of each word and of its one-letter deletions, sorted; the word of each; words too long."""
    by_length: dict[int, list[int]] = {}
    for number, word in enumerate(words):
        by_length.setdefault(len(word), []).append(number)
    hashes, numbers = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.uint32)]
    long = [number for length, group in by_length.items() if length > _LONGEST for number in group]
    for length, group in by_length.items():
        if length <= _LONGEST:
            found = _hashes([words[number] for number in group], length)
            hashes.append(found.ravel())
            numbers.append(np.repeat(np.array(group, dtype=np.uint32), found.shape[1]))
    every, owner = np.concatenate(hashes), np.concatenate(numbers)
    order = np.argsort(every, kind="stable")
    return every[order], owner[order], np.array(sorted(long), dtype=np.uint32)


def _hashes(words: Sequence[str], length: int) -> Array:
    """Polynomial hashes, one row a word: of the word, then of it without its letter 0, 1, ..."""
    letters = np.array(words, dtype=f"<U{max(length, 1)}").view(np.uint32).reshape(len(words), -1)
    letters = letters[:, :length].astype(np.uint64) + np.uint64(1)
    before = np.zeros((len(words), length + 1), dtype=np.uint64)  # hash of the first i letters
    after = np.zeros((len(words), length + 1), dtype=np.uint64)  # hash of the letters from i on
    power = np.uint64(1)
    powers = [power]
    with np.errstate(over="ignore"):
        for i in range(length):
            before[:, i + 1] = before[:, i] * _BASE + letters[:, i]
            j = length - 1 - i
            after[:, j] = letters[:, j] * power + after[:, j + 1]
            power = power * _BASE
            powers.append(power)
        shorter = [before[:, i] * powers[length - 1 - i] + after[:, i + 1] for i in range(length)]
    return np.stack([before[:, length], *shorter], axis=1)


class Lexicon:
    """The written words of one segment, dead ones left out."""

    def __init__(self, arrays: ArrayFile, terms: Strings, live: Array | None) -> None:
        self._arrays = arrays
        self._terms = terms
        self._live = live
        self.forms = arrays.strings("form")
        self.squeezed = arrays.strings("squeezed")
        self.form_terms = arrays["form.term"]
        self._keys = arrays["key.terms"]

    @property
    def record_forms(self) -> tuple[Array, Array]:
        """Forms of the records on end, and where each record's begin."""
        return self._arrays["record.forms"], self._arrays["record.forms.first"]

    @cached_property
    def _alive(self) -> Array | None:
        """Which forms some living record holds; None: all."""
        if self._live is None:
            return None
        flat, first = self.record_forms
        alive = np.zeros(len(self.forms), dtype=bool)
        alive[flat[np.repeat(self._live, np.diff(first))]] = True
        return alive

    def _living(self, numbers: Array) -> Array:
        return numbers if self._alive is None else numbers[self._alive[numbers]]

    def beginning(self, start: str) -> Array:
        """Numbers of the forms whose squeezed form begins with ``start``."""
        low = bisect.bisect_left(self.squeezed, start.encode())
        high = bisect.bisect_left(self.squeezed, start.encode() + _LAST)
        return self._living(np.arange(low, high))

    def keys_beginning(self, start: str) -> list[str]:
        """Terms of exact fields that begin with ``start``."""
        low = bisect.bisect_left(self._terms, start.encode())
        high = bisect.bisect_left(self._terms, start.encode() + _LAST)
        a, b = np.searchsorted(self._keys, (low, high)).tolist()
        return [self._terms.text(key) for key in self._keys[a:b].tolist()]

    def within(self, word: str) -> tuple[Array, list[str]]:
        """Numbers of the forms, and terms of exact fields, at most one letter from ``word`` (squeezed)."""
        near = [number for number in self._candidates(word) if OSA.distance(word, self._word(number)) <= 1]
        forms = [number for number in near if number < len(self.forms)]
        keys = [self._word(number) for number in near if number >= len(self.forms)]
        return self._living(np.array(forms, dtype=np.int64)), keys

    def _candidates(self, word: str) -> list[int]:
        numbers = self._arrays["near.word"]
        found = [self._arrays["near.long"]] if len(word) >= _LONGEST else []
        if len(word) <= _LONGEST + 1:
            hashes = self._arrays["near.hash"]
            wanted = np.unique(_hashes([word], len(word)))
            low, high = np.searchsorted(hashes, wanted), np.searchsorted(hashes, wanted, side="right")
            found += [numbers[a:b] for a, b in zip(low.tolist(), high.tolist(), strict=True)]
        return [int(n) for n in np.unique(np.concatenate(found))] if found else []

    def _word(self, number: int) -> str:
        if number < len(self.forms):
            return self.squeezed.text(number)
        return self._terms.text(int(self._keys[number - len(self.forms)]))

    def measured(self, word: str, reach: int) -> Iterator[tuple[int, int]]:
        """(number, distance) of the forms at most ``reach`` letters from ``word`` (squeezed). Beyond one
        letter it looks at the letters of them all: some 1 ms for 100,000."""
        if reach == 1:
            for number in self.within(word)[0].tolist():
                yield number, int(OSA.distance(word, self.squeezed.text(number)))
            return
        other = self._arrays["near.letters"] ^ np.uint32(_letters(word))
        changed = _BITS[other & 0xFFFF] + _BITS[other >> 16]
        length = np.abs(self._arrays["near.length"].astype(np.int32) - len(word))
        # One letter changed is one bit off and one on.
        for number in self._living(((changed <= 2 * reach) & (length <= reach)).nonzero()[0]).tolist():
            distance = int(OSA.distance(word, self.squeezed.text(number), score_cutoff=reach))
            if distance <= reach:
                yield number, distance

    def of_terms(self, numbers: Sequence[int]) -> list[str]:
        """Forms of the terms with these numbers."""
        by_term, order = self._by_term
        found: list[str] = []
        for number in numbers:
            low, high = np.searchsorted(by_term, (number, number + 1)).tolist()
            found += [self.forms.text(int(form)) for form in self._living(order[low:high])]
        return found

    @cached_property
    def _by_term(self) -> tuple[Array, Array]:
        order = np.argsort(self.form_terms, kind="stable")
        return self.form_terms[order], order
