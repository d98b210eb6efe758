"""Reads in threads of their own, and what becomes of them when the host closes."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hostd.errors.base import HostdError
from hostd.runtime.ring.readers import Readers


async def test_a_read_that_had_not_begun_hears_that_the_host_closes() -> None:
    """What runs ends with its value; what waits for a thread is DRAINING, and not taken for a cancellation."""
    readers, go = Readers(1), threading.Event()
    running = asyncio.ensure_future(readers.call(go.wait))
    waiting = asyncio.ensure_future(readers.call(str, 1))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(asyncio.to_thread(readers.close))
    with pytest.raises(HostdError) as caught:
        await waiting
    go.set()
    await closing

    assert caught.value.reason == "DRAINING"
    assert await running is True
    with pytest.raises(HostdError, match="DRAINING"):
        await readers.call(str, 1)


async def test_who_is_canceled_while_reading_is_canceled() -> None:
    """A cancellation of whoever asked stays one."""
    readers, go = Readers(1), threading.Event()
    asked = asyncio.ensure_future(readers.call(go.wait))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    go.set()
    readers.close()
