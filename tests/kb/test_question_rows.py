"""Rows of a former log: what cells say, what each row becomes, and that it comes in once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.accounts import People, Role
from kb.activity import cases
from kb.answers import Answers
from kb.askers import Askers
from kb.audit import Trail
from kb.connection import Database
from kb.desk import Desk, Wanted
from kb.errors import InvalidRecord
from kb.former_log import FormerLog
from kb.headings import Columns, guess, known_headings
from kb.question_columns import NAMES, QUESTIONS
from kb.question_rows import Reading, Terms, staff_by_name
from kb.questions import Channel, QuestionState
from kb.row_values import effort_said, minutes_said, moment_said
from kb.servicelog import StepKind
from kb.thesaurus import BASE, Concept, Thesaurus
from kb.workdays import from_config

S = QuestionState
CALENDAR = from_config("FR-MQ", "", "America/Martinique")
ZONE = ZoneInfo("America/Martinique")
TODAY = date(2026, 11, 24)


def concept(code: str, scheme: str, label: str, *alt: str) -> Concept:
    return Concept(uri=BASE + code, scheme=scheme, label=label, alt=alt)


THESAURUS = Thesaurus(
    [
        concept("T03", "themes", "Réussite éducative"),
        concept("T04-01", "themes", "Emploi, insertion"),
        concept("T05", "themes", "Logement"),
        concept("ACTEUR-elu", "actors", "Élu local", "maire"),
        concept("ACTEUR-chercheur", "actors", "Chercheur, étudiant"),
        concept("ACTEUR-expert", "actors", "Expert, formateur"),
        concept("ACTEUR-formateur", "actors", "Animateur, formateur"),
        concept("C-97209", "territories", "Fort-de-France"),
        concept("D-X", "dispositifs", "Logement"),
    ]
)


def terms(**more: object) -> Terms:
    known: dict[str, object] = {"thesaurus": THESAURUS, "staff": {"lea montout": 7}, "zone": ZONE}
    return Terms(**known | {"today": TODAY} | more)  # type: ignore[arg-type]


def entry(*, terms_: Terms | None = None, **cells: str):  # type: ignore[no-untyped-def]
    row = {"received": "04/03/2019", "text": "Quelle aide ?"} | cells
    return Reading(Columns(tuple(row)), terms_ or terms()).entry(list(row.values()))


# -- cells


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2019-03-04", "2019-03-04 12:00"),
        ("04/03/2019", "2019-03-04 12:00"),
        ("4.3.2019", "2019-03-04 12:00"),
        ("04-03-2019", "2019-03-04 12:00"),
        ("04/03/19", "2019-03-04 12:00"),
        ("4-3-98", "1998-03-04 12:00"),
        ("4 mars 2019", "2019-03-04 12:00"),
        ("1er mars 2019", "2019-03-01 12:00"),
        ("lundi 4 mars 2019", "2019-03-04 12:00"),
        ("2019-03-04 14:30:00", "2019-03-04 14:30"),
        ("2019-03-04T09:05:00", "2019-03-04 09:05"),
        ("04/03/2019 à 9h", "2019-03-04 09:00"),
        ("04/03/2019 16 h 45", "2019-03-04 16:45"),
        ("43528", "2019-03-04 12:00"),
    ],
)
def test_a_moment_is_read_as_people_write_it(said: str, moment: str) -> None:
    found = moment_said(said, ZONE)
    assert found is not None
    assert f"{found.astimezone(ZONE):%Y-%m-%d %H:%M}" == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize("said", ["", "mars 2019", "2019", "bientôt", "31/02/2019", "12345", "13/13/19"])
def test_what_is_no_day_is_none(said: str) -> None:
    assert moment_said(said, ZONE) is None


@given(st.datetimes(datetime(1980, 1, 1), datetime(2026, 12, 31)))
def test_a_day_is_read_back_however_it_is_written(moment: datetime) -> None:
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%Y-%m-%d %H:%M"):
        found = moment_said(moment.strftime(form), ZONE)
        assert found is not None
        assert found.astimezone(ZONE).date() == moment.date(), form


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        *(
            ("45", 45),
            ("45,0", 45),
            ("45 min", 45),
            ("90 mn.", 90),
            ("1h", 60),
            ("1h30", 90),
            ("1 h 05 min", 65),
        ),
        *(("0,5 h", 30), ("2 heures", 120), ("01:30", 90), ("0:20:00", 20), ("0", 0)),
        *(("", None), ("longtemps", None), ("99999", None), ("-5", None), ("1,5", None), ("une heure", None)),
    ],
)
def test_a_duration_is_read_in_minutes(said: str, minutes: int | None) -> None:
    assert minutes_said(said) == minutes


@pytest.mark.parametrize(
    ("said", "effort"),
    [("3", 3), ("READ 4", 4), ("niveau 6", 6), ("2,0", 2), ("1/6", 1), ("0", None), ("7", None), ("", None)],
)
def test_a_level_is_read(said: str, effort: int | None) -> None:
    assert effort_said(said) == effort


# -- columns


def test_the_headings_of_a_log_are_known() -> None:
    headings = (
        *("N°", "Date de la demande", "Mode de contact", "Commune", "Thématique", "Objet de la demande"),
        *("Répondu par", "Date réponse", "Temps passé (min)", "Nom", "E-mail", "Remarque du chef"),
    )
    assert guess(headings, [], QUESTIONS).names == (
        *("reference", "received", "channel", "territory", "themes", "text"),
        *("person", "answered", "minutes", "asker_name", "asker_email", None),
    )


def test_every_name_has_its_own_words_among_the_headings() -> None:
    for name, label in NAMES.items():
        assert guess((label,), [], QUESTIONS).names == (name,)
    assert set(QUESTIONS.headings.values()) == set(NAMES)


def test_a_catalogue_and_a_log_are_told_apart() -> None:
    assert known_headings(("Titre", "Auteur"), QUESTIONS) == frozenset()
    assert known_headings(("Date réponse", "Téléphone")) == frozenset()


def test_addresses_are_seen_in_a_column_that_says_nothing() -> None:
    sample = [(f"a{n}@exemple.fr", "0696 00 00 0" + str(n)) for n in range(4)]
    assert guess(("Col1", "Col2"), sample, QUESTIONS).names == ("asker_email", "asker_phone")


# -- rows


def test_a_row_becomes_a_question_with_its_codes() -> None:
    one = entry(
        context="Un contexte", channel="Tél.", actor="MAIRE", territory="fort de france",
        themes="T03 - Réussite éducative ; Emploi, insertion", answered="06/03/2019", answer="Voici",
        minutes="1h30", effort="READ 3", person="MONTOUT Léa", consent="Oui",
        terms_=terms(staff=staff_by_name([(7, "Léa Montout", "lea@exemple.fr")])),
    )  # fmt: skip
    asked = one.asked
    assert (asked.text, asked.context, asked.channel) == ("Quelle aide ?", "Un contexte", Channel.TELEPHONE)
    assert (asked.actor, asked.territory, asked.themes) == ("ACTEUR-elu", "C-97209", ("T03", "T04-01"))
    assert (one.state, one.minutes, one.effort, one.person) == (S.ANSWERED, 90, 3, 7)
    assert (one.unknown, asked.consent, one.dated) == ((), True, True)
    assert one.received == datetime(2019, 3, 4, 16, tzinfo=UTC)
    assert one.ended == datetime(2019, 3, 6, 16, tzinfo=UTC)


def test_words_that_are_not_known_leave_the_question_without_and_are_told() -> None:
    one = entry(channel="pigeon", actor="druide", territory="Ailleurs", themes="Logement, Magie", person="X")
    assert (one.asked.channel, one.asked.actor, one.asked.territory) == (Channel.EMAIL, None, None)
    assert one.asked.themes == ("T05",)
    assert dict(one.unknown) == {
        "channel": "pigeon", "actor": "druide", "territory": "Ailleurs", "themes": "Magie", "person": "X",
    }  # fmt: skip


def test_one_word_of_a_label_that_lists_is_enough_unless_two_labels_have_it() -> None:
    assert entry(actor="ETUDIANT").asked.actor == "ACTEUR-chercheur"
    assert entry(actor="acteur-elu").asked.actor == "ACTEUR-elu"
    assert entry(actor="formateur").asked.actor is None


def test_a_word_of_another_scheme_is_not_taken() -> None:
    assert entry(territory="Logement").asked.territory is None


@pytest.mark.parametrize(
    ("cells", "state"),
    [
        ({}, S.CLOSED),
        ({"answered": "05/03/2019"}, S.ANSWERED),
        ({"answer": "Voici"}, S.ANSWERED),
        ({"state": "Répondue"}, S.ANSWERED),
        ({"state": "traité"}, S.CLOSED),
        ({"state": "Clos", "answer": "Voici"}, S.ANSWERED),
        ({"state": "sans suite", "answered": "05/03/2019"}, S.CLOSED),
        ({"state": "Reçue"}, S.RECEIVED),
        ({"state": "en cours"}, S.RECEIVED),
        ({"state": "en cours", "person": "Léa Montout"}, S.IN_HAND),
        ({"state": "en cours", "person": "Léa Montout", "answer": "Un début"}, S.IN_HAND),
        ({"state": "en attente", "person": "lea montout"}, S.WAITING),
        ({"state": "en cours", "answered": "05/03/2019"}, S.ANSWERED),
        ({"state": "???"}, S.CLOSED),
    ],
)
def test_the_state_is_what_the_log_says_unless_an_answer_says_more(cells: dict[str, str], state: S) -> None:
    assert entry(**cells).state is state


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"received": ""}, "pas de date de réception"),
        ({"received": "un jour"}, "date de réception non reconnue : « un jour »"),
        ({"received": "01/01/2027"}, "date de réception impossible : « 01/01/2027 »"),
        ({"received": "01/01/1919"}, "date de réception impossible : « 01/01/1919 »"),
        ({"text": " "}, "pas de question"),
        ({"text": "x" * 10_001}, "question : ce texte est trop long : 10 000 caractères au plus"),
        ({"answered": "03/03/2019"}, "la date de réponse est avant celle de réception"),
        ({"answered": "hier"}, "date de réponse non reconnue : « hier »"),
    ],
)
def test_a_row_that_cannot_be_a_question_says_why(cells: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidRecord) as raised:
        entry(**cells)
    assert " ".join(raised.value.why.split()) == why


def test_a_row_with_more_cells_than_columns_is_refused() -> None:
    with pytest.raises(InvalidRecord):
        Reading(Columns(("received", "text")), terms()).entry(("04/03/2019", "Quoi ?", "encore"))


def test_who_asked_is_not_taken_unless_somebody_says_so() -> None:
    who = {"asker_name": "Rose  Zéphir", "asker_email": "r@exemple.fr", "asker_phone": "0696000001"}
    assert entry(**who).asker == ("", "", "")
    assert entry(terms_=terms(identities=True), **who).asker == ("r@exemple.fr", "Rose Zéphir", "0696000001")


def test_a_guard_against_formulas_is_taken_off() -> None:
    assert entry(text="'=1+1 ?").asked.text == "=1+1 ?"


def test_the_answer_of_the_same_day_is_not_before_the_question() -> None:
    one = entry(received="04/03/2019 16:00", answered="04/03/2019")
    assert one.ended == one.received


def test_equal_rows_are_told_apart_and_known_again() -> None:
    rows = [("04/03/2019", "Horaires ?"), ("04/03/2019", "horaires ?"), ("05/03/2019", "Horaires ?")]

    def keys() -> list[str]:
        reading = Reading(Columns(("received", "text")), terms())
        return [reading.entry(row).key for row in rows]

    assert len(set(keys())) == 3
    assert keys() == keys()


def test_people_are_known_by_name_in_either_order_and_not_when_two_share_it() -> None:
    people = [(1, "Léa Montout", "lea@x.fr"), (2, "Jo Dinal", "jo@x.fr"), (3, "Dinal Jo", "j@x.fr")]
    found = staff_by_name(people)
    assert (found["lea montout"], found["montout lea"], found["lea@x.fr"]) == (1, 1, 1)
    assert "jo dinal" not in found


# -- coming in


@pytest.fixture
def desk(database: Database, trail: Trail) -> Desk:
    return Desk(database, trail, CALENDAR, 3)


@pytest.fixture
def lea(people: People) -> int:
    return people.add("lea@exemple.fr", "Léa Montout", [Role.ANSWERER]).id


@pytest.fixture
def former(database: Database, desk: Desk, lea: int) -> FormerLog:
    return FormerLog(database, desk, Answers(database, desk.log))


def entries(lea: int, *rows: dict[str, str]):  # type: ignore[no-untyped-def]
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    reading = Reading(Columns(names), terms(staff={"lea": lea}, identities=True))
    return [reading.entry([row.get(name, "") for name in names]) for row in rows]


ROWS = (
    {
        "received": "04/03/2019", "text": "Une aide ?", "answered": "06/03/2019", "answer": "Oui, **voici**.",
        "minutes": "45", "effort": "3", "person": "Léa", "channel": "tel", "themes": "Magie",
        "reference": "2019/12", "asker_name": "Rose", "asker_email": "pas-une-adresse",
    },
    {"received": "05/03/2019", "text": "Sans suite", "state": "sans suite", "minutes": "5"},
    {"received": "06/03/2019", "text": "En cours", "state": "en cours", "person": "Léa", "effort": "2"},
    {"received": "07/03/2019", "text": "En attente", "state": "en attente", "person": "Léa"},
    {"received": "08/01/2020", "text": "Nouvelle", "state": "nouvelle"},
    {"received": "09/01/2020", "text": "Répondue un jour", "state": "répondue", "answer": "Oui"},
)  # fmt: skip


def test_rows_come_in_with_their_own_times_and_figures_count_them(
    former: FormerLog, desk: Desk, database: Database, lea: int
) -> None:
    assert former.take(entries(lea, *ROWS), person=lea) == len(ROWS)
    held = sorted(desk.listed(Wanted(states=()), 20), key=lambda one: one.id)
    assert [one.reference for one in held] == [
        *("2019-001", "2019-002", "2019-003", "2019-004"),
        *("2020-001", "2020-002"),
    ]
    assert [one.state for one in held] == [
        *(S.ANSWERED, S.CLOSED, S.IN_HAND, S.WAITING),
        *(S.RECEIVED, S.ANSWERED),
    ]
    first, *_ = cases(database, CALENDAR, date(2019, 1, 1), date(2019, 12, 31))
    assert (first.days, first.minutes, first.effort, first.channel) == (2, 45, 3, Channel.TELEPHONE)
    figures = cases(database, CALENDAR, date(2019, 1, 1), date(2020, 12, 31))
    assert [case.minutes for case in figures] == [45, 5, 0, 0, 0, 0]
    assert [case.effort for case in figures] == [3, None, 2, None, None, None]


def test_the_answer_is_kept_as_one_that_was_sent_and_can_be_published_later(
    former: FormerLog, desk: Desk, database: Database, lea: int
) -> None:
    former.take(entries(lea, ROWS[0]), person=lea)
    held = desk.by_reference("2019-001")
    answer = Answers(database, desk.log).get(held.id)
    assert (answer.body, answer.is_sent, answer.person) == ("Oui, **voici**.", True, lea)
    assert held.assignee == lea
    steps = [step.kind for step in desk.log.of(held.id)]
    assert steps[-1] is StepKind.ANSWERED
    assert all(step.at.year == 2019 for step in desk.log.of(held.id))


def test_what_was_not_understood_is_noted_for_colleagues(
    former: FormerLog, desk: Desk, database: Database, lea: int
) -> None:
    former.take(entries(lea, *ROWS), person=lea)
    [note] = desk.notes(desk.by_reference("2019-001").id)
    assert "sous le numéro 2019/12" in note.text
    assert "Thèmes : « Magie »" in note.text
    assert "Courriel du demandeur" in note.text
    [note] = desk.notes(desk.by_reference("2020-002").id)
    assert note.text == "Sans date de réponse : comptée le jour de la réception."
    asker = desk.by_reference("2019-001").asker
    assert Askers(database).get(asker or 0).name == "Rose"


def test_the_same_file_again_doubles_nothing(former: FormerLog, desk: Desk, lea: int) -> None:
    rows = entries(lea, *ROWS, ROWS[1])
    assert former.known([one.key for one in rows]) == frozenset()
    assert former.take(rows, person=lea) == len(ROWS) + 1
    assert former.known([one.key for one in rows]) == {one.key for one in rows}
    assert former.take(rows, person=lea) == 0
    assert desk.count(Wanted(states=())) == len(ROWS) + 1


def test_what_came_in_stays_when_it_is_stopped_and_the_rest_follows(
    former: FormerLog, desk: Desk, lea: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.former_log._PORTION", 2)
    told: list[int] = []

    def more(done: int) -> bool:
        told.append(done)
        return done < 4

    assert former.take(entries(lea, *ROWS), person=lea, more=more) == 4
    assert told == [2, 4]
    assert former.take(entries(lea, *ROWS), person=lea) == 2


def test_a_failure_leaves_no_half_of_a_row(
    former: FormerLog, desk: Desk, lea: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.former_log._PORTION", 1)

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("stop")

    monkeypatch.setattr(Answers, "mark_sent", fails)
    with pytest.raises(RuntimeError):
        former.take(entries(lea, ROWS[1], ROWS[0]), person=lea)
    monkeypatch.undo()
    assert desk.count(Wanted(states=())) == 1
    assert former.take(entries(lea, ROWS[1], ROWS[0]), person=lea) == 1
