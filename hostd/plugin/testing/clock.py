"""A clock that stands still until a test turns it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from hostd.plugin.slots import CatchUp, Periodic, Schedule, fire_times

SETTLE_TURNS = 20


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(SETTLE_TURNS):
        await asyncio.sleep(0)


class FakeClock:
    """A TriggerClock. Its first moment is 2026-01-01T00:00:00Z if nothing else is said.

    Args:
        high_water: the last slot that was fired, as a durable cursor would say.
    """

    def __init__(self, now: datetime | None = None, *, high_water: datetime | None = None) -> None:
        self._now = now or datetime(2026, 1, 1, tzinfo=UTC)
        self._elapsed_s = 0.0
        self._high_water = high_water
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        """Return the time the test has set."""
        return self._now

    def monotonic_s(self) -> float:
        """Return the seconds that have been turned."""
        return self._elapsed_s

    async def sleep(self, duration: timedelta | float) -> None:
        """Wait until the test has turned the clock so far."""
        seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._elapsed_s + seconds, self._count, future))
        await future

    async def advance(self, duration: timedelta | float) -> None:
        """Turn the clock, waking sleepers in order, each at its own time; returns when all that woke has settled."""
        seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
        end_s = self._elapsed_s + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end_s:
            due_s, _, future = heapq.heappop(self._sleepers)
            self._move(due_s - self._elapsed_s)
            if not future.done():
                future.set_result(None)
            await settle()
        self._move(end_s - self._elapsed_s)
        await settle()

    def step_wall(self, duration: timedelta) -> None:
        """Step the wall time alone, as an administrator or NTP does; nobody wakes."""
        self._now += duration

    def _move(self, seconds: float) -> None:
        self._elapsed_s += seconds
        self._now += timedelta(seconds=seconds)

    def ticks(
        self, period: timedelta, offset: timedelta = timedelta(0), *, catch_up: CatchUp = "one"
    ) -> AsyncIterator[datetime]:
        """Yield the multiples of a period, as the host's clock does."""
        return self.slots(Periodic(period, offset), catch_up=catch_up)

    def slots(self, schedule: Schedule, *, catch_up: CatchUp = "one") -> AsyncIterator[datetime]:
        """Yield a schedule's slots, as the host's clock does."""
        return fire_times(schedule, self, after=self._high_water, catch_up=catch_up)
