import dataclasses
import json
import multiprocessing
from pathlib import Path

import alembic.command
import alembic.config
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from kb import config, migrations, tables
from kb.audit import Action, Wanted, acting
from kb.database import Store
from kb.errors import InvalidRecord, NotFound
from kb.records import ACCESS, Copy, Evidence, Page, Quality, Record, State, Subject
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


def test_the_worst_pages_come_first_over_all_records_and_qualities(store: Store):
    bad = {1: (Quality.SCAN, 0.0), 2: (Quality.GARBLED, 0.4), 3: (Quality.SPLIT, 0.4), 4: (Quality.GOOD, 1.0)}
    for _ in range(2):
        pages = [Page(n, f"texte {n}", None, grade, quality) for n, (quality, grade) in bad.items()]
        store.save(record(store), pages)
    first, second = store.ids()
    order = [(id, number) for number in (1,) for id in (first, second)]
    order += [(id, number) for id in (first, second) for number in (2, 3)]
    asked = [Quality.SPLIT, Quality.SCAN, Quality.GARBLED]
    found = store.worst_pages(asked, 10)
    assert [(id, page.number) for id, page in found] == order
    assert [page.text for _, page in found] == [f"texte {number}" for _, number in order]
    cuts = [store.worst_pages(asked, 2, offset) for offset in (0, 2, 4, 6)]
    assert [row for cut in cuts for row in cut] == list(found)
    assert [page.quality for _, page in store.worst_pages([Quality.SPLIT], 10)] == [Quality.SPLIT] * 2
    assert store.worst_pages([], 10) == ()


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


# -- the audit trail of records


def said(store: Store) -> list[tuple[str, str, object, object]]:
    """The lines of the trail, oldest first."""
    lines = reversed(store.trail.lines(Wanted()))
    return [(line.action, line.object, line.before, line.after) for line in lines]


def test_a_new_record_leaves_a_line_with_all_it_holds(store: Store):
    with acting("personne:3"):
        made = record(store, keywords=("jeu",))
        store.save(made, [Page(1, "Première"), Page(2, "Deuxième")])
    (line,) = store.trail.lines(Wanted())
    assert (line.actor, line.action, line.object) == (
        "personne:3",
        Action.RECORD_CREATED,
        f"notice:{made.id}",
    )
    assert line.before is None
    assert line.after is not None
    assert (line.after["title"], line.after["keywords"]) == ("Un titre", ["jeu"])
    assert line.after["pages"].startswith("2 sha256:")
    assert "Première" not in json.dumps(line.after, ensure_ascii=False)
    assert not {"created", "updated"} & set(line.after)


def test_a_changed_record_leaves_a_line_with_the_fields_that_changed_only(store: Store):
    made = record(store, abstract="Un résumé", keywords=("jeu",))
    store.save(made, [Page(1, "a")])
    store.save(dataclasses.replace(made, title="Autre", abstract=None))
    store.save(dataclasses.replace(store.get(made.id), keywords=("jeu", "ville")))
    assert said(store)[1:] == [
        (
            Action.RECORD_CHANGED,
            f"notice:{made.id}",
            {"title": "Un titre", "abstract": "Un résumé"},
            {"title": "Autre", "abstract": None},
        ),
        (Action.RECORD_CHANGED, f"notice:{made.id}", {"keywords": ["jeu"]}, {"keywords": ["jeu", "ville"]}),
    ]


def test_changed_pages_are_told_by_their_number_and_a_digest(store: Store):
    made = record(store)
    store.save(made, [Page(1, "a")])
    store.save(made, [Page(1, "b"), Page(2, "c")])
    store.save(made, ())
    (_, changed, removed) = said(store)
    before, after = changed[2:]
    assert list(before) == list(after) == ["pages"]
    assert before["pages"].startswith("1 sha256:")
    assert after["pages"].startswith("2 sha256:")
    assert removed[2:] == ({"pages": after["pages"]}, {"pages": None})


def test_subjects_are_told_without_their_evidence(store: Store):
    subject = Subject(concept="https://x/T01", evidence=(Evidence(1, 0, 5, "Santé"),))
    made = record(store)
    store.save(made)
    store.save(dataclasses.replace(made, subjects=(subject,)))
    store.save(dataclasses.replace(made, subjects=(dataclasses.replace(subject, state=State.REFUSED),)))
    assert [line[3] for line in said(store)[1:]] == [
        {"subjects": ["https://x/T01 machine proposed"]},
        {"subjects": ["https://x/T01 machine refused"]},
    ]


def test_saving_the_same_again_leaves_no_line(store: Store):
    made = record(store)
    store.save(made, [Page(1, "a")])
    store.save(made, [Page(1, "a")])
    store.save(store.get(made.id))
    assert len(said(store)) == 1


def test_a_deleted_record_leaves_a_line_with_all_it_held(store: Store):
    made = record(store)
    store.save(made, [Page(1, "a")])
    store.delete(made.id)
    with pytest.raises(NotFound):
        store.delete(made.id)
    created, deleted = said(store)
    assert deleted == (Action.RECORD_DELETED, f"notice:{made.id}", created[3], None)


def test_a_save_that_is_rolled_back_leaves_no_line(store: Store):
    made = record(store)
    store.save(made)
    before = store.trail.head()

    def fail() -> None:
        with store.transaction():
            store.save(dataclasses.replace(made, title="Perdu"))
            store.save(record(store, title="Perdu aussi"))
            store.delete(made.id)
            assert len(said(store)) == 4
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(InvalidRecord):
        store.save(dataclasses.replace(made, title=""))
    assert store.trail.head() == before
    assert store.trail.verify() == (1, [])
    assert store.get(made.id).title == "Un titre"


def test_a_new_vocabulary_leaves_one_line(store: Store):
    thesaurus = Thesaurus((Concept(uri="https://x/T01", scheme="themes", label="Santé"),))
    store.save(record(store))
    store.save_thesaurus(thesaurus)
    store.save_thesaurus(thesaurus)
    assert said(store)[1:] == [(Action.THESAURUS_CHANGED, "thesaurus:1", None, {"concepts": 1})]


# -- who may see what


def test_latest_are_those_of_the_kinds_of_access_asked_for(store: Store):
    for access in ACCESS:
        store.save(record(store, title=access, access=access, type="guide"))
    store.save(record(store, title="autre", type="cahier"))
    assert [r.title for r in store.latest(9)] == ["autre", *reversed(ACCESS)]
    assert [r.title for r in store.latest(9, access=("public", "onsite"))] == ["autre", "onsite", "public"]
    assert [r.title for r in store.latest(1, access=("network",))] == ["network"]
    assert [r.title for r in store.latest(9, ["guide"], ("public", "staff"))] == ["staff", "public"]
    assert store.latest(9, access=()) == ()


def test_a_record_whose_access_changes_is_shown_to_others_at_once(store: Store):
    made = record(store)
    store.save(made)
    store.save(dataclasses.replace(made, access="staff"))
    assert store.latest(9, access=("public",)) == ()
    assert [r.id for r in store.latest(9, access=("staff",))] == [made.id]
    assert said(store)[1][2:] == ({"access": "public"}, {"access": "staff"})


# -- migrations


@pytest.fixture
def first_schema(tmp_path: Path) -> str:
    """Address of a database as the first release left it, with a record of each kind of access."""
    url = f"sqlite:///{tmp_path / 'kb.sqlite'}"
    engine = sa.create_engine(url)
    settings = alembic.config.Config()
    settings.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        alembic.command.upgrade(settings, "0001")
        for number, access in enumerate((*ACCESS, None), start=1):
            body = {"id": f"vc:{number}", "title": f"Titre {number}", "type": "guide"}
            connection.execute(
                sa.text(
                    "INSERT INTO records (id, centre, number, type, title, fingerprint, updated, body)"
                    " VALUES (:id, 'vc', :number, 'guide', :title, 'x', '2025-01-01T00:00:00+00:00', :body)"
                ),
                {
                    "id": body["id"],
                    "number": number,
                    "title": body["title"],
                    "body": json.dumps(body | ({"access": access} if access else {})),
                },
            )
    engine.dispose()
    return url


def test_the_second_schema_says_of_old_records_who_may_see_them(first_schema: str, tmp_path: Path):
    store = Store(first_schema, tmp_path)
    with store.database.reading() as connection:
        kept = connection.execute(sa.select(tables.records.c.id, tables.records.c.access)).all()
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    assert dict(map(tuple, kept)) == {
        **{f"vc:{number}": access for number, access in enumerate(ACCESS, start=1)},
        "vc:5": "public",
    }
    assert [r.id for r in store.latest(9, access=("public",))] == ["vc:5", "vc:1"]
    assert store.get("vc:3").access == "staff"
    assert store.trail.verify() == (0, [])
    store.close()


def test_an_old_database_brought_up_twice_is_as_brought_up_once(first_schema: str, tmp_path: Path):
    for _ in range(2):
        store = Store(first_schema, tmp_path)
        store.save(dataclasses.replace(store.get("vc:2"), title="Autre"))
        assert len(store) == 5
        store.close()


def test_an_old_database_gets_a_trail_that_nobody_can_change(first_schema: str, tmp_path: Path):
    store = Store(first_schema, tmp_path)
    store.save(record(store))
    with pytest.raises(IntegrityError, match="append-only"), store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM trail")
    assert store.trail.verify() == (1, [])
    store.close()
