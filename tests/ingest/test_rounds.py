"""A harvest from its beginning to its end, cut short, resumed, refused; and what it leaves in the fund."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ingest.connector import Fetched
from ingest.harvest import Patience
from ingest.mirroring import Receiver
from ingest.rounds import WHOLE_AGAIN, Harvester, asked_set
from kb import carbetxml
from kb.alignments import Meaning, Way, Words
from kb.audit import Action, Wanted
from kb.centres import Centre, Centres
from kb.database import Store
from kb.mirrors import Mirrors
from kb.records import Page, Record
from kb.runs import Ending, Run, Runs
from kb.secret import Keyring
from kb.sources import Sources

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://labo.exemple.fr/oai"
QUICK = Patience(tries=1, pause=0.0, waits=0, seconds=1.0)
PAGE = 2


class Untagged:
    """Proposes nothing: these tests look at the way, not at the tags."""

    def suggest(self, texts):
        return [[] for _ in texts]


class Repository:
    """Another centre's OAI-PMH, in memory: pages of two, tokens that say where they go on."""

    def __init__(self, *, deleted: str = "persistent") -> None:
        self.records: dict[str, tuple[str, str | None]] = {}  # id -> (datestamp, metadata or None)
        self.asked: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.deleted = deleted
        self.expired = False
        self.fails_at: int | None = None
        self.centre = "labo"
        self.clock = NOW

    def put(self, number: int, xml: str | None, at: datetime = NOW - timedelta(days=1)) -> None:
        self.records[f"oai:x:labo:{number}"] = (_written(at), xml)

    def __call__(self, url: str, *, headers=None) -> Fetched:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(query)
        self.headers.append(dict(headers or {}))
        if self.fails_at is not None and len(self.asked) >= self.fails_at:
            return Fetched(url=url, status=500, headers={}, body=b"")
        inner = self._identify() if query["verb"] == "Identify" else self._list(query)
        at = _written(self.clock)
        xml = f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>{at}</responseDate>'
        body = f"{xml}<request/>{inner}</OAI-PMH>".encode()
        return Fetched(url=url, status=200, headers={"content-type": "text/xml"}, body=body)

    def _identify(self) -> str:
        own = f'<carbet xmlns="https://carbet.example/ns/network/1"><centre>{self.centre}</centre></carbet>'
        return (
            f"<Identify><repositoryName>Labo</repositoryName><baseURL>{URL}</baseURL>"
            "<protocolVersion>2.0</protocolVersion><adminEmail>a@labo.fr</adminEmail>"
            f"<earliestDatestamp>2000-01-01T00:00:00Z</earliestDatestamp><deletedRecord>{self.deleted}"
            "</deletedRecord><granularity>YYYY-MM-DDThh:mm:ssZ</granularity>"
            f"<description>{own}</description></Identify>"
        )

    def _list(self, query: dict[str, str]) -> str:
        token = query.get("resumptionToken")
        if token and self.expired:
            return '<error code="badResumptionToken">expired</error>'
        start, since = (int(token), "") if token else (0, query.get("from", ""))
        some = [(id, *told) for id, told in sorted(self.records.items()) if told[0] >= since]
        page = some[start : start + PAGE]
        if not page:
            return '<error code="noRecordsMatch"/>'
        last = start + PAGE >= len(some)
        after = (
            "" if last and not token else f"<resumptionToken>{'' if last else start + PAGE}</resumptionToken>"
        )
        return f"<ListRecords>{''.join(map(_record, page))}{after}</ListRecords>"


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _record(told: tuple[str, str, str | None]) -> str:
    id, at, xml = told
    status = ' status="deleted"' if xml is None else ""
    metadata = "" if xml is None else f"<metadata>{xml}</metadata>"
    header = f"<header{status}><identifier>{id}</identifier><datestamp>{at}</datestamp></header>"
    return f"<record>{header}{metadata}</record>"


def carbet(number: int, title: str = "Un titre", **fields) -> str:
    record = Record(id=f"labo:{number}", title=title, **fields)
    return carbetxml.to_xml(record, (Page(1, f"Texte de la notice {number}"),))


class Network:
    """Our side: a fund, and one source."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(f"sqlite:///{folder / 'kb.sqlite'}", folder)
        database, trail = self.store.database, self.store.trail
        self.centres = Centres(database, trail, "ici")
        self.sources = Sources(database, trail, Keyring(folder))
        self.runs = Runs(database, trail)
        self.mirrors = Mirrors(self.store, "ici")
        self.now = NOW
        self.stop_after: int | None = None
        self.centres.save(Centre(code="labo", name="Labo", url="https://labo.exemple.fr"))

    def add(self, **fields):
        return self.sources.add(**({"centre": "labo", "url": URL, "prefix": "carbet"} | fields))

    def harvest(self, repository: Repository, id: int = 1) -> Run:
        pages: list[int] = []
        words = Words(self.store, lambda said: Meaning(concept=None, way=Way.NONE))
        harvester = Harvester(
            centres=self.centres,
            sources=self.sources,
            runs=self.runs,
            mirrors=self.mirrors,
            receiver=lambda: Receiver(self.store, self.mirrors, Untagged(), words),
            get=repository,
            clock=lambda: self.now,
            stopped=lambda: self.stop_after is not None and len(pages) >= self.stop_after,
            progress=lambda received, size: pages.append(1),
            patience=QUICK,
        )
        run = harvester.harvest_one(id)
        assert run is not None
        return run

    def titles(self) -> dict[str, str]:
        return {id: record.title for id, record in self.store.get_many(list(self.store.ids())).items()}


@pytest.fixture
def network(tmp_path: Path):
    made = Network(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def repository() -> Repository:
    made = Repository()
    for number in range(1, 6):
        made.put(number, carbet(number))
    return made


def verbs(repository: Repository) -> list[str]:
    return [query["verb"] for query in repository.asked]


def test_a_harvest_takes_all_with_their_text_and_says_so(network: Network, repository: Repository):
    network.add()
    run = network.harvest(repository)
    assert (run.state, run.counts, run.notes) == (Ending.DONE, {"new": 5}, ())
    assert network.store.pages("labo:3") == (Page(1, "Texte de la notice 3"),)
    assert network.mirrors.origins(["labo:3"])["labo:3"].url == "https://labo.exemple.fr/notice/labo:3"
    assert [line.action for line in network.store.trail.every(Wanted())].count(Action.HARVESTED) == 1


def test_the_next_harvest_asks_for_what_changed_since_the_server_answered(network, repository):
    network.add()
    repository.clock = NOW - timedelta(hours=2)  # its clock, not ours
    network.harvest(repository)
    repository.put(2, carbet(2, "Mieux"), at=NOW)
    repository.put(4, None, at=NOW)
    run = network.harvest(repository)
    assert run.counts == {"changed": 1, "deleted": 1}
    assert network.titles()["labo:2"] == "Mieux"
    assert "labo:4" not in network.titles()
    asked = repository.asked[-1]["from"]
    assert _written(NOW - timedelta(hours=3)) < asked <= _written(NOW - timedelta(hours=2))


def test_a_centre_is_asked_for_its_own_records_unless_it_relays(network: Network, repository: Repository):
    source = network.add()
    network.harvest(repository)
    assert repository.asked[1]["set"] == "centre:labo"
    assert asked_set(network.sources.change(source.id, relays=True)) is None
    assert asked_set(network.sources.change(source.id, relays=False, set="type:guide")) == "type:guide"


def test_our_key_goes_with_each_question(network: Network, repository: Repository):
    network.add(secret="kbc_x")
    network.harvest(repository)
    assert {headers.get("Authorization") for headers in repository.headers} == {"Bearer kbc_x"}


def test_a_harvest_that_was_stopped_goes_on_at_its_page_with_its_first_date(network, repository):
    network.add()
    network.stop_after = 1
    assert network.harvest(repository).state is Ending.STOPPED
    assert len(network.titles()) == 2
    network.stop_after = None
    repository.clock = NOW + timedelta(hours=5)
    repository.asked.clear()
    run = network.harvest(repository)
    assert (run.state, run.counts) == (Ending.DONE, {"new": 3})
    assert [query.get("resumptionToken") for query in repository.asked] == ["2", "4"]
    assert network.sources.get(1).since == NOW.isoformat()


def test_a_harvest_that_failed_keeps_what_came_and_says_why(network: Network, repository: Repository):
    network.add()
    repository.fails_at = 3
    run = network.harvest(repository)
    assert (run.state, run.trouble, run.counts) == (Ending.FAILED, "http", {"new": 2})
    source = network.sources.get(1)
    assert (source.token, source.failures, source.running) == ("2", 1, False)
    assert source.due > NOW
    repository.fails_at = None
    assert network.harvest(repository).counts == {"new": 3}


def test_a_token_that_expired_starts_again_from_the_date(network: Network, repository: Repository):
    network.add()
    network.stop_after = 1
    network.harvest(repository)
    network.stop_after, repository.expired = None, True
    run = network.harvest(repository)
    assert (run.state, run.trouble) == (Ending.FAILED, "bad-token")  # it expires at every page there
    repository.expired = False
    assert network.harvest(repository).state is Ending.DONE
    assert len(network.titles()) == 5


def test_a_pause_ends_the_harvest_after_its_page(network: Network, repository: Repository):
    network.add()
    asked = repository.__call__

    def pausing(url: str, *, headers=None) -> Fetched:
        if "ListRecords" in url:
            network.sources.pause(1, True)
        return asked(url, headers=headers)

    run = network.harvest(pausing)
    assert run.state is Ending.STOPPED
    assert len(network.titles()) == PAGE


def test_one_bad_record_stops_no_other_and_is_told(network: Network, repository: Repository):
    network.add()
    repository.put(2, carbet(9))  # under another's name
    repository.put(3, "<autre>chose</autre>")
    run = network.harvest(repository)
    assert run.state is Ending.DONE
    assert run.counts == {"new": 3, "refused": 2}
    assert run.notes[0] == "oai:x:labo:2 : la notice labo:9 est envoyée sous le nom de labo:2"


def test_another_centre_than_the_one_that_was_added_is_told(network: Network, repository: Repository):
    network.add()
    repository.centre = "oriv"
    run = network.harvest(repository)
    assert run.notes == ("ce site dit être le centre « oriv », et non « labo » : vérifiez l’adresse",)


DC = (
    '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title><dc:creator>Durand, Ève</dc:creator>'
    "<dc:date>2011</dc:date><dc:identifier>https://labo.exemple.fr/n/1</dc:identifier></oai_dc:dc>"
)
MARC = (
    '<record xmlns="http://www.loc.gov/MARC21/slim"><leader>00000nam0 2200000   450 </leader>'
    '<controlfield tag="001">77</controlfield><datafield tag="200" ind1="1" ind2=" ">'
    '<subfield code="a">{}</subfield></datafield></record>'
)


@pytest.mark.parametrize(("prefix", "xml"), [("oai_dc", DC), ("marcxml", MARC)])
def test_records_of_other_programs_get_an_id_here_and_keep_it(network, prefix: str, xml: str):
    network.add(prefix=prefix)
    repository = Repository()
    repository.put(1, xml.format("Un titre"))
    assert network.harvest(repository).counts == {"new": 1}
    (id,) = network.titles()
    assert id == "labo:1"
    repository.put(1, xml.format("Un autre"), at=NOW)
    assert network.harvest(repository).counts == {"changed": 1}
    assert network.titles() == {id: "Un autre"}
    repository.put(1, None, at=NOW)
    assert network.harvest(repository).counts == {"deleted": 1}
    repository.put(1, xml.format("De retour"), at=NOW)
    network.harvest(repository)
    assert network.titles() == {id: "De retour"}


def test_what_a_repository_without_deletions_has_no_more_is_dropped_at_the_next_whole_harvest(network):
    network.add(prefix="oai_dc")
    repository = Repository(deleted="no")
    for number in (1, 2, 3):
        repository.put(number, DC.format(f"Titre {number}"))
    network.harvest(repository)
    del repository.records["oai:x:labo:2"]
    run = network.harvest(repository)
    assert len(network.titles()) == 3  # only what changed was asked
    network.now = repository.clock = NOW + WHOLE_AGAIN + timedelta(hours=1)
    run = network.harvest(repository)
    assert run.counts["deleted"] == 1
    assert sorted(network.titles().values()) == ["Titre 1", "Titre 3"]


def test_a_whole_list_that_was_cut_short_drops_nothing(network: Network):
    network.add(prefix="oai_dc")
    repository = Repository(deleted="no")
    for number in range(1, 6):
        repository.put(number, DC.format(f"Titre {number}"))
    network.harvest(repository)
    network.now = repository.clock = NOW + WHOLE_AGAIN + timedelta(hours=1)
    network.stop_after = 1
    network.harvest(repository)
    network.stop_after = None
    network.harvest(repository)
    assert len(network.titles()) == 5


def test_two_at_once_do_not_harvest_one_source(network: Network, repository: Repository):
    network.add()
    others: list[object] = []
    asked: Callable[..., Fetched] = repository.__call__

    def meanwhile(url: str, *, headers=None) -> Fetched:
        others.append(network.sources.take(NOW, 1))
        return asked(url, headers=headers)

    network.harvest(meanwhile)
    assert others
    assert set(others) == {None}
