"""Kills hosts: forks a host on one data folder, loads it, kills it at a random instant, again and again; then checks.

Run as `python crash_nursery.py FOLDER CYCLES SEED`. It imports everything once and forks from there, so a cycle costs
little more than the host's own start. With an odd seed every decision writes a snapshot. Prints one JSON object: kills,
acknowledged starts, and every fault it found.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.journal.codec import decode_records
from hostd.model.ids import stored_id
from hostd.model.records import AttemptLost, AttemptSucceeded, StepEnded, WaitEnded
from hostd.model.states import RunState, run_is_final
from hostd.runtime.ring import snapshots, turn
from hostd.runtime.ring.snapshots import fold_run, read_run

WORKFLOWS = (
    """
workflow: chain
steps:
  a: {uses: mock.noop}
  b: {uses: mock.noop, needs: a}
  c: {uses: mock.sleep, needs: b, with: {duration: 5ms}}
  d: {uses: mock.echo, needs: c, with: {value: {n: 1}}}
  e: {uses: flow.pass, needs: d, with: {output: "${{ steps.d.output.n + 1 }}"}}
output: ${{ steps.e.output }}
""",
    """
workflow: diamond
steps:
  a: {uses: mock.noop}
  left: {uses: mock.sleep, needs: a, with: {duration: 20ms}}
  right: {uses: flow.wait, needs: a, with: {duration: 30ms}}
  join: {uses: mock.fail, needs: [left, right], with: {times: 1}, retry: {max_attempts: 3, initial_interval: 10ms}}
handlers:
  exit: {uses: log.write, with: {message: "${{ run.state }}"}}
""",
)
NAMES = ("chain", "diamond")
AHEAD_MAX = 200
FIRST_WORD_S = 90


async def host(folder: Path, acks: int, seed: int) -> None:
    """Start runs for ever, telling each that is durable."""
    core = Core(Config(), data=folder)
    await core.open()
    for text in WORKFLOWS:
        await core.workflows.register("default", text.encode(), activate=True, principal="nursery")
    dice = random.Random(seed)
    while True:
        if len(core.residence) > AHEAD_MAX:
            await asyncio.sleep(0.002)
            continue
        ready = await core.workflows.plans.resolve("default", dice.choice(NAMES))
        count = dice.choice((1, 1, 3, 20))
        starts = [
            core.starts.prepare(ready, namespace="default", input_json=b"", now_ms=core.clock.wall_ms())
            for _ in range(count)
        ]
        results = await core.intake.start(starts)
        os.write(acks, "".join(f"{result.run_id}\n" for result in results).encode())  # type: ignore[union-attr]


Life = Callable[[Path, int, int], Awaitable[None]]
"""What a host does with its folder until it is killed: it tells a pipe what was acknowledged, a line each."""


def one_life(folder: Path, dice: random.Random, life: Life = host) -> list[str]:
    """Fork a host, kill it somewhere, return what it acknowledged.

    One life in three ends at any instant of its opening or later; the others end some time after their first
    acknowledgement, so that there is work to lose on the slowest machine.
    """
    read_end, write_end = os.pipe()
    seed = dice.getrandbits(32)
    child = os.fork()
    if child == 0:
        os.close(read_end)
        try:
            asyncio.run(live(life, folder, write_end, seed))
        except BaseException:  # a child must never go on as a second nursery
            traceback.print_exc()
        os._exit(1)
    os.close(write_end)
    os.set_blocking(read_end, False)
    at_any_instant, after_s = dice.random() < 1 / 3, dice.choice((0.02, 0.1, 0.3)) + dice.random() * 0.25
    until = time.monotonic() + (after_s if at_any_instant else FIRST_WORD_S)
    received = b""
    while time.monotonic() < until:
        try:
            chunk = os.read(read_end, 1 << 16)
        except BlockingIOError:
            time.sleep(0.001)
            continue
        if not chunk:
            break
        if not received and not at_any_instant:
            until = time.monotonic() + after_s
        received += chunk
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        raise RuntimeError(f"a host ended by itself: {os.waitstatus_to_exitcode(status)}")
    os.set_blocking(read_end, True)
    while chunk := os.read(read_end, 1 << 16):
        received += chunk
    os.close(read_end)
    return received.decode().split("\n")[:-1]


async def live(life: Life, folder: Path, acks: int, seed: int) -> None:
    """Live until killed."""
    await life(folder, acks, seed)


async def judge(folder: Path, acknowledged: list[str], seconds: float) -> dict[str, Any]:
    """Let everything end, then check every promise."""
    core = Core(Config(), data=folder)
    await core.open()
    faults: list[str] = []
    until = time.monotonic() + seconds
    while (live := core.journal.live_runs(limit=1)) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    if live:
        faults.append(f"a run did not end: {live[0]}")
    losses = 0
    for run_id in acknowledged:
        row = core.journal.find_run("default", stored_id(run_id))
        if row is None or not run_is_final(row.state):
            faults.append(f"{run_id} was acknowledged and is {row}")
            continue
        if row.state != RunState.SUCCEEDED and row.reason != "ATTEMPT_LOST":
            faults.append(f"{run_id} ended as {row.state} with {row.reason}")
        losses += check_history(core, row, faults)
    faults.extend(f"journal check: {line}" for line in core.journal.check())
    states = Counter(
        row.state for run_id in acknowledged if (row := core.journal.find_run("default", stored_id(run_id)))
    )
    await core.close()
    return {"faults": faults[:20], "losses": losses, "states": {int(state): n for state, n in states.items()}}


def snapshot_always() -> None:
    """Let every decision write a snapshot, which runs of a few records have none of."""
    snapshots.DISTANCE = turn.DISTANCE = 1


def check_history(core: Core, row: Any, faults: list[str]) -> int:
    """Fold a run's history, compare it with the stored state, count completions; return the number of losses."""
    run = fold_run(core.journal, core.workflows.plans, row)
    if run.state != row.state:
        faults.append(f"run {row.run} folds to {run.state}, the index says {row.state}")
    if read_run(core.journal, core.workflows.plans, row)[0].snapshot_key() != run.snapshot_key():
        faults.append(f"run {row.run} is another from its snapshot")
    completions: Counter[int] = Counter()
    losses = 0
    for stored in core.journal.history(row.run):
        for record in decode_records(stored.body):
            if isinstance(record, AttemptSucceeded | StepEnded | WaitEnded):
                completions[record.step] += 1
            losses += isinstance(record, AttemptLost)
    twice = [step for step, count in completions.items() if count > 1]
    if twice:
        faults.append(f"run {row.run} completed the steps {twice} more than once")
    return losses


def main() -> None:
    """Kill as often as asked, judge, print."""
    folder, cycles, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    acknowledged: list[str] = []
    if seed % 2:
        snapshot_always()
    for _ in range(cycles):
        acknowledged += one_life(folder, dice)
    verdict = asyncio.run(judge(folder, acknowledged, 200))
    print(json.dumps({"kills": cycles, "acknowledged": len(acknowledged), **verdict}))


if __name__ == "__main__":
    main()
