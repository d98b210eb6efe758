"""P1: what the engine adds to the disk when one run goes through 40 steps, one after another, each durable.

Value: one run of 40 no-op steps in process, from its start until its end is durable (41 commits). Floor: 40 rows of
that very run, each in a commit of its own, into the same table with the same settings. 1 would be: the engine is free.
"""

from __future__ import annotations

import statistics

from benchmarks.bench import Bench
from benchmarks.documents import chain
from benchmarks.in_process import open_core, run_all
from benchmarks.measurement import Measurement, against_floor
from benchmarks.raw_rows import RawFile, Statement, Tap, statements_of

STEPS = 40
IN_A_SAMPLE = 10


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P1."""
    folder = bench.scratch("p1")
    steps = bench.scaled(STEPS)
    async with open_core(folder / "host", chain(steps)) as core:
        name = f"chain{steps}"
        tap = Tap(core.journal)
        core.loop.ends.journal = tap
        await run_all(core, name, 1)
        model = tap.take()
        core.loop.ends.journal = core.journal
        raw = RawFile(folder)

        def lone_rows() -> list[list[Statement]]:
            """Number the model's rows anew and keep the record rows, without those of the run index."""
            written = [statements_of(batch, raw.counters)[:1] for batch in model]
            run = raw.counters.run = raw.counters.run + 1
            return [[(sql, [(row[0], run, *row[2:]) for row in rows])] for [(sql, rows)] in written][-steps:]

        async def engine() -> float:
            return statistics.median([await run_all(core, name, 1) for _ in range(IN_A_SAMPLE)])

        async def floor() -> float:
            prepared = [lone_rows() for _ in range(IN_A_SAMPLE)]
            return statistics.median([raw.write(rows) for rows in prepared])

        await floor()
        samples = await bench.interleave(rounds=bench.rounds * 2, engine=engine, floor=floor)
        raw.close()
    value, lone = ([seconds * 1e3 for seconds in samples[key]] for key in ("engine", "floor"))
    return [against_floor("P1", f"one run of {steps} steps / lone commits", value, lone, unit="ms")]
