"""A run's state in memory: what folding its records gives. Values stay encoded; words are made at the doors."""

from __future__ import annotations

from array import array
from typing import Any, TypeAlias

from hostd.definition.plan import Plan, StepKind
from hostd.model.payload import Value
from hostd.model.records import Failure
from hostd.model.states import RunState, StepState

Counters: TypeAlias = "bytearray | array[int]"

STOP_NONE, STOP_CANCEL, STOP_TIMEOUT, STOP_END = 0, 1, 2, 3


class Active:
    """A step that has begun and not ended. Replaced, never changed, so that forks can share it."""

    __slots__ = ("alone", "attempt", "due_at_ms", "losses", "ready_at_ms", "suspicions")

    def __init__(
        self,
        ready_at_ms: int,
        *,
        attempt: int = 0,
        losses: int = 0,
        suspicions: int = 0,
        due_at_ms: int = 0,
        alone: bool = False,
    ) -> None:
        self.ready_at_ms = ready_at_ms  # `at` of the record that made it ready; now() and `deadline` count from here
        self.attempt = attempt  # number of the last attempt, 0 before the first
        self.losses = losses  # attempts without an outcome: they do not count against max_attempts
        self.suspicions = suspicions  # losses while inside the daemon's own process
        self.due_at_ms = due_at_ms  # RETRYING: next attempt; WAITING: end of the wait
        self.alone = alone  # is to run, or runs, with nothing beside it

    def key(self) -> tuple[int, ...]:
        """Return everything, for comparing."""
        return (self.ready_at_ms, self.attempt, self.losses, self.suspicions, self.due_at_ms, self.alone)


class Run:
    """One run. Mutable, private to the engine loop; `fork` makes the copy a decision works on."""

    __slots__ = (
        "active",
        "cleanup_at_ms",
        "deadline_at_ms",
        "env",
        "failures",
        "grace_at_ms",
        "input",
        "key",
        "last_at_ms",
        "lineage",
        "message",
        "open_needs",
        "outcome",
        "output",
        "outputs",
        "parsed",
        "paused",
        "plan",
        "reason",
        "run_id",
        "seq",
        "started_at_ms",
        "state",
        "states",
        "step_failures",
        "stop",
        "tries",
        "unfinished",
        "value_bytes",
        "value_count",
        "vars",
    )

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.run_id = ""
        self.key = ""
        self.lineage = ""
        self.input: Value = b""
        self.vars: Value = b""
        self.env: dict[str, str] = {}
        self.seq = 0  # number of the next record
        self.state = int(RunState.PENDING)
        self.started_at_ms = 0
        self.last_at_ms = 0
        self.deadline_at_ms = 0
        self.grace_at_ms = 0
        self.cleanup_at_ms = 0
        self.stop = STOP_NONE
        self.paused = False
        self.outcome = 0  # decided, but final only once `state` is
        self.reason = ""
        self.message = ""
        self.output: Value = b""
        self.states = bytearray(len(plan.steps))
        self.open_needs: Counters = _counters(plan)
        self.unfinished = plan.body_count  # body steps that have not ended
        self.active: dict[int, Active] = {}
        self.outputs: dict[int, Value] = {}
        self.step_failures: dict[int, Failure] = {}  # the failure each FAILED step ended with
        self.failures: tuple[int, ...] = ()  # steps whose `result` is FAILED, and failed handlers, in record order
        self.tries: dict[int, int] = {}  # attempts of ended steps where that is not the usual (1 for an action)
        self.value_bytes = 0
        self.value_count = 0
        self.parsed: dict[Any, Any] | None = None  # values that expressions looked into; only a cache

    def fork(self) -> Run:
        """Return an independent copy; frozen parts and the cache are shared."""
        twin = Run.__new__(Run)
        twin.plan = self.plan
        twin.run_id = self.run_id
        twin.key = self.key
        twin.lineage = self.lineage
        twin.input = self.input
        twin.vars = self.vars
        twin.env = self.env
        twin.seq = self.seq
        twin.state = self.state
        twin.started_at_ms = self.started_at_ms
        twin.last_at_ms = self.last_at_ms
        twin.deadline_at_ms = self.deadline_at_ms
        twin.grace_at_ms = self.grace_at_ms
        twin.cleanup_at_ms = self.cleanup_at_ms
        twin.stop = self.stop
        twin.paused = self.paused
        twin.outcome = self.outcome
        twin.reason = self.reason
        twin.message = self.message
        twin.output = self.output
        twin.states = self.states[:]
        twin.open_needs = self.open_needs[:]
        twin.unfinished = self.unfinished
        twin.active = self.active.copy()
        twin.outputs = self.outputs.copy()
        twin.step_failures = self.step_failures.copy() if self.step_failures else {}
        twin.failures = self.failures
        twin.tries = self.tries.copy() if self.tries else {}
        twin.value_bytes = self.value_bytes
        twin.value_count = self.value_count
        twin.parsed = self.parsed
        return twin

    def attempts(self, step: int) -> int:
        """Return how many attempts a step has had."""
        active = self.active.get(step)
        if active is not None:
            return active.attempt
        tries = self.tries.get(step)
        if tries is not None:
            return tries
        ran = self.states[step] in (StepState.SUCCEEDED, StepState.FAILED)
        return 1 if ran and self.plan.steps[step].kind is StepKind.ACTION else 0

    def result(self, step: int) -> int:
        """Return a step's state after `on_error`."""
        state = self.states[step]
        if state == StepState.FAILED and self.plan.steps[step].continue_on_error:
            return StepState.SUCCEEDED
        return state

    def next_due_ms(self) -> int:
        """Return when the run next wants a Tick, 0 for never."""
        if self.state >= RunState.SUCCEEDED:
            return 0
        due = [self.deadline_at_ms] if self.deadline_at_ms and not self.stop and not self.outcome else []
        if self.grace_at_ms and self._runs_anything():
            due.append(self.grace_at_ms)
        if self.cleanup_at_ms:
            due.append(self.cleanup_at_ms)
        steps = self.plan.steps
        for index, active in self.active.items():
            if active.due_at_ms and not self.paused:
                due.append(active.due_at_ms)
            if steps[index].deadline_ms:
                due.append(active.ready_at_ms + steps[index].deadline_ms)
        return min(due) if due else 0

    def _runs_anything(self) -> bool:
        return any(self.states[index] == StepState.RUNNING for index in self.active)

    def snapshot_key(self) -> tuple[Any, ...]:
        """Return everything that folding must reproduce, for comparing in tests and checks."""
        return (
            self.run_id, self.key, self.lineage, self.input, self.vars, tuple(sorted(self.env.items())), self.seq,
            self.state, self.started_at_ms, self.last_at_ms, self.deadline_at_ms, self.grace_at_ms,
            self.cleanup_at_ms, self.stop, self.paused, self.outcome, self.reason, self.message, self.output,
            bytes(self.states), tuple(self.open_needs), self.unfinished,
            tuple(sorted((step, active.key()) for step, active in self.active.items())),
            tuple(sorted(self.outputs.items())), tuple(sorted((k, repr(v)) for k, v in self.step_failures.items())),
            self.failures, tuple(sorted(self.tries.items())), self.value_bytes, self.value_count,
        )  # fmt: skip


def _counters(plan: Plan) -> Counters:
    counts = [len(step.needs) for step in plan.steps]
    return bytearray(counts) if max(counts, default=0) < 256 else array("I", counts)
