"""Whole records as XML: the metadata format ``carbet``, in which Carbet centres harvest one another.

Hides the elements, what XML cannot hold, and how it is read without trusting it. All that
``kb.records.Record`` says is held but for paths of this machine (``source`` only as a web address) and the
text of a page as it was before cleaning. ``carbet.xsd`` is the schema of what is written; what is read may
hold elements and attributes of a later version, which are passed over.

``checked`` says what is asked of a record that comes from elsewhere, in this form or in another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lxml import etree

from kb.errors import InvalidRecord
from kb.records import Agent, Copy, Evidence, File, Origin, Page, Quality, Record, State, Subject, validate
from kb.sharing import Shared

NAMESPACE = "https://carbet.example/ns/record/1"
SCHEMA = Path(__file__).with_name("carbet.xsd")
"""The file of the schema, for those who publish it."""

Labels = Mapping[str, tuple[str, str]]
"""URI of a concept -> its label, and the short name of its scheme ("" for none)."""

LONGEST_LABEL = 40  # characters of what is printed on a page as its number: what the database holds
_ID = re.compile(r"[a-z0-9-]{1,100}:[0-9]{1,18}")
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_WEB = re.compile(r"https?://\S+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COUNT = re.compile(r"[0-9]{1,18}")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_TEXTS = MappingProxyType(
    {
        **{name: name for name in ("title", "subtitle", "date", "publisher", "place", "series", "issue")},
        **{name: name for name in ("extent", "abstract", "host", "source")},
        "callNumber": "call_number",
        "hostPages": "host_pages",
    }
)
"""Element that stands at most once -> the field that it holds."""


# -- writing


def to_xml(record: Record, pages: Iterable[Page] = (), labels: Labels = MappingProxyType({})) -> str:
    """The record as the element ``record`` with its namespace; valid against ``SCHEMA`` if ``checked`` takes
    it.

    No declaration. Characters that XML 1.0 cannot hold (2.2) are left out. ``labels`` names concepts for
    those who lack them.
    """
    parts = "".join(
        (*_description(record), *_holdings(record), *_tagging(record, labels), *map(_page, pages))
    )
    return f'<record xmlns="{NAMESPACE}"{_attributes(_head(record))}>{parts}</record>'


def _head(record: Record) -> Iterator[tuple[str, str | None]]:
    yield from (("id", record.id), ("type", record.type), ("access", record.access))
    yield from (("language", record.language), ("created", _said(record.created)))
    yield "updated", _said(record.updated)


def _description(record: Record) -> Iterator[str]:
    yield _one("title", record.title)
    yield _one("subtitle", record.subtitle)
    for agent in record.agents:
        yield _element("agent", agent.name, (("role", agent.role), ("kind", agent.kind)))
    for name in ("date", "publisher", "place", "series", "issue", "extent", "abstract"):
        yield _one(name, getattr(record, name))
    yield from (_one("note", note) for note in record.notes)


def _holdings(record: Record) -> Iterator[str]:
    yield _one("callNumber", record.call_number)
    for copy in record.copies:
        place = (("barcode", copy.barcode), ("location", copy.location), ("status", copy.status))
        yield f"<copy{_attributes((('callNumber', copy.call_number), *place))}/>"
    for file in record.files:
        kind = (("sha256", file.sha256), ("mediaType", file.media_type))
        yield _element("file", file.name, (*kind, ("size", str(file.size)), ("pages", str(file.pages))))
    yield _one("host", record.host)
    yield _one("hostPages", record.host_pages)


def _tagging(record: Record, labels: Labels) -> Iterator[str]:
    for subject in record.subjects:
        label, scheme = labels.get(subject.concept, (None, None))
        how = (("origin", subject.origin), ("state", subject.state), ("score", repr(float(subject.score))))
        said = _attributes((("concept", subject.concept), *how, ("label", label), ("scheme", scheme or None)))
        yield f"<subject{said}>{''.join(map(_evidence, subject.evidence))}</subject>"
    yield from (_one("keyword", keyword) for keyword in record.keywords)
    for kind, value in record.identifiers.items():
        yield _element("identifier", value, (("type", kind),))
    if record.source is not None and _WEB.fullmatch(record.source):
        yield _one("source", record.source)


def _evidence(words: Evidence) -> str:
    place = f'page="{words.page:d}" start="{words.start:d}" end="{words.end:d}"'
    return f"<evidence {place}>{_escaped(words.text)}</evidence>"


def _page(page: Page) -> str:
    recognised = None if page.recognised is None else repr(float(page.recognised))
    said = (("number", str(page.number)), ("label", page.label), ("grade", repr(float(page.grade))))
    return _element("page", page.text, (*said, ("quality", page.quality), ("recognised", recognised)))


def _one(name: str, text: str | None) -> str:
    return "" if text is None else f"<{name}>{_escaped(text)}</{name}>"


def _element(name: str, text: str, attributes: Iterable[tuple[str, str | None]]) -> str:
    return f"<{name}{_attributes(attributes)}>{_escaped(text)}</{name}>"


def _attributes(some: Iterable[tuple[str, str | None]]) -> str:
    return "".join(f' {name}="{_quoted(value)}"' for name, value in some if value is not None)


def _escaped(text: str) -> str:
    """A carriage return would be read as a line feed (XML 1.0, 2.11) if it stood as it is."""
    text = _NOT_XML.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def _quoted(text: str) -> str:
    """Tabulators and line feeds would be read as blanks (XML 1.0, 3.3.3)."""
    return _escaped(text).replace('"', "&quot;").replace("\t", "&#9;").replace("\n", "&#10;")


def _said(moment: datetime | None) -> str | None:
    """UTC, as xs:dateTime has it; a time without its zone is one."""
    if moment is None:
        return None
    return (
        moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        if moment.tzinfo
        else f"{moment.isoformat()}Z"
    )


# -- reading


def from_xml(content: bytes | Any) -> Shared:
    """The record and its pages, from the bytes of a document or an element of lxml.

    Raises InvalidRecord, naming the field, for what is not such a record or breaks a rule of ``checked``; the
    id, the type, the access and the title must be there. Elements and attributes that are not known are
    passed over.
    """
    root = _root(content)
    values: dict[str, Any] = {name: root.get(name) for name in ("id", "type", "access")}
    many: dict[str, list[Any]] = {name: [] for name in _MANY}
    for name, element in _known(root):
        if name in many:
            many[name].append(_MANY[name][1](element))
        elif (field := _TEXTS.get(name)) is not None:
            if field in values:
                raise InvalidRecord(field, "stands twice")
            values[field] = _text(element, field)
    for field in ("id", "type", "access", "title"):
        if values.get(field) is None:
            raise InvalidRecord(field, "is missing")
    values |= {_MANY[name][0]: tuple(items) for name, items in many.items()}
    pages, values["identifiers"] = values.pop("pages"), dict(values["identifiers"])
    values |= {field: _moment(root.get(field), field) for field in ("created", "updated")}
    return checked(Shared(Record(language=root.get("language", "fr"), **values), pages))


def concepts_named(content: bytes | Any) -> dict[str, tuple[str, str]]:
    """What the sender calls the concepts of a record: URI -> label and short name of the scheme, or "".

    Raises InvalidRecord for what is not such a record.
    """
    said = (element for name, element in _known(_root(content)) if name == "subject")
    return {s.get("concept", ""): (s.get("label"), s.get("scheme", "")) for s in said if s.get("label")}


def _root(content: bytes | Any) -> Any:
    root = _parsed(content) if isinstance(content, bytes) else content
    if root.tag != f"{{{NAMESPACE}}}record":
        raise InvalidRecord("record", f"is {root.tag!r:.80}, not record of {NAMESPACE}")
    return root


def _parsed(content: bytes) -> Any:
    """In UTF-8 and without a document type, hence without entities. A character set of two bytes a letter,
    which would hide one, shows by its zeros; a declaration of another set is not heard."""
    if b"<!DOCTYPE" in content or b"\0" in content:
        raise InvalidRecord("record", "has a document type, or is not UTF-8")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidRecord("record", f"is not well-formed XML: {error}") from error


def _known(parent: Any) -> Iterator[tuple[str, Any]]:
    """Elements of our namespace inside of another, by their local names."""
    start = f"{{{NAMESPACE}}}"
    for element in parent:
        if isinstance(element.tag, str) and element.tag.startswith(start):
            yield element.tag[len(start) :], element


def _text(element: Any, field: str) -> str:
    """The text of an element; what stands in elements inside of it is of a later version."""
    if not len(element):
        return element.text or ""
    if any(child.tag is etree.Entity for child in element):
        raise InvalidRecord(field, "holds an entity")
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _agent(element: Any) -> Agent:
    return Agent(_text(element, "agents"), element.get("role", "author"), element.get("kind", "person"))


def _copy(element: Any) -> Copy:
    call_number, barcode, location = (element.get(name) for name in ("callNumber", "barcode", "location"))
    return Copy(call_number, barcode, location, element.get("status", "available"))


def _file(element: Any) -> File:
    return File(
        sha256=element.get("sha256", ""),
        name=_text(element, "files"),
        media_type=element.get("mediaType", ""),
        size=_count(element.get("size"), "files"),
        pages=_count(element.get("pages", "0"), "files"),
    )


def _subject(element: Any) -> Subject:
    try:
        origin, state = Origin(element.get("origin", "machine")), State(element.get("state", "proposed"))
    except ValueError as error:
        raise InvalidRecord("subjects", str(error)) from error
    return Subject(
        concept=element.get("concept", ""),
        origin=origin,
        score=_number(element.get("score", "1"), "subjects"),
        state=state,
        evidence=tuple(_words(child) for name, child in _known(element) if name == "evidence"),
    )


def _words(element: Any) -> Evidence:
    page, start, end = (_count(element.get(name), "subjects") for name in ("page", "start", "end"))
    return Evidence(page, start, end, _text(element, "subjects"))


def _read_page(element: Any) -> Page:
    try:
        quality = Quality(element.get("quality", "good"))
    except ValueError as error:
        raise InvalidRecord("pages", str(error)) from error
    recognised = element.get("recognised")
    return Page(
        _count(element.get("number"), "pages"),
        _text(element, "pages"),
        element.get("label"),
        _number(element.get("grade", "1"), "pages"),
        quality,
        recognised=None if recognised is None else _number(recognised, "pages"),
    )


_MANY: Mapping[str, tuple[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "agent": ("agents", _agent),
        "note": ("notes", lambda element: _text(element, "notes")),
        "copy": ("copies", _copy),
        "file": ("files", _file),
        "subject": ("subjects", _subject),
        "keyword": ("keywords", lambda element: _text(element, "keywords")),
        "identifier": ("identifiers", lambda e: (e.get("type", ""), _text(e, "identifiers"))),
        "page": ("pages", _read_page),
    }
)
"""Element that may stand several times -> its field, and how one is read."""


def _count(text: str | None, field: str) -> int:
    if text is None or not _COUNT.fullmatch(text):
        raise InvalidRecord(field, f"{text!r:.40} is not a number")
    return int(text)


def _number(text: str, field: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidRecord(field, f"{text!r:.40} is not a number") from error


def _moment(text: str | None, field: str) -> datetime | None:
    """A time in UTC; one that has no zone is."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRecord(field, f"{text!r:.40} is not a time") from error


# -- what is asked of it


def checked(shared: Shared) -> Shared:
    """The record and its pages themselves, if they may come in from elsewhere; raises InvalidRecord, naming
    the field.

    Beyond ``records.validate``: identifiers as the database holds them, a source that is a web address,
    digests of the right form, scores and grades from 0 to 1, pages numbered 1, 2, 3.
    """
    record = validate(shared.record)
    for field in ("id", "host"):
        if (value := getattr(record, field)) is not None and not _ID.fullmatch(value):
            raise InvalidRecord(field, f"{value!r:.140} is not centre:number")
    if record.date is not None and not _DATE.fullmatch(record.date):
        raise InvalidRecord("date", f"{record.date!r:.40} is not ISO 8601")
    if record.source is not None and not _WEB.fullmatch(record.source):
        raise InvalidRecord("source", "is not a web address")
    for file in record.files:
        if not _DIGEST.fullmatch(file.sha256) or file.size < 0 or file.pages < 0:
            raise InvalidRecord("files", f"{file.sha256!r:.80} is not SHA-256, or a size is below 0")
    for subject in record.subjects:
        if not subject.concept or not _is_share(subject.score):
            raise InvalidRecord("subjects", f"{subject.concept!r:.80} is empty, or its score not from 0 to 1")
        if any(min(words.page, words.start, words.end) < 0 for words in subject.evidence):
            raise InvalidRecord("subjects", "evidence stands before the beginning")
    _check_pages(shared.pages)
    return shared


def _check_pages(pages: Sequence[Page]) -> None:
    for number, page in enumerate(pages, start=1):
        if page.number != number:
            raise InvalidRecord("pages", "are not numbered 1, 2, 3...")
        if len(page.label or "") > LONGEST_LABEL:
            raise InvalidRecord("pages", f"page {number} has a label longer than {LONGEST_LABEL}")
        if not _is_share(page.grade) or not (page.recognised is None or _is_share(page.recognised)):
            raise InvalidRecord("pages", f"page {number} has a share that is not from 0 to 1")


def _is_share(value: float) -> bool:
    return 0.0 <= value <= 1.0  # no for what is no number
