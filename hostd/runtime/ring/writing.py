"""Door items that add rows of their own kind to a turn, sized in bytes; whoever writes waits while intake is full."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.turn import Answer, Turn

T = TypeVar("T")


class Writing:
    """Rows for the next turn: `fill` adds them, what it returns is the answer once they are durable.

    `fill` may raise HostdError: then it must not have added anything.
    """

    patient = True

    def __init__(self, fill: Callable[[Turn], Any], *, size: int, size_bytes: int) -> None:
        self._fill = fill
        self.size = size
        self.size_bytes = size_bytes
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def enter(self, turn: Turn) -> None:
        """Add the rows."""
        answer = self._fill(turn)
        turn.size_bytes += self.size_bytes
        turn.answers.append(Answer(self.future, answer))


async def write(loop: EngineLoop, fill: Callable[[Turn], T], *, size: int = 1, size_bytes: int = 0) -> T:
    """Let `fill` add rows to a turn of the engine loop; return what it returned once that is durable.

    Raises:
        HostdError: what `fill` raised; JOURNAL_* when nothing can be written.
    """
    if loop.unwritable is None:
        await loop.lanes.room(size, size_bytes)
    item = Writing(fill, size=size, size_bytes=size_bytes)
    loop.enter(item)
    answer: T = await item.future
    return answer
