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
