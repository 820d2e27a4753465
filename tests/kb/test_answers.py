"""The text of an answer: nobody's words are lost, and what it cites is what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.accounts import People, Role
from kb.answers import LONGEST_REASON, PRESENT, Answer, Answers
from kb.audit import Trail, Wanted
from kb.connection import Database
from kb.desk import Desk
from kb.desk_tables import answers as table
from kb.desk_tables import publications
from kb.errors import Conflict, InvalidValue, NotFound
from kb.questions import LONGEST_ANSWER, Asked
from kb.servicelog import StepKind
from kb.workdays import Calendar

SITE = "https://base.exemple.fr"
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
CITES = "Voir [A](/notice/c:4/page/12), [A](/notice/c:4/page/3) et [B](/notice/c:7)."


@pytest.fixture
def desk(database, trail):
    return Desk(database, trail, Calendar(zone=ZoneInfo("America/Martinique")), 5)


@pytest.fixture
def answers(database, desk):
    return Answers(database, desk.log, site=SITE)


@pytest.fixture
def question(desk):
    return desk.receive(Asked(text="Comment rédiger la clause ?"), None, now=NOW).id


@pytest.fixture
def lea(people):
    return people.add("lea@exemple.fr", "Léa", [Role.ANSWERER]).id


@pytest.fixture
def joel(people):
    return people.add("joel@exemple.fr", "Joël", [Role.ANSWERER]).id


def kinds(desk, question):
    return [step.kind for step in desk.log.of(question)]


def publish(database, question, record, published="2026-11-24T09:00:00+00:00"):
    empty = dict.fromkeys(("title", "text", "body", "themes", "decisions"), "")
    values = {"state": "published", "access": "public", "at": published, "version": 1, "record": record}
    with database.writing() as connection:
        connection.execute(
            publications.insert().values(question=question, published=published, **empty, **values)
        )


# -- saving


def test_an_answer_that_was_never_saved_is_empty_and_of_version_0(answers, question):
    assert answers.get(question) == Answer(question=question)
    assert not answers.get(question).is_sent


def test_a_saved_text_is_read_again_with_who_and_when(answers, question, lea):
    saved = answers.save(question, "Bonjour\r\n\r\nVoici.  ", 0, person=lea, now=NOW)
    assert saved == answers.get(question)
    assert (saved.body, saved.version, saved.person, saved.at) == ("Bonjour\n\nVoici.", 1, lea, NOW)


def test_each_saved_text_is_a_version_and_a_line_of_the_log(answers, desk, question, lea):
    answers.save(question, "un", 0, person=lea)
    assert answers.save(question, "deux", 1, person=lea).version == 2
    assert kinds(desk, question).count(StepKind.SAVED) == 2


def test_the_same_text_again_changes_nothing(answers, desk, question, lea):
    first = answers.save(question, "un", 0, person=lea, now=NOW)
    assert answers.save(question, " un\r\n", 1, person=lea) == first
    assert kinds(desk, question).count(StepKind.SAVED) == 1


def test_a_form_sent_twice_is_no_conflict(answers, question, lea):
    first = answers.save(question, "un", 0, person=lea)
    answers.keep_draft(question, lea, "un", 0)
    assert answers.save(question, "un", 0, person=lea) == first
    assert answers.draft(question, lea) is None


def test_nothing_saved_on_nothing_leaves_nothing(answers, desk, question, lea):
    assert answers.save(question, "  \n", 0, person=lea).version == 0
    assert StepKind.SAVED not in kinds(desk, question)


def test_another_reason_is_another_version(answers, question, lea):
    answers.save(question, "un", 0, person=lea)
    saved = answers.save(question, "un", 1, person=lea, without_source=" par téléphone ")
    assert (saved.version, saved.without_source) == (2, "par téléphone")
    assert answers.save(question, "un", 2, person=lea).without_source is None


@pytest.mark.parametrize(
    ("field", "body", "reason"),
    [("body", "é" * (LONGEST_ANSWER + 1), ""), ("without_source", "x", "é" * (LONGEST_REASON + 1))],
)
def test_what_is_too_long_is_refused_whole(answers, question, lea, field, body, reason):
    with pytest.raises(InvalidValue) as refused:
        answers.save(question, body, 0, person=lea, without_source=reason)
    assert refused.value.field == field
    assert answers.get(question).version == 0


def test_the_longest_text_is_taken(answers, question, lea):
    body = "é" * LONGEST_ANSWER
    assert answers.save(question, body, 0, person=lea, without_source="x" * LONGEST_REASON).body == body


@pytest.mark.parametrize("body", ["un", ""])
def test_a_question_that_is_not_there_is_not_answered(answers, lea, body):
    with pytest.raises(NotFound):
        answers.save(77, body, 0, person=lea)
    with pytest.raises(NotFound):
        answers.keep_draft(77, lea, body, 0)
    with pytest.raises(NotFound):
        answers.mark_sent(77)


# -- two at once


@pytest.mark.parametrize("version", [0, 2, -1])
def test_who_saves_from_another_version_is_told_and_keeps_their_words(answers, question, lea, joel, version):
    theirs = answers.save(question, "de Joël", 0, person=joel)
    with pytest.raises(Conflict):
        answers.save(question, "de Léa", version, person=lea, now=NOW)
    assert answers.get(question) == theirs
    draft = answers.draft(question, lea)
    assert (draft.body, draft.base, draft.at) == ("de Léa", version, NOW)


def test_a_conflict_replaces_the_draft_by_the_latest_words(answers, question, lea, joel):
    answers.keep_draft(question, lea, "début", 0)
    answers.save(question, "de Joël", 0, person=joel)
    with pytest.raises(Conflict):
        answers.save(question, "début et fin", 0, person=lea)
    assert answers.draft(question, lea).body == "début et fin"


def test_after_a_conflict_one_may_save_over_the_version_that_was_looked_at(answers, question, lea, joel):
    answers.save(question, "de Joël", 0, person=joel)
    with pytest.raises(Conflict):
        answers.save(question, "de Léa", 0, person=lea)
    saved = answers.save(question, "des deux", 1, person=lea)
    assert (saved.body, saved.version, saved.person) == ("des deux", 2, lea)
    assert answers.draft(question, lea) is None


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.sampled_from(["x", "y", "z"])), max_size=8
    )
)
def test_no_words_are_lost_whoever_saves_what_from_where(people_and_answers, steps):
    """Each text is the answer, was before, or is the draft of who wrote it last."""
    answers, people, fresh = people_and_answers
    question = fresh()
    last: dict[str, str] = {}
    taken: list[str] = []
    for who, version, text in steps:
        try:
            answers.save(question, text, version, person=people[who])
            taken.append(text)
            last.pop(who, None)
        except Conflict:
            last[who] = text
    held = answers.get(question)
    assert held.body == (taken[-1] if taken else "")
    assert {who: d.body for who in "ab" if (d := answers.draft(question, people[who]))} == last


@pytest.fixture(scope="module")
def people_and_answers(tmp_path_factory):
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('answers') / 'kb.sqlite'}")
    trail = Trail(database)
    people = People(database, trail)
    both = {who: people.add(f"{who}@exemple.fr", who.upper(), [Role.ANSWERER]).id for who in "ab"}
    desk = Desk(database, trail, Calendar(zone=ZoneInfo("America/Martinique")), 5)
    yield Answers(database, desk.log), both, lambda: desk.receive(Asked(text="Quoi ?"), None).id
    database.close()


# -- drafts


def test_each_person_has_a_draft_of_their_own(answers, question, lea, joel):
    answers.keep_draft(question, lea, "de Léa", 0, now=NOW)
    answers.keep_draft(question, joel, "de Joël", 0)
    assert answers.draft(question, lea).body == "de Léa"
    answers.drop_draft(question, lea)
    assert answers.draft(question, lea) is None
    assert answers.draft(question, joel).body == "de Joël"


def test_saving_takes_away_the_draft_of_who_saves_alone(answers, question, lea, joel):
    answers.keep_draft(question, lea, "a", 0)
    answers.keep_draft(question, joel, "b", 0)
    answers.save(question, "c", 0, person=lea)
    assert answers.draft(question, lea) is None
    assert answers.draft(question, joel).base == 0


def test_a_draft_leaves_no_line_in_the_log(answers, desk, question, lea):
    before = kinds(desk, question)
    answers.keep_draft(question, lea, "a", 0)
    answers.drop_draft(question, lea)
    answers.drop_draft(question, lea)
    assert kinds(desk, question) == before


def test_who_wrote_lately_is_told_to_the_others_only(answers, question, lea, joel):
    answers.keep_draft(question, joel, "a", 0, now=NOW)
    assert answers.others_writing(question, joel, now=NOW) == ()
    (theirs,) = answers.others_writing(question, lea, now=NOW + PRESENT)
    assert (theirs.person, theirs.at) == (joel, NOW)
    assert answers.others_writing(question, lea, now=NOW + PRESENT + timedelta(seconds=1)) == ()


def test_those_who_write_come_latest_first(answers, people, question, lea, joel):
    third = people.add("ana@exemple.fr", "Ana", [Role.ANSWERER]).id
    for person, minute in ((joel, 1), (third, 3)):
        answers.keep_draft(question, person, "a", 0, now=NOW + timedelta(minutes=minute))
    writing = answers.others_writing(question, lea, now=NOW + timedelta(minutes=4))
    assert [draft.person for draft in writing] == [third, joel]


# -- sources


def test_what_is_cited_is_read_from_the_text_each_time(answers, question, lea):
    answers.save(question, CITES, 0, person=lea)
    assert answers.cited(question) == (("c:4", 3), ("c:4", 12), ("c:7", 0))
    answers.save(
        question, f"[C]({SITE}/notice/c:9/page/2) [D](https://autre.exemple/notice/c:1)", 1, person=lea
    )
    assert answers.cited(question) == (("c:9", 2),)
    answers.save(question, "rien", 2, person=lea)
    assert answers.cited(question) == ()


@pytest.mark.parametrize(
    ("body", "reason", "needed"),
    [
        ("Voici.", "", True),
        ("Voici.", "  ", True),
        ("Voici.", "appris au téléphone", False),
        (CITES, "", False),
        ("[x](https://ailleurs.exemple/a)", "", False),
        ("[x](/guichet/2026-001)", "", True),
    ],
)
def test_an_answer_without_source_must_say_why(answers, question, lea, body, reason, needed):
    saved = answers.save(question, body, 0, person=lea, without_source=reason)
    assert answers.needs_reason(saved) is needed


def test_published_answers_that_cite_a_record_come_newest_first_and_once(answers, desk, database, lea):
    asked = [desk.receive(Asked(text="Quoi ?"), None).id for _ in range(4)]
    for question in asked:
        answers.save(question, CITES, 0, person=lea)
    publish(database, asked[0], "c:50", "2026-01-01T09:00:00+00:00")
    publish(database, asked[1], "c:51", "2026-02-01T09:00:00+00:00")
    publish(database, asked[2], None)
    assert answers.citing("c:4") == ("c:51", "c:50")
    assert answers.citing("c:8") == ()


# -- sending


def test_an_answer_is_sent_until_its_text_changes(answers, question, lea):
    answers.save(question, "un", 0, person=lea)
    answers.mark_sent(question, now=NOW)
    held = answers.get(question)
    assert held.is_sent
    assert held.sent == NOW
    changed = answers.save(question, "deux", 1, person=lea)
    assert not changed.is_sent
    assert (changed.sent, changed.sent_version) == (NOW, 1)


def test_nothing_of_a_text_stands_in_the_trail(answers, trail, database, question, lea):
    answers.save(question, "Lamentin secret", 0, person=lea, without_source="dit au marché")
    with database.reading() as connection:
        assert connection.execute(table.select()).first().body == "Lamentin secret"
    told = str(trail.lines(Wanted()))
    assert f"question:{question}" in told
    assert "Lamentin" not in told
    assert "marché" not in told
