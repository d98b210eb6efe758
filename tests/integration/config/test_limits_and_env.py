"""Keys that bound the daemon, and what documents may read: from the configuration to what happens."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
from daemon_kit import ref, refused, running, state_name
from effects import WAYS, configured, opened, shows, tree

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.model.messages import Cancel
from hostd.model.requests import RunRef
from hostd.model.states import RunState
from hostd.v1 import run_service_pb2 as wire

HANG = "workflow: hang\nsteps:\n  a: {uses: mock.hang, with: {ignore_cancel: true}}"
WAIT = "workflow: wait\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}"
EXECUTORS = {
    "limits.inline": "inline",
    "limits.threads": "thread",
    "limits.processes": "process",
}


def core_of(way: str, key: str, value: object) -> Core:
    """Return a core, not opened, that was built with a key or got it by a reload."""
    if way == "start":
        return Core(configured(key, value))
    core = Core(Config())
    core.reconfigure(configured(key, value))
    return core


@WAYS
@pytest.mark.parametrize("key", EXECUTORS)
@shows(*EXECUTORS)
def test_so_many_attempts_of_an_executor_wait_at_once(way: str, key: str) -> None:
    """One that waits leaves room for the others up to the limit."""
    slots = core_of(way, key, 3).slots
    slots.gates._executor_of = lambda action: action  # an action of each executor, without a plugin for each

    slots.gates.take(EXECUTORS[key])

    assert slots.permits()[EXECUTORS[key]] == 2


async def test_a_raised_limit_lets_those_in_who_wait() -> None:
    """Three attempts, one place: after the reload all three are there."""
    lab = await opened("start", {"limits": {"inline": 1}})
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.hang}")
    first = await lab.start(workflow)
    await lab.running()
    others = [await lab.start(workflow), await lab.start(workflow)]
    await lab.until(lambda: lab.core.slots.waiting() == 2)
    assert lab.core.effects.in_flight == 1

    lab.core.reconfigure(Config.model_validate(tree("limits.inline", 3)))

    await lab.running(3)
    for started in (first, *others):
        await lab.ask(started, Cancel(""))
    await lab.close()


@WAYS
@shows("limits.threads")
async def test_so_many_threads_work_at_once(way: str) -> None:
    """The pool of threads is as large as the limit, and a raised limit is used."""
    lab = await opened(way, {"limits": {"threads": 2}})
    workflow = await lab.register("workflow: t\nsteps:\n  a: {uses: mock.thread, with: {duration: 1h}}")
    runs = [await lab.start(workflow) for _ in range(3)]
    await lab.until(lambda: lab.core.slots.waiting() == 1)
    assert lab.core.effects._work.threads.busy == 2

    lab.core.reconfigure(Config.model_validate(tree("limits.threads", 3)))

    await lab.until(lambda: lab.core.effects._work.threads.busy == 3)
    for started in runs:
        await lab.ask(started, Cancel(""))
    await lab.close()


@WAYS
@shows("limits.doors")
def test_so_many_requests_wait_for_the_engine(way: str) -> None:
    """One more does not fit."""
    lanes = core_of(way, "limits.doors", 10).loop.lanes

    assert (lanes.has_room(10), lanes.has_room(11)) == (True, False)


@WAYS
@shows("limits.runs_in_memory")
async def test_so_many_runs_stay_in_memory(way: str) -> None:
    """The sweep lets those go that rest, down to the limit."""
    lab = await opened(way, {"limits": {"runs_in_memory": 10}})
    workflow = await lab.register(WAIT)
    await lab.try_start(workflow, count=13)
    await lab.core.loop.quiet()

    lab.core.residence.sweep()

    assert len(lab.core.residence) == 10
    await lab.close()


@WAYS
@shows("limits.watches")
async def test_so_many_watches_are_open(way: str, tmp_path: Path) -> None:
    """The second of one is refused."""
    limits = {"watches": 1}
    async with running(tmp_path / "d", **({"limits": limits} if way == "start" else {})) as kit:
        if way == "reload":
            kit.server.reconfigure(Config.model_validate({"limits": limits}))
        first = kit.runs.WatchRuns(wire.WatchRunsRequest())
        await first.read()
        assert (await refused(kit.runs.WatchRuns(wire.WatchRunsRequest()))).reason == "WATCHES_FULL"
        first.cancel()


@WAYS
@shows("limits.cancel_grace")
async def test_who_does_not_answer_a_cancel_is_given_up_in_time(way: str, tmp_path: Path) -> None:
    """A deaf attempt ends its run at once where there is no grace."""
    limits = {"cancel_grace": "0s"}
    mock = {"plugins": {"settings": {"mock": {"harmful": True}}}}
    async with running(tmp_path / "d", **mock, **({"limits": limits} if way == "start" else {})) as kit:
        if way == "reload":
            kit.core.reconfigure(Config.model_validate(mock | {"limits": limits}))
        await kit.register(HANG)
        run_id = (await kit.start("hang")).run_id
        end = kit.runs.WatchRun(wire.WatchRunRequest(run=ref(run_id)))
        await end.read()

        await kit.runs.CancelRun(wire.CancelRunRequest(run=ref(run_id)))

        async with asyncio.timeout(25):  # less than the grace there is without the key
            while await end.read() is not grpc.aio.EOF:
                pass
        assert state_name(await kit.get(run_id)) == "CANCELED"


@WAYS
@shows("env")
async def test_documents_read_the_variables_that_are_allowed(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are empty to them."""
    monkeypatch.setenv("REGION", "north")
    monkeypatch.setenv("STAGE", "test")
    lab = await opened(way, {"env": ["REGION"]})

    workflow = "workflow: w\nsteps:\n  a: {uses: mock.echo, with: {value: '${{ env.REGION + \"-\" + env.STAGE }}'}}\n"
    started = await lab.start(await lab.register(workflow + "output: ${{ steps.a.output }}"))
    row = await lab.ended(started)

    assert row.state == RunState.SUCCEEDED
    assert (await lab.core.front.runs.get("default", RunRef(run_id=started.run_id))).output == b'"north-"'
    await lab.close()
