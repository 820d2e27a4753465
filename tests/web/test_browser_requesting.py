"""A professional finds a document of another centre and asks for it, in a real browser."""

from __future__ import annotations

from itertools import count

import pytest

from kb.centres import Centre
from kb.limits import Limit
from kb.mail import Mailed
from kb.mirrors import Origin
from kb.records import Agent, Copy, Page, Record
from kb.sharing import Shared
from web import requesting

pytestmark = pytest.mark.browser

ALONE, SHARED, SILENT = "labo-cites:2", "labo-cites:1", "silencieux:1"
_TESTS = count()


@pytest.fixture(autouse=True)
def _own_counts(monkeypatch):
    number = next(_TESTS)
    monkeypatch.setattr(requesting, "QUICKEST", 0.0)
    for name in ("SENDING", "ONCE"):
        monkeypatch.setattr(requesting, name, Limit(f"{name}-navigateur-{number}", 100, 3600))


@pytest.fixture(scope="module", autouse=True)
def _network(house):
    """One work that two other centres hold, one that the first has alone, one of a centre without address."""
    centres = house.parts.centres
    centres.save(Centre(code="labo-cites", name="Labo Cités", contact="doc@labo.exemple.fr"))
    centres.save(Centre(code="observatoire", name="Observatoire du fleuve", contact="cdi@fleuve.exemple.fr"))
    centres.save(Centre(code="silencieux", name="Centre silencieux", url="https://silencieux.exemple.fr/"))
    common = {"title": "Les pirogues du quartier fluvial", "date": "2014", "agents": (Agent("Dulac, Irène"),)}
    for record in (
        Record(id=SHARED, copies=(Copy("LC 1", location="Salle 2"),), **common),
        Record(id="observatoire:1", call_number="OBS 4", **common),
        Record(id=ALONE, title="Passeurs de pirogues", call_number="LC 2"),
        Record(id=SILENT, title="Les berges muettes"),
    ):
        origin = Origin(
            centre=record.centre,
            source=1,
            identifier=f"oai:{record.id}",
            datestamp="2026",
            url=f"https://{record.centre}.exemple.fr/notice/{record.id}",
        )
        house.parts.mirrors.keep(Shared(record, (Page(1, "La pirogue passe."),)), origin)
    house.parts.sync()


def recipients(house):
    found = []
    house.parts.outbox.deliver(lambda _, message: found.append(message["To"]) or Mailed.SENT)
    return found


def test_axe_finds_nothing_while_somebody_asks(house, browser, inspect, home):
    page = browser.new_context().new_page()
    for id in (ALONE, SHARED, SILENT):
        page.goto(f"{home}/notice/{id}/demander")
        inspect(page)
    page.goto(f"{home}/notice/{SHARED}/demander")
    page.fill("#email", "zoe@")
    page.locator("main form").evaluate("form => { form.noValidate = true }")
    page.click("text=Envoyer la demande")
    page.wait_for_selector("[role=alert]")
    inspect(page)
    page.fill("#email", "zoe@exemple.fr")
    page.get_by_label("L’emprunter").check()
    page.click("text=Envoyer la demande")
    page.wait_for_url("**/demander/envoyee?*")
    inspect(page)
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_document_found_by_search_is_asked_for_by_keyboard_alone(house, browser, home, scripts):
    recipients(house)
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(home)
    page.locator("main [name=q]").focus()
    page.keyboard.type("passeurs pirogues")
    page.keyboard.press("Enter")
    page.wait_for_url("**/recherche?**")
    page.get_by_role("link", name="Passeurs de pirogues").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/notice/**")
    page.get_by_role("link", name="Demander ce document").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/demander")
    page.get_by_label("Le consulter sur place").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")  # the next choice
    page.keyboard.press("Tab")
    page.keyboard.type("zoe@exemple.fr")
    page.keyboard.press("Tab")
    page.keyboard.type("Zoé")
    page.keyboard.press("Tab")
    page.keyboard.type("Avant jeudi, si possible.")
    page.keyboard.press("Tab")  # over the field that nobody sees
    page.keyboard.press("Enter")
    page.wait_for_url("**/demander/envoyee?*")
    said = page.locator("main").inner_text()
    assert "Labo Cités" in said
    assert "L’emprunter" in said
    assert "zoe@exemple.fr" not in page.content()
    assert recipients(house) == ["doc@labo.exemple.fr", "zoe@exemple.fr"]
    context.close()


def test_another_holder_is_chosen_and_what_was_typed_stays_when_something_lacks(house, browser, home):
    recipients(house)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{home}/notice/{SHARED}/demander")
    page.get_by_label("Observatoire du fleuve").check()
    page.fill("#email", "zoe@exemple.fr")
    page.fill("#message", "Le chapitre 2.")
    page.click("text=Envoyer la demande")
    assert page.locator("[role=alert]").inner_text().strip()
    assert page.get_by_label("Observatoire du fleuve").is_checked()
    assert page.input_value("#message") == "Le chapitre 2."
    page.get_by_label("En recevoir une copie numérique").check()
    page.click("text=Envoyer la demande")
    page.wait_for_url("**/demander/envoyee?*")
    assert "Observatoire du fleuve" in page.locator("main").inner_text()
    assert recipients(house)[0] == "cdi@fleuve.exemple.fr"
    page.context.close()
