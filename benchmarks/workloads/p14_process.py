"""P14: what it costs to have an action in a plugin's process instead of inside the daemon.

A call: an attempt of a trivial action in the process and its outcome, one after another, without a workflow. Floor: a
ping to that very process and its answer: a frame there and a frame back, over the same stream, with nothing to do.
A step: the same as one of ten steps of a run, each durable. Floor: those steps where the action is inside the daemon.
At once: steps a second of 100 such runs going on together. Floor: steps a second of the same runs where the action is
inside the daemon. 1 would be: a process is free.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from benchmarks.bench import Bench, Skipped
from benchmarks.documents import chain
from benchmarks.in_process import open_core, run_all
from benchmarks.measurement import Measurement, against_floor
from hostd.config.rooms import Config, Plugins
from hostd.core import Core
from hostd.host.process.plugin_process import PluginProcess
from hostd.host.process.remote import RemoteAction
from hostd.plugin.v1 import host_pb2 as pb

PLUGIN, ACTION = "mock", "mock.noop"
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

        async def call() -> float:
            action = RemoteAction(process, ACTION)
            started_s = time.perf_counter()
            for number in range(STEPS * IN_A_SAMPLE):
                await _attempt(action, f"r{number}")
            return (time.perf_counter() - started_s) / STEPS / IN_A_SAMPLE * 1e3

        async def step(core: Core) -> float:
            took_s = [await run_all(core, name, 1) for _ in range(IN_A_SAMPLE)]
            return sum(took_s) / STEPS / IN_A_SAMPLE * 1e3

        async def ping() -> float:
            started_s = time.perf_counter()
            for _ in range(STEPS * IN_A_SAMPLE):
                await process.ask(pb.FromHost(ping=pb.Ping()))
            return (time.perf_counter() - started_s) / STEPS / IN_A_SAMPLE * 1e3

        async def many(core: Core) -> float:
            return runs * STEPS / await run_all(core, name, runs)

        for core in (far, near):
            await many(core)
        calls = await bench.interleave(call=call, ping=ping)
        steps = await bench.interleave(far=partial(step, far), near=partial(step, near))
        at_once = await bench.interleave(far=partial(many, far), near=partial(many, near))
    title = f"{runs} runs of {STEPS} steps at once, in a plugin's process / inside"
    return [
        against_floor("P14", "a call in a plugin's process / a ping", calls["call"], calls["ping"], unit="ms"),
        against_floor("P14", "a step in a plugin's process / inside", steps["far"], steps["near"], unit="ms"),
        against_floor("P14", title, at_once["far"], at_once["near"], unit="steps/s"),
    ]


class _Context:
    """As much of an attempt's context as a process is told of."""

    namespace, workflow, step, attempt = "default", "bench", "only", 1
    deadline = progress = None
    idempotency_key = "key"
    log = logging.getLogger("benchmarks")
    when_recorded: Callable[[], object] | None = None
    trace: Mapping[str, str] = MappingProxyType({})

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id


async def _attempt(action: RemoteAction, run_id: str) -> None:
    context = _Context(run_id)
    await action.run(context, b"{}")
    if context.when_recorded is not None:
        context.when_recorded()


def process_of(core: Core) -> PluginProcess:
    """Return the plugin's process. Raises Skipped where it does not run."""
    found = core.host.processes.known.get(PLUGIN) if core.host.processes is not None else None
    if found is None or not found.pid:
        raise Skipped(f"plugin {PLUGIN} has no process")
    return found
