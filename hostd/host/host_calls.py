"""The host's services by name, with JSON arguments: what plugins in processes of their own ask through HostCall."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple

from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.call_arguments import Arguments
from hostd.plugin import BlobRef, KvEntry, Published, RunResult, rfc3339
from hostd.plugin.expressions import EVALUATE_SCOPES_MAX
from hostd.plugin.results import RESULT_WAIT_MAX
from hostd.plugin.service_rules import KV_LIST_MAX
from hostd.plugin.services import BLOB_BYTES_MAX
from hostd.values.json_text import INT_MAX, INT_MIN, JsonValue

READ_MAX = 1_000
WAIT_MS_MAX = 60_000
TIMEOUT_MS_MAX = 3_600_000
RESULT_MS_MAX = round(RESULT_WAIT_MAX.total_seconds() * 1000)
TTL_MS_MAX = 100 * 366 * 86_400_000

Answer = tuple[JsonValue, bytes]


class _Call(NamedTuple):
    """A question: who asks (ActionContext or TriggerContext), what was given."""

    context: Any
    arguments: Arguments
    data: bytes


class Method(NamedTuple):
    """A method: the permission it needs (empty: none), the part of the context it uses, the arguments it knows."""

    permission: str
    part: str
    arguments: frozenset[str]
    call: Callable[[_Call], Awaitable[Answer]]


async def answer(
    context: Any, method: str, arguments: dict[str, JsonValue], data: bytes, granted: frozenset[str]
) -> Answer:
    """Answer a question; return JSON and bytes.

    Args:
        context: an ActionContext or TriggerContext of the host.
        data: bytes beside the arguments (blobs.put, http.request).
        granted: permissions of the plugin: secrets, kv, blobs, events, net.

    Raises:
        HostdError: HOST_CALL_UNKNOWN, PERMISSION_DENIED, ARGUMENT_INVALID, and what the service raises.
        ActionError: http.request got no answer.
    """
    known = METHODS.get(method)
    if known is None:
        raise HostdError(Kind.UNSUPPORTED, "HOST_CALL_UNKNOWN", f"the host has no method {method[:80]!r}")
    if known.permission and known.permission not in granted:
        message = f"{method} needs the permission `{known.permission}`, which the plugin does not have"
        raise HostdError(Kind.DENIED, "PERMISSION_DENIED", message, details={"permission": known.permission})
    if not _serves(context, known.part):
        whose = "triggers; an attempt" if known.part == "result" else "attempts; a trigger"
        raise HostdError(Kind.UNSUPPORTED, "HOST_CALL_UNKNOWN", f"{method} is for {whose} has none")
    return await known.call(_Call(context, Arguments(method, arguments, known.arguments), data))


def _serves(context: Any, part: str) -> bool:
    """Say whether a context has a part. A trigger's `http` is the door for requests that come in."""
    if part == "http":
        return hasattr(type(context), "attempt")
    if part == "result":
        return hasattr(type(context), "result")
    return part not in ("blobs", "expressions") or hasattr(context, part)


async def _secrets_get(call: _Call) -> Answer:
    return {"value": await call.context.secrets.get(call.arguments.text("name"))}, b""


async def _kv_get(call: _Call) -> Answer:
    entry = await call.context.kv.get(call.arguments.text("key"))
    return {"entry": None if entry is None else _entry(entry)}, b""


async def _kv_put(call: _Call) -> Answer:
    given = call.arguments
    entry = await call.context.kv.put(
        given.text("key"),
        given.value("value"),
        ttl=given.duration("ttl_ms", high_ms=TTL_MS_MAX),
        expected_version=given.optional_number("expected_version", low=0, high=INT_MAX),
    )
    return {"entry": _entry(entry)}, b""


async def _kv_add(call: _Call) -> Answer:
    given = call.arguments
    amount = given.number("amount", 1, low=INT_MIN, high=INT_MAX)
    ttl = given.duration("ttl_ms", high_ms=TTL_MS_MAX)
    return {"entry": _entry(await call.context.kv.add(given.text("key"), amount, ttl=ttl))}, b""


async def _kv_delete(call: _Call) -> Answer:
    expected = call.arguments.optional_number("expected_version", low=0, high=INT_MAX)
    return {"deleted": await call.context.kv.delete(call.arguments.text("key"), expected_version=expected)}, b""


async def _kv_list(call: _Call) -> Answer:
    given = call.arguments
    limit = given.number("limit", 100, low=1, high=KV_LIST_MAX)
    entries = await call.context.kv.list(given.text("prefix", ""), after=given.text("after", ""), limit=limit)
    return {"entries": [_entry(entry) for entry in entries]}, b""


async def _blobs_put(call: _Call) -> Answer:
    kind = call.arguments.text("content_type", "application/octet-stream")
    ref: BlobRef = await call.context.blobs.put(call.data, content_type=kind)
    return {"digest": ref.digest, "size_bytes": ref.size_bytes, "content_type": ref.content_type}, b""


async def _blobs_get(call: _Call) -> Answer:
    return {}, await call.context.blobs.get(call.arguments.text("digest"))


async def _events_publish(call: _Call) -> Answer:
    positions = await call.context.events.publish(call.arguments.text("topic"), *call.arguments.events("events"))
    return {"positions": list(positions)}, b""


async def _events_read(call: _Call) -> Answer:
    given = call.arguments
    page, after = await call.context.events.read(
        given.texts("topics", READ_MAX),
        after=given.optional_number("after", low=0, high=INT_MAX),
        limit=given.number("limit", 100, low=1, high=READ_MAX),
        wait_ms=given.number("wait_ms", 0, low=0, high=WAIT_MS_MAX),
    )
    return {"events": [_published(published) for published in page], "after": after}, b""


async def _http_request(call: _Call) -> Answer:
    given = call.arguments
    if len(call.data) > BLOB_BYTES_MAX:
        raise invalid("PAYLOAD_TOO_LARGE", f"a request's body has at most {BLOB_BYTES_MAX} bytes")
    answered = await call.context.http.request(
        given.text("method"),
        given.text("url"),
        headers=given.headers("headers"),
        body=call.data,
        timeout=given.duration("timeout_ms", high_ms=TIMEOUT_MS_MAX),
    )
    return {"status": answered.status, "headers": dict(answered.headers)}, answered.body


async def _runs_result(call: _Call) -> Answer:
    given = call.arguments
    timeout = timedelta(milliseconds=given.number("timeout_ms", 0, low=0, high=RESULT_MS_MAX))
    found: RunResult = await call.context.result(given.text("run_id"), timeout=timeout)
    why = found.failure
    failure: JsonValue = None if why is None else {"reason": why.reason, "message": why.message, "code": why.code}
    return {"run_id": found.run_id, "state": found.state, "output": found.output, "failure": failure}, b""


async def _expressions_evaluate(call: _Call) -> Answer:
    given = call.arguments
    scopes = given.items("scopes", EVALUATE_SCOPES_MAX)
    if not all(isinstance(scope, dict) for scope in scopes):
        raise given.refused("scopes", "holds something that is not a mapping of names")
    return {"values": await call.context.expressions.evaluate(given.text("expression"), scopes)}, b""


def _entry(entry: KvEntry) -> dict[str, JsonValue]:
    at = entry.expires_at
    expires_at_ms = None if at is None else round(at.timestamp() * 1000)
    return {"key": entry.key, "value": entry.value, "version": entry.version, "expires_at_ms": expires_at_ms}


def _published(published: Published) -> dict[str, JsonValue]:
    event = published.event
    return {
        "position": published.position,
        "topic": published.topic,
        "event": {
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "time": rfc3339(event.time),
            "data": event.data,
            "subject": event.subject,
            "extensions": event.extensions,
        },
    }


def _method(permission: str, part: str, call: Callable[[_Call], Awaitable[Answer]], *arguments: str) -> Method:
    return Method(permission, part, frozenset(arguments), call)


METHODS: dict[str, Method] = {
    "secrets.get": _method("secrets", "secrets", _secrets_get, "name"),
    "kv.get": _method("kv", "kv", _kv_get, "key"),
    "kv.put": _method("kv", "kv", _kv_put, "key", "value", "ttl_ms", "expected_version"),
    "kv.add": _method("kv", "kv", _kv_add, "key", "amount", "ttl_ms"),
    "kv.delete": _method("kv", "kv", _kv_delete, "key", "expected_version"),
    "kv.list": _method("kv", "kv", _kv_list, "prefix", "after", "limit"),
    "blobs.put": _method("blobs", "blobs", _blobs_put, "content_type"),
    "blobs.get": _method("blobs", "blobs", _blobs_get, "digest"),
    "events.publish": _method("events", "events", _events_publish, "topic", "events"),
    "events.read": _method("events", "events", _events_read, "topics", "after", "limit", "wait_ms"),
    "runs.result": _method("", "result", _runs_result, "run_id", "timeout_ms"),
    "http.request": _method("net", "http", _http_request, "method", "url", "headers", "timeout_ms"),
    "expressions.evaluate": _method("", "expressions", _expressions_evaluate, "expression", "scopes"),
}
