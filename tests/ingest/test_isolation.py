from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest import confinement
from ingest.confinement import can_refuse_calls
from ingest.isolation import Limits, Sandbox
from kb.errors import IngestError, Reason, UnreadableDocument, UnsupportedFormat

MEGABYTE = 1 << 20


def reason_of(sandbox: Sandbox, task: str, *arguments: str | int) -> Reason:
    with pytest.raises(IngestError) as caught:
        list(sandbox.run(task, *arguments))
    return caught.value.reason


@pytest.fixture(scope="module")
def hurried() -> Iterator[Sandbox]:
    with Sandbox(Limits(idle_seconds=0.3, total_seconds=1)) as opened:
        yield opened


@pytest.fixture(scope="module")
def narrow() -> Iterator[Sandbox]:
    with Sandbox(Limits(memory_bytes=64 * MEGABYTE, output_bytes=MEGABYTE)) as opened:
        yield opened


def test_what_a_task_yields_comes_back_in_order(sandbox: Sandbox) -> None:
    assert list(sandbox.run("builtins:iter", "abc")) == [b"a", b"b", b"c"]


def test_a_child_that_hangs_is_stopped(hurried: Sandbox) -> None:
    assert reason_of(hurried, "time:sleep", 3600) is Reason.TOO_SLOW


def test_a_child_that_works_without_progress_is_stopped(hurried: Sandbox) -> None:
    assert reason_of(hurried, "math:factorial", 5_000_000) is Reason.TOO_SLOW


def test_a_child_that_always_has_something_to_say_is_stopped(narrow: Sandbox) -> None:
    assert reason_of(narrow, "itertools:repeat", "x" * 1000) is Reason.TOO_LARGE


def test_one_answer_too_long_is_not_even_read(narrow: Sandbox, tmp_path: Path) -> None:
    line = tmp_path / "line"
    line.write_bytes(b"x" * (MEGABYTE + 1))
    assert reason_of(narrow, "fileinput:input", str(line)) is Reason.TOO_LARGE


def test_a_child_that_wants_too_much_memory_is_refused_it(narrow: Sandbox) -> None:
    assert reason_of(narrow, "builtins:bytearray", 1024 * MEGABYTE) is Reason.TOO_MUCH_MEMORY


def test_a_child_that_crashes_is_told_from_one_that_ends(sandbox: Sandbox) -> None:
    assert reason_of(sandbox, "os:abort") is Reason.CRASHED
    assert reason_of(sandbox, "os:_exit", 0) is Reason.CRASHED


def test_an_error_that_nobody_foresaw_means_a_damaged_file(sandbox: Sandbox) -> None:
    assert reason_of(sandbox, "builtins:int", "not a number") is Reason.DAMAGED


def test_the_reader_s_own_reasons_come_through(sandbox: Sandbox, tmp_path: Path) -> None:
    assert reason_of(sandbox, "ingest.readers:emit", str(tmp_path / "absent.pdf")) is Reason.MISSING
    empty = tmp_path / "empty.pdf"
    empty.touch()
    with pytest.raises(UnreadableDocument) as caught:
        list(sandbox.run("ingest.readers:emit", str(empty)))
    assert caught.value.reason is Reason.EMPTY
    picture = tmp_path / "picture.gif"
    picture.write_bytes(b"GIF89a")
    with pytest.raises(UnsupportedFormat):
        list(sandbox.run("ingest.readers:emit", str(picture)))


def test_one_bad_child_does_not_stop_the_others(sandbox: Sandbox) -> None:
    asked = sandbox.run("builtins:iter", "ab")
    assert next(asked) == b"a"
    assert reason_of(sandbox, "os:abort") is Reason.CRASHED
    assert next(asked) == b"b"


def test_the_fork_server_is_started_again_if_it_dies(sandbox: Sandbox) -> None:
    list(sandbox.run("builtins:iter", "a"))
    assert sandbox._server is not None
    os.kill(sandbox._server.pid, signal.SIGKILL)
    sandbox._server.wait()
    assert list(sandbox.run("builtins:iter", "b")) == [b"b"]


@pytest.mark.skipif(not Sandbox().closed_network, reason="no filter of system calls on this machine")
def test_a_child_can_open_no_socket_and_start_no_program(sandbox: Sandbox) -> None:
    assert reason_of(sandbox, "socket:socket") is Reason.NOT_ALLOWED
    assert reason_of(sandbox, "subprocess:getoutput", "true") is Reason.NOT_ALLOWED
    with socket.socket() as ours:
        assert ours.fileno() > 0


def test_a_child_can_write_no_file(sandbox: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "written"
    reason_of(sandbox, "shutil:copyfile", sys.executable, str(target))
    assert not target.exists() or target.stat().st_size == 0


def _has_landlock() -> bool:
    return can_refuse_calls() and confinement._call(444, None, ctypes.c_size_t(0), 1) >= 1


@pytest.mark.skipif(not _has_landlock(), reason="no Landlock on this machine")
def test_a_child_can_neither_take_a_file_away_nor_empty_it(sandbox: Sandbox, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("tout")
    assert reason_of(sandbox, "os:unlink", str(kept)) is Reason.NOT_ALLOWED
    assert reason_of(sandbox, "os:rename", str(kept), str(tmp_path / "other")) is Reason.NOT_ALLOWED
    assert reason_of(sandbox, "os:truncate", str(kept), 0) is Reason.NOT_ALLOWED
    assert reason_of(sandbox, "builtins:open", str(kept), "w") is Reason.NOT_ALLOWED
    assert kept.read_text() == "tout"
    reason_of(sandbox, "builtins:open", os.devnull, "w")  # a file to write has no lines: which is damage
    assert list(sandbox.run("builtins:open", str(kept))) == [b"tout"]


@pytest.mark.skipif(not _has_landlock(), reason="no Landlock on this machine")
def test_a_child_can_neither_look_into_another_process_nor_end_it(sandbox: Sandbox) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        assert reason_of(sandbox, "builtins:open", f"/proc/{other.pid}/mem", "rb") is Reason.NOT_ALLOWED
        assert reason_of(sandbox, "os:readlink", f"/proc/{other.pid}/fd/0") is Reason.NOT_ALLOWED
        if confinement._call(444, None, ctypes.c_size_t(0), 1) >= 6:
            assert reason_of(sandbox, "os:kill", other.pid, int(signal.SIGTERM)) is Reason.NOT_ALLOWED
        assert other.poll() is None
        other.kill()


PROGRAMS = """
from ingest.isolation import run_program
def emit(command, given):
    yield run_program(command.split(), given.encode(), 0.5)
"""


@pytest.fixture(scope="module")
def with_programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "programs.py").write_text(PROGRAMS)
    sys.path.append(str(folder))  # the fork server looks for its tasks where we do
    with Sandbox(Limits(idle_seconds=5), programs=True, preloaded=()) as opened:
        yield opened
    sys.path.remove(str(folder))


def test_a_child_with_programs_starts_them_and_still_opens_no_socket(with_programs: Sandbox) -> None:
    assert list(with_programs.run("os:popen", "echo bonjour")) == [b"bonjour\n"]
    assert reason_of(with_programs, "socket:socket") is Reason.NOT_ALLOWED


@pytest.mark.skipif(not Sandbox().closed_network, reason="no filter of system calls on this machine")
def test_a_program_opens_no_socket_and_does_not_leave_its_group(with_programs: Sandbox) -> None:
    for call in ("socket.socket()", "os.setsid()", "os.setpgid(0, 0)"):
        script = f"import os, socket\ntry:\n  {call}\nexcept OSError as e:\n  print(e.errno)"
        assert list(with_programs.run("os:popen", f"{sys.executable} -c '{script}'")) == [b"1\n"]


def test_a_program_takes_the_limits_of_its_child(with_programs: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "written"
    list(with_programs.run("os:popen", f"echo bonjour > {target}"))
    assert not target.exists() or target.stat().st_size == 0
    script = "import resource; print(resource.getrlimit(resource.RLIMIT_AS)[1] < 1 << 33)"
    assert list(with_programs.run("os:popen", f'{sys.executable} -c "{script}"')) == [b"True\n"]


def test_programs_end_with_the_child_that_started_them(
    with_programs: Sandbox, until: Callable[[Callable[[], bool]], None]
) -> None:
    asked = with_programs.run("os:popen", "sleep 3600 & sleep 3600 & echo $!; wait")
    pid = int(next(asked))
    assert is_alive(pid)
    asked.close()  # type: ignore[attr-defined]
    until(lambda: not is_alive(pid))
    [last] = with_programs.run("os:popen", "sleep 3600 > /dev/null & echo $!")
    until(lambda: not is_alive(int(last)))


def test_a_program_that_fails_or_lasts_is_told(with_programs: Sandbox) -> None:
    assert list(with_programs.run("programs:emit", "cat", "bonjour")) == [b"bonjour"]
    assert reason_of(with_programs, "programs:emit", "false", "") is Reason.DAMAGED
    assert reason_of(with_programs, "programs:emit", "sleep 9", "") is Reason.TOO_SLOW


def test_limits_may_be_given_for_one_task(sandbox: Sandbox) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        list(sandbox.run("time:sleep", 3600, limits=Limits(idle_seconds=0.2)))
    assert caught.value.reason is Reason.TOO_SLOW


SLEEPER = """
import sys
from ingest.isolation import Sandbox
sandbox = Sandbox()
list(sandbox.run("builtins:iter", "a"))
print(sandbox._server.pid, flush=True)
list(sandbox.run("time:sleep", 3600))
"""


def test_nothing_is_left_of_a_killed_process(until: Callable[[Callable[[], bool]], None]) -> None:
    command = [sys.executable, "-c", SLEEPER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as asking:
        assert asking.stdout is not None
        server = int(asking.stdout.readline())
        until(lambda: bool(children_of(server)))
        left = [server, *children_of(server)]
        asking.kill()
    until(lambda: not any(is_alive(pid) for pid in left))


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    def wait(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < deadline, "it never happened"
            os.sched_yield()

    return wait
