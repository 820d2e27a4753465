"""Holds the locks and the ranges of pyproject.toml above the versions whose faults are public.

`make check` runs it. It asks nobody: the faults stand in floors.toml, beside this file, as someone read them.
What became public since then is for `make audit`, on a machine that reaches the advisories.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
FLOORS = "tests/supply/floors.toml"
# Each lock with the extras of pyproject.toml that it holds besides the dependencies themselves.
LOCKS: dict[str, tuple[str, ...]] = {
    "requirements/run.lock": (),
    "requirements/test.lock": ("test",),
    "requirements/check.lock": ("test", "check"),
}
# What keeps a range from going below the version it names; `<`, `<=` and `!=` never do.
FROM_BELOW = (">=", ">", "==", "===", "~=")


def same(name: str, other: str) -> bool:
    """True when both are one package: `Flask_WTF` is `flask-wtf`."""
    return canonicalize_name(name) == canonicalize_name(other)


@dataclass(frozen=True)
class Floor:
    """The lowest version of a package that has none of its known faults, and what the last of them was."""

    name: str
    version: Version
    why: str
    excepted: Requirement | None
    """A pin below the floor that is accepted, marker included; floors.toml says because of what."""


@dataclass(frozen=True)
class Lock:
    """One lock: its pins, and the lines that do not belong in a lock, each with what is wrong with it."""

    path: str
    pins: tuple[Requirement, ...]
    misfits: tuple[str, ...]

    def named(self, name: str) -> list[Requirement]:
        """The pins of one package: several where Python versions differ."""
        return [pin for pin in self.pins if same(pin.name, name)]


def pinned(pin: Requirement) -> Version:
    """The one version that a pin allows."""
    return Version(next(iter(pin.specifier)).version)


def read_lock(path: str, text: str) -> Lock:
    """Read the text of a lock, as pip would."""
    pins: list[Requirement] = []
    misfits: list[str] = []
    for line in text.replace("\\\n", " ").splitlines():
        said = re.split(r"(?:^|\s)#", line)[0].strip()
        if not said:
            continue
        if said.startswith("-"):
            misfits.append(f"{said!r} is an option; a lock names packages, never a place to fetch them from")
            continue
        words, *hashes = said.split("--hash=")
        try:
            pin = Requirement(words.strip())
        except InvalidRequirement:
            misfits.append(f"{words.strip()!r} cannot be read")
            continue
        if pin.url:
            misfits.append(f"{pin.name} comes from an address, not from a registry")
        elif [one.operator for one in pin.specifier] != ["=="] or "*" in str(pin.specifier):
            misfits.append(f"{pin.name} is not pinned to one version")
        elif not hashes:
            misfits.append(f"{pin.name} has no hash")
        else:
            pins.append(pin)
    return Lock(path, tuple(pins), tuple(misfits))


def read_floors(text: str) -> list[Floor]:
    """Read floors.toml; an entry that does not say why is an error, not a floor."""
    floors = []
    for name, said in tomllib.loads(text).items():
        excepted = said.get("except")
        wanted = {"floor", "why"} | ({"except", "because"} if excepted else set())
        if set(said) != wanted or not all(said.values()):
            raise ValueError(f"{FLOORS}: {name} needs {', '.join(sorted(wanted))}, no more and none empty")
        pin = Requirement(f"{name}=={excepted}") if excepted else None
        floors.append(Floor(name, Version(said["floor"]), said["why"], pin))
    return floors


def allows_below(asked: Requirement, version: Version) -> bool:
    """True when the range asked for leaves room under the version."""
    lowest = [
        Version(one.version.removesuffix(".*")) for one in asked.specifier if one.operator in FROM_BELOW
    ]
    return max(lowest, default=Version("0")) < version


def asked_for(project: dict[str, Any], extras: tuple[str, ...]) -> list[Requirement]:
    """What pyproject.toml asks for by name: to build, to run, and for the extras."""
    lines = list(project["build-system"]["requires"]) + list(project["project"]["dependencies"])
    for extra in extras:
        lines += project["project"]["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def below(floors: list[Floor], locks: list[Lock], asked: list[Requirement]) -> Iterator[str]:
    """The pins and the ranges that are below a floor, and the floors and exceptions that hold nothing."""
    for floor in floors:
        pins = [(lock, pin) for lock in locks for pin in lock.named(floor.name)]
        if not pins:
            yield f"{FLOORS}: {floor.name} is in no lock. Take its floor away."
        for lock, pin in pins:
            if pinned(pin) < floor.version and pin != floor.excepted:
                yield f"{lock.path}: {pin} is below {floor.version}. {floor.why}"
        if floor.excepted and not any(pin == floor.excepted for _, pin in pins):
            yield f"{FLOORS}: no lock holds {floor.excepted} any more. Take the exception away."
        for one in asked:
            if same(one.name, floor.name) and allows_below(one, floor.version):
                yield f"pyproject.toml: {one} must ask for >={floor.version} at least. {floor.why}"


def out_of_date(lock: Lock, asked: list[Requirement]) -> Iterator[str]:
    """Where a lock no longer answers what pyproject.toml asks for."""
    for one in asked:
        pins = lock.named(one.name)
        if not pins:
            yield f"{lock.path}: {one.name}, which pyproject.toml asks for, is missing. Run make lock."
        for pin in pins:
            if not one.specifier.contains(pinned(pin), prereleases=True):
                yield f"{lock.path}: {pin} is not in the range {one} of pyproject.toml. Run make lock."


def disagreements(locks: list[Lock]) -> Iterator[str]:
    """Where a lock holds another version than the one before it: tests would try what nobody runs."""
    for first, second in pairwise(locks):
        for pin in first.pins:
            if pin not in second.pins:
                yield f"{second.path}: {pin} of {first.path} is missing or differs. Run make lock."


def faults(root: Path) -> list[str]:
    """All that is wrong in one copy of the project, in sentences; empty when all is well."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    floors = read_floors((root / FLOORS).read_text(encoding="utf-8"))
    locks = [read_lock(path, (root / path).read_text(encoding="utf-8")) for path in LOCKS]
    everything = asked_for(project, tuple(project["project"]["optional-dependencies"]))
    found = [f"{lock.path}: {misfit}." for lock in locks for misfit in lock.misfits]
    found += below(floors, locks, everything)
    for lock in locks:
        found += out_of_date(lock, asked_for(project, LOCKS[lock.path]))
    found += disagreements(locks)
    return found


def main() -> int:
    """Say what is wrong on stderr; 1 when something is."""
    found = faults(ROOT)
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not found:
        print("Locks: complete, in their ranges, and above the floors.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
