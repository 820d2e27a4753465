"""Long work in the terminal: a bar with rate and time left on stderr, and one line of summary at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingest import pipeline
from ingest.outcomes import Outcome
from kb import upkeep
from kb.question_rows import Entry
from kb.upkeep import Fault
from search import indexing
from web.former_logs import former_log
from web.messages import STATUSES, STATUSES_OF_MANY
from web.parts import Parts
from web.typography import counted, decimal

_QUICK = 1000  # files/s: known files are passed over, which is no rate of work
_SUMMARY = ("published", "updated", "unchanged", "opened", "waiting", "refused")


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def ingest_with_progress(
    parts: Parts, paths: tuple[Path, ...], tell: Callable[[Outcome], None], *, recognises: bool = True
) -> Counter[str]:
    """Ingest, telling each outcome as it comes; files by status."""
    console = Console(stderr=True)
    counts: Counter[str] = Counter()
    with _bar(console) as bar:
        task = bar.add_task("Lecture", total=None, rate="")

        def advance(done: int, total: int) -> None:
            speed = bar.tasks[task].speed
            rate = f"{decimal(speed)} fichiers/s" if speed and speed < _QUICK else ""
            bar.update(task, completed=done, total=total, rate=rate)

        for outcome in pipeline.ingest(
            paths,
            parts.store,
            parts.tagger,
            workers=parts.config.workers,
            centre=parts.config.centre,
            progress=advance,
            after_commit=parts.sync,
            recognises=recognises,
        ):
            counts[str(outcome.status)] += 1
            tell(outcome)
    told = ", ".join(f"{counts[name]} {_words(counts[name])[name]}" for name in _SUMMARY if counts[name])
    console.print(f"{counted(counts.total(), 'fichier')} : {told or 'rien à lire'}.", highlight=False)
    return counts


def _words(count: int) -> Mapping[str, str]:
    return STATUSES if count < 2 else STATUSES_OF_MANY


def import_with_progress(parts: Parts, entries: Sequence[Entry], person: int) -> int:
    """Let the rows of a former log come in, typed by ``person``; how many were new."""
    with _bar(Console(stderr=True)) as bar:
        task = bar.add_task("Questions", total=len(entries), rate="")

        def advance(done: int) -> bool:
            bar.update(task, completed=done)
            return True

        return former_log(parts).take(entries, person=person, more=advance)


def rebuild_with_progress(parts: Parts) -> int:
    """Rebuild the index; number of records in it."""
    with _bar(Console(stderr=True)) as bar:
        task = bar.add_task("Index", total=len(parts.store), rate="")
        return indexing.rebuild(
            parts.store, parts.engine, progress=lambda done: bar.update(task, completed=done)
        )


def examine_with_progress(parts: Parts) -> list[Fault]:
    """All that does not agree in the data folder, the index included."""
    with _bar(Console(stderr=True)) as bar:
        task = bar.add_task("Vérification", total=len(parts.store), rate="")

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        faults = list(upkeep.examine(parts.store, parts.jobs, parts.reception, progress=advance))
    faults += [Fault("index", fault) for fault in indexing.check(parts.store, parts.engine)]
    _, broken = parts.trail.verify()
    faults += [Fault(f"journal, ligne {line}", "la chaîne du journal est rompue") for line in broken]
    return faults
