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

ANALYSIS = "fr-4"
"""Version of the chain. An index built with another one answers wrongly and must be rebuilt."""

_APOSTROPHES = "'’‘ʼ´`′＇"
_FOLDED = str.maketrans(
    {chr(c): unicodedata.normalize("NFKD", chr(c))[0] for c in range(0xC0, 0x250) if chr(c).islower()}
    | {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
    | dict.fromkeys(_APOSTROPHES, "'")
)
_QUOTE = f"[{_APOSTROPHES}]"
_REST = r"[\w\u0300-\u036f\u00ad\u200b-\u200d]*"  # combining accents and invisible hyphens are inside words
_TOKEN = re.compile(
    # An elided word goes with the next one; what is left is the token.
    rf"(?:(?<!\w)(?:[cçdjlmnst]|(?:jus|lors|puis|quoi)?qu){_QUOTE}(?=\w))?"
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
    folded = text.lower().translate(_FOLDED)
    if folded.isascii():
        return folded
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))


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


def known(word: str) -> bool:
    """Whether ``word`` is a form of an ordinary French word, accents aside: "face" is, "cucs" is not."""
    folded = fold(word)
    return folded in _STOP_WORDS or folded in _lemmas()


def exact(text: str) -> list[str]:
    """What an exact field (cotes, identifiers; one a line) holds: the pieces of each line, then the line
    squeezed, so that "AME 12" is found by "ame 12", "AME-12" and "ame12"."""
    found = []
    for line in text.splitlines():
        cut = pieces(line)
        found += [*cut, "".join(cut)] if len(cut) > 1 else cut
    return found


def single_spaced(text: str) -> str:
    """``text`` on one line, runs of blanks made one; a no-break space alone stays what it is."""
    return _BLANKS.sub(lambda run: run[0] if run[0] in _NO_BREAK else " ", text).strip()


_BLANKS = re.compile(r"\s+")
_NO_BREAK = ("\u00a0", "\u202f")


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
    lemma = _lemmas().get(folded) or _singular(folded)
    family = _family(_IRREGULAR.get(lemma, lemma))
    family = _IRREGULAR.get(family, family)
    # A verb in -er and its noun or participle are one: aide and aider, délégué and déléguer.
    return family[:-1] if family.endswith("er") and len(family) > 4 else family


def _singular(word: str) -> str:
    """Plural endings off, for words that the table does not know."""
    if len(word) > 4 and word[-1] in "sx" and word[-2] not in "0123456789suix":
        return word[:-1]
    return word


_IRREGULAR = {
    "nouvelle": "nouveau",
    "blanche": "blanc",
    "veuve": "veuf",
    "bau": "bail",
    "deputee": "depute",
    "actrice": "acteur",
    "gratuite": "gratuit",
}
"""Lemmas that the table leaves apart from the one they are forms of."""

_FAMILIES: tuple[tuple[str, str], ...] = tuple(
    (ending, to)
    for line in (
        "isation iser|ification ifier|ation er|ition ir|issement ir|ement er|ateur er|iption ire|uction uire",
        "ution uer|age er|ssion ttre|tion ter|sion ser|ance er|ence er",
        "abilite able|ibilite ible|arite aire|osite eux|ivite if|alite al|alite el|ite e|ite",
        "amment ant|emment ent|ement e|ement|ement eux|euse eur|trice teur|elle el|ive if",
    )
    for ending, _, to in (rule.partition(" ") for rule in line.split("|"))
)
"""Endings of nouns and adverbs, and what the verb or adjective of their family ends with: évaluation and
évaluer, gratuité, gratuitement and gratuit. A rule holds where it leads to a lemma of the table."""

_NO_FAMILY = frozenset(
    """appartement cause departement egalement etage formalite formation garement modalite nation parlement
    position publicite ration station tribunal universite vetement""".split()  # noqa: SIM905
)
"""What the rules would lead astray (appartement is no family of appart), found on the terms of real funds."""


def _family(lemma: str) -> str:
    if lemma in _NO_FAMILY:
        return lemma
    known = _known_lemmas()
    for ending, to in _FAMILIES:
        if lemma.endswith(ending) and len(lemma) >= len(ending) + 3:
            root = lemma.removesuffix(ending) + to
            if len(root) >= 4 and root != lemma and root in known:
                return root
    return lemma


@functools.cache
def _known_lemmas() -> frozenset[str]:
    return frozenset(_lemmas().values())


@functools.cache
def _lemmas() -> dict[str, str]:
    """Folded form -> folded lemma. Where forms that differ by accents only have several lemmas, the form
    itself wins if it is one of them, else the lemma met first."""
    words = DefaultDictionaryFactory().get_dictionary("fr")
    forms, lemmas = (
        fold("\n".join(side)).split("\n") for side in (words.keys(), words.values())
    )  # at once: fast
    table: dict[str, str] = {}
    for form, lemma in zip(forms, lemmas, strict=True):
        if form.isalnum() and lemma.isalnum() and (form not in table or form == lemma):
            table[form] = lemma
    return table
