"""What another centre's record becomes here: kept as it was said, under its id, tagged with our vocabulary.

Hides the formats in which records come, how one whose repository knows no ids of ours gets one, and that what
did not change is not tagged again. A record that cannot be taken is told in French and stops no other.
Everything of one page of a harvest is kept in one transaction, with the place from which the harvest goes on.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from lxml import etree

from ingest import citations, holdings, marc
from ingest.drafts import Draft
from ingest.oai_reading import Item
from ingest.saving import Suggests
from kb import carbetxml, records
from kb.alignments import joined
from kb.database import Store
from kb.errors import InvalidRecord
from kb.mirrors import Mirrors, Origin, Taken
from kb.records import Subject
from kb.sharing import Shared

CARBET = "carbet"
"""The format in which records keep their ids and their subjects."""

_LOCAL_ID = re.compile(r"([a-z0-9-]+:[0-9]+)\Z")

_BARE = "la notice est venue vide"
"""Said of a record without metadata: it was not told as deleted, so that what is held of it stays."""


class Words(Protocol):
    """What key words of others mean in our vocabulary (``kb.alignments``)."""

    def meet(self, centre: str, words: Iterable[str]) -> tuple[Subject, ...]:
        """The subjects that these key words stand for; what nobody has seen yet is kept for a person."""
        ...

    def flush(self) -> None:
        """Keep what was met, in the transaction that is open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Giver:
    """Who gives: the centre, the source (0 an envelope), the format, whether it may speak for others, and its
    public site, "" when it is not known."""

    centre: str
    source: int
    prefix: str = CARBET
    relays: bool = False
    site: str = ""


@dataclass(slots=True)
class Received:
    """What came of some records: how many of each kind, and French sentences on those that were not taken."""

    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def note(self, taken: Taken, id: str) -> None:
        """One record more; what is left out on purpose is said, but for our own that came back."""
        self.counts[taken] += 1
        if taken is Taken.FOREIGN:
            self.notes.append(f"{id} : appartient à un autre centre, dont cette source ne peut pas parler")

    def refuse(self, name: str, error: InvalidRecord) -> None:
        """One that cannot be taken."""
        self.counts["refused"] += 1
        self.notes.append(f"{name} : {error.why}")


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A record that came, ready to be kept: ``shared`` None when it was deleted there."""

    id: str
    origin: Origin
    shared: Shared | None
    local: tuple[Subject, ...] = ()


class Receiver:
    """Takes records in; ``words`` says what their key words mean."""

    def __init__(self, store: Store, mirrors: Mirrors, tagger: Suggests, words: Words) -> None:
        self._store = store
        self._mirrors = mirrors
        self._tagger = tagger
        self._words = words

    def receive_items(
        self,
        items: Iterable[Item],
        giver: Giver,
        received: Received,
        and_then: Callable[[], None] = lambda: None,
    ) -> None:
        """One page of a harvest; ``and_then`` is done in the transaction that keeps it."""
        self._keep(self._read(items, giver, received), giver, received, and_then)

    def receive_shared(
        self,
        some: Iterable[tuple[Shared | str, str]],
        giver: Giver,
        received: Received,
        and_then: Callable[[], None] = lambda: None,
    ) -> None:
        """Some records of an envelope, or ids of deleted ones, each with its time there."""
        arrivals = []
        for told, at in some:
            id = told if isinstance(told, str) else told.record.id
            origin = _origin(giver, id, id, at)
            shared = None if isinstance(told, str) else told
            arrivals.append(self._tagged(_Arrival(id, origin, shared), giver))
        self._keep(arrivals, giver, received, and_then)

    # -- reading

    def _read(self, items: Iterable[Item], giver: Giver, received: Received) -> list[_Arrival]:
        arrivals: dict[str, _Arrival] = {}
        fresh: dict[str, str] = {}
        for item in items:
            try:
                arrival = self._arrival(item, giver, fresh)
            except InvalidRecord as error:
                received.refuse(item.identifier, error)
                continue
            if arrival is None:
                received.counts[Taken.SAME] += 1  # deleted before we ever had it
            else:
                arrivals[arrival.id] = arrival  # the last word of a page counts
        return [self._tagged(arrival, giver) for arrival in arrivals.values()]

    def _arrival(self, item: Item, giver: Giver, fresh: dict[str, str]) -> _Arrival | None:
        if giver.prefix == CARBET:
            return _carbet_arrival(item, giver)
        id = self._mirrors.id_of(giver.source, item.identifier, giver.centre) or fresh.get(item.identifier)
        if item.deleted:
            return _Arrival(id, _origin(giver, id, item.identifier, item.datestamp), None) if id else None
        if item.metadata is None:
            raise InvalidRecord("record", _BARE)
        draft = _READERS[giver.prefix](item.metadata)
        if id is None:
            id = fresh[item.identifier] = self._store.new_id(giver.centre)
        record = holdings.record_of(draft, None, id=id, source="")
        identifiers = {name: value for name, value in record.identifiers.items() if name != "record"}
        record = dataclasses.replace(record, source=None, identifiers=identifiers, access="public")
        url = identifiers.get("url", "")
        origin = dataclasses.replace(_origin(giver, id, item.identifier, item.datestamp), url=url)
        return _Arrival(id, origin, Shared(records.validate(record), draft.pages))

    def _tagged(self, arrival: _Arrival, giver: Giver) -> _Arrival:
        """With our own subjects; those that it has when nothing else changed. Key words of what will not be
        taken are nobody's to look at."""
        shared = arrival.shared
        if shared is None:
            return arrival
        if self._store.fingerprint(arrival.id) == records.fingerprint(shared.record, shared.pages):
            held = self._mirrors.local([arrival.id]).get(arrival.id, ())
            return dataclasses.replace(arrival, local=held)
        if self._mirrors.refused(arrival.id, arrival.origin, relayed=giver.relays):
            return arrival
        return dataclasses.replace(arrival, local=self.tags(shared, giver.centre))

    def tags(self, shared: Shared, centre: str) -> tuple[Subject, ...]:
        """The subjects of our vocabulary that we put on a record, beside those that it has."""
        record = shared.record
        met = self._words.meet(centre, record.keywords)
        # What key words mean is for ``words`` to say, refusals included: the tagger does not read them.
        bare = dataclasses.replace(record, subjects=(), keywords=())
        suggested = self._tagger.suggest([holdings.text_of(bare, shared.pages)])[0]
        proposed = holdings.subjects_proposed(suggested)
        found = holdings.with_subjects(bare, self._store.thesaurus(), proposed, catalogued=True).subjects
        known = {subject.concept for subject in record.subjects}
        return tuple(subject for subject in joined(met, found) if subject.concept not in known)

    # -- keeping

    def _keep(
        self,
        arrivals: Sequence[_Arrival],
        giver: Giver,
        received: Received,
        and_then: Callable[[], None],
    ) -> None:
        told = Received()
        with self._store.transaction():
            for arrival in arrivals:
                try:
                    told.note(self._keep_one(arrival, giver), arrival.id)
                except InvalidRecord as error:
                    told.refuse(arrival.id, error)
            self._words.flush()
            and_then()
        received.counts.update(told.counts)
        received.notes += told.notes

    def _keep_one(self, arrival: _Arrival, giver: Giver) -> Taken:
        if arrival.shared is None:
            return self._mirrors.drop(arrival.id, arrival.origin, relayed=giver.relays)
        return self._mirrors.keep(arrival.shared, arrival.origin, local=arrival.local, relayed=giver.relays)


def _carbet_arrival(item: Item, giver: Giver) -> _Arrival:
    said = _LOCAL_ID.search(item.identifier)
    if said is None:
        raise InvalidRecord("id", f"l’identifiant {item.identifier} n’est pas celui d’une notice Carbet")
    origin = _origin(giver, said[1], item.identifier, item.datestamp)
    if item.deleted:
        return _Arrival(said[1], origin, None)
    if item.metadata is None:
        raise InvalidRecord("record", _BARE)
    shared = carbetxml.from_xml(item.metadata)
    if shared.record.id != said[1]:
        raise InvalidRecord("id", f"la notice {shared.record.id} est envoyée sous le nom de {said[1]}")
    return _Arrival(said[1], origin, shared)


def _origin(giver: Giver, id: str, identifier: str, datestamp: str) -> Origin:
    site = giver.site.rstrip("/")
    url = f"{site}/notice/{id}" if site and giver.prefix == CARBET else ""
    return Origin(
        centre=giver.centre,
        source=giver.source,
        identifier=identifier,
        datestamp=datestamp or datetime.now(UTC).isoformat(),
        url=url,
    )


def _of_marcxml(raw: bytes) -> Draft:
    try:
        return marc.draft_of_xml(raw)
    except etree.XMLSyntaxError as error:
        raise InvalidRecord("record", f"XML illisible ({error.msg})") from error


_READERS: Mapping[str, Callable[[bytes], Draft]] = {
    "marcxml": _of_marcxml,
    "oai_dc": citations.draft_of_dublin_core,
}
"""Prefix of a format -> what reads one record of it."""
