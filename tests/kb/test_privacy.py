"""What is forgotten: a canary is put everywhere that a person may leave something, and looked for in every
byte that is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from kb import config as settings
from kb.accounts import People, Role
from kb.answers import Answers
from kb.askers import Askers
from kb.audit import Action, Wanted
from kb.database import Store
from kb.desk import Desk
from kb.desk import Wanted as Sought
from kb.desk_merging import merge
from kb.errors import NotFound
from kb.mail import Outbox, Spool
from kb.privacy import Cause, Privacy
from kb.publishing import Copy, Publications, digest
from kb.questions import Asked, Channel, Enclosure, Question, QuestionState, Said
from kb.records import Page
from kb.servicelog import StepKind
from kb.traces import Traces
from kb.versions import Versions
from kb.workdays import from_config

S = QuestionState
CALENDAR = from_config("FR-MQ", "", "America/Martinique")
START = datetime(2024, 3, 4, 14, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EMAIL, NAME, PHONE = "canari.zwyx@exemple.fr", "Ondine Canarizwyx", "0696 98 76 54"
CANARIES = (b"zwyx", b"ondine", b"0696 98 76 54", b"0696987654")
WORDS = f"Je suis {NAME}, {EMAIL}, {PHONE}. Quelle aide pour un jardin partagé ?"


class Place:
    """A desk with all that a person may leave something in."""

    def __init__(self, folder: Path) -> None:
        self.config = settings.load(folder, {})
        self.store = Store.open(self.config)
        database, self.trail = self.store.database, self.store.trail
        self.database = database
        self.people = People(database, self.trail)
        self.lea = self.people.add("lea@exemple.fr", "Léa", [Role.ANSWERER]).id
        self.desk = Desk(database, self.trail, CALENDAR, 3)
        self.answers = Answers(database, self.desk.log)
        self.askers = Askers(database)
        self.outbox = Outbox(database, self.trail, sender="centre@exemple.fr", name="Centre")
        self.spool = Spool(self.config.spool)
        self.copies = Publications(self.store, self.desk, centre="vc", name="Centre", second_reader=False)
        self.privacy = self.forgetting(lambda text: text)

    def forgetting(self, anonymise, months: int = 24) -> Privacy:  # type: ignore[no-untyped-def]
        return Privacy(self.database, self.trail, self.desk, anonymise, months=months, spool=self.spool)

    def canary(self) -> int:
        id = self.askers.known(EMAIL, NAME, PHONE, now=START)
        assert id is not None
        return id

    def asked(self, asker: int | None, at: datetime = START, text: str = WORDS) -> Question:
        return self.desk.receive(Asked(text=text, context=f"Contexte de {NAME}", consent=True), asker, now=at)

    def answered(self, question: Question, at: datetime, body: str = "Bonjour") -> None:
        self.desk.claim(question.id, self.lea, now=at)
        held = self.answers.get(question.id)
        self.answers.save(question.id, body, held.version, person=self.lea, without_source=NAME, now=at)
        self.desk.move(question.id, S.ANSWERED, person=self.lea, kind=StepKind.ANSWERED, now=at)
        self.answers.mark_sent(question.id, now=at)

    def everywhere(self, asker: int, at: datetime = START) -> Question:
        """A question that has left something in every place."""
        question = self.asked(asker, at)
        file = Enclosure(name=f"{NAME}.txt", media_type="text/plain", content=WORDS.encode())
        said = Said(text=WORDS, channel=Channel.EMAIL, subject=NAME, quoted=WORDS, enclosures=(file,))
        self.desk.hear(question.id, said, now=at)
        self.desk.write(question.id, Said(text=f"Bonjour {NAME}", channel=Channel.EMAIL), now=at)
        self.desk.note(question.id, f"{NAME} a rappelé au {PHONE}", person=self.lea, now=at)
        self.answers.keep_draft(question.id, self.lea, f"Bonjour {NAME}", 0, now=at)
        self.answered(question, at + DAY, f"Bonjour Madame {NAME.split()[1]}, appelez le {PHONE}.")
        self.answers.keep_draft(question.id, self.lea, f"Bonjour {NAME}", 1, now=at)
        self.copies.prepare(question.id, Copy(title=NAME, text=WORDS, body=WORDS), 0, person=self.lea)
        self.outbox.put(EMAIL, "Accusé", f"Bonjour {NAME}")
        self.outbox.put(EMAIL, f"Re: {NAME}", f"Bonjour {NAME}")
        self.outbox.put("lea@exemple.fr", f"Question {question.reference}", f"Début : « {WORDS} »")
        late = f"Bonjour,\n\n{'x' * 60} {question.reference}, en retard : « {WORDS} »"
        self.outbox.put("lea@exemple.fr", "1 question en retard", late)
        return question

    def bytes_left(self) -> bytes:
        """All that is in the folder, the database without what was deleted in it."""
        with self.database.engine.connect() as connection:
            raw = connection.connection.driver_connection
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found = b"".join(p.read_bytes() for p in sorted(self.config.data.rglob("*")) if p.is_file())
        return found.lower()

    def cells(self) -> str:
        """Every cell of every table."""
        with self.database.reading() as connection:
            names = sa.inspect(connection).get_table_names()
            rows = [row for name in names for row in connection.execute(sa.text(f'SELECT * FROM "{name}"'))]
        return "\n".join(str(cell) for row in rows for cell in row).lower()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.store.close()


def left(place: Place) -> list[bytes]:
    kept = place.bytes_left()
    return [canary for canary in CANARIES if canary in kept]


def test_the_canaries_are_seen_before_anything_is_forgotten(place: Place) -> None:
    place.everywhere(place.canary())
    place.outbox.deliver(place.spool.put)
    assert set(left(place)) >= {b"zwyx", b"ondine", b"0696 98 76 54"}


# -- at the person's request


@pytest.mark.parametrize("delivered", [False, True])
def test_nothing_of_an_erased_person_is_left_anywhere(place: Place, delivered: bool) -> None:
    asker = place.canary()
    question = place.everywhere(asker)
    other = place.outbox.put("lea@exemple.fr", "Question 2024-0019", "Une autre question")
    if delivered:
        place.outbox.deliver(place.spool.put)
    with capture_logs() as logs:
        place.privacy.erase(asker, now=NOW)
    assert left(place) == []
    assert not any(canary.decode() in str(logs).lower() for canary in CANARIES)
    assert [letter.id for letter in place.outbox.lines()] == [other]
    assert len(list(place.config.spool.glob("*.eml"))) == delivered
    assert place.trail.verify()[1] == []
    with pytest.raises(NotFound):
        place.askers.get(asker)
    held = place.desk.get(question.id)
    assert (held.asker, held.anonymised, held.state) == (None, NOW, S.ANSWERED)
    assert held.follow != question.follow
    assert "jardin partagé" in held.text
    assert [step.kind for step in place.desk.log.of(question.id)][:2] == [StepKind.RECEIVED, StepKind.HEARD]


def test_an_erasure_is_in_the_ledger_and_in_the_trail_without_who(place: Place) -> None:
    asker = place.canary()
    question = place.everywhere(asker)
    place.privacy.erase(asker, now=NOW)
    [line] = place.privacy.ledger()
    assert (line.why, line.at, line.questions) == (Cause.REQUEST, NOW, (question.reference,))
    assert line.counts == {
        "questions": 1, "answers": 1, "copies": 1, "exchanges": 2, "enclosures": 1, "notes": 1, "drafts": 1,
        "askers": 1, "messages": 4,
    }  # fmt: skip
    [noted] = place.trail.lines(Wanted(action=Action.ASKER_ERASED))
    assert (noted.object, noted.after) == (f"demandeur:{asker}", {"why": "request"})


def test_an_answer_that_was_sent_stays_sent_when_the_name_goes_out_of_it(place: Place) -> None:
    asker = place.canary()
    question = place.everywhere(asker)
    place.privacy.erase(asker, now=NOW)
    answer = place.answers.get(question.id)
    assert answer.is_sent
    assert answer.body == "Bonjour Madame [nom], appelez le [téléphone]."


def test_neither_what_is_not_seen_nor_a_mark_of_markdown_hides_somebody(place: Place) -> None:
    asker = place.askers.known("ondine_z@exemple.fr", NAME, now=START)
    text = (
        "Ondine\u200b Canari\u00adzwyx, ondine\\_z\\@exemple.fr, **Canarizwyx** ou _Ondine_, du ma\u00adrin."
    )
    question = place.asked(asker, text=text)
    place.answered(question, START + DAY, text)
    place.privacy.erase(asker, now=NOW)
    clean = "[nom] [nom], [courriel], **[nom]** ou _[nom]_, du marin."
    assert (place.desk.get(question.id).text, place.answers.get(question.id).body) == (clean, clean)


def test_a_word_with_something_unseen_in_it_is_nobody(place: Place) -> None:
    asker = place.askers.get(place.canary())
    assert not Traces(asker).stand_in("Un jar\u00addin\u200b partagé")
    assert Traces(asker).stand_in("Mme Canari\u00adzwyx")


def test_the_anonymiser_has_the_last_word_on_what_nobody_knew(place: Place) -> None:
    asker = place.canary()
    question = place.asked(asker, text=f"{NAME} et son fils Zébulon ?")
    place.forgetting(lambda text: text.replace("Zébulon", "[prénom]")).erase(asker)
    held = place.desk.get(question.id)
    assert held.text == "[nom] [nom] et son fils [prénom] ?"
    assert place.desk.count(Sought(words="zebulon")) == 0


def test_a_failure_in_the_middle_leaves_everything_as_it_was(place: Place) -> None:
    asker = place.canary()
    place.everywhere(asker)
    place.everywhere(asker)
    place.outbox.deliver(place.spool.put)
    before, letters = place.cells(), sorted(place.config.spool.iterdir())
    times: list[str] = []

    def fails(text: str) -> str:
        times.append(text)
        if len(times) > 9:
            raise RuntimeError("stop")
        return text

    with pytest.raises(RuntimeError):
        place.forgetting(fails).erase(asker)
    assert place.cells() == before
    assert sorted(place.config.spool.iterdir()) == letters
    assert place.privacy.ledger() == ()


def test_letters_that_a_killed_process_left_are_swept(place: Place) -> None:
    place.outbox.put("lea@exemple.fr", "Bonjour", "Un autre message")
    place.outbox.deliver(place.spool.put)
    (place.config.spool / "000077.eml").write_text(WORDS)
    assert place.privacy.sweep_letters() == 1
    assert left(place) == []
    assert len(list(place.config.spool.glob("*.eml"))) == 1


def test_what_was_published_stays_and_is_told_when_it_names_the_person(place: Place) -> None:
    asker = place.canary()
    question = place.asked(asker)
    place.answered(question, START + DAY)
    copy = place.copies.prepare(
        question.id, Copy(title="Jardin", text=f"Question de {NAME}", body="Oui"), 0, person=place.lea
    )
    record = place.copies.publish(
        question.id, copy.version, [Page(1, "Oui")], (), person=place.lea, now=START + DAY
    )
    assert place.privacy.named_in(asker) == (question.reference,)
    place.privacy.erase(asker)
    assert NAME in (place.store.get(record).abstract or "")
    assert place.copies.get(question.id).text == f"Question de {NAME}"
    assert place.desk.get(question.id).state is S.PUBLISHED


def test_what_is_public_is_told_though_another_copy_is_being_prepared(place: Place) -> None:
    asker = place.canary()
    question = place.asked(asker)
    place.answered(question, START + DAY)
    first = Copy(title="Jardin", text=f"Question de {NAME}", body="Oui")
    copy = place.copies.prepare(question.id, first, 0, person=place.lea)
    place.copies.publish(question.id, copy.version, [Page(1, "Oui")], (), person=place.lea)
    mended = Copy(title="Jardin", text="Une question", body="Oui")
    place.copies.prepare(question.id, mended, copy.version, person=place.lea)
    assert place.privacy.named_in(asker) == (question.reference,)


def test_a_published_answer_in_other_words_names_nobody(place: Place) -> None:
    asker = place.canary()
    question = place.asked(asker)
    place.answered(question, START + DAY)
    copy = place.copies.prepare(
        question.id, Copy(title="Jardin", text="Une question", body="Oui"), 0, person=place.lea
    )
    place.copies.publish(question.id, copy.version, [Page(1, "Oui")], (), person=place.lea)
    assert place.privacy.named_in(asker) == ()
    now_begun = Copy(title=NAME, text="Une question", body=f"Chère {NAME}")
    place.copies.prepare(question.id, now_begun, copy.version, person=place.lea)
    assert place.privacy.named_in(asker) == ()
    place.privacy.erase(asker)
    assert left(place) == []
    assert place.copies.get(question.id).shown == "Oui"


def test_former_versions_that_name_the_person_are_forgotten(place: Place) -> None:
    asker = place.canary()
    question = place.asked(asker)
    place.answered(question, START + DAY)
    for version, text in ((0, f"Question de {NAME}"), (1, "Une question")):
        held = place.copies.prepare(
            question.id, Copy(title="Jardin", text=text, body="Oui"), version, person=place.lea
        )
        place.copies.publish(question.id, held.version, [Page(1, "Oui")], (), person=place.lea)
    place.copies.withdraw(question.id, person=place.lea)
    history = Versions(place.database)
    assert [NAME in str(one.record.abstract) for one in history.of("vc:1")] == [False, True]
    place.privacy.erase(asker, now=NOW)
    assert [one.record.abstract for one in history.of("vc:1")] == ["Une question"]
    assert place.privacy.ledger()[0].counts["versions"] == 1


def test_words_that_became_a_part_of_somebody_elses_question_are_forgotten_there(place: Place) -> None:
    asker = place.canary()
    gone = place.asked(asker)
    place.desk.hear(gone.id, Said(text=WORDS, channel=Channel.TELEPHONE))
    place.desk.note(gone.id, f"{NAME} insiste")
    other = place.askers.known("autre@exemple.fr", "Quelqu’un")
    whole = place.asked(other, text="Une question d’un autre")
    place.desk.change(whole.id, 1, Asked(text="Une question d’un autre"))
    place.desk.hear(whole.id, Said(text="Une précision", channel=Channel.EMAIL))
    merge(gone.id, whole.id, desk=place.desk, database=place.database)
    place.privacy.erase(asker)
    assert left(place) == []
    assert [said.text for said in place.desk.exchanges(whole.id)] == ["Une précision"]
    assert place.desk.get(whole.id).asker == other


def test_a_person_who_is_not_there_cannot_be_erased(place: Place) -> None:
    with pytest.raises(NotFound):
        place.privacy.erase(3)
    assert place.privacy.ledger() == ()


# -- what is handed to them


def test_all_that_is_held_of_a_person_is_handed_to_them_without_the_notes(place: Place) -> None:
    asker = place.canary()
    question = place.everywhere(asker)
    part = place.asked(asker, text="Encore moi")
    merge(part.id, question.id, desk=place.desk, database=place.database)
    told = place.privacy.everything(asker)
    assert (told["email"], told["name"], told["phone"]) == (EMAIL, NAME, PHONE)
    assert [one["reference"] for one in told["questions"]] == [part.reference, question.reference]
    whole = told["questions"][1]
    assert whole["question"] == WORDS
    assert whole["answer"].startswith("Bonjour Madame")
    assert [said["from"] for said in whole["exchanges"]] == ["asker", "centre", "asker"]
    assert whole["exchanges"][0]["files"] == [f"{NAME}.txt"]
    assert "a rappelé" not in json.dumps(told, ensure_ascii=False)
    [line] = place.trail.lines(Wanted(action=Action.ASKER_EXPORTED))
    assert (line.object, line.after) == (f"demandeur:{asker}", {"questions": 2})


# -- when the time has come


def test_nothing_of_who_asked_is_left_once_the_time_is_over(place: Place) -> None:
    place.everywhere(place.canary())
    place.outbox.deliver(place.spool.put)
    assert place.privacy.overdue(now=NOW) == 1
    assert place.privacy.expire(now=NOW) == 1
    assert left(place) == []
    assert place.privacy.overdue(now=NOW) == place.privacy.expire(now=NOW) == 0
    assert place.trail.verify()[1] == []
    assert [line.why for line in place.privacy.ledger()] == [Cause.RETENTION, Cause.RETENTION]


def test_the_day_on_which_a_question_is_forgotten_is_the_one_that_was_told(place: Place) -> None:
    question = place.asked(place.canary())
    assert place.privacy.forgotten_on([question.id]) == {}
    place.answered(question, datetime(2024, 2, 29, 23, tzinfo=UTC))
    told = place.privacy.forgotten_on([question.id])[question.id]
    assert told == date(2026, 3, 1)
    noon = datetime(told.year, told.month, told.day, 12, tzinfo=UTC)
    assert (place.privacy.overdue(now=noon - DAY), place.privacy.overdue(now=noon)) == (0, 1)


@pytest.mark.parametrize(
    "ended", [date(2023, 2, 28), date(2022, 1, 30), date(2022, 8, 31), date(2023, 12, 31)]
)
@pytest.mark.parametrize("months", [1, 6, 12])
def test_at_the_end_of_a_month_too_the_day_is_the_one_that_was_told(
    place: Place, ended: date, months: int
) -> None:
    question, privacy = place.asked(place.canary(), START - 900 * DAY), place.forgetting(str, months)
    place.answered(question, datetime(ended.year, ended.month, ended.day, 12, tzinfo=UTC))
    told = privacy.forgotten_on([question.id])[question.id]
    noon = datetime(told.year, told.month, told.day, 12, tzinfo=UTC)
    assert (privacy.overdue(now=noon - DAY), privacy.overdue(now=noon)) == (0, 1)


def test_no_digest_of_a_name_that_was_kept_is_left_in_a_copy(place: Place) -> None:
    asker = place.canary()
    question = place.everywhere(asker)
    copy = Copy(title="Une aide ?", text=WORDS, body="La ville.", kept=frozenset({digest("name", NAME)}))
    place.copies.prepare(question.id, copy, 1, person=place.lea)
    place.privacy.erase(asker, now=NOW)
    assert place.copies.get(question.id).kept == frozenset()
    assert digest("name", NAME) not in place.cells()


@pytest.mark.parametrize("state", [S.RECEIVED, S.IN_HAND, S.WAITING])
def test_a_question_that_is_owed_an_answer_is_never_forgotten(place: Place, state: QuestionState) -> None:
    question = place.asked(place.canary())
    for after in (S.IN_HAND, S.WAITING):
        if place.desk.get(question.id).state is not state:
            place.desk.move(question.id, after, now=START)
    assert place.privacy.expire(now=NOW) == 0
    assert place.desk.get(question.id).text == WORDS


def test_the_time_counts_from_the_last_answer_not_from_the_first(place: Place) -> None:
    question = place.asked(place.canary())
    place.answered(question, START + DAY)
    place.desk.hear(question.id, Said(text="Et aussi ?", channel=Channel.EMAIL), now=NOW - 3 * DAY)
    if place.desk.get(question.id).state is not S.IN_HAND:
        place.desk.move(question.id, S.IN_HAND, now=NOW - 3 * DAY)
    place.answered(question, NOW - 2 * DAY)
    assert place.privacy.expire(now=NOW) == 0
    place.desk.move(question.id, S.CLOSED, now=NOW)
    assert place.privacy.forgotten_on([question.id]) == {question.id: date(2028, 11, 23)}


def test_what_is_said_to_a_question_that_is_done_is_not_forgotten_unread(place: Place) -> None:
    question = place.asked(place.canary())
    place.answered(question, NOW - 731 * DAY)
    place.desk.hear(question.id, Said(text="Encore moi", channel=Channel.EMAIL), now=NOW)
    if place.desk.get(question.id).is_open:
        place.desk.move(question.id, S.CLOSED, now=NOW)
    assert place.privacy.overdue(now=NOW + DAY) == place.privacy.expire(now=NOW + DAY) == 0
    assert [said.text for said in place.desk.exchanges(question.id)] == ["Encore moi"]
    assert place.privacy.forgotten_on([question.id]) == {question.id: date(2028, 11, 25)}


def test_closing_what_was_answered_long_ago_does_not_keep_it_longer(place: Place) -> None:
    question = place.asked(place.canary())
    place.answered(question, START + DAY)
    place.desk.move(question.id, S.CLOSED, now=NOW - DAY)
    assert place.privacy.expire(now=NOW) == 1


def test_somebody_who_asked_again_lately_is_kept_with_the_younger_question(place: Place) -> None:
    asker = place.canary()
    old = place.asked(asker)
    place.answered(old, START + DAY)
    young = place.asked(asker, NOW - DAY)
    letter = place.outbox.put(EMAIL, f"Question {young.reference}", "Bonjour")
    place.outbox.put(EMAIL, f"Question {old.reference}", "Bonjour")
    assert place.privacy.expire(now=NOW) == 1
    assert place.askers.get(asker).name == NAME
    assert (place.desk.get(old.id).asker, place.desk.get(young.id).asker) == (None, asker)
    assert NAME not in place.desk.get(old.id).text
    assert place.desk.get(young.id).text == WORDS
    assert [line.id for line in place.outbox.lines()] == [letter]


def test_what_was_added_to_a_forgotten_question_is_forgotten_too(place: Place) -> None:
    question = place.asked(place.canary())
    place.answered(question, START + DAY)
    place.privacy.expire(now=NOW)
    place.desk.note(question.id, f"{NAME} a rappelé", person=place.lea)
    assert place.privacy.expire(now=NOW) == 1
    place.desk.set_asker(question.id, place.canary())
    assert place.privacy.expire(now=NOW) == 1
    assert left(place) == []
    place.desk.hear(question.id, Said(text=WORDS, channel=Channel.EMAIL), now=NOW + DAY)
    place.desk.move(question.id, S.CLOSED, now=NOW + DAY)
    assert place.privacy.expire(now=NOW + DAY) == 0
    assert place.privacy.expire(now=NOW + 800 * DAY) == 1


def test_a_part_is_forgotten_with_its_whole_and_not_before(place: Place) -> None:
    asker = place.canary()
    part, whole = place.asked(asker, text=f"{WORDS} bis"), place.asked(asker)
    merge(part.id, whole.id, desk=place.desk, database=place.database, now=START)
    assert place.privacy.expire(now=NOW) == 0
    place.answered(whole, START + DAY)
    assert place.privacy.expire(now=NOW) == 2
    assert left(place) == []


def test_a_person_without_any_question_is_forgotten_after_a_day(place: Place) -> None:
    place.canary()
    place.askers.known("neuf@exemple.fr", now=NOW)
    place.privacy.expire(now=NOW + timedelta(hours=1))
    assert left(place) == []
    assert place.askers.by_email("neuf@exemple.fr")


def test_expiring_goes_on_where_it_was_interrupted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.privacy._AT_ONCE", 2)
    asker = place.canary()
    asked = [place.asked(asker) for _ in range(5)]
    for question in asked:
        place.answered(question, START + DAY)
    times: list[str] = []

    def fails(text: str) -> str:
        times.append(text)
        if len(times) == 14:  # four texts of each question: in the second portion
            raise RuntimeError("stop")
        return text

    with pytest.raises(RuntimeError):
        place.forgetting(fails).expire(now=NOW)
    assert place.privacy.overdue(now=NOW) == 3
    assert len(place.privacy.ledger()) == 1
    assert place.privacy.expire(now=NOW) == 3
    assert left(place) == []
    told = [reference for line in place.privacy.ledger() for reference in line.questions]
    assert sorted(told) == sorted(question.reference for question in asked)


def test_the_ledger_comes_in_pages_the_latest_first(place: Place) -> None:
    for _ in range(3):
        place.privacy.erase(place.canary())
    ids = [line.id for line in place.privacy.ledger()]
    assert ids == sorted(ids, reverse=True)
    assert [line.id for line in place.privacy.ledger(1, 1)] == [ids[1]]


# -- people of the centre


def test_somebody_of_the_centre_can_be_erased_who_had_questions_and_drafts(place: Place) -> None:
    question = place.asked(None, text="Une question")
    place.desk.claim(question.id, place.lea)
    place.answers.keep_draft(question.id, place.lea, "Signé Léa", 0)
    place.people.erase(place.lea)
    with place.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    assert place.answers.draft(question.id, place.lea) is None
    assert place.desk.load() == {place.lea: 1}
    assert place.people.get(place.lea).name.startswith("Compte effacé")
