"""What the journal's port keeps beside runs and events: definitions, triggers, durable keys, answers, who did what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

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


class KvWrite(msgspec.Struct, frozen=True, gc=False):
    """A key's new value. Empty bytes delete it, and `version` is then the one it had; `expires_at_ms` 0 = never."""

    namespace: str
    key: str
    value: bytes
    version: int
    expires_at_ms: int = 0


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


class NamespaceRow(msgspec.Struct, frozen=True, gc=False):
    """What a namespace holds."""

    namespace: str
    workflows: int
    runs: int
    open_runs: int


class NoteReads(Protocol):
    """Reading what is neither a run nor an event."""

    def request_ids(self, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], RequestId]: ...

    def version(self, namespace: str, workflow: str, version: str) -> WorkflowVersion | None: ...

    def versions(self, namespace: str, workflow: str) -> list[WorkflowVersion]:
        """Return a workflow's versions in the order of registration, newest last (documents and sources included)."""
        ...

    def workflows(self, namespace: str | None = None, *, after: str = "", limit: int = 1000) -> list[WorkflowRow]: ...

    def workflow(self, namespace: str, workflow: str) -> WorkflowRow | None: ...

    def triggers(self, namespace: str | None = None) -> list[TriggerRow]: ...

    def trigger(self, namespace: str, workflow: str, name: str) -> TriggerRow | None: ...

    def own_triggers(self, namespace: str | None = None, name: str = "") -> list[OwnTriggerRow]:
        """Return the triggers of their own, or the one of that name, by namespace and name."""
        ...

    def kv(self, namespace: str, keys: Sequence[str]) -> dict[str, KvWrite]:
        """Return those keys that are set, expired ones too (the caller looks at the clock)."""
        ...

    def kv_floor(self) -> int:
        """Return the highest version that any key had when it was deleted or pruned, 0 where none was. Never falls."""
        ...

    def kv_list(self, namespace: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[KvWrite]:
        """Return keys that begin with `prefix` and come after `after`, by key (bytes of UTF-8), expired ones too."""
        ...

    def obligations(self) -> list[Obligation]: ...

    def namespaces(self) -> list[NamespaceRow]:
        """Return the namespaces that have workflows, runs, triggers of their own, events or durable keys, by name."""
        ...

    def audit(self, namespace: str, *, after: int = 0, limit: int = 100) -> list[tuple[int, int, AuditRow]]:
        """Return (number, at_ms, row) by rising number."""
        ...
