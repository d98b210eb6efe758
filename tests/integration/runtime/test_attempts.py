"""Attempts end as they should: timeouts, cancels, retries, threads, and outputs that nobody can record."""

from __future__ import annotations

import asyncio
import gc
import json
from pathlib import Path

import pytest
from clocks import HandClock
from lab import Lab, of_kind

from hostd.host.action_context import AttemptContext
from hostd.model.ids import text_id
from hostd.model.messages import Cancel, Pause, Resume, Terminate
from hostd.model.payload import BlobRef
from hostd.model.records import AttemptFailed, AttemptStarted, AttemptSucceeded, StepEnded
from hostd.model.requests import RunRef
from hostd.model.states import RunState


async def test_an_attempt_that_takes_too_long_fails_and_is_tried_again(lab: Lab) -> None:
    """ATTEMPT_TIMEOUT is retryable; after the last attempt it is the run's reason."""
    row, records = await lab.run(
        "workflow: slow\nsteps:\n  a: {uses: mock.hang, timeout: 20ms, retry: {max_attempts: 2, initial_interval: 5ms}}"
    )

    assert (row.state, row.reason) == (RunState.FAILED, "ATTEMPT_TIMEOUT")
    assert len(of_kind(records, AttemptStarted)) == 2
    assert "0.02 s" in of_kind(records, AttemptFailed)[0].failure.message


async def test_an_attempt_that_ended_is_freed_without_the_garbage_collector(lab: Lab) -> None:
    """It and its context refer to one another no more: a collector that looks at each costs a tenth of a step."""
    gc.collect()
    gc.disable()
    before = contexts()
    try:
        for action in ("mock.noop", "mock.sleep, with: {duration: 1ms}"):
            await lab.run(f"workflow: w\nsteps:\n  a: {{uses: {action}}}")
        await asyncio.sleep(0)
        assert contexts() <= before
    finally:
        gc.enable()


def contexts() -> set[int]:
    """Return which contexts of attempts there are; a thread that never returns keeps one."""
    return {id(each) for each in gc.get_objects() if type(each) is AttemptContext}


async def test_a_cancel_reaches_a_running_action_at_once(lab: Lab) -> None:
    """The action is told, its step is CANCELED, and so is the run."""
    started = await lab.start(await lab.register("workflow: w\nsteps:\n  a: {uses: mock.hang}"))
    await lab.running()

    assert await lab.ask(started, Cancel("enough"))
    row = await lab.ended(started)

    assert row.state == RunState.CANCELED
    [failed] = of_kind(lab.records(started), AttemptFailed)
    assert failed.canceled and failed.failure.reason == "CANCELED"


async def test_an_action_that_ignores_a_cancel_is_given_up_after_the_grace(lab: Lab) -> None:
    """The run ends once the grace time is over; the deaf task goes on unheard."""
    lab.core.effects._cancel_grace_s = 0.02
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.hang, with: {ignore_cancel: true}}")
    started = await lab.start(workflow)
    await lab.running()

    await lab.ask(started, Cancel(""))
    row = await lab.ended(started)

    assert row.state == RunState.CANCELED
    assert lab.core.effects.in_flight == 0
    assert await lab.run("workflow: next\nsteps:\n  a: {uses: mock.noop}")


async def test_terminate_waits_for_nobody(lab: Lab) -> None:
    """A terminated run is final with the commit; what ran is told, and its answer changes nothing."""
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.hang}")
    started = await lab.start(workflow)
    await lab.running()

    await lab.ask(started, Terminate("now"))

    assert lab.row(started).state == RunState.CANCELED
    count = len(lab.records(started))
    await lab.until(lambda: lab.core.effects.in_flight == 0)
    await lab.core.loop.quiet()
    assert len(lab.records(started)) == count


async def test_a_pause_lets_what_runs_end_and_starts_nothing(lab: Lab) -> None:
    """The running step ends, the next waits for the resume."""
    document = "workflow: w\nsteps:\n  a: {uses: mock.sleep, with: {duration: 30ms}}\n  b: {uses: mock.noop, needs: a}"
    started = await lab.start(await lab.register(document))
    await lab.running()
    await lab.ask(started, Pause(""))
    await lab.until(lambda: of_kind(lab.records(started), AttemptSucceeded))
    await lab.core.loop.quiet()
    assert lab.row(started).state == RunState.PAUSED
    assert len(of_kind(lab.records(started), AttemptStarted)) == 1

    await lab.ask(started, Resume())

    assert (await lab.ended(started)).state == RunState.SUCCEEDED


async def test_retry_after_replaces_the_wait(lab: Lab) -> None:
    """What the error says about when to come again holds, not the policy's hour."""
    row, records = await lab.run(
        "workflow: w\nsteps:\n  a:\n    uses: mock.fail\n    with: {times: 1, retry_after: 20ms}\n"
        "    retry: {max_attempts: 3, initial_interval: 1h}"
    )

    assert row.state == RunState.SUCCEEDED
    [failed] = of_kind(records, AttemptFailed)
    assert 0 < failed.retry_at_ms <= row.ended_at_ms < failed.retry_at_ms + 60_000


async def test_blocking_actions_run_in_threads(lab: Lab) -> None:
    """Plain functions run beside each other and beside the loop; no more at once than there are threads."""
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.thread, with: {duration: 20ms}}")
    results = await lab.try_start(workflow, count=80)
    most = 0
    ends = asyncio.ensure_future(lab.ended(*results))
    while not ends.done():
        most = max(most, lab.core.effects.in_flight)
        await asyncio.sleep(0.001)

    assert {lab.row(started).state for started in results} == {RunState.SUCCEEDED}
    assert 1 < most <= 32


async def test_a_thread_that_ignores_its_timeout_is_abandoned_and_counted(lab: Lab) -> None:
    """The step fails at its timeout; the thread's place stays taken until the call returns."""
    row, _ = await lab.run(
        "workflow: w\nsteps:\n  a: {uses: mock.thread, timeout: 20ms, with: {duration: 200ms, ignore_cancel: true}}"
    )

    assert row.reason == "ATTEMPT_TIMEOUT"
    assert lab.core.effects.stuck() == {"mock.thread": 1}
    await lab.until(lambda: not lab.core.effects.stuck())
    assert lab.core.slots.gates.of("mock.thread")[0].taken == 0


@pytest.mark.parametrize("size", [32 * 1024, 200_000])
async def test_large_values_are_blobs_that_expressions_look_into(lab: Lab, size: int) -> None:
    """An output and an input past 32 KiB lie beside the records, and a later expression reads them."""
    document = (
        "workflow: w\nsteps:\n"
        f"  a: {{uses: mock.big, with: {{size_bytes: {size}}}}}\n"
        "  b: {uses: mock.sleep, needs: a, with: {duration: 1ms}}\n"
        '  c: {uses: flow.pass, needs: [a, b], with: {output: "${{ size(steps.a.output) + size(input.text) }}"}}\n'
        "output: ${{ steps.c.output }}"
    )
    row, records = await lab.run(document, {"text": "y" * size})

    assert row.state == RunState.SUCCEEDED
    first = of_kind(records, AttemptSucceeded)[0]
    assert isinstance(first.output, BlobRef)
    assert len(lab.core.journal.blob("default", first.output.digest).data) == size + 2  # type: ignore[union-attr]
    assert json.loads(records[-1].output) == 2 * size  # type: ignore[union-attr]


async def test_a_decision_may_look_into_more_values_than_are_kept(lab: Lab) -> None:
    """One expression over 40 MiB of outputs: they are read one by one, and none is read for ever."""
    steps = "".join(f"  s{n}: {{uses: mock.big, with: {{size_bytes: 2000000}}}}\n" for n in range(20))
    names = ", ".join(f"s{n}" for n in range(20))
    total = " + ".join(f"size(steps.s{n}.output)" for n in range(20))
    last = f"  z: {{uses: flow.pass, needs: [{names}], with: {{output: '${{{{ {total} }}}}'}}}}\n"
    document = f"workflow: w\nsteps:\n{steps}{last}output: ${{{{ steps.z.output }}}}"

    row, records = await lab.run(document)

    assert row.state == RunState.SUCCEEDED
    assert records[-1].output == b"40000000"  # type: ignore[union-attr]
    assert lab.core.loop._loading._wanted.size_bytes == 0


async def test_an_output_past_16_mib_fails_the_step(lab: Lab) -> None:
    """OUTPUT_TOO_LARGE, and nothing of it is kept."""
    row, _ = await lab.run("workflow: w\nsteps:\n  a: {uses: mock.big, with: {size_bytes: 17000000}}")

    assert (row.state, row.reason) == (RunState.FAILED, "OUTPUT_TOO_LARGE")


@pytest.mark.parametrize("what", ["object", "nan", "infinity", "huge_int", "cycle", "surrogate", "number_key", "deep"])
async def test_what_is_no_json_value_fails_the_step(lab: Lab, what: str) -> None:
    """Whatever an action returns, the attempt has an answer."""
    row, records = await lab.run(f"workflow: w\nsteps:\n  a: {{uses: mock.return, with: {{what: {what}}}}}")

    if row.state == RunState.FAILED:
        [failed] = of_kind(records, AttemptFailed)
        assert failed.failure.reason in ("NUMBER_OUT_OF_RANGE", "PAYLOAD_INVALID")
    else:
        assert what == "number_key"


@pytest.mark.parametrize("error", ["runtime", "key", "os", "recursion", "exit", "cancelled", "unreadable"])
async def test_whatever_an_action_raises_costs_its_step_only(lab: Lab, error: str) -> None:
    """ACTION_RAISED; the daemon goes on."""
    row, _ = await lab.run(f"workflow: w\nsteps:\n  a: {{uses: mock.raise, with: {{error: {error}}}}}")

    assert (row.state, row.reason) == (RunState.FAILED, "ACTION_RAISED")
    assert (await lab.run("workflow: next\nsteps:\n  a: {uses: mock.noop}"))[0].state == RunState.SUCCEEDED


async def test_an_action_whose_plugin_has_gone_is_unknown(lab: Lab) -> None:
    """A run of a workflow whose plugin is denied now fails with ACTION_UNKNOWN and holds nobody else up."""
    workflow = await lab.register(
        "workflow: w\nsteps:\n  a: {uses: mock.noop}\n  b: {uses: flow.pass, needs: a, if: always()}"
    )
    await lab.restart(plugins={"deny": ["mock"]})

    started = await lab.start(workflow)
    row = await lab.ended(started)

    assert (row.state, row.reason) == (RunState.FAILED, "ACTION_UNKNOWN")
    assert of_kind(lab.records(started), StepEnded)


async def test_a_scripts_failure_has_a_reason_of_its_own(lab: Lab) -> None:
    """A breach and an error are told apart; a retry can name them."""
    for script, reason, details in (
        ("while true do end", "SCRIPT_LIMIT", {"limit": "cpu"}),
        ("error{code='NO_STOCK', message='none', retryable=false}", "SCRIPT_ERROR", {}),
    ):
        row, records = await lab.run(
            f'workflow: s\nsteps:\n  a: {{uses: lua.script, with: {{limits: {{cpu_ms: 20}}, script: "{script}"}}}}'
        )

        [failed] = of_kind(records, AttemptFailed)
        assert (row.reason, failed.failure.reason) == (reason, reason)
        assert json.loads(failed.failure.details or b"{}") == details


async def test_lines_of_one_moment_stand_in_the_plans_order(tmp_path: Path) -> None:
    """Steps that log in one millisecond are told apart by who needs whom, not by their names."""
    say = "uses: log.write, with: {message: hello}}"
    lab = await Lab(tmp_path / "data", clock=HandClock()).open()
    try:
        row, _ = await lab.run(f"workflow: w\nsteps:\n  c: {{{say}\n  a: {{needs: c, {say}\n  b: {{needs: a, {say}\n")
        await asyncio.to_thread(lab.core.log_writer.flush)
        logs = await lab.core.front.runs.logs("default", RunRef(text_id(row.run_id)), step="", attempt=0)
    finally:
        await lab.close()

    assert [log.step for log in logs] == ["c", "a", "b"]
    assert len({log.lines[0].partition(" ")[0] for log in logs}) == 1
