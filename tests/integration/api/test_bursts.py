"""Calls that come all at once: each is answered, or refused with a reason."""

from __future__ import annotations

import asyncio
from collections import Counter

import grpc
from daemon_kit import Kit, taken_apart

from hostd.v1 import run_service_pb2 as runs_pb2

CALLS = 2_500


async def test_a_burst_of_calls_is_answered_each_with_its_reason(kit: Kit) -> None:
    """Thousands that wait to be let in are none of them cancelled without a word."""
    calls = [kit.runs.GetRun(runs_pb2.GetRunRequest()) for _ in range(CALLS)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    told = Counter(taken_apart(one).reason if isinstance(one, grpc.aio.AioRpcError) else one for one in results)
    assert told == {"ARGUMENT_INVALID": CALLS}
