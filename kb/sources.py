"""What is harvested from the other centres, and when.

Hides the table, the lease by which one process at a time harvests a source, and where a harvest that was cut
short goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kb.audit import Action, Trail, difference
from kb.centres import is_address
from kb.connection import Database, next_value
from kb.errors import InvalidValue, NotFound
from kb.network_tables import sources
from kb.secret import Keyring

LEASE = timedelta(minutes=10)
"""How long a harvest that says nothing is thought to go on; each page that comes renews it."""

HOURS = (1, 6, 24, 168)
"""How often a source may be asked, in hours: people choose among these."""

DELAYS = tuple(timedelta(minutes=m) for m in (10, 60, 240, 720))
"""Before a harvest that failed is tried again; then at its usual time."""

PREFIXES = ("carbet", "marcxml", "oai_dc")
"""Formats that can be taken in, the one that says most first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is harvested. ``since`` is where the next harvest starts, as that server writes times; ``token``
    where one that was cut short goes on, and ``asked`` where the one after it will start. ``relays``: it may
    speak for other centres too. ``running``: somebody harvests it now."""

    id: int
    centre: str
    url: str
    prefix: str
    set: str | None
    has_secret: bool
    hours: int
    relays: bool
    paused: bool
    since: str | None
    token: str | None
    asked: str | None
    due: datetime
    failures: int
    running: bool


class Sources:
    """The sources of one database."""

    def __init__(self, database: Database, trail: Trail, keyring: Keyring) -> None:
        self._database = database
        self._trail = trail
        self._keyring = keyring

    def get(self, id: int) -> Source:
        """One source. Raises NotFound."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(sources).where(sources.c.id == id)).first()
        if row is None:
            raise NotFound("source", str(id))
        return _source(row)

    def all(self) -> tuple[Source, ...]:
        """Every source, the oldest first."""
        with self._database.reading() as connection:
            return tuple(
                _source(row) for row in connection.execute(sa.select(sources).order_by(sources.c.id))
            )

    def add(
        self,
        *,
        centre: str,
        url: str,
        prefix: str,
        set: str | None = None,
        secret: str | None = None,
        hours: int = 24,
        relays: bool = False,
    ) -> Source:
        """A new source, due at once. Raises InvalidValue."""
        now = datetime.now(UTC).isoformat()
        values = self._values(url=url, prefix=prefix, set=set, hours=hours, relays=relays)
        values |= {"centre": centre, "paused": False, "due": now, "failures": 0, "created": now}
        values["secret"] = self._keyring.encrypt(secret) if secret else None
        with self._database.writing() as connection:
            same = sa.and_(sources.c.url == values["url"], sources.c.set == values["set"])
            if connection.scalar(sa.select(sources.c.id).where(same)) is not None:
                raise InvalidValue("url", "cette adresse est déjà moissonnée")
            values["id"] = next_value(connection, "source")
            connection.execute(sources.insert().values(values))
            told = {"centre": centre, "url": values["url"], "prefix": prefix, "set": set, "hours": hours}
            self._trail.note(Action.SOURCE_ADDED, f"source:{values['id']}", None, told)
        return self.get(values["id"])

    def change(self, id: int, *, secret: str | None = None, **fields: Any) -> Source:
        """Change ``url``, ``prefix``, ``set``, ``hours``, ``relays`` or the secret ("" takes it away). What
        is asked otherwise is asked from the beginning, and with a new key too: what it opens need not have
        changed since. Raises InvalidValue, NotFound."""
        held = self.get(id)
        before = {name: getattr(held, name) for name in ("url", "prefix", "set", "hours", "relays")}
        values = self._values(**(before | fields))
        if secret or any(values[name] != before[name] for name in ("url", "prefix", "set", "relays")):
            values |= {"since": None, "token": None, "asked": None}
        if secret is not None:
            values["secret"] = self._keyring.encrypt(secret) if secret else None
        with self._database.writing() as connection:
            connection.execute(sources.update().where(sources.c.id == id).values(values))
            told = {name: values[name] for name in before}
            self._trail.note(Action.SOURCE_CHANGED, f"source:{id}", *difference(before, told))
        return self.get(id)

    def pause(self, id: int, paused: bool) -> None:
        """Ask it no more, or again. Raises NotFound."""
        self.get(id)
        with self._database.writing() as connection:
            connection.execute(sources.update().where(sources.c.id == id).values(paused=paused))
            self._trail.note(Action.SOURCE_PAUSED if paused else Action.SOURCE_RESUMED, f"source:{id}")

    def remove(self, id: int) -> None:
        """Ask it never again; its records and its runs stay until somebody takes them away. Raises
        NotFound."""
        held = self.get(id)
        with self._database.writing() as connection:
            connection.execute(sources.delete().where(sources.c.id == id))
            self._trail.note(Action.SOURCE_REMOVED, f"source:{id}", {"centre": held.centre, "url": held.url})

    def ask_now(self, id: int, *, whole: bool = False) -> None:
        """Make it due at once; ``whole``: from the beginning. Raises NotFound."""
        self.get(id)
        values: dict[str, Any] = {"due": datetime.now(UTC).isoformat(), "failures": 0}
        if whole:
            values |= {"since": None, "token": None, "asked": None}
        with self._database.writing() as connection:
            connection.execute(sources.update().where(sources.c.id == id).values(values))

    def secret(self, id: int) -> str | None:
        """Our key at that source. Raises NotFound."""
        self.get(id)
        with self._database.reading() as connection:
            kept = connection.scalar(sa.select(sources.c.secret).where(sources.c.id == id))
        return self._keyring.decrypt(kept) if kept else None

    @staticmethod
    def _values(*, url: str, prefix: str, set: str | None, hours: int, relays: bool) -> dict[str, Any]:
        if not is_address(url.strip()):
            raise InvalidValue(
                "url", "donnez l’adresse OAI-PMH du centre, qui commence par https:// ou http://"
            )
        if prefix not in PREFIXES:
            raise InvalidValue("prefix", f"choisissez un format : {', '.join(PREFIXES)}")
        if not 1 <= hours <= 24 * 31:
            raise InvalidValue("hours", "choisissez une période entre une heure et un mois")
        chosen = set.strip() if set and set.strip() else None
        return {"url": url.strip(), "prefix": prefix, "set": chosen, "hours": hours, "relays": relays}

    # -- harvesting

    def take(self, now: datetime, id: int | None = None) -> Source | None:
        """Lease a source that is due, or that one even if it is not; None when there is none that nobody
        has."""
        free = sa.or_(sources.c.lease.is_(None), sources.c.lease < now.isoformat())
        due = sa.and_(~sources.c.paused, sources.c.due <= now.isoformat())
        query = sa.select(sources).where(free, due if id is None else sources.c.id == id)
        with self._database.writing() as connection:
            row = connection.execute(query.order_by(sources.c.due, sources.c.id).limit(1)).first()
            if row is None:
                return None
            self._lease(connection, row.id, now)
        return _source(row)

    def renew(self, id: int, now: datetime) -> bool:
        """Go on having a source; False when it was paused or taken away meanwhile: the harvest ends then."""
        with self._database.writing() as connection:
            self._lease(connection, id, now)
            paused = connection.scalar(sa.select(sources.c.paused).where(sources.c.id == id))
        return paused is False

    @staticmethod
    def _lease(connection: sa.Connection, id: int, now: datetime) -> None:
        until = (now + LEASE).isoformat()
        connection.execute(sources.update().where(sources.c.id == id).values(lease=until))

    def mark(self, id: int, *, token: str | None, asked: str | None) -> None:
        """Where the harvest goes on if it is cut short; in the transaction that keeps the records."""
        with self._database.writing() as connection:
            connection.execute(sources.update().where(sources.c.id == id).values(token=token, asked=asked))

    def restart(self, id: int) -> None:
        """Forget the token: it is good no more, and the harvest begins again at its date."""
        self.mark(id, token=None, asked=None)

    def succeed(self, id: int, *, since: str | None, now: datetime) -> None:
        """The harvest reached its end; the next one starts at ``since``."""
        query = sources.update().where(sources.c.id == id)
        with self._database.writing() as connection:
            hours = connection.scalar(sa.select(sources.c.hours).where(sources.c.id == id)) or 24
            due = (now + timedelta(hours=hours)).isoformat()
            values = {"since": since, "token": None, "asked": None, "due": due, "failures": 0, "lease": None}
            connection.execute(query.values(values))

    def fail(self, id: int, now: datetime) -> None:
        """The harvest did not reach its end; it is tried again later, from where it was."""
        with self._database.writing() as connection:
            row = connection.execute(sa.select(sources).where(sources.c.id == id)).first()
            if row is None:
                return
            usual = timedelta(hours=row.hours)
            delay = min(usual, DELAYS[row.failures]) if row.failures < len(DELAYS) else usual
            values = {"failures": row.failures + 1, "due": (now + delay).isoformat(), "lease": None}
            connection.execute(sources.update().where(sources.c.id == id).values(values))

    def release(self, id: int) -> None:
        """Let go of a source whose harvest was stopped; it goes on at once when somebody takes it."""
        with self._database.writing() as connection:
            connection.execute(sources.update().where(sources.c.id == id).values(lease=None))


def _source(row: Any) -> Source:
    return Source(
        id=row.id,
        centre=row.centre,
        url=row.url,
        prefix=row.prefix,
        set=row.set,
        has_secret=row.secret is not None,
        hours=row.hours,
        relays=row.relays,
        paused=row.paused,
        since=row.since,
        token=row.token,
        asked=row.asked,
        due=datetime.fromisoformat(row.due),
        failures=row.failures,
        running=row.lease is not None and row.lease > datetime.now(UTC).isoformat(),
    )
