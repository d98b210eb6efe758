"""One running attempt, as effects keeps it until it answers."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from hostd.aio import Timer
from hostd.definition.plan import Plan, StepPlan
from hostd.model.ids import idempotency_key
from hostd.values.trace import run_trace_id, span_of


class Attempt(msgspec.Struct, eq=False):
    """A started attempt. `finished` becomes True with the one answer that counts."""

    key: int
    namespace: str
    run_id: str
    lineage: str
    plan: Plan
    step: StepPlan
    action: str  # that the step names
    number: int
    ready_at_ms: int  # what the step sees as now
    alone: bool
    trace: str  # that the run was started in, one text; empty for none
    executor: str = "inline"
    plugin: str = ""  # that provides the action
    effects: str = "idempotent"
    context: Any = None  # let go with the answer: it refers back, and only the garbage collector could free the two
    task: asyncio.Task[Any] | None = None
    timer: Timer | None = None
    grace: Timer | None = None
    cancel_reason: str = ""  # "canceled" or "timeout" once somebody wants it to stop
    waits: bool = False  # it holds a slot
    began_s: float = 0.0  # monotonic, where it waits
    finished: bool = False
    own_loop: bool = False  # it runs on the plugin's own event loop, in a thread
    abandoned: bool = False  # answered for, though its task goes on
    hidden: tuple[str, ...] = ()  # values of secrets it used

    def __repr__(self) -> str:
        """Without what it holds: there may be secrets among it."""
        return f"<attempt {self.number} of {self.step.id} of {self.run_id}>"

    @property
    def idempotency_key(self) -> str:
        """The same for all tries of the step on all owners; most actions never ask for it."""
        return idempotency_key(self.lineage, "", self.step.id)

    def log_fields(self) -> dict[str, str | int]:
        """Return what every event of the daemon's log says that is written in the course of the attempt."""
        return {
            "namespace": self.namespace,
            "workflow": self.plan.workflow,
            "run_id": self.run_id,
            "step": self.step.id,
            "attempt": self.number,
            "action": self.action,
            "plugin": self.plugin,
            "trace_id": run_trace_id(self.run_id, self.trace),
            "span_id": span_of(self.run_id, self.step.id, self.number),
        }
