import pytest

from kb.thesaurus import Concept, Thesaurus
from search.engine import Entry
from search.memory import MemoryEngine
from search.suggest import complete, did_you_mean, drops, near_concepts


@pytest.fixture(scope="module")
def engine():
    engine = MemoryEngine()
    with engine.writer() as writer:
        for number in range(12):
            writer.put(
                Entry(
                    id=f"c:{number}",
                    fields={"title": "Le logement social", "agents": "Césaire"},
                    pages=((1, "L’école et les écoles du Lamentin, décrochage scolaire"),),
                    facets={"theme": ("T10",)},
                )
            )
        writer.put(Entry(id="c:99", fields={"title": "Le logment rare"}, facets={"theme": ("T03",)}))
    return engine


@pytest.fixture(scope="module")
def thesaurus():
    return Thesaurus(
        [
            Concept(uri="https://x/T10", scheme="themes", label="Logement et habitat", alt=("habitat",)),
            Concept(uri="https://x/T03", scheme="themes", label="Réussite éducative"),
        ]
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("logemant social", "logement social"),
        ("logment", "logement"),
        ("Ecolle", "École"),
        ('auteur:Cesaire "logemant social"', 'auteur:Cesaire "logement social"'),
        ("decrochaje scolaire", "décrochage scolaire"),
    ],
)
def test_misspelt_word_is_mended_and_the_rest_kept(engine, typed, meant):
    found = did_you_mean(typed, engine=engine)
    assert found is not None
    assert (found.text, found.total) == (meant, 12)


@pytest.mark.parametrize("typed", ["logement", "ECOLLE", "zzzzzz", "eco", "ecolle*", "école logements", ""])
def test_nothing_is_mended_that_is_right_or_has_nothing_near(engine, typed):
    assert did_you_mean(typed, engine=engine) is None


def test_correction_that_leads_nowhere_is_not_proposed(engine):
    assert did_you_mean("logemant", engine=engine, filters=(("theme", ("T99",)),)) is None


def test_words_to_drop_come_with_what_they_give(engine):
    found = drops("logement zorglub", engine=engine)
    assert [(drop.dropped, drop.text, drop.total) for drop in found] == [("zorglub", "logement", 12)]


def test_each_part_of_a_query_may_be_dropped(engine):
    found = drops('"logement social" auteur:Hugo', engine=engine)
    assert [(drop.text, drop.total) for drop in found] == [('"logement social"', 12)]


def test_filters_to_drop_come_with_what_they_give(engine):
    filters = (("theme", ("T10",)), ("language", ("es",)))
    found = drops("logement", engine=engine, filters=filters)
    assert [(drop.dropped, drop.filters, drop.total) for drop in found] == [
        (("language", "es"), filters[:1], 12)
    ]


def test_word_being_typed_is_completed_without_accents(engine):
    assert [found.text for found in complete("social deCr", engine=engine)] == ["social décrochage"]
    assert [found.text for found in complete("l’ec", engine=engine)] == ["l’école"]
    assert complete("", engine=engine) == complete("x ", engine=engine) == ()


def test_labels_are_completed_before_words(engine, thesaurus):
    found = complete("log", engine=engine, thesaurus=thesaurus)
    assert [(one.text, one.concept is not None) for one in found] == [
        ("Logement et habitat", True),
        ("logement", False),
        ("logment", False),
    ]


def test_labels_that_look_alike_are_found(thesaurus):
    assert [concept.code for concept in near_concepts("réusite educatives", thesaurus)] == ["T03"]
    assert near_concepts("zorglub", thesaurus) == ()
