"""What views share: the parts, the page or the JSON of a context, addresses of static files, how long to
keep.

Hides Flask's context from views, and how a context becomes HTML or JSON.
"""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, current_app, jsonify, redirect, render_template, request
from markupsafe import Markup

from web.parts import Parts
from web.state import SearchState

STATIC = Path(__file__).parent / "static"
_A_YEAR = 365 * 24 * 3600
SEE_OTHER = 303


def parts() -> Parts:
    """The parts of the running application."""
    found: Parts = current_app.extensions["parts"]
    return found


def shown(template: str, context: Any, *, section: str = "", status: int = 200, **more: Any) -> Response:
    """The context as its page, or as JSON when the address ends in ``.json``; ``more`` (forms) is for the
    page only."""
    if request.path.endswith(".json"):
        response: Response = jsonify(dataclasses.asdict(context))
    else:
        q = SearchState.from_args(request.args).q
        page = render_template(template, page=context, section=section, q=q, **more)
        response = Response(page, mimetype="text/html")
    response.status_code = status
    return response


def gone_to(address: str) -> Response:
    """After a form: on to a page that can be read again without sending the form again."""
    response: Response = redirect(address, SEE_OTHER)  # type: ignore[assignment]
    return response


def icon(name: str) -> Markup:
    """A glyph of the sprite; it says nothing by itself."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        asset("icons.svg"), name
    )


@cache
def asset(name: str) -> str:
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
