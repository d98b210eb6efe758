"""What this room needs of the rooms above it; they implement it, daemon.py connects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from hostd.plugin import BlobRef, Emitted, Event, HttpAnswer, KvEntry, Published, RunResult
from hostd.values.json_text import JsonValue


class NamedStep(Protocol):
    """A step as far as contexts look at it."""

    @property
    def id(self) -> str: ...

    @property
    def timeout_ms(self) -> int:
        """0 = none."""
        ...


class NamedPlan(Protocol):
    """A plan as far as contexts look at it."""

    @property
    def workflow(self) -> str: ...


class AttemptFacts(Protocol):
    """An attempt as the runtime keeps it; contexts ask it when the action asks them."""

    hidden: tuple[str, ...]  # values of secrets it used; what comes back is searched for them

    @property
    def key(self) -> int:
        """The journal's number of the run."""
        ...

    @property
    def namespace(self) -> str: ...

    @property
    def run_id(self) -> str: ...

    @property
    def number(self) -> int: ...

    @property
    def step(self) -> NamedStep: ...

    @property
    def plan(self) -> NamedPlan: ...

    @property
    def idempotency_key(self) -> str: ...

    @property
    def trace(self) -> str:
        """W3C trace context that the run was started in, as one text; empty for none."""
        ...


class Heartbeats(Protocol):
    """Where attempts report that they are alive."""

    def beat(self, attempt: AttemptFacts, progress: JsonValue) -> None:
        """Take note; called from the attempt's loop or thread, cheap."""
        ...

    def progress(self, attempt: AttemptFacts) -> JsonValue:
        """Return what the attempt before this one last reported."""
        ...


class SecretReader(Protocol):
    """Reads one secret of a namespace. Raises HostdError SECRET_MISSING."""

    async def __call__(self, namespace: str, name: str) -> str: ...


class EmitPort(Protocol):
    """Where a trigger's events go. Returns once all is durable; waits while intake is full."""

    async def __call__(self, events: tuple[Event, ...], cursor: JsonValue) -> list[Emitted]: ...


class RunEnds(Protocol):
    """What became of runs."""

    async def __call__(self, namespace: str, workflow: str, run_id: str, *, timeout_s: float) -> RunResult:
        """Return a workflow's run once it has ended, or as it is when the time is over. Raises RUN_MISSING."""
        ...


class Hides(Protocol):
    """Somebody who was given secrets: what it keeps or tells is searched for them first."""

    @property
    def hidden(self) -> tuple[str, ...]: ...


class Cells(Protocol):
    """Durable values by key, of every namespace; each promise as in plugin/services.py, KeyValue."""

    async def get(self, namespace: str, key: str) -> KvEntry | None: ...

    async def put(
        self,
        namespace: str,
        key: str,
        value: JsonValue,
        *,
        ttl: timedelta | None,
        expected_version: int | None,
        hidden: tuple[str, ...] = (),
    ) -> KvEntry: ...

    async def add(self, namespace: str, key: str, amount: int, *, ttl: timedelta | None) -> KvEntry: ...

    async def delete(self, namespace: str, key: str, *, expected_version: int | None) -> bool: ...

    async def list(self, namespace: str, prefix: str, *, after: str, limit: int) -> list[KvEntry]: ...


class BlobShelf(Protocol):
    """Bytes that runs keep."""

    async def put(self, attempt: AttemptFacts, data: bytes | AsyncIterator[bytes], content_type: str) -> BlobRef:
        """Keep bytes with the attempt's run; durable on return. Raises PAYLOAD_TOO_LARGE, RUN_BLOBS_FULL."""
        ...

    async def get(self, namespace: str, digest: str) -> bytes:
        """Return bytes by digest (hex). Raises BLOB_MISSING."""
        ...


class Topics(Protocol):
    """Durable topics of every namespace."""

    async def publish(
        self, namespace: str, events: Sequence[tuple[str, Event]], *, hidden: tuple[str, ...] = ()
    ) -> list[int]:
        """Append events, each to its topic, all or none; return their positions once durable."""
        ...

    async def read(
        self, namespace: str, topics: Sequence[str], *, after: int | None, limit: int, wait_ms: int
    ) -> tuple[list[Published], int]:
        """Return events past a position (None: from now on) and where to go on, waiting up to `wait_ms` for one."""
        ...

    async def before(self, namespace: str, at_ms: int) -> int:
        """Return the position behind which everything lies that was published at that time or later."""
        ...


class Requests(Protocol):
    """Requests that actions make through the host."""

    async def __call__(
        self,
        context: Any,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        timeout: timedelta | None,
        number: int,
    ) -> HttpAnswer:
        """Send one request in the name of an ActionContext. Raises ActionError when there is no answer.

        Args:
            number: counts the attempt's requests from 1; part of what is sent as `Idempotency-Key`.
        """
        ...
