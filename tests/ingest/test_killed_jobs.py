"""``kill -9`` at any step of a deposit loses nothing and doubles nothing, and the doctor finds no fault.

A few steps here, chosen by a seed; all of them, and as many random moments as asked, with CARBET_KILLS=200.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kb import upkeep
from kb.config import Config
from kb.database import Store
from kb.jobs import Jobs, JobState
from kb.reception import Reception

KILLS = int(os.environ.get("CARBET_KILLS", "2"))
FILES = 5
FUNCTIONS = (
    *("kb.reception:Reception.receive", "kb.jobs:Jobs.add", "kb.jobs:Jobs.take", "kb.jobs:Jobs.beat"),
    *("ingest.arrivals:digest", "ingest.arrivals:read", "kb.originals:Originals.put"),
    *("ingest.saving:Desk.take", "kb.database:Store.save", "kb.reviews:Reviews.open"),
    *(
        "kb.jobs:Jobs.finish",
        "kb.audit:Trail.note",
        "ingest.saving:Desk.flush",
        "kb.reception:Reception.drop",
    ),
)
STEPS = [f"{moment} {function}" for function in FUNCTIONS for moment in ("before", "after")]

PROGRAM = """
import importlib, os, signal, sys
from pathlib import Path
from kb import jobs
jobs.LEASE_SECONDS, jobs.DELAYS = 0.05, (0.0, 0.0, 0.0)
from ingest import clerk
from ingest.isolation import Sandbox
from kb.config import Config
from kb.database import Store
from kb.reception import Reception

data, inbox, step, turn = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])

class NoTags:
    def suggest(self, texts):
        return [[] for _ in texts]

def deadly(function, moment):
    calls = 0
    def called(*args, **keys):
        nonlocal calls
        calls += 1
        if moment == "before" and calls == turn:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = function(*args, **keys)
        if moment == "after" and calls == turn:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    return called

if step:
    moment, _, place = step.partition(" ")
    module, _, name = place.partition(":")
    holder = importlib.import_module(module)
    *owners, last = name.split(".")
    for owner in owners:
        holder = getattr(holder, owner)
    setattr(holder, last, deadly(getattr(holder, last), moment))

store = Store.open(Config(data=data))
queue, reception = jobs.Jobs(store.database, store.trail), Reception(data / "arriving")
from kb.mappings import Mappings
from kb.rows import Columns
Mappings(store.database, store.trail).save("connu", Columns(("title", "call_number"), ("titre", "cote")))
batches = queue.batches(1)
batch = batches[0].id if batches else queue.open_batch("essai", "deposit")
for path in sorted(inbox.iterdir()):
    with path.open("rb") as stream:
        clerk.accept(queue, reception, batch, stream, path.name)
print("accepted", flush=True)
import time
with Sandbox() as sandbox:
    worker = clerk.Clerk(store, NoTags(), sandbox, None, centre="vc", reception=reception)
    idle = 0
    while idle < 3:
        if worker.work_once():
            idle = 0
            print("done", flush=True)
        else:
            idle += 1
            time.sleep(0.04)
"""


def run(data: Path, inbox: Path, step: str = "", turn: int = 1, lines: int = 0) -> int:
    """The exit status of a run; killed after so many lines of output if asked."""
    command = [sys.executable, "-c", PROGRAM, str(data), str(inbox), step, str(turn)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        if lines:
            assert running.stdout is not None
            for _ in range(lines):
                running.stdout.readline()
            running.kill()
        _, said = running.communicate(timeout=60)
        assert "Traceback" not in said, said
        return running.returncode


@pytest.fixture
def inbox(tmp_path: Path, make: Any) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for number in range(FILES):
        text = f"Dossier numéro {number}\n\n{make.text}"
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    (folder / "abime.pdf").write_bytes(b"%PDF-1.4 nothing more")
    (folder / "table.csv").write_text("titre;cote\nUn livre;C 1\nUn autre;C 2\n", encoding="utf-8")
    (folder / "inconnue.csv").write_text("titre;auteur;cote\nUn livre;Roy, Léa;C 3\n", encoding="utf-8")
    return folder


def assert_sound(data: Path) -> tuple[Counter[str], list[str]]:
    """No fault for the doctor; jobs by result, and titles."""
    store = Store.open(Config(data=data))
    try:
        jobs = Jobs(store.database, store.trail)
        faults = list(upkeep.examine(store, jobs, Reception(data / "arriving")))
        assert faults == []
        held = jobs.every()
        assert all(job.state is JobState.DONE for job in held)
        return Counter(str(job.result) for job in held), sorted(store.get(id).title for id in store.ids())
    finally:
        store.close()


def assert_complete(data: Path) -> None:
    results, titles = assert_sound(data)
    wanted = [f"Dossier numéro {n}" for n in range(FILES)] + ["Un autre", "Un livre"]
    assert titles == sorted(wanted)
    assert results == {"published": FILES + 1, "refused": 1, "waiting": 1}


def chosen(seed: int) -> list[str]:
    return STEPS if len(STEPS) <= KILLS else random.Random(seed).sample(STEPS, KILLS)


@pytest.mark.parametrize("step", chosen(1))
def test_a_kill_at_a_step_costs_nothing(step: str, inbox: Path, tmp_path: Path) -> None:
    data = tmp_path / "fund"
    killed = run(data, inbox, step, turn=random.Random(step).randrange(1, 4))
    assert killed == -9
    assert run(data, inbox) == 0
    assert_complete(data)


@pytest.mark.parametrize("step", chosen(2)[: max(1, KILLS // 2)] if len(STEPS) > KILLS else STEPS)
def test_a_step_that_always_kills_ends_in_a_refusal_and_leaves_the_rest_sound(
    step: str, inbox: Path, tmp_path: Path
) -> None:
    data = tmp_path / "fund"
    killed = 0
    while killed < 6 and run(data, inbox, step) == -9:
        killed += 1
    assert killed
    assert run(data, inbox) == 0
    results, titles = assert_sound(data)
    assert len(titles) == len(set(titles))
    assert results.total() == FILES + 3


@pytest.mark.parametrize("seed", range(KILLS if KILLS >= 50 else 1))
def test_a_kill_at_a_random_moment_costs_nothing(seed: int, inbox: Path, tmp_path: Path) -> None:
    data, chance = tmp_path / "fund", random.Random(seed)
    run(data, inbox, lines=chance.randrange(1, FILES + 2))
    assert run(data, inbox) == 0
    assert_complete(data)
