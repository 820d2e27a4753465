"""Pairs of records that may be one work."""

from __future__ import annotations

import pytest

from kb.audit import Action, Trail, Wanted, acting
from kb.connection import Database
from kb.doubts import Decision, Doubts
from kb.errors import Conflict, NotFound


@pytest.fixture
def doubts(database: Database, trail: Trail) -> Doubts:
    return Doubts(database, trail)


def test_a_pair_is_one_line_whatever_the_order_and_the_later_record_comes_first(doubts: Doubts):
    first = doubts.add("same-text", "vc:9", "vc:10", 0.9)
    assert doubts.add("edition", "vc:10", "vc:9", 0.95) == first
    (line,), total = doubts.open(10)
    assert total == 1
    assert (line.record, line.other, line.kind, line.score) == ("vc:10", "vc:9", "edition", 0.95)
    assert line.decision is None
    assert doubts.get(line.id) == line


def test_the_likeliest_pairs_come_first_in_pages(doubts: Doubts):
    for number, score in enumerate((0.5, 0.9, 0.7), start=2):
        doubts.add("part", f"vc:{number}", "vc:1", score)
    shown, total = doubts.open(2)
    assert ([line.score for line in shown], total) == ([0.9, 0.7], 3)
    rest, total = doubts.open(2, 2)
    assert ([line.score for line in rest], total) == ([0.5], 3)
    assert doubts.open(2, 99) == ((), 3)


def test_a_pair_that_a_person_keeps_apart_never_comes_back(doubts: Doubts, trail: Trail):
    id = doubts.add("same-text", "vc:1", "vc:2", 0.99)
    assert id is not None
    with acting("personne:7"):
        assert doubts.settle(id, Decision.KEEP_BOTH).decision is Decision.KEEP_BOTH
    assert doubts.add("same-text", "vc:2", "vc:1", 1.0) is None
    assert doubts.open(10) == ((), 0)
    (line,) = trail.lines(Wanted(action=Action.DOUBT_SETTLED))
    assert (line.actor, line.object) == ("personne:7", f"doute:{id}")
    assert line.after == {"record": "vc:2", "other": "vc:1", "decision": "keep-both"}


def test_settling_twice_is_once_and_otherwise_a_conflict(doubts: Doubts, trail: Trail):
    id = doubts.add("paper", "vc:1", "vc:2", 0.9)
    assert id is not None
    doubts.settle(id, Decision.ATTACH)
    doubts.settle(id, Decision.ATTACH)
    assert len(trail.lines(Wanted(action=Action.DOUBT_SETTLED))) == 1
    with pytest.raises(Conflict):
        doubts.settle(id, Decision.KEEP_BOTH)


def test_what_does_not_exist_is_not_found(doubts: Doubts):
    with pytest.raises(NotFound):
        doubts.get(1)
    with pytest.raises(NotFound):
        doubts.settle(1, Decision.ATTACH)


def test_a_record_is_not_its_own_double(doubts: Doubts):
    with pytest.raises(ValueError, match="vc:1"):
        doubts.add("same-text", "vc:1", "vc:1", 1.0)


def test_a_record_that_goes_takes_its_pairs_with_it(doubts: Doubts):
    for record, other in (("vc:1", "vc:2"), ("vc:3", "vc:1"), ("vc:2", "vc:3")):
        doubts.add("edition", record, other, 0.5)
    doubts.forget("vc:1")
    assert [(line.record, line.other) for line in doubts.open(9)[0]] == [("vc:3", "vc:2")]
    assert doubts.about(["vc:1"]) == ()


def test_pairs_about_some_records_are_those_that_wait(doubts: Doubts):
    settled = doubts.add("edition", "vc:1", "vc:2", 0.9)
    assert settled is not None
    doubts.settle(settled, Decision.KEEP_BOTH)
    waits = doubts.add("edition", "vc:1", "vc:3", 0.5)
    doubts.add("edition", "vc:4", "vc:5", 0.5)
    assert [line.id for line in doubts.about(["vc:1", "vc:9"])] == [waits]


def test_pairs_go_on_under_the_number_of_the_record_that_stays(doubts: Doubts):
    kept_apart = doubts.add("same-text", "vc:2", "vc:3", 0.9)
    assert kept_apart is not None
    doubts.settle(kept_apart, Decision.KEEP_BOTH)
    doubts.add("same-text", "vc:1", "vc:3", 0.8)  # waits, and is decided by what was said of vc:2
    doubts.add("same-text", "vc:1", "vc:2", 0.8)  # the pair that is merged
    doubts.add("edition", "vc:2", "vc:4", 0.7)
    doubts.pass_on("vc:2", "vc:1")
    (line,), _ = doubts.open(9)
    assert (line.record, line.other, line.kind, line.score) == ("vc:4", "vc:1", "edition", 0.7)
    assert doubts.add("same-text", "vc:1", "vc:3", 1.0) is None


def test_a_decision_is_not_undone_by_a_pair_that_waits(doubts: Doubts):
    kept_apart = doubts.add("same-text", "vc:1", "vc:3", 0.9)
    assert kept_apart is not None
    doubts.settle(kept_apart, Decision.KEEP_BOTH)
    doubts.add("same-text", "vc:2", "vc:3", 0.8)
    doubts.pass_on("vc:2", "vc:1")
    assert doubts.open(9) == ((), 0)
    assert doubts.add("same-text", "vc:3", "vc:1", 1.0) is None


def test_a_pair_is_found_by_its_records_in_any_order_settled_or_not(doubts: Doubts):
    id = doubts.add("same-text", "vc:1", "vc:2", 0.9)
    assert id is not None
    for one, other in (("vc:1", "vc:2"), ("vc:2", "vc:1")):
        found = doubts.between(one, other)
        assert found is not None
        assert found.id == id
    doubts.settle(id, Decision.KEEP_BOTH)
    settled = doubts.between("vc:1", "vc:2")
    assert settled is not None
    assert settled.decision is Decision.KEEP_BOTH
    assert doubts.between("vc:1", "vc:3") is None


def test_a_settled_pair_can_be_asked_again_and_the_trail_says_so(doubts: Doubts, trail: Trail):
    id = doubts.add("edition", "vc:1", "vc:2", 0.9)
    assert id is not None
    doubts.settle(id, Decision.KEEP_BOTH)
    assert doubts.reopen(id).decision is None
    assert doubts.reopen(id).decision is None
    assert doubts.open(10)[1] == 1
    lines = trail.lines(Wanted(action=Action.DOUBT_SETTLED))
    assert len(lines) == 2
    assert (lines[0].before, lines[0].after) == (
        {"record": "vc:2", "other": "vc:1", "decision": "keep-both"},
        {"record": "vc:2", "other": "vc:1", "decision": "open"},
    )
    with pytest.raises(NotFound):
        doubts.reopen(99)
