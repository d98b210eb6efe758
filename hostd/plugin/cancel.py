"""The flag that asks an attempt to stop."""

from __future__ import annotations

import asyncio


class CancelFlag:
    """Set once, from the loop; read from anywhere, waited for on the loop."""

    __slots__ = ("_event", "requested")

    def __init__(self) -> None:
        self.requested = False
        self._event: asyncio.Event | None = None

    async def wait(self) -> None:
        """Return when a stop is asked for."""
        if self.requested:
            return
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()

    def set(self) -> None:
        """Ask for a stop."""
        self.requested = True
        if self._event is not None:
            self._event.set()
