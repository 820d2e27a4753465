"""What a person looks for, as the URL says it: the whole state of a results page.

Hides the names of the URL's parameters. Every link of a results page is this state with one thing
changed, so that each state has an address and the back button always works.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from search.engine import SHOWN
from search.query import Sort

PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "theme": "theme",
        "territory": "territoire",
        "type": "type",
        "scheme": "dispositif",
        "activity": "activite",
        "issue": "enjeu",
        "support": "support",
        "series": "collection",
        "language": "langue",
        "year": "annee",
        "centre": "centre",
    }
)
"""Facet of the engines -> its parameter in the URL."""

SORTS: Mapping[str, Sort] = MappingProxyType(
    {"pertinence": Sort.RELEVANCE, "recent": Sort.NEWEST, "ancien": Sort.OLDEST, "titre": Sort.TITLE}
)
"""Value of ``tri`` in the URL -> order of the hits."""

SIZES = (10, 20, 50)
LONGEST_TEXT = 500  # characters of a search; the rest is cut: a pasted page is not a search
_LAST_PAGE = 500
_MOST_VALUES = 30  # values of one facet in one URL


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchState:
    """Text, chosen facet values, order and place in the list; as a value that makes URLs."""

    q: str = ""
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sort: str = "pertinence"
    page: int = 1
    size: int = 20

    @classmethod
    def from_args(cls, args: MultiDict[str, str], *, size: int = 20) -> SearchState:
        """The state that a query string says; whatever makes no sense there is left out."""
        filters = tuple((facet, values) for facet in SHOWN if (values := _values(args, facet)))
        sort = args.get("tri", "")
        return cls(
            q=" ".join(args.get("q", "")[:LONGEST_TEXT].split()),
            filters=filters,
            sort=sort if sort in SORTS else "pertinence",
            page=min(_number(args.get("page", ""), 1), _LAST_PAGE),
            size=asked if (asked := _number(args.get("par", ""), size)) in SIZES else size,
        )

    @property
    def offset(self) -> int:
        """Number of hits before this page."""
        return (self.page - 1) * self.size

    def chosen(self, facet: str) -> tuple[str, ...]:
        """Codes chosen in a facet."""
        return dict(self.filters).get(facet, ())

    def toggled(self, facet: str, code: str) -> SearchState:
        """With one value more, or less if it is chosen; back on the first page."""
        chosen = self.chosen(facet)
        changed = tuple(c for c in chosen if c != code) if code in chosen else (*chosen, code)
        return self.with_facet(facet, changed)

    def with_facet(self, facet: str, codes: tuple[str, ...]) -> SearchState:
        """With these values of a facet instead of the present ones; back on the first page."""
        filters = dict(self.filters) | {facet: codes}
        kept = tuple((name, filters[name]) for name in SHOWN if filters.get(name))
        return dataclasses.replace(self, filters=kept, page=1)

    def without_filters(self) -> SearchState:
        """The text alone, on the first page."""
        return dataclasses.replace(self, filters=(), page=1)

    def changed(self, **fields: object) -> SearchState:
        """With other fields; back on the first page unless ``page`` is given."""
        return dataclasses.replace(self, **({"page": 1} | fields))  # type: ignore[arg-type]

    def pairs(self) -> list[tuple[str, str]]:
        """The state as parameters, what is usual left out, always in the same order."""
        found = [("q", self.q)] if self.q else []
        found += [(PARAMETERS[facet], code) for facet, codes in self.filters for code in codes]
        if self.sort != "pertinence":
            found.append(("tri", self.sort))
        if self.size != 20:
            found.append(("par", str(self.size)))
        if self.page > 1:
            found.append(("page", str(self.page)))
        return found

    def query_string(self, *more: tuple[str, str]) -> str:
        """The state as a query string with its question mark; "" when there is nothing to say."""
        pairs = [*self.pairs(), *more]
        return "?" + urlencode(pairs) if pairs else ""

    def url(self) -> str:
        """Address of this state's results page."""
        return "/recherche" + self.query_string()


def _values(args: MultiDict[str, str], facet: str) -> tuple[str, ...]:
    given = (value.strip()[:200] for value in args.getlist(PARAMETERS[facet])[:_MOST_VALUES])
    values = tuple(dict.fromkeys(value for value in given if value))
    if facet == "year":
        first, last = (_year(args.get(name, "")) for name in ("de", "a"))
        if first or last:
            low, high = sorted((first or 1000, last or 9999))
            values = (f"{low:04d}-{high:04d}",)
        values = tuple(v for v in values if re.fullmatch(r"\d{4}(-\d{4})?", v))
    return values


def _year(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[1-9]\d{3}", text.strip()) else None


def _number(text: str, default: int) -> int:
    return int(text) if re.fullmatch(r"[1-9]\d{0,5}", text) else default
