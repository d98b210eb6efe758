"""The Python client against a real daemon that is killed in the middle of what it does."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from processes import DaemonProcess

from hostd.client import Retry, RunHandle, Start, connect, connect_blocking, errors

ECHO = """
workflow: echo
steps:
  say: {uses: mock.echo, with: {value: "${{ input.n }}"}}
output: ${{ steps.say.output }}
"""
REST = """
workflow: rest
steps:
  rest: {uses: flow.wait, with: {duration: 3s}}
output: rested
"""
PATIENT = Retry(give_up_s=120.0, unseen=True)
LONG_S = 120.0
FILTER = 'labels.kept == "token"'


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon with two workflows; the client waits for it by itself."""
    daemon = DaemonProcess(tmp_path_factory.mktemp("kills"))
    try:
        daemon.start()
        with connect_blocking(data=daemon.data, timeout_s=LONG_S, retry=PATIENT) as client:
            client.register(ECHO)
            client.register(REST)
        yield daemon
    finally:
        daemon.close()


def kill_and_spawn(daemon: DaemonProcess) -> None:
    """Kill the daemon, start the next one and wait for nothing."""
    daemon.stop(signal.SIGKILL)
    daemon.spawn()


@pytest.mark.timeout(300)
async def test_each_start_starts_one_run_through_kills(daemon: DaemonProcess) -> None:
    """A loop of starts goes on while the daemon is killed: every call returns, and there is one run for each."""
    handles: list[tuple[int, RunHandle]] = []
    stop = asyncio.Event()

    async with connect(data=daemon.data, timeout_s=LONG_S, retry=PATIENT) as client:

        async def starting(lane: int) -> None:
            number = lane
            while not stop.is_set():
                handles.append(
                    (number, await client.start("echo", {"n": number}, labels={"n": str(number), "kept": "loop"}))
                )
                number += 10

        async with asyncio.TaskGroup() as group:
            for lane in range(8):
                group.create_task(starting(lane))
            await grown(handles)
            await asyncio.to_thread(kill_and_spawn, daemon)
            await grown(handles)
            stop.set()
        runs = [run async for run in client.list_runs('labels.kept == "loop"')]
        assert Counter(run.run_id for run in runs) == Counter(handle.run_id for _, handle in handles)
        assert Counter(run.labels["n"] for run in runs) == Counter(str(number) for number, _ in handles)
        number, handle = handles[-1]
        assert await handle.result(timeout_s=LONG_S) == number
        assert await client.count('labels.kept == "loop"') == len(handles)


@pytest.mark.timeout(300)
async def test_watches_and_waits_go_on_through_a_kill(daemon: DaemonProcess) -> None:
    """What was being waited for, watched and subscribed to arrives after the restart, once."""
    async with connect(data=daemon.data, timeout_s=LONG_S, retry=PATIENT) as client:
        handles = await client.start_many([Start("rest", labels={"team": "a"}), Start("rest"), Start("none")])
        assert isinstance(handles[2], errors.WorkflowMissing)
        run, other = (each for each in handles if isinstance(each, RunHandle))
        watch, records = client.watch_runs('labels.team == "a"'), run.watch()
        first = [await anext(watch), await anext(records)]
        events = client.subscribe("news.*", after=0)
        published = await client.publish("news.a", {"n": 1})
        assert (await anext(events)).data == {"n": 1}
        waiting = [asyncio.ensure_future(run.result()), asyncio.ensure_future(client.execute("rest"))]
        await asyncio.to_thread(kill_and_spawn, daemon)
        again = await client.publish("news.b", {"n": 2})
        assert [(one.data, one.position) async for one in taken(events, 1)] == [({"n": 2}, again.position)]
        assert again.position > published.position
        output, executed = await asyncio.gather(*waiting)
        assert (output, executed.result(), (await other.wait()).succeeded) == ("rested", "rested", True)
        assert await client.count('workflow == "rest"') == 3
        seen = [first[1], *[record async for record in records]]
        assert [record.seq for record in seen] == list(range(len(seen)))
        assert (seen[0].kind, seen[-1].kind) == ("RUN_STARTED", "RUN_ENDED")
        async for change in watch:
            if change.run.final:
                break
        assert change.run.run_id == run.run_id
        await watch.aclose()
        await events.aclose()


async def grown(handles: list[Any]) -> None:
    """Wait until there are forty more."""
    begun = len(handles)
    while len(handles) < begun + 40:
        await asyncio.sleep(0.01)


async def taken(watch: Any, count: int) -> Any:
    """Yield so many items of a watch."""
    for _ in range(count):
        yield await anext(watch)


@pytest.mark.timeout(300)
def test_a_token_outlives_client_and_daemon(daemon: DaemonProcess) -> None:
    """Who keeps `resume_token` goes on where it was, in another process of the daemon, with another client."""
    with connect_blocking(data=daemon.data) as client:
        first = client.execute("echo", {"n": 1}, labels={"kept": "token"})
        with client.watch_runs(FILTER) as watch:
            assert [change.run.run_id for change in watch.snapshot()] == [first.run_id]
            token = watch.resume_token
    kill_and_spawn(daemon)
    with connect_blocking(data=daemon.data, timeout_s=LONG_S, retry=PATIENT) as client:
        run = client.execute("echo", {"n": 3}, labels={"kept": "token"})
        with client.watch_runs(FILTER, resume_token=token) as watch:
            assert next(watch).run.run_id == run.run_id  # and not the first one again
        with pytest.raises(errors.ResumeTokenInvalid):
            next(client.watch_runs(resume_token="nonsense"))
