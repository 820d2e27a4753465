"""What a librarian is told of a record that still asks for work, and where the picture of a part's page is.

Hides where each of these is kept from the pages that show a line of it (``_tend.html``, ``_host-page.html``).
"""

from __future__ import annotations

from dataclasses import dataclass

from kb.accounts import Right
from kb.errors import NotFound
from kb.records import Record
from web import notices
from web.fund import Shelves
from web.guard import fund, identity
from web.notices import Link
from web.rendering import parts

_CUT = ("cahier", "periodique", "numero", "actes")
"""Types of what holds articles."""


@dataclass(frozen=True, slots=True)
class HostPage:
    """The page of the whole that is a page of a part."""

    record: Record
    number: int

    @property
    def url(self) -> str:
        """Its address."""
        return notices.page_url(self.record.id, self.number)

    @property
    def label(self) -> str:
        """Its words."""
        return f"page {self.number} de « {self.record.title} »"


def host_page(store: Shelves, record: Record, number: int) -> HostPage | None:
    """The same page in the document that a part was cut from, which has the pictures: the one of its label
    whose text has the part's, or is in it. None for what is no part, or cannot be found."""
    if record.host is None or record.files:
        return None
    host = store.get_many([record.host]).get(record.host)
    if host is None or notices.pictured(host) is None:
        return None
    try:
        page = store.page(record.id, number)
    except NotFound:
        return None
    for theirs in store.pages(host.id):
        same_text = page.text in theirs.text or not page.text
        if (theirs.label or str(theirs.number)) == page.label and same_text:
            return HostPage(host, theirs.number)
    return None


def tending(id: str) -> tuple[Link, ...]:
    """What is to be done with a record, as links; () for who does not catalogue."""
    if not identity().may(Right.CATALOGUE):
        return ()
    record = fund().store.get(id)
    doubts = parts().doubts.about([id])
    found = []
    if doubts:
        label = "Doublon possible" if len(doubts) == 1 else f"Doublons possibles ({len(doubts)})"
        found.append(Link(label, f"/doublons/{doubts[0].id}"))
    if record.type in _CUT and fund().store.last_page(id):
        found.append(Link("Découper en articles", f"{notices.record_url(id)}/decouper"))
    if not doubts:
        found.append(Link("Comparer à une autre notice", f"/doublons?une={id.partition(':')[2]}"))
    return tuple(found)


def picture_of(id: str, number: int) -> HostPage | None:
    """For a page without picture: the page of the whole that has it, as who asks may read it."""
    record = fund().store.get(id)
    if fund().store.on_the_spot(id):
        return None
    return host_page(fund().store, record, number)
