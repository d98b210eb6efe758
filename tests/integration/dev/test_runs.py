"""Runs as dev tells them: a few one by one, many by number."""

from __future__ import annotations

import asyncio
import re

import pytest

from hostd.aio import spawn
from hostd.cli.dev.inside import Inside
from hostd.cli.dev.runs import FOLLOWED_MAX, Runs
from hostd.cli.dev.screen import Screen
from hostd.client import Start, connect

WORKFLOW = "workflow: w\nsteps:\n  a: {uses: flow.wait, with: {duration: 1s}}\noutput: done\n"
MANY = 40


async def test_many_runs_at_once_are_counted_each_once(inside: Inside, capfd: pytest.CaptureFixture[str]) -> None:
    """No run is told twice, and none is left out."""
    said = ""
    async with connect(data=inside.data) as client:
        await client.register(WORKFLOW)
        runs = Runs(client, Screen())
        following = spawn(runs.follow(), name="follow")
        first = await client.start("w")
        while first.run_id not in said:  # the watch has begun
            await asyncio.sleep(0.05)
            said += capfd.readouterr().out
            if runs.started == 0:
                first = await client.start("w")
        before = runs.started
        await client.start_many([Start("w") for _ in range(MANY)])
        async with asyncio.timeout(120):
            while runs.started < before + MANY or told(said) < runs.started:
                await asyncio.sleep(0.05)
                said += capfd.readouterr().out
        following.cancel()
    assert told(said) == runs.started
    assert re.search(r"and \d+ more runs: \d+ SUCCEEDED", said)
    assert said.count('output  "done"') >= min(FOLLOWED_MAX, MANY)


def told(said: str) -> int:
    """Return how many runs were told to have ended."""
    one_by_one = len(re.findall(r"^\S+ \+ w  \w+  SUCCEEDED", said, re.MULTILINE))
    return one_by_one + sum(int(number) for number in re.findall(r"and (\d+) more runs", said))
