"""What the engine loop hands on once it is durable, and to whom; the rooms above fit in."""

from __future__ import annotations

from typing import Protocol

from hostd.journal.port import Appended
from hostd.model.commands import Command
from hostd.runtime.ring.turn import Change, Resident


class Performer(Protocol):
    """Does commands once they are durable (runtime.effects)."""

    @property
    def in_flight(self) -> int: ...

    def perform(self, resident: Resident, commands: list[Command]) -> None: ...

    async def before_adoption(self, resident: Resident) -> None:
        """Learn what is needed before attempts of a run are adopted."""
        ...

    def adopt(self, resident: Resident, index: int, number: int) -> bool:
        """Go on waiting for an attempt that somebody outside the daemon still holds; say whether anybody does."""
        ...


class Watchers(Protocol):
    """Hears of every durable turn (runtime.watch)."""

    def publish(self, appended: Appended, changes: list[Change]) -> None: ...

    def held(self, run: int, appended: Appended) -> None:
        """Hear of a run that nothing moves any more."""
        ...
