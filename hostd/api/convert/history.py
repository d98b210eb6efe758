"""Records as clients see them: a projection with a life of its own; kinds have the journal's numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hostd.api.convert.payloads import Room, failure_of
from hostd.api.convert.runs import STEP_STATES, time_of
from hostd.model.payload import Value
from hostd.model.records import (
    KIND_OF,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    FailFast,
    Paused,
    Record,
    Resumed,
    RunEnded,
    RunOutcome,
    RunStarted,
    RunTimedOut,
    SignalReceived,
    StepEnded,
    StepReady,
    Terminated,
    WaitEnded,
    WaitStarted,
)
from hostd.model.states import RunState, StepState
from hostd.model.views import HistoryItem, RunRecords
from hostd.v1.run_pb2 import HistoryRecord

PAGE_BYTES_MAX = 1024 * 1024

_LOST = {0: StepState.READY, 1: StepState.READY, 2: StepState.FAILED, 3: StepState.CANCELED}
_RUN_STATES: dict[type[Record], RunState] = {
    RunStarted: RunState.RUNNING,
    CancelRequested: RunState.CANCELING,
    RunTimedOut: RunState.CANCELING,
    Terminated: RunState.CANCELED,
    Paused: RunState.PAUSED,
    Resumed: RunState.RUNNING,
}
_STEP_STATES: dict[type[Record], Callable[[Any], int]] = {
    StepReady: lambda _: StepState.READY,
    AttemptStarted: lambda _: StepState.RUNNING,
    AttemptSucceeded: lambda _: StepState.SUCCEEDED,
    AttemptFailed: lambda record: _after_failure(record),
    AttemptLost: lambda record: _LOST.get(record.verdict, StepState.FAILED),
    StepEnded: lambda record: record.state,
    WaitStarted: lambda _: StepState.WAITING,
    WaitEnded: lambda _: StepState.SUCCEEDED,
    FailFast: lambda _: StepState.FAILED,
}


def _after_failure(record: AttemptFailed) -> StepState:
    if record.retry_at_ms:
        return StepState.RETRYING
    return StepState.CANCELED if record.canceled else StepState.FAILED


def history_pages(batch: RunRecords, from_seq: int = 0) -> Iterator[list[HistoryRecord]]:
    """Yield a batch's records from a number on, as pages of about 1 MiB; a larger record is a page of its own."""
    page: list[HistoryRecord] = []
    size_bytes = 0
    for item in batch.items:
        if item.seq < from_seq:
            continue
        message = history_record(item, batch.steps)
        added = message.ByteSize()
        if page and size_bytes + added > PAGE_BYTES_MAX:
            yield page
            page, size_bytes = [], 0
        page.append(message)
        size_bytes += added
    if page:
        yield page


def _value(record: Any) -> Value:
    if type(record) is RunStarted:
        return record.input
    return record.data if type(record) is SignalReceived else getattr(record, "output", b"")


def history_record(item: HistoryItem, steps: tuple[str, ...]) -> HistoryRecord:
    """Return a record as clients see it. `steps`: ids by the plan's index."""
    record: Any = item.record
    kind = type(record)
    message = HistoryRecord(
        seq=item.seq,
        kind=KIND_OF[kind],  # type: ignore[arg-type]
        time=time_of(item.at_ms),
        principal=item.principal,
        attempt=getattr(record, "attempt", 0),
        reason=getattr(record, "reason", ""),
        message=getattr(record, "message", ""),
        log_tail=getattr(record, "log_tail", ()),
        due_time=time_of(getattr(record, "retry_at_ms", 0) or getattr(record, "due_at_ms", 0)),
    )
    step_state = _STEP_STATES.get(kind)
    if step_state is not None:
        message.step = steps[record.step] if record.step < len(steps) else str(record.step)
        message.step_state = STEP_STATES[step_state(record)]  # type: ignore[assignment]
    run_state = record.outcome if kind in (RunOutcome, RunEnded) else _RUN_STATES.get(kind, 0)
    if run_state:
        message.run_state = run_state  # type: ignore[assignment]
    if kind is SignalReceived:
        message.signal = record.name
    value = Room().payload(_value(record))
    if value is not None:
        message.value.CopyFrom(value)
    failure = getattr(record, "failure", None)
    if failure is not None:
        message.failure.CopyFrom(failure_of(failure, step=message.step, attempt=message.attempt))
    return message
