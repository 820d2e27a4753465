"""What a key word of another centre may mean in our vocabulary: by its letters, then by what it stands
beside.

Hides how alike two words must be. Asked in this order: a label of ours; nearly a label (letters, in any order
of words); a concept that is on most records which have the word. Only the first counts without a person.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable

from rapidfuzz import fuzz, process

from kb.alignments import Alignment, Alignments, Meaning, Way
from kb.database import Store
from kb.french import fold, pieces
from kb.records import Record
from kb.thesaurus import Concept, Thesaurus

ALIKE = 88.0
"""Of 100: letters in common, words in any order. « décrochages scolaire » and « décrochage scolaire » have
97, « insertion sociale » and « inclusion sociale » 85: near in letters, another notion."""

SHORTEST = 5
"""Letters of a word that may be compared letter by letter: acronyms differ by one letter and by
everything."""

MET = 5
"""Records that must have a word before what stands beside it says anything."""

SHARE, LIFT = 0.5, 3.0
"""On how many of these records the concept must be, and how many times more often than on all of them."""

_SAMPLED = 200


class Proposer:
    """Says what words may mean by one vocabulary."""

    def __init__(self, thesaurus: Thesaurus) -> None:
        self._thesaurus = thesaurus

    def propose(self, said: str) -> Meaning:
        """What one word may mean, by its letters."""
        for words in (said, said.partition(" -- ")[0]):
            if concept := _labelled(words, self._thesaurus):
                return Meaning(concept=concept.uri, way=Way.LABEL, score=1.0)
        return self._near(said)

    def _near(self, said: str) -> Meaning:
        word = " ".join(pieces(said))
        if len(word) < SHORTEST:
            return Meaning(concept=None, way=Way.NONE)
        labels = _labels(self._thesaurus)
        names = [name for name, _ in labels]
        found = process.extractOne(word, names, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE)
        if found is None:
            return Meaning(concept=None, way=Way.NONE)
        _, score, place = found
        return Meaning(concept=labels[place][1], way=Way.NEAR, score=round(score / 100, 3))


def _labelled(words: str, thesaurus: Thesaurus) -> Concept | None:
    """The one concept that has these words as a label; None for none or several."""
    found = thesaurus.lookup(words)
    exact = [concept for concept in found if fold(concept.label) == fold(words)] or list(found)
    return exact[0] if len(exact) == 1 else None


@functools.lru_cache(maxsize=4)
def _labels(thesaurus: Thesaurus) -> tuple[tuple[str, str], ...]:
    """(label, URI) of all labels that are long enough to be compared by letters."""
    found = (
        (" ".join(pieces(label)), concept.uri)
        for concept in thesaurus
        for label in (concept.label, *concept.alt)
    )
    return tuple((label, uri) for label, uri in found if len(label) >= SHORTEST)


def propose_together(store: Store, alignments: Alignments) -> int:
    """Look at the records that have each word without a proposal; how many words get one."""
    words = alignments.unknown(MET)
    if not words:
        return 0
    usual = _shares(_sample(store))
    return sum(_propose(store, alignments, word, usual) for word in words)


def _propose(store: Store, alignments: Alignments, word: Alignment, usual: dict[str, float]) -> bool:
    ids = store.find("keyword", word.word)[:_SAMPLED]
    if len(ids) < MET:
        return False
    shares = _shares(store.get_many(ids).values())
    thesaurus = store.thesaurus()
    # A concept that is nowhere else has no lift to be compared with: its share here is enough.
    telling = {
        concept: share
        for concept, share in shares.items()
        if share >= SHARE and share >= LIFT * usual.get(concept, 0.0) and _is_notion(concept, thesaurus)
    }
    if not telling:
        return False
    concept = max(telling, key=lambda uri: (telling[uri] / max(usual.get(uri, 0.0), 1e-6), uri))
    alignments.propose(word.id, Meaning(concept=concept, way=Way.TOGETHER, score=round(telling[concept], 3)))
    return True


def _is_notion(concept: str, thesaurus: Thesaurus) -> bool:
    """Whether a word may mean it: the place of a centre is on all that it has, whatever its words."""
    return concept in thesaurus and thesaurus.get(concept).scheme != "territories"


def _shares(some: Iterable[Record]) -> dict[str, float]:
    """On which share of the records each concept is."""
    count, found = 0, Counter[str]()
    for record in some:
        count += 1
        found.update({subject.concept for subject in record.live_subjects})
    return {concept: times / count for concept, times in found.items()}


def _sample(store: Store, size: int = 2000) -> Iterable[Record]:
    """Records all over the fund: every nth id, so that no centre and no year prevails."""
    every = max(1, len(store) // size)
    ids = [id for place, id in enumerate(store.ids()) if place % every == 0]
    return store.get_many(ids).values()
