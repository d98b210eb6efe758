"""The ways into the engine loop: messages about runs go inside and are never refused, the rest comes by a door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from hostd.model.messages import Message, SlotFree, Tick
from hostd.runtime.ring.turn import Answer, Turn
from hostd.runtime.ring.turn_ends import TurnEnds

_TICK = Tick()


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


class LoopDoors(TurnEnds):
    """The beginning of the engine loop."""

    def tell(self, key: int, message: Message) -> None:
        """Put a message on the inside lane."""
        self.lanes.inside.append((key, message, "", None, None))
        self._wake()

    def tell_slot(self, key: int, step: int, alone: bool) -> None:
        """A READY step may start."""
        self.tell(key, SlotFree(step, alone))

    def tick(self, key: int) -> int:
        """Something of a run is due. Returns how much waits to be heard."""
        self.tell(key, _TICK)
        return len(self.lanes.inside) + self.residence.parked

    def ask(
        self, key: int, message: Message, principal: str, note: Callable[[Turn], None] | None = None
    ) -> asyncio.Future[bool]:
        """Put a message of a client on the inside lane; answers, once durable, whether it changed anything.

        Args:
            note: called with the turn where it does, to write a request id beside it.

        The future raises HostdError RUN_MISSING for a run that has ended or is gone, or why nothing was written.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.lanes.inside.append((key, message, principal, future, note))
        self._wake()
        return future

    def enter(self, item: DoorItem) -> None:
        """Put something on the doors' lane. Raises HostdError INTAKE_FULL, or why nothing can be written."""
        if self.unwritable is not None:
            self.lanes.refused[self.unwritable.reason] += item.size
            raise self.unwritable
        self.lanes.enter(item)
        self._wake()

    def write(self, fill: Callable[[Turn], Any], *, size: int = 1) -> asyncio.Future[Any]:
        """Have `fill` add rows to the next turn's batch; answers with what it returned once that is durable."""
        item = WriteItem(fill, asyncio.get_running_loop().create_future(), size)
        self.enter(item)
        return item.future
