"""What the README says of settings and commands is what the code has."""

from pathlib import Path

import click
import pytest

from kb import config
from web.cli import main

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", config.SETTINGS, ids=lambda s: s.name)
def test_the_readme_lists_each_setting_with_its_default(setting):
    default = "empty" if setting.default == "" else f"`{setting.default}`"
    assert f"| `{setting.name}` | {default} | {setting.metadata['help']} |" in README


def commands(group: click.Group, path: str) -> list[str]:
    found = []
    for name, command in group.commands.items():
        inner = isinstance(command, click.Group)
        found += commands(command, f"{path} {name}") if inner else [f"{path} {name}"]
    return found


@pytest.mark.parametrize("command", commands(main, "kb"))
def test_the_readme_names_each_command(command):
    verb, *thing = command.split()[1:]
    assert f"`kb {verb}" in README
    assert all(word in README for word in thing)


def test_the_picture_of_the_readme_is_there():
    assert (Path(__file__).parents[2] / "web/help/results.png").is_file()
