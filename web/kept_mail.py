"""Messages dropped at the desk, while somebody decides where they go.

Hides where they wait (a folder of their own, since they belong to no deposit), for how long, and that they
are read again in the sandbox each time: what a browser sends back is only their key.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import IO

from ingest import incoming
from ingest.incoming import Incoming
from kb.errors import NotFound
from kb.reception import Reception
from kb.threads import Match, matched
from web.desk_letters import address_of
from web.parts import Parts

LARGEST = 61_000_000
"""Bytes of a form with a message: what ``ingest.incoming`` reads at most, and the form around it."""

_GROUP, _NAME = 0, "courriel.eml"
_KEY = re.compile(r"[0-9a-f]{16}")
_LONGEST_WAIT = 86_400.0  # seconds: who has not decided by the next day drops it again


def _folder(parts: Parts) -> Reception:
    return Reception(parts.config.data / "letters")


def keep(parts: Parts, stream: IO[bytes]) -> str:
    """Write a message to its place; its key. Those that nobody decided on are taken away."""
    sweep(parts)
    return _folder(parts).receive(stream, _GROUP, _NAME).place.split("/")[1]


def read(parts: Parts, key: str) -> Incoming:
    """The message. Raises NotFound when it is not there any more, UnreadableDocument."""
    path = _folder(parts).path(_place(key))
    if not path.is_file():
        raise NotFound("mail", key)
    return incoming.read(parts.sandbox, path)


def drop(parts: Parts, key: str) -> None:
    """Take a message away; one that is gone already is no error."""
    _folder(parts).drop(_place(key))


def forget(parts: Parts, address: str) -> None:
    """Take away the messages that tell this address: who has it is forgotten."""
    wanted = address.lower().encode()
    for place in _folder(parts):
        with suppress(FileNotFoundError):  # somebody has just decided
            if wanted in _folder(parts).path(place).read_bytes().lower():
                _folder(parts).drop(place)


def _place(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise NotFound("mail", key)
    return f"{_GROUP}/{key}/{_NAME}"


def sweep(parts: Parts, now: float | None = None) -> None:
    """Take away the messages that nobody decided on within a day."""
    folder = _folder(parts).path(str(_GROUP))
    for path in folder.glob(f"*/{_NAME}"):
        try:
            old = (now or time.time()) - path.stat().st_mtime > _LONGEST_WAIT
        except FileNotFoundError:  # somebody has just decided
            continue
        if old:
            drop(parts, path.parent.name)


def match(parts: Parts, message: Incoming) -> Match:
    """The question that a message belongs to."""

    def by_reference(reference: str) -> int | None:
        try:
            return parts.desk.current(parts.desk.by_reference(reference).id)
        except NotFound:
            return None

    return matched(
        message,
        by_message_id=parts.desk.of_message,
        by_reference=by_reference,
        asker_of=lambda id: address_of(parts, parts.desk.get(id)),
    )
