"""What lets other programs follow the fund and search it: Atom and RSS of any search, the description of the
search for browsers, the map of the site for search engines.

Hides which records of a search are its newest. The engine has no order of arrival, so the hits are put in it
here, by their numbers, which a centre gives in that order: only the newest of each centre are read.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from flask import Blueprint, Response, request

from kb.accounts import Right
from kb.citations import whole_title
from kb.formats import Notice
from kb.records import TYPES, Record, State
from kb.thesaurus import Thesaurus
from web import notices, results, sitemap, syndication
from web.fund import Fund
from web.guard import fund, needs, site
from web.notices import record_url
from web.outputs import feed_query, kept_a_while
from web.rendering import asset, parts
from web.state import SearchState
from web.syndication import ATOM_TYPE, NEVER, OPENSEARCH, RSS_TYPE, Category, Entry, Feed
from web.typography import spaced, written_date

views = Blueprint("feeds", __name__)
views.register_blueprint(sitemap.views)

NEWEST = 30
"""Entries of a feed: programs ask each hour or each day, and nobody reads more than this of a day."""

REACH = 20_000
"""Hits that are looked through for the newest; of a search that finds more, those published last. So many of
100,000 take 0.12 s of one core."""

_MINUTES, _A_DAY = 15 * 60, 86400  # seconds that what everybody is told may be kept
_SUMMARY = 500  # characters of an abstract, cut on a word
_SHORT_NAME = 16  # OpenSearch 1.1, ShortName
_LONG_NAME = 48


@views.get("/recherche.atom")
@needs(Right.VISIT)
def atom() -> Response:
    """The newest results of a search, in Atom."""
    return _fed(ATOM_TYPE)


@views.get("/recherche.rss")
@needs(Right.VISIT)
def rss() -> Response:
    """The newest results of a search, in RSS."""
    return _fed(RSS_TYPE)


def _fed(media_type: str) -> Response:
    state = SearchState.from_args(request.args)
    told = feed(fund(), state, site(), request.path)
    write = syndication.atom if media_type == ATOM_TYPE else syndication.rss
    response = Response(write(told), content_type=f"{media_type}; charset=utf-8")
    if told.entries:
        response.last_modified = told.updated
    return kept_a_while(response, _MINUTES)


def feed(fund: Fund, state: SearchState, root: str, path: str) -> Feed:
    """The newest records that a search finds; its address with the search is its name."""
    total, found = newest(fund, state)
    thesaurus = fund.thesaurus
    searched = f" : {_said(fund, state)}" if state.q or state.filters else ""
    centre, query = fund.config.centre_name, feed_query(state)
    return Feed(
        id=f"{root}/recherche.atom{query}",
        here=f"{root}{path}{query}",
        page=f"{root}/recherche{query}",
        title=spaced(f"{centre}, nouveautés{searched}"),
        about=spaced(f"Les {NEWEST} dernières notices entrées au fonds{searched}"),
        author=centre,
        entries=syndication.newest(_entry(record, thesaurus, root) for record in found),
        total=total,
    )


def newest(fund: Fund, state: SearchState) -> tuple[int, list[Record]]:
    """How many records a search finds, and those of them that came in last, the newest first."""
    asked = results.ask(fund, state.changed(size=REACH, sort="recent"), counted=(), pages=0).results
    numbers: dict[str, list[int]] = {}
    for hit in asked.hits:
        centre, _, number = hit.id.partition(":")
        numbers.setdefault(centre, []).append(int(number))
    last = [f"{c}:{n}" for c, given in numbers.items() for n in heapq.nlargest(NEWEST, given)]
    held = fund.store.get_many(last).values()
    return asked.total, heapq.nlargest(NEWEST, held, key=lambda record: record.created or NEVER)


def _said(fund: Fund, state: SearchState) -> str:
    """The search in words."""
    chosen = (fund.labels.of(facet, code) for facet, codes in state.filters for code in codes)
    return ", ".join((*([f"« {state.q} »"] if state.q else []), *chosen))


def _entry(record: Record, thesaurus: Thesaurus, root: str) -> Entry:
    facts = ", ".join(filter(None, (TYPES[record.type], written_date(record.date), record.publisher)))
    abstract = shortened(record.abstract or "", _SUMMARY)
    return Entry(
        url=root + record_url(record.id),
        title=whole_title(Notice(record)),
        published=record.created or NEVER,
        updated=record.updated or record.created or NEVER,
        authors=tuple(notices.natural(agent.name) for agent in record.agents if agent.role == "author"),
        summary=". ".join(filter(None, (facts, abstract))),
        categories=tuple(_categories(record, thesaurus)),
    )


def _categories(record: Record, thesaurus: Thesaurus) -> Iterator[Category]:
    """The type, then the subjects that somebody accepted."""
    yield Category(record.type, TYPES[record.type])
    for subject in record.subjects:
        if subject.state is State.ACCEPTED and subject.concept in thesaurus:
            concept = thesaurus.get(subject.concept)
            yield Category(concept.code, concept.label, _scheme(thesaurus, concept.scheme))


def shortened(text: str, most: int) -> str:
    """A text in one line of ``most`` characters at most, cut between two words."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 2].rpartition(" ")[0] + " …"


# -- the search, told to browsers


@views.get("/opensearch.xml")
@needs(Right.VISIT)
def opensearch() -> Response:
    """How this site is searched (OpenSearch 1.1, draft 6)."""
    config, root = parts().config, site()
    top = syndication.root(f"{{{OPENSEARCH}}}OpenSearchDescription", {None: OPENSEARCH})

    def say(name: str, text: str = "", **attributes: str) -> None:
        syndication.add(top, f"{{{OPENSEARCH}}}{name}", text, **attributes)

    say("ShortName", shortened(config.centre_name, _SHORT_NAME))
    say("LongName", shortened(f"{config.centre_name} : le fonds", _LONG_NAME))
    say("Description", shortened(f"Chercher dans le fonds. {config.centre_about}", 1024))
    for media_type, path in _SEARCHES.items():
        say("Url", type=media_type, template=f"{root}{path}?q={{searchTerms}}")
    say("Url", type=DESCRIPTION_TYPE, rel="self", template=f"{root}/opensearch.xml")
    say("Image", root + asset("mark.svg"), type="image/svg+xml", width="32", height="32")
    say("Language", "fr")
    say("InputEncoding", "UTF-8")
    return kept_a_while(Response(syndication.as_file(top), content_type=DESCRIPTION_TYPE), _A_DAY)


DESCRIPTION_TYPE = "application/opensearchdescription+xml"
_SEARCHES = {"text/html": "/recherche", ATOM_TYPE: "/recherche.atom", RSS_TYPE: "/recherche.rss"}


def _scheme(thesaurus: Thesaurus, name: str) -> str:
    """The URI of a set of concepts; "" when the vocabulary does not say it."""
    held = thesaurus.schemes.get(name)
    return held.uri if held else ""
