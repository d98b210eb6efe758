"""P5: what it is worth to start a hundred runs in one message.

Value: runs a second started by StartRuns of 100, one message in flight, each answered after its commit. Floor: empty
calls a second, one in flight, of the same server and client (see P4). The run started is P4's.
"""

from __future__ import annotations

import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from benchmarks.bench import Bench
from benchmarks.daemons import daemon
from benchmarks.documents import instant
from benchmarks.measurement import Measurement, against_floor
from benchmarks.over_grpc import STARTS_A_MESSAGE, calls_a_second, start_request, start_runs

MESSAGES = 20
CALLS = 400


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P5."""
    messages, calls = bench.scaled(MESSAGES), bench.scaled(CALLS)
    request = start_request("instant")
    async with (
        daemon(bench.scratch("p5") / "data", instant()) as (client, _),
        grpc.aio.insecure_channel(client.door.address) as channel,
    ):
        check = HealthStub(channel).Check

        async def starts() -> float:
            rate = await calls_a_second(lambda: start_runs(client, request), messages, in_flight=1)
            return rate * STARTS_A_MESSAGE

        async def empty() -> float:
            nothing = HealthCheckRequest()
            return await calls_a_second(lambda: client.call(check, nothing), calls, in_flight=1)

        await starts()
        await empty()
        samples = await bench.interleave(starts=starts, empty=empty)
    title = f"StartRuns of {STARTS_A_MESSAGE}, runs a second / empty calls a second"
    return [against_floor("P5", title, samples["starts"], samples["empty"], unit="runs/s")]
