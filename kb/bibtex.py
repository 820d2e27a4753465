"""BibTeX to the fields of ``Record`` and back.

Hides the types of entries, the fields of BibTeX and of biblatex, names and macros. Sources: "BibTeXing"
(Patashnik 1988), the manual of biblatex 3.20 (fields and entry types). What the format does not hold is said
in ``kb.citations``; besides, agents come back authors first, then editors, then contributors, and pages that
are a bare number are the extent of a work that is no part. Text must be NFC.

Entries are cut apart by bibtexparser, which goes on after a broken one; the rest is ours, since pylatexenc,
by which bibtexparser reads LaTeX, nests as deep as a file wants it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bibtexparser.model import (
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    Entry,
    ParsingFailedBlock,
    String,
)
from bibtexparser.splitter import Splitter

from kb.citations import (
    PARTS,
    extent_said,
    filled,
    host_numbers,
    language_said,
    lines_said,
    numbered,
    numbers_said,
)
from kb.formats import Fields, Notice, plain, regular_doi, type_named
from kb.latex import from_latex, to_latex
from kb.records import TYPES, Agent, regular_date

logging.getLogger(Splitter.__module__).setLevel(logging.CRITICAL)  # it tells of faults that we tell ourselves


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry as it is written: line where it begins, from 1, type, fields (names in lower case, values
    still LaTeX), and why it cannot be believed, in French, "" if it can."""

    line: int
    kind: str
    fields: Mapping[str, str]
    fault: str = ""


# -- reading


def entries(text: str) -> Iterator[Reference]:
    """The entries of a file, macros put in, in order; comments and preambles are passed over."""
    macros = dict(_MACROS)
    for block in Splitter(text).split().blocks:
        line = block.start_line + 1 if block.start_line is not None else 0
        if isinstance(block, DuplicateBlockKeyBlock):
            block = block.ignore_error_block or block
        if isinstance(block, DuplicateFieldKeyBlock):
            block = block.ignore_error_block or block
        if isinstance(block, String):
            macros[block.key.lower()] = _value(block.value, macros)
        elif isinstance(block, Entry):
            fields: dict[str, str] = {}
            for field in block.fields:
                fields.setdefault(field.key.lower(), _value(str(field.value), macros))
            yield Reference(line, block.entry_type.lower(), fields)
        elif isinstance(block, ParsingFailedBlock):
            yield Reference(line, "", {}, "accolade, guillemet ou virgule qui manque")


_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MACROS = {name: f"{number:02d}" for number, name in enumerate(_MONTHS, start=1)}
_PIECE = re.compile(r'\{|"|[^\s#{}"]+')
_LONGEST_VALUE = 100_000  # characters of a value, its macros put in: they could grow without end


def _value(raw: str, macros: Mapping[str, str]) -> str:
    """The value of « {...} », « "..." », a number, a macro, or several joined by "#"; braces inside stay."""
    parts: list[str] = []
    place = 0
    while match := _PIECE.search(raw, place):
        if match.group() in '{"':
            end = _closing(raw, match.start())
            parts.append(raw[match.end() : end])
            place = end + 1
        else:
            parts.append(macros.get(match.group().lower(), match.group()))
            place = match.end()
    return "".join(parts)[:_LONGEST_VALUE]


def _closing(raw: str, start: int) -> int:
    """Where what opens at ``start`` is closed; the end if it is not."""
    depth = 0
    for mark in re.finditer(r'\\.|[{}"]', raw[start + 1 :]):
        place = start + 1 + mark.start()
        if depth == 0 and mark.group() == ('"' if raw[start] == '"' else "}"):
            return place
        depth += {"{": 1, "}": -1}.get(mark.group(), 0)
    return len(raw)


_TYPE_TEXT = """
book:ouvrage mvbook:ouvrage inbook:chapitre incollection:chapitre inproceedings:chapitre conference:chapitre
article:article proceedings:actes collection:ouvrage techreport:rapport report:rapport phdthesis:these
mastersthesis:these thesis:these manual:guide misc:document unpublished:document booklet:document
online:page-web electronic:page-web www:page-web dataset:donnees periodical:periodique video:audiovisuel
movie:audiovisuel audio:audiovisuel legislation:texte-officiel legal:texte-officiel map:carte
jurisdiction:texte-officiel
"""
_TYPES = dict(pair.split(":") for pair in _TYPE_TEXT.split())
ENTRY_TYPES = frozenset(_TYPES)
"""Types of entries that are known, in lower case."""
_TO_TYPES = {"document": "misc", "article-cahier": "article", "chapitre": "incollection", "these": "thesis"}
_TO_TYPES |= {
    "rapport": "report",
    "cahier": "book",
    "audiovisuel": "misc",
    "carte": "misc",
    "donnees": "misc",
}
_TO_TYPES |= {"texte-officiel": "misc", "page-web": "online", "ouvrage": "book", "article": "article"}
_TO_TYPES |= {"actes": "proceedings", "guide": "manual", "periodique": "periodical"}
_HOSTS = ("journaltitle", "journal", "booktitle")
_PUBLISHERS = ("publisher", "institution", "school", "organization")
_AGENTS = {"author": "author", "editor": "editor", "editora": "contributor"}


def from_bibtex(kind: str, raw: Mapping[str, str]) -> Fields:
    """Record fields of one entry. Raises InvalidRecord if it has no title."""
    said = {name: read for name, value in raw.items() if (read := plain(from_latex(value)))}
    part = _TYPES.get(kind) in PARTS
    host = next((said[name] for name in _HOSTS if name in said), None)
    fields: Fields = {
        "title": said.get("title"),
        "subtitle": said.get("subtitle"),
        "type": type_named(said.get("type", "")) or _TYPES.get(kind, "document"),
        "agents": tuple(
            agent for name, role in _AGENTS.items() for agent in _agents(raw.get(name, ""), role)
        ),
        "date": _date(said),
        "language": language_said(said.get("langid") or said.get("language")),
        "publisher": next((said[name] for name in _PUBLISHERS if name in said), None),
        "place": said.get("location") or said.get("address"),
        "series": said.get("series"),
        "issue": numbered(said.get("volume"), said.get("number") or said.get("issue")),
        "extent": extent_said(said.get("pagetotal")),
        "abstract": lines_said(from_latex(raw.get("abstract", ""))),
        "notes": tuple(_notes(raw)),
        "call_number": said.get("library"),
        "keywords": tuple(dict.fromkeys(_keywords(raw.get("keywords") or raw.get("keyword", "")))),
        "identifiers": _identifiers(said, raw),
        "hosts": tuple((k, v) for k, v in (("record", said.get("hostid")), ("title", host)) if v),
    }
    pages = re.sub(r"\s*[-–—]+\s*", "-", said.get("pages", ""))
    if part or host or not pages.isdigit():
        fields["host_pages"] = pages
    else:
        fields["extent"] = fields["extent"] or extent_said(pages)
    numbers_said((said[name] for name in ("isbn", "issn") if name in said), fields, part=part)
    return filled(fields)


def _date(said: Mapping[str, str]) -> str | None:
    month = said.get("month", "")
    year = said.get("year", "")
    parts = f"{year}-{month.zfill(2)}" if month.isdigit() else f"{month} {year}"
    return regular_date(said.get("date", "")) or regular_date(parts) or regular_date(year)


def _notes(raw: Mapping[str, str]) -> Iterator[str]:
    for name in ("note", "annotation", "annote"):
        for paragraph in re.split(r"\n\s*\n", raw.get(name, "")):
            if note := lines_said(from_latex(paragraph)):
                yield note


def _keywords(value: str) -> Iterator[str]:
    for word in _cut(value, "[,;]"):
        if read := plain(from_latex(word)):
            yield read


def _identifiers(said: Mapping[str, str], raw: Mapping[str, str]) -> dict[str, str]:
    """Addresses and DOI are kept as they stand: they are not LaTeX (biblatex 2.2.1, "verbatim")."""
    url = re.sub(r"^\\url\{(.*)\}$|^\{(.*)\}$", r"\1\2", raw.get("url", "").strip())
    found = {"doi": regular_doi(raw.get("doi", "")), "url": url, "record": said.get("recordid")}
    return {kind: value for kind, value in found.items() if value}


def _agents(value: str, role: str) -> Iterator[Agent]:
    """Names parted by "and": « Roy, Léa », « Léa Roy », « Roy, Jr, Léa », « {Ville Caraïbe} »."""
    for name in map(str.strip, _cut(value, r"(?<!\s)\s+and\s+")):
        whole = plain(from_latex(name))
        if not whole or whole.lower() == "others":
            continue
        if name.startswith("{") and _closing(name, 0) == len(name) - 1:
            yield Agent(whole, role, "body")
        else:
            yield _person([part for said in _cut(name, ",") if (part := plain(from_latex(said)))], role)


def _person(parts: list[str], role: str) -> Agent:
    if len(parts) > 2:  # « Roy, Jr, Léa »
        return Agent(f"{parts[0]} {parts[1]}, {' '.join(parts[2:])}", role)
    if len(parts) == 2:
        return Agent(", ".join(parts), role)
    words = parts[0].split()
    if len(words) < 2:
        return Agent(words[0], role, "body")
    # The family name is the last word, with the particles in lower case before it (« Ludwig van Beethoven »).
    first = next((i for i, word in enumerate(words[1:-1], start=1) if word[0].islower()), len(words) - 1)
    return Agent(f"{' '.join(words[first:])}, {' '.join(words[:first])}", role)


def _cut(value: str, separator: str) -> Iterator[str]:
    """The pieces of a value between the separators (a pattern) that stand outside braces."""
    depth = start = 0
    for mark in re.finditer(rf"\\.|[{{}}]|({separator})", value, re.DOTALL):
        if mark[1] and depth == 0:
            yield value[start : mark.start()]
            start = mark.end()
        depth = max(0, depth + {"{": 1, "}": -1}.get(mark.group(), 0))
    yield value[start:]


# -- writing


def to_bibtex(notice: Notice) -> str:
    """The notice as one entry, for biblatex (date, subtitle) and BibTeX (year) both, with its empty line at
    the end. "library" is the call number (biblatex 2.2.2); "recordid" and "hostid", numbers of the record
    and its host, are fields of ours, which others pass over."""
    record = notice.record
    fields = "".join(f"  {name} = {{{value}}},\n" for name, value in _written(notice) if value)
    return f"@{_TO_TYPES.get(record.type, 'report')}{{{record.id},\n{fields}}}\n\n"


def _written(notice: Notice) -> Iterator[tuple[str, str]]:
    for name, value in _said(notice):
        yield name, to_latex(value or "")
    record = notice.record
    for name, role in _AGENTS.items():
        yield name, " and ".join(_name(agent) for agent in record.agents if agent.role == role)
    if any(agent.role == "contributor" for agent in record.agents):
        yield "editoratype", "collaborator"
    yield "note", "\n\n".join(map(to_latex, record.notes))
    yield (
        "keywords",
        ", ".join(f"{{{w}}}" if re.search("[,;]", w) else w for w in map(to_latex, notice.keywords)),
    )
    yield "doi", record.identifiers.get("doi", "")
    yield (
        "url",
        record.identifiers.get("url", "").translate({ord("{"): "%7B", ord("}"): "%7D", ord("\\"): "%5C"}),
    )


def _said(notice: Notice) -> Iterator[tuple[str, str | None]]:
    record, host = notice.record, notice.host
    yield from (("title", record.title), ("subtitle", record.subtitle), ("type", TYPES[record.type]))
    yield from (("date", record.date), ("year", record.date[:4] if record.date else None))
    yield from (("language", record.language), ("publisher", record.publisher), ("address", record.place))
    yield from (("series", record.series), ("number", record.issue), ("pagetotal", record.extent))
    yield from (("pages", record.host_pages), ("abstract", record.abstract), ("library", record.call_number))
    yield from (("recordid", notice.number), *host_numbers(notice).items())
    if host is not None:
        yield "hostid", Notice(host).number
        yield "journaltitle" if record.type.startswith("article") else "booktitle", host.title


def _name(agent: Agent) -> str:
    """A body in braces; in a person's name, a further comma or an "and" has its own."""
    if agent.kind == "body":
        return f"{{{to_latex(agent.name)}}}"
    family, comma, given = to_latex(agent.name).partition(",")
    return re.sub(r"\band\b", "{and}", family + comma + given.replace(",", "{,}"))
