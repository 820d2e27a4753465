"""What is kept of those who ask: found by a form, handed over, erased; nothing of them in an address."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from kb.accounts import Role
from kb.audit import Action, Wanted
from kb.errors import NotFound
from kb.questions import Asked, Channel, QuestionState, Said
from web import askers, kept_mail

NOW = datetime.now(UTC)
NUMBERS = iter(range(1000))


class Somebody:
    """Who asked a question."""

    def __init__(self, house):
        number = next(NUMBERS)
        self.email, self.name = f"zwyx-{number}@exemple.fr", f"Ondine Zwyx{'abcdefghij'[number % 10]}"
        self.id = house.parts.askers.known(self.email, self.name, "0696 98 76 54")
        asked = Asked(text=f"Je suis {self.name}. Quelle aide ?", context="Un jardin")
        self.question = house.parts.desk.receive(asked, self.id)
        self.url = f"/demandeurs/{self.id}"


@pytest.fixture
def client(house):
    return house.client(Role.DIRECTOR)


@pytest.fixture
def who(house):
    return Somebody(house)


def test_a_person_is_found_by_a_form_and_not_by_an_address(house, client, who):
    found = house.post(client, "/demandeurs", who=who.name.lower())
    assert found.status_code == 200
    assert who.email in found.text
    assert f'href="{who.url}"' in found.text
    assert client.get(f"/demandeurs?who={who.name}").text.count(who.email) == 0
    assert "Aucun demandeur ne correspond" in house.post(client, "/demandeurs", who="personne du tout").text
    assert house.post(client, "/demandeurs", who="").status_code == 400


def test_the_page_of_a_person_shows_what_is_kept_and_until_when(house, client, who):
    page = client.get(who.url).text
    assert who.name in page
    assert f"/guichet/{who.question.reference}" in page
    assert "attend une réponse" in page.replace("\u00a0", " ")
    for state in (QuestionState.IN_HAND, QuestionState.ANSWERED):
        house.parts.desk.move(who.question.id, state)
    assert "identité effacée à partir du" in client.get(who.url).text.replace("\u00a0", " ")


def test_all_that_is_kept_is_handed_over_as_a_file(house, client, who):
    answer = house.post(client, f"{who.url}/donnees")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="demandeur-{who.id}.json"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.json["email"] == who.email
    assert [one["reference"] for one in answer.json["questions"]] == [who.question.reference]
    assert client.get(f"{who.url}/donnees").status_code == 405


def test_all_that_is_kept_is_handed_over_as_a_page_to_read_and_leaves_a_trace(house, client, who):
    said = Said(text="Une <précision>", channel=Channel.EMAIL, subject="Mon jardin")
    house.parts.desk.hear(who.question.id, said, now=datetime(2026, 3, 4, 2, 30, tzinfo=UTC))
    house.parts.answers.save(who.question.id, "Voici **une aide**.", 0, person=house.people[Role.DIRECTOR])
    house.parts.answers.mark_sent(who.question.id)
    before = len(house.parts.trail.lines(Wanted(action=Action.ASKER_EXPORTED)))
    answer = house.post(client, f"{who.url}/donnees", forme="page")
    page = answer.text.replace("\u00a0", " ")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.headers["Cache-Control"] == "private, no-store"
    for held in (who.name, who.email, "0696 98 76 54", f"Question {who.question.reference}", "Un jardin"):
        assert held in page
    assert "De vous, le 3 mars 2026 à 22 h 30, par courriel : Mon jardin" in page
    assert "Une &lt;précision&gt;" in page
    assert "Voici <strong>une aide</strong>." in page
    assert "received" not in page
    assert len(house.parts.trail.lines(Wanted(action=Action.ASKER_EXPORTED))) == before + 1


def test_nobody_is_erased_by_a_slip(house, client, who):
    answer = house.post(client, f"{who.url}/effacer")
    assert answer.headers["Location"] == f"{who.url}#effacer"
    assert house.parts.askers.get(who.id).name == who.name


def test_an_erased_person_is_gone_and_the_ledger_says_how_much(house, client, who):
    house.parts.outbox.put(who.email, "Bonjour", f"Bonjour {who.name}")
    mail = f"From: {who.name} <{who.email.upper()}>\nSubject: encore moi\n\nBonjour\n".encode()
    key = kept_mail.keep(house.parts, io.BytesIO(mail))
    other = kept_mail.keep(house.parts, io.BytesIO(mail.replace(b"ZWYX", b"AUTRE")))
    with capture_logs() as logs:
        answer = house.post(client, f"{who.url}/effacer", sure="y")
    assert answer.headers["Location"] == "/demandeurs"
    assert who.name not in str(logs)
    assert client.get(who.url).status_code == 404
    with pytest.raises(NotFound):
        kept_mail.read(house.parts, key)
    assert kept_mail.read(house.parts, other).subject == "encore moi"
    held = house.parts.desk.get(who.question.id)
    assert held.asker is None
    assert who.name.split()[1] not in held.text
    page = client.get("/demandeurs").text.replace("\u00a0", " ")
    assert "à la demande de la personne" in page
    assert who.question.reference in page
    assert "1 demandeur" in page
    assert "1 courriel" in page
    assert who.email not in page
    assert house.parts.trail.verify()[1] == []


def test_the_ledger_is_paged(house, client, monkeypatch):
    monkeypatch.setattr(askers, "_LINES", 1)
    for _ in range(2):
        house.parts.privacy.erase(Somebody(house).id)
    assert "/demandeurs?depuis=1" in client.get("/demandeurs").text
    assert client.get("/demandeurs?depuis=1").status_code == 200
    assert client.get("/demandeurs?depuis=-5").status_code == 200
    assert "/demandeurs?depuis=1" in client.get("/demandeurs?depuis=-5").text


def test_what_is_due_is_told_until_the_night(house, client, who):
    late = NOW - timedelta(days=900)
    old = house.parts.desk.receive(Asked(text="Vieille question"), who.id, now=late)
    house.parts.desk.move(old.id, QuestionState.CLOSED, now=late)
    assert "1 question attend" in client.get("/demandeurs").text.replace("\u00a0", " ")
    assert house.parts.privacy.expire() == 1
    assert "à jour" in client.get("/demandeurs").text


@pytest.mark.parametrize("role", [Role.VISITOR, Role.MEMBER, Role.LIBRARIAN, Role.ANSWERER, Role.AUDITOR])
def test_only_those_in_charge_see_who_asked(house, role, who):
    other = house.client(role)
    for page in ("/demandeurs", who.url):
        answer = other.get(page)
        assert answer.status_code in (302, 303, 401, 403)
        assert who.name not in answer.text
    assert house.post(other, f"{who.url}/effacer", sure="y").status_code != 200
    assert house.parts.askers.get(who.id)
