import dataclasses
import multiprocessing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from kb import config, tables
from kb.database import Store
from kb.errors import InvalidRecord, NotFound
from kb.records import Copy, Page, Record
from kb.thesaurus import Concept, Thesaurus


@pytest.fixture
def store(tmp_path: Path):
    opened = Store.open(config.Config(data=tmp_path))
    yield opened
    opened.close()


def record(store: Store, **fields) -> Record:
    return Record(id=store.new_id("vc"), **{"title": "Un titre", **fields})


def test_what_is_saved_is_read_back_with_its_pages(store: Store):
    saved = record(store, identifiers={"isbn": "9782070360024"})
    pages = (Page(1, "Première", "i", 0.5), Page(2, "Deuxième"))
    assert store.save(saved, pages)
    assert dataclasses.replace(store.get(saved.id), created=None, updated=None) == saved
    assert store.pages(saved.id) == pages
    assert store.page(saved.id, 2) == pages[1]
    assert store.page_texts([(saved.id, 1), (saved.id, 9), ("vc:99", 1)]) == {(saved.id, 1): "Première"}


def test_saving_the_same_again_changes_nothing(store: Store):
    saved = record(store)
    store.save(saved, [Page(1, "a")])
    before = store.position()
    assert not store.save(saved, [Page(1, "a")])
    assert not store.save(saved)
    assert not store.save(store.get(saved.id))
    assert store.position() == before


def test_changed_pages_alone_are_a_change_and_created_stays(store: Store):
    saved = record(store)
    store.save(saved, [Page(1, "a"), Page(2, "b")])
    created = store.get(saved.id).created
    assert store.save(saved, [Page(1, "c")])
    assert [p.text for p in store.pages(saved.id)] == ["c"]
    again = store.get(saved.id)
    assert again.created == created
    assert again.updated > created


def test_the_feed_has_each_record_once_with_its_last_change(store: Store):
    first, second = record(store), record(store)
    store.save(first)
    store.save(second)
    middle = store.position()
    store.save(dataclasses.replace(first, title="Autre"))
    store.delete(second.id)
    assert [(c.id, c.deleted) for c in store.changes(0)] == [(first.id, False), (second.id, True)]
    assert [c.id for c in store.changes(middle, limit=1)] == [first.id]
    assert store.changes(store.position()) == []


def test_a_deleted_record_is_gone_and_its_number_is_not_given_again(store: Store):
    gone = record(store)
    store.save(gone, [Page(1, "a")])
    store.delete(gone.id)
    with pytest.raises(NotFound):
        store.get(gone.id)
    with pytest.raises(NotFound):
        store.delete(gone.id)
    assert store.pages(gone.id) == ()
    assert store.find("title", "Un titre") == ()
    assert store.new_id("vc") != gone.id


def test_records_are_found_by_their_keys(store: Store):
    host = record(store, title="Cahier n° 1", identifiers={"issn": "0317-8471"})
    part = record(store, title="L’École", host=host.id, copies=(Copy("JEU 12"),), source="/fonds/a.pdf")
    store.save(host)
    store.save(part)
    assert store.find("host", host.id) == (part.id,)
    assert store.find("title", "l'ecole") == (part.id,)
    assert store.find("call_number", "jeu 12") == (part.id,)
    assert store.find("source", "/fonds/a.pdf") == (part.id,)
    assert store.find("issn", "0317-8471") == (host.id,)
    store.save(dataclasses.replace(part, host=None))
    assert store.find("host", host.id) == ()


def test_a_failed_transaction_leaves_nothing(store: Store):
    kept = record(store)
    store.save(kept)
    before = store.position()

    def fail() -> None:
        with store.transaction():
            store.save(record(store, title="Perdu"), [Page(1, "x")])
            assert len(store) == 2
            store.save(Record(id="vc:77", title=""))

    with pytest.raises(InvalidRecord):
        fail()
    assert (len(store), store.position()) == (1, before)
    assert store.find("title", "perdu") == ()


def test_latest_come_newest_first_without_parts(store: Store):
    host = record(store, title="Cahier", type="cahier")
    store.save(host)
    store.save(record(store, title="Article", host=host.id))
    store.save(record(store, title="Guide", type="guide"))
    assert [r.title for r in store.latest(5)] == ["Guide", "Cahier"]
    assert [r.title for r in store.latest(5, ["cahier"])] == ["Cahier"]


def test_ids_walk_through_all_records(store: Store):
    with store.transaction():
        made = [record(store) for _ in range(1500)]
        for one in made:
            store.save(one)
    assert sorted(store.ids()) == sorted(one.id for one in made)
    assert len(store.get_many([one.id for one in made])) == 1500


def test_a_new_vocabulary_puts_every_record_in_the_feed_again(store: Store):
    store.save(record(store))
    before = store.position()
    thesaurus = Thesaurus((Concept(uri="https://x/T01", scheme="themes", label="Santé"),))
    assert store.thesaurus() == Thesaurus(())
    assert store.save_thesaurus(thesaurus)
    assert store.thesaurus() == thesaurus
    assert len(store.changes(before)) == 1
    assert not store.save_thesaurus(thesaurus)


def _save_many(folder: Path, count: int) -> None:
    store = Store.open(config.Config(data=folder))
    for number in range(count):
        store.save(Record(id=store.new_id("vc"), title=f"Titre {number}"))
    store.close()


def test_two_processes_write_at_once_without_losing_anything(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_save_many, args=(tmp_path, 40)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    store = Store.open(config.Config(data=tmp_path))
    assert len(store) == 80
    assert [c.seq for c in store.changes(0)] == list(range(1, 81))
    store.close()


def test_the_migrations_make_the_tables_of_the_code(store: Store):
    with store.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_sqlite_is_set_for_safety(store: Store):
    with store.database.engine.connect() as connection:
        asked = [connection.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")]
    assert asked == ["wal", 2]
