"""The pages that were read worst, as a librarian mends them."""

from __future__ import annotations

import dataclasses
import re
from itertools import count

import pytest

from kb.accounts import Role
from kb.records import Page, Quality, Record

_NUMBERS = count(1)
NOISE = Page(1, "qsdf lkj ze", grade=0.05, quality=Quality.GARBLED, recognised=0.42, raw="qsdf  lkj\nze")
PAGES = (
    NOISE,
    Page(2, "", grade=0.1, quality=Quality.SCAN),
    Page(3, "m o t s c o u p é s", grade=0.2, quality=Quality.SPLIT),
    Page(4, "Une page qui se lit bien."),
    Page(5, "", quality=Quality.EMPTY),
)


@pytest.fixture
def record(house):
    """A document with a page of each state, whose pictures are those of a file of the fund."""
    store = house.parts.store
    drawn = next(
        f for r in map(store.get, store.ids()) for f in r.files if r.access == "public" and f.pages >= 5
    )
    made = Record(id=store.new_id("ville-caraibe"), title=f"Mal lu {next(_NUMBERS)}", files=(drawn,))
    store.save(made, PAGES)
    yield made
    store.delete(made.id)


@pytest.fixture(scope="module")
def librarian(house):
    return house.client(Role.LIBRARIAN)


def address(record: Record, number: int) -> str:
    return f"/etat-de-lecture/{record.id}/{number}"


def seen(client, record: Record, number: int) -> str:
    found = re.search(r'name="seen"[^>]*value="(\w+)"', client.get(address(record, number)).text)
    assert found
    return found[1]


# -- the list


def test_the_worst_come_first_and_pages_that_are_fine_do_not(record, librarian):
    told = librarian.get("/etat-de-lecture.json").json
    mine = [page["number"] for page in told["pages"] if page["record"] == record.id]
    assert mine == [1, 2, 3]
    assert told["total"] == 3
    counts = {one["code"]: one["count"] for one in told["qualities"]}
    assert (counts["scan"], counts["garbled"], counts["split"]) == (1, 1, 1)


@pytest.mark.parametrize(("state", "number"), [("scan", 2), ("garbled", 1), ("split", 3)])
def test_each_state_has_its_list(record, librarian, state, number):
    told = librarian.get(f"/etat-de-lecture.json?etat={state}").json
    assert [page["number"] for page in told["pages"]] == [number]
    assert [one["code"] for one in told["qualities"] if one["current"]] == [state]
    shown = librarian.get(f"/etat-de-lecture?etat={state}").text
    assert told["pages"][0]["label"] in shown


@pytest.mark.parametrize("state", ["good", "empty"])
def test_what_was_read_well_or_is_empty_can_be_listed_too(record, librarian, state):
    told = librarian.get(f"/etat-de-lecture.json?etat={state}").json
    assert {page["quality"] for page in told["pages"]} == {state}


def test_a_state_that_does_not_exist_is_not_found(librarian):
    assert librarian.get("/etat-de-lecture?etat=moyen").status_code == 404


@pytest.mark.parametrize("page", ["999999999999999999999", "-1", "0", "x", "2"])
def test_a_page_of_the_list_that_does_not_exist_is_the_nearest_one(record, librarian, page):
    told = librarian.get(f"/etat-de-lecture.json?page={page}")
    assert told.status_code == 200
    assert told.json["number"] == told.json["of"] == 1


def test_an_empty_list_says_so(house, librarian):
    assert "Bonne journée" in librarian.get("/etat-de-lecture").text


# -- one page


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_each_state_says_what_it_means_beside_the_picture(record, librarian, number):
    told = librarian.get(f"{address(record, number)}.json").json
    shown = librarian.get(address(record, number)).text
    assert told["page"]["advice"] in shown
    assert f'src="{told["page"]["picture"]}/900"' in shown
    assert librarian.get(f"{told['page']['picture']}/208").mimetype == "image/webp"


def test_the_text_as_it_was_first_read_is_shown(record, librarian):
    shown = librarian.get(address(record, 1)).text
    assert "qsdf  lkj\nze" in shown
    assert "sûre à 42" in shown
    assert "lu d’abord" not in librarian.get(address(record, 3)).text


def test_a_corrected_text_is_kept_and_the_next_bad_page_comes(house, record, librarian):
    answer = house.post(
        librarian,
        address(record, 1),
        text="Le contrat  de ville\r\nde Basse-Pointe",
        seen=seen(librarian, record, 1),
    )
    assert (answer.status_code, answer.location) == (303, address(record, 2))
    page = house.parts.store.page(record.id, 1)
    assert page.text == "Le contrat de ville\nde Basse-Pointe"
    assert (page.quality, page.grade, page.recognised) == (Quality.GOOD, 1.0, None)
    assert page.raw == NOISE.raw
    house.parts.sync()
    assert record.title in house.client().get("/recherche?q=Basse-Pointe+contrat").text


def test_after_the_last_bad_page_the_list_comes(house, record, librarian):
    answer = house.post(librarian, address(record, 3), text="Mots coupés", seen=seen(librarian, record, 3))
    assert answer.location == "/etat-de-lecture"
    assert house.parts.store.page(record.id, 3).raw == PAGES[2].text


def test_a_page_changed_meanwhile_shows_both_texts_and_keeps_the_first(house, record, librarian):
    stamp = seen(librarian, record, 1)
    house.parts.store.save_page(record.id, dataclasses.replace(NOISE, text="Ce qu’une autre a écrit"))
    answer = house.post(librarian, address(record, 1), text="Ce que j’ai écrit", seen=stamp)
    assert answer.status_code == 409
    assert "Ce qu’une autre a écrit" in answer.text
    assert "Ce que j’ai écrit" in answer.text
    assert house.parts.store.page(record.id, 1).text == "Ce qu’une autre a écrit"
    fresh = re.search(r'name="seen"[^>]*value="(\w+)"', answer.text)
    assert fresh
    house.post(librarian, address(record, 1), text="Les deux", seen=fresh[1])
    assert house.parts.store.page(record.id, 1).text == "Les deux"


def test_a_text_that_is_too_long_is_told_in_french_and_stays_typed(house, record, librarian):
    answer = house.post(
        librarian, address(record, 1), text="é" + "a" * 100_000, seen=seen(librarian, record, 1)
    )
    assert answer.status_code == 400
    assert "trop long pour une page" in answer.text
    assert house.parts.store.page(record.id, 1) == NOISE


def test_nothing_to_read_takes_the_noise_away_and_keeps_it_aside(house, record, librarian):
    answer = house.post(librarian, f"{address(record, 1)}/vide", seen=seen(librarian, record, 1))
    assert answer.location == address(record, 2)
    page = house.parts.store.page(record.id, 1)
    assert (page.quality, page.text, page.raw) == (Quality.EMPTY, "", NOISE.raw)


def test_a_text_that_is_good_as_it_is_leaves_the_list(house, record, librarian):
    house.post(librarian, f"{address(record, 3)}/bonne", seen=seen(librarian, record, 3))
    page = house.parts.store.page(record.id, 3)
    assert (page.quality, page.text) == (Quality.GOOD, PAGES[2].text)


def test_what_is_said_of_a_page_that_changed_is_not_kept(house, record, librarian):
    stamp = seen(librarian, record, 1)
    changed = dataclasses.replace(NOISE, text="Bien relu entre-temps", quality=Quality.GOOD)
    house.parts.store.save_page(record.id, changed)
    answer = house.post(librarian, f"{address(record, 1)}/vide", seen=stamp)
    assert answer.location == address(record, 1)
    assert house.parts.store.page(record.id, 1).text == "Bien relu entre-temps"


def test_no_text_is_never_a_good_text(house, record, librarian):
    shown = librarian.get(address(record, 2)).text
    assert "/bonne" not in shown
    answer = house.post(librarian, f"{address(record, 2)}/bonne", seen=seen(librarian, record, 2))
    assert answer.status_code == 400
    assert house.parts.store.page(record.id, 2) == PAGES[1]


@pytest.mark.parametrize("number", ["0", "6", "99999999999", "-1", "x"])
def test_a_page_that_does_not_exist_is_not_found(house, record, librarian, number):
    place = f"/etat-de-lecture/{record.id}/{number}"
    assert librarian.get(place).status_code == 404
    assert house.post(librarian, place, text="x").status_code == 404
    assert house.post(librarian, f"/etat-de-lecture/{record.id}/1/autre").status_code == 404


# -- recognised again


def test_one_page_is_queued_to_be_recognised_again(house, record, librarian):
    answer = house.post(librarian, f"/etat-de-lecture/{record.id}/reconnaitre", page="2")
    assert answer.status_code == 303
    [job] = jobs(house, answer.location)
    assert (job.kind, job.payload["record"], list(job.payload["marks"])) == ("reread", record.id, ["2"])
    assert record.title in librarian.get(answer.location).text


def test_all_bad_pages_of_a_document_are_queued_together(house, record, librarian):
    answer = house.post(librarian, f"/etat-de-lecture/{record.id}/reconnaitre")
    [job] = jobs(house, answer.location)
    assert list(job.payload["marks"]) == ["1", "2", "3"]


@pytest.mark.parametrize("page", ["77", "-1", "99999999999999999999999"])
def test_a_page_without_picture_is_not_queued(house, record, librarian, page):
    answer = house.post(librarian, f"/etat-de-lecture/{record.id}/reconnaitre", page=page)
    assert answer.status_code == 400


def test_a_document_without_pictures_is_not_recognised(house, librarian):
    store = house.parts.store
    bare = Record(id=store.new_id("ville-caraibe"), title="Sans image")
    store.save(bare, (NOISE,))
    assert "reconnaitre" not in librarian.get(address(bare, 1)).text
    assert house.post(librarian, f"/etat-de-lecture/{bare.id}/reconnaitre").status_code == 400
    store.delete(bare.id)


def jobs(house, location: str):
    return house.parts.jobs.of(int(location.rpartition("/")[2]))


# -- a part, whose pages are those of its host


def test_a_page_of_a_part_shows_the_picture_of_its_host_and_leads_there(house, record, librarian):
    store = house.parts.store
    part = Record(id=store.new_id("ville-caraibe"), title="Un article", host=record.id)
    store.save(part, [dataclasses.replace(PAGES[2], number=1, label="3")])
    told = librarian.get(f"{address(part, 1)}.json").json
    assert told["page"]["picture"].endswith(f"{record.id.partition(':')[2]}/image/3")
    assert told["page"]["host_url"] == address(record, 3)
    assert not told["may_recognise"]
    assert address(record, 3) in librarian.get(address(part, 1)).text
    store.delete(part.id)


def test_only_those_who_catalogue_get_in(house, record):
    for role in (Role.VISITOR, Role.MEMBER, Role.ANSWERER, Role.AUDITOR):
        client = house.client(role)
        assert client.get("/etat-de-lecture.json").status_code in (401, 403)
        assert client.get(f"{address(record, 1)}.json").status_code in (401, 403)
        assert house.post(client, f"{address(record, 1)}/vide").status_code in (401, 403)
    assert house.parts.store.page(record.id, 1) == NOISE
