"""Work on a file that nobody trusts, in a child that can do no harm: ``Sandbox``.

Hides the fork server (a process that has the readers loaded and forks one child a task, so that a
child costs milliseconds and starts clean), the pipes, and how a child is held: address space, processor
time, no file written, no core, no socket and no program started (a seccomp filter, on Linux on x86-64
and arm64; elsewhere only the other limits hold and ``Sandbox.closed_network`` is False), no file taken away
or emptied and no process looked into (Landlock, where the kernel has it), killed when it
makes no progress, when it says too much, and when the process that asked is gone, even by ``kill -9``.
A task that was asked for with programs may start some, held by the same limits and killed with it.

What a child may still do is read the files that the user may read. It answers bytes in frames, never
objects, so what it says can at most be wrong.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from ingest import confinement
from kb.errors import IngestError, Reason, UnreadableDocument, UnsupportedFormat

PRELOADED = ("ingest.readers", "ingest.pictures")
"""Modules of the tasks that are asked most."""

_FRAME = struct.Struct(">cI")  # kind, length
_OUTPUT, _BEAT, _ERROR, _DONE = b"o", b".", b"e", b"z"
_READY = b"+"
_READ = 1 << 16
_REQUEST = 1 << 16  # bytes of one request: a task's name, its arguments (a path is below 4,096) and limits
_BEAT_SECONDS = 0.2  # between two signs of life: far below any limit, far above their cost
_FULL = 0.8  # share of the memory limit above which a crash is put down to memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one task may take: seconds without progress and in all, bytes of memory beyond those of the
    fork server, bytes of answer.

    Memory: the largest standard tried (49 pages, 1.7 MB) needs 120 MB; a page of A0 drawn at 300 dpi 400 MB.
    """

    idle_seconds: float = 60.0
    total_seconds: float = 900.0
    memory_bytes: int = 1 << 30
    output_bytes: int = 100_000_000


class Sandbox:
    """A fork server, started at the first task; serves all threads of a process. To be closed. Only with
    ``programs`` may its children start programs, by ``run_program``. ``preloaded`` names the modules that
    the fork server loads before it forks, and warms up if they have a function ``warm``."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        programs: bool = False,
        preloaded: Sequence[str] = PRELOADED,
    ) -> None:
        self.limits = limits or Limits()
        self.programs = programs
        self._preloaded = tuple(preloaded)
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = os.getpid()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed_network(self) -> bool:
        """Whether children are kept from opening sockets on this machine."""
        return confinement.can_refuse_calls()

    def run(self, task: str, *arguments: str | int, limits: Limits | None = None) -> Iterator[bytes]:
        """What the function ``task`` ("module:name") yields for the arguments, in a child of its own, which
        takes ``limits``, those of the sandbox if None.

        Raises UnreadableDocument or UnsupportedFormat: those of the task itself, and TOO_SLOW, TOO_LARGE,
        TOO_MUCH_MEMORY, CRASHED for a child that went over a limit or ended badly. Leaving the iterator
        before its end kills the child.
        """
        limits = limits or self.limits
        call = json.dumps([task, arguments, asdict(limits), self.programs]).encode()
        with _Child.of(self._ask(call)) as child:
            yield from _answers(child, limits)

    def close(self) -> None:
        """End the fork server and what it runs."""
        with self._lock:
            if self._control is not None:
                self._control.close()
            if self._server is not None and self._owner == os.getpid():
                self._server.wait()
            self._control = self._server = None

    def _ask(self, call: bytes) -> tuple[int, int, int]:
        """Send a task; the ends that we keep: its answers, its exit status, and what kills it when closed."""
        answers, their_answers = os.pipe()
        status, their_status = os.pipe()
        their_life, life = os.pipe()
        theirs = [their_answers, their_status, their_life]
        try:
            with self._lock:
                socket.send_fds(self._running(), [call], theirs)
        except BaseException:
            for ours in (answers, status, life):
                os.close(ours)
            raise
        finally:
            for end in theirs:
                os.close(end)
        return answers, status, life

    def _running(self) -> socket.socket:
        alive = self._server is not None and self._owner == os.getpid() and self._server.poll() is None
        if self._control is None or not alive:
            if self._control is not None:
                self._control.close()
            self._owner = os.getpid()
            self._server, self._control = _start_server(self._preloaded)
        return self._control


def _answers(child: _Child, limits: Limits) -> Iterator[bytes]:
    size, started = 0, time.monotonic()
    for kind, body in child.frames(limits, started):
        size += len(body)
        if size > limits.output_bytes:
            raise UnreadableDocument(Reason.TOO_LARGE, f"more than {limits.output_bytes} bytes said")
        if kind == _OUTPUT:
            yield body
        elif kind == _ERROR:
            raise _told(body)
        elif kind == _DONE:
            return
    raise child.ending(limits)


@dataclass(slots=True)
class _Child:
    """Our ends of the pipes of one child."""

    answers: int
    status: int
    life: int

    @classmethod
    def of(cls, ends: tuple[int, int, int]) -> Self:
        return cls(*ends)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self.life, self.answers, self.status):
            os.close(end)

    def frames(self, limits: Limits, started: float) -> Iterator[tuple[bytes, bytes]]:
        """Frames until the child's end. Raises UnreadableDocument when time is up or a frame is too long."""
        held = bytearray()
        while block := self._block(limits, started):
            held += block
            while len(held) >= _FRAME.size:
                kind, length = _FRAME.unpack_from(held)
                if length > limits.output_bytes:
                    raise UnreadableDocument(Reason.TOO_LARGE, f"a frame of {length} bytes")
                if len(held) < _FRAME.size + length:
                    break
                body = bytes(held[_FRAME.size : _FRAME.size + length])
                del held[: _FRAME.size + length]
                yield kind, body

    def _block(self, limits: Limits, started: float) -> bytes:
        left = started + limits.total_seconds - time.monotonic()
        ready = select.poll()  # select() refuses file numbers above 1,023, which a server may have
        ready.register(self.answers)
        if not ready.poll(1000 * max(0.0, min(limits.idle_seconds, left))):
            raise UnreadableDocument(Reason.TOO_SLOW, f"nothing for {limits.idle_seconds:g} s")
        return os.read(self.answers, _READ)

    def ending(self, limits: Limits) -> UnreadableDocument:
        """Why it stopped without saying that it was done."""
        told = os.read(self.status, _READ)
        if not told:
            return UnreadableDocument(Reason.CRASHED, "the fork server ended")
        ended, peak = json.loads(told)
        if ended == -signal.SIGXCPU:
            return UnreadableDocument(Reason.TOO_SLOW, "processor time used up")
        reason = Reason.TOO_MUCH_MEMORY if peak > _FULL * limits.memory_bytes else Reason.CRASHED
        return UnreadableDocument(reason, f"ended by {ended}")


def _told(body: bytes) -> IngestError:
    """The error that a child reports; what it says is text, and only its reason is believed."""
    try:
        kind, reason, detail = json.loads(body)
        error = UnsupportedFormat if kind == "UnsupportedFormat" else UnreadableDocument
        return error(Reason(reason), str(detail)[:500])
    except (ValueError, TypeError):
        return UnreadableDocument(Reason.CRASHED, "an error that cannot be read")


def _start_server(preloaded: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        # Not ``-m``: this module would be loaded twice, and ``beat`` would speak to the wrong one.
        program = f"from ingest.isolation import serve; serve({theirs.fileno()}, {preloaded!r})"
        server = subprocess.Popen(
            [sys.executable, "-c", program],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    if ours.recv(1) != _READY:
        ours.close()
        raise RuntimeError(f"the fork server did not start: it ended with {server.wait()}")
    return server, ours


# -- the fork server


def serve(control_end: int, preloaded: Iterable[str]) -> None:
    """Fork a child for each task asked over the socket, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asked, who then closes
    for name in preloaded:
        module = importlib.import_module(name)
        getattr(module, "warm", _nothing)()
    gc.collect()
    gc.freeze()  # what is loaded is never looked at again, so that children share its memory
    confinement.refuse_calls(confinement.NETWORK)
    confinement.write_nowhere()
    children: dict[int, _Served] = {}
    with socket.socket(fileno=control_end) as control:
        control.send(_READY)
        while _attend(control, children):
            pass
    for child in children.values():
        child.kill()


@dataclass(frozen=True, slots=True)
class _Served:
    """One child as the server holds it."""

    pid: int
    handle: int
    status: int
    life: int

    def kill(self) -> None:
        """With all that it started. Safe against a reused number: the child is not reaped yet."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def reap(self, idle: int) -> None:
        """Tell how it ended and how much memory it had above ``idle`` bytes."""
        self.kill()  # what it started ends with it
        _, ended, used = os.wait4(self.pid, 0)
        told = json.dumps([os.waitstatus_to_exitcode(ended), used.ru_maxrss * 1024 - idle]).encode()
        with contextlib.suppress(BrokenPipeError):
            os.write(self.status, told)
        for end in (self.handle, self.status, self.life):
            os.close(end)


def _attend(control: socket.socket, children: dict[int, _Served]) -> bool:
    """Wait for one thing to happen and see to it; False when the one who asks is gone."""
    lives = {child.life: child for child in children.values()}
    ready, _, _ = select.select([control.fileno(), *children, *lives], [], [])
    for end in ready:
        if end == control.fileno():
            call, ends, _, _ = socket.recv_fds(control, _REQUEST, 3)
            if not call:
                return False
            held = [end for child in children.values() for end in (child.handle, child.status, child.life)]
            child = _fork(call, ends, inherited=[control.fileno(), *held])
            children[child.handle] = child
        elif end in children:
            children.pop(end).reap(confinement.resident())
        elif lives[end].handle in children:
            lives[end].kill()
            children.pop(lives[end].handle).reap(confinement.resident())
    return True


def _fork(call: bytes, ends: Iterable[int], inherited: Iterable[int]) -> _Served:
    answers, status, life = ends
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        for end in (*inherited, status, life):
            os.close(end)
        _live(call, answers, server)
    _lead_group(pid)
    os.close(answers)
    return _Served(pid, os.pidfd_open(pid), status, life)


def _lead_group(pid: int) -> None:
    """Both child and server see to it, so that it is done whoever runs first."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(pid, pid)


# -- the child


def _live(call: bytes, answers: int, server: int) -> None:
    """Do the task and end; never returns."""
    code = 1
    try:
        confinement.die_with_parent(server)
        _lead_group(0)
        task, arguments, limits, programs = json.loads(call)
        said = _Said(answers)
        _Beat.say = said.beat
        _hold(Limits(**limits), programs=programs)
        _work(said, task, arguments)
        code = 0
    except BrokenPipeError:
        code = 0  # nobody listens any more
    finally:
        os._exit(code)


def _work(said: _Said, task: str, arguments: list[str | int]) -> None:
    """The edge where everything that a hostile file may cause becomes a reason."""
    module, _, name = task.partition(":")
    try:
        for output in getattr(importlib.import_module(module), name)(*arguments):
            said.frame(_OUTPUT, output.encode() if isinstance(output, str) else output)
        said.frame(_DONE, b"")
    except IngestError as error:
        said.error(type(error).__name__, error.reason, error.detail)
    except MemoryError as error:
        said.error("", Reason.TOO_MUCH_MEMORY, repr(error))
    except PermissionError as error:
        said.error("", Reason.NOT_ALLOWED, repr(error))
    except FileNotFoundError as error:
        said.error("", Reason.MISSING, repr(error))
    except BrokenPipeError:
        raise
    except Exception as error:
        said.error("", Reason.DAMAGED, repr(error))


class _Said:
    """The child's end of the pipe of answers."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._last = time.monotonic()

    def frame(self, kind: bytes, body: bytes) -> None:
        view = memoryview(_FRAME.pack(kind, len(body)) + body)
        while view:
            view = view[os.write(self._end, view) :]

    def beat(self) -> None:
        if time.monotonic() - self._last > _BEAT_SECONDS:
            self._last = time.monotonic()
            self.frame(_BEAT, b"")

    def error(self, kind: str, reason: Reason, detail: str) -> None:
        self.frame(_ERROR, json.dumps([kind, reason, detail[:500]]).encode())


def _nothing() -> None:
    return


class _Beat:
    """Where a sign of life goes: nowhere, outside a child."""

    say: Callable[[], None] = staticmethod(_nothing)


def beat() -> None:
    """Say that work goes on: a reader calls it at each page, and the time limit starts anew."""
    _Beat.say()


def _hold(limits: Limits, *, programs: bool) -> None:
    confinement.keep_files()
    confinement.take_limits(memory_bytes=limits.memory_bytes, cpu_seconds=int(limits.total_seconds) + 1)
    confinement.refuse_calls(confinement.GROUPS if programs else confinement.PROGRAMS)


def run_program(command: Sequence[str], given: bytes, seconds: float) -> bytes:
    """What a program says on its standard output for what it is given on its standard input; for tasks of a
    sandbox with programs. It ends when its child ends. Raises UnreadableDocument: TOO_SLOW after
    ``seconds``, DAMAGED when it fails."""
    child = os.getpid()
    try:
        done = subprocess.run(
            command,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=True,
            preexec_fn=lambda: confinement.die_with_parent(child),
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableDocument(Reason.TOO_SLOW, f"{command[0]} took more than {seconds:g} s") from error
    except subprocess.CalledProcessError as error:
        raise UnreadableDocument(Reason.DAMAGED, f"{command[0]} ended with {error.returncode}") from error
    return done.stdout
