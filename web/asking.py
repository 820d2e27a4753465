"""Views for those who ask: what was already answered, the form, the page to follow a question.

Hides how often one address may send, and what is looked at before a question is taken. The text of a question
is sent by forms only, never in an address.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Blueprint, Response, flash, render_template, request
from markupsafe import Markup

from kb import quoting
from kb.accounts import Right
from kb.errors import InvalidValue
from kb.limits import Limit
from kb.questions import Asked, Channel, Exchange, Question, Said
from search.query import Request, Sort
from web import desk_letters, markdown, notices, proposed, robots
from web.ask_forms import AskForm, SayForm
from web.desk_words import CHANNELS, STATES, STATES_TOLD, written_day
from web.guard import address, fund, needs
from web.notices import Card, Link
from web.proposed import Already, Shown
from web.rendering import gone_to, parts, shown
from web.state import LONGEST_TEXT, SearchState

views = Blueprint("asking", __name__)

RECENT = 12
FOUND = 10  # answers near to a search: as many as the shortest page of results (``web.state.SIZES``)
SENDING = Limit("questions", 8, 3600)
"""Questions from one address in an hour: an office that shares one may send several."""
SAYING = Limit("suivi", 30, 3600)
PROPOSING = Limit("deja-repondu", 240, 600)
"""While somebody types: one request each time that they pause."""

QUICKEST = 4.0  # seconds from the form to its sending: nobody reads it and writes a question in less
_FORM = "question"  # as which its stamps are signed
_SHORTEST = 8  # characters below which nothing is proposed
_LOOKED_AT = 4000  # characters of a question that are compared with the fund: some two pages
_AT_ONCE = timedelta(minutes=1)  # an answer is marked as sent in the transaction that writes its letter
_NO_WORD = re.compile(r"[^\s]{201,}")
"""No name, number or address is as long. What looks for them takes time by the square of such a run: 16 s for
10,000 characters of « 1-1-1… », in which the process would answer nobody."""


@dataclass(frozen=True, slots=True)
class QuestionsPage:
    """Questions that were answered, the newest first; ``found`` those near to ``q``, the best first, and
    ``fund_url`` the search for it in all that the centre holds."""

    total: int
    recent: tuple[Card, ...]
    all_url: str
    days: int
    q: str
    found: tuple[Shown, ...]
    fund_url: str


@dataclass(frozen=True, slots=True)
class Personal:
    """Something in what was typed that says who somebody is."""

    field: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class AskPage:
    """The form; ``already`` None until something was looked for; ``personal`` asks for a second look."""

    already: Already | None
    personal: tuple[Personal, ...]
    stamp: str
    seen: str
    days: int


@dataclass(frozen=True, slots=True)
class SourceView:
    """What an answer cites, and the pages of it that the reader may open."""

    title: str
    url: str
    pages: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class SaidView:
    """What was said, as the asker sees it; ``answer`` is the HTML of the answer that it brought."""

    mine: bool
    at: datetime
    channel: str
    text: str
    files: tuple[str, ...]
    answer: Markup | None = None
    sources: tuple[SourceView, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowPage:
    """One question, as its asker follows it; ``part_of`` the number of the one that it was merged into."""

    reference: str
    part_of: str
    text: str
    context: str
    state: str
    told: str
    due: str
    received: datetime
    said: tuple[SaidView, ...]
    may_write: bool
    public_url: str | None
    follow: str


@views.get("/questions")
@views.get("/questions.json")
@needs(Right.VISIT)
def questions() -> Response:
    """What others asked, and the way to ask. ``q`` is a search, not a question that somebody sends."""
    q = request.args.get("q", "").strip()[:LONGEST_TEXT]
    near = proposed.already(fund(), q, most_answers=FOUND, most_passages=0).answers if q else ()
    found = fund().engine.search(Request(filters=(("type", ("question",)),), sort=Sort.NEWEST, limit=RECENT))
    held = fund().store.get_many([hit.id for hit in found.hits])
    url = SearchState().with_facet("type", ("question",)).url()
    page = QuestionsPage(
        total=found.total,
        recent=tuple(map(notices.card, held.values())),
        all_url=url,
        days=parts().config.answer_days,
        q=q,
        found=near,
        fund_url=SearchState(q=q).url(),
    )
    return shown("questions.html", page, section="questions")


# -- asking


@views.route("/poser-une-question", methods=["GET", "POST"])
@needs(Right.VISIT)
def ask() -> Response:
    """The form. What is sent first shows what was already answered; sent again, it is asked."""
    form = AskForm.of(fund().thesaurus, datetime.now(parts().calendar.zone).date())
    if request.method == "GET":
        return _form_page(form)
    if not form.validate():
        return _form_page(form, status=400)
    if form.is_robot:
        return _form_page(
            form, note="L’envoi n’a pas abouti. Relisez votre question, puis envoyez-la de nouveau."
        )
    already, personal = _already(form.text.data), _personal(form)
    unseen = not already.is_empty and form.seen.data != _digest(form.text.data)
    doubtful = bool(personal) and not form.sure.data
    if request.form.get("geste") == "voir" or unseen or doubtful:
        return _form_page(form, already=already, personal=personal)
    if not robots.took_time(form.stamp.data, _FORM, QUICKEST):
        note = "Relisez votre question, puis envoyez-la."
        return _form_page(form, already=already, personal=personal, note=note)
    return _receive(form)


def _receive(form: AskForm) -> Response:
    parts().limits.take(SENDING, address())
    try:
        with parts().store.transaction():
            asker = parts().askers.known(form.email.data or "")
            question = parts().desk.receive(_asked(form), asker)
            sent = desk_letters.acknowledge(parts(), question)
            desk_letters.tell_desk(parts(), question)
    except InvalidValue as error:
        form.blame(error)
        return _form_page(form, status=400)
    mailed = " Un courriel vous le confirme, avec l’adresse de cette page." if sent else ""
    flash(f"Votre question a le numéro {question.reference}.{mailed}")
    return gone_to(f"/suivi/{question.follow}")


def _asked(form: AskForm) -> Asked:
    return Asked(
        text=form.text.data,
        context=form.context.data or "",
        channel=Channel.FORM,
        actor=form.actor.data or None,
        territory=form.territory.data or None,
        wanted_by=form.wanted_by.data,
        consent=form.consent.data,
    )


def _form_page(
    form: AskForm,
    *,
    already: Already | None = None,
    personal: Sequence[Personal] = (),
    note: str = "",
    status: int = 200,
) -> Response:
    if note:
        form.form_errors.append(note)
    if already is None and form.faults and len((form.text.data or "").strip()) >= _SHORTEST:
        already = _already(form.text.data)  # what is seen beside the faults need not be seen again
    page = AskPage(
        already=already,
        personal=tuple(personal),
        stamp=robots.stamped(form.stamp.data, _FORM),
        seen=_digest(form.text.data) if already is not None else "",
        days=parts().config.answer_days,
    )
    return shown("ask.html", page, section="questions", form=form, status=status)


@views.post("/deja-repondu")
@needs(Right.VISIT, limit=PROPOSING)
def already_answered() -> Response:
    """What was already answered, while somebody types: a piece of the page, and the digest of what was
    seen."""
    text = request.form.get("text", "")
    found = _already(text)
    html = render_template("_already.html", already=found)
    response = Response(html, mimetype="text/html")
    response.headers["X-Seen"] = _digest(text)
    return response


def _already(text: str) -> Already:
    return proposed.already(fund(), text[:_LOOKED_AT]) if len(text.strip()) >= _SHORTEST else Already()


_KINDS = {
    "name": "un nom de personne",
    "phone": "un numéro de téléphone",
    "email": "une adresse électronique",
    "address": "une adresse postale",
    "birth": "une date de naissance",
    "plate": "une immatriculation",
    "link": "un profil en ligne",
}


def _personal(form: AskForm) -> tuple[Personal, ...]:
    finder = parts().anonymiser
    found = [
        Personal(field.label.text, one.text, _KINDS.get(str(one.kind), "un numéro personnel"))
        for field in (form.text, form.context)
        for one in finder.quick(_NO_WORD.sub(" ", field.data or ""))
    ]
    return tuple(dict.fromkeys(found))


def _digest(text: str | None) -> str:
    """What tells whether a text is the one for which proposals were seen: small changes count for nothing."""
    return hashlib.sha256(" ".join((text or "").lower().split())[:80].encode()).hexdigest()[:16]


# -- following


@views.route("/suivi/<follow>", methods=["GET", "POST"])
@needs(Right.VISIT)
def follow(follow: str) -> Response:
    """One question and what was said of it; the asker may add something."""
    question = parts().desk.by_follow(follow)
    form = SayForm()
    if form.validate_on_submit():
        parts().limits.take(SAYING, address())
        try:
            parts().desk.hear(question.id, Said(text=form.text.data, channel=Channel.FORM))
        except InvalidValue as error:
            form.blame(error)
        else:
            flash("C’est transmis. Nous en tenons compte.")
            return gone_to(f"/suivi/{follow}")
    return shown(
        "follow.html",
        _follow_page(question),
        section="questions",
        form=form,
        status=400 if form.faults else 200,
    )


@views.after_app_request
def _keep_secret(response: Response) -> Response:
    """The address of a question is a secret: it is told to no other site, and found by no search engine."""
    if request.path.startswith("/suivi/"):
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Cache-Control"] = "private, no-store"
    return response


def _follow_page(question: Question) -> FollowPage:
    """What its asker sees: what the program wrote by itself (the receipt) is only in their mail.

    Of one that was merged, its own words and where the whole stands, nothing more: whoever typed the address
    of somebody else has a page too, and that it was taken for the same person's proves nothing.
    """
    own, question = question, parts().desk.get(parts().desk.current(question.id))
    merged = own.id != question.id
    said = () if merged else _conversation(question)
    return FollowPage(
        reference=own.reference,
        part_of=question.reference if merged else "",
        text=own.text,
        context=own.context,
        state=STATES[question.state],
        told=STATES_TOLD[question.state],
        due=written_day(question.due, year=True) if question.is_open else "",
        received=own.received,
        said=said,
        may_write=True,
        public_url=_public_url(question),
        follow=own.follow,
    )


def _conversation(question: Question) -> tuple[SaidView, ...]:
    """What was said, oldest first. The mail that brought the answer is told by the answer itself."""
    exchanges, answer = parts().desk.exchanges(question.id), parts().answers.get(question.id)
    brought = _brought(exchanges, answer.sent) if answer.is_sent else None
    return tuple(
        _answered(one, answer.body) if one is brought else _said(one)
        for one in exchanges
        if one.incoming or one.person
    )


def _brought(exchanges: Sequence[Exchange], sent: datetime | None) -> Exchange | None:
    """The exchange by which an answer left: the last of the desk's until then."""
    written = [one for one in exchanges if sent and not one.incoming and one.at <= sent <= one.at + _AT_ONCE]
    return max(written, key=lambda one: (one.at, one.id), default=None)


def _said(exchange: Exchange) -> SaidView:
    typed = exchange.channel is Channel.FORM
    return SaidView(
        mine=exchange.incoming,
        at=exchange.at,
        channel=CHANNELS[exchange.channel],
        text=exchange.text if typed else _unwrapped(exchange.text),
        files=exchange.enclosures,
    )


def _answered(exchange: Exchange, body: str) -> SaidView:
    site = parts().config.public_url
    html = markdown.rendered(body, heading=3, site=site)
    return replace(_said(exchange), answer=html, sources=_sources(body, site))


def _sources(body: str, site: str) -> tuple[SourceView, ...]:
    """What the text cites of the fund, as far as this visitor may see it."""
    cited = {source.record: source.pages for source in quoting.sources(body, site) if source.record}
    held = fund().store.get_many(list(cited))
    readable = fund().store.page_texts([(id, number) for id in held for number in cited[id]])
    return tuple(
        SourceView(
            title=record.title,
            url=notices.record_url(id),
            pages=tuple(Link(f"p. {n}", notices.page_url(id, n)) for n in cited[id] if (id, n) in readable),
        )
        for id, record in held.items()
    )


_NARROW = (72, 78)
"""Columns at which programs for mail cut lines: at most 78 by RFC 5322 (2.1.1), 72 in many."""
_STANDS_ALONE = re.compile(r"\s*(?:$|>|[-*•–—_=]+(?:\s|$)|\d{1,3}[.)]\s)")


def _unwrapped(text: str) -> str:
    """A text without the ends of lines that a mail program made: those after which the next word did not
    fit."""
    lines: list[str] = []
    last = 0
    for line in text.split("\n"):
        word = line.lstrip(" ").split(" ", 1)[0]
        full = last <= _NARROW[1] and last + 1 + len(word) > _NARROW[0]
        if last and full and not _STANDS_ALONE.match(line):
            lines[-1] = f"{lines[-1].rstrip()} {line.strip()}"
        else:
            lines.append(line)
        last = len(line.rstrip())
    return "\n".join(lines)


def _public_url(question: Question) -> str | None:
    """Where the published answer is, if this visitor may read it."""
    found = fund().store.find("question", question.reference)
    return next((notices.record_url(id) for id in fund().store.get_many(found)), None)
