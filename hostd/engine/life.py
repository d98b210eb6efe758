"""A run's life from outside its steps: begin, cancel, terminate, pause, resume, and what becomes due."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from hostd.engine.codes import STEP_PENDING, STEP_READY, STEP_RUNNING, STEP_WAITING
from hostd.engine.draft import Draft
from hostd.engine.ending import GRACE_MS
from hostd.engine.evolve import evolve
from hostd.engine.scope import RunScope
from hostd.engine.signals import receive
from hostd.engine.state import Run
from hostd.engine.steps import make_ready, start
from hostd.engine.stopping import give_up_all, give_up_told, stop_steps
from hostd.model.commands import CancelAttempt
from hostd.model.messages import Begin, Cancel, Pause, Resume, Terminate, Tick
from hostd.model.records import (
    CancelRequested,
    Failure,
    Paused,
    Resumed,
    RunStarted,
    RunTimedOut,
    Terminated,
    WaitEnded,
)
from hostd.values.json_text import dump_json, normalize


def on_begin(draft: Draft, message: Begin) -> None:
    """Decide a start: the first record, then every step that needs nothing."""
    run = draft.run
    plan = run.plan
    for blob in message.blobs:
        draft.keep(blob)
    started = message.started
    if plan.timeout_ms:
        started = replace(started, deadline_at_ms=draft.at_ms + plan.timeout_ms)
    if plan.vars:
        started = replace(started, vars=draft.value(_vars(draft, started)))
    draft.add(started)
    if message.signal is not None:
        receive(draft, message.signal)
    for step in plan.steps[: plan.body_count]:
        if not step.needs and run.states[step.index] == STEP_PENDING:
            make_ready(draft, step.index)


def _vars(draft: Draft, started: RunStarted) -> bytes:
    """Return `vars` as JSON text; each sees the run as it will begin, and those above it."""
    preview = Run(draft.run.plan)
    evolve(preview, started, draft.at_ms)
    values: dict[str, Any] = {}
    scope = RunScope(preview, -1, draft.at_ms, draft.blobs, parsed={"vars": values})
    for name, template in preview.plan.vars:
        values[name] = normalize(template.render(scope, draft.budget))
    return dump_json(values)


def can_cancel(run: Run, message: Cancel) -> bool:
    """Say whether a cancel changes anything: not once an outcome is decided, or a cancel or timeout is under way."""
    return not run.outcome and not run.stop


def on_cancel(draft: Draft, message: Cancel) -> None:
    """Decide a cancel."""
    cleanup_at_ms = draft.at_ms + draft.run.plan.cleanup_timeout_ms
    grace_at_ms = draft.at_ms + message.grace_ms
    _stop(draft, CancelRequested(reason=message.reason, grace_at_ms=grace_at_ms, cleanup_at_ms=cleanup_at_ms))


def _time_out(draft: Draft) -> None:
    cleanup_at_ms = draft.at_ms + draft.run.plan.cleanup_timeout_ms
    _stop(draft, RunTimedOut(grace_at_ms=draft.at_ms + GRACE_MS, cleanup_at_ms=cleanup_at_ms))


def _stop(draft: Draft, record: CancelRequested | RunTimedOut) -> None:
    """Stop the body. It ends a pause too: cleanup steps that were held back begin."""
    paused = draft.run.paused
    draft.add(record)
    stop_steps(draft)
    if paused:
        _start_ready(draft)


def on_terminate(draft: Draft, message: Terminate) -> None:
    """Decide an end at once; what runs is told, nobody waits for it."""
    for index, active in draft.run.active.items():
        if draft.run.states[index] == STEP_RUNNING:
            draft.commands.append(CancelAttempt(index, active.attempt))
    draft.add(Terminated(reason=message.reason))


def can_pause(run: Run, message: Pause) -> bool:
    """Say whether a pause changes anything; a run that is being canceled or ends is not paused."""
    return not run.paused and not run.stop and not run.outcome


def on_pause(draft: Draft, message: Pause) -> None:
    """Decide a pause."""
    draft.add(Paused(reason=message.reason))


def can_resume(run: Run, message: Resume) -> bool:
    """Say whether there is a pause to end."""
    return run.paused


def on_resume(draft: Draft, message: Resume) -> None:
    """Decide a resume: what was held back starts, what became due meanwhile happens."""
    draft.add(Resumed())
    _start_ready(draft)
    on_tick(draft, Tick())


def _start_ready(draft: Draft) -> None:
    run = draft.run
    for index in list(run.active):
        if run.states[index] == STEP_READY:
            start(draft, index)


def is_due(run: Run, message: Tick) -> bool:
    """Say whether the run waits for any time at all; whether it has come, `on_tick` asks for each."""
    return run.next_due_ms() != 0


def on_tick(draft: Draft, message: Tick) -> None:
    """Decide everything that is due."""
    run = draft.run
    at_ms = draft.at_ms
    if run.deadline_at_ms and at_ms >= run.deadline_at_ms and not run.stop and not run.outcome:
        _time_out(draft)
    if run.cleanup_at_ms and at_ms >= run.cleanup_at_ms:
        give_up_all(draft)
        return
    if run.grace_at_ms and at_ms >= run.grace_at_ms:
        give_up_told(draft)
    for index, active in list(run.active.items()):
        if run.active.get(index) is not active or active.told:
            continue
        deadline_ms = run.plan.steps[index].deadline_ms
        if deadline_ms and at_ms >= active.ready_at_ms + deadline_ms:
            _pass_deadline(draft, index)
        elif active.due_at_ms and at_ms >= active.due_at_ms and not run.paused:
            _due(draft, index)


def _pass_deadline(draft: Draft, index: int) -> None:
    run = draft.run
    if run.states[index] == STEP_RUNNING:
        draft.commands.append(CancelAttempt(index, run.active[index].attempt))
    draft.fail(index, Failure("DEADLINE_PASSED", "all attempts together took longer than the step's `deadline`"))


def _due(draft: Draft, index: int) -> None:
    if draft.run.states[index] == STEP_WAITING:
        draft.end(index, WaitEnded(step=index))
    else:
        start(draft, index)
