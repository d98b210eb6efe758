"""How much emission holds at once: events are let in, in the order they came, while those before wait to be durable.

Who waits holds nothing of it but the caller's own events, so memory is bounded by this and by who calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

EVENTS_MAX = 4_000
BYTES_MAX = 64 * 1024 * 1024


class EmitGate:
    """Counts events and bytes that are being taken in. One emission past a bound is let in where there is room yet."""

    def __init__(self, events_max: int = EVENTS_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._events_max = events_max
        self._bytes_max = bytes_max
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._entering = False  # one was let in and has not said yet what it holds: the next waits for that
        self.events = self.size_bytes = 0

    def let_in(self) -> Passage:
        """Return what an emission passes through: `async with gate.let_in() as passage`."""
        return Passage(self)

    async def admit(self) -> None:
        """Return when it is this one's turn and there is room."""
        if not self._waiting and self._is_open():
            self._entering = True
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                self._entering = False  # it was let in and goes: the turn passes on
            elif future in self._waiting:
                self._waiting.remove(future)
            self.look()
            raise

    def look(self) -> None:
        """Let in who waits, while there is room."""
        while self._waiting and self._is_open():
            future = self._waiting.popleft()
            if not future.done():
                self._entering = True
                future.set_result(None)

    def entered(self, events: int, size_bytes: int) -> None:
        """Take note of what the one that was let in holds."""
        self._entering = False
        self.events += events
        self.size_bytes += size_bytes
        self.look()

    def left(self, events: int, size_bytes: int) -> None:
        """Take note that it holds this no more."""
        self.events -= events
        self.size_bytes -= size_bytes
        self.look()

    def _is_open(self) -> bool:
        return not self._entering and self.events < self._events_max and self.size_bytes < self._bytes_max


class Passage:
    """One emission on its way through a gate."""

    __slots__ = ("_events", "_gate", "_said", "_size_bytes")

    def __init__(self, gate: EmitGate) -> None:
        self._gate = gate
        self._said = False
        self._events = self._size_bytes = 0

    async def __aenter__(self) -> Passage:
        await self._gate.admit()
        return self

    def holds(self, events: int, size_bytes: int) -> None:
        """Say what it holds, once, before it waits for anything."""
        self._said = True
        self._events, self._size_bytes = events, size_bytes
        self._gate.entered(events, size_bytes)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._said:
            self._gate.entered(0, 0)
        self._gate.left(self._events, self._size_bytes)
