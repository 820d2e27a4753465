"""What the fund holds, set against what was asked of it: themes by years, answers that are missing, searches
in vain.

Hides how holdings are counted: one question to the search engine a theme, whose facets have every year;
nothing reads records. A search in vain is laid beside the theme whose words in the thesaurus are nearest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from markupsafe import Markup

from kb.misses import Miss
from kb.thesaurus import Concept, Thesaurus
from search import suggest
from search.query import Request
from web.figures import Cell, Chart, Figures
from web.fund import Fund
from web.heat import heat
from web.state import SearchState


@dataclass(frozen=True, slots=True)
class Columns:
    """How years of publication stand side by side: so many columns of so many years, and one for what is
    older."""

    count: int
    years: int
    broad: bool


OF_PAGE, OF_REPORT, OF_PHONE = Columns(17, 1, True), Columns(5, 5, False), Columns(4, 5, False)
"""As many as a page of 1280 px, a sheet of A4 and one of 360 px have room for (``web.heat``)."""

_RECENT = 5  # years in which a work still tells of the present
_THINNEST = 5
_NEAREST = 3  # concepts looked at for a theme
_UNDATED = "s. d."


@dataclass(frozen=True, slots=True)
class Held:
    """A theme and the records that the fund has of it, by year; ``total`` has those without a year too, and
    ``within`` is the filter that finds the fund among those of others."""

    code: str
    label: str
    total: int
    years: Mapping[int, int]
    within: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thin:
    """A theme of which the fund has little, or was asked in vain; ``recent`` records are from the year
    ``since`` on."""

    code: str
    label: str
    url: str
    documents: int
    recent: int
    since: int
    missing: int
    misses: tuple[Miss, ...]


def held(fund: Fund) -> tuple[Held, ...]:
    """The holdings of each of the broadest themes, as who asks may find them."""
    found, ours = [], fund.ours
    for theme in fund.thesaurus.top("themes"):
        filters = (("theme", (theme.code,)), *ours)
        request = Request(filters=filters, facets=("year",), limit=0)
        results = fund.engine.search(request)
        years = {int(year): n for year, n in results.facets["year"].items() if year.isdigit()}
        found.append(Held(theme.code, theme.label, results.total, years, ours))
    return tuple(found)


def grid(themes: Sequence[Held], missing: Mapping[tuple[str, int], int], year: int, by: Columns) -> Chart:
    """Themes by years of publication up to ``year``, with the questions whose answer is missing as marks in
    the year in which they came."""
    spans = _spans(year, by)
    rows = [[sum(n for y, n in one.years.items() if y in span) for _, span in spans] for one in themes]
    undated = [one.total - sum(row) for one, row in zip(themes, rows, strict=True)]
    names = [name for name, _ in spans]
    if any(undated):
        names.append(_UNDATED)
        rows = [[*row, max(0, more)] for row, more in zip(rows, undated, strict=True)]
    places = {one.code: n for n, one in enumerate(themes)}
    marks: defaultdict[tuple[int, int], int] = defaultdict(int)
    for (code, came), n in missing.items():
        if code in places:
            marks[places[code], next(c for c, (_, span) in enumerate(spans) if came in span)] += n
    urls = {
        (r, c): _url(one, span)
        for r, one in enumerate(themes)
        for c, (_, span) in enumerate(spans)
        if rows[r][c]
    }
    drawn = heat(
        [one.label for one in themes],
        names,
        rows,
        "Documents du fonds, par thème et par année de publication",
        ident="fonds" if by.broad else "fonds-5-ans",
        unit="document",
        urls=urls,
        marks=marks,
        mark="réponses manquantes aux questions de l’année",
        broad=by.broad,
        shared="Un document peut compter pour plusieurs thèmes",
    )
    return replace(drawn, narrow=Markup()) if by.broad else drawn  # a phone is shown that of fewer columns


def _spans(year: int, by: Columns) -> list[tuple[str, range]]:
    """The columns with their years; those of several years begin at round ones."""
    start = year - year % by.years - by.years * (by.count - 1)
    spans = [("avant", range(start))]
    for first in range(start, year + 1, by.years):
        last = min(first + by.years - 1, year)
        name = str(first) if first == last else f"{first}-{last % 100:02}"
        spans.append((name, range(first, first + by.years)))
    spans[-1] = (spans[-1][0], range(spans[-1][1].start, 10_000))  # what is dated ahead of its time
    return spans


def _url(theme: Held, span: range) -> str:
    years = f"{max(span.start, 1000)}-{span.stop - 1}"
    return _state(theme).with_facet("year", (years,)).url()


def _state(theme: Held) -> SearchState:
    return SearchState(filters=theme.within).with_facet("theme", (theme.code,))


def table(themes: Sequence[Held], missing: Mapping[tuple[str, int], int]) -> Figures:
    """All years of all themes, one row each, with the answers that are missing to the questions of the
    year; what has no year at the end of its theme."""
    rows = []
    for one in themes:
        years = sorted({*one.years, *(year for code, year in missing if code == one.code)})
        for year in years:
            counts = (one.years.get(year, 0), missing.get((one.code, year), 0))
            rows.append((Cell(one.code), Cell(one.label), Cell(str(year)), *map(_number, counts)))
        if undated := one.total - sum(one.years.values()):
            rows.append((Cell(one.code), Cell(one.label), Cell("sans date"), _number(undated), _number(0)))
    return Figures(
        ("Code", "Thème", "Année", "Documents publiés", "Réponses manquantes aux questions reçues"),
        tuple(rows),
    )


def _number(value: int) -> Cell:
    return Cell(str(value), value)


def thinnest(
    themes: Sequence[Held],
    missing: Mapping[tuple[str, int], int],
    misses: Sequence[Miss],
    thesaurus: Thesaurus,
    year: int,
) -> tuple[Thin, ...]:
    """The themes of which the fund has least, and those that it was asked for in vain; the least first."""
    beside: defaultdict[str, list[Miss]] = defaultdict(list)
    for miss in misses:
        if code := theme_of(miss.text, thesaurus):
            beside[code].append(miss)
    asked: defaultdict[str, int] = defaultdict(int)
    for (code, _), n in missing.items():
        asked[code] += n
    order = sorted(themes, key=lambda one: (one.total, one.code))
    since = year - _RECENT + 1
    return tuple(
        Thin(
            code=one.code,
            label=one.label,
            url=_state(one).url(),
            documents=one.total,
            recent=sum(n for y, n in one.years.items() if y >= since),
            since=since,
            missing=asked[one.code],
            misses=tuple(beside[one.code]),
        )
        for n, one in enumerate(order)
        if n < _THINNEST or asked[one.code] or beside[one.code]
    )


@lru_cache(maxsize=2_000)
def theme_of(text: str, thesaurus: Thesaurus) -> str | None:
    """The broadest theme to which these words are nearest: one of its own terms, or a term that names one as
    related; None when no term looks like them."""
    for concept in suggest.near_concepts(text, thesaurus, _NEAREST):
        if code := _top(concept, thesaurus):
            return code
    return None


def _top(concept: Concept, thesaurus: Thesaurus) -> str | None:
    tops = {one.uri: one.code for one in thesaurus.top("themes")}
    for uri in (concept.uri, *concept.related):
        for above in (uri, *thesaurus.ancestors(uri)):
            if above in tops:
                return tops[above]
    return None
