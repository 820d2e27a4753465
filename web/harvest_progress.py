"""A harvest in the terminal: pages, records and rate on stderr, its report on stdout."""

from __future__ import annotations

from collections.abc import Callable

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.mirroring import Received
from kb.runs import Ending, Run
from kb.sources import Source
from web.harvest_words import ENDINGS, came, said_counts, said_progress, said_trouble
from web.parts import Parts
from web.typography import counted, decimal


def harvest_with_progress(
    parts: Parts, source: Source, stopped: Callable[[], bool], *, whole: bool = False
) -> bool:
    """Harvest a source and tell how it went; False when it did not reach its end."""
    if source.running or source.paused:
        why = "suspendu : « kb harvest resume » d’abord" if source.paused else "déjà en cours ailleurs"
        click.echo(f"{source.centre} : {why}.", err=True)
        return False
    if whole:
        parts.sources.ask_now(source.id, whole=True)
    run = _harvest(parts, source, stopped)
    if run is None:
        click.echo(f"{source.centre} : déjà en cours ailleurs.", err=True)
        return False
    click.echo(f"{source.centre} : moisson {ENDINGS[run.state][0]}, {said_counts(run.counts)}")
    for note in run.notes:
        click.echo(f"   {note}", err=True)
    if run.trouble:
        click.echo(f"   {said_trouble(run.trouble)}\n   ({run.detail})", err=True)
    return run.state is Ending.DONE


def _harvest(parts: Parts, source: Source, stopped: Callable[[], bool]) -> Run | None:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    pages = 0

    def advance(received: Received, size: int | None) -> None:
        nonlocal pages
        pages += 1
        done = came(received.counts)
        speed = bar.tasks[task].speed
        rate = f", {decimal(speed)} notices/s" if speed else ""
        told = f"{counted(pages, 'page')}, {said_progress(received.counts, size)}{rate}"
        bar.update(task, completed=done, total=size, told=told)

    with bar:
        task = bar.add_task(source.centre, total=None, told="")
        try:
            return parts.harvester(stopped=stopped, progress=advance).harvest_one(source.id)
        except KeyboardInterrupt:
            parts.sources.release(source.id)  # nobody need wait until it is seen that we are gone
            raise
