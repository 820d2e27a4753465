"""The history of records, which saving and deleting keep."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kb.audit import SYSTEM, acting
from kb.config import Config
from kb.database import Store
from kb.errors import InvalidRecord, NotFound
from kb.records import Agent, Copy, Evidence, File, Page, Record, Subject
from kb.versions import Version, Versions


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(Config(data=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def versions(store: Store) -> Versions:
    return Versions(store.database)


def titles(some: tuple[Version, ...]) -> list[tuple[int, str]]:
    return [(version.number, version.record.title) for version in some]


def test_each_change_keeps_what_the_record_said_before(store: Store, versions: Versions):
    made = Record(id="vc:1", title="Un")
    store.save(made)
    assert versions.of("vc:1") == ()
    store.save(dataclasses.replace(made, title="Deux"))
    store.save(dataclasses.replace(made, title="Trois"))
    assert titles(versions.of("vc:1")) == [(2, "Deux"), (1, "Un")]
    assert store.get("vc:1").title == "Trois"


def test_a_version_holds_the_whole_record_and_says_who_changed_it_when(store: Store, versions: Versions):
    made = Record(
        id="vc:1",
        title="L’école « hors les murs »",
        agents=(Agent("Fanon, Ana"), Agent("Ville Caraïbe", "publisher", "body")),
        date="2014-03",
        copies=(Copy("JEU 12", status="lent"),),
        files=(File(sha256="0" * 64, name="a.pdf", media_type="application/pdf", size=3),),
        keywords=("jeu", "école"),
        identifiers={"isbn": "9782070360024"},
        access="staff",
    )
    with acting("personne:1"):
        store.save(made, [Page(1, "a")])
    before, start = store.get("vc:1"), datetime.now(UTC)
    with acting("personne:2"):
        store.save(dataclasses.replace(made, title="Autre"))
    (version,) = versions.of("vc:1")
    assert version == Version(number=1, at=version.at, actor="personne:2", record=before)
    assert start <= version.at <= datetime.now(UTC)
    assert version == versions.get("vc:1", 1)


def test_nobody_in_particular_changes_records_too(store: Store, versions: Versions):
    for title in ("Un", "Deux"):
        store.save(Record(id="vc:1", title=title))
    assert versions.get("vc:1", 1).actor == SYSTEM


def test_nothing_is_kept_when_nothing_changed_or_the_change_is_refused(store: Store, versions: Versions):
    made = Record(id="vc:1", title="Un")
    store.save(made, [Page(1, "a")])
    store.save(made)
    store.save(made, [Page(1, "a")])
    store.save(store.get("vc:1"))
    with pytest.raises(InvalidRecord):
        store.save(dataclasses.replace(made, title=""))
    with pytest.raises(NotFound):
        store.delete("vc:2")
    assert (versions.of("vc:1"), versions.of("vc:2")) == ((), ())


def test_a_change_that_is_rolled_back_keeps_no_version(store: Store, versions: Versions):
    store.save(Record(id="vc:1", title="Un"))

    def fail() -> None:
        with store.transaction():
            store.save(Record(id="vc:1", title="Perdu"))
            store.delete("vc:1")
            assert titles(versions.of("vc:1")) == [(2, "Perdu"), (1, "Un")]
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert versions.of("vc:1") == ()
    store.save(Record(id="vc:1", title="Deux"))
    assert titles(versions.of("vc:1")) == [(1, "Un")]


def test_a_deletion_keeps_the_last_version_and_a_record_put_back_goes_on_counting(
    store: Store, versions: Versions
):
    for title in ("Un", "Deux"):
        store.save(Record(id="vc:1", title=title))
    with acting("personne:5"):
        store.delete("vc:1")
    last = versions.of("vc:1")[0]
    assert (last.number, last.record.title, last.actor) == (2, "Deux", "personne:5")
    store.save(last.record)
    assert len(versions.of("vc:1")) == 2
    store.save(dataclasses.replace(last.record, title="Trois"))
    assert titles(versions.of("vc:1")) == [(3, "Deux"), (2, "Deux"), (1, "Un")]


def test_a_version_has_the_subjects_without_the_words_that_made_them(store: Store, versions: Versions):
    subject = Subject(concept="https://x/T01", score=0.5, evidence=(Evidence(1, 0, 5, "Santé"),))
    made = Record(id="vc:1", title="Un", subjects=(subject,))
    store.save(made, [Page(1, "Santé")])
    store.save(dataclasses.replace(made, title="Deux"))
    assert versions.get("vc:1", 1).record.subjects == (dataclasses.replace(subject, evidence=()),)
    assert store.get("vc:1").subjects == (subject,)


def test_the_histories_of_two_records_are_two(store: Store, versions: Versions):
    for title in ("Un", "Deux"):
        store.save(Record(id="vc:1", title=title))
        store.save(Record(id="vc:11", title=title + " aussi"))
    assert titles(versions.of("vc:1")) == [(1, "Un")]
    assert titles(versions.of("vc:11")) == [(1, "Un aussi")]


def test_of_a_long_history_the_newest_are_shown(store: Store, versions: Versions):
    for number in range(1, 7):
        store.save(Record(id="vc:1", title=f"Titre {number}"))
    assert [version.number for version in versions.of("vc:1", limit=2)] == [5, 4]


@pytest.mark.parametrize(("record", "number"), [("vc:1", 0), ("vc:1", 2), ("vc:2", 1), ("", 1)])
def test_a_version_that_never_was_is_not_found(store: Store, versions: Versions, record: str, number: int):
    for title in ("Un", "Deux"):
        store.save(Record(id="vc:1", title=title))
    with pytest.raises(NotFound) as caught:
        versions.get(record, number)
    assert caught.value.what == "version"
