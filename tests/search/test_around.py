from kb.records import Record, Subject
from kb.thesaurus import Concept, Thesaurus
from search import around
from search.engine import Entry
from search.memory import MemoryEngine
from search.query import Words

THESAURUS = Thesaurus(
    [Concept(uri=f"https://x/{code}", scheme="themes", label=label) for code, label in
     (("T1", "Médiation sociale"), ("T2", "Rénovation urbaine"))]
)  # fmt: skip


def engine(*entries: Entry) -> MemoryEngine:
    made = MemoryEngine()
    with made.writer() as writer:
        for entry in entries:
            writer.put(entry)
    return made


def entry(id: str, title: str = "", tags: str = "", pages: tuple[str, ...] = ()) -> Entry:
    fields = {"title": title, "tags": tags, "identifiers": id}
    return Entry(id=id, fields=fields, pages=tuple(enumerate(pages, start=1)))


def test_only_the_pages_of_that_record_are_named_the_best_first():
    made = engine(
        entry("vc:1", pages=("la médiation", "autre chose", "médiation, médiation")),
        entry("vc:11", pages=("médiation",)),
    )
    assert set(around.pages_matching(Words("médiation"), "vc:1", made)) == {1, 3}
    assert around.pages_matching(Words("médiation"), "vc:11", made) == (1,)
    assert around.pages_matching(Words("absent"), "vc:1", made) == ()


def test_records_alike_share_tags_or_title_and_are_neither_itself_nor_its_host():
    made = engine(
        entry("vc:1", "Médiateurs de quartier", "Médiation sociale"),
        entry("vc:2", "Autre titre", "Médiation sociale"),
        entry("vc:3", "Le relogement", "Rénovation urbaine"),
        entry("vc:4", "Cahier", "Médiation sociale"),
    )
    record = Record(
        id="vc:1", title="Médiateurs de quartier", host="vc:4", subjects=(Subject(concept="https://x/T1"),)
    )
    assert around.alike(record, engine=made, thesaurus=THESAURUS, limit=3) == ("vc:2",)
