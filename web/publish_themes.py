"""The themes and places of an answer to be published: those of its question, those that its words propose.

Hides the tagger, which one thread at a time may use, and which codes the vocabulary still knows.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.tagging import Suggestion, Text
from kb.errors import NotFound
from kb.thesaurus import Concept
from search.engine import FACETS
from search.snippets import Piece
from web import notices
from web.parts import Parts
from web.record_page import around

_REASONS = 3
_SURE = 0.5
"""Score from which a proposal is ticked beforehand: about what is said twice on one page."""

_CITATION = re.compile(r"\[(?:\\.|[^\]\\\n])*\]\([^)\s]*/notice/[^)\s]*\)")
"""Who wrote a source, and what about, is not what the answer is about."""

_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A theme that may be chosen; ``reasons`` are the words that made the proposal."""

    code: str
    label: str
    facet: str
    checked: bool
    standing: str
    reasons: tuple[tuple[Piece, ...], ...] = ()


def ticks(
    parts: Parts, *, title: str, text: str, body: str, own: Iterable[str], chosen: Iterable[str] | None
) -> tuple[Tick, ...]:
    """What may be ticked: the codes of the question (``own``), those ``chosen`` before, then proposals by
    score. With ``chosen`` None nothing was ever chosen: the question's are ticked, and what is sure."""
    held = Text(title, (text, _CITATION.sub("", body)))
    proposed = {s.concept: s for s in _suggestions(parts, held)}
    before, given = tuple(dict.fromkeys(own)), None if chosen is None else frozenset(chosen)
    found: dict[str, Tick] = {}
    for concept in (*_known(parts, (*before, *(chosen or ()))), *map(parts.thesaurus.get, proposed)):
        facet = notices.facet_of(concept.scheme)
        if facet is None or concept.code in found:
            continue
        suggestion = proposed.get(concept.uri)
        first = concept.code in before or (suggestion is not None and suggestion.score >= _SURE)
        found[concept.code] = Tick(
            code=concept.code,
            label=concept.label,
            facet=FACETS[facet].label,
            checked=first if given is None else concept.code in given,
            standing="de la question" if concept.code in before else "" if suggestion is None else "proposé",
            reasons=tuple(_reasons(held, suggestion)) if suggestion else (),
        )
    return tuple(found.values())


def _suggestions(parts: Parts, text: Text) -> list[Suggestion]:
    with _LOCK:
        [found] = parts.tagger.suggest([text])
    return sorted(found, key=lambda s: -s.score)


def _reasons(text: Text, suggestion: Suggestion) -> Iterator[tuple[Piece, ...]]:
    for evidence in suggestion.evidence[:_REASONS]:
        page = text.front if evidence.page == 0 else text.pages[evidence.page - 1]
        yield around(evidence, page)


def _known(parts: Parts, codes: Iterable[str]) -> Iterator[Concept]:
    for code in dict.fromkeys(codes):
        try:
            yield parts.thesaurus.by_code(code)
        except NotFound:
            continue


def subjects(parts: Parts, codes: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The URIs of these codes, and the codes that the vocabulary does not know."""
    asked = tuple(dict.fromkeys(codes))
    known = {concept.code: concept.uri for concept in _known(parts, asked)}
    return tuple(known.values()), tuple(code for code in asked if code not in known)
