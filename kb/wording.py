"""Whether a text has the words of a quotation.

Hides what may differ between a passage and its page without a word changed: how lines are cut, which dashes,
apostrophes and quotation marks are used, what was left out, added or altered by the usual signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_SEAM, _OMITTED, _ADDED, _ALTERED = "\0", "\ue000", "\ue001", "\ue002"
_SOFT = re.compile(r"\u00ad\s*\n\s*")
_INVISIBLE = re.compile(r"[\u0000\u00ad\u200b-\u200d\u2060\ufeff\ue000-\ue002]")
_ALIKE = str.maketrans(
    dict.fromkeys("“”„‟«»″＂", '"')
    | dict.fromkeys("‘’‚‛′ʼ´`‹›＇", "'")
    | dict.fromkeys("‐‑‒–—―−﹣－", "-")
    | {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "œ": "oe", "Œ": "OE"}
    | {"æ": "ae", "Æ": "AE", "ĳ": "ij"}
)
# A dash between two words, unless it is glued to the second alone as the sign of a number is.
_BETWEEN = re.compile(r"(?<=\w)(?:-+ ?| -+ )(?=\w)")
_SPACED = re.compile(r" ?([\"'-]) ?| (?=[;:!?,.)\]…%€°])|(?<=[(\[]) ")
_MARKS = re.compile(r"\[\s*(?:…|\.{2,})\s*\]|\(\s*(?:…|\.{2,})\s*\)|…|\.{3,}|\[([^\[\]]*)\]")
_EDGES = re.compile(r"\A(?:[ .,;:\"']|-(?!\d))+|[ .,;:\"'-]+\Z")
_INSERTED = re.compile(rf"((?: ?{_ADDED})+ ?|(?:\w+{_ALTERED}|{_ALTERED})[\w{_ALTERED}]*)")


def stands_in(quote: str, page_text: str) -> bool:
    """Whether a page has the words of a quotation, in their case and with their accents.

    White space, cut lines and words, ligatures and the kinds of dashes, apostrophes and quotation marks do
    not count, nor does punctuation at the end. « […] », « (…) » and « … » stand for words left out: what is
    around them must stand in this order. ``[mot]`` was added by who quotes, ``[l]e`` altered by them, unless
    the page has just that.
    """
    page, position = _folded(visible(page_text)), 0
    as_it_is = _EDGES.sub("", _folded(visible(quote)))
    if re.search(r"\w", as_it_is) and re.search(_bounded(as_it_is, _literal(as_it_is)), page):
        return True
    sections = _sections(quote)
    for section in sections:
        place = section.search(page, position)
        if place is None:
            return False
        position = place.end()
    return bool(sections)


def visible(text: str) -> str:
    """Text without what shows nothing, soft hyphens and the line ends after them included."""
    return _INVISIBLE.sub("", _SOFT.sub("", text))


def _folded(text: str) -> str:
    """Text as it is compared; ``_SEAM`` where a dash joins two words or a line cut one."""
    text = unicodedata.normalize("NFC", text).translate(_ALIKE)
    text = re.sub(r"\.{3,}", "…", re.sub(r"\s+", " ", text))
    return _SPACED.sub(r"\1", _BETWEEN.sub(_SEAM, text)).strip()


def _sections(quote: str) -> list[re.Pattern[str]]:
    """What must be found of a quotation, one pattern for each part between omissions."""
    brackets: list[str] = []

    def mark(found: re.Match[str]) -> str:
        if found[1] is None:
            return _OMITTED
        brackets.append(_literal(_folded(found[0])))
        around = found.string[found.start() - 1 : found.start()] + found.string[found.end() : found.end() + 1]
        return _ALTERED if found[1].isalpha() and re.search(r"\w", around) else _ADDED

    marked = _folded(_MARKS.sub(mark, visible(quote)))
    parts = [_EDGES.sub("", part) for part in marked.split(_OMITTED)]
    left = iter(brackets)
    patterns = [(part, _pattern(part, left)) for part in parts]
    return [re.compile(pattern) for part, pattern in patterns if part.strip(f" {_ADDED}")]


def _pattern(part: str, brackets: Iterator[str]) -> str:
    """A part of a quotation as a pattern for folded text. Nothing in it can be tried in two ways at one
    place, so that looking for it takes a time in proportion to the text."""
    pieces = _INSERTED.split(part)
    for i in range(1, len(pieces), 2):
        insert = _addition if _ADDED in pieces[i] else _alteration
        pieces[i] = insert(pieces[i], brackets, i > 1 or bool(pieces[0]))
    pieces[::2] = map(_literal, pieces[::2])
    return _bounded(part, "".join(pieces))


def _bounded(part: str, pattern: str) -> str:
    """A pattern that begins and ends with whole words where ``part`` does."""
    return r"(?<!\w)" * bool(re.match(r"\w", part)) + pattern + r"(?!\w)" * bool(re.search(r"\w\Z", part))


def _literal(text: str) -> str:
    """A pattern for folded text, in which a dash or a line end may join any two letters."""
    characters = map(re.escape, text.replace(_SEAM, ""))
    return f"{_SEAM}?".join(f"[-{_SEAM}]" if one == r"\-" else one for one in characters)


def _addition(piece: str, brackets: Iterator[str], inside: bool) -> str:
    """What was added stands in the page in its brackets or not at all."""
    form = "(?: ?{})?+" if inside else "(?:{} ?)?+"
    added = "".join(form.format(next(brackets)) for _ in range(piece.count(_ADDED)))
    return added + " " * (inside and piece.endswith(" "))


def _alteration(piece: str, brackets: Iterator[str], inside: bool) -> str:
    """A word with letters altered: any that begins and ends as it does, or itself with its brackets."""
    kept = [_literal(letters) for letters in piece.split(_ALTERED)]
    itself = kept[0] + "".join(next(brackets) + letters for letters in kept[1:])
    ends = rf"(?={kept[0]}[\w{_SEAM}]*{kept[-1]}(?!\w))[\w{_SEAM}]++"
    return f"{_SEAM}?" * inside + rf"(?<!\w)(?:{itself}|{ends})"
