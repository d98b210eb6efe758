"""Steps whose plugin is not there yet: it changed while the daemon was down, and starts slowly, or crashes first."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, of_kind

from hostd.errors.base import HostdError
from hostd.host.coming import Coming
from hostd.host.found import PluginState
from hostd.host.process import hearing
from hostd.model.records import AttemptFailed, AttemptSucceeded
from hostd.model.states import RunState
from hostd.values.json_text import parse_json

SAY = '''
from hostd.plugin import Action, Options, Registry, hookimpl

class Say(Action[Options]):
    """Says its version."""

    id, since, stability, effects, executors = "%s", "0.1", "stable", "none", ("inline", "process")

    async def run(self, ctx, options):
        return "VERSION"

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Say)
'''
GATE = """
import pathlib, time

here = pathlib.Path({folder!r})
(here / "began").touch()
while not (here / "go").exists():
    time.sleep(0.01)
"""
CRASH = """
import os, pathlib

mark = pathlib.Path({folder!r}) / "crashed"
if not mark.exists():
    mark.touch()
    os._exit(3)
"""
TICK = '''
import asyncio
from hostd.plugin import Options, Registry, Trigger, hookimpl

class Tick(Trigger[Options]):
    """Never fires."""

    id, since, stability = "slow.tick", "0.1", "stable"

    async def run(self, ctx):
        await asyncio.Event().wait()

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.trigger(Tick)
'''
WORKFLOW = "workflow: w\nsteps:\n  a: {uses: %s}\n"


class Late:
    """A folder plugin that was used, and is another one when the next daemon opens."""

    def __init__(self, tmp_path: Path, lab: Lab, action: str) -> None:
        self.lab = lab
        self.action = action
        self.marks = tmp_path / "marks"
        self.marks.mkdir()
        self.source = tmp_path / "data" / "plugins" / "slow" / "__init__.py"
        self.source.parent.mkdir(parents=True)
        self.workflow = ""

    async def serve(self) -> None:
        """Let the first version serve, and register what uses it."""
        self.source.write_text(SAY % self.action)
        await self.lab.until(lambda: self.lab.core.host.registry.action(self.action))
        self.workflow = await self.lab.register(WORKFLOW % self.action)

    async def change(self, begin: str, end: str = "") -> None:
        """Open anew on another version of it."""
        await self.lab.close()
        text = begin.format(folder=str(self.marks)) + SAY.replace("VERSION", "second") % self.action + end
        self.source.write_text(text)
        self.lab.core = self.lab._build()
        await self.lab.core.open()

    @property
    def state(self) -> PluginState:
        """How the plugin is."""
        return self.lab.core.host.registry.plugin("slow").state


@pytest.fixture
async def late(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Late]:
    """A daemon that does not wait long for what plugins say; the plugin's id names its action, or not."""
    action = getattr(request, "param", "slow.say")
    monkeypatch.setattr(hearing, "FIRST_WORD_S", 0.05)
    lab = await Lab(tmp_path / "data").open()
    yield Late(tmp_path, lab, action)
    (tmp_path / "marks" / "go").touch()
    await lab.core.lua.close()
    await lab.close()


@pytest.mark.parametrize("late", ["slow.say", "other.say"], indirect=True)
async def test_a_step_waits_for_a_plugin_that_is_starting(late: Late) -> None:
    """What was READY when the daemon ended, and what is started meanwhile, begins when the plugin has come."""
    lab = late.lab
    await late.serve()
    lab.core.slots.hold()
    before = await lab.start(late.workflow)
    await lab.core.loop.quiet()
    await late.change(GATE)
    meanwhile = await lab.start(late.workflow)
    await lab.until(lambda: lab.core.slots.waiting() == 2)
    assert late.state is PluginState.STARTING

    (late.marks / "go").touch()
    await lab.ended(before, meanwhile)

    for started in (before, meanwhile):
        assert parse_json(of_kind(lab.records(started), AttemptSucceeded)[0].output) == "second"
    assert lab.core.slots.waiting() == 0


async def test_a_step_whose_plugin_cannot_serve_fails_and_says_why(late: Late) -> None:
    """As soon as that is known, and not before."""
    lab = late.lab
    await late.serve()
    await late.change(GATE, "\nimport there_is_no_such_module\n")
    started = await lab.start(late.workflow)
    await lab.until(lambda: lab.core.slots.waiting() == 1)

    (late.marks / "go").touch()
    row = await lab.ended(started)

    assert (row.state, row.reason) == (RunState.FAILED, "ACTION_UNKNOWN")
    message = of_kind(lab.records(started), AttemptFailed)[0].failure.message
    assert "plugin slow" in message
    assert "there_is_no_such_module" in message


async def test_a_step_waits_for_a_plugin_that_is_started_again_after_a_crash(late: Late) -> None:
    """The pause before the next start is waited for, too."""
    lab = late.lab
    await late.serve()
    await late.change(CRASH)
    started = await lab.start(late.workflow)

    assert (await lab.ended(started)).state == RunState.SUCCEEDED


async def test_a_document_for_a_plugin_that_is_starting_is_refused_with_that(late: Late) -> None:
    """What its options mean nobody knows yet; the same document is taken when the plugin serves."""
    lab = late.lab
    await late.serve()
    await late.change(GATE)
    document = (WORKFLOW % late.action).replace("workflow: w", "workflow: new")

    with pytest.raises(HostdError) as refused:
        await lab.register(document)
    [violation] = refused.value.violations
    assert violation.reason == "ACTION_UNKNOWN"
    assert "plugin slow, which may provide it, is starting" in violation.message

    (late.marks / "go").touch()
    await lab.until(lambda: late.state is PluginState.LOADED)
    assert await lab.register(document) == "new"


async def test_a_daemon_serves_beside_a_plugin_that_hangs(late: Late, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it at the start but who needs it, however long it may take to say its first word."""
    lab = late.lab
    await lab.close()
    (late.source.parent / "__init__.py").write_text(GATE.format(folder=str(late.marks)) + SAY % "other.act")
    monkeypatch.setattr(hearing, "FIRST_WORD_S", 3_600.0)
    lab.core = lab._build()
    await lab.core.open()

    assert late.state is PluginState.STARTING
    row, _ = await lab.run("workflow: quick\nsteps:\n  a: {uses: mock.noop}\n")
    assert row.state == RunState.SUCCEEDED

    registering = asyncio.create_task(lab.register(WORKFLOW % "other.act"))
    await lab.until(lambda: (late.marks / "began").exists())
    assert not registering.done()
    (late.marks / "go").touch()
    assert await registering == "w"


async def test_a_trigger_waits_for_its_plugin(late: Late) -> None:
    """It says for which, is no failure meanwhile, and runs once that has come."""
    lab = late.lab
    late.source.write_text(TICK)
    await lab.until(lambda: lab.core.host.registry.trigger("slow.tick"))
    await lab.register("workflow: w\ntriggers:\n  t: {uses: slow.tick}\nsteps:\n  a: {uses: mock.noop}\n")
    await late.change(GATE, TICK)
    await lab.core.triggers.start()
    live = lab.trigger("w", "t")
    assert (live.state, live.message) == ("STARTING", "plugin slow, which may provide it, is starting")
    assert lab.core.routes.incomplete()

    (late.marks / "go").touch()
    await lab.until(lambda: live.state == "ACTIVE")
    assert live.message == ""
    assert not lab.core.routes.incomplete()


async def test_a_trigger_whose_plugin_cannot_serve_fails_and_says_why(late: Late) -> None:
    """As soon as that is known."""
    lab = late.lab
    late.source.write_text(TICK)
    await lab.until(lambda: lab.core.host.registry.trigger("slow.tick"))
    await lab.register("workflow: w\ntriggers:\n  t: {uses: slow.tick}\nsteps:\n  a: {uses: mock.noop}\n")
    await late.change(GATE, "import there_is_no_such_module")
    await lab.core.triggers.start()
    live = lab.trigger("w", "t")
    (late.marks / "go").touch()
    await lab.until(lambda: live.state == "FAILED")
    assert "there_is_no_such_module" in live.message


CALLING = """
workflow: calling
permissions: [kv.get]
steps:
  a:
    uses: lua.script
    with: {script: 'return host.call("kv.get", {})'}
"""


async def test_a_script_waits_for_the_plugin_of_an_action_that_it_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a step does that uses the action; other scripts compute meanwhile."""
    monkeypatch.setattr(hearing, "FIRST_WORD_S", 0.05)
    lab = await Lab(tmp_path / "data", plugins={"deny": ["kv"]}, lua={"limits": {"slice": "2m"}}).open()
    late = Late(tmp_path, lab, "kv.get")
    await late.serve()
    workflow = await lab.register(CALLING)
    await late.change(GATE)
    waits = asyncio.Event()
    arrivals = lab.core.host.coming

    class Seen(Coming):
        """Says that somebody waits."""

        async def settled(self, components: Any) -> None:
            waits.set()
            await arrivals.settled(components)

    lab.core.scripts._arrivals = Seen(lambda: lab.core.host.registry)
    started = await lab.start(workflow)
    await waits.wait()
    row, _ = await lab.run('workflow: other\nsteps:\n  a: {uses: lua.script, with: {script: "return 7"}}\n')
    assert row.state == RunState.SUCCEEDED
    assert lab.row(started).state == RunState.RUNNING

    (late.marks / "go").touch()
    await lab.ended(started)
    assert parse_json(of_kind(lab.records(started), AttemptSucceeded)[0].output) == "second"
    await lab.core.lua.close()
    await lab.close()


async def test_a_step_of_an_action_that_nobody_brings_does_not_wait(late: Late) -> None:
    """A folder that was taken away is no plugin that starts; the step waits for none that is not there."""
    lab = late.lab
    await late.serve()
    await lab.close()
    shutil.rmtree(late.source.parent)
    lab.core = lab._build()
    await lab.core.open()

    started = await lab.start(late.workflow)

    assert (await lab.ended(started)).reason == "ACTION_UNKNOWN"
    assert "`hostd plugin list`" in of_kind(lab.records(started), AttemptFailed)[0].failure.message
