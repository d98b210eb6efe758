from hostd.v1 import run_service_pb2 as _run_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PluginState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLUGIN_STATE_UNSPECIFIED: _ClassVar[PluginState]
    PLUGIN_STATE_LOADED: _ClassVar[PluginState]
    PLUGIN_STATE_FAILED: _ClassVar[PluginState]
    PLUGIN_STATE_DENIED: _ClassVar[PluginState]
    PLUGIN_STATE_NEEDS_PROCESS: _ClassVar[PluginState]
    PLUGIN_STATE_STARTING: _ClassVar[PluginState]
    PLUGIN_STATE_QUARANTINED: _ClassVar[PluginState]
    PLUGIN_STATE_DISABLED: _ClassVar[PluginState]
PLUGIN_STATE_UNSPECIFIED: PluginState
PLUGIN_STATE_LOADED: PluginState
PLUGIN_STATE_FAILED: PluginState
PLUGIN_STATE_DENIED: PluginState
PLUGIN_STATE_NEEDS_PROCESS: PluginState
PLUGIN_STATE_STARTING: PluginState
PLUGIN_STATE_QUARANTINED: PluginState
PLUGIN_STATE_DISABLED: PluginState

class Plugin(_message.Message):
    __slots__ = ("id", "version", "source", "origin", "state", "reason", "message", "traceback", "isolation", "components", "api", "permissions", "process", "rollback_version", "warnings")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    API_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_VERSION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: str
    source: str
    origin: str
    state: PluginState
    reason: str
    message: str
    traceback: str
    isolation: str
    components: _containers.RepeatedCompositeFieldContainer[Component]
    api: str
    permissions: _containers.RepeatedScalarFieldContainer[str]
    process: PluginProcess
    rollback_version: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., version: _Optional[str] = ..., source: _Optional[str] = ..., origin: _Optional[str] = ..., state: _Optional[_Union[PluginState, str]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., traceback: _Optional[str] = ..., isolation: _Optional[str] = ..., components: _Optional[_Iterable[_Union[Component, _Mapping]]] = ..., api: _Optional[str] = ..., permissions: _Optional[_Iterable[str]] = ..., process: _Optional[_Union[PluginProcess, _Mapping]] = ..., rollback_version: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class PluginProcess(_message.Message):
    __slots__ = ("state", "pid", "restarts", "attempts", "triggers", "message", "output", "draining")
    STATE_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    TRIGGERS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    state: str
    pid: int
    restarts: int
    attempts: int
    triggers: int
    message: str
    output: _containers.RepeatedScalarFieldContainer[str]
    draining: _containers.RepeatedCompositeFieldContainer[OldPluginProcess]
    def __init__(self, state: _Optional[str] = ..., pid: _Optional[int] = ..., restarts: _Optional[int] = ..., attempts: _Optional[int] = ..., triggers: _Optional[int] = ..., message: _Optional[str] = ..., output: _Optional[_Iterable[str]] = ..., draining: _Optional[_Iterable[_Union[OldPluginProcess, _Mapping]]] = ...) -> None: ...

class OldPluginProcess(_message.Message):
    __slots__ = ("version", "pid", "attempts", "triggers")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    TRIGGERS_FIELD_NUMBER: _ClassVar[int]
    version: str
    pid: int
    attempts: int
    triggers: int
    def __init__(self, version: _Optional[str] = ..., pid: _Optional[int] = ..., attempts: _Optional[int] = ..., triggers: _Optional[int] = ...) -> None: ...

class Component(_message.Message):
    __slots__ = ("id", "kind", "description", "since", "stability", "effects", "executors", "plugin", "codes")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    EXECUTORS_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: str
    description: str
    since: str
    stability: str
    effects: str
    executors: _containers.RepeatedScalarFieldContainer[str]
    plugin: str
    codes: _containers.RepeatedCompositeFieldContainer[FailureCode]
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., description: _Optional[str] = ..., since: _Optional[str] = ..., stability: _Optional[str] = ..., effects: _Optional[str] = ..., executors: _Optional[_Iterable[str]] = ..., plugin: _Optional[str] = ..., codes: _Optional[_Iterable[_Union[FailureCode, _Mapping]]] = ...) -> None: ...

class FailureCode(_message.Message):
    __slots__ = ("code", "meaning")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MEANING_FIELD_NUMBER: _ClassVar[int]
    code: str
    meaning: str
    def __init__(self, code: _Optional[str] = ..., meaning: _Optional[str] = ...) -> None: ...

class ListPluginsRequest(_message.Message):
    __slots__ = ("namespace", "page_size", "page_token")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    page_size: int
    page_token: str
    def __init__(self, namespace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPluginsResponse(_message.Message):
    __slots__ = ("plugins", "next_page_token")
    PLUGINS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    plugins: _containers.RepeatedCompositeFieldContainer[Plugin]
    next_page_token: str
    def __init__(self, plugins: _Optional[_Iterable[_Union[Plugin, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetPluginRequest(_message.Message):
    __slots__ = ("namespace", "id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    id: str
    def __init__(self, namespace: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class ReloadPluginRequest(_message.Message):
    __slots__ = ("namespace", "id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    id: str
    def __init__(self, namespace: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class InstallPluginRequest(_message.Message):
    __slots__ = ("namespace", "wheel", "folder", "requirement", "examine_only", "permissions", "all_permissions", "chunk")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WHEEL_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENT_FIELD_NUMBER: _ClassVar[int]
    EXAMINE_ONLY_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    ALL_PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    wheel: str
    folder: str
    requirement: str
    examine_only: bool
    permissions: _containers.RepeatedScalarFieldContainer[str]
    all_permissions: bool
    chunk: bytes
    def __init__(self, namespace: _Optional[str] = ..., wheel: _Optional[str] = ..., folder: _Optional[str] = ..., requirement: _Optional[str] = ..., examine_only: bool = ..., permissions: _Optional[_Iterable[str]] = ..., all_permissions: bool = ..., chunk: _Optional[bytes] = ...) -> None: ...

class InstallPluginResponse(_message.Message):
    __slots__ = ("plugin", "replaced_version", "digest")
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    REPLACED_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    plugin: Plugin
    replaced_version: str
    digest: str
    def __init__(self, plugin: _Optional[_Union[Plugin, _Mapping]] = ..., replaced_version: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class UninstallPluginRequest(_message.Message):
    __slots__ = ("namespace", "id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    id: str
    def __init__(self, namespace: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class UninstallPluginResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EnablePluginRequest(_message.Message):
    __slots__ = ("namespace", "id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    id: str
    def __init__(self, namespace: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class DisablePluginRequest(_message.Message):
    __slots__ = ("namespace", "id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    id: str
    def __init__(self, namespace: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class RollbackPluginRequest(_message.Message):
    __slots__ = ("namespace", "id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    id: str
    def __init__(self, namespace: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class GetComponentSchemaRequest(_message.Message):
    __slots__ = ("namespace", "id", "kind")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    id: str
    kind: str
    def __init__(self, namespace: _Optional[str] = ..., id: _Optional[str] = ..., kind: _Optional[str] = ...) -> None: ...

class ComponentSchema(_message.Message):
    __slots__ = ("component", "schema", "sample")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    component: Component
    schema: str
    sample: str
    def __init__(self, component: _Optional[_Union[Component, _Mapping]] = ..., schema: _Optional[str] = ..., sample: _Optional[str] = ...) -> None: ...

class WatchPluginsRequest(_message.Message):
    __slots__ = ("namespace", "id", "resume_token")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    id: str
    resume_token: str
    def __init__(self, namespace: _Optional[str] = ..., id: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class PluginChange(_message.Message):
    __slots__ = ("kind", "plugin")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    kind: _run_service_pb2.ChangeKind
    plugin: Plugin
    def __init__(self, kind: _Optional[_Union[_run_service_pb2.ChangeKind, str]] = ..., plugin: _Optional[_Union[Plugin, _Mapping]] = ...) -> None: ...

class WatchPluginsResponse(_message.Message):
    __slots__ = ("changes", "resume_token", "snapshot_end")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_END_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[PluginChange]
    resume_token: str
    snapshot_end: bool
    def __init__(self, changes: _Optional[_Iterable[_Union[PluginChange, _Mapping]]] = ..., resume_token: _Optional[str] = ..., snapshot_end: bool = ...) -> None: ...
