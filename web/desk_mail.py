"""Views that take a message in: it joins its question, becomes a new one, or waits for a decision.

Hides what is sure of a message and what is not. A machine's message never moves a question: at most it is
noted for colleagues.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, request

from ingest.incoming import Incoming
from kb.accounts import Right
from kb.errors import IngestError, NotFound, Reason
from kb.questions import Question
from kb.threads import Match, Why
from web import kept_mail
from web.desk_forms import JoinForm
from web.forms import Plain
from web.guard import identity, needs
from web.mail_arriving import heard, note_of
from web.messages import explain
from web.rendering import gone_to, parts
from web.typography import spaced

views = Blueprint("desk_mail", __name__)

NEW = "/guichet/nouvelle"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailView:
    """A message that waits for a decision; ``match`` is the reference of the question it may belong to."""

    key: str
    sender: str
    name: str
    subject: str
    automatic: bool
    bounce: bool
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    match: str
    why: str


_WHY = {
    Why.ANSWERS: "Il répond à l’un de nos messages.",
    Why.ANSWERS_FOR: "Il répond à l’un de nos messages, depuis une autre adresse que celle du demandeur.",
    Why.SUBJECT: "Son objet porte le numéro de cette question, et il vient du demandeur.",
    Why.STRANGER: "Son objet porte le numéro de cette question, mais il ne vient pas du demandeur.",
    Why.UNKNOWN: "Son objet porte un numéro de question qui n’existe pas.",
}


def view_of(key: str, message: Incoming) -> MailView:
    """A message that waits, as the page shows it."""
    found = kept_mail.match(parts(), message)
    held = parts().desk.get(found.question) if found.question is not None else None
    return MailView(
        key=key,
        sender=message.sender,
        name=message.name,
        subject=message.subject,
        automatic=message.automatic,
        bounce=message.bounce,
        files=tuple(file.name for file in message.enclosures),
        warnings=message.warnings,
        match=held.reference if held else "",
        why=spaced(_WHY.get(found.why, "")),
    )


@views.post("/guichet/courriel")
@needs(Right.ANSWER, largest=kept_mail.LARGEST, fields=10)
def drop() -> Response:
    """Take in a message that somebody saved as a file."""
    file = request.files.get("mail")
    if not Plain().validate_on_submit() or file is None or not file.filename:
        flash("Aucun message choisi : choisissez un fichier .eml, puis déposez-le.")
        return gone_to(NEW)
    key = kept_mail.keep(parts(), file.stream)
    try:
        message = kept_mail.read(parts(), key)
    except IngestError as error:
        kept_mail.drop(parts(), key)
        flash(spaced(_unreadable(error)))
        return gone_to(NEW)
    found = kept_mail.match(parts(), message)
    if found.question is not None and found.sure and (found.why is Why.SAME or not message.automatic):
        return _joined(key, message, found, parts().desk.get(found.question))
    return gone_to(f"{NEW}?courriel={key}")


def _unreadable(error: IngestError) -> str:
    """Why a file was not taken; what is said of documents in general would send people to save a PDF."""
    if error.reason in (Reason.UNSUPPORTED, Reason.EMPTY, Reason.DAMAGED):
        return (
            "Ce fichier n’est pas un courriel enregistré (.eml) : dans votre messagerie, ouvrez le message, "
            "enregistrez-le au format .eml, puis déposez ce fichier."
        )
    return f"Ce message ne peut pas être lu. {explain(error)}"


@views.post("/guichet/courriel/<key>/joindre")
@needs(Right.ANSWER)
def join(key: str) -> Response:
    """Put a message where somebody says that it belongs."""
    form, message = JoinForm(), kept_mail.read(parts(), key)
    if not form.validate_on_submit():
        return gone_to(f"{NEW}?courriel={key}")
    typed = (form.reference.data or "").strip()
    try:
        held = parts().desk.by_reference(typed)
    except NotFound:
        flash(spaced(f"Il n’y a pas de question « {typed} » : vérifiez son numéro."))
        return gone_to(f"{NEW}?courriel={key}")
    question = parts().desk.get(parts().desk.current(held.id))
    if message.automatic:
        parts().desk.note(question.id, note_of(message), person=identity().person)
        kept_mail.drop(parts(), key)
        flash(spaced(f"Le message est noté sur la question {question.reference}, pour l’équipe seulement."))
        return gone_to(f"/guichet/{question.reference}#notes")
    return _joined(key, message, kept_mail.match(parts(), message), question)


@views.post("/guichet/courriel/<key>/abandonner")
@needs(Right.ANSWER)
def give_up(key: str) -> Response:
    """Let go of a message that waits."""
    if Plain().validate_on_submit():
        kept_mail.drop(parts(), key)
        flash("Le message n’est pas gardé.")
    return gone_to(NEW)


def _joined(key: str, message: Incoming, found: Match, question: Question) -> Response:
    """Make a message an exchange of its question, and say so."""
    with parts().store.transaction():
        number, stranger = heard(parts(), message, found, question, person=identity().person)
    kept_mail.drop(parts(), key)
    if number is None:
        known = parts().desk.of_message(message.message_id or "")
        question = parts().desk.get(known) if known is not None else question
        flash(spaced(f"Ce message est déjà dans la question {question.reference} : rien n’a été ajouté."))
    else:
        flash(spaced(_told(found, message, question, stranger)))
    return gone_to(f"/guichet/{question.reference}#echanges")


def _told(found: Match, message: Incoming, question: Question, stranger: bool) -> str:
    after = parts().desk.get(question.id).state
    told = f"Le message a rejoint la question {question.reference}."
    if stranger:
        told += f" Attention : il vient de {message.sender or 'une adresse illisible'}, pas du demandeur."
    if after is not question.state:
        told += " La question est de nouveau en cours."
    elif not question.is_open:
        told += " Elle garde son état : dites s’il y a quelque chose à répondre."
    return told
