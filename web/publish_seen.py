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
    found = (replace(f, start=starts[f.start], end=ends[f.end - 1]) for f in find("".join(seen)))
    return [replace(f, text=text[f.start : f.end]) for f in found]


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
