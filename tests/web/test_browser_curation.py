"""À valider in a real browser: axe, ten records by keyboard alone, the same task without JavaScript."""

from __future__ import annotations

import dataclasses

import pytest

from kb.accounts import Role
from kb.records import Origin, State

pytestmark = pytest.mark.browser


def librarian(house, browser, home, **options):
    context = browser.new_context(**options)
    token = house.parts.sessions.open(house.people[Role.LIBRARIAN], "Essai")
    context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    context.route("**/image/**", lambda route: route.abort())  # pages are left before their pictures are read
    return context.new_page()


def line(house, number=1):
    """The next records that wait and have themes to decide on."""
    held = [house.parts.store.get(review.record) for review in house.parts.reviews.waiting(100)]
    return [r for r in held if len([s for s in r.subjects if s.state is State.PROPOSED]) > 2][:number]


def themes(page):
    return page.locator("[data-proposal]")


def in_theme(page):
    """Which theme has the focus; -1 for none."""
    return page.evaluate(
        "[...document.querySelectorAll('[data-proposal]')].findIndex(e => e.contains(document.activeElement))"
    )


def test_axe_finds_nothing_on_the_list_a_record_and_its_removal(house, browser, inspect, home):
    page = librarian(house, browser, home)
    record = line(house)[0]
    doubtful = dataclasses.replace(record, agents=(), date=None, language="und", type="document")
    house.parts.store.save(doubtful)
    house.parts.reviews.open(record.id, {"title": "file name"})
    for path in ("", "?doute=titre", "?doute=themes", f"/{record.id}", f"/{record.id}/retirer"):
        page.goto(f"{home}/a-valider{path}")
        if page.locator("details").count():
            page.locator("summary").first.click()
        inspect(page)
    page.goto(f"{home}/a-valider/{record.id}")
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    inspect(page)
    page.context.close()


def test_axe_finds_nothing_on_what_was_not_right_and_on_both_values(house, browser, inspect, home):
    page = librarian(house, browser, home)
    record = line(house)[0]
    page.goto(f"{home}/a-valider/{record.id}")
    page.fill("#date", "vers 2010")
    page.fill("#theme", "CUCS")
    page.click("[value=add]")
    page.fill("#theme", "DSU")
    page.click("text=Valider et passer")
    assert page.locator("[role=alert]").is_visible()
    assert page.locator("input[name=added]").count() == 3
    inspect(page)
    page.goto(f"{home}/a-valider/{record.id}")
    page.fill("#title", "Mon titre")
    house.parts.store.save(dataclasses.replace(house.parts.store.get(record.id), title="Leur titre"))
    page.click("text=Valider et passer")
    assert "Leur titre" in page.locator("#title-note").inner_text()
    assert page.input_value("#title") == "Mon titre"
    inspect(page)
    page.context.close()


def test_ten_records_are_validated_by_keyboard_alone_and_the_last_one_is_taken_back(house, browser, home):
    page, ten = librarian(house, browser, home), line(house, 11)
    assert len(ten) == 11
    page.goto(f"{home}/a-valider/{ten[0].id}")
    for record in ten[:10]:
        assert page.url.split("/")[-1].replace("%3A", ":") == record.id
        chosen = themes(page).count()
        page.keyboard.press("j")
        for _ in range(chosen - 1):
            page.keyboard.press("a")
        assert in_theme(page) == chosen - 1
        page.keyboard.press("r")
        assert page.evaluate("document.activeElement.dataset.key") == "v"
        with page.expect_navigation():
            page.keyboard.press("v")
        held = house.parts.store.get(record.id).subjects
        assert [s.state for s in held].count(State.REFUSED) == 1
        assert State.PROPOSED not in [s.state for s in held]
        assert house.parts.reviews.get(record.id) is None
    assert ten[9].title[:20] in page.locator(".review-undo").inner_text()
    page.focus(".review-undo button")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.split("/")[-1].replace("%3A", ":") == ten[9].id
    assert house.parts.reviews.get(ten[9].id) is not None
    assert house.parts.store.get(ten[9].id).subjects == ten[9].subjects
    page.context.close()


def test_keys_move_decide_and_skip_but_never_while_somebody_types(house, browser, home):
    page, record = librarian(house, browser, home), line(house)[0]
    page.goto(f"{home}/a-valider/{record.id}")
    page.keyboard.press("t")
    page.keyboard.type(" rajvs? ")
    assert page.input_value("#title") == " rajvs? "
    page.keyboard.press("Escape")
    page.keyboard.press("a")  # no theme yet: only goes to the first
    assert in_theme(page) == 0
    assert themes(page).first.locator("[value=proposed]").is_checked()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("r")
    assert themes(page).nth(1).locator("[value=refused]").is_checked()
    assert in_theme(page) == 2
    page.keyboard.press("k")
    page.keyboard.press(" ")
    assert themes(page).nth(1).locator("[value=proposed]").is_checked()
    page.keyboard.press("e")
    assert page.is_checked("#rest")
    page.keyboard.press("Control+a")
    assert page.url.endswith(record.id)
    page.focus("body")
    with page.expect_navigation():
        page.keyboard.press("s")
    assert not page.url.replace("%3A", ":").endswith(record.id)
    assert house.parts.store.get(record.id) == record
    page.context.close()


def test_a_focused_control_is_not_hidden_by_the_bar_of_buttons(house, browser, home):
    page, record = librarian(house, browser, home, viewport={"width": 1280, "height": 700}), line(house)[0]
    page.goto(f"{home}/a-valider/{record.id}")
    for _ in range(themes(page).count()):
        page.keyboard.press("j")
        legend = page.evaluate(
            "document.activeElement.querySelector('legend').getBoundingClientRect().bottom"
            " <= document.querySelector('.review-bar').getBoundingClientRect().top"
        )
        assert legend
    page.context.close()


def test_single_keys_can_be_switched_off_and_stay_off(house, browser, home):
    page, record = librarian(house, browser, home), line(house)[0]
    page.goto(f"{home}/a-valider/{record.id}")
    page.uncheck("[data-keys-on]")
    page.reload()
    assert not page.is_checked("[data-keys-on]")
    for key in ("j", "t", "?", "v"):
        page.keyboard.press(key)
    assert in_theme(page) == -1
    assert not page.locator("dialog").is_visible()
    assert page.url.endswith(record.id)
    page.check("[data-keys-on]")
    page.keyboard.press("j")
    assert in_theme(page) == 0
    page.context.close()


def test_a_theme_is_completed_and_added_with_enter(house, browser, home):
    page, record = librarian(house, browser, home), line(house)[0]
    page.goto(f"{home}/a-valider/{record.id}")
    page.fill("#theme", "médiation cult")
    page.wait_for_selector("#termes option", state="attached")
    page.fill("#theme", page.locator("#termes option").first.get_attribute("value"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("input[name=added]").is_checked()
    with page.expect_navigation():
        page.keyboard.press("v")
    added = house.parts.store.get(record.id).subjects[-1]
    assert (added.origin, added.state) == (Origin.LIBRARIAN, State.ACCEPTED)
    page.context.close()


def test_the_whole_task_is_done_without_javascript(house, browser, home):
    options = {"java_script_enabled": False, "viewport": {"width": 360, "height": 800}}
    page, (first, second, third) = librarian(house, browser, home, **options), line(house, 3)
    page.goto(f"{home}/a-valider/{first.id}")
    assert not page.locator("[data-keys]").is_visible()
    assert not page.locator("dialog").is_visible()
    page.focus("[data-proposal] input:checked")
    page.keyboard.press("ArrowLeft")
    assert themes(page).first.locator("[value=refused]").is_checked()
    page.fill("#date", "mars 2011")
    page.fill("#theme", "DSU")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert themes(page).first.locator("[value=refused]").is_checked()
    page.locator("input[name=added]").first.check()
    page.fill("#theme", "")
    page.click("text=Valider et passer")
    held = house.parts.store.get(first.id)
    assert (held.date, held.subjects[-1].origin) == ("2011-03", Origin.LIBRARIAN)
    assert State.REFUSED in [s.state for s in held.subjects]
    page.click(".review-undo button")
    assert house.parts.store.get(first.id).date == first.date
    page.goto(home + "/a-valider")
    for record in (second, third):
        page.check(f"[name=record][value='{record.id}']")
    page.click("text=Accepter ce qui est proposé >> nth=0")
    assert "2\u00a0notices acceptées" in page.locator(".review-undo").inner_text()
    assert house.parts.reviews.get(second.id) is None
    page.context.close()


def test_the_tick_of_the_page_ticks_its_lines(house, browser, home):
    page = librarian(house, browser, home)
    page.goto(home + "/a-valider")
    lines = page.locator("[name=record]")
    page.check("[data-all]")
    assert page.locator("[name=record]:checked").count() == lines.count()
    lines.first.uncheck()
    assert page.evaluate("document.querySelector('[data-all]').indeterminate")
    page.context.close()


def test_nothing_is_refused_by_the_policy(house, browser, home):
    page, problems = librarian(house, browser, home), []
    page.context.unroute("**/image/**")
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    for path in ("", f"/{line(house)[0].id}"):
        page.goto(f"{home}/a-valider{path}", wait_until="networkidle")
    assert problems == []
    page.context.close()
