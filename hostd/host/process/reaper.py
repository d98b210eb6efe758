"""Runs one plugin's program, and ends all it has started when it ends: as a script, in a process of its own.

    python -I -S reaper.py LOCK ORPHAN_S LIMITS COMMAND...

The daemon starts it, and it starts the plugin; nothing but the standard library is there. It stands between them so
that it outlives a daemon that is killed. What the plugin's descendants leave behind, in whatever session, becomes its
child (PR_SET_CHILD_SUBREAPER) and is killed when the plugin is gone. When it is killed itself the plugin is, too
(PR_SET_PDEATHSIG). A daemon holds LOCK shared for as long as it lives: when nobody has done so for longer than ORPHAN_S
the plugin, which should have gone by itself, is ended. SIGTERM is passed on; SIGQUIT kills everything.
It ends as the plugin did: with its exit code, or by its signal.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
HEARD = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
LOOK_S = 2.0
MARGIN_S = 10.0  # beyond the time in which the plugin ends by itself
TERM_S = 10.0
KILL_S = 5.0  # for what cannot even be killed, such as one that waits for a disk
CANNOT_RUN = 127


def main(arguments: list[str]) -> int:
    """Run the command behind the three words for this script; return its exit code."""
    lock, orphan_s, limits, *command = arguments
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    reaper = os.getpid()
    plugin = os.fork()
    if plugin == 0:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != reaper:
            os._exit(CANNOT_RUN)
        become(command, limits)
    _leave_standard_input()
    status = wait_for(plugin, Orphanhood(lock, float(orphan_s)))
    kill_the_rest()
    return _end_like(status)


def become(command: list[str], limits: str) -> None:
    """Be the plugin's program from here on; does not return."""
    os.setpgid(0, 0)  # what it does to its own group does not touch the reaper
    for pair in filter(None, limits.split(",")):
        kind, most = map(int, pair.split("="))
        _, hard = resource.getrlimit(kind)
        ceiling = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (ceiling, ceiling))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
    try:
        os.execvp(command[0], command)  # noqa: S606 the plugin's own command line
    except OSError as error:
        os.write(2, f"{command[0]} cannot be run: {error.strerror}\n".encode("utf-8", "replace"))
    os._exit(CANNOT_RUN)


def _leave_standard_input() -> None:
    """Its end is for the plugin to see."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


class Orphanhood:
    """Has there been no daemon for too long?"""

    def __init__(self, lock: str, orphan_s: float) -> None:
        self._lock = lock
        self._most_s = orphan_s + MARGIN_S
        self._since_s: float | None = None

    def too_long_s(self) -> float:
        """Return for how many seconds the plugin has been there that should have ended; at most 0 while it may stay."""
        now_s = time.monotonic()
        if not self._alone():
            self._since_s = None
            return 0.0
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s - self._most_s

    def _alone(self) -> bool:
        try:
            file = os.open(self._lock, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return True  # the folder is gone, and no daemon can come back to it
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(file)
        return True


def wait_for(plugin: int, orphanhood: Orphanhood) -> int:
    """Pass signals on until the plugin is gone; return its status. Whatever else ends meanwhile is buried."""
    look_s = time.monotonic() + LOOK_S
    while True:
        heard = signal.sigtimedwait(HEARD, LOOK_S)
        status = bury(plugin)
        if status is not None:
            return status
        number = heard.si_signo if heard is not None else 0
        if number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(plugin, signal.SIGTERM)
        elif number == signal.SIGQUIT:
            os.kill(plugin, signal.SIGKILL)
        elif time.monotonic() >= look_s:
            look_s = time.monotonic() + LOOK_S
            late_s = orphanhood.too_long_s()
            if late_s > 0:
                os.kill(plugin, signal.SIGTERM if late_s < TERM_S else signal.SIGKILL)


def bury(plugin: int) -> int | None:
    """Take note of children that ended; return the plugin's status where it was among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if not pid:
            return found
        if pid == plugin:
            found = status


def kill_the_rest() -> None:
    """Kill every descendant that is left: each becomes a child of this process when its parent has gone."""
    until_s = time.monotonic() + KILL_S
    while time.monotonic() < until_s:
        for child in children():
            try:
                os.kill(child, signal.SIGKILL)
            except OSError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def children() -> list[int]:
    """Return the ids of this process's children."""
    own, found = str(os.getpid()), []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if len(fields) > 1 and fields[1] == own:
            found.append(int(name))
    return found


def _end_like(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
    signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), -code)
    return 128 - code  # a signal that does not end a process


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
