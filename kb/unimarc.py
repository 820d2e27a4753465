"""UNIMARC to the fields of ``Record`` and back.

Hides the fields and subfields. Sources: UNIMARC bibliographic format, 3rd edition (IFLA 2008) with its
updates; the French recommendation 995 for copies.

A record of ours (801 $2 "carbet") comes back equal but for what the format has no place for: files, the
record's own ``id``, ``source``, ``created`` and ``updated`` times, subjects that were only proposed or were
refused, and of the accepted ones who put them there, how sure and on what words: they come back as those of a
source. The host comes back as ways to find it. A record without a number of a source gains one,
"centre/number", by which it is known when it comes again. Text must be NFC without blanks at its ends, nor
more than one empty line in a row; no two agents may be the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from kb import formats
from kb.errors import InvalidRecord
from kb.formats import OURS, joined, plain, type_named
from kb.iso2709 import Field, FieldSet, made
from kb.records import (
    TYPES,
    Agent,
    Copy,
    Origin,
    Record,
    State,
    Subject,
    regular_date,
    regular_isbn,
    regular_issn,
)

_READ = """
001 010 011 017 035 073 100 101 200 210 214 215 225 300 310 320 327 328 330 410 461 463 600 601 602 605
606 607 608 610 700 701 702 710 711 712 801 856 930 995
"""
TAGS = frozenset(_READ.split())
"""Fields that are read: the others may be written in any way."""

# 7xx $4, relator codes (UNIMARC appendix C): who is not an author.
_ROLES = dict.fromkeys(("340", "651"), "editor") | {"650": "publisher"}
_CONTRIBUTORS = "003 075 080 205 220 273 295 310 320 365 390 440 460 470 600 610 723 727 730 755 956 958"
_ROLES |= dict.fromkeys(_CONTRIBUTORS.split(), "contributor")
_CODES = {"author": "070", "editor": "340", "publisher": "650", "contributor": "205"}
_AGENTS = ("700", "701", "702", "710", "711", "712")
_MATERIAL = {
    "e": "carte",
    "f": "carte",
    "g": "audiovisuel",
    "i": "audiovisuel",
    "j": "audiovisuel",
    "r": "materiel",
}
_LEADERS = {"periodique": "as", "article": "aa", "article-cahier": "aa", "chapitre": "aa"}
_LEADERS |= {"carte": "em", "audiovisuel": "gm", "materiel": "rm", "page-web": "lm"}
"""Type of document -> type and level in the leader; "am", printed monograph, for the others."""


def is_unimarc(fields: Sequence[Field]) -> bool:
    """Whether fields are those of UNIMARC (title in 200) and not of MARC 21 (title in 245)."""
    record = FieldSet(fields)
    return record.first("200", "a") is not None and not record.of("245")


# -- reading


def from_unimarc(leader: str, fields: Sequence[Field]) -> formats.Fields:
    """Record fields of a UNIMARC record. Raises InvalidRecord if it has no title."""
    record = FieldSet(fields)
    ours = _is_ours(record)
    said, bare = (_exact, _exact) if ours else (plain, _bare)
    title = record.first("200", "a")
    if title is None:
        raise InvalidRecord("title", "no 200 $a")
    copies = _own_copies(record) if ours else _copies(record)
    found: formats.Fields = {
        "title": bare(title),
        "subtitle": _joined((v for f in record.of("200")[:1] for v in f.all("e", "i")), " : ", said),
        "type": _type(leader, record, ours=ours),
        "agents": _agents(record, ours=ours),
        "date": _date(record, ours=ours),
        "language": formats.language_said(record.first("101", "a")),
        "publisher": bare(record.first("214", "c") or record.first("210", "c") or ""),
        "place": bare(record.first("214", "a") or record.first("210", "a") or ""),
        "series": bare(record.first("225", "a") or record.first("410", "t") or ""),
        "issue": bare(record.first("225", "v") or record.first("410", "v") or _volume(record) or ""),
        "extent": _extent(record, said),
        "abstract": _joined((v for f in record.of("330") for v in f.all("a")), "\n\n", said),
        "notes": tuple(_notes(record, said, ours=ours)),
        "call_number": record.first("930", "a")
        if ours
        else next((copy.call_number for copy in copies if copy.call_number), None),
        "copies": copies,
        "hosts": _hosts(record, said),
        "host_pages": _pages(record),
        "subjects": _subjects(record),
        "keywords": tuple(dict.fromkeys(_keywords(record, said))),
        "identifiers": _identifiers(record, ours=ours),
        "access": formats.access_said(record.first("310", "a")),
    }
    return {name: value for name, value in found.items() if value not in (None, "", (), {})}


def concept_labels(fields: Sequence[Field]) -> tuple[str, ...]:
    """Labels of the concepts that ``from_unimarc`` gives as subjects, for whoever has another vocabulary."""
    return tuple(dict.fromkeys(f.first("a") or "" for f in FieldSet(fields).of("606") if _names_concept(f)))


_Said = Callable[[str], str]


def _exact(value: str) -> str:
    return value


def _is_ours(record: FieldSet) -> bool:
    return any(field.first("2") == OURS for field in record.of("801"))


def _joined(values: Iterator[str], by: str, said: _Said) -> str | None:
    return by.join(text for value in values if (text := said(value))) or None


def _bare(value: str) -> str:
    """Without the sign of ISBD that some catalogues leave at its end."""
    return plain(value).rstrip(" /:;=,") or plain(value)


def _type(leader: str, record: FieldSet, *, ours: bool) -> str:
    forms = [field for field in record.of("608") if not ours or field.first("2") == OURS]
    for form in (value for field in forms for value in field.all("a")):
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


def _date(record: FieldSet, *, ours: bool) -> str | None:
    said = record.first("214", "d") or record.first("210", "d")
    if ours and re.fullmatch(r"\d{4}(-\d\d){0,2}", said or ""):
        return said
    coded = (record.first("100", "a") or "")[9:13]
    return (regular_date(said) if said else None) or regular_date(coded)


def _agents(record: FieldSet, *, ours: bool) -> tuple[Agent, ...]:
    found = []
    for field in record.among(*_AGENTS):
        values = field.all("a", "b")
        names = values if ours else [name for value in values if (name := plain(value).strip(" ,"))]
        kind = "person" if field.tag < "710" else "body"
        by = ", " if kind == "person" else ". "
        if names:
            found.append(Agent(by.join(names), _ROLES.get(field.first("4") or "", "author"), kind))
    return tuple(dict.fromkeys(found))


def _volume(record: FieldSet) -> str | None:
    return record.first("200", "h") or record.first("463", "v") or record.first("461", "v")


_EXTENT = (("a", ""), ("c", " : "), ("d", " ; "), ("e", " + "))
"""Subfields of 215 with the signs of ISBD before them."""


def _extent(record: FieldSet, said: _Said) -> str | None:
    text = ""
    for code, sign in _EXTENT:
        if value := said(record.first("215", code) or ""):
            text += (sign if text else "") + value
    return text or None


def _notes(record: FieldSet, said: _Said, *, ours: bool) -> Iterator[str]:
    """Notes, contents, bibliography and thesis; who is responsible, if only the title page tells it."""
    for field in record.of("300", "320", "327"):
        yield from map(said, field.all("a"))
    for field in record.of("328"):
        if told := joined(field.all("a", "b", "c", "e", "d")):
            yield told
    named = record.first("200", "f")
    if named and not ours and not record.among(*_AGENTS):
        yield f"Responsabilité\u00a0: {plain(named)}"


def _copies(record: FieldSet) -> tuple[Copy, ...]:
    """Copies of 995 (f bar code, k cote, b or c place) or of 930 (a cote, b place)."""
    recommended = [
        Copy(field.first("k"), field.first("f"), field.first("c", "b"), _status(field))
        for field in record.of("995")
        if field.first("k", "f")
    ]
    others = [
        Copy(field.first("a"), None, field.first("b")) for field in record.of("930") if field.first("a")
    ]
    return tuple(dict.fromkeys(recommended or others))


def _status(field: Field) -> str:
    said = (formats.status_said(value) for value in field.all("r", "o"))
    return next((status for status in said if status != "available"), "available")


def _own_copies(record: FieldSet) -> tuple[Copy, ...]:
    return tuple(
        Copy(field.first("k"), field.first("f"), field.first("c"), formats.status_said(field.first("o")))
        for field in record.of("995")
    )


def _hosts(record: FieldSet, said: _Said) -> tuple[tuple[str, str], ...]:
    """The issue (463) or, failing that, the work (461) that this is a part of: number, ISSN, then title."""
    fields = record.of("463") or record.of("461")
    found: list[tuple[str, str | None]] = []
    for field in map(_unembedded, fields[:1]):
        found += [
            ("record", field.first("0", "3")),
            ("issn", regular_issn(field.first("x") or "") if field.tag == "461" else None),
            ("isbn", regular_isbn(field.first("y") or "")),
            ("title", said(field.first("t") or "")),
        ]
    return tuple((kind, value) for kind, value in found if value)


def _pages(record: FieldSet) -> str:
    linked = [_unembedded(field) for field in record.of("463", "461")]
    said = next((pages for field in linked if (pages := field.first("p"))), "")
    return re.sub(r"^pp?\.\s*", "", said)


_EMBEDDED = {("010", "a"): "y", ("011", "a"): "x", ("200", "a"): "t", ("200", "v"): "v", ("215", "a"): "p"}


def _unembedded(field: Field) -> Field:
    """A linking field whose $1 hold whole fields ("$1001VC12$12001 $aTitre"), in subfields of its own."""
    if not field.all("1"):
        return field
    told, tag = [], ""
    for code, value in field.subfields:
        if code == "1":
            tag = value[:3]
            if tag == "001":
                told.append(("0", value[3:]))
        elif not tag:
            told.append((code, value))
        elif (tag, code) in _EMBEDDED:
            told.append((_EMBEDDED[tag, code], value))
    return field._replace(subfields=tuple(told))


def _names_concept(field: Field) -> bool:
    return field.first("2") == OURS and field.first("3") is not None


def _subjects(record: FieldSet) -> tuple[Subject, ...]:
    uris = dict.fromkeys(field.first("3") or "" for field in record.of("606") if _names_concept(field))
    return tuple(Subject(concept=uri, origin=Origin.SOURCE, state=State.ACCEPTED) for uri in uris)


def _keywords(record: FieldSet, said: _Said) -> Iterator[str]:
    """Subjects with their subdivisions after " -- " when they have some, and free keywords."""
    for field in record.of("600", "601", "602"):
        if name := joined(field.all("a", "b"), ", "):
            yield " -- ".join((name, *map(said, field.all("x", "y", "z"))))
    for field in record.of("605", "606", "607", "610"):
        if not _names_concept(field):
            below = field.all("j", "x", "y", "z")
            for head in field.all("a"):
                yield " -- ".join(map(said, (head, *below)))


def _identifiers(record: FieldSet, *, ours: bool) -> dict[str, str]:
    """ISBN, ISSN, number in the source ("record", with the source's code if 801 gives it), and address."""
    isbn, issn = record.first("010", "a"), record.first("011", "a")
    found = {
        "isbn": isbn if ours else regular_isbn(isbn or "") or regular_isbn(record.first("073", "a") or ""),
        "issn": issn if ours else regular_issn(issn or ""),
        "record": record.control("001") if ours else _number(record),
        "url": record.first("856", "u"),
    }
    for field in record.of("017"):
        found.setdefault(plain(field.first("2") or ""), field.first("a"))
    return {kind: value for kind, value in found.items() if kind and value}


def _number(record: FieldSet) -> str | None:
    source = record.first("801", "b")
    number = record.control("001") or record.first("035", "a") or ""
    # 035 $a is "(agency)number"; some leave the agency out.
    if told := re.fullmatch(r"\(([^()]+)\)\s*(.+)", number):
        return f"{told[1]}/{told[2]}"
    return f"{source}/{number}" if source and number else number or None


# -- writing


def to_unimarc(
    record: Record, host: Record | None = None, labels: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, list[Field]]:
    """Leader and fields of a record in UTF-8, for ``kb.iso2709``. ``host`` is the record of that id, without
    which only the pages within it are told; ``labels`` are those of concepts by URI."""
    number = formats.source_number(record)
    fields = [Field("001", number)]
    if record.updated:
        fields.append(Field("005", f"{record.updated:%Y%m%d%H%M%S}.0"))
    for part in (_numbers, _coded, _description, _texts):
        fields += part(record)
    fields += _host(record, host)
    fields += _access_points(record, labels)
    fields += _source(record, number)
    fields += _holdings(record)
    kind = _LEADERS.get(record.type, "am")
    return f"00000n{kind}0 2200000   450 ", fields


def _numbers(record: Record) -> Iterator[Field]:
    known = record.identifiers
    yield from made("010", "  ", ("a", known.get("isbn")))
    yield from made("011", "  ", ("a", known.get("issn")))
    for kind, value in known.items():
        if kind not in ("isbn", "issn", "record", "url"):
            yield from made("017", "70", ("a", value), ("2", kind))
    yield from made("035", "  ", ("a", "({0}){2}".format(*record.id.partition(":"))))


def _coded(record: Record) -> Iterator[Field]:
    """100 (general data: dates, languages, "50" for Unicode) and 101 (language of the document)."""
    entered = record.created or record.updated
    day = f"{entered:%Y%m%d}" if entered else " " * 8
    year = record.date[:4] if record.date else " " * 4
    kind = "c" if record.type == "periodique" else "d" if record.date else "u"
    yield from made("100", "  ", ("a", f"{day}{kind}{year}    k  y0frey50      ba"))
    yield from made("101", "0 ", ("a", formats.language_code(record.language)))


def _description(record: Record) -> Iterator[Field]:
    named = ", ".join(formats.spoken(a.name) for a in record.agents if a.role == "author")
    alone = None if record.series else record.issue
    yield from made(
        "200",
        "1 ",
        ("a", record.title),
        ("h", alone),
        ("e", record.subtitle),
        ("f", named),
    )
    yield from made("210", "  ", ("a", record.place), ("c", record.publisher), ("d", record.date))
    yield from made("215", "  ", *zip("acde", formats.extent_parts(record.extent or ""), strict=True))
    if record.series:
        yield from made("225", "2 ", ("a", record.series), ("v", record.issue))


def _texts(record: Record) -> Iterator[Field]:
    for note in record.notes:
        yield from made("300", "  ", ("a", note))
    yield from made("310", "  ", ("a", formats.ACCESS_SAID.get(record.access)))
    for paragraph in (record.abstract or "").split("\n\n"):
        yield from made("330", "  ", ("a", paragraph))


def _host(record: Record, host: Record | None) -> list[Field]:
    pages = f"p. {record.host_pages}" if record.host_pages else None
    if host is None:
        return made("463", " 1", ("p", pages))
    return made(
        "461" if host.type == "periodique" else "463",
        " 1",
        ("0", formats.source_number(host)),
        ("t", host.title),
        ("p", pages),
        ("x", host.identifiers.get("issn")),
        ("y", host.identifiers.get("isbn")),
    )


def _access_points(record: Record, labels: Mapping[str, str]) -> Iterator[Field]:
    for subject in record.subjects:
        if subject.state is State.ACCEPTED:
            label = labels.get(subject.concept, subject.concept)
            yield from made("606", "  ", ("a", label), ("3", subject.concept), ("2", OURS))
    yield from made("608", "  ", ("a", TYPES[record.type]), ("2", OURS))
    for keyword in record.keywords:
        yield from made("610", "0 ", ("a", keyword))
    for order, agent in enumerate(record.agents):
        yield from _agent(agent, first=order == 0)


def _agent(agent: Agent, *, first: bool) -> list[Field]:
    """70x for people, 71x for bodies: 7x0 for the first author, 7x1 for the others, 7x2 for the rest."""
    rank = "2" if agent.role != "author" else "0" if first else "1"
    code = ("4", _CODES.get(agent.role, _CODES["author"]))
    if agent.kind == "body":
        return made(f"71{rank}", "02", ("a", agent.name), code)
    family, _, given = agent.name.partition(", ")
    if family and given and (family, given) == (family.strip(), given.strip()):
        return made(f"70{rank}", " 1", ("a", family), ("b", given), code)
    return made(f"70{rank}", " 0", ("a", agent.name), code)


def _source(record: Record, number: str) -> Iterator[Field]:
    """801: who first made the record, if that is another one, and we who give it."""
    agency = number.rpartition("/")[0]
    if agency and agency != record.centre:
        yield from made("801", " 0", ("a", "FR"), ("b", agency))
    day = f"{record.updated:%Y%m%d}" if record.updated else None
    yield from made("801", " 3", ("a", "FR"), ("b", record.centre), ("c", day), ("2", OURS))


def _holdings(record: Record) -> Iterator[Field]:
    yield from made("856", "4 ", ("u", record.identifiers.get("url")))
    yield from made("930", "  ", ("a", record.call_number))
    for copy in record.copies:
        status = ("o", formats.STATUS_SAID.get(copy.status))
        yield from made(
            "995", "  ", ("c", copy.location), ("f", copy.barcode), ("k", copy.call_number), status
        )
