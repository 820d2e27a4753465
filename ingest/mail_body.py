"""What a message of electronic mail holds: its text, whatever it was written with, and its files.

Hides which parts of MIME are the text, HTML as mail programs write it, character sets that lie, and names of
files that would be paths. For tasks in a child (``ingest.isolation``).
"""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import NamedTuple, cast

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, PreformattedString, Tag

from ingest.isolation import beat
from ingest.mail_file import FAULTS, as_bytes, content_of, is_file, name_of, text_of
from kb.errors import Reason, UnreadableDocument
from kb.questions import Enclosure

MOST_ENCLOSURES = 20
MOST_BYTES = 10_000_000
"""Of all enclosures of a message; what is beyond is named in a warning. Mail servers stop at 10 to 25 MB."""
LONGEST_TEXT = 200_000
"""Characters of the text and what it repeats: a hundred pages."""

_LARGEST_MARKUP = 4_000_000  # characters of HTML that are read: seconds, and more than any letter has
_LONGEST_LINK = 500  # characters
_DEEPEST_QUOTE = 9  # marks before a line: below, who said what cannot be told anyway
_DEEPEST = 40  # parts in parts: real mail has 6


@dataclass(slots=True)
class Parts:
    """What a message holds: texts as (kind, text), files, and pictures that stand in the text."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    files: list[Message] = field(default_factory=list)
    pictures: list[Message] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, line: str) -> None:
        """Keep a warning, once."""
        if line not in self.warnings:
            self.warnings.append(line)


def gather(part: Message, found: Parts, depth: int = 0) -> None:
    """Put what a part and those in it hold into ``found``. Raises UnreadableDocument (TOO_DEEP)."""
    beat()
    if depth > _DEEPEST:
        raise UnreadableDocument(Reason.TOO_DEEP, f"more than {_DEEPEST} parts in one another")
    kind = kind_of(part)
    if not part.is_multipart() or kind.startswith("message/"):
        _take(part, kind, found)
    elif kind == "multipart/alternative":
        _choose(part, found, depth)
    else:
        if kind == "multipart/encrypted":
            found.warn(_CLOSED)
        for inner in cast(list[Message], part.get_payload()):
            gather(inner, found, depth + 1)


_CLOSED = "message chiffré ou scellé : son texte ne peut pas être lu ici"
_TNEF = "pièces jointes enfermées par Outlook dans « winmail.dat » : demandez-les sous une autre forme"
_TELLING = {
    **dict.fromkeys(("application/pkcs7-mime", "application/x-pkcs7-mime"), _CLOSED),
    "application/ms-tnef": _TNEF,
}


def kind_of(part: Message) -> str:
    """The media type that a part says it has, in lower case; that of plain bytes if it cannot be read."""
    try:
        return part.get_content_type()
    except FAULTS:  # a field that the standard library stumbles over
        return "application/octet-stream"


def _choose(part: Message, found: Parts, depth: int) -> None:
    """The plain text if it says anything, else another; the files of all."""
    choices = []
    for inner in cast(list[Message], part.get_payload()):
        choices.append(Parts())
        gather(inner, choices[-1], depth + 1)
    said = [choice for choice in choices if any(_says(text) for _, text in choice.texts)]
    plain = [choice for choice in said if choice.texts[0][0] == "plain"]
    if best := next(iter(plain or said), None):
        found.texts += best.texts
    for choice in choices:
        found.files += [file for file in choice.files if best is None or not _is_version(file)]
        found.pictures += choice.pictures
        for line in choice.warnings:
            found.warn(line)


def _is_version(part: Message) -> bool:
    """Whether a part is the text once more, in a form that is not read."""
    kind = kind_of(part)
    return kind.startswith("text/") and kind != "text/calendar" and not _is_named(part)


def _is_named(part: Message) -> bool:
    try:
        return is_file(part) or name_of(part) != ""
    except FAULTS:
        return True


def _says(text: str) -> bool:
    return re.search(r"\w", re.sub(r"<[^<>]*>", "", text)) is not None


def _take(part: Message, kind: str, found: Parts) -> None:
    if warning := _TELLING.get(kind):
        found.warn(warning)
    if kind.startswith("multipart/"):  # its boundary is wrong: the text is in there
        found.texts.append(("plain", _said(part, found)))
    elif kind in ("text/plain", "text/html") and not _is_named(part):
        found.texts.append((kind.removeprefix("text/"), _said(part, found)))
    elif kind.startswith("image/") and part.get_content_disposition() != "attachment":
        found.pictures.append(part)
    else:
        found.files.append(part)


def _said(part: Message, found: Parts) -> str:
    try:
        text = text_of(part)
    except UnreadableDocument:
        del part["Content-Type"]  # the character set in it may stop what it has nothing to do with
        text = content_of(part).decode("utf-8", "replace")
    if "\ufffd" in text:
        found.warn("caractères illisibles dans le texte, remplacés par « \ufffd »")
    # ISO 8859-1 has nothing there: programs that declare it mean the set of Windows, as browsers know.
    return re.sub(r"[\x80-\x9f]", lambda c: c[0].encode("latin-1").decode("cp1252", "ignore"), text)


# -- files


def kept_enclosures(parts: Parts) -> list[Enclosure]:
    """The files first, then pictures that stand in the text, often logos; what is over the limits, or cannot
    be decoded, is named in a warning."""
    kept: list[Enclosure] = []
    left: list[str] = []
    room = MOST_BYTES
    for number, part in enumerate((*parts.files, *parts.pictures), start=1):
        beat()
        name = _called(part, number)
        try:
            content = _within(part)
        except UnreadableDocument:
            parts.warn(f"pièce jointe illisible, laissée de côté : « {name} »")
            continue
        if len(kept) == MOST_ENCLOSURES or len(content) > room:
            left.append(name)
            continue
        kept.append(Enclosure(name=name, media_type=regular_media_type(kind_of(part)), content=content))
        room -= len(content)
    if left:
        some = ", ".join(f"« {name} »" for name in left[:10]) + (" et d’autres" if len(left) > 10 else "")
        limits = f"{MOST_ENCLOSURES} pièces et {MOST_BYTES // 1_000_000} Mo au plus par message"
        parts.warn(f"pièces jointes laissées de côté : {some} ({limits})")
    return kept


def _within(part: Message) -> bytes:
    inner = part.get_payload()
    if isinstance(inner, list):  # a message, or the blocks of a report
        return b"\n".join(as_bytes(cast(Message, one)) for one in inner)
    return content_of(part)


def _called(part: Message, number: int) -> str:
    kind = kind_of(part)
    guessed = ".eml" if kind == "message/rfc822" else mimetypes.guess_extension(kind) or ""
    what = "image" if kind.startswith("image/") else "pièce jointe"
    return safe_name(name_of(part)) or f"{what} {number}{guessed}"


_FORBIDDEN = re.compile(r'[<>:"|?*]')
_LONGEST_NAME = 120  # characters; file systems take 255 bytes


def safe_name(name: str) -> str:
    """The name of a file without folders, invisible characters and those that some system refuses; "" if
    nothing is left. The end, which tells the kind, is kept."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029")
    kept = _FORBIDDEN.sub("_", " ".join(shown.split())).strip(". ")
    stem, dot, suffix = kept.rpartition(".")
    if len(kept) <= _LONGEST_NAME or not stem or len(suffix) > 10:
        return kept[:_LONGEST_NAME].rstrip(". ")
    return stem[: _LONGEST_NAME - len(suffix) - 1].rstrip(". ") + dot + suffix


def regular_media_type(text: str) -> str:
    """The media type, or that of plain bytes for what is none (RFC 6838, 4.2)."""
    token = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,59}"
    return text if re.fullmatch(f"{token}/{token}", text) else "application/octet-stream"


# -- text


def whole_text(parts: Parts) -> str:
    """All texts one after the other, lines ended by ``\n``, nothing invisible."""
    texts = []
    for kind, text in parts.texts:
        if kind == "html" and len(text) > _LARGEST_MARKUP:
            parts.warn("texte très long : sa fin a été coupée")
        texts.append(html_text(text[:_LARGEST_MARKUP]) if kind == "html" else text)
    whole = "\n\n".join(tidy(text) for text in texts if text.strip())
    if len(whole) > LONGEST_TEXT:
        parts.warn(f"texte coupé après {LONGEST_TEXT // 1000}\u202f000 caractères")
    return whole[:LONGEST_TEXT]


_NEWLINES = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
    r"|[\ud800-\udfff]"
)


def tidy(text: str) -> str:
    """The text in NFC, its line ends made one, without invisible characters and marks of direction."""
    shown = _INVISIBLE.sub("", _NEWLINES.sub("\n", text))
    return unicodedata.normalize("NFC", "\n".join(line.rstrip() for line in shown.split("\n"))).strip("\n")


_UNREAD = ("script", "style", "head", "title", "template", "noscript", "svg")
_BLOCKS_TEXT = """
address article blockquote center dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr li main ol p pre
section table tr ul
"""
_BLOCKS = frozenset(_BLOCKS_TEXT.split())
_IN, _OUT, _END, _GAP = "\x01", "\x02", "\x03", "\x04"
"""Written in the text: where a quote begins and ends, where a block does, and an empty line besides."""


def html_text(markup: str) -> str:
    """The text of a message in HTML, line for line, addresses of links after their words; what it quotes is
    marked with « > » as in plain text."""
    said: list[str] = []
    todo: list[PageElement | _Ending] = [BeautifulSoup(re.sub(r"[\x01-\x04]", "", markup), "lxml")]
    while todo:
        node = todo.pop()
        if isinstance(node, _Ending):
            said.append(_after(node, said))
        elif isinstance(node, Tag):
            if node.name not in _UNREAD:
                said.append(_before(node))
                todo.append(_Ending(node, len(said)))
                todo.extend(reversed(node.contents))
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            kept = node.parent is not None and node.parent.name == "pre"
            said.append(str(node) if kept else re.sub(r"[ \t\r\n\f]+", " ", node))
    return _marked("".join(said))


class _Ending(NamedTuple):
    """The end of an element, whose text begins at ``start`` among the pieces."""

    tag: Tag
    start: int


def _before(tag: Tag) -> str:
    if tag.name == "br":
        return "\n"
    return _edge(tag) + _IN * _is_quote(tag) if tag.name in _BLOCKS else ""


def _after(ending: _Ending, said: Sequence[str]) -> str:
    tag = ending.tag
    if tag.name in ("td", "th"):
        return " "
    if tag.name == "a":
        link = str(tag.get("href") or "")
        shown = "".join(said[max(ending.start, len(said) - _PIECES) :])
        return f" <{link[:_LONGEST_LINK]}>" if _is_told(link, shown) else ""
    return _OUT * _is_quote(tag) + _edge(tag) if tag.name in _BLOCKS else ""


_PIECES = 20  # of the text of a link that are compared with its address: those who show it show nothing else


def _is_told(link: str, shown: str) -> bool:
    """Whether the address of a link adds to its words."""
    return re.match("https?:", link) is not None and link.rstrip("/") not in shown


def _edge(tag: Tag) -> str:
    """What stands between a block and the next. Outlook writes each line as a paragraph of one class, without
    space between them."""
    return _GAP if tag.name == "p" and "MsoNormal" not in (tag.get("class") or ()) else _END


def _is_quote(tag: Tag) -> bool:
    """Whether it is a blockquote that repeats a message, and does not only move a paragraph to the right."""
    if tag.name != "blockquote":
        return False
    names = " ".join(str(tag.get(name) or "") for name in ("type", "class", "style", "cite"))
    return re.search(r"cite|quote|border-left|mid:", names) is not None


def _marked(text: str) -> str:
    """The lines, with « > » for each quote that they stand in, never two empty ones together."""
    lines: list[str] = []
    depth, line, gap = 0, "", False
    for piece in re.split(r"([\x01-\x04\n])", f"{text}{_END}"):
        if piece not in (_IN, _OUT, _END, _GAP, "\n"):
            line += piece
            continue
        if line.strip(" ") or piece == "\n":
            _add(lines, line.strip(), depth, gap=gap)
            line, gap = "", False
        gap = gap or piece == _GAP
        depth += (piece == _IN) - (piece == _OUT)
    return "\n".join(lines).strip("\n")


def _add(lines: list[str], line: str, depth: int, *, gap: bool) -> None:
    mark = ">" * min(depth, _DEEPEST_QUOTE)
    follows_text = bool(lines) and lines[-1].strip(">") != ""
    if gap and line and follows_text:
        lines.append(mark)
    if line or follows_text:
        lines.append(f"{mark} {line}".strip() if depth else line)
