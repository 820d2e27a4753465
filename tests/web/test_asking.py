"""Asking without an account: what was answered first, the form, the page to follow a question."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import count
from urllib.parse import quote

import pytest
from flask import render_template
from structlog.testing import capture_logs

from kb import desk_merging
from kb.audit import Wanted as WantedLines
from kb.desk import Wanted
from kb.limits import Limit
from kb.questions import Channel, QuestionState, Said
from kb.thesaurus import Concept
from search.snippets import Piece
from web import ask_forms, asking, desk_letters, guard
from web.compose_sending import Sending, letter
from web.compose_sending import send as send_answer
from web.proposed import Already, Shown

QUESTION = "Comment financer un poste d’adulte-relais dans un quartier prioritaire ?"
NOWHERE = "Zyx wvut rqpon mlkj ?"


_TESTS = count()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Nobody waits, and each test has its own count of sendings."""
    monkeypatch.setattr(asking, "QUICKEST", 0.0)
    monkeypatch.setattr(asking, "SENDING", Limit(f"questions-{next(_TESTS)}", 20, 3600))


def asked(house):
    return house.parts.desk.listed(Wanted(states=()), 1)[0]


def send(house, client, **fields):
    """Send the form with what the page that was just read has."""
    page = client.get("/poser-une-question").text
    stamp = re.search(r'name="stamp" value="([^"]*)"', page)[1]
    given = {"text": NOWHERE, "stamp": stamp} | fields
    return house.post(client, "/poser-une-question", **given)


def test_a_question_gets_a_number_a_deadline_and_a_page(house):
    client = house.client()
    before = house.parts.desk.count(Wanted(states=()))
    response = send(house, client, email=" Zoe@Exemple.fr ", actor="", territory="", consent="y")
    question = asked(house)
    assert house.parts.desk.count(Wanted(states=())) == before + 1
    assert (response.status_code, response.headers["Location"]) == (303, f"/suivi/{question.follow}")
    page = client.get(response.headers["Location"])
    assert question.reference in page.text
    assert "Nous avons reçu votre question" in page.text
    assert "zoe@exemple.fr" not in page.text  # who has the address of the page is not told who asked
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert question.consent
    assert house.parts.askers.get(question.asker).email == "zoe@exemple.fr"


def test_the_receipt_has_the_number_and_the_address_to_follow(house):
    send(house, house.client(), email="recu@exemple.fr")
    question = asked(house)
    letter = house.letter("recu@exemple.fr")
    assert question.reference in letter
    assert question.follow in letter.replace("=\n", "")
    assert NOWHERE not in letter  # anybody could have typed it for anybody


def test_what_was_answered_is_shown_before_anything_is_sent(house, answered):
    client = house.client()
    before = house.parts.desk.count(Wanted(states=()))
    shown = send(house, client, text=QUESTION)
    assert shown.status_code == 200
    assert f"/notice/{answered}".replace(":", "%3A") in shown.text or f"/notice/{answered}" in shown.text
    assert house.parts.desk.count(Wanted(states=())) == before
    seen = re.search(r'name="seen" value="([^"]+)"', shown.text)[1]
    assert send(house, client, text=QUESTION, seen=seen).status_code == 303
    assert house.parts.desk.count(Wanted(states=())) == before + 1


def test_the_button_to_look_sends_nothing(house, answered):
    before = house.parts.desk.count(Wanted(states=()))
    shown = send(house, house.client(), text=QUESTION, geste="voir")
    assert "Déjà répondu" in shown.text
    assert house.parts.desk.count(Wanted(states=())) == before


def test_while_typing_a_piece_of_page_comes_and_says_what_was_seen(house, answered):
    client = house.client()
    piece = house.post(client, "/deja-repondu", text=QUESTION)
    assert piece.status_code == 200
    assert "<html" not in piece.text
    assert "adulte-relais" in piece.text
    assert send(house, client, text=QUESTION, seen=piece.headers["X-Seen"]).status_code == 303


def test_nothing_is_proposed_for_a_word_or_two_letters(house):
    assert "<li>" not in house.post(house.client(), "/deja-repondu", text="qp").text


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ("Rappelez Mme Célestine.", "un nom de personne"),
        ("Mon numéro : 0696 12 34 56", "un numéro de téléphone"),
        ("ecrivez a zoe@exemple.fr", "une adresse électronique"),
    ],
)
def test_who_names_somebody_is_asked_to_look_again(house, context, said):
    before = house.parts.desk.count(Wanted(states=()))
    client = house.client()
    shown = send(house, client, context=context)
    assert said in shown.text
    assert house.parts.desk.count(Wanted(states=())) == before
    assert send(house, client, context=context, sure="y").status_code == 303


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": "   "}, "Écrivez votre question."),
        ({"text": "x" * 10_001}, "Au plus 10 000 caractères."),
        ({"email": "zoe@"}, "incomplète"),
        ({"wanted_by": "2001-01-01"}, "à venir"),
        ({"actor": "ACTEUR-inconnu"}, "choi"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_typed_is_lost(house, fields, said):
    typed = {"context": "Pour le conseil municipal"} | fields
    response = send(house, house.client(), **typed)
    assert response.status_code == 400
    assert said.replace(" ", "\u202f") in response.text or said in response.text.replace("\xa0", " ")
    assert "Pour le conseil municipal" in response.text


def test_a_robot_that_fills_in_everything_is_not_taken_for_a_person(house):
    before = house.parts.desk.count(Wanted(states=()))
    response = send(house, house.client(), site="https://achetez.example")
    assert response.status_code == 200
    assert "n’a pas abouti" in response.text
    assert house.parts.desk.count(Wanted(states=())) == before


def test_who_sends_faster_than_one_can_read_sends_again(house, monkeypatch):
    monkeypatch.setattr(asking, "QUICKEST", 3600.0)
    before = house.parts.desk.count(Wanted(states=()))
    assert "Relisez votre question" in send(house, house.client()).text
    assert "Relisez votre question" in send(house, house.client(), stamp="forgé").text
    assert house.parts.desk.count(Wanted(states=())) == before


def test_one_address_cannot_flood_the_desk(house, monkeypatch):
    monkeypatch.setattr(asking, "SENDING", Limit("essai-questions", 2, 3600))
    statuses = [send(house, house.client()).status_code for _ in range(3)]
    assert statuses == [303, 303, 429]


def test_the_asker_adds_something_and_reads_what_was_said(house):
    client = house.client()
    url = send(house, client).headers["Location"]
    question = asked(house)
    desk = house.parts.desk
    desk.claim(question.id, 1)
    desk.write(question.id, Said(text="De quel quartier parlez-vous ?", channel=Channel.EMAIL), person=1)
    desk.move(question.id, QuestionState.WAITING, person=1)
    page = client.get(url).text
    assert "De quel quartier parlez-vous" in page
    assert house.post(client, url, text="De Volga-Plage.").status_code == 303
    assert "De Volga-Plage." in client.get(url).text
    assert desk.get(question.id).state is QuestionState.IN_HAND


def test_an_empty_message_is_refused(house):
    client = house.client()
    url = send(house, client).headers["Location"]
    assert house.post(client, url, text=" ").status_code == 400


def test_a_wrong_secret_opens_nothing(house):
    assert house.client().get("/suivi/2026-001").status_code == 404
    assert house.client().get("/suivi/" + "x" * 32).status_code == 404


def test_internal_notes_are_not_on_the_page_of_the_asker(house):
    client = house.client()
    url = send(house, client).headers["Location"]
    house.parts.desk.note(asked(house).id, "Un secret de bureau.", person=1)
    assert "secret de bureau" not in client.get(url).text


def test_what_is_too_long_is_kept_whole_and_no_browser_cuts_it(house):
    client = house.client()
    areas = re.findall(r"<textarea[^>]*>", client.get("/poser-une-question").text)
    assert len(areas) == 2
    assert not any("maxlength" in area for area in areas)
    typed = "mot " * 2_600 + "fin"
    response = send(house, client, text=typed)
    assert response.status_code == 400
    assert typed in response.text


def test_beside_a_fault_stands_what_was_answered_and_one_sending_is_left(house, answered):
    client = house.client()
    faulty = send(house, client, text=QUESTION, email="zoe@")
    assert faulty.status_code == 400
    assert "Qui finance un poste" in faulty.text
    assert "Voyez d’abord" not in faulty.text
    assert "data-filled" in faulty.text  # the panel need not be asked for once more
    assert "data-filled" not in client.get("/poser-une-question").text
    seen = re.search(r'name="seen" value="([^"]+)"', faulty.text)[1]
    assert send(house, client, text=QUESTION, seen=seen).status_code == 303


def test_nothing_is_said_of_similar_questions_where_none_is_written(house):
    assert "Rien de semblable" not in send(house, house.client(), text=" ").text


def test_a_person_named_and_an_answer_found_are_one_message(house, answered):
    shown = send(house, house.client(), text=QUESTION, context="Rappelez Mme Célestine.").text
    said = shown.split('class="asking-said"')[1].split("<form")[0]
    assert said.count('class="notice') == 1
    assert "un nom de personne" in said
    assert "Voyez aussi si la réponse est déjà là" in said
    assert "pas encore partie" in said


def test_who_sends_too_fast_is_told_one_thing(house, monkeypatch):
    monkeypatch.setattr(asking, "QUICKEST", 3600.0)
    shown = send(house, house.client(), context="Rappelez Mme Célestine.", sure="y").text
    said = shown.split('class="asking-said"')[1].split("<form")[0]
    assert "Relisez votre question" in said
    assert 'class="notice' not in said
    assert re.search(r'name="sure"[^>]*checked|checked[^>]*name="sure"', shown)


def test_kinds_of_askers_are_in_the_order_of_their_words():
    concepts = [
        Concept(uri=f"urn:{n}", notations=(str(n),), label=label)
        for n, label in enumerate(("Région", "État", "Association"))
    ]
    assert [label for _, label in ask_forms._labels(tuple(concepts))] == ["Association", "État", "Région"]


def answer(house, body):
    """A question whose answer was sent; the page of its asker, and its number."""
    url = send(house, house.client(), text="Où trouver les lamantins ?").headers["Location"]
    question, parts = asked(house), house.parts
    parts.desk.claim(question.id, 1)
    parts.desk.write(question.id, Said(text="Nous cherchons.", channel=Channel.EMAIL), person=1)
    kept = parts.answers.save(question.id, body, 0, person=1)
    person = Sending(way=Channel.TELEPHONE, person=1, name="Anne")
    mailed = letter(parts, question, kept, (), "Anne", parts.config.public_url)
    assert send_answer(parts, parts.desk.get(question.id), kept, mailed, person)
    return url, question.id


def test_the_answer_is_read_as_it_was_written_with_sources_that_the_visitor_may_open(house):
    site = house.parts.config.public_url
    public, hidden = house.records["public"], house.records["staff"]
    links = [f"[Un guide]({site}/notice/{id}/page/1)" for id in (public, hidden)]
    url, _ = answer(house, f"Une **réponse** à lire.\n\n- {links[0]}\n- {links[1]}\n")
    page = house.client().get(url).text
    assert "<strong>réponse</strong>" in page
    assert "Nous cherchons." in page
    assert "Bonjour," not in page  # the letter is in their mail
    sources = page.split('answer-sources">')[1].split("</ul>")[0]
    assert f"/notice/{quote(public)}/page/1" in sources
    assert quote(hidden) not in sources


def test_an_answer_that_was_written_on_is_still_told_as_it_was_sent(house):
    url, number = answer(house, "Une **première** réponse.")
    house.parts.answers.save(number, "Une **autre**, pas encore envoyée.", 1, person=1)
    page = house.client().get(url).text
    assert "première" in page
    assert "Bonjour," in page
    assert "pas encore envoyée" not in page


LINE = "Les conseils citoyens sont installés dans chaque quartier prioritaire, par"  # 74 columns


@pytest.mark.parametrize(
    ("mailed", "read"),
    [
        (f"{LINE}\narrêté du préfet.", f"{LINE} arrêté du préfet."),
        (f"{LINE}\n\narrêté du préfet.", f"{LINE}\n\narrêté du préfet."),
        (f"- {LINE}\n  arrêté.\n- Un autre", f"- {LINE} arrêté.\n- Un autre"),
        (f"{LINE}\n- un point", f"{LINE}\n- un point"),
        (f"{LINE}\n> ce que vous demandiez", f"{LINE}\n> ce que vous demandiez"),
        ("Bonjour,\nMerci.\n-- \nAnne", "Bonjour,\nMerci.\n-- \nAnne"),
        (f"{LINE} {LINE}\nLa suite", f"{LINE} {LINE}\nLa suite"),
    ],
)
def test_lines_that_a_mail_program_cut_are_whole_again(mailed, read):
    assert asking._unwrapped(mailed) == read


def test_what_somebody_typed_in_the_form_keeps_its_lines(house):
    client = house.client()
    url = send(house, client).headers["Location"]
    house.post(client, url, text=f"{LINE}\narrêté du préfet.")
    assert f"{LINE}\narrêté du préfet." in client.get(url).text


def test_answers_are_found_by_words_of_which_some_are_elsewhere(house, answered):
    page = house.client().get("/questions?q=financer+adulte-relais+quartier+nuit").text
    found = page.split("questions-found")[1].split("</ul>")[0]
    assert "Qui finance un poste" in found
    assert "/recherche?q=financer" in page
    assert 'action="/questions"' in page
    assert "questions-found" not in house.client().get("/questions").text
    told = house.client().get("/questions.json?q=financer+adulte-relais+quartier+nuit").json
    assert answered in [one["id"] for one in told["found"]]


def test_where_no_answer_is_near_the_whole_fund_is_offered(house, answered):
    page = house.client().get("/questions?q=zyxwvut").text
    assert "Aucune réponse déjà donnée" in page
    assert "/recherche?q=zyxwvut" in page


def one(number):
    return Shown(
        id=f"n{number}",
        title=f"Titre {number}",
        kind="Rapport",
        year=2020,
        authors="",
        page=number,
        url=f"/notice/n{number}/page/{number}",
        pieces=(Piece("Un passage.", False),),
        text="Un passage.",
        score=0.5,
        thumb=None,
    )


@pytest.mark.parametrize(
    ("answers", "passages", "before"),
    [(0, 5, 3), (1, 5, 3), (3, 5, 3), (3, 0, 3), (1, 2, 3), (0, 1, 1)],
)
def test_three_proposals_come_first_and_the_others_are_folded(house, answers, passages, before):
    already = Already(tuple(map(one, range(answers))), tuple(map(one, range(1, passages + 1))))
    with house.app.test_request_context():
        first, _, folded = render_template("_already.html", already=already).partition("<details")
    assert first.count("<li>") == before
    assert folded.count("<li>") == answers + passages - before
    assert ("Voir plus" in folded) == (answers + passages > before)


def test_questions_are_listed_with_the_way_to_ask(house, answered):
    page = house.client().get("/questions").text
    assert "Qui finance un poste" in page
    assert "/poser-une-question" in page


def test_no_line_of_the_trail_holds_what_was_asked(house):
    send(house, house.client(), text="Les lamantins violets de Volga-Plage ?", email="trace@exemple.fr")
    lines = house.parts.trail.lines(WantedLines(object=f"question:{asked(house).id}"))
    assert lines
    assert not any("lamantins" in str(line) or "trace@" in str(line) for line in lines)


def test_receipts_to_one_address_are_few_and_each_question_is_taken(house):
    before = house.parts.desk.count(Wanted(states=()))
    for _ in range(desk_letters.RECEIPTS.most + 2):
        assert send(house, house.client(), email="victime@exemple.fr").status_code == 303
    letters = [one for one in house.parts.outbox.lines() if one.recipient == "victime@exemple.fr"]
    assert len(letters) == desk_letters.RECEIPTS.most
    assert house.parts.desk.count(Wanted(states=())) == before + desk_letters.RECEIPTS.most + 2


def test_looking_again_and_again_is_counted(house, monkeypatch):
    monkeypatch.setattr(guard, "FORMS", Limit("essai-regards", 2, 3600))
    client = house.client()
    token = house.token(client)
    looks = [{"csrf_token": token, "text": NOWHERE, "geste": "voir"}] * 3
    assert [client.post("/poser-une-question", data=one).status_code for one in looks] == [200, 200, 429]


def test_who_typed_the_address_of_somebody_else_reads_nothing_of_theirs_once_merged(house):
    mine, theirs = house.client(), house.client()
    first = send(house, theirs, text="Zyx wvut rqpon au xlorrainx ?", email="elle@exemple.fr")
    one = asked(house)
    house.parts.desk.hear(one.id, Said(text="Mon fils est malade.", channel=Channel.FORM))
    url = send(house, mine, text=NOWHERE, email="elle@exemple.fr").headers["Location"]
    two = asked(house)
    desk_merging.merge(two.id, one.id, desk=house.parts.desk, database=house.parts.store.database)
    page = mine.get(url).text
    assert NOWHERE in page
    assert one.reference in page
    assert "xlorrainx" not in page
    assert "malade" not in page
    assert one.follow not in page
    assert house.post(mine, url, text="Encore un mot.").status_code == 303
    assert "Encore un mot." in theirs.get(first.headers["Location"]).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"wanted_by": "bientôt"}, "Indiquez un jour"), ({"actor": "inconnu"}, "Choisissez dans la liste")],
)
def test_what_browsers_never_send_is_refused_in_french(house, fields, said):
    response = send(house, house.client(), **fields)
    assert response.status_code == 400
    assert said in response.text
    assert "Not a valid" not in response.text


def test_today_is_the_day_of_the_centre(house):
    here = datetime.now(house.parts.calendar.zone).date()
    assert send(house, house.client(), wanted_by=str(here)).status_code == 303
    assert send(house, house.client(), wanted_by=str(here - timedelta(days=1))).status_code == 400


def test_the_day_of_a_wish_is_judged_by_the_day_that_is_told(house):
    with house.app.test_request_context(method="POST", data={"wanted_by": "2030-01-05"}):
        form = asking.AskForm.of(house.parts.thesaurus, date(2030, 1, 6))
        form.validate()
        assert form.wanted_by.errors
        form = asking.AskForm.of(house.parts.thesaurus, date(2030, 1, 5))
        form.validate()
        assert not form.wanted_by.errors


@pytest.mark.parametrize("run", ["1-", "a.", "O'", "0.0", "Aa-"])
def test_a_question_without_blanks_keeps_nobody_waiting(house, run):
    started = datetime.now(UTC)
    text = (run * 5000)[:9990] + " x@"
    assert send(house, house.client(), text="Bonjour", context=text).status_code in (200, 303)
    assert (datetime.now(UTC) - started).total_seconds() < 2


def test_a_failure_does_not_put_the_secret_of_a_page_in_the_log(house, monkeypatch):
    url = send(house, house.client()).headers["Location"]
    monkeypatch.setattr(asking, "_follow_page", lambda question: 1 / 0)
    with capture_logs() as lines:
        assert house.client().get(url).status_code == 500
    assert [line["path"] for line in lines if line["event"] == "web.failed"] == ["/suivi/…"]
