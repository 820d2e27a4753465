"""The embedded engine: one folder, one machine, any number of readers and one writer at a time.

Hides files, segments, merging and locks from everybody: callers see ``search.engine.Engine``. How it came to
be so, and what is Whoosh's in it, is told in ``kb/decisions/0003-engine.md``.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kb.errors import IndexOutdated
from search import whoosh_files as files
from search.engine import Entry, Results
from search.query import Request
from search.whoosh_build import Builder, merged
from search.whoosh_codec import whoosh_reader
from search.whoosh_files import Manifest, SegmentNote
from search.whoosh_lexicon import squeezed
from search.whoosh_query import Cache, Snapshot
from search.whoosh_ranking import answer
from search.whoosh_segment import Segment

CACHE_BYTES = 160 << 20
"""Memory for what was worked out of postings: holds all that 200 mixed queries touch at 100,000 pages, and
leaves a reader below 350 MB."""

SEGMENT_WORDS = 12_000_000
"""Words taken in before a segment is written: some 35,000 pages, 0.8 GB at the peak while they are sorted."""

TIER = 8
"""Segments of like size that are merged into one: each record is rewritten log8(n) times in its life."""

MERGED_UNITS = 32_768
"""Segments that would be larger together are not merged: bounds a commit to about a second."""

_OPENINGS = (
    10  # a writer may remove files between our reading of the manifest and of them; it then has a new one
)


class WhooshEngine:
    """The index in ``folder``, made if it does not exist. One object serves all threads of a process."""

    def __init__(self, folder: Path, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._folder = folder
        self._cache = Cache(cache_bytes)
        self._opening = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._snapshot = Snapshot((), 0, self._cache)
        self._manifest = Manifest()

    # -- reading

    def search(self, request: Request) -> Results:
        """Hits, exact total and facet counts, of the last commit. Raises IndexOutdated."""
        return answer(self._current(), request)

    def forms(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Forms that begin with ``prefix`` once both are folded, commonest first."""
        snapshot, start = self._current(), squeezed(prefix)
        found = {
            (form, term)
            for segment in snapshot.segments
            for form, term in _written(segment, segment.lexicon.beginning(start).tolist())
        }
        return _commonest(snapshot, [(0, form, term) for form, term in found], limit)

    def near(self, word: str, limit: int) -> list[tuple[str, int]]:
        """Forms at one letter from ``word`` (two if it has 8 or more), nearest first, then commonest."""
        snapshot, plain = self._current(), squeezed(word)
        reach = 2 if len(plain) >= 8 else 1
        found = set()
        for segment in snapshot.segments:
            near = [item for item in segment.lexicon.measured(plain, reach) if item[1]]
            forms = _written(segment, [number for number, _ in near])
            found |= {(d, form, term) for (_, d), (form, term) in zip(near, forms, strict=True)}
        return _commonest(snapshot, list(found), limit)

    def spellings(self, terms: Iterable[str]) -> list[str]:
        """All forms of the fund that stand for one of ``terms``."""
        wanted = list(terms)
        found: set[str] = set()
        for segment in self._current().segments:
            numbers = [segment.term_number(term) for term in wanted]
            found.update(segment.lexicon.of_terms([number for number in numbers if number >= 0]))
        return sorted(found)

    def held(self, terms: Iterable[str]) -> dict[str, int]:
        """Number of units that hold each term; of all under ""."""
        snapshot = self._current()
        return {"": snapshot.units} | {term: snapshot.held(term) for term in terms if term}

    def position(self) -> int:
        """The place in the change feed that the index has reached; 0 when empty."""
        self._current()
        return self._manifest.position

    def ids(self) -> Iterable[str]:
        """Ids of all entries."""
        for segment in self._current().segments:
            ids = segment.ids.texts()
            yield from (
                ids if segment.live is None else (ids[i] for i in np.flatnonzero(segment.live).tolist())
            )

    def __len__(self) -> int:
        self._current()
        return sum(note.records - note.deleted for note in self._manifest.segments)

    def damaged(self) -> list[str]:
        """Names of the files whose bytes are not those that were written. Reads them all, while writers wait.
        Raises IndexOutdated."""
        with files.write_lock(self._folder):
            return files.damaged(self._folder, _manifest(self._folder))

    def whoosh_readers(self) -> list[Any]:
        """The segments as Whoosh readers: what Whoosh's own queries and tools need."""
        return [whoosh_reader(segment) for segment in self._current().segments]

    def drop_cache(self) -> None:
        """Forget what was worked out of postings, as after opening."""
        self._current().forget()

    def close(self) -> None:
        """Let go of the files; the next question opens them again."""
        with self._opening:
            self._stamp, self._manifest = None, Manifest()
            self._snapshot = Snapshot((), 0, self._cache)
            self._cache.clear()

    def _current(self) -> Snapshot:
        """The index as last committed, by whatever process: one ``stat`` when nothing has changed."""
        stamp = files.stamp(self._folder)
        if stamp == self._stamp:
            return self._snapshot
        with self._opening:
            if files.stamp(self._folder) != self._stamp:
                self._reopen()
            return self._snapshot

    def _reopen(self) -> None:
        known = {segment.note: segment for segment in self._snapshot.segments}
        for attempt in range(_OPENINGS):
            stamp = files.stamp(self._folder)
            try:
                manifest = files.read_manifest(self._folder)
                segments = [known.get(note) or Segment(self._folder, note) for note in manifest.segments]
            except FileNotFoundError as error:
                if files.stamp(self._folder) == stamp or attempt == _OPENINGS - 1:
                    raise IndexOutdated(f"a file is missing: {error.filename}") from error
                continue
            self._snapshot = Snapshot(segments, manifest.generation, self._cache)
            self._manifest, self._stamp = manifest, stamp
            return

    # -- writing

    @contextmanager
    def writer(self, *, fresh: bool = False) -> Iterator[WhooshWriter]:
        """Changes that become visible together at a clean exit, and are then on the disk. Waits for other
        writers of the folder. ``fresh`` never opens the present index, which serves until the swap."""
        with files.write_lock(self._folder):
            base = Manifest() if fresh else _manifest(self._folder)
            if not fresh:
                files.remove_orphans(self._folder, base)
            writer = WhooshWriter(self._folder, base)
            yield writer
            manifest = writer.finish(self._generation(fresh, base))
            files.write_manifest(self._folder, manifest)
            files.remove_orphans(self._folder, manifest)

    def _generation(self, fresh: bool, base: Manifest) -> int:
        if not fresh:
            return base.generation + 1
        try:
            return _manifest(self._folder).generation + 1
        except IndexOutdated:
            return self._manifest.generation + 1


def _manifest(folder: Path) -> Manifest:
    """The manifest, when nobody may be removing files: a missing one is a fault."""
    try:
        return files.read_manifest(folder)
    except FileNotFoundError as error:
        raise IndexOutdated(f"a file is missing: {error.filename}") from error


def _written(segment: Segment, forms: Iterable[int]) -> list[tuple[str, str]]:
    """(form, term) of forms by number."""
    terms = segment.lexicon.form_terms
    return [(segment.lexicon.forms.text(form), segment.terms.text(int(terms[form]))) for form in forms]


def _commonest(snapshot: Snapshot, found: list[tuple[int, str, str]], limit: int) -> list[tuple[str, int]]:
    """(form, number of units of its term): nearest first, then commonest."""
    counts = {term: snapshot.held(term) for term in {term for _, _, term in found}}
    found.sort(key=lambda item: (item[0], -counts[item[2]], item[1]))
    return [(form, counts[term]) for _, form, term in found[:limit]]


class WhooshWriter:
    """The changes of one ``WhooshEngine.writer`` context."""

    def __init__(self, folder: Path, base: Manifest) -> None:
        self._folder = folder
        self._position = base.position
        self._segments = [_Draft(Segment(folder, note)) for note in base.segments]
        self._builder = Builder()
        self._waiting: dict[str, int] = {}
        self._replaced: list[int] = []

    def put(self, entry: Entry) -> None:
        """Add the entry, in place of the one with the same id if there is one."""
        self.delete(entry.id)
        self._waiting[entry.id] = self._builder.add(entry)
        if self._builder.words >= SEGMENT_WORDS:
            self._flush()

    def delete(self, id: str) -> None:
        """Remove the entry; unknown ids are no error."""
        if (record := self._waiting.pop(id, None)) is not None:
            self._replaced.append(record)
            return
        for draft in self._segments:
            if draft.delete(id):
                return

    def mark(self, position: int) -> None:
        """The place in the change feed that these changes reach."""
        self._position = position

    def finish(self, generation: int) -> Manifest:
        """Write what is left, merge what should be, and say which files make the index now."""
        self._flush()
        self._merge()
        notes = [draft.written(self._folder) for draft in self._segments if draft.alive]
        return Manifest(generation, self._position, tuple(notes))

    def _flush(self) -> None:
        if not len(self._builder):
            return
        draft = self._keep(self._builder.arrays())
        for record in self._replaced:
            draft.kill(record)
        self._builder, self._waiting, self._replaced = Builder(), {}, []

    def _keep(self, arrays: dict[str, files.Array]) -> _Draft:
        file = files.write_arrays(self._folder / files.new_name(".seg"), arrays)
        records = len(arrays["date"])
        note = SegmentNote(file, records, len(arrays["page"]) - records)
        draft = _Draft(Segment(self._folder, note))
        self._segments.append(draft)
        return draft

    def _merge(self) -> None:
        while chosen := _to_merge(self._segments):
            drafts = [draft for draft in self._segments if draft in chosen]
            self._segments = [draft for draft in self._segments if draft not in chosen]
            if any(draft.alive for draft in drafts):
                self._keep(merged([draft.segment for draft in drafts if draft.alive]))


class _Draft:
    """A segment with the deletions of this writer."""

    def __init__(self, segment: Segment) -> None:
        self._opened = segment
        self._dead: set[int] = set()

    @property
    def segment(self) -> Segment:
        """The segment without its dead records."""
        return self._opened.with_dead(self._dead) if self._dead else self._opened

    @property
    def alive(self) -> int:
        """Living records."""
        return self._opened.note.records - self._opened.note.deleted - len(self._dead)

    @property
    def living_units(self) -> int:
        """Units of living records."""
        return self.segment.living_units

    @property
    def units(self) -> int:
        """Units of all records, living or dead."""
        return self._opened.units

    def delete(self, id: str) -> bool:
        """Whether a living entry was here; it is dead now."""
        record = self._opened.find(id)
        live = self._opened.live
        if record < 0 or record in self._dead or (live is not None and not live[record]):
            return False
        self._dead.add(record)
        return True

    def kill(self, record: int) -> None:
        """Let a record be dead."""
        self._dead.add(record)

    def written(self, folder: Path) -> SegmentNote:
        """The note of the segment, its deletions on the disk."""
        note = self._opened.note
        if not self._dead:
            return note
        live = self.segment.live
        dead = np.zeros(note.records, dtype=bool) if live is None else ~live
        file = files.write_arrays(folder / files.new_name(".del"), {"dead": dead})
        return dataclasses.replace(note, deleted=int(np.count_nonzero(dead)), deletions=file)


def _to_merge(drafts: list[_Draft]) -> list[_Draft]:
    """Segments that are better one: a tier that is full, or one mostly dead. [] when all is well."""
    tiers: dict[int, list[_Draft]] = {}
    for draft in drafts:
        living = draft.living_units
        if living * 2 < draft.units:
            return [draft]
        tiers.setdefault(max(living, TIER).bit_length() // 3, []).append(draft)
    for tier in sorted(tiers):
        if len(tiers[tier]) >= TIER and sum(d.living_units for d in tiers[tier]) <= MERGED_UNITS:
            return tiers[tier]
    return []
