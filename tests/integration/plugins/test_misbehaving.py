"""The show: plugins that raise, crash, hang, flood, eat and do not listen, beside work that goes on undisturbed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, of_kind
from machine_pulse import MachinePulse
from misbehaving import write_all

from hostd.host.found import PluginState
from hostd.model.records import AttemptFailed, AttemptLost, AttemptSucceeded
from hostd.model.states import RunState
from hostd.values.json_text import parse_json

ACT = "workflow: %s\nsteps:\n  a: {uses: %s.act, timeout: %s}\n"
STEADY = """
workflow: steady
steps:
  a: {uses: mock.sleep, with: {duration: 20ms}}
  b: {uses: well.act, needs: a}
"""
LIMITS = {"memory": "512MiB", "answer": "4s"}


async def steady_load(lab: Lab, over: asyncio.Event) -> int:
    """Start run after run until told to stop; each must succeed. Return how many there were."""
    workflow = await lab.register(STEADY)
    count = 0
    while not over.is_set():
        started = [await lab.start(workflow) for _ in range(4)]
        row = await lab.ended(*started)
        assert {lab.row(one).state for one in started} == {RunState.SUCCEEDED}, row.reason
        count += len(started)
    return count


async def act(lab: Lab, name: str, timeout: str = "20s") -> tuple[str, list[Any]]:
    """Run a plugin's one action; return the run's reason and its history."""
    row, records = await lab.run(ACT % (name, name, timeout))
    return row.reason, records


@pytest.mark.timeout(400)
async def test_each_is_named_and_nobody_else_suffers(tmp_path: Path) -> None:
    """Everything else succeeds while they do their worst, and the daemon's loop never stands still."""
    write_all(tmp_path / "plugins")
    lab = await Lab(tmp_path / "data", plugins={"dir": str(tmp_path / "plugins"), "limits": LIMITS}).open()
    lab.core.loop_watch.stalls.clear()  # those of the start
    over = asyncio.Event()
    pulse = MachinePulse()
    try:
        await lab.until(lambda: lab.core.host.registry.action("well.act"))
        load = asyncio.create_task(steady_load(lab, over))
        (crashed, crash), (hung, _), (flooded, flood), (eaten, eat), (deaf, listened) = await asyncio.gather(
            act(lab, "crashes"), act(lab, "hangs", "1s"), act(lab, "floods"), act(lab, "eats"), act(lab, "deaf")
        )
        over.set()
        assert await load > 0

        assert of_kind(crash, AttemptLost)
        assert crashed == "ATTEMPT_LOST"
        assert hung in ("ATTEMPT_TIMEOUT", "ATTEMPT_LOST")
        assert (flooded, len(of_kind(flood, AttemptSucceeded))) == ("", 1)
        [memory] = of_kind(eat, AttemptFailed)
        assert (eaten, memory.failure.message) == ("ACTION_RAISED", "MemoryError: ")
        assert deaf == ""
        pid = parse_json(of_kind(listened, AttemptSucceeded)[0].output)

        reports = {one.id: one for one in lab.core.host.registry.plugins}
        assert (reports["raises"].state, reports["raises"].message) == (PluginState.FAILED, "RuntimeError: not today")
        assert reports["forgets"].state is PluginState.FAILED
        assert "did you forget @hookimpl?" in reports["forgets"].message
        assert lab.core.host.process("crashes").restarts > 0
        await lab.until(lambda: "has not answered" in said(lab, "hangs"))
        assert pulse.too_busy() or dict(lab.core.loop_watch.stalls) == {}
    finally:
        await lab.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def said(lab: Lab, plugin: str) -> str:
    """Return why a plugin's process went the last time."""
    return lab.core.host.processes.known[plugin].last_crash
