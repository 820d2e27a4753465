"""Records that wait for a librarian."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from kb.config import Config
from kb.database import Store
from kb.records import Record
from kb.reviews import Reviews


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(Config(data=tmp_path))
    for number in range(1, 6):
        opened.save(Record(id=f"vc:{number}", title=f"Titre {number}"))
    yield opened
    opened.close()


@pytest.fixture
def reviews(store: Store) -> Reviews:
    return Reviews(store.database)


def waiting(reviews: Reviews, limit: int = 100, offset: int = 0, batch: int | None = None) -> list[str]:
    return [review.record for review in reviews.waiting(limit, offset, batch)]


def test_a_record_waits_until_somebody_has_looked_at_it(reviews: Reviews):
    found = {"title": "première page", "date": "nom du fichier « été »"}
    reviews.open("vc:1", found, batch=3)
    review = reviews.get("vc:1")
    assert review is not None
    assert (review.record, review.batch, review.found) == ("vc:1", 3, found)
    assert (reviews.waiting(10), reviews.count()) == ((review,), 1)
    assert reviews.close("vc:1")
    assert (reviews.get("vc:1"), reviews.waiting(10), reviews.count()) == (None, (), 0)


def test_what_does_not_wait_cannot_be_looked_at_twice(reviews: Reviews):
    reviews.open("vc:1", {})
    assert [reviews.close(id) for id in ("vc:2", "vc:1", "vc:1")] == [False, True, False]


def test_records_wait_in_the_order_in_which_they_came(reviews: Reviews):
    for number in (4, 2, 5, 1):
        reviews.open(f"vc:{number}", {})
    assert waiting(reviews) == ["vc:4", "vc:2", "vc:5", "vc:1"]
    assert waiting(reviews, limit=2, offset=1) == ["vc:2", "vc:5"]
    assert waiting(reviews, limit=2, offset=4) == []


def test_a_record_that_waits_keeps_its_place_and_says_what_was_found_last(reviews: Reviews):
    reviews.open("vc:1", {"title": "nom du fichier"}, batch=1)
    first = reviews.get("vc:1")
    reviews.open("vc:2", {}, batch=1)
    reviews.open("vc:1", {"title": "première page"}, batch=2)
    again = reviews.get("vc:1")
    assert first is not None
    assert again is not None
    assert (again.since, again.batch, again.found) == (first.since, 2, {"title": "première page"})
    assert waiting(reviews) == ["vc:1", "vc:2"]


def test_a_record_that_was_looked_at_waits_anew_at_the_end(reviews: Reviews):
    for id in ("vc:1", "vc:2"):
        reviews.open(id, {})
    reviews.close("vc:1")
    reviews.open("vc:1", {})
    assert waiting(reviews) == ["vc:2", "vc:1"]


def test_those_of_one_deposit_are_told_apart(reviews: Reviews):
    for number, batch in enumerate((7, 8, None, 7), start=1):
        reviews.open(f"vc:{number}", {}, batch)
    assert waiting(reviews, batch=7) == ["vc:1", "vc:4"]
    assert [reviews.count(batch) for batch in (7, 8, 9, None)] == [2, 1, 0, 4]


def test_only_a_record_that_exists_can_wait(reviews: Reviews):
    with pytest.raises(IntegrityError):
        reviews.open("vc:99", {})
    assert reviews.count() == 0


def test_a_deleted_record_waits_no_more(store: Store, reviews: Reviews):
    reviews.open("vc:1", {})
    reviews.open("vc:2", {})
    store.delete("vc:1")
    assert waiting(reviews) == ["vc:2"]


def test_what_waits_is_saved_with_its_record_or_not_at_all(store: Store, reviews: Reviews):
    def fail() -> None:
        with store.transaction():
            store.save(Record(id="vc:9", title="Perdu"))
            reviews.open("vc:9", {})
            reviews.close("vc:1")
            assert waiting(reviews) == ["vc:9"]
            raise KeyError

    reviews.open("vc:1", {})
    with pytest.raises(KeyError):
        fail()
    assert waiting(reviews) == ["vc:1"]
