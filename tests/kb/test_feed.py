"""The change feed as other centres read it: for whom, in which sets, at what times, and without gaps."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.config import Config
from kb.database import Store
from kb.errors import NotFound
from kb.feed import Feed, Window
from kb.network_tables import memberships
from kb.records import ACCESS, Record, Subject
from kb.sharing import Audience
from kb.tables import changes
from kb.thesaurus import Concept, Scheme, Thesaurus


@pytest.fixture
def store(database, tmp_path: Path) -> Store:
    made = Store(str(database.engine.url), tmp_path)
    yield made
    made.close()


def told(
    feed: Feed, audience: Audience, *, set: str | None = None, since=None, before=None
) -> dict[str, bool]:
    """Ids that the audience is told of, and whether as deleted; read three at a time."""
    window, found = feed.window(audience, set=set, since=since, before=before), {}
    while page := feed.page(window, 3):
        assert not set_of(page) & found.keys()
        found |= {line.id: line.deleted for line in page}
        window = dataclasses.replace(window, after=page[-1].seq)
    return found


def set_of(page) -> set[str]:
    return {line.id for line in page}


def test_each_audience_is_told_of_what_is_for_it(store: Store):
    for number, access in enumerate(("public", "network", "onsite", "staff"), start=1):
        store.save(Record(id=f"a:{number}", title="Un titre", access=access))
    assert told(store.feed, Audience.PUBLIC) == {"a:1": False, "a:3": False}
    assert told(store.feed, Audience.NETWORK) == {"a:1": False, "a:2": False, "a:3": False}


def test_what_may_no_more_be_shown_is_told_as_deleted_to_those_who_knew_it(store: Store):
    store.save(Record(id="a:1", title="Un titre"))
    store.save(Record(id="a:1", title="Un titre", access="staff"))
    store.save(Record(id="a:2", title="Jamais montré", access="staff"))
    store.delete("a:2")
    assert told(store.feed, Audience.PUBLIC) == {"a:1": True}
    store.save(Record(id="a:1", title="Un titre", access="network"))
    assert told(store.feed, Audience.PUBLIC) == {"a:1": True}
    assert told(store.feed, Audience.NETWORK) == {"a:1": False}


def test_a_deletion_is_told_for_ever(store: Store):
    store.save(Record(id="a:1", title="Un titre", type="rapport"))
    store.delete("a:1")
    assert told(store.feed, Audience.PUBLIC) == {"a:1": True}
    assert told(store.feed, Audience.PUBLIC, set="type:rapport") == {"a:1": True}
    assert store.feed.get("a:1", Audience.PUBLIC).deleted


def test_nobody_is_told_of_a_record_that_never_was_shown(store: Store):
    store.save(Record(id="a:1", title="Un titre", access="staff"))
    with pytest.raises(NotFound):
        store.feed.get("a:1", Audience.NETWORK)


def test_a_record_that_leaves_a_set_is_told_there_as_deleted(store: Store):
    store.save(Record(id="a:1", title="Un titre", series="Les Cahiers", type="cahier"))
    store.save(Record(id="a:1", title="Un titre", series="Études & débats", type="cahier"))
    assert told(store.feed, Audience.PUBLIC, set="collection:les-cahiers") == {"a:1": True}
    assert told(store.feed, Audience.PUBLIC, set="collection:etudes-debats") == {"a:1": False}
    assert store.feed.get("a:1", Audience.PUBLIC).sets == (
        "centre:a",
        "collection:etudes-debats",
        "type:cahier",
    )


def test_sets_are_those_that_hold_something_to_tell(store: Store):
    store.save(Record(id="a:1", title="Un titre", type="rapport"))
    store.save(Record(id="a:2", title="Pour le réseau", type="guide", access="network"))
    assert store.feed.sets(Audience.PUBLIC) == (("centre:a", "a"), ("type:rapport", "Rapport"))
    assert ("type:guide", "Guide méthodologique") in store.feed.sets(Audience.NETWORK)


def test_a_theme_set_holds_what_is_on_narrower_themes(store: Store):
    base = "https://exemple.fr/t/"
    concepts = (
        Concept(uri=base + "T1", scheme="themes", label="Éducation", narrower=(base + "T1-1",)),
        Concept(uri=base + "T1-1", scheme="themes", label="Parentalité", broader=(base + "T1",)),
    )
    store.save_thesaurus(Thesaurus(concepts, (Scheme("themes", base + "s", "Thèmes"),)))
    store.save(Record(id="a:1", title="Un titre", subjects=(Subject(concept=base + "T1-1"),)))
    assert told(store.feed, Audience.PUBLIC, set="theme:T1") == {"a:1": False}
    assert ("theme:T1-1", "Parentalité") in store.feed.sets(Audience.PUBLIC)


def test_a_window_is_frozen_what_changes_meanwhile_comes_in_the_next_one(store: Store):
    for number in range(1, 6):
        store.save(Record(id=f"a:{number}", title="Un titre"))
    window = store.feed.window(Audience.PUBLIC)
    first = store.feed.page(window, 2)
    store.save(Record(id="a:1", title="Un autre"))
    store.save(Record(id="a:4", title="Un autre"))
    rest = store.feed.page(dataclasses.replace(window, after=first[-1].seq), 10)
    assert [line.id for line in (*first, *rest)] == ["a:1", "a:2", "a:3", "a:5"]
    later = store.feed.page(Window(audience=Audience.PUBLIC, after=window.last, last=99), 10)
    assert [line.id for line in later] == ["a:1", "a:4"]


def test_times_cut_the_feed_at_whole_seconds_both_included(store: Store, monkeypatch: pytest.MonkeyPatch):
    begin = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
    for number in range(1, 5):
        at(monkeypatch, begin + timedelta(milliseconds=700 * number))
        store.save(Record(id=f"a:{number}", title="Un titre"))
    second = begin + timedelta(seconds=1)
    assert set(told(store.feed, Audience.PUBLIC, since=second)) == {"a:2", "a:3", "a:4"}
    assert set(told(store.feed, Audience.PUBLIC, since=second, before=second + timedelta(seconds=1))) == {
        "a:2"
    }
    assert store.feed.earliest() == begin + timedelta(milliseconds=700)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return moment

    monkeypatch.setattr("kb.feed.datetime", Clock)


def test_a_clock_that_goes_back_does_not_take_times_back(store: Store, monkeypatch: pytest.MonkeyPatch):
    late = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
    at(monkeypatch, late)
    store.save(Record(id="a:1", title="Un titre"))
    at(monkeypatch, late - timedelta(hours=2))
    store.save(Record(id="a:2", title="Un titre"))
    assert [change.at for change in store.changes(0)] == [late, late]


def test_all_changes_of_a_transaction_have_the_time_of_its_end(store: Store, monkeypatch: pytest.MonkeyPatch):
    begin = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
    with store.transaction():
        at(monkeypatch, begin)
        store.save(Record(id="a:1", title="Un titre"))
        at(monkeypatch, begin + timedelta(minutes=9))
        store.save(Record(id="a:2", title="Un titre"))
    assert {change.at for change in store.changes(0)} == {begin + timedelta(minutes=9)}


def test_an_old_fund_gets_its_sets_once(store: Store, tmp_path: Path):
    store.save(Record(id="a:1", title="Un titre", type="rapport"))
    with store.database.writing() as connection:  # as a former version left it
        connection.execute(memberships.delete())
        connection.execute(changes.update().values(told="public", audience="public"))
    store.feed.place_former(iter(store.get_many(["a:1"]).values()), store.thesaurus)
    assert told(store.feed, Audience.PUBLIC, set="type:rapport") == {"a:1": False}
    assert ("type:rapport", "Rapport") in store.feed.sets(Audience.PUBLIC)
    store.feed.place_former(iter([None]), store.thesaurus)  # not looked at again


def test_an_old_fund_tells_nothing_of_what_stays_and_keeps_the_sets_that_it_has(store: Store):
    store.save(Record(id="a:1", title="Un titre", type="rapport"))
    store.save(Record(id="a:2", title="Un titre", type="guide", access="staff"))
    store.feed.place_former(iter(store.get_many(["a:1", "a:2"]).values()), store.thesaurus)
    assert told(store.feed, Audience.PUBLIC, set="type:rapport") == {"a:1": False}
    assert told(store.feed, Audience.NETWORK, set="type:guide") == {}
    assert "type:guide" not in dict(store.feed.sets(Audience.NETWORK))


def test_a_fund_is_opened_while_somebody_else_writes(store: Store, tmp_path: Path):
    config = Config(data=tmp_path)
    Store.open(config).close()  # the first time, it may have to write
    other = sqlite3.connect(config.database.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    Store.open(config).close()
    assert time.monotonic() - begun < 10  # whoever has to wait waits for thirty seconds, then fails
    other.close()


def test_what_is_caught_inside_a_transaction_leaves_lines_of_the_time_of_its_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    begin = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
    with store.transaction():
        at(monkeypatch, begin)
        with monkeypatch.context() as broken:
            broken.setattr("kb.feed._place", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                store.save(Record(id="a:1", title="Un titre"))
        at(monkeypatch, begin + timedelta(minutes=9))
    assert {change.at for change in store.changes(0)} == {begin + timedelta(minutes=9)}


@pytest.mark.parametrize("set", [None, "type:document"])
def test_no_page_of_the_feed_looks_through_all_memberships(store: Store, set: str | None):
    store.save(Record(id="a:1", title="Un titre"))
    plans = []

    def explain(connection, cursor, statement, parameters, *_):
        if statement.startswith("SELECT"):
            plans.extend(cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

    sa.event.listen(store.database.engine, "before_cursor_execute", explain)
    window = store.feed.window(Audience.PUBLIC, set=set)
    assert [line.id for line in store.feed.page(window, 10)] == ["a:1"]
    assert store.feed.get("a:1", Audience.PUBLIC).sets
    looked = [plan[-1] for plan in plans if "memberships" in plan[-1]]
    assert looked
    assert not [plan for plan in looked if "SEARCH memberships" not in plan or "ANY(" in plan]


STEPS = st.lists(
    st.tuples(
        st.integers(1, 6), st.sampled_from([*ACCESS, "deleted"]), st.sampled_from(["rapport", "guide"])
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, cuts=st.sets(st.integers(0, 24)))
def test_who_follows_by_windows_holds_what_may_be_shown(empty_database: Path, tmp_path_factory, steps, cuts):
    folder = tmp_path_factory.mktemp("feed")
    shutil.copy(empty_database, folder / "kb.sqlite")
    store = Store(f"sqlite:///{folder / 'kb.sqlite'}", folder)
    followers = {audience: ({}, 0) for audience in (Audience.PUBLIC, Audience.NETWORK)}
    sets = {audience: ({}, 0) for audience in followers}
    try:
        for number, (id, access, type) in enumerate(steps):
            if access != "deleted":
                store.save(Record(id=f"a:{id}", title="Un titre", type=type, access=access))
            elif store.get_many([f"a:{id}"]):
                store.delete(f"a:{id}")
            if number in cuts:
                followers = {a: follow(store, a, *held) for a, held in followers.items()}
                sets = {a: follow(store, a, *held, set="type:guide") for a, held in sets.items()}
        held = {record.id: record for record in store.get_many([f"a:{id}" for id in range(1, 7)]).values()}
        for audience, seen in (
            (Audience.PUBLIC, ("public", "onsite")),
            (Audience.NETWORK, (*ACCESS[:2], "onsite")),
        ):
            shown = {id for id, record in held.items() if record.access in seen}
            assert set(follow(store, audience, *followers[audience])[0]) == shown
            guides = {id for id in shown if held[id].type == "guide"}
            assert set(follow(store, audience, *sets[audience], set="type:guide")[0]) == guides
    finally:
        store.close()


def follow(store: Store, audience: Audience, held: dict, after: int, set: str | None = None):
    window = store.feed.window(audience, set=set)
    window, kept = dataclasses.replace(window, after=after), dict(held)
    for line in store.feed.page(window, 1000):
        kept.pop(line.id, None) if line.deleted else kept.update({line.id: line})
    return kept, window.last
