"""The lines of an envelope: values as JSON, and JSON of strangers as values.

Hides the form of each line. What is read holds only the fields that are known here, each checked for its
type, and obeys ``carbetxml.checked``. Nothing is unpickled or evaluated; what is nested too deeply or is no
number is refused.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from kb.carbetxml import checked
from kb.errors import InvalidRecord
from kb.records import Agent, Copy, Evidence, File, Origin, Page, Quality, Record, State, Subject, to_json
from kb.sharing import Shared

T = TypeVar("T")

_LARGEST_NUMBER = 10**18  # what a database holds in eight bytes
_ID = re.compile(r"[a-z0-9-]{1,100}:[0-9]{1,18}")
_WEB = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Deletion:
    """A record that is no more, or no more to be shown; ``at`` is UTC."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedConcept:
    """A concept of the sender: what it needs to be shown and to be found again in another vocabulary.
    ``close_match`` are URIs of other vocabularies (skos:closeMatch)."""

    uri: str
    label: str
    alt: tuple[str, ...] = ()
    scheme: str = ""
    close_match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alignment:
    """A key word, as others write it, and the URI of what the sender has decided that it means."""

    said: str
    concept: str


# -- writing


def item_line(shared: Shared) -> bytes:
    """One line for a record and its pages. Raises InvalidRecord for one that nobody would take."""
    record = checked(_outward(shared)).record
    pages = [
        {field: value for field in _PAGE_FIELDS if (value := getattr(page, field)) is not None}
        for page in shared.pages
    ]
    return _line({"record": to_json(record), "pages": pages})


def _outward(shared: Shared) -> Shared:
    """Without a path of this machine, whatever the caller left."""
    source = shared.record.source
    if source is None or _WEB.fullmatch(source):
        return shared
    return Shared(dataclasses.replace(shared.record, source=None), shared.pages)


def deletion_line(deletion: Deletion) -> bytes:
    """One line for a deletion."""
    return _line({"id": deletion.id, "at": said(deletion.at)})


def thesaurus_line(entry: SharedConcept | Alignment) -> bytes:
    """One line for a concept or for an alignment."""
    kind = "concept" if isinstance(entry, SharedConcept) else "alignment"
    return _line({kind: dataclasses.asdict(entry)})


def said(moment: datetime) -> str:
    """A time in UTC; one that has no zone is."""
    return _utc(moment).isoformat()


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _line(value: Mapping[str, Any]) -> bytes:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if "\\u0000" in line or not _is_whole(line):
        line = json.dumps(_cleaned(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return line.encode() + b"\n"


def _is_whole(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cleaned(value: Any) -> Any:
    """The same without zeros and halves of characters, which databases and UTF-8 cannot hold."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
    if isinstance(value, Mapping):
        return {_cleaned(name): _cleaned(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


# -- reading. All raise ValueError for what the functions above cannot have written.


def parsed(line: bytes) -> dict[str, Any]:
    """The JSON object of a line or of a file."""
    try:
        raw = json.loads(line.decode("utf-8"), parse_constant=_refused)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(raw, dict):
        raise ValueError("not an object")
    return raw


def _refused(constant: str) -> object:
    raise ValueError(f"{constant} is no number of JSON")


def item(line: bytes) -> Shared:
    """Inverse of ``item_line``."""
    raw = parsed(line)
    only(raw, {"record", "pages"})
    record, pages = _made(Record, raw["record"]), _several(Page)(raw["pages"])
    try:
        return checked(Shared(record, pages))
    except InvalidRecord as error:
        raise ValueError(str(error)) from error


def deletion(line: bytes) -> Deletion:
    """Inverse of ``deletion_line``."""
    return _made(Deletion, parsed(line))


def thesaurus_entry(line: bytes) -> SharedConcept | Alignment:
    """Inverse of ``thesaurus_line``."""
    raw = parsed(line)
    if raw.keys() == {"concept"}:
        return _made(SharedConcept, raw["concept"])
    only(raw, {"alignment"})
    return _made(Alignment, raw["alignment"])


def only(raw: object, fields: set[str]) -> dict[str, Any]:
    """The object itself, if it has these fields and no others."""
    if not isinstance(raw, dict) or raw.keys() != fields:
        raise ValueError(f"not an object of {', '.join(sorted(fields))}")
    return raw


def _made(kind: type[T], raw: object) -> T:
    """A value of ``kind`` from an object with its fields."""
    checks, needed = _CHECKS[kind], _NEEDED[kind]
    if not isinstance(raw, dict):
        raise ValueError(f"{kind.__name__} is not an object")
    if strange := raw.keys() - checks.keys():
        raise ValueError(f"unknown field {min(strange)!r:.60} of {kind.__name__}")
    if missing := needed - raw.keys():
        raise ValueError(f"{kind.__name__} lacks {min(missing)}")
    return kind(**{field: checks[field](value) for field, value in raw.items()})


def _several(kind: type[T]) -> Callable[[object], tuple[T, ...]]:
    return lambda value: tuple(_made(kind, item) for item in _list(value))


def text(value: object) -> str:
    """Text that can be stored: JSON can carry zeros and halves of characters, which cannot."""
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is not text")
    if "\0" in value or not _is_whole(value):
        raise ValueError("text with characters that are none")
    return value


def _shown(value: object) -> str:
    """A value for a message: of what may be large or deep, what it is only."""
    return type(value).__name__ if isinstance(value, list | dict) else f"{value!r:.40}"


def _maybe(check: Callable[[object], T]) -> Callable[[object], T | None]:
    return lambda value: None if value is None else check(value)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text(item) for item in _list(value))


def _mapping(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return {text(key): text(item) for key, item in value.items()}


def count(value: object) -> int:
    """A whole number from 0 to what a database holds."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LARGEST_NUMBER:
        raise ValueError(f"{_shown(value)} is not a number from 0")
    return value


def _share(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{_shown(value)} is not a number from 0 to 1")
    return float(value)


def moment(value: object) -> datetime:
    """A time of any zone, in UTC."""
    try:
        return _utc(datetime.fromisoformat(text(value)))
    except OverflowError as error:
        raise ValueError(f"{_shown(value)} is not a time") from error


def record_id(value: object) -> str:
    """centre:number."""
    if not _ID.fullmatch(said := text(value)):
        raise ValueError(f"{said!r:.140} is not centre:number")
    return said


_Checks = dict[type[Any], dict[str, Callable[[object], Any]]]
_CHECKS: _Checks = {
    Agent: {"name": text, "role": text, "kind": text},
    Copy: {"call_number": _maybe(text), "barcode": _maybe(text), "location": _maybe(text), "status": text},
    File: {"sha256": text, "name": text, "media_type": text, "size": count, "pages": count},
    Evidence: {"page": count, "start": count, "end": count, "text": text},
    Deletion: {"id": record_id, "at": moment},
    SharedConcept: {"uri": text, "label": text, "alt": _texts, "scheme": text, "close_match": _texts},
    Alignment: {"said": text, "concept": text},
    Page: {
        "number": count,
        "text": text,
        "label": _maybe(text),
        "grade": _share,
        "quality": lambda value: Quality(text(value)),
        "recognised": _maybe(_share),
    },
    Subject: {
        "concept": text,
        "score": _share,
        "evidence": _several(Evidence),
        "origin": lambda value: Origin(text(value)),
        "state": lambda value: State(text(value)),
    },
    Record: {
        **{field: _maybe(text) for field in ("subtitle", "date", "publisher", "place", "series", "issue")},
        **{field: _maybe(text) for field in ("extent", "abstract", "call_number", "host", "host_pages")},
        **dict.fromkeys(("id", "title", "type", "language", "access"), text),
        "agents": _several(Agent),
        "copies": _several(Copy),
        "files": _several(File),
        "subjects": _several(Subject),
        "notes": _texts,
        "keywords": _texts,
        "identifiers": _mapping,
        "source": _maybe(text),
        "created": _maybe(moment),
        "updated": _maybe(moment),
    },
}
_PAGE_FIELDS = tuple(_CHECKS[Page])
_NEEDED = {
    kind: frozenset(
        f.name for f in dataclasses.fields(kind) if f.default is MISSING and f.default_factory is MISSING
    )
    for kind in _CHECKS
}
_NEEDED[Record] |= {"type", "access"}  # what is not said is not taken for open
