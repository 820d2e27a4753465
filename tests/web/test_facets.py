import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.thesaurus import Concept, Thesaurus
from web import facets
from web.labels import Labels, Node
from web.state import SearchState


def concept(code: str, scheme: str, *broader: str, narrower: tuple[str, ...] = ()) -> Concept:
    return Concept(
        uri=f"https://x/{code}",
        scheme=scheme,
        label=f"Nom {code}",
        broader=tuple(f"https://x/{b}" for b in broader),
        narrower=tuple(f"https://x/{n}" for n in narrower),
    )


LABELS = Labels(
    Thesaurus(
        [
            concept("CAR", "territories", narrower=("MTQ",)),
            concept("MTQ", "territories", "CAR", narrower=("E1", "E2")),
            concept("E1", "territories", "MTQ", narrower=("C1", "C2")),
            concept("E2", "territories", "MTQ"),
            concept("C1", "territories", "E1"),
            concept("C2", "territories", "E1"),
        ]
    )
)
COUNTS = {"CAR": 9, "MTQ": 9, "E1": 6, "E2": 3, "C1": 4, "C2": 2}


def test_levels_that_cut_nothing_are_skipped():
    assert [node.code for node in LABELS.tree(COUNTS)] == ["E1", "E2"]
    assert LABELS.tree(COUNTS)[0].below == (Node("C1", 4), Node("C2", 2))


def test_a_branch_opens_only_where_something_is_chosen():
    counts = COUNTS | {"E2": 5}
    closed = facets.view("territory", counts, SearchState(), LABELS)
    assert [(v.code, v.below) for v in closed.values] == [("E1", ()), ("E2", ())]
    opened = facets.view("territory", counts, SearchState().toggled("territory", "C1"), LABELS)
    assert [v.code for v in opened.values[0].below] == ["C1", "C2"]
    assert opened.values[0].below[0].chosen


def test_a_branch_that_holds_nearly_everything_gives_its_lines_to_what_is_below():
    view = facets.view("territory", COUNTS, SearchState(), LABELS)
    assert [(v.code, v.count) for v in view.values] == [("C1", 4), ("E2", 3), ("C2", 2)]


def test_a_code_with_several_parents_stands_once():
    labels = Labels(
        Thesaurus(
            [
                concept("A", "territories", narrower=("C1",)),
                concept("E", "territories", narrower=("C1", "C2")),
                concept("C1", "territories", "A", "E"),
                concept("C2", "territories", "E"),
            ]
        )
    )
    tree = labels.tree({"A": 2, "E": 5, "C1": 2, "C2": 3})
    assert tree == (Node("C2", 3), Node("C1", 2))


def test_a_chosen_value_without_record_stays_to_be_taken_away():
    state = SearchState().toggled("series", "Perdue")
    view = facets.view("series", {"Cahiers": 2}, state, LABELS)
    assert [(v.code, v.count, v.chosen) for v in view.values] == [("Perdue", 0, True), ("Cahiers", 2, False)]
    assert view.values[0].url == "/recherche"


def test_more_values_than_six_lead_to_a_page_of_all():
    counts = {f"Collection {i}": i + 1 for i in range(9)}
    view = facets.view("series", counts, SearchState(q="école"), LABELS)
    assert [v.count for v in view.values] == [9, 8, 7, 6, 5, 4]
    assert view.more_url == "/facette/collection?q=%C3%A9cole"
    everything = facets.view("series", counts, SearchState(), LABELS, every=True)
    assert len(everything.values) == 9
    assert [v.code for v in facets.containing(everything.values, "COLLECTION 7")] == ["Collection 7"]


@given(st.dictionaries(st.integers(1850, 2030), st.integers(1, 500), min_size=1))
def test_the_histogram_counts_every_record_once_in_at_most_nine_bars(years: dict[int, int]):
    view = facets.view("year", {str(y): n for y, n in years.items()}, SearchState(), LABELS)
    assert view.years is not None
    bars = view.years.bars
    assert sum(bar.count for bar in bars) == sum(years.values())
    assert 1 <= len(bars) <= 9
    assert min(bar.width for bar in bars) >= 24
    assert all(bar.height <= 70 for bar in bars)


def test_a_chosen_period_is_shown_in_the_form_and_its_bar_takes_it_away():
    years = {str(y): 1 for y in range(2000, 2020)}
    state = SearchState().with_facet("year", ("2005-2009",))
    view = facets.view("year", years, state, LABELS).years
    assert view is not None
    assert (view.first, view.last) == ("2005", "2009")
    chosen = [bar for bar in view.bars if bar.chosen]
    assert [bar.url for bar in chosen] == ["/recherche"]


@pytest.mark.parametrize(
    ("code", "said", "first", "last"),
    [
        ("2026-9999", "depuis 2026", "2026", ""),
        ("1000-2009", "jusqu’en 2009", "", "2009"),
        ("2005-2009", "2005–2009", "2005", "2009"),
        ("2005", "2005", "2005", "2005"),
    ],
)
def test_a_span_of_years_with_one_end_only_says_so(code: str, said: str, first: str, last: str):
    state = SearchState().with_facet("year", (code,))
    assert [chip.label for chip in facets.chips(state, LABELS)] == [said]
    view = facets.view("year", {"2006": 1}, state, LABELS).years
    assert view is not None
    assert (view.first, view.last) == (first, last)


def test_chips_say_what_they_take_away():
    state = SearchState(q="x").toggled("territory", "E1").toggled("support", "paper")
    assert [(c.facet, c.label, c.url) for c in facets.chips(state, LABELS)] == [
        ("Territoire", "Nom E1", "/recherche?q=x&support=paper"),
        ("Support", "Papier", "/recherche?q=x&territoire=E1"),
    ]
