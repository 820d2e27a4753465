"""Who is signed in, where, since when.

Hides how a session is known: a random token of 256 bits that the browser holds and of which only a digest is
kept. A session ends by itself when nobody used it for a while (idle) and in any case after a while
(absolute).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kb.audit import Action, Trail
from kb.connection import Database, next_value
from kb.credentials import digest, token
from kb.errors import NotFound
from kb.tables import people, sessions

HALF_OPEN = timedelta(minutes=10)
"""How long the code of the second factor is waited for."""

_NOTED = timedelta(minutes=1)  # a session is written at most so often, however many pages are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser that is signed in. ``complete`` is false while the second factor is waited for; ``device``
    is the browser and the system in words."""

    id: int
    person: int
    complete: bool
    device: str
    created: datetime
    seen: datetime


class Sessions:
    """The sessions of one database. Times are UTC."""

    def __init__(self, database: Database, trail: Trail, *, idle: timedelta, absolute: timedelta) -> None:
        self._database = database
        self._trail = trail
        self.idle = idle
        self.absolute = absolute

    def open(self, person: int, device: str, *, complete: bool = True, replaces: str | None = None) -> str:
        """A new session; returns its token, which is never given twice. ``replaces``: the token that the
        browser held before, whose session ends."""
        secret, now = token(), datetime.now(UTC).isoformat()
        with self._database.writing() as connection:
            if replaces:
                connection.execute(sessions.delete().where(sessions.c.token == digest(replaces)))
            values: dict[str, Any] = {
                "id": next_value(connection, "session"),
                "token": digest(secret),
                "person": person,
                "complete": complete,
                "device": device[:120],
                "created": now,
                "seen": now,
            }
            connection.execute(sessions.insert().values(values))
            if complete:
                self._trail.note(Action.SIGNED_IN, f"personne:{person}", None, {"session": values["id"]})
        return secret

    def find(self, secret: str, *, now: datetime | None = None) -> Session | None:
        """The session of this token, marked as seen; None when there is none, or it has ended, or its person
        has no open account."""
        at = now or datetime.now(UTC)
        query = (
            sa.select(sessions)
            .join(people, people.c.id == sessions.c.person)
            .where(sessions.c.token == digest(secret), people.c.active)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None or not self._lasts(session := _session(row), at):
            return None
        if at - session.seen > _NOTED and session.complete:
            seen = sessions.update().where(sessions.c.id == session.id).values(seen=at.isoformat())
            self._database.best_effort(seen)
        return session

    def _lasts(self, session: Session, at: datetime) -> bool:
        if not session.complete:
            return at - session.created <= HALF_OPEN
        return at - session.seen <= self.idle and at - session.created <= self.absolute

    def of(self, person: int) -> tuple[Session, ...]:
        """The sessions in which this person is signed in, last seen first."""
        query = sa.select(sessions).where(sessions.c.person == person, sessions.c.complete)
        with self._database.reading() as connection:
            found = [_session(row) for row in connection.execute(query)]
        living = [session for session in found if self._lasts(session, datetime.now(UTC))]
        return tuple(sorted(living, key=lambda session: session.seen, reverse=True))

    def close(self, id: int, *, person: int) -> None:
        """End one session of this person. Raises NotFound when it is not theirs."""
        mine = sa.and_(sessions.c.id == id, sessions.c.person == person)
        with self._database.writing() as connection:
            if not connection.execute(sessions.delete().where(mine)).rowcount:
                raise NotFound("session", str(id))
            self._trail.note(Action.SIGNED_OUT, f"personne:{person}", {"session": id})

    def close_all(self, person: int, *, but: int | None = None) -> int:
        """End all sessions of this person, but one; how many there were."""
        theirs = sa.and_(sessions.c.person == person, sessions.c.id != (but or 0))
        with self._database.writing() as connection:
            ended = connection.execute(sessions.delete().where(theirs)).rowcount
            if ended:
                self._trail.note(Action.SIGNED_OUT, f"personne:{person}", {"sessions": ended})
        return ended

    def sweep(self) -> None:
        """Throw away what has ended."""
        now = datetime.now(UTC)
        ended = sa.or_(
            sessions.c.seen < (now - self.idle).isoformat(),
            sessions.c.created < (now - self.absolute).isoformat(),
            sa.and_(~sessions.c.complete, sessions.c.created < (now - HALF_OPEN).isoformat()),
        )
        with self._database.writing() as connection:
            connection.execute(sessions.delete().where(ended))


def _session(row: Any) -> Session:
    return Session(
        id=row.id,
        person=row.person,
        complete=row.complete,
        device=row.device,
        created=datetime.fromisoformat(row.created),
        seen=datetime.fromisoformat(row.seen),
    )
