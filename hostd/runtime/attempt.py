"""One running attempt, as effects keeps it until it answers."""

from __future__ import annotations

import asyncio
from typing import Any

from hostd.definition.plan import Plan, StepPlan


class Attempt:
    """A started attempt. `finished` becomes True with the one answer that counts."""

    __slots__ = (
        "action", "alone", "cancel_reason", "context", "effects", "executor", "finished", "grace", "hidden", "key",
        "namespace", "number", "plan", "run_id", "started_ms", "step", "task", "timer", "waits",
    )  # fmt: skip

    def __init__(
        self, *, key: int, namespace: str, run_id: str, plan: Plan, step: StepPlan, number: int, alone: bool
    ) -> None:
        self.key = key
        self.namespace = namespace
        self.run_id = run_id
        self.plan = plan
        self.step = step
        self.number = number
        self.alone = alone
        self.action = step.uses
        self.executor = "inline"
        self.effects = "idempotent"
        self.context: Any = None
        self.task: asyncio.Task[Any] | asyncio.Future[Any] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.grace: asyncio.TimerHandle | None = None
        self.cancel_reason = ""  # "canceled" or "timeout" once somebody wants it to stop
        self.waits = False  # it holds a slot
        self.finished = False
        self.hidden: tuple[str, ...] = ()  # values of secrets it used
        self.started_ms = 0
