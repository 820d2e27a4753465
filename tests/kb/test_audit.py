"""The trail: what a line holds, how tampering shows, who acted."""

from __future__ import annotations

import contextvars
import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kb import audit
from kb.audit import SYSTEM, Action, Trail, Wanted, acting, acts, difference
from kb.connection import Database
from kb.tables import counters
from kb.tables import trail as lines

HASHED = ("seq", "at", "actor", "action", "object", "before", "after")


@pytest.fixture
def five(trail: Trail) -> Trail:
    """A trail of five lines."""
    for number in range(1, 6):
        trail.note(Action.RECORD_CHANGED, f"notice:vc:{number}", {"title": "Ça"}, {"title": f"Là {number}"})
    return trail


Tamper = Callable[..., None]


@pytest.fixture
def tamper(database: Database) -> Tamper:
    """Runs statements as somebody would who owns the file and has put the triggers out of the way."""

    def run(*statements: str) -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS trail_no_update")
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS trail_no_delete")
            for statement in statements:
                connection.exec_driver_sql(statement)

    return run


def digest(previous: str, row: Mapping[str, Any]) -> str:
    """The hash of a line, worked out from what the module says and from nothing of its code."""
    said = json.dumps([row[name] for name in HASHED], ensure_ascii=False)
    return hashlib.sha256(f"{previous}\n{said}".encode()).hexdigest()


def chain_again(database: Database, start: int = 1) -> None:
    """Give all lines from ``start`` on the hashes that they ought to have: a forger who knows the rule."""
    with database.writing() as connection:
        previous = "0" * 64
        for row in connection.execute(sa.select(lines).order_by(lines.c.seq)).mappings().all():
            if row["seq"] >= start:
                hash = digest(previous, row)
                connection.execute(lines.update().where(lines.c.seq == row["seq"]).values(hash=hash))
                previous = hash
            else:
                previous = row["hash"]


def set_counter(database: Database, value: int) -> None:
    with database.writing() as connection:
        connection.execute(counters.update().where(counters.c.name == "trail").values(value=value))


# -- what a line holds


def test_a_line_says_who_did_what_to_what_and_when(trail: Trail):
    before = datetime.now(UTC)
    with acting("personne:7"):
        trail.note(
            Action.RECORD_CHANGED, "notice:vc:3", {"title": "L’été"}, {"title": "L’hiver", "pages": None}
        )
    (line,) = trail.lines(Wanted())
    assert (line.seq, line.actor, line.action, line.object) == (
        1,
        "personne:7",
        "record.changed",
        "notice:vc:3",
    )
    assert (line.before, line.after) == ({"title": "L’été"}, {"title": "L’hiver", "pages": None})
    assert before <= line.at <= datetime.now(UTC)
    assert line.at.utcoffset() == timedelta(0)


def test_a_line_without_states_has_none(trail: Trail):
    trail.note(Action.SIGNED_OUT, "personne:1")
    (line,) = trail.lines(Wanted())
    assert (line.before, line.after) == (None, None)


def test_a_line_falls_with_the_transaction_in_which_it_was_noted(database: Database, trail: Trail):
    trail.note(Action.SIGNED_IN, "personne:1")

    def fail() -> None:
        with database.transaction():
            trail.note(Action.SIGNED_IN, "personne:2")
            assert len(trail.lines(Wanted())) == 2
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    trail.note(Action.SIGNED_IN, "personne:3")
    assert [(line.seq, line.object) for line in trail.lines(Wanted())] == [
        (2, "personne:3"),
        (1, "personne:1"),
    ]
    assert trail.verify() == (2, [])


def test_what_differs_is_kept_field_by_field():
    assert difference({"a": 1, "b": 2}, {"a": 1, "b": 3}) == ({"b": 2}, {"b": 3})
    assert difference({"a": 1}, {"b": 2}) == ({"a": 1, "b": None}, {"a": None, "b": 2})
    assert difference({"a": 1}, {"a": 1}) == ({}, {})
    assert difference(None, {"a": 1}) == (None, {"a": 1})
    assert difference({"a": 1}, None) == ({"a": 1}, None)
    assert difference(None, None) == (None, None)


# -- who acts


def test_the_program_acts_when_nobody_said_who_does(trail: Trail):
    trail.note(Action.SIGNED_IN, "personne:1")
    assert trail.lines(Wanted())[0].actor == SYSTEM


def test_who_acts_is_told_for_a_while_and_then_taken_back(trail: Trail):
    def stumble() -> None:
        with acting("personne:3"):
            raise KeyError

    with acting("personne:1"):
        with acting("cle:2"):
            trail.note(Action.SIGNED_IN, "x:1")
        with pytest.raises(KeyError):
            stumble()
        trail.note(Action.SIGNED_IN, "x:2")
    trail.note(Action.SIGNED_IN, "x:3")
    assert [line.actor for line in trail.lines(Wanted())] == [SYSTEM, "personne:1", "cle:2"]
    assert trail.actors() == ["cle:2", "personne:1", SYSTEM]


def test_who_acts_in_one_request_is_nobody_in_another(trail: Trail):
    def request(number: int) -> None:
        if number:
            acts(f"personne:{number}")
        trail.note(Action.SIGNED_IN, f"x:{number}")

    for number in (4, 0):
        contextvars.copy_context().run(request, number)
    with acting("personne:9"):
        thread = threading.Thread(target=request, args=(0,))
        thread.start()
        thread.join()
    assert [line.actor for line in trail.lines(Wanted())] == [SYSTEM, SYSTEM, "personne:4"]


# -- what the database refuses


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail SET actor = 'personne:9'",
        "UPDATE trail SET hash = hash WHERE seq = 3",
        "UPDATE OR REPLACE trail SET seq = 2 WHERE seq = 3",
        "DELETE FROM trail",
        "DELETE FROM trail WHERE seq = 5",
        "INSERT OR REPLACE INTO trail SELECT seq, at, 'x', action, object, before, after, hash FROM trail",
        "REPLACE INTO trail SELECT seq, at, 'x', action, object, NULL, NULL, hash FROM trail LIMIT 1",
    ],
)
def test_the_database_refuses_to_change_or_to_remove_a_line(database: Database, five: Trail, statement: str):
    kept = five.lines(Wanted())

    def run() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql(statement)

    with pytest.raises(IntegrityError):
        run()
    assert five.lines(Wanted()) == kept
    assert five.verify() == (5, [])


# -- what verify sees


def test_an_empty_trail_is_whole(trail: Trail):
    assert trail.verify() == (0, [])
    assert trail.head() == (0, "0" * 64)


def test_the_chain_can_be_worked_out_by_hand(database: Database, five: Trail):
    with database.reading() as connection:
        rows = connection.execute(sa.select(lines).order_by(lines.c.seq)).mappings().all()
    previous = "0" * 64
    for row in rows:
        assert row["hash"] == digest(previous, row)
        previous = row["hash"]
    assert five.head() == (5, previous)
    assert five.verify() == (5, [])


@pytest.mark.parametrize(
    "change",
    [
        "at = '2020-01-01T00:00:00+00:00'",
        "actor = 'personne:2'",
        "action = 'record.deleted'",
        "object = 'notice:vc:9'",
        "before = NULL",
        'after = \'{"title": "Autre"}\'',
        "hash = 'f' || substr(hash, 2) || 'f'",
    ],
)
def test_a_line_that_is_changed_breaks_the_chain(five: Trail, tamper: Tamper, change: str):
    tamper(f"UPDATE trail SET {change} WHERE seq = 3")
    count, broken = five.verify()
    assert count == 5
    assert 3 in broken
    assert set(broken) <= {3, 4}


def test_before_and_after_cannot_change_places(five: Trail, tamper: Tamper):
    tamper("UPDATE trail SET before = after, after = before WHERE seq = 2")
    assert five.verify() == (5, [2])


def test_a_changed_line_with_its_hash_made_anew_breaks_at_the_next(
    database: Database, five: Trail, tamper: Tamper
):
    tamper("UPDATE trail SET actor = 'personne:2' WHERE seq = 3")
    with database.writing() as connection:
        rows = connection.execute(sa.select(lines).order_by(lines.c.seq)).mappings().all()
        values = {"hash": digest(rows[1]["hash"], rows[2])}
        connection.execute(lines.update().where(lines.c.seq == 3).values(values))
    assert five.verify() == (5, [4])


@pytest.mark.parametrize("gone", [1, 3])
def test_a_line_that_is_taken_out_shows_at_the_next(five: Trail, tamper: Tamper, gone: int):
    tamper(f"DELETE FROM trail WHERE seq = {gone}")
    assert five.verify() == (4, [gone + 1])


def test_lines_that_change_places_show(five: Trail, tamper: Tamper):
    tamper(
        "UPDATE trail SET seq = 99 WHERE seq = 2",
        "UPDATE trail SET seq = 2 WHERE seq = 3",
        "UPDATE trail SET seq = 3 WHERE seq = 99",
    )
    assert five.verify() == (5, [2, 3, 4])


def test_a_line_that_is_put_in_shows(five: Trail, tamper: Tamper):
    tamper(
        "UPDATE trail SET seq = seq + 100 WHERE seq > 2",
        "UPDATE trail SET seq = seq - 99 WHERE seq > 100",
        "INSERT INTO trail SELECT 3, at, actor, action, object, before, after, hash FROM trail WHERE seq = 2",
        "UPDATE counters SET value = 6 WHERE name = 'trail'",
    )
    count, broken = five.verify()
    assert count == 6
    assert broken[0] == 3


def test_a_line_added_at_the_end_by_another_hand_shows(five: Trail, tamper: Tamper):
    tamper(
        "INSERT INTO trail SELECT 6, at, actor, action, object, before, after, hash FROM trail WHERE seq = 5"
    )
    count, broken = five.verify()
    assert (count, set(broken)) == (6, {6})


def test_a_line_added_at_the_end_with_a_right_hash_shows_against_the_counter(database: Database, five: Trail):
    with database.writing() as connection:
        last = connection.execute(sa.select(lines).where(lines.c.seq == 5)).mappings().one()
        forged = {**last, "seq": 6, "actor": "personne:2"}
        connection.execute(lines.insert().values(forged | {"hash": digest(last["hash"], forged)}))
    count, broken = five.verify()
    assert count == 6
    assert broken


def test_an_end_that_was_cut_off_shows_against_the_counter(five: Trail, tamper: Tamper):
    tamper("DELETE FROM trail WHERE seq > 3")
    assert five.verify() == (3, [4])


def test_a_trail_that_was_emptied_shows(five: Trail, tamper: Tamper):
    tamper("DELETE FROM trail")
    assert five.verify() == (0, [1])


def test_an_end_cut_off_with_its_counter_shows_against_a_head_noted_elsewhere(
    database: Database, five: Trail, tamper: Tamper
):
    noted = five.head()[1]
    tamper("DELETE FROM trail WHERE seq > 3")
    set_counter(database, 3)
    assert five.verify() == (3, [])  # nothing in the database itself can tell
    assert five.verify(noted) == (3, [4])


def test_a_trail_written_anew_from_end_to_end_shows_against_a_head_noted_elsewhere(
    database: Database, five: Trail, tamper: Tamper
):
    noted = five.head()[1]
    tamper("UPDATE trail SET actor = 'personne:2' WHERE seq = 1")
    chain_again(database)
    assert five.verify() == (5, [])
    assert five.verify(noted) == (5, [6])


def test_a_head_noted_long_ago_is_still_met(trail: Trail):
    noted = []
    for number in range(4):
        trail.note(Action.SIGNED_IN, f"personne:{number}")
        noted.append(trail.head()[1])
    assert [trail.verify(head) for head in noted] == [(4, [])] * 4
    assert trail.verify("a" * 64) == (4, [5])


def test_the_head_of_an_empty_trail_may_be_noted_too(trail: Trail):
    noted = trail.head()[1]
    assert trail.verify(noted) == (0, [])
    trail.note(Action.SIGNED_IN, "personne:1")
    assert trail.verify(noted) == (1, [])


def test_a_long_trail_is_read_in_parts(five: Trail, tamper: Tamper, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit, "_READ_AT_ONCE", 2)
    assert five.verify() == (5, [])
    assert [line.seq for line in five.every(Wanted())] == [5, 4, 3, 2, 1]
    assert [line.seq for line in five.every(Wanted(below=4))] == [3, 2, 1]
    tamper("DELETE FROM trail WHERE seq = 3")
    assert five.verify() == (4, [4])


# -- many at once


def test_the_chain_holds_with_several_threads_writing_at_once(trail: Trail):
    def write(writer: int) -> None:
        with acting(f"personne:{writer}"):
            for number in range(15):
                trail.note(Action.RECORD_CHANGED, f"notice:vc:{number}", None, {"writer": writer})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert trail.verify() == (90, [])
    found = list(trail.every(Wanted()))
    assert [line.seq for line in found] == list(range(90, 0, -1))
    assert all(line.actor == f"personne:{line.after['writer']}" for line in found if line.after)
    assert len(trail.lines(Wanted(actor="personne:3"))) == 15


def test_a_line_noted_while_the_chain_is_verified_is_no_break(database: Database, five: Trail):
    verifying = threading.get_ident()

    def meanwhile(connection: object, cursor: object, statement: str, *_: object) -> None:
        if threading.get_ident() == verifying and "counters" in statement:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(five.note, Action.SIGNED_IN, "personne:1").result()

    sa.event.listen(database.engine, "before_cursor_execute", meanwhile)
    try:
        _, broken = five.verify()
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", meanwhile)
    assert broken == []
    assert five.verify()[1] == []


# -- which lines are shown


@pytest.fixture
def told(trail: Trail) -> Trail:
    for actor, action, object in (
        ("personne:1", Action.RECORD_CREATED, "notice:vc:1"),
        ("personne:2", Action.RECORD_CHANGED, "notice:vc:1"),
        ("personne:1", Action.RECORD_CHANGED, "notice:vc:10"),
        ("cle:1", Action.SIGNED_IN, "personne:1"),
        ("personne:1", Action.RECORD_CREATED, "notice:v%:1"),
    ):
        with acting(actor):
            trail.note(action, object)
    return trail


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [5, 4, 3, 2, 1]),
        (Wanted(actor="personne:1"), [5, 3, 1]),
        (Wanted(action="record.changed"), [3, 2]),
        (Wanted(object="notice:vc:1"), [2, 1]),
        (Wanted(object="notice:vc:1*"), [3, 2, 1]),
        (Wanted(object="notice:*"), [5, 3, 2, 1]),
        (Wanted(object="notice:v%*"), [5]),
        (Wanted(object="notice:v_:*"), []),
        (Wanted(object="*"), [5, 4, 3, 2, 1]),
        (Wanted(below=3), [2, 1]),
        (Wanted(actor="personne:1", action="record.created", below=5), [1]),
        (Wanted(actor="personne:3"), []),
    ],
)
def test_lines_are_chosen_newest_first(told: Trail, wanted: Wanted, found: list[int]):
    assert [line.seq for line in told.lines(wanted)] == found
    assert [line.seq for line in told.lines(wanted, limit=2)] == found[:2]
    assert [line.seq for line in told.every(wanted)] == found


def test_lines_are_chosen_by_time_the_end_left_out(told: Trail):
    times = {line.seq: line.at for line in told.lines(Wanted())}
    assert [line.seq for line in told.lines(Wanted(since=times[2], until=times[4]))] == [3, 2]
    assert told.lines(Wanted(since=times[5] + timedelta(microseconds=1))) == []
    assert told.lines(Wanted(until=times[1])) == []
