"""An engine of which only a part of the fund is seen: what the person who asks may find.

Hides the filter that does it, so that no caller can forget it: hits, totals, counts of facets, proposals and
kin of a record all come from the part.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace

from search.engine import ACCESS, Engine, Results, Writer
from search.query import Request, Words


class Restricted:
    """``engine`` through the records whose kind of access is one of ``codes``. Word forms and
    near words are those that the part has; spellings, which only mark words, and counts of units, which only
    weigh them, are those of the whole fund."""

    def __init__(self, engine: Engine, codes: tuple[str, ...]) -> None:
        self._engine = engine
        self._codes = codes

    def search(self, request: Request) -> Results:
        """As the engine, within the part."""
        filters = (*(f for f in request.filters if f[0] != ACCESS), (ACCESS, self._codes))
        facets = tuple(facet for facet in request.facets if facet != ACCESS)
        return self._engine.search(replace(request, filters=filters, facets=facets))

    def writer(self, *, fresh: bool = False) -> AbstractContextManager[Writer]:
        """Raises PermissionError: who sees a part changes nothing."""
        raise PermissionError("this engine is for reading")

    def forms(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Those of the engine that stand in the part, with the number of its records that they find."""
        found = ((form, self._total(form)) for form, _ in self._engine.forms(prefix, limit))
        return sorted(((form, total) for form, total in found if total), key=lambda pair: -pair[1])

    def _total(self, form: str) -> int:
        return self.search(Request(query=Words(form), limit=0)).total

    def near(self, word: str, limit: int) -> list[tuple[str, int]]:
        """Those of the engine that the part has."""
        found = self._engine.near(word, 4 * limit)
        return [(form, total) for form, _ in found if (total := self._total(form))][:limit]

    def spellings(self, terms: Iterable[str]) -> list[str]:
        """As the engine."""
        return self._engine.spellings(terms)

    def held(self, terms: Iterable[str]) -> dict[str, int]:
        """As the engine: counts that only weigh words, as they do in its scores."""
        return self._engine.held(terms)

    def position(self) -> int:
        """As the engine."""
        return self._engine.position()

    def ids(self) -> Iterable[str]:
        """Raises PermissionError: they are those of the whole fund."""
        raise PermissionError("this engine shows a part of the fund only")

    def __len__(self) -> int:
        return self.search(Request(limit=0)).total

    def close(self) -> None:
        """Nothing: the engine is not ours."""
