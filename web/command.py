"""What all commands of ``kb`` share: the data folder, errors told in one French sentence, JSON.

Hides click's classes from the commands, and that heavy parts are imported by the command that needs them
only.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb import config as settings
from kb.errors import ConfigError, KBError

if TYPE_CHECKING:
    from kb.config import Config
    from web.parts import Parts

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Réponse en JSON, pour un programme.")
"""The option ``--json``."""


def _choose_data(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.obj = value.absolute()


DATA_HELP = "Dossier de données (ou variable KB_DATA)."
FOLDER = click.Path(path_type=Path, file_okay=False)


class Command(click.Command):
    """A command that takes ``--data`` after its name too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(["--data"], type=FOLDER, expose_value=False, callback=_choose_data, help=DATA_HELP)
        )


class Commands(click.Group):
    """Commands whose expected errors end in one French sentence, never in a traceback."""

    command_class = Command
    group_class = type

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong on purpose is said and ends with its status."""
        try:
            return super().invoke(ctx)
        except KBError as error:
            from web.messages import explain

            click.echo(explain(error), err=True)
            ctx.exit(2 if isinstance(error, ConfigError) else 1)
        except KeyboardInterrupt:
            click.echo(
                "\nInterrompu. Ce qui est fait est gardé ; relancez la commande pour continuer.", err=True
            )
            ctx.exit(130)


@contextmanager
def opened(data: Path) -> Iterator[Parts]:
    """The parts over a data folder; what is done inside, the trail says of whoever runs the command."""
    from kb.audit import acting
    from web import logs
    from web.parts import Parts

    logs.configure()
    parts = Parts(initialised(data))
    try:
        with acting(f"commande:{_login()}"):
            yield parts
    finally:
        parts.close()


def _login() -> str:
    """The account of the system that runs the command."""
    try:
        return getpass.getuser()[:40]
    except (OSError, KeyError, ImportError):
        return "?"


def initialised(data: Path) -> Config:
    """The settings of a data folder that was made by ``kb init``. Raises a usage error else."""
    if not (data / settings.FILE).exists():
        raise click.UsageError(f"{data} n’est pas un dossier de données : créez-le avec « kb init ».")
    return settings.load(data)


def print_json(value: object) -> None:
    """A value on one line of stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))
