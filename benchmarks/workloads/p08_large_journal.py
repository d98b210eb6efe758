"""P8: whether a journal that holds many runs is slower to start runs in than one that holds few.

Value: runs a second started a hundred a commit in a core over a journal with 100,000 finished runs (a million with
`--full`). Floor: the same over a journal with a thousand. 1 would be: size does not matter. The large journal is
written by the journal's own statements and flushed before anything is measured.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.documents import instant
from benchmarks.in_process import NAMESPACE, open_core, start_runs
from benchmarks.measurement import Measurement, against_floor
from benchmarks.raw_rows import RawFile, statements_of
from hostd.core import Core
from hostd.journal.port import Batch, NewRun, Row
from hostd.model.ids import make_run_id, stored_id
from hostd.model.states import RunState

FEW, MANY, MANY_FULL = 1_000, 100_000, 1_000_000
A_COMMIT = 100
COMMITS = 20
BODY = bytes(120)  # as wide as the records of a small run
SPACING_MS = 10


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P8."""
    many = bench.scaled(MANY_FULL if bench.full else MANY, least=FEW)
    folder = bench.scratch("p8")
    for name, count in (("few", FEW), ("many", many)):
        fill(folder / name, count, bench.dice)
    async with open_core(folder / "few", instant()) as few, open_core(folder / "many", instant()) as large:

        async def in_few() -> float:
            return await _rate(few)

        async def in_many() -> float:
            return await _rate(large)

        await in_few()
        await in_many()
        samples = await bench.interleave(few=in_few, many=in_many)
    title = f"starts in a journal with {many:,} runs / with {FEW:,}"
    return [against_floor("P8", title, samples["many"], samples["few"], unit="runs/s")]


async def _rate(core: Core) -> float:
    """Return the runs a second that can be started, each hundred durable before the next."""
    started_s = time.perf_counter()
    for _ in range(COMMITS):
        await start_runs(core, "instant", A_COMMIT)
    return COMMITS * A_COMMIT / (time.perf_counter() - started_s)


def fill(data: Path, count: int, dice: random.Random) -> None:
    """Write a journal with so many finished runs."""
    data.mkdir(parents=True)
    raw = RawFile(data, "journal.db")
    at_ms = time.time_ns() // 1_000_000 - count * SPACING_MS
    for first in range(1, count + 1, 1_000):
        keys = range(first, min(first + 1_000, count + 1))
        batch = Batch(at_ms + first * SPACING_MS)
        batch.rows = [Row(key, 0, 4, BODY) for key in keys]
        batch.new_runs = [_run(key, at_ms + key * SPACING_MS, dice) for key in keys]
        raw.write([statements_of(batch, raw.counters)])
    raw.close()
    file = os.open(data / "journal.db", os.O_RDWR)
    os.fsync(file)
    os.close(file)


def _run(key: int, at_ms: int, dice: random.Random) -> NewRun:
    run_id = make_run_id(dice.getrandbits(16), at_ms, dice.getrandbits(66))
    return NewRun(key, NAMESPACE, stored_id(run_id), f"filled{key % 20}", "v1", int(RunState.SUCCEEDED))
