"""The words of a French text as names of persons may be made of them.

Hides how text is cut into words (compounds kept whole, elided articles left out), which of them belong to
known labels, and which are ordinary French, first names or family names.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kb import french, name_lists
from kb.french import fold
from kb.name_lexicon import BETWEEN, CIVILITIES, COMMUNES, FIGURES, FIRST_NAMES_TOO, NAMED_AFTER, PLACES, STOP

__all__ = [
    "CIVILITIES",
    "PIECE",
    "STOP",
    "Vocabulary",
    "Word",
    "is_family_name",
    "is_figure",
    "is_first_name",
    "is_named_after",
    "is_ordinary",
]


@dataclass(frozen=True, slots=True)
class Word:
    """A word where it stands: a hyphenated compound is one, an elided « d’ » before it is left out.

    ``gap`` is what stands between the word before and this one. ``known``: part of a place or body.
    ``caseless``: of a line all in capitals or without any, where they tell nothing.
    """

    text: str
    folded: str
    start: int
    end: int
    gap: str
    capital: bool
    shouted: bool
    caseless: bool = False
    known: bool = False

    @property
    def initial(self) -> bool:
        """« J. », « J.-P. » or a letter alone."""
        return self.capital and (len(self.text) == 1 or self.text.endswith("."))


_TOKEN = re.compile(
    r"(?:[A-ZÀ-ÖØ-Þ]\.[ \u00a0]?-?[ \u00a0]?)+(?=[ \u00a0]?[^\W\d_])"  # initials: J.-P., J. P.
    r"|(?:(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)['’ʼ´`])?"
    r"([^\W\d_](?:[^\W_]|['’ʼ](?=[^\W\d_])|[-‑–](?=[^\W\d_])|\u0301)*)",
    re.IGNORECASE,
)
_ADJECTIVE = re.compile(r"(?:al|ale|elle?|aire|ive?|if|iques?|ier|iere|ent|ente|public|prive|saint)$")
PIECE = re.compile(r"[^\W\d_]+")
"""A part of a compound."""

_DERIVED = re.compile(
    r"(?:ment|[ts]ions?|ismes?|istes?|iques?|[ai]bles?|ilites?|ivites?|ateurs?|atrices?|iaires?|logues?|ements?)$"
)
"""How French words end that the dictionary lacks: « prealablement », « mutualisation »."""

_SHOUTING = 0.6  # share of capitals from which they tell nothing: two words in three, tried on mails


class Vocabulary:
    """Cuts texts into words, given ``known`` labels (places, bodies); the communes are always known."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: dict[str, set[tuple[str, ...]]] = {}
        for label in (*COMMUNES, *PLACES, *known):
            pieces = tuple(PIECE.findall(fold(label)))
            contracted = {"le": ("du", "au"), "les": ("des", "aux")}.get(pieces[0], ()) if pieces else ()
            for first in (*pieces[:1], *contracted) if len(pieces) > 1 else pieces:
                self._known.setdefault(first, set()).add((first, *pieces[1:]))

    def words(self, text: str) -> list[Word]:
        """The words of ``text``, those of known labels marked."""
        levels = _caseless(text)
        words: list[Word] = []
        end = 0
        for match in _TOKEN.finditer(text):
            start = match.start(1) if match[1] else match.start()
            said = text[start : match.end()].rstrip(" \u00a0-") if not match[1] else match[1]
            if said.isdigit():
                continue
            level = any(first <= start < last for first, last in levels)
            tells = not level or len(said) < 3 or "." in said
            capital = said[0].isupper() and tells
            shouted = capital and len(said) > 1 and said.isupper() and "." not in said
            words.append(
                Word(said, fold(said), start, start + len(said), text[end:start], capital, shouted, level)
            )
            end = start + len(said)
        return self._marked(words)

    def _marked(self, words: list[Word]) -> list[Word]:
        pieces = [(piece, i) for i, word in enumerate(words) for piece in PIECE.findall(word.folded)]
        known: set[int] = set()
        for at, (piece, _) in enumerate(pieces):
            for label in self._known.get(piece, ()):
                if tuple(p for p, _ in pieces[at : at + len(label)]) == label:
                    known.update(range(at, at + len(label)))
        unknown = {i for at, (_, i) in enumerate(pieces) if at not in known}
        return [
            word if i in unknown or not known else replace(word, known=True) for i, word in enumerate(words)
        ]


def _caseless(text: str) -> list[tuple[int, int]]:
    """The lines in capitals, and those without any."""
    found = []
    for line in re.finditer(r"[^\n]+", text):
        letters = sum(map(str.isalpha, line[0]))
        capitals = sum(map(str.isupper, line[0]))
        if (letters > 24 and capitals > _SHOUTING * letters) or (letters > 9 and not capitals):
            found.append(line.span())
    return found


@functools.lru_cache(maxsize=20_000)
def is_ordinary(folded: str) -> bool:
    """Whether each part of a word is in the French dictionary or too common to be a name."""
    return folded in STOP or all(_is_word(p) for p in PIECE.findall(folded) or [""])


def _is_word(piece: str) -> bool:
    """The dictionary has first names as well: those that are no words are taken off."""
    if piece in STOP:
        return True
    if name_lists.is_often_first(piece) and piece not in FIRST_NAMES_TOO:
        return False
    if len(piece) > 6 and _DERIVED.search(piece) and not name_lists.is_family(piece):
        return True
    return french.known(piece)


@functools.lru_cache(maxsize=20_000)
def is_first_name(folded: str, seldom: bool = False) -> bool:
    """Whether a word is the first name of many (``seldom``: of anybody), or a compound of one."""
    parts = PIECE.findall(folded)
    borne = name_lists.is_first if seldom and len(parts) == 1 else name_lists.is_often_first
    return bool(parts) and borne(parts[0]) and (len(parts) == 1 or len(parts[1]) > 2)


@functools.lru_cache(maxsize=20_000)
def is_family_name(folded: str, often: bool = False) -> bool:
    """Whether each long part of a word is a family name (``often``: of many) or a first name."""
    borne = name_lists.is_often_family if often else name_lists.is_family
    parts = [p for p in PIECE.findall(folded) if len(p) > 2]
    return bool(parts) and all(borne(p) or name_lists.is_often_first(p) for p in parts)


def is_named_after(words: Sequence[Word], i: int) -> bool:
    """Whether the words before make of a name that of a thing: « lycée général Victor-Schœlcher »."""
    for k in range(i - 1, max(-1, i - 4), -1):
        gap = words[k + 1].gap
        if not re.fullmatch(r"[ \u00a0«“\"]*(?:[dl]['’])?", gap, re.IGNORECASE):
            return False
        word = words[k].folded.rstrip(".")
        if word in NAMED_AFTER or (len(word) > 4 and word[-1] in "sx" and word[:-1] in NAMED_AFTER):
            return True
        if word not in BETWEEN and not (_ADJECTIVE.search(word) and not words[k].capital):
            return False
    return False


def is_figure(words: Sequence[Word], i: int) -> bool:
    """Whether the words from ``i`` on are the full name of a public figure."""
    pieces = [p for w in words[i : i + 4] for p in PIECE.findall(w.folded)]
    return any(" ".join(pieces[:n]) in FIGURES for n in (2, 3))
