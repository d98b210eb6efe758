"""Records as clients see them."""

import pytest

from hostd.api.convert.history import PAGE_BYTES_MAX, history_pages, history_record
from hostd.model.payload import BlobRef
from hostd.model.records import (
    KIND_NAMES,
    KIND_OF,
    RECORD_TYPES,
    AttemptFailed,
    AttemptLost,
    AttemptSucceeded,
    Failure,
    Record,
    RunEnded,
    RunOutcome,
    RunStarted,
    StepEnded,
    WaitStarted,
)
from hostd.model.states import RunState, StepState
from hostd.model.views import HistoryItem, RunRecords
from hostd.v1.run_pb2 import HistoryRecord, RecordKind
from hostd.v1.run_pb2 import StepState as StepStateMessage

STEPS = ("fetch", "post")


def shown(record: Record) -> HistoryRecord:
    """Return a record as a client gets it."""
    return history_record(HistoryItem(3, 1_500, "owner", record), STEPS)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", RECORD_TYPES, ids=lambda kind: kind.__name__)
def test_every_kind_is_shown(kind: type[Record]) -> None:
    """A kind that the projection forgot would break every watch of a run that has one."""
    needed = {"outcome": int(RunState.FAILED)} if kind in (RunOutcome, RunEnded) else {}
    if kind is StepEnded:
        needed = {"state": int(StepState.SKIPPED)}
    message = shown(kind(**needed))
    assert RecordKind.Name(message.kind) == f"RECORD_KIND_{KIND_NAMES[KIND_OF[kind]]}"
    assert (message.seq, message.principal, message.time.ToMilliseconds()) == (3, "owner", 1_500)
    assert message.step == ("fetch" if hasattr(kind(**needed), "step") else "")


@pytest.mark.parametrize("record, state", [
    (AttemptFailed(retry_at_ms=9_000), "RETRYING"), (AttemptFailed(), "FAILED"),
    (AttemptFailed(canceled=True), "CANCELED"),
    (AttemptLost(verdict=0), "READY"), (AttemptLost(verdict=2), "FAILED"), (AttemptLost(verdict=3), "CANCELED"),
    (StepEnded(state=int(StepState.SKIPPED)), "SKIPPED"), (WaitStarted(due_at_ms=9_000), "WAITING"),
])  # fmt: skip
def test_a_step_has_the_state_it_is_in_afterwards(record: Record, state: str) -> None:
    """What follows from a failure or a loss is told, not left to be guessed."""
    assert StepStateMessage.Name(shown(record).step_state) == f"STEP_STATE_{state}"


def test_a_failure_is_told_whole() -> None:
    """Reason, code, place, next try and the attempt's last lines."""
    failure = Failure("ACTION_FAILED", "no answer", "TIMEOUT", True, b'{"status":503}')
    message = shown(AttemptFailed(step=1, attempt=2, failure=failure, retry_at_ms=9_000, log_tail=("a", "b")))
    assert (message.step, message.attempt, message.due_time.ToMilliseconds()) == ("post", 2, 9_000)
    assert (message.failure.reason, message.failure.code, message.failure.retryable) == (
        "ACTION_FAILED",
        "TIMEOUT",
        True,
    )
    assert (message.failure.step, message.failure.attempt) == ("post", 2)
    assert message.failure.details.data == b'{"status":503}'
    assert list(message.log_tail) == ["a", "b"]


def test_values_are_bytes_or_references() -> None:
    """Input and output are what was sent; what lies elsewhere is named by digest and size."""
    assert shown(RunStarted(input=b'{"n":1.50}')).value.data == b'{"n":1.50}'
    value = shown(AttemptSucceeded(output=BlobRef(b"\xab" * 32, 40_000))).value
    assert (value.blob, value.metadata["size_bytes"]) == ("ab" * 32, "40000")
    assert not shown(AttemptSucceeded()).HasField("value")


def test_pages_hold_about_a_mebibyte() -> None:
    """Everything comes once and in order; a record too large for a page is a page of its own."""
    sizes = [400_000, 400_000, 400_000, PAGE_BYTES_MAX * 3 // 2, 10, 10]
    items = [HistoryItem(seq, 1, "", RunStarted(input=b"1" * size)) for seq, size in enumerate(sizes)]
    pages = list(history_pages(RunRecords(STEPS, items, len(items)), from_seq=1))
    assert [[record.seq for record in page] for page in pages] == [[1, 2], [3], [4, 5]]
