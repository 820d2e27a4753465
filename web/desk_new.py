"""The view where the staff type a question that came by telephone, on a visit, by letter or by mail.

Hides how a message that was dropped fills the form, and that question, message, time and receipt are one
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from flask import Blueprint, Response, flash, request

from ingest.incoming import Incoming
from kb.accounts import Right
from kb.errors import IngestError, InvalidValue, NotFound
from kb.questions import LONGEST, Asked, Channel, Question
from web import desk_letters, kept_mail
from web.desk_forms import JoinForm, NewForm, minutes_of, theme_words
from web.desk_mail import MailView, view_of
from web.guard import identity, needs
from web.mail_arriving import said_of
from web.messages import explain
from web.rendering import gone_to, parts, shown
from web.typography import spaced

views = Blueprint("desk_new", __name__)

_NOON = time(12)


@dataclass(frozen=True, slots=True)
class NewPage:
    """The form of a new question, and the message that filled it."""

    themes: tuple[str, ...]
    mail: MailView | None


@views.route("/guichet/nouvelle", methods=["GET", "POST"])
@needs(Right.ANSWER)
def new() -> Response:
    """A question that came otherwise than by the form of visitors, or by a message that was dropped."""
    key = request.form.get("mail", "") or request.args.get("courriel", "")
    message = _message(key) if key else None
    if key and message is None and request.method != "POST":
        flash("Ce message n’est plus en attente : quelqu’un l’a traité, ou il faut le déposer de nouveau.")
        return gone_to("/guichet/nouvelle")
    if request.method != "POST":
        return _page(_blank(key, message), key, message)
    form = NewForm()
    form.know(parts().labels)
    if key and message is None:
        form.form_errors.append(
            "Le message n’est plus en attente : déposez-le de nouveau. Votre texte reste."
        )
    asked = form.read(parts().labels)
    if asked is None:
        return _page(form, key, message, status=400)
    try:
        with parts().store.transaction():
            question = _received(form, asked, message)
    except InvalidValue as error:
        form.blame(error)
        return _page(form, key, message, status=400)
    if message is not None:
        kept_mail.drop(parts(), key)
    flash(spaced(f"La question {question.reference} est enregistrée."))
    return gone_to(f"/guichet/{question.reference}")


def _message(key: str) -> Incoming | None:
    try:
        return kept_mail.read(parts(), key)
    except NotFound:
        return None
    except IngestError as error:
        flash(explain(error))
        return None


def _blank(key: str, message: Incoming | None) -> NewForm:
    zone = parts().calendar.zone
    fields: dict[str, object] = {"channel": str(Channel.TELEPHONE), "received": datetime.now(zone).date()}
    fields |= {"mine": True, "acknowledge": True, "mail": key}
    if message is not None:
        fields |= {"channel": str(Channel.EMAIL), "name": message.name, "email": message.sender}
        fields |= {"text": (message.text or message.quoted or message.subject)[:LONGEST]}
        fields |= {"acknowledge": not message.automatic}  # machines must not answer each other
        fields |= {"context": f"Objet du message : {message.subject}" if message.subject else ""}
        if message.sent is not None:
            fields["received"] = message.sent.astimezone(zone).date()
    form = NewForm(formdata=None, data=fields)
    form.know(parts().labels)
    return form


def _page(form: NewForm, key: str, message: Incoming | None, *, status: int = 200) -> Response:
    mail = view_of(key, message) if message is not None else None
    context = NewPage(theme_words(parts().thesaurus), mail)
    join = JoinForm(formdata=None, reference=mail.match if mail else "")
    return shown("desk-new.html", context, section="guichet", form=form, join=join, status=status)


def _received(form: NewForm, asked: Asked, message: Incoming | None) -> Question:
    """Keep all that was typed, and the message. Raises InvalidValue."""
    desk, me, now = parts().desk, identity().person, datetime.now(UTC)
    came, minutes = _moment(form, message, now), minutes_of(form.minutes)
    asker = parts().askers.known(form.email.data or "", form.name.data or "", form.phone.data or "")
    question = desk.receive(asked, asker, person=me, now=came)
    if message is not None and desk.hear(question.id, said_of(message), person=me, now=came) is None:
        raise InvalidValue("mail", "ce message est déjà dans une question : cherchez-la dans le guichet")
    if minutes is not None:
        desk.spend(question.id, minutes, None, person=me)
    if form.mine.data and me is not None:
        desk.claim(question.id, me)
    if form.acknowledge.data:
        desk_letters.acknowledge(parts(), desk.get(question.id), limited=False)
    return desk.get(question.id)


def _moment(form: NewForm, message: Incoming | None, now: datetime) -> datetime:
    """When the question came: now, at noon of the day that was typed, or when the message was sent."""
    zone = parts().calendar.zone
    today = now.astimezone(zone).date()
    day = form.day(today)
    if message is not None and message.sent is not None and message.sent.astimezone(zone).date() == day:
        return message.sent
    return now if day == today else datetime.combine(day, _NOON, zone).astimezone(UTC)
