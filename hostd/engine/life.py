"""A run's life from outside its steps: begin, cancel, terminate, pause, resume, and what becomes due."""

from __future__ import annotations

from collections import deque

import msgspec

from hostd.engine.attempts import start_again
from hostd.engine.draft import Draft
from hostd.engine.steps import give_up_running, make_ready, settle, stop_steps
from hostd.model.commands import AskSlot, CancelAttempt
from hostd.model.messages import Begin, Cancel, Pause, Resume, Terminate, Tick
from hostd.model.records import (
    CancelRequested,
    Failure,
    Paused,
    Resumed,
    RunTimedOut,
    StepEnded,
    Terminated,
    WaitEnded,
)
from hostd.model.states import StepState
from hostd.values.json_text import dump_json

GRACE_MS = 30_000


def on_begin(draft: Draft, message: Begin) -> None:
    """Decide a start: the first record, then every step that needs nothing."""
    run = draft.run
    plan = run.plan
    draft.new_blobs.extend(message.blobs)
    started = message.started
    if plan.timeout_ms:
        started = msgspec.structs.replace(started, deadline_at_ms=draft.at_ms + plan.timeout_ms)
    if plan.vars:
        started = msgspec.structs.replace(started, vars=draft.value(_vars(draft, started.input, started.key)))
    draft.add(started)
    ended: deque[int] = deque()
    for step in plan.steps[: plan.body_count]:
        if not step.needs and run.states[step.index] == StepState.PENDING:
            make_ready(draft, step.index, ended)
    settle(draft, list(ended))


def _vars(draft: Draft, input_value: object, key: str) -> bytes:
    """Return `vars` as JSON text; each may read those above it."""
    run = draft.run
    run.input = input_value  # type: ignore[assignment]
    run.key = key
    run.started_at_ms = draft.at_ms
    values: dict[str, object] = {}
    for name, template in run.plan.vars:
        run.parsed = {"vars": values}
        run.vars = b"{}"
        values[name] = template.render(draft.scope(-1), draft.budget)
    run.parsed = None
    return dump_json(values)


def on_cancel(draft: Draft, message: Cancel) -> None:
    """Decide a cancel; once an outcome is decided, or a cancel is under way, it changes nothing."""
    run = draft.run
    if run.outcome or run.stop:
        return
    draft.add(
        CancelRequested(
            reason=message.reason,
            grace_at_ms=draft.at_ms + message.grace_ms,
            cleanup_at_ms=draft.at_ms + run.plan.cleanup_timeout_ms,
        )
    )
    settle(draft, stop_steps(draft))


def on_terminate(draft: Draft, message: Terminate) -> None:
    """Decide an end at once; what runs is told, nobody waits for it."""
    for index, active in draft.run.active.items():
        if draft.run.states[index] == StepState.RUNNING:
            draft.commands.append(CancelAttempt(index, active.attempt))
    draft.add(Terminated(reason=message.reason))


def on_pause(draft: Draft, message: Pause) -> None:
    """Decide a pause; a run that is being canceled or ends is not paused."""
    run = draft.run
    if not run.paused and not run.stop and not run.outcome:
        draft.add(Paused(reason=message.reason))


def on_resume(draft: Draft, message: Resume) -> None:
    """Decide a resume: what was held back starts, what became due meanwhile happens."""
    run = draft.run
    if not run.paused:
        return
    draft.add(Resumed())
    for index, active in list(run.active.items()):
        if run.states[index] != StepState.READY:
            continue
        if active.alone:
            draft.commands.append(AskSlot(index, alone=True))
        else:
            start_again(draft, index)
    on_tick(draft, Tick())


def on_tick(draft: Draft, message: Tick) -> None:
    """Decide everything that is due."""
    run = draft.run
    at_ms = draft.at_ms
    if run.deadline_at_ms and at_ms >= run.deadline_at_ms and not run.stop and not run.outcome:
        _time_out(draft)
    if run.cleanup_at_ms and at_ms >= run.cleanup_at_ms:
        _clean_up(draft)
        return
    if run.grace_at_ms and at_ms >= run.grace_at_ms and (run.stop or run.outcome):
        settle(draft, _give_up_body(draft))
    for index, active in list(run.active.items()):
        if run.active.get(index) is not active:
            continue
        deadline_ms = run.plan.steps[index].deadline_ms
        if deadline_ms and at_ms >= active.ready_at_ms + deadline_ms:
            _pass_deadline(draft, index)
        elif active.due_at_ms and at_ms >= active.due_at_ms and not run.paused:
            _due(draft, index)


def _time_out(draft: Draft) -> None:
    draft.add(
        RunTimedOut(grace_at_ms=draft.at_ms + GRACE_MS, cleanup_at_ms=draft.at_ms + draft.run.plan.cleanup_timeout_ms)
    )
    settle(draft, stop_steps(draft))


def _give_up_body(draft: Draft) -> list[int]:
    """End body steps that were told to stop and did not answer; what began after the cancel goes on."""
    run = draft.run
    ended = []
    for index, active in list(run.active.items()):
        step = run.plan.steps[index]
        if run.states[index] == StepState.RUNNING and not step.handler and not (step.after_cancel and not run.outcome):
            draft.commands.append(CancelAttempt(index, active.attempt))
            draft.add(StepEnded(step=index, state=StepState.CANCELED))
            ended.append(index)
    return ended


def _clean_up(draft: Draft) -> None:
    """End whatever is left: the time for cleaning up is over. Handlers that have not begun do not begin."""
    run = draft.run
    plan = run.plan
    give_up_running(draft)
    for step in plan.steps:
        if run.states[step.index] == StepState.PENDING:
            draft.add(StepEnded(step=step.index, state=StepState.CANCELED))
    settle(draft, [])


def _pass_deadline(draft: Draft, index: int) -> None:
    run = draft.run
    active = run.active[index]
    if run.states[index] == StepState.RUNNING:
        draft.commands.append(CancelAttempt(index, active.attempt))
    failure = Failure("DEADLINE_PASSED", "all attempts together took longer than the step's `deadline`")
    draft.add(StepEnded(step=index, state=StepState.FAILED, failure=failure))
    settle(draft, [index])


def _due(draft: Draft, index: int) -> None:
    if draft.run.states[index] == StepState.WAITING:
        draft.add(WaitEnded(step=index))
        settle(draft, [index])
    else:
        start_again(draft, index)
