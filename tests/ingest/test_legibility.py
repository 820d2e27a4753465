from __future__ import annotations

import random

import pytest

from ingest.legibility import POOR, grade, is_spaced, judge
from kb.records import Quality

TEXT = (
    "Les habitants du quartier sont associés à la rénovation urbaine par le conseil citoyen, qui se réunit "
    "chaque trimestre. La commune, l’État et les bailleurs signent une convention pour cinq ans ; le préfet "
    "présente un bilan des actions, des crédits et des emplois créés dans le territoire. Les associations "
    "demandent que les travaux commencent par les écoles et que les espaces publics soient mieux éclairés."
)
SMALL = "abcdefghijklmnopqrstuvwxyz"


def turned(text: str, places: int) -> str:
    around = SMALL[places:] + SMALL[:places]
    return text.translate(str.maketrans(SMALL + SMALL.upper(), around + around.upper()))


def noisy(text: str, share: float) -> str:
    chance = random.Random(1)
    return "".join(
        chance.choice(SMALL + "|!.;") if c.isalpha() and chance.random() < share else c for c in text
    )


@pytest.mark.parametrize("places", range(1, 26))
def test_letters_put_for_others_are_noise(places: int) -> None:
    assert judge(turned(TEXT, places))[1] is Quality.GARBLED


@pytest.mark.parametrize(
    "text",
    [
        TEXT[::-1],
        "".join(chr(0xE000 + ord(c)) if c.isalpha() else c for c in TEXT),
        "".join(chr(ord(c) - 29) if c.isalpha() else c for c in TEXT),
        "\ufffd".join(TEXT),
        noisy(TEXT, 0.5),
        noisy(TEXT * 2, 0.35),
        "".join(random.Random(2).choice("#a$Bk&<z@[q]^w_{x|}~") if c.isalpha() else c for c in TEXT),
    ],
)
def test_noise_is_garbled(text: str) -> None:
    graded, quality = judge(text)
    assert quality is Quality.GARBLED
    assert graded < POOR


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.upper(),
        "The residents of the district are asked by the council before the works begin, which is the rule.",
        "Los habitantes del barrio son consultados por el municipio antes de que empiecen las obras.",
        "Moun katié-a ka palé épi komin-lan, yo ka di sa yo lé pou katié yo, épi sa nou ni pou fè ansanm.",
        "Die Bewohner des Viertels werden von der Gemeinde vor dem Beginn der Arbeiten befragt.",
        "你好世界 и ещё слова для проверки страницы на другом языке и другими буквами, без шума",
        "Mme MARIE-SAINTE Josiane, M. LARCHER Yvon, M. JEAN-BAPTISTE Édouard, Mme ZOBDA Lucie, M. NGUYEN Van",
        "Fort-de-France 84 174 ; Le Lamentin 40 553 ; Schœlcher 20 171 ; Ducos 17 655 ; Macouba 1 068",
        "CUCS GUP PRE CLAS ANRU ACSE DSU CLSPD DRJSCS FIPD ZUS ZFU QPV HLM CCAS EPCI",
        "2009 12,5 % 1 234 567 T1 T2 T3 km² hab/km² 45 67 89 RP99 ZUS IRIS nb % 2010 2011 2012",
        "idZone typePsc codeInsee nomZone libelle statut dateValid urlFic nomFic typeDoc",
        "https://www.exemple.fr/documents/guide.pdf https://data.exemple.fr/api/v2/?id=45&x=1 www.ville.fr",
    ],
)
def test_languages_names_and_tables_are_not_noise(text: str) -> None:
    graded, quality = judge(text)
    assert quality is Quality.GOOD
    assert graded >= POOR


def test_french_has_the_best_grade_and_the_more_noise_the_less() -> None:
    assert grade(TEXT) == 1.0
    grades = [grade(noisy(TEXT * 2, share)) for share in (0.0, 0.2, 0.3, 0.5)]
    assert grades[0] == 1.0
    assert max(grades[1:]) < 0.6
    assert grades[-1] == min(grades) < 0.3


def test_nothing_is_empty() -> None:
    assert judge("") == judge(" \n") == (0.0, Quality.EMPTY)
    assert judge("12")[1] is Quality.GOOD


def test_words_in_pieces_are_split() -> None:
    pieces = " ".join(word[:2] + " " + word[2:] if len(word) > 3 else word for word in TEXT.split())
    spaced = " ".join(c for c in TEXT if c.isalpha())
    assert judge(pieces)[1] is judge(spaced)[1] is Quality.SPLIT
    assert is_spaced(spaced)
    assert not is_spaced(pieces)
    assert not is_spaced(TEXT)


def test_a_doubtful_recognition_lowers_the_grade() -> None:
    assert judge(TEXT, 0.9) == (0.9, Quality.GOOD)
    assert judge(TEXT, 0.4) == (0.4, Quality.GARBLED)
    assert judge("", 0.9) == (0.0, Quality.EMPTY)
