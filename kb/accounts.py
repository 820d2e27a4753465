"""People, their roles, and what each role may do: the one policy table.

Hides how people are kept. Rights are asked by name (``Right``); who has which stands in ``POLICY`` and
nowhere else. A person may have several roles: in a centre of two, the one who catalogues also answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from kb.audit import Action, Trail, difference
from kb.connection import Database, next_value
from kb.desk_tables import drafts
from kb.errors import EmailTaken, InvalidValue, LastAdministrator, NotFound
from kb.records import Record
from kb.tables import messages, people, sessions, tickets

LONGEST_NAME = 120
LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3, less the brackets


class Role(StrEnum):
    """What somebody is to the centre."""

    VISITOR = "visiteur"
    MEMBER = "inscrit"
    LIBRARIAN = "documentaliste"
    ANSWERER = "repondant"
    DIRECTOR = "responsable"
    ADMINISTRATOR = "administrateur"
    CENTRE = "centre"
    AUDITOR = "auditeur"


GIVEN_ROLES = (
    *(Role.MEMBER, Role.LIBRARIAN, Role.ANSWERER),
    *(Role.DIRECTOR, Role.ADMINISTRATOR, Role.AUDITOR),
)
"""Roles that a person may be given; visitors are nobody yet, centres are machines and have keys."""


class Right(StrEnum):
    """What may be done. Every route names one."""

    VISIT = "visit"  # what everybody may: help, sign-in, the public part of the fund
    READ_NETWORK = "read-network"
    READ_ONSITE = "read-onsite"
    READ_STAFF = "read-staff"
    OWN_ACCOUNT = "own-account"
    CATALOGUE = "catalogue"
    ANSWER = "answer"  # the desk: questions, exchanges, answers, their publication
    READ_ACTIVITY = "read-activity"  # the figures of the service, for those who account for it
    MANAGE_ASKERS = "manage-askers"  # what is kept of the persons who ask: export, erasure
    READ_TRAIL = "read-trail"
    SEE_SYSTEM = "see-system"
    MANAGE_PEOPLE = "manage-people"
    MANAGE_KEYS = "manage-keys"
    MANAGE_MAIL = "manage-mail"
    MANAGE_NETWORK = "manage-network"  # whom the centre harvests, and how


_STAFF = {Right.VISIT, Right.OWN_ACCOUNT, Right.READ_NETWORK, Right.READ_ONSITE, Right.READ_STAFF}

POLICY: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.VISITOR: frozenset({Right.VISIT}),
        Role.MEMBER: frozenset({Right.VISIT, Right.OWN_ACCOUNT}),
        Role.LIBRARIAN: frozenset(_STAFF | {Right.CATALOGUE}),
        Role.ANSWERER: frozenset(_STAFF | {Right.ANSWER, Right.READ_ACTIVITY}),
        Role.DIRECTOR: frozenset(
            _STAFF
            | {Right.CATALOGUE, Right.ANSWER, Right.READ_ACTIVITY, Right.MANAGE_ASKERS}
            | {Right.READ_TRAIL, Right.SEE_SYSTEM}
        ),
        Role.ADMINISTRATOR: frozenset(Right),
        Role.CENTRE: frozenset({Right.VISIT, Right.READ_NETWORK}),
        Role.AUDITOR: frozenset({Right.VISIT, Right.OWN_ACCOUNT, Right.READ_TRAIL}),
    }
)
"""Who may do what. What is not here is refused."""

SCOPES: tuple[Right, ...] = (Right.READ_NETWORK,)
"""Rights that a machine key may be given beyond those of a visitor."""

_NOTICE: Mapping[str, Right] = MappingProxyType(
    {
        "public": Right.VISIT,
        "onsite": Right.VISIT,
        "network": Right.READ_NETWORK,
        "staff": Right.READ_STAFF,
    }
)
_TEXT: Mapping[str, Right] = MappingProxyType(dict(_NOTICE) | {"onsite": Right.READ_ONSITE})


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """All that these roles may do together."""
    return frozenset().union(*(POLICY[role] for role in roles))


def seen_with(rights: frozenset[Right]) -> tuple[str, ...]:
    """Kinds of access (``records.ACCESS``) whose records may be found and whose notice may be read."""
    return tuple(access for access, right in _NOTICE.items() if right in rights)


def may_see(record: Record, rights: frozenset[Right]) -> bool:
    """Whether the notice may be shown."""
    return _NOTICE[record.access] in rights


def may_read(record: Record, rights: frozenset[Right]) -> bool:
    """Whether the text, the pictures and the files may be shown: what is consulted on the spot only has a
    notice for everybody."""
    return _TEXT[record.access] in rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may sign in, once a password is set and while ``active``."""

    id: int
    email: str
    name: str
    roles: frozenset[Role]
    active: bool
    created: datetime
    has_password: bool
    second_factor: bool

    @property
    def actor(self) -> str:
        """The name of the person in the audit trail."""
        return f"personne:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks: a visitor, a person in a session, a machine. ``rights`` is all that counts; ``person`` and
    ``session`` are numbers."""

    actor: str
    name: str
    rights: frozenset[Right]
    person: int | None = None
    session: int | None = None

    def may(self, right: Right) -> bool:
        """Whether this one may do it."""
        return right in self.rights


ERASED = "@invalid.invalid"
"""How the address of an erased account ends: nobody's (RFC 2606)."""

VISITOR = Identity(actor="visiteur", name="", rights=POLICY[Role.VISITOR])


_ADDRESS = re.compile(r"[^@\s<>,;:\"()\\]+@(?:[^@\s<>,;:\"()\\.]+\.)+[^@\s<>,;:\"()\\.]+")


def regular_email(text: str) -> str:
    """The address as it is kept: trimmed, lower case, NFC. Raises InvalidValue."""
    email = unicodedata.normalize("NFC", text.strip().lower())
    plausible = _ADDRESS.fullmatch(email) and email.isprintable() and "=?" not in email
    if len(email) > LONGEST_EMAIL or not plausible:
        raise InvalidValue("email", "cette adresse électronique est incomplète")
    return email


def regular_name(text: str) -> str:
    """The name with its spaces made single. Raises InvalidValue when empty or too long."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidValue("name", f"indiquez un nom, de {LONGEST_NAME} caractères au plus")
    return name


class People:
    """The people of one database. Each change leaves a line in the trail."""

    def __init__(self, database: Database, trail: Trail) -> None:
        self._database = database
        self._trail = trail

    def get(self, id: int) -> Person:
        """The person. Raises NotFound."""
        found = self._select(people.c.id == id)
        if not found:
            raise NotFound("person", str(id))
        return found[0]

    def by_email(self, text: str) -> Person | None:
        """The person with this address, however it is typed; None for a stranger."""
        try:
            found = self._select(people.c.email == regular_email(text))
        except InvalidValue:
            return None
        return found[0] if found else None

    def all(self) -> tuple[Person, ...]:
        """Everybody, by name."""
        return tuple(sorted(self._select(sa.true()), key=lambda p: (not p.active, p.name.casefold())))

    def names(self) -> dict[str, str]:
        """Names by actor: what the trail's numbers stand for."""
        return {person.actor: person.name for person in self.all()}

    def _select(self, condition: sa.ColumnElement[bool]) -> list[Person]:
        with self._database.reading() as connection:
            return [_person(row) for row in connection.execute(sa.select(people).where(condition))]

    def add(self, email: str, name: str, roles: Iterable[Role]) -> Person:
        """Make an account; nobody can sign in to it before a password is set by its link.

        Raises InvalidValue, EmailTaken.
        """
        email, name, given = regular_email(email), regular_name(name), _given(roles)
        with self._database.writing() as connection:
            if self.by_email(email):
                raise EmailTaken(email)
            id = next_value(connection, "person")
            values: dict[str, Any] = {
                "id": id,
                "email": email,
                "name": name,
                "roles": given,
                "active": True,
                "created": datetime.now(UTC).isoformat(),
                "totp_step": 0,
                "recovery": "",
            }
            connection.execute(people.insert().values(values))
            self._trail.note(Action.PERSON_INVITED, f"personne:{id}", None, {"roles": given})
        return self.get(id)

    def change(
        self,
        id: int,
        *,
        name: str | None = None,
        roles: Iterable[Role] | None = None,
        active: bool | None = None,
    ) -> Person:
        """Give another name, other roles, close or open the account. Closing ends all sessions at once.

        Raises NotFound, InvalidValue, LastAdministrator when nobody would be left to manage people.
        """
        with self._database.writing() as connection:
            person, former = self.get(id), _administration(connection)
            if person.email.endswith(ERASED) and active:
                raise InvalidValue("active", "un compte effacé ne se rouvre pas : invitez la personne")
            values: dict[str, Any] = {
                "name": person.name if name is None else regular_name(name),
                "roles": " ".join(sorted(person.roles)) if roles is None else _given(roles),
                "active": person.active if active is None else active,
            }
            connection.execute(people.update().where(people.c.id == id).values(values))
            if _administration(connection) < former:
                raise LastAdministrator
            if not values["active"]:
                _forget_ways_in(connection, id)
            before = {"name": person.name, "roles": " ".join(sorted(person.roles)), "active": person.active}
            old, new = difference(before, values)
            for changed in (old, new):  # who somebody is called is not for a trail that nothing leaves
                if changed and "name" in changed:
                    changed["name"] = "…"
            if new:
                self._trail.note(Action.PERSON_CHANGED, f"personne:{id}", old, new)
        return self.get(id)

    def erase(self, id: int) -> tuple[int, ...]:
        """Forget who this is: name, address, password, second factor, mail, drafts. The number stays, for the
        trail. Returns the numbers of the messages, for the spool to forget them.

        Raises NotFound, LastAdministrator.
        """
        with self._database.writing() as connection:
            person, former = self.get(id), _administration(connection)
            mine = messages.delete().where(messages.c.recipient == person.email)
            letters = tuple(connection.scalars(mine.returning(messages.c.id)))
            values = {
                "email": f"efface-{id}{ERASED}",
                "name": f"Compte effacé n° {id}",
                "roles": "",
                "active": False,
                "password": None,
                "totp": None,
                "recovery": "",
            }
            connection.execute(people.update().where(people.c.id == id).values(values))
            if _administration(connection) < former:
                raise LastAdministrator
            _forget_ways_in(connection, id)
            connection.execute(drafts.delete().where(drafts.c.person == id))
            self._trail.note(Action.PERSON_ERASED, f"personne:{id}")
        return letters


def _administration(connection: sa.Connection) -> int:
    """2 when somebody can sign in and manage people, 1 when somebody could with a password, else 0."""
    query = sa.select(people.c.roles, people.c.password).where(people.c.active)
    found = [row for row in connection.execute(query) if Role.ADMINISTRATOR in row.roles.split()]
    return 2 if any(row.password for row in found) else min(1, len(found))


def _given(roles: Iterable[Role]) -> str:
    wanted = sorted(set(roles))
    if not wanted or not set(wanted) <= set(GIVEN_ROLES):
        raise InvalidValue("roles", "choisissez au moins un rôle")
    return " ".join(wanted)


def _forget_ways_in(connection: sa.Connection, id: int) -> None:
    for table in (sessions, tickets):
        connection.execute(table.delete().where(table.c.person == id))


def _person(row: Any) -> Person:
    return Person(
        id=row.id,
        email=row.email,
        name=row.name,
        roles=frozenset(Role(role) for role in row.roles.split()),
        active=row.active,
        created=datetime.fromisoformat(row.created),
        has_password=row.password is not None,
        second_factor=row.totp is not None,
    )
