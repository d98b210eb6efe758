"""What the host does for plugins while they work: small durable values, large bytes, events, requests.

Each is bound to the namespace of whoever asks. A plugin in a process of its own may use what its manifest asks for and
the operator granted; otherwise a call raises HostdError PERMISSION_DENIED.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from hostd.plugin.event import Event
from hostd.values.json_text import JsonValue, parse_json

BLOB_BYTES_MAX = 16 * 1024 * 1024
KV_KEY_BYTES_MAX = 512
KV_VALUE_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class KvEntry:
    """A value that is kept under a key. `version` rises by one with every change.

    It never falls, and no value under a key has one that another value of the key had: not even after the key was
    deleted or has expired and began anew.
    """

    key: str
    value: JsonValue
    version: int
    expires_at: datetime | None = None


class KeyValue(Protocol):
    """Small values by key, durable, shared by everything in the namespace.

    Every change is one durable write. A change may name the version it was made upon (0: there must be none), and
    raises HostdError KV_CONFLICT when somebody else was first.
    """

    async def get(self, key: str) -> KvEntry | None:
        """Return an entry, None when there is none or it has expired."""
        ...

    async def put(
        self, key: str, value: JsonValue, *, ttl: timedelta | None = None, expected_version: int | None = None
    ) -> KvEntry:
        """Set a value; without `ttl` it stays for ever. At most 64 KiB as JSON, a key at most 512 bytes."""
        ...

    async def add(self, key: str, amount: int = 1, *, ttl: timedelta | None = None) -> KvEntry:
        """Add to a whole number (0 where there is none) in one step; without `ttl` it keeps the time it has.

        Raises:
            HostdError: KV_NOT_A_NUMBER.
        """
        ...

    async def delete(self, key: str, *, expected_version: int | None = None) -> bool:
        """Forget a key; return whether there was one."""
        ...

    async def list(self, prefix: str = "", *, after: str = "", limit: int = 100) -> list[KvEntry]:
        """Return entries whose key begins with `prefix` and comes after `after`, by key; at most 1,000.

        Raises:
            HostdError: PAYLOAD_TOO_LARGE where their values hold more than 16 MiB together.
        """
        ...


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Names bytes that the host keeps: their digest (blake2b-256, hex), size and content type."""

    digest: str
    size_bytes: int
    content_type: str = "application/octet-stream"

    def to_json(self) -> dict[str, JsonValue]:
        """Return what an action puts into its output; `from_json` reads it, clients fetch it with ReadBlob."""
        return {"$blob": self.digest, "size_bytes": self.size_bytes, "content_type": self.content_type}

    @classmethod
    def from_json(cls, value: JsonValue) -> BlobRef | None:
        """Return the reference that a value is, None when it is something else."""
        if not isinstance(value, Mapping) or not isinstance(value.get("$blob"), str):
            return None
        size = value.get("size_bytes", 0)
        kind = value.get("content_type", "application/octet-stream")
        return cls(str(value["$blob"]), size if isinstance(size, int) else 0, str(kind))


class Blobs(Protocol):
    """Bytes that are too large for a value, kept by digest as long as the run that made or refers to them."""

    async def put(
        self, data: bytes | AsyncIterator[bytes], *, content_type: str = "application/octet-stream"
    ) -> BlobRef:
        """Keep bytes; durable on return. Raises HostdError PAYLOAD_TOO_LARGE past 16 MiB."""
        ...

    async def get(self, ref: BlobRef | str) -> bytes:
        """Return the bytes of a reference or digest. Raises HostdError BLOB_MISSING."""
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """A published event as subscribers see it. `position` rises within the namespace; a cursor holds it."""

    position: int
    topic: str
    event: Event


class Events(Protocol):
    """The namespace's durable topics."""

    async def publish(self, topic: str, *events: Event) -> list[int]:
        """Append events to a topic, all or none; return their positions once durable.

        An id that the topic has seen from the same source within retention is answered with its first position (0
        where the event itself is gone). At most 1,000 at once.
        """
        ...

    def subscribe(self, topics: Sequence[str], *, after: int | None = None) -> AsyncIterator[Published]:
        """Yield events of topics (`orders.*` for a prefix) in order, then new ones as they come.

        Args:
            after: position of the last one seen; None begins with the next new one, for a trigger with the first after
                its activation.
        """
        ...


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer to a request. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> JsonValue:
        """Return the body as JSON. Raises HostdError PAYLOAD_INVALID."""
        return parse_json(self.body)


class Http(Protocol):
    """Requests that the host makes, under the operator's `egress` rules and limits."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: timedelta | None = None,
    ) -> HttpAnswer:
        """Send one request; any status is an answer. Raises ActionError when there is none."""
        ...
