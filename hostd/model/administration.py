"""What the daemon tells of itself: the system, its journal, its namespaces, and who did what.

Times are wall milliseconds, UTC; 0 means: not so.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class JournalView(msgspec.Struct, frozen=True, gc=False):
    """The journal. `unwritable`: the reason nothing can be written just now, empty when it can."""

    kind: str
    journal_id: str
    schema_version: int
    path: str = ""
    unwritable: str = ""


class IsolationView(msgspec.Struct, frozen=True, gc=False):
    """What locks scripts in. `missing`: what is not there, and why."""

    level: str = "unknown"
    active: tuple[str, ...] = ()
    missing: dict[str, str] = {}


class SystemView(msgspec.Struct, frozen=True, gc=False):
    """The daemon itself. `limits`: announced bounds by name, units in the names."""

    version: str
    plugin_api: str
    python: str
    instance_id: str
    started_at_ms: int
    journal: JournalView
    lua: IsolationView
    limits: dict[str, int] = {}
    capabilities: tuple[str, ...] = ()
    tzdata: str = ""
    runs_in_memory: int = 0
    attempts_in_flight: int = 0
    http_address: str = ""
    grpc_address: str = ""


class AuditView(msgspec.Struct, frozen=True, gc=False):
    """One change that somebody made."""

    number: int
    at_ms: int
    principal: str
    verb: str
    resource: str
    details: dict[str, str]


class BackupStep(msgspec.Struct, frozen=True, gc=False):
    """Progress of a backup; the last one names the file and its size."""

    pages_done: int
    pages_total: int
    path: str = ""
    size_bytes: int = 0


class CompactionStep(msgspec.Struct, frozen=True, gc=False):
    """Progress of a compaction. Sizes are of the file with its log; `free_bytes` is room inside it."""

    stage: Literal["PRUNING", "CHECKPOINTING", "DONE"]
    deleted: int
    size_before_bytes: int
    size_bytes: int
    free_bytes: int


class NamespaceView(msgspec.Struct, frozen=True, gc=False):
    """A namespace, and how much it holds."""

    name: str
    workflows: int = 0
    runs: int = 0
    open_runs: int = 0
    triggers: int = 0
    secrets: int = 0
