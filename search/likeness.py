"""How alike words and pages are that need not say the same.

Hides from who orders pages how forms of a word are compared letter by letter, and how a page is known by the
company it keeps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

SPAN = 4
"""Letters that are compared at a time. Groups of 3, of 3 and 4, and of 3 to 5 do as well within 0.003 and
0.007 recall@5 on two judged sets; one length costs least."""

FRIENDS = 5
"""Pages that speak for another one; 3 orders two judged sets as well."""


class Shapes:
    """Words that are looked for, each with a weight, by the groups of letters that they are made of: fondé
    is half of fondateur, and a name with a slip of the pen is most of the name."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._total = sum(weights.values())
        self._bits: dict[str, int] = {}
        worth: list[float] = []
        for word, weight in weights.items():
            groups = _groups(word)
            for group in groups:
                if (bit := self._bits.setdefault(group, len(worth))) == len(worth):
                    worth.append(0.0)
                worth[bit] += weight / len(groups)
        self._worth = [_sums(worth[start : start + 8]) for start in range(0, len(worth), 8)]
        self._known: dict[str, int] = {}

    def mask(self, words: Iterable[str]) -> int:
        """The groups that stand in ``words``, for ``share``; masks of several runs of words may be or-ed."""
        mask, known = 0, self._known
        for word in words:
            if (found := known.get(word)) is None:
                found = known[word] = self._mask(word)
            mask |= found
        return mask

    def share(self, mask: int) -> float:
        """What these groups weigh of all, 0 to 1."""
        if not self._total:
            return 0.0
        parts = mask.to_bytes(len(self._worth), "little")
        return sum(sums[part] for sums, part in zip(self._worth, parts, strict=True)) / self._total

    def _mask(self, word: str) -> int:
        mask, bits = 0, self._bits
        for group in _groups(word):
            if group in bits:
                mask |= 1 << bits[group]
        return mask


def _groups(word: str) -> list[str]:
    """The groups of letters of ``word``, its two ends marked; the whole of a word that is shorter."""
    marked = f"^{word}$"
    return list({marked[at : at + SPAN] for at in range(max(1, len(marked) - SPAN + 1))})


def _sums(worth: Sequence[float]) -> list[float]:
    """For each byte, what its bits are worth together."""
    sums = [0.0]
    for one in worth:
        sums += [before + one for before in sums]
    return sums


def by_company(scores: Sequence[float], pages: Sequence[Mapping[str, int]]) -> list[float]:
    """For each page the mean score of its FRIENDS, the others of these ``pages`` that are most like it, by
    how much they are; 0 if it has none.

    ``pages``: term -> how often. Pages on one matter are relevant together (F. Diaz, "Regularizing ad hoc
    retrieval scores", CIKM 2005): among pages that happen to share words with a question, those that it is
    about are alike, and those that are beside it are each about something else.
    """
    if not pages:
        return []
    alike = _cosines(pages)
    if len(pages) > FRIENDS:
        least = np.partition(alike, -FRIENDS, axis=1)[:, -FRIENDS, np.newaxis]
        alike[alike < least] = 0
    return list((alike @ np.asarray(scores) / np.maximum(alike.sum(axis=1), 1e-9)).tolist())


def _cosines(pages: Sequence[Mapping[str, int]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """How alike pages are, 0 to 1, 0 on the diagonal; terms weigh by their rarity among these pages."""
    columns: dict[str, int] = {}
    at = [[columns.setdefault(term, len(columns)) for term in page] for page in pages]
    grid = np.zeros((len(pages), max(1, len(columns))))
    for row, page in enumerate(pages):
        grid[row, at[row]] = [1 + math.log(count) for count in page.values()]
    held = np.maximum(1, np.count_nonzero(grid, axis=0))
    grid *= np.log(len(pages) / held)
    grid /= np.maximum(np.linalg.norm(grid, axis=1, keepdims=True), 1e-9)
    alike = grid @ grid.T
    np.fill_diagonal(alike, 0)
    return alike
