from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hostd.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CompactionStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPACTION_STAGE_UNSPECIFIED: _ClassVar[CompactionStage]
    COMPACTION_STAGE_PRUNING: _ClassVar[CompactionStage]
    COMPACTION_STAGE_CHECKPOINTING: _ClassVar[CompactionStage]
    COMPACTION_STAGE_DONE: _ClassVar[CompactionStage]
COMPACTION_STAGE_UNSPECIFIED: CompactionStage
COMPACTION_STAGE_PRUNING: CompactionStage
COMPACTION_STAGE_CHECKPOINTING: CompactionStage
COMPACTION_STAGE_DONE: CompactionStage

class GetSystemInfoRequest(_message.Message):
    __slots__ = ("namespace",)
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    def __init__(self, namespace: _Optional[str] = ...) -> None: ...

class SystemInfo(_message.Message):
    __slots__ = ("version", "plugin_api", "python", "instance_id", "start_time", "limits", "capabilities", "tzdata", "journal", "lua", "runs_in_memory", "attempts_in_flight", "http_address", "grpc_address")
    class LimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_API_FIELD_NUMBER: _ClassVar[int]
    PYTHON_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    TZDATA_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    LUA_FIELD_NUMBER: _ClassVar[int]
    RUNS_IN_MEMORY_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    HTTP_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    GRPC_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    version: str
    plugin_api: str
    python: str
    instance_id: str
    start_time: _timestamp_pb2.Timestamp
    limits: _containers.ScalarMap[str, int]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    tzdata: str
    journal: JournalStatus
    lua: LuaIsolation
    runs_in_memory: int
    attempts_in_flight: int
    http_address: str
    grpc_address: str
    def __init__(self, version: _Optional[str] = ..., plugin_api: _Optional[str] = ..., python: _Optional[str] = ..., instance_id: _Optional[str] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., limits: _Optional[_Mapping[str, int]] = ..., capabilities: _Optional[_Iterable[str]] = ..., tzdata: _Optional[str] = ..., journal: _Optional[_Union[JournalStatus, _Mapping]] = ..., lua: _Optional[_Union[LuaIsolation, _Mapping]] = ..., runs_in_memory: _Optional[int] = ..., attempts_in_flight: _Optional[int] = ..., http_address: _Optional[str] = ..., grpc_address: _Optional[str] = ...) -> None: ...

class JournalStatus(_message.Message):
    __slots__ = ("kind", "journal_id", "schema_version", "path", "unwritable")
    KIND_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    UNWRITABLE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    journal_id: str
    schema_version: int
    path: str
    unwritable: str
    def __init__(self, kind: _Optional[str] = ..., journal_id: _Optional[str] = ..., schema_version: _Optional[int] = ..., path: _Optional[str] = ..., unwritable: _Optional[str] = ...) -> None: ...

class LuaIsolation(_message.Message):
    __slots__ = ("level", "active", "missing")
    class MissingEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    level: str
    active: _containers.RepeatedScalarFieldContainer[str]
    missing: _containers.ScalarMap[str, str]
    def __init__(self, level: _Optional[str] = ..., active: _Optional[_Iterable[str]] = ..., missing: _Optional[_Mapping[str, str]] = ...) -> None: ...

class BackupJournalRequest(_message.Message):
    __slots__ = ("namespace", "path")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    path: str
    def __init__(self, namespace: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class BackupJournalResponse(_message.Message):
    __slots__ = ("pages_done", "pages_total", "path", "size_bytes")
    PAGES_DONE_FIELD_NUMBER: _ClassVar[int]
    PAGES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    pages_done: int
    pages_total: int
    path: str
    size_bytes: int
    def __init__(self, pages_done: _Optional[int] = ..., pages_total: _Optional[int] = ..., path: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class CompactJournalRequest(_message.Message):
    __slots__ = ("namespace",)
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    def __init__(self, namespace: _Optional[str] = ...) -> None: ...

class CompactJournalResponse(_message.Message):
    __slots__ = ("stage", "deleted", "size_before_bytes", "size_bytes", "free_bytes")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    SIZE_BEFORE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    stage: CompactionStage
    deleted: int
    size_before_bytes: int
    size_bytes: int
    free_bytes: int
    def __init__(self, stage: _Optional[_Union[CompactionStage, str]] = ..., deleted: _Optional[int] = ..., size_before_bytes: _Optional[int] = ..., size_bytes: _Optional[int] = ..., free_bytes: _Optional[int] = ...) -> None: ...

class RotateTokenRequest(_message.Message):
    __slots__ = ("namespace",)
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    def __init__(self, namespace: _Optional[str] = ...) -> None: ...

class RotateTokenResponse(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class ListNamespacesRequest(_message.Message):
    __slots__ = ("namespace", "page_size", "page_token")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    page_size: int
    page_token: str
    def __init__(self, namespace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNamespacesResponse(_message.Message):
    __slots__ = ("namespaces", "next_page_token")
    NAMESPACES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespaces: _containers.RepeatedCompositeFieldContainer[Namespace]
    next_page_token: str
    def __init__(self, namespaces: _Optional[_Iterable[_Union[Namespace, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Namespace(_message.Message):
    __slots__ = ("name", "workflows", "runs", "open_runs", "triggers", "secrets")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WORKFLOWS_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    OPEN_RUNS_FIELD_NUMBER: _ClassVar[int]
    TRIGGERS_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    name: str
    workflows: int
    runs: int
    open_runs: int
    triggers: int
    secrets: int
    def __init__(self, name: _Optional[str] = ..., workflows: _Optional[int] = ..., runs: _Optional[int] = ..., open_runs: _Optional[int] = ..., triggers: _Optional[int] = ..., secrets: _Optional[int] = ...) -> None: ...

class ListAuditEventsRequest(_message.Message):
    __slots__ = ("namespace", "page_size", "page_token")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    page_size: int
    page_token: str
    def __init__(self, namespace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAuditEventsResponse(_message.Message):
    __slots__ = ("audit_events", "next_page_token")
    AUDIT_EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    audit_events: _containers.RepeatedCompositeFieldContainer[AuditEvent]
    next_page_token: str
    def __init__(self, audit_events: _Optional[_Iterable[_Union[AuditEvent, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AuditEvent(_message.Message):
    __slots__ = ("number", "time", "principal", "verb", "resource", "details")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    VERB_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    number: int
    time: _timestamp_pb2.Timestamp
    principal: str
    verb: str
    resource: str
    details: _containers.ScalarMap[str, str]
    def __init__(self, number: _Optional[int] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., principal: _Optional[str] = ..., verb: _Optional[str] = ..., resource: _Optional[str] = ..., details: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetConfigRequest(_message.Message):
    __slots__ = ("namespace",)
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    def __init__(self, namespace: _Optional[str] = ...) -> None: ...

class EffectiveConfig(_message.Message):
    __slots__ = ("values", "file", "log_levels")
    class LogLevelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VALUES_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    LOG_LEVELS_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[ConfigValue]
    file: str
    log_levels: _containers.ScalarMap[str, str]
    def __init__(self, values: _Optional[_Iterable[_Union[ConfigValue, _Mapping]]] = ..., file: _Optional[str] = ..., log_levels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ConfigValue(_message.Message):
    __slots__ = ("key", "value", "origin", "reloadable", "restart_needed")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    RELOADABLE_FIELD_NUMBER: _ClassVar[int]
    RESTART_NEEDED_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: _payload_pb2.Payload
    origin: str
    reloadable: bool
    restart_needed: bool
    def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., origin: _Optional[str] = ..., reloadable: bool = ..., restart_needed: bool = ...) -> None: ...

class ReloadConfigRequest(_message.Message):
    __slots__ = ("namespace",)
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    def __init__(self, namespace: _Optional[str] = ...) -> None: ...

class ReloadConfigResponse(_message.Message):
    __slots__ = ("changes", "file")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[ConfigChange]
    file: str
    def __init__(self, changes: _Optional[_Iterable[_Union[ConfigChange, _Mapping]]] = ..., file: _Optional[str] = ...) -> None: ...

class ConfigChange(_message.Message):
    __slots__ = ("key", "before", "after", "origin", "restart_needed")
    KEY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    RESTART_NEEDED_FIELD_NUMBER: _ClassVar[int]
    key: str
    before: _payload_pb2.Payload
    after: _payload_pb2.Payload
    origin: str
    restart_needed: bool
    def __init__(self, key: _Optional[str] = ..., before: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., after: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., origin: _Optional[str] = ..., restart_needed: bool = ...) -> None: ...

class SetLogLevelRequest(_message.Message):
    __slots__ = ("namespace", "level", "logger")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    LOGGER_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    level: str
    logger: str
    def __init__(self, namespace: _Optional[str] = ..., level: _Optional[str] = ..., logger: _Optional[str] = ...) -> None: ...

class SetLogLevelResponse(_message.Message):
    __slots__ = ("log_levels",)
    class LogLevelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LOG_LEVELS_FIELD_NUMBER: _ClassVar[int]
    log_levels: _containers.ScalarMap[str, str]
    def __init__(self, log_levels: _Optional[_Mapping[str, str]] = ...) -> None: ...
