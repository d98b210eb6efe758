"""P6: what it is worth that a watch stream carries many changes a message.

Value: runs a second that a client reads from the snapshot of WatchRuns. Floor: the same snapshot of a daemon that is
made to send one change a message and is otherwise the same.
"""

from __future__ import annotations

import time

from benchmarks.bench import Bench
from benchmarks.daemons import daemon
from benchmarks.documents import instant
from benchmarks.measurement import Measurement, against_floor
from benchmarks.over_grpc import start_request, start_runs, watch_runs
from hostd.client import Client

RUNS = 5_000
ONE_CHANGE = ("-m", "benchmarks.one_change_daemon", "serve")


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P6."""
    runs = bench.scaled(RUNS)
    folder = bench.scratch("p6")
    async with (
        daemon(folder / "batched", instant()) as (batched, _),
        daemon(folder / "single", instant(), program=ONE_CHANGE) as (single, _),
    ):
        for client in (batched, single):
            for begun in range(0, runs, 100):
                await start_runs(client, start_request("instant", min(100, runs - begun)))
            await _snapshot_rate(client, runs)

        async def many() -> float:
            return await _snapshot_rate(batched, runs)

        async def one() -> float:
            return await _snapshot_rate(single, runs)

        samples = await bench.interleave(many=many, one=one)
    title = "watch snapshot, changes a second, batched / one a message"
    return [against_floor("P6", title, samples["many"], samples["one"], unit="changes/s")]


async def _snapshot_rate(client: Client, runs: int) -> float:
    """Return the changes a second of a whole snapshot."""
    seen = 0
    started_s = time.perf_counter()
    async with watch_runs(client, skip_snapshot=False) as messages:
        async for message in messages:
            seen += len(message.changes)
            if message.snapshot_end:
                break
        took_s = time.perf_counter() - started_s
    if seen != runs:
        raise RuntimeError(f"the snapshot held {seen} of {runs} runs")
    return seen / took_s
