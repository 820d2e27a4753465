"""What a key word of another centre is thought to mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.aligning import MET, Proposer, propose_together
from kb.alignments import Alignments, Standing, Way, Words
from kb.database import Store
from kb.mirrors import Mirrors, Origin
from kb.records import Record, Subject
from kb.sharing import Shared
from kb.thesaurus import Concept, Scheme, Thesaurus

BASE = "https://exemple.fr/t/"
CONCEPTS = (
    Concept(uri=BASE + "T1", scheme="themes", label="Décrochage scolaire", alt=("abandon des études",)),
    Concept(uri=BASE + "T2", scheme="themes", label="Inclusion sociale"),
    Concept(uri=BASE + "D1", scheme="themes", label="Contrat de ville", alt=("CDV",)),
    Concept(uri=BASE + "C1", scheme="territories", label="Guyane"),
    Concept(uri=BASE + "L1", scheme="themes", label="Égalité"),
    Concept(uri=BASE + "L2", scheme="themes", label="Laïcité", alt=("égalité",)),
)
THESAURUS = Thesaurus(
    CONCEPTS, (Scheme("themes", BASE + "s", "Thèmes"), Scheme("territories", BASE + "p", "Lieux"))
)


@pytest.mark.parametrize(
    ("said", "concept", "way"),
    [
        ("Décrochage scolaire", "T1", Way.LABEL),
        ("DECROCHAGE SCOLAIRE", "T1", Way.LABEL),
        ("abandon des études", "T1", Way.LABEL),
        ("contrats de ville", "D1", Way.LABEL),
        ("Décrochage scolaire -- Martinique", "T1", Way.LABEL),
        ("décrochage scolarie", "T1", Way.NEAR),
        ("scolaire, décrochage", "T1", Way.NEAR),
        ("CDV", "D1", Way.LABEL),
        ("CDU", None, Way.NONE),
        ("insertion sociale", None, Way.NONE),
        ("rénovation urbaine", None, Way.NONE),
        ("…", None, Way.NONE),
    ],
)
def test_words_are_asked_by_their_label_then_by_their_letters(said: str, concept: str | None, way: Way):
    found = Proposer(THESAURUS).propose(said)
    assert (found.concept, found.way) == (concept and BASE + concept, way)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(f"sqlite:///{tmp_path / 'kb.sqlite'}", tmp_path)
    made.save_thesaurus(THESAURUS)
    yield made
    made.close()


def mirror(store: Store, number: int, *keywords: str, concept: str | None = None) -> None:
    subjects = (Subject(concept=BASE + concept),) if concept else ()
    record = Record(id=f"labo:{number}", title="Un titre", keywords=keywords, subjects=subjects)
    words = Words(store, Proposer(THESAURUS).propose)
    words.meet("labo", keywords)
    words.flush()
    origin = Origin(centre="labo", source=1, identifier=str(number), datestamp="2026")
    Mirrors(store, "ici").keep(Shared(record), origin)


def test_a_concept_that_is_on_most_records_of_a_word_is_proposed(store: Store):
    for number in range(1, MET + 1):
        mirror(store, number, "raccrochage", concept="T1")
    for number in range(MET + 1, 8 * MET):
        mirror(store, number, "autre sujet")
    alignments = Alignments(store, Mirrors(store, "ici"))
    assert propose_together(store, alignments) == 1
    first = alignments.listed(Standing.WAITING, 1)[0]
    assert (first.said, first.meaning.concept, first.meaning.way) == (
        "raccrochage",
        BASE + "T1",
        Way.TOGETHER,
    )


def test_what_is_on_everything_says_nothing_of_a_word(store: Store):
    for number in range(1, 3 * MET):
        mirror(store, number, "raccrochage" if number <= MET else "autre sujet", concept="T1")
    alignments = Alignments(store, Mirrors(store, "ici"))
    assert propose_together(store, alignments) == 0


def test_a_word_that_was_met_a_few_times_is_not_judged(store: Store):
    for number in range(1, MET):
        mirror(store, number, "raccrochage", concept="T1")
    assert propose_together(store, Alignments(store, Mirrors(store, "ici"))) == 0


def test_the_place_of_a_centre_is_not_what_its_words_mean(store: Store):
    for number in range(1, MET + 1):
        mirror(store, number, "habitat illégal", concept="C1")
    for number in range(MET + 1, 8 * MET):
        mirror(store, number, "autre sujet")
    assert propose_together(store, Alignments(store, Mirrors(store, "ici"))) == 0
