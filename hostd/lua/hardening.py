"""What the kernel takes away from script processes: once in the zygote, the rest in each worker.

Each measure is tried by itself and its result reported: "" where it is active, else why it is not. A container may
forbid namespaces and still allow seccomp; scripts then run behind what is left, and the report says so.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import tempfile
from collections.abc import Callable

from hostd.lua import seccomp

Report = dict[str, str]

ZYGOTE_MEASURES = ("namespaces", "chroot", "unprivileged", "no_new_privs", "undumpable")
WORKER_MEASURES = ("parent_death", "rlimits", "seccomp")

NOBODY = 65534
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CAPABILITY_VERSION_3 = 0x20080522
_STACK_BYTES = 8 << 20


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _must(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _prctl(option: int, value: int) -> None:
    _must(_libc().prctl(option, value, 0, 0, 0), f"prctl {option}")


def _attempt(measure: Callable[[], None]) -> str:
    try:
        measure()
    except (OSError, ValueError, AttributeError) as error:  # AttributeError: this system has no such call
        return str(error) or type(error).__name__
    return ""


# -- the zygote ------------------------------------------------------------------------------------------------


def harden_zygote() -> Report:
    """Leave the network, the file system and every privilege behind. Called once, before the first fork."""
    empty = _enter_empty_folder()
    report = {"namespaces": _attempt(_leave_namespaces)}
    report["chroot"] = empty or _attempt(_chroot_here)
    report["unprivileged"] = _attempt(_drop_privileges)
    report["undumpable"] = _attempt(lambda: _prctl(_PR_SET_DUMPABLE, 0))
    report["no_new_privs"] = _attempt(lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1))
    return report


def _enter_empty_folder() -> str:
    """Stand in a folder that is removed already: nothing is in it, and nothing can be made in it."""
    try:
        folder = tempfile.mkdtemp(prefix="hostd-empty-")
        os.chdir(folder)
        os.rmdir(folder)
    except OSError as error:
        return str(error)
    return ""


def _leave_namespaces() -> None:
    flags = _CLONE_NEWNET | _CLONE_NEWNS | _CLONE_NEWIPC | _CLONE_NEWUTS
    if os.geteuid() != 0:
        flags |= _CLONE_NEWUSER
    _must(_libc().unshare(flags), "unshare")


def _chroot_here() -> None:
    os.chroot(".")
    os.chdir("/")


def _drop_privileges() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    # Inside a user namespace of its own a process holds every capability there; the others hold none to lose.
    header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION_3, 0))
    nothing = ctypes.create_string_buffer(bytes(24))
    _must(_libc().capset(header, nothing), "capset")


# -- each worker -----------------------------------------------------------------------------------------------


def mapped_bytes() -> int:
    """Return the address space in use; asked for while /proc can still be read."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 512 << 20


def harden_worker(*, parent: int, address_space_bytes: int) -> Report:
    """Bind the worker to its parent, take its resources, then all system calls but a few.

    Args:
        parent: process id of the zygote, whose end must end the worker too.
        address_space_bytes: what the worker may map in all.
    """
    libc = _libc()
    report = {"parent_death": _attempt(lambda: _follow(parent))}
    report["rlimits"] = _attempt(lambda: _limit_resources(address_space_bytes))
    report["seccomp"] = _attempt(lambda: seccomp.install(libc))
    return report


def _follow(parent: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _limit_resources(address_space_bytes: int) -> None:
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC):
        resource.setrlimit(limit, (0, 0))
    resource.setrlimit(resource.RLIMIT_STACK, (_STACK_BYTES, _STACK_BYTES))
    resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes, address_space_bytes))
