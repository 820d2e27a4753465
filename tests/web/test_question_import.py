"""The log of a former service: brought, looked at, let in by portions, and what was left out given back."""

from __future__ import annotations

import io
import os
import re
import time

import openpyxl
import pytest

from kb.accounts import Role
from kb.desk import Wanted
from kb.questions import QuestionState
from web import kept_log, question_import

ROWS = (
    "N°;Date de la demande;Canal;Objet;Thème;Date réponse;Réponse;Temps passé;Nom;E-mail;État\n"
    "1;04/03/2019;Tél.;Quelle aide pour un jardin {n} ?;Magie;06/03/2019;Voici.;45;"
    "Ondine Zwyx;zwyx@exemple.fr;\n"
    "2;05/03/2019;mail;Une autre question {n};;;;;;;en cours\n"
    "3;bientôt;mail;Sans date {n};;;;;;;\n"
    "4;06/03/2019;;=HYPERLINK({n});;;;;;;\n"
)
NUMBERS = iter(range(1000))


@pytest.fixture
def client(house):
    return house.client(Role.ANSWERER)


@pytest.fixture
def rows():
    return ROWS.format(n=next(NUMBERS))


def bring(house, client, content, name="registre.csv"):
    data = content if isinstance(content, bytes) else content.encode()
    sent = {"csrf_token": house.token(client), "journal": (io.BytesIO(data), name)}
    return client.post("/guichet/import", data=sent, content_type="multipart/form-data")


def chosen(page):
    """The columns as the page chose them."""
    names = re.findall(r'name="(colonne-\d+)"', page)
    boxes = re.split(r'<select name="colonne-\d+"', page)[1:]
    found = (re.search(r'value="(\w*)" selected', box.split("</select>")[0]) for box in boxes)
    return {name: one[1] if one else "" for name, one in zip(names, found, strict=True)} | {
        "channel": "visit"
    }


def plain(text):
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def count(house):
    return house.parts.desk.count(Wanted(states=()))


def imported(house, client, content, **more):
    url = bring(house, client, content).headers["Location"]
    fields = chosen(client.get(url).text) | {"suite": "importer"} | more
    return url, house.post(client, url, **fields)


def test_a_log_is_understood_shown_and_let_in(house, client, rows):
    before = count(house)
    url = bring(house, client, rows).headers["Location"]
    page = client.get(url).text
    assert 'value="received" selected' in page
    assert "Aperçu des 4 premières lignes" in plain(page)
    assert "date de réception non reconnue" in plain(page)
    assert "Magie" in page
    answer = house.post(client, url, **chosen(page), suite="importer")
    assert answer.headers["Location"] == f"{url}/suite"
    assert count(house) == before + 3
    told = plain(client.get(f"{url}/suite").text)
    assert "L’import est fini" in told
    assert "3 questions importées sur 3 ; 1 ligne laissée de côté" in told
    assert "Magie" in told
    last = house.parts.desk.listed(Wanted(states=()), 3)
    assert [one.state for one in last] == [
        QuestionState.CLOSED,
        QuestionState.RECEIVED,
        QuestionState.ANSWERED,
    ]
    assert str(last[0].channel) == "visit"  # what was said of rows that tell of none


def test_rows_that_will_be_closed_without_a_word_of_it_are_counted_before(house, client, rows):
    said = (("Encore", ""), ("Et puis", "close"), ("Enfin", "zut"))
    more = "".join(f"5;07/03/2019;;{asked};;;;;;;{state}\n" for asked, state in said)
    one = plain(client.get(bring(house, client, rows).headers["Location"]).text)
    assert "1 ligne sans réponse ni état sera close" in one
    many = plain(client.get(bring(house, client, rows + more).headers["Location"]).text)
    assert "3 lignes sans réponse ni état seront closes" in many
    answered = "N°;Date de la demande;Objet;Réponse\n1;04/03/2019;Quelle aide ?;Voici.\n"
    none = plain(client.get(bring(house, client, answered).headers["Location"]).text)
    assert "sans réponse ni état" not in none


def test_who_asked_is_left_in_the_file_unless_the_box_is_ticked(house, client, rows):
    imported(house, client, rows)
    assert house.parts.askers.by_email("zwyx@exemple.fr") is None
    imported(house, client, rows.replace("jardin", "verger"), identities="y")
    assert house.parts.askers.by_email("zwyx@exemple.fr").name == "Ondine Zwyx"


def test_the_same_file_again_doubles_nothing(house, client, rows):
    imported(house, client, rows)
    before = count(house)
    url, answer = imported(house, client, rows)
    assert answer.status_code == 303
    assert count(house) == before
    assert "3 questions importées sur 3" in plain(client.get(f"{url}/suite").text)


def test_rows_left_out_come_back_with_their_reason_and_no_formula(house, client, rows):
    url, _ = imported(house, client, rows.replace("06/03/2019;;=", "jamais;;="))
    answer = client.get(f"{url}/rejets.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    lines = answer.text.removeprefix("\ufeff").splitlines()
    assert len(lines) == 3
    assert lines[0].endswith(";État;Motif du rejet")
    assert "date de réception non reconnue" in lines[1]
    assert ";'=HYPERLINK" in lines[2]


def test_mended_rows_come_in_by_themselves(house, client, rows):
    url, _ = imported(house, client, rows)
    before = count(house)
    mended = client.get(f"{url}/rejets.csv").text.replace("bientôt", "08/03/2019")
    imported(house, client, mended)
    assert count(house) == before + 1


def test_a_long_log_comes_in_by_portions_and_goes_on_where_it_was(house, client, monkeypatch):
    monkeypatch.setattr(question_import, "PORTION_SECONDS", 0.0)
    monkeypatch.setattr("kb.former_log._PORTION", 2)
    tag = next(NUMBERS)
    log = "Date;Question\n" + "".join(f"0{n}/03/2018;Question {tag} numéro {n} ?\n" for n in range(1, 6))
    before = count(house)
    url, answer = imported(house, client, log)
    assert answer.headers["Location"] == f"{url}/suite?suite=1"
    assert count(house) == before + 2
    page = client.get(answer.headers["Location"]).text
    assert "import.js" in page
    assert "Continuer l’import" in page
    assert "import.js" not in client.get(f"{url}/suite").text  # once somebody has stopped it
    assert house.post(client, f"{url}/suite").headers["Location"] == f"{url}/suite?suite=1"
    assert house.post(client, f"{url}/suite").headers["Location"] == f"{url}/suite"
    assert count(house) == before + 5


def test_columns_are_corrected_and_saved_under_a_name(house, client):
    log = f"A;B\n04/03/2019;Question {next(NUMBERS)}\n"
    url = bring(house, client, log).headers["Location"]
    answer = house.post(client, url, suite="importer", channel="email", **{"colonne-1": "text"})
    assert answer.status_code == 400
    assert "quelle colonne contient la date" in answer.text
    twice = {"colonne-0": "received", "colonne-1": "received"}
    assert "contient la question" in house.post(client, url, suite="importer", channel="email", **twice).text
    right = {"colonne-0": "received", "colonne-1": "text", "channel": "email"}
    assert house.post(client, url, suite="apercu", **right).status_code == 200
    assert house.post(client, url, suite="importer", nom="Vieux registre", **right).status_code == 303
    again = bring(house, client, log.replace("Question", "Autre")).headers["Location"]
    assert 'value="text" selected' in client.get(again).text  # by the mapping of these headings
    assert "Vieux registre" in client.get(again).text
    assert "Vieux registre" not in house.parts.mappings.names()
    other = bring(house, client, "X;Y\n04/03/2019;Encore\n").headers["Location"]
    page = client.get(f"{other}?correspondance=Vieux+registre").text
    assert chosen(page)["colonne-0"] == "received"
    assert client.get(f"{other}?correspondance=Inconnue").status_code == 404


def test_a_workbook_is_read_too(house, client):
    book = openpyxl.Workbook()
    for row in (("Registre des questions",), (), ("Date", "Question"), ("2019-03-04", "Du classeur ?")):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    before = count(house)
    imported_url, _ = imported_book(house, client, content.getvalue())
    assert count(house) == before + 1
    assert client.get(f"{imported_url}/suite").status_code == 200


def imported_book(house, client, content):
    url = bring(house, client, content, "registre.xlsx").headers["Location"]
    return url, house.post(client, url, **chosen(client.get(url).text), suite="importer")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing of it"])
def test_what_is_no_table_is_told_and_not_kept(house, client, content):
    there = set((house.parts.config.data / "imports").rglob("*"))
    answer = bring(house, client, content, "registre.xlsx")
    assert answer.headers["Location"] == "/guichet/import"
    assert "ne peut pas être lu" in client.get("/guichet/import").text
    assert set((house.parts.config.data / "imports").rglob("*")) <= there


def test_no_file_is_told(house, client):
    assert house.post(client, "/guichet/import").headers["Location"] == "/guichet/import"
    assert "Aucun fichier choisi" in client.get("/guichet/import").text


def test_the_file_goes_when_somebody_has_done_and_after_a_day(house, client, rows):
    url, _ = imported(house, client, rows)
    house.post(client, f"{url}/fin")
    for page in (url, f"{url}/suite", f"{url}/rejets.csv"):
        assert client.get(page).status_code == 404
    other = bring(house, client, rows).headers["Location"]
    key = other.rpartition("/")[2]
    kept_log.sweep(house.parts)
    old = time.time() - kept_log.LONGEST_WAIT - 60
    os.utime(kept_log.path(house.parts, key), (old, old))
    kept_log.sweep(house.parts)
    assert client.get(other).status_code == 404
    assert [p for p in (house.parts.config.data / "imports").rglob("*") if key in str(p)] == []


def test_nothing_comes_in_before_the_columns_are_settled(house, client, rows):
    url = bring(house, client, rows).headers["Location"]
    assert house.post(client, f"{url}/suite").status_code == 404
    assert client.get("/guichet/import/../../etc").status_code == 404
    assert client.get("/guichet/import/0123456789abcdef").status_code == 404


@pytest.mark.parametrize("role", [Role.VISITOR, Role.LIBRARIAN, Role.AUDITOR])
def test_only_who_answers_imports(house, role):
    answer = house.client(role).get("/guichet/import")
    assert answer.status_code in (302, 303, 401, 403)


def test_the_doctor_does_not_mind_a_log_that_waits(house, client, rows):
    bring(house, client, rows)
    assert not any("registre" in place for place in house.parts.reception)
