"""Key words of other centres: met, proposed, decided once, and what that does to the records."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.alignments import Alignments, Meaning, Standing, Way, Words, close_matches
from kb.database import Store
from kb.errors import InvalidValue, NotFound
from kb.mirrors import Mirrors, Origin
from kb.records import Record, State, Subject
from kb.sharing import Shared
from kb.thesaurus import Concept, Scheme, Thesaurus

BASE = "https://exemple.fr/t/"
SCHOOL, PARENTS = BASE + "T1", BASE + "T2"


@pytest.fixture
def store(database, tmp_path: Path) -> Store:
    made = Store(str(database.engine.url), tmp_path)
    concepts = (
        Concept(uri=SCHOOL, scheme="themes", label="Réussite éducative"),
        Concept(uri=PARENTS, scheme="themes", label="Parentalité"),
    )
    made.save_thesaurus(Thesaurus(concepts, (Scheme("themes", BASE + "s", "Thèmes"),)))
    yield made
    made.close()


@pytest.fixture
def mirrors(store: Store) -> Mirrors:
    return Mirrors(store, "ici")


@pytest.fixture
def alignments(store: Store, mirrors: Mirrors) -> Alignments:
    return Alignments(store, mirrors)


def propose(said: str) -> Meaning:
    known = {
        "réussite éducative": Meaning(concept=SCHOOL, way=Way.LABEL, score=1.0),
        "parentalitée": Meaning(concept=PARENTS, way=Way.NEAR, score=0.93),
    }
    return known.get(said.lower(), Meaning(concept=None, way=Way.NONE))


def met(store: Store, *words: str, centre: str = "labo"):
    opened = Words(store, propose)
    found = opened.meet(centre, words)
    opened.flush()
    return found


def mirrored(store: Store, mirrors: Mirrors, id: str, *words: str) -> None:
    record = Record(id=id, title="Un titre", keywords=words)
    origin = Origin(centre="labo", source=1, identifier=id, datestamp="2026-01-01")
    mirrors.keep(Shared(record), origin, local=met(store, *words))


def test_a_label_counts_at_once_what_is_only_near_waits(store: Store, alignments: Alignments):
    assert met(store, "Réussite éducative", "Parentalitée") == (
        Subject(concept=SCHOOL, origin="source", state=State.PROPOSED),
    )
    listed = alignments.listed(Standing.WAITING, 10)
    assert [(line.said, line.meaning.way) for line in listed] == [
        ("Parentalitée", Way.NEAR),
        ("Réussite éducative", Way.LABEL),
    ]


def test_a_word_is_one_whatever_its_accents_and_is_counted_with_its_centres(store, alignments):
    met(store, "Habitat", "HABITAT")
    met(store, "hàbitat", centre="oriv")
    (line,) = alignments.listed(Standing.WAITING, 10)
    assert (line.said, line.uses, line.centres) == ("Habitat", 3, ("labo", "oriv"))


def test_sentences_and_blanks_are_no_words(store: Store, alignments: Alignments):
    assert met(store, " ", "", "mot " * 60) == ()
    assert alignments.counts() == {}


def test_accepting_puts_the_concept_on_the_records_that_have_the_word(store, mirrors, alignments):
    mirrored(store, mirrors, "labo:1", "Parentalitée")
    mirrored(store, mirrors, "labo:2", "Autre chose")
    (line, _) = alignments.listed(Standing.WAITING, 10)
    assert alignments.decide(line.id, Standing.ACCEPTED) == 1
    assert store.get("labo:1").subjects == (Subject(concept=PARENTS, origin="source", state=State.ACCEPTED),)
    assert store.get("labo:2").subjects == ()
    assert met(store, "parentalitee")[0].state is State.ACCEPTED


def test_refusing_takes_it_off_and_it_does_not_come_again(store, mirrors, alignments):
    mirrored(store, mirrors, "labo:1", "Réussite éducative")
    assert store.get("labo:1").subjects != ()
    (line,) = alignments.listed(Standing.WAITING, 10)
    assert alignments.decide(line.id, Standing.REFUSED) == 1
    assert store.get("labo:1").subjects == ()
    assert met(store, "Réussite éducative") == ()


def test_another_concept_may_be_chosen_and_the_decision_taken_back(store, mirrors, alignments):
    mirrored(store, mirrors, "labo:1", "Réussite éducative")
    (line,) = alignments.listed(Standing.WAITING, 10)
    alignments.decide(line.id, Standing.ACCEPTED, PARENTS)
    assert [s.concept for s in store.get("labo:1").subjects] == [PARENTS]
    assert alignments.get(line.id).meaning.way is Way.PERSON
    assert close_matches(alignments.bridges()) == {PARENTS: ("Réussite éducative",)}
    alignments.decide(line.id, Standing.REFUSED)
    assert store.get("labo:1").subjects == ()
    assert alignments.bridges() == ()


def test_the_decision_leaves_what_the_machine_proposed(store, mirrors, alignments):
    record = Record(id="labo:1", title="Un titre", keywords=("Parentalitée",))
    origin = Origin(centre="labo", source=1, identifier="x", datestamp="2026")
    machine = Subject(concept=PARENTS, score=0.4)
    met(store, "Parentalitée")
    mirrors.keep(Shared(record), origin, local=(machine,))
    (line,) = alignments.listed(Standing.WAITING, 10)
    alignments.decide(line.id, Standing.REFUSED)
    assert store.get("labo:1").subjects == (machine,)


def test_nothing_can_be_accepted_without_a_concept_of_ours(store: Store, alignments: Alignments):
    met(store, "Habitat")
    (line,) = alignments.listed(Standing.WAITING, 10)
    for concept in (None, "https://ailleurs.fr/1"):
        with pytest.raises(InvalidValue):
            alignments.decide(line.id, Standing.ACCEPTED, concept)
    with pytest.raises(NotFound):
        alignments.decide(999, Standing.REFUSED)


def test_a_proposal_never_changes_what_was_decided(store: Store, alignments: Alignments):
    met(store, "Habitat")
    (line,) = alignments.unknown(1)
    alignments.decide(line.id, Standing.REFUSED)
    alignments.propose(line.id, Meaning(concept=SCHOOL, way=Way.TOGETHER, score=0.6))
    assert alignments.get(line.id).meaning.concept is None
