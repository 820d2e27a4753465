"""What is harvested from other centres, for administrators: try, add, follow, suspend, change, take away.

No harvest is run by a page: pages make a source due, and the work behind them does the rest
(``web.worker.Harvesting``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, flash

from kb.accounts import Right
from kb.centres import Centre
from kb.errors import Conflict, HarvestError, InvalidValue, Trouble
from kb.limits import Limit
from kb.signing import fingerprint, regular_key
from kb.sources import Source
from web.guard import needs
from web.harvest_adding import Wish, add_source, formats_beside, known_centre
from web.harvest_forms import AddForm, ChangeForm, RemoveForm, TryForm
from web.harvest_page import source_page, sources_page
from web.harvest_removal import count_held, take_away
from web.harvest_trial import Tried, try_out
from web.harvest_words import HOURS, said_fault
from web.rendering import gone_to, parts, shown
from web.typography import spaced

views = Blueprint("harvesting", __name__)

TRIALS = Limit("essais-de-depot", 30, 600)
"""Each may hold a thread of the server for three quarters of a minute."""

_LIST = "/reseau/moissons"


@dataclass(frozen=True, slots=True)
class TrialPage:
    """What a trial found; None once it was sent back to be corrected."""

    tried: Tried | None
    fingerprint: str
    known: str


@dataclass(frozen=True, slots=True)
class ChangePage:
    """The source that is changed."""

    id: int
    name: str
    has_secret: bool


@dataclass(frozen=True, slots=True)
class RemovalPage:
    """What is about to be taken away; ``going`` when a part of it already is."""

    id: int
    name: str
    held: int
    going: bool


# -- the list


@views.get("/reseau/moissons")
@views.get("/reseau/moissons.json")
@needs(Right.MANAGE_NETWORK)
def sources() -> Response:
    """Every source: how it stands, what it gave last, when it is asked next."""
    return shown("harvest-sources.html", sources_page(parts(), datetime.now(UTC)), section="administration")


# -- one more


@views.get("/reseau/moissons/nouvelle")
@needs(Right.MANAGE_NETWORK)
def new() -> Response:
    """Where to ask a centre."""
    return shown("harvest-new.html", None, section="administration", form=TryForm())


@views.get("/reseau/moissons/essai")
@needs(Right.MANAGE_NETWORK)
def tried_before() -> Response:
    """A trial is not kept: whoever comes back to its address begins again."""
    return gone_to(f"{_LIST}/nouvelle")


@views.post("/reseau/moissons/essai")
@needs(Right.MANAGE_NETWORK, limit=TRIALS)
def attempt() -> Response:
    """Ask the centre who it is and what it has; nothing is kept."""
    form = TryForm()
    if form.validate_on_submit():
        try:
            tried = try_out(parts().connector, form.url.data, form.secret.data or None)
        except HarvestError as error:
            _blame_trial(form, error)
        else:
            return _trial_shown(_filled(tried, form.secret.data or ""), tried)
    return shown("harvest-new.html", None, section="administration", form=form, status=400)


def _blame_trial(form: TryForm, error: HarvestError) -> None:
    """Under the address, or under the key when that is what is wrong."""
    if error.trouble is Trouble.REFUSED:
        why = (
            "n’accepte pas cette clé : copiez-la" if form.secret.data else "demande une clé : recopiez-la ici"
        )
        told = spaced(f"Ce centre {why}, ou demandez-lui-en une.")
        form.secret.errors = [*form.secret.errors, told]
    else:
        form.url.errors = [*form.url.errors, said_fault(error)]


def _filled(tried: Tried, secret: str) -> AddForm:
    said = tried.centre
    form = AddForm(
        formdata=None,
        data={
            "url": tried.url,
            "sealed": parts().keyring.encrypt(secret) if secret else "",
            "about": said.about,
            "public_key": said.public_key or "",
            "name": said.name,
            "code": said.code,
            "contact": said.contact,
            "site": said.url,
            "prefix": tried.prefix,
        },
    )
    form.offer_sets(tried.sets)
    return form


def _trial_shown(form: AddForm, tried: Tried | None = None) -> Response:
    key = regular_key(form.public_key.data or "")
    page = TrialPage(tried, fingerprint(key) if key else "", _known(form.code.data or ""))
    status = 400 if form.faults else 200
    return shown("harvest-trial.html", page, section="administration", form=form, status=status)


def _known(code: str) -> str:
    return parts().centres.names().get(code.strip(), "")


@views.post("/reseau/moissons")
@needs(Right.MANAGE_NETWORK)
def add() -> Response:
    """Keep a source, and its centre if it is new; its first harvest is due at once."""
    form = AddForm()
    form.offer_sets()
    if form.validate_on_submit():
        try:
            source = add_source(parts(), _centre_of(form), _wish_of(form))
        except InvalidValue as error:
            form.blame(error)
        else:
            flash(spaced(f"{form.name.data} est ajouté : la première moisson commence."))
            return gone_to(f"{_LIST}/{source.id}")
    return _trial_shown(form)


def _centre_of(form: AddForm) -> Centre:
    """The centre as it is told; of one that is known already, what this form does not say stays."""
    held = known_centre(parts(), form.code.data.strip())
    return dataclasses.replace(
        held,
        name=form.name.data,
        contact=form.contact.data or held.contact,
        url=form.site.data or held.url,
        about=held.about or form.about.data or "",
        public_key=regular_key(form.public_key.data or "") if form.trusted.data else held.public_key,
    )


def _wish_of(form: AddForm) -> Wish:
    return Wish(
        url=form.url.data,
        prefix=form.prefix.data,
        set=form.set.data or None,
        secret=parts().keyring.decrypt(form.sealed.data) if form.sealed.data else None,
        hours=int(form.hours.data),
        relays=form.relays.data,
    )


# -- one of them


@views.get("/reseau/moissons/<int:id>")
@views.get("/reseau/moissons/<int:id>.json")
@needs(Right.MANAGE_NETWORK)
def source(id: int) -> Response:
    """How a source stands, and the report of its harvests."""
    page = source_page(parts(), id, datetime.now(UTC))
    return shown("harvest-source.html", page, section="administration")


@views.post("/reseau/moissons/<int:id>/lancer")
@needs(Right.MANAGE_NETWORK)
def ask_now(id: int) -> Response:
    """Make it due."""
    return _act_on(id, parts().sources.ask_now, "La moisson commence dans un instant.")


@views.post("/reseau/moissons/<int:id>/tout-reprendre")
@needs(Right.MANAGE_NETWORK)
def begin_again(id: int) -> Response:
    """Ask it for everything, from the beginning."""

    def whole(id: int) -> None:
        parts().sources.ask_now(id, whole=True)

    return _act_on(id, whole, "Toutes les notices seront relues ; cela commence dans un instant.")


def _act_on(id: int, act: Callable[[int], None], done: str) -> Response:
    """Something that a harvest which is running would undo."""
    if parts().sources.get(id).running:
        flash(_BUSY)
    else:
        act(id)
        flash(spaced(done))
    return gone_to(f"{_LIST}/{id}")


_BUSY = spaced("Une moisson est en cours : suspendez-la, attendez qu’elle s’arrête, puis recommencez.")


@views.post("/reseau/moissons/<int:id>/suspendre")
@needs(Right.MANAGE_NETWORK)
def suspend(id: int) -> Response:
    """Ask it no more; a harvest that is running ends with its page."""
    parts().sources.pause(id, True)
    flash(spaced("La source est suspendue. Ce qui est arrivé est gardé ; elle reprendra où elle en était."))
    return gone_to(f"{_LIST}/{id}")


@views.post("/reseau/moissons/<int:id>/reprendre")
@needs(Right.MANAGE_NETWORK)
def resume(id: int) -> Response:
    """Ask it again, at once."""
    with parts().store.transaction():
        parts().sources.pause(id, False)
        parts().sources.ask_now(id)
    flash("La source est reprise.")
    return gone_to(f"{_LIST}/{id}")


# -- changes


@views.route("/reseau/moissons/<int:id>/modifier", methods=["GET", "POST"])
@needs(Right.MANAGE_NETWORK)
def change(id: int) -> Response:
    """Another address, format, set, rhythm or key; what is asked otherwise is asked from the beginning."""
    held = parts().sources.get(id)
    centre = parts().centres.get(held.centre)
    form = ChangeForm(data=_as_fields(held, centre))
    _offer(form, held)
    if form.validate_on_submit():
        if held.running:
            form.form_errors.append(_BUSY)
        else:
            try:
                _changed(form, held, centre)
            except InvalidValue as error:
                form.blame(error)
            else:
                flash("Les changements sont enregistrés.")
                return gone_to(f"{_LIST}/{id}")
    page, status = ChangePage(id, centre.name, held.has_secret), 400 if form.faults else 200
    return shown("harvest-change.html", page, section="administration", form=form, status=status)


def _as_fields(held: Source, centre: Centre) -> dict[str, object]:
    return {
        "name": centre.name,
        "contact": centre.contact,
        "site": centre.url,
        "public_key": centre.public_key or "",
        "url": held.url,
        "hours": str(held.hours),
        "prefix": held.prefix,
        "set": held.set or "",
        "relays": held.relays,
    }


def _offer(form: ChangeForm, held: Source) -> None:
    """The formats that leave numbers as they are; and a rhythm that the command line set stays a choice."""
    form.prefix.choices = [
        choice for choice in form.prefix.choices if choice.value in formats_beside(held.prefix)
    ]
    if held.hours not in HOURS:
        form.hours.choices = [*form.hours.choices, (str(held.hours), f"Toutes les {held.hours} heures")]


def _changed(form: ChangeForm, held: Source, centre: Centre) -> None:
    """Keep what was filled in, all of it or nothing. Raises InvalidValue."""
    secret = "" if form.forget_secret.data else (form.secret.data or None)
    told = dataclasses.replace(
        centre,
        name=form.name.data,
        contact=form.contact.data or "",
        url=form.site.data or "",
        public_key=regular_key(form.public_key.data or ""),
    )
    with parts().store.transaction():
        try:
            parts().centres.save(told)
        except InvalidValue as error:
            raise InvalidValue("site" if error.field == "url" else error.field, error.why) from error
        parts().sources.change(
            held.id,
            secret=secret,
            url=form.url.data,
            prefix=form.prefix.data,
            set=form.set.data,
            hours=int(form.hours.data),
            relays=form.relays.data,
        )
        if secret:  # what it opens bears old dates: only a whole harvest brings it
            parts().sources.ask_now(held.id, whole=True)


# -- the end


@views.get("/reseau/moissons/<int:id>/supprimer")
@needs(Right.MANAGE_NETWORK)
def ask_removal(id: int) -> Response:
    """What becomes of the records."""
    return _removal(id, RemoveForm(data={"what": "keep"}))


def _removal(id: int, form: RemoveForm, *, going: bool = False) -> Response:
    held = parts().sources.get(id)
    name = parts().centres.get(held.centre).name
    page = RemovalPage(id, name, count_held(parts(), held), going)
    status = 400 if form.faults else 200
    return shown("harvest-remove.html", page, section="administration", form=form, status=status)


@views.post("/reseau/moissons/<int:id>/supprimer")
@needs(Right.MANAGE_NETWORK)
def remove(id: int) -> Response:
    """Take the source away, with its records or without; many records go in several requests."""
    held, form = parts().sources.get(id), RemoveForm()
    if not form.validate_on_submit():
        return _removal(id, form)
    if form.what.data == "keep":
        parts().sources.remove(id)
        flash(spaced("La source est supprimée ; ses notices restent dans le fonds."))
        return gone_to(_LIST)
    try:
        _, done = take_away(parts(), held)
    except Conflict:
        form.form_errors.append(spaced("La moisson en cours s’arrête : recommencez dans un instant."))
        return _removal(id, form)
    if not done:
        return _removal(id, form, going=True)
    flash(spaced("La source est supprimée, et ses notices sont retirées."))
    return gone_to(_LIST)
