"""Worker processes: a spare one always warm, a bound on their number and on who waits, replaced when used up."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Hashable
from pathlib import Path

import msgspec

from hostd.aio import spawn
from hostd.errors.base import HostdError, Kind
from hostd.lua.limits import DEFAULT_LIMITS, MIB, ScriptLimits
from hostd.lua.waiters import Waiters
from hostd.lua.zygote import PROGRAM, Worker, Zygote, start_zygote

_HEADROOM_BYTES = 160 * MIB  # address space beside Lua's own: Python, and copies on the way in and out
_FRAME_BYTES = 8 * MIB  # what a frame may hold beside output and log


class PoolOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How many processes and how much waiting.

    Args:
        workers_max: live workers; a script holds one to its end, also while it waits for the host.
        workers_idle: idle workers kept; more are ended.
        spare: workers to have ready before anybody asks.
        running_max: scripts that compute at once; the others wait their turn before their wall time starts.
        queue_max: runs that may wait for a worker.
        share_queue_max: runs of one share (a workflow, or all single scripts) that may wait for a worker.
        recycle_runs: a worker is replaced after this many.
        ceiling: the operator's limits; no run gets more.
        isolation_required: refuse to run scripts behind less than the full set of measures.
    """

    workers_max: int = 32
    workers_idle: int = 4
    spare: int = 1
    running_max: int = min(4, os.cpu_count() or 1)
    queue_max: int = 1_000
    share_queue_max: int = 250
    recycle_runs: int = 1_000
    ceiling: ScriptLimits = DEFAULT_LIMITS
    isolation_required: bool = False


class WorkerPool:
    """Hands out workers. One event loop owns it; `start` first, `close` last."""

    def __init__(self, options: PoolOptions, program: Path = PROGRAM) -> None:
        self._options = options
        self._program = program
        self._zygote: Zygote | None = None
        self._zygote_lock = asyncio.Lock()
        self._idle: list[Worker] = []
        self._waiting: Waiters[Worker] = Waiters(self._take_back)
        self._owners: dict[Worker, Zygote] = {}
        self._forking: set[asyncio.Task[None]] = set()
        self._closed = False
        self.isolation: dict[str, str] = {}

    async def start(self) -> None:
        """Start the zygote and the spare. Raises SCRIPTS_UNAVAILABLE."""
        worker = await self._fork()
        self._take_back(worker)
        self._top_up()

    async def close(self) -> None:
        """End all workers and the zygote; whoever waits gets SCRIPTS_UNAVAILABLE. Safe to call twice."""
        self._closed = True
        for task in tuple(self._forking):
            task.cancel()
        await asyncio.gather(*self._forking, return_exceptions=True)
        self._waiting.fail(_closed())
        for worker in tuple(self._owners):
            self._end(worker)
        if self._zygote is not None:
            await self._zygote.close()

    async def acquire(self, share: Hashable = "") -> Worker:
        """Return a worker that is the caller's until `release`.

        Args:
            share: whose turn it takes when workers are scarce.

        Raises:
            HostdError: SCRIPT_QUEUE_FULL, or SCRIPTS_UNAVAILABLE.
        """
        if self._closed:
            raise _closed()
        while self._idle:
            worker = self._idle.pop()
            if worker.link.is_quiet():
                self._top_up()
                return worker
            self._end(worker)
        mine = self._waiting.of(share)
        if len(self._waiting) >= self._options.queue_max or mine >= self._options.share_queue_max:
            message = f"{len(self._waiting)} scripts wait for a worker already, {mine} of them of the same owner"
            raise HostdError(Kind.EXHAUSTED, "SCRIPT_QUEUE_FULL", message, retry_after_s=1.0)
        self._top_up(1)
        return await self._waiting.wait(share)

    def release(self, worker: Worker, *, reusable: bool) -> None:
        """Give a worker back; one that is not reusable is killed and replaced."""
        worker.runs += 1
        if not reusable or worker.runs >= self._options.recycle_runs:
            self._end(worker)
        else:
            self._take_back(worker)
        self._top_up()

    @property
    def live(self) -> int:
        """Workers that are forked and not ended."""
        return len(self._owners)

    @property
    def idle(self) -> int:
        """Workers that wait for a script."""
        return len(self._idle)

    def _take_back(self, worker: Worker) -> None:
        if self._closed or worker.link.gone:
            self._end(worker)
            return
        if self._waiting.hand(worker):
            return
        if len(self._idle) >= self._options.workers_idle:
            self._end(worker)
            return
        self._idle.append(worker)

    def _end(self, worker: Worker) -> None:
        zygote = self._owners.pop(worker, None)
        if zygote is not None:
            zygote.kill(worker)

    def _idle_gone(self, worker: Worker) -> None:
        if worker in self._idle:
            self._idle.remove(worker)
            self._end(worker)
            self._top_up()

    def _top_up(self, coming: int = 0) -> None:
        """Fork what the waiting need, and who comes now, and the spare."""
        if self._closed:
            return
        missing = coming + len(self._waiting) + self._options.spare - len(self._idle) - len(self._forking)
        room = self._options.workers_max - self.live - len(self._forking)
        for _ in range(min(missing, room)):
            task = spawn(self._fork_one(), name="lua-fork")
            self._forking.add(task)
            task.add_done_callback(self._forking.discard)

    async def _fork_one(self) -> None:
        try:
            worker = await self._fork()
        except HostdError as error:
            self._waiting.fail(error)
            return
        self._take_back(worker)

    async def _fork(self) -> Worker:
        async with self._zygote_lock:
            zygote, worker = await self._fork_by_zygote()
        self.isolation = {**zygote.isolation, **worker.isolation}
        self._owners[worker] = zygote
        worker.link.on_gone = lambda: self._idle_gone(worker)
        return worker

    async def _fork_by_zygote(self) -> tuple[Zygote, Worker]:
        """Return a new worker and its zygote; a zygote found dead, which nobody knew yet, is replaced once."""
        found = self._zygote
        if found is not None and not found.gone:
            with contextlib.suppress(HostdError):
                return found, await found.fork(self._frame_bytes())
        self._zygote = await self._start_zygote()
        return self._zygote, await self._zygote.fork(self._frame_bytes())

    async def _start_zygote(self) -> Zygote:
        if self._zygote is not None:
            await self._zygote.close()
        return await start_zygote(self._options.ceiling.memory_bytes + _HEADROOM_BYTES, self._program)

    def _frame_bytes(self) -> int:
        ceiling = self._options.ceiling
        return 6 * ceiling.log_bytes + ceiling.output_bytes + _FRAME_BYTES


def _closed() -> HostdError:
    return HostdError(Kind.UNAVAILABLE, "SCRIPTS_UNAVAILABLE", "the script workers are stopping", retry_after_s=1.0)
