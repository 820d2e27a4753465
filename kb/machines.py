"""Keys of machines: other centres that read what the network shares.

Hides how a key is known: ``kbc_`` and 256 random bits, of which only a digest is kept; the prefix lets people
and scanners see that a text that leaked is a key of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kb.accounts import POLICY, SCOPES, Identity, Right, Role, regular_name
from kb.audit import Action, Trail
from kb.connection import Database, next_value
from kb.credentials import digest, token
from kb.errors import InvalidValue, NotFound
from kb.tables import machine_keys

PREFIX = "kbc_"
_NOTED = timedelta(minutes=10)  # the last use is written at most so often


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineKey:
    """A key, without its secret. ``scopes`` are the rights that it has beyond a visitor's."""

    id: int
    name: str
    scopes: frozenset[Right]
    created: datetime
    used: datetime | None
    revoked: datetime | None


class Machines:
    """The keys of one database."""

    def __init__(self, database: Database, trail: Trail) -> None:
        self._database = database
        self._trail = trail

    def add(self, name: str, scopes: Iterable[Right]) -> str:
        """A new key, told this once. Raises InvalidValue."""
        wanted = sorted(set(scopes))
        if not set(wanted) <= set(SCOPES):
            raise InvalidValue("scopes", "une clé ne peut pas recevoir ce droit")
        secret = PREFIX + token()
        with self._database.writing() as connection:
            values: dict[str, Any] = {
                "id": next_value(connection, "machine"),
                "name": regular_name(name),
                "token": digest(secret),
                "scopes": " ".join(wanted),
                "created": datetime.now(UTC).isoformat(),
            }
            connection.execute(machine_keys.insert().values(values))
            self._trail.note(Action.KEY_MADE, f"cle:{values['id']}", None, {"scopes": wanted})
        return secret

    def all(self) -> tuple[MachineKey, ...]:
        """Every key, the newest first, revoked ones last."""
        with self._database.reading() as connection:
            keys = [_key(row) for row in connection.execute(sa.select(machine_keys))]
        return tuple(sorted(keys, key=lambda key: (key.revoked is not None, -key.id)))

    def revoke(self, id: int) -> None:
        """End a key for ever. Raises NotFound when there is none to end."""
        living = sa.and_(machine_keys.c.id == id, machine_keys.c.revoked.is_(None))
        with self._database.writing() as connection:
            values = {"revoked": datetime.now(UTC).isoformat()}
            if not connection.execute(machine_keys.update().where(living).values(values)).rowcount:
                raise NotFound("key", str(id))
            self._trail.note(Action.KEY_REVOKED, f"cle:{id}")

    def identify(self, secret: str) -> Identity | None:
        """The centre that has this key; None when it was revoked or never given."""
        query = sa.select(machine_keys).where(
            machine_keys.c.token == digest(secret), machine_keys.c.revoked.is_(None)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        key = _key(row)
        self._note_use(key)
        rights = POLICY[Role.VISITOR] | (POLICY[Role.CENTRE] & key.scopes)
        return Identity(actor=f"cle:{key.id}", name=key.name, rights=rights)

    def _note_use(self, key: MachineKey) -> None:
        now = datetime.now(UTC)
        if key.used is None or now - key.used > _NOTED:
            used = machine_keys.update().where(machine_keys.c.id == key.id).values(used=now.isoformat())
            self._database.best_effort(used)


def _key(row: Any) -> MachineKey:
    return MachineKey(
        id=row.id,
        name=row.name,
        scopes=frozenset(Right(scope) for scope in row.scopes.split()),
        created=datetime.fromisoformat(row.created),
        used=datetime.fromisoformat(row.used) if row.used else None,
        revoked=datetime.fromisoformat(row.revoked) if row.revoked else None,
    )
