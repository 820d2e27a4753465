"""``kill -9`` in the midst of an ingest loses nothing, doubles nothing, and leaves nobody behind.

Five times here; set CARBET_KILLS for more.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ingest.isolation import Sandbox
from ingest.outcomes import Status
from ingest.pipeline import ingest
from ingest.tagging import Tagger
from kb.config import Config
from kb.database import Store

KILLS = int(os.environ.get("CARBET_KILLS", "5"))
FILES = 24

PROGRAM = """
import sys
from pathlib import Path
from ingest import pipeline, saving
from kb.config import Config
from kb.database import Store

class NoTags:
    def suggest(self, texts):
        return [[] for _ in texts]

saving.GROUP_SECONDS = float(sys.argv[3])
store = Store.open(Config(data=Path(sys.argv[1])))
print("ready", flush=True)
for outcome in pipeline.ingest([Path(sys.argv[2])], store, NoTags(), centre="vc"):
    print(outcome.status, flush=True)
"""


def fill(folder: Path, make: Any) -> None:
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:02}.txt").write_text(f"Dossier numéro {number}\n\n{make.text}", encoding="utf-8")
    (folder / "vide.pdf").write_bytes(make.pdf(""))
    rows = "".join(f"Livre {n};C {n}\n" for n in range(50))
    (folder / "table.csv").write_text("titre;cote\n" + rows, encoding="utf-8")


def run_and_kill(data: Path, inbox: Path, chance: random.Random) -> None:
    """Kill the process at some line of its output, or a little after."""
    lines, group = chance.randrange(1, FILES), chance.choice(["0", "0.02", "0.5"])
    command = [sys.executable, "-c", PROGRAM, str(data), str(inbox), group]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout is not None
        for _ in range(lines):
            if not running.stdout.readline():
                break
        for _ in range(chance.randrange(20_000)):
            os.getpid()
        running.kill()
        session = running.pid
    deadline = time.monotonic() + 20
    while left := in_session(session):
        assert time.monotonic() < deadline, f"left behind: {left}"
        os.sched_yield()


def in_session(session: int) -> list[str]:
    """Names of the living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            name, _, rest = (entry / "stat").read_text().rpartition(")")
        except OSError:
            continue
        state, _, _, its_session = rest.split()[:4]
        if int(its_session) == session and state != "Z":
            found.append(name)
    return found


def test_a_killed_ingest_loses_nothing_and_doubles_nothing(make: Any, tmp_path: Path, tagger: Tagger) -> None:
    inbox, chance = tmp_path / "inbox", random.Random(20)
    fill(inbox, make)
    data = tmp_path / "fund"
    for kill in range(KILLS):
        if kill % 10 == 0:
            data = tmp_path / f"fund-{kill}"
        run_and_kill(data, inbox, chance)
        assert_whole(data)
        if kill % 10 == 9 or kill == KILLS - 1:
            complete(data, inbox, tagger)


def assert_whole(data: Path) -> None:
    """What is there is whole: each record has its pages and its original."""
    store = Store.open(Config(data=data))
    try:
        for id in store.ids():
            record = store.get(id)
            for file in record.files:
                assert store.originals.path(file.sha256).stat().st_size == file.size
                assert len(store.pages(id)) == file.pages
    finally:
        store.close()


def complete(data: Path, inbox: Path, tagger: Tagger) -> None:
    """Running to the end gives each work once."""
    store = Store.open(Config(data=data))
    try:
        with Sandbox() as sandbox:
            outcomes = list(ingest([inbox], store, tagger, centre="vc", sandbox=sandbox))
            again = list(ingest([inbox], store, tagger, centre="vc", sandbox=sandbox))
        titles = sorted(store.get(id).title for id in store.ids())
    finally:
        store.close()
    assert titles == sorted([f"Dossier numéro {n}" for n in range(FILES)] + [f"Livre {n}" for n in range(50)])
    assert {o.status for o in outcomes} <= {Status.PUBLISHED, Status.UNCHANGED, Status.REFUSED}
    assert {o.status for o in again} == {Status.UNCHANGED, Status.REFUSED}
