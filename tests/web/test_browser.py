"""The pages in a real browser: what axe says, and the main task by keyboard alone and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SEARCH = "/recherche?q=médiation"
NOTHING = "/recherche?q=zzyzx+quantique"


def open_page(browser: Browser, address: str, path: str, **context) -> Page:
    page = browser.new_context(**context).new_page()
    assert page.goto(address + path).status in (200, 404)
    return page


def first_record(browser: Browser, address: str) -> str:
    page = open_page(browser, address, SEARCH)
    return page.locator(".hit h2 a").first.get_attribute("href")


def first_passage(browser: Browser, address: str) -> str:
    page = open_page(browser, address, SEARCH)
    return page.locator(".passages .pagechip").first.get_attribute("href")


PAGES = ("home", "results", "chosen", "nothing", "record", "page", "facet", "themes", "help", "lost")


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_overflows(browser, inspect, address, name):
    paths = {
        "home": lambda: "/",
        "results": lambda: SEARCH,
        "chosen": lambda: SEARCH + "&support=electronic&annee=2008-2012",
        "nothing": lambda: NOTHING,
        "record": lambda: first_record(browser, address),
        "page": lambda: first_passage(browser, address),
        "facet": lambda: "/facette/territoire?q=médiation",
        "themes": lambda: "/themes",
        "help": lambda: "/aide",
        "lost": lambda: "/nulle-part",
    }
    page = open_page(browser, address, paths[name]())
    inspect(page)
    page.context.close()


def test_a_search_is_done_by_keyboard_alone(browser, address):
    page = open_page(browser, address, "/")
    page.keyboard.type("mediation scolaire")
    page.keyboard.press("Enter")
    page.wait_for_url("**/recherche?q=mediation+scolaire")
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('pagechip')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/page/**")
    assert page.locator(".pagetext mark").count() > 0
    page.context.close()


def test_a_search_is_done_without_javascript(browser, address):
    page = open_page(browser, address, "/", java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.fill("#q", "évaluation CUCS")
    page.click(".hero button")
    assert page.locator(".hit").count() > 0
    page.click(".filterbar a")
    page.locator(".facet a.value").first.click()
    assert page.locator(".chip").count() == 1
    page.locator(".passages .pagechip").first.click()
    assert page.locator(".pagetext mark").count() > 0
    page.context.close()


def test_nothing_is_asked_of_another_server_and_nothing_is_refused_by_the_policy(browser, address):
    context = browser.new_context()
    page = context.new_page()
    asked, problems = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    for path in ("/", SEARCH, first_record(browser, address), first_passage(browser, address)):
        page.goto(address + path, wait_until="networkidle")
    assert [url for url in asked if not url.startswith(address)] == []
    assert problems == []
    context.close()


def test_the_first_page_of_results_is_light(browser, address):
    page = browser.new_context().new_page()
    sizes = {}

    def note(response):
        if response.request.resource_type in ("document", "stylesheet", "script"):
            sizes[response.url] = len(response.body())

    page.on("response", note)
    page.goto(address + SEARCH, wait_until="networkidle")
    assert len(sizes) == 2
    assert sum(sizes.values()) < 150_000  # uncompressed; compressed it is a quarter of that
    page.context.close()
