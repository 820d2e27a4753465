"""Concepts of the thesaurus that a document is about, each with its score and the words that made it.

Hides how mentions are judged (``territories``, ``acronyms``), weighed and turned into few, right proposals.
The plain part reads over a hundred thousand words a second; the French model is asked only about
sentences where an acronym stays in doubt.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from ingest import acronyms
from ingest.labels import Found, Label, LabelIndex
from ingest.territories import Gazetteer
from kb import french
from kb.records import Evidence
from kb.thesaurus import FACET_SCHEMES, Thesaurus

LIMITS: Mapping[str, int] = MappingProxyType(
    {"theme": 5, "scheme": 6, "territory": 5, "activity": 3, "issue": 3}
)
"""Facet -> how many concepts of it are proposed for one document: what a librarian reads at a glance."""

THRESHOLD = 0.4
"""Score from which a concept is proposed; set by reading the proposals on the demonstration fund."""

_EVIDENCE = 5  # pieces of evidence kept a concept: the best places
_NEAR_WORDS = 18  # words either side of an acronym that may tell its sense: a long sentence
_SENTENCE = 200  # characters either side given to the French model
_COMMON = 0.3  # weight left to a concept that every document of a batch names
_BATCH = 20  # documents from which how many share a concept says something


_NESTED = 0.2  # worth of a mention inside a longer label, which is what is meant
_HEADING = 1.5  # worth of a mention in a line of its own
_SIGNATURE = 0.2  # the same, of a body: it signs there, or heads every page
_HEADING_LENGTH = 90  # characters

# How mentions make a score. Chosen on documents and vocabularies of three kinds; see decisions/0004.
_HALF = 2.0  # mentions that give half of the frequency score in a text of _LENGTH words
_LENGTH = 600
_TITLE, _EARLY, _SPREAD = 0.8, 2.0, 0.3  # worth of the title, of an early mention, of mentions all over
_SIZES = (0.0, 0.8, 1.0, 1.1)  # by number of terms: longer labels say more exactly what is meant
_POINTED = 0.3  # worth of a concept that one word points at, none names
_SLICES = 10  # of a document, over which spread is seen
_SLOPE = 1.1  # from strength to score: a two-word label said twice in the text of one page gives about 0.5
_FROM_NARROWER, _FROM_RELATED = 0.5, 0.45  # of its own surety that a concept lends its broader, its related


KEYWORDS_JOINED = " ; "
"""What stands between two key words in ``Text.front``."""


class Text(NamedTuple):
    """A document to tag; a plain (title, pages) will do. ``pages`` in file order."""

    title: str
    pages: Sequence[str]
    abstract: str = ""
    keywords: Sequence[str] = ()

    @property
    def front(self) -> str:
        """The text that evidence of page 0 counts characters in: title, abstract, keywords, a line each."""
        return "\n".join(
            part for part in (self.title, self.abstract, KEYWORDS_JOINED.join(self.keywords)) if part
        )


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A concept proposed: its URI, how surely the document is about it (0 to 1), and on what words.

    ``evidence`` is in order of weight; page 0 counts characters in ``Text.front``.
    """

    concept: str
    score: float
    evidence: tuple[Evidence, ...]


@dataclass(slots=True)
class _Mention:
    """One place that means a concept."""

    uri: str
    page: int
    start: int
    end: int
    at: float  # words before it, from the beginning of the document
    weight: float
    label: str
    size: int
    title: bool = False


@dataclass(slots=True)
class _Page:
    """One page's text, words and labels found."""

    number: int
    text: str
    tokens: Sequence[french.Token]
    found: list[Found]
    at: int  # words on the pages before


@dataclass(slots=True)
class _Reading:
    """One document while it is being judged."""

    pages: list[_Page]
    title_end: int
    words: int
    mentions: list[_Mention] = field(default_factory=list)
    doubts: list[tuple[_Page, Found]] = field(default_factory=list)
    open_places: list[tuple[_Page, Found, tuple[str, ...]]] = field(default_factory=list)
    keywords: list[Label] = field(default_factory=list)
    said: dict[str, Evidence] = field(default_factory=dict)  # concept -> the key word that names it

    def forget(self) -> None:
        """Drops the words once judged: a batch of thousands of documents would not fit in memory."""
        self.doubts, self.open_places = [], []
        for page in self.pages:
            page.tokens, page.found = (), []


class Tagger:
    """Proposes concepts of one thesaurus; built once (spaCy is loaded then), used for many documents."""

    def __init__(self, thesaurus: Thesaurus) -> None:
        self._thesaurus = thesaurus
        self._facets = {s: facet for facet, schemes in FACET_SCHEMES.items() for s in schemes}
        self._house = any(scheme in self._facets for scheme in thesaurus.schemes)
        self._labels = LabelIndex(thesaurus, pointers=self._house)
        self._gazetteer = Gazetteer(thesaurus)
        self._senses = acronyms.Senses(thesaurus)

    def suggest(
        self,
        texts: Iterable[Text | tuple[str, Sequence[str]]],
        limit: int = 22,
        *,
        threshold: float | None = None,
    ) -> list[list[Suggestion]]:
        """For each document, its concepts by falling score, at most ``limit``.

        With the house's schemes, each facet gives at most its share (``LIMITS``), and a broader concept comes
        only if the document says more of it than its narrower ones do: it is implied by them. ``threshold``
        0 gives all there is. In a batch of many documents, concepts that most of them share weigh less.
        """
        floor = THRESHOLD if threshold is None else threshold
        readings = [self._read(Text(*text)) for text in texts]
        rarity = _rarity(readings)
        return [self._chosen(reading, rarity, limit, floor) for reading in readings]

    def _read(self, text: Text) -> _Reading:
        pages, at = [], 0
        for number, content in enumerate((text.front, *text.pages)):
            tokens = french.tokens(content)
            pages.append(_Page(number, content, tokens, self._labels.find(content, tokens), at))
            at += len(tokens)
        reading = _Reading(pages, len(text.title), max(at, 1))
        for page in pages:
            for found in page.found:
                self._sort(reading, page, found)
        self._settle_places(reading)
        self._settle_acronyms(reading)
        self._take_keywords(reading, text)
        reading.forget()
        return reading

    def _take_keywords(self, reading: _Reading, text: Text) -> None:
        """Key words that are labels; one with several senses counts for those that the text bears out."""
        meant = {mention.uri for mention in reading.mentions}
        for keyword in text.keywords:
            labels = self._labels.keyword(keyword)
            one = len({label.uri for label in labels}) == 1
            start = text.front.find(keyword)
            for label in labels:
                if one or label.uri in meant:
                    reading.keywords.append(label)
                    reading.said[label.uri] = Evidence(0, start, start + len(keyword), keyword)

    def _sort(self, reading: _Reading, page: _Page, found: Found) -> None:
        """Takes a find as a mention, or puts it among those that need the rest of the document."""
        places = {label.uri: label.text for label in found.labels if label.uri in self._gazetteer}
        others = [label for label in found.labels if label.uri not in places]
        acronym = found.labels[0].acronym
        if places and not acronym and not found.nested:
            verdict = self._gazetteer.judge(places, page.text, page.tokens, found.first, found.last)
            if verdict.place:
                self._mention(reading, page, found, [x for x in found.labels if x.uri == verdict.place])
            elif verdict.open:
                reading.open_places.append((page, found, verdict.open))
        if acronym and self._doubtful(found):
            reading.doubts.append((page, found))
        elif acronym:
            self._mention(reading, page, found, found.labels)
        elif others:
            self._mention(reading, page, found, others)

    def _doubtful(self, found: Found) -> bool:
        """Whether an acronym's neighbours must be asked: it has several senses, or is very short."""
        short = self._house and len(acronyms.letters(found.labels[0].text)) <= 2
        return short or len(found.labels) > 1 or self._thesaurus.get(found.labels[0].uri).trap

    def _mention(self, reading: _Reading, page: _Page, found: Found, labels: Iterable[Label]) -> None:
        title = page.number == 0 and found.end <= reading.title_end
        for label in labels:
            weight = label.weight * (_NESTED if found.nested else 1.0)
            if not title and _is_heading(page.text, found):
                weight *= _SIGNATURE if self._signs(label.uri) else _HEADING
            at = 0 if page.number == 0 else page.at + found.first
            place = page.number, found.start, found.end
            reading.mentions.append(_Mention(label.uri, *place, at, weight, label.text, label.size, title))

    def _signs(self, uri: str) -> bool:
        """Whether it is a body, which heads and signs documents that are not about it."""
        return self._thesaurus.get(uri).scheme == "organismes"

    def _settle_places(self, reading: _Reading) -> None:
        sure = Counter(m.uri for m in reading.mentions if m.uri in self._gazetteer)
        chosen = self._gazetteer.settled([uris for _, _, uris in reading.open_places], sure)
        for (page, found, _), uri in zip(reading.open_places, chosen, strict=True):
            if uri is not None:
                self._mention(reading, page, found, [x for x in found.labels if x.uri == uri])

    def _settle_acronyms(self, reading: _Reading) -> None:
        explained = self._explained(reading)
        self._refuse_explained_otherwise(reading, explained)
        if not reading.doubts:
            return
        present = frozenset(m.uri for m in reading.mentions)
        everywhere = frozenset(t.term for page in reading.pages for t in page.tokens)
        by_acronym: dict[str, list[tuple[_Page, Found]]] = defaultdict(list)
        for page, found in reading.doubts:
            by_acronym[acronyms.letters(found.labels[0].text)].append((page, found))
        for letters, places in by_acronym.items():
            candidates = [self._thesaurus.get(label.uri) for label in places[0][1].labels]
            document = acronyms.Document(everywhere, present, tuple(explained.get(letters, ())))
            doubts = [_doubt(page, found) for page, found in places]
            senses = self._senses.decide(candidates, doubts, document)
            for (page, found), concept in zip(places, senses, strict=True):
                if concept is not None:
                    self._mention(reading, page, found, [x for x in found.labels if x.uri == concept.uri])

    def _explained(self, reading: _Reading) -> Mapping[str, list[str]]:
        """Acronyms that the document explains, folded -> the long forms it gives."""
        forms: dict[str, list[str]] = defaultdict(list)
        for page in reading.pages:
            for expansion in acronyms.expansions(page.text):
                forms[acronyms.letters(expansion.acronym)].append(expansion.words)
        return forms

    def _refuse_explained_otherwise(self, reading: _Reading, explained: Mapping[str, list[str]]) -> None:
        """Moves plain acronyms that the document explains among the doubts: « PRE (plan de relance) »."""
        if not explained:
            return
        moved = []
        for page in reading.pages:
            for found in page.found:
                plain = found.labels[0].acronym and not self._doubtful(found)
                if plain and acronyms.letters(found.labels[0].text) in explained:
                    moved.append((page, found))
        places = {(page.number, found.start, found.end) for page, found in moved}
        reading.mentions = [m for m in reading.mentions if (m.page, m.start, m.end) not in places]
        reading.doubts += moved

    def _chosen(
        self, reading: _Reading, rarity: Mapping[str, float], limit: int, floor: float
    ) -> list[Suggestion]:
        by_uri: dict[str, list[_Mention]] = defaultdict(list)
        for mention in reading.mentions:
            by_uri[mention.uri].append(mention)
        scores = self._scores(by_uri, reading, rarity)
        own = dict(scores)
        lenders = self._lenders(scores) if self._house else {}
        scores = _inferred(scores, lenders)
        ranked = sorted(scores, key=lambda uri: (-scores[uri], uri))
        chosen: list[str] = []
        room = dict(LIMITS)
        for uri in ranked:
            if len(chosen) == limit or scores[uri] < floor:
                break
            if self._house and not self._fits(uri, room, chosen, own):
                continue
            chosen.append(uri)
        return [
            Suggestion(uri, round(scores[uri], 4), _evidence(uri, by_uri, reading, lenders)) for uri in chosen
        ]

    def _fits(self, uri: str, room: dict[str, int], chosen: list[str], own: Mapping[str, float]) -> bool:
        """Whether its facet has room and no proposed narrower concept says it already."""
        facet = self._facets.get(self._thesaurus.get(uri).scheme)
        if facet is None or not room[facet]:
            return False
        below = set(self._thesaurus.descendants(uri))
        narrower = [own.get(other, 0.0) for other in chosen if other in below]
        if narrower and own.get(uri, 0.0) < max(narrower):
            return False
        room[facet] -= 1
        return True

    def _scores(
        self, by_uri: Mapping[str, list[_Mention]], reading: _Reading, rarity: Mapping[str, float]
    ) -> dict[str, float]:
        scores = {}
        keywords = {label.uri: label.weight for label in reading.keywords}
        for uri in {*by_uri, *keywords}:
            strength = _strength(by_uri.get(uri, []), reading.words, signature=self._signs(uri))
            strength *= rarity.get(uri, 1.0)
            strength += keywords.get(uri, 0.0)
            scores[uri] = 1 - math.exp(-_SLOPE * strength)
        return scores

    def _lenders(self, scores: Iterable[str]) -> dict[str, list[tuple[str, float]]]:
        """Concept -> the narrower concepts and the schemes that lend to it, each with what part it lends."""
        lenders: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for uri in scores:
            concept = self._thesaurus.get(uri)
            for broader in concept.broader if concept.scheme == "themes" else ():
                lenders[broader].append((uri, _FROM_NARROWER))
            for related in concept.related if self._facets.get(concept.scheme) == "scheme" else ():
                if self._thesaurus.get(related).scheme == "themes":
                    lenders[related].append((uri, _FROM_RELATED))
        return lenders


def _inferred(
    scores: Mapping[str, float], lenders: Mapping[str, Iterable[tuple[str, float]]]
) -> dict[str, float]:
    """Scores with what narrower concepts lend to broader ones and schemes to their themes."""
    doubt = {uri: 1 - score for uri, score in scores.items()}
    for uri, some in lenders.items():
        for lender, part in some:
            doubt[uri] = doubt.get(uri, 1.0) * (1 - part * scores[lender])
    return {uri: 1 - d for uri, d in doubt.items()}


def _evidence(
    uri: str,
    by_uri: Mapping[str, list[_Mention]],
    reading: _Reading,
    lenders: Mapping[str, Iterable[tuple[str, float]]],
) -> tuple[Evidence, ...]:
    """The best places of a concept; of an inferred one, those of the concepts that lent to it."""
    sources = [uri] if uri in by_uri or uri in reading.said else [lender for lender, _ in lenders[uri]]
    mentions = [mention for source in sources for mention in by_uri.get(source, [])]
    if not mentions:
        return tuple(reading.said[source] for source in sources)[:_EVIDENCE]
    best = sorted(mentions, key=lambda m: (-m.title, -m.weight * m.size, m.page, m.start))
    # Different words first: they tell a reader more than the same one five times.
    first = {id(m) for m in {m.label: m for m in reversed(best)}.values()}
    best = sorted(best, key=lambda m: id(m) not in first)[:_EVIDENCE]
    texts = {page.number: page.text for page in reading.pages}
    return tuple(Evidence(m.page, m.start, m.end, texts[m.page][m.start : m.end]) for m in best)


def _strength(mentions: Sequence[_Mention], words: int, *, signature: bool = False) -> float:
    """How much of a text of so many words is about what the mentions name; about 2.5 at most.

    ``signature``: that it comes first says nothing, as of a body.
    """
    if not mentions:
        return 0.0
    weight = sum(m.weight for m in mentions)
    frequency = weight / (weight + _HALF * (0.3 + 0.7 * words / _LENGTH))
    first = min(m.at for m in mentions)
    # Said once, even at once, is little.
    early = 0.0 if signature else math.exp(-first / (50 + 0.1 * words)) * weight / (weight + 1)
    spread = len({int(_SLICES * m.at / (words + 1)) for m in mentions}) / _SLICES
    title = max((m.weight for m in mentions if m.title), default=0.0)
    size = max(_SIZES[min(m.size, len(_SIZES) - 1)] for m in mentions)
    # Words that only point at a concept prove it when several different ones do.
    named = min(1.0, sum({m.label: m.weight for m in mentions}.values()))
    sure = _POINTED + (1 - _POINTED) * named
    return size * sure * (frequency * (1 + _EARLY * early + _SPREAD * spread) + _TITLE * title)


def _doubt(page: _Page, found: Found) -> acronyms.Doubt:
    nearby = (
        *page.tokens[max(0, found.first - _NEAR_WORDS) : found.first],
        *page.tokens[found.last + 1 : found.last + 1 + _NEAR_WORDS],
    )
    low = max(0, found.start - _SENTENCE)
    sentence = page.text[low : found.end + _SENTENCE]
    return acronyms.Doubt(frozenset(token.term for token in nearby), sentence, found.start - low)


def _rarity(readings: Sequence[_Reading]) -> dict[str, float]:
    """Concept -> 1 if in one document of the batch, falling to _COMMON if in all; nothing for a small batch.

    Softer than the usual logarithm: a batch is often of one field, whose main notions are in most documents
    and rightly chosen all the same.
    """
    if len(readings) < _BATCH:
        return {}
    counts = Counter(uri for reading in readings for uri in {m.uri for m in reading.mentions})
    total = len(readings)
    rare = {uri: math.log((total + 1) / count) / math.log(total + 1) for uri, count in counts.items()}
    return {uri: _COMMON + (1 - _COMMON) * math.sqrt(part) for uri, part in rare.items()}


def _is_heading(text: str, found: Found) -> bool:
    low = text.rfind("\n", 0, found.start) + 1
    high = text.find("\n", found.end)
    line = text[low : len(text) if high < 0 else high].strip()
    return (
        len(line) <= _HEADING_LENGTH and len(line) < len(text) and not re.search(r"[.,;:]$|^[a-zà-ÿ]", line)
    )
