"""Webhooks over a real socket into real runs: what is answered, once the run has ended, or before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hooks_kit import open_door
from lab import NAMESPACE, Lab

from hostd.errors.base import HostdError
from hostd.model.ids import stored_id
from hostd.model.messages import Cancel

WAITS = """
workflow: {name}
triggers:
  door:
    uses: http.webhook
    with: {{path: "{name}/{{id}}", respond: {{when: wait, timeout: {timeout}}}}}
    input: {{id: "${{{{ event.http.params.id }}}}", n: "${{{{ event.data.n }}}}"}}
steps:
  a: {step}
output: ${{{{ steps.a.output }}}}
"""


def waits(name: str, step: str, timeout: str = "20s") -> str:
    """Return a workflow whose webhook waits for its runs."""
    return WAITS.format(name=name, step=step, timeout=timeout)


@pytest.fixture(params=["memory", "sqlite"])
async def lab(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Lab]:
    """A core on each store."""
    opened = await Lab(None if request.param == "memory" else tmp_path / "data").open()
    yield opened
    await opened.close()


async def test_the_output_is_the_answer(lab: Lab) -> None:
    """A parameter of the path goes into the run, its output comes back, one past 32 KiB too; a repeat gets it again."""
    await lab.register(waits("echo", "{uses: mock.echo, with: {value: '${{ input }}'}}"))
    async with open_door(lab) as door:
        status, value, headers = await door.send("echo/a%20b", {"n": 1})
        assert (status, value) == (200, {"id": "a b", "n": 1})
        assert headers["hostd-run-id"]
        large = "x" * 200_000
        first = await door.send("echo/7", {"n": large}, {"webhook-id": "same"})
        again = await door.send("echo/7", {"n": "other"}, {"webhook-id": "same"})
        assert first[1] == again[1] == {"id": "7", "n": large}
        assert first[2]["hostd-run-id"] == again[2]["hostd-run-id"]
        assert len(lab.runs()) == 2
        assert (await door.send("echo/7", {"n": 1}, method="PUT"))[0] == 405


async def test_what_did_not_succeed_has_a_status(lab: Lab) -> None:
    """A failure is 500 with reason and code, a run that was canceled 409, input that fits no schema 422."""
    await lab.register(waits("fails", "{uses: mock.fail, with: {code: CARD, message: declined}}"))
    await lab.register(waits("sleeps", "{uses: mock.sleep, with: {duration: 1m}}"))
    strict = waits("strict", "{uses: mock.noop}") + "inputs: {type: object, properties: {n: {type: integer}}}\n"
    await lab.register(strict)
    async with open_door(lab) as door:
        status, value, _ = await door.send("fails/1", {"n": 1})
        assert (status, value["state"], value["code"]) == (500, "FAILED", "CARD")
        assert value["message"]
        waiting = asyncio.ensure_future(door.send("sleeps/1", {"n": 1}))
        await lab.running()
        [row] = [row for row in lab.runs() if row.workflow == "sleeps"]
        await lab.core.loop.ask(row.run, Cancel("enough", 1_000), "lab")
        status, value, _ = await waiting
        assert (status, value["state"]) == (409, "CANCELED")
        assert (await door.send("strict/1", {"n": "x"}))[0] == 422


async def test_a_wait_ends_before_the_run(lab: Lab) -> None:
    """With its time, and with the trigger: 202 with the run's id, and the run goes on."""
    await lab.register(waits("slow", "{uses: mock.sleep, with: {duration: 1m}}", "300ms"))
    await lab.register(waits("slower", "{uses: mock.sleep, with: {duration: 1m}}", "5m"))
    async with open_door(lab) as door:
        status, value, _ = await door.send("slow/1", {"n": 1})
        assert (status, value["state"]) == (202, "RUNNING")
        assert lab.core.journal.find_run(NAMESPACE, stored_id(value["run_id"])) is not None
        waiting = asyncio.ensure_future(door.send("slower/1", {"n": 1}))
        await lab.running(2)
        await lab.core.triggers.stop()
        status, value, _ = await waiting
        assert (status, value["outcome"]) == (202, "STARTED")
        assert {row.state for row in lab.runs()} == {2}


async def test_a_trigger_learns_of_its_own_workflow_only(lab: Lab) -> None:
    """A run of another workflow, or an id that is none, is RUN_MISSING; a daemon that stops says what it knows."""
    await lab.register("workflow: other\nsteps:\n  a: {uses: mock.sleep, with: {duration: 1m}}\n")
    ends = lab.core.trigger_life._ends
    started = await lab.start("other")
    for workflow, run_id in (("mine", started.run_id), ("other", "0" * 26), ("other", "nonsense")):
        with pytest.raises(HostdError, match="RUN_MISSING"):
            await ends(NAMESPACE, workflow, run_id, timeout_s=1)
    assert (await ends(NAMESPACE, "other", started.run_id, timeout_s=0)).ended is False
    waiting = asyncio.ensure_future(ends(NAMESPACE, "other", started.run_id, timeout_s=60))
    await asyncio.sleep(0)
    while not lab.core.hub._ends:
        await asyncio.sleep(0.001)
    lab.core.hub.close()
    assert (await waiting).state == "RUNNING"


PLUGIN = '''
from datetime import timedelta
from hostd.plugin import *

class Door(Options):
    path: str = Field(description="Where.", examples=["a/{id}"])

class Listen(Trigger[Door]):
    """Answers with what became of the run."""

    id, since, stability = "outside.listen", "0.1", "stable"

    async def run(self, ctx):
        async def answer(request):
            [emitted] = await ctx.emit(ctx.event({"id": request.params["id"]}))
            result = await ctx.result(emitted.run_ids[0], timeout=timedelta(seconds=20))
            why = result.failure.code if result.failure else None
            try:
                await ctx.result("nonsense", timeout=timedelta(0))
            except HostdError as error:
                return WebhookResponse.json(200, [result.state, result.output, why, error.reason])

        ctx.http.route(self.options.path, ["POST"], answer)
        await ctx.stopped()

@hookimpl
def hostd_register(registry):
    registry.trigger(Listen)
'''


async def test_a_plugin_in_a_process_of_its_own_learns_the_same(tmp_path: Path) -> None:
    """Parameters of the path reach it, and what became of the run, with its output or its failure."""
    folder = tmp_path / "data" / "plugins" / "outside"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(PLUGIN)
    lab = await Lab(tmp_path / "data").open()
    try:
        await lab.until(lambda: lab.core.host.registry.trigger("outside.listen"))
        for name, step in (("well", "{uses: mock.echo, with: {value: '${{ input }}'}}"), ("ill", "{uses: mock.fail}")):
            await lab.register(
                f"workflow: {name}\ntriggers:\n  t:\n    uses: outside.listen\n    with: {{path: '{name}/{{id}}'}}\n"
                f"    input: ${{{{ event.data.id }}}}\nsteps:\n  a: {step}\noutput: ${{{{ steps.a.output }}}}\n"
            )
        async with open_door(lab) as door:
            assert (await door.send("well/a%2Fb"))[1] == ["SUCCEEDED", "a/b", None, "RUN_MISSING"]
            state, output, why, _ = (await door.send("ill/1"))[1]
            assert (state, output) == ("FAILED", None)
            assert why is not None
    finally:
        await lab.core.lua.close()
        await lab.close()


def test_the_longest_wait() -> None:
    """Ten minutes, whatever a trigger asks for."""
    from hostd.plugin.results import RESULT_WAIT_MAX

    assert timedelta(minutes=10) == RESULT_WAIT_MAX
