import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import french


@pytest.mark.parametrize(
    "form", ["École", "l'école", "l’école", "écoles", "ECOLES", "d’Écoles", "e\u0301cole"]
)
def test_forms_of_one_word_are_one_term(form):
    assert french.terms(form) == french.terms("ecole") != [""]


def test_dotted_acronym_is_the_acronym():
    assert french.terms("le C.U.C.S. de 2008") == ["", "cucs", "", "2008"]


@settings(deadline=None)  # the first word loads the table of lemmas
@given(st.text())
def test_tokens_and_terms_agree_and_offsets_fit(text):
    found = french.tokens(text)
    assert [t.term for t in found] == french.terms(text)
    for token in found:
        assert unicodedata.normalize("NFC", text[token.start : token.end].lower()) == token.form


@settings(deadline=None)  # the first word loads the table of lemmas
@given(st.text(alphabet="ab.\n \u00e9", max_size=8_000))
def test_passages_lose_nothing_but_white_space(text):
    cut = french.passages(text)
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert all(cut)
    assert all(len(passage) <= 2_600 for passage in cut)


def test_passages_end_with_paragraphs():
    text = "\n\n".join(f"{n} " + "mot " * 200 for n in range(9))
    assert all(passage[0].isdigit() for passage in french.passages(text))


@pytest.mark.parametrize(
    "forms",
    [
        ("médiateur", "médiatrices", "MEDIATEURS"),
        ("local", "locaux", "locales"),
        ("évaluer", "évaluation", "évaluée", "évaluaient"),
        ("délégué", "déléguée", "délégués"),
        ("gratuit", "gratuite", "gratuité", "gratuitement"),
        ("œil", "oeil", "yeux"),
        ("nouveau", "nouvelles"),
        ("cœur", "coeurs"),
        ("bail", "baux"),
    ],
)
def test_inflections_and_family_of_a_word_are_one_term(forms):
    assert len({french.term(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("commune", "communisme"),
        ("commune", "communauté"),
        ("département", "départ"),
        ("parlement", "parler"),
        ("université", "univers"),
        ("port", "porte"),
        ("social", "socialisme"),
        ("habitat", "habit"),
        ("formation", "forme"),
        ("conseil", "conseiller"),
    ],
)
def test_words_that_only_look_alike_stay_apart(one, other):
    assert french.term(one) != french.term(other)


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("Fort-de-France", ["fort", "", "france"]),
        ("1 234 habitants", ["1234", "habitant"]),
        ("jusqu’à l’île", ["", "ile"]),
        ("aujourd’hui", ["aujourdhui"]),
        ("n° 12", ["", "12"]),
        ("a_b contact@ville.fr", ["", "b", "contact", "ville", "fr"]),
        ("O'Connor", ["o", "connor"]),
    ],
)
def test_words_are_cut_as_the_french_write_them(typed, terms):
    assert french.terms(typed) == terms


@settings(deadline=None)
@given(st.text(alphabet="éÉœŒàç'’ abcs-", max_size=40))
def test_typing_without_accents_changes_nothing(text):
    assert french.terms(french.fold(text)) == french.terms(text)


def test_cotes_and_identifiers_are_found_in_pieces_and_whole():
    assert french.exact("AME 12/b\n978-2") == ["ame", "12", "b", "ame12b", "978", "2", "9782"]
    assert french.exact("AME12") == ["ame12"]


def test_ordinary_words_are_known_and_acronyms_are_not():
    assert french.known("Face")
    assert not french.known("CUCS")
