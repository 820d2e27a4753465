"""The pages of the administrator and of the auditor: what they show, and what they do."""

from __future__ import annotations

import csv
import dataclasses
import io
import re

from kb.accounts import Role
from kb.audit import Action, Wanted
from kb.mail import Spool
from web import messages, trail_page


def test_every_role_right_and_action_has_its_words():
    assert set(messages.ROLES) == set(Role)
    assert set(messages.ROLE_NOTES) <= set(Role)
    assert set(trail_page.ACTIONS) == set(Action)


def test_the_state_tells_what_there_is_and_what_to_do(house):
    page = house.client(Role.ADMINISTRATOR).get("/administration").text
    for words in ("Notices", "à jour", "Version de Carbet", "Place libre", "smtp_host", "HTTPS"):
        assert words in page
    assert "Sans second facteur" in page


def test_settings_are_shown_with_where_they_come_from_and_without_their_secrets(house, monkeypatch):
    config = dataclasses.replace(house.parts.config, smtp_password="hunter2hunter2")
    monkeypatch.setattr(house.parts, "config", config)
    monkeypatch.setenv("KB_PER_PAGE", "20")
    told = house.client(Role.DIRECTOR).get("/administration/reglages.json").json["settings"]
    by_name = {setting["name"]: setting for setting in told}
    assert by_name["smtp_password"]["value"] == "réglé, caché ici"
    assert by_name["per_page"]["origin"] == "environnement"
    assert by_name["second_factor"]["value"] == "non"
    assert "hunter2" not in str(told)


def test_an_address_is_invited_once(house):
    admin, person = house.client(Role.ADMINISTRATOR), house.somebody()
    fields = {"email": person.email.upper(), "name": "Deux", "roles": "inscrit"}
    response = house.post(admin, "/administration/personnes", **fields)
    assert response.status_code == 400
    assert "Un compte a déjà cette adresse" in response.text


def test_a_form_that_is_not_right_says_where_and_keeps_what_was_typed(house):
    admin = house.client(Role.ADMINISTRATOR)
    page = house.post(admin, "/administration/personnes", email="pas-une-adresse", name="Anne").text
    assert 'role="alert"' in page
    assert "Choisissez au moins un rôle." in page
    assert 'value="pas-une-adresse"' in page
    page = house.post(
        admin, "/administration/personnes", email="pas-une-adresse", name="A", roles="inscrit"
    ).text
    assert "Cette adresse électronique est incomplète." in page


def test_the_last_administrator_stays(house):
    admin, id = house.client(Role.ADMINISTRATOR), house.people[Role.ADMINISTRATOR]
    for other in house.parts.people.all():
        if Role.ADMINISTRATOR in other.roles and other.id != id:
            house.parts.people.change(other.id, roles=[Role.MEMBER])
    response = house.post(admin, f"/administration/personnes/{id}", name="Moi", roles="inscrit", active="y")
    assert "au moins un administrateur" in response.text
    assert house.post(admin, f"/administration/personnes/{id}/effacer", sure="y").status_code == 409


def test_nobody_is_erased_by_a_slip_and_an_erased_account_is_forgotten(house):
    admin, person = house.client(Role.ADMINISTRATOR), house.somebody()
    house.post(admin, f"/administration/personnes/{person.id}/effacer")
    assert house.parts.people.get(person.id).name == person.name
    house.post(admin, f"/administration/personnes/{person.id}/effacer", sure="y")
    page = admin.get("/administration/personnes").text
    assert person.email not in page
    assert person.name not in admin.get("/journal").text


def test_a_key_is_shown_once_works_and_stops_when_revoked(house):
    admin, machine = house.client(Role.ADMINISTRATOR), house.client()
    page = house.post(admin, "/administration/cles", name="Guadeloupe", scopes="read-network").text
    secret = re.search(r"kbc_[\w-]{43}", page)[0]
    assert secret not in admin.get("/administration/cles").text
    address, key = f"/notice/{house.records['network']}.json", {"Authorization": f"Bearer {secret}"}
    assert machine.get(address, headers=key).status_code == 200
    assert machine.get(f"/notice/{house.records['staff']}.json", headers=key).status_code == 404
    id = next(
        key["id"]
        for key in admin.get("/administration/cles.json").json["keys"]
        if key["name"] == "Guadeloupe"
    )
    house.post(admin, f"/administration/cles/{id}/revoquer")
    assert machine.get(address, headers=key).status_code == 401


def test_a_key_without_scope_reads_what_is_public(house):
    admin, machine = house.client(Role.ADMINISTRATOR), house.client()
    page = house.post(admin, "/administration/cles", name="Curieux").text
    secret = re.search(r"kbc_[\w-]{43}", page)[0]
    key = {"Authorization": f"Bearer {secret}"}
    assert machine.get("/recherche.json", headers=key).status_code == 200
    assert machine.get(f"/notice/{house.records['network']}.json", headers=key).status_code == 404


def test_without_a_server_messages_wait_where_the_administrator_reads_them(house):
    admin, person = house.client(Role.ADMINISTRATOR), house.somebody()
    house.post(admin, f"/administration/personnes/{person.id}/lien")
    house.parts.outbox.deliver(Spool(house.parts.config.spool).put)
    page = admin.get("/administration/courrier").text
    assert "à remettre à la main" in page
    address = re.search(r"/administration/courrier/\d+", page)[0]
    assert "/mot-de-passe/" in admin.get(address).text
    assert house.parts.trail.lines(Wanted(action=Action.MESSAGE_READ), 1)
    assert house.client(Role.DIRECTOR).get(address).status_code == 403


def test_a_message_that_could_not_leave_says_why_and_is_sent_again(house):
    from datetime import UTC, datetime, timedelta

    def refuse(*_):
        raise ConnectionRefusedError("nobody listens")

    admin, outbox = house.client(Role.ADMINISTRATOR), house.parts.outbox
    id = outbox.put("qui@exemple.fr", "Objet", "Texte")
    for days in range(8):
        outbox.deliver(refuse, now=datetime.now(UTC) + timedelta(days=days))
    assert "nobody listens" in admin.get("/administration/courrier").text
    assert "n’ont pas pu partir" in admin.get("/administration").text
    house.post(admin, f"/administration/courrier/{id}/reessayer")
    assert "Texte" in house.letter("qui@exemple.fr")


def test_the_journal_is_filtered_and_turned_page_by_page(house):
    auditor = house.client(Role.AUDITOR)
    first = auditor.get("/journal.json").json
    assert len(first["lines"]) == trail_page.PER_PAGE
    older = first["older_url"].replace("/journal", "/journal.json")
    seqs = [line["seq"] for line in (*first["lines"], *auditor.get(older).json["lines"])]
    assert seqs == sorted(seqs, reverse=True)
    assert len(set(seqs)) == 2 * trail_page.PER_PAGE
    actor = f"personne:{house.people[Role.LIBRARIAN]}"
    house.post(house.client(Role.LIBRARIAN), f"/notice/{house.records['public']}/acces", access="network")
    house.post(house.client(Role.LIBRARIAN), f"/notice/{house.records['public']}/acces", access="public")
    lines = auditor.get("/journal.json", query_string={"qui": actor, "quoi": "record.changed"}).json["lines"]
    assert [line["who"] for line in lines[:2]] == ["Personne documentaliste"] * 2
    assert lines[0]["changes"] == [
        {"field": "accès", "before": "Les centres du réseau et l’équipe", "after": "Tout le monde"}
    ]
    assert auditor.get("/journal.json?objet=notice:*&quoi=record.created").json["lines"]
    for odd in (
        "du=hier",
        "avant=²",
        "avant=-1",
        "du=0001-01-01&au=9999-12-31",
        "qui=x&quoi=y",
        "objet=%25*",
    ):
        assert auditor.get(f"/journal?{odd}").status_code == 200, odd
    assert auditor.get("/journal.json?du=2000-01-01&au=2000-01-02").json["lines"] == []


def test_the_csv_has_every_line_and_no_cell_that_a_spreadsheet_would_run(house):
    house.parts.people.add("formule@exemple.fr", "=cmd|'/c calc'!A1", [Role.MEMBER])
    id = house.parts.people.by_email("formule@exemple.fr").id
    house.parts.trail.note(Action.SIGNED_OUT, f"personne:{id}")
    response = house.client(Role.AUDITOR).get("/journal.csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="journal.csv"'
    rows = list(csv.reader(io.StringIO(response.text.lstrip("\ufeff")), delimiter=";"))
    assert rows[0][0] == "numéro"
    assert len(rows) - 1 == house.parts.trail.head()[0]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_lines_lead_only_where_their_reader_may_go(house):
    page = house.client(Role.AUDITOR).get("/journal?quoi=person.invited").text
    assert "/administration/personnes/" not in page
    page = house.client(Role.ADMINISTRATOR).get("/journal?quoi=person.invited").text
    assert "/administration/personnes/" in page


def test_what_is_typed_in_a_filter_of_the_journal_is_not_kept_for_ever(house):
    auditor = house.client(Role.AUDITOR)
    auditor.get("/journal.csv?objet=marie@exemple.fr&quoi=record.created")
    line = house.parts.trail.lines(Wanted(action=Action.TRAIL_EXPORTED), 1)[0]
    assert line.after == {"filters": {"objet": "…", "quoi": "record.created"}}


def test_the_number_of_a_record_finds_its_lines(house):
    id = house.records["public"]
    lines = house.client(Role.AUDITOR).get(f"/journal.json?objet={id}").json["lines"]
    assert lines
    assert all(line["object_url"] == f"/notice/{id.replace(':', '%3A')}" for line in lines)


def test_erasing_an_account_takes_its_messages_out_of_the_spool(house):
    admin, person = house.client(Role.ADMINISTRATOR), house.somebody()
    spool = Spool(house.parts.config.spool)
    house.post(admin, f"/administration/personnes/{person.id}/lien")
    house.parts.outbox.deliver(spool.put)
    house.post(admin, f"/administration/personnes/{person.id}/effacer", sure="y")
    assert not [path for path in spool.folder.glob("*.eml") if person.email in path.read_text()]
