"""What a person types, to a query tree and back.

Hides the search language from everybody: ``ET``, ``OU``, ``SAUF`` (upper case; ``AND``, ``OR``, ``NOT`` too),
``"an expression"`` or ``« une expression »``, ``tronc*``, ``-word``, parentheses, and fields: ``auteur:``,
``titre:``, ``cote:``, ``theme:``, ``texte:``, ``resume:``, ``isbn:``, ``annee:2008-2012``. ``ET`` and
``SAUF`` bind closer than ``OU``; plain words side by side are one ``Words``, so that a long question can be
relaxed.

A person is never told of a fault: what is odd (a quote that is not closed, an operator with nothing to join,
a field without value) is searched as words. Programs may ask for ``strict`` parsing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

from kb import french
from kb.errors import QuerySyntaxError
from search.query import And, Between, Everything, Fuzzy, Not, Or, Phrase, Prefix, Query, Words

LONGEST = 2_000
"""Characters of a question that are read: some 300 words, more than any question received so far."""

FIELD_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "auteur": "agents",
        "titre": "title",
        "cote": "call_number",
        "theme": "tags",
        "texte": "text",
        "resume": "abstract",
        "isbn": "identifiers",
        "issn": "identifiers",
    }
)
"""What may stand before a colon, folded -> the field asked; ``annee`` stands for the year of publication."""

_NAME_OF = {FIELD_NAMES[name]: name for name in sorted(FIELD_NAMES, reverse=True)} | {"identifiers": "isbn"}
_OPERATORS = {"ET": "ET", "AND": "ET", "OU": "OU", "OR": "OU", "SAUF": "SAUF", "NOT": "SAUF"}
_DEEPEST = (
    20  # parentheses within parentheses: far below Python's recursion limit, far above what people write
)
_QUOTES = '"«»“”„‟'
_LEXEME = re.compile(
    rf"""(?P<open>\()|(?P<close>\))
    |(?P<minus>-(?=[\w({_QUOTES}]))
    |(?P<field>{"|".join((*FIELD_NAMES, "annee", "thème", "résumé", "année"))}):\s*
    |[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)[{_QUOTES}]
    |(?P<quote>[{_QUOTES}])
    |(?P<word>[^\s(){_QUOTES}]+)""",
    re.VERBOSE | re.IGNORECASE,
)
_VALUE = re.compile(rf"[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)[{_QUOTES}]|(?P<word>[^\s(){_QUOTES}]+)")
_SPAN = re.compile(r"(\d{4})?(-)?(\d{4})?")


@dataclass(frozen=True, slots=True)
class _Lexeme:
    """``kind``: ( ) - ET OU SAUF, or "leaf" with the query that it is."""

    kind: str
    position: int
    text: str = ""
    leaf: Query | None = None


def parse(text: str, *, strict: bool = False) -> Query:
    """The tree of what was typed, in the form that ``unparse`` gives back; nothing typed is Everything.

    With ``strict``, raises QuerySyntaxError at what would else be searched as words.
    """
    if strict and len(text) > LONGEST:
        raise QuerySyntaxError("too long", LONGEST)
    lexemes = _joined(_balanced(_Lexer(text[:LONGEST], strict).read(), strict), strict)
    return _Parser(lexemes).either() if lexemes else Everything()


def unparse(query: Query) -> str:
    """What to type for ``query``. ``parse`` gives the same tree back if it came from ``parse``; ``Fuzzy`` and
    ``Words`` that need less than all cannot be typed and give their words."""
    match query:
        case Everything():
            return ""
        case Words(text, fields) | Fuzzy(text, fields):
            return " ".join(_named(fields) + word for word in text.split()) if fields else text
        case Phrase(text, fields):
            return f'{_named(fields)}"{text}"'
        case Prefix(text, fields):
            return f"{_named(fields)}{text}*"
        case Between(first, last):
            span = str(first or "") + ("" if first == last else f"-{last or ''}")
            return f"annee:{span}"
        case And(parts):
            return _conjunction(parts)
        case Or(parts):
            return " OU ".join(unparse(part) for part in parts)
        case Not(part):
            return "SAUF " + _grouped(part)
        case _:
            assert_never(query)


def _named(fields: tuple[str, ...]) -> str:
    return f"{_NAME_OF[fields[0]]}:" if fields else ""


def _grouped(part: Query) -> str:
    return f"({unparse(part)})" if isinstance(part, And | Or | Not) else unparse(part)


def _conjunction(parts: tuple[Query, ...]) -> str:
    """ET is left out where reading would put the parts together the same way."""
    asked = [part for part in parts if not isinstance(part, Not)]
    plain = sum(isinstance(part, Words) and not part.fields for part in asked)
    link = " " if plain <= 1 and parts[: len(asked)] == tuple(asked) else " ET "
    typed = ""
    for part in parts:
        is_not = isinstance(part, Not)
        typed += (" " if is_not else link) if typed else ""
        typed += unparse(part) if is_not else _grouped(part)
    return typed


class _Lexer:
    """Cuts what was typed; what stands for nothing to search is left out."""

    def __init__(self, text: str, strict: bool) -> None:
        self._text = text
        self._strict = strict
        self._found: list[_Lexeme] = []

    def read(self) -> list[_Lexeme]:
        """The lexemes in order."""
        at = 0
        while match := _LEXEME.search(self._text, at):
            at = match.end()
            kind, start = str(match.lastgroup), match.start()
            if kind in ("open", "close", "minus"):
                self._found.append(_Lexeme(match[0], start, match[0]))
            elif kind == "field":
                at = self._field(match)
            elif kind == "quote":
                self._odd("a quote that is not closed", start)
            elif kind == "phrase":
                self._phrase(match["phrase"], (), start)
            elif match[0] in _OPERATORS:
                self._found.append(_Lexeme(_OPERATORS[match[0]], start, match[0]))
            else:
                self._word(match[0], (), start)
        return self._found

    def _odd(self, message: str, position: int) -> None:
        if self._strict:
            raise QuerySyntaxError(message, position)

    def _leaf(self, leaf: Query, position: int) -> bool:
        self._found.append(_Lexeme("leaf", position, leaf=leaf))
        return True

    def _field(self, match: re.Match[str]) -> int:
        """Reads the value too; gives where to go on."""
        name, start = french.fold(match["field"]), match.start()
        if value := _VALUE.match(self._text, match.end()):
            if name == "annee":
                span = _span(value["word"] or "")
                done = span is not None and self._leaf(span, start)
            elif value["word"]:
                done = self._word(value["word"], (FIELD_NAMES[name],), start)
            else:
                done = self._phrase(value["phrase"], (FIELD_NAMES[name],), start)
            if done:
                return value.end()
        self._odd(f"{match['field']}: has no value that can be read", start)
        self._word(match["field"], (), start)
        return match.end()

    def _phrase(self, text: str, fields: tuple[str, ...], position: int) -> bool:
        """Adds the expression; False if it asks for nothing."""
        cleaned = " ".join(text.replace("*", " ").split())
        if french.tokens(cleaned):
            return self._leaf(Phrase(cleaned, fields), position)
        self._odd("nothing between the quotes", position)
        return False

    def _word(self, text: str, fields: tuple[str, ...], position: int) -> bool:
        """Adds what ``text`` asks for, one leaf a piece; False if that is nothing."""
        stem: Prefix | None = None
        cut, found = text.rstrip("*"), french.tokens(text)
        if found and cut != text and cut.endswith(text[found[-1].start : found[-1].end]):
            stem = Prefix(text[found[-1].start : found[-1].end], fields)
            text = text[: found[-2].end] if len(found) > 1 else ""
        for piece in _pieces(text):
            self._leaf(Words(piece.lower() if piece in _OPERATORS else piece, fields), position)
        if stem:
            self._leaf(stem, position)
        if not found:
            self._odd(f"nothing to search in {text!r}", position)
        return bool(found)


def _pieces(text: str) -> Iterator[str]:
    """Words in ``text`` that are read as words again when they stand alone."""
    for part in text.split("*"):
        rest = part.strip("-:")
        while (match := _LEXEME.match(rest)) and match.lastgroup == "field":
            yield match["field"]
            rest = rest[match.end() :].strip("-:")
        if french.tokens(rest):
            yield rest


def _span(value: str) -> Between | None:
    match = _SPAN.fullmatch(value.replace("–", "-").rstrip(",;."))
    if not match or not (match[1] or match[3]) or (match[1] and match[3] and not match[2]):
        return None
    first, last = (int(match[n]) if match[n] else None for n in (1, 3))
    if not match[2]:
        last = first
    if first is not None and last is not None and first > last:
        first, last = last, first
    return Between(first, last)


def _balanced(lexemes: list[_Lexeme], strict: bool) -> list[_Lexeme]:
    """Without parentheses that have no partner, hold nothing or lie too deep."""
    kept: list[_Lexeme | None] = list(lexemes)
    opened: list[int] = []
    for index, lexeme in enumerate(lexemes):
        if lexeme.kind == "(":
            opened.append(index)
        elif lexeme.kind == ")":
            start = opened.pop() if opened else None
            if start is not None and len(opened) < _DEEPEST and any(kept[start + 1 : index]):
                continue
            kept[index] = None
            if start is not None:
                kept[start] = None
            if strict:
                raise QuerySyntaxError("a parenthesis without partner or content", lexeme.position)
    if opened and strict:
        raise QuerySyntaxError("a parenthesis that is not closed", lexemes[opened[0]].position)
    for index in opened:
        kept[index] = None
    return [lexeme for lexeme in kept if lexeme]


def _joined(lexemes: list[_Lexeme], strict: bool) -> list[_Lexeme]:
    """With operators that have nothing to join made words (in lower case, so that they are no operators)."""
    found = list(lexemes)
    for index in reversed(range(len(found))):
        after = found[index + 1].kind if index + 1 < len(found) else ")"
        joins = ("leaf", "(", "-", *(("SAUF",) if found[index].kind in ("ET", "OU") else ()))
        if found[index].kind == "-":
            joins = ("leaf", "(")
        if found[index].kind in ("ET", "OU", "SAUF", "-") and after not in joins:
            found[index] = _as_word(found[index], strict)
    for index, lexeme in enumerate(found):
        before = found[index - 1].kind if index else "("
        if lexeme.kind in ("ET", "OU") and before not in ("leaf", ")"):
            found[index] = _as_word(lexeme, strict)
    return [lexeme for lexeme in found if lexeme.kind != "odd"]


def _as_word(lexeme: _Lexeme, strict: bool) -> _Lexeme:
    if strict:
        raise QuerySyntaxError(f"{lexeme.text} has nothing to join", lexeme.position)
    if lexeme.kind == "-":
        return _Lexeme("odd", lexeme.position)
    return _Lexeme("leaf", lexeme.position, leaf=Words(lexeme.text.lower()))


class _Parser:
    """Reads lexemes in which every operator and parenthesis has its place."""

    def __init__(self, lexemes: list[_Lexeme]) -> None:
        self._lexemes = lexemes
        self._at = 0

    @property
    def _kind(self) -> str:
        return self._lexemes[self._at].kind if self._at < len(self._lexemes) else "end"

    def _take(self, kind: str) -> bool:
        if self._kind != kind:
            return False
        self._at += 1
        return True

    def either(self) -> Query:
        """Parts joined by OU."""
        parts = [self._both()]
        while self._take("OU"):
            parts.append(self._both())
        return _flat(Or, parts)

    def _both(self) -> Query:
        """Runs joined by ET or SAUF."""
        parts = [self._maybe_not()]
        while self._take("ET") or self._kind == "SAUF":
            parts.append(self._maybe_not())
        return _flat(And, parts)

    def _maybe_not(self) -> Query:
        return Not(self._run()) if self._take("SAUF") else self._run()

    def _run(self) -> Query:
        """What stands side by side; its plain words, those in parentheses too, are put together at the place
        of the first."""
        parts: list[Query] = []
        words: list[str] = []
        place = 0
        while self._kind in ("leaf", "(", "-"):
            part = self._atom()
            if isinstance(part, Words) and not part.fields:
                place = place if words else len(parts)
                words.append(part.text)
            else:
                parts.append(part)
        if words:
            parts.insert(place, Words(" ".join(words)))
        return _flat(And, parts)

    def _atom(self) -> Query:
        if self._take("-"):
            return Not(self._atom())
        if self._take("("):
            inner = self.either()
            self._take(")")
            return inner
        leaf = self._lexemes[self._at].leaf
        self._at += 1
        assert leaf is not None  # _run looked
        return leaf


def _flat(kind: type[And] | type[Or], parts: list[Query]) -> Query:
    """One part as it is; parts of the same kind dissolved."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And | Or) and isinstance(part, kind) else (part,))
    return kind(tuple(flat))
