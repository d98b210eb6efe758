from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hostd.v1 import payload_pb2 as _payload_pb2
from hostd.v1 import run_service_pb2 as _run_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TriggerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRIGGER_STATE_UNSPECIFIED: _ClassVar[TriggerState]
    TRIGGER_STATE_STARTING: _ClassVar[TriggerState]
    TRIGGER_STATE_ACTIVE: _ClassVar[TriggerState]
    TRIGGER_STATE_BACKING_OFF: _ClassVar[TriggerState]
    TRIGGER_STATE_PAUSED: _ClassVar[TriggerState]
    TRIGGER_STATE_ENDED: _ClassVar[TriggerState]
    TRIGGER_STATE_FAILED: _ClassVar[TriggerState]
TRIGGER_STATE_UNSPECIFIED: TriggerState
TRIGGER_STATE_STARTING: TriggerState
TRIGGER_STATE_ACTIVE: TriggerState
TRIGGER_STATE_BACKING_OFF: TriggerState
TRIGGER_STATE_PAUSED: TriggerState
TRIGGER_STATE_ENDED: TriggerState
TRIGGER_STATE_FAILED: TriggerState

class Trigger(_message.Message):
    __slots__ = ("namespace", "workflow", "name", "uses", "state", "message", "version", "cursor", "fired", "last_fire_time", "restarts", "target", "source", "warnings")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    FIRED_FIELD_NUMBER: _ClassVar[int]
    LAST_FIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    name: str
    uses: str
    state: TriggerState
    message: str
    version: str
    cursor: str
    fired: int
    last_fire_time: _timestamp_pb2.Timestamp
    restarts: int
    target: str
    source: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ..., uses: _Optional[str] = ..., state: _Optional[_Union[TriggerState, str]] = ..., message: _Optional[str] = ..., version: _Optional[str] = ..., cursor: _Optional[str] = ..., fired: _Optional[int] = ..., last_fire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., restarts: _Optional[int] = ..., target: _Optional[str] = ..., source: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateTriggerRequest(_message.Message):
    __slots__ = ("namespace", "document", "file", "replace", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    document: str
    file: str
    replace: bool
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., document: _Optional[str] = ..., file: _Optional[str] = ..., replace: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateTriggerResponse(_message.Message):
    __slots__ = ("trigger", "changed", "warnings")
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    trigger: Trigger
    changed: bool
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, trigger: _Optional[_Union[Trigger, _Mapping]] = ..., changed: bool = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class DeleteTriggerRequest(_message.Message):
    __slots__ = ("namespace", "name", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteTriggerResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTriggersRequest(_message.Message):
    __slots__ = ("namespace", "workflow", "page_size", "page_token")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    page_size: int
    page_token: str
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTriggersResponse(_message.Message):
    __slots__ = ("triggers", "next_page_token")
    TRIGGERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    triggers: _containers.RepeatedCompositeFieldContainer[Trigger]
    next_page_token: str
    def __init__(self, triggers: _Optional[_Iterable[_Union[Trigger, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetTriggerRequest(_message.Message):
    __slots__ = ("namespace", "workflow", "name")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    name: str
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class PauseTriggerRequest(_message.Message):
    __slots__ = ("namespace", "workflow", "name", "reason", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    name: str
    reason: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ResumeTriggerRequest(_message.Message):
    __slots__ = ("namespace", "workflow", "name", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    name: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class FireTriggerRequest(_message.Message):
    __slots__ = ("namespace", "workflow", "name", "data", "event_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    name: str
    data: _payload_pb2.Payload
    event_id: str
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ..., data: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., event_id: _Optional[str] = ...) -> None: ...

class FireTriggerResponse(_message.Message):
    __slots__ = ("event_id", "outcome", "run_ids")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    outcome: str
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event_id: _Optional[str] = ..., outcome: _Optional[str] = ..., run_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class TestTriggerRequest(_message.Message):
    __slots__ = ("namespace", "workflow", "name", "document", "data", "event_id", "type", "source", "subject", "time", "extensions")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    name: str
    document: str
    data: _payload_pb2.Payload
    event_id: str
    type: str
    source: str
    subject: str
    time: _timestamp_pb2.Timestamp
    extensions: _payload_pb2.Payload
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ..., document: _Optional[str] = ..., data: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., event_id: _Optional[str] = ..., type: _Optional[str] = ..., source: _Optional[str] = ..., subject: _Optional[str] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., extensions: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ...) -> None: ...

class TestTriggerResponse(_message.Message):
    __slots__ = ("outcome", "workflow", "version", "event", "matches", "input", "key", "signal", "signal_data", "run_ids", "violations")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_DATA_FIELD_NUMBER: _ClassVar[int]
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    outcome: str
    workflow: str
    version: str
    event: _payload_pb2.Payload
    matches: bool
    input: _payload_pb2.Payload
    key: str
    signal: str
    signal_data: _payload_pb2.Payload
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    violations: _containers.RepeatedCompositeFieldContainer[_payload_pb2.Violation]
    def __init__(self, outcome: _Optional[str] = ..., workflow: _Optional[str] = ..., version: _Optional[str] = ..., event: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., matches: bool = ..., input: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., key: _Optional[str] = ..., signal: _Optional[str] = ..., signal_data: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., run_ids: _Optional[_Iterable[str]] = ..., violations: _Optional[_Iterable[_Union[_payload_pb2.Violation, _Mapping]]] = ...) -> None: ...

class PreviewScheduleRequest(_message.Message):
    __slots__ = ("namespace", "workflow", "name", "uses", "options", "after", "count")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    name: str
    uses: str
    options: _payload_pb2.Payload
    after: _timestamp_pb2.Timestamp
    count: int
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ..., uses: _Optional[str] = ..., options: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., after: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class Slot(_message.Message):
    __slots__ = ("time", "local_time")
    TIME_FIELD_NUMBER: _ClassVar[int]
    LOCAL_TIME_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    local_time: str
    def __init__(self, time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., local_time: _Optional[str] = ...) -> None: ...

class PreviewScheduleResponse(_message.Message):
    __slots__ = ("slots", "timezone", "more")
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    slots: _containers.RepeatedCompositeFieldContainer[Slot]
    timezone: str
    more: bool
    def __init__(self, slots: _Optional[_Iterable[_Union[Slot, _Mapping]]] = ..., timezone: _Optional[str] = ..., more: bool = ...) -> None: ...

class BackfillTriggerRequest(_message.Message):
    __slots__ = ("namespace", "workflow", "name", "from_time", "to_time", "dry_run", "per_second", "fire_unknown", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    FIRE_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    name: str
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    dry_run: bool
    per_second: int
    fire_unknown: bool
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ..., from_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., dry_run: bool = ..., per_second: _Optional[int] = ..., fire_unknown: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class BackfillTriggerResponse(_message.Message):
    __slots__ = ("slots", "started", "duplicates", "skipped", "not_matched", "signaled", "dead_lettered", "unknown")
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    NOT_MATCHED_FIELD_NUMBER: _ClassVar[int]
    SIGNALED_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    slots: int
    started: int
    duplicates: int
    skipped: int
    not_matched: int
    signaled: int
    dead_lettered: int
    unknown: int
    def __init__(self, slots: _Optional[int] = ..., started: _Optional[int] = ..., duplicates: _Optional[int] = ..., skipped: _Optional[int] = ..., not_matched: _Optional[int] = ..., signaled: _Optional[int] = ..., dead_lettered: _Optional[int] = ..., unknown: _Optional[int] = ...) -> None: ...

class WatchTriggersRequest(_message.Message):
    __slots__ = ("namespace", "workflow", "resume_token")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    resume_token: str
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class TriggerChange(_message.Message):
    __slots__ = ("kind", "trigger")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    kind: _run_service_pb2.ChangeKind
    trigger: Trigger
    def __init__(self, kind: _Optional[_Union[_run_service_pb2.ChangeKind, str]] = ..., trigger: _Optional[_Union[Trigger, _Mapping]] = ...) -> None: ...

class WatchTriggersResponse(_message.Message):
    __slots__ = ("changes", "resume_token", "snapshot_end")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_END_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[TriggerChange]
    resume_token: str
    snapshot_end: bool
    def __init__(self, changes: _Optional[_Iterable[_Union[TriggerChange, _Mapping]]] = ..., resume_token: _Optional[str] = ..., snapshot_end: bool = ...) -> None: ...
