"""CQL 1.2, the query language of SRU, to a query tree.

Hides the grammar (Library of Congress, "CQL: Contextual Query Language, Specifications, SRU Version 1.2" and
its BNF): context sets and their scope, booleans of one precedence read from the left, masking, escapes,
sorting. What a single clause asks is said in ``search.cql_indexes``, what cannot be done in
``search.diagnostics``.

Booleans combine *records*, as the standard has it: "a and b" finds a record that says one thing on page 1 and
the other on page 9. The words of one clause stand together on a page, as in the search box.

Nothing here calls itself for what a query nests: parentheses are read with a list of what is open, and the
depth of a tree is bounded by the number of booleans.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from search.cql_indexes import CONTEXT_SETS, INDEXES, MASK, MODIFIERS, Clause, Index, Whole, clause
from search.diagnostics import Diagnostic, Unanswerable
from search.query import And, Not, Or, Query, Sort

LONGEST = 4_000
"""Characters of a query: twice what the search box reads, and all that fits into the address of a request
once its accents are escaped."""
MOST_BOOLEANS = 100
"""Far more than programs write, and few enough that engines may call themselves once a level."""
DEEPEST = 50
"""Parentheses within parentheses."""

_ALL = INDEXES["cql.serverchoice"]
_BOOLEANS = ("and", "or", "not", "prox")
_RESERVED = (*_BOOLEANS, "sortby")
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<quote>")|(?P<sign>==|<=|>=|<>|[=<>])|(?P<mark>[()/])
    |(?P<word>(?:[^\s()=<>"/\\]|\\.|\\)+))""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks of an engine: its tree, filters and order. ``faults`` could not be obeyed and do not
    hinder the answer."""

    query: Query
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sort: Sort = Sort.RELEVANCE
    sorted: bool = False
    """Whether the query itself says an order."""
    faults: tuple[Diagnostic, ...] = ()


def parse(text: str, whole: Whole = lambda phrase: phrase) -> Asked:
    """What ``text`` asks. ``whole`` gives the records that ``==`` and ``exact`` ask for; without it, they are
    those that have the phrase anywhere in the field. Raises Unanswerable, and nothing else whatever the
    text."""
    if len(text) > LONGEST:
        raise Unanswerable(12, LONGEST)
    parser = _Parser(_tokens(text), whole, len(text))
    found, keys = parser.read()
    sort, faults = ordered(keys)
    filters = tuple((name, tuple(sorted(codes))) for name, codes in found.codes.items() if codes)
    query = found.query()
    if any(not codes for codes in found.codes.values()):
        query = Or(())
    return Asked(query, filters, sort, bool(keys), faults)


# -- tokens


@dataclass(frozen=True, slots=True)
class _Token:
    """``kind``: string (without its quotes), word, sign (a comparison), mark ( ( ) / ) or end."""

    kind: str
    text: str
    position: int

    @property
    def keyword(self) -> str:
        """The reserved word that it is, in lower case; "" for any other token."""
        return word if self.kind == "word" and (word := self.text.lower()) in _RESERVED else ""


def _tokens(text: str) -> Iterator[_Token]:
    at, length = 0, len(text.rstrip())
    while at < length:
        match = _TOKEN.match(text, at)
        assert match is not None  # every character begins one of the alternatives
        at, kind = match.end(), str(match.lastgroup)
        if kind == "quote":
            raise Unanswerable(14, match.start(kind))
        said = match[kind][1:-1] if kind == "string" else match[kind]
        yield _Token(kind, said, match.start(kind))


_ESCAPED = re.compile(r"\\(.?)|([*?^])", re.DOTALL)


def _read_term(said: str) -> str:
    """A term without its escapes, MASK where letters are masked."""
    return _ESCAPED.sub(_unescaped, said.replace(MASK, " "))


def _unescaped(match: re.Match[str]) -> str:
    if (sign := match[2]) is not None:
        if sign == "*":
            return MASK
        raise Unanswerable(28 if sign == "?" else 31, sign)
    if match[1] not in ("*", "?", "^", '"', "\\") or not match[1]:
        raise Unanswerable(26, match[1])
    return match[1]


def _plain(said: str) -> str:
    """A name or an address, whose backslashes only protect quotes."""
    return said.replace('\\"', '"')


# -- what clauses make together


@dataclass(frozen=True, slots=True)
class _Found:
    """Clauses put together. ``units`` is true of the units that single clauses are true of; ``whole`` of all
    units of a record or of none; ``positive``: the trees of which at least one is true of a record that is
    found. ``split``: clauses on pages were joined by "and", so that ``units`` asks too much. ``codes``:
    facets that records must have, besides; ``bare`` when nothing else is asked."""

    units: Query
    whole: Query
    positive: tuple[Query, ...]
    paged: bool = False
    split: bool = False
    codes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    bare: bool = False

    def query(self) -> Query:
        """The tree that finds the records: where it must be split, one part says which, and the other which
        of their pages are good, and how good."""
        return And((Or(self.positive), self.whole)) if self.split else self.units


def _of_clause(made: Clause) -> _Found:
    whole = Not(Not(made.query)) if made.paged else made.query
    codes = {} if made.codes is None else {made.index.facet: made.codes}
    return _Found(made.query, whole, (made.query,), made.paged, codes=codes, bare=bool(codes))


def _both(left: _Found, right: _Found) -> _Found:
    codes = dict(left.codes)
    for facet, some in right.codes.items():
        codes[facet] = codes.get(facet, some) & some
    if left.bare or right.bare:
        return replace(right if left.bare else left, codes=codes, bare=left.bare and right.bare)
    return _Found(
        units=_flat(And, left.units, right.units),
        whole=_flat(And, left.whole, right.whole),
        positive=(*left.positive, *right.positive),
        paged=left.paged or right.paged,
        split=left.split or right.split or (left.paged and right.paged),
        codes=codes,
    )


def _either(left: _Found, right: _Found) -> _Found:
    if left.bare and right.bare and len(left.codes) == 1 and left.codes.keys() == right.codes.keys():
        return replace(left, codes={facet: codes | right.codes[facet] for facet, codes in left.codes.items()})
    _without_codes("or", left, right)
    return _Found(
        units=_flat(Or, left.units, right.units),
        whole=_flat(Or, left.whole, right.whole),
        positive=(*left.positive, *right.positive),
        paged=left.paged or right.paged,
        split=left.split or right.split,
    )


def _without(left: _Found, right: _Found) -> _Found:
    _without_codes("not", right)
    no = Not(right.whole if right.split else right.units)
    if left.bare:
        return _Found(no, no, (no,), codes=left.codes)
    return replace(left, units=_flat(And, left.units, no), whole=_flat(And, left.whole, no))


def _without_codes(boolean: str, *some: _Found) -> None:
    """Raises Unanswerable for clauses on facets, which only cut a result."""
    if names := sorted({facet for found in some for facet in found.codes}):
        told = " ".join(index.name for index in INDEXES.values() if index.facet in names)
        raise Unanswerable(48, f"{told} with {boolean}")


def _flat(kind: type[And] | type[Or], *some: Query) -> Query:
    parts: list[Query] = []
    for part in some:
        parts.extend(part.parts if isinstance(part, And | Or) and isinstance(part, kind) else (part,))
    return kind(tuple(parts))


_JOINS = MappingProxyType({"and": _both, "or": _either, "not": _without})


# -- the grammar


@dataclass(slots=True)
class _Open:
    """A query that is being read: the whole one, or one in parentheses."""

    position: int
    sets: Mapping[str, str]
    found: _Found | None = None
    boolean: str = ""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order: the name of an index, and modifiers in lower case with their values."""

    path: str
    modifiers: tuple[tuple[str, str], ...] = ()


class _Parser:
    """Reads tokens from the left, once."""

    def __init__(self, tokens: Iterator[_Token], whole: Whole, length: int) -> None:
        self._tokens = [*tokens, _Token("end", "", length)]
        self._at = 0
        self._whole = whole
        self._booleans = 0
        self._open = [_Open(0, {name: name for name in CONTEXT_SETS})]

    def read(self) -> tuple[_Found, list[SortKey]]:
        """What is found, and in which order."""
        while True:
            self._operand()
            while self._is_mark(")"):
                self._close()
            if self._next.keyword in _BOOLEANS:
                self._boolean()
                continue
            keys = self._sort_keys() if self._next.keyword == "sortby" else []
            return self._end(), keys

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _is_mark(self, text: str) -> bool:
        return self._next.kind == "mark" and self._next.text == text

    def _fault(self, wanted: str) -> Unanswerable:
        return Unanswerable(10, f"character {self._next.position}: {wanted} is expected")

    def _operand(self) -> None:
        """Everything up to the end of one clause."""
        self._assignments()
        while self._is_mark("("):
            if len(self._open) > DEEPEST:
                raise Unanswerable(13, self._next.position)
            self._open.append(_Open(self._take().position, self._open[-1].sets))
            self._assignments()
        self._join(_of_clause(self._clause()))

    def _join(self, right: _Found) -> None:
        here = self._open[-1]
        here.found = right if here.found is None else _JOINS[here.boolean](here.found, right)

    def _close(self) -> None:
        if len(self._open) == 1:
            raise Unanswerable(13, self._next.position)
        self._take()
        closed = self._open.pop().found
        assert closed is not None  # an operand was read
        self._join(closed)

    def _boolean(self) -> None:
        token = self._take()
        if token.keyword == "prox":
            raise Unanswerable(39)
        self._booleans += 1
        if self._booleans > MOST_BOOLEANS:
            raise Unanswerable(38, MOST_BOOLEANS)
        for name, _ in self._modifiers():
            raise Unanswerable(46, name)
        self._open[-1].boolean = token.keyword

    def _end(self) -> _Found:
        if len(self._open) > 1:
            raise Unanswerable(13, self._open[-1].position)
        if self._next.kind != "end":
            raise self._fault("a boolean, or quotes around several words,")
        found = self._open[0].found
        assert found is not None  # an operand was read
        return found

    # -- context sets

    def _assignments(self) -> None:
        """``> name = "identifier"``, for what follows up to the end of the parentheses."""
        while self._next.kind == "sign" and self._next.text == ">":
            self._take()
            name, first = "", self._name()
            if self._next.kind == "sign" and self._next.text == "=":
                self._take()
                name, first = first.lower(), self._name()
            here = self._open[-1]
            here.sets = {**here.sets, name: _set_of(_plain(first))}

    def _name(self) -> str:
        if self._next.kind not in ("word", "string"):
            raise self._fault("a name")
        return self._take().text

    def _index(self, said: str) -> Index:
        """The index of this name, with its set or without: then of the set that the query declared, else of
        the first that has it."""
        short, dot, base = said.partition(".")
        sets = self._open[-1].sets
        if dot:
            if (known := sets.get(short.lower())) is None:
                raise Unanswerable(15, short)
            tried: tuple[str, ...] = (known,)
        else:
            base, tried = said, (sets[""],) if "" in sets else tuple(CONTEXT_SETS)
        for name in tried:
            if found := INDEXES.get(f"{name}.{base.lower()}"):
                return found
        raise Unanswerable(16, said)

    # -- clauses

    def _clause(self) -> Clause:
        first = self._next
        if first.kind not in ("word", "string") or first.keyword:
            raise self._fault("a search term")
        self._take()
        named = self._next.kind == "sign" or (self._next.kind == "word" and not self._next.keyword)
        if first.kind == "string" or not named:
            return clause(_ALL, "=", _read_term(first.text), self._whole)
        relation = self._take().text
        self._check_modifiers()
        if self._next.kind not in ("word", "string"):
            raise self._fault("a search term, or quotes around several words,")
        term = self._take().text
        return clause(self._index(first.text), self._relation(relation), _read_term(term), self._whole)

    def _relation(self, said: str) -> str:
        short, dot, base = said.partition(".")
        if not dot:
            return said
        if (known := self._open[-1].sets.get(short.lower())) is None:
            raise Unanswerable(15, short)
        return base if known == "cql" else said

    def _check_modifiers(self) -> None:
        for name, value in self._modifiers():
            if name.removeprefix("cql.") not in MODIFIERS or value:
                raise Unanswerable(20, name + value)

    def _modifiers(self) -> Iterator[tuple[str, str]]:
        """Names in lower case; values with the sign before them, "" for none."""
        while self._is_mark("/"):
            self._take()
            name, value = self._name().lower(), ""
            if self._next.kind == "sign":
                value = self._take().text + self._name()
            yield name, value

    def _sort_keys(self) -> list[SortKey]:
        self._take()
        keys = []
        while self._next.kind == "word":
            path = self._take().text
            if "." in path:
                path = self._index(path).name
            keys.append(SortKey(path, tuple(self._modifiers())))
        if not keys:
            raise self._fault("a sort key")
        return keys


def _set_of(identifier: str) -> str:
    for name, identifiers in CONTEXT_SETS.items():
        if identifier in identifiers:
            return name
    raise Unanswerable(15, identifier)


# -- order

_ORDERS: Mapping[tuple[str, bool], Sort] = MappingProxyType(
    {
        ("title", False): Sort.TITLE,
        ("date", False): Sort.OLDEST,
        ("date", True): Sort.NEWEST,
        ("relevance", False): Sort.RELEVANCE,
        ("relevance", True): Sort.RELEVANCE,
    }
)
SORTED = ("dc.title", "dc.date")
"""Indexes that results may be sorted by; "relevance" is no index."""


def ordered(keys: Sequence[SortKey]) -> tuple[Sort, tuple[Diagnostic, ...]]:
    """The order that these keys ask for, and what cannot be obeyed of them: then the answer comes all the
    same, in the nearest order. Only the first key is obeyed; what has no date comes last."""
    faults = [Diagnostic(84, "1")] if len(keys) > 1 else []
    if not keys:
        return Sort.RELEVANCE, ()
    path = keys[0].path.lower().removeprefix("dc.")
    descending = False
    for name, value in keys[0].modifiers:
        match name.removeprefix("sort."), value:
            case (("ascending" | "descending" as direction), ""):
                descending = direction == "descending"
            case "ignorecase" | "ignoreaccents", "":
                pass
            case "respectcase", _:
                faults.append(Diagnostic(91, name))
            case missing, _ if missing.startswith("missing"):
                if missing != ("missinglow" if descending else "missinghigh"):
                    faults.append(Diagnostic(92, name + value))
            case _:
                faults.append(Diagnostic(82, name + value))
    if (path, False) not in _ORDERS:
        return Sort.RELEVANCE, (*faults, Diagnostic(88, keys[0].path))
    if (path, descending) not in _ORDERS:
        faults.append(Diagnostic(90, "descending"))
    return _ORDERS.get((path, descending), _ORDERS[path, False]), tuple(faults)
