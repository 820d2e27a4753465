"""Who is signed in, and until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from kb import tables
from kb.accounts import People, Person, Role
from kb.audit import Action, Trail, Wanted
from kb.connection import Database
from kb.credentials import digest
from kb.errors import NotFound
from kb.sessions import HALF_OPEN, Sessions

IDLE, ABSOLUTE = timedelta(hours=2), timedelta(hours=12)
SECOND = timedelta(seconds=1)


@pytest.fixture
def sessions(database: Database, trail: Trail) -> Sessions:
    return Sessions(database, trail, idle=IDLE, absolute=ABSOLUTE)


@pytest.fixture
def ana(people: People) -> Person:
    return people.add("ana@exemple.fr", "Ana", [Role.ADMINISTRATOR])


@pytest.fixture
def bob(people: People, ana: Person) -> Person:
    return people.add("bob@exemple.fr", "Bob", [Role.LIBRARIAN])


@pytest.fixture
def age(database: Database) -> Callable[..., None]:
    """Makes all sessions older: ``by`` since they were opened, ``seen`` since they were used."""

    def older(by: timedelta, seen: timedelta | None = None) -> None:
        with database.writing() as connection:
            for row in connection.execute(sa.select(tables.sessions)).all():
                values = {
                    "created": (datetime.fromisoformat(row.created) - by).isoformat(),
                    "seen": (datetime.fromisoformat(row.seen) - (by if seen is None else seen)).isoformat(),
                }
                this = tables.sessions.c.id == row.id
                connection.execute(tables.sessions.update().where(this).values(values))

    return older


def count(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(tables.sessions)) or 0


def test_who_signs_in_is_found_by_the_token(sessions: Sessions, trail: Trail, ana: Person):
    before = datetime.now(UTC)
    secret = sessions.open(ana.id, "Firefox sous Linux")
    found = sessions.find(secret)
    assert found is not None
    assert (found.person, found.complete, found.device) == (ana.id, True, "Firefox sous Linux")
    assert before <= found.created == found.seen <= datetime.now(UTC)
    line = trail.lines(Wanted(action=Action.SIGNED_IN))[0]
    assert (line.object, line.after) == (ana.actor, {"session": found.id})


@pytest.mark.parametrize("secret", ["", "rien", "x" * 43, "é" * 5000, "' OR 1=1 --"])
def test_a_token_that_was_never_given_finds_nobody(sessions: Sessions, ana: Person, secret: str):
    sessions.open(ana.id, "Firefox")
    assert sessions.find(secret) is None


def test_only_a_digest_of_the_token_is_kept(sessions: Sessions, on_disk: Callable[[], bytes], ana: Person):
    secrets = [sessions.open(ana.id, "Firefox") for _ in range(3)]
    assert len(set(secrets)) == 3
    assert not [secret for secret in secrets if secret.encode() in on_disk()]
    assert digest(secrets[0]).encode() in on_disk()
    assert sessions.find(digest(secrets[0])) is None


def test_a_long_name_of_a_device_is_cut(sessions: Sessions, ana: Person):
    found = sessions.find(sessions.open(ana.id, "é" * 500))
    assert found is not None
    assert found.device == "é" * 120


# -- when a session ends by itself


def test_a_session_nobody_uses_ends(sessions: Sessions, ana: Person):
    secret = sessions.open(ana.id, "Firefox")
    opened = sessions.find(secret)
    assert opened is not None
    assert sessions.find(secret, now=opened.seen + IDLE + SECOND) is None
    assert sessions.find(secret, now=opened.seen + IDLE) is not None


def test_a_session_in_use_goes_on_up_to_its_absolute_end(sessions: Sessions, ana: Person):
    secret = sessions.open(ana.id, "Firefox")
    opened = sessions.find(secret)
    assert opened is not None
    for hours in range(1, 13):
        assert sessions.find(secret, now=opened.created + timedelta(hours=hours)) is not None
    assert sessions.find(secret, now=opened.created + ABSOLUTE + SECOND) is None


def test_a_session_is_marked_as_seen_once_a_minute_at_most(sessions: Sessions, ana: Person):
    secret = sessions.open(ana.id, "Firefox")
    opened = sessions.find(secret)
    assert opened is not None

    def seen() -> timedelta:
        found = sessions.find(secret, now=opened.created)
        assert found is not None
        return found.seen - opened.created

    sessions.find(secret, now=opened.created + timedelta(seconds=59))
    assert seen() == timedelta(0)
    sessions.find(secret, now=opened.created + timedelta(seconds=61))
    assert seen() == timedelta(seconds=61)


def test_looking_at_an_ended_session_does_not_bring_it_back(sessions: Sessions, ana: Person):
    secret = sessions.open(ana.id, "Firefox")
    later = datetime.now(UTC) + IDLE + timedelta(minutes=5)
    assert sessions.find(secret, now=later) is None
    assert sessions.find(secret, now=later) is None


def test_a_half_open_session_waits_ten_minutes_for_its_code(sessions: Sessions, trail: Trail, ana: Person):
    secret = sessions.open(ana.id, "Firefox", complete=False)
    opened = sessions.find(secret)
    assert opened is not None
    assert not opened.complete
    assert timedelta(minutes=10) == HALF_OPEN
    assert sessions.find(secret, now=opened.created + timedelta(minutes=5)) is not None
    assert sessions.find(secret, now=opened.created + HALF_OPEN) is not None
    assert sessions.find(secret, now=opened.created + HALF_OPEN + SECOND) is None
    assert trail.lines(Wanted(action=Action.SIGNED_IN)) == []


def test_a_session_of_a_closed_account_finds_nobody(sessions: Sessions, database: Database, ana: Person):
    secret = sessions.open(ana.id, "Firefox")
    with database.writing() as connection:
        connection.execute(tables.people.update().values(active=False))
    assert sessions.find(secret) is None


# -- one instead of another


def test_a_new_session_replaces_the_one_that_the_browser_held(
    sessions: Sessions, database: Database, ana: Person
):
    half = sessions.open(ana.id, "Firefox", complete=False)
    elsewhere = sessions.open(ana.id, "Safari")
    full = sessions.open(ana.id, "Firefox", replaces=half)
    assert full != half
    assert sessions.find(half) is None
    found = sessions.find(full)
    assert found is not None
    assert found.complete
    assert sessions.find(elsewhere) is not None
    assert count(database) == 2


def test_somebody_elses_session_in_the_same_browser_ends_too(sessions: Sessions, ana: Person, bob: Person):
    former = sessions.open(ana.id, "Firefox")
    sessions.open(bob.id, "Firefox", replaces=former)
    assert sessions.find(former) is None


@pytest.mark.parametrize("replaces", [None, "", "jamais donné"])
def test_replacing_nothing_ends_nothing(sessions: Sessions, ana: Person, replaces: str | None):
    first = sessions.open(ana.id, "Firefox")
    sessions.open(ana.id, "Safari", replaces=replaces)
    assert sessions.find(first) is not None


# -- looking at them and closing them


def test_ones_sessions_come_last_seen_first(
    sessions: Sessions, age: Callable[..., None], ana: Person, bob: Person
):
    sessions.open(ana.id, "trop vieux")
    age(ABSOLUTE, timedelta(0))
    sessions.open(ana.id, "premier")
    age(timedelta(minutes=30))
    sessions.open(ana.id, "dernier")
    sessions.open(ana.id, "entrouvert", complete=False)
    sessions.open(bob.id, "de Bob")
    assert [session.device for session in sessions.of(ana.id)] == ["dernier", "premier"]
    assert [session.device for session in sessions.of(bob.id)] == ["de Bob"]
    assert sessions.of(99) == ()


def test_one_closes_only_ones_own(sessions: Sessions, trail: Trail, ana: Person, bob: Person):
    mine, his = sessions.open(ana.id, "Firefox"), sessions.open(bob.id, "Firefox")
    (one,), (other,) = sessions.of(ana.id), sessions.of(bob.id)
    before = trail.head()
    for id in (other.id, 99):
        with pytest.raises(NotFound):
            sessions.close(id, person=ana.id)
    assert trail.head() == before
    assert sessions.find(his) is not None
    sessions.close(one.id, person=ana.id)
    assert sessions.find(mine) is None
    with pytest.raises(NotFound):
        sessions.close(one.id, person=ana.id)
    line = trail.lines(Wanted(action=Action.SIGNED_OUT))[0]
    assert (line.object, line.before) == (ana.actor, {"session": one.id})


def test_all_are_closed_but_the_one_in_use(sessions: Sessions, trail: Trail, ana: Person, bob: Person):
    kept = sessions.open(ana.id, "Firefox")
    this = sessions.of(ana.id)[0].id
    ended = [sessions.open(ana.id, "Safari"), sessions.open(ana.id, "Edge", complete=False)]
    his = sessions.open(bob.id, "Firefox")
    assert sessions.close_all(ana.id, but=this) == 2
    assert [sessions.find(secret) for secret in ended] == [None, None]
    assert sessions.find(kept) is not None
    assert sessions.close_all(ana.id) == 1
    assert sessions.find(kept) is None
    before = trail.head()
    assert sessions.close_all(ana.id) == 0
    assert trail.head() == before
    assert sessions.find(his) is not None


def test_sessions_opened_in_a_failed_transaction_are_gone(
    database: Database, sessions: Sessions, ana: Person
):
    secrets = []

    def fail() -> None:
        with database.transaction():
            secrets.append(sessions.open(ana.id, "Firefox"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert sessions.find(secrets[0]) is None


@pytest.mark.parametrize(
    ("by", "seen", "complete", "left"),
    [
        (IDLE - timedelta(minutes=1), IDLE - timedelta(minutes=1), True, 1),
        (IDLE + SECOND, IDLE + SECOND, True, 0),
        (ABSOLUTE - timedelta(minutes=1), timedelta(0), True, 1),
        (ABSOLUTE + SECOND, timedelta(0), True, 0),
        (HALF_OPEN - timedelta(minutes=1), HALF_OPEN - timedelta(minutes=1), False, 1),
        (HALF_OPEN + SECOND, HALF_OPEN + SECOND, False, 0),
    ],
)
def test_what_has_ended_is_swept_away_and_nothing_else(
    sessions: Sessions,
    database: Database,
    age: Callable[..., None],
    ana: Person,
    by: timedelta,
    seen: timedelta,
    complete: bool,
    left: int,
):
    secret = sessions.open(ana.id, "Firefox", complete=complete)
    age(by, seen)
    sessions.sweep()
    assert count(database) == left
    assert (sessions.find(secret) is not None) == bool(left)
