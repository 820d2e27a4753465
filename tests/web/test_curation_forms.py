"""What a form does to a record, without pages: nothing if nothing was changed, and both values after two."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from kb.records import TYPES, Agent, Origin, Record, State, Subject
from web import curation_forms as forms
from web.curation_forms import Typed

WORDS = st.text(st.characters(categories=("L", "Nd", "Zs", "Po"), include_characters="\n\u00a0"), max_size=30)
NAMES = WORDS.filter(lambda name: name.strip())
AGENTS = st.builds(
    Agent, NAMES, st.sampled_from(("author", "editor", "publisher")), st.sampled_from(("person", "body"))
)
DATES = st.none() | st.dates().map(lambda day: day.isoformat()) | st.integers(1000, 9999).map(str)
SUBJECTS = st.lists(
    st.builds(
        Subject,
        concept=st.integers(1, 9).map(lambda number: f"https://exemple/T{number}"),
        origin=st.sampled_from(Origin),
        state=st.sampled_from(State),
    ),
    unique_by=lambda subject: subject.concept,
    max_size=5,
)
RECORDS = st.builds(
    Record,
    id=st.just("vc:1"),
    title=NAMES,
    agents=st.lists(AGENTS, max_size=4).map(tuple),
    date=DATES,
    type=st.sampled_from(list(TYPES)),
    language=st.sampled_from(("fr", "und", "la")),
    subjects=SUBJECTS.map(tuple),
)


def sent(record: Record, **changes: str) -> Typed:
    """The form of a record as a browser sends it back, with some fields typed otherwise."""
    texts = {name: forms.plain(name, text) for name, text in (forms.told(record) | changes).items()}
    return Typed(fields=texts, states={s.concept: s.state for s in record.subjects}, added=())


@given(RECORDS)
def test_a_form_sent_as_it_was_shown_changes_nothing(record: Record):
    assert forms.corrected(record, sent(record)) == record


@given(RECORDS, RECORDS)
def test_what_was_not_touched_follows_the_record_and_what_was_typed_stays(base: Record, now: Record):
    both = forms.both(base, now, sent(base, title="Tapé ici"))
    assert both.fields["title"] == "Tapé ici"
    rest = {name: text for name, text in both.fields.items() if name != "title"}
    assert rest == {name: text for name, text in forms.told(now).items() if name != "title"}
    assert {s.concept: both.states[s.concept] for s in now.subjects} == {
        s.concept: s.state for s in now.subjects
    }
    assert "title" in both.notes or forms.told(now)["title"].split() in (
        base.title.split(),
        ["Tapé", "ici"],
    )


def test_when_the_former_state_is_not_known_all_that_was_typed_stays_beside_what_is_there():
    uri = "https://exemple/T1"
    now = Record(id="vc:1", title="Leur titre", subjects=(Subject(concept=uri, state=State.REFUSED),))
    mine = dataclasses.replace(sent(now, title="Mon titre"), states={uri: State.ACCEPTED})
    both = forms.both(None, now, mine)
    assert (both.fields["title"], both.notes) == ("Mon titre", {"title": "Leur titre"})
    assert both.states == {uri: State.ACCEPTED}


@given(RECORDS)
def test_what_was_left_is_settled_and_nothing_else(record: Record):
    for state in (State.ACCEPTED, State.REFUSED):
        after = forms.settled(record, state)
        assert dataclasses.replace(after, subjects=()) == dataclasses.replace(record, subjects=())
        for before, now in zip(record.subjects, after.subjects, strict=True):
            assert now.state == (state if before.state is State.PROPOSED else before.state)
            assert dataclasses.replace(now, state=before.state) == before
