"""The doctor: whether all that was taken in is there, whole, and accounted for.

Hides what has to agree with what. It only looks; each fault says in French what is wrong and what to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from kb import records
from kb.database import Store, keys_of
from kb.jobs import BatchState, Job, Jobs, JobState
from kb.originals import digest
from kb.reception import Reception
from kb.records import Quality, Record
from kb.tables import doubts, keys, pages, redirects, reviews, sketches
from kb.tables import records as rows

_SILENT_SECONDS = 600.0  # a lease that ran out this long ago was taken up by nobody: no worker runs
_ARRIVING_SECONDS = 3600.0  # the longest that a file may be on its way in without a job
_ENDS = ("published", "updated", "unchanged", "opened", "waiting", "refused")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not agree. ``object`` is a notice, a job or a file."""

    object: str
    what: str


def examine(
    store: Store, jobs: Jobs, reception: Reception, *, progress: Callable[[int, int], None] | None = None
) -> Iterator[Fault]:
    """All faults of the database, the originals and the jobs. Reads every original once."""
    yield from _database(store)
    total = len(store)
    for done, id in enumerate(store.ids(), start=1):
        yield from _record(store, store.get(id))
        if progress is not None:
            progress(done, total)
    yield from _loose_rows(store)
    yield from _jobs(store, jobs, reception)


def _database(store: Store) -> Iterator[Fault]:
    if store.database.engine.dialect.name != "sqlite":
        return
    with store.database.reading() as connection:
        for said in connection.exec_driver_sql("PRAGMA integrity_check").scalars():
            if said != "ok":
                yield Fault("base", f"la base est abîmée ({said}) : reprenez la dernière sauvegarde")
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield Fault("base", f"la table {row[0]} renvoie à une notice qui n’existe pas")


def _record(store: Store, record: Record) -> Iterator[Fault]:
    where = f"notice {record.id}"
    for file in record.files:
        if file.sha256 not in store.originals:
            yield Fault(where, f"l’original « {file.name} » manque : déposez-le de nouveau")
        elif digest(store.originals.path(file.sha256)) != file.sha256:
            yield Fault(where, f"l’original « {file.name} » n’est plus celui qui a été déposé")
    held = store.pages(record.id)
    if store.fingerprint(record.id) != records.fingerprint(record, held):
        yield Fault(where, "la notice ne correspond plus à son empreinte")
    if [page.number for page in held] != list(range(1, len(held) + 1)):
        yield Fault(where, "des pages manquent")
    if record.files and not record.host and not held:
        yield Fault(where, "publiée avec un fichier et sans aucune page : relisez l’original")
    if held and all(not page.text.strip() and page.quality is Quality.GOOD for page in held):
        yield Fault(where, "publiée sans texte et sans que ses pages le disent")
    if store.keys(record.id) != keys_of(record):
        yield Fault(where, "ses clés (ISBN, cote, fichiers) ne sont pas celles de la notice")


def _loose_rows(store: Store) -> Iterator[Fault]:
    """Rows of other tables about records that are not there."""
    known = sa.select(rows.c.id)
    with store.database.reading() as connection:
        for table in (pages, keys, reviews, sketches):
            for id in connection.scalars(
                sa.select(table.c.record).where(table.c.record.not_in(known)).distinct()
            ):
                yield Fault(f"notice {id}", f"n’existe pas, mais la table {table.name} en parle")
        pairs = sa.select(doubts).where(sa.or_(doubts.c.record.not_in(known), doubts.c.other.not_in(known)))
        for row in connection.execute(pairs):
            yield Fault(f"doublon {row.id}", "porte sur une notice qui n’existe pas")
        for row in connection.execute(sa.select(redirects).where(redirects.c.new.not_in(known))):
            yield Fault(f"notice {row.old}", f"renvoie à {row.new}, qui n’existe pas")


def _jobs(store: Store, jobs: Jobs, reception: Reception) -> Iterator[Fault]:
    wanted: set[str] = set()
    for job in jobs.every():
        place = str(job.payload.get("place", ""))
        wanted.add(place)
        there = reception.path(place).is_file()
        yield from (Fault(f"fichier {job.id} « {job.name} »", what) for what in _job(store, job, there))
        if job.state is JobState.RUNNING and _is_open(jobs, job) and _silent(job):
            yield Fault(f"fichier {job.id} « {job.name} »", "en cours, mais plus personne n’y travaille")
    for place in reception:
        old = time.time() - _modified(reception.path(place)) > _ARRIVING_SECONDS
        if place not in wanted and old:
            yield Fault(f"arrivée {place}", "aucun dépôt ne parle de ce fichier : déposez-le de nouveau")


def _job(store: Store, job: Job, there: bool) -> Iterator[str]:
    if job.state in (JobState.WAITING, JobState.RUNNING) and not there:
        yield "en attente, mais le fichier reçu n’est plus là : déposez-le de nouveau"
    if job.state is not JobState.DONE:
        return
    if job.result not in _ENDS:
        yield f"terminé sans résultat connu ({job.result})"
    if job.result in ("waiting", "refused"):
        if not job.outcome.get("reason"):
            yield "refusé sans motif"
        if not there:
            yield "refusé, et le fichier reçu n’est plus là"
    if job.result in ("published", "updated", "unchanged"):
        ids = job.outcome.get("ids", [])
        if not ids:
            yield "publié sans notice"
        for id in ids:
            if id not in store.get_many([id]) and not store.was_deleted(id):
                yield f"publié dans la notice {id}, qui n’a jamais existé"


def _is_open(jobs: Jobs, job: Job) -> bool:
    return jobs.batch(job.batch).state is BatchState.OPEN


def _silent(job: Job) -> bool:
    return job.lease is not None and time.time() - job.lease > _SILENT_SECONDS


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
