"""How a run ends: its outcome, the handlers that come after it, and the walls that end it early."""

from __future__ import annotations

from typing import NamedTuple

from hostd.engine.codes import RUN_CANCELED, RUN_FAILED, RUN_SUCCEEDED, RUN_TIMED_OUT, STEP_PENDING
from hostd.engine.draft import Draft
from hostd.engine.evolve import TIMEOUT_MESSAGE
from hostd.engine.state import STOP_CANCEL, STOP_TIMEOUT, Run
from hostd.engine.stopping import give_up_all, stop_steps
from hostd.errors.base import HostdError
from hostd.model.payload import OUTPUT_BYTES_MAX, RUN_BYTES_MAX, RUN_RECORDS_MAX, RUN_VALUES_MAX, Value
from hostd.model.records import RunEnded, RunOutcome
from hostd.values.json_text import dump_json

GRACE_MS = 30_000  # how long attempts that were told to stop may take where the message does not say
_HANDLER_OF = {
    RUN_SUCCEEDED: "success",
    RUN_FAILED: "failure",
    RUN_TIMED_OUT: "failure",
    RUN_CANCELED: "cancel",
}
_MESSAGE_CHARS_MAX = 2_000
_HANDLER_RECORDS = 1_000  # what handlers may write after a run met the wall of its history


class Outcome(NamedTuple):
    """How a run ends, before its handlers."""

    state: int
    reason: str = ""
    message: str = ""
    output: Value = b""


def find_outcome(draft: Draft) -> Outcome:
    """Return the outcome of a run in which nothing is ready, running or waiting."""
    run = draft.run
    if run.stop == STOP_CANCEL:
        return Outcome(RUN_CANCELED, "CANCELED", run.message)
    if run.stop == STOP_TIMEOUT:
        return Outcome(RUN_TIMED_OUT, "RUN_TIMEOUT", TIMEOUT_MESSAGE)
    if run.failures:
        step = run.failures[0]
        failure = run.step_failures[step]
        message = f"{run.plan.steps[step].id}: {failure.message}"[:_MESSAGE_CHARS_MAX]
        return Outcome(RUN_FAILED, failure.reason, message)
    return _succeeded(draft)


def _succeeded(draft: Draft) -> Outcome:
    output = draft.run.plan.output
    if output is None:
        return Outcome(RUN_SUCCEEDED)
    try:
        data = dump_json(output.render(draft.scope(-1), draft.budget))
    except HostdError as error:
        return Outcome(RUN_FAILED, "OUTPUT_INVALID", error.message[:_MESSAGE_CHARS_MAX])
    if len(data) > OUTPUT_BYTES_MAX:
        return Outcome(RUN_FAILED, "OUTPUT_INVALID", f"the output is larger than {OUTPUT_BYTES_MAX} bytes")
    return Outcome(RUN_SUCCEEDED, output=draft.value(data))


def decide_outcome(draft: Draft, outcome: Outcome) -> None:
    """Record the outcome while something still runs or handlers are to come."""
    run = draft.run
    draft.add(
        RunOutcome(
            outcome=outcome.state,
            reason=outcome.reason,
            message=outcome.message,
            output=outcome.output,
            grace_at_ms=draft.at_ms + GRACE_MS if run.unfinished else 0,
            cleanup_at_ms=draft.at_ms + run.plan.cleanup_timeout_ms,
        )
    )


def end_early(draft: Draft, outcome: Outcome) -> None:
    """Decide the outcome now and stop the body; handlers run once it has ended."""
    decide_outcome(draft, outcome)
    stop_steps(draft)


def next_handler(run: Run, outcome: int) -> int | None:
    """Return the handler that is to begin: the outcome's own, then `exit`; None when there is none left."""
    for name in (_HANDLER_OF[outcome], "exit"):
        index = run.plan.handlers.get(name)
        if index is not None and run.states[index] == STEP_PENDING:
            return index
    return None


def run_ended(run: Run, outcome: Outcome) -> RunEnded:
    """Return the last record; after RUN_OUTCOME it repeats nothing but the outcome."""
    if run.outcome:
        return RunEnded(outcome=run.outcome)
    return RunEnded(outcome=outcome.state, reason=outcome.reason, message=outcome.message, output=outcome.output)


def keep_within_walls(draft: Draft) -> None:
    """End a run that passes the limits of a run.

    First in good order, with handlers and room for what running attempts answer; should these fill the history too,
    everything that is left is given up. Each step that has not ended takes one record to end.
    """
    run = draft.run
    room = RUN_RECORDS_MAX - run.seq
    steps = len(run.states)
    if room > 3 * steps + _HANDLER_RECORDS and run.value_bytes <= RUN_BYTES_MAX and run.value_count <= RUN_VALUES_MAX:
        return
    if not run.stop and not run.outcome:
        end_early(draft, Outcome(RUN_FAILED, "RUN_TOO_LARGE", _wall(run)))
    elif room <= steps + 10 and (run.active or run.unfinished):
        give_up_all(draft)


def has_room_for(run: Run, value_bytes: int) -> bool:
    """Say whether a value from outside, of this size, leaves the run within its walls."""
    room = RUN_RECORDS_MAX - run.seq
    return (
        room > 3 * len(run.states) + _HANDLER_RECORDS + 1
        and run.value_bytes + value_bytes <= RUN_BYTES_MAX
        and run.value_count < RUN_VALUES_MAX
    )


def _wall(run: Run) -> str:
    if run.value_bytes > RUN_BYTES_MAX:
        return f"the run's values passed {RUN_BYTES_MAX} bytes"
    if run.value_count > RUN_VALUES_MAX:
        return f"the run holds more than {RUN_VALUES_MAX} values"
    return f"the history reached {run.seq} records; it ends before {RUN_RECORDS_MAX}"
