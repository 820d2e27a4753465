"""LaTeX in short texts, such as titles, to plain text and back.

Hides its accents, ligatures and signs. It is read by one pattern and not as a language: nothing that a file
says can nest deeper than that, and no command does anything. Source: "LaTeX2e: An unofficial reference
manual", 23 (special insertions).
"""

from __future__ import annotations

import re
import unicodedata

_WORD_TEXT = r"""
oe:œ OE:Œ ae:æ AE:Æ ss:ß o:ø O:Ø l:ł L:Ł aa:å AA:Å i:i j:j S:§ P:¶ og:« fg:» textbackslash:\ ldots:… dots:…
textasciitilde:~ textasciicircum:^ textquoteright:’ textquoteleft:‘ guillemotleft:« guillemotright:» euro:€
texteuro:€ textellipsis:… textendash:– textemdash:— textdegree:° degres:° copyright:© textbar:| no:n° No:N°
textunderscore:_ textquotedblleft:“ textquotedblright:” textless:< textgreater:> ier:er ieme:e iere:re
"""
_WORDS = dict(pair.split(":", 1) for pair in _WORD_TEXT.split())
_MARKS = "`'^\"~=.cHkruvbd"
_COMBINING = "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0327\u030b\u0328\u030a\u0306\u030c\u0331\u0323"
_ACCENTS = dict(zip(_MARKS, _COMBINING, strict=True))
_CHARS = {"-": "", "/": "", "@": "", ",": " ", ";": " ", ":": " ", "!": "", "\n": " "}
_LATEX = re.compile(
    r"\\(?P<accent>[`'^\"~=.]|[cHkruvbd](?=[\s{\\]))\s*(?:\{\s*\\?(?P<a>[A-Za-z])\s*\}|\\?(?P<b>[A-Za-z]))"
    r"|(?P<newline>\\\\[ \t]*\n?)|\\(?P<word>[A-Za-z]+)(?:\{\}|\s*)|\\(?P<char>.)|(?P<drop>[{}$])"
    r"|(?P<blank>[^\S\u00a0\u202f]+)|(?P<tie>~)|(?P<dash>---?)|(?P<quote>``|'')",
    re.DOTALL,
)
_SIGNS = {"--": "–", "---": "—", "``": "“", "''": "”"}


def from_latex(value: str) -> str:
    """LaTeX as plain text (NFC): accents, ligatures and signs; commands that are not known are let go of and
    what they were given stays. An empty line and a double backslash end a line, other ends do not."""
    return unicodedata.normalize("NFC", _LATEX.sub(_read, value))


def _read(match: re.Match[str]) -> str:
    said = match.group()
    if mark := match["accent"]:
        return (match["a"] or match["b"]) + _ACCENTS[mark]
    if match["newline"]:
        return "\n"
    if word := match["word"]:
        return _WORDS.get(word, "")
    if char := match["char"]:
        return _CHARS.get(char, char)
    if match["drop"] or match["tie"]:
        return "\u00a0" if match["tie"] else ""
    return _SIGNS.get(said) or ("\n" if said.count("\n") > 1 else " ")


_SPECIAL = {
    **{char: f"\\{char}" for char in "{}$&%#_"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "@": "{@}",  # at the beginning of a line it would begin an entry
    "\u00a0": "~",
    "\n": "\\\\\n",
}


def to_latex(text: str) -> str:
    """Inverse of ``from_latex`` for text without blanks in a row. Accents stay as they are, in UTF-8."""
    special = re.sub(r"[{}$&%#_\\~^@\u00a0\n]", lambda match: _SPECIAL[match.group()], text)
    return re.sub(r"([-`'])(?=\1)", r"\1{}", special)
