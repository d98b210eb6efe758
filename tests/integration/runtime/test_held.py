"""A run that nothing moves any more says so to everybody who waits for it or watches it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lab import NAMESPACE, Lab

from hostd.cli.local import run_document
from hostd.config.rooms import Config
from hostd.errors.base import HostdError, Kind
from hostd.model.filters import Compare
from hostd.model.requests import RunRef
from hostd.model.states import RunState
from hostd.runtime import engine_loop
from hostd.runtime.intake import Started

REST = "workflow: rest\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}\n"
TOO_NEW = HostdError(Kind.CORRUPT, "RECORD_TOO_NEW", "written by a newer hostd")


async def resting(lab: Lab) -> Started:
    """Start a run that only waits."""
    started = await lab.start(await lab.register(REST))
    await lab.core.loop.quiet()
    return started


async def test_waiting_for_a_run_ends_when_it_is_held(lab: Lab) -> None:
    """Who waits for the end is told the reason, whether it asked before or after."""
    started = await resting(lab)
    runs = lab.core.front.runs
    waits = asyncio.ensure_future(runs.wait_end(NAMESPACE, started.run_id))
    await lab.until(lambda: lab.core.hub._ends)

    lab.core.loop.hold(started.key, TOO_NEW)
    before = await asyncio.gather(waits, return_exceptions=True)
    after = await asyncio.gather(runs.wait_end(NAMESPACE, started.run_id), return_exceptions=True)

    for error in (*before, *after):
        assert isinstance(error, HostdError)
        assert (error.reason, error.details["held"]) == ("RUN_STATE", "RECORD_TOO_NEW")
        assert "HELD: RECORD_TOO_NEW" in error.message
    assert not lab.core.hub._ends


async def test_a_watch_of_a_run_ends_when_it_is_held(lab: Lab) -> None:
    """The records that are there come first, then the reason; a watch that begins later is told the same."""
    started = await resting(lab)
    runs = lab.core.front.runs
    told: list[int] = []

    async def watch() -> None:
        async for records in runs.watch(NAMESPACE, RunRef(started.run_id), from_seq=0):
            told.append(len(records.items))

    watching = asyncio.ensure_future(watch())
    await lab.until(lambda: told)
    lab.core.loop.hold(started.key, TOO_NEW)

    for each in (watching, watch()):
        with pytest.raises(HostdError, match="HELD: RECORD_TOO_NEW") as held:
            await each
        assert held.value.reason == "RUN_STATE"
    assert told == [2, 2]


async def test_a_list_that_is_watched_shows_the_run_as_held(lab: Lab) -> None:
    """A watch over all runs tells the state, and one over waiting runs that it left; what comes later is told, too."""
    started = await resting(lab)
    runs = lab.core.front.runs
    waiting = Compare("state", "=", int(RunState.WAITING))
    streams = [runs.watch_all(NAMESPACE, tree, after=None, snapshot=True) for tree in (None, waiting)]
    for stream in streams:
        while not (await anext(stream)).snapshot_end:
            pass

    lab.core.loop.hold(started.key, TOO_NEW)
    changes = [(await anext(stream)).changes for stream in streams]
    later = await lab.start("rest")
    news = await anext(streams[0])

    assert [(change.kind, change.run.state, change.run.reason) for [change] in changes] == [
        ("MODIFIED", RunState.HELD, "RECORD_TOO_NEW"),
        ("DELETED", RunState.HELD, "RECORD_TOO_NEW"),
    ]
    assert [change.run.run_id for change in news.changes] == [later.run_id]
    for stream in streams:
        await stream.aclose()


async def test_running_a_document_ends_when_its_run_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """`hostd run` does not wait for ever on a run that a mistake of ours has stopped."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(engine_loop, "decide", broken)
    document = b"workflow: w\nsteps:\n  a: {uses: mock.noop}\n"

    with pytest.raises(HostdError, match="HELD: BUG"):
        await run_document(document, {}, file="w.yaml", config=Config())
