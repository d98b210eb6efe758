"""Runs: messages to requests of the model, views to messages. States on the wire have the model's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from hostd.api.convert.checks import check_key, check_labels, check_run, check_version, check_workflow, fault
from hostd.api.convert.digests import repeat_of
from hostd.api.convert.payloads import Room, placed_failure, read_payload
from hostd.api.status import is_retryable
from hostd.errors.base import HostdError
from hostd.model.requests import OnClosed, OnOpen, RunRef, SignalRequest, StartRequest
from hostd.model.states import RunState, StepState
from hostd.model.views import RunChange, RunView, StartedRun, StepView
from hostd.v1.payload_pb2 import Failure, Payload
from hostd.v1.run_pb2 import Outcome, Run, Step
from hostd.v1.run_pb2 import StepState as StepStateMessage
from hostd.v1.run_service_pb2 import ChangeKind, StartRunResponse, StartSpec, WatchRunsResponse
from hostd.v1.run_service_pb2 import RunRef as RunRefMessage
from hostd.values.json_text import JsonValue, dump_json

SIGNAL_NAME_CHARS_MAX = 63
Word = TypeVar("Word", OnOpen, OnClosed)

_ON_OPEN: dict[int, OnOpen] = {0: "FAIL", 1: "FAIL", 2: "USE_EXISTING", 3: "TERMINATE_EXISTING"}
_ON_CLOSED: dict[int, OnClosed] = {0: "ALLOW", 1: "ALLOW", 2: "ALLOW_IF_FAILED", 3: "REJECT"}
_OUTCOMES = {
    state.value: Outcome.Value(f"OUTCOME_{state.name}")
    for state in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED, RunState.TIMED_OUT)
}
STEP_STATES = {state.value: StepStateMessage.Value(f"STEP_STATE_{state.name}") for state in StepState}
_CHANGES = {word: ChangeKind.Value(f"CHANGE_KIND_{word}") for word in ("ADDED", "MODIFIED", "DELETED")}


def read_start(
    spec: StartSpec, path: str, trace: str = "", with_it: Mapping[str, JsonValue] | None = None
) -> StartRequest:
    """Return a start. Raises HostdError ARGUMENT_INVALID, PAYLOAD_*, NUMBER_OUT_OF_RANGE.

    Args:
        with_it: what else the same request id must mean.
    """
    workflow = check_workflow(spec.workflow, f"{path}.workflow")
    version = check_version(spec.version, f"{path}.version")
    key = check_key(spec.key, f"{path}.key")
    labels = check_labels(spec.labels, f"{path}.labels")
    on_open = _choice(_ON_OPEN, spec.on_open, f"{path}.on_open")
    on_closed = _choice(_ON_CLOSED, spec.on_closed, f"{path}.on_closed")
    data, value = (b"", None) if not spec.HasField("input") else read_payload(spec.input, f"{path}.input", nothing=b"")
    repeat = None
    if spec.request_id:
        fields: dict[str, JsonValue] = {
            "workflow": workflow, "version": version, "input": value if data else {}, "key": key, "labels": {**labels},
            "on_open": on_open, "on_closed": on_closed, **(with_it or {}),
        }  # fmt: skip
        repeat = repeat_of(spec.request_id, fields, f"{path}.request_id")
    return StartRequest(workflow, version, data, value, key, labels, repeat, on_open, on_closed, trace)


def read_signal(name: str, data: Payload | None) -> SignalRequest:
    """Return what a run is told. Raises HostdError ARGUMENT_INVALID, PAYLOAD_*, NUMBER_OUT_OF_RANGE."""
    if not name or len(name) > SIGNAL_NAME_CHARS_MAX:
        raise fault("signal", f"name one of the workflow's `signals`, of 1 to {SIGNAL_NAME_CHARS_MAX} characters")
    text, value = (b"null", None) if data is None else read_payload(data, "data", nothing=b"null")
    return SignalRequest(name, text, value)


def read_signaling_start(spec: StartSpec, signal: SignalRequest, trace: str = "") -> StartRequest:
    """Return the start that comes with a signal. Raises as `read_start`; ARGUMENT_INVALID without a key."""
    start = read_start(spec, "start", trace, {"signal": signal.name, "data": signal.value})
    if not start.key:
        raise fault("start.key", "a signal goes to the open run of a key; give one")
    if spec.on_open:
        raise fault("start.on_open", "an open run is signaled; leave this out")
    return start


def _choice(words: Mapping[int, Word], number: int, path: str) -> Word:
    word = words.get(number)
    if word is None:
        raise fault(path, f"{number} is none of {', '.join(dict.fromkeys(words.values()))}")
    return word


def read_ref(ref: RunRefMessage) -> RunRef:
    """Return which run a request names. Raises HostdError ARGUMENT_INVALID."""
    return check_run(RunRef(ref.run_id, ref.workflow, ref.key))


def started_message(started: StartedRun) -> StartRunResponse:
    """Return what became of a start."""
    return StartRunResponse(run_id=started.run_id, existing=started.existing, version=started.version)


def refused_message(error: HostdError) -> Failure:
    """Return why an entry of a batch was refused."""
    failure = Failure(reason=error.reason, message=error.message, retryable=is_retryable(error))
    if error.details:
        failure.details.CopyFrom(Payload(data=dump_json(error.details)))
    return failure


def time_of(ms: int) -> Timestamp | None:
    """Return a time; None for 0."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000) if ms else None


def listed_run(view: RunView) -> Run:
    """Return a run as lists and WatchRuns show it."""
    run = Run()
    write_listed(run, view)
    return run


def write_listed(run: Run, view: RunView) -> None:
    """Write a run as lists and WatchRuns show it into a new message: half the time of making one and adding it."""
    run.run_id = view.run_id
    run.namespace = view.namespace
    run.workflow = view.workflow
    run.version = view.version
    run.state = view.state  # type: ignore[assignment]
    if view.key:
        run.key = view.key
    if view.outcome:
        run.outcome = _OUTCOMES.get(view.outcome, 0)  # type: ignore[assignment]
    if view.reason:
        run.reason = view.reason
    if view.labels:
        run.labels.update(view.labels)
    if view.trigger:
        run.trigger = view.trigger
    if view.parent:
        run.parent = view.parent
    _write_time(run.create_time, view.created_at_ms)
    if view.ended_at_ms:
        _write_time(run.end_time, view.ended_at_ms)
    if view.due_at_ms:
        _write_time(run.due_time, view.due_at_ms)


def _write_time(time: Timestamp, ms: int) -> None:
    time.seconds, time.nanos = ms // 1000, ms % 1000 * 1_000_000


def whole_run(view: RunView) -> Run:
    """Return a run with everything; values past 2 MiB in all are named by their size, output and input come first."""
    room = Room()
    run = listed_run(view)
    run.message = view.message
    run.principal = view.principal
    for field, value in ((run.output, view.output), (run.input, view.input)):
        payload = room.payload(value)
        if payload is not None:
            field.CopyFrom(payload)
    run.failures.extend(placed_failure(each) for each in view.failures)
    run.steps.extend(_step(step, room) for step in view.steps)
    run.signals.update(view.signals)
    return run


def _step(step: StepView, room: Room) -> Step:
    return Step(
        id=step.id,
        uses=step.uses,
        state=STEP_STATES[step.state],  # type: ignore[arg-type]
        result=STEP_STATES.get(step.result),  # type: ignore[arg-type]
        attempts=step.attempts,
        start_time=time_of(step.started_at_ms),
        end_time=time_of(step.ended_at_ms),
        due_time=time_of(step.due_at_ms),
        output=room.payload(step.output),
        error=placed_failure(step.error) if step.error is not None else None,
        needs=step.needs,
        handler=step.handler,
    )


def change_bytes(change: RunChange) -> bytes:
    """Return a change as a part of a WatchRunsResponse's bytes; made once for all watches that are told it."""
    if not change.wire:
        message = WatchRunsResponse()
        added = message.changes.add()
        added.kind = _CHANGES[change.kind]  # type: ignore[assignment]
        write_listed(added.run, change.run)
        change.wire = message.SerializeToString()
    return change.wire
