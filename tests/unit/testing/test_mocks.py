"""Fakes of actions: which one answers, what it answers, and what is remembered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hostd.embedding import HostdError, RunFailed, action
from hostd.testing import Call, Fails, Hangs, Returns, TestHost

TWO = """
workflow: two
steps:
  fetch:
    uses: http.request
    with: {url: "https://x.example/a"}
    retry: {max_attempts: 3, initial_interval: 1s, jitter: 0}
  post:
    needs: fetch
    uses: http.request
    with: {url: "https://x.example/b", method: POST, json: "${{ steps.fetch.output }}"}
handlers:
  failure: {uses: http.request, with: {url: "https://x.example/alarm", json: {why: "${{ failure.code }}"}}}
output: ${{ steps.post.output }}
"""


async def test_a_fake_of_a_step_comes_before_one_of_its_action() -> None:
    """`steps.fetch` and `handlers.failure` are asked before `http.request`, one for a workflow before one for all."""
    async with TestHost() as host:
        everywhere = host.mock("http.request", returns="any")
        fetch = host.mock("steps.fetch", returns={"n": 1})
        await host.register(TWO)
        assert await host.execute("two") == "any"
        host.mock("http.request", workflow="two", returns="here")
        assert await host.execute("two") == "here"
        assert [call.step for call in everywhere.calls] == ["post"]
        assert len(fetch.calls) == 2
        assert host.calls("steps.post")[0].options["json"] == {"n": 1}
        host.mock("steps.post", fails="TEAPOT")
        alarm = host.mock("handlers.failure", returns=None)
        with pytest.raises(RunFailed):
            await host.execute("two")
        assert alarm.calls[0].options["json"] == {"why": "TEAPOT"}


async def test_a_script_answers_call_by_call() -> None:
    """Failures that are retried, a delay on the host's clock, and then the last answer again and again."""
    script = [
        Fails("503", retryable=True),
        Fails("429", retryable=True, retry_after="1m"),
        Returns({"ok": True}, after="2s"),
    ]
    async with TestHost() as host:
        host.mock("steps.fetch", script=script)
        host.mock("steps.post", returns="sent")
        await host.register(TWO)
        began = host.now
        assert await host.execute("two") == "sent"
        assert host.now - began == timedelta(seconds=1 + 60 + 2)
        assert await host.execute("two") == "sent"
        assert host.now - began == timedelta(seconds=1 + 60 + 2 + 2)
        assert [call.attempt for call in host.calls("steps.fetch")] == [1, 2, 3, 1]


async def test_a_function_answers_by_the_options() -> None:
    """It sees the call: action, step, attempt, options as they were rendered."""

    def answer(call: Call) -> Any:
        return Hangs() if call.options["url"].endswith("/b") and call.attempt > 1 else {"to": call.options["url"]}

    async with TestHost() as host:
        host.mock("http.request", answers=answer)
        await host.register(TWO)
        assert await host.execute("two") == {"to": "https://x.example/b"}


async def test_options_are_checked_as_the_action_does() -> None:
    """A step that the real action would refuse is refused though a fake answers; the fake is not asked."""
    document = {
        "workflow": "bad",
        "inputs": {"type": "object"},
        "steps": {"it": {"uses": "http.request", "with": {"url": "${{ input.url }}", "method": "${{ input.method }}"}}},
    }
    async with TestHost() as host:
        fake = host.mock("http.request", returns={})
        await host.register(document)
        with pytest.raises(RunFailed) as failed:
            await host.execute("bad", {"url": "https://x.example", "method": "GRAB"})
        assert failed.value.run.failures[0].reason == "OPTION_INVALID"
        assert fake.calls == []


async def test_what_reaches_outside_can_be_forbidden() -> None:
    """With `only_mocked` a request fails with NOT_MOCKED, in a script too; scripts, logs and values go on as ever."""
    document = """
    workflow: outside
    permissions: [http.request]
    steps:
      inside: {uses: log.write, with: {message: hello}}
      direct: {uses: http.request, with: {url: "https://x.example"}}
      script:
        uses: lua.script
        with: {script: "local ok, e = pcall(http.request, {url = 'https://x.example'}); return tostring(ok)"}
    """
    async with TestHost(only_mocked=True) as host:
        await host.register(document)
        run = await host.start("outside")
        ended = await run.wait()
        error = ended.steps["direct"].error
        assert error is not None and error.code == "NOT_MOCKED" and "http.request reaches outside" in error.message
        assert ended.steps["script"].output == "false"
        assert ended.steps["inside"].state == "SUCCEEDED"
        host.mock("http.request", returns={"status": 200, "headers": {}, "body": "hi"})
        assert (await (await host.start("outside")).wait()).steps["script"].output == "true"


async def test_actions_of_ones_own_say_whether_they_reach_outside() -> None:
    """With effects `none` they run, others only where they are allowed by name."""

    @action("pure.add", effects="none")
    async def add(ctx: Any, a: int) -> int:
        """Add one."""
        return a + 1

    @action("shop.charge")
    async def charge(ctx: Any) -> str:
        """Charge."""
        return "real"

    document = {"workflow": "own", "steps": {"a": {"uses": "pure.add", "with": {"a": 1}}, "b": {"uses": "shop.charge"}}}
    async with TestHost(actions=[add, charge], only_mocked=True) as host:
        await host.register(document)
        ended = await (await host.start("own")).wait()
        assert (ended.steps["a"].output, ended.steps["b"].state) == (2, "FAILED")
    async with TestHost(actions=[add, charge], only_mocked=True, allow=["shop.charge"]) as host:
        await host.register(document)
        assert (await (await host.start("own")).wait()).steps["b"].output == "real"


async def test_a_plugin_folder_runs_inside(tmp_path: Path) -> None:
    """Its actions use the host's clock; one that is no folder, or not in Python, is refused with what to do."""
    (tmp_path / "my_shop").mkdir()
    (tmp_path / "my_shop" / "__init__.py").write_text(PLUGIN)
    async with TestHost(plugins=[tmp_path / "my_shop"]) as host:
        await host.register({"workflow": "w", "steps": {"it": {"uses": "shop.wait"}}})
        began = host.now
        await host.execute("w")
        assert host.now - began == timedelta(hours=5)
    with pytest.raises(HostdError, match="no plugin's folder"):
        TestHost(plugins=[tmp_path / "none"])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "hostd-plugin.yaml").write_text(
        "manifest: 1\nid: other\nversion: 1.0.0\nruntime: exec\ncommand: [node, plugin.js]\n"
    )
    with pytest.raises(HostdError, match="mock its actions"):
        TestHost(plugins=[tmp_path / "other"])


PLUGIN = '''
from hostd.plugin import Action, Options, hookimpl


class Nothing(Options):
    """None."""


class Wait(Action[Nothing]):
    """Waits."""

    id, since, stability, effects = "shop.wait", "1.0", "stable", "none"

    async def run(self, ctx, options):
        """Wait five hours."""
        await ctx.clock.sleep(5 * 3600)


@hookimpl
def hostd_register(registry):
    """Register."""
    registry.action(Wait)
'''


async def test_a_fake_says_one_thing() -> None:
    """None or two answers, and times that are none, are refused with what to write."""
    async with TestHost() as host:
        for given in ({}, {"returns": 1, "hangs": True}, {"returns": 1, "after": "soon"}, {"script": []}):
            with pytest.raises(HostdError) as refused:
                host.mock("http.request", **given)  # type: ignore[arg-type]
            assert refused.value.reason == "ARGUMENT_INVALID"


async def test_an_action_that_nothing_provides_is_made_up_by_a_fake_of_its_step() -> None:
    """Of an action or of each step that uses it; one step without a fake, and the document is refused as ever."""
    document = """
    workflow: ship
    steps: {book: {uses: parcel.book, with: {id: 7}}, tell: {needs: book, uses: parcel.tell}}
    output: ${{ steps.book.output }}
    """
    async with TestHost() as host:
        host.mock("steps.book", returns="booked")
        with pytest.raises(HostdError, match=r"parcel.book \(and 1 more\)"):
            await host.register(document)
        host.mock("steps.tell", returns=None)
        await host.register(document)
        assert await host.execute("ship") == "booked"
        assert host.calls("parcel.book")[0].options == {"id": 7}
