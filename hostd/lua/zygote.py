"""The daemon's side of the zygote: start it, have workers forked, learn of their ends."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path

from hostd.errors.base import HostdError, Kind
from hostd.lua.frames import FrameDecoder, FrameError
from hostd.lua.worker_link import WorkerGone, WorkerLink

PROGRAM = Path(__file__).with_name("zygote_main.py")
START_TIMEOUT_S = 30.0
FORK_TIMEOUT_S = 10.0
_REQUEST = struct.Struct("<cI")  # as in zygote_main, which is not imported here: it loads Lua
_NOTICE = struct.Struct("<cIi")
_HELLO_BYTES = 64 << 10


def unavailable(why: str) -> HostdError:
    """Return the error for a host that cannot run scripts just now."""
    return HostdError(
        Kind.UNAVAILABLE, "SCRIPTS_UNAVAILABLE", f"script workers cannot be started: {why}", retry_after_s=1.0
    )


class Worker:
    """A worker process and its connection. `exit_status` becomes its wait status, or None if the zygote is gone."""

    def __init__(
        self, *, pid: int, link: WorkerLink, isolation: dict[str, str], exit_status: asyncio.Future[int | None]
    ) -> None:
        self.pid = pid
        self.link = link
        self.isolation = isolation
        self.exit_status = exit_status
        self.runs = 0


class Zygote:
    """A running zygote. Made by `start_zygote`; nobody but the pool holds one."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket, isolation: dict[str, str]) -> None:
        self.isolation = isolation
        self.gone = False
        self.pid = process.pid
        self._process = process
        self._control = control
        self._buffer = b""
        self._tokens = 0
        self._forks: dict[int, asyncio.Future[tuple[int, asyncio.Future[int | None]]]] = {}
        self._exits: dict[int, asyncio.Future[int | None]] = {}
        asyncio.get_running_loop().add_reader(control.fileno(), self._read)

    async def fork(self, max_frame_bytes: int) -> Worker:
        """Return a fresh, hardened worker that waits for its first script.

        Raises:
            HostdError: SCRIPTS_UNAVAILABLE, the zygote or the new worker died or did not answer in time.
        """
        try:
            async with asyncio.timeout(FORK_TIMEOUT_S):
                return await self._fork(WorkerLink(max_frame_bytes))
        except (TimeoutError, OSError, WorkerGone) as error:
            self.abandon()
            why = "no answer in time" if isinstance(error, TimeoutError) else "the new worker died"
            raise unavailable(why) from None

    async def _fork(self, link: WorkerLink) -> Worker:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            await loop.create_connection(lambda: link, sock=ours)
            ready = link.expect()  # before the fork: the worker may speak before the zygote names it
            forked = self._send_fork(theirs)
        try:
            pid, exit_status = await forked
            frame = await ready
        except BaseException:
            link.close()  # a worker that is there nevertheless reads the end of its socket and goes
            raise
        return Worker(pid=pid, link=link, isolation=json.loads(frame[1]), exit_status=exit_status)

    def _send_fork(self, theirs: socket.socket) -> asyncio.Future[tuple[int, asyncio.Future[int | None]]]:
        if self.gone:
            raise WorkerGone
        self._tokens += 1
        future: asyncio.Future[tuple[int, asyncio.Future[int | None]]] = asyncio.get_running_loop().create_future()
        self._forks[self._tokens] = future
        socket.send_fds(self._control, [_REQUEST.pack(b"s", self._tokens)], [theirs.fileno()])
        return future

    def kill(self, worker: Worker) -> None:
        """End a worker at once. The zygote does it, so the process id cannot have passed to somebody else."""
        worker.link.close()
        if not self.gone:
            try:
                self._control.send(_REQUEST.pack(b"k", worker.pid))
            except OSError:
                self.abandon()

    def abandon(self) -> None:
        """Give the zygote up: it ends, and every worker with it. Safe to call twice."""
        if self.gone:
            return
        self.gone = True
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._control.close()
        for fork in self._forks.values():
            if not fork.done():
                fork.set_exception(WorkerGone())
        for status in self._exits.values():
            if not status.done():
                status.set_result(None)
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # without the right to, its closed socket ends it
            self._process.send_signal(signal.SIGKILL)

    async def close(self) -> None:
        """End the zygote and all workers, and wait until it is gone."""
        self.abandon()
        await self._process.wait()

    def _read(self) -> None:
        try:
            data = self._control.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.abandon()
            return
        self._buffer += data
        while len(self._buffer) >= _NOTICE.size:
            op, number, value = _NOTICE.unpack_from(self._buffer)
            self._buffer = self._buffer[_NOTICE.size :]
            self._notice(op, number, value)

    def _notice(self, op: bytes, number: int, value: int) -> None:
        if op == b"s":
            self._exits[value] = asyncio.get_running_loop().create_future()
            fork = self._forks.pop(number)
            if not fork.done():
                fork.set_result((value, self._exits[value]))
            return
        status = self._exits.pop(number)
        if not status.done():
            status.set_result(value)


def _import_folders() -> str:
    """Return the folders that hold hostd and lupa, for an interpreter that knows of no site-packages."""
    lupa = importlib.util.find_spec("lupa")
    if lupa is None or lupa.origin is None:
        raise unavailable("the package lupa is not installed")
    folders = [Path(__file__).parents[2], Path(lupa.origin).parents[1]]
    return os.pathsep.join(dict.fromkeys(str(folder) for folder in folders))


async def start_zygote(headroom_bytes: int, program: Path = PROGRAM) -> Zygote:
    """Start a zygote and wait until it has hardened itself.

    Args:
        headroom_bytes: address space a worker gets beside what is mapped at its start.
        program: what to run; tests give one whose workers probe their prison.

    Raises:
        HostdError: SCRIPTS_UNAVAILABLE.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    try:
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", "-E",
                str(program), _import_folders(), str(theirs.fileno()), str(headroom_bytes),
                pass_fds=[theirs.fileno()], stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
                env={"TZ": "UTC0", "LC_ALL": "C"}, cwd="/", start_new_session=True,
            )  # fmt: skip
        async with asyncio.timeout(START_TIMEOUT_S):
            isolation = await _hello(ours)
    except BaseException as error:
        ours.close()  # the zygote, if there is one, sees its control socket close and ends
        if isinstance(error, (OSError, FrameError, TimeoutError)):
            raise unavailable(str(error) or "the zygote did not answer") from error
        raise
    return Zygote(process, ours, isolation)


async def _hello(control: socket.socket) -> dict[str, str]:
    decoder = FrameDecoder(_HELLO_BYTES)
    while True:
        data = await asyncio.get_running_loop().sock_recv(control, 4096)
        if not data:
            raise OSError("the zygote ended while starting; its message is on standard error")
        for frame in decoder.feed(data):
            report: dict[str, str] = json.loads(frame[0])
            return report
