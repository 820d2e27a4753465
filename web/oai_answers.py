"""The XML of OAI-PMH 2.0: responses, headers, records and what the repository says of itself.

Hides namespaces, the order of elements and how text is made sayable. Sources: OAI-PMH.xsd (2004-10-12); the
implementation guidelines' oai-identifier.xsd, by which identifiers of records are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from kb.feed import Listed
from web.oai_requests import Fault

NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
IDENTIFIERS = "http://www.openarchives.org/OAI/2.0/oai-identifier"
NETWORK = "https://carbet.example/ns/network/1"
"""Namespace in which a Carbet says its code and its key, in Identify."""
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SET = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")
_DOMAIN = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z][a-zA-Z0-9-]*)+")


def written(text: str) -> str:
    """Text as XML holds it; what XML cannot say is left out."""
    return escape(_NOT_XML.sub("", text), {"\r": "&#13;"})


def _said(name: str, text: str, **attributes: str) -> str:
    return f"<{name}{_attributes(attributes)}>{written(text)}</{name}>"


def _attributes(some: Mapping[str, str]) -> str:
    blanks = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;"}
    return "".join(
        f' {name}="{"".join(blanks.get(sign, sign) for sign in written(value))}"'
        for name, value in some.items()
    )


def moment(at: datetime) -> str:
    """A time as the protocol writes it (3.3): UTC, whole seconds, those begun left out."""
    return at.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


# -- responses


def response(at: datetime, base: str, said: Mapping[str, str], body: str) -> str:
    """A whole response; ``said`` are the verb and the arguments, empty when they were not understood."""
    place = f"{NAMESPACE} {NAMESPACE}OAI-PMH.xsd"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<OAI-PMH xmlns="{NAMESPACE}" xmlns:xsi="{INSTANCE}" xsi:schemaLocation="{place}">\n'
        f"<responseDate>{moment(at)}</responseDate>\n{_said('request', base, **said)}\n{body}\n</OAI-PMH>\n"
    )


def errors(faults: Iterable[Fault]) -> str:
    """What is wrong with a request."""
    return "\n".join(_said("error", fault.said, code=fault.code) for fault in faults)


def answer(verb: str, inner: Iterable[str]) -> str:
    """The answer to a verb."""
    lines = "\n".join(inner)
    return f"<{verb}>\n{lines}\n</{verb}>"


def header(line: Listed, host: str) -> str:
    """The header of a record: deleted for those who may no more be told of it."""
    status = ' status="deleted"' if line.deleted else ""
    sets = "".join(f"<setSpec>{set}</setSpec>" for set in line.sets if is_set(set))
    identifier = _said("identifier", identifier_of(line.id, host))
    return f"<header{status}>{identifier}<datestamp>{moment(line.at)}</datestamp>{sets}</header>"


def record(line: Listed, host: str, metadata: str | None) -> str:
    """A record: its header and, unless it is deleted, what is known of it as XML."""
    held = "" if metadata is None else f"<metadata>\n{metadata}\n</metadata>"
    return f"<record>{header(line, host)}{held}</record>"


def token(token: str, size: int, cursor: int) -> str:
    """Where the list goes on; "" after its last part (3.5)."""
    place = {"completeListSize": str(size), "cursor": str(cursor)}
    return _said("resumptionToken", token, **place)


# -- identifiers


def identifier_of(id: str, host: str) -> str:
    """ "oai:", the name of the site, and the id, which is that of its owner in a mirrored record too."""
    return f"oai:{host}:{id}"


def id_of(identifier: str, host: str) -> str | None:
    """The id of a record in its identifier; None for one that is not of this site."""
    found = re.fullmatch(r"[a-z0-9-]+:[0-9]+", identifier.removeprefix(start := f"oai:{host}:"))
    return found.group() if found and identifier.startswith(start) else None


def is_set(code: str) -> bool:
    """Whether the protocol can say a set so (setSpecType)."""
    return _SET.fullmatch(code) is not None


# -- what the repository says of itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Itself:
    """What Identify says. ``contact`` is "" for none; ``key`` is the public key (hexadecimal) by which others
    know the centre's envelopes."""

    name: str
    base: str
    email: str
    earliest: datetime
    host: str
    centre: str
    key: str
    contact: str = ""


def identify(said: Itself) -> list[str]:
    """The elements of Identify."""
    return [
        _said("repositoryName", said.name),
        _said("baseURL", said.base),
        _said("protocolVersion", "2.0"),
        _said("adminEmail", said.email),
        _said("earliestDatestamp", moment(said.earliest)),
        _said("deletedRecord", "persistent"),
        _said("granularity", "YYYY-MM-DDThh:mm:ssZ"),
        _said("compression", "gzip"),
        *_oai_identifier(said),
        f"<description>{_carbet(said)}</description>",
    ]


def _oai_identifier(said: Itself) -> list[str]:
    """How identifiers are made; only a name of domain may be said there, and no address of a machine."""
    if not _DOMAIN.fullmatch(said.host):
        return []
    inner = (
        _said("scheme", "oai")
        + _said("repositoryIdentifier", said.host)
        + _said("delimiter", ":")
        + _said("sampleIdentifier", identifier_of(f"{said.centre}:1", said.host))
    )
    place = f"{IDENTIFIERS} {IDENTIFIERS}.xsd"
    return [
        f'<description><oai-identifier xmlns="{IDENTIFIERS}" xsi:schemaLocation="{place}">{inner}'
        "</oai-identifier></description>"
    ]


def _carbet(said: Itself) -> str:
    told = (("centre", said.centre), ("key", said.key), ("contact", said.contact))
    inner = "".join(_said(name, text) for name, text in told if text)
    return f'<carbet xmlns="{NETWORK}">{inner}</carbet>'


def metadata_format(prefix: str, schema: str, namespace: str) -> str:
    """One format in ListMetadataFormats."""
    inner = _said("metadataPrefix", prefix) + _said("schema", schema) + _said("metadataNamespace", namespace)
    return f"<metadataFormat>{inner}</metadataFormat>"


def set_said(code: str, name: str) -> str:
    """One set in ListSets."""
    return f"<set>{_said('setSpec', code)}{_said('setName', name)}</set>"
