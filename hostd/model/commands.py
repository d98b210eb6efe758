"""What the engine wants done once its records are durable; runtime.effects does it."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec


class StartAttempt(msgspec.Struct, frozen=True, gc=False):
    """Run an action. `options` is the rendered `with` (secrets still opaque); `timeout_ms` 0 = none."""

    step: int
    attempt: int
    options: Any
    alone: bool = False


class CancelAttempt(msgspec.Struct, frozen=True, gc=False):
    """Tell a running attempt to stop; its answer is still welcome for the grace time."""

    step: int
    attempt: int


class AskSlot(msgspec.Struct, frozen=True, gc=False):
    """A step is READY and waits for a slot of its action, or to run alone."""

    step: int
    alone: bool = False


Command: TypeAlias = StartAttempt | CancelAttempt | AskSlot
