"""Commands on people, the audit trail and the secret: ``kb users``, ``kb audit``, ``kb secret``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.command import AS_JSON, Commands, opened, print_json

if TYPE_CHECKING:
    from kb.accounts import Person
    from web.parts import Parts

_ROLES = ("inscrit", "documentaliste", "repondant", "responsable", "administrateur", "auditeur")
"""As in ``kb.accounts.GIVEN_ROLES`` (tested); said again here so that ``kb --help`` loads nothing heavy."""


@click.group(cls=Commands)
def users() -> None:
    """Tenir les comptes : le premier administrateur se fait ici."""


@users.command("add")
@click.argument("email", metavar="ADRESSE")
@click.option("--name", required=True, help="Nom de la personne.")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(_ROLES), help="Plusieurs fois."
)
@click.option("--password", "asked", is_flag=True, help="Demander le mot de passe ici, au lieu d’un lien.")
@click.pass_obj
def users_add(data: Path, email: str, name: str, roles: tuple[str, ...], asked: bool) -> None:
    """Créer un compte ; écrit le lien par lequel choisir le mot de passe."""
    from kb.accounts import Role
    from kb.credentials import Ticket

    password = (
        click.prompt("Mot de passe", hide_input=True, confirmation_prompt=True, err=True) if asked else ""
    )
    with opened(data) as parts, parts.store.transaction():
        person = parts.people.add(email, name, map(Role, roles))
        if asked:
            known = (parts.config.centre_name, parts.config.centre)
            parts.credentials.set_password(person.id, password, known=known)
            click.echo(f"Compte prêt : {person.email}", err=True)
        else:
            click.echo(_link(parts, person, Ticket.INVITATION))


def _link(parts: Parts, person: Person, kind: str) -> str:
    from kb.credentials import LIFETIMES, Ticket

    config, ticket = parts.config, Ticket(kind)
    hours = int(LIFETIMES[ticket].total_seconds() // 3600)
    click.echo(f"À ouvrir une fois, dans les {hours} heures, quand les pages sont servies :", err=True)
    root = config.public_url.rstrip("/") or f"http://{config.host}:{config.port}"
    return f"{root}/mot-de-passe/{parts.credentials.link(person.id, ticket)}"


@users.command("list")
@AS_JSON
@click.pass_obj
def users_list(data: Path, as_json: bool) -> None:
    """Lister les comptes."""
    with opened(data) as parts:
        for person in parts.people.all():
            roles, standing = sorted(map(str, person.roles)), "ouvert" if person.active else "fermé"
            if as_json:
                print_json({"id": person.id, "email": person.email, "name": person.name, "roles": roles,
                            "active": person.active, "second_factor": person.second_factor})  # fmt: skip
            else:
                click.echo(f"{person.email:40} {person.name:30} {standing:8} {', '.join(roles)}")


def _found(parts: Parts, email: str) -> Person:
    from kb.errors import NotFound

    if (person := parts.people.by_email(email)) is None:
        raise NotFound("person", email)
    return person


@users.command("link")
@click.argument("email", metavar="ADRESSE")
@click.pass_obj
def users_link(data: Path, email: str) -> None:
    """Écrire un lien pour choisir un nouveau mot de passe."""
    with opened(data) as parts:
        person = _found(parts, email)
        click.echo(_link(parts, person, "reset" if person.has_password else "invitation"))


@users.command("close")
@click.argument("email", metavar="ADRESSE")
@click.pass_obj
def users_close(data: Path, email: str) -> None:
    """Fermer un compte et ses sessions."""
    with opened(data) as parts:
        parts.people.change(_found(parts, email).id, active=False)
        click.echo("Compte fermé.", err=True)


@users.command("remove-factor")
@click.argument("email", metavar="ADRESSE")
@click.pass_obj
def users_remove_factor(data: Path, email: str) -> None:
    """Enlever le second facteur d’un compte (téléphone et codes perdus)."""
    with opened(data) as parts:
        parts.credentials.remove_factor(_found(parts, email).id)
        click.echo("Second facteur enlevé.", err=True)


@click.group(cls=Commands)
def audit() -> None:
    """Vérifier le journal de ce qui a été fait."""


@audit.command("verify")
@click.option("--head", default=None, help="Empreinte notée auparavant, à retrouver dans la chaîne.")
@click.pass_context
def audit_verify(ctx: click.Context, head: str | None) -> None:
    """Relire la chaîne du journal ; écrit le nombre de lignes et la dernière empreinte."""
    with opened(ctx.obj) as parts:
        count, broken = parts.trail.verify(head)
        end, last = parts.trail.head()
    if broken and broken[-1] > end:
        click.echo("La fin du journal manque, ou l’empreinte donnée n’est plus dans la chaîne.")
    if broken:
        click.echo(f"Chaîne rompue à la ligne {', '.join(map(str, broken[:10]))}.")
    else:
        click.echo(f"{count} ligne(s), chaîne entière. Dernière empreinte, à noter ailleurs : {last}")
    ctx.exit(1 if broken else 0)


@click.group(cls=Commands)
def secret() -> None:
    """Tenir la clé secrète de cette installation."""


@secret.command("rotate")
@click.pass_obj
def secret_rotate(data: Path) -> None:
    """Changer la clé secrète ; les pages servies sont à relancer ensuite."""
    with opened(data) as parts:
        parts.credentials.recrypt(parts.keyring.rotated())
    click.echo("Clé changée. Relancez « kb serve » ; les formulaires ouverts seront à recharger.", err=True)
