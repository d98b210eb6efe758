"""The gate of emission: bounded in events and bytes, first come first served, never stuck."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hostd.runtime.triggers.emit_gate import EmitGate


class Emitters:
    """Emissions that hold what they hold until told to go."""

    def __init__(self, gate: EmitGate) -> None:
        self.gate = gate
        self.inside: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.done: list[asyncio.Event] = []

    async def come(self, events: int, size_bytes: int = 0, *, fails: bool = False) -> None:
        """Begin one."""
        number = len(self.tasks)
        self.done.append(asyncio.Event())
        self.tasks.append(asyncio.create_task(self._emit(number, events, size_bytes, fails)))
        await turn()

    async def _emit(self, number: int, events: int, size_bytes: int, fails: bool) -> None:
        async with self.gate.let_in() as passage:
            if fails:
                raise ValueError("an event that is none")
            passage.holds(events, size_bytes)
            self.inside.append(number)
            await self.done[number].wait()


async def turn() -> None:
    """Let everything happen that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_full_gate_lets_in_in_order_as_room_comes() -> None:
    """The one that passes the bound is let in, those behind it wait, the first first."""
    all_ = Emitters(EmitGate(events_max=10, bytes_max=100))
    for events in (6, 6, 1, 1):
        await all_.come(events)
    assert all_.inside == [0, 1]
    all_.done[0].set()
    await turn()
    assert all_.inside == [0, 1, 2, 3]


async def test_bytes_are_bounded_too() -> None:
    """Few large events fill it as many small ones do."""
    all_ = Emitters(EmitGate(events_max=10, bytes_max=100))
    for _ in range(3):
        await all_.come(1, 60)
    assert all_.inside == [0, 1]


@pytest.mark.parametrize("how", ["cancelled while it waits", "cancelled as it is let in", "fails"])
async def test_one_that_goes_away_does_not_hold_up_the_next(how: str) -> None:
    """Its turn passes on."""
    all_ = Emitters(EmitGate(events_max=1))
    await all_.come(1)
    await all_.come(1, fails=how == "fails")
    await all_.come(1)
    if how == "cancelled while it waits":
        all_.tasks[1].cancel()
    all_.done[0].set()
    if how == "cancelled as it is let in":
        while not all_.tasks[0].done():
            await asyncio.sleep(0)
        all_.tasks[1].cancel()
    await turn()
    assert all_.inside[-1] == 2


@settings(suppress_health_check=[HealthCheck.too_slow])
@example([("come", 0), ("come", 1), ("come", 6), ("come", 1), ("come", 6), ("go", 1)])  # two went in at once
@given(st.lists(st.tuples(st.sampled_from(["come", "go", "cancel", "fail"]), st.integers(0, 30)), max_size=40))
def test_whatever_happens_it_ends_empty(moves: list[tuple[str, int]]) -> None:
    """However they come and go, nobody waits beside room, the bound is passed by one at most, and nothing is left."""
    asyncio.run(play(moves))


async def play(moves: list[tuple[str, int]]) -> None:
    """Make the moves, then let all go."""
    gate = EmitGate(events_max=10)
    all_ = Emitters(gate)
    for move, which in moves:
        if move in ("come", "fail"):
            await all_.come(which % 7 + 1, fails=move == "fail")
        elif all_.tasks and move == "go":
            all_.done[which % len(all_.done)].set()
        elif all_.tasks:
            all_.tasks[which % len(all_.tasks)].cancel()
        await turn()
        assert gate.events <= 9 + 7
        assert gate.events >= 10 or not gate._waiting
    for done in all_.done:
        done.set()
    await asyncio.gather(*all_.tasks, return_exceptions=True)
    assert (gate.events, gate.size_bytes, len(gate._waiting)) == (0, 0, 0)
