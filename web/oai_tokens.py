"""Resumption tokens: where a list that was given in part goes on.

Hides how a place becomes a token that nobody else can make. The server remembers nothing: a token says all,
is good after a restart and for as long as the key that signed it is kept, and leads to the same page when it
is used again. The end of the list stands in it (``Window.last``): what changes while the list is read has a
later line in the feed, so it stands in no page twice, and comes with the next harvest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from itsdangerous import BadSignature, URLSafeSerializer

from kb.feed import Window
from kb.secret import Keyring
from kb.sharing import Audience

_VERSION = 1
_SALT = "oai-pmh"  # keeps these signatures apart from those of cookies, which have the same keys


class BadToken(Exception):
    """A token that is none of ours, or one of another list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The beginning of a page: of the list of ``verb`` in the format ``prefix``, of which ``cursor`` of
    ``size`` were given. ``at`` is when the list was begun (UTC, whole seconds)."""

    verb: str
    prefix: str
    window: Window
    size: int
    at: datetime
    cursor: int = 0


class Tokens:
    """Writes and reads tokens with the keys of an installation."""

    def __init__(self, keyring: Keyring) -> None:
        signing = {"key_derivation": "hmac", "digest_method": sha256}
        keys = keyring.signing()[::-1]  # the last one signs, all are tried
        self._serializer = URLSafeSerializer(keys, salt=_SALT, signer_kwargs=signing)

    def write(self, place: Place) -> str:
        """The token of a place: letters, digits, "-", "_" and "."."""
        window = place.window
        whole = (place.verb, place.prefix, window.set, str(window.audience), window.after, window.last)
        return str(
            self._serializer.dumps((_VERSION, *whole, place.size, place.cursor, int(place.at.timestamp())))
        )

    def read(self, token: str, verb: str, audience: Audience) -> Place:
        """The place. Raises BadToken when it was not written here, is another verb's, or was given to
        somebody who may be told more, or less."""
        try:
            version, *whole = self._serializer.loads(token)
        except BadSignature as error:
            raise BadToken(str(error)) from error
        if version != _VERSION:
            raise BadToken(f"version {version!r}")
        whose, prefix, set, told, after, last, size, cursor, at = whole
        if (whose, told) != (verb, audience):
            raise BadToken(f"of {whose} for {told}")
        window = Window(audience=audience, after=after, last=last, set=set)
        began = datetime.fromtimestamp(at, UTC)
        return Place(verb=verb, prefix=prefix, window=window, size=size, cursor=cursor, at=began)
