"""Waiting in turn: workflows take turns for a worker and for the processor, whatever one of them has in line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from hostd.model.fair_line import FairLine

T = TypeVar("T")


class Waiters(Generic[T]):
    """Those who wait for something to be handed to them, the next share first.

    Args:
        unwanted: gets back what was handed to somebody who was canceled in the same moment.
    """

    def __init__(self, unwanted: Callable[[T], None]) -> None:
        self._unwanted = unwanted
        self._line: FairLine[asyncio.Future[T]] = FairLine()
        self._counts: Counter[Hashable] = Counter()

    def __len__(self) -> int:
        return len(self._line)

    def of(self, share: Hashable) -> int:
        """Return how many of a share wait."""
        return self._counts[share]

    async def wait(self, share: Hashable) -> T:
        """Return what is handed over when it is this one's turn. Raises what `fail` was given."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._line.add(share, future)
        self._counts[share] += 1
        try:
            return await future
        except asyncio.CancelledError:
            if not self._line.remove(future) and not future.cancelled() and future.exception() is None:
                self._unwanted(future.result())
            raise
        finally:
            self._counts[share] -= 1
            if not self._counts[share]:
                del self._counts[share]

    def hand(self, thing: T) -> bool:
        """Hand something to the next in line; say whether anybody waited."""
        while self._line:
            future = self._line.take()
            if not future.done():
                future.set_result(thing)
                return True
        return False

    def fail(self, error: Exception) -> None:
        """Tell everybody that nothing will come."""
        while self._line:
            future = self._line.take()
            if not future.done():
                future.set_exception(error)


class FairTurns:
    """How many may compute at once; the others wait in turn."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiters: Waiters[None] = Waiters(self._give)

    async def take(self, share: Hashable) -> None:
        """Become one of those who compute; `give_back` afterwards, whatever happens."""
        if self._free:
            self._free -= 1
        else:
            await self._waiters.wait(share)

    def give_back(self) -> None:
        """Compute no more: the next one may."""
        self._give(None)

    def _give(self, _: None) -> None:
        if not self._waiters.hand(None):
            self._free += 1
