"""The Flask application: its pages, its safety headers, its errors, its French typography.

Hides from views how a context becomes HTML or JSON, and from people what went wrong inside.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Response, current_app, jsonify, render_template, request
from jinja2.ext import Extension
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from kb.errors import KBError
from web import messages, typography
from web.parts import Parts
from web.state import SearchState

log = structlog.get_logger()

_POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("style", "img", "font", "connect")),
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_A_YEAR = 365 * 24 * 3600


class _Spacing(Extension):
    """Puts the no-break spaces of French into templates, so that authors type plain ones."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return typography.spaced(source)


def build(parts: Parts) -> Flask:
    """The application over opened parts."""
    from web import catalogue, pages

    app = Flask("web", static_folder=None)
    app.extensions["parts"] = parts
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.add_extension(_Spacing)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {
        "number": typography.number,
        "counted": lambda value, one, many=None: typography.counted(value, one, many),
        "duration": typography.duration,
    }
    app.jinja_env.globals |= {
        "asset": _asset,
        "icon": _icon,
        "config": parts.config,
        "contact_link": contact_link(parts.config.contact),
        "section": "",
    }
    app.register_blueprint(catalogue.views)
    app.register_blueprint(pages.views)
    app.register_error_handler(KBError, _on_known_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_unknown_error)
    app.after_request(_with_headers)
    return app


def parts() -> Parts:
    """The parts of the running application."""
    found: Parts = current_app.extensions["parts"]
    return found


def shown(template: str, context: Any, *, section: str = "", status: int = 200) -> Response:
    """The context as its page, or as JSON when the address ends in ``.json``."""
    if request.path.endswith(".json"):
        response: Response = jsonify(dataclasses.asdict(context))
    else:
        q = SearchState.from_args(request.args).q
        page = render_template(template, page=context, section=section, q=q)
        response = Response(page, mimetype="text/html")
    response.status_code = status
    return response


def contact_link(contact: str) -> str:
    """The ``contact`` setting as a link: an address of electronic mail or a page."""
    return f"mailto:{contact}" if "@" in contact and "/" not in contact else contact


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorPage:
    """What a person reads when something went wrong; ``number`` is in the log too."""

    title: str
    message: str
    number: str | None = None


def _on_known_error(error: KBError) -> Response:
    status = messages.status_code(error)
    if status < 500:
        return shown("error.html", ErrorPage(_title(status), messages.explain(error)), status=status)
    return _failed(error, messages.explain(error), status)


def _on_http_error(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()  # type: ignore[return-value]
    status = error.code or 500
    return shown("error.html", ErrorPage(_title(status), _HTTP.get(status, _HTTP[400])), status=status)


def _on_unknown_error(error: Exception) -> Response:
    return _failed(error, "Une erreur est survenue de notre côté. Réessayez ; si elle revient, donnez ce "
                          "numéro au centre.", 500)  # fmt: skip


def _failed(error: Exception, message: str, status: int) -> Response:
    number = secrets.token_hex(4)
    log.error("web.failed", number=number, path=request.path, error=repr(error), exc_info=error)
    return shown("error.html", ErrorPage(_title(status), message, number), status=status)


_HTTP = {
    400: "Cette demande n’a pas été comprise.",
    404: typography.spaced(
        "Cette page n’existe pas, ou n’existe plus. Vérifiez l’adresse, ou cherchez dans le fonds."
    ),
    405: "Cette adresse ne s’utilise pas ainsi.",
    413: "Ce que vous envoyez est trop volumineux.",
}


def _title(status: int) -> str:
    titles = {404: "Page introuvable", 503: "Un instant"}
    return titles.get(status, "Demande impossible" if status < 500 else "Une erreur est survenue")


def _with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _icon(name: str) -> Markup:
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        _asset("icons.svg"), name
    )


STATIC = Path(__file__).parent / "static"


@cache
def _asset(name: str) -> str:
    """Address of a static file, with its version: it can be kept by browsers for ever."""
    version = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{version}/{name}"


def kept_for_ever(response: Response) -> Response:
    """The response, marked as one that never changes at its address."""
    response.headers["Cache-Control"] = f"public, max-age={_A_YEAR}, immutable"
    return response


def kept_for_a_day(response: Response) -> Response:
    """The response, marked as one that browsers may keep a day."""
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response
