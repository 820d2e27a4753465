"""The concepts that a text names, for who asks a question.

Hides how labels are found in running text: the longest that fits from the left, inflected or not; acronyms
only where they are meant; a label that is also an ordinary word or a name only with a word beside it that
vouches for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from kb import french
from kb.thesaurus import Concept, Thesaurus

MOST = 8
"""Concepts told of one text: what a side panel holds."""

_Index = Mapping[tuple[str, ...], tuple[Concept, ...]]


def concepts(text: str, thesaurus: Thesaurus, most: int = MOST) -> tuple[Concept, ...]:
    """Up to ``most`` concepts that ``text`` names, in its order, each once."""
    index, longest = _index(thesaurus)
    words = [token for token in french.tokens(text) if token.term]
    terms = tuple(word.term for word in words)
    said = frozenset(terms)
    found: dict[str, Concept] = {}
    at = 0
    while at < len(words) and len(found) < most:
        for length in range(min(longest, len(words) - at), 0, -1):
            typed = text[words[at].start : words[at + length - 1].end]
            if meant := _meant(index.get(terms[at : at + length], ()), typed, said):
                found |= {concept.uri: concept for concept in meant}
                at += length
                break
        else:
            at += 1
    return tuple(found.values())[:most]


def _meant(candidates: Iterable[Concept], typed: str, said: frozenset[str]) -> tuple[Concept, ...]:
    """Those that ``typed`` may mean; of homonyms those that a word of the text vouches for, if any is."""
    fitting = [concept for concept in candidates if _fits(concept, typed, said)]
    vouched = [concept for concept in fitting if _vouched(concept, said)]
    return tuple(vouched or fitting)


def _fits(concept: Concept, typed: str, said: frozenset[str]) -> bool:
    folded = french.fold(typed)
    short = [
        label for label in concept.labels if label.isupper() and french.term(label) == french.term(typed)
    ]
    if short and not typed.isupper() and french.known(typed):
        return False  # "face" is no « FACE »
    if concept.trap and folded == french.fold(concept.label) and not typed[:1].isupper():
        return False
    return not concept.trap or _vouched(concept, said) or typed.isupper()


def _vouched(concept: Concept, said: frozenset[str]) -> bool:
    return any(said.issuperset(term for term in french.terms(cue) if term) for cue in concept.cues)


@lru_cache(maxsize=4)
def _index(thesaurus: Thesaurus) -> tuple[_Index, int]:
    """Terms of a label -> its concepts; and the most terms that a label has."""
    found: dict[tuple[str, ...], dict[str, Concept]] = {}
    for concept in thesaurus:
        for label in concept.labels:
            if key := tuple(term for term in french.terms(label) if term):
                found.setdefault(key, {})[concept.uri] = concept
    return {key: tuple(some.values()) for key, some in found.items()}, max(map(len, found), default=1)
