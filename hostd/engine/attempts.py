"""What the answers of attempts decide."""

from __future__ import annotations

from hostd.definition.plan import RetryPlan, StepPlan
from hostd.engine.codes import STEP_READY, STEP_RUNNING
from hostd.engine.draft import Draft
from hostd.engine.evolve import LOST_AGAIN, LOST_ALONE, LOST_CANCELED, LOST_FAILED
from hostd.engine.retry import may_retry, wait_ms
from hostd.engine.scope import failure_value
from hostd.engine.state import Active, Run
from hostd.engine.steps import start, truth
from hostd.errors.base import HostdError
from hostd.model.messages import AttemptDone, AttemptError, AttemptGone, SlotFree
from hostd.model.payload import OUTPUT_BYTES_MAX, value_size_bytes
from hostd.model.records import AttemptFailed, AttemptLost, AttemptSucceeded, Failure
from hostd.values.durations import MAX_MS

SUSPECT_AFTER = 2  # an attempt lost this often inside the daemon is issued alone


def expects(run: Run, message: AttemptDone | AttemptError | AttemptGone) -> bool:
    """Say whether the run waits for this very attempt's answer."""
    active = run.active.get(message.step)
    return active is not None and active.attempt == message.attempt and run.states[message.step] == STEP_RUNNING


def on_done(draft: Draft, message: AttemptDone) -> None:
    """Decide a success. One that comes after a cancel is still the truth."""
    if value_size_bytes(message.output) > OUTPUT_BYTES_MAX:
        failure = Failure("OUTPUT_TOO_LARGE", f"the output is larger than {OUTPUT_BYTES_MAX} bytes")
        on_error(draft, AttemptError(message.step, message.attempt, failure))
        return
    if message.blob is not None:
        draft.keep(message.blob)
    record = AttemptSucceeded(step=message.step, attempt=message.attempt, output=message.output)
    draft.end(message.step, record)


def on_error(draft: Draft, message: AttemptError) -> None:
    """Decide a failure: another attempt later, or the step's end. One that was told to stop is CANCELED."""
    told = draft.run.active[message.step].told
    retry_at_ms, failure = (0, message.failure) if told else _retry_at(draft, message)
    record = AttemptFailed(
        step=message.step,
        attempt=message.attempt,
        failure=failure,
        retry_at_ms=retry_at_ms,
        canceled=told,
        log_tail=message.log_tail,
        jitter=message.random if retry_at_ms else 0.0,
    )
    if retry_at_ms:
        draft.add(record)
    else:
        draft.end(message.step, record)


def _retry_at(draft: Draft, message: AttemptError) -> tuple[int, Failure]:
    """Return when to try again (0 = not) and the failure to record, which may be that of `retry.if` itself."""
    step = draft.run.plan.steps[message.step]
    active = draft.run.active[message.step]
    failure = message.failure
    tries = active.attempt - active.losses
    if step.retry is None or not may_retry(step.retry, failure, tries):
        return 0, failure
    try:
        if not _condition_holds(draft, step.retry, message):
            return 0, failure
    except HostdError as broken:
        cause = f"the attempt failed with {failure.reason}: {failure.message}"
        return 0, Failure(broken.reason, f"`retry.if` of {step.id}: {broken.message} ({cause})")
    wait = wait_ms(step.retry, tries, message.random)
    if message.retry_after_ms is not None:
        wait = min(max(1, message.retry_after_ms), MAX_MS)
    at_ms = draft.at_ms + wait
    if step.deadline_ms and at_ms >= active.ready_at_ms + step.deadline_ms:
        return 0, failure
    return at_ms, failure


def _condition_holds(draft: Draft, retry: RetryPlan, message: AttemptError) -> bool:
    if retry.condition is None:
        return True
    scope = draft.scope(message.step, error=failure_value(message.failure, attempt=message.attempt))
    return truth(retry.condition.evaluate(scope, draft.budget), "it")


def on_gone(draft: Draft, message: AttemptGone) -> None:
    """Decide a lost attempt: issue it again, alone when it may have killed the daemon twice, or end the step."""
    step = draft.run.plan.steps[message.step]
    verdict, failure = _verdict(draft.run.active[message.step], step, message)
    record = AttemptLost(
        step=message.step, attempt=message.attempt, verdict=verdict, failure=failure, suspect=message.suspect
    )
    if failure is not None or verdict == LOST_CANCELED:
        draft.end(message.step, record)
    else:
        draft.add(record)
        start(draft, message.step)


def _verdict(active: Active, step: StepPlan, message: AttemptGone) -> tuple[int, Failure | None]:
    if active.told:
        return LOST_CANCELED, None
    if message.effects == "at_most_once" and not (step.retry and step.retry.retry_on_lost):
        text = "the attempt was lost; nobody knows whether it took effect"
        return LOST_FAILED, Failure("OUTCOME_UNKNOWN", text)
    if message.suspect and active.alone:
        text = "the daemon ended whenever this attempt ran, the last time with nothing beside it"
        return LOST_FAILED, Failure("ATTEMPT_LOST", text)
    if message.suspect and active.suspicions + 1 >= SUSPECT_AFTER:
        return LOST_ALONE, None
    return LOST_AGAIN, None


def wants_slot(run: Run, message: SlotFree) -> bool:
    """Say whether a step still waits for a slot; one that is held by a pause asks again when it ends."""
    active = run.active.get(message.step)
    return active is not None and run.states[message.step] == STEP_READY and not run.paused


def on_slot_free(draft: Draft, message: SlotFree) -> None:
    """Start a READY step that got its slot."""
    start(draft, message.step, alone=message.alone)
