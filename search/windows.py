"""The stretch of a page that most likely answers a question.

Hides how a text is cut into sentences and how stretches are weighed from who proposes answers: whole
sentences side by side, those that speak of most of what is asked, closest together, and of the kind of thing
that is asked for (a date for « quand », a number for « combien »...).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from kb import french
from search import snippets
from search.gist import Gist
from search.likeness import Shapes
from search.snippets import Piece

LENGTH = 480
"""Characters of a passage, at most: six or seven lines. One of the first three passages holds the answer for
74 % of 1,518 judged questions at 400, 77 % at 440 and 480, 79 % at 520, which is too much to read."""

FOCUS = 1.0
"""What the best single sentence of a stretch weighs beside all that the stretch speaks of. On 1,518 questions
with the page that answers, the stretch holds the answer for 81 % without, 82 % from 0.25 to 2."""

CUE = 0.2
"""What a sentence gains by having the kind of thing that is asked for, beside a share of 1 for all notions:
half a point on the same questions, the same from 0.1 to 0.3."""

_SAME = 1e-9  # scores that differ by less are equal

_END = re.compile(r"[.!?…]+[»”\")\]]*\s+|\n\s*\n|\n(?=\s*[•▪–*-]\s)")
_OPENING = frozenset('«“"')
_CLOSED = frozenset("0123456789)»”%]")
_NUMBERS = (
    r"\d|\b(?:deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|quinze|vingt|trente|quarante|cinquante|"
    r"soixante|cent|cents|mille|millions?|milliards?|dizaines?|centaines?|milliers?|moitie|tiers|quarts?)\b"
)
_DATES = (
    r"\b(?:1\d|20)\d\d\b|\b(?:janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|"
    r"decembre|siecle|lundi|mardi|mercredi|jeudi|vendredi|annees?|an|ans|mois|semaines?|jours?|delai|"
    r"avant le|a compter)\b"
)
_REASONS = r"\b(?:car|parce|afin|puisque|en effet|raisons?|causes?|grace|permet\w*|du|due|dus|dues|pour)\b"
_KINDS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked), re.compile(told))
    for asked, told in (
        (
            r"\bquand\b|\bquel(?:le)?s? (?:est |sont )?(?:la |le |l'|les )?(?:annee|date|siecle|jour|mois|"
            r"epoque|delai|periode|duree|heure|echeance)|combien de temps|depuis (?:quand|combien)",
            _DATES,
        ),
        (
            r"\bcombien\b|\bquel(?:le)?s? (?:est |sont )?(?:la |le |l'|les )?(?:nombre|pourcentage|montant|"
            r"somme|proportion|distance|superficie|surface|hauteur|longueur|taille|poids|prix|cout|taux|age|budget|"
            r"tarif|seuil|plafond|part|population)\b",
            _NUMBERS,
        ),
        (r"\bpourquoi\b|\bquelles? (?:est |sont )?(?:la |les )?raisons?\b|dans quel but", _REASONS),
    )
)
_NAMED = re.compile(
    r"\bqui\b(?! est-ce)|\bou (?:se|est|sont|a|ont|fut|trouv|habit)"
    r"|\bquel(?:le)?s? (?:ville|pays|region|commune|lieu)"
)
_NAME = re.compile(r"(?<=[\w,;’'] )[A-ZÀ-Ý][\w’-]+|[’'][A-ZÀ-Ý]\w+")


class Asked:
    """What stretches are weighed against: a gist, and the kind of thing that is asked for."""

    def __init__(self, gist: Gist) -> None:
        self.gist = gist
        self.shapes = Shapes({notion.term: notion.weight for notion in gist.notions})
        folded = french.fold(gist.text)
        self._told = next((told for asked, told in _KINDS if asked.search(folded)), None)
        self._named = self._told is None and bool(_NAMED.search(folded))

    def tells(self, text: str) -> bool:
        """Whether ``text`` has the kind of thing that is asked for; never if none is."""
        if self._told is not None:
            return bool(self._told.search(french.fold(text)))
        return self._named and bool(_NAME.search(text))


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text, with the words to mark. ``focus``: what its best sentence speaks of, of all that
    is asked, 0 to 1, and CUE more if that tells the kind of thing asked for."""

    text: str
    start: int
    end: int
    focus: float
    spans: tuple[tuple[int, int], ...]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The stretch, its words marked, "…" where it is cut."""
        return snippets.shown(self.text, self.start, self.end, self.spans)


@dataclass(frozen=True, slots=True)
class _Sentence:
    start: int
    end: int
    terms: list[str]
    degrees: dict[int, float]
    focus: float


class Reading:
    """A page read against what is asked. ``focus``: that of its best stretch, see ``Window``."""

    def __init__(self, text: str, asked: Asked, length: int = LENGTH) -> None:
        self._text = text
        self._asked = asked
        self._length = length
        self._sentences = [_read(text, start, end, asked) for start, end in _bounds(text, length)]
        first, last = _stretch(self._sentences, asked.gist, length)
        self._stretch = self._sentences[first : last + 1]
        self.focus = max(sentence.focus for sentence in self._stretch)

    @cached_property
    def terms(self) -> Counter[str]:
        """How often each term stands in the page."""
        counts = Counter(term for sentence in self._sentences for term in sentence.terms)
        del counts[""]
        return counts

    def said(self, own: Iterable[str] = ()) -> float:
        """The share of what is asked that the best stretch speaks of, or these terms of the title."""
        degrees = self._asked.gist.degrees(own)
        for at, degree in _together(self._stretch).items():
            degrees[at] = max(degrees.get(at, 0.0), degree)
        return self._asked.gist.share(degrees)

    def alike(self, own: frozenset[str] = frozenset()) -> float:
        """The same of the best sentence and these terms, by the letters of the words; or by other names."""
        shapes, gist = self._asked.shapes, self._asked.gist
        title = shapes.mask(own)
        most = max(map(shapes.share, {shapes.mask(one.terms) | title for one in self._sentences}))
        if any(notion.others for notion in gist.notions):  # names have no letters in common
            most = max(most, *(gist.share(gist.degrees(own.union(one.terms))) for one in self._sentences))
        return most

    def window(self) -> Window:
        """The best stretch."""
        text = self._text
        start, end = _filled(text, self._stretch[0].start, self._stretch[-1].end, self._length)
        named = (w for w in french.tokens(text[start:end]) if w.term and self._asked.gist.names(w.term))
        return Window(
            text=text,
            start=start,
            end=end,
            focus=self.focus,
            spans=tuple((start + word.start, start + word.end) for word in named),
        )


def best(text: str, asked: Asked, length: int = LENGTH) -> Window:
    """The stretch of ``text`` of at most ``length`` characters that most likely answers."""
    return Reading(text, asked, length).window()


def _read(text: str, start: int, end: int, asked: Asked) -> _Sentence:
    sentence = text[start:end]
    terms = french.terms(sentence)
    degrees = asked.gist.degrees(terms)
    share = asked.gist.share(degrees)
    return _Sentence(start, end, terms, degrees, share + CUE * (share > 0 and asked.tells(sentence)))


def _bounds(text: str, length: int) -> Iterator[tuple[int, int]]:
    """Where sentences start and end; one that is longer than ``length`` is cut between words."""
    start = 0
    for end in (*(match.end() for match in _END.finditer(text) if _ends(text, match)), len(text)):
        while end - start > length:
            space = max(text.rfind(c, start + length // 2, start + length) for c in " \n")
            cut = space + 1 if space > 0 else start + length
            yield start, cut
            start = cut
        if end > start or not text:
            yield start, end
        start = end


def _ends(text: str, match: re.Match[str]) -> bool:
    """Whether a sentence ends here: not after one or two letters, which are mostly "M." or "p. 12", nor
    before a small letter."""
    mark = text[match.start()]
    if mark == "\n":
        return True
    before = text[max(0, match.start() - 3) : match.start()]
    after = text[match.end() : match.end() + 1]
    if mark in "!?" and before[-1:].isspace():
        return True
    if len(before) == 3 and before.isalpha():
        return not after.islower()
    return before[-1:] in _CLOSED and (after.isupper() or after in _OPENING)


def _stretch(sentences: list[_Sentence], gist: Gist, length: int) -> tuple[int, int]:
    """First and last sentence of the best stretch; of equals the longest, then the earliest."""
    best, longest, chosen = -1.0, 0, (0, 0)
    for first in range(len(sentences)):
        last = first
        while last + 1 < len(sentences) and sentences[last + 1].end - sentences[first].start <= length:
            last += 1
        within = sentences[first : last + 1]
        focus = max(sentence.focus for sentence in within)
        score = gist.share(_together(within)) + FOCUS * focus
        size = sentences[last].end - sentences[first].start
        if score > best + _SAME or (score > best - _SAME and size > longest):
            best, longest, chosen = score, size, (first, last)
    return chosen


def _filled(text: str, start: int, end: int, length: int) -> tuple[int, int]:
    """The stretch with some words of what stands around it, half of the room on each side if there is
    text."""
    end = _word_end(text, end, end + (length - (end - start)) // 2)
    start = _word_start(text, start, start - (length - (end - start)))
    end = _word_end(text, end, end + length - (end - start))
    filled = text[start:end]
    return end - len(filled.lstrip()), start + len(filled.rstrip()) if filled.strip() else end


def _word_end(text: str, end: int, far: int) -> int:
    if far >= len(text):
        return len(text)
    return max(end, text.rfind(" ", end, far + 1))


def _word_start(text: str, start: int, far: int) -> int:
    if far <= 0:
        return 0
    space = text.find(" ", far, start)
    return start if space < 0 else space + 1


def _together(sentences: list[_Sentence]) -> dict[int, float]:
    degrees: dict[int, float] = {}
    for sentence in sentences:
        for at, degree in sentence.degrees.items():
            degrees[at] = max(degrees.get(at, 0.0), degree)
    return degrees
