"""Crosswalks from the formats of catalogues to the fields of ``Record``.

Hides the fields of UNIMARC and the many names that spreadsheets give to their columns. What comes out are
keyword arguments of ``Record`` (all but ``id`` and ``host``), and "hosts": ways, the surest first, to
find the work that this one is a part of, as (kind, value), kind being "record", "isbn", "issn" or "title".

Sources: UNIMARC bibliographic format, 3rd edition (IFLA 2008) with its updates; the French recommendation
995 for copies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from kb.errors import InvalidRecord
from kb.french import fold
from kb.records import TYPES, Agent, Copy, regular_date, regular_isbn, regular_issn

Fields = dict[str, Any]
"""Keyword arguments of ``Record`` by name."""


# -- UNIMARC


class Field(NamedTuple):
    """One field of ISO 2709: control data, "" if it has subfields, or subfields as (code, value) in order."""

    tag: str
    data: str
    subfields: tuple[tuple[str, str], ...] = ()

    def all(self, *codes: str) -> list[str]:
        """Values of the subfields of these codes, in order of the field."""
        return [value for code, value in self.subfields if code in codes and value]

    def first(self, *codes: str) -> str | None:
        """The first value of the first code that has one."""
        return next((value for code in codes for value in self.all(code)), None)


class _Fields:
    """Fields of one record by tag."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields

    def of(self, *tags: str) -> list[Field]:
        return [field for tag in tags for field in self._fields if field.tag == tag]

    def first(self, tag: str, *codes: str) -> str | None:
        return next((value for field in self.of(tag) if (value := field.first(*codes))), None)

    def control(self, tag: str) -> str | None:
        return next((field.data.strip() for field in self.of(tag) if field.data.strip()), None)


# 7xx $4, relator codes (UNIMARC appendix C): who is not an author.
_ROLES = dict.fromkeys(("340", "651"), "editor") | {"650": "publisher"}
_ROLES |= dict.fromkeys(("003", "075", "080", "205", "440", "600", "730"), "contributor")
_LANGUAGE_TEXT = """
fre:fr fra:fr eng:en spa:es ger:de deu:de ita:it por:pt dut:nl nld:nl crp:gcf cpf:gcf gcf:gcf hat:ht
francais:fr anglais:en espagnol:es portugais:pt creole:gcf italien:it allemand:de neerlandais:nl
"""
_LANGUAGES = dict(pair.split(":") for pair in _LANGUAGE_TEXT.split())
_MATERIAL = {
    "e": "carte",
    "f": "carte",
    "g": "audiovisuel",
    "i": "audiovisuel",
    "j": "audiovisuel",
    "r": "materiel",
}


def is_unimarc(fields: Sequence[Field]) -> bool:
    """Whether fields are those of UNIMARC (title in 200) and not of MARC 21 (title in 245)."""
    record = _Fields(fields)
    return record.first("200", "a") is not None and not record.of("245")


def from_unimarc(leader: str, fields: Sequence[Field]) -> Fields:
    """Record fields of a UNIMARC record. Raises InvalidRecord if it has no title."""
    record = _Fields(fields)
    titles = [value for field in record.of("200")[:1] for value in field.all("a")]
    if not titles:
        raise InvalidRecord("title", "no 200 $a")
    copies = _copies(record)
    found: Fields = {
        "title": _title(titles[0]),
        "subtitle": _joined(value for field in record.of("200")[:1] for value in field.all("e")),
        "type": _unimarc_type(leader, record),
        "agents": _agents(record),
        "date": _unimarc_date(record),
        "language": _LANGUAGES.get((record.first("101", "a") or "").lower()[:3], record.first("101", "a")),
        "publisher": record.first("214", "c") or record.first("210", "c"),
        "place": record.first("214", "a") or record.first("210", "a"),
        "series": record.first("225", "a") or record.first("410", "t"),
        "issue": record.first("225", "v") or record.first("410", "v") or _volume(record),
        "extent": _joined((record.first("215", "a") or "", record.first("215", "d") or ""), " ; "),
        "abstract": _joined((v for field in record.of("330") for v in field.all("a")), "\n\n"),
        "notes": tuple(_plain(v) for field in record.of("300", "327") for v in field.all("a")),
        "call_number": next((copy.call_number for copy in copies if copy.call_number), None),
        "copies": copies,
        "hosts": _hosts(record),
        "host_pages": re.sub(r"^pp?\.\s*", "", record.first("463", "p") or record.first("461", "p") or ""),
        "keywords": tuple(dict.fromkeys(_keywords(record))),
        "identifiers": _identifiers(record),
    }
    return {name: value for name, value in found.items() if value not in (None, "", (), {})}


def _plain(value: str) -> str:
    """Without the marks of non-sorting (U+0098, U+009C) and blanks in a row."""
    return re.sub(r"\s+", " ", re.sub(r"[\u0088\u0089\u0098\u009c]", "", value)).strip()


def _title(value: str) -> str:
    """Without the sign of ISBD that some catalogues leave at its end."""
    return _plain(value).rstrip(" /:;=,") or _plain(value)


def _joined(values: Any, by: str = " : ") -> str | None:
    return by.join(plain for value in values if (plain := _plain(value))) or None


def _unimarc_type(leader: str, record: _Fields) -> str:
    for form in (value for field in record.of("608") for value in field.all("a")):
        if code := type_named(form):
            return code
    kind, level = leader[6:7], leader[7:8]
    if kind in _MATERIAL:
        return _MATERIAL[kind]
    if record.of("328"):
        return "these"
    if level == "a":
        return "article" if record.of("461", "463") else "chapitre"
    if level == "s":
        return "periodique"
    return "ouvrage" if level == "m" else "document"


def _unimarc_date(record: _Fields) -> str | None:
    said = record.first("214", "d") or record.first("210", "d")
    coded = (record.first("100", "a") or "")[9:13]
    return (regular_date(said) if said else None) or regular_date(coded)


def _agents(record: _Fields) -> tuple[Agent, ...]:
    found = []
    for field in record.of("700", "701", "702", "710", "711", "712"):
        names = [name for value in field.all("a", "b") if (name := _plain(value).strip(" ,"))]
        kind = "person" if field.tag < "710" else "body"
        by = ", " if kind == "person" else ". "
        if names:
            found.append(Agent(by.join(names), _ROLES.get(field.first("4") or "", "author"), kind))
    return tuple(dict.fromkeys(found))


def _volume(record: _Fields) -> str | None:
    return record.first("200", "h") or record.first("463", "v") or record.first("461", "v")


def _copies(record: _Fields) -> tuple[Copy, ...]:
    """Copies of 995 (f bar code, k cote, b or c place) or of 930 (a cote, b place)."""
    recommended = [
        Copy(field.first("k"), field.first("f"), field.first("c", "b"), _status(field.first("r", "o")))
        for field in record.of("995")
        if field.first("k", "f")
    ]
    others = [
        Copy(field.first("a"), None, field.first("b")) for field in record.of("930") if field.first("a")
    ]
    return tuple(dict.fromkeys(recommended or others))


def _status(said: str | None) -> str:
    """Status of a copy from the free words of 995 $r or of a column."""
    plain = fold(said or "")
    for status, words in _STATUSES.items():
        if any(word in plain for word in words):
            return status
    return "available"


_STATUSES = {
    "onsite": ("sur place", "exclu du pret", "consultation"),
    "missing": ("manquant", "perdu", "pilon"),
    "lent": ("prete", "sorti", "en pret"),
}


def _hosts(record: _Fields) -> tuple[tuple[str, str], ...]:
    """The issue (463) or, failing that, the work (461) that this is a part of: number, ISSN, then title."""
    fields = record.of("463") or record.of("461")
    found = []
    for field in fields[:1]:
        found += [
            ("record", field.first("0", "3")),
            ("issn", regular_issn(field.first("x") or "") if field.tag == "461" else None),
            ("isbn", regular_isbn(field.first("y") or "")),
            ("title", _plain(field.first("t") or "")),
        ]
    return tuple((kind, value) for kind, value in found if value)


def _keywords(record: _Fields) -> Iterator[str]:
    """Subjects with their subdivisions after " -- " when they have some, and free keywords."""
    for field in record.of("606", "607", "610"):
        heads, below = field.all("a"), field.all("x", "y", "z")
        for head in heads:
            yield " -- ".join(map(_plain, (head, *below)))


def _identifiers(record: _Fields) -> dict[str, str]:
    """ISBN, ISSN, number in the source ("record", with the source's code if 801 gives it), and address."""
    source = record.first("801", "b")
    number = record.control("001") or record.first("035", "a")
    found = {
        "isbn": regular_isbn(record.first("010", "a") or ""),
        "issn": regular_issn(record.first("011", "a") or ""),
        "record": f"{source}/{number}" if source and number else number,
        "url": record.first("856", "u"),
    }
    return {kind: value for kind, value in found.items() if value}


# -- rows of a spreadsheet

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
_TYPE_TEXT = """
livre:ouvrage monographie:ouvrage ouvrages:ouvrage guide:guide fiche:fiche revue:periodique article:article
these:these memoire:these actes:actes numero:numero dvd:audiovisuel video:audiovisuel carte:carte plan:carte
loi:texte-officiel diagnostic:diagnostic convention:convention lettre:lettre presse:presse
"""
_TYPE_NAMES = {fold(name): code for code, name in TYPES.items()}
_TYPE_NAMES |= dict(pair.split(":") for pair in _TYPE_TEXT.split())
_TYPE_NAMES |= {"revue de presse": "presse", "dossier de presse": "presse", "appel a projets": "appel"}
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
        name: _plain(cell) for name, cell in zip(columns.names, cells, strict=False) if name and _plain(cell)
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


def type_named(said: str) -> str | None:
    """Code of a document type by its code or one of its French names."""
    return said if said in TYPES else _TYPE_NAMES.get(fold(said))


def _row_language(said: str) -> str | None:
    folded = fold(said)
    return _LANGUAGES.get(folded) or (folded if re.fullmatch(r"[a-z]{2}", folded) else None)


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
        and _status(condition) == "available"
    ):
        yield f"État de l’exemplaire : {condition}"


def _row_copies(row: Mapping[str, str], warnings: list[str]) -> tuple[Copy, ...]:
    """One copy a bar code, else as many as the number says, else one if there is a cote."""
    cote, location, status = row.get("call_number"), row.get("location"), _status(row.get("condition"))
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
