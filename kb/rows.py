"""Rows of a spreadsheet to the fields of ``Record`` and back.

Hides what cells hold: several values in one, copies, who did what, and cells that a spreadsheet would take
for a formula. What the columns are is guessed in ``kb.headings``.

Several values in one cell are parted by ";", "|", " / " or an end of line; a "\\" before one of these takes
its meaning away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from kb.citations import lines_said
from kb.errors import InvalidRecord
from kb.formats import LANGUAGES, STATUS_SAID, Fields, Notice, plain, regular_doi, status_said, type_named
from kb.french import fold
from kb.headings import COLUMN_NAMES, MANY, SURE, Columns, Guess, guess, known_headings
from kb.records import TYPES, Agent, Copy, Record, regular_date, regular_isbn, regular_issn

__all__ = [
    "COLUMN_NAMES",
    "EXPORTED",
    "SURE",
    "Columns",
    "Guess",
    "from_row",
    "guarded",
    "guess",
    "known_headings",
    "to_row",
    "unguarded",
]

EXPORTED = tuple(n for n in COLUMN_NAMES if n not in ("bodies", "barcode", "location", "condition"))
"""Columns of an export: agents and copies are told whole in one column each."""

_PARTED = re.compile(r"\\(?P<kept>[\\;|/\[])|\s*[;|\n]\s*|\s+/\s+")
_TO_KEEP = re.compile(r"[\\;|]|(?<!\S)/|/(?!\S)")
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_MOST_COPIES = 100  # a number of copies above is a typing mistake, such as a year in the wrong column


# -- cells to fields


def from_row(columns: Columns, cells: Sequence[str]) -> tuple[Fields, list[str]]:
    """Record fields of one row, and French warnings about cells that could not be used. Raises InvalidRecord
    for a row without title or with more cells than columns."""
    if len(cells) > len(columns.names) and any(cell.strip() for cell in cells[len(columns.names) :]):
        raise InvalidRecord("row", f"{len(cells)} cellules pour {len(columns.names)} colonnes")
    row = _row(columns, cells)
    if "title" not in row:
        raise InvalidRecord("title", "pas de titre")
    warnings: list[str] = []
    found: Fields = {name: row.get(name) for name in _AS_WRITTEN}
    for name, (convert, what) in _CONVERTED.items():
        if name in row:
            found[name] = convert(row[name])
            if found[name] is None:
                warnings.append(f"{what} non reconnu(e) : « {row[name][:60]} »")
    bodies = (Agent(name, "author", "body") for name in _split(row.get("bodies")))
    found |= {
        "agents": (*map(_agent, _split(row.get("agents"))), *bodies),
        "keywords": tuple(dict.fromkeys(_split(row.get("keywords"), commas=True))),
        "notes": tuple(_row_notes(row)),
        "copies": _row_copies(row, warnings),
        "identifiers": _row_identifiers(row, warnings),
        "hosts": _row_hosts(row),
    }
    return {name: value for name, value in found.items() if value not in (None, "", (), {})}, warnings


def _row(columns: Columns, cells: Sequence[str]) -> dict[str, str]:
    """What the cells say, by name; those of several columns of one name together."""
    row: dict[str, str] = {}
    for name, cell in zip(columns.names, cells, strict=False):
        if name is None or not (said := _said(name, cell)):
            continue
        if name not in row:
            row[name] = said
        elif name in MANY:
            row[name] += f"\n{said}"
    return row


def _said(name: str, cell: str) -> str:
    said = unguarded(cell)
    return lines_said(said) if name in _OF_LINES else plain(said)


_OF_LINES = MANY | {"abstract", "copies"}  # where the end of a line means something

_AS_WRITTEN = (
    *("title", "subtitle", "publisher", "place", "series", "issue", "abstract", "call_number", "host_pages"),
)


def _agent(said: str) -> Agent:
    """« Roy, Léa (dir.) », « Ville Caraïbe »: a name with a comma is a person's unless marked otherwise."""
    name, marks = said, set[str]()
    if match := re.fullmatch(r"(.*\S)\s*\(([^()]+)\)", said):
        told = {fold(mark).strip(" .") for mark in match[2].split(",")}
        if told <= {*_ROLES, *_KINDS}:
            name, marks = match[1], told
    role = next((_ROLES[mark] for mark in marks if mark in _ROLES), "author")
    kind = next((_KINDS[mark] for mark in marks if mark in _KINDS), "person" if "," in name else "body")
    return Agent(name, role, kind)


_ROLES = {
    **dict.fromkeys(("auteur", "aut"), "author"),
    **dict.fromkeys(
        ("dir", "directeur", "coord", "coordinateur", "ed", "eds", "editeur scientifique"), "editor"
    ),
    **dict.fromkeys(("editeur", "editeur commercial"), "publisher"),
    **dict.fromkeys(
        ("collab", "collaborateur", "trad", "traducteur", "ill", "pref", "contributeur"), "contributor"
    ),
}
_KINDS = {"personne": "person", "collectivite": "body"}


def _row_language(said: str) -> str | None:
    folded = fold(said)
    regular = re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", said)
    return LANGUAGES.get(folded) or (
        said if regular else folded if re.fullmatch(r"[a-z]{2}", folded) else None
    )


def _row_extent(said: str) -> str:
    return f"{said} p." if said.isdigit() else said


_CONVERTED: Mapping[str, tuple[Callable[[str], Any], str]] = MappingProxyType(
    {
        "date": (regular_date, "date"),
        "type": (type_named, "type de document"),
        "language": (_row_language, "langue"),
        "extent": (_row_extent, "pagination"),
    }
)


def _split(cell: str | None, *, commas: bool = False) -> list[str]:
    """The values of a cell, in order; by commas only where nothing else parts them."""
    said, values, start = cell or "", [""], 0
    for mark in _PARTED.finditer(said):
        values[-1] += said[start : mark.start()]
        if mark["kept"]:
            values[-1] += mark["kept"]
        else:
            values.append("")
        start = mark.end()
    values[-1] += said[start:]
    if commas and len(values) == 1:
        values = values[0].split(",")
    return [value.strip() for value in values if value.strip()]


def _row_notes(row: Mapping[str, str]) -> Iterator[str]:
    yield from (line for line in row.get("notes", "").split("\n") if line)
    condition = row.get("condition", "")
    if (
        condition
        and fold(condition) not in ("bon", "neuf", "disponible")
        and status_said(condition) == "available"
    ):
        yield f"État de l’exemplaire : {condition}"


def _row_copies(row: Mapping[str, str], warnings: list[str]) -> tuple[Copy, ...]:
    """One copy a bar code, else as many as the number says, else one if there is a cote."""
    cote, location, status = row.get("call_number"), row.get("location"), status_said(row.get("condition"))
    if codes := _split(row.get("barcode"), commas=True):
        return tuple(Copy(cote, code, location, status) for code in codes)
    said = row.get("copies", "")
    if said.isdigit() and int(said) <= _MOST_COPIES:
        return (Copy(cote, None, location, status),) * int(said)
    if _PART_OF_COPY.search(said):
        return tuple(_copy_in_full(said))
    if said:
        listed = _split(said)
        if len(listed) > 1 or not said.isdigit():
            return tuple(Copy(cote, code, location, status) for code in listed)
        warnings.append(f"nombre d’exemplaires non reconnu : « {said[:60]} »")
    return (Copy(cote, None, location, status),) if cote else ()


_PART_OF_COPY = re.compile(r"(?<!\\)\[(cote|code|lieu|état)\]")


def _copy_in_full(said: str) -> Iterator[Copy]:
    """« [cote] EVA 1 [code] 972001 [lieu] Salle 2 [état] disponible », each ended by its state."""
    parts = _PART_OF_COPY.split(said)[1:]
    told: dict[str, str] = {}
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        values = _split(value)
        told[name] = values[0] if values else ""
        if name == "état":
            status = status_said(told[name])
            yield Copy(told.get("cote"), told.get("code"), told.get("lieu"), status)
            told = {}


def _row_identifiers(row: Mapping[str, str], warnings: list[str]) -> dict[str, str]:
    others = (said.partition("=") for said in _split(row.get("identifiers")))
    found: dict[str, str | None] = {kind.strip(): value.strip() for kind, equals, value in others if equals}
    found |= {kind: row[kind] for kind in ("record", "url") if kind in row}
    for kind, regular in (("isbn", regular_isbn), ("issn", regular_issn), ("doi", regular_doi)):
        if kind in row:
            found[kind] = regular(row[kind])
            if found[kind] is None:
                spoilt = re.fullmatch(r"\d[.,]\d+E\+?\d+", row[kind], re.IGNORECASE)
                why = " (nombre abrégé par le tableur)" if spoilt else ""
                warnings.append(f"{kind.upper()} non valable : « {row[kind][:60]} »{why}")
    return {kind: value for kind, value in found.items() if value}


def _row_hosts(row: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    said, number = row.get("host", ""), row.get("host_record", "")
    found = (("record", number), ("isbn", regular_isbn(said)), ("issn", regular_issn(said)), ("title", said))
    return tuple((kind, value) for kind, value in found if value)


# -- fields to cells


def to_row(notice: Notice) -> list[str]:
    """A cell for each of ``EXPORTED``, guarded against formulas; ``from_row`` reads the same fields in them.

    Not held: files, access, where the record comes from, what was proposed and not accepted. A note of
    several lines comes back as several notes, a bare number of pages with « p. », and the number of the
    record, if its source gave none, is "centre/number".
    """
    record, host = notice.record, notice.host
    cells = {name: getattr(record, name) for name in (*_AS_WRITTEN, "date", "language", "extent")}
    identifiers = dict(record.identifiers) | {"record": notice.number}
    cells |= {kind: identifiers.pop(kind, None) for kind in ("isbn", "issn", "doi", "url", "record")}
    cells |= {
        "type": TYPES[record.type],
        "agents": _together(map(_agent_said, record.agents)),
        "keywords": _together(notice.keywords, commas=True),
        "notes": "\n".join(record.notes),
        "identifiers": _together(f"{kind}={value}" for kind, value in identifiers.items()),
        "copies": _copies_said(record),
        "host": host.title if host else None,
        "host_record": Notice(host).number if host else None,
    }
    return [guarded(cells[name] or "") for name in EXPORTED]


def guarded(cell: str) -> str:
    """The cell with "'" before what a spreadsheet would take for a formula (OWASP, "CSV Injection")."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """Inverse of ``guarded``."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _together(values: Iterable[str], *, commas: bool = False) -> str:
    kept = [_TO_KEEP.sub(r"\\\g<0>", value) for value in values]
    alone = commas and len(kept) == 1 and "," in kept[0]
    return " ; ".join(kept) + (" ;" if alone else "")


def _agent_said(agent: Agent) -> str:
    """The shortest form that is read as this agent."""
    role, kind = _ROLE_NAMES.get(agent.role, agent.role), _KIND_NAMES[agent.kind]
    forms = (agent.name, *(f"{agent.name} ({marks})" for marks in (role, kind, f"{role}, {kind}")))
    return next((form for form in forms if _agent(form) == agent), forms[-1])


_ROLE_NAMES = {"author": "auteur", "editor": "dir.", "publisher": "éditeur", "contributor": "collab."}
_KIND_NAMES = {"person": "personne", "body": "collectivité"}


def _copies_said(record: Record) -> str:
    """Their number if nothing more is to be told of them."""
    if all(copy == Copy(record.call_number) for copy in record.copies) and len(record.copies) <= _MOST_COPIES:
        return str(len(record.copies)) if record.copies or record.call_number else ""
    return " ; ".join(map(_copy_said, record.copies))


def _copy_said(copy: Copy) -> str:
    status = STATUS_SAID.get(copy.status, copy.status)
    told = (("cote", copy.call_number), ("code", copy.barcode), ("lieu", copy.location), ("état", status))
    return " ".join(f"[{name}] {_kept_in_copy(value)}" for name, value in told if value)


def _kept_in_copy(value: str) -> str:
    return re.sub(r"\[|" + _TO_KEEP.pattern, r"\\\g<0>", value)
