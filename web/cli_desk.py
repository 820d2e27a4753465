"""Commands of the desk: what the fund already says on a question."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from web.command import AS_JSON, Command, opened, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from search.answers import Proposal, Proposals
    from web.parts import Parts


@click.command(cls=Command)
@click.argument("text", nargs=-1, required=True, metavar="TEXT|-")
@AS_JSON
@click.pass_obj
def ask(data: Path, text: tuple[str, ...], as_json: bool) -> None:
    """Montrer ce que le fonds dit déjà d’une question : réponses passées, passages, notions."""
    question = sys.stdin.read() if text == ("-",) else " ".join(text)
    with opened(data) as parts:
        found = _proposed(parts, question)
    print_json(_as_json(found)) if as_json else _print(found)


def _proposed(parts: Parts, question: str) -> Proposals:
    from search.answers import propose
    from web.fund import Fund

    fund = Fund(parts)
    return propose(question, engine=fund.engine, texts=fund.store, thesaurus=fund.thesaurus)


def _as_json(found: Proposals) -> dict[str, Any]:
    return {
        "answers": [_told(one) for one in found.answers],
        "passages": [_told(one) for one in found.passages],
        "concepts": [
            {"uri": c.uri, "label": c.label, "scheme": c.scheme, "note": c.note} for c in found.concepts
        ],
    }


def _told(one: Proposal) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "page": one.page,
        "text": one.text,
        "score": round(one.score, 4),
    }


def _print(found: Proposals) -> None:
    """The proposals, for a person."""
    if not found.answers and not found.passages:
        click.echo("Rien dans le fonds ne répond à cette question.")
    for heading, some in (("Réponses déjà données", found.answers), ("Passages du fonds", found.passages)):
        if some:
            click.echo(f"{heading}\n")
        for one in some:
            click.echo(f"{click.style(one.title, bold=True)}  ({one.id}, p. {one.page}, {one.score:.2f})")
            click.echo(f"   {_marked(one)}\n")
    if found.concepts:
        click.echo("Notions : " + ", ".join(concept.label for concept in found.concepts))


def _marked(one: Proposal) -> str:
    return "".join(f"**{piece.text}**" if piece.marked else piece.text for piece in one.pieces)
