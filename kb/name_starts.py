"""Where the name of a person begins in French text, by rules: civilities, cues, first names, shape.

Hides from ``kb.person_names`` how a family name is told from a commune, a body, a school named after somebody
or an ordinary word. The rules are asked in order, the surest first; what only the shape of a word says (a
capital inside a sentence that no dictionary explains) is never sure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TypeAlias

from kb.name_cues import ELISIONS, ENDS, acts, cue_of, is_given
from kb.name_ends import end_of_name, is_acronym
from kb.name_lexicon import (
    ABBREVIATED,
    ACTS,
    ARTICLES,
    CIVILITIES,
    GIVING,
    GREETINGS,
    LEAD,
    NAMED_AFTER,
    OF_SOMEBODY,
    ONLY_BEFORE_CAPITALS,
    ROLES,
    SHORT_FIRST,
    STOP,
    THINGS,
)
from kb.name_words import Word, is_family_name, is_figure, is_first_name, is_named_after, is_ordinary

__all__ = ["bracketed", "may_stand_alone", "start_of_name"]

Run: TypeAlias = tuple[int, int, int, bool]
"""First word, word after the last, first word of the name (without civility), certainty."""

_NO_FAMILY = STOP | ROLES | NAMED_AFTER | THINGS
_WHERE = frozenset(("au", "aux", "en", "dans", "sur", "vers", "sous", "via", "avenue"))
_INSIDE = re.compile(
    r"[ \u00a0](?:[dlnmsj]['’]|[(«“\"][ \u00a0]?)?|,[ \u00a0]|[ \u00a0]?/[ \u00a0]?|[dlnmsj]['’]", re.I
)
_BRAND = re.compile(r"[a-zà-ÿ][A-ZÀ-Þ]|\d")
_BORN_SO = re.compile(r"(?:Mc|Mac|De|Le|La|Du|O['’]|Des|Van|El|Di|Da)(?=[A-ZÀ-Þ])")
_GLUED = re.compile(r"(?:Mme|Mlle|Melle|Mr|Dr)\.?(?=[A-ZÀ-Þ][a-zà-ÿA-ZÀ-Þ]{2})")


def start_of_name(words: Sequence[Word], i: int, closings: set[int], small: Collection[str]) -> Run | None:
    """The name that begins at word ``i``, None where none does.

    ``closings``: offsets right after « Cordialement, »; ``small``: folded words that the text has without a
    capital.
    """
    word = words[i]
    if word.folded.rstrip(".") in CIVILITIES and (run := _after_civility(words, i)):
        return run
    if word.known or word.folded in STOP:
        return _of_known(words, i)
    if (cued := cue_of(words, i, closings)) and not is_named_after(words, i):
        return i, end_of_name(words, i), i, cued > 1
    if _GLUED.match(word.text):
        return i, end_of_name(words, i, civil=True), i, True
    if word.initial or (word.folded.rstrip(".") in SHORT_FIRST and word.capital):
        return _after_initial(words, i) or (None if word.initial else _by_first_name(words, i))
    run = _by_first_name(words, i) or _by_capitals(words, i)
    return run or _by_shape(words, i, small) or _by_list(words, i) or _by_verb(words, i)


def _of_known(words: Sequence[Word], i: int) -> Run | None:
    """A family name that is a place as well, before a first name: « SAINT-LOUIS Jean »."""
    word = words[i]
    if i + 1 >= len(words) or not word.known or len(word.text) < 4 or words[i + 1].gap != " ":
        return None
    following = words[i + 1]
    small = word.caseless and "-" in word.text and _begins(word) and is_first_name(following.folded)
    shouted = word.shouted or word.caseless
    if small or (shouted and following.capital and is_first_name(following.folded, seldom=True)):
        return i, end_of_name(words, i + 1), i, False
    return None


def _after_civility(words: Sequence[Word], i: int) -> Run | None:
    civility = words[i].folded.rstrip(".")
    if i + 1 >= len(words) or (civility in ("m", "me") and not _is_abbreviation(words, i)):
        return None
    k = i + 1
    while k + 1 < len(words) and words[k].folded in CIVILITIES and words[k].gap.strip(" .\u00a0") == "":
        k += 1
    word = words[k]
    if not re.fullmatch(
        r"\.?[ \u00a0\n]{0,2}(?:(?:de|du|des|de la|le|la)[ \u00a0]|[dlnm]['’])?", word.gap, re.IGNORECASE
    ):
        return None
    if word.folded in ("de", "du", "des", "le", "la") and k + 1 < len(words):
        following = words[k + 1]
        small = civility in ABBREVIATED and not is_ordinary(following.folded)
        k += following.capital or small
    if (is_named_after(words, i) and civility not in ABBREVIATED) or not _is_surname(words, k, civility):
        return None
    return i, end_of_name(words, k, civil=True), k, True


def _is_abbreviation(words: Sequence[Word], i: int) -> bool:
    """« M. » and « m. », not « 10 m » nor « je me »."""
    word, following = words[i], words[i + 1]
    if word.folded == "m" and word.caseless and _begins(word) and is_family_name(following.folded):
        return not is_ordinary(following.folded)
    if word.folded == "me":
        return word.text == "Me" and following.capital
    after_number = bool(re.search(r"\d\s*$", word.gap))
    dotted = following.gap.startswith(".") or word.text.endswith(".")
    return not after_number and (dotted or (word.text == "M" and following.capital))


def _is_surname(words: Sequence[Word], k: int, civility: str) -> bool:
    word = words[k]
    if word.folded in STOP or word.folded in ROLES or (len(word.text) < 2 and not word.initial):
        return False
    if word.capital and word.folded not in GREETINGS:
        return True
    if civility in ONLY_BEFORE_CAPITALS:
        return False
    if civility in ABBREVIATED:
        return True
    return word.folded not in GREETINGS and not re.search(r"(?:ez|rai[st])$", word.folded)


def _after_initial(words: Sequence[Word], i: int) -> Run | None:
    if i + 1 >= len(words):
        return None
    word = words[i + 1]
    line_start = "\n" in words[i].gap or i == 0
    fits = word.capital and len(word.text) > 2 and word.folded not in STOP and not word.known
    if len(words[i].text) == 1 or not re.fullmatch(r"\.?[ \u00a0-]{0,2}", word.gap) or not fits:
        return None
    numbered = line_start or (i > 0 and is_ordinary(words[i - 1].folded) and words[i - 1].capital)
    if numbered and is_ordinary(word.folded) and not is_first_name(word.folded):
        return None  # « A. Contexte », « Situation B. Deux frères »
    return i, end_of_name(words, i + 1), i, True


def _by_first_name(words: Sequence[Word], i: int) -> Run | None:
    """« Jean Dupont », « DUPONT Jean », « Jean », « jean dupont »."""
    first = i
    if not _is_named_so(words[i]):
        following = words[i + 1] if i + 1 < len(words) else None
        if following is None or not _precedes_first_name(words, i, following):
            return None
        first = i + 1
    if is_named_after(words, i) or is_figure(words, first):
        return None
    end = end_of_name(words, first)
    word = words[first]
    if first > i or end > i + 1:
        return i, end, i, word.capital and is_first_name(word.folded)
    return (i, end, i, False) if _stands_alone(words, i) else None


def _is_named_so(word: Word) -> bool:
    """Whether a word is a first name as it is written: the rare ones need their capital."""
    return is_first_name(word.folded, seldom=word.capital and not word.shouted)


def _stands_alone(words: Sequence[Word], i: int) -> bool:
    """Whether a first name with nothing after it is somebody."""
    word = words[i]
    if _in_phrase(words, i) or not is_first_name(word.folded):
        return False
    if is_ordinary(word.folded):
        compound = "-" in word.text and word.capital
        return compound or (word.capital and i > 0 and not set(word.gap) & ENDS and not word.shouted)
    if word.shouted:
        return len(word.text) > 4
    return word.capital or len(word.text) > 3


def _in_phrase(words: Sequence[Word], i: int) -> bool:
    """Whether a first name alone is part of a longer name of a thing: « le Saint-Louis »."""
    before = words[i - 1] if i else None
    return bool(before and (before.folded in ARTICLES or before.folded in THINGS or before.folded in _SAINTS))


_SAINTS = frozenset(("saint", "sainte", "st", "ste", "san", "santa", "sao"))


def _precedes_first_name(words: Sequence[Word], i: int, following: Word) -> bool:
    word = words[i]
    unknown = len(word.text) > 3 and not (is_ordinary(word.folded) or word.known or word.capital)
    if unknown and following.gap == " " and not following.capital:
        compound = "-" in following.text and is_first_name(following.folded, seldom=True)
        listed = is_family_name(word.folded) and is_first_name(following.folded)
        return compound or (listed and not is_ordinary(following.folded))  # « dupont jean-claude »
    named = _is_named_so(following) and following.capital and not following.known
    if not named or following.gap not in (" ", "\u00a0", ", "):
        return False
    if not word.capital or word.initial or word.known or word.folded in _NO_FAMILY:
        return False
    if following.gap == ", ":
        return word.shouted and len(word.text) > 3
    if is_ordinary(word.folded):
        inside = i > 0 and not set(word.gap) & ENDS and words[i - 1].folded not in ARTICLES
        return word.shouted or inside or bool(re.search(r":\s*$", word.gap))
    return not word.shouted or len(word.text) > 3


def _by_capitals(words: Sequence[Word], i: int) -> Run | None:
    """Two words or more with capitals, one of them at least in no dictionary, not after « quartier »."""
    word = words[i]
    if not word.capital or len(word.text) < 3 or word.folded in THINGS or word.folded in ROLES:
        return None
    if is_acronym(word) or is_named_after(words, i) or _is_brand(word) or not _is_free(words, i):
        return None
    end = end_of_name(words, i)
    if is_ordinary(word.folded):
        if word.folded in _NEVER_FIRST or re.search(r"(?:ez|ons)$", word.folded) or i + 1 == len(words):
            return None
        end = _end_after_ordinary(words, i)
    own = [w for w in words[i:end] if not is_ordinary(w.folded) and not w.initial]
    listed = all(_is_listed_name(w) for w in words[i:end])
    if (
        (end == i + 1 and len(own) < 2)
        or not (own or listed)
        or any(is_acronym(w) for w in words[i + 1 : end])
    ):
        return None
    return i, end, i, False


def _end_after_ordinary(words: Sequence[Word], i: int) -> int:
    """« Solitude Pancrate »: the first is a word, the next is none; « Crépin Fontaine »: both are names."""
    word, following = words[i], words[i + 1]
    if following.gap not in (" ", "\u00a0") or not following.capital or following.known or following.initial:
        return i + 1
    if not is_ordinary(following.folded):
        fits = _is_inside(words, i) or _is_listed_name(following)
        return end_of_name(words, i + 1) if fits else i + 1
    both = is_family_name(word.folded, often=True) and is_family_name(following.folded, often=True)
    said = _is_inside(words, i) or acts(words, i + 2)
    return i + 2 if both and said and following.folded not in _NEVER_FIRST else i + 1


_NEVER_FIRST = NAMED_AFTER | THINGS | ROLES | LEAD | GIVING | ACTS | GREETINGS


def _is_listed_name(word: Word) -> bool:
    return word.initial or is_family_name(word.folded) or is_first_name(word.folded, seldom=True)


def _is_free(words: Sequence[Word], i: int) -> bool:
    """Whether what stands before a capital leaves it to be a person: not « le », « au », « association »."""
    if i == 0 or set(words[i].gap) & ENDS:
        return True
    before = words[i - 1].folded
    if before in ARTICLES or before in _WHERE or before in THINGS or re.search(r"\bl['’]$", words[i].gap):
        return False
    if before == "a":
        return is_given(words, i) or _is_listed_name(words[i])
    if before != "de" or _is_listed_name(words[i]):
        return True
    return i > 1 and words[i - 2].folded in OF_SOMEBODY


def _is_inside(words: Sequence[Word], i: int) -> bool:
    """Whether a word stands inside a sentence, where a capital says something."""
    return i > 0 and bool(_INSIDE.fullmatch(words[i].gap))


def _is_brand(word: Word) -> bool:
    return bool(_BRAND.search(_BORN_SO.sub("", word.text)))


def may_stand_alone(words: Sequence[Word], i: int, listed: bool = False) -> bool:
    """Whether one word that a model takes for a person may be one; ``listed``: beside another person."""
    word = words[i]
    if not (word.capital or listed) or is_ordinary(word.folded) or not _is_free(words, i):
        return False
    return listed or _is_inside(words, i) or _is_listed_name(word)


def bracketed(words: Sequence[Word]) -> set[str]:
    """Folded words that stand alone in brackets and are no usual names: « ... alternance (Dila) »."""
    found = set()
    for word, following in pairwise(words):
        alone = word.gap.endswith("(") and following.gap.startswith(")")
        if alone and not is_first_name(word.folded) and not is_family_name(word.folded, True):
            found.add(word.folded)
    return found


def _by_shape(words: Sequence[Word], i: int, small: Collection[str]) -> Run | None:
    """One word with a capital that nothing explains: « voir avec Zobda », « Zobda a rappelé »."""
    word = words[i]
    listed = _is_listed_name(word)
    if not word.capital or len(word.text) < 3 or word.folded in small:
        return None
    if is_ordinary(word.folded) and not (listed and _is_spoken_of(words, i)):
        return None
    if is_acronym(word) or (word.shouted and not listed) or _is_brand(word) or word.folded in ROLES:
        return None
    if is_named_after(words, i) or not _is_free(words, i):
        return None
    if _is_inside(words, i) or (listed and acts(words, i + 1)):
        return i, end_of_name(words, i), i, False
    return None


def _is_spoken_of(words: Sequence[Word], i: int) -> bool:
    """Whether what stands before an ordinary word with a capital is rather before somebody."""
    if not _is_inside(words, i) or words[i].folded in _NEVER_FIRST:
        return False
    before = words[i - 1].folded
    alone = i + 1 == len(words) or not words[i + 1].capital
    return alone and (before in ("avec", "que", "et", "ou", "pour") or before in LEAD or before in GIVING)


def _by_list(words: Sequence[Word], i: int) -> Run | None:
    """A name of the lists in a line whose capitals tell nothing: « dossier ferjule »."""
    word = words[i]
    if not word.caseless or not _is_free(words, i):
        return None
    k = i + (
        i + 1 < len(words) and bool(_INITIALS.fullmatch(word.folded)) and words[i + 1].gap in (" ", ". ")
    )
    name = words[k]
    if is_ordinary(name.folded) or len(name.text) < 4 or name.known or name.folded in _NO_FAMILY:
        return None
    had = i > 1 and words[i - 1].folded == "de" and words[i - 2].folded in OF_SOMEBODY
    if (k > i and len(word.folded) > 1 and is_ordinary(word.folded)) or not (_is_listed_name(name) or had):
        return None
    return None if is_named_after(words, i) else (i, end_of_name(words, k), i, False)


_INITIALS = re.compile(r"[a-z]\.|[jmacp]-?[a-z]\.?")


def _begins(word: Word) -> bool:
    return word.start == 0 or "\n" in word.gap


def _by_verb(words: Sequence[Word], i: int) -> Run | None:
    """« gwendo dit que c'est prêt »: typed without capitals, at the beginning."""
    word = words[i]
    begins = i == 0 or bool(set(word.gap) & set(".!?\n"))
    if word.capital or not begins or len(word.text) < 4 or is_ordinary(word.folded):
        return None
    if i + 1 >= len(words):
        return None
    following = words[i + 1]
    cut = word.caseless and following.gap.strip("\u00a0 ") in (",", ":")
    acts = following.folded in ACTS and following.gap.strip("\u00a0 ").lower() in ELISIONS
    return (i, i + 1, i, False) if cut or acts else None
