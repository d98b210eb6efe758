"""Watches that share a filter: one batch for all of them, none sees another's, and a slow one costs only itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from random import Random
from typing import Any

import pytest

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.errors.base import HostdError
from hostd.model.filters import Compare, Filter, Not, Or
from hostd.model.requests import RunList, RunRef, StartRequest
from hostd.model.states import RunState
from hostd.model.views import ChangeWord, RunChange, RunChanges, RunView, StartedRun
from hostd.runtime.runs import watch
from hostd.runtime.runs.watch_groups import merged

ECHO = b"workflow: echo\nsteps:\n  a: {uses: flow.pass, with: {output: 1}}\n"
REST = b"workflow: rest\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}\n"
WAITING: Filter = Compare("state", "=", int(RunState.WAITING))
FILTERS: list[Filter | None] = [None, WAITING, Not(WAITING), Compare("workflow", "=", "echo"), Or((WAITING,))]
NAMESPACES = ("one", "two")


@pytest.fixture
async def core() -> AsyncIterator[Core]:
    """A host in memory with two workflows in each of two namespaces."""
    core = Core(Config())
    await core.open()
    for namespace in NAMESPACES:
        for document in (ECHO, REST):
            await core.front.workflows.register(
                namespace, document, file="", activate=True, principal="owner", repeat=None
            )
    yield core
    await core.close()


async def start(core: Core, namespace: str, workflow: str) -> str:
    """Start a run; return its id."""
    (started,) = await core.front.runs.start(namespace, [StartRequest(workflow)], principal="owner")
    assert isinstance(started, StartedRun)
    return started.run_id


class Reader:
    """A client that applies what its watch tells it; each change must fit what it knows."""

    def __init__(self, core: Core, namespace: str, tree: Filter | None) -> None:
        self._core = core
        self.namespace = namespace
        self.tree = tree
        self.known: dict[str, int] = {}
        self.batches: list[RunChanges] = []
        self.told = asyncio.Event()
        self.task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        stream: Any = self._core.front.runs.watch_all(self.namespace, self.tree, after=None, snapshot=True)
        async with aclosing(stream) as batches:
            async for batch in batches:
                self.batches.append(batch)
                for change in batch.changes:
                    self._apply(change)
                self.told.set()

    def _apply(self, change: RunChange) -> None:
        assert change.run.namespace == self.namespace
        if self.tree is None or self.tree in (WAITING, Or((WAITING,))):  # a run began before or after the snapshot
            assert (change.run.run_id in self.known) == (change.kind != "ADDED"), change
        if change.kind == "DELETED":
            del self.known[change.run.run_id]
        else:
            self.known[change.run.run_id] = change.run.state

    async def truth(self) -> dict[str, int]:
        """Return what there is to know."""
        views = await self._core.front.runs.list(self.namespace, RunList(self.tree, limit=1_000))
        return {view.run_id: view.state for view in views}

    async def settled(self) -> None:
        """Wait until it knows what there is to know. Raises TimeoutError."""
        async with asyncio.timeout(120):
            while self.known != await self.truth():
                assert not self.task.done()
                self.told.clear()
                await self.told.wait()


async def stop(readers: list[Reader]) -> None:
    """End watches."""
    for reader in readers:
        reader.task.cancel()
    await asyncio.gather(*(reader.task for reader in readers), return_exceptions=True)


@pytest.mark.parametrize("seed", range(10))
async def test_no_watch_sees_what_another_filter_or_namespace_holds(core: Core, seed: int) -> None:
    """Many watches that begin and end at any time, in groups and alone, each know exactly their own runs."""
    dice = Random(seed)
    live: dict[str, list[str]] = {namespace: [] for namespace in NAMESPACES}
    readers: list[Reader] = []
    for _ in range(60):
        what = dice.randrange(8)
        namespace = dice.choice(NAMESPACES)
        if what < 2 and len(readers) < 20:
            readers.append(Reader(core, namespace, dice.choice(FILTERS)))
        elif what == 2 and readers:
            await stop([readers.pop(dice.randrange(len(readers)))])
        else:
            await _something(core, dice, namespace, live[namespace])
        if dice.randrange(3) == 0:
            await asyncio.sleep(0)
    for reader in readers:
        await reader.settled()

    names = {(reader.namespace, reader.tree) for reader in readers}
    assert len(core.front.runs._groups) <= len(names)
    await stop(readers)
    assert len(core.front.runs._groups) == 0
    assert not core.hub._all


async def _something(core: Core, dice: Random, namespace: str, live: list[str]) -> None:
    """Start, cancel, pause or resume a run, or delete one that ended."""
    runs, what = core.front.runs, dice.randrange(5)
    if what < 2 or not live:
        name = dice.choice(("echo", "rest"))
        run_id = await start(core, namespace, name)
        if name == "rest":
            live.append(run_id)
        return
    ref = RunRef(live[dice.randrange(len(live))])
    if what == 2:
        live.remove(ref.run_id)
        await runs.cancel(namespace, ref, reason="", principal="owner", repeat=None)
        await runs.delete(namespace, ref, principal="owner", repeat=None)
    elif (await runs.get(namespace, ref)).state == RunState.PAUSED:
        await runs.resume(namespace, ref, principal="owner", repeat=None)
    else:
        await runs.pause(namespace, ref, reason="", principal="owner", repeat=None)


async def test_watches_of_one_filter_are_handed_the_same_batch(core: Core) -> None:
    """What is built for a change is built once: the very same objects come to all, equal ones to other filters."""
    readers = [Reader(core, "one", tree) for tree in (None, None, None, WAITING)]
    for reader in readers:
        async with asyncio.timeout(120):
            await reader.told.wait()
    run_id = await start(core, "one", "rest")
    for reader in readers:
        await reader.settled()

    first, second, third, other = (reader.batches[-1] for reader in readers)
    assert first is second is third
    assert other is not first
    assert other.changes[0] is first.changes[0]
    assert first.changes[0].run.run_id == run_id
    await stop(readers)


async def test_a_slow_watch_is_bounded_and_ended_while_the_others_go_on(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds at most what the bounds say, is told that and then WATCH_TOO_SLOW; its neighbour misses nothing."""
    monkeypatch.setattr(watch, "QUEUE_CHANGES_MAX", 50)
    slow: Any = core.front.runs.watch_all("one", None, after=None, snapshot=False)
    await anext(slow)
    quick = Reader(core, "one", None)
    await start(core, "one", "echo")
    await quick.settled()
    await anext(slow)  # it has joined
    for _ in range(100):
        await start(core, "one", "echo")
        await quick.settled()
        (group,) = core.front.runs._groups._by_name.values()
        assert all(follower._count <= 50 for follower in group._followers)
    told: list[RunChange] = []
    with pytest.raises(HostdError) as ended:
        await _read_out(slow, told)

    assert 0 < len(told) <= 50
    assert (ended.value.reason, ended.value.retry_after_s) == ("WATCH_TOO_SLOW", 1.0)
    assert len(quick.known) == 101
    await stop([quick])


async def _read_out(stream: Any, told: list[RunChange]) -> None:
    async for batch in stream:
        told += batch.changes


async def test_watch_queues_are_bounded_by_bytes(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few large changes end a slow watch as many small ones do, but one change always fits."""
    monkeypatch.setattr(watch, "QUEUE_BYTES_MAX", 10)
    hub = core.hub
    subscription = hub.subscribe()
    await start(core, "one", "rest")
    (notice,) = await subscription.take()
    assert notice.size_bytes > 10
    for _ in range(2):
        await start(core, "one", "rest")
    assert len(await subscription.take()) == 1
    with pytest.raises(HostdError, match="did not keep up"):
        await subscription.take()


async def test_a_mistake_in_a_group_ends_its_watches(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever for a group that broke; a new watch makes a new one."""
    stream: Any = core.front.runs.watch_all("one", None, after=None, snapshot=False)
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    while not len(core.front.runs._groups):
        await asyncio.sleep(0)
    with monkeypatch.context() as broken:
        broken.setattr("hostd.runtime.runs.watch_groups.latest_of", lambda *_: 1 / 0)
        await start(core, "one", "rest")
        with pytest.raises(ZeroDivisionError):
            await waiting
    again = Reader(core, "one", None)
    await again.settled()
    await stop([again])


async def test_a_watch_that_is_told_nothing_gets_bookmarks(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others are told moves the position it can be resumed from, once in a while; nothing more, nothing less."""
    monkeypatch.setattr("hostd.runtime.runs.all_runs_watch.BOOKMARK_S", 0.01)
    stream: Any = core.front.runs.watch_all("one", Compare("workflow", "=", "none"), after=None, snapshot=False)
    begun = (await anext(stream)).position
    waiting = asyncio.ensure_future(anext(stream))
    await start(core, "two", "rest")
    bookmark = await waiting

    assert not bookmark.changes
    assert begun < bookmark.position == core.journal.last_pos()
    await stream.aclose()


def _batch(*changes: tuple[ChangeWord, str]) -> RunChanges:
    runs = [RunChange(word, RunView(run, 1, "one", "w", "1.0.0", RunState.RUNNING)) for word, run in changes]
    return RunChanges(runs, 1)


def test_batches_that_wait_become_one() -> None:
    """Each run is told at most once: from what it was before the first to what it is after the last."""
    told = merged(
        [
            _batch(("ADDED", "new"), ("MODIFIED", "old"), ("ADDED", "passing"), ("DELETED", "back")),
            _batch(("MODIFIED", "new"), ("DELETED", "old"), ("DELETED", "passing"), ("ADDED", "back")),
        ]
    )
    assert [(change.kind, change.run.run_id) for change in told] == [
        ("ADDED", "new"),
        ("DELETED", "old"),
        ("MODIFIED", "back"),
    ]
