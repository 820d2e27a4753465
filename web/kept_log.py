"""Logs of questions that are being imported: the file, and what somebody settled about it, for a day.

Hides where they wait: in a folder of their own, since they may hold who asked what and belong to no deposit.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kb.errors import NotFound
from kb.headings import Columns
from kb.question_columns import QUESTIONS
from kb.questions import Channel
from kb.reception import Reception
from web.parts import Parts

LARGEST = 30_000_000
"""Bytes of a form with a log: a table of 20,000 questions with their answers takes some ten."""

LONGEST_WAIT = 86_400.0
"""Seconds after which a log is taken away: what it held is in the base by then, or is dropped again."""

_GROUP = 0
_KEY = re.compile(r"[0-9a-f]{16}")
_SETTLED = ".choix.json"  # no name of a file that came in begins with a point


@dataclass(frozen=True, slots=True)
class Settled:
    """What somebody said of a log: its columns, the channel of rows that tell of none, whether who asked is
    taken in too."""

    columns: Columns
    channel: Channel
    identities: bool


def _folder(parts: Parts) -> Reception:
    return Reception(parts.config.data / "imports")


def keep(parts: Parts, stream: IO[bytes], name: str) -> str:
    """Write a log to its place; its key. The same file under the same name has the same."""
    sweep(parts)
    return _folder(parts).receive(stream, _GROUP, name).place.split("/")[1]


def path(parts: Parts, key: str) -> Path:
    """Where the log is. Raises NotFound when it is not there any more."""
    if _KEY.fullmatch(key):
        for found in _folder(parts).path(f"{_GROUP}/{key}").glob("*"):
            if not found.name.startswith("."):
                return found
    raise NotFound("log", key)


def settle(parts: Parts, key: str, settled: Settled) -> None:
    """Keep what somebody said of a log, whole or not at all. Raises NotFound."""
    place = path(parts, key).with_name(_SETTLED)
    told = {"columns": settled.columns.to_json(), "channel": settled.channel, "who": settled.identities}
    number, arriving = tempfile.mkstemp(prefix=".", dir=place.parent)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        json.dump(told, file)
    Path(arriving).replace(place)


def settled(parts: Parts, key: str) -> Settled | None:
    """What was said of a log; None before. Raises NotFound."""
    place = path(parts, key).with_name(_SETTLED)
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    columns = Columns.from_json(told["columns"], QUESTIONS)
    return Settled(columns, Channel(told["channel"]), bool(told["who"]))


def drop(parts: Parts, key: str) -> None:
    """Take a log away. Raises NotFound when it is gone already."""
    _drop(parts, path(parts, key))


def _drop(parts: Parts, file: Path) -> None:
    for left in file.parent.glob(".*"):
        left.unlink(missing_ok=True)
    _folder(parts).drop(f"{_GROUP}/{file.parent.name}/{file.name}")


def sweep(parts: Parts, now: float | None = None) -> None:
    """Take away the logs that came in more than a day ago."""
    for file in _folder(parts).path(str(_GROUP)).glob("*/*"):
        try:
            old = (now or time.time()) - file.stat().st_mtime > LONGEST_WAIT
        except FileNotFoundError:  # somebody has just dropped it
            continue
        if old:
            _drop(parts, file)
