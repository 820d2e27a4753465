"""``kill -9`` at any moment of a harvest loses nothing and doubles nothing, while the other centre changes.

Ten times here; set CARBET_KILLS for more.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from kb.network_tables import origins
from kb.runs import Ending
from kb.sharing import Audience
from kb.sources import Source
from kb.upkeep import examine
from tests.web.network_of_centres import Fund
from web import oai

KILLS = int(os.environ.get("CARBET_KILLS", "10"))
RECORDS = 60
PAGE = 5

PROGRAM = """
import os, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ingest.harvest import Patience
from ingest.mirroring import Receiver
from kb import config
from kb.alignments import Meaning, Way, Words
from web.parts import Parts

class NoTags:
    def suggest(self, texts):
        return [[] for _ in texts]

class Quick(Parts):
    def receiver(self):
        words = Words(self.store, lambda said: Meaning(concept=None, way=Way.NONE))
        return Receiver(self.store, self.mirrors, NoTags(), words)

def harvest(turn):
    parts = Quick(config.load(Path(sys.argv[1]), {}))
    late = timedelta(minutes=11 * turn)  # the lease of who was killed has run out
    harvester = parts.harvester(
        patience=Patience(tries=3, pause=0.05),
        clock=lambda: datetime.now(UTC) + late,
        progress=lambda received, size: print("page", flush=True),
    )
    print("ready", flush=True)
    run = harvester.harvest_one(int(sys.argv[2]))
    print(run.state, run.trouble, run.detail, flush=True)
    parts.close()

for line in sys.stdin:
    if child := os.fork():
        os.waitpid(child, 0)
        print("over", flush=True)
    else:
        print("process", os.getpid(), flush=True)
        harvest(int(line))
        os._exit(0)
"""


class Harvesting:
    """Harvests a source in a process of its own each time; what it needs was imported before."""

    def __init__(self, fund: Fund, source: Source) -> None:
        command = [sys.executable, "-c", PROGRAM, str(fund.folder), str(source.id)]
        pipe = subprocess.PIPE
        self._mother = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self._turn = -1

    def once(self, *, kill_at: int | None = None, wait: float = 0.0) -> str:
        """The last line that it says; killed so long after that page if asked (0: before the first)."""
        assert self._mother.stdin is not None
        self._turn += 1
        self._mother.stdin.write(f"{self._turn}\n")
        self._mother.stdin.flush()
        process, pages, last = 0, -1, ""
        for line in self._lines():
            if line.startswith("process "):
                process = int(line.split()[1])
            pages += line in ("ready", "page")
            if kill_at is not None and pages >= kill_at:
                time.sleep(wait)
                with suppress(ProcessLookupError):  # it came to its end just before
                    os.kill(process, signal.SIGKILL)
                kill_at = None
            last = line
        return last

    def _lines(self) -> Iterator[str]:
        assert self._mother.stdout is not None
        for line in self._mother.stdout:
            if line == "over\n":
                return
            if "harvest." not in line:  # the log
                yield line.strip()

    def close(self) -> None:
        self._mother.communicate()


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Fund, Fund, Harvesting]]:
    monkeypatch.setattr(oai, "RECORDS_A_PAGE", PAGE)
    with ExitStack() as stack:
        a, b = Fund(tmp_path / "a", "a"), Fund(tmp_path / "b", "b")
        stack.callback(a.close)
        stack.callback(b.close)
        with a.store.transaction():
            for number in range(RECORDS):
                a.put(f"Notice {number}", keywords=(f"mot {number % 7}",))
        stack.enter_context(a.open_to_others())
        harvesting = Harvesting(b, b.listen_to(a, secret=a.key_for("b")))
        stack.callback(harvesting.close)
        yield a, b, harvesting


@contextmanager
def changing(fund: Fund, chance: random.Random) -> Iterator[None]:
    """The other centre changes, deletes, restricts and adds all the while."""
    over = threading.Event()

    def change() -> None:
        while not over.wait(0.05):
            id = chance.choice(list(fund.store.ids()))
            match chance.randrange(5):
                case 0:
                    fund.store.delete(id)
                case 1:
                    fund.change(id, access=chance.choice(["public", "network", "staff", "onsite"]))
                case 2:
                    fund.put(f"Nouvelle {chance.random()}")
                case _:
                    fund.change(id, title=f"Changée {chance.random()}")

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_killed_again_and_again_a_harvest_ends_with_everything_there_once(network) -> None:
    a, b, harvesting = network
    chance = random.Random(11)
    with changing(a, chance):
        for _ in range(KILLS):
            pages = chance.choice([0, 1, 2, 3, 5, RECORDS // PAGE])
            harvesting.once(kill_at=pages, wait=chance.random() * 0.05)
            assert_sound(b)
        said = harvesting.once()
        assert said.startswith("done"), said
        began = datetime.now().astimezone()
    last = b.parts.sources.get(1)
    assert last.token is None
    assert last.since is not None
    assert datetime.fromisoformat(last.since) < began
    # What changed while all that went on comes with the next harvest, from that date.
    assert harvesting.once().startswith("done")
    assert b.holds("a") == a.shares(Audience.NETWORK)
    assert_sound(b)
    states = {run.state for run in b.parts.runs.all(limit=200)}
    assert states <= {Ending.DONE, Ending.STOPPED}
    assert [run.state for run in b.parts.runs.all(limit=2)] == [Ending.DONE] * 2


def assert_sound(fund: Fund) -> None:
    """The doctor finds nothing, and each mirrored record has one origin, each origin its record."""
    assert list(examine(fund.store, fund.parts.jobs, fund.parts.reception)) == []
    with fund.store.database.reading() as connection:
        held = list(connection.scalars(sa.select(origins.c.record).where(~origins.c.deleted)))
    assert sorted(held) == sorted(fund.store.ids())


def test_a_source_that_somebody_was_killed_at_waits_for_the_lease_alone(network) -> None:
    _, b, harvesting = network
    harvesting.once(kill_at=2)
    assert b.parts.sources.get(1).running
    assert b.parts.harvester().harvest_one(1) is None
    token = b.parts.sources.get(1).token
    assert token
    assert harvesting.once().startswith("done")
    assert len(b.holds("a")) == RECORDS
    [done, stopped] = b.parts.runs.all()
    assert (done.state, stopped.state) == (Ending.DONE, Ending.STOPPED)
    assert done.counts["new"] < RECORDS  # it went on at its page
