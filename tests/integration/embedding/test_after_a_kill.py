"""A program with a host in it is killed; the next one opens the folder, and its runs go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from embedding_nursery import functions

from hostd.embedding import Host, HostdError, RunFailed

SUPPORT = Path(__file__).parents[2] / "support"
ROOT = SUPPORT.parents[1]


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, str]:
    """Runs by workflow, whose functions had been called when the process was killed."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins/builtin", SUPPORT)))
    command = [sys.executable, str(SUPPORT / "embedding_nursery.py"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline().strip() for _ in range(3)]
        child.kill()
    (ids,) = [line for line in lines if line.startswith("{")]
    found: dict[str, str] = json.loads(ids)
    return found


async def test_runs_go_on_in_the_next_process(runs: dict[str, str], tmp_path: Path) -> None:
    """A lost attempt is issued again, one that may happen once is not: nobody knows how it ended."""
    async with Host.open(tmp_path / "data", actions=functions(tmp_path / "calls", hang=False)) as host:
        assert await host.result(runs["often"]) == "often done"
        with pytest.raises(RunFailed, match="OUTCOME_UNKNOWN"):
            await host.result(runs["once"])

    assert sorted((tmp_path / "calls").read_text().split()) == ["often", "often", "once"]


async def test_lost_attempts_wait_for_their_functions(runs: dict[str, str], tmp_path: Path) -> None:
    """A process without them decides nothing, however often; only the function says whether it may be called again."""
    for _ in range(3):
        async with Host.open(tmp_path / "data") as host:
            infos = {name: await host.get(run) for name, run in runs.items()}
            assert {name: info.waits_for for name, info in infos.items()} == {
                "often": ("shop.often",),
                "once": ("shop.once",),
            }
            with pytest.raises(HostdError, match=r"waits for shop\.once"):
                await host.wait(runs["once"], timeout=0)
    async with Host.open(tmp_path / "data") as host:
        for function in functions(tmp_path / "calls", hang=False):
            host.use(function)
        assert await host.result(runs["often"]) == "often done"
        with pytest.raises(RunFailed, match="OUTCOME_UNKNOWN"):
            await host.result(runs["once"])

    assert sorted((tmp_path / "calls").read_text().split()) == ["often", "often", "once"]
