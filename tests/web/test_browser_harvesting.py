"""Adding and following a centre in a real browser: few clicks, axe, keyboard alone, no JavaScript."""

from __future__ import annotations

import pytest

from kb.accounts import Role
from tests.web.conftest import served
from tests.web.neighbour import CODE, NAME, Repository, house_of, neighbour
from web.harvest_removal import take_away

pytestmark = pytest.mark.browser

LIST = "/reseau/moissons"
TOUCHED = "main :is(button, summary, .table a, .actions a, .rows a, dd a, li > p > a, .harvest-aside):visible"
"""What stands by itself: links within a sentence and crumbs are as high as their line."""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = house_of(tmp_path_factory.mktemp("house") / "data")
    yield made
    made.parts.close()


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    app = neighbour(tmp_path_factory.mktemp("iles") / "data")
    with served(app) as address:
        yield address
    app.extensions["parts"].close()


@pytest.fixture(autouse=True)
def nothing_left(house):
    yield
    for source in house.parts.sources.all():
        house.parts.sources.release(source.id)
        take_away(house.parts, house.parts.sources.get(source.id))
    house.parts.sync()


def administrator(house, browser, home, **options):
    context = browser.new_context(**options)
    token = house.parts.sessions.open(house.people[Role.ADMINISTRATOR], "Essai")
    context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    return context.new_page()


def harvest(house):
    run = house.parts.harvester().harvest_due()
    house.parts.sync()
    return run


def test_an_administrator_adds_a_centre_in_five_clicks(house, browser, home, there):
    page, clicks = administrator(house, browser, home), 0
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(home + LIST)
    page.click("text=Ajouter un centre")
    clicks += 1
    page.fill("#url", there)
    page.click("text=Essayer")
    clicks += 1
    page.wait_for_selector("text=3 notices à moissonner")
    assert page.input_value("#name") == NAME
    page.click("text=Ajouter et moissonner")
    clicks += 1
    assert clicks <= 5
    page.wait_for_selector(".state:has-text('en attente')")
    assert harvest(house).counts == {"new": 3}
    page.wait_for_selector(".harvest-now .state:has-text('à jour')", timeout=10_000)  # by itself
    assert "à jour" in page.locator("#annonce").inner_text()
    page.goto(f"{home}/reseau")
    page.click("text=Voir ses >> nth=0")
    page.wait_for_url(f"**/recherche?centre={CODE}")
    assert problems == []
    page.context.close()


def test_axe_finds_nothing_on_any_of_these_pages(house, browser, inspect, home, there):
    page = administrator(house, browser, home)
    for path in (LIST, f"{LIST}/nouvelle", "/reseau"):
        page.goto(home + path)
        inspect(page)
    page.goto(f"{home}{LIST}/nouvelle")
    page.fill("#url", "http://10.0.0.7/oai")
    page.click("text=Essayer")
    page.wait_for_selector("[role=alert]")
    inspect(page)
    page.fill("#url", there)
    page.click("text=Essayer")
    page.wait_for_selector("text=J’ai comparé cette empreinte")
    page.click("text=Autres réglages")
    inspect(page)
    page.click("text=Ajouter et moissonner")
    page.wait_for_selector(".state")
    inspect(page)
    harvest(house)
    id = page.url.rsplit("/", 1)[1]
    house.parts.sources.change(int(id), url="http://10.0.0.7/oai")
    house.parts.sources.ask_now(int(id))
    harvest(house)
    for path in (LIST, f"{LIST}/{id}", f"{LIST}/{id}/modifier", f"{LIST}/{id}/supprimer", "/reseau"):
        page.goto(home + path)
        if page.locator("main details").count():
            page.locator("main summary").first.click()
        inspect(page)
    house.parts.sources.pause(int(id), True)
    page.goto(f"{home}{LIST}/{id}")
    inspect(page)
    page.context.close()


def test_all_of_it_is_done_without_javascript_on_a_telephone(house, browser, home, there):
    page = administrator(
        house, browser, home, java_script_enabled=False, viewport={"width": 360, "height": 800}
    )
    page.goto(home + LIST)
    page.click("text=Ajouter un centre")
    page.fill("#url", there)
    page.click("text=Essayer")
    page.click("text=Ajouter et moissonner")
    assert page.locator("meta[http-equiv=refresh]").count() == 1
    harvest(house)
    page.reload()
    assert "à jour" in page.locator(".harvest-now").inner_text()
    page.click("text=Suspendre")
    assert "suspendue" in page.locator(".harvest-now").inner_text()
    page.click("text=Supprimer…")
    page.locator("label:has-text('Les retirer d’ici') input").check()
    page.click("text=Supprimer la source")
    assert "ses notices sont retirées" in page.locator("[role=status]").first.inner_text()
    assert house.parts.sources.all() == ()
    page.context.close()


def test_a_centre_is_added_and_suspended_by_keyboard_alone(house, browser, home):
    page = administrator(house, browser, home)
    with served(Repository(["Le port"])) as site:
        page.goto(f"{home}{LIST}/nouvelle")
        page.focus("#url")
        page.keyboard.type(f"{site}/catalogue")
        page.keyboard.press("Enter")
        page.wait_for_selector("#code")
        page.focus("#code")
        page.keyboard.press("Enter")  # what is filled in is right
        page.wait_for_selector(".harvest-now")
        harvest(house)
        page.wait_for_selector(".harvest-now .state:has-text('à jour')", timeout=10_000)
    page.focus("text=Moissonner maintenant")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Suspendre"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector(".harvest-now .state:has-text('suspendue')")
    page.context.close()


def test_a_page_that_renews_itself_leaves_the_button_that_somebody_is_at(house, browser, home):
    page = administrator(house, browser, home)
    with served(Repository(["Le port"])) as site:
        page.goto(f"{home}{LIST}/nouvelle")
        page.fill("#url", f"{site}/catalogue")
        page.keyboard.press("Enter")
        page.click("text=Ajouter et moissonner")
        page.wait_for_selector(".harvest-now .state:has-text('en attente')")
        page.focus("text=Suspendre")
        harvest(house)
        page.wait_for_selector(".harvest-now .state:has-text('à jour')", timeout=10_000)
    assert page.evaluate("document.activeElement.innerText") == "Suspendre"
    page.context.close()


def test_what_is_touched_is_large_enough(house, browser, home, there):
    page = administrator(house, browser, home, viewport={"width": 360, "height": 800})
    page.goto(f"{home}{LIST}/nouvelle")
    page.fill("#url", there)
    page.click("text=Essayer")
    page.click("text=Ajouter et moissonner")
    for path in (page.url, f"{home}/reseau", home + LIST):
        page.goto(path)
        for one in page.locator(TOUCHED).all():
            assert one.bounding_box()["height"] >= 23.5, (path, one.inner_text())
    page.context.close()
