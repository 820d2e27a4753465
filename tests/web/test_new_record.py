"""New records of paper works: quick, never twice for one work by mistake, and one leads to the next."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup

from kb.accounts import Role
from kb.records import Agent, Copy, Origin, Record, State
from web import afterwards

ISBN = "9782070368228"


@pytest.fixture
def librarian(house):
    yield house.client(Role.LIBRARIAN)
    afterwards.SOON.wait()


def made(house, response) -> Record:
    """The record that the answer to a form leads to."""
    assert response.status_code == 303, response.text
    return house.parts.store.get(response.headers["Location"].partition("creee=")[2])


USUAL = {"type": "ouvrage", "language": "fr", "access": "public"}


def add(house, client, **fields):
    return house.post(client, "/notices/nouvelle", **(USUAL | fields))


def test_a_work_is_described_by_few_fields(house, librarian):
    response = add(
        house,
        librarian,
        **{"title": "Les mornes habités", "authors": "Rosalie, Anne\nVille de Saint-Joseph", "isbn": ISBN,
           "date": "mars 2014", "publisher": "Éditions du Morne", "call_number": "HAB 31", "extent": "120",
           "themes-0": "Logement", "keywords": "morne\nmorne\nhabitat"},
    )  # fmt: skip
    record = made(house, response)
    assert record.agents == (Agent("Rosalie, Anne"), Agent("Ville de Saint-Joseph", "author", "body"))
    assert (record.date, record.extent, record.call_number) == ("2014-03", "120 p.", "HAB 31")
    assert record.copies == (Copy("HAB 31"),)
    assert record.identifiers == {"isbn": ISBN}
    assert record.keywords == ("morne", "habitat")
    chosen = [s for s in record.subjects if s.origin is Origin.LIBRARIAN]
    assert [s.state for s in chosen] == [State.ACCEPTED]
    assert house.parts.store.find("isbn", ISBN) == (record.id,)


def test_the_record_made_is_told_and_leaves_what_the_next_shares(house, librarian):
    fields = {"title": "Quartiers debout", "publisher": "Presses du Lagon", "series": "Cases",
              "call_number": "ANI 17.a", "location": "Salle 2"}  # fmt: skip
    response = add(house, librarian, **fields)
    record = made(house, response)
    page = BeautifulSoup(librarian.get(response.headers["Location"]).text, "html.parser")
    number = record.id.partition(":")[2]
    assert f"Notice n°\u00a0{number} créée" in page.text.replace("n° ", "n°\u00a0")
    left = {name: page.select_one(f"#{name}").get("value") for name in (*fields, "isbn")}
    assert left == {"title": None, "publisher": "Presses du Lagon", "series": "Cases",
                    "call_number": "ANI 17.", "location": "Salle 2", "isbn": None} | {
        name: value for name, value in left.items() if value == ""
    }  # fmt: skip


def test_what_is_wrong_is_told_and_what_was_typed_stays(house, librarian):
    response = add(house, librarian, title="", isbn="978", date="hier", call_number="X", abstract="Gardé")
    page = BeautifulSoup(response.text, "html.parser")
    assert response.status_code == 400
    for words in ("Indiquez un titre", "celui-ci en a 3", "Date non comprise"):
        assert words in page.select_one("[role=alert]").text.replace("\u00a0", " ")
    assert page.select_one("#abstract").text.strip() == "Gardé"


def test_an_isbn_of_the_fund_leads_to_its_record(house, librarian):
    store = house.parts.store
    held = Record(id=store.new_id("ville-caraibe"), title="Connu", identifiers={"isbn": "9782999990371"},
                  publisher="Maison", call_number="CO 1", copies=(Copy("CO 1"),))  # fmt: skip
    store.save(held)
    page = add(house, librarian, isbn="978-2-999990-37-1", faire="isbn", barcode="B 9").text
    assert f"/notice/{quote(held.id)}/exemplaire" in page
    assert "pas encore dans le fonds" in add(house, librarian, isbn="2-08-070018-9", faire="isbn").text
    assert "Tapez d’abord l’ISBN" in add(house, librarian, isbn="", faire="isbn").text
    response = house.post(librarian, f"/notice/{held.id}/exemplaire", faire="exemplaire", barcode="B 9")
    assert response.status_code == 303
    assert store.get(held.id).copies == (Copy("CO 1"), Copy("CO 1", "B 9"))
    again = house.post(librarian, f"/notice/{held.id}/exemplaire", faire="exemplaire", barcode="B 9")
    assert again.status_code == 400
    model = BeautifulSoup(librarian.get(f"/notices/nouvelle?modele={held.id}").text, "html.parser")
    assert model.select_one("#publisher")["value"] == "Maison"
    assert model.select_one("#isbn").get("value", "") == ""


def test_a_work_that_looks_alike_is_shown_before_it_is_saved(house, librarian):
    first = made(house, add(house, librarian, title="Histoire du quartier des Terres Sainville"))
    house.parts.sync()
    count = len(house.parts.store)
    near = "Histoire des quartiers des Terres Sainville"
    response = add(house, librarian, title=near)
    page = BeautifulSoup(response.text, "html.parser")
    assert response.status_code == 409
    assert f"/notice/{quote(first.id)}" in str(page.select_one(".alike"))
    assert len(house.parts.store) == count
    seen = page.select_one("#seen")["value"]
    second = made(house, add(house, librarian, title=near, seen=seen))
    assert second.id != first.id


def test_two_volumes_with_their_own_isbn_are_two_works(house, librarian):
    made(house, add(house, librarian, title="La ville en volumes", isbn="9782080700186"))
    house.parts.sync()
    made(house, add(house, librarian, title="La ville en volumes", isbn="9782253004226"))


def test_a_shelf_mark_that_is_taken_must_be_meant(house, librarian):
    made(house, add(house, librarian, title="Premier au rayon", call_number="RAY 5"))
    response = add(house, librarian, title="Autre chose tout à fait", call_number="ray 5")
    assert response.status_code == 400
    assert "déjà prise" in response.text
    made(house, add(house, librarian, title="Autre chose tout à fait", call_number="ray 5", cote_taken="y"))


def test_a_record_typed_by_hand_is_tagged_afterwards_and_waits(house, librarian):
    record = made(house, add(house, librarian, title="Le logement social et la rénovation urbaine au Robert"))
    assert house.parts.reviews.get(record.id)
    afterwards.SOON.wait()
    now = house.parts.store.get(record.id)
    assert any(s.state is State.PROPOSED for s in now.subjects)


def test_a_line_of_themes_is_added_without_script(house, librarian):
    page = add(house, librarian, title="En cours", faire="ajouter themes").text
    form = BeautifulSoup(page, "html.parser")
    assert len(form.select("[name^=themes-]")) >= 2
    assert form.select_one("#title")["value"] == "En cours"
