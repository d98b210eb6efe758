"""One running attempt, as effects keeps it until it answers."""

from __future__ import annotations

import asyncio
from typing import Any

from hostd.aio import Timer
from hostd.definition.plan import Plan, StepPlan
from hostd.model.ids import idempotency_key
from hostd.values.trace import run_trace_id, span_of


class Attempt:
    """A started attempt. `finished` becomes True with the one answer that counts."""

    __slots__ = (
        "abandoned", "action", "alone", "began_s", "cancel_reason", "context", "effects", "executor", "finished",
        "grace", "hidden", "key", "lineage", "namespace", "number", "own_loop", "plan", "plugin", "ready_at_ms",
        "run_id", "step", "task", "timer", "trace", "waits",
    )  # fmt: skip

    def __init__(
        self,
        key: int,
        namespace: str,
        run_id: str,
        lineage: str,
        plan: Plan,
        step: StepPlan,
        number: int,
        ready_at_ms: int,
        alone: bool,
        trace: str,
    ) -> None:
        self.key = key
        self.namespace = namespace
        self.run_id = run_id
        self.lineage = lineage
        self.plan = plan
        self.step = step
        self.action = step.uses
        self.number = number
        self.ready_at_ms = ready_at_ms  # what the step sees as now
        self.alone = alone
        self.trace = trace  # that the run was started in, one text; empty for none
        self.executor = "inline"
        self.plugin = ""  # that provides the action
        self.effects = "idempotent"
        self.context: Any = None
        self.task: asyncio.Task[Any] | None = None
        self.timer: Timer | None = None
        self.grace: Timer | None = None
        self.cancel_reason = ""  # "canceled" or "timeout" once somebody wants it to stop
        self.waits = False  # it holds a slot
        self.began_s = 0.0  # monotonic, where it waits
        self.finished = False
        self.own_loop = False  # it runs on the plugin's own event loop, in a thread
        self.abandoned = False  # answered for, though its task goes on
        self.hidden: tuple[str, ...] = ()  # values of secrets it used

    @property
    def idempotency_key(self) -> str:
        """The same for all tries of the step on all owners; most actions never ask for it."""
        return idempotency_key(self.lineage, "", self.step.id)

    def log_fields(self) -> dict[str, str]:
        """Return what every event of the daemon's log says that is written in the course of the attempt."""
        return {
            "namespace": self.namespace,
            "workflow": self.plan.workflow,
            "run_id": self.run_id,
            "step": self.step.id,
            "attempt": str(self.number),
            "action": self.action,
            "plugin": self.plugin,
            "trace_id": run_trace_id(self.run_id, self.trace),
            "span_id": span_of(self.run_id, self.step.id, self.number),
        }
