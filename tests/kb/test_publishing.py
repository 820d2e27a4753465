"""Publications: what is public stays what somebody made public, until somebody else says otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.database import Store
from kb.desk import Desk
from kb.errors import Conflict, InvalidValue, MoveRefused, NotFound
from kb.publishing import Copy, Publications, Stage, Why, after_months, digest
from kb.questions import Asked, Question, QuestionState
from kb.records import Origin, Page, State
from kb.servicelog import StepKind
from kb.workdays import from_config

CALENDAR = from_config("FR-MQ", "", "America/Martinique")
NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
LATE = datetime(2026, 3, 3, 2, tzinfo=UTC)  # still the evening of the 2nd there
COPY = Copy(title="Qui finance un jardin ?", text="Quelle aide pour un jardin ?", body="La ville.")
PAGES = (Page(1, "Quelle aide pour un jardin ? La ville."),)
THEME = "https://carbet.example/thesaurus/T08"


@pytest.fixture
def store(empty_database: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(empty_database, tmp_path / "kb.sqlite")
    opened = Store(f"sqlite:///{tmp_path / 'kb.sqlite'}", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store.database, store.trail, CALENDAR, 3)


def publications(store: Store, desk: Desk, *, second_reader: bool = False) -> Publications:
    return Publications(store, desk, centre="vc", name="Ville Caraïbe", second_reader=second_reader)


@pytest.fixture
def public(store: Store, desk: Desk) -> Publications:
    return publications(store, desk)


def answered(desk: Desk, *, consent: bool = True) -> Question:
    question = desk.receive(Asked(text="Quelle aide pour un jardin ?", consent=consent), None, now=NOW)
    desk.move(question.id, QuestionState.IN_HAND, now=NOW)
    return desk.move(question.id, QuestionState.ANSWERED, kind=StepKind.ANSWERED, now=NOW)


def published(public: Publications, desk: Desk, copy: Copy = COPY, now: datetime = NOW) -> tuple[int, str]:
    question = answered(desk)
    held = public.prepare(question.id, copy, 0, person=1, now=now)
    return question.id, public.publish(question.id, held.version, PAGES, [THEME], person=1, now=now)


def kinds(desk: Desk, question: int) -> list[StepKind]:
    return [step.kind for step in desk.log.of(question)]


# -- preparing


def test_a_copy_is_kept_as_it_was_made_with_what_was_decided(public: Publications, desk: Desk) -> None:
    question = answered(desk)
    kept = frozenset({digest("name", "Anne"), digest("name", "Marc")})
    copy = Copy(
        title="  Qui\n paie ? ", text="a\r\nb ", body="c", access="staff", themes=("T1", "T2"), kept=kept
    )
    held = public.prepare(question.id, copy, 0, person=7, now=NOW)
    assert (held.title, held.text, held.body, held.access) == ("Qui paie ?", "a\nb", "c", "staff")
    assert (held.themes, held.kept, held.person, held.at) == (("T1", "T2"), kept, 7, NOW)
    assert (held.stage, held.version, held.record, held.shown) == (Stage.DRAFT, 1, None, None)
    assert public.get(question.id) == held
    assert StepKind.PREPARED in kinds(desk, question.id)


def test_the_words_that_were_kept_are_nowhere_in_what_is_remembered_of_them() -> None:
    assert "Anne" not in digest("name", "Anne")
    assert digest("name", "Anne") != digest("phone", "Anne")


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", " "), ("text", ""), ("body", "\n"), ("access", "onsite"), ("title", "x" * 201)],
)
def test_a_copy_without_its_texts_or_for_nobody_is_refused(
    public: Publications, desk: Desk, field: str, value: str
) -> None:
    question = answered(desk)
    values = {"title": COPY.title, "text": COPY.text, "body": COPY.body, "access": "public", field: value}
    with pytest.raises(InvalidValue) as error:
        public.prepare(question.id, Copy(**values), 0, person=1)  # type: ignore[arg-type]
    assert error.value.field == field
    with pytest.raises(NotFound):
        public.get(question.id)


def test_a_title_is_one_line_and_keeps_its_no_break_spaces(public: Publications, desk: Desk) -> None:
    copy = Copy(title="  Qui  finance\n un jardin\u202f? ", text="Q", body="R")
    held = public.prepare(answered(desk).id, copy, 0, person=1, now=NOW)
    assert held.title == "Qui finance un jardin\u202f?"


def test_who_prepares_from_an_older_copy_is_told_and_the_other_one_stays(
    public: Publications, desk: Desk
) -> None:
    question = answered(desk)
    public.prepare(question.id, COPY, 0, person=1)
    for version in (0, 2):
        with pytest.raises(Conflict):
            public.prepare(question.id, Copy(title="a", text="b", body="c"), version, person=2)
    assert public.get(question.id).title == COPY.title


def test_there_is_no_copy_of_a_question_that_is_not(public: Publications) -> None:
    with pytest.raises(NotFound):
        public.prepare(99, COPY, 0, person=1)


# -- publishing


def test_what_is_published_is_a_record_with_its_question_themes_and_pages(
    public: Publications, desk: Desk, store: Store
) -> None:
    id, record = published(public, desk, now=LATE)
    found = store.get(record)
    assert (found.title, found.abstract, found.type) == (COPY.title, COPY.text, "question")
    assert found.date == "2026-03-02"  # the day at the centre
    assert found.identifiers == {"question": desk.get(id).reference}
    assert [(s.concept, s.origin, s.state) for s in found.subjects] == [
        (THEME, Origin.LIBRARIAN, State.ACCEPTED)
    ]
    assert store.page(record, 1).text == PAGES[0].text
    held = public.of_record(record)
    assert (held.stage, held.shown, held.published) == (Stage.PUBLISHED, COPY.body, LATE)
    assert held.review_on == date(2028, 3, 2)
    assert desk.get(id).state is QuestionState.PUBLISHED


def test_another_version_is_public_only_once_it_is_published(
    public: Publications, desk: Desk, store: Store
) -> None:
    id, record = published(public, desk)
    held = public.prepare(id, Copy(title="Autre ?", text="Autre", body="Autrement."), 1, person=2)
    assert (held.stage, held.record, held.shown) == (Stage.DRAFT, record, COPY.body)
    assert store.get(record).title == COPY.title
    assert public.publish(id, held.version, PAGES, [], person=2) == record
    assert (store.get(record).title, public.get(id).shown) == ("Autre ?", "Autrement.")
    assert kinds(desk, id).count(StepKind.PUBLISHED) == 2
    assert desk.get(id).state is QuestionState.PUBLISHED


@pytest.mark.parametrize("access", ["public", "network"])
def test_nobody_but_the_staff_reads_what_its_asker_did_not_agree_to(
    public: Publications, desk: Desk, store: Store, access: str
) -> None:
    question = answered(desk, consent=False)
    copy = Copy(title="a ?", text="b", body="c", access=access)
    held = public.prepare(question.id, copy, 0, person=1)
    with pytest.raises(InvalidValue) as error:
        public.publish(question.id, held.version, PAGES, [], person=1)
    assert error.value.field == "access"
    assert len(store) == 0
    held = public.prepare(question.id, Copy(title="a ?", text="b", body="c", access="staff"), 1, person=1)
    assert store.get(public.publish(question.id, held.version, PAGES, [], person=1)).access == "staff"


def test_nothing_is_published_before_the_answer_left_nor_twice(
    public: Publications, desk: Desk, store: Store
) -> None:
    question = desk.receive(Asked(text="Une aide ?", consent=True), None)
    held = public.prepare(question.id, COPY, 0, person=1)
    with pytest.raises(MoveRefused):
        public.publish(question.id, held.version, PAGES, [], person=1)
    assert (len(store), public.get(question.id).record) == (0, None)
    id, _ = published(public, desk)
    with pytest.raises(Conflict):
        public.publish(id, 1, PAGES, [], person=1)


def test_a_copy_that_changed_since_is_not_published(public: Publications, desk: Desk, store: Store) -> None:
    question = answered(desk)
    public.prepare(question.id, COPY, 0, person=1)
    public.prepare(question.id, COPY, 1, person=2)
    with pytest.raises(Conflict):
        public.publish(question.id, 1, PAGES, [], person=1)
    assert len(store) == 0


# -- the second reader


def test_with_a_second_reader_one_person_alone_publishes_nothing(store: Store, desk: Desk) -> None:
    public, question = publications(store, desk, second_reader=True), answered(desk)
    held = public.prepare(question.id, COPY, 0, person=1)
    with pytest.raises(InvalidValue):
        public.publish(question.id, held.version, PAGES, [], person=2)
    public.submit(question.id, held.version)
    assert [p.question for p in public.to_read(9)] == [question.id]
    with pytest.raises(InvalidValue):
        public.read(question.id, held.version, reader=1)
    with pytest.raises(InvalidValue):
        public.publish(question.id, held.version, PAGES, [], person=2)
    read = public.read(question.id, held.version, reader=2)
    assert (read.stage, read.reader, public.to_read(9)) == (Stage.READ, 2, ())
    assert store.get(public.publish(question.id, held.version, PAGES, [], person=1)).title == COPY.title
    assert StepKind.READ in kinds(desk, question.id)


def test_a_copy_that_changes_after_it_was_read_is_read_again(store: Store, desk: Desk) -> None:
    public, question = publications(store, desk, second_reader=True), answered(desk)
    held = public.prepare(question.id, COPY, 0, person=1)
    public.submit(question.id, held.version)
    public.read(question.id, held.version, reader=2)
    held = public.prepare(question.id, COPY, held.version, person=2)
    assert (held.stage, held.reader) == (Stage.DRAFT, None)
    with pytest.raises(InvalidValue):
        public.publish(question.id, held.version, PAGES, [], person=1)


def test_a_copy_is_sent_back_with_a_word_that_stays_at_the_desk(store: Store, desk: Desk) -> None:
    public, question = publications(store, desk, second_reader=True), answered(desk)
    held = public.prepare(question.id, COPY, 0, person=1)
    public.submit(question.id, held.version)
    with pytest.raises(InvalidValue):
        public.send_back(question.id, held.version, " ", reader=2)
    assert public.get(question.id).stage is Stage.TO_READ
    assert public.send_back(question.id, held.version, "Trop long.", reader=2).stage is Stage.DRAFT
    assert [(n.person, n.text) for n in desk.notes(question.id)] == [(2, "Trop long.")]
    with pytest.raises(Conflict):
        public.send_back(question.id, held.version, "Encore.", reader=2)


# -- taken back


def test_what_is_withdrawn_is_found_by_nobody_and_may_be_published_elsewhere(
    public: Publications, desk: Desk, store: Store
) -> None:
    id, record = published(public, desk)
    public.withdraw(id, person=1)
    held = public.get(id)
    assert (held.stage, held.record, held.shown, held.body) == (Stage.WITHDRAWN, None, None, COPY.body)
    assert (len(store), list(public.published())) == (0, [])
    assert desk.get(id).state is QuestionState.ANSWERED
    with pytest.raises(NotFound):
        public.of_record(record)
    with pytest.raises(Conflict):
        public.withdraw(id, person=1)
    again = public.publish(id, held.version, PAGES, [], person=1)
    assert again != record
    assert store.get(again).title == COPY.title


def test_a_record_that_a_cataloguer_deleted_does_not_keep_the_desk_from_going_on(
    public: Publications, desk: Desk, store: Store
) -> None:
    id, record = published(public, desk)
    store.delete(record)
    held = public.prepare(id, COPY, 1, person=1)
    again = public.publish(id, held.version, PAGES, [], person=1)
    assert again != record
    store.delete(again)
    public.withdraw(id, person=1)
    assert public.get(id).record is None


# -- looking again


def test_an_answer_is_looked_at_on_its_day_and_when_something_was_noticed(
    public: Publications, desk: Desk
) -> None:
    old, _ = published(public, desk)
    noticed, _ = published(public, desk)
    published(public, desk)
    public.notice(noticed, [Why.QUOTE_GONE])
    public.notice(noticed, [Why.SOURCE_GONE, Why.QUOTE_GONE])
    assert public.get(noticed).review_why == (Why.QUOTE_GONE, Why.SOURCE_GONE)
    before, on = date(2028, 3, 1), date(2028, 3, 2)
    assert [p.question for p in public.to_review(before, 9)] == [noticed]
    assert (public.count_to_review(before), public.count_to_review(on)) == (1, 3)
    assert len(public.to_review(on, 1, 1)) == 1
    public.reviewed(noticed, person=1, review_on=date(2027, 3, 2), now=NOW)
    held = public.get(noticed)
    assert (held.review_why, held.review_on) == ((), date(2027, 3, 2))
    assert public.last_review(noticed) == NOW
    assert public.last_review(old) is None


def test_what_was_withdrawn_is_not_looked_at_again(public: Publications, desk: Desk) -> None:
    id, _ = published(public, desk)
    public.notice(id, [Why.SCHEME_ENDED])
    public.withdraw(id, person=1)
    assert public.count_to_review(date(2030, 1, 1)) == 0


def test_records_that_changed_after_a_moment_are_told_from_the_others(
    public: Publications, desk: Desk, store: Store
) -> None:
    _, first = published(public, desk)
    between = datetime.now(UTC)
    _, second = published(public, desk)
    assert public.changed_since([first, second], between) == {second}
    store.delete(first)
    assert public.changed_since([first, second], between) == {first, second}
    assert public.changed_since([], between) == frozenset()


def test_all_that_is_public_is_read_in_portions(public: Publications, desk: Desk) -> None:
    numbers = [published(public, desk)[0] for _ in range(3)]
    public.withdraw(numbers[1], person=1)
    assert [p.question for p in public.published()] == [numbers[0], numbers[2]]
    assert set(public.of_records([p.record or "" for p in public.published()])) == {
        p.record for p in public.published()
    }


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_so_many_months_later_is_the_same_day_or_the_last_of_its_month(day: date, months: int) -> None:
    later = after_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)
