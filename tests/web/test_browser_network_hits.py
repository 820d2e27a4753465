"""Records of other centres in a real browser: axe, keyboard alone, no JavaScript."""

from __future__ import annotations

import pytest

from kb.centres import Centre
from kb.mirrors import Origin
from kb.records import Agent, Copy, Page, Record
from kb.sharing import Shared

pytestmark = pytest.mark.browser

ID = "labo-cites:1"


@pytest.fixture(scope="module")
def network(house):
    """A work of our centre and of another one, and one that the other has alone."""
    parts = house.parts
    parts.centres.save(Centre(code="labo-cites", name="Labo Cités", contact="doc@labo.exemple.fr"))
    common = {"title": "Les pirogues du quartier fluvial", "date": "2014", "agents": (Agent("Dulac, Irène"),)}
    parts.store.save(Record(id="ville-caraibe:900001", call_number="PIR 3", **common))
    for number, fields in enumerate((common, {"title": "Passeurs de pirogues"}), 1):
        record = Record(id=f"labo-cites:{number}", copies=(Copy(f"LC {number}"),), **fields)
        origin = Origin(
            centre="labo-cites",
            source=1,
            identifier=record.id,
            datestamp="2026",
            url=f"https://labo.exemple.fr/notice/{record.id}",
        )
        parts.mirrors.keep(Shared(record, (Page(1, "La pirogue passe."),)), origin)
    parts.sync()
    return house


ADDRESSES = (
    "/recherche?q=pirogues",
    "/recherche?q=pirogues&centre=ville-caraibe",
    "/notice/ville-caraibe:900001",
    "/notice/labo-cites:2",
    "/notice/labo-cites:2/page/1",
)


def test_axe_finds_nothing(network, browser, inspect, home):
    page = browser.new_page()
    for address in ADDRESSES:
        page.goto(home + address)
        inspect(page)
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_our_fund_is_chosen_by_keyboard_alone_with_scripts_or_without(network, browser, home, scripts):
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(home + "/recherche?q=pirogues")
    page.get_by_role("link", name="Notre fonds").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**centre=ville-caraibe")
    assert page.locator(".scope [aria-current]").inner_text().startswith("Notre fonds")
    page.locator(".hit h2 a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/notice/**")
    assert page.locator(".holding").get_by_text("LC 1").is_visible()
    context.close()
