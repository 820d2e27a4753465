"""Views of one's own account: who I am here, my password, my second factor, my sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import segno
from flask import Blueprint, Response, flash
from flask import session as form_session
from markupsafe import Markup

from kb.accounts import Person, Right
from kb.credentials import Caller
from kb.errors import SignInRefused, TooManyTries, WeakPassword
from kb.sessions import Session
from web import guard, letters
from web.forms import ChangePasswordForm, ConfirmForm, FactorForm, Form, Plain
from web.guard import needs
from web.messages import ROLES, explain
from web.rendering import gone_to, parts, shown
from web.typography import counted, spaced

views = Blueprint("account", __name__)

_FACTOR = "factor"
_NOT_YOURS = "Ce n’est pas votre mot de passe actuel."


@dataclass(frozen=True, slots=True)
class SessionView:
    """A browser that is signed in; ``here`` is the one that asks."""

    id: int
    device: str
    created: datetime
    seen: datetime
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """What the centre knows of the person, and how the account is protected."""

    name: str
    email: str
    roles: tuple[str, ...]
    second_factor: bool
    codes_left: int
    factor_wanted: bool
    sessions: tuple[SessionView, ...]


@dataclass(frozen=True, slots=True)
class FactorPage:
    """A new second factor: its secret as text, and as a picture for the template."""

    secret: str
    active: bool


@dataclass(frozen=True, slots=True)
class CodesPage:
    """The recovery codes, shown once."""

    codes: tuple[str, ...]


def _me() -> Person:
    """The person who asks: the guard let nobody else through."""
    return parts().people.get(guard.identity().person or 0)


def _caller() -> Caller:
    """Somebody signed in asks: tries are counted by device, so that a colleague's mistakes do not count."""
    return Caller(guard.address(), guard.identity().person)


@views.get("/compte")
@views.get("/compte.json")
@needs(Right.OWN_ACCOUNT)
def mine() -> Response:
    """My account."""
    me = _me()
    page = AccountPage(
        name=me.name,
        email=me.email,
        roles=tuple(ROLES[role] for role in sorted(me.roles)),
        second_factor=me.second_factor,
        codes_left=parts().credentials.codes_left(me.id),
        factor_wanted=guard.lacks_factor(),
        sessions=tuple(map(_session_view, parts().sessions.of(me.id))),
    )
    return shown("account.html", page, section="compte", form=Plain())


def _session_view(held: Session) -> SessionView:
    here = held.id == guard.identity().session
    return SessionView(held.id, held.device, held.created, held.seen, here)


@views.route("/compte/mot-de-passe", methods=["GET", "POST"])
@needs(Right.OWN_ACCOUNT)
def password() -> Response:
    """Another password; all other sessions end."""
    form, me = ChangePasswordForm(), _me()
    if form.validate_on_submit():
        try:
            _confirm(me, form)
            known = (parts().config.centre_name, parts().config.centre)
            parts().credentials.set_password(me.id, form.password.data, known=known)
        except WeakPassword as error:
            form.blame(error)
        except (SignInRefused, TooManyTries) as error:
            _refuse(form, error)
        else:
            ended = parts().sessions.close_all(me.id, but=guard.identity().session)
            letters.tell_changed(parts(), me)
            more = f" {counted(ended, 'autre session fermée', 'autres sessions fermées')}." if ended else ""
            flash(f"Votre mot de passe est changé.{more}")
            return gone_to("/compte")
    return _page("password.html", None, me, form)


def _page(template: str, page: object, me: Person, form: Form, **more: object) -> Response:
    """A form of the account; the address is in it for the browser's store of passwords."""
    status = 400 if form.faults else 200
    return shown(template, page, section="compte", form=form, status=status, email=me.email, **more)


def _confirm(me: Person, form: Form) -> None:
    parts().credentials.confirm(me.id, form["current"].data, _caller())


def _refuse(form: Form, error: Exception) -> None:
    if isinstance(error, TooManyTries):
        form.form_errors.append(explain(error))
    else:
        form["current"].errors = [*form["current"].errors, _NOT_YOURS]


@views.route("/compte/second-facteur", methods=["GET", "POST"])
@needs(Right.OWN_ACCOUNT)
def factor() -> Response:
    """Set an authenticator up: scan, then prove it by a code."""
    form, me = FactorForm(), _me()
    secret = form_session.get(_FACTOR) or parts().credentials.new_factor()
    form_session[_FACTOR] = secret
    if form.validate_on_submit():
        try:
            _confirm(me, form)
            codes = _set(me, secret, form)
        except (SignInRefused, TooManyTries) as error:
            _refuse(form, error)
        else:
            if codes:
                form_session.pop(_FACTOR)
                return shown("codes.html", CodesPage(codes), section="compte")
    address = parts().credentials.factor_address(secret, me, parts().config.centre_name)
    picture = Markup(_drawn(address))  # nosec B704  # drawn below
    page = FactorPage(" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)), me.second_factor)
    return _page("factor.html", page, me, form, picture=picture)


def _drawn(address: str) -> str:
    """The square picture of an address, as SVG that needs no style of its own."""
    return segno.make(address, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff")


def _set(me: Person, secret: str, form: FactorForm) -> tuple[str, ...]:
    """The recovery codes; () when the code is not right."""
    try:
        codes = parts().credentials.set_factor(me.id, secret, form.code.data)
    except SignInRefused:
        wrong = spaced(
            "Ce code n’est pas le bon : vérifiez l’heure de votre téléphone, puis tapez le suivant."
        )
        form.code.errors = [*form.code.errors, wrong]
        return ()
    parts().sessions.close_all(me.id, but=guard.identity().session)
    return codes


@views.route("/compte/second-facteur/enlever", methods=["GET", "POST"])
@needs(Right.OWN_ACCOUNT)
def remove_factor() -> Response:
    """Do without a second factor."""
    form, me = ConfirmForm(), _me()
    if form.validate_on_submit():
        try:
            _confirm(me, form)
        except (SignInRefused, TooManyTries) as error:
            _refuse(form, error)
        else:
            parts().credentials.remove_factor(me.id)
            flash("Le second facteur est enlevé.")
            return gone_to("/compte")
    return _page("remove-factor.html", None, me, form)


@views.post("/compte/sessions/<int:id>/fermer")
@needs(Right.OWN_ACCOUNT)
def close_session(id: int) -> Response:
    """End one of my sessions; another's is not found."""
    parts().sessions.close(id, person=_me().id)
    flash("La session est fermée.")
    return gone_to("/compte")


@views.post("/compte/sessions/fermer-les-autres")
@needs(Right.OWN_ACCOUNT)
def close_others() -> Response:
    """End all my sessions but this one."""
    ended = parts().sessions.close_all(_me().id, but=guard.identity().session)
    flash(f"{counted(ended, 'session fermée', 'sessions fermées')}.")
    return gone_to("/compte")
