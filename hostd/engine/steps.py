"""Making steps ready, starting them, and going on from those that ended: the cascade behind every decision."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from hostd.definition.plan import StepPlan
from hostd.engine import ending
from hostd.engine.codes import ACTION, RUN_FINAL, STEP_PENDING, STEP_READY, STEP_SKIPPED, STEP_SUCCEEDED
from hostd.engine.draft import Draft
from hostd.engine.own import DO
from hostd.engine.stopping import may_begin, stop_steps
from hostd.errors.base import HostdError, invalid
from hostd.model.commands import AskSlot, StartAttempt
from hostd.model.records import AttemptStarted, FailFast, Failure, StepEnded, StepReady
from hostd.model.secrets import encode_secret
from hostd.values.json_text import dump_json

_digest_encoder = msgspec.msgpack.Encoder(enc_hook=encode_secret, order="deterministic")


def settle(draft: Draft) -> None:
    """Go on from steps that ended to their dependents, and to the run's end if nothing is left."""
    run = draft.run
    ending.keep_within_walls(draft)
    while True:
        for number, index in enumerate(draft.ended):  # which grows meanwhile
            if number:
                ending.keep_within_walls(draft)
            _go_on_from(draft, index)
        draft.ended.clear()
        if run.unfinished or run.active or run.state >= RUN_FINAL:
            return
        _finish(draft)


def _go_on_from(draft: Draft, index: int) -> None:
    run = draft.run
    if run.plan.fail_fast and run.failures and run.failures[0] == index:
        _fail_fast(draft, index)
    for dependent in run.plan.steps[index].dependents:
        if not run.open_needs[dependent] and run.states[dependent] == STEP_PENDING:
            make_ready(draft, dependent)


def _fail_fast(draft: Draft, index: int) -> None:
    """Stop what goes on beside the run's first failure. Steps that say failed() or always() begin all the same."""
    run = draft.run
    if run.stop or run.outcome or not run.unfinished:
        return
    draft.add(FailFast(step=index, grace_at_ms=draft.at_ms + ending.GRACE_MS))
    stop_steps(draft)


def _finish(draft: Draft) -> None:
    """Take the next step of a run's end: the outcome and a handler that begins, or the end itself."""
    run = draft.run
    if run.outcome:
        decided = ending.Outcome(run.outcome)
    else:
        decided = ending.find_outcome(draft)
    handler = ending.next_handler(run, decided.state)
    if handler is None:
        draft.add(ending.run_ended(run, decided))
        return
    if not run.outcome:
        ending.decide_outcome(draft, decided)
    make_ready(draft, handler)


def make_ready(draft: Draft, index: int) -> None:
    """Decide what becomes of a step whose needs have ended: canceled, skipped, failed or started."""
    step = draft.run.plan.steps[index]
    if not may_begin(draft.run, step):
        draft.cancel(index)
        return
    try:
        wanted = _wanted(draft, step)
    except HostdError as error:
        draft.fail(index, failure_of(error))
        return
    if wanted:
        start(draft, index)
    else:
        draft.end(index, StepEnded(step=index, state=STEP_SKIPPED))


def _wanted(draft: Draft, step: StepPlan) -> bool:
    condition = step.condition
    if condition is None:
        return bool(step.handler) or all(draft.run.result(need) == STEP_SUCCEEDED for need in step.needs)
    scope = draft.scope(step.index)
    if not condition.uses_status and not step.handler and not scope.status("succeeded"):
        return False
    return truth(condition.evaluate(scope, draft.budget), f"`if` of {step.id}")


def truth(value: Any, where: str) -> bool:
    """Return a condition's value. Raises EXPRESSION_FAILED when it is neither true nor false."""
    if not isinstance(value, bool):
        raise invalid("EXPRESSION_FAILED", f"{where} gave {_type_word(value)}, not true or false")
    return value


def _type_word(value: Any) -> str:
    words = {"NoneType": "null", "str": "a string", "int": "a number", "float": "a number", "list": "a list"}
    return words.get(type(value).__name__, "a map")


def start(draft: Draft, index: int, *, alone: bool = False) -> None:
    """Start a step that is wanted: the engine's own at once, an action when it gets a slot.

    Args:
        alone: nothing else runs inside the daemon, so a suspect may start.
    """
    run = draft.run
    step = run.plan.steps[index]
    if run.paused:
        _hold(draft, index)
        return
    if step.kind is ACTION and not _has_slot(draft, index, alone=alone):
        return
    try:
        options = _options(draft, step)
        if step.kind is not ACTION:
            DO[step.kind](draft, index, options)
            return
    except HostdError as error:
        draft.fail(index, failure_of(error))
        return
    _issue(draft, step, options)


def _options(draft: Draft, step: StepPlan) -> Any:
    """Return the rendered `with`; what is literal looks at nothing."""
    template = step.options
    if template is None:
        return {}
    return template.render(None if template.literal else draft.scope(step.index), draft.budget)


def _hold(draft: Draft, index: int) -> None:
    if draft.run.states[index] != STEP_READY:
        draft.add(StepReady(step=index))


def _has_slot(draft: Draft, index: int, *, alone: bool) -> bool:
    """Say whether an attempt may start now; one that may not stays READY and asks."""
    active = draft.run.active.get(index)
    wants_alone = active is not None and active.alone
    if alone if wants_alone else draft.permitted(draft.run.plan.steps[index].uses):
        return True
    _hold(draft, index)
    draft.commands.append(AskSlot(index, alone=wants_alone))
    return False


def _issue(draft: Draft, step: StepPlan, options: Any) -> None:
    active = draft.run.active.get(step.index)
    attempt, alone = (active.attempt + 1, active.alone) if active is not None else (1, False)
    digest = b""
    if step.options is not None and not step.options.literal:
        digest = hashlib.blake2b(_digest_encoder.encode(options), digest_size=16).digest()
    if not alone:
        draft.take_permit(step.uses)
    draft.add(AttemptStarted(step=step.index, attempt=attempt, with_digest=digest, alone=alone))
    draft.commands.append(StartAttempt(step.index, attempt, options, alone))


def failure_of(error: HostdError) -> Failure:
    """Return an error of ours as a step's failure; it will not go away by trying again."""
    return Failure(error.reason, error.message, details=dump_json(error.details) if error.details else b"")
