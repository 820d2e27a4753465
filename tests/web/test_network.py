"""The public page of the network: who is in it, what of theirs the visitor may find, how we are read."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

import pytest

from kb.accounts import Role
from kb.centres import Centre
from kb.mirrors import Origin
from kb.records import Record
from kb.runs import Ending
from kb.sharing import Shared
from tests.web.neighbour import CODE, NAME, house_of
from web.network import steps

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = house_of(tmp_path_factory.mktemp("house") / "data")
    made.parts.store.save(Record(id="ville-caraibe:1", title="Un rapport d’ici", type="rapport"))
    made.parts.sync()
    yield made
    made.parts.close()


@pytest.fixture
def neighbours(house):
    """Two centres: one with a public record and one for the network alone, the other with nothing yet."""
    parts = house.parts
    parts.centres.save(Centre(code=CODE, name=NAME, about="Depuis 2004", url="https://iles.exemple.fr/"))
    parts.centres.save(Centre(code="port", name="Le Port"))
    source = parts.sources.add(centre=CODE, url="https://iles.exemple.fr/oai", prefix="carbet")
    parts.sources.add(centre="port", url="https://port.exemple.fr/oai", prefix="oai_dc")
    for number, access in ((1, "public"), (2, "network")):
        record = Record(id=f"{CODE}:{number}", title=f"Notice {number}", type="guide", access=access)
        origin = Origin(centre=CODE, source=source.id, identifier=record.id, datestamp="2026-03-01")
        parts.mirrors.keep(Shared(record, ()), origin)
    run = parts.runs.open(source=source.id, centre=CODE, way="oai", now=NOW)
    parts.runs.close(run, Ending.DONE, {"new": 2}, now=NOW)
    parts.sync()
    yield source
    parts.mirrors.forget(parts.mirrors.of(CODE))
    for one in parts.sources.all():
        parts.sources.remove(one.id)
    parts.sync()


def told(client):
    return client.get("/reseau.json").json


def test_without_another_centre_the_page_says_what_it_will_be(house):
    page = house.client().get("/reseau").text
    assert "Pas encore d’autre centre" in page
    assert "moissons" not in page
    assert 'href="/reseau/moissons/nouvelle"' in house.client(Role.ADMINISTRATOR).get("/reseau").text
    found = told(house.client())
    assert (found["centres"], found["total"], found["own"]) == ([], 1, 1)


def test_centres_are_shown_with_what_the_visitor_may_find(house, neighbours):
    found = told(house.client())
    assert [(one["name"], one["count"]) for one in found["centres"]] == [(NAME, 1), ("Le Port", 0)]
    assert (found["total"], found["own"]) == (2, 1)
    with_right = told(house.client(Role.LIBRARIAN))
    assert [one["count"] for one in with_right["centres"]] == [2, 0]
    page = html.unescape(house.client().get("/reseau").text)
    assert "Depuis 2004" in page
    assert "10 mars 2026" in page
    assert "Aucun document ici pour le moment" in page
    assert "Pas encore moissonné" in page


def test_a_link_leads_to_the_documents_of_a_centre(house, neighbours):
    client = house.client()
    url = told(client)["centres"][0]["records_url"]
    assert f'href="{url}"' in client.get("/reseau").text
    assert client.get(url.replace("/recherche", "/recherche.json")).json["total"] == 1


def test_a_centre_that_only_others_speak_of_goes_by_its_code(house, neighbours):
    parts = house.parts
    record = Record(id="tiers:7", title="Une notice relayée", type="guide")
    origin = Origin(centre=CODE, source=neighbours.id, identifier=record.id, datestamp="2026-03-01")
    parts.mirrors.keep(Shared(record, ()), origin, relayed=True)
    parts.sync()
    assert ("tiers", 1) in [(one["name"], one["count"]) for one in told(house.client())["centres"]]


def test_what_we_share_is_told_with_addresses_that_answer(house):
    client = house.client()
    ways = told(client)["ways"]
    assert [way["name"] for way in ways] == ["OAI-PMH", "SRU", "Atom", "RSS"]
    for way in ways:
        path = re.sub(r"^https?://[^/]+", "", way["url"])
        answer = client.get(path + ("?verb=Identify" if path == "/oai" else ""))
        assert answer.status_code == 200
        assert "xml" in answer.mimetype
    assert "mailto:contact@vc.exemple.fr" in client.get("/reseau").text
    assert "/administration/cles" not in client.get("/reseau").text


def test_troubles_and_figures_are_for_those_who_tend_the_machine(house, neighbours):
    parts = house.parts
    run = parts.runs.open(source=neighbours.id, centre=CODE, way="oai", now=NOW)
    parts.runs.close(run, Ending.FAILED, {}, now=NOW, trouble="refused", detail="status 401")
    for role in (Role.VISITOR, Role.MEMBER, Role.LIBRARIAN):
        assert told(house.client(role))["tended"] is None
        page = house.client(role).get("/reseau").text
        assert "en échec" not in page
        assert "Ce que chaque centre apporte" not in page
    client = house.client(Role.ADMINISTRATOR)
    tended = told(client)["tended"]
    assert [one["name"] for one in tended["troubles"]] == [NAME]
    assert "refuse l’accès" in tended["troubles"][0]["told"]
    assert tended["types"] == ["Guide méthodologique", "Rapport"]
    assert [
        (line["name"], [cell["count"] for cell in line["cells"]], line["total"]) for line in tended["grid"]
    ] == [
        ("Ville Caraïbe", [0, 1], 1),
        (NAME, [2, 0], 2),
    ]
    page = client.get("/reseau").text
    assert f'href="/reseau/moissons/{neighbours.id}"' in page
    assert "Ce que chaque centre apporte" in page


def test_shades_rise_with_counts_from_none_to_the_highest(house, neighbours):
    [ours, theirs] = told(house.client(Role.ADMINISTRATOR))["tended"]["grid"]
    shades = {cell["count"]: cell["shade"] for cell in (*ours["cells"], *theirs["cells"])}
    assert shades == {0: 0, 1: 1, 2: len(steps(2))}


def test_the_network_stands_in_the_main_navigation(house):
    page = house.client().get("/reseau").text
    assert '<a href="/reseau" aria-current="true">Réseau</a>' in page
    assert '<a href="/reseau">Réseau</a>' in house.client().get("/").text
