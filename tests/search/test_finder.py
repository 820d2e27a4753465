import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.thesaurus import Concept, Thesaurus
from search.engine import Entry
from search.finder import ENOUGH, find, is_question
from search.memory import MemoryEngine
from search.query import Phrase, Sort, Words

_TEXTS = {
    "c:1": "Le contrat urbain de cohésion sociale de Fort-de-France",
    "c:2": "Bilan du CUCS du Lamentin",
    "c:3": "Contrat de travail et cohésion d’équipe",
    "c:4": "La subvention d’une association : demander une aide à la commune",
    "c:5": "Un projet éducatif local",
    "c:6": "Le plan épargne logement, PEL",
    "c:7": "Faire face aux difficultés",
}


@pytest.fixture(scope="module")
def engine():
    engine = MemoryEngine()
    with engine.writer() as writer:
        for id, text in _TEXTS.items():
            writer.put(Entry(id=id, pages=((1, text),), facets={"year": ("2010",)}, date=f"200{id[-1]}"))
    return engine


@pytest.fixture(scope="module")
def thesaurus():
    def concept(code, label, *alt, hidden=()):
        return Concept(uri=f"https://x/{code}", scheme="dispositifs", label=label, alt=alt, hidden=hidden)

    return Thesaurus(
        [
            concept("D-CUCS", "Contrat urbain de cohésion sociale", "CUCS", hidden=("CUC",)),
            concept("D-PEL", "Projet éducatif local", "PEL"),
            concept("P-PEL", "Plan épargne logement", "PEL"),
            concept("O-FACE", "Fondation agir contre l’exclusion", "FACE"),
        ]
    )


def ids(found):
    return {hit.id for hit in found.results.hits}


@pytest.mark.parametrize("typed", ["CUCS", "cucs", "C.U.C.S.", "contrats urbains de cohésion sociale"])
def test_acronym_and_expansion_find_each_other(engine, thesaurus, typed):
    found = find(typed, engine=engine, thesaurus=thesaurus)
    assert ids(found) == {"c:1", "c:2"}
    assert found.expanded
    assert not found.relaxed


def test_words_beside_an_acronym_are_still_asked_for(engine, thesaurus):
    assert ids(find("CUCS Lamentin", engine=engine, thesaurus=thesaurus)) == {"c:2"}
    assert ids(find("CUCS Fort-de-France", engine=engine, thesaurus=thesaurus)) == {"c:1"}


def test_all_meanings_of_an_acronym_are_searched_but_not_from_one_meaning_to_another(engine, thesaurus):
    found = find("PEL", engine=engine, thesaurus=thesaurus)
    assert ids(found) == {"c:5", "c:6"}
    assert set(found.expanded) == {"Projet éducatif local", "Plan épargne logement"}
    assert ids(find("projet éducatif local", engine=engine, thesaurus=thesaurus)) == {"c:5"}


def test_misspelt_acronyms_lead_to_their_concept_but_are_not_searched(engine, thesaurus):
    assert find("CUC", engine=engine, thesaurus=thesaurus).expanded == ("Contrat urbain de cohésion sociale",)
    assert find("contrat urbain de cohésion sociale", engine=engine, thesaurus=thesaurus).expanded == (
        "CUCS",
    )


def test_ordinary_words_and_quoted_expressions_are_no_acronyms(engine, thesaurus):
    assert find("faire face", engine=engine, thesaurus=thesaurus).expanded == ()
    assert find("FACE", engine=engine, thesaurus=thesaurus).expanded == ("Fondation agir contre l’exclusion",)
    quoted = find('"CUCS"', engine=engine, thesaurus=thesaurus)
    assert quoted.query == Phrase("CUCS")
    assert ids(quoted) == {"c:2"}


def test_short_search_asks_for_all_words_even_if_none_is_found(engine):
    found = find("commune équipe", engine=engine)
    assert (found.results.total, found.relaxed) == (0, False)


def test_question_is_relaxed_and_says_so(engine, thesaurus):
    asked = "Comment une association peut-elle demander une subvention à sa région ?"
    found = find(asked, engine=engine, thesaurus=thesaurus)
    assert found.relaxed
    assert found.results.hits[0].id == "c:4"
    assert isinstance(found.query, Words)
    assert "Comment" not in found.query.text


def test_question_that_finds_enough_is_not_relaxed():
    engine = MemoryEngine()
    with engine.writer() as writer:
        for number in range(ENOUGH):
            writer.put(Entry(id=f"c:{number}", pages=((1, "aide aux associations"),)))
        writer.put(Entry(id="c:99", pages=((1, "aide aux communes"),)))
    found = find("Quelles aides pour les associations ?", engine=engine)
    assert (found.results.total, found.relaxed) == (ENOUGH, False)


def test_filters_do_not_change_what_is_asked(engine):
    asked = "Quels contrats de travail ?"
    free = find(asked, engine=engine, sort=Sort.NEWEST)
    filtered = find(asked, engine=engine, filters=(("year", ("1999",)),), sort=Sort.NEWEST)
    assert filtered.query == free.query
    assert filtered.results.total == 0


def test_parts_of_results_follow_each_other(engine):
    whole = [hit.id for hit in find("", engine=engine, limit=7).results.hits]
    parts = [
        hit.id for start in (0, 3, 6) for hit in find("", engine=engine, offset=start, limit=3).results.hits
    ]
    assert parts == whole


@pytest.mark.parametrize("text", ["Peut-on payer", "l’aide existe ?", "Qui finance", "en quoi consiste"])
def test_questions_are_told(text):
    assert is_question(text)


@pytest.mark.parametrize(
    "text", ["contrat de ville", "rendez-vous", "Grand-Rivière", "jeunes ou parents", "qui"]
)
def test_subjects_are_no_questions(text):
    assert not is_question(text)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60))
def test_nothing_typed_makes_the_search_fail(engine, thesaurus, typed):
    assert find(typed, engine=engine, thesaurus=thesaurus).results.total >= 0


@pytest.mark.parametrize("typed", ["JEU 5", "jeu5", "978-2-9999904-8-7", "9782999990487"])
def test_a_cote_or_an_isbn_typed_alone_finds_just_that(typed: str) -> None:
    engine = MemoryEngine()
    with engine.writer() as writer:
        book = {"title": "Un livre", "call_number": "JEU 5", "identifiers": "vc:1\n9782999990487"}
        writer.put(Entry(id="vc:1", fields=book))
        writer.put(Entry(id="vc:2", fields={"title": "Règles du jeu 5", "call_number": "JEU 12"}))
    assert [hit.id for hit in find(typed, engine=engine).results.hits] == ["vc:1"]
    assert find("jeu 12", engine=engine).results.total == 1
