"""The letters of the desk: to those who ask, and to the staff about what came and what is late.

Hides how a message to an asker takes its place in the thread of its question, so that the answer to it finds
the question again, and that it is an exchange and a line of mail in one transaction. A letter to the staff
never says who asks, nor more of a question than its first words.
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from flask import has_request_context

from kb.desk import Wanted
from kb.errors import InvalidValue, NotFound, TooManyTries
from kb.limits import Limit
from kb.questions import OPEN, Channel, Question, Said
from kb.servicelog import StepKind
from kb.threads import Thread, new_message_id, reply_subject
from web import guard
from web.desk_words import CHANNELS, delay, opening, written_day
from web.parts import Parts
from web.typography import counted, spaced

log = structlog.get_logger()

MORNING = 7
"""Hour of the centre's clock from which the day's reminder may leave: it is there when people come in."""

RECEIPTS = Limit("accuses", 3, 3600)
"""Receipts to one address in an hour that nobody of the staff asked for: a person asks once or twice, and who
types the address of somebody else must not fill their box through us."""

_NAMED = 50  # late questions named in one reminder; the page has them all

_ACKNOWLEDGED = """\
Bonjour,

{centre} a bien reçu votre question. Elle porte le numéro {reference}.

Nous vous répondrons au plus tard le {day}.
{follow}
Pour ajouter une précision, vous pouvez aussi répondre à ce message sans changer son objet.

{centre}
"""
_FOLLOW = """
Pour la suivre, gardez cette adresse, et gardez-la pour vous : qui l’a peut lire votre question et notre
réponse.

{link}
"""
_ARRIVED = """\
Bonjour,

Une question est arrivée au guichet.

Numéro : {reference}
À rendre : {day}
Reçue par : {channel}
Qui demande : {actor}
Début : « {opening} »
{link}"""
_LATE = """\
Bonjour,

{count} au-delà du délai promis :

{lines}
{link}"""


def follow_url(question: Question) -> str:
    """The address of the asker's page, which is a secret of theirs; within a request."""
    return _follow_url(question, guard.site())


def _follow_url(question: Question, root: str) -> str:
    return f"{root}/suivi/{question.follow}"


def _root(parts: Parts) -> str:
    """Where links lead; "" when nobody has said so and there is no request to tell."""
    return guard.site() if has_request_context() else parts.config.public_url.rstrip("/")


# -- to the asker


def thread(parts: Parts, question: Question) -> Thread:
    """The place of a new message to the asker among those of its question, with an id of its own."""
    known = [e for e in parts.desk.exchanges(question.id) if e.message_id]
    ids = dict.fromkeys(id for e in known for id in (*e.references, e.message_id or ""))
    theirs = [e.message_id for e in known if e.incoming]
    parent = (theirs or [e.message_id for e in known] or [None])[-1]
    domain = parts.config.sender.rpartition("@")[2]
    former = tuple(id for id in ids if id != parent)
    return Thread(new_message_id(question.reference, domain), parent, former)


def address_of(parts: Parts, question: Question) -> str | None:
    """Where the asker can be written to."""
    if question.asker is None:
        return None
    try:
        return parts.askers.get(question.asker).email
    except NotFound:
        return None


def write(
    parts: Parts,
    question: Question,
    text: str,
    *,
    person: int | None = None,
    kind: StepKind = StepKind.WROTE,
    html: str | None = None,
    auto: bool = False,
    signed: bool = False,
    now: datetime | None = None,
) -> int:
    """Queue a mail to the asker and keep it among the exchanges; the number of the exchange. ``auto``: no
    person wrote it; ``signed``: the mail ends with the address to follow the question. Raises InvalidValue
    when they have no address, or one that cannot be written to."""
    address = address_of(parts, question)
    if address is None:
        raise InvalidValue("channel", "cette personne n’a pas d’adresse électronique")
    place = thread(parts, question)
    subject = _subject(parts, question)
    with parts.store.transaction():
        parts.outbox.put(
            address,
            subject,
            text + (_signature(parts, question) if signed else ""),
            thread=place,
            reply_to=parts.config.desk_mail or None,
            html=html,
            auto=auto,
        )
        said = Said(
            text=text,
            channel=Channel.EMAIL,
            subject=subject,
            message_id=place.message_id,
            references=place.line(),
        )
        return parts.desk.write(question.id, said, kind=kind, person=person, now=now)


def _signature(parts: Parts, question: Question) -> str:
    root = _root(parts)
    link = f"\nPour la suivre : {_follow_url(question, root)}" if root else ""
    return spaced(f"\n\n-- \nVotre question {question.reference}.{link}\n")


def _subject(parts: Parts, question: Question) -> str:
    """The subject of the asker's last mail, or one of ours, with the reference."""
    subjects = [e.subject for e in parts.desk.exchanges(question.id) if e.incoming and e.message_id]
    if subjects:
        return reply_subject(subjects[-1], question.reference)
    return spaced(f"{parts.config.centre_name} : votre question [Q {question.reference}]")


def acknowledge(parts: Parts, question: Question, *, limited: bool = True) -> bool:
    """Tell the asker that their question has come, with its number, its deadline and the address to follow
    it; whether it could be: beyond ``RECEIPTS`` it is not, unless the staff asked for it (``limited`` False).
    It repeats nothing that was typed in a form, which anybody could have typed for anybody."""
    root = _root(parts)
    text = _ACKNOWLEDGED.format(
        centre=parts.config.centre_name,
        reference=question.reference,
        day=written_day(question.due, year=True),
        follow=_FOLLOW.format(link=_follow_url(question, root)) if root else "",
    )
    address = address_of(parts, question)
    if address is None:
        return False
    try:
        if limited:
            parts.limits.take(RECEIPTS, address)
        write(parts, question, spaced(text), auto=True)
    except InvalidValue as error:
        log.error("desk.acknowledge", question=question.id, field=error.field)
        return False
    except TooManyTries:
        log.warning("desk.acknowledge", question=question.id, why="too many receipts to one address")
        return False
    return True


# -- to the staff


def tell_desk(parts: Parts, question: Question) -> int:
    """Tell those of ``desk_to`` that a question has come; letters queued."""
    root = _root(parts)
    actor = parts.labels.concept(question.actor) if question.actor else None
    text = _ARRIVED.format(
        reference=question.reference,
        day=written_day(question.due, year=True),
        channel=CHANNELS[question.channel],
        actor=actor.label if actor else "non précisé",
        opening=opening(question.text),
        link=f"\n{root}/guichet/{question.reference}\n" if root else "",
    )
    title = f"Question {question.reference}, à rendre {written_day(question.due)}"
    return _send(parts, title, text)


def remind_overdue(parts: Parts, now: datetime | None = None) -> int:
    """Queue the reminder of what is late, on the mornings of working days, once a day whichever process
    looks first; letters queued."""
    now = now or datetime.now(UTC)
    local = now.astimezone(parts.calendar.zone)
    today = local.date()
    if not _addresses(parts) or local.hour < MORNING or not parts.calendar.is_working(today):
        return 0
    with parts.store.transaction():
        if not parts.store.database.once(f"overdue:{today.isoformat()}"):
            return 0
        wanted = Wanted(states=OPEN, overdue_on=today)
        late = parts.desk.listed(wanted, _NAMED)
        return _send(parts, *_reminder(parts, late, parts.desk.count(wanted), now)) if late else 0


def _reminder(parts: Parts, late: tuple[Question, ...], count: int, now: datetime) -> tuple[str, str]:
    names = {person.id: person.name for person in parts.people.all()}
    lines = [
        f"- {one.reference}, due {written_day(one.due)}, {delay(one, parts.calendar, now)}, "
        f"{names.get(one.assignee or 0, 'à personne')} : « {opening(one.text)} »"
        for one in late
    ]
    if count > len(late):
        lines.append(f"- et {counted(count - len(late), 'autre')}")
    root = _root(parts)
    waiting = counted(count, "question attend une réponse", "questions attendent une réponse")
    text = _LATE.format(
        count=waiting, lines="\n".join(lines), link=f"\n{root}/guichet?retard=1\n" if root else ""
    )
    return f"{counted(count, 'question')} en retard", text


def _addresses(parts: Parts) -> tuple[str, ...]:
    given = parts.config.desk_to.split(",")
    return tuple(dict.fromkeys(address.strip() for address in given if address.strip()))


def _send(parts: Parts, title: str, text: str) -> int:
    """Letters queued; one address that is wrong does not keep it from the others."""
    sent = 0
    for address in _addresses(parts):
        try:
            subject = spaced(f"{parts.config.centre_name} : {title}")
            parts.outbox.put(address, subject, spaced(text + f"\n{parts.config.centre_name}\n"))
        except InvalidValue as error:
            log.error("desk.address", address=address, why=str(error))
        else:
            sent += 1
    return sent
