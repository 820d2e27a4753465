"""Answers made public, in a real browser: axe, keyboard alone, without JavaScript, nothing refused."""

from __future__ import annotations

import json

import pytest

from kb.accounts import Role
from kb.publishing import Copy, Why
from kb.questions import Asked, Question, QuestionState
from kb.servicelog import StepKind
from web import published_text
from web.notices import record_url

pytestmark = pytest.mark.browser

ASKED = (
    "Bonjour, je suis Mme Anne Zobda. Que dit Jean-Marc Éloi du jardin partagé ? "
    "Mon numéro est le 0696 12 34 56, celui du gardien le 0696 65 43 21."
)
BODY = """Bonjour,

La gestion urbaine de proximité, ou GUP, le permet :

> Le jardin est ouvert.
>
> — [Un guide](https://exemple.fr/guide)

| année | jardins |
|---|---|
| 2020 | 3 |
"""


def answered(house) -> Question:
    desk, me = house.parts.desk, house.people[Role.ANSWERER]
    question = desk.receive(Asked(text=ASKED, themes=("T08",), consent=True), None)
    desk.claim(question.id, me)
    house.parts.answers.save(question.id, BODY, 0, person=me)
    desk.move(question.id, QuestionState.ANSWERED, person=me, kind=StepKind.ANSWERED)
    house.parts.answers.mark_sent(question.id)
    return question


def published(house) -> tuple[Question, str]:
    question, made = answered(house), house.parts.publications
    cited = house.records["public"]
    body = f"{BODY}\nVoir [Un document](/notice/{cited}/page/1)."
    copy = Copy(title="Qui tient un jardin </script> ?", text="Une association demande.", body=body)
    kept = made.prepare(question.id, copy, 0, person=house.people[Role.ANSWERER])
    uri = house.parts.thesaurus.by_code("T08").uri
    record = made.publish(question.id, kept.version, published_text.pages(copy), [uri], person=1)
    house.parts.sync()
    return question, record


def signed_in(house, browser, home, role=Role.ANSWERER, **options):
    context = browser.new_context(**options)
    token = house.parts.sessions.open(house.people[role], "Essai")
    context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    context.route("**/image/**", lambda route: route.abort())
    return context.new_page()


def address(question: Question) -> str:
    return f"/guichet/{question.reference}/publication"


def record_of(house, question: Question) -> str | None:
    return house.parts.publications.get(question.id).record


def test_axe_finds_nothing_on_the_pages_of_a_publication(house, browser, inspect, home):
    prepared, (question, record) = answered(house), published(house)
    house.parts.publications.notice(question.id, [Why.QUOTE_GONE, Why.SCHEME_ENDED])
    page = signed_in(house, browser, home, Role.DIRECTOR)
    paths = (address(prepared), address(question), address(question) + "/retirer", "/guichet/a-revoir")
    for path in (*paths, record_url(record), record_url(house.records["public"]), "/recherche?type=question"):
        page.goto(home + path)
        for summary in page.locator("summary").all():
            summary.click()
        inspect(page)
    page.goto(home + address(prepared))
    page.fill("#title", "")
    page.click("text=Enregistrer sans publier")
    assert page.locator("[role=alert]").is_visible()
    inspect(page)
    page.context.close()


def test_axe_finds_nothing_on_the_second_reading(house, browser, inspect, home):
    question, made = answered(house), house.parts.publications
    kept = made.prepare(question.id, Copy(title="Qui ?", text="Qui ?", body=BODY), 0, person=1)
    made.submit(question.id, kept.version)
    page = signed_in(house, browser, home)
    for path in (address(question), "/guichet/a-revoir"):
        page.goto(home + path)
        inspect(page)
    page.context.close()


def test_doubts_are_decided_by_keyboard_alone(house, browser, home):
    question = answered(house)
    page = signed_in(house, browser, home)
    page.goto(home + address(question))
    rows = page.locator(".doubt")
    assert rows.count() >= 3
    rows.first.locator("input[type=radio]").first.focus()
    for number in range(rows.count()):
        page.keyboard.press("ArrowDown" if number else "r")
    assert page.evaluate("document.activeElement.closest('.doubt') !== null")
    for row in rows.all():
        row.locator("input[type=radio]").first.focus()
        page.keyboard.press("r")
    assert page.locator("#reste").inner_text() == "Tout est décidé."
    rows.last.locator("input[type=radio]").first.focus()
    page.keyboard.press("g")
    assert rows.last.locator("input[value=garder]").is_checked()
    page.locator("button[value=publier]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=La réponse est publiée")
    assert record_of(house, question) is not None
    page.context.close()


def test_without_javascript_a_person_decides_publishes_and_withdraws(house, browser, home):
    question = answered(house)
    page = signed_in(house, browser, home, java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.goto(home + address(question))
    for row in page.locator(".doubt").all():
        row.locator("input[value=remplacer]").check()
    page.click("button[value=publier]")
    assert "La réponse est publiée" in page.locator("[role=status]").first.inner_text()
    record = record_of(house, question)
    assert record is not None
    page.goto(home + record_url(record))
    text = page.locator("article").inner_text()
    assert "Zobda" not in text
    assert "0696" not in text
    page.goto(home + address(question))
    page.click("text=Retirer")
    page.click("button.danger")
    assert record_of(house, question) is None
    page.context.close()


def test_nothing_is_refused_by_the_policy_and_machines_read_the_answer(house, browser, home):
    question, record = published(house)
    page, problems = signed_in(house, browser, home), []
    page.on("console", lambda message: problems.append(message.text))
    page.context.unroute("**/image/**")
    for path in (address(question), record_url(record), "/guichet/a-revoir", "/questions"):
        page.goto(home + path, wait_until="networkidle")
    page.goto(home + record_url(record))
    said = json.loads(page.locator("script[type='application/ld+json']").inner_text())
    assert said["mainEntity"]["name"] == "Qui tient un jardin </script> ?"
    assert problems == []
    page.context.close()


def test_from_an_answer_that_left_to_its_publication_there_are_three_clicks(house, browser, home):
    question, clicks = answered(house), 0
    page = signed_in(house, browser, home)
    page.goto(f"{home}/guichet/{question.reference}")
    page.click("text=Préparer la publication")
    clicks += 1
    while page.locator(".doubt.open").count():
        page.locator(".doubt.open input[value=remplacer]").first.check()
        clicks += 1
    page.click("button[value=publier]")
    clicks += 1
    page.wait_for_selector("text=La réponse est publiée")
    assert clicks <= 3
    page.context.close()
