"""An embedded host with the daemon's doors around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostd.client import connect
from hostd.embedding import Host, HostdError
from hostd.v1.run_service_pb2 import ListRunsRequest

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
