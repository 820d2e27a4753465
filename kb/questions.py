"""A question that somebody asked the centre, as a frozen value: its states, and the moves allowed between
them.

Hides what may be typed and what may follow what. How questions are kept is ``kb.desk``; who asked is apart
(``kb.askers``), and nothing here names a person.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from kb.errors import InvalidValue, MoveRefused

LONGEST = 10_000
"""Characters of a question, of its context, of an exchange typed in a form."""

LONGEST_ANSWER = 50_000
"""Characters of an answer: some twenty printed pages."""


class QuestionState(StrEnum):
    """Where a question stands."""

    RECEIVED = "received"
    IN_HAND = "in_hand"
    WAITING = "waiting"  # for the asker, who was asked something
    ANSWERED = "answered"
    PUBLISHED = "published"
    CLOSED = "closed"


_S = QuestionState

MOVES: Mapping[QuestionState, frozenset[QuestionState]] = MappingProxyType(
    {
        _S.RECEIVED: frozenset({_S.IN_HAND, _S.CLOSED}),
        _S.IN_HAND: frozenset({_S.RECEIVED, _S.WAITING, _S.ANSWERED, _S.CLOSED}),
        _S.WAITING: frozenset({_S.IN_HAND, _S.ANSWERED, _S.CLOSED}),
        _S.ANSWERED: frozenset({_S.IN_HAND, _S.PUBLISHED, _S.CLOSED}),
        _S.PUBLISHED: frozenset({_S.IN_HAND, _S.ANSWERED, _S.CLOSED}),
        _S.CLOSED: frozenset({_S.IN_HAND}),
    }
)
"""State -> the states that may follow. What is not here is refused. One that is WAITING is in hand again
by itself when its asker writes; one that is done only when somebody takes it up again: most write to say
thanks. A published one becomes ANSWERED again when its publication is withdrawn."""

OPEN = (_S.RECEIVED, _S.IN_HAND, _S.WAITING)
"""States in which an answer is owed."""

DONE = (_S.ANSWERED, _S.PUBLISHED, _S.CLOSED)


def check_move(before: QuestionState, after: QuestionState) -> None:
    """Raises MoveRefused for a move that ``MOVES`` does not allow."""
    if after not in MOVES[before]:
        raise MoveRefused(before, after)


class Channel(StrEnum):
    """How somebody reaches the desk, and is answered."""

    FORM = "form"
    EMAIL = "email"
    TELEPHONE = "telephone"
    VISIT = "visit"
    LETTER = "letter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question.

    ``reference`` is what people call it ("2026-042": the year, and its number in the year, in the centre's
    time); ``follow`` the secret of the asker's page. ``actor``, ``territory`` and ``themes`` are codes of the
    thesaurus. ``wanted_by`` and ``due`` are days in the centre's time: the day that the asker wishes, the day
    that the desk owes. ``waited``: working days that it waited for the asker. ``assignee`` and ``asker`` are
    numbers. ``version`` grows with each change of what is asked.
    """

    id: int
    reference: str
    follow: str
    text: str
    context: str
    channel: Channel
    actor: str | None
    territory: str | None
    themes: tuple[str, ...]
    wanted_by: date | None
    state: QuestionState
    asker: int | None
    assignee: int | None
    received: datetime
    due: date
    answered: datetime | None
    ended: datetime | None
    waiting_since: datetime | None
    waited: int
    consent: bool
    merged_into: int | None
    anonymised: datetime | None
    version: int

    @property
    def is_open(self) -> bool:
        """Whether an answer is owed."""
        return self.state in OPEN

    def is_overdue(self, today: date) -> bool:
        """Whether the answer should have left before ``today``, a day in the centre's time. While the asker
        is waited for, nothing is late."""
        return self.state in (_S.RECEIVED, _S.IN_HAND) and self.due < today


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks, before it has a number."""

    text: str
    context: str = ""
    channel: Channel = Channel.FORM
    actor: str | None = None
    territory: str | None = None
    themes: tuple[str, ...] = ()
    wanted_by: date | None = None
    consent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What the asker told the desk (``incoming``), or the desk the asker. ``person`` wrote for the desk;
    ``quoted`` is the part of a mail that repeats former ones; ``references`` are the message ids that it
    answers, oldest first."""

    id: int
    question: int
    incoming: bool
    channel: Channel
    at: datetime
    person: int | None
    subject: str
    text: str
    quoted: str = ""
    message_id: str | None = None
    references: tuple[str, ...] = ()
    enclosures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody of the staff says to the others. It never leaves the desk."""

    id: int
    question: int
    at: datetime
    person: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that came with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said, before it is an exchange."""

    text: str
    channel: Channel
    subject: str = ""
    quoted: str = ""
    message_id: str | None = None
    references: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()


def regular_text(field: str, text: str, *, needed: bool, longest: int = LONGEST) -> str:
    """A text as it is kept: NFC, line ends made one, no control characters, nor those that turn the direction
    of what stands around (Unicode Annex 9), trimmed. Raises InvalidValue, also for what shows nothing."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in lines if c in "\n\t" or not _is_control(c)).strip()
    if needed and not any(unicodedata.category(c)[0] in "LNPS" for c in kept):
        raise InvalidValue(field, "écrivez quelques mots")
    if len(kept) > longest:
        spaced = f"{longest:,}".replace(",", " ")
        raise InvalidValue(field, f"ce texte est trop long : {spaced} caractères au plus")
    return kept


def _is_control(character: str) -> bool:
    """Embeddings, overrides and isolates would turn a whole line round; lone surrogates are no characters."""
    turns = character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return turns or unicodedata.category(character) in ("Cc", "Cs")
