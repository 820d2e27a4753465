"""The contract that every search engine keeps, and the two tables that all of them read.

``tests/search/test_engine_contract.py`` holds each engine to it; ``search.memory`` is the engine
that is plainly right. What a query means stands in ``search.query``.

Scores. A token in a field scores as BM25 (k1 1.2; b 0.75, of a page 0.4) times the weight of the field. Its
idf is ln(1 + (N - n + 0.5)/(n + 0.5)) in all fields alike: N is the number of units (records plus pages), n
that of units that hold it: for a term, pages by their text and records by their plain own fields (what
``forms`` counts); for a key of an exact field, records by that field. Lengths count words that are not stop
words; their mean is over the records (or pages) that have any in the field. ``text`` scores twice: for a
page, by that page; for a record, by the text of all its pages taken as one field of its own (the *whole*:
counts and lengths summed).

A word of a leaf (``Prefix`` and ``Fuzzy`` have one, which any of several tokens may stand for: they add up
within a field) scores for a record the best that it scores in any own field or in the whole, so that saying
it again in another field is not counted twice. Where the leaf is ``Words``, the *kin* of the word add to what
it scores in each plain field and in the whole, before the best is taken: the other terms that begin as
``kin_start`` says, mostly of the same family. They score KIN times what one token would that stood wherever
they stand, with the idf of the word itself. Kin make nothing match, and say nothing for pages.

For a page, a word scores PAGE times what it scores in the page's text, times FIRST if the page is the first
of its record, which says what the document is about. A unit scores the sum over the leaves that are true of
it, of their words, for its record and for its page (page 0 has none). A record scores its best matching unit.
Only the fields of the leaf count, the whole and the page when ``text`` is one of them. Everything, Between,
filters and anything under Not score nothing. Pages of a hit are ordered by what their own text scores, FIRST
left out. Scores are comparable within one result only.

How weights were chosen: on two judged sets (administrative records of many pages, single encyclopaedic
passages), as round numbers in the middle of the range where both stay within 0.005 nDCG@10 of their best;
see ``kb/decisions/0002-french-analysis.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from search.query import Request

K1, B = 1.2, 0.75
PAGE_B = 0.4
"""``b`` of pages, which are cut to about one length: what is shorter is mostly the rest of a document."""
PAGE, FIRST = 0.6, 1.5
KIN = 0.5


def kin_start(term: str) -> str:
    """What the kin of ``term`` begin with: 60 % of its letters, rounded up, at least five; "" if it has no
    kin, since it is shorter or no word."""
    return term[: max(5, -(-len(term) * 6 // 10))] if len(term) >= 5 and term.isalpha() else ""


@dataclass(frozen=True, slots=True)
class Field:
    """How a field is read: ``weight`` in the score; ``exact`` (cotes, identifiers) is folded, not stemmed."""

    weight: float
    exact: bool = False


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "title": Field(1.8),
        "tags": Field(1.0),
        "agents": Field(1.0),
        "abstract": Field(0.7),
        "text": Field(1.0),
        "call_number": Field(1.0, exact=True),
        "identifiers": Field(1.0, exact=True),
    }
)
"""Text fields. ``text`` is the pages; all others are the record's own."""


@dataclass(frozen=True, slots=True)
class Facet:
    """A way to cut the results. ``tree``: broader codes are in the entry too; not ``shown``: nobody chooses
    it, it says what may be found by whom."""

    label: str
    tree: bool = False
    shown: bool = True


ACCESS = "access"
"""The facet of ``records.ACCESS``: who may find a record."""

FACETS: Mapping[str, Facet] = MappingProxyType(
    {
        "theme": Facet("Thème", tree=True),
        "territory": Facet("Territoire", tree=True),
        "type": Facet("Type de document"),
        "scheme": Facet("Dispositif, organisme"),
        "activity": Facet("Activité"),
        "issue": Facet("Enjeu"),
        "support": Facet("Support"),
        "series": Facet("Collection"),
        "language": Facet("Langue"),
        "year": Facet("Année"),
        "centre": Facet("Centre"),
        ACCESS: Facet("Accès", shown=False),
    }
)
SHOWN: tuple[str, ...] = tuple(name for name, facet in FACETS.items() if facet.shown)
"""The facets that people choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record as engines see it. ``fields``: own fields by name; ``pages``: (number, text) in order;
    ``facets``: codes, broader ones included; ``date`` ISO 8601; ``title_key``: folded, for sorting."""

    id: str
    fields: Mapping[str, str] = field(default_factory=dict)
    pages: tuple[tuple[int, str], ...] = ()
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    date: str | None = None
    title_key: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found; ``pages`` are the numbers of its best matching pages, best first (() if its own
    fields alone match or nothing was asked of the text)."""

    id: str
    score: float
    pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """``total`` counts records, exactly. ``facets``: facet -> code -> number of records; the counts of a
    facet that is itself filtered leave its own filter out, so that another value can be added."""

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Writer(Protocol):
    """Changes that become visible together when its context ends without an error."""

    def put(self, entry: Entry) -> None:
        """Add the entry, in place of the one with the same id if there is one."""

    def delete(self, id: str) -> None:
        """Remove the entry; unknown ids are no error."""

    def mark(self, position: int) -> None:
        """The place in the change feed that these changes reach."""


class Engine(Protocol):
    """An index of entries. Many readers, one writer at a time (others wait)."""

    def writer(self, *, fresh: bool = False) -> AbstractContextManager[Writer]:
        """All or nothing. ``fresh``: beside the present index, which serves until the swap at exit."""

    def search(self, request: Request) -> Results:
        """Raises EngineUnavailable, IndexOutdated, UnsupportedQuery."""

    def forms(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Lower-case word forms of the fund, accents as written, that begin with ``prefix`` once both are
        folded; each with the number of units (pages and own fields) that hold its term; commonest first."""

    def near(self, word: str, limit: int) -> list[tuple[str, int]]:
        """The same for forms at one letter from ``word`` (two if it has 8 letters or more), the word itself
        left out; nearest, then commonest first."""

    def spellings(self, terms: Iterable[str]) -> list[str]:
        """Lower-case forms of the fund, accents as written, for these terms: what snippets seek."""

    def held(self, terms: Iterable[str]) -> dict[str, int]:
        """How many units (pages and own fields) hold each term; "" is all of them. How telling words are."""

    def position(self) -> int:
        """The place in the change feed that the index has reached; 0 when empty."""

    def ids(self) -> Iterable[str]:
        """Ids of all entries, in no order: what ``check`` compares with the database."""

    def __len__(self) -> int: ...

    def close(self) -> None:
        """Let go of files and memory."""
