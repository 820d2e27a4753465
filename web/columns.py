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
from kb.headings import CATALOGUE, Columns
from kb.jobs import Job
from web.column_choices import ColumnView, check, chosen, column_views
from web.forms import Plain
from web.guard import EXPORTS, needs
from web.notices import natural
from web.rendering import gone_to, parts, shown
from web.typography import counted, spaced, written_date

views = Blueprint("columns", __name__)


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


_CHOICES = tuple(CATALOGUE.names.items())


@views.route("/depot/<int:id>/fichiers/<int:job>/colonnes", methods=["GET", "POST"])
@views.get("/depot/<int:id>/fichiers/<int:job>/colonnes.json")
@needs(Right.CATALOGUE, fields=2000)
def columns(id: int, job: int) -> Response:
    """What the columns hold: guessed, or as chosen; the form shows it again or lets the table come in."""
    held = _table(id, job)
    seen = _preview(held, _given(held))
    form = Plain()
    if form.validate_on_submit():
        settled = chosen(request.form, seen.headings, CATALOGUE)
        seen = _preview(held, settled)
        if request.form.get("suite") == "importer":
            try:
                return _import(held, settled)
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


def _import(job: Job, settled: Columns) -> Response:
    """Let the table come in with these columns. Raises InvalidValue when one thing is missing or twice."""
    check(settled, CATALOGUE)
    with parts().store.transaction():
        if name := request.form.get("nom", "").strip():
            parts().mappings.save(name, settled)
        parts().jobs.amend(job.id, {"columns": settled.to_json()})
        parts().jobs.retry(job.id)
    flash("L’import commence.")
    return gone_to(f"/depot/{job.batch}")


def _page(job: Job, seen: Preview) -> ColumnsPage:
    return ColumnsPage(
        file=job.name,
        deposit=f"/depot/{job.batch}",
        url=f"/depot/{job.batch}/fichiers/{job.id}/colonnes",
        sheet=seen.sheet,
        columns=column_views(seen.columns, seen.rows),
        rows=tuple(map(_row, seen.drafts)),
        count=seen.count,
        mappings=parts().mappings.names(),
        choices=_CHOICES,
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
