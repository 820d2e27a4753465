"""The command ``kb envelope``: what is shared goes out, or comes in, as one signed file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.command import AS_JSON, Commands, opened, print_json
from web.typography import counted

if TYPE_CHECKING:
    from kb.runs import Run
    from web.parts import Parts

_FILE = click.Path(path_type=Path, dir_okay=False)
_READ = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group(cls=Commands)
def envelope() -> None:
    """Échanger avec un autre centre par un fichier signé, par courriel ou clé USB."""


@envelope.command()
@click.argument("target", type=_FILE, metavar="FICHIER")
@click.option("--changes", is_flag=True, help="Seulement ce qui a changé depuis la dernière enveloppe.")
@click.option("--public", is_flag=True, help="Seulement ce que tout le monde peut voir.")
@click.option("--relays", is_flag=True, help="Aussi les notices que vous tenez d’autres centres.")
@AS_JSON
@click.pass_obj
def write(data: Path, target: Path, changes: bool, public: bool, relays: bool, as_json: bool) -> None:
    """Écrire dans FICHIER ce que le centre partage avec le réseau."""
    from ingest.envelope import last_written
    from kb.envelope import Position
    from kb.sharing import Audience

    audience = Audience.PUBLIC if public else Audience.NETWORK
    left_out: list[str] = []
    with opened(data) as parts, _bar("Notices") as progress:
        since = last_written(parts.store, audience, relays=relays) if changes else Position()
        head, counts = parts.envelope_writer().write(
            target,
            audience=audience,
            since=since,
            relays=relays,
            progress=progress,
            refused=lambda id, error: left_out.append(f"{id} : {error.field} {error.why}"),
        )
        told = {"records": counts.records, "deletions": counts.deletions, "until": head.until.seq}
        if as_json:
            print_json({"file": str(target), "kind": head.kind, "key": head.key, **told})
            return
    for said in left_out:
        click.echo(f"Notice laissée, qu’aucun centre ne prendrait : {said}", err=True)
    said = f"{counted(counts.records, 'notice')} et {counted(counts.deletions, 'suppression')}"
    click.echo(f"{said} dans {target}.", err=True)
    if changes and not since.seq:
        click.echo("C’est la première enveloppe : elle contient tout.", err=True)
    click.echo(
        f"Empreinte de votre clé, à lire au centre qui la reçoit : {head.sender.fingerprint}", err=True
    )


@envelope.command()
@click.argument("source", type=_READ, metavar="FICHIER")
@click.option("--relays", is_flag=True, help="Prendre aussi les notices de tiers qu’elle contient.")
@AS_JSON
@click.pass_context
def read(ctx: click.Context, source: Path, relays: bool, as_json: bool) -> None:
    """Prendre dans le fonds les notices d’une enveloppe."""
    with opened(ctx.obj) as parts:
        with _bar("Notices") as progress:
            run = parts.envelope_reader().read(source, relays=relays, progress=progress)
        parts.sync()
        name = parts.centres.get(run.centre).name
    if as_json:
        print_json({"centre": run.centre, "counts": dict(run.counts), "notes": list(run.notes)})
    else:
        _print(run, name)
    ctx.exit(1 if run.counts.get("refused") else 0)


_WORDS = {
    "new": "nouvelle",
    "changed": "changée",
    "deleted": "supprimée",
    "same": "inchangée",
    "refused": "refusée",
}


def _print(run: Run, name: str) -> None:
    counts = [counted(run.counts[code], word) for code, word in _WORDS.items() if run.counts.get(code)]
    click.echo(f"{name} : {', '.join(counts) or 'rien de nouveau'}.")
    for note in run.notes:
        click.echo(f"  {note}", err=True)


@envelope.command()
@AS_JSON
@click.pass_obj
def key(data: Path, as_json: bool) -> None:
    """Montrer la clé publique du centre, que les autres enregistrent avant de lire ses enveloppes."""
    with opened(data) as parts:
        held, code = parts.centre_key, parts.config.centre
    if as_json:
        print_json({"centre": code, "key": held.public, "fingerprint": held.fingerprint})
        return
    click.echo(f"centre    {code}\nclé       {held.public}\nempreinte {held.fingerprint}")


@envelope.command()
@click.argument("code")
@click.argument("public_key", metavar="CLÉ")
@click.option("--name", default=None, help="Nom du centre, s’il n’est pas encore connu.")
@click.option("--replace", is_flag=True, help="Remplacer la clé déjà enregistrée de ce centre.")
@click.pass_obj
def trust(data: Path, code: str, public_key: str, name: str | None, replace: bool) -> None:
    """Enregistrer la clé d’un centre, après avoir comparé son empreinte avec lui."""
    from kb.errors import NotFound
    from kb.signing import fingerprint, regular_key

    regular = regular_key(public_key)
    if regular is None:
        raise click.UsageError("Cette clé n’en est pas une : il faut 64 chiffres ou lettres de a à f.")
    with opened(data) as parts:
        try:
            held = parts.centres.get(code)
        except NotFound:
            held = _new_centre(code, name)
        if held.public_key not in (None, regular) and not replace:
            raise click.UsageError(
                f"{held.name} a déjà une autre clé. Appelez ce centre ; s’il l’a changée, ajoutez --replace."
            )
        _save(parts, held, regular, name)
    click.echo(f"Clé de {code} enregistrée. Empreinte : {fingerprint(regular)}", err=True)


def _new_centre(code: str, name: str | None) -> Any:
    from kb.centres import Centre

    if not name:
        raise click.UsageError(f"Le centre {code} n’est pas connu : ajoutez --name « son nom ».")
    return Centre(code=code, name=name)


def _save(parts: Parts, held: Any, key: str, name: str | None) -> None:
    parts.centres.save(dataclasses.replace(held, public_key=key, name=name or held.name))


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, gone when it is done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
