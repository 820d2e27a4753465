"""Rows of a spreadsheet to the fields of ``Record``.

Hides the many names that spreadsheets give to their columns, and what cells hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kb.errors import InvalidRecord
from kb.formats import LANGUAGES, Fields, plain, status_said, type_named
from kb.french import fold
from kb.records import Agent, Copy, regular_date, regular_isbn, regular_issn

_MANY = re.compile(r"\s*[;|\n]\s*|\s+/\s+")
_HEADINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "record": ("numero", "numero de notice", "n notice", "id", "identifiant", "no"),
        "call_number": ("cote", "cote de rangement"),
        "title": ("titre", "titre propre", "title", "intitule"),
        "subtitle": ("sous titre", "complement du titre"),
        "agents": ("auteur", "auteurs", "auteur s", "auteurs personnes"),
        "bodies": (
            "collectivite",
            "collectivites",
            "auteurs collectivites",
            "collectivite auteur",
            "organisme",
        ),
        "publisher": ("editeur", "editeurs", "edition", "maison d edition"),
        "place": ("lieu", "lieu d edition", "lieu de publication", "ville"),
        "date": (
            "annee",
            "date",
            "date d edition",
            "date de publication",
            "date de parution",
            "annee d edition",
            "annee de publication",
        ),
        "extent": (
            "pages",
            "pagination",
            "nombre de pages",
            "nb pages",
            "importance materielle",
            "collation",
        ),
        "isbn": ("isbn",),
        "issn": ("issn",),
        "series": ("collection", "serie", "titre de la collection"),
        "issue": (
            "numero dans la collection",
            "volume",
            "tome",
            "n de collection",
            "no de collection",
            "numero de collection",
        ),
        "abstract": ("resume", "description", "analyse"),
        "keywords": (
            "mots cles",
            "mot cle",
            "descripteurs",
            "sujets",
            "themes",
            "theme",
            "indexation",
            "matieres",
        ),
        "type": ("type", "type de document", "nature", "support type"),
        "language": ("langue", "langues"),
        "copies": ("exemplaires", "nombre d exemplaires", "nb exemplaires", "nb ex"),
        "barcode": (
            "code barres",
            "codes barres",
            "code barre",
            "n inventaire",
            "numero d inventaire",
            "inventaire",
        ),
        "location": ("localisation", "emplacement", "site", "rayon"),
        "condition": ("etat", "disponibilite", "statut", "etat de l exemplaire"),
        "notes": ("note", "notes", "remarque", "remarques", "observations"),
        "url": ("url", "adresse", "lien"),
        "host": (
            "dans",
            "depouillement de",
            "notice mere",
            "hote",
            "revue",
            "titre du periodique",
            "extrait de",
            "document hote",
            "in",
        ),
        "host_pages": ("pages de l article", "pages dans", "pages de la partie"),
    }
)
"""What a column holds -> the headings, folded, under which spreadsheets have it."""

_BY_HEADING = {heading: name for name, headings in _HEADINGS.items() for heading in headings}
_MOST_COPIES = 100  # a number of copies above is a typing mistake, such as a year in the wrong column


@dataclass(frozen=True, slots=True)
class Columns:
    """What each column of a table holds (a key such as "title"; None for one that is not known)."""

    names: tuple[str | None, ...]

    @classmethod
    def of(cls, headings: Sequence[str]) -> Columns:
        """Columns by their French headings; the first of two that hold the same counts. Raises InvalidRecord
        if none holds titles."""
        names: list[str | None] = []
        for heading in headings:
            name = _BY_HEADING.get(" ".join(re.findall(r"[a-z0-9]+", fold(heading))))
            names.append(name if name not in names else None)
        if "title" not in names:
            raise InvalidRecord("title", f"no column of titles among {', '.join(headings)[:200]}")
        return cls(tuple(names))

    def unknown(self, headings: Sequence[str]) -> list[str]:
        """Headings of the columns that are left out."""
        return [h for h, name in zip(headings, self.names, strict=True) if name is None and h.strip()]


def from_row(columns: Columns, cells: Sequence[str]) -> tuple[Fields, list[str]]:
    """Record fields of one row, and French warnings about cells that could not be used. Raises InvalidRecord
    for a row without title or with more cells than columns."""
    if len(cells) > len(columns.names) and any(cell.strip() for cell in cells[len(columns.names) :]):
        raise InvalidRecord("row", f"{len(cells)} cellules pour {len(columns.names)} colonnes")
    row = {
        name: plain(cell) for name, cell in zip(columns.names, cells, strict=False) if name and plain(cell)
    }
    if "title" not in row:
        raise InvalidRecord("title", "pas de titre")
    warnings: list[str] = []
    found: Fields = {name: row.get(name) for name in _AS_WRITTEN}
    for name, (column, convert, what) in _CONVERTED.items():
        if column in row:
            found[name] = convert(row[column])
            if found[name] is None:
                warnings.append(f"{what} non reconnu(e) : « {row[column][:60]} »")
    found |= {
        "agents": (
            *found.get("agents", ()),
            *(Agent(n, "author", "body") for n in _split(row.get("bodies"))),
        ),
        "keywords": tuple(dict.fromkeys(_split(row.get("keywords"), commas=True))),
        "notes": tuple(_row_notes(row)),
        "copies": _row_copies(row, warnings),
        "identifiers": _row_identifiers(row, warnings),
        "hosts": _row_hosts(row.get("host")),
    }
    return {name: value for name, value in found.items() if value not in (None, "", (), {})}, warnings


_AS_WRITTEN = (
    "title",
    "subtitle",
    "publisher",
    "place",
    "series",
    "issue",
    "abstract",
    "call_number",
    "host_pages",
)


def _row_agents(said: str) -> tuple[Agent, ...]:
    return tuple(Agent(name) if "," in name else Agent(name, "author", "body") for name in _split(said))


def _row_language(said: str) -> str | None:
    folded = fold(said)
    return LANGUAGES.get(folded) or (folded if re.fullmatch(r"[a-z]{2}", folded) else None)


def _row_extent(said: str) -> str:
    return f"{said} p." if said.isdigit() else said


_CONVERTED: Mapping[str, tuple[str, Callable[[str], Any], str]] = MappingProxyType(
    {
        "agents": ("agents", _row_agents, "auteur"),
        "date": ("date", regular_date, "date"),
        "type": ("type", type_named, "type de document"),
        "language": ("language", _row_language, "langue"),
        "extent": ("extent", _row_extent, "pagination"),
    }
)


def _split(cell: str | None, *, commas: bool = False) -> list[str]:
    values = _MANY.split(cell or "")
    if commas and len(values) == 1:
        values = re.split(r"\s*,\s*", cell or "")
    return [value.strip() for value in values if value.strip()]


def _row_notes(row: Mapping[str, str]) -> Iterator[str]:
    if "notes" in row:
        yield row["notes"]
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
    if said:
        listed = _split(said)
        if len(listed) > 1 or not said.isdigit():
            return tuple(Copy(cote, code, location, status) for code in listed)
        warnings.append(f"nombre d’exemplaires non reconnu : « {said[:60]} »")
    return (Copy(cote, None, location, status),) if cote else ()


def _row_identifiers(row: Mapping[str, str], warnings: list[str]) -> dict[str, str]:
    found = {"record": row.get("record"), "url": row.get("url")}
    for kind, regular in (("isbn", regular_isbn), ("issn", regular_issn)):
        if kind in row:
            found[kind] = regular(row[kind])
            if found[kind] is None:
                warnings.append(f"{kind.upper()} non valable : « {row[kind][:60]} »")
    return {kind: value for kind, value in found.items() if value}


def _row_hosts(said: str | None) -> tuple[tuple[str, str], ...]:
    if said is None:
        return ()
    found = [("isbn", regular_isbn(said)), ("issn", regular_issn(said)), ("title", said)]
    return tuple((kind, value) for kind, value in found if value)
