"""RTF files to drafts (Rich Text Format Specification 1.9.1).

Hides its groups and control words, character sets, and what of it is no text: tables of fonts and styles,
pictures, headers, deleted text, instructions of fields. Read without a library: striprtf, the only one kept
up, gives neither pages, nor properties, nor headings, nor notes where they are called.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.drafts import Draft
from ingest.frontmatter import Metadata
from ingest.isolation import beat
from ingest.office import Walk, draft_of_walk
from kb.errors import Reason, UnreadableDocument
from kb.records import regular_date

MEDIA_TYPE = "application/rtf"

_TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})?[ ]?"
    rb"|\\'(?P<hex>[0-9a-fA-F]{2})"
    rb"|\\(?P<symbol>[^a-zA-Z])"
    rb"|(?P<brace>[{}])"
    rb"|(?P<blank>[\r\n\0]+)"
    rb"|(?P<text>[^\\{}\r\n\0]+)",
    re.DOTALL,
)
_LEFT_OUT_TEXT = b"""
fonttbl colortbl stylesheet listtable listoverridetable rsidtbl generator pict object header headerl headerr
headerf footer footerl footerr footerf themedata colorschememapping latentstyles datastore xmlnstbl fldinst
pgptbl filetbl revtbl annotation atnid atnauthor atrfstart atrfend bkmkstart bkmkend private xe tc template
operator listtext pntext sn sv nonshppict background info
"""
_LEFT_OUT = frozenset(_LEFT_OUT_TEXT.split())
_SHOWN_STARRED = frozenset((b"shpinst", b"shppict"))  # what newer programs show, although older skip it
_PROPERTIES = {b"title": "title", b"author": "author", b"subject": "subject", b"keywords": "keywords"}
_TIMES = {b"revtim": "revised", b"creatim": "created"}
_SAID = {
    b"emdash": "—",
    b"endash": "–",
    b"lquote": "‘",
    b"rquote": "’",
    b"ldblquote": "“",
    b"rdblquote": "”",
    b"bullet": "•",
    b"emspace": " ",
    b"enspace": " ",
    b"qmspace": " ",
    b"tab": "\t",
    b"line": "\n",
}
_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"-": "", b"\\": "\\", b"{": "{", b"}": "}"}
_CHARSETS = {77: "mac_roman", 161: "cp1253", 162: "cp1254", 186: "cp1257", 204: "cp1251", 238: "cp1250"}
"""Character sets of fonts that are not that of the document (\\fcharset) -> their names in Python."""
_DEEPEST = 10_000  # groups in groups: Word writes some 20
_HEADING = re.compile(r"(?:heading|titre) (\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds until a brace is closed. ``aim`` is where its text goes: "" the document, "-" nowhere, else
    a property; ``note`` tells the group of a footnote from those inside it."""

    aim: str = ""
    hidden: bool = False
    charset: str = ""
    skipped: int = 1
    note: bool = False


def read(path: Path) -> Iterator[Draft]:
    """One draft of an RTF file. Raises UnreadableDocument: DAMAGED, EMPTY; NO_TEXT if it has pictures
    only."""
    reading = _Reading(path.read_bytes())
    reading.run()
    yield draft_of_walk(reading.walk, reading.metadata(), MEDIA_TYPE, path.name)


class _Reading:
    """One pass over the tokens."""

    def __init__(self, content: bytes) -> None:
        self.walk = Walk()
        self._content = content
        self._group = _Group()
        self._stack: list[_Group] = []
        self._said: dict[str, str] = {}
        self._charset = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = self._style = 0
        self._levels: dict[int, int] = {}
        self._level = 0
        self._in_cell = False
        self._held = bytearray()
        self._to_skip = 0
        self._starred = False
        self._high = ""

    def run(self) -> None:
        """Read all. Raises UnreadableDocument: DAMAGED."""
        place, count = 0, 0
        while (match := _TOKEN.match(self._content, place)) is not None or place < len(self._content):
            if match is None:
                place += 1  # a backslash that ends the file
                continue
            place = match.end()
            count += 1
            if count % 10_000 == 0:
                beat()
            place += self._take(match)
        self._flush()
        self.walk.paragraph(level=self._level)

    def metadata(self) -> Metadata:
        """What the group of properties says."""
        said = {name: text.strip() for name, text in self._said.items()}
        return Metadata(
            title=said.get("title", ""),
            authors=said.get("author", ""),
            subject=said.get("subject", ""),
            keywords=said.get("keywords", ""),
            made=regular_date(said.get("revised", "")) or regular_date(said.get("created", "")),
        )

    def _take(self, match: re.Match[bytes]) -> int:
        """One token; how many bytes after it are raw."""
        kind = match.lastgroup if match.lastgroup != "number" else "word"
        if kind in ("hex", "text"):
            self._characters(bytes.fromhex(match["hex"].decode()) if kind == "hex" else match["text"])
        elif kind == "word":
            number = int(match["number"]) if match["number"] else None
            if match["word"] == b"bin":
                return max(0, number or 0)
            self._word(match["word"], number)
        elif kind == "brace":
            self._brace(opens=match["brace"] == b"{")
        elif kind == "symbol":
            self._symbol(match["symbol"])
        return 0

    def _brace(self, *, opens: bool) -> None:
        self._flush()
        self._to_skip, self._starred = 0, False
        if opens:
            if len(self._stack) > _DEEPEST:
                raise UnreadableDocument(Reason.DAMAGED, "groups nested too deeply")
            self._stack.append(self._group)
            self._group = replace(self._group, note=False)
        elif self._stack:
            closed, self._group = self._group, self._stack.pop()
            if closed.note:
                self._say(")")
            if closed.aim == "style":
                self._name_style()

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._starred = True
        elif symbol in (b"\r", b"\n"):
            self._word(b"par", None)
        else:
            self._flush()
            self._say(_SYMBOLS.get(symbol, ""))

    # -- control words

    def _word(self, word: bytes, number: int | None) -> None:
        if word == b"u" and number is not None:
            self._unicode(number % 0x10000)
            return
        self._flush()
        starred, self._starred = self._starred, False
        if self._to_skip:
            self._to_skip -= 1
        elif self._opens(word, starred=starred):
            return
        elif word in _SAID:
            self._say(_SAID[word])
        elif self._group.aim in ("fonts", "style"):
            self._define(word, number)
        elif not self._group.aim:
            self._set(word, number)
            if not self._group.hidden:
                self._lay_out(word, number)
        elif word in (b"yr", b"mo", b"dy") and self._group.aim in _TIMES.values():
            before = self._said.get(self._group.aim, "")
            self._said[self._group.aim] = f"{before}-{number or 0:02d}".strip("-")

    def _opens(self, word: bytes, *, starred: bool) -> bool:
        """Whether a word begins a destination; text then goes where it tells."""
        aim = self._group.aim
        if aim == "-" and word not in _PROPERTIES and word not in _TIMES:
            return word in _LEFT_OUT
        if word == b"pict":
            self.walk.pictured = True
        if word == b"footnote":
            self._say(" (")
            self._group = replace(self._group, note=True)
            return True
        if word in _PROPERTIES and aim == "-":
            self._group = replace(self._group, aim=_PROPERTIES[word])
        elif word in _TIMES and aim == "-":
            self._group = replace(self._group, aim=_TIMES[word])
        elif word in (b"fonttbl", b"stylesheet"):
            self._group = replace(self._group, aim="fonts" if word == b"fonttbl" else "style")
        elif word in _LEFT_OUT or (starred and word not in _SHOWN_STARRED):
            self._group = replace(self._group, aim="-")
        else:
            return False
        return True

    def _set(self, word: bytes, number: int | None) -> None:
        """What changes how characters are read."""
        match word:
            case b"ansicpg" if number:
                self._charset = _known(f"cp{number}")
            case b"mac":
                self._charset = "mac_roman"
            case b"pc" | b"pca":
                self._charset = "cp850"
            case b"uc":
                self._group = replace(self._group, skipped=min(max(0, number or 0), 10))
            case b"f":
                self._group = replace(self._group, charset=self._fonts.get(number or 0, ""))
            case b"v" | b"deleted":
                self._group = replace(self._group, hidden=number != 0)
            case b"plain":
                self._group = replace(self._group, hidden=False)

    def _define(self, word: bytes, number: int | None) -> None:
        """What the tables of fonts and of styles say."""
        match self._group.aim, word:
            case "fonts", b"f":
                self._font = number or 0
            case "fonts", b"fcharset" if number in _CHARSETS:
                self._fonts[self._font] = _CHARSETS[number]
            case "style", b"s":
                self._style = number or 0

    def _lay_out(self, word: bytes, number: int | None) -> None:
        """What makes paragraphs, cells and pages."""
        match word:
            case b"par" | b"sect" if self._in_cell or self._in_note():
                self._say(" ")
            case b"par" | b"sect":
                self.walk.paragraph(level=self._level)
            case b"cell" | b"nestcell":
                self._say(" | ")
            case b"row":
                self.walk.paragraph()
            case b"page" | b"softpage":
                self.walk.page(rendered=word == b"softpage")
            case b"pard":
                self._in_cell, self._level = False, 0
            case b"intbl":
                self._in_cell = True
            case b"s":
                self._level = self._levels.get(number or 0, 0)
            case b"outlinelevel":
                self._level = 1 + min(max(0, number or 0), 8)

    def _in_note(self) -> bool:
        return self._group.note or any(group.note for group in self._stack[-8:])

    def _name_style(self) -> None:
        """The level of the style whose definition ends: by its name, which Word keeps in English."""
        name = self._said.pop("style", "").strip(" ;")
        if match := _HEADING.fullmatch(name):
            self._levels[self._style] = int(match[1])
        elif name.lower() in ("title", "titre"):
            self._levels[self._style] = -1

    # -- characters

    def _characters(self, characters: bytes) -> None:
        """Bytes of the character set; the first stand for a character that Unicode has told already."""
        skipped = min(self._to_skip, len(characters))
        self._to_skip -= skipped
        self._held += characters[skipped:]

    def _flush(self) -> None:
        if self._held:
            self._say(self._held.decode(self._group.charset or self._charset, "replace"))
            self._held.clear()

    def _unicode(self, code: int) -> None:
        """A unit of UTF-16: a character, or half of one."""
        self._flush()
        self._to_skip = self._group.skipped
        if 0xD800 <= code < 0xDC00:
            self._high = chr(code)
            return
        pair, self._high = self._high + chr(code), ""
        self._say(pair.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def _say(self, text: str) -> None:
        aim = self._group.aim
        if not aim:
            if not self._group.hidden:
                self.walk.say(text)
        elif aim not in ("-", "fonts", *_TIMES.values()):
            self._said[aim] = (self._said.get(aim, "") + text)[:2_000]


def _known(charset: str) -> str:
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return "cp1252"
