"""How robots are told from people in forms that anybody may send, without asking anything of people.

Hides the two means: a field that nobody sees, which robots fill in, and a signed stamp in the form, which
says when it was asked for: nobody reads a form and fills it in within a few seconds.
"""

from __future__ import annotations

from datetime import datetime

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer
from wtforms import HiddenField, StringField

OLDEST = 24 * 3600
"""Seconds for which a stamp is good: a form that was left open over night is sent again at once."""


class StampedFields:
    """The fields of a form that robots shall not send; the template hides ``site`` from people."""

    stamp = HiddenField()
    site = StringField("Laissez ce champ vide", render_kw={"autocomplete": "off", "tabindex": "-1"})

    @property
    def is_robot(self) -> bool:
        """Whether a field was filled in that nobody sees."""
        return bool(self.site.data)


def stamped(held: str | None, kind: str) -> str:
    """The stamp for a form that is shown: the one that it had, or a new one. ``kind`` keeps forms apart."""
    return held if held and _made(held, kind) is not None else _signer(kind).dumps(kind)


def took_time(stamp: str | None, kind: str, seconds: float) -> bool:
    """Whether the form was asked for at least so many seconds ago, by whoever sends it now."""
    made = _made(stamp, kind)
    return made is not None and (datetime.now(made.tzinfo) - made).total_seconds() >= seconds


def _signer(kind: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=kind)


def _made(stamp: str | None, kind: str) -> datetime | None:
    """When the stamp was made; None for one that is not ours, or too old."""
    try:
        _, made = _signer(kind).loads(stamp or "", max_age=OLDEST, return_timestamp=True)
    except BadSignature:
        return None
    return made if isinstance(made, datetime) else None
