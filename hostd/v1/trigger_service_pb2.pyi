from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hostd.v1 import payload_pb2 as _payload_pb2
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
    __slots__ = ("namespace", "workflow", "name", "uses", "state", "message", "version", "cursor", "fired", "last_fire_time", "restarts")
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
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ..., uses: _Optional[str] = ..., state: _Optional[_Union[TriggerState, str]] = ..., message: _Optional[str] = ..., version: _Optional[str] = ..., cursor: _Optional[str] = ..., fired: _Optional[int] = ..., last_fire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., restarts: _Optional[int] = ...) -> None: ...

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
