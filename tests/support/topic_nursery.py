"""Kills hosts while events go from topics into runs and from runs into topics; then counts.

Run as `python topic_nursery.py FOLDER CYCLES SEED`. Each life publishes events, which a trigger turns into runs, whose
step publishes an event of its own, counts under a key and keeps what it saw. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crash_nursery import one_life

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.journal.port import EventRow, RunQuery
from hostd.plugin import Event

WORKFLOW = """
workflow: relay
triggers:
  in: {uses: event.subscribe, with: {topics: ["in.*"], start: beginning}, input: {name: "${{ event.publishedid }}"}}
steps:
  tell: {uses: event.publish, with: {topic: out, data: "${{ input.name }}"}}
  keep: {uses: kv.put, needs: tell, with: {key: "seen/${{ input.name }}", value: "${{ run.id }}"}}
"""


async def open_core(folder: Path) -> Core:
    """Open a core with the workflow's trigger running."""
    core = Core(Config(), data=folder)
    await core.open()
    await core.triggers.start()
    await core.workflows.register("default", WORKFLOW.encode(), activate=True, principal="nursery")
    return core


async def host(folder: Path, acks: int, seed: int) -> None:
    """Publish events for ever, some twice, telling each that is durable."""
    core = await open_core(folder)
    dice = random.Random(seed)
    for number in itertools.count():
        names = [f"{seed}-{number}-{n}" for n in range(dice.choice((1, 1, 5)))]
        events = [("in.a", Event(id=name, source="/nursery", type="t", time=datetime.now(UTC))) for name in names]
        positions = await core.topics.publish("default", events)
        if dice.random() < 0.3 and await core.topics.publish("default", events) != positions:
            os.write(acks, b"REPEATED ELSEWHERE\n")
        os.write(acks, "".join(f"{name}\n" for name in names).encode())
        await asyncio.sleep(dice.random() * 0.005)


async def judge(folder: Path, acknowledged: list[str], seconds: float) -> dict[str, Any]:
    """Let everything end, then compare what was published, what ran, and what the runs told."""
    core = await open_core(folder)
    until = time.monotonic() + seconds
    published = names_of(core, "in.a")
    while time.monotonic() < until:
        runs = core.journal.query_runs(RunQuery("default", limit=1_000_000))
        if len(runs) >= len(published) and not core.journal.live_runs(limit=1):
            break
        await asyncio.sleep(0.05)
    told = Counter(json.loads(row.body)["data"] for row in rows_of(core, "out"))
    kept = Counter(row.key.removeprefix("seen/") for row in core.journal.kv_list("default", limit=1_000_000))
    lost = [row for row in runs if row.reason == "ATTEMPT_LOST"]
    faults = [f"{name} was acknowledged and is not there" for name in acknowledged if published[name] != 1]
    faults += [f"{name} was published {count} times" for name, count in published.items() if count != 1]
    faults += [f"{name} was told {count} times" for name, count in told.items() if count != 1]
    if len(runs) != len(published):
        faults.append(f"{len(published)} events became {len(runs)} runs")
    if not len(published) - len(lost) <= len(kept) <= len(published):
        faults.append(f"{len(kept)} of {len(published)} were kept, {len(lost)} lost")
    faults += [f"journal check: {line}" for line in core.journal.check()]
    await core.triggers.stop()
    await core.close()
    return {"faults": faults[:20], "events": len(published), "lost": len(lost)}


def rows_of(core: Core, topic: str) -> list[EventRow]:
    """Return every event of a topic."""
    return [row for _, _, row in core.journal.events("default", limit=1_000_000, topics=(topic,))]


def names_of(core: Core, topic: str) -> Counter[str]:
    """Return how often each id was published."""
    return Counter(row.event_id for row in rows_of(core, topic))


def main() -> None:
    """Kill as often as asked, judge, print."""
    folder, cycles, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    acknowledged: list[str] = []
    for _ in range(cycles):
        acknowledged += one_life(folder, dice, host)
    verdict = asyncio.run(judge(folder, acknowledged, 200))
    print(json.dumps({"kills": cycles, "acknowledged": len(acknowledged), **verdict}))


if __name__ == "__main__":
    main()
