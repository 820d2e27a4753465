from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from search.engine import SHOWN
from web.state import SORTS, SearchState

CODES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=12)
PLAIN = [name for name in SHOWN if name != "year"]
STATES = st.builds(
    SearchState,
    q=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40).map(lambda q: " ".join(q.split())),
    filters=st.dictionaries(st.sampled_from(PLAIN), st.lists(CODES, min_size=1, max_size=3, unique=True)).map(
        lambda d: tuple((name, tuple(d[name])) for name in SHOWN if name in d)
    ),
    sort=st.sampled_from(sorted(SORTS)),
    page=st.integers(1, 500),
    size=st.sampled_from([10, 20, 50]),
)


def read(url: str) -> SearchState:
    return SearchState.from_args(MultiDict(parse_qs(urlsplit(url).query)))


@given(STATES)
def test_a_state_survives_its_address(state: SearchState):
    assert read(state.url()) == state


@given(STATES, st.sampled_from(PLAIN), CODES)
def test_choosing_a_value_twice_leaves_the_choice_as_it_was(state: SearchState, facet: str, code: str):
    twice = state.toggled(facet, code).toggled(facet, code)
    assert set(twice.chosen(facet)) == set(state.chosen(facet))
    assert twice.page == 1


@given(
    st.dictionaries(
        st.sampled_from(["q", "page", "par", "tri", "de", "a", "annee", "theme"]), st.text(max_size=20)
    )
)
def test_no_address_is_refused(args: dict[str, str]):
    state = SearchState.from_args(MultiDict(args))
    assert state.page >= 1
    assert state.size in (10, 20, 50)


def test_two_years_become_one_span_in_order():
    state = SearchState.from_args(MultiDict({"de": "2012", "a": "2008"}))
    assert state.chosen("year") == ("2008-2012",)
    assert SearchState.from_args(MultiDict({"de": "2012"})).chosen("year") == ("2012-9999",)


def test_a_pasted_page_is_cut():
    assert len(SearchState.from_args(MultiDict({"q": "mot " * 1000})).q) <= 500
