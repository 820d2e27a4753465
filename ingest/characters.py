"""Characters put for others: a font without its table, UTF-8 read as something else, accents apart.

Hides how each is known for certain. Nothing here is a guess: what is mended must be French afterwards and
must not have been before, or the text stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from string import ascii_letters, ascii_lowercase

from ingest.lexicon import Lexicon

_WORDS = re.compile(r"[^\W\d_]{2,}")
_PROVEN_WORDS = 8  # different words from which what a shift makes proves it
_PROVEN = 0.7  # share of them that must be known: a wrong shift makes 0.2 at most
_DOUBTED = 0.3  # share of known words above which nothing is wrong with the letters
_ACCIDENTS = 0.2  # share of lines that seem to be French below which none is: « ni » and « co » come of noise
_COMMON = " esaitnrulo"  # the commonest characters of French, one of which the commonest of a page stands for
_MAC_SHIFT = 29

# -- fonts whose codes are shifted


def mend_font(text: str, lexicon: Lexicon) -> str:
    """``text``, as it was read, with its characters moved back where all of its letters, or those of some of
    its lines, are moved by one number: by 29 when numbers of glyphs were taken for characters (they stand in
    the order of Apple's "post" table), into the private use area by fonts of symbols, around the alphabet,
    or by any other. The text itself if nothing makes it French."""
    lines = text.split("\n")
    sound = {line for line in lines if _known(line, lexicon) >= _DOUBTED}
    if sum(map(sound.__contains__, lines)) < _ACCIDENTS * len(lines):
        sound = set()
    doubted = "\n".join(line for line in lines if line not in sound)
    moves = [partial(_moved, shift=shift) for shift in _shifts(doubted)]
    moves += [partial(_turned, places=places) for places in range(1, 26)]
    share, move = max(((_proof(move(doubted), lexicon), move) for move in moves), key=itemgetter(0))
    return "\n".join(line if line in sound else move(line) for line in lines) if share >= _PROVEN else text


def _known(text: str, lexicon: Lexicon) -> float:
    return lexicon.known_share(_WORDS.findall(text.lower()))


def _proof(text: str, lexicon: Lexicon) -> float:
    """Share of known words among the different ones, if they are enough."""
    words = sorted(set(_WORDS.findall(text.lower())))
    return lexicon.known_share(words) if len(words) >= _PROVEN_WORDS else 0.0


def _shifts(text: str) -> Iterator[int]:
    """Numbers to try, from what is met most often."""
    common = [character for character, _ in Counter(text).most_common(3) if character not in "\n\r"]
    tried = {_MAC_SHIFT: None, **{ord(meant) - ord(met): None for met in common for meant in _COMMON}}
    yield from (shift for shift in tried if shift)


def _moved(text: str, shift: int) -> str:
    return "".join(_character(character, shift) for character in text)


def _turned(text: str, places: int) -> str:
    turned = ascii_lowercase[places:] + ascii_lowercase[:places]
    return text.translate(str.maketrans(ascii_letters, turned + turned.upper()))


def _character(character: str, shift: int) -> str:
    if character in "\r\n" or (character == " " and shift != _MAC_SHIFT):
        return character
    code = ord(character) + shift
    if shift == _MAC_SHIFT:
        # Glyph 97 is "~", 98 is the first of the upper half of Mac OS Roman: there is no glyph for DEL.
        code += code >= 0x7F
        return bytes((code,)).decode("mac_roman") if code < 0x100 else character
    if 0x80 <= code < 0xA0:
        return bytes((code,)).decode("cp1252", "replace")
    return chr(code) if 0x20 <= code < 0x10000 and not 0xD800 <= code < 0xE000 else character


# -- UTF-8 that was read in another encoding

_SEQUENCE = re.compile(
    r"[\u00c2-\u00df][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a"
    r"\u20ac\u2122]|[\u00e0-\u00ef][\u0080-\u00bf\u0152-\u2122]{2}"
)
_FEW = 3  # sequences from which they are no accident: a text may cite one


def mend_encoding(text: str, lexicon: Lexicon) -> str:
    """``text`` with « Ã© » read as « é », where it has several such sequences, nearly all of them are UTF-8,
    and more words are known so than before."""
    found = _SEQUENCE.findall(text)
    if len(found) < _FEW:
        return text
    mended = _SEQUENCE.sub(lambda match: _decoded(match.group()), text)
    left = len(_SEQUENCE.findall(mended))
    if left > len(found) / 10 or _known(mended, lexicon) <= _known(text, lexicon):
        return text
    return mended


def _decoded(sequence: str) -> str:
    try:
        return b"".join(map(_byte, sequence)).decode("utf-8")
    except UnicodeError:
        return sequence


def _byte(character: str) -> bytes:
    """Windows-1252 where it has the character, else ISO 8859-1: readers fill the holes of the one so."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")


# -- accents that stand beside their letter

_MARKS = {
    "´": "\u0301", "ˊ": "\u0301", "\u0301": "\u0301",
    "`": "\u0300", "ˋ": "\u0300", "\u0300": "\u0300",
    "ˆ": "\u0302", "\u0302": "\u0302",
    "¨": "\u0308", "\u0308": "\u0308",
    "¸": "\u0327", "\u0327": "\u0327",
}  # fmt: skip
_ACCENT = re.compile(f"[{''.join(_MARKS)}]")
_HOSTS = {"\u0301": "e", "\u0300": "aeu", "\u0302": "aeiouı", "\u0308": "eiuyı", "\u0327": "c"}
_LETTERS = r"[^\W\d_]*"
# Letters and the accents among them, each with a blank at most on either side.
_APART = re.compile(rf"{_LETTERS}(?: ?[{''.join(_MARKS)}] ?{_LETTERS})+")
_PARTS = re.compile(rf"( ?)([{''.join(_MARKS)}])( ?)")
_MOST_ACCENTS = 5  # in one chain: « hétérogénéité » has five; each doubles or quadruples the readings


def mend_accents(text: str, lexicon: Lexicon) -> str:
    """``text`` with accents put on the letter before or after them, blanks between taken out, where that
    spells a word of French: « e ´cole », « ´ecole » and « cite´ » for TeX and its like. Where several words
    prove the habit, names get theirs too if there is one way to read them."""
    if set(_ACCENT.findall(text)) <= {"`"}:
        return text  # none, or what quotes code
    proofs = sum(_spelt(match.group().strip(" "), lexicon) is not None for match in _APART.finditer(text))
    if not proofs:
        return text
    return _APART.sub(lambda match: _attached(match.group(), lexicon, proofs >= _FEW), text)


def _attached(chain: str, lexicon: Lexicon, proven: bool) -> str:
    core = chain.strip(" ")
    if (spelt := _spelt(core, lexicon)) is None:
        readings = _readings(core) if proven and " " not in core else []
        spelt = readings[0] if len(readings) == 1 else core
    return chain.replace(core, spelt)


def _spelt(chain: str, lexicon: Lexicon) -> str | None:
    """The reading with the fewest words whose every word is one of French; None if there is none."""
    sound = [text for text in _readings(chain) if all(map(lexicon.spells, text.split()))]
    return min(sound, key=lambda text: text.count(" ")) if sound else None


def _readings(chain: str) -> list[str]:
    """Every way to put the accents of a chain on letters beside them, blanks kept or not."""
    first, *rest = _PARTS.split(chain)
    if len(rest) > 4 * _MOST_ACCENTS:
        return []
    readings = [first]
    for at in range(0, len(rest), 4):
        before, mark, after, letters = rest[at : at + 4]
        gaps = ("", " ") if before or after else ("",)
        readings = [
            host + gap + follows
            for reading in readings
            for gap in gaps
            for host, follows in _placed(reading, _MARKS[mark], letters)
        ]
    return [reading.strip() for reading in readings]


def _placed(before: str, mark: str, after: str) -> Iterator[tuple[str, str]]:
    """The text before and the text after an accent, with it on the last letter of one or the first of the
    other."""
    if before and before[-1].lower() in _HOSTS[mark]:
        yield _with_accent(before[:-1], before[-1], mark), after
    if after and after[0].lower() in _HOSTS[mark]:
        yield before, _with_accent("", after[0], mark) + after[1:]


def _with_accent(before: str, letter: str, mark: str) -> str:
    return unicodedata.normalize("NFC", before + letter.replace("ı", "i") + mark)
