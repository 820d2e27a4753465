"""What the fund and the past answers say to a question, as pages show it: titles, passages with their words
marked, addresses."""

from __future__ import annotations

from dataclasses import dataclass

from kb import records
from search import answers
from search.answers import Proposal
from search.snippets import Piece
from web import notices
from web.fund import Fund


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A past answer or a passage. ``page`` is None where a notice is meant as a whole."""

    id: str
    title: str
    kind: str
    year: int | None
    authors: str
    page: int | None
    url: str
    pieces: tuple[Piece, ...]
    text: str
    score: float
    thumb: str | None


@dataclass(frozen=True, slots=True)
class Already:
    """Past answers and passages for one question, best first."""

    answers: tuple[Shown, ...] = ()
    passages: tuple[Shown, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.answers or self.passages)


def already(fund: Fund, text: str, *, most_answers: int = 3, most_passages: int = 5) -> Already:
    """What was answered before and what the fund holds, as the rights of the fund allow."""
    found = answers.propose(
        text,
        engine=fund.engine,
        texts=fund.store,
        thesaurus=fund.thesaurus,
        answers=most_answers,
        passages=most_passages,
    )
    held = fund.store.get_many([one.id for one in (*found.answers, *found.passages)])

    def shown(one: Proposal, *, whole: bool) -> Shown:
        record = held[one.id]
        return Shown(
            id=one.id,
            title=record.title,
            kind=records.TYPES[record.type],
            year=record.year,
            authors=notices.authors(record),
            page=None if whole else one.page,
            url=notices.record_url(one.id) if whole or not one.page else notices.page_url(one.id, one.page),
            pieces=one.pieces,
            text=one.text,
            score=one.score,
            thumb=None if whole else notices.image_url(record, one.page or 1, 104),
        )

    return Already(
        tuple(shown(one, whole=True) for one in found.answers if one.id in held),
        tuple(shown(one, whole=False) for one in found.passages if one.id in held),
    )
