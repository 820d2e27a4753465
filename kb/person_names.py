"""Names of persons in French text, by rules: civilities, first names, initials, cues.

Hides how a family name is told from a commune, a body, a school named after somebody or
an ordinary word. Accents and capitals are helps, never conditions: « mme celestine » and « DUPONT Jean » are
found. Recall comes first, for somebody accepts or refuses each proposal.

A name begins where a rule says so (``_run_at``), and goes on over the words that can belong to it
(``_end``); nothing here is learnt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb.name_ends import end_of_name, is_acronym
from kb.name_lexicon import ARTICLES, CIVILITIES, NAMED_AFTER, ROLES, STOP, THINGS
from kb.name_starts import bracketed, may_stand_alone, start_of_name
from kb.name_words import (
    PIECE,
    Vocabulary,
    Word,
    is_family_name,
    is_figure,
    is_first_name,
    is_named_after,
    is_ordinary,
)

__all__ = ["Mention", "Names", "mention_of"]


@dataclass(frozen=True, slots=True)
class Mention:
    """A name: ``start`` and ``end`` in characters, civility included; ``key``: folded pieces."""

    start: int
    end: int
    key: frozenset[str]
    sure: bool


_CLOSING = re.compile(
    r"\b(?:cordialement|cdt|cdlt|bien [àa] (?:vous|toi)|salutations(?: distingu[ée]es)?"
    r"|respectueusement|sinc[èe]rement|bonne (?:journ[ée]e|soir[ée]e|r[ée]ception|continuation)|amicalement"
    r"|merci(?: d['’]avance| beaucoup)?|bien cordialement|sign[ée]e?|consid[ée]ration|[àa] bient[ôo]t|avance"
    r"|amiti[ée]s|bises|bisous|biz|[àa] plus|fraternellement|solidairement"
    r"|salutations cordiales|envoy[ée] de mon \w+)"
    r"[ \u00a0]*[,.!:;)\-–]*\s*(?:[-–—*]+\s*)?",
    re.IGNORECASE,
)
_NEVER = STOP | ROLES | THINGS | NAMED_AFTER
_BETWEEN = re.compile(r"(?:[ \u00a0]?[,;/&+]|[ \u00a0]?[–-])?[ \u00a0]?(?:(?:et|ou)[ \u00a0])?")


class Names:
    """Finds names, given ``known`` labels (places, bodies) that are nobody's name by themselves."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._vocabulary = Vocabulary(known)

    def find(self, text: str) -> list[Mention]:
        """The names of ``text`` in order; they do not overlap."""
        words = self._vocabulary.words(text)
        closings = {match.end() for match in _CLOSING.finditer(text)}
        small = {w.folded for w in words if not w.text[0].isupper()} | bracketed(words)
        found: list[Mention] = []
        i = 0
        while i < len(words):
            run = start_of_name(words, i, closings, small)
            if run is None:
                i = end_of_name(words, i) if _names_a_thing(words, i) else i + 1
                continue
            found.append(mention_of(words, *run))
            i = run[1]
        return _with_repeats(words, found, len(text))

    def words(self, text: str) -> list[Word]:
        """The words of ``text``, those of known labels marked."""
        return self._vocabulary.words(text)

    def is_person(self, words: Sequence[Word], first: int, last: int) -> bool:
        """Whether the words from ``first`` to ``last`` (out), taken for a person by a model, may be one."""
        run = words[first:last]
        acronyms = all(is_acronym(w) or (w.shouted and not is_family_name(w.folded)) for w in run)
        small = not any(w.capital or is_first_name(w.folded) for w in run)
        short = run[0].shouted and len(run[0].text) < 6
        alone = len(run) == 1 and (short or not may_stand_alone(words, first))
        return not (acronyms or small or alone or is_named_after(words, first) or is_figure(words, first))


def mention_of(words: Sequence[Word], first: int, last: int, name: int, sure: bool) -> Mention:
    """The mention that the words from ``first`` to ``last`` (out) make, whose name begins at ``name``."""
    start = words[first].start
    elided = re.search(r"[DLNM]['’]$", words[first].gap)
    pieces = (p for w in words[name:last] for p in PIECE.findall(w.folded))
    key = frozenset(p for p in pieces if p not in STOP and p not in CIVILITIES and len(p) > 1)
    if not key:
        key = frozenset((" ".join(w.folded for w in words[name:last]),))
    return Mention(start - 2 if elided else start, words[last - 1].end, key, sure)


def _names_a_thing(words: Sequence[Word], i: int) -> bool:
    """Whether a name begins here that is that of a school or a street, or of a public figure."""
    return words[i].capital and not words[i].known and (is_named_after(words, i) or is_figure(words, i))


def _with_repeats(words: Sequence[Word], found: list[Mention], length: int) -> list[Mention]:
    """With the other places where a name found stands alone, and the others of « MM. Roy et Zobda »."""
    hidden = bytearray(length)
    starts, ends = {m.start for m in found}, {m.end for m in found}
    for mention in found:
        hidden[mention.start : mention.end] = b"\x01" * (mention.end - mention.start)
    # « la famille Congé »: one ordinary word that may be no name at all is not looked for elsewhere.
    told = [m for m in found if m.sure or len(m.key) > 1 or not all(map(is_ordinary, m.key))]
    pieces = {p for m in told for p in m.key if len(p) > 3}
    more: list[Mention] = []
    for i, word in enumerate(words):
        if word.known or any(hidden[word.start : word.end]) or is_named_after(words, i):
            continue
        if _is_again(words, i, pieces) or _is_listed(words, i, ends) or _is_listed_before(words, i, starts):
            mention = mention_of(words, i, end_of_name(words, i), i, False)
            more.append(mention)
            ends.add(mention.end)
            hidden[mention.start : mention.end] = b"\x01" * (mention.end - mention.start)
    return sorted(found + more, key=lambda m: m.start)


def _is_again(words: Sequence[Word], i: int, pieces: set[str]) -> bool:
    """Whether a part of a name found stands here, an ordinary word with its capital inside a sentence."""
    word = words[i]
    own = PIECE.findall(word.folded)
    if not own or not pieces.issuperset(own):
        return False
    inside = word.capital and word.gap in (" ", "\u00a0") and i > 0 and words[i - 1].folded not in ARTICLES
    return inside or not is_ordinary(word.folded)


def _is_listed_before(words: Sequence[Word], i: int, starts: set[int]) -> bool:
    """Whether the word comes before « et » or a sign and a name: « Kettly et Raymond »."""
    word, k = words[i], i + 1
    if is_ordinary(word.folded) or is_acronym(word) or len(word.text) < 3 or word.folded in _NEVER:
        return False
    while k < len(words) and words[k].folded in ("et", "ou"):
        k += 1
    if k >= len(words) or words[k].start not in starts or not (word.capital or is_family_name(word.folded)):
        return False
    between = "".join(w.gap + w.text for w in words[i + 1 : k]) + words[k].gap
    return (
        bool(between.strip()) and bool(_BETWEEN.fullmatch(between)) and may_stand_alone(words, i, listed=True)
    )


def _is_listed(words: Sequence[Word], i: int, ends: set[int]) -> bool:
    """Whether the word comes after a name and « et » or a comma: « Chers Loïc et Priscilla »."""
    word = words[i]
    k = i - 1
    paired = k >= 0 and words[k].folded in ("et", "ou")
    if paired:
        k -= 1
    if k < 0 or is_acronym(word) or word.folded in _NEVER or len(word.text) < 3:
        return False
    between = "".join(w.gap + w.text for w in words[k + 1 : i]) + word.gap
    if words[k].end not in ends or not _BETWEEN.fullmatch(between) or not between.strip():
        return False
    named = is_first_name(word.folded) or is_family_name(word.folded, often=paired)
    if is_ordinary(word.folded) and not (paired and word.capital):
        return False
    return word.capital or (named and len(word.text) > 3)
