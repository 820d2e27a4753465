"""Running heads, feet and page numbers, which belong to the paper and not to the text.

Hides how they are told from headings: by coming back, figures aside, at the same edge of most pages.
"""

from __future__ import annotations

import re

from kb.french import fold

_NUMBER = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"\W*(?:page|p\.?)?\s*(\d{1,4}|[ivxl]{1,6})(?:\s*(?:/|sur)\s*\d{1,4})?\W*", re.IGNORECASE
)
_EDGE = 2  # lines at the top and at the bottom of a page that may be running heads
# Share of the pages on which a line must come back to be a running head: more than every other page.
_SAME = 0.6
_SHORTEST = 4  # pages below which a line that comes back may well be a heading


def without_running_heads(texts: list[str]) -> list[str]:
    """Lines off that come back, figures aside, at the same edge of most pages; of two or three pages, only
    what comes back on all with another number each time."""
    lines = [text.split("\n") for text in texts]
    written = sum(1 for text in texts if text)
    if written < 2:
        return texts
    heads, feet = (_returning(lines, end, written) for end in (1, -1))
    return ["\n".join(_cut(_cut(page, heads, 1), feet, -1)).strip() for page in lines]


def _returning(pages: list[list[str]], end: int, written: int) -> set[str]:
    met: dict[str, list[str]] = {}
    for page in pages:
        for key, line in _edge_lines(page, end).items():
            met.setdefault(key, []).append(line)
    if written >= _SHORTEST:
        return {key for key, lines in met.items() if len(lines) >= _SAME * written}
    return {key for key, lines in met.items() if "#" in key and len(set(lines)) == len(lines) == written}


def _edge_lines(page: list[str], end: int) -> dict[str, str]:
    return {_head_key(line): line for line in [line for line in page if line][::end][:_EDGE]}


def _head_key(line: str) -> str:
    """What a running head keeps from page to page."""
    return "#" if _PAGE_NUMBER.fullmatch(line) else _NUMBER.sub("#", fold(line))


def _cut(page: list[str], keys: set[str], end: int) -> list[str]:
    rest = page[::end]
    for _ in range(_EDGE):
        at = next((i for i, line in enumerate(rest) if line), None)
        if at is None or _head_key(rest[at]) not in keys:
            break
        rest = rest[at + 1 :]
    return rest[::end]
