"""Views of a spreadsheet of records before it comes in: what each column holds, and what the rows become.

Hides the form of a mapping in an address. The rows that were left out are given back as a file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, flash, request, stream_with_context

from ingest import arrivals
from ingest.drafts import Draft
from ingest.tables import Preview
from kb import records
from kb.accounts import Right
from kb.errors import InvalidValue, NotFound, Reason
from kb.headings import COLUMN_NAMES, MANY, SURE, Columns, Guess
from kb.jobs import Job
from web.forms import Plain
from web.guard import EXPORTS, needs
from web.notices import natural
from web.rendering import gone_to, parts, shown
from web.typography import counted, spaced, written_date

views = Blueprint("columns", __name__)

_SAMPLES = 3  # values of a column shown beside its name


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One column of the table. ``standing`` says in words how sure the guess is."""

    number: int
    heading: str
    name: str
    standing: str
    sure: bool
    reason: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowView:
    """One row as it would come in; ``fault`` says why it would not."""

    place: str
    title: str
    told: str
    fault: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnsPage:
    """The columns of one table and its first rows."""

    file: str
    deposit: str
    url: str
    sheet: str
    columns: tuple[ColumnView, ...]
    rows: tuple[RowView, ...]
    count: int
    mappings: tuple[str, ...]
    choices: tuple[tuple[str, str], ...]


_CHOICES = tuple(COLUMN_NAMES.items())


@views.route("/depot/<int:id>/fichiers/<int:job>/colonnes", methods=["GET", "POST"])
@views.get("/depot/<int:id>/fichiers/<int:job>/colonnes.json")
@needs(Right.CATALOGUE, fields=2000)
def columns(id: int, job: int) -> Response:
    """What the columns hold: guessed, or as chosen; the form shows it again or lets the table come in."""
    held = _table(id, job)
    seen = _preview(held, _given(held))
    form = Plain()
    if form.validate_on_submit():
        chosen = _chosen(seen)
        seen = _preview(held, chosen)
        if request.form.get("suite") == "importer":
            try:
                return _import(held, chosen)
            except InvalidValue as error:
                form.blame(error)
    context = _page(held, seen)
    return shown("columns.html", context, section="travail", form=form, status=400 if form.faults else 200)


def _table(batch: int, id: int) -> Job:
    """A job of that deposit whose file is a table that is still there. Raises NotFound."""
    job = parts().jobs.job(id)
    path = parts().reception.path(str(job.payload.get("place", "")))
    asked = job.outcome.get("reason") == Reason.COLUMNS or "columns" in job.payload
    if job.batch != batch or not asked or not path.is_file():
        raise NotFound("table", str(id))
    return job


def _given(job: Job) -> Columns | None:
    """The columns of a saved mapping when one is asked for, else those that the file was read with."""
    if name := request.args.get("correspondance", ""):
        return parts().mappings.get(name)
    told = str(job.payload.get("columns", ""))
    return Columns.from_json(told) if told else None


def _preview(job: Job, given: Columns | None) -> Preview:
    path = parts().reception.path(str(job.payload["place"]))
    if given is not None:  # a mapping of another table goes by the order of its columns
        given = dataclasses.replace(given, headings=())
    return arrivals.previewed(path, parts().sandbox, given.to_json() if given else "")


def _chosen(seen: Preview) -> Columns:
    """The columns as they stand in the form."""
    names = tuple(
        name if (name := request.form.get(f"colonne-{number}", "")) in COLUMN_NAMES else None
        for number in range(len(seen.headings))
    )
    return Columns(names, seen.headings)


def _import(job: Job, chosen: Columns) -> Response:
    """Let the table come in with these columns. Raises InvalidValue when one thing is missing or twice."""
    names = [name for name in chosen.names if name]
    if "title" not in names:
        raise InvalidValue("colonne", "indiquez quelle colonne contient les titres")
    twice = next((name for name in names if names.count(name) > 1 and name not in MANY), None)
    if twice:
        raise InvalidValue(
            "colonne", f"deux colonnes disent « {COLUMN_NAMES[twice]} » : laissez-en une de côté"
        )
    with parts().store.transaction():
        if name := request.form.get("nom", "").strip():
            parts().mappings.save(name, chosen)
        parts().jobs.amend(job.id, {"columns": chosen.to_json()})
        parts().jobs.retry(job.id)
    flash("L’import commence.")
    return gone_to(f"/depot/{job.batch}")


def _page(job: Job, seen: Preview) -> ColumnsPage:
    return ColumnsPage(
        file=job.name,
        deposit=f"/depot/{job.batch}",
        url=f"/depot/{job.batch}/fichiers/{job.id}/colonnes",
        sheet=seen.sheet,
        columns=tuple(_column(seen, number) for number in range(len(seen.headings))),
        rows=tuple(map(_row, seen.drafts)),
        count=seen.count,
        mappings=parts().mappings.names(),
        choices=_CHOICES,
    )


def _column(seen: Preview, number: int) -> ColumnView:
    guesses = seen.columns.guesses
    guess = (
        guesses[number] if number < len(guesses) else Guess(seen.columns.names[number], 1.0, "votre choix")
    )
    cells = (row[number].strip() for row in seen.rows if number < len(row))
    samples = list(dict.fromkeys(cell for cell in cells if cell))[:_SAMPLES]
    name = seen.columns.names[number]
    sure = guess.confidence >= SURE
    return ColumnView(
        number=number,
        heading=seen.headings[number] or f"Colonne {number + 1}",
        name=name or "",
        standing="sûr" if name and sure else "à vérifier" if name else "laissée de côté",
        sure=bool(name) and sure,
        reason=spaced(guess.reason),
        samples=tuple(sample[:80] for sample in samples),
    )


def _row(draft: Draft) -> RowView:
    warnings = [warning.removeprefix(f"{draft.place_in_file} : ") for warning in draft.warnings]
    fault = "" if draft.title else " ".join(warnings)
    told = [
        ", ".join(natural(agent.name) for agent in draft.agents[:3]),
        written_date(draft.date) if draft.date else "",
        records.TYPES[draft.type] if draft.type != "document" else "",
        draft.call_number or "",
        counted(len(draft.copies), "exemplaire") if draft.copies else "",
        ", ".join(draft.keywords[:4]),
    ]
    return RowView(
        place=draft.place_in_file,
        title=draft.title,
        told=" · ".join(part for part in told if part),
        fault=spaced(fault),
        warnings=tuple(map(spaced, warnings)) if draft.title else (),
    )


@views.get("/depot/<int:id>/fichiers/<int:job>/rejets.csv")
@needs(Right.CATALOGUE, limit=EXPORTS)
def rejected(id: int, job: int) -> Response:
    """The rows that were left out, with the reason of each, to mend and deposit again."""
    held = _table(id, job)
    path = parts().reception.path(str(held.payload["place"]))
    lines = parts().sandbox.run(
        "ingest.tables:emit_rejected", str(path), str(held.payload.get("columns", ""))
    )
    first = next(lines, b"")  # a file that cannot be read any more is told on a page, not in half an answer
    response = Response(stream_with_context(_begun(first, lines)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="rejets-{held.id}.csv"'
    return response


def _begun(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
