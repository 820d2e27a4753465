from __future__ import annotations

import random

import pytest

from ingest import lexicon
from ingest.legibility import judge
from ingest.lexicon import Lexicon
from ingest.rejoining import close_up, rejoin, rejoined
from kb.records import Page, Quality

FRENCH = lexicon.base()
TEXT = (
    "Le contrat de ville associe les habitants à la préparation du programme. Les conseils citoyens se "
    "réunissent quatre fois par an, et la commune présente chaque année un rapport sur la mise en œuvre des "
    "actions. Une partie des crédits soutient les associations de quartier, l’accompagnement scolaire et "
    "l’insertion des jeunes. Les bailleurs participent à la gestion urbaine de proximité."
)


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("la pol itique du logement", "la politique du logement"),
        ("les hab itants du quart ier", "les habitants du quartier"),
        ("Sous Licence O uverte", "Sous Licence Ouverte"),
        ("l’accom pagnement sco laire", "l’accompagnement scolaire"),
        ("LA PAROLE DES HABI TANTS", "LA PAROLE DES HABITANTS"),
        ("la sous-pré fecture est en rén ovation", "la sous-préfecture est en rénovation"),
    ],
)
def test_pieces_that_mean_nothing_are_joined(found: str, meant: str) -> None:
    assert rejoin(found, FRENCH) == meant


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "Le plan d action et d une manière l on parle de l ivresse",
        "A B C D E F : zones U et AU, lots a, b, c",
        "par ce que, en fin de, sur tout, plus tôt, la quelle, de poser, au tour",
        "M. Ti Moun et Mme De La Rue, Le Lamentin, Le Robert",
        "loi n° 2014-173, art. L. 302-5, il s’applique si l’on veut",
        "la capa de ozono y la política urbana de los barrios o de una ciudad",
        "training for a new job in the housing sector, as to its own protection",
    ],
)
def test_sound_text_stays_as_it_is(text: str) -> None:
    assert rejoin(text, FRENCH) == text


def test_a_word_must_have_its_accents() -> None:
    fund = Lexicon.of(["Les habitants peuvent déposer une demande à la commune."] * 40)
    assert rejoin("le xq de poser aux habi tants", fund, split=True) == "le xq de poser aux habitants"


def cut(text: str, share: float, seed: int) -> str:
    chance = random.Random(seed)

    def broken(word: str) -> str:
        at = chance.randrange(1, len(word)) if len(word) > 3 else 0
        return f"{word[:at]} {word[at:]}" if at and chance.random() < share else word

    return " ".join(map(broken, text.split(" ")))


@pytest.mark.parametrize("seed", range(5))
def test_most_of_a_text_cut_at_random_is_mended(seed: int) -> None:
    broken = cut(TEXT, 0.4, seed)
    mended = rejoin(broken, FRENCH)
    words = TEXT.split()
    lost = [sum(word not in text.split() for word in words) for text in (broken, mended)]
    assert lost[0] >= 8
    assert lost[1] <= 3


def test_letters_that_stand_alone_become_words() -> None:
    spaced = "l e s h a b i t a n t s p a r t i c i p e n t"
    assert rejoin(spaced, FRENCH) == "les habitants participent"


def test_two_blanks_between_words_in_spaced_letters_tell_them_apart() -> None:
    spaced = "P r o j e t  d e  v i l l e\nC o n t r a t  d u  L a m e n t i n\nh a b i t a n t s"
    closed = close_up(spaced, FRENCH)
    assert "Lamentin" in closed
    assert "Projet" in closed
    assert "habitants" in closed
    assert close_up("A B C D E", FRENCH) == "A B C D E"
    assert close_up("A B C D\nE F G H\nI J K L\nM N O P", FRENCH) == "A B C D\nE F G H\nI J K L\nM N O P"


def fund() -> Lexicon:
    return Lexicon.of(
        f"La commune du Lamentin et la ville voisine préparent le contrat de ville et le projet {n}."
        for n in range(12)
    )


def test_the_fund_decides_where_both_pieces_are_words() -> None:
    broken = "La vil le et les hab itants du quart ier ont un pro jet : la vil le du Lam entin."
    page = Page(1, broken, None, *judge(broken))
    (alone,), (mended,) = rejoined([page], FRENCH), rejoined([page], fund())
    assert "vil le" in alone.text
    assert "habitants du quartier" in alone.text
    assert mended.text == ("La ville et les habitants du quartier ont un projet : la ville du Lamentin.")


def test_a_second_stage_goes_on_where_the_first_ended_and_keeps_what_was_read() -> None:
    broken = "La vil le et les hab itants du quart ier ont un pro jet pour la vil le du Lam entin."
    (first,) = rejoined([Page(1, broken)], FRENCH)
    (second,) = rejoined([first], fund())
    assert first.raw == second.raw == broken
    assert second.text == "La ville et les habitants du quartier ont un projet pour la ville du Lamentin."
    assert second.quality is Quality.GOOD


def test_pages_that_need_nothing_are_the_same_pages() -> None:
    pages = (
        Page(1, TEXT),
        Page(2, "", quality=Quality.SCAN),
        Page(3, "pol itique xq", quality=Quality.GARBLED),
    )
    assert all(a is b for a, b in zip(rejoined(pages, fund()), pages, strict=True))


def test_where_nothing_tells_words_apart_the_page_stays_split() -> None:
    spaced = " ".join("".join(word for word in TEXT if word.isalpha()))
    graded, quality = judge(spaced)
    assert quality is Quality.SPLIT
    (mended,) = rejoined([Page(1, spaced, None, graded, quality)], FRENCH)
    assert "habitants" in mended.text
    assert mended.quality is Quality.SPLIT
    assert rejoined([mended], fund())[0].quality is Quality.SPLIT
