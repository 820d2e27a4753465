"""The one way to search: what a person typed, to hits and an honest account of what was asked.

Hides from the web, the command line and the evaluation how typed text becomes queries: parsing, the small
words that only make a question, acronyms and their expansions, and what is asked for instead when not all
words of a long question stand together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from kb import french
from kb.thesaurus import Concept, Thesaurus
from search import syntax
from search.engine import Engine, Results
from search.query import And, Need, Or, Phrase, Query, Request, Sort, Words

ENOUGH = 20
"""Records with all words below which a question is relaxed: one page of results. On two judged sets of
questions 20 loses nothing against always asking for any word, 5 loses 0.018 nDCG@10."""

LONG = 5
"""Words from which a text is taken as a question without question mark: titles and subjects typed by people
mostly have fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found and how it was asked.

    ``query`` was put to the engine; ``understood`` is what was typed, as a tree. ``relaxed``: hits need not
    have all words. ``expanded``: other names that were searched too (acronyms, what they stand for).
    """

    results: Results
    query: Query
    understood: Query
    relaxed: bool = False
    expanded: tuple[str, ...] = ()


def find(
    text: str,
    *,
    engine: Engine,
    thesaurus: Thesaurus | None = None,
    filters: tuple[tuple[str, tuple[str, ...]], ...] = (),
    facets: tuple[str, ...] = (),
    sort: Sort = Sort.RELEVANCE,
    offset: int = 0,
    limit: int = 20,
    pages: int = 3,
) -> Found:
    """Search as the search box does; never fails on what was typed.

    A cote, an ISBN or the number of a record that is in the fund, typed alone, finds just that.
    Otherwise all words are asked for. A question that finds fewer than ENOUGH records so, and three words or
    more that find none, are asked again for most of the words, then for any; ``relaxed`` is then true and the
    total is that of the wider question. Filters have no say in this, so that choosing a facet value gives
    what its count announced. Raises EngineUnavailable, IndexOutdated.
    """
    request = Request(filters=filters, facets=facets, sort=sort, offset=offset, limit=limit, pages=pages)
    if reference := _reference(text, engine):
        results = engine.search(replace(request, query=reference))
        return Found(results=results, query=reference, understood=reference)
    understood = syntax.parse(text)
    names = _names(thesaurus) if thesaurus else _Names(())
    asked = _mapped(understood, without_question_words) if is_question(text) else understood
    enough, needs = _patience(text, asked)
    for need in needs:
        query = _needing(need, asked, names)
        probe = replace(request, query=query) if not filters else Request(query=query, limit=0)
        results = engine.search(probe)
        if results.total >= enough:
            break
    if filters:
        results = engine.search(replace(request, query=query))
    return Found(
        results=results,
        query=query,
        understood=understood,
        relaxed=need is not Need.ALL,
        expanded=tuple(
            dict.fromkeys(name for words in plain_words(asked) for name in names.others(words.text))
        ),
    )


_REFERENCE = re.compile(r"(?=.*\d)(?=.*[a-z])[a-z\d]{3,40}|\d{7,13}x?")
_REFERENCES = ("call_number", "identifiers")


def _reference(text: str, engine: Engine) -> Query | None:
    """The query for the one thing that ``text`` names by its cote or number; None if it names none."""
    squeezed = "".join(french.pieces(text))
    if not _REFERENCE.fullmatch(squeezed):
        return None
    query = Words(squeezed, fields=_REFERENCES)
    return query if engine.search(Request(query=query, limit=0)).total else None


def _needing(need: Need, asked: Query, names: _Names) -> Query:
    return _mapped(asked, lambda words: names.expand(replace(words, need=need)))


def _patience(text: str, asked: Query) -> tuple[int, tuple[Need, ...]]:
    """How many records are enough, and what to ask for in turn."""
    number = max((len(_terms(words.text)) for words in plain_words(asked)), default=0)
    if is_question(text) or number >= LONG:
        return ENOUGH, tuple(Need)
    return 1, tuple(Need) if number >= 3 else (Need.ALL,)


# -- questions

_ASKING = re.compile(
    r"\?|\b(?:comment|pourquoi|combien|quels?|quelles?|lequel|laquelle|lesquel(?:le)?s|est-ce)\b"
    r"|^\W*(?:qui|que|quoi|quand|ou|a qui|a quoi|en quoi|de quoi)\b(?!$)"
    r"|\b(?!rendez-)\w+-(?:t-)?(?:je|tu|il|elle|on|nous|vous|ils|elles)\b"
)
_QUESTION_WORDS = frozenset(
    (
        *("comment", "pourquoi", "combien", "quand", "quel", "quels", "quelle", "quelles"),
        *("lequel", "laquelle", "lesquels", "lesquelles", "si", "cas"),
        *("peut", "peuvent", "pouvez", "puis", "peux", "pourrait", "pouvoir"),
        *("doit", "doivent", "dois", "devez", "devrait", "savoir", "sait", "faut", "faudrait", "falloir"),
        *("consiste", "consistent", "sert", "servent", "servir"),
        *("faire", "fait", "fais", "font", "est", "etre", "sont", "ete", "avoir"),
    )
)
"""Words that ask and do not say what about; folded forms."""


def is_question(text: str) -> bool:
    """Whether ``text`` asks rather than names: a question mark, an interrogative, an inversion."""
    return bool(_ASKING.search(french.fold(text)))


def without_question_words(words: Words) -> Words:
    """The words of a question without those that only ask, if they say something else too."""
    found = [token for token in french.tokens(words.text) if token.term]
    kept = [token for token in found if french.fold(token.form) not in _QUESTION_WORDS]
    if not kept or len(kept) == len(found):
        return words
    return replace(words, text=" ".join(words.text[token.start : token.end] for token in kept))


# -- the tree


def plain_words(query: Query) -> Iterator[Words]:
    """The ``Words`` of a tree that ask in all fields, those under Not left out."""
    match query:
        case Words(_, ()):
            yield query
        case And(parts) | Or(parts):
            for part in parts:
                yield from plain_words(part)
        case _:
            return


def _mapped(query: Query, change: Callable[[Words], Query]) -> Query:
    """The tree with each of its ``plain_words`` changed."""
    match query:
        case Words(_, ()):
            return change(query)
        case And(parts):
            return And(tuple(_mapped(part, change) for part in parts))
        case Or(parts):
            return Or(tuple(_mapped(part, change) for part in parts))
        case _:
            return query


def _terms(text: str) -> set[str]:
    return set(french.terms(text)) - {""}


# -- acronyms

_ACRONYM = re.compile(r"[^\W\d_]{2,10}")
_MOST_MEANINGS = 3  # an acronym with more is not expanded: what it finds would be about everything


@dataclass(frozen=True, slots=True)
class _Match:
    """Characters of a text that name a concept, and the other names of what they may mean."""

    start: int
    end: int
    names: tuple[str, ...]


class _Names:
    """Acronyms of a vocabulary and what they stand for, by terms."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self._meanings: dict[str, list[str]] = {}
        self._acronyms: dict[tuple[str, ...], list[str]] = {}
        listed = list(concepts)
        for concept in listed:
            for acronym in _acronyms(concept.labels):
                meanings = self._meanings.setdefault(french.term(acronym), [])
                meanings += [concept.label] if concept.label not in meanings else []
        for concept in listed:
            right = dict.fromkeys((*concept.alt, *concept.notations))  # hidden labels are misspellings
            sure = [name for name in _acronyms(right) if len(self._meanings[french.term(name)]) == 1]
            for label in concept.labels if sure else ():
                if len(key := _key(label)) > 1:
                    self._acronyms.setdefault(key, []).extend(sure)
        self._longest = max(map(len, self._acronyms), default=1)

    def others(self, text: str) -> Iterator[str]:
        """Other names of what ``text`` names."""
        for match in self.matches(text):
            yield from match.names

    def expand(self, words: Words) -> Query:
        """``words``, or what is said under other names. Where not all words are needed, each name is tried in
        their place, so that the share of words asked for stays that of one way to say it."""
        text = words.text
        matches = list(self.matches(text))
        if not matches:
            return words
        if words.need is not Need.ALL:
            said = (text[: m.start] + name + text[m.end :] for m in matches for name in m.names)
            return Or((words, *(replace(words, text=other) for other in said)))
        parts: list[Query] = [
            Or((Words(text[m.start : m.end]), *(Phrase(name) for name in m.names))) for m in matches
        ]
        edges = [0, *(edge for m in matches for edge in (m.start, m.end)), len(text)]
        rest = " ".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
        if _terms(rest):
            parts.insert(0, Words(" ".join(rest.split())))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def matches(self, text: str) -> Iterator[_Match]:
        """Longest first from the left; none overlaps another."""
        found = [token for token in french.tokens(text) if token.term]
        at = 0
        while at < len(found):
            for length in range(min(self._longest, len(found) - at), 1, -1):
                if names := self._acronyms.get(tuple(token.term for token in found[at : at + length])):
                    yield _Match(found[at].start, found[at + length - 1].end, tuple(dict.fromkeys(names)))
                    at += length
                    break
            else:
                token = found[at]
                typed = text[token.start : token.end]
                meanings = self._meanings.get(token.term, ())
                if 0 < len(meanings) <= _MOST_MEANINGS and (typed.isupper() or not french.known(typed)):
                    yield _Match(token.start, token.end, tuple(meanings))
                at += 1


def _acronyms(labels: Iterable[str]) -> list[str]:
    """Labels such as "CUCS": letters only, capitals for the most part."""
    return [
        label
        for label in labels
        if _ACRONYM.fullmatch(label) and 2 * sum(map(str.isupper, label)) > len(label)
    ]


def _key(label: str) -> tuple[str, ...]:
    return tuple(term for term in french.terms(label) if term)


def other_names(text: str, thesaurus: Thesaurus) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What ``text`` names by an acronym or by what it stands for, as typed, with the other names of each."""
    for match in _names(thesaurus).matches(text):
        yield text[match.start : match.end], match.names


@lru_cache(maxsize=4)
def _names(thesaurus: Thesaurus) -> _Names:
    return _Names(thesaurus.concepts())
