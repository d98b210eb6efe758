from hostd.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ValidateScriptRequest(_message.Message):
    __slots__ = ("namespace", "source")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    source: str
    def __init__(self, namespace: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class ValidateScriptResponse(_message.Message):
    __slots__ = ("failure", "line")
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    failure: _payload_pb2.Failure
    line: int
    def __init__(self, failure: _Optional[_Union[_payload_pb2.Failure, _Mapping]] = ..., line: _Optional[int] = ...) -> None: ...

class EvaluateScriptRequest(_message.Message):
    __slots__ = ("namespace", "source", "input", "limits")
    class LimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    source: str
    input: _payload_pb2.Payload
    limits: _containers.ScalarMap[str, int]
    def __init__(self, namespace: _Optional[str] = ..., source: _Optional[str] = ..., input: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., limits: _Optional[_Mapping[str, int]] = ...) -> None: ...

class EvaluateScriptResponse(_message.Message):
    __slots__ = ("output", "failure", "logs", "cpu_ms", "wall_ms", "memory_bytes")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    LOGS_FIELD_NUMBER: _ClassVar[int]
    CPU_MS_FIELD_NUMBER: _ClassVar[int]
    WALL_MS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    output: _payload_pb2.Payload
    failure: _payload_pb2.Failure
    logs: _containers.RepeatedCompositeFieldContainer[ScriptLogLine]
    cpu_ms: float
    wall_ms: float
    memory_bytes: int
    def __init__(self, output: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., failure: _Optional[_Union[_payload_pb2.Failure, _Mapping]] = ..., logs: _Optional[_Iterable[_Union[ScriptLogLine, _Mapping]]] = ..., cpu_ms: _Optional[float] = ..., wall_ms: _Optional[float] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class ScriptLogLine(_message.Message):
    __slots__ = ("level", "text")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    level: str
    text: str
    def __init__(self, level: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class EvaluateExpressionRequest(_message.Message):
    __slots__ = ("namespace", "expression", "context")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    expression: str
    context: _payload_pb2.Payload
    def __init__(self, namespace: _Optional[str] = ..., expression: _Optional[str] = ..., context: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ...) -> None: ...

class EvaluateExpressionResponse(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: _payload_pb2.Payload
    def __init__(self, value: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ...) -> None: ...
