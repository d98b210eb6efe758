"""What one turn of the engine loop collects until its append is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from hostd.engine.state import Run
from hostd.journal.port import Appended, Batch
from hostd.model.commands import Command
from hostd.model.messages import Message
from hostd.model.records import AnyRecord
from hostd.runtime.ring.snapshots import DISTANCE

Entry: TypeAlias = "tuple[int, Message, str, asyncio.Future[bool] | None, Callable[[Turn], None] | None]"
"""An inside message: run, message, principal, who waits for the answer, and what it writes beside its effect."""


TIMED = 32  # beside a state: the run has a timer
NO_PROGRESS: Mapping[int, bytes] = {}


class Resident:
    """A run in memory: its state and what the journal's index row last said of it. Owned by the engine loop."""

    __slots__ = (
        "counted", "due_at_ms", "has_snapshot", "key", "namespace", "progress", "run", "stored_state", "to_snapshot",
        "used_s",
    )  # fmt: skip

    def __init__(self, key: int, namespace: str, run: Run, *, stored_state: int, due_at_ms: int) -> None:
        self.key = key  # the journal's integer for the run
        self.namespace = namespace
        self.run = run
        self.stored_state = stored_state
        self.due_at_ms = due_at_ms
        self.counted = stored_state | TIMED if due_at_ms else stored_state  # as census.py counts it now, 0 not yet
        self.has_snapshot = False
        self.progress = NO_PROGRESS  # JSON text by step, as its attempts last reported; replaced, not changed
        self.to_snapshot = DISTANCE  # falls with each record; a snapshot is due at 0
        self.used_s = 0.0  # monotonic seconds of the last message


class Change(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One decision, as watchers are told of it once it is durable."""

    resident: Resident
    run: Run  # the state after the records; replaced, not changed, by the next decision
    first_seq: int
    records: list[AnyRecord]
    size_bytes: int  # of the records, encoded


class Answer:
    """What a door waits for: set once the turn is durable, or failed."""

    __slots__ = ("error", "future", "value")

    def __init__(self, future: asyncio.Future[Any], value: Any, error: BaseException | None = None) -> None:
        self.future = future
        self.value = value
        self.error = error

    def give(self) -> None:
        """Answer, unless the door has gone away."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)


class Turn:
    """Everything decided in one turn."""

    __slots__ = (
        "answers",
        "batch",
        "changes",
        "commands",
        "dues",
        "ended",
        "handed_s",
        "heard",
        "now_s",
        "permits",
        "size_bytes",
        "touched",
        "when_durable",
        "when_failed",
    )

    def __init__(self, at_ms: int, epoch: int, permits: Mapping[str, int], now_s: float = 0.0) -> None:
        self.batch = Batch(at_ms, epoch)
        self.permits = permits
        self.now_s = now_s  # monotonic
        self.handed_s = now_s  # when its append began
        self.size_bytes = 0  # of records and blobs
        self.touched: dict[int, Resident] = {}
        self.changes: list[Change] = []
        self.commands: list[tuple[Resident, list[Command]]] = []
        self.answers: list[Answer] = []
        self.ended: list[Resident] = []
        self.heard: list[Entry] = []  # inside messages, to be heard again when the append fails
        self.dues: list[tuple[int, int]] = []  # run and its due time before the turn, 0 for none
        self.when_durable: list[Callable[[Appended], None]] = []
        self.when_failed: list[Callable[[], Any]] = []
