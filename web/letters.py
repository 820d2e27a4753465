"""The messages that the application writes to people: what they say, and that they are queued, never sent
here."""

from __future__ import annotations

from kb.accounts import Person
from kb.credentials import Ticket
from web.parts import Parts
from web.typography import spaced

_INVITATION = """\
Bonjour {name},

Vous êtes invité à utiliser la base documentaire de {centre}.

Pour choisir votre mot de passe et vous connecter, ouvrez ce lien dans les sept jours :

{link}

Si vous n’attendiez pas cette invitation, ne faites rien : le lien cessera de fonctionner.

{centre}
"""
_RESET = """\
Bonjour {name},

Quelqu’un, sans doute vous, a demandé à choisir un nouveau mot de passe pour votre compte à {centre}.

Pour le choisir, ouvrez ce lien dans l’heure :

{link}

Si ce n’était pas vous, ne faites rien : votre mot de passe ne change pas.

{centre}
"""
_CHANGED = """\
Bonjour {name},

Le mot de passe de votre compte à {centre} vient d’être changé.

Si c’était vous, tout va bien. Sinon, demandez tout de suite un nouveau mot de passe par « Mot de passe
oublié ? » sur la page de connexion, et prévenez l’administrateur du centre.

{centre}
"""


def send_link(parts: Parts, person: Person, kind: Ticket, root: str) -> str:
    """Queue a link to choose a password; the link. Former ones end."""
    with parts.store.transaction():
        link = f"{root}/mot-de-passe/{parts.credentials.link(person.id, kind)}"
        invited = kind is Ticket.INVITATION
        subject = "Votre compte" if invited else "Choisir un nouveau mot de passe"
        text = (_INVITATION if invited else _RESET).format(
            name=person.name, centre=parts.config.centre_name, link=link
        )
        parts.outbox.put(person.email, f"{parts.config.centre_name} : {subject}", spaced(text))
    return link


def tell_changed(parts: Parts, person: Person) -> None:
    """Tell somebody that their password has changed, in case it was not they who did it."""
    text = _CHANGED.format(name=person.name, centre=parts.config.centre_name)
    parts.outbox.put(person.email, f"{parts.config.centre_name} : mot de passe changé", spaced(text))
