"""What a centre shares, written to one signed file and taken in from one: the way where there is no network.

Hides which lines of the change feed go in, and that what comes in by a file is taken as what is harvested: by
the same rules, with a run that says what came. Read twice, a file changes nothing; one that was long on its
way undoes nothing that came later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from ingest.mirroring import CARBET, Giver, Received, Receiver
from kb import envelope
from kb.alignments import Alignments
from kb.audit import Action, Wanted
from kb.carbetxml import checked
from kb.centres import Centres
from kb.database import Store
from kb.envelope import Alignment, Counts, Deletion, Head, Kind, Opened, Position, SharedConcept
from kb.errors import InvalidRecord
from kb.feed import Listed, Window
from kb.mirrors import ENVELOPE, Taken
from kb.runs import Ending, Run, Runs
from kb.sharing import Audience, Shared, audience_of, may_be_told, outward
from kb.signing import CentreKey

_TOGETHER = 100
"""Records of one transaction: a second or so of work, so that others who write get in."""

_BEGINNING = Position()
_WAY = "envelope"
_UNTIL = {Audience.NETWORK: "until", Audience.PUBLIC: "until-public"}
"""How far the envelopes of a centre were read without a gap. Those for the network hold what is public
too."""

Progress = Callable[[int, int], None]
"""Told how many lines are done, and of how many."""


def _no_progress(done: int, total: int) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes: the fund, the centre's code, name and key, and its decisions on key words."""

    store: Store
    key: CentreKey
    centre: str
    name: str
    alignments: Alignments

    def write(
        self,
        target: Path,
        *,
        audience: Audience,
        since: Position = _BEGINNING,
        relays: bool = False,
        now: datetime | None = None,
        progress: Progress = _no_progress,
        refused: Callable[[str, InvalidRecord], None],
    ) -> tuple[Head, Counts]:
        """Write what ``audience`` may be told that changed after ``since``, or all; with ``relays`` also what
        we hold of other centres. Raises StorageError, EnvelopeError (too large)."""
        window = dataclasses.replace(self.store.feed.window(audience), after=since.seq)
        last = self.store.changes(window.last - 1, 1) if window.last else []
        head = Head(
            centre=self.centre,
            name=self.name,
            key=self.key.public,
            made=now or datetime.now(UTC),
            kind=Kind.CHANGES if since.seq else Kind.FULL,
            audience=audience,
            since=since,
            until=Position(window.last, last[0].at) if last else Position(),
        )
        items = self._items(window, relays, progress, refused)
        gone = self._deletions(window, relays)
        counts = envelope.write(target, head, items, gone, self._thesaurus(), sign=self.key.sign)
        told = {"kind": head.kind, "audience": audience, "relays": relays}
        told |= {"records": counts.records, "until": window.last}
        self.store.trail.note(Action.ENVELOPE_WRITTEN, f"enveloppe:{window.last}", None, told)
        return head, counts

    def _lines(self, window: Window, relays: bool) -> Iterator[Listed]:
        while page := self.store.feed.page(window, _TOGETHER):
            for line in page:
                if relays or line.id.partition(":")[0] == self.centre:
                    yield line
            window = dataclasses.replace(window, after=page[-1].seq)

    def _items(
        self,
        window: Window,
        relays: bool,
        progress: Progress,
        refused: Callable[[str, InvalidRecord], None],
    ) -> Iterator[Shared]:
        total, done = self.store.feed.count(window), 0
        for line in self._lines(window, relays):
            done += 1
            progress(done, total)
            record = None if line.deleted else self.store.as_received([line.id]).get(line.id)
            if record is None or not may_be_told(audience_of(record), window.audience):
                continue  # deleted, or restricted since the line was read: the next envelope says so
            dated = dataclasses.replace(record, updated=line.at)
            try:
                yield checked(outward(dated, self.store.pages(line.id, raw=False)))
            except InvalidRecord as error:
                refused(line.id, error)

    def _deletions(self, window: Window, relays: bool) -> Iterator[Deletion]:
        return (Deletion(line.id, line.at) for line in self._lines(window, relays) if line.deleted)

    def _thesaurus(self) -> Iterator[SharedConcept | Alignment]:
        for concept in self.store.thesaurus():
            yield SharedConcept(
                uri=concept.uri,
                label=concept.label,
                alt=concept.alt,
                scheme=concept.scheme,
                close_match=concept.close_match,
            )
        for bridge in self.alignments.bridges():
            if bridge.meaning.concept:
                yield Alignment(bridge.said, bridge.meaning.concept)


def last_written(store: Store, audience: Audience, *, relays: bool = False) -> Position:
    """Where the last envelope of the same kind ended, to write what changed since; the beginning if none
    was."""
    wanted = Wanted(action=Action.ENVELOPE_WRITTEN)
    for line in store.trail.every(wanted):
        after = line.after or {}
        if (after.get("audience"), after.get("relays")) == (audience, relays):
            return Position(int(after["until"]), line.at)
    return Position()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who takes envelopes in."""

    centres: Centres
    runs: Runs
    alignments: Alignments
    receiver: Callable[[], Receiver]

    def read(
        self,
        source: Path,
        *,
        relays: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        progress: Progress = _no_progress,
    ) -> Run:
        """Take in what a file of a trusted centre holds; ``relays``: it may speak for others too. Raises
        EnvelopeError, having taken nothing."""
        with envelope.open_envelope(source, self.centres.keys()) as opened:
            for _ in chain(opened.items(), opened.deletions(), opened.alignments()):
                pass  # all of it or nothing: a line that cannot be read is met here
            centre = opened.head.centre
            before = self._until(opened.head)
            run = self.runs.open(source=ENVELOPE, centre=centre, way=_WAY, now=clock())
            received = Received()
            giver = Giver(
                centre=centre, source=ENVELOPE, prefix=CARBET, relays=relays, site=self._site(centre)
            )
            try:
                self._take(opened, giver, received, progress)
            except BaseException:
                # What was taken stays, and the file can be read again.
                counts = _counts(received)
                self.runs.close(run, Ending.STOPPED, counts, now=clock(), notes=received.notes)
                raise
            gap = _gap(opened.head, before)
            # After a gap the next envelope must say again that something is missing.
            until = before if gap else opened.head.until.seq
            counts = _counts(received) | {_UNTIL[opened.head.audience]: until}
            notes = [*gap, *_conflicts(received), *received.notes]
            return self.runs.close(run, Ending.DONE, counts, now=clock(), notes=notes)

    def _site(self, centre: str) -> str:
        return self.centres.get(centre).url

    def _until(self, head: Head) -> int:
        """How far the envelopes of a centre were read that held at least what this one does."""
        names = {_UNTIL[Audience.NETWORK], _UNTIL[head.audience]}
        some = self.runs.all(source=ENVELOPE, centre=head.centre, limit=100)
        return max((run.counts.get(name, 0) for run in some for name in names), default=0)

    def _take(self, opened: Opened, giver: Giver, received: Received, progress: Progress) -> None:
        receiver, done = self.receiver(), 0
        total = opened.counts.records + opened.counts.deletions
        for together in _batches(_told(opened)):
            receiver.receive_shared(together, giver, received)
            done += len(together)
            progress(done, total)
        for alignment in opened.alignments():
            self.alignments.suggest(alignment.said, alignment.concept, giver.centre)


def _told(opened: Opened) -> Iterator[tuple[Shared | str, str]]:
    made = opened.head.made
    for shared in opened.items():
        yield shared, _stamp(shared.record.updated or made)
    for deletion in opened.deletions():
        yield deletion.id, _stamp(deletion.at)


def _stamp(at: datetime) -> str:
    """As OAI-PMH writes times, so that both ways can be compared."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _batches(
    some: Iterable[tuple[Shared | str, str]],
) -> Iterator[list[tuple[Shared | str, str]]]:
    batch: list[tuple[Shared | str, str]] = []
    for one in some:
        batch.append(one)
        if len(batch) == _TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _counts(received: Received) -> dict[str, int]:
    return {name: count for name, count in received.counts.items() if count}


def _gap(head: Head, before: int) -> list[str]:
    if head.since.seq <= before:
        return []
    when = f" du {head.since.at:%d/%m/%Y}" if head.since.at else ""
    return [f"il manque ce qui a changé avant l’enveloppe{when} : demandez au centre une enveloppe complète"]


def _conflicts(received: Received) -> Iterator[str]:
    if count := received.counts[Taken.OLDER]:
        yield f"{_left(count)} : une plus récente, ou venue du centre lui-même, est déjà ici"
    if count := received.counts[Taken.OURS]:
        yield f"{_left(count)} : votre centre en est l’auteur"


def _left(count: int) -> str:
    return f"{count} notices laissées" if count > 1 else "une notice laissée"
