"""P12: how long one waits before anything happens, in units of starting Python itself.

`hostd --version` (no gRPC imported), `hostd health` against a running daemon (a command that is one rpc), and a daemon
on a fresh data folder until its port answers; each against `python -c pass`. Processor time where a process ends,
because it is steady on a busy machine; the daemon's is wall time, for it also waits for its own parts. Byte code is
compiled, each has been started once before.
"""

from __future__ import annotations

import time

from benchmarks import children
from benchmarks.bench import Bench
from benchmarks.daemons import answering, daemon, start, stop
from benchmarks.measurement import Measurement, against_floor

REPEATS = 3


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P12."""
    folder = bench.scratch("p12")
    walls: list[float] = []

    async def cpu_ms(arguments: list[str]) -> float:
        return min([(await children.run(arguments)).cpu_s for _ in range(REPEATS)]) * 1e3

    async def bare() -> float:
        taken = [await children.run(["-c", "pass"]) for _ in range(REPEATS)]
        walls.append(min(each.wall_s for each in taken) * 1e3)
        return min(each.cpu_s for each in taken) * 1e3

    async def version() -> float:
        return await cpu_ms(["-m", "hostd", "--version"])

    async def until_it_answers() -> float:
        data = bench.scratch("p12") / "data"
        started_s = time.perf_counter()
        process = await start(data)
        try:
            async with answering(data, process):
                return (time.perf_counter() - started_s) * 1e3
        finally:
            await stop(process)

    async with daemon(folder / "data"):

        async def rpc() -> float:
            return await cpu_ms(["-m", "hostd", "health", "--data", str(folder / "data")])

        await version()
        await rpc()
        samples = await bench.interleave(bare=bare, version=version, rpc=rpc, daemon=until_it_answers)
    bare_ms = samples["bare"]
    return [
        against_floor(
            "P12", "hostd --version, processor time / python -c pass", samples["version"], bare_ms, unit="ms"
        ),
        against_floor("P12", "one rpc command, processor time / python -c pass", samples["rpc"], bare_ms, unit="ms"),
        against_floor(
            "P12", "daemon until its port answers, wall / python -c pass", samples["daemon"], walls, unit="ms"
        ),
    ]
