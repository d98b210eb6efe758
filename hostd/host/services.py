"""The host's services as one attempt or trigger sees them: bound to its namespace, made when first asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from hostd.errors.base import HostdError, invalid
from hostd.host.ports import AttemptFacts, BlobShelf, Cells, Hides, Requests, Topics
from hostd.model.redaction import redact, redact_value, shows
from hostd.plugin import BlobRef, Event, HttpAnswer, KvEntry, Published
from hostd.plugin.service_rules import check_digest
from hostd.telemetry.tracing import Tracing
from hostd.values.json_text import JsonValue
from hostd.values.trace import headers_of

PAGE_EVENTS = 100
WAIT_MS = 60_000


class Services(NamedTuple):
    """What does the work, for every namespace; daemon-wide."""

    cells: Cells
    blobs: BlobShelf
    topics: Topics
    requests: Requests


class NamespaceKeys:
    """A KeyValue of one namespace."""

    __slots__ = ("_cells", "_namespace", "_whose")

    def __init__(self, cells: Cells, namespace: str, whose: Hides | None = None) -> None:
        self._cells = cells
        self._namespace = namespace
        self._whose = whose

    def _key(self, key: str) -> str:
        if shows(str(key), _hidden(self._whose)):
            raise invalid("KV_KEY_INVALID", "the key shows a secret; keys are listed, so make it of something else")
        return key

    async def get(self, key: str) -> KvEntry | None:
        """Return an entry, None when there is none or it has expired."""
        return await self._cells.get(self._namespace, self._key(key))

    async def put(
        self, key: str, value: JsonValue, *, ttl: timedelta | None = None, expected_version: int | None = None
    ) -> KvEntry:
        """Set a value. Raises HostdError KV_CONFLICT."""
        return await self._cells.put(
            self._namespace,
            self._key(key),
            value,
            ttl=ttl,
            expected_version=expected_version,
            hidden=_hidden(self._whose),
        )

    async def add(self, key: str, amount: int = 1, *, ttl: timedelta | None = None) -> KvEntry:
        """Add to a whole number. Raises HostdError KV_NOT_A_NUMBER."""
        return await self._cells.add(self._namespace, self._key(key), amount, ttl=ttl)

    async def delete(self, key: str, *, expected_version: int | None = None) -> bool:
        """Forget a key; return whether there was one. Raises HostdError KV_CONFLICT."""
        return await self._cells.delete(self._namespace, self._key(key), expected_version=expected_version)

    async def list(self, prefix: str = "", *, after: str = "", limit: int = 100) -> list[KvEntry]:
        """Return entries by key."""
        return await self._cells.list(self._namespace, prefix, after=after, limit=limit)


class AttemptBlobs:
    """Blobs that an attempt's run keeps."""

    __slots__ = ("_attempt", "_shelf")

    def __init__(self, shelf: BlobShelf, attempt: AttemptFacts) -> None:
        self._shelf = shelf
        self._attempt = attempt

    async def put(
        self, data: bytes | AsyncIterator[bytes], *, content_type: str = "application/octet-stream"
    ) -> BlobRef:
        """Keep bytes. Raises HostdError PAYLOAD_TOO_LARGE, RUN_BLOBS_FULL."""
        return await self._shelf.put(self._attempt, data, content_type)

    async def get(self, ref: BlobRef | str) -> bytes:
        """Return the bytes. Raises HostdError BLOB_MISSING."""
        digest = check_digest(ref.digest if isinstance(ref, BlobRef) else ref)
        return await self._shelf.get(self._attempt.namespace, digest)


class NamespaceEvents:
    """The Events of one namespace."""

    __slots__ = ("_begins", "_namespace", "_since_ms", "_topics", "_trace", "_tracing", "_whose")

    def __init__(
        self,
        topics: Topics,
        namespace: str,
        whose: Hides | None = None,
        *,
        begins: int | None = None,
        since_ms: int | None = None,
        trace: str = "",
        tracing: Tracing | None = None,
    ) -> None:
        self._trace = trace  # of whoever publishes, as one text; goes with events that say no other
        self._tracing = tracing
        self._whose = whose
        self._topics = topics
        self._namespace = namespace
        self._begins = begins  # a subscription that names no position begins behind this one
        self._since_ms = since_ms  # or at this time, where that is not known; None: now

    async def publish(self, topic: str, *events: Event) -> list[int]:
        """Append events to a topic, all or none; return their positions once durable."""
        hidden = _hidden(self._whose)
        span = self._tracing.begin(f"publish {topic}", self._trace, "producer") if self._tracing is not None else None
        trace = headers_of(self._trace) if span is None else span.trace.headers()
        clean = [(topic, traced(without_secrets(event, hidden), trace)) for event in events]
        try:
            positions = await self._topics.publish(self._namespace, clean, hidden=hidden)
        except HostdError as error:
            if span is not None:
                span.end(error.reason)
            raise
        if span is not None:
            span.end()
        return positions

    async def read(
        self, topics: Sequence[str], *, after: int | None, limit: int = PAGE_EVENTS, wait_ms: int = 0
    ) -> tuple[list[Published], int]:
        """Return a page of events past a position, and where to go on; for plugins in other processes."""
        if after is None:
            after = self._begins
        if after is None and self._since_ms is not None:
            after = await self._topics.before(self._namespace, self._since_ms)
        return await self._topics.read(self._namespace, topics, after=after, limit=limit, wait_ms=wait_ms)

    async def subscribe(self, topics: Sequence[str], *, after: int | None = None) -> AsyncIterator[Published]:
        """Yield events of topics in order, then new ones as they come; a slow reader only lags."""
        while True:
            page, after = await self.read(topics, after=after, wait_ms=WAIT_MS)
            for published in page:
                yield published


class AttemptRequests:
    """The Http of one attempt."""

    __slots__ = ("_context", "_count", "_requests")

    def __init__(self, requests: Requests, context: Any) -> None:
        self._requests = requests
        self._context = context
        self._count = 0

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: timedelta | None = None,
    ) -> HttpAnswer:
        """Send one request. Raises ActionError when there is no answer."""
        self._count += 1
        return await self._requests(
            self._context, method, url, headers=headers or {}, body=body, timeout=timeout, number=self._count
        )


def without_secrets(event: Event, hidden: Sequence[str]) -> Event:
    """Return an event without secrets, in its id, source and type either; the same one where it shows none."""
    if not hidden:
        return event
    envelope = event.to_json()
    if redact_value(envelope, hidden) is envelope:
        return event
    extensions = redact_value(event.extensions, hidden)
    return Event(
        id=redact(event.id, hidden),
        source=redact(event.source, hidden),
        type=redact(event.type, hidden),
        time=event.time,
        data=redact_value(event.data, hidden),
        subject=redact(event.subject, hidden),
        extensions=extensions if isinstance(extensions, dict) else {},
        overlap=event.overlap,
    )


def traced(event: Event, trace: Mapping[str, str]) -> Event:
    """Return an event in a trace, as CloudEvents' distributed tracing has it; the same one where it says another."""
    if not trace or "traceparent" in event.extensions:
        return event
    return replace(event, extensions={**event.extensions, **trace})


def _hidden(whose: Hides | None) -> tuple[str, ...]:
    return whose.hidden if whose is not None else ()
