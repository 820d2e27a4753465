"""The page of results: hits with their passages, facets, what to do when there is nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kb import records
from kb.formats import Notice
from kb.publishing import TYPE
from kb.records import Record
from search import finder, snippets, suggest, syntax
from search.engine import FACETS, SHOWN, Hit
from search.finder import Found
from search.query import Query
from search.snippets import Piece
from web import facets, holders, notices
from web.facets import Chip, FacetView
from web.fund import Fund
from web.guard import site
from web.holders import Badge
from web.labels import Labels
from web.metas import coins
from web.notices import Link
from web.outputs import ListForTools, list_for_tools
from web.state import SIZES, SORTS, SearchState
from web.typography import number, spaced

PASSAGES = 3
_SORT_LABELS = {
    "pertinence": "pertinence",
    "recent": "plus récents",
    "ancien": "plus anciens",
    "titre": "titre",
}
_ABSTRACT = 280  # characters of an abstract shown when no passage is


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words of a page; ``url`` opens it with them marked."""

    page: int
    url: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HitView:
    """One record found; ``answer`` when it is one that the desk published, read on its record; ``holders``
    says who holds it, when that is not our centre alone."""

    id: str
    url: str
    title: str
    kind: str
    answer: bool
    year: int | None
    series: str | None
    authors: str
    passages: tuple[Passage, ...]
    abstract: tuple[Piece, ...]
    tags: tuple[Link, ...]
    call_number: str | None
    availability: str
    thumb: str | None
    score: float
    coins: str
    holders: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """What to try when nothing was found: searches with something dropped, terms near."""

    drops: tuple[Link, ...] = ()
    near: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsPage:
    """All that the page of results shows. ``scope``: the whole network and our fund, where there are others;
    ``changes``: where those found of our own are changed together."""

    state: SearchState
    heading: str
    scope: tuple[Link, ...]
    changes: Link | None
    total: int
    took: float
    relaxed: bool
    expanded: tuple[str, ...]
    hits: tuple[HitView, ...]
    facets: tuple[FacetView, ...]
    chips: tuple[Chip, ...]
    clear_url: str
    sorts: tuple[Link, ...]
    sizes: tuple[Link, ...]
    number: int
    of: int
    previous_url: str | None
    next_url: str | None
    suggestion: Link | None
    understood: str
    nothing: Nothing
    tools: ListForTools


def results_page(fund: Fund, state: SearchState) -> ResultsPage:
    """Asks once and tells all: the one call behind ``/recherche``."""
    labels = fund.labels
    began = time.perf_counter()
    found = ask(fund, state)
    total = found.results.total
    last = max(1, -(-total // state.size))
    if state.page > last:
        state = state.changed(page=last)
        found = ask(fund, state)
    took = time.perf_counter() - began
    scope = _scope(fund, state, found)
    return ResultsPage(
        state=state,
        heading=f"Résultats pour « {state.q} »" if state.q else "Tout le fonds",
        scope=scope,
        changes=_changes(fund, state, total, scope),
        total=total,
        took=took,
        relaxed=found.relaxed,
        expanded=found.expanded,
        hits=tuple(_hits(fund, state, found, labels)),
        facets=tuple(_facets(found.results.facets, state, labels)),
        chips=facets.chips(state, labels),
        clear_url=state.without_filters().url(),
        sorts=tuple(
            Link(label, state.changed(sort=name).url(), current=state.sort == name)
            for name, label in _SORT_LABELS.items()
        ),
        sizes=tuple(Link(str(n), state.changed(size=n).url(), current=state.size == n) for n in SIZES),
        number=state.page,
        of=last,
        previous_url=state.changed(page=state.page - 1).url() if state.page > 1 else None,
        next_url=state.changed(page=state.page + 1).url() if state.page < last else None,
        suggestion=_suggestion(fund, state),
        understood=syntax.unparse(found.understood),
        nothing=_nothing(fund, state, labels) if total == 0 else Nothing(),
        tools=list_for_tools(state),
    )


def ask(fund: Fund, state: SearchState, *, counted: Sequence[str] = SHOWN, pages: int = PASSAGES) -> Found:
    """The search of this state; ``pages`` are the passages wanted of each hit."""
    return finder.find(
        state.q,
        engine=fund.engine,
        thesaurus=fund.thesaurus,
        filters=state.filters,
        facets=tuple(counted),
        sort=SORTS[state.sort],
        offset=state.offset,
        limit=state.size,
        pages=pages,
    )


def _facets(
    counts: Mapping[str, Mapping[str, int]], state: SearchState, labels: Labels
) -> Sequence[FacetView]:
    shown = [name for name in SHOWN if counts.get(name) or state.chosen(name)]
    if len(counts.get("centre", {})) < 2 and not state.chosen("centre"):
        shown = [name for name in shown if name != "centre"]  # it would cut nothing
    return [facets.view(name, counts.get(name, {}), state, labels) for name in shown]


def _scope(fund: Fund, state: SearchState, found: Found) -> tuple[Link, ...]:
    """The same search in the whole network and in our own fund; () where nobody else has anything."""
    counts, ours = found.results.facets.get("centre", {}), fund.config.centre
    chosen = state.chosen("centre")
    if not chosen and not counts.keys() - {ours}:
        return ()
    whole = state.with_facet("centre", ())
    total = ask(fund, whole, counted=()).results.total if chosen else found.results.total
    own = state.with_facet("centre", (ours,))
    return (
        Link("Tout le réseau", whole.url(), total, current=not chosen),
        Link("Notre fonds", own.url(), counts.get(ours, 0), current=chosen == (ours,)),
    )


def _changes(fund: Fund, state: SearchState, total: int, scope: Sequence[Link]) -> Link | None:
    if scope:
        state, total = state.with_facet("centre", (fund.config.centre,)), scope[1].count
    what = "cette notice" if total == 1 else f"ces {number(total)} notices"
    of_ours = " de notre fonds" if scope else ""
    return Link(f"Modifier {what}{of_ours}", "/lot" + (state.query_string() or "?q=")) if total else None


Told = tuple[Hit, Record, tuple["Passage", ...]]


def told(fund: Fund, found: Found, q: str) -> Iterator[Told]:
    """The hits with their records and their passages: texts are read for these hits only."""
    hits = found.results.hits
    held = fund.store.get_many([hit.id for hit in hits])
    texts = fund.store.page_texts((hit.id, number) for hit in hits for number in hit.pages)
    marker = snippets.marker(found.query, fund.engine)
    for hit in hits:
        if (record := held.get(hit.id)) is None:  # deleted since the index was last brought up to date
            continue
        passages = tuple(
            Passage(number, _passage_url(fund, record, number, q), marker.best(texts[hit.id, number]))
            for number in hit.pages
            if (hit.id, number) in texts
        )
        yield hit, record, _telling(passages)


def _passage_url(fund: Fund, record: Record, number: int, q: str) -> str:
    """Where a passage is read: on its page, or on the record of an answer, which shows it whole."""
    if _is_answer(fund, record):
        return notices.record_url(record.id, q)
    return notices.page_url(record.id, number, q)


def _is_answer(fund: Fund, record: Record) -> bool:
    """Whether our desk published it: the answer of another one is a text like others here."""
    asked = record.type == TYPE and "question" in record.identifiers
    return asked and fund.store.elsewhere(record.id) is None


def _telling(passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """Those that hold a word looked for: a page may match by what its notice says, and show nothing. All of
    them when none does, as for a search without words."""
    marked = tuple(p for p in passages if any(piece.marked for piece in p.pieces))
    return marked or passages


def _hits(fund: Fund, state: SearchState, found: Found, labels: Labels) -> Iterator[HitView]:
    marker = snippets.marker(found.query, fund.engine)
    listed = list(told(fund, found, state.q))
    hosts = fund.store.get_many([record.host for _, record, _ in listed if record.host])
    badges = holders.badges(fund, [record for _, record, _ in listed])
    for hit, record, passages in listed:
        abstract = marker.best(record.abstract) if record.abstract and not passages else ()
        badge = badges.get(record.id) or Badge("", record.call_number, _shelf(record))
        yield HitView(
            id=record.id,
            url=notices.record_url(record.id, state.q),
            title=record.title,
            kind=records.TYPES[record.type],
            answer=_is_answer(fund, record),
            year=record.year,
            series=record.series,
            authors=notices.authors(record),
            passages=passages,
            abstract=abstract,
            tags=notices.tag_links(record, labels),
            call_number=badge.call_number,
            availability=badge.availability,
            thumb=notices.image_url(record, 1, 168),
            score=hit.score,
            coins=coins(Notice(record, host=hosts.get(record.host or "")), site()),
            holders=badge.label,
        )


def _shelf(record: Record) -> str:
    return notices.availability(record) if record.call_number else ""


def query_of(fund: Fund, q: str) -> Query:
    """The query that a text becomes, to look at one record with."""
    return finder.find(q, engine=fund.engine, thesaurus=fund.thesaurus, limit=0).query


def marked(fund: Fund, text: str, query: Query | None) -> tuple[Piece, ...]:
    """A whole text with the words looked for marked, the lines of its paragraphs run together."""
    flowing = _LINE_END.sub(" ", text)
    if query is None:
        return (Piece(flowing, False),) if flowing else ()
    return snippets.marker(query, fund.engine).whole(flowing)


# The end of a line inside a sentence: one letter for one letter, so that places in the text stay true.
_LINE_END = re.compile(r"(?<=[\w,;’'»)])\n(?=[a-zà-öø-ÿœ(«\d])")


def _suggestion(fund: Fund, state: SearchState) -> Link | None:
    """The search with its misspelt words mended, if that finds more."""
    if not state.q:
        return None
    found = suggest.did_you_mean(state.q, engine=fund.engine, thesaurus=fund.thesaurus, filters=state.filters)
    return Link(found.text, state.changed(q=found.text).url(), found.total) if found else None


def _nothing(fund: Fund, state: SearchState, labels: Labels) -> Nothing:
    thesaurus = fund.thesaurus
    found = suggest.drops(state.q, engine=fund.engine, thesaurus=thesaurus, filters=state.filters)
    drops = [
        Link(
            _without(drop.dropped, labels),
            SearchState(q=drop.text, filters=drop.filters, size=state.size).url(),
            drop.total,
        )
        for drop in found
    ]
    bare = state.without_filters()
    if len(state.filters) > 1 and (total := ask(fund, bare, counted=()).results.total):
        drops.append(Link("sans aucun filtre", bare.url(), total))
    near = suggest.near_concepts(state.q, thesaurus) if state.q else ()
    searches = [(c.label, notices.facet_of(c.scheme), c.code) for c in near]
    links = [
        Link(label, SearchState().toggled(facet, code).url()) for label, facet, code in searches if facet
    ]
    return Nothing(tuple(drops), tuple(links))


def _without(dropped: str | tuple[str, str], labels: Labels) -> str:
    if isinstance(dropped, str):
        return spaced(f"sans « {dropped} »")
    facet, code = dropped
    return spaced(f"sans le filtre {FACETS[facet].label} : {labels.of(facet, code)}")
