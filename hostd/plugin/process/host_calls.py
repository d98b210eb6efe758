"""Services of the host, asked for over the wire, in the name of an attempt or a trigger.

The methods and what they take and answer are listed at `HostCall` in host.proto.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hostd.errors.base import HostdError, Kind
from hostd.plugin.clocks import at_ms
from hostd.plugin.event import Event
from hostd.plugin.expressions import Expression
from hostd.plugin.process.link import Link
from hostd.plugin.process.wire import AttemptKey, error_of, value_of
from hostd.plugin.results import RunFailure, RunResult
from hostd.plugin.services import BLOB_BYTES_MAX, BlobRef, HttpAnswer, KvEntry, Published
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import JsonValue, dump_json

READ_LIMIT = 100
READ_WAIT_MS = 20_000


class Answered(NamedTuple):
    """What the host answered: a JSON object, and bytes."""

    result: dict[str, Any]
    data: bytes


class HostCalls:
    """Asks in the name of one attempt or trigger."""

    __slots__ = ("_link", "_owner")

    def __init__(self, link: Link, owner: AttemptKey | str) -> None:
        self._link = link
        self._owner = owner

    async def call(
        self, method: str, arguments: dict[str, JsonValue], *, data: bytes = b"", again: bool = True
    ) -> Answered:
        """Ask. Raises HostdError, ActionError as the host says.

        Args:
            again: whether it may be asked twice where the connection is lost before the answer.
        """
        call = pb.HostCall(method=method, arguments=dump_json(arguments), data=data)
        if isinstance(self._owner, AttemptKey):
            call.attempt.CopyFrom(self._owner.to_wire())
        else:
            call.trigger = self._owner
        answer = (await self._link.ask(pb.FromPlugin(host_call=call), again=again)).host_answer
        if answer.HasField("fault"):
            raise error_of(answer.fault)
        result = value_of(answer.result)
        return Answered(result if isinstance(result, dict) else {}, answer.data)


async def result_of_run(calls: HostCalls, run_id: str, timeout: timedelta) -> RunResult:
    """Return what became of a run, or how it stands when the time is over. Raises HostdError RUN_MISSING."""
    found = (await calls.call("runs.result", {"run_id": run_id, "timeout_ms": max(0, _ms(timeout) or 0)})).result
    state, why = found.get("state"), found.get("failure")
    if not isinstance(state, str):
        raise _odd("runs.result")
    failure = None
    if isinstance(why, Mapping):
        failure = RunFailure(*(str(why.get(name, "")) for name in ("reason", "message", "code")))
    return RunResult(run_id, state, found.get("output"), failure)


class WireSecrets:
    """Secrets of the namespace."""

    __slots__ = ("_calls",)

    def __init__(self, calls: HostCalls) -> None:
        self._calls = calls

    async def get(self, name: str) -> str:
        """Return a secret's value. Raises HostdError SECRET_MISSING."""
        value = (await self._calls.call("secrets.get", {"name": name})).result.get("value")
        if not isinstance(value, str):
            raise _odd("secrets.get")
        return value


class WireKeyValue:
    """The namespace's small values."""

    __slots__ = ("_calls",)

    def __init__(self, calls: HostCalls) -> None:
        self._calls = calls

    async def get(self, key: str) -> KvEntry | None:
        """Return an entry, None when there is none or it has expired."""
        entry = (await self._calls.call("kv.get", {"key": key})).result.get("entry")
        return None if entry is None else _entry(entry)

    async def put(
        self, key: str, value: JsonValue, *, ttl: timedelta | None = None, expected_version: int | None = None
    ) -> KvEntry:
        """Set a value. Raises HostdError KV_CONFLICT."""
        arguments: dict[str, JsonValue] = {"key": key, "value": value, "ttl_ms": _ms(ttl)}
        arguments["expected_version"] = expected_version
        answered = await self._calls.call("kv.put", arguments, again=expected_version is None)
        return _entry(answered.result.get("entry"))

    async def add(self, key: str, amount: int = 1, *, ttl: timedelta | None = None) -> KvEntry:
        """Add to a whole number in one step. Raises HostdError KV_NOT_A_NUMBER."""
        arguments: dict[str, JsonValue] = {"key": key, "amount": amount, "ttl_ms": _ms(ttl)}
        answered = await self._calls.call("kv.add", arguments, again=False)
        return _entry(answered.result.get("entry"))

    async def delete(self, key: str, *, expected_version: int | None = None) -> bool:
        """Forget a key; return whether there was one."""
        arguments: dict[str, JsonValue] = {"key": key, "expected_version": expected_version}
        return bool((await self._calls.call("kv.delete", arguments, again=False)).result.get("deleted"))

    async def list(self, prefix: str = "", *, after: str = "", limit: int = 100) -> list[KvEntry]:
        """Return entries whose key begins with `prefix` and comes after `after`, by key."""
        arguments: dict[str, JsonValue] = {"prefix": prefix, "after": after, "limit": limit}
        entries = (await self._calls.call("kv.list", arguments)).result.get("entries")
        return [_entry(entry) for entry in entries or ()]


class WireBlobs:
    """Bytes that the host keeps."""

    __slots__ = ("_calls",)

    def __init__(self, calls: HostCalls) -> None:
        self._calls = calls

    async def put(
        self, data: bytes | AsyncIterator[bytes], *, content_type: str = "application/octet-stream"
    ) -> BlobRef:
        """Keep bytes; durable on return. Raises HostdError PAYLOAD_TOO_LARGE."""
        whole = bytes(data) if isinstance(data, bytes | bytearray | memoryview) else await _gather(data)
        if len(whole) > BLOB_BYTES_MAX:
            raise _too_large()
        result = (await self._calls.call("blobs.put", {"content_type": content_type}, data=whole)).result
        digest = result.get("digest")
        if not isinstance(digest, str):
            raise _odd("blobs.put")
        return BlobRef(digest, len(whole), content_type)

    async def get(self, ref: BlobRef | str) -> bytes:
        """Return the bytes of a reference or digest. Raises HostdError BLOB_MISSING."""
        digest = ref.digest if isinstance(ref, BlobRef) else ref
        return (await self._calls.call("blobs.get", {"digest": digest})).data


class WireEvents:
    """The namespace's topics."""

    __slots__ = ("_calls",)

    def __init__(self, calls: HostCalls) -> None:
        self._calls = calls

    async def publish(self, topic: str, *events: Event) -> list[int]:
        """Append events to a topic, all or none; return their positions once durable."""
        arguments: dict[str, JsonValue] = {"topic": topic, "events": [_event_json(event) for event in events]}
        return [int(at) for at in (await self._calls.call("events.publish", arguments)).result.get("positions") or ()]

    async def subscribe(self, topics: Sequence[str], *, after: int | None = None) -> AsyncIterator[Published]:
        """Yield events of topics in order, then new ones as they come."""
        while True:
            arguments: dict[str, JsonValue] = {"topics": list(topics), "after": after, "limit": READ_LIMIT}
            result = (await self._calls.call("events.read", {**arguments, "wait_ms": READ_WAIT_MS})).result
            for entry in result.get("events") or ():
                yield _published(entry)
            if not isinstance(result.get("after"), int):
                raise _odd("events.read")
            after = result["after"]


class WireHttp:
    """Requests that the host makes."""

    __slots__ = ("_calls",)

    def __init__(self, calls: HostCalls) -> None:
        self._calls = calls

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
        arguments: dict[str, JsonValue] = {"method": method, "url": url, "headers": dict(headers or {})}
        again = method.upper() in ("GET", "HEAD")
        arguments["timeout_ms"] = _ms(timeout)
        answered = await self._calls.call("http.request", arguments, data=body, again=again)
        status = answered.result.get("status")
        if not isinstance(status, int):
            raise _odd("http.request")
        return HttpAnswer(status, answered.result.get("headers") or {}, answered.data)


class WireExpressions:
    """The host's expression language."""

    __slots__ = ("_calls",)

    def __init__(self, calls: HostCalls) -> None:
        self._calls = calls

    def compile(self, source: str, *names: str) -> Expression:
        """Raise HostdError HOST_CALL_UNKNOWN: the language lives in the daemon."""
        raise _not_here()

    def compile_text(self, text: str, *names: str) -> Expression:
        """Raise HostdError HOST_CALL_UNKNOWN: the language lives in the daemon."""
        raise _not_here()

    async def evaluate(self, source: str, scopes: Sequence[Mapping[str, JsonValue]]) -> list[JsonValue]:
        """Return the value of an expression for each scope, at most 1,000. Raises HostdError as the host says."""
        arguments: dict[str, JsonValue] = {"expression": source, "scopes": [dict(scope) for scope in scopes]}
        values = (await self._calls.call("expressions.evaluate", arguments)).result.get("values")
        if not isinstance(values, list):
            raise _odd("expressions.evaluate")
        return values


def _not_here() -> HostdError:
    message = "expressions are compiled in the daemon only; `await ctx.expressions.evaluate(...)` asks it"
    return HostdError(Kind.UNSUPPORTED, "HOST_CALL_UNKNOWN", message)


async def _gather(parts: AsyncIterator[bytes]) -> bytes:
    whole = bytearray()
    async for part in parts:
        whole += part
        if len(whole) > BLOB_BYTES_MAX:
            raise _too_large()
    return bytes(whole)


def _ms(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration / timedelta(milliseconds=1))


def _entry(entry: Any) -> KvEntry:
    try:
        expires_ms = entry.get("expires_at_ms")
        return KvEntry(
            entry["key"], entry["value"], entry["version"], at_ms(expires_ms) if expires_ms is not None else None
        )
    except (AttributeError, KeyError, TypeError):
        raise _odd("kv") from None


def _event_json(event: Event) -> dict[str, JsonValue]:
    from hostd.plugin.event import rfc3339

    return {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": rfc3339(event.time),
        "data": event.data,
        "subject": event.subject,
        "extensions": event.extensions,
    }


def _published(entry: Any) -> Published:
    try:
        told = dict(entry["event"])
        event = Event(**{**told, "time": datetime.fromisoformat(told["time"])})
        return Published(int(entry["position"]), str(entry["topic"]), event)
    except (KeyError, TypeError, ValueError):
        raise _odd("events.read") from None


def _odd(method: str) -> HostdError:
    return HostdError(Kind.BUG, "BUG", f"the host's answer to {method} cannot be read")


def _too_large() -> HostdError:
    return HostdError(Kind.INVALID, "PAYLOAD_TOO_LARGE", f"a blob has at most {BLOB_BYTES_MAX} bytes")
