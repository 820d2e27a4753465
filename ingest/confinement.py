"""What holds a child of ``ingest.isolation``, on Linux: limits, filters of system calls, ties of life.

Hides prctl, seccomp, Landlock and the numbers of system calls. A filter is kept for ever by the process and
by all that it starts, and adds to those before it: the fork server takes the one against the network, each
child then the one against programs, or the one that keeps the programs it may start in its own process group.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from collections.abc import Iterable
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_FILTER = 2
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EPERM
_X32 = 0x40000000  # the other numbering of calls on x86-64: refused whole

NETWORK = (
    *("socket", "connect", "socketpair", "io_uring_setup"),
    *("ptrace", "pidfd_getfd", "process_vm_readv", "process_vm_writev"),
)
"""Calls by which a process would reach others, or take what they have open."""
PROGRAMS = ("execve", "execveat")
"""Calls by which a process would become another program."""
GROUPS = ("setsid", "setpgid")
"""Calls by which a process would leave the group that is killed whole."""

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # linux/audit.h
_CALLS = {
    "x86_64": {
        "socket": 41,
        "connect": 42,
        "socketpair": 53,
        "io_uring_setup": 425,
        "ptrace": 101,
        "pidfd_getfd": 438,
        "process_vm_readv": 310,
        "process_vm_writev": 311,
        "execve": 59,
        "execveat": 322,
        "setsid": 112,
        "setpgid": 109,
    },
    "aarch64": {
        "socket": 198,
        "connect": 203,
        "socketpair": 199,
        "io_uring_setup": 425,
        "ptrace": 117,
        "pidfd_getfd": 438,
        "process_vm_readv": 270,
        "process_vm_writev": 271,
        "execve": 221,
        "execveat": 281,
        "setsid": 157,
        "setpgid": 154,
    },
}


# Landlock (linux/landlock.h): the same numbers on both machines.
_NEW_RULES, _ADD_RULE, _TAKE_RULES = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH, _NO_SIGNALS = 1, 1, 2
_WRITE, _TRUNCATE = 1 << 1, 1 << 14
_CHANGES = _WRITE | sum(1 << bit for bit in range(4, 13))  # take away and make entries of each kind


def can_refuse_calls() -> bool:
    """Whether this machine has filters of system calls that we know how to write."""
    return platform.system() == "Linux" and platform.machine() in _CALLS


def refuse_calls(names: Iterable[str]) -> None:
    """These system calls fail with EPERM from now on, in this process and in all that it starts, where the
    machine can do it. Raises OSError if the filter is not taken."""
    if not can_refuse_calls():
        return
    program = _filter(platform.machine(), names)
    steps = ctypes.create_string_buffer(program, len(program))
    whole = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(steps)))
    if not (_prctl(_PR_SET_NO_NEW_PRIVS, 1) and _prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, whole)):
        raise OSError(ctypes.get_errno(), "the filter of system calls was refused")


def keep_files() -> None:
    """No file is changed, cut, made, renamed or taken away from now on, but /dev/null; no process outside is
    looked into nor, since Linux 6.12, sent a signal. Limits alone would let files be emptied. Only where the
    kernel has Landlock. Raises OSError if the rules are not taken."""
    version = _call(_NEW_RULES, None, ctypes.c_size_t(0), _ASK_VERSION) if can_refuse_calls() else -1
    if version < 1:
        return
    cut = _TRUNCATE if version >= 3 else 0
    asked = struct.pack("=QQQ", _CHANGES | cut, 0, _NO_SIGNALS)[: 24 if version >= 6 else 8]
    rules = _call(_NEW_RULES, asked, ctypes.c_size_t(len(asked)), 0)
    nowhere = os.open(os.devnull, os.O_PATH)
    exception = struct.pack("=Qi", _WRITE | cut, nowhere)
    taken = (
        _call(_ADD_RULE, rules, _PATH_BENEATH, exception, 0) == 0
        and _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        and _call(_TAKE_RULES, rules, 0) == 0
    )
    if not taken:
        raise OSError(ctypes.get_errno(), "the rules about files were refused")
    os.close(nowhere)
    os.close(rules)


def _call(number: int, *arguments: Any) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))


def _filter(machine: str, names: Iterable[str]) -> bytes:
    """The seccomp program that refuses these calls."""
    refused = [_CALLS[machine][name] for name in names]
    # Offsets in struct seccomp_data: 0 the call's number, 4 the architecture. A jump counts instructions.
    to_refusal = len(refused) + 1
    program = [
        (_LOAD, 0, 0, 4),
        (_IF_EQUAL, 0, to_refusal + 2, _ARCHITECTURES[machine]),
        (_LOAD, 0, 0, 0),
        (_IF_AT_LEAST, to_refusal, 0, _X32),
        *((_IF_EQUAL, to_refusal - 1 - i, 0, call) for i, call in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in program)


def _prctl(what: int, *arguments: Any) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [*arguments, *(0,) * (4 - len(arguments))]
    return bool(libc.prctl(what, *(a if not isinstance(a, int) else ctypes.c_ulong(a) for a in padded)) == 0)


def die_with_parent(parent: int) -> None:
    """Be killed when the process ``parent``, which started this one, ends; at once if it has ended."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def take_limits(*, memory_bytes: int, cpu_seconds: int) -> None:
    """No file written, no core, so many bytes of memory beyond what is held now, so much processor time; in
    this process and, each for itself, in those that it starts."""
    _limit(resource.RLIMIT_AS, address_space() + memory_bytes)
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def address_space() -> int:
    """Bytes of memory that this process has asked for."""
    return _memory(0)


def resident() -> int:
    """Bytes of memory that this process has in use."""
    return _memory(1)


def _memory(column: int) -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[column]) * resource.getpagesize()


def write_nowhere() -> None:
    """Output of C libraries goes nowhere: a damaged file would fill the terminal with their complaints."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
