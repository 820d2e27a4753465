"""From records to the index: what an engine sees of a record, and how it keeps up with the database.

Hides the change feed from engines and engines from the database. The index is a cache: ``sync`` brings it up
to the feed, ``rebuild`` makes it anew from the database alone, ``check`` says where they differ. Memory stays
flat: one record's pages at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, runtime_checkable

from kb.database import Store
from kb.errors import IndexOutdated
from kb.french import fold
from kb.records import Page, Record
from kb.thesaurus import FACET_SCHEMES, Concept, Thesaurus
from search.engine import ACCESS, Engine, Entry

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
        ACCESS: (record.access,),
    }


def sync(store: Store, engine: Engine, *, batch: int = BATCH) -> int:
    """Bring the index up to the change feed, in commits of ``batch`` changes; number of changes taken in.

    May run in several processes at once: they take turns. What is cut short goes on where the last commit
    ended. Raises IndexOutdated.
    """
    done = 0
    while engine.position() < store.position():
        with engine.writer() as writer:
            # The place is read again, now that nobody else writes.
            changes = store.changes(engine.position(), batch)
            living = store.get_many([change.id for change in changes if not change.deleted])
            for change in changes:
                if change.id in living:
                    writer.put(entry(living[change.id], store.pages(change.id), store.thesaurus()))
                else:
                    writer.delete(change.id)
            if changes:
                writer.mark(changes[-1].seq)
        done += len(changes)
    return done


def rebuild(store: Store, engine: Engine, progress: Callable[[int], object] | None = None) -> int:
    """Make the index anew from the database, beside the present one, which is never opened and serves until
    the swap; number of records. ``progress`` is told how many are done. What changes meanwhile is left to
    ``sync``."""
    done = 0
    with engine.writer(fresh=True) as writer:
        position = store.position()
        for ids in _batches(store.ids()):
            for record in store.get_many(ids).values():
                writer.put(entry(record, store.pages(record.id), store.thesaurus()))
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
    wanted, last = set(store.ids()), store.position()
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
