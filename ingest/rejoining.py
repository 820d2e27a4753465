"""Words that blanks have cut, made whole again: « pol itique de la vil le », « h a b i t a n t s ».

Hides how a cut is told from two words: what is joined must be a word of the lexicon, and a part of it must
not be one, or be much rarer. A text is cut anew at its cheapest, as in word segmentation by a unigram model;
no unknown word is ever made. On pages that are not in pieces only what is certain is joined.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from ingest.language import language
from ingest.legibility import is_spaced, judge
from ingest.lexicon import Lexicon
from kb.french import fold
from kb.records import Page, Quality

_RUN = re.compile(r"(?<![\w\u0300-\u036f])[^\W\d_]+(?: [^\W\d_]+)+(?![\w\u0300-\u036f'’‘°])")
_SPACED = re.compile(r"(?<!\S)[^\W\d_](?: [^\W\d_]){3,}(?!\S)")
_LONGEST = 25  # letters; « anticonstitutionnellement », the longest word that dictionaries have
_UNKNOWN = 5.0  # what an unknown word costs over a known one that was never met, in powers of ten
_BLANK = 0.2  # what a blank taken out costs: where all else is equal, the text stays as it is
_RARER = 5  # how many times rarer than the whole a known word must be to be taken for a piece of it
_CERTAIN_LETTERS = 6  # letters from which a whole is certain on a sound page, whose pieces all mean nothing
_FEWEST_LETTERS = 4  # letters of a whole below which chance makes it as often as a cut
_STOPS = '.,;:!?…)»”"'
_LONG = 8  # letters from which one piece may be a word by itself, on a sound page
_PIECE = 3  # letters that have no meaning which such a whole needs
_INITIALS = 3  # capitals that stand apart up to which they are letters of a list
_COMMON = frozenset(
    "un une le la les de des du et est en au aux que qui pour par dans sur avec ce ne pas il".split()  # noqa: SIM905
)
_COMMON_COST = 0.5  # between two readings that cost the same, the one with the commonest words
_ELIDED = frozenset("cdjlmnst")  # letters that stand alone where an apostrophe was lost: « d une »
_VOWELS = frozenset("aeiouyh")
_WORD_LETTERS = frozenset("aày")  # letters that are words
_KEPT = 1.5  # what it costs to take a known word of two letters or more for a piece: it is met as such


def rejoined(pages: Iterable[Page], lexicon: Lexicon) -> tuple[Page, ...]:
    """Pages with their cut words joined by ``lexicon``, and graded again; raw texts are kept. What the fund
    writes often decides between two readings, so that its lexicon mends more than that of French alone."""
    return tuple(_rejoined(page, lexicon) for page in pages)


def _rejoined(page: Page, lexicon: Lexicon) -> Page:
    if page.quality not in (Quality.GOOD, Quality.SPLIT):
        return page
    # A page that was mended once is still one of a text in pieces, on which the fund may decide.
    mended = page.raw is not None and lexicon.pages > 0
    split = page.quality is Quality.SPLIT or (mended and _is_in_pieces(page.raw or "", lexicon))
    text = rejoin(page.text, lexicon, split=split or None)
    if text == page.text:
        return page
    graded, quality = judge(text, page.recognised)
    if is_spaced(page.raw or page.text):  # where words begin is a likely reading, but one among others
        quality = Quality.SPLIT
    raw = page.text if page.raw is None else page.raw
    return dataclasses.replace(page, text=text, grade=graded, quality=quality, raw=raw)


def rejoin(text: str, lexicon: Lexicon, *, split: bool | None = None) -> str:
    """``text`` with its cut words whole. ``split``: whether the page is in pieces, so that two words which
    make a commoner one are doubtful as well, else only what means nothing is joined; None to be told by the
    text."""
    if not split:
        if not (cuts := _cuts(text, lexicon)):
            return text
        split = split is None and _are_many(cuts, text)
    joiner = _Joiner(lexicon, split=split)
    joined = _RUN.sub(lambda run: joiner.join(run.group()), text)
    if joined != text and language(text) not in (None, "fr") and not is_spaced(text):
        return text  # « for a » is no « fora »
    return joined


def close_up(text: str, lexicon: Lexicon) -> str:
    """``text``, as it was read, with words set in spaced letters made whole where two blanks or more part
    them: on a page that has several and whose wholes are mostly known, names too."""
    if not (spaced := _SPACED.findall(text)) or len(spaced) < _FEW:
        return text
    known = sum(lexicon.knows(letters.replace(" ", "")) for letters in spaced)
    if known < _MOST * len(spaced):
        return text
    return _SPACED.sub(lambda match: match.group().replace(" ", ""), text)


_FEW = 3  # words in spaced letters from which they are a habit of the page
_MOST = 0.6  # share of them that must be known


def _is_in_pieces(text: str, lexicon: Lexicon) -> bool:
    """Whether words are cut in several places, so that a doubtful place may be one more."""
    return _are_many(_cuts(text, lexicon), text)


def _are_many(cuts: int, text: str) -> bool:
    return cuts >= max(_SEVERAL, _SHARE * len(text.split()))


_SEVERAL, _SHARE = 2, 0.01
"""Cuts from which a page is in pieces, and their share of its words. Sound pages have one at most."""


def _cuts(text: str, lexicon: Lexicon) -> int:
    """How many unknown words may be pieces: letters that stand alone by other pieces, and what makes a known
    word with its neighbour. Quick, and too many rather than too few."""
    text = text.lower()
    for stop in _STOPS:
        text = text.replace(stop, f" {stop}")
    words = text.split()
    unknown = lexicon.unknown_among({word for word in set(words) if word.isalpha()}) - _WORD_LETTERS
    if not unknown or _is_foreign(words, unknown):
        return 0
    words = ["", *words, ""]
    places = [at for at, word in enumerate(words) if word in unknown]
    pairs = [words[at - 1] + words[at] for at in places] + [words[at] + words[at + 1] for at in places]
    letters = sum(len(pair) == 2 and pair.isalpha() for pair in pairs)
    wholes = {pair for pair in pairs if len(pair) >= _FEWEST_LETTERS and pair.isalpha()} - unknown
    return letters + sum(map(lexicon.knows, wholes))


def _is_foreign(words: Sequence[str], unknown: AbstractSet[str]) -> bool:
    """Whether most words are unknown, and not because letters stand alone: it is another language then, whose
    words may look like pieces of ours (« capa de »)."""
    strange = [word for word in words if word in unknown]
    return len(strange) > len(words) / 2 and 2 * sum(len(word) == 1 for word in strange) < len(strange)


class _Joiner:
    """Cuts runs of letters and blanks anew."""

    def __init__(self, lexicon: Lexicon, *, split: bool) -> None:
        self._lexicon = lexicon
        self._split = split
        self._never_met = math.log10(lexicon.pages + 1)

    def join(self, run: str) -> str:
        """The run cut at its cheapest."""
        pieces, folded = run.split(" "), fold(run).split(" ")
        if not self._split and all(map(self._lexicon.knows_folded, folded)):
            return run
        # best[i]: cost of the first i pieces, and where their last word begins.
        best = [(0.0, 0)]
        for end in range(1, len(pieces) + 1):
            best.append(min(self._ways(pieces, folded, end, best)))
        words, end = [], len(pieces)
        while end:
            start = best[end][1]
            words.append("".join(pieces[start:end]))
            end = start
        return " ".join(reversed(words))

    def _ways(
        self, pieces: list[str], folded: list[str], end: int, best: list[tuple[float, int]]
    ) -> Iterable[tuple[float, int]]:
        last = end - 1
        yield best[last][0] + self._cost(folded[last]), last
        whole = folded[last]
        for start in range(last - 1, -1, -1):
            whole = folded[start] + whole
            if len(whole) > _LONGEST:
                return
            if self._lexicon.knows_folded(whole) and self._is_cut(
                pieces[start:end], folded[start:end], whole
            ):
                taken = self._taken(folded[start:end])
                yield best[start][0] + self._cost(whole) + taken + _BLANK * (last - start), start

    def _taken(self, folded: Sequence[str]) -> float:
        """What it costs to take these pieces for parts of a word. Where all of them are words, the fund has
        spoken already."""
        words = sum(len(piece) > 1 and self._is_word(piece) for piece in folded)
        return _KEPT * words if words < len(folded) else 0.0

    def _cost(self, word: str) -> float:
        if word in _COMMON:
            return _COMMON_COST
        if not self._is_word(word):
            return 1 + self._never_met + _UNKNOWN
        return 1 + self._never_met - math.log10(self._lexicon.frequency_folded(word) + 1)

    def _is_word(self, word: str) -> bool:
        return word in _WORD_LETTERS if len(word) == 1 else self._lexicon.knows_folded(word)

    def _is_cut(self, pieces: Sequence[str], folded: Sequence[str], whole: str) -> bool:
        """Whether ``whole`` is what was meant by these pieces."""
        joined = "".join(pieces)
        if not (joined[1:].islower() or joined.isupper()) or self._lost_apostrophe(folded):
            return False
        if not (joined.isupper() or self._lexicon.writes(joined)):
            return False  # « de poser » is no « déposer »
        unknown = [piece for piece in folded if not self._is_word(piece)]
        if self._split:
            return (
                len(joined) > _INITIALS or not joined.isupper() if unknown else self._commoner(folded, whole)
            )
        if len(unknown) == len(folded):
            return len(whole) >= _CERTAIN_LETTERS
        return len(whole) >= _LONG and sum(map(len, unknown)) >= _PIECE

    def _commoner(self, folded: Sequence[str], whole: str) -> bool:
        if min(map(len, folded)) == 1:
            return False  # « a mené » is no « amené »
        rarest = min(map(self._lexicon.frequency_folded, folded))
        return self._lexicon.frequency_folded(whole) > _RARER * (rarest + 1)

    def _lost_apostrophe(self, folded: Sequence[str]) -> bool:
        return (
            folded[0] in _ELIDED and folded[1][0] in _VOWELS and len(folded) == 2 and self._is_word(folded[1])
        )
