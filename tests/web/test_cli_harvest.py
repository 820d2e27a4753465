"""``kb harvest``: a centre is added, harvested, suspended and taken away from a terminal."""

from __future__ import annotations

import json
import signal

import pytest
from click.testing import CliRunner

from kb import config as settings
from kb.accounts import Right
from kb.runs import Ending
from kb.signing import fingerprint
from kb.sources import PREFIXES
from tests.web.conftest import served
from tests.web.neighbour import CODE, NAME, TITLES, Repository, neighbour
from web import cli_harvest
from web.cli import main
from web.harvest_progress import harvest_with_progress
from web.parts import Parts


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    app = neighbour(tmp_path_factory.mktemp("iles") / "data")
    with served(app) as address:
        app.extensions["address"] = address
        yield app
    app.extensions["parts"].close()


@pytest.fixture
def url(there):
    return there.extensions["address"]


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("KB_PRIVATE_ADDRESSES", "127.0.0.1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / settings.FILE).touch()
    return tmp_path / "data"


@pytest.fixture
def parts(data):
    opened = Parts(settings.load(data))
    yield opened
    opened.close()


def kb(data, *arguments, input=None, env=None):
    words = ["--data", str(data), "harvest", *map(str, arguments)]
    return CliRunner().invoke(main, words, input=input, env=env)


def test_formats_are_those_that_can_be_taken_in():
    assert cli_harvest._PREFIXES == PREFIXES


def test_a_centre_is_added_harvested_listed_and_found(data, parts, url):
    made = kb(data, "add", url)
    assert made.exit_code == 0, made.stderr
    assert made.stdout == f"1 {CODE}\n"
    assert all(title in made.stderr for title in (*TITLES, NAME))
    run = kb(data, "run")
    assert run.exit_code == 0, run.stderr
    assert run.stdout == f"{CODE} : moisson terminée, 3\u00a0nouvelles\n"
    listed = json.loads(kb(data, "list", "--json").stdout)
    assert (listed["centre"], listed["state"], listed["records"]) == (CODE, "à jour", 3)
    assert CODE in kb(data, "list").stdout
    assert len(parts.engine) == 3  # it can be searched at once


def test_what_is_said_on_the_command_line_counts_more_than_what_the_centre_says(data, parts, url):
    kb(
        data,
        "add",
        url,
        "--name",
        "Les Îles",
        "--contact",
        "a@iles.fr",
        "--hours",
        "36",
        "--set",
        "type:rapport",
    )
    [source], centre = parts.sources.all(), parts.centres.get(CODE)
    assert (source.hours, source.set, source.prefix) == (36, "type:rapport", "carbet")
    assert (centre.name, centre.contact, centre.public_key) == ("Les Îles", "a@iles.fr", None)


def test_a_key_comes_by_prompt_file_or_environment_and_is_never_written(data, parts, url, there, tmp_path):
    key = there.extensions["parts"].machines.add("Ville Caraïbe", [Right.READ_NETWORK])
    (tmp_path / "cle").write_text(f"{key}\n")
    ways = ({"input": f"{key}\n"}, {}, {"env": {cli_harvest.KEY: key}})
    for number, (option, given) in enumerate(
        zip((["--key"], ["--key-file", tmp_path / "cle"], []), ways, strict=True), 1
    ):
        made = kb(data, "add", url, "--set", f"s{number}", *option, **given)
        assert made.exit_code == 0, made.stderr
        assert key not in made.output
        assert parts.sources.secret(number) == key
    assert kb(data, "add", url, "--key", input="une clé\n").exit_code == 2


def test_a_public_key_is_kept_if_the_fingerprint_is_the_one_that_was_read(data, parts, url):
    told = kb(data, "add", url, "--fingerprint", "00000 00000")
    assert told.exit_code == 2
    assert parts.sources.all() == ()
    shown = next(line for line in kb(data, "add", url).stderr.splitlines() if "Empreinte" in line)
    parts.sources.remove(1)
    kb(data, "add", url, "--fingerprint", shown.rpartition(":")[2])
    kept = parts.centres.get(CODE).public_key
    assert fingerprint(kept) == shown.rpartition(":")[2].strip()


def test_an_address_that_gives_nothing_is_said_in_one_sentence(data, parts):
    with served(Repository(["Le port"])) as site:
        told = kb(data, "add", f"{site}/ailleurs")
    assert told.exit_code == 1
    assert "Traceback" not in told.output
    assert "vérifiez l’adresse" in told.stderr
    assert parts.sources.all() == ()


def test_a_harvest_that_fails_says_why_and_ends_with_one(data, parts):
    with served(Repository(["Le port"])) as site:
        kb(data, "add", f"{site}/catalogue")
        parts.sources.change(1, url=f"{site}/ailleurs")
        run = kb(data, "run", "bibliotheque-du-port")
    assert run.exit_code == 1
    assert "en échec" in run.stdout
    assert "vérifiez l’adresse" in run.stderr


def test_a_source_that_is_suspended_is_not_harvested_until_it_is_taken_up_again(data, parts):
    with served(Repository(["Le port"])) as site:
        kb(data, "add", f"{site}/catalogue", "--code", "port")
        assert kb(data, "pause", "port").exit_code == 0
        refused = kb(data, "run", "1")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "resume" in refused.stderr
        assert kb(data, "run").exit_code == 0  # of all, those that are not suspended
        assert parts.runs.all() == ()
        kb(data, "resume", "port")
        assert "1\u00a0nouvelle" in kb(data, "run", "port").stdout
        assert "1\u00a0inchangée" in kb(data, "run", "port", "--whole").stdout


def test_an_unknown_name_is_a_usage_error(data):
    for verb in (["run"], ["pause"], ["resume"], ["remove", "--records", "keep"]):
        assert kb(data, *verb, "personne").exit_code == 2


def test_a_source_is_taken_away_with_its_records_or_without(data, parts):
    with served(Repository(["Le port", "La digue"])) as site:
        for records, left in (("remove", {}), ("keep", {"port": 2})):
            kb(data, "add", f"{site}/catalogue", "--code", "port")
            kb(data, "run")
            assert kb(data, "remove", "port", "--records", records).exit_code == 0
            assert parts.sources.all() == ()
            assert parts.store.counts() == left
    assert kb(data, "remove", "port").exit_code == 2  # nobody said what becomes of the records


def test_a_harvest_that_is_stopped_goes_on_from_there(data, parts):
    repository = Repository(["Le port"], ["La digue"], ["La rade"])
    with served(repository) as site:
        kb(data, "add", f"{site}/catalogue", "--code", "port")
        with cli_harvest._asked_to_stop() as stopped:
            repository.before_page = lambda number: stopped.set() if number == 1 else None
            assert not harvest_with_progress(parts, parts.sources.get(1), stopped.is_set)
        assert parts.runs.all()[0].state is Ending.STOPPED
        repository.asked.clear()
        assert kb(data, "run", "port").exit_code == 0
        assert [one.get("resumptionToken") for one in repository.asked] == ["2"]
    assert parts.store.counts() == {"port": 3}


def test_the_first_interruption_asks_to_stop_and_the_second_stops(capsys):
    former = signal.getsignal(signal.SIGINT)
    with cli_harvest._asked_to_stop() as stopped:
        signal.raise_signal(signal.SIGINT)
        assert stopped.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is former
    assert "la page en cours est d’abord gardée" in capsys.readouterr().err


def test_who_interrupts_for_good_leaves_the_source_free(data, parts, monkeypatch):
    def interrupt(number):
        raise KeyboardInterrupt

    with served(Repository(["Le port"])) as site:
        kb(data, "add", f"{site}/catalogue", "--code", "port")
        monkeypatch.setattr(type(parts), "receiver", interrupt)
        with pytest.raises(KeyboardInterrupt):
            harvest_with_progress(parts, parts.sources.get(1), lambda: False)
    assert not parts.sources.get(1).running
