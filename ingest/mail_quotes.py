"""What a person wrote in a mail, apart from what the mail repeats.

Hides how mail programs mark the message that is answered (« > », « Le … a écrit : », blocks of « De : …
Objet : … », « -----Message d'origine----- »), and signatures. No line is lost: what is not in the one text is
in the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_PLAIN = str.maketrans({"\u00a0": " ", "\u202f": " ", "’": "'", "*": None, "\u200b": None})
_I = re.IGNORECASE

_ORIGIN = "(?:d'origine|original|initial|transféré|réexpédié)"
_SEPARATOR = re.compile(
    rf"[-_=> ]{{2,}}\s*(?:(?:mail|message|courriel|e-mail|rendez-vous)\s+{_ORIGIN}"
    r"|(?:original|forwarded)\s+(?:message|mail|appointment))(?:\s+par\s+.{1,80})?\s*[-_=: ]*",
    _I,
)
_FORWARDED = re.compile(
    r"(?:début du (?:message|courriel) (?:transféré|réexpédié)|begin forwarded message"
    r"|(?:message|courriel) du \d{1,2}/\d{1,2}/\d{2,4} .{0,40})\s*:?",
    _I,
)
_FROM = re.compile(r"(?:de|from|expéditeur)\s*:\s*\S", _I)
_LABEL = re.compile(
    r"(?:envoyé(?: le| par)?|date|sent|à|a|to|pour|destinataires?|cc|cci|copie(?: à)?|objet|subject|sujet"
    r"|répondre à|reply-to|importance|pièces? jointes?|attachments?)\s*:",
    _I,
)
_WITHIN = 8  # lines after « De : » in which its companions stand: lists of addresses take several lines
_COMPANIONS = 2  # « De : » and two others are no accident; a letter may have « De : » and « Objet : » alone

_LONGEST_MARK = 500  # characters of a line that are looked at: marks with two addresses in them have 200

_SAID = r"(?:a écrit|écrivait|wrote|schrieb|ha scritto|escribió)"
_WROTE = re.compile(rf"(?:le|on|am|il|el|em)\s.{{3,300}}?\b{_SAID}\s*(?:\([^)]*\)\s*)?:\s*", _I)
_DATED = re.compile(r"\d{1,2}\s*[:h]\s*\d{2}|@")
_STAMPED = re.compile(r"\d{4}-\d{2}-\d{2}\s.{0,80}<[^<>\s]+@[^<>\s]+>\s*:\s*")
_NAMED = re.compile(rf".{{1,200}}\b{_SAID}\s*:\s*", _I)
_FOLDED = 4  # lines over which programs fold « Le … a écrit : »

_SIGNED = re.compile(r"--\s*|—\s*|_{2,5}\s*")
_LONGEST_SIGNATURE = 15  # lines with text: what is longer after « -- » is no signature
_MOBILE = re.compile(
    r"(?:envoyé|expédié|écrit|sent)\s+(?:de|depuis|à partir de|d'|avec|sur|from|with|via)\s*"
    r"(?:mon|ma|my|un|une|l'|la messagerie|yahoo|outlook|gmail|samsung|proton|courrier|mail)\b.{0,80}"
    r"|(?:télécharge[rz]|obtene[rz]|obtenir|get)\s+(?:outlook|proton|bluemail|yahoo)\b.{0,80}"
    r"|provenance\s*:\s*courrier\b.{0,80}",
    _I,
)
_RULE = re.compile(r"[_=-]{5,}\s*")


def split_quoted(text: str) -> tuple[str, str]:
    """(what the writer says, what is repeated and the signature). A reply between the lines keeps the lines
    that it replies to. A message of which nothing is left so is all the writer's."""
    lines = text.split("\n")
    plain = [" ".join(line[:_LONGEST_MARK].translate(_PLAIN).split()) for line in lines]
    apart = _quoted(plain)
    _sign(plain, apart)
    own = [i for i, line in enumerate(plain) if line and not apart[i]]
    if not own:
        return text.strip("\n"), ""
    first, last = own[0], own[-1] + 1
    if any(apart[first:last]):
        first = 0
    before, after = "\n".join(lines[:first]).strip("\n"), "\n".join(lines[last:]).strip("\n")
    return "\n".join(lines[first:last]), "\n\n".join(part for part in (before, after) if part)


def _quoted(plain: Sequence[str]) -> list[bool]:
    """For each line whether it is part of a message that is repeated."""
    apart = [line.startswith(">") for line in plain]
    at = 0
    while at < len(plain):
        if not apart[at] and (length := _announced(plain, at)):
            end = at + length
            if not _goes_on_marked(plain, end):
                start = at - 1 if at and _RULE.fullmatch(plain[at - 1]) else at
                apart[start:] = [True] * (len(plain) - start)
                break
            apart[at:end] = [True] * length
            at = end
        at += 1
    return apart


def _goes_on_marked(plain: Sequence[str], at: int) -> bool:
    """Whether the next line with text begins with « > »: the end of what is repeated is seen then."""
    return next((line for line in plain[at:] if line), "").startswith(">")


def _announced(plain: Sequence[str], at: int) -> int:
    """How many lines from this one on say that a message follows; 0 if they do not."""
    line = plain[at]
    if _SEPARATOR.fullmatch(line) or _FORWARDED.fullmatch(line) or _STAMPED.fullmatch(line):
        return 1
    if _FROM.match(line):
        labels = sum(_LABEL.match(other) is not None for other in plain[at + 1 : at + _WITHIN])
        return 1 if labels >= _COMPANIONS else 0
    return _attribution(plain, at)


def _attribution(plain: Sequence[str], at: int) -> int:
    """Lines of « Le 12 mars 2026 à 10:02, Ana Roy <ana@exemple.fr> a écrit : ». Without an hour or an address
    it may be a sentence of the letter: then only before lines that are marked."""
    if plain[at].endswith(":") and _NAMED.fullmatch(plain[at]) and _goes_on_marked(plain, at + 1):
        return 1
    if not re.match(r"(?:le|on|am|il|el|em)\s", plain[at], _I):
        return 0
    for length in range(1, _FOLDED + 1):
        whole = " ".join(plain[at : at + length])
        if _WROTE.fullmatch(whole):
            return length if _DATED.search(whole) or _goes_on_marked(plain, at + length) else 0
    return 0


def _sign(plain: Sequence[str], apart: list[bool]) -> None:
    """Mark signatures: « -- » and what follows up to what is repeated, and what telephones put at the end."""
    end, length = len(plain), 0  # of the block that is read from its end up: where it ends, lines with text
    for at in range(len(plain) - 1, -1, -1):
        if apart[at]:
            end, length = at, 0
        elif _SIGNED.fullmatch(plain[at]) and length <= _LONGEST_SIGNATURE:
            apart[at:end] = [True] * (end - at)
        elif _MOBILE.fullmatch(plain[at]):
            apart[at] = True
        length += plain[at] != ""
