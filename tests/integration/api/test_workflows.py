"""Registering, activating, validating and deleting workflows through the socket."""

import asyncio
import threading
from pathlib import Path

import pytest
from daemon_kit import ECHO, Kit, ref, refused, running, spec

from hostd.aio import spawn
from hostd.definition.ports import Catalogue
from hostd.v1 import run_service_pb2 as runs
from hostd.v1 import workflow_service_pb2 as wire

V1 = "workflow: order\nversion: 1.0.0\nsteps:\n  a: {uses: mock.noop}\n"
V2 = "workflow: order\nversion: 2.0.0\nsteps:\n  a: {uses: mock.noop}\n  b: {uses: mock.noop, needs: a}\n"
BAD = "workflow: Bad Name\nsteps:\n  a: {uses: mock.nop}\n  b: {uses: mock.echo, needs: c}\n"


async def test_a_document_is_registered_once(kit: Kit) -> None:
    """The same document again changes nothing; another under the same version is refused."""
    first = await kit.register(V1)
    again = await kit.register(V1)
    other = await refused(kit.register(V1.replace("mock.noop", "mock.echo")))

    assert (first.created, again.created) == (True, False)
    assert first.workflow.active_version == "1.0.0"
    assert first.workflow.version.register_time.ToMilliseconds() > 0
    assert first.workflow.version.principal == "owner"
    assert (other.code, other.reason) == ("ALREADY_EXISTS", "VERSION_EXISTS")


async def test_an_old_document_says_that_it_comes_back(kit: Kit) -> None:
    """Registered again it is made active and names what it displaces; told not to, nothing happens."""
    await kit.register(V1)
    await kit.register(V2)
    left = await kit.register(V1, activate=False)
    back = await kit.register(V1)
    again = await kit.register(V1)

    assert (left.workflow.active_version, list(left.warnings)) == ("2.0.0", [])
    assert (back.created, back.workflow.active_version) == (False, "1.0.0")
    assert list(back.warnings) == ["1.0.0 was registered before and is active again, in the place of 2.0.0"]
    assert list(again.warnings) == []


async def test_a_variable_that_will_be_empty_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the operator does not list, and one that is listed and not set; what is there is not."""
    monkeypatch.setenv("THERE", "x")
    monkeypatch.setenv("NOT_LISTED", "x")
    reads = "${{ env.THERE + env.NOT_LISTED + env.NOT_SET }}"
    async with running(tmp_path / "d", env=["THERE", "NOT_SET"]) as kit:
        done = await kit.register(f'workflow: w\nsteps: {{a: {{uses: mock.echo, with: {{value: "{reads}"}}}}}}\n')

    fix = "list it under `env` of the configuration, and set it where the daemon is started"
    assert list(done.warnings) == [f"env.{name} is empty: {fix}" for name in ("NOT_LISTED", "NOT_SET")]


async def test_a_repeated_registration_gets_the_first_answer(tmp_path: Path) -> None:
    """With a request id the answer is the first one, after a restart too; another document conflicts."""
    async with running(tmp_path / "d") as kit:
        first = await kit.register(V1, request_id="r")
    async with running(tmp_path / "d") as kit:
        again = await kit.register(V1, request_id="r")
        conflict = await refused(kit.register(V2, request_id="r"))

    assert again == first
    assert (conflict.code, conflict.reason) == ("ALREADY_EXISTS", "REQUEST_ID_CONFLICT")


async def test_versions_are_activated_and_rolled_back(kit: Kit) -> None:
    """ActivateWorkflow changes which version starts use; `expected_active` refuses a surprise."""
    await kit.register(V1)
    await kit.register(V2, activate=False)
    assert (await kit.start("order")).version == "1.0.0"
    await kit.workflows.ActivateWorkflow(wire.ActivateWorkflowRequest(workflow="order", version="2.0.0"))
    assert (await kit.start("order")).version == "2.0.0"

    back = wire.ActivateWorkflowRequest(workflow="order", version="1.0.0", expected_active="1.0.0")
    changed = await refused(kit.workflows.ActivateWorkflow(back))
    missing = await refused(
        kit.workflows.ActivateWorkflow(wire.ActivateWorkflowRequest(workflow="order", version="3.0.0"))
    )
    await kit.workflows.ActivateWorkflow(wire.ActivateWorkflowRequest(workflow="order", version=""))
    inactive = await refused(kit.start("order"))

    assert (changed.code, changed.reason) == ("ABORTED", "ACTIVE_CHANGED")
    assert (missing.code, missing.reason) == ("NOT_FOUND", "VERSION_MISSING")
    assert (inactive.code, inactive.reason) == ("FAILED_PRECONDITION", "WORKFLOW_INACTIVE")


async def test_mistakes_come_all_at_once_with_their_places(kit: Kit) -> None:
    """Registering is refused with every mistake; validating answers with them and registers nothing."""
    refusal = await refused(kit.register(BAD))
    request = wire.ValidateWorkflowRequest(document=BAD, file="bad.yaml")
    answer = await kit.workflows.ValidateWorkflow(request)

    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "DOCUMENT_INVALID")
    assert {fault.reason for fault in answer.violations} >= {"NAME_INVALID", "ACTION_UNKNOWN", "NEED_UNKNOWN"}
    assert set(refusal.fields) == {fault.path for fault in answer.violations}
    assert all(fault.line and fault.file == "bad.yaml" for fault in answer.violations)
    good = await kit.workflows.ValidateWorkflow(wire.ValidateWorkflowRequest(document=f"{V1}---\n{V2}"))
    assert not good.violations
    assert (await refused(kit.workflows.GetWorkflow(wire.GetWorkflowRequest(workflow="order")))).reason == (
        "WORKFLOW_MISSING"
    )


async def test_a_document_past_its_limit_is_refused(kit: Kit) -> None:
    """1 MiB is the most."""
    answer = await refused(kit.register(V1 + "#" * (1 << 20)))

    assert answer.code == "INVALID_ARGUMENT"
    assert answer.reason in ("DOCUMENT_INVALID", "DOCUMENT_TOO_LARGE")


async def test_workflows_and_versions_are_listed(kit: Kit) -> None:
    """Names in order over pages; versions newest first without sources; one version with its source."""
    await kit.register(V1)
    await kit.register(V2)
    names: list[str] = []
    token = ""
    while True:
        page = await kit.workflows.ListWorkflows(wire.ListWorkflowsRequest(page_size=2, page_token=token))
        names += [workflow.workflow for workflow in page.workflows]
        token = page.next_page_token
        if not token:
            break
    versions = await kit.workflows.ListWorkflowVersions(wire.ListWorkflowVersionsRequest(workflow="order"))
    one = await kit.workflows.GetWorkflow(wire.GetWorkflowRequest(workflow="order", version="1.0.0"))

    assert names == ["echo", "fail", "order", "wait"]
    assert [(each.version, each.active, each.source) for each in versions.versions] == [
        ("2.0.0", True, ""),
        ("1.0.0", False, ""),
    ]
    assert (one.active_version, one.version.version, one.version.source) == ("2.0.0", "1.0.0", V1)


async def test_versions_in_use_are_not_deleted(kit: Kit) -> None:
    """Live runs and the active mark hold a version; what nothing holds goes, and the workflow with its last."""
    delete, request = kit.workflows.DeleteWorkflow, wire.DeleteWorkflowRequest
    await kit.register(V1)
    await kit.register(V2)
    active = await refused(delete(request(workflow="order", version="2.0.0")))
    await delete(request(workflow="order", version="1.0.0"))
    live = await kit.start("wait")
    held = await refused(delete(request(workflow="wait")))
    await kit.runs.TerminateRun(runs.TerminateRunRequest(run=ref(live.run_id)))
    await delete(request(workflow="wait", request_id="d"))
    await delete(request(workflow="wait", request_id="d"))
    missing = await refused(delete(request(workflow="wait")))

    assert (active.code, active.reason) == ("FAILED_PRECONDITION", "VERSION_IN_USE")
    assert (held.code, held.reason) == ("FAILED_PRECONDITION", "VERSION_IN_USE")
    assert (missing.code, missing.reason) == ("NOT_FOUND", "WORKFLOW_MISSING")
    assert (await kit.get(live.run_id)).workflow == "wait"  # its history stays readable


async def test_a_document_with_inputs_holds_starts_to_them(kit: Kit) -> None:
    """An input that does not fit the schema is INPUT_INVALID naming the field; defaults are filled in."""
    await kit.register(
        ECHO.replace("echo", "typed").replace("mock.typed", "mock.echo")
        + "inputs:\n  type: object\n  properties:\n    n: {type: integer}\n    d: {type: string, default: x}\n"
    )
    bad = await refused(kit.start("typed", b'{"n": "three"}'))
    run = await kit.execute("typed", b'{"n": 3}')

    assert (bad.code, bad.reason) == ("INVALID_ARGUMENT", "INPUT_INVALID")
    assert b'"d":"x"' in run.input.data


async def test_nobody_waits_for_a_large_document(kit: Kit) -> None:
    """While one is compiled, others are started, read and listed."""
    going, release = threading.Event(), threading.Event()

    def compiling(loaded: Catalogue) -> None:
        going.set()
        release.wait(120)

    large = [spawn(kit.core.workflows.compiling.compiled(compiling), name="large") for _ in range(3)]
    try:
        async with asyncio.timeout(100):
            await asyncio.to_thread(going.wait)
            started = await kit.runs.ExecuteRun(runs.ExecuteRunRequest(start=spec("echo", b"{}")))
            assert (await kit.runs.GetRun(runs.GetRunRequest(run=ref(started.run_id)))).run_id == started.run_id
    finally:
        release.set()
        await asyncio.gather(*large)
