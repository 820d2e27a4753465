"""The desk: what may follow what, deadlines over holidays and waiting, two persons at once, merging."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import audit, desk_merging
from kb.answers import Answers
from kb.askers import Askers
from kb.audit import Trail
from kb.connection import Database
from kb.desk import Desk, Wanted
from kb.errors import Conflict, InvalidValue, MoveRefused, NotFound
from kb.questions import DONE, MOVES, OPEN, Asked, Channel, Enclosure, QuestionState, Said
from kb.servicelog import StepKind
from kb.workdays import Calendar

S = QuestionState
HERE = ZoneInfo("America/Martinique")
MONDAY = datetime(2026, 11, 23, 14, tzinfo=UTC)  # ten in the morning in Martinique


@pytest.fixture
def desk(database: Database, trail: Trail) -> Desk:
    return Desk(database, trail, Calendar(), 3)


@pytest.fixture
def askers(database: Database) -> Askers:
    return Askers(database)


@pytest.fixture
def anne(people):
    return people.add("anne@exemple.fr", "Anne", ["repondant"]).id


@pytest.fixture
def paul(people):
    return people.add("paul@exemple.fr", "Paul", ["repondant"]).id


def ask(desk, text="Que dit la loi de 2014 ?", *, now=MONDAY, asker=None, **more):
    return desk.receive(Asked(text=text, **more), asker, now=now)


def told(text="Une précision.", **more):
    return Said(text=text, channel=Channel.EMAIL, **more)


# -- receiving


def test_a_question_is_received_with_the_next_number_of_its_year(desk):
    assert [ask(desk).reference for _ in range(2)] == ["2026-001", "2026-002"]


def test_the_year_of_a_number_is_that_of_the_centre_s_clock(desk):
    new_year = datetime(2027, 1, 1, 2, tzinfo=UTC)  # still ten in the evening of the 31st there
    assert ask(desk, now=new_year).reference == "2026-001"
    assert ask(desk, now=new_year + timedelta(hours=3)).reference == "2027-001"


def test_what_is_asked_is_kept_regular_and_found_again(desk):
    kept = ask(desk, "  E\u0301cole\r\net\x07 santé \n", context="Pour demain", themes=("T03", "T04-01"))
    assert (kept.text, kept.context, kept.themes) == ("École\net santé", "Pour demain", ("T03", "T04-01"))
    assert desk.by_reference(kept.reference) == desk.by_follow(kept.follow) == desk.get(kept.id) == kept


def test_a_question_without_words_or_with_too_many_is_refused(desk):
    for text in ("", " \n\x00", "x" * 10_001):
        with pytest.raises(InvalidValue):
            ask(desk, text)
    assert desk.count(Wanted(states=())) == 0


def test_the_secret_of_a_question_is_not_told_by_the_error(desk):
    with pytest.raises(NotFound) as caught:
        desk.by_follow("deviné")
    assert "deviné" not in str(caught.value)


# -- deadlines


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (datetime(2026, 11, 23, 14, tzinfo=UTC), date(2026, 11, 26)),
        (datetime(2026, 11, 24, 2, tzinfo=UTC), date(2026, 11, 26)),  # still Monday evening there
        (datetime(2026, 11, 21, 14, tzinfo=UTC), date(2026, 11, 26)),  # a Saturday counts as Monday
        (datetime(2026, 11, 27, 14, tzinfo=UTC), date(2026, 12, 2)),
        (datetime(2026, 12, 23, 14, tzinfo=UTC), date(2026, 12, 29)),  # over Christmas
        (datetime(2026, 5, 20, 14, tzinfo=UTC), date(2026, 5, 27)),  # over 22 May and Whit Monday
    ],
)
def test_an_answer_is_owed_in_three_working_days(desk, received, due):
    assert ask(desk, now=received).due == due


def test_an_answer_wanted_sooner_is_owed_sooner_but_not_the_same_day(desk):
    assert ask(desk, wanted_by=date(2026, 11, 25)).due == date(2026, 11, 25)
    assert ask(desk, wanted_by=date(2026, 11, 23)).due == date(2026, 11, 24)
    assert ask(desk, wanted_by=date(2027, 1, 5)).due == date(2026, 11, 26)


def test_the_days_that_the_asker_is_waited_for_do_not_count(desk, anne):
    question = ask(desk)
    desk.claim(question.id, anne, now=MONDAY)
    desk.move(question.id, S.WAITING, now=MONDAY + timedelta(days=1))
    late = desk.get(question.id)
    assert not late.is_overdue(date(2027, 1, 1))
    desk.hear(question.id, told(), now=MONDAY + timedelta(days=8))  # Tuesday week: five working days
    back = desk.get(question.id)
    assert (back.state, back.waited, back.due) == (S.IN_HAND, 5, date(2026, 12, 3))


def test_a_wish_that_passed_while_the_asker_was_waited_for_does_not_make_the_answer_late(desk, anne):
    question = ask(desk, wanted_by=date(2026, 11, 25))
    desk.claim(question.id, anne, now=MONDAY)
    desk.move(question.id, S.WAITING, now=MONDAY)
    desk.hear(question.id, told(), now=MONDAY + timedelta(days=7))
    assert desk.get(question.id).due == date(2026, 12, 1)  # the working day after


def test_waiting_does_not_hide_that_an_answer_was_late_before(desk, anne):
    question = ask(desk)
    desk.claim(question.id, anne, now=MONDAY)
    late = MONDAY + timedelta(days=10)
    desk.move(question.id, S.WAITING, now=late)
    desk.move(question.id, S.IN_HAND, now=late)
    assert desk.get(question.id).is_overdue(late.date())


def test_a_question_taken_up_again_is_owed_anew_and_stays_so(desk, anne):
    question = ask(desk, wanted_by=date(2026, 11, 24))
    desk.claim(question.id, anne, now=MONDAY)
    desk.move(question.id, S.ANSWERED, now=MONDAY)
    again = datetime(2027, 2, 1, 14, tzinfo=UTC)
    desk.move(question.id, S.IN_HAND, now=again)
    assert desk.get(question.id).due == date(2027, 2, 4)
    desk.move(question.id, S.WAITING, now=again)
    desk.move(question.id, S.IN_HAND, now=again + timedelta(days=1))
    assert desk.get(question.id).due == date(2027, 2, 5)
    sooner = Asked(text=question.text, wanted_by=date(2027, 2, 3))
    assert desk.change(question.id, 1, sooner, now=again + timedelta(days=1)).due == date(2027, 2, 3)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spells=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5))
def test_a_deadline_is_that_of_the_reception_and_of_all_days_waited(desk, spells):
    question, now = ask(desk), MONDAY
    desk.move(question.id, S.IN_HAND, now=now)
    for before, waited in spells:
        now += timedelta(days=before)
        desk.move(question.id, S.WAITING, now=now)
        now += timedelta(days=waited)
        desk.hear(question.id, told(), now=now)
    held = desk.get(question.id)
    assert held.due == desk.calendar.after(MONDAY, 3 + held.waited)


def test_late_questions_are_listed_first_and_counted(desk, anne):
    old, new = ask(desk), ask(desk, now=MONDAY + timedelta(days=7))
    desk.claim(old.id, anne)
    today = date(2026, 12, 1)
    assert [q.id for q in desk.listed(Wanted(), 10)] == [old.id, new.id]
    assert [q.id for q in desk.listed(Wanted(overdue_on=today), 10)] == [old.id]
    desk.move(old.id, S.WAITING)
    assert desk.count(Wanted(overdue_on=today)) == 0


# -- states


def test_only_the_moves_of_the_table_are_made(desk):
    for before in S:
        for after in S:
            question = ask(desk)
            reach(desk, question.id, before)
            if after in MOVES[before]:
                assert desk.move(question.id, after).state is after
            else:
                with pytest.raises(MoveRefused):
                    desk.move(question.id, after)
                assert desk.get(question.id).state is before


WAYS = {
    S.RECEIVED: (),
    S.IN_HAND: (S.IN_HAND,),
    S.WAITING: (S.IN_HAND, S.WAITING),
    S.ANSWERED: (S.IN_HAND, S.ANSWERED),
    S.PUBLISHED: (S.IN_HAND, S.ANSWERED, S.PUBLISHED),
    S.CLOSED: (S.CLOSED,),
}


def reach(desk, id, state):
    for step in WAYS[state]:
        desk.move(id, step)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.sampled_from(list(S)), st.integers(0, 6)), max_size=12))
def test_whatever_happens_the_log_tells_the_state_and_the_deadline_is_a_working_day(desk, moves):
    question = ask(desk)
    now, waited, since = MONDAY, 0, None
    for after, days in moves:
        now += timedelta(days=days)
        held = desk.get(question.id)
        if after not in MOVES[held.state]:
            continue
        if held.state is S.WAITING and since is not None:
            waited += desk.calendar.between(since, now)
        since = now if after is S.WAITING else None
        desk.move(question.id, after, now=now)
    held, steps = desk.get(question.id), desk.log.of(question.id)
    assert [s.after for s in steps][-1] is held.state
    assert all(a.after is b.before for a, b in itertools.pairwise(steps))
    assert held.waited == waited
    assert (held.waiting_since is not None) == (held.state is S.WAITING)
    assert (held.ended is not None) == (held.state is S.CLOSED)
    assert desk.calendar.is_working(held.due)
    assert held.due >= question.due


def test_questions_are_counted_by_state(desk, anne):
    first, _ = ask(desk), ask(desk)
    desk.claim(first.id, anne)
    assert {state: n for state, n in desk.counts().items() if n} == {S.RECEIVED: 1, S.IN_HAND: 1}
    assert desk.load() == {0: 1, anne: 1}


# -- whose it is


def test_who_takes_a_question_has_it_in_hand_and_gives_it_back(desk, anne):
    question = ask(desk)
    assert desk.claim(question.id, anne).state is S.IN_HAND
    free = desk.assign(question.id, None, person=anne)
    assert (free.state, free.assignee) == (S.RECEIVED, None)
    kinds = [step.kind for step in desk.log.of(question.id)]
    assert kinds[1:] == [StepKind.TAKEN, StepKind.MOVED, StepKind.LEFT, StepKind.MOVED]


def test_of_two_who_claim_at_once_one_has_it_and_the_other_is_told(desk, anne, paul):
    for _ in range(5):
        question = ask(desk)
        gate, outcome = threading.Barrier(2), []

        def claim(person, question=question, gate=gate, outcome=outcome):
            gate.wait()
            try:
                desk.claim(question.id, person)
                outcome.append((person, True))
            except Conflict:
                outcome.append((person, False))

        threads = [threading.Thread(target=claim, args=(person,)) for person in (anne, paul)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won for _, won in outcome) == [False, True]
        winner = next(person for person, won in outcome if won)
        assert desk.get(question.id).assignee == winner
        taken = [s.person for s in desk.log.of(question.id) if s.kind is StepKind.TAKEN]
        assert taken == [winner]


def test_claiming_what_one_has_already_changes_nothing(desk, anne):
    question = ask(desk)
    desk.claim(question.id, anne)
    before = desk.log.of(question.id)
    desk.claim(question.id, anne)
    assert desk.log.of(question.id) == before


def test_who_writes_from_an_older_version_is_told_and_nothing_is_lost(desk, anne, paul):
    question = ask(desk)
    desk.change(question.id, 1, Asked(text="Mieux dit"), person=anne)
    with pytest.raises(Conflict):
        desk.change(question.id, 1, Asked(text="Autrement dit"), person=paul)
    held = desk.get(question.id)
    assert (held.text, held.version) == ("Mieux dit", 2)


# -- looking for


def test_questions_are_found_by_words_theme_territory_person_and_number(desk, anne, askers):
    asker = askers.known("qui@exemple.fr")
    one = ask(desk, "Les écoles de Trénelle", themes=("T03-02",), territory="C-97209", asker=asker)
    ask(desk, "Le logement", themes=("T04",))
    desk.claim(one.id, anne)
    for wanted in (
        Wanted(words="ECOLE trenelle"),
        Wanted(words=one.reference),
        Wanted(theme="T03"),
        Wanted(theme="T03-02"),
        Wanted(territory="C-97209"),
        Wanted(asker=asker),
        Wanted(assignee=anne),
    ):
        assert [q.id for q in desk.listed(wanted, 10)] == [one.id], wanted
    assert desk.count(Wanted(assignee=0)) == 1
    assert desk.count(Wanted(words="100%")) == desk.count(Wanted(theme="T0_")) == 0


def test_those_that_are_done_come_the_latest_first_and_in_pages(desk):
    ids = [ask(desk).id for _ in range(5)]
    for id in ids:
        desk.move(id, S.CLOSED)
    assert [q.id for q in desk.listed(Wanted(states=DONE), 2, 1)] == [ids[3], ids[2]]
    assert [q.id for q in desk.listed(Wanted(states=()), 2)] == [ids[4], ids[3]]


# -- what is said


def test_what_is_said_is_kept_in_its_order_with_its_files(desk, anne):
    question = ask(desk)
    file = Enclosure(name="plan.pdf", media_type="application/pdf", content=b"%PDF")
    desk.write(question.id, told("Lequel ?"), person=anne, now=MONDAY + timedelta(hours=2))
    number = desk.hear(question.id, told("Celui-ci.", enclosures=(file,)), now=MONDAY + timedelta(hours=1))
    first, second = desk.exchanges(question.id)
    assert (first.incoming, first.enclosures, second.person) == (True, ("plan.pdf",), anne)
    assert desk.enclosure(question.id, number, 0) == file
    other = ask(desk)
    with pytest.raises(NotFound):
        desk.enclosure(other.id, number, 0)


def test_a_message_that_is_there_already_is_not_kept_twice(desk):
    question = ask(desk)
    message = told(message_id="<a@exemple.fr>")
    assert desk.hear(question.id, message) is not None
    assert desk.hear(question.id, message) is None
    assert len(desk.exchanges(question.id)) == 1
    assert desk.of_message("<a@exemple.fr>") == question.id


def test_a_question_that_waited_for_its_asker_is_in_hand_when_they_write(desk):
    question = ask(desk)
    reach(desk, question.id, S.WAITING)
    desk.hear(question.id, told())
    assert desk.get(question.id).state is S.IN_HAND
    assert desk.count(UNSEEN) == 0


UNSEEN = Wanted(states=DONE, unseen=True)


@pytest.mark.parametrize("state", DONE)
def test_thanks_undo_no_answer_and_are_told_until_somebody_has_read_them(desk, anne, state):
    question, other = ask(desk), ask(desk)
    for one in (question, other):
        reach(desk, one.id, state)
    before = desk.get(question.id)
    desk.hear(question.id, told("Merci !"))
    assert desk.get(question.id) == before
    assert [q.id for q in desk.listed(UNSEEN, 10)] == [question.id]
    assert desk.unseen((question.id, other.id)) == {question.id}
    for _ in range(2):
        desk.see(question.id, person=anne)
    assert desk.count(UNSEEN) == 0
    assert [s.person for s in desk.log.of(question.id) if s.kind is StepKind.SEEN] == [anne]
    assert desk.get(question.id) == before
    desk.hear(question.id, told("Et encore ceci"))
    assert desk.count(UNSEEN) == 1


@pytest.mark.parametrize("heeded", ["answered", "reopened", "closed"])
def test_a_message_that_something_was_done_about_is_not_new_any_more(desk, anne, heeded):
    question = ask(desk)
    reach(desk, question.id, S.ANSWERED)
    desk.hear(question.id, told("Une autre précision ?"))
    if heeded == "answered":
        desk.write(question.id, told("Voici."), person=anne)
    else:
        desk.move(question.id, S.IN_HAND if heeded == "reopened" else S.CLOSED, person=anne)
    assert desk.unseen((question.id,)) == frozenset()


def test_a_publication_does_not_tell_that_a_message_was_read(desk, anne):
    question = ask(desk)
    reach(desk, question.id, S.ANSWERED)
    desk.hear(question.id, told("Merci"))
    desk.move(question.id, S.PUBLISHED, person=anne, kind=StepKind.PUBLISHED)
    assert desk.unseen((question.id,)) == {question.id}


def test_what_was_said_before_the_answer_is_not_new(desk, anne):
    question = ask(desk)
    desk.claim(question.id, anne)
    desk.hear(question.id, told())
    assert desk.unseen((question.id,)) == frozenset()
    desk.move(question.id, S.ANSWERED, person=anne, kind=StepKind.ANSWERED)
    assert desk.unseen((question.id,)) == frozenset()


def test_nothing_is_due_to_who_is_waited_for_so_they_come_last(desk, anne):
    waits, later = ask(desk), ask(desk, now=MONDAY + timedelta(days=3))
    desk.claim(waits.id, anne)
    assert [q.id for q in desk.listed(Wanted(), 10)] == [waits.id, later.id]
    desk.move(waits.id, S.WAITING)
    assert [q.id for q in desk.listed(Wanted(), 10)] == [later.id, waits.id]


def test_notes_and_time_are_counted_apart_from_what_is_said(desk, anne):
    question = ask(desk)
    desk.note(question.id, "Voir le Cahier 12", person=anne)
    desk.spend(question.id, 20, 3, person=anne)
    assert [n.text for n in desk.notes(question.id)] == ["Voir le Cahier 12"]
    assert desk.exchanges(question.id) == ()
    for minutes, effort in ((None, None), (-1, None), (5, 7), (2001, None)):
        with pytest.raises(InvalidValue):
            desk.spend(question.id, minutes, effort)


def test_the_log_and_the_trail_hold_no_word_of_what_was_asked(desk, trail, askers, anne):
    asker = askers.known("secret@exemple.fr", "Nom Secret")
    question = ask(desk, "Un canari chante", asker=asker)
    desk.note(question.id, "le canari est jaune", person=anne)
    desk.hear(question.id, told("le canari insiste"))
    lines = repr(desk.log.of(question.id)) + repr(list(trail.lines(audit.Wanted())))
    assert "canari" not in lines.lower()
    assert "secret" not in lines.lower()


# -- two that are one


def twins(desk, askers):
    asker = askers.known("qui@exemple.fr")
    text = "Quels exemples d’évaluation participative avec les habitants en Martinique ?"
    one = ask(desk, text, asker=asker)
    two = ask(desk, text + " C’est urgent.", asker=asker, now=MONDAY + timedelta(days=1))
    return one, two


def test_the_same_question_of_the_same_person_is_offered_and_no_other(desk, askers):
    one, two = twins(desk, askers)
    ask(desk, one.text, asker=askers.known("autre@exemple.fr"))
    ask(desk, "Le budget des conseils citoyens ?", asker=one.asker)
    ask(desk, one.text, asker=one.asker, now=MONDAY + timedelta(days=120))
    assert [q.id for q in desk_merging.alike(one, desk)] == [two.id]
    assert desk_merging.alike(ask(desk, one.text), desk) == ()


def test_the_later_becomes_a_part_of_the_earlier_with_all_that_it_had(desk, askers, database, anne):
    one, two = twins(desk, askers)
    desk.note(two.id, "à rapprocher", person=anne)
    desk.hear(two.id, told("et vite", message_id="<b@exemple.fr>"))
    gone, kept = desk_merging.order(two, one, Answers(database, desk.log))
    assert (gone.id, kept.id) == (two.id, one.id)
    desk_merging.merge(gone.id, kept.id, desk=desk, database=database, person=anne)
    assert [e.text for e in desk.exchanges(one.id)] == [two.text, "et vite"]
    assert [n.text for n in desk.notes(one.id)] == ["à rapprocher"]
    assert desk.get(two.id).state is S.CLOSED
    assert desk.current(two.id) == one.id
    assert desk.of_message("<b@exemple.fr>") == one.id
    assert desk.count(Wanted(states=())) == 1
    assert sum(desk.counts().values()) == 1


def test_what_is_said_to_a_merged_question_is_said_to_the_whole(desk, askers, database, anne):
    one, two = twins(desk, askers)
    desk_merging.merge(two.id, one.id, desk=desk, database=database)
    desk.move(one.id, S.CLOSED)
    desk.hear(two.id, told("Encore moi"))
    desk.note(two.id, "Encore elle", person=anne)
    assert [e.text for e in desk.exchanges(one.id)][-1] == "Encore moi"
    assert desk.notes(one.id)[-1].text == "Encore elle"
    assert (desk.get(one.id).state, desk.get(two.id).state) == (S.CLOSED, S.CLOSED)
    assert desk.unseen((one.id, two.id)) == {one.id}
    desk.see(two.id)
    assert desk.unseen((one.id,)) == frozenset()
    with pytest.raises(Conflict):
        desk.move(two.id, S.IN_HAND)


def test_what_was_being_written_goes_to_the_whole(desk, askers, database, anne, paul):
    one, two = twins(desk, askers)
    answers = Answers(database, desk.log)
    answers.keep_draft(two.id, anne, "Mon début", 0)
    answers.keep_draft(one.id, paul, "Une piste", 0)
    answers.keep_draft(two.id, paul, "Une autre", 0)
    desk_merging.merge(two.id, one.id, desk=desk, database=database)
    assert answers.draft(one.id, anne).body == "Mon début"
    assert answers.draft(one.id, paul).body == "Une piste\n\nUne autre"
    assert answers.draft(two.id, anne) is answers.draft(two.id, paul) is None


def test_no_answer_is_saved_to_a_question_that_was_merged_meanwhile(desk, askers, database, anne):
    one, two = twins(desk, askers)
    answers = Answers(database, desk.log)
    desk_merging.merge(two.id, one.id, desk=desk, database=database)
    with pytest.raises(Conflict):
        answers.save(two.id, "Écrite à côté", 0, person=anne)
    assert answers.get(two.id).version == 0
    answers.carry_drafts(two.id, one.id)
    assert answers.draft(one.id, anne).body == "Écrite à côté"


def test_what_the_desk_writes_to_a_merged_question_is_with_the_whole(desk, askers, database, anne):
    one, two = twins(desk, askers)
    desk_merging.merge(two.id, one.id, desk=desk, database=database)
    desk.write(two.id, told("Voici"), person=anne)
    assert [e.text for e in desk.exchanges(one.id)][-1] == "Voici"
    assert desk.exchanges(two.id) == ()


def test_a_message_of_long_ago_does_not_take_a_question_up_before_it_was_let_go(desk):
    question = ask(desk)
    desk.move(question.id, S.IN_HAND, now=MONDAY)
    desk.move(question.id, S.WAITING, now=MONDAY + timedelta(days=1))
    desk.hear(question.id, told("Voici"), now=MONDAY - timedelta(days=9000))
    held = desk.get(question.id)
    assert (held.state, held.due) == (S.IN_HAND, date(2026, 11, 26))
    assert desk.log.of(question.id)[-1].at == MONDAY + timedelta(days=1)


def test_a_question_with_an_answer_is_no_part_of_another(desk, askers, database, anne):
    one, two = twins(desk, askers)
    answers = Answers(database, desk.log)
    answers.save(two.id, "Une réponse commencée", 0, person=anne)
    assert desk_merging.order(one, desk.get(two.id), answers)[0].id == one.id
    answers.save(one.id, "Une autre", 0, person=anne)
    assert desk_merging.order(one, two, answers) is None
    for pair in ((two.id, one.id), (one.id, one.id)):
        with pytest.raises(Conflict):
            desk_merging.merge(*pair, desk=desk, database=database)
    assert desk.exchanges(one.id) == ()


# -- who asks


def test_an_asker_is_met_again_by_their_address_and_nothing_known_is_replaced(askers):
    first = askers.known("Qui@Exemple.fr", "Anne Régis")
    assert askers.known("qui@exemple.fr", "Quelqu’un d’autre", "0596 00 00 00") == first
    held = askers.get(first)
    assert (held.email, held.name, held.phone) == ("qui@exemple.fr", "Anne Régis", "0596 00 00 00")
    assert askers.known() is None
    assert askers.known(name="Anne Régis") != first  # a name proves nobody
    for field in ({"email": "pas une adresse"}, {"phone": "12"}):
        with pytest.raises(InvalidValue):
            askers.known(**field)


# -- who is writing


def test_drafts_tell_who_writes_and_keep_what_could_not_be_saved(desk, database, anne, paul):
    answers = Answers(database, desk.log)
    question = ask(desk)
    answers.save(question.id, "Première version", 0, person=anne)
    with pytest.raises(Conflict):
        answers.save(question.id, "Ma version", 0, person=paul)
    assert answers.draft(question.id, paul).body == "Ma version"
    assert [d.person for d in answers.others_writing(question.id, anne)] == [paul]
    later = datetime.now(UTC) + timedelta(minutes=6)
    assert answers.others_writing(question.id, anne, now=later) == ()


def test_open_and_done_states_are_all_the_states():
    assert {*OPEN, *DONE} == set(S)
    assert not set(OPEN) & set(DONE)


@pytest.mark.parametrize("text", ["\u200b\u200d", "\u202e", "\u0301", "\u2060\n\ufeff"])
def test_what_nobody_can_see_is_no_question(desk, text):
    with pytest.raises(InvalidValue):
        ask(desk, text)


def test_marks_that_turn_a_line_round_are_left_out_and_nothing_else(desk):
    question = ask(desk, "Que dit \u202efdp.exe\u202c ? 👩\u200d💻 e\u0301t\u00e9 \u0627\u0644")
    assert question.text == "Que dit fdp.exe ? 👩\u200d💻 été \u0627\u0644"
