"""The network as people see it: the other centres, what they share, when they were last heard.

Hides that only what the visitor may see is counted, and which figures are for those who tend the machine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, Response

from kb import records
from kb.accounts import Right
from kb.centres import Centre
from kb.runs import Ending
from search.query import Request
from web.guard import fund, identity, needs, site
from web.harvest_page import run_view
from web.heat import steps
from web.rendering import parts, shown

views = Blueprint("network", __name__)

_MOST_TYPES = 8  # columns of the grid; the rarest kinds of documents are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreView:
    """Another centre: ``count`` is of the documents that the visitor may find here."""

    code: str
    name: str
    about: str
    url: str
    count: int
    records_url: str
    heard: datetime | None


@dataclass(frozen=True, slots=True)
class Way:
    """An address at which other programs read us."""

    name: str
    url: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A centre whose last harvest did not reach its end."""

    name: str
    since: datetime
    told: str
    url: str


@dataclass(frozen=True, slots=True)
class Cell:
    """How many documents of one type; ``shade`` from 0 (none) to 5."""

    count: int
    shade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one centre gives, by the types of ``Tended.types``; ``total`` counts the rarer ones too."""

    name: str
    cells: tuple[Cell, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What those who tend the machine see besides."""

    troubles: tuple[Trouble, ...]
    types: tuple[str, ...]
    grid: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPage:
    """The network: ``total`` documents in all, of which ``own`` are ours."""

    centres: tuple[CentreView, ...]
    total: int
    own: int
    own_url: str
    ways: tuple[Way, ...]
    tended: Tended | None


@views.get("/reseau")
@views.get("/reseau.json")
@needs(Right.VISIT)
def network() -> Response:
    """The other centres, and how we are read."""
    found = fund().engine.search(Request(facets=("centre",), limit=0))
    counts = found.facets.get("centre", {})
    ours = parts().config.centre
    centres = _centres(counts)
    tended = _tended(counts, centres) if identity().may(Right.SEE_SYSTEM) else None
    page = NetworkPage(
        centres=centres,
        total=found.total,
        own=counts.get(ours, 0),
        own_url=_records_url(ours),
        ways=_ways(),
        tended=tended,
    )
    return shown("network.html", page, section="reseau")


def _records_url(code: str) -> str:
    return f"/recherche?{urlencode({'centre': code})}"


def _centres(counts: Mapping[str, int]) -> tuple[CentreView, ...]:
    """Those that gave something or are asked, those with most documents first; one that records speak of
    (a centre may speak for others) but nobody described goes by its code."""
    known = {centre.code: centre for centre in parts().centres.all()}
    asked = {source.centre for source in parts().sources.all()}
    heard, ours = parts().runs.heard(), parts().config.centre
    codes = sorted((asked | counts.keys()) - {ours}, key=lambda code: (-counts.get(code, 0), code))
    return tuple(
        _centre_view(known.get(code) or Centre(code=code, name=code), counts.get(code, 0), heard.get(code))
        for code in codes
    )


def _centre_view(centre: Centre, count: int, heard: datetime | None) -> CentreView:
    return CentreView(
        code=centre.code,
        name=centre.name,
        about=centre.about,
        url=centre.url,
        count=count,
        records_url=_records_url(centre.code),
        heard=heard,
    )


def _ways() -> tuple[Way, ...]:
    root = site()
    return (
        Way("OAI-PMH", f"{root}/oai", "pour moissonner nos notices, puis ce qui a changé"),
        Way("SRU", f"{root}/sru", "pour chercher chez nous depuis un logiciel de bibliothèque"),
        Way("Atom", f"{root}/recherche.atom", "pour suivre les nouveautés, ou une recherche"),
        Way("RSS", f"{root}/recherche.rss", "de même, pour les lecteurs qui ne connaissent que RSS"),
    )


# -- for those who tend the machine


def _tended(counts: Mapping[str, int], centres: tuple[CentreView, ...]) -> Tended:
    """Who could not be heard, and what kinds of documents each centre gives."""
    names = [(parts().config.centre, parts().config.centre_name), *((c.code, c.name) for c in centres)]
    held = [(code, name, _types_of(code)) for code, name in names if counts.get(code)]
    sums: Counter[str] = Counter()
    for _, _, line in held:
        sums.update(line)
    types = [code for code, _ in sums.most_common(_MOST_TYPES)]
    limits = steps(max((line.get(code, 0) for _, _, line in held for code in types), default=0))
    grid = tuple(_line(name, counts[code], types, line, limits) for code, name, line in held)
    said = tuple(records.TYPES.get(code, code) for code in types)
    return Tended(troubles=_troubles(dict(names)), types=said, grid=grid)


def _line(
    name: str, total: int, types: Sequence[str], found: Mapping[str, int], limits: Sequence[int]
) -> Line:
    many = [found.get(code, 0) for code in types]
    shades = [1 + bisect_left(limits, count) if count else 0 for count in many]
    return Line(name=name, cells=tuple(map(Cell, many, shades)), total=total)


def _types_of(code: str) -> Mapping[str, int]:
    request = Request(filters=(("centre", (code,)),), facets=("type",), limit=0)
    return fund().engine.search(request).facets.get("type", {})


def _troubles(names: Mapping[str, str]) -> tuple[Trouble, ...]:
    """Of each source, its last harvest if it failed."""
    found = []
    for source in parts().sources.all():
        last = next((run for run in parts().runs.all(source=source.id, limit=2) if run.ended), None)
        if last is not None and last.state is Ending.FAILED:
            name = names.get(source.centre, source.centre)
            told = run_view(last).trouble
            found.append(Trouble(name=name, since=last.began, told=told, url=f"/reseau/moissons/{source.id}"))
    return tuple(found)
