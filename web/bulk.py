"""Views that change many records at once: choose, see what will change, apply, undo the whole.

Hides how a lot is found again: the lines that one transaction adds to the trail follow each other without a
gap, so that the number of the last one and how many they are name the lot for ever.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, flash, request

from kb import records
from kb.accounts import Right
from kb.audit import Action, Line, Wanted
from kb.errors import InvalidValue, NotFound
from kb.records import Record
from web import clashes, differences, history, holders, notices, results
from web.answer_page import check_access
from web.bulk_changes import EMPTIED, BulkForm, Wishes, changed, wishes
from web.differences import Change
from web.forms import Plain
from web.guard import fund, needs
from web.labels import Labels
from web.notices import record_url
from web.rendering import gone_to, parts, shown
from web.state import SearchState
from web.typography import counted, spaced

views = Blueprint("bulk", __name__)

MOST = 500
"""Records of one lot: what one transaction saves in some seconds, and what somebody still looks through."""

_FIELDS = MOST + 100


@dataclass(frozen=True, slots=True)
class Item:
    """A record of the lot: what it is, what will change in it, or why that cannot be."""

    id: str
    number: str
    title: str
    detail: str
    url: str
    changes: tuple[Change, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPage:
    """The records to choose from; ``left`` are those that only other centres hold."""

    items: tuple[Item, ...]
    ticked: tuple[str, ...]
    total: int
    left: int
    too_many: bool
    back_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    """What will change; ``sent`` is the form to be sent again, ``seen`` the state that was looked at."""

    items: tuple[Item, ...]
    same: int
    faults: tuple[Item, ...]
    sent: tuple[tuple[str, str], ...]
    seen: str
    moved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DonePage:
    """A lot that was changed, and whether it can be undone."""

    items: tuple[Item, ...]
    last: int
    count: int
    who: str
    when: str
    free: int
    busy: tuple[Item, ...]


@views.get("/lot")
@views.get("/lot.json")
@needs(Right.CATALOGUE)
def choose() -> Response:
    """The records of a search, or those named (``n``), and what to change in them."""
    named = request.args.getlist("n")[: MOST + 1]
    ids, total = (_ids(named), len(named)) if named else _found()
    return _choice(BulkForm(formdata=None), ids, total, ids)


def _choice(form: BulkForm, ids: Sequence[str], total: int, ticked: Sequence[str]) -> Response:
    too_many = total > MOST
    own, left = ([], 0) if too_many else holders.own_of(fund(), ids)
    held = fund().store.get_many(own)
    state = SearchState.from_args(request.args)
    page = BulkPage(
        items=tuple(map(_item, held.values())),
        ticked=tuple(holders.own_of(fund(), ticked)[0]),
        total=total,
        left=left,
        too_many=too_many,
        back_url=state.url(),
    )
    status = 400 if form.faults else 200
    return shown("bulk.html", page, section="travail", form=form, emptied=EMPTIED, status=status)


def _ids(named: Sequence[str]) -> list[str]:
    """Ids for numbers or ids, each once; what is neither is left out."""
    centre = parts().config.centre
    whole = (name if ":" in name else f"{centre}:{name}" for name in (n.strip()[:120] for n in named) if name)
    return list(dict.fromkeys(whole))


def _found() -> tuple[list[str], int]:
    """Ids of the search in the address, and how many there are; none when it asks for nothing."""
    state = SearchState.from_args(request.args)
    if not state.q and not state.filters and not request.args:
        return [], 0
    wide = dataclasses.replace(state, page=1, size=MOST + 1)
    found = results.ask(fund(), wide, counted=())
    return [hit.id for hit in found.results.hits], found.results.total


def _item(record: Record) -> Item:
    said = (records.TYPES[record.type], str(record.year or ""), notices.authors(record, 2))
    detail = " · ".join(filter(None, said))
    return Item(record.id, record.id.partition(":")[2], record.title, detail, record_url(record.id))


# -- preview and apply


@views.post("/lot/apercu")
@needs(Right.CATALOGUE, fields=_FIELDS)
def preview() -> Response:
    """What would change in each record; nothing is changed yet."""
    form, ids, ticked = BulkForm(), _sent("tous"), _sent("n")
    wanted = wishes(form, fund())
    if wanted is not None and not wanted:
        form.form_errors.append("Dites d’abord ce qu’il faut changer.")
    if not ticked:
        form.form_errors.append("Cochez au moins une notice.")
    if wanted is None or form.faults:
        return _choice(form, ids, len(ids), ticked)
    return _preview(wanted, ticked, moved=False)


def _sent(name: str) -> list[str]:
    return _ids(request.form.getlist(name)[:MOST])


def _preview(wanted: Wishes, ids: Sequence[str], *, moved: bool) -> Response:
    held = parts().store.get_many(list(fund().store.get_many(ids)))
    labels = fund().labels  # asked once: it looks whether the vocabulary has changed
    items = [_change(record, wanted, labels) for record in held.values()]
    changing = tuple(item for item in items if item.changes)
    faults = tuple(item for item in items if item.fault)
    ours = [(k, v) for k, v in request.form.items(multi=True) if k not in ("csrf_token", "n", "tous", "seen")]
    page = PreviewPage(
        items=changing,
        same=len(items) - len(changing) - len(faults),
        faults=faults,
        sent=(*ours, *(("n", item.id) for item in changing)),
        seen=_seen([held[item.id] for item in changing]),
        moved=moved,
    )
    return shown("bulk-preview.html", page, section="travail", form=Plain(), status=409 if moved else 200)


def _change(record: Record, wanted: Wishes, labels: Labels) -> Item:
    item = _item(record)
    try:
        after = differences.state_of(changed(record, wanted))
    except InvalidValue as error:
        return dataclasses.replace(item, fault=error.why)
    told = differences.changes(differences.state_of(record), after, labels)
    return dataclasses.replace(item, changes=told)


def _seen(held: Sequence[Record]) -> str:
    """One word for the states that were looked at."""
    stamps = sorted(f"{record.id} {clashes.stamp(record)}" for record in held)
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()[:32]


@views.post("/lot/appliquer")
@needs(Right.CATALOGUE, fields=_FIELDS)
def apply() -> Response:
    """Change them all, in one transaction; shown again when one of them is not what was looked at."""
    form, ids = BulkForm(), list(fund().store.get_many(_sent("n")))
    wanted = wishes(form, fund())
    if not wanted or not ids:
        raise InvalidValue("n", "rien à changer : reprenez depuis la liste")
    with parts().store.transaction():
        held = parts().store.get_many(ids)
        same = len(held) == len(ids) and _seen(list(held.values())) == request.form.get("seen")
        done = sum(map(_save, (changed(record, wanted) for record in held.values()))) if same else 0
        last = parts().trail.head()[0]
    if not same:
        return _preview(wanted, ids, moved=True)
    if not done:
        flash("Rien n’a changé.")
        return gone_to("/lot")
    flash(f"{counted(done, 'notice modifiée', 'notices modifiées')}.")
    return gone_to(f"/lot/fait?derniere={last}&nombre={done}")


# -- what was done, and back


@views.get("/lot/fait")
@views.get("/lot/fait.json")
@needs(Right.CATALOGUE)
def done() -> Response:
    """A lot that was changed: each change, and the way back. Raises NotFound."""
    lines = _lines(request.args)
    held = fund().store.get_many([_id(line) for line in lines])
    free = _unchanged_since(lines)
    labels = fund().labels
    items = {line.seq: _done_item(line, held.get(_id(line)), labels) for line in lines}
    page = DonePage(
        items=tuple(items.values()),
        last=lines[0].seq,
        count=len(lines),
        who=history.name_of(lines[0].actor),
        when=history.moment(lines[0].at),
        free=len(free),
        busy=tuple(items[line.seq] for line in lines if line not in free),
    )
    return shown("bulk-done.html", page, section="travail", form=Plain())


def _lines(said: Mapping[str, str]) -> list[Line]:
    """The lines of a lot, the last one first. Raises InvalidValue, NotFound."""
    last, count = said.get("derniere", ""), said.get("nombre", "")
    if not (last.isdecimal() and count.isdecimal() and len(last) < 16 and 0 < int(count[:6]) <= MOST):
        raise InvalidValue("derniere", "choisissez d’abord un lot")
    wanted = Wanted(action=Action.RECORD_CHANGED, below=int(last) + 1)
    lines = parts().trail.lines(wanted, int(count))
    whole = len(lines) == int(count) and lines[0].seq == int(last)
    if not whole or lines[-1].seq != int(last) - int(count) + 1 or len({line.actor for line in lines}) > 1:
        raise NotFound("lot", f"{last} {count}")
    return lines


def _id(line: Line) -> str:
    return line.object.removeprefix("notice:")


def _unchanged_since(lines: Sequence[Line]) -> list[Line]:
    """The lines whose records nobody has changed or deleted since."""
    return [line for line in lines if parts().trail.lines(Wanted(object=line.object), 1)[0].seq == line.seq]


def _done_item(line: Line, record: Record | None, labels: Labels) -> Item:
    told = differences.changes(line.before or {}, line.after or {}, labels)
    if record is None:
        return Item(_id(line), _id(line).partition(":")[2], "notice supprimée depuis", "", "", told)
    return dataclasses.replace(_item(record), changes=told)


@views.post("/lot/annuler")
@needs(Right.CATALOGUE)
def undo() -> Response:
    """Bring all records of a lot back to what they were before it, as changes of their own; those that were
    changed since stay as they are."""
    lines = _lines(request.form)
    with parts().store.transaction():
        free = _unchanged_since(lines)
        undone = sum(_bring_back(_id(line)) for line in free)
        last = parts().trail.head()[0]
    left = len(lines) - len(free)
    told = f"{counted(undone, 'notice est revenue', 'notices sont revenues')} à l’état d’avant."
    if left:
        words = ("notice changée depuis reste telle", "notices changées depuis restent telles")
        told += f" {counted(left, *words)}."
    flash(spaced(told))
    if not undone:
        return gone_to(f"/lot/fait?derniere={lines[0].seq}&nombre={len(lines)}")
    return gone_to(f"/lot/fait?derniere={last}&nombre={undone}")


def _save(record: Record) -> bool:
    check_access(parts(), record, record.access)
    return parts().store.save(record)


def _bring_back(id: str) -> bool:
    """The newest version kept of a record is what it was before the lot."""
    before, now = parts().versions.of(id, 1)[0].record, parts().store.get(id)
    return _save(history.as_it_was(before, now))
