"""MARC 21 to the fields of ``Record`` and back.

Hides the fields and subfields, and the punctuation of ISBD that MARC 21 leaves at the end of its subfields.
Source: MARC 21 format for bibliographic data (Library of Congress), with 952 as Koha writes copies.

A record of ours (884 $a "carbet") comes back equal but for what ``kb.unimarc`` says is lost too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from kb import formats
from kb.errors import InvalidRecord
from kb.formats import OURS, plain, type_named
from kb.french import fold
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
001 003 008 020 022 024 035 040 041 099 100 110 111 245 260 264 300 440 490 500 502 504 505 506 520 600
610 611 630 650 651 653 655 700 710 711 773 852 856 884 952
"""
TAGS = frozenset(_READ.split())
"""Fields that are read: the others may be written in any way."""

_AGENTS = ("100", "110", "111", "700", "710", "711")
_CODES = {"author": "aut", "editor": "edt", "publisher": "pbl", "contributor": "ctb"}
_ROLES = {code: role for role, code in _CODES.items()}
_ROLES |= {"com": "editor", "pbd": "editor", "editeur scientifique": "editor", "editor": "editor"}
_ROLES |= {"publisher": "publisher", "editeur": "publisher"}
_CONTRIBUTORS = """
trl ill pht aui aft wpr ths fmo own spn fnd dgg opn jud prt
translator traducteur illustrator illustrateur prefacier contributor
"""
_ROLES |= dict.fromkeys(_CONTRIBUTORS.split(), "contributor")
"""Relators ($4, or $e folded) -> roles; "author" for the others."""

_MATERIAL = {
    **dict.fromkeys("ef", "carte"),
    **dict.fromkeys("gijk", "audiovisuel"),
    **dict.fromkeys("opr", "materiel"),
}
_LEVELS = {"a": "chapitre", "b": "article", "s": "periodique", "m": "ouvrage"}
_LEADERS = {"periodique": "as", "article": "ab", "article-cahier": "ab", "chapitre": "aa"}
_LEADERS |= {"carte": "em", "audiovisuel": "gm", "materiel": "rm", "page-web": "mm"}
"""Type of document -> type and level in the leader; "am", printed monograph, for the others."""


def is_marc21(fields: Sequence[Field]) -> bool:
    """Whether the record has a title where MARC 21 has it."""
    return _title(FieldSet(fields)) is not None


# -- reading


def from_marc21(leader: str, fields: Sequence[Field]) -> formats.Fields:
    """Record fields of a MARC 21 record. Raises InvalidRecord if it has no title."""
    record = FieldSet(fields)
    said = _exact if (ours := _is_ours(record)) else _bare
    title = _title(record)
    if title is None:
        raise InvalidRecord("title", "no 245 $a")
    copies = tuple(_copies(record, ours=ours))
    issued = _issued(record)
    found: formats.Fields = {
        "title": said(title),
        "subtitle": " : ".join(map(said, _subtitles(record))),
        "type": _type(leader, record, ours=ours),
        "agents": _agents(record, ours=ours),
        "date": _date(record, issued, ours=ours),
        "language": formats.language_said(record.first("041", "a") or _coded_language(record)),
        "publisher": said(issued.first("b") or ""),
        "place": said(issued.first("a") or ""),
        "series": said(record.first("490", "a") or record.first("440", "a") or ""),
        "issue": said(record.first("490", "v") or record.first("440", "v") or record.first("245", "n") or ""),
        "extent": _extent(record, said),
        "abstract": "\n\n".join((_exact if ours else plain)(v) for f in record.of("520") for v in f.all("a")),
        "notes": tuple(_notes(record, ours=ours)),
        "call_number": record.first("099", "a") or (None if ours else _first_cote(copies)),
        "copies": copies,
        "hosts": _hosts(record, said, ours=ours),
        "host_pages": _pages(record, ours=ours),
        "subjects": _subjects(record),
        "keywords": tuple(dict.fromkeys(_keywords(record, said))),
        "identifiers": _identifiers(record, ours=ours),
        "access": formats.access_said(record.first("506", "a")),
    }
    return {name: value for name, value in found.items() if value not in (None, "", (), {})}


def concept_labels(fields: Sequence[Field]) -> tuple[str, ...]:
    """Labels of the concepts that ``from_marc21`` gives as subjects, for whoever has another vocabulary."""
    return tuple(dict.fromkeys(f.first("a") or "" for f in FieldSet(fields).of("650") if _names_concept(f)))


def _title(record: FieldSet) -> str | None:
    """245 $a, else the form of an archive or what stands in its place."""
    return record.first("245", "a", "k", "b")


def _subtitles(record: FieldSet) -> Iterator[str]:
    """245 $b and $p, but for a $b that serves as the title."""
    for field in record.of("245")[:1]:
        yield from field.all("b", "p") if field.first("a", "k") else field.all("p")


_Said = Callable[[str], str]


def _exact(value: str) -> str:
    return value


def _bare(value: str) -> str:
    """Without the signs of ISBD at its end; a full stop stays after an initial or an abbreviation."""
    text = plain(value)
    text = re.sub(r"[\s/:;=,+]+$", "", text) or text
    return re.sub(r"(?<=[^\W\d]{4})\.$", "", text)


def _is_ours(record: FieldSet) -> bool:
    return any(field.first("a") == OURS for field in record.of("884"))


def _type(leader: str, record: FieldSet, *, ours: bool) -> str:
    forms = [field for field in record.of("655") if not ours or field.first("2") == OURS]
    for form in (value for field in forms for value in field.all("a")):
        if code := type_named(_exact(form) if ours else _bare(form)):
            return code
    kind, level = leader[6:7], leader[7:8]
    if kind in _MATERIAL:
        return _MATERIAL[kind]
    if record.of("502"):
        return "these"
    return _LEVELS.get(level, "document")


def _issued(record: FieldSet) -> Field:
    """Where, by whom and when it was published: 264 with second indicator 1, else 260, else any 264."""
    fields = [field for field in record.of("264") if field.indicators[1:2] == "1"]
    fields += record.of("260", "264")
    return fields[0] if fields else Field("264", "")


def _date(record: FieldSet, issued: Field, *, ours: bool) -> str | None:
    said = issued.first("c")
    if ours and re.fullmatch(r"\d{4}(-\d\d){0,2}", said or ""):
        return said
    coded = (record.control("008") or "")[7:11]
    return (regular_date(said) if said else None) or regular_date(coded)


def _coded_language(record: FieldSet) -> str | None:
    code = next((field.data[35:38] for field in record.of("008")), "")
    return code if code.isalpha() else None


def _agents(record: FieldSet, *, ours: bool) -> tuple[Agent, ...]:
    found = []
    for field in record.among(*_AGENTS):
        kind = "person" if field.tag[1:] == "00" else "body"
        values = field.all("a", "b")
        names = values if ours else [name for value in values if (name := _bare(value).strip(" ,"))]
        if names:
            name = names[0] if kind == "person" else ". ".join(names)
            found.append(Agent(name, _role(field), kind))
    return tuple(dict.fromkeys(found))


def _role(field: Field) -> str:
    said = (field.first("4") or "").rpartition("/")[2] or fold(field.first("e") or "").strip(" .,")
    return _ROLES.get(said, "author")


_EXTENT = (("a", ""), ("b", " : "), ("c", " ; "), ("e", " + "))
"""Subfields of 300 with the signs of ISBD before them."""


def _extent(record: FieldSet, said: _Said) -> str | None:
    text = ""
    for code, sign in _EXTENT:
        if value := said(record.first("300", code) or ""):
            text += (sign if text else "") + value
    return text or None


def _notes(record: FieldSet, *, ours: bool) -> Iterator[str]:
    for field in record.of("500") if ours else record.of("500", "502", "504", "505"):
        yield from map(_exact if ours else plain, field.all("a"))
    named = record.first("245", "c")
    if named and not ours and not record.among(*_AGENTS):
        yield f"Responsabilité\u00a0: {_bare(named)}"


def _copies(record: FieldSet, *, ours: bool) -> Iterator[Copy]:
    """Copies of 852 (h i cote, p bar code, b c place), or as Koha has them in 952 (o cote)."""
    told = [(f, " ".join(f.all("k", "h", "i", "j", "m")), f.first("c", "b")) for f in record.of("852")]
    told += [(f, f.first("o") or "", f.first("c", "b", "a")) for f in record.of("952")]
    seen = set()
    for field, cote, place in told:
        copy = Copy(cote or None, field.first("p"), place, formats.status_said(field.first("z")))
        if ours or ((cote or copy.barcode) and copy not in seen):
            seen.add(copy)
            yield copy


def _first_cote(copies: Sequence[Copy]) -> str | None:
    return next((copy.call_number for copy in copies if copy.call_number), None)


def _hosts(record: FieldSet, said: _Said, *, ours: bool) -> tuple[tuple[str, str], ...]:
    """The work that this one is in: number, ISBN, ISSN, then title."""
    found: list[tuple[str, str | None]] = []
    for field in record.of("773")[:1]:
        number = field.first("w") or ""
        found += [
            ("record", number if ours else _with_source(number)),
            ("isbn", regular_isbn(field.first("z") or "")),
            ("issn", regular_issn(field.first("x") or "")),
            ("title", said(field.first("t") or "")),
        ]
    return tuple((kind, value) for kind, value in found if value)


_PAGES = re.compile(r"\b(?:pp?\.|pages?)\s*([\w-]+)", re.IGNORECASE)


def _pages(record: FieldSet, *, ours: bool) -> str | None:
    """The pages of 773 $g, which may tell the volume and the date before them."""
    said = record.first("773", "g") or ""
    if ours:
        return said.removeprefix(_BEFORE_PAGES)
    found = _PAGES.search(said)
    return found[1] if found else None


_BEFORE_PAGES = "p. "


def _names_concept(field: Field) -> bool:
    return field.first("2") == OURS and field.first("0") is not None


def _subjects(record: FieldSet) -> tuple[Subject, ...]:
    uris = dict.fromkeys(field.first("0") or "" for field in record.of("650") if _names_concept(field))
    return tuple(Subject(concept=uri, origin=Origin.SOURCE, state=State.ACCEPTED) for uri in uris)


def _keywords(record: FieldSet, said: _Said) -> Iterator[str]:
    """Subjects with their subdivisions after " -- " when they have some, and free keywords."""
    for field in record.of("600", "610", "611", "630", "650", "651"):
        if not _names_concept(field) and (head := field.first("a")):
            yield " -- ".join(map(said, (head, *field.all("v", "x", "y", "z"))))
    for field in record.of("653"):
        yield from map(said, field.all("a"))


def _identifiers(record: FieldSet, *, ours: bool) -> dict[str, str]:
    """ISBN, ISSN, number in the source ("record", with the source's code), address, and those of 024 $2."""
    isbn, issn = record.first("020", "a"), record.first("022", "a")
    found = {
        "isbn": isbn if ours else regular_isbn(isbn or ""),
        "issn": issn if ours else regular_issn(issn or ""),
        "record": record.control("001") if ours else _number(record),
        "url": record.first("856", "u"),
    }
    for field in record.of("024"):
        found.setdefault(plain(field.first("2") or ""), field.first("a"))
    return {kind: value for kind, value in found.items() if kind and value}


def _number(record: FieldSet) -> str | None:
    if number := record.control("001"):
        source = record.control("003") or record.first("040", "c", "a")
        return f"{source}/{number}" if source else number
    return _with_source(record.first("035", "a") or "") or None


def _with_source(number: str) -> str:
    """A number with the code of its source, which others write in brackets before it: "source/number"."""
    return re.sub(r"^\(([^()]+)\)\s*", r"\1/", number)


# -- writing


def to_marc21(
    record: Record, host: Record | None = None, labels: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, list[Field]]:
    """Leader and fields of a record in UTF-8, for ``kb.iso2709``. ``host`` is the record of that id, without
    which only the pages within it are told; ``labels`` are those of concepts by URI."""
    fields = [Field("001", formats.source_number(record))]
    fields.append(Field("003", record.centre))
    if record.updated:
        fields.append(Field("005", f"{record.updated:%Y%m%d%H%M%S}.0"))
    for part in (_numbers, _first_agent, _description, _texts):
        fields += part(record)
    fields += _access_points(record, labels)
    fields += _host(record, host)
    fields += _holdings(record)
    kind = _LEADERS.get(record.type, "am")
    return f"00000n{kind} a22000003i 4500", fields


def _numbers(record: Record) -> Iterator[Field]:
    code = formats.language_code(record.language)
    yield Field("008", _fixed(record, code))
    known = record.identifiers
    yield from made("020", "  ", ("a", known.get("isbn")))
    yield from made("022", "  ", ("a", known.get("issn")))
    for kind, value in known.items():
        if kind not in ("isbn", "issn", "record", "url"):
            yield from made("024", "7 ", ("a", value), ("2", kind))
    yield from made("035", "  ", ("a", "({0}){2}".format(*record.id.partition(":"))))
    yield from made("040", "  ", ("a", record.centre), ("b", "fre"), ("c", record.centre))
    yield from made("041", "0 ", ("a", code))
    yield from made("099", "  ", ("a", record.call_number))


def _fixed(record: Record, language: str) -> str:
    """008, 40 characters: day of entry, kind of date and year, place unknown, no attempt to code the rest."""
    entered = record.created or record.updated
    day = f"{entered:%y%m%d}" if entered else " " * 6
    kind = "c" if record.type == "periodique" else "s" if record.date else "n"
    year = record.date[:4] if record.date else "uuuu"
    end = "9999" if kind == "c" else "    "
    return f"{day}{kind}{year}{end}xx {'|' * 17}{language if len(language) == 3 else 'und'} d"


def _first_agent(record: Record) -> list[Field]:
    """1XX: the first agent if it is an author."""
    first = record.agents[:1]
    return _agent(first[0], "1") if first and first[0].role == "author" else []


def _agent(agent: Agent, rank: str) -> list[Field]:
    relator = ("4", _CODES.get(agent.role, "aut"))
    if agent.kind == "body":
        return made(f"{rank}10", "2 ", ("a", agent.name), relator)
    surname_first = "1 " if ", " in agent.name else "0 "
    return made(f"{rank}00", surname_first, ("a", agent.name), relator)


def _description(record: Record) -> Iterator[Field]:
    named = ", ".join(formats.spoken(a.name) for a in record.agents if a.role == "author")
    alone = None if record.series else record.issue
    yield from made("245", "00", ("a", record.title), ("n", alone), ("b", record.subtitle), ("c", named))
    yield from made("264", " 1", ("a", record.place), ("b", record.publisher), ("c", record.date))
    yield from made("300", "  ", *zip("abce", formats.extent_parts(record.extent or ""), strict=True))
    if record.series:
        yield from made("490", "0 ", ("a", record.series), ("v", record.issue))


def _texts(record: Record) -> Iterator[Field]:
    for note in record.notes:
        yield from made("500", "  ", ("a", note))
    yield from made("506", "1 ", ("a", formats.ACCESS_SAID.get(record.access)))
    for paragraph in (record.abstract or "").split("\n\n"):
        yield from made("520", "  ", ("a", paragraph))


def _access_points(record: Record, labels: Mapping[str, str]) -> Iterator[Field]:
    for subject in record.subjects:
        if subject.state is State.ACCEPTED:
            label = labels.get(subject.concept, subject.concept)
            yield from made("650", " 7", ("a", label), ("0", subject.concept), ("2", OURS))
    for keyword in record.keywords:
        yield from made("653", "  ", ("a", keyword))
    yield from made("655", " 7", ("a", TYPES[record.type]), ("2", OURS))
    for agent in record.agents[len(_first_agent(record)) :]:
        yield from _agent(agent, "7")


def _host(record: Record, host: Record | None) -> list[Field]:
    pages = f"{_BEFORE_PAGES}{record.host_pages}" if record.host_pages else None
    if host is None:
        return made("773", "0 ", ("g", pages))
    return made(
        "773",
        "0 ",
        ("t", host.title),
        ("g", pages),
        ("w", formats.source_number(host)),
        ("x", host.identifiers.get("issn")),
        ("z", host.identifiers.get("isbn")),
    )


def _holdings(record: Record) -> Iterator[Field]:
    for copy in record.copies:
        said = formats.STATUS_SAID.get(copy.status)
        where = ("b", copy.location)
        yield from made("852", "8 ", where, ("h", copy.call_number), ("p", copy.barcode), ("z", said))
    yield from made("856", "4 ", ("u", record.identifiers.get("url")))
    yield from made("884", "  ", ("a", OURS), ("q", record.centre))
