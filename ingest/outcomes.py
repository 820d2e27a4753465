"""How a file ended: what a person is told of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from kb.errors import IngestError, Reason


class Status(StrEnum):
    """How a file ended."""

    PUBLISHED = "published"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    OPENED = "opened"  # it held other files, which have their own outcomes
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file: the records that it made or is in, French warnings, and for ``waiting`` and
    ``refused`` the reason, with the reader's English words in ``detail``. ``pages`` counts those read;
    ``doubts`` counts the records that it may be the same as."""

    path: Path
    status: Status
    ids: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: Reason | None = None
    detail: str = ""
    pages: int = 0
    doubts: int = 0

    def told(self) -> Mapping[str, Any]:
        """What is kept of it with its job, as plain JSON values; a catalogue of thousands names a few."""
        return {
            "ids": list(self.ids[:_MOST_NAMED]),
            "records": len(self.ids),
            "warnings": list(self.warnings[:_MOST_NAMED]),
            "reason": self.reason,
            "pages": self.pages,
            "doubts": self.doubts,
        }


_MOST_NAMED = 200


def refused(path: Path, error: IngestError) -> Outcome:
    """``waiting`` for what is sound and can be read one day: once a person has said what is in its columns,
    or once its pictures can be recognised."""
    waits = error.reason in (Reason.NO_TEXT, Reason.COLUMNS)
    status = Status.WAITING if waits else Status.REFUSED
    return Outcome(path=path, status=status, reason=error.reason, detail=error.detail)
