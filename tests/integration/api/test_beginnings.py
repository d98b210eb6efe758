"""Who activates triggers is answered once they have begun, and told of those that have not: on a real host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from daemon_kit import ECHO, Kit, running

from hostd.runtime.triggers import beginnings, triggers
from hostd.v1 import plugin_service_pb2 as plugins
from hostd.v1 import trigger_service_pb2 as pb
from hostd.v1 import workflow_service_pb2 as workflows

PLUGIN = '''
"""Triggers that begin as they are told to."""
import asyncio
from pathlib import Path
from hostd.plugin import *

GATE = Path(__file__).parents[2] / "may-stop"

class How(Options):
    how: str = Field(description="What it does.")

class Begin(Trigger[How]):
    """Begins, or does not."""

    id, since, stability, tells_begun = "odd.begin", "0.1", "stable", True

    async def run(self, ctx):
        if self.options.how == "end":
            return
        if self.options.how == "slow to stop":
            ctx.begun()
            try:
                await ctx.stopped()
            finally:
                while not GATE.exists():
                    await asyncio.sleep(0.01)
        if self.options.how == "fail":
            raise PermanentFailure("told to fail")
        if self.options.how == "raise":
            raise RuntimeError("told to raise")
        if self.options.how == "twice":
            ctx.begun()
            ctx.begun()
        await ctx.stopped()

class Hook(Trigger[How]):
    """Answers a path; an older plugin, that says nothing of beginning."""

    id, since, stability = "odd.hook", "0.1", "stable"

    async def run(self, ctx):
        async def answer(request):
            return WebhookResponse(200)
        ctx.http.route(self.options.how, ["POST"], answer)
        await ctx.stopped()

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.trigger(Begin)
    registry.trigger(Hook)
'''
STEPS = "steps:\n  a: {uses: flow.pass}\n"


def hooked(name: str, path: str = "", *, version: str = "1.0.0", uses: str = "http.webhook") -> str:
    """Return a workflow with a webhook."""
    option = "path" if uses == "http.webhook" else "how"
    options = f"{{{option}: {path or name}}}"
    return f"workflow: {name}\nversion: {version}\ntriggers:\n  door: {{uses: {uses}, with: {options}}}\n{STEPS}"


def odd(how: str, *, version: str = "1.0.0") -> str:
    """Return a workflow whose trigger begins so."""
    return f"workflow: odd\nversion: {version}\ntriggers:\n  t: {{uses: odd.begin, with: {{how: {how}}}}}\n{STEPS}"


def listens(kit: Kit, path: str) -> bool:
    """Say whether a request to a path would be answered by a trigger."""
    return kit.core.routes.find(f"/hooks/default/{path}", "POST") is not None


async def state(kit: Kit, workflow: str, name: str) -> str:
    """Return the state of a trigger."""
    found = await kit.triggers.GetTrigger(pb.GetTriggerRequest(workflow=workflow, name=name))
    return pb.TriggerState.Name(found.state).removeprefix("TRIGGER_STATE_")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for as long as a slow machine may need; who shows the bound makes it short."""
    monkeypatch.setattr(beginnings, "BEGIN_S", 60.0)
    monkeypatch.setattr(triggers, "START_S", 60.0)


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with running(tmp_path / "d") as kit:
        yield kit


@pytest.fixture
async def odd_kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A host with the odd plugin in a process."""
    folder = tmp_path / "d" / "plugins" / "odd"
    folder.mkdir(parents=True)
    (tmp_path / "d").chmod(0o700)
    (folder / "__init__.py").write_text(PLUGIN)
    async with running(tmp_path / "d") as kit:
        yield kit


@pytest.mark.timeout(300)
@pytest.mark.parametrize("thread", [[], ["http"]])
async def test_a_webhook_listens_when_its_registration_is_answered(tmp_path: Path, thread: list[str]) -> None:
    """However many are registered at once, and in a plugin's own thread too; a restart has them before it is over."""
    names = [f"w{number:02}" for number in range(25)]
    async with running(tmp_path / "d", plugins={"thread": thread}) as kit:

        async def register(name: str) -> tuple[list[str], bool]:
            answer = await kit.register(hooked(name))
            return list(answer.warnings), listens(kit, name)

        assert await asyncio.gather(*map(register, names)) == [([], True)] * len(names)
        assert await state(kit, "w00", "door") == "ACTIVE"
    async with running(tmp_path / "d", plugins={"thread": thread}) as kit:
        assert all(listens(kit, name) for name in names)


async def test_activating_resuming_and_making_a_trigger_wait_as_well(kit: Kit) -> None:
    """The answer has a trigger that is ACTIVE, and its path is answered."""
    await kit.register(ECHO)
    await kit.register(hooked("w", "one"))
    await kit.register(hooked("w", "two", version="2.0.0"))
    assert (listens(kit, "one"), listens(kit, "two")) == (False, True)
    await kit.workflows.ActivateWorkflow(workflows.ActivateWorkflowRequest(workflow="w", version="1.0.0"))
    assert (listens(kit, "one"), listens(kit, "two")) == (True, False)
    await kit.triggers.PauseTrigger(pb.PauseTriggerRequest(workflow="w", name="door"))
    assert not listens(kit, "one")
    resumed = await kit.triggers.ResumeTrigger(pb.ResumeTriggerRequest(workflow="w", name="door"))
    assert (resumed.state, listens(kit, "one")) == (pb.TRIGGER_STATE_ACTIVE, True)
    own = "trigger: mine\ntarget: echo@active\nuses: http.webhook\nwith: {path: PATH}\n"
    made = await kit.triggers.CreateTrigger(pb.CreateTriggerRequest(document=own.replace("PATH", "own")))
    assert (made.trigger.state, listens(kit, "own")) == (pb.TRIGGER_STATE_ACTIVE, True)
    taken = pb.CreateTriggerRequest(document=own.replace("PATH", "one"), replace=True)
    assert "PATH_TAKEN" in (await kit.triggers.CreateTrigger(taken)).trigger.message


async def test_a_taken_path_is_told_in_the_answer(kit: Kit) -> None:
    """With who has it, each time it is registered, the repetition of a call too; and not any more once it is free."""
    await kit.register(hooked("first", "door"))
    second = await kit.register(hooked("second", "door"), request_id="r1")
    again = await kit.register(hooked("second", "door"))
    repeated = await kit.register(hooked("second", "door"), request_id="r1")
    assert list(second.warnings) == list(again.warnings) == list(repeated.warnings)
    (warning,) = second.warnings
    assert warning.startswith(
        "the trigger door does not run: PATH_TAKEN: POST /hooks/default/door is answered by first/"
    )
    assert warning.endswith("choose another path, or free this one: the trigger begins by itself then")
    assert list((await kit.register(hooked("second", "door", version="2.0.0"), activate=False)).warnings) == []
    moved = await kit.register(hooked("second", "other", version="3.0.0"))
    assert (list(moved.warnings), listens(kit, "other")) == ([], True)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("how", "states", "warning"),
    [
        ("twice", {"ACTIVE"}, ""),
        ("end", {"ENDED"}, ""),
        ("fail", {"FAILED"}, "the trigger t does not run: told to fail"),
        ("raise", {"BACKING_OFF", "STARTING"}, "told to raise"),
        ("never", {"STARTING"}, "the trigger t has not begun yet"),
    ],
)
async def test_a_plugins_trigger_begins_or_is_told_of(
    odd_kit: Kit, monkeypatch: pytest.MonkeyPatch, how: str, states: set[str], warning: str
) -> None:
    """In a process: one that never begins holds nobody up for longer than the bound, and runs all the same."""
    if how == "never":
        monkeypatch.setattr(beginnings, "BEGIN_S", 0.2)
    answer = await odd_kit.register(odd(how))
    assert await state(odd_kit, "odd", "t") in states
    assert warning in " ".join(answer.warnings) and bool(answer.warnings) is bool(warning)
    if how == "never":
        paused = await odd_kit.triggers.PauseTrigger(pb.PauseTriggerRequest(workflow="odd", name="t"))
        assert paused.state == pb.TRIGGER_STATE_PAUSED
        assert list((await odd_kit.register(odd(how))).warnings) == []  # somebody wants it so


@pytest.mark.timeout(400)
async def test_a_path_of_a_process_is_answered_when_its_trigger_is_active(
    odd_kit: Kit,
) -> None:
    """Without a word of the plugin; a taken one is told; and when its plugin is enabled again, enabling waits."""
    assert list((await odd_kit.register(hooked("w", uses="odd.hook"))).warnings) == []
    assert (listens(odd_kit, "w"), await state(odd_kit, "w", "door")) == (True, "ACTIVE")
    taken = await odd_kit.register(hooked("other", "w", uses="odd.hook"))
    assert "PATH_TAKEN" in taken.warnings[0]
    await odd_kit.workflows.ActivateWorkflow(workflows.ActivateWorkflowRequest(workflow="other", version=""))
    await odd_kit.plugins.DisablePlugin(plugins.DisablePluginRequest(id="odd"))
    await odd_kit.plugins.EnablePlugin(plugins.EnablePluginRequest(id="odd"))
    assert listens(odd_kit, "w")


@pytest.mark.timeout(400)
async def test_whoever_waits_is_answered_by_what_takes_its_place(odd_kit: Kit) -> None:
    """A version that never begins is replaced: both registrations are answered, without a warning; so are fifty."""
    waiting = asyncio.create_task(odd_kit.register(odd("never")))
    while not odd_kit.core.triggers.list("default", "odd"):
        await asyncio.sleep(0)
    later = await asyncio.gather(*(odd_kit.register(odd("twice", version=f"2.0.{n}")) for n in range(50)))
    answers: list[Any] = [await waiting, *later]
    assert [list(answer.warnings) for answer in answers] == [[]] * 51


async def test_the_wait_is_shorter_for_who_has_less_time(odd_kit: Kit) -> None:
    """Half of what is left of a call; the registration holds."""
    register: Any = odd_kit.core.front.workflows.register
    named = {"file": "", "activate": True, "principal": "p", "repeat": None}
    done = await register("default", odd("never").encode(), **named, within_s=0.1)
    assert (done.created, "has not begun yet" in done.warnings[0]) == (True, True)


@pytest.mark.timeout(400)
async def test_who_waits_behind_a_trigger_that_stops_slowly_is_told(
    odd_kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new triggers are not there yet when the time is over: that is said, and they come all the same."""
    await odd_kit.register(odd("slow to stop"))
    monkeypatch.setattr(beginnings, "BEGIN_S", 0.1)
    answer = await odd_kit.register(odd("twice", version="2.0.0"))
    assert "others take their time to stop" in answer.warnings[-1]
    monkeypatch.setattr(beginnings, "BEGIN_S", 60.0)
    (tmp_path / "d" / "may-stop").touch()
    assert list((await odd_kit.register(odd("twice", version="2.0.0"))).warnings) == []
    assert await state(odd_kit, "odd", "t") == "ACTIVE"


async def test_a_stop_ends_the_wait(odd_kit: Kit) -> None:
    """A host that stops lets nobody wait for triggers that will not begin any more."""
    waiting = asyncio.create_task(odd_kit.register(odd("never")))
    while not odd_kit.core.triggers.list("default", "odd"):
        await asyncio.sleep(0)
    await odd_kit.core.triggers.stop()
    assert (await waiting).created


@pytest.mark.timeout(400)
async def test_whatever_lets_triggers_begin_warns_of_those_that_do_not(odd_kit: Kit) -> None:
    """As registering does: activating, resuming, making one of its own, reloading and enabling their plugin."""
    (expected,) = (await odd_kit.register(odd("fail"))).warnings
    assert expected == "the trigger t does not run: told to fail"
    activate = workflows.ActivateWorkflowRequest(workflow="odd", version="1.0.0", request_id="r")
    for _ in range(2):  # the repetition too
        assert list((await odd_kit.workflows.ActivateWorkflow(activate)).warnings) == [expected]
    resumed = await odd_kit.triggers.ResumeTrigger(pb.ResumeTriggerRequest(workflow="odd", name="t"))
    assert list(resumed.warnings) == [expected]
    own = "trigger: mine\ntarget: odd@active\nuses: odd.begin\nwith: {how: fail}\n"
    made = await odd_kit.triggers.CreateTrigger(pb.CreateTriggerRequest(document=own))
    assert (list(made.warnings), list(made.trigger.warnings)) == (["the trigger mine does not run: told to fail"], [])
    both = ["the trigger mine does not run: told to fail", "the trigger odd/t does not run: told to fail"]
    reloaded = await odd_kit.plugins.ReloadPlugin(plugins.ReloadPluginRequest(id="odd"))
    assert list(reloaded.warnings) == both
    elsewhere = await odd_kit.plugins.ReloadPlugin(plugins.ReloadPluginRequest(id="odd", namespace="elsewhere"))
    assert list(elsewhere.warnings) == []
    await odd_kit.plugins.DisablePlugin(plugins.DisablePluginRequest(id="odd"))
    assert list((await odd_kit.plugins.EnablePlugin(plugins.EnablePluginRequest(id="odd"))).warnings) == both
    shown = await odd_kit.triggers.GetTrigger(pb.GetTriggerRequest(workflow="odd", name="t"))
    assert list(shown.warnings) == []
