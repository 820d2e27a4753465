"""Key words of other centres in a real browser: axe, keyboard alone, no JavaScript."""

from __future__ import annotations

from itertools import count

import pytest

from kb.accounts import Role
from kb.alignments import Meaning, Standing, Way, Words
from kb.mirrors import Origin
from kb.records import Record
from kb.sharing import Shared

pytestmark = pytest.mark.browser

_NUMBERS = count(1)


def signed_in(house, browser, home, **options):
    context = browser.new_context(**options)
    token = house.parts.sessions.open(house.people[Role.LIBRARIAN], "Essai")
    context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    return context.new_page()


@pytest.fixture
def themes(house):
    return [c for c in house.parts.thesaurus.concepts("themes") if len(c.label) > 8][:4]


@pytest.fixture
def waiting(house, themes):
    """Words of each kind that wait, by how they are said."""
    parts, number = house.parts, next(_NUMBERS)
    meanings = {
        f"Un libellé {number}": Meaning(concept=themes[0].uri, way=Way.LABEL, score=1.0),
        f"Presque {number}": Meaning(concept=themes[1].uri, way=Way.NEAR, score=0.91),
        f"Ensemble {number}": Meaning(concept=themes[2].uri, way=Way.TOGETHER, score=0.62),
        f"Inconnu, et long d’au moins quelques mots {number}": Meaning(concept=None, way=Way.NONE),
    }
    met = Words(parts.store, meanings.__getitem__)
    with parts.store.transaction():
        for place in range(4, 0, -1):  # the first word is on the most records, and so on top
            said = tuple(meanings)[:place]
            id = f"labo:{next(_NUMBERS)}"
            origin = Origin(centre="labo", source=1, identifier=id, datestamp="2026-01-01")
            record = Record(id=id, title="Le retour à l’école", keywords=said)
            parts.mirrors.keep(Shared(record), origin, local=met.meet("labo", said))
        met.flush()
    yield tuple(meanings)
    for standing in (Standing.WAITING, Standing.ACCEPTED, Standing.REFUSED):
        for line in parts.alignments.listed(standing, 100):
            parts.alignments.decide(line.id, Standing.REFUSED)


def standing(house, word: str) -> tuple[Standing, str | None]:
    found = [line for each in Standing for line in house.parts.alignments.listed(each, 1000)]
    return next((line.standing, line.meaning.concept) for line in found if line.said == word)


def focused(page) -> str:
    """The word that has the focus, once there is one."""
    page.wait_for_function("document.activeElement.matches('[data-word]')")
    return page.evaluate("document.activeElement.querySelector('h2').innerText")


def test_axe_finds_nothing_on_key_words(house, browser, inspect, home, waiting):
    page = signed_in(house, browser, home)
    page.goto(home + "/mots-cles?etat=acceptes")
    inspect(page)
    page.goto(home + "/mots-cles")
    page.locator("summary").first.click()
    inspect(page)
    page.fill("[data-term] >> nth=0", "politique")
    page.locator("[data-term]").first.press("Enter")
    page.wait_for_selector(".fault")
    inspect(page)
    page.click("[data-key=a] >> nth=0")
    page.wait_for_selector("text=Annuler")
    inspect(page)
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    inspect(page)
    for place in ("acceptes", "refuses"):
        page.goto(f"{home}/mots-cles?etat={place}")
        inspect(page)
    page.context.close()


def test_words_are_decided_by_keys_one_after_the_other(house, browser, home, waiting, themes):
    page = signed_in(house, browser, home)
    page.goto(home + "/mots-cles")
    page.keyboard.press("j")
    assert focused(page) == waiting[0]
    page.keyboard.press("a")
    page.wait_for_url("**/mots-cles#mot-*")
    assert focused(page) == waiting[1]
    page.keyboard.press("j")
    page.keyboard.press("k")
    with page.expect_navigation():
        page.keyboard.press("r")
    assert focused(page) == waiting[2]
    page.keyboard.press("ArrowDown")
    assert focused(page) == waiting[3]
    page.keyboard.press("c")
    page.keyboard.type(themes[3].label)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert focused(page) == waiting[2]
    assert standing(house, waiting[0]) == (Standing.ACCEPTED, themes[0].uri)
    assert standing(house, waiting[1])[0] is Standing.REFUSED
    assert standing(house, waiting[3]) == (Standing.ACCEPTED, themes[3].uri)
    with page.expect_navigation():
        page.keyboard.press("u")
    assert standing(house, waiting[3]) == (Standing.WAITING, None)
    page.context.close()


def test_keys_do_nothing_in_a_field_nor_when_they_are_off(house, browser, home, waiting):
    page = signed_in(house, browser, home)
    page.goto(home + "/mots-cles")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type("ara")
    assert page.locator("[data-term]").first.input_value() == "ara"
    page.keyboard.press("Escape")
    assert focused(page) == waiting[0]
    page.uncheck("[data-keys-on]")
    page.keyboard.press("a")
    page.keyboard.press("u")
    assert standing(house, waiting[0])[0] is Standing.WAITING
    page.context.close()


def test_the_completion_offers_terms_of_the_thesaurus(house, browser, home, waiting, themes):
    page = signed_in(house, browser, home)
    page.goto(home + "/mots-cles")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type(themes[3].label[:6])
    page.wait_for_selector("#termes option", state="attached")
    offered = page.locator("#termes option").evaluate_all("some => some.map((one) => one.value)")
    assert any(term.startswith(themes[3].label[:6]) for term in offered)
    page.context.close()


def test_words_are_decided_without_javascript_on_a_phone(house, browser, home, waiting, themes):
    page = signed_in(house, browser, home, java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.goto(home + "/mots-cles")
    assert not page.locator("[data-keys]").is_visible()
    page.locator("[data-word] >> nth=0").locator("text=Accepter").click()
    assert waiting[0] in page.locator("[role=status]").first.inner_text()
    page.click("text=Annuler")
    assert standing(house, waiting[0])[0] is Standing.WAITING
    last = page.locator(f"[data-word]:has-text('{waiting[3]}')")
    last.locator("input[name=terme]").fill(themes[3].label)
    last.locator("text=Rapprocher >> nth=-1").click()
    assert standing(house, waiting[3]) == (Standing.ACCEPTED, themes[3].uri)
    page.click("text=Accepter ce mot")
    assert standing(house, waiting[0]) == (Standing.ACCEPTED, themes[0].uri)
    page.context.close()
