"""Words of the fund put into an answer: a passage with its page, a past answer, a page number that is right
again.

Hides how a stretch of a page is told from a browser to the server (by its place, never by its words: what is
quoted is always read from the page itself) and how it is cut to whole sentences.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self
from urllib.parse import quote

from kb import bibliography, quoting
from kb.errors import InvalidValue, NotFound, OnTheSpot
from kb.publishing import Publications
from kb.quoting import Fault
from web.fund import Fund

LONGEST_PASSAGE = 2_000
"""Characters of a quotation made in one click: the right to quote is one to short quotations."""

_LEAST = (
    40  # characters: whole sentences shorter than that (a heading, "Non.") are not worth more than the rest
)
_LONGEST_HEADING = 80


@dataclass(frozen=True, slots=True)
class Place:
    """Characters ``start`` to ``end`` of the text of a page."""

    record: str
    page: int
    start: int
    end: int

    @property
    def code(self) -> str:
        """As a button tells it: "ville-caraibe:12/4/120-480"."""
        return f"{self.record}/{self.page}/{self.start}-{self.end}"

    @classmethod
    def from_code(cls, code: str) -> Self:
        """The place that ``code`` tells. Raises InvalidValue."""
        found = re.fullmatch(r"([a-z0-9-]+:[0-9]+)/([0-9]{1,9})/([0-9]{1,9})-([0-9]{1,9})", code)
        if found is None:
            raise InvalidValue("body", "ce passage n’a pas été retrouvé : choisissez-le de nouveau")
        return cls(found[1], int(found[2]), int(found[3]), int(found[4]))


def place(record: str, page: int, text: str, shown: str) -> Place | None:
    """Where a passage stands that is shown of a page, cut to whole sentences; ``shown`` has its white space
    made single and "…" where it was cut. None when the page does not have it."""
    words = shown.removeprefix("… ").removesuffix(" …").split()
    found = re.search(r"\s+".join(map(re.escape, words)), text) if words else None
    return None if found is None else Place(record, page, *whole(text, *found.span()))


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentences that lie in a stretch; the stretch itself when they would leave little of it."""
    inside = [(low, high) for low, high in sentences(text) if start <= low and high <= end]
    while len(inside) > 1 and _is_heading(text, *inside[0], most=3 * _LONGEST_HEADING):
        inside.pop(0)
    if inside and _is_heading(text, *inside[-1]):
        inside.pop()
    full = [n for n, (low, high) in enumerate(inside, 1) if _FULL.search(text, low, high)]
    least = min(_LEAST, (end - start) // 2)
    for some in (inside[: full[-1]] if full else [], inside):
        if some and some[-1][1] - some[0][0] >= least:
            return some[0][0], some[-1][1]
    return start, end


def _is_heading(text: str, low: int, high: int, most: int = _LONGEST_HEADING) -> bool:
    """Whether it looks like the title of what comes after: lines of their own, ``most`` characters at most,
    without a stop, and no item of a list."""
    line = (not low or text[:low].endswith("\n")) and (text[high:].startswith("\n") or not text[high:])
    short = high - low < most and not _BULLET.match(text, low)
    return line and short and re.search(r"[\w)»]\Z", text[low:high]) is not None


_FULL = re.compile(r"[.!?…](?:\s?[»”\")\]])*\Z")
_BLOCK_END = re.compile(r"\n[^\S\n]*\n")
_ROOM = 0.8  # of the longest line: letters are not of one width, so a full line may have a fifth fewer
_BULLET = re.compile(r"[•▪◦*–-]\s")
_END = re.compile(
    r"(?P<stop>[.!?…]+(?:\s?[»”\")\]])*)\s+(?=[^a-zà-ÿ\s»”)\]])|\n[^\S\n]*\n\s*|\s*\n(?=\s*[•▪◦*]\s|\s*[–-]\s+\w)"
)
_ABBREVIATED = re.compile(
    r"\b(?:[^\W\d_]|m[mr]|mmes?|drs?|st|pp|op|no|cf|ex|art|vol|coll|éds?|env|tél|dir)\Z|^\s*\d{1,2}\Z",
    re.IGNORECASE | re.MULTILINE,
)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence starts and ends, white space around it left out."""
    start, widths = 0, _widths(text)
    for stop in _END.finditer(text):
        if stop["stop"] == "." and _ABBREVIATED.search(text, start, stop.start()):
            continue
        yield from _parted(text, start, stop.end(), widths)
        start = stop.end()
    yield from _parted(text, start, len(text), widths)


def _widths(text: str) -> list[tuple[int, int]]:
    """(end, longest line) of each block of a page."""
    ends = [*(gap.end() for gap in _BLOCK_END.finditer(text)), len(text)]
    return [(end, max(map(len, text[start:end].split("\n")))) for start, end in pairwise([0, *ends])]


def _parted(text: str, start: int, end: int, widths: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """A sentence, apart from the lines above it that have no stop (title, subtitle, author)."""
    for low, high in _stripped(text, start, end):
        head = low
        if "\n" in text[low:high]:
            width = widths[bisect_right(widths, (low, len(text)))][1]
            at = text.rfind("\n", 0, low) + 1
            for line, after in pairwise(text[at:high].split("\n")):
                at += len(line) + 1
                if _ends_on_purpose(line, after, width):
                    head = at
        yield from _stripped(text, low, head)
        yield from _stripped(text, head, high)


def _ends_on_purpose(line: str, after: str, width: int) -> bool:
    """Whether a line of a block so wide is a heading of what comes after: the next word had room on it."""
    word = after.split(maxsplit=1)[0] if after.strip() else ""
    return (
        re.search(r"[\w)]\s*\Z", line) is not None
        and (word[:1].isupper() or word[:1] in ("«", "“"))
        and len(line) + 1 + len(word) <= _ROOM * width
    )


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    said = text[start:end]
    low, high = start + len(said) - len(said.lstrip()), start + len(said.rstrip())
    if low < high:
        yield low, high


# -- into Markdown


def quotation(fund: Fund, place: Place) -> str:
    """The Markdown of a passage with its source; "[…]" where it begins or ends inside a sentence. Raises
    NotFound, OnTheSpot, InvalidValue for a stretch that the page does not have, or one that is too long."""
    record, page = fund.store.get(place.record), fund.store.page(place.record, place.page)
    start, end = place.start, min(place.end, len(page.text))
    if not 0 < end - start <= LONGEST_PASSAGE:
        raise InvalidValue("body", "ce passage n’a pas été retrouvé : choisissez-le de nouveau")
    bounds = list(sentences(page.text))
    before = "" if any(start <= low and not page.text[start:low].strip() for low, _ in bounds) else "[…] "
    after = "" if any(high <= end and not page.text[high:end].strip() for _, high in bounds) else " […]"
    told = bibliography.citation(record, place.page, page.label)
    title = re.search(r"<i>(.*?)</i>", told.html)
    return quoting.quoted(
        f"{before}{page.text[start:end].strip()}{after}",
        record.id,
        place.page,
        told.text,
        title=html.unescape(title[1]) if title else "",
    )


def past_answer(fund: Fund, publications: Publications, id: str) -> str:
    """The Markdown of a past answer, as a start for a new one, with a link to it. Raises NotFound, OnTheSpot,
    InvalidValue for what is no record."""
    if not re.fullmatch(r"[a-z0-9-]+:[0-9]+", id):
        raise InvalidValue("body", "cette réponse n’a pas été retrouvée : choisissez-la de nouveau")
    record = fund.store.get(id)
    if fund.store.on_the_spot(id):
        raise OnTheSpot(id)
    try:
        held = publications.of_record(id)
        body = held.shown or held.body
    except NotFound:  # a past answer that came with an import has pages only
        body = "\n\n".join(page.text for page in fund.store.pages(id)) or record.abstract or ""
    link = f"[{bibliography.short(record)}](/notice/{quote(id, safe=':')})"
    return f"{body.strip()}\n\nD’après une réponse déjà publiée : {link}.\n".lstrip()


def added(body: str, part: str) -> str:
    """An answer with a block of Markdown at its end."""
    return f"{body.rstrip()}\n\n{part}".lstrip("\n")


def repaired(body: str, fault: Fault, fund: Fund, site: str = "") -> str:
    """The answer with the page put right at which a quotation has MOVED; unchanged when its source is not
    written as a link in line. Raises NotFound, OnTheSpot."""
    if fault.record is None or fault.found is None:
        return body
    record, page = fund.store.get(fault.record), fund.store.page(fault.record, fault.found)
    lines = body.split("\n")
    head, rest = "\n".join(lines[: fault.line - 1]), "\n".join(lines[fault.line - 1 :])
    colon = re.escape(fault.record).replace(":", "(?::|%3A)")
    old = rf"\[(?:[^\[\]\\]|\\.)*\]\((?:{re.escape(site.rstrip('/'))})?/notice/{colon}/page/{fault.page}/?\)"
    words = bibliography.short(record, fault.found, page.label)
    new = f"[{words}](/notice/{fault.record}/page/{fault.found})"
    mended = re.sub(old, lambda _: new, rest, count=1)
    return f"{head}\n{mended}" if head or fault.line > 1 else mended
