"""What a file says of itself, before it is judged, and how that crosses from a child that nobody trusts.

Hides the form in which drafts travel: JSON with only the fields that are known here, each checked for
its type on arrival. Nothing that a reader says is ever unpickled or evaluated.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kb.records import ACCESS, Agent, Copy, Page, Quality

RECORD_FIELDS = (
    *("title", "subtitle", "type", "agents", "date", "language", "publisher", "place", "series", "issue"),
    *("extent", "abstract", "notes", "call_number", "copies", "host_pages", "keywords", "identifiers"),
    "access",
)
"""Fields of a draft that have the same name and the same type in ``kb.records.Record``."""


@dataclass(frozen=True, slots=True)
class Heading:
    """One line of a document's own table of contents. ``level`` and ``page`` count from 1."""

    title: str
    page: int
    level: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record as its file tells it; ``title`` "" and ``type`` "document" when the file does not say.

    ``hosts`` are ways, the surest first, to find the work that this one is a part of, as (kind, value): kind
    "record", "isbn", "issn" or "title". ``place_in_file`` says where a catalogue file holds it ("ligne 12"),
    "" for a document. ``found`` tells for a field where it was read. ``warnings`` are French sentences.
    """

    title: str = ""
    subtitle: str | None = None
    type: str = "document"
    agents: tuple[Agent, ...] = ()
    date: str | None = None
    language: str | None = None
    publisher: str | None = None
    place: str | None = None
    series: str | None = None
    issue: str | None = None
    extent: str | None = None
    abstract: str | None = None
    notes: tuple[str, ...] = ()
    call_number: str | None = None
    copies: tuple[Copy, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    host_pages: str | None = None
    keywords: tuple[str, ...] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict)
    access: str | None = None
    pages: tuple[Page, ...] = ()
    outline: tuple[Heading, ...] = ()
    media_type: str = ""
    place_in_file: str = ""
    found: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def record_fields(self) -> dict[str, Any]:
        """The fields that go into a record under the same name, those that are known only."""
        values = {name: getattr(self, name) for name in RECORD_FIELDS}
        return {name: value for name, value in values.items() if value not in (None, "", (), {})}


def to_wire(draft: Draft) -> str:
    """The draft as one line of JSON."""
    raw = {f.name: getattr(draft, f.name) for f in dataclasses.fields(draft)}
    for name in _NESTED:
        raw[name] = [dataclasses.astuple(item) for item in raw[name]]
    return json.dumps({name: value for name, value in raw.items() if value not in (None, "", (), [], {})})


def from_wire(line: str | bytes) -> Draft:
    """Inverse of ``to_wire``. Raises ValueError on anything that ``to_wire`` could not have written."""
    try:
        raw = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(raw, dict):
        raise ValueError("not an object")
    return Draft(**{_known(name): _CHECKS[name](value) for name, value in raw.items()})


def _known(name: str) -> str:
    if name not in _CHECKS:
        raise ValueError(f"unknown field {name!r}")
    return name


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is not text")
    # A lone surrogate cannot be stored as UTF-8; JSON can carry one.
    return value.encode("utf-8", "replace").decode("utf-8")


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in _list(value))


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    return tuple((_text(kind), _text(said)) for kind, said in _rows(value, 2))


def _mapping(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return {_text(key): _text(item) for key, item in value.items()}


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _agents(value: object) -> tuple[Agent, ...]:
    return tuple(Agent(*_texts(item)) for item in _rows(value, 3))


def _copies(value: object) -> tuple[Copy, ...]:
    return tuple(
        Copy(_text_or_none(cote), _text_or_none(code), _text_or_none(place), _text(status))
        for cote, code, place, status in _rows(value, 4)
    )


def _pages(value: object) -> tuple[Page, ...]:
    pages: list[Page] = []
    for number, text, label, grade, quality, raw, recognised in _rows(value, 7):
        if number != len(pages) + 1:
            raise ValueError("pages are not numbered 1, 2, 3...")
        pages.append(
            Page(
                number,
                _text(text),
                (_text_or_none(label) or "")[:40] or None,
                _share(grade),
                Quality(_text(quality)),
                _text_or_none(raw),
                None if recognised is None else _share(recognised),
            )
        )
    return tuple(pages)


def _access(value: object) -> str | None:
    """A kind of access that is known: what a file says of itself never opens more than is said there."""
    if value is not None and value not in ACCESS:
        raise ValueError(f"{value!r:.40} is no kind of access")
    return _text_or_none(value)


def _share(value: object) -> float:
    if not isinstance(value, int | float):
        raise ValueError(f"{value!r:.40} is not a number")
    return min(1.0, max(0.0, float(value)))


def _outline(value: object) -> tuple[Heading, ...]:
    return tuple(Heading(_text(title), int(page), int(level)) for title, page, level in _rows(value, 3))


def _rows(value: object, width: int) -> list[list[Any]]:
    rows = [_list(item) for item in _list(value)]
    if any(len(row) != width for row in rows):
        raise ValueError(f"a row has not {width} cells")
    return rows


_NESTED = ("agents", "copies", "pages", "outline")
_CHECKS: dict[str, Callable[[object], Any]] = {f.name: _text for f in dataclasses.fields(Draft)} | {
    "access": _access,
    "agents": _agents,
    "copies": _copies,
    "pages": _pages,
    "outline": _outline,
    "hosts": _pairs,
    "notes": _texts,
    "keywords": _texts,
    "warnings": _texts,
    "identifiers": _mapping,
    "found": _mapping,
}
