"""Views of what waits for a librarian: proposals to accept, refuse or correct."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, request

from kb.accounts import Right
from kb.errors import Conflict, InvalidValue
from kb.limits import Limit
from kb.records import TYPES, Record
from web import curation_forms as forms
from web import gestures, notices, proposals, review_page
from web.curation_forms import ReviewForm, TicksForm, Typed
from web.guard import fund, identity, needs
from web.notices import Link
from web.proposals import DOUBTS, Doubt, Term
from web.rendering import gone_to, parts, shown
from web.review_page import Sheet, Undoable
from web.typography import counted, spaced, written_date
from web.waiting import SIZE, Line, Scope, Waiting

views = Blueprint("curation", __name__)

REVIEWS = Limit("reviews", 600, 600)
"""Forms of these pages by one person: one a second, as keys allow; ``guard.FORMS`` is for slower work."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record that waits, in the list; ``state`` goes back with the ticks."""

    id: str
    url: str
    title: str
    kind: str
    date: str
    authors: str
    proposed: int
    doubts: tuple[Doubt, ...]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """What waits; places count from 1, ``total`` is without regard to the doubt."""

    rows: tuple[Row, ...]
    total: int
    batch: int | None
    doubt: str
    filters: tuple[Link, ...]
    first: int
    looked: int
    before: str | None
    then: str | None
    here: str
    whole: str
    undo: Undoable | None


@dataclass(frozen=True, slots=True)
class TermsPage:
    """Concepts to complete what is typed."""

    terms: tuple[Term, ...]


def _scope() -> Scope:
    batch, doubt = request.args.get("depot", ""), request.args.get("doute", "")
    known = batch.isascii() and batch.isdigit() and len(batch) < 10
    return Scope(int(batch) if known else None, doubt if doubt in DOUBTS else "")


def _line() -> Line:
    return Line(parts().store, parts().reviews, _scope())


def _undoable() -> Undoable | None:
    gesture = gestures.last(identity().actor)
    return Undoable(gesture.key, gesture.words) if gesture else None


# -- the list


@views.get("/a-valider")
@views.get("/a-valider.json")
@needs(Right.CATALOGUE)
def waiting() -> Response:
    """What waits, the oldest first."""
    asked = request.args.get("depuis", "")
    start = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 8 else 0
    line = _line()
    found, total, scope = line.look(start), len(line), line.scope
    page = ListPage(
        rows=tuple(_row(one, scope) for one in found.waiting),
        total=total,
        batch=scope.batch,
        doubt=scope.doubt,
        filters=tuple(_filters(scope)),
        first=start + 1,
        looked=found.then or total,
        before=scope.url(depuis=max(0, start - SIZE)) if start and not scope.doubt else None,
        then=scope.url(depuis=found.then) if found.then else None,
        here=scope.url(depuis=start),
        whole=Scope(scope.batch).url(),
        undo=_undoable(),
    )
    return shown("reviews.html", page, section="travail", form=TicksForm())


def _row(one: Waiting, scope: Scope) -> Row:
    record = one.record
    return Row(
        id=record.id,
        url=scope.record_url(record.id),
        title=record.title,
        kind=TYPES[record.type],
        date=written_date(record.date),
        authors=notices.authors(record),
        proposed=proposals.waiting(record),
        doubts=one.doubts,
        state=forms.stamp(record),
    )


def _filters(scope: Scope) -> list[Link]:
    everything = Link("Toutes", Scope(scope.batch).url(), current=not scope.doubt)
    some = [
        Link(name, Scope(scope.batch, code).url(), current=code == scope.doubt)
        for code, name in DOUBTS.items()
    ]
    return [everything, *some]


@views.post("/a-valider")
@needs(Right.CATALOGUE, limit=REVIEWS)
def settle() -> Response:
    """Do one thing with the ticked records."""
    back = gone_to(_scope().url())
    form, verdict = TicksForm(), request.form.get("do", "")
    chosen = forms.ticked(request.form, SIZE)
    if not form.validate_on_submit() or verdict not in gestures.VERDICTS or not chosen:
        flash("Rien n’a été fait : cochez au moins une notice, puis choisissez quoi en faire.")
        return back
    settled = gestures.settle(parts(), chosen, verdict)
    if settled.done:
        gestures.remember(identity().actor, gestures.words_of(settled, verdict), settled.done)
    if settled.left:
        titles = " ; ".join(f"« {title} »" for title in settled.left)
        why = "quelqu’un les a changées ou validées entre-temps. Relisez-les"
        flash(
            spaced(f"{counted(len(settled.left), 'notice')} à relire, rien n’y a été fait, {why} : {titles}.")
        )
    return back


# -- one record


@views.get("/a-valider/<id>")
@views.get("/a-valider/<id>.json")
@needs(Right.CATALOGUE)
def review(id: str) -> Response:
    """One record with what was found."""
    fund().store.own(id)
    return _asked(Sheet(parts().store.get(id)))


def _asked(sheet: Sheet, form: ReviewForm | None = None, status: int = 200) -> Response:
    form = form or forms.form_for(sheet.record)
    page = review_page.page(sheet, _line(), parts(), _undoable())
    return shown("review.html", page, section="travail", status=status, form=form)


@views.post("/a-valider/<id>")
@needs(Right.CATALOGUE, limit=REVIEWS)
def decide(id: str) -> Response:
    """What a librarian decided: keep it, and go on to the next unless it is only kept."""
    fund().store.own(id)
    record = parts().store.get(id)
    form = forms.form_for(record)
    what = forms.typed(form, request.form, record, parts().thesaurus)
    added = forms.with_words(form.theme.data or "", what.added, parts().thesaurus)
    sheet, action = Sheet(record, what.states, added), request.form.get("do")
    if not form.validate_on_submit():
        return _asked(sheet, form, 400)
    if action == "add" or added.fault:
        return _with_theme(sheet, form)
    try:
        return _decided(record, form, forms.complete(what, added), validates=action == "validate")
    except InvalidValue as error:
        form.blame(error)
        return _asked(sheet, form, 400)
    except Conflict:
        return _after_another(sheet, form, what)


def _with_theme(sheet: Sheet, form: ReviewForm) -> Response:
    """The page again with the theme that was added, or with those to choose from; nothing is saved yet."""
    if sheet.added.fault:
        form.theme.errors = [*form.theme.errors, sheet.added.fault]
    else:
        form.theme.data = ""
    return _asked(sheet, form, 400 if sheet.added.fault else 200)


def _decided(record: Record, form: ReviewForm, what: Typed, *, validates: bool) -> Response:
    line, store = _line(), parts().store
    then = line.following(record.id) if validates else record.id
    with store.transaction():
        record = store.get(record.id)
        if forms.stamp(record) != form.updated.data:
            raise Conflict
        after = forms.corrected(record, what)
        if not validates:
            gestures.keep(parts(), record, after)
        else:
            words = spaced(f"« {after.title} » : notice validée.")
            gestures.remember(identity().actor, words, [gestures.close(parts(), after)])
    if not validates:
        flash(spaced("Enregistré. La notice reste à valider."))
    return gone_to(line.scope.record_url(then) if then else line.scope.url())


def _after_another(sheet: Sheet, form: ReviewForm, what: Typed) -> Response:
    """The page again when somebody else was quicker: what was typed, and what is there now."""
    now = parts().store.get(sheet.record.id)
    versions = (version.record for version in parts().versions.of(now.id))
    base = next((r for r in versions if forms.stamp(r) == form.updated.data), None)
    both = forms.both(base, now, what)
    for name, text in both.fields.items():
        form[name].data = text
    form.updated.data = forms.stamp(now)
    form.form_errors.append(_OVERTAKEN)
    return _asked(Sheet(now, both.states, sheet.added, both.notes), form, 409)


_OVERTAKEN = spaced(
    "Quelqu’un d’autre a changé cette notice pendant que vous la lisiez : rien n’est encore enregistré. "
    "Ce que vous avez tapé est gardé ; comparez, puis validez de nouveau."
)


@views.get("/a-valider/<id>/suivante")
@needs(Right.CATALOGUE)
def skip(id: str) -> Response:
    """On to the next, leaving this one as it is."""
    parts().store.get(id)
    line = _line()
    then = line.following(id)
    if then is None:
        flash("Aucune autre notice n’attend ici.")
    return gone_to(line.scope.record_url(then) if then else line.scope.url())


# -- taking a record out, and taking a gesture back


@views.get("/a-valider/<id>/retirer")
@needs(Right.CATALOGUE)
def removal(id: str) -> Response:
    """Asks whether a record shall go."""
    fund().store.own(id)
    page = review_page.removal(parts().store.get(id), _scope(), parts())
    return shown("review-remove.html", page, section="travail", form=TicksForm())


@views.post("/a-valider/<id>/retirer")
@needs(Right.CATALOGUE, limit=REVIEWS)
def remove(id: str) -> Response:
    """Take the record out; its originals stay."""
    line, store = _line(), parts().store
    then = line.following(id)
    with store.transaction():
        record = store.get(id)
        if not TicksForm().validate_on_submit() or forms.stamp(record) != request.form.get("updated"):
            raise Conflict
        store.delete(id)
    flash(spaced(f"« {record.title} » est retirée du fonds. Le fichier d’origine est gardé."))
    return gone_to(line.scope.record_url(then) if then else line.scope.url())


@views.post("/a-valider/annuler")
@needs(Right.CATALOGUE, limit=REVIEWS)
def undo() -> Response:
    """Take the last gesture back."""
    gesture, scope = gestures.last(identity().actor), _scope()
    if gesture is None or not TicksForm().validate_on_submit() or request.form.get("key") != gesture.key:
        flash("Ce geste ne peut plus être annulé ici. L’histoire de la notice garde ce qu’elle disait avant.")
        return gone_to(scope.url())
    try:
        gestures.undo(parts(), gesture)
    except Conflict:
        flash("Rien n’a été annulé : quelqu’un d’autre a changé la notice depuis.")
        return gone_to(scope.url())
    flash("C’est annulé : tout est comme avant, et attend de nouveau.")
    only = gesture.done[0].record if len(gesture.done) == 1 else None
    return gone_to(scope.record_url(only) if only else scope.url())


# -- completion


@views.get("/a-valider/termes.json")
@needs(Right.CATALOGUE)
def terms() -> Response:
    """Concepts that complete what is typed in ``q``."""
    words = request.args.get("q", "")[:100]
    return shown("", TermsPage(proposals.terms(words, parts().thesaurus)))
