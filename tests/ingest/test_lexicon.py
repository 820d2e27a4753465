from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import lexicon
from ingest.lexicon import Lexicon

PAGES = [
    "La commune du Morne-Vert et le conseil citoyen préparent le contrat avec la DEAL et les habitants.",
    "Le conseil citoyen du Morne-Vert donne son avis sur la rénovation du quartier, dit la DEAL.",
    "Avec la DEAL, le Morne-Vert ouvre une maison de quartier pour les associations et les familles.",
]


WORDS = """habitants HABITANTS rénovation renovation Préfet sous-préfet temps également XIX récemment
constamment directement aujourd aient très"""


@pytest.mark.parametrize("word", WORDS.split())
def test_french_is_known_whatever_its_case_and_accents(word: str) -> None:
    assert lexicon.base().knows(word)


@pytest.mark.parametrize("word", ["itique", "habi", "xqzt", "tablissement", "erment", ""])
def test_pieces_and_noise_are_not_known(word: str) -> None:
    assert not lexicon.base().knows(word)


def test_spelling_counts_accents() -> None:
    french = lexicon.base()
    assert french.spells("École")
    assert not french.spells("ecole")
    assert french.writes("déposer")
    assert not french.writes("deposer")


def test_names_and_acronyms_met_on_several_pages_are_words_of_the_fund() -> None:
    fund = Lexicon.of(PAGES)
    assert not lexicon.base().knows("deal") or fund.frequency("DEAL") == 3
    assert fund.knows("Morne")
    assert fund.knows("morne-vert") is lexicon.base().knows("morne-vert")
    assert fund.frequency("citoyen") == 2
    assert fund.frequency("Martinique") == 0
    assert fund.pages == 3


def test_a_word_counts_once_a_page_and_not_before_the_third_page() -> None:
    sentence = "La ville de Zorgbourg et ses habitants préparent le contrat de ville. "
    assert not Lexicon.of([sentence * 5, sentence]).knows("Zorgbourg")
    assert Lexicon.of([sentence * 5, sentence, sentence]).knows("zorgbourg")


def test_words_of_pages_in_pieces_or_of_noise_do_not_count() -> None:
    broken = "la pol itique de la vil le et les habi tants du quar tier en ré nova tion urb aine " * 2
    assert not Lexicon.of([broken] * 9).knows("itique")
    assert Lexicon.of([broken] * 9).pages == 0


def test_words_stuck_together_do_not_count() -> None:
    page = "La propriété voirieBordante de la classe décrit la voie qui borde la construction."
    assert not Lexicon.of([page] * 5).knows("voiriebordante")


def test_shares_are_of_words_and_unknown_ones_are_named() -> None:
    french = lexicon.base()
    assert french.known_share(["ville", "itique", "ville", "la"]) == 0.75
    assert french.known_share([]) == 0.0
    assert french.unknown_among({"ville", "vîlle", "itique"}) == {"itique"}


def test_the_base_is_loaded_once() -> None:
    lexicon.warm()
    assert lexicon.base() is lexicon.base()


def test_a_sample_is_always_the_same_and_of_words() -> None:
    sample = lexicon.base().sample(500)
    assert sorted(sample) == sorted(lexicon.base().sample(500))
    assert len(sample) > 300
    assert all(map(lexicon.base().knows, sample))


@given(st.text())
def test_any_text_may_be_asked(text: str) -> None:
    assert lexicon.base().knows(text) is lexicon.base().knows(text.lower())
    assert Lexicon.of([text]).frequency(text) in (0, 1)
