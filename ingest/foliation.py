"""Printed page numbers and the pages of a file, and where on a page a title stands.

Hides how the two numberings are brought together, and how a title is found although its lines are cut
otherwise than where it was announced, or a letter of it was misread.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz

from kb.french import fold
from kb.records import Page

FOUND, NEARLY = 90.0, 80.0
"""Of 100: with one letter in ten wrong a title is found, with one in five it may be."""

_HEAD = 1_500  # characters of a page in which the title of what begins there stands: its upper half
_ABOVE = 120  # characters above a title at the top of its page: a rubric, a running head
_KEY = 60  # characters of an entry that are looked for on all pages: its title's first words
_EDGE = 2  # lines at the top and the bottom of a page where its number is printed
_LONGEST_EDGE = 100  # characters of such a line: longer is running text that begins or ends with a figure
_NOT_LINE_START = 15.0  # taken off where the words stand in the middle of a line: a mention, not a title
_EDGE_NUMBER = re.compile(r"\W*(\d{1,4})\W*|(?:p\. ?)?(\d{1,4})\s+\D.*|.*\D\s(?:p\. ?)?(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands on a page: ``score`` how surely, 0 to 100; ``at`` the character where its first
    line begins; ``top`` whether next to nothing is above; ``whole`` whether it fills its lines;
    ``following`` the lines below."""

    score: float
    at: int = 0
    top: bool = False
    whole: bool = False
    following: tuple[str, ...] = ()


class Clue(NamedTuple):
    """What a contents page tells: on this printed page something begins that has one of these titles; the
    page of the file that tells it is not the place."""

    printed: int
    told_on: int
    titles: Sequence[str]


class Foliation:
    """The pages of a file by their number, and what is printed on each."""

    def __init__(self, pages: Sequence[Page], clues: Sequence[Clue] = ()) -> None:
        self.pages = {page.number: page for page in pages}
        self.last = max(self.pages, default=0)
        self._folded = {n: "\n".join(map(fold, p.text.split("\n"))) for n, p in self.pages.items()}
        self._labels = {page.label: page.number for page in reversed(pages) if page.label}
        self._offset: int | None = self._by_titles(clues)
        if self._offset is None and not self._labels:
            self._offset = self._by_edges()

    @property
    def known(self) -> bool:
        """Whether anything tells the printed numbers; if not they are taken for those of the file."""
        return self._offset is not None or bool(self._labels)

    def file_page(self, printed: int) -> int:
        """Number in the file of a printed page; the file may not have it."""
        if self._offset is not None:
            return printed + self._offset
        return self._labels.get(str(printed), printed)

    def label(self, number: int) -> str:
        """What is printed on a page of the file."""
        if self._offset is not None and number > self._offset:
            return str(number - self._offset)
        return self.pages[number].label or str(number)

    def find(self, title: str, number: int) -> Place:
        """Where a title stands on a page: in its upper part, else, as whole lines, further down."""
        text = self._folded.get(number, "")
        place = self._find(fold(title), number, text[:_HEAD])
        if place.score < FOUND and len(text) > _HEAD:
            further = self._find(fold(title), number, text)
            return further if further.score >= FOUND and further.whole else place
        return place

    def _find(self, wanted: str, number: int, text: str) -> Place:
        if not wanted or not text:
            return Place(0.0)
        if len(wanted) > len(text):
            return Place(fuzz.ratio(wanted, text.replace("\n", " ")), top=True)
        if (found := fuzz.partial_ratio_alignment(wanted, text.replace("\n", " "))) is None:
            return Place(0.0)
        return self._place(number, found.score, text, found.dest_start, found.dest_end)

    def _place(self, number: int, score: float, text: str, start: int, end: int) -> Place:
        lines = self.pages[number].text.split("\n")
        first, last = text.count("\n", 0, start), text.count("\n", 0, end)
        begins = not text[:start].rpartition("\n")[2].strip(_AROUND)
        ends = not text[end:].partition("\n")[0].strip(_AROUND)
        return Place(
            score=score if begins else score - _NOT_LINE_START,
            at=sum(len(line) + 1 for line in lines[:first]),
            top=len(text[:start].strip()) <= _ABOVE,
            whole=begins and ends,
            following=tuple(lines[last + 1 : last + 4]),
        )

    def _by_titles(self, clues: Sequence[Clue]) -> int | None:
        """By how much numbers differ where the titles announced are found: what most of them say."""
        votes: Counter[int] = Counter()
        for clue in clues:
            elsewhere = [number for number in self.pages if number != clue.told_on]
            votes.update(number - clue.printed for number in elsewhere if self._begins(clue.titles, number))
        return _most(votes, max(2, len(clues) // 3))

    def _begins(self, titles: Sequence[str], number: int) -> bool:
        head = self._folded[number][:_HEAD]
        return any(self._find(fold(title[:_KEY]), number, head).score >= FOUND for title in titles)

    def _by_edges(self) -> int | None:
        """By how much numbers differ where they are printed, as read before running heads were taken off."""
        votes: Counter[int] = Counter()
        for page in self.pages.values():
            votes.update({page.number - number for number in _edge_numbers(page.raw or page.text)})
        return _most(votes, max(3, len(self.pages) // 3))


_AROUND = ' 0123456789.–—-«»"“”|*'
"""What stands beside a title on its line without being a part of it."""


def _most(votes: Counter[int], least: int) -> int | None:
    for offset, count in votes.most_common(1):
        return offset if count >= least else None
    return None


def _edge_numbers(text: str) -> Iterator[int]:
    """Numbers that may be the page's: alone on the first or last lines, or at one end of a running head."""
    lines = [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]
    for line in dict.fromkeys((*lines[:_EDGE], *lines[-_EDGE:])):
        if len(line) <= _LONGEST_EDGE and (match := _EDGE_NUMBER.fullmatch(line)):
            yield int(next(number for number in match.groups() if number))
