"""Events as the journal's port has them: what was emitted or published, what was seen before, what became no run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

EVENT_FIXED_BYTES = 200
"""What an event counts towards the bound of all events beyond its body: its attributes and index entries, about."""


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """An event as a trigger emitted it or somebody published it: CloudEvents attributes and data as JSON text.

    A published one has a topic and neither workflow nor trigger.
    """

    namespace: str
    workflow: str
    trigger: str
    event_id: str
    body: bytes
    outcome: str
    run_ids: tuple[str, ...] = ()
    topic: str = ""
    type: str = ""


class Dedup(msgspec.Struct, frozen=True, gc=False):
    """An event id that a trigger has seen. `scope` names the trigger."""

    namespace: str
    scope: str
    event_id: str
    run_ids: tuple[str, ...] = ()


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """An event that could not become a run, and why."""

    namespace: str
    workflow: str
    trigger: str
    event_id: str
    body: bytes
    reason: str
    message: str


class EventReads(Protocol):
    """Reading events and dead letters."""

    def events(
        self, namespace: str, *, after: int = 0, limit: int = 100, topics: Sequence[str] = (), size_bytes: int = 0
    ) -> list[tuple[int, int, EventRow]]:
        """Return (number, at_ms, event) by rising number.

        Args:
            topics: only events published to these; `orders.*` is every topic that begins with `orders.`, `*` every one.
            size_bytes: end with the event that makes the bodies so large; 0 = without a bound.
        """
        ...

    def events_of(
        self, namespace: str, workflow: str, trigger: str, *, after: int, until: int
    ) -> dict[str, tuple[str, ...]]:
        """Return the run ids of a trigger's events with after < number <= until, by event id; bodies are not read."""
        ...

    def events_behind(self, namespace: str, topics: Sequence[str], *, after: int, most: int) -> int:
        """Count events of topics with number > after; looks at so many of each topic or prefix at most."""
        ...

    def first_event(self) -> int:
        """Return the lowest number of an event that is kept, 0 where there is none."""
        ...

    def last_event(self) -> int:
        """Return the highest number an event ever got, 0 where there was none."""
        ...

    def events_gone_ms(self) -> int:
        """Return the latest time of an event that retention deleted, 0 where none was."""
        ...

    def events_gone_to(self) -> int:
        """Return the highest number of an event that retention deleted, 0 where none was."""
        ...

    def dedup_seen(self, namespace: str, scope: str, event_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the run ids of those event ids that were seen."""
        ...

    def dead_letters(
        self, namespace: str, *, after: int = 0, limit: int = 100
    ) -> list[tuple[int, int, DeadLetter]]: ...

    def dead_letter(self, namespace: str, number: int) -> tuple[int, DeadLetter] | None:
        """Return (at_ms, letter)."""
        ...

    def dead_letter_counts(self) -> dict[str, int]:
        """Count dead letters by namespace, from an index alone."""
        ...
