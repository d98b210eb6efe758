"""A configured trigger as emission knows it."""

from __future__ import annotations

from datetime import datetime

from hostd.definition.plan import TriggerPlan
from hostd.journal.port import TriggerRow
from hostd.plugin.clocks import slot_of
from hostd.runtime.triggers.partition_cursors import cursor_of
from hostd.runtime.workflows.workflows import Ready

TELL_EVERY_MS = 60_000


class Source:
    """A configured trigger as emission knows it. `row` is what the journal last said of it."""

    __slots__ = (
        "begins",
        "hidden",
        "namespace",
        "place",
        "plan",
        "ready",
        "row",
        "run_trigger",
        "scope_name",
        "since_ms",
        "told_at_ms",
    )

    def __init__(self, namespace: str, ready: Ready, plan: TriggerPlan, row: TriggerRow) -> None:
        self.namespace = namespace
        self.ready = ready
        self.plan = plan
        self.row = row
        self.scope_name = f"{row.workflow}/{row.name}"
        self.run_trigger = row.name if row.workflow else self.scope_name  # as its runs are told
        self.place = (namespace, ready.plan.workflow, self.run_trigger)
        self.hidden: tuple[str, ...] = ()  # values of secrets the trigger was given
        self.since_ms = 0  # when its version was activated
        self.begins = -1  # the position of topics behind which it begins; -1 for one activated before that was kept
        self.told_at_ms = -TELL_EVERY_MS  # when the log last told of an event that could not be used

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
