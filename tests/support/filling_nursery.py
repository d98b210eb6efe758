"""Kills hosts while dead letters are redriven and slots filled in, asked for again and again; then counts the runs.

Run as `python filling_nursery.py FOLDER CYCLES SEED`. Letters, and a trigger that goes by the clock, are left before
the first life. Each life redrives all letters and backfills a window, under one request id each. Prints one JSON
object.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crash_nursery import one_life

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.journal.port import RunQuery
from hostd.model.requests import LetterSelection, Repeat

WORKFLOW = """
workflow: filled
version: VERSION
inputs: {type: object, properties: {n: {type: TYPE}}}
triggers:
  hook: {uses: mock.emit, with: {count: 0}, input: {n: "${{ event.data }}"}, key: "hook-${{ event.id }}"}
  tick: {uses: cron.every, with: {period: 1h, catch_up: none}, key: "tick-${{ event.data.slot }}", input: {}}
steps:
  a: {uses: mock.noop}
"""
LETTERS = SLOTS = 300
AT_ONCE = 40
PER_SECOND = 300  # a second for all slots, longer than any life: the first is cut off in the middle
FROM = datetime(2020, 1, 1, tzinfo=UTC)
REDRIVE, BACKFILL = Repeat("redrive", b"r" * 16), Repeat("backfill", b"b" * 16)


async def open_core(folder: Path) -> Core:
    """Open a core with the workflow's triggers running."""
    core = Core(Config(), data=folder)
    await core.open()
    await core.triggers.start()
    return core


async def register(core: Core, version: str, kind: str) -> None:
    """Register a version that takes numbers of a type, and have its triggers."""
    text = WORKFLOW.replace("VERSION", version).replace("TYPE", kind)
    await core.workflows.register("default", text.encode(), activate=True, principal="nursery")
    await core.triggers.reconcile()


async def prepare(folder: Path) -> None:
    """Leave letters behind that the next version of the workflow takes."""
    core = await open_core(folder)
    await register(core, "1.0.0", "integer")
    for number in range(LETTERS):
        fired = await core.front.triggers.fire(
            "default", "filled", "hook", data=b'"text"', event_id=f"{number:04}", principal="nursery"
        )
        if fired.outcome != "DEAD_LETTERED":
            raise RuntimeError(f"the event became {fired.outcome}")
    await register(core, "1.1.0", "string")
    await core.triggers.stop()
    await core.close()


async def host(folder: Path, acks: int, seed: int) -> None:
    """Ask for everything that is to be done, telling what came of it, then wait to be killed."""
    core = await open_core(folder)
    os.write(acks, b"OPEN\n")
    await asyncio.gather(redrive(core, acks), backfill(core, acks))
    await asyncio.sleep(3600)


async def redrive(core: Core, acks: int) -> None:
    """Redrive letters, some at a time: an order that has been answered is not given again."""
    after = 0
    while True:
        repeat = Repeat(f"redrive {after}", REDRIVE.digest)
        views, after = await core.front.dead_letters.redrive(
            "default", LetterSelection(), after=after, limit=AT_ONCE, principal="nursery", repeat=repeat
        )
        os.write(acks, f"REDRIVEN {sum(view.outcome == 'STARTED' for view in views)}\n".encode())
        if not after:
            return
        await asyncio.sleep(AT_ONCE / PER_SECOND)


async def backfill(core: Core, acks: int) -> None:
    """Fill the window in."""
    done = await core.front.schedules.backfill(
        ("default", "filled", "tick"),
        from_us=round(FROM.timestamp()) * 1_000_000,
        to_us=round((FROM + timedelta(hours=SLOTS)).timestamp()) * 1_000_000,
        dry_run=False,
        per_second=PER_SECOND,
        fire_unknown=False,
        principal="nursery",
        repeat=BACKFILL,
    )
    os.write(acks, f"FILLED {json.dumps(done.outcomes, sort_keys=True)}\n".encode())


async def judge(folder: Path, told: list[str], seconds: float) -> dict[str, Any]:
    """Do what is left to be done, let everything end, and count the runs of every letter and slot."""
    core = await open_core(folder)
    out, into = os.pipe()
    await asyncio.gather(redrive(core, into), backfill(core, into))
    os.close(into)
    with os.fdopen(out) as last:
        told = [*told, *(line.rstrip("\n") for line in last)]
    until = time.monotonic() + seconds
    while core.journal.live_runs(limit=1) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    runs = Counter(row.key for row in core.journal.query_runs(RunQuery("default", limit=1_000_000)))
    expected = {f"hook-{number:04}" for number in range(LETTERS)}
    expected |= {f"tick-{FROM + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}" for hour in range(SLOTS)}
    faults = [f"{key} has {runs[key]} runs" for key in sorted(expected | set(runs)) if runs[key] != 1]
    faults += [f"{key} is nobody's" for key in runs if key not in expected]
    faults += [f"the letter {row[0]} is left" for row in core.journal.dead_letters("default", limit=10)]
    answers = {line for line in told if line.startswith("FILLED")}
    if len(answers) != 1:
        faults.append(f"the backfill was answered as {answers}")
    faults += [f"journal check: {line}" for line in core.journal.check()]
    await core.triggers.stop()
    await core.close()
    return {"faults": faults[:20], "runs": runs.total()}


def main() -> None:
    """Prepare, kill as often as asked, judge, print."""
    folder, cycles, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    asyncio.run(prepare(folder))
    told: list[str] = []
    for _ in range(cycles):
        told += one_life(folder, dice, host)
    cut_off = sum(line == "OPEN" for line in told) - sum(line.startswith("FILLED") for line in told)
    verdict = asyncio.run(judge(folder, told, 200))
    print(json.dumps({"kills": cycles, "cut_off": cut_off, **verdict}))


if __name__ == "__main__":
    main()
