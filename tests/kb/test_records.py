import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import records
from kb.errors import InvalidRecord
from kb.records import Agent, Copy, Evidence, File, Page, Record, State, Subject

FULL = Record(
    id="ville-caraibe:12",
    title="Observer les quartiers",
    type="guide",
    agents=(Agent("Montlouis, Nadège"), Agent("Ville Caraïbe", "publisher", "body")),
    date="2011-06",
    call_number="OBS 12",
    copies=(Copy("OBS 12", "0001"),),
    files=(File(sha256="a" * 64, name="guide.pdf", media_type="application/pdf", size=10, pages=2),),
    subjects=(
        Subject(concept="https://x/T02", score=0.8, evidence=(Evidence(1, 0, 10, "observation"),)),
        Subject(concept="https://x/T05", state=State.REFUSED),
    ),
    identifiers={"isbn": "9782070360024"},
    created=datetime(2026, 1, 2, tzinfo=UTC),
)


def test_a_record_survives_its_json_form():
    assert records.from_json(records.to_json(FULL)) == FULL


def test_support_tells_paper_file_or_both():
    assert FULL.support == {"paper", "electronic"}
    assert dataclasses.replace(FULL, files=()).support == {"paper"}
    assert Record(id="a:1", title="x").support == frozenset()


def test_refused_subjects_do_not_count():
    assert [s.concept for s in FULL.live_subjects] == ["https://x/T02"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "12"}, "id"),
        ({"title": "  "}, "title"),
        ({"type": "roman"}, "type"),
        ({"date": "juin 2011"}, "date"),
        ({"access": "secret"}, "access"),
        ({"host": "ville-caraibe:12"}, "host"),
    ],
)
def test_a_bad_field_is_named(change, field):
    with pytest.raises(InvalidRecord) as caught:
        records.validate(dataclasses.replace(FULL, **change))
    assert caught.value.field == field


def test_times_take_no_part_in_the_fingerprint_but_pages_do():
    pages = [Page(1, "un"), Page(2, "deux")]
    later = dataclasses.replace(FULL, updated=datetime(2027, 1, 1, tzinfo=UTC))
    assert records.fingerprint(FULL, pages) == records.fingerprint(later, pages)
    assert records.fingerprint(FULL, pages) != records.fingerprint(FULL, pages[:1])


@pytest.mark.parametrize(
    ("said", "date"),
    [
        ("12 mars 2010", "2010-03-12"),
        ("1er août 2011", "2011-08-01"),
        ("Juin 2011", "2011-06"),
        ("déc. 2009", "2009-12"),
        ("12/03/2010", "2010-03-12"),
        ("2010-03", "2010-03"),
        ("20100312", "2010-03-12"),
        ("2010-03-12T10:00:00Z", "2010-03-12"),
        ("cop. 1998", "1998"),
        ("31 février 2010", "2010-02"),
        ("l’an passé", None),
        ("31/31/2010", "2010"),
        ("9999", None),
    ],
)
def test_dates_are_made_regular(said, date):
    assert records.regular_date(said) == date


@pytest.mark.parametrize(
    ("said", "isbn"),
    [
        ("2-07-036002-4", "9782070360024"),
        ("ISBN 978-2-07-036002-4 (br.)", "9782070360024"),
        ("080442957X", "9780804429573"),
        ("978-2-07-036002-5", None),
        ("néant", None),
    ],
)
def test_isbn_is_made_regular_or_refused(said, isbn):
    assert records.regular_isbn(said) == isbn


def test_issn_is_made_regular_or_refused():
    assert records.regular_issn("ISSN 0317 8471") == "0317-8471"
    assert records.regular_issn("0317-8472") is None


@given(st.text())
def test_regular_forms_never_fail(text):
    date = records.regular_date(text)
    assert date is None or records.validate(dataclasses.replace(FULL, date=date))
    records.regular_isbn(text)
    records.regular_issn(text)
