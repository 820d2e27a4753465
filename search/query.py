"""What is asked, as a tree of frozen values: ours, never an engine's.

What a tree means is said here once, and every engine obeys. A record offers *units*: one for its
own fields alone (page 0), and one for each page, read together with the record's own fields. A
leaf names the units that it is true of:

- ``Words``: as many of its words as ``need`` asks stand in the unit, in one of the fields;
- ``Phrase``: its words stand in this order side by side in one field of the unit (stop words in
  between must stand there too, whichever they are);
- ``Prefix``: a word that has a form beginning so stands in the unit;
- ``Fuzzy``: a word that has a form at most one letter away stands in the unit;
- ``Between``: the record's year lies in the span;
- ``Everything``: all units.

``And`` is the intersection, ``Or`` the union; ``Not(x)`` is every unit of the records that have no
unit in x: SAUF excludes whole records. A record matches when one of its units does.

Words become terms by ``kb.french``: a word and its inflections are one term. A text whose words are
all stop words matches everything under ``Words`` and ``Phrase``, since it asks for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


class Need(StrEnum):
    """How many of the words must stand in a unit."""

    ALL = "all"
    MOST = "most"  # see ``least``
    ANY = "any"


def least(need: Need, terms: int) -> int:
    """How many of ``terms`` different terms a unit must hold at least."""
    match need:
        case Need.ALL:
            return terms
        case Need.MOST:
            return terms if terms < 3 else (terms + 1) // 2
        case Need.ANY:
            return min(1, terms)


@dataclass(frozen=True, slots=True)
class Everything:
    """Every record."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words in any order. ``fields`` () means all text fields of ``search.engine.FIELDS``."""

    text: str
    fields: tuple[str, ...] = ()
    need: Need = Need.ALL


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words side by side."""

    text: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words with a form that begins with ``text`` (one word, no asterisk)."""

    text: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Words with a form at one letter (added, dropped, changed, or two swapped) from ``text``."""

    text: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Between:
    """Records whose year is in the span, both ends included; None is open."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class And:
    """All of ``parts``; none at all is Everything."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of ``parts``; none at all is nothing."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Records of which ``part`` is true nowhere."""

    part: Query


Query: TypeAlias = Everything | Words | Phrase | Prefix | Fuzzy | Between | And | Or | Not


class Sort(StrEnum):
    """Order of hits. Undated records come last by date; equal ones by id."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to an engine.

    ``filters``: facet -> codes; within a facet any of them, between facets all. Year codes may also
    be spans, "2008-2012". ``facets`` names those to count. ``pages``: best pages wanted a hit.
    """

    query: Query = field(default_factory=Everything)
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    facets: tuple[str, ...] = ()
    sort: Sort = Sort.RELEVANCE
    offset: int = 0
    limit: int = 20
    pages: int = 3
