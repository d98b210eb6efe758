"""Clocks that tests turn."""

from __future__ import annotations

import asyncio


class HandClock:
    """A Clock that stands still until it is turned; `step` moves the wall alone."""

    def __init__(self, wall_ms: int = 1_700_000_000_000) -> None:
        self._wall_ms = wall_ms
        self._elapsed_s = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def wall_ms(self) -> int:
        """Return the wall time."""
        return self._wall_ms

    def monotonic_s(self) -> float:
        """Return the time that was turned."""
        return self._elapsed_s

    def step(self, seconds: float) -> None:
        """Set the wall, as an administrator or NTP does."""
        self._wall_ms += round(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was turned so far."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed_s + seconds, future))
        await future

    async def turn(self, seconds: float) -> None:
        """Let time pass; whoever is due wakes and goes on."""
        self._elapsed_s += seconds
        self.step(seconds)
        for due in [entry for entry in self._sleepers if entry[0] <= self._elapsed_s]:
            self._sleepers.remove(due)
            if not due[1].done():
                due[1].set_result(None)
        for _ in range(10):
            await asyncio.sleep(0)
