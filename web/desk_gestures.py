"""What the staff do with a question: hand it on, write to the asker, note, count time, move it, end it.

Hides that each gesture is one transaction, and that a form which is not right is shown again on the page with
what was typed. Who was overtaken by somebody else is told by whom.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, flash, request

from kb.accounts import Right
from kb.errors import Conflict, InvalidValue, MoveRefused
from kb.questions import Channel, Question, QuestionState, Said
from web import desk_letters
from web.desk_forms import (
    AskerFields,
    CloseForm,
    HeardForm,
    NoteForm,
    PassForm,
    TimeForm,
    WriteForm,
    minutes_of,
)
from web.desk_question import greeting, page_of, staff
from web.forms import Form, Plain
from web.guard import identity, needs
from web.messages import explain
from web.rendering import gone_to, parts
from web.typography import spaced

views = Blueprint("desk_gestures", __name__)
_S = QuestionState

CHANGED = "Cette question a changé entre-temps : regardez où elle en est, puis recommencez."

TWICE = timedelta(minutes=5)
"""A message in the same words within this time is the same one, sent twice by a slip of the mouse."""


def _question(reference: str) -> Question:
    return parts().desk.by_reference(reference)


def _back(question: Question, told: str, part: str = "") -> Response:
    flash(spaced(told))
    return gone_to(f"/guichet/{question.reference}{part}")


def _done(question: Question, form: Form, name: str, act: Callable[[], str], part: str = "") -> Response:
    """Do it and say so, or show the form again with what is wrong."""
    if form.validate_on_submit():
        try:
            with parts().store.transaction():
                told = act()
        except InvalidValue as error:
            form.blame(error)
        except MoveRefused as error:
            return _back(question, explain(error))
        except Conflict:
            return _back(question, CHANGED)
        else:
            return _back(question, told, part)
    return page_of(question, status=400, shown=name, **{name: form})


# -- whose it is


@views.post("/guichet/<reference>/rendre")
@needs(Right.ANSWER)
def give_back(reference: str) -> Response:
    """Let go of a question: it goes back to the queue."""
    question, form = _question(reference), PassForm()
    form.know(staff(), None)
    if overtaken := _overtaken(question, form):
        return overtaken
    parts().desk.assign(question.id, None, person=identity().person)
    return _back(question, f"La question {reference} est rendue à la file.")


@views.post("/guichet/<reference>/confier")
@needs(Right.ANSWER)
def give(reference: str) -> Response:
    """Hand a question to a colleague, who may answer."""
    question, form = _question(reference), PassForm()
    form.know(staff(), question.assignee)
    if overtaken := _overtaken(question, form):
        return overtaken

    def act() -> str:
        person = parts().people.get(int(form.to.data))
        parts().desk.assign(question.id, person.id, person=identity().person)
        return f"La question {reference} est confiée à {person.name}."

    return _done(question, form, "give", act)


def _overtaken(question: Question, form: PassForm) -> Response | None:
    """What to say when the question changed hands since the page was looked at."""
    if form.held_by.data == str(question.assignee or 0):
        return None
    name = parts().people.get(question.assignee).name if question.assignee else ""
    now = f"elle est maintenant à {name}" if name else "elle n’est plus à personne"
    return _back(question, f"Rien n’a été changé : entre-temps, {now}.")


# -- what is said


@views.post("/guichet/<reference>/message")
@needs(Right.ANSWER)
def write(reference: str) -> Response:
    """Write to the asker, or note what was told them by another way."""
    question, form = _question(reference), WriteForm()
    address = desk_letters.address_of(parts(), question)
    form.know(address=address is not None)

    def act() -> str:
        text = (form.message.data or "").replace("\r\n", "\n").strip()
        if not text or text == greeting():
            raise InvalidValue("message", "écrivez votre message")
        if _said_twice(question, text):
            return "Ce message était déjà parti : il n’est pas envoyé une seconde fois."
        _tell(question, text, Channel(form.way.data))
        if form.wait.data and question.state is _S.IN_HAND:
            parts().desk.move(question.id, _S.WAITING, person=identity().person)
        if Channel(form.way.data) is Channel.EMAIL:
            return "Votre message part dans un instant."
        return "C’est noté dans les échanges."

    return _done(question, form, "write", act, "#echanges")


def _said_twice(question: Question, text: str) -> bool:
    since = datetime.now(UTC) - TWICE
    mine = [e for e in parts().desk.exchanges(question.id) if e.person == identity().person and e.at >= since]
    return any(not one.incoming and one.text == text for one in mine)


def _tell(question: Question, text: str, way: Channel) -> None:
    person = identity().person
    if way is Channel.EMAIL:
        desk_letters.write(parts(), question, text, person=person, signed=True)
    else:
        parts().desk.write(question.id, Said(text=text, channel=way), person=person)


@views.post("/guichet/<reference>/entendu")
@needs(Right.ANSWER)
def heard(reference: str) -> Response:
    """Note what the asker said by telephone or on a visit."""
    question, form = _question(reference), HeardForm()

    def act() -> str:
        text = (form.heard.data or "").strip()
        if not text:
            raise InvalidValue("heard", "écrivez ce que la personne a dit")
        said = Said(text=text, channel=Channel(form.heard_by.data))
        parts().desk.hear(question.id, said, person=identity().person)
        after = parts().desk.get(question.id).state
        return "C’est noté." + (" La question est de nouveau en cours." if after != question.state else "")

    return _done(question, form, "heard", act, "#echanges")


@views.post("/guichet/<reference>/note")
@needs(Right.ANSWER)
def note(reference: str) -> Response:
    """A word to colleagues, which never leaves the desk."""
    question, form = _question(reference), NoteForm()

    def act() -> str:
        parts().desk.note(question.id, form.note.data or "", person=identity().person)
        return "La note est gardée. Elle ne sort pas du guichet."

    return _done(question, form, "note", act, "#notes")


@views.post("/guichet/<reference>/temps")
@needs(Right.ANSWER)
def time(reference: str) -> Response:
    """Time spent, and the effort it was."""
    question, form = _question(reference), TimeForm()

    def act() -> str:
        effort = int(form.effort.data) if form.effort.data else None
        parts().desk.spend(question.id, minutes_of(form.minutes), effort, person=identity().person)
        return "C’est noté."

    return _done(question, form, "time", act, "#temps")


@views.post("/guichet/<reference>/demandeur")
@needs(Right.ANSWER)
def set_asker(reference: str) -> Response:
    """Say who asks, when nobody has."""
    question, form = _question(reference), AskerFields()

    def act() -> str:
        if parts().desk.get(question.id).asker is not None:
            raise InvalidValue("name", "quelqu’un a déjà indiqué qui demande : rechargez la page")
        fields = (form.email.data or "", form.name.data or "", form.phone.data or "")
        asker = parts().askers.known(*fields)
        if asker is None:
            raise InvalidValue("name", "indiquez un nom, une adresse ou un téléphone")
        parts().desk.set_asker(question.id, asker)
        return "C’est enregistré."

    return _done(question, form, "asker", act)


# -- where it stands


@views.post("/guichet/<reference>/reprendre")
@needs(Right.ANSWER)
def take_up(reference: str) -> Response:
    """In hand again: without waiting for the asker, or after its end. One that nobody has is now theirs who
    did it."""
    question = _question(reference)

    def act() -> str:
        me = identity().person
        parts().desk.move(question.id, _S.IN_HAND, person=me)
        if question.assignee is None:
            parts().desk.assign(question.id, me, person=me)
        return f"La question {reference} est en cours."

    return _done(question, Plain(), "plain", act)


@views.post("/guichet/<reference>/vu")
@needs(Right.ANSWER)
def seen(reference: str) -> Response:
    """What the asker said after the answer was read, and needs none."""
    question = _question(reference)

    def act() -> str:
        parts().desk.see(question.id, person=identity().person)
        return "C’est noté : le message est lu, il n’y a rien à répondre."

    return _done(question, Plain(), "plain", act)


@views.post("/guichet/<reference>/clore")
@needs(Right.ANSWER)
def close(reference: str) -> Response:
    """End a question; why is noted for colleagues."""
    question, form = _question(reference), CloseForm()

    def act() -> str:
        why = (form.why.data or "").strip()
        if not why:
            raise InvalidValue("why", "dites pourquoi, en quelques mots, pour vos collègues")
        parts().desk.note(question.id, f"Close : {why}", person=identity().person)
        parts().desk.move(question.id, _S.CLOSED, person=identity().person)
        return f"La question {reference} est close."

    return _done(question, form, "closing", act)


@views.post("/guichet/<reference>/prendre")
@needs(Right.ANSWER)
def claim(reference: str) -> Response:
    """Take a question that nobody has and go to it; who comes too late goes back to the list (``retour``)."""
    question, me = _question(reference), identity().person
    wanted = request.form.get("retour", "")
    listed = wanted == "/guichet" or wanted.startswith("/guichet?")
    if Plain().validate_on_submit() and me is not None:
        try:
            parts().desk.claim(question.id, me)
        except Conflict:
            flash(_taken(parts().desk.get(question.id)))
            return gone_to(wanted if listed else f"/guichet/{reference}")
        flash(spaced(f"La question {reference} est à vous."))
    return gone_to(f"/guichet/{reference}")


def _taken(question: Question) -> str:
    """Who was quicker, in words."""
    if question.merged_into is not None:
        return spaced(f"La question {question.reference} a été réunie avec une autre entre-temps.")
    name = parts().people.get(question.assignee).name if question.assignee else "quelqu’un d’autre"
    return spaced(f"La question {question.reference} a été prise juste avant vous : elle est à {name}.")
