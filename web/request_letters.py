"""The letters of a request: to the centre that holds the document, and the receipt to who asked.

Hides what each of them says. What the asker typed stands in the first one only, each line marked as a
quotation, so that it cannot pass for words of ours; the receipt repeats nothing of it, since anybody could
have typed the address of somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from kb.centres import is_address
from kb.errors import InvalidValue, TooManyTries
from kb.french import single_spaced
from kb.mirrors import Origin
from kb.records import Record
from web import guard, notices
from web.desk_letters import RECEIPTS
from web.parts import Parts
from web.typography import NBSP, spaced

log = structlog.get_logger()

_LONGEST_TITLE = 90  # characters of a title in a subject: lists of mail show fewer
_MANY = 20  # authors told: a holder finds the work by the first

_ASKED = """\
Bonjour,

Une personne qui a trouvé un document de votre fonds sur le site de {ours} vous le demande.

{facts}

Ce qu’elle souhaite : {wanted}
{words}
Pour lui répondre, répondez à ce message : votre réponse ira à son adresse, {email}.
Elle a été prévenue que la réponse viendrait de vous.

{ours}
"""
_RECEIPT = """\
Bonjour,

Votre demande est transmise à {holder} :

{title}
{link}
La réponse viendra de ce centre, à cette adresse. {ours} ne la suit pas.

Si vous n’avez rien demandé, quelqu’un s’est trompé d’adresse : vous n’avez rien à faire.

{ours}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A request as it was typed: ``wanted`` in French words, ``name`` and ``message`` "" when not given."""

    wanted: str
    email: str
    name: str
    message: str


def write_to_holder(parts: Parts, contact: str, record: Record, origin: Origin, letter: Letter) -> None:
    """Queue the letter to the holder, in the transaction that is open; its answer goes to the asker. Raises
    InvalidValue when the asker's address cannot be written to."""
    words = "".join(filter(None, (_said("Son nom", letter.name), _said("Son message", letter.message))))
    text = spaced(_ASKED).format(
        ours=parts.config.centre_name,
        facts="\n".join(f"{name}{NBSP}: {value}" for name, value in _facts(record, origin) if value),
        wanted=letter.wanted,
        words=f"\n{words}" if words else "",
        email=letter.email,
    )
    try:
        parts.outbox.put(
            contact, _subject("Demande de document", record), text, reply_to=letter.email, auto=False
        )
    except InvalidValue as error:
        raise InvalidValue("email", "cette adresse électronique ne peut pas recevoir de réponse") from error


def write_receipt(parts: Parts, email: str, record: Record, holder: str) -> bool:
    """Tell the asker where their request went; whether it could be: one address gets ``RECEIPTS`` at most."""
    text = spaced(_RECEIPT).format(
        holder=holder,
        title=spaced(record.title),
        link=f"{guard.site()}{notices.record_url(record.id)}\n",
        ours=parts.config.centre_name,
    )
    try:
        parts.limits.take(RECEIPTS, email)
        parts.outbox.put(email, _subject("Votre demande", record), text)
    except TooManyTries:
        log.warning("request.receipt", record=record.id, why="too many receipts to one address")
        return False
    except InvalidValue as error:
        log.error("request.receipt", record=record.id, field=error.field)
        return False
    return True


def _facts(record: Record, origin: Origin) -> tuple[tuple[str, str], ...]:
    """What a holder finds the document again by, in the words of its own notice."""
    cotes = [copy.call_number for copy in record.copies] or [record.call_number]
    return (
        ("Titre", spaced(record.title)),
        ("Auteurs", notices.authors(record, _MANY)),
        ("Année", str(record.year or "")),
        ("Cote", ", ".join(dict.fromkeys(cote for cote in (*cotes, record.call_number) if cote))),
        ("Numéro chez vous", origin.identifier),
        ("Adresse chez vous", origin.url if is_address(origin.url) else ""),
        ("Notice vue ici", f"{guard.site()}{notices.record_url(record.id)}"),
    )


def _said(what: str, text: str) -> str:
    if not text:
        return ""
    return f"{what}{NBSP}:\n" + "".join(f"> {line}".rstrip() + "\n" for line in text.splitlines())


def _subject(what: str, record: Record) -> str:
    """A title is typed elsewhere: nothing of it may be taken for the code of a mail's head (RFC 2047)."""
    title = single_spaced("".join(c if c.isprintable() else " " for c in record.title)).replace("=?", "= ?")
    cut = title if len(title) <= _LONGEST_TITLE else title[:_LONGEST_TITLE].rsplit(" ", 1)[0] + "…"
    return f"{what}{NBSP}: {cut}"
