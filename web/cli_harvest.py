"""Commands on what comes from other centres: ``kb harvest``."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, TextIO

import click

from web.command import AS_JSON, Commands, opened, print_json

if TYPE_CHECKING:
    from kb.centres import Centre
    from kb.sources import Source
    from web.harvest_trial import Tried
    from web.parts import Parts

_PREFIXES = ("carbet", "marcxml", "oai_dc")
"""As in ``kb.sources.PREFIXES`` (tested); said again here so that ``kb --help`` loads nothing heavy."""

KEY = "CARBET_HARVEST_KEY"
"""The variable that may hold our key at a centre: what is on a command line, all on the machine see.
Its name does not begin as those of the settings do."""


@click.group(cls=Commands)
def harvest() -> None:
    """Moissonner les autres centres du réseau."""


@harvest.command("add")
@click.argument("url", metavar="ADRESSE")
@click.option("--code", help="Code du centre [défaut : celui qu’il annonce].")
@click.option("--name", help="Nom du centre [défaut : celui qu’il annonce].")
@click.option("--contact", help="Adresse électronique pour le joindre.")
@click.option("--key", "asks_key", is_flag=True, help=f"Demander ici la clé qu’il a donnée (ou {KEY}).")
@click.option(
    "--key-file", type=click.File(encoding="utf-8"), help="Fichier de cette clé, ou - pour l’entrée."
)
@click.option(
    "--fingerprint",
    "compared",
    help="Empreinte que le centre a lue : sa clé publique est gardée si c’est elle.",
)
@click.option("--set", "part", help="Partie à moissonner (ensemble OAI-PMH).")
@click.option("--prefix", type=click.Choice(_PREFIXES), help="Format [défaut : le plus complet].")
@click.option(
    "--hours", type=click.IntRange(1, 744), default=24, show_default=True, help="Toutes les N heures."
)
@click.option("--relays", is_flag=True, help="Il parle aussi pour d’autres centres.")
@click.pass_obj
def harvest_add(data: Path, /, url: str, asks_key: bool, key_file: TextIO | None, **asked: Any) -> None:
    """Essayer un centre, et l’ajouter s’il répond."""
    from web.harvest_adding import Wish, add_source
    from web.harvest_trial import try_out

    secret = _secret(asks_key, key_file)
    with opened(data) as parts:
        tried = try_out(parts.connector, url, secret)
        _print_trial(tried)
        wish = Wish(
            url=tried.url,
            prefix=asked["prefix"] or tried.prefix,
            set=asked["part"],
            secret=secret,
            hours=asked["hours"],
            relays=asked["relays"],
        )
        source = add_source(parts, _centre(parts, tried, asked), wish)
        click.echo(f"{source.id} {source.centre}")
        click.echo(f"Ajouté. Pour moissonner tout de suite : kb harvest run {source.id}", err=True)


def _secret(asks: bool, file: TextIO | None) -> str | None:
    """Our key there; never taken from the command line."""
    if asks:
        given = str(click.prompt("Clé", hide_input=True, err=True))
    else:
        given = file.read() if file is not None else os.environ.get(KEY, "")
    if not re.fullmatch(r"[\x21-\x7e]*", given.strip()):
        raise click.UsageError("Une clé n’a ni espace ni accent : copiez-la de nouveau.")
    return given.strip() or None


def _print_trial(tried: Tried) -> None:
    from kb.signing import fingerprint
    from web.typography import counted

    size = "" if tried.size is None else f", {counted(tried.size, 'notice')}"
    click.echo(
        f"{tried.centre.name} ({tried.centre.code}), {tried.url}, format {tried.prefix}{size}", err=True
    )
    for title in tried.titles:
        click.echo(f"   {title}", err=True)
    if tried.centre.public_key:
        click.echo(
            f"Empreinte de sa clé, à comparer avec lui : {fingerprint(tried.centre.public_key)}", err=True
        )
    for warning in tried.warnings:
        click.echo(f"attention : {warning}", err=True)


def _centre(parts: Parts, tried: Tried, asked: dict[str, Any]) -> Centre:
    """The centre as it is told; of one that is known already, what is not said stays."""
    import dataclasses

    from web.harvest_adding import known_centre

    said, code = tried.centre, asked["code"] or tried.centre.code
    held = known_centre(parts, code)
    if not held.name:
        held = dataclasses.replace(said, code=code, public_key=None)
    return dataclasses.replace(
        held,
        name=asked["name"] or held.name,
        contact=asked["contact"] or held.contact,
        public_key=_compared_key(said.public_key, asked["compared"]) or held.public_key,
    )


def _compared_key(key: str | None, compared: str | None) -> str | None:
    from kb.signing import fingerprint

    if compared is None:
        return None
    if key is None or fingerprint(key).replace(" ", "") != "".join(compared.split()):
        raise click.UsageError("Cette empreinte n’est pas celle que le centre annonce : rien n’est ajouté.")
    return key


# -- what there is


@harvest.command("list")
@AS_JSON
@click.pass_obj
def harvest_list(data: Path, as_json: bool) -> None:
    """Lister les sources, et où elles en sont."""
    from datetime import UTC, datetime

    from web.harvest_page import sources_page
    from web.typography import written_moment

    with opened(data) as parts:
        for one in sources_page(parts, datetime.now(UTC)).sources:
            last = one.last
            if as_json:
                print_json({"id": one.id, "centre": one.centre, "name": one.name, "url": one.url,
                            "state": one.standing.word, "records": one.held,
                            "last": last.began.isoformat() if last else None,
                            "next": one.next.isoformat() if one.next else None})  # fmt: skip
                continue
            since = one.standing.since
            stands = one.standing.word + (
                f" le {written_moment(since, parts.config.time_zone)}" if since else ""
            )
            click.echo(f"{one.id:4} {one.centre:24} {stands:24} {one.held:8} notices  {one.url}")


def _chosen(parts: Parts, names: tuple[str, ...]) -> list[Source]:
    """The sources that these codes and numbers name; all that are not suspended for none."""
    every = parts.sources.all()
    if not names:
        return [source for source in every if not source.paused]
    found = []
    for name in names:
        named = [source for source in every if name in (str(source.id), source.centre)]
        if not named:
            raise click.UsageError(
                f"{name} n’est ni le code ni le numéro d’une source : voyez « kb harvest list »."
            )
        found += named
    return list({source.id: source for source in found}.values())


_NAMES = click.argument("names", nargs=-1, metavar="[CODE|NUMÉRO]...")
_SOME = click.argument("names", nargs=-1, required=True, metavar="CODE|NUMÉRO...")


# -- what is done


@harvest.command("run")
@_NAMES
@click.option("--whole", is_flag=True, help="Tout relire, depuis le début.")
@click.pass_context
def harvest_run(ctx: click.Context, names: tuple[str, ...], whole: bool) -> None:
    """Moissonner maintenant. Ctrl+C arrête après la page en cours ; la suite reprendra là."""
    from web.harvest_progress import harvest_with_progress

    with opened(ctx.obj) as parts, _asked_to_stop() as stopped:
        failed = 0
        for source in _chosen(parts, names):
            if stopped.is_set():
                break
            failed += not harvest_with_progress(parts, source, stopped.is_set, whole=whole)
        parts.sync()
        if stopped.is_set():
            click.echo("Arrêté. Ce qui est arrivé est gardé ; relancez pour continuer.", err=True)
    ctx.exit(1 if failed or stopped.is_set() else 0)


@contextmanager
def _asked_to_stop() -> Iterator[Event]:
    """Set by the first Ctrl+C; a second one interrupts."""
    stopped = Event()

    def stop(*_: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()
        click.echo("\nArrêt demandé : la page en cours est d’abord gardée.", err=True)

    former = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, former)


@harvest.command("pause")
@_SOME
@click.pass_obj
def harvest_pause(data: Path, names: tuple[str, ...]) -> None:
    """Suspendre des sources ; une moisson en cours s’arrête après sa page."""
    _pause(data, names, True)


@harvest.command("resume")
@_SOME
@click.pass_obj
def harvest_resume(data: Path, names: tuple[str, ...]) -> None:
    """Reprendre des sources suspendues, là où elles en étaient."""
    _pause(data, names, False)


def _pause(data: Path, names: tuple[str, ...], paused: bool) -> None:
    with opened(data) as parts:
        for source in _chosen(parts, names):
            parts.sources.pause(source.id, paused)
            click.echo(f"{source.centre} : {'suspendu' if paused else 'repris'}", err=True)


@harvest.command("remove")
@_SOME
@click.option(
    "--records",
    type=click.Choice(["keep", "remove"]),
    required=True,
    help="Garder ses notices, ou les retirer d’ici.",
)
@click.pass_context
def harvest_remove(ctx: click.Context, names: tuple[str, ...], records: str) -> None:
    """Ne plus moissonner des sources."""
    from kb.errors import Conflict
    from web.harvest_removal import take_away

    with opened(ctx.obj) as parts:
        for source in _chosen(parts, names):
            if records == "keep":
                parts.sources.remove(source.id)
                click.echo(f"{source.centre} : supprimé ; ses notices restent.", err=True)
                continue
            try:
                gone, _ = take_away(parts, source, seconds=float("inf"))
            except Conflict:
                click.echo(f"{source.centre} : une moisson s’arrête ; recommencez dans un instant.", err=True)
                ctx.exit(1)
            click.echo(f"{source.centre} : supprimé, {gone} notice(s) retirée(s).", err=True)
        parts.sync()
