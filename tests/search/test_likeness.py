from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.likeness import FRIENDS, Shapes, by_company

WORDS = st.text(alphabet="abcde", min_size=1, max_size=12)


def share(shapes: Shapes, *words: str) -> float:
    return shapes.share(shapes.mask(words))


def test_a_word_is_all_of_itself_and_others_as_much_as_they_share_letters() -> None:
    shapes = Shapes({"fondateur": 1.0})
    assert share(shapes, "fondateur") == pytest.approx(1)
    assert 1 > share(shapes, "fondatrice") > share(shapes, "fond") > share(shapes, "atelier") == 0


def test_words_count_by_their_weight() -> None:
    shapes = Shapes({"mediateur": 3.0, "halls": 1.0})
    assert share(shapes, "mediateur") == pytest.approx(0.75)
    assert share(shapes, "halls") == pytest.approx(0.25)


def test_masks_put_together_are_the_words_put_together() -> None:
    shapes = Shapes({"mediateur": 3.0, "halls": 1.0})
    assert shapes.share(shapes.mask(["mediateur"]) | shapes.mask(["halls"])) == pytest.approx(1)


def test_words_of_one_letter_and_none_at_all_are_no_error() -> None:
    assert share(Shapes({"a": 1.0}), "a", "") == pytest.approx(1)
    assert share(Shapes({}), "mediateur") == 0


@given(st.dictionaries(WORDS, st.floats(0.01, 5), max_size=15), st.lists(WORDS, max_size=20))
def test_a_share_is_within_0_and_1_and_whole_for_all_words(
    weights: dict[str, float], said: list[str]
) -> None:
    shapes = Shapes(weights)
    assert 0 <= share(shapes, *said) <= 1 + 1e-9
    assert share(shapes, *weights) == pytest.approx(1 if weights else 0)
    assert share(shapes, *said, *weights) == pytest.approx(share(shapes, *weights))


def test_a_page_has_the_score_of_those_like_it() -> None:
    pages = [{"hall": 2, "bail": 1}, {"hall": 1, "bail": 1}, {"pont": 1, "mer": 2}, {"pont": 3, "mer": 1}]
    assert by_company([1.0, 0.6, 0.4, 0.2], pages) == pytest.approx([0.6, 1.0, 0.2, 0.4])


def test_words_of_all_pages_make_none_alike() -> None:
    pages = [{"ville": 3, "hall": 1}, {"ville": 2, "pont": 1}, {"ville": 1}]
    assert by_company([1.0, 0.5, 0.2], pages) == pytest.approx([0, 0, 0])


def test_only_the_most_alike_speak_for_a_page() -> None:
    near = [{"hall": 1, "bail": 1, f"n{number}": 1} for number in range(FRIENDS + 1)]
    far = [{"hall": 1, f"f{number}": 1, f"g{number}": 1} for number in range(4)]
    found = by_company([1.0] * len(near) + [0.0] * len(far), [*near, *far])
    assert found[0] == pytest.approx(1)


@pytest.mark.parametrize("pages", [[], [{}], [{"hall": 1}], [{}, {"hall": 1}]])
def test_few_pages_and_empty_ones_have_no_company(pages: list[dict[str, int]]) -> None:
    assert by_company([1.0] * len(pages), pages) == [0.0] * len(pages)
