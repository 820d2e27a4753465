"""A document of another centre is asked of it, by a letter that leaves from here.

Hides which of its holders can be written to, how often, and what is kept: that a document was asked of a
centre on some day, never by whom. The line of the trail is a visitor's, whoever is signed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from kb.accounts import VISITOR, Person, Right, regular_email
from kb.audit import Action, acting
from kb.errors import InvalidValue, NotFound, TooManyTries
from kb.limits import Limit
from kb.mail import KEPT
from kb.records import TYPES, Record
from kb.requests import Requests
from web import holders, notices, request_letters, robots
from web.guard import address, fund, identity, needs
from web.holders import Holder
from web.rendering import gone_to, parts, shown
from web.request_forms import WANTED, RequestForm
from web.typography import written_date

views = Blueprint("requesting", __name__)

SENDING = Limit("demandes", 8, 3600)
"""Requests from one address in an hour, as many as questions: an office that shares one may send several."""
RECEIVING = Limit("demandes-recues", 30, 3600)
"""Requests to one centre in an hour, whoever sends them: nobody fills its box through us."""
ONCE = Limit("demande-meme", 1, 900)
"""The same document for the same address: who presses the button twice writes one letter."""

QUICKEST = 3.0  # seconds from the form to its sending: there is less to type than for a question
_FORM = "demande"  # as which its stamps are signed
_SHOWN_FOR = 24 * 3600  # seconds for which the page that says what was sent can be read again


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The document: ``url`` of its notice here."""

    title: str
    kind: str
    authors: str
    date: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    """The form. ``holders`` can be written to, ``others`` cannot; ``ours`` is what our own centre has of it.
    ``sites`` are the public sites of those who cannot, by code."""

    document: Wanted
    holders: tuple[Holder, ...]
    others: tuple[Holder, ...]
    ours: Holder | None
    sites: dict[str, str]
    stamp: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPage:
    """What was sent, to whom: ``receipt`` whether a receipt left too, ``again`` whether this was sent already
    a moment ago, ``days`` for which the queue of mail remembers whom it wrote to."""

    document: Wanted
    holder: str
    wanted: str
    receipt: bool
    again: bool
    days: int


@views.route("/notice/<id>/demander", methods=["GET", "POST"])
@needs(Right.VISIT)
def ask(id: str) -> Response:
    """The form, and its sending. A document of ours is at hand: its notice says where."""
    record = fund().store.get(id)
    if fund().store.elsewhere(id) is None:
        return gone_to(notices.record_url(id))
    told = [one for one in holders.holders(fund(), record) if not one.ours]
    reached = tuple(one for one in told if _contact(one.code))
    chosen = record.centre if _contact(record.centre) else next((one.code for one in reached), "")
    form = RequestForm.of(((one.code, one.name) for one in reached), chosen, _person())
    if request.method == "GET" or not reached:
        return _form_page(record, reached, form)
    if not form.validate():
        return _form_page(record, reached, form)
    if form.is_robot or not robots.took_time(form.stamp.data, _FORM, QUICKEST):
        form.form_errors.append("Relisez votre demande, puis envoyez-la.")
        return _form_page(record, reached, form)
    return _send(record, reached, form)


def _send(record: Record, reached: tuple[Holder, ...], form: RequestForm) -> Response:
    """Send it, and go to the page that says so; the form again when the address cannot be written to."""
    asked = _held_by(record, form.centre.data)
    try:
        receipt, again = _write(asked, form), False
    except _Sent:
        receipt, again = False, True
    except InvalidValue as error:
        form.blame(error)
        return _form_page(record, reached, form)
    told = _signer().dumps([asked.centre, form.wanted.data, receipt, again])
    return gone_to(f"{notices.record_url(record.id)}/demander/envoyee?recu={told}")


class _Sent(Exception):
    """The same was sent a moment ago."""


def _write(asked: Record, form: RequestForm) -> bool:
    """Queue the letter and the receipt, and count the request, all or nothing; whether a receipt left."""
    letter, origins = form.letter(), parts().mirrors.origins([asked.id])
    with parts().store.transaction(), acting(VISITOR.actor):
        try:
            parts().limits.take(ONCE, f"{asked.id} {letter.email}")
        except TooManyTries as error:
            raise _Sent from error
        parts().limits.take(SENDING, address())
        parts().limits.take(RECEIVING, asked.centre)
        request_letters.write_to_holder(parts(), _contact(asked.centre), asked, origins[asked.id], letter)
        today = datetime.now(parts().calendar.zone).date()
        Requests(parts().store.database).note(asked.centre, asked.id, today)
        parts().trail.note(Action.DOCUMENT_REQUESTED, f"notice:{asked.id}")
        holder = parts().labels.of("centre", asked.centre)
        return request_letters.write_receipt(parts(), letter.email, asked, holder)


@views.get("/notice/<id>/demander/envoyee")
@needs(Right.VISIT)
def sent(id: str) -> Response:
    """What was sent, and to whom: the address says so, signed, and nothing of who asked."""
    record = fund().store.get(id)
    try:
        code, wanted, receipt, again = _signer().loads(request.args.get("recu", ""), max_age=_SHOWN_FOR)
    except BadSignature:
        return gone_to(f"{notices.record_url(id)}/demander")
    page = SentPage(
        document=_told(record),
        holder=parts().labels.of("centre", code),
        wanted=WANTED[wanted],
        receipt=receipt,
        again=again,
        days=KEPT.days,
    )
    return shown("request-sent.html", page, section="fonds")


def _form_page(record: Record, reached: tuple[Holder, ...], form: RequestForm) -> Response:
    told = holders.holders(fund(), record)
    others = tuple(one for one in told if not one.ours and one not in reached)
    page = RequestPage(
        document=_told(record),
        holders=reached,
        others=others,
        ours=next((one for one in told if one.ours), None),
        sites={one.code: site for one in others if (site := _site(one.code))},
        stamp=robots.stamped(form.stamp.data, _FORM),
        days=KEPT.days,
    )
    status = 400 if form.faults else 200
    return shown("request.html", page, section="fonds", form=form, status=status)


def _told(record: Record) -> Wanted:
    return Wanted(
        title=record.title,
        kind=TYPES[record.type],
        authors=notices.authors(record),
        date=written_date(record.date),
        url=notices.record_url(record.id),
    )


def _held_by(record: Record, centre: str) -> Record:
    """The record of the work that this centre holds; the one that was opened before another of its own."""
    some = [one for one in holders.members(fund(), record) if one.centre == centre]
    return next((one for one in some if one.id == record.id), some[0])


def _person() -> Person | None:
    """Who is signed in."""
    person = identity().person
    return parts().people.get(person) if person is not None else None


def _contact(code: str) -> str:
    """Where a centre is written to; "" when it gives no address, or one that no mail reaches."""
    contact = fund().contact(code)
    try:
        regular_email(contact)
    except InvalidValue:
        return ""
    return contact


def _site(code: str) -> str:
    try:
        return parts().centres.get(code).url
    except NotFound:
        return ""


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="demande-envoyee")
