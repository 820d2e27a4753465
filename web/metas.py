"""A record as other tools read it out of a page: metas for reference managers and scholarly indexes, COinS
for lists, schema.org for search engines.

Hides which of our types is which of theirs and the names that each vocabulary has for one thing. Pure: a
notice and addresses in, values out. Sources: the inclusion guidelines of Google Scholar (``citation_*``) and
the translator « Embedded Metadata » of Zotero, which reads the same; DCMI, "Expressing Dublin Core metadata
using HTML/XHTML meta and link elements" (2008); schema.org 28; ANSI/NISO Z39.88-2004 with "COinS" (2006).

Only accepted subjects are told, as in every other form of a notice, and of files only those that everybody
reads.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup

from kb.citations import host_numbers, whole_title
from kb.dublincore import elements
from kb.formats import Notice
from kb.records import TYPES, Agent, File, Record
from web import notices

PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Meta:
    """One meta element: its name and what it says."""

    name: str
    content: str


# -- what a record is, in the words of others

_KINDS_TEXT = """
book:ouvrage,guide,cahier,actes chapter:chapitre article:article,article-cahier thesis:these
report:fiche,etude,rapport,diagnostic,concertation,compte-rendu,cahier-des-charges,convention,appel
"""
_KINDS = {
    type: kind
    for kind, _, types in (pair.partition(":") for pair in _KINDS_TEXT.split())
    for type in types.split(",")
}
"""Type of document -> what citations take it for; others are cited as documents of no kind."""

_SCHEMA_TEXT = """
ouvrage:Book chapitre:Chapter guide:Book cahier:Book article-cahier:Article article:ScholarlyArticle
fiche:Report etude:Report rapport:Report diagnostic:Report concertation:Report compte-rendu:Report actes:Book
formation:LearningResource cahier-des-charges:DigitalDocument convention:DigitalDocument
appel:DigitalDocument texte-officiel:Legislation donnees:Dataset these:Thesis carte:Map
audiovisuel:VideoObject page-web:WebPage periodique:Periodical numero:PublicationIssue
"""
SCHEMA_TYPES: Mapping[str, str] = MappingProxyType(dict(pair.split(":") for pair in _SCHEMA_TEXT.split()))
"""Type of document -> type of schema.org; others are CreativeWork."""


def _kind(record: Record) -> str:
    return _KINDS.get(record.type, "document")


def _date(record: Record) -> list[str]:
    """Year, month and day as far as they can be: records may hold a thirteenth month."""
    year, month, day = (*(record.date or "").split("-"), "", "")[:3]
    if not "01" <= month <= "12":
        return [year] if year else []
    return [year, month, day] if "01" <= day <= "31" else [year, month]


def _numbering(said: str | None) -> tuple[str | None, str | None]:
    """« vol. 3, n° 2 » -> ("3", "2"); « n° 12 » -> (None, "12")."""
    parted = re.fullmatch(r"(?:vol\.?\s*(\S+?))?(?:,\s*)?(?:n°\s*(.+))?", (said or "").strip())
    return (parted[1], parted[2]) if parted else (None, said)


def _pages(record: Record) -> tuple[str | None, str | None]:
    """« 12-18 » or « p. 12-18 » -> ("12", "18")."""
    bare = re.sub(r"^pp?\b\.?\s*", "", record.host_pages or "")
    span = re.fullmatch(r"(\w+)\s*[-–]\s*(\w+)", bare)
    return (span[1], span[2]) if span else (bare or None, None)


def _length(record: Record) -> str | None:
    """Number of pages, out of « 96 p. : ill. »."""
    found = re.search(r"(\d+)\s*(?:p\b|pages?\b)", record.extent or "")
    return found[1] if found else None


def _institution(record: Record) -> str | None:
    """Who stands behind a report or a thesis: its publisher, else the first body that made it."""
    bodies = (agent.name for agent in record.agents if agent.kind == "body")
    return record.publisher or next(bodies, None)


def _journal(notice: Notice) -> tuple[str | None, str | None]:
    """Title of the journal of an article, and what numbers its issue: the host may be the issue itself."""
    record, host = notice.record, notice.host
    if host is None:
        return record.series, record.issue
    issue = record.issue or host.issue
    return (host.series or host.title if host.type == "numero" else host.title), issue


def _public_files(record: Record) -> Iterator[tuple[File, str]]:
    """Files that everybody may read, with their addresses under the root."""
    for place, file in enumerate(record.files if record.access == "public" else ()):
        yield file, f"/notice/{quote(record.id)}/fichier/{place}/{quote(file.name)}"


# -- metas


def metas(notice: Notice, root: str) -> tuple[Meta, ...]:
    """What stands in the head of the page of a record; ``root`` is the address of the site, without slash."""
    said = (*_citation(notice, root), *_dublin_core(notice, root))
    return tuple(Meta(name, value) for name, value in said if value)


def _citation(notice: Notice, root: str) -> Iterator[tuple[str, str | None]]:
    record = notice.record
    yield "citation_title", whole_title(notice)
    yield from (("citation_author", agent.name) for agent in record.agents if agent.role == "author")
    yield from (("citation_editor", agent.name) for agent in record.agents if agent.role == "editor")
    yield "citation_publication_date", "/".join(_date(record))
    yield from _citation_of_kind(notice)
    yield from ((f"citation_{kind}", number) for kind, number in host_numbers(notice).items())
    yield "citation_doi", record.identifiers.get("doi")
    yield "citation_publisher", record.publisher
    yield "citation_language", record.language
    yield from (("citation_keywords", word) for word in notice.keywords)
    yield "citation_abstract_html_url", root + notices.record_url(record.id)
    pdf = next((url for file, url in _public_files(record) if file.media_type == PDF), None)
    yield "citation_pdf_url", root + pdf if pdf else None


def _citation_of_kind(notice: Notice) -> Iterator[tuple[str, str | None]]:
    """What tells the kind of work to who reads metas, as well as where it stands."""
    record, host = notice.record, notice.host
    match _kind(record):
        case "article":
            title, issue = _journal(notice)
            volume, number = _numbering(issue)
            yield from (("citation_journal_title", title), ("citation_volume", volume))
            yield "citation_issue", number
        case "chapter":
            gathered = host is not None and host.type == "actes"
            yield "citation_conference_title" if gathered else "citation_inbook_title", _container(notice)
        case "report":
            yield "citation_technical_report_institution", _institution(record)
        case "thesis":
            yield "citation_dissertation_institution", _institution(record)
    if _kind(record) in ("article", "chapter"):
        yield from zip(("citation_firstpage", "citation_lastpage"), _pages(record), strict=True)
    elif record.series:
        yield "citation_series_title", record.series


def _container(notice: Notice) -> str | None:
    return notice.host.title if notice.host else notice.record.series


_KIND_NAMES = {
    "book": "Book",
    "chapter": "BookSection",
    "article": "Article",
    "report": "Report",
    "thesis": "Thesis",
}


def _dublin_core(notice: Notice, root: str) -> Iterator[tuple[str, str | None]]:
    """The elements of the notice without its notes, its cote and what only our own reader understands."""
    record, host = notice.record, notice.host
    yield "DC.identifier", root + notices.record_url(record.id)
    yield "DC.type", _KIND_NAMES.get(_kind(record))
    bare = dataclasses.replace(record, notes=(), call_number=None, series=None, issue=None)
    yield from ((f"DC.{name}", value) for name, value in elements(Notice(bare, notice.subjects)))
    yield "DCTERMS.issued", "-".join(_date(record))
    yield "DCTERMS.isPartOf", host.title if host else record.series
    yield "DCTERMS.isPartOf", root + notices.record_url(host.id) if host else None


# -- schema.org


def schema_org(notice: Notice, root: str, provider: str) -> dict[str, Any]:
    """The record as schema.org says it (JSON-LD); ``provider`` is the name of the centre that holds it."""
    record = notice.record
    said = {
        "@context": "https://schema.org",
        **_work(record, root),
        "alternativeHeadline": record.subtitle,
        **_people(record),
        "publisher": _publisher(record),
        "datePublished": "-".join(_date(record)),
        "inLanguage": record.language,
        "abstract": record.abstract,
        "isPartOf": _whole(notice, root),
        "about": [
            {"@type": "DefinedTerm", "@id": uri, "url": uri, "name": label}
            for uri, label in notice.subjects.items()
        ],
        "keywords": list(record.keywords),
        "provider": {"@type": "Organization", "name": provider, "url": f"{root}/"},
        **_pagination(record),
        **_reading(record, root),
    }
    return _filled(said)


def _filled(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value not in (None, "", [], {})}


def schema_type(record: Record) -> str:
    """The type of schema.org; what is only heard is no video."""
    sounds = record.files and all(file.media_type.startswith("audio/") for file in record.files)
    if record.type == "audiovisuel" and sounds:
        return "AudioObject"
    return SCHEMA_TYPES.get(record.type, "CreativeWork")


def _work(record: Record, root: str) -> dict[str, Any]:
    """What a work is and where it is known, enough to tell a host too."""
    url, known = root + notices.record_url(record.id), record.identifiers
    doi = f"https://doi.org/{known['doi']}" if "doi" in known else None
    kind = schema_type(record)
    return _filled(
        {
            "@type": kind,
            "@id": url,
            "url": url,
            "name": record.title,
            "isbn": known.get("isbn") if kind in ("Book", "Thesis") else None,
            "issn": known.get("issn") if kind == "Periodical" else None,
            "issueNumber": _numbering(record.issue)[1] if kind == "PublicationIssue" else None,
            "sameAs": [address for address in (doi, known.get("url")) if address],
        }
    )


_SCHEMA_ROLES = {"author": "author", "editor": "editor", "contributor": "contributor"}


def _people(record: Record) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for agent in record.agents:
        if role := _SCHEMA_ROLES.get(agent.role):
            found.setdefault(role, []).append(_person(agent))
    return found


def _person(agent: Agent) -> dict[str, str]:
    if agent.kind == "body":
        return {"@type": "Organization", "name": agent.name}
    family, comma, given = agent.name.partition(", ")
    names = {"familyName": family, "givenName": given} if comma else {}
    return {"@type": "Person", "name": notices.natural(agent.name), **names}


def _publisher(record: Record) -> dict[str, Any] | None:
    named = record.publisher or next((a.name for a in record.agents if a.role == "publisher"), None)
    return _filled({"@type": "Organization", "name": named, "location": record.place}) if named else None


def _whole(notice: Notice, root: str) -> dict[str, Any] | None:
    """The work that this one is a part of; else its series."""
    if notice.host is not None:
        return _work(notice.host, root)
    series = notice.record.series
    return {"@type": "CreativeWorkSeries", "name": series} if series else None


def _pagination(record: Record) -> dict[str, str | int | None]:
    length = _length(record)
    if schema_type(record) == "Book" and length:
        return {"numberOfPages": int(length)}
    if record.host_pages:
        first, last = _pages(record)
        return {"pageStart": first, "pageEnd": last} if last else {"pagination": record.host_pages}
    return {}


def _reading(record: Record, root: str) -> dict[str, Any]:
    """The files that everybody may read. Of others nothing is said: a document that is read at the centre is
    free there, but not online."""
    files = [
        {
            "@type": "MediaObject",
            "contentUrl": root + url,
            "encodingFormat": file.media_type,
            "contentSize": f"{file.size} B",
        }
        for file, url in _public_files(record)
    ]
    return {"isAccessibleForFree": True, "encoding": files} if files else {}


def as_script(said: Mapping[str, Any]) -> Markup:
    """JSON to stand in a script element: no "<" can end it, no line of JavaScript ends in it."""
    text = json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
    lines = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Markup(lines)  # nosec B704  # JSON in which no "<" stands


# -- COinS


def coins(notice: Notice, root: str) -> str:
    """The title of a COinS span, not yet escaped: a ContextObject as keys and values. ``root`` is the address
    of the site."""
    record = notice.record
    shape = _SHAPES[_kind(record)]
    doi, url = record.identifiers.get("doi"), root + notices.record_url(record.id)
    known = [f"info:doi/{doi}"] if doi else []
    said = [
        ("ctx_ver", "Z39.88-2004"),
        ("ctx_enc", "info:ofi/enc:UTF-8"),
        ("rfr_id", f"info:sid/{root.partition('://')[2]}:carbet"),
        ("rft_val_fmt", f"info:ofi/fmt:kev:mtx:{shape}"),
        *(("rft_id", address) for address in (*known, url)),
    ]
    referent = _as_dc(notice) if shape == "dc" else _as_citation(notice)
    said += [(f"rft.{name}", value) for name, value in referent if value]
    return urlencode(said, quote_via=quote)


_SHAPES = {
    "book": "book",
    "chapter": "book",
    "report": "book",
    "article": "journal",
    "thesis": "dissertation",
    "document": "dc",
}


def _as_dc(notice: Notice) -> Iterator[tuple[str, str | None]]:
    record = notice.record
    yield from (("title", whole_title(notice)), ("type", TYPES[record.type]))
    yield from (("creator", agent.name) for agent in record.agents if agent.role == "author")
    yield from (("date", "-".join(_date(record))), ("publisher", record.publisher))
    yield from (("identifier", number) for number in host_numbers(notice).values())
    yield from (("source", _container(notice)), ("language", record.language))


def _as_citation(notice: Notice) -> Iterator[tuple[str, str | None]]:
    record = notice.record
    yield from _named(notice)
    yield from _written_by(record)
    yield "date", "-".join(_date(record))
    yield from (("pub", record.publisher), ("place", record.place))
    yield from host_numbers(notice).items()
    if _kind(record) in ("article", "chapter"):
        first, last = _pages(record)
        yield from (("spage", first), ("epage", last))
    else:
        yield "tpages", _length(record)
    yield "language", record.language


def _named(notice: Notice) -> Iterator[tuple[str, str | None]]:
    """The kind of work and its titles."""
    record, title = notice.record, whole_title(notice)
    match _kind(record):
        case "article":
            journal, issue = _journal(notice)
            volume, number = _numbering(issue)
            yield from (("genre", "article"), ("atitle", title), ("jtitle", journal))
            yield from (("volume", volume), ("issue", number))
        case "chapter":
            yield from (("genre", "bookitem"), ("atitle", title), ("btitle", _container(notice)))
        case "thesis":
            yield from (("title", title), ("inst", _institution(record)))
        case kind:
            genre = "conference" if record.type == "actes" else kind
            yield from (("genre", genre), ("btitle", title), ("series", record.series))


def _written_by(record: Record) -> Iterator[tuple[str, str | None]]:
    """The first person in two parts, everybody's name, the bodies apart."""
    authors = [agent for agent in record.agents if agent.role == "author"]
    people = [agent.name for agent in authors if agent.kind == "person"]
    if people:
        family, _, given = people[0].partition(", ")
        yield from (("aulast", family), ("aufirst", given))
    yield from (("au", name) for name in people)
    yield from (("aucorp", agent.name) for agent in authors if agent.kind == "body")
