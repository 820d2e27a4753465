from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cleaning import clean, clean_pages, grade, has_text, language
from kb.records import Page


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("effi\ufb03cace", "effifficace"),
        ("la réno-\nvation", "la rénovation"),
        ("la réno\ufffe\r\nvation", "la rénovation"),
        ("la réno\u00ad\nvation", "la rénovation"),
        ("Saint-\nJoseph", "Saint-\nJoseph"),
        ("2009-\n2010", "2009-\n2010"),
        ("e\u0301cole", "école"),
        ("un  mot\t\tet  l’autre ", "un mot et l’autre"),
        ("l’un\n\n\n\n\nl’autre", "l’un\n\nl’autre"),
        ("\ufefftexte\u200b caché", "texte caché"),
        ("combien\u00a0?", "combien\u00a0?"),
    ],
)
def test_what_typesetting_left_is_taken_away(found: str, meant: str) -> None:
    assert clean(found) == meant


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


def book(count: int) -> list[Page]:
    return [
        Page(n, f"Cahier n° 1 – Les jeunes\nTexte de la page {one}\nsuite {two}\nVille Caraïbe {n} / {count}")
        for n, one, two in zip(range(1, count + 1), "bcdef", "lmnop", strict=False)
    ]


def test_running_heads_and_page_numbers_are_dropped() -> None:
    assert [page.text for page in clean_pages(book(5))] == [
        f"Texte de la page {first}\nsuite {second}" for first, second in zip("bcdef", "lmnop", strict=True)
    ]


def test_a_line_that_comes_back_in_a_short_document_stays_unless_it_is_numbered() -> None:
    assert clean_pages(book(2))[0].text == "Cahier n° 1 – Les jeunes\nTexte de la page b\nsuite l"


def test_bare_page_numbers_are_dropped_whatever_their_form() -> None:
    forms = ["- {} -", "Page {}", "{}", "{}/6", "p. {}", "{} sur 6"]
    pages = [Page(n, f"Texte {'abcdef'[n]} différent\n{forms[n].format(n)}") for n in range(6)]
    assert all("différent" in page.text and page.text.count("\n") == 0 for page in clean_pages(pages))


def test_numbers_and_labels_of_pages_stay() -> None:
    page = clean_pages([Page(1, "texte", "iv")])[0]
    assert (page.number, page.label) == (1, "iv")


def test_plain_french_has_the_best_grade_and_noise_a_poor_one() -> None:
    assert grade("La politique de la ville en Martinique, de 2007 à 2014.") == 1.0
    assert grade("") == 0.0
    assert grade("\ufffd\ufffd\ufffd d\ufffd\ufffd \ue000\ue001") < 0.3
    assert grade("Ghsdl fjQkLm Zxcvb PqRsT wrtpl mnbvc") < 0.4


def test_acronyms_and_other_scripts_are_not_noise() -> None:
    assert grade("Le CLSPD et la DRJSCS financent le FIPD.") == 1.0
    assert grade("你好世界 и ещё слова") == 1.0


def test_a_page_number_alone_is_no_text() -> None:
    assert not has_text(" 12 ")
    assert has_text("page 1")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Les habitants du quartier sont consultés par la commune avant que les travaux commencent.", "fr"),
        ("The people of the district are asked by the council before the works begin.", "en"),
        ("Los habitantes del barrio son consultados por el municipio antes de que empiecen las obras.", "es"),
        ("Os moradores do bairro são consultados pela câmara antes que as obras comecem.", "pt"),
        ("Moun katié-a ka palé épi komin-lan, yo ka di sa yo lé pou katié yo, épi sa nou ni pou fè.", "gcf"),
    ],
)
def test_languages_are_told_apart(text: str, code: str) -> None:
    assert language(text) == code


def test_no_language_is_named_when_unsure() -> None:
    assert language("CUCS GUP PRE CLAS ANRU") is None
    assert language("oui") is None
