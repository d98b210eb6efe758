"""P14: what it costs to have an action in a plugin's process instead of inside the daemon.

Alone: one of ten trivial steps of a run, one after another, each durable, done by a plugin's process. Floor: a ping to
that very process and its answer: a frame there and a frame back, over the same stream, with nothing to do.
At once: steps a second of 100 such runs going on together. Floor: steps a second of the same runs where the action is
inside the daemon. 1 would be: a process is free.
"""

from __future__ import annotations

import time

from benchmarks.bench import Bench, Skipped
from benchmarks.documents import chain
from benchmarks.in_process import open_core, run_all
from benchmarks.measurement import Measurement, against_floor
from hostd.config.rooms import Config, Plugins
from hostd.core import Core
from hostd.host.process.plugin_process import PluginProcess
from hostd.plugin.v1 import host_pb2 as pb

PLUGIN = "mock"
STEPS = 10
IN_A_SAMPLE = 5
RUNS = 100


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P14."""
    runs = bench.scaled(RUNS)
    apart = Config(plugins=Plugins(process=(PLUGIN,)))
    folder, document, name = bench.scratch("p14"), chain(STEPS), f"chain{STEPS}"
    async with open_core(folder / "far", document, config=apart) as far, open_core(folder / "near", document) as near:
        process = process_of(far)

        async def step() -> float:
            took_s = [await run_all(far, name, 1) for _ in range(IN_A_SAMPLE)]
            return sum(took_s) / STEPS / IN_A_SAMPLE * 1e3

        async def ping() -> float:
            started_s = time.perf_counter()
            for _ in range(STEPS * IN_A_SAMPLE):
                await process.ask(pb.FromHost(ping=pb.Ping()))
            return (time.perf_counter() - started_s) / STEPS / IN_A_SAMPLE * 1e3

        async def many_far() -> float:
            return runs * STEPS / await run_all(far, name, runs)

        async def many_near() -> float:
            return runs * STEPS / await run_all(near, name, runs)

        for variant in (step, ping, many_far, many_near):
            await variant()
        alone = await bench.interleave(step=step, ping=ping)
        many = await bench.interleave(far=many_far, near=many_near)
    title = f"{runs} runs of {STEPS} steps at once, in a plugin's process / inside"
    return [
        against_floor("P14", "a step in a plugin's process / ping", alone["step"], alone["ping"], unit="ms"),
        against_floor("P14", title, many["far"], many["near"], unit="steps/s"),
    ]


def process_of(core: Core) -> PluginProcess:
    """Return the plugin's process. Raises Skipped where it does not run."""
    found = core.host.processes.known.get(PLUGIN) if core.host.processes is not None else None
    if found is None or not found.pid:
        raise Skipped(f"plugin {PLUGIN} has no process")
    return found
