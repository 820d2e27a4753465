"""Which message answers which: what is written in the head of a mail, and what comes back in it.

Hides RFC 5322, 3.6.4 (Message-ID, In-Reply-To, References) and what mail programs do to it: fields folded in
the middle of an id, encoded, without brackets, or gone, so that only the subject is left. A message id is
written here as it stands in a mail, in its brackets: ``<q.2026-042.k3j2h1@exemple.fr>``.
"""

from __future__ import annotations

import base64
import quopri
import re
import secrets
import string
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from enum import StrEnum
from typing import Protocol

from kb.errors import InvalidValue

LONGEST_ID = 250
"""Characters of a message id that is believed: it fits a line (998) and the column that keeps it."""

_KEPT = 20  # of the last references, beside the first: programs show threads by these, and lines stay few
_LONGEST_FIELD = 60_000  # characters of a field, its end, that are looked at
_MOST = 200  # ids looked at in one field: the longest threads have some tens
_ID = re.compile(rf"<[!-;=?-~]{{3,{LONGEST_ID - 2}}}>")
_SECRET = 16  # bytes: nobody who knows a reference guesses the id


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a message that leaves stands: its own id, the one that it answers, and those that this one
    answered in turn, oldest first."""

    message_id: str
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()

    def line(self) -> tuple[str, ...]:
        """What its field References says: the former ones and the parent; the first and the last 20 only."""
        parent = () if self.in_reply_to is None else (self.in_reply_to,)
        former = tuple(id for id in self.references if id not in (*parent, self.message_id))
        ids = tuple(id for id in dict.fromkeys((*former, *parent)) if is_id(id))
        return ids if len(ids) <= _KEPT + 1 else (ids[0], *ids[-_KEPT:])


def is_id(text: str) -> bool:
    """Whether it is a message id in its brackets, that can be written in a field."""
    return _ID.fullmatch(text) is not None


def new_message_id(reference: str, domain: str) -> str:
    """An id that nobody guesses, in which a person can read the question. It is in lower case: some programs
    do not keep the case. Raises InvalidValue for what cannot be in an id."""
    secret = base64.b32encode(secrets.token_bytes(_SECRET)).decode().rstrip("=").lower()
    try:
        host = domain.strip().encode("idna").decode().lower()
    except UnicodeError:
        host = ""
    id = f"<q.{reference.lower()}.{secret}@{host}>"
    if not re.fullmatch(r"[\w-]+", reference, re.ASCII) or not re.fullmatch(_HOST, host) or not is_id(id):
        raise InvalidValue("message_id", "cette référence ou ce domaine ne peuvent pas être dans un courriel")
    return id


_HOST = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*"


# -- the subject

_LONGEST_SUBJECT = 200  # characters: what programs show of it, several times over
_LONGEST_TYPED = 2000  # characters of a subject that are looked at
_ANSWERED = re.compile(
    r"\s*(?:(?:re|ré|rép|réf|tr|fw|fwd|aw|wg|rv|réponse)\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*\.?)\s*:",
    re.IGNORECASE,
)
_DASH = "[-‐‑‒–—−]"
_NUMBERED = rf"q\s*(?:n\s*[°ºo.]?\s*)?([0-9]{{4}})\s*{_DASH}\s*([0-9]{{1,7}})(?![0-9])"
_REFERENCE = re.compile(rf"[\[({{]\s*{_NUMBERED}\s*[\])}}]?|\b{_NUMBERED}\s*[\])}}]?", re.IGNORECASE)


def reply_subject(subject: str, reference: str) -> str:
    """« Re: … [Q 2026-042] » for the subject of a message or of an answer to it: one « Re: » and one
    reference, whatever it had."""
    core = _plain(subject)
    while (shorter := _without_marks(core)) != core:
        core = shorter
    if len(core) > _LONGEST_SUBJECT:
        core = core[: _LONGEST_SUBJECT - 1].rstrip() + "…"
    return f"Re: {core or 'votre question'} [Q {reference}]"


def reference_in(subject: str) -> str | None:
    """The reference that a subject names ("2026-042"), the last if it names several: it is put at the end."""
    found = list(_REFERENCE.finditer(_plain(subject)))
    if not found:
        return None
    year, number = (group for group in found[-1].groups() if group is not None)
    return f"{year}-{int(number):03}"


def _plain(subject: str) -> str:
    """On one line, in composed characters, nothing invisible, blanks and digits as on a keyboard."""
    composed = _composed(subject[:_LONGEST_TYPED])
    shown = (" " if c.isspace() or unicodedata.category(c)[0] == "C" else c for c in composed)
    return " ".join("".join(shown).split())


def _composed(text: str) -> str:
    """NFC, and in what may be a reference the plain digits for the wide ones."""
    return unicodedata.normalize("NFC", text).translate(_WIDE)


_WIDE = {0xFF10 + digit: str(digit) for digit in range(10)} | {
    0xFF3B: "[", 0xFF3D: "]", 0xFF31: "Q", 0xFF51: "q",
}  # fmt: skip


def _without_marks(subject: str) -> str:
    bare = _REFERENCE.sub(" ", subject)
    return " ".join(_ANSWERED.sub("", bare, count=1).split() if _ANSWERED.match(bare) else bare.split())


# -- the fields


def ids_of(value: str) -> tuple[str, ...]:
    """The message ids in one field, in their order, each once: those in brackets, even if the line ended
    inside them or a bracket lacks, and bare words with an @. What else is there, people's words, is left."""
    found: list[str] = []
    for bracketed, bare in _TOKEN.findall(_unwrapped(value[-_LONGEST_FIELD:])):
        if bracketed or "@" in bare:
            found += _split(bracketed) if bracketed else [f"<{bare}>"]
    ids = dict.fromkeys(id for id in found if is_id(id))
    return tuple(ids)[-_MOST:]


_TOKEN = re.compile(r"<([^<>]*)>?|([^\s<>,;\"'()]+)")


def ids_in(fields: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The ids of the messages that one answers, the newest first, from the (name, value) of its fields:
    those of In-Reply-To, then those of References from the last to the first."""
    held: dict[str, list[str]] = {"in-reply-to": [], "references": []}
    for name, value in fields:
        if name.lower() in held:
            held[name.lower()] += ids_of(value)
    return tuple(dict.fromkeys((*held["in-reply-to"], *reversed(held["references"]))))


def _split(inside: str) -> list[str]:
    """What stood between two brackets: one id, folded perhaps; several where one was not closed."""
    if inside.count("@") > 1:
        return [f"<{word}>" for word in re.split(r"[\s,;]+", inside) if "@" in word]
    return ["<" + "".join(inside.split()) + ">"]


_WORD = re.compile(r"=\?[\w-]{1,40}\?[bq]\?[^?\s]*\?=", re.IGNORECASE)


def _unwrapped(value: str) -> str:
    """The field without encoded words (RFC 2047) and quoted-printable, which some make of long ids."""
    if _WORD.search(value):
        try:
            value = str(make_header(decode_header(re.sub(r"[\r\n]+", "", value))))
        except (HeaderParseError, LookupError, UnicodeError, ValueError):
            return value  # what of it is an id all the same is still found
    if "<" not in value and re.search("=3c|=40", value, re.IGNORECASE) and value.isascii():
        return quopri.decodestring(value.encode()).decode("ascii", "replace")
    return value


# -- which question


class Received(Protocol):
    """What is asked of a message to find its question; ``ingest.incoming.Incoming`` answers."""

    @property
    def sender(self) -> str:
        """The address that wrote, "" if unknown."""
        ...

    @property
    def subject(self) -> str:
        """Decoded."""
        ...

    @property
    def message_id(self) -> str | None:
        """Its own id."""
        ...

    @property
    def in_reply_to(self) -> str | None:
        """The id that it answers."""
        ...

    @property
    def references(self) -> tuple[str, ...]:
        """The ids before, oldest first."""
        ...


class Why(StrEnum):
    """What a match rests on."""

    SAME = "same"
    """This very message is there already."""
    ANSWERS = "answers"
    """It answers one of our messages, and comes from the asker."""
    ANSWERS_FOR = "answers-for"
    """It answers one of our messages from another address than the asker's: theirs too, or that of somebody
    who was given our message. The page must say who wrote."""
    SUBJECT = "subject"
    """The asker names the reference."""
    STRANGER = "stranger"
    """Somebody who is not the asker names the reference: a person decides."""
    UNKNOWN = "unknown"
    """There is no question of that reference."""
    NEW = "new"
    """Nothing ties it to a question."""


@dataclass(frozen=True, slots=True)
class Match:
    """The question that a message belongs to, None for a new one; a person is asked if it is not ``sure``."""

    question: int | None
    sure: bool
    why: Why


def matched(
    incoming: Received,
    *,
    by_message_id: Callable[[str], int | None],
    by_reference: Callable[[str], int | None],
    asker_of: Callable[[int], str | None],
) -> Match:
    """Where a message belongs. Ids are secrets of those who got our message; a reference is none, and counts
    for the asker's address alone. (An address can be forged: who knows both is taken for the asker.)"""
    if incoming.message_id and (question := by_message_id(incoming.message_id)) is not None:
        return Match(question, True, Why.SAME)
    parent = () if incoming.in_reply_to is None else (incoming.in_reply_to,)
    for id in dict.fromkeys((*parent, *reversed(incoming.references))):
        if (question := by_message_id(id)) is not None:
            own = _same_address(incoming.sender, asker_of(question))
            return Match(question, True, Why.ANSWERS if own else Why.ANSWERS_FOR)
    if (reference := reference_in(incoming.subject)) is None:
        return Match(None, True, Why.NEW)
    if (question := by_reference(reference)) is None:
        return Match(None, True, Why.UNKNOWN)
    own = _same_address(incoming.sender, asker_of(question))
    return Match(question, own, Why.SUBJECT if own else Why.STRANGER)


def _same_address(sender: str, asker: str | None) -> bool:
    """Only the case of A to Z is folded: the Kelvin sign, of which Unicode makes a K, is another letter."""
    if not sender or not asker:
        return False
    return sender.strip().translate(_LOWER) == asker.strip().translate(_LOWER)


_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
