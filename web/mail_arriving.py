"""A message that came to the desk, made an exchange of its question or a question of its own.

Hides what is sure of a message when nobody is there to decide: what may be wrong becomes a new question with
a note that says where it may belong, so that nothing is lost and nobody reads what is not theirs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import IO

import structlog

from ingest.incoming import Incoming
from kb.errors import InvalidValue
from kb.questions import LONGEST, Asked, Channel, Question, Said
from kb.threads import Match, Why
from web import desk_letters, kept_mail
from web.parts import Parts
from web.typography import spaced

log = structlog.get_logger()

_LONG_AGO = timedelta(days=365)
"""A message that says it is older was written by a clock that is wrong, or found in a drawer: it counts from
when it came. Older questions are taken in by the import."""

_LONGEST_NOTE = 8000  # characters of a machine's message in a note


def arrive(parts: Parts, stream: IO[bytes]) -> Question | None:
    """Take a message in without anybody; the question that has it now, None when it was there already.
    Raises UnreadableDocument, StorageError."""
    key = kept_mail.keep(parts, stream)
    try:
        message = kept_mail.read(parts, key)
        with parts.store.transaction():
            question = _settled(parts, message, kept_mail.match(parts, message))
    finally:
        kept_mail.drop(parts, key)
    told = question.reference if question else None
    log.info("mail.arrived", question=told, automatic=message.automatic)
    return question


def _settled(parts: Parts, message: Incoming, found: Match) -> Question | None:
    if found.why is Why.SAME:
        return None
    if found.question is None or not found.sure:
        return _asked(parts, message, found)
    if message.automatic:
        parts.desk.note(found.question, note_of(message))
        return parts.desk.get(found.question)
    number, _ = heard(parts, message, found, parts.desk.get(found.question), person=None)
    return None if number is None else parts.desk.get(found.question)


def heard(
    parts: Parts, message: Incoming, found: Match, question: Question, *, person: int | None
) -> tuple[int | None, bool]:
    """Make a message an exchange of a question: its number, None when it is in one already; and whether it
    comes from somebody else than the asker, which a note says then. In the transaction of who calls."""
    at = max(sent_of(message, datetime.now(UTC)), question.received)
    number = parts.desk.hear(question.id, said_of(message), person=person, now=at)
    stranger = found.question != question.id or found.why in (Why.ANSWERS_FOR, Why.STRANGER)
    if number is not None and stranger:
        whose = message.sender or "une adresse illisible"
        text = f"Un message joint à cette question vient de {whose}, qui n’est pas l’adresse du demandeur."
        parts.desk.note(question.id, text, person=person)
    if number is not None and not stranger:
        _name(parts, message, question)
    return number, stranger


def _name(parts: Parts, message: Incoming, question: Question) -> None:
    """Keep how the asker signs their mail, when nothing was known of their name."""
    held = parts.askers.by_email(message.sender)
    if held is not None and held.id == question.asker:
        _asker(parts, message)


def _asked(parts: Parts, message: Incoming, found: Match) -> Question | None:
    """A new question of who wrote. A machine is not answered."""
    desk, now = parts.desk, datetime.now(UTC)
    if message.message_id and desk.of_message(message.message_id) is not None:
        return None
    words = next((text for text in (message.text, message.quoted, message.subject) if text.strip()), "")
    asked = Asked(
        text=words[:LONGEST] or spaced("Message sans texte : voir les échanges."),
        context=spaced(f"Objet du message : {message.subject}") if message.subject else "",
        channel=Channel.EMAIL,
    )
    received = sent_of(message, now)
    question = desk.receive(asked, _asker(parts, message), now=received)
    desk.hear(question.id, said_of(message), now=received)
    for text in _remarks(parts, message, found):
        desk.note(question.id, text)
    if not message.automatic:
        desk_letters.acknowledge(parts, question)
    desk_letters.tell_desk(parts, question)
    return desk.get(question.id)


def _asker(parts: Parts, message: Incoming) -> int | None:
    """The number of who wrote; a name that cannot be kept is left, and so is an address."""
    for name in (message.name, ""):
        try:
            return parts.askers.known(message.sender, name)
        except InvalidValue:
            continue
    return None


def _remarks(parts: Parts, message: Incoming, found: Match) -> list[str]:
    lines = list(message.warnings)
    if message.automatic:
        lines.append("Ce message semble venir d’une machine : il n’y a pas eu d’accusé de réception.")
    if found.question is not None:
        reference = parts.desk.get(found.question).reference
        lines.append(
            f"L’objet porte le numéro {reference}, mais le message ne vient pas de son demandeur. Si c’est "
            "bien la même question, fusionnez-les."
        )
    elif found.why is Why.UNKNOWN:
        lines.append("L’objet porte un numéro de question qui n’existe pas.")
    return [spaced(line) for line in lines]


# -- a message in other words


def sent_of(message: Incoming, now: datetime) -> datetime:
    """When it was sent as far as that can be believed, else ``now``: a sender's clock must make no question
    of another century, late since then."""
    sent = message.sent
    return now if sent is None or not now - _LONG_AGO <= sent <= now else sent


def said_of(message: Incoming) -> Said:
    """A message as an exchange; one that only repeats is shown whole."""
    text, quoted = (message.text, message.quoted) if message.text.strip() else (message.quoted, "")
    return Said(
        text=text if text.strip() or message.enclosures else message.subject,
        channel=Channel.EMAIL,
        subject=message.subject,
        quoted=quoted,
        message_id=message.message_id,
        references=message.references,
        enclosures=message.enclosures,
    )


def note_of(message: Incoming) -> str:
    """A machine's message as a note of the staff."""
    what = "Retour de non-remise" if message.bounce else "Message automatique"
    text = (message.text or message.quoted)[:_LONGEST_NOTE]
    return f"{what} de {message.sender or 'expéditeur inconnu'} : {message.subject}\n\n{text}".strip()
