"""The work behind the pages: rounds that go on whatever fails, and processes that end when they are told."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time

import pytest
from structlog.testing import capture_logs

from ingest.clerk import accept
from kb import config as settings
from kb.jobs import JobState
from web import worker
from web.parts import Parts
from web.worker import FileProcess, KeepUp, _Round

NOTE = "Une note sur le quartier\n\nLes habitants ont été consultés par la commune avant les travaux.\n"


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "kb.toml").write_text("")
    opened = Parts(settings.load(tmp_path, {}))
    yield opened
    opened.close()


def put(parts, name, text):
    batch = parts.jobs.open_batch("essai", "deposit")
    return accept(parts.jobs, parts.reception, batch, io.BytesIO(text.encode()), name)


def until(seen, seconds=40.0):
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


class Failing(_Round):
    """Fails some times, then works."""

    def __init__(self, failures):
        super().__init__(None, "failing", 0.01)
        self.failures, self.rounds = failures, 0

    def once(self):
        self.rounds += 1
        if self.rounds <= self.failures:
            raise OSError("disk full")


def test_a_round_that_fails_is_tried_again_less_and_less_often(monkeypatch):
    monkeypatch.setattr(worker, "MOST_WAIT_SECONDS", 0.05)
    round = Failing(4)
    with capture_logs() as said:
        round.start()
        until(lambda: round.rounds > 6)
        round.stop()
        round.join(5)
    assert not round.is_alive()
    assert [line["event"] for line in said] == ["failing.failed"] * 4


def test_a_round_waits_longer_after_each_failure_up_to_a_limit(monkeypatch):
    waits = []

    class Clock:
        def wait(self, seconds):
            waits.append(seconds)
            return len(waits) > 15

    round = Failing(13)
    round._stop_asked = Clock()
    with capture_logs():
        round.run()
    assert waits[:4] == pytest.approx([0.01, 0.02, 0.04, 0.08])
    assert max(waits) == worker.MOST_WAIT_SECONDS
    assert waits[-1] == 0.01  # all is well again


def test_what_is_saved_is_found_after_a_round(parts):
    keep_up = KeepUp(parts)
    keep_up.once()
    assert parts.engine.position() == parts.store.position()


def started(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "web.cli", *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def stopped(process, number):
    """How it ended, and within how many seconds of the signal."""
    process.send_signal(number)
    at = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert b"Traceback" not in said, said
    return process.returncode, time.monotonic() - at


def test_a_worker_reads_what_comes_and_gives_back_what_is_half_done(parts):
    """One process for all of it: starting one takes seconds."""
    note = put(parts, "note.txt", NOTE)
    process = started("--data", str(parts.config.data), "worker")
    until(lambda: parts.jobs.job(note).state is JobState.DONE)
    assert parts.jobs.job(note).result == "published"
    until(lambda: parts.engine.position() == parts.store.position())
    long = put(parts, "long.txt", "Une ligne de texte que la commune a écrite.\n" * 400_000)
    until(lambda: parts.jobs.job(long).state is JobState.RUNNING)
    code, seconds = stopped(process, signal.SIGTERM)
    job = parts.jobs.job(long)
    assert (code, job.state, job.attempts, job.lease) == (0, JobState.WAITING, 0, None)
    assert seconds < worker.STOP_SECONDS


def test_the_process_of_files_is_started_again_when_it_dies_and_ends_when_told(parts, monkeypatch):
    monkeypatch.setattr(worker, "RESTART_SECONDS", 0.05)
    files = FileProcess(parts.config)
    files.start()
    until(lambda: files._running is not None)
    first = files._running.pid
    with capture_logs() as said:
        os.kill(first, signal.SIGKILL)
        until(lambda: files._running.pid != first)
    assert [line["event"] for line in said] == ["files.process.ended"]
    second = files._running
    assert os.getpgid(second.pid) == second.pid  # Ctrl+C in a terminal is for who serves
    files.stop()
    assert second.poll() is not None
    files.join(5)
    assert not files.is_alive()


def test_a_process_of_files_that_is_told_to_end_before_it_began_never_begins(parts):
    files = FileProcess(parts.config)
    files.stop()
    files.run()
    assert files._running is None


PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "web.cli", "--data", sys.argv[1], "worker", "--files"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_the_process_of_files_ends_with_the_one_that_serves(parts):
    note = put(parts, "note.txt", NOTE)
    command = [sys.executable, "-c", PARENT, str(parts.config.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        until(lambda: parts.jobs.job(note).state is JobState.DONE)
        parent.kill()
    until(lambda: not _lives(child), 15)


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
