"""The ways out to other tools, in a real browser: axe, keyboard, without JavaScript."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

SEARCH = "/recherche?q=habitat"
NOTHING = "/recherche?q=xyzzyxyzzy"


def record(page, address: str) -> str:
    page.goto(address + SEARCH)
    return page.locator(".hit h2 a").first.get_attribute("href")


@pytest.mark.parametrize("path", [SEARCH, NOTHING, "record"])
def test_axe_finds_nothing_on_pages_with_files_and_feeds(browser, inspect, address, path):
    page = browser.new_context().new_page()
    page.route("**/image/**", lambda route: route.abort())
    page.goto(address + (record(page, address) if path == "record" else path))
    assert page.locator(".outputs a").count() >= 2
    inspect(page)
    page.context.close()


def test_links_of_files_are_large_enough_to_be_touched(browser, address):
    page = browser.new_context(viewport={"width": 360, "height": 800}).new_page()
    page.goto(address + SEARCH)
    for link in page.locator(".outputs a").all():
        assert link.bounding_box()["height"] >= 24
    page.context.close()


def test_a_file_is_fetched_by_keyboard_alone_and_without_javascript(browser, address):
    page = browser.new_context(java_script_enabled=False, accept_downloads=True).new_page()
    page.goto(address + record(page, address))
    page.locator(".outputs a").first.focus()
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename.endswith(".ris")
    page.context.close()


def test_what_is_said_to_machines_is_neither_shown_nor_read_aloud(browser, address):
    page = browser.new_context().new_page()
    page.goto(address + SEARCH)
    spans = page.locator("span.Z3988")
    assert spans.count() == page.locator(".hit").count() > 0
    for span in spans.all():
        assert span.get_attribute("aria-hidden") == "true"
        assert span.inner_text() == ""
        assert "ctx_ver=Z39.88-2004&ctx_enc=" in span.get_attribute("title")
    page.context.close()


def test_files_and_feeds_are_not_printed(browser, address):
    page = browser.new_context().new_page()
    page.goto(address + SEARCH)
    page.emulate_media(media="print")
    assert not page.locator(".outputs").is_visible()
    page.context.close()
