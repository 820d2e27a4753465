"""What proves who somebody is: passwords, links to choose one, second factors.

Hides hashes, tokens and codes: only digests and ciphers are kept. Answers tell nobody whether an address has
an account: what a stranger is told, and the time it takes, are the same as for a wrong password.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pyotp
import sqlalchemy as sa

from kb import passwords
from kb.accounts import People, Person
from kb.audit import Action, Trail
from kb.connection import Database
from kb.errors import LinkExpired, SignInRefused, WeakPassword
from kb.limits import Limit, Limits
from kb.secret import Keyring
from kb.tables import people, sessions, tickets

QUARTER = 900
BY_ADDRESS = Limit("sign-in by address", 10, QUARTER)
BY_DEVICE = Limit("sign-in by known device", 10, QUARTER)
BY_ACCOUNT = Limit("sign-in by account", 100, QUARTER)
"""Failed sign-ins. Ten from one address, whatever the accounts; a hundred on one account from all addresses
together, which a device known to the owner does not have to mind: nobody can lock the owner out from
elsewhere."""

NOBODY = "personne:0"
"""In the trail, the account of an address that has none."""

CODES = Limit("second factor", 10, QUARTER)
RECOVERY_CODES = 10
_CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
_CODE_LENGTH = 12  # 59 bits: a plain digest of it withstands
_STEP = 30  # seconds a code of RFC 6238 is good for; one before and one after are taken too


class Ticket(StrEnum):
    """What a link is for."""

    INVITATION = "invitation"
    RESET = "reset"


LIFETIMES = {Ticket.INVITATION: timedelta(days=7), Ticket.RESET: timedelta(hours=1)}


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from: the address of the network, and the person whose device it is known to
    be."""

    address: str
    known_as: int | None = None


def token() -> str:
    """256 random bits, fit for an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a token: it is random enough for a plain SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Credentials:
    """The proofs of one database."""

    def __init__(
        self, database: Database, trail: Trail, people: People, limits: Limits, keyring: Keyring
    ) -> None:
        self._database = database
        self._trail = trail
        self._people = people
        self._limits = limits
        self._keyring = keyring

    # -- passwords

    def check(self, email: str, password: str, caller: Caller) -> Person:
        """The person who has this address and this password.

        Raises SignInRefused, or TooManyTries before anything is looked at.
        """
        person = self._people.by_email(email)
        tries = self._let_try(person, email, caller)
        right = passwords.verified(password, self._hash(person.id) if person else None)
        if person is None or not right or not person.active:
            self._trail.note(Action.SIGN_IN_REFUSED, person.actor if person else NOBODY)
            raise SignInRefused
        self._limits.give_back(tries)
        self._refresh(person.id, password)
        return person

    def _let_try(self, person: Person | None, email: str, caller: Caller) -> list[int]:
        """Counted before the password is looked at, so that tries made at once count too."""
        typed = unicodedata.normalize("NFC", email.strip().lower())
        who = person.actor if person else f"inconnu {typed}"
        if person is not None and caller.known_as == person.id:
            return [self._limits.take(BY_DEVICE, who)]
        with self._database.transaction():
            return [self._limits.take(BY_ADDRESS, caller.address), self._limits.take(BY_ACCOUNT, who)]

    def confirm(self, id: int, password: str, caller: Caller) -> None:
        """Whether somebody who is signed in knows the password. Raises SignInRefused, TooManyTries."""
        self.check(self._people.get(id).email, password, caller)

    def set_password(self, id: int, password: str, *, known: Iterable[str] = ()) -> None:
        """Choose a password. Ends the links that were open. Raises WeakPassword."""
        person = self._people.get(id)
        kept = _chosen(person, password, known)
        with self._database.transaction():
            self._keep(person, kept)

    def _keep(self, person: Person, kept: str) -> None:
        with self._database.writing() as connection:
            connection.execute(people.update().where(people.c.id == person.id).values(password=kept))
            connection.execute(tickets.delete().where(tickets.c.person == person.id))
            self._trail.note(Action.PASSWORD_SET, person.actor)

    def _hash(self, id: int) -> str | None:
        with self._database.reading() as connection:
            return connection.scalar(sa.select(people.c.password).where(people.c.id == id))

    def _refresh(self, id: int, password: str) -> None:
        """Hash again with today's parameters, now that the password is here."""
        if passwords.outdated(self._hash(id) or ""):
            with self._database.writing() as connection:
                values = {"password": passwords.hashed(password)}
                connection.execute(people.update().where(people.c.id == id).values(values))

    # -- links

    def link(self, id: int, kind: Ticket) -> str:
        """A token with which this person can choose a password, once; former ones of the same kind end."""
        secret = token()
        expires = (datetime.now(UTC) + LIFETIMES[kind]).isoformat()
        with self._database.writing() as connection:
            former = sa.and_(tickets.c.person == id, tickets.c.kind == kind)
            connection.execute(tickets.delete().where(former))
            values = {"token": digest(secret), "kind": kind, "person": id, "expires": expires}
            connection.execute(tickets.insert().values(values))
            self._trail.note(Action.PASSWORD_LINK, f"personne:{id}", None, {"kind": kind})
        return secret

    def holder(self, secret: str) -> Person:
        """Who may choose a password with this token; does not use it up. Raises LinkExpired."""
        query = sa.select(tickets.c.person, tickets.c.expires).where(tickets.c.token == digest(secret))
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None or datetime.fromisoformat(row.expires) < datetime.now(UTC):
            raise LinkExpired
        person = self._people.get(row.person)
        if not person.active:
            raise LinkExpired
        return person

    def redeem(self, secret: str, password: str, *, known: Iterable[str] = ()) -> Person:
        """Choose a password with a token, which is used up; all sessions end.

        Raises LinkExpired, WeakPassword (the token is then still good).
        """
        kept = _chosen(self.holder(secret), password, known)  # takes its time, so before the transaction
        with self._database.writing() as connection:
            person = self.holder(secret)
            mine = tickets.c.token == digest(secret)
            if not connection.execute(tickets.delete().where(mine)).rowcount:
                raise LinkExpired  # somebody else was as quick
            self._keep(person, kept)
            ended = connection.execute(sessions.delete().where(sessions.c.person == person.id)).rowcount
            if ended:
                self._trail.note(Action.SIGNED_OUT, person.actor, {"sessions": ended})
        return self._people.get(person.id)

    # -- second factor

    @staticmethod
    def new_factor() -> str:
        """A secret to put in an authenticator (base 32), not kept until ``set_factor`` has seen a code."""
        return pyotp.random_base32()

    @staticmethod
    def factor_address(secret: str, person: Person, centre: str) -> str:
        """The ``otpauth:`` address that authenticators read from a picture."""
        return pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name=centre)

    def set_factor(self, id: int, secret: str, code: str, *, at: datetime | None = None) -> tuple[str, ...]:
        """Ask for codes from now on; returns the recovery codes, shown once. Raises SignInRefused when the
        code is not of this secret."""
        tried = self._limits.take(CODES, f"personne:{id}")
        step = _step_of(secret, code, at)
        if step is None:
            raise SignInRefused
        self._limits.give_back([tried])
        codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
        values = {
            "totp": self._keyring.encrypt(secret),
            "totp_step": step,
            "recovery": " ".join(map(digest, codes)),
        }
        with self._database.writing() as connection:
            connection.execute(people.update().where(people.c.id == id).values(values))
            self._trail.note(Action.SECOND_FACTOR_SET, f"personne:{id}")
        return codes

    def remove_factor(self, id: int) -> None:
        """Ask for no code any more."""
        with self._database.writing() as connection:
            values = {"totp": None, "recovery": ""}
            connection.execute(people.update().where(people.c.id == id).values(values))
            self._trail.note(Action.SECOND_FACTOR_REMOVED, f"personne:{id}")

    def check_code(self, id: int, code: str, *, at: datetime | None = None) -> None:
        """Whether this is the code of the moment, or a recovery code; each is good once.

        Raises SignInRefused, TooManyTries.
        """
        tried = self._limits.take(CODES, f"personne:{id}")
        if self._use_code(id, code, at):
            self._limits.give_back([tried])
        else:
            self._trail.note(Action.SIGN_IN_REFUSED, f"personne:{id}", None, {"factor": "code"})
            raise SignInRefused

    def _use_code(self, id: int, code: str, at: datetime | None) -> bool:
        with self._database.writing() as connection:
            query = sa.select(people.c.totp, people.c.totp_step, people.c.recovery).where(people.c.id == id)
            row = connection.execute(query.with_for_update()).one()
            step = _step_of(self._keyring.decrypt(row.totp), code, at) if row.totp else None
            recovery, used = row.recovery.split(), digest(_squeezed(code))
            values: dict[str, object] = {}
            if step is not None and step > row.totp_step:
                values = {"totp_step": step}
            elif used in recovery:
                values = {"recovery": " ".join(kept for kept in recovery if kept != used)}
                self._trail.note(Action.RECOVERY_CODE_USED, f"personne:{id}")
            if values:
                connection.execute(people.update().where(people.c.id == id).values(values))
        return bool(values)

    def codes_left(self, id: int) -> int:
        """Recovery codes not used yet."""
        with self._database.reading() as connection:
            recovery = connection.scalar(sa.select(people.c.recovery).where(people.c.id == id))
        return len((recovery or "").split())

    def recrypt(self, keyring: Keyring) -> None:
        """Keep the secrets under the newest key of this keyring."""
        with self._database.writing() as connection:
            for row in connection.execute(sa.select(people.c.id, people.c.totp)).fetchall():
                if row.totp:
                    values = {"totp": keyring.recrypt(row.totp)}
                    connection.execute(people.update().where(people.c.id == row.id).values(values))
            self._trail.note(Action.SECRET_ROTATED, "secret:cookies")

    def sweep(self) -> None:
        """Throw away links that are too old."""
        with self._database.writing() as connection:
            old = tickets.c.expires < datetime.now(UTC).isoformat()
            connection.execute(tickets.delete().where(old))


def _chosen(person: Person, password: str, known: Iterable[str]) -> str:
    """The hash of a new password. Raises WeakPassword."""
    if weak := passwords.weakness(password, (person.name, person.email, *known)):
        raise WeakPassword("password", str(weak))
    return passwords.hashed(password)


def _step_of(secret: str, code: str, at: datetime | None) -> int | None:
    """The 30 seconds (RFC 6238) whose code this is: now, just before or just after; None if none."""
    now = int((at or datetime.now(UTC)).timestamp()) // _STEP
    totp, typed = pyotp.TOTP(secret, interval=_STEP), "".join(code.split())
    for step in (now, now - 1, now + 1):
        if secrets.compare_digest(totp.at(step * _STEP).encode(), typed.encode()):
            return step
    return None


def _recovery_code() -> str:
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))


def _squeezed(code: str) -> str:
    return "".join(code.lower().replace("-", " ").split())
