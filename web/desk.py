"""The view of the queue; those of one question, of new ones and of mail hang on the same blueprint."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, request

from kb.accounts import Right
from kb.askers import Asker
from kb.desk import Wanted
from web import desk_editing, desk_gestures, desk_mail, desk_new, desk_question, desk_queue
from web.desk_forms import FindForm
from web.desk_queue import Line, Lines, QueueState
from web.forms import Plain
from web.guard import identity, needs
from web.notices import Link
from web.rendering import gone_to, parts, shown

views = Blueprint("desk", __name__)
for others in (desk_new, desk_mail, desk_question, desk_gestures, desk_editing):
    views.register_blueprint(others.views)


_MOST_ASKERS = 30
"""Persons shown of those who answer to what was typed: more than can be told apart at a glance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Somebody who asked, and the way to their questions."""

    name: str
    email: str
    questions: int
    url: str


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Those who answer to what was typed; None before anything is."""

    askers: tuple[Found, ...] | None
    more: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What the list may be narrowed to: (code, words)."""

    themes: tuple[tuple[str, str], ...]
    territories: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """The questions wanted, with what else may be looked at."""

    lines: tuple[Line, ...]
    total: int
    done: bool
    tallies: tuple[Link, ...]
    loads: tuple[Link, ...]
    chips: tuple[Link, ...]
    filtered: bool
    here: str
    whole: str
    other: str
    before: str | None
    then: str | None


@views.get("/guichet")
@views.get("/guichet.json")
@needs(Right.ANSWER)
def queue() -> Response:
    """Open questions by deadline, or those that are done, the latest first."""
    state, me = QueueState.from_args(request.args), identity().person
    lines = Lines(parts(), state, me)
    wanted = state.wanted(me, parts(), lines.now)
    total = parts().desk.count(wanted)
    found = parts().desk.listed(wanted, desk_queue.SIZE, (state.page - 1) * desk_queue.SIZE)
    page = QueuePage(
        lines=lines.all_of(found),
        total=total,
        done=state.done,
        tallies=tuple(desk_queue.tallies(parts(), state, me, lines.now)),
        loads=() if state.done else tuple(desk_queue.loads(parts(), state, desk_question.staff(), me)),
        chips=tuple(desk_queue.chips(state, lines)),
        filtered=state.is_filtered,
        here=state.url(),
        whole=QueueState(done=state.done).url(),
        other=QueueState(done=not state.done).url(),
        before=state.changed(page=state.page - 1).url() if state.page > 1 else None,
        then=state.changed(page=state.page + 1).url() if state.page * desk_queue.SIZE < total else None,
    )
    return shown(
        "desk.html",
        page,
        section="guichet",
        form=Plain(),
        looked=state,
        choices=_choices(),
        find=FindForm(formdata=None),
    )


@views.route("/guichet/demandeur", methods=["GET", "POST"])
@needs(Right.ANSWER)
def find_asker() -> Response:
    """The persons of this name or address; the questions of the only one at once."""
    form = FindForm()
    found = None
    if form.validate_on_submit():
        found = parts().askers.like(form.who.data or "", _MOST_ASKERS + 1)
        if len(found) == 1:
            return gone_to(QueueState(asker=found[0].id).url())
    page = FoundPage(
        askers=None if found is None else tuple(map(_found, found[:_MOST_ASKERS])),
        more=found is not None and len(found) > _MOST_ASKERS,
    )
    return shown("desk-asker.html", page, section="guichet", find=form, status=400 if form.faults else 200)


def _found(asker: Asker) -> Found:
    count = parts().desk.count(Wanted(states=(), asker=asker.id))
    url = QueueState(asker=asker.id).url()
    return Found(name=asker.name or "sans nom", email=asker.email or "", questions=count, url=url)


def _choices() -> Choices:
    thesaurus = parts().thesaurus
    return Choices(
        tuple((concept.code, concept.label) for concept in thesaurus.top("themes")),
        tuple((concept.code, concept.label) for concept in thesaurus.concepts("territories")),
    )
