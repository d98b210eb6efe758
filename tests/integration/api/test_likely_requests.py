"""Requests as sensible clients send them, with something odd in each: much is let in, and the rest has its reasons."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from daemon_kit import ECHO, WAIT, Kit, running
from odd_requests import LIKELY, METHODS, TIMED, answer, made

# A blob's digest, a dead letter, a window that is no wider than its trigger takes, a signal that its workflow takes, a
# plugin from a folder, one that can be installed and a configuration that came from a file are not hit by chance.
RARELY_ANSWERED = {
    "ReadBlob", "GetDeadLetter", "BackfillTrigger", "SignalRun", "SignalWithStart", "ReloadPlugin", "InstallPlugin",
    "UninstallPlugin", "EnablePlugin", "DisablePlugin", "RollbackPlugin", "ReloadConfig",
}  # fmt: skip


async def runs_to_name(kit: Kit) -> tuple[str, ...]:
    """Return ids of a live run (the one that is there), a finished one and none."""
    live = await kit.start("wait", key="k2", on_open=2)
    ended = await kit.execute("echo", b"{}", key="k1", on_open=3)
    return live.run_id, ended.run_id, "0" * 26


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
@pytest.mark.timeout(400)
async def test_nearly_every_rpc_is_reached_and_refuses_in_many_ways(tmp_path: Path, seed: int) -> None:
    """Odd fields among sensible ones: no answer is a mistake of ours, and most rpcs let something in."""
    dice = random.Random(seed)
    reached: dict[str, set[str]] = {method.name: set() for method in METHODS}
    async with running(tmp_path / "d", lua={"workers": 1, "spare": 0}) as kit:
        for number in range(60 * len(METHODS)):
            method = METHODS[number % len(METHODS)]
            if number % (2 * len(METHODS)) == 0:  # what earlier requests deleted comes back
                for document in (ECHO, WAIT, TIMED):
                    await kit.register(document)
                likely = {**LIKELY, "run_id": await runs_to_name(kit)}
            reached[method.name].add(await answer(kit, method, made(method, dice, likely)))
    assert {name for name, reasons in reached.items() if "" not in reasons} <= RARELY_ANSWERED
    assert sum(len(reasons) for reasons in reached.values()) > 3 * len(METHODS)
