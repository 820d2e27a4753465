"""What a repository answers to an OAI-PMH 2.0 request, from bytes to values.

Hides how answers are wrong: prefixes, namespaces, character sets that are not those declared, PHP's warnings
around the XML, signs that XML forbids, answers cut off. An answer is read whole where it can be; else each
record is cut out of the text and read alone, so that one which is ill-formed spoils no other. What stands
before the root is never parsed: no document type, hence no entity, is seen.

Source: https://www.openarchives.org/OAI/openarchivesprotocol.html (2.0); the names of elements are those of
its schema, looked for whatever their namespace.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from html.entities import html5
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from kb import charsets
from kb.errors import HarvestError, Trouble

NETWORK = "https://carbet.example/ns/network/1"
"""Namespace in which a Carbet says its code and its key, in Identify."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a repository says of itself. ``earliest`` is as it was written; ``granularity`` is "day" or
    "second"; ``deleted`` is "no", "transient" or "persistent"; ``centre`` and ``public_key`` (hexadecimal)
    are a Carbet's, unproven."""

    name: str
    base_url: str
    emails: tuple[str, ...]
    earliest: str
    granularity: str
    deleted: str
    centre: str | None = None
    public_key: str | None = None
    description: str = ""
    version: str = "2.0"


@dataclass(frozen=True, slots=True)
class Item:
    """One record as it was sent. ``metadata`` is the element inside ``metadata``, as XML in UTF-8 with all
    namespaces that hold there; None when the record is deleted or has none."""

    identifier: str
    datestamp: str
    sets: tuple[str, ...]
    deleted: bool
    metadata: bytes | None


@dataclass(frozen=True, slots=True)
class Listed:
    """The records, or headers, of one answer; ``skipped`` are French sentences on those that could not be
    read, ``size`` how many the whole list has, as the repository says."""

    items: tuple[Item, ...]
    token: str | None
    size: int | None
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of which the protocol's own elements are known; ``listed`` and its like read the rest.

    ``root`` holds everything when the XML was good, or could be mended (``mended``); else ``parts`` are its
    records as text, ``around`` is what was left around them, and ``root`` is that as far as it is XML.
    """

    url: str
    root: Any
    mended: bool
    parts: tuple[str, ...] = ()
    around: str | None = None

    @property
    def errors(self) -> tuple[tuple[str, str], ...]:
        """(code, what the repository says of it) in order."""
        found = (child for child in self.root if _name(child) == "error")
        return tuple(((error.get("code") or "").strip(), _text(error)) for error in found)

    @property
    def at(self) -> datetime | None:
        """The clock of the repository when it answered, UTC."""
        return moment(_child_text(self.root, "responseDate"))

    @property
    def complete(self) -> bool:
        """Whether the answer was not cut off before it said how to go on."""
        return self.around is None or bool(_TOKEN.search(self.around) or _LIST_END.search(self.around))


# -- from bytes to an answer

_ROOT = re.compile(r"<(?:[\w.-]+:)?(?:OAI-PMH|ListRecords|ListIdentifiers)[\s>/]")
_END = re.compile(r"</(?:[\w.-]+:)?OAI-PMH\s*>")
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_CATALOGUE_SETS = re.compile(r"iso8859-\d+|cp\d+|koi8-[rtu]|mac-\w+|gb\w+|big5\w*|euc_\w+|shift_jis\w*")
_WIDE = (  # longest first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_HEAD = 4096  # bytes in which a declaration stands; warnings of PHP may come before it


def read(body: bytes, charset: str | None = None, url: str = "") -> Answer:
    """An answer out of the body of an HTTP response; ``charset`` is what its header says. Raises HarvestError
    when it is none: NOT_OAI for another kind of document, BROKEN_XML when nothing can be made of it."""
    text = _decoded(body, charset)
    start = _ROOT.search(text)
    if start is None:
        if not text.strip():
            raise HarvestError(Trouble.BROKEN_XML, "empty answer", url)
        raise HarvestError(Trouble.NOT_OAI, f"no OAI-PMH element in {_excerpt(text)!r}", url)
    ends = list(_END.finditer(text, start.start()))
    text = text[start.start() : ends[-1].end() if ends else len(text)]
    try:
        return Answer(url, _parsed(text), mended=False)
    except etree.XMLSyntaxError:
        text = _mended(text)
    try:
        return Answer(url, _parsed(text), mended=True)
    except etree.XMLSyntaxError as error:
        return _cut_up(text, url, error)


def _excerpt(text: str) -> str:
    return " ".join(text[:300].split())[:80]


def _decoded(body: bytes, charset: str | None) -> str:
    """By the bytes: UTF-8 if they are, else what is declared; a byte that is no UTF-8 among others that are
    is read as Windows-1252, of which ISO-8859-1 is a part."""
    for mark, codec in _WIDE:
        if body.startswith(mark):
            return body.decode(codec, "replace").removeprefix("\ufeff")
    body = body.removeprefix(codecs.BOM_UTF8)
    found = _DECLARED.search(body[:_HEAD])
    declared = _known(found[1].decode("ascii") if found else charset)
    if declared and not charsets.is_utf8(body):
        return body.decode(declared, "replace")
    return body.decode("utf-8", "carbet.windows")


def _known(name: str | None) -> str | None:
    """Python's name of a set in which catalogues are written, apart from those that ``_decoded`` tries."""
    try:
        found = codecs.lookup(name or "").name
    except (LookupError, ValueError):  # an unknown name, or one that cannot be a name
        return None
    return found if _CATALOGUE_SETS.fullmatch(found) and found not in ("iso8859-1", "cp1252") else None


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("carbet.windows", _as_windows)


def _parser(*, recover: bool = False) -> Any:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )


def _parsed(text: str) -> Any:
    return etree.fromstring(text.encode("utf-8", "replace"), _parser())


# -- mending

# A section of CDATA that never ends is taken to the end of the text, in one step.
_MENDABLE = re.compile(
    r"(?P<kept><!\[CDATA\[(?:.*?\]\]>|.*))|(?P<sign>[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff])"
    r"|&(?:(?P<reference>#[0-9]{1,9}|#[xX][0-9A-Fa-f]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});)?|<(?![A-Za-z_/!?])",
    re.DOTALL,
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_XML_NAMES = ("amp", "lt", "gt", "quot", "apos")


def _mended(text: str) -> str:
    """Without control characters, with bare ampersands and lone "<" escaped, the names of HTML as signs."""
    return _MENDABLE.sub(_mend, text)


def _mend(found: re.Match[str]) -> str:
    if found["kept"]:
        return _CONTROL.sub("", found["kept"])
    if found["sign"]:
        return ""
    reference = found["reference"]
    if reference is None:
        return escape(found[0])
    if reference.startswith("#"):
        return found[0] if _is_allowed(reference[1:]) else ""
    if reference in _XML_NAMES:
        return found[0]
    return escape(html5.get(reference + ";") or found[0])


def _is_allowed(number: str) -> bool:
    """Whether XML 1.0 (2.2, Char) has a character of that number, in figures or as "x" and hexadecimal."""
    code = int(number[1:], 16) if number[0] in "xX" else int(number)
    return (
        code in (9, 10, 13)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or code >> 16 in range(1, 17)
    )


# -- cutting records out of a text

# The record of the protocol begins with its header; a record of MARC within it does not.
_RECORD = re.compile(r"<(?P<name>(?:[\w.-]+:)?record)(?:\s[^<>]*)?>(?=\s*<(?:[\w.-]+:)?header[\s>/])")
_HEADER = re.compile(r"<(?P<name>(?:[\w.-]+:)?header)(?:\s[^<>]*)?>")
_LIST_END = re.compile(
    r"</(?:[\w.-]+:)?(?:ListRecords|ListIdentifiers|ListSets|ListMetadataFormats|Identify|OAI-PMH)\s*>"
)
_TOKEN = re.compile(
    r"<(?:[\w.-]+:)?resumptionToken(?P<attributes>\s[^<>]*?)?"
    r"(?:/>|>(?P<token>[^<]*)</(?:[\w.-]+:)?resumptionToken\s*>)"
)
_SIZE = re.compile(r"completeListSize\s*=\s*[\"']([^\"']*)[\"']")


def _cut_up(text: str, url: str, error: Exception) -> Answer:
    starts = list(_RECORD.finditer(text)) or list(_HEADER.finditer(text))
    limits = [start.start() for start in starts[1:]] + [len(text)]
    parts, around, done = [], [], 0
    for start, limit in zip(starts, limits, strict=False):
        around.append(text[done : start.start()])
        done = _end_of_part(text, start, limit)
        parts.append(text[start.start() : done])
    rest = "".join([*around, text[done:]])
    root = etree.fromstring(rest.encode("utf-8", "replace"), _parser(recover=True))
    if root is None:
        raise HarvestError(Trouble.BROKEN_XML, str(error), url) from error
    return Answer(url, root, mended=True, parts=tuple(parts), around=rest)


def _end_of_part(text: str, start: re.Match[str], limit: int) -> int:
    """Where a record ends that may never have been closed: then at the token, or at the next record."""
    end = text.rfind(f"</{start['name']}", start.end(), limit)
    if end >= 0:
        return text.find(">", end, limit) + 1 or limit
    token = _TOKEN.search(text, start.end(), limit)
    return token.start() if token else limit


_DECLARATION = re.compile(r"\sxmlns(?::([A-Za-z_][\w.-]*))?\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_PREFIX = re.compile(r"(?:</?|\s)([A-Za-z_][\w.-]*):[A-Za-z_][\w.-]*(?=[\s=/>])")
_USUAL = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "marc": "http://www.loc.gov/MARC21/slim",
    "mxc": "info:lc/xmlns/marcxchange-v2",
}
"""Namespaces that are meant when a prefix is used that nobody declared."""


def _alone(part: str, declared: dict[str, str]) -> list[Any]:
    """The tree of a record that was cut out, in the namespaces of what stood around it, with those of others
    that were not seen to begin; or an _Unread."""
    used = {prefix: _USUAL.get(prefix, f"urn:{prefix}") for prefix in _PREFIX.findall(part)}
    names = {**used, **declared}
    names.pop("xml", None)
    names.pop("xmlns", None)
    told = " ".join(
        f'xmlns{":" if prefix else ""}{prefix}="{escape(unescape(space), {chr(34): "&quot;"})}"'
        for prefix, space in names.items()
    )
    try:
        return list(_parsed(f"<alone {told}>{part}</alone>"))
    except etree.XMLSyntaxError as error:
        return [_Unread(part, error.lineno or 1)]


def _declared(around: str) -> dict[str, str]:
    return {prefix: double or single for prefix, double, single in _DECLARATION.findall(around[:_HEAD])}


# -- reading an answer


def moment(text: str) -> datetime | None:
    """A date of the protocol, or near it: without a zone it is UTC, as the protocol wants. None if it is no
    date."""
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def listed(answer: Answer) -> Listed:
    """The records of ListRecords or GetRecord, the headers of ListIdentifiers. Raises HarvestError
    (PROTOCOL) when it is another answer."""
    if answer.around is None or (answer.complete and not answer.parts):
        holder = _holder(answer, "ListRecords", "ListIdentifiers", "GetRecord")
        items, skipped = _items(child for child in holder if _name(child) in ("record", "header"))
    else:
        declared = _declared(answer.around)
        items, skipped = _items(one for part in answer.parts for one in _alone(part, declared))
    token, size = _token(answer)
    return Listed(items, token, size, skipped)


def _token(answer: Answer) -> tuple[str | None, int | None]:
    """The token and the size of the whole list. A token that was cut off is none."""
    if answer.around is None:
        element = next((one for one in answer.root.iter("{*}*") if _name(one) == "resumptionToken"), None)
        if element is None:
            return None, None
        return (element.text or "").strip() or None, _number(element.get("completeListSize"))
    found = _TOKEN.search(answer.around)
    if found is None:
        return None, None
    size = _SIZE.search(found["attributes"] or "")
    return unescape(found["token"] or "").strip() or None, _number(size and size[1])


def _items(elements: Iterable[Any]) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    items, skipped = [], []
    for number, element in enumerate(elements, start=1):
        if isinstance(element, _Unread):
            skipped.append(element.sentence(number))
        elif (found := _item(element)).identifier:
            items.append(found)
        else:
            skipped.append(f"Notice n°\u00a0{number} de la page\u00a0: elle n’a pas d’identifiant.")
    return tuple(items), tuple(skipped)


_IDENTIFIER = re.compile(r"<(?:[\w.-]+:)?identifier\s*>\s*([^<]{1,200}?)\s*<")


@dataclass(frozen=True, slots=True)
class _Unread:
    """A record that was cut out and is no XML."""

    part: str
    line: int

    def sentence(self, number: int) -> str:
        found = _IDENTIFIER.search(self.part)
        who = f"«\u00a0{unescape(found[1])}\u00a0»" if found else f"n°\u00a0{number} de la page"
        return f"Notice {who}\u00a0: XML mal formé, ligne {self.line} de la notice."


def _item(element: Any) -> Item:
    header = element if _name(element) == "header" else _child(element, "header")
    status = (header.get("status") if header is not None else None) or element.get("status") or ""
    deleted = status.strip().lower() == "deleted"
    inner = None if deleted else next(iter(_child(element, "metadata", ())), None)
    return Item(
        identifier=_child_text(header, "identifier"),
        datestamp=_child_text(header, "datestamp"),
        sets=tuple(spec for child in _children(header, "setSpec") if (spec := _text(child))),
        deleted=deleted,
        metadata=None if inner is None else etree.tostring(inner, encoding="utf-8", with_tail=False),
    )


def identity(answer: Answer) -> Identity:
    """What Identify says. Raises HarvestError (PROTOCOL) when it is another answer."""
    holder = _holder(answer, "Identify")
    deleted = _child_text(holder, "deletedRecord").lower()
    granularity = _child_text(holder, "granularity").lower()
    descriptions = _children(holder, "description")
    centre, key = _carbet(descriptions)
    return Identity(
        name=_child_text(holder, "repositoryName"),
        base_url=_child_text(holder, "baseURL"),
        emails=tuple(email for child in _children(holder, "adminEmail") if (email := _text(child))),
        earliest=_child_text(holder, "earliestDatestamp"),
        granularity="second" if "ss" in granularity else "day",
        deleted=deleted if deleted in ("transient", "persistent") else "no",
        centre=centre,
        public_key=key,
        description=_described(descriptions),
        version=_child_text(holder, "protocolVersion"),
    )


_CENTRE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")  # as the setting ``centre``
_KEY = re.compile(r"[0-9a-f]{64}")  # Ed25519: 32 bytes


def _carbet(descriptions: list[Any]) -> tuple[str | None, str | None]:
    """Code and key of a Carbet, each None when it is not told or cannot be one."""
    for description in descriptions:
        for own in description.iterchildren(f"{{{NETWORK}}}carbet"):
            centre, key = _child_text(own, "centre"), _child_text(own, "key").lower()
            return (
                centre if _CENTRE.fullmatch(centre) else None,
                key if _KEY.fullmatch(key) else None,
            )
    return None, None


def _described(descriptions: list[Any]) -> str:
    """The repository's words on itself: those of Dublin Core, or of the first text of EPrints."""
    for description in descriptions:
        for element in description.iter("{*}description", "{*}text"):
            if element is not description and len(element) == 0 and (words := _text(element)):
                return words
    return ""


def formats(answer: Answer) -> tuple[str, ...]:
    """The prefixes of ListMetadataFormats, each once."""
    holder = _holder(answer, "ListMetadataFormats")
    found = (_child_text(child, "metadataPrefix") for child in _children(holder, "metadataFormat"))
    return tuple(dict.fromkeys(prefix for prefix in found if prefix))


def sets(answer: Answer) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """(spec, name) of each set of ListSets, and the token of the next page."""
    holder = _holder(answer, "ListSets")
    found = ((_child_text(one, "setSpec"), _child_text(one, "setName")) for one in _children(holder, "set"))
    return tuple((spec, name or spec) for spec, name in found if spec), _token(answer)[0]


def _holder(answer: Answer, *names: str) -> Any:
    """The element of the answer to a verb. Raises HarvestError (PROTOCOL)."""
    for element in (answer.root, *answer.root):
        if _name(element) in names:
            return element
    raise HarvestError(Trouble.PROTOCOL, f"no {' or '.join(names)} in the answer", answer.url)


def _name(element: Any) -> str:
    """Local name; a prefix that nobody declared is part of the name for the parser, not for us."""
    return str(etree.QName(element).localname).rpartition(":")[2]


def _children(element: Any, name: str) -> list[Any]:
    return [] if element is None else [child for child in element if _name(child) == name]


def _child(element: Any, name: str, default: Any = None) -> Any:
    return next(iter(_children(element, name)), default)


def _child_text(element: Any, name: str) -> str:
    return _text(_child(element, name))


def _text(element: Any) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,12}", text.strip()) else None


def words(errors: tuple[tuple[str, str], ...]) -> str:
    """The errors of an answer for the log."""
    return "; ".join(f"{code}: {said}" if said else code for code, said in errors)
