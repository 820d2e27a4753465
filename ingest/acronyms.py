"""Acronyms and what a text says they stand for.

Hides how a long form is recognised around an acronym, in either order ("Contrat urbain de cohésion
sociale (CUCS)", "CUCS (contrat ...)", "CUCS : contrat ..."), from the tagger and from the glossary. It knows
no list: any acronym counts whose letters are found in order at the beginnings of the words beside it.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from kb import french
from kb.thesaurus import Concept, Thesaurus

_ACRONYM = r"(?:[^\W\d_a-zà-öø-ÿœ]\.?){2,10}(?!\w)|[^\W\d_a-zà-öø-ÿœ][^\W_]{1,7}(?!\w)"
_BEFORE = re.compile(
    rf"(?:[\(\[]\s*[«\"“]?|,?\s(?:ou|dite?s?)\s)\s*(?P<acronym>{_ACRONYM})\s*[»\"”]?\s*[\)\],.]"
)
_AFTER = re.compile(
    rf"(?<!\w)(?P<acronym>{_ACRONYM})\s*(?:[\(\[]|[:=–—]\s|\s-\s|,?\s(?:ou|soit|signifie)\s)\s*(?P<long>[^\(\)\[\]\n:;.]{{6,140}})"
)
_SENTENCE_END = re.compile(r"[.!?;:•]\s|\n\s*\n|[()\[\]]")
_WINDOW = (
    160  # characters before a bracket that may hold the long form: the longest of 5,550 official ones has 150
)


@dataclass(frozen=True, slots=True)
class Expansion:
    """An acronym that the text explains. ``start`` and ``end`` (characters) hold the long form."""

    acronym: str
    words: str
    start: int
    end: int


def expansions(text: str) -> list[Expansion]:
    """Acronyms explained in ``text``, in order of place; an acronym may come several times."""
    found = {}
    for match in _BEFORE.finditer(text):
        if expansion := _long_before(text, match):
            found[expansion.start, expansion.acronym] = expansion
    for match in _AFTER.finditer(text):
        if expansion := _long_after(match):
            found.setdefault((expansion.start, expansion.acronym), expansion)
    return [found[key] for key in sorted(found)]


def letters(acronym: str) -> str:
    """An acronym without dots, hyphens and blanks, folded: "cucs" for "C.U.C.S."."""
    return "".join(c for c in french.fold(acronym) if c.isalnum())


def explains(acronym: str, words: str) -> bool:
    """Whether ``words``, as a whole, may be what the letters of ``acronym`` stand for.

    The first content word gives the first letter; each further letter begins a word, or follows
    the letter before it inside one; of the content words at most a third gives none.
    """
    return _explains(letters(acronym), [french.fold(t.form) for t in french.tokens(words)])


def _explains(short: str, words: Sequence[str], most: int = 4) -> bool:
    words = [piece for word in words if (piece := "".join(c for c in word if c.isalnum()))]
    contents = [word for word in words if french.term(word)]
    if len(short) < 2 or not contents or words[0][0] != short[0] or len(contents) > 2 * len(short):
        return False
    if "".join(words) == short:
        return False
    allowed = len(contents) // 3
    return _walk(short, words, 0, 0, allowed, most)


def _walk(short: str, words: Sequence[str], i: int, j: int, allowed: int, most: int) -> bool:
    """Whether ``short[i:]`` is made of beginnings of ``words[j:]``, at most ``most`` letters of each,
    ``allowed`` content words left out."""
    if i == len(short) and j == len(words):
        return True
    if j == len(words):
        return False
    word, rest = words[j], short[i:]
    small = not french.term(word)
    for taken in range(min(len(word), len(rest), most), 0, -1):
        # More than one letter of a word is rare (ACSé, REAAP, Pacs) but official.
        if word[:taken] == rest[:taken] and _walk(short, words, i + taken, j + 1, allowed, most):
            return True
    if small:
        return _walk(short, words, i, j + 1, allowed, most)
    return i > 0 and allowed > 0 and _walk(short, words, i, j + 1, allowed - 1, most)


def _long_before(text: str, match: re.Match[str]) -> Expansion | None:
    low = max(0, match.start() - _WINDOW)
    for stop in _SENTENCE_END.finditer(text, low, match.start()):
        low = stop.end()
    short = letters(match["acronym"])
    window = french.tokens(text[low : match.start()])
    forms = [french.fold(token.form) for token in window]
    # The shortest run of words that explains every letter, as Schwartz and Hearst (2003) do; but a word
    # a letter first, or "pluriannuel pour l'insertion et l'emploi" would explain PLIE without its "plan".
    for most in (1, 4):
        for first in range(len(window) - 1, -1, -1):
            if window[first].term and _explains(short, forms[first:], most):
                start, end = low + window[first].start, low + window[-1].end
                return Expansion(match["acronym"], text[start:end], start, end)
    return None


def _long_after(match: re.Match[str]) -> Expansion | None:
    short = letters(match["acronym"])
    window = french.tokens(match["long"])
    forms = [french.fold(token.form) for token in window]
    first = next((i for i, token in enumerate(window) if token.term), None)
    if first is None:
        return None
    # The longest run: what follows an acronym's long form is usually a bracket or a stop.
    for last in range(len(window), first, -1):
        if window[last - 1].term and _explains(short, forms[first:last]):
            start = match.start("long") + window[first].start
            end = match.start("long") + window[last - 1].end
            return Expansion(match["acronym"], match.string[start:end], start, end)
    return None


_ALIKE = 85  # rapidfuzz ratio from which a long form is a concept's label: one letter in seven may differ
_PROOF = 1.0  # weight of evidence from which a sense is taken; one clear cue word near is enough
_SENTENCES = 3  # read by the model for one acronym of a document: it must stay rare
_LEAD = 1.5  # how many times the next best sense it must weigh


@dataclass(frozen=True, slots=True)
class Doubt:
    """One mention of an acronym of doubtful sense. ``near``: terms within a sentence or so; ``sentence``: the
    words around it, in which it begins at ``place`` (characters)."""

    near: frozenset[str]
    sentence: str
    place: int


@dataclass(frozen=True, slots=True)
class Document:
    """What the document says elsewhere: its terms, URIs of concepts surely ``present``, and the long forms
    by which it has ``explained`` the acronym."""

    terms: Set[str]
    present: Set[str]
    explained: tuple[str, ...] = ()


class Senses:
    """Decides which concept an ambiguous acronym means, or that nobody can tell.

    The neighbours decide; a mention whose neighbours are silent has the sense that others in the
    document have (one sense per discourse: Gale, Church and Yarowsky 1992). Where all are silent, the
    gender of the determiner decides ("le CA" is a conseil, "la CA" a communauté), read by spaCy's French
    model from a few of these sentences only.
    """

    def __init__(self, thesaurus: Thesaurus) -> None:
        self._thesaurus = thesaurus
        self._genders: dict[str, str | None] = {}
        self.sentences_parsed = 0

    def decide(
        self, candidates: Sequence[Concept], doubts: Sequence[Doubt], document: Document
    ) -> list[Concept | None]:
        """For each mention of one acronym the concept meant, None if undecided or none of them. What the
        document explains holds for all its mentions."""
        if document.explained:
            return [self._explained(candidates, document.explained)] * len(doubts)
        senses = [self._by_neighbours(candidates, doubt, document) for doubt in doubts]
        found = Counter(concept for concept in senses if concept is not None)
        if found:
            (usual, count), *others = found.most_common(2)
            usual_sense = usual if not others or others[0][1] < count else None
        else:
            usual_sense = self._by_gender(candidates, doubts) if len(candidates) > 1 else None
        return [concept or usual_sense for concept in senses]

    def _by_neighbours(
        self, candidates: Sequence[Concept], doubt: Doubt, document: Document
    ) -> Concept | None:
        weights = [self._weight(c, candidates, doubt, document) for c in candidates]
        best, *others = sorted(weights, reverse=True)
        if best >= _PROOF and best >= _LEAD * (others[0] if others else 0.0):
            return candidates[weights.index(best)]
        return None

    def _explained(self, candidates: Sequence[Concept], long_forms: Sequence[str]) -> Concept | None:
        # "Caisse d'allocations familiales de la Martinique" is the Caisse d'allocations familiales.
        scored = [
            (max(scorer(_plain(form), label) for scorer in (fuzz.ratio, fuzz.token_set_ratio)), -index)
            for index, concept in enumerate(candidates)
            for label in map(_plain, concept.labels)
            for form in long_forms
            if " " in label
        ]
        score, index = max(scored, default=(0.0, 0))
        return candidates[-index] if score >= _ALIKE else None

    def _weight(
        self, concept: Concept, candidates: Sequence[Concept], doubt: Doubt, document: Document
    ) -> float:
        own = self._words(concept)
        telling = own.difference(*(self._words(c) for c in candidates if c is not concept))
        linked = {*concept.broader, *concept.narrower, *concept.related}
        linked.update(concept.preceded_by, concept.followed_by)
        return (
            1.0 * len(telling & doubt.near)
            + 0.3 * min(len(telling & document.terms), 3)
            + 0.5 * min(len(linked & document.present), 2)
            + 3.0 * (concept.uri in document.present)
        )

    def _words(self, concept: Concept) -> frozenset[str]:
        long_labels = (label for label in (concept.label, *concept.alt) if " " in label)
        return frozenset(t for text in (*concept.cues, *long_labels) for t in french.terms(text) if t)

    def _by_gender(self, candidates: Sequence[Concept], doubts: Sequence[Doubt]) -> Concept | None:
        heard = [self._gender(doubt.sentence, doubt.place) for doubt in doubts[:_SENTENCES]]
        said = {gender for gender in heard if gender is not None}
        if len(said) != 1:
            return None
        fitting = [c for c in candidates if self._label_gender(c) in {*said, None}]
        return fitting[0] if len(fitting) == 1 and self._label_gender(fitting[0]) else None

    def _label_gender(self, concept: Concept) -> str | None:
        if concept.uri not in self._genders:
            # "Notre" has no gender of its own and makes the model read a noun.
            words = _model()(f"Notre {concept.label[:1].lower()}{concept.label[1:]} change.")
            self._genders[concept.uri] = next(iter(words[1].morph.get("Gender")), None)
        return self._genders[concept.uri]

    def _gender(self, sentence: str, place: int) -> str | None:
        self.sentences_parsed += 1
        words = _model()(sentence)
        index = next((w.i for w in words if w.idx <= place < w.idx + len(w)), None)
        for i in range(index - 1, max(-1, index - 4), -1) if index else ():
            if words[i].pos_ == "DET" or words[i].lower_ in ("du", "au"):
                masculine = words[i].lower_ in ("du", "au")
                return "Masc" if masculine else next(iter(words[i].morph.get("Gender")), None)
            if words[i].pos_ not in ("ADJ", "NUM"):
                return None
        return None


@functools.cache
def _model() -> Any:
    """spaCy's French model, without what is not asked of it; loaded at the first doubt (5 s)."""
    import spacy

    return spacy.load("fr_core_news_sm", exclude=["parser", "ner", "lemmatizer", "attribute_ruler"])


def _plain(words: str) -> str:
    return " ".join(t for t in french.terms(words) if t)
