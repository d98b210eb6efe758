"""What the client returns of plugins, secrets, dead letters and the daemon itself, as frozen dataclasses.

The names are those of the proto, docs/reference/api.md describes each; times are aware datetimes in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hostd.client.conversion import JSON_TEXT
from hostd.client.run_results import ChangeKind, Failure


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, without its value."""

    namespace: str
    name: str
    provider: str
    update_time: datetime | None
    writable: bool


@dataclass(frozen=True, slots=True)
class FailureCode:
    """What failures of an action may be called, and what that means."""

    code: str
    meaning: str


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
    codes: tuple[FailureCode, ...] = ()


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
    warnings: tuple[str, ...] = ()
    """Triggers that use it and could not begin, or have not yet, when it was let serve."""


@dataclass(frozen=True, slots=True)
class PluginChange:
    """One change of one plugin."""

    kind: ChangeKind
    plugin: Plugin


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


@dataclass(frozen=True, slots=True)
class Backup:
    """Where a copy of the journal lies, on the daemon's machine, and its size."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Compaction:
    """How far a compaction is, or what it did."""

    stage: str
    """PRUNING, CHECKPOINTING or DONE."""
    deleted: int
    size_before_bytes: int
    size_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class ScriptLogLine:
    """One line that a script logged."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class EvaluatedScript:
    """What a script returned, or why it failed, and what it took."""

    output: Any
    failure: Failure | None
    logs: tuple[ScriptLogLine, ...]
    cpu_ms: float
    wall_ms: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class ValidatedScript:
    """Why a script does not compile, and where; None where it does."""

    failure: Failure | None
    line: int
