"""Around one record: its own pages that answer a search, and the records that speak of the same things.

Both ask the engine, so that a document of a thousand pages costs no more than a list of results.
"""

from __future__ import annotations

from kb.records import Record
from kb.thesaurus import Thesaurus
from search.engine import Engine
from search.query import And, Need, Or, Phrase, Query, Request, Words

_MOST_PAGES = 2000
_SURE_TAGS = 8


def pages_matching(query: Query, id: str, engine: Engine) -> tuple[int, ...]:
    """Numbers of the pages that the query is true of, best first; () if its own fields alone match."""
    this = Words(id, fields=("identifiers",))
    results = engine.search(Request(query=And((query, this)), limit=50, pages=_MOST_PAGES))
    return next((hit.pages for hit in results.hits if hit.id == id), ())


def alike(record: Record, *, engine: Engine, thesaurus: Thesaurus, limit: int) -> tuple[str, ...]:
    """Ids of the records nearest by tags and title, nearest first; its host is left out.

    A rare tag in common says more than a frequent one: that is what the engine's scores weigh.
    """
    subjects = sorted(record.live_subjects, key=lambda s: -s.score)[:_SURE_TAGS]
    labels = [thesaurus.get(s.concept).label for s in subjects if s.concept in thesaurus]
    parts: list[Query] = [Phrase(label, fields=("tags",)) for label in labels]
    parts.append(Words(record.title, fields=("title", "tags"), need=Need.MOST))
    results = engine.search(Request(query=Or(tuple(parts)), limit=limit + 1))
    return tuple(hit.id for hit in results.hits if hit.id not in (record.id, record.host))[:limit]
