"""The steps the engine does itself: flow.wait, flow.pass, flow.fail and flow.end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostd.definition.plan import StepKind
from hostd.engine.codes import RUN_CANCELED, RUN_FAILED, RUN_SUCCEEDED, STEP_SUCCEEDED
from hostd.engine.draft import Draft
from hostd.engine.ending import Outcome, end_early
from hostd.errors.base import invalid
from hostd.model.payload import OUTPUT_BYTES_MAX
from hostd.model.records import Failure, StepEnded, WaitStarted
from hostd.values.durations import parse_duration_ms
from hostd.values.json_text import dump_json
from hostd.values.times import parse_time_ms

_END_STATES = {"SUCCEEDED": RUN_SUCCEEDED, "FAILED": RUN_FAILED, "CANCELED": RUN_CANCELED}


def _wait(draft: Draft, index: int, options: dict[str, Any]) -> None:
    due_at_ms = _due_at_ms(draft, options)
    if due_at_ms <= draft.at_ms:
        draft.end(index, StepEnded(step=index, state=STEP_SUCCEEDED))
    else:
        draft.add(WaitStarted(step=index, due_at_ms=due_at_ms))


def _due_at_ms(draft: Draft, options: dict[str, Any]) -> int:
    try:
        if "until" in options:
            return parse_time_ms(options["until"])
        return draft.at_ms + parse_duration_ms(_text(options.get("duration", "")))
    except ValueError as error:
        raise invalid("OPTION_INVALID", f"flow.wait: {error}") from None


def _pass(draft: Draft, index: int, options: dict[str, Any]) -> None:
    draft.end(index, StepEnded(step=index, state=STEP_SUCCEEDED, output=draft.value(_output(options))))


def _output(options: dict[str, Any]) -> bytes:
    data = dump_json(options.get("output"))
    if len(data) > OUTPUT_BYTES_MAX:
        raise invalid("OUTPUT_TOO_LARGE", f"the output is larger than {OUTPUT_BYTES_MAX} bytes")
    return data


def _fail(draft: Draft, index: int, options: dict[str, Any]) -> None:
    details = options.get("details") or {}
    if not isinstance(details, dict):
        raise invalid("OPTION_INVALID", "flow.fail: `details` is not a mapping")
    failure = Failure(
        "STEP_FAILED",
        _text(options.get("message", "")),
        code=_text(options.get("code", "")),
        details=dump_json(details) if details else b"",
    )
    draft.fail(index, failure)


def _end(draft: Draft, index: int, options: dict[str, Any]) -> None:
    run = draft.run
    wanted = options.get("state", "SUCCEEDED")
    state = _END_STATES.get(wanted) if isinstance(wanted, str) else None
    if state is None:
        raise invalid("OPTION_INVALID", f"flow.end takes state SUCCEEDED, FAILED or CANCELED, not {wanted!r:.40}")
    message = _text(options.get("message", ""))
    data = _output(options)
    draft.end(index, StepEnded(step=index, state=STEP_SUCCEEDED))
    if run.outcome or run.stop:
        return  # how the run ends was decided before: by a cancel, its timeout, or another flow.end
    reason = "" if state == RUN_SUCCEEDED else "FLOW_END"
    end_early(draft, Outcome(state, reason, message, draft.value(data)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dump_json(value).decode()


DO: dict[StepKind, Callable[[Draft, int, dict[str, Any]], None]] = {
    StepKind.WAIT: _wait,
    StepKind.PASS: _pass,
    StepKind.FAIL: _fail,
    StepKind.END: _end,
}
"""Kind -> what it decides. Raises HostdError before it has decided anything; the step then fails with it."""
