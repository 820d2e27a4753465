"""Who asks, and whether they may: what stands before every view.

Hides how a request is known to be somebody's (a cookie, a key) and refuses whatever no right was declared
for. Each view names its right with ``needs``; one that names none answers to nobody. Forms and exports are
counted by who sends them, over all processes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import UnsupportedMediaType

from kb.accounts import VISITOR, Identity, Right, Role, rights_of
from kb.audit import acts
from kb.errors import Forbidden, NotSignedIn
from kb.limits import Limit
from kb.sessions import Session
from web.fund import Fund
from web.rendering import parts

FORMS = Limit("forms", 120, 600)
EXPORTS = Limit("exports", 20, 600)
_READING = ("GET", "HEAD", "OPTIONS")
_FORM, _FILES = "application/x-www-form-urlencoded", "multipart/form-data"
_WITHOUT_FACTOR = frozenset({Right.VISIT, Right.OWN_ACCOUNT})

View = TypeVar("View", bound=Callable[..., Any])


def needs(
    right: Right, *, limit: Limit | None = None, counted: bool = True, largest: int = 0, fields: int = 0
) -> Callable[[View], View]:
    """Marks a view as one for those who have the right; ``limit`` counts each request to it. Its forms are
    counted as all are, unless the view counts them by itself (``counted`` false). A form that brings files
    says how many bytes it may have at most (``largest``), a long one how many ``fields``."""

    def mark(view: View) -> View:
        view.right, view.limit, view.counted = right, limit, counted  # type: ignore[attr-defined]
        view.largest, view.fields = largest, fields  # type: ignore[attr-defined]
        return view

    return mark


def right_of(app: Flask, endpoint: str) -> Right | None:
    """The right that a view was marked with."""
    return getattr(app.view_functions[endpoint], "right", None)


def stand_before(app: Flask) -> None:
    """Put the guard before every view of the application, then the check of form tokens."""
    app.before_request(_check)
    CSRFProtect(app)


def _check() -> None:
    acts(VISITOR.actor)
    if request.endpoint is None:
        return  # no such page: said by the error page
    right = right_of(current_app, request.endpoint)
    if right is None:
        raise Forbidden
    if right is not Right.VISIT and not identity().may(right):
        raise NotSignedIn if identity() is VISITOR else Forbidden
    view = current_app.view_functions[request.endpoint]
    _check_body(getattr(view, "largest", 0), getattr(view, "fields", 0))
    limit = getattr(view, "limit", None)
    if limit is None and request.method not in _READING and getattr(view, "counted", True):
        limit = FORMS
    if limit is not None:
        parts().limits.take(limit, address() if identity() is VISITOR else identity().actor)


def _check_body(largest: int, fields: int) -> None:
    """Only forms are taken, with files only where a view awaits some: others expect other values."""
    if request.method in _READING:
        return
    if request.mimetype != _FORM and not (largest and request.mimetype == _FILES):
        raise UnsupportedMediaType
    if largest:
        request.max_content_length = largest
    if fields:
        request.max_form_parts = fields


def identity() -> Identity:
    """Who asks. Raises NotSignedIn for a key that is not good."""
    if "identity" not in g:
        g.identity = _of_key() if _has_key() else _of_session()
        acts(g.identity.actor)
    found: Identity = g.identity
    return found


def fund() -> Fund:
    """The fund as who asks may see it."""
    if "fund" not in g:
        g.fund = Fund(parts(), identity().rights)
    found: Fund = g.fund
    return found


def session() -> Session | None:
    """The session of the browser, even half open; None without one."""
    if "session" not in g:
        token = request.cookies.get(cookie_name())
        g.session = parts().sessions.find(token) if token else None
    found: Session | None = g.session
    return found


def lacks_factor() -> bool:
    """Whether somebody is signed in who must set a second factor up before anything else."""
    identity()
    return bool(g.get("lacks_factor"))


def _has_key() -> bool:
    """Whether a key is shown; what a relay asks for itself (Basic) is not ours."""
    return request.headers.get("Authorization", "").lower().startswith("bearer")


def _of_key() -> Identity:
    authorization = request.authorization
    token = authorization.token if authorization and authorization.type == "bearer" else None
    if found := parts().machines.identify(token or ""):
        return found
    g.identity = VISITOR  # what is shown to tell so
    raise NotSignedIn


def _of_session() -> Identity:
    held = session()
    if held is None or not held.complete:
        return VISITOR
    person = parts().people.get(held.person)
    rights = rights_of(person.roles)
    g.lacks_factor = (
        parts().config.second_factor and Role.ADMINISTRATOR in person.roles and not person.second_factor
    )
    if g.lacks_factor:
        rights &= _WITHOUT_FACTOR
    return Identity(actor=person.actor, name=person.name, rights=rights, person=person.id, session=held.id)


def address() -> str:
    """Where the request comes from, as tries are counted: an IPv4 address, or the /64 of an IPv6 one, all of
    which one household holds."""
    try:
        given = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "?"
    if isinstance(given, ipaddress.IPv6Address) and given.ipv4_mapped is None:
        return str(ipaddress.ip_network((given, 64), strict=False))
    return str(getattr(given, "ipv4_mapped", None) or given)


def site() -> str:
    """Where links in mail lead: the setting, else the name asked for, which is one of the trusted ones."""
    return parts().config.public_url.rstrip("/") or request.host_url.rstrip("/")


# -- cookies


def _named(name: str) -> str:
    return f"__Host-{name}" if parts().config.secure else name


def cookie_name() -> str:
    """Name of the cookie that holds the session's token; by HTTPS no other site or sub-domain can set it."""
    return _named("carbet")


def device_cookie_name() -> str:
    """Name of the cookie that tells a device from which somebody has signed in."""
    return _named("carbet-appareil")


def set_cookie(response: Response, name: str, value: str, seconds: int | None = None) -> Response:
    """The response with a cookie that scripts cannot read and other sites do not send."""
    response.set_cookie(
        name, value, max_age=seconds, secure=parts().config.secure, httponly=True, samesite="Lax", path="/"
    )
    return response


def drop_cookie(response: Response, name: str) -> Response:
    """The response that takes a cookie away."""
    response.delete_cookie(name, secure=parts().config.secure, httponly=True, samesite="Lax", path="/")
    return response
