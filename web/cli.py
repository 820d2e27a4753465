"""The command ``kb``. Results on stdout, progress and errors on stderr; status 0, 1 (some failed), 2 (usage).

Heavy parts are imported by the command that needs them: ``kb --help`` must answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb import config as settings
from kb.errors import InvalidRecord, Reason
from web.cli_desk import ask
from web.cli_envelope import envelope
from web.cli_export import export
from web.cli_files import doctor, report, watch, worker
from web.cli_harvest import harvest
from web.cli_people import audit, secret, users
from web.cli_questions import questions
from web.command import AS_JSON, DATA_HELP, FOLDER, Commands, initialised, opened, print_json

if TYPE_CHECKING:
    from ingest.outcomes import Outcome
    from kb.config import Config
    from web.parts import Parts


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data", envvar="KB_DATA", type=FOLDER, default=Path("data"), show_default=True, help=DATA_HELP
)
@click.version_option(package_name="carbet", prog_name="kb")
@click.pass_context
def main(ctx: click.Context, data: Path) -> None:
    """Carbet : la base documentaire d’un centre de ressources."""
    ctx.obj = data.absolute()


# -- the data folder


@main.command()
@click.pass_obj
def init(data: Path) -> None:
    """Créer le dossier de données : réglages, base, thésaurus du réseau."""
    _initialise(data)
    click.echo(f"Dossier de données prêt : {data}", err=True)


def _initialise(data: Path, then: Callable[[Path], None] = lambda file: None) -> None:
    """``then`` is told where the settings are, before they are read."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds accounts: nobody else reads it
        if not (data / settings.FILE).exists():
            (data / settings.FILE).write_text(settings.template(), encoding="utf-8")
        then(data / settings.FILE)
    except OSError as error:
        raise click.UsageError(f"{data} ne peut pas être créé ou écrit ({error.strerror}).") from error
    with opened(data) as parts:
        parts.keyring.signing()  # makes the secret key, once
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
    _serve(initialised(data), host, port)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Port [défaut : réglage port].")
@click.option("--no-serve", is_flag=True, help="Préparer le fonds sans servir les pages.")
@click.option(
    "--network", is_flag=True, help="Trois centres sur trois ports de suite, qui se moissonnent entre eux."
)
@click.pass_context
def demo(ctx: click.Context, port: int | None, no_serve: bool, network: bool) -> None:
    """Préparer le fonds de démonstration, puis le servir."""
    data: Path = ctx.obj
    if network:
        ctx.exit(_demo_network(data, port, no_serve))
    _initialise(data)
    if not no_serve:
        _check_port(initialised(data), port)
    _demo_fund(data, _demo_paths(), no_serve)
    if not no_serve:
        _serve(initialised(data), None, port)


def _demo_paths() -> tuple[Path, ...]:
    folder = _demonstration()
    return folder / "records", folder / "documents"


def _demo_fund(data: Path, paths: tuple[Path, ...], no_serve: bool) -> None:
    with opened(data) as parts:
        if no_serve:
            _ingest(parts, paths, _print_problem)
        else:
            _ingest_to_serve(parts, paths)
        _ask_questions(parts, _demonstration() / "questions.jsonl")


def _demo_network(data: Path, port: int | None, no_serve: bool) -> int:
    """Exit status."""
    from web import demo_network

    known = (data / settings.FILE).exists()
    port = port or (settings.load(data).port if known else settings.Config(data=data).port)
    some = demo_network.members(data, port, _demo_paths(), _demonstration() / "network")
    demo_network.check_ports(some)
    for one in some:
        _initialise(one.data, partial(demo_network.write_settings, given=one.settings))
    _demo_fund(data, some[0].paths, no_serve)
    for one in some[1:]:
        with opened(one.data) as parts:
            click.echo(f"{parts.config.centre_name} :", err=True)
            _ingest(parts, one.paths, _print_problem)
            demo_network.restrict(parts, one.access)
    demo_network.introduce(some)
    failed = demo_network.harvest(some)
    return 1 if failed else 0 if no_serve else demo_network.serve(some)


def _ask_questions(parts: Parts, path: Path) -> None:
    """The questions of the demonstration, once its documents are there to be cited."""
    from web import demonstration

    if count := demonstration.load(parts, path):
        parts.sync()
        click.echo(f"{count} questions, dont celles qui attendent au guichet.", err=True)


def _ingest_to_serve(parts: Parts, paths: tuple[Path, ...]) -> None:
    """Ingest what reads at once; scans are left to the worker, so that the pages need not wait for them."""
    from ingest import clerk, ocr

    later: list[Path] = []

    def tell(outcome: Outcome) -> None:
        if outcome.reason is Reason.NO_TEXT and ocr.available():
            later.append(outcome.path)
        else:
            _print_problem(outcome)

    _ingest(parts, paths, tell, recognises=False)
    if later:
        batch = parts.jobs.open_batch("Pages à reconnaître du fonds de démonstration", "deposit")
        for path in later:
            with path.open("rb") as stream:
                clerk.accept(parts.jobs, parts.reception, batch, stream, path.name)


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
@AS_JSON
@click.pass_context
def ingest(ctx: click.Context, paths: tuple[Path, ...], as_json: bool) -> None:
    """Faire entrer des fichiers ou des dossiers dans le fonds."""
    with opened(ctx.obj) as parts:
        problems = _ingest(parts, paths, _print_outcome_json if as_json else _print_problem)
    ctx.exit(1 if problems else 0)


def _ingest(
    parts: Parts, paths: tuple[Path, ...], tell: Callable[[Outcome], None], *, recognises: bool = True
) -> int:
    """Ingest with a progress bar on stderr; number of files that did not become records."""
    from web.progress import ingest_with_progress

    counts = ingest_with_progress(parts, paths, tell, recognises=recognises)
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
    print_json(told)


@main.command()
@click.argument("path", metavar="PATH|-")
@AS_JSON
@click.pass_obj
def tag(data: Path, path: str, as_json: bool) -> None:
    """Proposer des thèmes pour un fichier, ou pour le texte reçu (-)."""
    from web.terminal import print_tags, tags_of_file, tags_of_text

    with opened(data) as parts:
        found = tags_of_text(parts, sys.stdin.read()) if path == "-" else tags_of_file(parts, Path(path))
    print_json(found) if as_json else print_tags(found)


# -- what is found


@main.command()
@click.argument("text", nargs=-1)
@click.option("--filter", "filters", multiple=True, metavar="FACETTE=CODE", help="Par exemple theme=T03.")
@click.option("--sort", type=click.Choice(["relevance", "newest", "oldest", "title"]), default="relevance")
@click.option("--limit", type=click.IntRange(0, 1000), default=20, show_default=True)
@AS_JSON
@click.pass_obj
def search(
    data: Path, text: tuple[str, ...], filters: tuple[str, ...], sort: str, limit: int, as_json: bool
) -> None:
    """Chercher dans le fonds."""
    from web.terminal import print_results, search_results

    with opened(data) as parts:
        found = search_results(parts, " ".join(text), _filters(filters), sort, limit)
    print_json(found) if as_json else print_results(found)


def _filters(given: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    from search.engine import SHOWN
    from web.state import PARAMETERS

    names = {french: name for name, french in PARAMETERS.items()} | {name: name for name in SHOWN}
    filters: dict[str, tuple[str, ...]] = {}
    for one in given:
        name, equals, code = one.partition("=")
        if not equals or name not in names:
            raise click.UsageError(f"--filter {one} : attendu FACETTE=CODE, avec {', '.join(SHOWN)}.")
        filters[names[name]] = (*filters.get(names[name], ()), code)
    return filters


@main.command()
@click.argument("id")
@AS_JSON
@click.pass_obj
def show(data: Path, id: str, as_json: bool) -> None:
    """Montrer une notice."""
    from web.terminal import print_record, record_in_full

    with opened(data) as parts:
        found = record_in_full(parts, id)
        print_json(found) if as_json else print_record(parts, found)


# -- the index


@main.group()
def index() -> None:
    """Tenir l’index de recherche : une cache, refaite à volonté depuis la base."""


@index.command("sync")
@click.pass_obj
def index_sync(data: Path) -> None:
    """Mettre l’index à jour."""
    with opened(data) as parts:
        click.echo(f"{parts.sync()} changement(s) pris en compte.")


@index.command("rebuild")
@click.pass_obj
def index_rebuild(data: Path) -> None:
    """Refaire l’index depuis la base, sans lire l’ancien."""
    from web.progress import rebuild_with_progress

    with opened(data) as parts:
        click.echo(f"{rebuild_with_progress(parts)} notice(s) dans l’index.")


@index.command("check")
@click.pass_context
def index_check(ctx: click.Context) -> None:
    """Comparer l’index à la base et vérifier ses fichiers."""
    from search import indexing

    with opened(ctx.obj) as parts:
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
    with opened(data) as parts:
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
        with opened(ctx.obj) as parts:
            checked = parts.thesaurus
    faults = checked.check()
    click.echo("\n".join(faults) if faults else f"{len(checked)} concepts, aucune faute.")
    ctx.exit(1 if faults else 0)


@thesaurus.command("export")
@click.pass_obj
def thesaurus_export(data: Path) -> None:
    """Écrire le thésaurus en vigueur, en Turtle, sur la sortie."""
    with opened(data) as parts:
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
@click.option(
    "--as",
    "kind",
    type=click.Choice(["records", "questions"]),
    default="records",
    show_default=True,
    help="questions : les documents sont des réponses passées, proposées pendant qu’on pose une question.",
)
@click.option("--answers", type=_FILE, help="Avec --as questions : id TAB mots de la réponse attendue.")
@AS_JSON
def evaluate_retrieval(
    docs: Path, queries: Path, qrels: Path, kind: str, answers: Path | None, as_json: bool
) -> None:
    """Mesurer la recherche, telle que les pages l’utilisent."""
    from web.measuring import past_questions, retrieval

    if answers and kind != "questions":
        raise click.UsageError("--answers demande --as questions.")
    with _judged_set():
        if kind == "questions":
            figures = past_questions(docs, queries, qrels, answers)
        else:
            figures = retrieval(docs, queries, qrels)
        _print_figures(figures, as_json)


@evaluate.command("tagging")
@click.option("--docs", type=_FILE, required=True, help="JSON Lines : id, title, text, subjects.")
@click.option("--vocab", type=_FILE, required=True, help="Un terme par ligne, ou SKOS en Turtle.")
@AS_JSON
def evaluate_tagging(docs: Path, vocab: Path, as_json: bool) -> None:
    """Mesurer les thèmes proposés contre ceux que des personnes ont choisis."""
    from web.measuring import tagging

    with _judged_set():
        _print_figures(tagging(docs, vocab), as_json)


@evaluate.command("anonymiser")
@click.argument("gold", type=_FILE)
@AS_JSON
def evaluate_anonymiser(gold: Path, as_json: bool) -> None:
    """Mesurer ce que l’anonymisation trouve, contre des textes annotés (JSON Lines : text, entities)."""
    from kb.anonymiser import evaluate, read_gold

    with _judged_set(), gold.open(encoding="utf-8") as lines:
        figures = evaluate(read_gold(lines))
    if as_json:
        print_json(figures)
        return
    for kind, found in figures.items():
        shares = f"rappel {found['recall']:.4f}  précision {found['precision']:.4f}"
        click.echo(f"{kind:12} {shares}  ({found['expected']:.0f} attendus, {found['found']:.0f} trouvés)")


@contextmanager
def _judged_set() -> Iterator[None]:
    """Says what is wrong with a judged set instead of failing on it."""
    try:
        yield
    except (ValueError, KeyError, InvalidRecord) as error:
        raise click.UsageError(f"Ce jeu jugé n’a pas la forme attendue : {error}") from error


def _print_figures(figures: dict[str, float], as_json: bool) -> None:
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        click.echo(f"{name:22} {value:.4f}" if isinstance(value, float) else f"{name:22} {value}")


for command in (export, worker, watch, doctor, report, users, audit, secret, ask, questions):
    main.add_command(command)
for command in (harvest, envelope):
    main.add_command(command)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
