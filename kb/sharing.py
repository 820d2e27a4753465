"""What of a record goes out to others, and to whom: the one place where that is decided.

Hides the rule behind each kind of access. ``public`` goes to everybody with its text; ``onsite`` to everybody
as a notice alone, since its text is read at the centre; ``network`` to the centres that have a key, with its
text; ``staff`` to nobody. What only this machine can use (paths of files) stays, and so do the bar codes and
the loans of copies: they tell of persons who borrow. Records hold nothing of who asks: questions are
published anonymised. Characters that XML cannot say (1.0, 2.2) stay too, so that a record is the same
whatever way it goes.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from kb.accounts import Right
from kb.records import Page, Record


class Audience(StrEnum):
    """Who may be told, the fewest first."""

    NOBODY = ""
    NETWORK = "network"
    PUBLIC = "public"


_AUDIENCES: Mapping[str, Audience] = MappingProxyType(
    {
        "public": Audience.PUBLIC,
        "onsite": Audience.PUBLIC,
        "network": Audience.NETWORK,
        "staff": Audience.NOBODY,
    }
)
_WIDTH = tuple(Audience)
_WITH_TEXT = ("public", "network")
_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Shared:
    """A record and its pages as they travel between centres."""

    record: Record
    pages: tuple[Page, ...] = ()


def audience_of(record: Record) -> Audience:
    """The widest audience that may be told of the record."""
    return _AUDIENCES[record.access]


def audience_with(rights: Iterable[Right]) -> Audience:
    """As whom somebody with these rights is told."""
    return Audience.NETWORK if Right.READ_NETWORK in set(rights) else Audience.PUBLIC


def widest(*some: Audience) -> Audience:
    """The widest of several audiences."""
    return max(some, key=_WIDTH.index)


def may_be_told(told_to: Audience, asks: Audience) -> bool:
    """Whether what is for ``told_to`` may be told to who asks: a centre with a key sees what everybody
    does."""
    return told_to is Audience.PUBLIC or (told_to is Audience.NETWORK and asks is Audience.NETWORK)


def goes_with_text(record: Record) -> bool:
    """Whether the pages of the record go out with it."""
    return record.access in _WITH_TEXT


def outward(record: Record, pages: Sequence[Page] = ()) -> Shared:
    """The record as it goes out, to whoever may be told of it; pages without what they were before
    cleaning."""
    subjects = record.subjects
    if not goes_with_text(record):
        pages = ()
        subjects = tuple(dataclasses.replace(subject, evidence=()) for subject in subjects)
    source = record.source if record.source and re.match(r"https?://", record.source) else None
    copies = tuple(
        dataclasses.replace(copy, barcode=None, status=_status(copy.status)) for copy in record.copies
    )
    told = dataclasses.replace(record, subjects=subjects, source=source, copies=copies)
    return Shared(_sayable(told), tuple(map(_page, pages)))


def _page(page: Page) -> Page:
    """A page as it goes out; blanks keep the places of words in its text true."""
    said: Page = _sayable(page)
    return dataclasses.replace(said, text=_UNSAYABLE.sub(" ", page.text), raw=None)


def _sayable(value: Any) -> Any:
    """The same without characters that cannot be said; what needs no change is not copied."""
    if isinstance(value, str):
        return _UNSAYABLE.sub("", value) if _UNSAYABLE.search(value) else value
    if isinstance(value, tuple):
        return tuple(map(_sayable, value))
    if isinstance(value, Mapping):
        return {_sayable(name): _sayable(item) for name, item in value.items()}
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    held = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    changed = {name: said for name, item in held.items() if (said := _sayable(item)) != item}
    return dataclasses.replace(value, **changed) if changed else value


def _status(status: str) -> str:
    """Whether a copy stays at the centre; not that somebody has it at home now."""
    return status if status in ("onsite", "missing") else "available"
