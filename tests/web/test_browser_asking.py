"""A professional asks and follows, in a real browser: axe, keyboard alone, without JavaScript."""

from __future__ import annotations

import time

import pytest

from kb.desk import Wanted
from kb.limits import Limit
from kb.questions import Asked, Channel, Enclosure, QuestionState, Said
from search.snippets import Piece
from web import asking
from web.proposed import Already, Shown

pytestmark = pytest.mark.browser

QUESTION = "Comment financer un poste d’adulte-relais dans un quartier prioritaire ?"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(asking, "QUICKEST", 0.0)
    monkeypatch.setattr(asking, "SENDING", Limit("questions-navigateur", 100, 3600))


def asked(house):
    return house.parts.desk.listed(Wanted(states=()), 1)[0]


def test_axe_finds_nothing_while_somebody_asks_and_follows(house, browser, inspect, home, answered):
    page = browser.new_context().new_page()
    for path in ("/questions", "/poser-une-question"):
        page.goto(home + path)
        inspect(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("[data-ask] summary").click()
    page.fill("#text", QUESTION)
    page.wait_for_selector(".proposed-answers")
    page.fill("#context", "Mme Célestine, 0696 12 34 56")
    page.click("text=Envoyer ma question")
    page.wait_for_selector("#personnel")
    inspect(page)
    page.check("#sure")
    page.click("text=Envoyer ma question")
    page.wait_for_url("**/suivi/*")
    question = asked(house)
    house.parts.desk.claim(question.id, 1)
    said = Said(text="De quel quartier parlez-vous ?\n\nMerci.", channel=Channel.EMAIL)
    house.parts.desk.write(question.id, said, person=1)
    house.parts.desk.move(question.id, QuestionState.WAITING, person=1)
    page.reload()
    inspect(page)
    page.fill("#text", " ")
    page.locator("main form button").click()
    page.wait_for_selector("[role=alert]")
    inspect(page)
    page.context.close()


def test_what_was_answered_comes_while_somebody_types_and_their_question_goes_at_once(
    house, browser, home, answered
):
    page = browser.new_context().new_page()
    page.goto(home + "/poser-une-question")
    page.locator("#text").press_sequentially(QUESTION, delay=2)
    page.wait_for_selector(".proposed-answers")
    assert "Qui finance un poste" in page.locator("[data-already]").inner_text()
    page.click("text=Envoyer ma question")  # what was seen need not be shown again
    page.wait_for_url("**/suivi/*")
    page.context.close()


def test_who_comes_back_from_what_was_proposed_finds_it_again_and_sends_once(house, browser, home, answered):
    before = house.parts.desk.count(Wanted(states=()))
    page = browser.new_context().new_page()
    page.goto(home + "/poser-une-question")
    page.locator("#text").press_sequentially(QUESTION, delay=2)
    page.locator(".proposed-answers a").first.click()
    page.wait_for_url("**/notice/**")
    page.go_back()
    page.wait_for_selector(".proposed-answers")
    assert page.input_value("#text") == QUESTION
    page.click("text=Envoyer ma question")
    page.wait_for_url("**/suivi/*")
    assert house.parts.desk.count(Wanted(states=())) == before + 1
    page.context.close()


def one(number):
    words = "Un passage du fonds, assez long pour tenir plus de deux lignes sur un téléphone. " * 4
    return Shown(
        id=f"n{number}",
        title=f"Titre {number}",
        kind="Rapport",
        year=2020,
        authors="",
        page=number,
        url=f"/notice/n{number}/page/{number}",
        pieces=(Piece(words, False),),
        text=words,
        score=0.5,
        thumb=None,
    )


def test_on_a_phone_three_proposals_stand_before_the_rest_of_the_form(browser, home, monkeypatch):
    already = Already((one(1),), tuple(map(one, range(2, 7))))
    monkeypatch.setattr(asking, "_already", lambda text: already)
    page = browser.new_context(viewport={"width": 360, "height": 800}).new_page()
    page.goto(home + "/poser-une-question")
    page.fill("#text", QUESTION)
    page.wait_for_selector(".proposed-more")
    items = page.locator("[data-already] li")
    assert [item.is_visible() for item in items.all()] == [True] * 3 + [False] * 3
    line = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.proposed p')).lineHeight)")
    heights = [box.bounding_box()["height"] for box in page.locator("[data-already] li p").all()[:2]]
    assert all(height <= 2 * line + 1 for height in heights)
    page.click("text=Voir plus")
    assert all(item.is_visible() for item in items.all())
    page.set_viewport_size({"width": 1280, "height": 900})
    page.reload()
    page.fill("#text", QUESTION + " Merci.")
    page.wait_for_selector(".proposed-more", state="attached")
    assert all(item.is_visible() for item in items.all())  # there is room: nothing is folded
    page.context.close()


def test_somebody_asks_by_keyboard_alone_without_javascript(house, browser, home, answered):
    before = house.parts.desk.count(Wanted(states=()))
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(home + "/poser-une-question")
    page.focus("#text")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # « Voir si c’est déjà répondu »
    page.wait_for_selector(".proposed-answers")
    assert house.parts.desk.count(Wanted(states=())) == before
    page.focus("#email")
    page.keyboard.type("clavier@exemple.fr")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # consent
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/suivi/*")
    question = asked(house)
    assert question.consent
    page.focus("#text")
    page.keyboard.type("Le quartier est Volga-Plage.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=C’est transmis")
    assert house.parts.desk.exchanges(question.id)[-1].text == "Le quartier est Volga-Plage."
    page.context.close()


def test_words_without_end_do_not_widen_the_page_of_the_asker(house, browser, home):
    desk, word = house.parts.desk, "w" * 400
    question = desk.receive(Asked(text=word, context=word), None)
    file = Enclosure(name=f"{word}.pdf", media_type="application/pdf", content=b"%PDF")
    desk.hear(question.id, Said(text=word, channel=Channel.EMAIL, enclosures=(file,)))
    page = browser.new_context(viewport={"width": 360, "height": 900}).new_page()
    page.goto(f"{home}/suivi/{question.follow}")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.context.close()


def test_two_clicks_are_one_question_however_slow_the_server_is(house, browser, home, monkeypatch):
    quick = asking._already
    monkeypatch.setattr(asking, "_already", lambda text: time.sleep(1) or quick(text))
    before = house.parts.desk.count(Wanted(states=()))
    page = browser.new_context().new_page()
    page.goto(f"{home}/poser-une-question")
    page.fill("#text", "Zyx wvut rqpon mlkj ?")
    page.evaluate(
        "() => { const send = document.querySelector('[data-ask] .actions button');"
        " send.click(); setTimeout(() => send.click(), 200); }"
    )
    page.wait_for_url("**/suivi/*")
    page.wait_for_timeout(1500)
    assert house.parts.desk.count(Wanted(states=())) == before + 1
    page.context.close()
