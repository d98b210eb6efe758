"""What a host tells about runs, as Python values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.model.payload import BlobRef, Value
from hostd.model.records import KIND_NAMES, KIND_OF
from hostd.model.states import RunState, StepState, run_is_final
from hostd.model.views import FailureView, HistoryItem, RunView, StepView
from hostd.values.json_text import JsonValue, parse_json

ReadBlob = Callable[[bytes], Awaitable[bytes]]
_VALUES = ("input", "output", "data", "vars")
_KINDS = {RunState.CANCELED: Kind.CANCELED, RunState.TIMED_OUT: Kind.TIMEOUT}


class FailureInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Why a step failed, or the run where `step` is empty. `attempt` is 0 where there was none."""

    reason: str
    message: str
    code: str = ""
    step: str = ""
    attempt: int = 0
    retryable: bool = False
    details: JsonValue = None


class StepInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a run. `state` is a word such as SUCCEEDED; so is `result`, empty until it has ended."""

    id: str
    uses: str
    state: str
    result: str = ""
    attempts: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    output: JsonValue = None
    error: FailureInfo | None = None


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it was when it was asked for.

    `state` is a word such as WAITING or SUCCEEDED. From `message` on, lists leave the fields empty. `waits_for` holds
    actions that its steps need and that this host does not have: they go on once it has.
    """

    id: str
    workflow: str
    version: str
    state: str
    key: str = ""
    reason: str = ""
    labels: Mapping[str, str] = {}
    trigger: str = ""
    parent: str = ""
    created_at: datetime | None = None
    ended_at: datetime | None = None
    message: str = ""
    input: JsonValue = None
    output: JsonValue = None
    failures: tuple[FailureInfo, ...] = ()
    steps: Mapping[str, StepInfo] = {}
    waits_for: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """Whether it has ended."""
        return run_is_final(RunState[self.state])


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a run: what became durable, in order.

    `kind` is a word such as STEP_READY, ATTEMPT_SUCCEEDED or RUN_ENDED; `step` the step's id, empty where the record is
    about the run. `data` holds the record's own fields. `run` is set with the last one: the run as it ended.
    """

    seq: int
    at: datetime
    kind: str
    step: str = ""
    data: Mapping[str, Any] = {}
    run: RunInfo | None = None


class RunFailed(HostdError):
    """A run whose result was asked for did not succeed: FAILED, CANCELED or TIMED_OUT.

    `reason` is the run's; what is told is its first failure. `run` holds everything.
    """

    def __init__(self, run: RunInfo) -> None:
        first = run.failures[0] if run.failures else None
        where = f" at {first.step}" if first is not None and first.step else ""
        why = f": {first.reason}: {first.message}" if first is not None else f": {run.message}" if run.message else ""
        details = {"run_id": run.id, "state": run.state}
        message = f"the run {run.id} of {run.workflow} ended as {run.state}{where}{why}"
        super().__init__(_KINDS.get(RunState[run.state], Kind.STATE), run.reason or run.state, message, details=details)
        self.run = run


def moment(at_ms: int) -> datetime | None:
    """Return a time, None for 0."""
    return datetime.fromtimestamp(at_ms / 1000, UTC) if at_ms else None


async def value_of(value: Value, read_blob: ReadBlob) -> JsonValue:
    """Return a stored value, wherever it lies; None for no value."""
    data = await read_blob(value.digest) if isinstance(value, BlobRef) else value
    return parse_json(data) if data else None


async def run_info(view: RunView, read_blob: ReadBlob, has_action: Callable[[str], bool]) -> RunInfo:
    """Return a run."""
    steps = {step.id: await _step(step, read_blob) for step in view.steps}
    live = not run_is_final(view.state)
    return RunInfo(
        id=view.run_id,
        workflow=view.workflow,
        version=view.version,
        state=RunState(view.state).name,
        key=view.key,
        reason=view.reason,
        labels=view.labels,
        trigger=view.trigger,
        parent=view.parent,
        created_at=moment(view.created_at_ms),
        ended_at=moment(view.ended_at_ms),
        message=view.message,
        input=await value_of(view.input, read_blob),
        output=await value_of(view.output, read_blob),
        failures=tuple(map(_failure, view.failures)),
        steps=steps,
        waits_for=tuple(sorted({step.uses for step in view.steps if _waits(step, has_action)})) if live else (),
    )


def _waits(step: StepView, has_action: Callable[[str], bool]) -> bool:
    moving = StepState.PENDING < step.state < StepState.SUCCEEDED
    return moving and not step.uses.startswith("flow.") and not has_action(step.uses)


async def _step(view: StepView, read_blob: ReadBlob) -> StepInfo:
    return StepInfo(
        id=view.id,
        uses=view.uses,
        state=StepState(view.state).name,
        result=StepState(view.result).name if view.result >= 0 else "",
        attempts=view.attempts,
        started_at=moment(view.started_at_ms),
        ended_at=moment(view.ended_at_ms),
        output=await value_of(view.output, read_blob),
        error=_failure(view.error) if view.error is not None else None,
    )


def _failure(view: FailureView) -> FailureInfo:
    failure = view.failure
    return FailureInfo(
        reason=failure.reason,
        message=failure.message,
        code=failure.code,
        step=view.step,
        attempt=view.attempt,
        retryable=failure.retryable,
        details=parse_json(failure.details) if failure.details else None,
    )


async def change(item: HistoryItem, steps: tuple[str, ...], read_blob: ReadBlob) -> Change:
    """Return a record."""
    record: Any = item.record
    index = getattr(record, "step", None)
    step = "" if index is None else steps[index] if index < len(steps) else str(index)
    return Change(
        seq=item.seq,
        at=datetime.fromtimestamp(item.at_ms / 1000, UTC),
        kind=KIND_NAMES[KIND_OF[type(record)]],
        step=step,
        data=await _fields(record, read_blob),
    )


async def _fields(record: Any, read_blob: ReadBlob) -> dict[str, Any]:
    """Return what a record says, without its version and what only hostd understands."""
    found: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if name in ("ver", "step"):
            continue
        if name in _VALUES:
            found[name] = await value_of(value, read_blob)
        elif name == "failure":
            found[name] = None if value is None else _failure(FailureView(value))
        elif name in ("state", "outcome"):
            found[name] = (StepState if name == "state" else RunState)(value).name
        elif not isinstance(value, bytes):
            found[name] = value
    return found
