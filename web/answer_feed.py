"""The feed of the newest published answers (Atom, RFC 4287).

Hides XML. It says what everybody may read, whoever asks: feeds are fetched by machines that are nobody.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from flask import Blueprint, Response

from kb.accounts import VISITOR, Right
from kb.publishing import TYPE, Publication
from kb.records import Record
from web import markdown, notices
from web.fund import Fund
from web.guard import needs, site
from web.rendering import parts

views = Blueprint("answer_feed", __name__)

NEWEST = 20
_ATOM = "http://www.w3.org/2005/Atom"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@views.get("/questions.atom")
@needs(Right.VISIT)
def feed() -> Response:
    """The newest answers that everybody may read."""
    found = Fund(parts(), VISITOR.rights).store.latest(NEWEST, (TYPE,))
    public = [record for record in found if record.access == "public"]
    held = parts().publications.of_records([record.id for record in public])
    text = written(public, held, site(), parts().config.centre_name)
    return Response(text, mimetype="application/atom+xml")


def written(found: Iterable[Record], held: Mapping[str, Publication], root: str, centre: str) -> bytes:
    """The feed of these records; the id of an entry is the address of its record."""
    listed = list(found)
    ET.register_namespace("", _ATOM)
    top = ET.Element(f"{{{_ATOM}}}feed")
    _add(top, "title", f"{centre} : questions et réponses")
    _add(top, "id", f"{root}/questions")
    _add(top, "updated", _moment(max((r.updated or _NEVER for r in listed), default=_NEVER)))
    _add(top, "link", rel="self", type="application/atom+xml", href=f"{root}/questions.atom")
    _add(top, "link", rel="alternate", type="text/html", href=f"{root}/questions")
    _add(_add(top, "author"), "name", centre)
    for record in listed:
        _entry(top, record, held.get(record.id), root)
    text: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return text


def _entry(top: ET.Element, record: Record, held: Publication | None, root: str) -> None:
    entry, url = _add(top, "entry"), f"{root}{notices.record_url(record.id)}"
    _add(entry, "title", record.title)
    _add(entry, "id", url)
    _add(entry, "link", rel="alternate", type="text/html", href=url)
    _add(entry, "published", _moment(record.created or _NEVER))
    _add(entry, "updated", _moment(record.updated or record.created or _NEVER))
    if record.abstract:
        _add(entry, "summary", record.abstract)
    if held is not None and held.shown:
        _add(entry, "content", markdown.mail_html(held.shown, root), type="html")


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    child.text = _sayable(text) or None
    return child


def _sayable(text: str) -> str:
    """Text without what XML 1.0 cannot say."""
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
