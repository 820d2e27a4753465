"""Who may do what, and what becomes of people."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kb import records, tables
from kb.accounts import (
    GIVEN_ROLES,
    LONGEST_NAME,
    POLICY,
    SCOPES,
    VISITOR,
    Identity,
    People,
    Person,
    Right,
    Role,
    may_read,
    may_see,
    regular_email,
    regular_name,
    rights_of,
    seen_with,
)
from kb.audit import Action, Line, Trail, Wanted, acting
from kb.connection import Database
from kb.credentials import Caller, Credentials, Ticket
from kb.errors import EmailTaken, InvalidValue, LastAdministrator, LinkExpired, NotFound, SignInRefused
from kb.mail import Outbox
from kb.records import Record
from kb.sessions import Sessions

GOOD = "trois mangues sous la pluie"


@pytest.fixture
def sessions(database: Database, trail: Trail) -> Sessions:
    return Sessions(database, trail, idle=timedelta(hours=2), absolute=timedelta(hours=12))


@pytest.fixture
def administrator(people: People) -> Person:
    return people.add("admin@exemple.fr", "Nadège Admin", [Role.ADMINISTRATOR])


@pytest.fixture
def ana(people: People, administrator: Person) -> Person:
    return people.add("ana.beauregard@exemple.fr", "Ana Beauregard", [Role.LIBRARIAN])


def actions(trail: Trail) -> list[str]:
    """What was done, oldest first."""
    return [line.action for line in reversed(trail.lines(Wanted()))]


def last(trail: Trail) -> Line:
    return trail.lines(Wanted(), limit=1)[0]


# -- the policy


def test_every_role_has_a_policy_and_may_visit():
    assert set(POLICY) == set(Role)
    assert all(Right.VISIT in POLICY[role] for role in Role)


def test_a_visitor_may_only_visit():
    assert POLICY[Role.VISITOR] == {Right.VISIT}
    assert VISITOR.rights == {Right.VISIT}
    assert (VISITOR.person, VISITOR.session) == (None, None)
    assert [right for right in Right if VISITOR.may(right)] == [Right.VISIT]


@pytest.mark.parametrize(
    ("right", "roles"),
    [
        (Right.MANAGE_PEOPLE, {Role.ADMINISTRATOR}),
        (Right.MANAGE_KEYS, {Role.ADMINISTRATOR}),
        (Right.MANAGE_MAIL, {Role.ADMINISTRATOR}),
        (Right.SEE_SYSTEM, {Role.ADMINISTRATOR, Role.DIRECTOR}),
        (Right.READ_TRAIL, {Role.ADMINISTRATOR, Role.DIRECTOR, Role.AUDITOR}),
        (Right.CATALOGUE, {Role.ADMINISTRATOR, Role.DIRECTOR, Role.LIBRARIAN}),
        (Right.READ_STAFF, {Role.ADMINISTRATOR, Role.DIRECTOR, Role.LIBRARIAN, Role.ANSWERER}),
        (Right.READ_ONSITE, {Role.ADMINISTRATOR, Role.DIRECTOR, Role.LIBRARIAN, Role.ANSWERER}),
        (
            Right.READ_NETWORK,
            {Role.ADMINISTRATOR, Role.DIRECTOR, Role.LIBRARIAN, Role.ANSWERER, Role.CENTRE},
        ),
        (Right.OWN_ACCOUNT, set(Role) - {Role.VISITOR, Role.CENTRE}),
    ],
)
def test_a_right_is_had_by_these_roles_and_by_no_other(right: Right, roles: set[Role]):
    assert {role for role in Role if right in POLICY[role]} == roles


def test_an_administrator_may_do_everything():
    assert POLICY[Role.ADMINISTRATOR] == set(Right)


def test_a_centre_may_never_do_more_than_a_visitor_and_its_scopes():
    assert POLICY[Role.CENTRE] <= POLICY[Role.VISITOR] | set(SCOPES)


def test_no_scope_lets_a_machine_change_anything_or_read_about_people():
    changing = {Right.CATALOGUE, Right.MANAGE_PEOPLE, Right.MANAGE_KEYS, Right.MANAGE_MAIL}
    assert not set(SCOPES) & (changing | {Right.READ_TRAIL, Right.SEE_SYSTEM, Right.OWN_ACCOUNT})


def test_who_checks_the_trail_neither_catalogues_nor_reads_what_staff_reads():
    assert not POLICY[Role.AUDITOR] & {
        Right.CATALOGUE,
        Right.READ_STAFF,
        Right.READ_NETWORK,
        Right.SEE_SYSTEM,
    }


def test_roles_add_up_and_none_gives_no_right():
    both = rights_of([Role.MEMBER, Role.AUDITOR])
    assert both == POLICY[Role.MEMBER] | POLICY[Role.AUDITOR]
    assert rights_of(()) == frozenset()


def test_the_policy_cannot_be_changed_by_the_way():
    with pytest.raises(TypeError):
        POLICY[Role.VISITOR] = frozenset(Right)  # type: ignore[index]
    assert all(isinstance(rights, frozenset) for rights in POLICY.values())


def test_an_identity_may_what_its_rights_say_and_nothing_else():
    one = Identity(actor="personne:1", name="Ana", rights=frozenset({Right.CATALOGUE}), person=1)
    assert one.may(Right.CATALOGUE)
    assert not one.may(Right.VISIT)


# -- who may see a record

SEEN = {
    Role.VISITOR: {"public", "onsite"},
    Role.MEMBER: {"public", "onsite"},
    Role.AUDITOR: {"public", "onsite"},
    Role.CENTRE: {"public", "onsite", "network"},
    Role.LIBRARIAN: {"public", "onsite", "network", "staff"},
    Role.ANSWERER: {"public", "onsite", "network", "staff"},
    Role.DIRECTOR: {"public", "onsite", "network", "staff"},
    Role.ADMINISTRATOR: {"public", "onsite", "network", "staff"},
}
ON_THE_SPOT = {Role.LIBRARIAN, Role.ANSWERER, Role.DIRECTOR, Role.ADMINISTRATOR}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("access", records.ACCESS)
def test_a_notice_is_seen_and_its_text_read_by_these_roles(role: Role, access: str):
    record = Record(id="vc:1", title="Un titre", access=access)
    rights = POLICY[role]
    assert may_see(record, rights) == (access in SEEN[role])
    assert (access in seen_with(rights)) == may_see(record, rights)
    reads = access in SEEN[role] and (access != "onsite" or role in ON_THE_SPOT)
    assert may_read(record, rights) == reads


def test_without_a_right_nothing_is_seen():
    assert seen_with(frozenset()) == ()
    assert not may_see(Record(id="vc:1", title="Un titre"), frozenset())


# -- addresses and names


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ana.B@Exemple.FR ", "ana.b@exemple.fr"),
        ("ana+carbet@sous.domaine.exemple.fr", "ana+carbet@sous.domaine.exemple.fr"),
        (unicodedata.normalize("NFD", "zoé@exemple.fr"), "zoé@exemple.fr"),
        ("o'brien@exemple.museum", "o'brien@exemple.museum"),
        ("a@b.fr\n", "a@b.fr"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str):
    assert regular_email(typed) == kept
    assert regular_email(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "ana", "ana@", "@exemple.fr", "ana@exemple", "ana@exemple.", "ana@.fr"),
        *("ana b@exemple.fr", "ana@b@exemple.fr", "Ana <ana@exemple.fr>", "a;b@exemple.fr", "a,b@exemple.fr"),
        *("ana@exemple.fr\nBcc: x@y.fr", "ana\r\n@exemple.fr", '"ana"@exemple.fr', "ana@exemple.fr bis"),
        "a" * 250 + "@exemple.fr",
        # one address, never a list of them: mail would go to each
        *("ana@exemple.fr,root", "ana@exemple.fr;root", "ana@exemple.fr>", "ana@exemple.fr:root"),
        *("ana@exemple.fr(x)", 'ana@exemple.fr"', "ana@exemple.fr\\"),
        # nothing that a mail program decodes into something else
        *("=?utf-8?q?ana=2c?=@exemple.fr", "a\x00na@exemple.fr", "ana@exemple.fr\x7f", "ana@ex..fr"),
    ],
)
def test_what_is_no_single_address_is_refused(people: People, typed: str):
    assert people.by_email(typed) is None
    with pytest.raises(InvalidValue) as refused:
        regular_email(typed)
    assert refused.value.field == "email"


def test_a_name_has_single_spaces():
    assert regular_name("  Ana   Maria\tBeauregard \n") == "Ana Maria Beauregard"
    assert len(regular_name("é" * LONGEST_NAME)) == LONGEST_NAME


@pytest.mark.parametrize(
    "typed", ["", "  \n", "x" * (LONGEST_NAME + 1), "Ana\x00", "Ana\u202egro", "A\x1bna"]
)
def test_a_name_that_is_none_is_refused(typed: str):
    with pytest.raises(InvalidValue):
        regular_name(typed)


# -- accounts


def test_somebody_added_has_an_account_but_no_way_in_yet(people: People, trail: Trail):
    with acting("personne:9"):
        ana = people.add(
            " Ana@Exemple.FR", "Ana  Beauregard", [Role.LIBRARIAN, Role.ANSWERER, Role.LIBRARIAN]
        )
    assert people.get(ana.id) == people.by_email("ANA@exemple.fr") == ana
    assert (ana.email, ana.name) == ("ana@exemple.fr", "Ana Beauregard")
    assert ana.roles == {Role.LIBRARIAN, Role.ANSWERER}
    assert (ana.active, ana.has_password, ana.second_factor) == (True, False, False)
    line = last(trail)
    assert (line.actor, line.action, line.object) == ("personne:9", Action.PERSON_INVITED, ana.actor)
    assert line.after == {"roles": "documentaliste repondant"}


@pytest.mark.parametrize("typed", ["ana.beauregard@exemple.fr", " ANA.Beauregard@exemple.FR"])
def test_an_address_has_one_account(people: People, ana: Person, typed: str):
    with pytest.raises(EmailTaken):
        people.add(typed, "Une autre", [Role.MEMBER])
    assert len(people.all()) == 2


@pytest.mark.parametrize("roles", [[], [Role.VISITOR], [Role.CENTRE], [Role.LIBRARIAN, Role.CENTRE]])
def test_roles_that_nobody_is_given_are_refused(people: People, ana: Person, roles: list[Role]):
    with pytest.raises(InvalidValue):
        people.add("x@exemple.fr", "X", roles)
    with pytest.raises(InvalidValue):
        people.change(ana.id, roles=roles)
    assert people.get(ana.id).roles == {Role.LIBRARIAN}
    assert people.by_email("x@exemple.fr") is None


@pytest.mark.parametrize("role", GIVEN_ROLES)
def test_every_role_for_people_can_be_given(people: People, administrator: Person, role: Role):
    assert people.add("x@exemple.fr", "X", [role]).roles == {role}


def test_a_stranger_is_not_found(people: People):
    assert people.by_email("personne@exemple.fr") is None
    for ask in (people.get, people.erase, people.change):
        with pytest.raises(NotFound):
            ask(99)


def test_everybody_comes_by_name_closed_accounts_last(people: People, administrator: Person, ana: Person):
    people.add("z@exemple.fr", "élodie", [Role.MEMBER])
    people.add("b@exemple.fr", "Bruno", [Role.MEMBER])
    people.change(ana.id, active=False)
    assert [person.name for person in people.all()] == ["Bruno", "Nadège Admin", "élodie", "Ana Beauregard"]
    assert people.names()[ana.actor] == "Ana Beauregard"


def test_an_account_added_in_a_failed_transaction_was_never_there(
    database: Database, people: People, trail: Trail
):
    def fail() -> None:
        with database.transaction():
            people.add("ana@exemple.fr", "Ana", [Role.MEMBER])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (people.all(), trail.lines(Wanted())) == ((), [])


def test_a_change_leaves_a_line_with_what_changed_only(people: People, trail: Trail, ana: Person):
    changed = people.change(ana.id, roles=[Role.DIRECTOR])
    assert changed.roles == {Role.DIRECTOR}
    line = last(trail)
    assert (line.action, line.object) == (Action.PERSON_CHANGED, ana.actor)
    assert (line.before, line.after) == ({"roles": "documentaliste"}, {"roles": "responsable"})
    people.change(ana.id, active=False)
    assert (last(trail).before, last(trail).after) == ({"active": True}, {"active": False})


def test_a_change_of_nothing_leaves_no_line(people: People, trail: Trail, ana: Person):
    before = trail.head()
    assert people.change(ana.id) == ana
    assert people.change(ana.id, name=" Ana  Beauregard", roles=[Role.LIBRARIAN], active=True) == ana
    assert trail.head() == before


def test_a_new_name_is_noted_without_either_name(people: People, trail: Trail, ana: Person):
    assert people.change(ana.id, name="Ana Cyparis").name == "Ana Cyparis"
    assert (last(trail).before, last(trail).after) == ({"name": "…"}, {"name": "…"})


def test_closing_an_account_ends_its_sessions_and_links_at_once(
    people: People, sessions: Sessions, credentials: Credentials, administrator: Person, ana: Person
):
    token, link = sessions.open(ana.id, "Firefox"), credentials.link(ana.id, Ticket.RESET)
    other = sessions.open(administrator.id, "Firefox")
    people.change(ana.id, active=False)
    people.change(ana.id, active=True)
    assert sessions.find(token) is None
    with pytest.raises(LinkExpired):
        credentials.holder(link)
    assert sessions.find(other) is not None


# -- the last administrator


@pytest.mark.parametrize(
    "leave",
    [
        lambda people, id: people.change(id, roles=[Role.DIRECTOR]),
        lambda people, id: people.change(id, active=False),
        lambda people, id: people.change(id, roles=[Role.MEMBER], active=False, name="Autre"),
        lambda people, id: people.erase(id),
    ],
    ids=["demoted", "closed", "both", "erased"],
)
def test_the_last_administrator_stays(
    people: People,
    sessions: Sessions,
    trail: Trail,
    administrator: Person,
    ana: Person,
    leave: Callable[[People, int], object],
):
    closed = people.add("ancien@exemple.fr", "Ancien", [Role.ADMINISTRATOR])
    people.change(closed.id, active=False)
    token, before = sessions.open(administrator.id, "Firefox"), trail.head()
    with pytest.raises(LastAdministrator):
        leave(people, administrator.id)
    assert people.get(administrator.id) == administrator
    assert sessions.find(token) is not None
    assert trail.head() == before
    people.change(closed.id, active=True)
    leave(people, administrator.id)
    assert people.get(administrator.id) != administrator


def test_an_administrator_may_have_other_roles_and_another_name(people: People, administrator: Person):
    changed = people.change(administrator.id, name="Nadia", roles=[Role.ADMINISTRATOR, Role.ANSWERER])
    assert (changed.name, len(changed.roles)) == ("Nadia", 2)


# -- erasing


@pytest.fixture
def lived(
    database: Database,
    trail: Trail,
    people: People,
    sessions: Sessions,
    credentials: Credentials,
    quick_hashes: None,
    ana: Person,
) -> Person:
    """Somebody who has done all that leaves traces."""
    credentials.set_password(ana.id, GOOD)
    with pytest.raises(SignInRefused):
        credentials.check(ana.email, "pas celui-là du tout", Caller("192.0.2.1"))
    credentials.check(ana.email, GOOD, Caller("192.0.2.1"))
    sessions.open(ana.id, "Firefox sous Linux")
    sessions.open(ana.id, "Safari", complete=False)
    people.change(ana.id, name="Ana Cyparis-Beauregard")
    people.change(ana.id, roles=[Role.LIBRARIAN, Role.ANSWERER])
    with database.writing() as connection:
        values = {"totp": "un secret chiffré", "recovery": "condensé"}
        connection.execute(tables.people.update().where(tables.people.c.id == ana.id).values(values))
    credentials.link(ana.id, Ticket.RESET)
    with pytest.raises(EmailTaken):
        people.add(ana.email, ana.name, [Role.MEMBER])
    return people.get(ana.id)


def test_erasing_forgets_who_it_was_and_every_way_in(
    database: Database, people: People, trail: Trail, lived: Person
):
    people.erase(lived.id)
    erased = people.get(lived.id)
    assert (erased.roles, erased.active) == (frozenset(), False)
    assert (erased.has_password, erased.second_factor) == (False, False)
    assert people.by_email(lived.email) is None
    with database.reading() as connection:
        row = connection.execute(sa.select(tables.people).where(tables.people.c.id == lived.id)).one()
        ways = [
            connection.scalar(sa.select(sa.func.count()).select_from(table).where(table.c.person == lived.id))
            for table in (tables.sessions, tables.tickets)
        ]
    assert (row.password, row.totp, row.recovery, ways) == (None, None, "", [0, 0])
    line = last(trail)
    assert (line.action, line.object, line.before, line.after) == (
        Action.PERSON_ERASED,
        lived.actor,
        None,
        None,
    )


def test_an_erased_person_is_named_nowhere_neither_in_the_trail(
    people: People, trail: Trail, stored: Callable[[], str], lived: Person
):
    assert lived.email in stored()
    people.erase(lived.id)
    told = repr(list(trail.every(Wanted()))) + stored()
    assert "personne:2" in told
    for word in ("beauregard", "Beauregard", "Cyparis", "ana.", lived.email, GOOD):
        assert word not in told
    assert trail.verify()[1] == []


def test_mail_to_an_erased_person_is_forgotten_too(
    database: Database, people: People, trail: Trail, stored: Callable[[], str], ana: Person
):
    outbox = Outbox(database, trail, sender="centre@exemple.fr", name="Le centre")
    outbox.put(ana.email, "Votre compte", f"Bonjour {ana.name}")
    other = outbox.put("autre@exemple.fr", "Votre compte", "Bonjour")
    people.erase(ana.id)
    assert ana.email not in stored()
    assert "Beauregard" not in stored()
    assert outbox.get(other).recipient == "autre@exemple.fr"


def test_an_erased_address_has_no_way_in_and_may_have_an_account_again(
    people: People, credentials: Credentials, lived: Person
):
    people.erase(lived.id)
    with pytest.raises(SignInRefused):
        credentials.check(lived.email, GOOD, Caller("192.0.2.1"))
    again = people.add(lived.email, "Ana", [Role.MEMBER])
    assert again.id != lived.id
    people.erase(again.id)
    people.erase(lived.id)
    assert people.by_email(lived.email) is None
