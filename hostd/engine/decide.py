"""Deciding: (state, message, stamp) -> records and commands. Pure: no clock, no I/O, no randomness of its own.

    PENDING step --needs ended--> READY / RUNNING / WAITING / ended at once
    RUNNING --done--> SUCCEEDED   --error--> RETRYING --due--> RUNNING   or FAILED
    RUNNING --gone--> READY (again, or alone) or FAILED
    RUNNING and told to stop --done--> SUCCEEDED   --anything else, or no answer in time--> CANCELED

Invariants
- A message that comes late, twice or out of order decides nothing: a guard first asks whether the run is where the
  message thinks it is (for an attempt's answer: state RUNNING and the same attempt number).
- Every record goes through `Draft.add`, which folds it at once: the state a decision returns is what folding its
  records gives, and nothing else changes a state. The state passed in is never changed.
- A decision ends with `settle`, so a run with nothing ready, running or waiting is decided to its end in the same
  decision that ended its last step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from hostd.definition.plan import BlobNeeded, Plan
from hostd.engine import attempts, life, signals
from hostd.engine.codes import RUN_FINAL
from hostd.engine.draft import Decision, Draft, Needs, Refused, Stamp
from hostd.engine.state import Run
from hostd.engine.steps import settle
from hostd.model.messages import (
    AttemptDone,
    AttemptError,
    AttemptGone,
    Begin,
    Cancel,
    Message,
    Pause,
    Resume,
    Signal,
    SlotFree,
    Terminate,
    Tick,
)

SEMANTICS = 1  # recorded in RUN_STARTED; a change in what `decide` does for the same input ships under the next number

NOTHING = Decision()

Handler: TypeAlias = Callable[[Draft, Any], None]
Guard: TypeAlias = Callable[[Run, Any], bool]


def begin(plan: Plan, message: Begin, stamp: Stamp) -> Decision | Needs | Refused:
    """Decide a run's start. Refused where it comes with a signal that the workflow does not take.

    Raises:
        HostdError: EXPRESSION_FAILED when `vars` cannot be computed; the start is then refused at the door.
    """
    return _run(life.on_begin, Run(plan), message, stamp)


def decide(run: Run, message: Message, stamp: Stamp) -> Decision | Needs | Refused:
    """Decide what a message about a run leads to; NOTHING when it comes too late or changes nothing.

    Only a signal can be Refused.
    """
    if run.state >= RUN_FINAL:
        return NOTHING
    handler, guard = _HANDLERS[type(message)]
    if not guard(run, message):
        return NOTHING
    return _run(handler, run.fork(), message, stamp)


def _run(handler: Handler, run: Run, message: Message, stamp: Stamp) -> Decision | Needs | Refused:
    draft = Draft(run, stamp.at_ms, stamp.permits, stamp.blobs)
    try:
        handler(draft, message)
        settle(draft)
    except BlobNeeded as needed:
        return Needs((needed.digest,))
    except signals.Refusal as refusal:
        return Refused(refusal.error)
    if not draft.records and not draft.commands:
        return NOTHING
    return Decision(draft.run, draft.records, draft.commands, draft.new_blobs)


def _always(run: Run, message: Message) -> bool:
    return True


_HANDLERS: dict[type, tuple[Handler, Guard]] = {
    AttemptDone: (attempts.on_done, attempts.expects),
    AttemptError: (attempts.on_error, attempts.expects),
    AttemptGone: (attempts.on_gone, attempts.expects),
    SlotFree: (attempts.on_slot_free, attempts.wants_slot),
    Tick: (life.on_tick, life.is_due),
    Cancel: (life.on_cancel, life.can_cancel),
    Terminate: (life.on_terminate, _always),
    Pause: (life.on_pause, life.can_pause),
    Resume: (life.on_resume, life.can_resume),
    Signal: (signals.on_signal, signals.is_new),
}
