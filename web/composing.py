"""Views where an answer is written, with what was already answered and the passages of the fund beside it.

Hides that every gesture keeps what was typed before it does anything else: the text goes into the person's
draft, or is saved, and only then is something added, looked for, or sent. No text of an answer stands in an
address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, get_template_attribute, jsonify, render_template, request
from markupsafe import Markup

from kb.accounts import Right
from kb.answers import Answer
from kb.errors import Conflict, InvalidValue, KBError, NotFound, OnTheSpot
from kb.limits import Limit
from kb.questions import LONGEST_ANSWER, Channel, Question
from web import compose_checks, compose_panel, compose_quoting, compose_sending, desk_letters
from web.compose_forms import AnswerForm
from web.compose_page import CARRIED, answer_url, clash, clock, form_of, heard, me, page_of, writing
from web.compose_quoting import Place
from web.compose_sending import Sending
from web.desk_forms import minutes_of
from web.guard import fund, identity, needs, site
from web.messages import explain, status_code
from web.rendering import gone_to, parts
from web.typography import spaced

views = Blueprint("composing", __name__)

DRAFTS = Limit("brouillons", 900, 600)
"""A draft every few seconds in each of several windows."""


@views.route("/guichet/<reference>/reponse", methods=["GET", "POST"])
@views.get("/guichet/<reference>/reponse.json")
@needs(Right.ANSWER)
def compose(reference: str) -> Response:
    """The editor. What is done is in ``geste``: its name, and what it is done to."""
    question = parts().desk.by_reference(reference)
    if question.merged_into is not None:
        whole = parts().desk.get(parts().desk.current(question.id))
        if request.method == "POST" and _typed():  # it was merged while somebody wrote: their words follow it
            parts().answers.keep_draft(question.id, me(), _typed(), 0)
            parts().answers.carry_drafts(question.id, whole.id)
        flash(spaced(f"La question {reference} fait partie de celle-ci : c’est ici qu’il faut répondre."))
        return gone_to(f"/guichet/{whole.reference}")
    if request.method != "POST":
        return _opened(question)
    form = AnswerForm()
    form.know(question, address=desk_letters.address_of(parts(), question) is not None)
    gesture, _, what = request.form.get("geste", "enregistrer").partition(" ")
    try:
        if form.validate():
            return _GESTURES.get(gesture, _save)(question, form, what)
        if not form.body.errors:
            _kept(question, form.body.data, form.base)
    except InvalidValue as error:
        form.blame(error)
    except Conflict:
        return clash(question, form.body.data)
    except (NotFound, OnTheSpot) as error:
        form.form_errors.append(explain(error))
    return page_of(question, form, status=400)


def _opened(question: Question) -> Response:
    """The text as this person left it: their draft, or what is saved."""
    answer, draft = parts().answers.get(question.id), parts().answers.draft(question.id, me())
    if draft is None or draft.body == answer.body:
        return page_of(question, form_of(question, answer, answer.body, answer.version))
    if draft.base != answer.version:
        return clash(question, draft.body, status=200)
    return page_of(question, form_of(question, answer, draft.body, draft.base), draft=draft.at)


# -- gestures, each with what it is done to


def _kept(question: Question, body: str, base: int) -> None:
    """What is typed, as a draft; none when it is what is saved."""
    answer = parts().answers.get(question.id)
    if (body.strip(), base) == (answer.body, answer.version):
        parts().answers.drop_draft(question.id, me())
    else:
        parts().answers.keep_draft(question.id, me(), body, base)


def _save(question: Question, form: AnswerForm, what: str) -> Response:
    before = parts().answers.get(question.id).version
    saved = _saved(question, form)
    flash("La réponse est enregistrée." if saved.version != before else "C’était déjà enregistré.")
    carried = [(name, form[name].data) for name in CARRIED if form[name].data]
    return gone_to(answer_url(question) + (f"?{urlencode(carried)}" if carried else ""))


def _saved(question: Question, form: AnswerForm) -> Answer:
    reason = form.without_source.data or ""
    return parts().answers.save(question.id, form.body.data, form.base, person=me(), without_source=reason)


def _see(question: Question, form: AnswerForm, what: str) -> Response:
    """The same page, with the preview, or with what was found for other words."""
    _kept(question, form.body.data, form.base)
    if what == "tout":
        form.cherche.data = ""
    return page_of(question, form, previewed=request.form.get("geste") == "apercu")


def _insert(question: Question, form: AnswerForm, what: str) -> Response:
    """A quotation or a past answer, at the end of the text."""
    _kept(question, form.body.data, form.base)
    body = compose_quoting.added(form.body.data, _extract(what))
    _kept(question, body, form.base)
    form.body.data = body
    return page_of(question, form)


def _extract(what: str) -> str:
    """The Markdown of what is chosen in the panel: a passage by its place, a past answer by its record.
    Raises InvalidValue, NotFound, OnTheSpot."""
    if "/" in what:
        return compose_quoting.quotation(fund(), Place.from_code(what))
    return compose_quoting.past_answer(fund(), parts().publications, what)


def _repair(question: Question, form: AnswerForm, what: str) -> Response:
    """The page of a quotation that has moved, put right."""
    for fault in compose_checks.faults(fund(), form.body.data, site()):
        if str(fault.line) == what:
            form.body.data = compose_quoting.repaired(form.body.data, fault, fund(), site())
    _kept(question, form.body.data, form.base)
    return page_of(question, form)


def _drop(question: Question, form: AnswerForm, what: str) -> Response:
    parts().answers.drop_draft(question.id, me())
    flash("Le brouillon est jeté : voici le texte enregistré.")
    return gone_to(answer_url(question))


def _join(question: Question, form: AnswerForm, what: str) -> Response:
    """Both texts one after the other, to be made one."""
    theirs = parts().answers.get(question.id)
    form.body.data = compose_quoting.added(theirs.body, form.body.data)
    form.version.data = str(theirs.version)
    _kept(question, form.body.data, theirs.version)
    return page_of(question, form)


def _send(question: Question, form: AnswerForm, what: str) -> Response:
    """Saved first, so that nothing is lost when it cannot leave."""
    sending = _sending(form)
    answer = _saved(question, form)
    form.version.data = str(answer.version)
    found = compose_checks.look(fund(), answer.body, site())
    _check(answer, form, found)
    sources = compose_checks.references(fund(), answer.body, site())
    letter = compose_sending.letter(parts(), question, answer, sources, sending.name, site())
    try:
        left = compose_sending.send(parts(), question, answer, letter, sending, site=site())
    except Conflict:
        if parts().answers.get(question.id).version != answer.version:
            return clash(question, answer.body)
        raise InvalidValue("", "la question a changé d’état entre-temps : rien n’est parti") from None
    flash(_told(question, sending.way, left))
    return gone_to(f"/guichet/{question.reference}")


def _sending(form: AnswerForm) -> Sending:
    """Raises InvalidValue."""
    return Sending(
        way=Channel(form.way.data),
        person=me(),
        name=identity().name,
        minutes=minutes_of(form.minutes),
        effort=int(form.effort.data) if form.effort.data else None,
    )


def _check(answer: Answer, form: AnswerForm, found: compose_checks.Look) -> None:
    """Raises InvalidValue for what holds a letter back."""
    if not answer.body:
        raise InvalidValue("body", "écrivez la réponse avant de l’envoyer")
    if not found.sourced and not answer.without_source:
        raise InvalidValue(
            "without_source", "citez une source, ou dites en quelques mots pourquoi il n’y en a pas"
        )
    if found.grave and not form.anyway.data:
        why = "une citation ou un document n’a pas été retrouvé : corrigez-le, ou cochez cette case"
        raise InvalidValue("anyway", why)


def _told(question: Question, way: Channel, left: bool) -> Markup:
    """What became of it, and where to go next."""
    words = (
        "La réponse part dans un instant." if way is Channel.EMAIL else "La réponse est notée comme rendue."
    )
    if not left:
        words = "Cette réponse était déjà partie : elle n’est pas envoyée une seconde fois."
    further = Markup('{} <a href="/guichet/{}/publication">Préparer sa publication</a>')
    return further.format(spaced(words), question.reference)


_GESTURES: Mapping[str, Callable[[Question, AnswerForm, str], Response]] = MappingProxyType(
    {
        "enregistrer": _save,
        "apercu": _see,
        "chercher": _see,
        "citer": _insert,
        "reutiliser": _insert,
        "corriger": _repair,
        "joindre": _join,
        "jeter": _drop,
        "envoyer": _send,
    }
)


# -- for the script: the same, piece by piece


@views.post("/guichet/<reference>/reponse/brouillon")
@needs(Right.ANSWER, counted=False, limit=DRAFTS)
def keep(reference: str) -> Response:
    """What is being typed, kept; and how it stands: faults, preview, sources, who else writes."""
    question, body = parts().desk.by_reference(reference), _typed()
    form = AnswerForm()
    try:
        _kept(question, body, form.base)
        found = compose_checks.look(fund(), body, site())
    except InvalidValue as error:
        return jsonify({"refused": explain(error)})
    draft, held = parts().answers.draft(question.id, me()), parts().answers.get(question.id)
    told = {
        name: get_template_attribute("_compose.html", name) for name in ("faults", "references", "writers")
    }
    return jsonify(
        {
            "kept": clock(draft.at) if draft else "",
            "overtaken": held.version != form.base,
            "writers": told["writers"](writing(question)),
            "faults": told["faults"](found),
            "references": told["references"](found),
            "preview": found.html,
            "sourced": found.sourced,
            "grave": found.grave,
        }
    )


def _typed() -> str:
    return request.form.get("body", "").replace("\r\n", "\n")[: LONGEST_ANSWER + 1]


@views.post("/guichet/<reference>/reponse/extrait")
@needs(Right.ANSWER)
def extract(reference: str) -> Response:
    """The Markdown of a passage or of a past answer, to be put where the cursor is."""
    parts().desk.by_reference(reference)
    try:
        text, status = _extract(request.form.get("geste", "").partition(" ")[2]), 200
    except KBError as error:
        text, status = explain(error), status_code(error)
    return Response(text, status, mimetype="text/plain")


@views.get("/guichet/<reference>/reponse/panneau")
@needs(Right.ANSWER)
def beside(reference: str) -> Response:
    """The panel for other words (``cherche``), or for the question."""
    question = parts().desk.by_reference(reference)
    found = compose_panel.panel(fund(), question, request.args.get("cherche", ""), since=heard(question))
    return Response(render_template("compose-panel.html", panel=found), mimetype="text/html")
