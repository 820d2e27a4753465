"""Ids in the head of a mail, and which question a message belongs to."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage, Message

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kb.audit import Trail
from kb.connection import Database
from kb.errors import InvalidValue
from kb.mail import Mailed, Outbox
from kb.threads import (
    LONGEST_ID,
    Match,
    Thread,
    Why,
    ids_in,
    ids_of,
    is_id,
    matched,
    new_message_id,
    reference_in,
    reply_subject,
)

OURS = "<q.2026-042.k3j2h1abcdefghijklmnop@exemple.fr>"
IDS = st.from_regex(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,60}@[a-z0-9.-]{1,60}>", fullmatch=True)


# -- new ids


def test_a_new_id_can_be_read_but_not_guessed():
    ids = {new_message_id("2026-042", "Exemple.fr") for _ in range(50)}
    assert len(ids) == 50
    for id in ids:
        assert re.fullmatch(r"<q\.2026-042\.[a-z2-7]{26}@exemple\.fr>", id)
        assert is_id(id)


def test_the_domain_of_an_id_is_written_in_ascii():
    assert new_message_id("2026-042", "ville-caraïbe.fr").endswith("@xn--ville-carabe-sgb.fr>")


@pytest.mark.parametrize(
    ("reference", "domain"),
    [
        ("2026-042>\r\nBcc: x", "exemple.fr"),
        ("2026 042", "exemple.fr"),
        ("", "exemple.fr"),
        ("2026-042", "exemple.fr>\r\nBcc: x@exemple.org"),
        ("2026-042", "exemple..fr"),
        ("2026-042", ""),
        ("2026-042", "a@b"),
    ],
)
def test_what_would_break_an_id_is_refused(reference: str, domain: str):
    with pytest.raises(InvalidValue):
        new_message_id(reference, domain)


# -- references of an answer


def test_the_references_of_an_answer_are_the_former_ones_and_its_parent():
    thread = Thread(OURS, "<c@x>", ("<a@x>", "<b@x>"))
    assert thread.line() == ("<a@x>", "<b@x>", "<c@x>")
    assert Thread(OURS, "<b@x>", ("<a@x>", "<b@x>", "<c@x>")).line() == ("<a@x>", "<c@x>", "<b@x>")
    assert Thread(OURS).line() == ()


def test_of_many_references_the_first_and_the_last_twenty_are_kept():
    ids = tuple(f"<{number}@x>" for number in range(30))
    assert Thread(OURS, "<p@x>", ids).line() == ("<0@x>", *ids[11:], "<p@x>")
    assert len(Thread(OURS, "<p@x>", ids[:20]).line()) == 21


def test_references_that_are_none_are_left_out():
    former = ("<a@x>\r\nBcc: y@exemple.org", "a@x", "<b@x>", "<é@x>", f"<{'k' * LONGEST_ID}@x>")
    assert Thread(OURS, "<a b@x>", former).line() == ("<b@x>",)


# -- subjects


@pytest.mark.parametrize(
    "subject",
    [
        "Aide aux associations",
        "Re: Aide aux associations",
        "RE : TR: Rép. : Aide aux associations",
        "Fwd: RE[3]: Aide   aux\r\n associations [Q 2026-042]",
        "Re: Aide aux associations [Q 2026-042] [Q 2026-042]",
        "[q2026-042] Réf. : Aide aux associations",
        "Re\u00a0: Aide aux associations (Q 2026-7)",
    ],
)
def test_a_reply_says_once_that_it_is_one_and_which_question_it_is(subject: str):
    assert reply_subject(subject, "2026-042") == "Re: Aide aux associations [Q 2026-042]"


def test_a_subject_of_nothing_but_marks_gets_words():
    assert reply_subject("Re: [Q 2026-042]", "2026-042") == "Re: votre question [Q 2026-042]"


def test_words_that_begin_like_a_mark_stay():
    assert reply_subject("Reste à charge : aide", "2026-042") == "Re: Reste à charge : aide [Q 2026-042]"
    assert reply_subject("Trajets", "2026-042") == "Re: Trajets [Q 2026-042]"


@given(st.text(max_size=400) | st.from_regex(r"(Re ?:|TR: |\[Q ?2026-0?4\]?|x| ){0,9}", fullmatch=True))
@example("[Q [Q 2026-042]2026-042]")
@example("é" * 300)
@example("a" * 196 + " [Q 2026-042")
def test_the_subject_of_a_reply_to_a_reply_is_the_same(subject: str):
    once = reply_subject(subject, "2026-042")
    assert reply_subject(once, "2026-042") == once
    assert reference_in(once) == "2026-042"
    assert once.count("[Q 2026-042]") == 1
    assert len(once.splitlines()) == 1


@pytest.mark.parametrize(
    "subject",
    [
        "[Q 2026-042]",
        "RE: aide [q2026-042]",
        "Re: aide [ Q\u00a02026 - 042 ]",
        "Re: aide (Q 2026-042)",
        "Re: aide [Q 2026\u2011042]",
        "Re: aide [Q n° 2026-42]",
        "aide Q 2026–042",
        "Re: aide [Q 2026-0042",
        "Re: aide [Q 2026-042]",
        "Suite de [Q 2025-001], aide [Q 2026-042]",
    ],
)
def test_a_reference_is_found_however_it_is_written(subject: str):
    assert reference_in(subject) == "2026-042"


@pytest.mark.parametrize("subject", ["", "2026-042", "FAQ 2026-042", "[Q 2026]", "[2026-042]", "Q 20260-42"])
def test_other_numbers_are_no_reference(subject: str):
    assert reference_in(subject) is None


def test_numbers_above_a_thousand_keep_their_digits():
    assert reference_in("Re: [Q 2026-1042]") == "2026-1042"


# -- fields


@pytest.mark.parametrize(
    "value",
    [
        OURS,
        f"  {OURS}\r\n",
        OURS[1:-1],
        OURS[:-1],
        OURS.replace("abc", "abc\r\n "),
        OURS.replace("abc", "abc\n\t"),
        OURS.replace("<", "=3C").replace(">", "=3E"),
        OURS.replace("<", "=3C").replace("@", "=40").replace(">", "=3E").replace("abc", "abc=\r\n"),
        "=?utf-8?q?=3Cq=2E2026-042=2Ek3j2h1abcdefg?=\r\n =?utf-8?q?hijklmnop=40exemple=2Efr=3E?=",
        "=?us-ascii?Q?" + OURS.replace("<", "=3C").replace(">", "=3E") + "?=",
        f"Votre message du 12 mars {OURS}",
        f'"{OURS[1:-1]}"',
    ],
)
def test_an_id_is_found_in_a_field_that_is_broken(value: str):
    assert ids_of(value) == (OURS,)


@pytest.mark.parametrize(
    "value",
    [
        "<a@x> <b@y>",
        "<a@x><b@y>",
        "<a@x>, <b@y>",
        "a@x, b@y",
        "<a@x b@y>",
        "<a@x <b@y>",
        "<a@x>\r\n\t<b@y> <a@x>",
        "a@x;\n b@y",
    ],
)
def test_several_ids_are_found_in_their_order(value: str):
    assert ids_of(value) == ("<a@x>", "<b@y>")


@pytest.mark.parametrize(
    "value", ["", "<>", "< >", "Bonjour", "<é@x.fr>", f"<{'k' * 300}@x>", "=?utf-8?q?=FF?=", "=?x-none?q?a?="]
)
def test_what_is_no_id_is_left(value: str):
    assert ids_of(value) == ()


def test_of_a_field_without_end_the_newest_are_looked_at():
    found = ids_of(" ".join(f"<{number}@x>" for number in range(50_000)))
    assert (len(found), found[-1]) == (200, "<49999@x>")


@given(IDS)
@example("<CAF=40x=3Cy+z@mail.exemple.org>")
def test_a_good_id_is_left_as_it_is(id: str):
    assert ids_of(id) == (id,)


@given(st.text())
def test_any_field_is_read_and_gives_ids_only(value: str):
    assert all(is_id(id) for id in ids_of(value))


def test_the_newest_message_that_is_answered_comes_first():
    fields = [("References", "<a@x> <b@x>\r\n <c@x>"), ("Subject", "<s@x>"), ("in-reply-to", "<c@x>")]
    assert ids_in(fields) == ("<c@x>", "<b@x>", "<a@x>")
    assert ids_in(fields[:1]) == ("<c@x>", "<b@x>", "<a@x>")
    assert ids_in(fields[1:2]) == ()


# -- mail programs

Client = Callable[[Message, EmailMessage], bytes]


def _keeps_all(received: Message, reply: EmailMessage) -> bytes:
    reply["In-Reply-To"] = received["Message-ID"]
    reply["References"] = f"{received['References'] or ''} {received['Message-ID']}".strip()
    return reply.as_bytes()


def _keeps_parent(received: Message, reply: EmailMessage) -> bytes:
    reply["In-Reply-To"] = received["Message-ID"]
    return reply.as_bytes()


def _keeps_references(received: Message, reply: EmailMessage) -> bytes:
    """As the standard library folds them: long ids in encoded words."""
    ids = f"{received['References'] or ''} {received['Message-ID']}".strip()
    reply["References"] = ids
    return reply.as_bytes()


def _keeps_subject(received: Message, reply: EmailMessage) -> bytes:
    return reply.as_bytes()


def _folds_badly(received: Message, reply: EmailMessage) -> bytes:
    id = received["Message-ID"]
    return f"In-Reply-To: {id[:20]}\r\n {id[20:]}\r\n".encode() + reply.as_bytes()


def _leaves_brackets(received: Message, reply: EmailMessage) -> bytes:
    ids = f"{received['References'] or ''} {received['Message-ID']}"
    return ("References: " + re.sub("[<>]", " ", ids) + "\r\n").encode() + reply.as_bytes()


CLIENTS: Sequence[Client] = (
    *(_keeps_all, _keeps_parent, _keeps_references, _keeps_subject, _folds_badly, _leaves_brackets),
)


@dataclass(frozen=True)
class Reply:
    """A message as the desk would read it."""

    sender: str
    subject: str
    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]

    @classmethod
    def of(cls, content: bytes) -> Reply:
        message = email.message_from_bytes(content, policy=email.policy.default)
        answered = ids_in([(name, str(value)) for name, value in message.raw_items()])
        return cls(
            sender=message["From"].addresses[0].addr_spec,
            subject=str(message["Subject"]),
            message_id=ids_of(message["Message-ID"])[0],
            in_reply_to=answered[0] if answered else None,
            references=tuple(reversed(answered)),
        )


class Desk:
    """What is kept of three questions, without a database."""

    def __init__(self) -> None:
        self.askers = {1: "ana@exemple.fr", 2: "bob@exemple.fr", 3: "cleo@exemple.fr"}
        self.references = {f"2026-{40 + number:03}": number for number in self.askers}
        self.messages: dict[str, int] = {}
        self.threads: dict[int, list[str]] = {number: [] for number in self.askers}

    def keep(self, question: int, message_id: str) -> None:
        self.messages[message_id] = question
        self.threads[question].append(message_id)

    def matched(self, reply: Reply) -> Match:
        return matched(
            reply,
            by_message_id=self.messages.get,
            by_reference=self.references.get,
            asker_of=self.askers.get,
        )


def write(outbox: Outbox, desk: Desk, question: int, subject: str, domain: str) -> Message:
    """An answer, as the program of the asker receives it."""
    reference = f"2026-{40 + question:03}"
    former = desk.threads[question]
    thread = Thread(new_message_id(reference, domain), former[-1] if former else None, tuple(former[:-1]))
    left: list[bytes] = []

    def way(_: int, message: EmailMessage) -> Mailed:
        left.append(message.as_bytes())
        return Mailed.SENT

    subject = reply_subject(subject, reference)
    outbox.put(desk.askers[question], subject, "Bonjour", thread=thread, auto=False)
    outbox.deliver(way)
    desk.keep(question, thread.message_id)
    return email.message_from_bytes(left[0], policy=email.policy.default)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from(CLIENTS), IDS), min_size=1, max_size=12
    ),
    subject=st.text(alphabet=st.characters(codec="latin-1", exclude_categories=["C"]), max_size=90),
    domain=st.sampled_from(["exemple.fr", "courriel.centre-de-ressources.tres-long-nom.exemple.fr"]),
)
def test_a_reply_finds_its_question_whatever_the_program_of_the_asker_keeps(
    database: Database,
    trail: Trail,
    steps: list[tuple[int, Client, str]],
    subject: str,
    domain: str,
):
    outbox, desk = Outbox(database, trail, sender=f"centre@{domain}", name="Centre"), Desk()
    for number, (question, client, own) in enumerate(steps):
        received = write(outbox, desk, question, subject, domain)
        reply = EmailMessage(policy=email.policy.SMTP)
        reply["From"] = f"Une personne <{desk.askers[question].upper()}>"
        reply["To"] = f"centre@{domain}"
        reply["Subject"] = f"RE : {received['Subject']}"
        id = own.replace("@", f".{number}@")
        reply.set_content("Merci")
        found = Reply.of(f"Message-ID: {id}\r\n".encode() + client(received, reply))
        assert desk.matched(found) == Match(
            question, True, Why.SUBJECT if client is _keeps_subject else Why.ANSWERS
        )
        assert found.message_id == id
        desk.keep(question, id)
        assert desk.matched(found) == Match(question, True, Why.SAME)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(former=st.lists(IDS, max_size=40, unique=True), parent=IDS)
def test_ids_come_out_of_a_sent_message_as_they_were_put(
    database: Database, trail: Trail, former: list[str], parent: str
):
    outbox = Outbox(database, trail, sender="centre@exemple.fr", name="Centre")
    thread = Thread(new_message_id("2026-042", "exemple.fr"), parent, tuple(former))
    left: list[bytes] = []

    def way(_: int, message: EmailMessage) -> Mailed:
        left.append(message.as_bytes())
        return Mailed.SENT

    outbox.put("ana@exemple.fr", "Sujet", "Texte", thread=thread)
    outbox.deliver(way)
    assert max(map(len, left[0].split(b"\r\n"))) < 998
    for policy in (email.policy.default, email.policy.compat32):
        read = email.message_from_bytes(left[0], policy=policy)
        assert ids_of(str(read["Message-ID"])) == (thread.message_id,)
        assert ids_of(str(read["In-Reply-To"])) == (parent,)
        assert ids_of(str(read["References"])) == thread.line()


# -- strangers


def incoming(sender: str, subject: str = "Re: aide [Q 2026-042]", answered: tuple[str, ...] = ()) -> Reply:
    return Reply(sender, subject, "<n@x>", answered[-1] if answered else None, answered)


def test_a_reference_counts_for_the_asker_alone():
    desk = Desk()
    assert desk.matched(incoming("Bob@Exemple.FR")) == Match(2, True, Why.SUBJECT)
    assert desk.matched(incoming("ana@exemple.fr")) == Match(2, False, Why.STRANGER)
    assert desk.matched(incoming("")) == Match(2, False, Why.STRANGER)


@pytest.mark.parametrize(
    "sender", ["mar\u212a@exemple.fr", "mark@exemple.fr.example.org", "mark@exemple", " "]
)
def test_an_address_that_looks_like_the_asker_s_is_another(sender: str):
    found = matched(
        incoming(sender),
        by_message_id={}.get,
        by_reference={"2026-042": 7}.get,
        asker_of={7: "mark@exemple.fr"}.get,
    )
    assert found == Match(7, False, Why.STRANGER)


def test_a_question_without_an_asker_takes_nothing_by_its_reference():
    found = matched(
        incoming(""), by_message_id={}.get, by_reference={"2026-042": 7}.get, asker_of=lambda _: None
    )
    assert found == Match(7, False, Why.STRANGER)


def test_an_answer_from_another_address_is_told_from_the_asker_s():
    desk = Desk()
    desk.keep(2, OURS)
    found = desk.matched(incoming("collegue@exemple.fr", "Sujet", (OURS,)))
    assert found == Match(2, True, Why.ANSWERS_FOR)


def test_the_newest_id_decides_and_ids_decide_before_the_subject():
    desk = Desk()
    desk.keep(1, "<one@x>")
    desk.keep(3, "<three@x>")
    found = desk.matched(incoming("cleo@exemple.fr", answered=("<one@x>", "<three@x>", "<else@x>")))
    assert found == Match(3, True, Why.ANSWERS)


def test_what_nothing_ties_to_a_question_is_new():
    desk = Desk()
    assert desk.matched(incoming("ana@exemple.fr", "Bonjour", ("<z@x>",))) == Match(None, True, Why.NEW)
    assert desk.matched(incoming("ana@exemple.fr", "[Q 1999-001]")) == Match(None, True, Why.UNKNOWN)
