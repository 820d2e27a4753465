"""Dublin Core to the fields of ``Record`` and back.

Hides the fifteen elements and the words by which what has no element of its own is told. Sources: DCMI
Metadata Terms (2020), sections 3 and 4; the schema of OAI-PMH for unqualified Dublin Core (oai_dc.xsd).

Held: title and subtitle as one title, type, authors, other agents as contributors, publisher, date, language,
extent, abstract, notes, key words and accepted subjects as key words, ISBN, ISSN, DOI, address, number, cote,
series, issue, number and title of the host. Whether an agent is a person is told by the comma in the name.
The rest is not held.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from kb.citations import extent_said, filled, lines_said
from kb.citations import language_said as bcp47
from kb.formats import Fields, Notice, language_said, plain, regular_doi, type_named
from kb.records import TYPES, Agent, regular_date, regular_isbn, regular_issn

ELEMENTS_NAMESPACE = "http://purl.org/dc/elements/1.1/"
TERMS_NAMESPACE = "http://purl.org/dc/terms/"
OAI_NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"

_TYPE_TEXT = """
movingimage:audiovisuel sound:audiovisuel dataset:donnees article:article book:ouvrage bookpart:chapitre
thesis:these doctoralthesis:these masterthesis:these report:rapport map:carte
"""
_TYPES = dict(pair.split(":") for pair in _TYPE_TEXT.split())
_NOTE, _COTE, _SERIES, _ISSUE, _HOST = "Note : ", "Cote : ", "Collection : ", "Numéro : ", "Dans : "
_HOST_NUMBER = "Notice hôte : "
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Values = Mapping[str, Sequence[str]]
"""Values of each element or term by its name ("title", "abstract"), in order; blanks as they stand."""


def from_dublin_core(raw: Values) -> Fields:
    """Record fields of one description. Raises InvalidRecord if it has no title."""
    said = {name: [text for value in values if (text := plain(value))] for name, values in raw.items()}
    texts = [lines_said(value) for name in ("abstract", "description") for value in raw.get(name, ())]
    notes = [text.removeprefix(_NOTE) for text in texts if text.startswith(_NOTE)]
    others = [text for text in texts if text and not text.startswith(_NOTE)]
    relations = said.get("relation", ())
    fields: Fields = {
        "title": _first(said, "title"),
        "subtitle": None if len(said.get("title", ())) > 1 else _first(said, "alternative"),
        "type": next(filter(None, map(_type, said.get("type", ()))), "document"),
        "agents": tuple(_agents(said)),
        "date": next(filter(None, map(regular_date, _all(said, "issued", "date", "created"))), None),
        "language": next(filter(None, map(_language, said.get("language", ()))), None),
        "publisher": _first(said, "publisher"),
        "series": _told(relations, _SERIES),
        "issue": _told(relations, _ISSUE),
        "extent": extent_said(_first(said, "extent") or _extent(said.get("format", ()))),
        "abstract": others[0] if others else None,
        "notes": (*others[1:], *notes),
        "call_number": _told(said.get("identifier", ()), _COTE),
        "keywords": tuple(dict.fromkeys(said.get("subject", ()))),
        "identifiers": _identifiers(said.get("identifier", ())),
    }
    host = _told(relations, _HOST) or _first(said, "isPartOf")
    hosts = (("record", _told(relations, _HOST_NUMBER)), ("title", host))
    fields["hosts"] = tuple((kind, value) for kind, value in hosts if value)
    return filled(fields)


def _all(said: Values, *names: str) -> Iterator[str]:
    return (value for name in names for value in said.get(name, ()))


def _first(said: Values, *names: str) -> str | None:
    return next(_all(said, *names), None)


def _told(values: Iterable[str], mark: str) -> str | None:
    return next((value.removeprefix(mark) for value in values if value.startswith(mark)), None)


def _type(said: str) -> str | None:
    """A type in our words, or the end of one of DCMI or of OpenAIRE (« info:eu-repo/semantics/article »)."""
    return type_named(said) or _TYPES.get(re.sub(r".*[/#]|[\s_-]", "", said).lower())


def _language(said: str) -> str | None:
    return bcp47(language_said(said.lower()) if len(said) == 3 else said)


def _extent(formats: Iterable[str]) -> str | None:
    """What is no media type among the formats."""
    return next((said for said in formats if not re.fullmatch(r"[a-z]+/[\w.+-]+", said)), None)


def _agents(said: Values) -> Iterator[Agent]:
    for element, role in (("creator", "author"), ("contributor", "contributor")):
        for name in said.get(element, ()):
            yield Agent(name, role, "person" if "," in name else "body")


def _identifiers(values: Sequence[str]) -> dict[str, str]:
    """By what they look like; the first that looks like nothing is the number of the record."""
    found: dict[str, str] = {}
    for value in values:
        if value.startswith(_COTE):
            continue
        kind, regular = _identifier(value)
        if regular:
            found.setdefault(kind, regular)
    return found


def _identifier(value: str) -> tuple[str, str | None]:
    if re.match(r"(urn:)?isbn\b", value, re.IGNORECASE):
        return "isbn", regular_isbn(value)
    if re.match(r"(urn:)?issn\b", value, re.IGNORECASE):
        return "issn", regular_issn(value)
    if re.match(r"(doi:|https?://(dx\.)?doi\.org/|10\.\d{4,9}/)", value, re.IGNORECASE):
        return "doi", regular_doi(value)
    return ("url" if re.match(r"https?://", value) else "record"), value


# -- writing


def elements(notice: Notice) -> Iterator[tuple[str, str]]:
    """The notice as elements of Dublin Core (name, value), in the order of their definition."""
    return ((name, value) for name, value in _elements(notice) if value)


def _elements(notice: Notice) -> Iterator[tuple[str, str | None]]:
    record, host = notice.record, notice.host
    yield "title", f"{record.title} : {record.subtitle}" if record.subtitle else record.title
    yield from (("creator", agent.name) for agent in record.agents if agent.role == "author")
    yield from (("subject", keyword) for keyword in notice.keywords)
    yield "description", record.abstract
    yield from (("description", _NOTE + note) for note in record.notes)
    yield "publisher", record.publisher
    yield from (("contributor", a.name) for a in record.agents if a.role in ("editor", "contributor"))
    yield from (("date", record.date), ("type", TYPES[record.type]), ("format", record.extent))
    known = record.identifiers
    for kind, mark in (("isbn", "ISBN "), ("issn", "ISSN "), ("doi", "doi:"), ("url", "")):
        yield "identifier", mark + known[kind] if kind in known else None
    yield "identifier", notice.number
    yield "identifier", _COTE + record.call_number if record.call_number else None
    yield "language", record.language
    if host is not None:
        yield from (("relation", _HOST + host.title), ("relation", _HOST_NUMBER + Notice(host).number))
    yield "relation", _SERIES + record.series if record.series else None
    yield "relation", _ISSUE + record.issue if record.issue else None


def oai_dc(notice: Notice) -> str:
    """The notice as the element oai_dc:dc, with its namespaces; no XML declaration."""
    inner = "".join(
        f"  <dc:{name}>{escape(_NOT_XML.sub('', value))}</dc:{name}>\n" for name, value in elements(notice)
    )
    namespaces = f'xmlns:oai_dc="{OAI_NAMESPACE}" xmlns:dc="{ELEMENTS_NAMESPACE}"'
    return f"<oai_dc:dc {namespaces}>\n{inner}</oai_dc:dc>\n"
