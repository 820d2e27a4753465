"""Works of several centres, found as records change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import gathering
from ingest.gathering import gather
from kb.config import Config
from kb.database import Store
from kb.errors import InvalidRecord
from kb.mirrors import Mirrors, Origin
from kb.records import Agent, Record, Subject
from kb.sharing import Shared
from kb.works import Works
from search import indexing
from search.memory import MemoryEngine

DULAC = {
    "title": "Les conseils citoyens à l’épreuve du terrain",
    "date": "2016",
    "agents": (Agent("Dulac, Irène"),),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(Config(data=tmp_path / "data"))
    yield opened
    opened.close()


@pytest.fixture
def works(store: Store) -> Works:
    return Works(store)


def ours(store: Store, id: str = "ici:1", **fields: object) -> Record:
    record = Record(id=id, **({**DULAC} | fields))  # type: ignore[arg-type]
    store.save(record)
    return record


def theirs(store: Store, id: str = "labo:1", local: tuple[Subject, ...] = (), **fields: object) -> None:
    record = Record(id=id, **({**DULAC} | fields))  # type: ignore[arg-type]
    origin = Origin(centre=record.centre, source=1, identifier=f"oai:{id}", datestamp="2026-01-01")
    Mirrors(store, "ici").keep(Shared(record), origin, local=local)


def drop(store: Store, id: str) -> None:
    origin = Origin(centre=id.partition(":")[0], source=1, identifier=f"oai:{id}", datestamp="2026-01-02")
    Mirrors(store, "ici").drop(id, origin)


def group(works: Works, id: str) -> tuple[str, ...]:
    return works.members([id])[id]


def test_nothing_is_done_where_no_other_centre_is_known(store: Store, works: Works) -> None:
    ours(store)
    assert gather(store, works) == 0
    assert works.reached() == 0


def test_the_first_record_that_comes_is_compared_with_all_that_were_here(store: Store, works: Works) -> None:
    ours(store)
    ours(store, "ici:2", title="Autre chose encore")
    gather(store, works)
    theirs(store, title="Conseils citoyens (les) à l'épreuve du terrain", date="2016-05")
    assert gather(store, works) == 3
    assert group(works, "labo:1") == ("ici:1", "labo:1")
    assert gather(store, works) == 0


def test_whoever_saves_or_deletes_a_record_its_work_follows(store: Store, works: Works) -> None:
    record = ours(store)
    theirs(store)
    theirs(store, "cites:1")
    gather(store, works)
    assert group(works, "ici:1") == ("cites:1", "ici:1", "labo:1")
    store.save(dataclasses.replace(record, title="Jardins partagés et compostage", agents=()))
    gather(store, works)
    assert (group(works, "ici:1"), group(works, "labo:1")) == (("ici:1",), ("cites:1", "labo:1"))
    store.save(record)
    drop(store, "cites:1")
    gather(store, works)
    assert group(works, "ici:1") == ("ici:1", "labo:1")
    store.delete("ici:1")
    gather(store, works)
    assert group(works, "labo:1") == ("labo:1",)


def test_tomes_of_one_work_are_several(store: Store, works: Works) -> None:
    ours(store, title="Atlas des quartiers, tome 1")
    theirs(store, title="Atlas des quartiers, tome 2")
    gather(store, works)
    assert group(works, "ici:1") == ("ici:1",)


def test_what_is_cut_short_goes_on_where_it_was(
    store: Store, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "BATCH", 2)
    for number in range(1, 5):
        ours(store, f"ici:{number}", title=f"{DULAC['title']}, tome {number}")
        theirs(store, f"labo:{number}", title=f"{DULAC['title']}, tome {number}")
    assert gather(store, works, most=3) == 4
    assert works.reached() == 4
    placed = works.place

    def fail_at_last(record: Record, *rest: object) -> bool:
        if record.id == "labo:4":
            raise InvalidRecord("title", "is empty")
        return placed(record, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(works, "place", fail_at_last)
    with pytest.raises(InvalidRecord):
        gather(store, works)
    assert works.reached() == 6
    assert group(works, "ici:4") == ("ici:4",)
    monkeypatch.undo()
    assert gather(store, works) == 2
    assert [group(works, f"ici:{n}") for n in (1, 4)] == [("ici:1", "labo:1"), ("ici:4", "labo:4")]


def test_our_own_subjects_on_a_record_say_nothing_of_its_work(store: Store, works: Works) -> None:
    ours(store)
    theirs(store)
    gather(store, works)
    engine, last = MemoryEngine(), works.position()
    indexing.sync(store, engine)
    theirs(store, local=(Subject(concept="urn:x"),))
    gather(store, works)
    assert works.position() == last + 1  # the line of the change itself
    indexing.sync(store, engine)
    assert list(engine.ids()) == ["ici:1"]
    assert indexing.check(store, engine) == []
