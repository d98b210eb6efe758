"""Timers fire once, on time, however the wall moves; far ones are the journal's until they come near."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from clocks import HandClock

from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.timers import Timers


class Bench:
    """Timers over a table of due times, fired by hand: what the loop would call when its delay is over is `wake`."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.timers = Timers(self.clock)
        self.table: dict[int, int] = {}
        self.fired: list[int] = []
        self.looked = 0

    def at(self, seconds: float) -> int:
        """Return a due time from now."""
        return self.clock.wall_ms() + round(seconds * 1000)

    def due_runs(self, *, before_ms: int, limit: int) -> list[tuple[int, int]]:
        """The journal's answer."""
        self.looked += 1
        return sorted((due, run) for run, due in self.table.items() if due <= before_ms)[:limit]

    def fire(self, run: int) -> None:
        """What is due."""
        self.table.pop(run, None)
        self.fired.append(run)

    async def start(self) -> None:
        """Start the timers."""
        await self.timers.start(Readers(0), self.due_runs, self.fire)
        await asyncio.sleep(0)

    def wake(self) -> None:
        """Do what the loop does when the delay is over."""
        self.timers._wake()


@pytest.fixture
async def bench() -> Iterator[Bench]:  # type: ignore[misc]
    """Return a bench; its timers are stopped at the end."""
    made = Bench()
    yield made
    made.timers.stop()


async def test_timers_fire_in_order_and_once(bench: Bench) -> None:
    """Moved and cleared ones fire at their last word only."""
    await bench.start()
    for run, seconds in ((1, 30), (2, 10), (3, 20)):
        bench.timers.arm(run, bench.at(seconds))
    bench.timers.arm(3, bench.at(25))
    bench.timers.arm(2, 0)
    await bench.clock.turn(24)
    bench.wake()
    assert bench.fired == []
    await bench.clock.turn(10)
    bench.wake()
    bench.wake()

    assert bench.fired == [3, 1]
    assert len(bench.timers) == 0


async def test_far_timers_come_from_the_journal_when_they_are_near(bench: Bench) -> None:
    """A timer an hour away takes no memory until ten minutes before, and none is missed."""
    bench.table = {1: bench.at(3_600), 2: bench.at(60)}
    await bench.start()
    bench.timers.arm(1, bench.at(3_600))
    assert len(bench.timers) == 1

    for _ in range(125):
        await bench.clock.turn(30)
        bench.wake()

    assert bench.fired == [2, 1]


async def test_a_wall_set_forward_fires_what_is_due_by_it(bench: Bench) -> None:
    """An hour forward: timers in the journal that were out of sight fire within the half minute of the next look."""
    bench.table = {1: bench.at(3_000)}
    await bench.start()
    bench.clock.step(3_600)
    bench.wake()
    assert bench.fired == []

    await bench.clock.turn(30)
    bench.wake()

    assert bench.fired == [1]


async def test_a_wall_set_back_fires_nothing_early(bench: Bench) -> None:
    """An hour back: the timer waits for its own time."""
    await bench.start()
    bench.timers.arm(1, bench.at(10))
    bench.clock.step(-3_600)
    await bench.clock.turn(20)
    bench.wake()
    assert bench.fired == []

    await bench.clock.turn(3_600)
    bench.wake()

    assert bench.fired == [1]


async def test_many_at_once_are_fired_in_portions(bench: Bench) -> None:
    """Past the bound of what waits, the rest is fired after a rest."""
    waiting = 0

    def fire(run: int) -> int:
        nonlocal waiting
        waiting += 1
        return waiting

    await bench.timers.start(Readers(0), bench.due_runs, fire)
    for run in range(12_000):
        bench.timers.arm(run, bench.at(1))
    await bench.clock.turn(2)
    bench.wake()
    assert waiting == 5_000
    waiting = 0
    await asyncio.sleep(0.05)

    assert waiting >= 5_000


async def test_moving_one_timer_often_does_not_fill_the_heap(bench: Bench) -> None:
    """A run whose due time moves a hundred thousand times holds a bounded heap."""
    await bench.start()
    for number in range(100_000):
        bench.timers.arm(1, bench.at(100 + number % 7))

    assert len(bench.timers._heap) < 3_000
