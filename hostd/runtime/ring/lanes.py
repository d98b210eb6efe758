"""The two ways into the engine loop: doors are bounded and may refuse; inside is bounded by what is in flight.

Who waits for a place at the doors is woken, in the order of asking, by what makes room: nothing polls.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Any

from hostd.errors.base import HostdError, Kind

DOORS_MAX = 10_000
DOORS_BYTES_MAX = 64 * 1024 * 1024


class Lanes:
    """Both queues. Inside is taken first. Doors are bounded by count and bytes; one item alone may be any bytes."""

    def __init__(self, doors_max: int = DOORS_MAX, doors_bytes_max: int = DOORS_BYTES_MAX) -> None:
        self.inside: deque[Any] = deque()
        self.doors: deque[Any] = deque()
        self.doors_max = doors_max
        self.doors_size = 0
        self.doors_bytes_max = doors_bytes_max
        self.doors_bytes = 0
        self.refused: Counter[str] = Counter()  # requests that did not get in, by reason
        self._queue: deque[tuple[asyncio.Future[None], int, int]] = deque()  # who waits for room, with sizes
        self._open = asyncio.Event()
        self._open.set()

    def resize(self, doors_max: int) -> None:
        """Let another number of requests wait; those that wait already stay."""
        self.doors_max = doors_max
        self._wake()

    def any_waiting(self) -> bool:
        """Say whether there is anything to take."""
        return bool(self.inside or self.doors)

    def enter(self, item: Any) -> None:
        """Queue a door item. Raises HostdError INTAKE_FULL; nothing is then accepted."""
        if not self.has_room(item.size, item.size_bytes, patient=item.patient):
            self.refused["INTAKE_FULL"] += item.size
            message = f"{self.doors_size} requests wait already; nothing of this one was accepted"
            raise HostdError(Kind.EXHAUSTED, "INTAKE_FULL", message, retry_after_s=0.1)
        self.doors_size += item.size
        self.doors_bytes += item.size_bytes
        self.doors.append(item)

    def sizes(self) -> dict[tuple[str, ...], float]:
        """Return how much waits in each lane, as a reading with one label."""
        return {("inside",): float(len(self.inside)), ("doors",): float(self.doors_size)}

    def has_room(self, size: int = 1, size_bytes: int = 0, *, patient: bool = False) -> bool:
        """Say whether a door item of this size would be accepted now.

        Args:
            patient: it waits until it is; then an empty lane takes it however many it is, or it would wait for ever.
        """
        fits = not self.doors or self.doors_bytes + size_bytes <= self.doors_bytes_max
        return fits and (self.doors_size + size <= self.doors_max or (patient and not self.doors))

    async def room(self, size: int = 1, size_bytes: int = 0) -> None:
        """Wait until a door item of this size would be accepted. Enter it at once: nothing is kept free."""
        woken = False
        while not self.has_room(size, size_bytes, patient=True):
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            place = (future, size, size_bytes)
            (self._queue.appendleft if woken else self._queue.append)(place)
            try:
                await future
            except asyncio.CancelledError:
                self._give_up(place)
                raise
            woken = True

    async def open_room(self, size: int = 1, size_bytes: int = 0) -> None:
        """Wait until a door item of this size would be accepted and something can be written."""
        while True:
            await self._open.wait()
            await self.room(size, size_bytes)
            if self._open.is_set():
                return

    def shut(self) -> None:
        """Let who waits for an open door wait on: nothing can be written just now."""
        self._open.clear()

    def reopen(self) -> None:
        """Let them in."""
        self._open.set()

    def _give_up(self, place: tuple[asyncio.Future[None], int, int]) -> None:
        if place in self._queue:
            self._queue.remove(place)
        self._wake()  # whoever stood behind it may fit, or the place it was woken for is free

    def _wake(self) -> None:
        """Wake from the front of the queue who fits, all of them together."""
        size, size_bytes, any_before = self.doors_size, self.doors_bytes, bool(self.doors)
        while self._queue:
            future, more, more_bytes = self._queue[0]
            if not future.done():
                size, size_bytes = size + more, size_bytes + more_bytes
                if any_before and (size > self.doors_max or size_bytes > self.doors_bytes_max):
                    return
                any_before = True
                future.set_result(None)
            self._queue.popleft()

    def take_door(self) -> Any:
        """Return the oldest door item."""
        item = self.doors.popleft()
        self.doors_size -= item.size
        self.doors_bytes -= item.size_bytes
        if self._queue:
            self._wake()
        return item

    def drop_doors(self) -> list[Any]:
        """Return and forget all door items."""
        items = list(self.doors)
        self.doors.clear()
        self.doors_size = self.doors_bytes = 0
        self._wake()
        return items
