"""Stands between the daemon and a program: starts it in a group of its own, and ends all of it when told, or orphaned.

Run as a program by its path (`python -I -S guard.py CONTROL_FD FOLDER_FD PROGRAM ARGUMENT...`), with the program's
environment and streams. Standard library only: it starts in some 15 ms.

    daemon -> guard   T: ask the program to end (SIGTERM to its group);  end of stream: end everything now
    guard -> daemon   S: started;  E<errno>: it could not be started;  X<wait status>: it ended

On Linux it adopts what the program leaves behind (also what left the group), so nothing outlives it.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys

_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 1_000  # of killing what keeps forking


def main() -> int:
    """Start the program, then wait for its end or the daemon's."""
    control, folder, program, arguments = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[3:]
    os.set_inheritable(control, False)
    adopts = _adopt()
    wake, wakened = os.pipe()
    os.set_blocking(wakened, False)
    signal.set_wakeup_fd(wakened)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        if folder >= 0:
            os.fchdir(folder)
            os.close(folder)
        unignored = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT]
        child = os.posix_spawn(program, arguments, dict(os.environ), setpgroup=0, setsigdef=unignored, setsigmask=[])
    except OSError as error:
        _tell(control, f"E{error.errno}\n")
        return 1
    _let_go()
    _tell(control, "S\n")
    status = _watch(control, wake, child)
    _end_all(child, adopts)
    if status is not None:
        _tell(control, f"X{status}\n")
    return 0


def _adopt() -> bool:
    """Become the parent of what loses its own. Linux only."""
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (AttributeError, OSError):
        return False


def _let_go() -> None:
    """Close our copies of the program's streams, so that their ends are seen."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _watch(control: int, wake: int, child: int) -> int | None:
    """Return the program's wait status; None when the daemon went or wants it ended now."""
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        status = _reap(child)
        if status is not None:
            return status
        for ready, _ in poll.poll():
            if ready == wake:
                os.read(wake, 512)
            elif not _heed(control, child):
                return None


def _heed(control: int, child: int) -> bool:
    """Do what the daemon says; return whether to go on."""
    try:
        said = os.read(control, 64)
    except OSError:
        return False
    if b"T" in said:
        _signal(child, signal.SIGTERM)
    return bool(said)


def _reap(child: int) -> int | None:
    """Take the ends of all that ended; return the program's status if it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            found = status


def _end_all(child: int, adopts: bool) -> None:
    """Kill the group and everything that was adopted, until nothing is left."""
    _signal(child, signal.SIGKILL)
    for _ in range(_ROUNDS):
        for pid in _children() if adopts else ():
            _kill(pid)
        try:
            if os.waitpid(-1, 0 if adopts else os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def _signal(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # it has ended, all of it


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _tell(control: int, text: str) -> None:
    try:
        os.write(control, text.encode())
    except OSError:
        return  # the daemon is gone


if __name__ == "__main__":
    sys.exit(main())
