"""Doubles, articles and badly read pages in a real browser: axe, keyboard alone, no JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ingest.duplicates import Kind
from kb.accounts import Role
from kb.records import Page, Quality, Record

pytestmark = pytest.mark.browser

TEXT = " ".join(f"habitants{n} quartier{n % 7}" for n in range(300))
CONTENTS = "Sommaire\nOuvrir l’école aux parents\nRosalie Roy 2\nTenir un conseil\nFabrice Edmond 4\n"
VOLUME = (
    CONTENTS,
    *("Ouvrir l’école aux parents\nRosalie Roy\nLes parents entrent.", "La suite de l’école."),
    *("Tenir un conseil\nFabrice Edmond\nLe conseil se tient.", "La suite du conseil."),
)


def signed_in(house, browser, home, **options):
    context = browser.new_context(**options)
    token = house.parts.sessions.open(house.people[Role.LIBRARIAN], "Essai")
    context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    context.route("**/image/**", lambda route: route.abort())  # pages are left before their pictures are read
    return context.new_page()


def keep(house, title: str, *texts: str, **more) -> Record:
    store = house.parts.store
    record = Record(id=store.new_id("ville-caraibe"), title=title, **more)
    store.save(record, [Page(n, said) for n, said in enumerate(texts, start=1)])
    return record


@pytest.fixture
def pair(house):
    first = keep(house, "Rapport de 2010", TEXT, date="2010", notes=("Don",))
    second = keep(house, "Rapport de 2012", TEXT + " revu et augmenté", date="2012", access="staff")
    return first, second, house.parts.doubts.add(Kind.EDITION, second.id, first.id, 0.9)


@pytest.fixture
def badly_read(house):
    store = house.parts.store
    files = [file for held in map(store.get, store.ids()) for file in held.files]
    drawn = next(file for file in files if file.media_type == "application/pdf" and file.pages >= 2)
    record = Record(id=store.new_id("ville-caraibe"), title="Mal lu", files=(drawn,))
    noise = Page(1, "qsdf lkj ze", grade=0.05, quality=Quality.GARBLED, recognised=0.4, raw="qsdf  lkj")
    store.save(record, [noise, Page(2, "", grade=0.1, quality=Quality.SCAN)])
    yield record
    store.delete(record.id)


def test_axe_finds_nothing_on_doubles(house, browser, inspect, home, pair):
    page = signed_in(house, browser, home)
    page.goto(home + "/doublons")
    inspect(page)
    page.fill("#une", "abc")
    page.fill("#autre", "987654")
    page.click("text=Comparer >> nth=-1")
    assert page.locator("[role=alert]").is_visible()
    inspect(page)
    page.goto(f"{home}/doublons/{pair[2]}")
    for place in page.locator("summary").all():
        place.click()
    inspect(page)
    house.parts.store.save(Record(id=pair[0].id, title="Changé"))
    page.click(".decisions .button >> nth=0")
    assert page.locator("[role=alert]").is_visible()
    inspect(page)
    page.click("text=Garder les deux")
    page.goto(f"{home}/doublons/{pair[2]}")
    assert page.locator("text=Poser la question de nouveau").is_visible()
    inspect(page)
    page.context.close()


def test_axe_finds_nothing_on_articles(house, browser, inspect, home):
    record = keep(house, "Cahier", *VOLUME, type="cahier")
    page = signed_in(house, browser, home)
    page.goto(f"{home}/notice/{record.id}/decouper")
    inspect(page)
    page.fill("#titre-0", "")
    page.fill("#derniere-0", "5")
    page.click("text=Créer les articles cochés")
    assert page.locator("[role=alert]").is_visible()
    inspect(page)
    page.click("text=Ajouter trois lignes")
    expect(page.locator("li.article")).to_have_count(5)
    inspect(page)
    page.goto(f"{home}/notice/{keep(house, 'Sans pages').id}/decouper")
    inspect(page)
    page.context.close()


def test_axe_finds_nothing_on_badly_read_pages(house, browser, inspect, home, badly_read):
    page = signed_in(house, browser, home)
    for path in ("", "?etat=scan", "?etat=good", f"/{badly_read.id}/1", f"/{badly_read.id}/2"):
        page.goto(f"{home}/etat-de-lecture{path}")
        if page.locator("details").count():
            page.locator("summary").first.click()
        inspect(page)
    page.goto(f"{home}/etat-de-lecture/{badly_read.id}/1")
    house.parts.store.save_page(badly_read.id, Page(1, "Entre-temps"))
    page.fill("textarea", "Mon texte")
    page.click("text=Enregistrer le texte")
    assert page.locator("[role=alert]").is_visible()
    inspect(page)
    page.context.close()


def press_until(page, words: str, key: str = "Tab", most: int = 60) -> None:
    """Go on by keyboard until what has the focus says these words."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.innerText || ''").strip() == words:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            return
    raise AssertionError(f"{words!r} is not reached by keyboard")


def test_a_pair_is_settled_by_keyboard_alone(house, browser, home, pair):
    first, second, _id = pair
    page = signed_in(house, browser, home)
    page.goto(home + "/doublons")
    press_until(page, "Rapport de 2010")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/doublons/\d+$"))
    press_until(page, "N’en faire qu’une notice")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not re.search(r"/doublons/\d+$", url))
    assert "n’en font plus qu’une" in page.locator("[role=status]").first.inner_text()
    assert house.parts.store.get(first.id).access == "staff"
    assert house.parts.store.get_many([second.id]) == {}
    page.context.close()


def test_everything_is_done_without_javascript_on_a_phone(house, browser, home, pair, badly_read):
    page = signed_in(house, browser, home, java_script_enabled=False, viewport={"width": 360, "height": 800})
    _first, second, id = pair
    page.goto(f"{home}/doublons/{id}")
    page.click("summary:has-text('Préciser')")
    page.locator(f"input[name=reste][value='{second.id}']").check()
    page.click(".decisions .button >> nth=0")
    assert "a remplacé l’autre" in page.locator("[role=status]").first.inner_text()
    assert house.parts.store.get(second.id).notes == ("Don",)
    record = keep(house, "Cahier", *VOLUME, type="cahier")
    page.goto(f"{home}/notice/{record.id}/decouper")
    page.fill("#titre-0", "Un titre corrigé")
    page.click("text=Créer les articles cochés")
    assert page.locator("text=Un titre corrigé").is_visible()
    page.goto(f"{home}/etat-de-lecture/{badly_read.id}/1")
    page.fill("textarea", "Le vrai texte")
    page.click("text=Enregistrer le texte")
    page.wait_for_url(f"{home}/etat-de-lecture/{badly_read.id}/2")
    page.click("text=Il n’y a rien à lire")
    assert [p.quality for p in house.parts.store.pages(badly_read.id)] == [Quality.GOOD, Quality.EMPTY]
    page.context.close()
