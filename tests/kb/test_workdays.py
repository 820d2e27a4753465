from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ConfigError
from kb.workdays import MOST_DAYS, Calendar, easter_of, from_config

MARTINIQUE = ZoneInfo("America/Martinique")
CENTRE = Calendar(closed=frozenset({"12-24", "mardi gras", date(2027, 2, 8)}))
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))
MONDAY = date(2026, 9, 7)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=MARTINIQUE)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (MONDAY, date(2026, 9, 10)),
        (date(2026, 9, 5), date(2026, 9, 10)),  # Saturday
        (date(2026, 9, 6), date(2026, 9, 10)),  # Sunday
        (date(2026, 9, 11), date(2026, 9, 16)),  # Friday, to Wednesday
        (date(2026, 5, 21), date(2026, 5, 28)),  # 22 May, a weekend and Whit Monday between
        (date(2026, 5, 22), date(2026, 5, 29)),  # on the day off itself
        (date(2026, 12, 31), date(2027, 1, 6)),  # over the new year
    ],
)
def test_three_working_days_are_counted_from_the_working_day_on_which_a_question_arrives(
    received: date, due: date
) -> None:
    assert Calendar().after(received, 3) == due
    assert Calendar().after(at(received, 11), 3) == due


def test_zero_days_after_gives_the_day_on_which_a_question_counts_as_received() -> None:
    assert Calendar().after(MONDAY, 0) == MONDAY
    assert Calendar().after(MONDAY - timedelta(2), 0) == MONDAY


def test_a_question_of_the_evening_belongs_to_the_day_of_the_centre_and_not_to_that_of_utc() -> None:
    evening = datetime(2026, 9, 8, 2, 30, tzinfo=UTC)
    assert evening.astimezone(MARTINIQUE).hour == 22
    assert Calendar().after(evening, 3) == date(2026, 9, 10)
    assert Calendar(zone=ZoneInfo("Europe/Paris")).after(evening, 3) == date(2026, 9, 11)
    assert Calendar().days_left(MONDAY, evening) == 0


def test_moments_just_before_and_after_midnight_fall_on_two_days() -> None:
    assert Calendar().between(MONDAY, at(MONDAY, 23, 59)) == 0
    assert Calendar().between(MONDAY, at(MONDAY + timedelta(1), 0)) == 1


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Calendar().after(datetime(2026, 9, 7, 10), 3)


@pytest.mark.parametrize("days", [-1, MOST_DAYS + 1])
def test_a_number_of_days_that_makes_no_sense_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="days"):
        Calendar().after(MONDAY, days)


def test_answering_at_once_or_before_the_centre_opens_takes_no_working_day() -> None:
    saturday = MONDAY - timedelta(2)
    assert Calendar().between(saturday, saturday) == 0
    assert Calendar().between(saturday, MONDAY) == 0
    assert Calendar().between(MONDAY, saturday) == 0


def test_days_left_goes_down_to_zero_on_the_day_itself_and_below_from_the_next_one() -> None:
    friday = date(2026, 9, 11)
    left = [Calendar().days_left(friday, friday + timedelta(n)) for n in range(-7, 6)]
    assert left == [5, 4, 4, 4, 3, 2, 1, 0, -1, -1, -1, -2, -3]


@given(MOMENTS, st.integers(0, 60))
def test_a_deadline_is_a_working_day_and_is_that_many_days_away(start: datetime, days: int) -> None:
    due = CENTRE.after(start, days)
    assert CENTRE.is_working(due)
    assert due >= start.astimezone(MARTINIQUE).date()
    assert CENTRE.between(start, due) == days
    assert CENTRE.days_left(due, start) == days


@given(MOMENTS, MOMENTS, st.integers(0, 40), st.integers(0, 40))
def test_what_comes_later_or_is_given_more_days_is_never_due_sooner(
    one: datetime, other: datetime, few: int, more: int
) -> None:
    (first, second), (few, more) = sorted((one, other)), sorted((few, more))
    assert CENTRE.after(first, few) <= CENTRE.after(second, few)
    assert CENTRE.after(first, few) <= CENTRE.after(first, more)
    assert (CENTRE.after(first, few) < CENTRE.after(first, more)) == (few < more)


@given(DAYS, st.integers(0, 30), st.integers(0, 30))
def test_days_add_up(start: date, one: int, other: int) -> None:
    assert CENTRE.after(CENTRE.after(start, one), other) == CENTRE.after(start, one + other)


@given(DAYS, DAYS)
def test_days_elapsed_are_the_working_days_after_the_one_of_arrival(one: date, other: date) -> None:
    start, end = sorted((one, other))
    end = min(end, start + timedelta(90))
    span = [start + timedelta(n) for n in range((end - start).days + 1)]
    worked = [day for day in span if CENTRE.is_working(day)]
    assert CENTRE.between(start, end) == max(0, len(worked) - 1)


@given(DAYS, DAYS)
def test_days_left_is_negative_exactly_when_the_deadline_is_over(deadline: date, now: date) -> None:
    now = min(max(now, deadline - timedelta(60)), deadline + timedelta(60))
    assert (Calendar().days_left(deadline, now) < 0) == (now > deadline)


@pytest.mark.parametrize(
    ("place", "day", "name"),
    [
        ("MQ", date(2026, 5, 22), "Abolition de l’esclavage"),
        ("GP", date(2026, 5, 27), "Abolition de l’esclavage"),
        ("GF", date(2026, 6, 10), "Abolition de l’esclavage"),
        ("RE", date(2026, 12, 20), "Abolition de l’esclavage"),
        ("YT", date(2026, 4, 27), "Abolition de l’esclavage"),
        ("", date(2026, 5, 22), None),
        ("57", date(2026, 4, 3), "Vendredi saint"),
        ("", date(2026, 4, 6), "Lundi de Pâques"),
        ("MQ", date(2026, 11, 11), "Armistice"),
    ],
)
def test_the_holidays_are_those_of_the_place_by_their_french_names(
    place: str, day: date, name: str | None
) -> None:
    assert Calendar(place=place).name_of(day) == name
    assert Calendar(place=place).is_working(day) == (name is None and day.weekday() < 5)


@pytest.mark.parametrize("place", ["MQ", "GP", "GF"])
@pytest.mark.parametrize(
    "day",
    [
        *(date(2027, 2, 8), date(2027, 2, 9), date(2027, 2, 10)),  # Carnival, Ash Wednesday
        *(date(2027, 3, 4), date(2027, 3, 26)),  # Mi-Carême, Good Friday
        *(date(2027, 7, 21), date(2027, 11, 2)),
    ],
)
def test_days_kept_by_custom_only_are_worked_unless_the_centre_says_otherwise(place: str, day: date) -> None:
    assert Calendar(place=place).is_working(day)
    customs = "lundi gras, mardi gras, Mercredi des Cendres, mi-carême, vendredi saint, 07-21, 11-02"
    kept = from_config(f"FR-{place}", customs, "America/Martinique")
    assert not kept.is_working(day)
    assert kept.name_of(day) != "Fermeture du centre"


def test_the_law_without_customs_gives_eleven_and_one_days_a_year() -> None:
    for place, number in (("", 11), ("MQ", 12), ("GP", 12), ("MF", 12), ("57", 13)):
        calendar = Calendar(place=place)
        days = (date(2026, 1, 1) + timedelta(n) for n in range(365))
        assert sum(calendar.name_of(day) is not None for day in days) == number, place


def test_closed_days_are_read_as_dates_spans_days_of_every_year_and_names() -> None:
    closed = " 12-24, 2027-02-08 ,2027-08-02/2027-08-13, Mardi Gras,"
    calendar = from_config("fr-mq", closed, "America/Martinique")
    assert (calendar.country, calendar.place, calendar.zone) == ("FR", "MQ", MARTINIQUE)
    for year in (2026, 2031):
        assert calendar.name_of(date(year, 12, 24)) == "Fermeture du centre"
    assert calendar.name_of(date(2027, 2, 8)) == "Fermeture du centre"
    assert calendar.is_working(date(2028, 2, 8))
    assert calendar.name_of(date(2026, 2, 17)) == calendar.name_of(date(2027, 2, 9)) == "Mardi gras"
    assert calendar.after(date(2027, 7, 30), 1) == date(2027, 8, 16)


def test_a_country_alone_stands_for_its_common_holidays() -> None:
    assert from_config("FR", "", "Europe/Paris") == Calendar("FR", "", frozenset(), ZoneInfo("Europe/Paris"))
    assert from_config("HT", "", "America/Port-au-Prince").name_of(date(2026, 1, 2)) == "Jour des Aïeux"


@pytest.mark.parametrize("written", ["24 décembre", "24 Decembre", "12-24"])
def test_a_day_of_every_year_may_be_written_with_the_name_of_its_month(written: str) -> None:
    assert from_config("FR-MQ", written, "UTC").closed == {"12-24"}
    assert from_config("FR-MQ", "1er mars, 2 août", "UTC").closed == {"03-01", "08-02"}


@pytest.mark.parametrize(
    ("place", "closed", "zone", "said"),
    [
        ("", "", "UTC", "FR-MQ"),
        ("Martinique", "", "UTC", "FR-MQ"),
        ("XX", "", "UTC", "« XX » n’est pas connu"),
        ("FR-ZZ", "", "UTC", "« FR-ZZ » n’est pas connu"),
        ("MQ", "", "UTC", "écrivez FR-MQ, et non MQ"),
        ("FR-MQ", "", "America/Fort-de-France", "time_zone"),
        ("FR-MQ", "24/12", "UTC", "« 24/12 » n’est pas un jour ; écrivez-le comme 24 décembre"),
        ("FR-MQ", "12-32", "UTC", "« 12-32 » n’est pas un jour"),
        ("FR-MQ", "2027-02-29", "UTC", "« 2027-02-29 » n’est pas un jour"),
        ("FR-MQ", "31 février", "UTC", "« 31 février » n’est pas un jour"),
        ("FR-MQ", "0 mai", "UTC", "« 0 mai » n’est pas un jour"),
        ("FR-MQ", "2027-02-08/", "UTC", "n’est pas un jour"),
        ("FR-MQ", "2027-02-08/2027-02-01", "UTC", "doit finir après son début"),
        ("FR-MQ", "2027-02-08/2029-02-01", "UTC", "un an au plus"),
        ("FR-MQ", "jour de l’an", "UTC", "Mardi gras"),
    ],
)
def test_a_setting_that_is_not_understood_is_named(place: str, closed: str, zone: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        from_config(place, closed, zone)


def test_a_centre_that_never_opens_is_a_mistake_and_not_an_endless_search() -> None:
    every_day = (date(2000, 1, 1) + timedelta(n) for n in range(366))
    calendar = Calendar(closed=frozenset(f"{day:%m-%d}" for day in every_day))
    with pytest.raises(ConfigError, match="aucun jour ouvré"):
        calendar.after(MONDAY, 1)


def test_easter_is_that_of_the_holiday_after_it() -> None:
    for year in range(1900, 2101):
        given = holidays.country_holidays("FR", years=year, language="fr")
        assert "Lundi de Pâques" in given[easter_of(year) + timedelta(1)], year


def test_the_calendar_of_holidays_is_loaded_when_a_place_is_asked_for_and_not_before() -> None:
    code = "import sys, kb.workdays; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
