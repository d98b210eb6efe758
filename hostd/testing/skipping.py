"""Turning a host's clock: to what is due next, when nothing runs that takes real time.

    settle -> something runs that takes real time? -> wait for it, time stands still
           -> nothing runs: turn the clock to what is due next, and again

What runs is an attempt of an action that does not wait for the clock itself: a script, a request, a thread. Were time
to stand still for ever, no timeout of such an attempt would ever come: past the patience it goes on as the machine's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hostd.core import Core
from hostd.testing.skipping_clock import SkippingClock

QUIET_ROUNDS, QUIET_ROUNDS_BLIND = 3, 50  # of the event loop, without anything to do; where it does not tell
ROUNDS_MAX = 100_000
REST_S = 0.05  # what runs is looked at again this often
EVER_MS = 1 << 62


class Nothing(Exception):
    """Nothing is due any more, or not before the limit: what is waited for does not come."""

    def __init__(self, due_ms: int | None) -> None:
        super().__init__(due_ms)
        self.due_ms = due_ms


class Skipper:
    """Turns one core's clock, for whoever waits; two that wait take turns."""

    def __init__(self, core: Core, clock: SkippingClock, *, patience_s: float) -> None:
        self._core = core
        self._clock = clock
        self._patience_s = patience_s
        self._turning = asyncio.Lock()
        self._busy_since_s: float | None = None

    async def until(self, done: Callable[[], bool], *, limit_ms: int, stands_s: float) -> None:
        """Let time pass until a condition holds.

        Args:
            limit_ms: no further than this, in wall milliseconds.
            stands_s: how long, in real seconds, to wait for somebody else when nothing is due any more.

        Raises:
            Nothing: it does not come.
        """
        stood_s = 0.0
        while not done():
            async with self._turning:
                await self.settle()
                if done():
                    return
                turned, due_ms = await self._step(limit_ms)
            if turned:
                stood_s = 0.0
            elif due_ms is not None or stood_s >= stands_s:
                raise Nothing(due_ms)
            else:
                await asyncio.sleep(min(REST_S, stands_s))
                stood_s += REST_S

    async def advance(self, to_ms: int) -> None:
        """Let time pass up to a moment, with all that is due on the way and by then."""
        turned = True
        while turned:
            async with self._turning:
                await self.settle()
                turned, _ = await self._step(to_ms)
        async with self._turning:
            await self._turn(to_ms)
            await self.settle()

    async def settle(self) -> None:
        """Return when the event loop has nothing to do: all that can happen now has."""
        ready: Any = getattr(asyncio.get_running_loop(), "_ready", None)
        needed = QUIET_ROUNDS if ready is not None else QUIET_ROUNDS_BLIND
        quiet = 0
        for _ in range(ROUNDS_MAX):
            await asyncio.sleep(0)
            quiet = 0 if ready or self._core.loop.lanes.any_waiting() else quiet + 1
            if quiet >= needed:
                await self._core.loop.quiet()
                return

    async def _step(self, limit_ms: int) -> tuple[bool, int | None]:
        """Turn the clock to what is due next, or wait a little for what runs; say whether, else what is due later."""
        due_ms = await self._next_ms()
        soonest_ms = min(due_ms if due_ms is not None else EVER_MS, limit_ms)
        if self._runs() and not self._over(soonest_ms):
            await self._rest()
            return True, due_ms
        if due_ms is None or due_ms > limit_ms:
            return False, due_ms
        await self._turn(due_ms)
        return True, due_ms

    async def _next_ms(self) -> int | None:
        now_ms = self._clock.wall_ms()
        durable = [due_ms for due_ms, _ in self._core.journal.due_runs(before_ms=EVER_MS)]
        if durable and durable[0] <= now_ms:
            await self._core.timers.look_again()
            await self.settle()
        durable_ms = next((due_ms for due_ms in durable if due_ms > now_ms), EVER_MS)
        others_ms = self._clock.next_ms()
        found_ms = min(durable_ms, others_ms if others_ms is not None else EVER_MS)
        return found_ms if found_ms < EVER_MS else None

    async def _turn(self, to_ms: int) -> None:
        self._busy_since_s = None
        self._clock.turn(to_ms)
        await self._core.timers.look_again()

    # -- what takes real time

    def _runs(self) -> list[asyncio.Task[Any]]:
        asleep = self._clock.asleep()
        running = [attempt.task for attempt in self._core.effects.running()]
        return [task for task in running if task is not None and task not in asleep]

    def _over(self, soonest_ms: int) -> bool:
        """Say whether what runs has had the time until something is due, and the patience."""
        now_s = asyncio.get_running_loop().time()
        if self._busy_since_s is None:
            self._busy_since_s = now_s
        gap_s = (soonest_ms - self._clock.wall_ms()) / 1000
        return now_s - self._busy_since_s >= max(gap_s, self._patience_s)

    async def _rest(self) -> None:
        await asyncio.wait(self._runs(), timeout=REST_S, return_when=asyncio.FIRST_COMPLETED)
        if not self._runs():
            self._busy_since_s = None
