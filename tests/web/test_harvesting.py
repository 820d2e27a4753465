"""The administrator's side of harvesting: a centre is tried, added, followed, changed, taken away."""

from __future__ import annotations

import html
import re
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from ingest.connector import Connector
from ingest.harvest import Patience
from kb.accounts import Right, Role
from kb.centres import Centre
from kb.errors import Conflict, HarvestError, Trouble
from kb.runs import Ending, Run
from kb.signing import fingerprint
from tests.web.conftest import served
from tests.web.neighbour import CODE, NAME, TITLES, Repository, house_of, neighbour
from web import harvest_removal, harvest_words
from web.harvest_removal import count_held, take_away
from web.harvest_trial import addresses, site_of, suggested_code, try_out
from web.nightly import TASKS
from web.worker import Harvesting

LIST = "/reseau/moissons"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = house_of(tmp_path_factory.mktemp("house") / "data")
    yield made
    made.parts.close()


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    app = neighbour(tmp_path_factory.mktemp("iles") / "data")
    yield app.extensions["parts"]
    app.extensions["parts"].close()


@pytest.fixture(scope="module")
def there(other, tmp_path_factory):
    from web.application import build

    with served(build(other)) as address:
        yield address


@pytest.fixture(autouse=True)
def nothing_left(house):
    yield
    for source in house.parts.sources.all():
        house.parts.sources.release(source.id)
        take_away(house.parts, house.parts.sources.get(source.id))


@pytest.fixture
def client(house):
    return house.client(Role.ADMINISTRATOR)


def closed_address() -> str:
    """Where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}/oai"


def hidden(page: str) -> dict[str, str]:
    """The fields of the form of a trial, as a browser sends them back."""
    found = re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page)
    return {
        name: html.unescape(value)
        for name, value in found
        if name not in ("csrf_token", "q", "relays", "trusted")
    }


def tried(house, client, url, **more):
    answer = house.post(client, f"{LIST}/essai", url=url, **more)
    assert answer.status_code == 200, answer.text
    return answer.text


def added(house, client, url, **more) -> int:
    fields = {"hours": "24", "prefix": "carbet"} | hidden(tried(house, client, url)) | more
    answer = house.post(client, LIST, **fields)
    assert answer.status_code == 303, answer.text
    return int(answer.location.rsplit("/", 1)[1])


def harvested(house) -> Run:
    run = house.parts.harvester().harvest_due()
    house.parts.sync()
    assert run is not None
    return run


# -- adding


def test_an_empty_list_says_what_harvesting_is_and_what_to_do(client):
    page = client.get(LIST).text
    assert "Aucun centre n’est moissonné" in page
    assert f'href="{LIST}/nouvelle"' in page
    assert client.get(f"{LIST}.json").json["sources"] == []


def test_a_trial_shows_what_the_centre_is_and_keeps_nothing(house, client, there, other):
    page = tried(house, client, there)
    fields = hidden(page)
    assert (fields["name"], fields["code"], fields["contact"]) == (NAME, CODE, "bonjour@iles.exemple.fr")
    assert fields["url"] == f"{there}/oai"
    assert "3 notices à moissonner".replace(" ", "\u00a0", 1) in page
    assert all(title in page for title in TITLES)
    assert '<option selected value="carbet">' in page
    assert house.parts.sources.all() == ()
    assert CODE not in house.parts.centres.names()


def test_an_added_centre_is_harvested_and_found(house, client, there):
    id = added(house, client, there)
    [source] = house.parts.sources.all()
    assert (source.centre, source.prefix, source.hours, source.relays) == (CODE, "carbet", 24, False)
    assert house.parts.centres.get(CODE).public_key is None  # nobody compared it
    page = client.get(f"{LIST}/{id}").text
    assert "la première moisson commence" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert harvested(house).counts["new"] == 3
    after = client.get(f"{LIST}/{id}").text
    assert "à jour" in after
    assert "3\u00a0nouvelles" in after
    assert "refresh" not in after
    listed = client.get(f"{LIST}.json").json
    assert [(one["name"], one["held"], one["standing"]["word"]) for one in listed["sources"]] == [
        (NAME, 3, "à jour")
    ]
    assert client.get(f"/recherche.json?centre={CODE}").json["total"] == 3


def test_a_public_key_is_kept_when_somebody_compared_its_fingerprint(house, client, there):
    fields = hidden(tried(house, client, there))
    told = fingerprint(fields["public_key"])
    assert told in client.get(f"{LIST}/{added(house, client, there, trusted='y')}").text
    assert house.parts.centres.get(CODE).public_key == fields["public_key"]


def test_another_address_of_a_known_centre_leaves_its_key_alone(house, client, there):
    house.parts.centres.save(Centre(code=CODE, name=NAME, about="Depuis 2004", public_key="ab" * 32))
    assert "déjà dans l’annuaire" in tried(house, client, there)
    added(house, client, there)
    kept = house.parts.centres.get(CODE)
    assert (kept.about, kept.public_key) == ("Depuis 2004", "ab" * 32)


def test_a_key_that_was_typed_is_in_no_page(house, client, there, other):
    key = other.machines.add("Ville Caraïbe", [Right.READ_NETWORK])
    page = tried(house, client, there, secret=key)
    assert key not in page
    answer = house.post(client, LIST, **hidden(page), hours="6", prefix="carbet")
    id = int(answer.location.rsplit("/", 1)[1])
    assert house.parts.sources.secret(id) == key
    assert key not in client.get(f"{LIST}/{id}/modifier").text


def test_a_key_that_is_not_taken_is_said_under_the_key(house, client, there):
    answer = house.post(client, f"{LIST}/essai", url=there, secret="kbc_perdue")
    assert answer.status_code == 400
    assert "n’accepte pas cette clé" in re.search(r'id="secret-faute">([^<]*)<', answer.text)[1]
    assert f'value="{there}"' in answer.text


def test_one_code_never_has_two_kinds_of_numbers(house, client, there):
    id = added(house, client, there)
    harvested(house)
    with served(Repository(["Le port"])) as site:
        fields = hidden(tried(house, client, f"{site}/catalogue")) | {"hours": "24", "prefix": "oai_dc"}
        told = "donnez un autre code"
        assert told in house.post(client, LIST, **fields | {"code": CODE}).text
        house.post(client, f"{LIST}/{id}/supprimer", what="keep")
        assert told in house.post(client, LIST, **fields | {"code": CODE}).text  # its records are there
        other = added(house, client, f"{site}/catalogue", prefix="oai_dc", code="port")
    house.parts.mirrors.forget(house.parts.mirrors.of(CODE))
    fields = hidden(tried(house, client, there)) | {"hours": "24", "prefix": "carbet"}
    assert told in house.post(client, LIST, **fields | {"code": "port"}).text
    page = client.get(f"{LIST}/{other}/modifier").text
    assert 'value="marcxml"' in page
    assert 'value="carbet"' not in page


def test_a_key_with_a_space_is_refused_before_anybody_is_asked(house, client):
    answer = house.post(client, f"{LIST}/essai", url="https://exemple.fr", secret="une clé")
    assert answer.status_code == 400
    assert "ni espace ni accent" in answer.text


def test_what_cannot_be_asked_is_said_under_the_field_and_the_address_stays(house, client):
    for typed, told in (
        (closed_address(), "refuse la connexion"),
        ("http://10.0.0.7/oai", "réseau privé"),
        ("pas une adresse", "vérifiez comment elle est écrite"),
    ):
        answer = house.post(client, f"{LIST}/essai", url=typed)
        assert answer.status_code == 400
        fault = re.search(r'id="url-faute">([^<]*)<', answer.text)
        assert told in fault[1]
        assert f'value="{typed}"' in answer.text


def test_corrections_that_are_wrong_are_asked_again(house, client, there):
    fields = hidden(tried(house, client, there)) | {"hours": "24", "prefix": "carbet"}
    for code, told in (
        ("Îles du Nord", "Minuscules, chiffres et tirets"),
        ("ville-caraibe", "votre propre centre"),
    ):
        answer = house.post(client, LIST, **fields | {"code": code})
        assert answer.status_code == 400
        assert told in answer.text
        assert fields["name"] in html.unescape(answer.text)
    assert house.parts.sources.all() == ()
    added(house, client, there)
    twice = house.post(client, LIST, **fields)
    assert twice.status_code == 400
    assert "Cette adresse est déjà moissonnée" in twice.text


def test_only_administrators_see_the_sources(house):
    assert house.client(Role.LIBRARIAN).get(LIST).status_code == 403
    assert house.client().get(LIST).status_code in (302, 303, 401)
    assert house.client(Role.ADMINISTRATOR).get(f"{LIST}/essai").location == f"{LIST}/nouvelle"


# -- repositories of other makes


@pytest.fixture
def connector():
    made = Connector(allowed="127.0.0.1")
    yield made
    made.close()


def test_a_repository_without_codes_gets_one_proposed_and_its_titles_are_read(house, client):
    with served(Repository(["Le port", "La digue"])) as site:
        page = tried(house, client, f"{site}/catalogue")
    assert hidden(page)["code"] == "bibliotheque-du-port"
    assert "<li>Le port</li>" in page
    assert "ne donne que du Dublin Core" in page
    assert "n’annonce pas, ou pas longtemps, les notices qu’il supprime" in page


def test_a_format_that_cannot_be_taken_in_is_never_chosen(connector):
    repository = Repository(["Le port"], formats=("unimarc", "oai_dc"))
    with served(repository) as site:
        found = try_out(connector, f"{site}/catalogue")
    assert (found.prefix, found.titles, found.size) == ("oai_dc", ("Le port",), 1)


def test_a_site_is_asked_at_oai_and_then_as_it_is(connector):
    assert addresses("iles.exemple.fr") == ("https://iles.exemple.fr/oai", "https://iles.exemple.fr/")
    assert addresses(" http://a.fr/pmb/oai?database=1 ") == ("http://a.fr/pmb/oai?database=1",)
    with served(Repository(["Le port"], path="/")) as site:
        assert try_out(connector, site).url == f"{site}/"
    with served(Repository(["Le port"])) as site, pytest.raises(HarvestError) as caught:
        try_out(connector, site)
    assert caught.value.url.startswith(f"{site}/oai")


def test_a_trial_ends_in_time_though_the_server_says_nothing(connector):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(HarvestError) as caught:
            try_out(connector, f"http://127.0.0.1:{silent.getsockname()[1]}/oai", seconds=0.3)
    assert caught.value.trouble is Trouble.NO_ANSWER
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("name", "url", "code"),
    [
        ("Labo Cités", "https://labo.exemple.fr/oai", "labo-cites"),
        (
            "Portail documentaire du centre de ressources de l’archipel",
            "https://oai.archipel.fr/x",
            "archipel",
        ),
        ("", "http://10.0.0.1/oai", "centre"),
        ("Ωμέγα", "https://omega.gr", "omega"),
    ],
)
def test_a_code_is_proposed_from_the_name_or_the_machine(name, url, code):
    assert suggested_code(name, url) == code


def test_the_site_of_a_carbet_is_before_its_oai():
    assert site_of("https://a.fr/fonds/oai") == "https://a.fr/fonds/"
    assert site_of("https://a.fr/cgi/oai2.php?x=1") == "https://a.fr/"


# -- following, suspending


@pytest.fixture
def source(house):
    house.parts.centres.save(Centre(code="port", name="Le Port"))
    return house.parts.sources.add(centre="port", url=closed_address(), prefix="oai_dc").id


def test_buttons_make_it_due_suspend_it_and_take_it_up_again(house, client, source):
    sources = house.parts.sources
    sources.succeed(source, since="2026-01-01", now=datetime.now(UTC))
    house.post(client, f"{LIST}/{source}/suspendre")
    assert sources.get(source).paused
    page = client.get(f"{LIST}/{source}").text
    assert "suspendue" in page
    assert "Moissonner maintenant" not in page
    house.post(client, f"{LIST}/{source}/reprendre")
    held = sources.get(source)
    assert (held.paused, held.since) == (False, "2026-01-01")
    assert held.due <= datetime.now(UTC)
    sources.succeed(source, since="2026-01-02", now=datetime.now(UTC))
    house.post(client, f"{LIST}/{source}/lancer")
    assert sources.get(source).due <= datetime.now(UTC)
    assert sources.get(source).since == "2026-01-02"
    house.post(client, f"{LIST}/{source}/tout-reprendre")
    assert sources.get(source).since is None


def test_a_harvest_that_runs_shows_how_far_it_is_and_is_not_disturbed(house, client, source):
    parts, now = house.parts, datetime.now(UTC)
    parts.sources.take(now, source)
    run = parts.runs.open(source=source, centre="port", way="oai", now=now)
    parts.runs.note(run, {"new": 1200, "same": 34})
    page = client.get(f"{LIST}/{source}").text
    assert "en cours" in page
    assert "1\u202f234\u00a0notices lues" in page
    assert "Arrêter et suspendre" in page
    for act in ("lancer", "tout-reprendre"):
        answer = house.post(client, f"{LIST}/{source}/{act}")
        assert "Une moisson est en cours" in client.get(answer.location).text
    changed = house.post(client, f"{LIST}/{source}/modifier", **CHANGES)
    assert changed.status_code == 400
    assert "Une moisson est en cours" in changed.text
    with pytest.raises(Conflict):
        take_away(parts, parts.sources.get(source))
    assert parts.sources.get(source).paused  # so that it ends
    answer = house.post(client, f"{LIST}/{source}/supprimer", what="take")
    assert "s’arrête" in answer.text


def test_a_source_that_fails_says_since_when_and_what_to_do(house, client, source):
    work = house.parts.harvester(patience=Patience(tries=1))
    assert work.harvest_due().state is Ending.FAILED
    page = client.get(f"{LIST}/{source}").text
    assert "en échec depuis le" in page
    assert html.escape(harvest_words.said_trouble("no-answer")) in html.unescape(page)
    assert client.get(f"{LIST}.json").json["sources"][0]["last"]["detail"]


def test_nobody_harvesting_is_said_after_a_while(house, client, source, monkeypatch):
    told = "personne ne les moissonne"
    assert told not in client.get(LIST).text
    monkeypatch.setattr("web.harvest_page._UNATTENDED", timedelta(seconds=-1))
    assert told in client.get(LIST).text
    assert told in client.get(f"{LIST}/{source}").text


def run_of(id: int, state: Ending, day: int) -> Run:
    began = datetime(2026, 3, day, tzinfo=UTC)
    return Run(id=id, source=1, centre="port", way="oai", began=began, ended=began, state=state)


def test_failing_begins_after_the_last_harvest_that_was_whole():
    runs = [
        run_of(5, Ending.FAILED, 5),
        run_of(4, Ending.STOPPED, 4),
        run_of(3, Ending.FAILED, 3),
        run_of(2, Ending.DONE, 2),
        run_of(1, Ending.FAILED, 1),
    ]
    assert harvest_words.failing_since(runs) == datetime(2026, 3, 3, tzinfo=UTC)
    assert harvest_words.failing_since(runs[3:]) is None


def test_every_code_of_a_run_has_its_words():
    said = {harvest_words.said_trouble(code) for code in (*Trouble, "storage", "something-else")}
    assert len(said) == len(Trouble) + 2
    assert harvest_words.said_trouble(None) == ""
    assert (
        harvest_words.said_counts({"new": 1, "changed": 2, "whole": 1}) == "1\u00a0nouvelle, 2\u00a0modifiées"
    )
    assert harvest_words.said_counts({"same": 3}, short=True) == "rien de nouveau"


# -- changing

CHANGES = {
    "name": "Le Port neuf",
    "contact": "",
    "site": "https://port.exemple.fr/",
    "url": "http://127.0.0.1:9/autre",
    "hours": "6",
    "prefix": "marcxml",
    "set": "livres",
    "relays": "y",
    "secret": "",
    "public_key": "",
}


def test_what_is_changed_is_kept_of_the_source_and_of_its_centre(house, client, source):
    house.parts.sources.succeed(source, since="2026-01-01", now=datetime.now(UTC))
    assert house.post(client, f"{LIST}/{source}/modifier", **CHANGES).status_code == 303
    held = house.parts.sources.get(source)
    assert (held.url, held.hours, held.prefix, held.set, held.relays, held.since) == (
        "http://127.0.0.1:9/autre", 6, "marcxml", "livres", True, None,
    )  # fmt: skip
    assert house.parts.centres.get("port").name == "Le Port neuf"


def test_a_new_key_brings_what_it_opens_from_the_beginning(house, client, source):
    parts = house.parts
    same = CHANGES | {"url": parts.sources.get(source).url, "prefix": "oai_dc", "set": ""}
    del same["relays"]
    parts.sources.succeed(source, since="2026-01-01", now=datetime.now(UTC))
    house.post(client, f"{LIST}/{source}/modifier", **same)
    assert parts.sources.get(source).since == "2026-01-01"
    house.post(client, f"{LIST}/{source}/modifier", **same | {"secret": "kbc_neuve"})
    assert (parts.sources.get(source).since, parts.sources.secret(source)) == (None, "kbc_neuve")
    house.post(client, f"{LIST}/{source}/modifier", **same | {"forget_secret": "y"})
    assert parts.sources.secret(source) is None


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("public_key", "abc", "64 chiffres"),
        ("site", "port.exemple.fr", "commence par https://"),
        ("url", "port", "commence par https://"),
        ("contact", "port", "adresse électronique"),
    ],
)
def test_a_wrong_change_is_said_under_its_field_and_nothing_is_kept(
    house, client, source, field, value, told
):
    before = house.parts.sources.get(source)
    answer = house.post(client, f"{LIST}/{source}/modifier", **CHANGES | {field: value})
    assert answer.status_code == 400
    assert told in re.search(rf'id="{field}-faute">([^<]*)<', answer.text)[1]
    assert house.parts.sources.get(source) == before
    assert house.parts.centres.get("port").name == "Le Port"


def test_a_rhythm_set_elsewhere_stays_when_something_else_changes(house, client, source):
    house.parts.sources.change(source, hours=36)
    assert "Toutes les 36 heures" in client.get(f"{LIST}/{source}/modifier").text
    house.post(client, f"{LIST}/{source}/modifier", **CHANGES | {"hours": "36"})
    assert house.parts.sources.get(source).hours == 36


# -- taking away


def test_a_source_goes_and_its_records_stay_when_asked(house, client, there):
    id = added(house, client, there)
    harvested(house)
    assert "3\u00a0notices" in client.get(f"{LIST}/{id}/supprimer").text
    house.post(client, f"{LIST}/{id}/supprimer", what="keep")
    assert house.parts.sources.all() == ()
    assert house.parts.store.counts()[CODE] == 3
    house.parts.mirrors.forget(house.parts.mirrors.of(CODE))


def test_its_records_go_with_it_and_those_of_another_source_stay(house, client):
    with (
        served(Repository(["Le port", "La digue"])) as site,
        served(Repository(["La rade"], key="rade")) as second,
    ):
        other = added(house, client, f"{site}/catalogue", prefix="oai_dc", code="port")
        harvested(house)
        id = added(house, client, f"{second}/catalogue", prefix="oai_dc", code="port")
        harvested(house)
    assert house.parts.store.counts()["port"] == 3
    answer = house.post(client, f"{LIST}/{id}/supprimer", what="take")
    assert answer.location == LIST
    assert house.parts.store.counts()["port"] == 2
    assert count_held(house.parts, house.parts.sources.get(other)) == 2


def test_many_records_go_in_several_requests_and_the_source_last(house, client, there, monkeypatch):
    id = added(house, client, there)
    harvested(house)
    monkeypatch.setattr(harvest_removal, "AT_ONCE", 2)
    monkeypatch.setattr("web.harvesting.take_away", lambda parts, source: take_away(parts, source, 0))
    page = house.post(client, f"{LIST}/{id}/supprimer", what="take").text
    assert "Encore 1\u00a0notice" in page
    held = house.parts.sources.get(id)
    assert held.paused
    assert house.parts.harvester().harvest_due() is None  # nothing comes back meanwhile
    house.post(client, f"{LIST}/{id}/supprimer", what="take")
    assert house.parts.sources.all() == ()
    assert CODE not in house.parts.store.counts()


def test_nothing_is_taken_away_until_somebody_chose(house, client, source):
    answer = house.post(client, f"{LIST}/{source}/supprimer")
    assert answer.status_code == 400
    assert house.parts.sources.get(source)


# -- the work behind


def test_a_round_harvests_all_that_is_due_and_stops_between_pages(house, client):
    repository = Repository(["Le port"], ["La digue"], ["La rade"])
    with served(repository) as site:
        id = added(house, client, f"{site}/catalogue", prefix="oai_dc", code="port")
        work = Harvesting(house.parts, house.parts.tagger)
        repository.before_page = lambda number: work.stop() if number == 1 else None
        work.once()
        stopped = house.parts.runs.all(source=id)[0]
        assert (stopped.state, stopped.counts) == (Ending.STOPPED, {"new": 2})
        assert not house.parts.sources.get(id).running
        repository.before_page = lambda number: None
        Harvesting(house.parts, house.parts.tagger).once()
    assert house.parts.runs.all(source=id)[0].counts == {"new": 1}  # it went on where it was
    assert house.parts.sources.get(id).due > datetime.now(UTC)


def test_a_round_that_finds_nobody_goes_on(house, source):
    house.parts.sources.change(source, url="http://10.0.0.7/oai")  # which no setting opens
    with capture_logs() as said:
        Harvesting(house.parts, house.parts.tagger).once()
    assert [line["state"] for line in said if line["event"] == "harvest.ended"] == [Ending.FAILED]


def test_at_night_words_of_other_centres_get_proposals(house):
    assert TASKS["propose-words"](house.parts, datetime.now(UTC)) == 0
