"""What comes by a door into a turn of the engine loop: it counts against the doors' lane, and waits for its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from hostd.runtime.ring.turn import Answer, Turn


class DoorItem(Protocol):
    """Something a door asks for. `size` and `size_bytes` count against the doors' lane; `enter` runs inside a turn."""

    size: int
    size_bytes: int
    future: asyncio.Future[Any]
    patient: bool  # it waited for room, and would wait for ever where there never is enough

    def enter(self, turn: Turn) -> None:
        """Add to the turn. Raises HostdError, having added nothing, for the door to tell."""
        ...


class WriteItem:
    """A door item that only adds rows."""

    patient = False

    def __init__(self, fill: Callable[[Turn], Any], future: asyncio.Future[Any], size: int) -> None:
        self.fill = fill
        self.future = future
        self.size = size
        self.size_bytes = 0

    def enter(self, turn: Turn) -> None:
        turn.answers.append(Answer(self.future, self.fill(turn)))
