"""Messages of electronic mail (EML, RFC 5322) and pages saved as one file (MHTML) to drafts.

Hides MIME: which part is the text, which are attachments, and how names and characters are encoded. A message
with attachments is a container (``ingest.containers``) whose first member is the message without them.
"""

from __future__ import annotations

import email.policy
import mimetypes
import mmap
import re
from collections.abc import Iterator
from email import message_from_binary_file
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import cast

from ingest import html
from ingest.cleaning import clean, clean_pages, has_text
from ingest.drafts import Draft
from ingest.frontmatter import Line, Metadata, completed
from ingest.isolation import beat
from ingest.text import decoded
from kb.errors import Reason, UnreadableDocument
from kb.french import passages
from kb.records import Page

MEDIA_TYPE = "message/rfc822"

_FIELD = rb"[!-9;-~]+:[ \t]?[^\n]*\n(?:[ \t][^\n]*\n)*"
_HEAD = re.compile(rb"(?:From [^\n]*\n)?((?:" + _FIELD + rb"){2,})")
_TELLING = re.compile(
    rb"^(?:from|to|date|subject|message-id|received|mime-version|return-path|delivered-to|content-type):",
    re.IGNORECASE | re.MULTILINE,
)
_ENOUGH = 3  # of these fields: a text that begins with « Date : » and « Objet : » has none
_ATTACHED = re.compile(
    rb"^content-disposition:\s*(?:attachment\b|inline;\s*filename\*?[^\r\n]{0,200}?"
    rb"\.(?:pdf|docx?|odt|rtf|pptx?|odp|xlsx?|ods|zip|eml|epub|csv|txt|html?)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_ANSWERED = re.compile(r"^(?:(?:re|fwd?|tr|réf)\s*:\s*)+", re.IGNORECASE)
_KEPT = ("From", "To", "Cc", "Date", "Subject", "Message-ID")
FAULTS = (MessageError, LookupError, ValueError, TypeError, AttributeError)
"""What the standard library raises on fields and parts that are not as they should be."""


def is_message(head: bytes, name: str) -> bool:
    """Whether the first bytes of a file are the fields of a message; texts may quote one."""
    if name.lower().endswith((".txt", ".md", ".markdown", ".log")):
        return False
    fields = _HEAD.match(head.replace(b"\r\n", b"\n").lstrip(b"\xef\xbb\xbf\n"))
    if fields is None:
        return False
    return len({found.lower() for found in _TELLING.findall(fields[1])}) >= _ENOUGH


def has_attachments(path: Path) -> bool:
    """Whether a part of a message says that it is a file. Reads it once, without taking it apart."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _ATTACHED.search(content) is not None


def read(path: Path) -> Iterator[Draft]:
    """One draft of a message: its subject is the title, its sender the author. Raises UnreadableDocument:
    EMPTY when it has no text, DAMAGED."""
    message = _parsed(path)
    body = _body(message)
    if body is None:
        raise UnreadableDocument(Reason.EMPTY, "no text in the message")
    kind, text = body
    if kind == "html":
        drafted = html.draft_of(text, path.name, MEDIA_TYPE)
        pages = drafted.pages
    else:
        cuts = passages(clean(text))
        pages = clean_pages([Page(number, cut) for number, cut in enumerate(cuts, start=1)])
    if not any(has_text(page.text) for page in pages):
        raise UnreadableDocument(Reason.EMPTY, "no text in the message")
    lines = [Line(line) for line in pages[0].text.split("\n") if line]
    yield completed(Draft(pages=pages, media_type=MEDIA_TYPE), _metadata(message), lines, path.name)


def _parsed(path: Path) -> EmailMessage:
    beat()
    with path.open("rb") as file:
        try:
            return message_from_binary_file(file, policy=email.policy.default)
        except FAULTS as error:
            raise UnreadableDocument(Reason.DAMAGED, repr(error)) from error


def _metadata(message: EmailMessage) -> Metadata:
    sent: str | None
    try:
        sent = parsedate_to_datetime(_field(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        sent = None  # no date, or one that no calendar knows: the text may tell
    subject = _ANSWERED.sub("", _field(message, "Subject"))
    return Metadata(title=subject, authors=_sender(message), date=sent)


def _sender(message: EmailMessage) -> str:
    """The name of who wrote; "" if only an address is given."""
    named = re.match(r'\s*"?([^"<>@]*?)"?\s*<', _field(message, "From"))
    return named[1] if named else ""


def _field(message: Message, name: str) -> str:
    """A field of the head, decoded, on one line; "" if it is not there or cannot be decoded."""
    try:
        return clean(str(message.get(name) or "")).replace("\n", " ")
    except FAULTS:
        return ""


def _body(message: EmailMessage) -> tuple[str, str] | None:
    """("plain" or "html", text) of the part that a person reads: plain text if it says anything."""
    found: dict[str, str] = {}
    for part in message.walk():
        beat()
        kind = part.get_content_subtype()
        if part.get_content_maintype() == "text" and kind in ("plain", "html") and not is_file(part):
            text = text_of(part)
            if kind not in found and (has_text(clean(text)) or kind == "html"):
                found[kind] = text
    return next(((kind, found[kind]) for kind in ("plain", "html") if kind in found), None)


def text_of(part: Message) -> str:
    """The characters of a part, in the charset that it says, or the one that they look like."""
    content = content_of(part)
    try:
        return content.decode(part.get_content_charset() or "")
    except FAULTS:
        return decoded(content)


def content_of(part: Message) -> bytes:
    """The bytes of a part, its transfer encoding taken off. Raises UnreadableDocument."""
    try:
        content = part.get_payload(decode=True)
    except FAULTS as error:
        raise UnreadableDocument(Reason.DAMAGED, repr(error)) from error
    return content if isinstance(content, bytes) else b""


def is_file(part: Message) -> bool:
    """Whether a part is a file sent along, and not the text or a picture shown in it."""
    if part.is_multipart() and part.get_content_type() != MEDIA_TYPE:
        return False
    if part.get_content_disposition() == "attachment":
        return True
    shown = part.get_content_maintype() in ("image", "text")
    return bool(name_of(part)) and not (shown and part.get_content_disposition() != "attachment")


def name_of(part: Message) -> str:
    """The name of the file that a part is; "" when it says none."""
    try:
        return clean(part.get_filename() or "").replace("\n", " ")
    except FAULTS:
        return ""


# -- as a container


def parts(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the message without its attachments, if it says anything, then of each of them.
    Raises UnreadableDocument (DAMAGED)."""
    message = _parsed(path)
    if (alone := _alone(message)) is not None:
        yield "message.eml", alone
    for number, part in enumerate(_files(message), start=1):
        beat()
        guessed = mimetypes.guess_extension(part.get_content_type()) or ""
        if part.get_content_type() == MEDIA_TYPE:
            inner = part.get_payload()
            inside = inner[0] if isinstance(inner, list) and inner else part
            yield name_of(part) or f"message joint {number}.eml", as_bytes(cast(Message, inside))
        else:
            yield name_of(part) or f"pièce jointe {number}{guessed}", content_of(part)


def _files(message: Message) -> Iterator[Message]:
    """Parts that are files, in order; what a message attached holds in turn is left to its own turn."""
    stack: list[Message] = [message]
    while stack:
        part = stack.pop()
        if part is not message and is_file(part):
            yield part
        elif part.is_multipart() and (part is message or part.get_content_type() != MEDIA_TYPE):
            stack.extend(reversed(cast(list[Message], part.get_payload())))


def as_bytes(message: Message) -> bytes:
    """A message as it is sent. Raises UnreadableDocument."""
    try:
        return message.as_bytes()
    except FAULTS as error:
        raise UnreadableDocument(Reason.DAMAGED, repr(error)) from error


def _alone(message: EmailMessage) -> bytes | None:
    """The message with its head and its text only. The text is written in base64, in which no line can be
    taken for the mark of an attachment."""
    body = _body(message)
    if body is None or not has_text(clean(body[1])):
        return None
    bare = EmailMessage(policy=email.policy.SMTP)
    for name in _KEPT:
        if said := _field(message, name):
            bare[name] = said if name != "Message-ID" else re.sub(r"\s", "", said)
    text = body[1].encode("utf-8", "replace").decode("utf-8")
    bare.set_content(text, subtype=body[0], charset="utf-8", cte="base64")
    return as_bytes(bare)
