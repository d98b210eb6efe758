"""What the client returns of workflows, triggers and topics, as frozen dataclasses.

The names are those of the proto, docs/reference/api.md describes each; times are aware datetimes in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hostd.client.conversion import JSON_TEXT
from hostd.client.run_results import ChangeKind
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
    warnings: tuple[str, ...] = ()
    """Triggers that could not begin, or have not yet, when it was activated."""


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
class WorkflowDifference:
    """A place of a document that is different in another version."""

    kind: str
    """ADDED, REMOVED or CHANGED."""
    path: str
    step: str
    before: str
    after: str
    """JSON text, as `before`; long values end in `...`."""


@dataclass(frozen=True, slots=True)
class WorkflowDiff:
    """What is different between two versions; at most 1000 places, `truncated` where there are more."""

    from_version: str
    to_version: str
    differences: tuple[WorkflowDifference, ...]
    truncated: bool


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
    warnings: tuple[str, ...] = ()
    """That it could not begin, or has not yet, when it was resumed."""


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
    warnings: tuple[str, ...] = ()
    """That it could not begin, or has not yet."""


@dataclass(frozen=True, slots=True)
class Fired:
    """What became of an event that was emitted by hand."""

    event_id: str
    outcome: str
    """STARTED, SIGNALED, NO_MATCH, DUPLICATE, SKIPPED or DEAD_LETTERED; DUPLICATE too where an answer was lost."""
    run_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TriedEvent:
    """What an event would do."""

    outcome: str
    """STARTED, SIGNALED, NO_MATCH, DUPLICATE, DEAD_LETTERED, SKIPPED, QUEUED, CANCELS_RUNNING; empty: a mistake."""
    workflow: str
    version: str
    event: Any
    matches: bool | None
    """What `if` says; None where it cannot be told."""
    input: Any
    key: str
    signal: str
    signal_data: Any
    run_ids: tuple[str, ...]
    violations: tuple[Violation, ...]


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
