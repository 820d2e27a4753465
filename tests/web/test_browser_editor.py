"""The editor, history and lots in a real browser: axe, keyboard alone, and without JavaScript."""

from __future__ import annotations

import dataclasses

import pytest

from kb.accounts import Role
from kb.records import Agent, Copy, Record, Subject
from web import afterwards

pytestmark = pytest.mark.browser

THEME = "https://carbet.example/thesaurus/T01"


def signed_in(house, browser, home, **options):
    context = browser.new_context(**options)
    token = house.parts.sessions.open(house.people[Role.LIBRARIAN], "Essai")
    context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    context.route("**/image/**", lambda route: route.abort())
    return context.new_page()


@pytest.fixture
def record(house) -> Record:
    store = house.parts.store
    subjects = (Subject(concept=THEME, score=0.8),)
    made = Record(id=store.new_id("ville-caraibe"), title="Vivre au quartier", copies=(Copy("Q 1"),),
                  agents=(Agent("Rosalie, Anne"),), subjects=subjects)  # fmt: skip
    store.save(made)
    store.save(dataclasses.replace(made, title="Vivre dans le quartier", date="2011"))
    return store.get(made.id)


def test_axe_finds_nothing_on_the_pages_of_records_to_change(house, browser, inspect, home, record):
    page = signed_in(house, browser, home)
    base = f"{home}/notice/{record.id}"
    paths = ("", "/modifier", "/historique", "/historique?version=1", "/supprimer")
    for address in (*(base + path for path in paths), home + "/notices/nouvelle", home + "/lot",
                    f"{home}/lot?n={record.id}"):  # fmt: skip
        page.goto(address)
        for closed in page.locator("details:not([open]) > summary").all():
            closed.click()
        inspect(page)
    page.context.close()


def test_axe_finds_nothing_on_faults_clashes_previews_and_works_alike(house, browser, inspect, home, record):
    page = signed_in(house, browser, home)
    page.goto(f"{home}/notice/{record.id}/modifier")
    page.fill("#date", "jadis")
    page.click(".savebar .button")
    assert page.locator(".faults").is_visible()
    inspect(page)
    page.fill("#date", "2012")
    page.fill("#title", "Mon titre")
    house.parts.store.save(dataclasses.replace(record, title="Leur titre"))
    page.click(".savebar .button")
    assert page.locator("text=Deux modifications à la fois").first.is_visible()
    inspect(page)
    page.click("text=Enregistrer ainsi")
    page.goto(f"{home}/lot?n={record.id}")
    page.fill("#publisher", "Ville")
    page.click(".savebar .button")
    inspect(page)
    page.click("text=Appliquer")
    inspect(page)
    page.goto(home + "/notices/nouvelle")
    page.fill("#title", "Mon titre")
    page.click(".savebar .button")
    assert page.locator(".alike").is_visible()
    inspect(page)
    page.context.close()


def test_a_record_is_changed_by_keyboard_alone(house, browser, home, record):
    page = signed_in(house, browser, home)
    page.goto(f"{home}/notice/{record.id}/modifier")
    page.focus("#agents-0-name")
    for _ in range(10):
        page.keyboard.press("Tab")
        if "Ajouter un auteur" in page.evaluate("document.activeElement.innerText"):
            break
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "agents-1-name"
    page.keyboard.type("Petit, Luc")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{home}/notice/*")
    assert [a.name for a in house.parts.store.get(record.id).agents] == ["Rosalie, Anne", "Petit, Luc"]
    page.context.close()


def test_rows_are_taken_out_and_words_completed_at_once(house, browser, home, record):
    page = signed_in(house, browser, home)
    page.goto(f"{home}/notice/{record.id}/modifier")
    page.click("[data-rows=agents] .drop-row")
    assert page.input_value("#agents-0-name") == ""
    with page.expect_response("**/completions.json*"):
        page.locator("#themes-0").press_sequentially("logement so")
    page.wait_for_selector("#themes-0-liste option[value='Logement social']", state="attached")
    page.fill("#themes-0", "Logement social")
    page.click(".savebar .button")
    page.wait_for_url(f"{home}/notice/*")
    now = house.parts.store.get(record.id)
    assert (now.agents, len(now.subjects)) == ((), 2)
    page.context.close()


def test_all_works_without_javascript(house, browser, home, record):
    page = signed_in(house, browser, home, java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.goto(f"{home}/notice/{record.id}/modifier")
    page.fill("#title", "Sans script")
    page.click("text=Ajouter un auteur")
    page.fill("#agents-1-name", "Petit, Luc")
    page.press("#agents-1-name", "Enter")
    now = house.parts.store.get(record.id)
    assert (now.title, len(now.agents)) == ("Sans script", 2)
    page.goto(f"{home}/notice/{record.id}/historique")
    page.locator("text=Voir l’état d’avant").first.click()
    page.click("text=Revenir à cet état")
    assert house.parts.store.get(record.id).title == "Vivre dans le quartier"
    page.goto(home + "/notices/nouvelle")
    page.fill("#title", "Une notice sans script du tout")
    page.fill("#call_number", "SCR 1")
    page.click(".savebar .button")
    assert page.locator(".made").inner_text().startswith("Notice n°")
    page.goto(f"{home}/notice/{record.id}/supprimer")
    page.locator("[name=sure]").check()
    page.click("button:has-text('Supprimer')")
    assert house.parts.store.was_deleted(record.id)
    afterwards.SOON.wait()
    page.context.close()


def test_what_has_the_focus_is_not_hidden_by_the_bar_that_saves(house, browser, home, record):
    page = signed_in(house, browser, home, viewport={"width": 1280, "height": 700}, reduced_motion="reduce")
    page.goto(f"{home}/notice/{record.id}/modifier")
    page.focus("#title")
    for _ in range(60):
        page.keyboard.press("Tab")
        hidden = page.evaluate("""() => {
            const one = document.activeElement, bar = document.querySelector('.savebar');
            if (bar.contains(one) || !bar.parentElement.contains(one)) return false;
            return one.getBoundingClientRect().top >= bar.getBoundingClientRect().top;
        }""")
        assert not hidden, page.evaluate("document.activeElement.id")
    page.context.close()


def test_nothing_is_refused_by_the_policy_on_these_pages(house, browser, home, record):
    page, problems = signed_in(house, browser, home), []
    page.on("console", lambda message: problems.append(message.text))
    page.context.unroute("**/image/**")
    for path in (f"/notice/{record.id}/modifier", "/notices/nouvelle", f"/lot?n={record.id}"):
        page.goto(home + path, wait_until="networkidle")
    assert problems == []
    page.context.close()
