"""The history of a record, the way back to a former state, and what a page starts and does not wait for."""

from __future__ import annotations

import dataclasses
import re

import pytest

from kb.accounts import Role
from kb.audit import SYSTEM, Wanted, acting
from kb.records import Record, State
from web import afterwards


@pytest.fixture
def librarian(house):
    return house.client(Role.LIBRARIAN)


@pytest.fixture
def record(house) -> Record:
    """A record that two people have changed."""
    store = house.parts.store
    first = Record(id=store.new_id("ville-caraibe"), title="Un premier titre du quartier", publisher="Ville")
    with acting(SYSTEM):
        store.save(first)
    with acting(f"personne:{house.people[Role.DIRECTOR]}"):
        store.save(dataclasses.replace(first, title="Un second titre du quartier"))
    with acting("commande:essai"):
        store.save(
            dataclasses.replace(first, title="Un second titre du quartier", publisher=None, date="2012")
        )
    return store.get(first.id)


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ").split())


def test_the_history_tells_who_changed_what_the_newest_first(librarian, record):
    page = librarian.get(f"/notice/{record.id}/historique.json").json
    assert [(one["who"], one["what"], one["version"]) for one in page["events"]] == [
        ("ligne de commande (essai)", "a modifié", 2),
        ("Personne responsable", "a modifié", 1),
        ("Carbet", "a créé la notice", None),
    ]
    assert {one["field"] for one in page["events"][0]["changes"]} == {"date", "publisher"}


def test_what_differs_is_marked_word_by_word(librarian, record):
    page = librarian.get(f"/notice/{record.id}/historique").text
    assert re.search(r"<del><span class=\"hidden\">enlevé.: </span>premier </del>", page)
    assert re.search(r"<ins><span class=\"hidden\">ajouté.: </span>second </ins>titre du quartier", page)


def test_a_former_state_is_read_and_gone_back_to_by_one_change_more(house, librarian, record):
    page = librarian.get(f"/notice/{record.id}/historique?version=1").text
    assert "Un premier titre du quartier" in words(page)
    response = go_back(house, librarian, record, 1)
    assert response.status_code == 303
    now = house.parts.store.get(record.id)
    assert (now.title, now.publisher, now.date) == ("Un premier titre du quartier", "Ville", None)
    assert [v.number for v in house.parts.versions.of(record.id)] == [3, 2, 1]
    assert now.created == record.created


def go_back(house, client, record, version, updated=None):
    now = house.parts.store.get_many([record.id]).get(record.id)
    stamp = updated if updated is not None else now.updated.isoformat() if now else ""
    return house.post(client, f"/notice/{record.id}/revenir", version=str(version), updated=stamp)


def test_nobody_goes_back_over_a_change_not_seen(house, librarian, record):
    assert go_back(house, librarian, record, 1, "2001-01-01T00:00:00+00:00").status_code == 409
    assert house.parts.store.get(record.id) == record


def test_a_version_that_never_was_is_not_found(house, librarian, record):
    assert librarian.get(f"/notice/{record.id}/historique?version=99").status_code == 404
    assert librarian.get(f"/notice/{record.id}/historique?version=x").status_code == 404
    assert librarian.get("/notice/ville-caraibe:999999/historique").status_code == 404
    assert go_back(house, librarian, record, "").status_code == 400


def test_a_deleted_record_comes_back_under_its_number_with_its_text(house, librarian):
    store = house.parts.store
    held = store.get(house.records["public"])
    pages = [page.text for page in store.pages(held.id)]
    store.delete(held.id)
    page = librarian.get(f"/notice/{held.id}/historique").text
    assert "supprimée" in words(page)
    last = house.parts.versions.of(held.id, 1)[0].number
    page = words(librarian.get(f"/notice/{held.id}/historique?version={last}").text)
    assert "sera relu du fichier d’origine" in page
    assert "Rétablir cette notice" in page
    go_back(house, librarian, held, last)
    afterwards.SOON.wait()
    now = store.get(held.id)
    assert (now.title, now.files) == (held.title, held.files)
    assert [page.text for page in store.pages(held.id)] == pages
    events = librarian.get(f"/notice/{held.id}/historique.json").json["events"]
    whats = [one["what"] for one in events]
    assert whats[:3] == ["a modifié", "a créé la notice", "a supprimé la notice"]
    assert [one["version"] for one in events][1:3] == [None, last]


def test_a_text_that_is_not_there_can_be_read_again(house, librarian):
    store = house.parts.store
    held = store.get(house.records["network"])
    before = store.last_page(held.id)
    store.save(held, ())
    assert "Relire le texte" in librarian.get(f"/notice/{held.id}/historique").text
    house.post(librarian, f"/notice/{held.id}/relire")
    afterwards.SOON.wait()
    assert store.last_page(held.id) == before
    house.post(librarian, f"/notice/{held.id}/relire")
    assert "rien à relire" in librarian.get(f"/notice/{held.id}").text


def test_a_work_that_is_gone_is_no_host_of_what_comes_back(house, librarian):
    store = house.parts.store
    host = Record(id=store.new_id("ville-caraibe"), title="Un Cahier qui s’en va")
    part = Record(id=store.new_id("ville-caraibe"), title="Un article qui reste", host=host.id)
    store.save(host)
    store.save(part)
    store.save(dataclasses.replace(part, host=None, title="Un article détaché"))
    store.delete(host.id)
    page = words(librarian.get(f"/notice/{part.id}/historique?version=1").text)
    assert "n’existe plus" in page
    go_back(house, librarian, part, 1)
    now = store.get(part.id)
    assert (now.title, now.host) == ("Un article qui reste", None)


def test_long_histories_are_read_a_page_at_a_time(house, librarian):
    store = house.parts.store
    record = Record(id=store.new_id("ville-caraibe"), title="Titre 0")
    for number in range(35):
        store.save(dataclasses.replace(record, title=f"Titre {number}"))
    first = librarian.get(f"/notice/{record.id}/historique.json").json
    rest = librarian.get(first["older_url"].replace("historique?", "historique.json?")).json
    versions = [one["version"] for one in (*first["events"], *rest["events"])]
    assert versions == [*range(34, 0, -1), None]
    assert rest["older_url"] is None


def test_what_fails_afterwards_does_not_hinder_what_comes_next(house):
    done = []

    def fail():
        raise ValueError("no")

    afterwards.SOON.put("first", fail)
    afterwards.SOON.put("second", lambda: done.append(1))
    afterwards.SOON.wait()
    assert done == [1]


def test_terms_proposed_afterwards_wait_and_a_record_without_any_does_not(house):
    store, reviews = house.parts.store, house.parts.reviews
    told = Record(id=store.new_id("ville-caraibe"), title="Le logement social au Lamentin")
    mute = Record(id=store.new_id("ville-caraibe"), title="Xylophone")
    for record in (told, mute):
        store.save(record)
        reviews.open(record.id, {})
        with acting("personne:1"):
            afterwards.SOON.put("tag", lambda id=record.id: afterwards.tag(house.parts, id))
    afterwards.SOON.wait()
    assert {s.state for s in store.get(told.id).subjects} == {State.PROPOSED}
    assert reviews.get(told.id)
    assert reviews.get(mute.id) is None
    assert house.parts.trail.lines(Wanted(object=f"notice:{told.id}"), 1)[0].actor == "personne:1"
