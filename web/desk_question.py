"""Views of one question: what is asked and by whom, what was said, noted and done about it.

Hides how numbers of persons and codes become words, and which moves a state leaves. What the staff note is in
a block of its own (``QuestionPage.notes``), which no other page has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response

from kb import desk_merging
from kb.accounts import Person, Right, rights_of
from kb.desk import Wanted
from kb.errors import NotFound
from kb.questions import MOVES, Exchange, Question, QuestionState
from kb.servicelog import Step, StepKind
from web.desk_forms import AskerFields, CloseForm, HeardForm, NoteForm, PassForm, TimeForm, WriteForm
from web.desk_queue import Line, Lines, QueueState
from web.desk_words import CHANNELS, EFFORTS, STATES, STEPS, opening
from web.forms import Plain
from web.guard import identity, needs
from web.rendering import parts, shown
from web.typography import counted, written_date

views = Blueprint("desk_question", __name__)
_S = QuestionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """The person who asks. ``others_url`` leads to their other questions."""

    number: int
    name: str
    email: str
    phone: str
    others: int
    others_url: str


@dataclass(frozen=True, slots=True)
class FileView:
    """A file that came with a message."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An exchange: who told whom, by what way; ``automatic`` is the desk's, written by nobody."""

    incoming: bool
    automatic: bool
    who: str
    channel: str
    at: datetime
    subject: str
    text: str
    quoted: str
    files: tuple[FileView, ...]


@dataclass(frozen=True, slots=True)
class NoteView:
    """A word among the staff."""

    who: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class StepView:
    """A line of the service log."""

    words: str
    who: str
    at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Twin:
    """Another question of the same person in nearly the same words."""

    reference: str
    url: str
    opening: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionPage:
    """One question. ``moves`` are names of the states that may follow; ``follow_url`` is empty once the page
    of the asker has died."""

    line: Line
    text: str
    context: str
    consent: bool
    received: datetime
    typed_by_staff: bool
    version: int
    whose: Whose | None
    address: bool
    follow_url: str
    assignee: int | None
    moves: tuple[str, ...]
    open: bool
    part_of: Twin | None
    twins: tuple[Twin, ...]
    writing: tuple[str, ...]
    exchanges: tuple[Told, ...]
    notes: tuple[NoteView, ...]
    steps: tuple[StepView, ...]
    minutes: int
    answered: bool
    answer_begun: bool
    anonymised: str


@views.get("/guichet/<reference>")
@views.get("/guichet/<reference>.json")
@needs(Right.ANSWER)
def question(reference: str) -> Response:
    """All that the desk knows of a question."""
    return page_of(parts().desk.by_reference(reference))


def page_of(question: Question, *, status: int = 200, **forms: Any) -> Response:
    """The page of a question; ``forms`` are those to be shown as they were filled in."""
    context = _context(question)
    return shown(
        "desk-question.html", context, section="guichet", status=status, **(_forms(question, context) | forms)
    )


def _forms(question: Question, page: QuestionPage) -> dict[str, Any]:
    """The forms of the page, not filled in."""
    write, give = WriteForm(formdata=None), PassForm(formdata=None, held_by=str(question.assignee or 0))
    write.know(address=page.address)
    write.message.data = greeting()
    write.wait.data = question.state is _S.IN_HAND  # who asks for a precision waits for it
    give.know(staff(), question.assignee)
    return {
        "plain": Plain(),
        "write": write,
        "heard": HeardForm(formdata=None),
        "note": NoteForm(formdata=None),
        "time": TimeForm(formdata=None),
        "give": give,
        "closing": CloseForm(formdata=None),
        "asker": AskerFields(formdata=None),
        "shown": "",
    }


def greeting() -> str:
    """How a message begins and ends before anything is written in it."""
    return f"Bonjour,\n\n\n\n{identity().name}\n{parts().config.centre_name}"


def staff() -> tuple[Person, ...]:
    """Those who may answer, by name."""
    return tuple(p for p in parts().people.all() if p.active and Right.ANSWER in rights_of(p.roles))


def _context(question: Question) -> QuestionPage:
    desk, lines = parts().desk, Lines(parts(), QueueState(), identity().person)
    steps, whose = desk.log.of(question.id), _whose(question)
    return QuestionPage(
        line=lines.of(question, unseen=question.id in desk.unseen((question.id,))),
        text=question.text,
        context=question.context,
        consent=question.consent,
        received=question.received,
        typed_by_staff=any(s.kind is StepKind.RECEIVED and s.person for s in steps),
        version=question.version,
        whose=whose,
        address=bool(whose and whose.email),
        follow_url="" if question.anonymised else f"/suivi/{question.follow}",
        assignee=question.assignee,
        moves=tuple(sorted(MOVES[question.state])) if question.merged_into is None else (),
        open=question.is_open,
        part_of=_twin(desk.get(desk.current(question.id))) if question.merged_into else None,
        twins=tuple(_twins(question)),
        writing=tuple(_writing(question, lines)),
        exchanges=tuple(_told(one, question, lines) for one in desk.exchanges(question.id)),
        notes=tuple(NoteView(lines.name(n.person), n.at, n.text) for n in desk.notes(question.id)),
        steps=tuple(_step(step, lines) for step in steps),
        minutes=sum(step.minutes or 0 for step in steps),
        answered=question.state in (_S.ANSWERED, _S.PUBLISHED),
        answer_begun=parts().answers.get(question.id).version > 0,
        anonymised=written_date(question.anonymised.isoformat()) if question.anonymised else "",
    )


def _whose(question: Question) -> Whose | None:
    if question.asker is None:
        return None
    try:
        asker = parts().askers.get(question.asker)
    except NotFound:
        return None
    count = parts().desk.count(Wanted(states=(), asker=asker.id))
    return Whose(
        number=asker.id,
        name=asker.name or "",
        email=asker.email or "",
        phone=asker.phone or "",
        others=max(0, count - (question.merged_into is None)),
        others_url=f"/guichet?demandeur={asker.id}",
    )


def _twins(question: Question) -> Iterator[Twin]:
    """Those that may be made one with it."""
    for other in desk_merging.alike(question, parts().desk):
        if desk_merging.order(question, other, parts().answers) is not None:
            yield _twin(other)


def _twin(other: Question) -> Twin:
    return Twin(other.reference, f"/guichet/{other.reference}", opening(other.text, 140))


def _writing(question: Question, lines: Lines) -> Iterator[str]:
    if (me := identity().person) is not None:
        for draft in parts().answers.others_writing(question.id, me):
            yield lines.name(draft.person)


def _told(one: Exchange, question: Question, lines: Lines) -> Told:
    root = f"/guichet/{question.reference}/pieces/{one.id}"
    return Told(
        incoming=one.incoming,
        automatic=not one.incoming and one.person is None,
        who=lines.name(one.person),
        channel=CHANNELS[one.channel],
        at=one.at,
        subject=one.subject,
        text=one.text,
        quoted=one.quoted,
        files=tuple(FileView(name, f"{root}/{n}") for n, name in enumerate(one.enclosures)),
    )


def _step(step: Step, lines: Lines) -> StepView:
    said = []
    if step.after is not None and step.kind is not StepKind.RECEIVED:
        said.append(STATES[step.after])
    if step.channel is not None:
        said.append(CHANNELS[step.channel])
    if step.minutes is not None:
        said.append(counted(step.minutes, "minute"))
    if step.effort is not None:
        said.append(f"effort {step.effort} : {EFFORTS[step.effort]}")
    return StepView(STEPS[step.kind], lines.name(step.person), step.at, ", ".join(said))


@views.get("/guichet/<reference>/pieces/<int:exchange>/<int:number>")
@needs(Right.ANSWER)
def enclosure(reference: str, exchange: int, number: int) -> Response:
    """A file that came with a message: to be kept, never shown by the browser, whatever it says it is."""
    question = parts().desk.by_reference(reference)
    file = parts().desk.enclosure(question.id, exchange, number)
    response = Response(file.content, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
