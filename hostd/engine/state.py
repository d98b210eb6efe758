"""A run's state in memory: what folding its records gives. Values stay encoded; words are made at the doors."""

from __future__ import annotations

from array import array
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import astuple

from hostd.definition.plan import Plan, StepKind
from hostd.model.payload import Value
from hostd.model.records import Failure
from hostd.model.states import RunState, StepState, run_is_final

Counters: TypeAlias = "bytearray | array[int]"

_EMPTY: dict[Any, Any] = {}  # shared by all runs; the mappings that use it are replaced, never changed

STOP_NONE, STOP_CANCEL, STOP_TIMEOUT, STOP_END = 0, 1, 2, 3


class Active(msgspec.Struct, frozen=True, gc=False):
    """A step that has begun and not ended. Replaced, never changed, so that forks can share it."""

    ready_at_ms: int  # `at` of the record that made it ready; now() and `deadline` count from here
    attempt: int = 0  # number of the last attempt, 0 before the first
    losses: int = 0  # attempts without an outcome: they do not count against max_attempts
    suspicions: int = 0  # losses while inside the daemon's own process
    due_at_ms: int = 0  # RETRYING: next attempt; WAITING: end of the wait
    alone: bool = False  # is to run, or runs, with nothing beside it
    told: bool = False  # RUNNING and told to stop: however it answers but with success, it is CANCELED


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
        "own_failure",
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
        self.env: dict[str, str] = _EMPTY
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
        self.step_failures: dict[int, Failure] = _EMPTY  # the failure each FAILED step ended with
        self.failures: tuple[int, ...] = ()  # steps whose `result` is FAILED, and failed handlers, in record order
        self.own_failure = -1  # place among `failures` of a failure that is no step's (RUN_TIMEOUT ...); -1 = none
        self.tries: dict[int, int] = _EMPTY  # attempts of ended steps where that is not the usual (1 for an action)
        self.value_bytes = 0
        self.value_count = 0

    def fork(self) -> Run:
        """Return an independent copy; what is only ever replaced is shared."""
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
        twin.step_failures = self.step_failures
        twin.failures = self.failures
        twin.own_failure = self.own_failure
        twin.tries = self.tries
        twin.value_bytes = self.value_bytes
        twin.value_count = self.value_count
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
        """Return when the run next wants a Tick, 0 for never. A Tick at that time decides something."""
        if run_is_final(self.state):
            return 0
        due = [self.cleanup_at_ms] if self.cleanup_at_ms else []
        if self.deadline_at_ms and not self.stop and not self.outcome:
            due.append(self.deadline_at_ms)
        steps = self.plan.steps
        for index, active in self.active.items():
            if active.told:
                due.append(self.grace_at_ms)
                continue
            if active.due_at_ms and not self.paused:
                due.append(active.due_at_ms)
            if steps[index].deadline_ms:
                due.append(active.ready_at_ms + steps[index].deadline_ms)
        return min(due) if due else 0

    def snapshot_key(self) -> tuple[Any, ...]:
        """Return everything that folding must reproduce, for comparing in tests and checks."""
        return (
            self.run_id, self.key, self.lineage, self.input, self.vars, tuple(sorted(self.env.items())), self.seq,
            self.state, self.started_at_ms, self.last_at_ms, self.deadline_at_ms, self.grace_at_ms,
            self.cleanup_at_ms, self.stop, self.paused, self.outcome, self.reason, self.message, self.output,
            bytes(self.states), tuple(self.open_needs), self.unfinished,
            tuple((step, astuple(active)) for step, active in self.active.items()),
            tuple(sorted(self.outputs.items())), tuple(sorted((k, repr(v)) for k, v in self.step_failures.items())),
            self.failures, self.own_failure, tuple(sorted(self.tries.items())), self.value_bytes, self.value_count,
        )  # fmt: skip


def _counters(plan: Plan) -> Counters:
    counts = [len(step.needs) for step in plan.steps]
    return bytearray(counts) if max(counts, default=0) < 256 else array("I", counts)
