"""P13: what a step adds to a script.

Value: one of ten trivial scripts that are steps of a run, one after another, each durable. Floor: the same script
handed to the daemon's pool of workers and answered, ten times, without a workflow around it.
"""

from __future__ import annotations

import time

from benchmarks.bench import Bench, Skipped
from benchmarks.documents import TRIVIAL, lua_chain
from benchmarks.in_process import open_core, run_all
from benchmarks.measurement import Measurement, against_floor
from hostd.errors.base import HostdError
from hostd.lua.call import ScriptCall
from hostd.lua.ports import NoHostCalls

STEPS = 10
IN_A_SAMPLE = 5


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P13."""
    async with open_core(bench.scratch("p13"), lua_chain(STEPS)) as core:
        try:
            await core.lua.start()
        except HostdError as error:
            raise Skipped(error.message) from error

        async def step() -> float:
            took_s = [await run_all(core, f"lua{STEPS}", 1) for _ in range(IN_A_SAMPLE)]
            return sum(took_s) / STEPS / IN_A_SAMPLE * 1e3

        async def bare() -> float:
            call = ScriptCall(source=TRIVIAL)
            started_s = time.perf_counter()
            for _ in range(STEPS * IN_A_SAMPLE):
                await core.lua.run(call, NoHostCalls())
            return (time.perf_counter() - started_s) / STEPS / IN_A_SAMPLE * 1e3

        await step()
        await bare()
        samples = await bench.interleave(step=step, bare=bare)
    return [
        against_floor("P13", "a trivial Lua step / bare worker round trip", samples["step"], samples["bare"], unit="ms")
    ]
