"""The check of the locks: what it lets through, and what it says of the rest."""

from pathlib import Path

import pytest

from tests.supply import floors

PROJECT = """
[build-system]
requires = ["setuptools>=83"]
[project]
dependencies = ["Flask-WTF>=1.2.2,<2", "pypdf>=6.9.2,<8"]
[project.optional-dependencies]
test = ["pytest>=9.0.3"]
check = ["ruff>=0.9,<1"]
"""
FLOORS = """
[pypdf]
floor = "6.9.2"
why = "An endless loop."
"""
HASH = " \\\n    --hash=sha256:00ff\n"
RUN = {"setuptools": "84.0", "flask-wtf": "1.3.0", "pypdf": "7.1.0"}
TEST = RUN | {"pytest": "9.2.0"}
CHECK = TEST | {"ruff": "0.17.6"}


def lock(pins: dict[str, str]) -> str:
    return "# Made by make lock\n" + "".join(f"{name}=={version}{HASH}" for name, version in pins.items())


class Copy:
    """A copy of the project that holds only what the check reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("pyproject.toml", PROJECT)
        self.write("tests/supply/floors.toml", FLOORS)
        self.pin()

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def pin(self, **versions: str) -> None:
        for name, pins in (("run", RUN), ("test", TEST), ("check", CHECK)):
            changed = {package: versions.get(package, version) for package, version in pins.items()}
            self.write(f"requirements/{name}.lock", lock(changed))

    def append(self, path: str, text: str) -> None:
        self.write(path, (self.root / path).read_text(encoding="utf-8") + text)

    def faults(self) -> list[str]:
        return floors.faults(self.root)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_good_copy_has_no_fault(copy: Copy) -> None:
    assert copy.faults() == []


def test_a_pin_below_its_floor_is_told_with_its_fault(copy: Copy) -> None:
    copy.pin(pypdf="6.9.1")
    copy.write("pyproject.toml", PROJECT.replace("pypdf>=6.9.2", "pypdf>=6"))
    said = copy.faults()
    assert "requirements/run.lock: pypdf==6.9.1 is below 6.9.2. An endless loop." in said
    assert "pyproject.toml: pypdf<8,>=6 must ask for >=6.9.2 at least. An endless loop." in said


def test_versions_are_compared_as_numbers(copy: Copy) -> None:
    copy.pin(pypdf="6.10.0")
    assert copy.faults() == []


@pytest.mark.parametrize("asked", ["", "<8", ">=6", ">6.9.1", "!=6.9.1", "~=6.8", "==6.*"])
def test_a_range_that_leaves_room_below_the_floor_is_told(copy: Copy, asked: str) -> None:
    copy.pin(pypdf="6.9.2")
    copy.write("pyproject.toml", PROJECT.replace("pypdf>=6.9.2,<8", f"PyPDF{asked}"))
    assert len(copy.faults()) == 1
    assert "must ask for >=6.9.2 at least" in copy.faults()[0]


@pytest.mark.parametrize("asked", [">=6.9.2", ">=6,>=6.9.2", "~=6.9.2", "==6.9.2", ">=6.9.2,!=6.9.3"])
def test_a_range_that_begins_at_the_floor_passes(copy: Copy, asked: str) -> None:
    copy.pin(pypdf="6.9.2")
    copy.write("pyproject.toml", PROJECT.replace("pypdf>=6.9.2,<8", f"pypdf{asked}"))
    assert copy.faults() == []


def test_what_builds_and_what_tests_have_floors_too(copy: Copy) -> None:
    copy.append("tests/supply/floors.toml", '[setuptools]\nfloor = "83.1"\nwhy = "A."\n')
    copy.append("tests/supply/floors.toml", '[pytest]\nfloor = "9.1"\nwhy = "B."\n')
    assert copy.faults() == [
        "pyproject.toml: setuptools>=83 must ask for >=83.1 at least. A.",
        "pyproject.toml: pytest>=9.0.3 must ask for >=9.1 at least. B.",
    ]


def test_a_floor_that_holds_nothing_is_told(copy: Copy) -> None:
    copy.append("tests/supply/floors.toml", '[gone]\nfloor = "1"\nwhy = "Old."\n')
    assert copy.faults() == ["tests/supply/floors.toml: gone is in no lock. Take its floor away."]


def test_a_floor_that_does_not_say_why_is_refused(copy: Copy) -> None:
    copy.append("tests/supply/floors.toml", '[ruff]\nfloor = "0.1"\n')
    with pytest.raises(ValueError, match="ruff needs floor, why"):
        copy.faults()


OLD = "6.9.1 ; python_full_version < '3.11.5'"
EXCEPTION = FLOORS + f'except = "{OLD}"\nbecause = "no later one for that Python"\n'


def test_an_exception_covers_its_very_pin_only(copy: Copy) -> None:
    copy.write("pyproject.toml", PROJECT.replace("pypdf>=6.9.2", "pypdf>=6"))
    copy.write("tests/supply/floors.toml", EXCEPTION)
    copy.pin(pypdf=OLD)
    assert [said for said in copy.faults() if "requirements/" in said] == []
    copy.pin(pypdf="6.9.1")
    assert "requirements/run.lock: pypdf==6.9.1 is below 6.9.2. An endless loop." in copy.faults()


def test_an_exception_that_no_lock_needs_is_told(copy: Copy) -> None:
    copy.write("tests/supply/floors.toml", EXCEPTION)
    assert len(copy.faults()) == 1
    assert copy.faults()[0].endswith("any more. Take the exception away.")


def test_an_exception_must_say_because_of_what(copy: Copy) -> None:
    copy.write("tests/supply/floors.toml", EXCEPTION.split("because")[0])
    with pytest.raises(ValueError, match="pypdf needs because, except, floor, why"):
        copy.faults()


def test_a_dependency_that_is_not_locked_is_told_in_each_lock(copy: Copy) -> None:
    copy.write("pyproject.toml", PROJECT.replace('"pypdf', '"rich>=15", "pypdf'))
    assert copy.faults() == [
        f"requirements/{name}.lock: rich, which pyproject.toml asks for, is missing. Run make lock."
        for name in ("run", "test", "check")
    ]


def test_only_the_last_lock_must_hold_what_checks(copy: Copy) -> None:
    copy.write("requirements/check.lock", lock(TEST))
    assert copy.faults() == [
        "requirements/check.lock: ruff, which pyproject.toml asks for, is missing. Run make lock."
    ]


def test_a_pin_out_of_its_range_is_told(copy: Copy) -> None:
    copy.pin(pypdf="8.0")
    assert copy.faults()[0].startswith(
        "requirements/run.lock: pypdf==8.0 is not in the range pypdf<8,>=6.9.2"
    )


def test_two_locks_that_differ_are_told(copy: Copy) -> None:
    copy.write("requirements/run.lock", lock(RUN | {"pypdf": "7.0.0"}))
    assert copy.faults() == [
        "requirements/test.lock: pypdf==7.0.0 of requirements/run.lock is missing or differs. Run make lock."
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--index-url https://example.org/simple\n", "is an option"),
        ("-e .\n", "is an option"),
        (f"rich @ https://example.org/rich.whl{HASH}", "comes from an address"),
        (f"rich>=15{HASH}", "is not pinned"),
        (f"rich{HASH}", "is not pinned"),
        (f"rich==15.*{HASH}", "is not pinned"),
        ("rich==15.0.0\n", "has no hash"),
        ("./wheels/rich.whl\n", "cannot be read"),
    ],
)
def test_a_line_that_does_not_belong_in_a_lock_is_told(copy: Copy, line: str, said: str) -> None:
    copy.append("requirements/check.lock", line)
    assert len(copy.faults()) == 1
    assert said in copy.faults()[0]


def test_comments_and_markers_of_a_lock_are_read(copy: Copy) -> None:
    copy.append("requirements/check.lock", f"rich==15.0.0 ; sys_platform == 'win32'{HASH}    # via typer\n")
    pins = floors.read_lock("", (copy.root / "requirements/check.lock").read_text(encoding="utf-8"))
    assert str(pins.named("Rich")[0].marker) == 'sys_platform == "win32"'
    assert copy.faults() == []


def test_the_check_fails_in_sentences(
    copy: Copy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(floors, "ROOT", copy.root)
    assert floors.main() == 0
    assert capsys.readouterr().out == "Locks: complete, in their ranges, and above the floors.\n"
    copy.append("requirements/check.lock", "-e .\n")
    assert floors.main() == 1
    assert capsys.readouterr().err.startswith("requirements/check.lock: '-e .' is an option")
