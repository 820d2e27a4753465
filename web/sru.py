"""SRU 1.2 and 1.1: the fund for the search programs of other libraries, at ``/sru``.

Hides what a request may say and how far it is obeyed. Source: the Library of Congress, "SRU: Search/Retrieve
Operation" and "Explain Operation", versions 1.1 and 1.2; the list of diagnostics. Whatever is asked, the
answer is XML with status 200: what cannot be done is told by diagnostics.

What is found and given is what may go out to who asks (``kb.sharing``): to everybody the public part, to a
centre with its key what the network shares. The staff find no more here than everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from flask import Blueprint, Response, request

from kb import french
from kb.accounts import Right
from kb.errors import EngineUnavailable, IndexOutdated, InvalidRecord, SearchError, StorageError
from kb.formats import Notice
from kb.limits import Limit
from search import cql
from search.cql import Asked, SortKey
from search.cql_indexes import values
from search.diagnostics import Diagnostic, Unanswerable
from search.engine import Hit, Results
from search.indexing import entry
from search.query import And, Not, Or, Phrase, Query, Request, Words
from web import sru_xml
from web.fund import Fund
from web.guard import identity, needs, site
from web.outputs import outward_notices
from web.rendering import parts
from web.sru_xml import DEFAULT, DIAGNOSTIC_SCHEMA, MOST, SCHEMAS, Answer, Packed, Schema

log = structlog.get_logger()
views = Blueprint("sru", __name__)

SEARCHES = Limit("sru", 240, 600)
"""A federated search asks once or twice for what one person types; a harvest has OAI-PMH."""
VERSIONS = ("1.1", "1.2")
MOST_WHOLE = 500
"""Records that hold the words of the ``==`` of a query side by side, each of which is then read: 0.3 ms."""
MOST_NAMED = 50
"""Records that a query names one by one: engines keep a byte for each page of the fund and each of them."""

_OPERATIONS = ("explain", "searchRetrieve")
_TOLD = frozenset({Right.VISIT, Right.READ_NETWORK})
_EXPLAIN = ("operation", "version", "recordPacking", "stylesheet")
_SEARCH = (
    *("version", "query", "startRecord", "maximumRecords", "recordPacking", "recordSchema"),
    *("recordXPath", "resultSetTTL", "sortKeys", "stylesheet"),
)
"""In the order in which they are echoed."""
_NUMBERS = {"startRecord": 1, "maximumRecords": 0, "resultSetTTL": 0}
"""Least value of the parameters that are numbers."""


@views.get("/sru")
@needs(Right.VISIT, limit=SEARCHES)
def answer() -> Response:
    """explain, searchRetrieve, or what is wrong with the request."""
    said = {name: value for name, value in request.args.items() if not name.startswith("x-")}
    operation = said.get("operation", "searchRetrieve" if "query" in said else "explain")
    if operation == "searchRetrieve":
        text = sru_xml.search_response(_search(said))
    elif operation == "scan":
        text = sru_xml.scan_response(_version(said), [Diagnostic(4, operation)])
    else:
        text = _explain(said)
    return Response(text, content_type="text/xml; charset=utf-8")


def _version(said: Mapping[str, str]) -> str:
    """The version to answer in."""
    return said["version"] if said.get("version") in VERSIONS else VERSIONS[-1]


def _explain(said: Mapping[str, str]) -> str:
    try:
        if said:
            _check(said, _EXPLAIN, ("operation", "version"))
        faults: tuple[Diagnostic, ...] = ()
    except Unanswerable as error:
        faults = (error.diagnostic,)
    packing = "string" if said.get("recordPacking") == "string" else "xml"
    return sru_xml.explain_response(_version(said), packing, parts().config, f"{site()}/sru", faults)


def _check(said: Mapping[str, str], known: tuple[str, ...], mandatory: tuple[str, ...]) -> None:
    """Raises Unanswerable for the first parameter that is wrong."""
    if said.get("operation", "explain") not in _OPERATIONS:
        raise Unanswerable(4, said["operation"])
    for name in mandatory:
        if name not in said:
            raise Unanswerable(7, name)
    if said["version"] not in VERSIONS:
        raise Unanswerable(5, VERSIONS[-1])
    for name, value in said.items():
        if name not in known:
            raise Unanswerable(8, name)
        if len(request.args.getlist(name)) > 1 or (name in _NUMBERS and not _is_number(name, value)):
            raise Unanswerable(6, name)
    if said.get("stylesheet"):
        raise Unanswerable(110)
    if said.get("recordPacking", "xml") not in ("xml", "string"):
        raise Unanswerable(71, said["recordPacking"])


def _is_number(name: str, value: str) -> bool:
    return bool(re.fullmatch("[0-9]{1,9}", value)) and int(value) >= _NUMBERS[name]


# -- searchRetrieve


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A request that can be tried."""

    version: str
    query: str
    schema: Schema
    start: int
    number: int
    keys: tuple[SortKey, ...] = ()
    faults: tuple[Diagnostic, ...] = ()


def _search(said: Mapping[str, str]) -> Answer:
    started = Answer(
        version=_version(said),
        packing="string" if said.get("recordPacking") == "string" else "xml",
        echoed=tuple(_echoed(said)),
    )
    try:
        return _found(_wanted(said), started)
    except Unanswerable as error:
        fault = error.diagnostic
    except (EngineUnavailable, IndexOutdated, StorageError) as error:
        log.error("sru.failed", error=repr(error))
        fault = Diagnostic(2)
    except SearchError as error:
        log.error("sru.failed", error=repr(error), exc_info=error)
        fault = Diagnostic(1)
    return replace(started, faults=(fault,))


def _echoed(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What was asked, but for numbers that are none; nothing when what must be there is not."""
    if "version" in said and "query" in said:
        for name in _SEARCH:
            if name in said and (name not in _NUMBERS or _is_number(name, said[name])):
                yield name, said[name]


def _wanted(said: Mapping[str, str]) -> _Wanted:
    _check(said, ("operation", *_SEARCH), ("operation", "version", "query"))
    if "recordXPath" in said:
        raise Unanswerable(72)
    name = said.get("recordSchema") or SCHEMAS[0].names[0]
    if (schema := sru_xml.schema_named(name)) is None:
        raise Unanswerable(66, name)
    keys, faults = _sort_keys(said.get("sortKeys", ""))
    return _Wanted(
        version=said["version"],
        query=said["query"],
        schema=schema,
        start=int(said.get("startRecord", 1)),
        number=min(int(said.get("maximumRecords", DEFAULT)), MOST),
        keys=keys,
        faults=faults,
    )


def _found(wanted: _Wanted, started: Answer) -> Answer:
    fund = Fund(parts(), identity().rights & _TOLD)
    asked = _sorted(cql.parse(wanted.query, _Wholes(fund).find), wanted)
    results = fund.engine.search(
        Request(
            query=asked.query,
            filters=asked.filters,
            sort=asked.sort,
            offset=wanted.start - 1,
            limit=wanted.number,
            pages=0,
        )
    )
    if wanted.start > max(1, results.total):
        raise Unanswerable(61)
    following = wanted.start + len(results.hits)
    return replace(
        started,
        total=results.total,
        records=tuple(_records(results, wanted, fund)),
        next_position=following if results.hits and following <= results.total else None,
        faults=asked.faults,
    )


def _sorted(asked: Asked, wanted: _Wanted) -> Asked:
    """With the order that the parameter of version 1.1 says, unless the query says one."""
    if asked.sorted:
        both = (Diagnostic(94),) if wanted.keys else ()
        return replace(asked, faults=(*asked.faults, *both))
    sort, faults = cql.ordered(wanted.keys)
    return replace(asked, sort=sort, faults=(*asked.faults, *wanted.faults, *faults))


def _sort_keys(said: str) -> tuple[tuple[SortKey, ...], tuple[Diagnostic, ...]]:
    """Keys of ``sortKeys`` (path, schema, ascending, case sensitive, missing value), and what is wrong."""
    keys: list[SortKey] = []
    faults: list[Diagnostic] = []
    for text in said.split():
        path, schema, ascending, case, missing = (*text.split(","), "", "", "", "")[:5]
        if schema and schema not in (*SCHEMAS[0].names, SCHEMAS[0].identifier):
            faults.append(Diagnostic(87, schema))
        if ascending not in ("", "0", "1"):
            faults.append(Diagnostic(82, text))
        modifiers = [("descending", "")] if ascending == "0" else []
        modifiers += [("respectcase", "")] if case == "1" else []
        modifiers += [("missing" + missing.removesuffix("Value").lower(), "")] if missing else []
        keys.append(SortKey(path, tuple(modifiers)))
    return tuple(keys), tuple(faults)


class _Wholes:
    """Finds the records of which one value is a phrase, for all clauses of one query together: what may be
    read and named for them is counted down."""

    def __init__(self, fund: Fund) -> None:
        self._fund = fund
        self._unread, self._unnamed = MOST_WHOLE, MOST_NAMED

    def find(self, phrase: Phrase) -> Query:
        """Of the records that have the words side by side, the ones whose value has no others are named, or
        the ones to leave out, whichever are fewer. Raises Unanswerable when they are too many to read or to
        name."""
        found = self._fund.engine.search(Request(query=phrase, limit=self._unread, pages=0))
        self._unread -= found.total
        if self._unread < 0:
            raise Unanswerable(59, MOST_WHOLE)
        whole, longer = self._parted(phrase, [hit.id for hit in found.hits])
        self._unnamed -= min(len(whole), len(longer))
        if self._unnamed < 0:
            raise Unanswerable(59, MOST_WHOLE)
        return _named(whole) if len(whole) <= len(longer) else And((phrase, Not(_named(longer))))

    def _parted(self, phrase: Phrase, ids: Sequence[str]) -> tuple[list[str], list[str]]:
        """Those whose value is the phrase, those that have more words."""
        wanted, thesaurus = french.pieces(phrase.text), self._fund.thesaurus
        whole: list[str] = []
        longer: list[str] = []
        for id, record in self._fund.store.get_many(ids).items():
            held = values(entry(record, (), thesaurus).fields, phrase.fields)
            (whole if any(french.pieces(value) == wanted for value in held) else longer).append(id)
        return whole, longer


def _named(ids: Sequence[str]) -> Query:
    """The records of these ids."""
    return Or(tuple(Words("".join(french.pieces(id)), ("identifiers",)) for id in ids))


def _records(results: Results, wanted: _Wanted, fund: Fund) -> Iterator[Packed]:
    """What was found, each in its place: the record, or what is wrong with it."""
    notices = {notice.record.id: notice for notice in outward_notices(fund, [hit.id for hit in results.hits])}
    for position, hit in enumerate(results.hits, start=wanted.start):
        packed = _packed(hit, notices.get(hit.id), wanted.schema)
        id = hit.id if wanted.version != "1.1" else ""
        yield replace(packed, position=position, identifier=id)


def _packed(hit: Hit, notice: Notice | None, schema: Schema) -> Packed:
    if notice is None:  # it went, or may no more be seen, since the index was brought up to date
        return Packed(DIAGNOSTIC_SCHEMA, sru_xml.diagnostic(Diagnostic(64, hit.id)))
    try:
        return Packed(schema.identifier, schema.write(notice))
    except InvalidRecord as error:
        log.warning("sru.unwritable", id=hit.id, schema=schema.names[0], error=str(error))
        return Packed(DIAGNOSTIC_SCHEMA, sru_xml.diagnostic(Diagnostic(67, schema.identifier)))
