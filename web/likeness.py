"""Views of records that may be one work: side by side, differences marked, one click to settle."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, flash, request
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from ingest import duplicates
from kb import merging
from kb.accounts import Right
from kb.doubts import Decision, Doubt
from kb.errors import InvalidRecord, InvalidValue, NotFound
from kb.records import Record
from web import messages, notices, pair_page
from web.forms import Form, Plain
from web.guard import fund, needs
from web.notices import Card
from web.pair_page import KINDS, PART, PART_INSIDE_OUT, SETTLED, Pair, number_of
from web.rendering import gone_to, parts, shown
from web.tending import picture_of, tending
from web.typography import spaced

views = Blueprint("likeness", __name__)

PER_PAGE = 20


@views.app_context_processor
def _told() -> dict[str, object]:
    """For pages of records: what is to be done with one, and where the picture of a part's page is."""
    return {"tending": tending, "picture_of": picture_of}


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtView:
    """A pair in one line."""

    id: int
    url: str
    kind: str
    score: int
    here: Card
    here_name: str
    there: Card
    there_name: str
    same_title: bool


@dataclass(frozen=True, slots=True)
class DoubtsPage:
    """The pairs that wait, the likeliest first."""

    doubts: tuple[DoubtView, ...]
    total: int
    number: int
    of: int
    previous_url: str | None
    next_url: str | None


_NUMBER = re.compile(r"(?:.*/notice/|n[°ºo]?\s*)?((?:[a-z0-9-]+:)?[0-9]{1,10})/?")
_NO_NUMBER = "Tapez un numéro de notice, par exemple 205, ou collez l’adresse de la notice."


class CompareForm(Form):
    """Two numbers of records."""

    une = StringField(
        "Numéro de la première",
        validators=[InputRequired(message=_NO_NUMBER), Length(max=300, message=_NO_NUMBER)],
        render_kw={"autocomplete": "off", "size": 14},
    )
    autre = StringField(
        "Numéro de la seconde",
        validators=[InputRequired(message=_NO_NUMBER), Length(max=300, message=_NO_NUMBER)],
        render_kw={"autocomplete": "off", "size": 14},
    )

    def found(self) -> tuple[Record, Record] | None:
        """Both records; None when the form is not right, and then it says why."""
        if not self.validate_on_submit():
            return None
        one, other = self._record("une"), self._record("autre")
        if one is None or other is None:
            return None
        if one.id == other.id:
            self.blame(InvalidValue("autre", "c’est deux fois la même notice"))
            return None
        return one, other

    def _record(self, name: str) -> Record | None:
        match = _NUMBER.fullmatch(str(self[name].data).strip().lower())
        if match is None:
            self[name].errors = [_NO_NUMBER]
            return None
        centre, colon, number = match[1].rpartition(":")
        id = f"{centre if colon else parts().config.centre}:{int(number)}"
        id = merging.redirected(parts().store.database, id) or id
        record = fund().store.get_many([id]).get(id)
        if record is None:
            self[name].errors = [spaced(f"Il n’y a pas de notice n° {int(number)}.")]
        elif fund().store.elsewhere(id) is not None:
            self[name].errors = [messages.mirrored(fund().labels.of("centre", record.centre))]
            return None
        return record


@views.get("/doublons")
@views.get("/doublons.json")
@needs(Right.CATALOGUE)
def doubles() -> Response:
    """The pairs that wait."""
    return _listed(CompareForm(formdata=None, data={"une": request.args.get("une", "")[:300]}))


def _listed(form: CompareForm, status: int = 200) -> Response:
    _, total = parts().doubts.open(0)
    pages = max(1, -(-total // PER_PAGE))
    number = min(max(1, request.args.get("page", 1, int)), pages)
    found, _ = parts().doubts.open(PER_PAGE, (number - 1) * PER_PAGE)
    held = parts().store.get_many([id for doubt in found for id in (doubt.record, doubt.other)])
    context = DoubtsPage(
        doubts=tuple(_line(d, held) for d in found if d.record in held and d.other in held),
        total=total,
        number=number,
        of=pages,
        previous_url=f"/doublons?page={number - 1}" if number > 1 else None,
        next_url=f"/doublons?page={number + 1}" if number < pages else None,
    )
    return shown("doubles.html", context, section="travail", status=status, form=form)


def _line(doubt: Doubt, held: Mapping[str, Record]) -> DoubtView:
    here, there = held[doubt.record], held[doubt.other]
    return DoubtView(
        id=doubt.id,
        url=f"/doublons/{doubt.id}",
        kind=KINDS[doubt.kind][0],
        score=int(100 * doubt.score),
        here=notices.card(here, 104),
        here_name=_told_apart(here),
        there=notices.card(there, 104),
        there_name=_told_apart(there),
        same_title=here.title == there.title,
    )


def _told_apart(record: Record) -> str:
    """What tells two records of one title apart."""
    name = record.files[0].name if record.files else record.call_number
    known = (f"n° {number_of(record.id)}", str(record.year) if record.year else "sans date", name)
    return " · ".join(filter(None, known))


@views.post("/doublons")
@needs(Right.CATALOGUE)
def double_new() -> Response:
    """Bring two records together by hand."""
    form = CompareForm()
    if (both := form.found()) is None:
        return _listed(form, status=400)
    one, other = both
    if (held := parts().doubts.between(one.id, other.id)) is not None:
        return gone_to(f"/doublons/{held.id}")
    pages = [parts().store.pages(record.id, raw=False) for record in both]
    likeness = duplicates.compare(one, pages[0], other, pages[1])
    return gone_to(f"/doublons/{parts().doubts.add(likeness.kind, one.id, other.id, likeness.score)}")


@views.get("/doublons/<int:id>")
@views.get("/doublons/<int:id>.json")
@needs(Right.CATALOGUE)
def double(id: int) -> Response:
    """Two records side by side."""
    return _shown(Pair(parts().doubts.get(id), parts().store))


def _shown(pair: Pair, fault: str = "") -> Response:
    both = (pair.here.id, pair.there.id)
    waiting = frozenset(id for id in both if parts().reviews.get(id) is not None)
    more = {"form": Plain(formdata=None), "fault": fault}
    status = 409 if fault else 200
    return shown("double.html", pair.shown(fund(), waiting), section="travail", status=status, **more)


_CHANGED = (
    "L’une des deux notices a changé pendant que vous regardiez, et rien n’a été fait. Les voici comme elles "
    "sont maintenant : décidez de nouveau."
)
_RING = "Celle qui contiendrait l’autre en fait déjà partie : rien n’a été fait."


@views.post("/doublons/<int:id>")
@needs(Right.CATALOGUE)
def double_settle(id: int) -> Response:
    """Attach, replace, keep both, or make one a part of the other."""
    decision = request.form.get("decision", "")
    if decision not in SETTLED:
        raise InvalidValue("decision", "choisissez ce qu’il faut faire de ces deux notices")
    with parts().store.transaction():
        try:
            doubt = parts().doubts.get(id)
        except NotFound:
            doubt = None
        if doubt is None or doubt.decision is not None:
            flash("Cette paire était déjà réglée : rien n’a été changé.")
            return gone_to("/doublons")
        if request.form.get("vu", "") != pair_page.stamp(parts().store, doubt):
            return _shown(Pair(doubt, parts().store), _CHANGED)
        try:
            stays = _settle(doubt, decision)
        except InvalidRecord:
            return _shown(Pair(doubt, parts().store), _RING)
    flash(spaced(f"{SETTLED[decision]} Notice n° {number_of(stays)}."))
    _, left = parts().doubts.open(0)
    return gone_to("/doublons" if left else notices.record_url(stays))


def _settle(doubt: Doubt, decision: str) -> str:
    """Do it; the number of the record to look at. Raises InvalidRecord for a part of itself, InvalidValue."""
    store = parts().store
    if decision in (PART, PART_INSIDE_OUT):
        part, host = pair_page.inner(doubt, Pair(doubt, store).likeness)
        if decision == PART_INSIDE_OUT:
            part, host = host, part
        merging.make_part(store, part, host, " ".join(request.form.get("pages", "").split())[:40] or None)
        merging.decide(store, doubt, Decision.KEEP_BOTH)
        return part
    note = "Autre édition" if request.form.get("edition") else None
    stays = merging.decide(
        store,
        doubt,
        Decision(decision),
        kept=_one_of(doubt, "reste"),
        newer=_one_of(doubt, "recente"),
        note=note,
    )
    return stays.id


def _one_of(doubt: Doubt, name: str) -> str | None:
    """Which of both records a field names; None when it names none."""
    given = request.form.get(name, "")
    if given not in ("", doubt.record, doubt.other):
        raise InvalidValue(name, "choisissez l’une des deux notices de cette paire")
    return given or None


@views.post("/doublons/<int:id>/rouvrir")
@needs(Right.CATALOGUE)
def double_reopen(id: int) -> Response:
    """Ask again about a pair whose records were both kept."""
    parts().doubts.reopen(id)
    flash("La question est posée de nouveau.")
    return gone_to(f"/doublons/{id}")
