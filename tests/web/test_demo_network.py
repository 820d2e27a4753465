"""Three centres on one machine: the two imaginary ones with the funds that they have in ``corpus/network``,
the first with a few records. Prepared once, served by themselves, harvested to the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import corpus
from ingest.aligning import MET
from kb import config as settings
from kb.accounts import Right
from kb.alignments import Standing, Way
from kb.errors import ConfigError, NotFound, PortTaken
from kb.records import Record
from kb.runs import Ending
from search import finder
from web import cli, create_app, demo_network
from web.demo_network import HOST, Member
from web.parts import Parts

NETWORK = corpus.FOLDER / "network"
FIRST, CSV, MRC = "ville-caraibe", "demo-guadeloupe", "demo-guyane"
CODES = (FIRST, CSV, MRC)
FEW = """titre;sous-titre;auteurs;éditeur;année;pages;isbn;type
De la zone au projet;vingt ans de géographie prioritaire;Ozanne, Bertrand;Presses universitaires de \
l’Archipel;2013;274;978-2-9999900-3-6;Ouvrage
Compter les pauvres;;Astier, Paul-Henri;Presses universitaires de l’Archipel;2006;198;;Ouvrage
La clause d’insertion de A à Z;;Fauvet, Dominique / Garnier-Lise, Sabine;Union des régies caribéennes;2010;\
88;;Guide méthodologique
Marcher dans Trénelle;;Nérée, Wilfrid;Atelier des Mornes;2011;60;;Étude
"""


def three_ports() -> int:
    """The first of three ports in a row that nobody has."""
    for port in range(20000 + os.getpid() % 20000, 60000, 3):
        try:
            for one in range(port, port + 3):
                with socket.socket() as probe:
                    probe.bind((HOST, one))
        except OSError:
            continue
        return port
    raise AssertionError("no port is free")


def prepare(data: Path, port: int, fund: Path) -> Result:
    """``kb demo --network --no-serve`` with another fund for the first centre."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_demo_paths", lambda: (fund,))
        patch.setattr(
            cli, "_ask_questions", lambda parts, path: None
        )  # they cite documents of the whole fund
        arguments = ["--data", str(data), "demo", "--network", "--no-serve", "--port", str(port)]
        return CliRunner().invoke(cli.main, arguments)


class Three:
    """The three data folders, once prepared."""

    def __init__(self, data: Path, fund: Path) -> None:
        self.data, self.fund, self.port = data, fund, three_ports()
        self.result = prepare(data, self.port, fund)

    def folder(self, code: str) -> Path:
        return self.data if code == FIRST else self.data / demo_network.BESIDE / code

    @contextmanager
    def parts(self, code: str) -> Iterator[Parts]:
        opened = Parts(settings.load(self.folder(code), {}))
        yield opened
        opened.close()

    @property
    def members(self) -> tuple[Member, ...]:
        return demo_network.members(self.data, self.port, (self.fund,), NETWORK)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Three:
    folder = tmp_path_factory.mktemp("network")
    (folder / "few.csv").write_text(FEW, encoding="utf-8")
    made = Three(folder / "data", folder / "few.csv")
    assert made.result.exit_code == 0, made.result.output
    return made


@pytest.fixture(params=CODES)
def parts(three: Three, request: pytest.FixtureRequest) -> Iterator[Parts]:
    with three.parts(request.param) as opened:
        yield opened


def records(parts: Parts) -> dict[str, Record]:
    return parts.store.get_many(list(parts.store.ids()))


def by_cote(parts: Parts, centre: str, cote: str) -> Record | None:
    found = (r for r in records(parts).values() if r.centre == centre and r.call_number == cote)
    return next(found, None)


def accesses(parts: Parts, centre: str) -> Counter[str]:
    return Counter(record.access for record in records(parts).values() if record.centre == centre)


def owners(parts: Parts, question: str) -> set[str]:
    """Whose records are the first three for a question."""
    found = finder.find(question, engine=parts.engine, limit=3)
    return {hit.id.partition(":")[0] for hit in found.results.hits}


# -- once prepared


def test_each_index_holds_the_records_of_the_three(parts: Parts):
    facet = finder.find("", engine=parts.engine, facets=("centre",)).results.facets["centre"]
    assert facet == Counter(record.centre for record in records(parts).values())
    assert set(facet) == set(CODES)


@pytest.mark.parametrize(
    ("words", "owner"),
    [
        ("borne-fontaine comité d’eau photographie aérienne", MRC),
        ("permanence secret interprète pirogues tarif fixe", MRC),
        ("gombos pois d’Angole avocatier", CSV),
        ("correspondants cahier de bord halls ascenseur", CSV),
        ("Marcher dans Trénelle", FIRST),
    ],
)
def test_each_finds_the_documents_of_the_others(parts: Parts, words: str, owner: str):
    assert owner in owners(parts, words)


def test_every_harvest_reached_its_end_and_refused_nothing(parts: Parts):
    sources = parts.sources.all()
    assert {source.centre for source in sources} == set(CODES) - {parts.config.centre}
    for source in sources:
        (run,) = parts.runs.all(source=source.id, limit=1)
        assert (run.state, run.notes) == (Ending.DONE, ())
        assert (source.prefix, source.hours, source.has_secret, source.token) == ("carbet", 1, True, None)


def test_what_is_for_the_network_arrives_and_what_is_for_the_staff_does_not(three: Three):
    with three.parts(FIRST) as parts:
        held = {centre: accesses(parts, centre) for centre in CODES}
        assert (by_cote(parts, MRC, "SEC 2"), by_cote(parts, CSV, "POL 3")) == (None, None)
    for centre, cote in ((MRC, "SEC 2"), (CSV, "POL 3")):
        with three.parts(centre) as parts:
            own = accesses(parts, centre)
            assert by_cote(parts, centre, cote).access == "staff"
        assert own["staff"] == 1
        assert own["network"] >= 4
        assert held[centre] == own - Counter(staff=1)


def test_what_is_for_the_network_comes_with_its_text_and_stays_out_of_visitors_sight(three: Three):
    app = create_app(settings.load(three.folder(CSV), {}))
    with closing(app.extensions["parts"]) as parts:
        (minutes,) = [r for r in records(parts).values() if "Palétuviers : réunion" in r.title]
        assert (minutes.centre, minutes.access) == (MRC, "network")
        assert "manguier" in "".join(page.text for page in parts.store.pages(minutes.id))
        client = app.test_client()
        assert client.get(f"/notice/{minutes.id}").status_code == 404
        assert client.get(f"/notice/{by_cote(parts, MRC, 'HAB 1').id}").status_code == 200


def test_a_work_that_several_have_is_gathered(parts: Parts):
    titles: Counter[str] = Counter()
    for id in parts.works.gathered(limit=500):
        (group,) = parts.works.members([id]).values()
        assert len({one.partition(":")[0] for one in group}) == len(group)
        if id == group[0]:
            titles[parts.store.get(id).title.partition(" : ")[0]] += len(group)
    assert (titles["De la zone au projet"], titles["Compter les pauvres"]) == (3, 2)
    assert sum(count == 3 for count in titles.values()) == 2
    # Seven works are in both imaginary centres and not in the first.
    three = {"Franges de ville", "Lire un budget communal", "Le non-recours expliqué à ceux qui accueillent"}
    assert three <= set(titles)
    assert len(titles) >= 2 + 1 + 7


def test_there_are_key_words_to_decide_on_of_each_sort(three: Three):
    with three.parts(FIRST) as parts:
        waiting = parts.alignments.listed(Standing.WAITING, 500)
    assert {word.meaning.way for word in waiting} >= {Way.LABEL, Way.NEAR, Way.NONE}
    assert any(word.uses >= MET and word.meaning.way is Way.NONE for word in waiting)


# -- what they know of one another


def test_each_knows_the_others_and_trusts_their_signature(three: Three):
    keys = {}
    for code in CODES:
        with three.parts(code) as parts:
            keys[code] = parts.centre_key.public
    for code in CODES:
        with three.parts(code) as parts:
            assert parts.centres.keys() == {other: key for other, key in keys.items() if other != code}
            assert all(one.contact.endswith("exemple.fr") for one in parts.centres.all())
            held = parts.machines.all()
            assert [key.scopes for key in held] == [frozenset({Right.READ_NETWORK})] * 2


def test_the_imaginary_centres_say_so_and_only_the_three_ports_may_be_asked(three: Three):
    ports = ", ".join(f"{HOST}:{three.port + one}" for one in range(3))
    for number, code in enumerate(CODES):
        config = settings.load(three.folder(code), {})
        assert (config.centre, config.port, config.private_addresses) == (code, three.port + number, ports)
        assert ("centre imaginaire" in config.centre_about) == (code != FIRST)


# -- done again


def state(three: Three) -> dict[str, object]:
    told: dict[str, object] = {}
    for code in CODES:
        with three.parts(code) as parts:
            told[code] = (
                parts.store.position(),
                [key.id for key in parts.machines.all()],
                [(s.id, s.url, parts.sources.secret(s.id)) for s in parts.sources.all()],
                parts.centres.all(),
                (three.folder(code) / settings.FILE).read_bytes(),
            )
    return told


def test_done_again_it_changes_nothing_and_mends_a_key_that_was_revoked(three: Three):
    before = state(three)
    began = time.monotonic()
    assert prepare(three.data, three.port, three.fund).exit_code == 0
    assert time.monotonic() - began < 20
    assert state(three) == before
    with three.parts(MRC) as gives, three.parts(FIRST) as takes:
        (source,) = [s for s in takes.sources.all() if s.centre == MRC]
        bad = gives.machines.identify(takes.sources.secret(source.id))
        gives.machines.revoke(int(bad.actor.removeprefix("cle:")))
        demo_network.introduce(three.members)
        assert gives.machines.identify(takes.sources.secret(source.id)).name == takes.config.centre_name


# -- settings and ports


def test_settings_are_written_where_they_stand_and_the_rest_stays(tmp_path: Path):
    path = tmp_path / settings.FILE
    path.write_text(settings.template().replace("#per_page = 20", "per_page = 50"), encoding="utf-8")
    length = len(path.read_text(encoding="utf-8").splitlines())
    given = {"centre_name": "L’« autre » \\ centre", "port": 9001, "private_addresses": "127.0.0.1:9001"}
    demo_network.write_settings(path, given)
    demo_network.write_settings(path, {"port": 9002})
    config = settings.load(tmp_path, {})
    assert (config.centre_name, config.port, config.per_page) == (given["centre_name"], 9002, 50)
    assert len(path.read_text(encoding="utf-8").splitlines()) == length
    path.write_text("per_page = 50\n", encoding="utf-8")  # of a former version, or by hand
    demo_network.write_settings(path, given)
    assert settings.load(tmp_path, {}).port == 9001


def test_a_record_that_is_not_there_cannot_be_kept_for_some(three: Three):
    with three.parts(CSV) as parts, pytest.raises(NotFound):
        demo_network.restrict(parts, {"ABC 999": "staff"})


def test_there_must_be_three_ports(tmp_path: Path):
    with pytest.raises(ConfigError, match="65535"):
        demo_network.members(tmp_path, 65534, (), NETWORK)
    some = demo_network.members(tmp_path, three_ports(), (), NETWORK)
    with socket.socket() as taken:
        taken.bind((HOST, some[2].port))
        taken.listen()
        with pytest.raises(PortTaken):
            demo_network.check_ports(some)


def test_a_taken_port_is_said_before_anything_is_made(tmp_path: Path):
    port = three_ports()
    with socket.socket() as taken:
        taken.bind((HOST, port + 1))
        taken.listen()
        result = prepare(tmp_path / "data", port, tmp_path)
    assert result.exit_code == 2
    assert f"{HOST}:{port + 1} est déjà prise" in result.output
    assert not (tmp_path / "data").exists()


# -- served


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def descendants(process: int) -> set[int]:
    """The processes that one started, and those that these started, on Linux."""
    found: set[int] = set()
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | descendants(child)
    return found


def await_that(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


SERVE = """
import sys
from pathlib import Path
from web import demo_network
data, port, network = sys.argv[1:]
sys.exit(demo_network.serve(demo_network.members(Path(data), int(port), (), Path(network))))
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_three_are_served_and_end_together(three: Three, end: signal.Signals):
    command = [sys.executable, "-c", SERVE, str(three.data), str(three.port), str(NETWORK)]
    ports = range(three.port, three.port + 3)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, process_group=0) as running:
        try:
            told = ""
            while "Ctrl+C arrête les trois" not in told:
                line = running.stderr.readline()
                assert line, told
                told += line
            assert all(is_open(port) for port in ports)
            assert all(f"http://{HOST}:{port}/" in told for port in ports)
            started = descendants(running.pid)
            assert len(started) >= 3
        finally:
            running.send_signal(end)
        assert running.wait(30) == (0 if end is signal.SIGTERM else -end)
        running.stderr.close()
    await_that(lambda: not any(Path(f"/proc/{one}/cmdline").exists() for one in started), 10)
    assert not any(is_open(port) for port in ports)
