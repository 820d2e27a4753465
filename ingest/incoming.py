"""A message that came to the desk, as staff read it: who wrote, what, in answer to what, with which files.

Hides MIME and all that is wrong with real mail: which part is the text, character sets that lie, files with
paths for names, dates without a zone, machines that answer. It is read in a child (``ingest.isolation``), and
what the child says is checked here again: its types, its sizes, the names of files.
"""

from __future__ import annotations

import email.policy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, cast

from ingest.isolation import Limits, Sandbox, beat
from ingest.mail_body import (
    LONGEST_TEXT,
    MOST_BYTES,
    MOST_ENCLOSURES,
    Parts,
    gather,
    kept_enclosures,
    kind_of,
    regular_media_type,
    safe_name,
    tidy,
    whole_text,
)
from ingest.mail_file import FAULTS, content_of
from ingest.mail_quotes import split_quoted
from ingest.text import decoded
from kb.errors import Reason, UnreadableDocument
from kb.questions import Enclosure
from kb.threads import ids_in, ids_of, is_id

_LARGEST = 60_000_000  # bytes of a message: twice what the servers known take, in base64
_LONGEST_FIELD = 500  # characters of a subject; 200 of a name
_LONGEST_RAW = 10_000  # characters of a field that is taken apart: its parser takes the square of the time
_LIMITS = Limits(total_seconds=120.0, output_bytes=MOST_BYTES + 10 * LONGEST_TEXT)
_DRIFT = timedelta(minutes=10)  # clocks of senders that go fast
_FIRST_YEAR = 1990  # a clock that was never set says 1970 or 1980
_TELLING = ("From", "To", "Date", "Subject", "Message-ID", "Received", "Return-Path")
_ENOUGH = 2  # of these fields make a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One message.

    ``sender`` is an address, "" if none can be read; ``text`` what its writer says, ``quoted`` what it
    repeats and the signature. ``references`` are the ids of the messages that it answers, oldest first, and
    ``in_reply_to`` the last of them, in brackets; for a bounce, the message that came back. ``sent`` is UTC.
    ``automatic``: no person wrote it; ``bounce``: ours did not arrive. The media types of enclosures are what
    the sender says. ``warnings`` are French sentences.
    """

    sender: str
    name: str
    subject: str
    text: str
    quoted: str
    message_id: str | None
    references: tuple[str, ...]
    in_reply_to: str | None
    sent: datetime | None
    automatic: bool
    bounce: bool
    enclosures: tuple[Enclosure, ...] = ()
    warnings: tuple[str, ...] = ()


def read(sandbox: Sandbox, path: Path, *, now: datetime | None = None) -> Incoming:
    """The message in a file. Raises UnreadableDocument: UNSUPPORTED for what is no message, EMPTY, TOO_LARGE,
    and what a sandbox says."""
    at = (now or datetime.now(UTC)).isoformat()
    frames = list(sandbox.run("ingest.incoming:emit", str(path), at, limits=_LIMITS))
    try:
        return _from_wire(frames)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise UnreadableDocument(Reason.CRASHED, f"what the reader said cannot be read: {error}") from error


# -- across the border

_TEXTS = ("sender", "name", "subject", "text", "quoted")


def _from_wire(frames: list[bytes]) -> Incoming:
    told = json.loads(frames[0])
    files, contents = _list(told["enclosures"]), frames[1:]
    if len(files) != len(contents) or len(files) > MOST_ENCLOSURES or sum(map(len, contents)) > MOST_BYTES:
        raise ValueError("enclosures do not agree with what was said of them")
    texts: dict[str, str] = {name: _typed(told[name], str) for name in _TEXTS}
    if len(texts["text"]) + len(texts["quoted"]) > LONGEST_TEXT:
        raise ValueError("a text that is too long")
    sent = None if told["sent"] is None else datetime.fromisoformat(_typed(told["sent"], str))
    return Incoming(
        **texts,
        message_id=_id(told["message_id"]),
        in_reply_to=_id(told["in_reply_to"]),
        references=tuple(id for told_id in _list(told["references"]) if (id := _id(told_id))),
        sent=None if sent is None else sent.astimezone(UTC),
        automatic=_typed(told["automatic"], bool),
        bounce=_typed(told["bounce"], bool),
        enclosures=tuple(_enclosure(*pair) for pair in zip(files, contents, strict=True)),
        warnings=tuple(_typed(line, str) for line in _list(told["warnings"])),
    )


def _typed(value: object, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.40} is no {kind.__name__}")
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _list(value: object) -> list[Any]:
    return cast(list[Any], _typed(value, list))


def _id(value: object) -> str | None:
    if value is None:
        return None
    if not is_id(id := str(_typed(value, str))):
        raise ValueError(f"{id!r:.40} is no message id")
    return id


def _enclosure(told: Any, content: bytes) -> Enclosure:
    name, media_type = (_typed(value, str) for value in _list(told))
    return Enclosure(
        name=safe_name(name) or "pièce jointe", media_type=regular_media_type(media_type), content=content
    )


# -- in the child


def emit(path: str, now: str) -> Iterator[str | bytes]:
    """The task of ``ingest.isolation``: what a message says, as JSON, then the content of each enclosure."""
    message = _parsed(Path(path))
    parts = Parts()
    gather(message, parts)
    enclosures = kept_enclosures(parts)
    told = _told(message, parts, datetime.fromisoformat(now))
    if not (told["text"] or told["subject"] or enclosures):
        raise UnreadableDocument(Reason.EMPTY, "neither subject nor text nor file")
    yield json.dumps(told | {"enclosures": [(file.name, file.media_type) for file in enclosures]})
    for file in enclosures:
        yield file.content


def _parsed(path: Path) -> EmailMessage:
    beat()
    if (size := path.stat().st_size) > _LARGEST:
        raise UnreadableDocument(Reason.TOO_LARGE, f"{size} bytes")
    content = path.read_bytes().lstrip(b"\xef\xbb\xbf\r\n\t ")
    if not content:
        raise UnreadableDocument(Reason.EMPTY, "no bytes, or blanks only")
    try:
        message = message_from_bytes(content, policy=email.policy.default)
    except FAULTS as error:
        raise UnreadableDocument(Reason.DAMAGED, repr(error)) from error
    if sum(name in message for name in _TELLING) < _ENOUGH:
        raise UnreadableDocument(Reason.UNSUPPORTED, "not a message of electronic mail")
    return message


def _told(message: EmailMessage, parts: Parts, now: datetime) -> dict[str, Any]:
    whole = whole_text(parts)
    text, quoted = split_quoted(whole)
    sender, name = _sender(message, parts)
    bounce = _is_bounce(message, sender)
    own = _own_ids(message)
    answered = [*reversed(ids_in(_raw_fields(message))), *(_returned(message, whole) if bounce else ())]
    return {
        "sender": sender,
        "name": name,
        "subject": _field(message, "Subject")[:_LONGEST_FIELD],
        "text": text,
        "quoted": quoted,
        "message_id": own[0] if own else None,
        "references": answered,
        "in_reply_to": answered[-1] if answered else None,
        "sent": _sent(message, now, parts),
        "automatic": bounce or _is_automatic(message),
        "bounce": bounce,
        "warnings": parts.warnings,
    }


# -- the head


def _raw_fields(message: Message) -> Iterator[tuple[str, str]]:
    """Fields as they came; what is no ASCII is read by guess, since no character set is declared there."""
    for name, value in message.raw_items():
        text = str(value)
        if not text.isascii():
            try:
                text = decoded(text.encode("utf-8", "surrogateescape"))
            except UnreadableDocument:
                text = text.encode("utf-8", "replace").decode("utf-8")
        yield name, text


def _own_ids(message: Message) -> list[str]:
    return [
        id for name, value in _raw_fields(message) if name.lower() == "message-id" for id in ids_of(value)
    ]


def _header(message: Message, name: str) -> Any:
    """The first field of that name, taken apart; None if there is none or it cannot be."""
    raw = next((value for key, value in _raw_fields(message) if key.lower() == name.lower()), None)
    try:
        return (
            None
            if raw is None
            else email.policy.default.header_factory(name, re.sub(r"[\r\n]", "", raw)[:_LONGEST_RAW])
        )
    except (*FAULTS, RecursionError):
        return None


def _field(message: Message, name: str) -> str:
    """The same, decoded, on one line, "" if it is not there."""
    return " ".join(tidy(str(_header(message, name) or "")).split())


def _sender(message: Message, parts: Parts) -> tuple[str, str]:
    """(address, name), of the first if several sign."""
    header = _header(message, "From")
    addresses = header.addresses if isinstance(header, AddressHeader) else ()
    plausible = [one for one in addresses if re.fullmatch(_ADDRESS, one.addr_spec)]
    if not plausible:
        parts.warn("l’adresse de l’expéditeur ne peut pas être lue")
        return "", _field(message, "From")[:200]
    if len(plausible) > 1 or sum(key.lower() == "from" for key, _ in message.raw_items()) > 1:
        parts.warn("plusieurs expéditeurs : le premier est retenu")
    name = " ".join(tidy(plausible[0].display_name).split())
    return plausible[0].addr_spec, name[:200]


_ADDRESS = r"(?!.*=\?)[^\s<>@\"(),;:\\]{1,64}@[^\s<>@\"(),;:\\]{1,190}"


def _sent(message: Message, now: datetime, parts: Parts) -> str | None:
    said = next((value for name, value in _raw_fields(message) if name.lower() == "date"), "").strip()
    if not said:
        return None
    try:
        at = parsedate_to_datetime(said)
        if at.tzinfo is None and said.endswith("-0000"):  # UTC, by a machine that knows no zone
            at = at.replace(tzinfo=UTC)
        if at.tzinfo is None:
            parts.warn("date d’envoi sans fuseau horaire : elle n’est pas retenue")
            return None
        at = at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        at = datetime.min.replace(tzinfo=UTC)
    if at.year < _FIRST_YEAR:
        parts.warn("date d’envoi impossible : elle n’est pas retenue")
        return None
    if at > now + _DRIFT:
        parts.warn("date d’envoi dans l’avenir : remplacée par celle d’aujourd’hui")
    return min(at, now).isoformat()


# -- machines

_LISTS = ("List-Id", "List-Post", "List-Unsubscribe", "X-Autoreply", "X-Autorespond", "X-Autoresponder")
_ABSENT = re.compile(
    r"(?:(?:re|tr|fwd?)\s*:\s*)*(?:absence du bureau|absente? du bureau|message d['’]absence|réponse auto"
    r"|(?:réponse|message) automatique|out of (?:the )?office|auto(?:matic)?[- ]?(?:reply|response))"
    r"(?:\s*[:\[(–—-].*)?",
    re.IGNORECASE,
)


def _is_automatic(message: Message) -> bool:
    """Whether a machine wrote it, or a list sends it on (RFC 3834; RFC 2919; what programs did before)."""
    submitted = _field(message, "Auto-Submitted").lower()
    precedence = _field(message, "Precedence").lower()
    return bool(
        (submitted and not re.match(r"no\b", submitted))
        or precedence in ("bulk", "junk", "list", "auto_reply", "auto-reply")
        or any(name in message for name in _LISTS)
        or _field(message, "Return-Path") == "<>"
        or kind_of(message) == "multipart/report"
        or _ABSENT.fullmatch(_field(message, "Subject"))
    )


def _is_bounce(message: Message, sender: str) -> bool:
    """Whether it says that a message did not arrive; a receipt or a mere delay is none (RFC 3464, 2.3.3)."""
    reported = kind_of(message) == "multipart/report"
    if reported and "delivery-status" in str(message.get_param("report-type", "delivery-status")).lower():
        actions = [
            _field(block, "Action").lower()
            for part in message.walk()
            if kind_of(part) == "message/delivery-status" and part.is_multipart()
            for block in cast(list[Message], part.get_payload())
            if "Action" in block
        ]
        return not actions or "failed" in actions
    local = sender.partition("@")[0].lower()
    return not reported and (local == "mailer-daemon" or "X-Failed-Recipients" in message)


_CITED = re.compile(r"^[> \t]*message-id:[ \t]*(<[^<>\n]{3,250}>)", re.IGNORECASE | re.MULTILINE)


def _returned(message: Message, text: str) -> list[str]:
    """The id of the message that a bounce brings back, as a part or in its text."""
    for part in message.walk():
        if kind_of(part) == "message/rfc822" and part.is_multipart():
            inner = cast(list[Message], part.get_payload())[0]
            return [
                id
                for name, value in _raw_fields(inner)
                if name.lower() == "message-id"
                for id in ids_of(value)
            ]
        if kind_of(part) == "text/rfc822-headers":
            text = content_of(part).decode("ascii", "replace")
    return [id for cited in _CITED.findall(text)[:1] for id in ids_of(cited)]
