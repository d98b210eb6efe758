"""Fakes of what the host does for plugins: values by key, blobs, topics, requests. They check what the host checks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hostd.errors.base import HostdError, Kind
from hostd.plugin.errors import ActionError
from hostd.plugin.event import Event
from hostd.plugin.expressions import Expression
from hostd.plugin.service_rules import (
    EVENTS_AT_ONCE_MAX,
    KV_LIST_MAX,
    blob_too_large,
    check_digest,
    check_key,
    check_listed,
    check_topic,
    check_topics,
    conflict,
    covers,
    kv_text,
    sum_of,
)
from hostd.plugin.services import BLOB_BYTES_MAX, BlobRef, HttpAnswer, KvEntry, Published
from hostd.plugin.testing.clock import FakeClock
from hostd.values.json_text import JsonValue, parse_json


class FakeKv:
    """A KeyValue; `entries` holds everything by key, expired ones too. Turn `clock` to let values expire."""

    def __init__(self, values: Mapping[str, JsonValue] | None = None, *, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.entries: dict[str, KvEntry] = {key: KvEntry(key, value, 1) for key, value in (values or {}).items()}
        self._floor = 0  # no key that was deleted had a higher version

    async def get(self, key: str) -> KvEntry | None:
        """Return an entry, None when there is none or it has expired."""
        entry = self.entries.get(check_key(key))
        if entry is None or (entry.expires_at is not None and entry.expires_at <= self.clock.now()):
            return None
        return entry

    async def put(
        self, key: str, value: JsonValue, *, ttl: timedelta | None = None, expected_version: int | None = None
    ) -> KvEntry:
        """Set a value. Raises HostdError KV_CONFLICT."""
        version = await self._version(key, expected_version)
        if not version:
            expired = self.entries.get(key)
            version = max(self._floor, 0 if expired is None else expired.version)
        expires_at = None if ttl is None else self.clock.now() + ttl
        entry = KvEntry(key, parse_json(kv_text(value)), version + 1, expires_at)
        self.entries[key] = entry
        return entry

    async def add(self, key: str, amount: int = 1, *, ttl: timedelta | None = None) -> KvEntry:
        """Add to a whole number. Raises HostdError KV_NOT_A_NUMBER."""
        entry = await self.get(key)
        if ttl is None and entry is not None and entry.expires_at is not None:
            ttl = entry.expires_at - self.clock.now()
        return await self.put(key, sum_of(key, 0 if entry is None else entry.value, amount), ttl=ttl)

    async def delete(self, key: str, *, expected_version: int | None = None) -> bool:
        """Forget a key; return whether there was one. Raises HostdError KV_CONFLICT."""
        version = await self._version(key, expected_version)
        if version:
            self._floor = max(self._floor, self.entries.pop(key).version)
        return version > 0

    async def list(self, prefix: str = "", *, after: str = "", limit: int = 100) -> list[KvEntry]:
        """Return entries by key."""
        keys = sorted((key for key in self.entries if key.startswith(prefix) and key > after), key=str.encode)
        found = [entry for key in keys if (entry := await self.get(key)) is not None]
        found = found[: min(limit, KV_LIST_MAX)]
        check_listed(sum(len(kv_text(entry.value)) for entry in found))
        return found

    async def _version(self, key: str, expected: int | None) -> int:
        entry = await self.get(key)
        version = 0 if entry is None else entry.version
        if expected is not None and expected != version:
            raise conflict(key, expected, version)
        return version


class FakeBlobs:
    """Blobs; `kept` holds bytes and content type by digest."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, str]] = {}

    async def put(
        self, data: bytes | AsyncIterator[bytes], *, content_type: str = "application/octet-stream"
    ) -> BlobRef:
        """Keep bytes. Raises HostdError PAYLOAD_TOO_LARGE past 16 MiB."""
        whole = bytearray()
        async for part in parts_of(data):
            whole += part
            if len(whole) > BLOB_BYTES_MAX:
                raise blob_too_large()
        digest = hashlib.blake2b(whole, digest_size=32).hexdigest()
        self.kept[digest] = (bytes(whole), content_type)
        return BlobRef(digest, len(whole), content_type)

    async def get(self, ref: BlobRef | str) -> bytes:
        """Return the bytes. Raises HostdError BLOB_MISSING."""
        digest = check_digest(ref.digest if isinstance(ref, BlobRef) else ref)
        if digest not in self.kept:
            raise HostdError(Kind.MISSING, "BLOB_MISSING", f"there is no blob {digest}")
        return self.kept[digest][0]


async def parts_of(data: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield bytes as they come, whichever way they are given."""
    if isinstance(data, bytes | bytearray | memoryview):
        yield bytes(data)
        return
    async for part in data:
        yield part


class FakeEvents:
    """Topics; `published` holds every event in order.

    Args:
        begin: where a subscription without `after` begins; None: with the next new one. A trigger's begins at 0.
    """

    def __init__(self, *, begin: int | None = None) -> None:
        self._begin = begin
        self.published: list[Published] = []
        self._news = asyncio.Condition()

    async def publish(self, topic: str, *events: Event) -> list[int]:
        """Append events; a repeated id of the same source is answered with its first position."""
        check_topic(topic)
        if len(events) > EVENTS_AT_ONCE_MAX:
            raise ValueError(f"publish at most {EVENTS_AT_ONCE_MAX} events at once")
        positions = [self._keep(topic, event) for event in events]
        async with self._news:
            self._news.notify_all()
        return positions

    def _keep(self, topic: str, event: Event) -> int:
        for known in self.published:
            if (known.topic, known.event.source, known.event.id) == (topic, event.source, event.id):
                return known.position
        self.published.append(Published(len(self.published) + 1, topic, event))
        return len(self.published)

    async def subscribe(self, topics: Sequence[str], *, after: int | None = None) -> AsyncIterator[Published]:
        """Yield events of topics in order, then new ones as they come."""
        wanted = check_topics(topics)
        begin = len(self.published) if self._begin is None else self._begin
        place = begin if after is None else after
        while True:
            for published in self.published[place:]:
                place = published.position
                if covers(wanted, published.topic):
                    yield published
            async with self._news:
                await self._news.wait_for(lambda: len(self.published) > place)  # noqa: B023 asked within the turn


@dataclass(frozen=True, slots=True)
class FakeRequest:
    """A request that was made."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: timedelta | None = None


class FakeHttp:
    """Http that answers as the test says; `requests` holds what was asked.

    Args:
        answer: given to every request, or asked for each one; without it each fails as if nobody were there.
    """

    def __init__(self, answer: HttpAnswer | Callable[[FakeRequest], HttpAnswer] | None = None) -> None:
        self.answer = answer
        self.requests: list[FakeRequest] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: timedelta | None = None,
    ) -> HttpAnswer:
        """Keep the request and answer it. Raises ActionError NETWORK where no answer was prepared."""
        request = FakeRequest(method, url, dict(headers or {}), body, timeout)
        self.requests.append(request)
        if self.answer is None:
            raise ActionError("nobody answers in this test", code="NETWORK", retryable=True)
        return self.answer if isinstance(self.answer, HttpAnswer) else self.answer(request)


class FakeExpressions:
    """Expressions that the test knows: source (or text with `{{ }}`) to what it gives for a scope.

    FakeExpressions({"item.price > 10": lambda scope: scope["item"]["price"] > 10})
    """

    def __init__(self, known: Mapping[str, Callable[[Mapping[str, JsonValue]], JsonValue]] | None = None) -> None:
        self.known = dict(known or {})

    def compile(self, source: str, *names: str) -> Expression:
        """Return a known expression. Raises HostdError EXPRESSION_INVALID for others."""
        if source not in self.known:
            raise HostdError(Kind.INVALID, "EXPRESSION_INVALID", f"this test knows no expression {source!r}")
        function = self.known[source]
        return lambda scope, budget=None: function(scope)

    def compile_text(self, text: str, *names: str) -> Expression:
        """Return a known text. Raises HostdError EXPRESSION_INVALID for others."""
        return self.compile(text, *names)

    async def evaluate(self, source: str, scopes: Sequence[Mapping[str, JsonValue]]) -> list[JsonValue]:
        """Return a value for each scope. Raises HostdError EXPRESSION_INVALID."""
        compiled = self.compile(source)
        return [compiled(scope) for scope in scopes]
