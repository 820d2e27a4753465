"""The sources that an answer links to and the passages that it quotes, read from its Markdown.

The text is the only truth of what is cited. Hides how a quotation is written and how one loses its page::

    > texte cité
    >
    > — [Auteur, *Titre*, 2010, p. 12](/notice/ville-caraibe:42/page/12)
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from kb.dialect import BREAKS, Target, is_quoted, parsed, target, tree
from kb.errors import InvalidValue
from kb.wording import stands_in, visible

__all__ = [
    "Fault",
    "FaultKind",
    "Quotation",
    "Source",
    "check",
    "quotations",
    "quoted",
    "sources",
    "stands_in",
]

NEAR = 3
"""Pages before and after the one cited where a passage is looked for: a recto and verso, or a cover counted
or not, move a page by one to three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What an answer relies on: a record with the pages cited (ascending; none for the whole work), or
    ``url`` on another site. ``label`` is the text of the first link to it."""

    record: str | None = None
    pages: tuple[int, ...] = ()
    url: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotation:
    """A passage that is quoted. ``record``, ``page`` and ``url`` are None as far as it does not say where it
    comes from; ``line`` counts the lines of the body from 1; ``label`` is the text after the dash.
    Paragraphs of ``text`` are apart by an empty line."""

    text: str
    record: str | None = None
    page: int | None = None
    url: str | None = None
    line: int
    label: str = ""


class FaultKind(StrEnum):
    """What is wrong with a source or a quotation."""

    NO_SOURCE = "no-source"  # the answer cites nothing
    UNSOURCED = "unsourced"  # a quotation does not say where it comes from
    NO_RECORD = "no-record"
    NO_PAGE = "no-page"
    MOVED = "moved"  # the passage stands on page ``found``
    NOT_THERE = "not-there"
    UNCHECKED = "unchecked"  # the page has no text: a picture that was not read


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``text`` is the passage, or the label of the link; ``found`` the page of a passage that MOVED."""

    kind: FaultKind
    line: int
    text: str = ""
    record: str | None = None
    page: int | None = None
    found: int | None = None


def sources(body: str, site: str = "") -> tuple[Source, ...]:
    """The records and the other sites that the links of an answer lead to, each once, in order of their
    first link. ``site`` is the public address, by which links to the fund may begin."""
    found: dict[str, Source] = {}
    for at in _links(parsed(body, site), site):
        to = at.target
        key = to.record or to.url or ""
        known = found.get(key, Source(record=to.record, url=to.url, label=at.label))
        pages = {*known.pages, *(() if to.page is None else (to.page,))}
        found[key] = Source(
            record=known.record, pages=tuple(sorted(pages)), url=known.url, label=known.label or at.label
        )
    return tuple(found.values())


def quotations(body: str, site: str = "") -> tuple[Quotation, ...]:
    """The blockquotes of an answer that have a text, with the source that their last line gives. What is
    quoted inside a quotation and has its own source is apart from it."""
    return _quotations(parsed(body, site))


def quoted(text: str, record: str, page: int | None, label: str, *, title: str = "") -> str:
    """The Markdown of a quotation, to be inserted between empty lines; ``text`` shows as it is, its
    paragraphs kept. ``title`` is the part of the label to set in italics. Raises InvalidValue for no text."""
    paragraphs = [clean for part in re.split(r"\n[^\S\n]*\n", _lines(text)) if (clean := _clean(part))]
    if not paragraphs:
        raise InvalidValue("text", "choisissez d’abord le passage à citer")
    words, italic = _escaped(_clean(label)) or record, _escaped(_clean(title))
    if italic:  # between blanks or stops: elsewhere asterisks may stay asterisks (CommonMark 6.2)
        alone = rf"(?<![^\s(,;:.]){re.escape(italic)}(?![^\s),;:.])"
        words = re.sub(alone, lambda found: f"*{found[0]}*", words, count=1)
    to = f"/notice/{record}" + (f"/page/{page}" if page is not None else "")
    lines = "\n>\n".join(f"> {_escaped_start(_escaped(paragraph))}" for paragraph in paragraphs)
    return f"{lines}\n>\n> — [{words}]({to})\n"


def check(
    body: str,
    pages: Callable[[str, int], str | None],
    records: Callable[[str], bool],
    site: str = "",
) -> tuple[Fault, ...]:
    """What is wrong with the sources and quotations of an answer, by line.

    ``pages`` gives the text of a page of a record ("" when it was not read), None when there is no such page;
    ``records`` says whether there is such a record. A passage may go on over the end of its page.
    """
    tokens = parsed(body, site)
    links, quotes = list(_links(tokens, site)), _quotations(tokens)
    text, known = functools.cache(pages), functools.cache(records)
    faults = [fault for quote in quotes if (fault := _quotation_fault(quote, text, known))]
    judged = {(quote.record, quote.page) for quote in quotes}
    for at in links:
        record, page = at.target.record, at.target.page
        if record is None:
            continue
        if not known(record):
            kind = FaultKind.NO_RECORD
        elif page is not None and (record, page) not in judged and text(record, page) is None:
            kind = FaultKind.NO_PAGE
        else:
            continue
        faults.append(Fault(kind=kind, line=at.line, text=at.label, record=record, page=page))
    if not links:
        faults.append(Fault(kind=FaultKind.NO_SOURCE, line=1))
    return tuple(sorted(faults, key=lambda fault: fault.line))


def _quotation_fault(
    quote: Quotation, text: Callable[[str, int], str | None], known: Callable[[str], bool]
) -> Fault | None:
    record, page = quote.record, quote.page
    if record is None and quote.url is None:
        return Fault(kind=FaultKind.UNSOURCED, line=quote.line, text=quote.text)
    if record is None or page is None or not known(record):
        return None
    if stands_in(quote.text, text(record, page) or ""):
        return None
    near = {number: text(record, number) for number in range(page - NEAR, page + NEAR + 1) if number > 0}
    found = _found(quote.text, page, near)
    if found == page:
        return None
    kind = FaultKind.MOVED if found else _loss(text(record, page))
    return Fault(kind=kind, line=quote.line, text=quote.text, record=record, page=page, found=found)


def _found(quote: str, page: int, near: dict[int, str | None]) -> int | None:
    """The nearest other page where a passage stands; ``page`` itself where it goes over one of its ends."""
    around = sorted(near.keys() - {page}, key=lambda number: (abs(number - page), -number))
    found = next((number for number in around if stands_in(quote, near[number] or "")), None)
    before, here, after = (near.get(number) or "" for number in (page - 1, page, page + 1))
    across = (f"{before}\n{here}", f"{here}\n{after}") if here and found is None else ()
    if any(stands_in(quote, both) for both in across):
        return page
    return found


def _loss(text: str | None) -> FaultKind:
    """Why a passage is not found on its page, by the text of the page."""
    if text is None:
        return FaultKind.NO_PAGE
    return FaultKind.NOT_THERE if text.strip() else FaultKind.UNCHECKED


# -- what the tokens say


@dataclass(frozen=True, slots=True)
class _Link:
    target: Target
    label: str
    line: int


def _links(tokens: list[Token], site: str) -> Iterator[_Link]:
    """The links to sources, in order."""
    line = 0
    for token in tokens:
        line = token.map[0] if token.map else line
        children, breaks = token.children or [], 0
        for i, child in enumerate(children):
            breaks += child.type in BREAKS
            to = target(str(child.attrs["href"]), site) if child.type == "link_open" else None
            if to:
                end = next(j for j in range(i, len(children)) if children[j].type == "link_close")
                yield _Link(to, " ".join(_words(children[i:end]).split()), line + breaks + 1)


def _quotations(tokens: list[Token]) -> tuple[Quotation, ...]:
    found = [quote for node in tree(tokens).walk() if (quote := _quotation(node))]
    return tuple(sorted(found, key=lambda quote: quote.line))


def _quotation(node: SyntaxTreeNode) -> Quotation | None:
    """The quotation that a node is, if it is one and does not belong to another."""
    if node.type == "figure":
        passage, caption = node.children
        to: Target = node.meta["target"]
        return Quotation(
            text=_prose(passage),
            record=to.record,
            page=to.page,
            url=to.url,
            line=_line(node),
            label=" ".join(_prose(caption).split()),
        )
    if node.type != "blockquote" or node.meta.get("empty") or is_quoted(node):
        return None
    text = _prose(node)
    return Quotation(text=text, line=_line(node)) if text else None


def _line(node: SyntaxTreeNode) -> int:
    return (node.map or (0, 0))[0] + 1


def _prose(node: SyntaxTreeNode) -> str:
    """The text of a node, its blocks apart by an empty line, without quotations that say their source."""
    if node.type == "inline":
        return _words(node.meta["words"])
    if node.type in ("fence", "code_block"):
        return node.content.strip()
    blocks = (_prose(child) for child in node.children if child.type != "figure")
    return "\n\n".join(block for block in blocks if block)


def _words(children: list[Token]) -> str:
    return "".join("\n" if child.type in BREAKS else child.content for child in children).strip()


# -- text as Markdown

_CUT = re.compile(r"(?<=\w)[-‐]\n[^\S\n]*(?=\w)")
_BLANKS = re.compile(r"[^\S\u00a0\u202f]+")
_SPECIAL = re.compile(r"[\\`*_<\[\]]|&(?=#?\w+;)|(?<=http):(?=//)|(?<=https):(?=//)", re.IGNORECASE)
_MARKER = re.compile(r"[#+\-=~>|]|(?<![^\W\d])[0-9]{1,9}(?=[.)])")


def _lines(text: str) -> str:
    return "\n".join(text.splitlines())


def _clean(text: str) -> str:
    """One line of text: white space folded, a word that a line cut with its hyphen, nothing invisible."""
    text = visible(text)
    folded = _BLANKS.sub(" ", _CUT.sub("-", text))
    return "".join(c for c in folded if unicodedata.category(c) not in ("Cc", "Cs")).strip()


def _escaped(text: str) -> str:
    """Text as Markdown that shows it as it is, inside a line."""
    return _SPECIAL.sub(lambda special: f"\\{special[0]}", text)


def _escaped_start(line: str) -> str:
    """The same at the start of a line, where a mark would begin a list, a title or a rule."""
    marker = _MARKER.match(line)
    if marker is None:
        return line
    return f"{marker[0]}\\{line[marker.end() :]}" if marker[0].isdigit() else f"\\{line}"
