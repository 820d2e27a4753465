"""Views of works that hold several: a Cahier or a review cut into its articles, checked on one screen.

Hides how the lines of the screen are read back: what was typed is shown again with what is wrong of it, and
nothing is made until all that is ticked is right.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, flash, request

from ingest import arrivals, articles, duplicates, holdings
from ingest.articles import Article, Proposal
from ingest.drafts import Heading
from ingest.frontmatter import agents_of_text
from ingest.tagging import Text
from kb.accounts import Right
from kb.errors import IngestError, NotFound
from kb.french import fold
from kb.records import Page, Record
from kb.sketches import Sketches
from web import notices
from web.forms import Plain
from web.guard import fund, needs
from web.rendering import gone_to, parts, shown
from web.typography import counted, spaced

views = Blueprint("splitting", __name__)

MOST = 200
"""Articles of one work: a Cahier has a dozen, a volume of proceedings a hundred."""

_FIELDS = 7  # of a line: ticked, title, authors, two pages, printed pages, place
_ADDED = 3  # empty lines that one click adds
_LONGEST_TITLE, _LONGEST_PAGES = 500, 40

_SOURCES = {"outline": "les signets du fichier", "contents": "son sommaire"}
_SURE = 0.7  # confidence from which an article is ticked beforehand


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One article as it is proposed or typed; ``first`` and ``last`` as typed. ``place`` says where on its
    pages it begins and ends, for as long as these are not changed."""

    ticked: bool = False
    title: str = ""
    authors: str = ""
    first: str = ""
    last: str = ""
    label_pages: str = ""
    place: str = ""
    picture: str | None = None
    page_url: str | None = None
    evidence: str = ""
    warnings: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    known: str | None = None
    faults: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SplitPage:
    """The articles proposed for one work. ``seen`` is how the work was when they were."""

    record: str
    title: str
    url: str
    pages: int
    source: str
    articles: tuple[Row, ...]
    warnings: tuple[str, ...]
    parts: int
    seen: str


@views.get("/notice/<id>/decouper")
@views.get("/notice/<id>/decouper.json")
@needs(Right.CATALOGUE)
def split(id: str) -> Response:
    """What the outline or the contents page says of the articles."""
    fund().store.own(id)
    record, pages = parts().store.get(id), parts().store.pages(id)
    return _proposed(record, pages)


def _proposed(record: Record, pages: Sequence[Page], fault: str = "") -> Response:
    found = articles.propose(record.title, pages, _outline(record)) if pages else Proposal()
    known = _known(record)
    rows = tuple(_row(record, pages, article, known) for article in found.articles[:MOST])
    warnings = tuple(map(spaced, found.warnings)) if rows else ()
    context = _page(record, pages, rows, _SOURCES.get(found.source, ""), warnings)
    status = 409 if fault else 200
    return shown(
        "split.html", context, section="travail", status=status, form=Plain(formdata=None), fault=fault
    )


def _outline(record: Record) -> tuple[Heading, ...]:
    """The outline of the record's file, read again: it is not kept."""
    file = notices.pictured(record)
    if file is None:
        return ()
    try:
        return arrivals.read(parts().store.originals.path(file.sha256), parts().sandbox)[0].outline
    except (IngestError, NotFound):
        return ()  # the contents page may still say it


def _page(
    record: Record,
    pages: Sequence[Page],
    rows: Sequence[Row],
    source: str = "",
    warnings: tuple[str, ...] = (),
) -> SplitPage:
    return SplitPage(
        record=record.id,
        title=record.title,
        url=f"/notice/{record.id}/decouper",
        pages=len(pages),
        source=source,
        articles=tuple(rows),
        warnings=warnings,
        parts=len(parts().store.find("host", record.id)),
        seen=parts().store.fingerprint(record.id),
    )


def _known(record: Record) -> dict[str, Record]:
    """The parts that there are, by their folded titles."""
    store = parts().store
    return {fold(part.title): part for part in store.get_many(store.find("host", record.id)).values()}


def _row(record: Record, pages: Sequence[Page], article: Article, known: Mapping[str, Record]) -> Row:
    part = known.get(fold(article.title))
    return Row(
        ticked=article.confidence >= _SURE and part is None,
        title=article.title,
        authors=" ; ".join(agent.name for agent in article.authors),
        first=str(article.first),
        last=str(article.last),
        label_pages=article.label_pages,
        place=f"{article.first} {article.last} {article.start} {-1 if article.end is None else article.end}",
        picture=notices.image_url(record, article.first, 168),
        page_url=notices.page_url(record.id, article.first),
        evidence=spaced(_sentence(article.evidence)),
        warnings=tuple(spaced(_sentence(said)) for said in article.warnings),
        themes=tuple(parts().thesaurus.get(uri).label for uri in _themes(article, pages)),
        known=notices.record_url(part.id) if part else None,
    )


def _sentence(said: str) -> str:
    return said[:1].upper() + said[1:]


def _themes(article: Article, pages: Sequence[Page], most: int = 4) -> list[str]:
    text = Text(article.title, [p.text for p in pages if article.first <= p.number <= article.last])
    [suggestions] = parts().tagger.suggest([text])
    return [suggestion.concept for suggestion in suggestions[:most]]


_CHANGED = (
    "Ce document a changé pendant que vous travailliez, et rien n’a été créé. Voici les articles d’après ce "
    "qu’il contient maintenant."
)


@views.post("/notice/<id>/decouper")
@needs(Right.CATALOGUE, fields=_FIELDS * MOST + 10)
def split_save(id: str) -> Response:
    """Make the articles that are ticked, as they are typed; or show more lines to fill in."""
    fund().store.own(id)
    record, pages = parts().store.get(id), parts().store.pages(id)
    if request.form.get("vu") != parts().store.fingerprint(id):
        return _proposed(record, pages, _CHANGED)
    rows = _typed(record, len(pages))
    if "ajouter" in request.form:
        return _again(record, pages, (*rows, *(Row(ticked=True) for _ in range(_ADDED)))[:MOST])
    rows = _checked(rows, len(pages), _known(record))
    ticked = [row for row in rows if row.ticked]
    if not ticked or any(row.faults for row in ticked):
        return _again(record, pages, rows, wrong=True)
    made = _tagged(record, pages, [_article(row, pages) for row in ticked])
    with parts().store.transaction():
        taken = _known(record).keys() & {fold(part.title) for part, _ in made}
        if taken or request.form.get("vu") != parts().store.fingerprint(id):
            return _proposed(parts().store.get(id), parts().store.pages(id), _CHANGED)
        _save(made)
    flash(spaced(f"{counted(len(made), 'article créé', 'articles créés')}, chacun avec ses pages."))
    return gone_to(f"{notices.record_url(id)}#parties")


def _again(record: Record, pages: Sequence[Page], rows: Sequence[Row], *, wrong: bool = False) -> Response:
    """The screen as it was typed, with what is wrong."""
    form = Plain(formdata=None)
    fault = "" if not wrong or any(row.ticked for row in rows) else "Cochez au moins un article."
    faults = [(f"{name}-{n}", said) for n, row in enumerate(rows) for name, said in row.faults.items()]
    overlap = any(said.startswith(_OVERLAP) for _, said in faults)
    more = {"form": form, "fault": fault, "faults": faults, "overlap": overlap}
    context = _page(record, pages, rows)
    return shown("split.html", context, section="travail", status=400 if wrong else 200, **more)


def _typed(record: Record, pages: int) -> tuple[Row, ...]:
    """The lines of the form."""
    said = request.form
    rows = []
    for n in range(min(max(0, said.get("nombre", 0, int)), MOST)):
        first = said.get(f"premiere-{n}", "").strip()[:8]
        shown_page = int(first) if first.isdecimal() and 1 <= int(first) <= pages else 0
        rows.append(
            Row(
                ticked=f"garder-{n}" in said,
                title=" ".join(said.get(f"titre-{n}", "").split())[:_LONGEST_TITLE],
                authors=said.get(f"auteurs-{n}", "").strip()[:_LONGEST_TITLE],
                first=first,
                last=said.get(f"derniere-{n}", "").strip()[:8],
                label_pages=" ".join(said.get(f"imprimees-{n}", "").split())[:_LONGEST_PAGES],
                place=said.get(f"place-{n}", "")[:60],
                picture=notices.image_url(record, shown_page, 168) if shown_page else None,
                page_url=notices.page_url(record.id, shown_page) if shown_page else None,
            )
        )
    return tuple(rows)


def _checked(rows: Sequence[Row], pages: int, known: Mapping[str, Record]) -> tuple[Row, ...]:
    """The lines with what is wrong of those that are ticked; empty ones are no lines."""
    kept = [row for row in rows if row.ticked or row.title or row.first]
    filled = [row if row.title or row.first else dataclasses.replace(row, ticked=False) for row in kept]
    found: list[Row] = []
    for row in filled:
        before = [other for other in found if other.ticked]
        part = known.get(fold(row.title))
        faults = _faults(row, pages, before, part) if row.ticked else {}
        url = notices.record_url(part.id) if part else None
        found.append(dataclasses.replace(row, faults=faults, known=url))
    return tuple(found)


_OVERLAP = "Ces pages sont aussi celles"


def _faults(row: Row, pages: int, before: Sequence[Row], part: Record | None) -> dict[str, str]:
    """What is wrong of a line, by field."""
    faults: dict[str, str] = {}
    if not row.title:
        faults["titre"] = "Cet article n’a pas de titre."
    elif part is not None:
        faults["titre"] = "Un article de ce titre existe déjà : décochez celui-ci, ou changez son titre."
    elif any(fold(other.title) == fold(row.title) for other in before):
        faults["titre"] = "Un autre article coché a ce titre."
    if (span := _span(row, pages)) is None:
        faults["premiere"] = f"Donnez deux pages du fichier, de 1 à {pages}, la première avant la dernière."
    elif "recouvre" not in request.form and (over := _overlapped(span, pages, before)) is not None:
        faults["premiere"] = f"{_OVERLAP} de « {over.title} »."
    return {name: spaced(said) for name, said in faults.items()}


def _span(row: Row, pages: int) -> tuple[int, int] | None:
    if not (row.first.isdecimal() and row.last.isdecimal()):
        return None
    first, last = int(row.first), int(row.last)
    return (first, last) if 1 <= first <= last <= pages else None


def _overlapped(span: tuple[int, int], pages: int, before: Sequence[Row]) -> Row | None:
    """A line that has pages of this one too; where one ends the other may begin."""
    for other in before:
        there = _span(other, pages)
        if there is None:
            continue
        shared = min(span[1], there[1]) - max(span[0], there[0]) + 1
        joined = shared == 1 and (span[0] == there[1] or there[0] == span[1])
        if shared > 0 and not joined:
            return other
    return None


def _article(row: Row, pages: Sequence[Page]) -> Article:
    """A line that is right, with where on its pages it begins and ends if its pages are as proposed."""
    first, last = int(row.first), int(row.last)
    article = Article(
        title=row.title,
        first=first,
        last=last,
        authors=agents_of_text(row.authors),
        label_pages=row.label_pages,
    )
    place = [int(word) for word in row.place.split() if word.removeprefix("-").isdecimal()]
    if len(place) != 4 or place[:2] != [first, last]:
        return article
    start, end = place[2:]
    lengths = {page.number: len(page.text) for page in pages}
    within = 0 <= start <= lengths.get(first, 0) and end <= lengths.get(last, 0)
    return dataclasses.replace(article, start=start, end=end if end >= 0 else None) if within else article


_Made = list[tuple[Record, tuple[Page, ...]]]


def _tagged(record: Record, pages: Sequence[Page], chosen: Sequence[Article]) -> _Made:
    """A record for each article, with its pages and subjects, under a number of nobody until it is saved."""
    made = []
    for part, own in articles.records_of(record, pages, chosen, lambda: f"{parts().config.centre}:0"):
        [suggestions] = parts().tagger.suggest([holdings.text_of(part, own)])
        proposed = holdings.subjects_proposed(suggestions)
        made.append((holdings.with_subjects(part, parts().thesaurus, proposed, catalogued=False), own))
    return made


def _save(made: _Made) -> None:
    store, sketches = parts().store, Sketches(parts().store.database)
    for part, own in made:
        named = dataclasses.replace(part, id=store.new_id(parts().config.centre))
        store.save(named, own)
        sketches.keep(named.id, duplicates.sketch_of(named, own))
