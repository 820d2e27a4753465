"""What the free key words of other centres mean in our vocabulary: proposed once, decided once by a person.

Hides the table and how a decision reaches the records that have the word. A word that is a label of ours
counts at once, until somebody says no; one that only looks like a label, or often stands beside a concept,
waits. What is accepted is a closeMatch (SKOS Reference, 10.6): good enough to search by, not to be followed
further.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb.audit import Action
from kb.connection import next_value
from kb.database import Store
from kb.errors import InvalidValue, NotFound
from kb.french import fold
from kb.mirrors import Mirrors
from kb.network_tables import alignments
from kb.records import Origin, State, Subject

LONGEST = 200
"""Characters of a word; what is longer is a sentence, and no key word."""


class Way(StrEnum):
    """How a meaning was found."""

    LABEL = "label"  # it is a label of the concept
    NEAR = "near"  # it is written nearly like one
    TOGETHER = "together"  # the concept is on most records that have it
    CENTRE = "centre"  # another centre decided so
    PERSON = "person"
    NONE = "none"  # nothing was found


class Standing(StrEnum):
    """What is to be thought of it."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a word may mean: ``concept`` None for nothing that is known; ``score`` 0 to 1."""

    concept: str | None
    way: Way
    score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A word as it was first written, how often it was met and with which centres, and what it means."""

    id: int
    word: str
    said: str
    meaning: Meaning
    standing: Standing
    uses: int
    centres: tuple[str, ...]


Propose = Callable[[str], Meaning]
"""Says what a word may mean (``ingest.aligning``)."""


class Alignments:
    """The words of one store."""

    def __init__(self, store: Store, mirrors: Mirrors) -> None:
        self._store = store
        self._mirrors = mirrors

    def get(self, id: int) -> Alignment:
        """One word. Raises NotFound."""
        with self._store.database.reading() as connection:
            row = connection.execute(sa.select(alignments).where(alignments.c.id == id)).first()
        if row is None:
            raise NotFound("alignment", str(id))
        return _alignment(row)

    def listed(self, standing: Standing, limit: int, offset: int = 0) -> tuple[Alignment, ...]:
        """Words that stand so, those with a proposal first, then the most used."""
        query = sa.select(alignments).where(alignments.c.state == standing)
        order = (alignments.c.concept.is_(None), alignments.c.uses.desc(), alignments.c.word)
        with self._store.database.reading() as connection:
            rows = connection.execute(query.order_by(*order).limit(limit).offset(offset))
            return tuple(map(_alignment, rows))

    def counts(self) -> dict[Standing, int]:
        """How many words stand how."""
        query = sa.select(alignments.c.state, sa.func.count()).group_by(alignments.c.state)
        with self._store.database.reading() as connection:
            return {Standing(row[0]): row[1] for row in connection.execute(query)}

    def bridges(self) -> tuple[Alignment, ...]:
        """The words whose meaning a person accepted: our closeMatch."""
        query = sa.select(alignments).where(alignments.c.state == Standing.ACCEPTED)
        with self._store.database.reading() as connection:
            return tuple(map(_alignment, connection.execute(query.order_by(alignments.c.word))))

    def unknown(self, uses: int) -> tuple[Alignment, ...]:
        """Waiting words without any proposal that were met at least so often."""
        wanted = (
            alignments.c.state == Standing.WAITING,
            alignments.c.concept.is_(None),
            alignments.c.uses >= uses,
        )
        with self._store.database.reading() as connection:
            return tuple(map(_alignment, connection.execute(sa.select(alignments).where(*wanted))))

    def propose(self, id: int, meaning: Meaning) -> None:
        """Propose another meaning for a word that waits."""
        values = {"concept": meaning.concept, "way": meaning.way, "score": meaning.score}
        waiting = sa.and_(alignments.c.id == id, alignments.c.state == Standing.WAITING)
        with self._store.database.writing() as connection:
            connection.execute(alignments.update().where(waiting).values(values))

    def suggest(self, said: str, concept: str, centre: str) -> None:
        """Another centre decided what a word means: proposed here, unless somebody decided or a label says
        it."""
        word = fold(said).strip()
        if not word or len(said) > LONGEST or concept not in self._store.thesaurus():
            return
        meaning = {"concept": concept, "way": Way.CENTRE, "score": 1.0}
        with self._store.database.writing() as connection:
            row = connection.execute(sa.select(alignments).where(alignments.c.word == word)).first()
            if row is None:
                fresh = {"word": word, "said": said, "state": Standing.WAITING, "uses": 0}
                fresh |= {"id": next_value(connection, "alignment"), "centres": json.dumps([centre])}
                connection.execute(alignments.insert().values(**fresh, **meaning))
            elif row.state == Standing.WAITING and row.way != Way.LABEL:
                connection.execute(alignments.update().where(alignments.c.id == row.id).values(meaning))

    def decide(self, id: int, standing: Standing, concept: str | None = None) -> int:
        """Accept what is proposed, or ``concept`` instead, or refuse; number of records whose subjects
        change. A decision may be taken back by another one. Raises NotFound, InvalidValue."""
        held = self.get(id)
        chosen = concept or held.meaning.concept
        if standing is Standing.ACCEPTED and (chosen is None or chosen not in self._store.thesaurus()):
            raise InvalidValue("concept", "choisissez un terme du thésaurus")
        way = Way.PERSON if concept and concept != held.meaning.concept else held.meaning.way
        values = {"state": standing, "concept": chosen, "way": way, "decided": datetime.now(UTC).isoformat()}
        with self._store.database.writing() as connection:
            connection.execute(alignments.update().where(alignments.c.id == id).values(values))
            told = {"word": held.said, "concept": chosen, "state": standing}
            self._store.trail.note(Action.WORD_ALIGNED, f"mot-cle:{id}", None, told)
            added = chosen if standing is Standing.ACCEPTED else None
            return self._reach(held.word, added=added, removed=held.meaning.concept)

    def _reach(self, word: str, *, added: str | None, removed: str | None) -> int:
        """Put a decision on the records that have the word."""
        changed = 0
        ids = self._store.find("keyword", word)
        held = self._mirrors.local(ids)
        for id in ids:
            local = held.get(id, ())
            kept = [s for s in local if s.concept != added and not _by_word(s, removed)]
            wanted = (*kept, _subject(added, State.ACCEPTED)) if added else tuple(kept)
            changed += self._mirrors.retag(id, wanted)
        return changed


class Words:
    """The words of a harvest: what they mean is looked up in memory, what is new is kept at ``flush``."""

    def __init__(self, store: Store, propose: Propose) -> None:
        self._store = store
        self._propose = propose
        self._held: dict[str, tuple[Standing, Meaning]] | None = None
        self._met: Counter[str] = Counter()
        self._said: dict[str, str] = {}
        self._centres: dict[str, set[str]] = {}

    def meet(self, centre: str, words: Iterable[str]) -> tuple[Subject, ...]:
        """The subjects that these words stand for, each once."""
        found: dict[str, Subject] = {}
        for said in words:
            word = fold(said).strip()
            if not word or len(said) > LONGEST:
                continue
            standing, meaning = self._meaning(word, said)
            self._met[word] += 1
            self._said.setdefault(word, said)
            self._centres.setdefault(word, set()).add(centre)
            if meaning.concept is None or standing is Standing.REFUSED:
                continue
            if standing is Standing.ACCEPTED:
                found[meaning.concept] = _subject(meaning.concept, State.ACCEPTED)
            elif meaning.way is Way.LABEL:
                found.setdefault(meaning.concept, _subject(meaning.concept, State.PROPOSED))
        return tuple(found.values())

    def flush(self) -> None:
        """Keep what was met, in the transaction that is open if there is one."""
        met, self._met = self._met, Counter()
        with self._store.database.writing() as connection:
            for word, uses in sorted(met.items()):
                self._count(connection, word, uses)

    def _meaning(self, word: str, said: str) -> tuple[Standing, Meaning]:
        held = self._lines()
        if word not in held:
            held[word] = (Standing.WAITING, self._propose(said))
        return held[word]

    def _lines(self) -> dict[str, tuple[Standing, Meaning]]:
        if self._held is None:
            with self._store.database.reading() as connection:
                rows = map(_alignment, connection.execute(sa.select(alignments)))
                self._held = {line.word: (line.standing, line.meaning) for line in rows}
        return self._held

    def _count(self, connection: sa.Connection, word: str, uses: int) -> None:
        row = connection.execute(sa.select(alignments).where(alignments.c.word == word)).first()
        centres = self._centres.pop(word, set())
        if row is not None:
            known = sorted(centres | set(json.loads(row.centres)))
            values: dict[str, Any] = {"uses": row.uses + uses, "centres": json.dumps(known)}
            connection.execute(alignments.update().where(alignments.c.id == row.id).values(values))
            return
        _, meaning = self._lines()[word]
        connection.execute(
            alignments.insert().values(
                id=next_value(connection, "alignment"),
                word=word,
                said=self._said[word],
                concept=meaning.concept,
                way=meaning.way,
                score=meaning.score,
                state=Standing.WAITING,
                uses=uses,
                centres=json.dumps(sorted(centres)),
            )
        )


def _subject(concept: str, state: State) -> Subject:
    return Subject(concept=concept, origin=Origin.SOURCE, state=state)


def _by_word(subject: Subject, concept: str | None) -> bool:
    """Whether the subject stands there for a key word that meant this concept."""
    return subject.origin is Origin.SOURCE and subject.concept == concept


def _alignment(row: Any) -> Alignment:
    return Alignment(
        id=row.id,
        word=row.word,
        said=row.said,
        meaning=Meaning(concept=row.concept, way=Way(row.way), score=row.score),
        standing=Standing(row.state),
        uses=row.uses,
        centres=tuple(json.loads(row.centres)),
    )


def close_matches(some: Iterable[Alignment]) -> Mapping[str, tuple[str, ...]]:
    """The words of each concept, by its URI."""
    found: dict[str, list[str]] = {}
    for alignment in some:
        if alignment.meaning.concept:
            found.setdefault(alignment.meaning.concept, []).append(alignment.said)
    return {concept: tuple(words) for concept, words in found.items()}
