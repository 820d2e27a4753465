"""Samples of texts, and who shares them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from kb import tables
from kb.config import Config
from kb.database import Store
from kb.records import Record
from kb.sketches import Sketches


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(Config(data=tmp_path / "fund"))
    for number in range(1, 6):
        opened.save(Record(id=f"vc:{number}", title=f"Notice {number}"))
    yield opened
    opened.close()


@pytest.fixture
def sketches(store: Store) -> Sketches:
    return Sketches(store.database)


def test_records_that_share_most_come_first_with_the_size_of_their_sample(sketches: Sketches):
    sketches.keep("vc:1", range(100))
    sketches.keep("vc:2", range(50, 90))
    sketches.keep("vc:3", range(500, 600))
    assert sketches.sharing(range(40, 80), 5) == [("vc:1", 40, 100), ("vc:2", 30, 40)]


def test_of_two_that_share_as_much_the_smaller_one_comes_first_even_at_the_limit(sketches: Sketches):
    sketches.keep("vc:1", range(100))
    sketches.keep("vc:2", range(20))
    sketches.keep("vc:3", range(50))
    assert sketches.sharing(range(10), 2) == [("vc:2", 10, 20), ("vc:3", 10, 50)]


def test_hashes_below_zero_are_counted_apart(sketches: Sketches):
    sketches.keep("vc:1", [*range(100), -1, -2, -3])
    sketches.keep("vc:2", [-3, -4])
    assert sketches.sharing([-3, -2], 5) == [("vc:1", 2, 3), ("vc:2", 1, 2)]
    assert sketches.sharing([5], 5) == [("vc:1", 1, 100)]


def test_a_new_sample_takes_the_place_of_the_old_one(sketches: Sketches):
    sketches.keep("vc:1", [1, 2, 3, 2, 1])
    sketches.keep("vc:1", [3, 4, 2**63 - 1, -(2**63)])
    assert sketches.of("vc:1") == [-(2**63), 3, 4, 2**63 - 1]
    assert sketches.sharing([1], 5) == []
    sketches.drop("vc:1")
    assert sketches.of("vc:1") == []


def test_nothing_shares_nothing(sketches: Sketches):
    assert sketches.sharing([], 5) == []
    assert sketches.sharing([1, 2], 5) == []
    sketches.keep("vc:1", [])
    assert sketches.of("vc:1") == []


def test_a_record_that_does_not_exist_keeps_no_sample(sketches: Sketches):
    with pytest.raises(sa.exc.IntegrityError):
        sketches.keep("vc:99", [1])


def test_what_everybody_says_tells_nothing(store: Store, sketches: Sketches):
    with store.database.writing() as connection:
        for number in range(10, 320):
            record = {"id": f"vc:{number}", "centre": "vc", "number": number, "type": "document"}
            record |= {
                "title": "t",
                "fingerprint": "",
                "updated": "",
                "body": "{}",
                "access": "public",
                "host": None,
            }
            connection.execute(tables.records.insert().values(record))
            connection.execute(tables.sketches.insert().values(record=f"vc:{number}", hash=7))
    sketches.keep("vc:1", [7, 8])
    assert sketches.sharing([7], 500) == []
    assert sketches.sharing([7, 8], 500) == [("vc:1", 1, 2)]


def test_twenty_thousand_samples_are_asked_in_the_blink_of_an_eye(store: Store, sketches: Sketches):
    """A twentieth of them here, so that the test is short: the time grows with what is shared."""
    random = Random(1)
    with store.database.writing() as connection:
        ids = [f"vc:{number}" for number in range(10, 1010)]
        connection.execute(
            tables.records.insert(),
            [
                {"id": id, "centre": "vc", "number": int(id[3:]), "type": "document", "title": "t"}
                | {"fingerprint": "", "updated": "", "body": "{}", "access": "public", "host": None}
                for id in ids
            ],
        )
        rows = [{"record": id, "hash": random.getrandbits(63)} for id in ids for _ in range(200)]
        connection.execute(tables.sketches.insert(), rows)
    asked = sketches.of("vc:500")
    start = time.perf_counter()
    assert sketches.sharing(asked, 5) == [("vc:500", 200, 200)]
    assert time.perf_counter() - start < 0.5
