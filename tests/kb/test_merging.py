"""Two records made one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kb import merging, tables
from kb.audit import Action, Wanted
from kb.config import Config
from kb.database import Store
from kb.doubts import Decision, Doubts
from kb.errors import Conflict, InvalidRecord, NotFound
from kb.records import Agent, Copy, Evidence, File, Origin, Page, Record, State, Subject
from kb.sketches import Sketches
from kb.versions import Versions


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(Config(data=tmp_path / "fund"))
    yield opened
    opened.close()


def pdf(letter: str) -> File:
    return File(sha256=letter * 64, name=f"{letter}.pdf", media_type="application/pdf", size=9, pages=1)


PAPER = Record(
    id="vc:1",
    title="Guide de la médiation sociale",
    type="guide",
    agents=(Agent("Roy, Léa"),),
    date="2010",
    notes=("Don de la DSU",),
    copies=(Copy("MED 12"),),
    call_number="MED 12",
    keywords=("Médiation", "Quartier"),
    identifiers={"isbn": "9782111289925"},
)
FILE = Record(
    id="vc:2",
    title="Guide de la mediation sociale",
    date="2010-03",
    abstract="Ce que fait un médiateur.",
    notes=("Fichier reçu par courriel",),
    files=(pdf("a"),),
    keywords=("médiation", "Emploi"),
    identifiers={"isbn": "9782111289925", "issn": "0000-0000"},
    source="/depot/a.pdf",
)
TEXT = (Page(1, "Les médiateurs vont au-devant des habitants."),)


def both(store: Store, first: Record = PAPER, second: Record = FILE) -> None:
    store.save(first)
    store.save(second, TEXT)


def test_attaching_keeps_what_is_said_and_fills_what_is_not(store: Store):
    both(store)
    record = merging.merge(store, "vc:1", "vc:2")
    assert (record.id, record.title, record.type, record.date) == ("vc:1", PAPER.title, "guide", "2010")
    assert (record.abstract, record.source) == (FILE.abstract, FILE.source)
    assert record.files == FILE.files
    assert record.copies == PAPER.copies
    assert record.notes == (*PAPER.notes, *FILE.notes)
    assert record.keywords == ("Médiation", "Quartier", "Emploi")
    assert record.identifiers == {"isbn": "9782111289925", "issn": "0000-0000"}
    assert store.pages("vc:1") == TEXT
    with pytest.raises(NotFound):
        store.get("vc:2")
    assert store.find("sha256", "a" * 64) == ("vc:1",)


def test_the_old_address_leads_to_the_new_one_however_often_records_are_merged(store: Store):
    both(store)
    for number in (3, 4):
        store.save(dataclasses.replace(FILE, id=f"vc:{number}", files=(pdf("bcd"[number - 3]),)), TEXT)
    merging.merge(store, "vc:2", "vc:3")
    merging.merge(store, "vc:4", "vc:2")
    merging.merge(store, "vc:1", "vc:4")
    for old in ("vc:2", "vc:3", "vc:4"):
        assert merging.redirected(store.database, old) == "vc:1"
    assert merging.redirected(store.database, "vc:1") is None
    assert {file.sha256[0] for file in store.get("vc:1").files} == {"a", "b", "c"}


def test_the_trail_says_what_went_where_and_the_history_keeps_both(store: Store):
    both(store)
    store.save(Record(id="vc:3", title="Chapitre", host="vc:2"))
    merging.merge(store, "vc:1", "vc:2")
    (line,) = store.trail.lines(Wanted(action=Action.RECORD_MERGED))
    assert line.object == "notice:vc:2"
    assert line.after == {"into": "vc:1", "replaces": False, "parts": ["vc:3"]}
    versions = Versions(store.database)
    assert versions.of("vc:2")[0].record.abstract == FILE.abstract
    assert versions.of("vc:1")[0].record.abstract is None
    assert store.trail.verify()[1] == []


def test_parts_get_the_new_host(store: Store):
    both(store)
    store.save(Record(id="vc:3", title="Chapitre", host="vc:2", host_pages="3-9"))
    merging.merge(store, "vc:1", "vc:2")
    part = store.get("vc:3")
    assert (part.host, part.host_pages) == ("vc:1", "3-9")


def test_replacing_puts_the_new_text_in_the_place_of_the_old_one(store: Store):
    old = dataclasses.replace(FILE, abstract=None, keywords=("Santé",))
    new = dataclasses.replace(
        FILE, id="vc:5", title="Guide, 2e édition", date="2012", files=(pdf("b"),), source="/depot/b.pdf"
    )
    store.save(old, TEXT)
    store.save(new, (Page(1, "Le nouveau texte."), Page(2, "Sa fin.")))
    record = merging.merge(store, "vc:2", "vc:5", replace=True)
    assert (record.id, record.title, record.date) == ("vc:2", "Guide, 2e édition", "2012")
    assert [file.name for file in record.files] == ["b.pdf", "a.pdf"]
    assert (record.source, record.abstract) == ("/depot/b.pdf", FILE.abstract)
    assert [page.text for page in store.pages("vc:2")] == ["Le nouveau texte.", "Sa fin."]
    assert merging.redirected(store.database, "vc:5") == "vc:2"


def test_a_newer_record_without_text_leaves_the_text_that_there_is(store: Store):
    store.save(FILE, TEXT)
    store.save(dataclasses.replace(FILE, id="vc:5", files=(pdf("b"),)))
    record = merging.merge(store, "vc:2", "vc:5", replace=True)
    assert store.pages("vc:2") == TEXT
    assert [file.name for file in record.files] == ["a.pdf", "b.pdf"]


def subject(concept: str, state: State, origin: Origin = Origin.MACHINE, page: int = 1) -> Subject:
    return Subject(concept=concept, state=state, origin=origin, evidence=(Evidence(page, 0, 3, "mot"),))


def test_what_people_decided_of_subjects_wins_whichever_record_they_decided_it_on(store: Store):
    kept = (subject("t:1", State.PROPOSED), subject("t:2", State.REFUSED), subject("t:3", State.ACCEPTED))
    gone = (
        subject("t:1", State.REFUSED),
        subject("t:2", State.ACCEPTED),
        subject("t:3", State.PROPOSED),
        subject("t:4", State.PROPOSED, Origin.LIBRARIAN),
    )
    both(store, dataclasses.replace(PAPER, subjects=kept), dataclasses.replace(FILE, subjects=gone))
    record = merging.merge(store, "vc:1", "vc:2")
    states = {s.concept: s.state for s in record.subjects}
    assert states == {
        "t:1": State.REFUSED,
        "t:2": State.REFUSED,  # both decided: the record that stays
        "t:3": State.ACCEPTED,
        "t:4": State.PROPOSED,
    }
    assert {s.concept: s.origin for s in record.subjects}["t:4"] is Origin.LIBRARIAN


def test_evidence_stays_only_where_its_words_still_stand(store: Store):
    store.save(
        dataclasses.replace(
            PAPER, subjects=(subject("t:1", State.ACCEPTED), subject("t:5", State.PROPOSED, page=0))
        )
    )
    store.save(dataclasses.replace(FILE, subjects=(subject("t:2", State.ACCEPTED),)), TEXT)
    record = merging.merge(store, "vc:1", "vc:2")
    assert {s.concept: bool(s.evidence) for s in record.subjects} == {"t:1": False, "t:2": True, "t:5": False}


def test_two_numbers_of_one_kind_are_both_kept(store: Store):
    both(store, second=dataclasses.replace(FILE, identifiers={"isbn": "9782296045347"}))
    record = merging.merge(store, "vc:1", "vc:2")
    assert record.identifiers["isbn"] == "9782111289925"
    assert "Autre ISBN\u00a0: 9782296045347" in record.notes


@pytest.mark.parametrize(
    ("one", "other", "left"),
    [
        ("public", "staff", "staff"),
        ("staff", "public", "staff"),
        ("onsite", "network", "staff"),
        ("onsite", "staff", "staff"),
        ("network", "public", "network"),
        ("public", "public", "public"),
    ],
)
def test_the_stricter_access_holds(store: Store, one: str, other: str, left: str):
    both(store, dataclasses.replace(PAPER, access=one), dataclasses.replace(FILE, access=other))
    assert merging.merge(store, "vc:1", "vc:2").access == left


def test_a_record_never_becomes_a_part_of_itself(store: Store):
    both(store, dataclasses.replace(PAPER, host="vc:3"))
    store.save(Record(id="vc:3", title="Entre les deux", host="vc:2"))
    record = merging.merge(store, "vc:1", "vc:2")
    assert record.host is None
    assert store.get("vc:3").host == "vc:1"


def test_the_host_of_the_record_that_goes_is_kept_when_there_is_no_other(store: Store):
    store.save(Record(id="vc:9", title="Cahier"))
    both(store, second=dataclasses.replace(FILE, host="vc:9", host_pages="4-8"))
    record = merging.merge(store, "vc:1", "vc:2")
    assert (record.host, record.host_pages) == ("vc:9", "4-8")


def test_a_part_merged_into_its_whole_leaves_the_whole(store: Store):
    both(store, second=dataclasses.replace(FILE, host="vc:1"))
    assert merging.merge(store, "vc:1", "vc:2").host is None


def test_a_whole_merged_into_its_part_is_the_part(store: Store):
    both(store, dataclasses.replace(PAPER, host="vc:2"))
    assert merging.merge(store, "vc:1", "vc:2").host is None
    assert list(store.ids()) == ["vc:1"]


def test_the_sample_of_the_text_follows_the_text(store: Store):
    both(store)
    sketches = Sketches(store.database)
    sketches.keep("vc:1", [-5])
    sketches.keep("vc:2", [1, 2, 3])
    merging.merge(store, "vc:1", "vc:2")
    assert sketches.of("vc:1") == [1, 2, 3]
    assert sketches.of("vc:2") == []


def test_what_fails_half_way_leaves_everything_as_it_was(store: Store):
    both(store)
    before = store.trail.head()
    with pytest.raises(NotFound):
        merging.merge(store, "vc:1", "vc:99")
    with pytest.raises(InvalidRecord):
        merging.merge(store, "vc:1", "vc:1")
    with store.database.writing() as connection:  # the last step will fail
        connection.execute(tables.redirects.insert().values(old="vc:2", new="vc:7", at=""))
    with pytest.raises(sa.exc.IntegrityError):
        merging.merge(store, "vc:1", "vc:2")
    assert store.get("vc:2").files == FILE.files
    assert store.get("vc:1").files == ()
    assert store.trail.head() == before


# -- decisions


def pair(store: Store) -> int:
    both(store)
    id = Doubts(store.database, store.trail).add("paper", "vc:2", "vc:1", 0.9)
    assert id is not None
    return id


def test_attach_merges_the_later_record_into_the_older_one(store: Store):
    doubts = Doubts(store.database, store.trail)
    doubt = doubts.get(pair(store))
    assert merging.decide(store, doubt, Decision.ATTACH).id == "vc:1"
    assert list(store.ids()) == ["vc:1"]
    assert doubts.open(9) == ((), 0)
    assert store.trail.lines(Wanted(action=Action.DOUBT_SETTLED))


def test_the_librarian_may_keep_the_other_number(store: Store):
    doubt = Doubts(store.database, store.trail).get(pair(store))
    record = merging.decide(store, doubt, Decision.ATTACH, kept="vc:2")
    assert (record.id, record.title) == ("vc:2", FILE.title)
    assert merging.redirected(store.database, "vc:1") == "vc:2"


def test_a_record_that_is_not_of_the_pair_settles_nothing(store: Store):
    doubts = Doubts(store.database, store.trail)
    doubt = doubts.get(pair(store))
    for wrong in ({"kept": "vc:3"}, {"newer": "vc:3"}):
        with pytest.raises(InvalidRecord):
            merging.decide(store, doubt, Decision.REPLACE, **wrong)
    assert doubts.open(9)[1] == 1


@pytest.mark.parametrize("kept", ["vc:1", "vc:2"])
@pytest.mark.parametrize(
    ("older_number", "later_number", "told", "leads"),
    [
        ("2010", "2012", None, "Notice 2"),
        ("2012", "2010", None, "Notice 1"),  # an old edition that came in late
        ("2010", "2010-05", None, "Notice 2"),
        (None, "2010", None, "Notice 2"),
        ("2010", "2012", "vc:1", "Notice 1"),
    ],
)
def test_the_newer_version_leads_whichever_number_stays(
    store: Store, kept: str, older_number: str | None, later_number: str, told: str | None, leads: str
):
    for number, date in ((1, older_number), (2, later_number)):
        page = Page(1, f"Texte {number}")
        store.save(Record(id=f"vc:{number}", title=f"Notice {number}", date=date), (page,))
    doubts = Doubts(store.database, store.trail)
    id = doubts.add("edition", "vc:1", "vc:2", 0.9)
    assert id is not None
    record = merging.decide(store, doubts.get(id), Decision.REPLACE, kept=kept, newer=told)
    assert (record.id, record.title) == (kept, leads)
    assert store.page(kept, 1).text == leads.replace("Notice", "Texte")


def test_keeping_both_may_be_noted_on_both(store: Store):
    doubts = Doubts(store.database, store.trail)
    doubt = doubts.get(pair(store))
    merging.decide(store, doubt, Decision.KEEP_BOTH, note="Autre édition")
    assert store.get("vc:1").notes[-1] == "Autre édition\u00a0: notice n°\u00a02"
    assert store.get("vc:2").notes[-1] == "Autre édition\u00a0: notice n°\u00a01"
    with pytest.raises(Conflict):
        merging.decide(store, doubt, Decision.ATTACH)
    assert doubts.add("paper", "vc:1", "vc:2", 1.0) is None


def test_a_part_is_linked_to_its_whole_but_never_in_a_ring(store: Store):
    both(store)
    assert merging.make_part(store, "vc:2", "vc:1", "11-27").host_pages == "11-27"
    assert store.get("vc:2").host == "vc:1"
    with pytest.raises(InvalidRecord):
        merging.make_part(store, "vc:1", "vc:2")
    with pytest.raises(InvalidRecord):
        merging.make_part(store, "vc:1", "vc:1")
    with pytest.raises(NotFound):
        merging.make_part(store, "vc:1", "vc:9")
