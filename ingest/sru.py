"""Another library's catalogue, asked by SRU 1.2 for a few records that one ISBN or title names.

Hides how catalogues differ: what each calls its indexes and its schemas (asked of its own explain, else tried
in an order told here), in which XML it packs records, and all the ways in which it fails. Sources: the
Library of Congress, "SRU: Search/Retrieve Operation" 1.2, its CQL, its list of diagnostics, and ZeeRex 2.0
(explain.z3950.org). Elements are looked for by their names whatever their namespace: versions 1.1 and 2.0
differ in little else.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlencode

from lxml import etree

from ingest.citations import draft_of_dublin_core
from ingest.connector import Fetched, Limits
from ingest.drafts import Draft
from ingest.marc import draft_of_xml
from kb.errors import ConnectionFailed, Fault, InvalidRecord, KBError

MOST = 10
"""Records asked for and read: who sees more than ten for a title had better type more of it."""

_SIZE = 5_000_000  # bytes of an answer: ten long records in MARCXML take some 200 kB
_ONCE, _IN_ALL = 15.0, 25.0  # seconds of one request, and of all that one search makes
_KEPT = 3600.0  # seconds for which what a server can do is remembered
_SHORTEST = 0.5  # seconds under which another request is not worth beginning


class Failing(StrEnum):
    """Why a catalogue gave nothing. ``web.copying`` says each in French."""

    NOT_SRU = "not-sru"
    BROKEN = "broken"
    BUSY = "busy"
    REFUSED = "refused"
    HTTP = "http"
    UNSUPPORTED = "unsupported"
    TOO_MANY = "too-many"
    DIAGNOSED = "diagnosed"


class CatalogueError(KBError):
    """A catalogue gave nothing. ``said`` is its own sentence, "" when it said none; ``detail`` is for the
    log."""

    def __init__(self, why: Failing, said: str = "", detail: str = "") -> None:
        super().__init__(f"{why}: {said or detail}")
        self.why = why
        self.said = said
        self.detail = detail

    def __reduce__(self) -> tuple[type[CatalogueError], tuple[Failing, str, str]]:
        return type(self), (self.why, self.said, self.detail)


class Get(Protocol):
    """How an address is fetched: ``Connector.get``."""

    def __call__(self, url: str, *, limits: Limits) -> Fetched:
        """The answer. Raises ConnectionFailed."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What one looks for: an ISBN-13 of digits alone, or words of a title and perhaps of its author."""

    isbn: str = ""
    title: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The first drafts of ``total`` records; ``unreadable`` of these first could not be read. ``mended``:
    the XML was faulty, and something may be missing."""

    drafts: tuple[Draft, ...]
    total: int
    unreadable: int = 0
    mended: bool = False


@dataclass(frozen=True, slots=True)
class _Way:
    """Names of indexes, "" for none (the server then chooses), and the relation that takes all words."""

    isbn: str
    title: str
    author: str
    relation: str = "all"


@dataclass(frozen=True, slots=True)
class _Able:
    """Ways and schemas to try, the likeliest first."""

    ways: tuple[_Way, ...]
    schemas: tuple[str, ...]


_USUAL = (
    _Way("bib.isbn", "bib.title", "bib.author"),
    _Way("bath.isbn", "dc.title", "dc.creator"),
    _Way("dc.identifier", "dc.title", "dc.creator"),
    _Way("isbn", "title", "author"),
    _Way("", "", "", "="),
)
"""Indexes of national libraries, of the Bath profile and Dublin Core (most library systems), bare names."""
_SERVING = {
    "isbn": ("isbn", "identifier", "standardidentifier"),
    "title": ("title", "titre"),
    "author": ("author", "creator", "auteur", "name"),
}
"""What one looks for -> last parts of the names of indexes that answer it."""
_SCHEMAS = ("unimarcxchange", "unimarcxml", "marcxml", "marcxchange", "dublincore", "dc", "oai_dc")
"""Those that we can read, the fullest first: our records are nearest to UNIMARC."""
_IDENTIFIERS = (
    *("info:srw/schema/1/marcxml-v1.1", "http://www.loc.gov/marc21/slim"),
    *("info:srw/schema/1/dc-v1.1", "http://www.openarchives.org/oai/2.0/oai_dc/"),
)
"""The same, by identifiers, for servers that call them otherwise."""

_OTHER_SCHEMA = (66, 67)
_OTHER_WAY = (10, 15, 16, 19, 20, 22, 24, 37, 39)  # query, index, relation, term, boolean: not known there
_FAILINGS = {
    2: Failing.BUSY,
    3: Failing.REFUSED,
    4: Failing.UNSUPPORTED,
    5: Failing.UNSUPPORTED,
    59: Failing.TOO_MANY,
    60: Failing.TOO_MANY,
    **dict.fromkeys((*_OTHER_SCHEMA, *_OTHER_WAY), Failing.UNSUPPORTED),
}
_STATUSES = {401: Failing.REFUSED, 403: Failing.REFUSED, 429: Failing.BUSY, 503: Failing.BUSY}


class Catalogue:
    """A server, at ``url``. What it can do is asked once and kept for an hour, in memory; threads may share
    one. ``clock`` gives seconds."""

    def __init__(self, get: Get, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._get = get
        self._url = url
        self._clock = clock
        self._kept: tuple[float, _Able] | None = None

    def search(self, sought: Sought) -> Found:
        """The records that answer. An ISBN-13 that is not known is looked for as ISBN-10 too: older records
        have only that. Raises CatalogueError, ConnectionFailed."""
        end = self._clock() + _IN_ALL
        found = self._try(sought, end)
        if not found.total and (short := _isbn10(sought.isbn)):
            return self._try(dataclasses.replace(sought, isbn=short), end)
        return found

    def _try(self, sought: Sought, end: float) -> Found:
        """By the first way and schema that the server takes, which are remembered."""
        able = self._able(end)
        left = [(way, schema) for way in able.ways for schema in able.schemas]
        fault = CatalogueError(Failing.UNSUPPORTED)
        while left:
            way, schema = left[0]
            root, whole = self._fetch(_parameters(_cql(sought, way), schema), end)
            if (diagnosed := _diagnosed(root)) is None:
                self._keep(_Able((way,), (schema,)))
                return _found(root, whole)
            number, fault = diagnosed
            if number in _OTHER_SCHEMA:
                left = [one for one in left if one[1] != schema]
            elif number in _OTHER_WAY:
                left = [one for one in left if one[0] != way]
            else:
                raise fault
        self._kept = None
        raise fault

    def _able(self, end: float) -> _Able:
        kept = self._kept
        if kept is None or kept[0] <= self._clock():
            return self._keep(self._explained(end))
        return kept[1]

    def _keep(self, able: _Able) -> _Able:
        kept = self._kept
        self._kept = (kept[0] if kept else self._clock() + _KEPT, able)
        return able

    def _explained(self, end: float) -> _Able:
        """What the server says that it can do, then what others can."""
        self._kept = None
        try:
            root, _ = self._fetch({"operation": "explain", "version": "1.2"}, end)
        except CatalogueError as error:
            if error.why in (Failing.BUSY, Failing.REFUSED):
                raise
            return _Able(_USUAL, _SCHEMAS)  # many servers have no explain, or a page in its place
        return _abilities(root)

    def _fetch(self, parameters: dict[str, str], end: float) -> tuple[Any, bool]:
        """The root of the answer, and whether its XML was good."""
        left = end - self._clock()
        if left < _SHORTEST:
            raise ConnectionFailed(Fault.NO_ANSWER, self._url, "too slow in all")
        joint = "&" if "?" in self._url else "?"
        address = f"{self._url}{joint}{urlencode(parameters)}"
        fetched = self._get(address, limits=Limits(seconds=min(_ONCE, left), size=_SIZE))
        if why := _STATUSES.get(fetched.status):
            raise CatalogueError(why, detail=f"status {fetched.status}")
        try:
            return _read(fetched.body)
        except CatalogueError as error:
            if fetched.status >= 400:
                raise CatalogueError(Failing.HTTP, detail=f"status {fetched.status}") from error
            raise


# -- questions


def _parameters(query: str, schema: str) -> dict[str, str]:
    return {
        "version": "1.2",
        "operation": "searchRetrieve",
        "query": query,
        "recordSchema": schema,
        "startRecord": "1",
        "maximumRecords": str(MOST),
    }


def _cql(sought: Sought, way: _Way) -> str:
    wanted = (
        [(way.isbn, sought.isbn)] if sought.isbn else [(way.title, sought.title), (way.author, sought.author)]
    )
    return " and ".join(_clause(index, way.relation, term) for index, term in wanted if term)


def _clause(index: str, relation: str, term: str) -> str:
    """Signs that mask letters are left out: the question mark of a title is no mask, and few servers read
    one that is escaped."""
    plain = " ".join(re.sub(r"[*?^]", " ", term).split())
    quoted = '"{}"'.format(plain.replace("\\", "\\\\").replace('"', '\\"'))
    return f"{index} {relation} {quoted}" if index else quoted


def _isbn10(isbn: str) -> str:
    """The ISBN-10 of an ISBN-13 (ISO 2108, annex); "" when it has none."""
    if not isbn.startswith("978"):
        return ""
    stem = isbn[3:12]
    check = -sum((10 - place) * int(digit) for place, digit in enumerate(stem)) % 11
    return stem + ("X" if check == 10 else str(check))


# -- what a server can do


def _abilities(root: Any) -> _Able:
    try:
        root = _unpacked(root)
    except (etree.XMLSyntaxError, CatalogueError):
        return _Able(_USUAL, _SCHEMAS)
    told = dict(_indexes(root))
    ways = (_told_way(told), *_USUAL) if told else _USUAL
    return _Able(tuple(dict.fromkeys(ways)), tuple(dict.fromkeys((*_told_schemas(root), *_SCHEMAS))))


def _indexes(root: Any) -> Iterator[tuple[str, frozenset[str]]]:
    """Name of each index with its set, and the relations that are told of it."""
    for index in _named(root, "index"):
        if index.get("search") in ("false", "0"):
            continue
        relations = frozenset(
            _text(one) for one in _named(index, "supports") if one.get("type") == "relation"
        )
        for map in _named(index, "map"):
            for name in _named(map, "name"):
                context, own = (name.get("set") or "").strip(), _text(name)
                if re.fullmatch(r"[\w.-]+", own) and re.fullmatch(r"[\w-]*", context):
                    yield (f"{context}.{own}" if context else own), relations


def _told_way(told: dict[str, frozenset[str]]) -> _Way:
    names = {kind: _chosen(kind, tuple(told)) for kind in _SERVING}
    relations = frozenset[str]().union(*(told.get(name, ()) for name in names.values()))
    return _Way(**names, relation="=" if relations and "all" not in relations else "all")


def _chosen(kind: str, told: Sequence[str]) -> str:
    """The usual name if it is told, else any set's index of a fitting name; "" when there is none."""
    by_name = {name.lower(): name for name in reversed(told)}
    for way in _USUAL:
        if (name := getattr(way, kind)) in by_name:
            return by_name[name]
    last = {name.rpartition(".")[2]: by_name[name] for name in reversed(by_name)}
    return next((last[part] for part in _SERVING[kind] if part in last), "")


def _told_schemas(root: Any) -> list[str]:
    """Names of the schemas told that we can read, the fullest first."""
    ranked: list[tuple[int, str]] = []
    for schema in _named(root, "schema"):
        name, identifier = (schema.get("name") or "").strip(), (schema.get("identifier") or "").lower()
        if name.lower() in _SCHEMAS:
            ranked.append((_SCHEMAS.index(name.lower()), name))
        elif name and identifier in _IDENTIFIERS:
            ranked.append((len(_SCHEMAS) + _IDENTIFIERS.index(identifier), name))
    return [name for _, name in sorted(ranked)]


# -- answers


def _parser(*, recover: bool = False) -> Any:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )


def _parsed(raw: bytes, *, recover: bool = False) -> Any:
    """Raises XMLSyntaxError, and CatalogueError for a document type: no answer has one, but pages and traps
    do."""
    root = etree.fromstring(raw, _parser(recover=recover))
    if root is not None and root.getroottree().docinfo.doctype:
        raise CatalogueError(Failing.NOT_SRU, detail="document type")
    return root


_ROOTS = ("searchRetrieveResponse", "explainResponse", "explain")
_OPENED = re.compile(rb"<(?:[\w.-]+:)?(?:searchRetrieveResponse|explainResponse|explain)[\s>/]")
_ENDED = re.compile(rb"</(?:[\w.-]+:)?(?:searchRetrieveResponse|explainResponse|explain)\s*>\s*\Z")


def _read(body: bytes) -> tuple[Any, bool]:
    """Raises CatalogueError: NOT_SRU, BROKEN. Of an answer that is cut off, the last record is left out."""
    try:
        root = _parsed(body)
    except etree.XMLSyntaxError as error:
        return _mended(body, str(error)), False
    if _name(root) not in _ROOTS:
        raise CatalogueError(Failing.NOT_SRU, detail=f"root {_name(root)}")
    return root, True


def _mended(body: bytes, fault: str) -> Any:
    if not _OPENED.search(body):
        raise CatalogueError(Failing.NOT_SRU, detail=fault)
    try:
        root = _parsed(body, recover=True)
    except etree.XMLSyntaxError as error:
        raise CatalogueError(Failing.BROKEN, detail=fault) from error
    records = [] if root is None or _name(root) not in _ROOTS else _records(root)
    if records and not _ENDED.search(body):
        records[-1].getparent().remove(records.pop())
    if not records:
        raise CatalogueError(Failing.BROKEN, detail=fault)
    return root


def _name(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _named(root: Any, name: str) -> Iterator[Any]:
    return (element for element in root.iter() if _name(element) == name)


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _children(element: Any, name: str) -> list[Any]:
    return [child for child in element if _name(child) == name]


def _records(root: Any) -> list[Any]:
    return [record for held in _children(root, "records") for record in _children(held, "record")]


def _unpacked(root: Any) -> Any:
    """What an explain record holds, also when it is packed as a string."""
    held = next(_named(root, "recordData"), None)
    return root if held is None else _content(held) if len(held) or _text(held) else root


def _content(held: Any) -> Any:
    """The element in a ``recordData``. Raises XMLSyntaxError, CatalogueError (document type)."""
    if len(held):
        return held[0]
    return _parsed(re.sub(r"^\s*<\?xml[^>]*\?>", "", held.text or "").strip().encode())


def _diagnosed(root: Any) -> tuple[int, CatalogueError] | None:
    """Number of the diagnostic that stands in the place of records, and what it means; None when there are
    records beside it (it is a warning then), or none at all."""
    told = [one for held in _children(root, "diagnostics") for one in _children(held, "diagnostic")]
    told += _children(root, "diagnostic")
    if not told or _records(root):
        return None
    said = {name: next(map(_text, _children(told[0], name)), "") for name in ("uri", "message", "details")}
    found = re.search(r"(\d{1,4})$", said["uri"])
    number = int(found[1]) if found else 0
    sentence = " : ".join(filter(None, (said["message"], said["details"])))[:200]
    return number, CatalogueError(_FAILINGS.get(number, Failing.DIAGNOSED), sentence, f"diagnostic {number}")


def _found(root: Any, whole: bool) -> Found:
    records = _records(root)
    counted = next(map(_text, _children(root, "numberOfRecords")), "")
    if not counted.isdecimal() and not records:
        raise CatalogueError(Failing.BROKEN, detail="neither records nor their number")
    drafts: list[Draft] = []
    unreadable = 0
    for record in records[:MOST]:
        try:
            drafts.append(_draft(record))
        except (InvalidRecord, etree.XMLSyntaxError, CatalogueError):
            unreadable += 1
    total = max(int(counted) if counted.isdecimal() else 0, len(records))
    return Found(tuple(drafts), total, unreadable, mended=not whole)


_MARC_FIELDS = ("datafield", "controlfield")


def _draft(record: Any) -> Draft:
    """Raises InvalidRecord, XMLSyntaxError; CatalogueError for a document type."""
    held = next(iter(_children(record, "recordData")), None)
    if held is None:
        raise InvalidRecord("record", "sans données")
    content = _content(held)
    raw = etree.tostring(content, encoding="unicode", with_tail=False).encode()
    is_marc = any(_name(element) in _MARC_FIELDS for element in content.iter())
    draft = draft_of_xml(raw) if is_marc else draft_of_dublin_core(raw)
    if not draft.title:
        raise InvalidRecord("record", "sans titre")
    return draft
