from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.drafts import Draft, Heading, from_wire, to_wire
from kb.records import Agent, Copy, Page

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
maybe = st.none() | words
drafts = st.builds(
    Draft,
    title=words,
    subtitle=maybe.filter(lambda v: v != ""),
    agents=st.lists(st.builds(Agent, words, words, words), max_size=3).map(tuple),
    copies=st.lists(st.builds(Copy, maybe, maybe, maybe, words), max_size=3).map(tuple),
    hosts=st.lists(st.tuples(words, words), max_size=2).map(tuple),
    identifiers=st.dictionaries(words, words, max_size=3),
    outline=st.lists(st.builds(Heading, words, st.integers(1, 9), st.integers(1, 6)), max_size=3).map(tuple),
    pages=st.lists(st.tuples(words, st.none() | words.filter(bool), st.floats(0, 1)), max_size=4).map(
        lambda rows: tuple(
            Page(i, text, label, grade) for i, (text, label, grade) in enumerate(rows, start=1)
        )
    ),
    warnings=st.lists(words, max_size=2).map(tuple),
)


@given(drafts)
def test_a_draft_crosses_unchanged(draft: Draft) -> None:
    assert from_wire(to_wire(draft)) == draft


@pytest.mark.parametrize(
    "said",
    [
        "not json",
        "[]",
        '{"title": 3}',
        '{"id": "c:1"}',
        '{"__class__": "os.system"}',
        '{"pages": [[2, "text", null, 1.0]]}',
        '{"pages": [[1, "text", null]]}',
        '{"agents": [["a", "b"]]}',
        '{"agents": "abc"}',
        '{"identifiers": []}',
        '{"keywords": {"a": "b"}}',
        "[" * 100_000,
    ],
)
def test_what_no_reader_could_have_said_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_wire(said)


def test_text_that_no_database_can_keep_is_made_harmless() -> None:
    assert from_wire(json.dumps({"title": "a\ud800b"})).title == "a?b"


def test_grades_stay_between_0_and_1() -> None:
    rows = [[1, "a", None, 7, "good", None, None], [2, "b", None, -1, "garbled", "ḅ", 2]]
    draft = from_wire(json.dumps({"pages": rows}))
    assert [page.grade for page in draft.pages] == [1.0, 0.0]
    assert draft.pages[1].recognised == 1.0


def test_only_what_is_known_goes_into_a_record() -> None:
    assert Draft(title="Un titre").record_fields() == {"title": "Un titre", "type": "document"}
