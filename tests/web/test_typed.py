"""What is typed becomes the value of a record, or is refused with a word that helps."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import InvalidValue
from kb.thesaurus import Concept, Thesaurus
from web import typed
from web.typography import written_date


@given(st.dates(min_value=date(1500, 1, 1), max_value=date(2026, 12, 31)), st.sampled_from([4, 7, 10]))
def test_a_date_that_is_shown_is_read_back(day, precision):
    iso = day.isoformat()[:precision]
    assert typed.date_of(written_date(iso)) == iso


def test_an_old_date_that_nobody_touched_stays():
    assert typed.date_of("1234", "1234") == "1234"
    assert typed.date_of("") is None
    with pytest.raises(InvalidValue):
        typed.date_of("1234")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("978-2-07-036822", "10 ou 13 chiffres, celui-ci en a 12"),
        ("977-2-07-036822-8", "commence par 978 ou 979"),
        ("978-2-07-036822-9", "ne s’accorde pas"),
        ("2-07-0368A2-X", "que des chiffres"),
    ],
)
def test_the_fault_of_an_isbn_is_told(text, fault):
    with pytest.raises(InvalidValue) as told:
        typed.isbn_of(text)
    assert fault in told.value.why


@pytest.mark.parametrize("text", ["ISBN 2-07-036822-X", "978 2 07 036822 8", "9782070368228"])
def test_an_isbn_is_made_regular(text):
    assert typed.isbn_of(text) == "9782070368228"


def test_a_wrong_number_that_was_held_may_stay():
    assert typed.isbn_of("123", "123") == "123"
    assert typed.issn_of("1234-5670", "1234-5670") == "1234-5670"


def test_an_issn_is_made_regular_or_refused():
    assert typed.issn_of("issn 0378 5955") == "0378-5955"
    for text, fault in (
        ("0378-595", "celui-ci en a 7"),
        ("0378-5956", "ne s’accorde pas"),
        ("0378-59A5", "que"),
    ):
        with pytest.raises(InvalidValue) as told:
            typed.issn_of(text)
        assert fault in told.value.why


def test_addresses_are_looked_at():
    assert typed.doi_of("https://doi.org/10.1234/abc(1)") == "10.1234/abc(1)"
    assert typed.url_of("https://exemple.fr/a?b=c") == "https://exemple.fr/a?b=c"
    for make, text in (
        (typed.doi_of, "11.1/x"),
        (typed.url_of, "javascript:alert(1)"),
        (typed.url_of, "a b"),
    ):
        with pytest.raises(InvalidValue):
            make(text)


@given(st.text())
def test_a_line_has_no_control_characters_and_is_made_once(text):
    said = typed.line(text)
    assert said is None or not any(ord(c) < 32 for c in said)
    assert typed.line(said) == said


@given(st.text(alphabet="ab \u00a0\t\n\r"), st.text(alphabet="ab \u00a0\t\n\r"))
def test_only_a_difference_in_blanks_leaves_what_was_held(mine, held):
    assert typed.kept(mine, held) == (held if mine.split() == held.split() else mine)


def test_a_term_of_several_is_told_by_its_code():
    def concept(code, label, **more):
        return Concept(uri=f"https://exemple.fr/{code}", scheme="themes", label=label, **more)

    thesaurus = Thesaurus([concept("T1", "Cadre de vie"), concept("T2", "Habitat", alt=("PLH",)),
                           concept("T3", "Logement", alt=("PLH",))])  # fmt: skip
    assert typed.concept_of("cadre DE vie", thesaurus).code == "T1"
    with pytest.raises(InvalidValue) as told:
        typed.concept_of("PLH", thesaurus)
    assert "« Habitat (T2) »" in told.value.why
    assert typed.concept_of("Habitat (T2)", thesaurus).code == "T2"
    assert typed.concept_of("PLH (T3)", thesaurus).code == "T3"
    with pytest.raises(InvalidValue) as told:
        typed.concept_of("xyz", thesaurus)
    assert "mot-clé libre" in told.value.why
