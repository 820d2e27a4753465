"""The import of a log and the pages of those who ask, in a real browser: axe, keyboard, no JavaScript."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.accounts import Role
from kb.questions import Asked
from web import question_import

pytestmark = pytest.mark.browser

LOG = (
    "N°;Date de la demande;Canal;Objet de la demande;Thème;Date réponse;Réponse;Nom\n"
    "1;04/03/2019;Tél.;Quelle aide pour un jardin partagé {tag} ?;Magie;06/03/2019;Voici.;Ondine Zwyx\n"
    "2;05/03/2019;mail;Une autre question {tag};;;;\n"
    "3;bientôt;mail;Une question sans date {tag};;;;\n"
)


@pytest.fixture
def log(tmp_path: Path):
    def made(tag: str) -> Path:
        path = tmp_path / "registre.csv"
        path.write_text(LOG.format(tag=tag), encoding="utf-8")
        return path

    return made


def signed_in(house, browser, home, role, **options):
    context = browser.new_context(**options)
    token = house.parts.sessions.open(house.people[role], "Essai")
    context.add_cookies([{"name": "carbet", "value": token, "url": home, "httpOnly": True}])
    return context.new_page()


def test_axe_finds_nothing_from_the_file_to_the_report(house, browser, inspect, home, log):
    page = signed_in(house, browser, home, Role.ANSWERER)
    page.goto(home + "/guichet/import")
    inspect(page)
    page.set_input_files("#journal", log("axe"))
    page.click("text=Continuer")
    inspect(page)
    page.select_option("[name=colonne-1]", "")
    page.click("button[value=importer]")
    assert page.locator("[role=alert]").is_visible()
    inspect(page)
    page.select_option("[name=colonne-1]", "received")
    page.click("button[value=importer]")
    assert page.locator("h1").inner_text() == "L’import est fini"
    inspect(page)
    page.context.close()


def test_axe_finds_nothing_on_the_pages_of_those_who_ask(house, browser, inspect, home):
    asker = house.parts.askers.known("zwyx@exemple.fr", "Ondine Zwyx", "0696 98 76 54")
    house.parts.desk.receive(Asked(text="Une question d’Ondine ?"), asker)
    house.parts.privacy.erase(house.parts.askers.known("parti@exemple.fr"))
    page = signed_in(house, browser, home, Role.DIRECTOR)
    page.goto(home + "/demandeurs")
    inspect(page)
    page.fill("#who", "zwyx")
    page.press("#who", "Enter")
    inspect(page)
    page.click("text=Ondine Zwyx")
    inspect(page)
    page.goto(home + "/donnees-personnelles")
    inspect(page)
    page.context.close()


def test_a_log_comes_in_by_keyboard_alone_and_goes_on_by_itself(house, browser, home, log, monkeypatch):
    monkeypatch.setattr(question_import, "PORTION_SECONDS", 0.0)
    monkeypatch.setattr("kb.former_log._PORTION", 1)
    page = signed_in(house, browser, home, Role.ANSWERER)
    page.goto(home + "/guichet/import")
    page.set_input_files("#journal", log("clavier"))
    page.focus("#journal")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/guichet/import/*")
    page.focus("#nom")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=L’import est fini", timeout=15_000)
    assert "2\u00a0questions importées sur 2" in page.inner_text("#ou-en-est")
    page.context.close()


def test_without_script_a_button_goes_on(house, browser, home, log, monkeypatch):
    monkeypatch.setattr(question_import, "PORTION_SECONDS", 0.0)
    monkeypatch.setattr("kb.former_log._PORTION", 1)
    page = signed_in(house, browser, home, Role.ANSWERER, java_script_enabled=False)
    page.goto(home + "/guichet/import")
    page.set_input_files("#journal", log("sans script"))
    page.click("text=Continuer")
    page.click("button[value=importer]")
    assert page.locator("h1").inner_text() == "L’import avance"
    page.click("text=Continuer l’import")
    assert page.locator("h1").inner_text() == "L’import est fini"
    with page.expect_download() as download:
        page.click("text=Télécharger ces lignes")
    assert download.value.suggested_filename == "lignes-laissees-de-cote.csv"
    page.click("text=J’ai fini")
    assert (
        "Le fichier est effacé" in page.inner_text("main")
        or page.locator("text=Le fichier est effacé").count()
    )
    page.context.close()


def test_somebody_is_erased_by_keyboard_without_script(house, browser, home):
    asker = house.parts.askers.known("efface@exemple.fr", "Efface Moi")
    page = signed_in(house, browser, home, Role.DIRECTOR, java_script_enabled=False)
    page.goto(f"{home}/demandeurs/{asker}")
    page.focus("#sure")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/demandeurs")
    assert house.parts.askers.by_email("efface@exemple.fr") is None
    page.context.close()
