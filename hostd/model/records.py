"""Records: the durable facts of a run's history. What stands here can never be changed, only added to.

Wire form: a journal row's body is one msgpack array, an element a record: `[kind, ver, field, ...]`.
- Kinds (the tags) are never reused. Fields are only ever appended, with defaults; anything else is a new kind.
- `ver` is raised with every appended field whose absence would change what `evolve` does; journal/codec.py
  brings old versions up on reading. A higher `ver` or an unknown kind holds the run (RECORD_TOO_NEW).
- The run id is in no record but RUN_STARTED (from which a damaged run index can be rebuilt).
- Steps are named by their index in the plan: body steps in the document's order, then handlers
  `success, failure, cancel, exit` as far as the document has them. Times are wall milliseconds since 1970, UTC.
"""

from __future__ import annotations

from typing import TypeAlias, get_args

import msgspec

from hostd.model.payload import Value


class Failure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Why an attempt or a step failed. `details` is JSON text of an object, or empty."""

    reason: str
    message: str
    code: str = ""
    retryable: bool = False
    details: bytes = b""


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Base of all records; every one begins with its version."""


class RunStarted(Record, frozen=True, gc=False, array_like=True, tag=1):
    """The run exists. `digest` names the document, `semantics` what `decide` did for its input when it began."""

    ver: int = 1
    run_id: bytes = b""  # stored form, 17 bytes
    workflow: str = ""
    version: str = ""
    digest: bytes = b""
    semantics: int = 1
    input: Value = b""
    key: str = ""
    labels: dict[str, str] = {}
    vars: Value = b""
    env: dict[str, str] = {}
    deadline_at_ms: int = 0  # the run's timeout; 0 = none
    lineage: str = ""  # first run's id; empty = this run's own
    parent: str = ""  # run id of the parent; empty = none
    trigger: str = ""  # name of the trigger that caused it; empty = a client
    event_id: str = ""
    request_id: str = ""
    traceparent: str = ""  # of who started it; behind a space the tracestate, where there is one


class RunOutcome(Record, frozen=True, gc=False, array_like=True, tag=2):
    """The outcome is decided; what still runs and the handlers come after. `outcome` is a final RunState.

    `grace_at_ms`: when attempts that still run are given up; `cleanup_at_ms`: when handlers are.
    """

    ver: int = 1
    outcome: int = 0
    reason: str = ""
    message: str = ""
    output: Value = b""
    grace_at_ms: int = 0
    cleanup_at_ms: int = 0


class RunEnded(Record, frozen=True, gc=False, array_like=True, tag=3):
    """The run is final. After RUN_OUTCOME the fields repeat nothing but the outcome."""

    ver: int = 1
    outcome: int = 0
    reason: str = ""
    message: str = ""
    output: Value = b""


class CancelRequested(Record, frozen=True, gc=False, array_like=True, tag=4):
    """Somebody asked to cancel; `grace_at_ms` is when running attempts are given up."""

    ver: int = 1
    reason: str = ""
    grace_at_ms: int = 0
    cleanup_at_ms: int = 0


class Terminated(Record, frozen=True, gc=False, array_like=True, tag=5):
    """The run ended at once as CANCELED; nothing else ran."""

    ver: int = 1
    reason: str = ""


class Paused(Record, frozen=True, gc=False, array_like=True, tag=6):
    """Nothing new starts from here."""

    ver: int = 1
    reason: str = ""


class Resumed(Record, frozen=True, gc=False, array_like=True, tag=7):
    """What was held back may start."""

    ver: int = 1


class ObligationMet(Record, frozen=True, gc=False, array_like=True, tag=8):
    """What the run owed under this number is done."""

    ver: int = 1
    number: int = 0


class RunTimedOut(Record, frozen=True, gc=False, array_like=True, tag=9):
    """The run's timeout passed; like a cancel, with outcome TIMED_OUT."""

    ver: int = 1
    grace_at_ms: int = 0
    cleanup_at_ms: int = 0


class FailFast(Record, frozen=True, gc=False, array_like=True, tag=10):
    """A step failed and the document says `fail_fast`: what runs beside it was told to stop, as after a cancel."""

    ver: int = 1
    step: int = 0
    grace_at_ms: int = 0


class StepReady(Record, frozen=True, gc=False, array_like=True, tag=20):
    """The step may start, but its attempt does not start in the same decision (no slot, or paused, or alone)."""

    ver: int = 1
    step: int = 0
    alone: bool = False


class AttemptStarted(Record, frozen=True, gc=False, array_like=True, tag=21):
    """An attempt was issued. `with_digest`: 16 bytes of blake2b over rendered options, empty where they are literal."""

    ver: int = 1
    step: int = 0
    attempt: int = 1
    with_digest: bytes = b""
    alone: bool = False


class AttemptSucceeded(Record, frozen=True, gc=False, array_like=True, tag=22):
    """The attempt, and with it the step, succeeded."""

    ver: int = 1
    step: int = 0
    attempt: int = 1
    output: Value = b""


class AttemptFailed(Record, frozen=True, gc=False, array_like=True, tag=23):
    """The attempt failed. `retry_at_ms` 0 ends the step as FAILED (CANCELED when `canceled`)."""

    ver: int = 1
    step: int = 0
    attempt: int = 1
    failure: Failure = Failure("", "")
    retry_at_ms: int = 0
    canceled: bool = False
    log_tail: tuple[str, ...] = ()
    jitter: float = 0.0  # the random number in [0, 1) that the wait was drawn with


class AttemptLost(Record, frozen=True, gc=False, array_like=True, tag=24):
    """Nobody can say how the attempt ended.

    `verdict`: 0 issue again, 1 issue again alone, 2 the step FAILED, 3 the step CANCELED.
    """

    ver: int = 1
    step: int = 0
    attempt: int = 1
    verdict: int = 0
    failure: Failure | None = None
    suspect: bool = False  # it ran inside the daemon's own process and can have killed it


class StepEnded(Record, frozen=True, gc=False, array_like=True, tag=25):
    """The step ended where no attempt ends it (skipped, canceled, passed, failed before one). `state` is final."""

    ver: int = 1
    step: int = 0
    state: int = 0
    output: Value = b""
    failure: Failure | None = None


class WaitStarted(Record, frozen=True, gc=False, array_like=True, tag=26):
    """A `flow.wait` began."""

    ver: int = 1
    step: int = 0
    due_at_ms: int = 0


class WaitEnded(Record, frozen=True, gc=False, array_like=True, tag=27):
    """The wait is over and the step SUCCEEDED."""

    ver: int = 1
    step: int = 0


class SignalReceived(Record, frozen=True, gc=False, array_like=True, tag=40):
    """Somebody outside said something to the run; it is kept, in order of arrival, until a step takes it."""

    ver: int = 1
    name: str = ""
    data: Value = b""
    request_id: str = ""  # the same id is received once; empty = not to be told apart


AnyRecord: TypeAlias = (
    RunStarted
    | RunOutcome
    | RunEnded
    | CancelRequested
    | Terminated
    | Paused
    | Resumed
    | ObligationMet
    | RunTimedOut
    | FailFast
    | StepReady
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptLost
    | StepEnded
    | WaitStarted
    | WaitEnded
    | SignalReceived
)

RECORD_TYPES: tuple[type[Record], ...] = get_args(AnyRecord)
KIND_OF: dict[type[Record], int] = {kind: int(kind.__struct_config__.tag or 0) for kind in RECORD_TYPES}
KIND_NAMES: dict[int, str] = {
    number: "".join("_" + char if char.isupper() else char.upper() for char in kind.__name__).lstrip("_")
    for kind, number in KIND_OF.items()
}
