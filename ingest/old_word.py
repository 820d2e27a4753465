"""DOC files of Word 6 to 2003 to drafts (MS-DOC; for Word 6 and 95 its forerunner).

Hides the table of pieces: which bytes of the file are the text, in what order, and in which of two character
sets. Read here and not by antiword, since a reader then starts no program, and pages, cells and notes of
fields are told apart. Headings are not known: styles are not read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import olefile  # type: ignore[import-untyped]

from ingest.cleaning import clean
from ingest.drafts import Draft
from ingest.frontmatter import Metadata
from ingest.isolation import beat
from ingest.office import Walk, draft_of_walk
from ingest.text import decoded
from kb.errors import Reason, UnreadableDocument, UnsupportedFormat

MEDIA_TYPE = "application/msword"

_MAGIC = 0xA5EC
_OLD_MAGIC = 0xA5DC  # Word 6 and 95
_LOCKED, _SECOND_TABLE, _COMPLEX = 0x0100, 0x0200, 0x0004  # flags at 10 (MS-DOC, 2.5.2)
_WORD_97 = 193  # nFib from which text may be UTF-16
_MOST_TEXT = 50_000_000  # characters: 20,000 pages
_FAULTS = (OSError, struct.error, ValueError, IndexError, KeyError, TypeError, AttributeError, EOFError)
_CELL = "\x07"
_FIELD, _RESULT, _FIELD_END = "\x13", "\x14", "\x15"
_MARKS = {"\x1e": "-", **dict.fromkeys("\x00\x02\x03\x04\x05\x06\x08\x0e\x0f\x1f", "")}
_EARLIEST = 1985  # Word for Windows is of 1989; a date that was never set is 1601
_PARTS = re.compile(r"[\x00-\x08\x0b-\x1f]|[^\x00-\x08\x0b-\x1f]+")


def read(path: Path) -> Iterator[Draft]:
    """One draft of a DOC file. Raises UnreadableDocument: DAMAGED, LOCKED, EMPTY, NO_TEXT if it has pictures
    only; UnsupportedFormat for a file of another program in the same container."""
    try:
        with olefile.OleFileIO(str(path)) as container:
            if not container.exists("WordDocument"):
                raise _other(container)
            text = _text(container)
            metadata = _metadata(container)
    except _FAULTS as error:
        raise UnreadableDocument(Reason.DAMAGED, repr(error)) from error
    walk = Walk()
    _lay_out(text, walk)
    yield draft_of_walk(walk, metadata, MEDIA_TYPE, path.name)


def _other(container: Any) -> UnsupportedFormat | UnreadableDocument:
    if container.exists("EncryptedPackage"):
        return UnreadableDocument(Reason.LOCKED, "an encrypted package of Office")
    names = ", ".join("/".join(entry) for entry in container.listdir()[:5])
    return UnsupportedFormat(Reason.UNSUPPORTED, f"a file of Office 97-2003: {names}"[:200])


def _text(container: Any) -> str:
    """The characters of the body, with Word's own marks."""
    main = container.openstream("WordDocument").read()
    magic, version, flags = struct.unpack_from("<H H 6x H", main)
    if magic not in (_MAGIC, _OLD_MAGIC):
        raise UnreadableDocument(Reason.DAMAGED, f"not a Word document: {magic:#x}")
    if flags & _LOCKED:
        raise UnreadableDocument(Reason.LOCKED, "encrypted")
    if version < _WORD_97:
        return _old_text(main, flags)
    length, place, size = (struct.unpack_from("<I", main, at)[0] for at in (0x4C, 0x01A2, 0x01A6))
    table = container.openstream("1Table" if flags & _SECOND_TABLE else "0Table").read()
    return _joined(main, table[place : place + size], length, wide=True)


def _old_text(main: bytes, flags: int) -> str:
    start, length = (struct.unpack_from("<I", main, at)[0] for at in (0x18, 0x34))
    if flags & _COMPLEX:
        place, size = struct.unpack_from("<II", main, 0x0160)
        return _joined(main, main[place : place + size], length, wide=False)
    return _narrow(main[start : start + min(length, _MOST_TEXT)])


def _narrow(content: bytes) -> str:
    return content.decode("cp1252", "replace")


def _joined(main: bytes, pieces: bytes, length: int, *, wide: bool) -> str:
    """The pieces in order (MS-DOC, 2.4.1): where each begins in the text, and where it is in the file."""
    place = 0
    while pieces[place] == 1:  # formatting of pieces
        place += 3 + struct.unpack_from("<H", pieces, place + 1)[0]
    if pieces[place] != 2:
        raise UnreadableDocument(Reason.DAMAGED, "no table of pieces")
    size = struct.unpack_from("<I", pieces, place + 1)[0]
    count = (min(size, len(pieces) - place - 5) - 4) // 12
    starts = struct.unpack_from(f"<{count + 1}I", pieces, place + 5)
    said, left = [], min(length, _MOST_TEXT)
    for number in range(count):
        beat()
        characters = min(max(0, starts[number + 1] - starts[number]), left)
        left -= characters
        at = struct.unpack_from("<I", pieces, place + 5 + 4 * (count + 1) + 8 * number + 2)[0]
        said.append(_piece(main, at, characters, wide=wide))
    return "".join(said)


def _piece(main: bytes, at: int, characters: int, *, wide: bool) -> str:
    if not wide:
        return _narrow(main[at : at + characters])
    if at & 0x40000000:  # 8-bit characters, at half of what is written (MS-DOC, 2.9.73)
        at = (at & 0x3FFFFFFF) // 2
        return _narrow(main[at : at + characters])
    return main[at : at + 2 * characters].decode("utf-16-le", "replace")


def _lay_out(text: str, walk: Walk) -> None:
    """Paragraphs, cells and pages; the instructions of fields are left out, what they show is kept."""
    fields: list[bool] = []  # of those that are open, whether what they show has begun
    ends_cell = False
    for match in _PARTS.finditer(text):
        part = match.group()
        if part == _FIELD:
            fields.append(False)
        elif part == _RESULT and fields:
            fields[-1] = True
        elif part == _FIELD_END and fields:
            fields.pop()
        elif all(fields):
            _mark(part, walk, ends_row=ends_cell)
            ends_cell = part == _CELL
    walk.paragraph()


def _mark(part: str, walk: Walk, *, ends_row: bool) -> None:
    """One run of text or one mark. A row ends with a mark of its own after that of its last cell."""
    match part:
        case "\r":
            walk.paragraph()
        case "\x07" if ends_row:
            walk.paragraph()
        case "\x07":
            walk.say(" | ")
        case "\x0c":
            walk.page()
        case "\x0b":
            walk.say("\n")
        case "\x01":
            walk.pictured = True
        case _:
            walk.say(_MARKS.get(part, part))


def _metadata(container: Any) -> Metadata:
    """The properties of the summary, decoded as the text of their time was."""
    summary = container.get_metadata()
    revised = summary.last_saved_time or summary.create_time
    return Metadata(
        title=_property(summary.title),
        authors=_property(summary.author),
        subject=_property(summary.subject),
        keywords=_property(summary.keywords),
        made=revised.date().isoformat() if revised and revised.year > _EARLIEST else None,
    )


def _property(value: object) -> str:
    return clean(decoded(value)) if isinstance(value, bytes) and value else ""
