"""A program with a host in it is killed; the next one opens the folder, and its runs go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from embedding_nursery import functions

from hostd.embedding import Host, HostdError, RunFailed

SUPPORT = Path(__file__).parents[2] / "support"
ROOT = SUPPORT.parents[1]


@contextmanager
def program(folder: Path) -> Iterator[dict[str, str]]:
    """Run a program with a host until it has called its functions; yield its runs by workflow; kill it."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins/builtin", SUPPORT)))
    command = [sys.executable, str(SUPPORT / "embedding_nursery.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}) as child:
        try:
            assert child.stdout is not None
            lines = [child.stdout.readline().strip() for _ in range(3)]
            yield {"pid": str(child.pid), **json.loads(next(line for line in lines if line.startswith("{")))}
        finally:
            child.kill()


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, str]:
    """Runs by workflow, whose functions had been called when the process was killed."""
    with program(tmp_path) as found:
        pass
    return {name: run for name, run in found.items() if name != "pid"}


async def test_a_folder_that_another_process_has_open_is_refused(tmp_path: Path) -> None:
    """The error names the process."""
    with program(tmp_path) as found:
        with pytest.raises(HostdError, match=f"Process {found['pid']} uses the journal") as caught:
            await Host.open(tmp_path / "data")
        assert caught.value.reason == "JOURNAL_LOCKED"


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


async def test_a_lost_attempt_that_waits_for_its_function_can_be_cancelled(
    runs: dict[str, str], tmp_path: Path
) -> None:
    """It is given up when its time to clean up is over, as every attempt that does not answer."""
    async with Host.open(tmp_path / "data", config={"limits": {"cancel_grace": "1s"}}) as host:
        await host.cancel(runs["often"])
        await host.terminate(runs["once"])
        assert [(await host.wait(run)).state for run in runs.values()] == ["CANCELED", "CANCELED"]
