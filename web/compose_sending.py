"""An answer that leaves: the letter, and all that changes with it in one transaction.

Hides what the letter has around the text (greeting, sources, signature, the address to follow the question)
and which moves of the question go with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from kb import quoting
from kb.answers import Answer
from kb.bibliography import Reference
from kb.errors import Conflict, InvalidValue
from kb.french import fold
from kb.publishing import TYPE
from kb.questions import DONE, Channel, Question, QuestionState, Said
from kb.servicelog import StepKind
from web import desk_letters, markdown
from web.parts import Parts
from web.typography import spaced, written_date

_S = QuestionState
_GREETED = re.compile(r"\W*(?:bonjour|bonsoir|cher|chere|chers|madame|monsieur|mesdames|messieurs)\b")
_FOLLOW = '<p>--<br>{title}. Pour la suivre : <a href="{url}">{url}</a></p>'
_PAGE = """\
<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title></head><body>
{body}
</body></html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How an answer leaves, who sends it (number and name), how long it took and what effort."""

    way: Channel
    person: int
    name: str
    minutes: int | None = None
    effort: int | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """The same words twice: as plain text, and as HTML."""

    text: str
    html: str


def letter(
    parts: Parts, question: Question, answer: Answer, sources: tuple[Reference, ...], name: str, site: str
) -> Letter:
    """What the asker gets. The greeting and the name are left out where the text has its own."""
    before = "" if _GREETED.match(fold(answer.body[:80])) else "Bonjour,\n\n"
    if answer.sent is not None and answer.sent_version != answer.version:
        day = written_date(answer.sent.astimezone(parts.calendar.zone).date().isoformat())
        before = f"Bonjour,\n\nVoici un complément à notre réponse du {day}.\n\n"
    listed = "".join(f"- {one.markdown}\n" for one in sources)
    told = "Sources" if len(sources) > 1 else "Source"
    after = f"**{told}**\n\n{listed}\n" if sources else ""
    signed = fold(name) in fold(answer.body[-200:])
    after += "" if signed else f"{_plainly(name)}\\\n{_plainly(parts.config.centre_name)}\n"
    texts = [part for part in (before, answer.body, after) if part.strip()]
    title = f"Votre question {question.reference}"
    follow = Markup(_FOLLOW).format(  # nosec B704  # a text of ours; what is put in is escaped
        title=title, url=f"{site}/suivi/{question.follow}"
    )
    html = "\n".join((*(markdown.mail_html(part, site) for part in texts), spaced(follow)))
    return Letter(
        "\n".join(markdown.plain(part, site) for part in texts).rstrip() + "\n",
        _PAGE.format(title=title, body=html),
    )


def _plainly(words: str) -> str:
    return re.sub(r"([\\`*_\[\]<>&#])", r"\\\1", words)


def send(
    parts: Parts,
    question: Question,
    answer: Answer,
    letter: Letter,
    sending: Sending,
    *,
    site: str = "",
    now: datetime | None = None,
) -> bool:
    """Queue the letter, or note that the answer was told; the question is somebody's and answered from then
    on. False when this very text has left already.

    Raises Conflict when the answer was written on meanwhile, or the question was closed or made a part of
    another; InvalidValue.
    """
    with parts.store.transaction():
        held, asked = parts.answers.get(question.id), parts.desk.get(question.id)
        if held.is_sent and asked.state in DONE and held.version == answer.version:
            return False
        if held.version != answer.version or asked.state is _S.CLOSED or asked.merged_into is not None:
            raise Conflict(f"question {question.id} or its answer has changed")
        if asked.assignee is None:
            asked = parts.desk.claim(question.id, sending.person, now=now)
        _tell(parts, asked, letter, sending, now=now)
        if asked.state in DONE:
            if sending.minutes is not None or sending.effort is not None:
                parts.desk.spend(asked.id, sending.minutes, sending.effort, person=sending.person)
        else:
            told = {"channel": sending.way, "minutes": sending.minutes, "effort": sending.effort}
            move, person = parts.desk.move, sending.person
            move(asked.id, _S.ANSWERED, person=person, kind=StepKind.ANSWERED, now=now, **told)
        parts.answers.mark_sent(asked.id, now=now)
        for id in _reused(parts, asked, held.body, site):
            parts.desk.log.add(asked.id, StepKind.REUSED, person=sending.person, reused=id, now=now)
    return True


def _reused(parts: Parts, asked: Question, body: str, site: str) -> list[str]:
    """The past answers that served, by their records: those to which what leaves still has a link. Each
    counts once for a question, whose own published answer is no past one."""
    known = {step.reused for step in parts.desk.log.of(asked.id)}
    linked = [source.record for source in quoting.sources(body, site) if source.record]
    past = parts.publications.of_records(linked)
    types = {id: record.type for id, record in parts.store.get_many(linked).items()}
    own = {id for id, held in past.items() if held.question == asked.id}
    return [id for id in linked if types.get(id) == TYPE and id not in known | own]


def _tell(parts: Parts, asked: Question, letter: Letter, sending: Sending, now: datetime | None) -> None:
    """The letter, or the note of what was told. The step of a first answer is the move that follows."""
    kind = StepKind.WROTE if asked.state not in DONE else StepKind.ANSWERED
    if sending.way is not Channel.EMAIL:
        said = Said(text=letter.text, channel=sending.way)
        parts.desk.write(asked.id, said, kind=kind, person=sending.person, now=now)
        return
    try:
        desk_letters.write(
            parts,
            asked,
            letter.text,
            html=letter.html,
            person=sending.person,
            kind=kind,
            signed=True,
            now=now,
        )
    except InvalidValue as error:
        raise InvalidValue("way", error.why) from error
