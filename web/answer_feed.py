"""The feed of the newest published answers.

It says what everybody may read, whoever asks: feeds are fetched by machines that are nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Blueprint, Response

from kb.accounts import VISITOR, Right
from kb.publishing import TYPE, Publication
from kb.records import Record
from web import markdown, notices, syndication
from web.fund import Fund
from web.guard import needs, site
from web.rendering import parts
from web.syndication import ATOM_TYPE, NEVER, Entry, Feed

views = Blueprint("answer_feed", __name__)

NEWEST = 20


@views.get("/questions.atom")
@needs(Right.VISIT)
def feed() -> Response:
    """The newest answers that everybody may read."""
    found = Fund(parts(), VISITOR.rights).store.latest(NEWEST, (TYPE,))
    public = [record for record in found if record.access == "public"]
    held = parts().publications.of_records([record.id for record in public])
    text = written(public, held, site(), parts().config.centre_name)
    return Response(text, mimetype=ATOM_TYPE)


def written(found: Iterable[Record], held: Mapping[str, Publication], root: str, centre: str) -> bytes:
    """The feed of these records; the id of an entry is the address of its record."""
    told = Feed(
        id=f"{root}/questions",
        here=f"{root}/questions.atom",
        page=f"{root}/questions",
        title=f"{centre} : questions et réponses",
        about="Les réponses publiées en dernier",
        author=centre,
        entries=tuple(_entry(record, held.get(record.id), root) for record in found),
    )
    return syndication.atom(told)


def _entry(record: Record, held: Publication | None, root: str) -> Entry:
    shown = held.shown if held is not None else None
    return Entry(
        url=f"{root}{notices.record_url(record.id)}",
        title=record.title,
        published=record.created or NEVER,
        updated=record.updated or record.created or NEVER,
        summary=record.abstract or "",
        html=markdown.mail_html(shown, root) if shown else "",
    )
