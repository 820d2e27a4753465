"""What a person reads when something goes wrong: one page, in French, with a way on.

Hides what happened inside: the page carries a number, and the log has the number and the rest.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import structlog
from flask import Flask, Response, g, redirect, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from kb import merging
from kb.accounts import VISITOR
from kb.errors import KBError, Mirrored, NotFound, NotSignedIn, TooManyTries
from web import messages, typography
from web.guard import fund, identity
from web.rendering import gone_to, parts, shown

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong; ``number`` is in the log too."""

    title: str
    message: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A form that was sent after its session had ended, or from a page that is too old: where to, its fields,
    and what of it is text."""

    path: str
    fields: tuple[tuple[str, str], ...]
    texts: tuple[str, ...]
    signed_in: bool


def tell(app: Flask) -> None:
    """Make the application tell its errors so."""
    app.register_error_handler(KBError, _on_known_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_unknown_error)


def _on_known_error(error: KBError) -> Response:
    if isinstance(error, NotSignedIn) and request.method == "GET" and _wants_page():
        return gone_to(f"/connexion?suite={quote(_here())}")
    if isinstance(error, NotSignedIn) and _is_own_form():
        return shown("session-ended.html", _typed(), status=messages.status_code(error))
    if isinstance(error, NotFound) and (now := _moved(error)) is not None:
        return now
    status = messages.status_code(error)
    if isinstance(error, Mirrored):
        owner = parts().labels.of("centre", error.id.partition(":")[0])
        return shown("error.html", ErrorPage(_title(status), messages.mirrored(owner)), status=status)
    if status >= 500:
        return _failed(error, messages.explain(error), status)
    response = shown("error.html", ErrorPage(_title(status), messages.explain(error)), status=status)
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.seconds)
    if isinstance(error, NotSignedIn):
        response.headers["WWW-Authenticate"] = 'Bearer realm="carbet"'
    return response


def _is_own_form() -> bool:
    """Whether a form of ours was sent, by a page of ours: what another site sends is not offered to be sent
    again."""
    ours = request.headers.get("Sec-Fetch-Site", "") == "same-origin"
    return ours and request.method == "POST" and request.mimetype == "application/x-www-form-urlencoded"


_SECRETS = ("csrf_token", "password", "again", "current", "code")
_TEXT = 40  # characters from which a field is something that somebody wrote


def _typed() -> SessionEnded:
    """What was sent, passwords left out, to be sent again once somebody has signed in."""
    fields = tuple((name, value) for name, value in request.form.items(multi=True) if name not in _SECRETS)
    texts = tuple(value for _, value in fields if len(value) > _TEXT or "\n" in value)
    signed_in = identity() is not VISITOR
    return SessionEnded(request.full_path.rstrip("?"), fields, texts, signed_in)


def _moved(error: NotFound) -> Response | None:
    """The way on from the address of a record that was merged into another one; None for others, and for
    what the person may not see."""
    if error.what != "record" or request.method not in ("GET", "HEAD"):
        return None
    now = merging.redirected(parts().store.database, error.key)
    if now is None or not fund().store.get_many([now]):
        return None
    here = f"/notice/{error.key}"
    rest = request.path.removeprefix(here)
    if not request.path.startswith(here) or (rest and rest[0] not in "./"):
        return None
    # Its pages and files are others now: what led to one of them leads to the notice, its twins to their own.
    tail = rest if rest.startswith(".") else ".json" if rest.endswith(".json") else ""
    asked = f"?{urlencode({'q': request.args['q']})}" if request.args.get("q") else ""
    response: Response = redirect(f"/notice/{quote(now, safe=':')}{tail}{asked}", 301)  # type: ignore[assignment]
    response.headers["Cache-Control"] = "private, no-cache"  # who may see the record may change
    return response


def _wants_page() -> bool:
    return not request.path.endswith((".json", ".csv")) and request.authorization is None


def _here() -> str:
    return request.full_path if request.query_string else request.path


def _on_http_error(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()  # type: ignore[return-value]
    status = error.code or 500
    message = _HTTP.get(status, _HTTP[400])
    if isinstance(error, CSRFError):
        if _is_own_form():  # an old page of ours, or one from before somebody signed in again
            return shown("session-ended.html", _typed(), status=status)
        message = _OLD_FORM
    elif isinstance(error, SecurityError):
        return Response(_STRANGE_HOST + "\n", status, mimetype="text/plain")  # no page: its links would lie
    return shown("error.html", ErrorPage(_title(status), message), status=status)


def _on_unknown_error(error: Exception) -> Response:
    return _failed(error, "Une erreur est survenue de notre côté. Réessayez ; si elle revient, donnez ce "
                          "numéro au centre.", 500)  # fmt: skip


def _failed(error: Exception, message: str, status: int) -> Response:
    number = secrets.token_hex(4)
    g.identity = VISITOR  # asking who reads the page could fail as the request did
    log.error("web.failed", number=number, path=_traced_path(), error=repr(error), exc_info=error)
    return shown("error.html", ErrorPage(_title(status), message, number), status=status)


def _traced_path() -> str:
    """The address, without the token of a link or the secret of an asker's page."""
    head, slash, _ = request.path.rpartition("/")
    return f"{head}{slash}…" if head in ("/mot-de-passe", "/suivi") else request.path


_HTTP = {
    400: "Cette demande n’a pas été comprise.",
    404: typography.spaced(
        "Cette page n’existe pas, ou n’existe plus. Vérifiez l’adresse, ou cherchez dans le fonds."
    ),
    405: "Cette adresse ne s’utilise pas ainsi.",
    415: "Ce formulaire n’a pas été envoyé comme il le doit.",
    413: "Ce que vous envoyez est trop volumineux.",
}
_OLD_FORM = typography.spaced(
    "Ce formulaire a expiré, ou votre navigateur refuse les cookies : rien n’a été changé. Revenez à la page "
    "précédente, rechargez-la, puis recommencez."
)
_STRANGE_HOST = typography.spaced(
    "Carbet ne répond pas sous ce nom. Si c’est le bon, ajoutez-le au réglage trusted_hosts ou public_url."
)


def _title(status: int) -> str:
    titles = {
        401: "Connexion nécessaire",
        403: "Accès réservé",
        404: "Page introuvable",
        410: "Lien expiré",
        429: "Trop d’essais",
        503: "Un instant",
    }
    return titles.get(status, "Demande impossible" if status < 500 else "Une erreur est survenue")
