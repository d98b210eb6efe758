"""`python -m benchmarks`: measure, print the table, write benchmarks/results.json."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import sys
import tempfile
import time
import traceback
from pathlib import Path

from benchmarks.bench import Bench, Skipped, Workload
from benchmarks.machine import load_average, notes
from benchmarks.measurement import Measurement
from benchmarks.report import table, write_json

WORKLOADS = {
    "P1": "p01_chain",
    "P2": "p02_many",
    "P3": "p03_many_over_grpc",
    "P4": "p04_start_one",
    "P5": "p05_start_many",
    "P6": "p06_watch",
    "P7": "p07_syncs",
    "P8": "p08_large_journal",
    "P9": "p09_recovery",
    "P10": "p10_bytes",
    "P11": "p11_timers",
    "P12": "p12_start",
    "P13": "p13_lua",
    "P14": "p14_process",
}
ROOT = Path(__file__).resolve().parent.parent


def workload(name: str) -> Workload:
    """Return the function that measures P1 and so on."""
    measure: Workload = importlib.import_module(f"benchmarks.workloads.{WORKLOADS[name]}").measure
    return measure


async def measure_all(names: list[str], bench: Bench) -> tuple[list[Measurement], list[str]]:
    """Return what the workloads measure, one after another, and the names of those that broke.

    One that cannot run here, or breaks, says why on standard error and keeps none of the others from running.
    """
    measurements: list[Measurement] = []
    broken: list[str] = []
    for name in names:
        started_s = time.monotonic()
        try:
            measurements += await workload(name)(bench)
            print(f"{name} measured in {time.monotonic() - started_s:.0f} s", file=sys.stderr)
        except Skipped as reason:
            print(f"{name} SKIPPED: {reason}", file=sys.stderr)
        except Exception:
            broken.append(name)
            print(f"{name} BROKE:", file=sys.stderr)
            traceback.print_exc()
    return measurements, broken


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(WORKLOADS), help="workloads, such as P1,P2")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each comparison")
    parser.add_argument("--full", action="store_true", help="the long form: a million runs in P8")
    parser.add_argument("--seed", type=int, default=0, help="of the order of variants within rounds")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results.json", help="file to write")
    parser.add_argument("--scratch", type=Path, default=ROOT / ".benchmarks", help="folder on the disk to measure")
    given = parser.parse_args()
    given.only = given.only.upper().split(",")
    unknown = [name for name in given.only if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    return given


def main() -> int:
    """Run it all; returns 1 where a workload broke. A target that is missed breaks nothing: machines differ."""
    given = _arguments()
    logging.disable(logging.WARNING)
    load_before = load_average()
    given.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.scratch, ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder), rounds=given.rounds, full=given.full, seed=given.seed)
        measurements, broken = asyncio.run(measure_all(given.only, bench))
        machine = notes(Path(folder), load_before)
    write_json(given.results, measurements, machine)
    print(table(measurements))
    print(f"\n{machine.line()}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
