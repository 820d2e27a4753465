"""Envelopes between two centres: read twice, late, with a gap, from wrong hands, and killed while read.

Some hundreds of records are read under a kill here; set CARBET_KILLS for 5,000.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.envelope import last_written
from kb import envelope
from kb.connection import Database
from kb.envelope import Deletion, EnvelopeError, Head, Kind, Position, Refusal
from kb.network_tables import alignments
from kb.records import Page, Record, Subject
from kb.runs import Ending
from kb.sharing import Audience, Shared
from kb.signing import CentreKey
from kb.tables import changes
from kb.upkeep import examine
from tests.web.network_of_centres import THEMES, Fund, thesaurus, timeless
from web.messages import explain

RECORDS = 5_000 if "CARBET_KILLS" in os.environ else 600
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def a(tmp_path: Path) -> Iterator[Fund]:
    made = Fund(tmp_path / "a", "a", thesaurus=thesaurus())
    for number in range(5):
        made.put(f"Notice {number}", access="network" if number == 4 else "public")
    yield made
    made.close()


@pytest.fixture
def b(tmp_path: Path, a: Fund) -> Iterator[Fund]:
    """It trusts A, and tags nothing."""
    made = Fund(tmp_path / "b", "b", thesaurus=thesaurus())
    made.know(a)
    yield made
    made.close()


def later(fund: Fund) -> None:
    """Make all that happened so far an hour older: the tests are quicker than the second of the clock."""
    database: Database = fund.store.database
    with database.writing() as connection:
        for seq, at in connection.execute(sa.select(changes.c.seq, changes.c.at)).all():
            moved = (datetime.fromisoformat(at) - timedelta(hours=1)).isoformat()
            connection.execute(changes.update().where(changes.c.seq == seq).values(at=moved))


def changed(fund: Fund, name: str, audience: Audience = Audience.NETWORK) -> Path:
    return fund.write(name, audience, since=last_written(fund.store, audience))


def test_read_once_all_is_there_read_twice_nothing_changes(a: Fund, b: Fund):
    path = a.write("full")
    run = b.read(path)
    assert (run.state, run.counts["new"], run.notes) == (Ending.DONE, 5, ())
    assert b.holds("a") == a.shares(Audience.NETWORK)
    before = b.store.position()
    again = b.read(path)
    assert {name: count for name, count in again.counts.items() if name != "until"} == {"same": 5}
    assert (b.store.position(), again.notes) == (before, ())


def test_what_changed_since_is_enough_and_deletions_are_in_it(a: Fund, b: Fund):
    b.read(a.write("full"))
    a.change("a:1", title="Mieux")
    a.store.delete("a:2")
    a.change("a:3", access="staff")
    run = b.read(changed(a, "changes"))
    assert {name: run.counts.get(name, 0) for name in ("changed", "deleted", "same", "new")} == {
        "changed": 1,
        "deleted": 2,
        "same": 0,
        "new": 0,
    }
    assert b.holds("a") == a.shares(Audience.NETWORK)
    assert run.notes == ()


def test_an_older_envelope_after_a_newer_one_undoes_nothing_and_says_so(a: Fund, b: Fund):
    later(a)
    old = a.write("old")
    a.change("a:1", title="Mieux")
    a.store.delete("a:2")
    a.change("a:3", access="staff")
    b.read(a.write("new"))
    held = b.holds("a")
    run = b.read(old)
    assert b.holds("a") == held == a.shares(Audience.NETWORK)
    assert run.notes == ("3 notices laissées : une plus récente, ou venue du centre lui-même, est déjà ici",)


def test_a_deletion_that_is_long_on_its_way_does_not_take_what_came_back(a: Fund, b: Fund):
    a.change("a:1", access="staff")
    later(a)
    old = a.write("old")
    a.change("a:1", access="public")
    b.read(a.write("new"))
    run = b.read(old)
    assert "a:1" in b.holds("a")
    assert run.notes == ("une notice laissée : une plus récente, ou venue du centre lui-même, est déjà ici",)


def test_a_gap_is_told_until_a_whole_envelope_fills_it(a: Fund, b: Fund):
    b.read(a.write("full"))
    a.change("a:1", title="Perdu en route")
    changed(a, "lost")
    for number in (1, 2):
        a.change("a:2", title=f"Reçu {number}")
        [note] = b.read(changed(a, f"changes-{number}")).notes
        assert note.startswith("il manque ce qui a changé avant l’enveloppe du ")
        assert "enveloppe complète" in note
    assert b.read(a.write("whole")).notes == ()
    a.change("a:2", title="Reçu 3")
    assert b.read(changed(a, "changes-3")).notes == ()
    assert b.holds("a") == a.shares(Audience.NETWORK)


def test_changes_for_the_network_after_all_that_is_public_have_a_gap(a: Fund, b: Fund):
    a.write("full-network")
    b.read(a.write("full-public", Audience.PUBLIC))
    a.change("a:1", title="Mieux")
    [note] = b.read(changed(a, "changes")).notes
    assert note.startswith("il manque ce qui a changé")
    b.read(a.write("full"))
    changed(a, "public", Audience.PUBLIC)
    a.change("a:1", title="Au mieux")
    assert b.read(changed(a, "public-changes", Audience.PUBLIC)).notes == ()  # those for the network hold it


def test_changes_are_counted_from_the_last_envelope_of_the_same_kind(a: Fund):
    a.write("full", relays=True)
    assert last_written(a.store, Audience.NETWORK) == Position()
    assert last_written(a.store, Audience.PUBLIC, relays=True) == Position()
    assert last_written(a.store, Audience.NETWORK, relays=True).seq == a.store.position()


def test_what_was_restricted_while_the_envelope_was_written_is_not_in_it(a: Fund):
    writer = a.parts.envelope_writer()

    def restrict(done: int, total: int) -> None:
        if done == 1:
            a.change("a:5", access="staff")
            a.change("a:4", access="network")

    path = a.folder / "race.carbet"
    writer.write(path, audience=Audience.PUBLIC, progress=restrict, refused=lambda id, error: None)
    with zipfile.ZipFile(path) as archive:
        assert b'"a:4"' not in archive.read("records.jsonl")


def refused(fund: Fund, path: Path) -> tuple[Refusal, str]:
    """Why an envelope is not taken, and what is said of it; nothing of it is."""
    before = fund.store.position(), len(fund.parts.runs.all())
    with pytest.raises(EnvelopeError) as caught:
        fund.read(path, relays=True)
    assert (fund.store.position(), len(fund.parts.runs.all())) == before
    return caught.value.reason, explain(caught.value)


def test_an_unknown_sender_is_told_with_the_fingerprint_of_its_key(a: Fund, tmp_path: Path):
    stranger = Fund(tmp_path / "z", "z")
    try:
        reason, said = refused(a, stranger.write("strange"))
    finally:
        stranger.close()
    assert reason is Refusal.UNKNOWN_SENDER
    assert stranger.parts.centre_key.fingerprint in said
    assert "kb envelope trust z " in said


def test_another_key_of_a_known_centre_is_told(a: Fund, b: Fund):
    (a.folder / "centre.key").unlink()
    del a.parts.centre_key
    reason, said = refused(b, a.write("other"))
    assert reason is Refusal.OTHER_KEY
    assert a.parts.centre_key.fingerprint in said


def with_member(path: Path, name: str, change) -> Path:
    """The same envelope with one member changed."""
    target = path.with_name(f"changed-{name}.carbet")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for member in archive.namelist():
            content = archive.read(member)
            made.writestr(member, change(content) if member == name else content)
    return target


def spoilt(content: bytes) -> bytes:
    """As good as before for who reads it, or one bit changed."""
    if b"Centre a" in content:
        return content.replace(b"Centre a", b"Centre e")
    return content[:-2] + bytes([content[-2] ^ 1, content[-1]])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("records.jsonl", Refusal.DAMAGED),
        ("deletions.jsonl", Refusal.DAMAGED),
        ("thesaurus.jsonl", Refusal.DAMAGED),
        ("manifest.json", Refusal.FORGED),
        ("manifest.sig", Refusal.FORGED),
    ],
)
def test_what_was_changed_on_the_way_is_refused_whole(a: Fund, b: Fund, name: str, reason: Refusal):
    a.store.delete("a:1")
    path = with_member(a.write("full"), name, spoilt)
    found, said = refused(b, path)
    assert found is reason
    assert said.endswith(".")
    assert b.holds("a") == {}


@pytest.mark.parametrize("cut", [0, 10, -1, -30])
def test_what_was_cut_is_refused_whole(a: Fund, b: Fund, cut: int):
    path = a.write("full")
    path.write_bytes(path.read_bytes()[:cut])
    reason, said = refused(b, path)
    assert reason in (Refusal.DAMAGED, Refusal.NOT_AN_ENVELOPE)
    assert said.endswith(".")


def test_a_bad_line_at_the_very_end_leaves_nothing_of_the_file(a: Fund, b: Fund, monkeypatch):
    monkeypatch.setattr("kb.envelope_lines.deletion_line", lambda deletion: b'{"id":"a:1"}\n')
    a.store.delete("a:1")
    path = a.write("full")
    assert refused(b, path)[0] is Refusal.BAD_CONTENT
    assert b.holds("a") == {}


def test_a_centre_speaks_for_others_only_if_it_is_asked_to(a: Fund, b: Fund, tmp_path: Path):
    c = Fund(tmp_path / "c", "c", thesaurus=thesaurus())
    try:
        c.know(b)
        b.read(a.write("full"))
        b.put("Une notice de b")
        path = b.write("relayed", relays=True)
        run = c.read(path)
        assert (run.counts["foreign"], run.counts["new"], c.holds("a")) == (5, 1, {})
        assert "appartient à un autre centre" in run.notes[0]
        assert c.read(path, relays=True).counts["new"] == 5
        assert c.holds("a") == a.shares(Audience.NETWORK)
        assert c.read(b.write("own")).counts["same"] == 1  # without relays only its own are in it
    finally:
        c.close()


def test_our_own_that_come_back_are_left_alone(a: Fund, b: Fund):
    b.read(a.write("full"))
    a.know(b)
    a.change("a:1", title="Mieux, depuis")
    run = a.read(b.write("back", relays=True), relays=True)
    assert run.notes == ("5 notices laissées : votre centre en est l’auteur",)
    assert a.store.get("a:1").title == "Mieux, depuis"


def test_tags_of_the_reader_are_not_in_what_it_writes(a: Fund, b: Fund):
    b.read(a.write("full"))
    b.parts.mirrors.retag("a:1", (Subject(concept=THEMES + "T12"),))
    with zipfile.ZipFile(b.write("relayed", relays=True)) as archive:
        assert b"T12" not in archive.read("records.jsonl")


def test_what_the_sender_decided_on_words_is_proposed_and_decides_nothing(a: Fund, b: Fund):
    a.parts.alignments.suggest("bien-être", THEMES + "T12", "x")
    with a.store.database.writing() as connection:
        connection.execute(alignments.update().values(state="accepted"))
    b.read(a.write("full"))
    [line] = b.parts.alignments.listed("waiting", 9)
    assert (line.said, line.meaning.concept, line.centres) == ("bien-être", THEMES + "T12", ("a",))


# -- killed while it is read

PROGRAM = """
import sys
from pathlib import Path
from ingest.envelope import Reader
from ingest.mirroring import Receiver
from kb import config
from kb.alignments import Meaning, Way, Words
from web.parts import Parts

class NoTags:
    def suggest(self, texts):
        return [[] for _ in texts]

def receiver():
    words = Words(parts.store, lambda said: Meaning(concept=None, way=Way.NONE))
    return Receiver(parts.store, parts.mirrors, NoTags(), words)

parts = Parts(config.load(Path(sys.argv[1]), {}))
reader = Reader(centres=parts.centres, runs=parts.runs, alignments=parts.alignments, receiver=receiver)
run = reader.read(Path(sys.argv[2]), progress=lambda done, total: print(done, flush=True))
print(dict(run.counts), run.notes, flush=True)
"""


def many(number: int) -> Iterator[Shared]:
    for n in range(1, number + 1):
        record = Record(id=f"a:{n}", title=f"Notice {n}", keywords=(f"mot {n % 50}",))
        yield Shared(record, (Page(1, f"Le texte {n} de la page."),))


def large(folder: Path, key: CentreKey, number: int, gone: Iterable[str]) -> Path:
    path = folder / "large.carbet"
    head = Head(
        centre="a",
        name="A",
        key=key.public,
        made=NOW,
        kind=Kind.FULL,
        audience=Audience.NETWORK,
        until=Position(number, NOW),
    )
    envelope.write(path, head, many(number), (Deletion(id, NOW) for id in gone), sign=key.sign)
    return path


def read_apart(fund: Fund, path: Path, *, kill_at: int | None = None) -> int:
    """Read in another process, killed once so many records are in."""
    command = [sys.executable, "-c", PROGRAM, str(fund.folder), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if kill_at is not None and line.strip().isdigit() and int(line) >= kill_at:
                time.sleep(0.02)
                running.kill()
                break
    return running.returncode


def test_a_kill_in_the_midst_of_reading_thousands_of_records_loses_and_doubles_nothing(a: Fund, b: Fund):
    path = large(a.folder, a.parts.centre_key, RECORDS, ("a:90001", "a:90002"))
    for kill_at in (300, RECORDS - 400)[: RECORDS // 600]:
        assert read_apart(b, path, kill_at=kill_at) == -signal.SIGKILL
        assert kill_at <= len(b.holds("a")) < RECORDS
    assert read_apart(b, path) == 0
    assert b.holds("a") == {shared.record.id: timeless(shared) for shared in many(RECORDS)}
    parts = b.parts
    assert list(examine(b.store, parts.jobs, parts.reception)) == []
    states = [run.state for run in reversed(parts.runs.all())]
    assert states[-2:] == [Ending.STOPPED, Ending.DONE]
    assert parts.runs.all()[0].counts["until"] == RECORDS
