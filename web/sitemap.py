"""The map of the site for search engines (sitemaps.org 0.9), and what robots are asked to leave alone.

Hides which records they are told of: those of this centre that a visitor may see. Another centre's are told
by that centre. A part is read from where the one before it ends, and nothing else of the fund.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from flask import Blueprint, Response, current_app, request
from werkzeug.routing import Rule

from kb.accounts import VISITOR, Right, may_see
from kb.errors import NotFound
from web import syndication
from web.guard import needs, right_of, site
from web.notices import record_url
from web.outputs import LIST_FORMS, RECORD_FORMS, kept_a_while
from web.rendering import parts

views = Blueprint("sitemap", __name__)

PART = 5_000
"""Records in a part; the format allows 50,000 addresses. This many are read in about half a second."""

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_PAGES = ("/", "/themes", "/questions", "/poser-une-question", "/aide", "/mentions", "/plan")
_AN_HOUR = 3600
_ID = re.compile(r"[a-z0-9-]+:\d+")


@views.get("/sitemap.xml")
@needs(Right.VISIT)
def index() -> Response:
    """The parts of the map."""
    top = _top("sitemapindex")
    for path in ("/sitemap-pages.xml", *map(_part_url, _starts())):
        _add(_add(top, "sitemap"), "loc", site() + path)
    return _public(top)


def _starts() -> Iterator[str]:
    """After which id each part begins: "" for the first one. Only ids are read."""
    ids = parts().store.ids(ours=True)
    last = ""
    while some := list(islice(ids, PART)):
        yield last
        last = some[-1]


def _part_url(after: str) -> str:
    return f"/sitemap-notices.xml?apres={after}" if after else "/sitemap-notices.xml"


@views.get("/sitemap-notices.xml")
@needs(Right.VISIT)
def part() -> Response:
    """Our records after the one named by ``apres``, as many as a part holds."""
    after = request.args.get("apres", "")
    if after and not _ID.fullmatch(after):
        raise NotFound("sitemap", after)
    top = _top("urlset")
    for record in parts().store.batch(after, PART):
        if may_see(record, VISITOR.rights):
            url = _add(top, "url")
            _add(url, "loc", site() + record_url(record.id))
            if record.updated is not None:
                _add(url, "lastmod", record.updated.isoformat(timespec="seconds"))
    return _public(top)


@views.get("/sitemap-pages.xml")
@needs(Right.VISIT)
def pages() -> Response:
    """The pages that are no records."""
    top = _top("urlset")
    for path in _PAGES:
        _add(_add(top, "url"), "loc", site() + path)
    return _public(top)


def _top(name: str) -> syndication.Element:
    return syndication.root(f"{{{_SITEMAP}}}{name}", {None: _SITEMAP})


def _add(parent: syndication.Element, name: str, text: str = "") -> syndication.Element:
    return syndication.add(parent, f"{{{_SITEMAP}}}{name}", text)


def _public(top: syndication.Element) -> Response:
    """What everybody is told alike, whoever asks."""
    return kept_a_while(Response(syndication.as_file(top), mimetype="application/xml"), _AN_HOUR)


# -- robots


@views.get("/robots.txt")
@needs(Right.VISIT)
def robots() -> Response:
    """What robots may read (RFC 9309): all that visitors may, but endless searches and copies of pages."""
    refused = (*_SEARCHES, *_copies(), *_PERSONAL, *sorted(_work_pages()))
    # Said first: some robots take « /recherche? » for all that begins with « /recherche ».
    allowed = (f"Allow: {path}" for path in _FEEDS)
    lines = ("User-agent: *", *allowed, *(f"Disallow: {path}" for path in refused), "Allow: /", "")
    text = "\n".join((*lines, f"Sitemap: {site()}/sitemap.xml", ""))
    return kept_a_while(Response(text, mimetype="text/plain"), _AN_HOUR)


_FEEDS = ("/recherche.atom", "/recherche.rss")
_SEARCHES = ("/recherche?", "/recherche.json", "/facette/")
"""They have as many addresses as there are ways to choose facets; the records are in the map."""

_PERSONAL = ("/connexion", "/mot-de-passe", "/suivi/")
"""Doors, and pages that one person has the address of."""


def _copies() -> Iterator[str]:
    yield from (f"/recherche.{ending}" for ending in LIST_FORMS)
    yield from (f"/notice/*.{ending}$" for ending in ("json", *RECORD_FORMS))


def _work_pages() -> set[str]:
    """Addresses that ask for more than a visitor's right; their first word alone when all below it do."""
    rules = [rule for rule in current_app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    open_ = {_first(rule) for rule in rules if right_of(current_app, rule.endpoint) is Right.VISIT}
    closed = [rule for rule in rules if right_of(current_app, rule.endpoint) is not Right.VISIT]
    return {_pattern(rule.rule) if _first(rule) in open_ else f"/{_first(rule)}" for rule in closed}


def _first(rule: Rule) -> str:
    """« /depot/<int:id> » -> « depot », « /journal.csv » -> « journal »."""
    return re.split(r"[/.<]", rule.rule.removeprefix("/"), maxsplit=1)[0]


def _pattern(rule: str) -> str:
    return re.sub(r"<[^<>]+>", "*", rule)
