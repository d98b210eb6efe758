from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FromPlugin(_message.Message):
    __slots__ = ("call", "hello", "done", "outcome", "heartbeat", "log", "emit", "trigger_ended", "host_call", "webhook_answer", "partitions", "open_route", "leaving", "batch", "slots", "trigger_begun")
    CALL_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    EMIT_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_ENDED_FIELD_NUMBER: _ClassVar[int]
    HOST_CALL_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_ANSWER_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    OPEN_ROUTE_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_BEGUN_FIELD_NUMBER: _ClassVar[int]
    call: int
    hello: Hello
    done: Done
    outcome: Outcome
    heartbeat: Heartbeat
    log: Log
    emit: Emit
    trigger_ended: TriggerEnded
    host_call: HostCall
    webhook_answer: WebhookAnswer
    partitions: Partitions
    open_route: OpenRoute
    leaving: Leaving
    batch: PluginBatch
    slots: Slots
    trigger_begun: TriggerBegun
    def __init__(self, call: _Optional[int] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ..., outcome: _Optional[_Union[Outcome, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., log: _Optional[_Union[Log, _Mapping]] = ..., emit: _Optional[_Union[Emit, _Mapping]] = ..., trigger_ended: _Optional[_Union[TriggerEnded, _Mapping]] = ..., host_call: _Optional[_Union[HostCall, _Mapping]] = ..., webhook_answer: _Optional[_Union[WebhookAnswer, _Mapping]] = ..., partitions: _Optional[_Union[Partitions, _Mapping]] = ..., open_route: _Optional[_Union[OpenRoute, _Mapping]] = ..., leaving: _Optional[_Union[Leaving, _Mapping]] = ..., batch: _Optional[_Union[PluginBatch, _Mapping]] = ..., slots: _Optional[_Union[Slots, _Mapping]] = ..., trigger_begun: _Optional[_Union[TriggerBegun, _Mapping]] = ...) -> None: ...

class FromHost(_message.Message):
    __slots__ = ("call", "welcome", "provision", "start_attempt", "cancel_attempt", "recorded", "start_trigger", "stop_trigger", "emitted", "host_answer", "webhook", "plan_partitions", "route_opened", "drain", "ping", "batch", "plan_slots")
    CALL_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    PROVISION_FIELD_NUMBER: _ClassVar[int]
    START_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CANCEL_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    START_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    STOP_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    EMITTED_FIELD_NUMBER: _ClassVar[int]
    HOST_ANSWER_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    PLAN_PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    ROUTE_OPENED_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    PLAN_SLOTS_FIELD_NUMBER: _ClassVar[int]
    call: int
    welcome: Welcome
    provision: Provision
    start_attempt: StartAttempt
    cancel_attempt: CancelAttempt
    recorded: Recorded
    start_trigger: StartTrigger
    stop_trigger: StopTrigger
    emitted: Emitted
    host_answer: HostAnswer
    webhook: Webhook
    plan_partitions: PlanPartitions
    route_opened: RouteOpened
    drain: Drain
    ping: Ping
    batch: HostBatch
    plan_slots: PlanSlots
    def __init__(self, call: _Optional[int] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., provision: _Optional[_Union[Provision, _Mapping]] = ..., start_attempt: _Optional[_Union[StartAttempt, _Mapping]] = ..., cancel_attempt: _Optional[_Union[CancelAttempt, _Mapping]] = ..., recorded: _Optional[_Union[Recorded, _Mapping]] = ..., start_trigger: _Optional[_Union[StartTrigger, _Mapping]] = ..., stop_trigger: _Optional[_Union[StopTrigger, _Mapping]] = ..., emitted: _Optional[_Union[Emitted, _Mapping]] = ..., host_answer: _Optional[_Union[HostAnswer, _Mapping]] = ..., webhook: _Optional[_Union[Webhook, _Mapping]] = ..., plan_partitions: _Optional[_Union[PlanPartitions, _Mapping]] = ..., route_opened: _Optional[_Union[RouteOpened, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., batch: _Optional[_Union[HostBatch, _Mapping]] = ..., plan_slots: _Optional[_Union[PlanSlots, _Mapping]] = ...) -> None: ...

class PluginBatch(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[FromPlugin]
    def __init__(self, frames: _Optional[_Iterable[_Union[FromPlugin, _Mapping]]] = ...) -> None: ...

class HostBatch(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[FromHost]
    def __init__(self, frames: _Optional[_Iterable[_Union[FromHost, _Mapping]]] = ...) -> None: ...

class Fault(_message.Message):
    __slots__ = ("reason", "message", "code", "retryable", "details", "retry_after_ms", "traceback")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    code: str
    retryable: bool
    details: bytes
    retry_after_ms: int
    traceback: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., code: _Optional[str] = ..., retryable: bool = ..., details: _Optional[bytes] = ..., retry_after_ms: _Optional[int] = ..., traceback: _Optional[str] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol_min", "protocol_max", "cookie", "plugin", "version", "sdk", "api", "components", "running", "broken", "pid", "batches", "begun")
    PROTOCOL_MIN_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MAX_FIELD_NUMBER: _ClassVar[int]
    COOKIE_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SDK_FIELD_NUMBER: _ClassVar[int]
    API_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    BROKEN_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    protocol_min: int
    protocol_max: int
    cookie: str
    plugin: str
    version: str
    sdk: str
    api: str
    components: _containers.RepeatedCompositeFieldContainer[Component]
    running: _containers.RepeatedCompositeFieldContainer[AttemptId]
    broken: Fault
    pid: int
    batches: bool
    begun: bool
    def __init__(self, protocol_min: _Optional[int] = ..., protocol_max: _Optional[int] = ..., cookie: _Optional[str] = ..., plugin: _Optional[str] = ..., version: _Optional[str] = ..., sdk: _Optional[str] = ..., api: _Optional[str] = ..., components: _Optional[_Iterable[_Union[Component, _Mapping]]] = ..., running: _Optional[_Iterable[_Union[AttemptId, _Mapping]]] = ..., broken: _Optional[_Union[Fault, _Mapping]] = ..., pid: _Optional[int] = ..., batches: bool = ..., begun: bool = ...) -> None: ...

class Component(_message.Message):
    __slots__ = ("kind", "id", "description", "since", "stability", "effects", "max_in_flight", "instances", "options_schema", "sample", "settings_schema", "codes")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    MAX_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: str
    description: str
    since: str
    stability: str
    effects: str
    max_in_flight: int
    instances: str
    options_schema: bytes
    sample: bytes
    settings_schema: bytes
    codes: _containers.RepeatedCompositeFieldContainer[FailureCode]
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[str] = ..., description: _Optional[str] = ..., since: _Optional[str] = ..., stability: _Optional[str] = ..., effects: _Optional[str] = ..., max_in_flight: _Optional[int] = ..., instances: _Optional[str] = ..., options_schema: _Optional[bytes] = ..., sample: _Optional[bytes] = ..., settings_schema: _Optional[bytes] = ..., codes: _Optional[_Iterable[_Union[FailureCode, _Mapping]]] = ...) -> None: ...

class FailureCode(_message.Message):
    __slots__ = ("code", "meaning")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MEANING_FIELD_NUMBER: _ClassVar[int]
    code: str
    meaning: str
    def __init__(self, code: _Optional[str] = ..., meaning: _Optional[str] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("protocol", "host", "permissions", "data_dir", "frame_bytes_max", "batches", "begun")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    DATA_DIR_FIELD_NUMBER: _ClassVar[int]
    FRAME_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    host: str
    permissions: _containers.RepeatedScalarFieldContainer[str]
    data_dir: str
    frame_bytes_max: int
    batches: bool
    begun: bool
    def __init__(self, protocol: _Optional[int] = ..., host: _Optional[str] = ..., permissions: _Optional[_Iterable[str]] = ..., data_dir: _Optional[str] = ..., frame_bytes_max: _Optional[int] = ..., batches: bool = ..., begun: bool = ...) -> None: ...

class Provision(_message.Message):
    __slots__ = ("component", "settings")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    component: str
    settings: bytes
    def __init__(self, component: _Optional[str] = ..., settings: _Optional[bytes] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ("fault",)
    FAULT_FIELD_NUMBER: _ClassVar[int]
    fault: Fault
    def __init__(self, fault: _Optional[_Union[Fault, _Mapping]] = ...) -> None: ...

class AttemptId(_message.Message):
    __slots__ = ("run_id", "step", "attempt", "epoch")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    step: str
    attempt: int
    epoch: int
    def __init__(self, run_id: _Optional[str] = ..., step: _Optional[str] = ..., attempt: _Optional[int] = ..., epoch: _Optional[int] = ...) -> None: ...

class StartAttempt(_message.Message):
    __slots__ = ("id", "action", "options", "namespace", "workflow", "idempotency_key", "deadline_ms", "progress", "traceparent", "tracestate")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TRACESTATE_FIELD_NUMBER: _ClassVar[int]
    id: AttemptId
    action: str
    options: bytes
    namespace: str
    workflow: str
    idempotency_key: str
    deadline_ms: int
    progress: bytes
    traceparent: str
    tracestate: str
    def __init__(self, id: _Optional[_Union[AttemptId, _Mapping]] = ..., action: _Optional[str] = ..., options: _Optional[bytes] = ..., namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., deadline_ms: _Optional[int] = ..., progress: _Optional[bytes] = ..., traceparent: _Optional[str] = ..., tracestate: _Optional[str] = ...) -> None: ...

class CancelAttempt(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: AttemptId
    def __init__(self, id: _Optional[_Union[AttemptId, _Mapping]] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("id", "output", "fault", "canceled")
    ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    CANCELED_FIELD_NUMBER: _ClassVar[int]
    id: AttemptId
    output: bytes
    fault: Fault
    canceled: bool
    def __init__(self, id: _Optional[_Union[AttemptId, _Mapping]] = ..., output: _Optional[bytes] = ..., fault: _Optional[_Union[Fault, _Mapping]] = ..., canceled: bool = ...) -> None: ...

class Recorded(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedCompositeFieldContainer[AttemptId]
    def __init__(self, ids: _Optional[_Iterable[_Union[AttemptId, _Mapping]]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("id", "progress")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    id: AttemptId
    progress: bytes
    def __init__(self, id: _Optional[_Union[AttemptId, _Mapping]] = ..., progress: _Optional[bytes] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("attempt", "trigger", "lines")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    attempt: AttemptId
    trigger: str
    lines: _containers.RepeatedCompositeFieldContainer[LogLine]
    def __init__(self, attempt: _Optional[_Union[AttemptId, _Mapping]] = ..., trigger: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LogLine, _Mapping]]] = ...) -> None: ...

class LogLine(_message.Message):
    __slots__ = ("level", "message", "fields", "at_ms")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    level: str
    message: str
    fields: bytes
    at_ms: int
    def __init__(self, level: _Optional[str] = ..., message: _Optional[str] = ..., fields: _Optional[bytes] = ..., at_ms: _Optional[int] = ...) -> None: ...

class StartTrigger(_message.Message):
    __slots__ = ("instance", "trigger", "options", "settings", "namespace", "workflow", "name", "cursor", "partition", "since_ms")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    instance: str
    trigger: str
    options: bytes
    settings: bytes
    namespace: str
    workflow: str
    name: str
    cursor: bytes
    partition: str
    since_ms: int
    def __init__(self, instance: _Optional[str] = ..., trigger: _Optional[str] = ..., options: _Optional[bytes] = ..., settings: _Optional[bytes] = ..., namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., name: _Optional[str] = ..., cursor: _Optional[bytes] = ..., partition: _Optional[str] = ..., since_ms: _Optional[int] = ...) -> None: ...

class StopTrigger(_message.Message):
    __slots__ = ("instance",)
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    def __init__(self, instance: _Optional[str] = ...) -> None: ...

class TriggerBegun(_message.Message):
    __slots__ = ("instance",)
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    def __init__(self, instance: _Optional[str] = ...) -> None: ...

class TriggerEnded(_message.Message):
    __slots__ = ("instance", "verdict", "message", "after_ms", "traceback")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    instance: str
    verdict: str
    message: str
    after_ms: int
    traceback: str
    def __init__(self, instance: _Optional[str] = ..., verdict: _Optional[str] = ..., message: _Optional[str] = ..., after_ms: _Optional[int] = ..., traceback: _Optional[str] = ...) -> None: ...

class Emit(_message.Message):
    __slots__ = ("instance", "events", "cursor", "slot")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    instance: str
    events: _containers.RepeatedCompositeFieldContainer[Event]
    cursor: bytes
    slot: bool
    def __init__(self, instance: _Optional[str] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., cursor: _Optional[bytes] = ..., slot: bool = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("id", "source", "type", "subject", "time", "data", "extensions", "overlap")
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    id: str
    source: str
    type: str
    subject: str
    time: str
    data: bytes
    extensions: bytes
    overlap: str
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., type: _Optional[str] = ..., subject: _Optional[str] = ..., time: _Optional[str] = ..., data: _Optional[bytes] = ..., extensions: _Optional[bytes] = ..., overlap: _Optional[str] = ...) -> None: ...

class Emitted(_message.Message):
    __slots__ = ("events", "fault")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[EmittedEvent]
    fault: Fault
    def __init__(self, events: _Optional[_Iterable[_Union[EmittedEvent, _Mapping]]] = ..., fault: _Optional[_Union[Fault, _Mapping]] = ...) -> None: ...

class EmittedEvent(_message.Message):
    __slots__ = ("event_id", "outcome", "run_ids")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    outcome: str
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event_id: _Optional[str] = ..., outcome: _Optional[str] = ..., run_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class HostCall(_message.Message):
    __slots__ = ("attempt", "trigger", "method", "arguments", "data")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    attempt: AttemptId
    trigger: str
    method: str
    arguments: bytes
    data: bytes
    def __init__(self, attempt: _Optional[_Union[AttemptId, _Mapping]] = ..., trigger: _Optional[str] = ..., method: _Optional[str] = ..., arguments: _Optional[bytes] = ..., data: _Optional[bytes] = ...) -> None: ...

class HostAnswer(_message.Message):
    __slots__ = ("result", "data", "fault")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    result: bytes
    data: bytes
    fault: Fault
    def __init__(self, result: _Optional[bytes] = ..., data: _Optional[bytes] = ..., fault: _Optional[_Union[Fault, _Mapping]] = ...) -> None: ...

class OpenRoute(_message.Message):
    __slots__ = ("instance", "path", "methods", "max_body_bytes", "close", "timeout_ms")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    MAX_BODY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    instance: str
    path: str
    methods: _containers.RepeatedScalarFieldContainer[str]
    max_body_bytes: int
    close: bool
    timeout_ms: int
    def __init__(self, instance: _Optional[str] = ..., path: _Optional[str] = ..., methods: _Optional[_Iterable[str]] = ..., max_body_bytes: _Optional[int] = ..., close: bool = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class RouteOpened(_message.Message):
    __slots__ = ("url_path",)
    URL_PATH_FIELD_NUMBER: _ClassVar[int]
    url_path: str
    def __init__(self, url_path: _Optional[str] = ...) -> None: ...

class Webhook(_message.Message):
    __slots__ = ("instance", "route", "method", "path", "headers", "query", "body", "remote")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class QueryEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    REMOTE_FIELD_NUMBER: _ClassVar[int]
    instance: str
    route: str
    method: str
    path: str
    headers: _containers.ScalarMap[str, str]
    query: _containers.ScalarMap[str, str]
    body: bytes
    remote: str
    def __init__(self, instance: _Optional[str] = ..., route: _Optional[str] = ..., method: _Optional[str] = ..., path: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., query: _Optional[_Mapping[str, str]] = ..., body: _Optional[bytes] = ..., remote: _Optional[str] = ...) -> None: ...

class WebhookAnswer(_message.Message):
    __slots__ = ("status", "headers", "body")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    status: int
    headers: _containers.ScalarMap[str, str]
    body: bytes
    def __init__(self, status: _Optional[int] = ..., headers: _Optional[_Mapping[str, str]] = ..., body: _Optional[bytes] = ...) -> None: ...

class PlanPartitions(_message.Message):
    __slots__ = ("trigger",)
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    trigger: StartTrigger
    def __init__(self, trigger: _Optional[_Union[StartTrigger, _Mapping]] = ...) -> None: ...

class Partitions(_message.Message):
    __slots__ = ("keys", "fault")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[str]
    fault: Fault
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., fault: _Optional[_Union[Fault, _Mapping]] = ...) -> None: ...

class PlanSlots(_message.Message):
    __slots__ = ("trigger", "after_us", "until_us", "limit", "budget_ms")
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    AFTER_US_FIELD_NUMBER: _ClassVar[int]
    UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MS_FIELD_NUMBER: _ClassVar[int]
    trigger: StartTrigger
    after_us: int
    until_us: int
    limit: int
    budget_ms: int
    def __init__(self, trigger: _Optional[_Union[StartTrigger, _Mapping]] = ..., after_us: _Optional[int] = ..., until_us: _Optional[int] = ..., limit: _Optional[int] = ..., budget_ms: _Optional[int] = ...) -> None: ...

class Slots(_message.Message):
    __slots__ = ("at_us", "more", "timezone", "overlap", "fault")
    AT_US_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    at_us: _containers.RepeatedScalarFieldContainer[int]
    more: bool
    timezone: str
    overlap: str
    fault: Fault
    def __init__(self, at_us: _Optional[_Iterable[int]] = ..., more: bool = ..., timezone: _Optional[str] = ..., overlap: _Optional[str] = ..., fault: _Optional[_Union[Fault, _Mapping]] = ...) -> None: ...

class Leaving(_message.Message):
    __slots__ = ("message",)
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: str
    def __init__(self, message: _Optional[str] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ("grace_ms",)
    GRACE_MS_FIELD_NUMBER: _ClassVar[int]
    grace_ms: int
    def __init__(self, grace_ms: _Optional[int] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
