"""An answer as people read it: HTML for a page, HTML and plain text for mail.

Hides how text that anybody may have typed becomes HTML that cannot act. Two walls: the parser makes no tag
and no address that is not wanted (``kb.dialect.parsed``), and nh3 lets nothing else through. Nothing is
written that a strict Content-Security-Policy refuses, except a few inline styles for mail.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup

from kb import dialect
from web.typography import NBSP, spaced

COLUMNS = 78
"""Columns of plain text in mail (RFC 5322, 2.1.1)."""

_TAGS = {
    *(
        "p",
        "br",
        "hr",
        "em",
        "strong",
        "code",
        "pre",
        "a",
        "ul",
        "ol",
        "li",
        "blockquote",
        "figure",
        "figcaption",
    ),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title", "rel"}, "blockquote": {"cite"}, "ol": {"start"}, "th": {"scope"}}
_SCHEMES = {"http", "https", "mailto"}
_PAGE = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    allowed_classes={"figure": {"quotation"}},
    url_schemes=_SCHEMES,
    link_rel=None,
)
_MAIL = nh3.Cleaner(
    tags=_TAGS | {"div"},
    attributes=_ATTRIBUTES | {"blockquote": {"cite", "style"}, "th": {"style"}, "td": {"style"}},
    filter_style_properties={"margin", "padding", "border-left", "border", "text-align"},
    url_schemes=_SCHEMES,
    link_rel=None,
)
_STYLES = {
    "blockquote": "margin: 0 0 0 1em; padding: 0 0 0 1em; border-left: 3px solid #999",
    "th": "padding: 2px 8px; border: 1px solid #999; text-align: left",
    "td": "padding: 2px 8px; border: 1px solid #999",
}


def rendered(body: str, *, heading: int = 3, site: str = "") -> Markup:
    """The HTML of an answer, its highest headings of level ``heading``. A quotation is a figure of class
    "quotation". Links to another site than ``site`` say so (``rel``). Raises InvalidValue for too long
    a text."""
    tokens = _dressed(dialect.parsed(body, site), heading)
    for token in _with_children(tokens):
        _point(token, site)
        if token.type == "figure_open":
            token.attrs["class"] = "quotation"
        elif token.type == "th_open":
            token.attrs["scope"] = "col"
    return Markup(_PAGE.clean(_html(tokens)))  # nosec B704  # cleaned by nh3


def mail_html(body: str, site: str) -> str:
    """The HTML of an answer for a mail: a fragment of simple tags, whose links begin with ``site``. Raises
    InvalidValue for too long a text."""
    tokens = _dressed(dialect.parsed(body, site), 2)
    for token in _with_children(tokens):
        _make_absolute(token, site)
        if token.type.startswith("figcaption"):
            token.tag = "p"
        elif token.type.startswith("figure"):
            token.tag = "div"  # mail programs do not know figures
        elif token.nesting == 1 and token.tag in _STYLES:
            token.attrs["style"] = _STYLES[token.tag]
    for before, caption in pairwise(tokens):
        if before.type == "figcaption_open":
            caption.children = [Token("text", "", 0, content="— "), *(caption.children or [])]
    return _MAIL.clean(_html(tokens))


def plain(body: str, site: str) -> str:
    """An answer as text for a mail, in lines of 78 columns where words and addresses allow it.

    Links are followed by their address, which begins with ``site``; quotations stand in « » with their source
    on the next line. Raises InvalidValue for too long a text.
    """
    tokens = _dressed(dialect.parsed(body, site), 1)
    for token in _with_children(tokens):
        _make_absolute(token, site)
    return "\n".join(_blocks(dialect.tree(tokens), COLUMNS)) + "\n"


# -- HTML


@cache
def _writer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def _html(tokens: list[Token]) -> str:
    writer = _writer()
    return str(writer.renderer.render(tokens, writer.options, {}))


def _dressed(tokens: list[Token], heading: int) -> list[Token]:
    """Tokens with French spaces and their headings moved, the highest to level ``heading``; without the
    styles and classes that the parser gives to cells and code."""
    levels = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
    move = heading - min(levels, default=heading)
    for token in _with_children(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + move)}"
        elif token.type == "text":
            token.content = spaced(token.content)
        token.attrs.pop("style", None)
        if token.type == "fence":
            token.info = ""
    return tokens


def _with_children(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _point(token: Token, site: str) -> None:
    """Send a link to the path on this site, or tell that it leaves it."""
    for name in {"href", "cite"} & token.attrs.keys():
        address = str(token.attrs[name])
        path = dialect.local(address, site)
        if path is not None:
            token.attrs[name] = path
        elif name == "href" and not address.startswith("mailto:"):
            token.attrs["rel"] = "noopener nofollow"


def _make_absolute(token: Token, site: str) -> None:
    for name in ("href", "cite"):
        address = str(token.attrs.get(name, ""))
        if address.startswith("/"):
            token.attrs[name] = site.rstrip("/") + address


# -- plain text


def _blocks(node: SyntaxTreeNode, width: int) -> list[str]:
    """The lines of the blocks in a node, an empty line between them."""
    lines: list[str] = []
    tight = node.type in ("bullet_list", "ordered_list") and _is_tight(node)
    for place, child in enumerate(node.children):
        block = _block(child, place, width)
        if lines and block and not tight and not (node.type == "list_item" and child.type.endswith("_list")):
            lines.append("")
        lines += block
    return lines


def _is_tight(items: SyntaxTreeNode) -> bool:
    return all(
        child.hidden for item in items.children for child in item.children if child.type == "paragraph"
    )


def _block(node: SyntaxTreeNode, place: int, width: int) -> list[str]:
    """The lines of one block, ``place`` of its parent's."""
    if node.type == "heading":
        title = _blocks(node, width)
        return [*title, "-" * max(map(len, title), default=0)]
    if node.type == "list_item":
        numbered = node.parent is not None and node.parent.type == "ordered_list"
        mark = f"{_first(node.parent) + place}. " if node.parent and numbered else "- "
        return _hung(_blocks(node, width - len(mark)), mark)
    if node.type == "blockquote":
        return _between(_blocks(node, width - 4), node)
    if node.type == "figcaption":
        return _hung(_blocks(node, width - 4), "  — ")
    if node.type == "figure":
        return [line for part in node.children for line in _block(part, 0, width)]
    if node.type in ("fence", "code_block"):
        return [f"    {line}".rstrip() for line in node.content.rstrip("\n").split("\n")]
    if node.type == "hr":
        return ["-" * 20]
    if node.type == "table":
        return [line for part in node.children for row in part.children for line in _row(row, width)]
    return _wrapped(_text(node), width) if node.type == "inline" else _blocks(node, width)


def _first(items: SyntaxTreeNode) -> int:
    return int(items.attrs.get("start", 1))


def _between(lines: list[str], quote: SyntaxTreeNode) -> list[str]:
    """The lines of a blockquote, set in and between « and », or “ and ” inside another one."""
    if quote.meta.get("empty"):
        return [f"    {line}".rstrip() for line in lines]
    whole = quote.parent if quote.parent and quote.parent.type == "figure" else quote
    opening, closing = ("“", "”") if dialect.is_quoted(whole) else (f"«{NBSP}", f"{NBSP}»")
    if not lines or (lines[0].startswith(opening[0]) and lines[-1].endswith(closing[-1])):
        opening = closing = ""
    return _hung([*lines[:-1], *(line + closing for line in lines[-1:])], opening.rjust(4))


def _hung(lines: list[str], mark: str) -> list[str]:
    """Lines with ``mark`` before the first and its width in blanks before the others."""
    marks = [mark, *[" " * len(mark)] * len(lines)]
    return [(before + line).rstrip(" ") for before, line in zip(marks, lines or [""], strict=False)]


def _row(row: SyntaxTreeNode, width: int) -> list[str]:
    cells = [_text(cell.children[0]) if cell.children else "" for cell in row.children]
    return _wrapped(" | ".join(cells), width)


def _wrapped(text: str, width: int) -> list[str]:
    """Text in lines; a list in a list in a list keeps some room."""
    return [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(part, max(width, 24), break_long_words=False, break_on_hyphens=False)
    ]


def _text(inline: SyntaxTreeNode) -> str:
    """The text of a paragraph, each link followed by its address unless that is what it shows."""
    out: list[str] = []
    address, start = "", 0
    for token in inline.meta["words"]:
        if token.type == "link_open":
            address, start = str(token.attrs["href"]), len(out)
        elif token.type == "link_close":
            shown = "".join(out[start:])
            if address not in (shown, f"mailto:{shown}"):
                out.append(f" ({address})" if shown else f"({address})")
        else:
            out.append({"softbreak": " ", "hardbreak": "\n"}.get(token.type, token.content))
    return "".join(out)
