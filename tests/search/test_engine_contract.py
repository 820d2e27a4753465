"""What every engine promises, held against each of them; random query trees against the memory engine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.engine import FIELDS, Engine, Entry, Results
from search.memory import MemoryEngine
from search.query import (
    And,
    Between,
    Everything,
    Fuzzy,
    Need,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Request,
    Sort,
    Words,
)
from search.whoosh_engine import WhooshEngine

ENGINES: dict[str, Callable[[Path], Engine]] = {
    "memory": lambda folder: MemoryEngine(),
    "whoosh": WhooshEngine,
}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with contextlib.closing(ENGINES[request.param](tmp_path / "index")) as opened:
        yield opened


def entry(id: str, title: str = "", *pages: str, **own: str) -> Entry:
    return Entry(
        id=id, fields={"title": title, **own}, pages=tuple(enumerate(pages, 1)), title_key=title.lower()
    )


def put(engine: Engine, *entries: Entry, position: int = 0) -> None:
    """One commit."""
    with engine.writer() as writer:
        for one in entries:
            writer.put(one)
        writer.mark(position)


def ids(results: Results) -> list[str]:
    return [hit.id for hit in results.hits]


def find(engine: Engine, query: Query, **more: object) -> list[str]:
    return ids(engine.search(Request(query=query, **more)))  # type: ignore[arg-type]


@pytest.fixture
def fund(engine: Engine) -> Engine:
    """Three commits, one entry replaced, one deleted."""
    put(
        engine,
        entry(
            "c:1",
            "Le contrat de ville",
            "La politique de la ville à Fort-de-France.",
            "Les écoles du quartier.",
        ),
        entry("c:2", "Ancien titre", "Un texte qui sera remplacé : éphémère."),
        entry("c:3", "À supprimer", "La politique de la ville, encore."),
    )
    put(
        engine,
        entry(
            "c:2",
            "L’école et le quartier",
            "Le conseil citoyen du quartier Trénelle.",
            tags="éducation ; CUCS",
        ),
        entry("c:4", "Rénovation urbaine", "Ville et politique.", "politique rurale", call_number="AME 12"),
    )
    with engine.writer() as writer:
        writer.delete("c:3")
        writer.mark(7)
    return engine


def test_an_empty_index_answers_with_nothing(engine: Engine) -> None:
    results = engine.search(Request(query=Words("ville"), facets=("theme",)))
    assert results == Results((), 0, {"theme": {}})
    assert (len(engine), engine.position(), list(engine.ids())) == (0, 0, [])
    assert (engine.forms("v", 5), engine.near("ville", 5), engine.spellings(["ville"])) == ([], [], [])


def test_everything_is_every_living_record_by_id(fund: Engine) -> None:
    assert find(fund, Everything()) == ["c:1", "c:2", "c:4"]
    assert (len(fund), fund.position(), sorted(fund.ids())) == (3, 7, ["c:1", "c:2", "c:4"])


def test_accents_case_elision_and_plural_do_not_matter(fund: Engine) -> None:
    for word in ("ecole", "École", "l'école", "écoles", "ECOLES"):
        assert sorted(find(fund, Words(word))) == ["c:1", "c:2"]


def test_words_may_stand_in_a_page_and_in_own_fields_together(fund: Engine) -> None:
    assert find(fund, Words("contrat écoles")) == ["c:1"]
    assert find(fund, Words("politique écoles")) == []  # two pages are not one unit
    assert sorted(find(fund, Words("politique écoles", need=Need.ANY))) == ["c:1", "c:2", "c:4"]


def test_most_words_are_three_in_five_from_three_words_on(fund: Engine) -> None:
    assert find(fund, Words("conseil citoyen introuvable", need=Need.MOST)) == ["c:2"]
    assert find(fund, Words("conseil introuvable", need=Need.MOST)) == []


def test_fields_limit_where_words_are_looked_for(fund: Engine) -> None:
    assert find(fund, Words("école", ("title",))) == ["c:2"]
    assert find(fund, Words("politique", ("title",))) == []
    assert find(fund, Words("cucs", ("tags",))) == ["c:2"]


def test_exact_fields_are_found_whole_and_by_pieces(fund: Engine) -> None:
    for text in ("AME 12", "ame12", "ame-12", "AME"):
        assert find(fund, Words(text, ("call_number",))) == ["c:4"]
    assert find(fund, Phrase("AME 12", ("call_number",))) == ["c:4"]
    assert find(fund, Prefix("am", ("call_number",))) == ["c:4"]
    assert find(fund, Fuzzy("amr12", ("call_number",))) == ["c:4"]
    assert find(fund, Words("AME 13", ("call_number",))) == []


def test_a_phrase_keeps_order_and_the_gaps_of_stop_words(fund: Engine) -> None:
    assert find(fund, Phrase("politique de la ville")) == ["c:1"]
    assert find(fund, Phrase("politique ville")) == []
    assert find(fund, Phrase("ville et politique")) == ["c:4"]
    assert find(fund, Phrase("la politique")) == find(fund, Phrase("politique"))


def test_a_text_of_stop_words_asks_for_nothing(fund: Engine) -> None:
    assert find(fund, Words("de la")) == find(fund, Phrase("et le")) == ["c:1", "c:2", "c:4"]


def test_a_prefix_meets_any_form(fund: Engine) -> None:
    assert find(fund, Prefix("renov")) == ["c:4"]
    assert find(fund, Prefix("ECOLES")) == ["c:1", "c:2"] or sorted(find(fund, Prefix("ECOLES"))) == [
        "c:1",
        "c:2",
    ]
    assert find(fund, Prefix("zzz")) == []


def test_a_fuzzy_word_is_one_letter_away(fund: Engine) -> None:
    for word in ("citoien", "cioyen", "cittoyen", "ctioyen", "citoyen"):
        assert find(fund, Fuzzy(word)) == ["c:2"], word
    assert find(fund, Fuzzy("sitoien")) == []


def test_not_excludes_whole_records(fund: Engine) -> None:
    assert find(fund, Not(Words("écoles"))) == ["c:4"]
    assert find(fund, And((Words("politique"), Not(Words("rurale"))))) == ["c:1"]
    assert find(fund, Not(Not(Words("rurale")))) == ["c:4"]


def test_empty_and_is_everything_and_empty_or_is_nothing(fund: Engine) -> None:
    assert find(fund, And(())) == ["c:1", "c:2", "c:4"]
    assert find(fund, Or(())) == []


def test_replaced_and_deleted_text_is_not_found(fund: Engine) -> None:
    assert find(fund, Words("éphémère")) == find(fund, Words("supprimer")) == []
    assert find(fund, Prefix("ephem")) == find(fund, Fuzzy("ephemere")) == []
    assert fund.forms("ephem", 5) == []


def test_hits_carry_their_best_pages(fund: Engine) -> None:
    by_id = {hit.id: hit for hit in fund.search(Request(query=Words("politique"))).hits}
    assert sorted(by_id["c:4"].pages) == [1, 2]
    assert by_id["c:1"].pages == (1,)
    assert fund.search(Request(query=Words("politique"), pages=1)).hits[0].pages != ()
    assert fund.search(Request(query=Words("rénovation"))).hits[0].pages == ()
    assert fund.search(Request()).hits[0].pages == ()


def test_pages_keep_their_numbers(engine: Engine) -> None:
    put(engine, Entry(id="c:1", pages=((12, "alpha"), (300, "bêta"), (70_000, "alpha alpha"))))
    assert engine.search(Request(query=Words("alpha"))).hits[0].pages == (70_000, 12)


def test_the_title_weighs_more_than_other_own_fields(engine: Engine) -> None:
    put(
        engine,
        entry("c:1", "autre chose", abstract="la ville"),
        entry("c:2", "la ville", abstract="autre chose"),
    )
    assert find(engine, Words("ville")) == ["c:2", "c:1"]


def test_a_word_in_the_first_page_weighs_more_than_in_a_later_one(engine: Engine) -> None:
    put(engine, entry("c:1", "", "rien", "la ville"), entry("c:2", "", "la ville", "rien"))
    assert find(engine, Words("ville")) == ["c:2", "c:1"]


def test_kin_raise_a_record_and_find_none(engine: Engine) -> None:
    put(
        engine,
        entry("a", "", "fonctionner demain"),
        entry("b", "", "fonctionner fonctionnel"),
        entry("c", "", "fonctionnel"),
    )
    assert find(engine, Words("fonctionner")) == ["b", "a"]
    assert find(engine, Words("fonctionner demain", need=Need.ANY)) == ["a", "b"]
    assert find(engine, Words("marine")) == []


def test_equal_scores_are_ordered_by_id_over_all_commits(engine: Engine) -> None:
    for id in ("c:3", "c:1", "c:20", "c:2"):
        put(engine, entry(id, "ville"))
    assert find(engine, Words("ville")) == ["c:1", "c:2", "c:20", "c:3"]
    assert find(engine, Words("ville"), offset=1, limit=2) == ["c:2", "c:20"]
    assert find(engine, Words("ville"), limit=0) == find(engine, Words("ville"), offset=9) == []
    assert engine.search(Request(query=Words("ville"), limit=0)).total == 4


DATED = (
    Entry(id="c:1", date="1998", title_key="b"),
    Entry(id="c:2", date="1998-03", title_key="a"),
    Entry(id="c:3", title_key="é"),
    Entry(id="c:4", date="2011-05-01", title_key="a"),
)


def test_sorting_by_date_and_title(engine: Engine) -> None:
    put(engine, *DATED[:2])
    put(engine, *DATED[2:])
    assert find(engine, Everything(), sort=Sort.NEWEST) == ["c:4", "c:2", "c:1", "c:3"]
    assert find(engine, Everything(), sort=Sort.OLDEST) == ["c:1", "c:2", "c:4", "c:3"]
    assert find(engine, Everything(), sort=Sort.TITLE) == ["c:2", "c:4", "c:1", "c:3"]
    assert find(engine, Everything(), sort=Sort.TITLE, offset=1, limit=2) == ["c:4", "c:1"]


def test_between_includes_both_years_and_leaves_out_the_undated(engine: Engine) -> None:
    put(engine, *DATED)
    assert find(engine, Between(1998, 2011)) == ["c:1", "c:2", "c:4"]
    assert find(engine, Between(1999, None)) == ["c:4"]
    assert find(engine, Between(None, 1998)) == ["c:1", "c:2"]
    assert find(engine, Not(Between(None, None))) == ["c:3"]


FACETED = (
    Entry(id="c:1", facets={"theme": ("T01", "T0"), "type": ("guide",), "year": ("2008",)}),
    Entry(id="c:2", facets={"theme": ("T02", "T0"), "type": ("guide",), "year": ("2012",)}),
    Entry(id="c:3", facets={"theme": ("T02", "T01", "T0"), "type": ("etude",), "year": ("2015",)}),
    Entry(id="c:4", facets={"type": ("etude", "etude")}),
)


@pytest.fixture
def faceted(engine: Engine) -> Engine:
    put(engine, *FACETED[:2])
    put(engine, *FACETED[2:])
    return engine


def test_facets_count_records_over_all_results(faceted: Engine) -> None:
    results = faceted.search(Request(facets=("theme", "type", "series"), limit=1))
    assert results.facets == {
        "theme": {"T0": 3, "T01": 2, "T02": 2},
        "type": {"guide": 2, "etude": 2},
        "series": {},
    }


def test_values_of_one_facet_are_or_and_facets_are_and(faceted: Engine) -> None:
    assert find(faceted, Everything(), filters=(("theme", ("T01", "T02")),)) == ["c:1", "c:2", "c:3"]
    both = (("theme", ("T01",)), ("type", ("guide",)))
    assert find(faceted, Everything(), filters=both) == ["c:1"]
    assert find(faceted, Everything(), filters=(("theme", ("inconnu",)),)) == []


def test_a_filtered_facet_is_counted_without_its_own_filter(faceted: Engine) -> None:
    filters = (("theme", ("T01",)), ("type", ("guide",)))
    results = faceted.search(Request(filters=filters, facets=("theme", "type")))
    assert results.total == 1
    assert results.facets == {"theme": {"T01": 1, "T02": 1, "T0": 2}, "type": {"guide": 1, "etude": 1}}


def test_years_may_be_filtered_by_spans(faceted: Engine) -> None:
    assert find(faceted, Everything(), filters=(("year", ("2008-2012",)),)) == ["c:1", "c:2"]
    assert find(faceted, Everything(), filters=(("year", ("2013-", "2008")),)) == ["c:1", "c:3"]
    assert find(faceted, Everything(), filters=(("year", ("-2010",)),)) == ["c:1"]


def test_forms_are_lower_case_with_accents_commonest_first(fund: Engine) -> None:
    assert fund.forms("ECO", 5) == [("école", 2), ("écoles", 2)]
    assert fund.forms("quart", 1) == [("quartier", 3)]
    assert fund.forms("contrat", 0) == []


def test_near_forms_come_nearest_first(fund: Engine) -> None:
    assert fund.near("ecolle", 5) == [("école", 2)]
    assert ("rénovation", 1) in fund.near("renovasion", 5)
    assert ("rénovation", 1) in fund.near("renovasionn", 5)
    assert "quartier" not in dict(fund.near("quartier", 5))


def test_held_counts_pages_and_own_fields_that_hold_a_term(fund: Engine) -> None:
    # Own fields and pages of c:1 (2), c:2 (1) and c:4 (2); what was replaced or deleted does not count.
    assert fund.held(["ecole", "ville", "inconnu"]) == {"": 8, "ecole": 2, "ville": 3, "inconnu": 0}
    assert fund.held([]) == {"": 8}


def test_spellings_are_the_forms_of_terms(fund: Engine) -> None:
    assert fund.spellings(["ecole", "inconnu"]) == ["école", "écoles"]


def test_text_outside_french_is_found(engine: Engine) -> None:
    put(engine, entry("c:1", "Œuvre de l’Ōmura 東京", "naïve ﬁn Straße 𝒳", abstract="Кариб"))
    for word in ("oeuvre", "ŒUVRE", "omura", "東京", "кариб", "strasse"):
        assert find(engine, Words(word)) == ["c:1"], word
    assert find(engine, Prefix("東")) == ["c:1"]


def test_an_error_leaves_the_index_as_it_was(fund: Engine) -> None:
    def fail() -> None:
        with fund.writer() as writer:
            writer.put(entry("c:9", "nouveau"))
            writer.delete("c:1")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert find(fund, Everything()) == ["c:1", "c:2", "c:4"]
    assert fund.position() == 7


def test_the_last_of_several_changes_to_one_entry_counts(engine: Engine) -> None:
    with engine.writer() as writer:
        writer.put(entry("c:1", "premier"))
        writer.put(entry("c:1", "second"))
        writer.put(entry("c:2", "autre"))
        writer.delete("c:2")
        writer.delete("c:3")
    assert find(engine, Words("premier")) == find(engine, Words("autre")) == []
    assert find(engine, Words("second")) == ["c:1"]


def test_a_fresh_writer_replaces_the_whole_index(fund: Engine) -> None:
    with fund.writer(fresh=True) as writer:
        writer.put(entry("c:8", "tout neuf"))
        writer.mark(9)
        assert find(fund, Words("contrat")) == ["c:1"]  # the old index serves until the swap
    assert find(fund, Everything()) == ["c:8"]
    assert (fund.position(), len(fund)) == (9, 1)


# -- random corpora and random trees, against the engine that is plainly right

WORDS = """
ville villes école écoles politique quartier quartiers contrat de la et l’habitat habitat santé sante citoyen
citoyens citoyenne citoyenneté politicien rénovation urbain urbaine CUCS C.U.C.S. été à 12 2015 œuvre
""".split()  # noqa: SIM905 - a list of thirty strings is no clearer
texts = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
own_fields = st.dictionaries(st.sampled_from([name for name in FIELDS if name != "text"]), texts, max_size=3)
codes = st.lists(st.sampled_from(("a", "b", "c")), max_size=2, unique=True).map(tuple)
years = st.sampled_from(((), ("2008",), ("2010",), ("2015",)))
entries = st.builds(
    lambda number, fields, pages, theme, kind, year, date, key: Entry(
        id=f"c:{number}",
        fields=fields,
        pages=tuple(enumerate(pages, 1)),
        facets={"theme": theme, "type": kind, "year": year},
        date=date,
        title_key=key,
    ),
    st.integers(0, 11),
    own_fields,
    st.lists(texts, max_size=3),
    codes,
    codes,
    years,
    st.sampled_from((None, "2008", "2008-05", "2010-05-06", "2015")),
    st.sampled_from(("a", "b", "é", "")),
)
commits = st.lists(st.lists(entries | st.integers(0, 11).map("c:{}".format), max_size=5), max_size=5)
fields = st.lists(st.sampled_from(list(FIELDS)), max_size=2, unique=True).map(tuple)
single = st.sampled_from(WORDS)
leaves = st.one_of(
    st.just(Everything()),
    st.builds(Words, st.lists(single, max_size=4).map(" ".join), fields, st.sampled_from(Need)),
    st.builds(Phrase, st.lists(single, max_size=3).map(" ".join), fields),
    st.builds(Prefix, single.map(lambda word: word[:4]), fields),
    st.builds(Fuzzy, single.map(lambda word: word[:2] + word[3:]), fields),
    st.builds(Between, st.sampled_from((None, 2008, 2010)), st.sampled_from((None, 2010, 2015))),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)
filters = st.lists(
    st.one_of(
        st.tuples(st.just("theme"), codes),
        st.tuples(st.just("type"), codes),
        st.tuples(st.just("year"), st.sampled_from((("2008-2012",), ("2015",), ("2009-", "2008")))),
    ),
    max_size=2,
).map(tuple)
requests = st.builds(
    Request,
    query=trees,
    filters=filters,
    facets=st.just(("theme", "type", "year")),
    sort=st.sampled_from(Sort),
    offset=st.integers(0, 3),
    limit=st.integers(0, 12),
    pages=st.integers(0, 3),
)


def change(engine: Engine, changes: list[list[Entry | str]]) -> None:
    for commit in changes:
        with engine.writer() as writer:
            for item in commit:
                if isinstance(item, Entry):
                    writer.put(item)
                else:
                    writer.delete(item)


def same_hits(ours: Results, right: Results, sort: Sort) -> None:
    """The same hits in the same order; scores that are equal but for rounding may change places."""
    assert [hit.score for hit in ours.hits] == pytest.approx([hit.score for hit in right.hits], abs=1e-4)
    if sort is not Sort.RELEVANCE:
        assert ids(ours) == ids(right)
    expected = {hit.id: hit for hit in right.hits}
    for mine, theirs in zip(ours.hits, right.hits, strict=True):
        assert mine.id == theirs.id or mine.score == pytest.approx(theirs.score, abs=1e-4)
        if mine.id in expected:
            assert len(mine.pages) == len(expected[mine.id].pages)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=commits, asked=st.lists(requests, min_size=1, max_size=6), reopened=st.booleans())
def test_random_trees_give_what_the_memory_engine_gives(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[list[Entry | str]],
    asked: list[Request],
    reopened: bool,
) -> None:
    right = MemoryEngine()
    change(right, changes)
    folder = tmp_path_factory.mktemp("index")
    with contextlib.closing(WhooshEngine(folder)) as engine:
        change(engine, changes)
        if reopened:
            engine = WhooshEngine(folder)
        assert sorted(engine.ids()) == sorted(right.ids())
        for request in asked:
            ours, theirs = engine.search(request), right.search(request)
            assert (ours.total, ours.facets) == (theirs.total, theirs.facets)
            same_hits(ours, theirs, request.sort)


@settings(max_examples=60, deadline=None)
@given(changes=commits, word=single, limit=st.integers(0, 6))
def test_words_of_the_fund_are_what_the_memory_engine_gives(
    tmp_path_factory: pytest.TempPathFactory, changes: list[list[Entry | str]], word: str, limit: int
) -> None:
    right = MemoryEngine()
    change(right, changes)
    with contextlib.closing(WhooshEngine(tmp_path_factory.mktemp("index"))) as engine:
        change(engine, changes)
        assert engine.forms(word[:2], limit) == right.forms(word[:2], limit)
        assert engine.near(word, limit) == right.near(word, limit)
        assert engine.held([word, "ecole", "ville"]) == right.held([word, "ecole", "ville"])
        assert engine.spellings([word, "ecole", "ville"]) == right.spellings([word, "ecole", "ville"])
