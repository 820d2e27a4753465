"""What differs between two records and between two texts, cut into pieces that a page shows side by side.

Hides how words are aligned. Fields are compared word by word; texts, which may be long and in another order,
by the sequences of words that one has and the other has not, so that the time grows with their length only.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from ingest.drafts import Draft
from kb.french import fold
from kb.records import Agent, Page, Record

FIELDS = (
    *("title", "subtitle", "type", "agents", "date", "language", "publisher", "place", "series", "issue"),
    *("extent", "abstract", "notes", "call_number", "copies", "keywords", "identifiers", "host_pages"),
)
"""What is compared, in the order in which it is shown."""

_WORDS = re.compile(r"\w+|[^\w\s]")
_RUN = 4  # words: a shorter sequence comes back by chance, a longer one lets one slip hide too many words
_LONGEST = 400  # words of one passage that are aligned: difflib's time grows with their square
_NEAR = 40  # words between two places that are still the same place of both texts
_CONTEXT = 6  # words shown before and after what differs


class Piece(NamedTuple):
    """What stands at one place, here and there. Joined in order, the pieces give both texts whole."""

    here: str
    there: str
    same: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs, as text on both sides ("" for what is not said)."""

    field: str
    here: str
    there: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A place where two texts differ. ``page`` and ``other_page`` are numbers in file order; 0 on the side
    that has nothing there."""

    page: int
    other_page: int
    pieces: tuple[Piece, ...]


def differences(told: Draft | Record, other: Draft | Record) -> tuple[Difference, ...]:
    """The fields that do not say the same, in the order of ``FIELDS``; case and accents count."""
    both = ((name, _said(told, name), _said(other, name)) for name in FIELDS)
    return tuple(Difference(n, here, there, marked(here, there)) for n, here, there in both if here != there)


def marked(here: str, there: str) -> tuple[Piece, ...]:
    """Two texts cut where they part. Words that differ only in case, accents or blanks are the same."""
    mine, theirs = _cut(here), _cut(there)
    keys = [[fold(word.strip()) for word in words] for words in (mine, theirs)]
    steps = SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes()
    return tuple(
        Piece("".join(mine[a:b]), "".join(theirs[c:d]), same=step == "equal") for step, a, b, c, d in steps
    )


def passages(
    pages: Iterable[Page], other_pages: Iterable[Page], most: int = 20
) -> tuple[tuple[Passage, ...], int]:
    """The first ``most`` places where two texts differ, in order, and how many there are in all."""
    mine, theirs = _Words(pages), _Words(other_pages)
    runs = _paired(mine, theirs)
    return tuple(_passage(mine, theirs, *run) for run in runs[:most]), len(runs)


# -- fields


def _said(told: Draft | Record, field: str) -> str:
    value = getattr(told, field)
    if value is None or isinstance(value, str):
        return value or ""
    if field == "identifiers":
        return " ; ".join(f"{kind} {number}" for kind, number in sorted(value.items()))
    if field == "copies":
        return " ; ".join(copy.call_number or copy.barcode or copy.location or "?" for copy in value)
    return " ; ".join(item.name if isinstance(item, Agent) else str(item) for item in value)


def _cut(text: str) -> list[str]:
    """Words and signs, each with the blanks behind it: joined, they are the text."""
    starts = [match.start() for match in _WORDS.finditer(text)]
    if not starts:
        return [text] if text else []
    bounds = [0, *starts[1:], len(text)]
    return [text[a:b] for a, b in pairwise(bounds)]


# -- texts


class _Words:
    """The words of a text, the page of each, and where each sequence of words stands first."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self.words: list[str] = []
        self.pages: list[int] = []
        for page in pages:
            found = page.text.split()
            self.words += found
            self.pages += [page.number] * len(found)
        self.keys = [re.sub(r"\W+", "", fold(word)) for word in self.words]
        self.places: dict[tuple[str, ...], int] = {}
        for at in range(len(self.keys) - _RUN + 1):
            self.places.setdefault(tuple(self.keys[at : at + _RUN]), at)

    def missing(self, other: _Words) -> list[tuple[int, int]]:
        """Runs of words, (first, past the last), that are in no sequence that the other text has too."""
        runs: list[tuple[int, int]] = []
        start = covered = 0
        for at in range(len(self.keys) - _RUN + 1):
            if tuple(self.keys[at : at + _RUN]) in other.places:
                if at > covered:
                    runs.append((start, at))
                start = covered = at + _RUN
        if covered < len(self.keys):
            runs.append((start, len(self.keys)))
        return [(a, b) for a, b in runs if any(self.keys[a:b])]

    def place_after(self, other: _Words, at: int) -> int | None:
        """Where the other text goes on after the words before ``at``; None when it has not these words."""
        found = other.places.get(tuple(self.keys[max(0, at - _RUN) : at]))
        if at < _RUN:
            return 0
        return None if found is None else found + _RUN


_Run = tuple[tuple[int, int] | None, tuple[int, int] | None]


def _paired(mine: _Words, theirs: _Words) -> list[_Run]:
    """Runs that one text has and the other has not, those of one place together, in the order of the first
    text, then what only the second one has."""
    waiting = theirs.missing(mine)
    found: list[_Run] = []
    for run in mine.missing(theirs):
        place = mine.place_after(theirs, run[0])
        found.append((run, None if place is None else _nearest(waiting, place)))
    return found + [(None, run) for run in waiting]


def _nearest(waiting: list[tuple[int, int]], place: int) -> tuple[int, int] | None:
    """The run of a sorted list that begins nearest to a place, taken out of it; None when none is near."""
    first, last = bisect_left(waiting, (place - _NEAR,)), bisect_left(waiting, (place + _NEAR + 1,))
    near = range(first, last)
    at = min(near, key=lambda index: abs(waiting[index][0] - place), default=None)
    return None if at is None else waiting.pop(at)


def _passage(
    mine: _Words, theirs: _Words, here: tuple[int, int] | None, there: tuple[int, int] | None
) -> Passage:
    texts = [_around(words, run) for words, run in ((mine, here), (theirs, there))]
    return Passage(
        page=mine.pages[here[0]] if here else 0,
        other_page=theirs.pages[there[0]] if there else 0,
        pieces=marked(*texts) if here and there else _alone(mine if here else theirs, here, there),
    )


def _around(words: _Words, run: tuple[int, int] | None) -> str:
    if run is None:
        return ""
    return _join(words.words, run[0] - _CONTEXT, _end(run) + (_CONTEXT if _end(run) == run[1] else 0))


def _alone(words: _Words, here: tuple[int, int] | None, there: tuple[int, int] | None) -> tuple[Piece, ...]:
    """What only one text has, between words that both have."""
    run = here or there
    if run is None:
        return ()
    before = _join(words.words, run[0] - _CONTEXT, run[0])
    said = _join(words.words, run[0], _end(run))
    after = _join(words.words, run[1], run[1] + _CONTEXT) if _end(run) == run[1] else ""
    own = Piece(said, "", same=False) if here else Piece("", said, same=False)
    return tuple(
        piece
        for piece in (Piece(before, before, same=True), own, Piece(after, after, same=True))
        if any(piece[:2])
    )


def _end(run: tuple[int, int]) -> int:
    return min(run[1], run[0] + _LONGEST)


def _join(words: Sequence[str], first: int, last: int) -> str:
    found = words[max(0, first) : max(0, last)]
    return " ".join(found) + " " if found else ""
