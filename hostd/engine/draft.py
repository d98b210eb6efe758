"""A decision in the making: a forked state, and the records and commands so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hostd.definition.plan import Budget
from hostd.engine.evolve import evolve
from hostd.engine.scope import RunScope
from hostd.engine.state import Run
from hostd.model.commands import Command
from hostd.model.payload import Blob, Value, to_blob
from hostd.model.records import AnyRecord


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


class Needs(msgspec.Struct, frozen=True, gc=False):
    """The decision looks into values that lie in blobs: read them and decide again with the same message and stamp."""

    digests: tuple[bytes, ...]


class Draft:
    """The working copy behind one decision."""

    __slots__ = ("at_ms", "blobs", "budget", "commands", "new_blobs", "permits", "records", "run", "started")

    def __init__(self, run: Run, stamp: Stamp) -> None:
        self.run = run
        self.at_ms = stamp.at_ms
        self.permits = stamp.permits
        self.blobs = stamp.blobs
        self.budget = Budget()
        self.records: list[AnyRecord] = []
        self.commands: list[Command] = []
        self.new_blobs: list[Blob] = []
        self.started: dict[str, int] = {}

    def add(self, record: AnyRecord) -> None:
        """Decide a record: it is true from here on."""
        self.records.append(record)
        evolve(self.run, record, self.at_ms)

    def scope(self, step: int, *, now_ms: int = 0, error: dict[str, Any] | None = None) -> RunScope:
        """Return what expressions of a step see."""
        return RunScope(self.run, step, now_ms or self.at_ms, self.blobs, error)

    def value(self, data: bytes) -> Value:
        """Return how to record a value the engine made itself; a large one becomes a blob of this decision."""
        value, blob = to_blob(data)
        if blob is not None:
            self.new_blobs.append(blob)
        return value

    def take_permit(self, action: str) -> bool:
        """Take a slot of an action for this decision. Returns False when there is none."""
        free = self.permits.get(action)
        if free is None:
            return True
        used = self.started.get(action, 0)
        if used >= free:
            return False
        self.started[action] = used + 1
        return True

    def decision(self) -> Decision:
        """Return the finished decision. Parsed values were lent to actions, which may change them: nothing is kept."""
        self.run.parsed = None
        return Decision(self.run, self.records, self.commands, self.new_blobs)
