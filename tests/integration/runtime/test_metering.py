"""What a host does is counted where it happens, and scraped with everything else."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from clocks import HandClock
from lab import NAMESPACE, Lab

from hostd.engine.state import Run
from hostd.errors.base import HostdError
from hostd.journal.port import DeadLetter
from hostd.model.messages import Pause, Terminate
from hostd.model.records import RunEnded
from hostd.model.states import RunState
from hostd.plugin import Event
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


async def test_a_clock_that_is_set_is_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An hour forward and a day back are steps, told by how much; what NTP corrects in passing is none."""
    clock = HandClock()
    lab = await Lab(tmp_path / "data", clock=clock).open()
    try:
        for step_s in (0.1, 3600.0, -86_400.0, -0.4):
            clock.step(step_s)
            await clock.turn(LAG_EVERY_S)
        seen = await scraped(lab)
    finally:
        await lab.close()
    ways = [seen[f'hostd_clock_steps_total{{direction="{way}"}}'] for way in ("FORWARD", "BACK")]
    assert ways == [1, 1]
    told = [record.args[0] for record in caplog.records if str(record.msg).startswith("clock_stepped")]
    assert [round(by_s) for by_s in told] == [3600, -86_400]


async def test_what_alerts_wait_for_is_there_from_the_start(lab: Lab) -> None:
    """Prometheus sees a counter rise only where it stood before: the first failure would go unseen."""
    seen = await scraped(lab)
    for series in (
        'hostd_journal_failures_total{reason="JOURNAL_FULL"}',
        'hostd_intake_refused_total{reason="INTAKE_FULL"}',
        'hostd_events_total{outcome="DEAD_LETTERED"}',
        'hostd_loop_stalls_total{plugin="none"}',
        'hostd_loop_stalls_total{plugin="http"}',
        'hostd_runs_ended_total{outcome="FAILED"}',
        'hostd_clock_steps_total{direction="BACK"}',
    ):
        assert seen[series] == 0, series
    assert 'hostd_steps_ended_total{state="RUNNING"}' not in seen


async def test_ten_thousand_workflows_leave_two_hundred_labels(lab: Lab) -> None:
    """Names of workflows are bounded where runs end, and so is what the counting remembers of them."""
    metering = lab.core.metering
    plan = (await lab.core.workflows.plans.resolve(NAMESPACE, await lab.register(WORK))).plan
    for number in range(10_000):
        named = msgspec.structs.replace(plan, workflow=f"w{number}")
        metering._run_ended(Run(named, run_id="r", state=RunState.SUCCEEDED.value), RunEnded(), 1)

    seen = await scraped(lab)

    counted = {name: value for name, value in seen.items() if name.startswith("hostd_workflow_runs_ended_total")}
    assert len(counted) == CHOSEN_MAX + 1
    assert sum(counted.values()) == 10_000
    assert len(metering._by_workflow) <= WORKFLOWS_MAX


WAITS = """
workflow: waits
steps:
  a: {uses: flow.wait, with: {duration: 1h}}
"""


async def test_open_runs_are_counted_by_state(tmp_path: Path) -> None:
    """They are counted at the start and kept up with each turn: runs that begin, wait, pause, end; their timers too."""
    lab = await Lab(tmp_path / "data").open()
    try:
        workflow = await lab.register(WAITS)
        started = [await lab.start(workflow) for _ in range(3)]
        await lab.until(lambda: lab.core.census.states())
        await lab.restart()
        await lab.until(lambda: lab.core.census.states())
        assert await open_runs(lab) == {"WAITING": 3, "timers": 3}
        await lab.start(workflow)
        await lab.ask(started[0], Pause())
        await lab.ask(started[1], Terminate())
        assert await open_runs(lab) == {"WAITING": 2, "PAUSED": 1, "timers": 2}
        lab.core.census.recount()
        assert await open_runs(lab) == {"WAITING": 2, "PAUSED": 1, "timers": 2}
    finally:
        await lab.close()


async def open_runs(lab: Lab) -> dict[str, float]:
    """Return how many runs are in each state that there is one in, and how many have timers."""
    await lab.core.loop.quiet()
    seen = await scraped(lab)
    states = {name.split('"')[1]: value for name, value in seen.items() if name.startswith("hostd_runs{") and value}
    return states | {"timers": seen["hostd_timers"]}


async def test_a_count_takes_each_turn_once(tmp_path: Path) -> None:
    """A turn that becomes durable while runs are counted is not counted twice, nor left out."""
    lab = await Lab(tmp_path / "data").open()
    try:
        workflow, census = await lab.register(WAITS), lab.core.census
        await lab.until(lambda: census.states())
        for _ in range(20):
            counting = asyncio.ensure_future(census.count())
            await lab.try_start(workflow, count=5)
            await counting
        await lab.try_start(workflow, count=5)
        assert await open_runs(lab) == {"WAITING": 105, "timers": 105}
    finally:
        await lab.close()


async def test_what_stands_is_seen_without_a_scrape_reading_it(tmp_path: Path) -> None:
    """Dead letters, events that wait for a subscription, the disk; and who waits in line, for how long."""
    lab = await Lab(tmp_path / "data", limits={"inline": 1}).open()
    try:
        await lab.register(READS)
        await lab.core.triggers.start()
        await lab.until(lambda: set(lab.core.triggers.states()) == {"ACTIVE"})
        await lab.core.triggers.pause((NAMESPACE, "reads", "news"), "test")
        await lab.core.topics.publish(NAMESPACE, [("news.a", event(n)) for n in range(3)])
        letter = DeadLetter(NAMESPACE, "reads", "news", "e", b"{}", "X", "why")
        await lab.core.loop.write(lambda turn: turn.batch.dead_letters.append(letter))
        slow = await lab.register(SLOW)
        await lab.start(slow)
        await lab.running()
        await lab.try_start(slow, count=2)
        await lab.until(lambda: lab.core.slots.waiting() == 2)
        await asyncio.to_thread(lab.core._standing.look(lab.core.parts))
        seen = await scraped(lab)
    finally:
        await lab.close()
    assert seen['hostd_dead_letters{namespace="default"}'] == 1
    assert seen['hostd_subscription_behind_events{workflow="reads"}'] == 3
    assert seen["hostd_data_free_bytes"] > 0
    assert 0 <= seen["hostd_oldest_step_seconds"] < 3_600
    assert seen['hostd_permits_taken{executor="inline"}'] == seen['hostd_permits{executor="inline"}'] == 1


READS = """
workflow: reads
triggers:
  news: {uses: event.subscribe, with: {topics: [news.*]}}
steps:
  a: {uses: mock.noop}
"""
SLOW = """
workflow: slow
steps:
  a: {uses: mock.sleep, with: {duration: 1h}}
"""


def event(number: int) -> Event:
    """Return an event."""
    return Event(id=str(number), source="/test", type="t", time=datetime.now(UTC), data=None)
