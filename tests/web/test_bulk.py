"""Many records at once: chosen, looked at, changed together or not at all, and brought back by one button."""

from __future__ import annotations

import dataclasses
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup

from kb.accounts import Role
from kb.audit import Wanted
from kb.records import Record, State
from web import bulk


@pytest.fixture
def librarian(house):
    return house.client(Role.LIBRARIAN)


@pytest.fixture
def lot(house) -> list[str]:
    """Three reports, one of them published by somebody already."""
    store = house.parts.store
    ids = [store.new_id("ville-caraibe") for _ in range(3)]
    for number, id in enumerate(ids, 1):
        store.save(Record(id=id, title=f"Bilan du GPV, tome {number}", type="rapport", keywords=("bilan",),
                          publisher="Ville" if number == 3 else None))  # fmt: skip
    return ids


def preview(house, client, ids, **fields):
    return house.post(client, "/lot/apercu", n=ids, tous=ids, **fields)


def applied(house, client, ids, **fields):
    """Through the preview, as a browser sends it."""
    page = BeautifulSoup(preview(house, client, ids, **fields).text, "html.parser")
    form = page.select_one("form[action='/lot/appliquer']")
    sent: dict[str, list[str]] = {}
    for one in form.select("input"):
        sent.setdefault(one["name"], []).append(one["value"])
    return client.post("/lot/appliquer", data=sent)


def held(house, ids) -> list[Record]:
    found = house.parts.store.get_many(ids).values()
    return [dataclasses.replace(record, updated=None) for record in found]


def lines(house, id) -> int:
    return len(house.parts.trail.lines(Wanted(object=f"notice:{id}"), 100))


def test_a_lot_comes_from_numbers_or_from_a_search(house, librarian, lot):
    numbers = "&".join(f"n={id.partition(':')[2]}" for id in lot)
    page = BeautifulSoup(librarian.get(f"/lot?{numbers}").text, "html.parser")
    assert [one["value"] for one in page.select("[name=n][checked]")] == lot
    house.parts.sync()
    found = librarian.get("/lot.json?q=bilan+GPV+tome&type=rapport").json
    assert {item["id"] for item in found["items"]} >= set(lot)
    assert "Aucune notice" in librarian.get("/lot").text


def test_a_search_that_finds_too_many_is_to_be_narrowed(house, librarian, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 5)
    page = librarian.get("/lot?q=").text
    assert "Affinez la recherche" in page
    assert 'type="checkbox" name="n"' not in page


def test_the_preview_changes_nothing_and_tells_what_will(house, librarian, lot):
    before = held(house, lot)
    page = preview(house, librarian, lot, publisher="Ville", word="GPV", word_by="grand projet de ville").text
    assert held(house, lot) == before
    assert "3\u00a0notices changeront" in page
    page = preview(house, librarian, lot, publisher="Ville").text
    assert "2\u00a0notices changeront" in page
    assert "1\u00a0est déjà ainsi" in page


def test_all_are_changed_together(house, librarian, lot):
    response = applied(
        house, librarian, lot, publisher="Ville", date="mai 2013", type="diagnostic", language="en",
        access="network", series="Bilans", theme_more="Logement", keyword_more="essai",
        keyword_less="bilan", word="GPV", word_by="grand projet",
    )  # fmt: skip
    assert response.status_code == 303
    for number, record in enumerate(held(house, lot), 1):
        assert record.title == f"Bilan du grand projet, tome {number}"
        assert (record.publisher, record.date, record.type) == ("Ville", "2013-05", "diagnostic")
        assert (record.language, record.access, record.series) == ("en", "network", "Bilans")
        assert record.keywords == ("essai",)
        assert [s.state for s in record.subjects] == [State.ACCEPTED]
    applied(house, librarian, lot, theme_less="Logement", emptied=["date", "series"])
    assert {(r.date, r.series, r.subjects) for r in held(house, lot)} == {(None, None, ())}


def test_a_lot_is_brought_back_by_one_button(house, librarian, lot):
    before = held(house, lot)
    response = applied(house, librarian, lot, publisher="Autre", word="Bilan", word_by="Rapport")
    page = BeautifulSoup(librarian.get(response.headers["Location"]).text, "html.parser")
    assert "3\u00a0notices modifiées" in page.select_one("h1").text
    form = page.select_one("form[action='/lot/annuler']")
    sent = {one["name"]: one["value"] for one in form.select("input")}
    back = librarian.post("/lot/annuler", data=sent)
    assert held(house, lot) == before
    assert [lines(house, id) for id in lot] == [3, 3, 3]
    again = librarian.post("/lot/annuler", data=sent)
    assert again.status_code == 303
    assert held(house, lot) == before
    assert librarian.get(back.headers["Location"]).status_code == 200


def test_a_record_changed_since_is_not_brought_back_and_is_told(house, librarian, lot):
    response = applied(house, librarian, lot, publisher="Autre")
    store = house.parts.store
    store.save(dataclasses.replace(store.get(lot[0]), date="1990"))
    store.delete(lot[1])
    page = librarian.get(response.headers["Location"])
    assert f"/notice/{quote(lot[0])}/historique" in page.text
    last, count = (
        part.partition("=")[2] for part in response.headers["Location"].partition("?")[2].split("&")
    )
    house.post(librarian, "/lot/annuler", derniere=last, nombre=count)
    assert store.get(lot[0]).publisher == "Autre"
    assert store.get(lot[2]).publisher == "Ville"
    assert store.was_deleted(lot[1])


def test_what_changed_since_the_preview_is_shown_again(house, librarian, lot):
    page = BeautifulSoup(preview(house, librarian, lot, publisher="Autre").text, "html.parser")
    sent: dict[str, list[str]] = {}
    for one in page.select("form[action='/lot/appliquer'] input"):
        sent.setdefault(one["name"], []).append(one["value"])
    store = house.parts.store
    store.save(dataclasses.replace(store.get(lot[0]), date="1990"))
    response = librarian.post("/lot/appliquer", data=sent)
    assert response.status_code == 409
    assert store.get(lot[1]).publisher is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Dites d’abord"),
        ({"date": "jadis"}, "Date non comprise"),
        ({"theme_more": "licorne"}, "n’est pas dans le thésaurus"),
        ({"word_by": "x"}, "mot à remplacer"),
        ({"publisher": "x", "emptied": "publisher"}, "une valeur, ou vider"),
    ],
)
def test_what_cannot_be_wished_is_told_and_the_ticks_stay(house, librarian, lot, fields, told):
    response = house.post(librarian, "/lot/apercu", n=lot[:2], tous=lot, **fields)
    page = BeautifulSoup(response.text, "html.parser")
    assert response.status_code == 400
    assert told in page.select_one("[role=alert]").text.replace("\u00a0", " ")
    assert [one["value"] for one in page.select("[name=n]")] == lot
    assert [one["value"] for one in page.select("[name=n][checked]")] == lot[:2]


def test_a_title_is_never_emptied(house, librarian):
    store = house.parts.store
    record = Record(id=store.new_id("ville-caraibe"), title="Annexe")
    store.save(record)
    page = preview(house, librarian, [record.id], word="Annexe").text
    assert "il ne resterait rien du titre" in page
    assert "Aucune notice ne changera" in page


def test_lines_that_are_no_lot_are_not_found(house, librarian, lot):
    assert librarian.get("/lot/fait").status_code == 400
    assert librarian.get("/lot/fait?derniere=999999999&nombre=2").status_code == 404
    assert house.post(librarian, "/lot/annuler", derniere="1", nombre="900").status_code == 400
