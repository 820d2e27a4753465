"""The persons who ask: the least that is kept of them, apart from what they ask.

Hides their table. A question holds the number of its asker and nothing else of them; what is forgotten, when
and with what proof, is ``kb.privacy``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from kb.accounts import regular_email, regular_name
from kb.connection import Database, next_value
from kb.desk_tables import askers
from kb.errors import InvalidValue, NotFound
from kb.french import fold

_LONGEST_PHONE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody who asked. Who came or telephoned may have given no address."""

    id: int
    email: str | None
    name: str | None
    phone: str | None
    created: datetime


class Askers:
    """The askers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, id: int) -> Asker:
        """The person. Raises NotFound."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(askers).where(askers.c.id == id)).first()
        if row is None:
            raise NotFound("asker", str(id))
        return _asker(row)

    def by_email(self, text: str) -> Asker | None:
        """The person with this address, however it is typed."""
        try:
            same = askers.c.email == regular_email(text)
        except InvalidValue:
            return None
        with self._database.reading() as connection:
            row = connection.execute(sa.select(askers).where(same).order_by(askers.c.id)).first()
        return None if row is None else _asker(row)

    def like(self, text: str, limit: int) -> tuple[Asker, ...]:
        """Persons whose address is ``text`` or whose name holds it, case and accents aside; the latest
        first."""
        words = fold(text).split()
        if not words:
            return ()
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(askers).order_by(askers.c.id.desc())).all()
        found = (
            row
            for row in rows
            if (row.email or "") == text.strip().lower() or all(w in fold(row.name or "") for w in words)
        )
        return tuple(map(_asker, islice(found, limit)))

    def known(
        self, email: str = "", name: str = "", phone: str = "", *, now: datetime | None = None
    ) -> int | None:
        """The number of this person, who is met again by their address; None when nothing is given of them.

        What is given now fills what was not known, and replaces nothing: an address proves nobody. Raises
        InvalidValue.
        """
        values: dict[str, Any] = {
            "email": regular_email(email) if email.strip() else None,
            "name": regular_name(name) if name.strip() else None,
            "phone": _regular_phone(phone) if phone.strip() else None,
        }
        given = {key: value for key, value in values.items() if value is not None}
        if not given:
            return None
        with self._database.writing() as connection:
            held = self.by_email(email) if values["email"] else None
            if held is not None:
                if new := {key: value for key, value in given.items() if getattr(held, key) is None}:
                    connection.execute(askers.update().where(askers.c.id == held.id).values(new))
                return held.id
            id = next_value(connection, "asker")
            created = (now or datetime.now(UTC)).isoformat()
            connection.execute(askers.insert().values(id=id, created=created, **values))
        return id


def _regular_phone(text: str) -> str:
    phone = " ".join(unicodedata.normalize("NFKC", text).split())
    if len(phone) > _LONGEST_PHONE or sum(map(str.isdigit, phone)) < 4 or not phone.isprintable():
        raise InvalidValue("phone", "ce numéro de téléphone est incomplet")
    return phone


def _asker(row: Any) -> Asker:
    return Asker(
        id=row.id,
        email=row.email,
        name=row.name,
        phone=row.phone,
        created=datetime.fromisoformat(row.created),
    )
