"""What the runtime shows at the doors, in nouns. Times are wall milliseconds, UTC; 0 means: not so."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from hostd.errors.base import Violation
from hostd.model.payload import Value
from hostd.model.records import AnyRecord, Failure

NO_LABELS: dict[str, str] = {}
NO_SIGNALS: dict[str, int] = {}


class StartedRun(msgspec.Struct, frozen=True, gc=False):
    """What became of a start. `existing`: the run was there already (request id, or USE_EXISTING)."""

    run_id: str
    version: str = ""
    existing: bool = False


class SignaledRun(msgspec.Struct, frozen=True, gc=False):
    """What became of a signal. `repeated`: the run had received it already."""

    run_id: str
    repeated: bool = False


class FailureView(msgspec.Struct, frozen=True, gc=False):
    """A failure and where it happened. `step` is empty for one of the run's own; `attempt` 0 where there was none."""

    failure: Failure
    step: str = ""
    attempt: int = 0


class StepView(msgspec.Struct, frozen=True, gc=False):
    """A step of a run. `state` is a StepState; so is `result`, once the step has ended, else -1."""

    id: str
    uses: str
    state: int
    result: int = -1
    attempts: int = 0
    started_at_ms: int = 0
    ended_at_ms: int = 0
    due_at_ms: int = 0
    output: Value = b""
    error: FailureView | None = None
    needs: tuple[str, ...] = ()
    handler: str = ""


class RunView(msgspec.Struct, frozen=True, gc=False):
    """A run. `state` is a RunState; so is `outcome`, once decided, else 0.

    From `message` on, lists and WatchRuns leave the fields empty. `number` is what lists page by.
    """

    run_id: str
    number: int
    namespace: str
    workflow: str
    version: str
    state: int
    key: str = ""
    outcome: int = 0
    reason: str = ""
    labels: dict[str, str] = NO_LABELS
    trigger: str = ""
    parent: str = ""
    created_at_ms: int = 0
    ended_at_ms: int = 0
    due_at_ms: int = 0
    message: str = ""
    principal: str = ""
    input: Value = b""
    output: Value = b""
    failures: tuple[FailureView, ...] = ()
    steps: tuple[StepView, ...] = ()
    signals: dict[str, int] = NO_SIGNALS


class HistoryItem(msgspec.Struct, frozen=True, gc=False):
    """One record of a run. `seq` counts from 0 in the run's history."""

    seq: int
    at_ms: int
    principal: str
    record: AnyRecord


class RunRecords(msgspec.Struct, frozen=True, gc=False):
    """Records of one run in order. `steps`: ids by the plan's index.

    `next_seq`: where to go on. `run`: the run as it is once these records are told, in the last of a watch.
    `more`: there are records behind these now.
    """

    steps: tuple[str, ...]
    items: list[HistoryItem]
    next_seq: int
    more: bool = False
    run: RunView | None = None


ChangeWord: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]


class RunChange(msgspec.Struct, gc=False):
    """What happened to a run, seen through a watch's filter. Many watches are told the same object.

    `wire`: its bytes on the wire, kept by the door that first shows it.
    """

    kind: ChangeWord
    run: RunView
    wire: bytes = b""


class RunChanges(msgspec.Struct, gc=False):
    """A batch of changes; without any it is a bookmark. Many watches are told the same object.

    `position`: the journal position behind them, from which a watch can be resumed; 0 inside a snapshot, where it
    cannot. `snapshot_end`: the last batch of the snapshot. `pages`: its messages on the wire without a token, kept by
    the door that first shows it.
    """

    changes: list[RunChange]
    position: int = 0
    snapshot_end: bool = False
    pages: tuple[bytes, ...] = ()


class LogView(msgspec.Struct, frozen=True, gc=False):
    """Lines one attempt logged."""

    step: str
    attempt: int
    lines: list[str]


class LogPosition(msgspec.Struct, frozen=True, gc=False):
    """How far a tail of a run's logs is: all was told of what ended before record `seq`, of open attempts some lines.

    `told`: how many lines, by (step, attempt).
    """

    seq: int
    told: dict[tuple[str, int], int]


class TailedLogs(msgspec.Struct, frozen=True, gc=False):
    """New lines, and where a later tail goes on. `run_state` is set in the last of a run that has ended."""

    logs: list[LogView]
    position: LogPosition
    snapshot_end: bool = False
    run_state: int = 0


class BlobView(msgspec.Struct, frozen=True, gc=False):
    """A stored value."""

    data: bytes
    content_type: str


class VersionView(msgspec.Struct, frozen=True, gc=False):
    """A registered version. `source` is the text as it was sent, empty in lists."""

    version: str
    digest: bytes
    active: bool = False
    description: str = ""
    registered_at_ms: int = 0
    principal: str = ""
    source: bytes = b""


class WorkflowView(msgspec.Struct, frozen=True, gc=False):
    """A workflow by name. `active` is empty where no version is; `version` is the one asked for, None in lists."""

    namespace: str
    workflow: str
    active: str = ""
    activated_at_ms: int = 0
    version: VersionView | None = None
    warnings: tuple[str, ...] = ()  # of activating it


class RegisteredView(msgspec.Struct, frozen=True, gc=False):
    """What registering did. `created`: False when the same document was registered before."""

    workflow: WorkflowView
    created: bool
    warnings: tuple[str, ...] = ()


class ValidationView(msgspec.Struct, frozen=True, gc=False):
    """Every mistake of a text of documents, in the order of their places."""

    violations: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()


class TriggerView(msgspec.Struct, frozen=True, gc=False):
    """A configured trigger. `state`: STARTING, ACTIVE, BACKING_OFF, PAUSED, ENDED or FAILED. `cursor`: JSON text."""

    namespace: str
    workflow: str
    name: str
    uses: str
    state: str
    message: str = ""
    version: str = ""
    cursor: bytes = b""
    fired: int = 0
    last_fired_at_ms: int = 0
    restarts: int = 0
    target: str = ""
    source: bytes = b""
    warnings: tuple[str, ...] = ()  # of having it begin


class TriggerChange(msgspec.Struct, frozen=True, gc=False):
    """What happened to a trigger, seen through a watch."""

    kind: ChangeWord
    trigger: TriggerView


class TriggerChanges(msgspec.Struct, frozen=True, gc=False):
    """A batch of changes; without any it is a bookmark. `position`: behind them, empty inside a snapshot."""

    changes: list[TriggerChange]
    position: str = ""
    snapshot_end: bool = False


class TrialView(msgspec.Struct, frozen=True, gc=False):
    """What an event would do. `outcome` is empty where the document has mistakes; None: it cannot be told."""

    outcome: str = ""
    workflow: str = ""
    version: str = ""
    event: bytes = b"null"
    matches: bool | None = None
    input: bytes | None = None
    key: str = ""
    signal: str = ""
    signal_data: bytes | None = None
    run_ids: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()


class SlotView(msgspec.Struct, frozen=True, gc=False):
    """A moment at which a trigger fires: microseconds since 1970, and as clocks of its time zone show it."""

    at_us: int
    local: str


class ScheduleView(msgspec.Struct, frozen=True, gc=False):
    """The next slots of a schedule. `more`: it goes on."""

    slots: tuple[SlotView, ...]
    timezone: str
    more: bool


class BackfillView(msgspec.Struct, frozen=True, gc=False):
    """What a backfill did: slots in the window, how many by outcome, and those it left out as unknown."""

    slots: int
    outcomes: dict[str, int]
    unknown: int


class DeadLetterView(msgspec.Struct, frozen=True, gc=False):
    """An event that could not be used. `event`: the envelope as JSON text."""

    namespace: str
    number: int
    at_ms: int
    workflow: str
    trigger: str
    event_id: str
    reason: str
    message: str
    event: bytes


class RedrivenView(msgspec.Struct, frozen=True, gc=False):
    """What became of a dead letter. `outcome` is empty where nothing was emitted; `reason`: why it stays."""

    number: int
    event_id: str
    outcome: str = ""
    run_ids: tuple[str, ...] = ()
    reason: str = ""
    message: str = ""


class FiredView(msgspec.Struct, frozen=True, gc=False):
    """What an event led to. `outcome`: STARTED, SIGNALED, NO_MATCH, DUPLICATE, SKIPPED or DEAD_LETTERED."""

    event_id: str
    outcome: str
    run_ids: tuple[str, ...] = ()


class ComponentView(msgspec.Struct, frozen=True, gc=False):
    """An action, trigger or other part of a plugin."""

    id: str
    kind: str
    plugin: str
    description: str = ""
    since: str = ""
    stability: str = ""
    effects: str = ""
    executors: tuple[str, ...] = ()
    codes: tuple[tuple[str, str], ...] = ()
    """What failures of an action may be called, each with what it means."""


class OldVersionView(msgspec.Struct, frozen=True, gc=False):
    """The process of a version that was replaced, and lets end what it holds."""

    version: str
    pid: int
    attempts: int
    triggers: int


class ProcessView(msgspec.Struct, frozen=True, gc=False):
    """A plugin's process as it is now. `printed`: the last lines of its output; `draining`: oldest first."""

    state: str
    pid: int
    restarts: int
    attempts: int
    triggers: int
    message: str
    printed: tuple[str, ...]
    draining: tuple[OldVersionView, ...] = ()


class PluginView(msgspec.Struct, frozen=True, gc=False):
    """A plugin and what became of it. `state` is a name of `host.found.PluginState`."""

    id: str
    version: str
    source: str
    state: str
    origin: str = ""
    reason: str = ""
    message: str = ""
    traceback: str = ""
    isolation: str = ""
    components: tuple[ComponentView, ...] = ()
    api: str = ""
    permissions: tuple[str, ...] = ()
    process: ProcessView | None = None
    rollback_version: str = ""
    warnings: tuple[str, ...] = ()  # of letting it serve


class SecretView(msgspec.Struct, frozen=True, gc=False):
    """A secret without its value. `provider` is the one that wins; `updated_at_ms` is None where nobody knows."""

    namespace: str
    name: str
    provider: str
    updated_at_ms: int | None = None
    writable: bool = False


class SecretSetView(msgspec.Struct, frozen=True, gc=False):
    """A secret that was set. `created`: there was none of the name in the store."""

    secret: SecretView
    created: bool
    warnings: tuple[str, ...] = ()


class SchemaView(msgspec.Struct, frozen=True, gc=False):
    """Options of a component: JSON Schema and a working `with`, both as JSON text."""

    component: ComponentView
    schema: bytes
    sample: bytes


class ScriptView(msgspec.Struct, frozen=True, gc=False):
    """How a script ended: `output` is JSON text, None where `failure` says why. `logs` are (level, text) in order."""

    output: bytes | None = None
    failure: Failure | None = None
    line: int = 0
    logs: tuple[tuple[str, str], ...] = ()
    cpu_ms: float = 0.0
    wall_ms: float = 0.0
    memory_bytes: int = 0


class DifferenceView(msgspec.Struct, frozen=True, gc=False):
    """One place at which two documents differ; see definition.differences."""

    kind: Literal["ADDED", "REMOVED", "CHANGED"]
    path: str
    step: str
    before: str
    after: str


class DifferencesView(msgspec.Struct, frozen=True, gc=False):
    """How two versions differ."""

    first: str
    second: str
    differences: tuple[DifferenceView, ...]
    truncated: bool = False
