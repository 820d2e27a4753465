"""What the fund already says on a question, as it is typed: past answers, passages with their page, concepts.

Hides from the desk, the command line and the evaluation how a question becomes a search, which stretch of a
page is shown, and when it is better to say nothing.

Past answers are the records of type ``QUESTION``; passages are pages of all others. Both come from the
search, and its best records are then ordered anew: a record gains by the best of its sentences, compared
letter by letter, and by the company of others that are on the same matter; a question that was asked before
in nearly the same words comes first. What was tried is told in ``kb/decisions/0010-past-answers.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kb import french, records
from kb.thesaurus import Concept, Thesaurus
from search import mentions
from search.engine import Engine
from search.gist import Gist, gist, stated
from search.likeness import by_company
from search.query import Need, Request, Words
from search.snippets import Piece
from search.windows import LENGTH, Asked, Reading

QUESTION = "question"
"""The type of records that are past questions with their answers."""

MEANT = 0.31
"""How sure the best past answer must be, see ``_sureness``, for any to be shown. On two judged sets recall@5
loses 0.004 and nothing by silence; asked to the other one, on other matters, 25 % and 29 % of questions find
nothing. At 0.34: 0.009 and nothing, 39 % and 41 %."""

MEANT_ON_PAGE = 0.5
"""Share of what is asked, by weight, that the best passage and its title must speak of for any to be shown:
pages are many, and say a little of everything."""

SPOKEN = 0.25
"""The same for each passage that is shown, once the best one has MEANT_ON_PAGE."""

NEAR = 0.5
"""The same, as a share of what the best one speaks of: what says half as much is about something else."""

NEAR_PAST = 0.4
"""Share of what the best past answer speaks of, by words and letters, that the others must: on the same sets
0.001 of recall@5 each, 0.005 at 0.5."""

SHAPE = 0.3
"""What the best sentence counts by its letters (``Reading.alike``) beside the score of the search, 1 for the
best record. On the same sets recall@5 is 0.884 and 0.420 at 0.5, with 0.004 less nDCG@10 on the second."""

COMPANY = 0.5
"""What the scores of the pages most like it count for a page, likewise (``likeness.by_company``); any from
0.25 to 0.5 does."""

SENTENCE = 0.1
"""What the best sentence of a page counts beside these, to choose between pages of a record."""

COPY = 0.6
"""Likeness of two questions from which they are taken for one."""

_CANDIDATES = 20  # records looked at closely: 50 move recall@5 of two judged sets by less than 0.001
_PAGES = 2  # pages of each: as many as may be shown
_AHEAD = 5  # records of which one may be the answer; what comes after them is taken for chance
_SHORTEST = 3  # letters of a text below which nothing is looked for


class Titled(Protocol):
    """What is shown of a record."""

    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def abstract(self) -> str | None: ...  # noqa: D102


class Texts(Protocol):
    """Where titles and pages are read: only what the person who asks may read."""

    def get_many(self, ids: Sequence[str]) -> Mapping[str, Titled]:
        """Records by id; those that may not be seen are left out."""

    def page_texts(self, wanted: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
        """Texts by id and page; those that may not be read are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A stretch of a page that may answer. ``score``: 0 to 1; for the best of a list the share of what is
    asked that its record speaks of, for the others in proportion. ``pieces`` put together are ``text``."""

    id: str
    title: str
    page: int
    pieces: tuple[Piece, ...]
    score: float

    @property
    def text(self) -> str:
        """The words of the stretch."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Proposals:
    """What the fund says, best first, and the concepts that the question names."""

    answers: tuple[Proposal, ...] = ()
    passages: tuple[Proposal, ...] = ()
    concepts: tuple[Concept, ...] = ()


@dataclass(frozen=True, slots=True)
class _Kind:
    """One list. ``each``: stretches of one record at most."""

    types: tuple[str, ...]
    each: int


_PAST = _Kind((QUESTION,), 1)
_FUND = _Kind(tuple(code for code in records.TYPES if code != QUESTION), 2)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A record. ``own``: terms of its title, or of how it was asked; ``pages``: number and text, the one that
    says most first. ``said``: the share of what is asked that ``own`` and the best stretch speak of;
    ``alike``: the same by letters."""

    id: str
    title: str
    own: frozenset[str]
    pages: tuple[tuple[int, str], ...]
    reading: Reading
    score: float
    said: float
    alike: float


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A page that may be shown. ``rank``: what orders it."""

    of: _Candidate
    page: int
    reading: Reading
    rank: float


def propose(
    text: str,
    *,
    engine: Engine,
    texts: Texts,
    thesaurus: Thesaurus | None = None,
    answers: int = 3,
    passages: int = 5,
    length: int = LENGTH,
) -> Proposals:
    """What the fund says on ``text``, a question in any words; nothing rather than what is beside it.

    Up to ``answers`` past answers, one stretch of each, and ``passages`` stretches of other records, two of
    one at most; ``length`` is that of a stretch in characters. Never fails on what was typed. Raises
    EngineUnavailable, IndexOutdated.
    """
    if sum(map(str.isalnum, text[: 10 * _SHORTEST])) < _SHORTEST:
        return Proposals()
    named = mentions.concepts(text, thesaurus) if thesaurus else ()
    about = gist(text, engine=engine, thesaurus=thesaurus)
    if not about.notions:
        return Proposals(concepts=named)
    look = _Look(Asked(about), engine, texts, length)
    return Proposals(
        answers=look.at(_PAST, answers) if answers else (),
        passages=look.at(_FUND, passages) if passages else (),
        concepts=named,
    )


class _Look:
    """One question put to the fund."""

    def __init__(self, asked: Asked, engine: Engine, texts: Texts, length: int) -> None:
        self._asked = asked
        self._engine = engine
        self._texts = texts
        self._length = length

    def at(self, kind: _Kind, wanted: int) -> tuple[Proposal, ...]:
        """The best of a kind; none when they are beside the question."""
        found = list(self._candidates(kind, max(_CANDIDATES, wanted)))
        best = max((one.said for one in found), default=0.0)
        if not found or (best < MEANT_ON_PAGE if kind is _FUND else _sureness(found) < MEANT):
            return ()
        if kind is _FUND:
            found = [one for one in found if one.said >= max(SPOKEN, NEAR * best)]
        else:
            near = NEAR_PAST * max(one.said + one.alike for one in found)
            found = [one for one in found if one.said + one.alike >= near]
        kept = self._stretches(found, kind, wanted)
        return tuple(
            Proposal(
                id=one.of.id,
                title=one.of.title,
                page=one.page,
                pieces=one.reading.window().pieces,
                score=min(1.0, best) * one.rank / kept[0].rank,
            )
            for one in kept
        )

    def _candidates(self, kind: _Kind, most: int) -> Iterator[_Candidate]:
        """What the search finds, read where it says most; the best first."""
        query = Words(" ".join(self._asked.gist.terms), need=Need.ANY)
        request = Request(query=query, filters=(("type", kind.types),), limit=most, pages=kind.each)
        hits = self._engine.search(request).hits
        top = max((hit.score for hit in hits), default=0.0) or 1.0  # words of cotes alone may score nothing
        held = self._texts.get_many([hit.id for hit in hits])
        numbers = {hit.id: hit.pages or (1,) for hit in hits if hit.id in held}
        texts = self._texts.page_texts((id, page) for id, some in numbers.items() for page in some)
        for hit in hits:
            pages = tuple((n, texts[hit.id, n]) for n in numbers.get(hit.id, ()) if texts.get((hit.id, n)))
            if not pages:
                continue
            record = held[hit.id]
            own, copy = self._asked_before(record) if kind is _PAST else (_terms(record.title), 0.0)
            reading = Reading(pages[0][1], self._asked, self._length)
            yield _Candidate(
                id=hit.id,
                title=record.title,
                own=own,
                pages=pages,
                reading=reading,
                score=hit.score / top + copy,
                said=reading.said(own),
                alike=reading.alike(own),
            )

    def _stretches(self, found: Sequence[_Candidate], kind: _Kind, wanted: int) -> list[_Stretch]:
        """The pages of the best records, best first."""
        company = by_company([one.score for one in found], [one.reading.terms for one in found])
        ranks = {
            one.id: one.score + SHAPE * one.alike + COMPANY * friends
            for one, friends in zip(found, company, strict=True)
        }
        best = sorted(found, key=lambda one: (-ranks[one.id], one.id))[:wanted]
        stretches = [
            _Stretch(one, page, reading, ranks[one.id] + SENTENCE * reading.focus)
            for one in best
            for page, reading in self._readings(one)
        ]
        return sorted(stretches, key=lambda one: (-one.rank, one.of.id, one.page))[:wanted]

    def _readings(self, one: _Candidate) -> Iterator[tuple[int, Reading]]:
        yield one.pages[0][0], one.reading
        for number, text in one.pages[1:]:
            yield number, Reading(text, self._asked, self._length)

    def _asked_before(self, record: Titled) -> tuple[frozenset[str], float]:
        """What a past question says, in its title or as it was asked; and what it gains by being the same."""
        gist = self._asked.gist
        texts = {text: _terms(text) for text in (record.title, record.abstract or "")}
        # What is stated is fewer words, so that the likeness is no more than what all words speak of.
        near = [text for text, said in texts.items() if gist.share(gist.degrees(said)) >= COPY]
        likeness = max((_likeness(gist, stated(text)) for text in near), default=0.0)
        return frozenset.union(*texts.values()), likeness if likeness >= COPY else 0.0


def _likeness(gist: Gist, said: frozenset[str]) -> float:
    """How much of two questions, by weight, is in both; a word that only the other one has weighs as the
    mean."""
    degrees = gist.degrees(said)
    both = gist.share(degrees) * gist.total
    alone = sum(not gist.names(term) for term in said) * gist.total / len(gist.notions)
    return both / (gist.total + alone)


def _terms(text: str) -> frozenset[str]:
    return frozenset(term for term in french.terms(text) if term)


def _sureness(found: Sequence[_Candidate]) -> float:
    """How sure it is that the best of these records answers, 0 to 1: what it speaks of, by words and by
    letters, and how far the best of the search is ahead of the others, which only share words."""
    scores = sorted((one.score for one in found), reverse=True)
    others = scores[_AHEAD:]
    lead = 1 - sum(others) / len(others) / scores[0] if others and scores[0] else 1.0
    return max(one.said + one.alike for one in found) / 2.5 + lead / 5
