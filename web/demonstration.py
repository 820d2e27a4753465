"""The questions of the demonstration fund, as if they had been asked and answered over eighteen months.

Hides how ``corpus/questions.jsonl`` becomes questions, exchanges, answers with their citations, and
publications: by the same functions as the pages, with times of their own. Nothing is sent to anybody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from kb import bibliography
from kb.accounts import Role
from kb.errors import NotFound
from kb.publishing import Copy
from kb.questions import Asked, Channel, Question, QuestionState, Said
from kb.records import Record
from kb.servicelog import StepKind
from web import markdown, published_text
from web.notices import page_url, record_url
from web.parts import Parts

_STAFF: Mapping[str, tuple[str, str]] = {
    "lea": ("lea@carbet.example", "Léa Montout"),
    "joel": ("joel@carbet.example", "Joël Dinal"),
}
_CITED = re.compile(r"\{\{cite:(paper:)?([^:}]+)(?::(\d+))?\}\}")
_S = QuestionState


def load(parts: Parts, path: Path, *, now: datetime | None = None) -> int:
    """Take the questions in, unless there are some already; how many came in.

    Raises NotFound when one cites a document that is not in the fund.
    """
    if any(parts.desk.counts().values()):
        return 0
    loader = _Loader(parts, now or datetime.now(UTC))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    with parts.store.transaction():
        for raw in sorted(lines, key=lambda raw: -raw["days_ago"]):
            loader.take(raw)
    return len(lines)


@dataclass
class _Loader:
    """What is known while the questions come in: who answers, which files are which records."""

    parts: Parts
    now: datetime
    staff: dict[str, int] = field(default_factory=dict)
    files: dict[str, Record] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)  # key of a question -> record of its answer

    def __post_init__(self) -> None:
        for key, (email, name) in _STAFF.items():
            person = self.parts.people.by_email(email) or self.parts.people.add(email, name, [Role.ANSWERER])
            self.staff[key] = person.id
        for id in self.parts.store.ids():
            record = self.parts.store.get(id)
            self.files |= {Path(file.name).stem: record for file in record.files}

    def take(self, raw: Mapping[str, Any]) -> None:
        """One question with all that became of it."""
        received = self._received(raw)
        asker = raw["asker"] or {}
        given = (asker.get("email") or "", asker.get("name") or "", asker.get("phone") or "")
        number = self.parts.askers.known(*given, now=received)
        wanted = raw.get("wanted_in")
        asked = Asked(
            text=raw["question"],
            context=raw.get("context") or "",
            channel=Channel(raw["channel"]),
            actor=raw.get("actor"),
            territory=raw.get("territory"),
            themes=tuple(raw.get("themes", ())),
            wanted_by=(received + timedelta(days=wanted)).date() if wanted else None,
            consent=raw["consent"],
        )
        question = self.parts.desk.receive(asked, number, now=received)
        if raw.get("assignee"):
            assignee = self.staff[raw["assignee"]]
            self.parts.desk.claim(question.id, assignee, now=self._later(received, 0, 50))
        for at, act in sorted(self._events(question, raw, received), key=lambda event: event[0]):
            act(at)
        self._end(question, raw)

    def _received(self, raw: Mapping[str, Any]) -> datetime:
        """Some moment of the working day, another one for each question, never later than now."""
        zone = self.parts.calendar.zone
        day = self.now.astimezone(zone).date() - timedelta(days=raw["days_ago"])
        minutes = sum(raw["key"].encode()) * 37 % 480
        moment = datetime.combine(day, time(8), zone) + timedelta(minutes=minutes)
        return min(moment.astimezone(UTC), self.now - timedelta(minutes=90))

    def _later(self, received: datetime, days: int, minutes: int = 120) -> datetime:
        """So many working days after, never later than now."""
        if days:
            zone = self.parts.calendar.zone
            clock = received.astimezone(zone).timetz()
            received = datetime.combine(self.parts.calendar.after(received, days), clock).astimezone(UTC)
        return min(received + timedelta(minutes=minutes), self.now)

    def _events(
        self, question: Question, raw: Mapping[str, Any], received: datetime
    ) -> Iterator[tuple[datetime, Any]]:
        desk = self.parts.desk
        by = self.staff.get(raw.get("assignee") or "")
        for note in raw.get("notes", ()):
            author, text = self.staff[note["by"]], note["text"]
            yield (
                self._later(received, note["days_after"], 60),
                lambda at, author=author, text=text: desk.note(question.id, text, person=author, now=at),
            )
        for said in raw.get("exchanges", ()):
            told = Said(text=said["text"], channel=Channel(said["channel"]))
            yield (
                self._later(received, said["days_after"], 90),
                lambda at, out=said["direction"] == "out", told=told: (
                    self._asks(question, told, by, at) if out else desk.hear(question.id, told, now=at)
                ),
            )
        if answer := raw.get("answer"):
            yield self._later(received, answer["days_after"]), lambda at: self._answer(question, answer, at)
        if publication := raw.get("publication"):
            yield (
                self._later(received, publication["days_after"], 150),
                lambda at: self._publish(question, raw, publication, at),
            )

    def _asks(self, question: Question, said: Said, person: int | None, at: datetime) -> None:
        self.parts.desk.write(question.id, said, person=person, now=at)
        if self.parts.desk.get(question.id).state is _S.IN_HAND:
            self.parts.desk.move(question.id, _S.WAITING, person=person, now=at)

    def _answer(self, question: Question, answer: Mapping[str, Any], at: datetime) -> None:
        desk, person = self.parts.desk, self.staff[answer["by"]]
        for key in answer.get("reused", ()):
            desk.log.add(question.id, StepKind.REUSED, person=person, reused=self.published[key], now=at)
        body = self._cited(answer["body"])
        version = self.parts.answers.get(question.id).version
        self.parts.answers.save(question.id, body, version, person=person, now=at)
        way = self._way_back(question)
        site = self.parts.config.public_url
        desk.write(question.id, Said(text=markdown.plain(body, site), channel=way), person=person, now=at)
        told = {"minutes": answer["minutes"], "effort": answer["effort"], "channel": way}
        desk.move(question.id, _S.ANSWERED, person=person, kind=StepKind.ANSWERED, now=at, **told)
        self.parts.answers.mark_sent(question.id, now=at)

    def _way_back(self, question: Question) -> Channel:
        asker = self.parts.askers.get(question.asker) if question.asker else None
        return Channel.EMAIL if asker and asker.email else question.channel

    def _publish(
        self, question: Question, raw: Mapping[str, Any], publication: Mapping[str, Any], at: datetime
    ) -> None:
        person = self.staff[raw["answer"]["by"]]
        codes = (*question.themes, *([question.territory] if question.territory else []))
        copy = Copy(
            title=publication["title"],
            text=publication["question"],
            body=self._cited(publication["answer"]),
            themes=codes,
        )
        held = self.parts.publications.prepare(question.id, copy, 0, person=person, now=at)
        thesaurus = self.parts.thesaurus
        uris = [thesaurus.by_code(code).uri for code in codes]
        pages = published_text.pages(copy)
        self.published[raw["key"]] = self.parts.publications.publish(
            question.id, held.version, pages, uris, person=person, now=at
        )

    def _end(self, question: Question, raw: Mapping[str, Any]) -> None:
        """What the file says of its state must have come about."""
        wanted, desk = _S(raw["state"]), self.parts.desk
        if wanted is _S.CLOSED and desk.get(question.id).state is not _S.CLOSED:
            last = max(step.at for step in desk.log.of(question.id))
            person = self.staff.get(raw.get("assignee") or "")
            desk.move(question.id, _S.CLOSED, person=person, now=last + timedelta(minutes=5))
        if desk.get(question.id).state is not wanted:
            raise ValueError(f"{raw['key']} is {desk.get(question.id).state}, not {wanted}")

    def _cited(self, body: str) -> str:
        return _CITED.sub(self._citation, body)

    def _citation(self, found: re.Match[str]) -> str:
        paper, name, page = found.groups()
        record = self._on_paper(name) if paper else self.files.get(name)
        if record is None:
            raise NotFound("record", name)
        number = int(page) if page else None
        url = page_url(record.id, number) if number else record_url(record.id)
        return f"[{bibliography.short(record, number)}]({url})"

    def _on_paper(self, call_number: str) -> Record | None:
        ids = self.parts.store.find("call_number", call_number)
        return self.parts.store.get(ids[0]) if ids else None
