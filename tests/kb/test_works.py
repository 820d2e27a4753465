"""Which records of several centres tell of one work, by a likeness that is plain to see: titles are numbers;
the same number is one work, neighbours may be, and three apart are two for certain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import works as kb_works
from kb.connection import Database
from kb.database import Store
from kb.mirrors import Mirrors, Origin
from kb.records import Page, Record
from kb.sharing import Audience, Shared
from kb.works import Standing, Works

_SCORES = {0: 0.9, 1: 0.6, 2: 0.3}


def like(a: Record, b: Record) -> float:
    return _SCORES.get(abs(int(a.title) - int(b.title)), 0.05)


def marks(record: Record) -> list[str]:
    number = int(record.title)
    return [f"n:{number + step}" for step in (-1, 0, 1)]


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Iterator[Store]:
    opened = Store(str(database.engine.url), tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def works(store: Store) -> Works:
    return Works(store)


def put(works: Works, id: str, number: int) -> bool:
    record = Record(id=id, title=str(number))
    works._store.save(record)
    return works.place(record, marks(record), like)


def drop(works: Works, id: str) -> bool:
    works._store.delete(id)
    return works.forget(id, like)


def group(works: Works, id: str) -> tuple[str, ...]:
    return works.members([id])[id]


def test_records_of_several_centres_that_are_alike_are_one_work(works: Works) -> None:
    assert not put(works, "a:1", 10)
    assert not put(works, "c:7", 40)
    assert put(works, "b:1", 10)
    assert put(works, "c:1", 11)
    everyone = ("a:1", "b:1", "c:1")
    assert works.members(["c:1", "a:1", "c:7", "x:9"]) == {
        "a:1": everyone,
        "c:1": everyone,
        "c:7": ("c:7",),
        "x:9": ("x:9",),
    }
    assert works.gathered() == everyone
    assert works.gathered("a:1", 1) == ("b:1",)


def test_two_of_one_centre_are_that_centres_own_business(works: Works) -> None:
    put(works, "a:1", 10)
    put(works, "a:2", 10)
    assert group(works, "a:1") == ("a:1",)
    put(works, "b:1", 10)
    assert (group(works, "b:1"), group(works, "a:2")) == (("a:1", "b:1"), ("a:2",))


def test_centres_whose_codes_begin_alike_are_not_taken_for_one(works: Works) -> None:
    put(works, "a-b:1", 10)
    put(works, "a:1", 10)
    assert group(works, "a:1") == ("a-b:1", "a:1")


def test_two_that_plainly_differ_are_not_one_work_through_a_third(works: Works) -> None:
    put(works, "a:1", 10)
    put(works, "b:1", 11)
    put(works, "c:1", 13)
    put(works, "d:1", 12)
    assert [group(works, id) for id in ("a:1", "c:1")] == [("a:1", "b:1", "d:1"), ("c:1",)]


def test_the_surest_are_joined_first_whatever_the_order_in_which_they_come(works: Works) -> None:
    put(works, "a:1", 10)
    put(works, "b:1", 12)
    assert group(works, "a:1") == ("a:1",)
    put(works, "c:1", 11)
    assert group(works, "a:1") == ("a:1", "b:1", "c:1")
    put(works, "d:1", 14)
    put(works, "d:2", 12)
    assert group(works, "b:1") == ("a:1", "b:1", "c:1", "d:2")


def test_a_work_comes_apart_when_a_record_changes_or_goes(works: Works) -> None:
    for id, number in (("a:1", 10), ("b:1", 11), ("c:1", 12)):
        put(works, id, number)
    assert group(works, "a:1") == ("a:1", "b:1", "c:1")
    assert put(works, "b:1", 30)
    assert [group(works, id) for id in ("a:1", "b:1", "c:1")] == [("a:1",), ("b:1",), ("c:1",)]
    assert put(works, "b:1", 11)
    assert drop(works, "a:1")
    assert group(works, "b:1") == ("b:1", "c:1")
    assert group(works, "a:1") == ("a:1",)
    assert drop(works, "b:1")
    assert works.gathered() == ()
    assert not works.forget("b:1", like)


def test_a_record_that_was_deleted_but_not_yet_forgotten_joins_nothing(works: Works) -> None:
    put(works, "a:1", 10)
    works._store.delete("a:1")
    put(works, "b:1", 10)
    put(works, "c:1", 10)
    assert group(works, "b:1") == ("b:1", "c:1")


def test_what_is_common_to_many_is_looked_at_for_some_of_them_only(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kb_works, "MOST_COMPARED", 3)
    for number in range(1, 9):
        put(works, f"b:{number}", 10)
    compared: list[str] = []

    def counting(a: Record, b: Record) -> float:
        compared.append(b.id)
        return 0.0

    record = Record(id="a:1", title="10")
    works._store.save(record)
    works.place(record, marks(record), counting)
    assert compared == ["b:1", "b:2", "b:3"]


# -- what the index must take in


def test_records_whose_work_changed_are_told_to_the_index_and_to_nobody_else(
    store: Store, works: Works
) -> None:
    put(works, "a:1", 10)
    put(works, "c:1", 40)
    put(works, "b:1", 10)
    last = store.position()
    assert works.position() == last + 2
    assert [id for _, id in works.changes(last)] == ["a:1", "b:1"]
    window = store.feed.window(Audience.PUBLIC)
    assert [line.id for line in store.feed.page(window, 10)] == ["a:1", "c:1", "b:1"]
    put(works, "c:1", 41)
    assert [id for _, id in works.changes(last)] == ["a:1", "b:1", "c:1"]
    assert [id for _, id in works.changes(last, 1)] == ["a:1"]
    assert works.changes(works.position()) == []


def test_a_work_that_stays_as_it_was_is_not_told_again(store: Store, works: Works) -> None:
    put(works, "a:1", 10)
    put(works, "b:1", 10)
    last = works.position()
    assert not works.place(store.get("b:1"), marks(store.get("b:1")), like)
    assert works.position() == last


def test_places_come_in_one_order_with_those_of_the_change_feed(store: Store, works: Works) -> None:
    for number in range(1, 5):
        put(works, f"a:{number}", number * 10)
        put(works, f"b:{number}", number * 10)
    places = [place for place, _ in works.changes(0)]
    assert places == sorted(set(places))
    assert len(places) == 16
    read: list[tuple[int, str]] = []
    while some := works.changes(read[-1][0] if read else 0, 3):
        read += some
    assert read == works.changes(0)


def test_nothing_is_kept_of_a_transaction_that_fails(store: Store, works: Works) -> None:
    put(works, "a:1", 10)
    last = works.position()

    def fail() -> None:
        with store.transaction():
            put(works, "b:1", 10)
            works.reach(store.position())
            assert group(works, "a:1") == ("a:1", "b:1")
            store.save(Record(id="b:2", title=""))

    with pytest.raises(Exception, match="title"):
        fail()
    assert (group(works, "a:1"), works.position(), works.reached()) == (("a:1",), last, 0)


# -- following the feed, and what speaks for a record


def test_works_are_wanted_once_a_record_of_another_centre_came(store: Store, works: Works) -> None:
    store.save(Record(id="a:1", title="10"))
    assert not works.wanted()
    origin = Origin(centre="b", source=1, identifier="oai:b:1", datestamp="2024-01-01")
    Mirrors(store, "a").keep(Shared(Record(id="b:1", title="10")), origin)
    assert works.wanted()
    works.reach(2)
    works.reach(5)
    assert works.reached() == 5
    Mirrors(store, "a").forget(["b:1"])
    assert works.wanted()  # what went must still be forgotten


def test_what_speaks_for_a_record_is_its_text_and_whose_it_is(store: Store, works: Works) -> None:
    origin = Origin(centre="b", source=1, identifier="oai:b:1", datestamp="2024-01-01")
    Mirrors(store, "a").keep(Shared(Record(id="b:1", title="10"), (Page(1, "texte"),)), origin)
    store.save(Record(id="a:1", title="10"))
    assert works.standings(["a:1", "b:1", "c:1"]) == {
        "a:1": Standing(text=False, ours=True),
        "b:1": Standing(text=True, ours=False),
    }


steps = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(1, 2), st.none() | st.integers(10, 17)),
    min_size=1,
    max_size=14,
)


@given(steps, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_works_follow_from_what_records_are_not_from_what_they_were(works: Works, some, random) -> None:
    held: dict[str, int] = {}
    for centre, number, title in some:
        id = f"{centre}:{number}"
        if title is not None:
            held[id] = title
            put(works, id, title)
        elif held.pop(id, None) is not None:
            drop(works, id)
    ids = sorted(held)
    found = works.members(ids)
    for members in found.values():
        assert len({id.partition(":")[0] for id in members}) == len(members)
        assert all(abs(held[a] - held[b]) < 3 for a in members for b in members)
    for id in ids:
        drop(works, id)
    assert works.gathered() == ()
    random.shuffle(ids)
    for id in ids:
        put(works, id, held[id])
    again = works.members(ids)
    for id in ids:
        drop(works, id)
    assert again == found
