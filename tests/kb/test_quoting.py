"""What an answer cites and quotes, read from its Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kb.errors import InvalidValue
from kb.quoting import (
    Fault,
    FaultKind,
    Quotation,
    Source,
    check,
    quotations,
    quoted,
    sources,
)

SITE = "https://base.exemple.fr"

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn"]) | st.sampled_from("\n\t"))
MARKED = st.text(st.sampled_from("ab1 \n*_`#>[]()<>&;!|\\~-=+.:/\"'é«»—"), max_size=60)


def folded(text: str) -> str:
    return " ".join(re.sub(r"(?<=\w)[-‐]\n[^\S\n]*(?=\w)", "-", "\n".join(text.splitlines())).split())


# -- sources


def test_a_link_to_a_record_a_page_or_another_site_is_a_source() -> None:
    body = "[a](/notice/centre:1), [b](/notice/centre:2/page/3) et [c](https://exemple.org/x)"
    assert sources(body) == (
        Source(record="centre:1", label="a"),
        Source(record="centre:2", pages=(3,), label="b"),
        Source(url="https://exemple.org/x", label="c"),
    )


def test_sources_are_joined_in_order_of_their_first_link_with_all_their_pages() -> None:
    body = (
        "[b](/notice/c:2/page/9)\n\n[a](/notice/c:1)\n\n[*b* bis](/notice/c:2/page/4) [b](/notice/c:2/page/9)"
    )
    assert sources(body) == (
        Source(record="c:2", pages=(4, 9), label="b"),
        Source(record="c:1", label="a"),
    )


def test_links_are_read_as_markdown_and_not_found_by_their_looks() -> None:
    body = (
        "`[a](/notice/c:1)` \\[b](/notice/c:2) [c][1] <https://exemple.org/d>\n\n"
        "    [e](/notice/c:3)\n\n```\n[f](/notice/c:4)\n```\n\n"
        "<a href='/notice/c:5'>g</a> ![h](/notice/c:6)\n\n"
        "| i |\n|---|\n| [j](/notice/c:7) |\n\n[1]: /notice/c:8\n"
    )
    assert [source.record or source.url for source in sources(body)] == [
        "c:8",
        "https://exemple.org/d",
        "c:6",
        "c:7",
    ]


@given(
    st.lists(st.tuples(st.integers(1, 30), st.none() | st.integers(1, 400)), max_size=12),
    st.sampled_from(["", SITE]),
    st.booleans(),
)
def test_sources_round_trip(cited: list[tuple[int, int | None]], site: str, encoded: bool) -> None:
    colon = "%3A" if encoded else ":"
    addresses = [f"{site}/notice/c{colon}{n}" + (f"/page/{p}" if p else "") for n, p in cited]
    found = sources("\n\n".join(f"- voir [x]({address})" for address in addresses), site)
    assert [source.record for source in found] == list(dict.fromkeys(f"c:{n}" for n, _ in cited))
    assert {(s.record, p) for s in found for p in s.pages} == {(f"c:{n}", p) for n, p in cited if p}


# -- quotations


def test_a_blockquote_that_ends_with_a_dash_and_a_link_is_a_quotation() -> None:
    body = "Bonjour,\n\n> texte **cité**\n> en *deux* lignes\n>\n> — [A, *Titre*, p. 12](/notice/c:4/page/12)"
    assert quotations(body) == (
        Quotation(text="texte cité\nen deux lignes", record="c:4", page=12, line=3, label="A, Titre, p. 12"),
    )


@pytest.mark.parametrize(
    "quote",
    [
        "> texte\n> — [T](/notice/c:1/page/2)",
        "> texte — [T](/notice/c:1/page/2).",
        "> texte\n>\n> – [T](/notice/c:1/page/2)",
        "> texte\n>\n> -- [T](/notice/c:1/page/2)",
        "> texte\n>\n> — [T][r]\n\n[r]: /notice/c:1/page/2",
        "> texte\n>\n> —[T](/notice/c%3A1/page/2?q=a)",
    ],
)
def test_the_source_may_be_written_in_several_ways(quote: str) -> None:
    (found,) = quotations(quote)
    assert (found.text, found.record, found.page) == ("texte", "c:1", 2)


def test_the_author_may_stand_before_the_link() -> None:
    (found,) = quotations("> texte\n>\n> — Auteur, [*Titre*](https://exemple.org/t), p. 3")
    assert (found.text, found.url, found.label) == ("texte", "https://exemple.org/t", "Auteur, Titre, p. 3")


def test_paragraphs_and_lists_of_a_quotation_are_kept_apart() -> None:
    (found,) = quotations("> un\n>\n> - deux\n> - trois\n>\n> — [T](/notice/c:1/page/2)")
    assert found.text == "un\n\ndeux\n\ntrois"


@pytest.mark.parametrize(
    "quote",
    [
        "> texte",
        "> texte [T](/notice/c:1/page/2)",
        "> texte — [T](/aide)",
        "> texte — [T](mailto:a@b.fr)",
        "> — [T](/notice/c:1/page/2)\n>\n> texte",
        "> texte\n>\n> `— [T](/notice/c:1/page/2)`",
    ],
)
def test_a_blockquote_without_a_source_at_its_end_is_a_quotation_without_source(quote: str) -> None:
    (found,) = quotations(quote)
    assert (found.record, found.page, found.url) == (None, None, None)
    assert "texte" in found.text


def test_a_dialogue_is_no_source() -> None:
    (found,) = quotations("> — Oui.\n> — Non.\n>\n> — [T](/notice/c:1/page/2)")
    assert found.text == "— Oui.\n— Non."


def test_code_and_a_source_that_quotes_nothing_are_no_quotations() -> None:
    assert quotations("    > texte\n\n```\n> texte\n```\n\n> — [T](/notice/c:1/page/2)\n\n>\n") == ()


def test_a_quotation_inside_another_is_apart_when_it_has_its_source() -> None:
    body = "> dehors\n>\n> > dedans\n> >\n> > — [I](/notice/c:2)\n>\n> fin\n>\n> — [O](/notice/c:1/page/1)"
    assert [(q.text, q.record, q.line) for q in quotations(body)] == [
        ("dehors\n\nfin", "c:1", 1),
        ("dedans", "c:2", 3),
    ]
    assert [q.text for q in quotations("> dehors\n>\n> > dedans")] == ["dehors\n\ndedans"]


def test_a_quotation_in_a_list_is_found_on_its_line() -> None:
    assert [q.line for q in quotations("- un\n\n- > texte — [T](/notice/c:1/page/2)\n\n> deux")] == [3, 5]


# -- quoted


def test_quoted_gives_the_form_that_is_shown_in_the_help() -> None:
    assert quoted("texte  cité\n", "c:42", 12, "Auteur, Titre, 2010, p. 12", title="Titre") == (
        "> texte cité\n>\n> — [Auteur, *Titre*, 2010, p. 12](/notice/c:42/page/12)\n"
    )
    assert quoted("texte", "c:42", None, "").endswith("> — [c:42](/notice/c:42)\n")


def test_quoted_keeps_paragraphs_and_no_break_spaces() -> None:
    (found,) = quotations(quoted("Un :\nsuite\n\n \n10 000 € de\u00adux\n", "c:1", 2, "T"))
    assert found.text == "Un : suite\n\n10 000 € deux"


def test_an_address_in_a_quoted_text_does_not_become_a_source() -> None:
    assert [source.record for source in sources(quoted("voir https://exemple.org/x", "c:1", 2, "T"))] == [
        "c:1"
    ]


@pytest.mark.parametrize("text", ["", " \n\t", "\u00ad\u200b"])
def test_nothing_cannot_be_quoted(text: str) -> None:
    with pytest.raises(InvalidValue):
        quoted(text, "c:1", 2, "T")


@settings(deadline=None)  # the first text makes the parser
@given(TEXTS | MARKED, MARKED)
def test_any_text_comes_back_from_its_quotation(text: str, label: str) -> None:
    assume(folded(text))
    (found,) = quotations("Avant.\n\n" + quoted(text, "c:1", 2, label) + "\nAprès.")
    assert folded(found.text) == folded(text)
    assert (found.record, found.page, found.line) == ("c:1", 2, 3)
    assert found.label == (folded(label) or "c:1")


@given(MARKED, st.integers(0, 20), st.integers(1, 20))
def test_a_title_in_italics_changes_no_word_of_the_label(label: str, start: int, length: int) -> None:
    assume(folded(label))
    title = folded(label)[start : start + length]
    assert quotations(quoted("x", "c:1", 2, label, title=title))[0].label == folded(label)


# -- check

PAGES = {1: "Le premier tome.", 2: "Une belle ville. Le", 3: "quartier est pris en compte.", 4: "", 6: "Fin."}


def faults(body: str) -> list[tuple[FaultKind, int, int | None, int | None]]:
    found = check(body, lambda _, page: PAGES.get(page), {"c:1"}.__contains__, SITE)
    return [(fault.kind, fault.line, fault.page, fault.found) for fault in found]


@pytest.mark.parametrize(
    ("page", "text", "fault"),
    [
        (2, "Une belle ville", None),
        (2, "belle ville. Le quartier", None),
        (3, "Le quartier est pris", None),
        (3, "Une belle ville", (FaultKind.MOVED, 2)),
        (5, "Une belle ville", (FaultKind.MOVED, 2)),
        (6, "Une belle ville", (FaultKind.NOT_THERE, None)),
        (2, "Une laide ville", (FaultKind.NOT_THERE, None)),
        (5, "Une laide ville", (FaultKind.NO_PAGE, None)),
        (4, "Une laide ville", (FaultKind.UNCHECKED, None)),
    ],
)
def test_a_quotation_is_looked_for_on_its_page_and_near_it(
    page: int, text: str, fault: tuple[FaultKind, int | None] | None
) -> None:
    expected = [] if fault is None else [(fault[0], 3, page, fault[1])]
    assert faults(f"Bonjour\n\n> {text}\n>\n> — [T]({SITE}/notice/c:1/page/{page})") == expected


def test_faults_come_by_line_with_what_they_are_about() -> None:
    body = "a\n[b](/notice/c:1/page/6)\n[c](/notice/c:9/page/1) [d](/notice/c:1/page/9)\n\n> sans source\n"
    found = check(body, lambda _, page: PAGES.get(page), {"c:1"}.__contains__)
    assert found == (
        Fault(kind=FaultKind.NO_RECORD, line=3, text="c", record="c:9", page=1),
        Fault(kind=FaultKind.NO_PAGE, line=3, text="d", record="c:1", page=9),
        Fault(kind=FaultKind.UNSOURCED, line=5, text="sans source"),
    )


def test_a_quotation_from_a_lost_record_is_one_fault() -> None:
    assert faults("> Une belle ville\n>\n> — [T](/notice/c:9/page/2)") == [(FaultKind.NO_RECORD, 3, 2, None)]


def test_an_answer_that_cites_nothing_is_a_fault() -> None:
    assert faults("Bonjour, voir [l’aide](/aide).") == [(FaultKind.NO_SOURCE, 1, None, None)]
    assert faults("Voir https://exemple.org/") == []


def test_quotations_from_other_sites_and_whole_works_are_not_compared() -> None:
    assert faults("> x\n>\n> — [T](https://exemple.org/)\n\n> y\n>\n> — [T](/notice/c:1)") == []
