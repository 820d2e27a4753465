"""The questions of the demonstration, taken into the fund as ``kb demo`` does."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

import corpus
from kb import desk_merging, quoting
from kb.desk import Wanted
from kb.errors import NotFound
from kb.mail import Mailed
from kb.questions import QuestionState
from kb.servicelog import StepKind
from web import demonstration

PATH = corpus.FOLDER / "questions.jsonl"
NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)  # a Wednesday


@pytest.fixture(scope="module")
def asked(house):
    before = set(house.parts.store.ids())
    assert demonstration.load(house.parts, PATH, now=NOW) == 40
    house.parts.sync()
    yield {question.reference: question for question in house.parts.desk.listed(Wanted(states=()), 100)}
    assert before <= set(house.parts.store.ids())


def test_questions_stand_in_all_states_and_one_is_late(house, asked):
    found = Counter(question.state for question in asked.values())
    assert found == {
        QuestionState.PUBLISHED: 24,
        QuestionState.ANSWERED: 3,
        QuestionState.WAITING: 2,
        QuestionState.IN_HAND: 3,
        QuestionState.RECEIVED: 4,
        QuestionState.CLOSED: 4,
    }
    assert sum(question.is_overdue(NOW.date()) for question in asked.values()) == 1
    assert all(question.received <= NOW for question in asked.values())


def test_they_are_taken_in_once(house, asked):
    assert demonstration.load(house.parts, PATH, now=NOW) == 0


def test_every_answer_cites_what_is_in_the_fund_and_quotes_it_exactly(house, asked):
    store = house.parts.store

    def text(record: str, page: int) -> str | None:
        try:
            return store.page(record, page).text
        except NotFound:
            return None

    bodies = [house.parts.answers.get(question.id).body for question in asked.values()]
    written = [body for body in bodies if body]
    assert len(written) == 27
    for body in written:
        assert quoting.check(body, text, lambda id: bool(store.get_many([id]))) == ()


def test_the_asker_finds_the_answer_on_their_page(house, asked):
    done = [question for question in asked.values() if question.state is QuestionState.ANSWERED]
    page = house.client().get(f"/suivi/{done[0].follow}").text
    assert "answer-text" in page
    assert "/notice/" in page


def test_past_answers_that_served_are_named_by_their_records(house, asked):
    steps = [step for step in house.parts.desk.log.every() if step.kind is StepKind.REUSED]
    assert len(steps) == 6
    assert all(house.parts.store.get(step.reused or "").type == "question" for step in steps)


def test_who_asked_the_same_again_is_offered_to_be_merged(house, asked):
    pairs = {
        frozenset((one.reference, other.reference))
        for one in asked.values()
        for other in desk_merging.alike(one, house.parts.desk)
    }
    assert len(pairs) == 1


def test_nothing_is_sent_to_anybody(house, asked):
    assert not any(house.parts.outbox.counts().get(state) for state in Mailed)
