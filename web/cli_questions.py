"""Commands of the desk: the questions in a terminal, a former log, mail that a server pipes in."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.command import AS_JSON, Commands, opened, print_json

if TYPE_CHECKING:
    from kb.questions import Channel, Question
    from web.former_logs import Plan
    from web.parts import Parts

_STATES = ("received", "in_hand", "waiting", "answered", "published", "closed")
_CHANNELS = ("form", "email", "telephone", "visit", "letter")
"""As in ``kb.questions`` (tested); said again here so that ``kb --help`` loads nothing heavy."""

_LATER = 75  # EX_TEMPFAIL of sysexits.h: mail servers keep the message and try again
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_TO_WRITE = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=Commands)
def questions() -> None:
    """Tenir le guichet : lister, montrer, importer un registre, recevoir le courriel."""


@questions.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Plusieurs fois.")
@click.option("--overdue", is_flag=True, help="Seulement celles en retard.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@AS_JSON
@click.pass_obj
def questions_list(data: Path, states: tuple[str, ...], overdue: bool, limit: int, as_json: bool) -> None:
    """Lister les questions ; celles qui attendent, si aucun état n’est dit."""
    from datetime import UTC, datetime

    from kb.desk import Wanted
    from kb.questions import OPEN, QuestionState

    with opened(data) as parts:
        now = datetime.now(UTC)
        today = now.astimezone(parts.calendar.zone).date()
        wanted = Wanted(
            states=tuple(map(QuestionState, states)) or OPEN, overdue_on=today if overdue else None
        )
        for question in parts.desk.listed(wanted, limit):
            print_json(_told(parts, question)) if as_json else _print_line(parts, question, now)


def _told(parts: Parts, question: Question) -> dict[str, Any]:
    """A question for a program: its codes and days, nothing of who asked."""
    return {
        "reference": question.reference,
        "state": str(question.state),
        "channel": str(question.channel),
        "received": question.received.isoformat(),
        "due": question.due.isoformat(),
        "answered": question.answered.isoformat() if question.answered else None,
        "assignee": _name(parts, question.assignee),
        "actor": question.actor,
        "territory": question.territory,
        "themes": list(question.themes),
        "question": question.text,
    }


def _name(parts: Parts, person: int | None) -> str | None:
    from kb.errors import NotFound

    try:
        return None if person is None else parts.people.get(person).name
    except NotFound:
        return None


def _print_line(parts: Parts, question: Question, now: Any) -> None:
    from web.desk_words import STATES, delay, opening

    told = delay(question, parts.calendar, now)
    who = _name(parts, question.assignee) or "à personne"
    head = f"{click.style(question.reference, bold=True)}  {STATES[question.state]:24} {who:24} {told}"
    click.echo(f"{head.rstrip()}\n   {opening(question.text, 100)}")


# -- one


@questions.command("show")
@click.argument("reference")
@click.option("--notes", "with_notes", is_flag=True, help="Montrer aussi les notes internes.")
@AS_JSON
@click.pass_obj
def questions_show(data: Path, reference: str, with_notes: bool, as_json: bool) -> None:
    """Montrer une question : échanges, réponse, ce qui a été fait."""
    with opened(data) as parts:
        found = _in_full(parts, parts.desk.by_reference(reference), with_notes=with_notes)
    print_json(found) if as_json else _print_whole(found)


def _in_full(parts: Parts, question: Question, *, with_notes: bool) -> dict[str, Any]:
    answer = parts.answers.get(question.id)
    found = _told(parts, question) | {
        "context": question.context,
        "answer": answer.body or None,
        "sent": answer.sent.isoformat() if answer.sent else None,
        "exchanges": [
            {
                "at": said.at.isoformat(),
                "from": "asker" if said.incoming else "centre",
                "channel": str(said.channel),
                "text": said.text,
                "files": list(said.enclosures),
            }
            for said in parts.desk.exchanges(question.id)
        ],
        "log": [
            {
                "at": step.at.isoformat(),
                "step": str(step.kind),
                "person": _name(parts, step.person),
                "state": str(step.after) if step.after else None,
                "minutes": step.minutes,
                "effort": step.effort,
            }
            for step in parts.desk.log.of(question.id)
        ],
    }
    if with_notes:
        found["notes"] = [
            {"at": note.at.isoformat(), "person": _name(parts, note.person), "text": note.text}
            for note in parts.desk.notes(question.id)
        ]
    return found


def _print_whole(found: dict[str, Any]) -> None:
    from kb.questions import QuestionState
    from kb.servicelog import StepKind
    from web.desk_words import STATES, STEPS

    state = STATES[QuestionState(found["state"])]
    click.echo(f"{click.style(found['reference'], bold=True)}  {state}\n\n{found['question']}\n")
    for heading, text in (("Contexte", found["context"]), ("Réponse", found["answer"])):
        if text:
            click.echo(f"{click.style(heading, bold=True)}\n{text}\n")
    for said in found["exchanges"]:
        who = "demandeur" if said["from"] == "asker" else "centre"
        _print_dated(said, who)
    for note in found.get("notes", ()):
        _print_dated(note, f"note interne  {note['person'] or ''}")
    for step in found["log"]:
        minutes = f", {step['minutes']} min" if step["minutes"] else ""
        click.echo(f"{step['at'][:16]}  {STEPS[StepKind(step['step'])]}{minutes}  {step['person'] or ''}")


def _print_dated(said: dict[str, Any], who: str) -> None:
    head = f"{said['at'][:16]}  {who}".rstrip()
    click.echo(f"{click.style(head, bold=True)}\n{said['text']}\n")


# -- a former log


@questions.command("import")
@click.argument("file", type=_FILE)
@click.option("--mapping", help="Correspondance de colonnes enregistrée sous ce nom.")
@click.option("--by", "email", metavar="ADRESSE", help="Compte au nom duquel importer.")
@click.option("--channel", type=click.Choice(_CHANNELS), default="email", show_default=True,
              help="Canal des lignes qui n’en disent pas.")  # fmt: skip
@click.option("--identities", is_flag=True, help="Reprendre aussi nom, courriel et téléphone.")
@click.option(
    "--rejects", type=click.Path(path_type=Path, dir_okay=False), help="Écrire là les lignes laissées."
)
@click.option("--dry-run", is_flag=True, help="Dire ce qui se passerait, sans rien importer.")
@click.pass_context
def questions_import(
    ctx: click.Context,
    file: Path,
    mapping: str | None,
    email: str | None,
    channel: str,
    identities: bool,
    rejects: Path | None,
    dry_run: bool,
) -> None:
    """Importer le registre d’un ancien service (CSV, XLSX, ODS) ; deux fois, rien n’est doublé."""
    from kb.questions import Channel

    if email is None and not dry_run:
        raise click.UsageError("Dites avec --by l’adresse du compte au nom duquel importer, ou --dry-run.")
    with opened(ctx.obj) as parts:
        person = None if email is None else _account(parts, email)
        plan = _plan(parts, file, mapping, Channel(channel), identities=identities)
        _say(plan)
        if rejects is not None:
            _write_rejects(plan, rejects)
        if not dry_run and person is not None:
            _take(parts, plan, person)
    ctx.exit(1 if plan.rejected else 0)


def _account(parts: Parts, email: str) -> int:
    from kb.errors import NotFound

    person = parts.people.by_email(email)
    if person is None:
        raise NotFound("person", email)
    return person.id


def _plan(parts: Parts, file: Path, mapping: str | None, channel: Channel, *, identities: bool) -> Plan:
    from kb.errors import InvalidValue
    from kb.headings import Columns
    from kb.question_columns import QUESTIONS
    from web import former_logs
    from web.column_choices import check

    given = Columns(former_logs.mappings(parts).get(mapping).names) if mapping else None
    rows = former_logs.read(parts, file, given)
    try:
        check(rows.columns, QUESTIONS)
    except InvalidValue as error:
        headings = ", ".join(heading for heading in rows.columns.headings if heading)
        raise click.UsageError(
            f"{error.why.capitalize()} (parmi : {headings}). Réglez les colonnes sur la page "
            "Guichet > Importer, enregistrez-les sous un nom, puis donnez ce nom avec --mapping."
        ) from error
    return former_logs.planned(rows, former_logs.terms(parts, channel, identities=identities))


def _say(plan: Plan) -> None:
    """What is understood, and what is not, on stderr."""
    from kb.question_columns import NAMES
    from web.typography import counted

    for heading, name in zip(plan.columns.headings, plan.columns.names, strict=False):
        click.echo(
            f"{heading or '(sans en-tête)':32} -> {NAMES[name] if name else 'laissée de côté'}", err=True
        )
    for (name, said), count in plan.unknown.items():
        click.echo(f"inconnu : {NAMES[name]} « {said} », {counted(count, 'ligne')}", err=True)
    for line in plan.rejected:
        click.echo(f"laissée de côté : ligne {line.row.line} : {line.fault}", err=True)
    good, left = len(plan.entries), len(plan.rejected)
    click.echo(f"{counted(good, 'question à importer', 'questions à importer')}, "
               f"{counted(left, 'ligne laissée de côté', 'lignes laissées de côté')}.", err=True)  # fmt: skip


def _write_rejects(plan: Plan, path: Path) -> None:
    from web.former_logs import rejected_csv

    try:
        path.write_bytes(b"".join(rejected_csv(plan)))
    except OSError as error:
        raise click.UsageError(f"{path} ne peut pas être écrit ({error.strerror}).") from error


def _take(parts: Parts, plan: Plan, person: int) -> None:
    from web.progress import import_with_progress
    from web.typography import counted

    taken = import_with_progress(parts, plan.entries, person)
    known = len(plan.entries) - taken
    told = counted(taken, "question importée", "questions importées")
    click.echo(told + (f", {counted(known, 'déjà là', 'déjà là')}" if known else "") + ".")


# -- mail


@questions.command("mail")
@click.argument("file", metavar="FILE|-")
@click.pass_obj
def questions_mail(data: Path, file: str) -> None:
    """Recevoir un courriel, d’un fichier ou du serveur de courrier (-).

    Il rejoint sa question ou en ouvre une ; rien n’est écrit sur la sortie, et l’état est 0 dès que le
    message est gardé, pour que le serveur ne le renvoie pas.
    """
    from kb.errors import StorageError
    from web.mail_arriving import arrive

    content = sys.stdin.buffer.read() if file == "-" else _bytes_of(file)
    try:
        with opened(data) as parts:
            arrive(parts, io.BytesIO(content))
    except StorageError as error:
        click.echo("Le disque ne peut pas être écrit : le message sera à présenter de nouveau.", err=True)
        raise SystemExit(_LATER) from error


def _bytes_of(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file} ne peut pas être lu ({error.strerror}).") from error
