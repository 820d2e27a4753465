"""The audit: what it makes of each answer of pip-audit, which a small program plays here."""

import json
from pathlib import Path

import pytest

from tests.supply import audit

FAULT = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["4.0.1"], "description": "Slow."}
FLOORS = """
[soupsieve]
floor = "4.0.1"
why = "Slow."
except = "2.10 ; python_full_version < '3.11.5'"
because = "never called"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tests/supply").mkdir(parents=True)
    (tmp_path / "tests/supply/floors.toml").write_text(FLOORS, encoding="utf-8")
    return tmp_path


def answering(root: Path, out: str, err: str, status: int) -> str:
    program = root / "pip-audit"
    (root / "out").write_text(out, encoding="utf-8")
    (root / "err").write_text(err, encoding="utf-8")
    program.write_text(
        f'#!/bin/sh\ncat "{root}/out"\ncat "{root}/err" >&2\nexit {status}\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return str(program)


def report(version: str, *faults: object) -> str:
    return json.dumps(
        {"dependencies": [{"name": "soupsieve", "version": version, "vulns": faults}], "fixes": []}
    )


def test_no_known_fault_passes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(answering(root, report("4.1.2"), "No known vulnerabilities found\n", 0), root) == 0
    assert capsys.readouterr().out == "1 packages audited; known faults to act on: 0.\n"


def test_a_known_fault_fails_and_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(answering(root, report("3.0", FAULT), "Found 1\n", 1), root) == 1
    assert "soupsieve 3.0: PYSEC-1, CVE-1, fixed in 4.0.1\n" in capsys.readouterr().out


def test_an_accepted_fault_is_named_but_does_not_fail(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(answering(root, report("2.10", FAULT), "Found 1\n", 1), root) == 0
    assert "fixed in 4.0.1; accepted: never called\n" in capsys.readouterr().out


def test_advisories_out_of_reach_are_told_apart(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(answering(root, "", "Traceback\nConnectionError: no such host\n", 1), root) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("Nothing was audited: the advisories could not be reached")
    assert told.err.endswith("pip-audit said: ConnectionError: no such host\n")
