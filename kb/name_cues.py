"""What announces a person in French text: « s'appelle », « vu avec », « Rapporteur : », a verb that follows.

Hides from ``kb.name_starts`` how far a cue can be trusted: « à » tells to whom after a verb of giving only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.name_ends import is_acronym
from kb.name_lexicon import (
    ACTS,
    ANNOUNCE,
    CALLING,
    CIVILITIES,
    GIVING,
    GREETINGS,
    HEADED,
    LEAD,
    NAMED_AFTER,
    RELATIONS,
    ROLES,
    THINGS,
)
from kb.name_words import Word, is_family_name, is_first_name, is_ordinary

__all__ = ["ELISIONS", "ENDS", "acts", "cue_of", "is_given"]

_COLON = re.compile(r"\s*[:=]\s*|\s+est\s+|\s+")
ENDS = frozenset(".!?…\n:;•–")
ELISIONS = ("", "m'", "m’", "s'", "s’", "l'", "l’", "n'", "n’")
_ADJECTIVAL = re.compile(r"(?:antes?|ees?|ives?|aux|ales?|euses?)$")
_NEAR = 7  # words back in which « envoyer ... à Théolade » is looked for


def cue_of(words: Sequence[Word], i: int, closings: set[int]) -> int:
    """How strongly what stands before announces a name, 0 to 2."""
    word = words[i]
    plausible = not is_ordinary(word.folded) or is_first_name(word.folded)
    if word.start in closings and plausible and not is_acronym(word) and word.folded not in ROLES:
        return 2
    if i == 0:
        return 0
    before, gap = words[i - 1].folded, word.gap
    if before in ANNOUNCE and _COLON.fullmatch(gap) and not is_acronym(word):
        return 2 if plausible or (word.capital and ":" in gap) else 0
    earlier = words[i - 2].folded if i > 1 else ""
    if before == "est" and earlier in ("nom", "prenom", "famille") and gap == " " and plausible:
        return 2
    if is_acronym(word) or word.initial:
        return 0
    if before in GREETINGS and re.fullmatch(r",?[ \u00a0]", gap):
        named = word.capital and word.folded not in ROLES and word.folded not in CIVILITIES
        return 2 if plausible else int(named)
    return int(_follows_role(words, i, plausible) or _follows_lead(words, i, plausible))


def _follows_role(words: Sequence[Word], i: int, plausible: bool) -> bool:
    """« le gardien, Zami », « sa cousine nerline », « Rapporteur : Zami »."""
    word, before = words[i], words[i - 1].folded
    single = before if before in ROLES or before in RELATIONS or before in HEADED else before.rstrip("sx")
    plausible = plausible or _is_kin_named(words, i) or (word.capital and before in _HOUSES)
    if word.folded in ROLES or word.folded in THINGS or not plausible:
        return False
    if single in HEADED:
        return (word.capital or word.caseless) and bool(re.fullmatch(r"\s?[:–-]\s*", word.gap))
    if single not in RELATIONS and single not in ROLES:
        return False
    if not re.fullmatch(r",?[ \u00a0]|[ \u00a0]?[:(–-]\s?", word.gap):
        return False
    listed = is_first_name(word.folded) or is_family_name(word.folded)
    return word.capital or listed or (single in RELATIONS and not _ADJECTIVAL.search(word.folded))


def _is_kin_named(words: Sequence[Word], i: int) -> bool:
    """« ma tante philo dit »: an ordinary word between somebody of the family and what she does."""
    word = words[i]
    if words[i - 1].folded not in RELATIONS or i < 2 or words[i - 2].folded not in _POSSESSIVES:
        return False
    described = re.search(r"(?:ant|e|s|if|eur)$", word.folded)
    return not described and word.folded not in ACTS and acts(words, i + 1)


_HOUSES = frozenset(("famille", "consorts", "heritiers", "epoux"))
_POSSESSIVES = frozenset(("mon", "ma", "mes", "son", "sa", "ses", "notre", "votre", "leur"))


def _follows_lead(words: Sequence[Word], i: int, plausible: bool) -> bool:
    """« rencontré Zami », « de la part de zami », « l'avis de M. » being left to others."""
    word, before = words[i], words[i - 1].folded
    if before not in LEAD or not re.fullmatch(r"[ \u00a0]|\s?[:]\s?|[ \u00a0](?:[àa] |d['’])", word.gap):
        return False
    if word.folded in THINGS or word.folded in NAMED_AFTER or word.folded in ROLES:
        return False
    listed = is_family_name(word.folded) or is_first_name(word.folded)
    if not word.capital:
        fits = plausible and len(word.text) > 3 and _leads(words, i)
        return fits and (listed or (word.caseless and before in CALLING))
    return (plausible or is_family_name(word.folded, often=True)) and _leads(words, i)


def _leads(words: Sequence[Word], i: int) -> bool:
    """Whether « de », « avec »... before a capital is part of what announces a person."""
    weak = {"de", "a", "et", "que", "qui", "pour", "par", "comme", "est", "copie", "merci", "ici", "part"}
    before = words[i - 1].folded
    if before == "a":
        return is_given(words, i)
    if before not in weak:
        return True
    earlier = words[i - 2].folded if i > 1 else ""
    if before == "de":
        return earlier in ("part", "nom", "aupres")
    named = before == "est" and earlier in ("nom", "prenom", "c", "ce")
    return named or bool(before == "est" and re.search(r"\bc['’]$", words[i - 1].gap, re.IGNORECASE))


def is_given(words: Sequence[Word], i: int) -> bool:
    """Whether « à » before a word tells to whom, not where: « envoyer le dossier à Théolade »."""
    for k in range(i - 1, max(-1, i - _NEAR), -1):
        if words[k].folded in GIVING:
            return True
        if set(words[k].gap) & ENDS:
            return False
    return False


def acts(words: Sequence[Word], k: int) -> bool:
    """Whether a person's verb or a speaker's colon comes next."""
    if k >= len(words):
        return False
    gap, folded = words[k].gap, words[k].folded
    if gap.lstrip(". \u00a0").startswith((":", "–")):
        return True
    person = folded in ACTS or (folded in ("a", "est", "avait", "me", "nous", "vous", "sera"))
    return person and gap.strip("\u00a0 ").lower() in ELISIONS
