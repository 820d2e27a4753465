import gzip
import json
import math

import pytest

from search.evaluation import evaluate_questions, evaluate_retrieval, measure
from search.memory import MemoryEngine
from search.query import Request


@pytest.fixture
def judged(tmp_path):
    documents = [
        {"id": "d1", "title": "Logement", "text": "Le logement social et les bailleurs.", "fil": ["ignored"]},
        {
            "id": "d2",
            "title": "École",
            "text": "L’école.\n\n" + "Autre chose. " * 400 + "Les élèves décrocheurs.",
        },
        {"id": "d3", "title": "", "text": "Rien de cela."},
    ]
    with gzip.open(tmp_path / "docs.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(document) + "\n" for document in documents)
    (tmp_path / "queries.tsv").write_text("q1\tlogements sociaux\nq2\tÉlève décrocheur\nq3\tlogement\n")
    (tmp_path / "qrels.txt").write_text("q1 0 d1 2\nq2 0 d2 1\nq2 0 d3 1\nq3 0 d1 0\n")
    return tmp_path / "docs.jsonl.gz", tmp_path / "queries.tsv", tmp_path / "qrels.txt"


def test_documents_are_indexed_and_questions_asked(judged):
    engine = MemoryEngine()
    figures = evaluate_retrieval(*judged, engine=engine)
    assert len(engine) == 3
    assert figures["queries"] == 2  # the third has no relevant document
    assert figures["mrr@10"] == 1
    assert figures["recall@10"] == pytest.approx((1 + 0.5) / 2)


def test_documents_are_past_questions_and_what_is_shown_is_looked_at(judged, tmp_path):
    (tmp_path / "found.tsv").write_text("q1\tLES   BAILLEURS\nq2\tmots absents\nq3\tlogement\nq9\tinconnu\n")
    engine = MemoryEngine()
    figures = evaluate_questions(*judged, engine=engine, found=tmp_path / "found.tsv")
    assert engine.search(Request(filters=(("type", ("question",)),))).total == 3
    assert figures["recall@1"] == pytest.approx((1 + 0.5) / 2)
    assert figures["shown@3"] == 1 / 2  # q3 and q9 are not judged
    assert figures["answered"] == 1


def test_silence_counts_as_finding_nothing(judged, tmp_path):
    (tmp_path / "queries.tsv").write_text("q1\tla reproduction des gastéropodes\nq2\tÉlève décrocheur\n")
    figures = evaluate_questions(*judged, engine=MemoryEngine())
    assert (figures["answered"], figures["mrr@10"], figures["queries"]) == (1 / 2, 1 / 2, 2)
    assert "shown@3" not in figures


def test_figures_are_those_of_their_definitions():
    figures = measure(
        {"q": ["wrong", "best", "good"]}, {"q": {"best": 2, "good": 1, "missed": 1, "wrong": 0}}
    )
    assert figures["recall@1"] == 0
    assert figures["recall@5"] == figures["recall@10"] == pytest.approx(2 / 3)
    assert figures["mrr@10"] == 1 / 2
    second, third = 1 / math.log2(3), 1 / math.log2(4)
    assert figures["ndcg-linear@10"] == pytest.approx((2 * second + third) / (2 + second + third))
    assert figures["ndcg@10"] == pytest.approx((3 * second + third) / (3 + second + third))


def test_perfect_and_empty_rankings():
    assert measure({"q": ["a"]}, {"q": {"a": 1}})["ndcg@10"] == 1
    assert measure({"q": []}, {"q": {"a": 1}})["ndcg@10"] == 0
    assert measure({}, {}) == {"queries": 0}
