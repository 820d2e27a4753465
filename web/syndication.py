"""Feeds as files, in Atom (RFC 4287) and RSS (2.0.11 of its Advisory Board): the one place where they are
written.

Hides XML, and what each of the two calls a thing. Pure: frozen values in, bytes out. Every text may be
anything: what XML 1.0 cannot say is left out, the rest is escaped by the writer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from lxml import etree

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed without entries was last changed."""

ATOM_TYPE, RSS_TYPE, HTML_TYPE = "application/atom+xml", "application/rss+xml", "text/html"

_UNSAYABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Element = Any  # lxml does not say its types


@dataclass(frozen=True, slots=True)
class Category:
    """What an entry is about: a code that stays, and words."""

    term: str
    label: str
    scheme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. ``url`` is its page, whole, and its name for ever; ``html`` is its whole text, when it goes
    out with the feed."""

    url: str
    title: str
    published: datetime
    updated: datetime
    authors: tuple[str, ...] = ()
    summary: str = ""
    html: str = ""
    categories: tuple[Category, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed: addresses of itself (``here``) and of the page that says the same (``page``), both whole;
    ``id`` is its name for ever. ``author`` stands for entries that name nobody. ``total`` counts what was
    found, of which the entries are the newest; None when nothing was searched."""

    id: str
    here: str
    page: str
    title: str
    about: str
    author: str
    entries: tuple[Entry, ...]
    total: int | None = None

    @property
    def updated(self) -> datetime:
        """When the newest change of its entries was made."""
        return max((entry.updated for entry in self.entries), default=NEVER)


def root(name: str, namespaces: Mapping[str | None, str], **attributes: str) -> Element:
    """The element in which a file begins; a namespace by the prefix None stands without one."""
    return etree.Element(name, attributes, nsmap=dict(namespaces))


def add(parent: Element, name: str, text: str = "", **attributes: str) -> Element:
    """A child of that name, "{namespace}name" or bare, with a text."""
    child = etree.SubElement(parent, name, {key: _sayable(value) for key, value in attributes.items()})
    child.text = _sayable(text) or None
    return child


def as_file(top: Element) -> bytes:
    """The element as a file in UTF-8."""
    written: bytes = etree.tostring(top, encoding="UTF-8", xml_declaration=True)
    return written


def _sayable(text: str) -> str:
    return _UNSAYABLE.sub("", text)


# -- Atom


def atom(feed: Feed) -> bytes:
    """The feed in Atom."""
    top = root(f"{{{ATOM}}}feed", {None: ATOM, "opensearch": OPENSEARCH})
    _atom(top, "title", feed.title)
    _atom(top, "subtitle", feed.about)
    _atom(top, "id", feed.id)
    _atom(top, "updated", _moment(feed.updated))
    _atom(top, "link", rel="self", type=ATOM_TYPE, href=feed.here)
    _atom(top, "link", rel="alternate", type=HTML_TYPE, href=feed.page)
    _atom(_atom(top, "author"), "name", feed.author)
    _counts(top, feed)
    for entry in feed.entries:
        _atom_entry(top, entry)
    return as_file(top)


def _atom(parent: Element, name: str, text: str = "", **attributes: str) -> Element:
    return add(parent, f"{{{ATOM}}}{name}", text, **attributes)


def _atom_entry(top: Element, entry: Entry) -> None:
    node = _atom(top, "entry")
    _atom(node, "title", entry.title)
    _atom(node, "id", entry.url)
    _atom(node, "link", rel="alternate", type=HTML_TYPE, href=entry.url)
    _atom(node, "published", _moment(entry.published))
    _atom(node, "updated", _moment(entry.updated))
    for name in entry.authors:
        _atom(_atom(node, "author"), "name", name)
    for category in entry.categories:
        scheme = {"scheme": category.scheme} if category.scheme else {}
        _atom(node, "category", term=category.term, label=category.label, **scheme)
    if entry.summary or not entry.html:
        _atom(node, "summary", entry.summary)
    if entry.html:
        _atom(node, "content", entry.html, type="html")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _counts(parent: Element, feed: Feed) -> None:
    """How many were found, as OpenSearch 1.1 says it in feeds."""
    if feed.total is not None:
        add(parent, f"{{{OPENSEARCH}}}totalResults", str(feed.total))
        add(parent, f"{{{OPENSEARCH}}}itemsPerPage", str(len(feed.entries)))


# -- RSS


def rss(feed: Feed) -> bytes:
    """The feed in RSS 2.0; names of authors as dc:creator, since ``author`` is an address of mail there."""
    top = root("rss", {"atom": ATOM, "dc": DC, "opensearch": OPENSEARCH}, version="2.0")
    channel = add(top, "channel")
    add(channel, "title", feed.title)
    add(channel, "link", feed.page)
    add(channel, "description", feed.about)
    add(channel, "language", "fr")
    add(channel, "lastBuildDate", format_datetime(feed.updated.astimezone(UTC), usegmt=True))
    _atom(channel, "link", rel="self", type=RSS_TYPE, href=feed.here)
    _counts(channel, feed)
    for entry in feed.entries:
        _rss_item(channel, entry)
    return as_file(top)


def _rss_item(channel: Element, entry: Entry) -> None:
    item = add(channel, "item")
    add(item, "title", entry.title)
    add(item, "link", entry.url)
    add(item, "guid", entry.url, isPermaLink="true")
    add(item, "pubDate", format_datetime(entry.published.astimezone(UTC), usegmt=True))
    for name in entry.authors:
        add(item, f"{{{DC}}}creator", name)
    for category in entry.categories:
        add(item, "category", category.label, **({"domain": category.scheme} if category.scheme else {}))
    if entry.html or entry.summary:
        add(item, "description", entry.html or escaped(entry.summary))


def escaped(text: str) -> str:
    """Plain text where a reader expects HTML, as it does in the description of an item of RSS."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def newest(some: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries by when they came in, the newest first."""
    return tuple(sorted(some, key=lambda entry: (entry.published, entry.url), reverse=True))
