"""The command of the desk, and the measure of what it proposes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb import config as settings
from kb.records import Page, Record
from web.cli import main
from web.cli_desk import ask
from web.parts import Parts

QUESTION = "Comment créer un conseil citoyen dans une commune ?"


def run(data: Path, *arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(ask, [*arguments, "--data", str(data)], input=input)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert CliRunner().invoke(main, ["--data", str(folder), "init"]).exit_code == 0
    parts = Parts(settings.load(folder, {}))
    answer = "Le conseil citoyen se compose de deux collèges, dont l’un est tiré au sort."
    parts.store.save(Record(id="vc:1", title=QUESTION, type="question"), [Page(1, answer)])
    guide = [Page(1, "Avant-propos."), Page(2, "Créer un conseil citoyen demande six mois à une commune.")]
    parts.store.save(Record(id="vc:2", title="Guide des conseils citoyens", type="guide"), guide)
    parts.sync()
    parts.close()
    return folder


def test_a_program_reads_answers_passages_and_concepts(data: Path) -> None:
    told = json.loads(run(data, "creer", "un", "conseil", "citoyen", "--json").stdout)
    assert [(one["id"], one["page"]) for one in told["answers"]] == [("vc:1", 1)]
    assert [(one["id"], one["page"]) for one in told["passages"]] == [("vc:2", 2)]
    assert set(told["passages"][0]) == {"id", "title", "page", "text", "score"}
    assert told["passages"][0]["text"].startswith("Créer un conseil")
    assert "Conseil citoyen" in {concept["label"] for concept in told["concepts"]}


def test_a_person_reads_text_and_the_question_may_come_on_stdin(data: Path) -> None:
    result = run(data, "-", input="Bonjour,\ncomment créer un conseil citoyen ?\nMerci d’avance\n")
    assert result.exit_code == 0
    assert "Réponses déjà données" in result.stdout
    assert "**conseil** **citoyen**" in result.stdout
    assert f"{QUESTION}  (vc:1, p. 1" in result.stdout


def test_it_says_when_there_is_nothing(data: Path) -> None:
    result = run(data, "la reproduction des gastéropodes marins")
    assert result.stdout == "Rien dans le fonds ne répond à cette question.\n"
    assert json.loads(run(data, "gastéropodes marins", "--json").stdout)["answers"] == []


@pytest.fixture
def judged(tmp_path: Path) -> list[str]:
    documents = [
        {"id": "d1", "title": "Conseil citoyen", "text": "Deux collèges, dont l’un est tiré au sort."}
    ]
    (tmp_path / "docs.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (tmp_path / "queries.tsv").write_text("q1\tcollèges du conseil citoyen\n")
    (tmp_path / "qrels.txt").write_text("q1 0 d1 1\n")
    (tmp_path / "answers.tsv").write_text("q1\ttiré au sort\n")
    names = (("docs", "docs.jsonl"), ("queries", "queries.tsv"), ("qrels", "qrels.txt"))
    return [word for option, name in names for word in (f"--{option}", str(tmp_path / name))]


def test_the_desk_is_measured_on_a_judged_set(judged: list[str], tmp_path: Path) -> None:
    answers = ["--answers", str(tmp_path / "answers.tsv")]
    result = CliRunner().invoke(
        main, ["evaluate", "retrieval", *judged, "--as", "questions", *answers, "--json"]
    )
    figures = json.loads(result.stdout)
    assert (figures["recall@5"], figures["shown@3"], figures["queries"]) == (1, 1, 1)
    refused = CliRunner().invoke(main, ["evaluate", "retrieval", *judged, *answers])
    assert refused.exit_code == 2
    assert "--as questions" in refused.stderr
