"""Views that take in the log of a former service: the file, its columns, what it becomes, its coming in.

Hides that a long log comes in by portions, each of some seconds: a page that is left is gone on with later,
and what has come in is known by its rows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, flash, request
from wtforms import BooleanField, SelectField

from ingest.table_rows import Rows
from kb.accounts import Right
from kb.errors import IngestError, InvalidValue, NotFound
from kb.headings import Columns
from kb.limits import Limit
from kb.question_columns import QUESTIONS
from kb.question_rows import Entry
from kb.questions import Channel
from web import former_logs, kept_log
from web.column_choices import ColumnView, check, chosen, column_views
from web.desk_words import CHANNELS, STATES, opening
from web.former_logs import Line, Plan
from web.forms import Form, Plain, choices
from web.guard import EXPORTS, identity, needs
from web.kept_log import Settled
from web.messages import explain
from web.rendering import gone_to, parts, shown
from web.typography import spaced, written_date

views = Blueprint("question_import", __name__)

HERE = "/guichet/import"
PREVIEWED = 20
PORTION_SECONDS = 4.0
"""Of one request: some hundred rows."""

PORTIONS = Limit("question-import", 400, 600)
"""Requests that look at a log or let rows come in: twice as many as a page sends that goes on by itself."""

_OPENING = 140  # characters of a question in the preview
_MOST_UNKNOWN = 40  # words named that were not known; the others are counted


class ImportForm(Form):
    """What is said of a log beside its columns."""

    channel = SelectField(
        "Canal des questions dont le tableau ne le dit pas",
        choices=choices((str(channel), words) for channel, words in CHANNELS.items()),
        default=str(Channel.EMAIL),
    )
    identities = BooleanField("Reprendre aussi qui a demandé : nom, courriel, téléphone")


@dataclass(frozen=True, slots=True)
class StartPage:
    """The field for a file."""

    largest: int
    most_rows: int


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
    """The columns of a log and its first rows; ``closing`` rows have no answer and no state, and will be
    closed."""

    file: str
    url: str
    sheet: str
    others: tuple[str, ...]
    columns: tuple[ColumnView, ...]
    rows: tuple[RowView, ...]
    count: int
    rejected: int
    closing: int
    mappings: tuple[str, ...]
    choices: tuple[tuple[str, str], ...]
    months: int


@dataclass(frozen=True, slots=True)
class UnknownView:
    """A word that no question took."""

    what: str
    said: str
    count: int


@dataclass(frozen=True, slots=True)
class ReportPage:
    """How far a log has come in: ``total`` rows, ``done`` of the ``good`` ones, ``rejected`` others."""

    file: str
    url: str
    total: int
    good: int
    done: int
    rejected: int
    undated: int
    first_faults: tuple[RowView, ...]
    unknown: tuple[UnknownView, ...]
    more_unknown: int
    goes_on: bool
    months: int


@views.get(HERE)
@needs(Right.ANSWER)
def start() -> Response:
    """Where a log is brought."""
    context = StartPage(kept_log.LARGEST, former_logs.MOST_ROWS)
    return shown("question-import.html", context, section="guichet", form=Plain())


@views.post(HERE)
@needs(Right.ANSWER, largest=kept_log.LARGEST, fields=10)
def bring() -> Response:
    """Take a log in, to look at it."""
    file = request.files.get("journal")
    if not Plain().validate_on_submit() or file is None or not file.filename:
        flash("Aucun fichier choisi : choisissez un tableau CSV, Excel ou Calc.")
        return gone_to(HERE)
    key = kept_log.keep(parts(), file.stream, file.filename)
    try:
        former_logs.read(parts(), kept_log.path(parts(), key), None)
    except IngestError as error:
        kept_log.drop(parts(), key)
        flash(spaced(f"Ce fichier ne peut pas être lu. {explain(error)}"))
        return gone_to(HERE)
    return gone_to(f"{HERE}/{key}")


@views.route(f"{HERE}/<key>", methods=["GET", "POST"])
@needs(Right.ANSWER, fields=2000, limit=PORTIONS)
def columns(key: str) -> Response:
    """What the columns hold: guessed, saved or as chosen; the form shows it again or lets the log come in."""
    before = kept_log.settled(parts(), key)
    form = ImportForm(data=_former(before)) if request.method != "POST" else ImportForm()
    rows = former_logs.read(parts(), kept_log.path(parts(), key), _given(before))
    said = rows.columns
    if form.validate_on_submit():
        said = chosen(request.form, rows.columns.headings, QUESTIONS)
        if request.form.get("suite") == "importer":
            try:
                check(said, QUESTIONS)
                _settle(key, said, form)
                return _portion(key)
            except InvalidValue as error:
                form.blame(error)
    settled = Settled(said, Channel(form.channel.data), form.identities.data)
    context = _columns_page(key, settled, rows)
    status = 400 if form.faults else 200
    return shown("question-import-columns.html", context, section="guichet", status=status, form=form)


def _former(before: Settled | None) -> dict[str, object]:
    return {"channel": str(before.channel), "identities": before.identities} if before else {}


def _given(before: Settled | None) -> Columns | None:
    """The columns of a saved mapping when one is asked for, by the order of columns; else those settled
    before."""
    if name := request.args.get("correspondance", ""):
        return Columns(former_logs.mappings(parts()).get(name).names)
    return before.columns if before else None


def _settle(key: str, said: Columns, form: ImportForm) -> None:
    if name := request.form.get("nom", "").strip():
        former_logs.mappings(parts()).save(name, said)
    kept_log.settle(parts(), key, Settled(said, Channel(form.channel.data), form.identities.data))


def _columns_page(key: str, settled: Settled, rows: Rows) -> ColumnsPage:
    seen = Rows(rows.sheet, settled.columns, rows.others, rows.rows)
    plan = _plan(settled, seen)
    told = rows.columns if rows.columns.names == settled.columns.names else settled.columns
    return ColumnsPage(
        file=kept_log.path(parts(), key).name,
        url=f"{HERE}/{key}",
        sheet=rows.sheet,
        others=rows.others,
        columns=column_views(told, [row.cells for row in rows.rows[:PREVIEWED]]),
        rows=tuple(map(_row, plan.lines[:PREVIEWED])),
        count=len(plan.lines),
        rejected=len(plan.rejected),
        closing=sum(_closes_untold(line, settled.columns) for line in plan.lines),
        mappings=former_logs.mappings(parts()).names(),
        choices=tuple(QUESTIONS.names.items()),
        months=parts().config.retention_months,
    )


def _plan(settled: Settled, rows: Rows) -> Plan:
    known = former_logs.terms(parts(), settled.channel, identities=settled.identities)
    return former_logs.planned(rows, known)


def _closes_untold(line: Line, columns: Columns) -> bool:
    """Whether a row becomes a closed question though nothing in it says so: it tells of no state, or of one
    that is not known."""
    if line.entry is None or line.entry.state != "closed":
        return False
    said = zip(columns.names, line.row.cells, strict=False)
    told = any(name == "state" and cell.strip() for name, cell in said)
    return not told or any(name == "state" for name, _ in line.entry.unknown)


def _row(line: Line) -> RowView:
    place, entry = f"ligne {line.row.line}", line.entry
    if entry is None:
        return RowView(place, opening(line.words, _OPENING), "", spaced(line.fault), ())
    warnings = [f"{QUESTIONS.names[name]} : « {said} » n’est pas connu" for name, said in entry.unknown]
    if entry.state == "answered" and not entry.dated:
        warnings.append("Sans date de réponse : comptée le jour de la réception")
    told = " · ".join(part for part in _told(entry) if part)
    return RowView(place, opening(entry.asked.text, _OPENING), told, "", tuple(map(spaced, warnings)))


def _told(entry: Entry) -> Sequence[str]:
    labels, asked = parts().labels, entry.asked
    codes = (asked.actor, asked.territory, *asked.themes)
    concepts = [concept.label for code in codes if code and (concept := labels.concept(code))]
    ended = f"{STATES[entry.state]} le {_day(entry.ended)}" if entry.ended else STATES[entry.state]
    person = parts().people.get(entry.person).name if entry.person is not None else ""
    time_spent = f"{entry.minutes} min" if entry.minutes is not None else ""
    read = f"READ {entry.effort}" if entry.effort else ""
    who = "avec qui a demandé" if any(entry.asker) else ""
    received = f"reçue le {_day(entry.received)} par {CHANNELS[asked.channel]}"
    return (received, *concepts, ended, person, time_spent, read, who)


def _day(moment: datetime) -> str:
    return written_date(moment.astimezone(parts().calendar.zone).date().isoformat())


# -- coming in


def _settled(key: str) -> Settled:
    """What was said of a log whose rows come in. Raises NotFound before anybody said it."""
    found = kept_log.settled(parts(), key)
    if found is None:
        raise NotFound("log", key)
    return found


def _planned(key: str) -> Plan:
    settled = _settled(key)
    return _plan(settled, former_logs.read(parts(), kept_log.path(parts(), key), settled.columns))


@views.get(f"{HERE}/<key>/suite")
@needs(Right.ANSWER)
def report(key: str) -> Response:
    """How far the log has come in, and what was left out."""
    context = _report(key, _planned(key))
    return shown("question-import-report.html", context, section="guichet", form=Plain())


@views.post(f"{HERE}/<key>/suite")
@needs(Right.ANSWER, limit=PORTIONS)
def go_on(key: str) -> Response:
    """Let more rows come in, for some seconds."""
    return _portion(key)


def _portion(key: str) -> Response:
    plan, log = _planned(key), former_logs.former_log(parts())
    keys = [entry.key for entry in plan.entries]
    done = log.known(keys)
    left = [entry for entry in plan.entries if entry.key not in done]
    until = time.monotonic() + PORTION_SECONDS
    person = identity().person
    assert person is not None  # Right.ANSWER is nobody's but a person's
    taken = log.take(left, person=person, more=lambda _: time.monotonic() < until)
    going = "?suite=1" if taken < len(left) else ""
    return gone_to(f"{HERE}/{key}/suite{going}")


def _report(key: str, plan: Plan) -> ReportPage:
    done = former_logs.former_log(parts()).known([entry.key for entry in plan.entries])
    unknown = list(plan.unknown.items())
    return ReportPage(
        file=kept_log.path(parts(), key).name,
        url=f"{HERE}/{key}",
        total=len(plan.lines),
        good=len(plan.entries),
        done=len(done),
        rejected=len(plan.rejected),
        undated=plan.undated,
        first_faults=tuple(map(_row, plan.rejected[:PREVIEWED])),
        unknown=tuple(
            UnknownView(QUESTIONS.names[name], said, count) for (name, said), count in unknown[:_MOST_UNKNOWN]
        ),
        more_unknown=max(0, len(unknown) - _MOST_UNKNOWN),
        goes_on=request.args.get("suite") == "1" and len(done) < len(plan.entries),
        months=parts().config.retention_months,
    )


@views.get(f"{HERE}/<key>/rejets.csv")
@needs(Right.ANSWER, limit=EXPORTS)
def rejected(key: str) -> Response:
    """The rows that were left out, with the reason of each, to mend and bring again."""
    response = Response(b"".join(former_logs.rejected_csv(_planned(key))), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="lignes-laissees-de-cote.csv"'
    return response


@views.post(f"{HERE}/<key>/fin")
@needs(Right.ANSWER)
def finish(key: str) -> Response:
    """Take the file away."""
    if Plain().validate_on_submit():
        kept_log.drop(parts(), key)
        flash("Le fichier est effacé du serveur ; les questions importées restent.")
    return gone_to(HERE)
