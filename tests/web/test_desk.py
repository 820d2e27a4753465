"""The desk in the pages: the queue, one question and its gestures, messages that are dropped, letters."""

from __future__ import annotations

import dataclasses
import html
import io
import os
import re
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from email.message import EmailMessage
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from kb import config as settings
from kb.accounts import Right, Role, rights_of
from kb.limits import Limit
from kb.mail import Mailed
from kb.publishing import Copy
from kb.questions import DONE, Asked, Channel, Enclosure, QuestionState, Said
from kb.records import Page
from kb.threads import Thread
from web import desk_letters, kept_mail
from web.desk_queue import NAMES, Lines, QueueState
from web.desk_words import delay, opening, written_day
from web.parts import Parts

S = QuestionState
MONDAY = datetime(2026, 11, 23, 14, tzinfo=UTC)
NOON = clock(16)  # in Martinique, in UTC
EMAIL = "anne.regis@exemple.fr"


@pytest.fixture
def client(house):
    return house.client(Role.ANSWERER)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr("web.guard.FORMS", Limit("forms", 10_000, 600))


@pytest.fixture
def me(house):
    return house.people[Role.ANSWERER]


@pytest.fixture
def joel(house):
    return house.people[Role.DIRECTOR]


def ask(house, text="Que dit la loi de 2014 sur la participation ?", *, email=EMAIL, days=0, **more):
    parts = house.parts
    asker = parts.askers.known(email, "Anne Régis") if email else None
    return parts.desk.receive(Asked(text=text, **more), asker, now=datetime.now(UTC) - timedelta(days=days))


def post(house, client, question, gesture, **fields):
    return house.post(client, f"/guichet/{question.reference}/{gesture}", **fields)


def text_of(response):
    return html.unescape(re.sub(r"\s+", " ", response.text))


def now_(house, question):
    return house.parts.desk.get(question.id)


def letters(house):
    found = []
    house.parts.outbox.deliver(lambda _, message: found.append(message) or Mailed.SENT)
    return found


# -- the queue


def test_an_empty_queue_says_so_kindly(house, client):
    for question in house.parts.desk.listed(_all(), 500):
        if question.is_open:
            house.parts.desk.move(question.id, S.CLOSED)
    assert "Aucune question en attente. Bonne journée." in text_of(client.get("/guichet"))


def _all():
    from kb.desk import Wanted

    return Wanted()


def test_a_line_says_what_is_asked_by_whom_from_where_and_until_when(house, client):
    theme = house.parts.thesaurus.by_code("T01-01")
    place = next(iter(house.parts.thesaurus.concepts("territories")))
    question = ask(
        house, "Une question précise ?\nEt la suite.", days=40, actor="ACTEUR-elu", themes=("T01-01",),
        territory=place.code, channel=Channel.TELEPHONE,
    )  # fmt: skip
    page = text_of(client.get("/guichet"))
    for words in (question.reference, "Une question précise", "Élu local", theme.label, place.label):
        assert words in page
    assert re.search(r"en retard de \d+\sjours ouvrés", page)
    assert written_day(question.due) in page
    assert "téléphone, reçue le" in page
    assert "Et la suite" not in page
    assert EMAIL not in page
    assert "Régis" not in page


def test_the_queue_is_ordered_by_what_is_due_first(house, client):
    late, new = ask(house, "Vieille", days=60), ask(house, "Neuve")
    page = client.get("/guichet").text
    assert page.index(late.reference) < page.index(new.reference)


def test_filters_are_links_and_narrow_the_list(house, client, me, joel):
    mine = ask(house, "Filtrer par mangrove", themes=("T02",), territory="C-97209")
    theirs = ask(house, "Filtrer par savane", days=50)
    house.parts.desk.claim(mine.id, me)
    house.parts.desk.claim(theirs.id, joel)
    only = {
        "/guichet?qui=moi": mine, f"/guichet?qui={joel}": theirs, "/guichet?theme=T02": mine,
        "/guichet?territoire=C-97209": mine, "/guichet?retard=1": theirs, "/guichet?mots=MANGROVE": mine,
        f"/guichet?mots={theirs.reference}": theirs,
    }  # fmt: skip
    for address, kept in only.items():
        page = client.get(address).text
        other = theirs if kept is mine else mine
        assert f"/guichet/{kept.reference}" in page, address
        assert f'href="/guichet/{other.reference}"' not in page, address
        assert "Tout enlever" in page
    nobody = client.get("/guichet?qui=personne").text
    assert f'href="/guichet/{mine.reference}"' not in nobody
    assert f'href="/guichet/{mine.reference}"' in client.get("/guichet?etat=en-cours").text
    assert f'href="/guichet/{mine.reference}"' not in client.get("/guichet?etat=recue").text


@pytest.mark.parametrize(
    "address",
    [
        "/guichet?etat=x&qui=y&theme='%20or&territoire=<b>&retard=2&demandeur=a@b.fr&page=0",
        "/guichet?page=99999999999&mots=" + "%25" * 300,
        "/guichet?qui=999999999&demandeur=999999999",
        "/guichet?vue=faites&page=12",
        "/guichet.json?etat=close",
    ],
)
def test_an_address_that_makes_no_sense_shows_a_list_all_the_same(client, address):
    response = client.get(address)
    assert response.status_code == 200
    assert "a@b.fr" not in response.text
    assert "<b>" not in response.text


def test_the_link_to_a_person_s_other_questions_carries_their_number_only(house, client):
    one, two = ask(house, "La première chose"), ask(house, "Tout autre sujet, la seconde")
    house.parts.desk.move(two.id, S.CLOSED)
    page = client.get(f"/guichet/{one.reference}").text
    (link,) = re.findall(r'href="(/guichet\?demandeur=\d+)"', page)
    listed = client.get(link).text
    assert one.reference in listed
    assert two.reference in listed


def test_questions_that_are_done_are_in_their_own_view(house, client):
    question = ask(house, "Celle qui est close")
    house.parts.desk.move(question.id, S.CLOSED)
    assert question.reference not in client.get("/guichet").text
    assert question.reference in client.get("/guichet?vue=faites").text
    assert question.reference in client.get("/guichet?etat=close").text


def test_long_lists_are_paged(house, client, monkeypatch):
    monkeypatch.setattr("web.desk_queue.SIZE", 2)
    for _ in range(3):
        ask(house, "Une page de pangolins")
    first = client.get("/guichet?mots=pangolins").text
    assert "page=2" in first
    assert first.count("data-ask") == 2
    second = client.get("/guichet?mots=pangolins&page=2").text
    assert "Page précédente" in second
    assert second.count("data-ask") == 1


def test_the_json_twin_has_the_same_lines(house, client):
    question = ask(house, "Pour les machines", days=30)
    lines = client.get("/guichet.json").json["lines"]
    (line,) = [line for line in lines if line["reference"] == question.reference]
    assert line["overdue"] is True
    assert line["free"] is True
    assert line["opening"] == "Pour les machines"


def test_who_may_not_answer_sees_nothing_of_the_desk(house):
    question = ask(house)
    for role in Role:
        may = Right.ANSWER in rights_of([role])
        for path in ("", "/nouvelle", f"/{question.reference}", f"/{question.reference}/preciser"):
            response = house.client(role).get(f"/guichet{path}")
            assert (response.status_code == 200) == may, (role, path)


def test_what_somebody_has_who_answers_no_more_is_not_lost_from_sight(house, client):
    gone = house.somebody(Role.ANSWERER)
    house.parts.desk.claim(ask(house).id, gone.id)
    house.parts.people.change(gone.id, active=False)
    assert f'href="/guichet?qui={gone.id}"' in client.get("/guichet").text


@given(
    st.builds(
        QueueState,
        state=st.sampled_from(["", *NAMES]),
        who=st.sampled_from(["", "moi", "personne", "12"]),
        theme=st.sampled_from(["", "T03-01"]),
        territory=st.sampled_from(["", "C-97209"]),
        asker=st.none() | st.integers(1, 10**8),
        unseen=st.booleans(),
        words=st.text(max_size=60).map(lambda text: " ".join(text.split())),
        page=st.integers(1, 10_000),
    )
)
def test_an_address_says_all_that_is_looked_at(state):
    done = NAMES.get(state.state) in DONE
    state = dataclasses.replace(state, done=done, unseen=state.unseen and done)
    query = dict(parse_qsl(state.url().partition("?")[2], keep_blank_values=True))
    assert QueueState.from_args(MultiDict(query)) == state


# -- whose it is


def test_a_question_is_taken_from_the_list_in_one_click(house, client, me):
    question = ask(house)
    response = post(house, client, question, "prendre", retour="/guichet?mots=loi")
    assert response.headers["Location"] == f"/guichet/{question.reference}"
    assert (now_(house, question).assignee, now_(house, question).state) == (me, S.IN_HAND)


def test_who_comes_too_late_goes_back_to_the_list(house, client, joel):
    question = ask(house)
    house.parts.desk.claim(question.id, joel)
    response = post(house, client, question, "prendre", retour="/guichet?mots=loi")
    assert response.headers["Location"] == "/guichet?mots=loi"


@pytest.mark.parametrize("elsewhere", ["https://exemple.fr/", "//exemple.fr", "/guichet/../compte", ""])
def test_taking_a_question_leads_nowhere_else(house, client, joel, elsewhere):
    question = ask(house)
    house.parts.desk.claim(question.id, joel)
    response = post(house, client, question, "prendre", retour=elsewhere)
    assert response.headers["Location"] == f"/guichet/{question.reference}"


def test_who_comes_second_is_told_who_was_quicker(house, client, joel):
    question = ask(house)
    house.parts.desk.claim(question.id, joel)
    post(house, client, question, "prendre")
    page = text_of(client.get(f"/guichet/{question.reference}"))
    assert "a été prise juste avant vous : elle est à Personne responsable" in page.replace("\u00a0", " ")
    assert now_(house, question).assignee == joel


def test_a_question_is_handed_on_and_given_back(house, client, me, joel):
    question = ask(house)
    post(house, client, question, "prendre")
    post(house, client, question, "confier", to=joel, held_by=me)
    assert now_(house, question).assignee == joel
    post(house, client, question, "rendre", held_by=joel)
    assert (now_(house, question).assignee, now_(house, question).state) == (None, S.RECEIVED)


def test_nothing_is_handed_on_when_it_changed_hands_meanwhile(house, client, me, joel):
    question = ask(house)
    house.parts.desk.claim(question.id, joel)
    for gesture, fields in (("rendre", {}), ("confier", {"to": me})):
        post(house, client, question, gesture, held_by=me, **fields)
        assert "entre-temps, elle est maintenant à" in text_of(client.get("/guichet"))
        assert now_(house, question).assignee == joel


def test_a_question_is_handed_only_to_who_may_answer(house, client, me):
    question = ask(house)
    post(house, client, question, "prendre")
    librarian = house.people[Role.LIBRARIAN]
    response = post(house, client, question, "confier", to=librarian, held_by=me)
    assert response.status_code == 400
    assert "Choisissez dans la liste" in response.text
    assert now_(house, question).assignee == me


# -- what is said


def test_a_message_to_the_asker_leaves_in_its_thread_and_stops_the_clock(house, client, me):
    question = ask(house)
    said = Said(
        text="Bonjour", channel=Channel.EMAIL, subject="Ma demande", message_id="<de.anne@exemple.fr>"
    )
    house.parts.desk.hear(question.id, said)
    post(house, client, question, "prendre")
    letters(house)
    response = post(house, client, question, "message", message="De quelle ville ?", way="email", wait="y")
    assert response.status_code == 303
    (letter,) = letters(house)
    assert letter["To"] == EMAIL
    assert letter["Subject"] == f"Re: Ma demande [Q {question.reference}]"
    assert letter["In-Reply-To"] == "<de.anne@exemple.fr>"
    assert letter["Auto-Submitted"] is None
    assert letter.get_content().startswith("De quelle ville ?")
    assert question.follow in letter.get_content()
    sent = house.parts.desk.exchanges(question.id)[-1]
    assert (sent.text, sent.person, sent.message_id) == ("De quelle ville ?", me, letter["Message-ID"])
    assert now_(house, question).state is S.WAITING


def test_the_same_message_sent_twice_by_a_slip_leaves_once(house, client):
    question = ask(house)
    letters(house)
    for _ in range(2):
        post(house, client, question, "message", message="Une seule fois.", way="email")
    assert len(letters(house)) == len(house.parts.desk.exchanges(question.id)) == 1


def test_what_was_told_by_telephone_is_noted_and_nothing_leaves(house, client):
    question = ask(house, email="")
    letters(house)
    response = post(house, client, question, "message", message="J’ai rappelé.", way="telephone")
    assert response.status_code == 303
    (told,) = house.parts.desk.exchanges(question.id)
    assert (told.channel, told.incoming) == (Channel.TELEPHONE, False)
    assert letters(house) == []
    refused = post(house, client, question, "message", message="Par courriel ?", way="email")
    assert refused.status_code == 400
    assert "Par courriel ?" in refused.text


def test_a_message_in_which_nothing_was_written_stays(house, client):
    question = ask(house)
    letters(house)
    page = client.get(f"/guichet/{question.reference}").text
    blank = html.unescape(re.search(r'name="message"[^>]*>\s*([^<]*)<', page)[1])
    for text in ("", "  ", blank):
        response = post(house, client, question, "message", message=text, way="email")
        assert response.status_code == 400
        assert "crivez votre message" in response.text
    assert letters(house) == []


def test_what_the_asker_said_by_telephone_takes_the_question_up_again(house, client):
    question = ask(house)
    post(house, client, question, "prendre")
    house.parts.desk.move(question.id, S.WAITING)
    post(house, client, question, "entendu", heard="C’est pour Schœlcher.", heard_by="telephone")
    assert now_(house, question).state is S.IN_HAND
    page = text_of(client.get(f"/guichet/{question.reference}"))
    assert "C’est pour Schœlcher." in page
    assert "noté par Personne repondant" in page


def test_the_part_of_a_message_that_repeats_is_folded(house, client):
    question = ask(house)
    said = Said(text="Merci.", quoted="> Vous écriviez ceci", channel=Channel.EMAIL)
    house.parts.desk.hear(question.id, said)
    page = client.get(f"/guichet/{question.reference}").text
    assert re.search(r"<details><summary[^>]*>Message cité.*?Vous écriviez ceci</p></details>", page, re.S)


def test_files_come_as_files_and_only_to_the_desk(house, client):
    question = ask(house)
    file = Enclosure(name='pla"n\u202e.html', media_type="text/html", content=b"<script>alert(1)</script>")
    said = Said(text="Voici", channel=Channel.EMAIL, enclosures=(file,))
    number = house.parts.desk.hear(question.id, said)
    address = f"/guichet/{question.reference}/pieces/{number}/0"
    assert address in client.get(f"/guichet/{question.reference}").text
    response = client.get(address)
    assert response.data == file.content
    assert response.mimetype == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"/guichet/{ask(house).reference}/pieces/{number}/0").status_code == 404
    assert house.client(Role.LIBRARIAN).get(address).status_code == 403


def test_notes_time_and_effort_are_kept(house, client):
    question = ask(house)
    post(house, client, question, "note", note="Voir le Cahier 12")
    post(house, client, question, "temps", minutes="25", effort="3")
    page = text_of(client.get(f"/guichet/{question.reference}"))
    assert "Voir le Cahier 12" in page
    assert "Ne sort jamais du guichet." in page
    assert re.search(r"25\sminutes", page)
    assert "effort 3" in page
    for fields in ({"minutes": "-3"}, {"minutes": "vite"}, {"minutes": "99999"}, {}, {"effort": "9"}):
        refused = post(house, client, question, "temps", **fields)
        assert refused.status_code == 400, fields
    assert post(house, client, question, "note", note=" ").status_code == 400


def test_who_asks_can_be_said_once(house, client):
    question = ask(house, email="")
    empty = post(house, client, question, "demandeur")
    assert empty.status_code == 400
    assert "indiquez un nom" in empty.text.lower()
    post(house, client, question, "demandeur", name="Marc Élie", email="marc@exemple.fr")
    asker = house.parts.askers.get(now_(house, question).asker)
    assert (asker.name, asker.email) == ("Marc Élie", "marc@exemple.fr")
    again = post(house, client, question, "demandeur", name="Un autre")
    assert again.status_code == 400
    assert now_(house, question).asker == asker.id


# -- where it stands


def test_thanks_leave_the_answer_and_are_shown_until_they_are_read(house, client):
    question = ask(house, "Celle que l’on remercie")
    house.parts.desk.move(question.id, S.CLOSED)
    page, address = f"/guichet/{question.reference}", "/guichet?vue=faites&message=nouveau"
    assert "/vu" not in client.get(page).text
    post(house, client, question, "entendu", heard="Merci beaucoup !", heard_by="telephone")
    assert now_(house, question).state is S.CLOSED
    assert 'message=nouveau"><strong>1</strong> avec un nouveau message' in html.unescape(
        client.get("/guichet").text
    )
    listed = text_of(client.get(address))
    assert question.reference in listed
    assert ">nouveau message<" in listed
    assert f'action="{page}/reprendre"' in client.get(page).text
    assert "Vu, rien à répondre" in client.get(page).text
    post(house, client, question, "vu")
    assert question.reference not in client.get(address).text
    shown = text_of(client.get(page))
    assert "message lu, rien à répondre" in shown
    assert f'action="{page}/vu"' not in shown
    assert now_(house, question).state is S.CLOSED


def test_a_new_message_can_take_a_question_up_again(house, client, me):
    question = ask(house)
    house.parts.desk.move(question.id, S.CLOSED)
    house.parts.desk.hear(question.id, Said(text="Et pour 2027 ?", channel=Channel.FORM))
    assert client.get(f"/guichet/{question.reference}").text.count("/reprendre") == 1
    post(house, client, question, "reprendre")
    assert (now_(house, question).state, now_(house, question).assignee) == (S.IN_HAND, me)
    assert not house.parts.desk.unseen((question.id,))


def test_the_asker_still_reads_that_they_were_answered(house, client):
    question = ask(house)
    for state in (S.IN_HAND, S.ANSWERED):
        house.parts.desk.move(question.id, state)
    house.post(client, f"/suivi/{question.follow}", text="Merci !")
    page = text_of(client.get(f"/suivi/{question.follow}"))
    assert "Merci !" in page
    assert "Nous vous avons répondu" in page
    assert "préparons" not in page


def test_who_asks_for_a_precision_waits_for_it_unless_they_say_otherwise(house, client):
    question = ask(house)
    post(house, client, question, "prendre")
    assert '<input checked id="wait"' in client.get(f"/guichet/{question.reference}").text
    post(house, client, question, "message", message="Nous cherchons.", way="email")
    assert now_(house, question).state is S.IN_HAND


def test_a_question_that_waits_for_its_asker_is_never_shown_as_due_today(house, client):
    question = ask(house, "Celle qui attend un mot", days=1)
    house.parts.desk.claim(question.id, house.people[Role.ANSWERER])
    house.parts.desk.move(question.id, S.WAITING)
    held = now_(house, question)
    lines = Lines(house.parts, QueueState(), None, datetime.combine(held.due, NOON, tzinfo=UTC))
    assert lines.of(dataclasses.replace(held, state=S.IN_HAND)).today
    assert not lines.of(held).today


def test_no_way_leads_to_the_page_of_an_asker_who_was_erased(house, client):
    question = ask(house, email="oubli@exemple.fr")
    house.parts.desk.move(question.id, S.CLOSED)
    page = f"/guichet/{question.reference}"
    assert "/suivi/" in client.get(page).text
    house.parts.privacy.erase(question.asker)
    assert "/suivi/" not in client.get(page).text


def test_what_leaves_by_itself_is_folded_and_what_somebody_wrote_is_not(house, client, me):
    question = ask(house)
    desk_letters.acknowledge(house.parts, question, limited=False)
    house.parts.desk.write(question.id, Said(text="Écrit à la main", channel=Channel.EMAIL), person=me)
    page = client.get(f"/guichet/{question.reference}").text
    exchanges = page[page.index('class="exchanges"') : page.index("</ol>", page.index('class="exchanges"'))]
    receipt, word = exchanges.split("<li")[1:]
    assert "Texte du message" in receipt
    assert "<details" not in word
    assert "Écrit à la main" in word


def test_the_questions_of_somebody_are_found_by_name_or_address_and_no_address_of_a_page_holds_it(
    house, client
):
    asker = house.parts.askers.known("zoe.unique@exemple.fr", "Zoé Hibiscus")
    house.parts.desk.receive(Asked(text="Une question de Zoé ?"), asker)
    for words in ("hibiscus", "Zoe.Unique@exemple.fr"):
        response = house.post(client, "/guichet/demandeur", who=words)
        assert response.headers["Location"] == f"/guichet?demandeur={asker}"
    other = house.parts.askers.known(name="Ana Hibiscus")
    page = house.post(client, "/guichet/demandeur", who="hibiscus")
    for one in (asker, other):
        assert f'href="/guichet?demandeur={one}"' in page.text
    assert "Personne de ce nom" in house.post(client, "/guichet/demandeur", who="zzyzx").text
    assert 'action="/guichet/demandeur"' in client.get("/guichet").text
    assert house.client(Role.LIBRARIAN).get("/guichet/demandeur").status_code != 200


def test_a_message_that_joins_tells_the_name_that_was_not_known(house, client, me):
    asker = house.parts.askers.known("ines@exemple.fr")
    question = house.parts.desk.receive(Asked(text="Une aide ?"), asker)
    ours = sent_to(house, question, me)
    drop(house, client, mail("Luc Abaul <luc.abaul@exemple.fr>", In_Reply_To=ours))
    assert house.parts.askers.get(asker).name is None
    drop(house, client, mail("Inès Vaval <ines@exemple.fr>", In_Reply_To=ours))
    assert house.parts.askers.get(asker).name == "Inès Vaval"


def test_a_message_that_would_take_the_place_of_what_is_typed_is_announced(client):
    page = text_of(client.get("/guichet/nouvelle"))
    assert page.index("Déposez-le d’abord") < page.index('name="text"')


def test_a_question_ends_with_a_reason_and_is_taken_up_again(house, client, me):
    question = ask(house)
    assert post(house, client, question, "clore").status_code == 400
    assert now_(house, question).state is S.RECEIVED
    post(house, client, question, "clore", why="Elle ne relève pas du centre.")
    assert now_(house, question).state is S.CLOSED
    assert [n.text for n in house.parts.desk.notes(question.id)] == ["Close : Elle ne relève pas du centre."]
    post(house, client, question, "reprendre")
    assert (now_(house, question).state, now_(house, question).assignee) == (S.IN_HAND, me)


def test_a_move_that_is_too_late_is_told_and_changes_nothing(house, client):
    question = ask(house)
    house.parts.desk.move(question.id, S.CLOSED)
    post(house, client, question, "clore", why="Encore")
    assert "n’en est plus là" in text_of(client.get(f"/guichet/{question.reference}"))
    assert house.parts.desk.notes(question.id) == ()


def test_the_page_offers_the_moves_of_its_state_only(house, client):
    question = ask(house)
    page = client.get(f"/guichet/{question.reference}").text
    root = f'action="/guichet/{question.reference}'
    assert f"{root}/prendre" in page
    assert f"{root}/clore" in page
    assert f"{root}/reprendre" not in page
    assert f"{root}/rendre" not in page
    post(house, client, question, "prendre")
    house.parts.desk.move(question.id, S.ANSWERED)
    page = client.get(f"/guichet/{question.reference}").text
    assert f"/guichet/{question.reference}/publication" in page
    assert f"{root}/reprendre" in page
    assert f"{root}/rendre" not in page


def test_who_writes_on_the_same_question_is_told(house, client, joel):
    question = ask(house)
    house.parts.answers.keep_draft(question.id, joel, "Un début", 0)
    page = text_of(client.get(f"/guichet/{question.reference}"))
    assert "Personne responsable écrit aussi sur cette question." in page


# -- putting it otherwise


def edited(house, client, question):
    """The form as a browser has it."""
    page = client.get(f"/guichet/{question.reference}/preciser").text
    hidden = {n: re.search(rf'name="{n}"[^>]*value="([^"]*)"', page)[1] for n in ("version", "begun")}
    held = now_(house, question)
    return hidden | {"text": held.text, "context": held.context, "channel": str(held.channel)}


def test_a_question_is_put_otherwise(house, client):
    question = ask(house, consent=True)
    fields = edited(house, client, question) | {
        "text": "Mieux dit", "actor": "ACTEUR-elu", "themes-0": "évaluation participative",
        "wanted_by": "2031-01-07",
    }  # fmt: skip
    assert post(house, client, question, "preciser", **fields).status_code == 303
    held = now_(house, question)
    assert (held.text, held.actor, held.themes) == ("Mieux dit", "ACTEUR-elu", ("T01-01",))
    assert (held.wanted_by, held.consent, held.version) == (date(2031, 1, 7), False, 2)


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("text", " ", "Écrivez la question"),
        ("text", "x" * 10_001, "Au plus 10\u202f000 caractères"),
        ("themes-0", "astrologie", "n’est pas un thème"),
        ("actor", "ACTEUR-inconnu", "Choisissez dans la liste"),
        ("wanted_by", "demain", "Indiquez un jour"),
    ],
)
def test_what_is_not_right_is_told_and_what_was_typed_stays(house, client, field, value, fault):
    question = ask(house)
    fields = edited(house, client, question) | {"context": "Gardez ceci", field: value}
    response = post(house, client, question, "preciser", **fields)
    assert response.status_code == 400
    assert fault in html.unescape(response.text)
    assert "Gardez ceci" in response.text
    assert now_(house, question).version == 1


def test_a_code_that_the_vocabulary_has_no_more_stays(house, client):
    question = ask(house, actor="ACTEUR-ancien", territory="C-00000", themes=("T99",))
    fields = edited(house, client, question)
    fields |= {"actor": "ACTEUR-ancien", "territory": "C-00000", "themes-0": "T99", "text": "Autre"}
    assert post(house, client, question, "preciser", **fields).status_code == 303
    held = now_(house, question)
    assert (held.actor, held.territory, held.themes) == ("ACTEUR-ancien", "C-00000", ("T99",))


def test_two_who_change_other_fields_both_keep_theirs(house, client, joel):
    question = ask(house, "Le texte", context="Le contexte")
    fields = edited(house, client, question)
    house.parts.desk.change(question.id, 1, Asked(text="Son texte", context="Le contexte"), person=joel)
    response = post(house, client, question, "preciser", **fields | {"context": "Mon contexte"})
    assert response.status_code == 303
    held = now_(house, question)
    assert (held.text, held.context, held.version) == ("Son texte", "Mon contexte", 3)


def test_two_who_change_the_same_field_see_both_versions_and_choose(house, client, joel):
    question = ask(house, "Le texte", context="Le contexte")
    fields = edited(house, client, question) | {"text": "Mon texte", "context": "Mon contexte"}
    house.parts.desk.change(question.id, 1, Asked(text="Son texte", context="Le contexte"), person=joel)
    clash = post(house, client, question, "preciser", **fields)
    words = text_of(clash)
    assert clash.status_code == 409
    assert "Personne responsable" in words
    assert "pendant que vous la modifiiez" in words
    assert "Mon contexte" in words
    assert now_(house, question).text == "Son texte"
    for kept, text in (("sien", "Son texte"), ("mien", "Mon texte")):
        version = now_(house, question).version
        chosen = fields | {"vu": str(version), "garder-text": kept}
        assert post(house, client, question, "preciser", **chosen).status_code == 303
        assert (now_(house, question).text, now_(house, question).context) == (text, "Mon contexte")


# -- two that are one


def test_the_same_question_asked_twice_is_offered_side_by_side_and_made_one(house, client):
    text = "Quels exemples d’évaluation participative avec les habitants au Lorrain ?"
    one, two = ask(house, text), ask(house, text + " C’est urgent.")
    assert two.reference in client.get(f"/guichet/{one.reference}").text
    address = f"/guichet/{two.reference}/fusion/{one.reference}"
    page = text_of(client.get(address))
    assert text in page
    assert "C’est urgent." in page
    assert now_(house, two).merged_into is None
    house.post(client, address)
    assert now_(house, two).merged_into == one.id
    assert "fait partie de" in text_of(client.get(f"/guichet/{two.reference}"))
    assert client.get(address).status_code == 404


def test_questions_of_two_persons_are_not_made_one(house, client):
    one, two = ask(house, "Une même demande ?"), ask(house, "Une même demande ?", email="autre@exemple.fr")
    address = f"/guichet/{two.reference}/fusion/{one.reference}"
    assert client.get(address).status_code == house.post(client, address).status_code == 404
    assert now_(house, two).merged_into is None


# -- a question that the staff type


def typed(**more):
    return {"text": "Comment monter un atelier santé ville ?", "channel": "telephone"} | more


def last(house, response):
    reference = response.headers["Location"].removeprefix("/guichet/")
    return house.parts.desk.by_reference(reference)


def test_a_question_by_telephone_is_typed_with_who_asks_and_the_time_it_took(house, client, me):
    letters(house)
    fields = typed(name="Line Abaul", email="line@exemple.fr", minutes="12", mine="y", acknowledge="y",
                   consent="y", wanted_by="2031-05-05")  # fmt: skip
    question = last(house, house.post(client, "/guichet/nouvelle", **fields))
    assert (question.channel, question.assignee, question.consent) == (Channel.TELEPHONE, me, True)
    assert sum(s.minutes or 0 for s in house.parts.desk.log.of(question.id)) == 12
    assert house.parts.askers.get(question.asker).name == "Line Abaul"
    (letter,) = letters(house)
    assert letter["To"] == "line@exemple.fr"
    assert question.reference in letter["Subject"]


def test_a_question_of_nobody_in_particular_needs_its_words_only(house, client):
    letters(house)
    question = last(house, house.post(client, "/guichet/nouvelle", **typed(acknowledge="y")))
    assert (question.asker, question.assignee, question.state) == (None, None, S.RECEIVED)
    assert letters(house) == []


def test_a_question_that_came_some_days_ago_is_owed_from_that_day(house, client):
    zone = house.parts.calendar.zone
    day = datetime.now(zone).date() - timedelta(days=9)
    question = last(house, house.post(client, "/guichet/nouvelle", **typed(received=day.isoformat())))
    assert question.received.astimezone(zone).date() == day
    assert question.due == house.parts.calendar.after(day, house.parts.config.answer_days)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"text": ""}, "Écrivez la question"),
        ({"email": "pas une adresse"}, "adresse électronique est incomplète"),
        ({"phone": "12"}, "numéro de téléphone est incomplet"),
        ({"minutes": "beaucoup"}, "nombre de minutes"),
        ({"received": "2999-01-01"}, "pas encore venu"),
        ({"received": "1999-01-01"}, "trop ancien"),
        ({"channel": "pigeon"}, "Choisissez dans la liste"),
    ],
)
def test_a_new_question_that_is_not_right_is_shown_again(house, client, fields, fault):
    before = house.parts.desk.counts()
    response = house.post(client, "/guichet/nouvelle", **typed(context="Gardez ceci") | fields)
    assert response.status_code == 400
    assert fault.lower() in html.unescape(response.text).lower()
    assert "Gardez ceci" in response.text
    assert house.parts.desk.counts() == before


# -- messages that are dropped


def mail(sender=EMAIL, subject="Une demande", text="Bonjour, que dit la loi ?", *, files=(), **fields):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "guichet@exemple.fr", subject
    message["Date"] = "Mon, 23 Nov 2026 10:00:00 -0400"
    message["Message-ID"] = fields.pop("id", f"<{os.urandom(6).hex()}@exemple.fr>")
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes()


def drop(house, client, content, name="message.eml"):
    data = {"csrf_token": house.token(client), "mail": (io.BytesIO(content), name)}
    return client.post("/guichet/courriel", data=data, content_type="multipart/form-data")


def waiting(house):
    return [path.name for path in (house.parts.config.data / "letters").rglob("courriel.eml")]


def sent_to(house, question, me):
    """A message of ours in the thread of a question."""
    desk_letters.write(house.parts, question, "De quelle ville ?", person=me)
    return house.parts.desk.exchanges(question.id)[-1].message_id


def test_an_answer_to_our_message_joins_its_question_at_once(house, client, me):
    question = ask(house)
    post(house, client, question, "prendre")
    ours = sent_to(house, question, me)
    house.parts.desk.move(question.id, S.WAITING)
    content = mail(text="Fort-de-France.\n", In_Reply_To=ours, files=[("plan.pdf", b"%PDF-1.4")])
    response = drop(house, client, content)
    assert response.headers["Location"] == f"/guichet/{question.reference}#echanges"
    heard = [e for e in house.parts.desk.exchanges(question.id) if e.incoming]
    assert [(e.text, e.enclosures) for e in heard] == [("Fort-de-France.", ("plan.pdf",))]
    assert now_(house, question).state is S.IN_HAND
    page = text_of(client.get(f"/guichet/{question.reference}"))
    assert "a rejoint la question" in page
    assert "de nouveau en cours" in page
    assert waiting(house) == []
    again = drop(house, client, content)
    assert again.headers["Location"] == f"/guichet/{question.reference}#echanges"
    assert len([e for e in house.parts.desk.exchanges(question.id) if e.incoming]) == 1
    assert "déjà dans la question" in text_of(client.get("/guichet"))


def test_an_answer_from_another_address_joins_and_says_who_wrote(house, client, me):
    question = ask(house)
    drop(house, client, mail("collegue@exemple.fr", In_Reply_To=sent_to(house, question, me)))
    assert "vient de collegue@exemple.fr, pas du demandeur" in text_of(client.get("/guichet"))
    assert "collegue@exemple.fr" in house.parts.desk.notes(question.id)[-1].text


def test_a_new_message_fills_the_form_and_becomes_a_question(house, client, me):
    letters(house)
    content = mail("Luc Zaïre <luc@exemple.fr>", "Conseils citoyens", "Bonjour,\n\nQui les anime ?\n",
                   id="<un.luc@exemple.fr>", files=[("note.pdf", b"%PDF-1.7")])  # fmt: skip
    address = drop(house, client, content).headers["Location"]
    page = text_of(client.get(address))
    for words in ("Luc Zaïre", "luc@exemple.fr", "Conseils citoyens", "Qui les anime ?", "note.pdf"):
        assert words in page
    assert 'value="2026-11-23"' in page
    key = address.rpartition("=")[2]
    fields = typed(text="Qui anime les conseils citoyens ?", channel="email", email="luc@exemple.fr",
                   received="2026-11-23", acknowledge="y", mail=key)  # fmt: skip
    question = last(house, house.post(client, "/guichet/nouvelle", **fields))
    assert question.received == datetime(2026, 11, 23, 14, tzinfo=UTC)
    heard, receipt = house.parts.desk.exchanges(question.id)
    assert (heard.text, heard.enclosures) == ("Bonjour,\n\nQui les anime ?", ("note.pdf",))
    (letter,) = letters(house)
    assert letter["In-Reply-To"] == "<un.luc@exemple.fr>"
    assert letter["Message-ID"] == receipt.message_id
    assert letter["Subject"] == f"Re: Conseils citoyens [Q {question.reference}]"
    assert waiting(house) == []
    gone = house.post(client, "/guichet/nouvelle", **fields)
    assert gone.status_code == 400
    assert "déposez-le de nouveau" in gone.text


def test_a_stranger_who_names_a_question_is_decided_by_somebody(house, client):
    question = ask(house)
    subject = f"Re: votre question [Q {question.reference}]"
    address = drop(house, client, mail("inconnu@exemple.fr", subject)).headers["Location"]
    page = text_of(client.get(address))
    assert "il ne vient pas du demandeur" in page
    assert question.reference in page
    assert house.parts.desk.exchanges(question.id) == ()
    key = address.rpartition("=")[2]
    wrong = house.post(client, f"/guichet/courriel/{key}/joindre", reference="1999-001")
    assert wrong.headers["Location"] == address
    house.post(client, f"/guichet/courriel/{key}/joindre", reference=question.reference)
    assert len(house.parts.desk.exchanges(question.id)) == 1
    assert "inconnu@exemple.fr" in house.parts.desk.notes(question.id)[-1].text
    assert waiting(house) == []


@pytest.mark.parametrize("bounce", [True, False])
def test_what_machines_write_moves_no_question(house, client, me, bounce):
    question = ask(house)
    post(house, client, question, "prendre")
    ours = sent_to(house, question, me)
    house.parts.desk.move(question.id, S.WAITING)
    sender = "mailer-daemon@exemple.fr" if bounce else EMAIL
    content = mail(sender, "Absence du bureau", "Je reviens lundi.", In_Reply_To=ours,
                   Auto_Submitted="auto-replied")  # fmt: skip
    address = drop(house, client, content).headers["Location"]
    page = text_of(client.get(address))
    assert ("non-remise" if bounce else "Ce message est automatique") in page
    assert now_(house, question).state is S.WAITING
    house.post(
        client, f"/guichet/courriel/{address.rpartition('=')[2]}/joindre", reference=question.reference
    )
    assert now_(house, question).state is S.WAITING
    assert [e.incoming for e in house.parts.desk.exchanges(question.id)] == [False]
    assert "Je reviens lundi." in house.parts.desk.notes(question.id)[-1].text


def test_what_is_no_message_is_refused_in_words(house, client):
    for content in (b"", b"\x89PNG\r\n", b"bonjour"):
        assert drop(house, client, content).headers["Location"] == "/guichet/nouvelle"
        page = text_of(client.get("/guichet/nouvelle"))
        assert "Ce fichier n’est pas un courriel enregistré (.eml)" in page
        assert "PDF" not in page
    assert drop(house, client, b"", "").headers["Location"] == "/guichet/nouvelle"
    assert "Aucun message choisi" in text_of(client.get("/guichet/nouvelle"))
    assert waiting(house) == []


def test_a_machine_s_message_that_becomes_a_question_gets_no_receipt_by_itself(house, client):
    address = drop(house, client, mail(Auto_Submitted="auto-generated")).headers["Location"]
    ticked = '<input checked id="acknowledge"'
    assert ticked in client.get("/guichet/nouvelle").text
    assert ticked not in client.get(address).text
    house.post(client, f"/guichet/courriel/{address.rpartition('=')[2]}/abandonner")


def test_a_message_can_be_let_go_of_and_its_key_opens_nothing_else(house, client):
    key = drop(house, client, mail()).headers["Location"].rpartition("=")[2]
    house.post(client, f"/guichet/courriel/{key}/abandonner")
    assert waiting(house) == []
    for other in (key, "..", "../../kb.sqlite", "x" * 16):
        address = f"/guichet/nouvelle?courriel={quote(other, safe='')}"
        assert client.get(address).headers["Location"] == "/guichet/nouvelle"
        joined = f"/guichet/courriel/{quote(other, safe='')}/joindre"
        assert house.post(client, joined, reference="2026-001").status_code == 404


def test_messages_that_nobody_decides_on_are_taken_away_after_a_day(house, client):
    drop(house, client, mail())
    kept_mail.sweep(house.parts, time.time() + 3600)
    assert len(waiting(house)) == 1
    kept_mail.sweep(house.parts, time.time() + 90_000)
    assert waiting(house) == []


def test_a_message_whose_words_are_all_repeated_is_shown_whole(house, client, me):
    question = ask(house)
    text = "> De quelle ville ?\n> Fort-de-France\n"
    drop(house, client, mail(text=text, In_Reply_To=sent_to(house, question, me)))
    (heard,) = (e for e in house.parts.desk.exchanges(question.id) if e.incoming)
    assert "Fort-de-France" in heard.text


# -- letters


@pytest.fixture
def parts(tmp_path):
    opened = Parts(settings.load(tmp_path, {}))
    opened.config = dataclasses.replace(
        opened.config, desk_to="un@exemple.fr, deux@exemple.fr", public_url="https://carbet.exemple.fr",
        desk_mail="guichet@exemple.fr",
    )  # fmt: skip
    yield opened
    opened.close()


def received(parts, text="Que dit la loi ?", *, email=EMAIL, now=MONDAY, **more):
    asker = parts.askers.known(email, "Anne Régis") if email else None
    return parts.desk.receive(Asked(text=text, **more), asker, now=now)


def posted(parts):
    found = []
    parts.outbox.deliver(lambda _, message: found.append(message) or Mailed.SENT)
    return found


def test_the_receipt_says_number_day_and_address_and_repeats_nothing_typed(parts):
    question = received(parts, "ACHETEZ http://escroc.example", context="ici")
    assert desk_letters.acknowledge(parts, question) is True
    (letter,) = posted(parts)
    text = letter.get_content()
    assert letter["To"] == EMAIL
    assert letter["Reply-To"] == "guichet@exemple.fr"
    assert letter["Auto-Submitted"] == "auto-generated"
    for words in (question.reference, "jeudi 26 novembre 2026", f"/suivi/{question.follow}"):
        assert words in text
    for typed_in in ("escroc", "ici\n", "Régis", "Anne"):
        assert typed_in not in text
    assert parts.desk.of_message(letter["Message-ID"]) == question.id


def test_who_has_no_address_gets_no_receipt(parts):
    assert desk_letters.acknowledge(parts, received(parts, email="")) is False
    assert posted(parts) == []


def test_messages_of_a_question_follow_each_other(parts):
    question = received(parts)
    desk_letters.acknowledge(parts, question)
    desk_letters.write(parts, question, "De quelle ville ?")
    first, second = posted(parts)
    assert second["In-Reply-To"] == first["Message-ID"] == second["References"]
    answer = Said(text="Celle-ci", channel=Channel.EMAIL, subject="RE: x", message_id="<elle@exemple.fr>")
    parts.desk.hear(question.id, answer)
    place = desk_letters.thread(parts, question)
    assert isinstance(place, Thread)
    assert place.in_reply_to == "<elle@exemple.fr>"
    assert place.line()[-1] == "<elle@exemple.fr>"
    assert len(place.line()) == 3


def test_the_desk_is_told_of_a_new_question_without_who_asks(parts):
    long = (
        "Comment financer un poste de médiateur dans un quartier prioritaire, avec quelles aides de l’État ?"
    )
    question = received(parts, long, actor="ACTEUR-elu")
    assert desk_letters.tell_desk(parts, question) == 2
    told = posted(parts)
    assert [letter["To"] for letter in told] == ["un@exemple.fr", "deux@exemple.fr"]
    text = told[0].get_content()
    assert question.reference in text
    assert f"/guichet/{question.reference}" in text
    assert EMAIL not in text
    assert "Régis" not in text
    assert question.follow not in text
    assert "Comment financer un poste" in text
    assert long[80:] not in text


def test_no_more_than_eighty_characters_of_a_question_leave_for_the_staff(parts):
    for text in ("mot " * 100, "x" * 500, "a\n" + "b" * 300, "été " * 20):
        assert len(opening(text)) <= 80
    assert opening("Une ligne.\nUne autre.") == "Une ligne…"
    assert opening("Une ligne ?") == "Une ligne ?"


def test_what_is_late_is_recalled_once_on_the_morning_of_a_working_day(parts):
    late = received(parts, "La loi de 2014 a dix ans. " + "".join(map(str, range(200))))
    received(parts, "Pas encore due", now=MONDAY + timedelta(days=7))
    friday = datetime(2026, 11, 27, 11, 5, tzinfo=UTC)  # 7:05 in Martinique
    assert desk_letters.remind_overdue(parts, friday - timedelta(minutes=10)) == 0
    other = Parts(parts.config)
    outcome = [desk_letters.remind_overdue(p, friday) for p in (parts, other, parts)]
    other.close()
    assert outcome == [2, 0, 0]
    text = posted(parts)[0].get_content()
    assert late.reference in text
    assert "Pas encore due" not in text
    assert "en retard de 1\u00a0jour ouvré" in text
    assert "jeudi 26 novembre" in text
    assert EMAIL not in text
    assert late.text[80:130] not in text
    assert desk_letters.remind_overdue(parts, friday + timedelta(days=1)) == 0  # Saturday
    assert desk_letters.remind_overdue(parts, datetime(2026, 12, 25, 14, tzinfo=UTC)) == 0
    assert desk_letters.remind_overdue(parts, friday + timedelta(days=3)) == 2


def test_nothing_late_or_nobody_to_tell_sends_nothing(parts):
    assert desk_letters.remind_overdue(parts, MONDAY) == 0
    received(parts)
    parts.config = dataclasses.replace(parts.config, desk_to="")
    assert desk_letters.remind_overdue(parts, MONDAY + timedelta(days=30)) == 0
    parts.config = dataclasses.replace(parts.config, desk_to="pas une adresse, un@exemple.fr")
    assert desk_letters.remind_overdue(parts, MONDAY + timedelta(days=30)) == 1


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (MONDAY, "encore 3\u00a0jours ouvrés"),
        (MONDAY + timedelta(days=3), "à rendre aujourd’hui"),
        (MONDAY + timedelta(days=4), "en retard de 1\u00a0jour ouvré"),
        (MONDAY + timedelta(days=5), "en retard de 1\u00a0jour ouvré"),
        (MONDAY + timedelta(days=7), "en retard de 2\u00a0jours ouvrés"),
    ],
)
def test_a_deadline_is_told_in_working_days(parts, moment, words):
    question = received(parts)
    assert delay(question, parts.calendar, moment) == words


# -- what never leaves


CANARY = "zibeline-canari-7431"


@pytest.fixture
def whispered(house, me):
    """A question of which everything is public that can be, with a note that is not."""
    parts = house.parts
    question = ask(house, "Comment relancer un conseil citoyen ?", consent=True)
    file = Enclosure(name="plan.pdf", media_type="application/pdf", content=b"%PDF")
    parts.desk.hear(question.id, Said(text="Précision", channel=Channel.EMAIL, enclosures=(file,)))
    parts.desk.note(question.id, f"Entre nous : {CANARY}, avec les ornithorynques", person=me)
    parts.desk.claim(question.id, me)
    parts.answers.save(question.id, "Voici la réponse.", 0, person=me, without_source="de mémoire")
    parts.answers.mark_sent(question.id)
    parts.desk.move(question.id, S.ANSWERED)
    copy = Copy(title="Relancer un conseil citoyen", text="Comment ?", body="Voici la réponse.")
    held = parts.publications.prepare(question.id, copy, 0, person=me)
    pages = [Page(number=1, text="Comment ? Voici la réponse.")]
    record = parts.publications.publish(question.id, held.version, pages, (), person=me)
    parts.sync()
    return now_(house, question), record


def addresses(house, question, record):
    """Every address that can be asked for, each with what it may be filled with."""
    number = house.parts.desk.exchanges(question.id)[0].id
    known = {"reference": question.reference, "follow": question.follow, "other": question.reference}
    known |= {"exchange": number, "name": "x", "key": "0" * 16, "what": "questions"}
    numbers = (question.id, question.asker, 1)
    for rule in house.app.url_map.iter_rules():
        if "GET" in rule.methods:
            for id in (quote(record, safe=""), *numbers) if "id" in rule.arguments else ("",):
                yield filled(rule.rule, known | {"id": id})
    for path in ("recherche", "recherche.json", "questions"):
        yield f"/{path}?q=conseil+citoyen"


def filled(path, known):
    return re.sub(r"<(?:(\w+):)?(\w+)>", lambda m: str(known.get(m[2], 1 if m[1] == "int" else "x")), path)


@pytest.mark.parametrize("role", [role for role in Role if Right.ANSWER not in rights_of([role])])
def test_no_page_outside_the_desk_holds_a_word_of_a_note(house, whispered, role):
    question, record = whispered
    client, seen = house.client(role), 0
    for address in addresses(house, question, record):
        response = client.get(address)
        seen += response.status_code == 200
        assert CANARY.encode() not in response.data, address
    assert seen > 15


def test_a_search_for_the_words_of_a_note_finds_nothing(house, whispered):
    for role in Role:
        found = house.client(role).get("/recherche.json?q=ornithorynques").json
        assert not found["hits"], role


def test_the_desk_shows_a_note_on_the_question_s_own_pages_only(house, whispered):
    question, record = whispered
    client = house.client(Role.ADMINISTRATOR)
    holding = {a for a in addresses(house, question, record) if CANARY.encode() in client.get(a).data}
    assert f"/guichet/{question.reference}" in holding
    assert {a for a in holding if not a.startswith(f"/guichet/{question.reference}")} == set()


def test_no_mail_and_no_record_holds_a_word_of_a_note(house, client, whispered):
    question, record = whispered
    post(house, client, question, "message", message="Avez-vous bien reçu ?", way="email")
    house.parts.config = dataclasses.replace(house.parts.config, desk_to="un@exemple.fr")
    desk_letters.acknowledge(house.parts, question)
    desk_letters.tell_desk(house.parts, question)
    desk_letters.remind_overdue(house.parts, datetime.now(UTC) + timedelta(days=300))
    messages = letters(house)
    assert len(messages) >= 3
    assert all(CANARY not in message.as_string() for message in messages)
    assert CANARY not in repr(house.parts.store.get(record))
    assert CANARY not in repr(house.parts.desk.log.of(question.id))
