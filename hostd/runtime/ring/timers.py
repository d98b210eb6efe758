"""Durable timers in memory: the runs due in ten minutes, in one heap with one timer. The journal holds them all."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError
from hostd.runtime.ring.readers import Readers

_log = logging.getLogger("hostd.runtime")

HORIZON_MS = 600_000
REFILL_MS = HORIZON_MS // 2
LOOK_AGAIN_S = 30.0  # wall time is looked at again this often, for clocks that were set
ROWS_MAX = 1_000_000
BACKLOG_MAX = 5_000
REST_S = 0.02


class Timers:
    """Tells `fire(run)` when a run's earliest timer is due. Each run has one due time at most.

    `fire` may return how many messages wait; past 5,000 the rest is fired a little later.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int]] = []
        self._due: dict[int, int] = {}
        self._handle: asyncio.TimerHandle | None = None
        self._handle_due_ms = 0
        self._fire: Callable[[int], int | None] | None = None
        self._horizon_ms = 0
        self._refill: asyncio.Task[None] | None = None
        self._look: Callable[[], Awaitable[None]] | None = None

    async def start(
        self, readers: Readers, due_runs: Callable[..., list[tuple[int, int]]], fire: Callable[[int], int | None]
    ) -> None:
        """Take over what the journal says is due soon, and go on looking."""
        self._fire = fire
        self._look = lambda: self._fill(readers, due_runs)
        await self._look()
        self._refill = spawn(self._keep_filling(readers, due_runs), name="timers-refill")

    def stop(self) -> None:
        """Fire nothing any more."""
        self._fire = None
        if self._handle is not None:
            self._handle.cancel()
        if self._refill is not None:
            self._refill.cancel()

    async def look_again(self) -> None:
        """Fire what is due by now: the clock was turned. Raises HostdError where the journal cannot be read."""
        if self._look is None or self._fire is None:
            return
        await self._look()
        if self._handle is not None:
            self._handle.cancel()
        self._wake()

    def __len__(self) -> int:
        return len(self._due)

    def arm(self, run: int, due_at_ms: int) -> None:
        """Set, move or (0) clear a run's due time. Far ones are left to the journal."""
        if not due_at_ms or (due_at_ms > self._horizon_ms and due_at_ms > self._clock.wall_ms() + HORIZON_MS):
            self._due.pop(run, None)
            return
        self._due[run] = due_at_ms
        heapq.heappush(self._heap, (due_at_ms, run))
        if len(self._heap) > 2 * len(self._due) + 1_000:
            self._heap = [(due, run) for run, due in self._due.items()]
            heapq.heapify(self._heap)
        if self._handle is None or due_at_ms < self._handle_due_ms:
            self._sleep()

    def disarm(self, run: int) -> None:
        """Forget a run's due time."""
        self._due.pop(run, None)

    def _sleep(self) -> None:
        if self._fire is None or not self._heap:
            return
        due_at_ms = self._heap[0][0]
        if self._handle is not None:
            if due_at_ms >= self._handle_due_ms:
                return
            self._handle.cancel()
        delay_s = min(max(0.0, (due_at_ms - self._clock.wall_ms()) / 1000), LOOK_AGAIN_S)
        self._handle_due_ms = due_at_ms
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._handle = None
        fire = self._fire
        now_ms = self._clock.wall_ms()
        heap = self._heap
        while heap and fire is not None and heap[0][0] <= now_ms:
            due_at_ms, run = heapq.heappop(heap)
            if self._due.get(run) == due_at_ms:
                del self._due[run]
                if (fire(run) or 0) >= BACKLOG_MAX:
                    self._rest()
                    return
        self._sleep()

    def _rest(self) -> None:
        """Many are due at once: let the runs be read that were fired already."""
        self._handle_due_ms = 0
        self._handle = asyncio.get_running_loop().call_later(REST_S, self._wake)

    async def _fill(self, readers: Readers, due_runs: Callable[..., list[tuple[int, int]]]) -> None:
        horizon_ms = self._clock.wall_ms() + HORIZON_MS
        rows = await readers.call(lambda: due_runs(before_ms=horizon_ms, limit=ROWS_MAX))
        if len(rows) == ROWS_MAX:
            horizon_ms = rows[-1][0]  # what lies behind is taken next time
        self._horizon_ms = horizon_ms
        for due_at_ms, run in rows:
            if run not in self._due:
                self._due[run] = due_at_ms
                self._heap.append((due_at_ms, run))
        heapq.heapify(self._heap)
        self._sleep()

    async def _keep_filling(self, readers: Readers, due_runs: Callable[..., list[tuple[int, int]]]) -> None:
        """Go on before the horizon comes near, however the wall moves meanwhile."""
        while True:
            await self._clock.sleep(LOOK_AGAIN_S)
            if self._horizon_ms - self._clock.wall_ms() > REFILL_MS:
                continue
            try:
                await self._fill(readers, due_runs)
            except HostdError as error:
                _log.warning("timers_refill_failed error=%s", error)
