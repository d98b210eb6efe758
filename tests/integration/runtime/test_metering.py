"""What a host does is counted where it happens, and scraped with everything else."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from clocks import HandClock
from lab import NAMESPACE, Lab

from hostd.engine.state import Run
from hostd.errors.base import HostdError
from hostd.model.records import RunEnded
from hostd.model.states import RunState
from hostd.runtime.ring.metering import LAG_EVERY_S, WORKFLOWS_MAX
from hostd.telemetry.meter import CHOSEN_MAX

WORK = """
workflow: work
steps:
  a: {uses: mock.noop}
  b: {uses: mock.sleep, needs: a, with: {duration: 2ms}}
  c: {uses: mock.fail, needs: b, with: {times: 1}, retry: {max_attempts: 2, initial_interval: 1ms}}
  d: {uses: lua.script, needs: c, with: {script: "return 1"}}
"""


async def scraped(lab: Lab) -> dict[str, float]:
    """Return every sample, by name with labels."""
    text = (await lab.core.meter.render()).decode()
    return {name: float(value) for name, value in re.findall(r"^(hostd_\S+) (\S+)$", text, re.MULTILINE)}


async def test_a_run_leaves_its_numbers(lab: Lab) -> None:
    """Turns, appends, attempts and scripts stand there after one run, each under its labels."""
    await lab.run(WORK)
    await lab.core.loop.quiet()

    seen = await scraped(lab)

    assert seen['hostd_attempts_ended_total{executor="inline",outcome="SUCCEEDED"}'] == 3
    assert seen['hostd_attempts_ended_total{executor="inline",outcome="FAILED"}'] == 1
    assert seen['hostd_attempts_ended_total{executor="lua",outcome="SUCCEEDED"}'] == 1
    assert seen['hostd_attempt_seconds_count{executor="inline"}'] == 1, "only one inline attempt waited"
    assert seen['hostd_action_attempts_ended_total{action="mock.fail",outcome="FAILED"}'] == 1
    assert seen['hostd_action_attempts_ended_total{action="mock.fail",outcome="SUCCEEDED"}'] == 1
    assert seen['hostd_workflow_runs_ended_total{outcome="SUCCEEDED",workflow="work"}'] == 1
    assert seen['hostd_step_seconds_count{executor="inline"}'] == seen['hostd_step_seconds_count{executor="lua"}'] == 1
    assert seen['hostd_step_seconds_sum{executor="inline"}'] >= 0.002
    assert seen["hostd_journal_append_bytes_total"] > 200
    assert seen["hostd_steps_in_line"] == seen["hostd_log_lines_dropped_total"] == 0
    assert seen['hostd_lua_scripts_total{outcome="SUCCEEDED"}'] == 1
    assert seen['hostd_lua_workers{state="idle"}'] >= 1
    appends = sum(value for name, value in seen.items() if name.startswith("hostd_journal_appends_total"))
    assert appends == seen["hostd_journal_append_seconds_count"] > 5
    assert seen["hostd_turn_messages_count"] == seen["hostd_turn_seconds_count"] >= appends
    assert seen["hostd_turn_messages_sum"] >= 6


async def test_refusals_are_counted_by_reason(lab: Lab) -> None:
    """A full door and a stopping daemon show what they turned away."""
    workflow = await lab.register(WORK)
    lab.core.loop.lanes.doors_max = 2
    with pytest.raises(HostdError, match="INTAKE_FULL"):
        await lab.try_start(workflow, count=3)
    lab.core.intake.draining = True
    with pytest.raises(HostdError, match="DRAINING"):
        await lab.try_start(workflow)

    seen = await scraped(lab)

    assert seen['hostd_intake_refused_total{reason="INTAKE_FULL"}'] == 3
    assert seen['hostd_intake_refused_total{reason="DRAINING"}'] == 1


async def test_the_size_of_the_journal_and_a_late_loop_are_seen(tmp_path: Path) -> None:
    """The size is that of file and log; an event loop that ran half a second late falls into that bucket."""
    clock = HandClock()
    lab = await Lab(tmp_path / "data", clock=clock).open()
    try:
        await lab.until(lambda: lab.core.upkeep.journal_bytes)
        await clock.turn(LAG_EVERY_S + 0.5)
        seen = await scraped(lab)
    finally:
        await lab.close()

    assert seen["hostd_journal_size_bytes"] > 4096
    assert seen['hostd_loop_lag_seconds_bucket{le="0.25"}'] == 0
    assert seen['hostd_loop_lag_seconds_bucket{le="1.0"}'] == 1


async def test_ten_thousand_workflows_leave_two_hundred_labels(lab: Lab) -> None:
    """Names of workflows are bounded where runs end, and so is what the counting remembers of them."""
    metering = lab.core.metering
    plan = (await lab.core.workflows.resolve(NAMESPACE, await lab.register(WORK))).plan
    for number in range(10_000):
        named = msgspec.structs.replace(plan, workflow=f"w{number}")
        metering._run_ended(Run(named, run_id="r", state=RunState.SUCCEEDED.value), RunEnded(), 1)

    seen = await scraped(lab)

    counted = {name: value for name, value in seen.items() if name.startswith("hostd_workflow_runs_ended_total")}
    assert len(counted) == CHOSEN_MAX + 1
    assert sum(counted.values()) == 10_000
    assert len(metering._by_workflow) <= WORKFLOWS_MAX
