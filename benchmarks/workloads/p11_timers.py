"""P11: what a pending timer costs.

Value: microseconds to arm the timers of 100,000 runs, due in rising and falling order mixed. Floor: pushing the same
pairs onto a heap. Idle: processor milliseconds a second that a loop takes while all of them are pending.
"""

from __future__ import annotations

import asyncio
import heapq
import time

from benchmarks.bench import Bench
from benchmarks.measurement import Measurement, against_floor, plain
from hostd.aio import SystemClock
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.timers import Timers

COUNT = 100_000
SOON_MS = 60_000
SPAN_MS = 500_000
IDLE_S = 0.5


async def measure(bench: Bench) -> list[Measurement]:
    """Measure P11."""
    count = bench.scaled(COUNT)
    clock = SystemClock()
    spans = [SOON_MS + bench.dice.randrange(SPAN_MS) for _ in range(count)]
    readers = Readers(0)
    idle_ms: list[float] = []

    async def armed() -> float:
        timers = Timers(clock)
        await timers.start(readers, lambda **_: [], lambda run: None)
        now_ms = clock.wall_ms()
        started_s = time.perf_counter()
        for run, span_ms in enumerate(spans):
            timers.arm(run, now_ms + span_ms)
        took_s = time.perf_counter() - started_s
        idle_ms.append(await _idle_ms())
        timers.stop()
        return took_s / count * 1e6

    async def pushed() -> float:
        heap: list[tuple[int, int]] = []
        now_ms = clock.wall_ms()
        started_s = time.perf_counter()
        for run, span_ms in enumerate(spans):
            heapq.heappush(heap, (now_ms + span_ms, run))
        return (time.perf_counter() - started_s) / count * 1e6

    samples = await bench.interleave(armed=armed, pushed=pushed, idle=_idle_ms)
    readers.close()
    return [
        against_floor("P11", f"insert of {count:,} timers / heapq", samples["armed"], samples["pushed"], unit="µs"),
        plain("P11", f"idle with {count:,} pending, processor time a second", idle_ms, unit="ms"),
        plain("P11", "idle with none, processor time a second", samples["idle"], unit="ms"),
    ]


async def _idle_ms() -> float:
    """Return the processor milliseconds a second that this process takes while it waits."""
    used_s = time.process_time()
    await asyncio.sleep(IDLE_S)
    return (time.process_time() - used_s) / IDLE_S * 1e3
