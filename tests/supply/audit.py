"""Asks the public advisories about every locked version, and says plainly when they could not be asked.

`make audit` runs it, with the pip-audit that it is given: 0 when no fault is known, 1 when one is, 2 when the
advisories could not be reached or do not know a package. pip-audit itself answers 1 to both, so that only its
report tells one from the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# It holds the two other locks (floors.py sees to it), so one question covers all.
LOCK = "requirements/check.lock"
# Nothing is resolved: what is audited is the lock as it stands, not what an index would give today.
OPTIONS = ("--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")


def ask(program: str, root: Path) -> tuple[dict[str, Any] | None, str]:
    """Run pip-audit on the lock: its report, or None and the last thing that it said."""
    told = subprocess.run(
        [program, *OPTIONS, "--requirement", str(root / LOCK)], capture_output=True, text=True, check=False
    )
    try:
        report: dict[str, Any] = json.loads(told.stdout)
    except ValueError:
        said = told.stderr.strip().splitlines() or ["nothing"]
        return None, said[-1]
    return report, ""


def accepted(root: Path) -> dict[tuple[str, str], str]:
    """The exceptions of floors.toml: name and version, and because of what."""
    floors = tomllib.loads((root / "tests/supply/floors.toml").read_text(encoding="utf-8"))
    return {
        (name, said["except"].split(";")[0].strip()): said["because"]
        for name, said in floors.items()
        if "except" in said
    }


def main(program: str, root: Path = ROOT) -> int:
    """Print each known fault of the lock, or that the advisories could not be asked."""
    report, said = ask(program, root)
    if report is None:
        sentence = "Nothing was audited: the advisories could not be reached for every package."
        print(f"{sentence} pip-audit said: {said}", file=sys.stderr)
        return 2
    exceptions = accepted(root)
    found = 0
    for package in report["dependencies"]:
        because = exceptions.get((package["name"], package["version"]))
        for fault in package["vulns"]:
            names = ", ".join([fault["id"], *fault.get("aliases", ())])
            fixed = ", ".join(fault.get("fix_versions", ())) or "no version yet"
            note = f"; accepted: {because}" if because else ""
            print(f"{package['name']} {package['version']}: {names}, fixed in {fixed}{note}")
            found += not because
    print(f"{len(report['dependencies'])} packages audited; known faults to act on: {found}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
