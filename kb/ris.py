"""RIS to the fields of ``Record`` and back.

Hides the types of references and the tags, and how files of many programs bend them. Source: RIS Format
Specifications (Research Information Systems, 2001 and 2011). What the format does not hold is said in
``kb.citations``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

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

Tags = Sequence[tuple[str, str]]
"""One reference: its lines as (tag, value), in order; values may have several lines."""

_NEWLINE = re.compile("\r\n?|[\n\v\f\x85\u2028\u2029]")
_LINE = re.compile(r"([A-Z][A-Z0-9])  ?-(?: (.*)|$)")


def references(text: str) -> Iterator[tuple[int, Tags, str]]:
    """The references of a file: number of the first line, tags, and why it cannot be believed, in French, ""
    if it can. One that no ER ends goes to where the next one begins; lines between two are passed over."""
    tags: list[tuple[str, str]] = []
    start = 0
    for number, line in enumerate(text.lstrip("\ufeff").split("\n"), start=1):
        match = _LINE.match(line.rstrip())
        tag = match[1] if match else ""
        if tag == "TY":
            if tags:
                yield start, tags, "sans fin (ER) avant la référence suivante"
            tags, start = [("TY", match[2] or "" if match else "")], number
        elif tag == "ER" and tags:
            yield start, tags, ""
            tags = []
        elif tags and match:
            tags.append((tag, match[2] or ""))
        elif tags and line.strip():
            tags[-1] = (tags[-1][0], f"{tags[-1][1]}\n{line.strip()}")
    if tags:
        yield start, tags, "coupée : la fin (ER) manque"


# -- reading

_RIS_TEXT = """
BOOK:ouvrage CHAP:chapitre JOUR:article MGZN:article EJOUR:article NEWS:article JFULL:periodique RPRT:rapport
THES:these CONF:actes CPAPER:chapitre MAP:carte STAT:texte-officiel BILL:texte-officiel LEGAL:texte-officiel
DATA:donnees AGGR:donnees VIDEO:audiovisuel MPCT:audiovisuel SOUND:audiovisuel ADVS:audiovisuel ELEC:page-web
WEB:page-web BLOG:page-web SER:numero EDBOOK:ouvrage EBOOK:ouvrage ECHAP:chapitre PAMP:document GEN:document
GOVDOC:document UNPB:document INPR:article CASE:texte-officiel COMP:document SLIDE:formation
"""
_RIS_TYPES = dict(pair.split(":") for pair in _RIS_TEXT.split())
_LONG_CODES = {"JOURNAL ARTICLE": "JOUR", "BOOK SECTION": "CHAP", "WEB PAGE": "ELEC", "THESIS": "THES"}
"""What some programs write in place of the codes."""
_TO_RIS = {"document": "GEN", "article-cahier": "JOUR", "chapitre": "CHAP", "guide": "BOOK", "cahier": "BOOK"}
for _code, _type in _RIS_TYPES.items():
    _TO_RIS.setdefault(_type, _code)
_RIS_ROLES = {
    "AU": "author",
    "A1": "author",
    "A2": "editor",
    "A3": "editor",
    "ED": "editor",
    "A4": "contributor",
}
_RIS_PARTS = frozenset(code for code, type in _RIS_TYPES.items() if type in PARTS)
_OF_LINES = ("AB", "N2", "N1")


def from_ris(tags: Tags) -> Fields:
    """Record fields of one RIS reference. Raises InvalidRecord if it has no title."""
    said: dict[str, list[str]] = {}
    for tag, value in tags:
        if text := lines_said(value) if tag in _OF_LINES else plain(value):
            said.setdefault(tag, []).append(text)
    code = (_first(said, "TY") or "").upper()
    code = _LONG_CODES.get(code, code)
    part = code in _RIS_PARTS
    type = type_named(_first(said, "M3") or "") or _RIS_TYPES.get(code) or type_named(code)
    title, subtitle = parted_title(_first(said, "TI", "T1", "CT", "ST") or "", _first(said, "ST"))
    fields: Fields = {
        "title": title,
        "subtitle": subtitle,
        "type": type or "document",
        "agents": tuple(_ris_agents(tags)),
        "date": _ris_date(said),
        "language": language_said(_first(said, "LA")),
        "publisher": _first(said, "PB"),
        "place": _first(said, "CY", "PP"),
        "series": _first(said, "T3"),
        "issue": numbered(_first(said, "VL", "VO"), _first(said, "IS")),
        "abstract": _first(said, "AB", "N2"),
        "notes": tuple(said.get("N1", ())),
        "call_number": _first(said, "CN"),
        "keywords": tuple(dict.fromkeys(said.get("KW", ()))),
        "identifiers": _ris_identifiers(said),
        "hosts": _ris_hosts(said, part=part),
    }
    pages = "-".join(said.get("SP", [])[:1] + said.get("EP", [])[:1]) or None
    fields |= {"host_pages": pages} if part or "EP" in said else {"extent": extent_said(pages)}
    numbers_said(said.get("SN", ()), fields, part=part)
    return filled(fields)


def _first(said: Mapping[str, Sequence[str]], *tags: str) -> str | None:
    return next((said[tag][0] for tag in tags if tag in said), None)


def _ris_agents(tags: Tags) -> Iterator[Agent]:
    """« Roy, Léa » and « Roy L. » are persons; « Ville Caraïbe » and « Villes, quartiers, » (a comma ends it,
    as EndNote has it) are bodies."""
    for tag, value in tags:
        if tag in _RIS_ROLES and (name := plain(value)):
            name = re.sub(r"^([^,]+) ((?:[A-Z]\.[ -]?)+)$", r"\1, \2", name)
            is_body = name.endswith(",") or "," not in name
            regular = name.rstrip(",").strip() if is_body else re.sub(r",\s*", ", ", name, count=1)
            yield Agent(regular, _RIS_ROLES[tag], "body" if is_body else "person")


def _ris_date(said: Mapping[str, Sequence[str]]) -> str | None:
    """« 2012/03/12/ », « 2012/03// », « 2012///printemps », or as people write."""
    for value in (value for tag in ("DA", "PY", "Y1") for value in said.get(tag, ())):
        match = re.match(r"(\d{4})(?:/(\d{1,2})?(?:/(\d{1,2})?(?:/|$)|$)|$)", value)
        parts = [part.zfill(2) for part in (match.groups() if match else ()) if part]
        if found := regular_date("-".join(parts) or value):
            return found
    return None


def _ris_identifiers(said: Mapping[str, Sequence[str]]) -> dict[str, str]:
    doi = regular_doi(" ".join(said.get("DO", ())))
    url = (_first(said, "UR") or "").split(";")[0].strip()
    found = {"doi": doi, "url": url, "record": _first(said, "AN")}
    return {kind: value for kind, value in found.items() if value}


def _ris_hosts(said: Mapping[str, Sequence[str]], *, part: bool) -> tuple[tuple[str, str], ...]:
    title = _first(said, "T2", "JF", "JO", "BT", "JA")
    number = _first(said, "C8")
    found = (("record", number), ("title", title if part or number else None))
    return tuple((kind, value) for kind, value in found if value)


# -- writing


def to_ris(notice: Notice) -> str:
    """The notice as one RIS reference, with its empty line at the end. M3 says the type in our words, ST the
    title without its subtitle, C8 the number of the host. Pages are those in the host (SP, EP) for a part,
    the extent (SP) for another work: only one of both is held."""
    lines = (f"{tag}  - {_one_value(value)}" for tag, value in _ris_tags(notice) if value)
    return "\n".join((*lines, "ER  - ", "", ""))


def _one_value(value: str) -> str:
    return _NEWLINE.sub("\n      ", value)  # set in, so that no line of it looks like a tag


def _ris_tags(notice: Notice) -> Iterator[tuple[str, str | None]]:
    record, host = notice.record, notice.host
    part = record.type in PARTS
    yield "TY", _TO_RIS.get(record.type, "RPRT")
    yield "M3", TYPES[record.type]
    yield "TI", whole_title(notice)
    yield "ST", record.title if record.subtitle else None
    for agent in record.agents:
        if tag := _TO_ROLES.get(agent.role):
            yield tag, agent.name + ("," if agent.kind == "body" else "")
    yield "PY", record.date[:4] if record.date else None
    yield "DA", "/".join(f"{record.date}---".split("-")[:4]) if record.date else None
    yield from (
        ("LA", record.language),
        ("PB", record.publisher),
        ("CY", record.place),
        ("T3", record.series),
    )
    yield from (("IS", record.issue), ("AB", record.abstract), ("CN", record.call_number))
    yield from (("T2", host.title if host else None), ("C8", Notice(host).number if host else None))
    yield from _ris_pages(record.host_pages) if part else (("SP", record.extent),)
    yield from (("N1", note) for note in record.notes)
    yield from (("KW", keyword) for keyword in notice.keywords)
    yield from (("SN", number) for number in host_numbers(notice).values())
    yield from (("DO", record.identifiers.get("doi")), ("UR", record.identifiers.get("url")))
    yield "AN", notice.number


_TO_ROLES = {"author": "AU", "editor": "ED", "contributor": "A4"}


def _ris_pages(pages: str | None) -> tuple[tuple[str, str | None], ...]:
    match = re.fullmatch(r"(\w+)-(\w+)", pages or "")
    return (("SP", match[1]), ("EP", match[2])) if match else (("SP", pages),)
