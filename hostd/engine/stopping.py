"""Which steps may still begin once a run is to stop, and telling the others."""

from __future__ import annotations

from hostd.definition.plan import StepPlan
from hostd.engine.codes import STEP_FINAL, STEP_PENDING, STEP_READY, STEP_RUNNING
from hostd.engine.draft import Draft
from hostd.engine.state import Run
from hostd.model.commands import CancelAttempt


def may_begin(run: Run, step: StepPlan) -> bool:
    """Say whether a step that has not begun still may.

    After a cancel or a timeout those whose `if` says always() or canceled(); after a failure of a fail_fast run those
    that say always() or failed(); once the outcome is decided only handlers.
    """
    if step.handler:
        return True
    if run.outcome:
        return False
    if run.stop:
        return step.after_cancel
    if run.plan.fail_fast and run.failures:
        return step.after_cancel or (step.condition is not None and "failed" in step.condition.uses_status)
    return True


def stop_steps(draft: Draft) -> None:
    """End as CANCELED what waits, retries or will not begin any more, and tell what runs.

    A step that may begin after all stays: it is READY without having begun, or its needs have not ended.
    """
    run = draft.run
    steps = run.plan.steps
    for index, active in list(run.active.items()):
        state = run.states[index]
        if state == STEP_RUNNING:
            draft.commands.append(CancelAttempt(index, active.attempt))
        elif state != STEP_READY or active.attempt or not may_begin(run, steps[index]):
            draft.cancel(index)
    for step in steps[: run.plan.body_count]:
        if run.states[step.index] == STEP_PENDING and not may_begin(run, step):
            draft.cancel(step.index)


def give_up_told(draft: Draft) -> None:
    """End running steps that were told to stop and did not answer in time."""
    for index, active in list(draft.run.active.items()):
        if active.told:
            draft.commands.append(CancelAttempt(index, active.attempt))
            draft.cancel(index)


def give_up_all(draft: Draft) -> None:
    """End everything that has not ended, handlers too: the time (or the room) for cleaning up is over."""
    run = draft.run
    for index, active in list(run.active.items()):
        if run.states[index] == STEP_RUNNING:
            draft.commands.append(CancelAttempt(index, active.attempt))
    for step in run.plan.steps:
        if run.states[step.index] < STEP_FINAL:
            draft.cancel(step.index)
