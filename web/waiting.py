"""The records that wait for a librarian, as a line to walk along: whole, of one deposit, or of one doubt.

Hides how far a doubt is looked for: it is told by the record and its first page, so that finding it takes
reading them; no request reads more than some hundreds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from kb.database import Store
from kb.records import Page, Record
from kb.reviews import Review, Reviews
from web.proposals import Doubt, doubts

SIZE = 20
_READ = 400
"""Records read at most to find those of a doubt: some 0.2 s."""
_STEP = 50  # of them at once
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that waits, and what is doubtful in it."""

    review: Review
    record: Record
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Records that wait, and where in the line to look on; None at its end."""

    waiting: tuple[Waiting, ...]
    then: int | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the line: that of a deposit (``batch``), that with a doubt; as its address says it."""

    batch: int | None = None
    doubt: str = ""

    def url(self, path: str = "", **more: object) -> str:
        """Address of the list, or of something under it, that keeps to this part."""
        said = {"depot": self.batch, "doute": self.doubt, **more}
        query = urlencode({name: value for name, value in said.items() if value})
        return f"/a-valider{path}" + (f"?{query}" if query else "")

    def record_url(self, id: str, step: str = "") -> str:
        """Address of the page of a record that waits."""
        return self.url(f"/{quote(id)}{step}")


class Line:
    """One part of the line, the oldest first."""

    def __init__(self, store: Store, reviews: Reviews, scope: Scope) -> None:
        self._store = store
        self._reviews = reviews
        self.scope = scope

    def __len__(self) -> int:
        """How many wait, with this doubt or without."""
        return self._reviews.count(self.scope.batch)

    def look(self, start: int, limit: int = SIZE) -> Found:
        """The next ``limit`` from place ``start`` (from 0) on; fewer when the doubt is rare."""
        found: list[Waiting] = []
        at = start
        for behind, one in self._walk(start, _READ if self.scope.doubt else limit):
            at = behind
            if one is not None and self._belongs(one):
                found.append(one)
            if len(found) == limit:
                break
        return Found(tuple(found), at if at < len(self) else None)

    def _walk(self, start: int, most: int) -> Iterator[tuple[int, Waiting | None]]:
        """At most so many, each with the place behind it; None for one that was deleted meanwhile."""
        step = min(most, _STEP)
        for place in range(start, start + most, step):
            some = self._reviews.waiting(step, place, self.scope.batch)
            held = self._store.get_many([review.record for review in some])
            for at, review in enumerate(some, start=place + 1):
                record = held.get(review.record)
                yield at, self.told(review, record) if record else None
            if len(some) < step:
                return

    def told(self, review: Review, record: Record) -> Waiting:
        """A record that waits with its doubts."""
        return Waiting(review, record, doubts(record, review.found, self._first_page(record)))

    def _first_page(self, record: Record) -> Page | None:
        return next(iter(self._store.some_pages(record.id, [1])), None)

    def _belongs(self, one: Waiting) -> bool:
        return not self.scope.doubt or any(doubt.code == self.scope.doubt for doubt in one.doubts)

    def place(self, review: Review) -> int:
        """How many wait before it."""
        places = range(len(self))
        return bisect_left(places, (review.since, review.record), key=self._key)

    def _key(self, place: int) -> tuple[datetime, str]:
        some = self._reviews.waiting(1, place, self.scope.batch)
        return (some[0].since, some[0].record) if some else (_LAST, "")

    def following(self, id: str) -> str | None:
        """The record to look at after this one: the next that waits, from the beginning again after the last;
        None when no other does."""
        review = self._reviews.get(id)
        start = self.place(review) if review else 0
        for place in dict.fromkeys((start, 0)):
            found = [one.record.id for one in self.look(place, 2).waiting if one.record.id != id]
            if found:
                return found[0]
        return None
