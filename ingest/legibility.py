"""How legible the text of a page is: a grade from 0 to 1, and what is wrong with it in one word.

Hides what noise looks like: characters that no language of ours writes, words without vowels, words that no
lexicon has and whose letters do not follow one another as they do in words, words in pieces.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise

from ingest import lexicon
from ingest.language import language
from kb.french import fold
from kb.records import Quality

POOR = 0.5
"""Grade below which a page is garbled. Running text of any of our languages has 0.9 and more; a text of which
three letters in ten are wrong has less than this."""

_WORDS = re.compile(r"[^\W\d_]+")
_FIVE_LETTERS = re.compile(r"(?:[\W_]*[^\W_]){5}")
_ODD = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufffd-\uffff\ud800-\udfff\ue000-\uf8ff]")
_MUTE = re.compile(r"[bcdfghjklmnpqrstvwxzç]{5,}", re.IGNORECASE)
_HUMP = re.compile(r"[a-zà-öø-ÿ][A-ZÀ-ÖØ-Þ]")
_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿŒœ]{2,}")
_MIXED = re.compile(r"[^\W\d_][^\w\s.,:;'’()/%°€+*=«»“”\"–—-]+[^\W\d_]")
_MIXED_WORDS = 0.15  # share of such words: a page of XML has less, and longer words
_SHORT_WORDS = 2.5  # mean length below which runs of letters may be noise: French has 4.8, tables 3 and more
_ACRONYM = 6  # capitals of the longest acronym that is taken for one
_LONE = frozenset("bcdefghijklmnopqrstuvwxzéèê")  # « a », « à », « ô » and « y » are words
_READABLE_WORDS = 3  # fewer and a page has no words to be judged by
_JUDGED_WORDS = 8  # fewer words of Latin letters, and whether they are known says little

_FRENCH = 0.75
"""Share of known words from which a page is taken for sound without looking closer: nine French pages in ten
have more than 0.86; one of names, codes or another language has 0.2 to 0.7, noise less than 0.25."""

_ENOUGH_WORDS = 40  # different words from which the order of letters is judged in full
_LIKELY, _UNLIKELY = -2.9, -3.9
"""Mean logarithm of the probability of a letter after another, by French words: names and our other languages
have -2.5 to -3.3, letters put for others -4.8 and less, a text of which three letters in ten are wrong -3.2
to -3.7. Short tables of units have -4, hence what is forgiven below."""
_FOREIGN = (
    0.3  # how far the words of a page in another language must look like words: Dutch and Creole do by 0.5
)
_NOT_FRENCH = 0.25
"""Share of known words at which a French page is noise: one of which half the letters are wrong has this."""

_SPACED = 0.3  # share of letters that stand alone from which no language explains them
_PIECES = 0.12  # share of words in pieces from which a page is split: sound pages have less than half of it


def judge(text: str, recognised: float | None = None) -> tuple[float, Quality]:
    """Grade of a cleaned text and what it is: EMPTY, GARBLED, SPLIT or GOOD. ``recognised`` is how sure the
    recognition of characters was, if the text comes from it; the grade is lowered by what it doubts."""
    graded = grade(text)
    if graded == 0.0 and not text.strip():
        return 0.0, Quality.EMPTY
    if recognised is not None:
        graded = round(graded * recognised, 3)
    if graded < POOR:
        return graded, Quality.SPLIT if is_spaced(text) else Quality.GARBLED
    return graded, Quality.SPLIT if is_split(text) else Quality.GOOD


def grade(text: str) -> float:
    """How legible a text is, from 0 (nothing, or noise) to 1: the share of characters that French and its
    neighbours write with, times the share of words that look like words, times how far its words are words
    of French, or at least written like words."""
    visible = sum(map(len, text.split()))
    if not visible:
        return 0.0
    sound = 1 - len(_ODD.findall(text)) / visible
    words = _WORDS.findall(text)
    if len(words) < _READABLE_WORDS:
        return round(sound, 3)
    unknown = _unknown(words)
    strange = sum(map(_is_strange, unknown))
    return round(sound * (1 - strange / len(words)) * _likeness(text, words, unknown), 3)


def has_text(text: str) -> bool:
    """Whether there is more than a page number: five letters or digits."""
    return _FIVE_LETTERS.match(text) is not None


def is_split(text: str) -> bool:
    """Whether words are in pieces in many places: letters that stand alone, and bits of two or three letters
    that are no words of French, unless the text is in another language, which has short words of its own."""
    words = text.split()
    if len(words) < _JUDGED_WORDS:
        return False
    if is_spaced(text):
        return True
    short = {word for word in set(words) if 1 < len(word) < 4 and word.islower()}
    unknown = set(filter(_LATIN.fullmatch, lexicon.base().unknown_among(short)))
    pieces = _lone(words) + sum(map(unknown.__contains__, words))
    return pieces >= _PIECES * len(words) and language(text) in (None, "fr")


def is_spaced(text: str) -> bool:
    """Whether letters stand alone throughout, so that nothing tells where words begin."""
    words = text.split()
    return len(words) >= _JUDGED_WORDS and _lone(words) >= _SPACED * len(words)


def _lone(words: Sequence[str]) -> int:
    return sum(map(_LONE.__contains__, words))


def _unknown(words: Sequence[str]) -> list[str]:
    """Those of ``words`` that no lexicon has, as they are written and as often."""
    lower = [word.lower() for word in words]
    unknown = lexicon.base().unknown_among(set(lower))
    return [word for word, low in zip(words, lower, strict=True) if low in unknown]


def _is_strange(word: str) -> bool:
    """Whether a word is long without a vowel, or has capitals in its midst: a font without its table. One
    capital is common (« McDonald », « LaSer »)."""
    return (_MUTE.fullmatch(word) is not None and not word.isupper()) or len(_HUMP.findall(word)) > 1


def _likeness(text: str, words: Sequence[str], unknown: Sequence[str]) -> float:
    """How far the words are words: 1 for running French, another language of ours, names; 0 for noise."""
    foreign = sum(_LATIN.fullmatch(word) is None for word in unknown)  # another script, a lone letter
    latin = len(words) - foreign
    if sum(map(len, words)) < _SHORT_WORDS * len(words) and _is_mixed(text):
        return 0.0
    if latin < _JUDGED_WORDS or latin < len(words) / 2:
        return 1.0  # too few to tell, or another script
    if (known := 1 - (len(unknown) - foreign) / latin) >= _FRENCH:
        return 1.0
    acronyms = sum(word.isupper() and len(word) <= _ACRONYM for word in unknown if len(word) > 1)
    if (latin := latin - acronyms) < _JUDGED_WORDS:
        return 1.0
    known = 1 - (len(unknown) - foreign - acronyms) / latin
    if known >= _FRENCH:
        return 1.0
    return _likeness_of_unknown(text, {word.lower() for word in words if _LATIN.fullmatch(word)}, known)


def _is_mixed(text: str) -> bool:
    """Whether signs stand between letters in many places, and not those of addresses, figures and names."""
    words = [word for word in text.split() if len(word) > 2]
    return len(words) >= _JUDGED_WORDS and sum(map(bool, map(_MIXED.search, words))) > _MIXED_WORDS * len(
        words
    )


def _likeness_of_unknown(text: str, different: set[str], known: float) -> float:
    """The same for a page whose different words are so seldom known."""
    tongue, french = language(text), lexicon.base()
    french_like = max(0.0, (known - _NOT_FRENCH) / (_FRENCH - _NOT_FRENCH))
    if tongue == "fr":
        return french_like
    if known < POOR / 2 and french.known_share([word[::-1] for word in different]) > POOR:
        return known  # written backwards
    written = _written_like_words(fold(" ".join(different)).split())
    return max(written, french_like) if tongue is None or written < _FOREIGN else 1.0


def _written_like_words(words: Collection[str]) -> float:
    """From 0 to 1, how far letters follow one another in these folded words as they do in French; the fewer
    the words, the more is forgiven."""
    likelihood, pairs = _pairs(), 0
    total = 0.0
    for word in words:
        bounded = f" {word} "
        total += sum(likelihood.get(pair, _NEVER) for pair in map("".join, pairwise(bounded)))
        pairs += len(word) + 1
    forgiven = max(0.0, 1 - len(words) / _ENOUGH_WORDS)
    mean = total / pairs + forgiven
    return min(1.0, max(0.0, (mean - _UNLIKELY) / (_LIKELY - _UNLIKELY)))


_NEVER = -9.0  # a pair of letters that French never has; the rarest has -8.5
_SAMPLED = 13  # one word in so many of the base tells how letters follow one another; 18,000 words


@functools.cache
def _pairs() -> dict[str, float]:
    """Pair of letters -> logarithm of the probability of the second after the first."""
    pairs: Counter[str] = Counter()
    for word in lexicon.base().sample(_SAMPLED):
        bounded = f" {word} "
        pairs.update(map("".join, pairwise(bounded)))
    firsts: Counter[str] = Counter()
    for pair, count in pairs.items():
        firsts[pair[0]] += count
    return {pair: max(_NEVER, math.log(count / firsts[pair[0]])) for pair, count in pairs.items()}
