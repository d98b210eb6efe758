"""Reader threads: the journal's reads block, so they happen here and never on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Readers:
    """A few threads for short blocking reads."""

    def __init__(self, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hostd-read")

    async def call(self, read: Callable[..., T], *args: Any) -> T:
        """Return what a blocking read returns."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, read, *args)

    def close(self) -> None:
        """Wait for what runs and let the threads go."""
        self._pool.shutdown(wait=True, cancel_futures=True)
