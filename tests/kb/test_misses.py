from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import misses as module
from kb.connection import Database
from kb.desk_tables import misses as table
from kb.misses import Miss, Misses, looks_personal

MARCH, APRIL, MAY = date(2026, 3, 31), date(2026, 4, 1), date(2026, 5, 20)


@pytest.fixture
def misses(database: Database) -> Misses:
    return Misses(database)


def test_searches_are_counted_by_their_folded_words(misses: Misses) -> None:
    for text in ("Régie de quartier", "regie  de quartier ", "RÉGIE DE QUARTIER", "mansarde"):
        misses.note(text, MARCH)
    assert misses.most(MARCH, MARCH, 10) == [Miss("regie de quartier", 3), Miss("mansarde", 1)]


def test_the_most_frequent_come_first_then_by_their_letters(misses: Misses) -> None:
    for text in ("bbb", "aaa", "ccc", "ccc"):
        misses.note(text, MARCH)
    assert [miss.text for miss in misses.most(MARCH, MARCH, 2)] == ["ccc", "aaa"]


def test_months_are_added_up_and_only_those_asked_for(misses: Misses) -> None:
    for day in (MARCH, APRIL, MAY, MAY):
        misses.note("volga plage", day)
    assert misses.most(MARCH, APRIL, 5) == [Miss("volga plage", 2)]
    assert misses.most(APRIL, MAY, 5) == [Miss("volga plage", 3)]
    assert misses.most(date(2026, 6, 1), date(2026, 6, 30), 5) == []


def test_what_is_too_short_or_too_long_is_no_search(misses: Misses, database: Database) -> None:
    for text in ("", "  ", "a", "ab", "x" * 121, "mot " * 40):
        misses.note(text, MARCH)
    assert misses.most(MARCH, MARCH, 5) == []
    misses.note("x" * 120, MARCH)
    assert misses.most(MARCH, MARCH, 5) == [Miss("x" * 120, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "kevin dupont",
        "Dupont Kévin",
        "marie-jeanne lagrosilliere",
        "madame durand",
        "M. Durand",
        "anne@exemple.fr",
        "0696 12 34 56",
        "06.96.12.34.56",
        "12 rue des Flamboyants",
        "https://exemple.fr/page",
        "1 85 03 97 209 123 45",
        "né le 3 mars 1985 à Fort-de-France",
    ],
)
def test_what_looks_personal_is_not_kept(text: str, misses: Misses) -> None:
    assert looks_personal(text)
    misses.note(text, MARCH)
    assert misses.most(MARCH, MARCH, 5) == []


@pytest.mark.parametrize(
    "text",
    [
        "contrat de ville 2015-2020",
        "évaluation du CUCS 2012",
        "gestion urbaine de proximité",
        "sainte-marie",
        "sainte marie centre bourg",
        "loi du 21 février 2014",
        "300 logements",
        "régie de quartier Volga Plage",
        "adultes-relais",
    ],
)
def test_what_people_of_the_field_look_for_is_kept(text: str) -> None:
    assert not looks_personal(text)


def test_texts_beyond_the_most_of_a_month_are_not_begun_while_known_ones_go_on(
    misses: Misses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for text in ("aaa", "bbb", "ccc", "ddd", "aaa"):
        misses.note(text, MARCH)
    misses.note("ddd", APRIL)
    assert misses.most(MARCH, MARCH, 9) == [Miss("aaa", 2), Miss("bbb", 1), Miss("ccc", 1)]
    assert misses.most(APRIL, APRIL, 9) == [Miss("ddd", 1)]


def test_a_text_that_another_process_has_just_noted_is_counted_once_more(
    misses: Misses, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = database.best_effort

    def overtaken(statement: object) -> None:
        monkeypatch.setattr(database, "best_effort", write)
        with database.writing() as connection:
            connection.execute(table.insert().values(month="2026-03", text="mansarde", count=4))
        write(statement)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "best_effort", overtaken)
    misses.note("mansarde", MARCH)
    assert misses.most(MARCH, MARCH, 5) == [Miss("mansarde", 5)]


def test_a_page_does_not_wait_while_somebody_else_writes(misses: Misses, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "kb.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    misses.note("mansarde", MARCH)  # it would raise after half a minute
    other.execute("ROLLBACK")
    other.close()
    assert misses.most(MARCH, MARCH, 5) == []


def test_former_months_are_forgotten_whole_and_that_of_the_day_is_kept(misses: Misses) -> None:
    for day in (MARCH, APRIL, MAY):
        misses.note("mansarde", day)
    misses.forget(date(2026, 4, 30))
    assert misses.most(MARCH, MARCH, 5) == []
    assert misses.most(MARCH, MAY, 5) == [Miss("mansarde", 2)]


WORDS = st.sampled_from(["Régie", "regie", "ANRU", "cité éducative", "cite educative", "mansarde"])
DAYS = st.dates(date(2025, 11, 1), date(2026, 2, 28))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noted=st.lists(st.tuples(WORDS, DAYS), max_size=20), since=DAYS, until=DAYS)
def test_counts_are_those_of_a_recount(
    noted: list[tuple[str, date]], since: date, until: date, misses: Misses
) -> None:
    misses.forget(date(2030, 1, 1))
    for text, day in noted:
        misses.note(text, day)
    same = {"Régie": "regie", "ANRU": "anru", "cité éducative": "cite educative"}
    months = [f"{d:%Y-%m}" for d in (since, until)]
    kept = [same.get(text, text) for text, day in noted if months[0] <= f"{day:%Y-%m}" <= months[1]]
    assert {miss.text: miss.count for miss in misses.most(since, until, 100)} == Counter(kept)
