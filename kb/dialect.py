"""Which Markdown an answer is written in, and where its links lead.

Hides the parser from what shows, cites and checks an answer: all read the same tokens, so that they cannot
disagree. CommonMark with tables; an address in the text is a link, an image is a link, raw HTML is text; a
blockquote that ends with its source is a figure.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, link
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from kb.errors import InvalidValue
from kb.questions import LONGEST_ANSWER

BREAKS = ("softbreak", "hardbreak")
"""The types of the tokens that end a line inside a paragraph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a link leads: a record and perhaps one of its pages (from 1), or the address of another site."""

    record: str | None = None
    page: int | None = None
    url: str | None = None


def parsed(body: str, site: str = "") -> list[Token]:
    """The tokens of an answer. A blockquote with its source is ``figure_open``, the blockquote,
    ``figcaption_open``, inline, ``figcaption_close``, ``figure_close``; its dash is left out.

    Links lead to http, https, mailto or to a path of this site; other links stay text. Nesting deeper than
    20 is left out. Raises InvalidValue when the text is longer than ``LONGEST_ANSWER``.
    """
    if len(body) > LONGEST_ANSWER:
        longest = f"{LONGEST_ANSWER:,}".replace(",", "\u202f")
        raise InvalidValue("body", f"ce texte est trop long : {longest} caractères au plus")
    return _dialect().parse(body, {"site": site})


def tree(tokens: list[Token]) -> SyntaxTreeNode:
    """The blocks of an answer as a tree, some 20 deep at most. A node of type "inline" is a leaf with its
    tokens in ``meta["words"]``: emphasis nests as deep as somebody types it, too deep for recursion."""
    leaves = [
        token.copy(children=None, meta={"words": token.children or []}) if token.type == "inline" else token
        for token in tokens
    ]
    return SyntaxTreeNode(leaves)


def is_quoted(node: SyntaxTreeNode) -> bool:
    """Whether a blockquote stands in a quotation or in another blockquote: then its words are theirs."""
    above = node.parent
    while above is not None and above.type not in ("figure", "blockquote"):
        above = above.parent
    return above is not None


def target(href: str, site: str = "") -> Target | None:
    """Where a link of an answer leads; None for what is no source: another page of this site, mail."""
    path = local(href, site)
    if path is None:
        return Target(url=href) if re.match(r"https?://", href, re.IGNORECASE) else None
    address = _NOTICE.fullmatch(unquote(urlsplit(path).path))
    if address is None:
        return None
    return Target(record=address[1], page=int(address[2]) if address[2] else None)


_NOTICE = re.compile(r"/notice/([a-z0-9-]+:[0-9]+)(?:/page/([0-9]{1,9}))?/?")


def local(href: str, site: str = "") -> str | None:
    """The path on this site that a link leads to, with its query and fragment; None for another site. It
    never begins with ``//`` or ``/\\``, by which browsers go to another site."""
    if re.match(r"/(?![/\\])", href):
        return href
    name = re.sub(r"^https?://", "", site, flags=re.IGNORECASE).rstrip("/")
    here = re.match(rf"https?://{re.escape(name)}(?=[/?#]|$)", href, re.IGNORECASE) if name else None
    return "/" + href[here.end() :].lstrip("/\\") if here else None


# -- the parser


class _Dialect(MarkdownIt):
    """CommonMark with tables; links lead nowhere but to the web, to mail and to this site."""

    def validateLink(self, url: str) -> bool:
        return _ALLOWED.match(url) is not None

    def normalizeLink(self, url: str) -> str:
        return super().normalizeLink(f"https://{url}" if url.lower().startswith("www.") else url)


# After normalizeLink, which encodes backslashes, blanks and control characters.
_ALLOWED = re.compile(r"(?:https?://[^/?#]|mailto:.|/(?!/))", re.IGNORECASE)


@functools.cache
def _dialect() -> MarkdownIt:
    markdown = _Dialect("commonmark", {"html": False}).enable("table")
    markdown.inline.ruler.at("image", _image_as_link)
    markdown.inline.ruler.after("text", "bare_address", _bare_address)
    markdown.core.ruler.before("text_join", "no_empty_links", _no_empty_links)
    markdown.core.ruler.push("figures", _figures)
    return markdown


def _image_as_link(state: StateInline, silent: bool) -> bool:
    """``![text](address)`` as ``[text](address)``, or as its text in a link: links do not nest."""
    if not state.src.startswith("![", state.pos) or state.pos + 1 >= state.posMax:
        return False
    start = len(state.tokens)
    state.pos += 1
    if not link(state, silent):
        state.pos -= 1
        return False
    if not silent and state.linkLevel:
        opening = next(token for token in state.tokens[start:] if token.type == "link_open")
        _empty(opening, state.tokens[-1])
    return True


def _empty(*tokens: Token) -> None:
    """Make them show nothing. They are not removed: the parser's delimiters count the tokens."""
    for token in tokens:
        token.type, token.tag, token.nesting, token.attrs = "text", "", 0, {}


def _no_empty_links(state: StateCore) -> None:
    """Keep the text alone of ``[text]()``, which the parser lets by whatever ``validateLink`` says."""
    for block in state.tokens:
        children = block.children or []
        for i, child in enumerate(children):
            if child.type == "link_open" and not child.attrs["href"]:
                _empty(child, next(token for token in children[i:] if token.type == "link_close"))


_SCHEME = re.compile(r"(?<![\w.+/@-])https?$", re.IGNORECASE)
_REST = re.compile(r"://\w[^\s<>\"«»“”\\]*")


def _bare_address(state: StateInline, silent: bool) -> bool:
    """An address in the text as a link, without the punctuation after it. A backslash before its colon
    keeps it text."""
    if silent or state.linkLevel or not state.src.startswith("://", state.pos):
        return False
    scheme, rest = _SCHEME.search(state.pending), _REST.match(state.src, state.pos, state.posMax)
    if scheme is None or rest is None:
        return False
    written = _without_punctuation(rest[0])
    shown = scheme[0] + written
    href = state.md.normalizeLink(shown)
    if not state.md.validateLink(href):
        return False
    state.pending = state.pending[: scheme.start()]
    opening = state.push("link_open", "a", 1)
    opening.attrs, opening.info = {"href": href}, "auto"
    state.push("text", "", 0).content = shown
    state.push("link_close", "a", -1).info = "auto"
    state.pos += len(written)
    return True


def _without_punctuation(address: str) -> str:
    """Without what belongs to the sentence: the last stops, and a bracket that the address did not open."""
    while True:
        kept = address.rstrip(".,;:!?…'’*_~|")
        for opening, closing in ("()", "[]"):
            if kept.endswith(closing) and kept.count(closing) > kept.count(opening):
                kept = kept[:-1]
        if kept == address:
            return address
        address = kept


def _figures(state: StateCore) -> None:
    """Put blockquotes that say their source into figures."""
    out: list[Token] = []
    opened: list[int] = []
    for token in state.tokens:
        if token.type == "blockquote_open":
            opened.append(len(out))
        out.append(token)
        if token.type == "blockquote_close":
            _frame(out, opened.pop(), str(state.env.get("site", "")))
    state.tokens = out


def _frame(out: list[Token], start: int, site: str) -> None:
    """Make a figure of ``out[start:]``, a blockquote, when its last paragraph ends with its source."""
    if [token.type for token in out[-4:-1]] != ["paragraph_open", "inline", "paragraph_close"]:
        return
    last = out[-3]
    found = _attribution(last.children or [], site)
    if found is None:
        return
    text, caption, to, href = found
    if not text and len(out) - start == 5:  # nothing but a source
        out[start].meta["empty"] = True
        return
    line = (last.map or [0])[0] + sum(child.type in BREAKS for child in (last.children or [])[: len(text)])
    if text:
        last.children = text
    else:
        del out[-4:-1]
    out[start].attrs["cite"] = href
    inline = Token("inline", "", 0, children=caption, map=[line, line + 1])
    meta = {"target": to}
    out.insert(start, Token("figure_open", "figure", 1, block=True, map=out[start].map, meta=meta))
    out += [Token("figcaption_open", "figcaption", 1, block=True), inline]
    out += [
        Token("figcaption_close", "figcaption", -1, block=True),
        Token("figure_close", "figure", -1, block=True),
    ]


_DASH = r"(?:—|–|―|--)"
_STARTS, _ENDS = re.compile(rf"\s*{_DASH}\s*"), re.compile(rf"(?:^|(?<=\s)){_DASH}\s*$")


def _attribution(children: list[Token], site: str) -> tuple[list[Token], list[Token], Target, str] | None:
    """A paragraph cut into what is quoted and who is: from a dash at the start of a line, when a link to a
    source follows, or from a dash and such a link at the very end."""
    for i in reversed(range(len(children))):
        token = children[i]
        if token.type != "text" or token.level:
            continue
        dash = _STARTS.match(token.content) if i == 0 or children[i - 1].type in BREAKS else None
        dash = dash or (_ENDS.search(token.content) if _ends_with_link(children[i + 1 :]) else None)
        to = _first_target(children[i + 1 :], site) if dash else None
        if dash and to:
            before = token.copy(content=token.content[: dash.start()].rstrip())
            after = token.copy(content=token.content[dash.end() :])
            text = children[:i] + [before] * bool(before.content)
            while text and text[-1].type in BREAKS:
                text.pop()
            return text, [after] * bool(after.content) + children[i + 1 :], *to
    return None


def _ends_with_link(children: list[Token]) -> bool:
    """Whether these are one link and at most a full stop."""
    if not children or children[0].type != "link_open":
        return False
    closing = next(i for i, token in enumerate(children) if token.type == "link_close")
    return not "".join(token.content or "x" for token in children[closing + 1 :]).strip(" .)")


def _first_target(children: list[Token], site: str) -> tuple[Target, str] | None:
    for token in children:
        if token.type == "link_open" and (to := target(href := str(token.attrs["href"]), site)):
            return to, href
    return None
