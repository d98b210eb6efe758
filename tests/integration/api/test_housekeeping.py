"""Compacting the journal, a new token, namespaces and differences, through the door."""

from __future__ import annotations

import asyncio
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from daemon_kit import ECHO, TOKEN, Kit, refused, running

from hostd.api.auth import owner_token
from hostd.v1 import admin_service_pb2 as pb
from hostd.v1 import run_service_pb2 as runs
from hostd.v1 import workflow_service_pb2 as workflows


async def test_compacting_deletes_what_retention_lets_go(tmp_path: Path) -> None:
    """Runs past retention go at once, progress is told, the audit says who; new starts go on."""
    retention = {"runs": timedelta(milliseconds=1)}
    async with running(tmp_path / "d", retention=retention) as kit:
        await kit.register(ECHO)
        for _ in range(120):
            await kit.execute("echo")
        steps = [step async for step in kit.admin.CompactJournal(pb.CompactJournalRequest())]
        count = await kit.runs.CountRuns(runs.CountRunsRequest())
        page = await kit.admin.ListAuditEvents(pb.ListAuditEventsRequest())
        await kit.execute("echo")

    assert count.count == 0
    assert steps[0].stage == pb.COMPACTION_STAGE_PRUNING
    assert steps[-1].stage == pb.COMPACTION_STAGE_DONE
    assert [step.deleted for step in steps] == sorted(step.deleted for step in steps)
    assert steps[-1].deleted >= 120
    assert steps[-1].free_bytes > 0
    assert steps[-1].size_bytes > 0
    (event,) = [event for event in page.audit_events if event.verb == "journal.compact"]
    assert event.details["deleted"] == str(steps[-1].deleted)


async def test_a_new_token_is_good_at_once_and_the_old_one_is_not(kit: Kit, tmp_path: Path) -> None:
    """Over TCP, on a connection that stands too; the file is the owner's alone; the audit tells, without the token."""
    path = tmp_path / "d" / "token"
    path.write_text(TOKEN)
    old = (("authorization", f"Bearer {TOKEN}"),)
    async with kit.over_tcp() as stubs:
        await stubs.runs.CountRuns(runs.CountRunsRequest(), metadata=old)
        answer = await stubs.admin.RotateToken(pb.RotateTokenRequest(), metadata=old)
        assert (await refused(stubs.runs.CountRuns(runs.CountRunsRequest(), metadata=old))).reason == "TOKEN_INVALID"
        new = (("authorization", f"Bearer {path.read_text().strip()}"),)
        await stubs.runs.CountRuns(runs.CountRunsRequest(), metadata=new)

    assert answer.path == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await asyncio.to_thread(owner_token, path) != TOKEN
    page = await kit.admin.ListAuditEvents(pb.ListAuditEventsRequest())
    (event,) = [event for event in page.audit_events if event.verb == "token.rotate"]
    assert path.read_text().strip() not in str(event)


async def test_namespaces_with_what_they_hold(kit: Kit) -> None:
    """Workflows, runs, open runs, triggers and secrets of each; `default` is there with nothing in it."""
    document = "workflow: w\ntriggers: {t: {uses: cron.every, with: {period: 1h}}}\nsteps: {a: {uses: flow.pass}}\n"
    await kit.register(document, namespace="other")
    await kit.core.front.secrets.set("other", "pin", "x" * 20, principal="t", repeat=None)
    start = runs.StartSpec(workflow="w")
    await kit.runs.ExecuteRun(runs.ExecuteRunRequest(namespace="other", start=start))
    await kit.start("wait")

    found: dict[str, Any] = {}
    token = ""
    while True:
        page = await kit.admin.ListNamespaces(pb.ListNamespacesRequest(page_size=1, page_token=token))
        found |= {item.name: item for item in page.namespaces}
        token = page.next_page_token
        if not token:
            break
    assert list(found) == ["default", "other"]
    default, other = found["default"], found["other"]
    assert (default.workflows, default.runs, default.open_runs) == (3, 1, 1)
    assert (other.workflows, other.runs, other.open_runs, other.triggers, other.secrets) == (1, 1, 0, 1, 1)


async def test_what_is_different_between_versions(kit: Kit) -> None:
    """Steps added, removed and changed, by path and step; the active version where none is named."""
    await kit.register("workflow: d\nsteps:\n  a: {uses: flow.pass}\n  b: {uses: mock.echo, needs: a}\n")
    second = "  b: {needs: [a], uses: mock.noop}\n  a: {uses: flow.pass}\n  c: {uses: flow.pass}\n"
    await kit.register(f"workflow: d\n# said\nsteps:\n{second}")
    request = workflows.DiffWorkflowVersionsRequest(workflow="d", from_version="0.0.1")
    answer = await kit.workflows.DiffWorkflowVersions(request)

    assert (answer.from_version, answer.to_version, answer.truncated) == ("0.0.1", "0.0.2", False)
    kinds = workflows.DifferenceKind
    told = [(kinds.Name(item.kind)[16:], item.path, item.step, item.before, item.after) for item in answer.differences]
    assert told == [
        ("CHANGED", "steps.b.uses", "b", '"mock.echo"', '"mock.noop"'),
        ("ADDED", "steps.c", "c", "", '{"uses":"flow.pass"}'),
    ]
    missing = workflows.DiffWorkflowVersionsRequest(workflow="d", from_version="9.9.9")
    assert (await refused(kit.workflows.DiffWorkflowVersions(missing))).metadata["version"] == "9.9.9"


CALLS = [("RotateToken", pb.RotateTokenRequest), ("CompactJournal", pb.CompactJournalRequest)]


@pytest.mark.parametrize("method,message", CALLS)
async def test_they_want_the_token(kit: Kit, method: str, message: Any) -> None:
    """Over TCP nobody without it."""
    async with kit.over_tcp() as stubs:
        assert (await refused(getattr(stubs.admin, method)(message()))).reason == "TOKEN_MISSING"
