"""Whether a page has the words of a quotation."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kb.wording import stands_in

PAGE = (
    "La politique de la ville désigne l’ensemble des actions de l’État — et des communes — visant à réduire "
    "les iné-\ngalités. Alors le vice-\nprésident déclarait : « L’efﬁcacité passe par l’œuvre commune » [1]. "
    "Le taux recule de -5 % sur 2010–2013…"
)


@pytest.mark.parametrize(
    "quote",
    [
        "La politique de la ville désigne l'ensemble des actions de l'État",
        "désigne  l’ensemble\ndes\u00a0actions",
        "de l’État – et des communes - visant à réduire les inégalités",
        "réduire les iné-\ngalités",
        "réduire les iné\u00adgalités",
        "le vice-président déclarait: “L’efficacité passe par l’oeuvre commune”",
        "le vice-président déclarait",
        "président déclarait",
        "« L’efficacité passe par l’œuvre commune. »",
        "L’efficacité passe par l’œuvre commune » [1]. Le taux recule",
        "passe par l’œuvre commune ». Le taux",
        "recule de -5 % sur 2010-2013",
        "La politique de la ville […] et des communes",
        "La politique de la ville […], et des communes (…) inégalités [...] Le taux recule…",
        "La politique… des communes",
        "[…] l’ensemble des actions",
        "La politique [dite] de la ville [sic] désigne l’ensemble",
        "[l]a politique de la ville désigne l’ensemble des action[s]",
        "le vice-présid[ente] déclarait",
        "de\u0301signe l’ensemble",
    ],
)
def test_a_quotation_stands_in_its_page(quote: str) -> None:
    page = PAGE.replace("» [1]. Le", "». Le") if "»." in quote and "[1]" not in quote else PAGE
    assert stands_in(quote, page)


@pytest.mark.parametrize(
    "quote",
    [
        "la politique de la ville",
        "La politique de la ville designe",
        "La politique de la ville réduit",
        "politique de la vil",
        "recule de 5 %",
        "des communes […] La politique de la ville",
        "La politique (urbaine) de la ville",
        "La politique [de] ville désigne",
        "[l]a politique de la ville réduit",
        "une politique […]",
        "La politique de la ville désigne l’ensemble des actions !",
        "le vice président déclarait que",
        *("", "…", "[…]", "[ajout]", " . "),
    ],
)
def test_a_quotation_that_says_something_else_does_not(quote: str) -> None:
    assert not stands_in(quote, PAGE)


WORDS = st.lists(
    st.text(st.sampled_from("abcÉéœﬁ0123'’-—.,;:!?«»“()[]…%"), min_size=1, max_size=9),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)  # patterns are compiled
@given(WORDS, st.data())
def test_any_slice_of_whole_words_stands_in_a_page_however_it_is_set(
    words: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    quote = " ".join(words[start : data.draw(st.integers(start + 1, len(words)))])
    assume(re.search(r"\w", quote))
    assert stands_in(quote, data.draw(set_anew(words)))


@st.composite
def set_anew(draw: Callable[..., str], words: list[str]) -> str:
    """The words with other white space, cut at any letter, with soft hyphens and other signs."""
    blank, cut = (
        st.sampled_from([" ", "\n", "\u00a0", "  \n "]),
        st.sampled_from([""] * 6 + ["-\n", "\u00ad", "-\n  "]),
    )
    text = ""
    for word in words:
        text += draw(blank) if text else ""
        text += re.sub(r"(?<=[^\W\d])(?=[^\W\d])", lambda _: draw(cut), word)
    return text.replace("’", draw(st.sampled_from("’'"))).replace("ﬁ", draw(st.sampled_from(["ﬁ", "fi"])))


@given(st.lists(st.sampled_from(["un", "deux", "trois", "quatre"]), min_size=5, max_size=20), st.data())
def test_omissions_stand_for_words_left_out(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(1, len(words) - 2))
    end = data.draw(st.integers(start, len(words) - 1))
    mark = data.draw(st.sampled_from(["[…]", "[...]", "(…)", "…", "[ … ]"]))
    assert stands_in(" ".join([*words[:start], mark, *words[end:]]), " ".join(words))


def test_a_dash_counts_where_it_is_the_sign_of_a_number_and_not_between_words() -> None:
    assert not stands_in("-5 %", "recul de 5 %")
    assert stands_in("-5 %", "recul de −5 %")
    assert stands_in("- 5 oui", "4 - 5 oui")
    assert stands_in("mot – mot", "mot—mot")


def test_other_words_do_not_stand_in_a_page() -> None:
    assert not stands_in("un trois", "un deux trois")
    assert not stands_in("un […] un", "un deux trois")


@pytest.mark.parametrize(
    "quote", ["x[a]" * 4_000 + "z", "[a] " * 4_000 + "y", "x… " * 4_000 + "y", "x" * 16_000 + "y"]
)
def test_comparing_takes_a_time_in_proportion(quote: str) -> None:
    before = time.process_time()
    assert not stands_in(quote, "x " * 4_000 + "[a] " * 4_000 + "xa" * 2_000)
    assert time.process_time() - before < 5
