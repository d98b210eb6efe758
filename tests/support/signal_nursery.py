"""Kills hosts that signal runs: events of a trigger and clients' signals to open runs, over and over; then counts.

Run as `python signal_nursery.py FOLDER CYCLES SEED`. Upstream delivers at least once: each life repeats some events and
requests of earlier ones. Prints one JSON object: what was acknowledged, and every fault it found.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crash_nursery import check_history, one_life, snapshot_always

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.journal.codec import decode_records
from hostd.journal.port import RunQuery
from hostd.model.ids import text_id
from hostd.model.records import SignalReceived
from hostd.model.requests import Repeat, SignalRequest, StartRequest
from hostd.plugin import Event

DOCUMENT = """
workflow: order
signals: {S: {type: integer}}
triggers:
  t:
    uses: mock.emit
    with: {count: 0}
    key: ${{ event.data.key }}
    signal: {name: S, data: "${{ event.data.n }}"}
steps:
  wait: {uses: flow.wait, with: {duration: 1h}}
"""
A_KEY = 20  # signals of a run
REQUESTS = 400
AT = datetime(2030, 1, 1, tzinfo=UTC)


def event(number: int) -> Event:
    """Return the upstream's event of a number."""
    data: dict[str, Any] = {"key": f"e{number // A_KEY}", "n": number}
    return Event(id=str(number), source="/upstream", type="test", time=AT, data=data)


async def host(folder: Path, acks: int, seed: int) -> None:
    """Emit what comes behind the cursor and some of what came before, and send requests, for ever."""
    core = Core(Config(), data=folder)
    await core.open()
    await core.workflows.register("default", DOCUMENT.encode(), activate=True, principal="nursery")
    await core.triggers.start()
    dice = random.Random(seed)
    await asyncio.gather(emit(core, acks, dice), ask(core, acks, dice), forget(core))


async def emit(core: Core, acks: int, dice: random.Random) -> None:
    """Be the trigger."""
    source = core.triggers.get(("default", "order", "t")).source
    while True:
        last = json.loads(source.row.cursor or b"0")
        count = dice.choice((1, 1, 5, 40))
        new = [event(number) for number in range(last + 1, last + count + 1)]
        old = [event(number) for number in dice.sample(range(1, last + 1), min(3, last))]
        emitted = await core.emission.emit(source, [*old, *new], last + count)
        lines = [f"event {each.event_id} {each.outcome.value} {' '.join(each.run_ids)}\n" for each in emitted]
        os.write(acks, "".join(lines).encode())


async def ask(core: Core, acks: int, dice: random.Random) -> None:
    """Be a client that repeats itself."""
    while True:
        number = dice.randrange(REQUESTS)
        repeat = Repeat(f"c{number}", b"%d" % number)
        start = StartRequest("order", key=f"c{number // A_KEY}", repeat=repeat)
        signal = SignalRequest("S", b"%d" % number, number)
        told = await core.front.runs.signal_with_start("default", start, signal, principal="nursery")
        os.write(acks, f"request {number} SIGNALED {told.run_id}\n".encode())


async def forget(core: Core) -> None:
    """Let runs that rest leave memory all the time."""
    residence = core.loop.residence
    while True:
        for resident in residence.all():
            resident.used_s = -1e9
        residence.sweep()
        await asyncio.sleep(0.005)


async def judge(folder: Path, acknowledged: list[str]) -> dict[str, Any]:
    """Check that every signal is in one run, once, in order, and what was acknowledged in the run that was named."""
    core = Core(Config(), data=folder)
    await core.open()
    faults: list[str] = []
    where: dict[tuple[str, int], str] = {}
    keys: set[str] = set()
    for row in core.journal.query_runs(RunQuery("default", limit=1_000_000)):
        if row.key in keys:
            faults.append(f"two runs have the key {row.key}")
        keys.add(row.key)
        heard = [int(record.data) for record in signals_of(core, row.run)]  # type: ignore[arg-type]
        kind = "event" if row.key[0] == "e" else "request"
        if kind == "event" and heard != sorted(set(heard)):
            faults.append(f"the run of {row.key} heard {heard}")
        for number in heard:
            if (kind, number) in where:
                faults.append(f"{kind} {number} was heard twice")
            where[kind, number] = text_id(row.run_id)
        check_history(core, row, faults)
    for line in acknowledged:
        kind, number, outcome, *run_ids = line.split()
        if run_ids != [where.get((kind, int(number)))]:
            faults.append(f"{line!r} was acknowledged; it is in {where.get((kind, int(number)))}")
        if outcome == "DEAD_LETTERED":
            faults.append(line)
    (trigger,) = core.journal.triggers(None)
    missing = [number for number in range(1, json.loads(trigger.cursor) + 1) if ("event", number) not in where]
    if missing:
        faults.append(f"the cursor passed {missing[:20]}, which no run heard")
    faults.extend(f"journal check: {line}" for line in core.journal.check())
    await core.close()
    return {"faults": faults[:20], "events": json.loads(trigger.cursor), "heard": len(where)}


def signals_of(core: Core, run: int) -> list[SignalReceived]:
    """Return what a run has heard, in order."""
    rows = core.journal.history(run, max_bytes=1 << 30)
    return [record for row in rows for record in decode_records(row.body) if isinstance(record, SignalReceived)]


def main() -> None:
    """Kill as often as asked, judge, print."""
    folder, cycles, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    if seed % 2:
        snapshot_always()
    acknowledged = [line for _ in range(cycles) for line in one_life(folder, dice, host)]
    verdict = asyncio.run(judge(folder, acknowledged))
    print(json.dumps({"kills": cycles, "acknowledged": len(acknowledged), **verdict}))


if __name__ == "__main__":
    main()
