"""Records as engines see them, and an index that keeps up with the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.config import Config
from kb.database import Store
from kb.mirrors import Mirrors, Origin
from kb.records import Agent, Copy, File, Page, Record, State, Subject
from kb.sharing import Shared
from kb.thesaurus import Concept, Thesaurus
from kb.works import Works
from search import indexing
from search.engine import Engine
from search.memory import MemoryEngine
from search.query import Request, Words
from search.whoosh_engine import WhooshEngine

BASE = "https://carbet.example/thesaurus/"


def concept(code: str, scheme: str, label: str, **more: object) -> Concept:
    return Concept(uri=BASE + code, scheme=scheme, label=label, **more)  # type: ignore[arg-type]


THESAURUS = Thesaurus(
    (
        concept("T03", "themes", "Habitat"),
        concept(
            "T03-1", "themes", "Rénovation urbaine", broader=(BASE + "T03",), alt=("Renouvellement urbain",)
        ),
        concept("D-CUCS", "dispositifs", "Contrat urbain de cohésion sociale", notations=("CUCS",)),
        concept("O-ANRU", "organismes", "Agence nationale pour la rénovation urbaine"),
        concept("C-972", "territories", "Martinique"),
        concept("C-97209", "territories", "Fort-de-France", broader=(BASE + "C-972",)),
    )
)


def subjects(*codes: str, state: State = State.PROPOSED) -> tuple[Subject, ...]:
    return tuple(Subject(concept=BASE + code, state=state) for code in codes)


def record(id: str = "vc:1", **fields: object) -> Record:
    return Record(id=id, **{"title": "Un titre", **fields})  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(Config(data=tmp_path / "data"))
    yield opened
    opened.close()


@pytest.fixture(params=["memory", "whoosh"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return MemoryEngine() if request.param == "memory" else WhooshEngine(tmp_path / "index")


def ids(engine: Engine, words: str) -> list[str]:
    return [hit.id for hit in engine.search(Request(query=Words(words))).hits]


# -- entries


def test_own_fields_hold_what_a_person_would_look_for() -> None:
    made = indexing.entry(
        record(
            title="Le Cahier",
            subtitle="Habiter",
            abstract="Un résumé.",
            notes=("Une note.",),
            agents=(Agent("Césaire, Aimé"), Agent("Ville de Fort-de-France", kind="body")),
            keywords=("mot libre",),
            subjects=subjects("T03-1", "D-CUCS"),
            call_number="AME 12",
            copies=(Copy("AME 12"), Copy("AME 12 bis"), Copy()),
            identifiers={"isbn": "9782070360024"},
        ),
        [Page(2, "deuxième"), Page(3, "troisième")],
        THESAURUS,
    )
    assert made.fields == {
        "title": "Le Cahier\nHabiter",
        "tags": "\n".join(
            (
                "Rénovation urbaine",
                "Renouvellement urbain",
                "Contrat urbain de cohésion sociale",
                "CUCS",
                "mot libre",
            )
        ),
        "agents": "Césaire, Aimé\nVille de Fort-de-France",
        "abstract": "Un résumé.\nUne note.",
        "call_number": "AME 12\nAME 12 bis",
        "identifiers": "vc:1\n9782070360024",
    }
    assert made.pages == ((2, "deuxième"), (3, "troisième"))


def test_facets_are_codes_with_broader_concepts_and_containing_territories() -> None:
    made = indexing.entry(
        record(
            type="cahier",
            date="2011-05",
            series="Les Cahiers",
            subjects=subjects("T03-1", "D-CUCS", "O-ANRU", "C-97209"),
            copies=(Copy("A 1"),),
            files=(File(sha256="0", name="a.pdf", media_type="application/pdf", size=1),),
        ),
        [],
        THESAURUS,
    )
    assert {name: set(codes) for name, codes in made.facets.items()} == {
        "access": {"public"},
        "centre": {"vc"},
        "theme": {"T03-1", "T03"},
        "scheme": {"D-CUCS", "O-ANRU"},
        "territory": {"C-97209", "C-972"},
        "type": {"cahier"},
        "support": {"paper", "electronic"},
        "series": {"Les Cahiers"},
        "language": {"fr"},
        "year": {"2011"},
    }
    assert made.date == "2011-05"


def test_refused_and_unknown_subjects_do_not_count() -> None:
    tagged = record(subjects=subjects("T03-1", state=State.REFUSED) + subjects("T99"))
    made = indexing.entry(tagged, [], THESAURUS)
    assert "theme" not in made.facets
    assert "tags" not in made.fields


def test_titles_are_sorted_folded() -> None:
    assert indexing.entry(record(title="École"), [], THESAURUS).title_key == "ecole"


# -- keeping up


def save(store: Store, number: int, text: str) -> None:
    store.save(record(f"vc:{number}", title=f"Notice {number}"), [Page(1, text)])


def test_sync_takes_in_what_changed_in_batches(store: Store, engine: Engine) -> None:
    for number in range(1, 8):
        save(store, number, "la ville")
    assert indexing.sync(store, engine, batch=3) == 7
    assert (engine.position(), len(engine)) == (store.position(), 7)
    save(store, 2, "le quartier")
    store.delete("vc:3")
    assert indexing.sync(store, engine) == 2
    assert ids(engine, "quartier") == ["vc:2"]
    assert sorted(ids(engine, "ville")) == ["vc:1", "vc:4", "vc:5", "vc:6", "vc:7"]
    assert indexing.sync(store, engine) == 0


def test_a_new_vocabulary_reaches_records_that_did_not_change(store: Store, engine: Engine) -> None:
    store.save(record(subjects=subjects("D-CUCS")))
    indexing.sync(store, engine)
    assert ids(engine, "CUCS") == []
    store.save_thesaurus(THESAURUS)
    indexing.sync(store, engine)
    assert ids(engine, "CUCS") == ids(engine, "contrat urbain de cohésion sociale") == ["vc:1"]


def test_rebuild_holds_what_the_database_holds_and_says_how_far_it_is(store: Store, engine: Engine) -> None:
    for number in range(1, 6):
        save(store, number, "la ville")
    indexing.sync(store, engine)
    store.delete("vc:5")
    told: list[int] = []
    assert indexing.rebuild(store, engine, told.append) == 4
    assert told[-1] == 4
    assert (len(engine), engine.position()) == (4, store.position())
    assert indexing.check(store, engine) == []


def test_rebuild_mends_an_index_that_cannot_be_opened(store: Store, tmp_path: Path) -> None:
    save(store, 1, "la ville")
    engine = WhooshEngine(tmp_path / "index")
    indexing.sync(store, engine)
    (tmp_path / "index" / "manifest.json").write_text("{")
    assert "à refaire" in indexing.check(store, engine)[0]
    indexing.rebuild(store, engine)
    assert indexing.check(store, engine) == []
    assert ids(engine, "ville") == ["vc:1"]


def test_check_tells_missing_and_extra_records_and_the_place_in_the_feed(
    store: Store, engine: Engine
) -> None:
    for number in range(1, 9):
        save(store, number, "la ville")
    with engine.writer() as writer:
        writer.put(dataclasses.replace(indexing.entry(store.get("vc:1"), [], THESAURUS), id="vc:99"))
        writer.mark(3)
    assert indexing.check(store, engine) == [
        "l’index en est au changement 3, la base au changement 8",
        "8 notice(s) absentes de l’index : vc:1, vc:2, vc:3, vc:4, vc:5…",
        "1 notice(s) en trop dans l’index : vc:99",
    ]


def test_check_names_damaged_files(store: Store, tmp_path: Path) -> None:
    save(store, 1, "la ville")
    engine = WhooshEngine(tmp_path / "index")
    indexing.sync(store, engine)
    path = next((tmp_path / "index").glob("*.seg"))
    raw = bytearray(path.read_bytes())
    raw[80] ^= 255
    path.write_bytes(raw)
    assert indexing.check(store, engine) == [f"fichier abîmé : {path.name}"]


# -- works that several centres hold


def test_one_entry_tells_what_all_records_of_a_work_say() -> None:
    ours = record(
        title="Le diagnostic du quartier",
        subtitle="Dillon",
        type="diagnostic",
        agents=(Agent("Dupont, Jeanne"),),
        abstract="Ce que dit le quartier.",
        subjects=subjects("T03-1"),
        call_number="DIL 4",
        identifiers={"isbn": "9782070360024"},
        copies=(Copy("DIL 4"),),
    )
    theirs = record(
        "labo:7",
        title="Diagnostic du quartier (le) : Dillon",
        type="etude",
        date="2011-05",
        agents=(Agent("Dupont, J."), Agent("Martin, Luc")),
        abstract="CE QUE DIT LE QUARTIER",
        subjects=subjects("C-97209"),
        call_number="E/211",
        identifiers={"isbn": "9782070360024", "doi": "10.1000/182"},
        files=(File(sha256="0", name="a.pdf", media_type="application/pdf", size=1),),
    )
    made = indexing.gathered((ours, theirs), [Page(1, "le texte")], THESAURUS)
    assert made.id == "vc:1"
    assert made.fields == {
        "title": "Le diagnostic du quartier\nDillon",
        "tags": "Rénovation urbaine\nRenouvellement urbain\nFort-de-France",
        "agents": "Dupont, Jeanne\nDupont, J.\nMartin, Luc",
        "abstract": "Ce que dit le quartier.",
        "call_number": "DIL 4\nE/211",
        "identifiers": "vc:1\n9782070360024\nlabo:7\n10.1000/182",
    }
    assert {name: set(codes) for name, codes in made.facets.items()} == {
        "access": {"public"},
        "centre": {"vc", "labo"},
        "theme": {"T03-1", "T03"},
        "territory": {"C-97209", "C-972"},
        "type": {"diagnostic"},
        "support": {"paper", "electronic"},
        "language": {"fr"},
        "year": {"2011"},
    }
    assert (made.pages, made.date) == (((1, "le texte"),), "2011-05")
    assert made.title_key == indexing.entry(ours, [], THESAURUS).title_key


def like(a: Record, b: Record) -> float:
    """Records are one work when their titles begin with the same word."""
    return 0.9 if a.title.split()[0] == b.title.split()[0] else 0.0


class Network:
    """A store that follows its own feed as ``ingest.gathering`` does, with records of other centres."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.works = Works(store)
        self.mirrors = Mirrors(store, "vc")

    def keep(self, id: str, text: str | None = None, **fields: object) -> None:
        pages = (Page(1, text),) if text else ()
        if id.startswith("vc:"):
            self.store.save(record(id, **fields), pages)
        else:
            self.mirrors.keep(Shared(record(id, **fields), pages), self.origin(id))

    def drop(self, id: str) -> None:
        if id.startswith("vc:"):
            self.store.delete(id)
        else:
            self.mirrors.drop(id, self.origin(id))

    @staticmethod
    def origin(id: str) -> Origin:
        return Origin(centre=id.partition(":")[0], source=1, identifier=id, datestamp="2026-01-01")

    def gather(self) -> None:
        for change in self.store.changes(self.works.reached()):
            if change.deleted:
                self.works.forget(change.id, like)
            else:
                held = self.store.get(change.id)
                self.works.place(held, [held.title.split()[0]], like)
            self.works.reach(change.seq)


@pytest.fixture
def network(store: Store) -> Network:
    return Network(store)


def test_text_leads_then_our_own_then_what_says_most_then_the_first(network: Network) -> None:
    def order() -> list[str]:
        network.gather()
        (led,) = indexing.arranged(network.store, ["c:1"])
        return [one.id for one in led]

    network.keep("d:1", title="Habiter")
    network.keep("c:1", title="Habiter")
    assert order() == ["c:1", "d:1"]
    network.keep("d:1", title="Habiter", date="2011")
    assert order() == ["d:1", "c:1"]
    network.keep("vc:1", title="Habiter")
    assert order() == ["vc:1", "d:1", "c:1"]
    network.keep("c:1", "le texte", title="Habiter")
    assert order() == ["c:1", "vc:1", "d:1"]


def test_a_work_is_one_hit_found_by_what_any_centre_says_of_it(network: Network, engine: Engine) -> None:
    network.keep("vc:1", title="Habiter la ville", call_number="HABA")
    network.keep("labo:1", "du béton", title="Habiter la ville aujourd’hui", keywords=("logement",))
    network.keep("labo:2", title="Autre chose")
    network.gather()
    indexing.sync(network.store, engine)
    assert sorted(engine.ids()) == ["labo:1", "labo:2"]
    for words in ("ville", "HABA", "vc:1", "labo:1", "logement", "béton"):
        assert ids(engine, words) == ["labo:1"], words
    counts = engine.search(Request(facets=("centre",), limit=0))
    assert (counts.total, counts.facets["centre"]) == (2, {"labo": 2, "vc": 1})
    assert indexing.check(network.store, engine) == []


def test_a_record_that_changes_or_goes_changes_the_entry_of_its_work(
    network: Network, engine: Engine
) -> None:
    network.keep("vc:1", title="Habiter la ville", call_number="HABA")
    network.keep("labo:1", "du béton", title="Habiter")
    network.gather()
    indexing.sync(network.store, engine)
    network.keep("vc:1", title="Habiter la ville", call_number="HABB")
    indexing.sync(network.store, engine)  # before anything is gathered
    assert (ids(engine, "HABA"), ids(engine, "HABB")) == ([], ["labo:1"])
    network.drop("labo:1")
    indexing.sync(network.store, engine)
    assert (sorted(engine.ids()), ids(engine, "béton"), ids(engine, "HABB")) == (["vc:1"], [], ["vc:1"])
    network.gather()
    assert network.works.members(["vc:1"])["vc:1"] == ("vc:1",)
    indexing.sync(network.store, engine)
    assert indexing.check(network.store, engine) == []


def test_a_record_that_comes_to_lead_takes_the_place_of_the_one_that_led(
    network: Network, engine: Engine
) -> None:
    network.keep("vc:1", title="Habiter")
    network.keep("labo:1", title="Habiter")
    network.gather()
    indexing.sync(network.store, engine)
    assert sorted(engine.ids()) == ["vc:1"]
    network.keep("labo:1", "le texte", title="Habiter")
    indexing.sync(network.store, engine)
    assert sorted(engine.ids()) == ["labo:1"]
    network.keep("labo:1", "le texte", title="Habiter", access="network")
    indexing.sync(network.store, engine)
    assert sorted(engine.ids()) == ["labo:1", "vc:1"]
    assert indexing.check(network.store, engine) == []


def test_records_that_not_all_may_see_are_not_gathered_with_those_that_all_may(
    network: Network, engine: Engine
) -> None:
    network.keep("vc:1", title="Habiter", access="staff", abstract="un secret")
    network.keep("labo:1", title="Habiter", access="public")
    network.keep("cites:1", title="Habiter", access="public")
    network.gather()
    indexing.sync(network.store, engine)
    assert sorted(engine.ids()) == ["cites:1", "vc:1"]
    assert ids(engine, "secret") == ["vc:1"]
    seen = engine.search(Request(filters=(("access", ("public",)),), facets=("centre",)))
    assert seen.facets["centre"] == {"cites": 1, "labo": 1}


def test_a_work_that_grows_or_comes_apart_reaches_the_index_without_any_record_changing(
    network: Network, engine: Engine
) -> None:
    network.keep("vc:1", title="Habiter")
    network.keep("labo:1", title="Habiter ici")
    indexing.sync(network.store, engine)
    assert sorted(engine.ids()) == ["labo:1", "vc:1"]
    assert indexing.check(network.store, engine) == []
    last = network.store.position()
    network.gather()
    assert network.store.position() == last
    assert indexing.check(network.store, engine) != []
    assert indexing.sync(network.store, engine) == 2
    assert sorted(engine.ids()) == ["vc:1"]
    assert indexing.check(network.store, engine) == []


def test_rebuild_puts_a_work_once_though_its_records_are_far_apart(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH", 2)
    for number in range(1, 8):
        network.keep(f"labo:{number}", title=f"titre-{number}")
    network.keep("vc:1", title="titre-1")
    network.keep("vc:2", title="titre-7 encore", date="2011")
    network.gather()
    told: list[int] = []
    assert indexing.rebuild(network.store, engine, told.append) == 7
    assert told[-1] == 7
    assert sorted(engine.ids()) == ["labo:2", "labo:3", "labo:4", "labo:5", "labo:6", "vc:1", "vc:2"]
    assert indexing.check(network.store, engine) == []
    assert indexing.sync(network.store, engine) == 0


def contents(engine: MemoryEngine) -> dict[str, object]:
    return {id: engine._state.texts[id].entry for id in engine.ids()}


_STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(("vc:1", "labo:1", "labo:2", "cites:1")),
            st.sampled_from(("un", "deux", "un reste")),
            st.sampled_from((None, "texte", "passage")),
            st.sampled_from(("public", "staff")),
        ),
        st.sampled_from(("vc:1", "labo:1", "gather", "sync")),
        st.just("both"),
    ),
    max_size=20,
)


@given(steps=_STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_index_that_was_kept_up_is_the_one_that_is_made_anew(network: Network, steps) -> None:
    kept, anew = MemoryEngine(), MemoryEngine()
    for step in steps:
        match step:
            case "gather":
                network.gather()
            case "sync":
                indexing.sync(network.store, kept, batch=2)
            case "both":
                network.gather()
                indexing.sync(network.store, kept, batch=2)
            case str():
                if step in set(network.store.ids()):
                    network.drop(step)
            case (id, title, text, access):
                network.keep(id, text, title=title, access=access)
    network.gather()
    indexing.sync(network.store, kept, batch=2)
    indexing.rebuild(network.store, anew)
    assert contents(kept) == contents(anew)
    assert indexing.check(network.store, kept) == indexing.check(network.store, anew) == []
    for id in list(network.store.ids()):
        network.drop(id)
    network.gather()
