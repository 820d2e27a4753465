"""Mail that waits, and the ways by which it leaves."""

from __future__ import annotations

import email.message
import email.policy
import smtplib
import socketserver
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.errors import MessageError
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from kb import tables
from kb.audit import Action, Trail, Wanted
from kb.config import Config
from kb.connection import Database
from kb.errors import InvalidValue, KBError, NotFound
from kb.mail import DELAYS, KEPT, LEASE, Mailed, Outbox, Spool, smtp, way_out
from kb.threads import Thread

TEXT = "Bonjour Ana,\n\nVoici votre lien : https://exemple.fr/mot-de-passe/" + "k" * 90 + "\n.\nÀ bientôt\n"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def outbox(database: Database, trail: Trail) -> Outbox:
    return Outbox(database, trail, sender="centre@exemple.fr", name="Ville Caraïbe, centre")


@dataclass
class Bag:
    """A way out that keeps what it was given, or fails as told."""

    failure: Exception | None = None
    taken: list[tuple[int, EmailMessage]] = field(default_factory=list)

    def __call__(self, id: int, message: EmailMessage) -> Mailed:
        self.taken.append((id, message))
        if self.failure is not None:
            raise self.failure
        return Mailed.SENT


def now() -> datetime:
    return datetime.now(UTC)


def sources(database: Database) -> list[str | None]:
    with database.reading() as connection:
        return list(connection.scalars(sa.select(tables.messages.c.source).order_by(tables.messages.c.id)))


# -- the queue


def test_a_message_waits_until_it_is_taken_away(outbox: Outbox):
    id = outbox.put("ana@exemple.fr", "Votre compte à l’espace « pro »", TEXT)
    waiting = outbox.get(id)
    assert (waiting.recipient, waiting.state, waiting.tries) == ("ana@exemple.fr", Mailed.WAITING, 0)
    assert (outbox.counts(), outbox.lines()) == ({Mailed.WAITING: 1}, (waiting,))
    bag = Bag()
    assert outbox.deliver(bag) == 1
    assert outbox.deliver(bag) == 0
    ((number, message),) = bag.taken
    assert number == id
    assert (message["To"], message["Subject"]) == ("ana@exemple.fr", "Votre compte à l’espace « pro »")
    assert message["From"].addresses[0].display_name == "Ville Caraïbe, centre"
    assert message["From"].addresses[0].addr_spec == "centre@exemple.fr"
    assert message.get_content().replace("\r\n", "\n") == TEXT
    assert outbox.get(id).state == Mailed.SENT


def test_a_message_says_that_a_machine_wrote_it_and_is_plain_ascii_on_the_way(outbox: Outbox):
    outbox.put("ana@exemple.fr", "Été " * 40, TEXT)
    bag = Bag()
    outbox.deliver(bag)
    message = bag.taken[0][1]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@exemple.fr>")
    assert message["Date"] is not None
    written = message.as_bytes()
    assert written.isascii()
    assert max(map(len, written.split(b"\r\n"))) <= 78
    assert b"\n" not in written.replace(b"\r\n", b"")


def test_a_message_queued_in_a_failed_transaction_is_gone(database: Database, outbox: Outbox):
    def fail() -> None:
        with database.transaction():
            outbox.put("ana@exemple.fr", "Votre compte", TEXT)
            assert len(outbox.lines()) == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    bag = Bag()
    assert outbox.deliver(bag) == 0
    assert (bag.taken, outbox.lines()) == ([], ())


def test_what_was_sent_is_forgotten_but_its_line(outbox: Outbox, database: Database):
    id = outbox.put("ana@exemple.fr", "Votre compte", TEXT)
    assert "kkkk" in (sources(database)[0] or "")
    outbox.deliver(Bag())
    assert sources(database) == [None]
    assert outbox.get(id).subject == "Votre compte"


def test_messages_leave_oldest_first_and_are_shown_newest_first(outbox: Outbox):
    for number in range(5):
        outbox.put(f"n{number}@exemple.fr", "Sujet", "Texte")
    assert [line.id for line in outbox.lines()] == [5, 4, 3, 2, 1]
    assert [line.id for line in outbox.lines(2)] == [5, 4]
    bag = Bag()
    assert outbox.deliver(bag) == 5
    assert [id for id, _ in bag.taken] == [1, 2, 3, 4, 5]


def test_a_message_that_is_not_there_is_not_found(outbox: Outbox):
    id = outbox.put("ana@exemple.fr", "Sujet", "Texte")
    for ask in (outbox.get, outbox.retry):
        with pytest.raises(NotFound):
            ask(id + 1)
    with pytest.raises(NotFound):
        outbox.retry(id)  # it waits: there is nothing to retry


# -- headers are not for anybody to write

REFUSALS = (ValueError, KBError, MessageError)
NEWLINES = ("\n", "\r\n", "\r", "\n ", "\x0b", "\x85", "\u2028")


@pytest.mark.parametrize("newline", NEWLINES, ids=ascii)
def test_a_recipient_or_a_subject_with_a_header_in_it_is_refused(outbox: Outbox, newline: str):
    attack = f"{newline}Bcc: x@exemple.org"
    for recipient, subject in (("ana@exemple.fr" + attack, "Sujet"), ("ana@exemple.fr", "Sujet" + attack)):
        with pytest.raises(REFUSALS):
            outbox.put(recipient, subject, "Texte")
    assert outbox.lines() == ()


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?Bonjour=0ABcc:_x=40exemple.org?=",
        "=?utf-8?q?Bonjour=0D=0ABcc:_x=40exemple.org?=",
        "=?utf-8?b?Qm9uam91cgpCY2M6IHhAZXhlbXBsZS5vcmcKCkF1dHJlIHRleHRl?= suite",
        "=?iso-8859-1?q?Bonjour=0AContent-Type:_text/html?=",
    ],
)
def test_a_subject_that_hides_a_header_in_an_encoded_word_adds_none(outbox: Outbox, subject: str):
    bag = Bag()
    try:
        outbox.put("ana@exemple.fr", subject, "Texte")
    except REFUSALS:
        return  # refusing it is as good
    outbox.deliver(bag)
    message = bag.taken[0][1]
    assert sorted(message.keys()) == sorted(
        [
            *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
            *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
        ]
    )
    again = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    assert again["Bcc"] is None
    assert again.get_content_type() == "text/plain"
    assert again.get_content().strip() == "Texte"


@pytest.mark.parametrize(
    "recipient", ["ana@exemple.fr,root", "ana@exemple.fr, x@exemple.org", "=?utf-8?q?x=2c?=@exemple.fr"]
)
def test_a_message_goes_to_one_address_only(outbox: Outbox, recipient: str):
    bag = Bag()
    try:
        outbox.put(recipient, "Sujet", "Texte")
    except REFUSALS:
        return  # refusing it is as good
    outbox.deliver(bag)
    assert len(bag.taken[0][1]["To"].addresses) == 1


def test_a_text_cannot_end_the_message_nor_add_to_it(outbox: Outbox):
    text = "Bonjour\n.\n\nFrom: x@exemple.org\nBcc: x@exemple.org\n\n--\n..\nFin\n"
    outbox.put("ana@exemple.fr", "Sujet", text)
    bag = Bag()
    outbox.deliver(bag)
    message = bag.taken[0][1]
    assert message["Bcc"] is None
    assert message.get_content().replace("\r\n", "\n") == text


# -- retries


def test_a_failure_is_tried_again_later_and_later_and_then_left_to_a_person(outbox: Outbox):
    id, at = outbox.put("ana@exemple.fr", "Sujet", "Texte"), now()
    bag = Bag(smtplib.SMTPServerDisconnected("Connection unexpectedly closed"))
    for number, delay in enumerate(DELAYS, start=1):
        assert outbox.deliver(bag, now=at) == 0
        found = outbox.get(id)
        assert (found.state, found.tries, found.due) == (Mailed.WAITING, number, at + delay)
        assert outbox.deliver(bag, now=at + delay - timedelta(seconds=1)) == 0
        at += delay
    outbox.deliver(bag, now=at)
    found = outbox.get(id)
    assert (found.state, found.tries) == (Mailed.FAILED, len(DELAYS) + 1)
    assert found.error == "SMTPServerDisconnected: Connection unexpectedly closed"
    outbox.deliver(bag, now=at + timedelta(days=30))
    assert len(bag.taken) == len(DELAYS) + 1
    assert list(DELAYS) == sorted(DELAYS)


def test_a_message_leaves_at_a_later_try_and_its_error_is_forgotten(outbox: Outbox, database: Database):
    id, at = outbox.put("ana@exemple.fr", "Sujet", "Texte"), now()
    outbox.deliver(Bag(ConnectionRefusedError(111, "Connection refused")), now=at)
    assert outbox.get(id).error == "ConnectionRefusedError: [Errno 111] Connection refused"
    assert outbox.deliver(Bag(), now=at + MINUTE) == 1
    found = outbox.get(id)
    assert (found.state, found.tries, found.error) == (Mailed.SENT, 2, None)
    assert sources(database) == [None]


def test_one_message_that_fails_does_not_hold_up_the_others(outbox: Outbox):
    for name in ("bob", "ana", "carl"):
        outbox.put(f"{name}@exemple.fr", "Sujet", "Texte")
    sent = []

    def way(id: int, message: EmailMessage) -> Mailed:
        if message["To"].startswith("ana"):
            raise smtplib.SMTPServerDisconnected
        sent.append(message["To"])
        return Mailed.SENT

    assert outbox.deliver(way) == 2
    assert sent == ["bob@exemple.fr", "carl@exemple.fr"]
    assert outbox.counts() == {Mailed.SENT: 2, Mailed.WAITING: 1}


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (smtplib.SMTPRecipientsRefused({"ana@exemple.fr": (550, b"No such user")}), Mailed.FAILED),
        (smtplib.SMTPDataError(554, b"Refused"), Mailed.FAILED),
        (smtplib.SMTPRecipientsRefused({"ana@exemple.fr": (450, b"Greylisted")}), Mailed.WAITING),
        (smtplib.SMTPDataError(451, b"Try again"), Mailed.WAITING),
        (smtplib.SMTPAuthenticationError(535, b"Bad password"), Mailed.WAITING),  # settings can be mended
        (smtplib.SMTPSenderRefused(553, b"Not yours", "centre@exemple.fr"), Mailed.WAITING),
        (TimeoutError("timed out"), Mailed.WAITING),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_a_server_refuses_for_good_fails_at_once(outbox: Outbox, failure: Exception, state: Mailed):
    id = outbox.put("ana@exemple.fr", "Sujet", "Texte")
    outbox.deliver(Bag(failure))
    found = outbox.get(id)
    assert (found.state, found.tries) == (state, 1)
    assert found.error is not None
    assert found.error.startswith(type(failure).__name__)
    assert "ana@exemple.fr" not in found.error


def test_a_long_error_is_cut(outbox: Outbox):
    id = outbox.put("ana@exemple.fr", "Sujet", "Texte")
    outbox.deliver(Bag(OSError("x" * 5000)))
    assert len(outbox.get(id).error or "") == 300


def test_a_failed_message_is_retried_at_once_from_the_beginning(outbox: Outbox, trail: Trail):
    id = outbox.put("ana@exemple.fr", "Sujet", "Texte")
    outbox.deliver(Bag(smtplib.SMTPDataError(554, b"Refused")))
    outbox.retry(id)
    found = outbox.get(id)
    assert (found.state, found.tries) == (Mailed.WAITING, 0)
    line = trail.lines(Wanted())[0]
    assert (line.action, line.object, line.after) == (Action.MESSAGE_RETRIED, f"courrier:{id}", None)
    bag = Bag()
    assert outbox.deliver(bag) == 1
    assert bag.taken[0][1].get_content().strip() == "Texte"


def test_what_left_long_ago_or_never_could_is_swept_away_and_no_other(outbox: Outbox, database: Database):
    for state in (Mailed.SENT, Mailed.SPOOLED, Mailed.FAILED, Mailed.WAITING, Mailed.SENT):
        id = outbox.put(f"{state}@exemple.fr", "Sujet", "Texte")
        created = now() - KEPT - MINUTE * (1 if id < 5 else -1)
        with database.writing() as connection:
            values = {"state": state, "created": created.isoformat()}
            connection.execute(tables.messages.update().where(tables.messages.c.id == id).values(values))
    assert set(outbox.sweep()) == {1, 2, 3}
    assert [line.id for line in outbox.lines()] == [5, 4]


# -- one worker at a time


def test_a_message_in_hand_is_not_taken_by_another(outbox: Outbox):
    outbox.put("ana@exemple.fr", "Sujet", "Texte")
    other = Bag()

    def way(id: int, message: EmailMessage) -> Mailed:
        assert outbox.deliver(other) == 0
        return Mailed.SENT

    assert outbox.deliver(way) == 1
    assert other.taken == []


def test_workers_that_deliver_at_once_send_each_message_once(outbox: Outbox):
    ids = [outbox.put(f"n{number}@exemple.fr", "Sujet", "Texte") for number in range(24)]
    bag, together = Bag(), threading.Barrier(3)

    def way(id: int, message: EmailMessage) -> Mailed:
        time.sleep(0.002)
        return bag(id, message)

    def work(_: int) -> int:
        together.wait()
        return outbox.deliver(way)

    with ThreadPoolExecutor(3) as pool:
        left = list(pool.map(work, range(3)))
    assert sum(left) == 24
    assert sorted(id for id, _ in bag.taken) == ids
    assert outbox.counts() == {Mailed.SENT: 24}


def test_a_worker_that_dies_lets_go_of_its_message_after_a_while(outbox: Outbox):
    id, at = outbox.put("ana@exemple.fr", "Sujet", "Texte"), now()

    def die(id: int, message: EmailMessage) -> Mailed:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(die, now=at)
    bag = Bag()
    assert outbox.deliver(bag, now=at + LEASE - timedelta(seconds=1)) == 0
    assert outbox.deliver(bag, now=at + LEASE) == 1
    assert (outbox.get(id).state, outbox.get(id).tries) == (Mailed.SENT, 2)


# -- the folder


def test_without_a_server_messages_wait_in_a_folder_for_their_owner_only(outbox: Outbox, tmp_path: Path):
    config = Config(data=tmp_path / "data")
    id = outbox.put("ana@exemple.fr", "Votre compte à l’espace « pro »", TEXT)
    assert outbox.deliver(way_out(config)) == 1
    assert outbox.get(id).state == Mailed.SPOOLED
    (file,) = config.spool.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.spool.stat().st_mode) == 0o700
    assert file.suffix == ".eml"
    message = Spool(config.spool).read(id)
    assert (message["To"], message["Subject"]) == ("ana@exemple.fr", "Votre compte à l’espace « pro »")
    assert message.get_content().replace("\r\n", "\n") == TEXT
    with pytest.raises(NotFound):
        Spool(config.spool).read(id + 1)


def test_what_was_left_by_a_worker_that_died_is_written_over(tmp_path: Path):
    spool, message = Spool(tmp_path / "spool"), EmailMessage()
    spool.folder.mkdir()
    (spool.folder / "000001.part").write_bytes(b"x" * 9999)
    message.set_content("Texte")
    assert spool.put(1, message) == Mailed.SPOOLED
    assert spool.read(1).get_content() == "Texte\n"
    assert len(list(spool.folder.iterdir())) == 1


def test_a_folder_that_refuses_is_tried_again_later(outbox: Outbox, tmp_path: Path):
    (tmp_path / "spool").write_text("un fichier, pas un dossier", encoding="utf-8")
    id = outbox.put("ana@exemple.fr", "Sujet", "Texte")
    assert outbox.deliver(Spool(tmp_path / "spool").put) == 0
    assert (outbox.get(id).state, outbox.get(id).tries) == (Mailed.WAITING, 1)


# -- the server


_USUAL = {"EHLO": "250-essai\r\n250 AUTH PLAIN", "DATA": "354 vas-y", "AUTH": "235 bien", "QUIT": "221 adieu"}


class Postbox(socketserver.ThreadingTCPServer):
    """A server that speaks just enough SMTP, and answers a command as ``answers`` says."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.answers: dict[str, str] = {}
        self.said: list[str] = []
        self.received: list[bytes] = []


class _Talk(socketserver.StreamRequestHandler):
    server: Postbox

    def handle(self) -> None:
        self.say("220 essai")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            verb = line[:4].upper()
            self.server.said.append(verb + line[4:])
            answer = (_USUAL | self.server.answers).get(verb, "250 bien")
            self.say(answer)
            if verb == "DATA" and answer.startswith("354"):
                self.take()
            if verb == "QUIT":
                return

    def take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.received.append(b"".join(lines))
        self.say(self.server.answers.get("END", "250 pris"))

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with Postbox() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def settings(tmp_path: Path, postbox: Postbox) -> Callable[..., Config]:
    """Settings that lead to the server, in clear unless told otherwise."""

    def make(**more: str) -> Config:
        port = postbox.server_address[1]
        given = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", **more}
        return Config(data=tmp_path, **given)

    return make


def test_the_server_of_the_settings_takes_messages(
    outbox: Outbox, postbox: Postbox, settings: Callable[..., Config]
):
    for name in ("ana", "bob"):
        outbox.put(f"{name}@exemple.fr", "Votre compte à l’espace « pro »", TEXT)
    assert outbox.deliver(way_out(settings())) == 2
    assert outbox.counts() == {Mailed.SENT: 2}
    assert [line for line in postbox.said if line.startswith("RCPT")] == [
        "RCPT TO:<ana@exemple.fr>",
        "RCPT TO:<bob@exemple.fr>",
    ]
    assert "MAIL FROM:<centre@exemple.fr>" in postbox.said[1]
    message = email.message_from_bytes(postbox.received[0], policy=email.policy.default)
    assert (message["To"], message["Subject"]) == ("ana@exemple.fr", "Votre compte à l’espace « pro »")
    assert message.get_content().replace("\r\n", "\n") == TEXT


@pytest.mark.parametrize(
    ("verb", "answer", "state"),
    [
        ("RCPT", "550 inconnu ici : ana@exemple.fr", Mailed.FAILED),
        ("RCPT", "450 plus tard", Mailed.WAITING),
        ("DATA", "554 non", Mailed.FAILED),
        ("END", "554 refuse", Mailed.FAILED),
        ("END", "452 plein", Mailed.WAITING),
        ("MAIL", "553 expediteur", Mailed.WAITING),
        ("EHLO", "421 ferme", Mailed.WAITING),
    ],
)
def test_what_the_server_says_decides_what_follows(
    outbox: Outbox, postbox: Postbox, settings: Callable[..., Config], verb: str, answer: str, state: Mailed
):
    id = outbox.put("ana@exemple.fr", "Sujet", "Texte")
    postbox.answers |= {verb: answer, "HELO": "421 ferme"}
    assert outbox.deliver(smtp(settings())) == 0
    found = outbox.get(id)
    assert (found.state, found.tries) == (state, 1)
    assert found.error is not None
    assert answer[:3] in found.error
    assert "ana@exemple.fr" not in found.error


def test_the_account_of_the_settings_signs_in(
    outbox: Outbox, postbox: Postbox, settings: Callable[..., Config]
):
    outbox.put("ana@exemple.fr", "Sujet", "Texte")
    assert outbox.deliver(smtp(settings(smtp_user="centre", smtp_password="un secret"))) == 1
    assert postbox.said[1] == "AUTH PLAIN AGNlbnRyZQB1biBzZWNyZXQ="


@pytest.mark.parametrize("given", [{"smtp_password": "mot dé passe"}, {"smtp_user": "hélène"}])
def test_an_account_that_smtp_cannot_say_is_a_failure_like_another(
    outbox: Outbox, settings: Callable[..., Config], given: dict[str, str]
):
    id = outbox.put("ana@exemple.fr", "Sujet", "Texte")
    way = smtp(settings(**{"smtp_user": "centre", "smtp_password": "secret"} | given))
    at = now()
    outbox.deliver(way, now=at)
    found = outbox.get(id)
    if found.state != Mailed.SENT:
        assert found.error is not None
        assert found.due == at + DELAYS[0]


def test_an_address_that_the_server_cannot_say_is_a_failure_like_another(
    outbox: Outbox, settings: Callable[..., Config]
):
    id, other = outbox.put("zoé@exemple.fr", "Sujet", "Texte"), outbox.put("ana@exemple.fr", "Sujet", "Texte")
    assert outbox.deliver(smtp(settings())) == 1
    assert (outbox.get(id).state, outbox.get(other).state) == (Mailed.WAITING, Mailed.SENT)
    assert "SMTPNotSupportedError" in (outbox.get(id).error or "")


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_nothing_is_said_in_clear_to_a_server_that_does_not_encrypt(
    outbox: Outbox, postbox: Postbox, settings: Callable[..., Config], security: str
):
    id = outbox.put("ana@exemple.fr", "Sujet", "Texte")
    way = smtp(settings(smtp_security=security, smtp_user="centre", smtp_password="un secret"))
    assert outbox.deliver(way) == 0
    assert outbox.get(id).state == Mailed.WAITING
    assert not [line for line in postbox.said if line[:4] in ("AUTH", "MAIL", "RCPT", "DATA")]
    assert postbox.received == []


def test_a_server_that_does_not_answer_is_tried_again_later(
    outbox: Outbox, postbox: Postbox, settings: Callable[..., Config]
):
    way = smtp(settings())
    postbox.shutdown()
    postbox.server_close()
    id = outbox.put("ana@exemple.fr", "Sujet", "Texte")
    assert outbox.deliver(way) == 0
    assert (outbox.get(id).state, outbox.get(id).tries) == (Mailed.WAITING, 1)
    assert "ConnectionRefusedError" in (outbox.get(id).error or "")


# -- threads, and messages that people write


def taken(outbox: Outbox) -> EmailMessage:
    """The message that left, as it is read at the other end."""
    bag = Bag()
    assert outbox.deliver(bag) == 1
    read = email.message_from_bytes(bag.taken[0][1].as_bytes(), policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


THREAD = Thread("<q.2026-042.secret@exemple.fr>", "<parent@exemple.org>", ("<first@exemple.org>",))


def test_an_answer_says_what_it_answers(outbox: Outbox):
    outbox.put("ana@exemple.fr", "Re: aide", "Texte", thread=THREAD)
    message = taken(outbox)
    assert message["Message-ID"] == "<q.2026-042.secret@exemple.fr>"
    assert message["In-Reply-To"] == "<parent@exemple.org>"
    assert message["References"].split() == ["<first@exemple.org>", "<parent@exemple.org>"]
    assert message["Auto-Submitted"] == "auto-replied"


def test_the_first_message_of_a_thread_answers_nothing(outbox: Outbox):
    outbox.put("ana@exemple.fr", "Aide", "Texte", thread=Thread("<q.2026-042.secret@exemple.fr>"))
    message = taken(outbox)
    assert message["Message-ID"] == "<q.2026-042.secret@exemple.fr>"
    assert (message["In-Reply-To"], message["References"]) == (None, None)
    assert message["Auto-Submitted"] == "auto-generated"


def test_what_a_person_wrote_does_not_say_that_a_machine_did(outbox: Outbox):
    outbox.put("ana@exemple.fr", "Re: aide", "Texte", thread=THREAD, auto=False)
    assert taken(outbox)["Auto-Submitted"] is None


def test_long_ids_leave_whole_one_a_line(outbox: Outbox, database: Database):
    long = tuple(f"<{letter * 200}@exemple.fr>" for letter in "abcdefghij")
    own = f"<q.{'k' * 150}@exemple.fr>"
    outbox.put("ana@exemple.fr", "Re: aide", "Texte", thread=Thread(own, long[-1], long[:-1]))
    assert f"Message-ID: {own}" in (sources(database)[0] or "").splitlines()
    bag = Bag()
    outbox.deliver(bag)
    lines = bag.taken[0][1].as_bytes().decode().split("\r\n")
    assert f"References: {long[0]}" in lines
    assert [line for line in lines if line.startswith(" <")] == [f" {id}" for id in long[1:]]
    assert f"In-Reply-To: {long[-1]}" in lines
    assert f"Message-ID: {own}" in lines


def test_a_message_with_looks_has_both_forms(outbox: Outbox):
    page = "<p>Voici « <b>la réponse</b> » : <a href='https://exemple.fr/'>lien</a></p>" + "<p>k</p>" * 40
    outbox.put("ana@exemple.fr", "Re: aide", TEXT, html=page)
    message = taken(outbox)
    assert message.get_content_type() == "multipart/alternative"
    plain, looks = message.iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert plain.get_content().replace("\r\n", "\n") == TEXT
    assert looks.get_content_type() == "text/html"
    assert looks.get_content().strip() == page


def test_a_message_with_looks_is_plain_ascii_on_the_way(outbox: Outbox):
    outbox.put("ana@exemple.fr", "Réponse", TEXT, html="<p>été</p>" * 200)
    bag = Bag()
    outbox.deliver(bag)
    written = bag.taken[0][1].as_bytes()
    assert written.isascii()
    assert max(map(len, written.split(b"\r\n"))) <= 78


def test_answers_may_go_to_another_address(outbox: Outbox):
    outbox.put("ana@exemple.fr", "Aide", "Texte", reply_to="questions@exemple.fr")
    message = taken(outbox)
    assert [address.addr_spec for address in message["Reply-To"].addresses] == ["questions@exemple.fr"]
    assert message["From"].addresses[0].addr_spec == "centre@exemple.fr"


@pytest.mark.parametrize("newline", NEWLINES, ids=ascii)
def test_an_address_for_answers_with_a_header_in_it_is_refused(outbox: Outbox, newline: str):
    with pytest.raises(REFUSALS):
        outbox.put("ana@exemple.fr", "Aide", "Texte", reply_to=f"q@exemple.fr{newline}Bcc: x@exemple.org")
    with pytest.raises(REFUSALS):
        outbox.put("ana@exemple.fr", "Aide", "Texte", reply_to="q@exemple.fr, x@exemple.org")
    assert outbox.lines() == ()


@pytest.mark.parametrize("own", ["", "sans crochets@x", "<a b@x>", "<é@x>", "<a@x>\r\nBcc: x@exemple.org"])
def test_an_own_id_that_is_none_is_refused(outbox: Outbox, own: str):
    with pytest.raises(InvalidValue):
        outbox.put("ana@exemple.fr", "Aide", "Texte", thread=Thread(own))
    assert outbox.lines() == ()


@pytest.mark.parametrize("bad", ["<a@x>\r\nBcc: x@exemple.org", "=?utf-8?q?<a@x>=0ABcc:_b@x?=", "a", ""])
def test_bad_ids_of_others_are_left_out(outbox: Outbox, bad: str):
    outbox.put("ana@exemple.fr", "Aide", "Texte", thread=Thread("<q@exemple.fr>", bad, (bad, "<b@x>")))
    message = taken(outbox)
    assert (message["Bcc"], message["In-Reply-To"], message["References"]) == (None, None, "<b@x>")


def test_a_text_with_looks_cannot_end_its_part(outbox: Outbox):
    outbox.put("ana@exemple.fr", "Aide", "--\n" + "-" * 40 + "\n", html="<p>a</p>\n--=====\n\nBcc: x\n")
    message = taken(outbox)
    assert message["Bcc"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_the_server_gets_the_ids_whole(outbox: Outbox, postbox: Postbox, settings: Callable[..., Config]):
    long = f"<{'k' * 120}@exemple.fr>"
    outbox.put("ana@exemple.fr", "Réponse", "Texte", thread=Thread("<q@exemple.fr>", long))
    assert outbox.deliver(smtp(settings())) == 1
    assert f"In-Reply-To: {long}\r\n".encode() in postbox.received[0]
