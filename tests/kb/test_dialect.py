"""What is a link in an answer, and where it leads."""

from __future__ import annotations

import time

import pytest

from kb.dialect import Target, local, parsed, target
from kb.errors import InvalidValue
from kb.questions import LONGEST_ANSWER
from kb.quoting import Source, check, sources

SITE = "https://base.exemple.fr"


@pytest.mark.parametrize(
    "href",
    [
        "/notice/ville-caraibe:42/page/12",
        "/notice/ville-caraibe%3A42/page/12",
        "/notice/ville-caraibe:42/page/12?q=politique+de+la+ville#passage",
        "https://base.exemple.fr/notice/ville-caraibe%3A42/page/12",
        "http://BASE.exemple.fr/notice/ville-caraibe:42/page/12/",
    ],
)
def test_an_address_of_a_page_is_known_in_all_its_forms(href: str) -> None:
    assert target(href, SITE) == Target(record="ville-caraibe:42", page=12)


@pytest.mark.parametrize(
    "href",
    [
        *("/aide", "/notice/c:1/modifier", "/notice/c:1/page/x", "/notice/Pas un numéro", "mailto:a@b.fr"),
        *("https://base.exemple.fr/aide", "https://base.exemple.fr", "//exemple.org/x", "ftp://exemple.org"),
    ],
)
def test_other_addresses_are_no_source(href: str) -> None:
    assert target(href, SITE) is None


@pytest.mark.parametrize(
    "href",
    [
        *("https://base.exemple.fr.mechant.org/notice/c:1", "https://base.exemple.fr@mechant.org/notice/c:1"),
        *("https://base.exemple.fr:8443/notice/c:1", "https://exemple.org/notice/c:1"),
    ],
)
def test_a_site_whose_name_only_begins_like_ours_is_another_site(href: str) -> None:
    assert target(href, SITE) == Target(url=href)
    assert local(href, SITE) is None


@pytest.mark.parametrize("rest", ["//mechant.org/x", "/\\mechant.org/x", "///mechant.org/x"])
def test_a_path_never_leads_to_another_site(rest: str) -> None:
    assert local(SITE + rest, SITE) == "/mechant.org/x"
    assert local(rest, SITE) is None


def test_a_site_under_a_path_gives_the_rest_of_the_path() -> None:
    site = "https://exemple.fr/base/"
    assert local("https://exemple.fr/base/notice/c:1?q=a", site) == "/notice/c:1?q=a"
    assert local("https://exemple.fr/base", site) == "/"
    assert local("https://exemple.fr/base?q=a", site) == "/?q=a"
    assert local("https://exemple.fr/baseline/notice/c:1", site) is None
    assert local("https://exemple.fr/notice/c:1") is None


def test_a_bare_address_is_a_source_without_the_punctuation_after_it() -> None:
    body = (
        "Voir https://exemple.org/a_b_c?x=1&y=2, (https://fr.exemple.org/Lyon_(ville)) ou "
        "[https://exemple.org/z] ; pas `https://exemple.org/code` ni https\\://exemple.org/n ni xhttps://e.org."
    )
    assert [source.url for source in sources(body)] == [
        "https://exemple.org/a_b_c?x=1&y=2",
        "https://fr.exemple.org/Lyon_(ville)",
        "https://exemple.org/z",
    ]


def test_a_picture_in_a_link_does_not_make_a_link_in_a_link() -> None:
    assert sources("[*a* ![b **c**](https://exemple.org/i.png) *d*](/notice/c:1)") == (
        Source(record="c:1", label="a b c d"),
    )


def test_a_link_to_nowhere_is_its_text() -> None:
    (_, inline, _) = parsed("[*a*]() et [b](  )")
    assert "link_open" not in {token.type for token in inline.children or []}
    assert "".join(token.content for token in inline.children or []) == "a et b"


def test_an_address_without_scheme_is_taken_for_the_web() -> None:
    assert sources("[a](www.exemple.org/x)") == (Source(url="https://www.exemple.org/x", label="a"),)


def test_a_text_beyond_the_limit_is_refused() -> None:
    assert sources("a" * LONGEST_ANSWER) == ()
    with pytest.raises(InvalidValue):
        sources("a" * (LONGEST_ANSWER + 1))


@pytest.mark.parametrize(
    "body",
    [
        *(">" * 10_000, "[" * 10_000, "![" * 10_000, "*a " * 5_000 + "a* " * 5_000, "> — " * 5_000),
        *("[![" * 5_000 + "](/a)" * 4_000, "> " + "— *x* " * 5_000, "> a\n> — " * 3_000 + "[a](/notice/c:1)"),
        *("http://a" + ")" * 20_000, "https://" * 6_000, "- " * 10_000 + "> a"),
    ],
)
def test_deep_nesting_neither_hangs_nor_breaks(body: str) -> None:
    before = time.process_time()
    check(body, lambda record, page: "", lambda record: True)
    assert time.process_time() - before < 10
