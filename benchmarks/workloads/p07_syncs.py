"""P7: how often the disk is asked to flush, counted by strace: time says nothing about it on a disk that is quick.

A process that runs the workload is counted, and one that only opens and closes the same host is taken off. P1: flushes
a step of forty-step chains, where 41 / 40 is the least. P2: all flushes of 1,000 ten-step runs at once, where 11 is:
the starts, and ten rounds of completions. Checkpoints are counted like the rest.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from benchmarks.bench import Bench, Skipped
from benchmarks.documents import chain
from benchmarks.in_process import open_core, run_all
from benchmarks.measurement import Measurement

CHAIN_STEPS, CHAINS = 40, 10
MANY_STEPS, MANY = 10, 1_000


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P7."""
    strace = shutil.which("strace")
    if strace is None:
        raise Skipped("strace is not installed")
    steps, many = bench.scaled(CHAIN_STEPS), bench.scaled(MANY)
    idle = await _syncs(strace, bench.scratch("p7"), steps, 1, 0)
    chains = await _syncs(strace, bench.scratch("p7"), steps, 1, CHAINS) - idle
    at_once = await _syncs(strace, bench.scratch("p7"), MANY_STEPS, many, 1) - idle
    a_step = chains / (CHAINS * steps)
    name = f"disk syncs, {many} runs of {MANY_STEPS} steps at once"
    floor = float(MANY_STEPS + 1)
    return [
        Measurement(workload="P7", name="disk syncs a step, one run", value=a_step, unit="", floor=1.0, ratio=a_step),
        Measurement(workload="P7", name=name, value=at_once, unit="", floor=floor, ratio=at_once / floor),
    ]


async def _syncs(strace: str, folder: Path, steps: int, runs: int, times: int) -> int:
    """Return how many flushes a process makes that runs the workload so many times."""
    trace = folder / "trace"
    command = [strace, "-f", "-qq", "-o", str(trace), "-e", "trace=fdatasync,fsync", sys.executable]
    arguments = ["-m", __name__, str(folder / "host"), str(steps), str(runs), str(times)]
    child = await asyncio.create_subprocess_exec(*command, *arguments, stderr=asyncio.subprocess.PIPE)
    _, complaint = await child.communicate()
    if child.returncode:
        raise Skipped(f"strace could not count: {complaint.decode(errors='replace').strip()[-200:]}")
    return sum(1 for line in trace.read_text().splitlines() if "sync(" in line)


async def _work(host: Path, steps: int, runs: int, times: int) -> None:
    async with open_core(host, chain(steps)) as core:
        for _ in range(times):
            await run_all(core, f"chain{steps}", runs)


if __name__ == "__main__":
    asyncio.run(_work(Path(sys.argv[1]), *(int(argument) for argument in sys.argv[2:5])))
