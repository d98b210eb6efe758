"""What the client returns beside runs: workflows, triggers, events, plugins and the rest, as frozen dataclasses.

The names are those of the proto, docs/reference/api.md describes each; times are aware datetimes in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hostd.client.conversion import JSON_TEXT
from hostd.client.run_results import ChangeKind, Failure
from hostd.errors.base import Violation


@dataclass(frozen=True, slots=True)
class WorkflowVersion:
    """One immutable version of a workflow."""

    version: str
    digest: str
    description: str
    register_time: datetime | None
    principal: str
    active: bool
    source: str


@dataclass(frozen=True, slots=True)
class Workflow:
    """A named definition; lists leave out `version`."""

    namespace: str
    workflow: str
    active_version: str
    activate_time: datetime | None
    version: WorkflowVersion | None


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a document."""

    workflow: Workflow
    created: bool
    """False where the same document was registered before."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Validated:
    """Every mistake of documents; none means valid."""

    violations: tuple[Violation, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A configured trigger of a workflow, or one of its own (`workflow` is empty)."""

    namespace: str
    workflow: str
    name: str
    uses: str
    state: str
    """STARTING, ACTIVE, BACKING_OFF, PAUSED, ENDED or FAILED."""
    message: str
    version: str
    cursor: Any = field(metadata=JSON_TEXT)
    fired: int
    last_fire_time: datetime | None
    restarts: int
    target: str
    source: str


@dataclass(frozen=True, slots=True)
class TriggerChange:
    """One change of one trigger."""

    kind: ChangeKind
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class AppliedTrigger:
    """What became of the document of a trigger of its own."""

    trigger: Trigger
    changed: bool


@dataclass(frozen=True, slots=True)
class Fired:
    """What became of an event that was emitted by hand."""

    event_id: str
    outcome: str
    """STARTED, SIGNALED, NO_MATCH, DUPLICATE, SKIPPED or DEAD_LETTERED; DUPLICATE too where an answer was lost."""
    run_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """One moment at which a trigger fires."""

    time: datetime
    local_time: str


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What became of the slots of a window, as numbers."""

    slots: int
    started: int
    duplicates: int
    skipped: int
    not_matched: int
    signaled: int
    dead_lettered: int
    unknown: int


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """Where an event went; its position rises within the namespace."""

    event_id: str
    position: int


@dataclass(frozen=True, slots=True)
class TopicEvent:
    """A published event: CloudEvents 1.0."""

    topic: str
    position: int
    id: str
    source: str
    type: str
    subject: str
    time: datetime | None
    data: Any
    extensions: dict[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event that a topic has seen."""

    topic: str
    type: str
    last_time: datetime | None


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, without its value."""

    namespace: str
    name: str
    provider: str
    update_time: datetime | None
    writable: bool


@dataclass(frozen=True, slots=True)
class Component:
    """Something a plugin registers."""

    id: str
    kind: str
    description: str
    since: str
    stability: str
    effects: str
    executors: tuple[str, ...]
    plugin: str


@dataclass(frozen=True, slots=True)
class ComponentSchema:
    """What the options of a component may be: JSON Schema, and a working sample."""

    component: Component
    schema: Any = field(metadata=JSON_TEXT)
    sample: Any = field(metadata=JSON_TEXT)


@dataclass(frozen=True, slots=True)
class OldPluginProcess:
    """The process of a version that was replaced, and lets end what it holds."""

    version: str
    pid: int
    attempts: int
    triggers: int


@dataclass(frozen=True, slots=True)
class PluginProcess:
    """The process of a plugin, as it is now."""

    state: str
    pid: int
    restarts: int
    attempts: int
    triggers: int
    message: str
    output: tuple[str, ...]
    draining: tuple[OldPluginProcess, ...]


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installable unit, and what became of it."""

    id: str
    version: str
    source: str
    origin: str
    state: str
    reason: str
    message: str
    traceback: str
    isolation: str
    components: tuple[Component, ...]
    api: str
    permissions: tuple[str, ...]
    process: PluginProcess | None


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """What was installed, or would be: an examination knows only id, version and permissions of the plugin."""

    plugin: Plugin
    replaced_version: str
    digest: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be used, and why; lists leave out `event`."""

    namespace: str
    number: int
    create_time: datetime | None
    workflow: str
    trigger: str
    event_id: str
    reason: str
    message: str
    event: Any


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one dead letter."""

    number: int
    event_id: str
    outcome: str
    run_ids: tuple[str, ...]
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One change that somebody made."""

    number: int
    time: datetime | None
    principal: str
    verb: str
    resource: str
    details: dict[str, str]


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """The daemon, as it is now."""

    version: str
    plugin_api: str
    python: str
    instance_id: str
    start_time: datetime | None
    limits: dict[str, int]
    capabilities: tuple[str, ...]
    tzdata: str
    runs_in_memory: int
    attempts_in_flight: int
    http_address: str
    grpc_address: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """A room for names, and how much it holds."""

    name: str
    workflows: int
    runs: int
    open_runs: int
    triggers: int
    secrets: int


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """One key of the daemon's configuration."""

    key: str
    value: Any
    origin: str
    reloadable: bool
    restart_needed: bool


@dataclass(frozen=True, slots=True)
class EffectiveConfig:
    """What the daemon was configured with, as it holds now; secrets are hidden."""

    values: tuple[ConfigValue, ...]
    file: str
    log_levels: dict[str, str]


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """A key whose value is another than before."""

    key: str
    before: Any
    after: Any
    origin: str
    restart_needed: bool


@dataclass(frozen=True, slots=True)
class ReloadedConfig:
    """What a reload changed, or will change with the next start."""

    changes: tuple[ConfigChange, ...]
    file: str
