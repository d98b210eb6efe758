"""What this room needs of the rooms above it; they implement it, daemon.py connects."""

from __future__ import annotations

from typing import Protocol

from hostd.plugin import Emitted, Event
from hostd.values.json_text import JsonValue


class NamedStep(Protocol):
    """A step as far as contexts look at it."""

    @property
    def id(self) -> str: ...

    @property
    def timeout_ms(self) -> int:
        """0 = none."""
        ...


class NamedPlan(Protocol):
    """A plan as far as contexts look at it."""

    @property
    def workflow(self) -> str: ...


class AttemptFacts(Protocol):
    """An attempt as the runtime keeps it; contexts ask it when the action asks them."""

    hidden: tuple[str, ...]  # values of secrets it used; what comes back is searched for them

    @property
    def namespace(self) -> str: ...

    @property
    def run_id(self) -> str: ...

    @property
    def number(self) -> int: ...

    @property
    def step(self) -> NamedStep: ...

    @property
    def plan(self) -> NamedPlan: ...

    @property
    def idempotency_key(self) -> str: ...


class Heartbeats(Protocol):
    """Where attempts report that they are alive."""

    def beat(self, attempt: AttemptFacts, progress: JsonValue) -> None:
        """Take note; called from the attempt's loop or thread, cheap."""
        ...

    def progress(self, attempt: AttemptFacts) -> JsonValue:
        """Return what the attempt before this one last reported."""
        ...


class SecretReader(Protocol):
    """Reads one secret of a namespace. Raises HostdError SECRET_MISSING."""

    async def __call__(self, namespace: str, name: str) -> str: ...


class EmitPort(Protocol):
    """Where a trigger's events go. Returns once all is durable; waits while intake is full."""

    async def __call__(self, events: tuple[Event, ...], cursor: JsonValue) -> list[Emitted]: ...
