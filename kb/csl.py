"""CSL-JSON to the fields of ``Record`` and back.

Hides the types of items and their variables. Source: CSL-JSON 1.0.2 (citation-style-language/schema,
csl-data.json). What the format does not hold is said in ``kb.citations``; besides, agents come back authors
first, then editors, then contributors. "custom", which the schema leaves free, keeps key words and notes
apart from each other, and the number of the record and of its host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kb.citations import (
    PARTS,
    extent_said,
    filled,
    host_numbers,
    language_said,
    lines_said,
    numbered,
    numbers_said,
    parted_title,
    whole_title,
)
from kb.formats import Fields, Notice, plain, regular_doi, type_named
from kb.records import TYPES, Agent, regular_date

_TYPE_TEXT = """
book:ouvrage chapter:chapitre article-journal:article article-magazine:article article-newspaper:article
report:rapport thesis:these paper-conference:chapitre map:carte legislation:texte-officiel bill:texte-officiel
dataset:donnees motion_picture:audiovisuel song:audiovisuel broadcast:audiovisuel webpage:page-web
periodical:periodique pamphlet:document document:document speech:document article:document
"""
_TYPES = dict(pair.split(":") for pair in _TYPE_TEXT.split())
_TO_CSL = {"article-cahier": "article-journal", "guide": "book", "cahier": "book", "document": "document"}
for _code, _type in _TYPES.items():
    _TO_CSL.setdefault(_type, _code)
_ROLES = ("author", "editor", "contributor")


def from_csl(item: Mapping[str, Any]) -> Fields:
    """Record fields of one item of CSL-JSON. Raises InvalidRecord if it has no title."""

    said = {name: plain(str(value)) for name, value in item.items() if isinstance(value, str | int | float)}
    text = said.get
    custom = item["custom"] if isinstance(item.get("custom"), dict) else {}
    code = text("type") or ""
    type = type_named(text("genre") or "") or _TYPES.get(code, "document")
    part = _TYPES.get(code) in PARTS
    title, subtitle = parted_title(text("title", ""), text("title-short"))
    keywords = custom.get("keywords") or re.split(r"\s*[,;]\s*", text("keyword") or "")
    notes = custom.get("notes") or [item.get("note")]
    fields: Fields = {
        "title": title,
        "subtitle": subtitle,
        "type": type,
        "agents": tuple(_agents(item)),
        "date": _date(item.get("issued")),
        "language": language_said(text("language")),
        "publisher": text("publisher"),
        "place": text("publisher-place"),
        "series": text("collection-title"),
        "issue": numbered(text("volume"), text("issue") or text("collection-number") or text("number")),
        "extent": extent_said(text("number-of-pages")),
        "abstract": lines_said(item["abstract"]) if isinstance(item.get("abstract"), str) else None,
        "notes": tuple(lines_said(note) for note in _listed(notes) if note and isinstance(note, str)),
        "call_number": text("call-number"),
        "host_pages": text("page"),
        "keywords": tuple(dict.fromkeys(known for word in _listed(keywords) if (known := plain(str(word))))),
    }
    identifiers = {
        "doi": regular_doi(said.get("DOI", "")),
        "url": said.get("URL"),
        "record": _text(custom.get("record")),
    }
    title_of_host, number = said.get("container-title"), _text(custom.get("host"))
    hosts = (("record", number), ("title", title_of_host))
    fields["hosts"] = tuple((kind, value) for kind, value in hosts if value)
    fields["identifiers"] = {kind: value for kind, value in identifiers.items() if value}
    numbers_said((said[name] for name in ("ISBN", "ISSN") if name in said), fields, part=part)
    return filled(fields)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return plain(value) if isinstance(value, str) else None


def _agents(item: Mapping[str, Any]) -> Iterator[Agent]:
    for role in _ROLES:
        for name in _listed(item.get(role)):
            if not isinstance(name, dict):
                continue
            parts = {key: plain(value) for key, value in name.items() if isinstance(value, str)}
            particle = parts.get("non-dropping-particle") or parts.get("dropping-particle")
            family = " ".join(filter(None, (particle, parts.get("family"))))
            if parts.get("literal"):
                yield Agent(parts["literal"], role, "body")
            elif family or parts.get("given"):
                yield Agent(", ".join(filter(None, (family, parts.get("given")))), role)


def _date(issued: object) -> str | None:
    """« {"date-parts": [[2012, 3, 12]]} », or a date as people write it in "raw" or "literal"."""
    if not isinstance(issued, dict):
        return regular_date(issued) if isinstance(issued, str) else None
    for parts in _listed(issued.get("date-parts"))[:1]:
        numbers = [str(part).zfill(2) for part in _listed(parts) if isinstance(part, int | str)]
        if found := regular_date("-".join(numbers)):
            return found
    said = issued.get("raw") or issued.get("literal")
    return regular_date(said) if isinstance(said, str) else None


def to_csl(notice: Notice) -> dict[str, Any]:
    """The notice as one item of CSL-JSON."""
    record, host = notice.record, notice.host
    part = record.type in PARTS
    numbers = {kind.upper(): number for kind, number in host_numbers(notice).items()}
    item: dict[str, Any] = {
        "id": record.id,
        "type": _TO_CSL.get(record.type, "report"),
        "genre": TYPES[record.type],
        "title": whole_title(notice),
        "title-short": record.title if record.subtitle else None,
        **{role: [_name(a) for a in record.agents if a.role == role] for role in _ROLES},
        "issued": {"date-parts": [[int(n) for n in record.date.split("-")]]} if record.date else None,
        "language": record.language,
        "publisher": record.publisher,
        "publisher-place": record.place,
        "container-title": host.title if host else None,
        "collection-title": record.series,
        "issue" if part else "collection-number": record.issue,
        "number-of-pages": record.extent,
        "page": record.host_pages,
        "abstract": record.abstract,
        "note": "\n".join(record.notes),
        "call-number": record.call_number,
        "keyword": ", ".join(notice.keywords),
        "DOI": record.identifiers.get("doi"),
        "URL": record.identifiers.get("url"),
        **numbers,
        "custom": _custom(notice),
    }
    return {name: value for name, value in item.items() if value not in (None, "", [])}


def _custom(notice: Notice) -> dict[str, Any]:
    host = Notice(notice.host).number if notice.host else None
    kept = {"record": notice.number, "host": host, "keywords": notice.keywords, "notes": notice.record.notes}
    return {name: list(said) if isinstance(said, tuple) else said for name, said in kept.items() if said}


def _name(agent: Agent) -> dict[str, str]:
    if agent.kind == "body":
        return {"literal": agent.name}
    family, comma, given = agent.name.partition(", ")
    return {"family": family, "given": given} if comma else {"family": agent.name}
