"""Views where an answer is made public: prepared, read again, published, looked at again, taken back.

Hides that each gesture is one transaction, and that what was typed is shown again when it cannot be kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, request

from kb.accounts import Right
from kb.errors import Conflict, InvalidValue, MoveRefused, NotFound
from kb.publishing import Publication, Stage, after_months
from kb.questions import Question
from web import answer_feed, publish_page, publish_work
from web.forms import Plain
from web.guard import identity, needs
from web.messages import explain
from web.publish_copy import Decision, check_title
from web.publish_form import LookedForm, PublishForm, ReadForm, decisions
from web.publish_work import Work
from web.rendering import gone_to, parts, shown
from web.typography import spaced

views = Blueprint("publishing", __name__)
views.register_blueprint(answer_feed.views)

SIZE = 20
_MOST_TO_READ = 50


def _question(reference: str) -> Question:
    """The question; the one that it was made a part of, if it was."""
    found = parts().desk.by_reference(reference)
    return found if found.merged_into is None else parts().desk.get(parts().desk.current(found.id))


def _address(question: Question) -> str:
    return f"/guichet/{question.reference}/publication"


def _back(question: Question, told: str) -> Response:
    flash(spaced(told))
    return gone_to(_address(question))


def _me() -> int:
    return identity().person or 0


@views.get("/guichet/<reference>/publication")
@views.get("/guichet/<reference>/publication.json")
@needs(Right.ANSWER)
def publication(reference: str) -> Response:
    """The copy: to be made, to be read by somebody else, or as it is public."""
    question = _question(reference)
    if question.reference != reference:
        return gone_to(_address(question))
    it = publish_work.work(parts(), question)
    if publish_work.is_being_read(it.held) and "modifier" not in request.args:
        return _reading_page(it)
    return _form_page(it, _form(it))


def _form(it: Work) -> PublishForm:
    """The form as it stands before anything is typed."""
    form, held = PublishForm(formdata=None), it.held
    form.know(consent=it.question.consent)
    form.version.data = str(it.version)
    form.title.data, form.text.data, form.body.data = it.shown
    allowed = [choice.value for choice in form.access.choices]
    form.access.data = held.access if held and held.access in allowed else allowed[0]
    return form


def _form_page(it: Work, form: PublishForm, *, status: int = 200, **typed: Any) -> Response:
    page = publish_page.page_of(parts(), it, identity().person, **typed)
    return shown("publish.html", page, section="guichet", form=form, plain=Plain(), status=status)


def _reading_page(it: Work, form: ReadForm | None = None) -> Response:
    form = form or ReadForm(formdata=None, version=str(it.version))
    page = publish_page.page_of(parts(), it, identity().person)
    status = 400 if form.faults else 200
    return shown("publish-reading.html", page, section="guichet", form=form, status=status)


@views.post("/guichet/<reference>/publication")
@needs(Right.ANSWER)
def keep(reference: str) -> Response:
    """Keep the copy; then publish it or give it to a second reader, as the button says."""
    question, form = _question(reference), PublishForm()
    form.know(consent=question.consent)
    it = publish_work.work(parts(), question)
    said = decisions(it.doubts, request.form)
    typed = {"said": said, "texts": form.texts, "chosen": tuple(form.themes.data or ())}
    if not form.validate_on_submit():
        return _form_page(it, form, status=400, **typed)
    try:
        return _back(question, _kept(it, form, said))
    except InvalidValue as error:
        form.blame(error)
        status = 400
    except Conflict as error:
        form.form_errors.append(_OVERTAKEN if it.version != _number(form.version.data) else explain(error))
        status = 409
    now = publish_work.work(parts(), question)
    form.version.data = str(now.version)
    return _form_page(now, form, status=status, **typed)


_OVERTAKEN = spaced(
    "Quelqu’un a enregistré une autre version pendant que vous écriviez. Voici la vôtre : enregistrez-la "
    "de nouveau pour qu’elle prenne la place de l’autre, ou rechargez la page pour voir celle-ci."
)


def _kept(it: Work, form: PublishForm, said: dict[str, Decision]) -> str:
    """What came of it, in words."""
    question, now = it.question, datetime.now(parts().calendar.zone)
    copy = it.copy(form.texts, said, form.access.data, list(form.themes.data or ()))
    version, wish = _number(form.version.data), request.form.get("geste", "")
    with parts().store.transaction():
        held = parts().publications.prepare(question.id, copy, version, person=_me(), now=now)
        left = publish_work.undecided(parts(), held)
        if wish not in ("publier", "relire"):
            return "La copie est enregistrée."
        if left:
            return "La copie est enregistrée, mais pas publiée : des passages restent à décider, ci-dessous."
        check_title(held.title)
        if parts().publications.second_reader:
            parts().publications.submit(question.id, held.version)
            return "La copie attend une seconde lecture. Elle est dans « À revoir », pour vos collègues."
        return _publish(held, int(form.months.data), now)


def _publish(held: Publication, months: int, now: datetime) -> str:
    _, unknown = publish_work.publish(parts(), held, person=_me(), months=months, now=now)
    told = "La réponse est publiée. Elle se trouve dans la recherche dans quelques secondes."
    if unknown:
        told += f" Codes que le thésaurus ne connaît plus, laissés de côté : {', '.join(unknown)}."
    return told


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


# -- the second reading


@views.post("/guichet/<reference>/publication/relecture")
@needs(Right.ANSWER)
def read(reference: str) -> Response:
    """What the second reader says of a copy: good, to be published, or to be changed."""
    question, form = _question(reference), ReadForm()
    if not form.validate_on_submit():
        return _reading_page(publish_work.work(parts(), question), form)
    try:
        with parts().store.transaction():
            return _back(question, _read(question, form))
    except InvalidValue as error:
        form.blame(error)
        return _reading_page(publish_work.work(parts(), question), form)
    except MoveRefused as error:
        return _back(question, explain(error))
    except Conflict:
        return _back(question, "Cette copie a changé entre-temps : la voici comme elle est maintenant.")


def _read(question: Question, form: ReadForm) -> str:
    public, version = parts().publications, _number(form.version.data)
    wish, now = request.form.get("geste", ""), datetime.now(parts().calendar.zone)
    if wish == "renvoyer":
        why = (form.why.data or "").strip()
        if not why:
            raise InvalidValue("why", "dites ce qu’il faudrait changer")
        public.send_back(question.id, version, why, reader=_me(), now=now)
        return "La copie retourne à qui l’a préparée. Votre remarque est dans les notes de la question."
    held = public.get(question.id)
    if held.stage is Stage.TO_READ:
        held = public.read(question.id, version, reader=_me(), now=now)
    if held.version != version or held.stage is not Stage.READ:
        raise Conflict(f"publication {question.id} has gone on since")
    if wish == "publier":
        return _publish(held, int(form.months.data), now)
    return "La copie est relue. Elle peut être publiée."


# -- taken back, looked at again


@views.get("/guichet/<reference>/publication/retirer")
@needs(Right.ANSWER)
def withdrawal(reference: str) -> Response:
    """Ask before an answer is taken away from the public."""
    question = _question(reference)
    held = parts().publications.get(question.id)
    if held.record is None:
        return _back(question, "Cette réponse n’est pas publiée.")
    page = publish_page.page_of(parts(), publish_work.work(parts(), question), identity().person)
    return shown("publish-withdraw.html", page, section="guichet", form=Plain())


@views.post("/guichet/<reference>/publication/retirer")
@needs(Right.ANSWER)
def withdraw(reference: str) -> Response:
    """Take it away; the copy stays."""
    question = _question(reference)
    if not Plain().validate_on_submit():
        raise InvalidValue("retirer", "ce formulaire n’est pas complet")
    try:
        parts().publications.withdraw(question.id, person=_me())
    except Conflict as error:
        return _back(question, explain(error))
    return _back(question, "La réponse n’est plus publiée. La copie reste ici, prête à être reprise.")


@views.post("/guichet/<reference>/publication/revue")
@needs(Right.ANSWER)
def looked(reference: str) -> Response:
    """A published answer holds: it is looked at again later."""
    question, form = _question(reference), LookedForm()
    if not form.validate_on_submit():
        raise InvalidValue("months", "choisissez dans la liste")
    if parts().publications.get(question.id).record is None:
        raise NotFound("publication", question.reference)
    now = datetime.now(parts().calendar.zone)
    day = after_months(now.date(), int(form.months.data))
    parts().publications.reviewed(question.id, person=_me(), review_on=day, now=now)
    flash(spaced(f"La réponse {question.reference} est marquée comme toujours juste."))
    return gone_to("/guichet/a-revoir")


@views.get("/guichet/a-revoir")
@views.get("/guichet/a-revoir.json")
@needs(Right.ANSWER)
def due() -> Response:
    """Copies that wait for a second reader, then published answers that should be looked at again."""
    public, now = parts().publications, datetime.now(parts().calendar.zone)
    total = public.count_to_review(now.date())
    last = max(1, -(-total // SIZE))
    number = min(max(1, _number(request.args.get("page"))), last)
    found = public.to_review(now.date(), SIZE, (number - 1) * SIZE)
    page = publish_page.DuePage(
        total=total,
        second_reader=public.second_reader,
        due=tuple(publish_page.due_views(parts(), found, now)),
        to_read=tuple(publish_page.to_read_views(parts(), public.to_read(_MOST_TO_READ), identity().person)),
        number=number,
        of=last,
        previous_url=f"/guichet/a-revoir?page={number - 1}" if number > 1 else None,
        next_url=f"/guichet/a-revoir?page={number + 1}" if number < last else None,
    )
    return shown("publish-due.html", page, section="guichet", form=LookedForm(formdata=None))
