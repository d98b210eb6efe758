"""So many plugin processes start at once, in the order they asked: fifty at a time would stand in each other's way,
and in the daemon's.
"""

from __future__ import annotations

import asyncio
from collections import deque

STARTS_MAX = 4
LENT_S = 5.0  # whoever takes longer waits for something; what waits behind it goes on


class Place:
    """One start's place. `granted` is done when it may begin; `leave` must be called, however the start went."""

    __slots__ = ("_left", "_queue", "_timer", "granted")

    def __init__(self, queue: StartQueue) -> None:
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue = queue
        self._timer: asyncio.TimerHandle | None = None
        self._left = False

    def begin(self) -> None:
        """It is its turn."""
        self.granted.set_result(None)
        self._timer = asyncio.get_running_loop().call_later(LENT_S, self.leave)

    def leave(self) -> None:
        """Let the next one begin; may be called twice."""
        if self._left:
            return
        self._left = True
        if self._timer is not None:
            self._timer.cancel()
        self._queue.left(self)


class StartQueue:
    """One per daemon."""

    def __init__(self, places: int = STARTS_MAX) -> None:
        self._free = places
        self._waiting: deque[Place] = deque()

    def ask(self) -> Place:
        """Return a place in the queue."""
        place = Place(self)
        self._waiting.append(place)
        self._let_in()
        return place

    def left(self, place: Place) -> None:
        """A start is over, or was given up before its turn."""
        if place.granted.done():
            self._free += 1
        else:
            self._waiting.remove(place)
            place.granted.cancel()
        self._let_in()

    def _let_in(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            self._waiting.popleft().begin()
