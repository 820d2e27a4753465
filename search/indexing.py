"""From records to the index: what an engine sees of a record, and how it keeps up with the database.

Hides the change feed from engines and engines from the database. The index is a cache: ``sync`` brings it up
to the feed, ``rebuild`` makes it anew from the database alone, ``check`` says where they differ. Memory stays
flat: one record's pages at a time.

Records of several centres that tell of one work (``kb.works``) are one entry, under the id of the record that
*leads*: that of which there is text, then our own, then the one that says most. Its entry is found by what
any of them says. Only records that the same people may see are gathered so; the others have no entry.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, runtime_checkable

from kb import records
from kb.database import Store
from kb.errors import IndexOutdated
from kb.french import fold, pieces
from kb.records import Page, Record
from kb.thesaurus import FACET_SCHEMES, Concept, Thesaurus
from kb.works import Standing, Works
from search.engine import ACCESS, FIELDS, Engine, Entry

BATCH = 200
"""Records a commit of ``sync`` and a reading of ``rebuild``: a commit costs some 20 ms whatever its size, so
that more would gain nothing, and a record of 300 pages keeps the commit below 0.2 s."""

_SHOWN = 5  # ids named in a fault: enough to look at, however many there are


def entry(record: Record, pages: Iterable[Page], thesaurus: Thesaurus) -> Entry:
    """What an engine sees of a record: texts by field, codes by facet (broader concepts and containing
    territories included; refused subjects and concepts unknown to the vocabulary left out)."""
    known = [s.concept for s in record.live_subjects if s.concept in thesaurus]
    return Entry(
        id=record.id,
        fields={name: text for name, text in _fields(record, map(thesaurus.get, known)).items() if text},
        pages=tuple((page.number, page.text) for page in pages),
        facets={name: codes for name, codes in _facets(record, known, thesaurus).items() if codes},
        date=record.date,
        title_key=fold(record.title),
    )


def _fields(record: Record, concepts: Iterable[Concept]) -> dict[str, str]:
    tags = [word for c in concepts for word in dict.fromkeys((c.label, *c.alt, *c.notations))]
    cotes = dict.fromkeys((record.call_number, *(copy.call_number for copy in record.copies)))
    return {
        "title": _lines(record.title, record.subtitle),
        "tags": _lines(*tags, *record.keywords),
        "agents": _lines(*(agent.name for agent in record.agents)),
        "abstract": _lines(record.abstract, *record.notes),
        "call_number": _lines(*cotes),
        "identifiers": _lines(record.id, *dict.fromkeys(record.identifiers.values())),
    }


def _lines(*texts: str | None) -> str:
    return "\n".join(text for text in texts if text)


def _facets(record: Record, uris: Sequence[str], thesaurus: Thesaurus) -> dict[str, tuple[str, ...]]:
    concepts = [thesaurus.get(uri) for uri in thesaurus.with_ancestors(uris) if uri in thesaurus]
    found = {
        facet: tuple(concept.code for concept in concepts if concept.scheme in schemes)
        for facet, schemes in FACET_SCHEMES.items()
    }
    return found | {
        "type": (record.type,),
        "support": tuple(sorted(record.support)),
        "series": (record.series,) if record.series else (),
        "language": (record.language,) if record.language else (),
        "year": (str(record.year),) if record.year else (),
        "centre": (record.centre,),
        ACCESS: (record.access,),
    }


_UNITED = (*FACET_SCHEMES, "support", "series", "centre")
"""Facets of which a work has all codes of its records; of the others, those of the first that has any."""


def gathered(led: Sequence[Record], pages: Iterable[Page], thesaurus: Thesaurus) -> Entry:
    """One entry for records that tell of one work; the first of them leads, and the pages are its own. A line
    that adds no word to those before it is left out, so that a work does not weigh more for being held by
    many."""
    first = entry(led[0], pages, thesaurus)
    if len(led) == 1:
        return first
    entries = [first, *(entry(record, (), thesaurus) for record in led[1:])]
    return dataclasses.replace(
        first,
        fields={
            name: _distinct([made.fields[name] for made in entries if name in made.fields], field.exact)
            for name, field in FIELDS.items()
            if any(name in made.fields for made in entries)
        },
        facets={
            name: _united(name, [made.facets[name] for made in entries if name in made.facets])
            for made in entries
            for name in made.facets
        },
        date=next((made.date for made in entries if made.date), None),
    )


def _distinct(texts: Iterable[str], exact: bool) -> str:
    """The lines of several texts, but those that say nothing new."""
    kept, said = [], set[str]()
    for number, text in enumerate(texts):
        for line in text.split("\n"):
            words = {fold(line)} if exact else set(pieces(line))
            if number == 0 or not words <= said:
                kept.append(line)
            said |= words
    return "\n".join(kept)


def _united(name: str, codes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for some in codes for code in some)) if name in _UNITED else codes[0]


def arranged(store: Store, ids: Sequence[str]) -> list[tuple[Record, ...]]:
    """The entries in which these records stand, each as its records, the one that leads first. Records that
    do not exist are left out."""
    works = Works(store)
    groups = dict.fromkeys(works.members(ids).values())
    held = store.get_many([id for group in groups for id in group])
    several = [id for group in groups if len(group) > 1 for id in group if id in held]
    standings = works.standings(several)
    found: list[tuple[Record, ...]] = []
    for group in groups:
        by_access: defaultdict[str, list[Record]] = defaultdict(list)
        for id in group:
            if id in held:
                by_access[held[id].access].append(held[id])
        found += (tuple(sorted(some, key=lambda r: _leads(r, standings))) for some in by_access.values())
    return found


def _leads(record: Record, standings: dict[str, Standing]) -> tuple[bool, bool, int, str]:
    """The smallest leads; whoever stands alone needs no standing."""
    standing = standings.get(record.id, Standing(text=False, ours=False))
    return not standing.text, not standing.ours, -len(records.to_json(record)), record.id


def sync(store: Store, engine: Engine, *, batch: int = BATCH) -> int:
    """Bring the index up to the change feed and to the works, in commits of ``batch`` changes; number of
    changes taken in.

    May run in several processes at once: they take turns. What is cut short goes on where the last commit
    ended. Raises IndexOutdated.
    """
    done, works = 0, Works(store)
    while engine.position() < works.position():
        with engine.writer() as writer:
            # The place is read again, now that nobody else writes.
            changes = works.changes(engine.position(), batch)
            gone = {id for _, id in changes}
            for led in arranged(store, list(dict.fromkeys(id for _, id in changes))):
                writer.put(gathered(led, store.pages(led[0].id), store.thesaurus()))
                gone |= {record.id for record in led[1:]}
                gone.discard(led[0].id)
            for id in sorted(gone):
                writer.delete(id)
            if changes:
                writer.mark(changes[-1][0])
        done += len(changes)
    return done


def rebuild(store: Store, engine: Engine, progress: Callable[[int], object] | None = None) -> int:
    """Make the index anew from the database, beside the present one, which is never opened and serves until
    the swap; number of entries. ``progress`` is told how many are done. What changes meanwhile is left to
    ``sync``."""
    done = 0
    with engine.writer(fresh=True) as writer:
        position = Works(store).position()
        for ids in _batches(store.ids()):
            here = set(ids)
            for led in arranged(store, ids):
                if led[0].id in here:  # else it is put with the batch of the one that leads
                    writer.put(gathered(led, store.pages(led[0].id), store.thesaurus()))
                    done += 1
            if progress is not None:
                progress(done)
        writer.mark(position)
    return done


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, BATCH)):
        yield batch


@runtime_checkable
class KeepsFiles(Protocol):
    """An engine whose files can be compared with their checksums."""

    def damaged(self) -> list[str]:
        """Names of the files that are not as they were written."""


def check(store: Store, engine: Engine) -> list[str]:
    """Where index and database differ, and which files are damaged, in French; [] when all is well."""
    try:
        held, position = set(engine.ids()), engine.position()
    except IndexOutdated as error:
        return [f"index illisible, à refaire : {error}"]
    wanted, last = set(store.ids()) - _followers(store), Works(store).position()
    faults = (
        [f"fichier abîmé : {name}" for name in engine.damaged()] if isinstance(engine, KeepsFiles) else []
    )
    if position != last:
        faults.append(f"l’index en est au changement {position}, la base au changement {last}")
    for what, ids in (("absentes de", wanted - held), ("en trop dans", held - wanted)):
        if ids:
            shown = ", ".join(sorted(ids)[:_SHOWN]) + ("…" if len(ids) > _SHOWN else "")
            faults.append(f"{len(ids)} notice(s) {what} l’index : {shown}")
    return faults


def _followers(store: Store) -> set[str]:
    """Ids of the records that stand in the entry of another one."""
    found, after, works = set[str](), "", Works(store)
    while ids := works.gathered(after):
        after = ids[-1]
        found |= {record.id for led in arranged(store, ids) for record in led[1:]}
    return found
