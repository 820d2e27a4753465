"""Views that put a question otherwise, and that make one of two.

Hides how two persons who put it otherwise at the same time both keep their words: the form carries what the
question said when it was opened, in short, so that a field which one of them left alone is the other's.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flask import Blueprint, Response, flash, request

from ingest.differences import Piece, marked
from kb import desk_merging
from kb.accounts import Right
from kb.errors import Conflict, InvalidValue, NotFound
from kb.questions import Asked, Question
from kb.servicelog import StepKind
from web.desk_forms import EditForm, theme_words, values
from web.desk_gestures import CHANGED
from web.desk_queue import Line, Lines, QueueState
from web.desk_words import CHANNELS, written_day
from web.forms import Plain
from web.guard import identity, needs
from web.rendering import gone_to, parts, shown
from web.typography import spaced

views = Blueprint("desk_editing", __name__)

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "text": "Question",
        "context": "Contexte",
        "channel": "Reçue par",
        "actor": "Qualité du demandeur",
        "territory": "Territoire",
        "themes": "Thèmes",
        "wanted_by": "Souhaitée pour le",
        "consent": "Accord pour publier",
    }
)
"""Field of what is asked -> its French name."""

MINE, THEIRS = "mien", "sien"
_LONGEST_MARKED = 6000  # characters of two texts whose words are aligned: the time grows with their square


@dataclass(frozen=True, slots=True)
class EditPage:
    """A question to be put otherwise."""

    reference: str
    url: str
    opening: str
    themes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldClash:
    """A field that two persons changed: theirs and mine, cut where they part."""

    name: str
    label: str
    theirs: tuple[Piece, ...]
    mine: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class ClashPage:
    """What somebody changed meanwhile; ``typed`` is all that was typed, to be sent again."""

    reference: str
    url: str
    who: str
    own: bool
    fields: tuple[FieldClash, ...]
    typed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MergePage:
    """Two questions side by side: ``part`` becomes a part of ``whole``."""

    part: Line
    whole: Line
    part_text: str
    whole_text: str
    pieces: tuple[Piece, ...]


# -- putting it otherwise


@views.route("/guichet/<reference>/preciser", methods=["GET", "POST"])
@views.get("/guichet/<reference>/preciser.json")
@needs(Right.ANSWER)
def edit(reference: str) -> Response:
    """What is asked, put otherwise."""
    held = parts().desk.by_reference(reference)
    if held.merged_into is not None:
        raise NotFound("question", reference)
    if request.method != "POST":
        return _editor(held, _form_of(held))
    form = EditForm()
    form.know(parts().labels, held)
    mine = form.read(parts().labels, held)
    if mine is None:
        return _editor(held, form, status=400)
    seen = request.form.get("vu", "")
    known = str(held.version) in (form.version.data, seen)
    if not known and (clashing := _clashing(mine, held, form.begun.data or "")):
        return _clash(held, mine, clashing)
    return _saved(held, _joined(mine, held, form), form, alone=form.version.data == str(held.version))


def _form_of(held: Question) -> EditForm:
    form = EditForm(formdata=None, data=values(held, parts().labels))
    form.know(parts().labels, held)
    form.version.data, form.begun.data = str(held.version), _digest(asked_of(held))
    return form


def _editor(held: Question, form: EditForm, *, status: int = 200) -> Response:
    line = Lines(parts(), QueueState(), identity().person).of(held)
    context = EditPage(held.reference, line.url, line.opening, theme_words(parts().thesaurus))
    return shown("desk-edit.html", context, section="guichet", form=form, status=status)


def asked_of(held: Question) -> Asked:
    """What a question asks, without where it stands."""
    return Asked(**{name: getattr(held, name) for name in FIELDS})


def _digest(asked: Asked) -> str:
    """A few signs for each field, by which it is seen whether it is still the same."""
    said = (repr(_plain(getattr(asked, name))) for name in FIELDS)
    return ".".join(hashlib.sha256(words.encode()).hexdigest()[:12] for words in said)


def _plain(value: object) -> object:
    """A text without what browsers change in it."""
    return " ".join(value.split()) if isinstance(value, str) else value


def _untouched(asked: Asked, begun: str) -> frozenset[str]:
    """The fields that are as they were when the form was opened."""
    pairs = zip(FIELDS, begun.split("."), _digest(asked).split("."), strict=False)
    return frozenset(name for name, before, now in pairs if before == now)


def _clashing(mine: Asked, held: Question, begun: str) -> tuple[str, ...]:
    """The fields that both changed, to something else."""
    theirs = asked_of(held)
    same = _untouched(mine, begun) | _untouched(theirs, begun)
    differing = (name for name in FIELDS if _plain(getattr(mine, name)) != _plain(getattr(theirs, name)))
    return tuple(name for name in differing if name not in same)


def _joined(mine: Asked, held: Question, form: EditForm) -> Asked:
    """Mine, with theirs in the fields that I left alone or gave up."""
    if form.version.data == str(held.version):
        return mine
    given_up = {name for name in FIELDS if request.form.get(f"garder-{name}") == THEIRS}
    theirs = {name: getattr(held, name) for name in _untouched(mine, form.begun.data or "") | given_up}
    return dataclasses.replace(mine, **theirs)


def _saved(held: Question, asked: Asked, form: EditForm, *, alone: bool) -> Response:
    if all(_plain(getattr(asked, name)) == _plain(getattr(held, name)) for name in FIELDS):
        flash("Rien n’a été changé.")
        return gone_to(f"/guichet/{held.reference}")
    try:
        parts().desk.change(held.id, held.version, asked, person=identity().person)
        parts().publications.restrict()  # what may be public follows what was agreed to, at once
    except InvalidValue as error:
        form.blame(error)
        return _editor(held, form, status=400)
    except Conflict:  # changed again between the two looks: once more, with what they wrote
        return edit(held.reference)
    flash("C’est enregistré." if alone else f"C’est enregistré, avec ce que {_who(held)[0]} a changé.")
    return gone_to(f"/guichet/{held.reference}")


def _who(held: Question) -> tuple[str, bool]:
    """Who put it otherwise last, and whether it was the one who asks."""
    steps = [s for s in parts().desk.log.of(held.id) if s.kind is StepKind.CHANGED]
    person = steps[-1].person if steps else None
    name = parts().people.get(person).name if person else "quelqu’un"
    return name, person == identity().person


def _clash(held: Question, mine: Asked, names: tuple[str, ...]) -> Response:
    theirs, (who, own) = asked_of(held), _who(held)
    fields = tuple(_field(name, theirs, mine) for name in names)
    left = ("csrf_token", "vu", *(f"garder-{name}" for name in FIELDS))
    typed = tuple((k, v) for k, v in request.form.items(multi=True) if k not in left)
    page = ClashPage(held.reference, f"/guichet/{held.reference}", who, own, fields, typed)
    return shown("desk-clash.html", page, section="guichet", status=409, seen=held.version)


def _field(name: str, theirs: Asked, mine: Asked) -> FieldClash:
    there, here = (_words(name, getattr(asked, name)) for asked in (theirs, mine))
    if len(there) + len(here) > _LONGEST_MARKED:
        return FieldClash(name, FIELDS[name], (Piece(there, "", False),), (Piece("", here, False),))
    pieces = tuple(marked(there, here))
    return FieldClash(
        name,
        FIELDS[name],
        tuple(Piece(p.here, p.here, p.same) if p.same else Piece(p.here, "", False) for p in pieces),
        tuple(Piece(p.there, p.there, p.same) if p.same else Piece("", p.there, False) for p in pieces),
    )


def _words(name: str, value: object) -> str:
    lines = Lines(parts(), QueueState(), None)
    match name, value:
        case _, None | "" | ():
            return ""
        case "themes", tuple():
            return ", ".join(lines.label(code) for code in value)
        case (("actor" | "territory"), str()):
            return lines.label(value)
        case "channel", _:
            return CHANNELS[value]  # type: ignore[index]
        case "wanted_by", _:
            return written_day(value, year=True)  # type: ignore[arg-type]
        case "consent", _:
            return "oui" if value else "non"
        case _:
            return str(value)


# -- two that are one


@views.route("/guichet/<reference>/fusion/<other>", methods=["GET", "POST"])
@views.get("/guichet/<reference>/fusion/<other>.json")
@needs(Right.ANSWER)
def merge(reference: str, other: str) -> Response:
    """Two questions of one person side by side, to be made one."""
    one, two = (parts().desk.by_reference(which) for which in (reference, other))
    pair = desk_merging.order(one, two, parts().answers)
    if pair is None or two not in desk_merging.alike(one, parts().desk):
        raise NotFound("question", other)
    part, whole = pair
    if request.method == "POST" and Plain().validate_on_submit():
        try:
            database, person = parts().store.database, identity().person
            desk_merging.merge(part.id, whole.id, desk=parts().desk, database=database, person=person)
        except Conflict:
            flash(spaced(CHANGED))
        else:
            flash(spaced(f"La question {part.reference} fait maintenant partie de {whole.reference}."))
        return gone_to(f"/guichet/{whole.reference}")
    lines = Lines(parts(), QueueState(), identity().person)
    texts = len(part.text) + len(whole.text)
    pieces = tuple(marked(whole.text, part.text)) if texts <= _LONGEST_MARKED else ()
    page = MergePage(lines.of(part), lines.of(whole), _whole(part), _whole(whole), pieces)
    return shown("desk-merge.html", page, section="guichet", form=Plain())


def _whole(question: Question) -> str:
    return f"{question.text}\n\n{question.context}".strip()
