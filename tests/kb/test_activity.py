"""Figures against a recount of the log, step by step, of histories made at random."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import activity, desk_merging
from kb.activity import Case, Month, cases, figures, missing, published, saved
from kb.audit import Trail
from kb.connection import Database
from kb.desk import Desk
from kb.desk_tables import publications, steps
from kb.errors import Conflict, MoveRefused
from kb.questions import Asked, Channel, Question, QuestionState, Said
from kb.servicelog import Step, StepKind
from kb.workdays import from_config

S = QuestionState
CALENDAR = from_config("FR-MQ", "12-24", "America/Martinique")
MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)  # ten in the morning there
YEAR = (date(2026, 1, 1), date(2026, 12, 31))
TODAY = date(2026, 12, 31)
DAY = timedelta(days=1)


@pytest.fixture
def desk(database: Database, trail: Trail) -> Desk:
    return Desk(database, trail, CALENDAR, 3)


def received(desk: Desk, at: datetime = MONDAY, **asked: object) -> Question:
    return desk.receive(Asked(text="Quelle aide pour un jardin ?", **asked), None, now=at)  # type: ignore[arg-type]


def answered(desk: Desk, question: Question, at: datetime, minutes: int | None = None) -> None:
    if desk.get(question.id).state is S.RECEIVED:
        desk.move(question.id, S.IN_HAND, now=at)
    desk.move(question.id, S.ANSWERED, kind=StepKind.ANSWERED, now=at, minutes=minutes)


def counted(database: Database, since: date = YEAR[0], until: date = YEAR[1]) -> tuple[Case, ...]:
    return cases(database, CALENDAR, since, until)


# -- cases


def test_a_question_is_a_case_with_its_codes_and_its_working_days(desk: Desk, database: Database) -> None:
    asked = received(
        desk, themes=("T03-02", "T03", "T08"), actor="ACTEUR-elu", territory="C-97209", channel=Channel.VISIT
    )
    answered(desk, asked, MONDAY + 7 * DAY, minutes=45)
    (case,) = counted(database)
    assert case == Case(
        question=asked.id,
        reference="2026-001",
        received=date(2026, 3, 2),
        channel=Channel.VISIT,
        actor="ACTEUR-elu",
        territory="C-97209",
        themes=("T03-02", "T03", "T08"),
        state=S.ANSWERED,
        due=date(2026, 3, 5),
        answered=date(2026, 3, 9),
        days=5,
        minutes=45,
        effort=None,
        reused=False,
    )
    assert case.month == "2026-03"
    assert case.top_themes == ("T03", "T08")


def test_days_are_those_of_the_centre_and_not_of_utc(desk: Desk, database: Database) -> None:
    evening = datetime(2026, 4, 1, 2, 30, tzinfo=UTC)  # still 31 March in Martinique
    received(desk, evening)
    (case,) = counted(database, date(2026, 3, 31), date(2026, 3, 31))
    assert case.received == date(2026, 3, 31)
    assert counted(database, date(2026, 4, 1), date(2026, 4, 1)) == ()


def test_both_ends_of_a_period_are_in_it(desk: Desk, database: Database) -> None:
    first = datetime(2026, 3, 2, 4, tzinfo=UTC)  # midnight there
    for at in (
        first - timedelta(microseconds=1),
        first,
        first + DAY - timedelta(microseconds=1),
        first + DAY,
    ):
        received(desk, at)
    found = counted(database, date(2026, 3, 2), date(2026, 3, 2))
    assert [case.reference for case in found] == ["2026-002", "2026-003"]


def test_holidays_and_what_was_waited_for_are_no_days_of_the_answer(desk: Desk, database: Database) -> None:
    asked = received(desk, datetime(2026, 4, 30, 14, tzinfo=UTC))  # a Thursday; 1 and 8 May are holidays
    desk.move(asked.id, S.IN_HAND, now=datetime(2026, 5, 4, 14, tzinfo=UTC))
    desk.move(asked.id, S.WAITING, now=datetime(2026, 5, 5, 14, tzinfo=UTC))
    said = Said(text="Pour des enfants.", channel=Channel.EMAIL)
    desk.hear(asked.id, said, now=datetime(2026, 5, 11, 14, tzinfo=UTC))
    answered(desk, asked, datetime(2026, 5, 12, 14, tzinfo=UTC))
    (case,) = counted(database)
    assert case.days == 3, "Monday 4, Tuesday 5, Tuesday 12; waited from 6 to 11"


def test_an_answer_straight_out_of_waiting_leaves_the_wait_out(desk: Desk, database: Database) -> None:
    asked = received(desk)
    desk.move(asked.id, S.IN_HAND, now=MONDAY)
    desk.move(asked.id, S.WAITING, now=MONDAY + DAY)
    answered(desk, asked, MONDAY + 4 * DAY)
    (case,) = counted(database)
    assert case.days == 1


def test_the_first_answer_counts_and_what_is_waited_for_afterwards_changes_nothing(
    desk: Desk, database: Database
) -> None:
    asked = received(desk)
    answered(desk, asked, MONDAY + DAY)
    desk.hear(asked.id, Said(text="Merci, et encore ?", channel=Channel.EMAIL), now=MONDAY + 2 * DAY)
    desk.move(asked.id, S.IN_HAND, now=MONDAY + 2 * DAY)
    desk.move(asked.id, S.WAITING, now=MONDAY + 2 * DAY)
    answered(desk, asked, MONDAY + 8 * DAY)
    (case,) = counted(database)
    assert (case.answered, case.days) == (date(2026, 3, 3), 1)


def test_who_merges_counts_one_question_with_the_time_of_both(desk: Desk, database: Database) -> None:
    kept, gone, last = (received(desk, MONDAY + n * DAY) for n in range(3))
    for question, minutes, effort in ((kept, 10, 2), (gone, 25, 4), (last, 5, None)):
        desk.log.add(question.id, StepKind.SPENT, minutes=minutes, effort=effort, now=MONDAY + 3 * DAY)
    desk_merging.merge(last.id, gone.id, desk=desk, database=database, now=MONDAY + 3 * DAY)
    desk_merging.merge(gone.id, kept.id, desk=desk, database=database, now=MONDAY + 3 * DAY)
    (case,) = counted(database)
    assert (case.question, case.minutes, case.effort) == (kept.id, 40, 4)


def test_more_questions_waited_than_are_read_at_once(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "_READ_AT_ONCE", 2)
    for n in range(5):
        asked = received(desk)
        desk.move(asked.id, S.IN_HAND, now=MONDAY)
        desk.move(asked.id, S.WAITING, now=MONDAY)
        answered(desk, asked, MONDAY + n * DAY)
    assert [case.days for case in counted(database)] == [0] * 5


# -- missing answers


def test_an_answer_is_missing_when_it_will_never_come_or_is_late(desk: Desk, database: Database) -> None:
    fresh, late, waiting, closed, done = (received(desk, themes=("T12",)) for _ in range(5))
    for question in (late, waiting):
        desk.move(question.id, S.IN_HAND, now=MONDAY)
    desk.move(waiting.id, S.WAITING, now=MONDAY)
    desk.move(closed.id, S.CLOSED, now=MONDAY)
    answered(desk, done, MONDAY)
    due = desk.get(late.id).due
    found = counted(database)
    on_time = [case.question for case in found if case.is_missing(due)]
    assert on_time == [closed.id]
    after = [case.question for case in found if case.is_missing(due + DAY)]
    assert after == [fresh.id, late.id, closed.id]
    assert missing(found, due + DAY) == {("T12", 2026): 3}


# -- figures


def case(**told: object) -> Case:
    usual: dict[str, object] = {
        "question": 1,
        "reference": "2026-001",
        "received": date(2026, 3, 2),
        "channel": Channel.FORM,
        "actor": None,
        "territory": None,
        "themes": (),
        "state": S.ANSWERED if told.get("days") is not None else S.IN_HAND,
        "due": date(2026, 3, 5),
        "answered": date(2026, 3, 9) if told.get("days") is not None else None,
        "days": None,
        "minutes": 0,
        "effort": None,
        "reused": False,
    }
    return Case(**(usual | told))  # type: ignore[arg-type]


def test_nothing_received_has_no_median_and_all_its_months() -> None:
    none = figures((), 3, date(2025, 11, 5), date(2026, 1, 31), today=TODAY)
    assert (none.received, none.median_days, none.days_90, none.within, none.saved_minutes) == (
        0,
        *[None] * 4,
    )
    assert [month.name for month in none.months] == ["2025-11", "2025-12", "2026-01"]


def test_the_ninetieth_of_a_hundred_answers_is_the_delay_of_nine_in_ten() -> None:
    some = figures([case(days=n) for n in range(1, 101)], 3, *YEAR, today=TODAY)
    assert (some.median_days, some.days_90, some.within, some.in_time) == (50.5, 90, 0.03, 3)
    few = figures([case(days=n) for n in (1, 2, 30)], 2, *YEAR, today=TODAY)
    assert (few.median_days, few.days_90, few.in_time) == (2.0, 30, 2)


def test_what_is_overdue_is_open_late_and_waits_for_nobody() -> None:
    due = date(2026, 3, 5)
    some = [case(state=state, due=due) for state in S] + [case(days=9, state=S.IN_HAND, due=due)]
    told = [figures(some, 3, *YEAR, today=day) for day in (due, due + DAY)]
    assert [(one.overdue, one.open) for one in told] == [(0, 3), (2, 3)]  # received, in hand; and waiting


def test_months_count_what_came_what_left_and_what_left_in_time() -> None:
    months = figures(
        [case(days=3), case(days=4), case(), case(received=date(2026, 5, 1), days=0)],
        3,
        date(2026, 3, 1),
        date(2026, 5, 31),
        today=TODAY,
    ).months
    assert months == (
        Month(name="2026-03", received=3, answered=2, in_time=1),
        Month(name="2026-04", received=0, answered=0, in_time=0),
        Month(name="2026-05", received=1, answered=1, in_time=1),
    )


def test_counts_are_largest_first_and_a_theme_counts_once_a_question() -> None:
    some = figures(
        [
            case(themes=("T03-01", "T03-02"), actor="B"),
            case(themes=("T08", "T03"), actor="A"),
            case(effort=2),
            case(effort=2, actor="C"),
            case(effort=5, actor="C"),
        ],
        3,
        *YEAR,
        today=TODAY,
    )
    assert list(some.themes.items()) == [("T03", 2), ("T08", 1)]
    assert some.without_theme == 3
    assert list(some.actors.items()) == [("C", 2), ("A", 1), ("B", 1)]
    assert list(some.efforts.items()) == [(2, 2), (5, 1)]


def test_what_past_answers_saved_is_the_usual_time_less_theirs_never_below_nothing() -> None:
    alone = [case(days=1, minutes=n) for n in (60, 90, 300)]
    again = [case(days=1, minutes=n, reused=True) for n in (20, 200)]
    untimed = [case(days=1, reused=True), case(minutes=500), case(minutes=1, reused=True)]
    assert saved([*alone, *again, *untimed]) == 70
    assert saved([*alone, *untimed]) is None
    assert saved(again) is None


def test_published_answers_of_a_period_are_listed_newest_first(desk: Desk, database: Database) -> None:
    for _ in range(4):
        received(desk)

    def row(question: int, published: str, record: str | None) -> dict[str, object]:
        usual = {"state": "published", "text": "", "body": "", "access": "public", "themes": ""}
        return usual | {
            "question": question,
            "record": record,
            "title": f"Titre {question}",
            "decisions": "[]",
            "at": published,
            "published": published,
            "version": 1,
        }

    with database.writing() as connection:
        connection.execute(
            publications.insert(),
            [
                row(1, "2026-03-02T02:00:00+00:00", "vc:q:1"),  # on the first there
                row(2, "2026-03-15T12:00:00+00:00", "vc:q:2"),
                row(3, "2026-03-16T12:00:00+00:00", None),  # withdrawn
                row(4, "2026-04-01T12:00:00+00:00", "vc:q:4"),
            ],
        )
    found = published(database, CALENDAR.zone, date(2026, 3, 1), date(2026, 3, 31))
    assert [(p.record, p.title, p.day) for p in found] == [
        ("vc:q:2", "Titre 2", date(2026, 3, 15)),
        ("vc:q:1", "Titre 1", date(2026, 3, 1)),
    ]


# -- against a recount


ACTS = st.tuples(
    st.sampled_from(
        ["receive", "take", "leave", "wait", "hear", "answer", "answer", "close", "reuse", "spend", "merge"]
    ),
    st.integers(0, 7),
    st.integers(0, 60),  # hours that pass before
    st.one_of(st.none(), st.integers(0, 240)),
    st.one_of(st.none(), st.integers(1, 6)),
)
THEMES = (("T03-01",), ("T03", "T08"), (), ("T12", "T12-02"))


def live(
    desk: Desk, database: Database, acts: Sequence[tuple[str, int, int, int | None, int | None]]
) -> None:
    """What the acts say, those that are refused left out."""
    now = datetime(2026, 4, 28, 22, tzinfo=UTC)
    ids: list[int] = []
    for act, at, hours, minutes, effort in acts:
        now += timedelta(hours=hours, minutes=7)
        if act == "receive" or not ids:
            territory = "C-97209" if at % 2 else None
            asked = {"themes": THEMES[at % 4], "channel": list(Channel)[at % 5], "territory": territory}
            ids.append(received(desk, now, actor=f"ACTEUR-{at}" if at > 3 else None, **asked).id)
            continue
        id = ids[at % len(ids)]
        told = {"minutes": minutes, "effort": effort, "now": now}
        try:
            match act:
                case "take":
                    desk.move(id, S.IN_HAND, **told)  # type: ignore[arg-type]
                case "leave":
                    desk.move(id, S.RECEIVED, now=now)
                case "wait":
                    desk.move(id, S.WAITING, **told)  # type: ignore[arg-type]
                case "hear":
                    desk.hear(id, Said(text="Encore", channel=Channel.EMAIL), now=now)
                case "answer":
                    desk.move(id, S.ANSWERED, kind=StepKind.ANSWERED, **told)  # type: ignore[arg-type]
                case "close":
                    desk.move(id, S.CLOSED, now=now)
                case "reuse":
                    desk.log.add(id, StepKind.REUSED, reused="vc:q:1", now=now)
                case "spend":
                    desk.log.add(id, StepKind.SPENT, **told)  # type: ignore[arg-type]
                case "merge":
                    desk_merging.merge(id, ids[0], desk=desk, database=database, now=now)
        except (MoveRefused, Conflict):
            continue


def working(start: date, end: date) -> set[date]:
    """The working days after the one on which something counts as received, up to ``end``."""
    while not CALENDAR.is_working(start):
        start += DAY
    after = {start + n * DAY for n in range(1, max(0, (end - start).days) + 1)}
    return {day for day in after if CALENDAR.is_working(day)}


def local(at: datetime) -> date:
    return at.astimezone(CALENDAR.zone).date()


def recounted_days(told: Sequence[Step]) -> int | None:
    """Working days to the first answer, as a set of days from which those waited are taken away."""
    until = next((n for n, step in enumerate(told) if step.after is S.ANSWERED), None)
    if until is None:
        return None
    moves = [step for step in told[: until + 1] if step.after is not None]
    days = working(local(moves[0].at), local(moves[-1].at))
    for before, after in pairwise(moves):
        if before.after is S.WAITING:
            days -= working(local(before.at), local(after.at))
    return len(days)


@contextmanager
def fresh(empty: Path) -> Iterator[tuple[Database, Desk]]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty, Path(folder) / "kb.sqlite")
        database = Database(f"sqlite:///{folder}/kb.sqlite")
        yield database, Desk(database, Trail(database), CALENDAR, 3)
        database.close()


@settings(max_examples=60, deadline=None)
@given(acts=st.lists(ACTS, min_size=5, max_size=45), start=st.integers(0, 12), length=st.integers(0, 40))
def test_every_figure_is_that_of_a_recount_of_the_log(
    acts: list[tuple[str, int, int, int | None, int | None]], start: int, length: int, empty_database: Path
) -> None:
    since = date(2026, 4, 27) + start * DAY
    until = since + length * DAY
    with fresh(empty_database) as (database, desk):
        live(desk, database, acts)
        log: dict[int, list[Step]] = {}
        for step in desk.log.every():
            log.setdefault(step.question, []).append(step)
        held = desk.get_many(list(log))
        whole = {id: [id] for id, question in held.items() if question.merged_into is None}
        for id in held.keys() - whole.keys():
            whole[desk.current(id)].append(id)
        mine = [id for id in whole if since <= local(log[id][0].at) <= until]
        some = figures(cases(database, CALENDAR, since, until), 3, since, until, today=TODAY)
        with database.reading() as connection:
            c = steps.c
            by_sql = connection.scalar(sa.select(sa.func.sum(c.minutes)).where(c.question.in_(
                [part for id in mine for part in whole[id]])))  # fmt: skip
    days = {id: recounted_days(log[id]) for id in mine}
    delays = sorted(n for n in days.values() if n is not None)
    minutes = {id: sum(step.minutes or 0 for part in whole[id] for step in log[part]) for id in mine}
    again = [id for id in mine if any(step.kind is StepKind.REUSED for p in whole[id] for step in log[p])]
    open_ = {S.RECEIVED, S.IN_HAND, S.WAITING}
    assert some.received == len(mine) == some.answered + some.open + some.closed_without
    assert some.answered == len(delays)
    assert some.open == sum(held[id].state in open_ and days[id] is None for id in mine)
    assert some.again == sum(held[id].state in open_ and days[id] is not None for id in mine)
    assert some.minutes == sum(minutes.values()) == (by_sql or 0)
    assert some.timed == sum(n > 0 for n in minutes.values())
    assert some.reused == len(again)
    assert some.in_time == sum(n <= 3 for n in delays)
    assert some.median_days == (median(delays) if delays else None)
    if delays:
        least = next(n for n in delays if sum(d <= n for d in delays) * 10 >= 9 * len(delays))
        assert some.days_90 == least
    assert some.channels == Counter(str(log[id][0].channel) for id in mine)
    assert some.actors == Counter(held[id].actor for id in mine if held[id].actor)
    assert some.territories == Counter(held[id].territory for id in mine if held[id].territory)
    tops = [{code[:3] for code in held[id].themes} for id in mine]
    assert some.themes == Counter(theme for these in tops for theme in these)
    assert some.without_theme == sum(not these for these in tops)
    efforts = [[s.effort for p in whole[id] for s in log[p] if s.effort is not None] for id in mine]
    assert some.efforts == Counter(max(noted) for noted in efforts if noted)
    by_month = Counter(f"{local(log[id][0].at):%Y-%m}" for id in mine)
    assert {month.name: month.received for month in some.months if month.received} == by_month
    assert sum(month.answered for month in some.months) == len(delays)
    assert sum(month.in_time for month in some.months) == some.in_time
    alone = [m for id, m in minutes.items() if m and days[id] is not None and id not in again]
    served = [m for id, m in minutes.items() if m and days[id] is not None and id in again]
    if alone and served:
        assert some.saved_minutes == round(sum(max(0, median(alone) - m) for m in served))
    else:
        assert some.saved_minutes is None
