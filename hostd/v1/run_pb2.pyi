from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hostd.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_STATE_UNSPECIFIED: _ClassVar[RunState]
    RUN_STATE_PENDING: _ClassVar[RunState]
    RUN_STATE_RUNNING: _ClassVar[RunState]
    RUN_STATE_WAITING: _ClassVar[RunState]
    RUN_STATE_PAUSED: _ClassVar[RunState]
    RUN_STATE_CANCELING: _ClassVar[RunState]
    RUN_STATE_COMPENSATING: _ClassVar[RunState]
    RUN_STATE_HELD: _ClassVar[RunState]
    RUN_STATE_SUCCEEDED: _ClassVar[RunState]
    RUN_STATE_FAILED: _ClassVar[RunState]
    RUN_STATE_CANCELED: _ClassVar[RunState]
    RUN_STATE_TIMED_OUT: _ClassVar[RunState]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_SUCCEEDED: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]
    OUTCOME_CANCELED: _ClassVar[Outcome]
    OUTCOME_TIMED_OUT: _ClassVar[Outcome]

class StepState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STEP_STATE_UNSPECIFIED: _ClassVar[StepState]
    STEP_STATE_PENDING: _ClassVar[StepState]
    STEP_STATE_READY: _ClassVar[StepState]
    STEP_STATE_RUNNING: _ClassVar[StepState]
    STEP_STATE_WAITING: _ClassVar[StepState]
    STEP_STATE_RETRYING: _ClassVar[StepState]
    STEP_STATE_SUCCEEDED: _ClassVar[StepState]
    STEP_STATE_FAILED: _ClassVar[StepState]
    STEP_STATE_SKIPPED: _ClassVar[StepState]
    STEP_STATE_CANCELED: _ClassVar[StepState]

class RecordKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_KIND_UNSPECIFIED: _ClassVar[RecordKind]
    RECORD_KIND_RUN_STARTED: _ClassVar[RecordKind]
    RECORD_KIND_RUN_OUTCOME: _ClassVar[RecordKind]
    RECORD_KIND_RUN_ENDED: _ClassVar[RecordKind]
    RECORD_KIND_CANCEL_REQUESTED: _ClassVar[RecordKind]
    RECORD_KIND_TERMINATED: _ClassVar[RecordKind]
    RECORD_KIND_PAUSED: _ClassVar[RecordKind]
    RECORD_KIND_RESUMED: _ClassVar[RecordKind]
    RECORD_KIND_OBLIGATION_MET: _ClassVar[RecordKind]
    RECORD_KIND_RUN_TIMED_OUT: _ClassVar[RecordKind]
    RECORD_KIND_FAIL_FAST: _ClassVar[RecordKind]
    RECORD_KIND_STEP_READY: _ClassVar[RecordKind]
    RECORD_KIND_ATTEMPT_STARTED: _ClassVar[RecordKind]
    RECORD_KIND_ATTEMPT_SUCCEEDED: _ClassVar[RecordKind]
    RECORD_KIND_ATTEMPT_FAILED: _ClassVar[RecordKind]
    RECORD_KIND_ATTEMPT_LOST: _ClassVar[RecordKind]
    RECORD_KIND_STEP_ENDED: _ClassVar[RecordKind]
    RECORD_KIND_WAIT_STARTED: _ClassVar[RecordKind]
    RECORD_KIND_WAIT_ENDED: _ClassVar[RecordKind]
    RECORD_KIND_SIGNAL_RECEIVED: _ClassVar[RecordKind]
RUN_STATE_UNSPECIFIED: RunState
RUN_STATE_PENDING: RunState
RUN_STATE_RUNNING: RunState
RUN_STATE_WAITING: RunState
RUN_STATE_PAUSED: RunState
RUN_STATE_CANCELING: RunState
RUN_STATE_COMPENSATING: RunState
RUN_STATE_HELD: RunState
RUN_STATE_SUCCEEDED: RunState
RUN_STATE_FAILED: RunState
RUN_STATE_CANCELED: RunState
RUN_STATE_TIMED_OUT: RunState
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_SUCCEEDED: Outcome
OUTCOME_FAILED: Outcome
OUTCOME_CANCELED: Outcome
OUTCOME_TIMED_OUT: Outcome
STEP_STATE_UNSPECIFIED: StepState
STEP_STATE_PENDING: StepState
STEP_STATE_READY: StepState
STEP_STATE_RUNNING: StepState
STEP_STATE_WAITING: StepState
STEP_STATE_RETRYING: StepState
STEP_STATE_SUCCEEDED: StepState
STEP_STATE_FAILED: StepState
STEP_STATE_SKIPPED: StepState
STEP_STATE_CANCELED: StepState
RECORD_KIND_UNSPECIFIED: RecordKind
RECORD_KIND_RUN_STARTED: RecordKind
RECORD_KIND_RUN_OUTCOME: RecordKind
RECORD_KIND_RUN_ENDED: RecordKind
RECORD_KIND_CANCEL_REQUESTED: RecordKind
RECORD_KIND_TERMINATED: RecordKind
RECORD_KIND_PAUSED: RecordKind
RECORD_KIND_RESUMED: RecordKind
RECORD_KIND_OBLIGATION_MET: RecordKind
RECORD_KIND_RUN_TIMED_OUT: RecordKind
RECORD_KIND_FAIL_FAST: RecordKind
RECORD_KIND_STEP_READY: RecordKind
RECORD_KIND_ATTEMPT_STARTED: RecordKind
RECORD_KIND_ATTEMPT_SUCCEEDED: RecordKind
RECORD_KIND_ATTEMPT_FAILED: RecordKind
RECORD_KIND_ATTEMPT_LOST: RecordKind
RECORD_KIND_STEP_ENDED: RecordKind
RECORD_KIND_WAIT_STARTED: RecordKind
RECORD_KIND_WAIT_ENDED: RecordKind
RECORD_KIND_SIGNAL_RECEIVED: RecordKind

class Run(_message.Message):
    __slots__ = ("run_id", "key", "namespace", "workflow", "version", "state", "outcome", "reason", "message", "labels", "trigger", "parent", "create_time", "end_time", "due_time", "input", "output", "failures", "steps", "principal", "signals")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class SignalsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    key: str
    namespace: str
    workflow: str
    version: str
    state: RunState
    outcome: Outcome
    reason: str
    message: str
    labels: _containers.ScalarMap[str, str]
    trigger: str
    parent: str
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    input: _payload_pb2.Payload
    output: _payload_pb2.Payload
    failures: _containers.RepeatedCompositeFieldContainer[_payload_pb2.Failure]
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    principal: str
    signals: _containers.ScalarMap[str, int]
    def __init__(self, run_id: _Optional[str] = ..., key: _Optional[str] = ..., namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., version: _Optional[str] = ..., state: _Optional[_Union[RunState, str]] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., trigger: _Optional[str] = ..., parent: _Optional[str] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., due_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., input: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., output: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., failures: _Optional[_Iterable[_Union[_payload_pb2.Failure, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., principal: _Optional[str] = ..., signals: _Optional[_Mapping[str, int]] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("id", "uses", "state", "result", "attempts", "start_time", "end_time", "due_time", "output", "error", "needs", "handler")
    ID_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    id: str
    uses: str
    state: StepState
    result: StepState
    attempts: int
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    output: _payload_pb2.Payload
    error: _payload_pb2.Failure
    needs: _containers.RepeatedScalarFieldContainer[str]
    handler: str
    def __init__(self, id: _Optional[str] = ..., uses: _Optional[str] = ..., state: _Optional[_Union[StepState, str]] = ..., result: _Optional[_Union[StepState, str]] = ..., attempts: _Optional[int] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., due_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., output: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., error: _Optional[_Union[_payload_pb2.Failure, _Mapping]] = ..., needs: _Optional[_Iterable[str]] = ..., handler: _Optional[str] = ...) -> None: ...

class HistoryRecord(_message.Message):
    __slots__ = ("seq", "kind", "time", "principal", "step", "attempt", "step_state", "run_state", "value", "failure", "due_time", "reason", "message", "log_tail", "signal")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STEP_STATE_FIELD_NUMBER: _ClassVar[int]
    RUN_STATE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LOG_TAIL_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    seq: int
    kind: RecordKind
    time: _timestamp_pb2.Timestamp
    principal: str
    step: str
    attempt: int
    step_state: StepState
    run_state: RunState
    value: _payload_pb2.Payload
    failure: _payload_pb2.Failure
    due_time: _timestamp_pb2.Timestamp
    reason: str
    message: str
    log_tail: _containers.RepeatedScalarFieldContainer[str]
    signal: str
    def __init__(self, seq: _Optional[int] = ..., kind: _Optional[_Union[RecordKind, str]] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., principal: _Optional[str] = ..., step: _Optional[str] = ..., attempt: _Optional[int] = ..., step_state: _Optional[_Union[StepState, str]] = ..., run_state: _Optional[_Union[RunState, str]] = ..., value: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., failure: _Optional[_Union[_payload_pb2.Failure, _Mapping]] = ..., due_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., log_tail: _Optional[_Iterable[str]] = ..., signal: _Optional[str] = ...) -> None: ...
