"""How well the search answers judged questions: the figures of ``kb evaluate retrieval``.

Asks ``search.finder`` exactly as the pages do, of entries whose text is cut into pages exactly as files
without pages are, so that what is measured is what people get.
"""

from __future__ import annotations

import gzip
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from kb.french import fold, passages
from kb.thesaurus import Thesaurus
from search import answers, finder
from search.answers import Proposal
from search.engine import Engine, Entry

DEPTH = 10
"""Hits of a question that are judged."""

SHOWN = 3
"""Passages that a person sees under a question."""

Judgements = Mapping[str, Mapping[str, int]]
"""Question -> document -> grade; documents that are not named have grade 0."""


def evaluate_retrieval(
    docs: Path, queries: Path, qrels: Path, *, engine: Engine, thesaurus: Thesaurus | None = None
) -> dict[str, float]:
    """Means over the questions that have a relevant document; ``engine`` is filled anew.

    ``docs``: JSON lines with ``id``, ``title``, ``text``. ``queries``: id TAB question. ``qrels``: TREC form,
    "question 0 document grade". Each may be gzipped. Keys: ``recall@1``, ``recall@5``, ``recall@10`` (share
    of the documents of grade 1 or more), ``mrr@10`` (first of grade 1 or more), ``ndcg@10`` with gain
    2^grade - 1 (Burges 2005), ``ndcg-linear@10`` with the grade as gain (as in trec_eval; the same where all
    grades are 1), discount log2(rank + 1) and the ideal over all judged documents in both, and ``queries``,
    their number.
    """
    with engine.writer(fresh=True) as writer:
        for entry in entries(docs):
            writer.put(entry)
    judged = judgements(qrels)
    asked = [
        (question, text)
        for question, text in _questions(queries)
        if max(judged[question].values(), default=0)
    ]
    rankings = {
        question: [
            hit.id for hit in finder.find(text, engine=engine, thesaurus=thesaurus, limit=DEPTH).results.hits
        ]
        for question, text in asked
    }
    return measure(rankings, judged)


def evaluate_questions(
    docs: Path,
    queries: Path,
    qrels: Path,
    *,
    engine: Engine,
    thesaurus: Thesaurus | None = None,
    found: Path | None = None,
) -> dict[str, float]:
    """The same for the desk: documents are past questions (titles) with their answers (texts), and the judged
    questions are asked as ``search.answers`` is by the pages, silence included.

    ``found``: id TAB words that answer. With it ``shown@3`` is the share of the questions it names that have
    a relevant document for which one of the first three passages shown holds these words, accents, case and
    white space aside. ``answered`` is the share of questions to which something was proposed.
    """
    past = {entry.id: entry for entry in entries(docs)}
    with engine.writer(fresh=True) as writer:
        for entry in past.values():
            writer.put(replace(entry, facets={"type": (answers.QUESTION,)}))
    judged = judgements(qrels)
    proposed = {
        question: answers.propose(
            text, engine=engine, texts=_Past(past), thesaurus=thesaurus, answers=DEPTH, passages=0
        ).answers
        for question, text in _questions(queries)
        if max(judged[question].values(), default=0)
    }
    figures = measure({question: [one.id for one in some] for question, some in proposed.items()}, judged)
    if proposed:
        figures["answered"] = fmean(bool(some) for some in proposed.values())
    words = {question: text for question, text in _questions(found) if question in proposed} if found else {}
    if words:
        figures["shown@3"] = fmean(_holds(proposed[q][:SHOWN], text) for q, text in words.items())
    return figures


@dataclass(frozen=True, slots=True)
class _Told:
    title: str
    abstract: str = ""


class _Past:
    """Past questions as ``search.answers.Texts``."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries

    def get_many(self, ids: Sequence[str]) -> dict[str, _Told]:
        return {id: _Told(self._entries[id].fields["title"]) for id in ids}

    def page_texts(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
        return {
            (id, page): dict(self._entries[id].pages)[page] for id, page in wanted if self._entries[id].pages
        }


def _holds(shown: Iterable[Proposal], words: str) -> bool:
    sought = _plain(words)
    return any(sought in _plain(one.text) for one in shown)


def _plain(text: str) -> str:
    return " ".join(fold(text).split())


def measure(rankings: Mapping[str, Sequence[str]], judged: Judgements) -> dict[str, float]:
    """The figures of ``evaluate_retrieval`` for ids of documents, best first, by question."""
    rows = [_figures(ranking, judged[question]) for question, ranking in rankings.items()]
    means = {name: fmean(row[name] for row in rows) for name in rows[0]} if rows else {}
    return {**means, "queries": len(rows)}


def _figures(ranking: Sequence[str], grades: Mapping[str, int]) -> dict[str, float]:
    relevant = {document for document, grade in grades.items() if grade > 0}
    right = [document in relevant for document in ranking[:DEPTH]]
    found = {f"recall@{n}": sum(right[:n]) / len(relevant) for n in (1, 5, 10)}
    linear = {document: float(grade) for document, grade in grades.items()}
    steep = {document: 2.0**grade - 1 for document, grade in grades.items()}
    return found | {
        "mrr@10": 1 / (right.index(True) + 1) if any(right) else 0.0,
        "ndcg@10": _ndcg(ranking, steep),
        "ndcg-linear@10": _ndcg(ranking, linear),
    }


def _ndcg(ranking: Sequence[str], gains: Mapping[str, float]) -> float:
    ideal = sorted(gains.values(), reverse=True)
    return _discounted(gains.get(document, 0.0) for document in ranking) / _discounted(ideal)


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in zip(range(1, DEPTH + 1), gains, strict=False))


def entries(docs: Path) -> Iterator[Entry]:
    """The documents as engines see them. Raises KeyError for one without id, title or text."""
    for line in _lines(docs):
        raw = json.loads(line)
        pages = tuple(enumerate(passages(raw["text"]), start=1))
        title = raw["title"]
        yield Entry(id=raw["id"], fields={"title": title}, pages=pages, title_key=fold(title))


def judgements(qrels: Path) -> defaultdict[str, dict[str, int]]:
    """Grades by question, then by document."""
    judged: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for line in _lines(qrels):
        question, _, document, grade = line.split()
        judged[question][document] = int(grade)
    return judged


def _questions(queries: Path) -> Iterator[tuple[str, str]]:
    for line in _lines(queries):
        question, _, text = line.partition("\t")
        yield question, text


def _lines(path: Path) -> Iterator[str]:
    """Lines that are not empty, unzipped if need be."""
    zipped = path.read_bytes()[:2] == b"\x1f\x8b"
    with gzip.open(path, "rt", encoding="utf-8") if zipped else path.open(encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file if line.strip())
