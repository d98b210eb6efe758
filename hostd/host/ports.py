"""What this room needs of the rooms above and beside it; they implement it, daemon.py connects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from hostd.plugin import Emitted, Event, Secrets
from hostd.values.json_text import JsonValue

if TYPE_CHECKING:
    from hostd.host.clock import PluginClock


class AttemptHost(Protocol):
    """What one daemon gives to all attempts; contexts ask it lazily, with themselves as the argument."""

    @property
    def clock(self) -> PluginClock: ...

    def heartbeat(self, context: Any, progress: JsonValue) -> None:
        """Take note that an attempt is alive; called from the attempt's thread or loop."""
        ...

    def secrets(self, context: Any) -> Secrets:
        """Return the secrets of the attempt's namespace; every value handed out is searched for in what comes back."""
        ...


class EmitPort(Protocol):
    """Where a trigger's events go. Returns once all is durable; waits while intake is full."""

    async def __call__(self, events: tuple[Event, ...], cursor: JsonValue) -> list[Emitted]: ...
