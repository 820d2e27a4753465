from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cleaning import clean, clean_pages, grade, has_text, language, storable
from kb.records import Page, Quality


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("effi\ufb03cace", "effifficace"),
        ("la réno-\nvation", "la rénovation"),
        ("la réno\ufffe\r\nvation", "la rénovation"),
        ("la réno\u00ad\nvation", "la rénovation"),
        ("Saint-\nJoseph", "Saint-\nJoseph"),
        ("2009-\n2010", "2009-\n2010"),
        ("2009\ufffe\n2010", "2009-\n2010"),
        ("inter-\nnational", "international"),
        ("INTER-\nNATIONAL", "INTERNATIONAL"),
        ("sous-\npréfet", "sous-\npréfet"),
        ("Fort-\nde-France", "Fort-\nde-France"),
        ("Fort-de-\nFrance", "Fort-de-\nFrance"),
        ("Saint\ufffeBrieuc", "Saint-\nBrieuc"),
        ("la réno\ufffevation", "la rénovation"),
        ("la sous\ufffe\r\ndirection", "la sous-\ndirection"),
        ("socio-\nculturel", "socioculturel"),
        ("c’est-\nà-dire, dit-\nil", "c’est-\nà-dire, dit-\nil"),
        ("Jaley-\nrac", "Jaleyrac"),
        ("le CNIG-\nSRU", "le CNIG-\nSRU"),
        ("fin -\ndébut", "fin -\ndébut"),
        ("fin\ufffe", "fin"),
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


SENTENCE = "Les habitants du quartier sont associés à la rénovation, et la commune présente un projet."


def test_what_was_read_is_kept_where_more_than_typesetting_changed() -> None:
    plain, broken, shifted = clean_pages(
        [
            Page(1, f"La ville,\r\n  ﬁn  de la réno-\r\nvation. {SENTENCE}"),
            Page(2, f"La pol itique.\u0000 {SENTENCE}"),
            Page(3, "".join(chr(ord(c) + 3) if c > " " else c for c in SENTENCE)),
        ]
    )
    assert plain.raw is None
    assert (broken.text, broken.raw) == (f"La politique. {SENTENCE}", f"La pol itique. {SENTENCE}")
    assert shifted.text == SENTENCE
    assert shifted.raw is not None
    assert shifted.raw.startswith("Ohv kde")
    assert {page.quality for page in (plain, broken, shifted)} == {Quality.GOOD}


def test_what_a_running_head_took_away_is_kept_in_the_raw_text() -> None:
    first = clean_pages(book(5))[0]
    assert "Cahier n° 1" not in first.text
    assert first.raw == book(5)[0].text


def test_raw_text_that_the_reader_gave_stays() -> None:
    assert clean_pages([Page(1, "La pol itique", raw="as read")])[0].raw == "as read"


def test_a_scan_stays_a_scan_until_it_has_text() -> None:
    scan, read, blank = clean_pages(
        [
            Page(1, "", quality=Quality.SCAN),
            Page(2, SENTENCE, quality=Quality.SCAN, recognised=0.8),
            Page(3, " \n"),
        ]
    )
    assert (scan.quality, scan.grade) == (Quality.SCAN, 0.0)
    assert (read.quality, read.grade) == (Quality.GOOD, 0.8)
    assert (blank.quality, blank.raw) == (Quality.EMPTY, None)


def test_the_words_of_a_document_mend_its_own_pages_in_pieces() -> None:
    names = ("Nord", "Sud", "Est", "Ouest", "Centre", "Bourg", "Plage", "Morne")
    line = "{}.\nLa ville de Zorgbourg et la ville voisine, {}, ont le projet de la ville basse.\n{} !"
    whole = [Page(n, line.format(name, name, name)) for n, name in enumerate(names, start=1)]
    broken = (
        "le s hab itants de Zorg bourg et de la vil le ba sse o nt un pro jet de vil le po ur le s je unes"
    )
    last = clean_pages([*whole, Page(9, broken)])[-1]
    assert last.text.startswith("les habitants de Zorgbourg et de la ville basse ont un projet de ville")
    assert last.raw == broken


@given(st.lists(st.text(), max_size=4))
def test_any_pages_may_be_cleaned(texts: list[str]) -> None:
    pages = clean_pages([Page(n, text) for n, text in enumerate(texts, start=1)])
    assert [page.number for page in pages] == list(range(1, len(texts) + 1))
    for page in pages:
        assert 0 <= page.grade <= 1
        assert (page.quality is Quality.EMPTY) == (not page.text)
        assert page.raw is None or page.raw == storable(page.raw)


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
