"""Mail that waits to be sent, and the post that takes it away.

Hides the queue (a table: what a request writes is sent by a worker, never inside the request), the retries
and the two ways out: an SMTP server, or, without one, a folder of ``.eml`` files that a person can open and
send. A message is leased by one worker at a time; one that dies lets go of it after ``LEASE``.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, message_from_string, policy
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import formataddr, formatdate, make_msgid
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from kb.audit import Action, Trail
from kb.config import Config
from kb.connection import Database, next_value
from kb.errors import InvalidValue, NotFound
from kb.tables import messages
from kb.threads import Thread, is_id

LEASE = timedelta(minutes=5)
DELAYS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720))
"""Before the second, third... try; after the last one a person is asked."""

KEPT = timedelta(days=90)
"""How long the line of a message that was sent is kept; its text goes at once."""

_SECONDS = 30.0  # an SMTP server that takes longer is tried again later


class _Ids(BaseHeader):
    """A field of message ids, one a line: the standard library cuts a long one into encoded words, where
    no program looks for an id."""

    max_count: ClassVar[Literal[1]] = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        """What ``email.headerregistry`` asks of a kind of field."""
        kwds["parse_tree"], kwds["decoded"] = None, " ".join(value.split())

    def fold(self, *, policy: Policy) -> str:
        """The field as it is sent; ids are shorter than a line may be (998 characters)."""
        ids = policy.linesep.join(f" {id}" for id in str(self).split())
        return f"{self.name}:{ids}{policy.linesep}"


def _policy() -> EmailPolicy[EmailMessage]:
    fields = HeaderRegistry()
    for name in ("message-id", "in-reply-to", "references"):
        fields.map_to_type(name, _Ids)
    return policy.SMTP.clone(header_factory=fields)


_WRITTEN = _policy()


class Mailed(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENT = "sent"
    SPOOLED = "spooled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message of the queue, without its text. ``due`` is when it is tried next, UTC."""

    id: int
    recipient: str
    subject: str
    state: Mailed
    tries: int
    error: str | None
    created: datetime
    due: datetime


Way = Callable[[int, EmailMessage], Mailed]
"""Takes a message away; says how. Raises OSError or smtplib.SMTPException."""


class Outbox:
    """The queue of one database."""

    def __init__(self, database: Database, trail: Trail, *, sender: str, name: str) -> None:
        self._database = database
        self._trail = trail
        self._sender = sender
        self._name = name

    def put(
        self,
        recipient: str,
        subject: str,
        text: str,
        *,
        thread: Thread | None = None,
        reply_to: str | None = None,
        html: str | None = None,
        auto: bool = True,
    ) -> int:
        """Queue a message, in the transaction that is open; its number. ``thread`` is its place among others,
        ``reply_to`` the address that answers go to, ``html`` the same text with its looks; ``auto`` is False
        when a person wrote it. Raises InvalidValue for what would add to the head of the message."""
        message = self._headed(recipient, subject, reply_to)
        _place(message, thread, auto)
        message.set_content(text, cte="quoted-printable")
        if html is not None:
            message.add_alternative(html, subtype="html", cte="quoted-printable")
        _check_headers(message, recipient, reply_to)
        now = datetime.now(UTC).isoformat()
        with self._database.writing() as connection:
            values: dict[str, Any] = {
                "id": next_value(connection, "message"),
                "recipient": recipient,
                "subject": subject,
                "source": message.as_string(),
                "state": Mailed.WAITING,
                "tries": 0,
                "created": now,
                "due": now,
            }
            connection.execute(messages.insert().values(values))
        return int(values["id"])

    def _headed(self, recipient: str, subject: str, reply_to: str | None) -> EmailMessage:
        message = EmailMessage(policy=_WRITTEN)
        message["From"] = formataddr((self._name, self._sender))
        message["To"] = recipient
        if reply_to is not None:
            message["Reply-To"] = reply_to
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        return message

    def lines(self, limit: int = 100) -> tuple[Posted, ...]:
        """The newest messages."""
        query = sa.select(messages).order_by(messages.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return tuple(_posted(row) for row in connection.execute(query))

    def get(self, id: int) -> Posted:
        """One message. Raises NotFound."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(messages).where(messages.c.id == id)).first()
        if row is None:
            raise NotFound("message", str(id))
        return _posted(row)

    def counts(self) -> dict[Mailed, int]:
        """Messages by state."""
        query = sa.select(messages.c.state, sa.func.count()).group_by(messages.c.state)
        with self._database.reading() as connection:
            return {Mailed(state): count for state, count in connection.execute(query)}

    def retry(self, id: int) -> None:
        """Try a message that failed again, at once. Raises NotFound when it has not failed."""
        failed = sa.and_(messages.c.id == id, messages.c.state == Mailed.FAILED)
        values = {"state": Mailed.WAITING, "tries": 0, "due": datetime.now(UTC).isoformat()}
        with self._database.writing() as connection:
            if not connection.execute(messages.update().where(failed).values(values)).rowcount:
                raise NotFound("message", str(id))
            self._trail.note(Action.MESSAGE_RETRIED, f"courrier:{id}")

    def deliver(self, way: Way, *, now: datetime | None = None) -> int:
        """Send what is due; number of messages that left."""
        left = 0
        while (leased := self._lease(now or datetime.now(UTC))) is not None:
            left += self._deliver(leased, way, now or datetime.now(UTC))
        return left

    def _lease(self, now: datetime) -> Any:
        due = sa.and_(messages.c.state == Mailed.WAITING, messages.c.due <= now.isoformat())
        with self._database.writing() as connection:
            row = connection.execute(_next_due(due)).first()
            if row is not None:
                values = {"due": (now + LEASE).isoformat(), "tries": row.tries + 1}
                connection.execute(messages.update().where(messages.c.id == row.id).values(values))
        return row

    def _deliver(self, row: Any, way: Way, now: datetime) -> bool:
        values: dict[str, Any]
        try:
            message = message_from_string(row.source, policy=_WRITTEN)
            values = {"state": way(row.id, message), "source": None, "error": None}
        except Exception as error:  # an edge: one message never stops the others
            values = {"error": _said(error, row.recipient)}
            if row.tries >= len(DELAYS) or _final(error):
                values["state"] = Mailed.FAILED
            else:
                values["due"] = (now + DELAYS[row.tries]).isoformat()
        with self._database.writing() as connection:
            connection.execute(messages.update().where(messages.c.id == row.id).values(values))
        return "source" in values

    def sweep(self) -> tuple[int, ...]:
        """Throw away what left long ago, and what never could; the numbers, for the spool to forget them."""
        old = messages.c.created < (datetime.now(UTC) - KEPT).isoformat()
        gone = messages.delete().where(old, messages.c.state != Mailed.WAITING).returning(messages.c.id)
        with self._database.writing() as connection:
            return tuple(connection.scalars(gone))


def _place(message: EmailMessage, thread: Thread | None, auto: bool) -> None:
    """The fields that tie a message to others (RFC 5322, 3.6.4), and the one that keeps machines from
    answering (RFC 3834, 5). Bad ids of others are left out. Raises InvalidValue for an own id that is bad."""
    answers = thread is not None and thread.in_reply_to is not None
    if thread is not None:
        if not is_id(thread.message_id):
            raise InvalidValue("message_id", "cet identifiant de courriel est mal formé")
        message.replace_header("Message-ID", thread.message_id)
        if thread.in_reply_to is not None and is_id(thread.in_reply_to):
            message["In-Reply-To"] = thread.in_reply_to
        if line := thread.line():
            message["References"] = " ".join(line)
    if auto:
        message["Auto-Submitted"] = "auto-replied" if answers else "auto-generated"


def _check_headers(message: EmailMessage, recipient: str, reply_to: str | None) -> None:
    """Raises InvalidValue when what was typed in a header would say more there than it should once it is read
    again: another header hidden in an encoded word, another recipient."""
    read = message_from_string(message.as_string(), policy=policy.SMTP)
    wanted = {"To": [recipient], "Reply-To": [] if reply_to is None else [reply_to]}
    if read.keys() != message.keys() or any(_addresses(read, name) != wanted[name] for name in wanted):
        raise InvalidValue(
            "recipient", "ce message ne peut pas être envoyé à cette adresse, ou sous ce titre"
        )


def _addresses(message: EmailMessage, name: str) -> list[str]:
    return [address.addr_spec for address in message[name].addresses] if name in message else []


def _next_due(due: sa.ColumnElement[bool]) -> sa.Select[Any]:
    query = sa.select(messages).where(due).order_by(messages.c.due).limit(1)
    return query.with_for_update(skip_locked=True)


def _said(error: Exception, recipient: str) -> str:
    """What the server said, without the address: it goes to the log and to a page."""
    return f"{type(error).__name__}: {error}".replace(recipient, "…")[:300]


def _final(error: Exception) -> bool:
    """Whether trying again is of no use: the server refuses this address for good (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and 500 <= error.smtp_code < 600


def _posted(row: Any) -> Posted:
    return Posted(
        id=row.id,
        recipient=row.recipient,
        subject=row.subject,
        state=Mailed(row.state),
        tries=row.tries,
        error=row.error,
        created=datetime.fromisoformat(row.created),
        due=datetime.fromisoformat(row.due),
    )


class Spool:
    """The folder where messages wait for a person when there is no server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, id: int, message: EmailMessage) -> Mailed:
        """Write the message; readable by its owner only, since links in it let one sign in."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        arriving = self._path(id).with_suffix(".part")
        arriving.touch(mode=0o600)
        arriving.write_bytes(message.as_bytes())
        arriving.replace(self._path(id))
        return Mailed.SPOOLED

    def read(self, id: int) -> EmailMessage:
        """The message. Raises NotFound when it is not there any more."""
        if not self._path(id).is_file():
            raise NotFound("message", str(id))
        return message_from_bytes(self._path(id).read_bytes(), policy=policy.default)

    def forget(self, ids: Iterable[int]) -> None:
        """Take these messages away; those that are not there are no error."""
        for id in ids:
            self._path(id).unlink(missing_ok=True)

    def _path(self, id: int) -> Path:
        return self.folder / f"{id:06d}.eml"


def smtp(config: Config) -> Way:
    """The way out by the server of the settings, one connection a message."""

    def send(_: int, message: EmailMessage) -> Mailed:
        secured = ssl.create_default_context()
        if config.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                config.smtp_host, config.smtp_port, timeout=_SECONDS, context=secured
            )
        else:
            server = smtplib.SMTP(config.smtp_host, config.smtp_port, timeout=_SECONDS)
        with server:
            if config.smtp_security == "starttls":
                server.starttls(context=secured)
            if config.smtp_user:
                server.login(config.smtp_user, config.smtp_password)
            server.send_message(message)
        return Mailed.SENT

    return send


def way_out(config: Config) -> Way:
    """SMTP when there is a server in the settings, else the spool."""
    return smtp(config) if config.smtp_host else Spool(config.spool).put
