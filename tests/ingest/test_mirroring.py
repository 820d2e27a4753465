"""What becomes of the records that come: their ids, their tags, and what is left alone without any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.mirroring import Giver, Received, Receiver
from ingest.oai_reading import Item
from kb import carbetxml
from kb.alignments import Meaning, Way, Words
from kb.database import Store
from kb.errors import StorageError
from kb.mirrors import Mirrors, Taken
from kb.records import Page, Record, State
from kb.sharing import Shared

HEALTH = "https://exemple.fr/themes/T12"
LABO = Giver(centre="labo", source=1, site="https://labo.exemple.fr/")


class Counting:
    """A tagger that proposes nothing and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def suggest(self, texts):
        self.asked += len(texts)
        return [[] for _ in texts]


class Here:
    """Our side: a fund whose label « Santé » is known as T12."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(f"sqlite:///{folder / 'kb.sqlite'}", folder)
        self.mirrors = Mirrors(self.store, "ici")
        self.tagger = Counting()
        self.words = Words(self.store, self._meaning)
        self.receiver = Receiver(self.store, self.mirrors, self.tagger, self.words)
        self.met: list[str] = []

    def _meaning(self, said: str) -> Meaning:
        self.met.append(said)
        known = said == "Santé"
        return Meaning(concept=HEALTH if known else None, way=Way.LABEL if known else Way.NONE)

    def take(self, *items: Item, giver: Giver = LABO) -> Received:
        received = Received()
        self.receiver.receive_items(items, giver, received)
        return received

    def titles(self) -> dict[str, str]:
        return {id: record.title for id, record in self.store.get_many(list(self.store.ids())).items()}


@pytest.fixture
def here(tmp_path: Path):
    made = Here(tmp_path)
    yield made
    made.store.close()


def item(id: str, title: str = "Un titre", *, at: str = "2026-03-01T10:00:00Z", **fields) -> Item:
    xml = carbetxml.to_xml(Record(id=id, title=title, **fields), (Page(1, "Du texte"),))
    return Item(f"oai:labo.exemple.fr:{id}", at, (), deleted=False, metadata=xml.encode())


def bare(identifier: str, at: str = "2026-03-02T10:00:00Z", *, deleted: bool = False) -> Item:
    return Item(identifier, at, (), deleted=deleted, metadata=None)


def gone(id: str, at: str = "2026-03-02T10:00:00Z") -> Item:
    return bare(f"oai:labo.exemple.fr:{id}", at, deleted=True)


def test_a_key_word_that_is_a_label_of_ours_is_a_subject_beside(here: Here):
    here.take(item("labo:1", keywords=("Santé", "autre chose")))
    [subject] = here.store.get("labo:1").subjects
    assert (subject.concept, subject.state) == (HEALTH, State.PROPOSED)
    assert here.store.as_received(["labo:1"])["labo:1"].subjects == ()


def test_what_did_not_change_is_not_tagged_again_and_keeps_its_tags(here: Here):
    here.take(item("labo:1", keywords=("Santé",)))
    again = here.take(item("labo:1", keywords=("Santé",), at="2026-03-02T10:00:00Z"))
    assert (again.counts, here.tagger.asked) == ({Taken.SAME: 1}, 1)
    assert here.store.get("labo:1").subjects != ()


@pytest.mark.parametrize(("id", "taken"), [("ici:1", Taken.OURS), ("tiers:1", Taken.FOREIGN)])
def test_what_is_left_alone_costs_no_tagging_and_its_words_are_not_met(here: Here, id: str, taken: Taken):
    received = here.take(item(id, keywords=("un mot",)))
    assert received.counts == {taken: 1}
    assert (here.tagger.asked, here.met, here.titles()) == (0, [], {})


def test_a_record_that_comes_empty_is_refused_and_what_is_held_of_it_stays(here: Here):
    here.take(item("labo:1"))
    received = here.take(bare("oai:labo.exemple.fr:labo:1"))
    assert received.counts == {"refused": 1}
    assert received.notes == ["oai:labo.exemple.fr:labo:1 : la notice est venue vide"]
    assert here.titles() == {"labo:1": "Un titre"}


@pytest.mark.parametrize("prefix", ["oai_dc", "marcxml"])
def test_so_is_one_of_another_program(here: Here, prefix: str):
    giver = Giver(centre="labo", source=1, prefix=prefix)
    assert here.take(bare("oai:x:1"), giver=giver).counts == {"refused": 1}


def test_identifiers_of_other_repositories_are_told_as_no_record_of_a_carbet(here: Here):
    received = here.take(bare("oai:labo.exemple.fr:thèse-12", deleted=True), gone("labo:١٢"))
    assert received.counts == {"refused": 2}
    assert all("n’est pas celui d’une notice Carbet" in note for note in received.notes)


def test_the_last_word_of_a_page_counts(here: Here):
    here.take(item("labo:1"), gone("labo:1"), item("labo:2"), gone("labo:2"), item("labo:2", "De retour"))
    assert here.titles() == {"labo:2": "De retour"}


def test_a_source_that_was_taken_away_and_added_again_doubles_nothing(here: Here):
    dc = (
        '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Un titre</dc:title></oai_dc:dc>'
    )
    some = Item("oai:x:1", "2026-03-01", (), deleted=False, metadata=dc.encode())
    for source in (1, 2):
        here.take(some, giver=Giver(centre="labo", source=source, prefix="oai_dc"))
    assert list(here.titles()) == ["labo:1"]
    here.take(some, giver=Giver(centre="autre", source=3, prefix="oai_dc"))
    assert list(here.titles()) == ["autre:1", "labo:1"]


def test_a_page_is_kept_whole_or_not_at_all(here: Here):
    def fail() -> None:
        raise StorageError("disk full")

    received = Received()
    with pytest.raises(StorageError):
        here.receiver.receive_items([item("labo:1"), item("labo:2")], LABO, received, fail)
    assert (here.titles(), received.counts) == ({}, {})


def test_where_it_is_read_is_the_site_of_who_gave_it(here: Here):
    here.take(item("labo:1"))
    assert here.mirrors.origins(["labo:1"])["labo:1"].url == "https://labo.exemple.fr/notice/labo:1"
    here.take(item("tiers:1"), giver=Giver(centre="labo", source=1, relays=True))
    assert here.mirrors.origins(["tiers:1"])["tiers:1"].url == ""


def test_an_envelope_is_taken_by_the_same_rules(here: Here):
    received, at = Received(), "2026-03-01T10:00:00Z"
    some = [(Shared(Record(id=f"{centre}:1", title="Un titre")), at) for centre in ("labo", "tiers", "ici")]
    here.receiver.receive_shared([*some, ("labo:2", at), ("tiers:2", at)], LABO, received)
    assert received.counts == {Taken.NEW: 1, Taken.FOREIGN: 2, Taken.OURS: 1, Taken.SAME: 1}
    assert list(here.titles()) == ["labo:1"]
