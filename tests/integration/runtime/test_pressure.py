"""Full doors, slow effects, no free slots: the ring does not lock, and its queues are bounded."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from lab import Lab

from hostd.errors.base import HostdError
from hostd.model.messages import Cancel
from hostd.model.states import RunState, run_is_final

DOORS = 100
SLOW = """workflow: slow
steps:
  a: {uses: mock.sleep, with: {duration: 3ms}}
  b: {uses: mock.thread, needs: a, with: {duration: 1ms}}
  c: {uses: mock.fail, needs: b, with: {times: 1}, retry: {max_attempts: 2, initial_interval: 2ms}}
  d: {uses: mock.sleep, needs: c, with: {duration: 2ms}}"""


async def test_the_ring_does_not_lock_under_full_pressure(make_lab: Any) -> None:
    """Starts until INTAKE_FULL, slots exhausted: everything accepted ends, and cancels get through meanwhile."""
    lab: Lab = await make_lab(limits={"doors": DOORS, "inline": 3, "threads": 2})
    workflow = await lab.register(SLOW)
    hang = await lab.register("workflow: hang\nsteps:\n  a: {uses: mock.hang}")
    hanging = await lab.start(hang)
    await lab.running()
    accepted: list[Any] = []
    refused: list[str] = []
    longest = 0

    async def client(seed: int) -> None:
        nonlocal longest
        dice = random.Random(seed)
        for _ in range(5):
            try:
                accepted.extend(await lab.try_start(workflow, count=dice.choice((1, 10, 30))))
            except HostdError as error:
                refused.append(error.reason)
                await asyncio.sleep(0)
            longest = max(longest, lab.core.loop.lanes.doors_size)

    async with asyncio.TaskGroup() as group:
        for seed in range(20):
            group.create_task(client(seed))
        await asyncio.sleep(0.01)
        assert await lab.ask(hanging, Cancel(""))
    assert set(refused) == {"INTAKE_FULL"} and longest <= DOORS
    canceled = accepted[-20:]
    answers = await asyncio.gather(*(lab.ask(each, Cancel("")) for each in canceled), return_exceptions=True)
    assert all(answer in (True, False) or isinstance(answer, HostdError) for answer in answers)

    await lab.ended(hanging, *accepted)

    by_key = lab.states()
    states = [by_key[each.key] for each in accepted]
    assert all(run_is_final(state) for state in states)
    assert set(states) <= {RunState.SUCCEEDED, RunState.CANCELED}
    assert states.count(RunState.SUCCEEDED) >= len(accepted) - len(canceled)
    assert lab.row(hanging).state == RunState.CANCELED
    await lab.core.loop.quiet()
    slots = lab.core.slots
    assert slots.waiting() == 0 and lab.core.effects.in_flight == 0
    assert all(gate.taken == gate.told == 0 for gates in slots.gates._known.values() for gate in gates)
    assert not lab.core.loop.lanes.any_waiting() and lab.core.residence.parked == 0
