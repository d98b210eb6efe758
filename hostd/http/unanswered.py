"""Requests that wait for a trigger: so long at most, and on one path never so many that others find no place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Protocol

from hostd.errors.base import HostdError, Kind

SLOW_S = 5.0
BUSY_RETRY_S = 5.0


class _Answered(Protocol):
    @property
    def url_path(self) -> str: ...

    @property
    def timeout_s(self) -> float: ...


class Unanswered:
    """The requests under way, by path in the order they came.

    A path whose requests are answered at once may have all there are. One that has kept half of them waiting for more
    than five seconds gets no more: a handler that hangs would else take the door from every other.
    """

    def __init__(self, requests_max: int) -> None:
        self.requests_max = requests_max
        self._since: dict[str, dict[object, float]] = {}

    def count(self, url_path: str) -> int:
        """Return how many wait on a path."""
        return len(self._since.get(url_path, ()))

    @asynccontextmanager
    async def waiting(self, route: _Answered) -> AsyncIterator[None]:
        """Hold a place while the handler runs, which is canceled when its time is over.

        Raises:
            HostdError: HTTP_BUSY for one too many, WEBHOOK_TIMEOUT.
        """
        waiting = self._since.setdefault(route.url_path, {})
        began_s = asyncio.get_running_loop().time()
        self._check_room(route, waiting, began_s)
        place = object()
        waiting[place] = began_s
        patience = asyncio.timeout(route.timeout_s)
        try:
            async with patience:
                yield
        except TimeoutError:
            if not patience.expired():
                raise
            message = f"the trigger behind {route.url_path} did not answer within {route.timeout_s:g} s"
            raise HostdError(Kind.TIMEOUT, "WEBHOOK_TIMEOUT", message) from None
        finally:
            del waiting[place]
            if not waiting and self._since.get(route.url_path) is waiting:
                del self._since[route.url_path]

    def _check_room(self, route: _Answered, waiting: dict[object, float], now_s: float) -> None:
        most = max(1, self.requests_max // 2)
        if len(waiting) < most:
            return
        if now_s - next(islice(waiting.values(), most - 1, None)) > SLOW_S:
            message = f"{most} requests to {route.url_path} wait for an answer of its trigger already"
            raise HostdError(Kind.EXHAUSTED, "HTTP_BUSY", message, retry_after_s=BUSY_RETRY_S)
