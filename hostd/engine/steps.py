"""Making steps ready, starting them, and ending the run when nothing is left: the cascade behind every decision."""

from __future__ import annotations

import hashlib
from collections import deque
from typing import Any

import msgspec

from hostd.definition.plan import StepKind, StepPlan
from hostd.engine.draft import Draft
from hostd.engine.state import STOP_CANCEL, STOP_TIMEOUT
from hostd.errors.base import HostdError, invalid
from hostd.model.commands import AskSlot, CancelAttempt, StartAttempt
from hostd.model.payload import RUN_BYTES_MAX, RUN_RECORDS_MAX, RUN_VALUES_MAX
from hostd.model.records import (
    AttemptStarted,
    Failure,
    RunEnded,
    RunOutcome,
    StepEnded,
    StepReady,
    WaitStarted,
)
from hostd.model.secrets import encode_secret
from hostd.model.states import RunState, StepState
from hostd.values.durations import parse_duration_ms
from hostd.values.json_text import dump_json
from hostd.values.times import parse_time_ms

_END_STATES = {"SUCCEEDED": RunState.SUCCEEDED, "FAILED": RunState.FAILED, "CANCELED": RunState.CANCELED}
_digest_encoder = msgspec.msgpack.Encoder(enc_hook=encode_secret, order="deterministic")
_HANDLER_OF = {
    RunState.SUCCEEDED: "success",
    RunState.FAILED: "failure",
    RunState.TIMED_OUT: "failure",
    RunState.CANCELED: "cancel",
}
_RECORDS_RESERVE = 1_000  # what a run at its wall may still write to end in good order


def settle(draft: Draft, ended: list[int]) -> None:
    """Go on from steps that have just ended: their dependents, theirs, and the run's end if nothing is left."""
    _cascade(draft, ended)
    run = draft.run
    while not run.unfinished and not run.active and run.state < RunState.SUCCEEDED:
        if not _finish(draft):
            return


def _cascade(draft: Draft, ended: list[int]) -> None:
    run = draft.run
    steps = run.plan.steps
    queue = deque(ended)
    while queue:
        step = queue.popleft()
        if _over_limits(draft):
            queue.extend(stop_steps(draft))
        elif run.plan.fail_fast and not run.stop and not steps[step].handler and run.result(step) == StepState.FAILED:
            queue.extend(stop_active(draft))
        for dependent in steps[step].dependents:
            if not run.open_needs[dependent] and run.states[dependent] == StepState.PENDING:
                make_ready(draft, dependent, queue)


def make_ready(draft: Draft, index: int, ended: deque[int]) -> None:
    """Decide what becomes of a step whose needs have ended: canceled, skipped, failed or started."""
    run = draft.run
    step = run.plan.steps[index]
    if not step.handler and _held_from_starting(draft, step):
        draft.add(StepEnded(step=index, state=StepState.CANCELED))
        ended.append(index)
        return
    try:
        wanted = _wanted(draft, step)
    except HostdError as error:
        _end_failed(draft, index, failure_of(error), ended)
        return
    if not wanted:
        draft.add(StepEnded(step=index, state=StepState.SKIPPED))
        ended.append(index)
        return
    start(draft, index, ended)


def _held_from_starting(draft: Draft, step: StepPlan) -> bool:
    """Say whether a body step may not start any more: after a cancel only those that say always() or canceled() do."""
    run = draft.run
    if run.stop or run.outcome:
        return not step.after_cancel or run.outcome != 0
    if not run.plan.fail_fast or not run.failures:
        return False
    return step.condition is None or not step.condition.uses_status - {"succeeded"}


def _wanted(draft: Draft, step: StepPlan) -> bool:
    scope = draft.scope(step.index)
    if step.handler:
        return step.condition is None or bool(_boolean(step.condition.evaluate(scope, draft.budget), step))
    if step.condition is None:
        return scope.status("succeeded")
    if not step.condition.uses_status and not scope.status("succeeded"):
        return False
    return _boolean(step.condition.evaluate(scope, draft.budget), step)


def _boolean(value: Any, step: StepPlan) -> bool:
    if not isinstance(value, bool):
        raise invalid("EXPRESSION_FAILED", f"`if` of {step.id} gave {type(value).__name__}, not true or false")
    return value


def start(draft: Draft, index: int, ended: deque[int], *, alone: bool = False) -> None:
    """Start a step that is wanted: the engine's own at once, an action when it gets a slot."""
    run = draft.run
    step = run.plan.steps[index]
    if run.paused:
        if run.states[index] != StepState.READY:
            draft.add(StepReady(step=index, alone=alone))
        return
    if step.kind is StepKind.ACTION:
        _start_attempt(draft, index, ended, alone=alone)
        return
    active = run.active.get(index)
    scope = draft.scope(index, now_ms=active.ready_at_ms if active else 0)
    try:
        options = step.options.render(scope, draft.budget) if step.options is not None else {}
        _OWN[step.kind](draft, index, options, ended)
    except HostdError as error:
        _end_failed(draft, index, failure_of(error), ended)
    except ValueError as error:
        _end_failed(draft, index, Failure("OPTION_INVALID", str(error)), ended)


def _start_attempt(draft: Draft, index: int, ended: deque[int], *, alone: bool) -> None:
    run = draft.run
    step = run.plan.steps[index]
    if not alone and not draft.take_permit(step.uses):
        if run.states[index] != StepState.READY:
            draft.add(StepReady(step=index))
        draft.commands.append(AskSlot(index))
        return
    active = run.active.get(index)
    digest = b""
    options: Any = {}
    if step.options is not None:
        try:
            scope = draft.scope(index, now_ms=active.ready_at_ms if active else 0)
            options = step.options.render(scope, draft.budget)
        except HostdError as error:
            _end_failed(draft, index, failure_of(error), ended)
            return
        if not step.options.literal:
            digest = hashlib.blake2b(_digest_encoder.encode(options), digest_size=16).digest()
    attempt = active.attempt + 1 if active else 1
    draft.add(AttemptStarted(step=index, attempt=attempt, with_digest=digest, alone=alone))
    draft.commands.append(StartAttempt(index, attempt, options, alone))


def _wait(draft: Draft, index: int, options: dict[str, Any], ended: deque[int]) -> None:
    if "until" in options:
        due_at_ms = parse_time_ms(options["until"])
    else:
        due_at_ms = draft.at_ms + parse_duration_ms(str(options.get("duration", "")))
    if due_at_ms <= draft.at_ms:
        draft.add(StepEnded(step=index, state=StepState.SUCCEEDED, output=b"null"))
        ended.append(index)
        return
    draft.add(WaitStarted(step=index, due_at_ms=due_at_ms))


def _pass(draft: Draft, index: int, options: dict[str, Any], ended: deque[int]) -> None:
    output = draft.value(dump_json(options.get("output")))
    draft.add(StepEnded(step=index, state=StepState.SUCCEEDED, output=output))
    ended.append(index)


def _fail(draft: Draft, index: int, options: dict[str, Any], ended: deque[int]) -> None:
    failure = Failure(
        "STEP_FAILED",
        _text(options.get("message", "")),
        code=_text(options.get("code", "")),
        details=dump_json(options["details"]) if options.get("details") else b"",
    )
    _end_failed(draft, index, failure, ended)


def _end(draft: Draft, index: int, options: dict[str, Any], ended: deque[int]) -> None:
    outcome = _END_STATES.get(str(options.get("state", "SUCCEEDED")))
    if outcome is None:
        raise ValueError(f"flow.end takes state SUCCEEDED, FAILED or CANCELED, not {options.get('state')!r:.40}")
    draft.add(StepEnded(step=index, state=StepState.SUCCEEDED, output=b"null"))
    ended.append(index)
    if draft.run.outcome:
        return  # another flow.end was first, or this one is in a handler
    reason = "" if outcome is RunState.SUCCEEDED else "FLOW_END"
    output = draft.value(dump_json(options.get("output"))) if outcome is RunState.SUCCEEDED else b""
    decide_outcome(draft, outcome, reason, _text(options.get("message", "")), output=output)
    ended.extend(stop_steps(draft))


_OWN = {StepKind.WAIT: _wait, StepKind.PASS: _pass, StepKind.FAIL: _fail, StepKind.END: _end}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dump_json(value).decode()


def _end_failed(draft: Draft, index: int, failure: Failure, ended: deque[int]) -> None:
    draft.add(StepEnded(step=index, state=StepState.FAILED, failure=failure))
    ended.append(index)


def failure_of(error: HostdError) -> Failure:
    """Return an error of ours as a step's failure; it will not go away by trying again."""
    return Failure(error.reason, error.message, details=dump_json(error.details) if error.details else b"")


def stop_steps(draft: Draft) -> list[int]:
    """End what has not begun, waits or retries as CANCELED and tell what runs; return the steps that ended.

    Steps that may run after a cancel (always(), canceled()) stay until their needs have ended.
    """
    run = draft.run
    ended = stop_active(draft)
    for step in run.plan.steps[: run.plan.body_count]:
        if run.states[step.index] == StepState.PENDING and (not step.after_cancel or run.outcome):
            draft.add(StepEnded(step=step.index, state=StepState.CANCELED))
            ended.append(step.index)
    return ended


def stop_active(draft: Draft) -> list[int]:
    """End active steps that do not run as CANCELED, tell those that do; return the steps that ended."""
    run = draft.run
    ended = []
    for index, active in list(run.active.items()):
        if run.states[index] == StepState.RUNNING:
            draft.commands.append(CancelAttempt(index, active.attempt))
        else:
            draft.add(StepEnded(step=index, state=StepState.CANCELED))
            ended.append(index)
    return ended


def give_up_running(draft: Draft) -> list[int]:
    """End running steps as CANCELED without waiting for their answers; return them."""
    run = draft.run
    ended = []
    for index, active in list(run.active.items()):
        if run.states[index] == StepState.RUNNING:
            draft.commands.append(CancelAttempt(index, active.attempt))
        draft.add(StepEnded(step=index, state=StepState.CANCELED))
        ended.append(index)
    return ended


def decide_outcome(draft: Draft, outcome: int, reason: str, message: str, *, output: Any = b"") -> None:
    """Record the outcome while something still runs or handlers are to come."""
    run = draft.run
    draft.add(
        RunOutcome(
            outcome=outcome,
            reason=reason,
            message=message,
            output=output,
            grace_at_ms=draft.at_ms + 30_000 if run.active or run.unfinished else 0,
            cleanup_at_ms=draft.at_ms + run.plan.cleanup_timeout_ms,
        )
    )


def _over_limits(draft: Draft) -> bool:
    """Fail a run that passes its walls; the reserve lets it end in good order."""
    run = draft.run
    if run.outcome or run.stop:
        return False
    if run.seq > RUN_RECORDS_MAX - _RECORDS_RESERVE:
        message = f"the history reached {RUN_RECORDS_MAX - _RECORDS_RESERVE} records"
    elif run.value_bytes > RUN_BYTES_MAX:
        message = f"the run's values passed {RUN_BYTES_MAX} bytes"
    elif run.value_count > RUN_VALUES_MAX:
        message = f"the run holds more than {RUN_VALUES_MAX} values"
    else:
        return False
    decide_outcome(draft, RunState.FAILED, "RUN_TOO_LARGE", message)
    return True


def _finish(draft: Draft) -> bool:
    """Take the next step of a run's end: outcome, handler, exit handler, final. Returns False when a handler runs."""
    run = draft.run
    handlers = run.plan.handlers
    outcome, reason, message, output = _outcome(draft)
    due = [name for name in (_HANDLER_OF[RunState(outcome)], "exit") if name in handlers]
    for name in due:
        index = handlers[name]
        if run.states[index] != StepState.PENDING:
            continue
        if not run.outcome:
            decide_outcome(draft, outcome, reason, message, output=output)
        make_ready(draft, index, deque())
        return not run.active
    if run.outcome:
        draft.add(RunEnded(outcome=outcome))
    else:
        draft.add(RunEnded(outcome=outcome, reason=reason, message=message, output=output))
    return True


def _outcome(draft: Draft) -> tuple[int, str, str, Any]:
    run = draft.run
    if run.outcome:
        return run.outcome, run.reason, run.message, run.output
    if run.stop == STOP_CANCEL:
        return RunState.CANCELED, "CANCELED", run.message, b""
    if run.stop == STOP_TIMEOUT:
        return RunState.TIMED_OUT, "RUN_TIMEOUT", "the run took longer than its `timeout`", b""
    if run.failures:
        step = run.failures[0]
        failure = run.step_failures[step]
        return RunState.FAILED, failure.reason, f"{run.plan.steps[step].id}: {failure.message}"[:2000], b""
    if run.plan.output is None:
        return RunState.SUCCEEDED, "", "", b""
    try:
        value = run.plan.output.render(draft.scope(-1), draft.budget)
        return RunState.SUCCEEDED, "", "", draft.value(dump_json(value))
    except HostdError as error:
        return RunState.FAILED, "OUTPUT_INVALID", error.message, b""
