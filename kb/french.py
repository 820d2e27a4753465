"""French words to terms: one analysis for engines, snippets, tagging, suggestions and label look-up.

Hides how French is cut into words and how the forms of a word are joined, from everybody: two texts
mean the same word exactly when this module gives the same term. ``ecole``, ``École``, ``l’école``,
``écoles`` and ``ECOLES`` are one term; so are ``C.U.C.S.`` and ``CUCS``. How the conflation was chosen
is told in ``kb/decisions/0002-french-analysis.md``.

The chain: apostrophes made one, elision dropped, hyphens split, dotted acronyms and digits in groups of
three joined, accents and ligatures folded, stop words emptied, then a lemma table keyed by the folded form
(so that words typed without accents still meet) and, for words that it does not know, light rules.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import NamedTuple

from simplemma.strategies.dictionaries import DefaultDictionaryFactory

ANALYSIS = "fr-1"
"""Version of the chain. An index built with another one answers wrongly and must be rebuilt."""

_APOSTROPHES = "'’‘ʼ´`′＇"
_LIGATURES = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
    | dict.fromkeys(_APOSTROPHES, "'")
)
_QUOTE = f"[{_APOSTROPHES}]"
_REST = r"[\w\u0300-\u036f\u00ad\u200b-\u200d]*"  # combining accents and invisible hyphens are inside words
_TOKEN = re.compile(
    # An elided word goes with the next one; what is left is the token.
    rf"(?:(?<!\w)(?:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu){_QUOTE}(?=\w))?"
    rf"((?:aujourd{_QUOTE}hui|prud{_QUOTE}hom\w*|presqu{_QUOTE}[îi]les?|quelqu{_QUOTE}une?)(?!\w)"
    r"|[^\W\d](?:\.[^\W\d])+(?!\w)"
    r"|\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\w)"
    rf"|\w{_REST})",
    re.IGNORECASE,
)
_PIECE = re.compile(r"[^\W_]+")
_STOP_TEXT = """
le la les l un une des du de d au aux a en y et ou ni mais donc or car que qui quoi dont qu
ce cet cette ces c ca cela ceci se s sa son ses leur leurs mon ma mes m ton ta tes t notre nos votre vos
je j tu il elle on nous vous ils elles lui eux me te
dans par pour sur avec sans sous vers chez entre
est sont etre ai as avons avez ont avait avaient etait etaient ne n pas plus
"""
_STOP_WORDS = frozenset(_STOP_TEXT.split())
_DICTIONARY_LIMIT = 500_000  # surface forms kept; a fund of 100,000 pages has some 300,000


def fold(text: str) -> str:
    """``text`` in lower case, NFC, with one apostrophe, accents and ligatures folded away."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered.replace("`", "'")
    plain = unicodedata.normalize("NFKD", lowered.translate(_LIGATURES))
    return "".join(c for c in plain if not unicodedata.combining(c))


class Token(NamedTuple):
    """A word where it stands. ``form``: lower case, NFC, elision dropped, accents kept; ``term``: "" for a
    stop word; ``start`` and ``end`` count characters in the text given, elision left out."""

    form: str
    term: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The words of ``text`` in order, stop words included; as many as ``terms`` gives."""
    found = _TOKEN.finditer(text.replace("_", " "))
    return [Token(_form(m[1]), _TERMS[m[1]], m.start(1), m.end(1)) for m in found]


def terms(text: str) -> list[str]:
    """The term of each word of ``text``, "" for a stop word, so that index in the list is position."""
    known = _TERMS
    return [known[word] for word in _TOKEN.findall(text.replace("_", " "))]


def term(word: str) -> str:
    """The term of one word, the first if there are several; "" if there is none or it is a stop word."""
    match = _TOKEN.search(word.replace("_", " "))
    return _TERMS[match[1]] if match else ""


def exact(text: str) -> list[str]:
    """What an exact field (cotes, identifiers; one a line) holds: the pieces of each line, then the line
    squeezed, so that "AME 12" is found by "ame 12", "AME-12" and "ame12"."""
    found = []
    for line in text.splitlines():
        cut = pieces(line)
        found += [*cut, "".join(cut)] if len(cut) > 1 else cut
    return found


def pieces(text: str) -> list[str]:
    """The folded alphanumeric pieces of ``text``: no elision, no stop words, no conflation."""
    return _PIECE.findall(fold(text))


def passages(text: str) -> list[str]:
    """``text`` cut into passages of about 2,000 characters, at a paragraph end if one is near, else at a
    line, sentence or word end. Nothing is lost but the white space at the cuts; no passage is empty."""
    found, start = [], 0
    while len(text) - start > _PASSAGE[1]:
        cut = _cut(text, start + _PASSAGE[0], start + _PASSAGE[1])
        found.append(text[start:cut].strip())
        start = cut
    return [passage for passage in (*found, text[start:].strip()) if passage]


_PASSAGE = (1_400, 2_600)  # characters: a printed page holds about 2,000, so that passages weigh like pages
_ENDS = tuple(re.compile(end) for end in (r"\n\s*\n", r"\n", r"[.!?…][»”\")]*\s", r"\s"))


def _cut(text: str, low: int, high: int) -> int:
    middle = (low + high) // 2
    for end in _ENDS:
        if cuts := [match.end() for match in end.finditer(text, low, high)]:
            return min(cuts, key=lambda cut: abs(cut - middle))
    return middle


def _form(word: str) -> str:
    return unicodedata.normalize("NFC", word.lower())


class _Terms(dict[str, str]):
    """Surface form -> term, worked out at the first meeting."""

    def __missing__(self, word: str) -> str:
        if len(self) >= _DICTIONARY_LIMIT:
            self.clear()
        found = self[word] = _conflate("".join(c for c in fold(word) if c.isalnum()))
        return found


_TERMS = _Terms()


def _conflate(folded: str) -> str:
    if folded in _STOP_WORDS:
        return ""
    return _lemmas().get(folded) or _light(folded)


def _light(word: str) -> str:
    """Plural endings off, for words that no table knows."""
    if len(word) > 4 and word.endswith(("s", "x")) and not word[-2].isdigit() and word[-2] not in "sux":
        return word[:-1]
    return word


@functools.cache
def _lemmas() -> dict[str, str]:
    """Folded form -> folded lemma. Where forms that differ by accents only have several lemmas, the form
    itself wins if it is one of them, else the lemma met first."""
    table: dict[str, str] = {}
    for surface, lemma in DefaultDictionaryFactory().get_dictionary("fr").items():
        form, target = fold(surface), fold(lemma)
        if form.isalnum() and target.isalnum() and (form not in table or form == target):
            table[form] = target
    return table
