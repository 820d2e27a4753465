"""In which language a text is written.

Hides the words that tell languages apart: seven of Europe and Antillean Creole.
"""

from __future__ import annotations

import re

from kb.french import fold

_WORDS = re.compile(r"[^\W\d_]+")
_SAMPLE = 20_000  # characters that a language is told from

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
