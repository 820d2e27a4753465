"""UNIMARC to the fields of ``Record``.

Hides the fields and subfields. Sources: UNIMARC bibliographic format, 3rd edition (IFLA 2008) with its
updates; the French recommendation 995 for copies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kb.errors import InvalidRecord
from kb.formats import LANGUAGES, Fields, joined, plain, status_said, type_named
from kb.records import Agent, Copy, regular_date, regular_isbn, regular_issn


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
        "subtitle": joined(value for field in record.of("200")[:1] for value in field.all("e")),
        "type": _unimarc_type(leader, record),
        "agents": _agents(record),
        "date": _unimarc_date(record),
        "language": LANGUAGES.get((record.first("101", "a") or "").lower()[:3], record.first("101", "a")),
        "publisher": record.first("214", "c") or record.first("210", "c"),
        "place": record.first("214", "a") or record.first("210", "a"),
        "series": record.first("225", "a") or record.first("410", "t"),
        "issue": record.first("225", "v") or record.first("410", "v") or _volume(record),
        "extent": joined((record.first("215", "a") or "", record.first("215", "d") or ""), " ; "),
        "abstract": joined((v for field in record.of("330") for v in field.all("a")), "\n\n"),
        "notes": tuple(plain(v) for field in record.of("300", "327") for v in field.all("a")),
        "call_number": next((copy.call_number for copy in copies if copy.call_number), None),
        "copies": copies,
        "hosts": _hosts(record),
        "host_pages": re.sub(r"^pp?\.\s*", "", record.first("463", "p") or record.first("461", "p") or ""),
        "keywords": tuple(dict.fromkeys(_keywords(record))),
        "identifiers": _identifiers(record),
    }
    return {name: value for name, value in found.items() if value not in (None, "", (), {})}


def _title(value: str) -> str:
    """Without the sign of ISBD that some catalogues leave at its end."""
    return plain(value).rstrip(" /:;=,") or plain(value)


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
        names = [name for value in field.all("a", "b") if (name := plain(value).strip(" ,"))]
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
        Copy(field.first("k"), field.first("f"), field.first("c", "b"), status_said(field.first("r", "o")))
        for field in record.of("995")
        if field.first("k", "f")
    ]
    others = [
        Copy(field.first("a"), None, field.first("b")) for field in record.of("930") if field.first("a")
    ]
    return tuple(dict.fromkeys(recommended or others))


def _hosts(record: _Fields) -> tuple[tuple[str, str], ...]:
    """The issue (463) or, failing that, the work (461) that this is a part of: number, ISSN, then title."""
    fields = record.of("463") or record.of("461")
    found = []
    for field in fields[:1]:
        found += [
            ("record", field.first("0", "3")),
            ("issn", regular_issn(field.first("x") or "") if field.tag == "461" else None),
            ("isbn", regular_isbn(field.first("y") or "")),
            ("title", plain(field.first("t") or "")),
        ]
    return tuple((kind, value) for kind, value in found if value)


def _keywords(record: _Fields) -> Iterator[str]:
    """Subjects with their subdivisions after " -- " when they have some, and free keywords."""
    for field in record.of("606", "607", "610"):
        heads, below = field.all("a"), field.all("x", "y", "z")
        for head in heads:
            yield " -- ".join(map(plain, (head, *below)))


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
