"""The other centres, what is harvested from them, and how each harvest went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kb.audit import Action, Trail, Wanted
from kb.centres import Centre, Centres
from kb.connection import Database
from kb.errors import InvalidValue, NotFound
from kb.network_tables import sources as table
from kb.runs import Ending, Runs
from kb.secret import Keyring
from kb.sources import DELAYS, LEASE, Sources

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
ADDRESS = "https://labo.exemple.fr/oai"


@pytest.fixture
def centres(database: Database, trail: Trail) -> Centres:
    return Centres(database, trail, "ici")


@pytest.fixture
def sources(database: Database, trail: Trail, keyring: Keyring, centres: Centres) -> Sources:
    centres.save(Centre(code="labo", name="Labo"))
    return Sources(database, trail, keyring)


@pytest.fixture
def runs(database: Database, trail: Trail) -> Runs:
    return Runs(database, trail)


def add(sources: Sources, **fields):
    return sources.add(**({"centre": "labo", "url": ADDRESS, "prefix": "carbet"} | fields))


def test_a_centre_is_kept_with_what_was_typed_made_regular(centres: Centres):
    kept = centres.save(Centre(code=" labo ", name="  Labo   des cités ", contact="a@labo.fr"))
    assert kept == Centre(code="labo", name="Labo des cités", contact="a@labo.fr")
    assert centres.get("labo") == kept
    assert centres.names() == {"labo": "Labo des cités"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "Labo Cités"),
        ("code", "ici"),
        ("code", "-a"),
        ("code", "a" * 61),
        ("name", " "),
        ("contact", "pas une adresse"),
        ("contact", "a@b, c@d"),
        ("url", "javascript:alert(1)"),
        ("url", "labo.fr"),
    ],
)
def test_what_cannot_be_a_centre_is_refused_with_its_field(centres: Centres, field: str, value: str):
    fields = {"code": "labo", "name": "Labo"} | {field: value}
    with pytest.raises(InvalidValue) as refused:
        centres.save(Centre(**fields))
    assert refused.value.field == field
    assert centres.all() == ()


def test_changes_of_a_centre_leave_lines_and_the_same_again_none(centres: Centres, trail: Trail):
    for name in ("Labo", "Labo", "Labo Cités"):
        centres.save(Centre(code="labo", name=name, public_key="ab" * 32))
    assert [line.action for line in trail.every(Wanted())] == [Action.CENTRE_CHANGED, Action.CENTRE_ADDED]
    assert centres.keys() == {"labo": "ab" * 32}
    with pytest.raises(NotFound):
        centres.get("autre")


def test_a_source_is_due_as_soon_as_it_is_added_and_taken_once(sources: Sources):
    source = add(sources)
    now = datetime.now(UTC)
    taken = sources.take(now)
    assert taken is not None
    assert taken.id == source.id
    assert sources.take(now) is None
    assert sources.take(now, source.id) is None
    assert sources.take(now + LEASE + timedelta(seconds=1)) is not None  # whoever had it is gone


@pytest.mark.parametrize(
    "fields", [{"url": "file:///etc/passwd"}, {"prefix": "mods"}, {"hours": 0}, {"hours": 999}]
)
def test_what_cannot_be_a_source_is_refused(sources: Sources, fields: dict):
    with pytest.raises(InvalidValue):
        add(sources, **fields)


def test_one_address_and_set_is_harvested_once(sources: Sources):
    add(sources)
    with pytest.raises(InvalidValue):
        add(sources)
    add(sources, set="type:guide")


def test_the_key_is_kept_encrypted_and_out_of_the_trail(sources: Sources, trail: Trail, database: Database):
    source = add(sources, secret="kbc_tres-secret")
    assert sources.secret(source.id) == "kbc_tres-secret"
    assert source.has_secret
    with database.reading() as connection:
        assert "tres-secret" not in str(connection.execute(table.select()).all())
    sources.change(source.id, secret="")
    assert sources.secret(source.id) is None
    assert "tres-secret" not in str(list(trail.every(Wanted())))


def test_a_harvest_that_was_cut_short_goes_on_where_it_was(sources: Sources):
    source = add(sources)
    sources.mark(source.id, token="jeton", asked="2026-03-01T10:00:00Z")
    held = sources.get(source.id)
    assert (held.token, held.asked) == ("jeton", "2026-03-01T10:00:00Z")
    sources.restart(source.id)
    assert sources.get(source.id).token is None


def test_a_harvest_that_ended_is_due_again_after_its_hours(sources: Sources):
    source = add(sources, hours=6)
    sources.take(NOW, source.id)
    sources.succeed(source.id, since="2026-03-01T09:59:58Z", now=NOW)
    held = sources.get(source.id)
    assert held.due == NOW + timedelta(hours=6)
    assert (held.since, held.token, held.failures) == ("2026-03-01T09:59:58Z", None, 0)
    assert not held.running


def test_a_harvest_that_failed_is_tried_sooner_then_at_its_hours(sources: Sources):
    source = add(sources, hours=24)
    for delay in (*DELAYS, timedelta(hours=24), timedelta(hours=24)):
        sources.fail(source.id, NOW)
        assert sources.get(source.id).due == NOW + delay


def test_what_is_asked_otherwise_is_asked_from_the_beginning(sources: Sources):
    source = add(sources)
    sources.succeed(source.id, since="2026-03-01", now=NOW)
    assert sources.change(source.id, hours=1).since == "2026-03-01"
    assert sources.change(source.id, prefix="oai_dc").since is None
    sources.succeed(source.id, since="2026-03-01", now=NOW)
    sources.ask_now(source.id, whole=True)
    assert sources.get(source.id).since is None


def test_a_paused_source_is_not_asked_and_its_harvest_ends(sources: Sources):
    source = add(sources)
    assert sources.renew(source.id, NOW)
    sources.pause(source.id, True)
    assert not sources.renew(source.id, NOW)
    sources.release(source.id)
    assert sources.take(datetime.now(UTC) + timedelta(days=1)) is None
    sources.pause(source.id, False)
    assert sources.take(datetime.now(UTC) + timedelta(days=1)) is not None


def test_a_source_that_is_taken_away_ends_its_harvest(sources: Sources):
    source = add(sources)
    sources.remove(source.id)
    assert not sources.renew(source.id, NOW)
    sources.fail(source.id, NOW)  # by the harvest that was under way
    assert sources.all() == ()


def test_a_run_says_what_came_and_leaves_one_line(runs: Runs, trail: Trail):
    id = runs.open(source=1, centre="labo", way="oai", now=NOW)
    runs.note(id, {"new": 2}, ["notice 3 : sans titre"])
    (running,) = runs.all(source=1)
    assert (running.state, running.counts, running.notes) == (
        Ending.RUNNING,
        {"new": 2},
        ("notice 3 : sans titre",),
    )
    ended = runs.close(id, Ending.FAILED, {"new": 2}, now=NOW, trouble="no-answer", detail="too slow")
    assert (ended.trouble, ended.detail) == ("no-answer", "too slow")
    assert [line.action for line in trail.every(Wanted())] == [Action.HARVESTED]


def test_many_remarks_are_cut_and_counted(runs: Runs):
    id = runs.open(source=1, centre="labo", way="oai", now=NOW)
    run = runs.close(id, Ending.DONE, {}, now=NOW, notes=[f"remarque {n}" for n in range(60)])
    assert len(run.notes) == 51
    assert run.notes[-1] == "et 10 autres remarques"


def test_a_run_that_was_killed_is_closed_by_the_next_one(runs: Runs):
    runs.open(source=1, centre="labo", way="oai", now=NOW)
    runs.open(source=1, centre="labo", way="oai", now=NOW + timedelta(hours=1))
    assert [run.state for run in runs.all(source=1)] == [Ending.RUNNING, Ending.STOPPED]


def test_the_last_run_and_the_last_that_ended_well_are_known_by_centre(runs: Runs):
    first = runs.open(source=1, centre="labo", way="oai", now=NOW)
    runs.close(first, Ending.DONE, {"new": 1}, now=NOW)
    second = runs.open(source=1, centre="labo", way="oai", now=NOW + timedelta(hours=1))
    runs.close(second, Ending.FAILED, {}, now=NOW + timedelta(hours=1), trouble="busy")
    assert runs.last()["labo"].id == second
    assert runs.heard() == {"labo": NOW}


def test_old_runs_are_let_go_of(runs: Runs):
    for hour in range(130):
        runs.open(source=1, centre="labo", way="oai", now=NOW + timedelta(hours=hour))
    assert len(runs.all(source=1, limit=999)) == 100
