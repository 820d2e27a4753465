"""The pages of people who sign in, in a real browser: axe, keyboard, no JavaScript, in each role."""

from __future__ import annotations

import pytest

from kb.accounts import GIVEN_ROLES, Role
from kb.mail import Spool

pytestmark = pytest.mark.browser

DOOR = ("/connexion", "/mot-de-passe-oublie", "/mot-de-passe-oublie/envoye", "/mot-de-passe/perdu")
OWN = ("/compte", "/compte/mot-de-passe", "/compte/second-facteur", "/compte/second-facteur/enlever", "/")
STATE = ("/administration", "/administration/reglages", "/administration/courrier", "/journal")
MANAGED = ("/administration/personnes", "/administration/personnes/1", "/administration/cles")


def signed_in(house, browser, home, role, **options):
    context = browser.new_context(**options)
    if role is not Role.VISITOR:
        token = house.parts.sessions.open(house.people[role], "Essai")
        context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    context.route("**/image/**", lambda route: route.abort())  # pages are left before their pictures are read
    return context.new_page()


def pages(house, role) -> tuple[str, ...]:
    record = f"/notice/{house.records['onsite']}"
    reached = {
        Role.VISITOR: (*DOOR, record, "/administration"),
        Role.MEMBER: (*OWN, "/journal"),
        Role.LIBRARIAN: ("/compte", record),
        Role.ANSWERER: ("/compte", record),
        Role.DIRECTOR: (*STATE, record),
        Role.AUDITOR: ("/journal", "/compte"),
    }
    return reached.get(role, (*STATE, *MANAGED, record))


@pytest.mark.parametrize("role", [Role.VISITOR, *GIVEN_ROLES])
def test_axe_finds_nothing_on_the_pages_of_a_role(house, browser, inspect, home, role):
    house.parts.outbox.put("qui@exemple.fr", "Un message", "Texte")
    house.parts.outbox.deliver(Spool(house.parts.config.spool).put)
    page = signed_in(house, browser, home, role)
    for path in pages(house, role):
        page.goto(home + path)
        if page.locator("details").count():
            page.locator("summary").first.click()
        inspect(page)
    page.context.close()


def test_axe_finds_nothing_on_forms_that_were_not_right(house, browser, inspect, home):
    page = signed_in(house, browser, home, Role.ADMINISTRATOR, java_script_enabled=True)
    page.goto(home + "/administration/personnes")
    page.fill("#name", "Anne")
    page.fill("#email", "pas-une-adresse")
    page.click("text=Inviter >> nth=-1")
    assert page.locator("[role=alert]").is_visible()
    inspect(page)
    page.goto(home + "/administration/cles")
    page.fill("#name", "Guadeloupe")
    page.click("text=Créer la clé")
    assert page.locator(".code").inner_text().startswith("kbc_")
    inspect(page)
    page.context.close()


def test_somebody_signs_in_and_out_by_keyboard_alone(house, browser, home):
    page = browser.new_context().new_page()
    page.goto(home + "/connexion?suite=/compte")
    page.focus("#email")
    page.keyboard.type(house.email(Role.LIBRARIAN))
    page.keyboard.press("Tab")
    page.keyboard.type(house.password)
    page.keyboard.press("Enter")
    page.wait_for_url(home + "/compte")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == "Se déconnecter":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url(home + "/")
    assert page.locator("text=Vous êtes déconnecté").is_visible()
    page.context.close()


def test_an_administrator_invites_and_a_librarian_sets_an_access_without_javascript(house, browser, home):
    options = {"java_script_enabled": False, "viewport": {"width": 360, "height": 800}}
    page = signed_in(house, browser, home, Role.ADMINISTRATOR, **options)
    page.goto(home + "/administration/personnes")
    page.fill("#name", "Sans Script")
    page.fill("#email", "sans.script@exemple.fr")
    page.locator("label:has-text('Répondant') input").check()
    page.locator(".form .button").click()
    assert page.locator("[role=status]").first.inner_text().startswith("L’invitation de Sans Script")
    page.context.close()
    page = signed_in(house, browser, home, Role.LIBRARIAN, **options)
    page.goto(f"{home}/notice/{house.records['public']}")
    page.locator("label:has-text('équipe seulement') input").check()
    page.click("text=Enregistrer l’accès")
    assert "L’accès est enregistré" in page.locator("[role=status]").first.inner_text()
    page.locator("label:has-text('Tout le monde') input").check()
    page.click("text=Enregistrer l’accès")
    page.context.close()


def test_nothing_is_refused_by_the_policy_on_the_pages_of_work(house, browser, home):
    page, problems = signed_in(house, browser, home, Role.ADMINISTRATOR), []
    page.on("console", lambda message: problems.append(message.text))
    page.context.unroute("**/image/**")
    for path in (*STATE, *MANAGED, *OWN):
        page.goto(home + path, wait_until="networkidle")
    assert problems == []
    page.context.close()
