"""Signing in and out, passwords by link, second factor, sessions: by the forms, as a browser sends them."""

from __future__ import annotations

import dataclasses
import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from kb.accounts import Role
from kb.audit import Wanted
from kb.credentials import Ticket
from kb.limits import Limit
from kb.questions import Asked
from kb.tables import sessions
from web.auth import device_of, local

NEW = "quatre crabes rouges dansent"


def signed_in(client) -> bool:
    return client.get("/compte").status_code == 200


def cookie(client, name: str = "carbet") -> str | None:
    found = client.get_cookie(name)
    return found.value if found else None


# -- sign in, sign out


def test_somebody_signs_in_goes_on_where_they_were_and_signs_out(house):
    client = house.client()
    asked = client.get("/journal?quoi=session.opened")
    assert asked.status_code == 303
    assert asked.headers["Location"] == "/connexion?suite=/journal%3Fquoi%3Dsession.opened"
    response = house.sign_in(client, house.email(Role.AUDITOR), suite="/journal?quoi=session.opened")
    assert (response.status_code, response.headers["Location"]) == (303, "/journal?quoi=session.opened")
    assert client.get("/journal").status_code == 200
    assert house.post(client, "/deconnexion").status_code == 303
    assert not signed_in(client)


def test_the_address_is_known_however_it_is_typed(house):
    client = house.client()
    assert house.sign_in(client, f"  {house.email(Role.MEMBER).upper()} ").status_code == 303
    assert signed_in(client)


def test_a_wrong_password_and_an_unknown_address_read_the_same(house):
    pages = []
    for email in (house.email(Role.MEMBER), "personne@exemple.fr"):
        response = house.sign_in(house.client(), email, "un autre mot de passe")
        assert response.status_code == 403
        main = response.text.partition("<main")[2].replace(email, "")
        pages.append(re.sub(r'value="[^"]+"', "", main))
    assert pages[0] == pages[1]


def test_the_session_that_a_browser_held_before_is_not_the_one_it_gets(house):
    client, person = house.client(), house.somebody()
    client.set_cookie("carbet", "x" * 43)  # fixed by somebody else
    house.sign_in(client, person.email)
    first = cookie(client)
    assert first not in (None, "x" * 43)
    house.sign_in(client, person.email)
    assert cookie(client) != first
    stranger = house.client()
    stranger.set_cookie("carbet", first)
    assert not signed_in(stranger)
    client.get("/mot-de-passe-oublie")
    form = cookie(client, "carbet-formulaires")
    house.sign_in(client, person.email)
    client.get("/mot-de-passe-oublie")
    assert form
    assert cookie(client, "carbet-formulaires") != form


def test_a_cookie_of_the_session_cannot_be_read_by_scripts_nor_sent_by_other_sites(house):
    response = house.sign_in(house.client(), house.somebody().email)
    for held in response.headers.getlist("Set-Cookie"):
        assert "HttpOnly" in held
        assert "SameSite=Lax" in held


def test_ten_failures_from_an_address_stop_it_and_nobody_else(house):
    person = house.somebody()
    thief, owner = house.client(), house.client()
    thief.environ_base["REMOTE_ADDR"], owner.environ_base["REMOTE_ADDR"] = "192.0.2.7", "192.0.2.8"
    for _ in range(10):
        assert house.sign_in(thief, person.email, "mauvais mot de passe").status_code == 403
    stopped = house.sign_in(thief, person.email)
    assert stopped.status_code == 429
    assert "Trop d’essais" in stopped.text
    assert house.sign_in(owner, person.email).status_code == 303
    assert house.sign_in(thief, house.email(Role.MEMBER)).status_code == 429


def test_the_owner_is_let_in_on_a_known_device_while_thieves_try_from_everywhere(house):
    person, owner = house.somebody(), house.client()
    owner.environ_base["REMOTE_ADDR"] = "192.0.2.50"
    house.sign_in(owner, person.email)
    house.post(owner, "/deconnexion")
    for number in range(10):
        thief = house.client()
        thief.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
        for _ in range(10):
            house.sign_in(thief, person.email, "mauvais mot de passe")
    stranger = house.client()
    stranger.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert house.sign_in(stranger, person.email).status_code == 429
    assert house.sign_in(owner, person.email).status_code == 303


def test_tries_made_at_once_count_too(house):
    person, codes = house.somebody(), []

    def attempt():
        client = house.client()
        client.environ_base["REMOTE_ADDR"] = "192.0.2.99"
        codes.append(house.sign_in(client, person.email, "mauvais mot de passe").status_code)

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [403] * 10 + [429] * 6


def test_a_forwarded_address_is_not_believed_without_a_proxy_in_the_settings(house):
    person, codes = house.somebody(), []
    for number in range(11):
        client = house.client()
        client.environ_base |= {"REMOTE_ADDR": "192.0.2.111", "HTTP_X_FORWARDED_FOR": f"203.0.113.{number}"}
        codes.append(house.sign_in(client, person.email, "mauvais mot de passe").status_code)
    assert codes[-1] == 429


def test_one_household_of_ipv6_addresses_counts_as_one(house):
    person, codes = house.somebody(), []
    for number in range(11):
        client = house.client()
        client.environ_base["REMOTE_ADDR"] = f"2001:db8::{number:x}"
        codes.append(house.sign_in(client, person.email, "mauvais mot de passe").status_code)
    assert codes == [403] * 10 + [429]


ELSEWHERE = (
    *("https://ailleurs.example/", "//ailleurs.example", "/\\ailleurs.example", "\\/ailleurs.example"),
    *(
        "/\t/ailleurs.example",
        "https:ailleurs.example",
        "javascript:alert(1)",
        " //ailleurs.example",
        "/\n/x",
    ),
    *("///ailleurs.example", "http:\\\\ailleurs.example", "ailleurs.example", "", "/" + "a" * 3000, "/a\\b"),
)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_signing_in(house, address):
    assert local(address) == "/"
    response = house.sign_in(house.client(), house.email(Role.MEMBER), suite=address)
    assert response.headers["Location"] == "/"


def test_a_page_of_the_site_is_where_one_goes_on():
    assert local("/recherche?q=médiation&theme=T03") == "/recherche?q=médiation&theme=T03"


def test_a_page_that_needs_a_right_tells_programs_and_people_without_it_apart(house):
    assert house.client().get("/administration.json").status_code == 401
    assert house.client().get("/journal.csv").status_code == 401
    refused = house.client(Role.MEMBER).get("/administration")
    assert refused.status_code == 403
    assert "Votre compte ne permet pas cela" in refused.text


def test_devices_are_told_in_words():
    chrome = "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 (KHTML) Chrome/130.0 Safari/537.36"
    assert device_of(chrome) == "Chrome sur Windows"
    assert device_of("Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/130.0") == "Firefox sur Linux"
    assert device_of("") == "Navigateur inconnu"


# -- passwords by link


def test_who_forgot_the_password_chooses_another_by_the_link_in_the_mail(house):
    person, client = house.somebody(), house.client()
    thief = house.client()
    house.sign_in(thief, person.email)
    assert house.post(client, "/mot-de-passe-oublie", email=person.email).status_code == 303
    link = re.search(r"http://localhost(/mot-de-passe/\S+)", house.letter(person.email))[1]
    assert person.name in client.get(link).text
    weak = house.post(client, link, password="motdepasse123", again="motdepasse123")
    assert weak.status_code == 400
    assert "facile à deviner" in weak.text
    unlike = house.post(client, link, password=NEW, again=NEW + "!")
    assert "ne sont pas les mêmes" in unlike.text
    assert house.post(client, link, password=NEW, again=NEW).status_code == 303
    assert not signed_in(thief)
    assert client.get(link).status_code == 410
    assert "Ce lien a déjà servi" in client.get(link).text
    assert house.sign_in(client, person.email).status_code == 403
    assert house.sign_in(client, person.email, NEW).status_code == 303
    assert "vient d’être changé" in house.letter(person.email)


def test_asking_for_a_link_says_nothing_of_who_has_an_account(house):
    client = house.client()
    client.environ_base["REMOTE_ADDR"] = "192.0.2.201"
    before = len(house.parts.outbox.lines(1000))
    known, unknown = (
        house.post(client, "/mot-de-passe-oublie", email=email)
        for email in (house.somebody().email, "inconnue@exemple.fr")
    )
    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )
    assert len(house.parts.outbox.lines(1000)) == before + 1


def test_links_are_not_asked_for_without_end(house):
    client, person = house.client(), house.somebody()
    client.environ_base["REMOTE_ADDR"] = "192.0.2.202"
    codes = [house.post(client, "/mot-de-passe-oublie", email=person.email).status_code for _ in range(4)]
    assert codes == [303, 303, 303, 429]


def test_who_is_invited_chooses_a_password_and_signs_in(house):
    admin, client = house.client(Role.ADMINISTRATOR), house.client()
    response = house.post(
        admin,
        "/administration/personnes",
        email="neuve@exemple.fr",
        name="Anne Neuve",
        roles="documentaliste",
    )
    assert response.status_code == 303
    link = re.search(r"http://localhost(/mot-de-passe/\S+)", house.letter("neuve@exemple.fr"))[1]
    assert "Bienvenue" in client.get(link).text
    house.post(client, link, password=NEW, again=NEW)
    house.sign_in(client, "neuve@exemple.fr", NEW)
    assert "Documentaliste" in client.get("/compte").text


def test_changing_the_password_asks_for_the_present_one_and_ends_the_other_sessions(house):
    person = house.somebody()
    here, there = house.client(), house.client()
    for client in (here, there):
        house.sign_in(client, person.email)
    fields = {"password": NEW, "again": NEW}
    wrong = house.post(here, "/compte/mot-de-passe", current="pas le bon du tout", **fields)
    assert wrong.status_code == 400
    assert "pas votre mot de passe actuel" in wrong.text
    assert house.post(here, "/compte/mot-de-passe", current=house.password, **fields).status_code == 303
    assert signed_in(here)
    assert not signed_in(there)


# -- second factor


def code_of(secret: str, shift: int = 0) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30 * shift))


def set_up(house, client) -> tuple[str, list[str]]:
    page = client.get("/compte/second-facteur")
    secret = re.search(r'class="code">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
    done = house.post(client, "/compte/second-facteur", code=code_of(secret, -1), current=house.password)
    codes = [c.replace(" ", "") for c in re.findall(r'<li class="code">([a-z0-9 ]+)<', done.text)]
    assert len(codes) == 10, done.text
    return secret, codes


def test_with_a_second_factor_the_password_alone_opens_nothing(house):
    person, client = house.somebody(Role.ADMINISTRATOR), house.client()
    house.sign_in(client, person.email)
    secret, codes = set_up(house, client)
    other = house.client()
    response = house.sign_in(other, person.email, suite="/administration")
    assert response.headers["Location"] == "/connexion/code?suite=/administration"
    half = cookie(other)
    assert not signed_in(other)
    assert other.get("/administration").status_code == 303
    wrong = house.post(other, "/connexion/code", code="000000", suite="/administration")
    assert wrong.status_code == 403
    right = house.post(other, "/connexion/code", code=code_of(secret), suite="/administration")
    assert right.headers["Location"] == "/administration"
    assert cookie(other) != half
    assert other.get("/administration").status_code == 200
    third = house.client()
    house.sign_in(third, person.email)
    assert house.post(third, "/connexion/code", code=code_of(secret)).status_code == 403  # used already
    assert house.post(third, "/connexion/code", code=codes[0]).status_code == 303
    assert signed_in(third)


def test_a_second_factor_is_set_up_only_with_its_code_and_the_password(house):
    person, client = house.somebody(), house.client()
    house.sign_in(client, person.email)
    page = client.get("/compte/second-facteur")
    secret = re.search(r'class="code">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
    for code, password in (("000000", house.password), (code_of(secret), "pas le bon du tout")):
        assert house.post(client, "/compte/second-facteur", code=code, current=password).status_code == 400
    assert not house.parts.people.get(person.id).second_factor


def test_an_administrator_who_must_have_a_second_factor_can_do_nothing_else_before(house, monkeypatch):
    person, client = house.somebody(Role.ADMINISTRATOR), house.client()
    monkeypatch.setattr(house.parts, "config", dataclasses.replace(house.parts.config, second_factor=True))
    house.sign_in(client, person.email)
    assert client.get("/administration").status_code == 403
    assert "Activez le vôtre" in client.get("/").text
    set_up(house, client)
    assert client.get("/administration").status_code == 200


def test_a_second_factor_is_taken_away_with_the_password(house):
    person, client = house.somebody(), house.client()
    house.sign_in(client, person.email)
    set_up(house, client)
    assert house.post(client, "/compte/second-facteur/enlever", current="non").status_code == 400
    assert house.post(client, "/compte/second-facteur/enlever", current=house.password).status_code == 303
    assert not house.parts.people.get(person.id).second_factor


# -- sessions


def test_my_sessions_are_listed_and_closed_one_by_one_or_all(house):
    person = house.somebody()
    clients = [house.client() for _ in range(3)]
    for client in clients:
        house.sign_in(client, person.email)
    page = clients[0].get("/compte.json").json
    assert [held["here"] for held in page["sessions"]].count(True) == 1
    other = next(held["id"] for held in page["sessions"] if not held["here"])
    house.post(clients[0], f"/compte/sessions/{other}/fermer")
    assert [signed_in(client) for client in clients].count(True) == 2
    house.post(clients[0], "/compte/sessions/fermer-les-autres")
    assert [signed_in(client) for client in clients] == [True, False, False]


def test_closing_an_account_ends_its_sessions_and_its_links_at_once(house):
    person, client, admin = house.somebody(), house.client(), house.client(Role.ADMINISTRATOR)
    house.sign_in(client, person.email)
    link = f"/mot-de-passe/{house.parts.credentials.link(person.id, Ticket.RESET)}"
    fields = {"name": person.name, "roles": "inscrit"}  # the tick of an open account left out
    assert house.post(admin, f"/administration/personnes/{person.id}", **fields).status_code == 303
    assert not signed_in(client)
    assert client.get(link).status_code == 410
    assert house.sign_in(client, person.email).status_code == 403


def test_a_role_taken_away_is_gone_with_the_next_page(house):
    person, client = house.somebody(Role.AUDITOR), house.client()
    house.sign_in(client, person.email)
    assert client.get("/journal").status_code == 200
    house.parts.people.change(person.id, roles=[Role.MEMBER])
    assert client.get("/journal").status_code == 403


# -- what a request may not carry


def test_fields_that_a_form_does_not_have_are_not_read(house):
    person = house.somebody(Role.LIBRARIAN)
    client = house.client()
    house.sign_in(client, person.email)
    more = {"roles": "administrateur", "active": "y", "id": "1", "email": "autre@exemple.fr"}
    house.post(client, "/compte/mot-de-passe", current=house.password, password=NEW, again=NEW, **more)
    record = house.records["public"]
    before = house.parts.store.get(record)
    house.post(client, f"/notice/{record}/acces", access="network", title="Volé", **more)
    after = house.parts.store.get(record)
    assert (after.title, after.access) == (before.title, "network")
    house.post(client, f"/notice/{record}/acces", access="public")
    held = house.parts.people.get(person.id)
    assert (held.roles, held.email) == (frozenset({Role.LIBRARIAN}), person.email)


@pytest.mark.parametrize("roles", [["visiteur"], ["centre"], ["dieu"], [], ["inscrit", "centre"]])
def test_no_role_is_given_that_is_not_on_the_form(house, roles):
    admin, person = house.client(Role.ADMINISTRATOR), house.somebody()
    fields = {"name": person.name, "roles": roles, "active": "y"}
    assert house.post(admin, f"/administration/personnes/{person.id}", **fields).status_code == 400
    assert house.parts.people.get(person.id).roles == {Role.MEMBER}


def test_what_is_done_is_in_the_trail_under_the_name_of_who_did_it(house):
    person, client = house.somebody(Role.LIBRARIAN), house.client()
    house.sign_in(client, person.email)
    record = house.records["public"]
    house.post(client, f"/notice/{record}/acces", access="staff")
    house.post(client, f"/notice/{record}/acces", access="public")
    lines = house.parts.trail.lines(Wanted(object=f"notice:{record}"), 2)
    told = [(line.actor, line.before["access"], line.after["access"]) for line in lines]
    assert told == [(person.actor, "staff", "public"), (person.actor, "public", "staff")]
    assert house.parts.trail.verify()[1] == []


def test_signing_out_when_the_session_has_ended_by_itself_is_no_error(house):
    person, client = house.somebody(), house.client()
    house.sign_in(client, person.email)
    house.parts.sessions.close_all(person.id)
    response = house.post(client, "/deconnexion")
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert cookie(client) is None


def test_forms_sent_without_end_from_an_address_do_not_keep_its_people_out(house, monkeypatch):
    monkeypatch.setattr("web.guard.FORMS", Limit("nearly none", 1, 600))
    person, thief, owner = house.somebody(), house.client(), house.client()
    for _ in range(5):
        thief.post("/connexion", data={"email": person.email})
    assert house.sign_in(owner, person.email).status_code == 303


def test_a_page_is_read_while_somebody_else_writes(house):
    person, client = house.somebody(), house.client()
    house.sign_in(client, person.email)
    with house.parts.store.database.writing() as connection:
        earlier = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()  # so that reading marks it as seen
        connection.execute(sessions.update().values(seen=earlier))
    held, done = threading.Event(), threading.Event()

    def write():
        with house.parts.store.transaction():
            held.set()
            done.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    held.wait(5)
    began = time.monotonic()
    status = client.get("/compte").status_code
    took = time.monotonic() - began
    done.set()
    writer.join()
    assert (status, took < 10) == (200, True)


def fields(page: str) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.partition("<main")[2])
    return dict(found)


def test_what_was_typed_when_the_session_had_ended_can_be_sent_again(house):
    question = house.parts.desk.receive(Asked(text="Qui finance cela ?"), None)
    client, words = house.client(Role.ANSWERER), "Une note de plus de quarante caractères, écrite longtemps."
    token = house.token(client)
    house.parts.sessions.close_all(house.people[Role.ANSWERER])
    address = f"/guichet/{question.reference}/note"
    sent = {"csrf_token": token, "note": words}
    ended = client.post(address, data=sent, headers={"Sec-Fetch-Site": "same-origin"})
    assert ended.status_code == 401
    assert words in ended.text
    house.sign_in(client, house.email(Role.ANSWERER))
    ours = {"Sec-Fetch-Site": "same-origin"}
    old = client.post(address, data=fields(ended.text), headers=ours)
    assert words in old.text  # signing in makes the tokens of former pages void: one more press of the button
    assert client.post(address, data=fields(old.text), headers=ours).status_code == 303
    assert house.parts.desk.notes(question.id)[-1].text == words


def test_what_another_site_sends_is_not_offered_to_be_sent_again(house):
    data = {"text": "Un texte d’ailleurs, de plus de quarante caractères en tout."}
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}):
        response = house.client().post("/guichet/2026-001/note", data=data, headers=headers)
        assert response.status_code == 401
        assert "Un texte d’ailleurs" not in response.text
