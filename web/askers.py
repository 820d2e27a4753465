"""Views of what is kept of the persons who ask: found, handed to them, erased, and the ledger of what was
forgotten.

Nothing of a person stands in an address: who is looked for is sent by a form, and shown by number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, Response, flash, request
from markupsafe import Markup

from kb.accounts import Right
from kb.askers import Asker
from kb.privacy import Cause, Erasure
from kb.questions import Channel, Question, QuestionState
from web import kept_mail, markdown
from web.activity_words import label
from web.desk_words import CHANNELS, STATES, opening
from web.forms import EraseAskerForm, FindAskerForm, Plain
from web.guard import EXPORTS, needs
from web.rendering import gone_to, parts, shown
from web.typography import counted

views = Blueprint("askers", __name__)

_MOST = 50
_LONGEST = 120  # characters of a question in a list
_LINES = 30
_LAST_LINE = 100_000
_KINDS = {
    "askers": ("demandeur", "demandeurs"),
    "questions": ("question", "questions"),
    "exchanges": ("échange", "échanges"),
    "notes": ("note interne", "notes internes"),
    "enclosures": ("pièce jointe", "pièces jointes"),
    "drafts": ("brouillon", "brouillons"),
    "answers": ("réponse", "réponses"),
    "messages": ("courriel", "courriels"),
    "copies": ("copie à publier", "copies à publier"),
    "versions": ("ancienne version publiée", "anciennes versions publiées"),
}


@dataclass(frozen=True, slots=True)
class AskerRow:
    """Somebody who asked, in a list."""

    id: int
    name: str
    email: str
    questions: int


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What was forgotten once."""

    at: datetime
    why: str
    questions: tuple[str, ...]
    counts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskersPage:
    """Who was found, and the ledger; ``found`` None when nobody was looked for, ``more`` when not all are
    shown."""

    found: tuple[AskerRow, ...] | None
    more: bool
    ledger: tuple[LedgerLine, ...]
    months: int
    overdue: int
    older_url: str | None


@dataclass(frozen=True, slots=True)
class AskedView:
    """One question of a person."""

    reference: str
    url: str
    first: str
    received: datetime
    state: str
    forgotten_on: date | None


@dataclass(frozen=True, slots=True)
class AskerPage:
    """All that is kept of one person, in short. ``open`` of their questions are owed an answer; ``named``:
    published answers in which they can be recognised."""

    id: int
    name: str
    email: str
    phone: str
    since: datetime
    questions: tuple[AskedView, ...]
    open: int
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HandedWords:
    """A message from the person (``incoming``) or to them."""

    at: datetime
    incoming: bool
    channel: str
    subject: str
    text: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedQuestion:
    """One question as its asker is handed it; ``about`` is who asks, where and on what, in words."""

    reference: str
    received: datetime
    channel: str
    state: str
    text: str
    context: str
    about: str
    wanted_by: date | None
    consent: bool
    answer: Markup
    exchanges: tuple[HandedWords, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedPage:
    """All that is kept of one person, to be read by them; moments are UTC, shown at the centre's clock."""

    id: int
    name: str
    email: str
    phone: str
    since: datetime
    made: datetime
    questions: tuple[HandedQuestion, ...]


@views.route("/demandeurs", methods=["GET", "POST"])
@needs(Right.MANAGE_ASKERS)
def askers() -> Response:
    """Look somebody up, and the ledger."""
    form = FindAskerForm()
    found = parts().askers.like(form.who.data, _MOST + 1) if form.validate_on_submit() else None
    offset = max(0, min(request.args.get("depuis", 0, int), _LAST_LINE))
    lines = parts().privacy.ledger(_LINES + 1, offset)
    page = AskersPage(
        found=None if found is None else tuple(map(_row, found[:_MOST])),
        more=found is not None and len(found) > _MOST,
        ledger=tuple(map(_line, lines[:_LINES])),
        months=parts().config.retention_months,
        overdue=parts().privacy.overdue(),
        older_url=f"/demandeurs?depuis={offset + _LINES}" if len(lines) > _LINES else None,
    )
    return shown("askers.html", page, section="guichet", form=form, status=400 if form.faults else 200)


def _row(asker: Asker) -> AskerRow:
    count = len(parts().privacy.questions_of(asker.id))
    return AskerRow(asker.id, asker.name or "sans nom", asker.email or "", count)


def _line(erasure: Erasure) -> LedgerLine:
    why = "à la demande de la personne" if erasure.why is Cause.REQUEST else "durée de conservation atteinte"
    counts = (counted(n, *_KINDS.get(kind, (kind, kind))) for kind, n in erasure.counts.items())
    return LedgerLine(erasure.at, why, erasure.questions, tuple(counts))


@views.get("/demandeurs/<int:id>")
@needs(Right.MANAGE_ASKERS)
def asker(id: int) -> Response:
    """What is kept of one person."""
    return shown("asker.html", _page(id), section="guichet", form=EraseAskerForm(), plain=Plain())


def _page(id: int) -> AskerPage:
    held, asked = parts().askers.get(id), parts().privacy.questions_of(id)
    forgotten_on = parts().privacy.forgotten_on([question.id for question in asked])
    return AskerPage(
        id=id,
        name=held.name or "",
        email=held.email or "",
        phone=held.phone or "",
        since=held.created,
        questions=tuple(_asked(question, forgotten_on.get(question.id)) for question in asked),
        open=sum(question.is_open for question in asked),
        named=parts().privacy.named_in(id),
    )


def _asked(question: Question, forgotten_on: date | None) -> AskedView:
    return AskedView(
        reference=question.reference,
        url=f"/guichet/{question.reference}",
        first=opening(question.text, _LONGEST),
        received=question.received,
        state=STATES[question.state] if question.merged_into is None else "réunie avec une autre",
        forgotten_on=forgotten_on,
    )


@views.post("/demandeurs/<int:id>/donnees")
@needs(Right.MANAGE_ASKERS, limit=EXPORTS)
def export(id: int) -> Response:
    """All that is kept of one person, to hand to them: a page to read and print with ``forme=page``, else a
    file for programs."""
    held = parts().privacy.everything(id)
    if request.form.get("forme") == "page":
        return shown("asker-data.html", _handed(id, held), section="guichet")
    body = json.dumps(held, ensure_ascii=False, indent=2)
    response = Response(body + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="demandeur-{id}.json"'
    return response


def _handed(id: int, held: Mapping[str, Any]) -> HandedPage:
    return HandedPage(
        id=id,
        name=held["name"] or "",
        email=held["email"] or "",
        phone=held["phone"] or "",
        since=datetime.fromisoformat(held["since"]),
        made=datetime.now(UTC),
        questions=tuple(map(_handed_question, held["questions"])),
    )


def _handed_question(told: Mapping[str, Any]) -> HandedQuestion:
    codes = {"actor": [told["actor"]], "territory": [told["territory"]], "theme": told["themes"]}
    labels = parts().labels
    named = [label(facet, code, labels) for facet, some in codes.items() for code in some if code]
    return HandedQuestion(
        reference=told["reference"],
        received=datetime.fromisoformat(told["received"]),
        channel=CHANNELS[Channel(told["channel"])],
        state=STATES[QuestionState(told["state"])],
        text=told["question"],
        context=told["context"],
        about=", ".join(named),
        wanted_by=date.fromisoformat(told["wanted_by"]) if told["wanted_by"] else None,
        consent=told["consent"],
        answer=markdown.rendered(told["answer"] or "", heading=4, site=parts().config.public_url),
        exchanges=tuple(map(_handed_words, told["exchanges"])),
    )


def _handed_words(said: Mapping[str, Any]) -> HandedWords:
    return HandedWords(
        at=datetime.fromisoformat(said["at"]),
        incoming=said["from"] == "asker",
        channel=CHANNELS[Channel(said["channel"])],
        subject=said["subject"] or "",
        text=said["text"],
        files=tuple(said["files"]),
    )


@views.post("/demandeurs/<int:id>/effacer")
@needs(Right.MANAGE_ASKERS)
def erase(id: int) -> Response:
    """Forget one person."""
    if not EraseAskerForm().validate_on_submit():
        flash("Rien n’a été effacé : cochez la case pour confirmer.")
        return gone_to(f"/demandeurs/{id}#effacer")
    _forget(id)
    flash("C’est effacé : identité, échanges, pièces jointes et courriels. Le registre en garde la trace.")
    return gone_to("/demandeurs")


def _forget(id: int) -> None:
    """Erase a person, and the messages of theirs that were dropped at the desk and wait for a decision."""
    address = parts().askers.get(id).email
    parts().privacy.erase(id)
    if address:
        kept_mail.forget(parts(), address)
