"""P2: what the engine adds when a thousand runs go on at once and commits are shared.

Value: 1,000 runs of ten no-op steps in process, from the first start until the last end is durable; each completion is
durable before the next step starts. Floor: the rows that these runs wrote, in the same batches, with the same
statements, from one thread that does nothing else. The steps a second are the value said the other way round.
"""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.documents import chain
from benchmarks.in_process import open_core, run_all
from benchmarks.measurement import Measurement, against_floor, plain
from benchmarks.raw_rows import RawFile, Tap, statements_of
from hostd.journal.port import Batch

RUNS = 1_000
STEPS = 10


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P2."""
    folder = bench.scratch("p2")
    runs = bench.scaled(RUNS)
    async with open_core(folder / "host", chain(STEPS)) as core:
        core.loop.ends.journal = tap = Tap(core.journal)
        raw = RawFile(folder)
        written: list[list[Batch]] = []

        async def engine() -> float:
            took_s = await run_all(core, f"chain{STEPS}", runs)
            written[:] = [tap.take()]
            return took_s

        async def floor() -> float:
            """Write what the last runs wrote; each batch once, for its rows are in the table then."""
            if not written:
                await engine()
            return raw.write([statements_of(batch, raw.counters) for batch in written.pop()])

        await floor()
        samples = await bench.interleave(engine=engine, floor=floor)
        raw.close()
    value, rows = ([seconds * 1e3 for seconds in samples[key]] for key in ("engine", "floor"))
    rates = [runs * STEPS / seconds for seconds in samples["engine"]]
    return [
        against_floor("P2", f"{runs} runs of {STEPS} steps at once / the same rows", value, rows, unit="ms"),
        plain("P2", "steps a second", rates, unit="steps/s"),
    ]
