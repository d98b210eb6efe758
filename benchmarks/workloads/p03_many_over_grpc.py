"""P3: what is left of P2's throughput for a client on the other side of a socket.

Value: steps a second of 1,000 ten-step runs, started a hundred a message, until the client, in another process, has
seen every end on one watch stream. Floor: steps a second of the same runs in process, in the same round. 1 would be:
the door is free. The client is a Python program and needs a processor of its own.
"""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.daemons import daemon
from benchmarks.documents import chain
from benchmarks.in_process import open_core
from benchmarks.in_process import run_all as run_all_here
from benchmarks.measurement import Measurement, against_floor
from benchmarks.over_grpc import run_all

RUNS = 1_000
STEPS = 10


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P3."""
    folder = bench.scratch("p3")
    runs = bench.scaled(RUNS)
    document, name = chain(STEPS), f"chain{STEPS}"
    async with daemon(folder / "far", document) as (client, _), open_core(folder / "near", document) as core:

        async def far() -> float:
            return runs * STEPS / await run_all(client, name, runs)

        async def near() -> float:
            return runs * STEPS / await run_all_here(core, name, runs)

        await far()
        await near()
        samples = await bench.interleave(far=far, near=near)
    title = f"{runs} runs of {STEPS} steps over gRPC / in process"
    return [against_floor("P3", title, samples["far"], samples["near"], unit="steps/s")]
