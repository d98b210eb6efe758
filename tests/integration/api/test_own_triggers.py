"""Triggers of their own through the socket: made, replaced, followed, deleted, there after a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from daemon_kit import ECHO, Kit, refused, running

from hostd.v1 import trigger_service_pb2 as pb
from hostd.v1 import workflow_service_pb2 as workflows
from hostd.v1.payload_pb2 import Payload

OWN = (
    "trigger: hourly\ntarget: echo@active\nuses: cron.schedule\nwith: {cron: '0 * * * *'}\n"
    "input: {n: '${{ event.data }}'}\n"
)
WITH_SCHEMA = (
    "workflow: strict\nversion: {version}\ninputs: {{type: object, properties: {{n: {{type: integer}}}}}}\n"
    "steps:\n  a: {{uses: flow.pass}}\n"
)


async def create(kit: Kit, document: str = OWN, **fields: Any) -> pb.CreateTriggerResponse:
    """Make a trigger of its own."""
    return await kit.triggers.CreateTrigger(pb.CreateTriggerRequest(document=document, file="t.yaml", **fields))


def fire(name: str = "hourly", data: bytes = b"1", event_id: str = "") -> pb.FireTriggerRequest:
    """Return a request that fires a trigger of its own."""
    return pb.FireTriggerRequest(name=name, data=Payload(data=data), event_id=event_id)


async def test_a_trigger_of_its_own_is_made_once_and_starts_its_target(kit: Kit) -> None:
    """The same document changes nothing; it is listed beside the others, shown with its source, and starts runs."""
    first, again = await create(kit), await create(kit)
    fired = await kit.triggers.FireTrigger(fire())
    shown = await kit.triggers.GetTrigger(pb.GetTriggerRequest(name="hourly"))
    listed = await kit.triggers.ListTriggers(pb.ListTriggersRequest())
    run = await kit.get(fired.run_ids[0])

    assert (first.changed, again.changed) == (True, False)
    assert (shown.workflow, shown.name, shown.target, shown.version) == ("", "hourly", "echo@active", "0.0.1")
    assert shown.source == OWN
    assert [(item.workflow, item.name, item.source) for item in listed.triggers] == [("", "hourly", "")]
    assert (run.workflow, run.trigger, json.loads(run.input.data)) == ("echo", "/hourly", {"n": 1})


async def test_another_document_of_the_name_must_say_replace(kit: Kit) -> None:
    """Else TRIGGER_EXISTS; replacing keeps counts and pause, and a request id is answered once."""
    await create(kit)
    await kit.triggers.FireTrigger(fire())
    await kit.triggers.PauseTrigger(pb.PauseTriggerRequest(name="hourly", reason="quiet"))
    other = OWN.replace("0 * * * *", "5 * * * *")
    taken = await refused(create(kit, other))
    replaced = await create(kit, other, replace=True, request_id="r")
    repeated = await create(kit, other, replace=True, request_id="r")

    assert (taken.code, taken.reason) == ("ALREADY_EXISTS", "TRIGGER_EXISTS")
    assert (replaced.changed, replaced.trigger.fired) == (True, 1)
    assert replaced.trigger.state == pb.TRIGGER_STATE_PAUSED
    assert repeated == replaced


async def test_its_target_must_be_there_and_its_mistakes_have_their_places(kit: Kit) -> None:
    """Every mistake at once; a literal input is held against the target's schema; no two documents at once."""
    await kit.register(WITH_SCHEMA.format(version="1.0.0"))
    missing = await refused(create(kit, OWN.replace("echo@active", "nothing@active")))
    no_version = await refused(create(kit, OWN.replace("echo@active", "echo@9.0.0")))
    wrong = await refused(create(kit, "trigger: Hourly\ntarget: echo\nuses: cron.every\nwith: {perod: 1m}\n"))
    bad_input = await refused(
        create(kit, "trigger: t\ntarget: strict@1.0.0\nuses: cron.every\nwith: {period: 1h}\ninput: {n: x}\n")
    )
    two = await refused(create(kit, f"{OWN}---\n{OWN}"))
    no_trigger = await refused(create(kit, ECHO))

    assert (missing.code, missing.reason) == ("NOT_FOUND", "WORKFLOW_MISSING")
    assert (no_version.code, no_version.reason) == ("NOT_FOUND", "VERSION_MISSING")
    assert wrong.reason == "DOCUMENT_INVALID"
    assert set(wrong.fields) == {"trigger", "target", "with.perod", "with.period"}
    assert bad_input.fields == {"input.n": "INPUT_INVALID"}
    assert (two.reason, no_trigger.reason) == ("DOCUMENT_INVALID", "DOCUMENT_INVALID")


async def test_it_follows_the_active_version_or_stays_with_the_one_it_names(kit: Kit) -> None:
    """Without an active version the first has nothing to start and says so; it lives again with the next."""
    await kit.register(WITH_SCHEMA.format(version="1.0.0"))
    every = "uses: cron.every\nwith: {period: 1h}\ninput: {}\n"
    await create(kit, f"trigger: moving\ntarget: strict@active\n{every}")
    await create(kit, f"trigger: fixed\ntarget: strict@1.0.0\n{every}")
    await kit.register(WITH_SCHEMA.format(version="2.0.0"))

    async def versions() -> list[str]:
        await kit.core.triggers.reconcile()
        runs = [(await kit.triggers.FireTrigger(fire(name))).run_ids[0] for name in ("moving", "fixed")]
        return [(await kit.get(run_id)).version for run_id in runs]

    assert await versions() == ["2.0.0", "1.0.0"]
    await kit.workflows.ActivateWorkflow(workflows.ActivateWorkflowRequest(workflow="strict"))
    await kit.core.triggers.reconcile()
    moving = await kit.triggers.GetTrigger(pb.GetTriggerRequest(name="moving"))
    assert moving.state == pb.TRIGGER_STATE_FAILED
    assert "no active version" in moving.message
    assert (await refused(kit.triggers.FireTrigger(fire("moving")))).reason == "WORKFLOW_INACTIVE"
    await kit.workflows.ActivateWorkflow(workflows.ActivateWorkflowRequest(workflow="strict", version="1.0.0"))
    assert await versions() == ["1.0.0", "1.0.0"]


async def test_what_a_trigger_starts_is_not_deleted_under_it(kit: Kit) -> None:
    """A version it names, and a workflow it starts, are VERSION_IN_USE until it is gone; then its name is free."""
    await create(kit, OWN.replace("echo@active", "echo@0.0.1"))
    await kit.workflows.ActivateWorkflow(workflows.ActivateWorkflowRequest(workflow="echo"))
    delete_version = workflows.DeleteWorkflowRequest(workflow="echo", version="0.0.1")
    version = await refused(kit.workflows.DeleteWorkflow(delete_version))
    whole = await refused(kit.workflows.DeleteWorkflow(workflows.DeleteWorkflowRequest(workflow="echo")))
    gone = pb.DeleteTriggerRequest(name="hourly", request_id="d")
    await kit.triggers.DeleteTrigger(gone)
    await kit.triggers.DeleteTrigger(gone)
    missing = await refused(kit.triggers.DeleteTrigger(pb.DeleteTriggerRequest(name="hourly")))
    await kit.workflows.DeleteWorkflow(delete_version)

    assert version.reason == whole.reason == "VERSION_IN_USE"
    assert "hourly" in version.message
    assert (missing.code, missing.reason) == ("NOT_FOUND", "TRIGGER_MISSING")
    assert (await kit.triggers.ListTriggers(pb.ListTriggersRequest())).triggers == []


async def test_it_is_there_after_a_restart_with_what_it_saw(tmp_path: Path) -> None:
    """Document, pause and seen events stay; a deleted one does not come back."""
    async with running(tmp_path / "d") as kit:
        await kit.register(ECHO)
        await create(kit)
        await create(kit, OWN.replace("hourly", "other"))
        await kit.triggers.FireTrigger(fire(event_id="e"))
        await kit.triggers.PauseTrigger(pb.PauseTriggerRequest(name="hourly", reason="quiet"))
        await kit.triggers.DeleteTrigger(pb.DeleteTriggerRequest(name="other"))
    async with running(tmp_path / "d") as kit:
        listed = await kit.triggers.ListTriggers(pb.ListTriggersRequest())
        fired = await kit.triggers.FireTrigger(fire(event_id="e"))
        own = listed.triggers[0]
        assert [(item.name, item.fired) for item in listed.triggers] == [("hourly", 1)]
        assert (own.state, own.target) == (pb.TRIGGER_STATE_PAUSED, "echo@active")
        assert fired.outcome == "DUPLICATE"
