"""Views that change one record: the editor, what to do when two people change it at once, deletion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, jsonify, request

from ingest.differences import Piece
from kb import records
from kb.accounts import Right, may_see
from kb.errors import NotFound
from kb.records import Origin, Record, Subject
from search import finder, suggest
from search.engine import FACETS
from web import bulk, clashes, differences, history, new_record, typed
from web.answer_page import check_access
from web.clashes import MINE, THEIRS
from web.editor_forms import RecordForm, read, values
from web.forms import Plain
from web.guard import fund, identity, needs
from web.notices import facet_of, record_url
from web.rendering import gone_to, parts, shown
from web.typography import NBSP, counted, spaced, written_date

views = Blueprint("editor", __name__)
for others in (new_record, history, bulk):
    views.register_blueprint(others.views)

FIELDS = 4000
"""Fields of one form: three hundred rows of each kind."""

_PROPOSED = 8  # works or terms proposed while one types


@dataclass(frozen=True, slots=True)
class TermView:
    """A term that stands on the record."""

    label: str
    facet: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPage:
    """A record to be changed."""

    id: str
    number: str
    title: str
    url: str
    record: Mapping[str, Any]
    terms: Mapping[str, TermView]
    date_kept: str
    source: str
    files: tuple[str, ...]
    gone: bool = False


@dataclass(frozen=True, slots=True)
class FieldClash:
    """A field that somebody else has changed: their words, mine, and which side is kept unless one says."""

    name: str
    label: str
    before: str
    theirs: tuple[Piece, ...]
    mine: tuple[Piece, ...]
    usual: str


@dataclass(frozen=True, slots=True)
class ClashPage:
    """What others changed meanwhile; ``typed`` is all that was typed, to be sent again."""

    number: str
    title: str
    url: str
    who: str
    own: bool
    when: str
    fields: tuple[FieldClash, ...]
    typed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeletePage:
    """What goes with a record, and what stays."""

    number: str
    title: str
    url: str
    lost: tuple[str, ...]
    stays: tuple[str, ...]
    hosted: tuple[tuple[str, str], ...]
    more_hosted: int


# -- the editor


@views.route("/notice/<id>/modifier", methods=["GET", "POST"])
@views.get("/notice/<id>/modifier.json")
@needs(Right.CATALOGUE, fields=FIELDS)
def edit(id: str) -> Response:
    """All fields of a record."""
    held, gone = _held(id)
    if not gone:
        fund().store.own(id)
    if request.method != "POST":
        if gone:
            raise NotFound("record", id)
        return _editor(held, RecordForm(formdata=None, data=values(held, fund())))
    form, wish = RecordForm(), request.form.get("faire", "")
    if form.turned(wish):
        return _editor(held, form, gone=gone)
    begun = clashes.since(parts().versions, id, form.updated.data or "")
    current = form.updated.data == clashes.stamp(held)
    base = held if current else begun.base
    mine = read(form, base or held, fund(), parts().store)
    if mine is None or gone:
        return _editor(held, form, gone=gone)
    seen = request.form.get("vu") == clashes.stamp(held)
    if not current and not seen and clashes.clashing(base, mine, held):
        return _clash(base, mine, held, begun)
    both = clashes.joined(base, mine, held, _kept() if seen else {})
    if wish == "revoir":
        return _editor(held, RecordForm(formdata=None, data=values(both, fund())))
    return _saved(held, both, form)


def _held(id: str) -> tuple[Record, bool]:
    """The whole record, and whether it was deleted; it is then as it was last. Raises NotFound."""
    held = parts().store.get_many([id]).get(id)
    gone = held is None
    if held is None:
        last = parts().versions.of(id, 1)
        if not last:
            raise NotFound("record", id)
        held = last[0].record
    if not may_see(held, identity().rights):
        raise NotFound("record", id)
    return held, gone


def _kept() -> dict[str, str]:
    """Which side is wanted of each field, as the page of a clash asks."""
    said = {name: request.form.get(f"garder-{name}", "") for name in clashes.FIELDS}
    return {name: side for name, side in said.items() if side in (MINE, THEIRS)}


def _saved(held: Record, record: Record, form: RecordForm) -> Response:
    """Save what was made of ``held``, if it still is so."""
    check_access(parts(), record, record.access)
    with parts().store.transaction():
        now = parts().store.get_many([held.id]).get(held.id)
        same = now is not None and clashes.stamp(now) == clashes.stamp(held)
        changed = same and parts().store.save(record)
    if not same:
        return edit(held.id)  # somebody was quicker by a moment: told as any clash is
    flash(_saved_words(record, form) if changed else "Rien n’a changé.")
    return gone_to(record_url(held.id))


def _saved_words(record: Record, form: RecordForm) -> str:
    """That it is saved, and what was made of a date or a number typed otherwise."""
    said = "La notice est enregistrée."
    written = written_date(record.date)
    if record.date and (form.date.data or "").strip() not in (written, record.date):
        said += f" Date retenue : {written}."
    isbn = record.identifiers.get("isbn")
    if isbn and (form.isbn.data or "").strip() != isbn:
        said += f" ISBN retenu : {isbn}."
    return spaced(said)


def _editor(held: Record, form: RecordForm, *, gone: bool = False) -> Response:
    form.know(held)
    status = 409 if gone else 400 if form.faults else 200
    page = EditPage(
        id=held.id,
        number=held.id.partition(":")[2],
        title=held.title,
        url=record_url(held.id),
        record=records.to_json(held),
        terms={s.concept: _term(s) for s in held.subjects},
        date_kept=held.date or "",
        source=held.source or "",
        files=tuple(file.name for file in held.files),
        gone=gone,
    )
    return shown("edit.html", page, section="travail", form=form, status=status)


def _term(subject: Subject) -> TermView:
    labels = fund().labels
    facet = ""
    if subject.concept in labels.thesaurus:
        name = facet_of(labels.thesaurus.get(subject.concept).scheme)
        facet = FACETS[name].label if name else ""
    notes = {
        Origin.MACHINE: f"proposé automatiquement, sûr à {round(100 * subject.score)}{NBSP}%",
        Origin.SOURCE: "vient du catalogue ou du fichier",
        Origin.LIBRARIAN: "choisi par un documentaliste",
    }
    return TermView(typed.concept_label(subject.concept, labels), facet, notes[subject.origin])


# -- two people at once


def _clash(base: Record | None, mine: Record, theirs: Record, begun: clashes.Since) -> Response:
    """What the others changed, field by field, with the choice."""
    names = clashes.clashing(base, mine, theirs)
    sent = [(k, v) for k, v in request.form.items(multi=True)
            if k not in ("csrf_token", "faire", "vu") and not k.startswith("garder-")]  # fmt: skip
    page = ClashPage(
        number=theirs.id.partition(":")[2],
        title=theirs.title,
        url=record_url(theirs.id),
        who=", ".join(history.name_of(actor) for actor in begun.actors) or "Quelqu’un",
        own=begun.actors == (identity().actor,),
        when=history.moment(theirs.updated),
        fields=tuple(_field_clash(name, base, mine, theirs) for name in names),
        typed=tuple(sent),
    )
    return shown(
        "edit-clash.html", page, section="travail", form=Plain(), vu=clashes.stamp(theirs), status=409
    )


def _field_clash(name: str, base: Record | None, mine: Record, theirs: Record) -> FieldClash:
    states = [differences.state_of(one) if one else {} for one in (base, mine, theirs)]
    before, own, other = states
    labels = fund().labels
    pieces = {side: differences.field_pieces(name, before, after, labels)
              for side, after in ((MINE, own), (THEIRS, other))}  # fmt: skip
    words = " ; ".join(differences.parts(name, before.get(name), labels))
    usual = clashes.usual(base, mine, name)
    return FieldClash(name, differences.FIELDS[name], words, pieces[THEIRS], pieces[MINE], usual)


# -- deletion


@views.route("/notice/<id>/supprimer", methods=["GET", "POST"])
@views.get("/notice/<id>/supprimer.json")
@needs(Right.CATALOGUE)
def delete(id: str) -> Response:
    """Confirm, then delete a record that nothing is a part of."""
    held, hosted = fund().store.own(id), _hosted(id)
    if request.method == "POST" and request.form.get("sure") == "oui" and not hosted:
        with parts().store.transaction():
            if not _hosted(id):  # none came in between
                parts().store.delete(id)
        number = id.partition(":")[2]
        flash(
            spaced(f"La notice n°{NBSP}{number} est supprimée. Son historique reste : on peut la rétablir.")
        )
        return gone_to(f"{record_url(id)}/historique")
    status = 400 if request.method == "POST" else 200
    return shown(
        "edit-delete.html", _delete_page(held, hosted), section="travail", form=Plain(), status=status
    )


def _hosted(id: str) -> tuple[str, ...]:
    """Our own records that are a part of it: those of others go on without it."""
    store = parts().store
    return tuple(part for part in store.find("host", id) if not store.is_mirrored(part))


def _delete_page(held: Record, hosted: tuple[str, ...]) -> DeletePage:
    pages = parts().store.last_page(held.id)
    lost = ["la notice, qu’on ne trouvera plus par la recherche"]
    if pages:
        lost.append(f"le texte de {counted(pages, 'page')}, qu’il faudra relire du fichier d’origine")
    if held.copies or held.call_number:
        number = max(1, len(held.copies))
        lost.append(
            f"la place de {counted(number, 'exemplaire')} au catalogue ; l’ouvrage est à retirer du rayon"
        )
    if lent := sum(copy.status == "lent" for copy in held.copies):
        lost.append(f"la trace de {counted(lent, 'exemplaire en prêt', 'exemplaires en prêt')}")
    if held.subjects:
        lost.append(f"{counted(len(held.subjects), 'terme')} du thésaurus, avec leurs raisons")
    stays = [f"le fichier d’origine « {file.name} »" for file in held.files]
    stays += ["l’historique de la notice, d’où on peut la rétablir sous son numéro", "les lignes du journal"]
    shown_parts = parts().store.get_many(hosted[:20])
    return DeletePage(
        number=held.id.partition(":")[2],
        title=held.title,
        url=record_url(held.id),
        lost=tuple(map(spaced, lost)),
        stays=tuple(map(spaced, stays)),
        hosted=tuple((part.title, f"{record_url(part.id)}/modifier") for part in shown_parts.values()),
        more_hosted=max(0, len(hosted) - 20),
    )


# -- while one types


@views.get("/notices/completions.json")
@needs(Right.CATALOGUE)
def completions() -> Response:
    """Terms (``genre=terme``) or works (``genre=notice``) that go on as ``q``, for the script of forms."""
    q = typed.line(request.args.get("q", "")[:200]) or ""
    found = _terms(q) if request.args.get("genre") == "terme" else _works(q)
    answer: Response = jsonify({"propositions": found})
    return answer


def _terms(q: str) -> list[str]:
    if len(q) < 2:
        return []
    ends = suggest.complete(q, engine=fund().engine, thesaurus=fund().thesaurus, limit=4 * _PROPOSED)
    concepts = [end.concept for end in ends if end.concept and facet_of(end.concept.scheme)]
    near = suggest.near_concepts(q, fund().thesaurus) if not concepts else ()
    labels = [c.label for c in (*concepts, *(c for c in near if facet_of(c.scheme)))]
    return list(dict.fromkeys(labels))[:_PROPOSED]


def _works(q: str) -> list[str]:
    if not q:
        return []
    ids = [f"{parts().config.centre}:{q}"] if q.isdecimal() and len(q) < 11 else []
    if len(q) > 2:
        found = finder.find(f"{q}*", engine=fund().engine, limit=_PROPOSED, pages=0)
        ids += [*parts().store.find("title", q), *(hit.id for hit in found.results.hits)]
    held = fund().store.get_many(list(dict.fromkeys(ids))[:_PROPOSED])
    return [typed.work_label(id, held) for id in held]
