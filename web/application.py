"""The Flask application put together: its pages, its guard, its safety headers, its French typography."""

from __future__ import annotations

from flask import Flask, Response, g
from jinja2.ext import Extension
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from web import failures, guard, typography
from web.parts import Parts
from web.rendering import asset, icon
from web.rendering import parts as opened

LARGEST_BODY = 200_000  # bytes; forms are the only bodies that are taken
MOST_FIELDS = 200  # parts of a form with several
_FORM_SECONDS = 8 * 3600  # a form may stay open for a working day
_HSTS = "max-age=31536000"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "font", "connect")),
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class _Number(IntegerConverter):
    """A number in an address: ASCII digits, and no more than every database can hold; others are not
    found."""

    regex = "[0-9]{1,10}"

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=2**31 - 1)


class _Spacing(Extension):
    """Puts the no-break spaces of French into templates, so that authors type plain ones."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return typography.spaced(source)


def build(parts: Parts) -> Flask:
    """The application over opened parts."""
    from web import (
        account,
        activity,
        administration,
        askers,
        asking,
        auth,
        catalogue,
        columns,
        composing,
        copying,
        curation,
        deposit,
        desk,
        editor,
        feeds,
        harvesting,
        legibility,
        likeness,
        network,
        oai,
        pages,
        people,
        publishing,
        question_import,
        requesting,
        splitting,
        sru,
        trail_page,
        twins,
        words,
    )

    app = Flask("web", static_folder=None)
    app.debug = False  # whatever the environment says: a debugger would run what strangers type
    app.extensions["parts"] = parts
    app.config.update(_settings(parts))
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.converters["int"] = _Number
    _dress(app, parts)
    guard.stand_before(app)
    for module in (catalogue, pages, auth, account, administration, people, trail_page):
        app.register_blueprint(module.views)
    for module in (deposit, columns, curation, editor, legibility, likeness, splitting):
        app.register_blueprint(module.views)
    for module in (asking, desk, composing, publishing, activity, askers, question_import):
        app.register_blueprint(module.views)
    for module in (oai, sru, feeds, twins, network, harvesting, words, requesting, copying):
        app.register_blueprint(module.views)
    app.extensions["csrf"].exempt(oai.answer)  # other programs ask it by POST; it changes nothing
    failures.tell(app)
    app.after_request(_with_headers)
    if hops := parts.config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


def _settings(parts: Parts) -> dict[str, object]:
    secure = parts.config.secure
    first, *former = parts.keyring.signing()
    return {
        "SECRET_KEY": first,
        "SECRET_KEY_FALLBACKS": former,
        "TRUSTED_HOSTS": list(parts.config.hosts),
        "MAX_CONTENT_LENGTH": LARGEST_BODY,
        "MAX_FORM_MEMORY_SIZE": LARGEST_BODY,
        "MAX_FORM_PARTS": MOST_FIELDS,
        "SESSION_COOKIE_NAME": "__Host-carbet-formulaires" if secure else "carbet-formulaires",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": _FORM_SECONDS,
    }


def _dress(app: Flask, parts: Parts) -> None:
    """What templates know beside their page."""
    app.jinja_env.add_extension(_Spacing)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {
        "number": typography.number,
        "counted": lambda value, one, many=None: typography.counted(value, one, many),
        "duration": typography.duration,
        "day": lambda day: typography.written_date(day.isoformat()),
        "moment": lambda moment: typography.written_moment(moment, parts.config.time_zone),
    }
    app.jinja_env.globals |= {
        "asset": asset,
        "icon": icon,
        "config": parts.config,
        "contact_link": contact_link(parts.config.contact),
        "me": guard.identity,
        "lacks_factor": guard.lacks_factor,
        "section": "",
    }


def contact_link(contact: str) -> str:
    """The ``contact`` setting as a link: an address of electronic mail or a page."""
    return f"mailto:{contact}" if "@" in contact and "/" not in contact else contact


def _with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if opened().config.secure:
        response.headers.setdefault("Strict-Transport-Security", _HSTS)
    signed_in = getattr(g.get("identity"), "person", None) is not None
    if signed_in and "public" not in response.headers.get("Cache-Control", ""):
        response.headers["Cache-Control"] = "private, no-store"
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
