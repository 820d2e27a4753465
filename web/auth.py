"""Views of the front door: sign in, second factor, sign out, passwords by link.

Nothing here tells a stranger whether an address has an account.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from flask import Blueprint, Response, flash, request
from flask import session as form_session
from itsdangerous import BadSignature, URLSafeTimedSerializer

from kb.accounts import Person, Right
from kb.audit import acts
from kb.credentials import Caller, Ticket
from kb.errors import SignInRefused, TooManyTries, WeakPassword
from kb.limits import Limit
from web import guard, letters
from web.forms import CodeForm, ForgottenForm, NewPasswordForm, SignInForm
from web.guard import needs
from web.messages import explain
from web.rendering import gone_to, parts, shown
from web.typography import spaced

views = Blueprint("auth", __name__)

FORGOTTEN_BY_ADDRESS = Limit("forgotten by address", 10, 3600)
FORGOTTEN_BY_ACCOUNT = Limit("forgotten by account", 3, 3600)
_KNOWN_DEVICE = timedelta(days=180)
_REFUSED = spaced(
    "L’adresse ou le mot de passe ne sont pas ceux que nous connaissons. Vérifiez-les, puis recommencez."
)
_WRONG_CODE = spaced(
    "Ce code n’est pas le bon, ou il a déjà servi. Attendez le suivant, ou donnez un de vos codes de secours."
)


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form; ``empty`` when nobody has an account yet."""

    onward: str
    empty: bool = False


@dataclass(frozen=True, slots=True)
class LinkPage:
    """A password chosen by a link; ``invited`` the first time."""

    name: str
    invited: bool


@views.route("/connexion", methods=["GET", "POST"])
@needs(Right.VISIT, counted=False)
def sign_in() -> Response:
    """Address and password."""
    form, onward, status = SignInForm(), local(request.values.get("suite", "")), 200
    if form.validate_on_submit():
        try:
            person = parts().credentials.check(form.email.data, form.password.data, _caller())
        except (SignInRefused, TooManyTries) as error:
            refused = isinstance(error, SignInRefused)
            form.form_errors.append(_REFUSED if refused else explain(error))
            status = 403 if refused else 429
        else:
            return _let_in(person, onward)
    elif request.method == "POST":
        status = 400
    page = SignInPage(onward, empty=not parts().people.all())
    return shown("sign-in.html", page, form=form, status=status)


def _let_in(person: Person, onward: str) -> Response:
    """A new session, whatever the browser held before; half open when a code is still to come."""
    acts(person.actor)
    former = request.cookies.get(guard.cookie_name())
    token = parts().sessions.open(
        person.id, device_of(request.user_agent.string), complete=not person.second_factor, replaces=former
    )
    form_session.clear()
    target = f"/connexion/code?suite={quote(onward)}" if person.second_factor else onward
    response = guard.set_cookie(gone_to(target), guard.cookie_name(), token)
    return response if person.second_factor else _remember(response, person.id)


@views.route("/connexion/code", methods=["GET", "POST"])
@needs(Right.VISIT, counted=False)
def second_factor() -> Response:
    """The code that comes after the password."""
    held, onward = guard.session(), local(request.values.get("suite", ""))
    if held is None or held.complete:
        return gone_to(f"/connexion?suite={quote(onward)}")
    form, status = CodeForm(), 200
    if form.validate_on_submit():
        acts(f"personne:{held.person}")
        try:
            parts().credentials.check_code(held.person, form.code.data)
        except (SignInRefused, TooManyTries) as error:
            refused = isinstance(error, SignInRefused)
            form.form_errors.append(_WRONG_CODE if refused else explain(error))
            status = 403 if refused else 429
        else:
            former = request.cookies.get(guard.cookie_name())
            token = parts().sessions.open(held.person, held.device, replaces=former)
            form_session.clear()
            response = guard.set_cookie(gone_to(onward), guard.cookie_name(), token)
            return _remember(response, held.person)
    return shown("code.html", SignInPage(onward), form=form, status=status)


@views.post("/deconnexion")
@needs(Right.VISIT)
def sign_out() -> Response:
    """End this session, if it has not ended by itself."""
    me = guard.identity()
    if me.session is not None and me.person is not None:
        parts().sessions.close(me.session, person=me.person)
    form_session.clear()
    flash("Vous êtes déconnecté.")
    return guard.drop_cookie(gone_to("/"), guard.cookie_name())


@views.route("/mot-de-passe-oublie", methods=["GET", "POST"])
@needs(Right.VISIT, counted=False)
def forgotten() -> Response:
    """Send a link to choose a new password, if the address has an account; the answer is the same if not."""
    form = ForgottenForm()
    if not form.validate_on_submit():
        return shown("forgotten.html", SignInPage("/"), form=form, status=400 if form.errors else 200)
    email = form.email.data.strip().lower()
    with parts().store.transaction():  # one commit, whether the address is known or not
        parts().limits.take(FORGOTTEN_BY_ADDRESS, guard.address())
        parts().limits.take(FORGOTTEN_BY_ACCOUNT, email)
        person = parts().people.by_email(email)
        if person is not None and person.active:
            kind = Ticket.RESET if person.has_password else Ticket.INVITATION
            letters.send_link(parts(), person, kind, guard.site())
    return gone_to("/mot-de-passe-oublie/envoye")


@views.get("/mot-de-passe-oublie/envoye")
@needs(Right.VISIT)
def forgotten_sent() -> Response:
    """What happens next."""
    return shown("sent.html", SignInPage("/"))


@views.route("/mot-de-passe/<token>", methods=["GET", "POST"])
@needs(Right.VISIT)
def choose_password(token: str) -> Response:
    """Choose a password with the link of an invitation or of a reset. Looking does not use the link up."""
    person = parts().credentials.holder(token)
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            known = (parts().config.centre_name, parts().config.centre)
            parts().credentials.redeem(token, form.password.data, known=known)
        except WeakPassword as error:
            form.blame(error)
        else:
            letters.tell_changed(parts(), person)
            flash("Votre mot de passe est enregistré. Connectez-vous.")
            return gone_to("/connexion")
    page = LinkPage(person.name, invited=not person.has_password)
    status = 400 if form.errors else 200
    response = shown("new-password.html", page, form=form, status=status, email=person.email)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def local(address: str) -> str:
    """The address, if it is a page of this site; the home page otherwise: nobody is sent elsewhere."""
    good = re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", address)
    return address if good and len(address) < 2000 else "/"


# -- devices


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(parts().keyring.signing()[::-1], salt="device")


def _remember(response: Response, person: int) -> Response:
    """Tells this device from a stranger's next time (it does not sign anybody in)."""
    seconds = int(_KNOWN_DEVICE.total_seconds())
    return guard.set_cookie(response, guard.device_cookie_name(), _signer().dumps(person), seconds)


def _caller() -> Caller:
    known = None
    if cookie := request.cookies.get(guard.device_cookie_name()):
        try:
            known = _signer().loads(cookie, max_age=int(_KNOWN_DEVICE.total_seconds()))
        except BadSignature:
            known = None
    return Caller(guard.address(), known if isinstance(known, int) else None)


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device_of(agent: str) -> str:
    """ "Firefox sur Windows": enough for a person to know their own devices, and no more is kept."""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in agent), "Navigateur inconnu")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return f"{browser} sur {system}" if system else browser
