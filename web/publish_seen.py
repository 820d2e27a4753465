"""A copy as its reader will see it, to look in it for what is personal.

Hides what stands in a text and is not seen (Markdown's marks, escapes and entities, characters of no width):
« **Mme** _Zobda_ » and « Mme Zo&#98;da » name the same person as « Mme Zobda », and are found like it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from kb.anonymiser import Found

Find = Callable[[str], Sequence[Found]]

_NO_WIDTH = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
"""Unicode, DerivedCoreProperties: Default_Ignorable_Code_Point."""

_NO_CITATION = r"(?!(?:https?://[^\s/)]+)?/notice/)"  # the words of those are left alone (kb.anonymiser)
_UNSEEN = re.compile(
    r"(?P<entity>&(?:#[xX][0-9a-fA-F]{1,6}|#[0-9]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});)"
    r"|(?P<line>(?:(?<![ \t])[ \t]+|\\)?\n(?:[ \t]*>)+[ \t]*|(?:(?<![ \t])[ \t]+|\\)\n)"
    r"|\\(?=[!-/:-@\[-`{-~])"
    r"|(?<=\S)[*`~]+|[*`~]+(?=\S)"
    r"|(?<![^\W_])_+|_+(?![^\W_])"  # one between two letters is an underscore (CommonMark, 6.2)
    rf"|!?\[(?=[^\[\]\n]*\]\({_NO_CITATION})|(?P<aim>\]\({_NO_CITATION})"
    rf"|[{_NO_WIDTH}]+"
)
_LONGEST_MARK = 3  # characters of « ***very*** »
_MARKS = re.compile(r"\*+|_+|~+|`+")
_LAST_MARKS = re.compile(r"(?:\*+|_+|~+|`+)\Z")
_SHOWS_NOTHING = re.compile(rf"[{_NO_WIDTH}]")


def found_as_seen(text: str, find: Find) -> list[Found]:
    """What ``find`` finds in the text as it is seen, at its places in ``text``, in the words of ``text``."""
    pieces = list(_pieces(text))
    if len(pieces) <= 1:
        return list(find(text))
    starts: list[int] = []
    ends: list[int] = []
    seen = []
    for start, end, shown in pieces:
        if end - start == len(shown):
            starts += range(start, end)
            ends += range(start + 1, end + 1)
        else:
            starts += [start] * len(shown)
            ends += [end] * len(shown)
        seen.append(shown)
    found: list[Found] = []
    for one in find("".join(seen)):
        start, end = _evened(text, starts[one.start], ends[one.end - 1])
        start = max(start, found[-1].end) if found else start
        found.append(replace(one, start=start, end=end, text=text[start:end]))
    return found


def _evened(text: str, start: int, end: int) -> tuple[int, int]:
    """The piece with the mark just outside it whose other one stands in it: « **Mme** Zobda » goes whole, so
    that no mark is left alone."""
    odd: list[str] = []
    for run in _MARKS.findall(text, start, end):
        if run in odd:
            odd.remove(run)
        else:
            odd.append(run)
    if (before := _LAST_MARKS.search(text, max(0, start - _LONGEST_MARK), start)) and before[0] in odd:
        odd.remove(before[0])
        start = before.start()
    if (after := _MARKS.match(text, end)) and after[0] in odd:
        end = after.end()
    return start, end


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, what is seen of it) of the whole text, in order."""
    reached = 0
    for unseen in _UNSEEN.finditer(text):
        if reached < unseen.start():
            yield reached, unseen.start(), text[reached : unseen.start()]
        reached = unseen.end()
        yield unseen.start(), reached, _shown(unseen)
    if reached < len(text):
        yield reached, len(text), text[reached:]


def _shown(unseen: re.Match[str]) -> str:
    if unseen["entity"]:
        return _SHOWS_NOTHING.sub("", html.unescape(unseen["entity"]))
    if unseen["aim"]:
        return " ("  # where a link leads is looked at too, apart from its words
    return "\n" if unseen["line"] else ""
