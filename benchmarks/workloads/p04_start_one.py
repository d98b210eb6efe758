"""P4: what a start costs over a call that does nothing.

Value: StartRun calls a second, 32 in flight, each answered after its commit. Floor: calls a second of the standard
health check of the same server, same client, 32 in flight: it passes the same door and answers from memory. The run
started has one step that the engine does itself, so that little but the start is measured. Client and server are both
Python programs; where they share processors, both rates fall alike.
"""

from __future__ import annotations

import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from benchmarks.bench import Bench
from benchmarks.daemons import daemon
from benchmarks.documents import instant
from benchmarks.measurement import Measurement, against_floor
from benchmarks.over_grpc import calls_a_second
from hostd.v1.run_service_pb2 import StartRunRequest, StartSpec

CALLS = 1_000
IN_FLIGHT = 32


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P4."""
    calls = bench.scaled(CALLS)
    request = StartRunRequest(start=StartSpec(workflow="instant"))
    async with (
        daemon(bench.scratch("p4") / "data", instant()) as (client, _),
        grpc.aio.insecure_channel(client.door.address) as channel,
    ):
        check = HealthStub(channel).Check
        start_run = client.runs.StartRun

        async def starts() -> float:
            return await calls_a_second(lambda: client.call(start_run, request), calls, in_flight=IN_FLIGHT)

        async def empty() -> float:
            nothing = HealthCheckRequest()
            return await calls_a_second(lambda: client.call(check, nothing), calls, in_flight=IN_FLIGHT)

        await starts()
        await empty()
        samples = await bench.interleave(starts=starts, empty=empty)
    title = f"StartRun, {IN_FLIGHT} in flight / empty call"
    return [against_floor("P4", title, samples["starts"], samples["empty"], unit="calls/s")]
