"""Keeping a source and its centre together, as the pages and the command line do.

Hides which of two kinds of numbers the records of a centre have: those of a Carbet come with their own, all
others get one here. Both under one code would sooner or later give one number to two records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ingest.mirroring import CARBET
from kb.centres import Centre
from kb.errors import InvalidValue, NotFound
from kb.sources import Source
from web.parts import Parts

_OTHER_NUMBERS: Mapping[bool, str] = MappingProxyType(
    {
        True: "les notices de ce centre ont déjà reçu des numéros ici : donnez un autre code à son Carbet",
        False: "les notices de ce centre viennent de son Carbet avec leurs numéros : donnez un autre code à "
        "ce dépôt",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be harvested, and how; ``secret`` is our key there."""

    url: str
    prefix: str
    set: str | None = None
    secret: str | None = None
    hours: int = 24
    relays: bool = False


def add_source(parts: Parts, centre: Centre, wish: Wish) -> Source:
    """Keep a centre and a source of it, both or none. Raises InvalidValue."""
    with parts.store.transaction():
        kept = parts.centres.save(centre)
        _check_numbers(parts, kept.code, wish.prefix)
        return parts.sources.add(
            centre=kept.code,
            url=wish.url,
            prefix=wish.prefix,
            set=wish.set,
            secret=wish.secret,
            hours=wish.hours,
            relays=wish.relays,
        )


def known_centre(parts: Parts, code: str) -> Centre:
    """What is known of a centre; one without a name if nothing is."""
    try:
        return parts.centres.get(code)
    except NotFound:
        return Centre(code=code, name="")


def formats_beside(prefix: str) -> tuple[str, ...]:
    """The formats to which a source may change: those that number its records the same way."""
    return (CARBET,) if prefix == CARBET else ("marcxml", "oai_dc")


def _check_numbers(parts: Parts, code: str, prefix: str) -> None:
    own = prefix == CARBET
    kinds = {source.prefix == CARBET for source in parts.sources.all() if source.centre == code}
    # Records that stayed when their source went, or came in an envelope.
    for id, origin in parts.mirrors.origins(parts.mirrors.of(code, limit=1)).items():
        kinds.add(origin.identifier.endswith(id))
    if kinds - {own}:
        raise InvalidValue("code", _OTHER_NUMBERS[own])
