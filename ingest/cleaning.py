"""Text as readers find it to text as people read it.

Hides what typesetting leaves behind (ligatures, hyphens at line ends, invisible characters), and in which
order a page is mended: characters, typesetting, accents, running heads, words in pieces.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Sequence

from ingest import lexicon
from ingest.characters import mend_accents, mend_encoding, mend_font
from ingest.language import language
from ingest.legibility import grade, has_text, judge
from ingest.lexicon import Lexicon
from ingest.rejoining import close_up, rejoined
from ingest.running_heads import without_running_heads
from kb.records import Page, Quality

__all__ = ["clean", "clean_pages", "grade", "has_text", "language", "rejoined", "storable"]

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "ĳ": "ij"}
)
_NEWLINES = re.compile(r"\r\n?|[\u2028\x0b\x0c\x85]")
# pdfium writes U+FFFE or U+0002 for a hyphen at the end of a line, whatever it is there for, and often leaves
# the end of the line out.
_PDF_HYPHEN = re.compile(r"[\ufffe\u0002][ \t]*\n?[ \t]*(?=\w)")
_SOFT_HYPHEN = re.compile(r"\u00ad\s*\n\s*")
_INVISIBLE = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b\u2060\ufeff\ufffe\uffff]")
_LINE_HYPHEN = re.compile(r"[-‐]\n(?=([^\W\d_]+))")
_BEFORE = re.compile(r"((?:[^\W\d_]+-)*)([^\W\d_]+)\Z")
_LONGEST = 60  # characters before a hyphen that are looked at
_REFUSED = re.compile(r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\u2000-\u2008\u200a\u205f\u3000]+")
_MANY_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """``text`` in NFC, lines ended by ``\n``, words joined again that the end of a line had cut, paragraphs
    apart by one empty line, nothing invisible."""
    text = _NEWLINES.sub("\n", text)
    text = _SOFT_HYPHEN.sub("", _PDF_HYPHEN.sub("-\n", text))
    text = _INVISIBLE.sub("", text).translate(_LIGATURES)
    text = "\n".join(_BLANKS.sub(" ", line).strip(" ") for line in text.split("\n"))
    text = _LINE_HYPHEN.sub(_unhyphenated, text)
    return unicodedata.normalize("NFC", _MANY_LINES.sub("\n\n", text).strip())


def _unhyphenated(hyphen: re.Match[str]) -> str:
    """What is left of a hyphen at a line end: nothing where it cut a word; all of it where it belongs to the
    word, as in names, and between two words that make none without it."""
    start = hyphen.start()
    before = _BEFORE.search(hyphen.string, max(0, start - _LONGEST), start)
    if before is None or len(before[2]) < 2 or len(hyphen[1]) < 2:
        return hyphen.group()
    parts, half, after = before[1], before[2], hyphen[1]
    whole, french = half + after, lexicon.base()
    if not (after.islower() or whole.isupper()):
        return hyphen.group()
    if french.knows(whole):
        return ""
    belongs = parts or whole.isupper() or french.knows(f"{half}-{after}")
    return hyphen.group() if belongs or (french.knows(half) and french.knows(after)) else ""


def clean_pages(pages: Sequence[Page]) -> tuple[Page, ...]:
    """Pages cleaned and graded, running heads and page numbers off; numbers and labels stay. ``raw`` is the
    text as it was read where more than typesetting was mended. A page that its reader knows to be a SCAN
    without text stays one."""
    french = lexicon.base()
    reads = [page.text for page in pages]
    cleaned = _cleaned(pages, reads)
    garbled = [i for i, page in enumerate(cleaned) if page.quality is Quality.GARBLED]
    if garbled:
        for i in garbled:
            reads[i] = mend_font(reads[i], french)
        if any(read != page.text for read, page in zip(reads, pages, strict=True)):
            cleaned = _cleaned(pages, reads)
    own = any(page.quality is Quality.SPLIT for page in cleaned)
    # The words that the document has whole elsewhere help to mend a page in pieces.
    return rejoined(cleaned, Lexicon.of(page.text for page in cleaned) if own else french)


def _cleaned(pages: Sequence[Page], reads: Sequence[str]) -> tuple[Page, ...]:
    """``pages`` with what was read of each, cleaned and graded, but not joined."""
    tidy = [clean(read) for read in reads]
    texts = without_running_heads([_mended(*texts) for texts in zip(reads, tidy, strict=True)])
    return tuple(
        _graded(page, text, text != before or read != page.text)
        for page, read, text, before in zip(pages, reads, texts, tidy, strict=True)
    )


def _mended(read: str, tidy: str) -> str:
    """A page's text with its encoding, spaced letters and accents mended, where they must be."""
    french = lexicon.base()
    mended = close_up(mend_encoding(read, french), french)
    return mend_accents(tidy if mended == read else clean(mended), french)


def _graded(page: Page, text: str, changed: bool) -> Page:
    graded, quality = judge(text, page.recognised)
    if page.quality is Quality.SCAN and not text:
        quality = Quality.SCAN
    raw = storable(page.text) if changed and page.raw is None else page.raw
    return dataclasses.replace(page, text=text, grade=graded, quality=quality, raw=raw)


def storable(text: str) -> str:
    """``text`` as it was read, in NFC, without what databases and XML refuse (XML 1.0, 2.2)."""
    return unicodedata.normalize("NFC", _REFUSED.sub("", text))
