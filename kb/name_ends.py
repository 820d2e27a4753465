"""How far the name of a person goes once it has begun.

Hides from ``kb.person_names`` which words belong to a name: « de » and « Saint » between its parts,
initials, family names typed without capitals, and where the sentence begins again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.name_lexicon import ACTS, CIVILITIES, HEADS, ROLES, STOP
from kb.name_words import Word, is_family_name, is_first_name, is_ordinary

__all__ = ["end_of_name", "is_acronym", "stands_apart"]

_JOINED = re.compile(
    r"[ \u00a0]{1,2}(?:[dlnm]['’]|(?:de|du|des|de la|de l['’]|d['’]|van|von|el|ben|da|dos"
    r"|di|le|la|saint|st)[ \u00a0])?"
    r"|[ \u00a0]?[-‑–][ \u00a0]?|\n",
    re.IGNORECASE,
)
_PARTICLES = frozenset(
    """
de du des le la dit dite nee epouse veuve vve das dos do da del della di e y van von der den ter al el ben
bin ibn bint ould ait
""".split()  # noqa: SIM905
)
_GOES_BACK = frozenset(
    """
a est sera etait m t l qui et ou pour au aux veut dit me nous vous avait ont sont viendra n ne c ancien
ancienne de du des
""".split()  # noqa: SIM905
).union(ACTS, ROLES)
"""What begins the sentence again after a name typed without capitals."""

_VERBAL = re.compile(r"(?:e|es|t|nt|d|ra|rait?|ons|ez|er|ir)$")
"""How verbs end: « sonia rappelle »."""

_FOREIGN = frozenset(
    """
das dos do da del della di van von der den ter al el ben bin ibn bint ould ait
""".split()  # noqa: SIM905
)
_MARRIED = frozenset(("nee", "epouse", "veuve", "vve", "dite", "dit"))
_BEFORE_ANY = _FOREIGN | _MARRIED
_LONGEST = 6  # words of one name


def end_of_name(words: Sequence[Word], i: int, civil: bool = False) -> int:
    """The index after the last word of the name whose first is at ``i``."""
    k = i + 1
    while k < len(words) and k - i < _LONGEST and _goes_on(words, i, k, civil):
        k += 1
    return k


def is_acronym(word: Word) -> bool:
    """« CAF », « ANRU »: short, in capitals, nobody's usual name."""
    if not word.shouted or len(word.text) > 5:
        return False
    often = is_first_name(word.folded) or is_family_name(word.folded, often=True)
    return not (often and len(word.text) > 3)


def stands_apart(words: Sequence[Word], k: int) -> bool:
    """Whether a sign or the end comes after the word, and not another word."""
    dotted = words[k].text.endswith(".")
    return dotted or k + 1 == len(words) or not re.fullmatch(r"[ \u00a0]+(?:[^\W\d_]['’])?", words[k + 1].gap)


def _goes_on(words: Sequence[Word], i: int, k: int, civil: bool) -> bool:
    word, gap = words[k], words[k].gap
    if re.search(r"\d", word.text):
        return False
    if gap in (" ", "\u00a0") and ((word.initial and stands_apart(words, k)) or _is_small_initial(words, k)):
        return True
    if word.folded in STOP or word.folded in _PARTICLES or word.folded in ROLES or word.folded in CIVILITIES:
        return _is_particle(words, i, k)
    if not _JOINED.fullmatch(gap) and not (words[k - 1].initial and re.fullmatch(r"\.?[ \u00a0-]{0,2}", gap)):
        return False
    if gap == "\n" and (k - i > 1 or is_ordinary(word.folded) or word.shouted):
        return False
    if word.known or (word.shouted and len(word.text) < 4 and not words[k - 1].shouted):
        return word.known and words[k - 1].initial is False and _is_saint(words[i], word, gap)
    if word.capital:
        return not is_ordinary(word.folded) or is_first_name(words[i].folded, seldom=True) or civil
    return not (words[k - 1].capital and not civil) and _goes_on_small(words, i, k, civil)


def _goes_on_small(words: Sequence[Word], i: int, k: int, civil: bool) -> bool:
    """Whether a word without a capital is part of a name that has none either, or has a civility."""
    word, first = words[k], words[i]
    if len(word.text) < 3:
        return False
    ordinary = is_ordinary(word.folded)
    if (
        k == i + 1
        and civil
        and (not ordinary or (word.text.isupper() and is_first_name(first.folded, seldom=True)))
    ):
        return True
    if k == i + 1 and first.folded in HEADS and is_first_name(word.folded):
        return True
    if k == i + 1 and is_first_name(first.folded, seldom=True) and ordinary:
        return _ends_so(words, k) and not (is_ordinary(first.folded) and "-" not in first.text)
    if k == i + 1 and stands_apart(words, k) and is_first_name(first.folded):
        return not ordinary or not is_ordinary(first.folded)
    free = not ordinary or is_first_name(word.folded)
    named = is_first_name(words[k - 1].folded, seldom=True) or is_first_name(word.folded)
    return free and (named or words[k - 1].folded in _PARTICLES) and k - i < 4


def _ends_so(words: Sequence[Word], k: int) -> bool:
    """Whether an ordinary word after a first name is its family name: « sonia labrador a rappelé »."""
    word = words[k]
    if word.folded in ACTS:
        return False
    if not is_family_name(word.folded) and _VERBAL.search(word.folded):
        return False
    return stands_apart(words, k) or words[k + 1].folded in _GOES_BACK


def _is_small_initial(words: Sequence[Word], k: int) -> bool:
    """« cindy l. » as people type it."""
    said, dotted = words[k].text, words[k].text.endswith(".")
    if len(said) > 1 + dotted or said[0].isupper() or not is_first_name(words[k - 1].folded, seldom=True):
        return False
    dotted = dotted or (k + 1 < len(words) and words[k + 1].gap.startswith("."))
    return dotted or (words[k].caseless and said not in "aàcdjlmnsty")


def _is_saint(first: Word, word: Word, gap: str) -> bool:
    """A commune with a saint's name right after a first name is more often a family name."""
    like = word.capital or not first.capital
    return like and gap in (" ", "\u00a0") and bool(re.match(r"s(?:ain)?te?-", word.folded))


def _is_particle(words: Sequence[Word], i: int, k: int) -> bool:
    """« de », « le »... between the parts of a name: « Marie de Lavigne », « Mohamed El Amrani »."""
    if words[k].folded not in _PARTICLES or k + 1 >= len(words):
        return False
    following = words[k + 1]
    if following.folded in _PARTICLES and k + 2 < len(words):
        return _is_particle(words, i, k + 1)
    joined = following.gap in (" ", "\u00a0") and words[k].gap in (" ", "\u00a0", ", ", " (")
    small = not words[i].capital and k - i > 1 and len(following.text) > 3
    if not joined or following.known or not (following.capital or small):
        return False
    if (
        (words[k].folded in _FOREIGN or words[k].folded in _MARRIED)
        and words[k].gap in (" ", ", ")
        and following.capital
    ):
        return True
    return not is_acronym(following) and not is_ordinary(following.folded)
