"""A system call allow-list for script workers, as raw BPF: nothing to install, ten lines to read.

A worker reads and writes the one socket it has, manages memory, tells the time and ends. Anything else kills it.
"""

from __future__ import annotations

import ctypes
import platform
import struct
from typing import NamedTuple

_LOAD_WORD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


class _Machine(NamedTuple):
    audit_arch: int
    calls: tuple[int, ...]


# In this order: read write close mmap mprotect munmap mremap madvise brk rt_sigaction rt_sigprocmask rt_sigreturn
# restart_syscall sched_yield futex setitimer getpid getrusage clock_gettime gettimeofday getrandom rseq exit exit_group
# fmt: off
_MACHINES = {
    "x86_64": _Machine(0xC000003E, (
        0, 1, 3, 9, 10, 11, 25, 28, 12, 13, 14, 15, 219, 24, 202, 38, 39, 98, 228, 96, 318, 334, 60, 231,
    )),
    "aarch64": _Machine(0xC00000B7, (
        63, 64, 57, 222, 226, 215, 216, 233, 214, 134, 135, 139, 128, 124, 98, 103, 172, 165, 113, 169,
        278, 293, 93, 94,
    )),
}
# fmt: on


def _program(machine: _Machine) -> bytes:
    def instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
        return struct.pack("HBBI", code, if_true, if_false, value)

    count = len(machine.calls)
    lines = [
        instruction(_LOAD_WORD, 0, 0, 4),  # the architecture; another one has other numbers
        instruction(_JUMP_EQUAL, 1, 0, machine.audit_arch),
        instruction(_RETURN, 0, 0, _KILL_PROCESS),
        instruction(_LOAD_WORD, 0, 0, 0),  # the call's number; x32 numbers carry a bit that is on no list
    ]
    lines += [instruction(_JUMP_EQUAL, count - index, 0, call) for index, call in enumerate(machine.calls)]
    lines += [instruction(_RETURN, 0, 0, _KILL_PROCESS), instruction(_RETURN, 0, 0, _ALLOW)]
    return b"".join(lines)


def install(libc: ctypes.CDLL) -> None:
    """Put the filter on this process for good; `no_new_privs` must be set, or the process privileged.

    Raises:
        OSError: the kernel refuses, or there is no list for this machine.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None or struct.calcsize("P") != 8:
        raise OSError(0, f"no system call list for {platform.machine()}")
    code = _program(machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.c_char_p(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp was refused")
