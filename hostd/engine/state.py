"""A run's state in memory: what folding its records gives. Values stay encoded; words are made at the doors."""

from __future__ import annotations

from array import array
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import astuple

from hostd.definition.plan import Plan
from hostd.engine.codes import ACTION, RUN_FINAL, RUN_PENDING, STEP_FAILED, STEP_SUCCEEDED
from hostd.model.payload import Value
from hostd.model.records import Failure

Counters: TypeAlias = "bytearray | array[int]"

_EMPTY: dict[Any, Any] = {}


def _nothing() -> dict[Any, Any]:
    """Return the empty mapping that all runs share; mappings that begin with it are replaced, never changed."""
    return _EMPTY


STOP_NONE, STOP_CANCEL, STOP_TIMEOUT, STOP_END = 0, 1, 2, 3


class Active(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A step that has begun and not ended. Replaced, never changed, so that forks can share it.

    Snapshots hold it as an array of its fields: new ones come last, with defaults.
    """

    ready_at_ms: int  # `at` of the record that made it ready; now() and `deadline` count from here
    attempt: int = 0  # number of the last attempt, 0 before the first
    losses: int = 0  # attempts without an outcome: they do not count against max_attempts
    suspicions: int = 0  # losses while inside the daemon's own process
    due_at_ms: int = 0  # RETRYING: next attempt; WAITING: end of the wait
    alone: bool = False  # is to run, or runs, with nothing beside it
    told: bool = False  # RUNNING and told to stop: however it answers but with success, it is CANCELED


class KeptSignal(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A signal that was received and no step has taken. Snapshots hold it as an array: new fields come last."""

    name: str
    data: Value
    request_id: str = ""
    at_ms: int = 0


class Run(msgspec.Struct, gc=False, eq=False):
    """One run. Mutable, private to the engine loop; `fork` makes the copy a decision works on.

    `states`, `open_needs`, `active` and `outputs` are changed in place and copied by `fork`; every other field is only
    ever replaced, so copies share it. Nothing in it refers back to it (gc=False).
    """

    plan: Plan
    run_id: str = ""
    key: str = ""
    lineage: str = ""
    input: Value = b""
    vars: Value = b""
    env: dict[str, str] = msgspec.field(default_factory=_nothing)
    seq: int = 0  # number of the next record
    state: int = RUN_PENDING
    started_at_ms: int = 0
    last_at_ms: int = 0
    deadline_at_ms: int = 0
    grace_at_ms: int = 0
    cleanup_at_ms: int = 0
    stop: int = STOP_NONE
    paused: bool = False
    outcome: int = 0  # decided, but final only once `state` is
    reason: str = ""
    message: str = ""
    output: Value = b""
    states: bytearray = msgspec.field(default_factory=bytearray)
    open_needs: Counters = msgspec.field(default_factory=bytearray)
    unfinished: int = 0  # body steps that have not ended
    active: dict[int, Active] = msgspec.field(default_factory=dict)  # in the order of their beginning
    outputs: dict[int, Value] = msgspec.field(default_factory=dict)
    step_failures: dict[int, Failure] = msgspec.field(default_factory=_nothing)  # what each FAILED step ended with
    failures: tuple[int, ...] = ()  # steps whose `result` is FAILED, and failed handlers, in record order
    own_failure: int = -1  # place among `failures` of a failure that is no step's (RUN_TIMEOUT ...); -1 = none
    tries: dict[int, int] = msgspec.field(default_factory=_nothing)  # attempts of ended steps where not the usual
    value_bytes: int = 0
    value_count: int = 0
    signals: tuple[KeptSignal, ...] = ()  # in order of arrival
    trace: str = ""  # W3C trace context it was started in, as in RunStarted; decides nothing

    def __post_init__(self) -> None:
        if not self.states:
            self.states = bytearray(len(self.plan.steps))
            self.open_needs = _counters(self.plan)
            self.unfinished = self.plan.body_count

    def fork(self) -> Run:
        """Return an independent copy."""
        twin: Run = self.__copy__()  # type: ignore[attr-defined]  # as copy() does, which looks for it first
        twin.states = self.states[:]
        twin.open_needs = self.open_needs[:]
        twin.active = self.active.copy()
        twin.outputs = self.outputs.copy()
        return twin

    def attempts(self, step: int) -> int:
        """Return how many attempts a step has had."""
        active = self.active.get(step)
        if active is not None:
            return active.attempt
        tries = self.tries.get(step)
        if tries is not None:
            return tries
        ran = self.states[step] in (STEP_SUCCEEDED, STEP_FAILED)
        return 1 if ran and self.plan.steps[step].kind is ACTION else 0

    def result(self, step: int) -> int:
        """Return a step's state after `on_error`."""
        state = self.states[step]
        if state == STEP_FAILED and self.plan.steps[step].continue_on_error:
            return STEP_SUCCEEDED
        return state

    def next_due_ms(self) -> int:
        """Return when the run next wants a Tick, 0 for never. A Tick at that time decides something."""
        if self.state >= RUN_FINAL:
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
            tuple(astuple(signal) for signal in self.signals),
        )  # fmt: skip


def _counters(plan: Plan) -> Counters:
    counts = [len(step.needs) for step in plan.steps]
    return bytearray(counts) if max(counts, default=0) < 256 else array("I", counts)
