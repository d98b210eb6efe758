"""What the answers of attempts decide."""

from __future__ import annotations

from collections import deque

from hostd.engine.draft import Draft
from hostd.engine.evolve import LOST_AGAIN, LOST_ALONE, LOST_CANCELED, LOST_FAILED
from hostd.engine.retry import may_retry, wait_ms
from hostd.engine.scope import failure_value
from hostd.engine.state import Run
from hostd.engine.steps import failure_of, settle, start
from hostd.errors.base import HostdError
from hostd.model.commands import AskSlot
from hostd.model.messages import AttemptDone, AttemptError, AttemptGone, SlotFree
from hostd.model.payload import OUTPUT_BYTES_MAX, value_size_bytes
from hostd.model.records import AttemptFailed, AttemptLost, AttemptSucceeded, Failure
from hostd.model.states import StepState

SUSPECT_AFTER = 2  # an attempt lost this often inside the daemon is issued alone


def expects(run: Run, message: AttemptDone | AttemptError | AttemptGone) -> bool:
    """Say whether the run waits for this very attempt's answer."""
    active = run.active.get(message.step)
    return active is not None and active.attempt == message.attempt and run.states[message.step] == StepState.RUNNING


def on_done(draft: Draft, message: AttemptDone) -> None:
    """Decide a success. One that comes after a cancel is still the truth."""
    if value_size_bytes(message.output) > OUTPUT_BYTES_MAX:
        failure = Failure("OUTPUT_TOO_LARGE", f"the output is larger than {OUTPUT_BYTES_MAX} bytes")
        on_error(draft, AttemptError(message.step, message.attempt, failure))
        return
    if message.blob is not None:
        draft.new_blobs.append(message.blob)
    draft.add(AttemptSucceeded(step=message.step, attempt=message.attempt, output=message.output))
    settle(draft, [message.step])


def on_error(draft: Draft, message: AttemptError) -> None:
    """Decide a failure: another attempt later, or the step's end."""
    run = draft.run
    failure = message.failure
    stopped = message.canceled or (_stopping(run) and not run.plan.steps[message.step].handler)
    retry_at_ms = 0
    if not stopped:
        retry_at_ms, failure = _retry_at(draft, message)
    draft.add(
        AttemptFailed(
            step=message.step,
            attempt=message.attempt,
            failure=failure,
            retry_at_ms=retry_at_ms,
            canceled=stopped,
            log_tail=message.log_tail,
            jitter=message.random if retry_at_ms else 0.0,
        )
    )
    if not retry_at_ms:
        settle(draft, [message.step])


def _stopping(run: Run) -> bool:
    """Say whether body steps that end from here on are canceled: after a cancel, an outcome, a failure that stops all."""
    return bool(run.stop or run.outcome or (run.plan.fail_fast and run.failures))


def _retry_at(draft: Draft, message: AttemptError) -> tuple[int, Failure]:
    """Return when to try again (0 = not) and the failure to record, which may be that of `retry.if` itself."""
    run = draft.run
    step = run.plan.steps[message.step]
    active = run.active[message.step]
    tries = active.attempt - active.losses
    if step.retry is None or not may_retry(step.retry, message.failure, tries):
        return 0, message.failure
    if step.retry.condition is not None:
        error = failure_value(message.failure, attempt=message.attempt)
        try:
            scope = draft.scope(message.step, now_ms=active.ready_at_ms, error=error)
            if step.retry.condition.evaluate(scope, draft.budget) is not True:
                return 0, message.failure
        except HostdError as broken:
            return 0, failure_of(broken)
    wait = wait_ms(step.retry, max(tries, 1), message.random)
    if message.retry_after_ms is not None:
        wait = max(1, message.retry_after_ms)
    at_ms = draft.at_ms + wait
    if step.deadline_ms and at_ms > active.ready_at_ms + step.deadline_ms:
        return 0, message.failure
    return at_ms, message.failure


def on_gone(draft: Draft, message: AttemptGone) -> None:
    """Decide a lost attempt: issue it again, alone when it may have killed the daemon twice, or end the step."""
    run = draft.run
    active = run.active[message.step]
    step = run.plan.steps[message.step]
    verdict, failure = LOST_AGAIN, None
    if _stopping(run) and not step.handler:
        verdict = LOST_CANCELED
    elif message.effects == "at_most_once" and not (step.retry and step.retry.retry_on_lost):
        verdict = LOST_FAILED
        failure = Failure("OUTCOME_UNKNOWN", "the attempt was lost; nobody knows whether it took effect")
    elif message.suspect and active.alone:
        verdict = LOST_FAILED
        failure = Failure(
            "ATTEMPT_LOST", "the daemon ended whenever this attempt ran, the last time with nothing beside"
        )
    elif message.suspect and active.suspicions + 1 >= SUSPECT_AFTER:
        verdict = LOST_ALONE
    draft.add(
        AttemptLost(
            step=message.step, attempt=message.attempt, verdict=verdict, failure=failure, suspect=message.suspect
        )
    )
    if verdict >= LOST_FAILED:
        settle(draft, [message.step])
        return
    if verdict == LOST_ALONE:
        draft.commands.append(AskSlot(message.step, alone=True))
        return
    _start(draft, message.step)


def on_slot_free(draft: Draft, message: SlotFree) -> None:
    """Start a READY step that got its slot; while paused it stays READY."""
    run = draft.run
    active = run.active.get(message.step)
    if active is None or run.states[message.step] != StepState.READY or run.paused:
        return
    if active.alone and not message.alone:
        draft.commands.append(AskSlot(message.step, alone=True))
        return
    _start(draft, message.step, alone=message.alone)


def _start(draft: Draft, step: int, *, alone: bool = False) -> None:
    ended: deque[int] = deque()
    start(draft, step, ended, alone=alone)
    if ended:
        settle(draft, list(ended))


def start_again(draft: Draft, step: int) -> None:
    """Start a step whose wait for the next attempt is over, or that was held back."""
    _start(draft, step)
