"""One operating-system process of a plugin: started by this daemon, or left behind by the one before it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, NamedTuple

from hostd.aio import Clock
from hostd.host.process.launch import PLUGIN, Launch, ProcessLimits
from hostd.host.process.output import Output

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

TERM_GRACE_S = 5.0
KILL_S = 10.0  # for the reaper to kill a plugin and all it started; it takes milliseconds
POLL_S = 0.2
REAPER = Path(__file__).with_name("reaper.py")
REAPED = sys.platform == "linux"
_TICKS_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Identity(NamedTuple):
    """Names a process for ever: its id and when it began (clock ticks since boot; 0 where the system does not say)."""

    pid: int
    began: int

    def lives(self) -> bool:
        """Say whether that very process is still there."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return False  # another user's: the id was given out again
        return _state(self.pid) != "Z" and began(self.pid) == self.began


class _Started(asyncio.SubprocessProtocol):
    """A process that this daemon started. asyncio's own `wait` would also wait for whoever has its standard input."""

    def __init__(self) -> None:
        self._gone = asyncio.Event()
        self._transport: Any = None  # the loop's own kind of asyncio.SubprocessTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process runs."""
        self._transport = transport

    def process_exited(self) -> None:
        """The process is gone."""
        self._gone.set()

    async def wait(self) -> int:
        """Return the exit code, once there is one; lets go of the pipe."""
        await self._gone.wait()
        code: int = self._transport.get_returncode()
        self._transport.close()
        return code


class Child:
    """A process in a session of its own, so that what it starts goes with it.

    Where the system can, it is a reaper whose one child is the plugin's program: see reaper.py.
    """

    def __init__(
        self,
        identity: Identity,
        output: Output,
        clock: Clock,
        process: _Started | None = None,
        *,
        reaped: bool = False,
    ) -> None:
        self.identity = identity
        self.output = output
        self.reaped = reaped
        self._clock = clock
        self._process = process  # None for one that an earlier daemon started
        self._code: int | None = None

    @property
    def pid(self) -> int:
        """Id of the process and of its session."""
        return self.identity.pid

    @property
    def inherited(self) -> bool:
        """Whether an earlier daemon started it."""
        return self._process is None

    async def exited(self) -> str:
        """Wait until the process is gone; return how it went, for people."""
        if self._process is not None:
            self._code = await self._process.wait()  # of the process: what it started may hold its pipe longer
            return ending(self._code)
        while self.identity.lives():  # not our child: the system tells us nothing
            await self._clock.sleep(POLL_S)
        return "ended"

    async def stop(self, grace_s: float = TERM_GRACE_S) -> None:
        """Ask the process to end; kill it and all it started when it does not within the grace."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_s):
                await self.exited()
        except TimeoutError:
            pass
        self.kill()
        try:
            async with asyncio.timeout(KILL_S):
                await self.exited()
        except TimeoutError:  # somebody has stopped the reaper
            self._kill_session()
            await self.exited()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it is still that one."""
        if self.identity.lives():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process and everything it started. Blocks for a look at all processes when it is gone itself."""
        if self._code is not None and self.reaped and self._code != -signal.SIGKILL:
            return  # the reaper has seen to it
        if self.identity.began and not self.identity.lives():
            kill_orphans(self.identity)  # the number may be somebody else's by now
        elif self.reaped:
            self.signal(signal.SIGQUIT)
        else:
            self._kill_session()

    def _kill_session(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        kill_orphans(self.identity)

    def cpu_s(self) -> float:
        """Return the processor time that what lives of it has used, in seconds; 0 where the system does not say."""
        ticks = [int(fields[11]) + int(fields[12]) for _, fields in _session(self.identity)]
        return sum(ticks) / _TICKS_S

    def has(self, pid: int) -> bool:
        """Say whether a process is this one, or the program that the reaper runs."""
        fields = _stat(pid)
        return pid == self.pid or (len(fields) > 1 and int(fields[1]) == self.pid)


def kill_orphans(identity: Identity) -> None:
    """Kill what a plugin's process that is gone has started and left behind in its session."""
    if began(identity.pid) not in (0, identity.began):
        return  # the number is somebody else's, and what is in the session, too
    for pid, _ in _session(identity):
        if _is_plugins(pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _session(identity: Identity) -> list[tuple[int, list[str]]]:
    """Return the processes of a session, with what the system says of them."""
    found = []
    for entry in os.scandir("/proc") if os.path.isdir("/proc") else ():
        fields = _stat(int(entry.name)) if entry.name.isdigit() else []
        if fields and int(fields[3]) == identity.pid and int(fields[19]) >= identity.began:
            found.append((int(entry.name), fields))
    return found


def _is_plugins(pid: int) -> bool:
    """Say whether a process was started by a plugin's: it has inherited what that was told."""
    try:
        return f"{PLUGIN}=".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


async def start_child(
    launch: Launch, environment: dict[str, str], *, output: Output, limits: ProcessLimits, clock: Clock, lock: Path
) -> Child:
    """Start a plugin's process.

    Args:
        lock: the file that every daemon of the same data folder holds locked.

    Raises:
        OSError: its command cannot be run.
    """
    if shutil.which(launch.command[0], path=environment.get("PATH")) is None:
        raise FileNotFoundError(f"there is no program {launch.command[0]}")
    command = _reaped(launch.command, limits, lock) if REAPED else launch.command
    descriptor = output.open()
    try:
        transport, process = await asyncio.get_running_loop().subprocess_exec(
            _Started,
            *command,
            stdin=asyncio.subprocess.PIPE,  # its end tells the child that the daemon is gone
            stdout=descriptor,
            stderr=descriptor,
            env=environment,
            cwd=launch.folder,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    pid = transport.get_pid()
    return Child(Identity(pid, began(pid)), output, clock, process, reaped=REAPED)


def _reaped(command: tuple[str, ...], limits: ProcessLimits, lock: Path) -> tuple[str, ...]:
    """Return the command line of a reaper that runs a program within its limits."""
    wanted = {
        resource.RLIMIT_DATA: limits.memory_bytes,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_FSIZE: limits.file_bytes,
    }
    told = ",".join(f"{kind}={most}" for kind, most in wanted.items() if most) + f",{resource.RLIMIT_CORE}=0"
    orphan_s = f"{limits.orphan.total_seconds():g}"
    return (sys.executable, "-I", "-S", str(REAPER), str(lock), orphan_s, told.lstrip(","), *command)


def began(pid: int) -> int:
    """Return when a process began, in clock ticks since boot; 0 where the system does not say."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def _state(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else ""


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat behind the name, which may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def ending(code: int) -> str:
    """Return how a process went: `exit 3`, `killed by SIGSEGV`."""
    if code >= 0:
        return f"exit {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
