"""Taking the records of a source away with it, some at a time.

Hides how they are told from those that came another way, and that there may be more than one request can take
away. At any moment all is in order: what is gone is gone from the index too, what is left can still be found,
and the source, which is suspended meanwhile, goes last.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from kb.errors import Conflict
from kb.sources import Source
from web.parts import Parts

AT_ONCE = 100
"""Records in one transaction, some 0.2 s: others who write wait meanwhile."""

_SECONDS = 8.0  # of one request, after which a person is told how far it is
_READ = 500


def count_held(parts: Parts, source: Source) -> int:
    """How many records came from a source and are here."""
    return sum(len(ids) for ids in _held(parts, source))


def take_away(parts: Parts, source: Source, seconds: float = _SECONDS) -> tuple[int, bool]:
    """Take records of a source away for so long, some at least, then the source itself if none is left: how
    many went, and whether it is done. Raises Conflict while it is harvested."""
    if not source.paused:
        parts.sources.pause(source.id, True)
    if parts.sources.get(source.id).running:
        raise Conflict
    end, gone, turns = time.monotonic() + seconds, 0, 0
    for ids in _held(parts, source):
        for start in range(0, len(ids), AT_ONCE):
            if turns and time.monotonic() >= end:
                return gone, False
            turns += 1
            gone += parts.mirrors.forget(ids[start : start + AT_ONCE])
    parts.sources.remove(source.id)
    return gone, True


def _held(parts: Parts, source: Source) -> Iterator[list[str]]:
    after = ""
    while ids := parts.mirrors.of(source.centre, after, _READ):
        after = ids[-1]
        origins = parts.mirrors.origins(ids)
        yield [id for id in ids if id in origins and origins[id].source == source.id]
