"""In which character set the bytes of a catalogue record are written, decided by the bytes.

Hides how readings are weighed: what a record declares of itself is often wrong, and accents turned to noise
are worse than a record that is missing. Bytes that are valid UTF-8 are UTF-8; for the others each set that
may be meant is tried, and the text that it gives is looked at as a reader would: an accented capital in the
midst of a word or a copyright sign between two letters is not how people write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from kb import iso5426
from kb.errors import InvalidRecord


class Charset(StrEnum):
    """A character set by the name that people know."""

    UTF_8 = "UTF-8"
    ISO_5426 = "ISO 5426"
    MARC_8 = "MARC-8"
    WINDOWS = "Windows-1252"
    DOS = "DOS 850"
    MAC = "Mac Roman"


UNIMARC_SETS = (Charset.ISO_5426, Charset.WINDOWS, Charset.DOS, Charset.MAC)
MARC21_SETS = (Charset.MARC_8, Charset.WINDOWS, Charset.DOS, Charset.MAC)
XML_SETS = (Charset.WINDOWS,)


class Decision(NamedTuple):
    """The set of the fields that are not UTF-8, and French words on a doubt, None when there is none."""

    charset: Charset
    doubt: str | None = None


def decide(
    bodies: Sequence[bytes], sets: Iterable[Charset], votes: Mapping[Charset, float] = MappingProxyType({})
) -> Decision:
    """The set of one record's fields, ``votes`` being what ``weigh`` gave for all records of the file. Raises
    InvalidRecord with a French reason when no set gives a text without noise."""
    foreign = [body for body in bodies if not is_utf8(body)]
    if not foreign:
        noise = any(_is_twice_encoded(body) for body in bodies)
        return Decision(Charset.UTF_8, "accents déjà abîmés dans la source" if noise else None)
    weights = {charset: weight for charset in sets if (weight := _weight(foreign, charset)) is not None}
    usual = _usual(votes, weights)
    found = []
    for charset, weight in weights.items():
        bonus = _FAVOUR if charset is usual else -_RARE.get(charset, 0)
        found.append((weight.good - weight.bad + bonus, charset, weight))
    found.sort(key=lambda one: -one[0])
    if not found or found[0][2].bad * _TOLERATED > found[0][2].good + (found[0][1] is usual) * _FAVOUR:
        raise InvalidRecord("record", "jeu de caractères non reconnu, accents illisibles")
    return Decision(found[0][1], _doubt(found, foreign, mixed=any(map(_is_accented_utf8, bodies))))


_FAVOUR = 2.0  # what the other records of a file weigh: as one accent without a doubt, less than two
_RARE = {Charset.DOS: 2.0, Charset.MAC: 2.0}  # they accept any byte: they must win, not draw
_TOLERATED = 4  # good signs for each bad one: a name in another language may look odd, a sentence does not
_SURE = 2.0  # weight by which the second best must be worse


def _usual(votes: Mapping[Charset, float], own: Mapping[Charset, Weight]) -> Charset | None:
    """The set that the other records of the file are in; none votes for itself."""
    others = {c: vote - (own[c].good - own[c].bad if c in own else 0) for c, vote in votes.items()}
    best = max(others, key=lambda charset: others[charset], default=None)
    return best if best is not None and others[best] > 0 else None


_Found = tuple[float, Charset, "Weight"]


def _doubt(found: list[_Found], foreign: list[bytes], *, mixed: bool) -> str | None:
    best = found[0][1]
    if mixed:
        return f"deux jeux de caractères mêlés, UTF-8 et {best}"
    if best in _RARE:
        return f"jeu de caractères déduit : {best}"
    if len(found) > 1 and found[0][0] - found[1][0] < _SURE:
        other = found[1][1]
        if any(decode(body, best) != decode(body, other) for body in foreign):
            return f"jeu de caractères douteux : lu comme {best}, peut-être {other}"
    return None


def weigh(records: Iterable[Sequence[bytes]], sets: Sequence[Charset]) -> dict[Charset, float]:
    """How well each set reads those records of a file that are not UTF-8; empty when all are."""
    votes = dict.fromkeys(sets, 0.0)
    for bodies in records:
        foreign = [body for body in bodies if not is_utf8(body)]
        weights = {charset: _weight(foreign, charset) for charset in sets} if foreign else {}
        for charset, weight in weights.items():
            votes[charset] += weight.good - weight.bad if weight else -_FAVOUR
    return {charset: votes[charset] for charset in votes if votes[charset] > 0}


def decode(body: bytes, charset: Charset) -> str:
    """The text (NFC) of one field: UTF-8 if its bytes are, else that set. Raises ValueError."""
    if is_utf8(body):
        return unicodedata.normalize("NFC", body.decode("utf-8"))
    return _DECODERS[charset](body)


def is_utf8(body: bytes) -> bool:
    """Whether bytes are UTF-8; those with an escape are not, which changes what plain bytes mean."""
    if b"\x1b" in body:
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_accented_utf8(body: bytes) -> bool:
    return not body.isascii() and is_utf8(body)


def _is_twice_encoded(body: bytes) -> bool:
    """Whether an accent was encoded twice before it came: "Ã©" for "é"."""
    return any(mark in body for mark in _TWICE)


_TWICE = tuple(sign.encode().decode("cp1252").encode() for sign in "éèêçôâî’")


def _python(codec: str) -> Callable[[bytes], str]:
    def decoded(body: bytes) -> str:
        if b"\x1b" in body:
            raise ValueError("an escape means nothing in this set")
        return unicodedata.normalize("NFC", body.decode(codec))

    return decoded


_ASIDE = re.compile(rb"\x98([^\x98\x9c\x1f]{1,15})\x9c|\x88([^\x88\x89\x1f]{1,15})\x89")
"""An article between the marks of what does not sort, which are letters in Windows-1252 but come in pairs."""


def _windows(body: bytes) -> str:
    marked = _ASIDE.sub(lambda found: b"\x01" + (found[1] or found[2]) + b"\x02", body)
    return _python("cp1252")(marked).translate({1: "\x98", 2: "\x9c"})


_DECODERS: Mapping[Charset, Callable[[bytes], str]] = {
    Charset.ISO_5426: lambda body: iso5426.decode(body, iso5426.ISO_5426),
    Charset.MARC_8: lambda body: iso5426.decode(body, iso5426.MARC_8),
    Charset.WINDOWS: _windows,
    Charset.DOS: _python("cp850"),
    Charset.MAC: _python("mac_roman"),
    Charset.UTF_8: lambda body: body.decode("utf-8"),
}


# -- how a text looks


class Weight(NamedTuple):
    """Signs that a text is what was written, and signs that it is not."""

    good: float
    bad: float


def _weight(bodies: Iterable[bytes], charset: Charset) -> Weight | None:
    """None when the set cannot read the bytes."""
    good, bad = 0.0, 0.0
    for body in bodies:
        try:
            text = decode(body, charset)
        except ValueError:
            return None
        text = _CODE.sub("\x1f", text)
        for at, character in enumerate(text):
            if character > "\x7f":
                sign = _sign(character, text[at - 1 : at], text[at + 1 : at + 3])
                good, bad = (good + sign, bad) if sign > 0 else (good, bad - sign)
    return Weight(good, bad)


_CODE = re.compile("\x1f.")  # a subfield's code is no neighbour of its first letter

_LOWER, _UPPER = frozenset("éèêëàâçîïôùûüœæ"), frozenset("ÉÈÊËÀÂÇÎÏÔÙÛÜŒÆ")
_QUOTES = frozenset("«»“”‘„…–—°§€ºª\u00a0\u202f\x98\x9c")
_HARDLY_BEFORE_VOWELS = frozenset("âáãèðøßłđ")
"""Accented letters that French and its neighbours do not put before a vowel; a diacritic of MARC-8, read as
Windows-1252, becomes one and stands before its own vowel."""


def _sign(character: str, before: str, after: str) -> float:
    """Weight of one character among its neighbours: above zero if it looks right there. French letters count
    most, since that is the language of most records; a sign that cannot be outweighs one that may be."""
    if character.isalpha():
        return _letter(character, before, after)
    inside = before.isalpha() and after[:1].isalpha()
    if character in "’ʼʻ·":
        return 1.0 if inside else 0.0
    if character in _QUOTES:
        return -3.0 if inside and character.isprintable() else 0.5
    if unicodedata.combining(character):
        return -1.0
    return -3.0 if inside else -1.0


def _letter(character: str, before: str, after: str) -> float:
    if unicodedata.name(character, "").partition(" ")[0] != "LATIN":
        return 0.5 if character > "\u0370" else -1.0
    next_one, second = after[:1], after[1:]
    if not before.isascii() and before.isalpha() and not next_one.isascii() and next_one.isalpha():
        return -3.0  # three in a row: words of another alphabet
    if character.isupper():
        at_start = next_one.isupper() and second.islower() and not before.isalpha()
        if before.islower() or at_start or (before.isupper() and next_one.islower()):
            return -3.0
        return 2.0 if character in _UPPER else 0.5
    if before.isupper() and next_one.isupper():
        return -3.0
    if character in _HARDLY_BEFORE_VOWELS and next_one.lower() in ("a", "e", "i", "o", "u", "y"):
        return -3.0
    if character in _LOWER:
        return 3.0
    return 1.0 if character <= "\u017f" else -1.0
