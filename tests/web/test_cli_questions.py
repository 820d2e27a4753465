"""Commands of the desk: questions listed and shown, a former log, mail that a server pipes in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb import config as settings
from kb.accounts import Role
from kb.desk import Wanted
from kb.questions import Asked, Channel, QuestionState, Said
from web import cli_questions
from web.cli import main
from web.cli_questions import questions
from web.parts import Parts

EVERY = Wanted(states=())
LOG = (
    "Date;Question;Date réponse;Réponse;Thème\n04/03/2019;Une aide ?;06/03/2019;Oui.;Magie\nbientôt;Quoi ?\n"
)
MAIL = """\
From: Ondine Zwyx <zwyx@exemple.fr>
To: centre@exemple.fr
Subject: Un jardin
Message-ID: <un@exemple.fr>
Date: Mon, 2 Mar 2026 10:00:00 -0400

Quelle aide pour un jardin partagé ?
"""


def run(data: Path, *arguments: str, input: str | bytes | None = None) -> Result:
    return CliRunner().invoke(questions, [*arguments, "--data", str(data)], input=input)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert CliRunner().invoke(main, ["--data", str(folder), "init"]).exit_code == 0
    return folder


@pytest.fixture
def parts(data: Path):
    opened = Parts(settings.load(data, {}))
    yield opened
    opened.close()


@pytest.fixture
def lea(parts: Parts) -> int:
    return parts.people.add("lea@exemple.fr", "Léa Montout", [Role.ANSWERER]).id


@pytest.fixture
def question(parts: Parts, lea: int):
    asker = parts.askers.known("zwyx@exemple.fr", "Ondine Zwyx")
    held = parts.desk.receive(Asked(text="Une aide ?", context="Pour un jardin"), asker)
    parts.desk.claim(held.id, lea)
    parts.desk.hear(held.id, Said(text="Une précision", channel=Channel.TELEPHONE))
    parts.desk.note(held.id, "Vue au marché", person=lea)
    parts.answers.save(held.id, "Voici.", 0, person=lea)
    return held


def test_states_and_channels_are_those_of_the_desk() -> None:
    assert set(cli_questions._STATES) == {str(state) for state in QuestionState}
    assert set(cli_questions._CHANNELS) == {str(channel) for channel in Channel}


# -- list and show


def test_open_questions_are_listed_without_who_asked(data: Path, parts: Parts, question) -> None:
    done = parts.desk.receive(Asked(text="Déjà répondue"), None)
    parts.desk.move(done.id, QuestionState.CLOSED)
    found = run(data, "list")
    assert found.exit_code == 0
    assert question.reference in found.stdout
    assert "Léa Montout" in found.stdout
    assert "Zwyx" not in found.stdout
    assert done.reference not in found.stdout
    assert done.reference in run(data, "list", "--state", "closed").stdout
    told = [json.loads(line) for line in run(data, "list", "--json").stdout.splitlines()]
    assert [(one["reference"], one["state"], one["assignee"]) for one in told] == [
        (question.reference, "in_hand", "Léa Montout")
    ]


def test_late_questions_are_listed_apart(data: Path, parts: Parts, question) -> None:
    from datetime import UTC, datetime

    late = parts.desk.receive(Asked(text="Oubliée"), None, now=datetime(2025, 1, 6, 14, tzinfo=UTC))
    found = run(data, "list", "--overdue")
    assert late.reference in found.stdout
    assert "en retard" in found.stdout
    assert question.reference not in found.stdout


def test_a_question_is_shown_whole_and_its_notes_on_demand(data: Path, question) -> None:
    found = run(data, "show", question.reference)
    assert found.exit_code == 0
    for words in ("Une aide ?", "Pour un jardin", "Une précision", "Voici.", "prise en charge"):
        assert words in found.stdout
    assert "Vue au marché" not in found.stdout
    assert "Vue au marché" in run(data, "show", question.reference, "--notes").stdout
    told = json.loads(run(data, "show", question.reference, "--json").stdout)
    assert told["answer"] == "Voici."
    assert "notes" not in told
    assert "zwyx" not in json.dumps(told).lower()
    assert [step["step"] for step in told["log"]][:2] == ["received", "taken"]
    assert json.loads(run(data, "show", question.reference, "--json", "--notes").stdout)["notes"]


def test_a_question_that_is_not_there_is_told(data: Path) -> None:
    found = run(data, "show", "2019-001")
    assert found.exit_code == 1
    assert "n’existe pas" in found.stderr


# -- import


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "registre.csv"
    path.write_text(LOG, encoding="utf-8")
    return path


def test_a_log_comes_in_once_and_says_what_was_left(
    data: Path, parts: Parts, lea: int, log: Path, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejets.csv"
    first = run(data, "import", str(log), "--by", "lea@exemple.fr", "--rejects", str(rejects))
    assert first.exit_code == 1  # one row was left
    assert first.stdout == "1\u00a0question importée.\n"
    assert "ligne 3" in first.stderr
    assert "Magie" in first.stderr
    assert "bientôt" in rejects.read_text(encoding="utf-8-sig")
    assert run(data, "import", str(log), "--by", "lea@exemple.fr").stdout.startswith("0\u00a0question")
    [held] = parts.desk.listed(EVERY, 5)
    assert (held.reference, held.state) == ("2019-001", QuestionState.ANSWERED)
    assert parts.answers.get(held.id).person == lea


def test_a_dry_run_changes_nothing_and_asks_for_no_account(data: Path, parts: Parts, log: Path) -> None:
    found = run(data, "import", str(log), "--dry-run")
    assert (found.exit_code, found.stdout) == (1, "")
    assert "question à importer" in found.stderr
    assert parts.desk.count(EVERY) == 0


def test_who_imports_must_be_known(data: Path, log: Path) -> None:
    assert run(data, "import", str(log)).exit_code == 2
    assert run(data, "import", str(log), "--by", "personne@exemple.fr").exit_code == 1


def test_columns_that_are_not_understood_are_taken_from_a_mapping(
    data: Path, parts: Parts, lea: int, tmp_path: Path
) -> None:
    from kb.headings import Columns
    from web.former_logs import mappings

    path = tmp_path / "autre.csv"
    path.write_text("A;B\n04/03/2019;Une aide ?\n", encoding="utf-8")
    refused = run(data, "import", str(path), "--dry-run")
    assert refused.exit_code == 2
    assert "--mapping" in refused.stderr
    mappings(parts).save("Vieux", Columns(("received", "text"), ("A", "B")))
    assert run(data, "import", str(path), "--mapping", "Vieux", "--by", "lea@exemple.fr").exit_code == 0
    assert run(data, "import", str(path), "--mapping", "Autre", "--dry-run").exit_code == 1


# -- mail


def test_a_message_becomes_a_question_in_silence(data: Path, parts: Parts) -> None:
    found = run(data, "mail", "-", input=MAIL.encode())
    assert (found.exit_code, found.stdout) == (0, "")
    [held] = parts.desk.listed(EVERY, 5)
    assert held.text == "Quelle aide pour un jardin partagé ?"
    assert str(held.channel) == "email"
    assert parts.askers.get(held.asker or 0).email == "zwyx@exemple.fr"
    [said] = parts.desk.exchanges(held.id)[:1]
    assert said.message_id == "<un@exemple.fr>"
    assert [line.recipient for line in parts.outbox.lines()] == ["zwyx@exemple.fr"]


def test_the_same_message_again_adds_nothing(data: Path, parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "un.eml"
    path.write_text(MAIL)
    assert run(data, "mail", str(path)).exit_code == run(data, "mail", str(path)).exit_code == 0
    assert parts.desk.count(EVERY) == 1
    assert list(parts.reception) == []


def test_what_is_no_message_is_refused_so_that_its_sender_hears_of_it(data: Path, parts: Parts) -> None:
    found = run(data, "mail", "-", input=b"")
    assert (found.exit_code, found.stdout) == (1, "")
    assert list(parts.reception) == []
    assert run(data, "mail", "/nowhere/at/all.eml").exit_code == 2


# -- measures, and how quick


def test_the_anonymiser_is_measured_on_a_gold_set(tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    item = {"text": "Écrivez à a@exemple.fr", "entities": [{"kind": "email", "text": "a@exemple.fr"}]}
    gold.write_text(json.dumps(item) + "\n")
    told = json.loads(CliRunner().invoke(main, ["evaluate", "anonymiser", str(gold), "--json"]).stdout)
    assert told["all"]["recall"] == 1.0
    shown = CliRunner().invoke(main, ["evaluate", "anonymiser", str(gold)]).stdout
    assert re.search(r"email +rappel 1\.0000", shown)
    gold.write_text("{}\n")
    assert CliRunner().invoke(main, ["evaluate", "anonymiser", str(gold)]).exit_code == 2


def test_the_commands_load_nothing_heavy() -> None:
    code = (
        "import sys, web.cli_questions; "
        "print([m for m in ('sqlalchemy', 'flask', 'rich', 'openpyxl', 'spacy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
