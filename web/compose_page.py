"""The page on which an answer is written, as a value: the question, the text, what stands around it.

Hides how what is saved, what is a draft and what was just typed become one text, and who else writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Response, request

from ingest.differences import Piece, marked
from kb.answers import Answer
from kb.errors import Forbidden
from kb.questions import DONE, LONGEST_ANSWER, Question, QuestionState
from web import desk_letters
from web.compose_checks import Look, look
from web.compose_forms import AnswerForm
from web.compose_panel import Panel, panel
from web.desk_queue import Line, Lines, QueueState
from web.desk_words import CHANNELS
from web.guard import fund, identity, site
from web.rendering import parts, shown
from web.state import LONGEST_TEXT
from web.typography import NBSP, spaced

CARRIED = ("cherche", "minutes", "effort", "way")
"""Fields that the address carries on from one saving to the next."""

FOLDED = 600
"""Characters of a question that are shown at once; a longer one is folded."""

_LONGEST_ALIGNED = 6000  # characters of two texts whose words are aligned: the time grows with their square


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody else who writes, and the time of their last words."""

    name: str
    at: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message between the asker and the desk, or a note of the staff."""

    who: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposePage:
    """An answer being written. ``draft`` is when the text shown was kept, if it is not the one saved;
    ``blocked`` why nothing can be sent ("" when it can)."""

    line: Line
    url: str
    text: str
    context: str
    long: bool
    told: tuple[Said, ...]
    notes: tuple[Said, ...]
    channel: str
    body: str
    version: int
    saved: datetime | None
    saved_by: str
    draft: datetime | None
    sent: datetime | None
    is_sent: bool
    done: bool
    consent: bool
    address: str
    blocked: str
    writing: tuple[Writer, ...]
    look: Look
    panel: Panel
    previewed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClashPage:
    """Two texts of one answer. ``pieces`` has mine before, theirs after; () when they are too long to be
    laid on each other."""

    line: Line
    url: str
    who: str
    own: bool
    at: datetime | None
    mine: str
    theirs: str
    version: int
    pieces: tuple[Piece, ...]


def me() -> int:
    """The number of who writes. Raises Forbidden for a machine, which has no drafts."""
    person = identity().person
    if person is None:
        raise Forbidden
    return person


def line_of(question: Question) -> Line:
    """The question in a line."""
    return Lines(parts(), QueueState(), me()).of(question)


def answer_url(question: Question) -> str:
    """Where its answer is written."""
    return f"/guichet/{question.reference}/reponse"


def form_of(question: Question, answer: Answer, body: str, version: int) -> AnswerForm:
    """The form with a text, begun from ``version``; what else was filled in comes with the address, which
    never holds a text of the answer."""
    data = {"body": body, "version": str(version), "without_source": answer.without_source or ""}
    data |= {name: request.args.get(name, "")[:LONGEST_TEXT] for name in CARRIED}
    form = AnswerForm(formdata=None, data=data)
    form.know(question, address=desk_letters.address_of(parts(), question) is not None)
    return form


def page_of(
    question: Question,
    form: AnswerForm,
    *,
    status: int = 200,
    previewed: bool = False,
    draft: datetime | None = None,
) -> Response:
    """The page with a form as it is filled in."""
    answer, body = parts().answers.get(question.id), (form.body.data or "")
    people = {person.id: person.name for person in parts().people.all()}
    page = ComposePage(
        line=line_of(question),
        url=answer_url(question),
        text=question.text,
        context=question.context,
        long=len(question.text) + len(question.context) > FOLDED,
        told=tuple(
            Said(
                "Le demandeur" if one.incoming else people.get(one.person or 0, "Le guichet"),
                one.at,
                one.text,
            )
            for one in parts().desk.exchanges(question.id)
        ),
        notes=tuple(
            Said(people.get(one.person or 0, "Carbet"), one.at, one.text)
            for one in parts().desk.notes(question.id)
        ),
        channel=CHANNELS[question.channel],
        body=body,
        version=form.base,
        saved=answer.at,
        saved_by=people.get(answer.person or 0, ""),
        draft=draft,
        sent=answer.sent,
        is_sent=answer.is_sent,
        done=question.state in DONE,
        consent=question.consent,
        address=desk_letters.address_of(parts(), question) or "",
        blocked=_blocked(question),
        writing=writing(question),
        look=look(fund(), body[:LONGEST_ANSWER], site()),
        panel=panel(fund(), question, form.cherche.data or "", since=heard(question)),
        previewed=previewed,
    )
    return shown("compose.html", page, section="guichet", status=status, form=form)


def heard(question: Question) -> str:
    """What the asker said since the question, the last first: it says best what is still wanted."""
    told = [one.text for one in parts().desk.exchanges(question.id) if one.incoming]
    return "\n\n".join(text for text in reversed(told) if text.strip() != question.text.strip())


def _blocked(question: Question) -> str:
    if question.state is QuestionState.CLOSED:
        return spaced("Cette question est close : rouvrez-la pour envoyer une réponse.")
    return ""


def writing(question: Question) -> tuple[Writer, ...]:
    """Others who write on it now."""
    others = parts().answers.others_writing(question.id, me())
    people = {person.id: person.name for person in parts().people.all()} if others else {}
    return tuple(Writer(people.get(one.person, "Quelqu’un"), clock(one.at)) for one in others)


def clock(moment: datetime) -> str:
    """The time of the day at the centre: "10 h 42"."""
    local = moment.astimezone(parts().calendar.zone)
    return f"{local.hour}{NBSP}h{NBSP}{local.minute:02d}"


def clash(question: Question, mine: str, *, status: int = 409) -> Response:
    """Both texts side by side, and the ways on."""
    theirs = parts().answers.get(question.id)
    page = ClashPage(
        line=line_of(question),
        url=answer_url(question),
        who=parts().people.get(theirs.person).name if theirs.person else "Quelqu’un",
        own=theirs.person == me(),
        at=theirs.at,
        mine=mine,
        theirs=theirs.body,
        version=theirs.version,
        pieces=marked(mine, theirs.body) if len(mine) + len(theirs.body) <= _LONGEST_ALIGNED else (),
    )
    return shown("compose-clash.html", page, section="guichet", status=status)
