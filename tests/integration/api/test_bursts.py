"""Calls that come all at once, or that never go on: each is answered, and nobody keeps the owner out."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest
from daemon_kit import TOKEN, Kit, running, taken_apart

from hostd.api import server
from hostd.v1 import run_service_pb2 as runs_pb2

CALLS = 2_500


async def test_a_burst_of_calls_is_answered_each_with_its_reason(kit: Kit) -> None:
    """Thousands that wait to be let in are none of them cancelled without a word."""
    calls = [kit.runs.GetRun(runs_pb2.GetRunRequest()) for _ in range(CALLS)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    told = Counter(taken_apart(one).reason if isinstance(one, grpc.aio.AioRpcError) else one for one in results)
    assert told == {"ARGUMENT_INVALID": CALLS}


async def test_who_has_no_token_is_refused_before_anything_is_sent(kit: Kit) -> None:
    """A request that never comes is not waited for."""
    async with kit.over_tcp() as outside, asyncio.timeout(60):
        for method in ("GetRun", "WatchRuns", "StartRun"):
            call: Any = outside.channel.stream_unary(f"/hostd.v1.RunService/{method}")()
            assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_port_that_is_full_keeps_nobody_from_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls over TCP that never go on take the places of others there, and none of the Unix socket's."""
    monkeypatch.setattr(server, "CALLS_MAX", 3)
    async with running(tmp_path / "d") as kit, kit.over_tcp() as outside, asyncio.timeout(60):
        known = (("authorization", f"Bearer {TOKEN}"),)
        calls: list[Any] = [
            outside.channel.stream_unary("/hostd.v1.RunService/GetRun")(metadata=known) for _ in range(4)
        ]
        ends = [asyncio.ensure_future(call.code()) for call in calls]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        assert {end.result() for end in ends if end.done()} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        await kit.runs.ListRuns(runs_pb2.ListRunsRequest())
        for call in calls:
            call.cancel()
        await asyncio.wait(ends)
