"""Retention and a clock that is set: time that passes deletes, a jump does not, not at once."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from clocks import HandClock

from hostd.journal.memory import MemoryJournal
from hostd.journal.port import Retention
from hostd.runtime.ring.jumps import REST_S, Jumps
from hostd.runtime.ring.upkeep import Upkeep

DAY_S = 86_400.0


async def test_a_jump_ahead_is_waited_for_and_time_that_passes_is_not() -> None:
    """A day forward rests for a while, though it is set back at once; a day that passes, or an hour back, does not."""
    clock = HandClock()
    jumps = Jumps(clock)
    await clock.turn(DAY_S)
    assert jumps.settled()
    clock.step(-3600)
    assert jumps.settled()
    clock.step(DAY_S)
    assert not jumps.settled()
    clock.step(-DAY_S)
    assert not jumps.settled()
    await clock.turn(REST_S)
    assert jumps.settled()


class Looks(HandClock):
    """Each sleep takes its time at once; the wall is set between them, then the sleeper is cancelled."""

    def __init__(self, steps_s: list[float]) -> None:
        super().__init__()
        self._steps_s = steps_s

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and set the wall."""
        if not self._steps_s:
            raise asyncio.CancelledError
        await self.turn(seconds)
        self.step(self._steps_s.pop(0))


class Readers:
    """Reads at once."""

    async def call(self, read: Any, *arguments: Any) -> Any:
        """Read."""
        return read(*arguments)


async def test_retention_waits_while_the_clock_may_be_wrong() -> None:
    """Set a year forward and right again nothing is deleted by the wrong time; later it goes on by the right one."""
    clock = Looks([0, 365 * DAY_S, 0, -365 * DAY_S, *[0] * 10])
    begin_ms, asked_ms = clock.wall_ms(), list[int]()

    def retention() -> Retention:
        asked_ms.append(clock.wall_ms())
        return Retention()

    journal = MemoryJournal(randomness=random.Random(1))
    journal.open()
    rooms: Any = {"journal": journal, "readers": Readers(), "residence": None, "logs": None}
    with pytest.raises(asyncio.CancelledError):
        await Upkeep(**rooms, retention=retention, clock=clock)._prune()
    assert [round((at_ms - begin_ms) / 60_000) for at_ms in asked_ms] == [1, 12, 13, 14]
