"""Heartbeats: what an attempt last reported is there for the next one, whatever happened in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from doomed import live_till_all_have_ended, read
from lab import Lab

from hostd.errors.base import HostdError
from hostd.model.records import AttemptFailed, AttemptSucceeded
from hostd.model.states import RunState
from hostd.runtime.ring.intake import Started

RETRIED = """workflow: w
steps:
  a:
    uses: mock.progress
    with: {parts: 5, fail_after: 3}
    retry: {max_attempts: 2, initial_interval: 1ms}
"""
LONG = "workflow: w\nsteps:\n  a: {uses: mock.progress, with: {parts: 1000, every: 10ms}}\n"
KILLED = """workflow: w
steps:
  a: {uses: mock.progress, with: {parts: 60, every: 10ms}}
  b: {uses: mock.exit, with: {times: 1, after: 300ms}}
"""


def outputs(records: list[Any]) -> list[Any]:
    """Return what attempts returned."""
    return [json.loads(record.output) for record in records if isinstance(record, AttemptSucceeded)]


def attempt_of(lab: Lab) -> Any:
    """Return the one attempt that runs."""
    [attempt] = lab.core.effects.running()
    return attempt


async def test_a_retry_goes_on_where_the_attempt_before_it_stopped(lab: Lab) -> None:
    """Nothing has to be written for that: the run is in memory."""
    row, records = await lab.run(RETRIED)
    assert row.state == RunState.SUCCEEDED
    assert len([record for record in records if isinstance(record, AttemptFailed)]) == 1
    assert outputs(records) == [{"parts": 5, "resumed_at": 3}]


async def test_many_heartbeats_make_one_row_and_few_writes(lab: Lab) -> None:
    """The first is written at once, the next ones wait for their time; the row is gone when the run has ended."""
    started = await lab.start(await lab.register(LONG))
    await lab.until(lambda: lab.core.journal.progress(started.key))
    [context] = [attempt_of(lab).context]
    turns = lab.core.loop.turns
    for number in range(1_000):
        context.heartbeat({"number": number})
    assert context.progress == {"number": 999}
    await lab.core.loop.quiet()
    assert lab.core.loop.turns - turns <= 2
    assert set(lab.core.journal.progress(started.key)) == {0}
    assert b"number" not in lab.core.journal.progress(started.key)[0]

    lab.core.progress.write()
    await lab.core.loop.quiet()
    assert b"number" in lab.core.journal.progress(started.key)[0]

    from hostd.model.messages import Terminate

    await lab.ask(started, Terminate(""))
    await lab.ended(started)
    assert lab.core.journal.progress(started.key) == {}


async def test_a_stop_in_good_order_loses_nothing(lab: Lab) -> None:
    """What was reported a moment before is there for the attempt that the next daemon issues."""
    started = await lab.start(
        await lab.register("workflow: w\nsteps:\n  a: {uses: mock.sleep, with: {duration: 1h}}\n")
    )
    await lab.running()
    for number in range(3):
        attempt_of(lab).context.heartbeat(number)
        attempt_of(lab).context.heartbeat()
    await lab.restart()
    await lab.running()
    assert (attempt_of(lab).number, attempt_of(lab).context.progress) == (2, 2)
    assert lab.row(started).state == RunState.RUNNING


def test_a_killed_daemon_leaves_the_last_row(tmp_path: Path) -> None:
    """`kill -9` and the like: the next attempt begins past what was written."""
    codes = live_till_all_have_ended(tmp_path / "data", KILLED)
    [(row, records)] = read(tmp_path / "data")
    assert codes == [137, 0]
    assert row.state == RunState.SUCCEEDED
    [resumed] = [output["resumed_at"] for output in outputs(records) if "resumed_at" in output]
    assert resumed >= 1


async def test_a_secret_never_gets_into_progress(lab: Lab) -> None:
    """What an attempt reports is searched for the values it used; too much of it is refused."""
    started: Started = await lab.start(await lab.register(LONG))
    await lab.running()
    attempt = attempt_of(lab)
    attempt.hidden = ("s3cr3t-value",)
    attempt.context.heartbeat({"at": "s3cr3t-value"})
    lab.core.progress.write()
    await lab.core.loop.quiet()
    assert b"s3cr3t" not in lab.core.journal.progress(started.key)[0]
    with pytest.raises(HostdError, match="PAYLOAD_TOO_LARGE"):
        attempt.context.heartbeat("x" * 300_000)
