"""An embedded host with the daemon's doors around it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hostd.client import connect
from hostd.embedding import Host, HostdError
from hostd.v1.run_service_pb2 import ListRunsRequest

ROOT = Path(__file__).parents[3]
QUIET = """
import asyncio, sys
from hostd.embedding import Host, Workflow, use

async def main():
    wf = Workflow("quiet")
    wf.step("say", use("log.write", message="hi"))
    async with Host.open(sys.argv[1]) as host:
        await host.execute(wf)

asyncio.run(main())
print(sorted({"grpc", "aiohttp", "uvloop"} & sys.modules.keys()))
"""

ECHO = """
workflow: echo
steps:
  say: {uses: flow.pass}
"""


async def test_ports_are_served_only_where_they_are_asked_for(tmp_path: Path) -> None:
    """With `listen` and `http` clients and webhooks reach the embedded host; that needs a folder."""
    with pytest.raises(HostdError, match="need a data folder"):
        await Host.open(listen="127.0.0.1:0")
    async with Host.open(tmp_path, listen="127.0.0.1:0", http="127.0.0.1:0") as host:
        await host.register(ECHO)
        await host.execute("echo")
        async with connect(data=tmp_path) as client:
            answer = await client.call(client.runs.ListRuns, ListRunsRequest())
        assert [run.workflow for run in answer.runs] == ["echo"]
        assert host.address.startswith("127.0.0.1:")
        assert host.http_address.startswith("127.0.0.1:")


def test_without_ports_nothing_of_theirs_is_imported(tmp_path: Path) -> None:
    """gRPC and aiohttp stay out of the process; so does everything that they start."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins/builtin")])}
    command = [sys.executable, "-c", QUIET, str(tmp_path / "data")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
    assert not (tmp_path / "data/run/hostd.sock").exists()
