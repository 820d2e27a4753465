"""The best words of a page for a query, with what was found marked, as values.

Hides where the words of a query stand in a text from the pages, the terminal and whoever shows text. Nothing
here knows HTML. What is marked is what matched: a word of the text is marked when its term is one that the
query asks for by itself or by a truncation; the words of an expression, typed so or meant by an acronym, only
where the whole expression stands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from rapidfuzz.distance import OSA

from kb import french
from search.engine import Engine
from search.query import And, Between, Everything, Fuzzy, Not, Or, Phrase, Prefix, Query, Words

LENGTH = 240
"""Characters of a passage: three lines of a result."""

_MOST_FORMS = 2_000  # that a truncation may stand for: "a*" in a fund of 100,000 pages has some 8,000
_LEAD = 60  # characters before the first marked word within which the start of its sentence is sought
_SENTENCE = re.compile(r"[.!?…:;]\s+|\n\s*\n|[•▪–]\s+")
_SPACE = re.compile(r"\s+")

_Span: TypeAlias = tuple[int, int, str]  # start, end and term of a word


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text, marked or not."""

    text: str
    marked: bool


class Marker:
    """Marks one query's words in any number of texts. Made by ``marker``."""

    def __init__(self, sought: Iterable[Sequence[str]], forms: Iterable[str]) -> None:
        """``sought``: runs of terms, "" for any one word; ``forms``: spellings that may stand for them."""
        runs = [tuple(run) for run in sought]
        self._single = frozenset(run[0] for run in runs if len(run) == 1)
        self._runs = [run for run in dict.fromkeys(runs) if len(run) > 1]
        self._terms = frozenset(term for run in runs for term in run if term)
        self._term_of = {form: term for form in forms if (term := french.term(form)) in self._terms}
        self._pattern = _any_of(self._term_of)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end, in characters, of each word of ``text`` that the query asks for; in order."""
        return [(start, end) for start, end, _ in self._found(text)]

    def whole(self, text: str) -> tuple[Piece, ...]:
        """All of ``text``; its pieces put together are ``text``."""
        return tuple(_cut(text, 0, len(text), self.spans(text)))

    def best(self, text: str, length: int = LENGTH) -> tuple[Piece, ...]:
        """The passage of about ``length`` characters that has most different words of the query, white space
        made single, "…" where it is cut; the beginning of the text if it has none."""
        found = self._found(text)
        start, end = _window(text, found, length)
        return shown(text, start, end, [(s, e) for s, e, _ in found])

    def _found(self, text: str) -> list[_Span]:
        """The words asked for, those of expressions where the expression stands."""
        if not self._terms:
            return []
        lowered, known = text.lower().replace("_", " "), self._term_of
        if self._pattern and len(lowered) == len(text):
            spans = [(m.start(), m.end(), known[m[0]]) for m in self._pattern.finditer(lowered)]
            if found := self._kept(spans, text):
                return found
            if spans and not any(_holds(spans, run) for run in self._runs):
                return []
        # A spelling that the index has not met; rare, so that the slow way may be taken.
        spans = [(t.start, t.end, t.term) for t in french.tokens(text) if t.term in self._terms]
        return self._kept(spans, text)

    def _kept(self, spans: list[_Span], text: str) -> list[_Span]:
        """Those of ``spans`` that are asked for by themselves or stand in an expression."""
        if not self._runs:
            return spans
        whole = {span for run in self._runs if _holds(spans, run) for span in _standing(run, spans, text)}
        return [span for span in spans if span[2] in self._single or span in whole]


def shown(text: str, start: int, end: int, spans: Iterable[tuple[int, int]]) -> tuple[Piece, ...]:
    """A stretch of ``text`` with those of ``spans`` that lie in it marked, white space made single, "…" where
    it is cut."""
    pieces = _cut(text, start, end, [(s, e) for s, e in spans if start <= s and e <= end])
    spaced = [Piece(_SPACE.sub(" ", piece.text), piece.marked) for piece in pieces]
    before = [Piece("… ", False)] if text[:start].strip() else []
    after = [Piece(" …", False)] if text[end:].strip() else []
    return tuple(_joined([*before, *spaced, *after]))


def _holds(spans: Iterable[_Span], run: Iterable[str]) -> bool:
    return {term for _, _, term in spans} >= set(run) - {""}


def _standing(run: tuple[str, ...], spans: list[_Span], text: str) -> Iterator[_Span]:
    """The words of ``run`` wherever it stands: only stretches that have all its terms are read."""
    fewest = sum(map(bool, run))
    for at, (start, _, first) in enumerate(spans):
        if first != run[0]:
            continue
        for last in range(at + fewest, at + len(run) + 1):
            stretch = spans[at:last]
            if stretch[-1][2] != run[-1] or not _holds(stretch, run):
                continue
            words = french.tokens(text[start : stretch[-1][1]])
            if len(words) == len(run) and all(
                t in ("", word.term) for t, word in zip(run, words, strict=True)
            ):
                yield from (
                    (start + w.start, start + w.end, w.term) for t, w in zip(run, words, strict=True) if t
                )


def _any_of(forms: Iterable[str]) -> re.Pattern[str] | None:
    """Any of ``forms`` as a whole word, the longest that fits. Grouped by first letter, and the edge of the
    word looked for after it: the search then skips to such letters, four times as fast."""
    groups: dict[str, list[str]] = {}
    for form in sorted(forms, key=len, reverse=True):
        groups.setdefault(re.escape(form[0]), []).append(re.escape(form[1:]))
    if not groups:
        return None
    listed = (rf"{first}(?<=\b{first})(?:{'|'.join(rest)})" for first, rest in groups.items())
    return re.compile(rf"(?:{'|'.join(listed)})\b")


def marker(query: Query, engine: Engine) -> Marker:
    """What marks the words of ``query`` (as it was put to the engine: ``Found.query``) in page texts."""
    sought = [run for run in _sought(query, engine) if any(run)]
    terms = {term for run in sought for term in run if term}
    return Marker(sought, engine.spellings(terms) if terms else ())


def _sought(query: Query, engine: Engine) -> Iterator[tuple[str, ...]]:
    """What the query asks of the text, as runs of terms ("" is any word); what it excludes or asks of other
    fields left out."""
    match query:
        case Words(text, fields):
            yield from ((term,) for term in french.terms(text) if _reads_text(fields))
        case Phrase(text, fields):
            if _reads_text(fields):
                yield _trimmed(french.terms(text))
        case Prefix(text, fields):
            forms = engine.forms(text, _MOST_FORMS) if _reads_text(fields) else []
            yield from ((french.term(form),) for form, _ in forms)
        case Fuzzy(text, fields):
            folded = french.fold(text)
            near = engine.near(text, _MOST_FORMS) if _reads_text(fields) else []
            yield from ((french.term(f),) for f, _ in near if OSA.distance(french.fold(f), folded) <= 1)
            yield (french.term(text) if _reads_text(fields) else "",)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _sought(part, engine)
        case Everything() | Between() | Not():
            return
        case _:
            assert_never(query)


def _trimmed(run: list[str]) -> tuple[str, ...]:
    """Without the stop words at both ends."""
    real = [at for at, term in enumerate(run) if term]
    return tuple(run[real[0] : real[-1] + 1]) if real else ()


def _reads_text(fields: tuple[str, ...]) -> bool:
    return not fields or "text" in fields


def _window(text: str, found: list[_Span], length: int) -> tuple[int, int]:
    """Where the best passage starts and ends."""
    if len(text) <= length:
        return 0, len(text)
    first = _richest(found, length - _LEAD) if found else 0
    start = _beginning(text, first)
    end = min(start + length, len(text))
    if (
        end < len(text)
        and (space := max(text.rfind(" ", start + length // 2, end), text.rfind("\n", start, end))) > 0
    ):
        end = space
    return start, end


def _richest(found: list[_Span], length: int) -> int:
    """Where the stretch of ``length`` characters with most different terms begins; the earliest of equals."""
    best, best_start, left = (0, 0), found[0][0], 0
    held: Counter[str] = Counter()
    for _, end, term in found:
        held[term] += 1
        while end - found[left][0] > length and found[left][1] < end:
            held[found[left][2]] -= 1
            held += Counter()
            left += 1
        if (score := (len(held), held.total())) > best:
            best, best_start = score, found[left][0]
    return best_start


def _beginning(text: str, first: int) -> int:
    """The start of the sentence of ``first`` if near, else of a word a little before it."""
    low = max(0, first - _LEAD)
    if low == 0:
        return 0
    ends = [match.end() for match in _SENTENCE.finditer(text, low, first)]
    if ends:
        return ends[-1]
    space = text.find(" ", low, first)
    return first if space < 0 else space + 1


def _cut(text: str, start: int, end: int, spans: Iterable[tuple[int, int]]) -> Iterator[Piece]:
    at = start
    for low, high in spans:
        if low > at:
            yield Piece(text[at:low], False)
        yield Piece(text[low:high], True)
        at = high
    if at < end:
        yield Piece(text[at:end], False)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Unmarked pieces side by side made one."""
    waiting = ""
    for piece in pieces:
        if piece.marked:
            if waiting:
                yield Piece(waiting, False)
            waiting = ""
            yield piece
        else:
            waiting += piece.text
    if waiting:
        yield Piece(waiting, False)
