"""What enters the engine about one run. Time and randomness arrive inside."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from hostd.model.payload import Blob, Value
from hostd.model.records import Failure, RunStarted


class Begin(msgspec.Struct, frozen=True, gc=False):
    """Start a run; the record is complete but for its `vars`. `blobs`: what the record refers to."""

    started: RunStarted
    blobs: tuple[Blob, ...] = ()
    signal: Signal | None = None  # received before the first step begins


class AttemptDone(msgspec.Struct, frozen=True, gc=False):
    """An attempt succeeded. `output` is recorded as it is; `blob` is what it refers to, if anything."""

    step: int
    attempt: int
    output: Value = b"null"
    blob: Blob | None = None


class AttemptError(msgspec.Struct, frozen=True, gc=False):
    """An attempt failed. `random` in [0, 1) draws the wait; `retry_after_ms` of the error replaces it."""

    step: int
    attempt: int
    failure: Failure
    retry_after_ms: int | None = None
    canceled: bool = False
    log_tail: tuple[str, ...] = ()
    random: float = 0.5


class AttemptGone(msgspec.Struct, frozen=True, gc=False):
    """Nobody can say how an attempt ended. `suspect`: it ran in the daemon's own process and can have killed it."""

    step: int
    attempt: int
    effects: str = "idempotent"
    suspect: bool = True


class SlotFree(msgspec.Struct, frozen=True, gc=False):
    """A READY step may start now. `alone`: nothing else runs inside the daemon while it does."""

    step: int
    alone: bool = False


class Tick(msgspec.Struct, frozen=True, gc=False):
    """Something of the run is due."""


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Stop in good order: handlers and cleanup steps run."""

    reason: str = ""
    grace_ms: int = 30_000


class Terminate(msgspec.Struct, frozen=True, gc=False):
    """Stop at once; nothing else runs."""

    reason: str = ""


class Pause(msgspec.Struct, frozen=True, gc=False):
    """Start nothing new."""

    reason: str = ""


class Signal(msgspec.Struct, frozen=True, gc=False):
    """Keep what somebody outside says to the run, if its workflow takes it.

    Args:
        data: JSON text; `value` is the same, parsed and read only.
        request_id: the same id is received once; empty is not told apart.
    """

    name: str
    data: bytes = b"null"
    value: Any = None
    request_id: str = ""


class Resume(msgspec.Struct, frozen=True, gc=False):
    """Go on."""


Message: TypeAlias = (
    Begin | AttemptDone | AttemptError | AttemptGone | SlotFree | Tick | Cancel | Terminate | Pause | Resume | Signal
)
