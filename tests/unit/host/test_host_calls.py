"""Services by name: what plugins in processes of their own may ask, and how wrong questions are refused."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.errors.base import HostdError
from hostd.host.expressions import AttemptExpressions
from hostd.host.host_calls import METHODS, answer
from hostd.host.services import NamespaceEvents
from hostd.plugin import HttpAnswer, Published
from hostd.plugin.service_rules import covers
from hostd.plugin.testing import FakeActionContext, FakeEvents, FakeHttp, FakeSecrets, FakeTriggerContext

ALL = frozenset({"secrets", "kv", "blobs", "events", "net"})
EVENT = {"id": "1", "source": "/s", "type": "t", "time": "2026-01-01T00:00:00Z", "data": {"n": 1}, "subject": ""}


class Topics:
    """A Topics desk over fake ones; only what is asked here."""

    def __init__(self, events: FakeEvents) -> None:
        self._events = events

    async def publish(self, namespace: str, events: Any, *, hidden: tuple[str, ...] = ()) -> list[int]:
        return [(await self._events.publish(topic, event))[0] for topic, event in events]

    async def read(
        self, namespace: str, topics: Any, *, after: int | None, limit: int, wait_ms: int
    ) -> tuple[list[Published], int]:
        place = len(self._events.published) if after is None else after
        page = [one for one in self._events.published[place:] if covers(topics, one.topic)][:limit]
        return page, page[-1].position if page else place

    async def before(self, namespace: str, at_ms: int) -> int:
        return 0


def attempt() -> Any:
    context: Any = FakeActionContext(secrets=FakeSecrets({"token": "x"}))
    context.events = NamespaceEvents(Topics(FakeEvents()), "default")
    context.expressions = AttemptExpressions()
    context.http = FakeHttp(lambda request: HttpAnswer(200, {"a": request.headers["a"]}, request.body))
    return context


async def test_each_method_answers() -> None:
    """The answers have the shape that SDKs read."""
    ctx = attempt()

    async def ask(method: str, arguments: dict[str, Any], data: bytes = b"") -> tuple[Any, bytes]:
        return await answer(ctx, method, arguments, data, ALL)

    assert await ask("secrets.get", {"name": "token"}) == ({"value": "x"}, b"")
    entry = {"key": "k", "value": [1], "version": 1, "expires_at_ms": 1_767_225_605_000}
    assert await ask("kv.put", {"key": "k", "value": [1], "ttl_ms": 5_000}) == ({"entry": entry}, b"")
    assert await ask("kv.get", {"key": "k"}) == ({"entry": entry}, b"")
    assert await ask("kv.get", {"key": "none"}) == ({"entry": None}, b"")
    assert (await ask("kv.add", {"key": "n", "amount": 2, "ttl_ms": None}))[0]["entry"]["value"] == 2
    assert [one["key"] for one in (await ask("kv.list", {"limit": 5}))[0]["entries"]] == ["k", "n"]
    assert await ask("kv.delete", {"key": "k", "expected_version": 1}) == ({"deleted": True}, b"")
    put, _ = await ask("blobs.put", {"content_type": "text/plain"}, b"bytes")
    assert await ask("blobs.get", {"digest": put["digest"]}) == ({}, b"bytes")
    assert put["size_bytes"] == 5
    assert await ask("events.publish", {"topic": "a.b", "events": [EVENT]}) == ({"positions": [1]}, b"")
    read, _ = await ask("events.read", {"topics": ["a.*"], "after": 0, "limit": 10, "wait_ms": 0})
    assert read == {"events": [{"position": 1, "topic": "a.b", "event": EVENT | {"extensions": {}}}], "after": 1}
    assert (await ask("events.read", {"topics": ["a.*"]}))[0] == {"events": [], "after": 1}
    request = {"method": "POST", "url": "http://x/", "headers": {"a": "1"}, "timeout_ms": 100}
    weighed = {"expression": "a > 1 ? 'big' : 'small'", "scopes": [{"a": 1}, {"a": 2}]}
    assert await ask("expressions.evaluate", weighed) == ({"values": ["small", "big"]}, b"")
    assert await ask("http.request", request, b"body") == ({"status": 200, "headers": {"a": "1"}}, b"body")


@pytest.mark.parametrize("method", sorted(name for name, known in METHODS.items() if known.permission))
async def test_without_its_permission_no_method_does_anything(method: str) -> None:
    """Each method names the permission it needs; the arguments are not even looked at."""
    others = ALL - {METHODS[method].permission}
    with pytest.raises(HostdError, match="PERMISSION_DENIED") as caught:
        await answer(attempt(), method, {"no": "such"}, b"", others)
    assert caught.value.details == {"permission": METHODS[method].permission}


@pytest.mark.parametrize("method", ["blobs.put", "blobs.get", "expressions.evaluate", "http.request", "no.such", ""])
async def test_a_trigger_has_no_blobs_and_no_requests(method: str) -> None:
    """What is not there for who asks is unknown, as is what is not there at all."""
    with pytest.raises(HostdError, match="HOST_CALL_UNKNOWN"):
        await answer(FakeTriggerContext(), method, {}, b"", ALL)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("kv.get", {}),
        ("kv.get", {"key": 1}),
        ("kv.get", {"key": "k", "more": 1}),
        ("kv.put", {"key": "k"}),
        ("kv.put", {"key": "k", "value": 1, "ttl_ms": 0}),
        ("kv.put", {"key": "k", "value": 1, "ttl_ms": 1.5}),
        ("kv.put", {"key": "k", "value": 1, "expected_version": -1}),
        ("kv.add", {"key": "k", "amount": True}),
        ("kv.list", {"limit": 1_001}),
        ("kv.list", {"prefix": None}),
        ("events.publish", {"topic": "t", "events": "no"}),
        ("events.publish", {"topic": "t", "events": [{}]}),
        ("events.publish", {"topic": "t", "events": [EVENT | {"time": "yesterday"}]}),
        ("events.publish", {"topic": "t", "events": [EVENT | {"extensions": []}]} | {"x": 1}),
        ("events.publish", {"topic": "t", "events": [EVENT | {"id": ""}]}),
        ("events.publish", {"topic": "t", "events": [EVENT] * 1_001}),
        ("events.read", {"topics": ["a", 1]}),
        ("events.read", {"topics": ["a"], "wait_ms": 60_001}),
        ("expressions.evaluate", {"expression": "1", "scopes": [1]}),
        ("expressions.evaluate", {"expression": "1", "scopes": [{}] * 1_001}),
        ("http.request", {"method": "GET", "url": "http://x/", "headers": {"a": 1}}),
    ],
)
async def test_wrong_arguments_are_named(method: str, arguments: dict[str, Any]) -> None:
    """Whatever a process sends, it is told which argument is wrong; nothing is done."""
    with pytest.raises(HostdError, match="ARGUMENT_INVALID") as caught:
        await answer(attempt(), method, arguments, b"", ALL)
    assert caught.value.message.startswith(f"{method}: ")
