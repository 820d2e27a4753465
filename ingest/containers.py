"""INTERFACE EXPECTED BY ingest/arrivals.py: to be written by the owner of containers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.isolation import Sandbox


@dataclass(frozen=True, slots=True)
class Member:
    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Opened:
    members: tuple[Member, ...]
    left_out: tuple[str, ...]


def is_container(path: Path) -> bool:
    return False


def unpack(path: Path, sandbox: Sandbox, folder: Path, *, depth: int = 0) -> Opened:
    raise NotImplementedError
