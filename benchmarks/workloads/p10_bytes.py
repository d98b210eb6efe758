"""P10: what a run costs to keep.

In memory: what stays allocated for each run that has five of ten steps behind it (each with an output of three keys)
and waits in the sixth, run state, index and timer included. On disk: what the journal's file grows by for each
finished run of ten no-op steps, indexes included, after a checkpoint.
"""

from __future__ import annotations

import asyncio
import gc
import linecache
import tracemalloc
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.documents import chain, halfway
from benchmarks.in_process import open_core, run_all, start_runs
from benchmarks.measurement import Measurement, plain
from hostd.core import Core
from hostd.engine.state import Run

RUNS = 1_000
STEPS = 10


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P10."""
    runs = bench.scaled(RUNS)
    in_memory = await _waiting_bytes(bench.scratch("p10"), runs)
    on_disk = await _finished_bytes(bench.scratch("p10"), runs)
    return [
        plain("P10", "a waiting ten-step run in memory", [in_memory], unit="bytes"),
        plain("P10", "a finished ten-step run on disk", [on_disk], unit="bytes"),
    ]


async def _waiting_bytes(folder: Path, runs: int) -> float:
    """Return the bytes that Python holds for each of `runs` waiting runs."""
    async with open_core(folder, halfway()) as core:
        await _settle(core, runs)  # caches, and what is made once
        tracemalloc.start()
        try:
            before = _held()
            await _settle(core, runs)
            return (_held() - before) / runs
        finally:
            tracemalloc.stop()


async def _settle(core: Core, runs: int) -> None:
    """Start runs and see them all wait."""
    keys = await start_runs(core, "halfway", runs)
    while any(_steps_done(core, key) < STEPS // 2 for key in keys):
        await asyncio.sleep(0.01)
    await core.loop.quiet()


def _steps_done(core: Core, key: int) -> int:
    resident = core.loop.residence.get(key)
    if resident is None:
        raise RuntimeError(f"run {key} left memory while it was counted")
    run: Run = resident.run
    return len(run.outputs)


def _held() -> int:
    linecache.clearcache()  # what the watch of the event loop reads to tell of a stall, such as tracing's
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def _finished_bytes(folder: Path, runs: int) -> float:
    """Return the bytes by which the closed journal's file grows for each finished run."""
    journal = folder / "journal.db"
    sizes = []
    for count in (runs, runs):  # the first round fills the pages that are there anyway
        async with open_core(folder, chain(STEPS)) as core:
            await run_all(core, f"chain{STEPS}", count)
        sizes.append(journal.stat().st_size)
    return (sizes[1] - sizes[0]) / runs
