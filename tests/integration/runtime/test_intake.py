"""Starts: one answer per request, one open run per key, and a refusal where there is no room."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lab import Lab

from hostd.errors.base import HostdError
from hostd.model.messages import Cancel
from hostd.model.states import RunState
from hostd.runtime.ring.intake import Started

WAITING = "workflow: w\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}"


async def test_a_repeated_request_is_answered_with_the_first_answer(lab: Lab) -> None:
    """Within one batch, in another one, and after a restart."""
    workflow = await lab.register(WAITING)
    twice = await lab.try_start(workflow, count=3, request_id="r1", digest=b"d")
    assert [result.existing for result in twice] == [False, True, True]
    assert len({result.run_id for result in twice}) == 1

    again = await lab.start(workflow, request_id="r1", digest=b"d")
    await lab.restart()
    later = await lab.start(workflow, request_id="r1", digest=b"d")

    assert (again.run_id, later.run_id) == (twice[0].run_id,) * 2
    assert later.key == twice[0].key
    assert len(lab.runs()) == 1


async def test_a_request_id_used_for_another_start_is_refused(lab: Lab) -> None:
    """REQUEST_ID_CONFLICT, from memory and from the journal."""
    workflow = await lab.register(WAITING)
    await lab.start(workflow, request_id="r1", digest=b"one")
    for _ in range(2):
        with pytest.raises(HostdError, match="REQUEST_ID_CONFLICT"):
            await lab.start(workflow, request_id="r1", digest=b"two")
        await lab.restart()


async def test_one_open_run_a_key_when_many_race_in_one_turn(lab: Lab) -> None:
    """FAIL refuses all but one, naming it; USE_EXISTING answers with it."""
    workflow = await lab.register(WAITING)
    results = await lab.try_start(workflow, count=5, key="k", on_open="FAIL")
    winners = [result for result in results if isinstance(result, Started)]
    losers = [result for result in results if isinstance(result, HostdError)]
    assert len(winners) == 1
    assert {loser.reason for loser in losers} == {"RUN_OPEN"}
    assert losers[0].details["run_id"] == winners[0].run_id

    batches = await asyncio.gather(
        *(lab.try_start(workflow, count=3, key="k", on_open="USE_EXISTING") for _ in range(5))
    )

    assert {result.run_id for batch in batches for result in batch} == {winners[0].run_id}
    assert len(lab.runs()) == 1


async def test_the_last_of_many_that_terminate_the_existing_stays(lab: Lab) -> None:
    """TERMINATE_EXISTING in one turn and across turns: one run is open, every other is terminated."""
    workflow = await lab.register(WAITING)
    await lab.start(workflow, key="k")
    for _ in range(3):
        results = await asyncio.gather(
            *(lab.try_start(workflow, count=2, key="k", on_open="TERMINATE_EXISTING") for _ in range(3))
        )
        assert all(isinstance(result, Started) for batch in results for result in batch)
    await lab.core.loop.quiet()

    states = [row.state for row in lab.runs()]
    assert states.count(RunState.WAITING) == 1
    assert states.count(RunState.CANCELED) == 18


async def test_a_key_is_known_after_its_run_has_left_memory(lab: Lab) -> None:
    """A start that looked before the run began, and enters after it left memory, looks again."""
    workflow = await lab.register(WAITING)
    ready = await lab.core.workflows.plans.resolve("default", workflow)
    late = lab.core.starts.prepare(
        ready, namespace="default", input_json=b"", now_ms=1, key="k", on_open="USE_EXISTING"
    )
    seen = await lab.core.intake.look([late])
    first = await lab.start(workflow, key="k")
    lab.core.residence.remove(first.key)

    assert lab.core.intake.is_stale(late, seen)
    [result] = await lab.core.intake.start([late])
    assert result.run_id == first.run_id  # type: ignore[union-attr]


async def test_full_doors_refuse_and_inside_goes_on(make_lab: Any) -> None:
    """INTAKE_FULL for what is too much, an end for all that was accepted, and a cancel gets through."""
    lab = await make_lab(limits={"doors": 50})
    workflow = await lab.register(WAITING)
    asked = [asyncio.ensure_future(lab.try_start(workflow, count=10)) for _ in range(20)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, HostdError)]
    accepted = [result for answer in answers if isinstance(answer, list) for result in answer]

    assert refused and {answer.reason for answer in refused} == {"INTAKE_FULL"}
    assert len(lab.runs()) == len(accepted) > 0
    assert await lab.ask(accepted[0], Cancel(""))


async def test_whoever_goes_away_before_the_turn_has_asked_for_nothing(lab: Lab) -> None:
    """A cancelled request that still waits in the doors' lane is not heard."""
    heard: list[bool] = []
    future = lab.core.loop.write(lambda turn: heard.append(True))
    future.cancel()
    await lab.core.loop.quiet()

    assert heard == []
