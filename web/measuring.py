"""Measures of quality on judged sets, in a temporary data folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest import evaluation as tagging_evaluation
from search import evaluation as retrieval_evaluation
from search.whoosh_engine import WhooshEngine


def retrieval(docs: Path, queries: Path, qrels: Path) -> dict[str, float]:
    """Figures of the search, asked exactly as the pages ask it."""
    with _empty_engine() as engine:
        return retrieval_evaluation.evaluate_retrieval(docs, queries, qrels, engine=engine)


def past_questions(docs: Path, queries: Path, qrels: Path, answers: Path | None) -> dict[str, float]:
    """Figures of what the desk proposes for a question, where documents are past questions with answers."""
    with _empty_engine() as engine:
        return retrieval_evaluation.evaluate_questions(docs, queries, qrels, engine=engine, found=answers)


@contextmanager
def _empty_engine() -> Iterator[WhooshEngine]:
    with tempfile.TemporaryDirectory(prefix="carbet-") as folder:
        engine = WhooshEngine(Path(folder) / "index")
        try:
            yield engine
        finally:
            engine.close()


def tagging(docs: Path, vocab: Path) -> dict[str, float]:
    """Figures of the tagger with another vocabulary."""
    return tagging_evaluation.evaluate_tagging(docs, vocab)
