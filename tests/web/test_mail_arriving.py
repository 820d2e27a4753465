"""Messages that arrive when nobody is there to decide: what is sure joins its question, nothing is lost."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from kb import config as settings
from kb.desk import Wanted
from kb.errors import UnreadableDocument
from kb.questions import Asked, QuestionState
from web import desk_letters
from web.mail_arriving import arrive
from web.parts import Parts


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "kb.toml").write_text('desk_to = "equipe@exemple.fr"\n')
    opened = Parts(settings.load(tmp_path, {}))
    yield opened
    opened.close()


@pytest.fixture
def question(parts):
    """One whose asker was asked something by mail."""
    held = parts.desk.receive(Asked(text="Une aide ?"), parts.askers.known("zwyx@exemple.fr", "Ondine"))
    parts.desk.move(held.id, QuestionState.IN_HAND)
    desk_letters.write(parts, held, "Quelle commune ?")
    parts.desk.move(held.id, QuestionState.WAITING)
    return held


SENT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)


def mail(text="Bonjour", sender="zwyx@exemple.fr", subject="Bonjour", **fields):
    head = {"From": sender, "To": "centre@exemple.fr", "Subject": subject, "Message-ID": "<m1@exemple.fr>"}
    head |= {"Date": format_datetime(SENT)} | {k.replace("_", "-"): v for k, v in fields.items()}
    lines = "\n".join(f"{name}: {value}" for name, value in head.items())
    return io.BytesIO(f"{lines}\n\n{text}\n".encode())


def sent_id(parts, question):
    return next(said.message_id for said in parts.desk.exchanges(question.id) if said.message_id)


def count(parts):
    return parts.desk.count(Wanted(states=()))


def test_an_answer_joins_its_question_which_is_in_hand_again(parts, question):
    answered = mail("Le Lamentin", In_Reply_To=sent_id(parts, question))
    assert arrive(parts, answered).id == question.id
    assert "Le Lamentin" in [said.text for said in parts.desk.exchanges(question.id)]
    assert parts.desk.get(question.id).state is QuestionState.IN_HAND
    assert parts.desk.notes(question.id) == ()
    assert count(parts) == 1
    assert list(parts.reception) == []


def test_an_answer_from_another_address_joins_it_and_says_so(parts, question):
    arrive(parts, mail(sender="autre@exemple.fr", In_Reply_To=sent_id(parts, question)))
    [note] = parts.desk.notes(question.id)
    assert "autre@exemple.fr" in note.text


def test_a_machine_moves_no_question_and_is_noted(parts, question):
    reply = mail("Absente", In_Reply_To=sent_id(parts, question), Auto_Submitted="auto-replied")
    arrive(parts, reply)
    assert parts.desk.get(question.id).state is QuestionState.WAITING
    assert "Absente" in parts.desk.notes(question.id)[0].text


def test_the_asker_who_names_the_reference_is_heard(parts, question):
    found = arrive(parts, mail(subject=f"Re: [Q {question.reference}]"))
    assert found.id == question.id


def test_a_stranger_who_names_the_reference_asks_a_question_of_their_own(parts, question):
    found = arrive(parts, mail(sender="autre@exemple.fr", subject=f"[Q {question.reference}]"))
    assert found.id != question.id
    assert question.reference in parts.desk.notes(found.id)[0].text
    assert parts.desk.get(question.id).state is QuestionState.WAITING


def test_a_new_message_is_a_question_its_writer_and_the_desk_are_told(parts):
    found = arrive(parts, mail("Quelle aide ?\n\nMerci", subject="Un jardin"))
    assert found.text.startswith("Quelle aide ?")
    assert "Un jardin" in found.context
    assert found.received == SENT
    recipients = [line.recipient for line in parts.outbox.lines()]
    assert sorted(recipients) == ["equipe@exemple.fr", "zwyx@exemple.fr"]


def test_a_machine_that_asks_is_not_answered(parts):
    found = arrive(parts, mail("Bulletin", Auto_Submitted="auto-generated"))
    assert [line.recipient for line in parts.outbox.lines()] == ["equipe@exemple.fr"]
    assert any("machine" in note.text for note in parts.desk.notes(found.id))


def test_a_writer_without_a_readable_address_asks_all_the_same(parts):
    found = arrive(parts, mail("Quelle aide ?", sender="=?utf-8?q?nobody?="))
    assert found.text == "Quelle aide ?"


def test_the_same_message_is_taken_once(parts):
    assert arrive(parts, mail()) is not None
    assert arrive(parts, mail()) is None
    assert count(parts) == 1


def test_what_cannot_be_read_is_not_kept(parts):
    with pytest.raises(UnreadableDocument):
        arrive(parts, io.BytesIO(b""))
    assert (count(parts), list(parts.reception)) == (0, [])


def test_a_clock_that_is_wrong_makes_no_question_of_another_century(parts):
    found = arrive(parts, mail("Quelle aide ?", Date="Mon, 2 Jan 1995 10:00:00 +0000"))
    assert datetime.now(UTC) - found.received < timedelta(minutes=1)
    assert not found.reference.startswith("1995")


def test_an_answer_cannot_come_before_its_question(parts, question):
    arrive(parts, mail("Le Lamentin", In_Reply_To=sent_id(parts, question)))
    assert parts.desk.exchanges(question.id)[-1].at >= question.received
    assert parts.desk.get(question.id).due >= question.due


def test_receipts_do_not_fill_the_box_of_somebody_whose_address_others_type(parts):
    for number in range(5):
        arrive(parts, mail(f"Question {number} ?", Message_ID=f"<m{number}@exemple.fr>"))
    recipients = [line.recipient for line in parts.outbox.lines()]
    assert recipients.count("zwyx@exemple.fr") == desk_letters.RECEIPTS.most == 3
    assert count(parts) == recipients.count("equipe@exemple.fr") == 5
