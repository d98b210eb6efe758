"""One operating-system process of a plugin: started by this daemon, or left behind by the one before it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
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
POLL_S = 0.2
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
    """A process in a session of its own, so that what it starts goes with it."""

    def __init__(self, identity: Identity, output: Output, clock: Clock, process: _Started | None = None) -> None:
        self.identity = identity
        self.output = output
        self._clock = clock
        self._process = process  # None for one that an earlier daemon started

    @property
    def pid(self) -> int:
        """Id of the process and of its group."""
        return self.identity.pid

    async def exited(self) -> str:
        """Wait until the process is gone; return how it went, for people."""
        if self._process is not None:
            return ending(await self._process.wait())  # of the process: what it started may hold its pipe longer
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
        await self.exited()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it is still that one."""
        if self.identity.lives():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process and everything in its group."""
        if self._process is None and not self.identity.lives():
            kill_orphans(self.identity)  # the number may be somebody else's by now
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def cpu_s(self) -> float:
        """Return the processor time it has used, in seconds; 0 where the system does not say."""
        fields = _stat(self.pid)
        return (int(fields[11]) + int(fields[12])) / _TICKS_S if fields else 0.0


def kill_orphans(identity: Identity) -> None:
    """Kill what a plugin's process that is gone has started and left behind in its session."""
    if began(identity.pid) not in (0, identity.began):
        return  # the number is somebody else's, and what is in the session, too
    for entry in os.scandir("/proc") if os.path.isdir("/proc") else ():
        if not entry.name.isdigit():
            continue
        fields = _stat(int(entry.name))
        if fields and int(fields[3]) == identity.pid and int(fields[19]) >= identity.began and _is_plugins(entry.name):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(entry.name), signal.SIGKILL)


def _is_plugins(pid: str) -> bool:
    """Say whether a process was started by a plugin's: it has inherited what that was told."""
    try:
        return f"{PLUGIN}=".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


async def start_child(
    launch: Launch, environment: dict[str, str], *, output: Output, limits: ProcessLimits, clock: Clock
) -> Child:
    """Start a plugin's process. Raises OSError where its command cannot be run."""
    descriptor = output.open()
    try:
        transport, process = await asyncio.get_running_loop().subprocess_exec(
            _Started,
            *launch.command,
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
    _confine(pid, limits)
    return Child(Identity(pid, began(pid)), output, clock, process)


def _confine(pid: int, limits: ProcessLimits) -> None:
    """Set the limits of a process that was just started (it is still loading its interpreter)."""
    if not hasattr(resource, "prlimit"):  # Linux has it
        return
    wanted = (
        (resource.RLIMIT_DATA, limits.memory_bytes),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in wanted:
        if most or kind == resource.RLIMIT_CORE:
            with contextlib.suppress(ProcessLookupError, ValueError, OSError):
                _, hard = resource.prlimit(pid, kind)
                ceiling = most if hard == resource.RLIM_INFINITY else min(most, hard)
                resource.prlimit(pid, kind, (ceiling, ceiling))


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
