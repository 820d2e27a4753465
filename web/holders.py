"""Which centres hold a work, and what each of them has of it, as a reader may see it.

Hides works from the pages: a page asks for its record, or for its hits, and is told in words who holds it.
Our own centre comes first, then the others by name. What is lent elsewhere is not known here, so that of
another centre's shelf only the cote is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from zoneinfo import ZoneInfo

from kb.french import fold
from kb.mirrors import ENVELOPE
from kb.records import File, Record
from web import notices
from web.fund import Elsewhere, Fund
from web.typography import written_date, written_size


@dataclass(frozen=True, slots=True)
class CopyView:
    """A copy on a shelf."""

    call_number: str
    availability: str
    location: str | None


@dataclass(frozen=True, slots=True)
class Badge:
    """Who holds a hit, when it is not our centre alone, and where it stands on our shelves."""

    label: str
    call_number: str | None
    availability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A centre that holds a work. ``notice_url`` is its own notice here, when another one is shown;
    ``there_url`` the document at its owner's; ``came`` since when its notice is known; ``ask_url`` where the
    document is asked for."""

    code: str
    name: str
    ours: bool
    copies: tuple[CopyView, ...]
    files: tuple[str, ...]
    readable: bool
    read_url: str | None
    notice_url: str | None
    there_url: str | None
    came: str
    ask_url: str | None


_AT_OTHERS: Mapping[str, str] = MappingProxyType(
    {**notices.STATUSES, "available": "sur papier", "lent": "sur papier"}
)
"""What is said of copies of others: whether they are lent is not told between centres."""


def badges(fund: Fund, records: Sequence[Record]) -> dict[str, Badge]:
    """For the hits that other centres hold, who does; hits that are ours alone are left out. Those count who
    hold it for the same people, as the search counts them."""
    groups = fund.works.members([record.id for record in records])
    held = fund.store.get_many([id for group in groups.values() for id in group])
    found = {}
    for record in records:
        some = [held[id] for id in groups[record.id] if id in held and held[id].access == record.access]
        if len(some) > 1 or fund.store.elsewhere(record.id):
            found[record.id] = _badge(fund, _ordered(fund, some or [record]))
    return found


def _badge(fund: Fund, some: Sequence[Record]) -> Badge:
    names = [fund.labels.of("centre", record.centre) for record in some]
    label = " et ".join(names) if len(names) < 3 else f"{names[0]} et {len(names) - 1} autres centres"
    first = some[0]
    if fund.store.elsewhere(first.id) or not first.call_number:
        return Badge(label, None, "")
    return Badge(label, first.call_number, notices.availability(first))


def _ordered(fund: Fund, some: Sequence[Record]) -> list[Record]:
    """Ours first, then by the name of the centre."""
    names = {record.id: fold(fund.labels.of("centre", record.centre)) for record in some}
    return sorted(some, key=lambda r: (fund.store.elsewhere(r.id) is not None, names[r.id]))


def members(fund: Fund, record: Record) -> list[Record]:
    """The records of the work that who asks may see, ours first."""
    held = fund.store.get_many(fund.works.members([record.id])[record.id])
    return _ordered(fund, list(held.values()) or [record])


def holders(fund: Fund, record: Record) -> tuple[Holder, ...]:
    """The centres that hold the work of a record; () when our own is the only one."""
    some = members(fund, record)
    if len(some) == 1 and not fund.store.elsewhere(record.id):
        return ()
    return tuple(_holder(fund, one, shown=one.id == record.id) for one in some)


def owner(fund: Fund, record: Record) -> str:
    """The name of the other centre that a record belongs to; "" for our own."""
    return fund.labels.of("centre", record.centre) if fund.store.elsewhere(record.id) else ""


def own_of(fund: Fund, ids: Sequence[str]) -> tuple[list[str], int]:
    """Our own records of the works of these records, in order, and how many of these we have none of."""
    groups = fund.works.members(ids)
    held = fund.store.get_many([id for group in groups.values() for id in group])
    ours = {id for id in held if fund.store.elsewhere(id) is None}
    found = {id: [one for one in (id, *groups[id]) if one in ours] for id in ids}
    own = dict.fromkeys(some[0] for some in found.values() if some)
    return list(own), sum(id in held and not some for id, some in found.items())


def _holder(fund: Fund, record: Record, *, shown: bool) -> Holder:
    elsewhere = fund.store.elsewhere(record.id)
    readable = fund.store.last_page(record.id) > 0
    return Holder(
        code=record.centre,
        name=fund.labels.of("centre", record.centre),
        ours=elsewhere is None,
        copies=tuple(copies(record, ours=elsewhere is None)),
        files=tuple(map(_file, elsewhere.files if elsewhere else record.files)),
        readable=readable,
        read_url=notices.page_url(record.id, 1) if readable and not shown else None,
        notice_url=None if shown else notices.record_url(record.id),
        there_url=elsewhere.origin.url or None if elsewhere else None,
        came=_came(record, elsewhere, fund.config.time_zone) if elsewhere else "",
        ask_url=_ask_url(fund, record) if elsewhere else None,
    )


def _ask_url(fund: Fund, record: Record) -> str | None:
    return f"{notices.record_url(record.id)}/demander" if fund.contact(record.centre) else None


def _came(record: Record, elsewhere: Elsewhere, zone: str) -> str:
    if record.updated is None:
        return ""
    day = written_date(record.updated.astimezone(ZoneInfo(zone)).date().isoformat())
    how = "reçue par fichier" if elsewhere.origin.source == ENVELOPE else "moissonnée"
    return f"{how} le {day}"


def _file(file: File) -> str:
    return f"{file.name.rpartition('.')[2].upper()[:5]}, {written_size(file.size)}"


def copies(record: Record, *, ours: bool = True) -> Iterator[CopyView]:
    """The copies on the shelves of a centre, those that are alike as one line."""
    said = notices.STATUSES if ours else _AT_OTHERS
    alike = Counter((c.call_number or record.call_number, c.status, c.location) for c in record.copies)
    for (cote, status, location), number in alike.items():
        told = said.get(status, status)
        yield CopyView(cote or "sans cote", f"{number} exemplaires, {told}" if number > 1 else told, location)
    if record.call_number and not record.copies:
        yield CopyView(record.call_number, "au centre" if ours else said["available"], None)
