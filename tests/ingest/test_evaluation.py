from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ingest.evaluation import evaluate_tagging, read_documents, read_vocabulary
from kb.errors import InvalidRecord, NotFound, ThesaurusError

TEXT = "La santé publique. La formation professionnelle et la santé publique des jeunes."
TURTLE = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<urn:v/1> a skos:Concept ; skos:prefLabel "Santé publique"@fr, "Public health"@en .
<urn:v/2> a skos:Concept ; skos:prefLabel "Formation professionnelle"@fr ; skos:altLabel "apprentissage"@fr .
"""


def written(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def docs(folder: Path, *subjects: Any) -> Path:
    rows = ({"id": i, "title": "", "text": TEXT, "subjects": s} for i, s in enumerate(subjects))
    return written(folder, "docs.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n\n")


def test_figures_are_means_over_people_then_documents(tmp_path: Path) -> None:
    vocab = written(tmp_path, "vocab.txt", "santé publique\nformation professionnelle\njeunes\nsport\n")
    judged = docs(
        tmp_path,
        [["santé publique"], ["Santé Publique", "sport"]],
        ["santé publique", "formation professionnelle", "jeunes"],
        [],
    )
    figures = evaluate_tagging(judged, vocab)
    assert figures["documents"] == 2
    assert figures["precision@3"] == pytest.approx((1 / 3 + 1) / 2, abs=1e-4)
    assert figures["recall@3"] == pytest.approx(((1 + 1 / 2) / 2 + 1) / 2, abs=1e-4)
    assert figures["f1@3"] == pytest.approx(((0.5 + 0.4) / 2 + 1) / 2, abs=1e-4)
    assert figures["union_precision@3"] == pytest.approx((1 / 3 + 1) / 2, abs=1e-4)
    assert figures["precision@10"] == pytest.approx((0.1 + 0.3) / 2, abs=1e-4)
    assert {f"{m}@{k}" for m in ("precision", "recall", "f1", "union_precision") for k in (3, 5, 10)} < {
        *figures
    }


def test_subjects_may_be_uris_or_labels_of_a_turtle_vocabulary(tmp_path: Path) -> None:
    vocab = tmp_path / "vocab.ttl.gz"
    vocab.write_bytes(gzip.compress(TURTLE.encode()))
    figures = evaluate_tagging(docs(tmp_path, [["urn:v/1", "<urn:v/2>"], ["apprentissage"]]), vocab)
    assert figures["recall@5"] == 1.0


def test_what_the_vocabulary_does_not_have_is_missed(tmp_path: Path) -> None:
    vocab = written(tmp_path, "vocab.txt", "santé publique\n")
    figures = evaluate_tagging(docs(tmp_path, [["santé publique", "astronomie"]]), vocab)
    assert figures["recall@10"] == 0.5


@pytest.mark.parametrize(
    ("line", "uri", "labels"),
    [
        ("Santé", "urn:carbet:vocabulary:santé", ("Santé",)),
        ("http://x.example/c1\tSanté\tmédecine", "http://x.example/c1", ("Santé", "médecine")),
        ("<urn:v:1>\tSanté", "urn:v:1", ("Santé",)),
        ("Santé|médecine | soins", "urn:carbet:vocabulary:santé", ("Santé", "médecine", "soins")),
    ],
)
def test_lines_of_a_plain_vocabulary(tmp_path: Path, line: str, uri: str, labels: tuple[str, ...]) -> None:
    (concept,) = read_vocabulary(written(tmp_path, "v.txt", f"# comment\n\n{line}\n{line}\n"))
    assert (concept.uri, concept.labels) == (uri, labels)


@pytest.mark.parametrize(
    ("subjects", "people"),
    [
        (["a", "b"], (("a", "b"),)),
        ([["a"], ["b", "c"]], (("a",), ("b", "c"))),
        ({"anne": ["a"], "luc": ["b"]}, (("a",), ("b",))),
        ([{"uri": "urn:a"}, {"label": "b"}], (("urn:a", "b"),)),
        (None, ()),
        ([["a"], []], (("a",),)),
    ],
)
def test_shapes_of_subjects(tmp_path: Path, subjects: Any, people: tuple[tuple[str, ...], ...]) -> None:
    (document,) = read_documents(docs(tmp_path, subjects))
    assert document.subjects == people


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    vocab = written(tmp_path, "vocab.txt", "santé\n")
    with pytest.raises(NotFound):
        evaluate_tagging(tmp_path / "none.jsonl", vocab)
    with pytest.raises(NotFound):
        read_vocabulary(tmp_path / "none.ttl")
    with pytest.raises(InvalidRecord, match="line 2"):
        read_documents(written(tmp_path, "bad.jsonl", '{"id": 1}\n{oops\n'))
    with pytest.raises(ThesaurusError):
        read_vocabulary(written(tmp_path, "bad.ttl", "not turtle {"))


def test_no_judged_document_gives_zeros(tmp_path: Path) -> None:
    vocab = written(tmp_path, "vocab.txt", "santé\n")
    figures = evaluate_tagging(docs(tmp_path, []), vocab)
    assert set(figures.values()) == {0.0}
