"""P9: how fast runs come back into memory after a start.

Value: records a second read from the journal, checked, decoded and folded into the state of 1,000 runs that wait in
their eleventh step. Floor: records a second when their rows are only read, in one query.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.documents import chain_and_wait
from benchmarks.in_process import open_core, start_runs
from benchmarks.measurement import Measurement, against_floor
from hostd.journal.rows import RECORD_COLUMNS

RUNS = 1_000
STEPS = 10


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P9."""
    runs = bench.scaled(RUNS)
    data = bench.scratch("p9")
    async with open_core(data, chain_and_wait(STEPS)) as core:
        keys = await start_runs(core, f"wait{STEPS}", runs)
        while any(core.journal.run_row(key).due_at_ms == 0 for key in keys):  # type: ignore[union-attr]
            await asyncio.sleep(0.05)
        await core.loop.quiet()
    async with open_core(data) as core:
        records = sum(row.n for key in keys for row in core.journal.history(key))

        async def folded() -> float:
            started_s = time.perf_counter()
            await core.residence.load_rows(core.journal.live_runs(limit=runs))
            return records / (time.perf_counter() - started_s)

        async def read() -> float:
            return records / await asyncio.to_thread(_read_all, data / "journal.db")

        await folded()
        samples = await bench.interleave(folded=folded, read=read)
    title = "recovery, records a second folded / rows read"
    return [against_floor("P9", title, samples["folded"], samples["read"], unit="records/s")]


def _read_all(path: Path) -> float:
    """Return the seconds that reading all rows takes."""
    connection = sqlite3.connect(path)
    started_s = time.perf_counter()
    connection.execute(f"SELECT {RECORD_COLUMNS} FROM records WHERE run > 0 ORDER BY run, seq").fetchall()
    took_s = time.perf_counter() - started_s
    connection.close()
    return took_s
