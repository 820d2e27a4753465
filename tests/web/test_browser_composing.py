"""Writing an answer in a real browser: axe, keyboard alone, no JavaScript, what the script makes quicker."""

from __future__ import annotations

import re
from itertools import count

import pytest
from playwright.sync_api import expect

from kb import quoting
from kb.accounts import Role
from kb.questions import Asked, QuestionState

pytestmark = pytest.mark.browser

TEXT = "Comment rédiger une clause d’insertion dans un marché public de travaux ?"
_NUMBERS = count()


@pytest.fixture
def question(house):
    asker = house.parts.askers.known(f"demandeur-{next(_NUMBERS)}@exemple.fr", "Anne Exemple")
    return house.parts.desk.receive(Asked(text=TEXT, context="Lot de gros œuvre."), asker)


@pytest.fixture
def opened(house, browser, home):
    """A page signed in as somebody of the desk; what the browser complains of is a failure."""
    pages, problems = [], []

    def go(path, **options):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        token = house.parts.sessions.open(house.people[Role.ANSWERER], "Essai")
        context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
        context.route("**/image/**", lambda route: route.abort())
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Policy" in said.text else None)
        pages.append(page)
        page.goto(home + path)
        return page

    yield go
    for page in pages:
        page.context.close()
    assert problems == []


def url(question) -> str:
    return f"/guichet/{question.reference}/reponse"


def cited(page) -> list[str]:
    return [one.record for one in quoting.quotations(page.input_value("#body"))]


def test_axe_finds_nothing_while_one_writes(house, opened, inspect, question):
    page = opened(url(question))
    inspect(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("[data-insert]").first.click()
    expect(page.locator("[data-kept]")).to_contain_text("Brouillon gardé")
    page.locator("[data-read]").click()
    expect(page.locator("figure.quotation")).to_be_visible()
    inspect(page)
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    inspect(page)


def test_axe_finds_nothing_on_what_is_not_right(house, opened, inspect, question):
    page = opened(url(question))
    page.fill("#body", f"> Faux.\n>\n> — [x](/notice/{house.records['public']}/page/1)\n\n> Sans rien.")
    page.click("[value=envoyer]")
    expect(page.locator("[role=alert]")).to_be_visible()
    inspect(page)
    page.fill("#body", "Sans source.")
    page.click("[value=envoyer]")
    expect(page.locator("#without_source-faute")).to_be_visible()
    inspect(page)


def test_axe_finds_nothing_where_two_texts_meet(house, opened, inspect, question):
    page, other = opened(url(question)), house.somebody(Role.ANSWERER)
    page.fill("#body", "Mon texte.")
    house.parts.answers.save(question.id, "Le sien.", 0, person=other.id)
    house.parts.answers.keep_draft(question.id, other.id, "Le sien, suite", 1)
    page.click("[data-save]")
    expect(page.get_by_role("heading", name="Deux textes à la fois")).to_be_visible()
    inspect(page)
    page.click("text=Mettre les deux bout à bout")
    expect(page.locator("#body")).to_have_value("Le sien.\n\nMon texte.")
    expect(page.locator("[data-writers]")).to_contain_text(other.name)


def test_a_passage_is_put_where_the_cursor_is_and_can_be_taken_back(opened, question):
    page = opened(url(question))
    page.fill("#body", "Avant.\n\nAprès.")
    page.evaluate("document.getElementById('body').setSelectionRange(6, 6)")
    page.locator("button[value^=citer]").first.click()
    expect(page.locator("[data-kept]")).to_contain_text("Citation ajoutée")
    body = page.input_value("#body")
    assert re.fullmatch(r"Avant\.\n\n> .+\n>\n> — \[.+\]\(.+\)\n+Après\.", body, re.DOTALL)
    assert len(cited(page)) == 1
    page.keyboard.press("Control+z")
    expect(page.locator("#body")).to_have_value("Avant.\n\nAprès.")


def test_what_is_typed_is_kept_by_itself_and_found_again(house, opened, question):
    page = opened(url(question))
    page.locator("#body").press_sequentially("Je commence")
    expect(page.locator("[data-kept]")).to_contain_text("Brouillon gardé")
    page.reload()
    expect(page.locator("#body")).to_have_value("Je commence")
    page.click("text=Jeter ce brouillon")
    expect(page.locator("#body")).to_have_value("")


def test_what_is_typed_last_is_not_lost_by_going_away(house, opened, home, question):
    page = opened(url(question))
    page.fill("#body", "Encore un mot")
    page.goto(home + "/guichet")
    page.goto(home + url(question))
    expect(page.locator("#body")).to_have_value("Encore un mot")


def test_a_draft_on_its_way_does_not_come_back_after_saving(house, opened, question):
    page = opened(url(question))

    def late(route):
        page.wait_for_timeout(400)
        route.continue_()

    page.route("**/brouillon", late)
    page.fill("#body", "Presque")
    page.evaluate("document.querySelector('[data-read]').click()")
    page.fill("#body", "Presque fini") if page.locator("#body").is_visible() else None
    page.keyboard.press("Control+Enter")
    expect(page.locator("[role=status]").first).to_contain_text("enregistrée")
    assert house.parts.answers.draft(question.id, house.people[Role.ANSWERER]) is None


def test_other_words_are_looked_for_without_leaving_the_text(opened, question):
    page = opened(url(question))
    page.fill("#body", "Mes mots")
    page.fill("#cherche", "médiation")
    page.press("#cherche", "Enter")
    expect(page.locator("#passages")).to_contain_text("médiation")
    assert page.input_value("#body") == "Mes mots"
    page.click("[data-all]")
    expect(page.locator("#passages")).to_have_text("Passages du fonds")


def test_by_the_keyboard_alone_one_quotes_saves_and_sends(house, opened, question):
    page = opened(url(question))
    page.locator("h1").click()
    page.keyboard.press("e")
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.type("Voici ? / a c :")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[role=status]").first).to_contain_text("enregistrée")
    expect(page.locator("[data-tabs]")).to_be_visible()  # the script is there
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    expect(page.locator("[data-kept]")).to_contain_text("Brouillon gardé")
    assert page.input_value("#body").startswith("Voici ? / a c :")
    for _ in range(40):
        if page.evaluate("document.activeElement.value") == "envoyer":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[role=status]").first).to_contain_text("part dans un instant")
    assert house.parts.desk.get(question.id).state is QuestionState.ANSWERED


def test_from_the_queue_to_the_letter_in_five_clicks(house, opened, home, question):
    page, clicks = opened(f"/guichet?mots={question.reference}"), 0
    for button in (
        "Prendre",
        f"a.button[href='{url(question)}']",  # the page of the question opens by itself
        "citer 0",
        "citer 1",
        "[value=envoyer]",
    ):
        if button == "Prendre":
            page.locator(f"form[action='/guichet/{question.reference}/prendre'] button").click()
        elif button.startswith("citer"):
            page.locator("button[value^=citer]").nth(int(button[-1])).click()
            expect(page.locator("[data-kept]")).to_contain_text("Citation ajoutée")
            expect(page.locator("[data-faults]")).to_contain_text(
                "à leur page" if button[-1] == "1" else "à sa page"
            )
        else:
            page.locator(button).first.click()
        clicks += 1
    expect(page.locator("[role=status]").first).to_contain_text("Préparer sa publication")
    assert clicks <= 6
    assert house.parts.desk.get(question.id).assignee == house.people[Role.ANSWERER]


def test_without_javascript_everything_can_be_done(house, opened, question):
    page = opened(url(question), java_script_enabled=False)
    page.fill("#body", "Voici.")
    page.fill("#minutes", "30")
    page.check("[name=effort][value='4']")
    page.locator("button[value^=citer]").first.click()
    assert len(cited(page)) == 1
    page.fill("#cherche", "médiation")
    page.click("[data-find]")
    expect(page.locator("#passages")).to_contain_text("médiation")
    page.locator("button[value^=citer]").first.click()
    assert len(cited(page)) == 2
    assert page.input_value("#minutes") == "30"
    page.click("[data-preview]")
    expect(page.locator("figure.quotation")).to_have_count(2)
    page.click("[data-save]")
    expect(page.locator("[role=status]").first).to_contain_text("enregistrée")
    assert page.input_value("#minutes") == "30"
    assert page.is_checked("[name=effort][value='4']")
    page.click("[value=envoyer]")
    expect(page.locator("[role=status]").first).to_contain_text("part dans un instant")
    assert house.parts.desk.get(question.id).state is QuestionState.ANSWERED


def test_a_key_in_a_field_saves_and_does_not_send(house, opened, question):
    page = opened(url(question), java_script_enabled=False)
    page.fill("#body", "Pas encore.")
    page.press("#minutes", "Enter")
    expect(page.locator("[role=status]").first).to_contain_text("enregistrée")
    assert house.parts.desk.get(question.id).state is QuestionState.RECEIVED
