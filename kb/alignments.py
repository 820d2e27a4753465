"""What the free key words of other centres mean in our vocabulary: proposed once, decided once by a person.

Hides the table and how a decision reaches the records that have the word. A word that is a label of ours
counts at once, until somebody says no; one that only looks like a label, or often stands beside a concept,
waits. What is accepted is a closeMatch (SKOS Reference, 10.6): good enough to search by, not to be followed
further.

What key words put on a record is always made anew from all of its words, so that a decision that is taken
back leaves no trace, and one word keeps what another one means as well. What the machine proposed stays the
machine's, accepted or not.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
from kb.records import Origin, Record, State, Subject
from kb.tables import counters, keys

LONGEST = 200
"""Characters of a word; what is longer is a sentence, and no key word."""

AT_ONCE = 500
"""Records that a decision reaches at once: some 0.6 s. ``Alignments.spread`` reaches the others."""

_STEP = 200  # records a transaction of ``spread``: others write after 0.4 s
_SPREAD = "words-spread"
"""The counter with the second (since 1970) up to which decisions have reached all of their records."""

_SLACK = 60  # seconds between a decision and the end of its transaction: far more than it takes


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


@dataclass(frozen=True, slots=True)
class Holding:
    """How many records have a word, and the id of one of them."""

    records: int
    example: str


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

    def stamp(self) -> str:
        """Another one as soon as ``bridges`` are others."""
        query = sa.select(sa.func.count(), sa.func.max(alignments.c.decided), sa.func.max(alignments.c.id))
        with self._store.database.reading() as connection:
            row = connection.execute(query.where(alignments.c.state == Standing.ACCEPTED)).one()
        return " ".join(map(str, row))

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

    def holdings(self, some: Iterable[Alignment]) -> dict[str, Holding]:
        """Who has these words now, by word; those that no record has are left out."""
        words, found = sorted({line.word for line in some}), dict[str, Holding]()
        query = sa.select(keys.c.value, sa.func.count(), sa.func.min(keys.c.record)).group_by(keys.c.value)
        with self._store.database.reading() as connection:
            for at in range(0, len(words), _STEP):
                wanted = (keys.c.kind == "keyword", keys.c.value.in_(words[at : at + _STEP]))
                rows = connection.execute(query.where(*wanted))
                found |= {row[0]: Holding(row[1], row[2]) for row in rows}
        return found

    # -- deciding

    def decide(
        self,
        id: int,
        standing: Standing,
        concept: str | None = None,
        *,
        meaning: Meaning | None = None,
        most: int = AT_ONCE,
    ) -> int:
        """Accept what is proposed, or ``concept`` instead, or refuse, or let the word wait again; number of
        records whose subjects change at once, of the ``most`` that are looked at. A decision is taken back by
        another one, with the ``meaning`` that was proposed before it. Raises NotFound, InvalidValue."""
        with self._store.database.writing() as connection:
            held = self.get(id)
            after = dataclasses.replace(held, standing=standing, meaning=meaning or _chosen(held, concept))
            if standing is Standing.ACCEPTED and after.meaning.concept not in self._store.thesaurus():
                raise InvalidValue("concept", "choisissez un terme du thésaurus")
            values = {"state": standing, **dataclasses.asdict(after.meaning), "decided": _now().isoformat()}
            connection.execute(alignments.update().where(alignments.c.id == id).values(values))
            self._store.trail.note(Action.WORD_ALIGNED, f"mot-cle:{id}", _traced(held), _traced(after))
            ids = self._store.find("keyword", held.word)[:most]
            return sum(self._reach(ids[at : at + _STEP]) for at in range(0, len(ids), _STEP))

    def labels(self) -> int:
        """How many words wait that are labels of ours."""
        query = sa.select(sa.func.count()).select_from(alignments).where(*_LABELS)
        with self._store.database.reading() as connection:
            return connection.scalar(query) or 0

    def accept_labels(self, most: int) -> tuple[Alignment, ...]:
        """Accept words that are labels of ours, at most so many, the most used first; as they were."""
        query = sa.select(alignments).where(*_LABELS).order_by(alignments.c.uses.desc(), alignments.c.word)
        with self._store.database.writing() as connection:
            found = map(_alignment, connection.execute(query.limit(most)).all())
            lines = [line for line in found if line.meaning.concept in self._store.thesaurus()]
            held, room = self.holdings(lines), AT_ONCE
            for line in lines:
                self.decide(line.id, Standing.ACCEPTED, most=room)
                room = max(0, room - (held[line.word].records if line.word in held else 0))
        return tuple(lines)

    def late(self) -> tuple[Alignment, ...]:
        """Words whose last decision may not have reached all of their records."""
        since = sa.select(counters.c.value).where(counters.c.name == _SPREAD)
        with self._store.database.reading() as connection:
            second = datetime.fromtimestamp(connection.scalar(since) or 0, UTC).isoformat()
            query = sa.select(alignments).where(alignments.c.decided >= second)
            found = tuple(map(_alignment, connection.execute(query.order_by(alignments.c.decided))))
        held = self.holdings(found)
        return tuple(line for line in found if line.word in held)

    def spread(self, now: datetime | None = None) -> int:
        """Bring decisions to the records that they have not reached, a little at a time; number of records
        whose subjects change. What is broken off is begun again the next time."""
        began, changed = now or _now(), 0
        for line in self.late():
            ids = self._store.find("keyword", line.word)
            for at in range(0, len(ids), _STEP):
                with self._store.transaction():
                    changed += self._reach(ids[at : at + _STEP])
        value = {"value": int(began.timestamp()) - _SLACK}
        with self._store.database.writing() as connection:
            mine = counters.update().where(counters.c.name == _SPREAD)
            if not connection.execute(mine.values(value)).rowcount:
                connection.execute(counters.insert().values(name=_SPREAD, **value))
        return changed

    def _reach(self, ids: Sequence[str]) -> int:
        """Put on these records what their key words mean now; number of those that change."""
        received, local = self._store.as_received(ids), self._mirrors.local(ids)
        meanings = self._meanings(word for record in received.values() for word in record.keywords)
        wanted = {id: _overlay(r, local.get(id, ()), meanings) for id, r in received.items()}
        return sum(self._mirrors.retag(id, subjects) for id, subjects in wanted.items())

    def _meanings(self, words: Iterable[str]) -> dict[str, tuple[Standing, Meaning]]:
        folded = sorted({_folded(word) for word in words})
        found: dict[str, tuple[Standing, Meaning]] = {}
        with self._store.database.reading() as connection:
            for at in range(0, len(folded), _STEP):
                query = sa.select(alignments).where(alignments.c.word.in_(folded[at : at + _STEP]))
                lines = map(_alignment, connection.execute(query))
                found |= {line.word: (line.standing, line.meaning) for line in lines}
        return found


class Words:
    """The words of a harvest: what they mean is looked up in memory, what is new is kept at ``flush``, and
    what was decided meanwhile is seen from then on."""

    def __init__(self, store: Store, propose: Propose) -> None:
        self._store = store
        self._propose = propose
        self._held: dict[str, tuple[Standing, Meaning]] = {}
        self._looked: datetime | None = None
        self._met: Counter[str] = Counter()
        self._said: dict[str, str] = {}
        self._centres: dict[str, set[str]] = {}

    def meet(self, centre: str, words: Iterable[str]) -> tuple[Subject, ...]:
        """The subjects that these words stand for, each once."""
        found = []
        for said in words:
            word = _folded(said)
            if not word or len(said) > LONGEST:
                continue
            found.append(self._meaning(word, said))
            self._met[word] += 1
            self._said.setdefault(word, said)
            self._centres.setdefault(word, set()).add(centre)
        return _meant(found)

    def flush(self) -> None:
        """Keep what was met, in the transaction that is open if there is one."""
        met, self._met = self._met, Counter()
        with self._store.database.writing() as connection:
            for word, uses in sorted(met.items()):
                self._count(connection, word, uses)
        self._look()

    def _meaning(self, word: str, said: str) -> tuple[Standing, Meaning]:
        if self._looked is None:
            self._look()
        if word not in self._held:
            self._held[word] = (Standing.WAITING, self._propose(said))
        return self._held[word]

    def _look(self) -> None:
        """Read all words, then only those on which was decided since."""
        query = sa.select(alignments)
        if self._looked is not None:
            since = self._looked - timedelta(seconds=_SLACK)
            query = query.where(alignments.c.decided >= since.isoformat())
        self._looked = _now()
        with self._store.database.reading() as connection:
            rows = map(_alignment, connection.execute(query))
            self._held |= {line.word: (line.standing, line.meaning) for line in rows}

    def _count(self, connection: sa.Connection, word: str, uses: int) -> None:
        row = connection.execute(sa.select(alignments).where(alignments.c.word == word)).first()
        centres = self._centres.pop(word, set())
        if row is not None:
            known = sorted(centres | set(json.loads(row.centres)))
            values: dict[str, Any] = {"uses": row.uses + uses, "centres": json.dumps(known)}
            connection.execute(alignments.update().where(alignments.c.id == row.id).values(values))
            return
        _, meaning = self._held[word]
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


_LABELS = (alignments.c.state == Standing.WAITING, alignments.c.way == Way.LABEL)


def _now() -> datetime:
    return datetime.now(UTC)


def _folded(said: str) -> str:
    return fold(said).strip()


def _chosen(held: Alignment, concept: str | None) -> Meaning:
    if concept is None or concept == held.meaning.concept:
        return held.meaning
    return Meaning(concept=concept, way=Way.PERSON, score=1.0)


def _traced(line: Alignment) -> dict[str, Any]:
    """A word as the trail tells it."""
    return {"word": line.said, "concept": line.meaning.concept, "state": line.standing}


def _meant(lines: Iterable[tuple[Standing, Meaning]]) -> tuple[Subject, ...]:
    """The subjects that words stand for, each once: accepted ones, and labels that nobody refused."""
    found: dict[str, Subject] = {}
    for standing, meaning in lines:
        if meaning.concept is None or standing is Standing.REFUSED:
            continue
        if standing is Standing.ACCEPTED:
            found[meaning.concept] = _subject(meaning.concept, State.ACCEPTED)
        elif meaning.way is Way.LABEL:
            found.setdefault(meaning.concept, _subject(meaning.concept, State.PROPOSED))
    return tuple(found.values())


def _subject(concept: str, state: State) -> Subject:
    return Subject(concept=concept, origin=Origin.SOURCE, state=state)


def joined(meant: Iterable[Subject], machine: Iterable[Subject]) -> tuple[Subject, ...]:
    """What key words stand for and what the machine proposes, each concept once: the machine's words and
    pages are kept, and what a person accepted is accepted."""
    found = {subject.concept: subject for subject in meant}
    for subject in machine:
        held = found.get(subject.concept, subject)
        found[subject.concept] = dataclasses.replace(subject, state=held.state)
    return tuple(found.values())


def _overlay(
    record: Record, local: Sequence[Subject], meanings: Mapping[str, tuple[Standing, Meaning]]
) -> tuple[Subject, ...]:
    """Our subjects on a record, those of its key words made anew. Only key words accept what the machine
    proposed: nobody writes on another centre's record."""
    said = [meanings[word] for word in map(_folded, record.keywords) if word in meanings]
    others = (s for s in local if s.origin is not Origin.SOURCE)
    machine = (dataclasses.replace(s, state=State.PROPOSED) for s in others)
    known = {subject.concept for subject in record.subjects}
    return tuple(s for s in joined(_meant(said), machine) if s.concept not in known)


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
