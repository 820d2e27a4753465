"""The page of contents of a review, a Cahier or a book: what it announces, and at which printed page.

Hides how such pages are laid out: number at the end or at the beginning, with dots or without, titles over
several lines, the number alone on its line. Whether a line is a title or an author is told by
``ingest.articles``, which looks at the page announced.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb.french import fold
from kb.records import Page


@dataclass(frozen=True, slots=True)
class Entry:
    """What is announced: the lines of title and authors, the printed page, and the file's page where it
    says so. ``below``: the last lines of that page, which may name the authors of its last entry."""

    lines: tuple[str, ...]
    printed: int
    page: int
    below: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All on one line."""
        return " ".join(self.lines)


_HEADING = re.compile(
    r"(?:au )?(?:sommaire|table des (?:matieres|articles)|contenu|dans ce numero)"
    r"(?: (?:du|de la|de l)\b.{0,30})?"
)
_HEADING_SPACED = ("sommaire", "tabledesmatieres")  # « S O M M A I R E »
_FRONT, _BACK = 15, 8  # pages at the beginning and at the end among which a contents page is looked for
_LEADERS = r"(?:\s*(?:\.\s?){3,}\s*|\s*[…·_]{2,}\s*|\s*…+\s*|\s*\t\s*)"
_P = r"(?:(?:p|pp|page)\.?\s?)?"
_NUMBER = r"(\d{1,4})(?:\s?[-–]\s?\d{1,4})?"
_ENDS = re.compile(rf"(?P<text>.*?\w.*?)(?P<dots>{_LEADERS}|\s*[|]\s*|\s+){_P}{_NUMBER}\s*", re.IGNORECASE)
_BEGINS = re.compile(rf"{_P}{_NUMBER}(?:\s*[|.:–—-]\s+|\s+)(?P<text>[^\d\s].*)", re.IGNORECASE)
_ALONE = re.compile(rf"{_P}{_NUMBER}", re.IGNORECASE)
_DOTS = re.compile(_LEADERS)
_SECTION = re.compile(r"\d{1,2}(?:\.\d{1,2})+\.?\s")
_COLUMNS = re.compile(r"(?:titres?|articles?|auteure?s?|pages?|rubriques?|\W)+")
_YEARS = range(1900, 2100)
_LONGEST = 6  # lines of one entry: a title of three and as many authors
_WIDEST = 300  # characters of a line that are looked at: the time of the patterns grows with their square
_FEWEST = 2  # entries below which there is no contents page
_MOST_PAGES = 4


def entries(pages: Sequence[Page]) -> tuple[Entry, ...]:
    """What the contents page announces, in its order; () when there is none. Of several the one that
    announces most: a first one may list headings only."""
    found: list[tuple[Entry, ...]] = []
    for place, page in enumerate(pages):
        if _FRONT <= place < len(pages) - _BACK:
            continue
        lines = _lines(page)
        heading = next((i for i, line in enumerate(lines) if _is_heading(line)), None)
        if heading is not None:
            found.append(_from(pages, place, lines[heading + 1 :]))
        elif place < _FRONT and sum(_announces(line) for line in lines) >= max(4, len(lines) // 2):
            found.append(_from(pages, place, lines))
    best = max(found, key=len, default=())
    return best if len(best) >= _FEWEST else ()


def _lines(page: Page) -> list[str]:
    return [line.strip()[:_WIDEST] for line in page.text.split("\n") if line.strip()]


def _is_heading(line: str) -> bool:
    folded = fold(line).strip(" :.*–-|•")
    return bool(_HEADING.fullmatch(folded)) or "".join(folded.split()) in _HEADING_SPACED


def _announces(line: str) -> bool:
    """Whether a line has dots and a number: nothing else is written so."""
    match = _ENDS.fullmatch(line)
    return match is not None and _DOTS.fullmatch(match["dots"]) is not None


def _from(pages: Sequence[Page], place: int, lines: list[str]) -> tuple[Entry, ...]:
    """Entries of one contents page, and of the pages on which it goes on."""
    lines = _without_columns(lines)
    begins = _begins(lines)
    found = _read(lines, pages[place].number, begins)
    for page in pages[place + 1 : place + _MOST_PAGES]:
        more = _without_columns(_lines(page))
        numbered = sum(_announces(line) or bool(begins and _BEGINS.fullmatch(line)) for line in more)
        if not found or numbered < max(3, len(more) // 3):
            break
        found += _read(more, page.number, begins)
    return tuple(_rising(found))


def _without_columns(lines: list[str]) -> list[str]:
    return [line for line in lines if not _COLUMNS.fullmatch(fold(line)) or line.isdigit()]


def _begins(lines: Sequence[str]) -> bool:
    """Whether numbers stand before what they announce."""
    titles = [line for line in lines if not _ALONE.fullmatch(line)]
    ends = [int(m[3]) for line in titles if (m := _ENDS.fullmatch(line)) and _is_page(m)]
    begins = [int(m[1]) for line in lines if (m := _BEGINS.fullmatch(line))]
    if not ends and not begins:
        first = next((i for i, line in enumerate(lines) if _ALONE.fullmatch(line)), None)
        return first == 0
    if any(_announces(line) for line in lines):
        return False
    return _in_order(begins) > _in_order(ends)


def _in_order(numbers: Sequence[int]) -> int:
    """How many numbers are not below the one before them."""
    return sum(here >= before for before, here in zip([0, *numbers], numbers, strict=False))


def _is_page(match: re.Match[str]) -> bool:
    """« Bilan 2010 » ends with a year, unless dots lead to it."""
    return int(match[3]) not in _YEARS or _DOTS.fullmatch(match["dots"]) is not None


def _read(lines: Sequence[str], page: int, begins: bool) -> list[Entry]:
    return _numbers_first(lines, page) if begins else _numbers_last(lines, page)


def _numbers_last(lines: Sequence[str], page: int) -> list[Entry]:
    found: list[Entry] = []
    waiting: list[str] = []
    for line in lines:
        alone = _ALONE.fullmatch(line)
        match = alone or _ENDS.fullmatch(line)
        if alone and not waiting:
            continue
        if match and (alone or _is_page(match)):
            if not alone:
                waiting.append(match["text"].strip())
            number = int(match[1] if alone else match[3])
            found.append(Entry(tuple(waiting[-_LONGEST:]), number, page))
            waiting = []
        else:
            waiting.append(line)
            if len(waiting) > _LONGEST and found:  # a text goes on below the contents
                break
    if waiting and found:
        found[-1] = dataclasses.replace(found[-1], below=tuple(waiting[:2]))
    return found


def _numbers_first(lines: Sequence[str], page: int) -> list[Entry]:
    found: list[Entry] = []
    for line in lines:
        alone = _ALONE.fullmatch(line)
        match = alone or _BEGINS.fullmatch(line)
        number = int(match[1]) if match else 0
        if match and number not in _YEARS and (not found or number >= found[-1].printed):
            found.append(Entry(() if alone else (match["text"],), number, page))
        elif found and len(found[-1].lines) < _LONGEST:
            last = found[-1]
            found[-1] = Entry((*last.lines, line), last.printed, page)
        elif found:
            break
    return [entry for entry in found if entry.lines]


def _rising(found: Sequence[Entry]) -> list[Entry]:
    """Entries without sections of sections, and without what falls out of the order of pages: most often a
    number in a sentence below."""
    kept: list[Entry] = []
    for entry in found:
        if _SECTION.match(entry.text):
            continue
        while kept and entry.printed < kept[-1].printed and _alone_against(found, entry, kept[-1]):
            kept.pop()
        if not kept or entry.printed >= kept[-1].printed:
            kept.append(entry)
    return kept


def _alone_against(found: Sequence[Entry], entry: Entry, before: Entry) -> bool:
    """Whether the entry before, and not this one, is what breaks the order: most that follow are lower."""
    after = [e.printed for e in found[list(found).index(entry) :]]
    return sum(number < before.printed for number in after) > len(after) / 2 and len(after) > 1
