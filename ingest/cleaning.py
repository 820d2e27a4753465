"""Text as readers find it to text as people read it.

Hides what typesetting leaves behind (ligatures, hyphens at line ends, running heads, page numbers, invisible
characters), how legible a page is, and in which language a text is.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Sequence

from kb.french import fold
from kb.records import Page

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "ĳ": "ij"}
)
_NEWLINES = re.compile(r"\r\n?|[\u2028\x0b\x0c\x85]")
# pdfium writes U+FFFE or U+0002 for a hyphen that it takes for one of typesetting.
_TYPESET_HYPHEN = re.compile(r"[\ufffe\u0002\u00ad]\s*\n\s*")
_INVISIBLE = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b\u2060\ufeff\ufffe\uffff]")
_LINE_HYPHEN = re.compile(r"(?<=[a-zà-öø-ÿœ]{2})[-‐]\n(?=[a-zà-öø-ÿœ]{2})")
_BLANKS = re.compile(r"[ \t\u2000-\u2008\u200a\u205f\u3000]+")
_MANY_LINES = re.compile(r"\n{3,}")
_NUMBER = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"\W*(?:page|p\.?)?\s*(\d{1,4}|[ivxl]{1,6})(?:\s*(?:/|sur)\s*\d{1,4})?\W*", re.IGNORECASE
)
_EDGE = 2  # lines at the top and at the bottom of a page that may be running heads
_SAME = (
    0.6  # share of the pages on which a line must come back to be a running head: more than every other page
)
_SHORTEST = 4  # pages below which a line that comes back may well be a heading
_WORDS = re.compile(r"[^\W\d_]+")
_SAMPLE = 20_000  # characters that a language is told from
_FIVE_LETTERS = re.compile(r"(?:[\W_]*[^\W_]){5}")
_ODD = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufffd-\uffff\ud800-\udfff\ue000-\uf8ff]")
_MUTE = re.compile(r"(?<![^\W\d_])[bcdfghjklmnpqrstvwxzç]{5,}(?![^\W\d_])", re.IGNORECASE)
_HUMP = re.compile(r"[a-zà-öø-ÿ][A-ZÀ-ÖØ-Þ]")
_READABLE_WORDS = 3  # fewer and a page has no words to be judged by


def clean(text: str) -> str:
    """``text`` in NFC, lines ended by ``\\n``, words joined again that the end of a line had cut, paragraphs
    apart by one empty line, nothing invisible."""
    text = _NEWLINES.sub("\n", text)
    text = _TYPESET_HYPHEN.sub("", text)
    text = _INVISIBLE.sub("", text).translate(_LIGATURES)
    text = _LINE_HYPHEN.sub("", text)
    text = "\n".join(_BLANKS.sub(" ", line).strip(" ") for line in text.split("\n"))
    return unicodedata.normalize("NFC", _MANY_LINES.sub("\n\n", text).strip())


def clean_pages(pages: Sequence[Page]) -> tuple[Page, ...]:
    """Pages cleaned and graded, running heads and page numbers off; numbers and labels stay."""
    texts = _without_running_heads([clean(page.text) for page in pages])
    return tuple(
        dataclasses.replace(page, text=text, grade=grade(text))
        for page, text in zip(pages, texts, strict=True)
    )


def grade(text: str) -> float:
    """How legible a text is, from 0 (nothing, or noise) to 1: the share of characters that French and its
    neighbours write with, times the share of words that look like words."""
    visible = sum(map(len, text.split()))
    if not visible:
        return 0.0
    sound = 1 - len(_ODD.findall(text)) / visible
    words = len(_WORDS.findall(text))
    if words < _READABLE_WORDS:
        return round(sound, 3)
    return round(sound * (1 - min(words, _strange(text)) / words), 3)


def has_text(text: str) -> bool:
    """Whether there is more than a page number: five letters or digits."""
    return _FIVE_LETTERS.match(text) is not None


def _strange(text: str) -> int:
    """How many words are long without a vowel, or have capitals in their midst: a font without its table."""
    mute = sum(not match.group().isupper() for match in _MUTE.finditer(text))
    mixed, end, counted = 0, -1, False
    for match in _HUMP.finditer(text):
        # A second hump in the same word; one is common (« McDonald », « LaSer »).
        same = end >= 0 and (end == match.start() or text[end : match.start()].isalpha())
        mixed += same and not counted
        counted, end = same, match.end()
    return mute + mixed


def _without_running_heads(texts: list[str]) -> list[str]:
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


# Frequent words, some twenty a language, folded; "gcf" is the Creole of Martinique and Guadeloupe. A text is
# in the language of which most words are met.
_PROFILES = {
    "fr": "le la les des et est dans pour que qui sur avec une par ne pas sont au aux du ce cette ou leur",
    "en": "the of and to in is that for it with as was on are by this be from at or which have not their",
    "es": "el los las y que del se por con una para su es al lo como mas pero sus esta son entre cuando muy",
    "pt": "o os um uma que do da dos das em nao para com por mais ao se como foi mas pelo pela sao ser ou",
    "it": "il di che e la per un con del si non della le sono da una nel alla piu dei come anche gli ma",
    "de": "der die und in den von zu das mit sich des auf fur ist im dem nicht ein eine als auch es an",
    "nl": "de het een en van in is dat op te zijn met voor niet aan er om ook als dan maar bij nog door",
    "gcf": "ka se pou nou yo epi pa an te ki ni adan le di moun sa ou mwen menm kon fe ba tout asi lanmou",
}
_LANGUAGES = {code: frozenset(words.split()) for code, words in _PROFILES.items()}
_ENOUGH = 0.12  # share of frequent words below which no language is named: running French has 0.35


def language(text: str) -> str | None:
    """BCP 47 code of the language of ``text``: seven of Europe's and Antillean Creole; None if unsure."""
    words = _WORDS.findall(fold(text[:_SAMPLE]))
    if len(words) < 5:
        return None
    counts = {code: sum(word in common for word in words) for code, common in _LANGUAGES.items()}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= _ENOUGH * len(words) else None
