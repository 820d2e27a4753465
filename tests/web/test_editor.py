"""The record editor: all that is typed is kept or told, and nobody's change is lost under another's."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from werkzeug.datastructures import MultiDict

from kb.accounts import Right, Role
from kb.audit import Wanted, acting
from kb.records import Agent, Copy, Origin, Record, State, Subject
from web.guard import right_of

THEME = "https://carbet.example/thesaurus/T01"


@pytest.fixture
def librarian(house):
    return house.client(Role.LIBRARIAN)


@pytest.fixture
def record(house) -> Record:
    """A record that has something in every field."""
    store = house.parts.store
    made = Record(
        id=store.new_id("ville-caraibe"),
        title="Un\u00a0quartier « en mouvement »",
        type="etude",
        subtitle="dix ans de projets",
        agents=(Agent("Rosalie, Anne"), Agent("Ville du Carbet", "editor", "body")),
        date="2010-03",
        publisher="Ville du Carbet",
        place="Le Carbet",
        series="Mémoires",
        issue="4",
        extent="84 p.",
        abstract="Premier paragraphe.\n\nSecond paragraphe.",
        notes=("Première note", "Seconde\nnote"),
        call_number=f"QU {store.new_id('cotes')[6:]}",
        copies=(Copy("QU 1", "BC-1", "Salle", "onsite"), Copy()),
        subjects=(Subject(concept=THEME, score=0.8),),
        keywords=("quartier", "mémoire ; habitants"),
        identifiers={"record": "F/12", "isbn": "9782999990371", "url": "https://exemple.fr/x"},
        source="ailleurs/fonds.csv",
        access="network",
    )
    store.save(made)
    return store.get(made.id)


def fields(page: str) -> MultiDict:
    """What a browser would send of the form, untouched."""
    form = BeautifulSoup(page, "html.parser").select_one("form[data-editor], form.clash")
    sent: list[tuple[str, str]] = []
    for one in form.select("input[name], textarea[name], select[name]"):
        if one.name == "select":
            chosen = one.select_one("option[selected]") or one.select_one("option")
            sent.append((one["name"], chosen["value"]))
        elif one.name == "textarea":
            sent.append((one["name"], one.text.removeprefix("\r\n").removeprefix("\n").replace("\n", "\r\n")))
        elif one.get("type") not in ("checkbox", "radio") or one.has_attr("checked"):
            sent.append((one["name"], re.sub(r"[\r\n]", "", one.get("value", ""))))
    return MultiDict(sent)


def edited(client, record, **changes):
    """Open the form, change some fields, send it."""
    address = f"/notice/{record.id}/modifier"
    sent = fields(client.get(address).text)
    for name, value in changes.items():
        sent[name.replace("__", "-")] = value
    return client.post(address, data=sent)


def kept(house, record) -> Record:
    return house.parts.store.get(record.id)


def same(one: Record, other: Record) -> bool:
    return dataclasses.replace(one, created=None, updated=None) == dataclasses.replace(
        other, created=None, updated=None
    )


def test_a_form_sent_as_it_came_changes_nothing(house, librarian, record):
    assert unquote(edited(librarian, record).headers["Location"]) == f"/notice/{record.id}"
    assert "Rien n’a changé" in librarian.get(f"/notice/{record.id}").text
    assert kept(house, record) == record


def test_every_record_of_the_fund_goes_through_its_form_unchanged(house, librarian):
    store = house.parts.store
    for id in list(store.ids())[::6]:
        before = store.get(id)
        response = edited(librarian, before)
        assert response.status_code == 303, (id, response.text)
        assert store.get(id) == before


def test_a_field_that_is_typed_is_saved_and_leaves_a_line_and_a_version(house, librarian, record):
    edited(librarian, record, title="  Un  quartier\tdebout ", date="12 mars 2011", abstract="Court.")
    now = kept(house, record)
    assert (now.title, now.date, now.abstract) == ("Un quartier debout", "2011-03-12", "Court.")
    [line] = house.parts.trail.lines(Wanted(object=f"notice:{record.id}"), 1)
    assert line.after["date"] == "2011-03-12"
    assert line.actor == f"personne:{house.people[Role.LIBRARIAN]}"
    assert house.parts.versions.of(record.id)[0].record.title == record.title


def test_the_date_kept_is_told_when_it_was_typed_otherwise(house, librarian, record):
    edited(librarian, record, date="DL 1er juin 2012")
    assert "Date retenue : 1er juin 2012" in librarian.get(f"/notice/{record.id}").text.replace("\u00a0", " ")


def test_what_is_wrong_is_told_under_its_field_and_all_that_was_typed_stays(house, librarian, record):
    response = edited(
        librarian, record, title=" ", date="jadis", isbn="978-2-99999-037-2", subtitle="autre sous-titre"
    )
    page = BeautifulSoup(response.text, "html.parser")
    assert response.status_code == 400
    told = page.select_one("[role=alert]").text
    assert "Indiquez un titre" in told
    assert "Date non comprise" in told
    assert "ne s’accorde pas" in told
    for id in ("title", "date", "isbn"):
        assert page.select_one(f"#{id}")["aria-invalid"] == "true"
        assert f"{id}-faute" in page.select_one(f"#{id}")["aria-describedby"]
    assert page.select_one("#date")["value"] == "jadis"
    assert page.select_one("#subtitle")["value"] == "autre sous-titre"
    assert kept(house, record) == record


def test_a_line_is_added_and_taken_out_without_script_and_nothing_is_lost(house, librarian, record):
    response = edited(librarian, record, faire="ajouter agents", title="Titre pas encore enregistré")
    page = BeautifulSoup(response.text, "html.parser")
    assert page.select_one("#title")["value"] == "Titre pas encore enregistré"
    assert [one["value"] for one in page.select("[name^=agents-][name$=-name]") if one.has_attr("value")][
        :2
    ] == [
        "Rosalie, Anne",
        "Ville du Carbet",
    ]
    sent = fields(response.text)
    sent["agents-2-name"] = "Petit, Luc"
    sent["faire"] = "enlever agents-0"
    sent = fields(librarian.post(f"/notice/{record.id}/modifier", data=sent).text)
    assert "agents-0-name" not in sent
    sent["faire"] = ""
    librarian.post(f"/notice/{record.id}/modifier", data=sent)
    now = kept(house, record)
    assert [agent.name for agent in now.agents] == ["Ville du Carbet", "Petit, Luc"]
    assert now.title == "Titre pas encore enregistré"


def test_terms_are_decided_added_and_taken_out(house, librarian, record):
    edited(librarian, record, subjects__0__state="accepted", themes__0="Logement")
    subjects = {s.concept: s for s in kept(house, record).subjects}
    assert subjects[THEME].state is State.ACCEPTED
    assert subjects[THEME].origin is Origin.MACHINE
    [added] = [s for concept, s in subjects.items() if concept != THEME]
    assert (added.origin, added.state) == (Origin.LIBRARIAN, State.ACCEPTED)
    edited(librarian, record, subjects__0__state="removed")
    assert THEME not in {s.concept for s in kept(house, record).subjects}


def test_a_term_that_is_not_in_the_thesaurus_is_refused_with_near_ones(house, librarian, record):
    response = edited(librarian, record, themes__0="Logemant social")
    assert response.status_code == 400
    assert "n’est pas dans le thésaurus" in response.text
    assert "« Logement social »" in response.text.replace("\u00a0", " ")
    assert fields(response.text)["themes-0"] == "Logemant social"


def test_a_host_is_named_by_number_or_title_and_never_makes_a_ring(house, librarian, record):
    store = house.parts.store
    host = Record(id=store.new_id("ville-caraibe"), title="Cahier sans pareil", type="cahier")
    store.save(host)
    number = host.id.partition(":")[2]
    for typed in (number, f"n° {number}", f"{number} · Cahier sans pareil", "cahier sans PAREIL"):
        edited(librarian, record, host=typed)
        assert kept(house, record).host == host.id
        edited(librarian, record, host="")
        assert kept(house, record).host is None
    edited(librarian, record, host=number, host_pages="12-18")
    assert "fait elle-même partie" in edited(librarian, host, host=record.id).text
    assert "de lui-même" in edited(librarian, host, host=number).text
    assert "Aucune notice" in edited(librarian, record, host="inconnue au fonds").text


def test_a_shelf_mark_that_is_taken_must_be_meant(house, librarian, record):
    other = Record(
        id=house.parts.store.new_id("ville-caraibe"), title="L’autre", call_number=f"pris {record.id}"
    )
    house.parts.store.save(other)
    response = edited(librarian, record, call_number=other.call_number)
    assert response.status_code == 400
    assert "déjà prise" in response.text
    sent = fields(response.text)
    sent["cote_taken"] = "y"
    librarian.post(f"/notice/{record.id}/modifier", data=sent)
    assert kept(house, record).call_number == other.call_number


def test_numbers_of_other_kinds_need_a_name_of_their_own(house, librarian, record):
    edited(librarian, record, others__0__kind="OCLC", others__0__value="123")
    assert kept(house, record).identifiers["oclc"] == "123"
    for kind in ("", "isbn", "title"):
        response = edited(librarian, record, others__0__kind=kind, others__0__value="9")
        assert response.status_code == 400, kind


def test_an_isbn_is_made_regular_and_a_copy_without_words_stays(house, librarian, record):
    edited(librarian, record, isbn="2-07-036822-X")
    now = kept(house, record)
    assert now.identifiers["isbn"] == "9782070368228"
    assert now.copies == record.copies


# -- two people at once


@pytest.fixture
def clash(house, librarian, record):
    """The librarian has typed a title and a publisher; somebody else has saved meanwhile."""
    sent = fields(librarian.get(f"/notice/{record.id}/modifier").text)
    sent["title"], sent["publisher"] = "Mon titre", "Mon éditeur"
    with acting(f"personne:{house.people[Role.DIRECTOR]}"):
        house.parts.store.save(dataclasses.replace(record, title="Leur titre", date="1999"))
    return librarian.post(f"/notice/{record.id}/modifier", data=sent)


def test_a_change_of_somebody_else_is_shown_field_by_field(house, record, clash):
    assert clash.status_code == 409
    page = BeautifulSoup(clash.text, "html.parser")
    assert "Personne responsable" in page.select_one("[role=alert]").text
    assert [one.text.strip() for one in page.select("fieldset legend")] == ["Titre", "Date"]
    assert page.select_one("[name=garder-title][value=mien]").has_attr("checked")
    assert page.select_one("[name=garder-date][value=sien]").has_attr("checked")
    assert kept(house, record).title == "Leur titre"


@pytest.mark.parametrize(("side", "title"), [("mien", "Mon titre"), ("sien", "Leur titre")])
def test_one_keeps_a_side_of_each_field_and_the_rest_of_both(house, librarian, record, clash, side, title):
    sent = fields(clash.text)
    sent["garder-title"], sent["faire"] = side, "choisir"
    response = librarian.post(f"/notice/{record.id}/modifier", data=sent)
    assert response.status_code == 303
    now = kept(house, record)
    assert (now.title, now.date, now.publisher) == (title, "1999", "Mon éditeur")


def test_both_can_be_looked_at_in_the_form_before_they_are_saved(house, librarian, record, clash):
    sent = fields(clash.text)
    sent["faire"] = "revoir"
    page = librarian.post(f"/notice/{record.id}/modifier", data=sent).text
    again = fields(page)
    assert (again["title"], again["date"], again["publisher"]) == ("Mon titre", "1999", "Mon éditeur")
    librarian.post(f"/notice/{record.id}/modifier", data=again)
    assert (kept(house, record).title, kept(house, record).date) == ("Mon titre", "1999")


def test_a_third_change_in_between_is_shown_again(house, librarian, record, clash):
    sent = fields(clash.text)
    house.parts.store.save(dataclasses.replace(kept(house, record), title="Encore un titre"))
    sent["faire"] = "choisir"
    response = librarian.post(f"/notice/{record.id}/modifier", data=sent)
    assert response.status_code == 409
    assert "Encore un titre" in re.sub("<[^>]+>", "", response.text)


def test_terms_proposed_meanwhile_are_no_clash(house, librarian, record):
    sent = fields(librarian.get(f"/notice/{record.id}/modifier").text)
    sent["title"], sent["subjects-0-state"] = "Mon titre", "refused"
    proposed = Subject(concept=THEME.replace("T01", "T03"), score=0.7)
    house.parts.store.save(dataclasses.replace(record, subjects=(*record.subjects, proposed)))
    assert librarian.post(f"/notice/{record.id}/modifier", data=sent).status_code == 303
    now = kept(house, record)
    assert now.title == "Mon titre"
    assert [s.state for s in now.subjects] == [State.REFUSED, State.PROPOSED]


def test_what_was_typed_stays_when_the_record_was_deleted_meanwhile(house, librarian, record):
    sent = fields(librarian.get(f"/notice/{record.id}/modifier").text)
    sent["title"] = "Tapé en vain ?"
    house.parts.store.delete(record.id)
    response = librarian.post(f"/notice/{record.id}/modifier", data=sent)
    assert response.status_code == 409
    assert "supprimée pendant" in response.text
    assert fields(response.text)["title"] == "Tapé en vain ?"
    assert librarian.get(f"/notice/{record.id}/modifier").status_code == 404


# -- deletion and completion


def test_a_record_is_deleted_once_confirmed_and_its_history_stays(house, librarian, record):
    page = librarian.get(f"/notice/{record.id}/supprimer").text
    assert "2\u00a0exemplaires" in page
    assert house.post(librarian, f"/notice/{record.id}/supprimer").status_code == 400
    assert kept(house, record) == record
    gone = house.post(librarian, f"/notice/{record.id}/supprimer", sure="oui")
    assert house.parts.store.was_deleted(record.id)
    assert "supprimée" in librarian.get(gone.headers["Location"]).text


def test_a_record_with_parts_is_not_deleted_before_they_are_detached(house, librarian, record):
    part = Record(id=house.parts.store.new_id("ville-caraibe"), title="Un article", host=record.id)
    house.parts.store.save(part)
    assert "Un article" in house.post(librarian, f"/notice/{record.id}/supprimer", sure="oui").text
    assert kept(house, record) == record
    edited(librarian, part, host="")
    house.post(librarian, f"/notice/{record.id}/supprimer", sure="oui")
    assert house.parts.store.was_deleted(record.id)


def test_words_are_completed_from_the_thesaurus_and_the_fund(house, librarian, record):
    terms = librarian.get("/notices/completions.json?genre=terme&q=loge").json["propositions"]
    assert "Logement social" in terms
    number = record.id.partition(":")[2]
    works = librarian.get(f"/notices/completions.json?genre=notice&q={number}").json["propositions"]
    assert works == [f"{number} · {record.title}"]


def test_the_page_of_a_record_leads_librarians_to_its_editor(house, librarian, record):
    house.parts.reviews.open(record.id, {})
    page = librarian.get(f"/notice/{record.id}").text
    for words in (f"/notice/{record.id}/modifier", f"/notice/{record.id}/historique", "À valider"):
        assert words in page
    assert "/modifier" not in house.client(Role.ANSWERER).get(f"/notice/{record.id}").text
    assert "/lot?q=quartier" in librarian.get("/recherche?q=quartier").text


def test_only_those_who_catalogue_reach_these_pages(house):
    ours = [rule for rule in house.app.url_map.iter_rules() if rule.endpoint.startswith("editor.")]
    assert len(ours) >= 15
    assert {right_of(house.app, rule.endpoint) for rule in ours} == {Right.CATALOGUE}
    id = house.records["public"]
    for path in (f"/notice/{id}/modifier", f"/notice/{id}/historique", "/notices/nouvelle", "/lot"):
        assert house.client(Role.ANSWERER).get(path).status_code == 403
        assert "/connexion" in house.client().get(path).headers["Location"]


def test_an_empty_form_changes_nothing_anywhere(house, librarian, record):
    for path in ("modifier", "supprimer", "revenir", "exemplaire"):
        assert house.post(librarian, f"/notice/{record.id}/{path}").status_code == 400, path
    for path in ("/lot/apercu", "/lot/appliquer", "/lot/annuler", "/notices/nouvelle"):
        assert house.post(librarian, path).status_code == 400, path
    assert kept(house, record) == record


def test_each_page_is_also_json(house, librarian, record):
    base = f"/notice/{record.id}"
    edited(librarian, record, title="Un autre titre")
    assert librarian.get(base + "/modifier.json").json["record"]["title"] == "Un autre titre"
    assert librarian.get(base + "/historique.json?version=1").json["facts"][0] == ["Titre", record.title]
    assert librarian.get(base + "/supprimer.json").json["stays"]
    assert librarian.get("/notices/nouvelle.json").json == {"alike": [], "asked": "", "made": None}
    assert librarian.get(f"/lot.json?n={record.id}").json["items"][0]["id"] == record.id
