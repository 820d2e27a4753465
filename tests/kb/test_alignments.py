"""Key words of other centres: met, proposed, decided once, and what that does to the records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.alignments import Alignments, Holding, Meaning, Standing, Way, Words, close_matches, joined
from kb.audit import Action, Wanted
from kb.database import Store
from kb.errors import InvalidValue, NotFound
from kb.mirrors import Mirrors, Origin
from kb.records import Evidence, Record, State, Subject
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


# -- taken back, many at once, a little at a time


def keep(store: Store, mirrors: Mirrors, id: str, *words: str, machine=(), own=()) -> None:
    """A record that came with these words, tagged as ``ingest.mirroring`` tags."""
    record = Record(id=id, title="Un titre", keywords=words, subjects=own)
    origin = Origin(centre="labo", source=1, identifier=id, datestamp="2026-01-01")
    mirrors.keep(Shared(record), origin, local=joined(met(store, *words), machine))


def line_of(alignments: Alignments, word: str):
    found = [line for standing in Standing for line in alignments.listed(standing, 100)]
    return next(line for line in found if line.said == word)


EVIDENCE = (Evidence(page=0, start=0, end=8, text="Un titre"),)


@pytest.mark.parametrize("first", [Standing.ACCEPTED, Standing.REFUSED])
@pytest.mark.parametrize("machine", [(), (Subject(concept=PARENTS, score=0.4, evidence=EVIDENCE),)])
@pytest.mark.parametrize("word", ["Parentalitée", "Réussite éducative"])
def test_a_word_that_waits_again_leaves_records_as_they_were(
    store, mirrors, alignments, word, machine, first
):
    keep(store, mirrors, "labo:1", word, "Réussite éducative", machine=machine)
    before, line = mirrors.local(["labo:1"]), line_of(alignments, word)
    assert alignments.decide(line.id, first, PARENTS if first is Standing.ACCEPTED else None) <= 1
    alignments.decide(line.id, Standing.WAITING, meaning=line.meaning)
    assert mirrors.local(["labo:1"]) == before
    assert alignments.get(line.id) == line


def test_what_the_machine_proposed_is_accepted_as_the_machines(store, mirrors, alignments):
    machine = Subject(concept=PARENTS, score=0.4, evidence=EVIDENCE)
    keep(store, mirrors, "labo:1", "Parentalitée", machine=(machine,))
    alignments.decide(line_of(alignments, "Parentalitée").id, Standing.ACCEPTED)
    (subject,) = store.get("labo:1").subjects
    assert (subject.origin, subject.state, subject.evidence) == ("machine", State.ACCEPTED, EVIDENCE)


def test_a_word_keeps_what_another_one_means_too(store, mirrors, alignments):
    keep(store, mirrors, "labo:1", "Parentalitée", "Être parent")
    for word in ("Parentalitée", "Être parent"):
        alignments.decide(line_of(alignments, word).id, Standing.ACCEPTED, PARENTS)
    assert alignments.decide(line_of(alignments, "Parentalitée").id, Standing.REFUSED) == 0
    assert [s.concept for s in store.get("labo:1").subjects] == [PARENTS]


def test_a_subject_of_the_owner_is_not_put_beside_itself(store, mirrors, alignments):
    own = Subject(concept=PARENTS, origin="librarian", state=State.ACCEPTED)
    keep(store, mirrors, "labo:1", "Parentalitée", own=(own,))
    assert alignments.decide(line_of(alignments, "Parentalitée").id, Standing.ACCEPTED) == 0
    assert mirrors.local(["labo:1"]) == {}


def test_a_decision_reaches_some_records_at_once_and_the_others_by_and_by(store, mirrors, alignments):
    for number in range(1, 6):
        keep(store, mirrors, f"labo:{number}", "Parentalitée")
    line = line_of(alignments, "Parentalitée")
    assert alignments.spread() == 0
    assert alignments.late() == ()
    assert alignments.decide(line.id, Standing.ACCEPTED, most=2) == 2
    assert [late.id for late in alignments.late()] == [line.id]
    assert alignments.spread(datetime.now(UTC) + timedelta(hours=1)) == 3
    assert all(store.get(f"labo:{number}").subjects for number in range(1, 6))
    assert alignments.late() == ()
    position = store.position()
    assert alignments.spread(datetime.now(UTC) + timedelta(hours=1)) == 0
    assert store.position() == position


def test_a_decision_taken_while_others_spread_is_not_forgotten(store, mirrors, alignments):
    keep(store, mirrors, "labo:1", "Parentalitée")
    alignments.spread()  # just now: what is decided within the slack counts as later
    alignments.decide(line_of(alignments, "Parentalitée").id, Standing.ACCEPTED, most=0)
    assert alignments.spread() == 1


def test_labels_are_accepted_many_at_once_the_most_used_first(store, mirrors, alignments):
    keep(store, mirrors, "labo:1", "Réussite éducative", "Parentalitée")
    met(store, "REUSSITE EDUCATIVE", "Parentalitée", "Parentalitée")
    assert alignments.labels() == 1
    (line,) = alignments.accept_labels(10)
    assert (line.said, line.standing) == ("Réussite éducative", Standing.WAITING)
    assert alignments.counts() == {Standing.ACCEPTED: 1, Standing.WAITING: 1}
    assert store.get("labo:1").subjects[0].state is State.ACCEPTED
    assert alignments.labels() == 0
    assert alignments.accept_labels(10) == ()


def test_a_label_that_left_the_vocabulary_is_not_accepted(store: Store, alignments: Alignments):
    met(store, "Réussite éducative")
    store.save_thesaurus(Thesaurus(()))
    assert alignments.accept_labels(10) == ()


def test_who_has_a_word_is_counted_over_the_records_of_others(store, mirrors, alignments):
    for number in (2, 1):
        keep(store, mirrors, f"labo:{number}", "Parentalitée")
    met(store, "Ailleurs")
    held = alignments.holdings(alignments.listed(Standing.WAITING, 10))
    assert held == {"parentalitee": Holding(2, "labo:1")}


def test_the_stamp_changes_with_the_bridges(store: Store, alignments: Alignments):
    met(store, "Habitat")
    stamps = [alignments.stamp()]
    line = line_of(alignments, "Habitat")
    for concept in (PARENTS, SCHOOL):
        alignments.decide(line.id, Standing.ACCEPTED, concept)
        stamps.append(alignments.stamp())
    assert len(set(stamps)) == 3
    alignments.decide(line.id, Standing.REFUSED)
    assert alignments.stamp() == stamps[0]


def test_a_decision_tells_the_trail_what_was_before(store: Store, alignments: Alignments):
    met(store, "Réussite éducative")
    alignments.decide(line_of(alignments, "Réussite éducative").id, Standing.ACCEPTED, PARENTS)
    (told,) = store.trail.lines(Wanted(action=Action.WORD_ALIGNED))
    assert (told.before["concept"], told.after["concept"]) == (SCHOOL, PARENTS)
    assert (told.before["state"], told.after["state"]) == ("waiting", "accepted")


def test_what_is_decided_during_a_harvest_counts_from_its_next_page_on(store: Store, alignments: Alignments):
    harvest = Words(store, propose)
    assert harvest.meet("labo", ["Parentalitée"]) == ()
    harvest.flush()
    alignments.decide(line_of(alignments, "Parentalitée").id, Standing.ACCEPTED)
    harvest.flush()
    assert [s.concept for s in harvest.meet("labo", ["Parentalitée"])] == [PARENTS]
