"""The desk in a real browser: axe, keyboard alone, no JavaScript, nothing refused by the policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kb.accounts import Role
from kb.questions import Asked, Channel, Enclosure, QuestionState, Said

pytestmark = pytest.mark.browser

TEXT = "Quels exemples d’évaluation participative avec les habitants, et selon quelle méthode ?"
LETTER = b"""From: Luc <luc@exemple.fr>\r\nTo: guichet@exemple.fr\r\nSubject: Conseils citoyens\r
Date: Mon, 23 Nov 2026 10:00:00 -0400\r\nMessage-ID: <un.luc@exemple.fr>\r\n\r\nQui les anime ?\r\n"""


def signed_in(house, browser, home, **options):
    context = browser.new_context(**options)
    token = house.parts.sessions.open(house.people[Role.ANSWERER], "Essai")
    context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    return context.new_page()


def ask(house, text=TEXT, *, days=0, email="anne@exemple.fr", **more):
    asker = house.parts.askers.known(email, "Anne Régis", "0596 00 00 00")
    now = datetime.now(UTC) - timedelta(days=days)
    return house.parts.desk.receive(Asked(text=text, **more), asker, now=now)


@pytest.fixture(scope="module")
def busy(house):
    """A question of which the page shows all that it can."""
    desk, joel = house.parts.desk, house.people[Role.DIRECTOR]
    question = ask(house, days=40, context="Pour un comité", actor="ACTEUR-elu", themes=("T01-01", "T02"))
    ask(house, TEXT + " C’est urgent.", days=1)
    desk.claim(question.id, joel)
    desk.write(question.id, Said(text="De quelle ville ?", channel=Channel.EMAIL, subject="Q"), person=joel)
    file = Enclosure(name="plan.pdf", media_type="application/pdf", content=b"%PDF")
    answer = Said(text="Ici", quoted="> De quelle ville ?", channel=Channel.EMAIL, enclosures=(file,))
    desk.hear(question.id, answer)
    desk.note(question.id, "Voir le Cahier 12", person=joel)
    desk.spend(question.id, 30, 4, person=joel)
    house.parts.answers.keep_draft(question.id, joel, "Un début", 0)
    done = ask(house, "Celle qui est close", email="luc@exemple.fr")
    desk.move(done.id, QuestionState.CLOSED)
    waiting = ask(house, "Celle qui attend", email="luc@exemple.fr")
    desk.claim(waiting.id, joel)
    desk.move(waiting.id, QuestionState.WAITING)
    return question


def test_axe_finds_nothing_on_the_pages_of_the_desk(house, browser, inspect, home, busy):
    page, one = signed_in(house, browser, home), f"/guichet/{busy.reference}"
    twin = house.parts.desk.get(busy.id + 1).reference
    lists = ("/guichet", "/guichet?qui=moi&theme=T01&mots=rien", "/guichet?vue=faites")
    forms = ("/guichet/nouvelle", f"{one}/preciser", f"{one}/fusion/{twin}")
    for path in (*lists, one, f"/guichet/{twin}", *forms):
        page.goto(home + path)
        for summary in page.locator("summary").all():
            summary.click()
        inspect(page)
    page.context.close()


def test_axe_finds_nothing_on_forms_that_were_not_right(house, browser, inspect, home, busy):
    page = signed_in(house, browser, home)
    page.goto(home + "/guichet/nouvelle")
    page.fill("#themes-0", "astrologie")
    page.fill("#email", "pas une adresse")
    page.click("text=Enregistrer la question")
    assert page.locator("[role=alert]").is_visible()
    inspect(page)
    page.goto(f"{home}/guichet/{busy.reference}")
    page.click("text=Clore sans réponse")
    page.click("text=Clore la question")
    assert page.locator("[role=alert]").inner_text().startswith("À corriger")
    assert page.locator("#why").is_visible()
    inspect(page)
    page.context.close()


def test_axe_finds_nothing_when_two_change_one_question(house, browser, inspect, home):
    question = ask(house, "Le texte", email="lea@exemple.fr")
    page = signed_in(house, browser, home)
    page.goto(f"{home}/guichet/{question.reference}/preciser")
    house.parts.desk.change(question.id, 1, Asked(text="Son texte"), person=house.people[Role.DIRECTOR])
    page.fill("#text", "Mon texte")
    page.click("text=Enregistrer")
    assert "pendant que vous la modifiiez" in page.locator("[role=alert]").inner_text()
    inspect(page)
    page.locator("input[value=sien]").check()
    page.click("text=Enregistrer ainsi")
    assert page.locator(".asked .words").first.inner_text() == "Son texte"
    page.context.close()


def test_the_queue_is_worked_by_keyboard_alone(house, browser, home, busy):
    question = ask(house, "Une mangrove au clavier", email="", days=2)
    other = ask(house, "Une mangrove de plus", email="")
    page = signed_in(house, browser, home)
    page.goto(home + "/guichet?mots=mangrove")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").is_visible()
    page.keyboard.press("Escape")
    for key, held in (("j", question), ("j", other), ("k", question)):
        page.keyboard.press(key)
        assert held.reference in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("p")
    page.wait_for_selector("text=est à vous")
    assert house.parts.desk.get(question.id).assignee == house.people[Role.ANSWERER]
    page.wait_for_url(f"{home}/guichet/{question.reference}")
    page.context.close()


def test_keys_do_nothing_in_a_field_nor_once_they_are_cut(house, browser, home, busy):
    page = signed_in(house, browser, home)
    page.goto(home + "/guichet")
    page.focus("#mots")
    page.keyboard.type("jp?")
    assert page.input_value("#mots") == "jp?"
    page.uncheck("[data-keys-on]")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('[data-ask]')") is None
    page.reload()
    assert not page.is_checked("[data-keys-on]")
    page.context.close()


def test_a_question_is_typed_taken_and_written_on_without_javascript(house, browser, home):
    page = signed_in(house, browser, home, java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.goto(home + "/guichet/nouvelle")
    page.fill("#text", "Comment monter un atelier santé ville ?")
    page.fill("#email", "line@exemple.fr")
    page.fill("#themes-0", "Évaluation participative")
    page.uncheck("#mine")
    page.click("text=Enregistrer la question")
    reference = page.url.rpartition("/")[2]
    page.goto(f"{home}/guichet?mots={reference}")
    page.click("text=Prendre")
    assert "est à vous" in page.locator("[role=status]").first.inner_text()
    page.click("text=Demander une précision")
    page.fill("#message", "De quelle ville ?")
    assert page.is_checked("#wait")
    page.click("text=Envoyer, ou noter")
    assert page.locator(".standing").inner_text().replace("\n", " ").startswith("en attente du demandeur")
    page.fill("#note", "Rappeler jeudi")
    page.click("text=Garder la note")
    assert page.locator(".notes").inner_text().startswith("Rappeler jeudi")
    page.context.close()


@pytest.mark.parametrize("script", [True, False])
def test_a_message_is_dropped_and_placed(house, browser, inspect, home, tmp_path, script):
    path = tmp_path / "message.eml"
    path.write_bytes(LETTER.replace(b"un.luc", b"un.luc.%d" % script))
    page = signed_in(house, browser, home, java_script_enabled=script)
    page.goto(home + "/guichet/nouvelle")
    page.set_input_files("#mail", path)
    page.click("text=Déposer le message")
    assert page.input_value("#text").strip() == "Qui les anime ?"
    if script:
        inspect(page)
    page.click("text=Enregistrer la question")
    assert page.locator(".told.theirs").inner_text().startswith("Le demandeur")
    page.context.close()


def test_nothing_is_refused_by_the_policy_on_the_pages_of_the_desk(house, browser, home, busy):
    page, problems = signed_in(house, browser, home), []
    page.on("console", lambda message: problems.append(message.text))
    for path in ("/guichet", f"/guichet/{busy.reference}", "/guichet/nouvelle"):
        page.goto(home + path, wait_until="networkidle")
    assert problems == []
    page.context.close()


def test_words_without_end_do_not_widen_the_pages_of_the_desk(house, browser, home):
    desk, word = house.parts.desk, "w" * 400
    asker = house.parts.askers.known(f"{word[:60]}@{word[:60]}.fr", word[:100])
    question = desk.receive(Asked(text=word, context=word), asker)
    file = Enclosure(name=f"{word}.pdf", media_type="application/pdf", content=b"%PDF")
    said = Said(text=word, quoted=word, subject=word, channel=Channel.EMAIL, enclosures=(file,))
    desk.hear(question.id, said)
    desk.note(question.id, word)
    page = signed_in(house, browser, home, viewport={"width": 360, "height": 900})
    for path in (f"/guichet/{question.reference}", f"/guichet?mots={word}", "/guichet"):
        page.goto(home + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
    page.context.close()
