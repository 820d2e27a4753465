"""Which records a document may be the same work as: nearly the same text, another edition, a part, a paper.

Hides how texts are sampled and compared. A text is its sequences of four words, hashed; a *sketch* keeps the
smallest of these hashes. The two sketches of a pair are both complete below the lower of their largest
hashes, and there they are a fair sample of both texts: by it the share of one that is in the other is known
without reading either (bottom-k sampling: Broder 1997). Sketches only say whom to compare with; what is said
of a pair comes from the whole of both texts. Nothing is decided here: a person is asked.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from ingest.differences import Difference, differences
from ingest.drafts import Draft
from kb.database import Store
from kb.french import fold, pieces
from kb.records import Page, Record
from kb.sketches import Sketches

Hashes = NDArray[np.uint64]
"""Sorted, each once, below 2**63."""

WORDS = 4
"""Words of a sequence. On pairs of formats and of versions of one text, three to eight part the same pairs;
four leaves a recognised text more of its sequences when one word in ten is misread (two thirds) than five."""

_SMALLEST, _LARGEST, _SHARE = 200, 2_000, 64
"""Size of a sketch: one sequence in 64, at least 200 (a share known within 3 or 4 points), at most 2,000."""


class Kind(StrEnum):
    """What two records may be to each other."""

    SAME_TEXT = "same-text"
    EDITION = "edition"
    PART = "part"
    PAPER = "paper"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What a work and a record that is held have in common. ``resemblance``: share of the sequences of both
    texts that both have; ``inside``: of those here, the share found there; ``around``: the other way round.
    All 0 when one has no text. ``reason`` is French, for the librarian; ``score`` orders pairs, 0 to 1."""

    kind: Kind
    resemblance: float = 0.0
    inside: float = 0.0
    around: float = 0.0
    score: float = 0.0
    reason: str = ""
    differences: tuple[Difference, ...] = ()


# -- sampling


def sequences(pages: Iterable[Page]) -> Hashes:
    """The hashes of all sequences of ``WORDS`` words, accents, case and signs aside; the same on every
    machine and in every process. Runs over the ends of pages, which differ from format to format."""
    found = [_word(piece) for page in pages for piece in pieces(page.text)]
    words = np.array(found, dtype=np.uint64)
    count = len(words) - WORDS + 1
    if count < 1:
        return np.empty(0, dtype=np.uint64)
    hashes = np.zeros(count, dtype=np.uint64)
    for place in range(WORDS):
        hashes = _mixed(hashes * _ODD + words[place : place + count])
    return np.unique(hashes >> np.uint64(1))


def sketch(hashes: Hashes) -> list[int]:
    """The sample of a text that ``kb.sketches`` keeps: its smallest hashes."""
    size = min(_LARGEST, max(_SMALLEST, len(hashes) // _SHARE))
    return [int(value) for value in hashes[:size]]


def title_sketch(title: str) -> list[int]:
    """The words of a title as hashes below zero, so that titles meet titles only: by them a paper work is
    found whose title is nearly the same. Small words and the order do not count."""
    words = {word for word in pieces(title) if len(word) >= _TITLE_WORD or word.isdigit()}
    return sorted(-1 - (_word(word) >> 1) for word in words)


def sketch_of(told: Draft | Record, pages: Iterable[Page], hashes: Hashes | None = None) -> list[int]:
    """All that ``kb.sketches`` keeps of a record; ``hashes`` are the ``sequences`` of its pages, if known."""
    return [*sketch(sequences(pages) if hashes is None else hashes), *title_sketch(told.title)]


def sketch_missing(store: Store, after: str, most: int) -> str | None:
    """Sample records that were never sampled, as those of a former version; the last id that was looked at,
    to go on from, None when there are no more."""
    sketches = Sketches(store.database)
    ids = sketches.missing(after, most)
    for id, record in store.get_many(ids).items():
        sampled = sketch_of(record, store.pages(id, raw=False))
        with store.transaction():
            if store.get_many([id]):  # it may have been deleted meanwhile
                sketches.keep(id, sampled)
    return ids[-1] if ids else None


_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio: spreads what is multiplied by it
_TITLE_WORD = 4


@functools.lru_cache(maxsize=200_000)
def _word(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big")


def _mixed(values: Hashes) -> Hashes:
    """Every bit of a value in every bit of the result, as in the last step of splitmix64 (Steele 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


# -- asking the fund


_ORDER = (Kind.SAME_TEXT, Kind.PAPER, Kind.EDITION, Kind.PART)
_ASKED = 8  # records compared whole for one document: some 10 ms each
_SHARED = 3  # hashes in common below which two texts share a set phrase only


def find(
    told: Draft | Record,
    pages: Sequence[Page],
    store: Store,
    *,
    itself: str | None = None,
    among: Container[str] | None = None,
    hashes: Hashes | None = None,
) -> list[tuple[str, Likeness]]:
    """(record id, likeness) of the records held that may be the same work, the same text first, then papers,
    editions and parts. ``itself`` is left out, so are its host and its parts, which have its text by right,
    and all that are not ``among`` some if told; ``hashes`` are the ``sequences`` of the pages, if known.
    Records of other centres are looked at too."""
    hashes = sequences(pages) if hashes is None else hashes
    asked = _candidates(told, hashes, store)
    found = []
    for id, record in store.get_many(asked).items():
        wanted = id != itself and (among is None or id in among)
        if wanted and not _hosts(told, itself, record):
            likeness = _compared(told, _Text(pages, hashes), record, _Text(store.pages(id, raw=False)))
            found.append((id, likeness))
    told_of = (pair for pair in found if pair[1].kind is not Kind.NONE)
    return sorted(told_of, key=lambda pair: (_ORDER.index(pair[1].kind), -pair[1].score, pair[0]))


def _candidates(told: Draft | Record, hashes: Hashes, store: Store) -> list[str]:
    """Records to compare with: those that share passages, and those that have a title or an ISBN in common
    where one of both has no text; two texts that share no passage need not be read."""
    sketches = Sketches(store.database)
    alike = [id for id, shared, _ in sketches.sharing(sketch(hashes), _ASKED) if shared >= _SHARED]
    named = [id for id, _, _ in sketches.sharing(title_sketch(told.title), _ASKED)]
    named += store.find("title", told.title)[:_ASKED]
    if isbn := told.identifiers.get("isbn"):
        named += store.find("isbn", isbn)
    bare = (id for id in named if not len(hashes) or not any(value >= 0 for value in sketches.of(id)))
    return list(dict.fromkeys((*alike, *bare)))


def _hosts(told: Draft | Record, itself: str | None, record: Record) -> bool:
    host = told.host if isinstance(told, Record) else None
    return record.id == host or (itself is not None and record.host == itself)


# -- comparing


class _Text:
    """What is compared of a text."""

    def __init__(self, pages: Sequence[Page], hashes: Hashes | None = None) -> None:
        self.hashes = sequences(pages) if hashes is None else hashes
        self.recognised = any(page.recognised is not None for page in pages)
        self.front = pieces(" ".join(page.text[:3000] for page in pages[:2]))[:_FRONT]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two works and what was measured of them."""

    told: Draft | Record
    other: Record
    text: _Text
    other_text: _Text
    resemblance: float
    inside: float
    around: float
    titles: float

    @property
    def smaller(self) -> int:
        return min(len(self.text.hashes), len(self.other_text.hashes))

    @property
    def larger(self) -> int:
        return max(len(self.text.hashes), len(self.other_text.hashes))

    @property
    def same_title(self) -> bool:
        """Whether both have one title, or one has its title on the first page of the other."""
        slack = 0.0 if self.legible == 1.0 else _MISREAD
        return self.titles >= _SAME_TITLE - slack or any(
            _tells(told.title) and fuzz.partial_ratio(fold(told.title), " ".join(front)) >= _IN_FRONT - slack
            for told, front in ((self.told, self.other_text.front), (self.other, self.text.front))
        )

    @property
    def legible(self) -> float:
        """By what to multiply what is asked of the texts."""
        return _RECOGNISED if self.text.recognised or self.other_text.recognised else 1.0

    @property
    def legible_same(self) -> float:
        """The same for texts of one title that nothing sets apart: noise must not make them two."""
        return 1.0 if self.legible == 1.0 else _RECOGNISED_SAME


def compare(
    told: Draft | Record, pages: Sequence[Page], other: Record, other_pages: Sequence[Page]
) -> Likeness:
    """What a document or record and a record that is held are to each other."""
    return _compared(told, _Text(pages), other, _Text(other_pages))


# Chosen on 255 pairs of formats of one text (0.82 to 1 of their sequences in common), 16 pairs of successive
# versions (0.27 to 0.97), 5,904 administrative pages that repeat each other, and texts with letters changed.
_SAME = 0.85
_ANYWAY = 0.95
_IDENTICAL = 0.99
_EDITION, _NEAR_EDITION = 0.35, 0.6  # by whether the titles are the same, or only near and the dates other
_EDITION_SIZE = 0.4  # of the other: what is smaller is an abstract, or a text that only quotes its title
_PART = 0.8
_PART_SIZE = 0.6  # of the whole: past it, what is contained is an edition with little added
_SHORT = 0.7  # of texts below ``_ENOUGH`` that have one title to the letter
_ENOUGH = 150  # sequences (half a page) below which set phrases are most of a text
_RECOGNISED, _RECOGNISED_SAME = (
    0.5,
    0.35,
)  # one letter in fifty misread leaves 60 % of the sequences, in 33 40 %
_MISREAD = 5.0  # of 100: what a title loses with one letter in twenty
_TITLES = 85.0  # of 100: titles that differ by one word of five or six
_SAME_TITLE = 95.0  # titles that differ by a letter or two
_IN_FRONT = 92.0  # a title that stands on the first page of the other one, which was given another title
_FRONT = 200  # words among which an edition says which it is


def _compared(told: Draft | Record, text: _Text, other: Record, other_text: _Text) -> Likeness:
    shared = len(np.intersect1d(text.hashes, other_text.hashes, assume_unique=True))
    mine, theirs = len(text.hashes), len(other_text.hashes)
    pair = _Pair(
        *(told, other, text, other_text),
        resemblance=shared / max(1, mine + theirs - shared),
        inside=shared / max(1, mine),
        around=shared / max(1, theirs),
        titles=fuzz.token_sort_ratio(_bare(told.title), _bare(other.title)),
    )
    kind, score = _paper_kind(pair) if not (mine and theirs) else _text_kind(pair)
    if kind is Kind.NONE:
        return Likeness(kind=kind, resemblance=pair.resemblance, inside=pair.inside, around=pair.around)
    return Likeness(
        kind=kind,
        resemblance=pair.resemblance,
        inside=pair.inside,
        around=pair.around,
        score=round(score, 3),
        reason=_reason(pair, kind),
        differences=differences(told, other),
    )


def _text_kind(pair: _Pair) -> tuple[Kind, float]:
    resemblance, contained = pair.resemblance, max(pair.inside, pair.around)
    if pair.smaller < _ENOUGH:
        least = _SHORT if fold(pair.told.title) == fold(pair.other.title) else _ANYWAY
        same = resemblance >= least and pair.same_title and _numbers(pair.told) == _numbers(pair.other)
        return (Kind.SAME_TEXT if same else Kind.NONE), resemblance
    if pair.smaller <= _PART_SIZE * pair.larger:
        if contained >= _PART * pair.legible:
            return Kind.PART, contained
    elif resemblance >= (_SAME * pair.legible_same if pair.same_title else _IDENTICAL * pair.legible):
        return (Kind.SAME_TEXT if _same_edition(pair) else Kind.EDITION), resemblance
    elif resemblance >= _ANYWAY * pair.legible:
        return Kind.EDITION, resemblance
    return _edition_kind(pair, contained)


def _edition_kind(pair: _Pair, contained: float) -> tuple[Kind, float]:
    """Whether two texts that have much in common are editions of one work. Of pages that repeat each other
    (a loss and a theft, told in the same words) the titles nearly are the same, but not the dates other."""
    dated = pair.titles >= _TITLES and not _dates_agree(pair.told, pair.other)
    least = _EDITION if pair.same_title else _NEAR_EDITION if dated else None
    if least is None or pair.smaller < _EDITION_SIZE * pair.larger:
        return Kind.NONE, 0.0
    return (Kind.EDITION, contained) if contained >= least * pair.legible else (Kind.NONE, 0.0)


def _same_edition(pair: _Pair) -> bool:
    """Whether nothing says that these are two editions: not the numbers of their titles, nor their ISBN, nor
    their dates; but dates that files give themselves say nothing when the first words have the same ones."""
    told, other = pair.told, pair.other
    if _numbers(told) != _numbers(other) or _clash(told, other, "isbn"):
        return False
    return _dates_agree(told, other) or _figures(pair.text.front) == _figures(pair.other_text.front) != set()


def _dates_agree(told: Draft | Record, other: Record) -> bool:
    """Whether one is not known, or says the other one more precisely."""
    here, there = told.date or "", other.date or ""
    return here.startswith(there) or there.startswith(here)


def _clash(told: Draft | Record, other: Record, kind: str) -> bool:
    return len({told.identifiers.get(kind), other.identifiers.get(kind)} - {None}) > 1


_FIGURE = re.compile(
    r"\d+|\b(?:janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre)\b"
)
_MARKS = re.compile(
    r"\b(?:version|v|edition|ed|n|no|numero|tome|vol|volume|revisee?|provisoire|definitive|projet)\b|"
    + _FIGURE.pattern
)
"""What tells editions of one title apart."""


def _figures(words: Iterable[str]) -> set[str]:
    return {figure for word in words for figure in _FIGURE.findall(word)}


def _numbers(told: Draft | Record) -> set[str]:
    """The numbers by which a title, subtitle or issue tells itself from its neighbours."""
    return _figures(fold(said or "") for said in (told.title, told.subtitle, told.issue))


def _bare(title: str) -> str:
    """A title without what tells its editions apart; with it when there is nothing else."""
    folded = fold(title)
    return " ".join(pieces(_MARKS.sub(" ", folded))) or folded


# -- a work on paper

_SURE_TITLE = 97.0  # one letter in thirty
_NEAR_TITLE = 88.0  # a slip in a word, or a word of six lacking
_NAME = 85.0  # of 100: one letter of a family name
_TELLING_LETTERS, _TELLING_WORDS = 10, 2  # as ``ingest.holdings``: « Annexe 2 » is the title of many


def _paper_kind(pair: _Pair) -> tuple[Kind, float]:
    """Whether two records, one of them without text, tell of one work."""
    told, other = pair.told, pair.other
    isbn = told.identifiers.get("isbn")
    if _clash(told, other, "isbn") or len({told.type, other.type} - {"document"}) > 1:
        return Kind.NONE, 0.0
    titles = fuzz.token_sort_ratio(fold(told.title), fold(other.title))
    if isbn and isbn == other.identifiers.get("isbn"):
        return Kind.PAPER, 1.0
    if titles < _NEAR_TITLE or not _tells(told.title) or _numbers(told) != _numbers(other):
        return Kind.NONE, 0.0
    years, authors = _years_apart(told, other), _share_author(told, other)
    exact = titles >= _SURE_TITLE
    same = (years == 0 and (exact or authors is not False)) or (
        authors is True and (years == 1 or (years is None and exact))
    )
    return (Kind.PAPER if same else Kind.NONE), titles / 100


def _tells(title: str) -> bool:
    folded = fold(title)
    return sum(map(str.isalpha, folded)) >= _TELLING_LETTERS and len(folded.split()) >= _TELLING_WORDS


def _years_apart(told: Draft | Record, other: Record) -> int | None:
    """None when one is not known. One year is the time from printing to legal deposit."""
    if told.date is None or other.date is None:
        return None
    return abs(int(told.date[:4]) - int(other.date[:4]))


def _share_author(told: Draft | Record, other: Record) -> bool | None:
    """Whether both name one author; None when one names nobody."""
    here, there = ([_bare(agent.name) for agent in record.agents] for record in (told, other))
    if not here or not there:
        return None
    return any(fuzz.token_set_ratio(a, b) >= _NAME for a in here for b in there)


# -- reasons


def _reason(pair: _Pair, kind: Kind) -> str:
    told = (*_of_texts(pair, kind), _of_titles(pair), *_of_dates(pair), *_of_numbers(pair, kind))
    return re.sub(r" (?=[;:%])", "\u00a0", " ; ".join(told))


def _of_texts(pair: _Pair, kind: Kind) -> list[str]:
    if kind is Kind.PAPER:
        return []
    told = [f"{_percent(pair.resemblance)} des passages sont communs"]
    if kind is Kind.EDITION and pair.resemblance < _SAME:
        told = [f"{_percent(max(pair.inside, pair.around))} des passages de l’un sont dans l’autre"]
    elif kind is Kind.PART and pair.inside >= pair.around:
        told = [f"{_percent(pair.inside)} des passages de ce document sont dans l’autre, plus long"]
    elif kind is Kind.PART:
        told = [f"{_percent(pair.around)} des passages de l’autre sont dans ce document, plus long"]
    if pair.legible < 1:
        told.append("texte lu par reconnaissance de caractères, donc à peu près")
    return told


def _of_titles(pair: _Pair) -> str:
    if fold(pair.told.title) == fold(pair.other.title):
        return "même titre"
    return "titres voisins" if pair.titles >= _TITLES else "titres différents"


def _of_dates(pair: _Pair) -> list[str]:
    here, there = pair.told.date, pair.other.date
    if here is None or there is None:
        return ["une seule date connue"] if here or there else []
    return [f"même date : {here}"] if here == there else [f"dates différentes : {here} et {there}"]


def _of_numbers(pair: _Pair, kind: Kind) -> list[str]:
    isbn = pair.told.identifiers.get("isbn")
    if isbn and isbn == pair.other.identifiers.get("isbn"):
        return ["même ISBN"]
    if kind is Kind.PAPER and _share_author(pair.told, pair.other):
        return ["un auteur commun"]
    return ["ISBN différents"] if _clash(pair.told, pair.other, "isbn") else []


def _percent(share: float) -> str:
    """Never 100 % for what is not whole."""
    return f"{int(share * 100)} %"
