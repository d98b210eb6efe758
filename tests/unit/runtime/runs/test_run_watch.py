"""Watches at the runtime's edge: consumers that do not keep up, positions that cut anywhere, membership of filters."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.errors.base import HostdError
from hostd.journal.filters import matches
from hostd.journal.port import RunQuery
from hostd.model.filters import And, Compare, Filter, Not, Or
from hostd.model.requests import RunList, RunRef, StartRequest
from hostd.model.states import RunState
from hostd.model.views import RunChange, RunView, StartedRun
from hostd.runtime.runs import watch
from hostd.runtime.runs.run_membership import changes_over_life

ECHO = b"workflow: echo\nsteps:\n  a: {uses: flow.pass, with: {output: 1}}\n"
REST = b"workflow: rest\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}\n"
WAITING: Filter = Compare("state", "=", int(RunState.WAITING))
NAMESPACE = "default"


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """A host on SQLite with two workflows."""
    core = Core(Config.model_validate({"data": tmp_path}), data=tmp_path)
    await core.open()
    for document in (ECHO, REST):
        await core.front.workflows.register(NAMESPACE, document, file="", activate=True, principal="owner", repeat=None)
    yield core
    await core.close()


async def start(core: Core, workflow: str) -> str:
    """Start a run; return its id."""
    (started,) = await core.front.runs.start(NAMESPACE, [StartRequest(workflow)], principal="owner")
    assert isinstance(started, StartedRun)
    return started.run_id


async def cancel(core: Core, run_id: str) -> RunView:
    """Cancel a run."""
    return await core.front.runs.cancel(NAMESPACE, RunRef(run_id), reason="", principal="owner", repeat=None)


async def test_a_consumer_that_does_not_keep_up_is_ended(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits its queue is told; then WATCH_TOO_SLOW with a time to come back, and the daemon goes on."""
    monkeypatch.setattr(watch, "QUEUE_CHANGES_MAX", 10)
    stream = core.front.runs.watch_all(NAMESPACE, None, after=None, snapshot=False)
    token = (await anext(stream)).position
    for _ in range(20):
        await start(core, "echo")
    told = await anext(stream)
    with pytest.raises(HostdError) as ended:
        await anext(stream)

    assert 0 < len(told.changes) <= 10
    assert (ended.value.reason, ended.value.retry_after_s) == ("WATCH_TOO_SLOW", 1.0)
    resumed = core.front.runs.watch_all(NAMESPACE, None, after=token, snapshot=False)
    assert len((await anext(resumed)).changes) == 20
    await resumed.aclose()


async def test_watching_one_run_never_falls_behind(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """However late the consumer comes, it gets every record: they are read from the journal."""
    monkeypatch.setattr(watch, "QUEUE_CHANGES_MAX", 1)
    run_id = await start(core, "rest")
    runs = core.front.runs
    stream = runs.watch(NAMESPACE, RunRef(run_id), from_seq=0)
    seqs = [item.seq for item in (await anext(stream)).items]
    for _ in range(5):
        await runs.pause(NAMESPACE, RunRef(run_id), reason="", principal="owner", repeat=None)
        await runs.resume(NAMESPACE, RunRef(run_id), principal="owner", repeat=None)
    await cancel(core, run_id)
    async for batch in stream:
        seqs += [item.seq for item in batch.items]

    assert seqs == list(range(len(seqs)))
    assert batch.run is not None
    assert batch.run.state == RunState.CANCELED


async def test_the_hub_forgets_watches_that_ended(core: Core) -> None:
    """A closed watch and a wait that was given up leave nothing behind."""
    run_id = await start(core, "rest")
    one = core.front.runs.watch(NAMESPACE, RunRef(run_id), from_seq=0)
    every = core.front.runs.watch_all(NAMESPACE, None, after=None, snapshot=True)
    await anext(one)
    await anext(every)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await core.front.runs.wait_end(NAMESPACE, run_id)
    await one.aclose()
    await every.aclose()

    assert not core.hub._all
    assert not core.hub._by_run
    assert not core.hub._ends


class Mirror:
    """What a client knows that applies each change it is told."""

    def __init__(self) -> None:
        self.runs: dict[str, int] = {}

    def apply(self, changes: list[RunChange]) -> None:
        """Apply changes; each must fit what is known."""
        for change in changes:
            known = change.run.run_id in self.runs
            assert known == (change.kind != "ADDED"), change
            if change.kind == "DELETED":
                del self.runs[change.run.run_id]
            else:
                self.runs[change.run.run_id] = change.run.state


@pytest.mark.parametrize("seed", range(8))
async def test_a_mirror_that_comes_and_goes_stays_true(core: Core, seed: int) -> None:
    """Cut off and resumed at random, a client knows exactly the runs its filter holds."""
    dice = Random(seed)
    tree = dice.choice([WAITING, None, Compare("workflow", "=", "rest"), Not(WAITING), Or((WAITING,))])
    mirror, after = Mirror(), None
    live: list[str] = []
    for _ in range(12):
        stream: Any = core.front.runs.watch_all(NAMESPACE, tree, after=after, snapshot=after is None)
        while True:
            batch = await anext(stream)
            mirror.apply(batch.changes)
            if batch.position:
                after = batch.position
                if not batch.changes:
                    break
        for _ in range(dice.randrange(4)):
            live += await _something(core, dice, live)
        for _ in range(dice.randrange(3)):
            try:
                async with asyncio.timeout(0.02):
                    batch = await anext(stream)
            except TimeoutError:
                break
            mirror.apply(batch.changes)
            after = batch.position
        await stream.aclose()
        for _ in range(dice.randrange(4)):
            live += await _something(core, dice, live)
    stream = core.front.runs.watch_all(NAMESPACE, tree, after=after, snapshot=False)
    while (batch := await anext(stream)).changes:
        mirror.apply(batch.changes)
    await stream.aclose()

    rows = core.journal.query_runs(RunQuery(NAMESPACE, tree, limit=1_000))
    assert mirror.runs == {
        view.run_id: view.state for view in await core.front.runs.list(NAMESPACE, RunList(tree, limit=1_000))
    }
    assert all(matches(tree, row) for row in rows)


async def _something(core: Core, dice: Random, live: list[str]) -> list[str]:
    """Start, cancel, pause or resume a run; return new live ones."""
    what = dice.randrange(4)
    if what == 0 or not live:
        return [await start(core, "rest")]
    if what == 1:
        await start(core, "echo")
        return []
    run = RunRef(live[0])
    if what == 2:
        await cancel(core, live.pop())
    else:
        view = await core.front.runs.get(NAMESPACE, run)
        if view.state == RunState.PAUSED:
            await core.front.runs.resume(NAMESPACE, run, principal="owner", repeat=None)
        else:
            await core.front.runs.pause(NAMESPACE, run, reason="", principal="owner", repeat=None)
    return []


def test_only_filters_on_what_changes_need_memory() -> None:
    """state, reason and end time change over a run's life; everything else is settled when it begins."""
    settled = Compare("workflow", "=", "w")

    assert not changes_over_life(None)
    assert not changes_over_life(And((settled, Not(Compare("labels.a", "=", "b")))))
    assert changes_over_life(And((settled, Not(WAITING))))
    assert changes_over_life(Or((settled, Compare("ended_at", ">", 0))))
