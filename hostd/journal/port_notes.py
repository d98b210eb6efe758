"""Rows of the journal's port that are not a run's: definitions, triggers, events, durable keys and the like.

Everybody takes them from port.py, which is the room's front door.
"""

from __future__ import annotations

import msgspec


class RequestId(msgspec.Struct, frozen=True, gc=False):
    """The first answer to a request id: digest of the request's content, and what the answer refers to."""

    namespace: str
    verb: str
    request_id: str
    digest: bytes
    reference: bytes


class WorkflowVersion(msgspec.Struct, frozen=True, gc=False):
    """A registered, immutable version. `document` is the canonical JSON, `source` the text as it was sent."""

    namespace: str
    workflow: str
    version: str
    digest: bytes
    document: bytes
    source: bytes
    description: str = ""
    registered_at_ms: int = 0
    principal: str = ""


class WorkflowRow(msgspec.Struct, frozen=True, gc=False):
    """A workflow by name. `active` is empty where no version is.

    `activated_event`: the highest number of an event when it was activated; -1 where that is not known.
    """

    namespace: str
    workflow: str
    active: str = ""
    activated_at_ms: int = 0
    activated_event: int = -1


class TriggerRow(msgspec.Struct, frozen=True, gc=False):
    """A trigger's life across activations. `cursor` is JSON text or empty."""

    namespace: str
    workflow: str
    name: str
    uses: str
    cursor: bytes = b""
    paused: bool = False
    pause_reason: str = ""
    fired: int = 0
    last_fired_at_ms: int = 0


EVENT_FIXED_BYTES = 200
"""What an event counts towards the bound of all events beyond its body: its attributes and index entries, about."""


class OwnTriggerRow(msgspec.Struct, frozen=True, gc=False):
    """A trigger of its own: `document` is the canonical JSON, `source` the text as it was sent.

    Its life is a TriggerRow with an empty workflow. `applied_event`: as a workflow's `activated_event`.
    """

    namespace: str
    name: str
    digest: bytes
    document: bytes
    source: bytes
    applied_at_ms: int = 0
    principal: str = ""
    applied_event: int = -1


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """An event as a trigger emitted it or somebody published it: CloudEvents attributes and data as JSON text.

    A published one has a topic and neither workflow nor trigger.
    """

    namespace: str
    workflow: str
    trigger: str
    event_id: str
    body: bytes
    outcome: str
    run_ids: tuple[str, ...] = ()
    topic: str = ""
    type: str = ""


class Dedup(msgspec.Struct, frozen=True, gc=False):
    """An event id that a trigger has seen. `scope` names the trigger."""

    namespace: str
    scope: str
    event_id: str
    run_ids: tuple[str, ...] = ()


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """An event that could not become a run, and why."""

    namespace: str
    workflow: str
    trigger: str
    event_id: str
    body: bytes
    reason: str
    message: str


class KvWrite(msgspec.Struct, frozen=True, gc=False):
    """A key's new value. Empty bytes delete it, and `version` is then the one it had; `expires_at_ms` 0 = never."""

    namespace: str
    key: str
    value: bytes
    version: int
    expires_at_ms: int = 0


class Progress(msgspec.Struct, frozen=True, gc=False):
    """What a step's running attempt last reported, JSON text; the newest replaces the one before."""

    run: int
    step: int
    body: bytes


class AuditRow(msgspec.Struct, frozen=True, gc=False):
    """Who did what to what, where no run's record says so. `details` is a JSON object or empty."""

    namespace: str
    principal: str
    verb: str
    resource: str
    details: bytes = b""


class Obligation(msgspec.Struct, frozen=True, gc=False):
    """Something owed outside a run's own history, kept until it is met. `body` is msgpack of the owner's own making."""

    number: int
    namespace: str
    kind: str
    body: bytes
