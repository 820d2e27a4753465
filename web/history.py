"""The history of a record: who changed what and when, each former state, and the way back to it.

Hides how lines of the trail and kept versions are brought together: each change has its line, and most have
the state before it too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, flash, request

from kb.accounts import Right, may_see
from kb.audit import SYSTEM, Action, Line, Wanted
from kb.errors import Conflict, InvalidValue, NotFound
from kb.records import Record
from kb.versions import Version
from web import afterwards, clashes, differences
from web.answer_page import check_access
from web.differences import Change
from web.forms import Plain
from web.guard import fund, identity, needs
from web.notices import record_url
from web.rendering import gone_to, parts, shown
from web.typography import NBSP, spaced, written_moment

views = Blueprint("history", __name__)

PER_PAGE = 30
_VERSIONS = 1000  # states looked through for one page of history
_WORDS = {
    Action.RECORD_CREATED: "a créé la notice",
    Action.RECORD_CHANGED: "a modifié",
    Action.RECORD_DELETED: "a supprimé la notice",
    Action.RECORD_MERGED: "a fusionné cette notice avec une autre",
}
_CHANGING = (Action.RECORD_CHANGED, Action.RECORD_DELETED)


@dataclass(frozen=True, slots=True)
class Event:
    """Something done to the record; ``version`` is the state before it, if it was kept."""

    seq: int
    when: str
    who: str
    what: str
    changes: tuple[Change, ...]
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """The history, the newest first."""

    id: str
    number: str
    title: str
    url: str
    gone: bool
    unread: bool
    events: tuple[Event, ...]
    older_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """A former state: all that it said, and what going back to it would change."""

    id: str
    number: str
    title: str
    url: str
    gone: bool
    version: int
    until: str
    who: str
    facts: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    stays: tuple[str, ...]
    updated: str


def name_of(actor: str) -> str:
    """Who acts, in words."""
    if known := parts().people.names().get(actor):
        return known
    kind, _, name = actor.partition(":")
    words = {"commande": f"ligne de commande ({name})", "cle": "un centre du réseau", SYSTEM: "Carbet"}
    return words.get(kind, "compte effacé" if kind == "personne" else "quelqu’un")


def moment(at: datetime | None) -> str:
    """A moment at the centre's clock."""
    return written_moment(at, parts().config.time_zone) if at else ""


@views.get("/notice/<id>/historique")
@views.get("/notice/<id>/historique.json")
@needs(Right.CATALOGUE)
def show(id: str) -> Response:
    """All that happened to a record, or one of its former states (``version``)."""
    current, last = _known(id)
    wanted = request.args.get("version", "")
    if wanted:
        return _show_version(id, current, _number(wanted))
    before = request.args.get("avant", "")
    below = int(before) if before.isdecimal() and len(before) < 16 else None
    lines = parts().trail.lines(Wanted(object=f"notice:{id}", below=below), PER_PAGE + 1)
    older = f"{record_url(id)}/historique?avant={lines[PER_PAGE - 1].seq}" if len(lines) > PER_PAGE else None
    page = HistoryPage(
        id=id,
        number=id.partition(":")[2],
        title=(current or last).title,
        url=record_url(id),
        gone=current is None,
        unread=current is not None and afterwards.can_reread(parts(), current),
        events=tuple(_events(id, lines[:PER_PAGE], lines)),
        older_url=older,
    )
    return shown("history.html", page, section="travail", form=Plain())


def _known(id: str) -> tuple[Record | None, Record]:
    """The record as it is (None once deleted), and as it was last. Raises NotFound, Mirrored."""
    current = parts().store.get_many([id]).get(id)
    if current is not None:
        fund().store.own(id)
    versions = parts().versions.of(id, 1) if current is None else ()
    last = current or (versions[0].record if versions else None)
    if last is None or not may_see(last, identity().rights):
        raise NotFound("record", id)
    return current, last


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise NotFound("version", text)
    return int(text)


def _events(id: str, lines: Sequence[Line], looked_at: Sequence[Line]) -> Iterator[Event]:
    """Lines in words, each with the version that was kept in the same moment."""
    kept = _kept_with(looked_at, parts().versions.of(id, _VERSIONS))
    names: dict[str, str] = {}
    labels = fund().labels
    for line in lines:
        changed = differences.changes(line.before or {}, line.after or {}, labels)
        whole = line.action in (Action.RECORD_CREATED, Action.RECORD_DELETED)
        yield Event(
            line.seq,
            moment(line.at),
            names.setdefault(line.actor, name_of(line.actor)),
            _WORDS.get(Action(line.action), "a fait autre chose"),
            () if whole else changed,
            kept.get(line.seq),
        )


def _kept_with(lines: Sequence[Line], versions: Sequence[Version]) -> dict[int, int]:
    """Number of the line of a change -> number of the version kept with it: the first one at or before the
    line, which is written a moment later in the same transaction."""
    found: dict[int, int] = {}
    left = list(versions)
    for line in (line for line in lines if line.action in _CHANGING):
        while left and left[0].at > line.at:
            left.pop(0)
        previous = max((other.at for other in lines if other.seq < line.seq), default=None)
        if left and (previous is None or left[0].at > previous):
            found[line.seq] = left.pop(0).number
    return found


def _show_version(id: str, current: Record | None, number: int) -> Response:
    version = parts().versions.get(id, number)
    if not may_see(version.record, identity().rights):
        raise NotFound("version", str(number))
    then = differences.state_of(version.record)
    now = differences.state_of(current) if current else {}
    back = differences.state_of(as_it_was(version.record, current))
    page = VersionPage(
        id=id,
        number=id.partition(":")[2],
        title=version.record.title,
        url=record_url(id),
        gone=current is None,
        version=number,
        until=moment(version.at),
        who=name_of(version.actor),
        facts=differences.facts(then, fund().labels),
        changes=differences.changes(now, back, fund().labels) if current else (),
        stays=tuple(_stays(version.record, current)),
        updated=clashes.stamp(current) if current else "",
    )
    return shown("history-version.html", page, section="travail", form=Plain())


def _stays(then: Record, current: Record | None) -> Iterator[str]:
    """What going back does not bring back, told plainly."""
    if current is not None and then.files != current.files:
        yield "Le fichier et le texte des pages restent ceux d’aujourd’hui."
    if current is None and any(file.pages for file in then.files):
        held = all(file.sha256 in parts().store.originals for file in then.files)
        yield spaced(
            "Le texte des pages a été supprimé avec la notice : il sera relu du fichier d’origine, ce qui "
            "prend de quelques secondes à quelques minutes. Les pages qui sont des images restent sans texte."
            if held
            else "Le texte des pages a été supprimé, et le fichier d’origine n’est plus là : seule la notice "
            "revient."
        )
    if then.host and then.host not in parts().store.get_many([then.host]):
        yield "Le document dont elle faisait partie n’existe plus : ce lien n’est pas rétabli."


@views.post("/notice/<id>/revenir")
@needs(Right.CATALOGUE)
def go_back(id: str) -> Response:
    """Make a former state the present one, as one change more; a deleted record comes back under its number.
    Raises Conflict when the record has changed since the page was shown."""
    current, _ = _known(id)
    wanted = request.form.get("version", "")
    if not wanted.isdecimal():
        raise InvalidValue("version", "choisissez d’abord l’état auquel revenir")
    version = parts().versions.get(id, _number(wanted))
    with parts().store.transaction():
        current = parts().store.get_many([id]).get(id)
        if (clashes.stamp(current) if current else "") != request.form.get("updated", ""):
            raise Conflict(id)
        former = as_it_was(version.record, current)
        check_access(parts(), former, former.access)
        changed = parts().store.save(former)
    if current is None and afterwards.can_reread(parts(), parts().store.get(id)):
        opened = parts()
        afterwards.SOON.put("reread", lambda: afterwards.reread(opened, id))
    number = id.partition(":")[2]
    done = f"La notice n°{NBSP}{number} est " + ("rétablie." if current is None else "revenue à cet état.")
    flash(spaced(done) if changed else "Rien n’a changé.")
    return gone_to(record_url(id))


def as_it_was(then: Record, current: Record | None) -> Record:
    """The record to save to go back: what the version said, with the evidence, the files and the pages of
    today. A work that is gone is no host any more."""
    lost = then.host and then.host not in parts().store.get_many([then.host])
    host = None if lost else then.host
    if current is None:
        return dataclasses.replace(then, host=host)
    known = {s.concept: s.evidence for s in current.subjects}
    subjects = tuple(dataclasses.replace(s, evidence=known.get(s.concept, ())) for s in then.subjects)
    return dataclasses.replace(then, host=host, files=current.files, subjects=subjects)


@views.post("/notice/<id>/relire")
@needs(Right.CATALOGUE)
def reread(id: str) -> Response:
    """Read the text of a record again from its original, when it was lost."""
    held = fund().store.own(id)
    if afterwards.can_reread(parts(), held):
        opened = parts()
        afterwards.SOON.put("reread", lambda: afterwards.reread(opened, id))
        flash("Le texte est en cours de relecture. Rechargez la page dans un instant.")
    else:
        flash("Il n’y a rien à relire.")
    return gone_to(record_url(id))
