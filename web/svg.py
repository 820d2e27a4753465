"""SVG written safely: elements, text that is measured, links, round ticks.

Hides escaping, how numbers are written in attributes, and the widths of letters, which only a browser
knows: they are estimated for Atkinson Hyperlegible Next at 13 units, a little too wide rather than too
narrow. No inline style: the policy of the pages forbids it, classes are coloured by ``charts.css``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from markupsafe import Markup

TEXT = 13
"""Size of letters in units, as in ``charts.css``."""

LINE = 16
"""Units from one line of text to the next."""

_SLIM, _BROAD = frozenset("iljtfrI.,:;'’|!()-[] \u00a0\u202f"), frozenset("mwMWœŒæ%@—…")
_ADDRESS = re.compile(r"(https?://|/(?!/)|[?#])")


def element(tag: str, content: str | Markup = "", **attributes: str | float | None) -> Markup:
    """An element; content and values are escaped unless they are Markup.

    An underscore in a name stands for a hyphen, except the last one of "class_". None leaves it out.
    """
    pairs = (
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _written(value))
        for name, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(tag, Markup("").join(pairs), content)


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def text(words: str, x: float, y: float, kind: str, anchor: str | None = None) -> Markup:
    """A line of text whose baseline is at ``y``; ``anchor`` is "middle", "end" or None for the start."""
    return element("text", words, class_=kind, x=x, y=y, text_anchor=anchor)


def group(content: Markup, hint: str, url: str | None = None, kind: str = "") -> Markup:
    """What belongs together, with a ``hint`` for the mouse; with ``url`` a link of that name.

    Raises ValueError when ``url`` leads neither into this site nor to a page of the web.
    """
    hinted = element("title", hint) + content
    if url is None:
        return element("g", hinted, class_=kind or None)
    if not _ADDRESS.match(url):
        raise ValueError(f"not an address of a page: {url!r}")
    return element("a", hinted, class_=kind or None, href=url)


def hatch(ident: str) -> Markup:
    """A pattern of slanted lines, to fill with as ``url(#ident)``."""
    line = element("path", class_="chart-hatch", d="M-1 1 1 -1M0 6 6 0M5 7 7 5")
    tile = element("pattern", line, id=ident, width=6, height=6, patternUnits="userSpaceOnUse")
    return element("defs", tile)


def width_of(words: str) -> float:
    """About how many units ``words`` take on one line."""
    ems = (0.36 if c in _SLIM else 0.92 if c in _BROAD else 0.7 if c.isupper() else 0.58 for c in words)
    return TEXT * sum(ems)


def wrapped(words: str, width: float, most: int) -> list[str]:
    """``words`` in at most ``most`` lines of ``width`` units; what does not fit ends with "…"."""
    lines: list[str] = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip(" ")
        if width_of(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    kept = lines[:most]
    if len(lines) > most:
        kept[-1] += " …"
    return [_cut(line, width) for line in kept]


def _cut(line: str, width: float) -> str:
    if width_of(line) <= width:
        return line
    kept = line.removesuffix("…").rstrip()
    while kept and width_of(f"{kept}…") > width:
        kept = kept[:-1]
    return f"{kept.rstrip(' ,;:')}…"


def ticks(highest: float, about: int = 4) -> Sequence[int]:
    """Round numbers from 0 to the first one that is not below ``highest``, about ``about`` steps apart;
    only 0 when nothing is above it."""
    if highest <= 0:
        return (0,)
    rough = max(1.0, highest / about)
    power = 10 ** math.floor(math.log10(rough))
    step = next(
        int(m * power) for m in (1, 2, 2.5, 5, 10) if m * power >= rough and m * power == int(m * power)
    )
    return range(0, math.ceil(highest / step) * step + 1, step)
