from __future__ import annotations

import pytest

from ingest import lexicon
from ingest.characters import mend_accents, mend_encoding, mend_font

FRENCH = lexicon.base()
TEXT = (
    "Les habitants du quartier sont associés à la rénovation.\n"
    "Le conseil citoyen présente un projet à la commune,\n"
    "et la région soutient la création de logements près du littoral."
)


def moved(text: str, by: int) -> str:
    return "".join(c if c in "\n " else chr(ord(c) + by) for c in text)


@pytest.mark.parametrize("by", [1, -3, 5, 0xF000, 0xE000, 31])
def test_a_font_whose_characters_are_moved_is_moved_back(by: int) -> None:
    assert mend_font(moved(TEXT, by), FRENCH) == TEXT


def test_numbers_of_glyphs_are_read_in_the_order_of_the_post_table() -> None:
    numbers = {" ": "\x03", "é": "\x70", "à": "\x6a", "è": "\x71", ",": "\x0f", ".": "\x11", "\n": "\n"}
    glyphs = "".join(numbers.get(c) or chr(ord(c) - 29) for c in TEXT)
    assert "KDELWDQWV" in glyphs
    assert mend_font(glyphs, FRENCH) == TEXT


def test_letters_turned_around_the_alphabet_are_turned_back() -> None:
    small = "abcdefghijklmnopqrstuvwxyz"
    turned = TEXT.translate(
        str.maketrans(small + small.upper(), small[13:] + small[:13] + small[13:].upper() + "ABCDEFGHIJKLM")
    )
    assert mend_font(turned, FRENCH) == TEXT


def test_only_the_lines_that_are_moved_are_moved_back() -> None:
    sound = "Le présent rapport est public.\n" * 3
    assert mend_font(sound + moved(TEXT, 7), FRENCH) == sound + TEXT


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "zkxqv pfrtg wlmnh bdkzz qqrst vvwxk jjhgf ttrpl mnbvc xzsdf kjhgt plokm",
        "Los vecinos del barrio quieren que el municipio les pregunte antes de las obras de la plaza mayor",
        moved("Un mot", 1),
        "",
    ],
)
def test_what_no_number_makes_french_stays(text: str) -> None:
    assert mend_font(text, FRENCH) == text


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_utf8_read_as_another_encoding_is_read_again(encoding: str) -> None:
    assert mend_encoding(TEXT.encode().decode(encoding), FRENCH) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "« Ã© » se lit « é »",
        "A ORGANIZAÇÃO DA REGIÃO, SÃO JOÃO",
        "prix : 12 €, 30 °C, n° 4",
        "Ã© Ã© Ã© bof Ã",
    ],
)
def test_an_encoding_is_not_guessed(text: str) -> None:
    assert mend_encoding(text, FRENCH) in (text, text.replace("Ã©", "é"))
    assert text != "« Ã© » se lit « é »" or mend_encoding(text, FRENCH) == text


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("une e ´cole, une ´ecole et l’e´cole", "une école, une école et l’école"),
        ("la r´enovation, la re´novation, la re ´novation", "la rénovation, la rénovation, la rénovation"),
        ("la cite ´ des ´etudes", "la cité des études"),
        ("c¸a, la fac¸on, la fa¸con", "ça, la façon, la façon"),
        ("voil`a l’´egalit´e, cr´e´ee", "voilà l’égalité, créée"),
        ("o`u est l’´etat", "où est l’état"),
        ("a ` la cit´e", "à la cité"),
        ("le maˆıtre, na¨ıf, l’ˆage", "le maître, naïf, l’âge"),
        ("E ´TAT, H´ET´EROG`ENE", "ÉTAT, HÉTÉROGÈNE"),
        ("d´ebat, cit´e et march´e de St´ephane", "débat, cité et marché de Stéphane"),
        ("e \u0301cole et \u0301ecole", "école et école"),
    ],
)
def test_accents_find_their_letter(found: str, meant: str) -> None:
    assert mend_accents(found, FRENCH) == meant


@pytest.mark.parametrize(
    "text",
    ["`code` et `a = e`", "5´ et 6´", "x ¨ y, ^e", "l´homme", "St´ephane", "é ´ à", "´ " * 40, "e´" * 30],
)
def test_accents_that_spell_no_word_stay(text: str) -> None:
    assert mend_accents(text, FRENCH) == text
