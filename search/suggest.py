"""What to try instead: the word that was meant, the rest of a word, what to drop when nothing is found.

Hides how such proposals are looked for, and holds that each one leads somewhere: a correction or a dropped
word is only proposed with the number of records that it gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz import fuzz, process

from kb import french
from kb.thesaurus import Concept, Thesaurus
from search import finder, syntax
from search.engine import Engine
from search.query import And, Query, Request, Words

Filters = tuple[tuple[str, tuple[str, ...]], ...]

RARE = 2
"""Records up to which a word that French does not know is taken for a misspelling."""

_MUCH_MORE = 10  # times more pages than the word as typed that its correction must have
_SHORTEST = 4  # letters: shorter words have neighbours of all sorts
_TRIED = 8  # words of a question that are tried without: each costs a search
_ALIKE = 78  # of 100, from which labels look alike: lets one letter in six differ


@dataclass(frozen=True, slots=True)
class Correction:
    """The question as it was probably meant; ``words`` pairs what was typed with what is proposed."""

    text: str
    total: int
    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """A question that asks for less. ``dropped`` says what: words as typed, or (facet, code)."""

    text: str
    filters: Filters
    total: int
    dropped: str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Completion:
    """A text to type instead. ``concept`` is set for a label of the vocabulary; ``count`` is the number of
    pages and records that hold the word (0 for a label)."""

    text: str
    concept: Concept | None = None
    count: int = 0


def did_you_mean(
    text: str, *, engine: Engine, thesaurus: Thesaurus | None = None, filters: Filters = ()
) -> Correction | None:
    """``text`` with its misspelt words mended, the rest as typed; None if all is well or nothing better is
    known. A word is misspelt when the fund hardly has it and has a near one much more often."""
    mended, words = text, []
    for start, end, typed in reversed(list(_typed_words(text))):
        if better := _better(typed, engine):
            right = better.capitalize() if typed[:1].isupper() else better
            mended = mended[:start] + right + mended[end:]
            words.append((typed, right))
    if not words:
        return None
    total = _total(mended, engine, thesaurus, filters)
    return Correction(mended, total, tuple(reversed(words))) if total else None


def _typed_words(text: str) -> Iterator[tuple[int, int, str]]:
    """Words that may be misspelt: no operator, field name, number, truncation or word in capitals."""
    for token in french.tokens(text):
        typed, after = text[token.start : token.end], text[token.end : token.end + 1]
        named = after == ":" and french.fold(typed) in (*syntax.FIELD_NAMES, "annee")
        plain = len(typed) >= _SHORTEST and typed.isalpha() and not typed.isupper()
        if token.term and plain and not named and after != "*":
            yield token.start, token.end, typed


def _better(typed: str, engine: Engine) -> str | None:
    if engine.spellings([french.term(typed)]):
        held = engine.search(Request(query=Words(typed), limit=0)).total
        if held > RARE or french.known(typed):
            return None
    else:
        held = 0
    near = engine.near(typed, 1)
    return near[0][0] if near and near[0][1] >= max(1, _MUCH_MORE * held) else None


def _total(text: str, engine: Engine, thesaurus: Thesaurus | None, filters: Filters) -> int:
    found = finder.find(text, engine=engine, thesaurus=thesaurus, filters=filters, limit=0)
    return found.results.total


def drops(
    text: str, *, engine: Engine, thesaurus: Thesaurus | None = None, filters: Filters = ()
) -> tuple[Drop, ...]:
    """What can be left out of a search that finds nothing, one thing at a time, and how many records that
    gives; most first, nothing that gives none."""
    tried = [
        *(Drop(shorter, filters, 0, word) for word, shorter in _shorter(text)),
        *(Drop(text, fewer, 0, value) for value, fewer in _fewer(filters)),
    ]
    counted = [replace(drop, total=_total(drop.text, engine, thesaurus, drop.filters)) for drop in tried]
    return tuple(sorted((drop for drop in counted if drop.total), key=lambda drop: -drop.total))


def _shorter(text: str) -> Iterator[tuple[str, str]]:
    """(What is left out, the rest as it is typed), for each part of the question."""
    found: dict[str, str] = {}
    for word, rest in _without_one(syntax.parse(text)):
        found.setdefault(syntax.unparse(rest), word)
    yield from ((word, shorter) for shorter, word in list(found.items())[:_TRIED] if shorter)


def _without_one(query: Query) -> Iterator[tuple[str, Query]]:
    match query:
        case Words(text, ()):
            spans = [(t.start, t.end) for t in french.tokens(text) if t.term]
            for start, end in spans if len(spans) > 1 else ():
                rest = f"{text[:start].rstrip(chr(39) + '’')} {text[end:]}"
                yield text[start:end], replace(query, text=" ".join(rest.split()))
        case And(parts):
            for index, part in enumerate(parts):
                others = parts[:index] + parts[index + 1 :]
                yield syntax.unparse(part), others[0] if len(others) == 1 else And(others)
                for word, rest_of_part in _without_one(part):
                    yield word, And((*parts[:index], rest_of_part, *parts[index + 1 :]))
        case _:
            return


def _fewer(filters: Filters) -> Iterator[tuple[tuple[str, str], Filters]]:
    for index, (facet, codes) in enumerate(filters):
        for code in codes:
            kept = tuple(other for other in codes if other != code)
            changed = ((facet, kept),) if kept else ()
            yield (facet, code), (*filters[:index], *changed, *filters[index + 1 :])


def complete(
    text: str, *, engine: Engine, thesaurus: Thesaurus | None = None, limit: int = 8
) -> tuple[Completion, ...]:
    """Ways to end what is being typed: labels of the vocabulary that go on so, then words of the fund for the
    last word (plurals and bare spellings left out), commonest first. Accents need not be typed."""
    typed = text.rstrip()
    labels = _labels_from(typed, thesaurus, limit // 2) if thesaurus and len(typed) > 1 else []
    last = re.search(r"[\w’']+$", text)
    if not last or len(last[0]) < 2:
        return tuple(labels)
    tokens = french.tokens(last[0])
    start = last.start() + (tokens[-1].start if tokens else 0)
    words: dict[str, Completion] = {}
    forms = engine.forms(text[start:], 8 * limit)
    for form, count in sorted(forms, key=lambda found: (-found[1], found[0].isascii())):
        words.setdefault(french.fold(form).rstrip("sx"), Completion(text[:start] + form, count=count))
    return (*labels, *list(words.values())[: limit - len(labels)])


def _labels_from(typed: str, thesaurus: Thesaurus, limit: int) -> list[Completion]:
    begun = _plain(typed)
    found = [
        (not folded.startswith(begun), len(folded), concept.label, concept)
        for folded, concept in _labels(thesaurus)
        if folded.startswith(begun) or f" {begun}" in folded
    ]
    unique = {concept.uri: concept for *_, concept in sorted(found, key=lambda item: item[:3])}
    return [Completion(concept.label, concept) for concept in list(unique.values())[:limit]]


def near_concepts(text: str, thesaurus: Thesaurus, limit: int = 5) -> tuple[Concept, ...]:
    """Concepts with a label that looks like ``text`` or like a part of it, nearest first."""
    labels = _labels(thesaurus)
    scored = process.extract(
        _plain(text), [folded for folded, _ in labels], scorer=_likeness, score_cutoff=_ALIKE, limit=4 * limit
    )
    return tuple({labels[at][1].uri: labels[at][1] for _, _, at in scored}.values())[:limit]


def _likeness(typed: str, label: str, *, score_cutoff: float | None = None) -> float:
    """Of 100: as wholes, or word by word, which counts a little less."""
    return max(fuzz.ratio(typed, label), 0.9 * fuzz.token_set_ratio(typed, label))


def _plain(text: str) -> str:
    return " ".join(french.pieces(text))


@lru_cache(maxsize=4)
def _labels(thesaurus: Thesaurus) -> tuple[tuple[str, Concept], ...]:
    return tuple((_plain(label), concept) for concept in thesaurus for label in (concept.label, *concept.alt))
