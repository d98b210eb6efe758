"""A decision in the making: a forked state, and the records and commands so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hostd.definition.plan import Budget
from hostd.engine.codes import STEP_CANCELED, STEP_FAILED
from hostd.engine.evolve import evolve
from hostd.engine.scope import RunScope
from hostd.engine.state import Run
from hostd.errors.base import HostdError
from hostd.model.commands import Command
from hostd.model.payload import Blob, Value, to_blob
from hostd.model.records import AnyRecord, Failure, StepEnded


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What a decision may know of the world: the time, and how many more attempts of an action may start.

    `permits` holds actions that are limited; absent means unlimited. `blobs`: values that an earlier try asked for.
    """

    at_ms: int
    permits: Mapping[str, int] = {}
    blobs: Mapping[bytes, bytes] = {}


class Decision(msgspec.Struct, gc=False):
    """What a message leads to. `run` is the state after `records`; nothing of it is visible before they are durable."""

    run: Run | None = None
    records: list[AnyRecord] = []
    commands: list[Command] = []
    blobs: list[Blob] = []


class Refused(msgspec.Struct, frozen=True, gc=False):
    """The run does not take the message: nothing changes, and whoever sent it is told why."""

    error: HostdError


class Needs(msgspec.Struct, frozen=True, gc=False):
    """The decision looks into values that lie in blobs: read them and decide again with the same message and stamp."""

    digests: tuple[bytes, ...]


class Draft(msgspec.Struct, gc=False, eq=False):
    """The working copy behind one decision; `at_ms`, `permits` and `blobs` are its stamp's.

    `ended`: steps whose dependents have not been looked at yet.
    """

    run: Run
    at_ms: int
    permits: Mapping[str, int]
    blobs: Mapping[bytes, bytes]
    budget: Budget = msgspec.field(default_factory=Budget)
    records: list[AnyRecord] = []
    commands: list[Command] = []
    new_blobs: list[Blob] = []
    ended: list[int] = []
    _taken: dict[str, int] = {}
    _parsed: dict[Any, Any] = {}  # values that expressions looked into, for this decision only

    def add(self, record: AnyRecord) -> None:
        """Decide a record: it is true from here on."""
        self.records.append(record)
        evolve(self.run, record, self.at_ms)

    def end(self, step: int, record: AnyRecord) -> None:
        """Decide a record that ends a step; `settle` goes on from there."""
        self.add(record)
        self.ended.append(step)

    def cancel(self, step: int) -> None:
        """End a step as CANCELED."""
        self.end(step, StepEnded(step=step, state=STEP_CANCELED))

    def fail(self, step: int, failure: Failure) -> None:
        """End a step as FAILED where no attempt's answer does."""
        self.end(step, StepEnded(step=step, state=STEP_FAILED, failure=failure))

    def scope(self, step: int, *, error: dict[str, Any] | None = None) -> RunScope:
        """Return what expressions of a step see; step -1 is the run itself."""
        active = self.run.active.get(step)
        now_ms = active.ready_at_ms if active is not None else self.at_ms
        return RunScope(self.run, step, now_ms, self.blobs, error, parsed=self._parsed)

    def keep(self, blob: Blob) -> None:
        """Store a blob with this decision; its expressions can look into it already."""
        self.new_blobs.append(blob)
        self.blobs = {**self.blobs, blob.digest: blob.data}

    def value(self, data: bytes) -> Value:
        """Return how to record a value the engine made itself; a large one becomes a blob of this decision."""
        value, blob = to_blob(data)
        if blob is not None:
            self.keep(blob)
        return value

    def permitted(self, action: str) -> bool:
        """Say whether one more attempt of an action may start."""
        free = self.permits.get(action)
        return free is None or self._taken.get(action, 0) < free

    def take_permit(self, action: str) -> None:
        """Count an attempt that starts against what is free."""
        self._taken[action] = self._taken.get(action, 0) + 1
