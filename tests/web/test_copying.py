"""A record is looked up in another catalogue, read, and only then kept."""

from __future__ import annotations

import dataclasses
import re
from html import unescape

import pytest

from ingest.connector import Fetched
from ingest.sru import Catalogue
from kb.accounts import Role
from kb.errors import ConnectionFailed, Fault
from kb.records import Record

ISBN = "9782070612758"
RECORD = (
    '<record xmlns="http://www.loc.gov/MARC21/slim"><leader>00000cam0 2200000   450 </leader>'
    '<datafield tag="010" ind1=" " ind2=" "><subfield code="a">978-2-07-061275-8</subfield></datafield>'
    '<datafield tag="200" ind1="1" ind2=" "><subfield code="a">La ville à trois vitesses</subfield>'
    "</datafield>"
    '<datafield tag="210" ind1=" " ind2=" "><subfield code="c">La Villette</subfield>'
    '<subfield code="d">2009</subfield></datafield><datafield tag="700" ind1=" " ind2="|">'
    '<subfield code="a">Donzelot</subfield><subfield code="b">Jacques</subfield></datafield>'
    '<datafield tag="930" ind1=" " ind2=" "><subfield code="a">COTE D’AILLEURS</subfield></datafield>'
    "</record>"
)

DIRECTS = 'Jacques</subfield><subfield code="4">340</subfield>'


def answer(*records: str, total: int | None = None) -> bytes:
    inner = "".join(f"<record><recordData>{one}</recordData></record>" for one in records)
    count = len(records) if total is None else total
    return (
        '<searchRetrieveResponse xmlns="http://www.loc.gov/zing/srw/"><version>1.2</version>'
        f"<numberOfRecords>{count}</numberOfRecords><records>{inner}</records></searchRetrieveResponse>"
    ).encode()


@pytest.fixture
def server(house):
    """Puts another catalogue behind the page; what it answers is told by the test."""

    def stand(body: bytes | Exception, status: int = 200) -> list[str]:
        asked: list[str] = []

        def get(url: str, *, limits) -> Fetched:
            asked.append(url)
            if isinstance(body, Exception):
                raise body
            return Fetched(url=url, status=status, headers={}, body=body)

        url = house.parts.config.catalogue_server
        house.app.extensions["catalogue"] = (url, Catalogue(get, url))
        return asked

    yield stand
    house.app.extensions.pop("catalogue", None)


def page(house, address: str) -> str:
    response = house.client(Role.LIBRARIAN).get(address)
    assert response.status_code == 200
    return unescape(response.text)


def test_a_work_is_found_by_its_isbn_taken_over_read_and_kept(house, server):
    server(answer(RECORD))
    client = house.client(Role.LIBRARIAN)
    text = client.get("/notices/copier?q=978-2-07-061275-8").text
    assert "La ville à trois vitesses" in text
    assert "Jacques Donzelot" in unescape(text)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
    fields = {name: unescape(value) for name, value in fields.items() if name != "csrf_token"}
    before = len(house.parts.store)
    filled = house.post(client, "/notices/nouvelle", **fields, faire="copie")
    assert filled.status_code == 200
    assert "La ville à trois vitesses" in unescape(filled.text)
    assert "COTE D’AILLEURS" not in unescape(filled.text)
    assert len(house.parts.store) == before  # nothing is kept before it was read
    kept = house.post(client, "/notices/nouvelle", **fields, call_number="VIL 77")
    assert kept.status_code == 303
    (id,) = house.parts.store.find("isbn", ISBN)
    record = house.parts.store.get(id)
    assert (record.call_number, record.publisher, record.date) == ("VIL 77", "La Villette", "2009")
    assert [agent.name for agent in record.agents] == ["Donzelot, Jacques"]
    assert "Déjà dans le fonds" in page(house, f"/notices/copier?q={ISBN}")
    house.parts.store.delete(id)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"<html>Bienvenue</html>", 200, "ne répond pas en SRU"),
        (b"busy", 503, "surchargé"),
        (answer(), 200, "ne connaît pas cet ouvrage"),
        (answer(RECORD, "<autre/>"), 200, "1 notice illisible laissée de côté"),
        (answer(RECORD, total=10_000), 200, "10 000 notices"),
        (ConnectionFailed(Fault.NO_ANSWER, "https://x"), 200, "ne répond pas : réessayez"),
        (ConnectionFailed(Fault.PRIVATE, "https://x"), 200, "réseau privé"),
    ],
)
def test_whatever_the_catalogue_does_is_said_and_what_was_typed_stays(house, server, body, status, said):
    server(body, status)
    text = page(house, "/notices/copier?q=ville+lente&auteur=Durand")
    assert said in text.replace("\u202f", " ").replace("\xa0", " ")
    assert 'value="ville lente"' in text
    assert 'value="Durand"' in text


def test_an_answer_that_was_cut_off_is_shown_and_told(house, server):
    server(answer(RECORD, RECORD)[:-90])
    text = page(house, "/notices/copier?q=ville")
    assert "était abîmée" in text
    assert "La ville à trois vitesses" in text


def test_who_directed_a_collection_stands_for_its_authors(house, server):
    server(answer(RECORD.replace('tag="700"', 'tag="702"').replace("Jacques</subfield>", DIRECTS)))
    text = page(house, "/notices/copier?q=ville")
    assert re.search(r'name="authors" value="Donzelot, Jacques"', text)


def test_two_isbns_of_one_title_are_two_works(house, server):
    store = house.parts.store
    id = store.new_id("ville-caraibe")
    other = {"isbn": "9782130606123"}
    store.save(Record(id=id, title="La ville à trois vitesses", date="2009", identifiers=other))
    server(answer(RECORD))
    assert "Déjà dans le fonds" not in page(house, "/notices/copier?q=ville")
    store.delete(id)


def test_a_wrong_isbn_is_said_without_asking_anybody(house, server):
    asked = server(answer(RECORD))
    text = page(house, "/notices/copier?q=978-2-07-061275-9")
    assert 'id="faute"' in text
    assert "Vous pouvez aussi taper le titre." in text
    assert asked == []


@pytest.mark.parametrize("typed", ["1984", "La ville 2010", "Politique de la ville : 30 ans"])
def test_digits_in_a_title_are_a_title(house, server, typed: str):
    asked = server(answer(RECORD))
    page(house, f"/notices/copier?q={typed}")
    assert any("title" in url for url in asked)


def test_an_author_alone_is_not_enough(house):
    assert "Tapez un ISBN ou un titre." in page(house, "/notices/copier?auteur=Durand")


def test_without_a_catalogue_the_page_says_how_to_set_one(house, monkeypatch):
    monkeypatch.setattr(house.parts, "config", dataclasses.replace(house.parts.config, catalogue_server=""))
    text = page(house, "/notices/copier?q=ville")
    assert "catalogue_server" in text
    assert "<form" not in text[text.index("Copier d’un autre catalogue</h1>") : text.index("</main>")]


def test_the_form_of_a_new_record_offers_it(house):
    assert 'href="/notices/copier"' in page(house, "/notices/nouvelle")
