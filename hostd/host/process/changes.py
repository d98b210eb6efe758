"""Something has changed: whoever waits for it looks again."""

from __future__ import annotations

import asyncio
from typing import Any

from hostd.aio import spawn


class Changes:
    """Of one thing, called `what` where its waiters are listed."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = asyncio.Event()

    def tell(self) -> None:
        """Wake everybody who waits."""
        told, self._next = self._next, asyncio.Event()
        told.set()

    async def wait(self) -> None:
        """Wait for the next change."""
        await self._next.wait()

    async def either(self, other: asyncio.Future[Any], timeout_s: float | None = None) -> None:
        """Wait until something else has ended, or for the next change."""
        changed = spawn(self._next.wait(), name=f"change of {self._what}")
        try:
            await asyncio.wait([other, changed], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
