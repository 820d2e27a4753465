"""ISO 2709, the form of exchange of all MARC formats, and its twin in XML.

Hides leaders, directories, terminators, and how far a record survives when they are wrong. What a field means
is for ``kb.unimarc`` and ``kb.marc21``; how its bytes are read, for ``kb.charsets``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from mmap import mmap
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from kb.errors import InvalidRecord

LEADER = 24  # bytes

_END_OF_RECORD, _END_OF_FIELD, _SUBFIELD = b"\x1d", b"\x1e", b"\x1f"
_ENTRY = 12  # bytes of one entry of the directory: tag (3), length (4), start (5)
_LONGEST_FIELD, _LONGEST_RECORD = 9_999, 99_999  # what fits in the directory and in the leader


class Field(NamedTuple):
    """One field: control data, "" if it has subfields, or subfields as (code, value) in order."""

    tag: str
    data: str
    subfields: tuple[tuple[str, str], ...] = ()
    indicators: str = "  "

    def all(self, *codes: str) -> list[str]:
        """Values of the subfields of these codes, in order of the field."""
        return [value for code, value in self.subfields if code in codes and value]

    def first(self, *codes: str) -> str | None:
        """The first value of the first code that has one."""
        return next((value for code in codes for value in self.all(code)), None)


class FieldSet:
    """Fields of one record by tag."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields

    def of(self, *tags: str) -> list[Field]:
        """Fields of these tags: those of the first tag first, each in order of the record."""
        return [field for tag in tags for field in self._fields if field.tag == tag]

    def among(self, *tags: str) -> list[Field]:
        """Fields of these tags in order of the record."""
        return [field for field in self._fields if field.tag in tags]

    def first(self, tag: str, *codes: str) -> str | None:
        """The first value of these subfields in the first field that has one."""
        return next((value for field in self.of(tag) if (value := field.first(*codes))), None)

    def control(self, tag: str) -> str | None:
        """Data of the first control field of this tag that has some."""
        return next((field.data.strip() for field in self.of(tag) if field.data.strip()), None)


def made(tag: str, indicators: str, *subfields: tuple[str, str | None]) -> list[Field]:
    """A field of those subfields that say something; none if none does."""
    kept = tuple((code, value) for code, value in subfields if value)
    return [Field(tag, "", kept, indicators)] if kept else []


# -- reading


class RawField(NamedTuple):
    """One field as bytes: its content without the terminator."""

    tag: str
    body: bytes

    @property
    def is_control(self) -> bool:
        """Whether it has neither indicators nor subfields (00X)."""
        return self.tag.startswith("00")


_LOOKS_LIKE_LEADER = re.compile(rb"[\d ]{5}[ -~]{7}[\d ]{5}[ -~]{7}[0-9A-Za-z]{3}\d{9}")
_RUN_TOGETHER = re.compile(rb"\x1e(?=\s{0,4}\d{5}[ -~]{5}2[ -~]\d{5}[ -~]{7}[0-9A-Za-z]{3}\d{4}00000)")
_DIRECTORY = re.compile(rb"(?:[ -~]{3}\d{9})+")
_BLANKS = b"\r\n\t\0 \x1a\xef\xbb\xbf"


def records(content: bytes | mmap) -> Iterator[bytes]:
    """The records of a file, each with its end mark, blanks between them left out.

    They are parted by their end marks, since lengths in leaders are often wrong. The length counts in one
    case: when what follows an end mark looks like no leader and both together are exactly as long as
    declared, the mark stands inside a field. Records run together without a mark are parted where a leader
    begins.
    """
    held = b""
    at = 0
    while at < len(content):
        end = content.find(_END_OF_RECORD, at)
        end = len(content) if end < 0 else end
        part, at = content[at:end].lstrip(_BLANKS), end + 1
        if held and not _LOOKS_LIKE_LEADER.match(part) and _declared(held) == len(held) + len(part) + 1:
            held += part + _END_OF_RECORD
            continue
        yield from _parted(held)
        held = part + _END_OF_RECORD if part.strip(_BLANKS) else b""
    yield from _parted(held)


def _parted(raw: bytes) -> Iterator[bytes]:
    if not raw:
        return
    start = 0
    for join in _RUN_TOGETHER.finditer(raw):
        yield raw[start : join.end()] + _END_OF_RECORD
        start = join.end()
    yield raw[start:].lstrip(_BLANKS)


def _declared(raw: bytes) -> int | None:
    return int(raw[:5]) if raw[:5].isdigit() else None


def parse(raw: bytes) -> tuple[str, list[RawField], list[str]]:
    """Leader, fields, and French words on what was mended. Raises InvalidRecord with a French reason."""
    if len(raw) < LEADER + _ENTRY:
        raise InvalidRecord("record", "trop courte")
    directory = _directory(raw)
    if directory is None:
        raise InvalidRecord("record", "structure ISO 2709 fautive (répertoire illisible)")
    start, end = directory
    entries = [
        (raw[i : i + 3].decode("ascii"), int(raw[i + 3 : i + 7]), int(raw[i + 7 : i + 12]))
        for i in range(start, end, _ENTRY)
    ]
    # A few bytes too many before the terminator of the directory are no field.
    base = raw.find(_END_OF_FIELD, end, end + _ENTRY) + 1 or end
    body = raw[base:].rstrip(_END_OF_RECORD)
    leader = raw[:start].decode("latin-1")
    faults = [] if (start, base) == (LEADER, end + 1) else ["guide ou répertoire fautif"]
    fields, more = _fields(entries, body)
    return regular_leader(leader), fields, faults + more


def _directory(raw: bytes) -> tuple[int, int] | None:
    """Where the directory begins and ends. Blanks lost or doubled in the leader move its beginning."""
    usual = _DIRECTORY.match(raw, LEADER)
    if usual and _is_closed(raw, usual.end()):
        return usual.span()
    for start in range(LEADER - 6, LEADER + 7):
        found = _DIRECTORY.match(raw, start)
        if found and found.group()[7:12] == b"00000" and _is_closed(raw, found.end()):
            return found.span()
    return usual.span() if usual else None


def _is_closed(raw: bytes, end: int) -> bool:
    return raw[end : end + 1] == _END_OF_FIELD


def _fields(entries: list[tuple[str, int, int]], body: bytes) -> tuple[list[RawField], list[str]]:
    """Fields by the directory if it is right throughout; else by their terminators, in order, if there are as
    many as entries; else those that the directory finds between two terminators."""
    exact = [_between(body, start, length) for _, length, start in entries]
    if None not in exact:
        found = [RawField(tag, part or b"") for (tag, _, _), part in zip(entries, exact, strict=True)]
        return found, []
    parts = body.removesuffix(_END_OF_FIELD).split(_END_OF_FIELD)
    if len(parts) == len(entries):
        ordered = sorted(entries, key=lambda entry: entry[2])
        tags = [tag for tag, _, _ in (ordered if len({e[2] for e in entries}) == len(entries) else entries)]
        return [RawField(*pair) for pair in zip(tags, parts, strict=True)], ["longueurs de zones fausses"]
    kept = [RawField(tag, part) for (tag, _, _), part in zip(entries, exact, strict=True) if part is not None]
    lost = dict.fromkeys(tag for (tag, _, _), part in zip(entries, exact, strict=True) if part is None)
    if not kept:
        raise InvalidRecord("record", "structure ISO 2709 fautive (zones introuvables)")
    return kept, [f"notice abîmée, zones perdues : {', '.join(lost)}"]


def _between(body: bytes, start: int, length: int) -> bytes | None:
    """The field at that place, if it lies exactly between two terminators."""
    part = body[start : start + length]
    begins = start == 0 or body[start - 1 : start] == _END_OF_FIELD
    # The terminator of the last field is missing in some files.
    ends = part.endswith(_END_OF_FIELD) or (start + length >= len(body) and len(part) >= length - 1)
    inner = part.removesuffix(_END_OF_FIELD)
    return inner if begins and ends and length > 0 and _END_OF_FIELD not in inner else None


def field(tag: str, text: str) -> Field:
    """A field of its decoded text; data without any subfield is taken for its $a, what no letter names is
    left out, and values are made NFC without blanks around them."""
    if tag.startswith("00"):
        return Field(tag, regular(text))
    head, *rest = text.split("\x1f")
    if not rest:
        value = regular(head[2:])
        return Field(tag, "", (("a", value),) if value else ())
    parts = [(part[0], regular(part[1:])) for part in rest if part and part[0] in _CODES]
    return Field(tag, "", tuple((code, value) for code, value in parts if value), head[:2].ljust(2))


def regular(value: str) -> str:
    """NFC, without control characters but line ends, and without blanks at its ends."""
    return unicodedata.normalize("NFC", _CONTROL.sub("", value)).strip()


_CODES = frozenset(map(chr, range(0x21, 0x7F)))  # ISO 2709 wants letters and digits; some invent "@" or "#"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def regular_leader(said: str) -> str:
    """A leader of 24 characters with status, type and level in 5 to 7, wherever lost blanks moved them."""
    if len(said) == LEADER and said[5:8].strip():
        return said
    found = re.match(r"[\d\s]{0,5}([a-z][a-z ][a-z ]?)", said)
    return f"     {found[1]}".ljust(LEADER)[:LEADER] if found else said.ljust(LEADER)[:LEADER]


# -- writing


def iso2709(leader: str, fields: Iterable[Field]) -> bytes:
    """One record in UTF-8. A field longer than the format's 9,999 bytes is continued in further fields of its
    tag, parted between words. Raises InvalidRecord when all is longer than 99,999 bytes."""
    directory, data = b"", b""
    for field in fields:
        for body in _bodies(field):
            directory += f"{field.tag}{len(body):04d}{len(data):05d}".encode()
            data += body
            if len(data) > _LONGEST_RECORD:
                raise InvalidRecord("record", "trop longue pour l’ISO 2709 (99 999 octets)")
    base = LEADER + len(directory) + 1
    length = base + len(data) + 1
    if length > _LONGEST_RECORD:
        raise InvalidRecord("record", "trop longue pour l’ISO 2709 (99 999 octets)")
    head = f"{length:05d}{leader[5:10]}22{base:05d}{leader[17:20]}45{leader[22:24]}"
    return head.encode("ascii") + directory + _END_OF_FIELD + data + _END_OF_RECORD


def _bodies(field: Field) -> Iterator[bytes]:
    if not field.subfields:
        yield _clean(field.data).encode() + _END_OF_FIELD
        return
    head = field.indicators.encode()
    body = head
    for code, value in field.subfields:
        for piece in _pieces(_clean(value).encode(), _LONGEST_FIELD - 10):
            if len(body) + len(piece) + 3 > _LONGEST_FIELD:
                yield body + _END_OF_FIELD
                body = head
            body += _SUBFIELD + code.encode() + piece
    yield body + _END_OF_FIELD


def _pieces(value: bytes, most: int) -> Iterator[bytes]:
    """The value in parts of at most so many bytes, cut at a blank if there is one, never in a character."""
    while len(value) > most:
        cut = value.rfind(b" ", 1, most)
        if cut < 0:
            cut = most
            while value[cut] & 0xC0 == 0x80:
                cut -= 1
        yield value[:cut]
        value = value[cut:].lstrip(b" ")
    yield value


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clean(value: str) -> str:
    """Without what neither form can hold: control characters (the marks of fields are some), half pairs."""
    return _NOT_XML.sub("", value)


def marcxml(records: Iterable[tuple[str, Sequence[Field]]]) -> Iterator[str]:
    """A collection in MARCXML (the Library of Congress's MARC21slim, used for UNIMARC too), in parts to be
    encoded as UTF-8."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="http://www.loc.gov/MARC21/slim">\n'
    for leader, fields in records:
        yield f"<record>\n  <leader>{escape(_clean(leader))}</leader>\n"
        yield from map(_element, fields)
        yield "</record>\n"
    yield "</collection>\n"


def _element(field: Field) -> str:
    tag = quoteattr(_clean(field.tag))
    if not field.subfields:
        return f"  <controlfield tag={tag}>{escape(_clean(field.data))}</controlfield>\n"
    first, second = (quoteattr(_clean(mark)) for mark in field.indicators.ljust(2)[:2])
    inner = "".join(
        f"    <subfield code={quoteattr(_clean(code))}>{escape(_clean(value), _NO_CR)}</subfield>\n"
        for code, value in field.subfields
    )
    return f"  <datafield tag={tag} ind1={first} ind2={second}>\n{inner}  </datafield>\n"


_NO_CR = {"\r": "&#13;"}  # a bare one would be read back as a line feed
