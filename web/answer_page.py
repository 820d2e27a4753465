"""The page of a published answer: the question, the answer, its sources, and the same for machines.

Hides which text is public while another one is prepared: title and question are those of the record, the
answer is ``Publication.shown``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from kb import bibliography, merging, quoting
from kb.errors import InvalidValue, NotFound
from kb.formats import Notice
from kb.publishing import NO_CONSENT, TYPE, Publication
from kb.records import Record
from web import markdown, metas, notices
from web.fund import Shelves
from web.notices import Link
from web.parts import Parts
from web.record_page import RecordPage
from web.typography import written_date

MOST_CITING = 20
"""Answers named on the page of a document that they cite."""

WITHDRAWN = "cette réponse a été retirée par le guichet, qui seul peut la publier de nouveau"
"""Why a former record is not brought back for everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source of an answer: its reference (HTML), the pages cited as links."""

    reference: Markup
    url: str
    pages: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPage(RecordPage):
    """The page of a record with its answer; ``answer`` is HTML. ``published`` and ``reviewed`` are days in
    words."""

    answer: Markup
    sources: tuple[SourceView, ...]
    published: str
    reviewed: str
    desk_url: str


def publication_of(parts: Parts, record: Record) -> Publication | None:
    """The publication behind a record of type question; None for others, as those that were imported."""
    if record.type != TYPE:
        return None
    try:
        return parts.publications.of_record(record.id)
    except NotFound:
        return None


def told(parts: Parts, shelves: Shelves, page: RecordPage, held: Publication) -> AnswerPage:
    """The page of a record with the answer that is public, its sources as far as its reader may see them."""
    body, site, zone = held.shown or "", parts.config.public_url, parts.calendar.zone
    reviewed = parts.publications.last_review(held.question)
    if reviewed is not None and held.published is not None and reviewed < held.published:
        reviewed = None
    days = (
        written_date(at.astimezone(zone).date().isoformat()) if at else ""
        for at in (held.published, reviewed)
    )
    published, seen = days
    return AnswerPage(
        **{field.name: getattr(page, field.name) for field in dataclasses.fields(page)},
        answer=markdown.rendered(body, heading=3, site=site),
        sources=tuple(_sources(shelves, body, site)),
        published=published,
        reviewed=seen,
        desk_url=f"/guichet/{parts.desk.get(held.question).reference}/publication",
    )


def _sources(shelves: Shelves, body: str, site: str) -> Iterator[SourceView]:
    """By author and title, as a bibliography stands; those that the reader may not see are left out."""
    cited = {source.record: source for source in quoting.sources(body, site) if source.record}
    held = shelves.get_many(list(cited))
    hosts = shelves.get_many([record.host for record in held.values() if record.host])
    told = {
        id: bibliography.reference(Notice(record, host=hosts.get(record.host or "")))
        for id, record in held.items()
    }
    order = [reference.text for reference in bibliography.bibliography(_notices(held, hosts))]
    for id, reference in sorted(told.items(), key=lambda item: order.index(item[1].text)):
        yield SourceView(
            reference=Markup(reference.html),  # nosec B704  # of kb.bibliography: escaped, <i> alone
            url=notices.record_url(id),
            pages=tuple(Link(f"p. {n}", notices.page_url(id, n)) for n in cited[id].pages),
        )


def _notices(held: Mapping[str, Record], hosts: Mapping[str, Record]) -> list[Notice]:
    return [Notice(record, host=hosts.get(record.host or "")) for record in held.values()]


def citing(parts: Parts, shelves: Shelves, record: str, page: int | None = None) -> tuple[Link, ...]:
    """The published answers that cite a record, or one of its pages, as far as who asks may see them, newest
    first."""
    found = shelves.get_many(parts.answers.citing(record, page)[:MOST_CITING])
    return tuple(Link(one.title, notices.record_url(one.id)) for one in found.values())


def check_access(parts: Parts, record: Record, access: str) -> None:
    """Raises InvalidValue when a published answer would be shown to more people than who asked agreed to, or
    one that was withdrawn would come back by its former record."""
    if access == "staff":
        return
    held = _behind(parts, record)
    if held is None:
        return
    shown = held.record
    if shown != record.id and (shown is None or merging.redirected(parts.store.database, shown) != record.id):
        raise InvalidValue("access", WITHDRAWN)
    if not parts.desk.get(held.question).consent:
        raise InvalidValue("access", NO_CONSENT)


def _behind(parts: Parts, record: Record) -> Publication | None:
    """The publication that a record shows, showed once or took in, whatever its type is now."""
    try:
        return parts.publications.of_record(record.id)
    except NotFound:
        reference = record.identifiers.get("question", "")
    try:
        return parts.publications.get(parts.desk.by_reference(reference).id)
    except NotFound:
        return None


def json_ld(page: AnswerPage, site: str, centre: str, body: str) -> Markup:
    """The page as schema.org QAPage says it, to stand in a script element: no "<" can end it."""
    url = f"{site}{notices.record_url(page.id)}"
    author = {"@type": "Organization", "name": centre}
    answer: dict[str, Any] = {
        "@type": "Answer",
        "text": markdown.plain(body, site).strip(),
        "datePublished": page.date,
        "url": url,
        "author": author,
        "citation": [f"{site}{source.url}" for source in page.sources],
    }
    question = {
        "@type": "Question",
        "name": page.title,
        "text": page.abstract or page.title,
        "answerCount": 1,
        "datePublished": page.date,
        "author": author,
        "acceptedAnswer": answer,
    }
    said = {
        "@context": "https://schema.org",
        "@type": "QAPage",
        "url": url,
        "inLanguage": page.language_code,
        "mainEntity": question,
    }
    return metas.as_script(said)
