"""A run's state as bytes and back, so that loading does not fold what lies far behind.

Wire form: one msgpack array `[kind, ver, field, ...]`, as records have it. Kind 1 is a run of `steps`.
- Fields are only ever appended, with defaults. `ver` is raised with every field whose absence would change what the
  engine does afterwards; then a function here brings the old ones up.
- A snapshot is a shortcut, never the truth: one that this build cannot read is left aside and the run folded anew.
"""

from __future__ import annotations

from array import array

import msgspec

from hostd.definition.plan import Plan
from hostd.engine.state import Active, KeptSignal, Run
from hostd.model.payload import Value
from hostd.model.records import Failure

SNAPSHOT_VER = 2  # 2: `signals`; 1 is read as a run that has none


class RunSnapshot(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=1):
    """Every field of `Run` but its plan, under the same name; `Active`, `Failure` and `BlobRef` are arrays, too."""

    ver: int
    run_id: str
    key: str
    lineage: str
    input: Value
    vars: Value
    env: dict[str, str]
    seq: int
    state: int
    started_at_ms: int
    last_at_ms: int
    deadline_at_ms: int
    grace_at_ms: int
    cleanup_at_ms: int
    stop: int
    paused: bool
    outcome: int
    reason: str
    message: str
    output: Value
    states: bytearray
    open_needs: bytearray | list[int]
    unfinished: int
    active: dict[int, Active]
    outputs: dict[int, Value]
    step_failures: dict[int, Failure]
    failures: tuple[int, ...]
    own_failure: int
    tries: dict[int, int]
    value_bytes: int
    value_count: int
    signals: tuple[KeptSignal, ...] = ()
    trace: str = ""


class _Version(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=1):
    ver: int


_FIELDS = RunSnapshot.__struct_fields__[1:]
_SHARED_WHEN_EMPTY = ("env", "step_failures", "tries")  # `Run` has one empty mapping for all runs

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(RunSnapshot).decode
_decode_version = msgspec.msgpack.Decoder(_Version).decode


def encode_snapshot(run: Run) -> bytes:
    """Return a run's state as it is after record `run.seq - 1`."""
    values = {name: getattr(run, name) for name in _FIELDS}
    if isinstance(run.open_needs, array):
        values["open_needs"] = run.open_needs.tolist()
    return _encode(RunSnapshot(ver=SNAPSHOT_VER, **values))


def decode_snapshot(plan: Plan, body: bytes) -> Run:
    """Return the run that `encode_snapshot` was given.

    Raises:
        ValueError: another kind, a higher version, no snapshot at all, or not one of a run of this plan.
    """
    try:
        ver = _decode_version(body).ver
        if not 1 <= ver <= SNAPSHOT_VER:
            raise ValueError(f"the snapshot has version {ver}; this hostd knows those to {SNAPSHOT_VER}")
        snapshot = _decode(body)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the snapshot cannot be read: {error}") from error
    if len(snapshot.states) != len(plan.steps) or len(snapshot.open_needs) != len(plan.steps):
        raise ValueError(f"the snapshot is of {len(snapshot.states)} steps, the plan of {len(plan.steps)}")
    values = {name: getattr(snapshot, name) for name in _FIELDS}
    for name in _SHARED_WHEN_EMPTY:
        if not values[name]:
            del values[name]
    if isinstance(snapshot.open_needs, list):
        values["open_needs"] = array("I", snapshot.open_needs)
    return Run(plan, **values)
