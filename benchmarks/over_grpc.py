"""Work done through a daemon's door, as a client program would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

from hostd.client import Client
from hostd.v1.run_pb2 import RUN_STATE_SUCCEEDED
from hostd.v1.run_service_pb2 import StartRunsRequest, StartSpec, WatchRunsRequest, WatchRunsResponse

STARTS_A_MESSAGE = 100


async def calls_a_second(call: Callable[[], Awaitable[object]], count: int, *, in_flight: int) -> float:
    """Return the rate of `count` calls, so many at once."""
    left = count

    async def caller() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    started_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(caller())
    return count / (time.perf_counter() - started_s)


def start_request(workflow: str, count: int = STARTS_A_MESSAGE) -> StartRunsRequest:
    """Return a message that starts so many runs."""
    return StartRunsRequest(starts=[StartSpec(workflow=workflow)] * count)


async def start_runs(client: Client, request: StartRunsRequest) -> list[str]:
    """Start runs and return their ids. Raises RuntimeError where one was refused."""
    answer = await client.call(client.runs.StartRuns, request)
    for result in answer.results:
        if result.HasField("failure"):
            raise RuntimeError(f"a start was refused: {result.failure}")
    return [result.started.run_id for result in answer.results]


@asynccontextmanager
async def watch_runs(client: Client, *, skip_snapshot: bool) -> AsyncIterator[AsyncIterator[WatchRunsResponse]]:
    """Yield the messages of a watch over all runs; ends the call afterwards."""
    request = WatchRunsRequest(skip_snapshot=skip_snapshot)
    async with aclosing(client.stream(client.runs.WatchRuns, request)) as messages:
        yield messages


async def run_all(client: Client, workflow: str, count: int) -> float:
    """Start runs, a hundred a message, and watch until every end was seen; return the seconds from the first start.

    Raises:
        RuntimeError: a run did not succeed.
    """
    sizes = [min(STARTS_A_MESSAGE, count - begun) for begun in range(0, count, STARTS_A_MESSAGE)]
    requests = [start_request(workflow, size) for size in sizes]
    ended: set[str] = set()
    wanted: set[str] | None = None
    async with watch_runs(client, skip_snapshot=True) as messages:
        await anext(messages)  # the watch stands
        started_s = time.perf_counter()
        starting = asyncio.gather(*(start_runs(client, request) for request in requests))
        async for message in messages:
            ended.update(_ended(message))
            if len(ended) < count:
                continue
            if wanted is None:
                wanted = {run_id for run_ids in await starting for run_id in run_ids}
            if wanted <= ended:
                return time.perf_counter() - started_s
    raise RuntimeError("the watch ended")


def _ended(message: WatchRunsResponse) -> list[str]:
    """Return the ids of runs that have ended. Raises RuntimeError for one that did not succeed."""
    runs = [change.run for change in message.changes if change.run.state >= RUN_STATE_SUCCEEDED]
    for run in runs:
        if run.state != RUN_STATE_SUCCEEDED:
            raise RuntimeError(f"a run did not succeed: {run}")
    return [run.run_id for run in runs]
