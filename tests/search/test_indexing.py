"""Records as engines see them, and an index that keeps up with the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.config import Config
from kb.database import Store
from kb.records import Agent, Copy, File, Page, Record, State, Subject
from kb.thesaurus import Concept, Thesaurus
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
