"""Threads for what blocks: reads of the journal, compiling. It happens here and never on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from hostd.errors.base import HostdError, Kind

T = TypeVar("T")


class Readers:
    """A few threads for short blocking reads; with 0 threads (a memory journal) they happen where they are called."""

    def __init__(self, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hostd-read") if threads else None
        self._closed = False

    async def call(self, read: Callable[..., T], *args: Any) -> T:
        """Return what a blocking read returns. Raises HostdError DRAINING once closed, and what the read raises."""
        if self._closed:
            raise _stopping()
        if self._pool is None:
            return read(*args)
        reading = asyncio.get_running_loop().run_in_executor(self._pool, read, *args)
        try:
            return await reading
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if reading.cancelled() and task is not None and not task.cancelling():
                raise _stopping() from None  # `close` gave up what had not begun; nobody canceled who asked
            raise

    def close(self) -> None:
        """Wait for what runs and let the threads go."""
        self._closed = True
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def _stopping() -> HostdError:
    return HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping", retry_after_s=2.0)
