"""How a host's life may go wrong: two that open it, a cancellation in the middle, a loop that ends, a fork."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

from hostd.embedding import Host, HostdError, Workflow, action


@action("shop.once")
async def once(path: str) -> str:
    """Wait for ever the first time, and answer the second time."""
    if not await asyncio.to_thread(Path(path).exists):
        await asyncio.to_thread(Path(path).touch)
        await asyncio.Event().wait()
    return "done"


def workflow(path: Path) -> Workflow:
    """Return one with that function."""
    wf = Workflow("waits", version="1.0.0")
    wf.output(wf.step("it", once.step(path=path)).output)
    return wf


async def test_who_opens_it_at_the_same_time_gets_the_same_host(tmp_path: Path) -> None:
    """The second waits for the first; so do those who close it."""
    host = Host.open(tmp_path)
    first, second = await asyncio.gather(host.__aenter__(), host.__aenter__())
    assert first is second is host
    await asyncio.gather(host.close(), host.close())
    async with Host.open(tmp_path):
        pass


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 21, 34])
async def test_a_cancellation_while_it_opens_leaves_nothing_behind(tmp_path: Path, turns: int) -> None:
    """Wherever it comes: the folder can be opened again, and no task is left."""
    opening = asyncio.ensure_future(Host.open(tmp_path).__aenter__())
    for _ in range(turns):
        await asyncio.sleep(0)
    if opening.cancel():
        with pytest.raises(asyncio.CancelledError):
            await opening
    else:  # the machine was that quick
        await opening.result().close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    async with Host.open(tmp_path) as host:
        assert await host.workflows() == []


@pytest.mark.parametrize("turns", [0, 1, 2, 5, 13])
async def test_a_cancellation_while_it_closes_ends_the_grace_only(tmp_path: Path, turns: int) -> None:
    """What runs is cut off, and goes on in the next host."""
    mark = tmp_path / "mark"
    host = await Host.open(tmp_path / "data", actions=[once])
    run = await host.start(workflow(mark))
    while not await asyncio.to_thread(mark.exists):
        await asyncio.sleep(0.01)
    closing = asyncio.ensure_future(host.close(grace="1h"))
    for _ in range(turns):
        await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await host.close(grace=0)
    async with Host.open(tmp_path / "data", actions=[once]) as host:
        assert await host.result(run.id) == "done"


def test_a_loop_that_ends_before_the_host_is_closed_loses_nothing(tmp_path: Path) -> None:
    """Its attempts are lost and not failed, a warning says so, and the same process opens the folder again."""
    mark = tmp_path / "mark"

    async def forget() -> str:
        host = await Host.open(tmp_path / "data", actions=[once])
        run = await host.start(workflow(mark))
        while not await asyncio.to_thread(mark.exists):
            await asyncio.sleep(0.01)
        return run.id

    async def again(run_id: str) -> object:
        async with Host.open(tmp_path / "data", actions=[once]) as host:
            return await host.result(run_id)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        run_id = asyncio.run(forget())
    assert any("a host was not closed" in str(each.message) for each in said)
    assert asyncio.run(again(run_id)) == "done"


def test_a_host_that_could_not_be_made_leaves_no_noise() -> None:
    """What was wrong with it is all that is said."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(HostdError, match="namespace"):
            Host.open(namespace="No Name")
        gc.collect()


FORKED = """
import asyncio, os, sys
from hostd.embedding import Host, HostdError

def told(call):
    try:
        return call()
    except HostdError as error:
        return error.reason + ": " + error.message

with Host.blocking(sys.argv[1]) as host:
    child = os.fork()
    if child == 0:
        said = told(host.list_runs)
        host.close()
        print(said, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print(host.list_runs(), flush=True)

async def main():
    async with Host.open(sys.argv[1]) as host:
        child = os.fork()
        if child == 0:
            print(told(lambda: host.core), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(await host.list_runs(), flush=True)

asyncio.run(main())
"""


def test_a_forked_process_is_told_and_takes_nothing_from_its_parent(tmp_path: Path) -> None:
    """Calls are refused instead of hanging, closing does nothing; the parent's host goes on."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    refused, runs, refused_too, runs_too = done.stdout.splitlines()
    assert refused == refused_too
    assert refused.startswith("ARGUMENT_INVALID: the host belongs to the process that opened it")
    assert (runs, runs_too, done.stderr) == ("[]", "[]", "")


def test_threads_may_open_and_close_a_blocking_host_at_once(tmp_path: Path) -> None:
    """Each returns when it is open, and when it is closed; who asked meanwhile is told."""
    host = Host.blocking(tmp_path)
    wrong: list[BaseException] = []

    def at_once(*calls: object) -> None:
        def call(one: object) -> None:
            try:
                one()  # type: ignore[operator]
            except HostdError as error:
                if error.reason != "DRAINING":
                    wrong.append(error)
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=call, args=(one,)) for one in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)

    for _ in range(5):
        at_once(*[host.open] * 4)
        assert host.list_runs() == []
        at_once(host.close, host.list_runs, host.close, host.list_runs, host.list_runs, host.close)
    assert wrong == []
