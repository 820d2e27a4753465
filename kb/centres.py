"""The other centres of the network: one line each.

Hides the table. A centre may have several sources (``kb.sources``: its PMB and its web site), or none when it
only sends envelopes.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from kb.audit import Action, Trail, difference
from kb.connection import Database
from kb.errors import InvalidValue, NotFound
from kb.network_tables import centres

CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """Another centre. ``url`` is its public site, ``contact`` an address of mail; ``public_key``
    (hexadecimal) is what its envelopes are signed with, once somebody trusted it."""

    code: str
    name: str
    about: str = ""
    url: str = ""
    contact: str = ""
    public_key: str | None = None


class Centres:
    """The directory of the other centres. ``ours`` is our own code, which no other may have."""

    def __init__(self, database: Database, trail: Trail, ours: str) -> None:
        self._database = database
        self._trail = trail
        self._ours = ours

    def get(self, code: str) -> Centre:
        """One centre. Raises NotFound."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(centres).where(centres.c.code == code)).first()
        if row is None:
            raise NotFound("centre", code)
        return _centre(row)

    def all(self) -> tuple[Centre, ...]:
        """Every other centre, by name."""
        with self._database.reading() as connection:
            return tuple(
                _centre(row) for row in connection.execute(sa.select(centres).order_by(centres.c.name))
            )

    def names(self) -> dict[str, str]:
        """Names by code."""
        return {centre.code: centre.name for centre in self.all()}

    def keys(self) -> dict[str, str]:
        """Public keys of the centres whose envelopes are trusted, by code."""
        return {centre.code: centre.public_key for centre in self.all() if centre.public_key}

    def save(self, centre: Centre) -> Centre:
        """Keep what is known of a centre, a new one or one that changed; as it is kept. Raises
        InvalidValue."""
        kept = self._checked(centre)
        values = dataclasses.asdict(kept)
        with self._database.writing() as connection:
            query = sa.select(centres).where(centres.c.code == kept.code)
            held = connection.execute(query).first()
            if held is None:
                connection.execute(centres.insert().values(**values, created=datetime.now(UTC).isoformat()))
                self._trail.note(Action.CENTRE_ADDED, f"centre:{kept.code}", None, values)
            elif _centre(held) != kept:
                connection.execute(centres.update().where(centres.c.code == kept.code).values(values))
                before = dataclasses.asdict(_centre(held))
                self._trail.note(Action.CENTRE_CHANGED, f"centre:{kept.code}", *difference(before, values))
        return kept

    def _checked(self, centre: Centre) -> Centre:
        code = centre.code.strip()
        if not CODE.fullmatch(code) or len(code) > 60:
            raise InvalidValue("code", "minuscules, chiffres et tirets seulement, comme « labo-cites »")
        if code == self._ours:
            raise InvalidValue("code", "c’est le code de votre propre centre")
        name = " ".join(centre.name.split())[:200]
        if not name:
            raise InvalidValue("name", "donnez le nom du centre")
        contact = centre.contact.strip()
        if contact and not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", contact):
            raise InvalidValue("contact", "donnez une adresse électronique, ou laissez vide")
        url = centre.url.strip()
        if url and not is_address(url):
            raise InvalidValue("url", "donnez une adresse qui commence par https:// ou http://")
        about = " ".join(centre.about.split())[:500]
        return dataclasses.replace(centre, code=code, name=name, contact=contact, url=url, about=about)


def is_address(url: str) -> bool:
    """Whether a text has the form of a web address."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", url)
    except ValueError:
        return False


def _centre(row: Any) -> Centre:
    return Centre(
        code=row.code,
        name=row.name,
        about=row.about,
        url=row.url,
        contact=row.contact,
        public_key=row.public_key,
    )
