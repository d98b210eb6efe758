"""Folding: one record at a time changes a run's state in place. No choices are made here.

Whatever decided the records, folding them from nothing gives the state; replaying a prefix gives the state it had.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from hostd.definition.plan import Plan
from hostd.engine.codes import (
    ACTION,
    RUN_CANCELED,
    RUN_CANCELING,
    RUN_FAILED,
    RUN_PAUSED,
    RUN_RUNNING,
    RUN_TIMED_OUT,
    RUN_WAITING,
    STEP_CANCELED,
    STEP_FAILED,
    STEP_FINAL,
    STEP_PENDING,
    STEP_READY,
    STEP_RETRYING,
    STEP_RUNNING,
    STEP_SKIPPED,
    STEP_SUCCEEDED,
    STEP_WAITING,
)
from hostd.engine.state import STOP_CANCEL, STOP_END, STOP_TIMEOUT, Active, KeptSignal, Run
from hostd.model.ids import text_id
from hostd.model.payload import Value, value_size_bytes
from hostd.model.records import (
    AnyRecord,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    FailFast,
    Failure,
    ObligationMet,
    Paused,
    Resumed,
    RunEnded,
    RunOutcome,
    RunStarted,
    RunTimedOut,
    SignalReceived,
    StepEnded,
    StepReady,
    Terminated,
    WaitEnded,
    WaitStarted,
)

LOST_AGAIN, LOST_ALONE, LOST_FAILED, LOST_CANCELED = 0, 1, 2, 3
TIMEOUT_MESSAGE = "the run took longer than its `timeout`"
_CANCELING = (STOP_CANCEL, STOP_TIMEOUT)
_GOING_ON = (STEP_READY, STEP_RUNNING)


def fold(plan: Plan, records: list[tuple[int, AnyRecord]]) -> Run:
    """Return the state that (at_ms, record) pairs lead to, from nothing."""
    run = Run(plan)
    for at_ms, record in records:
        evolve(run, record, at_ms)
    return run


def evolve(run: Run, record: AnyRecord, at_ms: int) -> None:
    """Change the state by one record that was decided at `at_ms`."""
    run.seq += 1
    run.last_at_ms = at_ms
    _EVOLVE[type(record)](run, record, at_ms)


def run_state(run: Run) -> int:
    """Return the run's word for what is going on, from the facts."""
    if run.stop in _CANCELING:
        return RUN_CANCELING
    if run.paused:
        return RUN_PAUSED
    for step in run.active:
        if run.states[step] in _GOING_ON:
            return RUN_RUNNING
    return RUN_WAITING if run.active else RUN_RUNNING


def _started(run: Run, record: RunStarted, at_ms: int) -> None:
    run.run_id = text_id(record.run_id)
    run.key = record.key
    run.lineage = record.lineage or run.run_id
    run.input = record.input
    run.vars = record.vars
    run.env = record.env
    run.trace = record.traceparent
    run.started_at_ms = at_ms
    run.deadline_at_ms = record.deadline_at_ms
    run.state = RUN_RUNNING
    _count_value(run, record.input)
    _count_value(run, record.vars)


def _outcome(run: Run, record: RunOutcome, at_ms: int) -> None:
    run.outcome = record.outcome
    run.reason = record.reason
    run.message = record.message
    run.output = record.output
    _note_own_failure(run, record.reason)
    if record.grace_at_ms:
        run.stop = run.stop or STOP_END
        run.grace_at_ms = record.grace_at_ms
        run.paused = False
        _tell_running(run)
    run.cleanup_at_ms = run.cleanup_at_ms or record.cleanup_at_ms
    run.state = run_state(run)
    _count_value(run, record.output)


def _ended(run: Run, record: RunEnded, at_ms: int) -> None:
    if not run.outcome:
        run.outcome = record.outcome
        run.reason = record.reason
        run.message = record.message
        run.output = record.output
        _note_own_failure(run, record.reason)
    run.state = record.outcome
    for handler in run.plan.handlers.values():
        if run.states[handler] == STEP_PENDING:
            run.states[handler] = STEP_SKIPPED
    _finish_state(run)


def _finish_state(run: Run) -> None:
    run.paused = False
    run.deadline_at_ms = run.grace_at_ms = run.cleanup_at_ms = 0


def _note_own_failure(run: Run, reason: str) -> None:
    """Remember the place of a failure that is no step's: of a timeout, a wall, `output` or flow.end."""
    if run.own_failure >= 0 or run.outcome not in (RUN_FAILED, RUN_TIMED_OUT):
        return
    if not run.failures or run.step_failures[run.failures[0]].reason != reason:
        run.own_failure = len(run.failures)


def _cancel(run: Run, record: CancelRequested, at_ms: int) -> None:
    run.reason = "CANCELED"
    run.message = record.reason
    _stop(run, STOP_CANCEL, record)


def _timed_out(run: Run, record: RunTimedOut, at_ms: int) -> None:
    run.reason = "RUN_TIMEOUT"
    run.message = TIMEOUT_MESSAGE
    run.own_failure = len(run.failures)
    _stop(run, STOP_TIMEOUT, record)


def _stop(run: Run, stop: int, record: CancelRequested | RunTimedOut) -> None:
    run.stop = stop
    run.grace_at_ms = record.grace_at_ms
    run.cleanup_at_ms = record.cleanup_at_ms
    run.paused = False
    run.state = RUN_CANCELING
    _tell_running(run)


def _failed_fast(run: Run, record: FailFast, at_ms: int) -> None:
    run.grace_at_ms = record.grace_at_ms
    _tell_running(run)


def _tell_running(run: Run) -> None:
    """Mark what runs now as told to stop; what begins later is not."""
    for step, active in list(run.active.items()):
        if run.states[step] == STEP_RUNNING:
            run.active[step] = replace(active, told=True)


def _terminated(run: Run, record: Terminated, at_ms: int) -> None:
    run.outcome = RUN_CANCELED
    run.reason = "TERMINATED"
    run.message = record.reason
    for step, state in enumerate(run.states):
        if state < STEP_FINAL:
            _end_step(run, step, STEP_CANCELED)
    run.state = RUN_CANCELED
    _finish_state(run)


def _paused(run: Run, record: Paused, at_ms: int) -> None:
    run.paused = True
    run.state = run_state(run)


def _resumed(run: Run, record: Resumed, at_ms: int) -> None:
    run.paused = False
    run.state = run_state(run)


def _met(run: Run, record: ObligationMet, at_ms: int) -> None:
    """Nothing that a `steps` run owes today is kept in its state; the kind exists so that histories can hold it."""


def _ready(run: Run, record: StepReady, at_ms: int) -> None:
    before = run.active.get(record.step)
    run.active[record.step] = replace(before, due_at_ms=0, alone=record.alone) if before else Active(at_ms)
    run.states[record.step] = STEP_READY
    run.state = run_state(run)


def _attempt_started(run: Run, record: AttemptStarted, at_ms: int) -> None:
    before = run.active.get(record.step)
    if before is None:
        after = Active(at_ms, record.attempt, alone=record.alone)
    else:
        after = replace(before, attempt=record.attempt, due_at_ms=0, alone=record.alone)
    run.active[record.step] = after
    run.states[record.step] = STEP_RUNNING
    run.state = run_state(run)


def _attempt_succeeded(run: Run, record: AttemptSucceeded, at_ms: int) -> None:
    _keep_output(run, record.step, record.output)
    _end_step(run, record.step, STEP_SUCCEEDED)


def _attempt_failed(run: Run, record: AttemptFailed, at_ms: int) -> None:
    if record.retry_at_ms:
        run.active[record.step] = replace(run.active[record.step], due_at_ms=record.retry_at_ms, alone=False)
        run.states[record.step] = STEP_RETRYING
        run.state = run_state(run)
        return
    if record.canceled:
        _end_step(run, record.step, STEP_CANCELED)
        return
    _fail_step(run, record.step, record.failure)


def _attempt_lost(run: Run, record: AttemptLost, at_ms: int) -> None:
    if record.verdict == LOST_CANCELED:
        _end_step(run, record.step, STEP_CANCELED)
        return
    if record.verdict == LOST_FAILED:
        _fail_step(run, record.step, record.failure or Failure("ATTEMPT_LOST", "the attempt was lost"))
        return
    before = run.active[record.step]
    run.active[record.step] = replace(
        before,
        losses=before.losses + 1,
        suspicions=before.suspicions + record.suspect,
        alone=record.verdict == LOST_ALONE,
    )
    run.states[record.step] = STEP_READY
    run.state = run_state(run)


def _step_ended(run: Run, record: StepEnded, at_ms: int) -> None:
    if record.state == STEP_FAILED:
        if record.step not in run.active:
            run.tries = {**run.tries, record.step: 0}
        _fail_step(run, record.step, record.failure or Failure("STEP_FAILED", ""))
        return
    if record.state == STEP_SUCCEEDED:
        _keep_output(run, record.step, record.output)
    _end_step(run, record.step, record.state)


def _wait_started(run: Run, record: WaitStarted, at_ms: int) -> None:
    before = run.active.get(record.step)
    if before is None:
        run.active[record.step] = Active(at_ms, due_at_ms=record.due_at_ms)
    else:
        run.active[record.step] = replace(before, due_at_ms=record.due_at_ms)
    run.states[record.step] = STEP_WAITING
    run.state = run_state(run)


def _wait_ended(run: Run, record: WaitEnded, at_ms: int) -> None:
    _end_step(run, record.step, STEP_SUCCEEDED)


def _signal_received(run: Run, record: SignalReceived, at_ms: int) -> None:
    run.signals = (*run.signals, KeptSignal(record.name, record.data, record.request_id, at_ms))
    _count_value(run, record.data)


def _fail_step(run: Run, step: int, failure: Failure) -> None:
    run.step_failures = {**run.step_failures, step: failure}
    plan = run.plan.steps[step]
    if not plan.continue_on_error or plan.handler:
        run.failures = (*run.failures, step)
    _end_step(run, step, STEP_FAILED)


def _end_step(run: Run, step: int, state: int) -> None:
    run.states[step] = state
    active = run.active.pop(step, None)
    plan = run.plan.steps[step]
    usual = 1 if state <= STEP_FAILED else 0
    if active is not None and active.attempt != usual and plan.kind is ACTION:
        run.tries = {**run.tries, step: active.attempt}
    if not plan.handler:
        run.unfinished -= 1
        needs = run.open_needs
        for dependent in plan.dependents:
            needs[dependent] -= 1
    run.state = run_state(run)


def _keep_output(run: Run, step: int, output: Value) -> None:
    if output:
        run.outputs[step] = output
        _count_value(run, output)


def _count_value(run: Run, value: Value) -> None:
    if value:
        run.value_bytes += value_size_bytes(value)
        run.value_count += 1


_EVOLVE: dict[type, Callable[[Run, Any, int], None]] = {
    RunStarted: _started,
    RunOutcome: _outcome,
    RunEnded: _ended,
    CancelRequested: _cancel,
    Terminated: _terminated,
    Paused: _paused,
    Resumed: _resumed,
    ObligationMet: _met,
    RunTimedOut: _timed_out,
    FailFast: _failed_fast,
    StepReady: _ready,
    AttemptStarted: _attempt_started,
    AttemptSucceeded: _attempt_succeeded,
    AttemptFailed: _attempt_failed,
    AttemptLost: _attempt_lost,
    StepEnded: _step_ended,
    WaitStarted: _wait_started,
    WaitEnded: _wait_ended,
    SignalReceived: _signal_received,
}
