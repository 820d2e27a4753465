"""Views of deposits: files that come in, how far they are, what became of each.

Hides that files come one by one from a script and all at once without, and how far a deposit is told to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from flask import Blueprint, Response, flash, jsonify, request, send_file

from ingest.arrivals import LARGEST_FILE
from ingest.clerk import accept, legible
from kb.accounts import Right
from kb.errors import Conflict, InvalidValue, NotFound
from kb.jobs import Batch, BatchState, Job, JobState
from kb.limits import Limit
from web.deposit_groups import GROUPS, Group, grouped, retried
from web.forms import Plain
from web.guard import needs
from web.rendering import gone_to, parts, shown
from web.typography import counted, number, spaced, written_moment

views = Blueprint("deposit", __name__)

LARGEST = 2 << 30
"""Bytes of one form with files: without script, all files of a deposit come in one."""

MOST_FILES = 2000
PER_PAGE = 20
_LONGEST_NAME = 120  # characters of a deposit's name
_LAST_PAGE = 100_000  # no list is longer; an offset must fit every database
_RATE_SECONDS = 60.0  # over which the rate of work is told
_UNREAD_SECONDS = 60.0  # that files may be due while none is read: a worker looks twice a second
ARRIVALS = Limit("deposit", 3000, 600)
"""Files sent one by one: some five a second for ten minutes, more than a browser sends."""


@dataclass(frozen=True, slots=True)
class DepositView:
    """A deposit in one line."""

    id: int
    name: str
    url: str
    when: str
    by: str
    state: str
    total: int
    done: int
    told: str


@dataclass(frozen=True, slots=True)
class DepositsPage:
    """The deposits, the newest first."""

    deposits: tuple[DepositView, ...]
    next_url: str | None
    previous_url: str | None
    largest: int


@dataclass(frozen=True, slots=True)
class DepositPage:
    """One deposit: how far it is, and its files grouped by what they ask for."""

    deposit: DepositView
    open: bool
    stopped: bool
    finished: bool
    share: int
    progress: str
    now: tuple[str, ...]
    unread: bool
    tallies: tuple[Tally, ...]
    groups: tuple[Group, ...]
    only: str
    to_review: int
    review_url: str
    largest: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many files of a deposit ended so, and where they are shown."""

    count: int
    title: str
    url: str
    current: bool
    asking: bool


@views.get("/depot")
@views.get("/depot.json")
@needs(Right.CATALOGUE)
def deposits() -> Response:
    """The field for files, and the latest deposits."""
    page = _page()
    found = parts().jobs.batches(PER_PAGE + 1, (page - 1) * PER_PAGE)
    context = DepositsPage(
        deposits=tuple(map(_deposit, found[:PER_PAGE])),
        next_url=f"/depot?page={page + 1}" if len(found) > PER_PAGE else None,
        previous_url=f"/depot?page={page - 1}" if page > 1 else None,
        largest=LARGEST_FILE,
    )
    return shown("deposits.html", context, section="travail", form=Plain())


@views.post("/depot")
@needs(Right.CATALOGUE, largest=LARGEST, fields=MOST_FILES)
def deposit_new() -> Response:
    """Open a deposit with the files that came, or with none yet when a script will send them."""
    files = [file for file in request.files.getlist("fichiers") if file.filename]
    by_script = request.form.get("suite") == "script"
    if not files and not by_script:
        flash("Aucun fichier choisi : choisissez-en au moins un, puis déposez.")
        return gone_to("/depot")
    given = request.form.get("nom", "")
    name = legible(given)[:_LONGEST_NAME] if given.strip() else _name_of_today()
    batch = parts().jobs.open_batch(name, "deposit")
    for file in files:
        accept(parts().jobs, parts().reception, batch, file.stream, file.filename or "")
    if by_script:
        return _as_json({"id": batch, "url": f"/depot/{batch}"})
    flash(spaced(f"{counted(len(files), 'fichier reçu', 'fichiers reçus')}. La lecture commence."))
    return gone_to(f"/depot/{batch}")


@views.post("/depot/<int:id>/fichiers")
@needs(Right.CATALOGUE, limit=ARRIVALS, largest=LARGEST, fields=MOST_FILES)
def deposit_files(id: int) -> Response:
    """Add files to a deposit; those that it has already are left as they are. Raises Conflict for a deposit
    that was given up."""
    parts().jobs.batch(id)
    files = [file for file in request.files.getlist("fichiers") if file.filename]
    sent = [accept(parts().jobs, parts().reception, id, file.stream, file.filename or "") for file in files]
    if request.form.get("suite") == "script":
        if not sent:
            raise InvalidValue("fichiers", "aucun fichier reçu")
        return _as_json({"jobs": sent})
    received = counted(len(sent), "fichier reçu", "fichiers reçus")
    flash(spaced(f"{received}." if sent else "Aucun fichier choisi : choisissez-en, puis ajoutez."))
    return gone_to(f"/depot/{id}")


@views.get("/depot/<int:id>")
@views.get("/depot/<int:id>.json")
@needs(Right.CATALOGUE)
def deposit(id: int) -> Response:
    """One deposit, or one group of its files (``groupe``), in pages."""
    batch, counts = parts().jobs.batch(id), parts().jobs.counts(id)
    only = request.args.get("groupe", "")
    if only and only not in GROUPS:
        raise NotFound("group", only)
    told = _deposit(batch, counts)
    going = batch.state is BatchState.OPEN and told.done < told.total
    context = DepositPage(
        deposit=told,
        open=batch.state is BatchState.OPEN,
        stopped=batch.state is BatchState.STOPPED,
        finished=told.done == told.total,
        share=100 * told.done // told.total if told.total else 0,
        progress=_progress(batch, counts),
        now=tuple(_doing(job) for job in parts().jobs.running(id)),
        unread=going and (parts().jobs.oldest_due() or 0) > _UNREAD_SECONDS,
        tallies=tuple(_tallies(batch, counts, only)),
        groups=grouped(parts(), batch, counts, only, _page()),
        only=only,
        to_review=parts().reviews.count(id),
        review_url=f"/a-valider?depot={id}",
        largest=LARGEST_FILE,
    )
    return shown("deposit.html", context, section="travail", form=Plain())


def _page() -> int:
    return min(max(1, request.args.get("page", 1, int)), _LAST_PAGE)


def _tallies(batch: Batch, counts: Mapping[str, int], only: str) -> Iterator[Tally]:
    for name, (title, _, results) in GROUPS.items():
        if count := sum(counts.get(result, 0) for result in results):
            url = f"/depot/{batch.id}?groupe={name}" if only else f"#g-{name}"
            yield Tally(count, title, url, name == only, name in ("a-completer", "refuses"))


def _deposit(batch: Batch, counts: Mapping[str, int] | None = None) -> DepositView:
    counts = parts().jobs.counts(batch.id) if counts is None else counts
    total, left = sum(counts.values()), _left(counts)
    asking = counts.get("refused", 0) + counts.get("waiting", 0)
    told = counted(total, "fichier")
    if asking:
        told += f", dont {counted(asking, 'à revoir', 'à revoir')}"
    return DepositView(
        id=batch.id,
        name=batch.name,
        url=f"/depot/{batch.id}",
        when=written_moment(batch.created, parts().config.time_zone),
        by=_who(batch),
        state=_state(batch, total, left),
        total=total,
        done=total - left,
        told=told,
    )


def _left(counts: Mapping[str, int]) -> int:
    """Files that have not ended; those of a deposit that was given up have."""
    return counts.get(JobState.WAITING, 0) + counts.get(JobState.RUNNING, 0)


def _state(batch: Batch, total: int, left: int) -> str:
    if batch.state is BatchState.CANCELLED:
        return "abandonné"
    if not total:
        return "vide"
    if not left:
        return "terminé"
    return "arrêté" if batch.state is BatchState.STOPPED else "en cours"


def _who(batch: Batch) -> str:
    """The name of who opened the deposit."""
    if batch.source == "watch":
        return "dossier surveillé"
    kind, _, key = batch.actor.partition(":")
    if kind == "personne" and key.isdigit():
        try:
            return parts().people.get(int(key)).name
        except NotFound:
            return "compte effacé"
    return "Carbet" if kind == "systeme" else kind


def _progress(batch: Batch, counts: Mapping[str, int]) -> str:
    """« 12 fichiers lus sur 300, encore 2 min environ »."""
    total, left, given_up = sum(counts.values()), _left(counts), counts.get(JobState.CANCELLED, 0)
    if not total:
        return "Aucun fichier reçu pour l’instant."
    if given_up:
        done = counted(total - given_up, "fichier lu", "fichiers lus")
        return f"{done}, {counted(given_up, 'laissé de côté', 'laissés de côté')}"
    if not left:
        return counted(total, "fichier lu", "fichiers lus")
    told = f"{counted(total - left, 'fichier lu', 'fichiers lus')} sur {number(total)}"
    if batch.state is BatchState.STOPPED:
        return f"{told} ; les autres attendent que vous repreniez"
    rate = parts().jobs.rate(batch.id, _RATE_SECONDS)
    return f"{told}, encore {_about(left / rate)}" if rate > 0 else told


def _about(seconds: float) -> str:
    """A time left, as people say it: it is a guess."""
    minutes = round(seconds / 60)
    return "moins d’une minute" if seconds < 55 else f"{max(1, minutes)} min environ"


def _doing(job: Job) -> str:
    doing = "reconnaissance des caractères" if job.kind == "recognise" else "lecture"
    at = f", page {job.done} sur {job.total}" if job.total > 1 else ""
    return f"{job.name}{spaced(' : ')}{doing}{at}"


def _name_of_today() -> str:
    return spaced(f"Dépôt du {written_moment(datetime.now(UTC), parts().config.time_zone)}")


def _as_json(told: Mapping[str, object]) -> Response:
    answer: Response = jsonify(told)
    return answer


# -- what a librarian does with a deposit


_TURNS = MappingProxyType(
    {
        "arreter": ("stop", "Le dépôt est arrêté ; ce qui est fait est gardé."),
        "reprendre": ("resume", "Le dépôt reprend."),
        "abandonner": ("cancel", "Le dépôt est abandonné ; ce qui est publié reste."),
    }
)


@views.post("/depot/<int:id>/<any(arreter, reprendre, abandonner):turn>")
@needs(Right.CATALOGUE)
def deposit_turn(id: int, turn: str) -> Response:
    """Stop, resume, give up."""
    method, done = _TURNS[turn]
    try:
        getattr(parts().jobs, method)(id)
    except Conflict:
        done = "Ce dépôt avait déjà changé entre-temps : voici où il en est."
    flash(spaced(done))
    return gone_to(f"/depot/{id}")


@views.post("/depot/<int:id>/relire")
@needs(Right.CATALOGUE)
def deposit_retry_all(id: int) -> Response:
    """Read all files once more that did not come in for one reason (``motif``), which may be gone."""
    parts().jobs.batch(id)
    try:
        again = retried(parts(), id, request.form.get("motif", ""))
    except Conflict:
        again = 0
    flash(f"{counted(again, 'fichier va être relu', 'fichiers vont être relus')}.")
    return gone_to(f"/depot/{id}")


@views.post("/depot/<int:id>/fichiers/<int:job>/relire")
@needs(Right.CATALOGUE)
def deposit_retry(id: int, job: int) -> Response:
    """Read a file once more: its reason may be gone."""
    _job(id, job)
    try:
        parts().jobs.retry(job)
        flash("Le fichier va être relu.")
    except Conflict:
        flash("Ce fichier n’est pas à relire : il est en cours de lecture, ou son dépôt est abandonné.")
    return gone_to(f"/depot/{id}")


@views.get("/depot/<int:id>/fichiers/<int:job>")
@needs(Right.CATALOGUE)
def deposit_file(id: int, job: int) -> Response:
    """A file that was received, as it came."""
    held = _job(id, job)
    path = parts().reception.path(str(held.payload.get("place", "")))
    if not path.is_file():
        raise NotFound("file", held.name)
    return send_file(path, as_attachment=True, download_name=path.name, mimetype="application/octet-stream")


def _job(batch: int, id: int) -> Job:
    """A job of that deposit. Raises NotFound."""
    job = parts().jobs.job(id)
    if job.batch != batch:
        raise NotFound("job", str(id))
    return job
