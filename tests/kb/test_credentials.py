"""Passwords, links, second factors: what lets somebody in, and what a stranger can learn."""

from __future__ import annotations

import statistics
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from kb import passwords, tables
from kb.accounts import People, Person, Role
from kb.audit import Action, Trail, Wanted
from kb.connection import Database
from kb.credentials import (
    BY_ACCOUNT,
    BY_ADDRESS,
    BY_DEVICE,
    CODES,
    LIFETIMES,
    NOBODY,
    QUARTER,
    RECOVERY_CODES,
    Caller,
    Credentials,
    Ticket,
    digest,
    token,
)
from kb.errors import ConfigError, KBError, LinkExpired, NotFound, SignInRefused, TooManyTries, WeakPassword
from kb.limits import Limits
from kb.secret import Keyring
from kb.sessions import Sessions

GOOD, OTHER, WRONG = "trois mangues sous la pluie", "zèbre-parapluie-cuivre", "pas celui-là du tout"
HERE, THERE = Caller("192.0.2.1"), Caller("198.51.100.7")
NOON = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
EMAIL, STRANGER = "zoé@exemple.fr", "léo@exemple.fr"


@pytest.fixture
def ana(people: People, credentials: Credentials, quick_hashes: None) -> Person:
    person = people.add(EMAIL, "Ana Beauregard", [Role.ADMINISTRATOR])
    credentials.set_password(person.id, GOOD)
    return people.get(person.id)


@pytest.fixture
def bob(people: People, credentials: Credentials, ana: Person) -> Person:
    person = people.add("bob@exemple.fr", "Bob Cyparis", [Role.LIBRARIAN])
    credentials.set_password(person.id, OTHER)
    return people.get(person.id)


@pytest.fixture
def sessions(database: Database, trail: Trail) -> Sessions:
    return Sessions(database, trail, idle=timedelta(hours=2), absolute=timedelta(hours=12))


def tried(
    credentials: Credentials, email: str, caller: Caller, times: int, password: str = WRONG
) -> list[str]:
    """How each of so many tries ended: the error's name, or "in"."""
    found = []
    for _ in range(times):
        try:
            credentials.check(email, password, caller)
        except KBError as error:
            found.append(type(error).__name__)
        else:
            found.append("in")
    return found


def refused(times: int, then: int = 0) -> list[str]:
    return ["SignInRefused"] * times + ["TooManyTries"] * then


def objects(trail: Trail, action: Action) -> list[str]:
    return [line.object for line in trail.every(Wanted(action=action))]


# -- sign-in


@pytest.mark.parametrize("typed", [EMAIL, " ZOÉ@Exemple.FR ", unicodedata.normalize("NFD", EMAIL)])
def test_address_and_password_let_in_however_they_are_typed(
    credentials: Credentials, ana: Person, typed: str
):
    assert credentials.check(typed, GOOD, HERE) == ana
    assert credentials.check(typed, unicodedata.normalize("NFD", GOOD), HERE) == ana


@pytest.mark.parametrize("password", [WRONG, "", GOOD + " ", GOOD.title(), "nobody has this password"])
def test_a_wrong_password_is_refused_and_leaves_a_line(
    credentials: Credentials, trail: Trail, ana: Person, password: str
):
    with pytest.raises(SignInRefused):
        credentials.check(EMAIL, password, HERE)
    assert objects(trail, Action.SIGN_IN_REFUSED) == [ana.actor]


@pytest.mark.parametrize("email", [STRANGER, "", "pas une adresse", "@", "a@b.fr,root", "x" * 5000])
def test_an_unknown_address_is_refused_and_is_not_in_the_trail(
    credentials: Credentials, trail: Trail, stored: Callable[[], str], ana: Person, email: str
):
    with pytest.raises(SignInRefused):
        credentials.check(email, "nobody has this password", HERE)
    assert objects(trail, Action.SIGN_IN_REFUSED) == [NOBODY]
    assert not email.strip("@") or email not in stored()


def test_somebody_who_has_set_no_password_is_refused(credentials: Credentials, people: People, ana: Person):
    people.add("carl@exemple.fr", "Carl", [Role.MEMBER])
    assert tried(credentials, "carl@exemple.fr", HERE, 1, "nobody has this password") == refused(1)
    assert tried(credentials, "carl@exemple.fr", HERE, 1, "") == refused(1)


def test_a_closed_account_is_refused_like_a_wrong_password(
    credentials: Credentials, people: People, ana: Person, bob: Person
):
    people.change(bob.id, active=False)
    assert tried(credentials, bob.email, HERE, 11, OTHER) == refused(10, 1)
    people.change(bob.id, active=True)
    assert credentials.check(bob.email, OTHER, THERE).id == bob.id


def test_who_is_signed_in_confirms_by_the_same_rules(credentials: Credentials, ana: Person):
    credentials.confirm(ana.id, GOOD, HERE)
    for _ in range(10):
        with pytest.raises(SignInRefused):
            credentials.confirm(ana.id, WRONG, HERE)
    with pytest.raises(TooManyTries):
        credentials.confirm(ana.id, GOOD, HERE)
    with pytest.raises(NotFound):
        credentials.confirm(99, GOOD, THERE)


def test_a_hash_of_former_parameters_is_made_anew_at_sign_in(
    credentials: Credentials, database: Database, ana: Person
):
    former = PasswordHasher(time_cost=2, memory_cost=32, parallelism=1).hash(GOOD)
    with database.writing() as connection:
        connection.execute(tables.people.update().values(password=former))
    assert tried(credentials, EMAIL, HERE, 1) == refused(1)

    def kept() -> str:
        with database.reading() as connection:
            return connection.scalar(sa.select(tables.people.c.password)) or ""

    assert kept() == former
    credentials.check(EMAIL, GOOD, HERE)
    assert kept() != former
    assert not passwords.outdated(kept())
    assert credentials.check(EMAIL, GOOD, HERE) == ana


# -- how often


def test_after_ten_failures_from_one_address_even_the_right_password_waits(
    credentials: Credentials, ana: Person
):
    assert BY_ADDRESS.most == 10
    assert tried(credentials, EMAIL, HERE, 12) == refused(10, 2)
    with pytest.raises(TooManyTries) as waiting:
        credentials.check(EMAIL, GOOD, HERE)
    assert QUARTER - 60 <= waiting.value.seconds <= QUARTER
    assert credentials.check(EMAIL, GOOD, THERE) == ana


def test_failures_count_whatever_the_accounts(credentials: Credentials, ana: Person, bob: Person):
    for number in range(8):
        tried(credentials, f"inconnu{number}@exemple.fr", HERE, 1)
    assert tried(credentials, bob.email, HERE, 2) == refused(2)
    assert tried(credentials, EMAIL, HERE, 1, GOOD) == ["TooManyTries"]


def test_a_quarter_of_an_hour_later_it_works_again(
    credentials: Credentials, later: Callable[[float], None], ana: Person
):
    tried(credentials, EMAIL, HERE, 10)
    later(QUARTER - 30)
    assert tried(credentials, EMAIL, HERE, 1, GOOD) == ["TooManyTries"]
    later(31)
    assert credentials.check(EMAIL, GOOD, HERE) == ana


def test_a_success_does_not_count(credentials: Credentials, ana: Person):
    assert tried(credentials, EMAIL, HERE, 25, GOOD) == ["in"] * 25
    assert tried(credentials, EMAIL, HERE, 9) == refused(9)
    assert tried(credentials, EMAIL, HERE, 3, GOOD) == ["in"] * 3
    assert tried(credentials, EMAIL, HERE, 2) == refused(1, 1)


def test_a_success_does_not_wipe_out_the_failures(credentials: Credentials, ana: Person, bob: Person):
    tried(credentials, EMAIL, HERE, 9)
    credentials.check(bob.email, OTHER, HERE)
    assert tried(credentials, EMAIL, HERE, 2) == refused(1, 1)


def test_a_try_that_had_to_wait_is_not_in_the_trail_and_does_not_count(
    credentials: Credentials, trail: Trail, database: Database, ana: Person
):
    tried(credentials, EMAIL, HERE, 30)
    assert len(objects(trail, Action.SIGN_IN_REFUSED)) == 10
    with database.reading() as connection:
        counted = connection.scalar(sa.select(sa.func.count()).select_from(tables.attempts))
    assert counted == 20  # ten by the address, ten by the account


def test_tries_made_at_once_do_not_slip_through(credentials: Credentials, ana: Person):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: tried(credentials, EMAIL, HERE, 1)[0], range(24)))
    assert sorted(found) == refused(10, 14)


def from_everywhere(
    credentials: Credentials, email: Callable[[int], str], network: str = "203.0.113"
) -> list[str]:
    """How tries end that come from ever other addresses: ten each, a few more than the account may have."""
    return [
        tried(credentials, email(number), Caller(f"{network}.{number // 10}"), 1)[0]
        for number in range(BY_ACCOUNT.most + 3)
    ]


def test_a_known_device_is_not_stopped_by_what_others_try(credentials: Credentials, ana: Person):
    assert from_everywhere(credentials, lambda _: EMAIL) == refused(100, 3)
    assert tried(credentials, EMAIL, THERE, 1, GOOD) == ["TooManyTries"]
    known = Caller(THERE.address, known_as=ana.id)
    assert credentials.check(EMAIL, GOOD, known) == ana
    assert tried(credentials, EMAIL, known, 11) == refused(10, 1)
    assert tried(credentials, EMAIL, known, 1, GOOD) == ["TooManyTries"]
    assert BY_DEVICE.most == 10


def test_a_device_known_as_somebody_else_has_no_privilege(credentials: Credentials, ana: Person, bob: Person):
    as_bob = Caller(HERE.address, known_as=bob.id)
    assert tried(credentials, EMAIL, as_bob, 11) == refused(10, 1)
    assert tried(credentials, EMAIL, HERE, 1, GOOD) == ["TooManyTries"]
    assert credentials.check(bob.email, OTHER, as_bob) == bob


def test_an_unknown_address_is_answered_like_a_known_one(
    credentials: Credentials, people: People, ana: Person, bob: Person
):
    people.change(bob.id, active=False)
    people.add("carl@exemple.fr", "Carl", [Role.MEMBER])
    ends = [
        tried(credentials, email, Caller(f"192.0.2.{number}", known_as=known), 13)
        for number, (email, known) in enumerate(
            (email, known)
            for email in (EMAIL, STRANGER, bob.email, "carl@exemple.fr", "pas une adresse")
            for known in (None, 99)
        )
    ]
    assert ends == [refused(10, 3)] * 10


@pytest.mark.parametrize(
    "spelt",
    [
        lambda email, number: email,
        lambda email, number: [email, email.upper(), f" {email}", email.title()][number % 4],
        lambda email, number: unicodedata.normalize(["NFC", "NFD"][number % 2], email),
    ],
    ids=["as it is", "in capitals", "composed otherwise"],
)
def test_an_unknown_address_tried_from_everywhere_is_stopped_like_a_known_one(
    credentials: Credentials, ana: Person, spelt: Callable[[str, int], str]
):
    stranger = from_everywhere(credentials, lambda number: spelt(STRANGER, number))
    known = from_everywhere(credentials, lambda number: spelt(EMAIL, number), "100.64.0")
    assert stranger == known == refused(100, 3)


@pytest.fixture
def true_hashes() -> None:
    passwords._nobody.cache_clear()


def test_an_unknown_address_takes_as_long_as_a_wrong_password(
    credentials: Credentials, people: People, true_hashes: None
):
    person = people.add(EMAIL, "Ana", [Role.ADMINISTRATOR])
    credentials.set_password(person.id, GOOD)
    tried(credentials, STRANGER, HERE, 1)  # the hash of nobody is made once
    ratio = 0.0
    for turn in range(3):  # a busy machine may spoil a round, not all of them
        seconds: dict[str, list[float]] = {EMAIL: [], STRANGER: []}
        for number in range(15):
            for email, spent in seconds.items():
                begun = time.perf_counter()
                assert tried(credentials, email, Caller(f"10.0.{turn}.{number}"), 1) == refused(1)
                spent.append(time.perf_counter() - begun)
        ratio = statistics.median(seconds[STRANGER]) / statistics.median(seconds[EMAIL])
        if 0.6 <= ratio <= 1.7:
            break
    assert 0.6 <= ratio <= 1.7


# -- choosing a password


@pytest.mark.parametrize(
    "password", ["court", "motdepasse2024", "AnaBeauregard1985", "zoé@exemple.fr", "x" * 200]
)
def test_a_weak_password_is_not_taken(credentials: Credentials, trail: Trail, ana: Person, password: str):
    before = trail.head()
    with pytest.raises(WeakPassword) as weak:
        credentials.set_password(ana.id, password)
    assert weak.value.field == "password"
    assert weak.value.why in list(passwords.Weakness)
    assert trail.head() == before
    assert credentials.check(EMAIL, GOOD, HERE) == ana


def test_what_is_known_of_the_centre_is_no_password(credentials: Credentials, ana: Person):
    with pytest.raises(WeakPassword):
        credentials.set_password(ana.id, "xylofare-2024", known=("Xylofare",))


def test_a_new_password_replaces_the_former_and_ends_open_links(
    credentials: Credentials, trail: Trail, ana: Person
):
    link = credentials.link(ana.id, Ticket.RESET)
    credentials.set_password(ana.id, OTHER)
    assert tried(credentials, EMAIL, HERE, 1, GOOD) == refused(1)
    assert credentials.check(EMAIL, OTHER, HERE).id == ana.id
    with pytest.raises(LinkExpired):
        credentials.holder(link)
    assert objects(trail, Action.PASSWORD_SET) == [ana.actor, ana.actor]


def test_no_password_stands_anywhere(credentials: Credentials, on_disk: Callable[[], bytes], ana: Person):
    tried(credentials, EMAIL, HERE, 1)
    credentials.redeem(credentials.link(ana.id, Ticket.RESET), OTHER)
    written = on_disk()
    assert b"$argon2id$" in written
    assert not [word for word in (GOOD, OTHER, WRONG) if word.encode() in written]


# -- links


def expire(database: Database, seconds: float) -> None:
    """Let so much time pass for the links."""
    with database.writing() as connection:
        for row in connection.execute(sa.select(tables.tickets)).all():
            expires = (datetime.fromisoformat(row.expires) - timedelta(seconds=seconds)).isoformat()
            this = tables.tickets.c.token == row.token
            connection.execute(tables.tickets.update().where(this).values(expires=expires))


def test_a_link_is_used_once(credentials: Credentials, ana: Person):
    link = credentials.link(ana.id, Ticket.INVITATION)
    assert credentials.holder(link) == credentials.holder(link) == ana
    assert credentials.redeem(link, OTHER).id == ana.id
    for use in (credentials.holder, lambda secret: credentials.redeem(secret, GOOD)):
        with pytest.raises(LinkExpired):
            use(link)
    assert credentials.check(EMAIL, OTHER, HERE).id == ana.id


def test_a_link_used_twice_at_once_is_used_once(credentials: Credentials, trail: Trail, ana: Person):
    link = credentials.link(ana.id, Ticket.RESET)

    def use(password: str) -> str:
        try:
            credentials.redeem(link, password)
        except LinkExpired:
            return ""
        return password

    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(use, [GOOD, OTHER, "quatre crabes jouent aux dominos", "pneu crevé avant Noël"])
        )
    (chosen,) = filter(None, found)
    assert credentials.check(EMAIL, chosen, HERE).id == ana.id
    assert len(objects(trail, Action.PASSWORD_SET)) == 2


@pytest.mark.parametrize("kind", Ticket)
def test_a_link_ends_when_its_time_is_over(
    credentials: Credentials, database: Database, ana: Person, kind: Ticket
):
    link = credentials.link(ana.id, kind)
    expire(database, LIFETIMES[kind].total_seconds() - 30)
    assert credentials.holder(link) == ana
    expire(database, 31)
    with pytest.raises(LinkExpired):
        credentials.holder(link)
    with pytest.raises(LinkExpired):
        credentials.redeem(link, OTHER)
    assert credentials.check(EMAIL, GOOD, HERE) == ana


def test_a_reset_lives_an_hour_and_an_invitation_a_week():
    assert {Ticket.RESET: timedelta(hours=1), Ticket.INVITATION: timedelta(days=7)} == LIFETIMES


@pytest.mark.parametrize("kind", Ticket)
def test_a_new_link_ends_the_former_but_nobody_elses(
    credentials: Credentials, ana: Person, bob: Person, kind: Ticket
):
    first, others = credentials.link(ana.id, kind), credentials.link(bob.id, kind)
    second = credentials.link(ana.id, kind)
    with pytest.raises(LinkExpired):
        credentials.holder(first)
    assert (credentials.holder(second), credentials.holder(others)) == (ana, bob)


def test_an_invitation_outlives_a_link_that_anybody_may_ask_for(credentials: Credentials, ana: Person):
    invitation = credentials.link(ana.id, Ticket.INVITATION)
    credentials.link(ana.id, Ticket.RESET)
    assert credentials.holder(invitation) == ana


def test_redeeming_a_link_ends_all_sessions_of_that_person(
    credentials: Credentials, sessions: Sessions, ana: Person, bob: Person
):
    mine = [sessions.open(ana.id, "Firefox"), sessions.open(ana.id, "Safari", complete=False)]
    other = sessions.open(bob.id, "Firefox")
    credentials.redeem(credentials.link(ana.id, Ticket.RESET), OTHER)
    assert [sessions.find(secret) for secret in mine] == [None, None]
    assert sessions.find(other) is not None


def test_a_weak_password_does_not_use_the_link_up(credentials: Credentials, sessions: Sessions, ana: Person):
    link, session = credentials.link(ana.id, Ticket.RESET), sessions.open(ana.id, "Firefox")
    for weak in ("court", "motdepasse2024", "xylofare-2024"):
        with pytest.raises(WeakPassword):
            credentials.redeem(link, weak, known=("Xylofare",))
    assert sessions.find(session) is not None
    assert credentials.redeem(link, OTHER).id == ana.id


def test_a_link_of_a_closed_account_is_no_use(
    credentials: Credentials, people: People, ana: Person, bob: Person
):
    people.change(bob.id, active=False)
    link = credentials.link(bob.id, Ticket.RESET)
    with pytest.raises(LinkExpired):
        credentials.redeem(link, GOOD)


@pytest.mark.parametrize("secret", ["", "rien", "../../etc/passwd", "é" * 5000])
def test_a_link_that_was_never_given_is_refused_like_an_old_one(
    credentials: Credentials, ana: Person, secret: str
):
    credentials.link(ana.id, Ticket.RESET)
    with pytest.raises(LinkExpired):
        credentials.holder(secret)


def test_only_the_digest_of_a_link_is_kept(
    credentials: Credentials, trail: Trail, on_disk: Callable[[], bytes], ana: Person
):
    link = credentials.link(ana.id, Ticket.RESET)
    assert link.encode() not in on_disk()
    assert digest(link).encode() in on_disk()
    with pytest.raises(LinkExpired):
        credentials.holder(digest(link))
    line = trail.lines(Wanted(action=Action.PASSWORD_LINK))[0]
    assert (line.object, line.after) == (ana.actor, {"kind": "reset"})


def test_tokens_are_long_and_never_the_same():
    some = {token() for _ in range(200)}
    assert len(some) == 200
    assert all(len(one) >= 43 and one.replace("-", "").replace("_", "").isalnum() for one in some)


def test_links_that_are_too_old_are_thrown_away(
    credentials: Credentials, database: Database, ana: Person, bob: Person
):
    credentials.link(ana.id, Ticket.RESET)
    expire(database, 3601)
    living = credentials.link(bob.id, Ticket.RESET)
    credentials.sweep()
    with database.reading() as connection:
        assert list(connection.scalars(sa.select(tables.tickets.c.person))) == [bob.id]
    assert credentials.holder(living) == bob


# -- second factor


@pytest.fixture
def secret(credentials: Credentials) -> str:
    return credentials.new_factor()


def code(secret: str, at: datetime = NOON, steps: int = 0) -> str:
    """What an authenticator shows, so many steps of 30 s later."""
    return pyotp.TOTP(secret).at(at + timedelta(seconds=30 * steps))


@pytest.fixture
def recovery(credentials: Credentials, ana: Person, secret: str) -> tuple[str, ...]:
    """Ana's recovery codes; her factor was set a step before noon."""
    return credentials.set_factor(ana.id, secret, code(secret, steps=-1), at=NOON - timedelta(seconds=30))


def passes(credentials: Credentials, id: int, typed: str, at: datetime = NOON) -> bool:
    try:
        credentials.check_code(id, typed, at=at)
    except SignInRefused:
        return False
    return True


def test_a_factor_is_asked_for_once_a_code_of_it_was_seen(
    credentials: Credentials, people: People, trail: Trail, ana: Person, secret: str
):
    for wrong in ("", "000000", code(credentials.new_factor()), secret):
        with pytest.raises(SignInRefused):
            credentials.set_factor(ana.id, secret, wrong, at=NOON)
    assert not people.get(ana.id).second_factor
    typed = code(secret)
    codes = credentials.set_factor(ana.id, secret, f"{typed[:3]} {typed[3:]}", at=NOON)
    assert people.get(ana.id).second_factor
    assert len(set(codes)) == credentials.codes_left(ana.id) == RECOVERY_CODES
    assert objects(trail, Action.SECOND_FACTOR_SET) == [ana.actor]


def test_a_picture_for_authenticators_names_the_person_and_the_centre(
    credentials: Credentials, ana: Person, secret: str
):
    read = pyotp.parse_uri(credentials.factor_address(secret, ana, "Ville Caraïbe"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer) == (secret, ana.email, "Ville Caraïbe")
    assert read.at(NOON) == code(secret)


def test_a_code_is_good_once(credentials: Credentials, ana: Person, secret: str, recovery: tuple[str, ...]):
    assert passes(credentials, ana.id, code(secret))
    assert not passes(credentials, ana.id, code(secret))
    assert not passes(credentials, ana.id, code(secret), at=NOON + timedelta(seconds=30))
    assert passes(credentials, ana.id, code(secret, steps=1), at=NOON + timedelta(seconds=30))


def test_the_code_that_set_the_factor_is_used_up(credentials: Credentials, ana: Person, secret: str):
    credentials.set_factor(ana.id, secret, code(secret), at=NOON)
    assert not passes(credentials, ana.id, code(secret))


def test_a_code_used_twice_at_once_is_used_once(
    credentials: Credentials, ana: Person, secret: str, recovery: tuple[str, ...]
):
    for typed in (code(secret), recovery[0]):
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _, typed=typed: passes(credentials, ana.id, typed), range(4)))
        assert sum(found) == 1


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(
    credentials: Credentials, ana: Person, secret: str, steps: int, good: bool
):
    long_ago = NOON - timedelta(days=1)
    credentials.set_factor(ana.id, secret, code(secret, long_ago), at=long_ago)
    assert passes(credentials, ana.id, code(secret, steps=steps)) == good


def test_an_older_code_is_no_good_after_a_newer_one(
    credentials: Credentials, ana: Person, secret: str, recovery: tuple[str, ...]
):
    assert passes(credentials, ana.id, code(secret, steps=1))
    assert not passes(credentials, ana.id, code(secret))
    assert not passes(credentials, ana.id, code(secret, steps=1))


def test_a_recovery_code_is_good_once_however_it_is_typed(
    credentials: Credentials, trail: Trail, ana: Person, recovery: tuple[str, ...]
):
    first, second = recovery[:2]
    assert passes(credentials, ana.id, f" {first[:4].upper()}-{first[4:8]} {first[8:]} ")
    assert not passes(credentials, ana.id, first)
    assert passes(credentials, ana.id, second)
    assert credentials.codes_left(ana.id) == RECOVERY_CODES - 2
    assert objects(trail, Action.RECOVERY_CODE_USED) == [ana.actor, ana.actor]
    assert trail.lines(Wanted(action=Action.SIGN_IN_REFUSED))[0].after == {"factor": "code"}


def test_a_recovery_code_of_somebody_else_is_refused(
    credentials: Credentials, bob: Person, ana: Person, recovery: tuple[str, ...]
):
    other = credentials.new_factor()
    credentials.set_factor(bob.id, other, code(other, steps=-1), at=NOON)
    assert not passes(credentials, bob.id, recovery[0])
    assert not passes(credentials, bob.id, digest(recovery[0]))
    assert credentials.codes_left(ana.id) == RECOVERY_CODES


@pytest.mark.parametrize("typed", ["", " ", "-", "000000", "١٢٣٤٥٦", "x" * 5000, "é🌴"])
def test_what_is_no_code_is_refused(
    credentials: Credentials, ana: Person, recovery: tuple[str, ...], typed: str
):
    assert not passes(credentials, ana.id, typed)


def test_without_a_factor_no_code_is_right(credentials: Credentials, ana: Person):
    assert not passes(credentials, ana.id, "")
    assert not passes(credentials, ana.id, "000000")


def test_after_ten_wrong_codes_even_the_right_one_waits(
    credentials: Credentials,
    later: Callable[[float], None],
    ana: Person,
    bob: Person,
    secret: str,
    recovery: tuple[str, ...],
):
    assert CODES.most == 10
    assert [passes(credentials, ana.id, "000000") for _ in range(10)] == [False] * 10
    for typed in (code(secret), recovery[0]):
        with pytest.raises(TooManyTries):
            credentials.check_code(ana.id, typed, at=NOON)
    other = credentials.new_factor()
    credentials.set_factor(bob.id, other, code(other), at=NOON)
    later(QUARTER + 1)
    assert passes(credentials, ana.id, code(secret))
    assert credentials.codes_left(ana.id) == RECOVERY_CODES


def test_right_codes_do_not_count(
    credentials: Credentials, ana: Person, secret: str, recovery: tuple[str, ...]
):
    for step in range(15):
        assert passes(credentials, ana.id, code(secret, steps=step), at=NOON + timedelta(seconds=30 * step))


def test_guessing_while_setting_a_factor_is_limited_too(credentials: Credentials, ana: Person, secret: str):
    for _ in range(10):
        with pytest.raises(SignInRefused):
            credentials.set_factor(ana.id, secret, "000000", at=NOON)
    with pytest.raises(TooManyTries):
        credentials.set_factor(ana.id, secret, code(secret), at=NOON)


def test_a_factor_set_anew_ends_the_former_secret_and_its_recovery_codes(
    credentials: Credentials, ana: Person, secret: str, recovery: tuple[str, ...]
):
    other = credentials.new_factor()
    credentials.set_factor(ana.id, other, code(other, steps=-1), at=NOON)
    assert not passes(credentials, ana.id, code(secret))
    assert not passes(credentials, ana.id, recovery[0])
    assert passes(credentials, ana.id, code(other))


def test_a_factor_that_is_removed_is_not_asked_for(
    credentials: Credentials,
    people: People,
    trail: Trail,
    ana: Person,
    secret: str,
    recovery: tuple[str, ...],
):
    credentials.remove_factor(ana.id)
    assert not people.get(ana.id).second_factor
    assert credentials.codes_left(ana.id) == 0
    assert not passes(credentials, ana.id, code(secret))
    assert not passes(credentials, ana.id, recovery[0])
    assert objects(trail, Action.SECOND_FACTOR_REMOVED) == [ana.actor]


def test_neither_secret_nor_recovery_codes_can_be_read_from_the_database(
    credentials: Credentials,
    on_disk: Callable[[], bytes],
    ana: Person,
    secret: str,
    recovery: tuple[str, ...],
):
    passes(credentials, ana.id, recovery[0])
    written = on_disk()
    assert not [text for text in (secret, code(secret), *recovery) if text.encode() in written]


def test_a_factor_outlives_the_rotation_of_the_secret(
    credentials: Credentials,
    database: Database,
    trail: Trail,
    people: People,
    limits: Limits,
    keyring: Keyring,
    tmp_path: Path,
    ana: Person,
    bob: Person,
    secret: str,
    recovery: tuple[str, ...],
):
    for _ in range(4):  # more than keys are kept
        keyring = keyring.rotated()
        credentials.recrypt(keyring)
    after = Credentials(database, trail, people, limits, Keyring(tmp_path))
    assert passes(after, ana.id, code(secret))
    assert passes(after, ana.id, recovery[0])
    assert not people.get(bob.id).second_factor
    assert len(objects(trail, Action.SECRET_ROTATED)) == 4
    with pytest.raises(ConfigError):
        credentials.check_code(ana.id, code(secret, steps=1), at=NOON)  # opened before, with the first key
