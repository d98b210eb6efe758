"""What is left of a deleted version: the runs that ended under it keep their steps, live ones keep the version."""

from __future__ import annotations

import pytest
from lab import NAMESPACE, Lab

from hostd.errors.base import HostdError
from hostd.journal.port import Retention
from hostd.model.requests import RunRef
from hostd.runtime.workflows import kept_documents

DOCUMENT = (
    "workflow: w\nversion: 1.0.0\nsteps:\n  first: {uses: mock.noop}\n  second: {uses: mock.noop, needs: first}\n"
)
OTHER = "workflow: w\nversion: 1.0.0\nsteps:\n  renamed: {uses: mock.noop}\n"
LIVE = "workflow: w\nversion: 1.0.0\nsteps:\n  rest: {uses: flow.wait, with: {duration: 1h}}\n"
STEPS = ["first", "second"]


async def steps_of(lab: Lab, run_id: str) -> tuple[list[str], list[str], list[str]]:
    """Return the names of steps that a run's view, its history and its watch show."""
    runs, ref = lab.core.front.runs, RunRef(run_id)
    view = await runs.get(NAMESPACE, ref)
    history = await runs.history(NAMESPACE, ref, from_seq=0, max_bytes=1 << 20)
    watched = [list(records.steps) async for records in runs.watch(NAMESPACE, ref, from_seq=0)]
    return [step.id for step in view.steps], list(history.steps), watched[0]


@pytest.mark.parametrize("again", ["", OTHER])
async def test_finished_runs_keep_their_steps(lab: Lab, again: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the workflow is deleted, after another document took its number, and after a restart."""
    monkeypatch.setattr(kept_documents, "RUNS_A_WRITE", 2)
    name = await lab.register(DOCUMENT)
    started = [await lab.start(name) for _ in range(5)]
    await lab.ended(*started)
    await lab.core.workflows.delete(NAMESPACE, name)
    if again:
        await lab.register(again)

    for _ in range(2):
        for each in started:
            assert await steps_of(lab, each.run_id) == (STEPS, STEPS, STEPS)
        if lab.core.data is not None:
            await lab.restart()
    if again:
        fresh = await lab.start(name)
        await lab.ended(fresh)
        assert (await steps_of(lab, fresh.run_id))[0] == ["renamed"]


async def test_the_document_goes_with_the_last_run_that_needs_it(lab: Lab) -> None:
    """Retention deletes the runs, and with them what was kept for them."""
    name = await lab.register(DOCUMENT)
    started = await lab.start(name)
    await lab.ended(started)
    digest = lab.core.workflows.plans.get(NAMESPACE, name, "1.0.0").digest
    await lab.core.workflows.delete(NAMESPACE, name)
    journal = lab.core.journal
    assert await lab.core.readers.call(journal.blob, NAMESPACE, digest) is not None

    now_ms = lab.core.clock.wall_ms() + 10**9
    while await lab.core.readers.call(lambda: journal.prune(now_ms=now_ms, retention=Retention(runs_ms=1))):
        pass

    assert await lab.core.readers.call(journal.blob, NAMESPACE, digest) is None


async def test_a_version_that_live_runs_use_is_not_deleted(lab: Lab) -> None:
    """It is refused, and nothing is kept for nobody."""
    name = await lab.register(LIVE)
    await lab.start(name)
    with pytest.raises(HostdError, match="VERSION_IN_USE"):
        await lab.core.workflows.delete(NAMESPACE, name)
