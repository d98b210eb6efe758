"""A configured trigger as emission knows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hostd.definition.plan import TriggerPlan
from hostd.journal.port import TriggerRow
from hostd.plugin.clocks import slot_of
from hostd.runtime.ring.starts import Ready
from hostd.runtime.ring.turn import Turn
from hostd.runtime.triggers.partition_cursors import cursor_of

TELL_EVERY_MS = 60_000


class KeptRow:
    """What the journal has of a trigger, with what the turn under way changes of it. Changed inside turns only.

    One for all sources of a trigger: an event that came to the version before the active one is counted in the same
    row, so it takes back neither a cursor that has moved on nor a pause.
    """

    __slots__ = ("__weakref__", "_told", "forgotten", "row")

    def __init__(self, row: TriggerRow, told: Callable[[tuple[str, str, str]], None]) -> None:
        self.row = row
        self._told = told
        self.forgotten = False  # it is deleted, or another plugin's by now: what still comes changes nothing

    def change(self, turn: Turn, change: Callable[[TriggerRow], TriggerRow]) -> None:
        """Change the row in this turn, and take that back where its append fails."""
        if self.forgotten:
            return
        before = self.row
        self.row = change(before)
        turn.batch.triggers.append(self.row)
        self._tell()

        def undo() -> None:
            self.row = before
            self._tell()

        turn.when_failed.append(undo)

    def _tell(self) -> None:
        self._told((self.row.namespace, self.row.workflow, self.row.name))

    def forget(self, turn: Turn) -> None:
        """Delete the row in this turn."""
        if self.forgotten:
            return
        self.forgotten = True
        row = self.row
        turn.batch.trigger_deletes.append((row.namespace, row.workflow, row.name))

        def undo() -> None:
            self.forgotten = False

        turn.when_failed.append(undo)


class Source:
    """A configured trigger as emission knows it."""

    __slots__ = (
        "begins",
        "hidden",
        "kept",
        "namespace",
        "place",
        "plan",
        "ready",
        "run_trigger",
        "scope_name",
        "secrets",
        "since_ms",
        "told_at_ms",
    )

    def __init__(self, namespace: str, ready: Ready, plan: TriggerPlan, kept: KeptRow) -> None:
        self.namespace = namespace
        self.ready = ready
        self.plan = plan
        self.kept = kept
        row = kept.row
        self.scope_name = f"{row.workflow}/{row.name}"
        self.run_trigger = row.name if row.workflow else self.scope_name  # as its runs are told
        self.place = (namespace, ready.plan.workflow, self.run_trigger)
        self.hidden: tuple[str, ...] = ()  # values of secrets the trigger was given
        self.secrets: set[str] = set()  # names of those it was given, or missed
        self.since_ms = 0  # when its version was activated
        self.begins = -1  # the position of topics behind which it begins; -1 for one activated before that was kept
        self.told_at_ms = -TELL_EVERY_MS  # when the log last told of an event that could not be used

    @property
    def row(self) -> TriggerRow:
        """What the journal has of it; see KeptRow."""
        return self.kept.row

    @property
    def mark(self) -> datetime | None:
        """The high-water mark of slots; None before the first, and where the cursor is something else."""
        return self.mark_of("")

    def mark_of(self, partition: str) -> datetime | None:
        """Return the high-water mark of a partition's slots, of the trigger's where it has none."""
        return slot_of(cursor_of(self.row.cursor, partition))

    def hide(self, *values: str) -> None:
        """Keep these values out of events, messages and the log."""
        self.hidden = tuple(dict.fromkeys((*self.hidden, *values)))
