"""From what was read to the fund: recognise, tag, save, and note what a librarian has to look at.

Hides what is saved together. Tagging takes long, so that it happens before a transaction begins; what was
decided then is thought over again inside when somebody else has changed the record meanwhile.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingest import duplicates, holdings
from ingest.arrivals import Reading
from ingest.drafts import Draft
from ingest.outcomes import Outcome, Status, refused
from ingest.tagging import Suggestion, Text
from kb.database import Store
from kb.doubts import Doubts
from kb.errors import InvalidRecord, Reason, UnreadableDocument
from kb.records import File, Page, Record
from kb.reviews import Reviews
from kb.sketches import Sketches

GROUP_SECONDS = 0.5
"""Longest time that a read document waits for others to be saved with: it must be found within the second."""

_ROWS = 500  # works of a catalogue saved in one transaction: about a second, so that other writers get in

Alike = tuple[str, duplicates.Likeness]
"""A record that may be the same work, and why."""

Seal = Callable[[Outcome], None]
"""Told the outcome of a file in the transaction that saves it; may raise, and then nothing stays."""


class Suggests(Protocol):
    """What proposes subjects: an ``ingest.tagging.Tagger``."""

    def suggest(self, texts: Iterable[Text]) -> list[list[Suggestion]]:
        """For each document, its concepts."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What will be saved of one document: ``base`` is the record that it goes into, if there is one,
    ``paper`` whether that is the notice of the same work on paper; ``alike`` the records that may be the same
    work, as the fund stood at ``position`` of its feed."""

    reading: Reading
    base: Record | None
    paper: bool
    suggestions: tuple[Suggestion, ...]
    alike: tuple[Alike, ...]
    hashes: duplicates.Hashes
    position: int


class Desk:
    """Where readings wait to be tagged and saved together."""

    def __init__(
        self,
        store: Store,
        tagger: Suggests,
        centre: str,
        after_commit: Callable[[], object] | None = None,
        group_seconds: float | None = None,
    ) -> None:
        self.store = store
        self._reviews = Reviews(store.database)
        self._sketches = Sketches(store.database)
        self._doubts = Doubts(store.database, store.trail)
        self._tagger = tagger
        self._centre = centre
        self._after_commit = after_commit
        self._group_seconds = GROUP_SECONDS if group_seconds is None else group_seconds
        self._held: list[tuple[Reading, _Plan | None]] = []
        self._since = 0.0

    def take(self, reading: Reading) -> None:
        """Tag a document now, while the next ones are read."""
        if not self._held:
            self._since = time.monotonic()
        tagged = reading.drafts and not reading.is_catalogue
        self._held.append((reading, self._plan(reading) if tagged else None))

    def patience(self) -> float | None:
        """Seconds that what is held may still wait; None when nothing is."""
        return max(0.0, self._since + self._group_seconds - time.monotonic()) if self._held else None

    def flush(self, seal: Seal | None = None) -> list[Outcome]:
        """Save all that is held; the outcomes, in order, once they are on disk."""
        held, self._held = self._held, []
        outcomes: list[Outcome] = []
        together: list[tuple[Reading, _Plan | None]] = []
        for reading, plan in held:
            if reading.is_catalogue:
                outcomes += [*self._save_documents(together, seal), self._save_catalogue(reading, seal)]
                together = []
            else:
                together.append((reading, plan))
        outcomes += self._save_documents(together, seal)
        saved = (Status.PUBLISHED, Status.UPDATED)
        if self._after_commit is not None and any(outcome.status in saved for outcome in outcomes):
            self._after_commit()
        return outcomes

    def _suggest(self, told: Draft | Record, pages: Iterable[Page]) -> tuple[Suggestion, ...]:
        # One document a call: a batch would make its tags hang on which others came with it.
        return tuple(self._tagger.suggest([holdings.text_of(told, pages)])[0])

    # -- documents

    def _plan(self, reading: Reading) -> _Plan:
        """What to do with a document, as the fund stands now."""
        draft = reading.drafts[0]
        held = self._held_from(reading.found.source)
        paper = holdings.paper_work(draft, self.store, self._centre) if held is None else None
        base = held or paper
        told: Draft | Record = draft
        if paper is not None:
            told = holdings.completed(paper, draft)
        elif held is not None:
            told = holdings.record_of(draft, held, id=held.id, source=reading.found.source)
        position, hashes = self.store.position(), duplicates.sequences(draft.pages)
        itself = base.id if base is not None else None
        alike = duplicates.find(told, draft.pages, self.store, itself=itself, hashes=hashes)
        return _Plan(
            reading=reading,
            base=base,
            paper=paper is not None,
            suggestions=self._suggest(told, draft.pages),
            alike=tuple(alike),
            hashes=hashes,
            position=position,
        )

    def _held_from(self, source: str) -> Record | None:
        """The document that came from this path before."""
        held = self.store.get_many(list(self.store.find("source", source)))
        return next((record for record in held.values() if record.files), None)

    def _save_documents(
        self, held: Sequence[tuple[Reading, _Plan | None]], seal: Seal | None
    ) -> list[Outcome]:
        if seal is None and all(plan is None for _, plan in held):
            return [_without_drafts(reading) for reading, _ in held]
        outcomes = []
        with self.store.transaction():
            for reading, plan in held:
                outcome = _without_drafts(reading) if plan is None else self._save_document(plan)
                if seal is not None:
                    seal(outcome)
                outcomes.append(outcome)
        return outcomes

    def _save_document(self, plan: _Plan) -> Outcome:
        reading = plan.reading
        # Another file of this run, or another worker, may have brought the same bytes.
        if known := self.store.find("sha256", reading.sha256):
            return Outcome(path=reading.path, status=Status.UNCHANGED, ids=known)
        if not self._holds(plan):
            plan = self._plan(reading)
        draft = reading.drafts[0]
        try:
            record = self._record(plan)
            self.store.save(record, draft.pages)
        except InvalidRecord as error:
            return refused(reading.path, UnreadableDocument(Reason.DAMAGED, str(error)))
        self._reviews.open(record.id, draft.found, reading.found.batch)
        doubts = self._doubt(record, draft.pages, plan)
        told = f"fichier rattaché à la notice de l’ouvrage papier {_named(record)}"
        return Outcome(
            path=reading.path,
            status=Status.PUBLISHED if plan.base is None else Status.UPDATED,
            ids=(record.id,),
            warnings=(*draft.warnings, told) if plan.paper else draft.warnings,
            pages=len(draft.pages),
            doubts=doubts,
        )

    def _doubt(self, record: Record, pages: Sequence[Page], plan: _Plan) -> int:
        """Ask a librarian about the records that may be the same work; how many they are. What came in since
        the plan was made is looked at now."""
        newer = {change.id for change in self.store.changes(plan.position)} - {record.id}
        alike = [*plan.alike]
        if newer:
            alike += duplicates.find(
                record, pages, self.store, itself=record.id, among=newer, hashes=plan.hashes
            )
        self._sketches.keep(record.id, duplicates.sketch_of(record, pages, plan.hashes))
        asked = {id: likeness for id, likeness in alike if self.store.get_many([id])}
        for id, likeness in asked.items():
            self._doubts.add(likeness.kind, record.id, id, likeness.score)
        return len(asked)

    def _holds(self, plan: _Plan) -> bool:
        """Whether the fund still is as it was when the plan was made."""
        source = plan.reading.found.source
        if plan.base is None:
            draft = plan.reading.drafts[0]
            return not self.store.find("source", source) and (
                holdings.paper_work(draft, self.store, self._centre) is None
            )
        return self.store.get_many([plan.base.id]).get(plan.base.id) == plan.base

    def _record(self, plan: _Plan) -> Record:
        """The record as it will be saved; that of a paper work keeps what the catalogue says."""
        reading, draft, base = plan.reading, plan.reading.drafts[0], plan.base
        file = _file(reading)
        if base is not None and plan.paper:
            record = holdings.with_file(holdings.completed(base, draft), file)
        else:
            id = self.store.new_id(self._centre) if base is None else base.id
            record = holdings.record_of(draft, base, id=id, source=reading.found.source)
            files = base.files if base is not None else ()
            replaced = next((held.sha256 for held in files if held.name == file.name), None)
            record = holdings.with_file(record, file, replaced)
        return self._with_subjects(record, plan.suggestions)

    def repage(self, id: str, before: Sequence[Page], pages: Sequence[Page], seal: Seal) -> Outcome:
        """Give a record another text in the place of that ``before``, and the subjects that it makes; a page
        that somebody changed meanwhile stays as it is. Raises NotFound."""
        suggestions = self._suggest(self.store.get(id), pages)
        with self.store.transaction():
            pages = _unless_changed(before, self.store.pages(id), pages)
            record = self._with_subjects(self.store.get(id), suggestions)
            changed = self.store.save(record, pages)
            self._sketches.keep(id, duplicates.sketch_of(record, pages))
            status = Status.UPDATED if changed else Status.UNCHANGED
            outcome = Outcome(path=Path(id), status=status, ids=(id,), pages=len(pages))
            seal(outcome)
        return outcome

    def _with_subjects(self, record: Record, suggestions: Sequence[Suggestion]) -> Record:
        proposed = holdings.subjects_proposed(suggestions)
        return holdings.with_subjects(record, self.store.thesaurus(), proposed, catalogued=False)

    # -- catalogues

    def _save_catalogue(self, reading: Reading, seal: Seal | None) -> Outcome:
        """Rows in groups, then the links between them; what is known already is left as it is."""
        catalogue = holdings.Catalogue(reading.drafts, reading.found.source)
        statuses: set[Status] = set()
        faults: list[str] = []
        for start in range(0, len(catalogue.entries), _ROWS):
            some, position = catalogue.entries[start : start + _ROWS], self.store.position()
            planned = [(entry, self._plan_entry(catalogue, entry)) for entry in some]
            with self.store.transaction():
                if self.store.position() != position:
                    planned = [
                        (entry, self._planned_again(catalogue, entry, *plan)) for entry, plan in planned
                    ]
                for entry, (record, suggestions) in planned:
                    try:
                        statuses.add(self._save_entry(catalogue, entry, record, suggestions))
                    except InvalidRecord as error:
                        faults.append(f"{entry.draft.place_in_file} : {error}")
        with self.store.transaction():
            for id, host in catalogue.hosts(self.store):
                if self._link(id, host):
                    statuses.add(Status.UPDATED)
            outcome = _of_catalogue(reading, catalogue, statuses, faults)
            if seal is not None:
                seal(outcome)
        return outcome

    def _plan_entry(
        self, catalogue: holdings.Catalogue, entry: holdings.Entry
    ) -> tuple[Record | None, tuple[Suggestion, ...]]:
        """Find the work in the fund, and tag what its record will say; None when nothing would change."""
        catalogue.find(entry, self.store)
        record = self._entry_record(catalogue, entry)
        if record == entry.held:
            return None, ()
        pages = self.store.pages(record.id, raw=False) if record.files else ()
        return record, self._suggest(record, pages)

    def _planned_again(
        self,
        catalogue: holdings.Catalogue,
        entry: holdings.Entry,
        record: Record | None,
        suggestions: tuple[Suggestion, ...],
    ) -> tuple[Record | None, tuple[Suggestion, ...]]:
        """What was planned, when others have written since: the work may be there by now, changed or gone."""
        held = entry.held
        entry.held = None if held is None else self.store.get_many([held.id]).get(held.id)
        if entry.held is None:
            catalogue.find(entry, self.store)
        if entry.held == held:
            return record, suggestions
        record = self._entry_record(catalogue, entry)
        return (None if record == entry.held else record), suggestions

    def _entry_record(self, catalogue: holdings.Catalogue, entry: holdings.Entry) -> Record:
        """What the record will say; a new one has a number of nobody until it is saved."""
        held = entry.held
        if held is not None and holdings.came_from_file(held):
            keywords = tuple(dict.fromkeys((*held.keywords, *entry.draft.keywords)))
            return dataclasses.replace(holdings.completed(held, entry.draft), keywords=keywords)
        id = held.id if held is not None else f"{self._centre}:0"
        return holdings.record_of(entry.draft, held, id=id, source=catalogue.source)

    def _save_entry(
        self,
        catalogue: holdings.Catalogue,
        entry: holdings.Entry,
        record: Record | None,
        suggestions: tuple[Suggestion, ...],
    ) -> Status:
        if record is None:
            return Status.UNCHANGED
        held = entry.held
        if held is not None and holdings.came_from_file(held):
            self._join(entry, record, suggestions)
            return Status.UPDATED
        if held is None:
            record = dataclasses.replace(record, id=self.store.new_id(self._centre))
        proposed = holdings.subjects_proposed(suggestions)
        thesaurus = self.store.thesaurus()
        self.store.save(holdings.with_subjects(record, thesaurus, proposed, catalogued=True))
        catalogue.settle(entry, record.id)
        if held is None:
            for id, likeness in duplicates.find(record, (), self.store, itself=record.id):
                self._doubts.add(likeness.kind, record.id, id, likeness.score)
        self._sketches.keep(record.id, duplicates.sketch_of(record, self.store.pages(record.id, raw=False)))
        return Status.PUBLISHED if held is None else Status.UPDATED

    def _join(self, entry: holdings.Entry, record: Record, suggestions: tuple[Suggestion, ...]) -> None:
        """Give the record of a file what the catalogue knows of the same work on paper."""
        record = self._with_subjects(record, suggestions)
        self.store.save(holdings.with_catalogued(record, self.store.thesaurus(), entry.draft.keywords))
        told = f"{entry.draft.place_in_file} : ajouté à la notice du document {_named(record)}"
        entry.draft = dataclasses.replace(entry.draft, warnings=(*entry.draft.warnings, told))

    def _link(self, id: str, host: str) -> bool:
        found = self.store.get_many([id, host])  # either may be gone since its row was saved
        return len(found) == 2 and self.store.save(dataclasses.replace(found[id], host=host))


def _unless_changed(before: Sequence[Page], now: Sequence[Page], pages: Sequence[Page]) -> list[Page]:
    """The new pages where nothing has changed between, else those of now."""
    known, new = {page.number: page for page in before}, {page.number: page for page in pages}
    return [new.get(page.number, page) if known.get(page.number) == page else page for page in now]


def _of_catalogue(
    reading: Reading, catalogue: holdings.Catalogue, statuses: set[Status], faults: Sequence[str]
) -> Outcome:
    ids = tuple(entry.id for entry in catalogue.entries if entry.id)
    warnings = [warning for entry in catalogue.entries for warning in entry.draft.warnings]
    if not ids:
        return refused(reading.path, UnreadableDocument(Reason.BAD_RECORDS, "; ".join(faults[:3])))
    order = (Status.PUBLISHED, Status.UPDATED, Status.UNCHANGED)
    status = next(status for status in order if status in statuses)
    return Outcome(path=reading.path, status=status, ids=ids, warnings=(*warnings, *faults))


def _file(reading: Reading) -> File:
    draft = reading.drafts[0]
    return File(
        sha256=reading.sha256,
        name=Path(reading.found.source).name,
        media_type=draft.media_type,
        size=reading.size,
        pages=len(draft.pages),
    )


def _named(record: Record) -> str:
    """A record as people name it: its number and its title."""
    return f"n° {record.id.partition(':')[2]}, « {record.title} »"


def _without_drafts(reading: Reading) -> Outcome:
    path = reading.path
    if reading.problem is not None:
        return refused(path, reading.problem)
    if reading.members is not None:
        return Outcome(path=path, status=Status.OPENED, warnings=reading.warnings)
    return Outcome(path=path, status=Status.UNCHANGED, ids=reading.known)
