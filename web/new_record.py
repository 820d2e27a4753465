"""Views that make a record for a paper work: known by its ISBN or its title, or described in a minute.

Hides how works that look alike are looked for, and what one form leaves to the next.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, request
from rapidfuzz import fuzz
from wtforms import BooleanField, FieldList, HiddenField

from kb import records
from kb.accounts import Right
from kb.errors import InvalidValue
from kb.french import fold
from kb.records import Agent, Copy, Record
from search import finder
from web import afterwards, notices, typed
from web.editor_forms import added_to
from web.forms import Plain
from web.fund import Fund
from web.guard import fund, needs
from web.labels import LANGUAGES
from web.messages import ACCESS
from web.notices import record_url
from web.rendering import gone_to, parts, shown
from web.row_forms import MOST_ROWS, RowForm, area_field, choice_field, line_field
from web.typography import NBSP, spaced

views = Blueprint("new_record", __name__)

FIELDS = 1000
_LOOKED_AT = 12  # hits of the search whose titles are compared
_NEAR = 88  # of 100, from which two titles look alike: lets one word in eight differ
_TELLING = 4  # words: shorter titles (« Rapport d’activité ») are a part of many
_SHOWN = 5
_LEFT = ("publisher", "place", "series", "type", "language", "access")
"""What the next work of a pile mostly shares with the one before."""

_WORK = (*_LEFT, "title", "subtitle", "issue", "extent", "abstract", "host_pages")


class NewForm(RowForm):
    """What is asked of a paper work, the fields that matter first."""

    seen = HiddenField()
    isbn = line_field("ISBN", 60)
    title = line_field("Titre", required=True)
    authors = area_field("Auteurs", 2)
    date = line_field("Date", 60)
    publisher = line_field("Éditeur")
    call_number = line_field("Cote", 200)
    cote_taken = BooleanField("Garder cette cote, même déjà prise")
    type = choice_field("Type de document", records.TYPES)
    themes = FieldList(line_field("Thème", 200), "Thèmes", min_entries=2, max_entries=MOST_ROWS)
    subtitle = line_field("Sous-titre")
    place = line_field("Lieu d’édition", 200)
    series = line_field("Collection")
    issue = line_field("Numéro dans la collection", 200)
    extent = line_field("Description matérielle", 300)
    language = choice_field("Langue", LANGUAGES)
    abstract = area_field("Résumé", 5)
    keywords = area_field("Mots-clés libres, un par ligne", 3)
    barcode = line_field("Code-barres", 100)
    location = line_field("Localisation", 200)
    access = choice_field("Qui peut la lire", ACCESS)

    @property
    def folded_faults(self) -> bool:
        """Whether something that is folded away is not right, and must be shown."""
        return any(self[name].errors for name in _FOLDED)


_FOLDED = (
    *("subtitle", "place", "series", "issue", "extent", "language", "abstract", "keywords", "barcode"),
    *("location", "access"),
)


@dataclass(frozen=True, slots=True)
class Alike:
    """A work of the fund that may be this one."""

    id: str
    number: str
    title: str
    detail: str
    why: str
    url: str
    model_url: str


@dataclass(frozen=True, slots=True)
class NewPage:
    """The form, what looks like the work that is typed, and the record that was just made."""

    alike: tuple[Alike, ...]
    asked: str
    made: Alike | None


@views.route("/notices/nouvelle", methods=["GET", "POST"])
@views.get("/notices/nouvelle.json")
@needs(Right.CATALOGUE, fields=FIELDS)
def new() -> Response:
    """Describe a paper work; works that look alike are shown before it is saved."""
    if request.method != "POST":
        made = _asked_for("creee")
        model = _asked_for("modele")
        form = NewForm(formdata=None, data=_left(made) if made else _values(model))
        return _page(form, made=made)
    form, wish = NewForm(), request.form.get("faire", "")
    if form.turned(wish) or wish == "copie":  # filled from another catalogue, to be read before it is saved
        return _page(form)
    if wish == "isbn":
        return _page(form, _by_isbn(form), asked="isbn")
    record = _read(form, fund())
    if record is None:
        return _page(form)
    near = _alike(record, fund())
    if not {one.id for one in near} <= set((form.seen.data or "").split()):
        form.seen.data = " ".join(one.id for one in near)
        return _page(form, near, asked="save")
    return gone_to(f"/notices/nouvelle?creee={_saved(record)}")


def _asked_for(name: str) -> Record | None:
    """The record that the address names; None for one that is not there."""
    id = request.args.get(name, "")[:120]
    return fund().store.get_many([id]).get(id) if id else None


def _page(
    form: NewForm, near: Sequence[Alike] = (), *, asked: str = "", made: Record | None = None
) -> Response:
    page = NewPage(tuple(near), asked, _told(made, "") if made else None)
    status = 400 if form.faults else 409 if asked == "save" else 200
    return shown("new-record.html", page, section="travail", form=form, plain=Plain(), status=status)


def _values(model: Record | None) -> dict[str, Any]:
    """The form for a work like another one: nothing that is its own."""
    if model is None:
        return {"type": "ouvrage", "language": "fr", "access": "public"}
    names = {name: getattr(model, name) for name in _WORK if name in NewForm.__dict__}
    return names | {
        "authors": "\n".join(agent.name for agent in model.agents if agent.role == "author"),
        "keywords": "\n".join(model.keywords),
        "themes": [typed.concept_label(s.concept, fund().labels) for s in model.subjects
                   if s.state == records.State.ACCEPTED and s.concept in fund().thesaurus],
    }  # fmt: skip


def _left(made: Record) -> dict[str, Any]:
    """What the work before leaves to the next: publisher, series, the beginning of the shelf mark..."""
    location = made.copies[0].location if made.copies else None
    cote = re.sub(r"[^\s./-]+$", "", made.call_number or "")
    return {name: getattr(made, name) for name in _LEFT} | {"location": location, "call_number": cote}


# -- what is typed


def _read(form: NewForm, fund: Fund) -> Record | None:
    """The record as the form says, without its number; None when something is not right."""
    sound = form.validate()
    store = parts().store
    names = ("subtitle", "publisher", "place", "series", "issue")
    lines: dict[str, Any] = {name: typed.line(form[name].data) for name in names}
    title, cote = typed.line(form.title.data), typed.line(form.call_number.data)
    if not title:
        form.title.errors = [*form.title.errors, "Indiquez un titre."]
    isbn = form.taken(form.isbn, lambda: typed.isbn_of(form.isbn.data))
    date = form.taken(form.date, lambda: typed.date_of(form.date.data))
    subjects = tuple(added_to({}, form, fund.labels).values())
    if cote and not form.cote_taken.data and (others := typed.holders(cote, store)):
        said = f"{typed.cote_fault(cote, others)}. Changez-la, ou cochez la case pour la garder."
        form.call_number.errors = [*form.call_number.errors, said]
    if not sound or form.faults or title is None:
        return None
    copy = Copy(cote, typed.line(form.barcode.data), typed.line(form.location.data))
    return Record(
        **lines,
        id=f"{fund.config.centre}:0",
        title=title,
        date=date,
        call_number=cote,
        type=form.type.data,
        language=form.language.data,
        access=form.access.data,
        extent=_extent(form.extent.data),
        abstract=typed.paragraphs(form.abstract.data),
        agents=tuple(map(_agent, typed.lines(form.authors.data))),
        keywords=typed.lines(form.keywords.data),
        copies=(copy,),
        subjects=subjects,
        identifiers={"isbn": isbn} if isbn else {},
    )


def _agent(name: str) -> Agent:
    """ "Family, Given" is a person, a name without comma a body."""
    return Agent(name, "author", "person" if "," in name else "body")


def _extent(text: str | None) -> str | None:
    said = typed.line(text)
    return f"{said} p." if said and said.isdecimal() else said


def _saved(record: Record) -> str:
    """Keep the record under a new number; terms are proposed for it soon, until then it waits."""
    opened = parts()
    with opened.store.transaction():
        id = opened.store.new_id(opened.config.centre)
        opened.store.save(dataclasses.replace(record, id=id))
        opened.reviews.open(id, {})
    afterwards.SOON.put("tag", lambda: afterwards.tag(opened, id))
    return id


# -- works that look alike


def _by_isbn(form: NewForm) -> tuple[Alike, ...]:
    """The works of the fund that have the ISBN typed."""
    isbn = form.taken(form.isbn, lambda: typed.isbn_of(form.isbn.data))
    if isbn is None:
        if not form.isbn.errors:
            form.isbn.errors = ["Tapez d’abord l’ISBN, au dos de l’ouvrage."]
        return ()
    held = fund().store.get_many(fund().store.find("isbn", isbn))
    return tuple(_told(record, "même ISBN") for record in held.values())[:_SHOWN]


def _alike(record: Record, fund: Fund) -> tuple[Alike, ...]:
    """The works of the fund with the same ISBN or nearly the same title, the surest first."""
    isbn = record.identifiers.get("isbn")
    found = finder.find(record.title, engine=fund.engine, limit=_LOOKED_AT, pages=0)
    same = fund.store.find("isbn", isbn) if isbn else ()
    ids = [*same, *fund.store.find("title", record.title), *(hit.id for hit in found.results.hits)]
    scored = [
        (_likeness(record, held), held) for held in fund.store.get_many(list(dict.fromkeys(ids))).values()
    ]
    scored.sort(key=lambda pair: -pair[0])
    near = [(score, held) for score, held in scored if score >= _NEAR]
    return tuple(_told(held, _why(score)) for score, held in near[:_SHOWN])


def _likeness(record: Record, held: Record) -> float:
    """Of 100; above that for the same ISBN. Two ISBNs are two works."""
    mine, theirs = record.identifiers.get("isbn"), held.identifiers.get("isbn")
    if mine and theirs:
        return 101.0 if mine == theirs else 0.0
    titles = [[fold(t) for t in (one.title, _whole(one))] for one in (record, held)]
    return max(_alikeness(a, b) for a in titles[0] for b in titles[1])


def _alikeness(a: str, b: str) -> float:
    """Of 100: word by word; a title that has all words of another, if those say enough, is near it."""
    whole = fuzz.token_sort_ratio(a, b)
    if min(len(a.split()), len(b.split())) < _TELLING:
        return whole
    return max(whole, 0.9 * fuzz.token_set_ratio(a, b))


def _whole(record: Record) -> str:
    return f"{record.title} {record.subtitle or ''}".strip()


def _why(score: float) -> str:
    return "même ISBN" if score > 100 else "même titre" if score == 100 else "titre proche"


def _told(record: Record, why: str) -> Alike:
    said = (
        notices.authors(record),
        record.publisher,
        str(record.year or ""),
        f"cote {record.call_number}" if record.call_number else "",
        "fichier" if record.files else "",
    )
    return Alike(
        id=record.id,
        number=record.id.partition(":")[2],
        title=record.title,
        detail=", ".join(filter(None, said)),
        why=why,
        url=record_url(record.id),
        model_url=f"/notices/nouvelle?modele={record.id}",
    )


@views.post("/notice/<id>/exemplaire")
@needs(Right.CATALOGUE)
def add_copy(id: str) -> Response:
    """Add a copy to a record. Raises InvalidValue when its bar code is known already."""
    seen = fund().store.own(id)
    said: Mapping[str, str | None] = {
        name: typed.line(request.form.get(name, "")[:200]) for name in ("cote", "barcode", "location")
    }
    if request.form.get("faire") != "exemplaire":
        raise InvalidValue("cote", "rien à ajouter")
    with parts().store.transaction():
        held = parts().store.get(seen.id)
        if said["barcode"] and any(copy.barcode == said["barcode"] for copy in held.copies):
            raise InvalidValue("barcode", "un exemplaire de cette notice a déjà ce code-barres")
        copy = Copy(said["cote"] or held.call_number, said["barcode"], said["location"])
        cote = held.call_number or said["cote"]
        parts().store.save(dataclasses.replace(held, copies=(*held.copies, copy), call_number=cote))
    number = id.partition(":")[2]
    flash(spaced(f"Un exemplaire est ajouté à la notice n°{NBSP}{number}, qui en a {len(held.copies) + 1}."))
    return gone_to(record_url(id))
