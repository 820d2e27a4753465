"""A Cahier cut into its articles by a librarian."""

from __future__ import annotations

import dataclasses
import re
from html import unescape
from itertools import count

import pytest

from kb.accounts import Role
from kb.records import File, Page, Record
from kb.sketches import Sketches
from web.tending import picture_of

CONTENTS = """Sommaire
Ouvrir l’école aux parents
Rosalie Marie-Sainte 2
Tenir un conseil de quartier
Fabrice Edmond-Laurent 4
"""
_NUMBERS = count(1)


def volume(house, *texts: str, **more: object) -> Record:
    """A Cahier of five pages with its contents page, or of the texts given."""
    told = texts or (
        CONTENTS,
        "Ouvrir l’école aux parents\nRosalie Marie-Sainte\nLes parents entrent dans la classe le samedi.",
        "La suite de l’école ouverte aux parents.",
        "Tenir un conseil de quartier\nFabrice Edmond-Laurent\nLe conseil se tient chaque mois.",
        "La suite du conseil de quartier.",
    )
    store = house.parts.store
    values = {"title": f"Cahier {next(_NUMBERS)}", "type": "cahier", "date": "2012"} | more
    record = Record(id=store.new_id("ville-caraibe"), **values)
    store.save(record, [Page(n, text) for n, text in enumerate(told, start=1)])
    return record


@pytest.fixture(scope="module")
def librarian(house):
    return house.client(Role.LIBRARIAN)


def filled(client, record: Record) -> dict[str, str]:
    """The form as a browser would send it."""
    html = client.get(f"/notice/{record.id}/decouper").text
    fields = {}
    for tag in re.findall(r"<input [^>]+>", html):
        value = re.search(r'value="([^"]*)"', tag)
        name = re.search(r'name="([^"]+)"', tag)
        if name and not ('type="checkbox"' in tag and "checked" not in tag):
            fields[name[1]] = unescape(value[1]) if value else ""
    return {k: v for k, v in fields.items() if k not in ("csrf_token", "q")}


def send(house, client, record: Record, **fields: str):
    return house.post(client, f"/notice/{record.id}/decouper", **fields)


def parts_of(house, record: Record) -> list[Record]:
    store = house.parts.store
    return sorted(
        store.get_many(store.find("host", record.id)).values(), key=lambda r: int(r.id.split(":")[1])
    )


def test_what_the_contents_page_says_is_proposed_ticked(house, librarian):
    told = librarian.get(f"/notice/{volume(house).id}/decouper.json").json
    assert told["source"] == "son sommaire"
    assert [(a["title"], a["first"], a["last"], a["ticked"]) for a in told["articles"]] == [
        ("Ouvrir l’école aux parents", "2", "3", True),
        ("Tenir un conseil de quartier", "4", "5", True),
    ]
    assert told["articles"][0]["authors"] == "Marie-Sainte, Rosalie"


def test_articles_are_made_as_they_are_corrected_with_their_pages_and_subjects(house, librarian):
    record = volume(house, access="network", language="fr")
    fields = filled(librarian, record) | {
        "titre-0": "  L’école   ouverte aux parents ",
        "auteurs-0": "Marie-Sainte, Rosalie ; Roy, Léa",
        "imprimees-0": "11-12",
    }
    answer = send(house, librarian, record, **fields)
    assert (answer.status_code, answer.location.endswith("#parties")) == (303, True)
    first, second = parts_of(house, record)
    assert first.title == "L’école ouverte aux parents"
    assert (first.host_pages, first.type) == ("11-12", "article-cahier")
    assert [agent.name for agent in first.agents] == ["Marie-Sainte, Rosalie", "Roy, Léa"]
    assert (first.access, first.date) == ("network", "2012")
    pages = house.parts.store.pages(first.id)
    assert [(page.number, page.label) for page in pages] == [(1, "2"), (2, "3")]
    assert second.title == "Tenir un conseil de quartier"
    assert Sketches(house.parts.store.database).of(second.id)
    assert len(house.parts.store.pages(record.id)) == 5
    house.parts.sync()
    assert "2\u00a0articles créés" in librarian.get(answer.location.partition("#")[0]).text


def test_what_is_not_ticked_is_not_made(house, librarian):
    record = volume(house)
    fields = filled(librarian, record)
    del fields["garder-0"]
    send(house, librarian, record, **fields)
    assert [part.title for part in parts_of(house, record)] == ["Tenir un conseil de quartier"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"titre-0": "   "}, "pas de titre"),
        ({"premiere-0": "0"}, "de 1 à 5"),
        ({"premiere-0": "deux"}, "de 1 à 5"),
        ({"premiere-0": "²"}, "de 1 à 5"),
        ({"premiere-0": ""}, "de 1 à 5"),
        ({"derniere-0": "1"}, "la première avant la dernière"),
        ({"derniere-1": "6"}, "de 1 à 5"),
        ({"derniere-1": "99999999999999999999"}, "de 1 à 5"),
        ({"titre-1": "OUVRIR l’ecole aux parents"}, "Un autre article coché a ce titre"),
        ({"derniere-0": "5"}, "sont aussi celles de"),
    ],
)
def test_what_is_wrong_is_told_beside_what_was_typed_and_nothing_is_made(house, librarian, typed, said):
    record = volume(house)
    fields = filled(librarian, record) | {"auteurs-1": "Roy, Léa"} | typed
    answer = send(house, librarian, record, **fields)
    assert answer.status_code == 400
    assert said in unescape(answer.text).replace("\u202f", " ")
    assert 'value="Roy, Léa"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert parts_of(house, record) == []


def test_pages_in_common_are_made_only_when_that_is_said(house, librarian):
    record = volume(house)
    fields = filled(librarian, record) | {"derniere-0": "5"}
    assert 'name="recouvre"' in send(house, librarian, record, **fields).text
    assert send(house, librarian, record, **fields, recouvre="1").status_code == 303
    assert len(house.parts.store.pages(parts_of(house, record)[0].id)) == 4


def test_one_article_may_end_on_the_page_where_the_next_begins(house, librarian):
    record = volume(house)
    fields = filled(librarian, record) | {"derniere-0": "4"}
    assert send(house, librarian, record, **fields).status_code == 303


def test_nothing_ticked_is_told(house, librarian):
    record = volume(house)
    fields = {k: v for k, v in filled(librarian, record).items() if not k.startswith("garder")}
    answer = send(house, librarian, record, **fields)
    assert answer.status_code == 400
    assert "Cochez au moins un article" in answer.text


def test_sent_twice_the_same_articles_are_made_once(house, librarian):
    record = volume(house)
    fields = filled(librarian, record)
    send(house, librarian, record, **fields)
    again = send(house, librarian, record, **fields)
    assert again.status_code == 400
    assert "existe déjà" in again.text
    assert len(parts_of(house, record)) == 2
    told = librarian.get(f"/notice/{record.id}/decouper.json").json
    assert [(a["ticked"], bool(a["known"])) for a in told["articles"]] == [(False, True)] * 2
    assert told["parts"] == 2


def test_a_work_changed_meanwhile_is_proposed_anew(house, librarian):
    record = volume(house)
    fields = filled(librarian, record)
    store = house.parts.store
    store.save_page(record.id, dataclasses.replace(store.page(record.id, 5), text="Une autre fin."))
    answer = send(house, librarian, record, **fields)
    assert answer.status_code == 409
    assert "a changé pendant" in answer.text
    assert parts_of(house, record) == []


def test_a_work_that_is_gone_is_not_found(house, librarian):
    record = volume(house)
    fields = filled(librarian, record)
    house.parts.store.delete(record.id)
    assert send(house, librarian, record, **fields).status_code == 404
    assert librarian.get(f"/notice/{record.id}/decouper").status_code == 404


def test_a_work_without_contents_is_cut_by_hand(house, librarian):
    record = volume(house, "Un texte.", "Un autre texte.", "La fin.", type="numero")
    page = librarian.get(f"/notice/{record.id}/decouper")
    assert "ni signets ni sommaire" in page.text
    fields = filled(librarian, record) | {"ajouter": "1"}
    more = send(house, librarian, record, **fields)
    assert (more.status_code, more.text.count('name="titre-')) == (200, 3)
    fields = {"vu": fields["vu"], "nombre": "3", "garder-0": "1", "garder-1": "1", "garder-2": "1"}
    fields |= {"titre-1": "Un article", "premiere-1": "2", "derniere-1": "3"}
    assert send(house, librarian, record, **fields).status_code == 303
    [part] = parts_of(house, record)
    assert (part.title, part.type, part.host_pages) == ("Un article", "article", None)


def test_lines_typed_stay_when_more_are_added(house, librarian):
    record = volume(house)
    fields = filled(librarian, record) | {"titre-0": "Mon titre", "ajouter": "1"}
    answer = send(house, librarian, record, **fields)
    assert 'value="Mon titre"' in answer.text
    assert answer.text.count('name="titre-') == 5


def test_a_record_without_pages_says_what_to_do(house, librarian):
    store = house.parts.store
    paper = Record(id=store.new_id("ville-caraibe"), title="Sur papier", type="cahier")
    store.save(paper)
    assert "Déposez son fichier" in librarian.get(f"/notice/{paper.id}/decouper").text


@pytest.mark.parametrize("place", ["2 3 0 99999999", "2 3 -4 -1", "9 9 9", "a b c d", "2 3 5 -1"])
def test_a_place_that_is_not_on_the_page_cuts_nothing(house, librarian, place):
    record = volume(house)
    send(house, librarian, record, **filled(librarian, record) | {"place-0": place})
    pages = house.parts.store.pages(parts_of(house, record)[0].id)
    assert len(pages) == 2
    assert pages[0].text.endswith("le samedi.")


def test_a_cahier_with_a_file_is_cut_by_its_outline_and_shows_its_pages(house, librarian):
    """The demonstration fund has one."""
    store = house.parts.store
    held = next(r for r in map(store.get, store.ids()) if r.type == "cahier" and r.files)
    told = librarian.get(f"/notice/{held.id}/decouper.json").json
    assert told["source"] == "les signets du fichier"
    assert len(told["articles"]) > 2
    assert librarian.get(told["articles"][0]["picture"]).mimetype == "image/webp"
    send(house, librarian, held, **filled(librarian, held))
    part = parts_of(house, held)[-1]
    first = house.parts.store.page(part.id, 1)
    assert first.label
    with house.app.test_request_context():
        there = picture_of(part.id, 1)
    assert there is not None
    assert (there.record.id, there.number) == (held.id, int(told["articles"][-1]["first"]))
    assert house.client().get(there.url).status_code == 200


def test_a_file_that_is_lost_leaves_the_contents_page(house, librarian):
    lost = File(sha256="0" * 64, name="perdu.pdf", media_type="application/pdf", size=1, pages=5)
    record = volume(house, files=(lost,))
    told = librarian.get(f"/notice/{record.id}/decouper.json")
    assert told.status_code == 200
    assert told.json["source"] == "son sommaire"


def test_only_those_who_catalogue_get_in(house):
    record = volume(house)
    for role in (Role.VISITOR, Role.MEMBER, Role.ANSWERER):
        client = house.client(role)
        assert client.get(f"/notice/{record.id}/decouper.json").status_code in (401, 403)
        assert send(house, client, record, nombre="1").status_code in (401, 403)


def test_the_page_of_the_whole_is_told_only_to_who_may_read_it(house, librarian):
    """Its text is on the page of the part; its picture is as closed as it is."""
    store = house.parts.store
    held = next(r for r in map(store.get, store.ids()) if r.type == "actes" and r.files)
    part = Record(id=store.new_id("ville-caraibe"), title="Une intervention", host=held.id)
    page = store.page(held.id, 2)
    store.save(part, [dataclasses.replace(page, number=1, label=page.label or "2")])
    with house.app.test_request_context():
        assert picture_of(part.id, 1).number == 2
    for access in ("staff", "network", "onsite"):
        store.save(dataclasses.replace(held, access=access))
        with house.app.test_request_context():
            assert picture_of(part.id, 1) is None
    store.save(held)
