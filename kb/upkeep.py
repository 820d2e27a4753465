"""The doctor: whether all that was taken in is there, whole, and accounted for.

Hides what has to agree with what, and that others may write meanwhile: what seems wrong is looked at again
before it is said. It only looks; each fault says in French what is wrong and what to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from kb import records
from kb.database import Store
from kb.errors import NotFound
from kb.jobs import BatchState, Job, Jobs, JobState
from kb.originals import digest
from kb.reception import Reception
from kb.record_rows import keys_of
from kb.records import File, Quality, Record
from kb.tables import changes, doubts, keys, pages, redirects, reviews, sketches
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
    try:
        yield from _database(store)
        total = len(store)
        for done, id in enumerate(store.ids(), start=1):
            yield from _settled(store, id)
            if progress is not None:
                progress(done, total)
        yield from _loose_rows(store)
        yield from _feed(store)
        yield from _jobs(store, jobs, reception)
    except DatabaseError as error:
        # What SQLite cannot read raises this very class; its kinds (locked, wrong statement) are no damage.
        if type(error) is not DatabaseError:
            raise
        yield _damaged(str(error.orig))


def _damaged(said: str) -> Fault:
    return Fault("base", f"la base est abîmée ({said}) : reprenez la dernière sauvegarde")


def _database(store: Store) -> Iterator[Fault]:
    if store.database.engine.dialect.name != "sqlite":
        return
    with store.database.reading() as connection:
        said = list(connection.exec_driver_sql("PRAGMA integrity_check").scalars())
        astray = {(row[0], row[2]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
    yield from (_damaged(line) for line in said if line != "ok")
    for table, other in sorted(astray):
        yield Fault("base", f"la table {table} renvoie à des lignes de {other} qui n’existent pas")


def _settled(store: Store, id: str) -> list[Fault]:
    """What is wrong with a record; looked at again as long as it is changed in between."""
    while True:
        seen = _body(store, id)
        if seen is None:
            return []
        faults = list(_record(store, id))
        if not faults or _body(store, id) == seen:
            return faults


def _body(store: Store, id: str) -> str | None:
    with store.database.reading() as connection:
        return connection.scalar(sa.select(rows.c.body).where(rows.c.id == id))


def _record(store: Store, id: str) -> Iterator[Fault]:
    where = f"notice {id}"
    try:
        record = store.get(id)
    except NotFound:
        return
    except (ValueError, TypeError) as error:
        yield Fault(where, f"ne peut pas être lue ({error}) : reprenez la dernière sauvegarde")
        return
    mirrored = store.is_mirrored(id)
    for file in () if mirrored else record.files:  # the files of another centre are there, not here
        if told := _original(store, file):
            yield Fault(where, f"l’original « {file.name} » {told}")
    received = store.as_received([id]).get(id, record)
    yield from (Fault(where, what) for what in _notice(store, received, mirrored))


def _original(store: Store, file: File) -> str | None:
    try:
        if digest(store.originals.path(file.sha256)) != file.sha256:
            return "n’est plus celui qui a été déposé"
    except NotFound:
        return "manque : déposez-le de nouveau"
    except OSError as error:
        return f"ne peut pas être lu ({error.strerror})"
    return None


def _notice(store: Store, record: Record, mirrored: bool) -> Iterator[str]:
    held = store.pages(record.id)
    if store.fingerprint(record.id) != records.fingerprint(record, held):
        yield "la notice ne correspond plus à son empreinte"
    if not mirrored and [page.number for page in held] != list(range(1, len(held) + 1)):
        yield "des pages manquent"
    if not mirrored and record.files and not record.host and not held:
        yield "publiée avec un fichier et sans aucune page : relisez l’original"
    if held and all(not page.text.strip() and page.quality is Quality.GOOD for page in held):
        yield "publiée sans texte et sans que ses pages le disent"
    if store.keys(record.id) != keys_of(record, mirrored=mirrored):
        yield "ses clés (ISBN, cote, fichiers) ne sont pas celles de la notice"
    if _columns(store, record.id) != (record.type, record.title, record.host, record.access):
        yield "rangée sous un titre, type, hôte ou accès qui n’est pas le sien : changez-y un mot"


def _columns(store: Store, id: str) -> tuple[object, ...]:
    query = sa.select(rows.c.type, rows.c.title, rows.c.host, rows.c.access).where(rows.c.id == id)
    with store.database.reading() as connection:
        return tuple(connection.execute(query).one_or_none() or ())


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
        astray = sa.select(redirects).where(redirects.c.new.not_in(known), redirects.c.new.not_in(_gone()))
        for row in connection.execute(astray):
            yield Fault(f"notice {row.old}", f"renvoie à {row.new}, qui n’a jamais existé")


def _gone() -> sa.Select[tuple[str]]:
    """Ids of the records that were deleted."""
    return sa.select(changes.c.record).where(changes.c.deleted)


def _feed(store: Store) -> Iterator[Fault]:
    """Records that went without having been deleted, and those that the index will never hear of."""
    lost = sa.select(changes.c.record).where(
        ~changes.c.deleted, changes.c.record.not_in(sa.select(rows.c.id))
    )
    alive = sa.select(changes.c.record).where(~changes.c.deleted)
    unheard = sa.select(rows.c.id).where(rows.c.id.not_in(alive))
    with store.database.reading() as connection:
        gone, silent = list(connection.scalars(lost)), list(connection.scalars(unheard))
    for id in gone:
        yield Fault(f"notice {id}", "a disparu sans avoir été supprimée : reprenez la dernière sauvegarde")
    for id in silent:
        yield Fault(f"notice {id}", "la recherche ne la connaîtra pas : changez-y un mot")


def _jobs(store: Store, jobs: Jobs, reception: Reception) -> Iterator[Fault]:
    wanted: set[str] = set()
    for job in jobs.every():
        wanted.add(str(job.payload.get("place", "")))
        where = f"fichier {job.id} « {job.name} »"
        yield from (Fault(where, what) for what in _settled_job(store, jobs, reception, job))
    for place in reception:
        old = time.time() - _modified(reception.path(place)) > _ARRIVING_SECONDS
        if place not in wanted and old and not _is_given_up(jobs, place):
            yield Fault(f"arrivée {place}", "aucun dépôt ne parle de ce fichier : déposez-le de nouveau")


def _is_given_up(jobs: Jobs, place: str) -> bool:
    """Whether the file came out of an archive of a deposit that was cancelled before it was queued."""
    batch = place.partition("/")[0]
    try:
        return batch.isdigit() and jobs.batch(int(batch)).state is BatchState.CANCELLED
    except NotFound:
        return False


def _settled_job(store: Store, jobs: Jobs, reception: Reception, job: Job) -> list[str]:
    """What is wrong with a job; looked at again as long as it goes on in between."""
    while True:
        place = str(job.payload.get("place", ""))
        there = not place or reception.path(place).is_file()  # work on a record asks for no file
        faults = list(_job(store, job, there))
        if job.state is JobState.RUNNING and _silent(job) and _is_open(jobs, job):
            faults.append("en cours, mais plus personne n’y travaille")
        if not faults or (now := jobs.job(job.id)) == job:
            return faults
        job = now


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
        for id in sorted(set(ids) - _ever(store, ids)):
            yield f"publié dans la notice {id}, qui n’a jamais existé"


def _ever(store: Store, ids: Sequence[str]) -> set[str]:
    """Those of these records that exist or existed; ``_feed`` tells of those that went by accident."""
    queries = (
        sa.select(rows.c.id).where(rows.c.id.in_(ids)),
        sa.select(changes.c.record).where(changes.c.record.in_(ids)),
    )
    with store.database.reading() as connection:
        return {id for query in queries for id in connection.scalars(query)}


def _is_open(jobs: Jobs, job: Job) -> bool:
    try:
        return jobs.batch(job.batch).state is BatchState.OPEN
    except NotFound:  # told among the rows that lead nowhere
        return False


def _silent(job: Job) -> bool:
    return job.lease is None or time.time() - job.lease > _SILENT_SECONDS


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
