"""What indexes, relations and terms of CQL ask of our fund: one search clause to a query tree.

Hides which field answers which index of which context set, and what each relation means there. Sources: the
Library of Congress's CQL context set (version 1.2) and Dublin Core context set (version 1.1), the Bath
profile's context set for ISBN and ISSN.

Words are read as everywhere in Carbet: case, accents and inflections make no difference. ``=`` is what the
server finds right: words side by side in titles, subjects and descriptions; all words in any order in names
and where no index is named (there, words are sought on one page, as in the search box). ``==`` and ``exact``
ask for one whole value of a field. Dates are compared by year.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from kb import french
from kb.formats import LANGUAGES, language_said, type_named
from kb.records import regular_isbn
from search.diagnostics import Unanswerable
from search.engine import FIELDS
from search.query import And, Between, Everything, Need, Not, Or, Phrase, Prefix, Query, Words

CONTEXT_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "dc": (
            "info:srw/cql-context-set/1/dc-v1.1",
            "info:srw/context-set/1/dc-v1.1",
            "http://purl.org/dc/elements/1.1/",
        ),
        "cql": (
            "info:srw/cql-context-set/1/cql-v1.2",
            "info:srw/cql-context-set/1/cql-v1.1",
            "http://www.loc.gov/zing/cql/context-sets/cql/v1.1/",
        ),
        "bath": ("http://zing.z3950.org/cql/bath/2.0/", "info:srw/cql-context-set/1/bath-v2.0"),
        "sort": ("info:srw/cql-context-set/1/sort-v1.0",),
    }
)
"""Short name of a context set -> its identifiers, the one that we tell first."""


class Kind(StrEnum):
    """How the terms of an index are read."""

    PHRASED = "phrased"  # text; = asks for words side by side
    WORDS = "words"  # text; = asks for all words
    NUMBERS = "numbers"  # ISBN, ISSN, cotes: exact
    DATE = "date"
    CODED = "coded"  # answered by a facet
    ALL = "all"  # every record
    RESULT_SET = "result-set"


@dataclass(frozen=True, slots=True)
class Index:
    """An index that can be asked. ``fields`` are those of ``search.engine.FIELDS``, () for all;
    ``title`` is for people, in French."""

    name: str
    kind: Kind
    title: str = ""
    fields: tuple[str, ...] = ()
    facet: str = ""


_NUMBERS = ("identifiers", "call_number")
INDEXES: Mapping[str, Index] = MappingProxyType(
    {
        index.name.lower(): index
        for index in (
            Index("dc.title", Kind.PHRASED, "Titre", ("title",)),
            Index("dc.creator", Kind.WORDS, "Auteur", ("agents",)),
            Index("dc.contributor", Kind.WORDS, "Auteur ou contributeur", ("agents",)),
            Index("dc.subject", Kind.PHRASED, "Sujet", ("tags",)),
            Index("dc.description", Kind.PHRASED, "Résumé, notes", ("abstract",)),
            Index("dc.date", Kind.DATE, "Année de publication"),
            Index("dc.identifier", Kind.NUMBERS, "Identifiant, cote", _NUMBERS),
            Index("dc.type", Kind.CODED, "Type de document", facet="type"),
            Index("dc.language", Kind.CODED, "Langue", facet="language"),
            Index("bath.isbn", Kind.NUMBERS, "ISBN", ("identifiers",)),
            Index("bath.issn", Kind.NUMBERS, "ISSN", ("identifiers",)),
            Index("cql.serverChoice", Kind.WORDS, "Tous les champs et le texte"),
            Index("cql.anywhere", Kind.WORDS, "Tous les champs et le texte"),
            Index("cql.keywords", Kind.WORDS, "Tous les champs et le texte"),
            Index("cql.allIndexes", Kind.WORDS, "Tous les champs et le texte"),
            Index("cql.anyIndexes", Kind.WORDS, "Tous les champs et le texte"),
            Index("cql.allRecords", Kind.ALL, "Toutes les notices"),
            Index("cql.resultSetId", Kind.RESULT_SET),
        )
    }
)
"""Name of an index with its set, in lower case -> the index."""

_SAME = {"exact": "==", "scr": "=", "eq": "="}
_ORDER = ("<", "<=", ">", ">=", "within")
RELATIONS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.PHRASED: ("=", "==", "exact", "<>", "any", "all", "adj"),
        Kind.WORDS: ("=", "==", "exact", "<>", "any", "all", "adj"),
        Kind.NUMBERS: ("=", "==", "exact", "<>", "any", "all", "adj"),
        Kind.DATE: ("=", "==", "exact", "<>", "any", "all", *_ORDER),
        Kind.CODED: ("=", "==", "exact", "any", "all"),
        Kind.ALL: ("=", "==", "exact", "<>", "any", "all", "adj", *_ORDER),
        Kind.RESULT_SET: (),
    }
)
"""Relations that each kind of index takes."""
_RELATIONS = frozenset(name for names in RELATIONS.values() for name in names)

MODIFIERS = frozenset(("stem", "relevant", "word", "masked", "ignorecase", "ignoreaccents"))
"""Relation modifiers, in lower case, that ask for what is done anyhow."""

MASK = "\ufdd0"
"""Stands in a read term for the asterisk that masks letters: a character that no text has."""

Whole = Callable[[Phrase], Query]
"""The records of which one value of a field is the text of the phrase, from its first to its last word."""


@dataclass(frozen=True, slots=True)
class Clause:
    """What one search clause asks: a tree, or codes of a facet. ``paged``: whether it is true of single pages
    rather than of whole records."""

    index: Index
    query: Query
    codes: frozenset[str] | None = None
    paged: bool = False


def clause(index: Index, relation: str, term: str, whole: Whole) -> Clause:
    """What ``index relation term`` asks. ``term`` is read (no quotes, MASK for masking). Raises
    Unanswerable."""
    named = _SAME.get(relation.lower(), relation.lower())
    if index.kind is Kind.RESULT_SET:
        raise Unanswerable(50)
    if named not in _RELATIONS:
        raise Unanswerable(19, relation)
    if named not in RELATIONS[index.kind]:
        raise Unanswerable(22, f"{index.name} {relation}")
    if index.kind is Kind.ALL:
        return Clause(index, Everything())
    if not term.strip():
        raise Unanswerable(27)
    if index.kind is Kind.CODED:
        return Clause(index, Everything(), _codes(index, named, _unmasked(term)))
    positive = "==" if named == "<>" else named
    query = _READINGS[index.kind](index, positive, term, whole)
    if named == "<>":
        return Clause(index, Not(query))
    return Clause(index, query, paged=not index.fields and not isinstance(query, Everything))


def _unmasked(term: str) -> str:
    if MASK in term:
        raise Unanswerable(28, "*")
    return term


# -- text


def _text(index: Index, relation: str, term: str, whole: Whole) -> Query:
    if set(term.strip()) == {MASK}:
        return _anything(index)
    if relation == "=":
        relation = "adj" if index.kind is Kind.PHRASED else "all"
    words, prefixes = _words(term, index.fields)
    if relation in ("adj", "==") and prefixes:
        if relation == "adj" and len(prefixes) == 1 and not words:
            return prefixes[0]
        raise Unanswerable(33 if relation == "adj" else 24, _said(term, relation))
    if not prefixes:
        _need_terms(words)
    match relation:
        case "adj":
            return (
                Phrase(words, index.fields) if len(french.tokens(words)) > 1 else Words(words, index.fields)
            )
        case "==":
            return whole(Phrase(words, index.fields))
        case "any":
            return _joined(Or, words, prefixes, index.fields, Need.ANY)
        case _:
            return _joined(And, words, prefixes, index.fields, Need.ALL)


def _anything(index: Index) -> Query:
    """What a mask alone asks for: whatever has the field. Every record has a title, of the others it is not
    known."""
    if index.fields in ((), ("title",)):
        return Everything()
    raise Unanswerable(29, 1)


def _said(term: str, relation: str = "") -> str:
    return f"{relation} {term.replace(MASK, '*')}".strip()


def _need_terms(text: str) -> None:
    """Raises Unanswerable for what holds nothing to seek."""
    if not (found := french.tokens(text)):
        raise Unanswerable(36, text)
    if not any(token.term for token in found):
        raise Unanswerable(35, text)


def _words(term: str, fields: tuple[str, ...]) -> tuple[str, list[Prefix]]:
    """The words of a term in one text, and those that a mask ends."""
    plain: list[str] = []
    prefixes: list[Prefix] = []
    for piece in term.split():
        stem = piece.rstrip(MASK)
        if MASK in stem or not stem:
            raise Unanswerable(49, _said(term))
        if stem == piece:
            plain.append(piece)
            continue
        found = french.tokens(stem)
        if not found or found[-1].end != len(stem):
            raise Unanswerable(49, _said(term))
        prefixes.append(Prefix(stem[found[-1].start :], fields))
        plain += [stem[token.start : token.end] for token in found[:-1]]
    return " ".join(plain), prefixes


def _joined(
    kind: type[And] | type[Or], words: str, prefixes: Iterable[Prefix], fields: tuple[str, ...], need: Need
) -> Query:
    parts: list[Query] = [*prefixes]
    if any(token.term for token in french.tokens(words)):
        parts.insert(0, Words(words, fields, need))
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


# -- numbers

_ISBN = re.compile(r"(?:urn:)?(?:isbn)?[\s:]*[\d\s-]{9,20}x?\s*", re.IGNORECASE)
_MARK = re.compile(r"^\s*(?:issn|doi|cote)\s*:?\s+|^\s*(?:issn|doi|cote):", re.IGNORECASE)


def _numbers(index: Index, relation: str, term: str, _: Whole) -> Query:
    if relation in ("any", "all"):
        parts = tuple(_number(index, piece) for piece in term.split())
        return parts[0] if len(parts) == 1 else (Or if relation == "any" else And)(parts)
    return _number(index, term)


def _number(index: Index, term: str) -> Query:
    """The number however it is cut or marked: "978-2-…", "ISBN 978…", "AME-12" and "ame 12" alike."""
    stem = term.rstrip(MASK)
    if MASK in stem:
        raise Unanswerable(49, _said(term))
    said = regular_isbn(stem) if _ISBN.fullmatch(stem) else None
    squeezed = said or "".join(french.pieces(_MARK.sub("", stem)))
    if not squeezed:
        raise Unanswerable(29, 1) if stem != term else Unanswerable(36, term)
    return Prefix(squeezed, index.fields) if stem != term else Words(squeezed, index.fields)


# -- dates

_DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_FIRST, _LAST = ("01", "01"), ("12", "31")


def _dates(index: Index, relation: str, term: str, _: Whole) -> Query:
    pieces = _unmasked(term).split()
    if relation in ("any", "all"):
        parts = tuple(_span("=", [piece], index) for piece in pieces)
        return parts[0] if len(parts) == 1 else (Or if relation == "any" else And)(parts)
    return _span(relation, pieces, index)


def _span(relation: str, pieces: Sequence[str], index: Index) -> Query:
    if len(pieces) != (2 if relation == "within" else 1):
        raise Unanswerable(36, f"{index.name} {relation} {' '.join(pieces)}")
    match relation:
        case "within":
            return _between(_year(pieces[0], _FIRST), _year(pieces[1], _LAST))
        case "<":
            return _between(None, _year(pieces[0], _FIRST) - 1)
        case "<=":
            return _between(None, _year(pieces[0], _LAST))
        case ">":
            return _between(_year(pieces[0], _LAST) + 1, None)
        case ">=":
            return _between(_year(pieces[0], _FIRST), None)
        case _:
            return Between(year := _year(pieces[0], None), year)


def _between(first: int | None, last: int | None) -> Query:
    nothing = first is not None and last is not None and first > last
    return Or(()) if nothing else Between(first, last)


def _year(text: str, edge: tuple[str, str] | None) -> int:
    """The year of a date. A month or a day is only understood at the ``edge`` of its year, where comparing by
    year gives what was asked."""
    match = _DAY.fullmatch(text)
    if match is None or not text.isascii():
        raise Unanswerable(36, text)
    said = tuple(part for part in match.groups()[1:] if part)
    if said and (edge is None or said != edge[: len(said)]):
        raise Unanswerable(36, f"{text}: dates are compared by year")
    return int(match[1])


# -- codes


def _codes(index: Index, relation: str, term: str) -> frozenset[str]:
    """Codes of the facet that are asked for; none for words that name no code."""
    named = {code} if (code := _code(index, term.strip())) else set()
    found = [_code(index, piece) for piece in term.split()]
    if relation == "any":
        return frozenset(named | {code for code in found if code})
    if relation == "all" and not named and len(found) > 1:
        return frozenset()
    return frozenset(named)


def _code(index: Index, said: str) -> str | None:
    if index.facet == "type":
        return type_named(said) or type_named(said.lower())
    folded = french.fold(said)
    return LANGUAGES.get(folded) or language_said(folded)


_READINGS: Mapping[Kind, Callable[[Index, str, str, Whole], Query]] = MappingProxyType(
    {Kind.PHRASED: _text, Kind.WORDS: _text, Kind.NUMBERS: _numbers, Kind.DATE: _dates}
)

PLAIN_FIELDS = tuple(name for name, field in FIELDS.items() if name != "text" and not field.exact)
"""Text fields of the record itself."""


def values(fields: Mapping[str, str], names: tuple[str, ...]) -> Iterator[str]:
    """The values that a record (``search.engine.Entry.fields``) has in these fields, () meaning all plain
    ones, whole and line by line."""
    for name in names or PLAIN_FIELDS:
        if text := fields.get(name):
            yield text
            yield from text.splitlines()
