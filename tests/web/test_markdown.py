"""Answers as HTML that cannot act, and as mail."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import InvalidValue
from kb.questions import LONGEST_ANSWER
from web.markdown import COLUMNS, mail_html, plain, rendered
from web.typography import NBSP, NNBSP

SITE = "https://base.exemple.fr"
VOID = {"br", "hr"}


class Tags(HTMLParser):
    """The tags and attributes of a fragment; fails where they do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(str(html))  # Markup would escape what is added to it
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def hrefs(self) -> list[str]:
        return [value for _, name, value in self.attributes if name == "href"]


ALLOWED = {
    *("p", "br", "hr", "em", "strong", "code", "pre", "a", "ul", "ol", "li", "blockquote", "figure"),
    *("figcaption", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
NAMES = {"href", "title", "rel", "cite", "start", "scope", "class"}


def assert_safe(html: str) -> None:
    found = Tags(html)
    assert found.tags <= ALLOWED
    assert {name for _, name, _ in found.attributes} <= NAMES
    for _, name, value in found.attributes:
        if name in ("href", "cite"):
            assert re.match(r"https?://[^/]|mailto:|/(?![/\\])", value, re.IGNORECASE), value
            assert not re.search(r"[\s\\<>\x00-\x1f]", value)


# -- safety

ATTACKS = [
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](<\x01javascript:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;avascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](java&NewLine;script:alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](vb&#10;script:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](javascript:alert(1))",
    "[x](file:///etc/passwd)",
    "[x](//mechant.org/)",
    "[x](/\\mechant.org/)",
    "[x](\\\\mechant.org/)",
    "[x](/%09/mechant.org)",
    "[x][r]\n\n[r]: javascript:alert(1)",
    "[x][r]\n\n[r]: /ok\n  'a\" onmouseover=\"alert(1)'",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    '<https://a.fr/"onmouseover=alert(1)//>',
    "https://a.fr/'onmouseover='alert(1)",
    'https://a.fr/"onmouseover="alert(1)',
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//mechant.org/x.js></SCRIPT>",
    "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<math><mtext></table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!-- <img src=x onerror=alert(1)> -->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?php echo 1 ?>",
    "<a href=javascript:alert(1)>x</a>",
    "[<img src=x onerror=alert(1)>](/notice/c:1)",
    '[x](/notice/c:1 "</a><img src=x onerror=alert(1)>")',
    "`<img src=x onerror=alert(1)>`",
    '```"><img src=x onerror=alert(1)>\nx\n```',
    "| <img src=x onerror=alert(1)> |\n|:--:|\n| [x](javascript:alert(1)) |",
    '> x\n>\n> — [<svg onload=alert(1)>](https://a.fr/"onload="alert(1))',
    "# <img src=x onerror=alert(1)>",
    "&lt;img src=x onerror=alert(1)&gt;",
    '[a](mailto:a@b.fr?subject="><script>alert(1)</script>)',
    "[x](https://)",
    f"[x]({SITE}//mechant.org) [x]({SITE}/\\mechant.org)",
]


@pytest.mark.parametrize("body", ATTACKS)
def test_an_attack_is_text(body: str) -> None:
    assert_safe(rendered(body, site=SITE))
    mail = Tags(mail_html(body, SITE))
    assert mail.tags <= ALLOWED | {"div", "h2"}
    assert {name for _, name, _ in mail.attributes} <= NAMES | {"style"}
    assert all(re.match(r"https?://[^/]|mailto:", href) for href in mail.hrefs())


FRAGMENTS = st.sampled_from(
    [
        *(
            "<",
            ">",
            '"',
            "'",
            "&",
            "(",
            ")",
            "[",
            "]",
            "](",
            "![",
            "`",
            "*",
            "> ",
            "- ",
            "1. ",
            "# ",
            "\n",
            "\n\n",
            "\\",
        ),
        *(
            "javascript:",
            "data:",
            "https://a.fr/",
            "//b.fr",
            "/notice/c:1",
            "<img onerror=",
            "<svg/onload=",
            "<!--",
        ),
        *(
            "&#106;",
            "&colon;",
            "&Tab;",
            "— ",
            "|",
            "|-|\n",
            "x",
            " ",
            "[r]: ",
            "\t",
            "\x00",
            "\u2028",
            "style=",
            "```",
        ),
    ]
)


@settings(deadline=None)  # the first text makes the parser
@given(st.lists(FRAGMENTS, max_size=30).map("".join))
def test_no_mixture_of_marks_gets_through(body: str) -> None:
    assert_safe(rendered(body, site=SITE))
    Tags(mail_html(body, SITE))
    plain(body, SITE)


@pytest.mark.parametrize(
    "body",
    [
        *(
            ">" * 10_000,
            "[" * 10_000,
            "![" * 10_000,
            "*a " * 5_000 + "a* " * 5_000,
            "- " * 10_000,
            "> — " * 5_000,
        ),
        *("|a|\n|-|\n" + "|x\n" * 8_000, "> a\n\n" * 5_000, "<" * 20_000, "1. " * 10_000 + "a", "`" * 20_000),
    ],
)
def test_deep_nesting_neither_hangs_nor_breaks(body: str) -> None:
    before = time.process_time()
    assert_safe(rendered(body))
    mail_html(body, SITE)
    plain(body, SITE)
    assert time.process_time() - before < 15


def test_a_text_beyond_the_limit_is_refused() -> None:
    for render in (rendered, lambda body: mail_html(body, SITE), lambda body: plain(body, SITE)):
        with pytest.raises(InvalidValue):
            render("a" * (LONGEST_ANSWER + 1))


# -- HTML


def test_raw_html_is_shown_as_it_was_typed() -> None:
    assert (
        rendered("<b>gras</b> & <i>co</i>") == "<p>&lt;b&gt;gras&lt;/b&gt; &amp; &lt;i&gt;co&lt;/i&gt;</p>\n"
    )


def test_headings_begin_at_the_level_asked_for_and_end_at_six() -> None:
    assert re.findall(r"<h\d", rendered("# a\n\n## b\n\n### c")) == ["<h3", "<h4", "<h5"]
    assert re.findall(r"<h\d", rendered("### c\n\n## b", heading=2)) == ["<h3", "<h2"]
    assert re.findall(r"<h\d", rendered("# a\n\n###### b", heading=5)) == ["<h5", "<h6"]


def test_a_quotation_is_a_figure_with_its_source_as_caption() -> None:
    html = rendered("> texte\n>\n> — [A, *T*, p. 2](/notice/c:1/page/2)")
    assert html == (
        '<figure class="quotation">\n<blockquote cite="/notice/c:1/page/2">\n<p>texte</p>\n</blockquote>\n'
        '<figcaption><a href="/notice/c:1/page/2">A, <em>T</em>, p. 2</a></figcaption>\n</figure>\n'
    )


def test_a_blockquote_without_source_stays_one() -> None:
    assert rendered("> texte") == "<blockquote>\n<p>texte</p>\n</blockquote>\n"


def test_links_that_leave_the_site_say_so_and_links_to_it_are_paths() -> None:
    found = Tags(
        rendered(f"[a](https://exemple.org/) [b]({SITE}/notice/c:1?q=x) [c](/aide) <a@b.fr>", site=SITE)
    )
    assert found.attributes == [
        ("a", "href", "https://exemple.org/"),
        ("a", "rel", "noopener nofollow"),
        ("a", "href", "/notice/c:1?q=x"),
        ("a", "href", "/aide"),
        ("a", "href", "mailto:a@b.fr"),
    ]


def test_an_image_is_a_link_to_it() -> None:
    assert 'href="https://exemple.org/i.png"' in rendered("![plan](https://exemple.org/i.png)")
    assert Tags(rendered("[![plan](https://exemple.org/i.png)](/notice/c:1)")).hrefs() == ["/notice/c:1"]


def test_bare_addresses_become_links_and_code_does_not() -> None:
    found = Tags(rendered("Voir https://exemple.org/a?b=1&c=2. `https://exemple.org/d`"))
    assert found.hrefs() == ["https://exemple.org/a?b=1&c=2"]
    assert found.text == "Voir https://exemple.org/a?b=1&c=2. https://exemple.org/d\n"


def test_french_spaces_are_set_in_text_and_never_in_code_or_addresses() -> None:
    body = "Quoi ? « Oui » : *non* ! `a ? b : c`\n\n    d ; e !\n\n[f ?](/notice/c:1?q=g+:+h)"
    text = Tags(rendered(body)).text
    assert f"Quoi{NNBSP}? «{NBSP}Oui{NBSP}»{NBSP}: non{NNBSP}!" in text
    assert "a ? b : c" in text
    assert "d ; e !" in text
    assert f"f{NNBSP}?" in text
    assert Tags(rendered(body)).hrefs() == ["/notice/c:1?q=g+:+h"]


def test_tables_and_code_bring_no_style_and_no_class() -> None:
    found = Tags(rendered("| a | b |\n|:-:|--:|\n| 1 | 2 |\n\n```python\nx\n```"))
    assert found.attributes == [("th", "scope", "col"), ("th", "scope", "col")]
    assert {"table", "thead", "tbody", "pre", "code"} <= found.tags


def test_a_list_keeps_its_first_number() -> None:
    assert Tags(rendered("3. a\n4. b")).attributes == [("ol", "start", "3")]


# -- mail


def test_mail_has_absolute_links_and_simple_tags() -> None:
    body = "# T\n\n> texte\n>\n> — [A](/notice/c:1/page/2)\n\n![i](/notice/c:2)\n\n| a |\n|---|\n| 1 |"
    html = mail_html(body, f"{SITE}/")
    found = Tags(html)
    assert found.hrefs() == [f"{SITE}/notice/c:1/page/2", f"{SITE}/notice/c:2"]
    assert f'cite="{SITE}/notice/c:1/page/2"' in html
    assert not found.tags & {"img", "figure", "figcaption"}
    assert '<p>— <a href="' in html
    assert "url(" not in html
    assert html.startswith("<h2>T</h2>")


def test_plain_text_tells_the_address_of_each_link_once() -> None:
    body = f"Voir [*le* guide](/notice/c:1), https://exemple.org/x, <a@b.fr> et [b]({SITE}/aide)."
    assert " ".join(plain(body, SITE).split()) == (
        f"Voir le guide ({SITE}/notice/c:1), https://exemple.org/x, a@b.fr et b ({SITE}/aide)."
    )


def test_a_quotation_in_plain_text_has_its_source_on_the_next_line() -> None:
    body = "Bonjour,\n\n> un\n> deux\n>\n> trois\n>\n> — [A, *T*](/notice/c:1)\n\nFin"
    assert plain(body, SITE) == (
        f"Bonjour,\n\n  «{NBSP}un deux\n\n    trois{NBSP}»\n  — A, T ({SITE}/notice/c:1)\n\nFin\n"
    )


def test_a_text_that_has_its_guillemets_gets_no_others() -> None:
    assert plain("> « un »", SITE) == f"    «{NBSP}un{NBSP}»\n"


def test_a_quotation_in_a_quotation_has_other_marks() -> None:
    assert plain("> un\n>\n> > deux", SITE) == f"  «{NBSP}un\n\n       “deux”{NBSP}»\n"


def test_headings_lists_code_rules_and_tables_are_readable_as_text() -> None:
    body = (
        "# Titre\n\n- un\n- deux\n  1. a\n  2. b\n\n***\n\n"
        "```\nx  = 1\n\ny\n```\n\n| a | b |\n|---|---|\n| 1 | |\n\nc\\\nd"
    )
    assert plain(body, SITE) == (
        "Titre\n-----\n\n- un\n- deux\n  1. a\n  2. b\n\n--------------------\n\n"
        "    x  = 1\n\n    y\n\na | b\n1 |\n\nc\nd\n"
    )


def test_items_of_several_paragraphs_are_set_in() -> None:
    assert plain("5. un\n\n   suite\n\n6. deux", SITE) == "5. un\n\n   suite\n\n6. deux\n"


@given(
    st.lists(
        st.sampled_from(["mot", "« long »", "*deux*", "quoi ?", "`x y`", "\n- ", "\n> ", "\n\n"]), max_size=80
    )
)
def test_no_line_of_plain_text_is_too_long(parts: list[str]) -> None:
    text = plain(" ".join(parts), SITE)
    assert all(len(line) <= COLUMNS for line in text.split("\n"))
    assert "*" not in text


def test_a_text_set_in_beyond_the_width_keeps_room_for_words() -> None:
    lines = plain("> " * 19 + "un mot", SITE)
    assert " ".join(lines.split()).strip(f"«»“” {NBSP}") == "un mot"
    assert plain("> " * 40 + "un mot", SITE)


def test_an_empty_answer_is_empty() -> None:
    assert (rendered(""), mail_html("", SITE), plain(" \n", SITE)) == ("", "", "\n")
