"""The command ``kb export``: the fund in the formats of other programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from zoneinfo import ZoneInfo

import click

from kb.records import ACCESS, TYPES
from web.command import Command, opened
from web.typography import counted

if TYPE_CHECKING:
    from kb.errors import InvalidRecord
    from kb.formats import Notice
    from kb.records import Record
    from web.parts import Parts

FORMATS = (
    *("unimarc", "marc21", "marcxml", "unimarcxml", "ris", "bibtex", "csl-json", "csv", "dublin-core"),
)
"""Keys of ``kb.export.EXPORTERS``, which this module does not load before it is needed."""

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_TO = click.Path(path_type=Path, dir_okay=False)


@click.command(cls=Command)
@click.option("--format", "format", type=click.Choice(FORMATS), required=True, help="Format du fichier.")
@click.option("--output", type=_TO, default=None, metavar="FICHIER", help="Fichier [défaut : la sortie].")
@click.option("--type", "types", type=click.Choice(list(TYPES)), multiple=True, metavar="CODE",
              help="Ces types de documents seulement.")  # fmt: skip
@click.option(
    "--since", type=_DAY, default=None, metavar="AAAA-MM-JJ", help="Notices changées depuis ce jour."
)
@click.option("--all", "everything", is_flag=True, help="Aussi les notices qui ne sont pas publiques.")
@click.pass_context
def export(
    ctx: click.Context,
    format: str,
    output: Path | None,
    types: tuple[str, ...],
    since: datetime | None,
    everything: bool,
) -> None:
    """Exporter les notices pour un autre logiciel."""
    with opened(ctx.obj) as parts, _written(output) as file:
        day = since.replace(tzinfo=ZoneInfo(parts.config.time_zone)) if since else None
        access = ACCESS if everything else ("public",)
        count, left_out = _export(parts, format, file, access, lambda record: _is_wanted(record, types, day))
    for said in left_out:
        click.echo(said, err=True)
    click.echo(f"{counted(count, 'notice')} dans le fichier.", err=True)
    ctx.exit(1 if left_out else 0)


def _is_wanted(record: Record, types: tuple[str, ...], since: datetime | None) -> bool:
    recent = since is None or (record.updated is not None and record.updated >= since)
    return recent and (not types or record.type in types)


def _export(
    parts: Parts, format: str, file: BinaryIO, access: Collection[str], wanted: Callable[[Record], bool]
) -> tuple[int, list[str]]:
    """Write with a bar on stderr; number of records written, and what is to be said of those that are not."""
    from rich.console import Console
    from rich.progress import Progress

    from kb.export import EXPORTERS, notices

    count, left_out = 0, list[str]()

    def counting(some: Iterable[Notice]) -> Iterator[Notice]:
        nonlocal count
        for notice in some:
            count += 1
            yield notice

    def refused(record: Record, error: InvalidRecord) -> None:
        left_out.append(f"{record.id} : notice {error.why}")

    with Progress(console=Console(stderr=True), transient=True) as bar:
        ids = bar.track(parts.store.ids(ours=True), total=None, description="Export")
        some = counting(notices(parts.store, ids, access, wanted))
        for piece in EXPORTERS[format].write(some, refused):
            file.write(piece)
    return count - len(left_out), left_out


@contextmanager
def _written(path: Path | None) -> Iterator[BinaryIO]:
    """Where to write: the standard output, or a file that takes its name only once it is whole."""
    if path is None:
        yield sys.stdout.buffer
        return
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise click.UsageError(f"{path} ne peut pas être écrit ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)
