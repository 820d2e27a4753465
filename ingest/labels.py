"""Where the labels of a vocabulary stand in a text.

Hides how inflections are joined (labels and texts are cut into the same terms and spaCy's PhraseMatcher runs
over these), how acronyms are told from words ("CLAS", not "clas"; "PRE", not "pré"), and how labels with
a slip of the pen are found. It says where words stand, not what they mean.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from rapidfuzz import fuzz, process

from kb import french
from kb.thesaurus import Concept

_UNKNOWN = "_"
_BREAK = re.compile(r"[;:!?•|()\[\]]|\.\s|\n\s*\n(?![a-zà-ÿœ])|,")
_ACRONYM = re.compile(r"[^\W\d_a-zà-öø-ÿœ][^\W_a-zà-öø-ÿœ]{1,9}")
# Words that count only with their capital: without "Or", the place « Fond d’Or » would be any « fond ».
_CAPITAL_STOP = re.compile(r"(?<=['’ -])(?:Or|Pas|Son|Plus|Tous)\b")
_NEAR = 91  # ratio of terms from which a phrase is a label written with a slip: one letter in eleven
_NEAR_TERMS = 3  # shorter labels have too many honest neighbours (« action sociale », « action locale »)
_KEYWORD_NEAR = 88  # a keyword is a label by intention: a little more may be wrong in it
_KEYWORD_LETTERS = 6
# What a mention by each kind of label is worth. An alternative label of one word for a longer preferred
# one ("jeunes" for "Politiques de jeunesse") points at the concept without naming it.
_PREFERRED, _ALTERNATIVE, _HIDDEN, _POINTER, _SLIP = 1.0, 0.9, 0.8, 0.3, 0.7
_FAMILY = 0.4  # a word of the same family only


class Label(NamedTuple):
    """One way of writing a concept. ``weight`` 0 to 1: how far a mention names it; ``size`` in terms."""

    uri: str
    text: str
    weight: float
    size: int
    acronym: bool


class Found(NamedTuple):
    """Labels of one spelling at one place: words ``first`` to ``last`` (both in), characters ``start`` to
    ``end``. ``nested``: inside a longer label, which is the one meant."""

    labels: tuple[Label, ...]
    first: int
    last: int
    start: int
    end: int
    nested: bool


class LabelIndex:
    """All labels of the concepts given, ready to be looked for."""

    def __init__(self, concepts: Iterable[Concept], *, pointers: bool = False) -> None:
        """``pointers``: short alternative labels may only point at their concept, as in the house's own
        vocabulary; elsewhere they are taken as true synonyms."""
        from spacy.matcher import PhraseMatcher
        from spacy.vocab import Vocab

        listed = list(concepts)
        self._pointers = pointers
        self._written: dict[tuple[str, str], tuple[Label, ...]] = {}
        self._acronyms = _acronyms(listed)
        traps = _acronyms([c for c in listed if c.trap]).values()
        self._strict = {*traps, *(a for a in self._acronyms.values() if french.known(a))}
        labels: dict[tuple[str, ...], dict[str, Label]] = defaultdict(dict)
        for concept in listed:
            for label in self._labels(concept):
                if words := tuple(self._words(label.text)):
                    labels[words].setdefault(label.uri, label._replace(size=len(words)))
        self._labels_of = {words: tuple(by_uri.values()) for words, by_uri in labels.items()}
        self._known = frozenset(word for words in labels for word in words)
        self._vocab = Vocab()  # spaCy's French tokeniser, which takes 5 s to load, has nothing to cut here
        self._matcher = PhraseMatcher(self._vocab, attr="ORTH")
        self._matcher.add("label", [self._doc(words) for words in labels])
        # Of place names, neighbours are too often other places, or words: « comme au Morne-Vert ».
        places = {c.uri for c in listed if c.scheme == "territories"}
        self._pairs = _pairs([w for w, ls in self._labels_of.items() if ls[0].uri not in places])
        self._spelt = {
            french.fold(label.text): words for words, ls in self._labels_of.items() for label in ls
        }

    def find(self, text: str, tokens: Sequence[french.Token]) -> list[Found]:
        """Labels in ``text``, whose words are ``tokens``, by place, the longer first at one place."""
        words, places = self._sequence(text, tokens)
        spans = [(start, end) for _, start, end in self._matcher(self._doc(words))]
        spans.sort(key=lambda span: (span[0], -span[1]))
        found, reached = [], 0
        for start, end in spans:
            labels = self._labels_of[tuple(words[start:end])]
            first, last = places[start], places[end - 1]
            if end - start == 1:
                labels = self._as_written(words[start], tokens[first].form, labels)
            elif _broken(text, tokens, first, last, labels):
                continue
            low, high = tokens[first].start, tokens[last].end
            high += text.startswith(")", high) and "(" in text[low:high]
            found.append(Found(labels, first, last, low, high, nested=end <= reached))
            reached = max(reached, end)
        return found + self._near(text, tokens, words, places)

    def keyword(self, keyword: str) -> tuple[Label, ...]:
        """Labels that ``keyword`` as a whole is, slips of the pen forgiven."""
        exact = self._labels_of.get(tuple(self._words(keyword)))
        if exact or len(keyword) < _KEYWORD_LETTERS:
            return exact or ()
        best = process.extractOne(
            french.fold(keyword), self._spelt.keys(), scorer=fuzz.ratio, score_cutoff=_KEYWORD_NEAR
        )
        return (
            tuple(label._replace(weight=_SLIP) for label in self._labels_of[self._spelt[best[0]]])
            if best
            else ()
        )

    def _labels(self, concept: Concept) -> Iterable[Label]:
        size = len([t for t in french.terms(concept.label) if t])
        yield Label(concept.uri, concept.label, _PREFERRED, 0, self._is_acronym(concept.label))
        kinds = ((concept.alt, _ALTERNATIVE), (concept.hidden, _HIDDEN), (concept.notations, _ALTERNATIVE))
        for texts, weight in kinds:
            for text in texts:
                acronym = self._is_acronym(text)
                if texts is concept.notations and not acronym:
                    continue
                terms = [t for t in french.terms(text) if t]
                general = size > 1 or bool(concept.narrower)
                pointer = self._pointers and general and not acronym and len(terms) == 1 and text.islower()
                yield Label(concept.uri, text, _POINTER if pointer else weight, 0, acronym)

    def _as_written(self, word: str, form: str, labels: tuple[Label, ...]) -> tuple[Label, ...]:
        """Labels of one word, those made light that the text has in another part of speech: terms join
        families of words, but « associer » hardly names the Vie associative."""
        known = self._written.get((word, form))
        if known is None:
            plain = _inflection(form)
            known = self._written[word, form] = tuple(
                label
                if label.acronym or any(_inflection(t.form) == plain for t in french.tokens(label.text))
                else label._replace(weight=label.weight * _FAMILY)
                for label in labels
            )
        return known

    def _is_acronym(self, label: str) -> bool:
        pieces = re.split(r"[\s.-]+", label.strip("."))
        return bool(self._acronyms) and all(
            p.isupper() and self._acronyms.get(p.lower()) == p for p in pieces
        )

    def _words(self, text: str) -> list[str]:
        return [word for word, _ in self._pieces(text, french.tokens(text)) if word]

    def _pieces(self, text: str, tokens: Sequence[french.Token]) -> Iterable[tuple[str, int]]:
        acronyms = self._acronyms
        for index, (form, term, start, end) in enumerate(tokens):
            if form in acronyms and self._written_as(text[start:end], acronyms[form]):
                yield "^" + acronyms[form], index
            else:
                yield term, index

    def _written_as(self, surface: str, acronym: str) -> bool:
        """CUCS, C.U.C.S. and, from four letters on, Cucs; but « Face » is no acronym."""
        if not acronym.isupper():
            return surface == acronym
        if surface.isupper() or len(acronym) < 4 or acronym in self._strict:
            return surface.isupper()
        return surface[0].isupper()

    def _sequence(self, text: str, tokens: Sequence[french.Token]) -> tuple[list[str], list[int]]:
        known = self._known
        words, places = [], []
        for word, index in self._pieces(text, tokens):
            if word:
                words.append(word if word in known else _UNKNOWN)
                places.append(index)
        return words, places

    def _doc(self, words: Sequence[str]) -> Any:
        from spacy.tokens import Doc

        return Doc(self._vocab, words=list(words))

    def _near(
        self, text: str, tokens: Sequence[french.Token], words: list[str], places: list[int]
    ) -> list[Found]:
        """Long labels of which two words in a row are right and the rest nearly."""
        found: dict[tuple[int, int], Found] = {}
        known = [i for i, word in enumerate(words[:-1]) if word != _UNKNOWN]
        for i in known:
            for whole, offset in self._pairs.get((words[i], words[i + 1]), ()):
                start = i - offset
                here = words[start : start + len(whole)] if start >= 0 else []
                if len(here) < len(whole) or _UNKNOWN not in here or here.count(_UNKNOWN) > len(whole) // 3:
                    continue
                first, last = places[start], places[start + len(whole) - 1]
                terms = [tokens[places[k]].term for k in range(start, start + len(whole))]
                labels = self._labels_of[whole]
                if fuzz.ratio(" ".join(terms), " ".join(whole)) >= _NEAR and not _broken(
                    text, tokens, first, last, labels
                ):
                    slips = tuple(label._replace(weight=label.weight * _SLIP) for label in labels)
                    found[first, last] = Found(
                        slips, first, last, tokens[first].start, tokens[last].end, nested=False
                    )
        return list(found.values())


def _inflection(form: str) -> str:
    """A form without the marks of number and gender, roughly: one for « régional » and « régionales »."""
    folded = french.fold(form)
    for ending, to in (("aux", "al"), ("ives", "if"), ("ive", "if"), ("trices", "teur"), ("trice", "teur")):
        if folded.endswith(ending):
            return folded.removesuffix(ending) + to
    return folded.rstrip("esx")


def _acronyms(concepts: Sequence[Concept]) -> Mapping[str, str]:
    """Lower-case forms, dotted ones too, of the words in capitals of the labels -> the acronym. Empty for a
    vocabulary that is all in capitals, where capitals say nothing."""
    texts = [text for concept in concepts for text in concept.labels]
    capital = sum(concept.label.isupper() and len(concept.label) > 6 for concept in concepts)
    if capital > len(concepts) / 2:
        return {}
    found: dict[str, str] = {}
    for piece in {piece for text in texts for piece in re.split(r"[\s'’.()/-]+", text)}:
        if _ACRONYM.fullmatch(piece) and piece.isupper():
            found[piece.lower()] = found[".".join(piece.lower())] = piece
    return found | {word.lower(): word for text in texts for word in _CAPITAL_STOP.findall(text)}


def _pairs(labels: Iterable[tuple[str, ...]]) -> Mapping[tuple[str, str], list[tuple[tuple[str, ...], int]]]:
    """Two neighbouring words of a long label -> the labels' words, and where in them the pair stands."""
    pairs: dict[tuple[str, str], list[tuple[tuple[str, ...], int]]] = defaultdict(list)
    for words in labels:
        if len(words) >= _NEAR_TERMS:
            for i, pair in enumerate(pairwise(words)):
                pairs[pair].append((words, i))
    return pairs


def _broken(
    text: str, tokens: Sequence[french.Token], first: int, last: int, labels: tuple[Label, ...]
) -> bool:
    """Whether a sentence, a list item or too many small words end between the words of a phrase."""
    if last - first + 1 > 2 * labels[0].size + 1:
        return True
    between = text[tokens[first].end : tokens[last].start]
    breaks = {match[0].strip() for match in _BREAK.finditer(between)}
    return any(not any(mark and mark in label.text for label in labels) for mark in breaks)
