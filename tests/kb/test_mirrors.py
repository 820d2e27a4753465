"""Records of other centres: kept as they were said, ours beside, and changed by their owner alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.audit import Wanted
from kb.database import Store
from kb.errors import InvalidRecord, Mirrored
from kb.jobs import Jobs
from kb.mirrors import Mirrors, Origin, Taken
from kb.reception import Reception
from kb.records import File, Page, Record, Subject
from kb.sharing import Shared
from kb.upkeep import examine

OURS = "ici"


@pytest.fixture
def store(database, tmp_path: Path) -> Store:
    made = Store(str(database.engine.url), tmp_path)
    yield made
    made.close()


@pytest.fixture
def mirrors(store: Store) -> Mirrors:
    return Mirrors(store, OURS)


def origin(centre: str = "la-bas", at: str = "2026-03-01T10:00:00Z", source: int = 1) -> Origin:
    return Origin(
        centre=centre, source=source, identifier="oai:x:1", datestamp=at, url="https://x.fr/notice/1"
    )


def shared(id: str = "la-bas:1", title: str = "Un titre", **fields) -> Shared:
    return Shared(Record(id=id, title=title, **fields), (Page(1, "Du texte"),))


def test_a_record_is_kept_as_it_came_with_its_text_and_where_it_came_from(store: Store, mirrors: Mirrors):
    assert mirrors.keep(shared(), origin()) is Taken.NEW
    assert store.as_received(["la-bas:1"])["la-bas:1"].title == "Un titre"
    assert store.pages("la-bas:1") == (Page(1, "Du texte"),)
    assert mirrors.origins(["la-bas:1"]) == {"la-bas:1": origin()}
    assert store.is_mirrored("la-bas:1")


def test_the_same_again_changes_nothing(store: Store, mirrors: Mirrors):
    mirrors.keep(shared(), origin())
    position = store.position()
    assert mirrors.keep(shared(), origin(at="2026-03-02T10:00:00Z")) is Taken.SAME
    assert store.position() == position
    assert mirrors.keep(shared(title="Un autre"), origin()) is Taken.CHANGED


def test_our_subjects_stand_beside_and_do_not_go_into_what_the_owner_said(store: Store, mirrors: Mirrors):
    theirs, mine = Subject(concept="https://x.fr/T1"), Subject(concept="https://ici.fr/T2")
    mirrors.keep(shared(subjects=(theirs,)), origin(), local=(mine,))
    assert store.get("la-bas:1").subjects == (theirs, mine)
    assert store.as_received(["la-bas:1"])["la-bas:1"].subjects == (theirs,)
    assert mirrors.retag("la-bas:1", ())
    assert store.get("la-bas:1").subjects == (theirs,)
    assert not mirrors.retag("la-bas:1", ())


def test_nobody_here_changes_or_deletes_it(store: Store, mirrors: Mirrors):
    mirrors.keep(shared(), origin())
    for change in (
        lambda: store.save(Record(id="la-bas:1", title="Mieux")),
        lambda: store.delete("la-bas:1"),
        lambda: store.save_page("la-bas:1", Page(1, "Autre")),
    ):
        with pytest.raises(Mirrored):
            change()
    assert store.get("la-bas:1").title == "Un titre"


def test_a_record_of_our_own_that_comes_back_is_left_alone(store: Store, mirrors: Mirrors):
    store.save(Record(id="ici:1", title="Le nôtre"))
    assert mirrors.keep(shared("ici:1"), origin(), relayed=True) is Taken.OURS
    assert mirrors.drop("ici:1", origin(), relayed=True) is Taken.OURS
    assert store.get("ici:1").title == "Le nôtre"


def test_a_centre_speaks_for_itself_alone_unless_it_relays(mirrors: Mirrors):
    assert mirrors.keep(shared("tiers:1"), origin()) is Taken.FOREIGN
    assert mirrors.keep(shared("tiers:1"), origin(), relayed=True) is Taken.NEW


def test_an_owner_is_believed_before_those_who_relay(store: Store, mirrors: Mirrors):
    mirrors.keep(shared("tiers:1", "Relayé"), origin(at="2026-03-09T10:00:00Z"), relayed=True)
    assert mirrors.keep(shared("tiers:1", "De l’auteur"), origin("tiers", source=2)) is Taken.CHANGED
    relayed = origin(at="2026-04-01T10:00:00Z")
    assert mirrors.keep(shared("tiers:1", "Relayé encore"), relayed, relayed=True) is Taken.OLDER
    assert mirrors.drop("tiers:1", relayed, relayed=True) is Taken.OLDER
    assert store.get("tiers:1").title == "De l’auteur"


def test_an_envelope_that_was_long_on_its_way_does_not_undo_a_harvest(mirrors: Mirrors):
    mirrors.keep(shared(title="Nouveau"), origin(at="2026-03-09T10:00:00Z"))
    assert mirrors.keep(shared(title="Ancien"), origin(at="2026-03-01T10:00:00Z", source=0)) is Taken.OLDER


def test_a_deletion_is_followed_and_the_record_may_come_again(store: Store, mirrors: Mirrors):
    mirrors.keep(shared(), origin())
    assert mirrors.drop("la-bas:1", origin()) is Taken.DELETED
    assert store.get_many(["la-bas:1"]) == {}
    assert store.was_deleted("la-bas:1")
    assert mirrors.drop("la-bas:1", origin()) is Taken.SAME
    assert mirrors.id_of(1, "oai:x:1") == "la-bas:1"
    assert mirrors.keep(shared(), origin()) is Taken.NEW


def test_an_invalid_record_is_refused_and_leaves_nothing(store: Store, mirrors: Mirrors):
    with pytest.raises(InvalidRecord):
        mirrors.keep(shared(title=" "), origin())
    assert len(store) == 0


def test_nothing_that_comes_in_here_is_joined_to_it(store: Store, mirrors: Mirrors):
    mirrors.keep(shared(identifiers={"isbn": "9782070612758"}, host="la-bas:2"), origin())
    assert store.find("isbn", "9782070612758") == ()
    assert store.find("title", "Un titre") == ()
    assert store.find("host", "la-bas:2") == ("la-bas:1",)


def test_lists_of_our_own_work_leave_it_out(store: Store, mirrors: Mirrors):
    store.save(Record(id="ici:1", title="Le nôtre"), [Page(1, "Du texte", grade=0.5)])
    mirrors.keep(shared(), origin())
    assert [record.id for record in store.latest(9)] == ["ici:1"]
    assert list(store.ids(ours=True)) == ["ici:1"]
    assert [record.id for record in store.batch("", 9)] == ["ici:1"]
    assert sum(store.page_qualities().values()) == 1
    assert store.counts() == {"ici": 1, "la-bas": 1}


def test_it_leaves_no_line_in_the_trail(store: Store, mirrors: Mirrors):
    mirrors.keep(shared(), origin())
    mirrors.drop("la-bas:1", origin())
    assert list(store.trail.every(Wanted())) == []


def test_the_doctor_does_not_miss_files_that_are_elsewhere(store: Store, mirrors: Mirrors, tmp_path: Path):
    file = File(sha256="a" * 64, name="note.pdf", media_type="application/pdf", size=9, pages=3)
    mirrors.keep(shared(files=(file,)), origin(), local=(Subject(concept="https://ici.fr/T2"),))
    faults = list(examine(store, Jobs(store.database, store.trail), Reception(tmp_path / "in")))
    assert faults == []


def test_records_of_a_centre_that_is_no_more_asked_can_be_forgotten(store: Store, mirrors: Mirrors):
    mirrors.keep(shared(), origin())
    mirrors.keep(shared("la-bas:2"), origin())
    assert mirrors.of("la-bas") == ("la-bas:1", "la-bas:2")
    assert mirrors.of("la-bas", "la-bas:1") == ("la-bas:2",)
    assert mirrors.forget(["la-bas:1"]) == 1
    assert mirrors.of("la-bas") == ("la-bas:2",)
