"""The files of a deposit, grouped by what they ask of the librarian, and then by why.

Hides which ends belong together, how many files of each a page holds, and where each file leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from kb.errors import Reason
from kb.jobs import Batch, BatchState, Job
from kb.records import Record
from web.messages import STATUSES, reason_in_full
from web.parts import Parts
from web.typography import counted, spaced

_SHOWN, _SHOWN_DONE = 50, 10  # files of a group on the page of a deposit; its own page has the rest
_WHOLE = 200  # files on a page of one group
_REMARKS = 20  # remarks of a file that are shown
_ASKING = ("a-completer", "refuses")  # groups that ask something of the librarian


@dataclass(frozen=True, slots=True)
class FileView:
    """One file of a deposit: what became of it, and where to go from there."""

    id: int
    name: str
    state: str
    told: str
    url: str | None
    link: str
    warnings: tuple[str, ...]
    kept: bool
    has_rejects: bool = False


@dataclass(frozen=True, slots=True)
class Motive:
    """Files that ended so for one reason: what it means, and whether they may be read once more."""

    code: str
    told: str
    files: tuple[FileView, ...]
    may_retry: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Files of a deposit that ask for the same thing. ``more`` counts those after the ones shown."""

    name: str
    title: str
    advice: str
    motives: tuple[Motive, ...]
    count: int
    more: int
    url: str
    asking: bool


GROUPS: Mapping[str, tuple[str, str, tuple[str, ...]]] = MappingProxyType(
    {
        "a-completer": ("À compléter", "Ces fichiers attendent un geste de votre part.", ("waiting",)),
        "refuses": ("Refusés", "Rien n’est perdu : chaque fichier reçu est gardé tel quel.", ("refused",)),
        "publies": ("Publiés", "On les trouve déjà par la recherche.", ("published",)),
        "rattaches": ("Rattachés ou mis à jour", "La notice existait : elle est complétée.", ("updated",)),
        "connus": ("Déjà dans le fonds", "Le même fichier y est : rien n’a été ajouté.", ("unchanged",)),
        "ouverts": ("Dossiers compressés et courriels", "Leur contenu a été lu à part.", ("opened",)),
    }
)
"""Name in the address -> title, advice, and how the files of the group ended."""


def grouped(
    parts: Parts, batch: Batch, counts: Mapping[str, int], only: str = "", page: int = 1
) -> tuple[Group, ...]:
    """The groups of a deposit that have files, those that ask for something first; ``only`` one of them, in
    pages, if asked."""
    wanted = [only] if only else [name for name in GROUPS if _count(name, counts)]
    return tuple(_group(parts, batch, name, counts, page if only else 0) for name in wanted)


def retried(parts: Parts, batch: int, motive: str) -> int:
    """Have all files of a deposit read once more that did not come in for this reason; their number.
    Raises Conflict."""
    ended = parts.jobs.of(batch, results=("waiting", "refused"), limit=_MOST_RETRIED)
    again = [job for job in ended if job.outcome.get("reason") == motive != Reason.COLUMNS]
    with parts.jobs.together():
        for job in again:
            parts.jobs.retry(job.id)
    return len(again)


_MOST_RETRIED = 10_000


def _count(name: str, counts: Mapping[str, int]) -> int:
    return sum(counts.get(result, 0) for result in GROUPS[name][2])


def _group(parts: Parts, batch: Batch, name: str, counts: Mapping[str, int], page: int) -> Group:
    """``page`` 0 is the beginning of the group, on the page of the whole deposit."""
    title, advice, results = GROUPS[name]
    size = _WHOLE if page else _SHOWN if name in _ASKING else _SHOWN_DONE
    start = (page - 1) * size if page else 0
    found = parts.jobs.of(batch.id, results=results, limit=size, offset=start)
    count = _count(name, counts)
    known = parts.store.get_many([job.outcome["ids"][0] for job in found if job.outcome.get("ids")])
    return Group(
        name=name,
        title=title,
        advice=advice,
        motives=tuple(_motives(parts, batch, found, known)),
        count=count,
        more=max(0, count - start - len(found)),
        url=f"/depot/{batch.id}?groupe={name}" + (f"&page={page + 1}" if page else ""),
        asking=name in _ASKING,
    )


def _motives(
    parts: Parts, batch: Batch, jobs: Iterable[Job], known: Mapping[str, Record]
) -> Iterable[Motive]:
    """The most frequent reason first; those without a reason are one motive without words."""
    sorts = [(code, tuple(some)) for code, some in groupby(sorted(jobs, key=_reason), key=_reason)]
    for code, some in sorted(sorts, key=lambda sort: (-len(sort[1]), sort[0])):
        retry = bool(code) and code != Reason.COLUMNS and batch.state is not BatchState.CANCELLED
        told = reason_in_full(Reason(code)) if code else ""
        yield Motive(code, told, tuple(_file(parts, job, known) for job in some), retry)


def _reason(job: Job) -> str:
    return str(job.outcome.get("reason") or "")


def _file(parts: Parts, job: Job, known: Mapping[str, Record]) -> FileView:
    place = str(job.payload.get("place", ""))
    url, link = _onward(job, known)
    asking = job.result in ("waiting", "refused")
    return FileView(
        id=job.id,
        name=job.name,
        state=STATUSES.get(str(job.result), str(job.result)),
        told=_records_told(job),
        url=url,
        link=link,
        warnings=tuple(map(spaced, job.outcome.get("warnings", ())))[:_REMARKS],
        kept=asking and bool(place) and parts.reception.path(place).is_file(),
        has_rejects=bool(job.payload.get("columns")) and bool(job.outcome.get("warnings")),
    )


def _onward(job: Job, known: Mapping[str, Record]) -> tuple[str | None, str]:
    ids = job.outcome.get("ids", [])
    if _reason(job) == Reason.COLUMNS:
        return f"/depot/{job.batch}/fichiers/{job.id}/colonnes", "Vérifier les colonnes"
    if len(ids) == 1 and ids[0] in known:
        return f"/notice/{ids[0]}", known[ids[0]].title
    return None, ""


def _records_told(job: Job) -> str:
    records, pages = job.outcome.get("records", 0), job.outcome.get("pages", 0)
    if records > 1:
        return counted(records, "notice")
    return counted(pages, "page") if pages else ""
