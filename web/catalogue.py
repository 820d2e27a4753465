"""Views of the fund: home, results, facets, themes, records, their pages, pictures and files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, request, send_file, send_from_directory

from kb.accounts import Right
from kb.errors import InvalidValue, NotFound
from kb.publishing import TYPE
from kb.records import TYPES, Page, Record
from search import around
from search.engine import FACETS
from search.query import Query, Request, Sort
from search.snippets import Piece
from web import answer_page, facets, holders, notices, results
from web.facets import Value
from web.forms import AccessForm
from web.guard import fund, identity, needs, site
from web.labels import Node
from web.notices import Card, Link
from web.record_page import Teller, Thumb, strip
from web.rendering import STATIC, gone_to, kept_for_a_day, kept_for_ever, parts, shown
from web.state import PARAMETERS, SearchState

views = Blueprint("catalogue", __name__)

LATEST = 8
QUESTIONS = 5
SHELF = 6
ALIKE = 4
WIDTHS = (104, 168, 200, 208, 440, 900, 1400)
"""Widths, in pixels, at which pictures of pages are drawn; others are refused: each costs disk."""

_EXAMPLES = ("gestion urbaine de proximité", "CUCS évaluation", "décrochage au Lamentin")
_DOCUMENTS = tuple(code for code in TYPES if code != TYPE)
_SHELVED = ("cahier", "guide")
_NEIGHBOURS = 4  # thumbnails on each side of the page shown


@dataclass(frozen=True, slots=True)
class HomePage:
    """What the home page shows."""

    total: int
    examples: tuple[Link, ...]
    themes: tuple[Link, ...]
    latest: tuple[Card, ...]
    questions: tuple[Card, ...]
    shelf: tuple[Card, ...]
    shelf_url: str


@dataclass(frozen=True, slots=True)
class FacetPage:
    """All values of a facet; ``hidden`` carries the state through the form."""

    label: str
    values: tuple[Value, ...]
    contains: str
    action: str
    hidden: tuple[tuple[str, str], ...]
    back_url: str
    all_url: str


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the thesaurus with its number of records."""

    label: str
    url: str
    count: int
    note: str | None
    below: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class SchemeView:
    """One facet's terms as a tree."""

    facet: str
    label: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class ThemesPage:
    """The thesaurus, with counts."""

    schemes: tuple[SchemeView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """One page of a document: its picture, its text with the words marked, the ways on; ``centre`` is the
    name of the other one whose document it is, "" for ours."""

    id: str
    title: str
    centre: str
    number: int
    of: int
    label: str | None
    q: str
    found: int
    hit_pages: int
    pieces: tuple[Piece, ...]
    image: str | None
    record_url: str
    original_url: str | None
    back_url: str | None
    previous_url: str | None
    next_url: str | None
    previous_hit: Link | None
    next_hit: Link | None
    strip: tuple[Thumb, ...]


@views.get("/")
@views.get("/index.json")
@needs(Right.VISIT)
def home() -> Response:
    """Search box, themes with their counts, the shelf of Cahiers and guides, what came in last."""
    found = fund().engine.search(Request(facets=("theme",), limit=0))
    counts = found.facets["theme"]
    tops = [c for c in fund().thesaurus.top("themes") if counts.get(c.code)]
    page = HomePage(
        total=found.total,
        examples=tuple(Link(text, SearchState(q=text).url()) for text in _EXAMPLES),
        themes=tuple(_theme_link(c.code, c.label, counts[c.code]) for c in tops),
        latest=tuple(map(notices.card, fund().store.latest(LATEST, _DOCUMENTS))),
        questions=tuple(map(notices.card, fund().store.latest(QUESTIONS, (TYPE,)))),
        shelf=tuple(notices.card(r, 440) for r in _shelf() if notices.pictured(r)),
        shelf_url=SearchState().with_facet("type", _SHELVED).url(),
    )
    return shown("home.html", page)


def _theme_link(code: str, label: str, count: int) -> Link:
    return Link(label, SearchState().toggled("theme", code).url(), count)


def _shelf() -> tuple[Record, ...]:
    """The newest Cahiers that are here as files, then the newest guides."""
    shelf: dict[str, Record] = {}
    for type in _SHELVED:
        filters = (("type", (type,)), ("support", ("electronic",)), *fund().ours)
        found = fund().engine.search(Request(filters=filters, sort=Sort.NEWEST, limit=SHELF))
        shelf |= fund().store.get_many([hit.id for hit in found.hits])
    return tuple(shelf.values())[:SHELF]


@views.get("/recherche")
@views.get("/recherche.json")
@needs(Right.VISIT)
def search() -> Response:
    """The page of results. What finds nothing is counted, for those who build the fund."""
    state = _state()
    page = results.results_page(fund(), state)
    if not page.total and state.q and not state.filters and not request.path.endswith(".json"):
        parts().misses.note(state.q, datetime.now(parts().calendar.zone).date())
    return shown("results.html", page, section="fonds")


def _state() -> SearchState:
    return SearchState.from_args(request.args, size=fund().config.per_page)


@views.get("/facette/<parameter>")
@views.get("/facette/<parameter>.json")
@needs(Right.VISIT)
def facet(parameter: str) -> Response:
    """All values of one facet for a search, with a filter box."""
    name = next((facet for facet, word in PARAMETERS.items() if word == parameter), None)
    if name is None:
        raise NotFound("facet", parameter)
    state, contains = _state(), request.args.get("contient", "").strip()[:100]
    found = results.ask(fund(), state, counted=(name,))
    view = facets.view(name, found.results.facets[name], state, fund().labels, every=True)
    values = facets.containing(view.values, contains) if contains else view.values
    action = f"/facette/{parameter}"
    hidden = tuple(state.pairs())
    page = FacetPage(view.label, values, contains, action, hidden, state.url(), action + state.query_string())
    return shown("facet.html", page, section="fonds")


@views.get("/themes")
@views.get("/themes.json")
@needs(Right.VISIT)
def themes() -> Response:
    """The thesaurus as a way into the fund."""
    wanted = ("theme", "issue", "activity", "scheme", "territory")
    counts = fund().engine.search(Request(facets=wanted, limit=0)).facets
    page = ThemesPage(tuple(_scheme(name, counts[name]) for name in wanted if counts[name]))
    return shown("themes.html", page, section="themes")


def _scheme(name: str, counts: Mapping[str, int]) -> SchemeView:
    nodes = fund().labels.tree(counts)
    return SchemeView(name, FACETS[name].label, tuple(_term(name, node) for node in nodes))


def _term(name: str, node: Node) -> Term:
    concept = fund().labels.concept(node.code)
    below = tuple(_term(name, child) for child in node.below)
    url = SearchState().toggled(name, node.code).url()
    note = concept.note if concept else None
    return Term(fund().labels.of(name, node.code), url, node.count, note, below)


@views.get("/notice/<id>")
@views.get("/notice/<id>.json")
@needs(Right.VISIT)
def record(id: str) -> Response:
    """The page of a record."""
    held = fund().store.get(id)
    q = _state().q
    query = results.query_of(fund(), q) if q else None
    page = Teller(fund().store, fund().labels).page(
        held, q=q, lit=_lit(id, query), alike=_alike(held), holders=holders.holders(fund(), held)
    )
    more: dict[str, Any] = {}
    if identity().may(Right.CATALOGUE) and not page.centre:
        more |= {"access": AccessForm(access=held.access), "access_url": f"/notice/{id}/acces"}
        more["waits"] = parts().reviews.get(id) is not None
    more["cited_in"] = answer_page.citing(parts(), fund().store, id)
    if (public := answer_page.publication_of(parts(), held)) and not page.on_the_spot:
        answer = answer_page.told(parts(), fund().store, page, public)
        said = answer_page.json_ld(answer, site(), fund().config.centre_name, public.shown or "")
        return shown("answer-record.html", answer, section="questions", json_ld=said, **more)
    return shown("record.html", page, section="fonds", **more)


def _alike(held: Record) -> tuple[Record, ...]:
    """Records that speak of the same things; not the work itself, as another centre tells of it."""
    same = {record.id for record in holders.members(fund(), held)}
    near = around.alike(held, engine=fund().engine, thesaurus=fund().thesaurus, limit=ALIKE + 1)
    return tuple(fund().store.get_many([id for id in near if id not in same][:ALIKE]).values())


@views.post("/notice/<id>/acces")
@needs(Right.CATALOGUE)
def change_access(id: str) -> Response:
    """Say who may read a record."""
    form, seen = AccessForm(), fund().store.own(id)
    if not form.validate_on_submit():
        raise InvalidValue("access", "choisissez qui peut lire ce document")
    with parts().store.transaction():
        whole = parts().store.get(seen.id)  # not what is shown of it: a notice may be shown in part
        answer_page.check_access(parts(), whole, form.access.data)
        parts().store.save(dataclasses.replace(whole, access=form.access.data))
    flash("L’accès est enregistré.")
    return gone_to(notices.record_url(id))


def _lit(id: str, query: Query | None) -> tuple[int, ...]:
    """Numbers of the record's pages that answer the search which led here, best first."""
    if query is None or fund().store.on_the_spot(id):
        return ()
    return around.pages_matching(query, id, fund().engine)


@views.get("/notice/<id>/page/<int:number>")
@views.get("/notice/<id>/page/<int:number>.json")
@needs(Right.VISIT)
def page(id: str, number: int) -> Response:
    """One page of a document."""
    held = fund().store.get(id)
    text = fund().store.page(id, number)
    cited_in = answer_page.citing(parts(), fund().store, id, number)
    return shown("page.html", _page_view(held, text), section="fonds", cited_in=cited_in)


def _page_view(held: Record, text: Page) -> PageView:
    q, number = _state().q, text.number
    query = results.query_of(fund(), q) if q else None
    pieces = results.marked(fund(), text.text, query)
    lit, last = sorted(_lit(held.id, query)), fund().store.last_page(held.id)
    before, after = [n for n in lit if n < number], [n for n in lit if n > number]
    neighbours = range(max(1, number - _NEIGHBOURS), min(last, number + _NEIGHBOURS) + 1)
    return PageView(
        id=held.id,
        title=held.title,
        centre=holders.owner(fund(), held),
        number=number,
        of=last,
        label=text.label if text.label != str(number) else None,
        q=q,
        found=sum(piece.marked for piece in pieces),
        hit_pages=len(lit),
        pieces=pieces,
        image=notices.image_url(held, number, 900),
        record_url=notices.record_url(held.id, q),
        original_url=notices.file_url(held, number),
        back_url=SearchState(q=q).url() if q else None,
        previous_url=notices.page_url(held.id, number - 1, q) if number > 1 else None,
        next_url=notices.page_url(held.id, number + 1, q) if number < last else None,
        previous_hit=_to_page(held, before[-1:], q),
        next_hit=_to_page(held, after[:1], q),
        strip=strip(held, fund().store.some_pages(held.id, neighbours), q, lit),
    )


def _to_page(held: Record, numbers: Sequence[int], q: str) -> Link | None:
    return Link(str(numbers[0]), notices.page_url(held.id, numbers[0], q)) if numbers else None


@views.get("/notice/<id>/image/<int:number>/<int:width>")
@needs(Right.VISIT)
def image(id: str, number: int, width: int) -> Response:
    """The picture of a page, at one of the widths that pages use."""
    held = fund().store.get(id)
    file = notices.pictured(held)
    if file is None or width not in WIDTHS or not 1 <= number <= file.pages:
        raise NotFound("page", f"{id} {number}")
    original = fund().store.original(file.sha256)
    picture = fund().pictures.picture(original, file.sha256, number, width)
    response = send_file(picture, mimetype="image/webp")
    return kept_for_a_day(response) if held.access == "public" else response


@views.get("/notice/<id>/fichier/<int:place>/<path:name>")
@needs(Right.VISIT)
def original(id: str, place: int, name: str) -> Response:
    """An original file: shown if it is a PDF or plain text, else to download; never run by the browser."""
    files = fund().store.get(id).files
    if place >= len(files) or files[place].name != name:
        raise NotFound("original", f"{id} {place}")
    file = files[place]
    inline = file.media_type in ("application/pdf", "text/plain")
    response = send_file(
        fund().store.original(file.sha256),
        mimetype=file.media_type if inline else "application/octet-stream",
        as_attachment=not inline,
        download_name=file.name,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@views.get("/static/<version>/<path:name>")
@needs(Right.VISIT)
def static(version: str, name: str) -> Response:
    """Style, icons and font; the version in the address changes with their content."""
    return kept_for_ever(send_from_directory(STATIC, name))
