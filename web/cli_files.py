"""Commands about files that come in by themselves, and about the health of the whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from web.command import AS_JSON, Command, opened, print_json


@click.command(cls=Command)
@click.option("--files", is_flag=True, help="Lire les fichiers déposés seulement.")
@click.pass_obj
def worker(data: Path, files: bool) -> None:
    """Faire le travail de fond (fichiers déposés, index, courrier) sans servir de pages."""
    from web.worker import work_alone

    with opened(data) as parts:
        if not files:
            click.echo("Travail de fond en cours (Ctrl+C pour arrêter).", err=True)
        work_alone(parts, files_only=files)


@click.command(cls=Command)
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    metavar="DOSSIER...",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
)
@click.pass_obj
def watch(data: Path, folders: tuple[Path, ...]) -> None:
    """Surveiller des dossiers : ce qu’on y met entre dans le fonds."""
    from web.watching import watch as look

    for folder in folders:
        if folder.is_relative_to(data.resolve()) or data.resolve().is_relative_to(folder):
            raise click.UsageError(
                f"{folder} et le dossier de données {data} sont l’un dans l’autre : ce qui entre y "
                "reviendrait sans fin."
            )
    with opened(data) as parts:
        click.echo("Dossiers surveillés (Ctrl+C pour arrêter). Les fichiers sont lus par « kb serve » "
                   "ou « kb worker ».", err=True)  # fmt: skip
        look(folders, parts.jobs, parts.reception, parts.config.time_zone)


@click.command(cls=Command)
@AS_JSON
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Vérifier que rien ne manque : originaux, notices, fichiers déposés, index."""
    from web.progress import examine_with_progress

    with opened(ctx.obj) as parts:
        faults = examine_with_progress(parts)
    if as_json:
        print_json([{"object": fault.object, "what": fault.what} for fault in faults])
    else:
        for fault in faults:
            click.echo(f"{fault.object} : {fault.what}")
        if not faults:
            click.echo("Tout est là, entier et en ordre.")
    ctx.exit(1 if faults else 0)


@click.command(cls=Command)
@click.pass_obj
def report(data: Path) -> None:
    """Écrire le bilan des sept derniers jours."""
    from web import report as weekly

    with opened(data) as parts:
        week = weekly.of_week(parts, datetime.now(UTC))
        click.echo(weekly.written(week, parts.config), nl=False)
