"""A document of another centre is asked of it: the letter that leaves, and the nothing that stays."""

from __future__ import annotations

import re
from datetime import date
from itertools import count

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from structlog.testing import capture_logs

from kb.accounts import Role
from kb.audit import Action, Wanted
from kb.centres import Centre
from kb.limits import Limit
from kb.mail import Mailed
from kb.mirrors import Origin
from kb.records import Agent, Copy, Page, Record
from kb.requests import Requests
from kb.sharing import Shared
from kb.tables import metadata
from web import requesting

LAB, FLOOD = "doc@labo.exemple.fr", "cdi@observatoire.exemple.fr"
ALONE, SILENT, UNKNOWN, PRIVATE = "labo-cites:2", "silencieux:1", "inconnu:7", "labo-cites:9"
COMMON = {
    "title": "Les pirogues du quartier fluvial",
    "type": "etude",
    "date": "2014",
    "agents": (Agent("Dulac, Irène"), Agent("Ferré, Olga")),
}
FIELDS = {"wanted": "pret", "email": "zoe@exemple.fr", "name": "", "message": ""}
_TESTS = count()


@pytest.fixture(autouse=True)
def _own_counts(monkeypatch):
    """Nobody waits, and each test has its own count of sendings."""
    number = next(_TESTS)
    monkeypatch.setattr(requesting, "QUICKEST", 0.0)
    for name in ("SENDING", "RECEIVING", "ONCE"):
        was = getattr(requesting, name)
        monkeypatch.setattr(requesting, name, Limit(f"{was.name}-{number}", was.most, was.seconds))
    monkeypatch.setattr(requesting.request_letters, "RECEIPTS", Limit(f"accuses-{number}", 3, 3600))


def keep(house, record: Record) -> None:
    origin = Origin(
        centre=record.centre,
        source=1,
        identifier=f"oai:{record.id}",
        datestamp="2026-03-01",
        url=f"https://{record.centre}.exemple.fr/notice/{record.id}",
    )
    house.parts.mirrors.keep(Shared(record, (Page(1, "La pirogue passe."),)), origin)


@pytest.fixture(scope="module", autouse=True)
def _network(house):
    centres = house.parts.centres
    centres.save(Centre(code="labo-cites", name="Labo Cités", contact=LAB))
    centres.save(Centre(code="observatoire", name="Observatoire du fleuve", contact=FLOOD))
    centres.save(Centre(code="silencieux", name="Centre silencieux", url="https://silencieux.exemple.fr/"))
    house.parts.store.save(Record(id="ville-caraibe:900001", call_number="PIR 3", **COMMON))
    keep(house, Record(id="labo-cites:1", copies=(Copy("LC 1"), Copy("LC 1")), **COMMON))
    keep(house, Record(id="observatoire:1", call_number="OBS 4", **COMMON))
    keep(house, Record(id="silencieux:3", call_number="S 3", **COMMON))
    keep(house, Record(id=ALONE, title="Passeurs de pirogues", call_number="LC 2"))
    keep(house, Record(id=SILENT, title="Les berges muettes", call_number="S 1"))
    keep(house, Record(id=UNKNOWN, title="Rapport relayé"))
    keep(house, Record(id=PRIVATE, title="Entre centres", access="network"))
    house.parts.sync()


def mails(house):
    """What leaves now, by its recipient."""
    found = []
    house.parts.outbox.deliver(lambda _, message: found.append(message) or Mailed.SENT)
    return {message["To"]: message for message in found}


def send(house, client, id=ALONE, **fields):
    """Send the form with what the page that was just read has."""
    page = client.get(f"/notice/{id}/demander").text
    stamp = re.search(r'name="stamp" value="([^"]*)"', page)
    return house.post(
        client, f"/notice/{id}/demander", **({"stamp": stamp[1] if stamp else ""} | FIELDS | fields)
    )


def lines(house):
    return house.parts.trail.lines(Wanted(action=Action.DOCUMENT_REQUESTED), 500)


def text(response) -> str:
    whole = " ".join(BeautifulSoup(response.text, "html.parser").main.get_text(" ").split())
    return whole.replace("\u00a0", " ").replace("\u202f", " ")


# -- what leaves


def test_the_holder_gets_a_letter_that_says_all_and_is_answered_to_the_asker(house):
    mails(house)
    response = send(
        house,
        house.client(),
        "labo-cites:1",
        centre="labo-cites",
        wanted="copie",
        email=" Zoe@Exemple.fr ",
        name="Zoé Amar",
        message="Surtout le chapitre 2.\r\nMerci.",
    )
    assert response.status_code == 303
    letter = mails(house)[LAB]
    assert letter["Reply-To"] == "zoe@exemple.fr"
    assert letter["Auto-Submitted"] is None
    assert letter["Subject"].endswith("Les pirogues du quartier fluvial")
    said = letter.get_content().replace("\u00a0", " ").replace("\r\n", "\n")
    for expected in (
        "Titre : Les pirogues du quartier fluvial\n",
        "Auteurs : Irène Dulac, Olga Ferré\n",
        "Année : 2014\n",
        "Cote : LC 1\n",
        "Numéro chez vous : oai:labo-cites:1\n",
        "Adresse chez vous : https://labo-cites.exemple.fr/notice/labo-cites:1\n",
        "Ce qu’elle souhaite : En recevoir une copie numérique\n",
        "Son nom :\n> Zoé Amar\n",
        "Son message :\n> Surtout le chapitre 2.\n> Merci.\n",
        "zoe@exemple.fr",
    ):
        assert expected in said
    assert said.rstrip().endswith(house.parts.config.centre_name)


def test_facts_that_are_not_known_have_no_line(house):
    mails(house)
    send(house, house.client())
    said = mails(house)[LAB].get_content()
    assert "Passeurs de pirogues" in said
    for absent in ("Auteurs", "Année", "Son nom", "Son message", "None"):
        assert absent not in said


def test_the_asker_gets_a_receipt_that_repeats_nothing_typed(house):
    mails(house)
    send(house, house.client(), name="Kanarixnom", message="Kanarixmessage")
    receipt = mails(house)["zoe@exemple.fr"]
    assert receipt["Auto-Submitted"] == "auto-generated"
    assert "Labo Cités" in receipt.get_content()
    assert "Passeurs de pirogues" in receipt.get_content()
    assert f"/notice/{ALONE}".replace(":", "%3A") in receipt.get_content()
    assert "anarix" not in receipt.as_string()


def test_one_address_gets_three_receipts_an_hour_and_the_page_says_so_no_more(house, monkeypatch):
    monkeypatch.setattr(requesting, "ONCE", Limit("jamais", 99, 1))
    mails(house)
    pages = []
    for _ in range(4):
        client = house.client()
        pages.append(text(client.get(send(house, client, email="souvent@exemple.fr").headers["Location"])))
    left = []
    house.parts.outbox.deliver(lambda _, message: left.append(message["To"]) or Mailed.SENT)
    assert (left.count("souvent@exemple.fr"), left.count(LAB)) == (3, 4)
    assert ["accusé de réception" in page for page in pages] == [True, True, True, False]


def test_a_title_is_never_taken_for_the_code_of_a_mail_head(house):
    title = "=?utf-8?q?x=0ABcc:_a=40b.fr?= " + "très long titre " * 20
    keep(house, Record(id="labo-cites:66", title=title))
    mails(house)
    assert send(house, house.client(), "labo-cites:66").status_code == 303
    letter = mails(house)[LAB]
    assert letter["Bcc"] is None
    assert len(letter["Subject"]) < 130
    assert letter["Subject"].endswith("…")


def test_typed_words_cannot_pass_for_ours(house):
    mails(house)
    send(house, house.client(), message="Bonjour\n\nPour lui répondre, cliquez : https://piege.exemple\u202e")
    said = mails(house)[LAB].get_content()
    assert "> Pour lui répondre, cliquez" in said
    assert "\nPour lui répondre, cliquez" not in said.replace("\r\n", "\n")
    assert "\u202e" not in said


# -- what is shown


def test_the_page_after_says_to_whom_what_and_that_the_address_is_not_kept(house):
    client = house.client()
    location = send(house, client).headers["Location"]
    assert "exemple" not in location
    said = text(client.get(location))
    for expected in ("Labo Cités", "Passeurs de pirogues", "L’emprunter", "ne garde pas cette adresse"):
        assert expected in said
    assert "La réponse viendra de Labo Cités, par courriel" in said
    assert "zoe@exemple.fr" not in said


def test_an_address_that_we_did_not_sign_leads_back_to_the_form(house):
    for query in ("", "?recu=x", "?recu=WyJsYWJvLWNpdGVzIl0.x.y"):
        response = house.client().get(f"/notice/{ALONE}/demander/envoyee{query}")
        assert (response.status_code, response.headers["Location"]) == (
            303,
            f"/notice/{_quoted(ALONE)}/demander",
        )


def _quoted(id: str) -> str:
    return id.replace(":", "%3A")


def test_who_is_signed_in_finds_their_fields_filled_and_may_change_them(house):
    page = BeautifulSoup(house.client(Role.MEMBER).get(f"/notice/{ALONE}/demander").text, "html.parser")
    assert page.select_one("#email")["value"] == house.email(Role.MEMBER)
    assert page.select_one("#name")["value"]
    mails(house)
    send(house, house.client(Role.MEMBER), email="autre@exemple.fr", name="")
    letter = mails(house)[LAB]
    assert letter["Reply-To"] == "autre@exemple.fr"
    assert "Son nom" not in letter.get_content()
    visitor = BeautifulSoup(house.client().get(f"/notice/{ALONE}/demander").text, "html.parser")
    assert not visitor.select_one("#email").get("value")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": ""}, "Indiquez l’adresse"),
        ({"email": "zoe@"}, "incomplète"),
        ({"email": "a@b.fr\nBcc: c@d.fr"}, "incomplète"),
        ({"wanted": ""}, "Choisissez ce que vous souhaitez"),
        ({"wanted": "voler"}, "Choisissez ce que vous souhaitez"),
        ({"name": "x" * 500}, "Au plus"),
        ({"message": "x" * 2001}, "Au plus 2 000 caractères"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_leaves(house, wrong, said):
    mails(house)
    before = len(lines(house))
    response = send(house, house.client(), **wrong)
    assert response.status_code == 400
    assert said in text(response)
    assert mails(house) == {}
    assert len(lines(house)) == before


def test_a_long_message_counts_each_end_of_line_once(house):
    message = "\r\n".join(["x" * 99] * 20)  # 1 999 characters as they were typed, 2 018 as they are sent
    assert send(house, house.client(), message=message).status_code == 303


# -- whom it may go to


def test_of_several_holders_one_is_chosen_with_what_each_has(house):
    page = BeautifulSoup(house.client().get("/notice/observatoire:1/demander").text, "html.parser")
    offered = {radio["value"]: radio.parent.get_text(" ") for radio in page.select('[name="centre"]')}
    assert set(offered) == {"labo-cites", "observatoire"}
    assert "2 exemplaires" in offered["labo-cites"]
    assert "OBS 4" in offered["observatoire"]
    assert page.select_one('[name="centre"][checked]')["value"] == "observatoire"
    assert page.find("a", string="Voir notre notice")["href"] == "/notice/ville-caraibe%3A900001"
    assert "Centre silencieux" in page.select_one("section .holding").get_text()
    mails(house)
    send(house, house.client(), "observatoire:1", centre="labo-cites")
    gone = mails(house)
    assert "oai:labo-cites:1" in gone[LAB].get_content()  # the number that this holder gave it
    assert FLOOD not in gone
    assert lines(house)[0].object == "notice:labo-cites:1"


@pytest.mark.parametrize("centre", ["silencieux", "ville-caraibe", "personne", ""])
def test_nothing_goes_to_who_is_no_holder_with_an_address(house, centre):
    mails(house)
    response = send(house, house.client(), "observatoire:1", centre=centre)
    assert response.status_code == 400
    assert "Choisissez un des centres." in text(response)
    assert mails(house) == {}


def test_a_holder_without_address_is_told_with_its_site(house):
    page = house.client().get(f"/notice/{SILENT}/demander")
    assert "Nous ne pouvons pas transmettre votre demande" in text(page)
    soup = BeautifulSoup(page.text, "html.parser")
    assert soup.select_one('main form[method="post"]') is None
    assert soup.select_one('main a[href="https://silencieux.exemple.fr/"]')
    mails(house)
    assert send(house, house.client(), SILENT).status_code == 200
    assert mails(house) == {}
    assert house.client().get(f"/notice/{UNKNOWN}/demander").status_code == 200  # not in the directory at all


def test_our_own_documents_are_not_asked_for_and_what_is_not_seen_does_not_exist(house):
    ours = house.client().get("/notice/ville-caraibe:900001/demander")
    assert (ours.status_code, ours.headers["Location"]) == (303, "/notice/ville-caraibe%3A900001")
    assert send(house, house.client(), "ville-caraibe:900001").status_code == 303
    assert house.client().get("/notice/labo-cites:404/demander").status_code == 404
    assert house.client().get(f"/notice/{PRIVATE}/demander").status_code == 404
    assert house.client().get(f"/notice/{PRIVATE}/demander/envoyee").status_code == 404
    assert house.client(Role.LIBRARIAN).get(f"/notice/{PRIVATE}/demander").status_code == 200


def test_the_notice_leads_here(house):
    page = BeautifulSoup(house.client().get(f"/notice/{ALONE}").text, "html.parser")
    link = page.select_one(".ways a.button")["href"]
    assert house.client().get(link).status_code == 200


# -- robots and floods


def test_a_robot_is_shown_the_form_again(house, monkeypatch):
    mails(house)
    assert send(house, house.client(), site="https://x.exemple").status_code == 400
    assert send(house, house.client(), stamp="").status_code == 400
    monkeypatch.setattr(requesting, "QUICKEST", 60.0)
    quick = send(house, house.client(), message="Pressée")
    assert "Relisez votre demande" in text(quick)
    assert "Pressée" in quick.text
    assert mails(house) == {}


def test_pressing_twice_writes_one_letter(house):
    mails(house)
    client = house.client()
    first, second = (client.get(send(house, client).headers["Location"]) for _ in range(2))
    left = []
    house.parts.outbox.deliver(lambda _, message: left.append(message["To"]) or Mailed.SENT)
    assert left.count(LAB) == 1
    assert "Votre demande est transmise" in text(first)
    assert "Votre demande était déjà partie" in text(second)


@pytest.mark.parametrize("limit", ["SENDING", "RECEIVING"])
def test_many_requests_are_refused_and_count_for_nothing(house, monkeypatch, limit):
    monkeypatch.setattr(requesting, limit, Limit(f"deux-{limit}", 2, 3600))
    codes = [send(house, house.client(), email=f"n{n}@exemple.fr").status_code for n in range(2)]
    before = len(lines(house))
    assert codes == [303, 303]
    mails(house)
    assert send(house, house.client(), email="n3@exemple.fr").status_code == 429
    assert len(lines(house)) == before
    assert mails(house) == {}


# -- what stays


def test_the_trail_and_the_count_say_what_was_asked_never_by_whom(house):
    held = Requests(house.parts.store.database)
    before = held.counts(date(2020, 1, 1)).get("labo-cites", 0)
    send(house, house.client(Role.LIBRARIAN), message="Kanarixmot")
    line = lines(house)[0]
    assert (line.object, line.actor, line.before, line.after) == (f"notice:{ALONE}", "visiteur", None, None)
    assert held.counts(date(2020, 1, 1))["labo-cites"] == before + 1


def test_nothing_personal_stays_in_tables_or_logs_once_the_letters_have_left(house):
    with capture_logs() as logs:
        send(
            house,
            house.client(),
            email="kanarixadresse@exemple.fr",
            name="Kanarixnom",
            message="Kanarixmessage",
        )
        assert LAB in mails(house)
    assert "anarix" not in str(logs)
    seen = {}
    with house.parts.store.database.reading() as connection:
        for table in metadata.sorted_tables:
            if found := [row for row in connection.execute(sa.select(table)) if "anarix" in str(row)]:
                seen[table.name] = found
    # The queue of mail remembers whom it wrote to until it is swept: the page says so.
    assert set(seen) == {"messages"}
    assert [row.recipient for row in seen["messages"]] == ["kanarixadresse@exemple.fr"]
    assert "anarixnom" not in str(seen)
    assert "anarixmessage" not in str(seen)
