"""What moves stays in memory; what only waits leaves, and nothing leaves that is not durable yet."""

from __future__ import annotations

from typing import Any

import pytest
from clocks import HandClock
from plans import chain

from hostd.engine.state import Active, Run
from hostd.model.states import StepState
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.residence import IDLE_S, Residence
from hostd.runtime.ring.turn import Resident


@pytest.fixture
def clock() -> HandClock:
    """A clock to turn."""
    return HandClock()


@pytest.fixture
def residence(clock: HandClock) -> Residence:
    """Room for three."""
    nobody: Any = None
    return Residence(journal=nobody, readers=Readers(0), plans=nobody, clock=clock, runs_max=3)


def resident(key: int, state: StepState = StepState.WAITING) -> Resident:
    """Return a run with one step in that state."""
    run = Run(chain(1))
    run.active[0] = Active(0)
    run.states[0] = state
    return Resident(key, "default", run, stored_state=0, due_at_ms=0)


async def test_idle_runs_leave_and_running_ones_stay(residence: Residence, clock: HandClock) -> None:
    """After a minute without a message; READY, WAITING and RETRYING steps keep nothing in memory."""
    for key, state in enumerate((StepState.WAITING, StepState.RETRYING, StepState.READY, StepState.RUNNING), start=1):
        residence.add(resident(key, state))
    residence.runs_max = 10
    await clock.turn(IDLE_S - 1)
    assert residence.sweep() == 0
    await clock.turn(1)

    assert residence.sweep() == 3
    assert [each.key for each in residence.all()] == [4]


async def test_above_the_bound_the_least_recently_used_leave(residence: Residence, clock: HandClock) -> None:
    """As many as are too many, oldest message first; pinned and undurable ones are passed over."""
    for key in range(1, 7):
        residence.add(resident(key))
        await clock.turn(1)
    residence.pin(1)
    residence.pin(1)
    residence.unpin(1)
    residence.flushing = {2: None}

    assert residence.sweep() == 3
    assert [each.key for each in residence.all()] == [1, 2, 6]
    residence.unpin(1)
    residence.add(resident(7))
    residence.sweep()
    assert residence.get(1) is None


def test_messages_are_parked_in_order_and_load_once(residence: Residence) -> None:
    """The first message of an absent run starts the loading, the others wait behind it."""
    entries: list[Any] = [(9, None, "", None, None), (9, None, "x", None, None)]
    assert residence.park(9, entries[0]) is True
    assert residence.park(9, entries[1]) is False
    assert residence.parked == 1
    assert residence.unpark(9) == entries
    assert residence.unpark(9) == []
