"""The character sets of libraries in eight bits: ISO 5426 with its escapes, and MARC-8 (ANSEL).

Hides the tables, the escapes of ISO 2022 by which sets change within a field, and that a diacritic is written
before its letter. Decoding is strict: a byte without a meaning is an error, never a question mark.

Sources: ISO 5426:1983 (ISO-IR 53); "MARC 21 specifications: character sets" (Library of Congress) for MARC-8,
whose tables are those of pymarc. Not here: ISO 5426-2, and the sets of UNIMARC for Africa and Georgia.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

ISO_5426, MARC_8 = "P", "E"
"""Final bytes by which ISO 2022 calls the two sets that a field begins with in its upper half."""

_ESCAPE, _SUBFIELD = 0x1B, 0x1F
_ASCII = "B"
_MULTIBYTE = "1"  # EACC, three bytes a character

_SPACING = {
    **dict(zip(range(0xA1, 0xAA), "¡„£$¥†§′‘", strict=True)),
    **dict(zip(range(0xAA, 0xB4), "“«♭©℗®ʻʼ‚\0", strict=True)),
    **dict(zip(range(0xB6, 0xC0), "‡·″’”»♯ʹʺ¿", strict=True)),
    **dict(zip((0xE1, 0xE2, 0xE6, 0xE8, 0xE9, 0xEA, 0xEC), "ÆĐĲŁØŒÞ", strict=True)),
    **dict(zip((0xF1, 0xF2, 0xF3, 0xF5, 0xF6, 0xF8, 0xF9, 0xFA, 0xFB, 0xFC), "æđðıĳłøœßþ", strict=True)),
}
del _SPACING[0xB3]
_COMBINING = (
    # 0xC0 to 0xCF
    *(0x309, 0x300, 0x301, 0x302, 0x303, 0x304, 0x306, 0x307),
    *(0x308, 0x308, 0x30A, 0x315, 0x312, 0x30B, 0x31B, 0x30C),
    # 0xD0 to 0xDF
    *(0x327, 0x31C, 0x326, 0x328, 0x325, 0x32E, 0x323, 0x324),
    *(0x332, 0x333, 0x329, 0x32D, None, 0xFE20, 0xFE21, 0xFE23),
)
_SORTING = {0x88: "\x98", 0x89: "\x9c"}
"""Marks around what does not sort, in the control set of libraries (ISO 6630) -> those of Unicode's C1."""


def decode(raw: bytes, upper: str = ISO_5426) -> str:
    """The text (NFC) of one field that begins with ASCII below and ``upper`` above. Raises ValueError on a
    byte without a meaning, or a diacritic without its letter."""
    sets = [_ASCII, upper]
    letters: list[str] = []
    waiting = ""
    at = 0
    while at < len(raw):
        if raw[at] == _ESCAPE:
            at = _escape(raw, at, sets)
            continue
        if raw[at] == _SUBFIELD and not waiting:
            # Each subfield begins with the sets of the field; its code is ASCII.
            sets = [_ASCII, upper]
            letters.append(raw[at : at + 2].decode("ascii", "replace"))
            at += 2
            continue
        width = 3 if sets[0] == _MULTIBYTE and 0x20 < raw[at] < 0x80 else 1
        character = _character(raw[at : at + width], sets)
        at += width
        if unicodedata.combining(character):
            waiting += character
            continue
        if waiting and (character.isspace() or ord(character) < 0x20):
            raise ValueError(f"a diacritic without its letter before byte {at}")
        letters.append(character + waiting)
        waiting = ""
    if waiting:
        raise ValueError("a diacritic without its letter at the end")
    return unicodedata.normalize("NFC", "".join(letters))


def _escape(raw: bytes, at: int, sets: list[str]) -> int:
    """Take an escape in; where what follows it begins. ESC, bytes that tell the half, final byte."""
    end = at + 1
    while end < len(raw) and 0x20 <= raw[end] <= 0x2F:
        end += 1
    final = chr(raw[end]) if end < len(raw) else ""
    between = raw[at + 1 : end].lstrip(b"$")[:1]
    if not between:
        # MARC-8's own short escapes: g, b and p for Greek symbols, below and above the line; s goes back.
        final = _ASCII if final == "s" else final
    half = 1 if between in (b")", b"-") else 0
    if (final if final != "@" else _ASCII) not in _KNOWN:
        raise ValueError(f"an escape to an unknown set {final!r}")
    sets[half] = _ASCII if final == "@" else final
    return end + 1


_KNOWN = frozenset((_ASCII, ISO_5426, MARC_8, _MULTIBYTE, *"NQS234gbp"))


def _character(raw: bytes, sets: list[str]) -> str:
    byte = raw[0]
    if byte < 0x21 or byte == 0x7F:
        return chr(byte)
    if byte in _SORTING:
        return _SORTING[byte]
    if 0x80 <= byte < 0xA0 and not (sets[1] == MARC_8 and byte in (0x8D, 0x8E)):
        raise ValueError(f"byte {byte:#x} has no meaning")
    name = sets[byte >= 0x80]
    if name == _ASCII:
        return chr(byte & 0x7F)
    code = int.from_bytes(raw, "big")
    table = _table(name)
    found = table.get(code) or table.get(code ^ 0x80)
    if found is None:
        raise ValueError(f"byte {code:#x} has no meaning in the set {name!r}")
    return found


@cache
def _table(name: str) -> Mapping[int, str]:
    """Code -> character of a set, in the half of the byte where its source lists it."""
    if name == ISO_5426:
        marks = {0xC0 + i: chr(code) for i, code in enumerate(_COMBINING) if code}
        return _SPACING | marks
    # Only few catalogues need these tables, which are long to load.
    from pymarc.marc8_mapping import CODESETS, ODD_MAP

    odd = {code: chr(point) for code, point in ODD_MAP.items()} if name == _MULTIBYTE else {}
    return odd | {code: chr(point) for code, (point, _) in CODESETS[ord(name)].items() if point}
