"""The command ``kb``. Results on stdout, progress and errors on stderr; status 0, 1 (some failed), 2 (usage).

Heavy parts are imported by the command that needs them: ``kb --help`` must answer at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kb import config as settings
from kb.errors import ConfigError, InvalidRecord, KBError

if TYPE_CHECKING:
    from ingest.pipeline import Outcome
    from kb.config import Config
    from web.parts import Parts

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Réponse en JSON, pour un programme.")


def _choose_data(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.obj = value.absolute()


_DATA_HELP = "Dossier de données (ou variable KB_DATA)."
_FOLDER = click.Path(path_type=Path, file_okay=False)


class _Command(click.Command):
    """A command that takes ``--data`` after its name too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(["--data"], type=_FOLDER, expose_value=False, callback=_choose_data, help=_DATA_HELP)
        )


class _Commands(click.Group):
    """Commands whose expected errors end in one French sentence, never in a traceback."""

    command_class = _Command
    group_class = type

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KBError as error:
            from web.messages import explain

            click.echo(explain(error), err=True)
            ctx.exit(2 if isinstance(error, ConfigError) else 1)
        except KeyboardInterrupt:
            click.echo(
                "\nInterrompu. Ce qui est fait est gardé ; relancez la commande pour continuer.", err=True
            )
            ctx.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data", envvar="KB_DATA", type=_FOLDER, default=Path("data"), show_default=True, help=_DATA_HELP
)
@click.version_option(package_name="carbet", prog_name="kb")
@click.pass_context
def main(ctx: click.Context, data: Path) -> None:
    """Carbet : la base documentaire d’un centre de ressources."""
    ctx.obj = data.absolute()


@contextmanager
def _opened(data: Path) -> Iterator[Parts]:
    from web import logs
    from web.parts import Parts

    logs.configure()
    parts = Parts(_initialised(data))
    try:
        yield parts
    finally:
        parts.close()


def _initialised(data: Path) -> Config:
    if not (data / settings.FILE).exists():
        raise click.UsageError(f"{data} n’est pas un dossier de données : créez-le avec « kb init ».")
    return settings.load(data)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


# -- the data folder


@main.command()
@click.pass_obj
def init(data: Path) -> None:
    """Créer le dossier de données : réglages, base, thésaurus du réseau."""
    _initialise(data)
    click.echo(f"Dossier de données prêt : {data}", err=True)


def _initialise(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not (data / settings.FILE).exists():
            (data / settings.FILE).write_text(settings.template(), encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{data} ne peut pas être créé ou écrit ({error.strerror}).") from error
    with _opened(data) as parts:
        if not len(parts.thesaurus):
            _import_thesaurus(parts, _demonstration() / "thesaurus.ttl")


def _import_thesaurus(parts: Parts, path: Path) -> int:
    from kb.errors import ThesaurusError
    from kb.thesaurus import Thesaurus

    thesaurus = Thesaurus.from_file(path)
    if faults := thesaurus.check():
        raise ThesaurusError(faults)
    parts.store.save_thesaurus(thesaurus)
    return len(thesaurus)


def _demonstration() -> Path:
    import corpus

    return corpus.FOLDER


@main.command()
@click.option("--host", default=None, help="Adresse d’écoute [défaut : réglage host].")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Port [défaut : réglage port].")
@click.pass_obj
def serve(data: Path, host: str | None, port: int | None) -> None:
    """Servir les pages."""
    _serve(_initialised(data), host, port)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Port [défaut : réglage port].")
@click.option("--no-serve", is_flag=True, help="Préparer le fonds sans servir les pages.")
@click.pass_obj
def demo(data: Path, port: int | None, no_serve: bool) -> None:
    """Préparer le fonds de démonstration, puis le servir."""
    _initialise(data)
    if not no_serve:
        _check_port(_initialised(data), port)
    folder = _demonstration()
    with _opened(data) as parts:
        _ingest(parts, (folder / "records", folder / "documents"), _print_problem)
    if not no_serve:
        _serve(_initialised(data), None, port)


def _check_port(config: Config, port: int | None) -> None:
    """Before long work, not after it."""
    from web.server import check_free

    check_free(config.host, config.port if port is None else port)


def _serve(config: Config, host: str | None, port: int | None) -> None:
    from web.server import serve

    serve(config, host or config.host, config.port if port is None else port)


# -- what comes in


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@_AS_JSON
@click.pass_context
def ingest(ctx: click.Context, paths: tuple[Path, ...], as_json: bool) -> None:
    """Faire entrer des fichiers ou des dossiers dans le fonds."""
    with _opened(ctx.obj) as parts:
        problems = _ingest(parts, paths, _print_outcome_json if as_json else _print_problem)
    ctx.exit(1 if problems else 0)


def _ingest(parts: Parts, paths: tuple[Path, ...], tell: Callable[[Outcome], None]) -> int:
    """Ingest with a progress bar on stderr; number of files that did not become records."""
    from web.progress import ingest_with_progress

    counts = ingest_with_progress(parts, paths, tell)
    parts.sync()
    return counts["waiting"] + counts["refused"]


def _print_problem(outcome: Outcome) -> None:
    from web.messages import STATUSES, reason

    if outcome.reason is not None:
        click.echo(f"{STATUSES[outcome.status]} : {outcome.path}\n   {reason(outcome.reason)}", err=True)
    for warning in outcome.warnings:
        click.echo(f"attention : {outcome.path} : {warning}", err=True)


def _print_outcome_json(outcome: Outcome) -> None:
    from web.messages import reason

    told: dict[str, object] = {
        "path": str(outcome.path),
        "status": str(outcome.status),
        "ids": list(outcome.ids),
        "warnings": list(outcome.warnings),
    }
    if outcome.reason is not None:
        told |= {"reason": reason(outcome.reason), "reason_code": str(outcome.reason)}
    _print_json(told)


@main.command()
@click.argument("path", metavar="PATH|-")
@_AS_JSON
@click.pass_obj
def tag(data: Path, path: str, as_json: bool) -> None:
    """Proposer des thèmes pour un fichier, ou pour le texte reçu (-)."""
    from web.terminal import print_tags, tags_of_file, tags_of_text

    with _opened(data) as parts:
        found = tags_of_text(parts, sys.stdin.read()) if path == "-" else tags_of_file(parts, Path(path))
    _print_json(found) if as_json else print_tags(found)


# -- what is found


@main.command()
@click.argument("text", nargs=-1)
@click.option("--filter", "filters", multiple=True, metavar="FACETTE=CODE", help="Par exemple theme=T03.")
@click.option("--sort", type=click.Choice(["relevance", "newest", "oldest", "title"]), default="relevance")
@click.option("--limit", type=click.IntRange(0, 1000), default=20, show_default=True)
@_AS_JSON
@click.pass_obj
def search(
    data: Path, text: tuple[str, ...], filters: tuple[str, ...], sort: str, limit: int, as_json: bool
) -> None:
    """Chercher dans le fonds."""
    from web.terminal import print_results, search_results

    with _opened(data) as parts:
        found = search_results(parts, " ".join(text), _filters(filters), sort, limit)
    _print_json(found) if as_json else print_results(found)


def _filters(given: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    from search.engine import FACETS
    from web.state import PARAMETERS

    names = {french: name for name, french in PARAMETERS.items()} | {name: name for name in FACETS}
    filters: dict[str, tuple[str, ...]] = {}
    for one in given:
        name, equals, code = one.partition("=")
        if not equals or name not in names:
            raise click.UsageError(f"--filter {one} : attendu FACETTE=CODE, avec {', '.join(FACETS)}.")
        filters[names[name]] = (*filters.get(names[name], ()), code)
    return filters


@main.command()
@click.argument("id")
@_AS_JSON
@click.pass_obj
def show(data: Path, id: str, as_json: bool) -> None:
    """Montrer une notice."""
    from web.terminal import print_record, record_in_full

    with _opened(data) as parts:
        found = record_in_full(parts, id)
        _print_json(found) if as_json else print_record(parts, found)


# -- the index


@main.group()
def index() -> None:
    """Tenir l’index de recherche : une cache, refaite à volonté depuis la base."""


@index.command("sync")
@click.pass_obj
def index_sync(data: Path) -> None:
    """Mettre l’index à jour."""
    with _opened(data) as parts:
        click.echo(f"{parts.sync()} changement(s) pris en compte.")


@index.command("rebuild")
@click.pass_obj
def index_rebuild(data: Path) -> None:
    """Refaire l’index depuis la base, sans lire l’ancien."""
    from web.progress import rebuild_with_progress

    with _opened(data) as parts:
        click.echo(f"{rebuild_with_progress(parts)} notice(s) dans l’index.")


@index.command("check")
@click.pass_context
def index_check(ctx: click.Context) -> None:
    """Comparer l’index à la base et vérifier ses fichiers."""
    from search import indexing

    with _opened(ctx.obj) as parts:
        faults = indexing.check(parts.store, parts.engine)
    click.echo("\n".join(faults) if faults else "L’index est complet et sain.")
    ctx.exit(1 if faults else 0)


# -- the vocabulary


@main.group()
def thesaurus() -> None:
    """Importer, vérifier, exporter le thésaurus (SKOS, Turtle)."""


@thesaurus.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def thesaurus_import(data: Path, path: Path) -> None:
    """Mettre un thésaurus en vigueur."""
    with _opened(data) as parts:
        click.echo(f"{_import_thesaurus(parts, path)} concepts en vigueur.")
        parts.sync()


@thesaurus.command("check")
@click.argument("path", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_context
def thesaurus_check(ctx: click.Context, path: Path | None) -> None:
    """Vérifier un fichier, ou le thésaurus en vigueur."""
    from kb.thesaurus import Thesaurus

    if path is not None:
        checked = Thesaurus.from_file(path)
    else:
        with _opened(ctx.obj) as parts:
            checked = parts.thesaurus
    faults = checked.check()
    click.echo("\n".join(faults) if faults else f"{len(checked)} concepts, aucune faute.")
    ctx.exit(1 if faults else 0)


@thesaurus.command("export")
@click.pass_obj
def thesaurus_export(data: Path) -> None:
    """Écrire le thésaurus en vigueur, en Turtle, sur la sortie."""
    with _opened(data) as parts:
        click.echo(parts.thesaurus.to_turtle())


# -- how good it is


@main.group()
def evaluate() -> None:
    """Mesurer la recherche et l’indexation sur des jeux jugés."""


_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@evaluate.command("retrieval")
@click.option("--docs", type=_FILE, required=True, help="JSON Lines : id, title, text (gzip accepté).")
@click.option("--queries", type=_FILE, required=True, help="id TAB question.")
@click.option("--qrels", type=_FILE, required=True, help="Jugements, format TREC.")
@_AS_JSON
def evaluate_retrieval(docs: Path, queries: Path, qrels: Path, as_json: bool) -> None:
    """Mesurer la recherche, telle que les pages l’utilisent."""
    from web.measuring import retrieval

    with _judged_set():
        _print_figures(retrieval(docs, queries, qrels), as_json)


@evaluate.command("tagging")
@click.option("--docs", type=_FILE, required=True, help="JSON Lines : id, title, text, subjects.")
@click.option("--vocab", type=_FILE, required=True, help="Un terme par ligne, ou SKOS en Turtle.")
@_AS_JSON
def evaluate_tagging(docs: Path, vocab: Path, as_json: bool) -> None:
    """Mesurer les thèmes proposés contre ceux que des personnes ont choisis."""
    from web.measuring import tagging

    with _judged_set():
        _print_figures(tagging(docs, vocab), as_json)


@contextmanager
def _judged_set() -> Iterator[None]:
    """Says what is wrong with a judged set instead of failing on it."""
    try:
        yield
    except (ValueError, KeyError, InvalidRecord) as error:
        raise click.UsageError(f"Ce jeu jugé n’a pas la forme attendue : {error}") from error


def _print_figures(figures: dict[str, float], as_json: bool) -> None:
    if as_json:
        _print_json(figures)
        return
    for name, value in figures.items():
        click.echo(f"{name:22} {value:.4f}" if isinstance(value, float) else f"{name:22} {value}")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
