"""The XML of SRU: responses, records, diagnostics and the description of the server.

Hides namespaces, the order of elements and how text is made sayable. Sources: the Library of Congress's SRU
1.1 and 1.2 (srw-types.xsd, diagnostics.xsd) and ZeeRex 2.0 (explain.z3950.org), by which a server says what
it can do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit
from xml.sax.saxutils import escape, quoteattr

from kb.config import Config
from kb.dublincore import ELEMENTS_NAMESPACE, OAI_NAMESPACE, elements, oai_dc
from kb.export import EXPORTERS
from kb.formats import Notice
from search.cql import SORTED
from search.cql_indexes import CONTEXT_SETS, INDEXES, MODIFIERS, RELATIONS, Index, Kind
from search.diagnostics import Diagnostic

NAMESPACE = "http://www.loc.gov/zing/srw/"
DIAGNOSTICS = "http://www.loc.gov/zing/srw/diagnostic/"
ZEEREX = "http://explain.z3950.org/dtd/2.0/"
DIAGNOSTIC_SCHEMA = "info:srw/schema/1/diagnostics-v1.1"
DEFAULT, MOST = 10, 100
"""Records in an answer: unless told, and at most."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DC_NAMESPACE = "info:srw/schema/1/dc-schema"
_MARC_NAMESPACE = "http://www.loc.gov/MARC21/slim"


def element(name: str, /, *inner: str, **attributes: str) -> str:
    """An element around XML that is already written."""
    said = "".join(f" {key.replace('_', ':', 1)}={quoteattr(_sayable(v))}" for key, v in attributes.items())
    return f"<{name}{said}>{''.join(inner)}</{name}>"


def said(name: str, text: str | int, /, **attributes: str) -> str:
    """An element around text, of which what XML cannot say is left out."""
    return element(name, written(str(text)), **attributes)


def written(text: str) -> str:
    """Text as XML holds it."""
    return escape(_sayable(text), {"\r": "&#13;"})


def _sayable(text: str) -> str:
    return _NOT_XML.sub("", text)


# -- records


@dataclass(frozen=True, slots=True)
class Schema:
    """A form in which records are given: its names in requests, its identifier, its title in French, and how
    a notice is written, which raises InvalidRecord for one that it cannot hold."""

    names: tuple[str, ...]
    identifier: str
    title: str
    write: Callable[[Notice], str]


def _dublin_core(notice: Notice) -> str:
    inner = (said(f"dc:{name}", value) for name, value in elements(notice))
    return element("srw_dc:dc", *inner, xmlns_srw_dc=_DC_NAMESPACE, xmlns_dc=ELEMENTS_NAMESPACE)


def _unimarc(notice: Notice) -> str:
    plain = EXPORTERS["unimarcxml"].one(notice).decode()
    return plain.replace("<record>", f"<record xmlns={quoteattr(_MARC_NAMESPACE)}>", 1).rstrip()


SCHEMAS = (
    Schema(("dc",), "info:srw/schema/1/dc-v1.1", "Dublin Core", _dublin_core),
    Schema(("marcxml", "unimarcxml"), "info:srw/schema/1/marcxml-v1.1", "UNIMARC en MARCXML", _unimarc),
    Schema(("oai_dc",), OAI_NAMESPACE, "Dublin Core d’OAI-PMH", lambda notice: oai_dc(notice).rstrip()),
)
"""The first is given unless told otherwise."""


def schema_named(name: str) -> Schema | None:
    """By one of its names or its identifier."""
    return next((one for one in SCHEMAS if name in (*one.names, one.identifier)), None)


@dataclass(frozen=True, slots=True)
class Packed:
    """One record of an answer. ``data``: its XML; ``identifier``: its id, "" where the version of SRU
    has no place for it."""

    schema: str
    data: str
    position: int | None = None
    identifier: str = ""


def _record(packed: Packed, packing: str) -> str:
    position, id = packed.position, packed.identifier
    return element(
        "zs:record",
        said("zs:recordSchema", packed.schema),
        said("zs:recordPacking", packing),
        element("zs:recordData", packed.data if packing == "xml" else written(packed.data)),
        said("zs:recordIdentifier", id) if id else "",
        said("zs:recordPosition", position) if position is not None else "",
    )


# -- responses


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a search found. ``echoed``: parameters of the request, in the order of the schema."""

    version: str
    packing: str = "xml"
    total: int = 0
    records: tuple[Packed, ...] = ()
    next_position: int | None = None
    echoed: tuple[tuple[str, str], ...] = ()
    faults: tuple[Diagnostic, ...] = ()


def search_response(answer: Answer) -> str:
    """searchRetrieveResponse."""
    following = answer.next_position
    return _response(
        "searchRetrieve",
        answer.version,
        said("zs:numberOfRecords", answer.total),
        _some("zs:records", (_record(one, answer.packing) for one in answer.records)),
        said("zs:nextRecordPosition", following) if following is not None else "",
        _some("zs:echoedSearchRetrieveRequest", (said(f"zs:{k}", v) for k, v in answer.echoed)),
        _diagnostics(answer.faults),
    )


def scan_response(version: str, faults: Iterable[Diagnostic]) -> str:
    """scanResponse, which only says that there is none."""
    return _response("scan", version, _diagnostics(faults))


def explain_response(
    version: str, packing: str, config: Config, address: str, faults: Iterable[Diagnostic]
) -> str:
    """explainResponse: what this server can do, at ``address``."""
    record = _record(Packed(ZEEREX, _zeerex(config, address)), packing)
    return _response("explain", version, record, _diagnostics(faults))


def _response(operation: str, version: str, *inner: str) -> str:
    body = element(f"zs:{operation}Response", said("zs:version", version), *inner, xmlns_zs=NAMESPACE)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _some(name: str, inner: Iterable[str]) -> str:
    held = "".join(inner)
    return element(name, held) if held else ""


def _diagnostics(faults: Iterable[Diagnostic]) -> str:
    return _some("zs:diagnostics", map(diagnostic, faults))


def diagnostic(fault: Diagnostic) -> str:
    """One diagnostic, in the place of a record or beside them."""
    return element(
        "diag:diagnostic",
        said("diag:uri", fault.uri),
        said("diag:details", fault.details) if fault.details else "",
        said("diag:message", fault.message),
        xmlns_diag=DIAGNOSTICS,
    )


# -- what the server can do


def _zeerex(config: Config, address: str) -> str:
    indexes = (_index(index) for index in INDEXES.values() if index.kind is not Kind.RESULT_SET)
    sets = (said("set", "", name=name, identifier=uris[0]) for name, uris in CONTEXT_SETS.items())
    return element(
        "explain",
        _server(urlsplit(address)),
        _database(config),
        element("indexInfo", *sets, *indexes, said("sortKeyword", "relevance")),
        element("schemaInfo", *(_schema(one, name) for one in SCHEMAS for name in one.names)),
        element("configInfo", *_limits()),
        xmlns=ZEEREX,
    )


def _server(address: SplitResult) -> str:
    """Where it is asked; ZeeRex calls the path the database."""
    return element(
        "serverInfo",
        said("host", address.hostname or ""),
        said("port", address.port or (443 if address.scheme == "https" else 80)),
        said("database", address.path.strip("/")),
        protocol="SRU",
        version="1.2",
        transport=address.scheme,
        method="GET",
    )


def _database(config: Config) -> str:
    french = {"lang": "fr", "primary": "true"}
    return element(
        "databaseInfo",
        said("title", config.centre_name, **french),
        said("description", config.centre_about, **french),
        said("contact", config.contact) if config.contact else "",
        said("langUsage", "Surtout en français", codes="fr"),
    )


def _index(index: Index) -> str:
    context, _, name = index.name.partition(".")
    relations = (said("supports", relation, type="relation") for relation in RELATIONS[index.kind])
    return element(
        "index",
        said("title", index.title, lang="fr"),
        element("map", said("name", name, set=context)),
        element("configInfo", *relations),
        search="true",
        scan="false",
        sort="true" if index.name in SORTED else "false",
    )


def _schema(schema: Schema, name: str) -> str:
    title = said("title", schema.title, lang="fr")
    return element("schema", title, identifier=schema.identifier, name=name, sort="false", retrieve="true")


_DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "numberOfRecords": str(DEFAULT),
        "contextSet": "dc",
        "index": "cql.serverChoice",
        "relation": "=",
        "retrieveSchema": SCHEMAS[0].names[0],
    }
)


def _limits() -> Iterator[str]:
    yield from (said("default", value, type=name) for name, value in _DEFAULTS.items())
    yield said("setting", MOST, type="maximumRecords")
    yield said("supports", "*", type="maskingCharacter")
    yield from (said("supports", name, type="relationModifier") for name in sorted(MODIFIERS))
    yield said("supports", "sortBy", type="sort")
