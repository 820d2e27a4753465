"""Views on who may come in: people with their roles, and keys of other centres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, flash

from kb.accounts import ERASED, Person, Right, Role
from kb.credentials import Ticket
from kb.errors import Conflict, InvalidValue
from kb.machines import MachineKey
from kb.mail import Spool
from web import guard, letters
from web.forms import EraseForm, InviteForm, KeyForm, PersonForm, Plain
from web.guard import needs
from web.messages import RIGHTS, ROLE_NOTES, ROLES, explain
from web.rendering import gone_to, parts, shown
from web.typography import spaced

views = Blueprint("people", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """An account."""

    id: int
    name: str
    email: str
    roles: tuple[str, ...]
    standing: str
    second_factor: bool
    sessions: int = 0


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """All accounts."""

    people: tuple[PersonView, ...]


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key of a centre."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created: datetime
    used: datetime | None
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class KeysPage:
    """All keys; ``secret`` is told once, just after it was made."""

    keys: tuple[KeyView, ...]
    secret: str | None = None


@views.route("/administration/personnes", methods=["GET", "POST"])
@views.get("/administration/personnes.json")
@needs(Right.MANAGE_PEOPLE)
def people() -> Response:
    """Everybody, and the form to invite somebody."""
    form = InviteForm()
    if form.validate_on_submit():
        try:
            with parts().store.transaction():
                person = parts().people.add(form.email.data, form.name.data, map(Role, form.roles.data))
                letters.send_link(parts(), person, Ticket.INVITATION, guard.site())
        except InvalidValue as error:
            form.blame(error)
        except Conflict as error:
            form.email.errors = [*form.email.errors, explain(error)]
        else:
            flash(_posted_words(f"L’invitation de {person.name} est prête."))
            return gone_to("/administration/personnes")
    everybody = tuple(map(_person_view, parts().people.all()))
    status = 400 if form.faults else 200
    return shown(
        "people.html",
        PeoplePage(everybody),
        section="administration",
        form=form,
        notes=ROLE_NOTES,
        status=status,
    )


def _posted_words(done: str) -> str:
    if parts().config.smtp_host:
        return f"{done} Le message part dans un instant."
    return spaced(
        f"{done} Sans serveur d’envoi, le message vous attend dans Courrier : transmettez-le vous-même."
    )


def _person_view(person: Person, *, sessions: int = 0) -> PersonView:
    standing = "ouvert" if person.has_password else "invité, pas encore connecté"
    return PersonView(
        id=person.id,
        name=person.name,
        email=person.email if not person.email.endswith(ERASED) else "",
        roles=tuple(ROLES[role] for role in sorted(person.roles)),
        standing=standing if person.active else "fermé",
        second_factor=person.second_factor,
        sessions=sessions,
    )


@views.route("/administration/personnes/<int:id>", methods=["GET", "POST"])
@views.get("/administration/personnes/<int:id>.json")
@needs(Right.MANAGE_PEOPLE)
def person(id: int) -> Response:
    """One account: name, roles, open or closed."""
    held = parts().people.get(id)
    form = PersonForm(data={"name": held.name, "roles": sorted(held.roles), "active": held.active})
    if form.validate_on_submit():
        try:
            roles = map(Role, form.roles.data)
            parts().people.change(id, name=form.name.data, roles=roles, active=form.active.data)
        except InvalidValue as error:
            form.blame(error)
        except Conflict as error:
            form.form_errors.append(explain(error))
        else:
            flash("Le compte est enregistré.")
            return gone_to(f"/administration/personnes/{id}")
    view = _person_view(held, sessions=len(parts().sessions.of(id)))
    more = {"form": form, "erase": EraseForm(), "plain": Plain(), "notes": ROLE_NOTES}
    return shown("person.html", view, section="administration", status=400 if form.faults else 200, **more)


def _act_on(id: int, act: Callable[[Person], None], done: str) -> Response:
    act(parts().people.get(id))
    flash(done)
    return gone_to(f"/administration/personnes/{id}")


@views.post("/administration/personnes/<int:id>/lien")
@needs(Right.MANAGE_PEOPLE)
def send_link(id: int) -> Response:
    """Send a new link to choose a password."""

    def send(held: Person) -> None:
        if not held.active:
            raise Conflict
        kind = Ticket.RESET if held.has_password else Ticket.INVITATION
        letters.send_link(parts(), held, kind, guard.site())

    return _act_on(id, send, _posted_words("Le lien est prêt."))


@views.post("/administration/personnes/<int:id>/sessions")
@needs(Right.MANAGE_PEOPLE)
def close_sessions(id: int) -> Response:
    """End all sessions of somebody."""
    return _act_on(id, lambda held: _none(parts().sessions.close_all(held.id)), "Les sessions sont fermées.")


def _none(_: object) -> None:
    return None


@views.post("/administration/personnes/<int:id>/second-facteur")
@needs(Right.MANAGE_PEOPLE)
def remove_factor(id: int) -> Response:
    """Take the second factor of somebody away who has lost their telephone and codes."""
    remove = parts().credentials.remove_factor
    return _act_on(id, lambda held: remove(held.id), "Le second facteur est enlevé.")


@views.post("/administration/personnes/<int:id>/effacer")
@needs(Right.MANAGE_PEOPLE)
def erase(id: int) -> Response:
    """Forget who somebody is."""
    if not EraseForm().validate_on_submit():
        flash("Rien n’a été effacé : cochez la case pour confirmer.")
        return gone_to(f"/administration/personnes/{id}#effacer")

    def forget(held: Person) -> None:
        with parts().store.transaction():
            letters = parts().people.erase(held.id)
            parts().desk.release(held.id, person=guard.identity().person)
        Spool(parts().config.spool).forget(letters)

    return _act_on(id, forget, "Le compte est effacé ; ses questions reviennent dans la file.")


# -- keys


@views.route("/administration/cles", methods=["GET", "POST"])
@views.get("/administration/cles.json")
@needs(Right.MANAGE_KEYS)
def keys() -> Response:
    """Keys of centres, and the form to make one."""
    form, secret = KeyForm(), None
    if form.validate_on_submit():
        try:
            secret = parts().machines.add(form.name.data, map(Right, form.scopes.data or ()))
        except InvalidValue as error:
            form.blame(error)
    page = KeysPage(tuple(map(_key_view, parts().machines.all())), secret)
    more = {"form": form, "plain": Plain()}
    return shown("keys.html", page, section="administration", status=400 if form.faults else 200, **more)


def _key_view(key: MachineKey) -> KeyView:
    scopes = tuple(RIGHTS[scope] for scope in sorted(key.scopes))
    return KeyView(key.id, key.name, scopes, key.created, key.used, key.revoked)


@views.post("/administration/cles/<int:id>/revoquer")
@needs(Right.MANAGE_KEYS)
def revoke_key(id: int) -> Response:
    """End a key for ever."""
    parts().machines.revoke(id)
    flash("La clé est révoquée.")
    return gone_to("/administration/cles")
