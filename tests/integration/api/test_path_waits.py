"""A trigger that another keeps from its path begins by itself once that one lets it go: on a real host."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from daemon_kit import ECHO, Kit, running

from hostd.v1 import plugin_service_pb2 as plugins
from hostd.v1 import secret_service_pb2 as secrets
from hostd.v1 import trigger_service_pb2 as pb
from hostd.v1 import workflow_service_pb2 as workflows

PLUGIN = '''
"""Triggers that answer paths, and end as they are told to."""
import asyncio
from pathlib import Path
from hostd.plugin import *

HERE = Path(__file__).parents[2]

class How(Options):
    paths: list[str] = Field(description="What it answers.")

class Hook(Trigger[How]):
    """Answers paths until a file named like the first of them says what becomes of it."""

    id, since, stability = "odd.hook", "0.1", "stable"

    async def run(self, ctx):
        async def answer(request):
            return WebhookResponse(200)
        routes = [ctx.http.route(path, ["POST"], answer) for path in self.options.paths]
        word = HERE / self.options.paths[0]
        while not (how := word.read_text() if word.exists() else ""):
            await asyncio.sleep(0.01)
        word.unlink()
        if how == "close":
            for route in routes:
                route.close()
            await ctx.stopped()
        if how == "crash":
            raise RuntimeError("told to crash")
        raise EndOfTrigger("told to end")

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.trigger(Hook)
'''


def hooked(name: str, path: str, *, version: str = "1.0.0", more: str = "") -> str:
    """Return a workflow with a webhook."""
    trigger = f"door: {{uses: http.webhook, with: {{path: {path}{more}}}}}"
    return f"workflow: {name}\nversion: {version}\ntriggers:\n  {trigger}\nsteps:\n  a: {{uses: flow.pass}}\n"


def odd(name: str, *paths: str) -> str:
    """Return a workflow with a trigger of the odd plugin."""
    trigger = f"door: {{uses: odd.hook, with: {{paths: {json.dumps(paths)}}}}}"
    return f"workflow: {name}\ntriggers:\n  {trigger}\nsteps:\n  a: {{uses: flow.pass}}\n"


def holder(kit: Kit, path: str) -> str:
    """Return which trigger answers a path, empty for none."""
    found = kit.core.routes.find(f"/hooks/default/{path}", "POST")
    return found.owner if found is not None else ""


async def held_by(kit: Kit, path: str, owner: str) -> None:
    """Return when a trigger answers a path, and shows it."""
    while holder(kit, path) != owner or await state(kit, owner) != "ACTIVE":
        await asyncio.sleep(0.01)


async def state(kit: Kit, owner: str) -> str:
    """Return the state of a trigger."""
    workflow, _, name = owner.rpartition("/")
    found = await kit.triggers.GetTrigger(pb.GetTriggerRequest(workflow=workflow, name=name))
    return pb.TriggerState.Name(found.state).removeprefix("TRIGGER_STATE_")


async def activate(kit: Kit, workflow: str, version: str) -> None:
    """Activate a version, none where it is empty."""
    await kit.workflows.ActivateWorkflow(workflows.ActivateWorkflowRequest(workflow=workflow, version=version))


async def pause(kit: Kit, workflow: str) -> None:
    """Pause a workflow's webhook."""
    await kit.triggers.PauseTrigger(pb.PauseTriggerRequest(workflow=workflow, name="door"))


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


@pytest.mark.timeout(400)
async def test_a_path_goes_from_one_to_the_next_however_it_becomes_free(kit: Kit) -> None:
    """Paused, deactivated, deleted, replaced by what answers another: in the order they came, one of its own too."""
    for name in ("first", "second", "third", "fourth"):
        await kit.register(hooked(name, "door"))
    own = "trigger: mine\ntarget: first@active\nuses: http.webhook\nwith: {path: door}\n"
    await kit.triggers.CreateTrigger(pb.CreateTriggerRequest(document=own))
    assert (holder(kit, "door"), await state(kit, "second/door")) == ("first/door", "FAILED")

    await pause(kit, "first")
    await held_by(kit, "door", "second/door")
    await activate(kit, "second", "")
    await held_by(kit, "door", "third/door")
    await kit.register(hooked("third", "elsewhere", version="2.0.0"))
    await held_by(kit, "door", "fourth/door")
    await kit.workflows.DeleteWorkflow(workflows.DeleteWorkflowRequest(workflow="fourth"))
    await held_by(kit, "door", "mine")

    resumed = await kit.triggers.ResumeTrigger(pb.ResumeTriggerRequest(workflow="first", name="door"))
    assert "answered by mine" in resumed.message
    await kit.triggers.DeleteTrigger(pb.DeleteTriggerRequest(name="mine"))
    await held_by(kit, "door", "first/door")


@pytest.mark.timeout(400)
async def test_whoever_waits_no_more_takes_nothing(kit: Kit) -> None:
    """One that was paused, or answers another path, leaves it to the next; one that was resumed in vain is last."""
    for name in ("first", "second", "third", "fourth", "fifth"):
        await kit.register(hooked(name, "door"))
    await pause(kit, "second")
    await kit.register(hooked("third", "elsewhere", version="2.0.0"))
    await activate(kit, "fourth", "")
    resumed = await kit.triggers.ResumeTrigger(pb.ResumeTriggerRequest(workflow="fifth", name="door"))
    assert resumed.state == pb.TRIGGER_STATE_FAILED
    await pause(kit, "first")
    await held_by(kit, "door", "fifth/door")
    assert (await state(kit, "second/door"), holder(kit, "elsewhere")) == ("PAUSED", "third/door")


@pytest.mark.timeout(400)
async def test_a_path_stays_with_who_comes_back(kit: Kit) -> None:
    """A new version of the holder, and a secret that both read: nobody slips in between."""
    await kit.secrets.SetSecret(secrets.SetSecretRequest(name="key", value=b"one"))
    signed = ", signature: {type: github, secret: '${{ secrets.key }}'}"
    await kit.register(hooked("first", "door", more=signed))
    await kit.register(hooked("second", "door", more=signed))
    assert await state(kit, "second/door") == "FAILED"
    for number in range(2, 7):
        await kit.register(hooked("first", "door", version=f"{number}.0.0", more=signed))
        assert holder(kit, "door") == "first/door"
        await kit.secrets.SetSecret(secrets.SetSecretRequest(name="key", value=str(number).encode()))
        await held_by(kit, "door", "first/door")
    while await state(kit, "second/door") != "FAILED":
        await asyncio.sleep(0.01)
    await activate(kit, "first", "")
    await held_by(kit, "door", "second/door")


@pytest.mark.timeout(400)
async def test_a_trigger_of_a_process_keeps_its_path_through_a_crash(odd_kit: Kit, tmp_path: Path) -> None:
    """And through a reload, where all of its plugin begin anew. When it ends, or closes the path, the next begins."""
    await odd_kit.register(odd("first", "door"))
    await odd_kit.register(odd("second", "door", "side"))
    await odd_kit.plugins.ReloadPlugin(plugins.ReloadPluginRequest(id="odd"))
    await held_by(odd_kit, "door", "first/door")
    await odd_kit.register(hooked("third", "door"))
    (tmp_path / "d" / "door").write_text("crash")
    while holder(odd_kit, "door"):
        await asyncio.sleep(0)
    await held_by(odd_kit, "door", "first/door")
    assert await state(odd_kit, "second/door") == "FAILED"

    (tmp_path / "d" / "door").write_text("end")
    await held_by(odd_kit, "door", "second/door")
    assert holder(odd_kit, "side") == "second/door"
    (tmp_path / "d" / "door").write_text("close")
    await held_by(odd_kit, "door", "third/door")
    assert await state(odd_kit, "second/door") == "ACTIVE"


@pytest.mark.timeout(400)
async def test_two_paths_of_one_trigger_that_meet_are_a_mistake(odd_kit: Kit) -> None:
    """It fails for good: what keeps it from its path is itself."""
    await odd_kit.register(odd("alone", "items/one", "items/{id}"))
    assert await state(odd_kit, "alone/door") == "FAILED"
    live = odd_kit.core.triggers.get(("default", "alone", "door"))
    assert live.task is not None
    await live.task  # nothing waits


async def test_what_waited_before_a_restart_waits_behind_it(tmp_path: Path) -> None:
    """Who was activated first has the path again; the other begins when it is free."""
    async with running(tmp_path / "d") as kit:
        await kit.register(ECHO)
        await kit.register(hooked("zulu", "door"))
        await kit.register(hooked("alpha", "door"))
    async with running(tmp_path / "d") as kit:
        assert (holder(kit, "door"), await state(kit, "alpha/door")) == ("zulu/door", "FAILED")
        await pause(kit, "zulu")
        await held_by(kit, "door", "alpha/door")
