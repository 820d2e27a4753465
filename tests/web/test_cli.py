import json
import re
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb.accounts import GIVEN_ROLES
from web import cli_people
from web.cli import main


def kb(*arguments: object, input: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], input=input)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    assert kb("--data", tmp_path / "data", "init").exit_code == 0
    return tmp_path / "data"


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papiers"
    folder.mkdir()
    lines = ("La médiation sociale au Lamentin", "Le contrat urbain de cohésion sociale (CUCS) la finance.")
    text = "\n\n".join(lines * 5)
    (folder / "note.txt").write_text(text, encoding="utf-8")
    (folder / "vide.pdf").write_bytes(b"")
    return folder


def outcomes(result: Result) -> dict[str, dict]:
    return {Path(o["path"]).name: o for o in map(json.loads, result.stdout.splitlines())}


def test_ingest_tells_an_outcome_a_line_and_the_second_time_changes_nothing(data: Path, papers: Path):
    first = kb("ingest", "--data", data, papers, "--json")
    assert first.exit_code == 1
    told = outcomes(first)
    assert told["note.txt"]["status"] == "published"
    assert told["vide.pdf"]["status"] == "refused"
    assert "vide" in told["vide.pdf"]["reason"].lower()
    assert "1 publié" in first.stderr
    again = outcomes(kb("ingest", "--data", data, papers, "--json"))
    assert again["note.txt"] | {"warnings": []} == told["note.txt"] | {"status": "unchanged", "warnings": []}


def test_what_was_ingested_is_found_shown_and_counted(data: Path, papers: Path):
    kb("--data", data, "ingest", papers)
    found = json.loads(kb("--data", data, "search", "mediation lamentin", "--json").stdout)
    assert found["total"] == 1
    assert "**médiation**" in found["hits"][0]["pages"][0]["snippet"]
    assert found["facets"]["support"] == {"electronic": 1}
    shown = json.loads(kb("--data", data, "show", found["hits"][0]["id"], "--json").stdout)
    assert shown["pages"] == [1]
    assert "médiation" in kb("--data", data, "search", "CUCS").stdout
    assert kb("--data", data, "show", found["hits"][0]["id"]).stdout.startswith("Titre")


def test_a_filter_by_facet_narrows_and_a_wrong_one_is_a_usage_error(data: Path, papers: Path):
    kb("--data", data, "ingest", papers)
    codes = json.loads(kb("--data", data, "search", "--json").stdout)["facets"]["territory"]
    assert "C-97213" in codes
    found = kb(
        "--data", data, "search", "--filter", "territory=C-97213", "--filter", "territoire=C-97209", "--json"
    )
    assert json.loads(found.stdout)["total"] == 1
    assert kb("--data", data, "search", "--filter", "lieu=x").exit_code == 2


def test_tags_are_proposed_for_a_text_with_the_words_that_made_them(data: Path):
    text = "Réussite éducative\nLe programme de réussite éducative (PRE) du Lamentin."
    tags = json.loads(kb("--data", data, "tag", "-", "--json", input=text).stdout)
    assert {"T03", "D-PRE"} <= {tag["code"] for tag in tags}
    assert all(tag["evidence"] for tag in tags)
    assert "Réussite éducative" in kb("--data", data, "tag", "-", input=text).stdout


def test_the_index_can_be_checked_broken_and_rebuilt(data: Path, papers: Path):
    kb("--data", data, "ingest", papers)
    assert kb("--data", data, "index", "check").exit_code == 0
    for path in (data / "index").rglob("*"):
        if path.is_file():
            path.write_bytes(b"x")
    assert json.loads(kb("--data", data, "search", "médiation", "--json").stdout)["total"] == 1
    assert "1 notice" in kb("--data", data, "index", "rebuild").stdout
    assert kb("--data", data, "index", "sync").stdout.startswith("0 ")


def test_the_thesaurus_goes_out_and_comes_back(data: Path, tmp_path: Path):
    exported = kb("--data", data, "thesaurus", "export").stdout
    (tmp_path / "t.ttl").write_text(exported, encoding="utf-8")
    assert kb("thesaurus", "check", tmp_path / "t.ttl").exit_code == 0
    assert kb("--data", data, "thesaurus", "import", tmp_path / "t.ttl").exit_code == 0
    (tmp_path / "bad.ttl").write_text(exported.replace("skos:broader", "skos:related"), encoding="utf-8")
    assert kb("thesaurus", "check", tmp_path / "bad.ttl").exit_code == 1
    assert kb("--data", data, "thesaurus", "import", tmp_path / "bad.ttl").exit_code == 1


def test_retrieval_and_tagging_are_measured(tmp_path: Path):
    docs = [
        {"id": "a", "title": "Logement", "text": "Le logement social.", "subjects": ["logement social"]},
        {
            "id": "b",
            "title": "École",
            "text": "La réussite à l’école.",
            "subjects": [["école"], ["école", "réussite"]],
        },
    ]
    (tmp_path / "docs.jsonl").write_text("\n".join(json.dumps(d) for d in docs), encoding="utf-8")
    (tmp_path / "queries.tsv").write_text("1\tlogements sociaux\n2\tecole\n", encoding="utf-8")
    (tmp_path / "qrels.txt").write_text("1 0 a 2\n2 0 b 2\n", encoding="utf-8")
    (tmp_path / "vocab.txt").write_text("logement social\nécole\nréussite\n", encoding="utf-8")
    paths = ("--docs", tmp_path / "docs.jsonl")
    judged = ("--queries", tmp_path / "queries.tsv", "--qrels", tmp_path / "qrels.txt")
    figures = json.loads(kb("evaluate", "retrieval", *paths, *judged, "--json").stdout)
    assert {"recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10", "queries"} <= set(figures)
    assert figures["ndcg@10"] == 1.0
    tags = json.loads(kb("evaluate", "tagging", *paths, "--vocab", tmp_path / "vocab.txt", "--json").stdout)
    assert {f"{m}@{k}" for m in ("precision", "recall", "f1", "union_precision") for k in (3, 5, 10)} <= set(
        tags
    )


def test_a_folder_that_is_no_data_folder_is_a_usage_error(tmp_path: Path):
    result = kb("--data", tmp_path, "search", "x")
    assert result.exit_code == 2
    assert "kb init" in result.stderr


def test_a_judged_set_of_another_form_is_a_usage_error(tmp_path: Path):
    (tmp_path / "docs.jsonl").write_text("pas du JSON", encoding="utf-8")
    (tmp_path / "vocab.txt").write_text("école", encoding="utf-8")
    paths = ("--docs", tmp_path / "docs.jsonl", "--vocab", tmp_path / "vocab.txt")
    assert kb("evaluate", "tagging", *paths).exit_code == 2


def test_a_taken_port_is_said_before_the_fund_is_made(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = kb("--data", tmp_path / "data", "demo", "--port", port)
    assert result.exit_code == 2
    assert str(port) in result.stderr
    assert not list((tmp_path / "data").glob("originals/*"))


def test_a_data_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = kb("--data", tmp_path / "file" / "data", "init")
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_setting_that_cannot_be_read_is_said_without_a_traceback(data: Path):
    (data / "kb.toml").write_text("prot = 1", encoding="utf-8")
    result = kb("--data", data, "search", "x")
    assert result.exit_code == 2
    assert "prot" in result.stderr
    assert "Traceback" not in result.output


ADD = ("users", "add", "marie@exemple.fr", "--name", "Marie", "--role", "administrateur")


def test_the_roles_of_the_command_are_those_that_a_person_may_be_given():
    assert set(cli_people._ROLES) == {str(role) for role in GIVEN_ROLES}


def test_the_first_administrator_gets_a_link_and_nobody_has_an_account_before(data: Path):
    assert kb("--data", data, "users", "list").stdout == ""
    made = kb("--data", data, *ADD)
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/mot-de-passe/[\w-]{43}\n", made.stdout)
    again = kb("--data", data, *ADD)
    assert (again.exit_code, again.stderr) == (1, "Un compte a déjà cette adresse.\n")
    person = json.loads(kb("--data", data, "users", "list", "--json").stdout)
    assert (person["email"], person["roles"], person["active"]) == (ADD[2], ["administrateur"], True)
    assert kb("--data", data, "users", "link", "marie@exemple.fr").stdout != made.stdout
    assert kb("--data", data, "users", "close", "marie@exemple.fr").exit_code == 1  # the last administrator


def test_a_password_is_asked_for_here_and_a_weak_one_makes_no_account(data: Path):
    weak = kb("--data", data, *ADD, "--password", input="motdepasse123\nmotdepasse123\n")
    assert weak.exit_code == 1
    assert "facile à deviner" in weak.stderr
    assert kb("--data", data, "users", "list").stdout == ""
    good = "quatre crabes rouges dansent"
    assert kb("--data", data, *ADD, "--password", input=f"{good}\n{good}\n").exit_code == 0


def test_the_trail_is_verified_and_a_head_that_is_gone_is_told(data: Path):
    kb("--data", data, *ADD)
    whole = kb("--data", data, "audit", "verify")
    assert whole.exit_code == 0
    head = re.search(r"[0-9a-f]{64}", whole.stdout)[0]
    kb("--data", data, "users", "link", "marie@exemple.fr")
    assert kb("--data", data, "audit", "verify", "--head", head).exit_code == 0
    gone = kb("--data", data, "audit", "verify", "--head", "0" * 63 + "1")
    assert gone.exit_code == 1
    assert "l’empreinte donnée n’est plus dans la chaîne" in gone.stdout


def test_the_secret_is_made_with_the_folder_and_changed_on_demand(data: Path):
    before = (data / "secret.key").read_text()
    assert kb("--data", data, "secret", "rotate").exit_code == 0
    assert (data / "secret.key").read_text().splitlines()[1:] == before.splitlines()
