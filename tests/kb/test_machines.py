"""Keys of other centres."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kb import tables
from kb.accounts import POLICY, SCOPES, Right, Role
from kb.audit import Action, Trail, Wanted
from kb.connection import Database
from kb.credentials import digest
from kb.errors import InvalidValue, NotFound
from kb.machines import PREFIX, Machines


@pytest.fixture
def machines(database: Database, trail: Trail) -> Machines:
    return Machines(database, trail)


def test_a_key_says_what_it_is_and_is_known_by_its_digest_only(
    machines: Machines, on_disk: Callable[[], bytes], trail: Trail
):
    secret = machines.add("  Centre  de Guadeloupe ", [Right.READ_NETWORK])
    assert PREFIX == "kbc_"
    assert secret.startswith(PREFIX)
    assert len(secret) >= len(PREFIX) + 43
    assert secret.encode() not in on_disk()
    assert secret.removeprefix(PREFIX).encode() not in on_disk()
    assert digest(secret).encode() in on_disk()
    (key,) = machines.all()
    assert (key.name, key.scopes) == ("Centre de Guadeloupe", {Right.READ_NETWORK})
    assert (key.used, key.revoked) == (None, None)
    line = trail.lines(Wanted())[0]
    assert (line.action, line.object) == (Action.KEY_MADE, f"cle:{key.id}")
    assert line.after == {"scopes": ["read-network"]}


def test_who_has_the_key_is_that_centre_with_its_scopes(machines: Machines):
    identity = machines.identify(machines.add("Guadeloupe", [Right.READ_NETWORK]))
    assert identity is not None
    assert (identity.actor, identity.name) == ("cle:1", "Guadeloupe")
    assert (identity.person, identity.session) == (None, None)
    assert identity.rights == {Right.VISIT, Right.READ_NETWORK}


def test_a_key_without_scopes_is_a_visitor(machines: Machines):
    identity = machines.identify(machines.add("Guadeloupe", []))
    assert identity is not None
    assert identity.rights == POLICY[Role.VISITOR]


@pytest.mark.parametrize("right", [right for right in Right if right not in SCOPES])
def test_a_right_that_is_no_scope_is_refused(machines: Machines, trail: Trail, right: Right):
    with pytest.raises(InvalidValue) as refused:
        machines.add("Guadeloupe", [*SCOPES, right])
    assert refused.value.field == "scopes"
    assert (machines.all(), trail.lines(Wanted())) == ((), [])


def test_a_key_whose_row_was_changed_still_gets_no_more_than_a_centre(machines: Machines, database: Database):
    secret = machines.add("Guadeloupe", [])
    with database.writing() as connection:
        everything = " ".join(Right)
        connection.execute(tables.machine_keys.update().values(scopes=everything))
    identity = machines.identify(secret)
    assert identity is not None
    assert identity.rights == POLICY[Role.CENTRE]


@pytest.mark.parametrize("name", ["", "  ", "x" * 200, "Gua\x00deloupe"])
def test_a_key_needs_a_name(machines: Machines, name: str):
    with pytest.raises(InvalidValue):
        machines.add(name, SCOPES)
    assert machines.all() == ()


def test_a_key_that_is_not_given_here_identifies_nobody(machines: Machines):
    secret = machines.add("Guadeloupe", SCOPES)
    bare = secret.removeprefix(PREFIX)
    for wrong in (
        "",
        PREFIX,
        bare,
        PREFIX + "x" * 43,
        secret + "x",
        secret.upper(),
        digest(secret),
        "é" * 999,
    ):
        assert machines.identify(wrong) is None


def test_a_revoked_key_ends_for_ever(machines: Machines, trail: Trail):
    secret, other = machines.add("Guadeloupe", SCOPES), machines.add("Guyane", SCOPES)
    machines.revoke(1)
    assert machines.identify(secret) is None
    assert machines.identify(other) is not None
    assert trail.lines(Wanted(action=Action.KEY_REVOKED))[0].object == "cle:1"
    before = trail.head()
    for id in (1, 99):
        with pytest.raises(NotFound):
            machines.revoke(id)
    assert trail.head() == before
    assert machines.identify(secret) is None


def test_keys_come_newest_first_and_revoked_ones_last(machines: Machines):
    for name in ("Un", "Deux", "Trois", "Quatre"):
        machines.add(name, SCOPES)
    machines.revoke(4)
    machines.revoke(1)
    assert [key.name for key in machines.all()] == ["Trois", "Deux", "Quatre", "Un"]
    assert [key.revoked is None for key in machines.all()] == [True, True, False, False]


def test_two_keys_of_one_name_are_two(machines: Machines):
    first, second = machines.add("Guadeloupe", SCOPES), machines.add("Guadeloupe", SCOPES)
    assert first != second
    machines.revoke(1)
    identity = machines.identify(second)
    assert identity is not None
    assert identity.actor == "cle:2"


def test_the_last_use_is_written_now_and_then(machines: Machines, database: Database, trail: Trail):
    secret = machines.add("Guadeloupe", SCOPES)
    before = trail.head()
    machines.identify(secret)
    first = machines.all()[0].used
    assert first is not None
    machines.identify(secret)
    assert machines.all()[0].used == first
    with database.writing() as connection:
        connection.execute(
            sa.update(tables.machine_keys).values(used=(first - timedelta(minutes=11)).isoformat())
        )
    machines.identify(secret)
    used = machines.all()[0].used
    assert used is not None
    assert used >= first
    assert trail.head() == before
