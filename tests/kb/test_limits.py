"""How often something may be tried."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from kb import tables
from kb.connection import Database
from kb.errors import TooManyTries
from kb.limits import Limit, Limits
from kb.secret import Keyring

THREE = Limit("trois", 3, 60)


def taken(limits: Limits, limit: Limit, who: str, *times: float) -> list[bool]:
    """Whether each try at these seconds was let through."""
    found = []
    for now in times:
        try:
            limits.take(limit, who, now=now)
        except TooManyTries:
            found.append(False)
        else:
            found.append(True)
    return found


def count(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(tables.attempts)) or 0


def test_as_many_tries_as_the_limit_says_and_no_more(limits: Limits):
    assert taken(limits, THREE, "ana", 0, 1, 2, 3, 4) == [True, True, True, False, False]


def test_tries_count_for_so_many_seconds_each(limits: Limits):
    assert taken(limits, THREE, "ana", 0, 30, 50, 59.9) == [True, True, True, False]
    assert taken(limits, THREE, "ana", 60, 60.1, 89.9, 90, 91) == [True, False, False, True, False]


def test_a_refused_try_is_not_counted(limits: Limits, database: Database):
    assert taken(limits, THREE, "ana", *range(50)) == [True] * 3 + [False] * 47
    assert count(database) == 3
    assert taken(limits, THREE, "ana", 60) == [True]


@pytest.mark.parametrize(("now", "seconds"), [(10, 50), (59, 1), (59.9, 1), (33.3, 27)])
def test_the_refusal_says_when_to_come_back(limits: Limits, now: float, seconds: int):
    taken(limits, THREE, "ana", 0, 1, 2)
    with pytest.raises(TooManyTries) as refused:
        limits.take(THREE, "ana", now=now)
    assert refused.value.seconds == seconds


def test_others_and_other_limits_count_apart(limits: Limits):
    taken(limits, THREE, "ana", 0, 0, 0)
    assert taken(limits, THREE, "bob", 1) == [True]
    assert taken(limits, Limit("autre", 3, 60), "ana", 1) == [True]
    assert taken(limits, THREE, "ana", 1) == [False]


def test_a_name_and_a_limit_do_not_run_into_each_other(limits: Limits):
    taken(limits, Limit("a", 1, 60), "b\nc", 0)
    assert taken(limits, Limit("ab", 1, 60), "c", 0) == [True]
    assert taken(limits, Limit("a", 1, 60), "bc", 0) == [True]


def test_tries_given_back_do_not_count(limits: Limits):
    tries = [limits.take(THREE, "ana", now=n) for n in range(3)]
    assert len(set(tries)) == 3
    limits.give_back(tries[:1])
    assert taken(limits, THREE, "ana", 4, 5) == [True, False]
    limits.give_back([])
    assert taken(limits, THREE, "ana", 6) == [False]
    limits.give_back(tries)
    assert taken(limits, THREE, "ana", 7, 8, 9) == [True, True, False]


def test_processes_count_together(database: Database, keyring: Keyring):
    here, there = Limits(database, keyring), Limits(database, keyring)
    assert taken(here, THREE, "ana", 0, 0) == [True, True]
    assert taken(there, THREE, "ana", 0, 0) == [True, False]


def test_tries_made_at_once_all_count(limits: Limits):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: taken(limits, THREE, "ana", 5.0)[0], range(24)))
    assert sum(found) == 3


def test_a_try_of_a_failed_transaction_does_not_count(database: Database, limits: Limits):
    def fail() -> None:
        with database.transaction():
            limits.take(THREE, "ana", now=0)
            raise KeyError

    for _ in range(5):
        with pytest.raises(KeyError):
            fail()
    assert taken(limits, THREE, "ana", 1, 1, 1, 1) == [True, True, True, False]


def test_who_tried_is_not_kept(limits: Limits, on_disk: Callable[[], bytes]):
    limits.take(THREE, "ana.beauregard@exemple.fr")
    limits.take(THREE, "192.0.2.77")
    written = on_disk()
    assert b"beauregard" not in written
    assert b"192.0.2.77" not in written


def test_old_tries_are_thrown_away_and_young_ones_kept(database: Database, limits: Limits):
    taken(limits, THREE, "ana", 0, 100, 200)
    limits.sweep(100)
    assert count(database) == 2


def test_the_clock_is_that_of_the_machine_when_none_is_given(limits: Limits, later: Callable[[float], None]):
    for _ in range(3):
        limits.take(THREE, "ana")
    with pytest.raises(TooManyTries):
        limits.take(THREE, "ana")
    later(61)
    limits.take(THREE, "ana")
