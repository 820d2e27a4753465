"""The figures of the service in a real browser: axe, keyboard alone, no JavaScript, and on paper."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from playwright.sync_api import Page

from kb.accounts import Role
from kb.questions import Asked, Channel, QuestionState
from kb.servicelog import StepKind

pytestmark = pytest.mark.browser

MARCH = datetime(2024, 3, 4, 14, tzinfo=UTC)
PATHS = ("/activite?annee=2024", "/activite?mois=1999-01", "/activite?de=non", "/activite/rapport?annee=2024")


@pytest.fixture(scope="module")
def asked(house) -> None:
    desk, thesaurus = house.parts.desk, house.parts.thesaurus
    themes = [one.code for one in thesaurus.top("themes")]
    territories = [one.code for one in thesaurus.concepts("territories") if one.code.startswith("C-972")]
    for n in range(40):
        at = MARCH + timedelta(days=5 * n)
        told = Asked(
            text="Quelle aide ?",
            themes=(themes[n % 14],) if n % 9 else (),
            channel=list(Channel)[n % 5],
            territory=territories[n % 20],
            actor="ACTEUR-elu" if n % 3 else None,
        )
        question = desk.receive(told, None, now=at)
        if n % 8 == 7:
            continue
        desk.move(question.id, QuestionState.IN_HAND, now=at)
        done = at + timedelta(days=n % 6)
        told_of_work = {"minutes": 15 * (n % 5), "effort": 1 + n % 6}
        desk.move(question.id, QuestionState.ANSWERED, kind=StepKind.ANSWERED, now=done, **told_of_work)
    for text in ("trottinette cargo", "sante mentale des jeunes", "regie de quartier"):
        for _ in range(3):
            house.parts.misses.note(text, MARCH.date())


def opened(house, browser, home, **options) -> Page:
    context = browser.new_context(**options)
    token = house.parts.sessions.open(house.people[Role.DIRECTOR], "Essai")
    context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    return context.new_page()


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(path, house, asked, browser, inspect, home):
    page = opened(house, browser, home)
    page.goto(home + path)
    for summary in page.locator("summary").all():
        if summary.is_visible():
            summary.click()
    inspect(page)
    page.context.close()


def test_a_time_is_chosen_and_a_chart_read_by_keyboard_alone(house, asked, browser, home):
    page = opened(house, browser, home)
    page.goto(home + "/activite")
    page.focus("text=Autre période")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "de"
    page.keyboard.type("03012024")  # each part in turn, as the field has them in English
    page.focus("#a")
    page.keyboard.type("03312024")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("de=2024-03-01&a=2024-03-31"))
    assert page.locator(".activity-tiles strong").first.inner_text() == "6"
    page.focus(".activity-charts summary >> nth=0")
    page.keyboard.press("Enter")
    assert page.locator(".activity-charts table").first.is_visible()
    page.context.close()


def test_everything_is_there_without_javascript(house, asked, browser, home):
    page = opened(house, browser, home, java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.goto(home + "/activite?annee=2024")
    assert page.locator(".activity-charts .chart-narrow").count() == 6
    assert page.locator(".activity-phone svg.chart-narrow").is_visible()
    page.click("text=Rapport à imprimer")
    assert page.locator("h1").inner_text() == "Rapport d’activité du service questions-réponses"
    assert page.locator("#imprimer").is_hidden()
    assert page.locator("text=la commande Imprimer de votre navigateur").is_visible()
    page.context.close()


def test_the_button_prints_where_there_is_script(house, asked, browser, home):
    page, problems = opened(house, browser, home), []
    page.on("console", lambda message: problems.append(message.text))
    page.add_init_script("window.print = () => { window.printed = true; }")
    page.goto(home + "/activite/rapport?annee=2024")
    page.click("#imprimer")
    assert page.evaluate("window.printed")
    assert problems == []
    page.context.close()


def test_a_grid_fits_each_width(house, asked, browser, home):
    page = opened(house, browser, home)
    page.goto(home + "/activite?annee=2024")
    for width in (360, 600, 899, 999, 1000, 1100, 1280, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        grids = [
            one for one in page.locator("[class^=activity-] svg:has(.chart-cell)").all() if one.is_visible()
        ]
        drawn = [one for one in grids if one.get_attribute("class") != "chart-swatch"]
        assert len(drawn) == 1, width
    page.context.close()


def test_nothing_of_the_report_is_cut_on_a4(house, asked, browser, home, tmp_path: Path):
    page = opened(house, browser, home)
    page.goto(home + "/activite/rapport?annee=2024")
    with pdfium.PdfDocument(page.pdf(prefer_css_page_size=True)) as report:
        assert [round(side) for side in report[0].get_size()] == [595, 842]  # A4, in points
        sheets = [sheet.get_textpage().get_text_bounded() for sheet in report]
    told = "\n".join(sheets)
    for words in (
        *("Ville Caraïbe", "L’essentiel", "Le détail", "Questions reçues chaque mois", "Territoires"),
        *("Documents du fonds", "Recherches sans résultat", "Comment ces chiffres sont comptés"),
        *("trottinette cargo", "Reference Effort", "Établi le"),
    ):
        assert words in told, words
    assert all(len(sheet.split()) > 30 for sheet in sheets), "no sheet is left nearly empty"
    assert "Rechercher" not in told, "the head of the site is not printed"
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 672, "height": 900})  # 178 mm at 96 dots an inch
    assert page.evaluate("document.documentElement.scrollWidth <= 672")
    wider = "e => e.getBoundingClientRect().right > 673"
    assert page.evaluate(f"[...document.querySelectorAll('.report *')].filter({wider}).length") == 0
    page.context.close()
