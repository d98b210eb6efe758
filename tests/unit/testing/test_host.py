"""The time-skipping host: what waits for the clock takes no time, what takes time is waited for."""

from __future__ import annotations

import asyncio
import itertools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hostd.embedding import ActionError, HostdError, RunFailed, action
from hostd.testing import Fails, TestHost

THREE_DAYS = """
workflow: patient
steps:
  first: {uses: flow.wait, with: {duration: 1d}}
  second: {needs: first, uses: flow.wait, with: {duration: 36h}}
  third: {needs: second, uses: flow.wait, with: {duration: 12h}}
output: ${{ now() }}
"""


@action("real.work")
async def work(ctx: Any, seconds: float) -> str:
    """Take real time, by asyncio's clock and not by the host's."""
    await asyncio.sleep(seconds)
    return "done"


@action("real.never")
async def never(ctx: Any) -> None:
    """Wait for what never comes, without the host's clock."""
    await asyncio.get_running_loop().create_future()


@action("real.thread")
def in_thread(ctx: Any) -> int:
    """Work in a thread."""
    return sum(range(200_000))


@action("virtual.sleep")
async def sleep(ctx: Any, seconds: float) -> str:
    """Wait by the host's clock."""
    await ctx.clock.sleep(seconds)
    return ctx.clock.now().isoformat()


async def test_three_days_of_waiting_pass_at_once_and_documents_see_them() -> None:
    """Durable waits jump; `now()` and the run's times are those of the host's clock."""
    async with TestHost(start="2026-03-28T12:00:00Z") as host:
        await host.register(THREE_DAYS)
        run = await host.start("patient")
        assert await run.result() == "2026-03-31T12:00:00Z"
        ended = await run.info()
        assert ended.created_at == datetime(2026, 3, 28, 12, tzinfo=UTC)
        assert ended.ended_at is not None and ended.ended_at - ended.created_at == timedelta(days=3)
        assert host.now == ended.ended_at


async def test_time_stands_still_until_somebody_lets_it_pass() -> None:
    """`advance` goes exactly so far: a wait of a day is open a millisecond before, and over with it."""
    async with TestHost() as host:
        await host.register({"workflow": "day", "steps": {"it": {"uses": "flow.wait", "with": {"duration": "1d"}}}})
        run = await host.start("day")
        await host.advance(timedelta(days=1) - timedelta(milliseconds=1))
        assert (await run.info()).state == "WAITING"
        await host.advance("1ms")
        assert (await run.info()).state == "SUCCEEDED"


async def test_a_year_of_a_daily_schedule() -> None:
    """Each slot starts one run at its moment; a change of clocks in its time zone included."""
    document = """
    workflow: daily
    triggers:
      clock:
        uses: cron.schedule
        with: {cron: "30 6 * * *", timezone: Europe/Berlin}
        input: {slot: "${{ event.data.slot }}"}
    steps: {it: {uses: mock.noop}}
    """
    async with TestHost(start="2026-01-01T00:00:00Z") as host:
        await host.register(document)
        await host.advance("365d")
        runs = await host.list_runs('workflow == "daily"', limit=1000)
        assert len(runs) == 365
        assert all(run.state == "SUCCEEDED" for run in runs)
        starts = [run.created_at for run in reversed(runs) if run.created_at is not None]
        assert starts[0] == datetime(2026, 1, 1, 5, 30, tzinfo=UTC)
        assert {(b - a) for a, b in itertools.pairwise(starts)} == {timedelta(hours=h) for h in (23, 24, 25)}


async def test_slots_of_a_paused_trigger_are_caught_up() -> None:
    """What a schedule missed for ten days comes when it is resumed, as `catch_up: all` says."""
    document = """
    workflow: daily
    triggers: {clock: {uses: cron.schedule, with: {cron: "0 6 * * *", catch_up: all}}}
    steps: {it: {uses: mock.noop}}
    """
    async with TestHost() as host:
        await host.register(document)
        await host.advance("2d")
        name = ("default", "daily", "clock")
        await host.core.triggers.pause(name, "a test")
        await host.advance("10d")
        assert await host.count_runs('workflow == "daily"') == 2
        await host.core.triggers.resume(name)
        await host.settle()
        assert await host.count_runs('workflow == "daily"') == 12


async def test_back_off_adds_up_exactly() -> None:
    """Five attempts with waits of 1, 2, 4 and 8 s end 15 s later, to the millisecond."""
    step = {
        "uses": "http.request",
        "with": {"url": "https://x.example"},
        "retry": {"max_attempts": 5, "initial_interval": "1s", "backoff_coefficient": 2, "jitter": 0},
    }
    async with TestHost() as host:
        host.mock("steps.fetch", fails=Fails("503", retryable=True))
        await host.register({"workflow": "again", "steps": {"fetch": step}})
        began = host.now
        with pytest.raises(RunFailed):
            await host.execute("again")
        assert host.now - began == timedelta(seconds=15)
        assert [(call.attempt, (call.at - began).total_seconds()) for call in host.calls()] == [
            (1, 0.0), (2, 1.0), (3, 3.0), (4, 7.0), (5, 15.0),
        ]  # fmt: skip


async def test_the_timeout_of_a_step_comes() -> None:
    """A fake that hangs runs into it at its time; so does what waits by the host's clock."""
    steps = {"slow": {"uses": "virtual.sleep", "with": {"seconds": 3600}, "timeout": "10m"}}
    async with TestHost(actions=[sleep]) as host:
        await host.register({"workflow": "late", "steps": steps})
        began = host.now
        with pytest.raises(RunFailed) as failed:
            await host.execute("late")
        assert failed.value.run.failures[0].reason == "ATTEMPT_TIMEOUT"
        assert host.now - began == timedelta(minutes=10)
        host.mock("virtual.sleep", hangs=True)
        with pytest.raises(RunFailed):
            await host.execute("late")
        assert host.now - began == timedelta(minutes=20)


async def test_the_timeout_of_what_takes_real_time_comes_too() -> None:
    """Past the patience time goes on beside what runs as it does elsewhere."""
    steps = {"stuck": {"uses": "real.never", "timeout": "20ms"}}
    async with TestHost(actions=[never], patience="10ms") as host:
        await host.register({"workflow": "stuck", "steps": steps})
        with pytest.raises(RunFailed) as failed:
            await host.execute("stuck")
        assert failed.value.run.failures[0].reason == "ATTEMPT_TIMEOUT"


async def test_what_takes_real_time_holds_the_clock() -> None:
    """A wait of a minute does not end while work beside it runs on asyncio's clock, in a thread, or in a script."""
    steps: dict[str, Any] = {
        "loop": {"uses": "real.work", "with": {"seconds": 0.05}},
        "thread": {"uses": "real.thread"},
        "script": {"uses": "lua.script", "with": {"script": "return 1 + 1"}},
        "pause": {"uses": "flow.wait", "with": {"duration": "1m"}},
    }
    async with TestHost(actions=[work, in_thread], patience="10m") as host:
        await host.register({"workflow": "both", "steps": steps})
        run = await host.start("both")
        ended = await run.wait()
        assert ended.state == "SUCCEEDED"
        assert {name: step.ended_at == ended.created_at for name, step in ended.steps.items()} == {
            "loop": True, "thread": True, "script": True, "pause": False,
        }  # fmt: skip


async def test_the_same_again_gives_the_same_records() -> None:
    """With one seed two hosts write the same history, ids included; with another one only ids and jitter differ."""
    first, second, other = [await _records(seed) for seed in (1, 1, 2)]
    assert first == second
    assert [kind for kind, *_ in first] == [kind for kind, *_ in other]
    assert first != other


async def _records(seed: int) -> list[tuple[Any, ...]]:
    document = """
    workflow: mixed
    steps:
      fetch: {uses: http.request, with: {url: "https://x.example"}, retry: {max_attempts: 3}}
      pause: {needs: fetch, uses: flow.wait, with: {duration: 2h}}
      think: {needs: fetch, uses: lua.script, with: {script: "return math.random()"}}
    output: ${{ steps.think.output }}
    """
    async with TestHost(seed=seed) as host:
        host.mock("http.request", script=[Fails("503", retryable=True), {"status": 200}])
        await host.register(document)
        run = await host.start("mixed")
        await run.wait()
        return [(one.kind, one.at, one.step, one.data, run.id) for one in await host.history(run)]


async def test_a_run_that_waits_for_nothing_is_told() -> None:
    """A run that is paused waits for a person: the error names its open steps, and says that nothing will come."""
    async with TestHost() as host:
        await host.register(THREE_DAYS)
        run = await host.start("patient")
        await host.pause(run, "a test")
        with pytest.raises(HostdError, match=r"first \(flow.wait\) is \w+; nothing is due any more") as error:
            await run.result()
        assert error.value.reason == "WAIT_EXPIRED"
        await host.resume(run)
        assert (await run.wait()).state == "SUCCEEDED"


async def test_a_wait_goes_no_further_than_it_may() -> None:
    """A limit is on the host's clock, and the error says what is due next."""
    async with TestHost(skip_max="1d") as host:
        await host.register(THREE_DAYS)
        run = await host.start("patient")
        with pytest.raises(HostdError, match="past the limit"):
            await run.wait(timeout="1h")
        with pytest.raises(HostdError, match="past the limit"):
            await run.wait()
        await host.advance("3d")
        assert (await run.info()).state == "SUCCEEDED"


async def test_watching_skips_time_too() -> None:
    """A run's records come to the end, through three days."""
    async with TestHost() as host:
        await host.register(THREE_DAYS)
        run = await host.start("patient")
        assert [one.kind async for one in run.watch()][-1] == "RUN_ENDED"


async def test_until_lets_time_pass_until_something_holds() -> None:
    """The condition is looked at each time that something was due."""
    document = {
        "workflow": "tick",
        "triggers": {"clock": {"uses": "cron.every", "with": {"period": "1h"}}},
        "steps": {"it": {"uses": "http.request", "with": {"url": "https://x.example"}}},
    }
    async with TestHost() as host:
        host.mock("http.request", returns={})
        await host.register(document)
        await host.until(lambda: len(host.calls("http.request")) == 5)
        assert host.now == datetime(2026, 1, 1, 5, tzinfo=UTC)


async def test_triggers_can_be_kept_asleep_and_fired_by_hand() -> None:
    """With `triggers=False` no schedule fires, and `fire` starts a run with the trigger's input."""
    document = """
    workflow: hooked
    triggers: {tick: {uses: cron.every, with: {period: 1m}, input: {n: "${{ event.data.n }}"}}}
    steps: {it: {uses: mock.echo, with: {value: "${{ input.n }}"}}}
    output: ${{ steps.it.output }}
    """
    async with TestHost(triggers=False) as host:
        await host.register(document)
        await host.advance("1h")
        assert await host.count_runs() == 0
        fired = await host.fire("hooked", "tick", {"n": 7})
        assert await host.result(fired.run_ids[0]) == 7


async def test_secrets_and_a_time_of_ones_own() -> None:
    """Secrets are there for steps; a start without an offset, or that is no time, is refused."""
    step = {"uses": "shop.pay", "with": {"token": "${{ secrets.pay_token }}"}}
    async with TestHost(secrets={"pay_token": "s3cret-token"}) as host:
        host.mock("shop.pay", returns="paid")
        await host.register({"workflow": "pay", "steps": {"it": step}})
        await host.execute("pay")
        assert host.calls("shop.pay")[0].options == {"token": "s3cret-token"}
    for start in ("2026-01-01T00:00:00", "soon"):
        with pytest.raises(HostdError, match="start"):
            TestHost(start=start)


async def test_an_action_may_raise_in_its_own_words() -> None:
    """A fake's function raises ActionError as the action would."""

    async def decline(call: Any) -> None:
        raise ActionError("no money", code="DECLINED")

    async with TestHost() as host:
        host.mock("shop.pay", answers=decline)
        await host.register({"workflow": "pay", "steps": {"it": {"uses": "shop.pay"}}})
        with pytest.raises(RunFailed) as failed:
            await host.execute("pay")
        assert failed.value.run.failures[0].code == "DECLINED"


async def test_the_workflow_of_the_readme() -> None:
    """Its webhook starts it, its script runs, its two seconds are skipped."""
    page = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- file: greet.yaml -->\n```yaml\n(.*?)```", page, re.DOTALL)
    assert found is not None
    async with TestHost(only_mocked=True, triggers=False) as host:
        await host.register(found[1])
        fired = await host.fire("greet", "door", {"name": "grace"})
        began = host.now
        assert await host.result(fired.run_ids[0]) == {"text": "hello grace", "letters": 5}
        assert host.now - began == timedelta(seconds=2)


async def test_a_host_lives_in_memory_and_on_a_loop() -> None:
    """It takes no folder, has no blocking form, and closes twice."""
    for build in (lambda: TestHost.open("data"), TestHost.blocking):
        with pytest.raises(HostdError, match="a test host lives"):
            build()
    host = await TestHost.open()
    await host.close()
    await host.close()
    with pytest.raises(HostdError, match="not open"):
        await host.advance("1s")
