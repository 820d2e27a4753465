"""A passage of some 240 characters, words marked, for engines that bring no snippets of their own."""

from __future__ import annotations

import re

WIDTH = 240


def marked(text: str, words: list[str]) -> str:
    """The part of ``text`` around the first place where most different ``words`` stand, marked."""
    if not words:
        return text[:WIDTH]
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)", re.IGNORECASE)
    found = [(m.start(), m.group().lower()) for m in pattern.finditer(text)]
    if not found:
        return text[:WIDTH]
    best = max(range(len(found)), key=lambda i: len({w for at, w in found[i:] if at - found[i][0] < WIDTH}))
    start = max(0, found[best][0] - 40)
    return pattern.sub(lambda m: f"<mark>{m.group()}</mark>", text[start : start + WIDTH])
